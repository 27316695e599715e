"""What cannot be simulated is refused before the first week, in a sentence: what was given, what is allowed, where."""

from dataclasses import fields

import numpy as np
import pytest
from conftest import by_hand, put, scenario

from sim import PeaceModel, load
from sim.country import make_land
from sim.params import Benchmark, Component, Country, Faction, Force, Heartland, Mandate, Place, When, walk


def refused(params):
    """Return the sentence with which parameters are refused."""
    with pytest.raises(ValueError) as error:
        PeaceModel(params)
    said = str(error.value)
    assert "\n" not in said
    assert 20 < len(said) < 400
    return said


def changed(mission, change):
    """Return what is said of a mission model after a change of its components."""
    p = scenario(f"mission={mission}", weeks=10, civilians=50)
    change(p.mission.components)
    return refused(p)


# ---------------------------------------------------------------------------------- plans


def test_an_area_is_named_by_places_units_or_communities_that_are_there():
    said = changed("un_only", lambda c: setattr(c["un"], "area", ["Atlantis"]))
    assert said.startswith("mission.components.un.area names 'Atlantis'; choose among Dunwe, Kelbrun, ")


@pytest.mark.parametrize(
    ("benchmark", "wrong"),
    [
        (Benchmark(killed=-1), "benchmark.killed is -1; it must lie in [0, 1e+09]"),
        (Benchmark(institutions=2), "benchmark.institutions is 2; it must lie in [0, 1]"),
        (Benchmark(earliest=When(week=9)), "benchmark has an earliest week and no rule; give battle_deaths, killed,"),
        (Benchmark(killed=9, earliest=When(week=9, after="start")), "earliest gives week and after; give one of week,"),
        (
            Benchmark(killed=9, earliest=When(after="peace")),
            "earliest comes after 'peace'; choose among ",
        ),
        (Benchmark(killed=9, earliest=When(date="May")), "benchmark.earliest is 'May'; a date is written YYYY-MM-DD"),
    ],
)
def test_a_benchmark_is_a_rule_that_can_be_met(benchmark, wrong):
    said = changed("un_only", lambda c: setattr(c["un"], "benchmark", benchmark))
    assert said.startswith("mission.components.un.benchmark")
    assert wrong in said


def test_a_mission_cannot_leave_before_it_arrives():
    def change(c):
        c["un"].arrive, c["un"].leave = When(week=100), When(week=40)

    said = changed("un_only", change)
    assert said == "mission.components.un leaves in week 40, before it arrives in week 100"


def test_a_mission_cannot_leave_when_it_arrives():
    def change(c):
        c["un"].arrive, c["un"].leave = When(week=40), When(week=40)

    assert "leaves in week 40" in changed("un_only", change)


def test_a_plan_cannot_come_after_a_component_that_is_not_there():
    def change(c):
        c["regional"].leave.after = "african.arrive"

    said = changed("sequential", change)
    assert "mission.components.regional.leave comes after 'african.arrive'" in said
    for option in ("start", "authorisation", "un.arrive", "regional.leave"):
        assert option in said


def test_a_plan_cannot_come_after_a_moment_that_is_none():
    def change(c):
        c["un"].arrive.after = "regional"

    said = changed("sequential", change)
    assert "comes after 'regional'" in said
    assert "regional.arrive" in said


def test_plans_cannot_wait_for_each_other():
    def change(c):
        c["regional"].arrive.after, c["un"].arrive.after = "un.arrive", "regional.arrive"

    said = changed("sequential", change)
    assert "mission.components.un.arrive" in said
    assert "mission.components.regional.arrive" in said
    assert "wait for each other; give one of them a week, a date or an authorisation" in said


def test_a_moment_is_given_once():
    def change(c):
        c["un"].arrive = When(week=3, date="2012-06-01")

    said = changed("un_only", change)
    assert said == "mission.components.un.arrive gives week and date; give one of week, date, after"


