"""A GitHub and a Linear on loopback, over one deterministic organisation: for the demo and for tests.

``python -m veelocity_pipeline.simulator`` serves the same in the foreground.
"""

from veelocity_pipeline.simulator.github.app import SimulatedApp, SimulatedInstallation
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.server import Fault, LoggedRequest, Simulator

__all__ = ["Fault", "LoggedRequest", "Organization", "SimulatedApp", "SimulatedInstallation", "Simulator"]
