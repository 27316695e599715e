"""Calibrate the country at war, without missions, on what was observed before December 2013.

python -m experiments calibration --data DIR    DIR holds UCDP GED's events; or set the variable CAR_DATA

Approximate Bayesian computation by sequential Monte Carlo, with pyABC: the model has no likelihood that could be
written down, what is wanted is a cloud of parameters and not one vector, and pyABC keeps its state in a file, so
that an interrupted calibration goes on. (Optuna finds one optimum; sbi would learn a posterior, but brings a
deep-learning library with it.)

It leaves conf/calibrated/car.csv, the draws that runs can take their parameters from (`calibration=car`), and in
results/calibration/ what is known of each parameter and which targets are met.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import importlib.util
import inspect
import multiprocessing
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import yaml

from experiments.engine import runs
from experiments.history import figures as held
from experiments.history import layout, targets
from sim import results
from sim.calibrated import with_values
from sim.config import CONF, load
from sim.model import PeaceModel
from sim.warm import say, warm_up

FARTHEST = 6.0  # units of distance: what is further off than this on a target is not told apart
FEWEST_ACCEPTED = 0.008  # of the runs; when fewer are, nearer would cost more than it tells
DIGITS = 6  # of a parameter: what is run is what is written, so that a written draw repeats its history
DRAWS = 200
SEEDS = 2**31
NORMAL = NormalDist()


class Task:
    """What is calibrated: a scenario, priors, and targets; read from conf/calibrated/<name>.yaml."""

    def __init__(self, name, data):
        self.name = name
        path = CONF / "calibrated" / f"{name}.yaml"
        if not path.is_file():
            there = ", ".join(sorted(f.stem for f in path.parent.glob("*.yaml"))) or "none is there"
            raise ValueError(f"there is no calibration {name!r}; choose among {there}")
        about = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.priors, self.near, self.until = about["priors"], about["targets"], about["until"]
        self.params = load(*about["scenario"])
        self.displaced_weeks = {k: v["week"] for k, v in about["displaced"].items()}
        shares = {k: v["share"] for k, v in about["displaced"].items()}
        seen = targets.ged_events(data, self.params.country.start, self.until)
        self.observed = targets.summary(seen, self.params.weeks, shares)
        self.near = {k: float(self.near[k]) for k in self.observed}

    def default(self):
        """Return the values of the free parameters before any calibration."""
        return {n: getattr(getattr(self.params, n.split(".")[0]), n.split(".")[1]) for n in self.priors}

    def simulate(self, values, seed):
        """Return the summary of one run."""
        params = dataclasses.replace(with_values(self.params, values), seed=int(seed))
        return targets.of_model(PeaceModel(params).run(), self.displaced_weeks)

    def distance(self, simulated, observed):
        """Return how far two summaries are apart: the root of the mean square, in units of nearness."""
        off = [(simulated[k] - observed[k]) / near for k, near in self.near.items()]
        return float(np.sqrt(np.mean(np.clip(off, -FARTHEST, FARTHEST) ** 2)))

    def values(self, point):
        """Turn a point into parameters: standard normal scores, which a prior's range is evenly divided by.

        Scores have no edge, which most proposals would fall over in a box of many sides.
        """
        made = {}
        for name, p in self.priors.items():
            low, high = (np.log(p["low"]), np.log(p["high"])) if p["log"] else (p["low"], p["high"])
            value = low + (high - low) * NORMAL.cdf(point[_key(name)])
            made[name] = float(f"{np.exp(value) if p['log'] else value:.{DIGITS}g}")
        return made

    def key(self, particles):
        """Return what two calibrations must share for one to go on with the other's state: a short hash.

        The task, the data, the rules of the model, and how this class and the summaries are written.
        """
        said = [self.priors, self.near, self.observed, str(self.params), particles, results.code_version()]
        said += [inspect.getsource(part) for part in (Task, targets)]
        return hashlib.sha256(repr(said).encode()).hexdigest()[:8]


def _key(name):
    return name.replace(".", "__")  # pyABC's columns


def _prior(task):
    import pyabc

    return pyabc.Distribution({_key(n): pyabc.RV("norm", 0, 1) for n in task.priors})


def calibrate(task, store, particles, generations, minutes, workers):
    """Run ABC-SMC, or go on with it; return its final draws, what they simulated, and its generations.

    Parameters
    ----------
    store : Path of the file that keeps its state; particles : draws of a generation
    generations, minutes : when to stop, whichever is first; workers : processes
    """
    import pyabc

    from experiments.history.cloud import Cloud

    def model(point):
        if multiprocessing.parent_process():  # Ctrl-C is for the parent, which ends its workers
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        seed = np.random.randint(SEEDS)  # noqa: NPY002  pyABC seeds this generator apart in every process
        return {**task.simulate(task.values(point), seed), "seed": seed}

    sampler = pyabc.sampler.MulticoreEvalParallelSampler(workers)
    sampler.show_progress = sys.stderr.isatty()  # a bar a generation; each generation's line is written in any case
    abc = pyabc.ABCSMC(
        model, _prior(task), task.distance, population_size=particles, transitions=Cloud(),
        eps=pyabc.MedianEpsilon(), sampler=sampler,
    )  # fmt: skip
    store.parent.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{store.resolve()}"
    history = abc.load(url, 1) if store.exists() else abc.new(url, task.observed)
    done = history.max_t + 1
    if done:
        say(f"{done} generations are in {store}: goes on from there; delete it to begin again")
    if done < generations:
        history = abc.run(
            max_nr_populations=generations - done, max_walltime=timedelta(minutes=minutes),
            min_acceptance_rate=FEWEST_ACCEPTED,
        )  # fmt: skip
    points, weights = history.get_distribution(t=history.max_t)
    _, simulated = history.get_weighted_sum_stats(t=history.max_t)
    distances = history.get_weighted_distances(t=history.max_t).distance.to_numpy()
    return (*resampled(task, points, weights, simulated, distances), history.get_all_populations())


def resampled(task, points, weights, simulated, distances):
    """Return DRAWS draws of equal weight, and what each simulated; a draw of weight 2 stands there twice.

    Parameters
    ----------
    points : DataFrame, a row a particle; weights, distances : (n,); simulated : list of n summaries
    """
    at = np.searchsorted(np.cumsum(weights / weights.sum()), (np.arange(DRAWS) + 0.5) / DRAWS)
    at = np.random.default_rng(0).permutation(np.minimum(at, len(points) - 1))  # any first few are a sample of all
    values = pd.DataFrame([task.values(points.iloc[i]) for i in at])
    values.insert(0, "seed", [int(simulated[i]["seed"]) for i in at])
    values.insert(1, "distance", np.asarray(distances)[at])
    return values, pd.DataFrame([{k: float(simulated[i][k]) for k in task.near} for i in at])


# ---------------------------------------------------------------------------------- what is known now


def parameters_table(task, draws):
    """Return a row per parameter: default, prior, median and 90% interval of the draws, and how much narrower it is."""
    rows = []
    for name, prior in task.priors.items():
        scale = np.log if prior["log"] else np.asarray
        low, mid, high = draws[name].quantile([0.05, 0.5, 0.95])
        narrowed = 1 - (scale(high) - scale(low)) / (0.9 * (scale(prior["high"]) - scale(prior["low"])))
        rows.append({
            "parameter": name, "default": task.default()[name], "prior_low": prior["low"], "prior_high": prior["high"],
            "even_in": "logarithm" if prior["log"] else "size", "median": mid, "low": low, "high": high,
            "narrowed": narrowed,
        })  # fmt: skip
    return pd.DataFrame(rows)


def targets_table(task, fresh, accepted, default):
    """Return a row per target: observed, simulated before and after, and whether it is met.

    Parameters
    ----------
    fresh : summaries of the draws with new luck. A target is met if their 90% interval holds the observed value, which
        wide intervals do easily; it is near if, besides, their median is within one unit of nearness
    accepted : summaries of the accepted runs; default : summaries with the default parameters
    """
    rows = []
    for name, near in task.near.items():
        seen = task.observed[name]
        low, mid, high = fresh[name].quantile([0.05, 0.5, 0.95])
        kept, before = accepted[name].quantile([0.05, 0.5, 0.95]), default[name].quantile([0.05, 0.5, 0.95])

        def said(value, name=name):
            return targets.spoken(name, value)

        rows.append({
            "target": name, "meaning": targets.MEANINGS[name], "observed": said(seen), "near": near,
            "default": said(before[0.5]), "default_low": said(before[0.05]), "default_high": said(before[0.95]),
            "median": said(mid), "low": said(low), "high": said(high),
            "accepted": said(kept[0.5]), "accepted_low": said(kept[0.05]), "accepted_high": said(kept[0.95]),
            **{f"fresh_off_{q}": (v - seen) / near for q, v in (("low", low), ("median", mid), ("high", high))},
            **{f"default_off_{q}": (before[v] - seen) / near
               for q, v in (("low", 0.05), ("median", 0.5), ("high", 0.95))},
            "met": bool(low <= seen <= high),
            "near_met": bool(low <= seen <= high and abs(mid - seen) <= near),
            "met_default": bool(before[0.05] <= seen <= before[0.95]),
            "near_met_default": bool(before[0.05] <= seen <= before[0.95] and abs(before[0.5] - seen) <= near),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _again(task, table, seeds):
    """Simulate rows of values with the given luck: a frame of summaries."""
    return pd.DataFrame([task.simulate(v, s) for v, s in zip(table, seeds)])


def with_layouts(draws, data, folder):
    """Return draws with a layout of bases each, and write what is known of layouts and lags; without data, as they are.

    A country without missions lives through the same history whatever their layout.
    """
    try:
        layouts, lags = layout.layouts(data), layout.lags(data)
    except ValueError as error:
        say(f"layouts of bases and lags are as by default: {error}")
        return draws
    for name, table in (("layouts", layouts), ("lags", lags)):
        results.whole_file(folder / f"{name}.csv", lambda f, t=table: t.to_csv(f, index=False, float_format="%.4g"))
    weeks = load("mission=un_only").mission.components["un"].force.build_up
    pace = pd.DataFrame({"deploy.build_up": layout.build_up(lags, weeks)})
    bases = layout.drawn(layouts, len(draws))[["deploy.base_size", "deploy.base_skew"]]
    return pd.concat([draws, bases, layout.drawn(pace, len(draws), seed=1)], axis=1)


def report(task, draws, accepted, generations, folder, checks, data):
    """Write the draws to conf/ and the tables and figures to `folder`."""
    some = draws.iloc[:checks]
    names = list(task.priors)
    fresh = _again(task, some[names].to_dict("records"), range(1, len(some) + 1))
    default = _again(task, [task.default()] * checks, range(1, checks + 1))
    parameters, met = parameters_table(task, draws), targets_table(task, fresh, accepted, default)
    head = (
        f"# {len(draws)} draws of equal weight of parameters calibrated on the Central African Republic, "
        f"{task.params.country.start} to {task.until}, by python -m experiments calibration; seed: the luck with which "
        "the draw was accepted; distance: from the observed history. Made from UCDP GED Global 23.1, CC BY 4.0 "
        "(Davies, Pettersson & Oberg 2023, JPR 60:4; Sundberg & Melander 2013, JPR 50:4). deploy.*: the layout of "
        "bases of a mission before December 2013, and the build-up of another, from Geo-PKO 2.3 (Cil, Fjelde, Hultman "
        "& Nilsson 2020, JPR 57:2) and the UN's monthly reports (IPI Peacekeeping Database, Perry & Smith 2013).\n"
    )
    written = with_layouts(draws, data, folder)
    rounded = written.round({"distance": 3}).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    results.whole_file(CONF / "calibrated" / f"{task.name}.csv", lambda f: f.write_text(head + rounded, "utf-8"))
    results.whole_file(folder / "parameters.csv", lambda f: parameters.to_csv(f, index=False, float_format="%.4g"))
    results.whole_file(folder / "targets.csv", lambda f: met.to_csv(f, index=False, float_format="%.4g"))
    took = generations.population_end_time.iloc[-1] - generations.population_end_time.iloc[0]
    about = {
        "draws": len(draws), "different_draws": len(draws.drop_duplicates()), "generations": len(generations) - 1,
        "runs": int(generations.samples.sum()), "distance": float(draws.distance.max()),
        "minutes": round(took.total_seconds() / 60, 1),
        "targets": len(met), **{k: int(met[k].sum()) for k in ("met", "near_met", "met_default", "near_met_default")},
        **results.provenance(),
    }  # fmt: skip
    results.whole_file(folder / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(about, sort_keys=False)))
    for name, figure in (
        ("parameters", held.parameters(task.priors, draws, task.default())),
        ("targets", held.targets(met)),
    ):
        results.whole_file(folder / f"{name}.png", lambda f, figure=figure: figure.savefig(f, dpi=150))
    say(
        f"{met.met.sum()} of {len(met)} targets are within the 90% of runs, {met.near_met.sum()} with the median near "
        f"(by default {met.met_default.sum()} and {met.near_met_default.sum()}); draws: "
        f"conf/calibrated/{task.name}.csv, tables: {folder}"
    )


def _arguments(words):
    parser = argparse.ArgumentParser(prog="python -m experiments calibration", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("name", nargs="?", default="car", help="a file of conf/calibrated")
    parser.add_argument("--data", default=os.environ.get("CAR_DATA"), help="folder with UCDP GED's events")
    parser.add_argument("--particles", type=int, default=300, help="draws of a generation")
    parser.add_argument("--generations", type=int, default=15, help="generations at most")
    parser.add_argument("--minutes", type=float, default=30, help="after these no new generation begins")
    parser.add_argument("--checks", type=int, default=100, help="runs that check the targets afterwards")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    parser.add_argument("--folder", default="results/calibration", help="where tables and figures go")
    return parser.parse_args(words)


def main(words=None):
    """Calibrate, or say what is missing."""
    given = _arguments(words)
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers end with it
    try:
        if not given.data:
            raise ValueError(
                f"no data: give --data DIR, or set CAR_DATA, to a folder with {targets.GED} (UCDP GED, Central African "
                "Republic; ucdp.uu.se); nothing was calibrated, and conf/calibrated is as it was"
            )
        if importlib.util.find_spec("pyabc") is None:
            raise ValueError("calibration needs pyABC: python -m pip install -c constraints.txt -e '.[science]'")
        task, folder = Task(given.name, given.data), Path(given.folder)
        say(f"{given.particles} draws a generation, about {given.minutes:.0f} minutes and the last generation's time")
        warm_up()
        store = folder / f"{given.name}_{task.key(given.particles)}.db"
        found = calibrate(task, store, given.particles, given.generations, given.minutes, given.workers)
        report(task, *found, folder, given.checks, given.data)
    except (ValueError, OSError) as error:
        say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("interrupted: finished generations are kept; the same command goes on")
        sys.exit(130)


if __name__ == "__main__":
    main()
