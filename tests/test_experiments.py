"""Experiments: every one runs, is not done twice, and its tables say what they came from."""

import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import yaml

from experiments import __main__ as command
from experiments.engine import experiment as comparison
from experiments.engine import runs, scenarios, stored
from sim.config import Composer
from sim.config import composed as compose

pytestmark = pytest.mark.xdist_group("experiments")  # they share the main job
TINY = ["experiment.seeds=2", "civilians=150", "weeks=60"]


COMPOSER = Composer()


@cache
def _composed(overrides):
    return compose(list(overrides))


@pytest.fixture(autouse=True, scope="module")
def _compose_once():
    """Compose every configuration once: it takes a third of a second, and tests ask for the same ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "composed", lambda overrides: _composed(tuple(overrides)))
        patch.setattr(scenarios, "Composer", lambda: COMPOSER)
        yield


def run(name, *overrides, workers=1):
    """Run a tiny version of an experiment in the present folder."""
    experiment = command.Experiment(name, [*TINY, *overrides])
    experiment.run(workers)
    return experiment


@pytest.fixture(scope="module")
def main_job(tmp_path_factory):
    """The main job, tiny, with all its figures."""
    folder = tmp_path_factory.mktemp("main job")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder, run("mission_models")


def test_the_main_job_compares_all_models_on_the_same_seeds(main_job):
    folder, _ = main_job
    table = pd.read_parquet(folder / "results" / "mission_models" / "runs.parquet")
    models = ["none", "un_only", "regional_only", "sequential", "parallel", "separated", "separated_swapped"]
    models += ["hybrid", "un_support"]
    assert list(dict.fromkeys(table.arm)) == models
    assert table.groupby("arm").seed.apply(list).map(tuple).nunique() == 1
    assert (table.groupby("arm").seed.count() == 2).all()


def test_it_leaves_tables_and_figures_and_what_made_them(main_job):
    folder, experiment = main_job
    there = {f.name for f in (folder / "results" / "mission_models").iterdir()}
    tables = {"runs.csv", "runs.parquet", "monthly", "maps.parquet", "summary.csv", "pairing.csv"}
    assert tables | {"arms.yaml", "provenance.yaml"} <= there
    assert {f"{f}.png" for f in experiment.about.figures} <= there
    assert [f for f in there if f.startswith(".")] == [".peacekeeping-experiment-mission_models"]
    about = yaml.safe_load((folder / "results" / "mission_models" / "provenance.yaml").read_text())
    assert about["overrides"] == TINY


def test_nothing_is_done_twice_and_a_lost_run_is_done_again(main_job, monkeypatch):
    folder, first = main_job
    monkeypatch.chdir(folder)
    again = command.Experiment("mission_models", [*TINY, "experiment.figures=[]"])
    assert all(job.done for job in again.jobs)
    before = again.jobs[3].folder.stat().st_mtime_ns
    lost = again.jobs[0].folder
    for file in lost.iterdir():
        file.unlink()
    lost.rmdir()
    again.run(1)
    assert lost.is_dir()
    assert again.jobs[3].folder.stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(first.runs, again.runs)


def test_a_changed_setting_does_not_find_old_runs(main_job, monkeypatch):
    folder, first = main_job
    monkeypatch.chdir(folder)
    changed = command.Experiment("mission_models", [*TINY, "judge.conflation=0.9"])
    assert not {job.folder for job in changed.jobs} & {job.folder for job in first.jobs}


def test_drawing_never_simulates(main_job, monkeypatch):
    folder, _ = main_job
    monkeypatch.chdir(folder)

    def no_simulation(*_):
        raise AssertionError("simulated")

    monkeypatch.setattr(runs, "simulate", no_simulation)
    command.Experiment("mission_models", TINY).run(1)


def test_two_workers_give_the_same_table_as_one(main_job, tmp_path, monkeypatch):
    _, one = main_job
    monkeypatch.chdir(tmp_path)
    two = command.Experiment("mission_models", [*TINY, "experiment.figures=[]"])  # no figures: the tables are compared
    runs.run(two.jobs, 2, "two")
    found = stored.totals(two.jobs)
    pd.testing.assert_frame_equal(found, one.runs[found.columns].astype(found.dtypes))


def test_processes_that_are_kept_work_where_their_parent_is(tmp_path, monkeypatch):
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        x = command.Experiment("mission_models", [*TINY, "experiment.figures=[]"])
        runs.run(x.jobs, 2, place)
        assert all((tmp_path / place / job.folder / "run.npz").is_file() for job in x.jobs)


SMALLER = {
    "phases": ["experiment.design.axes={judge.conflation:[0.0,1.0],judge.contestation:[0.0,1.0]}"],
    "delay": ["experiment.design.axes={mission.components.un.arrive.week:[0,26]}"],
    "funding": ["experiment.design.axes={ability:{0.5:[],0.7:[],0.9:[]}}"],
    **{name: ["experiment.design.points=4"] for name in ("cheapest", "cheapest_exit")},
    "hindcast": ["experiment.map_dates=[2013-11,2014-03]"],
    "separation": ["experiment.design.axes={judge.conflation:[0.0,1.0],mission.council_unity:[0.1,1.0]}"],
    "robust_action": ["experiment.design.axes={mission.components.un.mandate.use_of_force:[0,1]}"],
    "missing_quarter": ["experiment.design.axes={mission.components.regional.force.raised:[0,1]}"],
    "two_generals": ["experiment.design.axes={mission.coordination:[0,1]}"],
    "prevention": ["experiment.design.axes={mission.authorised:[0,8]}"],
    "misinformation": ["experiment.design.axes={feel.misinformation:[0.3,0.6]}"],
    **{name: [] for name in ("october_2025", "hand_over_gap", "withdrawal", "exit")},  # 20 weeks
}
WEEKS = {"hindcast": 154, "car": 106}


def test_every_experiment_goes_through(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in command.names():
        if name.startswith("cheapest"):
            pytest.importorskip("optuna")
        if name != "mission_models" and _composed((f"experiment={name}",)).experiment.study == "comparison":
            weeks = WEEKS.get(name, 20 if name in SMALLER else 56)  # figures over time need a year
            few = ("experiment.seeds=2", "experiment.formats=[png]", f"weeks={weeks}")
            found = run(name, *few, *SMALLER.get(name, ()))
            assert len(found.runs) == 2 * len(found.params)
            for figure in found.about.figures:
                assert (found.folder / f"{figure.split('.')[-1]}.png").stat().st_size > 10_000


def test_a_question_leaves_a_report_with_what_to_notice_and_says_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = run("two_generals", "weeks=20", *SMALLER["two_generals"])
    report = (asked.folder / "report.md").read_text(encoding="utf-8")
    found = f"![{asked.found['over']}](over.png)"
    assert asked.found["over"].startswith(f"{asked.about.question} With fewer than ")
    assert report.index(asked.about.question) < report.index(found) < report.index("## What to notice")
    assert report.endswith(f"{asked.about.notice}\n")
    assert f"to notice: {asked.about.notice}" in capsys.readouterr().err
    rows = [line for line in report.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 8  # head, rule, four generals at two values
    assert {"Civilians killed", "Humanitarian access"} <= {cell.strip() for cell in rows[0].split("|")}
    table = pd.read_csv(asked.folder / "over.csv")
    assert len(table) == 4 * 3 * 2  # outcomes, arms but the baseline, values


def test_a_failing_run_is_named_and_the_others_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = command.Experiment("mission_models", [*TINY, "experiment.figures=[]"])
    job = experiment.jobs[2]
    broken = replace(job.params, live=replace(job.params.live, mortality=float("nan")))  # as a broken worker would
    experiment.jobs[2] = replace(job, params=broken)
    with pytest.raises(RuntimeError, match="1 of 18 runs failed, the others are kept; first: arm un_only, seed 1"):
        experiment.run(1)
    assert sum(job.done for job in experiment.jobs) == 17
    assert len(experiment.runs) == 17


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no experiment 'nothing'; choose among calibration, car, cheapest, cheapest_exit"),
        (["mission_models", "experiment.seeds=0"], "experiment.seeds is 0; it must be at least 1"),
        (["mission_models", "experiment.figures=[pie]"], "experiment.figures names pie .*choose among"),
        (["mission_models", "experiment.baseline=nobody"], "experiment.baseline is 'nobody'; choose among none"),
        (
            ["hindcast", "weeks=60"],
            "experiment.map_dates names 2013-11, 2017-12; the run has the months 2012-01 to 2013-",
        ),
        (["mission_models", "calibration=mars"], "calibration is 'mars'; choose among car"),
        (["mission_models", "mission.budget=1"], "arm .*: mission.budget is 1 US.; the headquarters alone cost"),
    ],
)
def test_bad_input_is_refused_before_the_first_run(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["experiments"])
    with pytest.raises(SystemExit) as left:
        command.main(words)
    assert left.value.code == 2
    assert re.search(said, capsys.readouterr().err)
    assert not list(Path.cwd().iterdir())


def test_list_names_the_experiments(capsys):
    command.main(["--list"])
    out = capsys.readouterr().out
    assert "mission_models" in out
    assert "car" in out
    assert "?" in out
