"""The scorecard: what is known and comes out, by which mechanism, and what fails when it is off.

    python -m experiments validation

Question: which regularities of the literature come out, which do not, and which mechanism makes each of them?

Things to notice: every row that can fail has a second estimate beside it, of the same test with its mechanism
switched off or with a wrong parameter. A row that passes both times says nothing about the mechanism.

Things to try: give a parameter of your own as an override and see which rows it breaks; a few rows alone, with few
seeds (`experiment.analysis.rows=[T1,T3 killed] experiment.seeds=2`); more rows under `most_seeds` in
conf/experiment/validation.yaml (other steps and grids share no luck, which drowns what 100 seeds can tell).

The protocol: months 13 to 48 after twelve months of burn-in, unless a row says otherwise; common random numbers; the
median over seeds of the paired log ratio, with a 95% bootstrap interval; of A5, whose arms share no luck, the ratio of
medians, and of means where medians are small whole numbers (lost). PASS: right sign, and the interval excludes
no effect. FAIL: wrong sign, and it excludes no effect. INCONCLUSIVE otherwise: the seeds are raised to 100 (400 for
the rows of A4 on T1's ratio), if that can decide it, then it is reported. Expected sizes are for warnings, never for
failure: the grid is not Africa.

The tests stand in patterns.py, what they measure in measures.py and matching.py, how it is judged in
experiments/drawing/estimates.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.drawing import estimates
from experiments.drawing.estimates import FAIL, OPEN, PASS, REPORT, markdown, number
from experiments.drawing.statistics import require
from experiments.engine.experiment import Experiment
from experiments.validation import figures, patterns
from sim import params
from sim.paths import choices
from sim.warm import say

STILL, WEAKER = "STILL PASSES", "passes, weaker"
NOTHING = (np.nan, np.nan, np.nan)
NAMED = ("most_seeds",)  # of the experiment's `analysis`: rows of the scorecard, by name


# ------------------------------------------------------------------------------ judging


def row(
    test: str,
    compared: str,
    estimate: Sequence[float] = NOTHING,
    off_estimate: Sequence[float] = NOTHING,
    **more: Any,
) -> dict[str, Any]:
    """Return a row of the scorecard; estimates are (estimate, low, high)."""
    blank = {"seeds": 0, "expected": "", "band": (), "unit": "", "verdict": REPORT, "mechanism": "", "off": "",
             "off_verdict": "", "remark": ""}  # fmt: skip
    return {"test": test, "compared": compared, **_three("estimate", estimate), **_three("off_estimate", off_estimate),
            **_three("lost", NOTHING), **blank, **more}  # fmt: skip


def _three(name, found):
    return {f"{name}{end}": x for end, x in zip(("", "_low", "_high"), found, strict=True)}


def judged(store: Experiment, test: patterns.Test) -> dict[str, Any]:
    """Return the row of a test, from stored runs."""
    values = test.of(store, *test.arms)
    found = estimates.bootstrap(values, test.reduce)
    shown = _exp if test.log else tuple
    out = row(test.key, test.claim, shown(found), seeds=_seeds(values), expected=test.expect, band=test.band,
              unit="ratio" if test.log else "", mechanism=test.mechanism)  # fmt: skip
    if test.can_fail:
        out["verdict"] = estimates.verdict(*found[1:], test.expect, test.margin, test.band)
    if test.off:
        what, arms = test.off
        without = test.of(store, *arms)
        off = estimates.bootstrap(without, test.reduce)
        lost = shown(estimates.lost(values, without, test.reduce))
        out |= {"off": what, **_three("off_estimate", shown(off)), **_three("lost", lost)}
        if test.expect:
            out["off_verdict"] = estimates.verdict(*off[1:], test.expect, test.margin, test.band)
    out["remark"] = "; ".join(_remarks(store, test, values, shown(found)))
    return out


def _exp(found):
    return tuple(float(np.exp(np.clip(x, -50, 50))) for x in found)


def _seeds(values):
    return min(len(v) for v in values) if isinstance(values, tuple) else len(values)


def _remarks(store, test, values, found):
    judged_by_band = test.can_fail and test.expect == "in"
    if test.band and not judged_by_band and not test.band[0] <= found[0] <= test.band[1]:
        yield f"outside the plausible {test.band[0]:g} to {test.band[1]:g} (warning)"
    if test.log and not isinstance(values, tuple) and values.ndim == 1 and (same := (values == 0).mean()) > 0.3:
        yield f"no difference at all in {same:.0%} of seeds"
    if test.expect == "=1" and isinstance(values, tuple) and test.can_fail:
        low, high = np.log(found[1:])
        seeds = enough(low, high, test.margin, _seeds(values))
        yield f"about {seeds:,.0f} seeds would give an interval as wide as the margin"
    if test.note:
        yield test.note(store, *test.arms)
    if test is patterns.TOO_KIND and found[0] == 0:
        yield "warning: the model is too kind"


def enough(low: float, high: float, margin: float, seeds: int) -> float:
    """Return the seeds at which an interval of a log ratio is as wide as a margin to one side."""
    return seeds * ((high - low) / np.log(margin)) ** 2


def jointly(rows: Mapping[str, dict[str, Any]]) -> None:
    """Judge T6 as a whole: it fails only if parallel is worse than both, and passes only if it is better than both.

    Parameters
    ----------
    rows : dict of row by key, changed
    """
    pair = [rows[k] for k in ("T6 UN", "T6 regional") if k in rows]
    if len(pair) == 2:
        for r in pair:
            r["remark"] = "; ".join(x for x in (r["remark"], f"alone: {r['verdict']}; T6 is judged jointly") if x)
        for column in ("verdict", "off_verdict"):
            alone = {r[column] for r in pair}
            for r in pair:
                r[column] = OPEN if len(alone) > 1 else r[column]


def flips(rows: Mapping[str, dict[str, Any]]) -> None:
    """Say in the first R1 row of each outcome at which conflation the separated model stops being better.

    Parameters
    ----------
    rows : dict of row by key, changed
    """
    for key in patterns.CONFLATED:
        found = [rows[k] for s in patterns.SPILL if (k := f"R1 {key} {s:g}") in rows]
        if len(found) < len(patterns.SPILL):
            continue
        y = np.log([r["estimate"] for r in found])
        at = np.flatnonzero(np.sign(y[1:]) != np.sign(y[:-1]))
        where = [patterns.SPILL[k] + (patterns.SPILL[k + 1] - patterns.SPILL[k]) * y[k] / (y[k] - y[k + 1]) for k in at]
        sure = [f"{s:g}" for s, r in zip(patterns.SPILL, found, strict=True)
                if r["estimate_low"] > 1 or r["estimate_high"] < 1]  # fmt: skip
        found[0]["remark"] = ("estimates change sides at conflation " + ", ".join(f"{w:.2f}" for w in where) if where
                              else "estimates stay on one side")  # fmt: skip
        found[0]["remark"] += f"; surely different at {', '.join(sure) or 'none'}"


# ------------------------------------------------------------------------------ no stored answers


def forbidden(names: Iterable[str]) -> list[str]:
    """Return the settings whose name joins a kind of mission with an effect: there must be none."""
    kinds = {w for group in ("mission", "mandate", "force") for name in choices(group) for w in name.split("_")}
    kinds -= {"only", "equal", "support", "history", "none", *choices("country"), *params.TASKS}
    effects = {"bonus", "malus", "effect", "factor", "boost", "gain", "advantage", "multiplier", "penalty", "weight",
               "quality", "success", "violence", "deaths"}  # fmt: skip
    words = {name: set(name.replace(".", "_").split("_")) for name in names}
    return sorted(name for name, w in words.items() if w & kinds and w & effects)


def no_stored_answers() -> dict[str, Any]:
    """Return row A3: no setting is an effect on violence by type of mission; the scan finds one that is planted."""
    names = [name for name, *_ in params.rows()]
    found, planted = forbidden(names), forbidden([*names, "prey.parallel_bonus"])
    return row("A3", f"settings that are an effect of a type of mission, among {len(names)}",
               (float(len(found)), np.nan, np.nan), (float(len(planted)), np.nan, np.nan), expected="none",
               verdict=FAIL if found else PASS, mechanism="mission models are data",
               off="prey.parallel_bonus is planted", off_verdict=FAIL if planted else PASS,
               remark=", ".join(found))  # fmt: skip


# ------------------------------------------------------------------------------ the whole


def decidable(test: patterns.Test, found: Mapping[str, Any], seeds: int) -> bool:
    """Say whether so many seeds can decide a row: not if its interval would still be wider than all that passes.

    The rows on step and grid compare luck with other luck, and most would take thousands of seeds.
    """
    if test.expect != "=1":
        return True
    low, high = np.log([found["estimate_low"], found["estimate_high"]])
    return bool(enough(low, high, test.margin, found["seeds"]) / 4 <= seeds)


def shows(r: Mapping[str, Any]) -> str:
    """Say what becomes of a row with its mechanism off, or with a wrong parameter.

    What passes without it is "weaker" where the difference surely has the sign that is expected: by how much of the
    effect, logarithms of ratios or the numbers themselves.
    """
    verdict, off = r["verdict"], r["off_verdict"]
    if verdict == REPORT or not off:
        return ""
    if verdict == off == PASS and r["expected"] in estimates.SIGNS:
        lost, low, high, effect = (r[k] for k in ("lost", "lost_low", "lost_high", "estimate"))
        if r["unit"] == "ratio":
            lost, low, high, effect = np.log([lost, low, high, effect])
        if estimates.verdict(low, high, r["expected"]) == PASS:
            return f"{WEAKER} by {min(lost / effect, 1):.0%}"
    return {FAIL: "fails", PASS: STILL, OPEN: "no longer passes" if verdict == PASS else "open too"}[off]


def wanted(tests: Sequence[patterns.Test], seeds: int) -> dict[str, int]:
    """Return the runs that tests need: dict of arm -> seeds."""
    return {arm: seeds for t in tests for arm in (*t.arms, *(t.off[1] if t.off else ()))}


def judge(
    store: Experiment,
    tests: Sequence[patterns.Test] = patterns.ALL,
    seeds: int = 30,
    more: int = 100,
    most: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Do what is missing and return the scorecard: a data frame, one row a test.

    Parameters
    ----------
    store : Experiment; tests : of patterns; seeds : at first
    more : seeds of those rows that can fail, are inconclusive then and can be decided so, with their ablation
    most : dict of other numbers than `more`, by key of the row
    """
    store.do(wanted(tests, seeds))
    rows = {t.key: judged(store, t) for t in tests}
    allowed = {t.key: (most or {}).get(t.key, more) for t in tests}
    again = [t for t in tests if t.can_fail and rows[t.key]["verdict"] == OPEN and allowed[t.key] > seeds
             and decidable(t, rows[t.key], allowed[t.key])]  # fmt: skip
    for n in sorted({allowed[t.key] for t in again}):
        some = [t for t in again if allowed[t.key] == n]
        store.do(wanted(some, n), f"{len(some)} inconclusive rows, {n} seeds")
        rows |= {t.key: judged(store, t) for t in some}
    jointly(rows)
    flips(rows)
    rows["A3"] = no_stored_answers()
    for r in rows.values():
        r["shows"] = shows(r)
    return pd.DataFrame(sorted(rows.values(), key=lambda r: _order(r["test"])))


