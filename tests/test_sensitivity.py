"""Sensitivity: ranges come from declarations, indices are right where they are known, nothing is done twice."""

import itertools
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from conftest import loaded, put

from experiments import __main__ as command
from experiments.engine import runs
from experiments.sensitivity import designs
from experiments.sensitivity import indices as ask
from experiments.sensitivity import summary as sensitivity_summary
from experiments.sensitivity.indices import NAMES, measured
from sim import PeaceModel
from sim.config import Composer
from sim.params import out_of_range, walk

ARMS = {arm: loaded(f"mission={arm}", "civilians=60", "weeks=28") for arm in ("none", "un_only", "separated")}
CHOICES = {a: Composer().choices([f"mission={a}"]) for a in ARMS}
FACTORS = designs.find_factors(ARMS, CHOICES)
NAMED = tuple(ARMS)
MODELS = ("un_only", "separated")
KILLED, ACCESS = NAMES.index("civilians_killed"), NAMES.index("access")


def outcomes(level, **of_arm):
    """Return outcomes (P, 3 arms, outcomes) that are all at a level, some arms at another."""
    y = np.repeat(np.repeat(np.asarray(level, float)[:, None, None], 3, axis=1), len(NAMES), axis=2)
    for arm, values in of_arm.items():
        y[:, list(ARMS).index(arm), :] = np.asarray(values, float)[:, None]
    return y


def of(table, target, column, outcome="civilians_killed"):
    """Return a column of a table of indices, by parameter."""
    return table[(table.outcome == outcome) & (table.target == target)].set_index("parameter")[column]


# ------------------------------------------------------------------------------ what is varied


def test_ranges_come_from_the_declarations():
    declared = {path: (f.metadata, v) for path, f, v in walk(ARMS["separated"]) if "low" in f.metadata}
    seen = set()
    for name, factor in FACTORS.items():
        for path, low, default, high, _ in factor.leaves.get("separated", ()):
            meta, value = declared[path]
            assert default == value, name
            assert meta["low"] <= low <= value <= high <= meta["high"], name
            assert low < high, name
            if meta["unit"] in designs.HALFWAY:
                assert (low, high) == ((value + meta["low"]) / 2, (value + meta["high"]) / 2), name
            else:
                assert (low, high) == (max(meta["low"], value / 2), min(meta["high"], 2 * value)), name
            seen.add(path)
    left_out = {p for p, (meta, v) in declared.items() if p not in seen and (v or meta["unit"] == "share")}
    assert all(p.split(".")[0] in ("seed", "weeks", "step_weeks", "civilians", "country") for p in left_out)
    assert "country.factions.rebels.fighters" in seen
    assert not any(p.startswith("country.") and "factions" not in p for p in seen)


def test_a_force_that_several_components_share_is_varied_once():
    factor = FACTORS["force.un.ability"]
    assert [leaf[0] for leaf in factor.leaves["un_only"]] == ["mission.components.un.force.ability"]
    assert [leaf[0] for leaf in factor.leaves["separated"]] == ["mission.components.political.force.ability"]
    assert "none" not in factor.leaves


