"""What the results hang on: which of the numbers matter, and which of them change the ranking of the mission models.

python -m experiments sensitivity              the whole analysis; the same command again does only what is missing
python -m experiments sensitivity --small      the same steps on a handful of parameters, in seconds

Five designs, each a list of points (some parameters somewhere in their ranges, and a seed); at each point the mission
models of the main job are run with the same luck:

everywhere  a Latin hypercube over all numbers of the processes, the factions and the missions: which of them explain
            the outcomes, and where does each model rank first?
tornado     the ten that matter, one at a time from the low end of the range to the high one
sobol       Saltelli's design over the ten that matter, and luck as an eleventh
flip        conflation x contestation, all else at its default: how does the separated model rank?
screening   Morris trajectories over all numbers

Things to notice: luck is keyed by decision, so most parameters leave most of a run as it was, and the screening tells
which of them may be forgotten. But the model is chaotic: a parameter that bears on the war at all soon changes its luck
too, and then a single run moves as much as with another seed. What re-drawn luck alone does is measured by dummies
(screening), a factor of its own (sobol), or repeated seeds (the others), and effects are held against that. A step of a
Morris trajectory is one run against one other, in which luck drowns most effects; in a hypercube every run speaks about
every parameter. So the ten that matter are taken from the hypercube.

Things to try: a longer war (`--weeks`), and see whether the same ten matter; more seeds on the plane (`--grid-seeds`).
"""

import argparse
import dataclasses
import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from experiments.engine import runs
from experiments.sensitivity import designs, figures, summary
from experiments.sensitivity import indices as ask
from experiments.sensitivity.runs import Runs, simulate
from sim import results
from sim.config import load
from sim.warm import say, warm_up

MISSIONS = (
    "un_only", "regional_only", "sequential", "parallel", "separated", "separated_swapped", "hybrid", "un_support",
)  # fmt: skip
ARMS = (ask.NOBODY, *MISSIONS)
STUDIED = "separated"


def _at_least(least, default):
    return dataclasses.field(default=default, metadata={"least": least})


@dataclass(frozen=True)
class Size:
    """How much is done: the full analysis by default."""

    civilians: int = _at_least(10, 1_000)
    weeks: int = _at_least(26, 208)
    step_weeks: float = _at_least(0.125, 4.0)
    every: int = _at_least(1, 1)  # take every n-th parameter
    trajectories: int = _at_least(2, 4)
    dummies: int = _at_least(2, 20)
    matter: int = _at_least(1, 10)
    corner_seeds: int = _at_least(2, 10)
    base: int = _at_least(2, 64)  # of Saltelli's design; a power of 2
    grid: int = _at_least(2, 6)
    grid_seeds: int = _at_least(2, 12)
    points: int = _at_least(4, 300)
    point_seeds: int = _at_least(2, 2)


SMALL = Size(civilians=60, weeks=28, step_weeks=4, every=150, trajectories=2, dummies=2, matter=2, corner_seeds=2,
             base=2, grid=2, grid_seeds=2, points=4, point_seeds=2)  # fmt: skip


def scenario(size):
    """Return the arms of a size: dict of Params by name."""
    small = [f"civilians={size.civilians}", f"weeks={size.weeks}", f"step_weeks={size.step_weeks}"]
    return {arm: load(f"mission={arm}", *small) for arm in ARMS}


def described(score, factors):
    """Return the scores with what each parameter is: default, range, unit, arms that have it, meaning, source."""
    table = score.copy()
    for name in ("default", "low", "high", "unit", "meaning", "source"):
        table[name] = [getattr(factors[p], name) if p in factors else None for p in table.parameter]
    table["arms"] = [" ".join(factors[p].leaves) if p in factors else None for p in table.parameter]
    return table


def say_how_long(run, size, planned):
    """Say how many runs there are to do, and about how long they take here.

    Parameters
    ----------
    planned : dict of lists of keys (points, arms), of the designs that do not wait for the hypercube
    """
    to_do = len({k for keys in planned.values() for row in keys for k in row if k not in run.done})
    later = (1 + 2 * size.matter) * size.corner_seeds + size.base * (size.matter + 3)
    warm_up()
    for timed in (False, True):  # the first runs of a process are slower
        start = time.perf_counter()
        for params in run.arms.values():
            simulate(params, 1, ())
        if timed:
            seconds = (time.perf_counter() - start) / len(run.arms)
    most = to_do + later * len(MISSIONS)
    say(f"{to_do:,} runs to do, and at most {most - to_do:,} with those that matter: at {seconds:.2f} s a run, "
        f"{run.at_a_time} at a time, at most {most * seconds / run.at_a_time / 60:.0f} minutes")  # fmt: skip


