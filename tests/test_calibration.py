"""Calibration: what histories are summarised by, what runs draw, and that nothing from December 2013 on is used."""

import os
import re
import shutil
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import CONF, loaded, scenario
from omegaconf import OmegaConf

from experiments import __main__ as command
from experiments.history import calibration, layout, targets
from sim import PeaceModel, load
from sim.calibrated import Calibration
from sim.config import composed
from sim.params import out_of_range, rows
from sim.values import value_of, with_values

DATA = os.environ.get("CAR_DATA")
EXPERIMENT = OmegaConf.to_object(composed(["experiment=calibration"]).experiment)
SCENARIO = ["experiment=calibration", *EXPERIMENT.arms["war"]]
ABOUT = EXPERIMENT.analysis
GED, BASES, STRENGTH = ABOUT["events"]["file"], ABOUT["missions"]["bases"], ABOUT["missions"]["strength"]
DEPLOYED = ["deploy.base_size", "deploy.base_skew", "deploy.build_up"]  # drawn too, but not from the country's history
GED_COLUMNS = [
    "date_start", "date_end", "type_of_violence", "side_a", "side_b", "longitude", "latitude", "where_prec", "best",
    "deaths_civilians",
]  # fmt: skip
needs_data = pytest.mark.skipif(not DATA, reason="set CAR_DATA to the folder of UCDP GED's events")


def history(*rows):
    """Return events: (week, faction, battle, x, y, dead)."""
    frame = pd.DataFrame(rows, columns=["week", "faction", "battle", "x", "y", "dead"])
    return frame.assign(state=frame.battle & (frame.faction == "government"), civilians=frame.dead)


def ged(folder, *events):
    """Write events as UCDP publishes them: (start, end, type, side a, side b, best)."""
    rows = [(a, b, kind, x, y, 18.5, 4.4, 1, best, best) for a, b, kind, x, y, best in events]
    pd.DataFrame(rows, columns=GED_COLUMNS).to_csv(folder / GED, index=False)
    return folder


def observed(folder):
    """Read the events of a folder as the calibration does."""
    return targets.ged_events(folder, ABOUT["events"], "2012-01-01", ABOUT["until"])


def task_of(folder):
    """Return the calibration's task with the data of a folder."""
    return calibration.Task(load(*SCENARIO), {**ABOUT, "data": str(folder)})


# ------------------------------------------------------------------------------ the summary


def test_a_history_by_hand():
    events = history(
        (0, "government", True, 0, 0, 4), (0, "seleka", False, 1, 1, 12), (50, "seleka", False, 210, 0, 3),
        (99, "anti_balaka", False, 210, 0, 3),
    )  # fmt: skip
    away = {"displaced_2012": 0.1, "displaced_2013": 0.2}
    found = targets.summary(events, 100, ABOUT["targets"], away)
    found = {k: targets.spoken(k, ABOUT["targets"][k], v) for k, v in found.items()}
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
        found = targets.summary(events, 100, ABOUT["targets"], {"displaced_2012": 0.0, "displaced_2013": 0.0})
        assert set(found) == set(ABOUT["targets"])
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
    short = observed(ged(tmp_path, past))
    whole = observed(ged(tmp_path, past, *late))
    pd.testing.assert_frame_equal(short, whole)
    params = load(*SCENARIO)
    assert params.weeks == 100  # 700 days: to 30 November 2013
    assert not params.mission.components


def test_what_the_seleka_did_in_government_is_the_selekas(tmp_path):
    government = "Government of Central African Republic"
    found = observed(
        ged(
            tmp_path,
            ("2013-03-01", "2013-03-01", 3, government, "Civilians", 1),
            ("2013-04-01", "2013-04-01", 3, government, "Civilians", 1),
            ("2013-09-10", "2013-09-10", 1, government, "anti-Balaka", 1),
            ("2013-01-10", "2013-01-10", 1, government, "Seleka", 1),
            ("2013-01-10", "2013-01-10", 1, "Government of Uganda", "LRA", 1),
        )
    )
    assert found.faction.tolist() == ["government", "seleka", "seleka", "government"]
    assert found.state.tolist() == [False, False, False, True]


