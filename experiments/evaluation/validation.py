"""The scorecard: does the model generate what is known, out of mechanisms, and does it fail when they are off?

    python -m experiments validation

Question: which regularities of the literature come out, which do not, and which mechanism makes each of them?

Things to notice: every row that can fail has a second estimate beside it, of the same test with its mechanism
switched off or with a wrong parameter. A row that passes both times says nothing about the mechanism.

Things to try: give a parameter of your own as an override and see which rows it breaks.

The protocol: months 13 to 48 after twelve months of burn-in, unless a row says otherwise; common random numbers; the
median over seeds of the paired log ratio, with a 95% bootstrap interval. PASS: right sign, and the interval excludes
no effect. FAIL: wrong sign, and it excludes no effect. INCONCLUSIVE otherwise: the seeds are raised to 100, then it is
reported. Expected sizes are for warnings, never for failure: the grid is not Africa.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from experiments.evaluation import checks
from experiments.evaluation.checks import log_ratio
from sim import params, results
from sim.config import CONF
from sim.warm import say

BURN_IN = 12  # months
WINDOW = (13, 48)
DOSES = {"none": 0, "un_1": 1, "un_2": 2, "un_4": 4, "un_8": 8, "un_16": 16}
DELAYS = {"arrives month 1": 1, "arrives month 3": 3, "arrives month 6": 6, "arrives month 12": 12}
CELL_MONTHS = tuple(f"{2012 + k // 12}-{k % 12 + 1:02d}" for k in range(48))
WITH_MAPS = ("none", "un_8", "un_8 absent")
KILLED, BATTLE = "civilians_killed", "brd"
STEP, GRID = "half weeks", "fine grid"
SAME = 1.2  # A4: ratios that differ by less than 20%
QUIET, WORST, MUCH = 0.5, 0.5, 10.0  # T11: least share of quiet months, of deaths in the worst 5%; variance / mean
ALIKE = 1.25  # A1: as near as a hundred seeds can tell


@dataclass(frozen=True)
class Test:
    """A row of the scorecard.

    Parameters
    ----------
    key : its name in the literature file; claim : what is compared, in words
    of : function of (store, *arms) to an array with a row a seed; arms : names of arms of the design
    expect : "<1", ">1", "=1", or "" where the literature is divided; band : plausible ratios, for warnings
    can_fail : else it is reported, whatever comes out
    mechanism : what explains it; off : (what is switched off or wrong, arms); reduce : rows to an estimate
    """

    key: str
    claim: str
    of: Callable
    arms: tuple
    expect: str
    band: tuple = ()
    can_fail: bool = False
    mechanism: str = ""
    off: tuple = ()
    raised: bool = True  # to more seeds if inconclusive
    reduce: Callable = None
    margin: float = None
    maps: bool = False
    note: Callable = None  # function of the store to a remark


# ------------------------------------------------------------------------------ statistics


def total(store, arm, column, window=WINDOW):
    """Return a column summed over months first..last, counted from 1: (seeds,)."""
    first, last = window
    return store.months(arm)[column][:, first - 1 : last].sum(axis=1)


def mean(store, arm, column, window=WINDOW):
    """Return a column averaged over months first..last; months without a number are left out."""
    first, last = window
    with np.errstate(all="ignore"):
        part = store.months(arm)[column][:, first - 1 : last]
        return np.nansum(part, axis=1) / np.maximum(np.isfinite(part).sum(axis=1), 1)


def ratio(column, window=WINDOW):
    """Return a statistic: the paired log ratio of a column in two arms."""
    return lambda store, a, b: log_ratio(total(store, a, column, window), total(store, b, column, window))


def slope(doses, window):
    """Return a statistic: the slope of log deaths on a dose, seed by seed."""

    def of(store, *arms):
        x = np.array([doses[a.removesuffix(" absent")] for a in arms], float)
        dead = [total(store, a, KILLED, window) for a in arms]
        n = min(map(len, dead))
        y = np.log(np.array([d[:n] for d in dead]) + checks.NO_DEATHS)  # (arms, seeds)
        x = x - x.mean()
        return (x[:, None] * (y - y.mean(axis=0))).sum(axis=0) / (x**2).sum()

    return of


def averted_per_thousand(store, none, four, eight, sixteen):
    """Return what the last doubling averts per thousand troops against what the first four thousand do: (n, 3)."""
    dead = [total(store, a, KILLED) for a in (none, four, eight, sixteen)]
    n = min(map(len, dead))
    return np.column_stack([d[:n] for d in dead])


def returns(values):
    """Return the log ratio of deaths averted per thousand troops, from 8 to 16 thousand against from 0 to 4."""
    none, four, eight, sixteen = values.mean(axis=0)
    first, last = (none - four) / 4, (eight - sixteen) / 8
    return float(np.log(last / first)) if first > 0 and last > 0 else (-np.inf if first > 0 else np.nan)


def hazard(store, a, b):
    """Return for each seed (ended, months at risk) of the peace in two arms: (n, 4).

    Peace begins with the agreement; it ends when the agreement is left, or with 1,000 battle deaths in twelve months.
    """
    out = [_peace(store.months(arm)) for arm in (a, b)]
    n = min(len(x) for x in out)
    return np.hstack([x[:n] for x in out])


def _peace(panel):
    rows = []
    for signed, dead in zip(panel["agreement"] > 0, panel[BATTLE], strict=True):
        start = int(signed.argmax())
        if not signed.any():
            rows.append((np.nan, 0.0))
            continue
        year = np.array([dead[max(k - 11, start + 1) : k + 1].sum() for k in range(len(dead))])
        over = np.flatnonzero((~signed | (year >= WAR)) & (np.arange(len(dead)) > start))
        rows.append((1.0, over[0] - start) if over.size else (0.0, len(dead) - 1.0 - start))
    return np.array(rows)


WAR = 1_000  # battle deaths in twelve months that make a war again (Correlates of War, as in Fortna 2004)


def hazard_ratio(values):
    """Return the log ratio of two hazards of relapse, a constant hazard in each."""
    ended, months = np.nansum(values[:, [0, 2]], axis=0) + 0.5, np.nansum(values[:, [1, 3]], axis=0) + 1
    return float(np.log(ended[0] / months[0]) - np.log(ended[1] / months[1]))


def _blocks(layer):
    """Return a map of cells as blocks of two by two, 50 km or about half a degree a side: sums."""
    t, r, c = layer.shape
    return layer[:, : r // 2 * 2, : c // 2 * 2].reshape(t, r // 2, 2, c // 2, 2).sum(axis=(2, 4))


def _within(layer, cells):
    """Say which cells have anything within so many cells: (months, rows, cols)."""
    there = np.pad(layer > 0, ((0, 0), (cells, cells), (cells, cells)))
    t, r, c = layer.shape
    near = [there[:, i : i + r, j : j + c] for i in range(2 * cells + 1) for j in range(2 * cells + 1)]
    return np.any(near, axis=0)


def _local(maps):
    """Return a run's block-months in flat arrays: peacekeepers in reach, strata of matching, violence now and next."""
    peacekeepers = sum((v for name, v in maps.items() if name.startswith("peacekeepers_")), 0 * maps["persons"])
    reach = _blocks(_within(peacekeepers, 2).astype(float)) > 0
    rebel, battle = _blocks(maps["osv_reb"]), _blocks(maps["brd"])
    anything = rebel + battle + _blocks(maps["osv_gov"])
    felt, people = _blocks(maps["violence"]) / 4, _blocks(maps["persons"])
    months = np.arange(BURN_IN, len(rebel))
    year = np.array([rebel[t - BURN_IN : t].sum(axis=0) for t in months])
    rank = np.searchsorted(np.quantile(people[0], [0.2, 0.4, 0.6, 0.8]), people[months - 1])
    strata = rank * 100 + np.digitize(felt[months - 1], [0.02, 0.1, 0.3]) * 10 + np.digitize(year, [1, 25, 100])
    return {"reach": reach[months - 1].ravel(), "strata": strata.ravel(), "rebel": (rebel[months] > 0).ravel(),
            "fighting": (anything[months - 1] > 0).ravel(), "goes_on": (anything[months] > 0).ravel()}  # fmt: skip


