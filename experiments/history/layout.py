"""How missions lay out their bases and how long they take to build up: what was seen elsewhere, until a date.

A country that had next to no such mission before says nothing of it (the Central African Republic until December 2013:
MINURCA had one base in Geo-PKO, MINURCAT mostly stood in Chad). So the layout is taken from the UN's missions of that
time elsewhere, each mission once; draws of a calibration take a mission each.

Geo-PKO gives the nominal size of each base: good for how unequal bases are, less for their sum. The sum is the strength
that the UN reported.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import readers
from sim.params import WEEKS_PER_YEAR

FEWEST = 5  # bases, below which how they differ says little
WHOLE_YEAR = 12  # months: in its first and last year a mission is half there
BEGINS = 0.5  # of its later strength: one that begins with more has taken over from another
LARGE, PEAK, WITHIN = 1_000, 0.9, 36  # persons; share of the greatest strength; months
SKEWS = np.linspace(0, 3, 301)


def gini(sizes: pd.Series | NDArray[np.float64]) -> float:
    """Return how unequal sizes are: 0 all alike, towards 1 one has all."""
    x = np.sort(np.asarray(sizes, dtype=float))
    n = x.size
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * x.sum()))


def skew(sizes: pd.Series | NDArray[np.float64]) -> float:
    """Return the exponent s with which sizes 1, 2**-s, 3**-s, ... are as unequal as these."""
    rank = np.arange(1, len(sizes) + 1)
    return float(np.interp(gini(sizes), [gini(rank**-s) for s in SKEWS], SKEWS))


def _read(folder, name, setting, texts=(), numbers=()):
    """Read some columns of a table of the folder of data: a frame; a number that is not known is nan."""
    path = Path(folder) / name
    if not path.is_file():
        raise ValueError(f"there is no {name} in {folder}")
    table = readers.read(path, f"experiment.analysis.missions.{setting}", [*texts, *numbers])
    found: dict[str, Any] = {c: table.texts(c) for c in texts}
    found |= {c: table.numbers(c, 0, readers.MOST, empty=True) for c in numbers}
    if "date" in found:
        found["date"] = [day.isoformat() for day in table.dates("date")]
    return pd.DataFrame(found)


def _strength(folder, name):
    """Read the UN's monthly strength by mission: mission, date, total, and month, counted from year 0."""
    found = _read(folder, name, "strength", ["mission", "date"], ["total"])
    found["month"] = found.date.str[:4].astype(int) * 12 + found.date.str[5:7].astype(int) - 1
    twice = found[found.duplicated(["mission", "month"])]
    if len(twice):
        mission, day = twice.iloc[0][["mission", "date"]]
        raise ValueError(
            f"experiment.analysis.missions.strength is {name!r} with {mission} twice in {day[:7]}; a month stands once"
        )
    return found


def layouts(folder: str | Path, bases: str, strength: str, until: str) -> pd.DataFrame:
    """Return the layout of each mission, the mean of its years: mission, years, bases, deploy.base_size, .base_skew.

    Parameters
    ----------
    folder : of two tables; bases : name of Geo-PKO 2.3 by location and year; strength : name of the UN's monthly
        strength by mission; until : date, YYYY-MM-DD, after which nothing is read
    """
    bases = _read(folder, bases, "bases", ["mission"], ["year", "mean_troops"])
    reported = _strength(folder, strength)
    reported = reported[reported.date <= until]
    reported = reported.assign(year=reported.date.str[:4].astype(int)).groupby(["mission", "year"]).total
    strength, months = reported.mean(), reported.count()  # of the months that are known
    rows = []
    for (mission, year), sizes in bases[bases.mean_troops > 0].groupby(["mission", "year"]).mean_troops:
        known = months.get((mission, year), 0)
        if len(sizes) >= FEWEST and known >= WHOLE_YEAR - (year == int(until[:4])):
            size = strength[mission, year] / len(sizes)
            rows.append((mission, year, len(sizes), size, skew(sizes), max(sizes) / sizes.sum()))
    found = pd.DataFrame(rows, columns=["mission", "years", "bases", "deploy.base_size", "deploy.base_skew", "largest"])
    means = found.groupby("mission").mean()
    return means.assign(years=found.groupby("mission").years.size()).reset_index()


def lags(folder: str | Path, strength: str, until: str) -> pd.DataFrame:
    """Return the months each large mission took from its first report to nine tenths of its greatest strength.

    Missions that took over from another and began at strength are left out, and so are those already there when the
    reports begin. Greatest: within three years.
    """
    reported = _strength(folder, strength).sort_values("month")
    first = reported.month.min()
    rows = []
    for mission, mine in reported[reported.date <= until].dropna(subset="total").groupby("mission"):
        since = (mine.month - mine.month.iloc[0]).to_numpy()  # months without a report are not known, and count
        total = mine.total.to_numpy()[since < WITHIN]
        greatest = total.max()
        if greatest >= LARGE and mine.month.iloc[0] > first and total[0] < BEGINS * greatest:
            rows.append((mission, mine.date.iloc[0], greatest, int(since[np.argmax(total >= PEAK * greatest)])))
    return pd.DataFrame(rows, columns=["mission", "first_report", "greatest", "months_to_peak"])


def build_up(table: pd.DataFrame, weeks: float) -> pd.Series:
    """Return how long each mission took to nine tenths, against a force that builds up evenly in so many weeks: (n,).

    A mission that was enlarged within its first three years took as long as that; the ratio then says too much.
    """
    return table.months_to_peak * WEEKS_PER_YEAR / 12 / (PEAK * weeks)


def drawn(table: pd.DataFrame, draws: int, seed: int = 0) -> pd.DataFrame:
    """Return rows for so many draws, each mission as often as any other, in mixed order: a frame."""
    at = np.random.default_rng(seed).permutation(np.arange(draws) % len(table))
    return table.iloc[at].reset_index(drop=True)
