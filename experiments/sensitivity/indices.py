"""What the sensitivity analysis asks of the outcomes: indices, and who ranks where.

All take outcomes as an array (points, arms, outcomes): counts in doublings, access as a share
(`measured`). Things to notice: the model is chaotic, so a parameter that bears on the war at all moves
single runs as much as another seed does; each index stands beside what luck alone gives.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from experiments.drawing.statistics import good, half_width
from experiments.sensitivity.designs import LEVELS, LUCK

# Counts are heavy-tailed and are compared as ratios: doublings, log2(offset + count). The offset, about 1% of a usual
# run, keeps a run of no violence at all from weighing more than any other. Access is a share and stays one.
OFFSET = {
    "civilians_killed": 100.0, "excess_deaths": 100.0, "unmet_need": 1e6, "displaced_person_weeks": 1e6, "access": None,
}  # fmt: skip
NAMES = tuple(OFFSET)

LEVEL = "missions"  # mean over all mission models
OTHERS = " - others"
NOBODY = "none"


def measured(raw: ArrayLike) -> NDArray[np.float64]:
    """Return outcomes as they are compared: counts as log2(offset + count), access as a share (nobody tried: 0).

    Parameters
    ----------
    raw : (..., outcomes) float, in the order of NAMES
    """
    y = np.array(raw, dtype=float)
    for i, offset in enumerate(OFFSET.values()):
        y[..., i] = np.nan_to_num(y[..., i]) if offset is None else np.log2(offset + y[..., i])
    return y


def against(arm: str) -> str:
    """Return the name of a model's difference from the mean of the others: what moves it moves the ranking."""
    return arm + OTHERS


def rank(values: NDArray[np.float64], outcome: str) -> NDArray[np.int64]:
    """Return the rank of each arm, 1 the best; equal values share the better rank.

    Parameters
    ----------
    values : (P, A) float
    """
    score = good(outcome) * values
    return 1 + (score[:, None, :] > score[:, :, None]).sum(axis=2)


