"""Figures of one swept setting, on constructed tables: what is drawn, what is said to be sure, what is refused."""

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments.comparison import sweeps
from experiments.drawing import family
from sim.config import Design

SEEDS = 12
VALUES = (0, 0.5, 1)


def table(effect, baseline_everywhere=False):
    """Return runs in which each seed's deaths are its luck, plus an effect of arm and value, plus a little noise."""
    noise, rows = np.random.default_rng(0), []
    for seed in range(SEEDS):
        luck = 1000 * (seed + 1)
        nobody = [("none", v) for v in VALUES] if baseline_everywhere else [("none", np.nan)]
        for arm, value in [*nobody, *((a, v) for a in effect for v in VALUES)]:
            deaths = luck + (effect[arm](value) if arm in effect else 0) + noise.normal()
            rows.append({"arm": arm, "seed": seed, "x": value, "deaths": deaths, "access": 0.5 + noise.normal() / 1e4,
                         "relapse": np.nan, "cost": 0.0 if arm == "none" else 4e6})  # fmt: skip
    return pd.DataFrame(rows)


def tables(runs):
    return SimpleNamespace(runs=runs, settings=["x"], units={"x": "share"}, meanings={"x": "how much"})


EFFECT = {"saves": lambda v: -100 * v, "idle": lambda v: 0.0}


@pytest.mark.parametrize("everywhere", [True, False])
def test_differences_are_from_the_baseline_at_the_same_value_or_from_its_only_run(everywhere):
    runs = table(EFFECT, everywhere)
    found = sweeps.changes(runs, "x", ["deaths"], "none")
    assert set(found) == {("deaths", a, v) for a in EFFECT for v in VALUES}
    none = runs[runs.arm == "none"]
    none = none[none.x == 1] if everywhere else none
    mine = runs[(runs.arm == "saves") & (runs.x == 1)]
    by_hand = mine.set_index("seed").deaths - none.set_index("seed").deaths
    assert found["deaths", "saves", 1.0].tolist() == by_hand.tolist()


def test_with_a_reference_each_arm_is_compared_with_itself():
    runs = table({"saves": lambda v: 500 - 100 * v})
    found = sweeps.changes(runs, "x", ["deaths"], "none", 0)
    assert set(found) == {("deaths", "saves", v) for v in VALUES if v}
    assert found["deaths", "saves", 1.0].mean() == pytest.approx(-100, abs=2)


def test_what_is_sure_is_said_and_nothing_else():
    judged = family.together(sweeps.changes(table(EFFECT), "x", ["deaths", "access"], "none", 0))
    assert sweeps.answer(judged) == "Surely lower: all deaths of civilians (saves at 0.5 to 1)."
    worse = table({"kills": lambda v: 100 * v, "saves": lambda v: -100 * v})
    judged = family.together(sweeps.changes(worse, "x", ["deaths"], "none", 0))
    what = "all deaths of civilians"
    said = f"Surely higher: {what} (kills at 0.5 to 1); surely lower: {what} (saves at 0.5 to 1)."
    assert sweeps.answer(judged) == said
    idle = family.together(sweeps.changes(table({"idle": EFFECT["idle"]}), "x", ["access"], "none", 0))
    assert sweeps.answer(idle) == "Nothing is surely different."
    un = family.together(sweeps.changes(table({"un_only": EFFECT["saves"]}), "x", ["deaths"], "none", 0.5))
    assert "lower: all deaths of civilians (UN only at 1)" in sweeps.answer(un)
    assert "higher: all deaths of civilians (UN only at 0)" in sweeps.answer(un)
    now_and_then = family.together(
        sweeps.changes(table({"saves": lambda v: -100 * (v != 0.5)}), "x", ["deaths"], "none")
    )
    assert sweeps.answer(now_and_then) == f"Surely lower: {what} (saves at 0 and 1)."
    few = table(EFFECT)
    judged = family.together(sweeps.changes(few[few.seed < 5], "x", ["deaths"], "none", 0))
    assert "nothing is sure" in sweeps.answer(judged)


