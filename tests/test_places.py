"""Nothing is deleted or written over that is not ours: only results of the same sort, and only where results go."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import __main__ as experiments_command
from sim import __main__ as sim_command
from sim import results
from sim.results import EXPERIMENT, MARK, RUN, SWEEP, checked_name, claim, refuse_what_is_not_ours

pytestmark = pytest.mark.xdist_group("sweeps")
ROOT = Path(__file__).resolve().parent.parent
TINY = ["weeks=6", "civilians=50"]
OF_EXPERIMENT = [*TINY, "experiment.seeds=1", "experiment.figures=[]", "run.workers=1"]
NAMES = ["../mine", "a/b", "/elsewhere/mine", ".", "..", ".hidden", "a\nb", "a\\b", "-x", "x" * 101]


def run(*words):
    sys.argv[1:] = [*words, *TINY]
    sim_command.main()


def sweep(*words):
    run("-m", "mission=none", "run.seeds=1", "run.workers=1", *words)


def seeds(*words):
    run("run.seeds=1", "run.workers=1", *words)


def experiment(*words, name="dose"):
    experiments_command.main([name, *OF_EXPERIMENT, *words])


def another_experiment(*words):
    experiment(*words, name="delay")


STARTS = {f.__name__: f for f in (run, sweep, seeds, experiment, another_experiment)}
SORTS = {"run": RUN, "sweep": SWEEP, "seeds": SWEEP, "experiment": f"{EXPERIMENT}-dose",
         "another_experiment": f"{EXPERIMENT}-delay"}  # fmt: skip


def everything(folder):
    """Return all that lies in a folder, with a digest of each file."""
    return {
        path.relative_to(folder).as_posix(): (
            path.is_symlink(),
            path.is_file() and hashlib.md5(path.read_bytes()).digest(),
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty place to work in, below one that nobody may write to."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "argv", ["python -m sim"])
    return tmp_path / "here"


def refused(start, *words, capsys, top):
    """Say what a command answers that must be refused, and leave everything as it was."""
    before = everything(top)
    with pytest.raises(SystemExit) as left:
        start(*words)
    said = capsys.readouterr().err.splitlines()[-1]  # before it, Hydra may say what it was doing
    assert left.value.code == 2
    assert said.startswith("error: ")
    assert everything(top) == before
    return said


def test_a_name_is_a_name():
    for name in NAMES:
        with pytest.raises(ValueError, match="it must be a name of at most 100 letters"):
            checked_name(name)
    for name in ("mine", "m=1,n=2.5", "été 2026", "3", "a" * 100):
        assert checked_name(name) == name
    assert checked_name(None) == ""


@pytest.mark.parametrize("start", ["run", "sweep", "seeds", "experiment"])
def test_a_name_that_is_none_writes_nothing(start, here, capsys):
    for name in ("../mine", "."):
        said = refused(STARTS[start], f"run.name={name}", capsys=capsys, top=here.parent)
        assert f"run.name is '{name}'; it must be a name of at most 100 letters" in said


@pytest.mark.parametrize("start", STARTS)
def test_what_is_there_and_of_another_sort_stays(start, here, capsys):
    place, sort = here / "results" / "mine", SORTS[start]

    def tried():
        return refused(STARTS[start], "run.name=mine", capsys=capsys, top=here)

    for other in {*SORTS.values()} - {sort}:
        claim(place, other)
        (place / "monthly.parquet").write_text("of that sort")
        ours = f"{'an' if sort.startswith('exp') else 'a'} {sort.replace('-', ' ')}"
        assert f"results/mine holds {other.replace('-', ' ')}, and {ours} would take its place" in tried()
        for path in place.iterdir():
            path.unlink()
    (place / "provenance.json").write_text("{}")  # somebody's, by that name
    assert "holds what are no results of ours" in tried()
    (place / "provenance.json").unlink()
    place.rmdir()
    place.write_text("a file")
    assert "is there already and is no folder; give another run.name" in tried()
    place.unlink()
    place.symlink_to(here / "nowhere")
    assert "is there already and is no folder" in tried()


def test_a_run_takes_the_place_of_a_run_and_of_nothing_else(here, capsys):
    run("run.name=mine")
    first = everything(here)
    run("run.name=mine", "seed=2")
    assert everything(here).keys() == first.keys()
    assert everything(here) != first
    capsys.readouterr()
    notes = here / "results" / "mine" / "notes.txt"
    notes.write_text("what I saw")
    assert "holds notes.txt, which would be lost" in refused(run, "run.name=mine", capsys=capsys, top=here)
    notes.unlink()
    (here / "results" / "mine").rename(here / "elsewhere")
    (here / "results" / "mine").symlink_to(here / "elsewhere")
    assert "is no folder" in refused(run, "run.name=mine", capsys=capsys, top=here)


def test_a_saved_state_takes_the_place_of_a_saved_state_and_of_nothing_else(here, capsys):
    words, state = ["run.name=mine", "run.save_at=3"], here / "results" / "mine_week3.npz"
    run(*words)
    run(*words, "seed=2")
    capsys.readouterr()
    for content in (b"my own arrays", (here / "results" / "mine" / "outcomes.json").read_bytes()):
        state.write_bytes(content)
        said = refused(run, *words, capsys=capsys, top=here)
        assert "results/mine_week3.npz, which is no saved state" in said


def test_what_the_repository_carries_is_marked():
    """Or the command of the README would refuse to write there."""
    listed = subprocess.run(["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=False)
    folders = {Path(line).parent for line in listed.stdout.splitlines()} - {Path("results")}
    for folder in folders:
        refuse_what_is_not_ours(ROOT / folder, f"{EXPERIMENT}-{folder.name}")
        assert any(f"{folder}/{MARK}" in line for line in listed.stdout.splitlines())


def test_asking_what_made_a_result_takes_no_lock_in_the_repository(monkeypatch):
    """A sweep that is killed at that moment would leave it, and git would refuse to work."""
    asked = []
    monkeypatch.setattr(
        results.subprocess, "run", lambda call, **how: asked.append(call) or subprocess.CompletedProcess(call, 0, "")
    )
    monkeypatch.setattr(results, "ROOT", ROOT)
    results.provenance()
    assert all(call[:2] == ["git", "--no-optional-locks"] for call in asked)
    assert bool(asked) == (ROOT / ".git").exists()
