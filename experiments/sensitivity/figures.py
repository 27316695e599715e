"""The figures of the sensitivity analysis: each takes a table and returns a matplotlib Figure; none simulates.

Things to notice: counts are compared as ratios, on axes of equal steps (x0.5, x1, x2). What luck alone does is drawn
in grey in every figure, and marks that stay within it are hollow or pale.
"""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from experiments.drawing import style
from experiments.drawing.panels import folded
from experiments.drawing.style import GREY, INK, PALE, PALETTE, SIZE
from experiments.sensitivity.designs import LUCK
from experiments.sensitivity.indices import LEVEL, against, is_dummy

LOW, HIGH = PALETTE[0], PALETTE[4]
GOOD, BAD = "#7fb3d8", "#f0b56a"  # grounds of the first and the last rank
SHOWN = ("civilians_killed", "unmet_need")  # where a figure has room for two outcomes; the tables have all
MOST = 20  # parameters in the figure of the screening


def short(name: str) -> str:
    """Return a parameter's name as it fits beside a panel."""
    bare_name = name.removeprefix("mission.components.").removeprefix("country.factions.")
    return bare_name.replace(".personnel.", ".").replace(".tasks.", ".").replace("multidimensional", "multidim")


def ratio(doublings: float) -> str:
    """Return doublings as a ratio: x0.5, x1, x2."""
    return f"×{2.0**doublings:.2g}"


def spoken(target: str) -> str:
    """Return what a target is, in words."""
    return {LEVEL: "mean of all models"}.get(target, target.replace(" - others", " / others"))


def panel_title(ax: Axes, outcome: str, target: str) -> None:
    """Write what a panel shows."""
    ax.set_title(f"{style.meaning(outcome)},\n{spoken(target)}", fontsize=SIZE["panel"], loc="left", color=INK)


def rows_of(axes: "Sequence[Axes] | np.flatiter[Any]", names: Sequence[str]) -> None:
    """Write parameters beside the first of some panels, the first on top."""
    for ax in axes:
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), [])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)
    axes[0].set_yticklabels([short(n) for n in names], fontsize=SIZE["small"])


def in_ratios(ax: Axes, widest: float) -> None:
    """Lay an axis of doublings over -widest..widest, told as ratios."""
    step = next(s for s in (0.25, 0.5, 1, 2, 4, 8, 16, np.inf) if widest <= 3 * s)
    top = max(np.ceil(widest / step), 1) * step if np.isfinite(step) else widest
    ax.set_xlim(-top, top)
    ax.set_xticks([-top, 0, top], [ratio(-top), ratio(0), ratio(top)])


def panels(studied: str) -> list[tuple[str, str]]:
    """Return the (outcome, target) of the four panels: two outcomes, by level and against the other models."""
    return [(outcome, target) for target in (LEVEL, against(studied)) for outcome in SHOWN]


def screening(screened: pd.DataFrame, score: pd.DataFrame, studied: str, trajectories: int) -> Figure:
    """Draw mu* of the parameters that move most, with intervals, beside what luck alone does."""
    names = score.parameter[:MOST].tolist()
    real = screened[~is_dummy(screened.parameter) & screened.outcome.isin(SHOWN) & (screened.target == LEVEL)]
    moved, n = " or ".join(map(style.meant, SHOWN)), real[real.beyond_luck].parameter.nunique()
    title = f"Of {real.parameter.nunique()} numbers, {n} move {moved} by more than luck; "
    title += f"first of all: {short(names[0])}"
    figure, axes = style.sheet(1.8 + 0.22 * len(names), folded(title, 86), 1, 4)
    for ax, (outcome, target) in zip(axes.flat, panels(studied)):
        of = screened[(screened.outcome == outcome) & (screened.target == target)]
        panel_title(ax, outcome, target)
        ax.set_xlabel("doublings")
        if of.empty:
            continue
        table = of.set_index("parameter").loc[names]
        ax.axvspan(0, table.bound_of_luck.iloc[0], color=PALE, lw=0)
        for i, row in enumerate(table.itertuples()):
            inside = LOW if row.beyond_luck else "white"
            ax.errorbar(row.mu_star, i, xerr=row.mu_star_conf, color=LOW, lw=1, marker="o", ms=4, mfc=inside)
        ax.set_xlim(0, 1.08 * (table.mu_star + table.mu_star_conf).max() or 1)  # 1: in these runs nothing moves it
        ax.xaxis.set_major_locator(MaxNLocator(3))
    rows_of(axes.flat, names)
    said = (
        f"The {len(names)} that explain most of the hypercube, highest first. Mark: mu*, the mean size of the effect\n"
        f"over the whole range, with its 95% bootstrap interval, {trajectories} trajectories. Grey: up to the 99%\n"
        "bound of what luck alone shows. Filled: beyond it."
    )
    style.footnote(figure, said)
    return figure


