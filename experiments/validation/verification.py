"""How much of a result is how finely it was computed: time step, grid, households, burn-in, seeds, pairing.

    python -m experiments verification

Question: what of a result is the model, and what is how finely it was computed?

Things to notice: halving the step draws other luck, so runs of two steps are not pairs, and intervals are wide; the
slope over all levels says more than any two. Cells larger than a place (move.place_km) are too coarse.

Things to try: `python -m experiments verification civilians=20000`; another scenario by an override.

Processes against pencil and paper, conservation, symmetries and compiled twins are in tests/ (test_pencil, test_limits,
test_twins).
"""

import itertools

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.drawing import estimates, statistics, style
from experiments.drawing.panels import folded
from experiments.engine.experiment import Experiment
from sim.warm import say

OUTCOMES = {"civilians_killed": "civilians killed", "brd": "battle deaths", "displaced": "displaced people",
            "unmet_need": "unmet need"}  # fmt: skip
REFERENCE = {"step": 1.0, "cells": 1.0, "civilians": 2_000.0}
XLABELS = {"step": "time step (weeks)", "cells": "cells per side, against the default 40 of 25 km",
           "civilians": "civilian agents for 5 million people"}  # fmt: skip
TITLES = {"step": "Time step", "cells": "Grid", "civilians": "Households"}
MODELS = ("none", "un_only", "regional_only", "sequential", "parallel", "separated", "hybrid")
ASKED = 3  # times that pairing should save
BAND = 0.2  # by which results may change with how finely they are computed
PRECISION = (0.1, 0.2, 0.3)  # half-widths of an interval, as shares of the mean without a mission


def values(store: Experiment, arm: str, outcome: str) -> NDArray[np.float64]:
    """Return an outcome of a whole run, by seed: sums of months, or mean displacement."""
    panel = store.months(arm)
    if outcome == "displaced":
        return (panel["idps"] + panel["refugees"]).mean(axis=1)
    return panel[outcome].sum(axis=1)


def convergence(store: Experiment) -> pd.DataFrame:
    """Return outcomes by step, cells and civilians: mean with its 95% interval, against the default's mean."""
    rows = []
    for arm, outcome in itertools.product(store.arms, OUTCOMES):
        words = arm.split()
        if len(words) != 3:
            continue
        base, what, level = words[0], words[1], float(words[2])
        rows.append(_row(store, arm, base, what, level, outcome))
    for base, what, outcome in itertools.product(("none", "un"), REFERENCE, OUTCOMES):
        rows.append(_row(store, base, base, what, REFERENCE[what], outcome))
    return pd.DataFrame(rows).sort_values(["what", "scenario", "outcome", "level"], kind="stable", ignore_index=True)


def _row(store, arm, base, what, level, outcome):
    here, there = values(store, arm, outcome), values(store, base, outcome)
    mean, low, high = statistics.interval(here)
    ratio, p = (0.0, 0.0, 0.0), 1.0
    if arm != base:
        ratio = estimates.bootstrap((here, there), lambda v: float(np.log(v.mean() + 1e-9)))
        p = _permuted(here, there)
    return {"what": what, "scenario": base, "level": level, "outcome": outcome, "seeds": len(here), "mean": mean,
            "low": low, "high": high, **dict(zip(("ratio", "ratio_low", "ratio_high"), np.exp(ratio), strict=True)),
            "p_same": p}  # fmt: skip


def trends(store: Experiment) -> pd.DataFrame:
    """Return how each outcome changes with each doubling of step, cells or civilians: ratio and 95% interval.

    All levels together show smaller changes than any two apart: the slope of the logarithm of each run's outcome on the
    binary logarithm of the level, by least squares, with a bootstrap over the runs.
    """
    rows = []
    for base, what, outcome in itertools.product(("none", "un"), REFERENCE, OUTCOMES):
        arms = {float(a.split()[2]): a for a in store.arms if a.startswith(f"{base} {what} ")}
        levels = {**arms, REFERENCE[what]: base}.items()
        level, value = np.array([(level, v) for level, arm in levels for v in values(store, arm, outcome)]).T
        found = estimates.bootstrap(np.column_stack([np.log2(level), np.log1p(value)]), _slope)
        rows.append({"what": what, "scenario": base, "outcome": outcome, "runs": level.size,
                     **dict(zip(("ratio", "low", "high"), np.exp(found), strict=True))})  # fmt: skip
    return pd.DataFrame(rows)


def _slope(xy):
    x, y = xy.T - xy.mean(axis=0)[:, None]
    return float((x * y).sum() / (x**2).sum())


