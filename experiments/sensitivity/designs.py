"""What the sensitivity analysis varies, how far, and at which points the model is run.

Every number is laid over 0..1: 0 is the low end of its range of uncertainty, 0.5 its default, 1 the high end. The
range comes from its declaration in sim/params.py. A point is a place in 0..1 of some numbers, the others at their
defaults, and a seed; at each point all arms are run.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.engine.designs import Values
from sim.params import Params, walk

HALFWAY = ("share", "exponent")  # units varied half-way to their bounds; all others by a factor of two
LUCK = "luck"
LEVELS = 4  # of a Morris grid


def varies(path: str) -> bool:
    """Say whether a number is one of the model, and not of the run or the map, which are another country or study."""
    return path.split(".")[0] not in ("seed", "weeks", "step_weeks", "civilians", "country") or path.startswith(
        "country.factions."
    )


def ends(value: float, meta: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the low and high end of a number's range of uncertainty, from its declaration; None: it is not varied.

    Shares and exponents go half-way to their bounds; all else is halved and doubled within its bounds. A zero that
    is no share stays: a mandate without a task, or a mission without police, is another mission and not another number.
    """
    if meta["unit"] in HALFWAY:
        return (value + meta["low"]) / 2, (value + meta["high"]) / 2
    return (max(meta["low"], value / 2), min(meta["high"], 2 * value)) if value > 0 else None


def between(place: float, low: float, default: float, high: float, unit: str) -> float:
    """Return the value at a place in 0..1 of a range: 0 the low end, 0.5 the default, 1 the high end.

    In between, shares and exponents are spaced evenly, all else in equal ratios.
    """
    a, b, part = (low, default, 2 * place) if place <= 0.5 else (default, high, 2 * place - 1)
    return a + (b - a) * part if unit in HALFWAY else a * (b / a) ** part


Leaf = tuple[str, float, float, float, bool]  # path, low, default, high, is it a whole number


@dataclass
class Factor:
    """A parameter that is varied, and the leaves of each arm's tree that it sets."""

    name: str
    default: float
    low: float
    high: float
    unit: str
    meaning: str
    source: str
    leaves: dict[str, list[Leaf]] = field(default_factory=dict)  # by arm

    def values(self, arm: str, place: float) -> Iterator[tuple[str, float]]:
        """Return (path, value) for each leaf of an arm, at a place in 0..1 of the range."""
        for path, low, default, high, whole in self.leaves.get(arm, ()):
            value = between(place, low, default, high, self.unit)
            yield path, round(value) if whole else value


def known_as(path: str, choices: Mapping[str, str | None]) -> str:
    """Return the name of a leaf: a force or mandate that several components share is one thing, varied once.

    Parameters
    ----------
    choices : dict, what Hydra chose of each group of conf/ for the arm
    """
    words = path.split(".")
    if words[:2] == ["mission", "components"] and words[3] in ("force", "mandate"):
        return ".".join([words[3], str(choices[f"{words[3]}@{'.'.join(words[:4])}"]), *words[4:]])
    return path


def find_factors(arms: Mapping[str, Params], choices: Mapping[str, Mapping[str, str | None]]) -> dict[str, Factor]:
    """Return all factors of some arms by name.

    Parameters
    ----------
    arms : dict of Params by name; choices : dict of dict by name, what Hydra chose of each group of conf/
    """
    found = {}
    for arm, params in arms.items():
        for path, f, value in walk(params):
            span = ends(value, f.metadata) if "low" in f.metadata and varies(path) else None
            if span is None or span[0] == span[1]:
                continue
            name, meta = known_as(path, choices[arm]), f.metadata
            factor = found.setdefault(name, Factor(name, value, *span, meta["unit"], meta["doc"], meta["source"]))
            factor.leaves.setdefault(arm, []).append((path, span[0], value, span[1], f.type is int))
    return found


class Change(Values):
    """What a point makes of the parameters of an arm; worked out when it is asked for, since there are very many.

    Parameters
    ----------
    factors : dict of Factor by name; arm : str; point : Sampled
    """

    def __init__(self, factors: Mapping[str, Factor], arm: str, point: "Sampled") -> None:
        self.factors, self.arm, self.point = factors, arm, point

    @property
    def values(self) -> dict[str, float]:  # type: ignore[override]  # worked out when asked for, since there are many
        """The values that it sets, by dotted path: none if the arm has none of the factors."""
        pairs = zip(self.point.names, self.point.places, strict=True)
        return dict(value for name, place in pairs for value in self.factors[name].values(self.arm, place))

    def __reduce__(self) -> tuple[type[Values], tuple[dict[str, float]]]:  # noqa: D105  another process needs the values alone
        return Values, (self.values,)


