"""How sure an estimate over seeds is, and how it is judged: one way for all tests.

What is averaged is the logarithm of a ratio (1: no effect), seed by seed: the same seed is the same world with the same
luck. Tests of another kind (a share, a slope) say so and stay in their own unit.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.values import among

RESAMPLES = 4_000
NO_DEATHS = 0.5  # added to counts, so that none has a logarithm
SIGNS = {"<1": -1, ">1": 1, "<0": -1, ">0": 1}
Sample = NDArray[np.float64] | tuple[NDArray[np.float64], ...]  # rows are seeds; two: other luck
Reduce = Callable[[NDArray[np.float64]], float]
FAIL, PASS, OPEN, REPORT = "FAIL", "PASS", "INCONCLUSIVE", "REPORT"


def log_ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the ratio of two counts, seed by seed, for the seeds that both have.

    Parameters
    ----------
    above, below : (n,), (m,) counts, 0 or more, in the order of seeds; half a death is added to both

    Returns
    -------
    (min(n, m),)
    """
    n = min(len(above), len(below))
    return np.log((above[:n] + NO_DEATHS) / (below[:n] + NO_DEATHS))


def median(values: NDArray[np.float64]) -> Any:
    """Return the median of the seeds that have a number; nan if none has.

    Parameters
    ----------
    values : (..., n)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but nan: the answer says it
        return np.nanmedian(values, axis=-1)


def bootstrap(values: Sample, reduce: Reduce | None = None, resamples: int = RESAMPLES) -> tuple[float, float, float]:
    """Return an estimate over seeds and its 95% bootstrap interval (percentiles).

    Parameters
    ----------
    values : (n, ...) one row a seed; or a pair of these, of which the second is a reference that has other luck: both
        are resampled, apart, and the estimate is the difference
    reduce : function of such an array to a number; none: the median

    Returns
    -------
    (estimate, low, high); a resample without a number is left out, and the interval is nan if a tenth have none
    """
    samples = [np.asarray(v, float) for v in (values if isinstance(values, tuple) else (values,))]
    luck = np.random.default_rng(1)  # the same table twice from the same runs
    found = [_again(sample, reduce, luck, resamples) for sample in samples]
    (estimate, again), *reference = found
    for single, many in reference:
        estimate, again = estimate - single, again - many
    known = np.isfinite(again)
    low, high = np.quantile(again[known], [0.025, 0.975]) if known.mean() > 0.9 else (np.nan, np.nan)
    return float(estimate), float(low), float(high)


def _again(sample, reduce, luck, resamples):
    """Return an estimate of a sample, and of (resamples,) samples drawn from it."""
    drawn = luck.integers(0, len(sample), (resamples, len(sample)))
    if reduce is None:
        return median(sample), median(sample[drawn])
    with np.errstate(all="ignore"):
        return reduce(sample), np.array([reduce(sample[rows]) for rows in drawn])


def lost(values: Sample, off: Sample, reduce: Reduce | None = None) -> tuple[float, float, float]:
    """Return by how much an estimate differs from that without its mechanism, and the 95% interval of that.

    Parameters
    ----------
    values, off : as for `bootstrap`; seeds are pairs where both are arrays
    """
    if isinstance(values, tuple):  # other luck: two estimates with a standard error each
        (a, low, high), (b, lo, hi) = bootstrap(values, reduce), bootstrap(off, reduce)
        half = np.hypot(high - low, hi - lo) / 2
        return a - b, a - b - half, a - b + half
    n = min(len(values), len(off))
    both = np.stack([np.asarray(values, float)[:n], np.asarray(off, float)[:n]], axis=1)
    reduce = reduce or median
    return bootstrap(both, lambda v: reduce(v[:, 0]) - reduce(v[:, 1]))


def verdict(low: float, high: float, expect: str, margin: float = 1.0, band: Sequence[float] = ()) -> str:
    """Judge a 95% interval.

    Parameters
    ----------
    low, high : of a log ratio for "<1", ">1" and "=1", of the number itself else
    expect : "<1", ">1", "<0", ">0": a sign; "=1": no more than a margin from the same; "in": within the band
    margin : ratio that still counts as the same; band : (lowest, highest)

    Returns
    -------
    PASS: right sign and the interval excludes no effect, or the interval is within the margin or the band; FAIL: wrong
    sign and the interval excludes no effect, or it lies outside the margin or the band; INCONCLUSIVE else
    """
    if expect not in SIGNS and expect not in ("=1", "in"):
        raise ValueError(f"what is expected is {expect!r}{among(expect, [*SIGNS, '=1', 'in'])}")
    if np.isnan([low, high]).any():
        return OPEN
    if expect in SIGNS:
        low, high = sorted((low * SIGNS[expect], high * SIGNS[expect]))
        return PASS if low > 0 else FAIL if high < 0 else OPEN
    floor, roof = (-np.log(margin), np.log(margin)) if expect == "=1" else band
    return PASS if floor <= low and high <= roof else FAIL if high < floor or low > roof else OPEN


def number(x: float) -> str:
    """Return a number in three digits; nothing for none."""
    if not np.isfinite(x):
        return ""
    return f"{x:.3g}" if abs(x) < 100 else f"{x:,.0f}"


def markdown(table: pd.DataFrame) -> str:
    """Return a data frame as a table in Markdown."""
    cells = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(c).replace("|", "/") for c in row) + " |" for row in cells) + "\n"
