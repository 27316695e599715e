"""An agent-based simulation of partnership peacekeeping."""

from sim.config import load
from sim.model import PeaceModel
from sim.params import Params

__all__ = ["Params", "PeaceModel", "load"]
__version__ = "0.1.0"
