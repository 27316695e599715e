"""An agent-based simulation of partnership peacekeeping."""

from sim import paths

paths.choose_compile_cache()  # before the first compiled rule is imported

from sim.config import load  # noqa: E402
from sim.model import PeaceModel  # noqa: E402
from sim.params import Params  # noqa: E402

__all__ = ["Params", "PeaceModel", "load"]
__version__ = "0.1.0"
