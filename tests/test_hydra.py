"""What every user of Hydra expects of the command line works here: its grammar, its questions, its completion."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import CONF

from experiments.engine import runs, sweep
from sim import __main__ as command

pytestmark = pytest.mark.xdist_group("hydra")
TINY = ["weeks=9", "civilians=50"]


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """Return a function that gives `python -m sim` words, and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["python -m sim", *words])
        try:
            command.main()
        except SystemExit as left:  # --help leaves so
            assert not left.code, capsys.readouterr().err  # noqa: PT017
        return capsys.readouterr().out

    return call


@pytest.fixture
def jobs_of(ask, monkeypatch):
    """Return a function that gives the scenarios of a multirun, none of which is simulated."""

    def call(*words):
        monkeypatch.setattr(runs, "run", lambda *_, **__: None)
        monkeypatch.setattr(sweep, "finish", lambda folder: True)
        tiny = [w for w in TINY if not w.startswith(words[0].partition("=")[0])]
        ask("-m", *tiny, "run.name=x", *words)
        return list(sweep.planned(Path("results/x"))[1].values())

    return call


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        (["mission=none,un_only"], "mission", ["none", "un_only"]),
        (["mission=glob(un_*)"], "mission", ["un_benchmarks", "un_only", "un_support"]),
        (["mission=glob(*,exclude=[par*,s*,*_*,hybrid])"], "mission", ["none"]),
        (["weeks=range(10,16,2)"], "weeks", [10, 12, 14]),
        (["judge.conflation=choice(0.1,0.9)"], "judge.conflation", [0.1, 0.9]),
        (["judge.conflation=0.2,0.4", "judge.patience=1,2"], "judge.patience", [1, 2, 1, 2]),
    ],
)
def test_sweeps_over_groups_and_values(jobs_of, words, key, values):
    assert [s[key] for s in jobs_of(*words)] == values


def test_additions_and_removals(ask):
    added = yaml.safe_load(ask("--cfg", "job", "+country.factions.government.community.nobody=0.5"))
    assert added["country"]["factions"]["government"]["community"]["nobody"] == 0.5
    removed = yaml.safe_load(ask("--cfg", "job", "mission=parallel", "~mission.components.partner"))
    assert list(removed["mission"]["components"]) == ["un"]
    assert yaml.safe_load(ask("--cfg", "job", "++judge.patience=3"))["judge"]["patience"] == 3


def test_additions_and_removals_in_a_sweep_are_columns(jobs_of):
    one, two = jobs_of(
        "mission=parallel", "+country.factions.government.community.nobody=0.1,0.2", "~mission.components.partner"
    )
    assert (
        one["country.factions.government.community.nobody"],
        two["country.factions.government.community.nobody"],
    ) == (0.1, 0.2)
    assert one["mission.components.partner"] == ""


def test_an_experiment_says_only_what_differs(ask):
    job = yaml.safe_load(ask("--cfg", "job", "experiment=car", "mission=sequential"))
    assert (job["weeks"], job["country"]["name"]) == (313, "Central African Republic")
    assert job["mission"]["components"].keys() == {"regional", "un"}


def test_questions(ask):
    assert yaml.safe_load(ask("--cfg", "job", "mission=hybrid", "--package", "judge"))["patience"] > 0
    assert "hydra" in yaml.safe_load(ask("--cfg", "hydra"))
    assert "mission" in ask("--info", "defaults")
    assert "Config search path" in ask("--info", "searchpath")
    assert "Installed Hydra Plugins" in ask("--info", "plugins")


def test_help_explains_every_group(ask):
    said = ask("--help")
    groups = {p.name for p in CONF.iterdir() if p.is_dir() and p.name != "hydra"}
    for group in groups:
        assert re.search(rf"^{group} {{2,}}\w+", said, re.MULTILINE), group
        assert re.search(rf"^{group}: \w+", said, re.MULTILINE), group
    for word in (
        "hydra/launcher=joblib, submitit_slurm, dask",
        "glob(",
        "range(",
        "choice(",
        "+new",
        "~old",
        "run.seeds",
    ):
        assert word in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(ask, shell):
    assert "complete" in ask("-sc", f"install={shell}")


def test_completion_knows_groups_options_and_settings(ask, monkeypatch):
    def complete(line):
        monkeypatch.setenv("COMP_LINE", f"peacekeeping {line}")  # Hydra's completion does not know `python -m`
        monkeypatch.setenv("COMP_POINT", str(len(f"peacekeeping {line}")))
        return ask("-sc", "query=bash").split()

    assert "mission=separated" in complete("mission=sep")
    assert "judge.conflation=" in complete("judge.confl")


def test_bash_completes_the_command(tmp_path):
    """As a shell does it: with the function that -sc install=bash prints."""
    home = Path(sys.executable).parent
    if not (home / "peacekeeping").exists() or not shutil.which("bash"):
        pytest.skip("the command is not installed in this environment, or there is no bash")
    if " " in str(home):
        pytest.skip("the function of Hydra 1.3 does not find a command in a folder with a space")
    code = 'eval "$(peacekeeping -sc install=bash)"; COMP_LINE="peacekeeping mission=sep"; COMP_POINT=${#COMP_LINE}; '
    code += 'COMP_CWORD=1; export COMP_LINE COMP_POINT; hydra_bash_completion; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": f"{home}{os.pathsep}{os.environ['PATH']}"})  # fmt: skip
    assert "mission=separated" in done.stdout.split(), done.stderr


def test_an_optimising_sweeper_gets_numbers(ask, monkeypatch):
    """Any sweeper of Hydra that looks at what a job returns can be used; here a plain loop stands for it."""
    from hydra.core.plugins import Plugins
    from hydra.plugins.sweeper import Sweeper

    seen = []

    class Loop(Sweeper):
        def setup(self, *, hydra_context, task_function, config):
            self.launcher = Plugins.instance().instantiate_launcher(
                hydra_context=hydra_context, task_function=task_function, config=config
            )

        def sweep(self, arguments):
            for number, budget in enumerate((3e9, 4e9)):
                (found,) = self.launcher.launch([[*arguments, f"mission.budget={budget}"]], initial_job_idx=number)
                seen.append(found.return_value)

    monkeypatch.setattr(Plugins, "instantiate_sweeper", lambda self, **given: (s := Loop(), s.setup(**given))[0])
    words = ["run.objective=[cost,deaths]", "run.seeds=2", "run.workers=1", "mission=un_only", "mission.authorised=0"]
    ask("-m", "civilians=50", "weeks=60", *words)
    assert [len(values) for values in seen] == [2, 2]
    assert 0 < seen[0][0] < seen[1][0]
