"""The runs of a sweep: each stored whole, found again by what made it, never done twice.

A store is a folder. A run in it is a folder too, named after the resolved configuration, the seed and the model's
source, which appears whole or not at all; a run that failed is a file that says why. Everything else (what is done,
running, failed or missing; the tables) is found out by looking, so that a sweep can be killed at any moment, from any
number of machines that share the store, and be taken up again.
"""

import contextlib
import errno
import functools
import hashlib
import re
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from experiments.engine import claims, stored, workers
from experiments.engine.stored import Unwritable
from sim import outcomes, results
from sim.calibrated import Calibration
from sim.model import Model
from sim.params import Params
from sim.paths import ROOT
from sim.results import Damaged, discard
from sim.warm import say

ELSEWHERE = "another process is at it"
PATIENCE = 10  # seconds of waiting for other processes until it is said
# What is half-written of the run of a key.
DRAFT = re.compile(r"\.(?:\d+\.)?(\w+-\d+-\w+(?:-\w+)?)\.(?:\d+\.draft|\d+\.old|failed\.json)")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class Failures(RuntimeError):  # noqa: N818  there may be many
    """Some runs failed; the others are kept."""


class Changes(Protocol):
    """What makes a run's parameters of its scenario's: a calibration, a point of a design."""

    def of(self, params: Params) -> Params:
        """Return the parameters that are run."""


Keep = Callable[[Model], dict[str, float]]  # of a finished model: what is kept of it besides


@dataclass(frozen=True, slots=True)
class Job:
    """One run: an arm, a seed, and where its results belong."""

    arm: str
    seed: int
    params: Params | None  # of the scenario; none in a plan that was read; the seed is that of the job
    store: Path
    key: str  # resolved configuration, seed, model's source
    dates: tuple[str, ...] = ()  # months of which maps are kept
    overrides: tuple[str, ...] = ()  # what was asked for, to be told with a failure
    changes: Changes | None = None
    monthly: bool = True  # is the monthly panel kept
    keep: Keep | None = None  # what else is kept

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return self.store / self.key

    @property
    def done(self) -> bool:
        """Whether the run is there; folders appear whole or not at all."""
        return self.folder.is_dir()

    @property
    def failure(self) -> Path:
        """Where it says why the run failed."""
        return self.store / f"{self.key}.failed.json"

    @property
    def failed(self) -> dict[str, Any] | None:
        """Why the run failed, a dictionary; none if it did not, or if what says so is damaged: it is done again."""
        try:
            return results.read_note(self.failure)
        except (FileNotFoundError, Damaged):
            return None

    @property
    def code(self) -> str:
        """The model's source that it was planned for."""
        return self.key.split("-")[2]

    @property
    def scenario(self) -> str:
        """The hash of its configuration."""
        return self.key.split("-")[0]

    @property
    def calibrated_by(self) -> dict[str, str | None]:
        """What its parameters were drawn from: the name of the calibration and the hash of its table."""
        drawn = self.changes if isinstance(self.changes, Calibration) else None
        return {"calibrated_by": f"{drawn.name} {drawn.made_by[0][:12]}" if drawn else None}

    def resolved(self) -> Params:
        """Return the parameters that are run: with its seed, and the values that a calibration draws for it."""
        if self.params is None:
            raise ValueError(f"run {self.key} is of a plan that was read: it can be looked at, and not be done")
        params = replace(self.params, seed=self.seed)
        return self.changes.of(params) if self.changes else params