def _matched(found, what, among=None):
    """Return the probability in reach of peacekeepers and that of its matches: exact matching within strata."""
    keep = np.ones(found["reach"].size, dtype=bool) if among is None else found[among]
    frame = pd.DataFrame({"s": found["strata"][keep], "t": found["reach"][keep], "y": found[what][keep]})
    by = frame.groupby(["s", "t"]).y.agg(["mean", "size"]).unstack()
    by = by[by["size"].notna().all(axis=1)] if by["size"].shape[1] == 2 else by.iloc[:0]
    if by.empty:
        return np.nan, np.nan
    weight = by["size"][True]
    return tuple(float((by["mean"][t] * weight).sum() / weight.sum()) for t in (True, False))


def local(what, among=None):
    """Return a statistic: log ratio of a probability in reach of peacekeepers to that of matched places, same run."""

    def of(store, arm):
        pairs = np.array([_matched(_local(maps), what, among) for maps in store.cells(arm)])
        with np.errstate(all="ignore"):
            return np.log((pairs[:, 0] + 1e-4) / (pairs[:, 1] + 1e-4))

    return of


def local_truth(store, arm, none):
    """Return the log ratio of rebel attacks in reach of peacekeepers to those of the same places without them."""
    out = []
    for with_, without in zip(store.cells(arm), store.cells(none), strict=False):
        found, twin = _local(with_), _local(without)
        out.append(np.log((found["rebel"][found["reach"]].sum() + 0.5) / (twin["rebel"][found["reach"]].sum() + 0.5)))
    return np.array(out)


def shape(measure):
    """Return a statistic: the logarithm of a measure of the shape of each run's months, after the burn-in."""

    def of(store, arm):
        months = store.months(arm)[KILLED][:, BURN_IN:]
        return np.array([measure(row) for row in months])

    return of


def quiet(row):
    """Share of quiet months, against the least that is plausible."""
    return np.log(((row == 0).mean() + 0.01) / (QUIET + 0.01))


