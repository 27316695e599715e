"""Calibration: what histories are summarised by, what runs draw, and that nothing from December 2013 on is used."""

import os
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import CONF, loaded, scenario

from experiments import __main__ as command
from experiments.evaluation import calibration, targets
from sim import PeaceModel, load
from sim.calibrated import Calibration, with_values
from sim.params import out_of_range, rows

DATA = os.environ.get("CAR_DATA")
ABOUT = yaml.safe_load((CONF / "calibrated" / "car.yaml").read_text(encoding="utf-8"))
GED_COLUMNS = [
    "date_start",
    "date_end",
    "type_of_violence",
    "side_a",
    "side_b",
    "longitude",
    "latitude",
    "where_prec",
    "best",
    "deaths_civilians",
]


def history(*rows):
    """Return events: (week, faction, battle, x, y, dead)."""
    frame = pd.DataFrame(rows, columns=["week", "faction", "battle", "x", "y", "dead"])
    return frame.assign(state=frame.battle & (frame.faction == "government"), civilians=frame.dead)


def ged(folder, *events):
    """Write events as UCDP publishes them: (start, end, type, side a, side b, best)."""
    rows = [(a, b, kind, x, y, 18.5, 4.4, 1, best, best) for a, b, kind, x, y, best in events]
    pd.DataFrame(rows, columns=GED_COLUMNS).to_csv(folder / targets.GED, index=False)
    return folder


# ------------------------------------------------------------------------------ the summary


def test_a_history_by_hand():
    events = history(
        (0, "government", True, 0, 0, 4), (0, "seleka", False, 1, 1, 12), (50, "seleka", False, 210, 0, 3),
        (99, "anti_balaka", False, 210, 0, 3),
    )  # fmt: skip
    found = {k: targets.spoken(k, v) for k, v in targets.summary(events, 100, {"displaced_2012": 0.1}).items()}
    assert (found["events_before"], found["events_march"], found["events_autumn"]) == pytest.approx((2, 1, 1))
    assert (found["killed"], found["battle_dead"]) == pytest.approx((18, 4))
    assert (found["attack_size"], found["battle_size"]) == pytest.approx((3, 4))
    assert found["quiet_weeks"] == pytest.approx(0.97)
    assert found["active_places"] == pytest.approx(2)
    assert (found["one_sided"], found["state_based"]) == pytest.approx((0.75, 0.25))
    assert (found["by_government"], found["by_seleka"], found["by_anti_balaka"]) == pytest.approx((0, 2 / 3, 1 / 3))
    assert found["displaced_2012"] == 0.1


def test_every_target_can_be_computed_of_nothing_and_of_one_event():
    for events in (history(), history((3, "seleka", False, 0.0, 0.0, 2))):
        found = targets.summary(events, 100, {"displaced_2012": 0.0, "displaced_2013": 0.0})
        assert set(found) == set(ABOUT["targets"]) == set(targets.MEANINGS)
        assert np.isfinite(list(found.values())).all()


def test_burstiness_of_known_processes():
    rng = np.random.default_rng(0)
    assert targets.burstiness(np.arange(50.0)) == pytest.approx(-1)
    assert targets.burstiness(rng.exponential(size=20_000).cumsum()) == pytest.approx(0, abs=0.02)
    assert targets.burstiness(rng.pareto(1.2, 20_000).cumsum()) > 0.4


def test_tail_exponent_of_a_known_power_law():
    sizes = np.floor(9.5 * (1 - np.random.default_rng(0).random(50_000)) ** (-1 / 1.5) + 0.5)
    assert targets.tail_exponent(sizes, 10) == pytest.approx(2.5, abs=0.05)


