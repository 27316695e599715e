"""Sweeps and Hydra: a job is a scenario, its seeds run inside it, and a launcher chosen by one override starts jobs.

What is to be run is written down in `plan/` of the sweep's folder before it is run: from that and from the store of
runs, another terminal can tell how far it is, and the tables can be written without doing anything again.
"""

import contextlib
import functools
import hashlib
import itertools
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.engine import dask_launcher, runs, stored, tables  # noqa: F401  the launcher makes itself known to Hydra
from experiments.engine.workers import available_cores
from sim.calibrated import Calibration
from sim.config import refuse_by_seed, register, to_params
from sim.outcomes import refuse_months
from sim.paths import CONF
from sim.results import SWEEP, Damaged, claim, code_version, discard, read_note, write_note
from sim.values import among, closest
from sim.warm import say, warm_up

RECENT = 120  # seconds over which a rate is taken
ASKED = "asked.json"  # what a multirun was asked for
MOST_SHARES = 200  # jobs that a launcher is given for an experiment, about


# ------------------------------------------------------------------------------ what is to be run


def write_plan(folder: str | Path, name: str, scenarios: Sequence[Mapping[str, Any]], number: int = 0) -> None:
    """Write down what is to be run, in place of an older plan of that name.

    Parameters
    ----------
    folder : Path of the sweep; name : str
    scenarios : list of dict: label, settings, overrides, first_seed, seeds, fingerprint, dates
    number : int, place among the plans of the sweep
    """
    content = {"code": code_version(), "number": number, "scenarios": scenarios}
    write_note(Path(folder) / "plan" / f"{name}.json", content)


def planned(folder: str | Path) -> tuple[list[runs.Job], dict[str, dict[str, Any]], int]:
    """Return the jobs of a sweep and its settings as they were written down, and how many plans are of no use.

    These are of an older model, or damaged: the command that wrote them writes them again.
    """
    jobs, settings, old, plans, folder, code = [], {}, 0, [], Path(folder), code_version()
    for path in sorted((folder / "plan").glob("*.json")):
        try:
            plans.append(read_note(path))
        except Damaged:
            old += 1
    for content in sorted(plans, key=lambda plan: plan.get("number", 0)):
        if content["code"] != code:
            old += 1
            continue
        for s in content["scenarios"]:
            settings[s["label"]] = s["settings"]
            jobs += [
                runs.Job(s["label"], seed, None, folder / "runs",
                         runs.key(s["fingerprint"], seed, code, s.get("kept", runs.kept_as(s["dates"]))),
                         tuple(s["dates"]), tuple(s["overrides"]))
                for seed in range(s["first_seed"], s["first_seed"] + s["seeds"])
            ]  # fmt: skip
    return list({(job.arm, job.key): job for job in jobs}.values()), settings, old


# ------------------------------------------------------------------------------ a job of Hydra


def begin(hydra: DictConfig) -> None:
    """Make ready for the jobs of a multirun, from Hydra's own part of its configuration."""
    folder = Path(hydra.sweep.dir)
    claim(folder, SWEEP)
    own = hydra.sweeper._target_.endswith("BasicSweeper")  # others find out on the way what they will ask for
    write_note(folder / ASKED, {"overrides": list(hydra.overrides.task) if own else None})
    _ready(hydra.launcher)


def _ready(launcher):
    """Make ready for a launcher that Hydra is about to make."""
    if "submitit" in launcher._target_:
        from experiments.engine import slurm_queue

        slurm_queue.install()


def scenario_job(config: DictConfig) -> float | tuple[float, ...] | None:
    """Run the seeds of the scenario that Hydra composed, across the cores, and write down that it did.

    Returns
    -------
    The means of run.objective, for a sweeper that optimises; None if there is none or a run failed
    """
    hydra = HydraConfig.get()
    folder, first = Path(hydra.sweep.dir), config.seed
    claim(folder, SWEEP)
    overrides = list(hydra.overrides.task)
    settings, label = _settings(overrides), _label(overrides)
    jobs = _seeds(config, folder, label, settings_of(overrides))
    number = OmegaConf.select(hydra, "job.num", throw_on_missing=False) or 0
    scenario = {
        "label": label, "settings": {"arm": label, **settings}, "overrides": settings_of(overrides),
        "first_seed": first, "seeds": len(jobs), "fingerprint": jobs[0].scenario,
        "dates": list(config.run.months),
    }  # fmt: skip
    # Named after what was asked for, not after what it means today: a changed file of conf/ replaces the old plan.
    write_plan(folder, _plan_of(label, first), [scenario], number)
    stored.check(jobs)
    to_do = any(not job.done and not job.failed for job in jobs)
    failed = _do(jobs, config, (_place(folder, number) if to_do else "") or label)
    if not config.run.objective or failed:
        return None
    table = [stored.read(job)["outcomes"] for job in jobs]
    for outcome in config.run.objective:
        if outcome not in table[0]:
            raise ValueError(f"run.objective names {outcome!r}{among(outcome, table[0])}")
    means = tuple(sum(t[o] for t in table) / len(table) for o in config.run.objective)
    return means if len(means) > 1 else means[0]


