"""Run an experiment and draw it.

python -m experiments                          all mission models in the default country, 30 paired seeds
python -m experiments car experiment.seeds=10  any experiment of conf/experiment, with any override
python -m experiments --list                   their names and questions
"""

import argparse
import itertools
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import yaml
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments import figures, held, hindcast, runs, statistics, style
from sim import results
from sim.config import CONF, composed, drawn, explain, to_params
from sim.model import PeaceModel
from sim.warm import say, warm_up

FIGURES = {
    "series": lambda x: figures.series(x.monthly, x.arms, x.baseline),
    "differences": lambda x: figures.differences(x.runs, x.baseline),
    "maps": lambda x: figures.maps(x.maps, x.map_arms, x.dates, x.helmets, x.capital, x.country.cell_km),
    "tradeoff": lambda x: figures.tradeoff(x.runs, x.baseline),
    "observed": lambda x: figures.observed(x._of_first(x.monthly), x.observed, x.deployments),
    "months": lambda x: held.months(x.of_months("2012-01"), x.naive, x.deployments),
    "scores": lambda x: held.scores(hindcast.scores(x.of_months())),
    "where": lambda x: held.where(x.where, x.maps, x.cells, x.arms[0], hindcast.where_scores(x.where)),
}
TABLES = {  # what a figure was drawn from, where that is not in the tables of every experiment
    "months": lambda x: x.of_months(),
    "scores": lambda x: hindcast.scores(x.of_months()),
    "where": lambda x: x.where,
}


