"""What the results hang on: which of the assumed numbers matter, and which of them change the ranking.

python -m experiments sensitivity              the whole analysis; the same command again does only what is missing
python -m experiments sensitivity --small      the same steps on a handful of parameters, in seconds

Five designs, each a list of points (every parameter somewhere in its range, and a seed); at each point all mission
models are run with the same luck:

screening   Morris trajectories over all numbers of the processes and of the compared missions
first       a Latin hypercube over the same numbers: where does each model rank first?
flip        conflation x contestation, all else at its default
tornado     the ten that matter, one at a time from the low end of the range to the high one
sobol       Saltelli's design over the ten that matter, and luck as an eleventh

Things to notice: the model is chaotic. A changed parameter changes the luck of the war as well as its rules, so that
even a parameter of no consequence moves single runs. What re-drawn luck alone does is measured by dummies (screening),
a factor of its own (sobol), or repeated seeds (the others), and effects are held against that.

Things to try: another scenario (`--weeks`); another range (`ends`), and see whether the same ten matter.
"""

import argparse
import dataclasses
import hashlib
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from experiments import runs
from experiments.evaluation import sensitivity_figures
from experiments.statistics import GOODS, t_quantile
from sim import outcomes, results
from sim.config import CONF, load
from sim.model import PeaceModel
from sim.params import walk
from sim.warm import progress, say, warm_up

MISSIONS = ("un_only", "sequential", "parallel", "separated")
ARMS = ("none", *MISSIONS)
STUDIED = "separated"
# Counts are heavy-tailed and are compared as ratios: doublings, log2(offset + count). The offset, about 1% of a usual
# run, keeps a run of no violence at all from weighing more than any other. Access is a share and stays one.
OFFSET = {
    "civilians_killed": 100.0, "excess_deaths": 100.0, "unmet_need": 1e6, "displaced_person_weeks": 1e6, "access": None,
}  # fmt: skip
NAMES = tuple(OFFSET)
NOT_VARIED = ("seed", "weeks", "step_weeks", "civilians", "country")  # the run and the land, not the rules
HALFWAY = ("share", "exponent")  # units varied half-way to their bounds; all others by a factor of two
PLANE = ("judge.conflation", "judge.contestation")
LUCK = "luck"
LEVELS = 4  # of a Morris grid
BLOCK = 100  # runs after which the store is written


@dataclass(frozen=True)
class Size:
    """How much is done: the full analysis by default."""

    civilians: int = 1_000
    weeks: int = 208
    step_weeks: float = 4.0
    every: int = 1  # take every n-th parameter
    trajectories: int = 4
    dummies: int = 10
    points: int = 100
    point_seeds: int = 3
    grid: int = 6
    grid_seeds: int = 8
    matter: int = 10
    base: int = 64  # of Saltelli's design; a power of 2


SMALL = Size(civilians=60, weeks=52, step_weeks=4, every=45, trajectories=2, dummies=2, points=3, point_seeds=2, grid=2,
             grid_seeds=2, matter=2, base=2)  # fmt: skip


# ------------------------------------------------------------------------------ what is varied


def ends(value, meta):
    """Return the low and high end of a number's range of uncertainty, from its declaration; None: it is not varied.

    Shares and exponents go half-way to their bounds; all else is halved and doubled within its bounds. A nought that
    is no share stays: a mandate without a task, or a mission without police, is another mission and not another number.
    """
    if meta["unit"] in HALFWAY:
        return (value + meta["low"]) / 2, (value + meta["high"]) / 2
    return (max(meta["low"], value / 2), min(meta["high"], 2 * value)) if value > 0 else None


def between(place, low, default, high, unit):
    """Return the value at a place in 0..1 of a range: 0 the low end, 0.5 the default, 1 the high end."""
    a, b, part = (low, default, 2 * place) if place <= 0.5 else (default, high, 2 * place - 1)
    return a + (b - a) * part if unit in HALFWAY else a * (b / a) ** part


