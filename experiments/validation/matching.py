"""Do peacekeepers protect where they are? Places in patrol reach against matched places of the same run, and the truth.

A place is a block of 50 km, about half a degree a side, as in the field's studies; a month of it is a case.
Peacekeepers go where violence is, so places are matched exactly on what drew them there. What is left of that selection
is seen in an arm whose peacekeepers go to places by the same rule and deter nobody: there, a fair comparison must find
nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.engine.experiment import Experiment
from experiments.validation.measures import BURN_IN, Measure

BLOCK_KM = 50
REACH_KM = 50  # presence halves with every 25 km and ends at twice that
FELT = (0.02, 0.1, 0.3)  # violence felt at the end of the month before, 0..1
MONTHS_OF_VIOLENCE = (1, 2, 4)  # of the twelve before, in the place
NEAR = (1, 3, 6)  # and of the nine places around, in place-months
PEOPLE = 10  # classes of equally many places


def blocks(layer: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return a map of cells as blocks of so many cells a side: sums, (months, rows, cols)."""
    t, r, c = layer.shape[0], layer.shape[1] // side, layer.shape[2] // side
    return layer[:, : r * side, : c * side].reshape(t, r, side, c, side).sum(axis=(2, 4))


def around(layer: NDArray[Any], cells: int) -> NDArray[Any]:
    """Return the sum over all cells within so many rows and columns: the shape of the layer."""
    _, r, c = layer.shape
    wide = np.pad(layer, ((0, 0), (cells, cells), (cells, cells)))
    shifted = (wide[:, i : i + r, j : j + c] for i in range(2 * cells + 1) for j in range(2 * cells + 1))
    return sum(shifted, start=np.zeros_like(layer))


def cases(maps: Mapping[str, NDArray[np.float64]], cell_km: float) -> dict[str, NDArray[Any]]:
    """Return the place-months of a run after the burn-in, as flat arrays.

    Parameters
    ----------
    maps : dict of layer -> (months, rows, cols); cell_km : side of a cell

    Returns
    -------
    dict: reach (peacekeepers in reach at the end of the month before), stratum (int, of matching), rebels (they kill
    civilians this month), fighting (somebody died in the month before), goes_on (somebody dies this month)
    """
    side, reach = round(BLOCK_KM / cell_km), round(REACH_KM / cell_km)
    peacekeepers = sum((v for name, v in maps.items() if name.startswith("peacekeepers_")), 0 * maps["persons"])
    in_reach = blocks((around(peacekeepers, reach) > 0).astype(float), side) > 0
    rebels = blocks(maps["osv_reb"], side)
    violent = (rebels + blocks(maps["osv_gov"] + maps["brd"], side)) > 0
    felt, people = blocks(maps["violence"], side) / side**2, blocks(maps["persons"], side)
    months = np.arange(BURN_IN, len(rebels))
    year = np.array([violent[t - BURN_IN : t].sum(axis=0) for t in months])
    classes = [
        np.searchsorted(np.quantile(people[0], np.arange(1, PEOPLE) / PEOPLE), people[months - 1]),
        np.digitize(felt[months - 1], FELT),
        np.digitize(year, MONTHS_OF_VIOLENCE),
        np.digitize(around(year, 1), NEAR),
    ]
    stratum = np.zeros(year.shape, dtype=int)
    for each in classes:
        stratum = stratum * PEOPLE + each
    return {"reach": in_reach[months - 1].ravel(), "stratum": stratum.ravel(), "rebels": (rebels[months] > 0).ravel(),
            "fighting": violent[months - 1].ravel(), "goes_on": violent[months].ravel()}  # fmt: skip


def matched(found: Mapping[str, NDArray[Any]], what: str, among: str | None = None) -> tuple[float, float, float]:
    """Return how often something happens in reach, how often by the matches, and how many cases have matches.

    The matches of a case are all cases of its stratum without peacekeepers in reach.

    Parameters
    ----------
    found : of `cases`; what : str, an outcome; among : str, only cases in which this holds
    """
    keep = np.ones(found["reach"].size, dtype=bool) if among is None else found[among]
    table = pd.DataFrame({"stratum": found["stratum"][keep], "reach": found["reach"][keep], "y": found[what][keep]})
    by = table.groupby(["stratum", "reach"]).y.agg(["sum", "size"]).unstack(fill_value=0).reindex(
        columns=[(a, b) for a in ("sum", "size") for b in (False, True)], fill_value=0)  # fmt: skip
    by = by[(by["size"] > 0).all(axis=1)]
    rate = by["sum", False] / by["size", False]
    return float(by["sum", True].sum()), float((rate * by["size", True]).sum()), float(by["size", True].sum())


def local(what: str, among: str | None = None) -> Measure:
    """Measure seen and expected cases in reach of peacekeepers, by matched places of the same run: (seeds, 3)."""

    def of(store, arm):
        km = store.first(arm).country.cell_km
        return np.array([matched(cases(maps, km), what, among) for maps in store.maps_of(arm)])

    return of


def seen_by_expected(values: NDArray[np.float64]) -> float:
    """Return the log ratio of cases seen to cases expected, all runs together: most runs alone have few."""
    seen, expected, _ = values.sum(axis=0)
    return float(np.log((seen + 0.5) / (expected + 0.5)))


def points(values: NDArray[np.float64]) -> float:
    """Return seen less expected, in percentage points of a case."""
    seen, expected, n = values.sum(axis=0)
    return 100 * (seen - expected) / n if n else np.nan


def truth(store: Experiment, arm: str, none: str) -> NDArray[np.float64]:
    """Measure attacks in reach of peacekeepers, and in the same places and months of the run without them: (n, 3)."""
    km, out = store.first(arm).country.cell_km, []
    for with_, without in zip(store.maps_of(arm), store.maps_of(none), strict=False):
        found, twin = cases(with_, km), cases(without, km)
        there = found["reach"]
        out.append((found["rebels"][there].sum(), twin["rebels"][there].sum(), there.sum()))
    return np.array(out, dtype=float)


def scope_and_intensity(store: Experiment, arm: str) -> NDArray[np.float64]:
    """Measure how newly displaced people go with scope and with intensity of violence: (seeds, 2) standardised slopes.

    Scope is the number of places with deaths in a month, intensity the deaths in each of them; months without any are
    left out.
    """
    panel, side, out = store.months(arm), round(BLOCK_KM / store.first(arm).country.cell_km), []
    for maps, away in zip(store.maps_of(arm), panel["idps"] + panel["refugees"], strict=True):
        dead = blocks(maps["osv_gov"] + maps["osv_reb"] + maps["brd"], side)
        scope = (dead > 0).sum(axis=(1, 2))[1:]
        intensity = dead.sum(axis=(1, 2))[1:] / np.maximum(scope, 1)
        y = np.diff(away[: len(dead)])[scope > 0]
        x = np.column_stack([np.log1p(scope), np.log1p(intensity)])[scope > 0]
        x, y = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9), (y - y.mean()) / max(y.std(), 1e-9)
        out.append(np.linalg.lstsq(x, y, rcond=None)[0])
    return np.array(out)


def scope_over_intensity(values: NDArray[np.float64]) -> float:
    """Return by how much more displacement goes with scope than with intensity, in standard deviations."""
    return float(np.median(values[:, 0] - values[:, 1]))
