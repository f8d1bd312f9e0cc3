"""A GitHub and a Linear on loopback, over one deterministic organisation: for the demo and for tests.

``python -m veelocity_pipeline.simulator`` serves the same in the foreground.
"""

from .app import SimulatedApp, SimulatedInstallation
from .organization import Organization
from .server import Fault, LoggedRequest, Simulator

__all__ = ["Fault", "LoggedRequest", "Organization", "SimulatedApp", "SimulatedInstallation", "Simulator"]
