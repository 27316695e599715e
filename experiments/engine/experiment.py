"""An experiment: its scenarios, their runs, its tables. What is made of them is the study's."""

import functools
import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from hydra.errors import HydraException
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.drawing import statistics, style
from experiments.engine import designs, runs, stored, study, sweep, tables
from experiments.engine.runs import Changes, Job, Keep
from experiments.engine.tables import Results
from experiments.engine.workers import available_cores
from sim import asked, outcomes, paths, results
from sim.asked import explain
from sim.calibrated import Calibration
from sim.config import Composer, composed
from sim.config import Experiment as About
from sim.model import PeaceModel
from sim.outcomes import months_of, refuse_months, totals
from sim.params import Params
from sim.values import among, no_setting
from sim.warm import say, warm_up

PRESET = "as "  # a word of an arm that stands for the overrides of a preset
EVERY = ".*."  # in the overrides of a design: every component of the arm
FORMATS: dict[str, dict[str, Any]] = {  # of figures: the same bytes of the same runs
    "png": {"dpi": 150}, "pdf": {"metadata": {"CreationDate": None}}, "svg": {"metadata": {"Date": None}},
}  # fmt: skip
READABLE = {"svg.fonttype": "none", "svg.hashsalt": "0", "pdf.fonttype": 42}  # text stays text
QUARTERS = (0.08, 0.25, 0.6, 1.0)  # of the run: when maps are kept if nothing else is said


@dataclass(frozen=True)
class Scenario:
    """What is run under a label."""

    params: Params
    asked: list[str]  # the overrides that make it
    settings: Mapping[str, Any]  # its columns in the tables
    dates: tuple[str, ...] = ()  # months of which maps are kept
    changes: Changes | None = None  # what makes a run's parameters of these: a calibration, a point


