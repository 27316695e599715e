"""Users' own countries, missions, mandates, experiments and calibrations, in a folder outside the project."""

import shutil
import sys

import pytest
import yaml
from conftest import own_configuration

from experiments import __main__ as experiments
from experiments.classroom import scene as scenes
from experiments.drawing import style
from experiments.engine import tables, workers
from sim import PeaceModel, load, paths
from sim import __main__ as command
from sim.calibrated import Calibration
from sim.results import fingerprint

pytestmark = pytest.mark.xdist_group("own configuration")
TINY = ["country=island", "mission=patrols", "weeks=9", "civilians=50"]


@pytest.fixture
def own(tmp_path):
    """A folder with a space and a comma in its path."""
    return own_configuration(tmp_path / "my own, first")


@pytest.fixture(autouse=True)
def nothing_known(tmp_path, monkeypatch):
    """Start each test in an empty folder and without configuration of one's own; forget it afterwards."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv(paths.VARIABLE, "")
    scenes.about.cache_clear()
    yield
    workers.close()  # their folder is gone


def run(module, *words, monkeypatch):
    """Run a command in this process; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["python -m", *words])
    try:
        module.main()
    except SystemExit as left:
        return left.code
    return 0


WAYS = {
    "option": lambda own: ["--config-dir", str(own)],
    "option with a sign": lambda own: [f"--config-dir={own}"],
    "searchpath": lambda own: [f"hydra.searchpath=['file://{own}']"],
    "variable": lambda own: [],
}


@pytest.fixture(params=WAYS)
def way(request, tmp_path, monkeypatch):
    """Words of a command line by which it finds the folder; none if the environment names it."""
    own = own_configuration(tmp_path / "my own")
    if request.param == "variable":
        monkeypatch.setenv("PEACEKEEPING_CONF", str(own))
    return WAYS[request.param](own)


def test_a_run_finds_it(way, tmp_path, monkeypatch):
    assert run(command, *way, *TINY, "calibration=moorish", "run.name=x", monkeypatch=monkeypatch) == 0
    stored = yaml.safe_load((tmp_path / "here" / "results" / "x" / "config.yaml").read_text())
    assert stored["country"]["name"] == "Island"
    assert stored["mission"]["components"]["patrol"]["mandate"]["summary"] == "To look and to tell."
    assert stored["prey"]["rate"] == 7.5
    assert not any("config-dir" in path.read_text() for path in tmp_path.glob("here/results/x/overrides.txt"))


def test_a_sweep_finds_it_in_all_its_processes(way, tmp_path, monkeypatch):
    words = [
        "-m",
        *(w for w in TINY if not w.startswith("mission=")),
        "mission=none,patrols",
        "run.seeds=2",
        "run.workers=2",
        "run.name=x",
    ]
    assert run(command, *way, *words, monkeypatch=monkeypatch) == 0
    assert sorted(tables.load("x").runs.mission) == ["none", "none", "patrols", "patrols"]


def test_an_experiment_finds_it(way, tmp_path, monkeypatch):
    assert run(experiments, "patrolled", *way, "--workers", "2", monkeypatch=monkeypatch) == 0
    made = {p.name for p in (tmp_path / "here/results/patrolled").iterdir()}
    assert {"runs.parquet", "observed.png", "counterfactuals.csv"} <= made
    assert run(experiments, "--status", "patrolled", *way, monkeypatch=monkeypatch) == 0


def test_lists_of_choices_show_it(way, monkeypatch, capsys):
    assert run(experiments, *way, "--list", monkeypatch=monkeypatch) == 0
    assert "Do patrols do anything on the island?" in capsys.readouterr().out
    for words, known in (
        (["country=atlantis"], ["island", "veltara"]),
        (["mission=patrol"], ["patrols", "parallel"]),
        (["mission=patrols", "mandate@mission.components.patrol.mandate=see"], ["look", "robust"]),
        (["calibration=moor"], ["moorish", "car"]),
    ):
        assert run(command, *way, *words, monkeypatch=monkeypatch) == 2
        said = capsys.readouterr().err
        assert all(name in said for name in known), said
    assert run(experiments, *way, "patrol", monkeypatch=monkeypatch) == 2
    assert "patrolled" in capsys.readouterr().err


def test_the_page_finds_it(own):
    paths.look_in(own)
    assert {"island", "veltara"} <= set(scenes.names_of("country"))
    assert scenes.allowed(("country=island", "mission=patrols")).country.name == "Island"
    said = scenes.refused("country=atlantis")
    assert said.startswith("country is 'atlantis'; choose among ")
    assert {"car", "island", "veltara"} <= set(said.split("choose among ")[1].split(", "))
    assert "Island" in [card["title"] for card in scenes.cards()]


@pytest.mark.parametrize("named", [True, False])
def test_the_page_is_told_where_it_is(own, named, monkeypatch, tmp_path):
    from experiments.classroom import __main__ as classroom

    words = ["--config-dir", str(own)] if named else []
    words += ["sheet", "country=island", "mission=patrols", "weeks=60", "civilians=50", "--seeds", "2"]
    assert run(classroom, *words, monkeypatch=monkeypatch) == (0 if named else 2)
    assert bool(list((tmp_path / "here").rglob("*.pdf"))) == named


