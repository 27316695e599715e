"""The command line and the README: as a newcomer uses them, in a process of its own."""

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sim import __main__ as command

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.xdist_group("command line")  # they share a run
SMALL = ["weeks=40", "civilians=300"]


def sim(*words, cwd, module="sim", **more):
    """Run `python -m sim ...` in a folder and return the finished process."""
    call = [sys.executable, "-m", module, *words]
    return subprocess.run(call, cwd=cwd, capture_output=True, text=True, timeout=300, check=False, **more)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One run, from a folder with a space in its path."""
    folder = tmp_path_factory.mktemp("with a space")
    found = sim("mission=sequential", "seed=3", "run.name=one", *SMALL, cwd=folder)
    assert found.returncode == 0, found.stderr
    return folder, found


def test_a_run_prints_a_summary_and_no_progress_where_there_is_no_terminal(done):
    _, found = done
    assert "civilians killed" in found.stdout
    assert "results: " in found.stdout
    assert "\x1b" not in found.stdout + found.stderr


def test_a_run_leaves_the_tables_of_the_field_and_what_made_them(done):
    folder = done[0] / "results" / "one"
    assert {f.name for f in folder.iterdir()} == {
        "weekly.csv", "monthly.csv", "monthly.parquet", "cell_month.parquet", "events.csv", "outcomes.json",
        "columns.csv", "config.yaml", "overrides.txt", "provenance.json", ".peacekeeping-run",
    }  # fmt: skip
    panel = pd.read_parquet(folder / "monthly.parquet")
    wanted = (
        "month osv_all osv_gov osv_reb brd troops police observers non_un_troops humanitarian_staff access idps "
        "refugees consent_pop trust_un cost consent_gov_un"
    )
    assert set(wanted.split()) <= set(panel.columns)
    events = pd.read_csv(folder / "events.csv")
    ged = (
        "id year type_of_violence side_a side_b date_start date_end deaths_a deaths_b deaths_civilians "
        "deaths_unknown best low high adm_1"
    )
    assert set(ged.split()) <= set(events.columns)
    assert events.deaths_civilians.sum() == panel.civilians_killed.sum() > 0
    assert yaml.safe_load((folder / "config.yaml").read_text())["seed"] == 3
    assert "seed=3" in (folder / "overrides.txt").read_text().split()
    assert {"commit", "mesa", "numpy", "seed", "code", "schema"} <= set(
        json.loads((folder / "provenance.json").read_text())
    )


def test_the_stored_configuration_makes_the_same_run_again(done):
    from omegaconf import OmegaConf

    from sim import Params, PeaceModel, outcomes

    folder = done[0] / "results" / "one"
    params = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Params), OmegaConf.load(folder / "config.yaml")))
    again = outcomes.totals(PeaceModel(params).run())
    before = json.loads((folder / "outcomes.json").read_text())
    assert {k: v for k, v in again.items() if v == v} == {k: v for k, v in before.items() if v is not None}


def test_a_second_run_replaces_the_first_and_leaves_nothing_else(done):
    folder, _ = done
    before = (folder / "results" / "one" / "monthly.csv").read_bytes()
    assert sim("mission=sequential", "seed=3", "run.name=one", *SMALL, cwd=folder).returncode == 0
    assert (folder / "results" / "one" / "monthly.csv").read_bytes() == before
    assert [f.name for f in (folder / "results").iterdir()] == ["one"]
    assert [f.name for f in folder.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mission=sequentail"], r"mission is 'sequentail' \(did you mean sequential\?\); choose among .*sequential"),
        (
            ["mission.bugdet=3"],
            r"mission.bugdet is not a setting \(did you mean mission.budget\?\); mission has .*budget",
        ),
        (["mission=un_only", "mission.components.un.troops=3"], "mission.components.un has .*personnel"),
        (
            ["mission=un_only", "mandate@mission.components.un.mandate=war"],
            "mandate is 'war'; choose among .*observation",
        ),
        (["weeks=abc"], r"weeks is 'abc'; it must be a whole number in \[1, 5200\]"),
        (["weeks=0"], r"weeks is 0; it must lie in \[1, 5200\] week"),
        (["mission=un_only", "mission.components.un.leave.week=2"], "leaves in week 2, before it arrives"),
        (["run.branch_from=nothing.npz"], "there is no such file"),
    ],
)
def test_bad_input_gives_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["python -m sim", *words])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    errors = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert len(errors) == 1
    assert re.search(said, errors[0])
    assert str(ROOT) not in errors[0]
    assert not list(tmp_path.iterdir())


def test_a_refusal_leaves_no_traceback_and_a_code(tmp_path):
    found = sim("weeks=0", cwd=tmp_path)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr


def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sim.results._json", full)
    monkeypatch.setattr(sys, "argv", ["python -m sim", "weeks=4", "civilians=60", "run.name=x"])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "error: results/x could not be written, and nothing of it was: No space left on device"
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interruption_leaves_nothing_half_written(tmp_path):
    code = "from sim.__main__ import main; print('ready', flush=True); main()"
    call = [sys.executable, "-c", code, "mission=un_only", "civilians=200000"]
    started = subprocess.Popen(call, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout.readline() == "ready\n"
    time.sleep(4)  # in the middle of the run, and most likely in the middle of a compiled rule
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "nothing was written" in said
    assert not list(tmp_path.glob("results/*"))


EXTRAS = ("hydra_plugins", "joblib", "submitit", "distributed", "dask", "SALib", "optuna", "statsmodels", "pyabc",
          "starlette", "uvicorn", "websockets", "polars", "duckdb")  # fmt: skip
ABSENT = f"""import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


