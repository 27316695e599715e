"""Figures that hold the simulation against what was observed; each takes tables and returns a Figure.

Question: what did the observed past teach, and did it help with what came after?

Things to notice: `parameters` and `targets` show the past that was used, `months`, `origins` and `where` the years that
were not. Bands are over single histories, each with parameters of its own: seed and parameter uncertainty together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from experiments.drawing import panels, style
from experiments.drawing.panels import BANDS, HALO, folded, plain, spoken, year_axis, years
from experiments.drawing.statistics import require
from experiments.drawing.style import FLOWS, GREY, INK, PALETTE, SIZE
from experiments.history.hindcast import FORECASTS, NEAR, NEAREST, SIMULATION, Observed, in_the_run

BLUE, ORANGE, GREEN = PALETTE[0], PALETTE[2], PALETTE[1]
FARTHEST = 6  # units of nearness shown
A_LINE = {"lw": 1.1, "marker": ".", "ms": 3.5}  # of observed months
ALONE = {"lw": 0, "marker": "D", "ms": 5.5, "mec": "white"}  # where only some are known
OBSERVED = {"civilians_killed": "civilians_killed", "brd": "battle_deaths", "idps": "idps", "refugees": "refugees"}


def _two(value):
    """Return a number with two meaningful digits: 0.00014, 2.4, 250."""
    return f"{float(f'{value:.2g}'):,.10f}".rstrip("0").rstrip(".")


def _placed(prior, value):
    """Return where values lie within the range of a prior: 0..1, on its own scale."""
    scale = np.log if prior["log"] else np.asarray
    low, high = scale(prior["low"]), scale(prior["high"])
    return (scale(value) - low) / (high - low)


def parameters(
    priors: Mapping[str, Mapping[str, Any]], draws: pd.DataFrame, default: Mapping[str, float], begins: str
) -> Figure:
    """Draw what calibration says of each parameter: 50% and 90% of the draws within the prior's range."""
    names = list(priors)
    left = {n: (np.diff(_placed(p, draws[n].quantile(BANDS[0]))) / np.diff(BANDS[0]))[0] for n, p in priors.items()}
    most = min(left, key=left.__getitem__)
    title = f"The months before {begins} leave {left[most]:.0%} of what was thought possible of {most}, and more of "
    title += f"the {len(names) - 1} other parameters"
    figure, axes = style.sheet(0.9 + 0.3 * len(names), folded(title, 86))
    ax = axes[0, 0]
    for y, (name, p) in enumerate(priors.items()):
        ax.plot([0, 1], [y, y], color="#dddddd", lw=7, solid_capstyle="butt", zorder=1)
        for (a, b), width in zip(BANDS, (2.5, 7)):
            ends = _placed(p, draws[name].quantile([a, b]))
            ax.plot(ends, [y, y], color=BLUE, lw=width, alpha=0.75, solid_capstyle="butt", zorder=2)
        ax.plot(_placed(p, draws[name].median()), y, "o", color="white", mec=BLUE, ms=5, zorder=4)
        ax.plot(_placed(p, default[name]), y, "D", color=ORANGE, mec="white", ms=6, zorder=3)
        for x, value, side in ((-0.01, p["low"], "right"), (1.01, p["high"], "left")):
            ax.text(x, y, f"{value:g}", ha=side, va="center", fontsize=7, color=GREY)
        said = draws[name].quantile([0.05, 0.5, 0.95])
        said = f"{_two(said[0.5])} [{_two(said[0.05])}, {_two(said[0.95])}]"
        ax.text(1.12, y, said, va="center", fontsize=SIZE["small"], color=INK)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.9)
    ax.set_xlim(-0.1, 1.46)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.text(1.12, -0.75, "median [90%]", fontsize=SIZE["small"], color=GREY)
    handles = [
        Line2D([], [], color="#dddddd", lw=7, label="prior"), Line2D([], [], color=BLUE, lw=2.5, label="90% of draws"),
        Line2D([], [], color=BLUE, lw=7, label="50%"),
        Line2D([], [], color=BLUE, marker="o", mfc="white", ls="", label="median"),
        Line2D([], [], color=ORANGE, marker="D", mec="white", ls="", label="default"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=5, fontsize=SIZE["small"], frameon=False)
    return figure


def targets(table: pd.DataFrame, begins: str) -> Figure:
    """Draw how far off each target is, in units of nearness, before and after calibration.

    Parameters
    ----------
    table : DataFrame of calibration.targets_table; begins : str, the first month that was not fitted, in words
    """
    near = {kind: (table[f"{kind}_off_median"].abs() <= 1).sum() for kind in ("default", "fresh")}
    title = f"Of {len(table)} targets before {begins}, the median run is within one unit of {near['fresh']}; "
    title += f"with default parameters, of {near['default']}"
    figure, axes = style.sheet(1.3 + 0.28 * len(table), folded(title, 86))
    ax = axes[0, 0]
    ax.axvline(0, color=INK, lw=1)
    ax.axvspan(-1, 1, color="#eeeeee", lw=0, zorder=0)
    for y, row in enumerate(table.to_dict("records")):
        for kind, colour, shift, mark in (("default", ORANGE, -0.16, "D"), ("fresh", BLUE, 0.16, "o")):
            off = [row[f"{kind}_off_{q}"] for q in ("low", "median", "high")]
            shown = np.clip(off, -FARTHEST, FARTHEST)
            ax.plot(shown[[0, 2]], [y + shift] * 2, color=colour, lw=2, solid_capstyle="butt")
            ax.plot(shown[1], y + shift, mark, color=colour, mec="white", ms=6)
        how = "" if row["near_met"] else "  off" if row["met"] else "  not met"
        said = f"{style.short_number(row['observed'])} | {style.short_number(row['median'])}{how}"
        ax.text(FARTHEST + 0.4, y, said, va="center", fontsize=SIZE["small"], color=INK if row["near_met"] else ORANGE)
    ax.set_yticks(range(len(table)), table["meaning"])
    ax.set_ylim(len(table) - 0.4, -1.1)
    ax.set_xlim(-FARTHEST - 0.2, FARTHEST + 4.1)
    ticks = range(-FARTHEST, FARTHEST + 1, 2)
    ax.set_xticks(ticks, [*map(plain, ticks)])
    ax.set_xlabel("off by so many units of nearness (counts, sizes, ratios: on a log scale)", loc="left")
    ax.text(FARTHEST + 0.4, -0.8, "observed | simulated", fontsize=SIZE["small"], color=GREY)
    handles = [
        Line2D([], [], color=ORANGE, marker="D", mec="white", lw=2, label="default parameters"),
        Line2D([], [], color=BLUE, marker="o", mec="white", lw=2, label="calibrated, with new luck"),
    ]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=2, fontsize=SIZE["small"], frameon=False, alignment="left",
        title=f"Marks: medians; lines: 90% of runs, cut at {FARTHEST}. Grey: one unit. Off: the line holds the "
        "observed value, but the\nmedian is further than a unit away.",
        title_fontsize=SIZE["small"],
    )  # fmt: skip
    return figure


