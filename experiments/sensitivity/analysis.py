"""What decides the results: which of the numbers matter, and which of them change the ranking of the mission models.

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

Things to try: a longer war (`weeks=520`), and see whether the same ten matter; more seeds on the plane
(`experiment.analysis.grid_seeds`); every third parameter alone (`experiment.analysis.every`).
"""

import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.engine import stored
from experiments.engine.experiment import Experiment
from experiments.sensitivity import designs, figures, summary
from experiments.sensitivity import indices as ask
from sim import results
from sim.warm import say


def _at_least(least):
    return dataclasses.field(metadata={"least": least})


@dataclass(frozen=True)
class Size:
    """How much is done."""

    every: int = _at_least(1)  # take every n-th parameter
    trajectories: int = _at_least(2)
    dummies: int = _at_least(2)
    matter: int = _at_least(1)
    corner_seeds: int = _at_least(2)
    base: int = _at_least(2)  # of Saltelli's design; a power of 2
    grid: int = _at_least(2)
    grid_seeds: int = _at_least(2)
    points: int = _at_least(4)
    point_seeds: int = _at_least(2)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        """Take what an experiment says."""
        size = cls(**{f.name: about[f.name] for f in dataclasses.fields(cls)})
        for f in dataclasses.fields(cls):
            value = getattr(size, f.name)
            if not isinstance(value, int) or value < f.metadata["least"]:
                raise ValueError(f"experiment.analysis.{f.name} is {value}; it must be at least {f.metadata['least']}")
        if size.base & (size.base - 1):
            raise ValueError(f"experiment.analysis.base is {size.base}; it must be a power of 2")
        return size


class Analysis:
    """The designs of an experiment, over the factors of its arms."""

    def __init__(self, x: Experiment) -> None:
        self.x, self.size, about = x, Size.of(x.about.analysis), x.about.analysis
        self.studied, self.paths = about["studied"], tuple(about["plane"])
        self.arms, self.missions = tuple(x.arms), tuple(a for a in x.arms if a != x.baseline)
        choices = {arm: x.choices(arm) for arm in self.arms}
        self.factors = designs.find_factors({arm: x.scenarios[arm].params for arm in self.arms}, choices)
        self.names = list(self.factors)[:: self.size.every]
        for path in self.paths:
            self.factors[designs.plane_name(path)] = designs.whole_range(self.factors[path])
        size = self.size
        self.cube, self.trajectories, self.at_screening = designs.screening(self.names, size.trajectories, size.dummies)
        self.plane, self.at_plane = designs.plane(self.paths, size.grid, size.grid_seeds)
        self.places, self.at_places = designs.everywhere(self.names, size.points, size.point_seeds)

    def scenarios(self, design: str, points: Sequence[designs.Sampled], arms: Sequence[str]) -> dict[str, list[int]]:
        """Name the scenarios of a design: dict of label -> the seed of its one run, arms within points."""
        wanted = {}
        for n, point in enumerate(points):
            for arm in arms:
                label = f"{design} {n} {arm}"
                if label not in self.x.scenarios:
                    settings = {"arm": arm, "design": design, "point": n}
                    change = designs.Change(self.factors, arm, point)
                    self.x.name_scenario(label, self.x.arm_of(arm), settings, changes=change)
                wanted[label] = [point.seed]
        return wanted

    def planned(self) -> dict[str, list[int]]:
        """Return the runs that do not wait for the hypercube: dict of label -> seeds."""
        return {
            **self.scenarios("everywhere", self.at_places, self.missions),
            **self.scenarios("flip", self.at_plane, self.missions),
            **self.scenarios("screening", self.at_screening, self.arms),
        }

    def __call__(self, design: str, points: Sequence[designs.Sampled], arms: Sequence[str]) -> NDArray[np.float64]:
        """Return the outcomes at some points, after doing the runs that are missing: (points, arms, outcomes)."""
        wanted, found = self.scenarios(design, points, arms), {}
        self.x.do(wanted, design)
        jobs = self.x.whole(*wanted)
        for job in jobs:
            if job.key not in found:  # a point that changes nothing in an arm is the run that was there
                outcomes = stored.read(job)["outcomes"]
                found[job.key] = [outcomes[name] for name in ask.NAMES]
        return ask.measured(np.array([found[job.key] for job in jobs]).reshape(len(points), len(arms), -1))