def targets(y: NDArray[np.float64], arms: Sequence[str]) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Yield (outcome, target, (P,) values): levels, differences from the others, ranks.

    Parameters
    ----------
    y : (P, A, outcomes) float; arms : names, the run without a mission among them or not
    """
    models = [i for i, arm in enumerate(arms) if arm != NOBODY]
    for o, outcome in enumerate(NAMES):
        v = y[:, models, o]
        yield outcome, LEVEL, v.mean(axis=1)
        if NOBODY in arms and outcome != "access":  # without aid teams nobody tries
            alone = y[:, list(arms).index(NOBODY), o]
            yield outcome, NOBODY, alone
            yield outcome, f"{LEVEL} - {NOBODY}", v.mean(axis=1) - alone
        ranks = rank(v, outcome)
        for k, i in enumerate(models):
            yield outcome, against(arms[i]), v[:, k] - np.delete(v, k, axis=1).mean(axis=1)
            yield outcome, f"rank of {arms[i]}", ranks[:, k].astype(float)
            yield outcome, f"{arms[i]} first", (ranks[:, k] == 1).astype(float)


# ------------------------------------------------------------------------------ screening


def is_dummy(names: Iterable[str]) -> NDArray[np.bool_]:
    """Say which parameters are dummies."""
    return np.array([n.startswith(f"{LUCK} ") for n in names])


def screen(
    cube: Mapping[str, Any], places: NDArray[np.float64], y: NDArray[np.float64], arms: Sequence[str]
) -> pd.DataFrame:
    """Return the Morris table: mu* with its bootstrap interval, mu, sigma, the bound of luck, and beyond it or not.

    Each step of a trajectory is one run against one other. A dummy draws all luck anew, which few parameters do: what
    stays far below it may be forgotten, and what is near it may be luck. The bound is the one-sided 99% prediction
    bound of a dummy's mu*: of a hundred parameters without effect about one is expected beyond it, or fewer. It is
    worked out on logarithms: a mean of a few sizes is skewed, and a normal bound would let two to three in a hundred
    through.
    """
    from SALib.analyze import morris
    from scipy.stats import t as student

    dummy = is_dummy(cube["names"])
    n = dummy.sum()
    tables = []
    for outcome, target, v in targets(y, arms):
        if np.ptp(v) == 0:
            continue
        found = morris.analyze(cube, places, v, num_levels=LEVELS, num_resamples=200, seed=1)
        table = pd.DataFrame({"outcome": outcome, "target": target, "parameter": cube["names"]})
        for name in ("mu_star", "mu_star_conf", "mu", "sigma"):
            table[name] = np.asarray(found[name], dtype=float)
        luck = table.mu_star[dummy]
        table["luck"] = luck.mean()
        if luck.mean() > 0:
            logs = np.log(luck.clip(lower=luck.mean() / 10))  # ranks that hardly vary: some dummies do nothing
            table["bound_of_luck"] = np.exp(logs.mean() + student.ppf(0.99, n - 1) * logs.std() * np.sqrt(1 + 1 / n))
        else:
            table["bound_of_luck"] = 0.0
        table["beyond_luck"] = (table.mu_star > table.bound_of_luck) & ~dummy
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


# ------------------------------------------------------------------------------ all numbers at once


def effects(
    names: Sequence[str], places: NDArray[np.float64], y: NDArray[np.float64], arms: Sequence[str]
) -> pd.DataFrame:
    """Return what each parameter does when all others vary too: a line through each target over its range.

    Parameters
    ----------
    names : of D parameters; places : (P, D) in 0..1, of a Latin hypercube; y : (P, A, outcomes) float, means over seeds

    Returns
    -------
    DataFrame: outcome, target, parameter, change (from the low to the high end; doublings or share), half (of its 95%
    interval), share (of the variance, r squared) and beyond_chance (the 1% level)
    """
    from scipy.stats import t as student

    n = len(places)
    x = (places - places.mean(axis=0)) / places.std(axis=0)
    critical = student.ppf(0.995, n - 2)
    critical /= np.sqrt(n - 2 + critical**2)  # of a correlation
    tables = []
    for outcome, target, v in targets(y, arms):
        if np.ptp(v) == 0:
            continue
        r = x.T @ ((v - v.mean()) / v.std()) / n
        change = r * v.std() / places.std(axis=0)
        error = v.std() / places.std(axis=0) * np.sqrt((1 - r**2) / (n - 2))
        tables.append(pd.DataFrame({
            "outcome": outcome, "target": target, "parameter": names, "change": change,
            "half": student.ppf(0.975, n - 2) * error, "share": r**2, "beyond_chance": np.abs(r) > critical,
        }))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def scores(
    names: Sequence[str], places: NDArray[np.float64], y: NDArray[np.float64], arms: Sequence[str], shuffles: int = 400
) -> pd.DataFrame:
    """Return how much each parameter explains, highest first.

    The score is the share of variance that a parameter explains in a line (r squared), averaged over outcomes: half for
    the level of suffering, half for the ranking, which is the mean over models of their differences from the others.
    What chance gives is found by dealing the outcomes to the places anew.

    Returns
    -------
    DataFrame: parameter, score, level, ranking, p (of a parameter without effect to score as high), sure (higher than
    the highest of all without effect would be in 19 of 20 cases)
    """
    wanted = [(t == LEVEL, v) for _, t, v in targets(y, arms) if t == LEVEL or t.endswith(OTHERS)]
    is_level = np.array([level for level, _ in wanted])
    v = np.column_stack([v for _, v in wanted])
    x = (places - places.mean(axis=0)) / places.std(axis=0)
    v = (v - v.mean(axis=0)) / np.where(np.ptp(v, axis=0) > 0, v.std(axis=0), 1)  # nothing explains what never varies

    def score(v):
        share = (x.T @ v / len(v)) ** 2
        level, ranking = share[:, is_level].mean(axis=1), share[:, ~is_level].mean(axis=1)
        return (level + ranking) / 2, level, ranking

    luck = np.random.default_rng(1)
    chance = np.array([score(luck.permutation(v))[0] for _ in range(shuffles)])  # (shuffles, D)
    found, level, ranking = score(v)
    p = 1 - np.searchsorted(np.sort(chance, axis=None), found) / chance.size
    table = pd.DataFrame({"parameter": names, "score": found, "level": level, "ranking": ranking, "p": p,
                          "sure": found > np.quantile(chance.max(axis=1), 0.95)})  # fmt: skip
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


# ------------------------------------------------------------------------------ Sobol'


def indices(cube: Mapping[str, Any], y: NDArray[np.float64], arms: Sequence[str]) -> pd.DataFrame:
    """Return Sobol' indices, first order and total, with 95% bootstrap half-intervals; none where nothing varies."""
    from SALib.analyze import sobol

    tables = []
    for outcome, target, v in targets(y, arms):
        if np.ptp(v) == 0:
            continue
        with warnings.catch_warnings():  # of a rank that hardly ever varies
            warnings.filterwarnings("ignore", "Constant values encountered")
            found = sobol.analyze(cube, v, calc_second_order=False, num_resamples=500, seed=1)
        table = pd.DataFrame({"outcome": outcome, "target": target, "parameter": cube["names"]})
        for column, name in (("first", "S1"), ("first_half", "S1_conf"), ("total", "ST"), ("total_half", "ST_conf")):
            table[column] = found[name]
        table["variance"] = v.var()
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


