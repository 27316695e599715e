"""The figures of the sensitivity analysis: each takes a table and returns a matplotlib Figure; none simulates.

Things to notice: counts are compared as ratios, on axes of equal steps (x0.5, x1, x2). What luck alone does is drawn
in grey in every figure, and marks that stay within it are hollow or pale.
"""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.style import GREY, INK, PALE, PALETTE, SIZE, bare, footnote, label, looks, meaning, sheet

LOW, HIGH = PALETTE[0], PALETTE[4]
SHOWN = ("civilians_killed", "unmet_need")  # where a figure has room for two outcomes; the tables have all
MOST = 20  # parameters in the figure of the screening


def short(name):
    """Return a parameter's name as it fits beside a panel."""
    return name.removeprefix("mission.components.").replace(".personnel.", ".").replace("multidimensional", "multidim.")


def ratio(doublings):
    """Return doublings as a ratio: x0.5, x1, x2."""
    return f"×{2.0**doublings:.2g}"


def spoken(target):
    """Return what a target is, in words."""
    return {"missions": "under a mission"}.get(target, target.replace("separated - others", "separated against others"))


def panel_title(ax, outcome, target):
    """Write what a panel shows."""
    ax.set_title(f"{meaning(outcome)},\n{spoken(target)}", fontsize=SIZE["panel"], loc="left", color=INK)


def rows_of(axes, names):
    """Write parameters beside the first of some panels, the first on top."""
    for ax in axes:
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), [])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)
    axes[0].set_yticklabels([short(n) for n in names], fontsize=SIZE["small"])


def in_ratios(ax, widest):
    """Lay an axis of doublings over -widest..widest, told as ratios, in whole or half steps."""
    step = next(s for s in (0.25, 0.5, 1, 2, 4, 8, 16) if widest <= 3 * s)
    top = max(np.ceil(widest / step), 1) * step
    ax.set_xlim(-top, top)
    ax.set_xticks(np.arange(-top, top + step / 2, step if top / step <= 2 else 2 * step if top / step == 2 else step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: ratio(x)))
    ax.tick_params(axis="x", labelrotation=0)


def screening(screened, score, targets, trajectories):
    """Draw mu* of the parameters that move most, with intervals, beside what luck alone does."""
    names = score.parameter[:MOST].tolist()
    figure, axes = sheet(6.2, "Which of the assumed numbers move the results (Morris screening)", 1, 4)
    panels = [(outcome, target) for target in targets for outcome in SHOWN]
    for ax, (outcome, target) in zip(axes.flat, panels):
        table = screened[(screened.outcome == outcome) & (screened.target == target)].set_index("parameter").loc[names]
        ax.axvspan(0, table.bound_of_luck.iloc[0], color=PALE, lw=0)
        for i, row in enumerate(table.itertuples()):
            fill = LOW if row.beyond_luck else "white"
            ax.errorbar(row.mu_star, i, xerr=row.mu_star_conf, color=LOW, lw=1, marker="o", ms=4, mfc=fill)
        ax.set_xlim(0, 1.08 * (table.mu_star + table.mu_star_conf).max())
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        ax.set_xlabel("doublings")
        panel_title(ax, outcome, target)
    rows_of(axes.flat, names)
    said = (
        f"mu*: mean size of the effect over the whole range of a parameter, with its 95% bootstrap interval,\n{trajectories} "
        "trajectories. Grey: up to the 99% bound of what luck alone shows. Filled: beyond it."
    )
    footnote(figure, said)
    return figure


def tornado(swings, targets, seeds):
    """Draw what the low and the high end of each parameter's range do against the defaults."""
    names = list(dict.fromkeys(swings.parameter))
    figure, axes = sheet(
        1.6 + 0.32 * len(names), "What each end of a parameter's range does, all else at its default", 1, 4
    )
    panels = [(outcome, target) for target in targets for outcome in SHOWN]
    for ax, (outcome, target) in zip(axes.flat, panels):
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
    figure.legend(handles=[Patch(color=LOW, label="low end of its range"), Patch(color=HIGH, label="high end")],
                  loc="upper right", ncols=2, frameon=False, fontsize=SIZE["small"])  # fmt: skip
    said = (
        f"Ratio to the run at the defaults with the same seed: mean and 95% interval (Student's t), {seeds} seeds.\n"
        "Under a mission: mean of four models. Separated against others: its ratio to the mean of the other three; to the "
        "right,\nit does worse against them than at the defaults."
    )
    footnote(figure, said)
    return figure


def sobol(table, names, luck, studied, base):
    """Draw first-order and total indices, with luck as a parameter of its own."""
    rows = [*names, luck]
    targets = ("missions", f"{studied} - others")
    figure, axes = sheet(1.7 + 0.32 * len(rows), "Shares of the variance of single runs (Sobol' indices)", 1, 4)
    for ax, (outcome, target) in zip(axes.flat, [(o, t) for t in targets for o in SHOWN]):
        of = table[(table.outcome == outcome) & (table.target == target)]
        panel_title(ax, outcome, target)
        ax.set_xlabel("share of the variance")
        ax.axvline(0, color=GREY, lw=0.8)
        if of.empty:
            continue
        of = of.set_index("parameter").loc[rows]
        floor = of.loc[luck]
        ax.axvspan(floor.total - floor.total_half, floor.total + floor.total_half, color=PALE, lw=0)
        for shift, kind, mark, colour in ((-0.15, "first", "o", LOW), (0.15, "total", "s", HIGH)):
            ax.errorbar(
                of[kind], np.arange(len(rows)) + shift, xerr=of[f"{kind}_half"], fmt=mark, ms=4, lw=1, color=colour
            )
        ax.set_xlim(max(-0.5, min(-0.05, (of["first"] - of["first_half"]).min())),
                    min(1.8, max(1.0, (of.total + of.total_half).max())))  # fmt: skip
        ax.xaxis.set_major_locator(MaxNLocator(3))
    rows_of(axes.flat, rows)
    figure.legend(handles=[Patch(color=LOW, label="● first order: by itself"), Patch(color=HIGH, label="■ total")],
                  loc="upper right", ncols=2, frameon=False, fontsize=SIZE["small"])  # fmt: skip
    said = (
        f"With 95% bootstrap intervals, {base} base points. Total: with all interactions, luck among them. Luck: another"
        "\nseed. Grey: the total of luck. A changed parameter changes the luck of a chaotic war too: a total that does "
        "not\npass the grey may be luck alone."
    )
    footnote(figure, said)
    return figure


