"""An installed copy: a wheel has all it needs, and runs where it cannot be written."""

import os
import shutil
import subprocess
import sys
import zipfile

import numba
import pytest
import yaml
from conftest import CONF

from sim import paths

ROOT = CONF.parent
PARTS = ("pyproject.toml", "README.md", "LICENSE", "sim", "conf", "experiments")
pytestmark = pytest.mark.xdist_group("installed")  # they share a wheel, and what is compiled
TINY = ["weeks=9", "civilians=50"]


def pip(*words, cwd):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *words], cwd=cwd, check=True, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel of a copy of the source: building leaves files beside it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(built), ".", cwd=source)
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install it where nothing can be written, not even by root, whom the mode of a folder does not stop."""
    site = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", str(site), str(wheel), cwd=site)
    for package in {path.parent for path in site.rglob("*.py")}:
        (package / "__pycache__").touch()
        package.chmod(0o555)
    yield site
    for package in {path.parent for path in site.rglob("*.py")}:
        package.chmod(0o755)


@pytest.fixture(scope="module")
def run(installed, tmp_path_factory):
    """Return a function that runs a command in an empty folder, with a home that cannot be written."""
    temporary = tmp_path_factory.mktemp("temporary")

    def call(*command, home=os.devnull, compiled=False):
        folder = tmp_path_factory.mktemp("empty")
        kept = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
        where = {"PYTHONPATH": str(installed), "HOME": str(home), "USERPROFILE": str(home), "TMPDIR": str(temporary),
                 "TEMP": str(temporary), "NUMBA_DISABLE_JIT": str(int(not compiled))}  # fmt: skip
        done = subprocess.run([*map(str, command)], cwd=folder, env=kept | where, capture_output=True, text=True,
                              timeout=600, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done, folder

    call.temporary = temporary
    return call


def test_a_wheel_has_every_source_and_every_configuration(wheel):
    def files(folder, *kinds):
        return {p.relative_to(ROOT).as_posix() for kind in kinds for p in (ROOT / folder).rglob(kind)}

    wanted = files("sim", "*.py", "py.typed") | files("experiments", "*.py", "py.typed")
    wanted |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "experiments").glob("*/static/*")}
    wanted |= {f"sim/{name}" for name in files("conf", "*.yaml", "*.csv")}
    there = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert there == wanted


def test_what_a_wheel_says_of_itself_is_complete(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    said = archive.read(name).decode()
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for line in (
        f"Version: {cited['version']}", f"License-Expression: {cited['license']}", "Requires-Python: >=3.11",
        f"Author: {cited['authors'][0]['name']}", f"Keywords: {','.join(cited['keywords'])}",
        "Classifier: Typing :: Typed",
    ):  # fmt: skip
        assert f"\n{line}\n" in said


def command_of(installed):
    return installed / ("Scripts" if os.name == "nt" else "bin") / "peacekeeping"


def test_the_command_runs(run, installed):
    _, folder = run(command_of(installed), "mission=un_only", "run.name=one", *TINY)
    assert (folder / "results" / "one" / "monthly.csv").is_file()


def test_what_is_compiled_is_kept_beside_what_cannot_be_written(run):
    """One rule of them all: the others are compiled in the same way, and that takes minutes."""
    code = "from sim.draws import chance; chance(0.1); print(sum(chance.stats.cache_hits.values()))"
    found = [run(sys.executable, "-c", code, compiled=True)[0].stdout.strip() for _ in range(2)]
    assert found == ["0", "1"]
    assert list(run.temporary.glob("peacekeeping-*/rules-*/*/*.nbi"))


@pytest.mark.slow
def test_the_command_compiles_once(run, installed):
    for first in (True, False):
        done, folder = run(command_of(installed), "mission=un_only", "run.name=one", *TINY, compiled=True)
        assert ("compiling" in done.stderr) == first
        assert (folder / "results" / "one" / "monthly.csv").is_file()


def test_modules_and_imports_work(run, installed):
    _, folder = run(sys.executable, "-m", "sim", "country=car", "mission=car_history", "calibration=car", "run.name=a",
                    *TINY)  # fmt: skip
    assert (folder / "results" / "a" / "monthly.csv").is_file()
    _, folder = run(sys.executable, "-m", "experiments", "dose", "experiment.seeds=1", "weeks=26", "civilians=50")
    assert list(folder.glob("results/dose/*.png"))
    code = "import sim; from sim import PeaceModel, load; print(sim.__file__, load('mission=hybrid').mission.summary)"
    done, folder = run(sys.executable, "-c", code)
    assert done.stdout.startswith(str(installed))
    assert not list(folder.iterdir())


def test_the_cache_is_in_the_home_where_that_can_be_written(run, tmp_path):
    run(sys.executable, "-c", "import sim", home=tmp_path)
    assert (tmp_path / ".cache" / "peacekeeping").is_dir()


SHARED = [path.name for path in paths.PACKAGE.glob("*.py") if "\n@kernel" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", [*SHARED, "kernel.py", "compiled.py", "state.py", "params.py"])
def test_a_change_of_what_rules_share_has_all_compiled_again(name, tmp_path, monkeypatch):
    """Numba looks at the file of a rule alone: it would go on with what others were when it compiled them."""
    for path in paths.PACKAGE.glob("*.py"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(paths, "PACKAGE", tmp_path)
    before = paths.state_of_rules()
    (tmp_path / name).write_text((tmp_path / name).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert paths.state_of_rules() != before


def test_compiled_rules_of_the_last_few_states_of_the_source_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    for age in range(9):
        folder = tmp_path / f"rules-{age:016x}"
        (folder / "processes").mkdir(parents=True)
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "rules-of-thumb").mkdir()  # of somebody else
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    paths.choose_compile_cache()
    kept = {f"rules-{age:016x}" for age in range(paths.STATES_KEPT)}
    assert {folder.name for folder in tmp_path.iterdir()} == kept | {"rules-of-thumb"}
