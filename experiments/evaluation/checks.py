"""What checks of the model share: a design in conf/evaluation, its arms, their stored runs, and one way to judge them.

A check compares arms seed by seed: the same seed is the same world with the same luck. Everything is expressed as a
ratio, of deaths, hazards, probabilities, against 1; what is averaged is its logarithm.
"""

import argparse
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from experiments import runs
from sim.config import CONF, load
from sim.results import code_version
from sim.warm import say, warm_up

PRESET = "as "  # an override that stands for those of a preset of the design
FINER = "cells_per_side*"  # more and smaller cells, everything where it was
RESAMPLES = 4_000
NO_DEATHS = 0.5  # added to counts, so that none has a logarithm


def arguments(name, words, doc):
    """Return the overrides and the runs at a time that a command line of `python -m experiments NAME` gives."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments {name}", description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="of every run")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    given = parser.parse_args(words)
    return given.overrides, max(1, given.workers)


def design(name):
    """Read a design of conf/evaluation."""
    return yaml.safe_load((CONF / "evaluation" / f"{name}.yaml").read_text(encoding="utf-8"))


def overrides_of(how, presets):
    """Replace the presets among some overrides by what they stand for."""
    out = []
    for word in how:
        if word.startswith(PRESET):
            name = word.removeprefix(PRESET)
            if name not in presets:
                raise ValueError(f"there is no preset {name!r} in the design; choose among {', '.join(presets)}")
            out += overrides_of(presets[name], presets)
        else:
            out.append(word)
    return out


def finer(params, times):
    """Return parameters of the same country on a grid of so many times as many cells a side."""
    p = deepcopy(params)
    c = p.country
    if c.cells:
        raise ValueError(f"country.cells is {c.cells!r}; only a generated map can be drawn with other cells")
    c.rows, c.cols, c.cell_km = round(c.rows * times), round(c.cols * times), c.cell_km / times
    for spot in (*c.places.values(), *c.communities.values(), *c.deposits.values()):
        spot.row, spot.col = type(spot.row)(spot.row * times), type(spot.col)(spot.col * times)
    return p


def params_of(about, arm, overrides=()):
    """Return the parameters of an arm of a design."""
    words = [*about.get("common", ()), *overrides_of(about["arms"][arm], about.get("presets", {})), *overrides]
    times = [float(w.removeprefix(FINER)) for w in words if w.startswith(FINER)]
    p = load(*(w for w in words if not w.startswith(FINER)))
    return finer(p, times[-1]) if times else p


# ------------------------------------------------------------------------------ runs


@dataclass
class Store:
    """The runs of a check: done when they are asked for, kept, and read into arrays.

    Parameters
    ----------
    about : the design; folder : where its results go; overrides : of every arm; workers : runs at a time
    """

    about: dict
    folder: Path
    overrides: tuple = ()
    workers: int = 1
    params: dict = field(default_factory=dict)  # by arm
    have: dict = field(default_factory=dict)  # (arm, months of maps) -> jobs
    done: int = 0  # runs of this session

    def plan(self, arm, seeds, dates=()):
        """Return the jobs of an arm."""
        if arm not in self.params:
            self.params[arm] = params_of(self.about, arm, self.overrides)
        where = self.folder / "runs" / ("cells" if dates else "months")
        return runs.plan({arm: self.params[arm]}, range(1, seeds + 1), where, dates)

    def run(self, wanted, what):
        """Do what is missing.

        Parameters
        ----------
        wanted : dict of (arm, months of maps) -> seeds; what : str, for the progress bar
        """
        jobs = []
        for (arm, dates), seeds in wanted.items():
            jobs += self.plan(arm, seeds, dates)
            self.have[arm, dates] = jobs[-seeds:]
        missing = sum(not job.done for job in jobs)
        say(f"{what}: {len(jobs)} runs, {missing} to do, {self.workers} at a time")
        if missing:
            warm_up()
            runs.run(jobs, self.workers, what)
        self.done += missing

    def months(self, arm):
        """Return the monthly panel of every run of an arm: dict of column -> (seeds, months)."""
        jobs = max((j for (a, _), j in self.have.items() if a == arm), key=len)
        kept = getattr(self, "_kept", {})
        if kept.get(arm, (0,))[0] != len(jobs):
            panel = runs.gather([_plain(job) for job in jobs])[1]
            wide = {c: np.array([p for _, p in panel.groupby("seed", sort=False)[c]], float) for c in
                    panel.columns.difference(["arm", "seed", "month"])}  # fmt: skip
            kept[arm] = (len(jobs), wide)
            self._kept = kept
        return kept[arm][1]

    def cells(self, arm):
        """Return the maps of every run of an arm: a list of dict of layer -> (months, rows, cols)."""
        jobs = next(j for (a, dates), j in self.have.items() if a == arm and dates)
        return [_maps(job) for job in jobs]


def _plain(job):
    """Return a job of which no maps are wanted; they would be averaged over seeds."""
    return type(job)(**{f: getattr(job, f) for f in job.__dataclass_fields__} | {"dates": ()})


def _maps(job):
    table = pq.read_table(job.folder / "maps.parquet").to_pandas()
    shape = (table.month.nunique(), table.row.max() + 1, table.col.max() + 1)
    order = table.sort_values(["month", "row", "col"], kind="stable")
    return {
        c: order[c].to_numpy(float).reshape(shape) for c in order.columns.difference(["month", "gid", "row", "col"])
    }


def finished_under():
    """Return the version of the rules that runs follow, for reports."""
    return code_version()


# ------------------------------------------------------------------------------ estimates and verdicts


def bootstrap(values, reduce=None, resamples=RESAMPLES):
    """Return an estimate over seeds and its 95% bootstrap interval.

    Parameters
    ----------
    values : (n, ...) one row a seed; reduce : function of such an array to a number; none: the median
    """
    values = np.asarray(values, float)
    reduce = reduce or (lambda v: float(np.nanmedian(v)))
    luck = np.random.default_rng(1)  # the same table twice from the same runs
    n = len(values)
    with np.errstate(all="ignore"):
        again = np.array([reduce(values[luck.integers(0, n, n)]) for _ in range(resamples)])
    low, high = np.nanquantile(again, [0.025, 0.975]) if np.isfinite(again).any() else (np.nan, np.nan)
    return reduce(values), float(low), float(high)


def verdict(low, high, expect, margin=None):
    """Judge an interval of a log ratio by the common protocol.

    Parameters
    ----------
    low, high : of the interval; expect : "<1", ">1" or "=1"
    margin : ratio that still counts as the same, for "=1"

    Returns
    -------
    PASS (right sign, interval excludes no effect), FAIL (wrong sign, interval excludes no effect) or INCONCLUSIVE;
    for "=1": PASS within the margin and no effect not excluded, FAIL when no effect is excluded and by more than the
    margin or by a margin of nought
    """
    if not np.isfinite([low, high]).all():
        return "INCONCLUSIVE"
    if expect == "=1":
        m = np.log(margin)
        if low >= -m and high <= m:
            return "PASS"
        return "FAIL" if low > m or high < -m else "INCONCLUSIVE"
    sign = -1 if expect == "<1" else 1
    if low * sign > 0 and high * sign > 0:
        return "PASS"
    return "FAIL" if low * sign < 0 and high * sign < 0 else "INCONCLUSIVE"


def markdown(table):
    """Return a data frame as a table in Markdown."""
    cells = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(c).replace("|", "/") for c in row) + " |" for row in cells) + "\n"


def log_ratio(above, below):
    """Return the logarithm of the ratio of two counts, seed by seed."""
    n = min(len(above), len(below))
    return np.log((above[:n] + NO_DEATHS) / (below[:n] + NO_DEATHS))


def frame(rows):
    """Return rows as a data frame."""
    return pd.DataFrame(rows)
