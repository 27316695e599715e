"""The scorecard as a figure: each test's estimate and interval against what is expected, its verdict, its ablation."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from experiments.style import GREY, INK, PALE, SIZE, bare

VERDICTS = {"PASS": "#0072b2", "FAIL": "#d55e00", "INCONCLUSIVE": "#e69f00", "REPORT": "#777777"}
LOW, HIGH = 0.02, 50  # of the axis; what lies beyond is drawn as an arrow
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
WIDE = 10.5  # inches


def forest(table):
    """Draw the scorecard.

    Parameters
    ----------
    table : data frame of experiments.validation.scorecard

    Returns
    -------
    Figure: rows that can fail above, those that are only reported below
    """
    rows = [r for _, r in table.iterrows() if r.expected in ("<1", ">1", "=1", "") and np.isfinite(r.estimate)
            and r.test != "R10"]  # fmt: skip
    rows = [r for r in rows if r.verdict != "REPORT"] + [r for r in rows if r.verdict == "REPORT"]
    can_fail = sum(r.verdict != "REPORT" for r in rows)
    height = 1.3 + 0.235 * (len(rows) + 1)
    figure = Figure(figsize=(WIDE, height))
    ax = figure.add_axes([0.46, 0.75 / height, 0.41, 1 - 1.35 / height])
    bare(ax)
    ax.spines["left"].set_visible(False)
    y = np.array([k + (k >= can_fail) for k in range(len(rows))], float)
    for r, at in zip(rows, y, strict=True):
        _row(ax, r, at)
    ax.axvline(1, color=GREY, lw=0.8, zorder=1)
    ax.set(xscale="log", xlim=(LOW, HIGH), ylim=(y.max(initial=0) + 0.8, -0.8), yticks=[],
           xlabel="ratio (log scale); 1 is no effect")  # fmt: skip
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(axis="x", color=PALE, lw=0.6, zorder=0)
    if can_fail < len(rows):
        ax.text(-1.1, can_fail, "Reported, never a gate", transform=ax.get_yaxis_transform(), size=SIZE["label"],
                weight="bold", color=INK, va="center")  # fmt: skip
    count = table.verdict.value_counts()
    said = ", ".join(f"{count[v]} {v if v != 'REPORT' else 'reported'}" for v in VERDICTS if v in count)
    figure.text(0.01, 1 - 0.25 / height, f"Validation scorecard: {said}", size=SIZE["title"], color=INK, va="center")
    figure.text(0.01, 1 - 0.48 / height, "Estimate with 95% interval by test; hollow: the same test with its mechanism "
                "off, or a wrong parameter.", size=SIZE["small"], color=GREY, va="center")  # fmt: skip
    figure.legend(handles=_legend(), loc="lower left", bbox_to_anchor=(0.005, 0.003), ncols=3, frameon=False,
                  fontsize=SIZE["small"], handletextpad=0.5, columnspacing=1.2)  # fmt: skip
    return figure


def _row(ax, r, at):
    colour = VERDICTS[r.verdict]
    if len(r.band):
        ax.fill_betweenx([at - 0.4, at + 0.4], *np.clip(r.band, LOW, HIGH), color="#cfe3cf", lw=0, zorder=0.5)
    elif r.expected in ("<1", ">1"):
        edge = (LOW, 1) if r.expected == "<1" else (1, HIGH)
        ax.fill_betweenx([at - 0.4, at + 0.4], *edge, color="#eef5ee", lw=0, zorder=0.4)
    _mark(ax, r.estimate, r.low, r.high, at - (0.14 if r.off else 0), colour, filled=True)
    if r.off:
        _mark(ax, r.off_estimate, r.off_low, r.off_high, at + 0.2, GREY, filled=False)
    across = ax.get_yaxis_transform()
    ax.text(-1.1, at, r.test, transform=across, size=SIZE["small"], va="center", color=INK, weight="bold")
    ax.text(-0.82, at, _cut(r.compared, 64), transform=across, size=6.8, va="center", color=INK)
    ax.text(1.02, at, r.verdict.lower() if r.verdict == "REPORT" else r.verdict, transform=across, size=SIZE["small"],
            va="center", color=colour, weight="normal" if r.verdict == "REPORT" else "bold")  # fmt: skip
    ax.text(1.235, at, f"{r.estimate:.2f}" if r.estimate < 100 else ">100", transform=across, size=SIZE["small"],
            va="center", color=INK)  # fmt: skip


def _mark(ax, estimate, low, high, at, colour, filled):
    inside = np.clip([low, high], LOW, HIGH)
    ax.plot(inside, [at, at], color=colour, lw=1.6 if filled else 0.8, solid_capstyle="butt", zorder=2)
    mark = "<" if estimate < LOW else ">" if estimate > HIGH else "o"
    ax.plot(np.clip(estimate, LOW, HIGH), at, mark, ms=4.5 if filled else 3.5, color=colour, zorder=3, clip_on=False,
            mfc=colour if filled else "white", mew=0.9)  # fmt: skip


def _cut(text, length):
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + " …"


def _legend():
    return [
        Line2D([], [], color=VERDICTS["PASS"], marker="o", ms=4.5, lw=1.6, label="as the model is"),
        Line2D([], [], color=GREY, marker="o", ms=3.5, lw=0.8, mfc="white", label="mechanism off, or wrong"),
        Patch(color="#cfe3cf", label="plausible size (a warning, no gate); pale: expected side"),
    ]
