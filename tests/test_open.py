"""Users' own processes, outcomes and agents join the week, and Mesa's own tools work, without editing the project."""

import io
import runpy

import mesa
import numpy as np
import pytest
from conftest import CONF, fingerprint, same, scenario
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from mesa.discrete_space import CellAgent

from sim import PeaceModel, branch, outcomes, results
from sim.agents import ArmedFaction, Civilian
from sim.model import SCHEDULE
from sim.outcomes import Outcome
from sim.state import HOME

SMALL = {"weeks": 30, "civilians": 200, "rows": 8}
FLOODED = np.arange(8)  # the cells of the lowest row


def flood(model):
    """Every tenth week the river takes the stores of those who live beside it."""
    if model.week % 10 == 0:
        people = model.people
        hit = np.isin(people.cell, FLOODED) & (people.status == HOME)
        people.need[hit] = np.maximum(people.need[hit], 0.9)


def small(*overrides):
    return scenario("mission=parallel", "mission.authorised=0", *overrides, **SMALL)


@pytest.fixture(scope="module")
def plain():
    return PeaceModel(small()).run()


# ------------------------------------------------------------------------------ processes


def test_an_added_process_acts_every_week_and_changes_what_follows(plain):
    flooded = PeaceModel(small(), before={"live": flood}).run()
    assert "people.need" in same(plain, flooded)
    assert flooded.record.weekly[:, flooded.record.columns.index("unmet_need")].sum() > (
        plain.record.weekly[:, plain.record.columns.index("unmet_need")].sum()
    )


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("process", [p.__name__ for p in SCHEDULE])
def test_a_process_may_be_added_anywhere(where, process):
    def mine(model):
        model.seen = True

    names = [p.__name__ for p in PeaceModel(small(), **{where: {process: mine}}).schedule]
    assert names.index("mine") - names.index(process) == (-1 if where == "before" else 1)
    assert [n for n in names if n != "mine"] == [p.__name__ for p in SCHEDULE]


def test_several_processes_come_in_the_order_given_also_where_the_named_one_is_switched_off():
    def one(_):
        pass

    def two(_):
        pass

    p = small("processes.fight=false")
    names = [x.__name__ for x in PeaceModel(p, before={"fight": [one, two]}, after={"fight": flood}).schedule]
    assert names[names.index("move") + 1 : names.index("prey")] == ["one", "two", "flood"]


def test_a_place_that_is_not_in_the_week_is_refused():
    with pytest.raises(
        ValueError, match=r"no process 'flight' to add one to \(did you mean fight\?\); choose among"
    ):  # bands and civilians
        assert (drawn == np.multiply(255, to_rgb(colour)).round()).all(axis=2).sum() > 500
    assert len(charts) == 2
    for _ in range(3):
        shown.find(ipyvuetify.Btn, children=["Step"]).widget.click()
    assert not {country, *charts} & set(pictures())
    shown.close()
