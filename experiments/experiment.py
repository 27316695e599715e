"""An experiment: its scenarios, their runs, its tables and figures."""

import itertools
from collections import Counter
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import pandas as pd
import yaml
from omegaconf import OmegaConf

from experiments import designs, figures, runs, statistics, style, surfaces, sweep
from experiments import results as tables
from experiments.evaluation import held, hindcast
from sim import paths, results
from sim.calibrated import Calibration
from sim.config import CONF, Composer, composed, explain
from sim.model import PeaceModel
from sim.warm import say, warm_up

FIGURES = {
    "series": lambda x: figures.series(x.monthly, x.arms, x.baseline),
    "differences": lambda x: figures.differences(x.runs, x.baseline),
    "maps": lambda x: figures.maps(x.maps, x.map_arms, x.dates, x.helmets, x.capital, x.country.cell_km),
    "tradeoff": lambda x: figures.tradeoff(x.runs, x.baseline),
    "observed": lambda x: figures.observed(x.of_first(x.monthly), x.observed, x.deployments),
    "months": lambda x: held.months(x.of_months("2012-01"), x.naive, x.deployments),
    "scores": lambda x: held.scores(hindcast.scores(x.of_months())),
    "where": lambda x: held.where(x.where, x.maps, x.cells, x.arms[0], hindcast.where_scores(x.where)),
    "counterfactuals": lambda x: held.counterfactuals(x.changed, x.baseline),
    "phases": lambda x: surfaces.phases(x.tables, x.baseline),
    "price": lambda x: surfaces.price(x.tables, x.baseline),
    "funding": lambda x: surfaces.funding(x.tables, x.baseline),
    "front": lambda x: surfaces.front(x.tables, x.about.design),
}
DRAWN_FROM = {  # tables of figures that draw what is not in the tables of every experiment
    "months": lambda x: x.of_months(),
    "scores": lambda x: hindcast.scores(x.of_months()),
    "where": lambda x: x.where,
    "front": lambda x: surfaces.tried(x.tables, x.about.design),
    "counterfactuals": lambda x: x.changed,
}
EVERY = ".*."  # in the overrides of a design: every component of the arm


