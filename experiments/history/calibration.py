"""Calibrate a country at war, without missions, on what was observed until a day.

python -m experiments calibration experiment.analysis.data=DIR    DIR holds UCDP GED's events; or set CAR_DATA

Approximate Bayesian computation by sequential Monte Carlo, with pyABC: the model has no likelihood that could be
written down, what is wanted is a cloud of parameters and not one vector, and pyABC keeps its state in a file, so
that an interrupted calibration goes on. (Optuna finds one optimum; sbi would learn a posterior, but brings a
deep-learning library with it.) On another engine the whole of it is one job, on all cores of a machine; the runs that
check it afterwards are runs of the store like any other.

It leaves conf/calibrated/NAME.csv, the draws that runs can take their parameters from (`calibration=NAME`), and among
its results what is known of each parameter and which targets are met.
"""

import contextlib
import hashlib
import importlib.util
import inspect
import multiprocessing
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from experiments.engine.designs import Values
from experiments.engine.experiment import Experiment
from experiments.history import figures, layout, targets
from experiments.history.hindcast import in_words
from sim import paths, results
from sim.model import Model
from sim.params import Params
from sim.values import value_of, with_values
from sim.warm import say, warm_up

FARTHEST = 6.0  # units of distance: what is further off than this on a target is not told apart
FEWEST_ACCEPTED = 0.008  # of the runs; when fewer are, nearer would cost more than it tells
DIGITS = 6  # of a parameter: what is run is what is written, so that a written draw repeats its history
DRAWS = 200
SEEDS = 2**31
WAR = "war"  # the arm that is calibrated
NORMAL = NormalDist()
NAMED = ("priors", "targets", "events.sides")  # of the experiment's `analysis`: what is in them is the user's