@dataclass
class Factor:
    """A parameter that is varied, and the leaves of each arm's tree that it sets."""

    name: str
    default: float
    low: float
    high: float
    unit: str
    meaning: str
    source: str
    leaves: dict = field(default_factory=dict)  # arm: [(path, low, default, high, whole number?)]

    def values(self, arm, place):
        """Return (path, value) for each leaf of an arm, at a place in 0..1 of the range."""
        for path, low, default, high, whole in self.leaves.get(arm, ()):
            value = between(place, low, default, high, self.unit)
            yield path, round(value) if whole else value


@cache
def _stems(group):
    """Return the file in conf/ of each summary: what a force or a mandate is called."""
    files = (CONF / group).glob("*.yaml")
    return {yaml.safe_load(f.read_text(encoding="utf-8"))["summary"]: f.stem for f in files}


def known_as(path, params):
    """Return the name of a leaf: a force or mandate that several components share is one thing, varied once."""
    words = path.split(".")
    if words[:2] == ["mission", "components"] and words[3] in ("force", "mandate"):
        part = getattr(params.mission.components[words[2]], words[3])
        return ".".join([words[3], _stems(words[3])[part.summary], *words[4:]])
    return path


def find_factors(arms):
    """Return all factors of some arms by name.

    Parameters
    ----------
    arms : dict of Params by name
    """
    found = {}
    for arm, params in arms.items():
        for path, f, value in walk(params):
            span = ends(value, f.metadata) if "low" in f.metadata and path.split(".")[0] not in NOT_VARIED else None
            if span is None or span[0] == span[1]:
                continue
            name, meta = known_as(path, params), f.metadata
            factor = found.setdefault(name, Factor(name, value, *span, meta["unit"], meta["doc"], meta["source"]))
            factor.leaves.setdefault(arm, []).append((path, span[0], value, span[1], f.type is int))
    return found


# ------------------------------------------------------------------------------ running


@dataclass(frozen=True)
class Point:
    """Places of some factors in their ranges (all others at their defaults), and a seed."""

    places: tuple  # (name, place)
    seed: int


def simulate(params, seed, changes):
    """Run one arm with some leaves changed; return its headline outcomes."""
    params = deepcopy(params)
    params.seed = seed
    for path, value in changes:
        *parents, leaf = path.split(".")
        node = params
        for name in parents:
            node = node[name] if isinstance(node, dict) else getattr(node, name)
        setattr(node, leaf, value)
    found = outcomes.totals(PeaceModel(params).run())
    return tuple(found[name] for name in NAMES)


class Runs:
    """The runs of all designs, stored in one table that grows in blocks, and found by what made them.

    Parameters
    ----------
    arms : dict of Params by name
    factors : dict of Factor by name
    store : Path of a Parquet file; one process at a time writes to it
    """

    def __init__(self, arms, factors, store):
        self.arms, self.factors, self.store = arms, factors, Path(store)
        code = results.code_version()
        self.made_by = {a: f"{code} {results.fingerprint(p, with_seed=False)}" for a, p in arms.items()}
        old = pd.read_parquet(self.store) if self.store.exists() else pd.DataFrame(columns=["key", *NAMES])
        self.done = dict(zip(old.key, old[list(NAMES)].itertuples(index=False, name=None), strict=True))

    def changes(self, arm, point):
        """Return the leaves of an arm that a point sets: ((path, value), ...)."""
        return tuple(c for name, place in point.places for c in self.factors[name].values(arm, place))

    def key(self, arm, point):
        """Return what a run is found by: a point that changes nothing in an arm finds the run that was there."""
        made_by = f"{self.made_by[arm]} {point.seed} {self.changes(arm, point)!r}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:20]

    def __call__(self, what, points, arms, workers):
        """Return the outcomes at some points, after doing the runs that are missing.

        Returns
        -------
        (points, arms, outcomes) float, counts as log2(offset + count), access as a share (nobody tried: 0)
        """
        keys = [[self.key(a, p) for a in arms] for p in points]
        missing = {}
        for row, point in zip(keys, points, strict=True):
            missing |= {k: (a, point) for k, a in zip(row, arms, strict=True) if k not in self.done}
        different = len({k for row in keys for k in row})
        say(f"{what}: {len(points)} points, {different} runs, {len(missing)} to do")
        if missing:
            self._run(what, missing, workers)
        raw = np.array([[self.done[k] for k in row] for row in keys], dtype=float)
        for i, offset in enumerate(OFFSET.values()):
            raw[..., i] = np.nan_to_num(raw[..., i]) if offset is None else np.log2(offset + raw[..., i])
        return raw

    def _run(self, what, missing, workers):
        warm_up()
        jobs = [(k, self.arms[a], p.seed, self.changes(a, p)) for k, (a, p) in missing.items()]
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=runs._quiet)
        try:
            with progress(what, len(jobs), unit="run") as advance:
                doing = {pool.submit(simulate, *job): key for key, *job in jobs}
                for i, future in enumerate(as_completed(doing), start=1):
                    self.done[doing[future]] = future.result()
                    advance(i)
                    if i % BLOCK == 0:
                        self.save()
                        say(f"{what}: {i} of {len(jobs)} runs") if not sys.stderr.isatty() else None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            self.save()

    def save(self):
        """Write all runs, whole or not at all."""
        table = pd.DataFrame([(k, *v) for k, v in self.done.items()], columns=["key", *NAMES])
        results.whole_file(self.store, lambda f: table.to_parquet(f, index=False))