def test_places_in_a_range():
    ratio, share = FACTORS["country.factions.rebels.abuse"], FACTORS["judge.conflation"]
    assert [dict(ratio.values("none", p))[ratio.name] for p in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(
        [0.5, 0.5**0.5, 1, 2**0.5, 2]
    )
    low, middle, high = ((dict(share.values("none", p))[share.name]) for p in (0, 0.5, 1))
    assert (low, middle, high) == pytest.approx((share.low, share.default, share.high))
    assert dict(FACTORS["country.factions.rebels.fighters"].values("none", 0.3))[
        "country.factions.rebels.fighters"
    ] == round(6000 * 0.5**0.4)
    straight = designs.whole_range(share)
    assert [dict(straight.values("none", p))[share.name] for p in (0, 0.3, 1)] == pytest.approx([0, 0.3, 1])


@pytest.mark.parametrize("place", [0.0, 1.0])
def test_a_country_with_every_number_at_an_end_can_be_run(place):
    for arm in ARMS:
        p = deepcopy(loaded(f"mission={arm}", "civilians=60", "weeks=8", "step_weeks=4"))
        for factor in FACTORS.values():
            for path, value in factor.values(arm, place):
                put(p, path, value)
        assert not out_of_range(p)
        PeaceModel(p).run()


# ------------------------------------------------------------------------------ the designs


def test_a_trajectory_moves_one_thing_at_a_time_and_luck_only_with_a_dummy():
    cube, places, points = designs.screening(["a", "b", "c"], trajectories=3, dummies=2)
    assert places.shape == (3 * 6, 5)
    assert [p.places for p in points] == [tuple(row[:3]) for row in places.tolist()]
    for t in range(3):
        rows, seeds = places[6 * t : 6 * t + 6], [p.seed for p in points[6 * t : 6 * t + 6]]
        moved = (np.diff(rows, axis=0) != 0).argmax(axis=1)
        assert sorted(moved) == [0, 1, 2, 3, 4]
        assert [a != b for a, b in itertools.pairwise(seeds)] == [m >= 3 for m in moved]
    more = designs.screening(["a", "b", "c"], trajectories=4, dummies=2)[2]
    assert more[: len(points)] == points  # more trajectories find the runs of the first ones
    assert cube["names"][3:] == ["luck 1", "luck 2"]


def test_points_of_the_other_designs():
    tornado = designs.tornado(["a", "b"], 3)
    assert [(p.names, p.places) for p in tornado[::3]] == [
        ((), ()), (("a",), (0.0,)), (("a",), (1.0,)), (("b",), (0.0,)), (("b",), (1.0,)),
    ]  # fmt: skip
    assert [p.seed for p in tornado[:3]] == [1, 2, 3]
    values, points = designs.plane(("judge.conflation", "judge.contestation"), 3, 2)
    assert len(points) == 18
    assert {v for xy in values for v in xy} == {0.0, 0.5, 1.0}
    assert points[2].places == values[1]
    spread = np.array([p.places for p in designs.everywhere(["a", "b"], 10, 2)[1][::2]])
    assert (np.sort((spread * 10).astype(int), axis=0) == np.arange(10)[:, None]).all()  # one in each tenth


# ------------------------------------------------------------------------------ indices that are known


def test_morris_finds_the_effects_of_a_linear_model():
    cube, places, _ = designs.screening(["a", "b", "c"], trajectories=4, dummies=3)
    x = places
    y = outcomes(3 * x[:, 0], separated=3 * x[:, 0] - 2 * x[:, 1])
    found = ask.screen(cube, places, y, NAMED)
    assert of(found, "missions", "mu_star")[["a", "b", "c"]].to_list() == pytest.approx([3, 1, 0], abs=1e-9)
    assert of(found, "missions", "mu")[["a", "b"]].to_list() == pytest.approx([3, -1])
    assert of(found, "separated - others", "mu")[["a", "b", "c"]].to_list() == pytest.approx([0, -2, 0], abs=1e-9)
    assert of(found, "missions", "sigma").to_list() == pytest.approx([0] * 6, abs=1e-9)
    assert of(found, "none", "mu_star")["b"] == pytest.approx(0, abs=1e-9)
    assert not found[(found.target == "none") & (found.outcome == "access")].size


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bound_of_luck_holds_back_what_is_only_luck(seed):
    names = [f"p{i}" for i in range(100)]
    cube, places, points = designs.screening(names, trajectories=5, dummies=20)
    luck = np.random.default_rng(seed).standard_t(4, size=(len(points), 2, len(NAMES)))  # heavy tails, as the model has
    y = outcomes(9 * places[:, 0], separated=9 * places[:, 0] + 20 * places[:, 1])[:, 1:] + luck
    found = ask.screen(cube, places, y, MODELS)
    for target, real in (("missions", "p0"), ("separated - others", "p1")):
        there = found[found.target == target]
        assert there[there.parameter == real].beyond_luck.all()
        others = there[~there.parameter.isin(["p0", "p1"]) & ~ask.is_dummy(there.parameter)]
        assert others.beyond_luck.mean() < 0.025, "one in a hundred is expected"


def test_a_hypercube_finds_what_trajectories_cannot():
    names = [f"p{i}" for i in range(100)]
    places, points = designs.everywhere(names, 200, 1)
    luck = np.random.default_rng(1).standard_t(4, size=(len(points), 2, len(NAMES)))
    y = outcomes(2 * places[:, 0], separated=2 * places[:, 0] - 3 * places[:, 1])[:, 1:] + luck
    found = ask.effects(names, places, y, MODELS)
    level = found[(found.outcome == "unmet_need") & (found.target == "missions")].set_index("parameter")
    assert abs(level.change["p0"] - 2) < 2 * level.half["p0"]
    assert level.half["p0"] < 0.7
    others = found[~found.parameter.isin(["p0", "p1"]) & found.target.isin(["missions", "separated - others"])]
    assert others.beyond_chance.mean() == pytest.approx(0.01, abs=0.01)
    score = ask.scores(names, places, y, MODELS)
    assert set(score.parameter[:2]) == {"p0", "p1"}
    assert score.sure[:2].all()
    assert score.sure[2:].sum() <= 1
    assert score.level[score.parameter == "p0"].item() > 5 * score.ranking[score.parameter == "p0"].item()
    assert score.ranking[score.parameter == "p1"].item() > score.level[score.parameter == "p1"].item()
    assert score.p[2:].mean() == pytest.approx(0.5, abs=0.1)  # even, where there is no effect


def test_scores_of_parameters_without_effect_are_hardly_ever_sure():
    names = [f"p{i}" for i in range(50)]
    places, points = designs.everywhere(names, 100, 1)
    sure = 0
    for seed in range(40):
        y = np.random.default_rng(seed).normal(size=(len(points), 2, len(NAMES)))
        sure += ask.scores(names, places, y, MODELS, shuffles=100).sure.any()
    assert sure <= 7  # 1 in 20 is expected


def ishigami(x):
    """Return Ishigami's function of places in 0..1, (P, 3)."""
    a, b, c = (np.pi * (2 * x[:, i] - 1) for i in range(3))
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def test_sobol_finds_the_indices_of_ishigamis_function():
    cube, places, _ = designs.sobol(["a", "b", "c"], base=1024)
    assert cube["names"][-1] == "luck"
    found = ask.indices(cube, outcomes(ishigami(places))[:, 1:], MODELS)
    assert of(found, "missions", "first").to_list() == pytest.approx([0.314, 0.442, 0, 0], abs=0.04)
    assert of(found, "missions", "total").to_list() == pytest.approx([0.558, 0.442, 0.244, 0], abs=0.04)
    assert set(found.target) == {"missions"}  # models that are always alike leave nothing to explain


def test_sobol_tells_luck_from_rules_also_in_ranks():
    cube, places, points = designs.sobol(["a", "b"], base=512)
    luck = np.array([p.seed / 2**31 for p in points])
    y = outcomes(2 * places[:, 0] + luck, separated=2 * places[:, 0] + luck + places[:, 1] - 0.5)
    found = ask.indices(cube, y[:, 1:], MODELS)
    assert of(found, "missions", "first").to_list() == pytest.approx([16 / 21, 1 / 21, 4 / 21], abs=0.04)
    assert of(found, "rank of separated", "total").to_list() == pytest.approx([0, 1, 0], abs=0.04)
    assert of(found, "separated - others", "total").to_list() == pytest.approx([0, 1, 0], abs=0.04)


def test_a_tornado_of_a_linear_model():
    points = designs.tornado(["a", "b"], 3)
    at = np.array([dict(zip(p.names, p.places)).get("a", 0.5) for p in points])
    luck = np.tile([0.1, -0.3, 0.2], 5)
    found = ask.tornado(["a", "b"], outcomes(4 * at + luck), NAMED, 3)
    rows = found[(found.outcome == "unmet_need") & (found.target == "missions")]
    assert rows[["parameter", "end"]].to_numpy().tolist() == [["a", "low"], ["a", "high"], ["b", "low"], ["b", "high"]]
    assert rows.change.to_list() == pytest.approx([-2, 2, 0, 0])
    assert rows.half.to_list() == pytest.approx([0] * 4, abs=1e-12)  # luck is the same in a pair
    assert set(found.target) == {"missions", "un_only - others", "separated - others"}


# ------------------------------------------------------------------------------ ranks and shares


def test_ranks():
    values = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 2.0]])
    assert ask.rank(values, "civilians_killed").tolist() == [[3, 1, 2], [1, 1, 3]]
    assert ask.rank(values, "access").tolist() == [[1, 3, 2], [2, 2, 1]]


