"""What visitors take away is made in other processes, so that no screen waits: jobs, their progress, their files."""

import os
import secrets
import shutil
import threading
from concurrent.futures import FIRST_COMPLETED, CancelledError, ThreadPoolExecutor, wait
from pathlib import Path

from experiments.classroom import film, sheet
from experiments.classroom.scene import Scene
from experiments.engine import runs, workers
from sim.values import among

SEEDS = (5, 10, 20, 30)
KINDS = ("sheet", "gif", "mp4")
KEPT = 60  # jobs whose files are kept

why_no_mp4 = film.why_no_mp4
cores = workers.available_cores


def _elsewhere(do, *what):
    """Have a process of the engine do something; raise what it raised."""
    ((_, answer),) = workers.each([(do, what)], 2, _politely)  # 1 would be this process, whose screens must not wait
    if isinstance(answer, Exception):
        raise answer
    return answer


def _politely(work):
    do, what = work
    if hasattr(os, "nice"):
        os.nice(max(0, 10 - os.nice(0)))  # screens first
    try:
        return do(*what)
    except Exception as error:  # for the visitor
        return error


class Making:
    """A sheet or an animation that is being made."""

    def __init__(self, key: str, what: str, folder: Path) -> None:
        self.key, self.what, self.folder = key, what, folder
        self.files, self.notes, self.error = [], [], None
        self.over = False
        self.done, self.total, self.waiting = 0, 1, True
        self.futures, self.cancelled = [], False

    def progress(self) -> tuple[int, int, bool]:
        """Return how much is done, of how much, and whether others come first."""
        if self.what != "sheet":
            self.done, self.total = film.read_progress(self.folder) or (self.done, self.total)
            self.waiting = not self.done
        return self.done, self.total, self.waiting

    def cancel(self) -> None:
        """Stop it as soon as may be."""
        self.cancelled = True
        for future in self.futures:
            future.cancel()
        if not self.over:
            film.stop(self.folder)


class Jobs:
    """The jobs of all visitors, in turn on a few processes; a thread waits for each of these.

    Parameters
    ----------
    processes : int
    """

    def __init__(self, processes: int = 1) -> None:
        self.pool = ThreadPoolExecutor(processes)
        self.folder: Path  # from `open` on
        self.all = {}
        self.lock = threading.Lock()

    def warm_up(self) -> None:
        """Start a worker before anybody waits for it."""
        self.pool.submit(_elsewhere, int)

    def open(self, folder: Path) -> None:
        """Begin, with a folder of one's own."""
        self.folder = folder

    def close(self) -> None:
        """Stop everything."""
        for job in self.all.values():
            job.cancel()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def start(self, what: str, scene: Scene, seeds: int | None = None, every: int | None = None) -> Making:
        """Start a job.

        Parameters
        ----------
        what : str, sheet, gif or mp4; scene : Scene; seeds : int, of a sheet; every : int, weeks between two frames

        Raises
        ------
        ValueError
            It cannot be made: what is allowed.
        """
        if what not in KINDS:
            raise ValueError(f"{what!r} cannot be made{among(what, KINDS)}")
        if what == "sheet" and seeds not in SEEDS:
            raise ValueError(f"seeds is {seeds!r}; choose one of {', '.join(map(str, SEEDS))}")
        if what == "mp4" and film.why_no_mp4():
            raise ValueError(film.why_no_mp4())
        if what != "sheet":
            every = film.check_every(every or film.EVERY)
        key = secrets.token_urlsafe(12)  # nobody can guess it
        job = Making(key, what, self.folder / key)
        job.folder.mkdir()
        with self.lock:
            self.all[key] = job
            for old in [k for k, j in self.all.items() if j.over][: max(0, len(self.all) - KEPT)]:
                shutil.rmtree(self.all.pop(old).folder, ignore_errors=True)
        threading.Thread(target=self._make, args=(job, scene, seeds, every), daemon=True).start()
        return job

    def file(self, key: str, name: str) -> Path | None:
        """Return the path of a finished file, or None."""
        job = self.all.get(key)
        return next((f for f in job.files if f.name == name), None) if job and job.over else None

    def _submit(self, job, do, *what):
        job.futures.append(self.pool.submit(_elsewhere, do, *what))
        return job.futures[-1]

    def _wait(self, job, futures):
        """Wait until all is done or the visitor has had enough."""
        left = set(futures)
        while left:
            if job.cancelled:
                raise CancelledError
            done, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                job.done, job.waiting = job.done + 1, False

    def _make(self, job, scene, seeds, every):
        try:
            if job.what == "sheet":
                plan = sheet.plan(scene, seeds, self.folder / "runs")
                missing = [j for j in plan if not j.done]
                job.total, job.done = len(plan) + 1, len(plan) - len(missing)
                self._wait(job, [self._submit(job, runs.simulate, j) for j in missing])
                last = self._submit(job, sheet.write, scene, plan, job.folder)
            else:
                last = self._submit(job, film.render, scene, job.folder / f"classroom.{job.what}", every)
            self._wait(job, [last])
            names, job.notes = last.result()
            job.files = [Path(f) for f in names]
        except CancelledError:
            job.error = "cancelled"
        except Exception as error:  # whatever it is, the visitor is told
            job.error = "cancelled" if job.cancelled else str(error) or type(error).__name__
        finally:
            job.over = True