# ------------------------------------------------------------------------------ one at a time


def tornado(names: Sequence[str], y: NDArray[np.float64], arms: Sequence[str], n_seeds: int) -> pd.DataFrame:
    """Return what each end of each range does against the defaults, in pairs of seeds, with 95% half-intervals."""
    rows = []
    corners = [(n, e) for n in names for e in ("low", "high")]
    for outcome, target, v in targets(y, arms):
        if target != LEVEL and not target.endswith(OTHERS):
            continue
        v = v.reshape(-1, n_seeds)
        for (name, end), values in zip(corners, v[1:], strict=True):
            change = values - v[0]
            half = half_width(change.std(ddof=1), n_seeds)
            rows.append((outcome, target, name, end, v[0].mean(), change.mean(), half))
    return pd.DataFrame(rows, columns=["outcome", "target", "parameter", "end", "at_default", "change", "half"])


# ------------------------------------------------------------------------------ who ranks where


def standings(y: NDArray[np.float64], arms: Sequence[str]) -> pd.DataFrame:
    """Return where each model ranks at each place, and between which ranks luck lets it be.

    Differences are paired by seed. Their spread between seeds is pooled over all places: a few seeds at each say
    little about it. A rank goes from 1 plus the models that are better beyond luck to their number less those that
    are worse beyond luck; the level is 5% over the comparisons of one model with all others (Bonferroni).

    Parameters
    ----------
    y : (places, seeds, arms, outcomes) float; arms : names of mission models

    Returns
    -------
    DataFrame: place, outcome, arm, value (mean over seeds), rank, best_rank, worst_rank, behind (the best; doublings
    or share) and rank_by_mean (of the mean count, which a few very violent runs may decide)
    """
    from scipy.stats import t as student

    n_places, n_seeds, n_arms, _ = y.shape
    mean = y.mean(axis=1)
    freedom = n_places * (n_seeds - 1)
    quantile = student.ppf(1 - 0.05 / 2 / (n_arms - 1), freedom)
    tables = []
    for o, outcome in enumerate(NAMES):
        within = y[..., o] - mean[:, None, :, o]
        spread = within[..., :, None] - within[..., None, :]
        error = np.sqrt((spread**2).sum(axis=(0, 1)) / freedom / n_seeds)  # (A, A)
        score = good(outcome) * mean[:, :, o]
        lead = score[:, :, None] - score[:, None, :]  # (places, A, A): of the first over the second
        sure = np.abs(lead) > quantile * error
        counts = (y[..., o] if OFFSET[outcome] is None else 2.0 ** y[..., o]).mean(axis=1)
        tables.append(pd.DataFrame({
            "place": np.repeat(np.arange(n_places), n_arms), "outcome": outcome, "arm": list(arms) * n_places,
            "value": mean[:, :, o].ravel(), "rank": rank(mean[:, :, o], outcome).ravel(),
            "best_rank": (1 + (sure & (lead < 0)).sum(axis=2)).ravel(),
            "worst_rank": (n_arms - (sure & (lead > 0)).sum(axis=2)).ravel(),
            "behind": (score.max(axis=1, keepdims=True) - score).ravel(),
            "rank_by_mean": rank(counts, outcome).ravel(),
        }))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def shares(stood: pd.DataFrame) -> pd.DataFrame:
    """Return the share of places at which each model is first, surely and perhaps, with Wilson's 95% intervals.

    First: the best mean over seeds (equal ones are all first). Surely: better than every other beyond luck. Perhaps:
    no other is better beyond luck. By mean: the best mean count.
    """
    from scipy.stats import binomtest

    rows = []
    for (outcome, arm), of in stood.groupby(["outcome", "arm"], sort=False):
        row = {"outcome": outcome, "arm": arm, "places": len(of), "mean_rank": of["rank"].mean()}
        for name, column in (("first", "rank"), ("surely", "worst_rank"), ("perhaps", "best_rank"),
                             ("first_by_mean", "rank_by_mean")):  # fmt: skip
            k = int((of[column] == 1).sum())
            ci = binomtest(k, len(of)).proportion_ci(method="wilson")
            row |= {name: k / len(of), f"{name}_low": ci.low, f"{name}_high": ci.high}
        rows.append(row)
    return pd.DataFrame(rows)
