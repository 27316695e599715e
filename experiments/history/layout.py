"""How missions lay out their bases and how long they take to build up: what was seen elsewhere, until a date.

A country that had next to no such mission before says nothing of it (the Central African Republic until December 2013:
MINURCA had one base in Geo-PKO, MINURCAT mostly stood in Chad). So the layout is taken from the UN's missions of that
time elsewhere, each mission once; draws of a calibration take a mission each.

Geo-PKO gives the nominal size of each base: good for how unequal bases are, less for their sum. The sum is the strength
that the UN reported.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sim.params import WEEKS_PER_YEAR

FEWEST = 5  # bases, below which how they differ says little
WHOLE_YEAR = 12  # months: in its first and last year a mission is half there
BEGINS = 0.5  # of its later strength: one that begins with more has taken over from another
LARGE, PEAK, WITHIN = 1_000, 0.9, 36  # persons; share of the greatest strength; months
SKEWS = np.linspace(0, 3, 301)


def gini(sizes):
    """Return how unequal sizes are: 0 all alike, towards 1 one has all."""
    x = np.sort(np.asarray(sizes, dtype=float))
    n = x.size
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * x.sum()))


def skew(sizes):
    """Return the exponent s with which sizes 1, 2**-s, 3**-s, ... are as unequal as these."""
    rank = np.arange(1, len(sizes) + 1)
    return float(np.interp(gini(sizes), [gini(rank**-s) for s in SKEWS], SKEWS))


def _read(folder, name, columns):
    path = Path(folder) / name
    if not path.is_file():
        raise ValueError(f"there is no {name} in {folder}")
    table = pd.read_csv(path)
    if lacking := [c for c in columns if c not in table]:
        raise ValueError(f"{name} in {folder} is without the columns {', '.join(lacking)}")
    return table


def layouts(folder, bases, strength, until):
    """Return the layout of each mission, the mean of its years: mission, years, bases, deploy.base_size, .base_skew.

    Parameters
    ----------
    folder : of two tables; bases : name of Geo-PKO 2.3 by location and year; strength : name of the UN's monthly
        strength by mission; until : date, YYYY-MM-DD, after which nothing is read
    """
    bases = _read(folder, bases, ["mission", "year", "mean_troops"])
    reported = _read(folder, strength, ["mission", "date", "total"])
    reported = reported[reported.date <= until]
    reported = reported.assign(year=reported.date.str[:4].astype(int)).groupby(["mission", "year"]).total
    strength, months = reported.mean(), reported.size()
    rows = []
    for (mission, year), sizes in bases[bases.mean_troops > 0].groupby(["mission", "year"]).mean_troops:
        known = months.get((mission, year), 0)
        if len(sizes) >= FEWEST and known >= WHOLE_YEAR - (year == int(until[:4])):
            size = strength[mission, year] / len(sizes)
            rows.append((mission, year, len(sizes), size, skew(sizes), max(sizes) / sizes.sum()))
    found = pd.DataFrame(rows, columns=["mission", "years", "bases", "deploy.base_size", "deploy.base_skew", "largest"])
    means = found.groupby("mission").mean()
    return means.assign(years=found.groupby("mission").years.size()).reset_index()


def lags(folder, strength, until):
    """Return the months each large mission took from its first report to nine tenths of its greatest strength.

    Missions that took over from another and began at strength are left out, and so are those already there when the
    reports begin. Greatest: within three years.
    """
    reported = _read(folder, strength, ["mission", "date", "total"]).sort_values("date")
    first = reported.date.min()
    rows = []
    for mission, mine in reported[reported.date <= until].groupby("mission"):
        strength = mine.total.to_numpy(dtype=float)[:WITHIN]
        greatest = strength.max()
        if greatest >= LARGE and mine.date.iloc[0] > first and strength[0] < BEGINS * greatest:
            rows.append((mission, mine.date.iloc[0], greatest, int(np.argmax(strength >= PEAK * greatest))))
    return pd.DataFrame(rows, columns=["mission", "first_report", "greatest", "months_to_peak"])


def build_up(table, weeks):
    """Return how long each mission took to nine tenths, against a force that builds up evenly in so many weeks: (n,).

    A mission that was enlarged within its first three years took as long as that; the ratio then says too much.
    """
    return table.months_to_peak * WEEKS_PER_YEAR / 12 / (PEAK * weeks)


def drawn(table, draws, seed=0):
    """Return rows for so many draws, each mission as often as any other, in mixed order: a frame."""
    at = np.random.default_rng(seed).permutation(np.arange(draws) % len(table))
    return table.iloc[at].reset_index(drop=True)
