"""Print how fast the simulator is against an older checkout: python -m tests.benchmark_against OLDER [TIMES]

Every case is a fresh process in each of the two, by turns, so that both meet the same machine; the figures are
processor time, the least of some times. Nothing here passes or fails: a test never times.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
A_RUN = """
import json, sys, time
from sim import PeaceModel, load
PeaceModel(load("mission=separated", "civilians=50", "weeks=40")).run()
model = PeaceModel(load(*sys.argv[1:]))
start = time.process_time()
model.run()
print(json.dumps((time.process_time() - start) / model.record.steps))
"""
CASES = {  # what is run, with which words; the last two count the whole process
    "default run with two missions, a week": ["-c", A_RUN, "mission=separated", "weeks=520"],
    "default run without a mission, a week": ["-c", A_RUN, "mission=none", "weeks=520"],
    "100,000 civilians with two missions, a week": ["-c", A_RUN, "mission=separated", "civilians=100000", "weeks=52"],
    "cells of 6.25 km, a week": ["-c", A_RUN, "mission=separated", "country.cell_km=6.25", "weeks=104"],
    "whole process of a scenario of 520 weeks": ["-m", "sim", "mission=separated", "weeks=520", "run.results={folder}"],
    "first compilation": ["-c", A_RUN, "mission=separated", "weeks=2", "civilians=50"],
}


def processor_time(checkout, words, cache=None):
    """Run Python in a checkout: return the processor seconds of the process, or what it printed if that is a number."""
    with tempfile.TemporaryDirectory() as folder:
        given = [word.format(folder=folder) if "{folder}" in word else word for word in words]
        more = {"NUMBA_CACHE_DIR": cache or folder}
        before = os.times()
        done = subprocess.run(
            [sys.executable, *given], cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)} | more,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        after = os.times()
        if words[0] == "-c" and cache:
            return json.loads(done.stdout.splitlines()[-1])
        return after.children_user + after.children_system - before.children_user - before.children_system


def main():
    """Print the table of ratios."""
    older, times = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"{'processor time':<46}{'older':>12}{'this':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as kept:
        caches = {older: f"{kept}/older", HERE: f"{kept}/this"}
        for checkout, cache in caches.items():
            processor_time(checkout, ["-c", A_RUN, "weeks=2", "civilians=50"], cache)  # compiled
        for label, words in CASES.items():
            least = {older: float("inf"), HERE: float("inf")}
            for _ in range(1 if label == "first compilation" else times):
                for checkout, cache in caches.items():
                    own = None if label == "first compilation" else cache
                    least[checkout] = min(least[checkout], processor_time(checkout, words, own))
            unit, scale = ("us", 1e6) if label.endswith("a week") else ("s", 1)
            a, b = (f"{least[checkout] * scale:,.1f} {unit}" for checkout in (older, HERE))
            print(f"{label:<46}{a:>12}{b:>12}{least[HERE] / least[older]:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
