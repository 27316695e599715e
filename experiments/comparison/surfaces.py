"""Figures of designs: outcomes over the settings that an experiment sweeps; none simulates, reads or writes.

Question: where does which mission model protect best, what does delay cost, what does missing money cost?

Things to notice: every difference is from the run without a mission with the same seed. A winner that is not surely
better than the next is drawn pale: where all are pale, the models are alike.

Things to try: more seeds turn pale fields full, or show that they stay pale; another outcome moves the borders.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from experiments.comparison.figures import apart
from experiments.drawing import family, style
from experiments.drawing.panels import HALO, folded, plain, spoken
from experiments.drawing.statistics import interval
from experiments.drawing.style import GREY, INK, PALETTE, SIZE
from experiments.engine.tables import Results
from sim.config import Design

OUTCOMES = ("civilians_killed", "deaths")  # of all figures but the front; less is better
PALE = 0.35  # strength of the colour of a winner who may only have been lucky
MOST_NAMED = 5  # columns of a map in which names have room
CUT = 0.15  # of what UN missions spend, October 2025: 25% of those in uniform (Xinhua 2025)
ASSESSED_2719 = 0.75  # the most of an African Union mission's budget that resolution 2719 lets the UN assess


def axis_name(name: str) -> str:
    """Return what a setting is called on an axis."""
    return name.split(".")[-1].replace("_", " ")


def _short(arm):
    """Return the name of an arm, short enough for a small cell."""
    return "\n".join(style.label(arm).split(",")[0].split()[:2])


def seeds_said(tables: Results) -> str:
    """Return from how many seeds a figure is, in words."""
    n = tables.runs["seed"].nunique()
    return f"{n} seeds" if n > 1 else "one seed"


def phases(tables: Results, baseline: str = "none", question: str = "") -> Figure:
    """Draw which arm does best at each point of two settings, and what each arm changes there.

    Parameters
    ----------
    tables : Results of a grid over two settings
    baseline : str, what all are compared with; question : str, the title, before where an arm is surely best

    Returns
    -------
    Figure, a row an outcome. Left the best arm at each point, pale where it is not surely better than the next (95%
    interval of the paired difference); right the mean difference of each arm from the baseline.
    """
    x, y = tables.settings[:2]
    runs = tables.runs
    arms = [a for a in dict.fromkeys(runs["arm"]) if a != baseline]
    look, won = style.looks(arms), []
    figure, axes = style.sheet(
        1.55 + 2.05 * len(OUTCOMES), folded(question or f"Who protects best: {axis_name(x)} and {axis_name(y)}", 100),
        len(OUTCOMES), 1 + len(arms), width_ratios=(1.9, *[1] * len(arms)),
    )  # fmt: skip
    for row, outcome in zip(axes, OUTCOMES):
        found = tables.differences(outcome, baseline)
        xs, ys = sorted(found[x].unique()), sorted(found[y].unique())
        best, sure = _winners(runs, arms, x, y, xs, ys, outcome)
        judged = _judged(_everywhere(runs, baseline, x, y), arms, x, y, outcome, baseline)
        fields = [f"{spoken(a)} at {n}" for a in arms if (n := int(((best == a) & sure).sum()))]
        won.append(f"{style.meant(outcome)}: {', '.join(fields) or 'none'} of {best.size} points")
        colours = np.ones((len(ys), len(xs), 3))
        for i, j in np.ndindex(len(ys), len(xs)):
            colour, strength = np.array(to_rgb(look[best[i, j]].colour)), 1 if sure[i, j] else PALE
            colours[i, j] = 1 - strength * (1 - colour)
        _cells(row[0], colours, xs, ys)
        for i, j in np.ndindex(best.shape) if len(xs) <= MOST_NAMED else ():
            how = {"fontweight": "bold", "color": "white"} if sure[i, j] else {"color": INK}
            row[0].text(j, i, _short(best[i, j]), ha="center", va="center", fontsize=6, **how)
        row[0].set_title(f"Fewest {style.meant(outcome).removeprefix('all ')}", fontsize=SIZE["panel"], color=INK)
        row[0].set_ylabel(axis_name(y))
        by, said = style.scaled_unit(tables.units.get(outcome, ""), found["difference"].abs().max())
        worst = found["difference"].abs().max() / by
        for ax, arm in zip(row[1:], arms):
            of_arm = found[found["arm"] == arm]
            mine = of_arm.pivot(index=y, columns=x, values="difference").loc[ys, xs] / by
            clear = judged.xs((outcome, arm), level=(2, 3))["sure"].droplevel(2).unstack().loc[ys, xs]
            shown = _cells(ax, mine.to_numpy(), xs, ys, cmap="RdBu_r", vmin=-worst, vmax=worst)
            for i, j in np.ndindex(*mine.shape):
                value = mine.iloc[i, j]
                ink = "white" if abs(value) > 0.65 * worst else INK
                weight = "bold" if clear.iloc[i, j] else "normal"
                how = {"color": ink, "fontweight": weight}
                ax.text(j, i, style.short_number(value), ha="center", va="center", fontsize=6, **how)
            ax.set_title(style.label(arm), fontsize=SIZE["panel"], color=look[arm].colour, fontweight="bold")
            ax.set_yticklabels([])
        bar = figure.colorbar(shown, ax=list(row[1:]), aspect=25, pad=0.01)
        bar.set_label(f"{style.meant(outcome)},\ndifference ({said})", fontsize=SIZE["small"])
        bar.ax.tick_params(labelsize=SIZE["tick"])
        bar.formatter = FuncFormatter(plain)
    for ax in axes[-1]:
        ax.set_xlabel(axis_name(x), fontsize=SIZE["small"])
    style.noted(figure, folded(f"Surely best by {'; by '.join(won)}.", 100))
    style.footnote(
        figure,
        f"Left: the best model, pale where it is not surely better than the next "
        f"(95% for the whole map together, {seeds_said(tables)}).\n"
        f"Right: mean difference from {spoken(baseline)}, same seeds; below 0 is better; bold where it is surely "
        "not 0 (95% for the whole row together).",
    )
    return figure


def _everywhere(runs, arm, x, y):
    """Return the runs with those of an arm that the settings have no bearing on repeated at every point."""
    once = runs[(runs["arm"] == arm) & (runs[x].isna() | runs[y].isna())]
    points = runs[[x, y]].dropna().drop_duplicates()
    return pd.concat([runs.drop(once.index), once.drop(columns=[x, y]).merge(points, how="cross")])


def _judged(runs, arms, x, y, outcome, baseline=None):
    """Judge all comparisons of a map as one family; indexed by (y, x, outcome, arm, other)."""
    points = {}
    for at, here in runs.groupby([y, x]):
        there = [a for a in arms if a in set(here["arm"])]
        for key, column in family.differences(here, [outcome], there, baseline).items():
            points[(*at, *key)] = column
    return family.together(pd.DataFrame(points))


def _winners(runs, arms, x, y, xs, ys, outcome):
    """Return the best arm at each point, and whether it is surely better than the next best."""
    best = np.empty((len(ys), len(xs)), dtype=object)
    sure = np.zeros(best.shape, dtype=bool)
    judged = _judged(runs, arms, x, y, outcome)
    for i, j in np.ndindex(best.shape):
        here = runs[(runs[y] == ys[i]) & (runs[x] == xs[j])].pivot(index="seed", columns="arm", values=outcome)
        first, *others = here[[a for a in arms if a in here]].mean().sort_values().index
        best[i, j] = first
        for next_ in others[:1]:
            pair = [a for a in arms if a in (first, next_)]
            sure[i, j] = judged.loc[(ys[i], xs[j], outcome, *pair), "sure"]
    return best, sure


def _cells(ax, values, xs, ys, **look):
    shown = ax.imshow(values, origin="lower", aspect="auto", interpolation="nearest", **look)
    ax.set_xticks(range(len(xs)), [plain(v) for v in xs])
    ax.set_yticks(range(len(ys)), [plain(v) for v in ys])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=7)
    return shown


def _lines(ax, found, x, looks_of, by, places):
    """Draw a line with intervals for each series of a table (series, x, difference, low, high) over places of x.

    Intervals stand beside each other, not on each other: bands of several series could not be told apart.
    """
    ends = []
    apart = 0.16 * np.diff(places).min() if len(places) > 1 else 0
    n = found["series"].nunique()
    for k, ((name, mine), (colour, mark)) in enumerate(zip(found.groupby("series", sort=False), looks_of)):
        mine = mine.sort_values(x)
        at = mine[x] + (k - (n - 1) / 2) * apart
        ax.vlines(at, mine["low"] / by, mine["high"] / by, color=colour, lw=1.1, alpha=0.65)
        ax.plot(at, mine["difference"] / by, color=colour, lw=1.4, marker=mark, ms=4.5, mec="white", mew=0.5)
        ends.append((mine["difference"].iloc[-1] / by, name, colour))
    ax.set_xticks(places)
    ax.set_xlim(places[0] - n * apart, places[-1] + n * apart)
    return ends


def name_ends(ax: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write the name of each line at its right end, none on another."""
    ends = sorted(ends)
    bottom, top = ax.get_ylim()
    at = apart(np.array([e[0] for e in ends]), 0.085 * (top - bottom), bottom, top)
    right = ax.get_xlim()[1]
    for (_, name, colour), y in zip(ends, at):
        ax.annotate(name, (right, y), (3, 0), textcoords="offset points", va="center", color=colour,
                    fontsize=SIZE["small"], fontweight="bold", annotation_clip=False, path_effects=HALO)  # fmt: skip