@pytest.mark.parametrize("day", ["soon", "2012-13-01", "01.06.2012", "2012-02-30"])
def test_a_date_of_a_plan_is_a_date(day):
    def change(c):
        c["un"].arrive = When(date=day)

    said = changed("un_only", change)
    assert said == f"mission.components.un.arrive is {day!r}; a date is written YYYY-MM-DD"


def test_a_date_of_a_strength_is_a_date():
    def change(c):
        c["un"].strength = {"2012-04-31": 100.0}

    assert "mission.components.un.strength is '2012-04-31'; a date is written YYYY-MM-DD" in changed("un_only", change)


@pytest.mark.parametrize(
    ("where", "setting"),
    [
        ("country.start", "country.start=yesterday"),
        ("country.factions.rebels.enters", "country.factions.rebels.enters=spring"),
        ("country.factions.rebels.leaves", "country.factions.rebels.leaves=2013-02-30"),
    ],
)
def test_a_date_of_the_country_is_a_date(where, setting):
    said = refused(load(setting, "weeks=10", "civilians=50"))
    assert said.startswith(where)
    assert setting.split("=")[1] in said
    assert "YYYY-MM-DD" in said


@pytest.mark.parametrize("week", [float("nan"), float("inf")])
def test_a_week_of_a_plan_is_a_number(week):
    def change(c):
        c["un"].arrive = When(week=week)

    assert "mission.components.un" in changed("un_only", change)


def test_a_known_strength_is_not_negative():
    def change(c):
        c["un"].strength = {"2012-01-01": -5.0}

    said = changed("un_only", change)
    assert "mission.components.un.strength" in said
    assert "-5" in said


def test_a_known_strength_needs_somebody_in_uniform():
    def change(c):
        c["un"].strength = {"2012-01-01": 100.0}
        c["un"].personnel.troops = c["un"].personnel.police = c["un"].personnel.observers = 0.0

    said = changed("un_only", change)
    assert said.startswith("mission.components.un.strength is given")
    assert "nobody in uniform" in said


# ---------------------------------------------------------------------------------- components


def test_an_unknown_mandate_is_refused_with_those_there_are():
    with pytest.raises(Exception, match="multidimensional") as error:
        load("mission=un_only", "mandate@mission.components.un.mandate=everything")
    assert "everything" in str(error.value)


def test_a_component_without_a_force_or_a_mandate_is_refused():
    def without(name, part):
        def change(c):
            c["late"] = Component(force=c["un"].force, mandate=c["un"].mandate)
            setattr(c["late"], name, part())

        return changed("un_only", change)

    choose = "choose one from conf/force and one from conf/mandate"
    assert without("force", Force) == f"mission.components.late has no force; {choose}"
    assert without("mandate", Mandate) == f"mission.components.late has no mandate; {choose}"


def test_nobody_takes_over_from_a_component_that_is_not_there():
    def change(c):
        c["un"].takes_over = "african"

    said = changed("sequential", change)
    assert said == "mission.components.un.takes_over is 'african'; choose among regional"


def test_nobody_takes_over_from_himself():
    def change(c):
        c["un"].takes_over = "un"

    assert "takes_over is 'un'; choose among regional" in changed("sequential", change)
    assert "nobody: it is the only component" in changed("un_only", change)


def test_a_budget_must_pay_for_the_headquarters():
    said = refused(load("mission=un_only", "mission.budget=1e8", "weeks=10"))
    assert said.startswith("mission.budget is 1e+08 US$; the headquarters alone cost ")


# ---------------------------------------------------------------------------------- tables of cells


def test_a_table_of_cells_must_exist():
    said = refused(load("country.cells=atlantis.csv", "weeks=10"))
    assert said.startswith("country.cells is 'atlantis.csv'; no such file")


def test_a_table_of_cells_must_have_its_columns(tmp_path):
    table = tmp_path / "cells.csv"
    table.write_text("row,col,people\n0,0,10\n0,1,10\n", encoding="utf-8")
    said = refused(load(f"country.cells={table}", "weeks=10"))
    assert "without the columns population, remoteness, resources, institutions" in said
    assert "it has row, col, people" in said