def described(score: pd.DataFrame, factors: Mapping[str, designs.Factor]) -> pd.DataFrame:
    """Return the scores with what each parameter is: default, range, unit, arms that have it, meaning, source."""
    table = score.copy()
    for name in ("default", "low", "high", "unit", "meaning", "source"):
        table[name] = [getattr(factors[p], name) if p in factors else None for p in table.parameter]
    table["arms"] = [" ".join(factors[p].leaves) if p in factors else None for p in table.parameter]
    return table


def plan(x: Experiment) -> dict[str, list[int]]:
    """Return the runs that are known beforehand: dict of label -> seeds."""
    for package in ("SALib", "scipy"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"{package} is not installed; python -m pip install -c constraints.txt -e '.[science]'")
    x.planned = Analysis(x)
    say(f"{len(x.planned.names)} parameters, {len(x.arms)} arms")
    return x.planned.planned()


def analyse(x: Experiment) -> None:
    """Do the designs that wait for the hypercube, and write the tables and figures of all."""
    run: Analysis = x.planned
    size, studied = run.size, run.studied
    names, missions, factors = run.names, run.missions, run.factors

    def write(name, table, figure=None):
        x.write({name: table}, figures={} if figure is None else {name: figure}, digits=4)

    y = run("everywhere", run.at_places, missions)
    y = y.reshape(size.points, size.point_seeds, *y.shape[1:])
    first = ask.shares(ask.standings(y, missions))
    write("first", first, figures.first(first, missions, size.points, size.point_seeds))
    write("effects", ask.effects(names, run.places, y.mean(axis=1), missions))
    score = ask.scores(names, run.places, y.mean(axis=1), missions)
    score["matters"] = score.index < size.matter
    write("parameters", described(score, factors))
    matter = score.parameter[score.matters].tolist()
    say(f"those that matter: {', '.join(matter)}")

    points = designs.tornado(matter, size.corner_seeds)
    y = run("tornado", points, missions)
    swings = ask.tornado(matter, y, missions, size.corner_seeds)
    write("tornado", swings, figures.tornado(swings, studied, size.corner_seeds))
    corners = ask.standings(y.reshape(-1, size.corner_seeds, *y.shape[1:]), missions)
    ends = [("(all at their defaults)", ""), *((n, e) for n in matter for e in ("low", "high"))]
    corners.insert(0, "parameter", [ends[p][0] for p in corners.place])
    corners.insert(1, "end", [ends[p][1] for p in corners.place])
    write("tornado_ranks", corners.drop(columns="place"))

    saltelli, _, points = designs.sobol(matter, size.base)
    shares = ask.indices(saltelli, run("sobol", points, missions), missions)
    write("sobol", shares, figures.sobol(shares, matter, studied, size.base))

    y = run("flip", run.at_plane, missions)
    stood = ask.standings(y.reshape(len(run.plane), size.grid_seeds, *y.shape[1:]), missions)
    for axis, path in enumerate(run.paths):
        stood.insert(axis, path, [run.plane[p][axis] for p in stood.place])
    write("flip", stood.drop(columns="place"), figures.flip(stood, run.paths, studied, size.grid_seeds))

    screened = ask.screen(run.cube, run.trajectories, run("screening", run.at_screening, run.arms), run.arms)
    write("screening", screened, figures.screening(screened, score, studied, size.trajectories))

    p = x.first(x.baseline)
    about = (
        f"{len(names)} parameters; {size.points} places x {size.point_seeds} seeds in the hypercube, base {size.base} "
        f"of Saltelli's design, {size.trajectories} Morris trajectories; wars of {p.weeks} weeks and "
        f"{p.civilians:,} civilians in steps of {p.step_weeks:g} weeks; model source {results.code_version()}."
    )
    page = summary.page(about, score, swings, corners, shares, first, stood, screened, run.paths, studied)
    x.write(texts={"summary.md": page})
    x.write_provenance(parameters=len(names))