# ------------------------------------------------------------------------------ what is asked of the outcomes


def good(outcome):
    """Return 1 where more is better, -1 where less is."""
    return 1 if outcome.startswith(GOODS) else -1


def rank(values, outcome):
    """Return the rank of each arm at each point, 1 the best; equal values share the better rank: (P, A)."""
    score = good(outcome) * values
    return 1 + (score[:, None, :] > score[:, :, None]).sum(axis=2)


def targets(y, arms):
    """Yield (outcome, target, (P,) values): levels of the arms, differences between arms, ranks."""
    of = list(arms).index
    theirs = [of(a) for a in MISSIONS if a != STUDIED]
    among = [of(a) for a in MISSIONS]
    for i, outcome in enumerate(NAMES):
        v = y[:, :, i]
        has_none = "none" in arms and outcome != "access"
        yield outcome, "missions", v[:, among].mean(axis=1)
        yield outcome, f"{STUDIED} - others", v[:, of(STUDIED)] - v[:, theirs].mean(axis=1)
        for arm in arms:
            if arm != "none" or has_none:
                yield outcome, arm, v[:, of(arm)]
        for arm in MISSIONS:
            if has_none:
                yield outcome, f"{arm} - none", v[:, of(arm)] - v[:, of("none")]
            if arm != STUDIED:
                yield outcome, f"{STUDIED} - {arm}", v[:, of(STUDIED)] - v[:, of(arm)]
        place = rank(v[:, among], outcome)[:, MISSIONS.index(STUDIED)]
        yield outcome, f"rank of {STUDIED}", place.astype(float)
        yield outcome, f"{STUDIED} first", (place == 1).astype(float)


SELECTING = ("missions", f"{STUDIED} - others")


# ------------------------------------------------------------------------------ screening


