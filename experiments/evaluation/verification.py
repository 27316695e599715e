"""Is the machine right: time step, grid, households, burn-in, seeds, pairing.

    python -m experiments verification

Question: what of a result is the model, and what is how finely it was computed?

Things to notice: halving the step draws other luck, so runs of two steps are not pairs, and intervals are wide. What
depends on the side of a cell is not noise: bands reach one cell, targets are found by the cell.

Things to try: `python -m experiments verification civilians=20000`; another scenario by an override.

Processes against pencil and paper, conservation, symmetries and compiled twins are in tests/ (test_pencil, test_limits,
test_twins).
"""

import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from experiments import statistics, style
from experiments.evaluation import checks
from sim import results
from sim.warm import say

FOLDER = Path("results/verification")
OUTCOMES = {"civilians_killed": "civilians killed", "brd": "battle deaths", "displaced": "displaced people",
            "unmet_need": "unmet need"}  # fmt: skip
REFERENCE = {"step": 1.0, "cells": 1.0, "civilians": 2_000.0}
XLABELS = {"step": "time step (weeks)", "cells": "cells per side, against the default 40 of 25 km",
           "civilians": "civilian agents for 5 million people"}  # fmt: skip
MODELS = ("none", "un_only", "regional_only", "sequential", "parallel", "separated", "hybrid")
PRECISION = (0.1, 0.2, 0.3)  # half-widths of an interval, as shares of the mean without a mission


def values(store, arm, outcome):
    """Return an outcome of a whole run, by seed: sums of months, or mean displacement."""
    panel = store.months(arm)
    if outcome == "displaced":
        return (panel["idps"] + panel["refugees"]).mean(axis=1)
    return panel[outcome].sum(axis=1)


def convergence(store):
    """Return outcomes by step, cells and civilians: mean with its 95% interval, against the default's mean."""
    rows = []
    for arm, outcome in itertools.product(store.about["arms"], OUTCOMES):
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
    p = 1.0 if arm == base else _permuted(here, there)
    return {"what": what, "scenario": base, "level": level, "outcome": outcome, "seeds": len(here), "mean": mean,
            "low": low, "high": high, "ratio": mean / max(there.mean(), 1e-9), "p_same": p}  # fmt: skip


def _permuted(a, b, times=4_000):
    """Return the probability of a difference of mean logarithms as large by chance alone: a permutation test."""
    x = np.log1p(np.r_[a, b])
    luck = np.random.default_rng(1)
    seen = abs(x[: a.size].mean() - x[a.size :].mean())
    found = [abs(y[: a.size].mean() - y[a.size :].mean()) for y in (luck.permutation(x) for _ in range(times))]
    return float((np.array(found) >= seen - 1e-12).mean())