class Experiment:
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
        self.name, self.overrides = name, [o for o in overrides if o not in self.launcher]
        self.of_runs = [o for o in self.overrides if not o.lstrip("+~").startswith(("experiment.", "run."))]
        config = composed([f"experiment={name}", *overrides])
        self.about = as_written(config.experiment)
        self.folder = Path(config.run.results) / (results.checked_name(config.run.name) or name)
        self.calibration, self.at_a_time, self.retry_failed = config.calibration, config.run.workers, False
        self._refuse()
        results.refuse_what_is_not_ours(self.folder, self.sort)
        self.study = study.find(self.about.study)
        self._refuse_added(overrides)
        self.arms = list(self.about.arms)
        self.baseline = self.about.baseline or self.arms[0]
        if self.baseline not in self.arms:
            raise ValueError(f"experiment.baseline is {self.baseline!r}{among(self.baseline, self.arms)}")
        self.figures = {n.rpartition(".")[2]: study.figure(self.about.study, n) for n in self.about.figures}
        self.composer = Composer()
        self.found: dict[str, str] = {}  # the titles of figures, which say what was found
        self.scenarios: dict[str, Scenario] = {}
        self.jobs: list[Job] = []
        self.began, self.done_here = time.perf_counter(), 0
        self._composed, self._tried, self._panels, self._own = {}, set(), {}, {}
        self.keep: Keep | None = None  # what a study wants of a run besides
        self.planned: Any = None  # what a study makes in its plan for its analysis
        plan = getattr(self.study, "plan", None)
        self.plan(plan(self)) if plan else self._plan_arms()
        asked.refuse_idle(list(self._composed.items()))
        study.check(self)

    def _plan_arms(self):
        """Plan all arms, at all points of the design."""
        searched = self.about.design.kind == "optuna"  # then the points are not known yet
        if searched:
            designs.Search(self.about.design)  # refuses what cannot be, before anything is run
        self._refuse_outcomes()
        points = designs.points(self.about.design) if self.about.design.axes and not searched else [designs.Point()]
        if searched:
            self._compose(*self._of_arm(next(a for a in self.arms if not self._fixed(a))))
        self.add(points, [arm for arm in self.arms if self._fixed(arm) or not searched])

    @property
    def sort(self) -> str:
        """The mark of the folder of its results."""
        return f"{results.EXPERIMENT}-{self.name}"

    def _refuse(self):
        name, about = self.name, self.about
        if not about.arms:
            raise ValueError(f"experiment {name} has no arms; name at least one in conf/experiment/{name}.yaml")
        if about.seeds < 1:
            raise ValueError(f"experiment.seeds is {about.seeds}; it must be at least 1")
        if about.first_seed < 0:
            raise ValueError(f"experiment.first_seed is {about.first_seed}; it must be at least 0")
        if self.at_a_time is not None and self.at_a_time < 1:
            raise ValueError(f"run.workers is {self.at_a_time}; it must be at least 1")
        for given in about.formats:
            if given not in FORMATS:
                raise ValueError(f"experiment.formats names {given!r}{among(given, FORMATS)}")
        for where, arms in (("design.fixed", about.design.fixed), ("map_arms", about.map_arms or ())):
            if unknown := [arm for arm in arms if arm not in about.arms]:
                raise ValueError(f"experiment.{where} names {unknown[0]!r}{among(unknown[0], about.arms)}")
        designs.refuse_idle(about.design, about.adaptive)
        if about.map_months is not None and about.map_months < 1:
            raise ValueError(
                f"experiment.map_months is {about.map_months}; it must be at least 1, or null for four months"
            )
        maps = [n for n in ("map_dates", "map_months") if getattr(about, n)]
        if len(maps) > 1:
            raise ValueError("experiment.map_dates and experiment.map_months are both given; give one of them")
        if maps and about.map_arms == []:
            raise ValueError(f"experiment.{maps[0]} has no bearing beside experiment.map_arms=[], which keeps no maps")
        if maps and about.design.axes:
            raise ValueError(f"experiment.{maps[0]} has no bearing on an experiment with a design, which keeps no maps")
        if about.design.kind == "optuna" and len(set(about.arms) - set(about.design.fixed)) != 1:
            raise ValueError(
                "experiment.design of kind optuna needs exactly one arm that is not in experiment.design.fixed"
            )
        a = about.adaptive
        if a.outcome and (a.half_width is None) == (a.relative is None):
            raise ValueError("experiment.adaptive needs one of half_width and relative")
        if a.outcome and (a.batch < 1 or about.seeds < 2 or not min(a.half_width or 1, a.relative or 1) > 0):
            raise ValueError("experiment.adaptive needs experiment.seeds of at least 2, and batch and width above 0")

    def _refuse_added(self, overrides):
        """Refuse words that add to what the study wants to know."""
        on_it = [o for o in overrides if asked.key_of(asked.read(o)).startswith("experiment.analysis")]
        if on_it:
            without = composed([f"experiment={self.name}", *(o for o in overrides if o not in on_it)]).experiment
            named = getattr(self.study, "NAMED", ())
            refuse_added(self.about.analysis, as_written(without).analysis, named)

    def _refuse_outcomes(self):
        """Refuse outcomes that no run has, before there are runs."""
        design, rule = self.about.design, self.about.adaptive
        wanted: dict[str, Collection[str]] = {"design.objectives": design.objectives, "design.bounds": design.bounds,
                  "adaptive.outcome": [rule.outcome] if rule.outcome else []}  # fmt: skip
        if any(wanted.values()):
            arm = next((a for a in self.arms if not self._fixed(a)), self.arms[0])
            model = PeaceModel(self._compose(*self._of_arm(arm))[0])
            model.step()
            there = totals(model)
            for where, outcomes in wanted.items():
                if unknown := [o for o in outcomes if o not in there]:
                    raise ValueError(f"experiment.{where} names {unknown[0]!r}{among(unknown[0], there)}")

    # -------------------------------------------------------------------------- scenarios

    def _fixed(self, arm):
        return not self.about.design.axes or arm in self.about.design.fixed

    def _of_arm(self, arm):
        """Return the overrides of an arm, or of "ARM, VARIANT", presets spelled out, and the name of the arm."""
        about, (name, _, variant) = self.about, arm.partition(", ")
        if arm in about.arms:
            name, variant = arm, ""
        if name not in about.arms or (variant and variant not in about.variants):
            known = [*about.arms, *(f"{name}, {v}" for v in about.variants if name in about.arms)]
            raise ValueError(f"there is no arm {arm!r} in the design{among(arm, known)}")
        how = [*about.arms[name], *(about.variants[variant] if variant else ())]
        return [*about.common, *spelled_out(how, about.presets)], name

    def arm_of(self, arm: str) -> list[str]:
        """Return the overrides of an arm, or of "ARM, VARIANT", presets spelled out."""
        return self._of_arm(arm)[0]

    def _compose(self, overrides, arm):
        """Return the parameters that overrides make, composed once, and the overrides of the command line with them."""
        words = [*overrides, *self.of_runs]
        if tuple(words) not in self._composed:
            try:
                asked.refuse(words, asked.ARM)
                params = self.composer.params([f"experiment={self.name}", *words])
                if arm not in self._tried:
                    PeaceModel(params)  # refuses what cannot be run
            except (ValueError, HydraException, OmegaConfBaseException) as error:
                raise ValueError(f"arm {arm}: {explain(error)}") from None
            self._composed[tuple(words)] = params
            self._tried.add(arm)
        return self._composed[tuple(words)], words

    def choices(self, arm: str) -> dict[str, str | None]:
        """Return which file of each group of conf/ an arm is made of, as Hydra names them."""
        return self.composer.choices([f"experiment={self.name}", *self.scenario(arm).asked])

    @functools.cached_property
    def dates(self) -> tuple[str, ...]:
        """The months of which maps are kept: those asked for, the first ones, or four over the run."""
        about = self.about
        if about.design.axes or about.map_arms == []:
            return ()
        params = self._compose(*self._of_arm(self.baseline))[0]
        refuse_months("experiment.map_dates", about.map_dates, params)
        lived = months_of(params)
        if about.map_months and about.map_months > len(lived):
            raise ValueError(f"experiment.map_months is {about.map_months}; the run has {len(lived)} months")
        if about.map_months:
            return tuple(lived[: about.map_months])
        return tuple(about.map_dates or [lived[round(q * (len(lived) - 1))] for q in QUARTERS])

    def _dates_of(self, arm):
        return self.dates if self.about.map_arms is None or arm in self.about.map_arms else ()

    def scenario(self, arm: str) -> Scenario:
        """Return the scenario of an arm, or of "ARM, VARIANT", as it stands in the YAML."""
        if arm not in self.scenarios:
            self.name_scenario(arm, self._of_arm(arm)[0], {"arm": arm}, self._dates_of(arm))
        return self.scenarios[arm]

    def name_scenario(
        self,
        label: str,
        overrides: Sequence[str],
        settings: Mapping[str, Any] | None = None,
        dates: Iterable[str] = (),
        changes: Changes | None = None,
    ) -> None:
        """Add a scenario that a study makes.

        Parameters
        ----------
        label : str; overrides : list of str; settings : dict, its columns in the tables
        changes : what makes a run's parameters of the scenario's: an object with `of(params)`
        """
        params, words = self._compose(overrides, (settings or {}).get("arm", label))
        self._refuse_made_alike(label, overrides, changes)
        drawn = Calibration.asked_for(self.calibration, words, self.about.same_past)
        self.scenarios[label] = Scenario(params, words, settings or {"arm": label}, tuple(dates), changes or drawn)

    def _refuse_made_alike(self, label, overrides, changes):
        """Refuse a setting of the command line that would take away what tells two scenarios apart."""
        replaced = {asked.key_of(asked.read(o)) for o in self.of_runs}
        clash = [o for o in overrides if asked.key_of(asked.read(o)) in replaced]
        left = (*(o for o in overrides if o not in clash), id(changes) if changes else None)
        other, before = self._own.setdefault(left, (label, clash))
        if before != clash:
            keys = ", ".join(sorted({asked.key_of(asked.read(o)) for o in [*before, *clash]}))
            raise ValueError(
                f"{keys} tells {other!r} and {label!r} apart, and would be the same in both; leave it out, or change "
                "experiment.arms or experiment.design"
            )

    def add(self, points: Collection[designs.Point], arms: Iterable[str]) -> list[str]:
        """Add scenarios: arms at points, those on which the axes have no bearing at none; return their labels."""
        axes, found = dict.fromkeys(self.about.design.axes), []
        for arm, point in itertools.product(arms, points):
            if self._fixed(arm):
                label, point = arm, designs.Point()
            else:
                label = " ".join([arm, *(f"{k}={v}" for k, v in point.settings.items())])
            if label not in self.scenarios:
                how, _ = self._of_arm(arm)
                overrides = [*how, *self._every(how, arm, point.overrides)]
                self.name_scenario(label, overrides, {"arm": arm, **axes, **point.settings}, self._dates_of(arm))
            found.append(label)
        self.plan(dict.fromkeys(found, self.about.seeds))
        return found

    def _every(self, how, arm, overrides):
        """Return overrides of which those with `*` among components are said for each that the arm has."""
        if not any(EVERY in o for o in overrides):
            return overrides
        components = self._compose(how, arm)[0].mission.components
        return [o.replace(EVERY, f".{c}.") for o in overrides for c in (components if EVERY in o else [""])]

    @property
    def params(self) -> dict[str, Params]:
        """The parameters of each scenario by label."""
        return {label: s.params for label, s in self.scenarios.items()}

    def first(self, arm: str) -> Params:
        """Return the parameters of an arm at its first point."""
        return next(s.params for s in self.scenarios.values() if s.settings["arm"] == arm)

    def model(self, arm: str) -> PeaceModel:
        """Return the model of an arm at its first point, at its beginning."""
        return PeaceModel(self.first(arm))

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
        retry_failed : do those that failed, and only those; where later runs hang on results, these follow

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
                labels = self.add(points, [arm])
                self.do()
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
        return [job for label in labels for job in self._by_label().get(label, ())]

    def _by_label(self):
        if None not in self._panels:
            self._panels[None] = {a: list(of) for a, of in itertools.groupby(self.jobs, key=lambda job: job.arm)}
        return self._panels[None]

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
        for made in ("tables", "monthly", "maps"):
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
        form = f"%.{digits}g" if digits else None
        for name, table in (tables or {}).items():
            results.whole_file(
                self.folder / f"{name}.csv", functools.partial(table.to_csv, index=False, float_format=form)
            )
        for name, text in (texts or {}).items():
            results.whole_file(self.folder / name, functools.partial(Path.write_text, data=text, encoding="utf-8"))
        note = next((s.params.country.note for s in self.scenarios.values()), "")
        for name, figure in (figures or {}).items():
            self.found[name] = " ".join(figure.get_suptitle().split())
            style.noted(figure, note)
            for ending in self.about.formats:
                path, how = self.folder / f"{name}.{ending}", FORMATS[ending]
                with rc_context(READABLE):
                    results.whole_file(path, functools.partial(figure.savefig, **how))
                figure.set_layout_engine("none")  # it is laid out: the same in every format, and soon

    def write_provenance(self, **made: Any) -> None:
        """Write what made the results: the experiment, its overrides, the model, how long it took."""
        about = {"experiment": asdict(self.about), "calibration": self.calibration, "overrides": self.overrides}
        about |= {"seconds_of_this_session": round(time.perf_counter() - self.began, 1),
                  "runs_of_this_session": self.done_here, **made, **results.provenance()}  # fmt: skip
        self.write(texts={"provenance.yaml": as_yaml(about)})

    def draw(self) -> None:
        """Draw the figures that the experiment names, if every arm has runs."""
        if set(self.runs["arm"]) != set(self.arms):
            say("no figures: not every arm has runs")
            return
        for name, of in self.figures.items():
            drawn = of(self)
            figure, table = drawn if isinstance(drawn, tuple) else (drawn, None)
            self.write({} if table is None else {name: table}, figures={name: figure}, digits=4)