def problem(names):
    """Return the unit cube over some factors, in SALib's form."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def screening_design(names, size):
    """Return Morris trajectories over some factors and dummies, one seed each: (problem, places, points).

    A dummy is a parameter that the model does not have: where it moves, luck is drawn anew.
    """
    from SALib.sample import morris

    dummies = [f"{LUCK} {i}" for i in range(1, size.dummies + 1)]
    cube = problem([*names, *dummies])
    places, points = [], []
    for t in range(size.trajectories):
        path = morris.sample(cube, 1, num_levels=LEVELS, seed=t + 1)
        places.append(path)
        for row in path:
            levels = np.rint(row[len(names) :] * (LEVELS - 1)).astype(int)
            seed = 1 + int.from_bytes(hashlib.sha256(f"{t} {levels}".encode()).digest()[:4], "big")
            points.append(Point(tuple(zip(names, row[: len(names)].tolist(), strict=True)), seed))
    return cube, np.concatenate(places), points


def screen(cube, places, y):
    """Return the Morris table: mu* with its bootstrap interval, mu, sigma, the bound of noise, and beyond it or not.

    The bound is the one-sided 99% prediction bound of a dummy's mu* (normal, from those of all dummies): of a hundred
    parameters without effect about one is expected beyond it.
    """
    from SALib.analyze import morris
    from scipy.stats import t as student

    dummy = np.array([n.startswith(f"{LUCK} ") for n in cube["names"]])
    n = dummy.sum()
    tables = []
    for outcome, target, v in targets(y, ARMS):
        found = morris.analyze(cube, places, v, num_levels=LEVELS, num_resamples=200, seed=1)
        table = pd.DataFrame({"parameter": cube["names"]})
        table.insert(0, "target", target)
        table.insert(0, "outcome", outcome)
        for name in ("mu_star", "mu_star_conf", "mu", "sigma"):
            table[name] = np.asarray(found[name], dtype=float)
        luck = table.mu_star[dummy]
        table["luck"] = luck.mean()
        table["bound_of_luck"] = luck.mean() + student.ppf(0.99, n - 1) * luck.std() * np.sqrt(1 + 1 / n)
        table["beyond_luck"] = (table.mu_star > table.bound_of_luck) & ~dummy
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def those_that_matter(screened, n):
    """Return the score of each parameter, highest first, and whether it is one of the n that matter.

    The score is mu* in units of what luck alone does, averaged over the levels under a mission and the differences of
    the studied model from the others, over all outcomes: half for how much is suffered, half for the ranking.
    """
    used = screened[screened.target.isin(SELECTING) & ~screened.parameter.str.startswith(f"{LUCK} ")]
    ratio = (used.mu_star / used.luck.clip(lower=1e-12)).rename("score")
    score = ratio.groupby(used.parameter).mean().sort_values(ascending=False, kind="stable").to_frame()
    score["targets_beyond_luck"] = used.groupby("parameter").beyond_luck.sum()
    score["matters"] = np.arange(len(score)) < n
    return score.reset_index()


# ------------------------------------------------------------------------------ Sobol'


def sobol_design(names, size):
    """Return Saltelli's design over some factors and luck: (problem, points)."""
    from SALib.sample import sobol

    cube = problem([*names, LUCK])
    places = sobol.sample(cube, size.base, calc_second_order=False, seed=1)
    return cube, [Point(tuple(zip(names, row[:-1].tolist())), 1 + int(row[-1] * 2**31)) for row in places]


def indices(cube, y, arms):
    """Return Sobol' indices, first order and total, with 95% bootstrap half-intervals; none where nothing varies."""
    from SALib.analyze import sobol

    tables = []
    for outcome, target, v in targets(y, arms):
        if np.ptp(v) == 0:
            continue
        found = sobol.analyze(cube, v, calc_second_order=False, num_resamples=500, seed=1)
        table = pd.DataFrame({"outcome": outcome, "target": target, "parameter": cube["names"]})
        for column, name in (("first", "S1"), ("first_half", "S1_conf"), ("total", "ST"), ("total_half", "ST_conf")):
            table[column] = found[name]
        table["variance"] = v.var()
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


# ------------------------------------------------------------------------------ who is first


def winners(y, arms):
    """Return who is best at each place, and whether that is more than luck.

    Parameters
    ----------
    y : (places, seeds, arms, outcomes) float; arms : names

    Returns
    -------
    DataFrame: place, outcome, best, second, lead (of best over second, doublings or share), beyond_luck, and gap: the
    studied model's lead over the best of the others (negative: behind), with gap_beyond_luck. Differences are paired
    by seed; their spread between seeds is pooled over all places, which a few seeds at each would not give; with
    three rivals the level is 5% in all (Bonferroni).
    """
    from scipy.stats import t as student

    n_places, n_seeds, n_arms, _ = y.shape
    mean = y.mean(axis=1)
    freedom = n_places * (n_seeds - 1)
    quantile = student.ppf(1 - 0.05 / 2 / (n_arms - 1), freedom) if freedom else np.nan
    own = list(arms).index(STUDIED)
    rows = []
    for i, outcome in enumerate(NAMES):
        within = y[..., i] - mean[:, None, :, i]
        spread = within[..., :, None] - within[..., None, :]
        error = np.sqrt((spread**2).sum(axis=(0, 1)) / max(freedom, 1) / n_seeds)  # (A, A)
        score = good(outcome) * mean[:, :, i]
        for p, s in enumerate(score):
            order = np.argsort(-s, kind="stable")
            best, second = order[:2]
            rival = next(a for a in order if a != own)
            lead, gap = s[best] - s[second], s[own] - s[rival]
            beyond, gap_beyond = lead > quantile * error[best, second], abs(gap) > quantile * error[own, rival]
            rows.append((p, outcome, arms[best], arms[second], lead, beyond, gap, gap_beyond))
    columns = ["place", "outcome", "best", "second", "lead", "beyond_luck", "gap", "gap_beyond_luck"]
    return pd.DataFrame(rows, columns=columns)


