"""The same arms under other conditions, and whether the comparison stays as it is.

    python -m experiments conditions

Question: which way of sharing the work is better where the Council is of one mind or divided, where people tell
helmets apart or not, where missions cost the same or are as they were deployed?

Things to notice: the last line of each panel. It says how many pairs of missions surely differ under each condition;
where it is zero, the order of the rows above it may be luck.

Things to try: another condition under `variants` in conf/experiment/conditions.yaml, such as a country of one's own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from experiments.drawing import family, style
from experiments.drawing.panels import folded, spoken
from experiments.drawing.statistics import good
from experiments.drawing.style import INK, SIZE, footnote, label, meaning, meant, scaled_unit, sheet, short_number, unit
from experiments.engine.experiment import Experiment
from sim.warm import say

OUTCOMES = ("civilians_killed", "deaths", "access", "peace_kept", "cost")
style.MADE["peace_kept"] = ("0/1", "peace at exit, and for ten years after it")  # `with_peace_kept` makes it
USUAL = "as usual"
COLOURS = "PuOr"  # orange: worse than the baseline; violet: better


def plan(x: Experiment) -> dict[str, int]:
    """Return the runs: every arm, the baseline too, as it is and under every condition."""
    return dict.fromkeys([*x.arms, *(f"{arm}, {c}" for c in x.about.variants for arm in x.arms)], x.about.seeds)


def analyse(x: Experiment) -> pd.DataFrame:
    """Write the table of all arms under all conditions, which pairs surely differ, and the figure."""
    x.do(plan(x))
    runs = with_peace_kept(x.runs)
    found, pairs = judged(runs, x.baseline, OUTCOMES)
    x.write({"conditions": found, "pairs": pairs}, figures={"conditions": draw(found, pairs, x.baseline)}, digits=4)
    x.write_provenance()
    say(answer(pairs))
    return found


def with_peace_kept(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs with one more outcome: peace at exit that was kept for ten years."""
    kept = runs["peace_at_exit"].where(runs["peace_at_exit"] == 0, 1 - runs["relapse"])
    return runs.assign(peace_kept=kept)