@pytest.mark.parametrize("module", ["sim", "experiments"])
def test_both_commands_run_where_no_extra_is_installed(module, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ABSENT)  # read by every Python, workers too
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    words = ["weeks=8", "civilians=50", *(["experiment.seeds=1"] if module == "experiments" else [])]
    found = sim(*words, module=module, cwd=tmp_path, env=environment)
    assert found.returncode == 0, found.stderr
    assert list(tmp_path.glob("results/*/*.csv"))


def test_the_lines_for_a_notebook_run_as_they_stand(tmp_path):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "civilians_killed" in found.stdout


def test_every_scenario_command_of_the_readme_is_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [
        shlex.split(c.split("#")[0]) for c in re.findall(r"^python -m sim (.*)$", README + MANUAL, re.MULTILINE)
    ]
    assert len(commands) >= 6
    asked = " ".join(" ".join(c) for c in commands)
    assert "branch_from" in asked
    for words in commands[1:]:
        if {"-m", "--cfg", "--help"} & set(words) or any("branch_from" in w for w in words):
            continue  # tried elsewhere: more than one run, no run, or a run that needs another one first
        small = [w for w in words if not w.startswith(("weeks=", "civilians=", "run.save_at", "run.name="))]
        monkeypatch.setattr(sys, "argv", ["python -m sim", *small, "weeks=8", "civilians=60", "run.name=x"])
        command.main()  # which exits where it refuses
        assert (tmp_path / "results" / "x" / "outcomes.json").is_file()
        shutil.rmtree(tmp_path / "results" / "x")


def test_the_mission_of_the_readme_is_a_mission(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", README, re.DOTALL).group(1)
    conf = tmp_path / "conf"
    (conf / "mission").mkdir(parents=True)
    (conf / "mission" / "of_the_readme.yaml").write_text(text)
    found = sim("mission=of_the_readme", f"hydra.searchpath=[file://{conf}]", "weeks=20", "civilians=60", cwd=tmp_path)
    assert found.returncode == 0, found.stderr


def test_ci_runs_the_command_that_the_readme_gives():
    ci = (ROOT / ".ci" / "run").read_text()
    assert "grep -m1 'pytest' README.md" in ci
    line = next(x for x in README.splitlines() if "pytest" in x)
    assert line.startswith("python -m pip install")
    assert line.endswith("python -m pytest -n auto")


def test_no_lock_or_constraint_carries_an_address():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert "://" not in line