def _months_panel(ax, title, said, x, bands, median, colour, points, **dots):
    """Draw the months of many runs, in two bands, wide and narrow, their median, and what was observed."""
    for (low, high), light in zip(bands, (0.18, 0.32)):
        ax.fill_between(x, low, high, color=colour, alpha=light, lw=0)
    ax.plot(x, median, color=colour, lw=1.5)
    ax.plot(*points, color=INK, **(dots or A_LINE))
    ax.set_title(title, loc="left", fontsize=SIZE["panel"], color=INK)
    ax.set_ylabel(said)


def _months_explained(figure, axes, months, deployments, colour, labels, one_more, **said):
    """Say below panels of months which years they are and what is drawn, and above them when missions came."""
    year_axis(axes[0], years(months))
    axes[-1].set_xlabel("year")
    panels.deployment_marks(axes, deployments or {})
    median, half, most, known = labels
    handles = [
        Line2D([], [], color=colour, lw=1.5, label=median), Patch(color=colour, alpha=0.45, lw=0, label=half),
        Patch(color=colour, alpha=0.18, lw=0, label=most), Line2D([], [], color=INK, marker=".", lw=1.1, label=known),
        one_more,
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=5, fontsize=SIZE["small"], frameon=False, **said)


def months(
    table: pd.DataFrame,
    past: Mapping[str, float],
    seen: Observed,
    calibrated: bool,
    deployments: Mapping[str, str] | None = None,
) -> Figure:
    """Draw simulated months against observed ones, a panel per measure, with the naive mean.

    Parameters
    ----------
    table : DataFrame of hindcast.months_table over all months, with those of the past that was fitted
    past : dict, measure -> last year's mean; seen : hindcast.Observed; calibrated : are parameters drawn by run
    deployments : dict, label -> month of beginning
    """
    measures = list(dict.fromkeys(table["measure"]))
    later = table[table["month"] >= seen.first].groupby("measure")["in90"].mean()
    held = " to ".join(dict.fromkeys(f"{share:.0%}" for share in (later.min(), later.max())))
    title = f"{seen.title}: {held} of the months from {seen.begins} on lie where 90% of runs do"
    figure, axes = style.sheet(2.3 * len(measures) + 0.8, folded(title, 86), len(measures), 1, sharex=True)
    axes = axes[:, 0]
    for ax, measure in zip(axes, measures):
        t = table[table["measure"] == measure]
        x = years(t["month"])
        held = t["month"] >= seen.first
        largest = max(t["high90"].max(), t["observed"].max())
        inside = t[held]
        cover = f"50% band holds {inside.in50.mean():.0%} of months, 90% band {inside.in90.mean():.0%}"
        title, said = f"{measure.capitalize()}: {cover}", f"{'events' if measure == 'events' else 'people'} a month"
        bands = (t["low90"], t["high90"]), (t["low50"], t["high50"])
        _months_panel(ax, title, said, x, bands, t["median"], BLUE, (x, t["observed"]))
        naive = past[measure]
        ax.plot([x[held].min(), x.max()], [naive, naive], color=ORANGE, lw=1.3, ls="--")
        panels.counts_axis(ax, largest)
        ax.set_ylim(bottom=0)
        ax.axvspan(x.min() - 0.05, years([seen.first])[0] - 0.5 / 12, color="#ecece6", lw=0, zorder=-2)
    began = years([seen.first])[0] - 0.5 / 12
    marks = (("fitted", "right", -4), ("not fitted", "left", 4))
    for said, side, shift in marks if calibrated else ():
        axes[-1].annotate(
            said, (began, 0.9), (shift, 0), xycoords=("data", "axes fraction"), textcoords="offset points", ha=side,
            fontsize=SIZE["small"], color=GREY, path_effects=HALO,
        )  # fmt: skip
    known = f"observed ({seen.source})" if seen.source else "observed"
    naive = Line2D([], [], color=ORANGE, ls="--", lw=1.3, label="last year's mean")
    said = f"Each run has its own {'calibrated parameters and ' if calibrated else ''}luck. Scales: even up to 10, "
    _months_explained(
        figure, axes, table["month"].unique(), deployments, BLUE, ("simulated, median", "50% of runs", "90%", known),
        naive, title=f"{said}logarithmic above.", title_fontsize=SIZE["small"], alignment="left",
    )  # fmt: skip
    return figure


