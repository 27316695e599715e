"""Who is at what: claims to runs, and to the tables of a store, which processes and machines hold by locks.

A claim is a lock on one byte of a file: the system takes it back when the process dies, however it dies, and passes it
on over network file systems. Where there are no locks, two processes may do the same run, each as a whole and with the
same results.
"""

import contextlib
import errno
import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sim.warm import say

try:
    import fcntl
except ImportError:  # Windows: two processes on one sweep do some runs twice, with the same results
    fcntl = None  # type: ignore[assignment]  # looked at before it is used

LOCKS = ".locks"
TABLES = 2**60  # a byte beyond those of runs
STOPPED = "if it was stopped, have it go on (fg) or end it"


@functools.cache
def _opened(store):
    """Open the file of locks of a store, once in a process: closing it anywhere would give up all locks."""
    store.mkdir(parents=True, exist_ok=True)
    return os.open(store / LOCKS, os.O_RDWR | os.O_CREAT, 0o666)


def _lock(locks, byte, wait=False):
    """Lock a byte; return whether it is ours, or None where there are no locks: on Windows, on some file systems."""
    if fcntl is None:
        return None
    try:
        fcntl.lockf(locks, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, byte)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN) else None
    return True


@contextlib.contextmanager
def _held(store: str | Path, byte: int, waiting: str = "") -> Iterator[bool | None]:
    """Hold a byte, waited for if there are words to say meanwhile; yield whether it is ours, as `_lock` says."""
    locks = _opened(Path(os.path.abspath(store)))  # whatever the working directory is by now
    mine = _lock(locks, byte)
    if mine is False and waiting:
        say(waiting)
        mine = _lock(locks, byte, wait=True)
    try:
        yield mine
    finally:
        if mine:
            fcntl.lockf(locks, fcntl.LOCK_UN, 1, byte)


def claim(store: str | Path, key: str) -> contextlib.AbstractContextManager[bool | None]:
    """Hold a run for this process; yield whether it is ours: False if another process is at it, None if none can tell.

    Parameters
    ----------
    store : Path; key : str, the name of the run
    """
    return _held(store, int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big"))


def alone(store: str | Path) -> contextlib.AbstractContextManager[bool | None]:
    """Wait until no other process writes the tables of a store; yield whether that is sure, as `claim` does."""
    whose = f"another process that writes the tables of {Path(store).parent}"
    return _held(store, TABLES, f"waiting for {whose}; {STOPPED}")
