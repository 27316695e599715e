"""The runs of an experiment: each stored whole, found again by what made it, never done twice."""

import dataclasses
import itertools
import json
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sim import outcomes, results
from sim.model import PeaceModel
from sim.warm import between_steps, progress


@dataclass(frozen=True)
class Job:
    """One run: an arm, a seed, and where its results belong."""

    arm: str
    seed: int
    params: object  # sim.params.Params
    folder: Path
    dates: tuple  # months of which maps are kept

    @property
    def done(self):
        """Whether the run is there; folders appear whole or not at all."""
        return self.folder.is_dir()


def plan(arms, seeds, store, dates, of_seed=lambda arm, params: params):
    """Return the jobs of an experiment: one for each arm and seed.

    The folder of a run is named after the resolved configuration, the seed and the model's source, so that a changed
    model or configuration never finds old results.

    Parameters
    ----------
    arms : dict of Params by name; seeds : iterable of int; store : Path; dates : months as YYYY-MM
    of_seed : function of an arm and its Params with the seed: what is run (calibrated parameters)
    """
    code = results.code_version()
    jobs = []
    for arm, params in arms.items():
        for seed in seeds:
            this = of_seed(arm, dataclasses.replace(params, seed=seed))
            scenario = results.fingerprint(this, with_seed=this.seed != seed)
            jobs.append(Job(arm, seed, this, store / f"{scenario}-{seed}-{code}", tuple(dates)))
    return jobs


def run(jobs, workers, what):
    """Do the jobs that are not done yet on several processes.

    Raises
    ------
    RuntimeError
        Naming the first run that failed; all others were done and are kept.
    """
    missing = [job for job in jobs if not job.done]
    failed = []
    with progress(what, len(jobs), len(jobs) - len(missing), "run") as advance:
        for i, (job, error) in enumerate(_each(missing, workers), start=len(jobs) - len(missing) + 1):
            advance(i)
            if error is not None:
                failed.append((job, error))
    if failed:
        job, error = failed[0]
        raise RuntimeError(
            f"{len(failed)} of {len(missing)} runs failed, the others are kept; "
            f"first: arm {job.arm}, seed {job.seed}: {type(error).__name__}: {error}"
        )


def _each(jobs, workers):
    """Do jobs, here or on several processes; yield each with its error or None as it ends."""
    if workers == 1 or len(jobs) <= 1:
        with between_steps() as let_through:
            for job in jobs:
                yield job, _attempt(job)
                let_through()
        return
    pool = ProcessPoolExecutor(min(workers, len(jobs)), multiprocessing.get_context("spawn"), initializer=_quiet)
    try:
        doing = {pool.submit(_attempt, job): job for job in jobs}
        for future in as_completed(doing):
            yield doing[future], future.exception() or future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _attempt(job):
    """Do a job; return what went wrong, or None."""
    try:
        simulate(job)
    except Exception as error:  # one failed run must not stop the others
        return error
    return None


def _quiet():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means


def simulate(job):
    """Run one job and store its monthly panel, outcomes and maps."""
    model = PeaceModel(job.params).run()
    panel = pa.Table.from_pandas(outcomes.monthly(model), preserve_index=False)
    about = {"outcomes": json.dumps(outcomes.totals(model)), "schema": str(results.SCHEMA)}
    panel = panel.replace_schema_metadata({**(panel.schema.metadata or {}), **about})
    cells = outcomes.cell_month(model, job.dates)

    def fill(folder):
        pq.write_table(panel, folder / "monthly.parquet")
        cells.to_parquet(folder / "maps.parquet", index=False)

    results.whole_folder(job.folder, fill)


def gather(jobs):
    """Read the stored runs: (runs, monthly, maps), three data frames.

    runs has a row for each arm and seed; monthly one for each of these and month; maps are means over seeds for each
    arm, month and cell.
    """
    runs, months, maps = [], [], []
    for arm, of_arm in itertools.groupby(jobs, key=lambda job: job.arm):
        total, n = 0.0, 0
        for job in of_arm:
            table = pq.ParquetFile(job.folder / "monthly.parquet").read()
            runs.append({"arm": arm, "seed": job.seed, **json.loads(table.schema.metadata[b"outcomes"])})
            months.append(table.to_pandas().assign(arm=arm, seed=job.seed))
            cells = pq.ParquetFile(job.folder / "maps.parquet").read().to_pandas()
            layers = cells.columns.difference(["month", "gid", "row", "col"], sort=False)
            total, n = total + cells[layers].to_numpy(float), n + 1  # the same cells in the same order in every run
        cells[layers] = total / n
        maps.append(cells.assign(arm=arm))
    tables = pd.DataFrame(runs), pd.concat(months, ignore_index=True), pd.concat(maps, ignore_index=True)
    return tuple(table.copy() for table in tables)  # in one block each: concat leaves fragments


def available_cores():
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
