"""Sweeps: nothing is lost, nothing is done twice, failures are kept apart, and the table does not know."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread, Timer

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from experiments import __main__ as command
from experiments.engine import claims, runs, scenarios, stored, sweep, workers
from experiments.engine import tables as results
from sim import __main__ as sim_command
from sim import config, outcomes
from sim.config import Composer, composed, load
from sim.model import Model
from sim.results import code_version

pytestmark = pytest.mark.xdist_group("sweeps")  # they share processes that take seconds to start
ROOT = Path(__file__).resolve().parent.parent
TINY = ["weeks=12", "civilians=60"]


@cache
def params(*overrides):
    return load(*TINY, *overrides)


def jobs_in(folder, seeds=4, arms=("none", "un_only")):
    """Return the jobs of a small sweep."""
    found = {arm: params(f"mission={arm}") for arm in arms}
    return runs.plan(found, range(1, seeds + 1), Path(folder) / "runs", (), {a: [f"mission={a}"] for a in arms})


def table(folder):
    """Return the tables of a folder as bytes."""
    return [f.read_bytes() for f in (Path(folder) / "runs.parquet", *sorted((Path(folder) / "monthly").iterdir()))]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The tables of the small sweep, done in one go in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    jobs = jobs_in(folder)
    runs.run(jobs, 1, "undisturbed")
    results.write(folder, jobs)
    return folder


# ------------------------------------------------------------------------------ nothing is lost


def test_killed_workers_and_a_killed_parent_leave_the_table_as_it_would_have_been(tmp_path, undisturbed):
    """The parent is killed, wherever it is; its processes go on a little; the same command ends the work."""
    code = (
        "import sys; sys.path.insert(0, 'TESTS'); from test_sweeps import *\n"
        "jobs = jobs_in('.'); print('ready', flush=True); runs.run(jobs, 2, 'killed'); results.write('.', jobs)"
    ).replace("TESTS", str(Path(__file__).parent))
    for attempt in range(12):
        started = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert started.stdout.readline() == "ready\n"
        before = len(list(tmp_path.glob("runs/*-*")))
        while attempt < 1 and len(list(tmp_path.glob("runs/*-*"))) < min(before + 2, 7) and started.poll() is None:
            time.sleep(0.01)
        if attempt < 1:
            started.kill()
        started.communicate(timeout=120)
        if started.returncode == 0:
            break
    assert attempt >= 1
    assert table(tmp_path) == table(undisturbed)
    assert not list(tmp_path.glob(".*"))


def _grow(job):
    """A run, and then the memory of the process that did it, in MB."""
    runs.attempt(job)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_process_that_does_many_runs_does_not_grow(tmp_path):
    jobs = runs.plan({"none": params("civilians=2000")}, range(1, 141), tmp_path / "runs")
    used = [memory for _, memory in workers.each(jobs, 2, _grow)]
    assert np.median(used[-40:]) - np.median(used[20:60]) < 4  # MB; 7 if none were given back


def _die_once(job):
    """A run during which the system kills the process, the first time."""
    mark = job.store / f"{job.key}.died"
    if job.seed == 2 and not mark.exists():
        job.store.mkdir(parents=True, exist_ok=True)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return job.seed


def _die(job):
    if job.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return job.seed


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_worker_that_is_killed_takes_nothing_with_it(tmp_path):
    jobs = jobs_in(tmp_path, seeds=3, arms=("none",))
    answers = {job.seed: answer for job, answer in workers.each(jobs, 2, _die_once)}
    assert answers == {1: 1, 2: 2, 3: 3}
    answers = {job.seed: answer for job, answer in workers.each(jobs, 2, _die)}
    assert isinstance(answers.pop(2), workers.Died)
    assert answers == {1: 1, 3: 3}


def _die_silently(job):
    _die(job)


def test_a_run_that_kills_its_process_is_recorded_as_failed(tmp_path, monkeypatch):
    jobs = jobs_in(tmp_path, seeds=3, arms=("none",))
    monkeypatch.setattr(runs, "attempt", _die_silently)
    with pytest.raises(runs.Failures, match="first: arm none, seed 2: Died: its process was killed by signal 9"):
        runs.run(jobs, 2, "deadly")
    assert "memory" in jobs[1].failed["error"]


def spoilt(content):
    """Yield a file's bytes spoilt in every way: cut, flipped, zeroed and noisy at many places, and empty."""
    noise, n = np.random.default_rng(1), len(content)
    for at in range(0, n, max(1, n // 150)):
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :]
        yield content[:at] + bytes(min(40, n - at)) + content[at + 40 :]
        yield content[:at] + noise.bytes(min(40, n - at)) + content[at + 40 :]
    yield content + b"\0"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a run that has maps, a failure and a plan."""
    folder = tmp_path_factory.mktemp("store")
    arms = {"none": params()}
    job, failed = runs.plan(arms, [1, 2], folder / "runs", ("2012-01", "2012-03"))
    runs.run([job], 1, "maps")
    runs._record(failed, ValueError("bad"), "")
    scenario = {"label": "none", "settings": {}, "overrides": [], "first_seed": 1, "seeds": 2, "dates": list(job.dates),
                "fingerprint": job.scenario}  # fmt: skip
    sweep.write_plan(folder, "mine", [scenario])
    return folder, job, failed


@pytest.mark.parametrize("name", ["run.npz", "maps.parquet", "failure", "plan"])
def test_a_damaged_file_is_as_if_it_were_not_there(store, name, tmp_path):
    """Nothing of it is parsed, so nothing can stumble over it or take a wrong number for a right one."""
    folder, job, failed = store
    file = {"failure": failed.failure, "plan": folder / "plan" / "mine.json"}.get(name, job.folder / name)
    whole = file.read_bytes()
    shutil.copytree(job.folder, tmp_path / "run")
    assert [j.key for j in sweep.planned(folder)[0]] == [job.key, failed.key]
    with pytest.raises(ValueError, match="is of a plan that was read: it can be looked at, and not be done"):
        sweep.planned(folder)[0][0].resolved()
    tried = 0
    for content in spoilt(whole):
        if content == whole:  # zeros where there were zeros
            continue
        file.write_bytes(content)
        stored.check([job, failed])
        assert job.done == (name not in ("run.npz", "maps.parquet"))
        assert bool(failed.failed) == failed.failure.exists() == (name != "failure")
        assert sweep.planned(folder)[0] == [] if name == "plan" else len(sweep.planned(folder)[0]) == 2
        shutil.copytree(tmp_path / "run", job.folder, dirs_exist_ok=True)
        file.write_bytes(whole)
        tried += 1
    assert tried > 550
    assert job.done
    assert failed.failed["error"] == "bad"
    assert len(stored.mean_maps([job])) > 0


def test_a_run_that_is_damaged_while_tables_are_written_is_done_again(tmp_path, undisturbed):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    jobs = jobs_in(tmp_path)
    (jobs[0].folder / "run.npz").write_bytes(b"PK")
    shutil.copy(jobs[3].folder / "run.npz", jobs[1].folder)  # whole, but another's
    shutil.rmtree(jobs[2].folder)
    jobs[2].folder.write_text("a file in its place")
    for job in jobs[:2]:
        with pytest.raises(stored.Torn, match="was damaged"):
            stored.read(job)
        assert not job.done
    runs.run(jobs, 1, "again")
    results.write(tmp_path, jobs)
    assert table(tmp_path) == table(undisturbed)


def test_what_killed_processes_left_half_written_goes_and_what_is_being_written_stays(tmp_path, undisturbed):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    jobs = jobs_in(tmp_path)
    left = [tmp_path / "runs" / f".{jobs[0].key}.99.draft", tmp_path / "runs" / f".{jobs[0].key}-0a1b2c.99.draft",
            tmp_path / "runs" / f".99.{jobs[1].key}.failed.json", tmp_path / ".99.runs.parquet",
            tmp_path / ".monthly.99.draft"]  # fmt: skip
    live = tmp_path / "runs" / f".{jobs[2].key}.99.draft"
    for path in (*left, live):
        path.mkdir()
    code = "import sys; sys.path.insert(0, 'TESTS'); from test_sweeps import *\nhold(sys.argv[1])"
    call = [sys.executable, "-c", code.replace("TESTS", str(Path(__file__).parent)), jobs[2].key]
    held = subprocess.Popen(call, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert held.stdout.readline() == "held\n"
        results.write(tmp_path, jobs)
    finally:
        held.kill()
        held.communicate()
    assert [path for path in left if path.exists()] == []
    assert live.exists()
    assert table(tmp_path) == table(undisturbed)


def test_an_experiment_does_torn_runs_again_by_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    experiment = small_experiment()
    experiment.run(1)
    first = table(experiment.folder)
    (experiment.jobs[0].folder / "run.npz").write_bytes(b"")
    small_experiment().run(1)
    assert "was damaged" in capsys.readouterr().err
    assert table(experiment.folder) == first


# ------------------------------------------------------------------------------ nothing is done twice


def test_a_file_system_without_locks_only_does_some_runs_twice(tmp_path, undisturbed, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(claims.fcntl, "lockf", none)
    jobs = jobs_in(tmp_path)
    live = jobs[0].store / f".{jobs[0].key}.99.draft"  # perhaps somebody is writing it
    live.mkdir(parents=True)
    runs.run(jobs, 1, "without locks")
    results.write(tmp_path, jobs)
    assert live.exists()
    assert not runs.is_running(jobs[0])
    assert table(tmp_path) == table(undisturbed)


def test_who_waits_for_a_stopped_process_says_so(tmp_path, undisturbed, monkeypatch, capfd):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    jobs = jobs_in(tmp_path)
    shutil.rmtree(jobs[0].folder)
    monkeypatch.setattr(runs, "PATIENCE", 0.2)
    code = (
        "import sys; sys.path.insert(0, 'TESTS'); from test_sweeps import *\n"
        "with claims.alone(Path('runs')):\n  hold(sys.argv[1])"
    ).replace("TESTS", str(Path(__file__).parent))
    held = subprocess.Popen([sys.executable, "-c", code, jobs[0].key], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert held.stdout.readline() == "held\n"
        held.send_signal(signal.SIGSTOP)
        tables = Thread(target=results.write, args=(tmp_path, jobs))
        tables.start()
        Timer(1.5, held.kill).start()
        runs.run(jobs, 1, "waiting")
        tables.join()
        said = capfd.readouterr().err
        assert "waiting for 1 runs that another process is at; if it was stopped, have it go on" in said
        assert "waiting for another process that writes the tables of" in said
    finally:
        held.kill()
        held.communicate()
    results.write(tmp_path, jobs)
    assert table(tmp_path) == table(undisturbed)


def test_two_processes_share_a_sweep_and_do_no_run_twice(tmp_path, undisturbed):
    code = (
        "import sys; sys.path.insert(0, 'TESTS'); from test_sweeps import *\n"
        "done = []; simulate = runs.simulate\n"
        "def counted(job): done.append(job.key); time.sleep(0.05); simulate(job)\n"
        "runs.simulate = counted; jobs = jobs_in('.'); runs.run(jobs, 1, 'two'); results.write('.', jobs); print(*done)"
    ).replace("TESTS", str(Path(__file__).parent))
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    done = [p.communicate(timeout=120)[0].split() for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert sorted(done[0] + done[1]) == sorted(job.key for job in jobs_in(tmp_path))
    assert table(tmp_path) == table(undisturbed)


def test_what_is_keyed_is_configuration_seed_and_source(tmp_path, monkeypatch):
    keys = {job.key for job in jobs_in(tmp_path)}
    assert len(keys) == 8
    other = runs.plan({"none": params("judge.patience=14")}, [1], tmp_path)
    assert not keys & {job.key for job in other}
    monkeypatch.setattr(runs.results, "code_version", lambda: "another")
    assert not keys & {job.key for job in jobs_in(tmp_path)}


def test_the_name_of_a_run_says_what_is_kept_of_it_and_not_where_seeds_begin(tmp_path):
    (one,), (other,) = (runs.plan({"none": p}, [5], tmp_path) for p in (params(), params("seed=3")))
    assert one.key == other.key
    assert one.resolved().seed == 5
    assert runs.kept_as() == ""
    kept = [runs.kept_as(("2012-06",)), runs.kept_as(monthly=False), runs.kept_as(keep=len),
            runs.kept_as(("2012-06",), monthly=False)]  # fmt: skip
    assert len({"", *kept}) == 5
    (few,) = runs.plan({"none": params()}, [5], tmp_path, monthly=False)
    assert few.key == f"{one.key}-{kept[1]}"
    assert few.code == one.code == code_version()
    assert few.scenario == one.scenario


def test_a_run_that_is_whole_has_not_failed_and_is_not_taken_out(tmp_path, undisturbed):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    jobs = jobs_in(tmp_path)
    runs._record(jobs[0], ValueError("bad"), "")  # by a process that had not seen it
    runs.complain(jobs)
    stored._take_out(jobs[0])  # another process has done it again meanwhile
    assert jobs[0].done


def test_maps_are_means_over_the_seeds_of_an_arm(tmp_path, monkeypatch):
    jobs = [replace(job, dates=("2012-06",)) for job in jobs_in(tmp_path, 3)]
    for job in jobs[:-1]:
        job.folder.mkdir(parents=True)
    cells = pd.DataFrame({name: [0, 1] for name in outcomes.CELL_COLUMNS})
    monkeypatch.setattr(
        stored, "read_maps", lambda job: cells.assign(x=[1.0, job.seed], arm_of=[job.arm == "none"] * 2)
    )
    found = stored.mean_maps(jobs)
    assert found.arm.tolist() == ["none", "none", "un_only", "un_only"]
    assert found.x.tolist() == [1, 2, 1, 1.5]  # of seeds 1, 2 and 3; the last of un_only is not there
    assert found.arm_of.tolist() == [1, 1, 0, 0]


def test_a_changed_table_of_cells_does_not_find_old_runs(tmp_path):
    cells = tmp_path / "cells.csv"
    cells.write_bytes((ROOT / "conf" / "country" / "car_cells.csv").read_bytes())
    p = replace(params("country=car"), country=replace(params("country=car").country, cells=str(cells)))
    before = runs.plan({"car": p}, [1], tmp_path)
    cells.write_bytes(cells.read_bytes() + b"\n")
    assert runs.plan({"car": p}, [1], tmp_path)[0].key != before[0].key


def test_a_source_that_changes_during_a_sweep_stops_it(tmp_path, monkeypatch):
    """A process that starts late would import the new source, and store its results under the old name."""
    jobs = [
        replace(job, key=job.key.replace(code_version(), "0123456789ab")) for job in jobs_in(tmp_path, 1, ("none",))
    ]
    with pytest.raises(runs.Failures, match="source changed while the sweep was running"):
        runs.run(jobs, 1, "changed")


# ------------------------------------------------------------------------------ failures


def broken(jobs, seed):
    """Return jobs of which those of one seed cannot be run."""
    bad = replace(jobs[0].params, live=replace(jobs[0].params.live, mortality=float("nan")))
    return [replace(job, params=bad) if job.seed == seed else job for job in jobs]


def test_a_failure_is_recorded_with_its_overrides_and_only_failures_are_retried(tmp_path, monkeypatch):
    jobs = broken(jobs_in(tmp_path), 2)
    for _ in range(2):  # the second time nothing is tried again, and it is said again
        with pytest.raises(
            runs.Failures, match=r"2 of 8 runs failed.*arm none, seed 2: ValueError: live.mortality is nan"
        ):
            runs.run(jobs, 1, "failing")
        assert sum(job.done for job in jobs) == 6
    results.write(tmp_path, jobs)
    found = results.load(tmp_path)
    assert len(found.runs) == 6
    assert found.failures[["arm", "seed", "overrides", "kind"]].to_numpy().tolist() == [
        ["none", 2, "mission=none", "ValueError"], ["un_only", 2, "mission=un_only", "ValueError"]
    ]  # fmt: skip
    shutil.rmtree(jobs[0].folder)
    tried = []
    simulate = runs.simulate
    monkeypatch.setattr(runs, "simulate", lambda job: (tried.append(job.key), simulate(job)))
    mended = jobs_in(tmp_path)
    runs.run(mended, 1, "retried", retry_failed=True)
    assert tried == [job.key for job in mended if job.seed == 2]
    assert not mended[0].done  # it was not among those that failed


def test_a_full_disk_is_said_plainly_and_is_no_failure_of_a_run(tmp_path, monkeypatch):
    jobs = jobs_in(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(runs.results, "packed", full)
    full = r"cannot be written: .*No space left on device; finished runs are kept"
    with pytest.raises(stored.Unwritable, match=full):
        runs.run(jobs, 1, "full")
    assert not [f for f in (tmp_path / "runs").iterdir() if f.name != claims.LOCKS]


def full_after_a_while(job):
    """Fail at once at the first job; be half-way through the second for as long as it takes."""
    if job.seed > 1:
        (job.store / f".{job.key}.{os.getpid()}.draft").mkdir(parents=True)
        time.sleep(60)
    while not list(job.store.glob(".*.draft")):
        time.sleep(0.01)
    return {"errno": errno.ENOSPC, "error": os.strerror(errno.ENOSPC)}


def test_processes_that_are_stopped_half_way_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "attempt", full_after_a_while)
    try:
        with pytest.raises(stored.Unwritable, match="No space left on device"):
            runs.run(jobs_in(tmp_path, seeds=2, arms=("none",)), 2, "full")
    finally:
        workers.close()
    assert not list((tmp_path / "runs").glob(".*.draft"))


def test_tables_that_cannot_be_written_are_said_plainly(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sweep.tables, "write", full)
    with pytest.raises(SystemExit) as left:
        multirun(monkeypatch, tmp_path, "mission=none", "run.name=mine")
    assert left.value.code == 1
    assert "tables of results/mine cannot be written: [Errno 28] No space left" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_really_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        jobs = jobs_in(disk, seeds=30)
        with pytest.raises(stored.Unwritable, match="No space left on device"):
            runs.run(jobs, 2, "full")
        assert any(job.done for job in jobs)
        assert not list(disk.glob("runs/*.draft"))
        for job in jobs:
            if job.done:
                assert stored.read(job)["outcomes"]
    finally:
        workers.close()
        os.close(claims._opened(disk / "runs"))
        claims._opened.cache_clear()
        subprocess.run(["umount", disk], check=True)


# ------------------------------------------------------------------------------ experiments and how far they are


def small_experiment(name="delay", *overrides):
    axes = "experiment.design.axes={mission.components.un.arrive.week:[0,4],troops:{4000:[],16000:[]}}"
    wanted = [*TINY, "experiment.seeds=2", "experiment.figures=[]", *([axes] if name == "delay" else []), *overrides]
    return command.Experiment(name, wanted)


@pytest.fixture(autouse=True, scope="module")
def _compose_once():
    """Compose files once for all tests: it takes a third of a second."""
    one = Composer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenarios, "Composer", lambda: one)
        yield


def test_status_says_from_outside_what_is_done_running_failed_and_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    experiment = small_experiment("dose", "experiment.seeds=1")
    experiment.write_plan()
    jobs = experiment.jobs
    for job in jobs[:2]:
        runs.simulate(job)
    runs._record(jobs[2], ValueError("bad"), "")
    code = "import sys; sys.path.insert(0, 'TESTS'); from test_sweeps import *\nhold(sys.argv[1])"
    call = [sys.executable, "-c", code.replace("TESTS", str(Path(__file__).parent)), jobs[3].key]
    held = subprocess.Popen(call, cwd=experiment.folder, stdout=subprocess.PIPE, text=True)
    try:
        assert held.stdout.readline() == "held\n"
        command.main(["dose", "--status"])
        said = capsys.readouterr().out
        assert "2 of 6 runs done, 1 running, 1 failed, 2 missing" in said
        assert "seed=1: ValueError: bad" in said
        counts, _ = sweep.status(experiment.folder)
        assert counts["seconds_left"] > 0
    finally:
        held.kill()
        held.communicate()
    assert sweep.status(experiment.folder)[0]["running"] == 0


def hold(key):
    """Hold the claim of a job until killed."""
    with claims.claim(Path("runs").resolve(), key) as mine:
        print("held" if mine else "not held", flush=True)
        time.sleep(60)


def test_what_has_not_started_counts_in_runs_for_the_time_that_is_left(tmp_path, monkeypatch):
    """Of three jobs of four runs one has begun: two runs done in ten seconds, one running, one missing."""
    sweep.write_note(tmp_path / sweep.ASKED, {"overrides": ["mission=none,un_only,parallel"]})
    label = "mission=none"
    scenario = {"label": label, "settings": {}, "overrides": [label], "first_seed": 3, "seeds": 4, "dates": []}
    sweep.write_plan(tmp_path, sweep._plan_of(label, 3), [scenario | {"fingerprint": "0" * 12}])
    jobs, _, _ = sweep.planned(tmp_path)
    assert [job.seed for job in jobs] == [3, 4, 5, 6]
    for job in jobs[:2]:
        job.folder.mkdir(parents=True)
        os.utime(job.folder, (time.time() - 10,) * 2)
    monkeypatch.setattr(runs, "is_running", lambda job: job.seed == 5)
    counts, said = sweep.status(tmp_path)
    assert {k: counts[k] for k in ("done", "running", "missing", "waiting")} == {
        "done": 2, "running": 1, "missing": 1, "waiting": 2
    }  # fmt: skip
    assert counts["seconds_left"] == pytest.approx((2 + 2 * 4) / (2 / 10), rel=0.2)
    assert "2 more jobs have not started" in said


def test_plans_are_read_in_their_order_and_two_scenarios_may_be_the_same(tmp_path):
    about = {"settings": {}, "overrides": [], "first_seed": 1, "seeds": 1, "fingerprint": "0" * 12, "dates": []}
    sweep.write_plan(tmp_path, "a", [about | {"label": "later"}], number=1)
    sweep.write_plan(tmp_path, "b", [about | {"label": "sooner"}], number=0)
    assert [job.arm for job in sweep.planned(tmp_path)[0]] == ["sooner", "later"]


def test_what_is_simulated_is_told_apart_from_how_and_with_which_luck():
    how = ["run.seeds=3", "+run.name=x", "hydra.job.num=1", "hydra/launcher=dask", "seed=7", "++seed=7"]
    what = ["mission=none", "~mission.components.un", "+country.seeds=3", "run_of=1"]
    assert sweep.settings_of([*how, *what]) == what


def test_status_of_nothing_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        command.main(["delay", "--status"])
    assert "there is no sweep at" in capsys.readouterr().err


def test_an_experiment_with_failures_writes_the_rest_and_its_code_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["experiments"])
    words = ["dose", *TINY, "experiment.seeds=1", "experiment.figures=[]"]
    simulate = runs.simulate

    def failing(job):
        if job.arm == "troops_2000":
            raise MemoryError("no memory left")
        simulate(job)

    monkeypatch.setattr(runs, "simulate", failing)
    with pytest.raises(SystemExit) as left:
        command.main([*words, "--workers", "1"])
    assert left.value.code == 1
    assert "1 of 6 runs failed" in capsys.readouterr().err
    assert len(results.load("dose").runs) == 5
    monkeypatch.setattr(runs, "simulate", simulate)
    command.main([*words, "--workers", "1", "--retry-failed"])
    found = results.load("dose")
    assert len(found.runs) == 6
    assert found.failures.empty


# ------------------------------------------------------------------------------ a multirun of Hydra


def multirun(monkeypatch, tmp_path, *words):
    monkeypatch.chdir(tmp_path)
    alone = [] if "run.folders=true" in words else ["run.workers=1"]
    monkeypatch.setattr(sys, "argv", ["python -m sim", "-m", *TINY, *alone, *words])
    sim_command.main()


def test_a_multirun_is_one_table_and_the_same_command_goes_on_with_it(tmp_path, monkeypatch, capsys):
    words = ["mission=none,un_only", "judge.conflation=0,0.5", "run.seeds=2"]
    multirun(monkeypatch, tmp_path, *words)
    (folder,) = (tmp_path / "results").iterdir()
    found = results.load(folder)
    assert found.settings == ["weeks", "civilians", "mission", "judge.conflation"]
    assert found.runs[["mission", "judge.conflation", "seed"]].to_numpy().tolist() == [
        [m, c, s] for m in ("none", "un_only") for c in (0, 0.5) for s in (1, 2)
    ]
    assert found.units["judge.conflation"] == "share"
    differences = found.differences("deaths", {"mission": "none"})  # pairs share conflation and seed
    deaths = found.runs.set_index(["mission", "judge.conflation", "seed"]).deaths
    assert differences["judge.conflation"].tolist() == [0, 0.5]
    assert differences.n.tolist() == [2, 2]
    assert differences.difference[1] == pytest.approx((deaths["un_only", 0.5] - deaths["none", 0.5]).mean())
    with pytest.raises(ValueError, match="No mission 'parallel' in the table, which has: none, un_only"):
        found.differences("deaths", {"mission": "parallel"})
    with pytest.raises(ValueError, match=r"No judge.conflation 0.7 in the table .*which has: 0.0, 0.5"):
        found.differences("deaths", {"judge.conflation": 0.7})
    first = table(folder)
    monkeypatch.setattr(runs, "simulate", lambda job: pytest.fail("simulated again"))
    multirun(monkeypatch, tmp_path, *words)
    assert [f.name for f in (tmp_path / "results").iterdir()] == [folder.name]
    assert table(folder) == first


def test_a_multirun_whose_files_are_all_damaged_is_whole_after_one_more_start(tmp_path, monkeypatch, capsys):
    words = ["mission=none", "run.seeds=3", "run.name=mine"]
    multirun(monkeypatch, tmp_path, *words)
    first, folder = table("results/mine"), Path("results/mine")
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] + b"\x00(\xff" + content[len(content) // 2 + 3 :])
    assert len(files) > 8
    said = sweep.status(folder)[1]
    assert "1 plans are of an earlier version of the model, or damaged" in said
    multirun(monkeypatch, tmp_path, *words)
    assert "was damaged" in capsys.readouterr().err
    assert table("results/mine") == first


def test_a_run_that_is_damaged_after_it_was_looked_at_is_left_out_and_said(tmp_path, monkeypatch, capsys):
    multirun(monkeypatch, tmp_path, "mission=none", "run.seeds=2", "run.name=mine")
    job = sweep.planned(Path("results/mine"))[0][1]
    (job.folder / "run.npz").write_bytes(b"PK")
    assert not sweep.finish("results/mine")
    assert "was damaged" in capsys.readouterr().err
    assert results.load("mine").runs.seed.tolist() == [1]


def test_a_job_of_a_multirun_that_cannot_be_run_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as left:
        multirun(monkeypatch, tmp_path, "judge.conflation=3,0.5", "run.name=mine")
    assert left.value.code == 1
    assert "1 of 2 runs done, 1 failed" in capsys.readouterr().err
    found = results.load("mine")
    assert len(found.runs) == 1
    assert "judge.conflation is 3; it must lie in [0, 1] share" in found.failures.error[0]
    assert "judge.conflation=3" in found.failures.overrides[0]
    assert sweep.status(tmp_path / "results" / "mine")[0]["waiting"] == 0


def test_a_changed_file_of_conf_replaces_what_was_planned_before(tmp_path, monkeypatch):
    """The command is the same, what it means is not: no row of before may stay in the table."""
    words = ["mission=none,un_only", "run.seeds=2", "run.name=mine"]
    multirun(monkeypatch, tmp_path, *words)
    first = results.load("mine").runs
    to_params = sweep.to_params
    for module in (sweep, config):
        monkeypatch.setattr(
            module, "to_params", lambda composed: replace(p := to_params(composed), live=replace(p.live, mortality=0.1))
        )
    multirun(monkeypatch, tmp_path, *words)
    second = results.load("mine").runs
    assert second[["mission", "seed"]].to_numpy().tolist() == first[["mission", "seed"]].to_numpy().tolist()
    assert not set(second.scenario) & set(first.scenario)
    assert sweep.status(Path("results/mine"))[0] == {
        "done": 4, "running": 0, "failed": 0, "missing": 0, "waiting": 0, "seconds_left": None
    }  # fmt: skip


def test_another_command_adds_to_a_sweep_of_that_name(tmp_path, monkeypatch):
    multirun(monkeypatch, tmp_path, "mission=none,un_only", "run.name=mine")
    multirun(monkeypatch, tmp_path, "mission=parallel,none", "judge.patience=3", "run.name=mine")
    found = results.load("mine").runs
    assert len(found) == 4
    assert set(found.mission) == {"none", "un_only", "parallel"}
    assert found["judge.patience"].isna().sum() == 2


def test_a_multirun_takes_calibrated_parameters_and_its_rows_say_so(tmp_path, monkeypatch):
    words = ["calibration=car,null", "mission=none", "prey.rate=40", "run.seeds=2", "run.name=mine"]
    multirun(monkeypatch, tmp_path, *words)
    found = results.load("mine").runs
    assert found.calibration.tolist() == ["car", "car", "null", "null"]
    assert found.calibrated_by[:2].str.match(r"car [0-9a-f]{12}$").all()
    assert found.calibrated_by[2:].eq("").all()
    for number, job in enumerate(sweep.planned(Path("results/mine"))[0]):
        words = ["mission=none", "prey.rate=40", f"seed={job.seed}", *(["calibration=car"] if number < 2 else [])]
        one = load(*TINY, *words)
        assert stored.read(job)["outcomes"] == pytest.approx(outcomes.totals(Model(one).run()), nan_ok=True)


def test_a_launcher_is_given_each_run_once_as_it_was_planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = small_experiment("dose", "calibration=car", "live.mortality=0.1", "experiment.seeds=2")
    monkeypatch.setattr(sweep, "launch", lambda folder, launcher, do, shares: given.extend(shares))
    given, experiment.launcher = [], ["hydra/launcher=dask"]
    with pytest.raises(RuntimeError, match="12 runs are missing"):
        experiment.do()
    assert [job.key for share in given for job in share] == [job.key for job in experiment.jobs]
    assert {len({job.arm for job in share}) for share in given} == {1}
    _, settings, _ = sweep.planned(experiment.folder)  # what --status reads names the same runs
    assert list(settings) == list(experiment.scenarios)


def test_a_multirun_can_leave_folders_of_all_tables_instead(tmp_path, monkeypatch):
    multirun(monkeypatch, tmp_path, "mission=none,un_only", "run.folders=true")
    names = sorted(f.name.rsplit("_", 1)[0] for f in (tmp_path / "results").iterdir() if (f / "events.csv").exists())
    assert names == ["veltara_none_seed1", "veltara_un_only_seed1"]


def hydra_job(tmp_path, monkeypatch, objective):
    """Do what a job of Hydra does with two seeds, in a folder `x`; return what it hands to a sweeper."""
    from types import SimpleNamespace

    job = {"sweep": {"dir": "x"}, "overrides": {"task": ["mission=un_only"]}, "job": {"num": 3}}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sweep, "HydraConfig", SimpleNamespace(get=lambda: OmegaConf.create(job)))
    return sweep.scenario_job(
        composed([*TINY, "run.seeds=2", "run.workers=1", f"run.objective=[{','.join(objective)}]", "mission=un_only"])
    )


def test_a_job_of_which_a_run_failed_hands_nothing_to_a_sweeper(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "simulate", lambda job: 1 / 0)
    assert hydra_job(tmp_path, monkeypatch, ["deaths"]) is None


@pytest.mark.parametrize("objective", [["deaths"], ["deaths", "cost"]])
def test_a_job_hands_means_over_its_seeds_to_a_sweeper(tmp_path, monkeypatch, objective):
    means = hydra_job(tmp_path, monkeypatch, objective)
    left = stored.totals(sweep.planned("x")[0])[objective].mean().tolist()
    assert (means if len(objective) > 1 else [means]) == pytest.approx(left)


# ------------------------------------------------------------------------------ the tables


def test_tables_of_the_first_schema_still_open():
    found = results.load(Path(__file__).parent / "schema_1")
    assert found.schema == 1
    assert len(found.runs) == 18
    assert len(found.monthly(columns=["troops"], arm="un_only")) == 2 * 3
    assert found.units["civilians_killed"] == "person"
    assert set(found.differences("deaths", "none").arm) == set(found.runs.arm) - {"none"}
    assert found.summary("deaths").n.eq(2).all()


def test_tables_of_a_later_schema_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"arm": ["a"]}).replace_schema_metadata({"schema": "99"}), tmp_path / "runs.parquet")
    with pytest.raises(ValueError, match="has tables of schema 99; this version reads up to 2"):
        results.load(tmp_path)


def test_a_name_that_is_no_sweep_is_refused_with_those_that_are(tmp_path, monkeypatch, undisturbed):
    shutil.copytree(undisturbed, tmp_path / "results" / "mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"there is no sweep 'yours'.*there are: mine"):
        results.load("yours")
    assert len(results.load("mine").runs) == 8


def test_every_row_says_what_made_it_and_nothing_says_where(undisturbed):
    import pyarrow.parquet as pq

    found = results.load(undisturbed)
    made = ["scenario", "code", "commit", "uncommitted_changes", "python", "mesa", "numpy", "numba", "hydra-core"]
    assert set(made) <= set(found.runs.columns)
    assert found.runs[made].notna().all().all()
    assert (found.runs.code == code_version()).all()
    text = pq.read_table(undisturbed / "runs.parquet").to_pandas().to_csv() + str(
        pq.read_schema(undisturbed / "runs.parquet")
    )
    assert os.uname().nodename not in text
    assert str(ROOT) not in text


def test_columns_carry_units_and_meanings(undisturbed):
    found = results.load(undisturbed)
    without = [c for c in found.outcomes if not found.meanings.get(c)]
    assert without == []
    assert found.units["unmet_need"] == "person-week"
    assert results._setting("mission.components.*.force.ability") == results._setting(
        "mission.components.un.force.ability"
    )
    assert results._setting("mission.components.un.arrive.week")[0] == "week"
    field = found.months.schema.field("access")
    assert field.metadata[b"unit"] == b"share"


def test_the_monthly_table_is_that_of_the_runs(undisturbed):
    jobs = jobs_in(undisturbed)
    one, left = stored.totals(jobs), [(job, stored.read(job)) for job in jobs]
    panels = [pd.DataFrame(f["monthly"], columns=f["columns"]).assign(month=f["months"], arm=job.arm, seed=job.seed)
              for job, f in left]  # fmt: skip
    months = pd.concat(panels, ignore_index=True)
    found = results.load(undisturbed)
    pd.testing.assert_frame_equal(found.runs[one.columns].astype(one.dtypes), one)
    pd.testing.assert_frame_equal(found.monthly()[months.columns].astype(months.dtypes), months)
    few = found.monthly(columns=["troops"], arm="un_only", seed=[1, 2])
    assert list(few.columns) == ["arm", "seed", "month", "troops"]
    wanted = months[(months.arm == "un_only") & months.seed.isin([1, 2])]
    assert (
        few[["seed", "month", "troops"]].to_numpy().tolist() == wanted[["seed", "month", "troops"]].to_numpy().tolist()
    )


def test_tables_have_every_run_however_many_are_in_a_part_and_nothing_where_there_is_no_number(
    tmp_path, undisturbed, monkeypatch
):
    import pyarrow.compute
    import pyarrow.parquet as pq

    shutil.copytree(undisturbed / "runs", tmp_path / "runs")
    monkeypatch.setattr(results, "PART", 3)
    results.write(tmp_path, jobs_in(tmp_path))
    assert (tmp_path / "runs.parquet").read_bytes() == (undisturbed / "runs.parquet").read_bytes()
    assert len(list((tmp_path / "monthly").iterdir())) == 3
    pd.testing.assert_frame_equal(results.load(tmp_path).monthly(), results.load(undisturbed).monthly())
    for table in (pq.read_table(tmp_path / "runs.parquet"), results.load(tmp_path).months.to_table()):
        numbers = [column for column in table.columns if column.type == "double"]
        assert sum(column.null_count for column in numbers) > 0
        assert not any(pyarrow.compute.any(pyarrow.compute.is_nan(column)).as_py() for column in numbers)


def test_a_column_of_settings_has_the_type_that_holds_them_all():
    kinds = {"bool": [True, False, None], "int64": [1, 2, None], "double": [1, 0.5, None]}
    kinds["string"] = [["none", 1], [True, 1], [1, True], [0.5, False], [None]]
    assert {str(results._kind(values)) for values in kinds.pop("string")} == {"string"}
    assert {name: str(results._kind(values)) for name, values in kinds.items()} == {name: name for name in kinds}


def test_polars_and_duckdb_read_the_same_as_pandas(undisturbed):
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    wanted = results.load(undisturbed).monthly(columns=["civilians_killed"]).groupby("arm").civilians_killed.sum()
    parts = str(undisturbed / "monthly" / "*.parquet")
    lazily = polars.scan_parquet(parts).group_by("arm").agg(polars.col("civilians_killed").sum()).collect()
    assert dict(lazily.iter_rows()) == pytest.approx(wanted.to_dict())
    asked = duckdb.sql(f"select arm, sum(civilians_killed) from read_parquet('{parts}') group by arm").fetchall()
    assert dict(asked) == pytest.approx(wanted.to_dict())


def test_summaries_and_differences_by_hand(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [("none", None, 1, 10.0), ("none", None, 2, 20.0), ("a", 1, 1, 8.0), ("a", 1, 2, 16.0), ("a", 2, 1, 11.0)]
    frame = pd.DataFrame(rows, columns=["arm", "x", "seed", "deaths"])
    made = pa.Table.from_pandas(frame).replace_schema_metadata({"schema": "2", "settings": '["x"]'})
    pq.write_table(made, tmp_path / "runs.parquet")
    found = results.load(tmp_path)
    summary = found.summary("deaths")
    assert summary[["arm", "n", "mean"]].to_numpy().tolist() == [["none", 2, 15], ["a", 2, 12], ["a", 1, 11]]
    assert summary.low[1] == pytest.approx(12 - 12.706 * 4)
    differences = found.differences("deaths", "none")
    assert differences[["arm", "x", "n", "difference", "worse_share"]].to_numpy().tolist() == [
        ["a", 1, 2, -3, 0], ["a", 2, 1, 1, 1]
    ]  # fmt: skip
    with pytest.raises(ValueError, match="No outcome 'deths'"):
        found.summary("deths")


def test_pairs_are_made_once_and_more_of_a_good_is_no_worse(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [("n1", "none", 1, 0.5), ("n2", "none", 1, 0.5), ("u1", "un", 1, 0.7), ("u2", "un", 1, 0.4)]
    frame = pd.DataFrame(rows, columns=["arm", "mission", "seed", "access"])  # the baseline is there under two names
    made = pa.Table.from_pandas(frame).replace_schema_metadata({"schema": "2", "settings": '["mission"]'})
    pq.write_table(made, tmp_path / "runs.parquet")
    differences = results.load(tmp_path).differences("access", {"mission": "none"})
    assert differences.n.tolist() == [1, 1]
    assert differences.difference.tolist() == pytest.approx([0.2, -0.1])
    assert differences.worse_share.tolist() == [0, 1]