def _nearer(summed, measures):
    """Say in which measures the simulation is on average nearer than every table."""
    means = {m: summed.loc[m]["mean"] for m in measures}
    won = [m.lower() for m, mean in means.items() if mean[SIMULATION] < mean[list(FORECASTS)].min()]
    return "no measure" if not won else "every measure" if len(won) == len(measures) else ", ".join(won)


def origins(table: pd.DataFrame, scores: pd.DataFrame, seen: Observed, calibrated: bool) -> Figure:
    """Draw how near forecasts of a year came, from every origin: a row of panels a measure.

    Parameters
    ----------
    table, scores : DataFrames of hindcast.origins_table and hindcast.scores
    seen : hindcast.Observed; calibrated : are parameters drawn by run
    """
    measures, n = list(dict.fromkeys(table["measure"])), table["origin"].nunique()
    by_scale = {scale: some.set_index(["measure", "forecast"]) for scale, some in scores.groupby("scale")}
    summed = by_scale["log"]
    often = sorted({int(summed.best[m, SIMULATION]) for m in measures})
    title = (
        f"A year ahead, on a log scale, the simulation is on average nearer than each of five tables in "
        f"{_nearer(summed, measures)}, and nearer than all at once from "
        f"{' to '.join(map(str, dict.fromkeys((often[0], often[-1]))))} of {n} origins"
    )
    figure, axes = style.sheet(2.1 * len(measures) + 1.2, folded(title, 86), len(measures), 2, width_ratios=(1.5, 1))
    looks_of = {SIMULATION: (BLUE, "-", "o"), NEAREST: (GREEN, "--", "s")}
    for (over, bars), measure in zip(axes, measures):
        wide = table[table["measure"] == measure].pivot(index="origin", columns="forecast", values="crps_log")
        x, tables = years(wide.index), wide[list(FORECASTS)]
        over.fill_between(x, tables.min(axis=1), tables.max(axis=1), color=GREY, alpha=0.25, lw=0)
        for name, (colour, line, mark) in looks_of.items():
            over.plot(x, wide[name], color=colour, ls=line, marker=mark, ms=3.5, lw=1.5)
        over.set_ylim(bottom=0)
        year_axis(over, x)
        over.set_xlim(x.min() - 0.15, x.max() + 0.15)
        over.set_title(measure.capitalize(), loc="left", fontsize=SIZE["panel"], color=INK)
        over.set_ylabel("mean CRPS of log(1 + x)")
        found = summed.loc[measure]
        for y, name in enumerate(names := [*looks_of, *FORECASTS]):
            colour = looks_of[name][0] if name in looks_of else GREY
            bars.barh(y, found["mean"][name], color=colour, alpha=1 if name in looks_of else 0.6, height=0.65)
            said = f" {found['mean'][name]:.2f}, best in {found.best[name]}"
            bars.text(found["mean"][name], y, said, va="center", fontsize=SIZE["small"], color=INK)
        bars.set_yticks(range(len(names)), names)
        bars.set_ylim(len(names) - 0.4, -0.6)
        bars.set_xlim(0, 1.6 * found["mean"].max() or 1)
        bars.xaxis.set_major_locator(MaxNLocator(4))
    axes[-1, 0].set_xlabel("origin of the forecast")
    axes[-1, 1].set_xlabel("mean over origins, lower is nearer")
    fitted = f", and its runs were fitted until {seen.known_until}" if calibrated else ""
    about = (
        f"{seen.title}. Each forecast is of the 12 months from its origin on, every third month from {seen.begins}: "
        "the years overlap. A table (grey; left, all five) knows what was observed until the origin. The simulation "
        f"knows nothing of it{fitted}; its nearest runs are the {NEAR:.0%} that were nearest in the year before the "
        "origin. Best: nearer than every table (of a table: than the four others). In counts, where the worst months "
        f"weigh most, the simulation is on average nearer than each table in {_nearer(by_scale['count'], measures)}."
    )
    style.footnote(figure, folded(about, 125))
    return figure