def _order(key):
    """Sort T1 .. T11, A1 .. A4, F, R1 .. R10; within these as they were."""
    word = key.split()[0]
    return "TAFR".find(word[0]), int("".join(c for c in word if c.isdigit()) or 99)


# ------------------------------------------------------------------------------ writing


def between(r: pd.Series, name: str) -> str:
    """Return an estimate of a row with its interval, as text."""
    x, low, high = (r[f"{name}{end}"] for end in ("", "_low", "_high"))
    inside = f" [{number(low)}, {number(high)}]" if np.isfinite([low, high]).all() else ""
    return f"{number(x)}{inside}" if np.isfinite(x) else ""


def readable(table: pd.DataFrame) -> str:
    """Return the scorecard in Markdown."""
    rows = []
    for _, r in table.iterrows():
        band = f" {r.band[0]:g} to {r.band[1]:g}" if len(r.band) else ""
        off = f"{r.off}: {between(r, 'off_estimate')} {r.off_verdict}" if r.off else ""
        rows.append({"test": r.test, "compared": r.compared, "seeds": r.seeds, "estimate [95%]": between(r, "estimate"),
                     "expected": f"{r.expected}{band}" if band or r.expected != "in" else "",
                     "verdict": f"**{r.verdict}**" if r.verdict != REPORT else "report", "mechanism": r.mechanism,
                     "with it off, or wrong": off, "the row then": r.shows, "remark": r.remark})  # fmt: skip
    return markdown(pd.DataFrame(rows))