# ------------------------------------------------------------------------------ the designs


@dataclass(frozen=True, slots=True)
class Sampled:
    """Places of some factors in their ranges (all others at their defaults), and a seed."""

    names: tuple[str, ...]
    places: tuple[float, ...]  # in 0..1, one a name
    seed: int


def problem(names: Sequence[str]) -> dict[str, Any]:
    """Return the unit cube over some factors, in SALib's form."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def screening(
    names: Sequence[str], trajectories: int, dummies: int
) -> tuple[dict[str, Any], NDArray[np.float64], list[Sampled]]:
    """Return Morris trajectories over some factors and dummies: (problem, (P, D) places, points).

    A dummy is a parameter that the model does not have: where it moves, luck is drawn anew. Each trajectory is drawn
    by itself, so that more of them leave the first ones as they were.
    """
    from SALib.sample import morris

    names, n = tuple(names), len(names)
    cube = problem([*names, *(f"{LUCK} {i}" for i in range(1, dummies + 1))])
    places, points = [], []
    for t in range(trajectories):
        path = morris.sample(cube, 1, num_levels=LEVELS, seed=t + 1)
        places.append(path)
        for row in path:
            levels = np.rint(row[n:] * (LEVELS - 1)).astype(int)
            seed = 1 + int.from_bytes(hashlib.sha256(f"{t} {levels.tolist()}".encode()).digest()[:4], "big")
            points.append(Sampled(names, tuple(row[:n].tolist()), seed))
    return cube, np.concatenate(places), points


def tornado(names: Sequence[str], seeds: int) -> list[Sampled]:
    """Return points at the defaults, then at the low and the high end of each factor, each with the same seeds."""
    corners = [((), ()), *(((name,), (end,)) for name in names for end in (0.0, 1.0))]
    return [Sampled(*corner, s) for corner in corners for s in range(1, seeds + 1)]


def sobol(names: Sequence[str], base: int) -> tuple[dict[str, Any], NDArray[np.float64], list[Sampled]]:
    """Return Saltelli's design over some factors and luck: (problem, (P, D) places, points).

    Luck is a factor like any other: its place in 0..1 picks the seed.
    """
    from SALib.sample import sobol

    cube = problem([*names, LUCK])
    places = sobol.sample(cube, base, calc_second_order=False, seed=1)
    points = [Sampled(tuple(names), tuple(row[:-1].tolist()), 1 + int(row[-1] * 2**31)) for row in places]
    return cube, places, points


def everywhere(names: Sequence[str], points: int, seeds: int) -> tuple[NDArray[np.float64], list[Sampled]]:
    """Return a Latin hypercube over some factors, each place with the same few seeds: ((P, D) places, points)."""
    from SALib.sample import latin

    places = latin.sample(problem(names), points, seed=1)
    return places, [Sampled(tuple(names), tuple(row.tolist()), s) for row in places for s in range(1, seeds + 1)]


def plane_name(path: str) -> str:
    """Return what a factor of the plane is called, to tell it from the one over its range of uncertainty."""
    return f"plane {path}"


def plane(paths: Sequence[str], grid: int, seeds: int) -> tuple[list[tuple[float, float]], list[Sampled]]:
    """Return the plane of two settings from 0 to 1: ((x, y) values, points)."""
    at = np.linspace(0, 1, grid).tolist()
    values = [(x, y) for y in at for x in at]
    names = tuple(map(plane_name, paths))
    return values, [Sampled(names, xy, s) for xy in values for s in range(1, seeds + 1)]


def whole_range(factor: Factor) -> Factor:
    """Return a factor that runs straight from 0 to 1."""
    leaves = {a: [(p, 0.0, 0.5, 1.0, w) for p, _, _, _, w in of] for a, of in factor.leaves.items()}
    return dataclasses.replace(factor, low=0.0, default=0.5, high=1.0, leaves=leaves)