def places_of(values, spread=0.01, seeds=4):
    """Return outcomes (places, seeds, arms, outcomes) around some means (places, arms)."""
    luck = np.random.default_rng(2).normal(size=(len(values), seeds, len(values[0]), len(NAMES)))
    return np.asarray(values, float)[:, None, :, None] + spread * luck


def test_standings_and_shares_of_made_up_values():
    arms = ("a", "b", "c")
    stood = ask.standings(places_of([[1, 2, 3], [1, 2, 3], [3, 1, 2], [1.001, 1, 9]]), arms)
    killed = stood[stood.outcome == "civilians_killed"].pivot(index="place", columns="arm")
    assert killed["rank"].to_numpy()[:3].tolist() == [[1, 2, 3], [1, 2, 3], [3, 1, 2]]
    assert killed["best_rank"].to_numpy().tolist() == [[1, 2, 3], [1, 2, 3], [3, 1, 2], [1, 1, 3]]
    assert killed["worst_rank"].to_numpy().tolist() == [[1, 2, 3], [1, 2, 3], [3, 1, 2], [2, 2, 3]]
    assert killed["behind"]["c"].to_list() == pytest.approx([2, 2, 1, 8], abs=0.05)
    assert stood[stood.outcome == "access"].pivot(index="place", columns="arm")["rank"].loc[0].to_list() == [3, 2, 1]
    share = ask.shares(stood).set_index(["outcome", "arm"]).loc["civilians_killed"]
    assert share.surely.to_list() == [0.5, 0.25, 0]
    assert share.perhaps.to_list() == [0.75, 0.5, 0]
    assert share["first"].sum() == 1
    assert share.loc["c", "first_high"] == pytest.approx(0.49, abs=0.005)  # Wilson's, 0 of 4
    assert share.places.to_list() == [4, 4, 4]