def concentration(row):
    """Share of deaths in the worst 5% of months, against the least that is plausible."""
    return np.log((_top_share(row)[0] + 0.01) / (WORST + 0.01))


def persistence(row):
    """Violence after a violent month against after a quiet one: the log ratio of probabilities."""
    v, before = row[1:] > 0, row[:-1] > 0
    if not before.any() or before.all():
        return 0.0  # every month alike: nothing persists
    return np.log((v[before].mean() + 0.01) / (v[~before].mean() + 0.01))


def dispersion(row):
    """Variance over mean of monthly deaths, against ten times that of a Poisson law."""
    return np.log((row.var(ddof=1) + 1e-9) / max(row.mean(), 1e-9) / MUCH)


def burstiness(row):
    """Coefficient of variation of the waits between violent months, against that of months drawn at random."""
    at = np.flatnonzero(row > 0)
    if at.size < 4:
        return np.nan
    waits, p = np.diff(at), at.size / row.size
    expected = np.sqrt(max(1 - p, 1e-3))  # of a geometric law
    return np.log(max(waits.std(ddof=1) / waits.mean(), 1e-3) / expected)


def ratio_of_ratios(suffix):
    """Return a statistic: how a ratio between two arms changes in a variant of both."""

    def of(column):
        def inner(store, a, b, c, d):
            fine, coarse = ratio(column)(store, a, b), ratio(column)(store, c, d)
            n = min(len(fine), len(coarse))
            return fine[:n] - coarse[:n]

        return inner

    return of(suffix)


def differences(store, a, b):
    """Return the greatest log ratio, in size, of six outcomes of two arms, seed by seed: nought if all are equal."""
    names = (KILLED, BATTLE, "excess_deaths", "idps", "refugees", "unmet_need")
    each = np.array([log_ratio(total(store, a, c), total(store, b, c)) for c in names])
    return np.take_along_axis(each, np.abs(each).argmax(axis=0)[None], axis=0)[0]


def aid_attacks(per_worker):
    """Return a statistic: log ratio of aid workers killed, as a count or per worker present."""

    def of(store, a, b):
        window = (13, 60)
        dead = log_ratio(*(total(store, arm, "aid_workers_killed", window) for arm in (a, b)))
        staff = np.log(np.maximum(total(store, a, "humanitarian_staff", window), 1)
                       / np.maximum(total(store, b, "humanitarian_staff", window), 1))  # fmt: skip
        return dead - staff if per_worker else dead

    return of


def access(store, a, b):
    """Return the log ratio of mean access of aid teams."""
    window = (13, 60)
    n = min(len(store.months(x)["access"]) for x in (a, b))
    return np.log(mean(store, a, "access", window)[:n] / mean(store, b, "access", window)[:n])


def losses_then_killings(store, arm):
    """Return killings by rebels after a month of heavy battle losses against after others, same level now."""
    panel = store.months(arm)
    out = []
    for brd, osv in zip(panel[BATTLE][:, BURN_IN:48], panel["osv_reb"][:, BURN_IN:48], strict=True):
        x = np.column_stack([np.ones(brd.size - 1), np.log1p(brd[:-1]), np.log1p(osv[:-1])])
        out.append(np.linalg.lstsq(x, np.log1p(osv[1:]), rcond=None)[0][1])
    return np.array(out)


def scope_and_intensity(store, arm):
    """Return standardised slopes of newly displaced people on scope and on intensity of violence: (n, 2)."""
    out = []
    for maps, idps, abroad in zip(store.cells(arm), store.months(arm)["idps"], store.months(arm)["refugees"],
                                  strict=False):  # fmt: skip
        dead = _blocks(maps["osv_gov"] + maps["osv_reb"] + maps["brd"])
        scope = (dead > 0).sum(axis=(1, 2))
        intensity = dead.sum(axis=(1, 2)) / np.maximum(scope, 1)
        away = (idps + abroad)[: len(scope)]
        x = np.column_stack([np.log1p(scope[1:]), np.log1p(intensity[1:])])
        y = np.diff(away)
        keep = scope[1:] > 0
        x, y = x[keep], y[keep]
        x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)
        y = (y - y.mean()) / max(y.std(), 1e-9)
        out.append(np.linalg.lstsq(x, y, rcond=None)[0])
    return np.array(out)


def scope_over_intensity(values):
    """Return by how much more displacement goes with scope than with intensity, in standard deviations."""
    return float(np.median(values[:, 0] - values[:, 1]))


def hand_over(window):
    """Return a statistic: killings after the hand-over against before, as compared with no mission."""

    def of(store, arm, none):
        before, after = window
        return log_ratio(total(store, arm, KILLED, after), total(store, arm, KILLED, before)) - log_ratio(
            total(store, none, KILLED, after)[: len(store.months(arm)[KILLED])],
            total(store, none, KILLED, before)[: len(store.months(arm)[KILLED])],
        )

    return of