def test_without_data_it_says_so_and_does_nothing(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyabc")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAR_DATA", raising=False)
    given = f"experiment.analysis.data={tmp_path}"
    for words, said in (([], "no data: give experiment.analysis.data=DIR"), ([given], f"there is no {GED} in")):
        with pytest.raises(SystemExit) as left:
            command.main(["calibration", *words])
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
    assert set(table.columns) == {"seed", "distance", *ABOUT["priors"], *DEPLOYED}
    for name, prior in ABOUT["priors"].items():
        assert table[name].between(prior["low"] * 0.9999, prior["high"] * 1.0001).all()
    assert len(table[["seed"]].drop_duplicates()) > calibration.DRAWS / 4  # a cloud, not one vector


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
    back = with_values(calibrated, {n: value_of(plain, n) for n in [*ABOUT["priors"], *DEPLOYED]})
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
    accepted = with_values(load(*SCENARIO), {n: float(draw[n]) for n in [*ABOUT["priors"], *DEPLOYED]})
    accepted.seed = int(draw["seed"])
    by = {(job.arm, job.seed): job.resolved() for job in hindcast.jobs}
    alone, with_missions = (replace(by[arm, 2], weeks=100) for arm in ("none", "car_history"))
    assert asdict(alone) == asdict(accepted)
    past, same = (PeaceModel(p).run().record.weekly for p in (accepted, with_missions))
    assert past[:, 0].sum() > 0
    shared = len(alone.country.factions)  # columns before those that count by mission
    columns = PeaceModel(accepted).record.columns[: 4 + shared]
    assert columns[:2] == ["civilians_killed", "osv_all"]
    np.testing.assert_array_equal(past[:, : 4 + shared], same[:, : 4 + shared])


# ------------------------------------------------------------------------------ layouts of bases, lags


def test_skew_is_the_exponent_that_made_the_sizes():
    rank = np.arange(1, 25)
    for exponent in (0.0, 0.75, 1.4):
        assert layout.skew(1_000 * rank**-exponent) == pytest.approx(exponent, abs=0.01)
    assert layout.gini([5, 5, 5]) == pytest.approx(0)
    assert layout.gini([0, 0, 0, 8]) == pytest.approx(0.75)


@pytest.fixture
def missions(tmp_path):
    """Write two missions: one of 2008-2012 with known bases, one that begins in December 2013, after the data end."""
    sizes = 2_000 / np.arange(1, 11.0)
    bases = [("OLD", y, f"base{k}", x) for y in range(2008, 2013) for k, x in enumerate(sizes)]
    bases += [("NEW", y, f"base{k}", 100) for y in (2013, 2014) for k in range(40)]
    pd.DataFrame(bases, columns=["mission", "year", "location", "mean_troops"]).to_csv(tmp_path / BASES, index=False)
    months = pd.date_range("2008-01-31", "2014-12-31", freq="ME").strftime("%Y-%m-%d")
    reported = [("GONE", "1990-01-31", 9_000)]
    reported += [("OLD", d, min(500 * (k + 1), 4_000)) for k, d in enumerate(months)]
    reported += [("NEW", d, 12_000) for d in months if d >= "2013-12"]
    pd.DataFrame(reported, columns=["mission", "date", "total"]).to_csv(tmp_path / STRENGTH, index=False)
    return tmp_path


def test_layouts_and_lags_are_of_missions_before_december_2013(missions):
    until = ABOUT["until"]
    layouts, lags = layout.layouts(missions, BASES, STRENGTH, until), layout.lags(missions, STRENGTH, until)
    assert layouts.mission.tolist() == ["OLD"]
    assert layouts.years.tolist() == [5]
    strength = (500 * np.arange(1, 9).sum() + 4 * 4_000) / 12, 4_000  # mean of the first year, of the others
    assert layouts["deploy.base_size"][0] == pytest.approx((strength[0] + 4 * strength[1]) / 5 / 10)
    assert layouts["deploy.base_skew"][0] == pytest.approx(1, abs=0.01)
    assert lags[["mission", "months_to_peak"]].to_numpy().tolist() == [["OLD", 7]]  # 3,600 of 4,000 in the eighth
    assert layout.build_up(lags, 7 * 52 / 12 / 0.9).tolist() == pytest.approx([1])
    with pytest.raises(ValueError, match=f"there is no {BASES} in"):
        layout.layouts(missions / "elsewhere", BASES, STRENGTH, until)