def plan(
    arms: Mapping[str, Params],
    seeds: Iterable[int],
    store: str | Path,
    dates: Iterable[str] = (),
    overrides: Mapping[str, Sequence[str]] | None = None,
    changes: Mapping[str, Changes | None] | None = None,
    monthly: bool = True,
    keep: Keep | None = None,
) -> list[Job]:
    """Return the jobs of an experiment: one for each arm and seed.

    The folder of a run is named after the resolved configuration, the seed and the model's source, so that a changed
    model or configuration never finds old results.

    Parameters
    ----------
    arms : dict of Params by name; seeds : iterable of int; store : Path; dates : months as YYYY-MM
    overrides : dict of lists of str by name, what made the arms
    changes : dict by name, of the arms whose runs have parameters of their own: of a sim.calibrated.Calibration, by
        seed; or of another object with `of(params)`
    monthly : is the monthly panel kept; keep : what else, function of the finished model, told apart by its repr
    """
    code, seeds, dates, kept = results.code_version(), list(seeds), tuple(dates), kept_as(dates, monthly, keep)
    jobs = []
    for arm, params in arms.items():
        said, change = tuple((overrides or {}).get(arm, ())), (changes or {}).get(arm)
        drawn = change if isinstance(change, Calibration) else None
        run = change.of(params) if change and not drawn else params
        scenario = results.fingerprint(run, with_seed=False, calibration=drawn)
        jobs += [Job(arm, s, params, Path(store), key(scenario, s, code, kept), dates, said, change, monthly, keep)
                 for s in seeds]  # fmt: skip
    return jobs


def key(scenario: str, seed: int, code: str, kept: str = "") -> str:
    """Return the name of a run: what made it, and what is kept of it."""
    return f"{scenario}-{seed}-{code}{kept and f'-{kept}'}"


def kept_as(dates: Iterable[str] = (), monthly: bool = True, keep: Keep | None = None) -> str:
    """Return a short hash of what is kept of a run; nothing, if it is its outcomes and its monthly panel."""
    said = " ".join([*dates, *([] if monthly else ["outcomes"]), *([repr(keep)] if keep else [])])
    return hashlib.sha256(said.encode()).hexdigest()[:6] if said else ""


# ------------------------------------------------------------------------------ doing them


def run(jobs: Sequence[Job], at_a_time: int, what: str, retry_failed: bool = False) -> None:
    """Do the jobs that are not done yet on several processes.

    Parameters
    ----------
    jobs : list of Job; at_a_time : int; what : str, for the progress bar
    retry_failed : run again those that failed, and only those

    Raises
    ------
    Failures
        Naming the first run that failed, now or before; all others were done and are kept.
    Unwritable
        The disk is full, or the store may not be written to.
    """
    if retry_failed:
        jobs = [job for job in jobs if job.failed]
        for job in jobs:
            job.failure.unlink(missing_ok=True)
    state = {job.key: job for job in jobs}
    ended = sum(_ended(job) for job in state.values())
    try:
        _do(state, ended, at_a_time, what)
    except BaseException:  # the processes that were at it have been stopped, half-way
        for store in {job.store for job in jobs}:
            with contextlib.suppress(OSError):  # of a store that cannot be written: what went wrong is said already
                clean(store)
        raise
    complain(jobs)


def _do(state, ended, at_a_time, what):
    with _progress(what, len(state), ended) as advance:
        todo, since, told = _undone(state.values()), None, False
        while todo is not None:
            elsewhere = []
            for job, answer in workers.each(todo, min(at_a_time, len(state)), attempt):
                if answer == ELSEWHERE:
                    elsewhere.append(job)
                    continue
                if isinstance(answer, Exception):  # the process died, so it could not say why
                    _record(job, answer, "")
                elif answer and answer.get("errno") in FULL:
                    raise Unwritable(f"{job.store} cannot be written: {answer['error']}; finished "
                                     "runs are kept, and the same command does the rest")  # fmt: skip
                advance(failed=bool(job.failed))
            todo = elsewhere or None
            if elsewhere:
                since = since or time.monotonic()
                if not told and time.monotonic() - since > PATIENCE:
                    say(f"waiting for {len(elsewhere)} runs that another process is at; {claims.STOPPED}")
                    told = True
                time.sleep(0.5)
                for job in elsewhere:
                    if _ended(job):
                        advance(failed=bool(job.failed))
                todo = list(_undone(elsewhere)) or None


