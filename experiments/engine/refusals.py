"""What an experiment refuses before anything is run, in a sentence each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from experiments.engine import designs
from experiments.engine.scenarios import as_written
from experiments.engine.writing import FORMATS
from sim import asked
from sim.config import Experiment as About
from sim.config import composed
from sim.model import Model
from sim.outcomes import totals
from sim.params import Params
from sim.values import among, no_setting


def refuse(name: str, about: About, workers: int | None) -> None:
    """Refuse settings that cannot be, that contradict each other, or that have no bearing.

    Parameters
    ----------
    name : str, of the experiment; about : its settings; workers : int, runs at a time
    """
    if not about.arms:
        raise ValueError(f"experiment {name} has no arms; name at least one in conf/experiment/{name}.yaml")
    if about.seeds < 1:
        raise ValueError(f"experiment.seeds is {about.seeds}; it must be at least 1")
    if about.first_seed < 0:
        raise ValueError(f"experiment.first_seed is {about.first_seed}; it must be at least 0")
    if workers is not None and workers < 1:
        raise ValueError(f"run.workers is {workers}; it must be at least 1")
    for given in about.formats:
        if given not in FORMATS:
            raise ValueError(f"experiment.formats names {given!r}{among(given, FORMATS)}")
    for where, arms in (("design.fixed", about.design.fixed), ("map_arms", about.map_arms or ())):
        if unknown := [arm for arm in arms if arm not in about.arms]:
            raise ValueError(f"experiment.{where} names {unknown[0]!r}{among(unknown[0], about.arms)}")
    designs.refuse_idle(about.design, about.adaptive)
    if about.map_months is not None and about.map_months < 1:
        raise ValueError(f"experiment.map_months is {about.map_months}; it must be at least 1, or null for four months")
    maps = [n for n in ("map_dates", "map_months") if getattr(about, n)]
    if len(maps) > 1:
        raise ValueError("experiment.map_dates and experiment.map_months are both given; give one of them")
    if maps and about.map_arms == []:
        raise ValueError(f"experiment.{maps[0]} has no bearing beside experiment.map_arms=[], which keeps no maps")
    if maps and about.design.axes:
        raise ValueError(f"experiment.{maps[0]} has no bearing on an experiment with a design, which keeps no maps")
    if about.design.kind == "optuna" and len(set(about.arms) - set(about.design.fixed)) != 1:
        raise ValueError(
            "experiment.design of kind optuna needs exactly one arm that is not in experiment.design.fixed"
        )
    a = about.adaptive
    if a.outcome and (a.half_width is None) == (a.relative is None):
        raise ValueError("experiment.adaptive needs one of half_width and relative")
    if a.outcome and (a.batch < 1 or about.seeds < 2 or not min(a.half_width or 1, a.relative or 1) > 0):
        raise ValueError("experiment.adaptive needs experiment.seeds of at least 2, and batch and width above 0")


def refuse_words(name: str, about: About, overrides: Sequence[str], named: Collection[str]) -> None:
    """Refuse words of the command line that add to what the study wants to know.

    Parameters
    ----------
    name : str, of the experiment; about : its settings, overrides : list of str, with these
    named : paths of tables of things that users may name
    """
    on_it = [o for o in overrides if asked.key_of(asked.read(o)).startswith("experiment.analysis")]
    if on_it:
        without = composed([f"experiment={name}", *(o for o in overrides if o not in on_it)]).experiment
        refuse_added(about.analysis, as_written(without).analysis, named)


def refuse_added(
    given: Mapping[str, Any], before: Mapping[str, Any], named: Collection[str], where: str = "experiment.analysis"
) -> None:
    """Refuse what is added to what a study wants to know: no study reads it.

    Parameters
    ----------
    given, before : dict, with and without what was added; named : paths of tables of things that users may name
    """
    inside = where.removeprefix("experiment.analysis").lstrip(".")
    for name, value in given.items():
        if name not in before and inside not in named:
            raise ValueError(no_setting(f"{where}.{name}", before))
        old = before.get(name)
        if inside in named and name not in before:  # has what the others have
            old = {key: None for other in before.values() if isinstance(other, dict) for key in other}
        if isinstance(value, dict) and isinstance(old, dict):
            refuse_added(value, old, named, f"{where}.{name}")


def refuse_outcomes(about: About, params: Callable[[], Params]) -> None:
    """Refuse outcomes that no run has, before there are runs.

    Parameters
    ----------
    about : settings of the experiment; params : function that returns those of a run, called if outcomes are named
    """
    design, rule = about.design, about.adaptive
    wanted: dict[str, Collection[str]] = {"design.objectives": design.objectives, "design.bounds": design.bounds,
              "adaptive.outcome": [rule.outcome] if rule.outcome else []}  # fmt: skip
    if any(wanted.values()):
        model = Model(params())
        model.step()
        there = totals(model)
        for where, outcomes in wanted.items():
            if unknown := [o for o in outcomes if o not in there]:
                raise ValueError(f"experiment.{where} names {unknown[0]!r}{among(unknown[0], there)}")