def where(table: pd.DataFrame, maps: pd.DataFrame, seen: Observed, arm: str, correlations: pd.DataFrame) -> Figure:
    """Draw where civilians were killed: observed by admin1, simulated by admin1, simulated by cell.

    Parameters
    ----------
    table : DataFrame of hindcast.where_table
    maps : DataFrame: arm, month, row, col, killed_so_far; seen : hindcast.Observed
    correlations : DataFrame of hindcast.where_scores
    """
    of, cells, each = table.set_index("admin1"), seen.cells, seen.division
    size = cells.groupby("admin1")["row"].size()
    shape = (int(cells["row"].max()) + 1, int(cells["col"].max()) + 1)
    mine = maps[maps["arm"] == arm]
    ends = [
        mine[mine["month"] == m].set_index(["row", "col"])["killed_so_far"]
        for m in (mine["month"].min(), mine["month"].max())
    ]
    by_cell = (ends[1] - ends[0]).rename("killed").reset_index()
    three = (
        (f"Observed, by {each}", cells.assign(killed=cells["admin1"].map(of["killed_after"] / size))),
        (f"Simulated, by {each}", cells.assign(killed=cells["admin1"].map(of["simulated"] / size))),
        ("Simulated, by cell", by_cell),
    )
    most = max(p["killed"].max() for _, p in three)
    norm = LogNorm(0.3, max(most, 10))
    title = f"Where civilians were killed, {seen.begins} to {mine['month'].max()[:4]}: "
    best = correlations.loc[correlations["rank_correlation"].idxmax(), "forecast"]
    title += f"{each}s are put in order best by {best}"
    figure, axes = style.sheet(5.6, folded(title, 86), 2, 2, height_ratios=(1, 1))
    for ax, (title, panel) in zip(axes.flat, three):
        panels.land(ax, panel, "killed", norm, shape)
        ax.set_title(title, fontsize=SIZE["panel"], color=INK)
    said = f"civilians killed per cell of {seen.country.cell_km:g} km (mean)"
    ticks = [t for t in (1, 10, 100, 1000) if t <= most]
    panels.killed_bar(figure, norm, ticks, said, ax=axes[1, 0], location="bottom", shrink=0.7, pad=0.02)
    ax = axes[1, 1]
    ax.plot([1, 5_000], [1, 5_000], color=GREY, lw=0.8)
    x, y = np.maximum(table["killed_after"], 1), np.maximum(table["simulated"], 1)
    ax.loglog(x, y, "o", color=BLUE, mec="white", ms=6)
    for name, a, b in zip(table["admin1"], x, y):
        if abs(np.log10(b / a)) > 1 or a > 800:
            ax.annotate(name, (a, b), (4, 3), textcoords="offset points", fontsize=7, color=INK)
    ax.set_xlabel("observed, people")
    ax.set_ylabel("simulated mean")
    said = "; ".join(f"{r.forecast} {style.short_number(r.rank_correlation)}" for r in correlations.itertuples())
    ax.set_title(f"{each.capitalize()}s (at least 1 shown)", fontsize=SIZE["panel"], color=INK)
    style.footnote(figure, folded(f"Rank correlation with what was observed over {each}s: {said}.", 120))
    return figure