def complain(jobs: Collection[Job]) -> None:
    """Raise Failures if some of the jobs failed."""
    failed = [why for job in jobs if not job.done and (why := job.failed)]
    if failed:
        first = failed[0]
        raise Failures(
            f"{len(failed)} of {len(jobs)} runs failed, the others are kept; "
            f"first: arm {first['arm']}, seed {first['seed']}: {first['kind']}: {first['error']}"
        )


def _undone(jobs):
    """Yield the jobs that are neither done nor failed, looking only when each one's turn comes."""
    return (job for job in jobs if not _ended(job))


def _ended(job):
    return job.done or bool(job.failed)


def attempt(job: Job) -> str | dict[str, Any] | None:
    """Do a job unless somebody else is at it; return None, or ELSEWHERE, or what went wrong."""
    with claims.claim(job.store, job.key) as mine:
        if mine is False:
            return ELSEWHERE
        if _ended(job):
            return None
        try:
            simulate(job)
        except Exception as error:  # one failed run must not stop the others
            if isinstance(error, OSError) and error.errno in FULL:
                return {"errno": error.errno, "error": str(error)}
            try:
                _record(job, error, traceback.format_exc(limit=-6))
            except OSError as full:
                return {"errno": full.errno, "error": str(full)}
    return None


def _record(job, error, trace):
    content = {
        "arm": job.arm, "seed": job.seed, "overrides": _said(job), "kind": type(error).__name__,
        "error": str(error), "traceback": trace.replace(str(ROOT), ""), "key": job.key,
    }  # fmt: skip
    results.write_note(job.failure, content)


def _said(job):
    """Return the overrides that make a run, those of a point of a design with them."""
    return [*job.overrides, *getattr(job.changes, "overrides", ())]


def simulate(job: Job) -> None:
    """Run one job and store its outcomes, and its monthly panel and maps if they are kept."""
    if _code_when_started() != job.code:
        raise RuntimeError("the model's source changed while the sweep was running; start it again")
    start = time.perf_counter()
    model = Model(job.resolved()).run()
    seconds = time.perf_counter() - start
    months, columns, values = outcomes.monthly_matrix(model) if job.monthly else ([], [], np.empty((0, 0)))
    about = {"outcomes": outcomes.totals(model), "columns": columns, "months": months, "seconds": seconds,
             "seed": job.seed, "overrides": _said(job),
             "provenance": {**_provenance(), **job.calibrated_by}}  # fmt: skip
    if job.keep:
        about["kept"] = job.keep(model)
    stored.write(job, about, values, outcomes.cell_month(model, job.dates) if job.dates else None)


@functools.cache
def _code_when_started():
    return results.code_version()


@functools.cache
def _provenance():
    return results.provenance()


def is_running(job: Job) -> bool:
    """Say whether another process holds a job now."""
    with claims.claim(job.store, job.key) as free:
        return free is False


@contextlib.contextmanager
def _progress(what, total, ended):
    """Show runs done, rate, time left and failures where there is a terminal; yield a function that counts."""
    if not sys.stderr.isatty():
        yield lambda failed=False: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"),
        TextColumn("{task.fields[rate]:,.0f} a minute"), TimeRemainingColumn(compact=True),
        TextColumn("[red]{task.fields[failed]}"), console=Console(stderr=True), transient=True,
        speed_estimate_period=120,
    )  # fmt: skip
    start, here, lost = time.perf_counter(), 0, 0
    with bar:
        task = bar.add_task(what, total=total, completed=ended, rate=0.0, failed="")

        def advance(failed=False):
            nonlocal here, lost
            here, lost = here + 1, lost + failed
            rate = 60 * here / (time.perf_counter() - start)
            bar.update(task, advance=1, rate=rate, failed=f"{lost} failed" if lost else "")

        yield advance


def clean(store: Path) -> None:
    """Take away what processes that were killed left half-written in a store; what is being written stays."""
    for path in store.iterdir() if store.is_dir() else ():
        if draft := DRAFT.fullmatch(path.name):
            with claims.claim(store, draft[1]) as free:
                if free:
                    discard(path)
