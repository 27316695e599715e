"""The points at which the arms of an experiment are run, as its YAML names them.

    design:
      kind: grid                                  # all combinations
      axes:
        judge.conflation: [0, 0.5, 1]             # a setting and its values
        size: {small: [a=1, b=2], large: [a=9]}   # or a name and levels, each some overrides;
                                                # with `unit: person` and `meaning: ...` for the column of that name

In the other kinds an axis is a setting and its lowest and highest value, or a list of choices: `lhs` a Latin hypercube
and `sobol` a Sobol' sequence (SciPy), `morris` trajectories one step at a time (SALib), `optuna` an optimisation that
looks at the results of earlier points. The same design and seed give the same points, so an interrupted one goes on.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from experiments.drawing.statistics import interval
from sim.config import Adaptive, Design
from sim.params import Params
from sim.values import among, with_values

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("grid", "lhs", "sobol", "morris", "optuna")
DIGITS = 6  # of a sampled value: what is shown is what is run


@dataclass(frozen=True)
class Point:
    """A place in the space of settings: what the tables call it, and the overrides that make it."""

    settings: dict[str, Any] = field(default_factory=dict)  # column: value
    overrides: tuple[str, ...] = ()


class Values:
    """Values that a scenario's parameters are given, by dotted path.

    Parameters
    ----------
    values : dict of path -> value
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @property
    def overrides(self) -> list[str]:
        """The overrides that set them."""
        return [f"{path}={value}" for path, value in self.values.items()]

    def of(self, params: Params) -> Params:
        """Return parameters with the values set."""
        return with_values(params, self.values)


def points(design: Design) -> list[Point]:
    """Return the points of a design that is known beforehand.

    Parameters
    ----------
    design : sim.config.Design, of any kind but optuna
    """
    check(design)
    axes = _axes(design)
    if design.kind == "grid":
        return [_point(axes, dict(zip(axes, chosen))) for chosen in itertools.product(*axes.values())]
    shares = {"lhs": _latin_hypercube, "sobol": _sobol, "morris": _morris}[design.kind](len(axes), design)
    return [_point(axes, {n: _at(v, u) for (n, v), u in zip(axes.items(), row)}) for row in shares]


USED = {  # settings of a design that have a bearing on each kind of it
    "grid": (), "lhs": ("points", "seed"), "sobol": ("points", "seed"), "morris": ("points", "seed", "levels"),
    "optuna": ("points", "seed", "batch", "objectives", "bounds"),
}  # fmt: skip


def refuse_idle(design: Design, adaptive: Adaptive) -> None:
    """Refuse settings of a design, or of adaptive replication, that have no bearing on what it does."""
    if design.kind not in KINDS:
        raise ValueError(f"experiment.design.kind is {design.kind!r}{among(design.kind, KINDS)}")
    used = ("axes", "kind", "fixed", *USED[design.kind]) if design.axes or design.kind == "optuna" else ()
    for where, group, has_a_bearing, why in (
        ("design", design, used,
         f"a design of kind {design.kind}" if design.axes else "an experiment without design.axes"),
        ("adaptive", adaptive, [f.name for f in fields(adaptive)] if adaptive.outcome else ["outcome"],
         "an experiment without adaptive.outcome"),
    ):  # fmt: skip
        for f in fields(group):
            value, usual = getattr(group, f.name), getattr(type(group)(), f.name)
            if value != usual and f.name not in has_a_bearing:
                raise ValueError(f"experiment.{where}.{f.name} is {value}; it has no bearing on {why}")


def check(design: Design) -> None:
    """Refuse a design that cannot be made, in a sentence."""
    if not design.axes:
        raise ValueError("experiment.design.axes is empty; name at least one setting and its values")
    for name, values in design.axes.items():
        if isinstance(values, dict):
            levels = _levels(values)
            if not levels or any(not isinstance(v, list) for v in levels.values()):
                raise ValueError(f"experiment.design.axes.{name} must give each level a list of overrides")
            if design.kind == "morris":
                raise ValueError(f"experiment.design.axes.{name} has levels; morris needs a lowest and a highest value")
        elif not isinstance(values, list) or not values:
            raise ValueError(f"experiment.design.axes.{name} is {values!r}; it must be a list of values")
        elif any(isinstance(v, (list, dict)) for v in values):
            raise ValueError(
                f"experiment.design.axes.{name} is {values}; write lists and tables as levels, {{a: ['{name}=...']}}"
            )
        elif design.kind == "morris" and not _is_range(values):
            raise ValueError(f"experiment.design.axes.{name} is {values}; morris needs a lowest and a highest value")
    if design.points < 1:
        raise ValueError(f"experiment.design.points is {design.points}; it must be at least 1")
    if design.kind == "sobol" and design.points & (design.points - 1):
        raise ValueError(
            f"experiment.design.points is {design.points}; a Sobol' sequence is balanced at powers of 2, "
            f"as {2 ** int(math.log2(design.points))} or {2 ** math.ceil(math.log2(design.points))}"
        )
    if design.kind == "morris" and (design.levels < 2 or design.levels % 2):
        raise ValueError(f"experiment.design.levels is {design.levels}; it must be an even number")


SAID = ("unit", "meaning")  # of an axis of levels


def _levels(values):
    """Return the levels of an axis without what is said of it."""
    return {level: overrides for level, overrides in values.items() if level not in SAID}


def said(design: Design) -> dict[str, tuple[str, ...]]:
    """Return what a design says of the axes that have levels: {axis: (unit, meaning)}."""
    named = {name: values for name, values in design.axes.items() if isinstance(values, dict)}
    return {name: tuple(str(v.get(key, "")) for key in SAID) for name, v in named.items() if "meaning" in v}