def judged(runs: pd.DataFrame, baseline: str, outcomes: Sequence[str] = OUTCOMES) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare every arm with the baseline, and every two arms under the same condition.

    Parameters
    ----------
    runs : DataFrame: arm (ARM, or "ARM, CONDITION"), seed, outcomes; baseline : str, an arm; outcomes : names

    Returns
    -------
    DataFrame: outcome, arm, condition, mean, difference from the baseline under the same condition, low, high, sure.
        All together are a family.
    DataFrame: outcome, condition, arm, other, difference, low, high, sure. All of one condition are a family.
    """
    named = runs["arm"].drop_duplicates().str.partition(", ")
    rows, pairs, apart = [], [], []
    for condition, some in named.groupby(2, sort=False):
        missions = some[some[0] != baseline].agg("".join, axis=1)
        apart.append(family.differences(runs, outcomes, missions, f"{baseline}, {condition}".removesuffix(", ")))
        for (outcome, *two), d in family.together(family.differences(runs, outcomes, missions)).iterrows():
            names = (word.partition(", ")[0] for word in two)
            pairs.append([outcome, condition or USUAL, *names, *d[["difference", "low", "high", "sure"]]])
    for (outcome, arm, _), d in family.together(pd.concat(apart, axis=1)).iterrows():
        name, _, condition = arm.partition(", ")
        mean = runs.loc[runs["arm"] == arm, outcome].mean()
        rows.append([outcome, name, condition or USUAL, mean, *d[["difference", "low", "high", "sure"]]])
    found = pd.DataFrame(rows, columns=["outcome", "arm", "condition", "mean", "difference", "low", "high", "sure"])
    found = found.sort_values("outcome", key=lambda of: of.map(list(outcomes).index), kind="stable")
    columns = ["outcome", "condition", "arm", "other", "difference", "low", "high", "sure"]
    return found, pd.DataFrame(pairs, columns=columns)


def answer(pairs: pd.DataFrame) -> str:
    """Return in a sentence under which conditions the arms can be told apart, and on what."""
    sure, said = pairs[pairs["sure"].astype(bool)], []
    for condition, all_pairs in pairs.groupby("condition", sort=False):
        n = len(all_pairs) // all_pairs["outcome"].nunique()
        of = sure[sure["condition"] == condition].groupby("outcome", sort=False).size()
        if len(of):
            parts = ", ".join(f"{meant(outcome)} {k}" for outcome, k in of.items())
            said.append(f"{condition}: {parts} of {n}")
    if not said:
        return "Under none of these conditions can any two missions surely be told apart."
    return f"Pairs of missions that surely differ: {'; '.join(said)}."


def headline(pairs: pd.DataFrame) -> str:
    """Return in a sentence how many pairs surely differ in each outcome where most do, and where that is."""
    said = []
    of_all = pairs[pairs["outcome"] != "cost"]  # which says how they spend, not who does better
    for outcome, of in of_all.assign(sure=of_all["sure"].astype(bool)).groupby("outcome", sort=False):
        sure = of.groupby("condition", sort=False)["sure"].sum()
        where = f" ({sure.idxmax()})" if sure.max() else ""
        said.append(f"{sure.max()} in {meant(outcome)}{where}")
    n = pairs.groupby(["outcome", "condition"]).size().max()
    return f"Of {n} pairs of missions at most this many surely differ: {', '.join(said)}"


def draw(found: pd.DataFrame, pairs: pd.DataFrame, baseline: str) -> Figure:
    """Draw what each arm changes under each condition: a panel an outcome, a row an arm, a column a condition.

    Parameters
    ----------
    found, pairs : as `judged` returns them; baseline : str

    Returns
    -------
    Figure. Colour and number are mean differences from the baseline; those in bold are surely not 0.
    """
    arms, conditions = (list(dict.fromkeys(found[column])) for column in ("arm", "condition"))
    outcomes = list(dict.fromkeys(found["outcome"]))
    title = folded(headline(pairs), 104)
    rows = -(-len(outcomes) // 2)
    figure, axes = sheet(1.2 + rows * (1.2 + 0.3 * len(arms)), title, rows, 2, len(outcomes), sharey=True)
    for ax, outcome in zip(axes.flat, outcomes):
        mine = found[found["outcome"] == outcome]
        table = mine.pivot(index="arm", columns="condition", values="difference").loc[arms, conditions]
        sure = mine.pivot(index="arm", columns="condition", values="sure").loc[arms, conditions]
        by, said = scaled_unit(unit(outcome), table.abs().max(axis=None))
        largest = max(float(table.abs().max(axis=None)), 1e-12) / by
        shown = table.to_numpy(float) / by
        norm = TwoSlopeNorm(0, -1.6 * largest, 1.6 * largest)
        ax.imshow(good(outcome) * shown, cmap=COLOURS, norm=norm, aspect="auto")
        for (i, j), value in np.ndenumerate(shown):
            ax.text(j, i, short_number(value) if value == value else "–", ha="center", va="center", fontsize=7.5,
                    color=INK, fontweight="bold" if sure.iloc[i, j] else "normal")  # fmt: skip
        told = pairs[pairs["outcome"] == outcome].groupby("condition")["sure"].agg(["sum", "size"])
        for j, condition in enumerate(conditions):
            ax.text(j, len(arms) - 0.1, told["sum"][condition], ha="center", va="center", fontsize=7.5, color=INK)
        ax.set_ylim(len(arms) + 0.3, -0.5)
        of = f"surely differ, of {told['size'].max()} pairs"
        ax.set_yticks([*range(len(arms)), len(arms) - 0.1], [*map(label, arms), of])
        ax.set_xticks(range(len(conditions)), [folded(c, 9) for c in conditions])
        ax.tick_params(length=0, labelsize=7.5)
        ax.spines[:].set_visible(False)
        kind = "share" if said == "0/1" else said
        ax.set_title(f"{meaning(outcome)} ({kind})", fontsize=SIZE["panel"], loc="left", color=INK)
    footnote(
        figure,
        f"Mean differences from {spoken(baseline)}, same seeds; violet: better, orange: worse; bold: surely not 0 "
        "(95% for all numbers together).\nPairs: judged together for each condition.",
    )
    return figure
