"""The table of levers as a figure: a row a lever, which way it moves what, and what is left without its mechanism."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from experiments.drawing import style
from experiments.drawing.panels import folded
from experiments.drawing.style import GREY, INK, PALE, SIZE

MOST_ROWS = 30  # of one figure
COLOURS = {
    "as expected": "#0072b2", "reversed": "#d55e00", "not shown": GREY, "moves": "#009e73",
    "not told apart from nothing": GREY,
}  # fmt: skip
HEADINGS = {"ddr": "DDR"}
MARKS = {"rise": "^", "fall": "v", "open": "o"}
ARROWS = {"rise": "▲", "fall": "▼", "open": "?"}
LOW, HIGH = 0.25, 4.0  # of the axis of ratios; what lies beyond ends in an arrow
TICKS = (0.25, 0.5, 1, 2, 4)
FEWEST_POINTS = 4.0  # of a hundred, either side, of the axis of shares
COLUMNS = 2  # of the overview
A_LINE = 0.17  # inches
A_QUESTION, A_NOTE = 70, 115  # letters of a line
MOST = 1000.0  # times; what grows more grows from nothing


def _answer(rows):
    """Say in a sentence how many levers move what was expected, and how many of those of which nothing was."""
    count, signed = rows.verdict.value_counts(), (rows.expected != "open") | (rows.withdrawn != "")
    hidden = count.get("not shown", 0) + (rows.withdrawn != "").sum()
    shown, open_, moves = count.get("as expected", 0), (~signed).sum(), (rows[~signed].verdict == "moves").sum()
    told = [(shown, f"surely {_verb(shown, 'has', 'have')} it"), (count.get("reversed", 0), "surely the opposite"),
            (hidden, f"{_verb(hidden, 'is', 'are')} not shown to")]  # fmt: skip
    said = []
    if signed.any():
        levers = _verb(signed.sum(), "lever", "levers")
        said.append(f"of {signed.sum()} {levers} with an expected sign " + ", ".join(
            f"{n} {words}" for n, words in told if n))  # fmt: skip
    if open_:
        without = "without" if said else f"{_verb(open_, 'lever', 'levers')} without an expected sign"
        said.append(
            f"of {open_} {without}, {moves or 'none'} surely {_verb(moves or 1, 'moves', 'move')} what is asked"
        )
    return "; ".join(said)


def _verb(n, one, many):
    return one if n == 1 else many


def _heading(subject):
    return HEADINGS.get(subject) or style.label(subject)


def _title(rows):
    """Return what was found, under the name of the subject if it is one."""
    found, about = _answer(rows), rows.subject.unique()
    return folded(f"{_heading(about[0])}: {found}" if len(about) == 1 else found[0].upper() + found[1:], 86)


def table(rows: pd.DataFrame) -> Figure:
    """Draw levers: ratios on the left axis, shares on the right one.

    Parameters
    ----------
    rows : data frame of levers.judged

    Returns
    -------
    Figure. A mark is the effect of the high setting against the low one with its 95% interval, a hollow one the same
    with the mechanism off.
    """
    figure, axes = style.sheet(1.8 + 0.42 * len(rows), _title(rows), 1, 3, width_ratios=(1.9, 1.0, 0.9))
    words, ratios, shares = axes[0]
    words.set_axis_off()
    of_shares = rows[rows.unit == "difference"][["effect_low", "effect_high", "off_low", "off_high"]]
    points = max(100 * 1.15 * np.nan_to_num(of_shares.abs().to_numpy(float)).max(initial=0.0), FEWEST_POINTS)
    for y, row in enumerate(rows.itertuples()):
        ax, limits = (ratios, (LOW, HIGH)) if row.unit == "ratio" else (shares, (-points / 100, points / 100))
        colour = COLOURS[row.verdict]
        question = folded(row.question, A_QUESTION)
        words.text(0, y - 0.08, question, va="bottom", fontsize=7, color=INK, linespacing=1.05)
        what = f"{ARROWS[row.withdrawn or row.expected]} {style.meaning(row.outcome)}"
        words.text(0.02, y + 0.02, what, va="top", fontsize=6.5, color=GREY)
        for name, high, filled in (("off", y + 0.22, False), ("effect", y + 0.05, True)):
            found = [getattr(row, n) for n in (name, f"{name}_low", f"{name}_high")]
            _mark(ax, limits, found, high, colour, filled)
    for ax in (words, ratios, shares):
        ax.set_ylim(len(rows) - 0.4, -0.7)
    for ax, nothing in ((ratios, 1.0), (shares, 0.0)):
        ax.axvline(nothing, color=GREY, lw=0.8, zorder=0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x", color=PALE, lw=0.6, zorder=0)
    ratios.set_xscale("log")
    ratios.set_xlim(LOW, HIGH)
    ratios.xaxis.set_major_locator(FixedLocator(TICKS))
    ratios.xaxis.set_minor_locator(NullLocator())
    ratios.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ratios.set_xlabel("high setting against low,\nratio (log scale)", fontsize=SIZE["small"])
    shares.set_xlim(-points / 100, points / 100)
    shares.xaxis.set_major_locator(MaxNLocator(3))
    shares.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:+.3g}".replace("-", "−") if v else "0"))
    shares.set_xlabel("difference,\npoints of 100", fontsize=SIZE["small"])
    for ax, kind in ((ratios, "ratio"), (shares, "difference")):
        ax.set_visible(kind in set(rows.unit))
    marks = [("o", COLOURS[v], COLOURS[v], v) for v in COLOURS if v in set(rows.verdict)]
    marks += [("o", "white", GREY, "mechanism off")] if rows.off.notna().any() else []
    words.legend(
        handles=[Line2D([], [], marker=m, ls="", mfc=inside, mec=edge, label=v, ms=5) for m, inside, edge, v in marks],
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, fontsize=6.5, frameon=False, handletextpad=0.1,
    )  # fmt: skip
    asked = (rows.expected == "open").any() and " Rows with ?, or whose sign was withdrawn, are judged all together."
    said = (
        f"Mean paired effect and its 95% interval, at least {rows.seeds.min()} seeds; ▲ ▼ the sign that was expected."
        f"{asked or ''} What lies beyond an axis ends in an arrow."
    )
    style.footnote(figure, folded(said, A_NOTE))
    return figure


def overview(rows: pd.DataFrame) -> Figure:
    """Draw all levers on one page: a line each, its verdict as a mark, its effect in numbers.

    Parameters
    ----------
    rows : data frame of levers.judged

    Returns
    -------
    Figure. A full mark is an effect that is surely there, a hollow one one that is not shown.
    """
    lines = []
    for subject, some in rows.groupby("subject", sort=False):
        lines += [(_heading(subject), None), *((None, row) for row in some.itertuples())]
    tall = -(-(len(lines) + COLUMNS) // COLUMNS)
    figure, axes = style.sheet(1.1 + A_LINE * tall, _title(rows), 1, COLUMNS)
    places = [(column, y) for column in range(COLUMNS) for y in range(tall)]
    at = 0
    for heading, row in lines:
        if heading and places[at][1] == tall - 1:
            at += 1  # no heading at the foot of a column
        column, y = places[at]
        ax, at = axes[0, column], at + 1
        if heading:
            ax.text(0, y, heading, va="center", fontsize=7.5, fontweight="bold", color=INK)
            continue
        colour, sure = COLOURS[row.verdict], COLOURS[row.verdict] != GREY
        inside = colour if sure else "white"
        ax.plot(0.025, y, MARKS[row.withdrawn or row.expected], color=colour, mfc=inside, ms=4.5, mew=0.8)
        ax.text(0.06, y, row.row.replace("_", " "), va="center", fontsize=6.2, color=INK if sure else GREY)
        ax.text(0.72, y, style.meant(row.outcome), va="center", ha="right", fontsize=6.2, color=GREY)
        ax.text(0.83, y, _number(row.effect, row.unit), va="center", ha="right", fontsize=6.2,
                color=INK if sure else GREY)  # fmt: skip
        if row.effect_high < MOST:
            ends = ", ".join(_number(end, row.unit, bare=True) for end in (row.effect_low, row.effect_high))
            ax.text(1.0, y, f"[{ends}]", va="center", ha="right", fontsize=5.6, color=GREY)
    for ax in axes[0]:
        ax.set_axis_off()
        ax.set_xlim(0, 1.02)
        ax.set_ylim(tall - 0.5, -0.5)
    said = (
        "Effect of the high setting against the low one, as a ratio or in points of 100, with its 95% interval, at "
        f"least {rows.seeds.min()} seeds. ▲ ▼: the sign that was expected; ●: none was. Blue: as expected; orange: the "
        "opposite; green: surely moves, without an expectation; hollow: not shown, or not told apart from nothing. "
        "Rows without a sign, or whose sign was withdrawn, are judged all together."
    )
    style.footnote(figure, folded(said, A_NOTE))
    return figure


def _number(value, unit, bare=False):
    """Write an effect, or an end of its interval: a ratio, or points of 100."""
    if not np.isfinite(value):
        return "?"
    if unit == "difference":
        return f"{100 * value:+.1f}{'' if bare else ' p.'}".replace("-", "−")
    sign = "" if bare else "×"
    return f"> {sign}1,000" if value >= MOST else f"{sign}{value:.{2 if value < 10 else 0}f}"


def _mark(ax, limits, found, y, colour, filled):
    mean, low, high = found
    if not np.isfinite(mean):
        return
    left, right = limits
    ends = np.clip([low, high] if np.isfinite(low) else [mean, mean], left, right)
    ax.plot(ends, [y, y], color=colour, lw=1.6 if filled else 0.9, alpha=1 if filled else 0.7, solid_capstyle="butt")
    beyond = "<" if mean < left else ">" if mean > right else "o"
    ax.plot(np.clip(mean, left, right), y, beyond, color=colour, ms=5 if filled else 4,
            mfc=colour if filled else "white", mew=0.9, zorder=3, clip_on=False)  # fmt: skip
