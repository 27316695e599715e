"""The cases in a teaching version: they load, run, follow the record, and say that they are not calibrated."""

import csv
import json
import re
import sys
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import CONF, loaded, play, scenario

from experiments.__main__ import main
from experiments.drawing import style
from experiments.engine import experiment
from sim import PeaceModel
from sim.country import weeks_until
from sim.outcomes import weekly

ROOT = CONF.parent
PAGES = ROOT / "docs" / "cases"
CASES = {"timor_leste": 383, "darfur": 730, "mali": 626}  # weeks of which something was observed
RECORD = {  # components whose strengths are in the observed months
    "timor_leste": {"unamet", "untaet_police", "untaet", "unmiset"}, "darfur": {"african", "un"}, "mali": {"minusma"},
}  # fmt: skip
STATED = {  # case: column, first month, last month, sum, as the pages have them
    "timor_leste": [
        ("refugees", "1999-12", "1999-12", 162_472), ("refugees", "2002-12", "2002-12", 28_097),
        ("idps", "2006-12", "2006-12", 155_231), ("peacekeepers_killed", "1999-08", "1999-12", 7),
        ("uniformed", "2000-02", "2000-02", 7_680), ("uniformed", "2005-04", "2005-04", 645),
    ],
    "darfur": [
        ("civilians_killed", "2007-01", "2007-12", 158), ("civilians_killed", "2008-01", "2008-12", 325),
        ("battle_deaths", "2007-01", "2007-12", 125), ("battle_deaths", "2008-01", "2008-12", 422),
        ("idps", "2007-12", "2007-12", 2_450_000), ("peacekeepers_killed", "2008-01", "2008-12", 11),
        ("peacekeepers_killed", "2009-01", "2020-12", 63), ("uniformed", "2008-01", "2008-01", 9_080),
    ],
    "mali": [
        ("idps", "2012-12", "2012-12", 230_000), ("refugees", "2023-12", "2023-12", 249_046),
        ("peacekeepers_killed", "2013-07", "2023-12", 174), ("aid_worker_incidents", "2021-01", "2021-12", 21),
        ("uniformed", "2017-03", "2017-03", 12_338),
    ],
}  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES)


def history(case, *overrides, **about):
    """Return a small scenario of a case with the missions that were there."""
    return scenario(f"country={case}", f"mission={case}_history", *overrides, **about)


def observed(case):
    return pd.read_csv(CONF / "country" / f"{case}_observed.csv", comment="#").set_index("month")


def week_of(m, day):
    return weeks_until(m.params.country.start, day)


@each_case
def test_a_case_runs_with_the_missions_that_were_there_and_without(case):
    for mission in (f"{case}_history", "none"):
        m = play(f"country={case}", f"mission={mission}", weeks=60, civilians=300)
        assert m.finished
        assert np.isfinite(m.people.need).all()
        assert (m.strength() >= 0).all()
    assert m.missions.names == ("ngos", "un_agencies")


@each_case
def test_a_case_says_first_that_it_is_not_calibrated(case):
    assert loaded(f"country={case}").country.note.startswith("Not calibrated.")
    page = (PAGES / f"{case}.md").read_text(encoding="utf-8")
    assert page.split("\n\n")[1].startswith("**Not calibrated.**")
    for part in ("What it claims", "What it leaves out", "What is assumed", "What happened", "Sources"):
        assert f"\n## {part}\n" in page, part
    cards = yaml.safe_load((CONF / "classroom" / "cards.yaml").read_text(encoding="utf-8"))
    mine = [c for c in cards if f"country={case}" in c["models"][0]]
    assert mine
    assert all("Not calibrated" in c["text"] for c in mine)


def test_the_page_of_the_cases_leads_to_all_of_them_and_files_that_are_named_exist():
    table = (PAGES / "README.md").read_text(encoding="utf-8")
    for case in CASES:
        assert f"({case}.md)" in table
        page = (PAGES / f"{case}.md").read_text(encoding="utf-8")
        for name in re.findall(r"`((?:sim|conf|tests|docs|experiments)/[\w./]*)`", page):
            assert (ROOT / name).exists(), name
        assert len(page.split()) < 800


@each_case
def test_every_number_of_a_faction_has_a_source_or_is_called_assumed_or_that_of_veltara(case):
    text = (CONF / "country" / f"{case}.yaml").read_text(encoding="utf-8")
    assert "assumed" in text
    for line in re.findall(r"^ +fighters: .*$", text, re.MULTILINE):
        about = text[: text.index(line)].splitlines()[-12:]  # in the line, or above the faction
        assert "#" in line or any("#" in a for a in about), line