def as_written(config: DictConfig) -> About:
    """Return an experiment; what stands in its arms and design is left as it is written, to mean it in each of them.

    So `weeks=${civilians}` in an arm is worked out in that arm, not in the scenario that the arms change.
    """
    about, plain = OmegaConf.to_object(config), OmegaConf.to_container(config, resolve=False)
    for where, written, names in ((about, plain, ("arms", "common", "presets", "variants")),
                                  (about.design, plain["design"], ("axes",))):  # fmt: skip
        for name in names:
            if isinstance(written[name], type(getattr(where, name))):  # else it stands for another setting as a whole
                setattr(where, name, written[name])
    return about


def refuse_added(
    given: Mapping[str, Any], before: Mapping[str, Any], named: Collection[str], where: str = "experiment.analysis"
) -> None:
    """Refuse what is added to what a study wants to know: no study reads it.

    Parameters
    ----------
    given, before : dict, with and without what was added; named : paths of tables of things that users may name
    """
    inside = where.removeprefix("experiment.analysis").lstrip(".")
    for name, value in given.items():
        if name not in before and inside not in named:
            raise ValueError(no_setting(f"{where}.{name}", before))
        old = before.get(name)
        if inside in named and name not in before:  # has what the others have
            old = {key: None for other in before.values() if isinstance(other, dict) for key in other}
        if isinstance(value, dict) and isinstance(old, dict):
            refuse_added(value, old, named, f"{where}.{name}")


def spelled_out(how: Iterable[str], presets: Mapping[str, Sequence[str]]) -> list[str]:
    """Replace the presets among some overrides by what they stand for."""
    out = []
    for word in how:
        if not word.startswith(PRESET):
            out.append(word)
            continue
        name = word.removeprefix(PRESET)
        if name not in presets:
            raise ValueError(f"there is no preset {name!r} in the design{among(name, presets)}")
        out += spelled_out(presets[name], presets)
    return out


def as_yaml(content: Any) -> str:
    """Return YAML, written by the C library where there is one: 10 times faster."""
    return yaml.dump(content, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def names() -> list[str]:
    """Return the names of the experiments."""
    return paths.choices("experiment")
