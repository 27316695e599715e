"""The runs of the sensitivity analysis: tens of thousands of short ones, of which only a few outcomes are kept.

They are stored in one table, not in a folder each, and found again by what made them: the model's source, the arm's
configuration, the values that were set and the seed.
"""

import hashlib
import sys
import time
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.engine import runs, workers
from sim import outcomes, results
from sim.model import PeaceModel
from sim.warm import progress, say

# Counts are heavy-tailed and are compared as ratios: doublings, log2(offset + count). The offset, about 1% of a usual
# run, keeps a run of no violence at all from weighing more than any other. Access is a share and stays one.
OFFSET = {
    "civilians_killed": 100.0, "excess_deaths": 100.0, "unmet_need": 1e6, "displaced_person_weeks": 1e6, "access": None,
}  # fmt: skip
NAMES = tuple(OFFSET)
SAVE_EVERY = 20.0  # seconds
TELL_EVERY = 60.0  # seconds, where there is no progress bar


def simulate(params, seed, changes):
    """Run one arm with some leaves changed; return its headline outcomes, in the order of NAMES."""
    params = deepcopy(params)
    params.seed = seed
    for path, value in changes:
        *parents, leaf = path.split(".")
        node = params
        for name in parents:
            node = node[name] if isinstance(node, dict) else getattr(node, name)
        setattr(node, leaf, value)
    found = outcomes.totals(PeaceModel(params).run())
    return tuple(found[name] for name in NAMES)


_code_when_started = cache(results.code_version)


def attempt(job):
    """Do a job; return its outcomes, or in words what went wrong."""
    _, code, params, seed, changes = job
    try:
        if _code_when_started() != code:
            raise RuntimeError("the model's source changed while the analysis was running; start it again")
        return simulate(params, seed, changes)
    except Exception as error:  # one failed run must not stop the others
        return f"{type(error).__name__}: {error}"


def measured(raw):
    """Return outcomes as they are compared: counts as log2(offset + count), access as a share (nobody tried: 0).

    Parameters
    ----------
    raw : (..., outcomes) float, in the order of NAMES
    """
    y = np.array(raw, dtype=float)
    for i, offset in enumerate(OFFSET.values()):
        y[..., i] = np.nan_to_num(y[..., i]) if offset is None else np.log2(offset + y[..., i])
    return y


class Runs:
    """The runs of all designs, in a table that grows while they are done.

    Parameters
    ----------
    arms : dict of Params by name
    factors : dict of sensitivity_designs.Factor by name
    folder : where the table is, apart for each version of the model's source; several processes may write to it
    at_a_time : int, processes
    """

    def __init__(self, arms, factors, folder, at_a_time=1):
        self.arms, self.factors, self.at_a_time = arms, factors, at_a_time
        self.code = results.code_version()
        self.store = Path(folder) / f"runs_{self.code}.parquet"
        self.made_by = {a: f"{self.code} {NAMES} {results.fingerprint(p, with_seed=False)}" for a, p in arms.items()}
        self.done = self._stored()
        self.unsaved = False

    def changes(self, arm, point):
        """Return the leaves of an arm that a point sets: ((path, value), ...)."""
        pairs = zip(point.names, point.places, strict=True)
        return tuple(c for name, place in pairs for c in self.factors[name].values(arm, place))

    def key(self, arm, point):
        """Return what a run is found by: a point that changes nothing in an arm finds the run that was there."""
        made_by = f"{self.made_by[arm]} {point.seed} {self.changes(arm, point)!r}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:20]

    def keys(self, points, arms):
        """Return the keys of all arms at some points: (points, arms)."""
        return [[self.key(a, p) for a in arms] for p in points]

    def __call__(self, what, points, arms, keys=None):
        """Return the outcomes at some points, after doing the runs that are missing: (points, arms, outcomes)."""
        keys = keys or self.keys(points, arms)
        missing = {}
        for row, point in zip(keys, points, strict=True):
            missing |= {k: (a, point) for k, a in zip(row, arms, strict=True) if k not in self.done}
        different = len({k for row in keys for k in row})
        say(f"{what}: {len(points):,} points, {different:,} runs, {len(missing):,} to do")
        if missing:
            self._run(what, missing)
        return measured([[self.done[k] for k in row] for row in keys])

    def _run(self, what, missing):
        jobs = ((k, self.code, self.arms[a], p.seed, self.changes(a, p)) for k, (a, p) in missing.items())
        failed, start = [], time.monotonic()
        saved = told = start
        try:
            with progress(what, len(missing), unit="run") as advance:
                each = workers.each(jobs, min(self.at_a_time, len(missing)), attempt)
                for i, ((key, *_), answer) in enumerate(each, start=1):
                    if isinstance(answer, tuple):
                        self.done[key] = answer
                        self.unsaved = True
                    else:
                        failed.append((key, answer))
                    advance(i)
                    now = time.monotonic()
                    if now - saved > SAVE_EVERY:
                        self.save()
                        saved = now
                    if now - told > TELL_EVERY and not sys.stderr.isatty():
                        left = (now - start) / i * (len(missing) - i) / 60
                        say(f"{what}: {i:,} of {len(missing):,} runs, about {left:.0f} minutes left")
                        told = now
        finally:
            self.save()
        if failed:
            key, why = failed[0]
            arm, point = missing[key]
            raise runs.Failures(f"{what}: {len(failed)} of {len(missing)} runs failed, the others are kept; first: "
                                f"arm {arm}, seed {point.seed}: {why}")  # fmt: skip

    def _stored(self):
        """Return the outcomes in the table by key; a table that cannot be read is done again."""
        if not self.store.exists():
            return {}
        try:
            old = pd.read_parquet(self.store, columns=["key", *NAMES])
        except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are kinds of these
            say(f"{self.store} cannot be read, so its runs are done again: {str(error).splitlines()[0]}")
            return {}
        return dict(zip(old.key, old[list(NAMES)].itertuples(index=False, name=None), strict=True))

    def save(self):
        """Write all runs, whole or not at all, with those that another process has stored meanwhile."""
        if not self.unsaved:
            return
        with runs.alone(self.store.parent):
            self.done = self._stored() | self.done
            table = pd.DataFrame([(k, *v) for k, v in self.done.items()], columns=["key", *NAMES])
            results.whole_file(self.store, lambda f: table.to_parquet(f, index=False))
        self.unsaved = False
