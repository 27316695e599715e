"""The main job under other conditions: every arm against the baseline, and pairs under each condition."""

import numpy as np
import pandas as pd

from experiments.comparison import conditions
from experiments.engine.experiment import Experiment

SEEDS = 20


def made_up(apart):
    """Return runs of two missions that differ by so many deaths where the Council is divided, and nowhere else."""
    luck, rows = np.random.default_rng(0), []
    world = luck.normal(1000, 200, SEEDS)
    for arm, more in (
        ("none", 300),
        ("un", 0),
        ("orange", 0),
        ("un, divided", 0),
        ("orange, divided", -apart),
        ("none, divided", 500),
    ):
        noise = luck.normal(0, 10, SEEDS)
        rows += [{"arm": arm, "seed": s, "deaths": world[s] + more + noise[s]} for s in range(SEEDS)]
    return pd.DataFrame(rows)


def test_pairs_are_told_apart_only_under_the_condition_in_which_they_differ():
    found, pairs = conditions.judged(made_up(100), "none", ["deaths"])
    assert found.groupby("condition", sort=False)["arm"].apply(list).to_dict() == {
        "as usual": ["un", "orange"], "divided": ["un", "orange"]}  # fmt: skip
    assert found["sure"].all()  # all are far from the baseline, of their own condition
    assert found["difference"].round(-2).tolist() == [-300, -300, -500, -600]
    assert pairs.set_index("condition")["sure"].to_dict() == {"as usual": False, "divided": True}
    assert conditions.answer(pairs) == "Pairs of missions that surely differ: divided: all deaths of civilians 1 of 1."
    assert conditions.headline(pairs) == (
        "Of 1 pairs of missions at most this many surely differ: 1 in all deaths of civilians (divided)"
    )


def test_where_nothing_differs_nothing_is_said_to_differ():
    _, pairs = conditions.judged(made_up(0), "none", ["deaths"])
    assert conditions.answer(pairs).startswith("Under none of these conditions")


def test_the_figure_has_a_number_for_every_arm_under_every_condition():
    found, pairs = conditions.judged(made_up(100), "none", ["deaths"])
    figure = conditions.draw(found, pairs, "none")
    figure.canvas.draw()
    said = [text.get_text() for text in figure.axes[0].texts]
    assert len(said) == 2 * 2 + 2
    assert said[-2:] == ["0", "1"]
    assert figure.axes[0].get_yticklabels()[-1].get_text() == "surely differ, of 1 pairs"


def test_peace_is_kept_if_there_was_peace_and_no_war_came_back():
    runs = pd.DataFrame({"peace_at_exit": [0, 1, 1, 1, np.nan], "relapse": [np.nan, 0, 1, np.nan, np.nan]})
    kept = conditions.with_peace_kept(runs)["peace_kept"]
    assert kept.tolist()[:3] == [0, 1, 0]
    assert kept[3:].isna().all()


def test_every_arm_is_run_under_every_condition():
    plan = conditions.plan(Experiment("conditions", ["experiment.seeds=2"]))
    assert len([arm for arm in plan if arm.startswith("none")]) == 7
    assert len(plan) == 9 * 7