def _plan_of(label, first_seed):
    return f"{hashlib.sha256(label.encode()).hexdigest()[:12]}-{first_seed}"


def _label(overrides):
    return " ".join(f"{k}={v}" for k, v in _settings(overrides).items()) or "default"


_begun = {}  # folder: when the first job of a sweep that had anything to do began in this process, and its number


def _place(folder, number):
    """Return where a job stands in its sweep and how long the rest takes at the pace so far; empty if none knows."""
    asked = _asked(folder)
    if not asked:
        return ""
    start, first = _begun.setdefault(folder, (time.perf_counter(), number))
    pace = (time.perf_counter() - start) / max(number - first, 1)
    left = f", {timedelta(seconds=round(pace * (len(asked) - number)))} left in all" if number > first else ""
    return f"job {number + 1:,} of {len(asked):,}{left}"


def _seeds(config, folder, label, overrides):
    seeds = 1 if config.run.seeds is None else config.run.seeds
    if seeds < 1:
        raise ValueError(f"run.seeds is {seeds}; it must be at least 1")
    if config.run.workers is not None and config.run.workers < 1:
        raise ValueError(f"run.workers is {config.run.workers}; it must be at least 1")
    params = to_params(config)
    refuse_months("run.months", config.run.months, params)
    if seeds > 1:
        refuse_by_seed(config, params)
    first, drawn = params.seed, Calibration.asked_for(config.calibration, overrides, config.experiment.same_past)
    return runs.plan({label: params}, range(first, first + seeds), folder / "runs", config.run.months,
                     {label: overrides}, {label: drawn})  # fmt: skip


def _do(jobs, config, what):
    return do(jobs, config.run.workers, what, config.run.retry_failed)


def do(jobs: Sequence[runs.Job], workers: int | None, what: str, retry_failed: bool = False) -> bool:
    """Do jobs on the cores that this process has; return whether some failed, which is said."""
    if any(not job.done for job in jobs):
        warm_up()
    try:
        runs.run(jobs, workers or available_cores(), what, retry_failed)
    except runs.Failures as error:
        say(f"failed: {error}")
        return True
    return False


def settings_of(overrides: Iterable[str]) -> list[str]:
    """Return the overrides that say what is simulated, as apart from how it is run and with which luck."""
    return [o for o in overrides if not o.lstrip("+~").startswith(("run.", "hydra.", "hydra/", "seed="))]


def _settings(overrides):
    """Return overrides as columns: {key: value}."""
    found = {}
    for o in OverridesParser.create().parse_overrides(settings_of(overrides)):
        value = "" if o.is_delete() else o.value()
        plain = isinstance(value, (int, float, bool, str))
        found[o.get_key_element().lstrip("+~")] = value if plain else o.get_value_element_as_str()
    return found


def finish(folder: str | Path) -> bool:
    """Write the tables of a sweep of Hydra jobs and say how it stands; return whether all is done."""
    folder = Path(folder)
    jobs, settings, old = planned(folder)
    if not jobs:
        return False
    while True:
        try:
            tables.write(folder, jobs, settings)
            break
        except stored.Torn as error:  # it is out of the store now
            say(f"error: {error}; the same command does it again")
        except OSError as error:
            say(f"error: the tables of {folder} cannot be written: {error}; finished runs are kept")
            return False
    done, failed = sum(job.done for job in jobs), sum(bool(job.failed) for job in jobs)
    told = f"{done} of {len(jobs)} runs done" + (f", {failed} failed: see {folder / 'failures.csv'}" if failed else "")
    waiting = _not_started(folder)
    told += f", {waiting} more jobs have not started" if waiting else ""
    told += f", {old} plans left out: of an earlier version of the model, or damaged" if old else ""
    say(f"{told}\nresults: {folder}")
    return done == len(jobs) and not waiting


# ------------------------------------------------------------------------------ launchers


def launch(
    folder: str | Path, hydra_overrides: Sequence[str], do: Callable[[Any, int], object], shares: Sequence[Any]
) -> None:
    """Have a launcher of Hydra do work: a job of Hydra is a share of it, which it finds beside the store of runs.

    Parameters
    ----------
    folder : Path of the sweep; hydra_overrides : list of str, the launcher and its settings
    do : function of a share and of the number of runs at a time; shares : list
    """
    from hydra._internal.callbacks import Callbacks

    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        config = hydra.compose_config(
            "config", [*hydra_overrides, f"hydra.sweep.dir='{folder}'"], RunMode.MULTIRUN, with_log_configuration=True
        )
        context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks())
        _ready(config.hydra.launcher)
        place = Path(tempfile.mkdtemp(prefix="shares.", dir=folder))  # no number of a process: machines share them
        task = functools.partial(_do_share, place=str(place), do=do)
        try:
            launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=task, config=config)
            for number, share in enumerate(shares):
                (place / f"{number}.pickle").write_bytes(pickle.dumps(share))
            for returned in launcher.launch([[] for _ in shares], initial_job_idx=0):
                _ = returned.return_value  # raises what the job raised
        finally:
            discard(place)