def words(table: pd.DataFrame, question: str) -> str:
    """Return the head of the scorecard: what came out, failures first."""
    can = table[table.verdict != REPORT]
    count = can.verdict.value_counts()
    named = {v: ", ".join(can.test[can.verdict == v]) for v in (FAIL, OPEN)}
    weaker = [f"{test} ({said[len(f'{WEAKER} by ') :]} of it)" for test, said in zip(can.test, can.shows)
              if said.startswith(WEAKER)]  # fmt: skip
    lines = [
        f"{len(can)} rows can fail: {', '.join(f'{count.get(v, 0)} {v}' for v in (PASS, FAIL, OPEN))}; "
        f"{len(table) - len(can)} are reported.",
        f"FAIL: {named[FAIL] or 'none'}.",
        f"INCONCLUSIVE: {named[OPEN] or 'none'}. Their seeds were raised, but for rows of A4 that more seeds could not "
        "have decided (see the remarks).",
        "Rows that still pass with their mechanism off or a wrong parameter, and so say nothing about it: "
        f"{', '.join(can.test[can.shows == STILL]) or 'none'}.",
        "Rows that pass without it too, but surely by less, so that it makes a part of what they show: "
        f"{', '.join(weaker) or 'none'}.",
        "Rows that are open with and without it, and so have no power: "
        f"{', '.join(can.test[can.shows == 'open too']) or 'none'}.",
        "Estimates are ratios (1: no effect) unless a row expects a range or a sign against 0: medians over seeds of "
        "paired logarithms, T5 and T8 of all runs together, A5 of two medians, or means (lost), each with its 95% "
        "bootstrap interval. With no effect at all, one row in forty passes by luck and one in forty fails; a second "
        "look at more seeds adds a little to both.",
        "T1 to T9 are held out: no number of the model was chosen by them, but that one was set while the arms of T1 "
        "and T2 were looked at (their size is no test). T10, T11 and T12 were looked at while the model was "
        "built, and one number was set by T13. T4 is not in the list of tests.",
    ]
    return f"# Scorecard\n\n{question}\n\n" + "".join(f"- {line}\n" for line in lines) + "\n"


def chosen(x: Experiment) -> list[patterns.Test]:
    """Return the tests that an experiment asks for: those of some keys, or all."""
    keys = x.about.analysis["rows"]
    require(keys or (), [t.key for t in patterns.ALL], "row")
    return [t for t in patterns.ALL if keys is None or t.key in keys]


def plan(x: Experiment) -> dict[str, int]:
    """Return the runs that are known beforehand: dict of arm -> seeds."""
    return wanted(chosen(x), x.about.seeds)


def analyse(x: Experiment) -> pd.DataFrame:
    """Write the scorecard: CSV, Markdown, two figures, and what made them."""
    about = x.about.analysis
    table = judge(x, chosen(x), x.about.seeds, about["more_seeds"], about["most_seeds"])
    head = words(table, x.about.question)
    flat = table.assign(band=[" to ".join(f"{b:g}" for b in of) for of in table.band])
    x.write({"scorecard": flat}, {"scorecard.md": head + readable(table)},
            {"scorecard": figures.gates(table), "panel": figures.panel(table)}, digits=6)  # fmt: skip
    x.write_provenance()
    say(head.strip())
    return table