def test_where_nothing_is_sure_it_is_said_how_much_there_may_be():
    found = {("deaths", "idle", 1.0): (-90.0, 20.0, False), ("deaths", "saves", 1.0): (-2_600.0, 4_400.0, False),
             ("access", "saves", 0.5): (-0.012, 0.034, False), ("cost", "idle", 0.5): (-90.0, 20.0, True),
             ("relapse", "idle", 0.5): (np.nan, np.nan, False)}  # fmt: skip
    judged = pd.DataFrame(found.values(), columns=["low", "high", "sure"], index=pd.MultiIndex.from_tuples(found))
    said = "all deaths of civilians −2.6 to +4.4 thousand people; humanitarian access −1.2 to +3.4 points of 100"
    assert sweeps.not_ruled_out(judged) == f"Differences not ruled out, over all values: {said}."
    assert sweeps.not_ruled_out(judged[judged.sure]) == ""


@pytest.mark.parametrize("reference", [None, 0])
def test_the_figure_asks_answers_and_draws_what_its_table_says(reference):
    outcomes = ["deaths", "access", "relapse"]  # of the last nothing is known
    figure, drawn = sweeps.over(tables(table(EFFECT)), "none", outcomes, reference, "Does it save?")
    figure.savefig(io.BytesIO(), dpi=40)
    asked, *answered = figure.get_suptitle().split("\n")
    assert asked == "Does it save?"
    assert "all deaths of civilians (saves at" in " ".join(answered)
    assert len(drawn) == len(outcomes) * len(EFFECT) * (len(VALUES) - (reference is not None))
    ax = figure.axes[0]
    full = [line.get_ydata()[0] for line in ax.lines if line.get_marker() != "None" and line.get_mfc() != "white"]
    mine = drawn[(drawn.outcome == "deaths") & drawn.sure]
    assert sorted(full) == pytest.approx(sorted(mine.difference))
    assert len([ax for ax in figure.axes if ax.get_visible()]) == len(outcomes)


def test_deaths_averted_by_a_million_and_how_many_times_as_many():
    runs = table({"early": lambda v: -640 + 600 * v})  # for four million: 160 by a million at 0, 10 at 1
    found = sweeps.averted(tables(runs), "none").set_index("x")
    assert found.averted.tolist() == pytest.approx([160, 85, 10], abs=0.5)
    assert (found.low < found.averted).all()
    assert (found.averted < found.high).all()
    figure, _ = sweeps.worth(tables(runs), "none", "Is it?")
    figure.savefig(io.BytesIO(), dpi=40)
    assert figure.get_suptitle() == "Is it?\nEarly: 16 times as much first as last."
    idle = table({"early": lambda v: -640 * (1 - v)})
    figure, _ = sweeps.worth(tables(idle), "none")
    assert "no ratio, for what a dollar averts at the right is not surely above 0" in figure.get_suptitle()


AXES = {"judge.conflation": [0, 0.5, 1]}


@pytest.mark.parametrize(
    ("axes", "analysis", "said"),
    [
        ({}, {}, "need one axis of numbers in experiment.design.axes, which has: none"),
        (AXES | {"weeks": [1, 2]}, {}, "need one axis of numbers .* which has: judge.conflation, weeks"),
        ({"size": {"small": [], "large": []}}, {}, "need one axis of numbers"),
        (AXES, {"reference": 0.3}, "experiment.analysis.reference is 0.3; choose among 0, 0.5, 1"),
        (AXES, {"outcomes": ["deaths", "death"]}, "No outcome of experiment.analysis.outcomes 'death' .* deaths"),
    ],
)
def test_what_cannot_be_drawn_is_refused_beforehand(axes, analysis, said):
    about = SimpleNamespace(design=Design(axes=axes), analysis=analysis)
    with pytest.raises(ValueError, match=said):
        sweeps.check(SimpleNamespace(about=about))


def test_an_axis_of_levels_that_are_numbers_is_fine():
    axes = {"gap": {"unit": "week", "meaning": "how long", -13: [], 0: [], 10: []}}
    sweeps.check(SimpleNamespace(about=SimpleNamespace(design=Design(axes=axes), analysis={"reference": 0})))