def cost_of_a_death(store, arm, none):
    """Return (cost, deaths averted) by seed: (n, 2)."""
    n = min(len(store.months(arm)["cost"]), len(store.months(none)["cost"]))
    dead = [total(store, a, KILLED, (1, 48))[:n] + total(store, a, "excess_deaths", (1, 48))[:n] for a in (none, arm)]
    return np.column_stack([total(store, arm, "cost", (1, 48))[:n], dead[0] - dead[1]])


def price(values):
    """Return the logarithm of US$ 1,000 per death averted."""
    cost, averted = values.mean(axis=0)
    return float(np.log(cost / averted / 1_000)) if averted > 0 else np.nan


# ------------------------------------------------------------------------------ the tests

LOCAL_WORK = "missions work nowhere (processes.task off)"
BLOODY = "in the parallel arm alone, force kills all it meets (enforce)"
T11_OFF = ("steady attacks: no campaigns, no reprisals, small events", ("none steady",))

TESTS = (
    Test("T1", "UN at 8,000-equivalent (1 per 1,000) and none: civilians killed", ratio(KILLED), ("un_8", "none"),
         "<1", (0.04, 0.60), True, "presence in reach makes attacks costlier (prey, task)",
         (LOCAL_WORK, ("un_8 absent", "none"))),
    Test("T2", "UN at 0, 1, 2, 4, 8, 16 thousand-equivalents: civilians killed, per extra 1,000",
         slope(DOSES, WINDOW), tuple(DOSES), "<1", (0.65, 0.95), True, "presence adds up (prey, task)",
         (LOCAL_WORK, ("none", "un_4 absent", "un_8 absent", "un_16 absent"))),
    Test("T2 curve", "deaths averted per 1,000 troops: from 8 to 16 thousand against from 0 to 4", averted_per_thousand,
         ("none", "un_4", "un_8", "un_16"), "<1", (), False, "presence deters in proportion P / (P + phi x)",
         reduce=returns),
    Test("T3 killed", "5,000 troops and 5,000 observers, same mandate: civilians killed", ratio(KILLED),
         ("troops", "observers"), "<1", (), True, "troops can protect, observers cannot (personnel)",
         ("observers are given the troops' abilities", ("troops", "observers like troops"))),
    Test("T3 battle", "5,000 troops and 5,000 observers: battle deaths", ratio(BATTLE), ("troops", "observers"), "<1",
         (), True, "troops can stand between fighters (fight)",
         ("observers are given the troops' abilities", ("troops", "observers like troops"))),
    Test("T3 observers", "observers and none: civilians killed", ratio(KILLED), ("observers", "none"), "", (0.8, 1.3),
         False, "observers only monitor and report"),
    Test("T3 police", "2% police among the same heads and troops only: civilians killed", ratio(KILLED),
         ("troops and police", "troops"), "<1", (), False, "police work among people (task, prey)"),
    Test("T3 police b.", "2% police and troops only: battle deaths", ratio(BATTLE), ("troops and police", "troops"), "",
         (0.9, 1.1), False, "police do not separate fighters"),
    Test("T5 rebels", "places in patrol reach and matched places of the same run: P(rebels kill) in a month",
         local("rebel"), ("un_8",), "<1", (), True, "local cost of attacking (prey)",
         (LOCAL_WORK, ("un_8 absent",)), maps=True),
    Test("T5 duration", "the same: P(fighting goes on for another month)", local("goes_on", "fighting"), ("un_8",),
         "<1", (), True, "interposition and deterrence where units are (fight, prey)", (LOCAL_WORK, ("un_8 absent",)),
         maps=True),
    Test("T5 truth", "the same places with the mission and without it (what no field study can see)", local_truth,
         ("un_8", "none"), "<1", (), False, "as T5; units go where violence is, so matching is biased",
         (LOCAL_WORK, ("un_8 absent", "none")), maps=True),
    Test("T6 UN", "parallel (20:1) and UN only, normal sizes: battle deaths", ratio(BATTLE), ("parallel", "un_only"),
         "<1", (0.5, 0.95), True, "partner coerces, UN mediates (enforce, negotiate)",
         (BLOODY, ("parallel bloody", "un_only"))),
    Test("T6 regional", "parallel and regional only, normal sizes: battle deaths", ratio(BATTLE),
         ("parallel", "regional_only"), "<1", (), True, "as above",
         (BLOODY, ("parallel bloody", "regional_only"))),
    Test("T6 same UN", "parallel and UN only, the same personnel: battle deaths", ratio(BATTLE),
         ("parallel same size", "un_only same size"), "<1", (0.5, 0.95), False, "as above"),
    Test("T6 same reg.", "parallel and regional only, the same personnel: battle deaths", ratio(BATTLE),
         ("parallel same size", "regional_only same size"), "<1", (), False, "as above"),
    Test("T7 reg. early", "regional only and none: battle deaths, months 1-6", ratio(BATTLE, (1, 6)),
         ("regional_only", "none"), "<1", (), False, "it arrives in weeks and enforces"),
    Test("T7 reg. late", "regional only and none: battle deaths, months 25-60", ratio(BATTLE, (25, 60)),
         ("regional_only", "none"), "", (), False, "no mediation, no institutions"),
    Test("T7 reg. after", "regional only and none: battle deaths in the four years after exit",
         ratio(BATTLE, (73, 120)), ("regional_only", "none"), "", (), False, "nothing outlives it"),
    Test("T7 UN early", "UN only and none: battle deaths, months 7-12 (it arrives in month 7)", ratio(BATTLE, (7, 12)),
         ("un_only", "none"), "<1", (), False, "slow build-up"),
    Test("T7 UN late", "UN only and none: battle deaths, months 25-60", ratio(BATTLE, (25, 60)), ("un_only", "none"),
         "<1", (), False, "separation, agreement, DDR"),
    Test("T7 UN after", "UN only and none: battle deaths in the four years after exit", ratio(BATTLE, (73, 120)),
         ("un_only", "none"), "<1", (), False, "agreement and institutions outlive it"),
    Test("T8", "from a cease-fire, UN at 8,000-equivalent and none: hazard that peace ends in ten years", hazard,
         ("un_8 ceasefire", "none ceasefire"), "<1", (0.15, 0.60), True,
         "guarantee, institutions, mediation, DDR (negotiate, recruit)",
         ("no politics, no DDR, and " + LOCAL_WORK, ("un_8 ceasefire powerless", "none ceasefire")),
         reduce=hazard_ratio),
    Test("T9", "UN arriving in month 1, 3, 6, 12: killed by month 24, per month of delay", slope(DELAYS, (1, 24)),
         tuple(DELAYS), ">1", (), True, "nobody is protected before anybody is there (deploy)",
         (LOCAL_WORK, tuple(f"{a} absent" for a in DELAYS))),
    Test("T11 quiet", "none: share of quiet months, against 0.5", shape(quiet), ("none",), ">1", (),
         True, "campaigns and lulls (move)", T11_OFF, note=lambda s, a: _said(s, a, _quiet_share, "quiet months", "0.5-0.9")),
    Test("T11 top 5%", "none: share of deaths in the worst 5% of months, against 0.5", shape(concentration), ("none",), ">1",
         (), True, "vigour of campaigns, heavy-tailed events (move, prey)", T11_OFF,
         note=lambda s, a: _said(s, a, _top_share, "share", "0.5 or more")),
    Test("T11 persists", "none: P(violent | violent) against P(violent | quiet)", shape(persistence), ("none",), ">1",
         (), True, "campaigns last, killing provokes (move, prey)", T11_OFF,
         note=lambda s, a: _said(s, a, _after, "P", "0.5-0.85 and 0.03-0.25")),
    Test("T11 variance", "none: variance over mean of monthly deaths, against 10 (Poisson: 1)", shape(dispersion), ("none",), ">1", (),
         True, "campaigns, heavy-tailed events", T11_OFF),
    Test("T11 bursts", "none: variation of waits between violent months, against months at random", shape(burstiness),
         ("none",), ">1", (), True, "campaigns, provocation, reprisal (move, prey)", T11_OFF),
    Test("A1 killed", "label swap: the regional force under the name of the UN: civilians killed", ratio(KILLED),
         ("regional under the name un", "regional_only"), "=1", (), True, "no rule reads a name",
         ("not the same mission after all (UN only)", ("un_only", "regional_only")), margin=ALIKE),
    Test("A1 need", "label swap: unmet need", ratio("unmet_need"), ("regional under the name un", "regional_only"),
         "=1", (), True, "no rule reads a name",
         ("not the same mission after all (UN only)", ("un_only", "regional_only")), margin=ALIKE),
    Test("A2", "placebo: a mission without a mandate that nobody attacks, and none: greatest difference in six outcomes", differences,
         ("placebo", "none"), "=1", (), True, "missions act through tasks only", ("the mandate is given", ("un_8", "none")),
         margin=1 + 1e-12),
    Test("A2 attacked", "the same placebo, but bands may attack it: deaths of its people are felt as violence",
         differences, ("placebo attacked", "none"), "=1", (), False, "violence is felt whoever dies (live)"),
    Test("A4 step T1", "half the time step: T1's ratio", ratio_of_ratios(KILLED),
         (f"un_8 {STEP}", f"none {STEP}", "un_8", "none"), "=1", (), True, "rates, not counts a step",
         ("a step of four weeks", ("un_8 four weeks", "none four weeks", "un_8", "none")), margin=SAME, raised=False),
    Test("A4 step T3", "half the time step: T3's ratio of battle deaths", ratio_of_ratios(BATTLE),
         (f"troops {STEP}", f"observers {STEP}", "troops", "observers"), "=1", (), True, "rates", margin=SAME, raised=False),
    Test("A4 step T6", "half the time step: T6's ratio to UN only", ratio_of_ratios(BATTLE),
         (f"parallel {STEP}", f"un_only {STEP}", "parallel", "un_only"), "=1", (), True, "rates", margin=SAME, raised=False),
    Test("A4 grid T1", "cells of half the side: T1's ratio", ratio_of_ratios(KILLED),
         (f"un_8 {GRID}", f"none {GRID}", "un_8", "none"), "=1", (), True, "distances in km", margin=SAME, raised=False),
    Test("A4 grid level", "cells of half the side: civilians killed without a mission", ratio(KILLED),
         (f"none {GRID}", "none"), "=1", (), False, "reach of bands and targets are per cell", margin=SAME),
)  # fmt: skip