def test_knox_finds_clusters_and_nothing_where_place_and_time_have_no_tie():
    rng = np.random.default_rng(0)
    n = 400
    x, y, week = rng.uniform(0, 500, n), rng.uniform(0, 500, n), rng.integers(0, 100, n)
    free = pd.DataFrame({"x": x, "y": y, "week": week})
    tied = free.assign(week=(x // 50 * 10).astype(int))
    assert targets.knox(free) == pytest.approx(1, abs=0.3)
    assert targets.knox(tied) > 2


def test_simulated_events_are_those_of_the_run():
    model = PeaceModel(scenario("country=car", weeks=100, civilians=300)).run()
    events = targets.model_events(model)
    assert (events.dead >= 1).all()
    assert len(events) == model.record.weekly[:, model.record.columns.index("events")].sum()
    assert events.civilians.sum() == model.record.weekly[:, model.record.columns.index("osv_all")].sum()
    assert set(events.faction) <= set(model.record.factions)


# ------------------------------------------------------------------------------ what was observed


def test_what_comes_after_november_2013_is_never_read(tmp_path):
    past = ("2013-10-01", "2013-10-02", 3, "anti-Balaka", "Civilians", 7)
    late = [
        ("2013-12-05", "2013-12-05", 3, "anti-Balaka", "Civilians", 400),
        ("2013-11-20", "2013-12-31", 3, "Seleka", "Civilians", 100),  # a report of two months
    ]
    short = targets.ged_events(ged(tmp_path, past), "2012-01-01", ABOUT["until"])
    whole = targets.ged_events(ged(tmp_path, past, *late), "2012-01-01", ABOUT["until"])
    pd.testing.assert_frame_equal(short, whole)
    params = load(*ABOUT["scenario"])
    assert params.weeks == 100  # 700 days: to 30 November 2013
    assert not params.mission.components


def test_what_the_seleka_did_in_government_is_the_selekas(tmp_path):
    government = "Government of Central African Republic"
    found = targets.ged_events(
        ged(
            tmp_path,
            ("2013-03-01", "2013-03-01", 3, government, "Civilians", 1),
            ("2013-04-01", "2013-04-01", 3, government, "Civilians", 1),
            ("2013-09-10", "2013-09-10", 1, government, "anti-Balaka", 1),
            ("2013-01-10", "2013-01-10", 1, government, "Seleka", 1),
            ("2013-01-10", "2013-01-10", 1, "Government of Uganda", "LRA", 1),
        ),
        "2012-01-01",
        ABOUT["until"],
    )
    assert found.faction.tolist() == ["government", "seleka", "seleka", "government"]
    assert found.state.tolist() == [False, False, False, True]


def test_without_data_it_says_so_and_does_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAR_DATA", raising=False)
    for words, said in (([], "give --data DIR, or set CAR_DATA"), (["--data", str(tmp_path)], f"no {targets.GED} in")):
        with pytest.raises(SystemExit) as left:
            calibration.main(words)
        assert left.value.code == 2
        assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------ the free parameters


def test_free_parameters_exist_and_belong_to_the_country_not_to_missions():
    ranges = {name: span for name, _, _, span, _, _ in rows()}
    for name, prior in ABOUT["priors"].items():
        low, high = ranges[name]
        assert low <= prior["low"] < prior["high"] <= high, name
        assert name.split(".")[0] in {"move", "fight", "prey", "live", "recruit"}, name


def test_the_draws_are_within_their_priors():
    table = Calibration("car").table
    assert len(table) == calibration.DRAWS
    assert set(table.columns) == {"seed", "distance", *ABOUT["priors"]}
    for name, prior in ABOUT["priors"].items():
        assert table[name].between(prior["low"] * 0.9999, prior["high"] * 1.0001).all()
    assert (table.drop_duplicates().shape[0]) > calibration.DRAWS / 4  # a cloud, not one vector


# ------------------------------------------------------------------------------ runs draw from them


def test_seed_s_takes_draw_s():
    table = Calibration("car").table
    for seed in (1, 2, len(table) + 1):
        p = load("country=car", "calibration=car", f"seed={seed}")
        draw = table.iloc[(seed - 1) % len(table)]
        assert p.seed == seed
        assert p.prey.rate == draw["prey.rate"]
        assert p.live.flight == draw["live.flight"]
        assert not out_of_range(p)


def test_a_calibration_changes_nothing_else_and_what_is_given_stays():
    plain, calibrated = loaded("country=car"), load("country=car", "calibration=car", "prey.rate=33", "judge.decay=0.5")
    assert calibrated.prey.rate == 33
    assert calibrated.judge.decay == 0.5
    back = with_values(
        calibrated, {n: getattr(getattr(plain, n.split(".")[0]), n.split(".")[1]) for n in ABOUT["priors"]}
    )
    back.judge.decay = plain.judge.decay
    assert asdict(back) == asdict(plain)
    assert Calibration.asked_for(None) is None


def test_an_unknown_calibration_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match="calibration is 'mars'; choose among car"):
        load("calibration=mars")


@pytest.fixture(scope="module")
def hindcast(tmp_path_factory):
    """The hindcast's experiment with an arm more, planned and not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("hindcast"))
        yield command.Experiment("hindcast", ["experiment.seeds=3", "+experiment.arms.none=['mission=none']"])


def test_arms_of_an_experiment_share_draws_and_seeds_do_not(hindcast):
    by = {(job.arm, job.seed): job for job in hindcast.jobs}
    none, history, other = (by[k].resolved() for k in (("none", 2), ("car_history", 2), ("none", 3)))
    assert none.prey == history.prey
    assert none.seed == history.seed
    assert none.prey != other.prey
    assert len({job.folder for job in hindcast.jobs}) == len(hindcast.jobs)


def test_the_hindcast_goes_on_from_the_history_that_was_accepted(hindcast):
    draw = Calibration("car").table.iloc[1]
    accepted = with_values(load(*ABOUT["scenario"]), {n: draw[n] for n in ABOUT["priors"]})
    accepted.seed = int(draw["seed"])
    by = {(job.arm, job.seed): job.resolved() for job in hindcast.jobs}
    alone, with_aid = (replace(by[arm, 2], weeks=100) for arm in ("none", "car_history"))
    assert asdict(alone) == asdict(accepted)
    killed = [
        m.record.weekly[:, m.record.columns.index("osv_all")]
        for m in (PeaceModel(accepted).run(), PeaceModel(with_aid).run())
    ]
    # before December 2013 only aid agencies are there: need is less, the rest much the same
    assert killed[0].sum() > 0
    assert np.corrcoef(*killed)[0, 1] > 0.9


# ------------------------------------------------------------------------------ the calibration itself


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A data set of a model run with known parameters, as UCDP would publish it."""
    folder = tmp_path_factory.mktemp("data")
    events = [
        (f"2013-0{1 + k % 8}-1{k % 9}", f"2013-0{1 + k % 8}-1{k % 9}", 3, "Seleka", "Civilians", 2 + k % 7)
        for k in range(40)
    ]
    return ged(folder, *events)


def test_distance_is_in_units_of_nearness_and_bounded(tiny):
    task = calibration.Task("car", tiny)
    assert task.distance(task.observed, task.observed) == 0
    one = dict(task.observed, killed=task.observed["killed"] + task.near["killed"])
    assert task.distance(one, task.observed) == pytest.approx(1 / np.sqrt(len(task.near)))
    far = dict.fromkeys(task.observed, 1000000000.0)
    assert task.distance(far, task.observed) == calibration.FARTHEST


def test_resampling_keeps_weights(tiny):
    task = calibration.Task("car", tiny)
    points = pd.DataFrame({calibration._key(n): [0.1, 0.2, 0.3] for n in task.priors})
    said = [dict(task.observed, seed=s) for s in (7, 8, 9)]
    draws, summaries = calibration.resampled(task, points, np.array([0.5, 0.3, 0.2]), said, [1.0, 2.0, 3.0])
    assert draws.seed.value_counts().to_dict() == {7: 100, 8: 60, 9: 40}
    assert (draws.distance == draws.seed - 6).all()
    assert len(summaries) == calibration.DRAWS


def test_it_calibrates_is_interrupted_and_goes_on(tiny, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyabc")
    conf = tmp_path / "conf"
    (conf / "calibrated").mkdir(parents=True)
    about = dict(ABOUT, scenario=["country=car", "mission=none", "weeks=100", "civilians=100"])
    (conf / "calibrated" / "car.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    monkeypatch.setattr(calibration, "CONF", conf)
    monkeypatch.chdir(tmp_path)
    words = ["--data", str(tiny), "--particles", "4", "--checks", "2", "--workers", "1", "--generations"]
    calibration.main([*words, "1"])
    calibration.main([*words, "2"])
    assert "1 generations are in" in capsys.readouterr().err
    draws = pd.read_csv(conf / "calibrated" / "car.csv", comment="#")
    assert len(draws) == calibration.DRAWS
    folder = tmp_path / "results" / "calibration"
    there = {"parameters.csv", "targets.csv", "parameters.png", "targets.png", "provenance.yaml"}
    assert there <= {f.name for f in folder.iterdir()}
    about = yaml.safe_load((folder / "provenance.yaml").read_text())
    assert about["generations"] == 2
    assert len(pd.read_csv(folder / "targets.csv")) == len(ABOUT["targets"])


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="set CAR_DATA to the folder of UCDP GED's events")
def test_the_calibrated_draws_are_nearer_than_the_default():
    task = calibration.Task("car", DATA)
    table = Calibration("car").table.iloc[:40]
    near = [
        task.distance(task.simulate({n: d[n] for n in task.priors}, s), task.observed)
        for s, d in enumerate(table.to_dict("records"), start=1)
    ]
    default = [task.distance(task.simulate(task.default(), s), task.observed) for s in range(1, 41)]
    assert np.median(near) < np.median(default)