# ---------------------------------------------------------------------------------- what was deployed


@each_case
def test_strengths_are_those_of_the_record(case):
    p = history(case, weeks=CASES[case], civilians=50)
    m = PeaceModel(p)
    planned = m.plan * m.missions.personnel[:, :3].sum(axis=1)
    for name, part in p.mission.components.items():
        n = m.missions.names.index(name)
        for day, persons in part.strength.items():
            week = week_of(m, day)
            if max(m.missions.arrive[n], 0) + 1 <= week < min(m.missions.leave[n], CASES[case] - 1) - 1:
                before, after = planned[int(week) : int(week) + 2, n]
                assert min(before, after) <= persons * 1.03 + 60, f"{name} on {day}"
                assert max(before, after) >= persons * 0.97 - 60, f"{name} on {day}"


@each_case
def test_what_is_there_week_by_week_is_what_was_counted_at_the_end_of_months(case):
    """The column of observed months and the strengths of the components say the same, and re-hatting adds nobody."""
    m = PeaceModel(history(case, weeks=CASES[case], civilians=50))
    theirs = [m.missions.names.index(n) for n in RECORD[case]]
    seen, found = observed(case)["uniformed"].dropna(), 0
    first, last, weeks = min(m.missions.arrive[theirs]), max(m.missions.leave[theirs]), np.arange(len(m.plan))
    for month, counted in seen.items():
        end = (pd.Period(month).end_time).date()
        week = week_of(m, end.isoformat())
        if not max(first, 1) <= week < min(last, CASES[case]) - 1 or abs(m.missions.arrive[theirs] - week).min() < 1:
            continue  # not in a week in which one of them comes: the plan is weekly
        there = sum(np.interp(week, weeks, m.plan[:, n]) * m.missions.personnel[n, :3].sum() for n in theirs)
        assert there == pytest.approx(counted, rel=0.06, abs=80), month
        found += 1
    assert found > 40


@pytest.mark.parametrize(("case", "first", "second", "day"), [
    ("timor_leste", "interfet", "untaet", "2000-02-23"), ("darfur", "amis", "african", "2007-12-31"),
    ("mali", "afisma", "minusma", "2013-07-01"),
])  # fmt: skip
def test_at_a_hand_over_the_bases_are_kept_and_hardly_anybody_is_missing(case, first, second, day):
    p = history(case, weeks=30, civilians=100)
    for f in p.country.factions.values():  # begin twelve weeks before the day, with everybody there
        f.enters = f.leaves = None
    p.country.start = (date.fromisoformat(day) - timedelta(weeks=12)).isoformat()
    m = PeaceModel(p)
    one, two = (m.missions.names.index(n) for n in (first, second))
    while m.week < 12:
        m.step()
    held, there = bases(m, one), m.missions.persons[[one, two], :3].sum()
    for _ in range(2):
        m.step()
    assert m.missions.persons[one].sum() == 0
    assert len(held & bases(m, two)) >= 0.5 * len(held)
    assert m.missions.persons[two, :3].sum() > 0.6 * there


def bases(m, mission):
    """Return the cells in which a mission has bases."""
    u = m.units
    return set(u.cell[(u.mission == mission) & (u.cell >= 0) & ~u.team].tolist())


def test_once_the_host_has_left_nobody_can_ask_a_mission_to_go():
    m = PeaceModel(history("timor_leste", weeks=20, civilians=100))
    gone = week_of(m, "1999-10-31")
    while m.week < 12:
        m.factions.hostility[:] = 0.5
        assert (m.hostility_of_host() == (0.5 if m.week < gone else 0.0)).all()
        m.step()
    assert gone < 12
    assert m.strength()[m.factions.names.index("indonesian_forces")] == 0
    assert not np.isfinite(m.missions.expelled).any()


def test_two_bosses_of_a_hybrid_are_the_same_people_under_two_commands():
    one, two = (
        PeaceModel(scenario("country=darfur", f"mission={k}", weeks=80, civilians=100))
        for k in ("darfur_history", "darfur_history_two_bosses")
    )
    assert one.missions.names == two.missions.names
    assert np.array_equal(one.missions.personnel, two.missions.personnel)
    assert np.array_equal(one.plan, two.plan)
    assert len(two.commands.names) == len(one.commands.names) + 1
    assert two.params.mission.coordination < one.params.mission.coordination
    assert {"unamid", "african_union", "united_nations"} <= set(one.commands.names) | set(two.commands.names)


