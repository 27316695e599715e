"""The numbers of the facilitators' sheets: what each card of a lesson shows in many seeds.

    python -m experiments lessons && python -m experiments.comparison.report

The second command enters them in docs/lessons. What a sheet says beside its tables is said without numbers, so that
it stays true when these are counted again.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from experiments.comparison.findings import beside_each_other, told_apart
from experiments.drawing import estimates, family
from experiments.drawing.statistics import require
from experiments.drawing.style import meaning, short_number, unit
from experiments.engine.experiment import Experiment

Scenes = Mapping[str, Sequence[Sequence[str]]]


def scenes(x: Experiment) -> Scenes:
    """Return the scenes of each lesson: lesson -> list of lists of arms, the models that are shown side by side."""
    found = x.about.analysis["scenes"]
    for arms in (arm for of in found.values() for arm in of):
        require(arms, x.arms, "arm of experiment.analysis.scenes")
    return found


def plan(x: Experiment) -> dict[str, int]:
    """Return the runs: every arm, once it is known that all scenes are made of arms."""
    scenes(x)
    return dict.fromkeys(x.arms, x.about.seeds)


def analyse(x: Experiment) -> None:
    """Write what every scene shows: means, intervals, and letters that say which models surely differ."""
    x.write({"lessons": table(x.runs, scenes(x), x.about.analysis["outcomes"])}, digits=6)
    x.write_provenance()


def table(runs: pd.DataFrame, of: Scenes, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return what scenes show.

    Parameters
    ----------
    runs : DataFrame: arm, seed, outcomes; of : as `scenes` returns it; outcomes : names

    Returns
    -------
    DataFrame: lesson, scene, arm, outcome, n, mean, low, high, letters (two that share none surely differ), said
    """
    rows = []
    for lesson, shown in of.items():
        for k, arms in enumerate(shown):
            mine = runs[runs["arm"].isin(arms)]
            judged = family.together(family.differences(mine, outcomes, arms))
            said = told_apart(judged, arms, outcomes)
            for outcome in outcomes:
                values, found, letters = beside_each_other(mine, judged, arms, outcome)
                rows += [[lesson, k + 1, a, outcome, len(values[a]), *found[a], letters[a], said] for a in arms]
    columns = ["lesson", "scene", "arm", "outcome", "n", "mean", "low", "high", "letters", "said"]
    return pd.DataFrame(rows, columns=columns)


def shown(found: pd.DataFrame, lesson: str) -> str:
    """Return the tables of a lesson in Markdown, each with a sentence of what surely differs.

    Parameters
    ----------
    found : DataFrame as `table` returns it; lesson : str
    """
    parts = []
    for _, mine in found[found["lesson"] == lesson].groupby("scene", sort=False):
        rows = []
        for arm, of in mine.groupby("arm", sort=False):
            cells = {meaning(r.outcome): _cell(r) for r in of.itertuples()}
            rows.append({"model": arm, **cells})
        n = mine["n"].max()
        parts.append(f"{estimates.markdown(pd.DataFrame(rows)).strip()}\n\n{mine['said'].iloc[0]} ({n} seeds).")
    return "\n\n".join(parts)


def _cell(r):
    share = unit(r.outcome) in ("share", "0/1")
    mean, low, high = (f"{v:.0%}" if share else short_number(v) for v in (r.mean, r.low, r.high))
    return f"{mean} [{low}, {high}] {r.letters}"
