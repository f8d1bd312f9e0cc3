"""A GitHub and a Linear on loopback, over one deterministic organisation: for the demo and for tests.

``python -m veelocity_pipeline.simulator`` serves the same in the foreground.
"""

from veelocity_pipeline.simulator.faults import Fault
from veelocity_pipeline.simulator.github.app import SimulatedApp, SimulatedInstallation
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.server import Simulator
from veelocity_pipeline.simulator.world import LoggedRequest

__all__ = ["Fault", "LoggedRequest", "Organization", "SimulatedApp", "SimulatedInstallation", "Simulator"]