def analyse(size, folder, workers):
    """Do all designs, and write their tables and figures into a folder."""
    folder = Path(folder)

    def write(name, table):
        results.whole_file(folder / f"{name}.csv", lambda f: table.to_csv(f, index=False, float_format="%.4g"))

    def draw(name, figure):
        results.whole_file(folder / f"{name}.png", lambda f: figure.savefig(f, dpi=150))

    arms = scenario(size)
    factors = designs.find_factors(arms)
    names = list(factors)[:: size.every]
    for path in designs.PLANE:
        factors[designs.plane_name(path)] = designs.whole_range(factors[path])
    run = Runs(arms, factors, folder, workers)

    cube, trajectories, at_screening = designs.screening(names, size.trajectories, size.dummies)
    plane, at_plane = designs.plane(size.grid, size.grid_seeds)
    places, at_places = designs.everywhere(names, size.points, size.point_seeds)
    planned = {
        "everywhere": run.keys(at_places, MISSIONS),
        "flip": run.keys(at_plane, MISSIONS),
        "screening": run.keys(at_screening, ARMS),
    }
    say(f"{len(names)} parameters, {len(ARMS)} arms")
    say_how_long(run, size, planned)

    y = run("everywhere", at_places, MISSIONS, planned["everywhere"])
    y = y.reshape(size.points, size.point_seeds, *y.shape[1:])
    first = ask.shares(ask.standings(y, MISSIONS))
    write("first", first)
    draw("first", figures.first(first, MISSIONS, size.points, size.point_seeds))
    write("effects", ask.effects(names, places, y.mean(axis=1), MISSIONS))
    score = ask.scores(names, places, y.mean(axis=1), MISSIONS)
    score["matters"] = score.index < size.matter
    write("parameters", described(score, factors))
    matter = score.parameter[score.matters].tolist()
    say(f"those that matter: {', '.join(matter)}")

    points = designs.tornado(matter, size.corner_seeds)
    y = run("tornado", points, MISSIONS)
    swings = ask.tornado(matter, y, MISSIONS, size.corner_seeds)
    write("tornado", swings)
    draw("tornado", figures.tornado(swings, STUDIED, size.corner_seeds))
    corners = ask.standings(y.reshape(-1, size.corner_seeds, *y.shape[1:]), MISSIONS)
    ends = [("(all at their defaults)", ""), *((n, e) for n in matter for e in ("low", "high"))]
    corners.insert(0, "parameter", [ends[p][0] for p in corners.place])
    corners.insert(1, "end", [ends[p][1] for p in corners.place])
    write("tornado_ranks", corners.drop(columns="place"))

    saltelli, _, points = designs.sobol(matter, size.base)
    shares = ask.indices(saltelli, run("sobol", points, MISSIONS), MISSIONS)
    write("sobol", shares)
    draw("sobol", figures.sobol(shares, matter, STUDIED, size.base))

    y = run("flip", at_plane, MISSIONS, planned["flip"])
    stood = ask.standings(y.reshape(len(plane), size.grid_seeds, *y.shape[1:]), MISSIONS)
    for axis, path in enumerate(designs.PLANE):
        stood.insert(axis, path, [plane[p][axis] for p in stood.place])
    write("flip", stood.drop(columns="place"))
    draw("flip", figures.flip(stood, designs.PLANE, STUDIED, size.grid_seeds))

    screened = ask.screen(cube, trajectories, run("screening", at_screening, ARMS, planned["screening"]), ARMS)
    write("screening", screened)
    draw("screening", figures.screening(screened, score, STUDIED, size.trajectories))

    about = (
        f"{len(names)} parameters; {size.points} places x {size.point_seeds} seeds in the hypercube, base {size.base} "
        f"of Saltelli's design, {size.trajectories} Morris trajectories; wars of {size.weeks} weeks and "
        f"{size.civilians:,} civilians in steps of {size.step_weeks:g} weeks; model source {run.code}."
    )
    page = summary.page(about, score, swings, corners, shares, first, stood, screened, designs.PLANE, STUDIED)
    results.whole_file(folder / "summary.md", lambda f: f.write_text(page, encoding="utf-8"))
    about = {"size": dataclasses.asdict(size), "parameters": len(names), **results.provenance()}
    results.whole_file(folder / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(about, sort_keys=False)))
    say(f"results: {folder}")


def main(words=None):
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m experiments sensitivity", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--small", action="store_true", help="a handful of parameters, in seconds")
    parser.add_argument("--results", help="folder of tables and figures; results/sensitivity if not given")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    for f in dataclasses.fields(Size):
        parser.add_argument(f"--{f.name.replace('_', '-')}", type=f.type, help=f"default {f.default:g}")
    given = parser.parse_args(words)
    asked = {f.name: getattr(given, f.name) for f in dataclasses.fields(Size) if getattr(given, f.name) is not None}
    size = dataclasses.replace(SMALL if given.small else Size(), **asked)
    for f in dataclasses.fields(Size):
        if not getattr(size, f.name) >= f.metadata["least"]:
            raise ValueError(f"--{f.name.replace('_', '-')} is {getattr(size, f.name)}; "
                             f"it must be at least {f.metadata['least']}")  # fmt: skip
    if size.base & (size.base - 1):
        raise ValueError(f"--base is {size.base}; it must be a power of 2")
    for package in ("SALib", "scipy"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"{package} is not installed; python -m pip install -c constraints.txt -e '.[science]'")
    folder = given.results or ("results/sensitivity_small" if given.small else "results/sensitivity")
    analyse(size, folder, max(1, given.workers))
