"""Launchers of Hydra, each against the real thing: joblib, a Dask cluster of two workers, a SLURM of two nodes.

All of them must end in the table that a sweep in this process makes.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from conftest import own_configuration

from experiments.engine import runs, sweep
from experiments.engine.tables import load
from sim.results import code_version

ROOT = Path(__file__).resolve().parent.parent
SWEEP = ["-m", "mission=none,un_only,parallel", "weeks=12", "civilians=60", "run.seeds=2"]
SLURM = ["slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "sbatch", "sacct"]
AS_SLURM = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=main", "hydra.launcher.mem_gb=null",
            "hydra.launcher.timeout_min=30"]  # fmt: skip


def sim(*words, cwd, module="sim", **more):
    call = [sys.executable, "-m", module, *words]
    return subprocess.run(call, cwd=cwd, capture_output=True, text=True, timeout=900, check=False, **more)


def table(folder):
    return [f.read_bytes() for f in (folder / "runs.parquet", *sorted((folder / "monthly").iterdir()))]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The sweep by the default launcher."""
    folder = tmp_path_factory.mktemp("plain")
    found = sim(*SWEEP, "run.name=x", cwd=folder)
    assert found.returncode == 0, found.stderr
    assert len(load(folder / "results" / "x").runs) == 6
    return table(folder / "results" / "x")


def script(name, *words):
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/sbin{os.pathsep}{os.environ['PATH']}"
    call = ["bash", str(ROOT / "tests" / f"{name}.sh"), *map(str, words)]
    done = subprocess.run(
        call, capture_output=True, text=True, timeout=120, env={**os.environ, "PATH": path}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory):
    """The address of a scheduler with two workers on the loopback interface, and where they live."""
    pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[dask]'")
    folder = tmp_path_factory.mktemp("dask")
    yield script("dask", "up", folder, 2).splitlines()[-1], folder
    script("dask", "down", folder)