def shares(won, arms):
    """Return the share of places at which each arm is first, and is so beyond luck, with Wilson's 95% intervals.

    The row `within luck` of an outcome is the share of places where nobody's lead is more than luck.
    """
    from scipy.stats import binomtest

    rows = []
    for outcome, of in won.groupby("outcome", sort=False):
        n = len(of)
        counts = {a: ((of.best == a).sum(), ((of.best == a) & of.beyond_luck).sum()) for a in arms}
        counts["within luck"] = (n - of.beyond_luck.sum(),) * 2
        for arm, (first, beyond) in counts.items():
            row = {"outcome": outcome, "arm": arm, "places": n}
            for name, k in (("first", first), ("beyond_luck", beyond)):
                ci = binomtest(int(k), n).proportion_ci(method="wilson")
                row |= {name: k / n, f"{name}_low": ci.low, f"{name}_high": ci.high}
            rows.append(row)
    return pd.DataFrame(rows)


def first_design(names, size):
    """Return a Latin hypercube over some factors, each point with the same few seeds."""
    from SALib.sample import latin

    places = latin.sample(problem(names), size.points, seed=1)
    return [Point(tuple(zip(names, row.tolist())), s) for row in places for s in range(1, size.point_seeds + 1)]


def flip_design(factors, size):
    """Return the plane of conflation and contestation from 0 to 1: ((x, y) values, points).

    Its factors are laid over the whole of 0..1, whatever their ranges of uncertainty.
    """
    at = np.linspace(0, 1, size.grid)
    plane = [(x, y) for y in at for x in at]
    seeds = range(1, size.grid_seeds + 1)
    return plane, [Point(tuple(zip(PLANE, xy, strict=True)), s) for xy in plane for s in seeds]


def whole_range(factor):
    """Return a factor that runs straight from 0 to 1."""
    leaves = {a: [(p, 0.0, 0.5, 1.0, w) for p, _, _, _, w in of] for a, of in factor.leaves.items()}
    return dataclasses.replace(factor, low=0.0, default=0.5, high=1.0, leaves=leaves)


# ------------------------------------------------------------------------------ one at a time


def tornado_design(names, size):
    """Return points at the defaults, then at the low and the high end of each factor, each with the same seeds."""
    seeds = range(1, size.grid_seeds + 1)
    corners = [(), *(((name, end),) for name in names for end in (0.0, 1.0))]
    return [Point(corner, s) for corner in corners for s in seeds]


def tornado(names, y, arms, n_seeds):
    """Return what each end of each range does against the defaults, in pairs of seeds, with 95% intervals."""
    rows = []
    for outcome, target, v in targets(y, arms):
        if target not in SELECTING:
            continue
        v = v.reshape(-1, n_seeds)
        for (name, end), values in zip([(n, e) for n in names for e in ("low", "high")], v[1:], strict=True):
            change = values - v[0]
            half = t_quantile(n_seeds - 1) * change.std(ddof=1) / np.sqrt(n_seeds)
            rows.append((outcome, target, name, end, v[0].mean(), change.mean(), half))
    return pd.DataFrame(rows, columns=["outcome", "target", "parameter", "end", "at_default", "change", "half"])


# ------------------------------------------------------------------------------ all of it


def scenario(size):
    """Return the arms of a size: dict of Params by name."""
    small = [f"civilians={size.civilians}", f"weeks={size.weeks}", f"step_weeks={size.step_weeks}"]
    return {arm: load(f"mission={arm}", *small) for arm in ARMS}