def test_a_table_of_cells_must_have_communities(tmp_path):
    table = tmp_path / "cells.csv"
    head = "row,col,population,remoteness,resources,institutions"
    table.write_text(f"{head}\n0,0,10,0,0,0\n0,1,10,0,0,0\n", encoding="utf-8")
    assert "without the columns share_<community>" in refused(load(f"country.cells={table}", "weeks=10"))


def test_a_table_of_cells_must_hold_numbers(tmp_path):
    p = by_hand(tmp_path, [(0, 0, "many", 0, 0, 0.5, 1, 0), (0, 1, 50, 0, 0, 0.5, 1, 0)])
    said = refused(p)
    assert "country.cells" in said
    assert "population" in said
    assert "many" in said


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("population", (0, 0, -5, 0, 0, 0.5, 1, 0)),
        ("remoteness", (0, 0, 50, 3, 0, 0.5, 1, 0)),
        ("resources", (0, 0, 50, 0, -1, 0.5, 1, 0)),
        ("institutions", (0, 0, 50, 0, 0, "nan", 1, 0)),
        ("share", (0, 0, 50, 0, 0, 0.5, 0, 0)),
    ],
)
def test_a_table_of_cells_must_hold_possible_numbers(tmp_path, column, cell):
    said = refused(by_hand(tmp_path, [cell, (0, 1, 50, 0, 0, 0.5, 1, 0)]))
    assert "country.cells" in said
    assert column in said


def test_cells_far_apart_make_no_huge_grid(tmp_path):
    p = by_hand(tmp_path, [(0, 0, 50, 0, 0, 0.5, 1, 0), (9_999, 9_999, 70, 0, 0, 0.5, 1, 0)])
    assert "whose cells lie in a rectangle of 10,000 rows and 10,000 columns; it may have at most" in refused(p)


def test_a_cell_is_in_the_table_once(tmp_path):
    p = by_hand(tmp_path, [(0, 0, 50, 0, 0, 0.5, 1, 0), (0, 0, 70, 0, 0, 0.5, 1, 0), (0, 1, 70, 0, 0, 0.5, 1, 0)])
    said = refused(p)
    assert "country.cells" in said
    assert "row 0, col 0" in said


def test_a_country_in_a_table_has_at_least_two_cells(tmp_path):
    said = refused(by_hand(tmp_path, [(0, 0, 50, 0, 0, 0.5, 1, 0)]))
    assert "with 1 cells; at least 2 are needed" in said


def test_somebody_lives_in_a_table_of_cells(tmp_path):
    said = refused(by_hand(tmp_path, [(0, 0, 0, 0, 0, 0.5, 1, 0), (0, 1, 0, 0, 0, 0.5, 1, 0)]))
    assert "with nobody in it; population must be positive" in said


# ---------------------------------------------------------------------------------- generated countries


def test_a_generated_country_has_at_least_two_cells():
    p = scenario(civilians=10, weeks=5)
    p.country.rows = p.country.cols = 1
    p.country.places = {}
    assert refused(p) == "country.rows x country.cols is 1 x 1; a country needs at least 2 cells"


def test_somebody_lives_in_a_generated_country():
    said = refused(load("country.population=0", "weeks=10"))
    assert said == "country.population is 0; it must be at least 1 person"


def test_towns_hold_no_more_people_than_the_country():
    said = refused(load("country.population=1000000", "weeks=10"))
    assert said.startswith("country.population is 1e+06; the places alone have 1.44e+06 persons")


def test_a_place_lies_in_the_country():
    said = refused(load("country.places.Oravel.row=99", "weeks=10"))
    assert said == "country.places.Oravel lies at row 99, col 20, outside the country (40 rows, 40 columns)"


def test_a_generated_country_has_a_community():
    p = scenario(civilians=10, weeks=5)
    p.country.communities = {}
    assert refused(p).startswith("country.communities is empty")


