"""An agent-based simulation of partnership peacekeeping."""

from typing import TYPE_CHECKING, Any

from sim import paths

paths.choose_compile_cache()  # before the first compiled rule is imported

from sim.config import load  # noqa: E402
from sim.params import Params  # noqa: E402

if TYPE_CHECKING:
    from sim.agents import PeaceModel

__all__ = ["Params", "PeaceModel", "load"]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import Mesa when somebody asks for it: with pandas, scipy and networkx it takes longer than a run."""
    if name != "PeaceModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sim.agents import PeaceModel

    return PeaceModel
