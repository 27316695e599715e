"""Killed sweeps: python -m tests.proof kill [RUNS] [slurm] [dask]

A sweep, killed with all its processes at random every few seconds and started again until it is whole; and the same on
SLURM and on Dask, with one of two nodes killed half-way. All tables must be those of an undisturbed sweep, to the last
byte.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmark_sweep import ROOT, start, words

RUNS = 300
SEEDS = 20  # of a scenario
LONGEST = 8  # seconds until a kill
ON_SLURM = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=main", "hydra.launcher.mem_gb=null",
            "hydra.launcher.timeout_min=60", "hydra.launcher.array_parallelism=8"]  # fmt: skip


def digest(folder):
    """Return a hash of the tables of the sweep."""
    found, tables = hashlib.sha256(), folder / "results" / "phases"
    for path in (tables / "runs.parquet", *sorted((tables / "monthly").iterdir())):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def done(folder):
    """Return how many runs are there."""
    return len(list((folder / "results" / "phases" / "runs").glob("[!.]*-*-*")))


def finish(process):
    """Wait for a process that must end well."""
    said = process.communicate()[1]
    assert process.returncode == 0, said


def kill(process, folder, luck):
    """Kill all that a sweep started, some seconds after it is at work or, one time in four, after its start.

    Returns whether it was still there.
    """
    before = done(folder)
    at_work = luck.random() < 0.75
    while at_work and done(folder) == before and process.poll() is None:
        time.sleep(0.05)
    try:
        process.wait(luck.uniform(0, LONGEST))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode != 0


def killed(folder, asked, luck):
    """Run the sweep, killing all of it again and again; return how often."""
    folder.mkdir()
    kills = 0
    while True:
        process = start(folder, "phases", *asked)
        if not kill(process, folder, luck):
            return kills
        kills += 1


def engine(folder, name, asked, n_runs):
    """Run the sweep on another engine and kill one of its two nodes half-way."""
    folder.mkdir()
    home = Path(tempfile.mkdtemp(prefix=name))  # a short path: sockets are in it
    more = {"env": {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}"}}

    def script(*what):
        call = ["bash", str(ROOT / "tests" / f"{name}.sh"), *what]
        return subprocess.run(call, capture_output=True, text=True, check=True, **more).stdout

    try:
        said = script("up", str(home), "2")
        launcher = (
            ON_SLURM if name == "slurm" else ["hydra/launcher=dask", f"hydra.launcher.scheduler={said.split()[-1]}"]
        )
        process = start(folder, "phases", *asked, *launcher, env={**os.environ, "SLURM_CONF": str(home / "slurm.conf")})
        while process.poll() is None and done(folder) < n_runs / 2:
            time.sleep(0.2)
        assert process.poll() is None
        script("kill", str(home), "2")
        finish(process)
    finally:
        script("down", str(home))
        shutil.rmtree(home, ignore_errors=True)


def main(asked):
    """Kill; print how often, and whether the table is the same."""
    n_runs = next((int(w) for w in asked if w.isdecimal()), RUNS)
    of_sweep, home, held = words(n_runs, SEEDS), Path(tempfile.mkdtemp(prefix="kill")), True
    try:
        (home / "once").mkdir()
        finish(start(home / "once", "phases", *of_sweep))
        whole, n_runs = digest(home / "once"), done(home / "once")
        begun = time.monotonic()
        kills = killed(home / "killed", of_sweep, random.Random(1))
        held = digest(home / "killed") == whole
        print(
            f"  {n_runs} runs, killed {kills} times in {time.monotonic() - begun:.0f} s: table identical: {held}",
            flush=True,
        )
        for name in ("slurm", "dask"):
            if name in asked:
                begun = time.monotonic()
                engine(home / name, name, of_sweep, n_runs)
                same = digest(home / name) == whole
                print(
                    f"  {name}, one of two nodes killed: {time.monotonic() - begun:.0f} s: table identical: {same}",
                    flush=True,
                )
                held = held and same
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return held