class Experiment:
    """An experiment of conf/experiment with overrides: its arms, its tables, its figures."""

    def __init__(self, name, overrides=()):
        known = names()
        if name not in known:
            raise ValueError(f"there is no experiment {name!r}; choose among {', '.join(known)}")
        config = composed([f"experiment={name}", *overrides])
        self.about = OmegaConf.to_object(config.experiment)
        if not self.about.arms:
            raise ValueError(f"experiment {name} has no arms; name at least one in conf/experiment/{name}.yaml")
        if self.about.seeds < 1:
            raise ValueError(f"experiment.seeds is {self.about.seeds}; it must be at least 1")
        unknown = [f for f in self.about.figures if f not in FIGURES]
        if unknown:
            raise ValueError(f"experiment.figures names {', '.join(unknown)}; choose among {', '.join(FIGURES)}")
        self.overrides, self.calibration = list(overrides), config.calibration
        self.folder = Path(config.run.results) / name
        self.params = {
            arm: to_params(composed([f"experiment={name}", *how, *overrides])) for arm, how in self.about.arms.items()
        }
        self.arms = list(self.params)
        self.baseline = self.about.baseline or self.arms[0]
        if self.baseline not in self.arms:
            raise ValueError(f"experiment.baseline is {self.baseline!r}; choose among {', '.join(self.arms)}")
        models = {arm: self._check(arm) for arm in self.arms}
        self.dates = self.about.map_dates or _four_dates(models[self.baseline].record)
        lived = _months(models[self.baseline].record)
        if late := [d for d in self.dates if d not in lived]:
            raise ValueError(
                f"experiment.map_dates names {', '.join(late)}; the run has the months {lived[0]} to {lived[-1]}"
            )
        self.country = self.params[self.baseline].country
        self.capital = {n: (p.row, p.col) for n, p in self.country.places.items() if p.capital}
        record = models[self.arms[0]].record
        missions = models[self.arms[0]].missions
        self.deployments = {
            style.label(n): record.day(int(a / record.step_weeks)).isoformat()[:7]
            for n, a in zip(missions.names, missions.arrive, strict=True)
            if a > 0
        }
        shown = [a for a in (self.baseline, "sequential", "parallel", "separated") if a in self.arms]
        self.map_arms = list(dict.fromkeys([self.arms[0], *shown]))[:4]
        self.helmets = {n: c.force.helmet for a in self.map_arms for n, c in self.params[a].mission.components.items()}
        first = self.about.first_seed
        seeds = range(first, first + self.about.seeds)
        self.jobs = runs.plan(self.params, seeds, self.folder / "runs", self.dates, self._of_seed)

    def _of_seed(self, arm, params):
        given = [*self.about.arms[arm], *self.overrides]
        return drawn(params, self.calibration, given, self.about.same_past)

    def _check(self, arm):
        try:
            return PeaceModel(self.params[arm])
        except ValueError as error:
            raise ValueError(f"arm {arm}: {error}") from error

    @property
    def observed(self):
        """The observed months of the country, for plots."""
        return pd.read_csv(CONF / "country" / self._with_observed().observed, comment="#")

    def of_months(self, first=hindcast.FIRST):
        """Simulated and observed months of the first arm, with their scores."""
        return hindcast.months_table(self._of_first(self.monthly), hindcast.history(self._with_observed()), first)

    @property
    def naive(self):
        """Last year's mean of each measure, as of the first month of the hindcast."""
        return hindcast.last_year(hindcast.history(self._with_observed()))

    @property
    def where(self):
        """Civilians killed by prefecture between the first and the last map, in the first arm."""
        return hindcast.where_table(self.maps, self._with_observed(), self.arms[0])

    @property
    def cells(self):
        """The cells of the country and their prefectures."""
        return pd.read_csv(CONF / "country" / self._with_observed().cells)

    def _of_first(self, table):
        return table[table.arm == self.arms[0]]

    def _with_observed(self):
        if not self.country.observed:
            raise ValueError(f"country {self.country.name} has no observed months to draw; drop the figures of them")
        return self.country

    def run(self, workers):
        """Do what is missing, then write tables and figures."""
        missing = sum(not job.done for job in self.jobs)
        say(f"{self.about.question}\n{len(self.jobs)} runs, {missing} to do, {workers} at a time")
        if missing:
            warm_up()
        runs.run(self.jobs, workers, self.about.name)
        self.runs, self.monthly, self.maps = runs.gather(self.jobs)
        self.write()

    def write(self):
        """Write the tables, the configuration of every arm, the provenance, and the figures."""
        put = self.folder
        results.whole_file(put / "runs.csv", lambda f: self.runs.to_csv(f, index=False))
        results.whole_file(put / "runs.parquet", lambda f: self.runs.to_parquet(f, index=False))
        results.whole_file(put / "monthly.parquet", lambda f: self.monthly.to_parquet(f, index=False))
        results.whole_file(put / "maps.parquet", lambda f: self.maps.to_parquet(f, index=False))
        summary = statistics.summary(self.runs, self.baseline)
        results.whole_file(put / "summary.csv", lambda f: summary.to_csv(f, index=False))
        gains = [
            {"outcome": o, "a": a, "b": b, "variance_ratio": statistics.pairing_gain(self.runs, o, a, b)}
            for o in ("civilians_killed", "deaths", "unmet_need")
            for a, b in itertools.combinations(self.arms, 2)
        ]
        results.whole_file(put / "pairing.csv", lambda f: pd.DataFrame(gains).to_csv(f, index=False))
        arms = {arm: asdict(p) for arm, p in self.params.items()}
        results.whole_file(put / "arms.yaml", lambda f: f.write_text(_yaml(arms)))
        about = {"experiment": asdict(self.about), "calibration": self.calibration, "overrides": self.overrides}
        about |= results.provenance()
        results.whole_file(put / "provenance.yaml", lambda f: f.write_text(_yaml(about)))
        for name in self.about.figures:
            if name in TABLES:
                table = TABLES[name](self)
                results.whole_file(
                    put / f"{name}.csv", lambda f, t=table: t.to_csv(f, index=False, float_format="%.4g")
                )
            figure = FIGURES[name](self)
            results.whole_file(put / f"{name}.png", lambda f, figure=figure: figure.savefig(f, dpi=150))
        say(f"results: {put}")


def _yaml(content):
    return yaml.dump(
        content, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    )  # C: 10 times faster


def _months(record):
    """Return the months of a run, as YYYY-MM."""
    return [f"{k // 12:04d}-{k % 12 + 1:02d}" for k in sorted(set(record.month[:-1].tolist()))]


def _four_dates(record):
    """Return four months spread over the run, the last one included."""
    months = _months(record)
    return [months[round(q * (len(months) - 1))] for q in (0.08, 0.25, 0.6, 1.0)]


def names():
    """Return the names of the experiments."""
    return sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))


def _arguments(words):
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("words", nargs="*", metavar="NAME key=value", help="an experiment and overrides")
    parser.add_argument("--list", action="store_true", help="name the experiments")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    return parser.parse_args(words)


def main(words=None):
    """Run the experiment that the command line names."""
    given = _arguments(words)
    try:
        if given.list:
            for name in names():
                about = yaml.safe_load((CONF / "experiment" / f"{name}.yaml").read_text(encoding="utf-8"))
                print(f"{name:<20}{about['experiment']['question']}")
            return
        name = next((w for w in given.words if "=" not in w), "mission_models")
        Experiment(name, [w for w in given.words if w != name]).run(max(1, given.workers))
    except (ValueError, HydraException, OmegaConfBaseException, RuntimeError) as error:
        say(f"error: {explain(error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("interrupted: finished runs are kept; the same command does the rest")
        sys.exit(130)


if __name__ == "__main__":
    main()
