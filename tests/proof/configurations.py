"""Bad and odd configurations: python -m tests.proof configurations [EVERY]

Every declared number out of range, of a wrong type and misspelt; every choice of files misspelt; settings in the wrong
place, and where they have no bearing; odd grammar, for a run, a sweep, `load`, an experiment and the page. Each is
answered in one sentence of our own words, or means what it means in a single run. EVERY takes each n-th alone.
"""

import contextlib
import io
import itertools
import os
import sys
import tempfile
from collections import Counter
from dataclasses import fields
from unittest import mock

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from experiments import __main__ as experiments
from experiments.classroom import __main__ as classroom
from experiments.classroom import scene
from sim import __main__ as command
from sim import asked, load, paths
from sim.config import Composer
from sim.memory import too_large
from sim.params import Params, out_of_range, walk

REFUSALS = (ValueError, OSError, RuntimeError, HydraException, OmegaConfBaseException)
THEIRS = ("object_type", "full_key", "hydra.cc", "DictConfig", "ListConfig", "viable", "extraneous", "mismatched",
          "Exception", "Traceback", "NoneType", "<EOF>", "Could not")  # fmt: skip
BASE = ("mission=parallel",)
_composer = Composer()


# ---------------------------------------------------------------------------------- what is asked of whom


def scenario(words):
    """Compose a scenario, as arms, sweeps and the page do."""
    params = _composer.params(words)
    if wrong := out_of_range(params) or too_large(params):
        raise ValueError("; ".join(wrong))
    return params


def alone(words):
    """Compose the scenario of a single run."""
    params = load(*words)
    if wrong := out_of_range(params) or too_large(params):
        raise ValueError("; ".join(wrong))
    return params


def page(words):
    """Ask the page for a model."""
    return scene.allowed(tuple(words))


def _call(main, *words):
    """Call a command; raise what it said if it refused."""
    err = io.StringIO()
    with (
        contextlib.redirect_stderr(err),
        contextlib.redirect_stdout(io.StringIO()),
        mock.patch.object(sys, "argv", ["command", *words]),
    ):
        try:
            main()
        except SystemExit as left:
            if left.code:
                raise ValueError(err.getvalue().strip().removeprefix("error: ")) from None


def single_run(words):
    """Give words to `python -m sim`, which composes the run and does not simulate it."""
    with mock.patch.object(command, "simulate", command.to_params):
        _call(command.main, *words)


def sweep(words):
    """Give words to `python -m sim -m`; of those that are not refused beforehand nothing is run."""
    with mock.patch.object(command, "_hydra"):
        _call(command.main, "-m", *words)


def experiment(words):
    """Give words to `python -m experiments`; of what is not refused nothing is run."""
    with mock.patch.object(experiments.Experiment, "run"):
        _call(experiments.main, *words)


def room(words):
    """Give words to `python -m experiments.classroom`; what is not refused does nothing."""
    with mock.patch.object(classroom, "serve"), mock.patch.object(classroom, "animate"):
        _call(classroom.main, *words)


# ---------------------------------------------------------------------------------- cases


