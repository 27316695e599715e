"""Print how fast the simulator is on this machine: python -m tests.benchmark

Every case is a fresh process, so that memory is its own; times are after import and compilation, the best of a few.
Nothing here passes or fails: a test never times.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CASES = (  # label, overrides, repetitions
    ("default scenario: 5,000 civilians, 520 weeks", [], 5),
    ("the same with two missions", ["mission=separated"], 5),
    ("10,000 civilians, 520 weeks", ["civilians=10000"], 3),
    ("100,000 civilians, 104 weeks", ["civilians=100000", "weeks=104"], 3),
    ("100,000 civilians, 104 weeks, two missions", ["civilians=100000", "weeks=104", "mission=separated"], 2),
    ("1,000,000 civilians, 52 weeks", ["civilians=1000000", "weeks=52"], 1),
)


def measure(overrides, repetitions):
    """Return the best time of a run in seconds, its civilian-weeks, and the peak memory of the process in MB."""
    from sim import PeaceModel, load

    params = load(*overrides)
    PeaceModel(load("mission=separated", "civilians=50", "weeks=30")).run()  # compiled or loaded from the cache
    best = float("inf")
    for _ in range(repetitions):
        start = time.perf_counter()
        PeaceModel(params).run()
        best = min(best, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return best, params.civilians * params.weeks, peak


def _in_fresh_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((x.split(":")[1].strip() for x in file if x.startswith("model name")), platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def main():
    """Print the table."""
    print(f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; one process, one thread")
    start = time.perf_counter()
    _in_fresh_process("import sim; print(0)")
    print(f"start of Python and import: {time.perf_counter() - start:.2f} s")
    print(f"{'':<46}{'seconds':>9}{'civilian-weeks/s':>18}{'ns each':>9}{'peak MB':>9}")
    fast = None
    for label, overrides, repetitions in CASES:
        call = f"print(json.dumps(measure({overrides!r}, {repetitions})))"
        call = f"import json; from tests.benchmark import measure; {call}"
        seconds, civilian_weeks, peak = _in_fresh_process(call)
        rate = civilian_weeks / seconds
        fast = fast or rate
        print(f"{label:<46}{seconds:>9.2f}{rate:>18,.0f}{1e9 / rate:>9.0f}{peak:>9.0f}")
    slow = _in_fresh_process(
        "import json; from tests.slow_mesa import time_per_civilian_week as t; print(json.dumps(t(2000, 10)))"
    )
    kernel = _in_fresh_process(
        "import json; from tests.benchmark import rules_alone as t; print(json.dumps(t(5000, 104)))"
    )
    worlds = _in_fresh_process("import json; from tests.benchmark import many_worlds as t; print(json.dumps(t()))")
    cores = os.cpu_count()
    print(f"\n1,000 worlds of 2,500 civilians: a step {worlds[0]:.2f} s in one thread, {worlds[1]:.2f} s in {cores}")
    print(f"a month of them:                 {worlds[2]:.2f} s in {cores} threads; {worlds[3]:,.0f} MB")
    print(f"\nthe civilians' rules as ordinary Mesa agents: {slow * 1e9:,.0f} ns per civilian-week")
    print(f"the same rules as compiled loops:             {kernel * 1e9:,.0f} ns, {slow / kernel:,.0f} times faster")


def many_worlds(n=1_000, civilians=2_500):
    """Return the seconds of a step of many worlds in one thread and in one for each core, of a month in these, and MB.

    Compiled rules give up the interpreter's lock; what is Python between them does not.
    """
    from dataclasses import replace

    from sim import PeaceModel, load

    params = load("mission=separated", "mission.authorised=4", f"civilians={civilians}", "weeks=60")
    PeaceModel(params).run()
    worlds = [PeaceModel(replace(params, seed=seed)) for seed in range(n)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for world in worlds:  # until missions are there
        while world.week < 30:
            world.step()
    took = []
    for threads, steps in ((1, 1), (os.cpu_count(), 1), (os.cpu_count(), 4)):
        with ThreadPoolExecutor(threads) as pool:
            start = time.perf_counter()
            for _ in range(steps):
                list(pool.map(PeaceModel.step, worlds))
            took.append(time.perf_counter() - start)
    return [*took, peak]


def rules_alone(n, weeks):
    """Return the seconds that one civilian-week of processes 9 and 10 takes, luck and bookkeeping included."""
    from sim import PeaceModel, load
    from sim.processes.feel import feel
    from sim.processes.live import live

    PeaceModel(load("civilians=50", "weeks=3")).run()
    model = PeaceModel(load(f"civilians={n}", f"weeks={weeks}"))
    spent = 0.0

    def timed(process):
        def call(model):
            nonlocal spent
            start = time.perf_counter()
            process(model)
            spent += time.perf_counter() - start

        return call

    model.schedule = [timed(p) if p in (live, feel) else p for p in model.schedule]
    model.run()
    return spent / (n * weeks)


if __name__ == "__main__":
    main()
