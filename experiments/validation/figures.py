"""The scorecard as figures: rows that can fail, each with its ablation; and the panel that is only reported."""

import itertools
import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from experiments.drawing import style
from experiments.drawing.estimates import FAIL, OPEN, PASS, REPORT, number
from experiments.drawing.style import GREY, INK, PALE, SIZE
from experiments.validation import patterns

COLOURS = {PASS: "#0072b2", FAIL: "#d55e00", OPEN: "#b37800", REPORT: GREY}
MARKS = {PASS: "o", FAIL: "X", OPEN: "s", REPORT: "o"}
SHORT = {OPEN: "open"}
LOW, HIGH = 0.05, 20  # of the axis of ratios; what lies beyond is drawn as an arrow
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
LEFT, WIDE = 0.45, 0.36  # of the axis, as shares of the width
HIGH_ROW = 0.3  # inches
NATURAL = ("T2 curve", "R4", "R5", "Failure")  # reported rows that are no ratios and fit an axis from -1 to 1
SIDE, PLAUSIBLE = "#eef5ee", "#c5ddc5"


def gates(table: pd.DataFrame) -> Figure:
    """Draw the rows that can fail: ratios above, the shape of violence in its own units below.

    Parameters
    ----------
    table : data frame of scorecard.judge

    Returns
    -------
    Figure
    """
    can = table[table.verdict != REPORT]
    ratios = can[(can.unit == "ratio") & np.isfinite(can.estimate)]
    shapes = can[(can.unit != "ratio") & np.isfinite(can.estimate_low)]
    count = can.verdict.value_counts()
    said = ", ".join(f"{count[v]} {v}" for v in (PASS, FAIL, OPEN) if v in count)
    below = ("Estimate and 95% interval of each test. Hollow: the same test with its mechanism off, or a wrong\n"
             "parameter; under the verdict, what becomes of the row then.")  # fmt: skip
    return _figure(f"Validation scorecard: {said}", below,
                   [(_ratios, ratios, "ratio (log scale); 1 is no effect"),
                    (_natural, shapes, "share, probability or burstiness of months, without a mission")])  # fmt: skip


def panel(table: pd.DataFrame) -> Figure:
    """Draw the rows that are only reported, and R1 as curves over conflation: a figure."""
    told = table[(table.verdict == REPORT) & np.isfinite(table.estimate)]
    spill = told.test.str.startswith("R1 ")
    curves = {key: told[told.test.isin([f"R1 {key} {s:g}" for s in patterns.SPILL])] for key in patterns.CONFLATED}
    below = ("Estimate and 95% interval. Hollow: with the mechanism off. Signs and sizes of the literature are\n"
             "shaded; none of these rows can fail the model.")  # fmt: skip
    return _figure("Reported, never a gate", below,
                   [(_ratios, told[(told.unit == "ratio") & ~spill], "ratio (log scale); 1 is no effect"),
                    (_natural, told[told.test.isin(NATURAL)], "slope, difference of slopes, or share")],
                   {key: rows for key, rows in curves.items() if len(rows) == len(patterns.SPILL)})  # fmt: skip


def _figure(title, below, parts, curves=None):
    parts = [part for part in parts if len(part[1])]
    inches = [HIGH_ROW * (len(rows) + 0.4) for _, rows, _ in parts]
    height = 1.0 + sum(inches) + 0.55 * len(parts) + (3.1 if curves else 0.45)
    figure = Figure(figsize=(style.WIDTH, height))
    top = height - 0.85
    for (draw, rows, xlabel), high in zip(parts, inches, strict=True):
        ax = figure.add_axes([LEFT, (top - high) / height, WIDE, high / height])
        style.bare(ax)
        ax.spines["left"].set_visible(False)
        draw(ax)
        ax.set(ylim=(len(rows) - 0.3, -0.7), yticks=[])
        ax.set_xlabel(xlabel, size=SIZE["small"])
        ax.grid(axis="x", color=PALE, lw=0.6, zorder=0)
        for at, (_, r) in enumerate(rows.iterrows()):
            _row(ax, r, at)
        top -= high + 0.55
    if curves:
        _curves(figure, curves, height)
    figure.text(0.01, 1 - 0.2 / height, title, size=SIZE["title"], color=INK, va="center", weight="bold")
    figure.text(0.01, 1 - 0.36 / height, below, size=SIZE["small"], color=GREY, va="top")
    verdicts = {v for _, rows, _ in parts for v in rows.verdict}
    figure.legend(handles=_legend(verdicts), loc="lower left", bbox_to_anchor=(0.0, 0.0), ncols=4, frameon=False,
                  fontsize=SIZE["small"], handletextpad=0.5, columnspacing=1.2)  # fmt: skip
    return figure


def _ratios(ax):
    ax.set(xscale="log", xlim=(LOW, HIGH))
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.axvline(1, color=GREY, lw=0.8, zorder=1)