def _axes(design):
    """Return each axis as {level: overrides}, or, where values are sampled, as (name, low, high)."""
    found: dict[str, Any] = {}
    for name, values in design.axes.items():
        if isinstance(values, dict):
            found[name] = {level: tuple(overrides) for level, overrides in _levels(values).items()}
        elif design.kind != "grid" and _is_range(values):
            found[name] = (name, *values)
        else:
            found[name] = {v: (f"{name}={_said(v)}",) for v in values}
    return found


def _said(value):
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _is_range(values):
    return (
        isinstance(values, list)
        and len(values) == 2
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        and values[0] < values[1]
    )


def _at(axis, share):
    """Return what stands at a share of an axis, 0 to 1."""
    if isinstance(axis, dict):
        return list(axis)[min(int(share * len(axis)), len(axis) - 1)]
    _, low, high = axis
    return in_range(low, high, low + share * (high - low))


def in_range(low: float, high: float, value: float) -> float:
    """Return a value of a range, whole if both ends are."""
    if isinstance(low, int) and isinstance(high, int):
        return round(value)
    return float(f"{value:.{DIGITS}g}")


def _point(axes, chosen):
    overrides = [
        o
        for name, value in chosen.items()
        for o in (axes[name][value] if isinstance(axes[name], dict) else (f"{name}={_said(value)}",))
    ]
    return Point(chosen, tuple(overrides))


# ------------------------------------------------------------------------------ samples, as shares of each axis


def _latin_hypercube(n_axes, design):
    from scipy.stats import qmc

    return qmc.LatinHypercube(n_axes, rng=design.seed).random(design.points)


def _sobol(n_axes, design):
    from scipy.stats import qmc

    return qmc.Sobol(n_axes, rng=design.seed).random(design.points)


def _morris(n_axes, design):
    from SALib.sample import morris

    problem = {"num_vars": n_axes, "names": [str(k) for k in range(n_axes)], "bounds": [[0.0, 1.0]] * n_axes}
    return morris.sample(problem, design.points, num_levels=design.levels, seed=design.seed)


# ------------------------------------------------------------------------------ adaptive replication


def seeds_wanted(
    rule: Adaptive, values: "pd.DataFrame", seeds: Mapping[str, int], baselines: Mapping[str, str]
) -> dict[str, int]:
    """Return the scenarios whose interval is still too wide, and how many seeds each is to have.

    Parameters
    ----------
    rule : sim.config.Adaptive
    values : DataFrame of its outcome, a row a seed, a column a scenario
    seeds : dict, scenario -> seeds planned, those of runs that failed included
    baselines : dict, scenario -> the one that a difference is from
    """
    wider = {}
    for label in values:
        base, found = baselines[label], values[label]
        if rule.difference:
            if base == label or base not in values:
                continue
            found = found - values[base]
        mean, low, high = interval(found)
        widest = rule.half_width if rule.half_width is not None else (rule.relative or 0.0) * abs(mean)
        if not (high - low) / 2 <= widest and seeds[label] < rule.most and values[label].notna().any():
            wider[label] = min(seeds[label] + rule.batch, rule.most)
            if rule.difference and wider[label] > max(seeds[base], wider.get(base, 0)):  # a pair needs both
                wider[base] = wider[label]
    return wider


# ------------------------------------------------------------------------------ optimisation


class Search:
    """Points that an optimiser asks for, batch by batch, from what it was told of earlier ones.

    Parameters
    ----------
    design : sim.config.Design of kind optuna
    """

    def __init__(self, design: Design) -> None:
        import optuna

        check(design)
        wrong = [d for d in design.objectives.values() if d not in ("minimize", "maximize")]
        if not design.objectives or wrong:
            raise ValueError(
                f"experiment.design.objectives is {design.objectives}; give outcomes, each minimize or maximize"
            )
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.design, self.asked = design, []
        self.axes = _axes(design)
        sampler = optuna.samplers.TPESampler(seed=design.seed, n_startup_trials=max(4, design.points // 4))
        self.study = optuna.create_study(directions=list(design.objectives.values()), sampler=sampler)
        self.spaces = {name: self._space(optuna.distributions, axis) for name, axis in self.axes.items()}

    def _space(self, kinds, axis):
        if isinstance(axis, dict):
            return kinds.CategoricalDistribution([str(k) for k in axis])
        _, low, high = axis
        whole = isinstance(low, int) and isinstance(high, int)
        return kinds.IntDistribution(low, high) if whole else kinds.FloatDistribution(low, high)

    def ask(self) -> list[Point]:
        """Return the next points, none when all trials have been made."""
        n = min(self.design.batch, self.design.points - len(self.study.trials))
        self.asked = [self.study.ask(self.spaces) for _ in range(n)]
        return [_point(self.axes, {n: self._value(n, v) for n, v in trial.params.items()}) for trial in self.asked]

    def _value(self, name, value):
        axis = self.axes[name]
        if isinstance(axis, dict):
            return next(k for k in axis if str(k) == value)
        _, low, high = axis
        return in_range(low, high, value)

    def tell(self, found: Sequence[Mapping[str, float] | None]) -> None:
        """Say what came of the points of the last batch.

        Parameters
        ----------
        found : list of dict, outcome -> mean over the seeds; None where a point failed
        """
        import optuna

        for trial, means in zip(self.asked, found, strict=True):
            if means is None or any(means[o] != means[o] for o in self.design.objectives):
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            for outcome, most in self.design.bounds.items():
                trial.set_constraint(outcome, means[outcome] - most)  # kept where it is not above zero
            self.study.tell(trial, [means[o] for o in self.design.objectives])