def test_a_generated_country_of_weightless_communities_is_refused():
    p = scenario(civilians=10, weeks=5)
    for heartland in p.country.communities.values():
        heartland.weight = 0.0
    assert "country.communities" in refused(p)


@pytest.mark.parametrize("words", [["mission=separated"], ["country=car", "mission=car_history"]])
def test_whole_numbers_given_in_python_make_the_same_world(words):
    """An array of whole numbers would cut off what rules put into it, and all rules would be compiled again for it."""

    def types(p):
        tables = PeaceModel(p).tables().items()
        return {f"{name}.{f.name}": _type(getattr(table, f.name)) for name, table in tables for f in fields(table)}

    p = scenario(*words, civilians=50, weeks=5)
    put(put(p, "feel.start", 1.0), "feel.misinformation", 1.0)
    usual = types(p)
    for path, f, value in [*walk(p)]:
        if f.type is float and value is not None and value == int(value):
            put(p, path, int(value))
    assert types(p) == usual


def _type(value):
    return value.dtype if isinstance(value, np.ndarray) else ""


def test_the_smallest_country_there_can_be_runs():
    p = scenario(civilians=2, weeks=5)
    p.country = Country(
        rows=1, cols=2, population=2, communities={"all": Heartland(row=0, col=0)},
        places={"Town": Place(row=0, col=1, persons=1, capital=True)},
        factions={"band": Faction(fighters=1, bands=1)},
    )  # fmt: skip
    assert make_land(p.country, 25, 25).births.sum() == pytest.approx(2)
    assert PeaceModel(p).run().people.born.tolist() == [1, 1]


# ---------------------------------------------------------------------------------- people and factions


def test_there_is_at_least_one_civilian():
    said = refused(load("civilians=0", "weeks=10"))
    assert said == "civilians is 0; it must lie in [1, 2e+07] agent"


def test_a_civilian_is_at_least_one_person():
    said = refused(load("civilians=5000001", "weeks=10"))
    assert said == "civilians is 5000001; the country has only 5000000 persons, at least one per agent"


def test_a_faction_has_at_least_one_band():
    said = refused(load("country.factions.rebels.bands=0", "weeks=10"))
    assert said == "country.factions.rebels.bands is 0; it must lie in [1, 2000] band"


def test_there_is_at_least_one_faction():
    p = scenario(civilians=10, weeks=5)
    p.country.factions = {}
    assert refused(p) == "country.factions is empty; name at least one armed faction"


@pytest.mark.parametrize(
    ("setting", "where", "among"),
    [
        ("country.factions.rebels.start=[Nowhere]", "country.factions.rebels.start", "Tesmar"),
        ("+country.factions.rebels.community.westerners=1", "country.factions.rebels.community", "hills, north, south"),
        ("country.factions.militia.rivals=[nobody]", "country.factions.militia.rivals", "rebels"),
    ],
)
def test_a_faction_refers_to_what_there_is(setting, where, among):
    said = refused(load(setting, "weeks=10"))
    assert said.startswith(f"{where} names ")
    assert "; choose among " in said
    assert among in said


@pytest.mark.parametrize("share", [-1.0, float("nan")])
def test_a_faction_cannot_draw_on_less_than_nobody(share):
    p = scenario(civilians=10, weeks=5)
    p.country.factions["rebels"].community["north"] = share
    said = refused(p)
    assert "country.factions.rebels.community" in said


def test_a_country_has_one_government_at_most():
    said = refused(load("country.factions.rebels.host=true", "weeks=10"))
    assert said == "country.factions has 2 hosts; at most one is the government"


def test_a_faction_cannot_leave_before_it_enters():
    said = refused(load("country.factions.rebels.enters=2013-01-01", "country.factions.rebels.leaves=2012-06-01"))
    assert said == "country.factions.rebels leaves on 2012-06-01, before it enters on 2013-01-01"


def test_a_bad_value_is_said_before_anything_is_read():
    said = refused(load("country.cells=atlantis.csv", "weeks=0"))
    assert said.startswith("weeks is 0; it must lie in [1, 5200] week")
