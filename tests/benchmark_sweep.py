"""Print what a sweep costs on this machine: python -m tests.benchmark_sweep [RUNS]

A sweep of many short runs (52 weeks, 1,000 civilians, two missions), where everything but simulating weighs most; runs
of the default length are 10 times longer. That a sweep may be killed is tried by `python -m tests.proof kill`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 20
MANY = 10_000  # runs in tables that are opened
LENGTH = ["weeks=52", "civilians=1000"]


def words(n_runs, seeds=SEEDS):
    """Return the overrides of the experiment `phases` that make about so many runs."""
    points = max(1, round(n_runs / seeds / 4))
    rows = next(k for k in range(int(points**0.5), 0, -1) if points % k == 0)
    axes = [f"{name}:[{','.join(f'{k / max(n - 1, 1):.4f}' for k in range(n))}]"
            for name, n in (("judge.conflation", points // rows), ("judge.contestation", rows))]  # fmt: skip
    return [
        *LENGTH,
        f"experiment.seeds={seeds}",
        "experiment.figures=[]",
        f"experiment.design.axes={{{','.join(axes)}}}",
    ]


def start(folder, *more, module="experiments", **how):
    """Start the sweep in a session of its own, so that all of it can be killed at once."""
    call = [sys.executable, "-m", module, *more]
    return subprocess.Popen(call, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True, **how)


def _memory(session, peak, stop):
    """Keep the peak of the memory of all processes of a session, in MB: shared pages counted once."""
    while not stop.wait(0.5):
        total = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(process.name)) == session:
                    rollup = (process / "smaps_rollup").read_text()
                    total += int(rollup.split("Pss:")[1].split()[0]) / 1024
            except (OSError, IndexError, ValueError):
                pass
        peak.append(total)


def undisturbed(folder, n_runs, seeds=SEEDS):
    """Run the sweep once; return what it cost."""
    folder.mkdir()
    begun, peak, stop = time.perf_counter(), [], threading.Event()
    process = start(folder, "phases", *words(n_runs, seeds))
    watch = threading.Thread(target=_memory, args=(process.pid, peak, stop))
    watch.start()
    said = process.communicate()[1]
    stop.set()
    watch.join()
    assert process.returncode == 0, said
    total = time.perf_counter() - begun
    seconds = simulated(folder / "results" / "phases")
    stored = sum(f.stat().st_size for f in (folder / "results" / "phases" / "runs").rglob("*.npz"))
    tables = sum(f.stat().st_size for f in (folder / "results" / "phases").rglob("*.parquet"))
    return {
        "runs": len(seconds),
        "total": total,
        "simulation": sum(seconds),
        "peak": max(peak),
        "stored": stored,
        "tables": tables,
    }


def simulated(folder):
    """Return the seconds of pure simulation of every run of a sweep."""
    from experiments.engine import stored, sweep

    return [stored.read(job)["seconds"] for job in sweep.planned(folder)[0]]


def many(folder):
    """Write the tables of MANY runs of the default length, 100 seeds each; return the seconds that it took.

    They are a few real runs, each taken for many with all numbers changed a little, so that none occurs twice: the
    tables are larger than those of real ones, in which many numbers are whole.
    """
    from experiments.engine import runs, stored
    from experiments.engine import tables as results
    from sim import load

    jobs = runs.plan({"none": load()}, range(1, 17), folder / "runs")
    runs.run(jobs, len(os.sched_getaffinity(0)), "some runs")
    scenarios = {f"level={k}": {"arm": "none", "level": k} for k in range(MANY // 100)}
    named = [replace(jobs[seed % len(jobs)], arm=arm, seed=seed) for arm in scenarios for seed in range(1, 101)]
    left = {job.key: stored.read(job) for job in jobs}
    place = {(job.arm, job.seed): k for k, job in enumerate(named)}

    def read(job):
        found, by = left[job.key], 1 + 1e-6 * place.get((job.arm, job.seed), 0)
        totals = {k: v * by for k, v in found["outcomes"].items()}
        return {**found, "monthly": found["monthly"] * by, "outcomes": totals}

    begun = time.perf_counter()
    with mock.patch.object(stored, "read", read):
        results.write(folder, named, scenarios)
    return time.perf_counter() - begun


def reading(folder):
    """Return the seconds that opening the tables takes with each tool that is installed."""
    parts, table = f"{folder}/monthly/*.parquet", f"{folder}/runs.parquet"
    asked = {
        "pandas": f"import pandas as p; t=T(); p.read_parquet({table!r}).groupby('arm').deaths.mean()",
        "results.load": f"from experiments.engine import tables as r; t=T(); r.load({str(folder)!r}).summary('deaths')",
        "polars, monthly": f"import polars as p; t=T(); p.scan_parquet({parts!r}).group_by('arm').agg("
        "p.col('civilians_killed').sum()).collect()",
        "DuckDB, monthly": f"import duckdb as d; t=T(); "
        f"d.sql(\"select arm, sum(civilians_killed) from '{parts}' group by 1\").df()",
    }
    found = {}
    for tool, code in asked.items():
        done = subprocess.run([sys.executable, "-c", f"from time import perf_counter as T; {code}; print(T() - t)"],
                              capture_output=True, text=True, cwd=ROOT, check=False)  # fmt: skip
        found[tool] = float(done.stdout) if done.returncode == 0 else None
    return found


def main():
    """Print the figures."""
    n_runs = next((int(w) for w in sys.argv[1:] if w.isdecimal()), 2_000)
    cores = len(os.sched_getaffinity(0))
    home = Path(tempfile.mkdtemp(prefix="sweep"))
    try:
        fewer, more = (undisturbed(home / f"{m} seeds", max(n_runs // 10 * m // SEEDS, 4 * m), m)
                       for m in (SEEDS, 5 * SEEDS))  # fmt: skip
        c = undisturbed(home / "once", n_runs)
        share = c["simulation"] / cores / c["total"]
        print(f"{c['runs']} runs of 52 weeks and 1,000 civilians, {cores} cores (load {os.getloadavg()[0]:.1f})")
        print(f"  total {c['total']:.0f} s, {60 * c['runs'] / c['total']:.0f} runs a minute")
        print(f"  simulation {c['simulation']:.0f} s over {cores} cores: {share:.0%}, overhead {1 - share:.0%}")
        print(f"  peak memory of all processes {c['peak']:.0f} MB; a tenth of the scenarios: {fewer['peak']:.0f} MB; "
              f"a tenth of the scenarios with five times the seeds: {more['peak']:.0f} MB")  # fmt: skip
        print(
            f"  disk: {c['stored'] / c['runs'] / 1e3:.1f} kB a run, and {c['tables'] / c['runs'] / 1e3:.1f} in tables"
        )
        print(f"{MANY:,} runs of ten years: tables written in {many(home / 'many'):.0f} s, "
              f"{sum(f.stat().st_size for f in (home / 'many').rglob('*.parquet')) / 1e6:.0f} MB")  # fmt: skip
        for tool, seconds in reading(home / "many").items():
            print(f"  opened with {tool}: " + (f"{seconds:.2f} s" if seconds is not None else "not installed"))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