def price(tables: Results, baseline: str = "none") -> Figure:
    """Draw what a mission changes, by the week it arrives and by its size, and what each month of delay costs.

    Parameters
    ----------
    tables : Results, settings: the week of arrival and the size; baseline : str, an arm

    Returns
    -------
    Figure, a row an outcome. Left mean differences from the baseline, right what four weeks of delay add, by a straight
    line through each seed's points; 95% intervals.
    """
    x, size = tables.settings[:2]
    sizes = sorted(tables.runs[size].dropna().unique())
    colours = [(PALETTE[k % len(PALETTE)], "os^Dv<>p"[k % 8]) for k in range(len(sizes))]
    slopes = {(o, s): interval(_slopes(tables.runs[tables.runs[size] == s], x, o) * 4) for o in OUTCOMES for s in sizes}
    title = _dear([slopes[OUTCOMES[0], s] for s in sizes], style.meant(OUTCOMES[0]), size)
    figure, axes = style.sheet(1.0 + 2.3 * len(OUTCOMES), folded(title, 86), len(OUTCOMES), 2, width_ratios=(2.1, 1))
    for (ax, slope), outcome in zip(axes, OUTCOMES):
        found = tables.differences(outcome, baseline).sort_values([size, x])
        found["series"] = [f"{s:,.0f} {size}" for s in found[size]]
        by, said = style.scaled_unit(tables.units.get(outcome, ""), found["difference"].abs().max())
        ax.axhline(0, color=GREY, lw=0.8)
        ends = _lines(ax, found, x, colours, by, np.sort(found[x].unique()))
        name_ends(ax, ends)
        what = f"{style.meaning(outcome)}, difference from {spoken(baseline)}"
        ax.set_title(what, fontsize=SIZE["panel"], loc="left")
        ax.set_ylabel(said)
        ax.yaxis.set_major_formatter(FuncFormatter(plain))
        for k, s in enumerate(sizes):
            mean, low, high = slopes[outcome, s]
            slope.plot([low, high], [k, k], color=colours[k][0], lw=1.8)
            slope.plot(mean, k, colours[k][1], color=colours[k][0], ms=6.5, mec="white")
            slope.annotate(style.short_number(mean), (mean, k), (0, 5), textcoords="offset points", ha="center",
                           fontsize=7.5, path_effects=HALO, color=INK if low > 0 or high < 0 else GREY)  # fmt: skip
        slope.axvline(0, color=GREY, lw=0.8, zorder=0)
        slope.set_yticks(range(len(sizes)), [f"{s:,.0f}" for s in sizes])
        slope.set_ylim(-0.6, len(sizes) - 0.3)
        slope.set_ylabel(size)
        slope.set_title("Added by 4 weeks of delay", fontsize=SIZE["panel"], loc="left")
        slope.set_xlabel("people", fontsize=SIZE["small"])
        slope.xaxis.set_major_formatter(FuncFormatter(plain))
    axes[-1, 0].set_xlabel("week of arrival after the outbreak of war", fontsize=SIZE["small"])
    style.footnote(
        figure,
        f"Means of runs with the same seed and their 95% intervals (Student's t), {seeds_said(tables)}. "
        "All missions leave in the same week.\n"
        "Right: slope of a straight line through each seed's runs; black numbers: the interval does not contain 0.",
    )
    return figure