SPILL = (0, 0.25, 0.5, 0.75, 1)
PANEL = (
    *(
        Test(f"R1 {name} {s:g}", f"separated at conflation {s:g} and integrated, same cost: {words}", of,
             (f"separated conflation {s:g}", "integrated"), expect, (), False, "hostility that spills over (judge)")
        for name, words, of, expect in (
            ("access", "access of aid teams", access, ">1"),
            ("killed", "civilians killed", ratio(KILLED, (13, 60)), ""),
        )
        for s in SPILL
    ),
    *(
        Test(f"R1 {name} {s:g}", f"separated at conflation {s:g} and integrated: {words}", of,
             (f"separated conflation {s:g}", "integrated"), "", (), False, "hostility, escorts, looting (ambush)")
        for name, words, of in (
            ("attacks", "aid workers killed", aid_attacks(False)),
            ("rate", "aid workers killed per worker present", aid_attacks(True)),
            ("need", "unmet need", ratio("unmet_need", (13, 60))),
        )
        for s in (0, 1)
    ),
    Test("R2", "conflation 1 and 0, separated: aid workers killed (access falls; do attacks?)", aid_attacks(False),
         ("separated conflation 1", "separated conflation 0"), "", (), False, "fewer teams out (relieve, ambush)"),
    Test("R3", "1,500 aid workers and none, UN at 8: killings by rebels", ratio("osv_reb"),
         ("un_8 much aid", "un_8 without aid"), ">1", (), False, "raids on stocks (ambush); no looting of civilians"),
    Test("R4", "none: killings by rebels next month, per unit of log battle deaths now", losses_then_killings, ("none",),
         ">1", (), False, "losses as a motive (prey)", ("losses are no motive", ("none without losses",))),
    Test("R4 robust", "parallel and UN only: civilians killed (battle deaths stand in T6)", ratio(KILLED),
         ("parallel", "un_only"), "", (), False, "force, bystanders, losses (enforce, prey)"),
    Test("R5", "none: newly displaced, on scope against on intensity (difference of standardised slopes)",
         scope_and_intensity, ("none",), ">1", (), False, "violence felt saturates and spreads next door (live)",
         reduce=scope_over_intensity, maps=True),
    Test("R6", "sequential: killed in the six months after the hand-over against before, compared with none",
         hand_over(((5, 10), (11, 16))), ("sequential", "none"), "", (), False, "re-hatted troops stay (deploy)",
         ("a gap of half a year", ("sequential with a gap", "none"))),
    Test("R7", "the partner leaves after three years or stays: civilians killed in the year after",
         ratio(KILLED, (37, 48)), ("partner leaves", "partner stays"), ">1", (), False, "nobody coerces any more"),
    Test("R8", "a quarter of the uniformed cut in year 3 or not: civilians killed in the 20 months after",
         ratio(KILLED, (34, 54)), ("quarter cut", "steady strength"), ">1", (), False, "less presence"),
    Test("R9", "regional at 75% of its money (resolution 2719, gap unfilled) or in full: civilians killed",
         ratio(KILLED), ("regional 2719 gap", "regional paid in full"), ">1", (), False, "pay, discipline, strength"),
    Test("R10", "UN at 8: thousand US$ per death averted, of all causes, four years", cost_of_a_death, ("un_8", "none"),
         "", (), False, "", reduce=price),
)  # fmt: skip


