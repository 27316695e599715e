"""The countries: the Central African Republic's facts are read as they stand, and Veltara is the default."""

import csv
from datetime import date

import numpy as np
import pytest
from conftest import CONF, by_hand, choices, loaded, play, scenario

from sim import PeaceModel, rules
from sim.country import in_place, km_from, make_land, weeks_until
from sim.outcomes import weekly
from sim.params import Hired

CAR = ("country=car", "mission=car_history")


def cells():
    """Read the table of cells of the Central African Republic."""
    with (CONF / "country" / "car_cells.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_the_default_country_is_a_fictional_one():
    p = loaded()
    assert p.country.name == "Veltara"
    assert p == loaded("country=veltara")
    assert p.country.cells is None
    assert p.country.observed is None
    assert p.country.weeks_observed == 0


@pytest.mark.parametrize("name", choices("country"))
def test_a_country_says_what_it_is_and_runs(name):
    p = loaded(f"country={name}")
    assert 20 <= len(p.country.summary) <= 120
    assert not [name for name, f in p.country.factions.items() if len(f.summary) <= 10], "they need a summary"
    m = play(f"country={name}", weeks=6, civilians=100)
    assert m.finished
    assert sum(m.factions.host) == 1


def test_the_central_african_republic_has_its_people():
    table = cells()
    total = sum(float(c["population"]) for c in table)
    m = PeaceModel(scenario(*CAR, weeks=1))
    assert m.people.born.sum() == round(total)
    assert round(total) == pytest.approx(4_610_848, abs=len(table))  # World Bank, 2012; cells are rounded
    assert m.land.births.sum() == pytest.approx(total)
    of_cell = np.array([float(c["population"]) for c in table])
    assert m.land.births.sum(axis=1) == pytest.approx(of_cell)
    assert m.land.births.min() >= 0


def test_the_central_african_republic_has_its_land():
    m = PeaceModel(scenario(*CAR, weeks=1))
    land, table = m.land, cells()
    assert land.row.size == len(table) == 984
    assert len(set(zip(land.row.tolist(), land.col.tolist(), strict=True))) == 984
    assert land.cell_km**2 * land.row.size == pytest.approx(623_000, rel=0.05)  # km2
    assert set(land.names) == {"south_west", "north_east", "herders"}
    assert len(set(land.admin)) == 17  # sixteen prefectures and Bangui
    for name, place in m.params.country.places.items():
        assert ((land.row == place.row) & (land.col == place.col)).any(), name
    bangui = np.flatnonzero(land.town == land.town.max())[0]
    assert land.remoteness[bangui] == land.remoteness.min()
    assert land.institutions[bangui] == land.institutions.max()


def test_cells_know_their_neighbours_and_none_beyond_the_border():
    land = make_land(loaded("country=car").country, 25, 25)
    for cell in (0, 400, land.row.size - 1):
        inside = land.near[cell][land.near[cell] >= 0]
        assert inside[0] == cell
        assert (np.abs(land.row[inside] - land.row[cell]) <= 1).all()
        assert (np.abs(land.col[inside] - land.col[cell]) <= 1).all()
        around = (np.abs(land.row - land.row[cell]) <= 1) & (np.abs(land.col - land.col[cell]) <= 1)
        assert set(inside) == set(np.flatnonzero(around))
    on_edge = (land.near < 0).any(axis=1)
    assert (land.border[on_edge] == land.cell_km / 2).all()
    assert (land.border[~on_edge] > land.cell_km / 2).all()


def test_factions_enter_on_their_real_dates():
    m = PeaceModel(scenario(*CAR, weeks=210))
    entered = {}
    while not m.finished:
        begun = m.record.day(m.luck.step)
        m.step()
        for name, n in zip(m.factions.names, m.strength(), strict=True):
            if n > 0:
                entered.setdefault(name, begun)
    dates = {n: f.enters for n, f in m.params.country.factions.items()}
    assert dates["seleka"] == "2012-12-10"
    assert dates["anti_balaka"] == "2013-09-06"
    assert entered.keys() == dates.keys()
    for name, day in dates.items():
        late = (entered[name] - date.fromisoformat(day or "2012-01-01")).days
        assert 0 <= late < 7, name


def test_before_it_enters_a_faction_does_nothing():
    m = play(*CAR, weeks=45, civilians=100)  # the Seleka come in week 49
    late = {m.factions.names.index(n) for n in ("seleka", "anti_balaka", "upc", "three_r")}
    assert not {e.side_a for _, e in m.record.events if e.kind in ("attack", "battle")} & late
    assert not {e.side_b for _, e in m.record.events if e.kind == "battle"} & late
    assert not m.factions.demobilised[list(late)].any()


def test_missions_come_and_go_on_their_real_dates():
    m = PeaceModel(scenario(*CAR, weeks=300, civilians=50))
    start = m.params.country.start
    plan = dict(zip(m.missions.names, zip(m.missions.arrive, m.missions.leave, strict=True), strict=True))
    assert plan["sangaris"] == (weeks_until(start, "2013-12-05"), weeks_until(start, "2016-10-31"))
    assert plan["misca"][1] == plan["minusca"][0] == weeks_until(start, "2014-09-15")


def test_strengths_are_those_that_are_known_on_the_days_they_are_known():
    p = scenario(*CAR, weeks=312, civilians=50)
    m = PeaceModel(p)
    for name, part in p.mission.components.items():
        n = m.missions.names.index(name)
        planned = m.plan[:, n] * m.missions.personnel[n, :3].sum()
        for day, persons in part.strength.items():
            week = weeks_until(p.country.start, day)
            if week == int(week) and m.missions.arrive[n] <= week < m.missions.leave[n]:
                assert planned[int(week)] == pytest.approx(persons), f"{name} on {day}"
            elif m.missions.arrive[n] + 1 <= week < m.missions.leave[n] - 1:
                before, after = planned[int(week) : int(week) + 2]
                assert min(before, after) <= persons * 1.03, f"{name} on {day}"
                assert max(before, after) >= persons * 0.97, f"{name} on {day}"


def test_strengths_between_two_days_lie_on_a_straight_line():
    m = PeaceModel(scenario(*CAR, weeks=200, civilians=50))
    sangaris = m.plan[:, m.missions.names.index("sangaris")]
    rising = np.diff(sangaris[115:121])  # from 2,000 on 15 March to 2,400 on 30 April 2014
    assert (rising > 0).all()
    assert np.ptp(rising) == pytest.approx(0, abs=1e-9)


def test_shares_of_communities_are_shares(tmp_path):
    land = make_land(by_hand(tmp_path, [(0, 0, 90, 0, 0, 0.5, 2, 1), (0, 1, 30, 0, 0, 0.5, 0, 1)]).country, 25, 25)
    assert land.births.tolist() == [[pytest.approx(60), pytest.approx(30)], [0, 30]]


def test_what_was_observed_stands_beside_the_run_and_is_never_read_by_it():
    plain = play(*CAR, weeks=30, civilians=100)
    p = scenario(*CAR, weeks=30, civilians=100)
    p.country.observed, p.country.weeks_observed = None, 0
    other = PeaceModel(p).run()
    assert weekly(plain).equals(weekly(other))


def test_distances_are_in_km():
    land = make_land(loaded().country, 25, 25)
    assert km_from(land, 0)[[1, 40, 41, 3 * 40 + 4]] == pytest.approx([25, 25, 25 * 2**0.5, 125])


def test_a_generated_map_is_the_same_map_for_every_run_and_another_for_another_map_seed():
    lands = [make_land(loaded(*o).country, 25, 25) for o in ((), ("seed=7",), ("country.map_seed=2",))]
    assert np.array_equal(lands[0].births, lands[1].births)
    assert not np.array_equal(lands[0].births, lands[2].births)
    for land in lands:
        assert land.births.sum() == pytest.approx(5_000_000)
        capital = np.flatnonzero(land.town == 1)
        assert (land.row[capital], land.col[capital]) == (8, 20)


def test_bands_start_among_their_own_or_where_they_are_said_to():
    m = PeaceModel(scenario(weeks=1))
    land, country = m.land, m.params.country
    rebels = m.factions.names.index("rebels")
    towns = [country.places[t] for t in country.factions["rebels"].start]
    for cell in m.bands.home[m.bands.faction == rebels]:
        km = min(25 * np.hypot(land.row[cell] - t.row, land.col[cell] - t.col) for t in towns)
        assert km <= 100
    spoilers = m.bands.home[m.bands.faction == m.factions.names.index("spoilers")]
    assert land.resources[spoilers].mean() > 3 * land.resources.mean()
    assert m.strength() == pytest.approx([country.factions[n].fighters for n in m.factions.names])


def test_calendar_weeks_are_counted_from_week_nought():
    assert weeks_until("2012-01-01", "2012-01-01") == 0
    assert weeks_until("2012-01-01", "2012-01-15") == 2
    assert weeks_until("2012-01-01", "2011-12-25") == -1
    m = play("mission=none", weeks=60, civilians=100)
    assert m.record.day(0) == date(2012, 1, 1)
    assert m.record.day(53) == date(2013, 1, 6)


@pytest.mark.parametrize(("cell_km", "cells", "sides"), [
    (25, 1, [1]), (12.5, 9, [0.5, 1, 0.5]), (50 / 3, 9, [0.25, 1, 0.25]), (50, 1, [0.5]), (100, 1, [0.25]),
])  # fmt: skip
def test_a_place_is_as_large_whatever_the_cells(cell_km, cells, sides):
    land = make_land(loaded(f"country.cell_km={cell_km}").country, 25, 25)
    middle = 20 * 40 + 20
    assert land.place.shape == (1600, cells)
    assert (land.place_share * cell_km**2).sum() == pytest.approx(25**2)
    assert (land.reach_share * cell_km**2).sum() == pytest.approx(75**2)
    square = {(int(land.row[c]) - 20, int(land.col[c]) - 20): s for c, s in zip(land.place[middle], land.place_share)}
    half = len(sides) // 2
    for r, along in enumerate(sides):
        for c, across in enumerate(sides):
            assert square[r - half, c - half] == pytest.approx(along * across)
    whole = in_place(land, land.births.sum(axis=1))
    by_hand = sum(s * land.births[c].sum() for c, s in zip(land.place[middle], land.place_share))
    assert whole[middle] == pytest.approx(by_hand)


def test_bands_march_from_place_to_place_and_meet_over_the_same_distance():
    for cell_km, stride in ((25, 1), (12.5, 2), (25 / 3, 3), (50, 1)):
        m = PeaceModel(scenario(f"country.cell_km={cell_km}"))
        middle = 20 * 40 + 20
        assert m.land.stride == stride
        steps = m.land.near[middle] - middle
        assert sorted(steps) == sorted(40 * stride * r + stride * c for r in (-1, 0, 1) for c in (-1, 0, 1))
        m.bands.cell[:] = middle
        m.bands.fighters[:] = 1.0
        near, around = [0 in rules.bands_near(m.view, c, -1) for c in range(1600)], m.fighters_around().sum(axis=0) > 0
        assert near == around.tolist()  # whom one knows of, one meets


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sponsored": {"2012-05-01": 2.0}}, "sponsored is 2 on 2012-05-01; it must lie in \\[0, 1\\] share"),
        ({"sponsored": {"May": 0.5}}, "sponsored is 'May'; a date is written YYYY-MM-DD"),
        ({"hired": Hired(fighters=10, until="2011-01-01")}, "hired ends on 2011-01-01, before it begins on 2012-01-01"),
    ],
)
def test_a_bad_sponsor_or_contract_is_refused_in_a_sentence(changes, said):
    p = scenario(civilians=100)
    for name, value in changes.items():
        setattr(p.country.factions["rebels"], name, value)
    with pytest.raises(ValueError, match=f"country.factions.rebels.{said}"):
        PeaceModel(p)