def tornado(swings: pd.DataFrame, studied: str, seeds: int) -> Figure:
    """Draw what the low and the high end of each parameter's range do against the defaults."""
    names = list(dict.fromkeys(swings.parameter))
    outcome, target = panels(studied)[0]
    ends = swings[(swings.outcome == outcome) & (swings.target == target)].pivot(
        index="parameter", columns="end", values="change"
    )
    most = ends.abs().max(axis=1).idxmax()
    title = f"{short(most)} moves {style.meant(outcome)} most: {ratio(ends.low[most])} at the low end of its range, "
    title += f"{ratio(ends.high[most])} at the high end, all else at its default"
    figure, axes = style.sheet(1.6 + 0.32 * len(names), folded(title, 86), 1, 4)
    for ax, (outcome, target) in zip(axes.flat, panels(studied)):
        table = swings[(swings.outcome == outcome) & (swings.target == target)]
        for shift, end, colour in ((-0.18, "low", LOW), (0.18, "high", HIGH)):
            of = table[table.end == end].set_index("parameter").loc[names]
            at = np.arange(len(names)) + shift
            ax.barh(at, of.change, 0.34, color=colour)
            ax.errorbar(of.change, at, xerr=of.half, fmt="none", ecolor=INK, elinewidth=0.8)
        ax.axvline(0, color=GREY, lw=0.8)
        in_ratios(ax, (table.change.abs() + table.half).max())
        panel_title(ax, outcome, target)
    rows_of(axes.flat, names)
    said = (
        f"Ratio to the run at the defaults with the same seed: mean and 95% interval (Student's t), {seeds} seeds. "
        f"Blue, above: the low end of its range; yellow, below: the high end. All means are geometric. "
        f"{style.label(studied)} / others: to the right of ×1, it does worse against them than at the defaults."
    )
    style.footnote(figure, folded(said, 120))
    return figure


def sobol(table: pd.DataFrame, names: Sequence[str], studied: str, base: int) -> Figure:
    """Draw first-order and total indices, with luck as a parameter of its own."""
    rows = [*names, LUCK]
    outcome, target = panels(studied)[0]
    of = table[(table.outcome == outcome) & (table.target == target)].set_index("parameter")
    title = "Shares of the variance of single runs (Sobol')"
    if not of.empty:
        beyond = (of.total - of.total_half > of.total[LUCK] + of.total_half[LUCK])[list(names)].sum()
        title = f"Luck has a share in {of.total[LUCK]:.0%} of the variance of {style.meant(outcome)} in single runs; "
        title += f"{beyond} of {len(names)} numbers have more (Sobol')"
    figure, axes = style.sheet(1.7 + 0.32 * len(rows), folded(title, 86), 1, 4)
    for ax, (outcome, target) in zip(axes.flat, panels(studied)):
        of = table[(table.outcome == outcome) & (table.target == target)]
        panel_title(ax, outcome, target)
        ax.set_xlabel("share of the variance")
        ax.axvline(0, color=GREY, lw=0.8)
        if of.empty:
            continue
        of = of.set_index("parameter").loc[rows]
        floor = of.loc[LUCK]
        ax.axvspan(floor.total - floor.total_half, floor.total + floor.total_half, color=PALE, lw=0)
        for shift, kind, mark, colour in ((-0.15, "first", "o", LOW), (0.15, "total", "s", HIGH)):
            ax.errorbar(
                of[kind], np.arange(len(rows)) + shift, xerr=of[f"{kind}_half"], fmt=mark, ms=4, lw=1, color=colour
            )
        ax.set_xlim(max(-0.5, min(-0.05, (of["first"] - of["first_half"]).min())),
                    min(1.8, max(1.0, (of.total + of.total_half).max())))  # fmt: skip
        ax.xaxis.set_major_locator(MaxNLocator(3))
    rows_of(axes.flat, rows)
    said = (
        f"With 95% bootstrap intervals, {base} base points. Blue circle: by itself (first order); yellow square: "
        "total, with all interactions, luck among them. Luck: another seed. Grey: the total of luck. A changed "
        "parameter changes the luck of a chaotic war too: a total that does not pass the grey may be luck alone."
    )
    style.footnote(figure, folded(said, 120))
    return figure