def _quiet_share(row):
    return [(row == 0).mean()]


def _top_share(row):
    top = max(1, round(0.05 * row.size))
    return [np.sort(row)[-top:].sum() / max(row.sum(), 1)]


def _after(row):
    v, before = row[1:] > 0, row[:-1] > 0
    return [v[before].mean() if before.any() else np.nan, v[~before].mean() if (~before).any() else np.nan]


def _said(store, arm, measure, what, expected):
    found = np.nanmean([measure(row) for row in store.months(arm)[KILLED][:, BURN_IN:]], axis=0)
    return f"{what} {' and '.join(f'{x:.2f}' for x in found)} (expected {expected})"


# ------------------------------------------------------------------------------ judging


def judged(store, test):
    """Return a row of the scorecard from stored runs."""
    values = test.of(store, *test.arms)
    estimate, low, high = checks.bootstrap(values, test.reduce)
    row = {"test": test.key, "compared": test.claim, "seeds": len(values), "estimate": _exp(estimate),
           "low": _exp(low), "high": _exp(high), "expected": test.expect, "band": test.band,
           "verdict": checks.verdict(low, high, test.expect, test.margin) if test.can_fail else "REPORT"}  # fmt: skip
    said = []
    if test.band and not test.band[0] <= row["estimate"] <= test.band[1]:
        said.append(f"outside the expected {test.band[0]:g} to {test.band[1]:g}")
    if test.note:
        said.append(test.note(store, *test.arms))
    row |= {"mechanism": test.mechanism, "off": "", "off_estimate": np.nan, "off_low": np.nan, "off_high": np.nan,
            "off_verdict": ""}  # fmt: skip
    if test.off:
        what, arms = test.off
        e, lo, hi = checks.bootstrap(test.of(store, *arms), test.reduce)
        row |= {"off": what, "off_estimate": _exp(e), "off_low": _exp(lo), "off_high": _exp(hi),
                "off_verdict": checks.verdict(lo, hi, test.expect or "=1", test.margin or SAME)}  # fmt: skip
    return row | {"remark": "; ".join(said)}