class Task:
    """What is calibrated: a scenario, priors, and targets.

    Parameters
    ----------
    params : Params of the scenario; about : dict, the experiment's `analysis`: a file of conf/calibrated and more
    """

    def __init__(self, params: Params, about: Mapping[str, Any]) -> None:
        self.params, self.priors, self.until, self.wanted = params, about["priors"], about["until"], about["targets"]
        targets.check(self.wanted)
        self.summary = targets.OfModel(self.wanted)
        if not about["data"]:
            raise ValueError(
                "no data: give experiment.analysis.data=DIR, or the variable that stands there, a folder with "
                f"{about['events']['file']} (UCDP GED; ucdp.uu.se); nothing was calibrated, and conf/calibrated is as "
                "it was"
            )
        shares = {k: t["displaced"]["share"] for k, t in self.wanted.items() if "displaced" in t}
        seen = targets.ged_events(about["data"], about["events"], params.country.start, self.until)
        if seen.empty:
            raise ValueError(
                f"{about['events']['file']} has no event between {params.country.start} and {self.until} of those that "
                f"experiment.analysis.events.sides names: {', '.join(about['events']['sides'])}"
            )
        self.observed = targets.summary(seen, params.weeks, self.wanted, shares)
        self.near = {k: float(t["near"]) for k, t in self.wanted.items()}

    def default(self) -> dict[str, float]:
        """Return the values of the free parameters before any calibration."""
        return {n: value_of(self.params, n) for n in self.priors}

    def simulate(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return the summary of one run."""
        return self.summary(Model(replace(with_values(self.params, values), seed=int(seed))).run())

    def distance(self, simulated: Mapping[str, float], observed: Mapping[str, float]) -> float:
        """Return how far two summaries are apart: the root of the mean square, in units of nearness."""
        off = [(simulated[k] - observed[k]) / near for k, near in self.near.items()]
        return float(np.sqrt(np.mean(np.clip(off, -FARTHEST, FARTHEST) ** 2)))

    def values(self, point: Mapping[str, float]) -> dict[str, float]:
        """Turn a point into parameters: standard normal scores, which a prior's range is evenly divided by.

        Scores have no edge, which most proposals would fall over in a box of many sides.
        """
        made = {}
        for name, p in self.priors.items():
            low, high = (np.log(p["low"]), np.log(p["high"])) if p["log"] else (p["low"], p["high"])
            value = low + (high - low) * NORMAL.cdf(point[_key(name)])
            made[name] = float(f"{np.exp(value) if p['log'] else value:.{DIGITS}g}")
        return made

    def key(self, particles: int) -> str:
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


def _abc(task, particles=None, workers=1):
    import pyabc

    from experiments.history.cloud import Cloud

    def model(point):
        if multiprocessing.parent_process():  # Ctrl-C is for the parent, which ends its workers
            _on_signal(signal.SIGINT, signal.SIG_IGN)
        seed = np.random.randint(SEEDS)  # noqa: NPY002  pyABC seeds this generator apart in every process
        return {**task.simulate(task.values(point), seed), "seed": seed}

    # A process of Dask may have none of its own.
    sampler = pyabc.MulticoreEvalParallelSampler(workers) if workers > 1 else pyabc.SingleCoreSampler()
    sampler.show_progress = sys.stderr.isatty()  # a bar a generation; each generation's line is written in any case
    return pyabc.ABCSMC(
        model, _prior(task), task.distance, population_size=particles, transitions=Cloud(),
        eps=pyabc.MedianEpsilon(), sampler=sampler,
    )  # fmt: skip


def _on_signal(signum, do):
    with contextlib.suppress(ValueError):  # a thread of Dask, not the main one
        signal.signal(signum, do)


def search(share: tuple[Task, str, int, int, float], workers: int) -> None:
    """Run ABC-SMC, or go on with it, until its generations or its minutes are over.

    Parameters
    ----------
    share : (task, store, particles, generations, minutes); store : str, the file that keeps its state
    workers : processes
    """
    task, kept_in, particles, generations, minutes = share
    store = Path(kept_in)
    _on_signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers end with it
    warm_up()
    abc, url = _abc(task, particles, workers), _url(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    if store.exists() and not _is_whole(store):
        say(f"{store} is damaged, as after a power cut: what is in it is done again")
        results.discard(store)
    history = abc.load(url, 1) if store.exists() else abc.new(url, task.observed)
    done = history.max_t + 1
    if done:
        say(f"{done} generations are in {store}: goes on from there; delete it to begin again")
    if done < generations:
        abc.run(
            max_nr_populations=generations - done, max_walltime=timedelta(minutes=minutes),
            min_acceptance_rate=FEWEST_ACCEPTED,
        )  # fmt: skip


def _is_whole(store):
    """Say whether a file is a database of a search that has begun, and none of its pages is damaged."""
    try:
        with contextlib.closing(sqlite3.connect(store)) as there:
            (said,) = there.execute("PRAGMA integrity_check").fetchone()
            return said == "ok" and there.execute("SELECT count(*) FROM abc_smc WHERE id = 1").fetchone() == (1,)
    except sqlite3.DatabaseError:
        return False


def found(task: Task, store: str | Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return what a search found: its final draws, what they simulated, and its generations."""
    import pyabc

    history = pyabc.History(_url(store), create=False)
    points, weights = history.get_distribution(t=history.max_t)
    _, simulated = history.get_weighted_sum_stats(t=history.max_t)
    distances = history.get_weighted_distances(t=history.max_t).distance.to_numpy()
    return (*resampled(task, points, weights, simulated, distances), history.get_all_populations())


def _url(store):
    return f"sqlite:///{Path(store).resolve()}"


def resampled(
    task: Task,
    points: pd.DataFrame,
    weights: NDArray[np.float64],
    simulated: Sequence[Mapping[str, float]],
    distances: ArrayLike,
) -> tuple[pd.DataFrame, pd.DataFrame]:
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


def parameters_table(task: Task, draws: pd.DataFrame) -> pd.DataFrame:
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


def targets_table(task: Task, fresh: pd.DataFrame, accepted: pd.DataFrame, default: pd.DataFrame) -> pd.DataFrame:
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
            return targets.spoken(name, task.wanted[name], value)

        rows.append({
            "target": name, "meaning": targets.meaning(name, task.wanted[name]), "observed": said(seen), "near": near,
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


def known_layouts(about: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return layouts of bases and lags, two frames; None, and a word about it, if the folder has not their tables."""
    data, until, tables = about["data"], about["until"], about["missions"]
    if absent := [name for name in tables.values() if not Path(data, name).is_file()]:
        say(f"layouts of bases and lags are as by default: there is no {' and no '.join(absent)} in {data}")
        return None
    return layout.layouts(data, **tables, until=until), layout.lags(data, tables["strength"], until)


def with_layouts(draws: pd.DataFrame, x: Experiment) -> pd.DataFrame:
    """Return draws with a layout of bases each, and write what is known of layouts and lags; without data, as they are.

    A country without missions lives through the same history whatever their layout.
    """
    _, known = x.planned
    if known is None:
        return draws
    layouts, lags = known
    x.write({"layouts": layouts, "lags": lags}, digits=4)
    x.scenario("mission")
    weeks = value_of(x.first("mission"), x.about.analysis["build_up"])
    pace = pd.DataFrame({"deploy.build_up": layout.build_up(lags, weeks)})
    bases = layout.drawn(layouts, len(draws))[["deploy.base_size", "deploy.base_skew"]]
    return pd.concat([draws, bases, layout.drawn(pace, len(draws), seed=1)], axis=1)


def plan(x: Experiment) -> dict[str, int]:
    """Return the runs that are known beforehand: those with the default parameters, which the targets are shown for."""
    about = x.about.analysis
    if importlib.util.find_spec("pyabc") is None:
        raise ValueError("calibration needs pyABC: python -m pip install -c constraints.txt -e '.[science]'")
    x.scenario(WAR)
    task = Task(x.first(WAR), about)
    x.planned, x.keep = (task, known_layouts(about)), task.summary
    return {WAR: about["checks"]}


def _fresh(x, draws):
    """Return the summaries of draws with new luck: a frame."""
    labels, (task, _) = {}, x.planned
    for seed, values in enumerate(draws[list(task.priors)].to_dict("records"), start=1):
        x.name_scenario(f"draw {seed}", x.arm_of(WAR), {"arm": f"draw {seed}"}, changes=Values(values))
        labels[f"draw {seed}"] = [seed]
    x.do(labels, "draws with new luck")
    return x.kept(*labels)


def analyse(x: Experiment) -> None:
    """Calibrate; write the draws to conf/, and tables and figures."""
    about, (task, _) = x.about.analysis, x.planned
    name, particles, minutes = about["draws"], about["particles"], about["minutes"]
    say(f"{particles} draws a generation, about {minutes:.0f} minutes and the last generation's time")
    store = x.folder.resolve() / f"{name}_{task.key(particles)}.db"
    x.elsewhere(search, (task, str(store), particles, about["generations"], minutes))
    draws, accepted, generations = found(task, store)
    fresh, default = _fresh(x, draws.iloc[: about["checks"]]), x.kept(WAR)
    parameters, met = parameters_table(task, draws), targets_table(task, fresh, accepted, default)
    head = (
        f"# {len(draws)} draws of equal weight of parameters calibrated on {about['title']}, "
        f"{task.params.country.start} to {task.until}, by python -m experiments calibration; seed: the luck with which "
        f"the draw was accepted; distance: from the observed history. {about['credits']}\n"
    )
    written = with_layouts(draws, x)
    rounded = written.round({"distance": 3}).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    path = paths.file_of("calibrated", f"{name}.yaml").with_suffix(".csv")  # a user's own stays in his folder
    results.whole_file(path, lambda f: f.write_text(head + rounded, "utf-8"))
    begins = in_words((date.fromisoformat(task.until) + timedelta(days=1)).isoformat())
    x.write(
        {"parameters": parameters, "targets": met},
        figures={"parameters": figures.parameters(task.priors, draws, task.default(), begins),
                 "targets": figures.targets(met, begins)}, digits=4,
    )  # fmt: skip
    took = generations.population_end_time.iloc[-1] - generations.population_end_time.iloc[0]
    x.write_provenance(
        draws=len(draws), different_draws=len(draws.drop_duplicates()), generations=len(generations) - 1,
        runs=int(generations.samples.sum()), distance=float(draws.distance.max()),
        minutes=round(took.total_seconds() / 60, 1), targets=len(met),
        **{k: int(met[k].sum()) for k in ("met", "near_met", "met_default", "near_met_default")},
    )  # fmt: skip
    say(
        f"{met.met.sum()} of {len(met)} targets are within the 90% of runs, {met.near_met.sum()} with the median near "
        f"(by default {met.met_default.sum()} and {met.near_met_default.sum()}); draws: {path}"
    )
