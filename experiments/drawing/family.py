"""What may be said of many comparisons at once.

Question: of all the differences that a page, a table or a figure shows, which are surely not luck?

Things to notice: nine models are 36 pairs, and with four outcomes 144. Of so many 95% intervals about seven miss zero
by luck alone, and a page that speaks of any of them would speak of something in a third of all cases in which there is
nothing. Here all that is said in one place is a family: its intervals are wide enough that in 95 of 100 such families
*no* true difference lies outside.

Things to try: shuffle the models within each seed, so that nothing is true, and count the sentences that are left.

How: for each comparison, t is the mean over seeds by its standard error. By luck alone a seed's differences could as
well have had the other sign, all of one seed together; how large the largest |t| of the family is under such flips says
how large one must be to be believed (Westfall & Young 1993). Comparisons that go together (of one model with all
others, of deaths and all deaths) cost little that way. Bonferroni's bound is the widest that is asked for, the interval
of a single comparison the narrowest.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from experiments.drawing.statistics import require, t_quantile

FLIPS = 4_000
FEWEST = 6  # seeds: with five, even the most extreme of the 32 flips is no rarer than 1 in 16
LEVEL = 0.95


def differences(
    runs: pd.DataFrame, outcomes: Sequence[str], arms: Iterable[str] | None = None, baseline: str | None = None
) -> pd.DataFrame:
    """Return each seed's differences: between every two arms, or of every arm from a baseline.

    Parameters
    ----------
    runs : DataFrame, one row per arm and seed; outcomes : names of columns
    arms : names, none: all; baseline : an arm, none: every two

    Returns
    -------
    DataFrame, one row per seed; columns (outcome, arm, other): arm less other
    """
    arms = list(dict.fromkeys(runs["arm"] if arms is None else arms))
    require([*arms, *([baseline] if baseline else [])], runs["arm"])
    require(outcomes, runs.columns, kind="outcome")
    found = {}
    for outcome in outcomes:
        values = runs.pivot(index="seed", columns="arm", values=outcome)
        which = [(a, baseline) for a in arms if a != baseline] if baseline else combinations(arms, 2)
        found |= {(outcome, a, b): values[a] - values[b] for a, b in which}
    return pd.DataFrame(found)


def together(table: pd.DataFrame, flips: int = FLIPS) -> pd.DataFrame:
    """Judge a family of comparisons.

    Parameters
    ----------
    table : DataFrame, one row per seed, one column per comparison; nan where a seed says nothing about one
    flips : how many times signs are drawn

    Returns
    -------
    DataFrame indexed by comparison: difference, low, high (95% for the whole family), n (seeds), sure (0 is outside)
    """
    values = table.to_numpy(dtype=float)
    known = np.isfinite(values)
    n = known.sum(axis=0)
    mean, error = _mean_and_error(np.where(known, values, 0.0), known)
    critical = _critical(values, known, n, flips)
    half = critical * error
    frame = pd.DataFrame({"difference": mean, "low": mean - half, "high": mean + half, "n": n}, index=table.columns)
    frame["sure"] = (n >= FEWEST) & ((frame.low > 0) | (frame.high < 0))
    return frame


def _mean_and_error(values, known):
    n = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = values.sum(axis=0) / n
        spread = (values**2).sum(axis=0) / n - mean**2
        error = np.sqrt(np.maximum(spread, 0) / (n - 1))
    return mean, np.where(n > 1, error, np.nan)


def _critical(values, known, n, flips):
    """Return how many standard errors each comparison must lie from zero: (J,)."""
    count = max(int((n >= FEWEST).sum()), 1)
    single, bonferroni = t_quantile(n - 1), _student(n - 1, count)
    lowest = values.min(axis=0, where=known, initial=np.inf)
    varies = (n >= FEWEST) & (values.max(axis=0, where=known, initial=-np.inf) > lowest)
    if not varies.any():
        return single
    v, k = np.where(known, values, 0.0)[:, varies], known[:, varies]
    size, squares = k.sum(axis=0), (v**2).sum(axis=0)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (flips, len(v)))
    mean = signs @ v / size
    error = np.sqrt(np.maximum(squares / size - mean**2, 1e-300) / (size - 1))
    most = np.quantile(np.abs(mean / error).max(axis=1), LEVEL)
    return np.where(n >= FEWEST, np.clip(most, single, np.maximum(bonferroni, single)), single)


def _student(freedom, comparisons):
    """Return the two-sided quantile of Student's t for one of so many comparisons; nan below one degree of freedom."""
    z = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / comparisons)
    v = np.maximum(np.asarray(freedom, dtype=float), 1)
    # Cornish & Fisher's expansion of Student's t about the normal; good to a percent from five degrees of freedom on
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return np.where(np.asarray(freedom) >= 1, t, np.nan)


def letters(family: pd.DataFrame, arms: Iterable[str], outcome: str) -> dict[str, str]:
    """Return letters for each arm: two arms that share none surely differ (a compact letter display, Piepho 2004).

    Parameters
    ----------
    family : as `together` returns it, of all pairs; arms : from best to worst; outcome : str
    """
    order = list(arms)
    differ = [p for (o, *p), row in family.iterrows() if o == outcome and row.sure and set(p) <= set(order)]
    groups = [order]
    for a, b in differ:
        both = [g for g in groups if a in g and b in g]
        groups = [g for g in groups if g not in both]
        for half in [[x for x in g if x != left] for g in both for left in (a, b)]:
            if not any(set(half) <= set(g) for g in groups):
                groups = [g for g in groups if not set(g) <= set(half)] + [half]
    groups.sort(key=lambda g: [order.index(a) for a in g])
    return {a: "".join(chr(ord("a") + i) for i, g in enumerate(groups) if a in g) for a in order}


def unlike(runs: pd.DataFrame, outcomes: Sequence[str]) -> pd.Series:
    """Return how unlike all others each seed is: the mean distance of its ranks in all arms and outcomes, 0..1.

    Parameters
    ----------
    runs : DataFrame, one row per arm and seed; outcomes : names of columns
    """
    require(outcomes, runs.columns, kind="outcome")
    table = runs.pivot(index="seed", columns="arm", values=list(outcomes)).rank(pct=True)
    ranks = table.fillna(0.5).to_numpy()
    apart = np.abs(ranks[:, None, :] - ranks[None, :, :]).mean(axis=(1, 2))
    return pd.Series(apart, index=table.index, name="unlike")