def test_mali_asked_in_june_and_half_a_year_later_nobody_was_there():
    m = PeaceModel(history("mali", weeks=1, civilians=50))
    n = m.missions.names.index("minusma")
    assert m.missions.leave[n] - week_of(m, "2023-06-16") == pytest.approx(28, abs=0.5)
    last = [np.interp(week_of(m, d), *m.missions.strength[n]) for d in ("2023-06-16", "2023-09-20", "2023-12-01")]
    assert last[0] > last[1] > last[2] > 0
    assert m.missions.leave[m.missions.names.index("barkhane")] == week_of(m, "2022-08-15")
    france = {m.commands.names[m.missions.command[m.missions.names.index(k)]] for k in ("serval", "barkhane")}
    assert france == {"france"}


def test_the_simulated_host_cannot_undo_a_record_but_decides_where_it_is_asked_to():
    for asked in (False, True):
        p = history("mali", weeks=130, civilians=100)
        p.mission.components["minusma"].force.needs_consent = asked
        m = PeaceModel(p)
        n, host = m.missions.names.index("minusma"), m.factions.host
        while not m.finished:
            m.factions.hostility[host] = 0.99
            m.step()
        assert np.isfinite(m.missions.expelled[n]) == asked


# ---------------------------------------------------------------------------------- what happened


@each_case
def test_the_observed_months_are_what_the_page_says(case):
    months = observed(case)
    for column, first, last, total in STATED[case]:
        assert months.loc[first:last, column].sum() == total, (column, first)
        assert f"{total:,}" in (PAGES / f"{case}.md").read_text(encoding="utf-8") or column != "refugees"


@each_case
def test_observed_months_go_on_without_a_gap_and_cover_the_weeks_that_are_said(case):
    months = observed(case)
    country = loaded(f"country={case}").country
    wanted = pd.period_range(months.index[0], months.index[-1], freq="M").astype(str)
    assert list(months.index) == list(wanted)
    assert months.index[0] == country.start[:7]
    ends = pd.Period(months.index[-1]).end_time.date().isoformat()
    assert weeks_until(country.start, ends) == pytest.approx(country.weeks_observed, abs=1)
    assert country.weeks_observed == CASES[case]


@each_case
def test_what_happened_and_the_note_are_read_by_no_rule(case):
    plain = play(f"country={case}", f"mission={case}_history", weeks=12, civilians=100)
    p = history(case, weeks=12, civilians=100)
    p.country.observed, p.country.weeks_observed, p.country.note = None, 0, ""
    assert weekly(plain).equals(weekly(PeaceModel(p).run()))


@pytest.mark.parametrize("case", ["darfur", "mali"])
def test_observed_bases_lie_in_the_country(case):
    bases = pd.read_csv(CONF / "country" / f"{case}_observed_bases.csv", comment="#")
    land = PeaceModel(scenario(f"country={case}", weeks=1, civilians=50)).land
    cells = set(zip(land.row.tolist(), land.col.tolist(), strict=True))
    assert set(zip(bases.row, bases.col)) <= cells
    assert (bases.first_year <= bases.last_year).all()
    assert len(bases) >= 15


# ---------------------------------------------------------------------------------- the land