def _dear(slopes, outcome, size):
    """Say in a sentence what four weeks of delay add, where the interval of it does not hold 0."""
    shown = [mean for mean, low, _ in slopes if low > 0]
    if not shown:
        return f"The price of delay: no size of {size} for which four weeks of it are shown to add {outcome}"
    much = " to ".join(dict.fromkeys(style.short_number(v) for v in (min(shown), max(shown))))
    return (
        f"The price of delay: four weeks add {much} {outcome} with {_of(len(shown), len(slopes))} sizes of {size}"
        + ("; with the others nothing is shown" if len(shown) < len(slopes) else "")
    )


def _of(some, all_of):
    return f"all {all_of}" if some == all_of else f"{some or 'none'} of {all_of}"


def _slopes(runs, x, outcome):
    """Return the slope of an outcome over x in each seed."""
    wide = runs.pivot(index=x, columns="seed", values=outcome).dropna(axis=1)
    weeks = wide.index.to_numpy(float)
    centred = weeks - weeks.mean()
    return (centred[:, None] * wide.to_numpy()).sum(axis=0) / (centred**2).sum()


def funding(tables: Results, baseline: str = "none") -> Figure:
    """Draw what missions change, and what is lost where their budget is paid in part, by their ability.

    Parameters
    ----------
    tables : Results, settings: the share paid and the ability; baseline : str, an arm

    Returns
    -------
    Figure. Two rows per outcome, a column per arm, a line per level of ability: mean differences from the baseline, and
    from the same mission paid in full, with 95% intervals.
    """
    x, ability = tables.settings[:2]
    arms = [a for a in dict.fromkeys(tables.runs["arm"]) if a != baseline]
    levels = sorted(tables.runs[ability].dropna().unique())
    colours = [(PALETTE[k % len(PALETTE)], "os^Dv"[k % 5]) for k in range(len(levels))]
    shares = np.sort(tables.runs[x].dropna().unique())
    others: list[Any] = [baseline, {x: shares[-1]}]
    said = []
    for outcome in OUTCOMES:
        lost = tables.differences(outcome, others[1])
        lost = lost[lost[x] == shares[0]]
        fewer = (lost["high"] < 0).sum()
        said.append(f"{style.meant(outcome)} in {_of((lost['low'] > 0).sum(), len(lost))} lines" + (
            f" (fewer in {fewer})" if fewer else ""))  # fmt: skip
    title = folded(f"With {shares[0]:.0%} of the budget paid, surely more than when all is: {', '.join(said)}", 86)
    rows = list(itertools.product(OUTCOMES, others))
    figure, axes = style.sheet(1.1 + 1.75 * len(rows), title, len(rows), len(arms), sharex=True, sharey="row")
    for row, (outcome, other) in zip(axes, rows):
        found = tables.differences(outcome, other).sort_values([ability, x])
        found["series"] = [f"ability {d:g}" for d in found[ability]]
        by, said = style.scaled_unit(tables.units.get(outcome, ""), found["difference"].abs().max())
        for ax, arm in zip(row, arms):
            ax.axhline(0, color=GREY, lw=0.8)
            ends = _lines(ax, found[found["arm"] == arm], x, colours, by, shares)
            ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0%}"))
            ax.yaxis.set_major_formatter(FuncFormatter(plain))
            if ax is row[-1] and other == baseline:
                name_ends(ax, ends)
            ax.set_title(f"{style.label(arm)}: {style.meant(outcome)}", fontsize=SIZE["panel"], loc="left")
        than = spoken(baseline) if other == baseline else "full payment"
        row[0].set_ylabel(f"difference from\n{than}\n({said})", fontsize=SIZE["small"])
    for column, (share, words) in enumerate([(1 - CUT, f"cut of {CUT:.0%}, October 2025"),
                                             (ASSESSED_2719, "resolution 2719, nothing raised")]):  # fmt: skip
        for ax in axes[:, column % len(arms)]:
            ax.axvline(share, color=GREY, lw=0.8, ls="--", zorder=0)
        axes[0, column % len(arms)].annotate(
            folded(words, 24), (share, 1), (-3, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=7, color=GREY, ha="right", va="top", path_effects=HALO,
        )  # fmt: skip
    for ax in axes[-1]:
        ax.set_xlabel("share of the authorised budget that is paid", fontsize=SIZE["small"])
    style.footnote(
        figure,
        f"Means of runs with the same seed and their 95% intervals (Student's t), {seeds_said(tables)}. "
        "Below 0 is better.\n"
        "Missing money costs ability and mobility first, strength beyond a tenth; ability is that "
        "of a force fully paid.",
    )
    return figure


def tried(tables: Results, design: Design) -> pd.DataFrame:
    """Return every point that an optimisation tried: settings, means, whether it keeps the bounds and is on the front.

    Parameters
    ----------
    tables : Results of a design of kind optuna; design : sim.config.Design

    Returns
    -------
    DataFrame, one row a point. On the front: no other point is as good in all objectives and bounded outcomes, and
    better in one.
    """
    names = _sought(design)
    found = tables.runs[~tables.runs["arm"].isin(design.fixed)]
    means = found.groupby(["arm", *tables.settings], sort=False, dropna=False)[names].mean().reset_index()
    values = means[names].to_numpy() * [-1 if design.objectives.get(n) == "maximize" else 1 for n in names]
    beaten = [((values <= v).all(axis=1) & (values < v).any(axis=1)).any() for v in values]
    kept = [(means[n] <= most).to_numpy() for n, most in design.bounds.items()]
    return means.assign(allowed=np.all(kept, axis=0) if kept else True, on_front=~np.array(beaten))


def _sought(design):
    return list(dict.fromkeys([*design.objectives, *design.bounds]))


def front(tables: Results, design: Design) -> Figure:
    """Draw all points that an optimisation tried: its first objective against each other one, and each bound.

    Parameters
    ----------
    tables : Results of a design of kind optuna; design : sim.config.Design
    """
    x, *others = _sought(design)
    if not others:
        raise ValueError("the figure 'front' needs two objectives, or an objective and a bound")
    means = tried(tables, design)
    by_x, said_x = style.scaled_unit(tables.units.get(x, ""), means[x].abs().max())
    good = means[means["allowed"]] if design.objectives.get(x) != "maximize" else means[:0]
    best = good.loc[good[x].idxmin()] if len(good) else None
    kept = f"; {means['allowed'].sum()} keep the bound" if design.bounds else ""
    first = f"Of {len(means)} points tried, {means['on_front'].sum()} are on the front of {style.meant(x)} against "
    first += f"{' and '.join(style.meant(y) for y in others)}{kept}"
    if best is not None:
        first += f", {'the cheapest' if x == 'cost' else 'the lowest'} at {style.short_number(best[x] / by_x)} {said_x}"
    figure, axes = style.sheet(4.4, folded(first, 86), 1, len(others))
    dashed = []
    for ax, y in zip(axes[0], others):
        by, said = style.scaled_unit(tables.units.get(y, ""), means[y].abs().max())
        for (on_front, allowed), mine in means.groupby(["on_front", "allowed"]):  # the front on top
            colour = PALETTE[2] if on_front else GREY
            look = {"mfc": colour, "mec": "white"} if allowed else {"mfc": "white", "mec": colour}
            ax.plot(mine[x] / by_x, mine[y] / by, "o", ms=6.5, mew=1, **look)
        if y in design.bounds:
            ax.axhline(design.bounds[y] / by, color=INK, lw=0.8, ls="--")
            dashed.append(f"{style.meant(y)} at most {style.short_number(design.bounds[y] / by)} {said}")
        if best is not None:
            ax.plot(best[x] / by_x, best[y] / by, "o", ms=12, mfc="none", mec=INK, mew=1)
        if best is not None and y == others[0]:
            words = [f"{axis_name(s)} {_said(best[s])}" for s in tables.settings if pd.notna(best[s])]
            said_best = "\n".join(["cheapest allowed" if x == "cost" else "best allowed", *words])
            right = best[x] > means[x].max() / 2
            # Under the marks, if there is room: a share of the axis.
            below = max(0.25, 0.8 * means[y].min() / max(means[y].max(), 1e-300))
            ax.annotate(said_best, (best[x] / by_x, best[y] / by), (best[x] / by_x, below),
                        textcoords=("data", "axes fraction"), ha="right" if right else "left", va="top",
                        fontsize=SIZE["small"], color=INK, path_effects=HALO,
                        arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.8, "shrinkB": 6,
                                    "relpos": (right, 1)})  # fmt: skip
        ax.set_xlabel(f"{style.meant(x)} ({said_x})")
        ax.set_ylabel(f"{style.meant(y)} ({said})")
        ax.set_xlim(0, max(1.05 * means[x].max() / by_x, ax.get_xlim()[1]))  # whole marks at the edges
        ax.set_ylim(0, max(1.05 * means[y].max() / by, ax.get_ylim()[1]))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(plain))
    above = f"; hollow: above the bound (dashed: {', '.join(dashed)})" if design.bounds else ""
    style.footnote(
        figure,
        f"Each mark is a mean over {seeds_said(tables)} of one of {len(means)} points{above}.\n"
        f"Orange: no other point is as good in {'both' if len(others) == 1 else 'all'} and better in one "
        "(means: the seeds are few, so neighbours may change places).",
    )
    return figure


def _said(value):
    return (
        f"{style.short_number(value / 1e6)} million"
        if isinstance(value, float) and value >= 1e6
        else value
        if isinstance(value, str)
        else f"{value:g}"
    )