def first(shares, arms, points, seeds):
    """Draw at which share of the points each model is first, and first beyond luck."""
    rows = [*arms, "within luck"]
    outcomes = list(dict.fromkeys(shares.outcome))
    figure, axes = sheet(
        2.9, "In which share of the parameter space does each mission model rank first?", 1, len(outcomes)
    )
    look = looks(arms)
    for ax, outcome in zip(axes.flat, outcomes):
        of = shares[shares.outcome == outcome].set_index("arm").loc[rows]
        for i, (arm, row) in enumerate(of.iterrows()):
            colour = look[arm].colour if arm in look else GREY
            for shift, name, fill in ((-0.15, "first", "white"), (0.15, "beyond_luck", colour)):
                if arm == "within luck" and name == "first":
                    continue
                ax.plot([row[f"{name}_low"], row[f"{name}_high"]], [i + shift] * 2, color=colour, lw=1)
                ax.plot(
                    row[name], i + shift, marker=look[arm].mark if arm in look else "o", ms=5, color=colour, mfc=fill
                )
        ax.set_xlim(-0.03, 1.03)
        ax.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
        ax.set_title(meaning(outcome), fontsize=SIZE["panel"], loc="left", color=INK)
    rows_of(axes.flat, rows)
    axes[0, 0].set_yticklabels([*map(label, arms), "nobody beyond luck"], fontsize=SIZE["small"])
    said = (
        f"Share of {points} points of a Latin hypercube over all parameters, {seeds} seeds each, with Wilson's 95% "
        "interval.\nHollow: best mean. Filled: best, and its lead over the second is beyond luck (5% level)."
    )
    footnote(figure, said)
    return figure


def flip(table, plane, arms, seeds):
    """Draw which model is best over a plane of two parameters, and how the studied model stands."""
    outcomes = list(dict.fromkeys(table.outcome))
    figure, axes = sheet(6.4, "Which mission model protects best, by conflation and contestation", 2, 3)
    look = looks(arms)
    x, y = plane
    xs, ys = sorted(set(table[x])), sorted(set(table[y]))
    for ax, outcome in zip(axes.flat, outcomes):
        for row in table[table.outcome == outcome].to_dict("records"):
            i, j = xs.index(row[x]), ys.index(row[y])
            colour = np.array(to_rgb(look[row["best"]].colour))
            ground = 0.35 * colour + 0.65 if row["beyond_luck"] else 0.1 * colour + 0.9
            edge = GREY if row["beyond_luck"] else PALE
            ax.add_patch(Rectangle((i, j), 1, 1, facecolor=ground, edgecolor=edge, lw=0.6))
            ax.plot(i + 0.5, j + 0.74, marker=look[row["best"]].mark, ms=4, color=colour)
            gap = 100 * row["gap"] if outcome == "access" else 100 * (2.0 ** -row["gap"] - 1)
            ax.text(i + 0.5, j + 0.3, f"{gap:+.0f}".replace("-", "−"), ha="center", va="center", fontsize=6.5,
                    color=INK, fontweight="bold" if row["gap_beyond_luck"] else "normal")  # fmt: skip
        ax.set(xlim=(0, len(xs)), ylim=(0, len(ys)), aspect="equal")
        ax.set_xticks(np.arange(len(xs)) + 0.5, [f"{v:g}" for v in xs])
        ax.set_yticks(np.arange(len(ys)) + 0.5, [f"{v:g}" for v in ys])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        points = "points" if outcome == "access" else "%"
        ax.set_title(f"{meaning(outcome)} ({points})", fontsize=SIZE["panel"], loc="left", color=INK)
    for ax in axes[:, 0]:
        ax.set_ylabel("contestation (share)")
    for ax in axes.flat[len(outcomes) - 3 : len(outcomes)]:
        ax.set_xlabel("conflation (share)")
    key = axes.flat[-1]
    bare(key)
    key.set_axis_off()
    for i, arm in enumerate(arms):
        key.plot(0.05, 0.95 - 0.1 * i, marker=look[arm].mark, ms=6, color=look[arm].colour, transform=key.transAxes)
        key.text(0.13, 0.95 - 0.1 * i, label(arm), fontsize=SIZE["label"], va="center", transform=key.transAxes)
    said = (
        f"Mark: the best model, {seeds} seeds.\nGround coloured: its lead over\nthe second is beyond luck (5%).\n\n"
        "Number: separated against the\nbest of the others, in % (access:\npoints). Counts: minus is fewer,\n"
        "so better. Access: plus is better.\nBold: beyond luck."
    )
    key.text(0.0, 0.5, said, fontsize=SIZE["small"], color=INK, va="top", transform=key.transAxes)
    return figure
