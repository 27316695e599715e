"""What the tests of the scorecard measure in the monthly panels of runs.

A measure is a function of (store, *arms) that returns an array with a row a seed; a few need a second function, of such
an array to one number, where a median over seeds is not what is wanted. Months are counted from 1.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.drawing.estimates import NO_DEATHS, log_ratio
from experiments.engine.experiment import Experiment
from sim.outcomes import UCDP_DEATHS

Months = tuple[int, int]  # first and last, counted from 1
Measure = Callable[..., Any]  # of (store, *arms): (seeds, ...), or two of these
BURN_IN = 12  # months
WINDOW = (13, 48)  # the common protocol: three years after the burn-in
LONG = (13, 60)
KILLED, BATTLE = "civilians_killed", "brd"
CLEARLY = 10  # times the variance of a Poisson law: clearly more than that
WAR = 1_000  # battle deaths in twelve months that make a war again (Correlates of War, as in Fortna 2004)


def total(store: Experiment, arm: str, column: str, window: Months = WINDOW) -> NDArray[np.float64]:
    """Return a column summed over months first..last: (seeds,)."""
    first, last = window
    return store.months(arm)[column][:, first - 1 : last].sum(axis=1)


def mean(store: Experiment, arm: str, column: str, window: Months = WINDOW) -> NDArray[np.float64]:
    """Return a column averaged over months first..last that have a number; nan if none has."""
    first, last = window
    part = store.months(arm)[column][:, first - 1 : last]
    known = np.isfinite(part)
    return np.where(known, part, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)


def paired(*arrays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return arrays of the seeds that all have: (arrays, seeds)."""
    n = min(map(len, arrays))
    return np.array([a[:n] for a in arrays])


# ------------------------------------------------------------------------------ ratios and slopes


def ratio(column: str, window: Months = WINDOW) -> Measure:
    """Measure the paired log ratio of a column in two arms."""
    return lambda store, a, b: log_ratio(total(store, a, column, window), total(store, b, column, window))


def answered(store: Experiment, arm: str) -> NDArray[np.float64]:
    """Measure in how many attacks on civilians a mission is to be expected to step in, and all of them: (seeds, 2)."""
    first, last = WINDOW
    attacks, share = (store.months(arm)[column][:, first - 1 : last] for column in ("attacks", "answered"))
    return np.column_stack([np.nansum(attacks * share, axis=1), attacks.sum(axis=1)])


def pooled(values: NDArray[np.float64]) -> float:
    """Return the share of all in all runs together, for a quiet run may have none; values : (n, 2) of these, of all."""
    part, whole = values.sum(axis=0)
    return float(part / whole) if whole > 0 else np.nan


def ratio_of_means(*columns: str, window: Months = LONG) -> Measure:
    """Measure the paired log ratio of the means of some columns together in two arms."""

    def together(store, arm):
        return np.sum([mean(store, arm, column, window) for column in columns], axis=0)

    def of(store, a, b):
        return np.subtract(*np.log(paired(*(together(store, arm) for arm in (a, b)))))

    return of


def slope(numbers: Collection[float], window: Months = WINDOW) -> Measure:
    """Measure the slope of log deaths on a number of each arm, seed by seed, by least squares.

    Parameters
    ----------
    numbers : one for each arm
    """

    def of(store, *arms):
        x = np.array([*numbers], float)
        x -= x.mean()
        y = np.log(paired(*(total(store, arm, KILLED, window) for arm in arms)) + NO_DEATHS)
        return (x[:, None] * y).sum(axis=0) / (x**2).sum()

    return of


def log_median(values: NDArray[np.float64]) -> float:
    """Return the logarithm of the median of counts; values : (n,)."""
    return float(np.log(np.median(values) + NO_DEATHS))


def log_mean(values: NDArray[np.float64]) -> float:
    """Return the logarithm of the mean of counts, for few whole numbers, whose median is one; values : (n,)."""
    return float(np.log(np.mean(values)))


def trend(of: Callable[[Experiment, str], NDArray[np.float64]], numbers: Collection[float]) -> Measure:
    """Measure the slope of what each run of an arm has on a number of that arm, seed by seed, by least squares.

    Parameters
    ----------
    of : function of (store, arm) to an array with a row a seed; numbers : one for each arm
    """

    def slope_of(store, *arms):
        x = np.array([*numbers], float)
        x -= x.mean()
        return (x[:, None] * paired(*(of(store, arm) for arm in arms))).sum(axis=0) / (x**2).sum()

    return slope_of