def first(shares: pd.DataFrame, arms: Sequence[str], points: int, seeds: int) -> Figure:
    """Draw at which share of the places each model is first, between surely and perhaps."""
    outcomes = list(dict.fromkeys(shares.outcome))
    of = shares[shares.outcome == outcomes[0]].set_index("arm")
    best = of["first"].idxmax()
    title = f"On {style.meant(outcomes[0])}, {style.lowered(style.label(best))} ranks first most often, "
    title += f"at {of['first'][best]:.0%} of places in the parameter space, and surely at {of.surely[best]:.0%}"
    figure, axes = style.sheet(3.8, folded(title, 86), 1, len(outcomes))
    look = style.looks(arms)
    for ax, outcome in zip(axes.flat, outcomes):
        of = shares[shares.outcome == outcome].set_index("arm").loc[list(arms)]
        for i, (arm, row) in enumerate(of.iterrows()):
            colour = look[arm].colour
            ax.barh(i, row.perhaps - row.surely, 0.56, left=row.surely, color=colour, alpha=0.22, lw=0)
            ax.plot([row.first_low, row.first_high], [i, i], color=colour, lw=1.2)
            ax.plot(row["first"], i, marker=look[arm].mark, ms=5.5, color=colour)
        ax.set_xlim(-0.08, 1.08)
        ax.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
        ax.set_title(fill(style.meaning(outcome), 14), fontsize=SIZE["panel"], loc="left", color=INK)
    rows_of(axes.flat, arms)
    axes[0, 0].set_yticklabels([*map(style.label, arms)], fontsize=SIZE["small"])
    said = (
        f"Share of {points} points of a Latin hypercube over all parameters, {seeds} paired seeds each. Mark: best "
        "mean, with Wilson's 95%\ninterval. Bar: from surely first (better than every other beyond luck) to perhaps "
        "first (no other is better beyond luck)."
    )
    style.footnote(figure, said)
    return figure


def flip(stood: pd.DataFrame, plane: Sequence[str], studied: str, seeds: int) -> Figure:
    """Draw how the studied model ranks over a plane of two parameters, and which model is best."""
    outcomes, arms = list(dict.fromkeys(stood.outcome)), list(dict.fromkeys(stood.arm))
    mine = stood[(stood.arm == studied) & (stood.outcome == outcomes[0])]
    title = f"By conflation and contestation, the {style.lowered(style.label(studied))} model ranks "
    title += f"{mine['rank'].min()} to {mine['rank'].max()} of {len(arms)} on {style.meant(outcomes[0])}; "
    title += f"luck leaves it first at {(mine.best_rank == 1).sum()} of {len(mine)} places, last at "
    title += f"{(mine.worst_rank == len(arms)).sum()}"
    figure, axes = style.sheet(6.8, folded(title, 86), 2, 3)
    look, n = style.looks(arms), len(arms)
    shades = LinearSegmentedColormap.from_list("rank", [GOOD, "#f7f7f5", BAD])
    x, y = plane
    xs, ys = sorted(set(stood[x])), sorted(set(stood[y]))
    for ax, outcome in zip(axes.flat, outcomes):
        of = stood[stood.outcome == outcome]
        best = {(r[x], r[y]): r["arm"] for r in of[of["rank"] == 1].to_dict("records")}
        for row in of[of.arm == studied].to_dict("records"):
            i, j, first = xs.index(row[x]), ys.index(row[y]), best[row[x], row[y]]
            ground = shades((row["rank"] - 1) / (n - 1))
            ax.add_patch(Rectangle((i, j), 1, 1, facecolor=ground, edgecolor="white", lw=0.8))
            ax.plot(i + 0.5, j + 0.76, marker=look[first].mark, ms=4.5, color=look[first].colour, mec="white", mew=0.5)
            ax.text(i + 0.5, j + 0.28, f"{row['best_rank']}–{row['worst_rank']}", ha="center", va="center",
                    fontsize=SIZE["small"], color=INK)  # fmt: skip
        ax.set(xlim=(0, len(xs)), ylim=(0, len(ys)), aspect="equal")
        ax.set_xticks(np.arange(len(xs)) + 0.5, [f"{v:.2g}" for v in xs])
        ax.set_yticks(np.arange(len(ys)) + 0.5, [f"{v:.2g}" for v in ys])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(style.meaning(outcome), fontsize=SIZE["panel"], loc="left", color=INK)
    for ax in axes[:, 0]:
        ax.set_ylabel("contestation (share)")
    for ax in axes.flat[len(outcomes) - 3 : len(outcomes)]:
        ax.set_xlabel("conflation (share)")
    key = axes.flat[-1]
    style.bare(key)
    key.set_axis_off()
    for r in range(n):
        key.add_patch(Rectangle((r / n, 0.86), 1 / n, 0.07, facecolor=shades(r / (n - 1)), transform=key.transAxes))
        if r in (0, n - 1):
            key.text((r + 0.5) / n, 0.895, r + 1, ha="center", va="center", fontsize=SIZE["small"], color=INK,
                     transform=key.transAxes)  # fmt: skip
    key.text(0, 0.98, "Ground: its rank by the mean", fontsize=SIZE["small"], color=INK, transform=key.transAxes)
    said = f"Numbers: between which ranks luck\nlets it be ({seeds} paired seeds, 95%).\nMark: the best model."
    key.text(0, 0.82, said, fontsize=SIZE["small"], color=INK, va="top", transform=key.transAxes)
    for k, arm in enumerate(arms):
        key.plot(0.04, 0.56 - 0.075 * k, marker=look[arm].mark, ms=5.5, color=look[arm].colour, transform=key.transAxes)
        key.text(0.12, 0.56 - 0.075 * k, style.label(arm), fontsize=SIZE["small"], color=INK, va="center",
                 transform=key.transAxes)  # fmt: skip
    key.set(xlim=(0, 1), ylim=(0, 1))
    return figure