def stationarity(store):
    """Return civilians killed by year of a long run without missions: mean and 95% interval over seeds."""
    killed = store.months("long")["civilians_killed"]
    years = killed[:, : killed.shape[1] // 12 * 12].reshape(len(killed), -1, 12).sum(axis=2)
    rows = [dict(zip(("year", "mean", "low", "high", "median"), (k + 1, *statistics.interval(y), np.median(y)), strict=True))
            for k, y in enumerate(years.T)]  # fmt: skip
    return pd.DataFrame(rows), years


def drift(years, first, last):
    """Return the slope of log killings a year over some years, by seed: median and 95% bootstrap interval."""
    x = np.arange(first, last + 1) - (first + last) / 2
    y = np.log(years[:, first - 1 : last] + 1)
    return checks.bootstrap((y * x).sum(axis=1) / (x**2).sum())


def pairing(store):
    """Return, for each two mission models, what pairing saves and the seeds that an interval needs."""
    runs = pd.concat([
        pd.DataFrame({"arm": m, "seed": np.arange(len(v)), "civilians_killed": v, "brd": values(store, m, "brd"),
                      "unmet_need": values(store, m, "unmet_need")})
        for m in MODELS for v in [values(store, m, "civilians_killed")]
    ], ignore_index=True)  # fmt: skip
    level = runs[runs.arm == "none"].civilians_killed.mean()
    rows = []
    for a, b in itertools.combinations(MODELS, 2):
        wide = runs.pivot(index="seed", columns="arm", values="civilians_killed")
        d = wide[a] - wide[b]
        gain = {o: statistics.pairing_gain(runs, o, a, b) for o in ("civilians_killed", "brd", "unmet_need")}
        unpaired = np.sqrt(wide[a].var() + wide[b].var())
        rows.append({"a": a, "b": b, **{f"variance_ratio_{o}": g for o, g in gain.items()},
                     **{f"seeds_for_{h:.0%}": _seeds(d.std(), h * level) for h in PRECISION},
                     **{f"unpaired_seeds_for_{h:.0%}": _seeds(unpaired, h * level) for h in PRECISION}})  # fmt: skip
    return pd.DataFrame(rows)


def _seeds(sd, half):
    """Return the seeds for a 95% interval of a mean of that half-width, by Student's t."""
    n = 2
    while n < 100_000 and float(statistics.t_quantile(n - 1)) * sd / np.sqrt(n) > half:
        n = max(n + 1, int(n * 1.02))
    return n


def figure(table, years, pairs):
    """Draw convergence in step, cells and civilians, the years of a long run, and what pairing saves."""
    fig, axes = style.sheet(
        7.4, "Verification: what depends on how finely it is computed, and how many seeds it needs", 3, 2
    )
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
        ax.errorbar(x, rows["mean"] / base, [(rows["mean"] - rows.low) / base, (rows.high - rows["mean"]) / base],
                    color=style.PALETTE[k], marker=style.MARKS[k], ms=3.5, lw=1, elinewidth=0.9, label=words)  # fmt: skip
    ax.axhspan(0.8, 1.2, color="#eef5ee", lw=0, zorder=0)
    ax.axhline(1, color=style.GREY, lw=0.7)
    levels = sorted(part.level.unique())
    ax.set(xscale="log", ylim=(0, None), xlabel=XLABELS[what], ylabel="against the default")
    ax.set_xticks(levels, [f"{x:,.4g}" for x in levels])
    ax.minorticks_off()
    titles = {"step": "Time step", "cells": "Grid", "civilians": "Persons per civilian agent"}
    ax.set_title(f"{titles[what]} (no mission; band: ±20%)", size=style.SIZE["panel"], loc="left")
    if what == "step":
        ax.legend(fontsize=style.SIZE["small"] - 1, frameon=False, ncols=2, loc="lower left")


def _gains(ax, pairs):
    order = pairs.sort_values("variance_ratio_civilians_killed")
    gains = order.variance_ratio_civilians_killed.to_numpy()
    ax.plot(gains, np.arange(len(order)), "o", ms=4, color=style.PALETTE[0])
    ax.axvline(3, color=style.PALETTE[2], lw=0.9, ls="--")
    ax.text(3.15, len(order) - 0.6, "asked for: 3", size=style.SIZE["small"], color=style.PALETTE[2], va="top")
    ax.set(
        xscale="log", xlabel="variance of a difference, independent runs / pairs", xlim=(0.8, max(gains.max() * 1.3, 5))
    )
    ax.set_yticks(np.arange(len(order)), [f"{style.label(a)}, {style.label(b)}" for a, b in zip(order.a, order.b, strict=True)],
                  size=5.5)  # fmt: skip
    ax.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    ax.minorticks_off()
    ax.set_title(
        f"What pairing saves, civilians killed (median {np.median(gains):.1f})", size=style.SIZE["panel"], loc="left"
    )


def _seed_curve(ax, pairs):
    for k, (kind, words) in enumerate((("seeds", "pairs"), ("unpaired_seeds", "independent runs"))):
        part = np.array([[r[f"{kind}_for_{h:.0%}"] for h in PRECISION] for _, r in pairs.iterrows()])
        middle, low, high = np.median(part, axis=0), *np.quantile(part, [0.1, 0.9], axis=0)
        x = np.array(PRECISION) * 100
        ax.fill_between(x, low, high, color=style.PALETTE[2 * k], alpha=0.15, lw=0)
        ax.plot(x, middle, marker=style.MARKS[k], ms=4, lw=1.4, color=style.PALETTE[2 * k])
        ax.text(x[0] * 1.03, middle[0] * 1.12, words, size=style.SIZE["small"], color=style.PALETTE[2 * k])
    ax.set(yscale="log", xlabel="half-width of the 95% interval (% of killed without mission)", ylabel="seeds needed")
    ax.set_xticks([10, 20, 30])
    ax.set_title("Seeds for a difference (median and 10-90% of pairs of models)", size=style.SIZE["panel"], loc="left")


def words(table, years, pairs):
    """Return what came out, in sentences made from the numbers."""
    said = []
    for what in REFERENCE:
        part = table[(table.what == what) & (table.level != REFERENCE[what])]
        n = len(part)
        sure = part[part.p_same < 0.05 / n]
        worst = part.loc[(np.log(part.ratio.clip(1e-3))).abs().idxmax()]
        said.append(
            f"{XLABELS[what][0].upper() + XLABELS[what][1:]}: {len(sure)} of {n} comparisons with the default differ beyond noise "
            f"(permutation test, Bonferroni); furthest: {OUTCOMES[worst.outcome]} at {worst.level:g} ({worst.scenario}) "
            f"is {worst.ratio:.2f} of the default's mean."
        )
    for first, last in ((1, 5), (2, 10), (11, 20)):
        e, low, high = drift(years, first, last)
        said.append(
            f"Killings change by {np.expm1(e):+.0%} [{np.expm1(low):+.0%}, {np.expm1(high):+.0%}] a year in years {first} to {last} "
            "of a run without missions."
        )
    gain = pairs.variance_ratio_civilians_killed
    few = pairs[gain < 3]
    said.append(
        f"Pairing: the variance of a difference in civilians killed is {gain.min():.1f} to {gain.max():.1f} times smaller "
        f"(median {gain.median():.1f}) than between independent runs; below 3 in {len(few)} of {len(pairs)} pairs"
        + (": " + ", ".join(f"{r.a}/{r.b}" for r in few.itertuples()) + "." if len(few) else ".")
    )
    for h in PRECISION:
        n, u = pairs[f"seeds_for_{h:.0%}"].median(), pairs[f"unpaired_seeds_for_{h:.0%}"].median()
        said.append(
            f"An interval of ±{h:.0%} of the killed without a mission takes {n:.0f} pairs (median), {u:.0f} independent runs."
        )
    return said


def evaluate(overrides=(), workers=1, folder=FOLDER, seeds=None):
    """Run the verification and write tables, words and figure."""
    about, start = checks.design("verification"), time.perf_counter()
    store = checks.Store(about, Path(folder), tuple(overrides), workers)
    store.run({(arm, ()): seeds or about["seeds"] for arm in about["arms"]}, "verification")
    table, pairs = convergence(store), pairing(store)
    by_year, years = stationarity(store)
    put = store.folder
    for name, each in {"convergence": table, "stationarity": by_year, "pairing": pairs}.items():
        results.whole_file(put / f"{name}.csv", lambda f, each=each: each.to_csv(f, index=False, float_format="%.5g"))
    text = f"# Verification\n\n{about['question']}\n\n" + "".join(f"- {s}\n" for s in words(table, years, pairs))
    shown = table.assign(
        **{c: [f"{v:.3g}" for v in table[c]] for c in ("level", "mean", "low", "high", "ratio", "p_same")}
    )
    results.whole_file(
        put / "verification.md", lambda f: f.write_text(text + "\n" + checks.markdown(shown), encoding="utf-8")
    )
    drawn = figure(table, by_year, pairs)
    results.whole_file(put / "verification.png", lambda f: drawn.savefig(f, dpi=150))
    made = {"overrides": list(overrides), "seconds_of_this_session": round(time.perf_counter() - start, 1),
            "runs_of_this_session": store.done, **results.provenance()}  # fmt: skip
    results.whole_file(put / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(made, sort_keys=False)))
    say(text + f"\nresults: {put}")
    return table


def main(words=None):
    """Do what the command line says."""
    evaluate(*checks.arguments("verification", words, __doc__))