@pytest.fixture(scope="module")
def slurm():
    """The environment of a SLURM of two nodes, and where it lives."""
    pytest.importorskip("submitit", reason="submitit is not installed: pip install -e '.[slurm]'")
    search = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    missing = [name for name in SLURM if not shutil.which(name, path=search)]
    if missing:
        pytest.skip(f"SLURM is not installed (no {', '.join(missing)}): tests/slurm.sh install, as root")
    if os.geteuid() != 0:
        pytest.skip("SLURM's daemons must be started by root")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 16817))
        except OSError:
            pytest.skip("port 16817 is taken: another SLURM of these tests is running")
    folder = Path(tempfile.mkdtemp(prefix="slurm"))  # a short path: sockets are in it, and other users go through it
    try:
        script("slurm", "up", folder, 2)
        yield {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}, folder
    finally:
        script("slurm", "down", folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.xdist_group("launchers")
def test_joblib(tmp_path, plain):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    found = sim(*SWEEP, "run.name=x", "hydra/launcher=joblib", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert table(tmp_path / "results" / "x") == plain


@pytest.mark.xdist_group("launchers")
def test_dask_on_two_workers(tmp_path, plain, dask_cluster):
    address, _ = dask_cluster
    words = ["hydra/launcher=dask", f"hydra.launcher.scheduler={address}"]
    found = sim(*SWEEP, "run.name=x", *words, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert table(tmp_path / "results" / "x") == plain


@pytest.mark.xdist_group("launchers")
@pytest.mark.parametrize("words", [
    ["dose", "weeks=12", "civilians=60", "experiment.seeds=2", "experiment.figures=[]"],
    ["validation", "civilians=60", "experiment.seeds=1", "experiment.analysis={rows:[A2],more_seeds:1,most_seeds:{}}"],
], ids=lambda words: words[0])  # fmt: skip
def test_an_experiment_on_dask_is_the_same_as_here(words, tmp_path, dask_cluster, monkeypatch):
    from experiments import __main__ as command

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    command.main([*words, "--workers", "1"])
    address, _ = dask_cluster
    there = sim(
        *words, "hydra/launcher=dask", f"hydra.launcher.scheduler={address}", cwd=tmp_path, module="experiments"
    )
    assert there.returncode == 0, there.stderr
    assert table(tmp_path / "results" / words[0]) == table(tmp_path / "here" / "results" / words[0])
    told = sim("--status", words[0], cwd=tmp_path, module="experiments").stdout
    assert "0 running, 0 failed, 0 missing" in told


@pytest.mark.xdist_group("launchers")
def test_workers_of_dask_that_were_there_before_find_the_users_own_configuration(tmp_path, dask_cluster):
    own, (address, _) = own_configuration(tmp_path / "own"), dask_cluster
    words = ["--config-dir", str(own), "hydra/launcher=dask", f"hydra.launcher.scheduler={address}"]
    found = sim("patrolled", *words, "calibration=moorish", cwd=tmp_path, module="experiments")
    assert found.returncode == 0, found.stderr
    assert len(load(tmp_path / "results" / "patrolled").runs) == 4


@pytest.mark.xdist_group("launchers")
def test_slurm_of_two_nodes_with_accounting(tmp_path, plain, slurm):
    environment, _ = slurm
    found = sim(*SWEEP, "run.name=x", *AS_SLURM, cwd=tmp_path, env=environment)
    assert found.returncode == 0, found.stderr
    assert table(tmp_path / "results" / "x") == plain
    accounts = subprocess.run(["sacct", "-n", "-X", "-o", "state"], env=environment, capture_output=True, text=True)
    assert accounts.stdout.split() == ["COMPLETED"] * 3


@pytest.mark.parametrize(("launcher", "said"), [("dask", "hydra/launcher=dask needs Dask: pip install")])
def test_an_engine_that_is_not_installed_is_said_plainly(launcher, said, tmp_path, monkeypatch, capsys):
    from sim import __main__ as command

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(sys, "argv", ["python -m sim", *SWEEP, f"hydra/launcher={launcher}"])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    assert said in capsys.readouterr().err


# ------------------------------------------------------------------------------ a node dies (-m slow)

LONG = ["-m", "mission=none,un_only,parallel,separated", "civilians=4000", "run.seeds=6", "run.workers=1", "run.name=x"]


def until_some_are_done(folder, n, process):
    """Wait until some runs are done."""
    start = time.time()
    while len(list(folder.glob(f"results/x/runs/*-{code_version()}"))) < n:
        assert process.poll() is None, process.communicate()
        assert time.time() - start < 300
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.xdist_group("launchers")
def test_a_dask_worker_that_dies_half_way_changes_nothing(tmp_path, dask_cluster):
    address, cluster = dask_cluster
    words = ["hydra/launcher=dask", f"hydra.launcher.scheduler={address}"]
    started = subprocess.Popen([sys.executable, "-m", "sim", *LONG, *words], cwd=tmp_path)
    until_some_are_done(tmp_path, 8, started)
    script("dask", "kill", cluster, 1)
    assert started.wait(timeout=900) == 0
    (tmp_path / "here").mkdir()
    assert sim(*LONG, cwd=tmp_path / "here").returncode == 0
    assert table(tmp_path / "results" / "x") == table(tmp_path / "here" / "results" / "x")


@pytest.mark.slow
@pytest.mark.xdist_group("launchers")
def test_a_slurm_node_that_dies_half_way_changes_nothing(tmp_path, slurm):
    environment, folder = slurm
    started = subprocess.Popen([sys.executable, "-m", "sim", *LONG, *AS_SLURM], cwd=tmp_path, env=environment)
    until_some_are_done(tmp_path, 8, started)
    script("slurm", "kill", folder, 2)
    assert started.wait(timeout=900) == 0  # its jobs wait two minutes, then go to the other node
    (tmp_path / "here").mkdir()
    assert sim(*LONG, cwd=tmp_path / "here").returncode == 0
    assert table(tmp_path / "results" / "x") == table(tmp_path / "here" / "results" / "x")
    jobs, _, _ = sweep.planned(tmp_path / "results" / "x")
    assert len(jobs) == 24
    assert all(runs.read(job) for job in jobs)