def test_every_mission_is_drawn_as_often():
    table = pd.DataFrame({"mission": list("abcde"), DEPLOYED[0]: range(100, 600, 100), DEPLOYED[1]: 1.0})
    drawn = layout.drawn(table, 200)
    assert drawn[DEPLOYED[0]].value_counts().to_dict() == dict.fromkeys(range(100, 600, 100), 40)
    assert drawn[DEPLOYED[0]].iloc[:40].nunique() == 5  # the first few seeds see all kinds


@needs_data
def test_stored_layouts_and_lags_are_those_of_the_data():
    layouts = layout.layouts(DATA, BASES, STRENGTH, ABOUT["until"])
    lags = (
        layout.lags(DATA, STRENGTH, ABOUT["until"]).months_to_peak * 52 / 12 / (0.9 * 32)
    )  # 32 weeks: a UN force by default
    for column, seen in (*layouts[DEPLOYED[:2]].items(), (DEPLOYED[2], lags.drop_duplicates())):
        assert sorted(set(Calibration("car").table[column])) == pytest.approx(sorted(seen), rel=1e-5)


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
    task = task_of(tiny)
    assert task.distance(task.observed, task.observed) == 0
    one = dict(task.observed, killed=task.observed["killed"] + task.near["killed"])
    assert task.distance(one, task.observed) == pytest.approx(1 / np.sqrt(len(task.near)))
    far = dict.fromkeys(task.observed, 1000000000.0)
    assert task.distance(far, task.observed) == calibration.FARTHEST


def test_resampling_keeps_weights(tiny):
    task = task_of(tiny)
    points = pd.DataFrame({calibration._key(n): [0.1, 0.2, 0.3] for n in task.priors})
    said = [dict(task.observed, seed=s) for s in (7, 8, 9)]
    draws, summaries = calibration.resampled(task, points, np.array([0.5, 0.3, 0.2]), said, [1.0, 2.0, 3.0])
    assert draws.seed.value_counts().to_dict() == {7: 100, 8: 60, 9: 40}
    assert (draws.distance == draws.seed - 6).all()
    assert len(summaries) == calibration.DRAWS