def test_equal_models_are_all_first():
    share = ask.shares(ask.standings(np.zeros((5, 3, 2, len(NAMES))), ("a", "b")))
    assert (share["first"] == 1).all()
    assert (share.surely == 0).all()
    assert (share.perhaps == 1).all()


def test_models_that_differ_by_luck_alone_are_hardly_ever_surely_first():
    stood = ask.standings(places_of(np.zeros((300, 4)), spread=1.0, seeds=3), ("a", "b", "c", "d"))
    share = ask.shares(stood)
    assert share.groupby("outcome").surely.sum().max() < 0.05
    assert share.perhaps.min() > 0.95
    assert share["first"].mean() == pytest.approx(0.25, abs=0.001)


def test_a_few_very_violent_runs_decide_the_mean_count_but_not_the_typical_one():
    y = np.full((1, 4, 2, len(NAMES)), 10.0)
    y[0, :, 0] = [[9.0], [9.0], [9.0], [12.5]]  # typically half, once six times as much
    killed = ask.standings(y, ("a", "b")).query("outcome == 'civilians_killed'").set_index("arm")
    assert killed.loc["a", ["rank", "rank_by_mean"]].to_list() == [1, 2]


def test_nobody_who_tries_is_access_of_nought():
    raw = [900.0, 28.0, 0.0, 3e6, np.nan]
    assert measured([raw])[0].tolist() == pytest.approx([np.log2(1000), 7, np.log2(1e6), np.log2(4e6), 0])


# ------------------------------------------------------------------------------ all of it


def test_flips_are_told_with_whether_they_are_luck():
    stood = ask.standings(places_of([[1, 2, 3], [2, 1.9999, 3], [3, 1, 2]]), ("a", "b", "c"))
    for i, (name, values) in enumerate((("parameter", ["", "p", "p"]), ("end", ["", "low", "high"]))):
        stood.insert(i, name, [values[p] for p in stood.place])
    found = sensitivity_summary.flips(stood)
    killed = found[found.outcome == "Civilians killed"].set_index("at")
    assert killed.loc["high end of `p`"].to_list() == ["Civilians killed", "A", "B", True]
    assert not killed["beyond luck"].get("low end of `p`", False)
    nobody = sensitivity_summary.flips(stood.assign(rank=1))  # all alike
    assert nobody.empty


SMALL = [f"experiment.analysis.{k}={v}" for k, v in {
    "every": 150, "trajectories": 2, "dummies": 2, "matter": 2, "corner_seeds": 2, "base": 2, "grid": 2,
    "grid_seeds": 2, "points": 4}.items()]  # fmt: skip


def test_the_small_analysis_writes_all_tables_and_figures_and_does_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gone = ("sequential", "parallel", "separated_swapped", "hybrid", "un_support")  # of the models, to be quicker
    words = ["sensitivity", "civilians=60", "weeks=28", *SMALL, *(f"~experiment.arms.{a}" for a in gone)]
    command.main([*words, "--workers", "1"])
    folder = tmp_path / "results" / "sensitivity"
    tables = {"effects", "screening", "parameters", "tornado", "tornado_ranks", "sobol", "flip", "first"}
    assert {p.stem for p in folder.glob("*.csv")} == tables | {"columns"}
    assert {p.stem for p in folder.glob("*.png")} == {"screening", "tornado", "sobol", "flip", "first"}
    page = (folder / "summary.md").read_text(encoding="utf-8")
    assert "| Regional only |" in page
    assert "nan" not in page
    first = pd.read_csv(folder / "first.csv")
    assert set(first.arm) == {"un_only", "regional_only", "separated"}
    assert set(first.outcome) == set(NAMES)
    assert pd.read_csv(folder / "parameters.csv").matters.sum() == 2
    before = {p.name: p.read_bytes() for p in folder.glob("*.csv")}
    monkeypatch.setattr(runs, "simulate", lambda *_: pytest.fail("a run was done again"))
    command.main([*words, "--workers", "1"])
    assert {p.name: p.read_bytes() for p in folder.glob("*.csv")} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["base=12"], "base is 12; it must be a power of 2"),
        (["trajectories=1"], "trajectories is 1; it must be at least 2"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(words, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["sensitivity", *(f"experiment.analysis.{w}" for w in words)])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