class Experiment:
    """An experiment of conf/experiment with overrides: its scenarios, its tables, its figures."""

    def __init__(self, name, overrides=()):
        known = names()
        if name not in known:
            raise ValueError(f"there is no experiment {name!r}; choose among {', '.join(known)}")
        self.engine = [o for o in overrides if o.lstrip("+~").startswith(("hydra.", "hydra/"))]
        self.name, self.overrides = name, [o for o in overrides if o not in self.engine]
        config = composed([f"experiment={name}", *overrides])
        self.about = OmegaConf.to_object(config.experiment)
        self.folder = Path(config.run.results) / (config.run.name or name)
        self.workers, self.calibration = config.run.workers, config.calibration
        self._refuse()
        self.composer, self.params, self.jobs, self.settings, self.asked = Composer(), {}, [], {}, {}
        self.arms = list(self.about.arms)
        self.baseline = self.about.baseline or self.arms[0]
        if self.baseline not in self.arms:
            raise ValueError(f"experiment.baseline is {self.baseline!r}; choose among {', '.join(self.arms)}")
        searched = self.about.design.kind == "optuna"  # then the points are not known yet
        if searched:
            designs.Search(self.about.design)  # refuses what cannot be, before anything is run
        points = designs.points(self.about.design) if self.about.design.axes and not searched else [designs.Point()]
        models = {arm: self._check(arm, [] if self._fixed(arm) else points[0].overrides) for arm in self.arms}
        self.dates = [] if self.about.design.axes else self._map_dates(_months(models[self.baseline].record))
        self.add(points, [arm for arm in self.arms if self._fixed(arm) or not searched])
        self.country = self.first(self.baseline).country
        self.capital = {n: (p.row, p.col) for n, p in self.country.places.items() if p.capital}
        record, missions = models[self.arms[0]].record, models[self.arms[0]].missions
        self.deployments = {
            style.label(n): record.day(int(a / record.step_weeks)).isoformat()[:7]
            for n, a in zip(missions.names, missions.arrive, strict=True)
            if a > 0
        }
        shown = [a for a in (self.baseline, "sequential", "parallel", "separated") if a in self.arms]
        self.map_arms = list(dict.fromkeys([self.arms[0], *shown]))[:4]

    def _refuse(self):
        name, about = self.name, self.about
        if not about.arms:
            raise ValueError(f"experiment {name} has no arms; name at least one in conf/experiment/{name}.yaml")
        if about.seeds < 1:
            raise ValueError(f"experiment.seeds is {about.seeds}; it must be at least 1")
        unknown = [f for f in about.figures if f not in FIGURES]
        if unknown:
            raise ValueError(f"experiment.figures names {', '.join(unknown)}; choose among {', '.join(FIGURES)}")
        statistics.require(about.design.fixed, about.arms)
        if about.design.kind not in designs.KINDS:
            raise ValueError(
                f"experiment.design.kind is {about.design.kind!r}; choose among {', '.join(designs.KINDS)}"
            )
        if about.design.kind == "optuna" and len(set(about.arms) - set(about.design.fixed)) != 1:
            raise ValueError(
                "experiment.design of kind optuna needs exactly one arm that is not in experiment.design.fixed"
            )
        a = about.adaptive
        if a.outcome and (a.half_width is None) == (a.relative is None):
            raise ValueError("experiment.adaptive needs one of half_width and relative")
        if a.outcome and (a.batch < 1 or about.seeds < 2 or not min(a.half_width or 1, a.relative or 1) > 0):
            raise ValueError("experiment.adaptive needs experiment.seeds of at least 2, and batch and width above 0")

    def _map_dates(self, lived):
        """Return the months of which maps are kept: those asked for, or four over the run."""
        if late := [d for d in self.about.map_dates if d not in lived]:
            raise ValueError(
                f"experiment.map_dates names {', '.join(late)}; the run has the months {lived[0]} to {lived[-1]}"
            )
        return self.about.map_dates or [lived[round(q * (len(lived) - 1))] for q in (0.08, 0.25, 0.6, 1.0)]

    def _fixed(self, arm):
        return not self.about.design.axes or arm in self.about.design.fixed

    def _check(self, arm, overrides):
        try:
            return PeaceModel(self._params(arm, overrides))
        except ValueError as error:
            raise ValueError(f"arm {arm}: {error}") from error

    def _params(self, arm, overrides):
        return self.composer.params([f"experiment={self.name}", *self._asked(arm, overrides)])

    def _asked(self, arm, overrides):
        """Return the overrides that make a scenario; `*` among components stands for each that the arm has."""
        how = self.about.arms[arm]
        if any(EVERY in o for o in overrides):
            components = self.composer.params([f"experiment={self.name}", *how]).mission.components
            overrides = [o.replace(EVERY, f".{c}.") for o in overrides for c in (components if EVERY in o else [""])]
        return [*how, *overrides, *self.overrides]

    def add(self, points, arms):
        """Add scenarios: arms at points, those on which the axes have no bearing at none; return their labels."""
        labels = []
        axes = dict.fromkeys(self.about.design.axes)
        for arm, point in itertools.product(arms, points):
            if self._fixed(arm):
                label, point = arm, designs.Point()
            else:
                label = " ".join([arm, *(f"{k}={v}" for k, v in point.settings.items())])
            if label not in self.params:
                self.params[label] = self._params(arm, point.overrides)
                self.settings[label] = {"arm": arm, **axes, **point.settings}
                self.asked[label] = self._asked(arm, point.overrides)
            labels.append(label)
        self.plan(dict.fromkeys(labels, self.about.seeds))
        return labels

    def plan(self, seeds):
        """Add the jobs of scenarios: dict of label -> number of seeds that it is to have."""
        have = dict.fromkeys(self.params, 0)
        for job in self.jobs:
            have[job.arm] += 1
        first = self.about.first_seed
        for label, n in seeds.items():
            new = range(first + have[label], first + max(n, have[label]))
            asked = self.asked[label]
            drawn = Calibration.asked_for(self.calibration, asked, self.about.same_past)
            self.jobs += runs.plan({label: self.params[label]}, new, self.folder / "runs", self.dates, {label: asked},
                                   {label: drawn})  # fmt: skip
        order = {label: k for k, label in enumerate(self.params)}
        self.jobs.sort(key=lambda job: (order[job.arm], job.seed))

    def first(self, arm):
        """Return the parameters of an arm at its first point."""
        return next(p for label, p in self.params.items() if self.settings[label]["arm"] == arm)

    @property
    def helmets(self):
        """Colours of the missions on maps."""
        return {n: c.force.helmet for a in self.map_arms for n, c in self.params[a].mission.components.items()}

    @property
    def observed(self):
        """The observed months of the country, for plots."""
        return pd.read_csv(CONF / "country" / self._with_observed().observed, comment="#")

    def of_months(self, first=hindcast.FIRST):
        """Return simulated and observed months of the first arm, with their scores."""
        return hindcast.months_table(self.of_first(self.monthly), hindcast.history(self._with_observed()), first)

    @property
    def naive(self):
        """Last year's mean of each measure, as of the first month of the hindcast."""
        return hindcast.last_year(hindcast.history(self._with_observed()))

    @property
    def where(self):
        """Civilians killed by prefecture between the first and the last map, in the first arm."""
        return hindcast.where_table(self.maps, self._with_observed(), self.arms[0])

    @property
    def changed(self):
        """What each arm changes from the first month of the hindcast on, in pairs."""
        return hindcast.counterfactuals(self.monthly, self.baseline)

    @property
    def cells(self):
        """The cells of the country and their prefectures."""
        return pd.read_csv(CONF / "country" / self._with_observed().cells)

    def of_first(self, table):
        """Return the rows of the first arm."""
        return table[table.arm == self.arms[0]]

    def _with_observed(self):
        if not self.country.observed:
            raise ValueError(f"country {self.country.name} has no observed months to draw; drop the figures of them")
        return self.country

    @cached_property
    def monthly(self):
        """The monthly table, for figures that draw it."""
        return self.tables.monthly()

    def run(self, workers=None, retry_failed=False):
        """Do what is missing, then write tables and figures.

        Parameters
        ----------
        workers : int, runs at a time; none: the cores
        retry_failed : do those that failed, and only those; where later runs hang on results, these follow

        Raises
        ------
        experiments.runs.Failures
            Some runs failed; the tables hold the others.
        """
        at_a_time = self.workers or workers or runs.available_cores()
        say(self.about.question)
        while True:
            try:
                self.do(at_a_time, retry_failed)
                self._do_what_hangs_on_results(at_a_time, retry_failed)
                about = {"experiment": self.name, "baseline": self.baseline}
                tables.write(self.folder, self.jobs, self.settings, about, designs.said(self.about.design))
                self.maps = runs.mean_maps(self.jobs)
                break
            except runs.Torn as error:
                say(f"{error}: done again")
        self.tables = tables.load(self.folder)
        self.runs = self.tables.runs
        self.write()
        runs.complain(self.jobs)

    def _do_what_hangs_on_results(self, at_a_time, retry_failed):
        """Do the points that an optimiser asks for, and the seeds that make intervals narrow."""

        def do():
            for only_failed in (True, False) if retry_failed else (False,):
                self.do(at_a_time, only_failed)

        if self.about.design.kind == "optuna":
            search = designs.Search(self.about.design)
            (arm,) = (a for a in self.arms if not self._fixed(a))
            while points := search.ask():
                labels = self.add(points, [arm])
                do()
                search.tell([self._means(label) for label in labels])
        while wider := self._too_wide():
            self.plan(wider)
            do()

    def do(self, at_a_time, retry_failed=False):
        """Do the jobs that are missing, or those that failed, here or on another engine."""
        self.write_plan()
        to_do = [job for job in self.jobs if not job.done and job.failure.exists() == retry_failed]
        say(f"{len(self.jobs)} runs, {len(to_do)} to do, {at_a_time} at a time")
        if not to_do:
            return
        if self.engine:
            self._launch(to_do, retry_failed)
            return
        warm_up()
        try:
            runs.run(self.jobs, at_a_time, self.name, retry_failed)
        except runs.Failures as error:
            say(f"failed: {error}")

    def write_plan(self):
        """Write down what is to be run."""
        scenarios = [
            {
                "label": label, "settings": self.settings[label], "overrides": self.asked[label],
                "first_seed": min(seeds), "seeds": len(seeds), "fingerprint": mine[0].key.split("-")[0],
                "dates": self.dates,
            }
            for label, of_label in itertools.groupby(self.jobs, key=lambda job: job.arm)
            if (mine := list(of_label)) and (seeds := [job.seed for job in mine])
        ]  # fmt: skip
        sweep.write_plan(self.folder, "experiment", scenarios)

    def _launch(self, to_do, retry_failed):
        """Have a launcher of Hydra do runs: a job is a scenario with the seeds that it lacks."""
        lists = []
        for label, mine in itertools.groupby(to_do, key=lambda job: job.arm):
            seeds = [job.seed for job in mine]
            lists.append([
                f"experiment={self.name}", *self.asked[label], f"seed={min(seeds)}",
                f"run.seeds={max(seeds) - min(seeds) + 1}", f"run.months=[{','.join(self.dates)}]",
                f"run.retry_failed={str(retry_failed).lower()}",
            ])  # fmt: skip
        try:
            sweep.launch(self.folder, self.engine, lists)
        except RuntimeError as error:
            say(f"error: {explain(error)}")
        if lost := sum(not job.done and not job.failure.exists() for job in to_do):
            raise RuntimeError(f"{lost} runs are missing: the jobs that did them were lost; the same command does them")

    def _means(self, label):
        """Return the mean outcomes of a scenario, or None if a run failed."""
        mine = [job for job in self.jobs if job.arm == label]
        if not all(job.done for job in mine):
            return None
        return pd.DataFrame([runs.read(job)["outcomes"] for job in mine]).mean().to_dict()

    def _too_wide(self):
        """Return the scenarios whose interval is still too wide, and how many seeds they are to have."""
        rule = self.about.adaptive
        if not rule.outcome:
            return {}
        found, seeds = {}, Counter(job.arm for job in self.jobs)
        for job in self.jobs:
            if job.done:
                stored = runs.read(job)["outcomes"]
                statistics.require([rule.outcome], stored, "outcome")
                found.setdefault(job.arm, {})[job.seed] = stored[rule.outcome]
        at = {tuple(s.values()): label for label, s in self.settings.items()}  # arm and point
        first = next(label for label, s in self.settings.items() if s["arm"] == self.baseline)
        baselines = {label: at.get((self.baseline, *list(s.values())[1:]), first) for label, s in self.settings.items()}
        return designs.seeds_wanted(rule, pd.DataFrame(found), seeds, baselines)

    def write(self):
        """Write what is made of the tables: summaries, the configuration of every scenario, provenance, figures."""
        put = self.folder
        results.whole_file(put / "runs.csv", lambda f: self.runs.to_csv(f, index=False))
        about = {"experiment": asdict(self.about), "calibration": self.calibration, "overrides": self.overrides}
        about |= results.provenance()
        results.whole_file(put / "provenance.yaml", lambda f: f.write_text(_yaml(about)))
        if self.about.design.axes:
            summary = self.tables.summary()
            results.whole_file(put / "summary.csv", lambda f: summary.to_csv(f, index=False))
        else:
            self._write_comparison()
        whole = set(self.runs["arm"]) == set(self.arms)
        for name in self.about.figures if whole else ():
            if name in DRAWN_FROM:
                table = DRAWN_FROM[name](self)
                results.whole_file(
                    put / f"{name}.csv", lambda f, t=table: t.to_csv(f, index=False, float_format="%.4g")
                )
            figure = style.noted(FIGURES[name](self), self.country.note)
            results.whole_file(put / f"{name}.png", lambda f, figure=figure: figure.savefig(f, dpi=150))
        if not whole:
            say("no figures: not every arm has runs")
        say(f"results: {put}")

    def _write_comparison(self):
        """Write the tables that compare arms in pairs, the maps, and what each arm is."""
        put = self.folder
        arms = {arm: asdict(p) for arm, p in self.params.items()}
        results.whole_file(put / "arms.yaml", lambda f: f.write_text(_yaml(arms)))
        if len(self.maps):
            results.whole_file(put / "maps.parquet", lambda f: self.maps.to_parquet(f, index=False))
        if self.baseline not in set(self.runs["arm"]):
            return
        summary = statistics.summary(self.runs, self.baseline)
        results.whole_file(put / "summary.csv", lambda f: summary.to_csv(f, index=False))
        gains = [
            {"outcome": o, "a": a, "b": b, "variance_ratio": statistics.pairing_gain(self.runs, o, a, b)}
            for o in ("civilians_killed", "deaths", "unmet_need")
            for a, b in itertools.combinations(dict.fromkeys(self.runs["arm"]), 2)
        ]
        results.whole_file(put / "pairing.csv", lambda f: pd.DataFrame(gains).to_csv(f, index=False))


def _yaml(content):
    return yaml.dump(
        content, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    )  # C: 10 times faster


def _months(record):
    """Return the months of a run, as YYYY-MM."""
    return [f"{k // 12:04d}-{k % 12 + 1:02d}" for k in sorted(set(record.month[:-1].tolist()))]


def names():
    """Return the names of the experiments."""
    return paths.choices("experiment")