def _exp(x):
    return float(np.exp(x)) if np.isfinite(x) else float("nan") if np.isnan(x) else float(np.exp(np.sign(x) * 50))


def jointly(rows):
    """T6 fails only if parallel is significantly worse than both, and passes if it is better than both."""
    pair = [r for r in rows if r["test"] in ("T6 UN", "T6 regional")]
    if len(pair) == 2:
        alike = {r["verdict"] for r in pair}
        for key in ("verdict", "off_verdict"):
            alike = {r[key] for r in pair}
            for r in pair:
                r[key] = alike.pop() if len(alike) == 1 else "INCONCLUSIVE"
                alike = {r[key]} if len(alike) == 0 else alike
    return rows


def forbidden(names):
    """Return the settings whose name joins a kind of mission with an effect: there must be none."""
    kinds = {
        w for group in ("mission", "mandate", "force") for f in (CONF / group).glob("*.yaml") for w in f.stem.split("_")
    }
    kinds -= {"only", "equal", "support", "history", "none", "car", *params.TASKS}
    effects = ("bonus", "malus", "effect", "factor", "boost", "gain", "advantage", "multiplier", "penalty", "weight",
               "quality", "success", "violence", "deaths")  # fmt: skip
    words = {name: set(name.replace(".", "_").split("_")) for name in names}
    return sorted(name for name, w in words.items() if w & kinds and w & set(effects))


def no_stored_answers():
    """Return row A3: no setting is an effect on violence by type of mission; the scan finds one that is planted."""
    names = [name for name, *_ in params.rows()]
    found, planted = forbidden(names), forbidden([*names, "prey.parallel_bonus"])
    verdict = "FAIL" if found else "PASS"
    return {"test": "A3", "compared": f"settings that are an effect of a type of mission, among {len(names)}", "seeds": 0,
            "estimate": float(len(found)), "low": np.nan, "high": np.nan, "expected": "none", "band": (),
            "verdict": verdict, "mechanism": "mission models are data", "off": "prey.parallel_bonus is planted",
            "off_estimate": float(len(planted)), "off_low": np.nan, "off_high": np.nan,
            "off_verdict": "FAIL" if planted else "PASS", "remark": ", ".join(found)}  # fmt: skip


def not_too_kind(store):
    """Return the row that asks for failures: in some worlds a mission must do worse than none."""
    n = min(len(store.months(a)[KILLED]) for a in ("un_8", "none"))
    worse = (total(store, "un_8", KILLED)[:n] > total(store, "none", KILLED)[:n]).astype(float)
    share, low, high = checks.bootstrap(worse, lambda v: float(v.mean()))
    return {"test": "Failure", "compared": "share of seeds in which UN at 8 does worse than none, civilians killed",
            "seeds": n, "estimate": share, "low": low, "high": high, "expected": "above 0", "band": (),
            "verdict": "REPORT", "mechanism": "Rwanda: catastrophe must be possible", "off": "", "off_estimate": np.nan,
            "off_low": np.nan, "off_high": np.nan, "off_verdict": "",
            "remark": "" if share > 0 else "warning: the model is too kind"}  # fmt: skip


def inputs(store):
    """Return the rows that check inputs of T9: how fast forces build up, and how far."""
    rows = []
    for key, arm, words, expected in (
        ("T9 UN peak", "un_8", "months from first arrival to peak strength", "7-12 months"),
        ("T9 reg. peak", "regional_only", "months from first arrival to peak strength", "1-3 months"),
    ):
        troops = store.months(arm)["troops"][:, :48]
        first = (troops > 0).argmax(axis=1)
        peak = (troops >= 0.97 * troops.max(axis=1, keepdims=True)).argmax(axis=1)
        months = (peak - first + 1).astype(float)
        e, low, high = checks.bootstrap(months)
        share = np.median(troops.max(axis=1)) / sum(
            c.personnel.troops for c in store.params[arm].mission.components.values()
        )
        rows.append({"test": key, "compared": f"{arm}: {words}", "seeds": len(months), "estimate": e, "low": low,
                     "high": high, "expected": expected, "band": (), "verdict": "REPORT",
                     "mechanism": "readiness and build-up (input)", "off": "", "off_estimate": np.nan,
                     "off_low": np.nan, "off_high": np.nan, "off_verdict": "",
                     "remark": f"peak {share:.0%} of authorised troops; months after authorisation: {int(np.median(first))}"})  # fmt: skip
    return rows