def change(measure: Measure, count: int) -> Measure:
    """Measure how another step or grid changes what is measured: the first `count` arms against the others.

    Another step is other luck, so the two are not pairs: they are returned apart.
    """
    return lambda store, *arms: (measure(store, *arms[:count]), measure(store, *arms[count:]))


def differences(store: Experiment, a: str, b: str) -> NDArray[np.float64]:
    """Measure the log ratio of two arms in that of six outcomes in which it is furthest from zero."""
    names = (KILLED, BATTLE, "excess_deaths", "idps", "refugees", "unmet_need")
    each = np.array([log_ratio(total(store, a, c), total(store, b, c)) for c in names])
    return np.take_along_axis(each, np.abs(each).argmax(axis=0)[None], axis=0)[0]


def deaths_by_dose(store: Experiment, *arms: str) -> NDArray[np.float64]:
    """Measure civilians killed in arms of rising strength: (n, arms)."""
    return paired(*(total(store, arm, KILLED) for arm in arms)).T


def diminishing(values: NDArray[np.float64]) -> float:
    """Return how many more deaths 0 to 4 than 8 to 16 thousand troops avert, per thousand, as a share of those without.

    Parameters
    ----------
    values : (n, 4) killed with 0, 4, 8, 16 thousand
    """
    none, four, eight, sixteen = values.mean(axis=0)
    return float(((none - four) / 4 - (eight - sixteen) / 8) / none) if none > 0 else np.nan


# ------------------------------------------------------------------------------ peace