def _do_share(config, place, do):
    """Do a share, on the cores that this process has."""
    share = pickle.loads((Path(place) / f"{HydraConfig.get().job.num}.pickle").read_bytes())
    do(share, config.run.workers or available_cores())


def shares(jobs: Sequence[runs.Job], store: str | Path) -> list[list[runs.Job]]:
    """Divide runs into shares: one is a scenario, or, of very many, several; the store is where all can find it.

    Parameters
    ----------
    jobs : list of experiments.engine.runs.Job, those of a scenario one after the other; store : Path
    """
    found, least = [], len(jobs) / MOST_SHARES
    for _, of_scenario in itertools.groupby(jobs, key=lambda job: job.arm):
        if not found or len(found[-1]) >= least:
            found.append([])
        found[-1] += [replace(job, store=Path(store).resolve()) for job in of_scenario]
    return found


def do_jobs(jobs: Sequence[runs.Job], workers: int | None, retry_failed: bool = False) -> None:
    """Do a share of runs."""
    do(jobs, workers, jobs[0].arm, retry_failed)


# ------------------------------------------------------------------------------ how far it is


def status(folder: str | Path) -> tuple[dict[str, float | None], str]:
    """Return how far a sweep is: a dictionary of counts, and text that says it."""
    folder = Path(folder)
    if not (folder / "plan").is_dir():
        there = sorted(plan.parent.name for plan in folder.parent.glob("*/plan"))
        meant = f" (did you mean {hint}?)" if (hint := closest(folder.name, there)) else ""
        raise ValueError(f"there is no sweep at {folder}{meant}: it has no plan/")
    jobs, _, old = planned(folder)
    done, failed, running, missing, ends = 0, [], 0, 0, []
    for job in jobs:
        if job.done:
            done += 1
            ends.append(job.folder.stat().st_mtime)
        elif about := job.failed:
            failed.append(f"failed: {' '.join(about['overrides'])} seed={job.seed}: {about['kind']}: {about['error']}")
        elif runs.is_running(job):
            running += 1
        else:
            missing += 1
    recent = [t for t in ends if time.time() - t < RECENT]
    rate = len(recent) / max(time.time() - min(recent), 1) if running and len(recent) > 1 else 0
    waiting, begun = _not_started(folder), len({job.arm for job in jobs})
    to_do = missing + running + waiting * len(jobs) / max(begun, 1)
    left = timedelta(seconds=round(to_do / rate)) if rate else None
    words = [
        f"{folder}: {done:,} of {len(jobs):,} runs done, {running} running, {len(failed)} failed, {missing:,} missing"
    ]
    if rate:
        words.append(f"{60 * rate:,.0f} a minute, about {left} left")
    if waiting:
        words.append(f"{waiting} more jobs have not started")
    if old:
        words.append(f"{old} plans are of an earlier version of the model, or damaged")
    words += failed[:10]
    if len(failed) > 10:
        words.append(f"and {len(failed) - 10} more")
    counts = {"done": done, "running": running, "failed": len(failed), "missing": missing, "waiting": waiting,
              "seconds_left": left.total_seconds() if left else None}  # fmt: skip
    return counts, "\n".join(words)


def _not_started(folder):
    """Return how many jobs of a multirun have not yet written down what they do."""
    jobs, there = _asked(folder), {path.stem for path in (folder / "plan").glob("*.json")}
    labels = {_label(job) for job in jobs} if len(there) < len(jobs) else ()
    begun = {name.rpartition("-")[0] for name in there}
    return sum(_plan_of(label, "").rpartition("-")[0] not in begun for label in labels)


def _asked(folder):
    """Return the overrides of each job of a multirun; none if another sweeper than Hydra's own finds them out."""
    try:
        asked = read_note(folder / ASKED)["overrides"]
    except (FileNotFoundError, Damaged):  # the same command writes it again
        return []
    return _split(tuple(asked)) if asked else []


@functools.cache
def _split(asked):
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    with contextlib.ExitStack() as stack:
        if not GlobalHydra.instance().is_initialized():
            register()
            stack.enter_context(initialize_config_dir(str(CONF), version_base="1.3"))
        loader = GlobalHydra.instance().config_loader()
        overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(asked))
    return BasicSweeper.split_arguments(overrides, None)[0]