def wanted(tests, seeds, more=None, off=True):
    """Return the runs that tests need: dict of (arm, months of maps) -> seeds."""
    need = {}
    for t in tests:
        for arm in (*t.arms, *(t.off[1] if t.off and off else ())):
            months = CELL_MONTHS if t.maps else ()
            n = max(more or 0, seeds)
            need[arm, ()] = max(need.get((arm, ()), 0), n)
            if months:
                need[arm, months] = max(need.get((arm, months), 0), n)
    return need


def scorecard(store, tests=TESTS + PANEL, seeds=30, more=100):
    """Do what is missing and return the scorecard: a data frame, one row a test.

    Parameters
    ----------
    store : checks.Store; tests : of this module; seeds : at first
    more : seeds of those rows that can fail and are inconclusive then
    """
    store.run(wanted(tests, seeds), "validation")
    rows = {t.key: judged(store, t) for t in tests}
    again = [t for t in tests if rows[t.key]["verdict"] == "INCONCLUSIVE" and t.raised]
    if again and more > seeds:
        store.run(wanted(again, seeds, more, off=False), "inconclusive rows, more seeds")
        rows |= {t.key: judged(store, t) for t in again}
    out = list(rows.values())
    keys = set(rows)
    jointly(out)
    out.append(no_stored_answers())
    if "T1" in keys:
        out.append(not_too_kind(store))
    if {"T1", "T7 reg. early"} <= keys:
        out += inputs(store)
    return pd.DataFrame(sorted(out, key=lambda r: _order(r["test"])))


def _order(key):
    """Sort T1 .. T11, A1 .. A4, R1 .. R10, the rest."""
    word = key.split()[0]
    kind = "TAFR".find(word[0])
    digits = "".join(c for c in word if c.isdigit())
    return kind, int(digits or 99)


# ------------------------------------------------------------------------------ writing


def number(x):
    """Return a ratio in three digits."""
    return "" if not np.isfinite(x) else f"{x:.3g}" if x < 100 else f"{x:,.0f}"


def readable(table):
    """Return the scorecard in Markdown."""

    def between(r, a, lo, hi):
        inside = f" [{number(r[lo])}, {number(r[hi])}]" if np.isfinite(r[lo]) else ""
        return f"{number(r[a])}{inside}" if np.isfinite(r[a]) else ""

    rows = []
    for _, r in table.iterrows():
        band = f" ({r.band[0]:g} to {r.band[1]:g})" if len(r.band) else ""
        off = f"{r.off}: {between(r, 'off_estimate', 'off_low', 'off_high')} {r.off_verdict}" if r.off else ""
        rows.append({"test": r.test, "compared": r.compared, "seeds": r.seeds,
                     "estimate [95%]": between(r, "estimate", "low", "high"), "expected": f"{r.expected}{band}",
                     "verdict": f"**{r.verdict}**" if r.verdict != "REPORT" else "report",
                     "mechanism": r.mechanism, "with it off, or wrong": off, "remark": r.remark})  # fmt: skip
    return checks.markdown(pd.DataFrame(rows))


def write(table, store, seconds, about):
    """Write the scorecard: CSV, Markdown, figure, and what made them."""
    from experiments.evaluation.scorecard import forest  # a figure: not needed to judge

    put = store.folder
    flat = table.assign(band=[" to ".join(f"{b:g}" for b in x) for x in table.band])
    results.whole_file(put / "scorecard.csv", lambda f: flat.to_csv(f, index=False, float_format="%.6g"))
    count = table.verdict.value_counts()
    head = (
        f"# Scorecard\n\n{about['question']}\n\n"
        f"{', '.join(f'{count.get(v, 0)} {v}' for v in ('PASS', 'FAIL', 'INCONCLUSIVE', 'REPORT'))}. "
        "Estimates are ratios (1: no effect) unless a row says otherwise; the median of paired log ratios with its 95% "
        "bootstrap interval. T4, T10 and T12 are not in the list of tests.\n\n"
    )
    results.whole_file(put / "scorecard.md", lambda f: f.write_text(head + readable(table), encoding="utf-8"))
    figure = forest(table)
    results.whole_file(put / "scorecard.png", lambda f: figure.savefig(f, dpi=150))
    made = {"overrides": list(store.overrides), "seconds_of_this_session": round(seconds, 1),
            "runs_of_this_session": store.done, **results.provenance()}  # fmt: skip
    results.whole_file(put / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(made, sort_keys=False)))
    say(f"{readable(table[['test'] + [c for c in table if c != 'test']])}\nresults: {put}")


def evaluate(overrides=(), workers=1, folder="results/validation", tests=TESTS + PANEL, seeds=None, more=None):
    """Run the validation and write it."""
    about = checks.design("validation")
    start = time.perf_counter()
    store = checks.Store(about, Path(folder), tuple(overrides), workers)
    table = scorecard(store, tests, seeds or about["seeds"], more or about["more_seeds"])
    write(table, store, time.perf_counter() - start, about)
    return table


def main(words=None):
    """Do what the command line says."""
    evaluate(*checks.arguments("validation", words, __doc__))
