"""Parameters drawn from a calibration, so that results carry the uncertainty of parameters beside that of luck."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sim import paths, readers
from sim.params import Params
from sim.values import among, with_values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Calibration:
    """Where runs take calibrated parameters from: seed s takes row s of a table, so that arms stay paired.

    Parameters
    ----------
    name : a table in conf/calibrated or a user's own calibrated/: seed, distance, and parameters by dotted name
    kept : names of parameters that stay as they were given
    same_past : take the luck, too, with which a row was accepted: in the scenario of the calibration the run then
        repeats the history that came near the observed one

    Raises
    ------
    ValueError
        There is no such table, or it cannot be right.
    """

    name: str
    kept: tuple[str, ...] = ()
    same_past: bool = False
    path: Path = field(init=False, repr=False, compare=False)  # of the table

    def __post_init__(self) -> None:  # noqa: D105
        path = paths.file_of("calibrated", f"{self.name}.csv")
        object.__setattr__(self, "path", path)  # found once, for whichever process draws from it
        if not path.is_file():
            raise ValueError(f"calibration is {self.name!r}{among(self.name, paths.choices('calibrated', 'csv'))}")
        _draws(path)  # refuses what cannot be right

    @classmethod
    def asked_for(cls, name: str | None, overrides: Iterable[str] = (), same_past: bool = False) -> Self | None:
        """Return a calibration with what overrides name kept as given; None if no calibration is named."""
        return cls(name, tuple(o.split("=")[0].lstrip("+~") for o in overrides), same_past) if name else None

    @property
    def table(self) -> "pd.DataFrame":
        """The table, as a data frame."""
        import pandas as pd

        return pd.DataFrame(_draws(self.path))

    @property
    def made_by(self) -> list[Any]:
        """What two must share to be the same: the table, what is kept, whose luck."""
        kept = sorted(set(self.kept) & set(_draws(self.path)))
        return [hashlib.sha256(self.path.read_bytes()).hexdigest(), kept, self.same_past]

    def of(self, params: Params) -> Params:
        """Return parameters with those of their seed's row in place."""
        draws = _draws(self.path)
        row = (params.seed - 1) % draws["seed"].size
        params = with_values(params, {n: float(x[row]) for n, x in draws.items() if "." in n and n not in self.kept})
        return replace(params, seed=int(draws["seed"][row])) if self.same_past else params


@cache
def _draws(path):
    return readers.calibration(path, "calibration")