def _permuted(a, b, times=4_000):
    """Return the probability of a difference of mean logarithms as large by chance alone: a permutation test."""
    x = np.log1p(np.r_[a, b])
    luck = np.random.default_rng(1)
    seen = abs(x[: a.size].mean() - x[a.size :].mean())
    found = [abs(y[: a.size].mean() - y[a.size :].mean()) for y in (luck.permutation(x) for _ in range(times))]
    return float((np.array(found) >= seen - 1e-12).mean())


def stationarity(store: Experiment) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return civilians killed by year of a long run without missions: a table, and (seeds, years)."""
    killed = store.months("long")["civilians_killed"]
    years = killed[:, : killed.shape[1] // 12 * 12].reshape(len(killed), -1, 12).sum(axis=2)
    names = ("year", "mean", "low", "high", "median")
    rows = [(k + 1, *statistics.interval(y), np.median(y)) for k, y in enumerate(years.T)]
    return pd.DataFrame(rows, columns=names), years


def drift(years: NDArray[np.float64], first: int, last: int) -> tuple[float, float, float]:
    """Return the slope of log killings a year over some years, by seed: median and 95% bootstrap interval."""
    x = np.arange(first, last + 1) - (first + last) / 2
    y = np.log(years[:, first - 1 : last] + 1)
    return estimates.bootstrap((y * x).sum(axis=1) / (x**2).sum())


def pairing(store: Experiment) -> pd.DataFrame:
    """Return, for each two mission models, what pairing saves and the seeds that an interval needs.

    The variance ratio is that of a difference between independent runs to that between pairs. It is given for civilians
    killed, battle deaths and unmet need of the whole run, and for civilians killed up to each year: pairs have the same
    luck, but once missions have changed the war, the same luck meets other bands in other places.
    """
    arms = {m: store.months(m) for m in MODELS}
    killed = {m: panel["civilians_killed"] for m, panel in arms.items()}
    level = killed["none"].sum(axis=1).mean()
    rows = []
    for a, b in itertools.combinations(MODELS, 2):
        sums = {o: (arms[a][o].sum(axis=1), arms[b][o].sum(axis=1)) for o in ("civilians_killed", "brd", "unmet_need")}
        x, y = sums["civilians_killed"]
        row = {"a": a, "b": b, **{f"variance_ratio_{o}": gain(*xy) for o, xy in sums.items()}}
        for k in range(1, killed[a].shape[1] // 12 + 1):
            to_year = (killed[m][:, : 12 * k].sum(axis=1) for m in (a, b))
            row[f"variance_ratio_to_year_{k}"] = gain(*to_year)
        row |= {f"seeds_for_{h:.0%}": _seeds((x - y).std(ddof=1), h * level) for h in PRECISION}
        apart = np.sqrt(x.var(ddof=1) + y.var(ddof=1))
        rows.append(row | {f"unpaired_seeds_for_{h:.0%}": _seeds(apart, h * level) for h in PRECISION})
    return pd.DataFrame(rows)


def gain(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return how many times the variance of a difference is smaller in pairs; nan where all pairs are alike."""
    paired = (x - y).var(ddof=1)
    apart = x.var(ddof=1) + y.var(ddof=1)
    return float(apart / paired) if paired > 1e-12 * apart else np.nan


def _seeds(sd, half):
    """Return the seeds for a 95% interval of a mean of that half-width, by Student's t."""
    n = 2
    while n < 100_000 and statistics.half_width(sd, n) > half:
        n = max(n + 1, int(n * 1.02))
    return n