def test_it_calibrates_is_interrupted_and_goes_on(tiny, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyabc")
    own = tmp_path / "own" / "calibrated"
    own.mkdir(parents=True)
    shutil.copy(CONF / "calibrated" / "car.yaml", own / "tiny.yaml")
    monkeypatch.setenv("PEACEKEEPING_CONF", str(own.parent))
    monkeypatch.chdir(tmp_path)
    words = ["calibration", "calibrated@experiment.analysis=tiny", "experiment.analysis.draws=tiny", "--workers", "1",
             f"experiment.analysis.data={tiny}", "experiment.analysis.particles=4", "experiment.analysis.checks=2",
             "civilians=100"]  # fmt: skip
    for generations in (1, 2):
        command.main([*words, f"experiment.analysis.generations={generations}"])
    assert "1 generations are in" in capsys.readouterr().err
    command.main(["--status", "calibration"])
    assert "4 of 4 runs done" in capsys.readouterr().out  # by default and with new luck
    draws = pd.read_csv(own / "tiny.csv", comment="#")  # beside what it was made of
    assert len(draws) == calibration.DRAWS
    folder = tmp_path / "results" / "calibration"
    there = {"parameters.csv", "targets.csv", "parameters.png", "targets.png", "provenance.yaml"}
    assert there <= {f.name for f in folder.iterdir()}
    about = yaml.safe_load((folder / "provenance.yaml").read_text())
    assert about["generations"] == 2
    assert len(pd.read_csv(folder / "targets.csv")) == len(ABOUT["targets"])


def test_a_state_is_gone_on_with_by_the_same_task_alone(tiny, tmp_path):
    task = task_of(tiny)
    key = task.key(300)
    assert task_of(tiny).key(300) == key
    assert task.key(100) != key
    task.priors = dict(task.priors, **{"prey.rate": {"low": 5, "high": 400, "log": True}})
    assert task.key(300) != key
    other = ged(tmp_path, ("2013-10-01", "2013-10-02", 3, "anti-Balaka", "Civilians", 7))
    assert task_of(other).key(300) != key


def test_an_unknown_task_is_named_with_those_that_exist(capsys):
    with pytest.raises(SystemExit):
        command.main(["calibration", "calibrated@experiment.analysis=mars"])
    assert re.search("calibrated is 'mars'; choose among .*car", capsys.readouterr().err)


def test_a_target_that_is_none_is_named_with_those_that_are():
    with pytest.raises(ValueError, match="wonders is none; give it one of events, attacks_by, displaced, or"):
        targets.check({"killed": {"near": 1}, "wonders": {"near": 1}})


class Known(calibration.Task):
    """A task whose answer is known: what is observed is one parameter and noise; the other has no bearing."""

    def __init__(self):
        self.priors = {
            "told.size": {"low": 1, "high": 100, "log": True}, "silent.size": {"low": 0, "high": 1, "log": False},
        }  # fmt: skip
        self.observed, self.near = {"seen": np.log(20)}, {"seen": 1.0}

    def simulate(self, values, seed):
        return {"seen": np.log(values["told.size"]) + np.random.default_rng(seed).normal(0, 0.2)}


def test_a_known_answer_is_found_and_nothing_is_said_of_what_has_no_bearing(tmp_path):
    pytest.importorskip("pyabc")
    task, store = Known(), str(tmp_path / "known.db")
    calibration.search((task, store, 150, 5, 5), 2)
    draws, summaries, generations = calibration.found(task, store)
    told = np.log(draws["told.size"])
    assert told.median() == pytest.approx(np.log(20), abs=0.1)
    assert told.std() == pytest.approx(0.2, abs=0.08)  # the noise: even priors have no say so far inside
    assert draws["silent.size"].mean() == pytest.approx(0.5, abs=0.12)
    assert draws["silent.size"].std() == pytest.approx(1 / np.sqrt(12), abs=0.06)
    assert abs(summaries["seen"] - np.log(20)).max() == pytest.approx(draws.distance.max(), abs=1e-3)
    assert len(generations) == 6


def test_a_damaged_state_is_done_again(tmp_path, capsys):
    pytest.importorskip("pyabc")
    task, store = Known(), tmp_path / "known.db"
    share = (task, str(store), 4, 1, 5)
    calibration.search(share, 1)
    whole = store.read_bytes()
    for spoilt in (b"", whole[: len(whole) // 2], bytes(100) + whole[100:], None):
        calibration.results.discard(store)
        store.mkdir() if spoilt is None else store.write_bytes(spoilt)
        calibration.search(share, 1)
        assert "is damaged" in capsys.readouterr().err
        assert len(calibration.found(task, store)[0]) == calibration.DRAWS
    calibration.search(share, 1)
    assert "generations are in" in capsys.readouterr().err


def test_proposals_have_the_density_they_claim():
    cloud = pytest.importorskip("experiments.history.cloud")
    rng = np.random.default_rng(4)
    points = pd.DataFrame(rng.normal([1, -1], [0.3, 0.6], (300, 2)), columns=["a", "b"])
    proposals = cloud.Cloud()
    proposals.fit(points, np.full(300, 1 / 300))
    np.random.seed(5)  # noqa: NPY002
    drawn = pd.DataFrame([dict(proposals.rvs_single()) for _ in range(6_000)])
    prior = np.exp(-(drawn**2).sum(axis=1) / 2) / (2 * np.pi)
    weight = prior / proposals.pdf(drawn)
    assert weight.mean() == pytest.approx(1, abs=0.1)  # the prior sums to one
    assert weight.max() <= 1.001 / cloud.FROM_PRIOR
    assert (weight * drawn.a).mean() == pytest.approx(0, abs=0.12)  # and its mean is 0
    assert proposals.pdf(drawn.iloc[0]) == pytest.approx(proposals.pdf(drawn)[0])


# ------------------------------------------------------------------------------ with the observed events


@needs_data
def test_stored_draws_repeat_their_histories():
    task = task_of(DATA)
    for draw in Calibration("car").table.iloc[:6].to_dict("records"):
        again = task.simulate({n: draw[n] for n in task.priors}, draw["seed"])
        assert task.distance(again, task.observed) == pytest.approx(draw["distance"], abs=6e-4)


@pytest.mark.slow
@needs_data
def test_the_calibrated_draws_are_nearer_than_the_default():
    task = task_of(DATA)
    table = Calibration("car").table.iloc[:40]
    near = [
        task.distance(task.simulate({n: d[n] for n in task.priors}, s), task.observed)
        for s, d in enumerate(table.to_dict("records"), start=1)
    ]
    default = [task.distance(task.simulate(task.default(), s), task.observed) for s in range(1, 41)]
    assert np.median(near) < np.median(default)
