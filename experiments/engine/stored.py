"""What a run leaves in the store, and what is read of it; what is damaged is taken out, so that it is done again."""

import hashlib
import itertools
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from experiments.engine import claims
from sim import outcomes, results
from sim.results import Damaged, discard
from sim.warm import say

if TYPE_CHECKING:
    from experiments.engine.runs import Job

MAPS = "maps.parquet"
RUN = "run.npz"


class Torn(RuntimeError):  # noqa: N818  says what the run is
    """A stored run that cannot be read."""


class Unwritable(RuntimeError):  # noqa: N818  says what the store is
    """Results cannot be stored, so it is of no use to go on."""


def write(job: "Job", about: dict[str, Any], monthly: NDArray[np.float64], maps: pd.DataFrame | None) -> None:
    """Store what a run left, as a whole or not at all.

    Parameters
    ----------
    job : Job; about : dict, to be kept as JSON; monthly : (months, columns); maps : a row for each month and cell
    """

    def fill(folder):
        if maps is not None:
            maps.to_parquet(folder / MAPS, index=False)
            about["maps"] = hashlib.sha256((folder / MAPS).read_bytes()).hexdigest()
        (folder / RUN).write_bytes(results.packed({"monthly": monthly, "about": np.array(json.dumps(about))}, job.key))

    # Not waiting for the disk saves a tenth of the time of short runs: `read` finds out what a power cut has torn.
    results.whole_folder(job.folder, fill, sync=False)


def check(jobs: "Iterable[Job]") -> None:
    """Take out of the store what is damaged, as after a power cut, so that it is done again."""
    for job in jobs:
        if job.failure.exists() and not job.failed:
            discard(job.failure)
        if wrong := job.done and _damage(job):
            _take_out(job)
            say(f"{wrong}: done again")


def _damage(job):
    """Return what is wrong with a stored run; none, if it is what was written."""
    try:
        results.unsealed(job.folder / RUN, job.key)
        if job.dates:
            _maps(job)
    except (Damaged, OSError) as error:
        return f"{job.folder} was damaged: {error}"
    return None


def _take_out(job):
    """Take a damaged run out of the store, unless another process is doing it again or has done so."""
    with claims.claim(job.store, job.key) as mine:
        if mine is not False and _damage(job):
            discard(job.folder)
            if job.folder.exists():
                raise Unwritable(f"{job.folder} was damaged and cannot be taken away; see whose it is")


def _about(job):
    stored = results.unpacked(job.folder / RUN, job.key)
    return json.loads(str(stored["about"])) | {"monthly": stored["monthly"]}


def _maps(job):
    wanted, found = _about(job)["maps"], (job.folder / MAPS).read_bytes()
    if hashlib.sha256(found).hexdigest() != wanted:
        raise Damaged(f"{MAPS} is not what was written")
    return found


def _read(job, what):
    try:
        return what(job)
    except (Damaged, OSError) as error:
        _take_out(job)
        raise Torn(f"{job.folder} was damaged: {error}") from error


def read(job: "Job") -> dict[str, Any]:
    """Return what a run left: a dictionary with outcomes, columns, months, monthly, seconds and provenance.

    Raises
    ------
    Torn
        The file is damaged, as after a power cut. The run is taken out of the store, to be done again.
    """
    return _read(job, _about)


def read_maps(job: "Job") -> pd.DataFrame:
    """Return the maps that a run left: a row for each month and cell.

    Raises
    ------
    Torn
        As `read`.
    """
    return pq.ParquetFile(pa.BufferReader(_read(job, _maps))).read().to_pandas()


def totals(jobs: "Iterable[Job]") -> pd.DataFrame:
    """Return the outcomes of stored runs: a row for each, with its arm and its seed."""
    return pd.DataFrame([{"arm": job.arm, "seed": job.seed, **read(job)["outcomes"]} for job in jobs])


def mean_maps(jobs: "Iterable[Job]") -> pd.DataFrame:
    """Return maps as means over seeds: a row for each arm, month and cell; empty if no maps were kept."""
    maps = []
    for arm, of_arm in itertools.groupby(jobs, key=lambda job: job.arm):
        total, n, cells = 0.0, 0, pd.DataFrame()
        for job in of_arm:
            if job.dates and job.done:
                cells = read_maps(job)
                layers = cells.columns.difference(outcomes.CELL_COLUMNS, sort=False)
                total, n = total + cells[layers].to_numpy(float), n + 1  # the same cells in the same order in each
        if n:
            cells[layers] = total / n
            maps.append(cells.assign(arm=arm))
    return pd.concat(maps, ignore_index=True).copy() if maps else pd.DataFrame()  # in one block, not in fragments
