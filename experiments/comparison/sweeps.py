"""Figures of one swept setting: how far arms move as it rises, and what a dollar averts; none simulates or reads.

Question: what does more of one thing do, to whom, and are we sure?

Things to notice: a full mark is surely not zero, a hollow one may be luck: all marks of a figure are judged together.
Where a reference is given, each arm is compared with itself at that value, so lines show what the setting does; else
with the baseline, so they show what the arm does there.

Things to try: another reference turns a figure of a mission's worth into one of what a setting costs.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison.surfaces import axis_name, name_ends, seeds_said
from experiments.drawing import family, style
from experiments.drawing.panels import folded, plain, spoken
from experiments.drawing.statistics import fieller, require
from experiments.drawing.style import GREY, INK, MADE, SIZE
from experiments.engine.experiment import Experiment
from experiments.engine.tables import Results
from sim.outcomes import TOTALS, unit_and_meaning

OUTCOMES = ("civilians_killed", "deaths", "access", "cost")
A_LINE = 100  # letters of a title
PREVENTION = 16  # dollars that a dollar of prevention is said to save (Sameh 2024, of the World Bank)
MILLION = 1e6


def check(experiment: Experiment) -> None:
    """Refuse, beforehand, an experiment that does not sweep exactly one number, or asks for what runs do not have."""
    axes, wanted = experiment.about.design.axes, experiment.about.analysis
    levels = [v for v in next(iter(axes.values()), ()) if v not in ("unit", "meaning")]
    if len(axes) != 1 or not all(isinstance(v, (int, float)) for v in levels):
        raise ValueError("the figures over and worth need one axis of numbers in experiment.design.axes, "
                         f"which has: {', '.join(axes) or 'none'}")  # fmt: skip
    if wanted.get("reference") not in (None, *levels):
        said = ", ".join(map(str, levels))
        raise ValueError(f"experiment.analysis.reference is {wanted['reference']!r}; choose among {said}")
    for outcome in wanted.get("outcomes", ()):
        if outcome not in MADE and not unit_and_meaning(outcome)[1]:
            require([outcome], [*MADE, *TOTALS], "outcome of experiment.analysis.outcomes")


def changes(
    runs: pd.DataFrame, x: str, outcomes: Sequence[str], baseline: str, reference: float | None = None
) -> pd.DataFrame:
    """Return each seed's differences at every value of a setting.

    Parameters
    ----------
    runs : DataFrame: arm, seed, the setting, the outcomes; x : str, the setting
    baseline : str, the arm that others are compared with; run once, or at every value
    reference : a value of the setting at which each arm is compared with itself; none: with the baseline

    Returns
    -------
    DataFrame, a row a seed; columns (outcome, arm, value)
    """
    require(outcomes, runs.columns, kind="outcome")
    at = {key: mine.set_index("seed") for key, mine in runs.groupby(["arm", x], sort=False)}
    once = runs[(runs["arm"] == baseline) & runs[x].isna()].set_index("seed")
    found = {}
    for (arm, value), mine in at.items():
        if value == reference if reference is not None else arm == baseline:
            continue
        other = at.get((baseline, value), once) if reference is None else at[arm, reference]
        found |= {(outcome, arm, value): mine[outcome] - other[outcome] for outcome in outcomes}
    return pd.DataFrame(found)


def judged(
    tables: Results, baseline: str = "none", outcomes: Sequence[str] = OUTCOMES, reference: float | None = None
) -> pd.DataFrame:
    """Return the changes of an experiment with one setting, judged all together: family.together of `changes`."""
    (x,) = tables.settings
    return family.together(changes(tables.runs, x, outcomes, baseline, reference))


def answer(judged: pd.DataFrame) -> str:
    """Return in a sentence what is surely higher and lower, in which arms, at which values.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it of `changes`
    """
    if judged["n"].max() < family.FEWEST:
        return f"With fewer than {family.FEWEST} seeds nothing is sure."
    said, swept = [], judged.index.get_level_values(2).unique()
    for word, sign in (("higher", 1), ("lower", -1)):
        of, sure = {}, judged[judged["sure"] & (np.sign(judged["difference"]) == sign)]
        for (outcome, arm), mine in sure.groupby(level=(0, 1), sort=False):
            of.setdefault(outcome, []).append(f"{spoken(arm)} {_at(mine.index.get_level_values(2), swept)}")
        found = [f"{style.meant(outcome)} ({', '.join(where)})" for outcome, where in of.items()]
        said += [f"surely {word}: {', '.join(found)}"] if found else []
    text = "; ".join(said) or "nothing is surely different"
    return f"{text[0].upper()}{text[1:]}."


def not_ruled_out(judged: pd.DataFrame) -> str:
    """Return in a sentence how much of a difference there may be, of the outcomes of which nothing is sure.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it of `changes`
    """
    said = []
    for outcome, mine in judged.groupby(level=0, sort=False):
        low, high = mine["low"].min(), mine["high"].max()
        if mine["sure"].any() or not np.isfinite(high - low):
            continue
        by, unit = style.scaled_unit(style.unit(outcome), max(-low, high))
        by, unit = (0.01, "points of 100") if unit in ("share", "0/1") else (by, unit)
        ends = " to ".join(f"{'+' if end > 0 else ''}{style.short_number(end / by)}" for end in (low, high))
        said.append(f"{style.meant(outcome)} {ends} {unit}")
    return f"Differences not ruled out, over all values: {'; '.join(said)}." if said else ""


def _at(values, swept):
    """Return at which of the values of a setting something is so: the first and the last of those in a row."""
    rows = []
    for k, value in enumerate(sorted(swept)):
        if value in values and rows and rows[-1][1] == k - 1:
            rows[-1] = (rows[-1][0], k, value)
        elif value in values:
            rows.append((value, k, value))
    return "at " + " and ".join(plain(a) if a == b else f"{plain(a)} to {plain(b)}" for a, _, b in rows)


def over(
    tables: Results,
    baseline: str = "none",
    outcomes: Sequence[str] = OUTCOMES,
    reference: float | None = None,
    question: str = "",
) -> tuple[Figure, pd.DataFrame]:
    """Draw what changes as a setting rises: a panel an outcome, a line an arm.

    Parameters
    ----------
    tables, baseline, reference : as of `judged`; outcomes : a panel each
    question : str, the title, before what was found

    Returns
    -------
    Figure and the table that it draws. Bars are 95% intervals for all of them together.
    """
    (x,) = tables.settings
    found = judged(tables, baseline, outcomes, reference)
    arms = list(dict.fromkeys(found.index.get_level_values(1)))
    values = np.sort(tables.runs[x].dropna().unique())
    cols = min(2, len(outcomes))
    rows = -(-len(outcomes) // cols)
    title = "\n".join(folded(text, A_LINE) for text in (question, answer(found)) if text)
    figure, axes = style.sheet(1.2 + 2.1 * rows, title, rows, cols, len(outcomes), sharex=True)
    apart, middle = 0.12 * np.diff(values).min() if len(values) > 1 else 0.0, (len(arms) - 1) / 2
    for ax, outcome in zip(axes.flat, outcomes):
        mine = found.loc[outcome]
        by, said = style.scaled_unit(style.unit(outcome), mine["difference"].abs().max())
        ax.axhline(0, color=GREY, lw=0.8, zorder=0)
        if reference is not None:
            ax.axvline(reference, color=GREY, lw=0.8, ls=":", zorder=0)
        ends = [
            (_line(ax, mine.loc[arm], look, (k - middle) * apart, by, reference), style.label(arm), look.colour)
            for k, (arm, look) in enumerate(style.looks(arms).items())
        ]
        ax.set_xticks(values, [plain(v) for v in values])
        ax.set_xlim(values[0] - (len(arms) + 1) * apart, values[-1] + (len(arms) + 1) * apart)
        ax.set_title(folded(style.meaning(outcome), 45), fontsize=SIZE["panel"], loc="left", color=INK)
        ax.set_ylabel(f"difference\n({'share' if said == '0/1' else said})", fontsize=SIZE["small"])
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_formatter(FuncFormatter(plain))
        if ax in axes[:, -1]:
            name_ends(ax, ends)
    for ax in axes[-1]:
        ax.set_xlabel(_said_axis(tables, x), fontsize=SIZE["small"])
    than = spoken(baseline) if reference is None else f"the same at {plain(reference)}"
    style.footnote(
        figure,
        f"Mean differences from {than}, same seeds, and their 95% intervals for the whole figure together, "
        f"{seeds_said(tables)}.\nFull marks: surely not 0.",
    )
    return figure, found.rename_axis(["outcome", "arm", x]).reset_index()


def _said_axis(tables, x):
    """Return what a setting is, with its unit, as its column says it."""
    kind, said = tables.units.get(x, ""), tables.meanings.get(x) or axis_name(x)
    return folded(f"{said} ({kind})" if kind else said, 52)


def _line(ax, found, look, aside, by, reference):
    """Draw an arm over the values of a setting, at the reference zero; return the height of its right end."""
    at = found.index.to_numpy(float) + aside
    ax.vlines(at, found["low"] / by, found["high"] / by, color=look.colour, lw=1.1, alpha=0.65)
    line = found["difference"] / by
    if reference is not None:
        line = pd.concat([line, pd.Series({float(reference): 0.0})])
    line = line.sort_index()
    ax.plot(line.index.to_numpy(float) + aside, line, color=look.colour, lw=1.4, ls=look.line)
    for value, y, sure in zip(at, found["difference"] / by, found["sure"]):
        ax.plot(value, y, look.mark, color=look.colour, mfc=look.colour if sure else "white", ms=5)
    return line.iloc[-1] if np.isfinite(line.iloc[-1]) else 0.0


def averted(tables: Results, baseline: str) -> pd.DataFrame:
    """Return deaths averted per million US$, violent and of need, by arm and value of the setting.

    Returns
    -------
    DataFrame: arm, the setting, averted, low, high (Fieller's 95% interval), n
    """
    (x,) = tables.settings
    found = changes(tables.runs, x, ["deaths", "cost"], baseline)
    rows = []
    for arm, value in dict.fromkeys(key[1:] for key in found):
        deaths, cost = (found[o, arm, value].to_numpy(float) for o in ("deaths", "cost"))
        rows.append([arm, value, *fieller(-deaths, cost / MILLION), len(deaths)])
    return pd.DataFrame(rows, columns=["arm", x, "averted", "low", "high", "n"]).sort_values(["arm", x])


def worth(tables: Results, baseline: str = "none", question: str = "") -> tuple[Figure, pd.DataFrame]:
    """Draw what a million US$ averts as a setting rises, of a mission's cost and all deaths of civilians.

    Parameters
    ----------
    tables : experiments.engine.tables.Results with one setting; baseline : str, an arm without cost
    question : str, the title, before what was found

    Returns
    -------
    Figure and the table that it draws. The dashed line is sixteen times the last point of an arm,
    where that is surely above 0.
    """
    (x,) = tables.settings
    found = averted(tables, baseline)
    arms = list(dict.fromkeys(tables.runs["arm"].drop_duplicates().loc[lambda a: a != baseline]))
    values = np.sort(found[x].unique())
    title = "\n".join(filter(None, [folded(question, A_LINE), _times(found, x, arms)]))
    figure, axes = style.sheet(1.6 + 1.9 * len(arms), title, len(arms), 1, sharex=True)
    for ax, (arm, look) in zip(axes[:, 0], style.looks(arms).items()):
        mine = found[found["arm"] == arm]
        ax.axhline(0, color=GREY, lw=0.8, zorder=0)
        ax.vlines(mine[x], mine["low"], mine["high"], color=look.colour, lw=1.4)
        ax.plot(mine[x], mine["averted"], look.mark, color=look.colour, ms=6, ls=look.line)
        last = mine["averted"].iloc[-1]
        if mine["low"].iloc[-1] > 0:
            ax.axhline(PREVENTION * last, color=INK, lw=0.8, ls="--")
            ax.annotate(
                f"{PREVENTION} times the last", (1, PREVENTION * last), (-2, 3), va="bottom", ha="right",
                xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=SIZE["small"],
            )  # fmt: skip
        ax.set_title(style.label(arm), fontsize=SIZE["panel"], loc="left", color=look.colour, fontweight="bold")
        ax.set_xticks(values, [plain(v) for v in values])
        ax.set_xlim(values[0] - 0.04 * np.ptp(values), values[-1] + 0.04 * np.ptp(values))
        ax.set_ylabel("deaths averted\nper million US$", fontsize=SIZE["small"])
        ax.yaxis.set_major_formatter(FuncFormatter(plain))
    axes[-1, 0].set_xlabel(_said_axis(tables, x), fontsize=SIZE["small"])
    style.footnote(
        figure,
        f"Mean deaths averted against {spoken(baseline)}, same seeds, over the mean cost of the missions; "
        f"Fieller's 95% intervals, {seeds_said(tables)}.\nBelow 0: more die than without.",
    )
    return figure, found


def _times(found, x, arms):
    """Return in a sentence how many times as much the first dollar averts as the last, where both surely do."""
    said = []
    for arm in arms:
        mine = found[found["arm"] == arm].sort_values(x)
        first, last = mine.iloc[0], mine.iloc[-1]
        if first.low > 0 and last.low > 0:
            times = style.short_number(first.averted / last.averted)
            said.append(f"{style.label(arm)}: {times} times as much first as last.")
        else:
            which = "at the left" if last.low > 0 else "at the right" if first.low > 0 else "at either end"
            said.append(f"{style.label(arm)}: no ratio, for what a dollar averts {which} is not surely above 0.")
    return "\n".join(said)
