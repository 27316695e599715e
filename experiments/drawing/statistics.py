"""What may be said of a few runs: means, differences in pairs, and how sure they are.

Question: does one mission model do better than another, or were its seeds only luckier?

Things to notice: runs with the same seed share the same world and the same luck, whatever the mission, so models are
compared seed by seed. Violence is heavy-tailed: single runs differ more than models do, and the difference within a
pair is much steadier than the difference of two means (`pairing_gain` says how much).

Things to try: halve the seeds and see which differences survive; compare the share of seeds that are worse with
the mean difference: a mission may help on average and harm in a third of the worlds.

All intervals are 95% intervals of a mean, by Student's t. With ten seeds a bootstrap would need no distribution
but gives intervals that are too short; t errs less there, and from thirty seeds on the two agree. The interval of a
mean that cannot be below zero (`level`) is taken on the scale of logarithms, that of a share on that of log odds, so
that none reaches where nothing can be. Means of heavy tails say little alone: `summary` has quantiles beside them.
Many comparisons at once are judged by `family`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim.outcomes import unit_and_meaning
from sim.values import closest

# 97.5% quantiles of Student's t, for 1 to 30, 40, 60, 120 and infinitely many degrees of freedom.
T_FREEDOM = np.array([*range(1, 31), 40, 60, 120, np.inf])
T_QUANTILE = np.array([
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 2.021, 2.000,
    1.980, 1.960,
])  # fmt: skip

# More of these is better; of everything else, less is.
GOODS = ("access", "freedom", "trust", "informed", "consent", "commitment", "institutions", "mandate_weeks", "deterred",
         "answered", "peace_")  # fmt: skip
KEYS = ("arm", "seed")
PAIRED = ("n", "difference", "low", "high", "worse_share")
ALL_DEATHS = "deaths"
SUMMARY = (
    "arm", "outcome", "n", "mean", "low", "high", "tenth", "median", "ninetieth", "difference", "diff_low", "diff_high",
    "ratio", "ratio_low", "ratio_high", "worse_share", "worse_low", "worse_high",
)  # fmt: skip


def t_quantile(freedom: ArrayLike) -> NDArray[np.float64]:
    """Return the 97.5% quantile of Student's t; nan below one degree of freedom.

    Parameters
    ----------
    freedom : float or array, degrees of freedom
    """
    freedom = np.asarray(freedom, dtype=float)
    inverse = 1 / np.maximum(freedom, 1)
    # Between two rows of a table, the quantile is nearly linear in the inverse of the degrees of freedom.
    return np.where(freedom >= 1, np.interp(inverse, 1 / T_FREEDOM[::-1], T_QUANTILE[::-1]), np.nan)


def half_width(spread: Any, n: Any) -> Any:
    """Return half of the 95% interval of a mean, by Student's t; nan of one value or none.

    Parameters
    ----------
    spread : standard deviation of the values, or many of them; n : how many values each is of
    """
    return t_quantile(n - 1) * spread / np.sqrt(np.maximum(n, 1))


def good(outcome: str) -> int:
    """Return 1 where more of an outcome is better, -1 where less is."""
    return 1 if outcome.startswith(GOODS) else -1


def interval(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean of some values and its 95% interval.

    Parameters
    ----------
    values : (n,) float, nan is left out

    Returns
    -------
    (mean, low, high); nan where there is no value, low and high nan where there is only one
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    n = values.size
    if n < 2:
        return (float(values[0]) if n else np.nan), np.nan, np.nan
    half = half_width(values.std(ddof=1), n)
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def level(values: ArrayLike, share: bool = False) -> tuple[float, float, float]:
    """Return the mean of values that cannot be below zero and its 95% interval, which does not go below it either.

    Parameters
    ----------
    values : (n,) float >= 0, nan is left out; share : bool, whether they cannot be above 1 either

    Returns
    -------
    (mean, low, high), by Student's t on the logarithm of the mean, or on its log odds; where all shares are zero, or
    all are one, by Wilson's interval
    """
    values = np.asarray(values, dtype=float)
    mean, low, high = interval(values)
    if not np.isfinite(low) or (mean <= 0 and not share):
        return mean, low, high
    if np.nanmin(values) < 0:
        raise ValueError(f"{np.nanmin(values):g} is below zero; use `interval`")
    half = high - mean
    if not share:
        return mean, float(mean * np.exp(-half / mean)), float(mean * np.exp(half / mean))
    if not 0 < mean < 1:
        n = int(np.isfinite(values).sum())
        reach = float(t_quantile(n - 1)) ** 2 / n
        return (mean, 0.0, reach / (1 + reach)) if mean <= 0 else (mean, 1 / (1 + reach), 1.0)
    odds, half = np.log(mean / (1 - mean)), half / (mean * (1 - mean))
    return mean, float(1 / (1 + np.exp(half - odds))), float(1 / (1 + np.exp(-half - odds)))


def require(names: Iterable[object], there: Iterable[object], kind: str = "arm") -> None:
    """Refuse names that a table does not have, and say which it has.

    Parameters
    ----------
    names : iterable of str, wanted; there : iterable of str, at hand; kind : str, what they name
    """
    there = list(dict.fromkeys(there))
    missing = [name for name in names if name not in there]
    if missing:
        meant = f" (did you mean {hint}?)" if (hint := closest(missing[0], there)) else ""
        raise ValueError(
            f"No {kind} {', '.join(map(repr, missing))} in the table{meant}, which has: {', '.join(map(str, there))}"
        )


def pairs(runs: pd.DataFrame, outcome: str, baseline: str) -> pd.DataFrame:
    """Return each seed's difference from the baseline.

    Parameters
    ----------
    runs : DataFrame: arm, seed and the outcome; outcome : str, a column; baseline : str, an arm

    Returns
    -------
    DataFrame, one row per seed, one column per other arm, in the order of the table
    """
    require([baseline], runs["arm"])
    require([outcome], runs.columns, kind="outcome")
    values = runs.pivot(index="seed", columns="arm", values=outcome)[list(dict.fromkeys(runs["arm"]))]
    return values.sub(values[baseline], axis=0).drop(columns=baseline)


def paired(differences: pd.Series, outcome: str) -> tuple[int, float, float, float, float]:
    """Return what some differences in pairs say: how many there are, their mean, its 95% interval, the share of worse.

    Parameters
    ----------
    differences : Series of an outcome, one a pair, nan is left out
    """
    found = differences.dropna()
    return len(found), *interval(found), (good(outcome) * found < 0).mean() if len(found) else np.nan


def paired_differences(runs: pd.DataFrame, outcome: str, baseline: str) -> pd.DataFrame:
    """Return the mean difference of each arm from the baseline, seed by seed.

    Parameters
    ----------
    runs : DataFrame: arm, seed and the outcome; outcome : str, a column; baseline : str, an arm

    Returns
    -------
    DataFrame indexed by arm: n (pairs), difference, low, high (95% interval by Student's t) and worse_share, the share
    of pairs in which the arm did worse than the baseline
    """
    rows = {arm: paired(column, outcome) for arm, column in pairs(runs, outcome, baseline).items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=PAIRED).rename_axis("arm")


def pairing_gain(runs: pd.DataFrame, outcome: str, a: str, b: str) -> float:
    """Return how many times fewer runs a comparison in pairs needs than one of independent runs.

    Parameters
    ----------
    runs : DataFrame: arm, seed and the outcome; outcome : str, a column; a, b : str, two arms

    Returns
    -------
    float, variance of the unpaired difference over that of the paired one; 1 = pairing is of no use, inf = the
    difference is the same in all pairs, nan = fewer than two pairs
    """
    require([a, b], runs["arm"])
    require([outcome], runs.columns, kind="outcome")
    both = runs.pivot(index="seed", columns="arm", values=outcome)[[a, b]].dropna()
    if len(both) < 2:
        return np.nan
    paired, unpaired = (both[a] - both[b]).var(), both[a].var() + both[b].var()
    return float(unpaired / paired) if paired > 0 else np.inf


def cost_per_death_averted(runs: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Return what it cost to avert one death, violent or not, against the paired runs of the baseline.

    Parameters
    ----------
    runs : DataFrame: arm, seed, cost (US$) and deaths; baseline : str, an arm

    Returns
    -------
    DataFrame indexed by arm: mean, low, high, US$ per death. The mean is the mean cost over the mean number
    averted; the interval is Fieller's. nan where no death was averted on average; a high of inf where the
    deaths averted are not surely more than none.
    """
    averted, cost = -pairs(runs, ALL_DEATHS, baseline), pairs(runs, "cost", baseline)
    rows = {arm: fieller(cost[arm].to_numpy(float), averted[arm].to_numpy(float)) for arm in averted}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"]).rename_axis("arm")


def fieller(above: NDArray[np.float64], below: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the ratio of two paired means and Fieller's 95% interval of it; nan if the mean below is not above 0."""
    fine = np.isfinite(above) & np.isfinite(below)
    above, below = above[fine], below[fine]
    n = above.size
    if not n or below.mean() <= 0:
        return np.nan, np.nan, np.nan
    mean = float(above.mean() / below.mean())
    if n < 2:
        return mean, np.nan, np.nan
    # The ratios k for which the mean of above - k * below does not differ from zero: a k^2 - 2 b k + c <= 0.
    spread = float(t_quantile(n - 1)) ** 2 / n * np.cov(below, above)
    a = below.mean() ** 2 - spread[0, 0]
    b = below.mean() * above.mean() - spread[0, 1]
    c = above.mean() ** 2 - spread[1, 1]
    inside = b**2 - a * c
    if a > 0:
        return mean, float((b - np.sqrt(max(inside, 0))) / a), float((b + np.sqrt(max(inside, 0))) / a)
    low = (b - np.sqrt(inside)) / a if a < 0 <= inside else -np.inf
    return mean, float(low), np.inf


def summary(runs: pd.DataFrame, baseline: str, outcomes: Iterable[str] | None = None) -> pd.DataFrame:
    """Return all outcomes of all arms in one tidy table.

    Parameters
    ----------
    runs : DataFrame, one row per arm and seed, one column per outcome; baseline : str, an arm
    outcomes : list of str; none: all columns that are numbers

    Returns
    -------
    DataFrame, one row per arm and outcome: arm, outcome, n, mean, low, high, tenth, median, ninetieth (quantiles of
    seeds), difference, diff_low, diff_high, ratio, ratio_low, ratio_high (of means, in pairs), worse_share and its
    bounds over all pairings. Differences are from the baseline, in pairs, and nan for the baseline itself. Where runs
    have cost and deaths, the outcome cost_per_death_averted (US$) is added.
    """
    require([baseline], runs["arm"])
    numbers = [c for c in runs.select_dtypes("number").columns if c not in KEYS]
    rows = []
    for outcome in numbers if outcomes is None else outcomes:
        against = paired_differences(runs, outcome, baseline)
        share = unit_and_meaning(outcome)[0] in ("share", "0/1")
        values = runs.pivot(index="seed", columns="arm", values=outcome)
        for arm in dict.fromkeys(runs["arm"]):
            found = values[arm].dropna()
            row = {"arm": arm, "outcome": outcome, "n": len(found)}
            row |= dict(zip(("mean", "low", "high"), level(found, share), strict=True))
            if len(found):
                row |= dict(zip(("tenth", "median", "ninetieth"), np.quantile(found, (0.1, 0.5, 0.9)), strict=True))
            if arm != baseline:
                d = against.loc[arm]
                row |= {"difference": d.difference, "diff_low": d.low, "diff_high": d.high}
                of_means = ratio(values[arm], values[baseline])
                row |= dict(zip(("ratio", "ratio_low", "ratio_high"), of_means, strict=True))
                bounds = worse_bounds(values[arm], values[baseline], good(outcome) < 0)
                row |= {"worse_share": d.worse_share, "worse_low": bounds[0], "worse_high": bounds[2]}
            rows.append(row)
    if {"cost", ALL_DEATHS} <= set(runs.columns):
        pairs_of = pairs(runs, ALL_DEATHS, baseline).notna().sum()
        prices = cost_per_death_averted(runs, baseline).iterrows()
        rows += [{"arm": a, "outcome": "cost_per_death_averted", "n": int(pairs_of[a]), **p} for a, p in prices]
    return pd.DataFrame(rows, columns=SUMMARY)


def ratio(arm: ArrayLike, baseline: ArrayLike) -> tuple[float, float, float]:
    """Return the ratio of two paired means of what cannot be below zero and its 95% interval.

    Parameters
    ----------
    arm, baseline : (n,) float; a pair with a nan is left out

    Returns
    -------
    (ratio, low, high), by Student's t on the logarithm; nan where one mean is zero
    """
    above, below = (np.asarray(v, dtype=float) for v in (arm, baseline))
    fine = np.isfinite(above) & np.isfinite(below)
    above, below = above[fine], below[fine]
    if not fine.any() or min(above.mean(), below.mean()) <= 0:
        return np.nan, np.nan, np.nan
    found, n = float(above.mean() / below.mean()), above.size
    if n < 2:
        return found, np.nan, np.nan
    spread = (above / above.mean() - below / below.mean()).std(ddof=1)
    half = half_width(spread, n)
    return found, float(found * np.exp(-half)), float(found * np.exp(half))


def worse_bounds(arm: ArrayLike, baseline: ArrayLike, less_is_better: bool = True) -> tuple[float, float, float]:
    """Return bounds on the share of worlds in which an arm does worse than the baseline, and that without pairing.

    How often one does worse depends on which of its worlds is held against which of the other's; that is a matter of
    how luck is keyed, not of what is simulated. Whatever the pairing, the share lies between these (Makarov 1982).

    Parameters
    ----------
    arm, baseline : (n,) float, nan is left out; less_is_better : bool

    Returns
    -------
    (low, independent, high), shares
    """
    sign = 1 if less_is_better else -1
    a, b = (np.sort(sign * np.asarray(x, dtype=float)[np.isfinite(x)]) for x in (arm, baseline))
    if not (a.size and b.size):
        return np.nan, np.nan, np.nan
    at = np.unique(np.r_[a, b])
    above = 1 - np.searchsorted(a, at, side="right") / a.size  # P(arm > t)
    low = max(0.0, float((above - (1 - np.searchsorted(b, at, side="right") / b.size)).max()))
    high = min(1.0, float((above + np.searchsorted(b, at, side="left") / b.size).min()))
    independent = float(np.searchsorted(b, a, side="left").mean() / b.size)
    return low, independent, high
