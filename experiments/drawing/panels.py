"""What figures share: axes of years and of counts, names in sentences, marks of when missions came."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from experiments.drawing.style import GREY, INK, PALE, SIZE, label, lowered, short_number

BANDS = ((0.05, 0.95), (0.25, 0.75))  # of seeds
# Shades of grey, so that the helmets are the only colours on a map.
DEATHS = ListedColormap(colormaps["Greys"](np.linspace(0.28, 1, 256))).with_extremes(under=PALE, bad="#ffffff00")
HALO = [withStroke(linewidth=2, foreground="white")]
ROOM_OF_A_LETTER = 0.0095  # of the width of a panel as wide as the figure


def years(months: Iterable[str]) -> NDArray[np.float64]:
    """Return months, as 2013-12, as decimal years: the middle of the month."""
    months = pd.Series(list(months), dtype=str)
    return (months.str[:4].astype(int) + (months.str[5:7].astype(int) - 0.5) / 12).to_numpy()


def year_axis(ax: Axes, x: NDArray[np.float64], few: bool = False) -> None:
    """Set the limits and whole years as ticks of an axis of decimal years."""
    first, last = int(np.floor(x.min())), int(np.ceil(x.max()))
    step = max(1, round((last - first) / (2.5 if few else 8)))
    ax.set_xlim(first, last)
    ax.xaxis.set_major_locator(FixedLocator(list(range(first, last, step))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))


def folded(text: str, width: int) -> str:
    """Break a text into lines of about so many letters, at its spaces."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= width or not lines[-1] else [*lines, word]
    return "\n".join(lines)


def spoken(name: str) -> str:
    """Return a label as it stands within a sentence: no mission, UN only."""
    return lowered(label(name))


def plain(value: float, _: object = None) -> str:
    """Return the label of a tick: no needless zeros, a true minus sign."""
    return f"{value:,g}".replace("-", "−")


def counts_axis(ax: Axes, largest: float) -> None:
    """Make an axis on which a quiet month and a massacre can both be read: linear to 10, logarithmic above."""
    ax.set_yscale("symlog", linthresh=10, linscale=0.6)
    ticks = [0, *(10**k for k in range(1, 7) if 10**k <= 1.5 * largest)]
    ax.set_yticks(ticks, [short_number(t) for t in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(top=1.6 * max(largest, 10))


def land(ax: Axes, cells: pd.DataFrame, killed: str, norm: LogNorm, shape: tuple[int, int]) -> None:
    """Draw the cells that exist (row, col), coloured by a column of how many were killed in them."""
    grid = np.full(shape, np.nan)
    grid[cells["row"], cells["col"]] = np.maximum(cells[killed], 1e-3)
    ax.imshow(grid, origin="lower", cmap=DEATHS, norm=norm, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def killed_bar(figure: Figure, norm: LogNorm, ticks: Sequence[int], said: str, **where: Any) -> None:
    """Draw beside a map, or below, how many dead its colours are."""
    bar = figure.colorbar(ScalarMappable(norm, DEATHS), extend="min", aspect=30, **where)
    bar.set_label(said, fontsize=SIZE["label"], color=INK)
    bar.minorlocator = NullLocator()
    bar.set_ticks(ticks, labels=[plain(t) for t in ticks])
    bar.ax.tick_params(labelsize=SIZE["tick"])


def deployment_marks(axes: Sequence[Axes] | NDArray[Any], deployments: Mapping[str, str]) -> None:
    """Mark when missions came, their names above the first panel, on as many lines as they need."""
    first, last = axes[0].get_xlim()
    drawn = sorted({m for m in deployments.values() if first <= years([m])[0] <= last})
    names = {m: ", ".join(n for n, month in deployments.items() if month == m) for m in drawn}
    letter = ROOM_OF_A_LETTER * (last - first)
    ends = [first + letter * len(axes[0].get_title(loc="left"))]  # where each line of text ends, in decimal years
    for month, name in names.items():
        x = years([month])[0] - 0.5 / 12  # the beginning of the month
        for ax in axes:
            ax.axvline(x, color=GREY, lw=0.8, ls="--", zorder=0)
        line = next((k for k, end in enumerate(ends) if end <= x), len(ends))
        ends = [*ends[:line], x + letter * (len(name) + 2), *ends[line + 1 :]]
        axes[0].annotate(
            name, (x, 1), (0, 5 + 12 * line), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=SIZE["small"], color=GREY, annotation_clip=False,
        )  # fmt: skip
