"""Designs: the points are what the YAML says, the same every time, and what looks at results is right about them."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import CONF
from test_sweeps import TINY, small_experiment

from experiments import __main__ as command
from experiments.comparison import surfaces
from experiments.engine import designs, runs, scenarios
from experiments.engine import tables as results
from sim.config import Adaptive, Composer, Design, load

pytestmark = pytest.mark.xdist_group("designs")
RANGES = {"judge.conflation": [0.0, 1.0], "weeks": [10, 100]}


@pytest.fixture(autouse=True, scope="module")
def _compose_once():
    one = Composer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenarios, "Composer", lambda: one)
        yield


def test_a_grid_is_all_combinations_in_order():
    found = designs.points(Design(axes={"a": [0, 1], "size": {"small": ["x=1", "y=2"], 9: ["x=3"]}}))
    assert [p.settings for p in found] == [{"a": a, "size": s} for a in (0, 1) for s in ("small", 9)]
    assert found[0].overrides == ("a=0", "x=1", "y=2")


def test_what_is_said_of_an_axis_is_no_level_of_it():
    size = {"unit": "person", "meaning": "how many", "small": ["x=1"]}
    design = Design(axes={"size": size, "a": [1, 2]})
    assert designs.said(design) == {"size": ("person", "how many")}
    assert [p.settings["size"] for p in designs.points(design)] == ["small", "small"]


@pytest.mark.parametrize("kind", ["lhs", "sobol", "morris"])
def test_samples_lie_in_their_ranges_and_are_the_same_every_time(kind):
    pytest.importorskip("scipy" if kind != "morris" else "SALib")
    design = Design(kind=kind, axes=RANGES, points=8)
    found = designs.points(design)
    assert found == designs.points(design)
    assert found != designs.points(Design(kind=kind, axes=RANGES, points=8, seed=2))
    values = np.array([list(p.settings.values()) for p in found])
    assert values.min(axis=0).tolist() >= [0, 10]
    assert values.max(axis=0).tolist() <= [1, 100]
    assert all(isinstance(p.settings["weeks"], int) for p in found)
    assert found[0].overrides[0] == f"judge.conflation={found[0].settings['judge.conflation']}"
    if kind == "lhs":  # one in each eighth
        assert sorted((values[:, 0] * 8).astype(int)) == list(range(8))
    if kind == "sobol":  # balanced: two in each quarter of the square
        assert np.bincount(2 * (values[:, 0] > 0.5) + (values[:, 1] > 55)).tolist() == [2, 2, 2, 2]
    if kind == "morris":  # from point to point of a trajectory, one thing changes
        assert len(found) == 8 * 3
        assert ((np.diff(values.reshape(8, 3, 2), axis=1) != 0).sum(axis=2) == 1).all()


@pytest.mark.parametrize(
    ("design", "said"),
    [
        (Design(kind="lhs"), "axes is empty"),
        (Design(axes={"a": 3}), "axes.a is 3; it must be a list of values"),
        (Design(kind="sobol", axes=RANGES, points=12), "points is 12; .* powers of 2, as 8 or 16"),
        (Design(kind="morris", axes={"a": [1, 2, 3]}), "morris needs a lowest and a highest value"),
        (Design(kind="morris", axes=RANGES, levels=3), "levels is 3; it must be an even number"),
        (Design(axes={"a": {"x": "y=1"}}), "axes.a must give each level a list of overrides"),
        (Design(axes={"a": {"unit": "week", "meaning": "so long"}}), "axes.a must give each level a list of overrides"),
    ],
)
def test_a_design_that_cannot_be_made_is_refused(design, said):
    with pytest.raises(ValueError, match=said):
        designs.points(design)


def test_composing_many_scenarios_gives_what_hydra_gives():
    """Values are set as Hydra does, so that a shortcut is not another language."""
    composer = Composer()
    for overrides in (
        ["mission=separated", "judge.conflation=0.3"],
        ["mission=separated", "judge.conflation=0.7", "weeks=9"],
        [
            "mission=parallel",
            "mandate@mission.components.un.mandate=observation",
            "mission.components.un.force.arrears=0.3",
        ],
        ["experiment=car", "calibration=null", "mission=none", "+country.factions.upc.community.x=1"],
    ):
        assert composer.params(overrides) == load(*overrides)
    with pytest.raises(Exception, match=r"judge\.conflatoin"):
        composer.params(["mission=separated", "judge.conflatoin=0.3"])
    one, two = (composer.params(["mission=separated", f"judge.conflation={c}"]) for c in (0.1, 0.2))
    assert one.country is two.country  # memory does not grow with the number of scenarios


def test_a_star_among_components_means_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = command.Experiment("funding", [*TINY, "experiment.seeds=1"])
    both = [p for label, p in experiment.params.items() if "share_paid=0.5 " in label]
    assert len(both) == 6
    assert all(c.force.raised == 0.5 for p in both for c in p.mission.components.values())
    assert {n for p in both for n in p.mission.components} == {"un", "regional"}


def test_an_arm_on_which_the_axes_have_no_bearing_is_run_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = small_experiment()
    assert len([job for job in experiment.jobs if job.arm == "none"]) == 2
    experiment.run(1)
    found = results.load("delay")
    none = found.runs[found.runs.arm == "none"]
    assert none["troops"].isna().all()
    assert found.differences("deaths", "none").n.eq(2).all()
    week = "mission.components.un.arrive.week"
    late = found.differences("deaths", {week: 0})  # the same arm, as large
    assert late["arm"].eq("un_only").all()
    assert late[[week, "troops", "n"]].to_numpy().tolist()[0] == [4, 2000, 2]
    assert not late[week].eq(0).any()
    wide = found.runs[found.runs.troops == 2000].pivot(index="seed", columns=week, values="deaths")
    assert late.difference[0] == pytest.approx((wide[4] - wide[0]).mean())


@pytest.mark.parametrize("name", ["phases", "delay", "funding", "cheapest"])
def test_every_setting_of_the_experiments_has_a_meaning(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = command.Experiment(name, [*TINY, "experiment.seeds=1"])
    said = designs.said(experiment.about.design)
    for axis in experiment.about.design.axes:
        if "@" not in axis:  # a choice of a file
            assert results._field(axis, pa.string(), said.get(axis)).metadata[b"meaning"], axis


def test_contestation_and_conflation_have_no_bearing_without_missions():
    """The experiment `phases` runs the baseline once for all points."""
    from sim import PeaceModel, outcomes

    a, b = (
        outcomes.totals(PeaceModel(load(*TINY, "weeks=80", f"judge.conflation={c}", f"judge.contestation={c}")).run())
        for c in (0, 1)
    )
    assert str(a) == str(b)


def fake(monkeypatch, value):
    """Replace the simulation by a rule: value(job) is the outcome of a run."""
    stored = {}

    def simulate(job):
        job.folder.mkdir(parents=True)
        stored[job.key] = value(job)

    def read(job):
        return {"outcomes": stored[job.key]}

    monkeypatch.setattr(runs, "simulate", simulate)
    monkeypatch.setattr("experiments.engine.stored.read", read)


def test_adaptive_replication_adds_seeds_where_the_interval_is_wide_and_only_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spread = {"none": 0.1, "troops_1000": 10.0}
    luck = dict(enumerate(np.random.default_rng(1).normal(size=500)))
    fake(monkeypatch, lambda job: {"deaths": 100 + spread.get(job.arm, 0.1) * luck[job.seed]})
    rule = ["experiment.adaptive.outcome=deaths", "experiment.adaptive.half_width=2", "experiment.adaptive.batch=20"]
    experiment = small_experiment("dose", "experiment.seeds=4", *rule)
    experiment.at_a_time = 1
    experiment.do()
    while wider := experiment._too_wide():  # of the mean, not of a difference
        assert list(wider) == ["troops_1000"]
        experiment.do(wider)
    n = {arm: sum(job.arm == arm for job in experiment.jobs) for arm in experiment.arms}
    assert n.pop("troops_1000") in (84, 104, 124)  # (1.98 * 10 / 2)^2 = 98
    assert set(n.values()) == {4}
    assert [job.seed for job in experiment.jobs if job.arm == "troops_1000"] == list(range(1, 1 + max(
        job.seed for job in experiment.jobs)))  # fmt: skip


def test_a_wide_difference_adds_seeds_to_both_of_the_pair():
    rule = Adaptive(outcome="deaths", half_width=1, difference=True, batch=5, most=12)
    luck = np.random.default_rng(2).normal(size=(2, 8)) * 9
    values = pd.DataFrame({"none x=1": luck[0], "a x=1": luck[0] + 5, "none x=2": luck[0], "a x=2": luck[1]})
    baselines = {label: f"none {label[-3:]}" for label in values}
    wanted = designs.seeds_wanted(rule, values, dict.fromkeys(values, 8), baselines)
    assert wanted == {"a x=2": 12, "none x=2": 12}  # the luck of the other pair is shared: its difference is sure
    assert designs.seeds_wanted(rule, values, dict.fromkeys(values, 12), baselines) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiment.adaptive.outcome=deaths"], "needs one of half_width and relative"),
        (["experiment.design.kind=pie"], "kind is 'pie'; choose among grid, lhs, sobol, morris, optuna"),
        (["experiment.design.fixed=[nobody]"], "experiment.design.fixed names 'nobody'; choose among none"),
    ],
)
def test_a_bad_experiment_is_refused(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=said):
        small_experiment("dose", *words)


@cache
def search():
    pytest.importorskip("optuna")
    axes = {"judge.conflation": [0.0, 1.0], "mission": ["a", "b"]}
    return Design(kind="optuna", axes=axes, points=40, objectives={"cost": "minimize"}, bounds={"deaths": 3.0})


def searched(design):
    found, asked = designs.Search(design), []
    while points := found.ask():
        asked += points
        x = [(p.settings["judge.conflation"], p.settings["mission"]) for p in points]
        found.tell([{"cost": v + (m == "b"), "deaths": 4 - 2 * v} if v < 0.95 else None for v, m in x])
    return asked, found.study


def test_a_search_finds_the_cheapest_point_that_is_allowed_and_goes_the_same_way_again():
    asked, study = searched(search())
    assert asked == searched(search())[0]
    assert len(asked) == 40
    allowed = [p.settings["judge.conflation"] for p in asked if 0.5 <= p.settings["judge.conflation"] < 0.95
               and p.settings["mission"] == "a"]  # fmt: skip
    assert min(allowed) < 0.56  # the best is at 0.5
    assert 0.5 <= study.best_params["judge.conflation"] < 0.56


def test_a_search_over_missions_ends_in_the_same_table_if_it_is_interrupted(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    words = ["cheapest", *TINY, "experiment.seeds=2", "experiment.design.points=6", "experiment.figures=[front]"]
    command.main([*words, "--workers", "1"])
    first = (tmp_path / "results" / "cheapest" / "runs.parquet").read_bytes()
    monkeypatch.setattr(runs, "simulate", lambda job: pytest.fail("simulated again"))
    command.main([*words, "--workers", "1"])
    assert (tmp_path / "results" / "cheapest" / "runs.parquet").read_bytes() == first
    assert len(results.load("cheapest").runs) == 2 * (6 + 1)
    assert (tmp_path / "results" / "cheapest" / "front.png").stat().st_size > 10_000
    tried = pd.read_csv(tmp_path / "results" / "cheapest" / "front.csv")
    assert len(tried) == 6
    assert tried.on_front.any()


def test_the_front_is_of_points_that_no_other_beats():
    from types import SimpleNamespace

    rows = [(1, 5, 5), (2, 4, 4), (3, 4, 4), (4, 1, 9), (5, 9, 1)]  # the third is beaten by the second
    runs_ = [("none", np.nan, 0, 9, 9), *(("a", k, *row) for k, row in enumerate(rows))]
    table = pd.DataFrame(runs_, columns=["arm", "x", "cost", "deaths", "unmet_need"])
    objectives = {"cost": "minimize", "deaths": "minimize", "unmet_need": "minimize"}
    design = Design(kind="optuna", fixed=["none"], objectives=objectives, bounds={"deaths": 4})
    found = surfaces.tried(SimpleNamespace(runs=table, settings=["x"]), design)
    assert found.on_front.tolist() == [True, True, False, True, True]
    assert found.allowed.tolist() == [False, True, True, True, False]
    most = Design(kind="optuna", fixed=["none"], objectives={"cost": "maximize", "deaths": "minimize"})
    found = surfaces.tried(SimpleNamespace(runs=table, settings=["x"]), most)
    assert found.on_front.tolist() == [False, False, False, True, True]


def test_failed_trials_of_a_search_are_tried_again_and_it_goes_on_from_them(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    words = ["cheapest", *TINY, "experiment.seeds=1", "experiment.design.points=6", "experiment.figures=[]",
             "--workers", "1"]  # fmt: skip
    simulate, tried = runs.simulate, []

    def failing(job):
        if job.arm != "none" and not tried.append(job.key) and len(tried) <= 2:
            raise MemoryError("no memory left")
        simulate(job)

    monkeypatch.setattr(runs, "simulate", failing)
    with pytest.raises(SystemExit):
        command.main(words)
    assert len(results.load("cheapest").failures) == 2
    command.main([*words, "--retry-failed"])
    found = results.load("cheapest")
    assert found.failures.empty
    assert len(found.runs) == 1 + 6
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    command.main(words)
    assert (
        Path("results/cheapest/runs.parquet").read_bytes() == (tmp_path / "results/cheapest/runs.parquet").read_bytes()
    )


def test_the_points_of_morris_differ_by_the_setting_that_matters(tmp_path, monkeypatch):
    pytest.importorskip("SALib")
    monkeypatch.chdir(tmp_path)
    axes = "+experiment.design.axes={judge.patience:[0.0,100.0],live.mortality:[0.0,0.2]}"
    words = [*TINY, "weeks=30", "experiment.seeds=1", "experiment.figures=[]", "experiment.design.kind=morris"]
    command.Experiment("dose", [*words, "experiment.design.points=2", axes]).run(1)
    found = results.load("dose").runs.query("arm == 'none'")
    assert len(found) == 2 * 3  # two trajectories of a step along each axis
    assert found.groupby("live.mortality").excess_deaths.nunique().eq(1).all()
    assert found.excess_deaths.nunique() > 1


def test_every_experiment_has_the_name_of_its_file():
    import yaml

    for path in (CONF / "experiment").glob("*.yaml"):
        assert yaml.safe_load(path.read_text())["experiment"]["name"] == path.stem