def figure(table: pd.DataFrame, years: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Draw convergence in step, cells and civilians, the years of a long run, and what pairing saves."""
    fine = table[(table.scenario == "none") & (table.level != table.what.map(REFERENCE))]
    kept = ((fine.ratio >= 1 / (1 + BAND)) & (fine.ratio <= 1 + BAND)).sum()
    title = f"Computed more finely or coarsely, {kept} of {len(fine)} results stay within {BAND:.0%}; pairs of the "
    title += f"same luck need {pairs.variance_ratio_civilians_killed.median():.1f} times fewer seeds"
    fig, axes = style.sheet(7.4, folded(title, 86), 3, 2)
    for ax, what in zip(axes.flat, REFERENCE, strict=False):
        _levels(ax, table[(table.what == what) & (table.scenario == "none")], what)
    ax = axes[1, 1]
    ax.fill_between(years.year, np.maximum(years.low, 0), years.high, color=style.PALETTE[0], alpha=0.2, lw=0)
    ax.plot(years.year, years["mean"], color=style.PALETTE[0], lw=1.5)
    ax.axvspan(0.5, 1.5, color=style.PALE, lw=0, zorder=0)
    ax.text(
        1.6, 0.97, "burn-in", transform=ax.get_xaxis_transform(), size=style.SIZE["small"], color=style.GREY, va="top"
    )
    ax.set(xlabel="year of a run without missions", ylabel="civilians killed a year", ylim=(0, None), xlim=(0.5, None))
    ax.set_xticks(range(1, len(years) + 1, 3))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_title("Stationarity: mean and 95% interval", size=style.SIZE["panel"], loc="left")
    _gains(axes[2, 0], pairs)
    _seed_curve(axes[2, 1], pairs)
    return fig


def _levels(ax, part, what):
    shift = np.linspace(-0.045, 0.045, len(OUTCOMES))
    for k, (outcome, words) in enumerate(OUTCOMES.items()):
        rows = part[part.outcome == outcome].sort_values("level")
        base = rows.loc[rows.level == REFERENCE[what], "mean"].iloc[0]
        x = rows.level * np.exp(shift[k] * np.log(rows.level.max() / rows.level.min()))
        half = (rows["mean"] - rows.low) / base  # intervals by Student's t are even
        ax.errorbar(x, rows["mean"] / base, half, color=style.PALETTE[k], marker=style.MARKS[k], ms=3.5, lw=1,
                    elinewidth=0.9, label=words)  # fmt: skip
    ax.axhspan(1 - BAND, 1 + BAND, color="#eef5ee", lw=0, zorder=0)
    ax.axhline(1, color=style.GREY, lw=0.7)
    levels = sorted(part.level.unique())
    ax.set(xscale="log", ylim=(0, None), xlabel=XLABELS[what], ylabel="against the default")
    ax.set_xticks(levels, [f"{x:,g}" for x in levels])
    ax.minorticks_off()
    ax.set_title(f"{TITLES[what]} (no mission; band: ±20%)", size=style.SIZE["panel"], loc="left")
    if what == "step":
        ax.legend(fontsize=style.SIZE["small"] - 1, frameon=False, ncols=2, loc="lower left")


def _gains(ax, pairs):
    order = pairs.sort_values("variance_ratio_civilians_killed")
    gains = order.variance_ratio_civilians_killed.to_numpy()
    ax.plot(gains, np.arange(len(order)), "o", ms=4, color=style.PALETTE[0])
    ax.axvline(3, color=style.PALETTE[2], lw=0.9, ls="--")
    ax.text(3.15, -0.4, "asked for: 3", size=style.SIZE["small"], color=style.PALETTE[2], va="bottom")
    ax.set(xscale="log", xlabel="variance of a difference: independent / pairs", xlim=(0.8, max(gains.max() * 1.3, 5)))
    names = [f"{style.label(r.a)}, {style.label(r.b)}" for r in order.itertuples()]
    ax.set_yticks(np.arange(len(order)), names, size=5.5)
    ax.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    ax.minorticks_off()
    ax.set_title(f"What pairing saves, killed (median {np.median(gains):.1f})", size=style.SIZE["panel"], loc="left")


def _seed_curve(ax, pairs):
    for k, (kind, words) in enumerate((("seeds", "pairs"), ("unpaired_seeds", "independent runs"))):
        part = np.array([[r[f"{kind}_for_{h:.0%}"] for h in PRECISION] for _, r in pairs.iterrows()])
        middle, (low, high) = np.median(part, axis=0), np.quantile(part, [0.1, 0.9], axis=0)
        x = np.array(PRECISION) * 100
        ax.fill_between(x, low, high, color=style.PALETTE[2 * k], alpha=0.15, lw=0)
        ax.plot(x, middle, marker=style.MARKS[k], ms=4, lw=1.4, color=style.PALETTE[2 * k])
        ax.text(x[0] * 1.03, middle[0] * 1.12, words, size=style.SIZE["small"], color=style.PALETTE[2 * k])
    ax.set(yscale="log", xlabel="half of the 95% interval (% of killed, no mission)", ylabel="seeds needed")
    ax.set_xticks([10, 20, 30])
    ax.set_yticks([10, 20, 50, 100, 200, 500], ["10", "20", "50", "100", "200", "500"])
    ax.minorticks_off()
    ax.set_title("Seeds for a difference: median, 10-90% of pairs", size=style.SIZE["panel"], loc="left")


def words(table: pd.DataFrame, trend: pd.DataFrame, years: NDArray[np.float64], pairs: pd.DataFrame) -> list[str]:
    """Return what came out, in sentences made from the numbers."""
    said = []
    for what in REFERENCE:
        part = table[(table.what == what) & (table.level != REFERENCE[what])]
        sure = part[part.p_same < 0.05 / len(part)]
        worst = part.loc[np.log(part.ratio).abs().idxmax()]
        which = _colon(f"{OUTCOMES[r.outcome]} at {r.level:g} ({r.scenario})" for r in sure.itertuples())
        half = (np.log(part.ratio_high / part.ratio_low) / 2).median()
        said.append(
            f"{XLABELS[what][0].upper() + XLABELS[what][1:]}: {len(sure)} of {len(part)} comparisons with the default "
            f"differ beyond noise (permutation test, Bonferroni){which}; furthest: {OUTCOMES[worst.outcome]} at "
            f"{worst.level:g} ({worst.scenario}), {worst.ratio:.2f} [{worst.ratio_low:.2f}, {worst.ratio_high:.2f}] of "
            f"the default's mean. Half an interval is a factor {np.exp(half):.2f} (median): less is not seen."
        )
        if what == "cells":
            said.append(
                "A place of 25 km is one cell by default and 3 x 3 cells at 3; at other sizes its edges cut cells, so "
                "that what happens in it is felt a little by more people, who flee a little more."
            )
        part = trend[trend.what == what]
        drifts = part[(part.low > 1) | (part.high < 1)]
        said.append(
            f"{TITLES[what]}, trends: {len(drifts)} of {len(part)} outcomes change with every doubling (95%)"
            + _colon(f"{OUTCOMES[r.outcome]} ({r.scenario}) x{r.ratio:.2f} [{r.low:.2f}, {r.high:.2f}]"
                     for r in drifts.itertuples()) + "."
        )  # fmt: skip
    n = years.shape[1]
    spans = [(1, 5), (2, n // 2), (n // 2 + 1, n)]
    for first, last in [span for span in spans if span[1] > span[0]]:
        e, low, high = drift(years, first, last)
        said.append(
            f"Killings change by {np.expm1(e):+.0%} [{np.expm1(low):+.0%}, {np.expm1(high):+.0%}] a year in years "
            f"{first} to {last} of a run without missions."
        )
    g = pairs.variance_ratio_civilians_killed
    few = pairs[g < ASKED]
    by_year = [c for c in pairs if c.startswith("variance_ratio_to_year_")]
    said.append(
        f"Pairing: the variance of a difference in civilians killed is {g.min():.1f} to {g.max():.1f} times smaller "
        f"(median {g.median():.1f}) than between independent runs; below {ASKED} in {len(few)} of {len(pairs)} pairs"
        + _colon(f"{r.a}/{r.b}" for r in few.itertuples())
        + f". It wears off: medians {', '.join(f'{pairs[c].median():.1f}' for c in by_year)} counted to the end of "
        f"year {', '.join(c.rsplit('_', 1)[1] for c in by_year)}. Every draw is the same in both runs of a pair, but "
        "the more two missions change where bands are, the less the same luck does the same; models that change the "
        "war in other ways gain least."
    )
    for h in PRECISION:
        n, u = pairs[f"seeds_for_{h:.0%}"].median(), pairs[f"unpaired_seeds_for_{h:.0%}"].median()
        said.append(
            f"A 95% interval of ±{h:.0%} of those killed without a mission takes {n:.0f} pairs (median over models), "
            f"or {u:.0f} independent runs of each."
        )
    return said


def _colon(names):
    """Return names after a colon, or nothing."""
    names = ", ".join(names)
    return f": {names}" if names else ""


def analyse(x: Experiment) -> None:
    """Write tables, words and figure."""
    table, trend, pairs = convergence(x), trends(x), pairing(x)
    by_year, years = stationarity(x)
    text = f"# Verification\n\n{x.about.question}\n\n" + "".join(f"- {s}\n" for s in words(table, trend, years, pairs))
    shown = table.assign(**{c: table[c].map("{:.3g}".format) for c in table.select_dtypes(float)})
    tables = {"convergence": table, "trends": trend, "stationarity": by_year, "pairing": pairs}
    x.write(tables, {"verification.md": text + "\n" + estimates.markdown(shown)},
            {"verification": figure(table, by_year, pairs)}, digits=6)  # fmt: skip
    x.write_provenance()
    say(text.strip())
