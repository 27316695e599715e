"""Processes that do runs, one at a time each, and that may die without taking anything else with them.

The pool of the standard library gives up all its work when one process is killed, as by a system that is out of
memory. Here each process has a pipe of its own, so it is known which run it was doing; a new one takes its place.
Processes are kept from one call to the next: they take seconds to start.
"""

import atexit
import ctypes
import functools
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, TypeVar

T = TypeVar("T")

OFTEN = 20  # jobs in this process between two times that it gives memory back: it takes as long as a short run
TRIES = 2  # a run whose process dies is tried so often: it may have died of something else

_idle: list["_Worker"] = []


class _Worker:
    """A process and the pipe to it."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that its death closes the pipe

    def stop(self):
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def each(jobs: Iterable[T], workers: int, do: Callable[[T], Any]) -> Iterator[tuple[T, Any]]:
    """Do jobs; yield each with what `do` returned, as it ends.

    Parameters
    ----------
    jobs : iterable
    workers : int, at a time; 1: in this process
    do : function of a job, of a module, which does not raise

    Yields
    ------
    (job, what was returned), or (job, Died) if the process died over it
    """
    if workers == 1:
        for number, job in enumerate(jobs, start=1):
            yield job, do(job)
            if number % OFTEN == 0:
                give_back()
        return
    todo, again = iter(jobs), []
    busy: dict[Any, tuple[_Worker, T, int]] = {}  # by the pipe to each
    try:
        while True:
            while len(busy) < workers:
                job, tries = again.pop() if again else (next(todo, None), 1)
                if job is None:
                    break
                worker = _free()
                try:
                    worker.pipe.send((do, job, os.getcwd()))
                except OSError:  # it died while it had nothing to do
                    worker.stop()
                    again.append((job, tries))
                    continue
                busy[worker.pipe] = worker, job, tries
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker, job, tries = busy[pipe]
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):
                    del busy[pipe]
                    worker.process.join()
                    worker.pipe.close()
                    if tries < TRIES:
                        again.append((job, tries + 1))
                    else:
                        yield job, Died(worker.process.exitcode)
                    continue
                del busy[pipe]
                _idle.append(worker)
                yield job, answer
    finally:
        for worker, *_ in busy.values():  # the consumer has left: nobody waits for these
            worker.stop()


def _free():
    try:
        return _idle.pop()
    except IndexError:  # or another thread was faster
        return _Worker()


class Died(RuntimeError):  # noqa: N818  says what the process did
    """A process that ended without an answer."""

    def __init__(self, code: int | None) -> None:
        how = f"ended with code {code}"
        if code is not None and code < 0:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})"
        memory = (
            "; perhaps the memory was not enough: give fewer workers" if code == -getattr(signal, "SIGKILL", 9) else ""
        )
        super().__init__(f"its process {how}, {TRIES} times{memory}")


def give_back() -> None:
    """Give memory back to the system: models that nobody holds any more stay until they are looked for."""
    gc.collect()
    if trim := _trim():
        trim(0)


@functools.cache
def _trim():
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None  # of the C library of GNU


def _serve(pipe):
    frozen = False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    while True:
        try:
            do, job, folder = pipe.recv()
            os.chdir(folder)  # the parent may have moved since the process was started, and paths may be relative
            pipe.send(do(job))
            give_back()
            if not frozen:  # what was imported stays for ever: not to look through it makes this 50 times as fast
                gc.freeze()
                frozen = True
        except (EOFError, OSError):  # the parent is gone
            return


def available_cores() -> int:
    """Return the cores that this process may use: those a scheduler gave it, or one if it is itself one of several."""
    if given := os.environ.get("SLURM_CPUS_PER_TASK"):
        return int(given)
    if multiprocessing.parent_process() is not None:  # joblib and Dask start a process per core
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@atexit.register
def close() -> None:
    """Send the idle processes home."""
    while _idle:
        _idle.pop().stop()