def counterfactuals(
    table: pd.DataFrame, baseline: str, seen: Observed, until: str, calibrated: bool, same_past: bool
) -> Figure:
    """Draw what each arm changes, from the first month on: a row per arm, a panel per measure.

    Parameters
    ----------
    table : DataFrame of hindcast.counterfactuals; baseline : name of the arm at 1; seen : hindcast.Observed
    until : last month, as YYYY-MM; calibrated : has each pair parameters of its own; same_past : have arms one past
    """
    measures, arms = list(dict.fromkeys(table["measure"])), list(dict.fromkeys(table["arm"]))
    fewer = table.loc[table["measure"] == measures[0], "below"]
    share = " to ".join(dict.fromkeys(f"{v:.0%}" for v in (fewer.min(), fewer.max())))
    title = (
        f"{seen.title}, {seen.begins} to {until[:4]}: in {share} of pairs, by model, {measures[0]} are fewer than with "
    )
    title += spoken(baseline)
    figure, axes = style.sheet(1.9 + 0.62 * len(arms), folded(title, 86), 2, 2, sharey=True)
    look = style.looks(arms)
    for ax, measure in zip(axes.flat, measures):
        t = table[table["measure"] == measure].set_index("arm")
        ax.axvline(1, color=GREY, lw=0.8, zorder=0)
        for y, arm in enumerate(arms):
            row, colour = t.loc[arm], look[arm].colour
            for ends, width, strong in ((("low90", "high90"), 1.4, 0.6), (("low50", "high50"), 5, 0.45)):
                ax.plot(row[list(ends)], [y, y], color=colour, lw=width, alpha=strong, solid_capstyle="butt")
            ax.plot(row["median"], y, look[arm].mark, color=colour, mec="white", ms=6, zorder=3)
            ax.annotate(f"{row['below']:.0%}", (1.02, y), xycoords=("axes fraction", "data"), va="center",
                        fontsize=SIZE["small"], color=INK)  # fmt: skip
        ax.set_xscale("log")
        ends = t[["low90", "high90"]].to_numpy()
        ax.set_xlim(max(0.05, 0.9 * ends.min()), min(20, 1.1 * ends.max()))
        shortest, longest = ax.get_xlim()
        sparse, dense = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20), (0.4, 0.6, 0.8, 1, 1.25, 1.5)
        ticks = [v for v in (sparse if longest / shortest > 3 else dense) if shortest <= v <= longest]
        ax.set_xticks(ticks, [f"{v:g}" for v in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_title(measure.capitalize(), loc="left", fontsize=SIZE["panel"], color=INK)
        ax.annotate("below", (1.02, -0.75), xycoords=("axes fraction", "data"), va="center", fontsize=SIZE["small"],
                    color=GREY)  # fmt: skip
        ax.set_xlabel(f"ratio to {spoken(baseline)}")
    axes[0, 0].set_yticks(range(len(arms)), [style.label(a) for a in arms])
    axes[0, 0].set_ylim(len(arms) - 0.5, -1)
    style.footnote(
        figure,
        f"{table['pairs'].iloc[0]} pairs, each with {'calibrated parameters and ' if calibrated else ''}luck of its own"
        f"{', and the accepted past with its luck in all arms' if same_past else ''}. Marks: medians;\n"
        "thick: middle 50% of pairs; thin: 90%. Below: share of pairs in which the arm has "
        "fewer. Not a forecast.",
    )
    return figure


def observed(
    monthly: pd.DataFrame,
    observed: pd.DataFrame,
    deployments: Mapping[str, str] | None = None,
    arm: str | None = None,
) -> Figure:
    """Draw simulated months and observed ones: civilians killed, battle deaths, displaced, refugees.

    Parameters
    ----------
    monthly : DataFrame: arm, seed, month (as 2013-12), civilians_killed, brd, idps, refugees
    observed : DataFrame: month, civilians_killed, battle_deaths, idps, refugees; nan where nothing is known
    deployments : dict, label -> month of its beginning; arm : needed where the table has more than one

    Returns
    -------
    Figure. Lines are medians of the simulated months, bands hold 50% and 90% of the seeds: how single histories
    differ, not how well a mean is known. Black is what was observed.
    """
    require([arm] if arm else [], monthly["arm"])
    monthly = monthly[monthly["arm"] == arm] if arm else monthly
    if monthly["arm"].nunique() != 1:
        raise ValueError(f"Say which arm is to be drawn: the table has {', '.join(monthly['arm'].unique())}")
    months = sorted(monthly["month"].unique())
    seen = in_the_run(observed, months)
    figure, axes = style.sheet(7.6, folded(_held(monthly, seen), 86), len(OBSERVED), 1, sharex=True)
    axes = axes[:, 0]
    colour = style.looks(monthly["arm"].unique())[monthly["arm"].iloc[0]].colour
    for ax, (simulated, known) in zip(axes, OBSERVED.items()):
        values = monthly.pivot(index="month", columns="seed", values=simulated).sort_index()
        flow = simulated in FLOWS
        largest = max(values.quantile(BANDS[0][1], axis=1).max(), seen[known].max())
        by, said = (1.0, "people") if flow else style.scaled_unit(style.unit(simulated), largest)
        bands = [[values.quantile(end, axis=1) / by for end in band] for band in BANDS]
        points = seen if flow else seen.dropna(subset=known)  # a line is broken where nothing is known
        title = style.meaning(simulated) + (" (scale even up to 10, logarithmic above)" if flow else "")
        _months_panel(
            ax, title, folded(f"{said} a month" if flow else said, 12), years(values.index), bands,
            values.median(axis=1) / by, colour, (years(points["month"]), points[known] / by), **({} if flow else ALONE),
        )  # fmt: skip
        if flow:
            panels.counts_axis(ax, largest)
        else:
            ax.yaxis.set_major_locator(MaxNLocator(4))
            ax.yaxis.set_major_formatter(FuncFormatter(plain))
        ax.set_ylim(bottom=0)
    labels = "simulated, median month", "50% of seeds", f"90% of {monthly['seed'].nunique()} seeds", "observed"
    alone = Line2D([], [], color=INK, label="observed, in some months", **ALONE)
    _months_explained(figure, axes, months, deployments, colour, labels, alone)
    return figure


def _held(monthly, seen):
    """Say in a sentence how many of the observed months lie where most of the runs do."""
    outcome = "civilians_killed"
    known = seen.set_index("month")[outcome].dropna()
    low, high = (monthly.groupby("month")[outcome].quantile(q).reindex(known.index) for q in BANDS[0])
    if known.empty:
        return f"What the simulation makes of it: of {style.meant(outcome)} nothing is known in these months"
    inside = f"{((low <= known) & (known <= high)).mean():.0%}"
    return f"{style.meaning(outcome)}: {inside} of {len(known)} observed months lie where 90% of the runs do"
