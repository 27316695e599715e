"""The figures: each takes tables and returns a matplotlib Figure; none simulates, reads or writes.

Question: how do ways of sharing the work of peace differ, when, where, for whom, and are we sure?

Things to notice: intervals and bands are not the same. `series`, `differences` and `tradeoff` show how well the
**mean** is known (95% interval, Student's t), so they narrow with more seeds.

Things to try: draw `differences` against another baseline than no mission.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from experiments.comparison import findings
from experiments.drawing import family, style
from experiments.drawing.panels import HALO, folded, plain, spoken, year_axis, years
from experiments.drawing.statistics import half_width, require
from experiments.drawing.style import FLOWS, GREY, INK, SIZE

SERIES = ("civilians_killed", "displaced", "unmet_need", "access", "peacekeepers")
DIFFERENCES = (
    "civilians_killed", "excess_deaths", "deaths", "brd", "displaced_person_weeks", "unmet_need",
    "peacekeepers_killed", "cost",
)  # fmt: skip
AGAINST = ("civilians_killed", "deaths", "access", "peace_at_exit", "cost")
TRADED = ("unmet_need", "violent_deaths")  # less is better, of both
SUMS = {
    "displaced": ("idps", "refugees"),
    "peacekeepers": ("troops", "police", "observers"),
    "violent_deaths": ("civilians_killed", "brd", "peacekeepers_killed", "aid_workers_killed"),
}
SMOOTHED = 12  # months
FEWEST_MONTHS = 4  # of these 12, the fewest that make a mean: at both ends, and where nobody tried to bring aid
BETTER = "#eef5ee"  # ground of the corner where both outcomes are better
TITLE = 92  # letters of a line
SPOKEN_OF = 4  # outcomes: a title is no table


def measured(table: pd.DataFrame, outcome: str) -> pd.Series:
    """Return a column of a table, or the sum of the columns that make it."""
    if outcome in table:
        return table[outcome]
    require(SUMS.get(outcome, [outcome]), table.columns, kind="outcome")
    return table[list(SUMS[outcome])].sum(axis=1)


def others(table: pd.DataFrame, arms: Iterable[str] | None, baseline: str) -> list[str]:
    """Return the arms to be drawn beside the baseline; None is all that the table has."""
    arms = list(dict.fromkeys(table["arm"] if arms is None else arms))
    require([baseline, *arms], table["arm"])
    return [arm for arm in arms if arm != baseline]


def how_sure(table: pd.DataFrame, means: str, together: bool = False) -> str:
    """Say what the marks and bars of a figure are, and from how many seeds."""
    n = table["seed"].nunique()
    how = "for all of them together" if together else "Student's t"
    return f"{means} and their 95% intervals ({how}), {n} seeds." if n > 1 else f"{means}: one seed, no interval."


# ------------------------------------------------------------------------------ over time


def series(monthly: pd.DataFrame, arms: Sequence[str] | None = None, baseline: str = "none") -> Figure:
    """Draw how outcomes go on: a row per arm, a column per outcome, the baseline in grey behind each arm.

    Parameters
    ----------
    monthly : DataFrame: arm, seed, month (as 2013-12) and the outcomes, or the columns they are the sum of
    arms : from top to bottom; none: all but the baseline, as they come in the table; baseline : the arm in grey

    Returns
    -------
    Figure. Lines are means over seeds, ribbons their 95% intervals. What happens during a month, and shares, are
    12-month means centred on the month, because months are bursty and have four or five weeks.
    """
    arms = others(monthly, arms, baseline) or [baseline]
    title = folded(findings.when(monthly, arms, baseline, SERIES[0]), TITLE)
    figure, axes = style.sheet(1.0 + 0.92 * len(arms), title, len(arms), len(SERIES), sharex=True, sharey="col")
    look, grey = style.looks(arms), style.looks([baseline])[baseline]
    for column, outcome in zip(axes.T, SERIES):
        means = {arm: _mean_month(monthly, arm, outcome) for arm in [baseline, *arms]}
        largest = pd.concat(means.values())["mean"].max()
        by, said = style.scaled_unit(style.unit(outcome), largest)
        for ax, arm in zip(column, arms):
            _ribbon(ax, means[baseline], grey.colour, by, width=1.0, light=0.22)
            _ribbon(ax, means[arm], look[arm].colour, by, width=1.6, light=0.28)
            if means[arm]["mean"].isna().all():
                ax.text(0.5, 0.5, "nobody tried", transform=ax.transAxes, ha="center", fontsize=7, color=GREY)
            ax.yaxis.set_major_locator(MaxNLocator(3))
            ax.yaxis.set_major_formatter(FuncFormatter(plain))
        column[0].set_ylim(0, 1.0 if said == "share" else _top(means.values(), largest) / by)
        each = " a month" if outcome in FLOWS else ""
        what = f"{style.meaning(outcome)}\n{folded(f'({said}{each})', 22)}"
        column[0].set_title(what, fontsize=SIZE["small"], color=INK)
    year_axis(axes[0, 0], years(monthly["month"].unique()), few=True)
    for ax, arm in zip(axes[:, 0], arms):
        ax.set_ylabel(folded(style.label(arm), 11), color=look[arm].colour, fontweight="bold", fontsize=SIZE["small"])
    for ax in axes[-1]:
        ax.set_xlabel("year", fontsize=SIZE["small"])
    smooth = ", ".join(style.meant(o) for o in SERIES if _is_smoothed(o))
    style.footnote(
        figure,
        f"Colour: the arm; grey: {spoken(baseline)}. {how_sure(monthly, 'Means')}\n"
        f"12-month means centred on the month: {smooth}. Ribbons may go on above a panel.",
    )
    return figure


def _is_smoothed(outcome):
    """Say whether an outcome jumps from month to month: what happens during one, and shares of few."""
    return outcome in FLOWS or style.unit(outcome) == "share"


def _mean_month(monthly, arm, outcome):
    """Return the mean over seeds and its interval: a frame (month) of mean, low, high."""
    mine = monthly[monthly["arm"] == arm]
    values = mine[["month", "seed"]].assign(value=measured(mine, outcome))
    values = values.pivot(index="month", columns="seed", values="value").sort_index()
    if _is_smoothed(outcome):
        values = values.rolling(SMOOTHED, center=True, min_periods=FEWEST_MONTHS).mean()
    n = values.count(axis=1)
    mean, half = values.mean(axis=1), half_width(values.std(axis=1), n)
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})


def _top(means, largest):
    """Return the upper end of an axis: a few heavy-tailed seeds must not press all means flat."""
    top = min(1.05 * pd.concat(means)[["mean", "high"]].max(axis=None), 1.8 * largest)
    return top if top > 0 else 1.0


def _ribbon(ax, means, colour, by, width, light):
    x = years(means.index)
    ax.fill_between(x, means["low"] / by, means["high"] / by, color=colour, alpha=light, lw=0)
    ax.plot(x, means["mean"] / by, color=colour, lw=width)


# ------------------------------------------------------------------------------ against the baseline


def _from_baseline(runs, arms, baseline, outcomes):
    """Return the arms beside a baseline, the runs with all outcomes, and the differences from it, judged together."""
    arms = others(runs, arms, baseline)
    if not arms:
        raise ValueError(f"There is no arm to compare with {baseline!r}")
    runs = runs.assign(**{outcome: measured(runs, outcome) for outcome in outcomes})
    return arms, runs, family.together(family.differences(runs, outcomes, arms, baseline))


def differences(
    runs: pd.DataFrame,
    baseline: str = "none",
    arms: Sequence[str] | None = None,
    outcomes: Sequence[str] = DIFFERENCES,
) -> Figure:
    """Draw how far each arm is from the baseline: a row per arm, a panel per outcome.

    Parameters
    ----------
    runs : DataFrame: arm, seed and the outcomes; baseline : the arm that all others are compared with
    arms : from top to bottom; none: all but the baseline, as they come in the table; outcomes : one panel each

    Returns
    -------
    Figure. Marks are mean differences of runs with the same seed, bars their 95% intervals.
    """
    arms, runs, judged = _from_baseline(runs, arms, baseline, outcomes)
    cols = min(4, len(outcomes))
    rows = -(-len(outcomes) // cols)
    spoken_of = judged[judged.index.get_level_values(0).isin(outcomes[:SPOKEN_OF])]
    idle = [outcome for outcome in outcomes if not runs.loc[runs["arm"] == baseline, outcome].any()]
    title = folded(findings.against_baseline(spoken_of, arms, baseline, idle), TITLE)
    figure, axes = style.sheet(1.1 + rows * (0.8 + 0.27 * len(arms)), title, rows, cols, len(outcomes), sharey=True)
    look, places = style.looks(arms), np.arange(len(arms))
    for ax, outcome in zip(axes.flat, outcomes):
        found = judged.loc[[(outcome, arm, baseline) for arm in arms]].set_axis(arms)
        by, said = style.scaled_unit(style.unit(outcome), found[["difference", "low", "high"]].abs().max(axis=None))
        ax.axvline(0, color=GREY, lw=0.8, zorder=0)
        for y, arm in zip(places, arms):
            d, its = found.loc[arm, ["difference", "low", "high"]].astype(float) / by, look[arm]
            ax.plot([d.low, d.high], [y, y], color=its.colour, lw=1.8, ls=its.line, solid_capstyle="butt")
            ax.plot(d.difference, y, its.mark, color=its.colour, ms=6.5, mec="white", mew=0.6, gid=arm)
            if np.isfinite(d.difference):
                ax.annotate(
                    style.short_number(d.difference), (d.difference, y), (0, 4.5), textcoords="offset points",
                    fontsize=7.5, ha="center", va="bottom", path_effects=HALO,
                    color=INK if found.loc[arm, "sure"] else GREY,
                )  # fmt: skip
        ax.set_title(folded(style.meaning(outcome), 24), fontsize=SIZE["panel"], color=INK)
        ax.set_xlabel(f"difference\n({said})", fontsize=SIZE["small"])
        ax.xaxis.set_major_locator(MaxNLocator(3, min_n_ticks=3))
        ax.xaxis.set_major_formatter(FuncFormatter(plain))
        ax.margins(x=0.15)
        if found["difference"].isna().all():
            ax.set_xticks([])
            ax.text(0.5, 0.5, "nothing to compare", transform=ax.transAxes, ha="center", fontsize=7, color=GREY)
    _name_rows(axes[:, 0], arms)
    style.footnote(
        figure,
        f"{how_sure(runs, 'Mean differences of runs with the same seed', together=True)}\n"
        f"The line at 0 is {spoken(baseline)}; numbers in black: surely not 0.",
    )
    return figure


def _name_rows(axes, arms):
    """Write the names of arms, from top to bottom and in their colours, at the rows of the first column."""
    axes[0].set_ylim(len(arms) - 0.6, -0.75)
    axes[0].set_yticks(range(len(arms)), [folded(style.label(a), 15) for a in arms])
    for ax in axes:
        for words, (_arm, look) in zip(ax.get_yticklabels(), style.looks(arms).items()):
            words.set(color=look.colour, fontweight="bold")


def against(runs: pd.DataFrame, arms: Sequence[str] | None = None) -> Figure:
    """Draw the arms beside each other: all seeds, the mean of each, and which of them can be told apart.

    Parameters
    ----------
    runs : DataFrame: arm, seed and the outcomes; arms : from top to bottom; none: all, as they come in the table

    Returns
    -------
    Figure. A faint mark is a seed, a full one a mean with its 95% interval. Two arms whose letters have none in common
    surely differ: all pairs and outcomes are judged together.
    """
    arms = list(dict.fromkeys(runs["arm"] if arms is None else arms))
    runs = runs[runs["arm"].isin(arms)]
    judged = family.together(family.differences(runs, AGAINST, arms))
    title = folded(findings.told_apart(judged, arms, AGAINST), TITLE)
    figure, axes = style.sheet(1.25 + 0.36 * len(arms), title, 1, len(AGAINST), sharey=True)
    look, places = style.looks(arms), np.arange(len(arms))
    for ax, outcome in zip(axes.flat, AGAINST):
        share = style.unit(outcome) in ("share", "0/1")
        values, found, letters = findings.beside_each_other(runs, judged, arms, outcome)
        largest = max((m for m, _, _ in found.values() if np.isfinite(m)), default=1.0)
        by, said = style.scaled_unit(style.unit(outcome), largest)
        top = max([np.quantile(v, 0.9) for v in values.values() if v.size] + [h for _, _, h in found.values()])
        for y, arm in zip(places, arms):
            its, (mean, low, high) = look[arm], found[arm]
            if not np.isfinite(mean):
                ax.text(0.02, y, "nothing to measure", transform=ax.get_yaxis_transform(), fontsize=7, color=GREY)
                continue
            if style.unit(outcome) != "0/1":
                ax.plot(values[arm] / by, y + _spread_out(len(values[arm])), ".", color=its.colour, ms=4, alpha=0.4,
                        mew=0)  # fmt: skip
            ax.plot([low / by, high / by], [y, y], color=its.colour, lw=2.0, solid_capstyle="butt")
            ax.plot(mean / by, y, its.mark, color=its.colour, ms=6.5, mec="white", mew=0.6, gid=arm)
            shown = f"{mean:.0%}" if share else style.short_number(mean / by)
            ax.annotate(shown, (mean / by, y), (0, 5), textcoords="offset points", ha="center", va="bottom",
                        fontsize=7.5, color=INK, path_effects=HALO)  # fmt: skip
            ax.text(1.0, y, letters[arm], transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=8,
                    color=INK, family="monospace")  # fmt: skip
        lowest = min((v.min() for v in values.values() if v.size), default=0.0)
        ax.set_xlim(max(0, lowest - 0.05) if style.unit(outcome) == "share" else 0, 1.04 if share else 1.08 * top / by)
        ax.set_title(folded(style.meaning(outcome), 20), fontsize=SIZE["panel"], color=INK)
        ax.set_xlabel("share" if share else said, fontsize=SIZE["small"])
        ax.xaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
        ax.xaxis.set_major_formatter(FuncFormatter(plain))
    _name_rows(axes[:, 0], arms)
    style.footnote(
        figure,
        f"{how_sure(runs, 'Means')} Faint: single seeds, the highest tenth may lie outside.\n"
        "Letters, at the right: two that share none surely differ (95% for all pairs and panels together).",
    )
    return figure


def _spread_out(n):
    """Return small offsets, the same in every figure, that keep marks of one value apart."""
    return 0.28 * ((np.arange(n) * 0.618) % 1 - 0.5)


def tradeoff(runs: pd.DataFrame, baseline: str = "none", arms: Sequence[str] | None = None) -> Figure:
    """Draw whether who saves from violence also saves from want: one mark per arm, in two directions.

    Parameters
    ----------
    runs : DataFrame: arm, seed and what the outcomes are made of; baseline : the arm at the origin
    arms : none: all but the baseline, as they come in the table

    Returns
    -------
    Figure. Marks are mean differences of runs with the same seed, crosses their 95% intervals.
    """
    x, y = TRADED
    arms, runs, judged = _from_baseline(runs, arms, baseline, TRADED)
    title = folded(findings.in_both(judged, arms, (y, x)), TITLE)
    figure, axes = style.sheet(5.4, title, 1, 2, width_ratios=(4, 1), sharey=True)
    ax, margin = axes[0]
    look, found, said = style.looks(arms), {}, {}
    for axis, outcome in (("x", x), ("y", y)):
        mine = judged.loc[[(outcome, arm, baseline) for arm in arms]].set_axis(arms)[["difference", "low", "high"]]
        by, said[axis] = style.scaled_unit(style.unit(outcome), mine["difference"].abs().max())
        found[axis] = mine / by
    ax.axvline(0, color=GREY, lw=0.8, zorder=0)
    ax.axhline(0, color=GREY, lw=0.8, zorder=0)
    for arm in arms:
        h, v, its = found["x"].loc[arm], found["y"].loc[arm], look[arm]
        ax.plot([h.low, h.high], [v.difference] * 2, color=its.colour, lw=1.2, ls=its.line, alpha=0.55)
        ax.plot([h.difference] * 2, [v.low, v.high], color=its.colour, lw=1.2, ls=its.line, alpha=0.55)
        ax.plot(h.difference, v.difference, its.mark, color=its.colour, ms=9, mec="white", gid=arm, zorder=4)
    ax.plot(0, 0, "o", color=GREY, ms=9, mec="white", zorder=3)
    at_zero = {"textcoords": "offset points", "fontsize": SIZE["label"], "path_effects": HALO, "zorder": 5}
    ax.annotate(style.label(baseline), (0, 0), (8, 7), color=GREY, **at_zero)
    ax.margins(0.06)
    left, bottom = ax.get_xlim()[0], ax.get_ylim()[0]
    ax.fill_between([left, 0], bottom, 0, color=BETTER, lw=0, zorder=-1)
    ax.set(xlim=(left, ax.get_xlim()[1]), ylim=(bottom, ax.get_ylim()[1]))
    ax.annotate("↙ better in both", (0, bottom), (-6, 6), ha="right", color=INK, **at_zero)
    ax.set_xlabel(f"{style.meaning(x)}, difference ({said['x']})")
    ax.set_ylabel(f"{style.meaning(y)}, difference ({said['y']})")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(plain))
    _names_in_the_margin(ax, margin, found, look)
    style.footnote(figure, how_sure(runs, "Mean differences of runs with the same seed", together=True))
    return figure


def _names_in_the_margin(ax, margin, found, look):
    """Write the arms' names beside the panel, at the heights of their marks but never on each other."""
    margin.set_axis_off()
    margin.set_xlim(0, 1)
    bottom, top = ax.get_ylim()
    right = ax.get_xlim()[1]
    heights = found["y"]["difference"].sort_values()
    at = apart(heights.to_numpy(), 0.062 * (top - bottom), bottom, top)
    for arm, y in zip(heights.index, at):
        ax.annotate(
            "", (right, y), (found["x"].loc[arm, "difference"], heights[arm]), annotation_clip=False, zorder=1,
            arrowprops={"arrowstyle": "-", "color": look[arm].colour, "lw": 0.8, "ls": ":"},
        )  # fmt: skip
        margin.text(0, y, folded(style.label(arm), 24), color=look[arm].colour, va="center", fontsize=SIZE["label"],
                    fontweight="bold")  # fmt: skip


def apart(values: ArrayLike, least: float, bottom: float, top: float) -> NDArray[np.float64]:
    """Move sorted values up or down until they are at least so far from each other, and within the limits."""
    at = np.array(values, dtype=float)
    for _ in range(500):
        at = at.clip(bottom + least / 2, top - least / 2)
        push = np.maximum(least - np.diff(at), 0) / 2
        if not push.any():
            break
        at[:-1] -= push
        at[1:] += push
    return at