def _natural(ax):
    ax.set(xlim=(-0.5, 1))
    ax.xaxis.set_major_locator(FixedLocator([-0.5, -0.25, 0, 0.25, 0.5, 0.75, 1]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.axvline(0, color=GREY, lw=0.8, zorder=1)


def _row(ax, r, at):
    low, high = ax.get_xlim()
    sides = {"<1": (low, 1), ">1": (1, high), "<0": (low, 0), ">0": (0, high), "=1": (1 / patterns.SAME, patterns.SAME)}
    if r.expected in sides:
        ax.fill_betweenx([at - 0.42, at + 0.42], *sides[r.expected], color=SIDE, lw=0, zorder=0.4)
    if len(r.band):
        ax.fill_betweenx([at - 0.42, at + 0.42], *np.clip(r.band, low, high), color=PLAUSIBLE, lw=0, zorder=0.5)
    colour, across = COLOURS[r.verdict], ax.get_yaxis_transform()
    _mark(ax, r, "estimate", at - (0.14 if r.off else 0), colour, MARKS[r.verdict])
    if r.off and np.isfinite(r.off_estimate):
        _mark(ax, r, "off_estimate", at + 0.22, GREY, None)
    left = -LEFT / WIDE + 0.03
    ax.text(left, at, r.test, transform=across, size=SIZE["small"], va="center", color=INK, weight="bold")
    ax.text(left + 0.42, at, textwrap.fill(_cut(r.compared, 84), 43), transform=across, size=6.3, va="center",
            color=INK, linespacing=0.95)  # fmt: skip
    if r.verdict == REPORT:
        said = f"{number(r.estimate)} [{number(r.estimate_low)}, {number(r.estimate_high)}]"
        ax.text(1.03, at, said, transform=across, size=SIZE["small"], va="center", color=INK)
        return
    ax.text(1.03, at - 0.16, SHORT.get(r.verdict, r.verdict), transform=across, size=SIZE["small"], va="center",
            color=colour, weight="bold")  # fmt: skip
    ax.text(1.03, at + 0.24, r.shows, transform=across, size=6.3, va="center", color=INK if r.shows.isupper() else GREY)
    ax.text(1.52, at, number(r.estimate), transform=across, size=SIZE["small"], va="center", ha="right", color=INK)


def _mark(ax, r, name, at, colour, mark):
    """Draw an estimate with its interval; without a mark, hollow."""
    (low, high), (a, b) = ax.get_xlim(), (r[f"{name}_low"], r[f"{name}_high"])
    x = r[name]
    if np.isfinite([a, b]).all():
        ax.plot(np.clip([a, b], low, high), [at, at], color=colour, lw=1.6 if mark else 0.9, zorder=2)
    shape = "<" if x < low else ">" if x > high else mark or "o"
    ax.plot(np.clip(x, low, high), at, shape, ms=4.8 if mark else 3.6, color=colour, zorder=3, clip_on=False,
            mfc=colour if mark else "white", mew=0.9)  # fmt: skip


def _curves(figure, curves, height):
    """Draw what separation does at each conflation, relative to the integrated mission."""
    ax = figure.add_axes([0.08, 0.85 / height, 0.62, 2.1 / height])
    style.bare(ax)
    ax.set_title("R1: separated against integrated, same cost, by conflation", size=SIZE["panel"], loc="left")
    ends = []
    for k, (key, rows) in enumerate(curves.items()):
        y, low, high = (rows[f"estimate{end}"].to_numpy() for end in ("", "_low", "_high"))
        x, colour = np.array(patterns.SPILL) + (k - 2) * 0.012, style.PALETTE[k]
        ax.errorbar(x, y, [y - low, high - y], color=colour, marker=style.MARKS[k], ms=4, lw=1.3, elinewidth=0.8)
        ends.append([np.log(y[-1]), y[-1], patterns.CONFLATED[key][0], colour])
    ax.axhline(1, color=GREY, lw=0.8)
    ax.set(yscale="log", xlabel="conflation: hostility to one mission that falls on the other (0..1)", ylabel="ratio",
           xlim=(-0.05, 1.05))  # fmt: skip
    ax.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ends.sort()
    apart = 0.085 * np.diff(np.log(ax.get_ylim()))[0]
    for a, b in itertools.pairwise(ends):
        b[0] = max(b[0], a[0] + apart)  # so that labels do not overlap
    pushed = np.mean([at - np.log(y) for at, y, *_ in ends])
    for at, y, words, colour in ends:
        line = {"arrowstyle": "-", "color": colour, "lw": 0.5, "relpos": (0, 0.5)}
        ax.annotate(words, (1.03, y), (1.08, np.exp(at - pushed)), size=SIZE["small"], color=colour, va="center",
                    annotation_clip=False, arrowprops=line)  # fmt: skip


def _cut(text, length):
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + " …"


def _legend(verdicts):
    names = {PASS: "PASS", FAIL: "FAIL", OPEN: "open: INCONCLUSIVE", REPORT: "as the model is"}
    return [
        *(Line2D([], [], color=COLOURS[v], marker=MARKS[v], ms=4.8, lw=1.6, label=names[v]) for v in names
          if v in verdicts),
        Line2D([], [], color=GREY, marker="o", ms=3.6, lw=0.9, mfc="white", label="mechanism off, or wrong"),
        Patch(color=PLAUSIBLE, label="plausible size"),
        Patch(color=SIDE, label="expected side"),
    ]  # fmt: skip
