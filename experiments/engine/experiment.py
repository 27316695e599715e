"""An experiment: the runs of its scenarios, and their tables. What is made of them is the study's."""

import functools
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.drawing import statistics, style
from experiments.engine import designs, refusals, runs, stored, study, sweep, tables, writing
from experiments.engine.runs import Job, Keep
from experiments.engine.scenarios import Scenarios, as_written
from experiments.engine.tables import Results
from experiments.engine.workers import available_cores
from sim import asked, outcomes, paths, results
from sim.asked import explain
from sim.config import composed
from sim.values import among
from sim.warm import say, warm_up


class Experiment(Scenarios):
    """An experiment of conf/experiment with overrides.

    Parameters
    ----------
    name : str, a file of conf/experiment; overrides : list of str, of every scenario, and of the experiment itself
    """

    def __init__(self, name: str, overrides: Sequence[str] = ()) -> None:
        known = names()
        if name not in known:
            raise ValueError(f"there is no experiment {name!r}{among(name, known)}")
        asked.refuse(overrides, asked.EXPERIMENT)
        self.launcher = [o for o in overrides if o.lstrip("+~").startswith(("hydra.", "hydra/"))]
        self.overrides = [o for o in overrides if o not in self.launcher]
        config = composed([f"experiment={name}", *overrides])
        about = as_written(config.experiment)
        self.folder = Path(config.run.results) / (results.checked_name(config.run.name) or name)
        self.sort = f"{results.EXPERIMENT}-{name}"  # the mark of the folder
        self.at_a_time, self.retry_failed = config.run.workers, False
        refusals.refuse(name, about, self.at_a_time)
        results.refuse_what_is_not_ours(self.folder, self.sort)
        self.study = study.find(about.study)
        refusals.refuse_words(name, about, overrides, getattr(self.study, "NAMED", ()))
        of_runs = [o for o in self.overrides if not o.lstrip("+~").startswith(("experiment.", "run."))]
        super().__init__(name, about, of_runs, config.calibration)
        self.figures = {n.rpartition(".")[2]: study.figure(about.study, n) for n in about.figures}
        self.found: dict[str, str] = {}  # the titles of figures, which say what was found
        self.jobs: list[Job] = []
        self.began, self.done_here = time.perf_counter(), 0
        self._panels: dict[str, dict[str, NDArray[np.float64]]] = {}
        self.keep: Keep | None = None  # what a study wants of a run besides
        self.planned: Any = None  # what a study makes in its plan for its analysis
        self.plan(getattr(self.study, "plan", Experiment._all)(self))
        asked.refuse_idle(list(self._composed.items()))
        study.check(self)

    def _all(self):
        """Return how many seeds all arms are to have, at all points of the design."""
        design, arms, points = self.about.design, self.arms, [designs.Point()]
        free = [arm for arm in arms if not self._fixed(arm)]
        searched = design.kind == "optuna"  # then the points of the one that is free are not known yet
        if searched:
            designs.Search(design)  # refuses what cannot be, before anything is run
        refusals.refuse_outcomes(self.about, lambda: self._params_of([*free, *arms][0]))
        if searched:
            self._params_of(free[0])  # refuses it
            arms = [arm for arm in arms if arm not in free]
        elif design.axes:
            points = designs.points(design)
        return dict.fromkeys(self.at(points, arms), self.about.seeds)

    # -------------------------------------------------------------------------- runs

    def plan(self, wanted: Mapping[str, int | Sequence[int]]) -> None:
        """Add the jobs of scenarios that are not there yet.

        Parameters
        ----------
        wanted : dict of label -> number of seeds that it is to have, or the seeds themselves
        """
        have, about = {(job.arm, job.seed) for job in self.jobs}, self.about
        self._forget()
        for label, seeds in wanted.items():
            s = self.scenarios.get(label) or self.scenario(label)
            seeds = range(about.first_seed, about.first_seed + seeds) if isinstance(seeds, int) else seeds
            new = [seed for seed in seeds if (label, seed) not in have]
            if new:
                self.jobs += runs.plan({label: s.params}, new, self.folder / "runs", s.dates, {label: s.asked},
                                       {label: s.changes}, about.monthly, self.keep)  # fmt: skip
        order = {label: k for k, label in enumerate(self.scenarios)}
        self.jobs.sort(key=lambda job: (order[job.arm], job.seed))

    def run(self, workers: int | None = None, retry_failed: bool = False) -> None:
        """Do what is missing, then have the study make something of it.

        Parameters
        ----------
        workers : int, runs at a time; none: the cores
        retry_failed : do those that failed, and only those; where later runs depend on results, these follow

        Raises
        ------
        experiments.engine.runs.Failures
            Some runs failed; the tables hold the others.
        """
        self.at_a_time, self.retry_failed = self.at_a_time or workers, retry_failed
        results.claim(self.folder, self.sort)
        say(self.about.question)
        while True:
            try:
                stored.check(self.jobs)
                if self.jobs:
                    self._do(retry_failed)
                self._do_what_hangs_on_results()
                self.study.analyse(self)
                if self.jobs:
                    _ = self.tables  # written, if the study did not ask for them
                break
            except stored.Torn as error:
                self._forget()
                say(f"{error}: done again")
        say(f"results: {self.folder}")
        if self.about.notice:
            say(f"to notice: {self.about.notice.strip()}")
        runs.complain(self.jobs)

    def do(self, wanted: Mapping[str, int | Sequence[int]] | None = None, what: str = "") -> None:
        """Plan more runs, and do all that are missing.

        Parameters
        ----------
        wanted : as of `plan`; what : str, said of them
        """
        self.plan(wanted or {})
        for only_failed in (True, False) if self.retry_failed else (False,):
            self._do(only_failed, what)

    def _do(self, only_failed=False, what=""):
        """Do the jobs that are missing, or those that failed, here or on another engine."""
        self.write_plan()
        self.at_a_time = self.at_a_time or available_cores()
        to_do = [job for job in self.jobs if not job.done and bool(job.failed) == only_failed]
        say(f"{f'{what}: ' if what else ''}{len(self.jobs)} runs, {len(to_do)} to do, {self.at_a_time} at a time")
        if not to_do:
            return
        self._forget()
        self.done_here += len(to_do)
        try:
            if self.launcher:
                self._launch(to_do, only_failed)
            else:
                warm_up()
                runs.run(self.jobs, self.at_a_time, what or self.name, only_failed)
        except runs.Failures as error:
            say(f"failed: {error}")

    def write_plan(self) -> None:
        """Write down what is to be run, in a folder that is marked as this experiment's."""
        results.claim(self.folder, self.sort)
        scenarios = []
        for label, of_label in itertools.groupby(self.jobs, key=lambda job: job.arm):
            s = self.scenarios[label]
            in_a_row = itertools.groupby(enumerate(of_label), key=lambda pair: pair[1].seed - pair[0])
            for _, some in in_a_row:
                mine = [job for _, job in some]
                scenarios.append({
                    "label": label, "settings": s.settings, "overrides": s.asked, "first_seed": mine[0].seed,
                    "seeds": len(mine), "fingerprint": mine[0].scenario, "dates": list(s.dates),
                    "kept": runs.kept_as(s.dates, self.about.monthly, self.keep),
                })  # fmt: skip
        sweep.write_plan(self.folder, "experiment", scenarios)

    def _launch(self, to_do, retry_failed):
        """Have a launcher of Hydra do runs."""
        try:
            do = functools.partial(sweep.do_jobs, retry_failed=retry_failed)
            sweep.launch(self.folder, self.launcher, do, sweep.shares(to_do, self.folder / "runs"))
        except RuntimeError as error:
            say(f"error: {explain(error)}")
        if lost := sum(not job.done and not job.failed for job in to_do):
            raise RuntimeError(f"{lost} runs are missing: the jobs that did them were lost; the same command does them")

    def _do_what_hangs_on_results(self):
        """Do the points that an optimiser asks for, and the seeds that make intervals narrow."""
        if self.about.design.kind == "optuna":
            search = designs.Search(self.about.design)
            (arm,) = (a for a in self.arms if not self._fixed(a))
            while points := search.ask():
                labels = self.at(points, [arm])
                self.do(dict.fromkeys(labels, self.about.seeds))
                search.tell([self._means(label) for label in labels])
        while wider := self._too_wide():
            self.do(wider)

    def _means(self, label):
        """Return the mean outcomes of a scenario, or None if a run failed."""
        mine = self.of(label)
        if not all(job.done for job in mine):
            return None
        return pd.DataFrame([stored.read(job)["outcomes"] for job in mine]).mean().to_dict()

    def _too_wide(self):
        """Return the scenarios whose interval is still too wide, and how many seeds they are to have."""
        rule = self.about.adaptive
        if not rule.outcome:
            return {}
        found, seeds = {}, Counter(job.arm for job in self.jobs)
        for job in self.jobs:
            if job.done:
                left = stored.read(job)["outcomes"]
                statistics.require([rule.outcome], left, "outcome")
                found.setdefault(job.arm, {})[job.seed] = left[rule.outcome]
        settings = {label: s.settings for label, s in self.scenarios.items()}
        at = {tuple(s.values()): label for label, s in settings.items()}  # arm and point
        first = next(label for label, s in settings.items() if s["arm"] == self.baseline)
        baselines = {label: at.get((self.baseline, *list(s.values())[1:]), first) for label, s in settings.items()}
        return designs.seeds_wanted(rule, pd.DataFrame(found), seeds, baselines)

    # -------------------------------------------------------------------------- what came of them

    def of(self, *labels: str) -> list[Job]:
        """Return the jobs of scenarios, in the order of labels and seeds."""
        return [job for label in labels for job in self._by_label.get(label, ())]

    @functools.cached_property
    def _by_label(self):
        return {label: list(of) for label, of in itertools.groupby(self.jobs, key=lambda job: job.arm)}

    def whole(self, *labels: str) -> list[Job]:
        """Return the jobs of scenarios, all of them done: the missing ones are done now.

        Raises
        ------
        experiments.engine.runs.Failures
            Some of them failed.
        """
        jobs = self.of(*labels)
        if any(not job.done and not job.failed for job in jobs):
            self._do()
        runs.complain(jobs)
        return jobs

    def months(self, label: str) -> dict[str, NDArray[np.float64]]:
        """Return the monthly panel of every run of a scenario: dict of column -> (seeds, months)."""
        if label not in self._panels:
            found = [stored.read(job) for job in self.whole(label)]
            panel = np.array([f["monthly"] for f in found], float)  # (seeds, months, columns)
            self._panels[label] = dict(zip(found[0]["columns"], np.moveaxis(panel, 2, 0), strict=True))
        return self._panels[label]

    def maps_of(self, label: str) -> Iterator[dict[str, NDArray[np.float64]]]:
        """Yield the maps of every run of a scenario: dict of layer -> (months, rows, cols)."""
        for job in self.whole(label):
            table = stored.read_maps(job).sort_values(["month", "row", "col"], kind="stable")
            shape = (table.month.nunique(), table.row.max() + 1, table.col.max() + 1)
            layers = table.columns.difference(outcomes.CELL_COLUMNS)
            yield {layer: table[layer].to_numpy(float).reshape(shape) for layer in layers}

    def kept(self, *labels: str) -> pd.DataFrame:
        """Return what the study kept of the runs of scenarios: a frame with a row a run, by label and seed."""
        return pd.DataFrame([stored.read(job)["kept"] for job in self.whole(*labels)])

    def elsewhere(self, do: Callable[[Any, int], object], share: Any) -> None:
        """Have something done that is no run: here, or as one job of the launcher that was asked for.

        Parameters
        ----------
        do : function of a module, of a share and of the number of runs at a time; share : what it needs
        """
        if self.launcher:
            sweep.launch(self.folder, self.launcher, do, [share])
        else:
            do(share, self.at_a_time or available_cores())

    @functools.cached_property
    def tables(self) -> Results:
        """The tables of the runs, written when they are asked for: experiments.engine.tables.Results."""
        about = {"experiment": self.name, "baseline": self.baseline}
        settings = {label: s.settings for label, s in self.scenarios.items()}
        tables.write(self.folder, self.jobs, settings, about, designs.said(self.about.design))
        return tables.load(self.folder)

    @property
    def runs(self) -> pd.DataFrame:
        """The table of runs: arm, settings, seed, outcomes, what made it."""
        return self.tables.runs

    @functools.cached_property
    def monthly(self) -> pd.DataFrame:
        """The monthly table, for figures that draw it."""
        return self.tables.monthly()

    @functools.cached_property
    def maps(self) -> pd.DataFrame:
        """Maps as means over seeds: a row for each arm, month and cell."""
        return stored.mean_maps(self.jobs)

    def _forget(self):
        """Forget what was made of the runs that are there: there will be others."""
        self._panels.clear()
        for made in ("_by_label", "tables", "monthly", "maps"):
            self.__dict__.pop(made, None)

    # -------------------------------------------------------------------------- writing

    def write(
        self,
        tables: Mapping[str, pd.DataFrame] | None = None,
        texts: Mapping[str, str] | None = None,
        figures: Mapping[str, Figure] | None = None,
        digits: int | None = None,
    ) -> None:
        """Write files of the experiment, each whole or not at all.

        Parameters
        ----------
        tables : dict of data frames, to be <name>.csv; texts : dict of str by file name
        figures : dict of figures, to be <name>.png and other formats; digits : int, of the numbers in tables; none: all
        """
        for name, table in (tables or {}).items():
            writing.write_table(self.folder / f"{name}.csv", table, digits)
        for name, text in (texts or {}).items():
            writing.write_text(self.folder / name, text)
        note = next((s.params.country.note for s in self.scenarios.values()), "")
        for name, figure in (figures or {}).items():
            self.found[name] = " ".join(figure.get_suptitle().split())
            writing.write_figure(self.folder, name, style.noted(figure, note), self.about.formats)

    def write_provenance(self, **made: Any) -> None:
        """Write what made the results: the experiment, its overrides, the model, how long it took."""
        about = {"experiment": asdict(self.about), "calibration": self.calibration, "overrides": self.overrides,
                 "seconds_of_this_session": round(time.perf_counter() - self.began, 1),
                 "runs_of_this_session": self.done_here, **made, **results.provenance()}  # fmt: skip
        self.write(texts={"provenance.yaml": writing.as_yaml(about)})

    def draw(self) -> None:
        """Draw the figures that the experiment names, if every arm has runs."""
        if set(self.runs["arm"]) != set(self.arms):
            say("no figures: not every arm has runs")
            return
        for name, of in self.figures.items():
            drawn = of(self)
            figure, table = drawn if isinstance(drawn, tuple) else (drawn, None)
            self.write({} if table is None else {name: table}, figures={name: figure}, digits=4)


def names() -> list[str]:
    """Return the names of the experiments."""
    return paths.choices("experiment")