def misspelt(name):
    """Return a name with two of its letters swapped, or one more."""
    for k in range(len(name) // 2, len(name) - 1):
        if name[k] != name[k + 1]:
            return name[:k] + name[k + 1] + name[k] + name[k + 2 :]
    return name + "x"


def numbers():
    """Every declared number and word: out of range on both sides, of a wrong type, misspelt, added where it is not."""
    at_the_top = {f.name for f in fields(Params)}
    for path, f, _ in walk(load(*BASE)):
        if " " in path:  # a name with a space is no key of a word
            continue
        where, _, name = path.rpartition(".")
        wrong = f"{where}.{misspelt(name)}" if where else misspelt(name)
        if "low" in f.metadata:
            for key, value in (("below", f.metadata["low"] - 1), ("above", f.metadata["high"] + 1)):
                value = int(value) if f.type is int else float(value)
                yield f"number {key} its range", scenario, [*BASE, f"{path}={value!r}"], path
            yield "number of a wrong type", scenario, [*BASE, f"{path}=many"], path
            yield "misspelt setting", scenario, [*BASE, f"{wrong}={f.metadata['low']:g}"], "did you mean"
            yield (
                "misspelt setting, added",
                scenario,
                [*BASE, f"+{wrong}={f.metadata['low']:g}"],
                "did you mean",
            )
            if where and name not in at_the_top:
                yield "setting in the wrong place", scenario, [*BASE, f"{name}={f.metadata['low']:g}"], name
            yield "setting taken away", scenario, [*BASE, f"~{path}"], path
        elif "options" in f.metadata:
            yield "word that is no choice", scenario, [*BASE, f"{path}=nothing"], path


def choices():
    """Every file of conf/ that can be chosen, misspelt."""
    places = {"force": "force@mission.components.un.force", "mandate": "mandate@mission.components.un.mandate",
              **{g: g for g in ("country", "mission", "personnel", "events", "experiment")}}  # fmt: skip
    for group, key in places.items():
        for name in paths.choices(group):
            word = f"{key}=[{misspelt(name)}]" if group == "events" else f"{key}={misspelt(name)}"
            words = [*(BASE if group in ("force", "mandate") else ()), word]
            if group == "experiment":
                yield "misspelt experiment", experiment, [misspelt(name)], "did you mean"
            else:
                yield "misspelt choice", scenario, words, "did you mean"
            if group in ("country", "mission"):
                yield "misspelt choice on the page", page, words, "did you mean"


def numbers_that_are_off():
    """Every number of a process that is switched off, unless others read it; and each that they read."""
    for process, but in asked.READ_ELSEWHERE.items():
        off = f"processes.{process}=false"
        for f in fields(getattr(Params(), process)):
            read = f.name in but.split()
            word = f"{process}.{f.name}={f.metadata['low']:g}"
            yield "number of a process that is off", alone, [*BASE, off, word], None if read else "has no bearing where"


NO_BEARING = [
    (single_run, "experiment=car"), (single_run, "experiment.seeds=3"), (single_run, "hydra/launcher=joblib"),
    (single_run, "hydra.sweep.dir=x"), (single_run, "run.folders=true"), (single_run, "run.objective=[cost]"),
    (single_run, "run.workers=2"), (single_run, "run.workers=-1"), (single_run, "run.retry_failed=true"),
    (single_run, "run.months=[2012-01]"), (single_run, "run.seeds=3 run.branch_from=x"),
    (single_run, "run.seeds=3 run.save_at=2"), (single_run, "run.seeds=3 run.cells=false"),
    (single_run, "hydra.run.dir=x"), (single_run, "hydra.job.chdir=true"),
    (single_run, "mission=none mission=un_only"), (single_run, "weeks=4 weeks=8"),
    (sweep, "run.folders=true run.seeds=3"), (sweep, "run.folders=true run.name=x"), (sweep, "run.cells=false"),
    (sweep, "run.name=a,b"), (sweep, "hydra.verbose=true,false"), (sweep, "mission=glob(zz*)"),
    (sweep, "weeks=range(4,4)"), (sweep, "run.months=[2099-01] weeks=8"), (sweep, "experiment=car,dose"),
    (sweep, "weeks=4,many"),  (sweep, "mission=none,un_onli"), (alone, "weeks=13 step_weeks=2"),
    (alone, "run.seeds=3"), (alone, "experiment.seeds=3"), (alone, "hydra.verbose=true"),
    (alone, "weeks=4,8"), (alone, "mission=glob(*)"),
    *((do, f"mission=un_only {words}") for do in (alone, sweep, page) for words in (
        "mission.comparison=as_deployed mission.budget=1e9", "mission.person_years=1e4", "country=car country.rows=20",
        "mission.comparison=equal_personnel mission.budget=1e9", "country=mali country.population=1e6",
        "processes.feel=false feel.forget=1", "mission={comparison:as_deployed,budget:1e9}",
    ) if do is not page or "{" not in words),
    (alone, "country.rows=2000 country.cols=2000"), (page, "country.rows=2000 country.cols=2000"),
    (experiment, "dose mission.budget=1e9 ~experiment.arms.none experiment.baseline=troops_1000"),
    (experiment, "dose seed=3"), (experiment, "dose run.seeds=3"), (experiment, "dose run.retry_failed=true"),
    (experiment, "dose run.months=[2012-01]"), (experiment, "dose run.folders=true"),
    (experiment, "dose run.cells=false"),
    (experiment, "dose hydra.job.name=x"), (experiment, "dose experiment=car"), (experiment, "dose weeks=4,8"),
    (experiment, "dose experiment.design.points=3"), (experiment, "dose experiment.adaptive.half_width=3"),
    (experiment, "dose experiment.map_arms=[nobody]"), (experiment, "dose experiment.map_months=999"),
    (experiment, "dose experiment.map_dates=[2012-01] experiment.map_months=3"), (experiment, "dose car"),
    (experiment, "mission_models mission=un_only"), (experiment, "phases judge.conflation=0.2"),
    (experiment, "dose +experiment.analysis.nothing=3"),
    (experiment, "regression +experiment.analysis.country.twons=1"),
    (experiment, "validation +experiment.analysis.rows.x=1"),
    (experiment, "dose experiment.arms={}"),
    (experiment, "dose --workers 2 run.workers=3"), (experiment, "dose --workers 0"), (experiment, "dose --statu"),
    (experiment, "--list dose"), (experiment, "--status dose weeks=3"),
    (experiment, "dose +experiment.arms.x=['run.seeds=3']"),
    (experiment, "dose +experiment.arms.x=['weeks=${seed}']"),
    (experiment, "dose +experiment.arms.x=['weeks=${run.seeds}']"),
    (room, "shet mission=none"), (room, "animat f.gif mission=none"), (room, "--prot 3"), (room, "mission=none"),
    (room, "sheet mission=none --seed 3"),
]  # fmt: skip
ODD = [
    "", "=", "=3", "weeks", "weeks=", "weeks==3", "a b=3", "weeks=[1", "weeks={", "weeks=${", "weeks=${}",
    "weeks=${weeks}", "weeks=${nothing}", "weeks=${oc.env:NOT_SET_AT_ALL}", "weeks=${nothing:1}", "weeks=???",
    "weeks=null", "weeks=true", "weeks=1.5", "weeks=1e3", "weeks=nan", "weeks=inf", "weeks=-inf", "weeks=[4]",
    "weeks={a:4}", "weeks='four'", "~weeks", "~nothing", "~mission", "~country", "~personnel", "+weeks=4", "+foo=1",
    "++foo=1", "+foo.bar=1", "+judge.foo=1", "++judge.foo=1", "judge=3", "judge=null", "judge=[]", "judge={}",
    "judge={conflaton:1}", "+judge={conflaton:1}", "country.factions={}", "country.factions=null",
    "country.factions=[]", "country.factions=[a]", "country.places={}", "country.factions.rebels=null",
    "country.factions.rebels=3", "country.factions.nobody.fighters=3", "mission=null", "mission=[none,un_only]",
    "mission=3", "mission=''", "+mission=none", "country=[car]", "force=un", "+force=un", "mandate=robust",
    "mandate@nowhere=robust", "mandate@mission.components.un.mandate=robust", "+labels=car", "calibrated=car",
    "calibration=mars", "personnel.troops=3", "+personnel.astronauts.protect=1", "events={}",
    "events.nothing.weeks=3", "+events.x.moves.nothing.by=1", "+events.x.foo=1", "mission.components.un.area_km=3",
    "mission.components={}", "finer=0", "finer=nan", "step_weeks=0", "step_weeks=5", "step_weeks=3 weeks=4",
    "seed=-1", "seed=true", "civilians=0", "processes.nothing=false", "processes.judge=maybe", "hydra.nothing=1",
    "hydra/nothing=1", "hydra/launcher=nothing", "weeks=4 weeks=4", "weeks=choice(4)", "weeks=sort(4,8)",
    "weeks=interval(4,8)", "weeks=glob(*)", "mission=glob(*)", "weeks=range(4,8)", "weeks=4,8",
    "country.start=yesterday country.start=today",
]  # fmt: skip
VALID = [
    "++judge.conflation=0.3", "judge={conflation:0.3}", "weeks=${civilians} civilians=60",
    "mission=parallel ~mission.components.un", "civilians=${weeks} weeks=50",
    "mission=un_only mission.components.un.force.ability=0.4", "country.name='a, b'", 'country.name="{odd}"',
    "+country.factions.government.community.north=0.5", "events=[cut,drought]", "events=cut events.cut.when.week=3",
    "mission=un_only mandate@mission.components.un.mandate=robust", "country.factions.rebels={fighters:5,bands:2}",
    "country=car mission=none", "weeks=13 step_weeks=0.25", "finer=0.5",
    "mission=un_only mission.components.un.arrive={week:20}", "mission.cases=[one,two]",
    "personnel.troops.protect=0.5", "mission=un_only +mission.components.un.strength={2012-07-01:100}",
    "country.factions.rebels.enters=2013-01-01", "civilians='60'", "processes.ambush=off",
    "country.places.Oravel.capital=false", "mission.budget=${mission.person_years}", "judge.decay=1",
    "+events.x.moves.need.by=0.1 +events.x.when.week=3", "country.start=2013-01-01", "calibration=null",
    "weeks=${oc.decode:'50'}",
]  # fmt: skip


def rest():
    """What has no bearing, odd grammar for everybody, and what is odd but means something."""
    for do, words in NO_BEARING:
        yield "no bearing", do, words.split(), ""
    for do, words in itertools.product((single_run, sweep, alone, scenario, page), ODD):
        yield f"odd grammar: {do.__name__}", do, words.split(" ") if words else [""], None
    for words in VALID:
        yield "odd, but valid", meant_alike, _apart(words), None


def _apart(words):
    return [words] if words.startswith("country.name") else words.split()


def meant_alike(words):
    """Compose a scenario as arms do and as a single run does, and see that it is the same and is not nothing."""
    with_seed = alone(words)
    assert repr(scenario(words)) == repr(with_seed), "it means something else in a sweep"
    if words != ["calibration=null"]:
        assert repr(with_seed) != repr(alone([])), "nothing came of it"


# ---------------------------------------------------------------------------------- counting


def judge(do, words, wanted):
    """Return what came of a configuration: answered, run, ignored, or what was wrong with the answer.

    `wanted` is what an answer has to say; None: it may also be run, as it stands.
    """
    try:
        do(words)
    except REFUSALS as error:
        said = asked.explain(error)
        if "\n" in said or len(said) < 15 or any(word in said for word in THEIRS):
            return f"not a sentence of ours: {said}"
        return "answered" if wanted is None or wanted in said else f"does not say {wanted!r}: {said}"
    except Exception as error:  # a traceback, where it is not in-process
        return f"traceback: {type(error).__name__}: {error}"
    return "run" if wanted is None else "ignored"


def tried(every=1):
    """Try each n-th configuration; return counts by kind, and a line for each that did not hold."""
    found, wrong = Counter(), []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for n, (kind, do, words, wanted) in enumerate(
            itertools.chain(numbers(), choices(), numbers_that_are_off(), rest())
        ):
            if n % every:
                continue
            came = judge(do, words, wanted)
            good = came == "run" or (came == "answered" and do is not meant_alike)
            found[kind, came.split(":")[0]] += 1
            if not good:
                wrong.append(f"{kind}: {do.__name__} {' '.join(words)}: {came}")
        if left := os.listdir(folder):
            wrong.append(f"written, though nothing was to be: {', '.join(left)}")
    return found, wrong


def main(words=()):
    """Print the counts; return whether everything held."""
    found, wrong = tried(int(words[0]) if words else 1)
    for (kind, came), n in sorted(found.items()):
        print(f"{n:6,} {came:<24}{kind}")
    print("\n".join(wrong[:100]))
    total = Counter()
    for (_, came), n in found.items():
        total[came] += n
    print(f"{sum(found.values()):,} configurations: {', '.join(f'{n:,} {came}' for came, n in total.items())}")
    return not wrong