def analyse(size, folder, workers):
    """Do all designs, and write their tables and figures into a folder."""
    folder = Path(folder)

    def write(name, table):
        results.whole_file(folder / f"{name}.csv", lambda f: table.to_csv(f, index=False, float_format="%.5g"))

    def draw(name, figure):
        results.whole_file(folder / f"{name}.png", lambda f: figure.savefig(f, dpi=150))

    arms = scenario(size)
    factors = find_factors(arms)
    names = list(factors)[:: size.every]
    for path in PLANE:
        factors[f"plane {path}"] = whole_range(factors[path])
    run = Runs(arms, factors, folder / "runs.parquet")
    listed = [{k: v for k, v in vars(factors[n]).items() if k != "leaves"} | {"arms": " ".join(factors[n].leaves)}
              for n in names]  # fmt: skip
    write("varied", pd.DataFrame(listed))

    cube, places, points = screening_design(names, size)
    screened = screen(cube, places, run("screening", points, ARMS, workers))
    write("screening", screened)
    score = those_that_matter(screened, size.matter)
    write("matter", score)
    matter = score.parameter[score.matters].tolist()
    draw("screening", sensitivity_figures.screening(screened, score, SELECTING, size.trajectories))

    y = run("tornado", tornado_design(matter, size), MISSIONS, workers)
    swings = tornado(matter, y, MISSIONS, size.grid_seeds)
    write("tornado", swings)
    draw("tornado", sensitivity_figures.tornado(swings, SELECTING, size.grid_seeds))

    cube, points = sobol_design(matter, size)
    sobol = indices(cube, run("sobol", points, MISSIONS, workers), MISSIONS)
    write("sobol", sobol)
    draw("sobol", sensitivity_figures.sobol(sobol, matter, LUCK, STUDIED, size.base))

    plane, points = flip_design(factors, size)
    points = [Point(tuple((f"plane {n}", v) for n, v in p.places), p.seed) for p in points]
    y = run("flip", points, MISSIONS, workers).reshape(len(plane), size.grid_seeds, len(MISSIONS), -1)
    flip = winners(y, MISSIONS)
    for axis, path in enumerate(PLANE):
        flip.insert(axis, path, [plane[p][axis] for p in flip.place])
    write("flip", flip.drop(columns="place"))
    draw("flip", sensitivity_figures.flip(flip, PLANE, MISSIONS, size.grid_seeds))

    y = run("first", first_design(names, size), MISSIONS, workers)
    won = winners(y.reshape(size.points, size.point_seeds, len(MISSIONS), -1), MISSIONS)
    first = shares(won, MISSIONS)
    write("first", first)
    draw("first", sensitivity_figures.first(first, MISSIONS, size.points, size.point_seeds))

    about = {"size": dataclasses.asdict(size), "parameters": len(names), **results.provenance()}
    results.whole_file(folder / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(about, sort_keys=False)))
    say(f"results: {folder}")


def main(words=None):
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m experiments sensitivity", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--small", action="store_true", help="a handful of parameters, in seconds")
    parser.add_argument("--results", default="results/sensitivity", help="folder of tables and figures")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    for f in dataclasses.fields(Size):
        parser.add_argument(f"--{f.name.replace('_', '-')}", type=f.type, help=f"default {f.default:g}")
    given = parser.parse_args(words)
    asked = {f.name: getattr(given, f.name) for f in dataclasses.fields(Size) if getattr(given, f.name) is not None}
    size = dataclasses.replace(SMALL if given.small else Size(), **asked)
    try:
        for name, least in (("trajectories", 2), ("dummies", 2), ("points", 2), ("point_seeds", 2), ("grid", 2),
                            ("grid_seeds", 2), ("matter", 1), ("base", 2), ("every", 1)):  # fmt: skip
            if getattr(size, name) < least:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(size, name)}; it must be at least {least}")
        if size.base & (size.base - 1):
            raise ValueError(f"--base is {size.base}; it must be a power of 2")
        analyse(size, given.results, max(1, given.workers))
    except ModuleNotFoundError as error:
        say(f"error: {error.name} is not installed; python -m pip install -c constraints.txt -e '.[science]'")
        sys.exit(2)
    except ValueError as error:
        say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("interrupted: finished runs are kept; the same command does the rest")
        sys.exit(130)


if __name__ == "__main__":
    main()