def test_figures_call_a_mission_what_its_owner_calls_it(own):
    (own / "labels").mkdir()
    (own / "labels" / "island.yaml").write_text("names: {patrols: The coast guard}\nwords: {ig: IG}\n")
    with paths.also(own):
        assert [style.label(name) for name in ("patrols", "two_ig", "un_only")] == [
            "The coast guard",
            "Two IG",
            "UN only",
        ]
    assert style.label("patrols") == "Patrols"


def test_python_finds_it(own):
    params = load(*TINY, "calibration=moorish", config_dir=own)
    assert (params.prey.rate, params.country.name) == (7.5, "Island")
    assert PeaceModel(params).run().land.row.size == 3  # the folder is not needed any more
    with pytest.raises(ValueError, match=r"^mission is 'patrols'; choose among"):
        load(*TINY)


def test_a_folder_beside_the_present_one_may_be_named_without_its_path(tmp_path):
    own_configuration(tmp_path / "here" / "mine")
    params = load(*TINY, config_dir="mine")
    assert PeaceModel(params).land.row.size == 3


def test_several_folders_may_be_named(own, tmp_path, monkeypatch):
    second = tmp_path / "second"
    (second / "mission").mkdir(parents=True)
    shutil.move(own / "mission" / "patrols.yaml", second / "mission")
    monkeypatch.setenv("PEACEKEEPING_CONF", f"{own}:{second}".replace(":", paths.os.pathsep))
    assert load(*TINY).mission.components.keys() == {"patrol"}


def test_own_configuration_may_use_the_tables_of_the_project(own):
    (own / "country" / "upstairs.yaml").write_text("defaults: [car, _self_]\nname: Upstairs\n")
    params = load("country=upstairs", config_dir=own)
    assert params.country.cells == load("country=car").country.cells == "car_cells.csv"
    assert PeaceModel(params).land.row.size == 984


@pytest.mark.parametrize("table", ["island_cells.csv", "island_observed.csv"])
def test_a_changed_table_is_another_configuration_and_a_moved_one_is_not(own, tmp_path, table):
    before = fingerprint(load(*TINY, config_dir=own))
    moved = shutil.copytree(own, tmp_path / "moved")
    assert fingerprint(load(*TINY, config_dir=moved)) == before
    path = moved / "country" / table
    path.write_text(path.read_text().replace("3", "4", 1))
    assert fingerprint(load(*TINY, config_dir=moved)) != before


def test_a_changed_calibration_is_another_configuration(own):
    def made_by():
        with paths.also(own):
            params, drawn = load(*TINY), Calibration("moorish")
            return fingerprint(params, calibration=drawn)

    before, path = made_by(), own / "calibrated" / "moorish.csv"
    path.write_text(path.read_text().replace("7.5", "7.6"))
    assert made_by() != before


def test_what_is_missing_is_said_in_one_sentence(own, monkeypatch, capsys):
    assert run(command, "--config-dir", "nowhere", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.strip().endswith("nowhere was given as a folder of configuration; "
                                                    "there is no such folder")  # fmt: skip
    monkeypatch.setenv(paths.VARIABLE, "")
    (own / "country" / "island_cells.csv").unlink()
    assert run(command, "--config-dir", str(own), *TINY, monkeypatch=monkeypatch) == 2
    assert "country.cells is 'island_cells.csv'; no such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mission/parallel.yaml", "country/car_cells.csv", "config.yaml"])
def test_a_file_with_the_name_of_one_of_the_projects_is_refused(own, name):
    """Hydra would read the project's, and nobody would notice."""
    (own / name).write_text("summary: mine\n")
    with pytest.raises(ValueError, match=f"{name} in .* has the name of a file of the project; give it another"):
        load(*TINY, config_dir=own)


def test_the_projects_own_folder_may_be_named():
    assert load("mission=none", config_dir=paths.CONF) == load("mission=none")


def _refused(own, name, text, monkeypatch, capsys):
    """Return what the command says of a mission that is written so."""
    (own / "mission").mkdir(exist_ok=True)
    (own / "mission" / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert run(command, "--config-dir", str(own), f"mission={name}", "weeks=4", monkeypatch=monkeypatch) == 2
    return capsys.readouterr().err


def test_a_typing_error_in_a_file_is_told_with_its_place_and_what_was_meant(own, monkeypatch, capsys):
    said = _refused(own, "slip", "components: {un: {arive: {week: 3}}}\n", monkeypatch, capsys)
    assert "in the file mission/slip.yaml, mission.components.un.arive is not a setting" in said
    assert "did you mean mission.components.un.arrive?" in said
    assert said.count("\n") == 1


def test_a_file_that_is_no_yaml_is_refused_in_a_sentence(own, monkeypatch, capsys):
    said = _refused(own, "torn", "summary: x\n  bad: [\n", monkeypatch, capsys)
    assert said.startswith("error: ")
    assert "torn.yaml" in said
    assert said.count("\n") == 1