def cells(case):
    with (CONF / "country" / f"{case}_cells.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@each_case
def test_cells_have_the_people_and_the_towns_that_the_land_says(case):
    land = yaml.safe_load((PAGES / f"{case}_land.yaml").read_text(encoding="utf-8"))
    table = cells(case)
    assert sum(float(c["population"]) for c in table) == pytest.approx(land["population"], abs=len(table))
    at = {(int(c["row"]), int(c["col"])): c for c in table}
    places = loaded(f"country={case}").country.places
    towns = {t: (name, persons) for name, d in land["districts"].items() for t, (_, _, persons) in d["towns"].items()}
    assert {t: p.persons for t, p in places.items()} == {t: persons for t, (_, persons) in towns.items()}
    for town, place in places.items():
        assert at[place.row, place.col]["admin1"] == towns[town][0], town
    assert [t for t, p in places.items() if p.capital] == [land["capital"]]


def test_cells_are_made_of_an_outline_a_grid_and_districts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PAGES))
    import make_cells

    land = {
        "outline": "Squareland", "iso3": "SQU", "box": [0, 0, 2, 2], "cell_km": 25, "capital": "East Town",
        "population": 2_000, "communities": ["a", "b"], "deposits": {"mine": [1.5, 1.5, 20, 0.8]},
        "districts": {
            "west": {"persons": 400, "shares": {"a": 1.0}, "towns": {"West Town": [1, 0.6, 100]}},
            "east": {"persons": 600, "shares": {"a": 0.5, "b": 0.5}, "state": 0.5,
                     "towns": {"East Town": [1, 1.4, 300]}},
        },
    }  # fmt: skip
    outline = {  # a square from 0.25 to 1.75 degrees, its arcs as steps
        "transform": {"scale": [0.01, 0.01], "translate": [0, 0]}, "arcs": [[[25, 25], [150, 0], [0, 150]],
                                                                         [[25, 25], [0, 150], [150, 0]]],
        "objects": {"countries": {"geometries": [
            {"type": "Polygon", "properties": {"name": "Squareland"}, "arcs": [[0, ~1]]}]}},
    }  # fmt: skip
    (tmp_path / "outline.json").write_text(json.dumps(outline), encoding="utf-8")
    grid = ["iso3,xcoord,ycoord,ttime_min", *(f"SQU,{x},{y},{100 * x}" for x in (0.5, 1, 1.5) for y in (0.5, 1, 1.5))]
    (tmp_path / "grid.csv").write_text("\n".join(grid), encoding="utf-8")
    (tmp_path / "square_land.yaml").write_text(yaml.safe_dump(land), encoding="utf-8")
    monkeypatch.setattr(make_cells, "HERE", tmp_path)
    monkeypatch.setattr(make_cells, "CONF", tmp_path)
    given = ["make_cells", "square", "--grid", str(tmp_path / "grid.csv"), "--outline", str(tmp_path / "outline.json")]
    monkeypatch.setattr(sys, "argv", given)
    make_cells.main()
    table = pd.read_csv(tmp_path / "square_cells.csv")
    assert len(table) == pytest.approx((1.5 * 111.2 / 25) ** 2, rel=0.25)
    assert table.population.sum() == pytest.approx(2_000, abs=len(table))
    people = table.groupby("admin1").population.sum()
    assert people["east"] == pytest.approx(1_200, abs=len(table))
    assert table.remoteness.between(0, 1).all()
    assert table[table.admin1 == "east"].remoteness.mean() > table[table.admin1 == "west"].remoteness.mean()
    assert table.loc[table.population.idxmax(), "admin1"] == "east"
    assert (table.share_a + table.share_b == 1).all()
    assert table.resources.max() > 0.5 * 0.8
    assert table.latitude.to_numpy() == pytest.approx((table.row + 0.5).to_numpy() * 25 / 111.2, abs=0.001)
    assert table.longitude.to_numpy() == pytest.approx(
        (table.col + 0.5).to_numpy() * 25 / 111.2, abs=0.001
    )  # 1 degree north
    edge = table[(table.row == table.row.max()) | (table.col == table.col.min())]
    assert edge.border.all()
    assert not table.border.all()


# ---------------------------------------------------------------------------------- under every figure


def test_every_figure_of_an_experiment_in_such_a_country_says_that_it_is_not_calibrated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = {}

    def kept(figure, note):
        figure = style_noted(figure, note)
        said[len(said)] = figure.get_suptitle()
        return figure

    style_noted = style.noted
    monkeypatch.setattr(style, "noted", kept)
    made = experiment.Experiment("darfur", ["experiment.seeds=2", "civilians=100", "weeks=60"])
    made.run(1)
    assert len(said) == len(made.about.figures) == 3
    assert all("Not calibrated." in title for title in said.values())


def test_a_figure_of_a_fictional_country_says_no_such_thing():
    figure, _ = style.sheet(2, "A title")
    assert style.noted(figure, loaded().country.note).get_suptitle() == "A title"
    assert style.noted(figure, "Not calibrated.").get_suptitle() == "A title\nNot calibrated."


def test_the_classroom_says_it_too():
    pytest.importorskip("starlette", reason="the classroom's server is not installed")
    from experiments.classroom import scene, stage

    about = stage.Stage(scene.Scene((("country=timor_leste", "mission=none", "civilians=100", "weeks=8"),))).about()
    assert about["country"]["note"].startswith("Not calibrated.")


def test_months_of_another_time_than_the_run_are_refused_before_the_first_week(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["mali", "country.start=1990-01-01", "experiment.seeds=1", "weeks=60", "civilians=50"])
    assert (
        "what was observed is of 2012-01 to 2023-12, and the run of 1990-01 to 1991-02: there is no month to compare"
        in (capsys.readouterr().err)
    )
    assert not list(tmp_path.rglob("*.parquet"))
