"""Where people die and where missions are: the country under several mission models, in some months.

Things to try: the two separated arms side by side.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.comparison import findings
from experiments.comparison.figures import TITLE
from experiments.drawing.panels import folded, killed_bar, land
from experiments.drawing.statistics import require
from experiments.drawing.style import GREY, INK, PALETTE, SIZE, WIDTH, label, sheet, short_number

SMALLEST_BASE = 20  # peacekeepers
LARGEST_DOT = 110  # square points


def maps(
    maps: pd.DataFrame,
    arms: Sequence[str],
    dates: Sequence[str] | None = None,
    helmets: Mapping[str, str] | None = None,
    places: Mapping[str, tuple[int, int]] | None = None,
    cell_km: float | None = None,
) -> Figure:
    """Draw where civilians have been killed so far and where peacekeepers are: a row per arm, a column per date.

    Parameters
    ----------
    maps : DataFrame, one row per arm, month (as 2013-12) and cell: row (0 = south), col (0 = west), killed_so_far and
        peacekeepers_<mission>, means over seeds; what is outside the country has no row and stays blank
    arms : from top to bottom, up to four; dates : months, from left to right; none: all in the table
    helmets : dict, mission -> colour; places : dict, name -> (row, col) of towns to mark
    cell_km : width of a cell in km, for a scale

    Returns
    -------
    Figure. A dot is a base of at least 20 peacekeepers, averaged over seeds; its area is their number.
    """
    arms, dates = list(arms), sorted(maps["month"].unique()) if dates is None else list(dates)
    require(arms, maps["arm"])
    require(dates, maps["month"], kind="month")
    title = folded(findings.where(maps, arms), TITLE)
    shown = maps[maps["arm"].isin(arms) & maps["month"].isin(dates)]
    strengths = shown.filter(regex="^peacekeepers_").rename(columns=lambda c: c.removeprefix("peacekeepers_"))
    missions = list(strengths.columns[(strengths >= SMALLEST_BASE).any()])
    colours = {m: PALETTE[k % len(PALETTE)] for k, m in enumerate(missions)} | dict(helmets or {})
    most, strongest = max(10.0, float(shown["killed_so_far"].max())), strengths.max(axis=None)
    norm, shape = LogNorm(1, most), (int(maps["row"].max()) + 1, int(maps["col"].max()) + 1)
    height = (WIDTH - 1.6) / len(dates) * shape[0] / shape[1]
    figure, axes = sheet(1.15 + (height + 0.08) * len(arms), title, len(arms), len(dates), sharex=True, sharey=True)
    for axes_row, arm in zip(axes, arms):
        for ax, month in zip(axes_row, dates):
            cells = shown[(shown["arm"] == arm) & (shown["month"] == month)]
            land(ax, cells, "killed_so_far", norm, shape)
            _bases(ax, cells, missions, colours, strongest)
            for row, col in (places or {}).values():
                ax.plot(col, row, "*", color=INK, ms=7, mec="white", mew=0.6, zorder=6)
        axes_row[0].set_ylabel(folded(label(arm), 14), fontweight="bold")
    for ax, month in zip(axes[0], dates):
        ax.set_title(f"{pd.Timestamp(month):%B %Y}", fontsize=SIZE["panel"], color=INK)
    if cell_km:
        _scale(axes[-1, 0], 200 / cell_km)
    ticks, high = [t for k in range(6) for t in (10**k, 3 * 10**k) if t <= most], 0.6 if len(arms) > 2 else 0.9
    said = "civilians killed so far\nin a cell (mean over seeds)"
    killed_bar(figure, norm, ticks, said, ax=axes, shrink=high, pad=0.01)
    handles = _map_legend(missions, colours, strongest, places)
    if handles:
        title_of_dots = f"Bases of {SMALLEST_BASE} peacekeepers or more (mean over seeds), their area by strength"
        figure.legend(
            handles=handles, loc="outside lower left", ncols=4, fontsize=SIZE["small"], frameon=False,
            title=title_of_dots, title_fontsize=SIZE["small"], alignment="left", handletextpad=0.2, columnspacing=1.2,
        )  # fmt: skip
    return figure


def _bases(ax, cells, missions, colours, strongest):
    """Draw the bases of all missions, the small on top of the large, so that none is hidden."""
    dots = [
        (strength, col, row, colours[m])
        for m in missions
        for strength, col, row in zip(cells[f"peacekeepers_{m}"], cells["col"], cells["row"])
        if strength >= SMALLEST_BASE
    ]
    if dots:
        strength, col, row, colour = zip(*sorted(dots, reverse=True))
        ax.scatter(
            col, row, _areas(np.array(strength), strongest), colour, edgecolors="white", linewidths=0.4, zorder=5
        )


def _areas(strength, strongest):
    """Return the areas of dots, in square points."""
    return LARGEST_DOT * strength / max(strongest, 1)


def _scale(ax, cells):
    """Draw a line of 200 km below a map."""
    ax.plot([0, cells], [-0.03, -0.03], color=INK, lw=1.5, transform=ax.get_xaxis_transform(), clip_on=False)
    ax.set_xlabel("200 km", loc="left", fontsize=SIZE["small"], labelpad=7)


def _map_legend(missions, colours, strongest, places):
    """Return what explains colours (missions of one colour share an entry), sizes and stars."""
    dot = {"ls": "", "marker": "o", "mec": "white"}
    names = {c: ", ".join(label(m) for m in missions if colours[m] == c) for c in (colours[m] for m in missions)}
    handles = [Line2D([], [], color=c, ms=7, label=f"base: {said}", **dot) for c, said in names.items()]
    sizes = [s for s in (50, 100, 200, 500, 1000, 2000, 5000) if s <= strongest] if missions else []
    handles += [
        Line2D([], [], color=GREY, ms=np.sqrt(_areas(s, strongest)), label=f"{short_number(s)} peacekeepers", **dot)
        for s in sizes[-2:]
    ]
    return handles + [Line2D([], [], ls="", marker="*", color=INK, ms=8, label=name) for name in places or {}]
