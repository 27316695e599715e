"""Launchers of Hydra, each against the real thing: joblib, a Dask cluster of two workers, a SLURM of two nodes.

All of them must end in the table that a sweep in this process makes, also if a worker or a node dies half-way.
"""

import contextlib
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
from omegaconf import OmegaConf

from experiments.engine import claims, runs, sweep
from experiments.engine.tables import load
from sim import load as params
from sim.results import MARK
from sim.results import SWEEP as SORT

ROOT = Path(__file__).resolve().parent.parent
MISSIONS, LENGTH = ("none", "un_only", "parallel"), ["weeks=12", "civilians=60"]
SWEEP = ["-m", f"mission={','.join(MISSIONS)}", *LENGTH, "run.seeds=2", "run.workers=1", "run.name=x"]
SLURM = ["slurmctld", "slurmd", "munged", "sbatch", "squeue"]
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
    found = sim(*SWEEP, cwd=folder)
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
    found = sim(*SWEEP, "hydra/launcher=joblib", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert table(tmp_path / "results" / "x") == plain


@pytest.mark.xdist_group("launchers")
@pytest.mark.parametrize("words", [
    ["dose", "weeks=12", "civilians=60", "experiment.seeds=2", "experiment.figures=[]"],
    ["validation", "civilians=60", "experiment.seeds=1", "experiment.analysis={rows:[A2],more_seeds:1}"],
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


# ------------------------------------------------------------------------------ a node dies


@contextlib.contextmanager
def half_way(folder, *words, jobs, **more):
    """Start the sweep and let each job do the first of its two runs, for there is a claim to the second; yield it.

    `jobs` is how many the launcher does at a time. When this ends, the claims are given up.
    """
    of = {mission: params(f"mission={mission}", *LENGTH) for mission in MISSIONS}
    with contextlib.ExitStack() as held:
        for job in runs.plan(of, [2], folder / "results" / "x" / "runs"):
            assert held.enter_context(claims.claim(job.store, job.key))
        (folder / "results" / "x" / (MARK + SORT)).touch()  # the store is in it already
        started = subprocess.Popen([sys.executable, "-m", "sim", *SWEEP, *words], cwd=folder, **more)
        try:
            start = time.time()
            while len(list(folder.glob("results/x/runs/*-1-*"))) < jobs:
                assert started.poll() is None
                assert time.time() - start < 120
                time.sleep(0.1)
            yield started
        except BaseException:
            started.kill()
            raise


@pytest.mark.xdist_group("launchers")
def test_a_slurm_node_that_dies_half_way_changes_nothing(tmp_path, plain, slurm):
    """SLURM puts the jobs of the node back in its queue: they wait, and have not ended."""
    from submitit.slurm.slurm import SlurmJob

    from experiments.engine import slurm_queue

    environment, folder = slurm
    with half_way(tmp_path, *AS_SLURM, jobs=len(MISSIONS), env=environment) as started:
        script("slurm", "kill", folder, 2)
        ask = ["squeue", "--noheader", "--array", "--states=PENDING", "--format=%i"]
        waiting = subprocess.run(ask, env=environment, capture_output=True, text=True, check=True).stdout.split()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", environment["SLURM_CONF"])
            watcher = slurm_queue.Queue()
            assert waiting
            assert not any(watcher.is_done(job, "force") for job in waiting)
            assert watcher.is_done("999", "force")
            sweep._ready(OmegaConf.create({"_target_": "hydra_plugins.hydra_submitit_launcher.SlurmLauncher"}))
            assert isinstance(SlurmJob.watcher, slurm_queue.Queue)
        script("slurm", "hurry", folder)
    assert started.wait(timeout=120) == 0
    assert table(tmp_path / "results" / "x") == plain


@pytest.mark.xdist_group("launchers")
def test_a_dask_worker_that_dies_half_way_changes_nothing(tmp_path, plain, dask_cluster):
    address, cluster = dask_cluster
    words = ["hydra/launcher=dask", f"hydra.launcher.scheduler={address}"]
    with half_way(tmp_path, *words, jobs=2) as started:
        script("dask", "kill", cluster, 1)
    assert started.wait(timeout=120) == 0
    assert table(tmp_path / "results" / "x") == plain