def peace(panel: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return (ended 0/1, months at risk) of the first peace of each run: (seeds, 2).

    It begins with the agreement; it ends when the agreement is left, or with 1,000 battle deaths in the twelve months
    before, as far as they are of the peace. A run without an agreement has nan and zero.
    """
    rows = []
    for signed, dead in zip(panel["agreement"] > 0, panel[BATTLE], strict=True):
        if not signed.any():
            rows.append((np.nan, 0.0))
            continue
        start = int(signed.argmax())
        of_peace = np.where(np.arange(dead.size) > start, dead, 0.0)
        sums = np.r_[0.0, of_peace.cumsum()]
        year = sums[1:] - sums[np.maximum(np.arange(dead.size) - 11, 0)]
        over = np.flatnonzero((~signed | (year >= WAR)) & (np.arange(dead.size) > start))
        rows.append((1.0, over[0] - start) if over.size else (0.0, dead.size - 1.0 - start))
    return np.array(rows)


def months_to_agreement(store: Experiment, arm: str) -> NDArray[np.float64]:
    """Measure the month of the first agreement, counted from 0; all months of the run where there was none."""
    signed = store.months(arm)["agreement"] > 0
    return np.where(signed.any(axis=1), signed.argmax(axis=1), signed.shape[1]).astype(float)


def years_at_war(store: Experiment, arm: str) -> NDArray[np.float64]:
    """Measure the years of each run with at least 25 battle-related deaths (UCDP)."""
    dead = store.months(arm)[BATTLE]
    whole = dead[:, : dead.shape[1] // 12 * 12].reshape(len(dead), -1, 12)
    return (whole.sum(axis=2) >= UCDP_DEATHS).sum(axis=1).astype(float)


def hazard(store: Experiment, a: str, b: str) -> NDArray[np.float64]:
    """Measure the end of peace in two arms: (n, 4), ended and months at risk of each."""
    return np.hstack([*paired(peace(store.months(a)), peace(store.months(b)))])


def hazard_ratio(values: NDArray[np.float64]) -> float:
    """Return the log ratio of the two hazards that peace ends, each constant: ends per month at risk.

    Parameters
    ----------
    values : (n, 4) ended and months at risk in one arm and the other
    """
    ended, months = np.nansum(values[:, [0, 2]], axis=0) + 0.5, np.nansum(values[:, [1, 3]], axis=0) + 1
    return float(np.log(ended[0] / months[0]) - np.log(ended[1] / months[1]))


def relapsed(rows: NDArray[np.float64], years: float = 10) -> float:
    """Return the share of peaces that end within some years, by Kaplan and Meier: 0..1.

    Parameters
    ----------
    rows : (n, 2) ended, months at risk
    """
    rows = rows[np.isfinite(rows[:, 0])]
    kept = 1.0
    for month in np.unique(rows[(rows[:, 0] > 0) & (rows[:, 1] <= 12 * years), 1]):
        kept *= 1 - (rows[:, 0] * (rows[:, 1] == month)).sum() / (rows[:, 1] >= month).sum()
    return float(1 - kept) if len(rows) else np.nan


# ------------------------------------------------------------------------------ shape


def shape(of_run: Callable[[NDArray[np.float64]], float]) -> Measure:
    """Measure something of each run's monthly civilians killed, after the burn-in."""
    return lambda store, arm: np.array([of_run(row) for row in store.months(arm)[KILLED][:, BURN_IN:]])


def quiet(row: NDArray[np.float64]) -> float:
    """Return the share of quiet months."""
    return (row == 0).mean()


def concentration(row: NDArray[np.float64]) -> float:
    """Return the share of deaths in the worst 5% of months."""
    worst = max(1, round(0.05 * row.size))
    return np.sort(row)[-worst:].sum() / row.sum() if row.sum() > 0 else np.nan


def after_violence(row: NDArray[np.float64]) -> float:
    """Return P(violent month | violent month before); nan if there was none."""
    after = row[1:][row[:-1] > 0]
    return (after > 0).mean() if after.size else np.nan


def after_quiet(row: NDArray[np.float64]) -> float:
    """Return P(violent month | quiet month before); nan if there was none."""
    after = row[1:][row[:-1] == 0]
    return (after > 0).mean() if after.size else np.nan


def persistence(row: NDArray[np.float64]) -> float:
    """Return the log ratio of these two; zero where every month is alike."""
    before = row[:-1] > 0
    if not before.any() or before.all():
        return 0.0
    return np.log((after_violence(row) + 0.01) / (after_quiet(row) + 0.01))


def dispersion(row: NDArray[np.float64]) -> float:
    """Return the logarithm of variance over mean of monthly deaths, over ten: a Poisson law has log(1/10)."""
    return np.log(row.var(ddof=1) / row.mean() / CLEARLY) if row.mean() > 0 else np.nan


def burstiness(row: NDArray[np.float64]) -> float:
    """Return (s - m) / (s + m) of the waits between violent months (Goh & Barabasi 2008): -1..1; above 0 is bursty."""
    waits = np.diff(np.flatnonzero(row > 0))
    return (waits.std(ddof=1) - waits.mean()) / (waits.std(ddof=1) + waits.mean()) if waits.size > 2 else np.nan


# ------------------------------------------------------------------------------ the reported panel


def attack_rate(store: Experiment, a: str, b: str) -> NDArray[np.float64]:
    """Measure the log ratio of aid workers killed per worker present."""
    staff = paired(*(total(store, arm, "humanitarian_staff", LONG) for arm in (a, b)))
    return ratio("aid_workers_killed", LONG)(store, a, b) - np.log(staff[0] / staff[1])


def losses_then_killings(store: Experiment, arm: str) -> NDArray[np.float64]:
    """Measure the slope of next month's killings by rebels on battle deaths now, given killings now (logarithms)."""
    panel, out = store.months(arm), []
    for brd, osv in zip(panel[BATTLE][:, BURN_IN:48], panel["osv_reb"][:, BURN_IN:48], strict=True):
        x = np.column_stack([np.ones(brd.size - 1), np.log1p(brd[:-1]), np.log1p(osv[:-1])])
        out.append(np.linalg.lstsq(x, np.log1p(osv[1:]), rcond=None)[0][1])
    return np.array(out)


def jump(before: Months, after: Months) -> Measure:
    """Measure killings in a window after against one before, in an arm against a reference."""

    def of(store, arm, none):
        step = [log_ratio(total(store, a, KILLED, after), total(store, a, KILLED, before)) for a in (arm, none)]
        return np.subtract(*paired(*step))

    return of


def cost_and_averted(store: Experiment, arm: str, none: str) -> NDArray[np.float64]:
    """Measure (thousand US$, deaths averted of all causes) in four years: (n, 2)."""
    window = (1, 48)
    dead = [total(store, a, KILLED, window) + total(store, a, "excess_deaths", window) for a in (none, arm)]
    return np.column_stack([*paired(total(store, arm, "cost", window) / 1e3, np.subtract(*paired(*dead)))])


def price(values: NDArray[np.float64]) -> float:
    """Return the mean cost over the mean deaths averted; nan where none were."""
    cost, averted = values.mean(axis=0)
    return float(cost / averted) if averted > 0 else np.nan


def worse(column: str) -> Measure:
    """Measure whether an arm does worse than another: 0 or 1."""
    return lambda store, a, b: np.greater(*paired(total(store, a, column), total(store, b, column))).astype(float)


def share(values: NDArray[np.float64]) -> float:
    """Return the mean of zeros and ones."""
    return float(np.mean(values))


def months_to_peak(column: str) -> Measure:
    """Measure the month, counted from the mandate in month 0, by which a personnel is at 97% of its peak."""

    def of(store, arm):
        there = store.months(arm)[column][:, :48]
        return (there >= 0.97 * there.max(axis=1, keepdims=True)).argmax(axis=1) + 1.0

    return of
