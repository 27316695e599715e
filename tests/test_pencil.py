"""Weeks worked out by hand: a few people and places, no luck, and the numbers that a pencil gives.

A step is a week of 1/52 year, so that a rate of 0.52 per year is a hundredth a week and 5.2 is a tenth.
"""

from datetime import timedelta

import numpy as np
import pytest
from conftest import by_hand, each, mission, numbers_of, only, play, put, scenario, uncompiled

from sim import (
    PeaceModel,
    accounts,
    census,
    contributors,
    deaths,
    draws,
    load,
    misinformation,
    outcomes,
    rules,
    seasons,
    siting,
)
from sim.mandate import contention
from sim.outcomes import monthly, totals, weekly
from sim.params import AID, TASKS, Benchmark, Caveats, Contributor, Faction, Hired, Place, When
from sim.plans import plan
from sim.processes import (
    ambush,
    deploy,
    enforce,
    feel,
    fight,
    judge,
    live,
    move,
    negotiate,
    observe,
    prey,
    recruit,
    relieve,
    task,
)
from sim.processes.negotiate import commitment_change, not_twice, signing
from sim.state import ABROAD, AWAY, Event

near = pytest.approx  # relative error of a millionth

TWO = [(0, 0, 1_000, 0, 0, 0.5, 1, 0), (0, 1, 1_000, 0, 0, 0.5, 1, 0)]
LINE = [(0, col, 1_000, 0, 0, 0.5, 1, 0) for col in range(5)]
NO_CHANGE = {"live__livelihood": 0, "live__poverty": 0, "live__displaced_need": 0, "live__violence_need": 0}
STAY = {"live__flight": 0, "live__homecoming": 0, "live__mortality": 0}


def column(model, name):
    """Return one weekly number as a list."""
    return weekly(model)[name].tolist()


# ---------------------------------------------------------------------------------- need and death


def test_need_at_home_displaced_and_abroad(tmp_path):
    cells = [*TWO, (0, 2, 1_000, 0, 0, 0.5, 1, 0)]
    p = by_hand(tmp_path, cells, **STAY, live__livelihood=5.2, live__poverty=1.04, live__displaced_need=5.2,
                live__coping=0.5, live__abroad=5.2)  # fmt: skip
    m = PeaceModel(only(p, "live"))
    m.people.status[1], m.people.status[2] = AWAY, ABROAD
    assert m.people.need.tolist() == [0.1, 0.1, 0.1]
    # home:   +0.02 x 0.5 (half a state) x 0.9 - 0.1 x 0.1       = +0.009 - 0.010
    # away:   +(0.01 + 0.1) x 0.9         - 0.5 x 0.1 x 0.1      = +0.099 - 0.005
    # abroad:                             - 0.1 x 0.1            =        - 0.010
    m.step()
    assert m.people.need == near([0.099, 0.194, 0.09])
    # home: +0.01 x 0.901 - 0.1 x 0.099; away: +0.11 x 0.806 - 0.05 x 0.194; abroad: -0.1 x 0.09
    m.step()
    assert m.people.need == near([0.09811, 0.27296, 0.081])


def test_the_killed_are_taken_from_their_households_to_the_last():
    for seed in range(30):
        persons, toll = np.array([2, 2, 1, 3]), np.array([[4], [3]])
        people, cell, nobody = np.array([[5], [3]]), np.array([0, 0, 0, 1]), np.zeros(4, dtype=np.int8)
        live.bury(np.uint64(seed), toll, people, cell, np.zeros(4, dtype=np.int64), nobody, persons)
        assert (persons[:3].sum(), persons[3]) == (1, 0)
        assert persons.min() >= 0


def test_the_census_weighs_by_persons(tmp_path):
    cells = [(0, 0, 1_000, 0, 0, 0.2, 1, 0), (0, 1, 3_000, 0, 0, 0.6, 0, 1)]
    factions = {
        "ours": Faction(fighters=9, bands=1, community={"a": 1.0, "b": 0.5}),
        "theirs": Faction(fighters=9, bands=1),
    }
    m = PeaceModel(by_hand(tmp_path, cells, factions, civilians=4))
    m.land.felt[:], m.factions.rival[:] = [0.4, 0.8], ~np.eye(2, dtype=bool)
    m.people.grievance[:] = np.array([[0.9, 0.4], [0.7, 0.8]])[m.people.cell]  # toward ours and theirs, by place
    census.take_census(m.view)
    assert (m.census.felt[0], m.census.institutions[0]) == near((0.7, 0.5))
    assert m.census.grievance == near(np.array([[0.9, 0.4], [0.7, 0.8]]))
    # its own are 1,000 and half of 3,000, and what counts is their grievance toward its rival
    assert m.census.grudge[0] == near((1_000 * 0.4 + 1_500 * 0.8) / 2_500)
    m.people.status[np.flatnonzero(m.people.cell)[:2]] = ABROAD
    census.take_census(m.view)
    assert (m.census.alive[0], m.census.refugees[0]) == (4_000, 2_000)
    assert m.census.persons.tolist() == [1_000, 1_000]


def test_aid_takes_need_away(tmp_path):
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, {"m": mission()}, **STAY, **NO_CHANGE, live__aid=26), "live"))
    m.now.aid[0, 0] = 1.0  # everybody in the first place is served, nobody in the second
    m.step()
    assert m.people.need == near([0.05, 0.1])  # half of it in a week
    assert m.aided.tolist() == [True, False]


def test_death_from_need(tmp_path):
    cells = [(0, 0, 10_000, 0, 0, 0.5, 1, 0), (0, 1, 10_000, 0, 0, 0.5, 1, 0)]
    p = by_hand(tmp_path, cells, **STAY | {"live__mortality": 0.52}, **NO_CHANGE)
    m = PeaceModel(only(p, "live", "observe"))
    m.people.need[:] = 1.0, 0.5
    # a hundredth of 10,000 at full need; a quarter of that at half of it
    m.step()
    assert m.people.persons.tolist() == [9_900, 9_975]
    # 99 of 9,900; 24.9375 of 9,975, by luck one up or down
    m.step()
    assert m.people.persons[0] == 9_801
    assert m.people.persons[1] in (9_950, 9_951)
    assert column(m, "excess_deaths")[:2] == [125, 19_875 - m.people.persons.sum()]
    assert column(m, "unmet_need")[0] == 9_900 + 9_975 / 2


def test_the_killed_are_buried_where_they_lived_and_their_violence_is_felt_around(tmp_path):
    p = by_hand(tmp_path, LINE, **STAY, **NO_CHANGE, civilians=20, live__memory=1, live__half_violence=10)
    m = PeaceModel(only(p, "live", "observe"))
    assert m.kill(2, 20, 0.5, faction=0) == 20
    m.step()
    # 250 persons to a civilian; 20 of the 1,000 people of the third place are dead
    of_place = m.people.persons.reshape(5, 4).sum(axis=1)
    assert of_place.tolist() == [1_000, 1_000, 980, 1_000, 1_000]
    assert m.people.persons[8:12].min() >= 250 - 20
    # 1,000 x 20 / (1,000 + 1,000) = 10, felt half; three tenths of it next door: 3 / 13
    assert m.land.violence.tolist() == [0, 0, 10, 0, 0]
    assert m.land.felt == near([0, 3 / 13, 0.5, 3 / 13, 0])
    m.step()  # half is remembered
    assert m.land.felt == near([0, 1.5 / 11.5, 5 / 15, 1.5 / 11.5, 0])
    assert column(m, "civilians_killed")[:2] == [20, 0]


def test_no_more_are_killed_than_there_are(tmp_path):
    m = PeaceModel(only(by_hand(tmp_path, TWO, **STAY, **NO_CHANGE), "live"))
    assert m.kill(0, 700, 0.1, faction=0) == 700
    assert m.kill(0, 700, 0.1, faction=0) == 300
    assert m.kill(0, 700, 0.1, faction=0) == 0
    m.step()
    assert m.people.persons.tolist() == [0, 1_000]
    assert m.census.persons.tolist() == [0, 1_000]


# ---------------------------------------------------------------------------------- trust and grievance


def test_trust_drifts_to_where_it_started_and_grievance_is_forgiven(tmp_path):
    p = by_hand(tmp_path, TWO, {}, {"m": mission()}, feel__start=0.4, feel__forget=0.52, feel__misinformation=0,
                feel__forgive=0.52, feel__need=0)  # fmt: skip
    m = PeaceModel(only(p, "feel"))
    m.people.trust[:, 0], m.people.grievance[:, 0] = (0.9, 0.4), (0.5, 0.0)
    m.step()
    assert m.people.trust[:, 0] == near([0.895, 0.4])
    assert m.people.grievance[:, 0] == near([0.495, 0.0])


def test_the_dead_are_held_against_who_killed_them(tmp_path):
    factions = {"a": Faction(fighters=0, bands=1, host=True), "b": Faction(fighters=0, bands=1)}
    p = by_hand(tmp_path, TWO, factions, {"m": mission()}, feel__grievance=0.1, feel__forgive=0, feel__need=0,
                feel__harm=0.3, feel__forget=0, feel__misinformation=0)  # fmt: skip
    m = PeaceModel(only(p, "feel"))
    m.kill(0, 20, 0.5, faction=1)
    m.kill(1, 20, 0.5, mission=0)
    m.step()
    # 20 in 1,000 (+1,000) are 10 in a thousand: a blow of 0.1 x 10 = 1, and 1 / (1 + 1) of what is left to resent
    assert m.people.grievance.tolist() == [[0, near(0.5)], [0, 0]]
    # by a mission: 0.3 x 10 = 3, and 3 / (1 + 3) of the trust of 0.4 is lost
    assert m.people.trust[:, 0] == near([0.4, 0.1])


def test_a_campaign_of_misinformation_is_opened_by_who_is_hostile_most_of_all_after_an_incident(tmp_path):
    p = load().feel
    p.campaigns, p.unprovoked, p.incidents = 6.0, 0.2, 5.0
    hostility, nobody, quiet = np.array([0.5, 0.0, 1.0, 1.0]), np.zeros(4, dtype=bool), np.zeros(4)
    # five incidents about the first command set half of its campaigns off: 0.2 + 0.8 x 0.5
    rates = each(feel.campaigns, p, hostility, np.array([5.0, 0.0, 5.0, 0.0]), nobody)
    assert rates == near([1.8, 0, 3.6, 1.2])
    assert each(feel.campaigns, p, hostility, quiet, ~nobody) == near([3, 0, 6, 6])


def test_misinformation_costs_trust_where_media_carry_it_and_incites_who_believes_it(tmp_path):
    factions = {
        "army": Faction(fighters=100, bands=1, host=True, community={"b": 1.0}),
        "rebels": Faction(fighters=100, bands=1, community={"a": 1.0}),
    }
    cells = [(0, 0, 1_000, 0, 0, 0, 1, 0), (0, 1, 1_000, 1, 0, 0, 1, 0), (0, 2, 1_000, 0, 0, 1, 0, 1)]
    parts = {"m": mission(persons={"staff": 100}, tasks={"communicate": 1})}
    p = by_hand(tmp_path, cells, factions, parts, feel__misinformation=0.5, feel__rumour=26, feel__others=0.5,
                feel__remote=0.2, feel__local_media=0.6, feel__communicators=100, feel__campaigns=0, feel__forget=0,
                feel__protection=0, feel__engagement=0, judge__incited=5.2, judge__decay=0, judge__persuasion=0,
                judge__rights=0, judge__political=0, judge__conflation=0.4, judge__rumour=0.5)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "feel", "judge"))
    m.factions.smear[1, 0] = 2  # the rebels tell their people about the mission
    m.step()
    # strength 0.5, believed by its own in full and by others by half, talked down to a half
    assert misinformation.rumours(m.view) == near(np.array([[0.25, 0.125]]))
    assert misinformation.spill(m.view, misinformation.rumours(m.view)) == near(0.4 * (1 + 0.5 * 0.25))
    # carried in full to the town without a state, a fifth to the country, 0.4 where media sort it out:
    # 26 / 52 = 0.5 of 0.25, of 0.05, and of 0.4 x 0.125, each l as l / (1 + l) of the trust of 0.4
    lost = np.array([0.125, 0.025, 0.025])
    assert m.people.trust[:, 0] == near(0.4 * (1 - lost / (1 + lost)))
    # a tenth a week of what own people hear and do not trust: rebels (0.25 + 0.05) / 2 x 0.6, the army 0.05 x 0.6
    assert m.factions.hostility[:, 0] == near([0.1 * 0.05 * 0.6, 0.1 * 0.15 * 0.6])
    m.step()
    assert misinformation.rumours(m.view) == near(0)  # it has ended
    m.commands.rumour[0] = 0.8  # something else went round
    assert misinformation.rumours(m.view) == near(np.array([[0.4, 0.4]]))


# ---------------------------------------------------------------------------------- presence


def placed(tmp_path, missions, cell=0, cells=LINE, **more):
    """Return a model whose contingents stand in a cell, after a week of deploy and task."""
    p = by_hand(tmp_path, cells, {}, missions, **{
        "deploy__base_size": 10_000, "task__relocation": 0, "feel__start": 1, "mission__coordination": 0,
        "task__patrol_km": 25, **more,
    })  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    m.units.cell[:] = cell
    m.step()
    return m


def test_presence_halves_with_every_25_km_and_ends_at_twice_that(tmp_path):
    m = placed(tmp_path, {"m": mission()})
    assert m.task_presence("protect")[0] == near([100, 50, 25, 0, 0])
    m = placed(tmp_path, {"m": mission()}, task__patrol_km=50)  # at 25 km 1/sqrt(2) is left, at 100 km a quarter
    assert m.task_presence("protect")[0] == near([100, 70.71068, 50, 35.35534, 25])


def test_presence_is_what_people_tell_ability_and_mobility_leave_of_it(tmp_path):
    # strangers are told nothing: half of the effect; 0.8 of ability, half of the vehicles: 100 x 0.5 x 0.8 x 0.5
    m = placed(tmp_path, {"m": mission(force={"ability": 0.8, "mobility": 0.5})}, feel__start=0)
    assert m.task_presence("protect")[0, :2] == near([20, 10])


def test_people_tell_whom_they_can_talk_to():
    p = numbers_of("task", language=0.5, apart=0.4, mixed=0.25)
    # no women: men tell all, women 0.6 of it; a quarter of women: R = 1 - 0.4 (1 - 0.25 x 1.25 / 0.5) = 0.85
    assert each(rules.reached, p, np.array([0.0, 0.25, 1.0])) == near([0.8, (0.85 + 1 - 0.4 * (1 - 0.9375)) / 2, 0.8])
    # of it, half is lost on who knows neither language nor ties, a quarter on who knows half
    assert [siting.understood(p, knows, 0.0) for knows in (0.0, 0.5, 1.0)] == near([0.4, 0.6, 0.8])


def test_a_mission_that_is_not_understood_works_worse(tmp_path):
    force = {"local_knowledge": 0, "women": 0}  # 0.5 + 0.5 x (0.5 of what the trusting tell, and 0.8 of that)
    m = placed(tmp_path, {"m": mission(force=force)}, task__language=0.5, task__apart=0.4, task__mixed=0.25)
    assert m.task_presence("protect")[0, 0] == near(70)


def test_a_unit_divides_its_time_over_its_tasks(tmp_path):
    # weights 3 and 1 on what troops can do in full: 75 persons protect and 25 separate; nobody mediates
    m = placed(tmp_path, {"m": mission(tasks={"protect": 3, "separate": 1, "mediate": 6})})
    assert m.task_presence("protect")[0, 0] == near(75)
    assert m.task_presence("separate")[0, 0] == near(25)


@pytest.mark.parametrize(
    ("sizes", "commands", "coordination", "left"),
    [
        ((100, 100), ("a", "b"), 0, 0.5),  # two equal commands: all that friction can take is lost
        ((100, 100), ("a", "a"), 0, 1),  # one command
        ((100, 100), ("a", "b"), 1, 1),  # two that coordinate fully
        ((100, 100), ("a", "b"), 0.5, 0.75),
        ((300, 100), ("a", "b"), 0, 0.625),  # two meet under one command with 9/16 + 1/16; 1 - 0.5 x 2 x 6/16
    ],
)
def test_uncoordinated_commands_are_in_each_others_way(tmp_path, sizes, commands, coordination, left):
    both = {
        name: mission(persons={"troops": size}, command=command)
        for name, size, command in zip("xy", sizes, commands, strict=True)
    }
    m = placed(tmp_path, both, task__friction=0.5, mission__coordination=coordination)
    assert m.task_presence("protect")[:, 0] == near([left * size for size in sizes])


def test_people_are_guarded_as_far_as_force_may_be_used_and_against_the_host_as_far_as_it_reaches(tmp_path):
    # 0.3 + 0.7 x 0.5 of 100 against rebels; of that, a tenth against the government's own
    factions = {"army": Faction(fighters=0, bands=1, host=True), "rebels": Faction(fighters=0, bands=1)}
    p = by_hand(tmp_path, LINE, factions, {"m": mission(use_of_force=0.5, host_reach=0.1)}, feel__start=1,
                prey__armless=0.3, task__relocation=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    at = m.units.cell[0]
    assert m.guard[:, at] == near([6.5, 65])


def served(able, need, pull, command=(0,), donors=0.5, rounds=1):
    """Return the share of those in need whom each command serves, (Q, C), and what is left of each group of workers."""
    out, left, n = np.zeros((max(command) + 1, len(need))), np.array(able, float), len(able)
    for _ in range(rounds):
        relieve.serve(
            left=left, command=np.array(command), places=np.tile(np.arange(len(need)), (n, 1)),
            pull=np.array(pull, float), need=np.array(need, float), donors=float(donors), aid=out,
        )  # fmt: skip
    return out, left


def test_aid_goes_to_need_in_reach():
    # a team can serve 1,000; 2,000 need it where it is and 2,000 next door, where it counts half: a third, a sixth
    out, left = served([1_000], [2e3, 2e3], [[1, 0.5]])
    assert out[0] == near([1 / 3, 1 / 6])
    assert left == near([0])


def test_what_a_place_does_not_need_is_served_next_door_and_only_the_rest_is_left():
    # of 1,000 half go to 400 people here, half to 800 next door, who count half; the 100 too many are sent there, too
    out, left = served([1_000], [400, 800], [[1, 0.5]])
    assert (out[0], left) == (near([1, 500 / 800]), near([100]))
    out, left = served([1_000], [400, 800], [[1, 0.5]], rounds=2)
    assert (out[0], left) == (near([1, 600 / 800]), near([0]))
    out, left = served([1_500], [400, 800], [[1, 0.5]], rounds=2)
    assert (out[0], left) == (near([1, 1]), near([300]))


def test_where_nobody_is_in_need_all_is_left():
    _, left = served([500, 20], [0, 0], [[1, 0.5], [0, 0]], (0, 1))
    assert left == near([500, 20])


@pytest.mark.parametrize(("donors", "together"), [(1, 1.0), (0, 0.75), (0.5, 0.875)])
def test_aid_of_commands_that_do_not_talk_overlaps_as_by_chance(donors, together):
    out, left = served([500, 500], [1_000], [[1], [1]], (0, 1), donors, rounds=2)
    assert out[:, 0] == near([together / 2, together / 2])
    assert left == near([0, 0])  # nobody knows that it was in vain


def test_double_work_is_not_known_for_what_it_is():
    # 900 each for 1,000: one too many of every nine, which only those see who talk with each other
    for donors, left in ((1, 400), (0.5, 200), (0, 0)):
        assert served([900, 900], [1_000], [[1], [1]], (0, 1), donors)[1] == near([left, left])
    assert served([1_500, 900], [1_000], [[1], [1]], (0, 1), 0)[1] == near([500, 0])


def test_what_a_team_does_not_need_goes_where_it_is_let_in_and_half_arrives(tmp_path):
    # 60 workers serve 1,000 each and nobody is in need where they are: 30,000 of the people farther away
    factions = {"army": Faction(fighters=0, bands=1, host=True)}
    parts = {"m": mission(persons={"aid": 60}, tasks={"relieve": 1})}
    p = by_hand(tmp_path, TWO, factions, parts, relieve__base=0.0, relieve__served=1_000, relieve__far=0.5,
                **STILL)  # fmt: skip
    m = PeaceModel(only(p, "deploy"))
    m.step()
    (team,) = np.flatnonzero(m.units.team)
    here, away = m.units.cell[team], 1 - m.units.cell[team]
    m.units.access[:], m.land.remoteness[:], m.land.felt[:], m.land.patrol[:, 1:] = True, 0, 0, -1
    m.census.need[here], m.census.need[away] = 0, 200_000
    hold = np.zeros(2)
    assert relieve.let_in(m.view, np.ones(1), hold)[0] == near([0.5, 0.5])
    m.now.aid[:] = 0
    relieve._serve(m.view, np.array([team]), hold)
    assert m.now.aid[0, away] == near(30_000 * m.missions.capacity[0, AID, TASKS.index("relieve")] / 200_000)
    m.missions.area[0, away] = 0  # beyond its mandate
    m.now.aid[:] = 0
    relieve._serve(m.view, np.array([team]), hold)
    assert m.now.aid.sum() == 0


# ---------------------------------------------------------------------------------- plans and money


def test_a_mission_builds_up_stays_and_draws_down(tmp_path):
    part = mission(arrive=2, leave=10, draw_down=2, force={"build_up": 4, "peak": 0.9})
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, {"m": part}, weeks=12), "deploy", "observe")).run()
    # a quarter a week of 90; in its last two weeks all, then half of 100
    assert column(m, "personnel_m") == near([0, 0, 22.5, 45, 67.5, 90, 90, 90, 90, 50, 0, 0])
    assert m.missions.mandate_weeks[0] == 8


def handed_over(tmp_path, arrive):
    """Run a regional force of 100 until week 10, and 200 UN troops who re-hat 60 of them, from a week on."""
    parts = {
        "regional": mission(arrive=2, leave=10, draw_down=2, force={"build_up": 4}),
        "un": mission(
            arrive=arrive, persons={"troops": 200}, force={"build_up": 20}, takes_over="regional", rehatted=0.6
        ),
    }
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, parts, weeks=16), "deploy", "observe")).run()
    return column(m, "personnel_regional"), column(m, "personnel_un")


def test_a_hand_over_with_two_weeks_of_overlap(tmp_path):
    regional, un = handed_over(tmp_path, arrive=8)
    assert regional == near([0, 0, 25, 50, 75, 100, 100, 100, 100, 50, 0, 0, 0, 0, 0, 0])
    # 10 more a week from week 8; from week 10 the 60 who changed their helmets, until there are more than that
    assert un == near([0, 0, 0, 0, 0, 0, 0, 0, 10, 20, 60, 60, 60, 60, 70, 80])


def test_a_hand_over_with_two_weeks_of_a_gap(tmp_path):
    regional, un = handed_over(tmp_path, arrive=12)
    assert regional[9:14] == near([50, 0, 0, 0, 0])
    assert un[9:] == near([0, 0, 0, 10, 20, 30, 40])  # nobody is left to change his helmet


def test_a_hand_over_to_a_mission_whose_strengths_are_on_record(tmp_path):
    record = {"2012-02-26": 10, "2012-03-25": 50}  # weeks 8 and 12
    parts = {
        "regional": mission(arrive=2, leave=10),
        "un": mission(arrive=8, persons={"troops": 200}, takes_over="regional", rehatted=0.6, strength=record),
    }
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, parts, weeks=16), "deploy", "observe")).run()
    assert column(m, "personnel_un")[8:] == near([10, 20, 30, 40, 50, 50, 50, 50])  # not 60 from week 10 on


def test_a_host_that_has_left_has_no_say(tmp_path):
    host = Faction(host=True, fighters=10, bands=1, leaves="2012-01-15")  # week 2
    m = PeaceModel(by_hand(tmp_path, TWO, {"host": host}, {"m": mission()}, weeks=4))
    said = []
    while not m.finished:
        m.factions.hostility[:] = 0.7
        said.append(m.hostility_of_host().max())
        m.step()
    assert said == near([0.7, 0.7, 0, 0])


def test_rehatted_troops_stay_where_they_are(tmp_path):
    parts = {
        "regional": mission(leave=4, persons={"troops": 1_000}),
        "un": mission(arrive=3, persons={"troops": 1_000}, force={"build_up": 50}, takes_over="regional", rehatted=1),
    }
    p = by_hand(tmp_path, LINE, {}, parts, deploy__base_size=250, task__relocation=0)
    m = PeaceModel(only(p, "deploy", "task"))
    for _ in range(3):
        m.step()
    theirs = set(m.units.cell[m.units.mission == 0].tolist())
    m.step()
    assert theirs <= set(m.units.cell[m.units.mission == 1].tolist())
    m.step()
    assert m.missions.persons.sum(axis=1).tolist() == near([0, 1_000])


def test_what_a_mission_costs(tmp_path):
    # 100 x 52,000 a year are 100,000 a week; so is the head office
    part = mission(arrive=3, force={"price": 52_000, "headquarters": 5_200_000})
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, {"m": part}, weeks=6), "deploy", "observe")).run()
    assert column(m, "cost_m") == near([0, 0, 0, 200_000, 200_000, 200_000])
    assert m.missions.spent[0] == near(600_000)


def test_who_knows_that_he_is_not_paid_for_does_not_come_and_who_comes_is_paid_late(tmp_path):
    force = {"assessed": 0, "raised": 0.5, "price": 52_000, "headquarters": 1_300_000, "owes": 0.6, "reserve": 0}
    p = by_hand(tmp_path, TWO, {}, {"m": mission(force=force)}, deploy__short_ability=0.6, deploy__short_restraint=0.5,
                deploy__short_mobility=0.8, deploy__late_half=1, deploy__unpaid_leave=0.52,
                deploy__replacement=26)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "observe"))
    # 100,000 for people and 25,000 for the head office are due a week, half of it comes. Four tenths of the 62,500
    # that are missing are saved, on people only: a quarter of them does not come
    m.step()
    assert m.missions.persons[0, 0] == near(75)
    # 62,500 for a bill of 100,000: 0.375 weeks are owed, felt as 0.375^2 / (0.375^2 + 1^2)
    felt = 0.140625 / 1.140625
    assert m.missions.in_hand[0] == near(-0.375)
    assert m.missions.ability[0] == near(1 - 0.6 * felt)
    assert m.missions.restraint[0] == near(1 - 0.5 * felt)
    assert m.missions.mobility[0] == near(1 - 0.8 * felt)
    assert m.missions.away[0] == near(0.01 * felt)  # 0.52 a year is a hundredth a week
    assert column(m, "cost_m")[:1] == near([62_500])
    assert column(m, "missing_m")[:1] == near([25])
    m.step()
    bill = 25_000 + 75_000 * (1 - 0.01 * felt)
    assert m.missions.in_hand[0] == near(-0.375 - (1 - 62_500 / bill))
    assert column(m, "cost_m")[1] == near(62_500)


def test_dues_that_come_late_are_owed_until_they_come(tmp_path):
    force = {"arrears": 0.2, "price": 52_000, "headquarters": 0, "reserve": 0.5, "owes": 0}
    more = {"short_ability": 0, "short_restraint": 0, "short_mobility": 0, "unpaid_leave": 0, "arrears_half": 1}
    p = by_hand(tmp_path, TWO, {}, {"m": mission(force=force)}, **{f"deploy__{k}": v for k, v in more.items()})
    m = PeaceModel(only(p, "deploy", "observe"))
    owed = []
    for _ in range(5):
        m.step()
        owed.append(-m.missions.in_hand[0])
    # of 100,000 a week 80,000 come, then half of what is out: 20,000, 30,000, 35,000 ... towards 40,000
    assert m.missions.outstanding[0] == near(38_750)
    # what is in hand, half a week, goes down by 0.2, 0.1, 0.05 ...: what comes in late pays for itself in the end
    assert owed == near([-0.3, -0.2, -0.15, -0.125, -0.1125])
    assert column(m, "cost_m")[:5] == near([100_000] * 5)
    assert m.missions.kept[0].tolist() == [1] * 5  # it comes in the end: nobody is sent home for it


def test_a_cut_sends_people_home_over_weeks_the_uniformed_first(tmp_path):
    force = {"price": 52_000, "price_staff": 52_000, "headquarters": 1_560_000, "owes": 0}
    part = mission(persons={"troops": 60, "staff": 10}, force=force, funding={"2": 0.85})
    p = by_hand(tmp_path, TWO, {}, {"m": part}, deploy__repatriation=5, weeks=80)
    m = PeaceModel(only(p, "deploy", "observe")).run()
    troops = weekly(m)["troops"]
    # 60 of 100 are the pay of the uniformed: 15 of 100 are a quarter of it; half of the quarter is gone in 5 weeks
    assert troops[:3].tolist() == [60] * 3
    assert troops[7] == near(60 * (1 - 0.125))
    assert troops[79] == near(45, rel=1e-4)
    assert m.missions.persons[0, 3] == 10
    assert m.missions.funding[0] == 0.85


def test_a_recorded_strength_is_not_changed_by_money(tmp_path):
    known = {"2012-01-01": 100, "2012-12-01": 100}
    part = mission(force={"assessed": 0, "raised": 0.2, "owes": 0.5, "reserve": 0}, strength=known)
    m = PeaceModel(only(by_hand(tmp_path, TWO, {}, {"m": part}, weeks=10), "deploy", "observe")).run()
    assert m.missions.persons[0, 0] == near(100)
    assert m.missions.ability[0] < 1


@pytest.mark.parametrize(("funding", "said"), [({"3": 1.2}, "it must lie in"), ({"soon": 0.5}, "funding")])
def test_a_bad_cut_is_refused_in_a_sentence(tmp_path, funding, said):
    with pytest.raises(ValueError, match=rf"mission\.components\.m\.funding.*{said}|{said}"):
        PeaceModel(by_hand(tmp_path, TWO, {}, {"m": mission(funding=funding)}))


# ---------------------------------------------------------------------------------- the Security Council


def test_how_contested_a_mandate_is_follows_from_what_it_asks_for():
    narrow = mission(tasks={"relieve": 1, "protect": 1}, use_of_force=0).mandate
    political = mission(tasks={"mediate": 1, "protect": 1}, use_of_force=0).mandate
    robust = mission(tasks={"mediate": 1, "protect": 1}, use_of_force=0.5).mandate
    # 0.3 for the least; half of the work political: 0.3 + 0.7 x 0.5; half of that half without force: 0.3 + 0.7 x 0.75
    assert [contention(x, 0.3) for x in (narrow, political, robust)] == near([0.3, 0.65, 0.825])
    assert [contention(x, 1.0) for x in (narrow, political, robust)] == near([1, 1, 1])


def council(folder, unity, council_share=0.8, **more):
    """Make a mission whose mandate is as contested as can be, renewed every ten weeks; 0.8 depends on the Council."""
    part = mission(force={"council": council_share}, use_of_force=1.0, draw_down=4)
    more = {"council_ceiling": 0.5, "council_robustness": 0.5, "repatriation": 5, "replacement": 5, **more}
    p = by_hand(folder, TWO, {}, {"m": part}, weeks=60, mission__council_unity=unity, mission__authorised=0,
                mission__mandate_length=10, **{f"deploy__{k}": v for k, v in more.items()})  # fmt: skip
    return PeaceModel(only(p, "deploy", "observe"))


def test_a_mandate_stands_as_it_was_agreed_until_it_is_renewed(tmp_path):
    m = council(tmp_path, 0.75, council_impasse=0, council_end=0)
    m.step()
    # discord 0.25 x 0.8: a tenth of strength and of force
    assert (m.missions.persons[0, 0], m.missions.use_of_force[0]) == near((90, 0.9))
    m.politics.unity[0] = 0.5
    for _ in range(9):
        m.step()
    assert (m.missions.persons[0, 0], m.missions.use_of_force[0]) == near((90, 0.9))
    m.step()  # the renewal in week 10: 0.5 x 0.8, a fifth; of the strength half of the way in five weeks
    assert m.missions.use_of_force[0] == near(0.8)
    for _ in range(4):
        m.step()
    assert m.missions.persons[0, 0] == near(85)


def test_an_impasse_leaves_what_no_unity_leaves_and_an_end_draws_down(tmp_path):
    m = council(tmp_path, 0.5, council_impasse=1, council_end=0)
    m.run()
    assert m.missions.discord[0] in (near(0.4), near(0.8))
    assert [deploy.renewal(luck, 0.4, 1.0, 0.5) for luck in (0.1, 0.3, 0.7)] == [2, 1, 0]
    gone = council(tmp_path, 0.0, council_impasse=0, council_end=1, council_share=1)
    gone.run()
    assert gone.missions.lapsed[0] == 10
    assert column(gone, "personnel_m")[9:15] == near([50, 50, 37.5, 25, 12.5, 0])
    assert totals(gone)["missions_ended"] == 1


def test_the_council_decides_nothing_about_who_does_not_depend_on_it(tmp_path):
    m = council(tmp_path, 0.0, council_share=0, council_impasse=1, council_end=1)
    m.run()
    assert column(m, "personnel_m") == [100] * 60
    assert m.missions.use_of_force[0] == 1


def planned_cost(p):
    """Return what a mission model costs when all goes to plan, in US$."""
    for part in p.mission.components.values():
        part.force.assessed, part.force.arrears, part.force.council = 1.0, 0.0, 0.0
        part.rehatted = 0.0  # those re-hatted come before their time
    return totals(PeaceModel(only(put(p, "civilians", 10), "deploy", "observe")).run())["cost"]


@pytest.mark.parametrize("name", ["un_only", "regional_only", "sequential", "parallel", "parallel_equal", "hybrid",
                                  "separated", "separated_swapped", "un_support"])  # fmt: skip
def test_mission_models_cost_the_same(name):
    p = load(f"mission={name}", "weeks=340", "mission.budget=3e9")
    assert planned_cost(p) == near(3e9, rel=0.01)


@pytest.mark.parametrize("name", ["un_only", "sequential", "separated"])
def test_mission_models_have_the_same_personnel(name):
    p = load(f"mission={name}", "weeks=340", "mission.comparison=equal_personnel", "mission.person_years=30000")
    for part in p.mission.components.values():
        part.force.assessed, part.force.arrears, part.force.council, part.rehatted = 1.0, 0.0, 0.0, 0.0
    m = PeaceModel(only(put(p, "civilians", 10), "deploy", "observe")).run()
    persons = weekly(m)[[f"personnel_{n}" for n in p.mission.components]].to_numpy()
    assert persons.sum() / 52 == near(30_000, rel=0.01)


def test_a_run_cut_short_has_the_same_missions_as_the_whole_run():
    """A budget is for the plan: whoever looks at the first year only must not see a larger mission."""
    short, long = play("mission=parallel", weeks=40), play("mission=parallel", weeks=80)
    assert short.missions.personnel == near(long.missions.personnel)


# ---------------------------------------------------------------------------------- consent and caveats


def test_an_unwelcome_mission_is_asked_to_leave_and_goes_within_weeks(tmp_path):
    factions = {"army": Faction(fighters=0, bands=1, host=True)}
    parts = {"guest": mission(), "stays": mission(force={"needs_consent": False})}
    p = by_hand(tmp_path, TWO, factions, parts, weeks=9, judge__decay=0, judge__persuasion=0, judge__rights=0,
                judge__political=0, judge__expulsion=0.7, judge__patience=3, deploy__expulsion=4)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "judge", "observe"))
    m.factions.hostility[0] = 0.8
    m.run()
    # unwelcome for more than 3 weeks at the end of week 3; a quarter goes in each of the 4 weeks that follow
    assert m.missions.expelled.tolist() == [3, np.inf]
    assert column(m, "personnel_guest") == near([100, 100, 100, 100, 75, 50, 25, 0, 0])
    assert column(m, "personnel_stays") == [100] * 9


def test_a_mission_the_host_bears_with_is_not_asked_to_leave(tmp_path):
    factions = {"army": Faction(fighters=0, bands=1, host=True), "rebels": Faction(fighters=0, bands=1)}
    p = by_hand(tmp_path, TWO, factions, {"m": mission()}, judge__decay=0, judge__patience=0, judge__expulsion=0.7,
                judge__rights=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "judge"))
    m.factions.hostility[:, 0] = 0.69, 1.0  # the rebels' hatred is not the host's
    m.run()
    assert m.missions.expelled.tolist() == [np.inf]


def test_hostility_earned_by_one_falls_on_the_other_as_far_as_they_are_conflated(tmp_path):
    # 400 monitors judge with half weight: 5.2 x 0.5 x 0.5 (contested) / 52 = 0.025; a fifth falls on the other
    factions = {"army": Faction(fighters=0, bands=1, host=True, commitment=0)}
    parts = {
        "judging": mission(persons={"observers": 400}, tasks={"monitor": 1}),
        "neutral": mission(persons={"aid": 1}, tasks={"relieve": 1}),
    }
    p = by_hand(tmp_path, TWO, factions, parts, judge__political=5.2, judge__contestation=0.5, judge__judging_half=400,
                judge__conflation=0.2, judge__rumour=0, judge__decay=0, judge__rights=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "judge"))
    m.step()
    assert m.factions.hostility[0] == near([0.025, 0.005])


def test_which_caveat_holds_back_whom():
    #          ceasefire consent impartial withdraw minimum
    caveat = np.array([[True, False, False, False, False]] * 2 + [[False, True, True, False, False]] * 3)
    felt = np.array([0.6, 0.4, 0.9, 0.9, 0.9])
    consent = np.array([0.0, 0.0, 0.1, 0.9, 0.9])
    gap = np.array([1.0, 1.0, 0.0, 0.0, 0.5])
    held = [contributors.fails(*of, 0.5, 0.25, 0.4) for of in zip(caveat, felt, consent, gap, strict=True)]
    # fighting; too little fighting; no consent; nothing wrong; seen as partial
    assert held == [True, False, True, False, True]


def test_a_contingent_with_a_caveat_stays_in_its_base_where_there_is_fighting(tmp_path):
    force = {"caveats": Caveats(share=1.0, consent=False, impartiality=False)}
    m = placed(tmp_path, {"m": mission(force=force)})
    assert m.task_presence("protect")[0, 0] == near(100)
    m.land.felt[:] = 0.51
    m.step()
    assert m.task_presence("protect").sum() == 0
    assert m.missions.persons[0, 0] == 100  # it is there, and does nothing
    m.land.felt[:] = 0.49
    m.step()
    assert m.task_presence("protect")[0, 0] == near(100)


def of_contributors(folder, groups, weeks=30, **more):
    """Make a mission of contributors, each share, conditions and more by name."""
    offers = {
        n: Contributor(share=share, caveats=Caveats(**{**NO_PRINCIPLE, **about}), **rest)
        for n, (share, about, rest) in groups.items()
    }
    force = {"contributors": offers, "price": 52_000, "headquarters": 0, "ability": 0.5, "local_knowledge": 0.2}
    part = mission(persons={"troops": 1_000}, force=force, use_of_force=0.6)
    return PeaceModel(only(by_hand(folder, TWO, {}, {"m": part}, weeks=weeks, **more), "deploy", "observe"))


NO_PRINCIPLE = {
    "share": 1,
    **dict.fromkeys(("ceasefire", "consent", "impartiality", "withdraw", "minimum_force"), False),
}


def test_who_does_not_serve_under_a_mandate_stays_away_and_others_send_no_more_than_is_needed(tmp_path):
    m = of_contributors(tmp_path, {"firm": (0.9, {}, {}), "timid": (0.4, {"force": 0.5}, {})})
    m.step()
    assert m.missions.persons[0, 0] == near(900)
    assert column(m, "missing_m")[:1] == near([100])
    both = of_contributors(tmp_path, {
        "firm": (0.9, {}, {}), "good": (0.6, {"force": 0.6}, {"ability": 1.5, "local_knowledge": 2, "price": 2}),
    })  # fmt: skip
    both.step()
    # they offer one and a half times what is needed: three parts of five are firm, two are good
    assert both.missions.persons[0, 0] == near(1_000)
    assert both.missions.ability[0] == near(0.5 * 1.2)
    assert both.missions.knowledge[0] == near(0.2 * 1.4)
    assert column(both, "cost_m")[:1] == near([1_000 * 1_000 * 1.4])


def test_a_contributor_goes_home_over_weeks_for_its_dead_and_others_who_offered_more_come(tmp_path):
    m = of_contributors(tmp_path, {"firm": (0.8, {}, {}), "careful": (0.4, {"losses": 20}, {})},
                        deploy__repatriation=5, deploy__replacement=26, deploy__loss_memory=520)  # fmt: skip
    m.step()
    troops = m.units.strength[:, 0]
    careful = np.flatnonzero(m.units.contributor == 0)
    assert troops[careful].sum() == near(1_000 / 3)
    deaths.lose_from(m.view, careful[0], 8)
    m.step()
    assert not np.isfinite(m.contributors.home[0])  # 8 of the 400 it would send are just 20 in 1,000
    deaths.lose_from(m.view, careful[0], 1)
    m.step()
    assert m.contributors.home.tolist() == [2, np.inf]
    m.step()
    # a fifteenth of the third that it was is gone after a week; of the 0.8 others offer, five in six were taken
    taken = 1 - (1 / 6) * 0.5 ** (1 / 26)
    assert m.missions.taken[0] == near(taken)
    m.run()
    assert m.units.strength[careful].sum() == 0
    assert m.missions.persons[0, 0] == near(800 * m.missions.taken[0])
    assert totals(m)["contributors_left"] == 1


def test_nobody_comes_before_he_is_authorised_and_ready_and_a_divided_council_takes_longer(tmp_path):
    parts = {name: mission(force={"readiness": 10, "council": 1}) for name in ("soon", "late", "given")}
    parts["soon"].arrive, parts["late"].arrive = When(after="start", weeks=2), When(after="start", weeks=30)
    p = by_hand(tmp_path, TWO, {}, parts, mission__authorised=4, mission__council_unity=0.5, deploy__council_delay=0.4)
    # who may use all force is wholly contested, half of the Council is against it: 4 + 10 x (1 + 0.4 x 0.5)
    arrive, leave = plan(p)
    assert dict(zip(sorted(parts), arrive.tolist(), strict=True)) == near({"given": 0, "late": 30, "soon": 16})
    assert np.isinf(leave).all()


def test_what_is_pledged_paid_and_asked_for_by_kind(tmp_path):
    money = {"assessed": 0.6, "raised": 0.5, "arrears": 0.3, "price": 10.0, "price_staff": 20.0, "price_aid": 30.0}
    m = PeaceModel(by_hand(tmp_path, TWO, {}, {"m": mission(force=money)}))
    assert m.missions.pledged == near([0.6 + 0.4 * 0.5])
    assert m.missions.paid == near([0.8 - 0.6 * 0.3])  # in arrears is what is assessed
    assert m.missions.price == near(np.array([[10, 10, 10, 20, 30]]))


def test_no_two_teams_have_the_same_luck_though_some_of_their_group_join_a_mission():
    p = scenario("mission=un_only", weeks=2, civilians=50)
    p.mission.components["un"].integrates = {"ngos": 0.5}
    m = PeaceModel(p)
    assert [name for name in m.missions.names if "ngos" in name] == ["ngos", "ngos with un"]
    assert np.unique(m.units.luck).size == m.units.luck.size


def test_a_ceiling_comes_down_as_people_go_home_and_goes_up_as_others_are_found(tmp_path):
    m = PeaceModel(by_hand(tmp_path, TWO, {}, {"m": mission(), "n": mission()}, deploy__council_ceiling=0.5,
                           deploy__repatriation=5, deploy__replacement=26))  # fmt: skip
    m.missions.discord[:], m.missions.ceiling[:] = [1, 0], [1, 0.2]
    deploy._renew(m.view)
    assert m.missions.ceiling == near([0.5 + 0.5 * 0.5 ** (1 / 5), 1 - 0.8 * 0.5 ** (1 / 26)])


def test_each_contributor_counts_its_own_dead(tmp_path):
    for who in range(4):
        m = of_contributors(tmp_path, dict.fromkeys("abcd", (0.25, {"losses": 20}, {})))
        m.step()
        deaths.lose_from(m.view, np.flatnonzero(m.units.contributor == who)[0], 9)  # of 250: more than 20 in 1,000
        m.step()
        assert np.flatnonzero(np.isfinite(m.contributors.home)).tolist() == [who]


def test_a_mission_asked_to_leave_goes_as_fast_as_it_must_and_comes_back_as_fast_as_it_builds_up():
    # of 10 weeks to go and 20 to build up; nobody comes back from nought
    left = [deploy.left_of(*now, 20.0, 1.0, 10.0) for now in [(0.5, True), (0.5, False), (0.97, False), (0.0, False)]]
    assert left == near([0.4, 0.55, 1, 0])
    assert deploy.left_of(0.05, True, 20.0, 1.0, 10.0) == 0


def test_pay_in_hand_is_what_comes_in_up_to_the_reserve():
    # two years' pay come in a year, or half of it, or there is nobody to pay
    assert accounts.next_in_hand(3.0, 52.0, 26.0, 9.0, 2.0) == near(5)
    assert accounts.next_in_hand(3.0, 52.0, 26.0, 4.0, 2.0) == near(4)
    assert accounts.next_in_hand(0.5, 13.0, 26.0, 4.0, 2.0) == near(-0.5)
    assert accounts.next_in_hand(1.0, 0.0, 0.0, 4.0, 2.0) == near(1)


def test_those_in_uniform_go_home_first_and_then_as_many_others_as_must(tmp_path):
    m = PeaceModel(by_hand(tmp_path, TWO, {}, {"m": mission(persons={"troops": 100, "staff": 50})}))
    m.missions.price[:], m.missions.headquarters[:], m.missions.owes[:] = 20.0, 1_000.0, 0.2
    m.missions.pledged[:] = 1.0  # 2,000 for troops, 1,000 for staff, 1,000 for a head office
    kept = []
    for m.missions.funding[:] in (1.0, 0.5, 0.25, 0.0):  # 0.8 of what is missing is saved: 1,600, 2,400, 3,200
        kept.append(uncompiled(rules.affordable)(m.missions)[0, [0, 3]])
    assert np.array(kept) == near(np.array([[1, 1], [0.2, 1], [0, 0.6], [0, 0]]))


def test_any_principle_that_fails_can_end_the_service(tmp_path):
    five = {"careful": (0.5, {"ceasefire": True, "withdraw": True}, {}), "firm": (0.5, {}, {})}
    stays, goes = (of_contributors(tmp_path, five, deploy__caveat_withdrawal=rate) for rate in (0, 52))
    for m in (stays, goes):
        m.land.felt[:] = 0.9
        m.run()
    assert stays.missions.persons[0, 0] == near(1_000)  # in their bases
    assert stays.units.suspended.any()
    assert goes.missions.persons[0, 0] == near(500)


def test_who_is_bound_to_the_least_force_lends_none_to_his_mission(tmp_path):
    m = of_contributors(tmp_path, {"bound": (0.25, {"minimum_force": True}, {}), "firm": (0.75, {}, {})})
    m.step()
    assert m.missions.willing[0] == near(0.6 * 0.75)


# ---------------------------------------------------------------------------------- factions


def test_a_battle_is_lost_by_the_smaller_side(tmp_path):
    factions = {"few": Faction(fighters=100, bands=1, host=True), "many": Faction(fighters=300, bands=1)}
    p = by_hand(tmp_path, TWO, factions, fight__severity=8, fight__crossfire=0.5)
    m = PeaceModel(p)
    m.bands.cell[:] = 0
    fight._battle(
        m.view, 0, 0, 1, 0.0, 0.0
    )  # the smallest battle there is: 8 dead, shared by the other side's strength
    assert m.bands.fighters.tolist() == [94, 298]
    assert m.now.fighters_lost.tolist() == [6, 2]
    assert m.now.crossfire.tolist() == [4, 0]  # half as many civilians, by who attacked
    assert m.now.by_faction.tolist() == [0, 0]  # who did not mean to kill them
    [event] = m.now.events
    assert (event.kind, event.deaths_a, event.deaths_b, event.deaths_civilians) == ("battle", 6, 2, 4)


def test_commitment_rises_with_mediation_to_its_ceiling(tmp_path):
    factions = {"a": Faction(fighters=0, bands=1, host=True, commitment=0.2, ceiling=0.7)}
    parts = {"m": mission(persons={"staff": 150}, tasks={"mediate": 1})}
    p = by_hand(tmp_path, TWO, factions, parts, negotiate__fatigue=0.52, negotiate__mediation=5.2,
                negotiate__mediators=150, negotiate__weakness=0, negotiate__grievance=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "negotiate"))
    # 0.01 by fatigue and half of 0.1 by mediation, of the room that is left: 0.06 x 0.5, then 0.06 x 0.47
    m.step()
    assert m.factions.commitment[0] == near(0.23)
    m.step()
    assert m.factions.commitment[0] == near(0.2582)
    assert m.factions.aggression[0] == near(0.7418)


def test_force_moves_commitment_only_where_there_is_a_table(tmp_path):
    p = numbers_of("negotiate", fatigue=0, mediation=0, weakness=0, grievance=0, coercion=5.2, losses=0.5)
    # a tenth of its fighters hit: 5.2 x 0.1 x offered / 52 of the room of 0.5
    assert commitment_change(p, 0.2, 0.7, 0.0, 1, 0.1, 0.0, 0, 0.5, 1 / 52) == 0
    assert commitment_change(p, 0.2, 0.7, 0.5, 1, 0.1, 0.0, 0, 0.5, 1 / 52) == near(0.0025)
    # a tenth lost to rivals takes 0.5 x 0.1 of it
    assert commitment_change(p, 0.2, 0.7, 0.0, 1, 0.0, 0.1, 0, 0.5, 1 / 52) == near(-0.01)


def test_an_agreement_is_signed_by_all_who_can_break_it_and_calms_its_parties(tmp_path):
    factions = {
        "army": Faction(fighters=500, bands=1, host=True, commitment=0.6),
        "rebels": Faction(fighters=400, bands=1, commitment=0.5),
        "thieves": Faction(fighters=100, bands=1, commitment=0.0, ceiling=0.1),  # never a party, too weak to break it
    }
    p = by_hand(tmp_path, TWO, factions, negotiate__signing=52, negotiate__sign=0.1, negotiate__fatigue=0,
                negotiate__weakness=0, negotiate__grievance=0, negotiate__ceasefire=0.8, negotiate__veto=0.15,
                negotiate__collapse=0, weeks=40)  # fmt: skip
    m = PeaceModel(only(p, "negotiate")).run()
    assert m.politics.agreement[0]
    assert m.politics.collapsed[0] == 0
    assert m.factions.aggression == near([0.08, 0.1, 1.0])
    m = PeaceModel(only(put(p, "negotiate.veto", 0.05), "negotiate")).run()  # now the thieves could break it
    assert not m.politics.agreement[0]
    assert m.factions.aggression == near([0.4, 0.5, 1.0])


def test_the_hazard_of_an_agreement_is_the_product_over_its_veto_players():
    p = numbers_of("negotiate", signing=2, sign=0.4, veto=0.1, willing=0.5)
    able, fighters = np.full(3, 0.9), np.full(3, 100.0)
    half = np.array([0.4, 0.4, 0.4])  # each accepts half the time
    assert signing(p, half[:2], able[:2], fighters[:2]) == near(0.5)
    assert signing(p, half, able, fighters) == near(0.25)
    assert signing(p, np.array([0.4, 0.4, 0.0]), able, np.array([100, 100, 10.0])) == near(0.5)  # too weak to count
    assert signing(p, half, np.array([0.9, 0.9, 0.5]), fighters) == 0  # one that would never sign
    assert signing(p, half[:1], able[:1], fighters[:1]) == 0  # nobody to sign with


def test_fighters_demobilise_as_fast_as_officers_can_take_them():
    none = dict.fromkeys(("grievance", "harm", "loot", "upkeep", "desertion"), 0)
    set_by_hand = {"ddr": 0.8, "ddr_fighters": 20, "rearm": 0.52, "reintegrate": 5.2, "regroup": 5.2, "holding": 0.5}
    p = numbers_of("recruit", **none, **set_by_hand, loyalty=1)
    one = np.ones(1)
    # 0.8 x 0.5 x 1,000 = 400 want to; 20 officers take 400: 400 x 400 / 800 = 200 a year
    # of 100 ex-combatants 0.01 x half (no state) x half (commitment) re-arm a week, 0.1 x half settle
    # of 100 dispersed a tenth comes back a week; full presence would hold half of them, half presence a quarter
    about = {
        "keep": 1_000 * one, "grudge": 0 * one, "loot": 0 * one, "commitment": 0.5 * one, "dispersed": 100 * one,
        "demobilised": 100 * one, "held": 0.5 * one, "ddr": 20.0, "reintegrators": 0.0, "state": 0.5, "y": 1 / 52,
    }  # fmt: skip
    flows = recruit.flows(p, 1_000 * one, wronged=0 * one, **about)
    assert [f[0] for f in flows] == near([0, 0, 7.5, 200 / 52, 0.25, 5])
    p = numbers_of(
        "recruit", **(none | {"harm": 0.52, "harm_half": 100}), **set_by_hand, loyalty=1
    )  # a hundred of its people killed by missions: half of a hundredth more a week
    assert recruit.flows(p, 1_000 * one, wronged=100 * one, **about)[0] == near([5])


def test_ex_combatants_with_a_livelihood_settle_and_those_without_rearm_as_leaders_and_state_let_them():
    none = dict.fromkeys(("grievance", "harm", "loot", "upkeep", "desertion", "ddr", "regroup"), 0)
    p = numbers_of("recruit", **none, rearm=0.52, reintegrate=5.2, livelihood=2.6, caseload=50, loyalty=0.4)
    one = np.ones(1)
    about = {
        "keep": 1_000 * one, "grudge": 0 * one, "loot": 0 * one, "commitment": 0.5 * one, "dispersed": 0 * one,
        "demobilised": 100 * one, "held": 0 * one, "ddr": 0.0, "state": 0.5, "y": 1 / 52, "wronged": 0 * one,
    }  # fmt: skip
    # a hundredth of 100 x half (no state) x 0.8 (leaders hold back 0.4 x half); a tenth x half settle
    *_, rearmed, settled = recruit.flows(p, 1_000 * one, **about, reintegrators=0.0)
    assert [rearmed[0], settled[0]] == near([0.4, 5])
    # two officers take on 100 of 100: half of them are cared for, of whom none rearms and a twentieth settles
    *_, rearmed, settled = recruit.flows(p, 1_000 * one, **about, reintegrators=2.0)
    assert [rearmed[0], settled[0]] == near([0.2, 7.5])


def test_who_has_settled_is_missed_in_the_ranks(tmp_path):
    factions = {"a": Faction(fighters=100, bands=1, host=True, commitment=0)}
    p = by_hand(tmp_path, TWO, factions, recruit__upkeep=5.2, recruit__gone=0.5, recruit__grievance=0,
                recruit__loot=0, recruit__desertion=0)  # fmt: skip
    m = PeaceModel(only(p, "recruit"))
    m.bands.fighters[:] = 50.0
    m.factions.settled[:] = 40.0
    m.step()  # it can keep 80: a tenth x (1 - 50 / 80) of 50 join, less those beyond what it can keep
    assert m.bands.fighters[0] == near(50 + 50 * 0.1 * 0.375)


def test_disarmament_and_a_livelihood_are_one_task_of_a_headquarters(tmp_path):
    six = {"protect": 1, "separate": 1, "monitor": 1, "mediate": 1, "build": 1, "ddr": 1}
    capacities = []
    for tasks in (six, six | {"reintegrate": 1}, six | {"report": 1}):
        p = by_hand(tmp_path, TWO, {}, {"m": mission(tasks=tasks)}, deploy__overhead=0.1)
        capacities.append(PeaceModel(p).missions.capacity[0, 0, 0])
    assert capacities[1] == near(capacities[0])
    assert capacities[2] < capacities[0]


def test_institutions_grow_where_they_are_built_and_it_is_calm(tmp_path):
    parts = {"m": mission(persons={"staff": 8}, tasks={"build": 1})}
    p = by_hand(tmp_path, LINE, {}, parts, feel__start=1, task__relocation=0, negotiate__build=5.2,
                negotiate__builders=8, negotiate__own_growth=0, negotiate__destruction=5.2)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "negotiate"))
    m.step()
    at = m.units.cell[0]
    far = 4 if at < 2 else 0  # a cell out of its reach
    # 8 builders have half of the effect: 0.1 x 0.5 x 0.5 (room)
    assert m.land.institutions[at] == near(0.525)
    assert m.land.institutions[far] in (near(0.5), near(0.5 + 0.1 * 2 / 10 * 0.5))
    m.land.felt[:], m.land.institutions[:] = 1.0, 0.5
    m.step()  # in full violence nothing grows and a tenth is lost
    assert m.land.institutions == near(np.full(5, 0.45))


# ---------------------------------------------------------------------------------- move, prey, enforce, ambush


def test_a_campaign_opens_as_aggression_rest_and_motives_say():
    p = load().move
    p.campaign_rate, p.provocation, p.provoking_deaths = 0.1, 100.0, 60.0
    p.grievance, p.grievance_half, p.weakness, p.spoils, p.deterrence = 10.0, 0.02, 2.0, 5.0, 0.5

    def hazard(aggression=1.0, rest=0, provocation=0.0, grudge=0.0, state=1.0, spoils=0.0, stamina=1.0, held=0.0):
        given = {"aggression": aggression, "rest": rest, "provocation": provocation, "grudge": grudge, "state": state,
                 "spoils": spoils, "stamina": stamina, "held": held}  # fmt: skip
        return uncompiled(move.onset)(p, **given)

    assert hazard() == near(0.1)
    assert hazard(aggression=0.5) == near(0.05)
    assert hazard(rest=3) == 0
    assert hazard(provocation=60.0) == near(5.1)  # sixty dead provoke half: 0.1 x (1 + 100 / 2)
    assert hazard(grudge=0.02) == near(0.6)  # half of 10 more
    assert hazard(state=0.5) == near(0.2)
    assert hazard(spoils=0.2) == near(0.2)
    assert hazard(stamina=0.5) == near(0.05)
    assert hazard(stamina=2.0) == near(0.1)
    assert hazard(held=1.0) == near(0.05)


def test_who_has_nothing_to_win_stays_about_home(tmp_path):
    """One people and no rival: a campaign without an objective is no march on the last cell of the table."""
    cells = [(0, col, 1_000, 0, 0, 0.5, 1, 0) for col in range(9)]
    factions = {"rebels": Faction(fighters=600, bands=6, community={"a": 1.0, "b": 1.0}, start=[], loot=0.0)}
    m = PeaceModel(only(by_hand(tmp_path, cells, factions, move__taking_part=1, move__speed=50), "move"))
    m.bands.cell[:] = m.bands.home[:] = 1
    m.factions.objective[:], m.factions.campaign[:], m.bands.taking_part[:] = -1, 500.0, True
    far = []
    while not m.finished:
        m.step()
        far.append(m.bands.cell.max())
    assert m.factions.objective.tolist() == [-1]
    assert np.mean(far) < 5


def test_the_vigour_of_campaigns_has_mean_one_and_the_spread_that_is_given():
    assert move.vigour(0.5, 1.2) == near(np.exp(-0.72))
    assert move.vigour(0.8413447, 1.2) == near(np.exp(1.2 - 0.72))


def dice_of(luck):
    """Return dice by which the first band draws about so much luck for its first hop."""
    return min(
        (draws.Draws(seed) for seed in range(20_000)), key=lambda draws: abs(draws.uniform("move.hop0", 1)[0] - luck)
    ).dice


def test_a_band_marches_toward_its_goal_unless_a_presence_holds_it(tmp_path):
    land = PeaceModel(by_hand(tmp_path, LINE)).land
    cell, held_up = np.array([0]), np.zeros(1)
    free, comfort = np.zeros((1, 5)), np.ones((1, 5))

    def go(guard, luck):
        cell[0] = 0
        roams, fighters, faction = np.zeros(1, dtype=bool), np.array([100.0]), np.array([0])
        move.march(
            numbers_of("move", wariness=1, detour=0.35, roaming=0.3), dice_of(luck),
            np.array([1]), np.array([4]), roams, guard, comfort, fighters, faction,
            land.row, land.col, land.near, 1, cell, held_up,
        )  # fmt: skip
        return int(cell[0])

    stay, ahead = 0.35**3, 1.35**3  # pulls of no headway and of one cell of it
    assert go(free, stay / (stay + ahead) - 1e-3) == 0
    assert go(free, stay / (stay + ahead) + 1e-3) == 1
    assert held_up[0] == near(0)
    held = free.copy()
    held[0, 1] = 300  # three to one: 1 + 300 / 400 halves the pull but for a quarter
    assert go(held, stay / (stay + ahead / 1.75) + 1e-3) == 1
    assert held_up[0] == near(1 - (stay + ahead / 1.75) / (stay + ahead))


def test_civilians_are_attacked_as_motive_targets_and_protection_say():
    numbers = numbers_of(
        "prey", rate=10, band=100,
        protection=0.1, rivals=1, losses=2, reprisal=5, restraint=0.6, targets=4_000, losses_half=0.1,
        reprisal_half=10, reporters=20,
    )  # fmt: skip

    def hazard(guard=0.0, losses=0.0, foes=0.0, grief=0.0, reports=0.0, fighters=100.0):
        return prey.hazard(numbers, fighters, 100.0, losses, 0.5, foes, grief, 4_000.0, guard, reports, 2.0, 0.5)

    # 10 a year x abuse 2 x drive 0.5, half of it finds a target: 4,000 people who are not its own
    assert hazard() == near(5)
    assert hazard(fighters=50.0) == near(2.5)  # half of those who are in reach, in a band of their own
    assert hazard(guard=10) == near(2.5)  # a tenth of a peacekeeper for each fighter deters half
    assert hazard(foes=100) == near(7.5)  # as many rivals near: half as much again
    assert hazard(losses=10) == near(10)  # a tenth lost: half of 2 more
    assert hazard(grief=10) == near(17.5)  # ten of its own just killed: half of 5 more
    assert hazard(reports=20) == near(5 * (1 - 0.6 * 0.5 * 0.5))  # half of 0.6 for who answers for half


def test_a_government_answers_for_what_is_reported_and_others_as_far_as_they_are_committed(tmp_path):
    factions = {
        "army": Faction(fighters=100, bands=1, host=True, commitment=0.1, community={"b": 1.0}),
        "rebels": Faction(fighters=100, bands=1, commitment=0.5, community={"b": 1.0}),
    }
    m = PeaceModel(only(by_hand(tmp_path, LINE, factions, {"m": mission()}, prey__restraint=0.8), "deploy", "task"))
    m.step()
    m.bands.cell[:], m.presence[:] = 2, 0.0
    rules.survey(m.view)
    targets = prey.draw_attacks(m.view)
    before = prey.rates(m.view, targets)
    m.presence[0, rules.REPORT, 2] = m.numbers.prey.reporters
    assert prey.rates(m.view, targets) / before == near([1 - 0.8 * 0.5, 1 - 0.8 * 0.5 * 0.5])


def test_a_mission_steps_in_as_far_as_it_is_warned(tmp_path):
    factions = {"army": Faction(bands=1, host=True), "rebels": Faction(fighters=100, bands=1, community={"b": 1.0})}
    parts = {"m": mission(force={"technology": 0.5}), "n": mission(command="other")}
    p = by_hand(tmp_path, LINE, factions, parts, task__told=0.5, task__language=0, task__apart=0, prey__unwarned=0.2,
                prey__stepping_in=0.1, prey__largest_share=0.1, mission__coordination=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "prey", "observe"))
    m.step()
    m.presence[:, rules.PROTECT, 2], m.census.trust[:, 2] = 10.0, [0.4, 1.0]
    # one sees half and is told 0.5 x 0.4 of the rest, the other is told half: 0.6 and 0.5 of what there is to know
    ready = [10 * (0.2 + 0.8 * 0.6), 10 * (0.2 + 0.8 * 0.5)]
    assert prey.ready_to_help(m.view, 1, 2) == near(ready)
    m.now.attacks[:], m.now.answered[:], m.bands.cell[:] = 0.0, 0.0, 2
    m.census.population[:] = 0
    m.census.population[2] = 1_000  # the only people in reach
    prey._attack(m.view, np.flatnonzero(m.bands.faction == 1)[0], 100.0, prey.draw_attacks(m.view), 0)
    # a tenth of a peacekeeper who is warned for each of a hundred fighters would answer half of the attacks
    likely = sum(ready) / (sum(ready) + 10)
    assert (m.now.attacks[0], m.now.answered[0]) == near((1, likely))
    m.now.attacks[0] += 1  # and one where nobody is
    row = np.zeros(len(m.record.columns))
    observe.measure(m.view, m.record.places, row)
    assert (row[m.record.at.attacks], row[m.record.at.answered]) == near((2, likely / 2))


def test_the_share_of_attacks_answered_counts_each_attack_once(tmp_path):
    m = PeaceModel(by_hand(tmp_path, LINE, {}, {"m": mission()}, weeks=3))
    m.run()
    columns = list(m.record.columns)
    for week, (attacks, answered) in enumerate([(1, 1.0), (3, 0.5), (0, np.nan)]):
        m.record.weekly[week, columns.index("attacks")] = attacks
        m.record.weekly[week, columns.index("answered")] = answered
    assert totals(m)["answered"] == near(2.5 / 4)


def test_bands_attack_as_far_as_they_fight_whoever_they_do_not_call_their_own(tmp_path):
    factions = {"a": Faction(fighters=100, bands=1, community={"b": 1.0}), "c": Faction(bands=1)}
    m = PeaceModel(by_hand(tmp_path, LINE, factions))
    m.bands.cell[:] = 2
    m.census.population[:] = [[1_000, 0], [3_000, 0], [0, 5_000], [1_000, 0], [1_000, 0]]  # a, b by place
    whom = [rules.pick_somebody(m.view, 2, 0, m.census.population, (i + 0.5) / 100) for i in range(100)]
    assert (whom.count((1, 0)), whom.count((3, 0))) == (75, 25)  # one place on; those two places on are out of reach


def test_force_reaches_the_host_as_far_as_mandate_consent_and_impartiality_go(tmp_path):
    factions = {"army": Faction(fighters=100, bands=1, host=True), "rebels": Faction(fighters=100, bands=1)}
    parts = {n: mission(persons={"troops": 100}, tasks={"enforce": 1}) for n in ("a", "b")}
    m = PeaceModel(by_hand(tmp_path, TWO, factions, parts))
    m.presence[:, rules.ENFORCE] = 1.0
    m.missions.use_of_force, m.missions.host_reach = [0.8, 0.5], [0.5, 0.2]
    m.missions.partiality = [0.6, 0.0]
    consent = np.array([0.5, 1.0])
    assert enforce.force_against(m.view, 0, consent) == near([0.5 * 0.5 * 0.4 * 0.8, 0.2 * 0.5])
    assert enforce.force_against(m.view, 1, consent) == near([0.8, 0.5])
    m.missions.pace[:] = 0.5, 0.25
    assert enforce.force_against(m.view, 1, consent) == near([0.4, 0.125])


def test_operations_come_as_force_outweighs_fighters_and_less_in_a_lull():
    p = load().enforce
    p.rate, p.weight, p.idle = 3.0, 0.5, 0.15
    rates = each(enforce.hazard, p, np.array([50.0, 50, 0]), np.full(3, 100.0), np.array([True, False, True]))
    assert rates == near([1.5, 0.225, 0])


@pytest.mark.parametrize("removed", [0.35, 1.0])
def test_an_operation_removes_its_share_of_a_band_and_never_more_than_there_are(tmp_path, removed):
    factions = {"a": Faction(fighters=100, bands=1, community={"b": 1.0})}
    parts = {"m": mission(persons={"troops": 1_000}, tasks={"enforce": 1})}
    p = by_hand(tmp_path, TWO, factions, parts, enforce__removed=removed, enforce__killed=0.5, enforce__collateral=0,
                enforce__own_losses=0)  # fmt: skip
    m = PeaceModel(p)
    size, killed = (m.luck.uniform(f"enforce.{which}", 1)[0] for which in ("size", "killed"))
    enforce._operation(m.view, 0, 0)
    gone = min(100 * removed * 2 * size, 100)  # twice the mean at most, by the luck of the draw
    assert m.factions.dispersed[0] + m.now.fighters_lost[0] == near(gone)
    assert m.now.fighters_lost[0] == int(gone / 2 + killed)
    assert m.bands.fighters[0] == near(100 - gone)
    assert m.now.hit[0, 0] == near(gone)


def test_units_are_attacked_as_hostility_and_guards_say_and_teams_are_raided_for_their_stocks():
    p = load().ambush
    p.rate, p.guard, p.raid, p.raiders = 3.0, 0.5, 1.0, 20.0
    # 100 fighters half hostile, 200 guards: 3 x 50 / (100 + 100) on a whole unit, half of it on half a unit
    size, hostile, fighters, guards = np.array([1, 0.5, 1]), np.array([50.0, 50, 0]), np.full(3, 100.0), [200, 200, 0.0]
    assert each(ambush.hazard, p, size, hostile, fighters, np.array(guards)) == near([0.75, 0.375, 0])
    # full and half stocks, 20 looters, no escort: as many as the raiders that give half
    stock, guards, size = np.array([1.0, 0.5, 1, 1]), np.array([0, 0, 80.0, 80]), np.array([1, 1, 1, 0.5])
    assert each(ambush.raids, p, size, stock, np.full(4, 20.0), guards) == near([0.5, 0.25, 0.25, 0.125])


def test_arms_keep_bands_off_contingents_and_escorts_off_teams_and_who_is_trained_is_hit_less(tmp_path):
    factions = {"rebels": Faction(fighters=100, bands=1, community={"b": 1.0}, loot=0.4)}
    p = by_hand(tmp_path, LINE, factions, {"m": mission(persons={"troops": 100, "aid": 40})}, deploy__team_size=40,
                ambush__rate=3, ambush__guard=0.5, ambush__unit=100, ambush__team=40, ambush__trained=0.4,
                ambush__protest=0.5, ambush__raid=1, ambush__raiders=20, ambush__warned=0.6,
                task__relocation=0, task__told=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    m.units.cell[:], m.bands.cell[:], m.factions.hostility[:], m.units.access[:] = 2, 2, 0.5, True
    m.presence[0, task.LOCAL.index("escort"), 2], nobody = 60.0, np.zeros(2)
    rules.survey(m.view)
    assert m.units.team.tolist() == [False, True]
    # 100 fighters half hostile: 3 x 50 / (100 + 0.5 x 100 in arms), and / (100 + 0.5 x 60 escorts)
    hit, team, raid = 1.0, 150 / 130, 40 / (40 + 20 + 30)  # 40 looters, 20 that give half
    for training, times in ((0.5, 1.0), (1.0, 0.6), (0.0, 1.4)):
        m.missions.training[:] = training
        hits, raids = ambush.rates(m.view, nobody)
        assert hits == near([hit * times, team * times])
        assert raids == near([0, raid * times])
    m.missions.training[:], m.missions.technology[0] = 0.5, 0.5  # who knows half avoids half of 0.6; teams ask nobody
    hits, raids = ambush.rates(m.view, nobody)
    assert hits == near([hit * 0.7, team])
    assert raids == near([0, raid])
    m.missions.technology[0] = 0.0
    m.units.pinned[:], m.units.access[:], m.missions.training[:] = [1, 0], False, 0.5
    hits, raids = ambush.rates(m.view, nobody)
    assert hits == near([1.5 * hit, team])
    assert raids.tolist() == [0, 0]  # who cannot work has nothing on the road


def test_an_attack_on_a_team_is_a_raid_and_on_a_contingent_an_ambush(tmp_path):
    factions = {"rebels": Faction(fighters=100, bands=1, community={"b": 1.0}, loot=0.4)}
    p = by_hand(tmp_path, LINE, factions, {"m": mission(persons={"troops": 100, "aid": 40})}, deploy__team_size=40,
                ambush__rate=520, ambush__raid=0, task__relocation=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "ambush"))
    m.step()
    m.units.cell[:], m.bands.cell[:], m.factions.hostility[:] = 2, 2, 1.0
    m.now.turn()
    ambush.ambush(m)
    assert sorted(e.kind for e in m.now.events) == ["ambush", "raid"]
    assert next(e for e in m.now.events if e.kind == "raid").deaths_b > 0


def test_stocks_are_filled_up_and_never_above_that(tmp_path):
    p = by_hand(tmp_path, TWO, {}, {"m": mission(persons={"aid": 40})}, deploy__team_size=20, ambush__restock=4)
    m = PeaceModel(only(p, "deploy", "ambush"))
    m.step()
    m.units.stock[:] = 0.5, 0.9
    m.step()
    assert m.units.stock == near([0.75, 1])


def test_people_in_sites_draw_attacks_so_many_times(tmp_path):
    m = placed(tmp_path, {"m": mission()}, prey__site_target=3)
    m.land.sheltered[2, 0] = 100
    assert prey.draw_attacks(m.view)[:3, 0] == near([1_000, 1_000, 900 + 3 * 100])


def test_what_presence_deters_is_a_share_of_the_attacks_to_be_expected_without_it(tmp_path):
    factions = {"a": Faction(fighters=200, bands=2, community={"b": 1.0}), "c": Faction(fighters=100, bands=1)}
    p = by_hand(tmp_path, LINE, factions, prey__protection=0.1)
    m = PeaceModel(only(p, "prey", "observe"))
    m.bands.cell[:], m.bands.fighters[:], m.factions.campaign[:] = [0, 4, 4], 100.0, 5.0
    m.bands.taking_part[:] = True
    rules.survey(m.view)
    m.guard[:, 0], m.guard[:, 4] = 10.0, 0.0  # a tenth of a peacekeeper for each of a hundred fighters deters half
    targets = prey.draw_attacks(m.view)
    guarded = prey.rates(m.view, targets)
    prey.count_deterred(m.view, guarded)
    assert m.now.deterred[0] == near(guarded[0] * m.years)  # as many as it still makes
    assert m.now.intended[0] == near((2 * guarded[0] + guarded[1:].sum()) * m.years)
    row = np.zeros(len(m.record.columns))
    observe.measure(m.view, m.record.places, row)
    share = row[m.record.at.deterred]
    assert share == near(guarded[0] / (2 * guarded[0] + guarded[1:].sum()))
    assert 0 < share < 0.5
    m.now.intended[0] = 0.0
    observe.measure(m.view, m.record.places, row)
    assert np.isnan(row[m.record.at.deterred])


def test_no_battle_kills_more_than_a_share_of_both_sides(tmp_path):
    factions = {"many": Faction(fighters=100, bands=1), "few": Faction(fighters=10, bands=1)}
    m = PeaceModel(by_hand(tmp_path, TWO, factions, fight__severity=100, fight__largest=100, fight__largest_share=0.5))
    m.bands.cell[:], m.bands.fighters[:] = 0, np.where(m.bands.faction == m.factions.names.index("many"), 100, 10)
    many, few = (m.factions.names.index(name) for name in ("many", "few"))
    fight._battle(m.view, 0, many, few, 0.5, 0.0)
    # half of 110: the many lose a tenth of it by the strength of the few, who lose all that they are
    assert (m.now.fighters_lost[many], m.now.fighters_lost[few]) == (5, 10)


def test_whom_a_mission_kills_is_held_against_its_command(tmp_path):
    parts = {name: mission(command=command) for name, command in (("m", "c"), ("n", "c"), ("o", "d"))}
    m = PeaceModel(by_hand(tmp_path, TWO, {}, parts))
    census.take_census(m.view)
    for number, (own, other) in enumerate([(0, 1), (0, 1), (1, 0)]):
        m.now.logged[:] = 0
        assert m.kill(0, 8, 0.5, mission=number) == 8
        _, harmed = feel.blows(m.view, 0.25)
        assert harmed[[own, other], 0].sum(axis=1) == near([8, 2])


def test_a_host_minds_reports_as_far_as_people_live_beyond_the_area(tmp_path):
    cells = [(0, 0, 1_000, 0, 0, 0.5, 1, 0), (0, 1, 3_000, 0, 0, 0.5, 1, 0)]
    parts = {"m": mission(tasks={"report": 1}, beyond=0.5)}
    p = by_hand(tmp_path, cells, {"army": Faction(fighters=9, bands=1, host=True)}, parts, civilians=4, judge__people=0,
                judge__overreach=5.2, judge__judging_half=30, judge__reporting=0.8)  # fmt: skip
    m = PeaceModel(p)
    census.take_census(m.view)
    m.missions.area[:], m.missions.work[0, TASKS.index("report")] = [1, 0], 100.0
    rise = np.zeros((1, 1))
    judge._by_the_host(m.view, rise, np.array([True]))
    # three of four people are elsewhere: 0.75 x 0.5 x 100 x 0.8 = 30 reporters, half of a tenth a week
    assert rise == near(np.array([[0.05]]))


def test_one_mission_offends_alone_if_it_does_far_more_by_person():
    persons, command = np.array([10.0, 90, 50]), np.array([0, 0, 1])
    # 4 of 5 by a tenth of the persons: 0.4 each against 1 / 90
    for offence, who in (([4, 1, 0], [True, False, False]), ([1, 4, 0], [False] * 3), ([1, 9, 5], [False] * 3)):
        assert judge.alone(np.array(offence, float), persons, command, 2.0).tolist() == who


def test_no_more_come_back_than_are_waiting_however_long_the_step():
    p = numbers_of("recruit", regroup=20, holding=0.5)
    one, none = np.ones(2), np.zeros(2)
    found = recruit.flows(
        p, fighters=100 * one, keep=100 * one, grudge=none, wronged=none, loot=none, commitment=none,
        dispersed=40 * one, demobilised=none, held=np.array([0.0, 1]), ddr=0.0, reintegrators=0.0, state=1.0, y=0.08,
    )  # fmt: skip
    assert found[recruit.REGROUPED] == near([40, 0.8 * 40])  # 1.6 of them, and half of that


def test_vaccination_reaches_those_who_are_not_vaccinated_yet():
    p, vaccinated = numbers_of("relieve", vaccination=5.2, vaccinators=10), np.array([0.0, 0.5, 0.5, 0.5])
    patrol, weight = np.array([[0, 1], [1, 2], [2, 3], [3, -1]]), np.array([1.0, 0.5])
    relieve.vaccinate(p, 1 / 52, np.array([10.0]), np.array([0]), patrol, weight, np.array([1, 1, 1, 0.0]), vaccinated)
    # ten workers where the team is, five next door: half and a third of a tenth a week, of those who are left
    assert vaccinated == near([-np.expm1(-0.05), 0.5 - 0.5 * np.expm1(-0.1 / 3), 0.5, 0.5])


def test_presence_goes_where_bands_are_known_to_be(tmp_path):
    factions = {"rebels": Faction(fighters=100, bands=1, community={"b": 1.0})}
    force = {"technology": 0.5}
    parts = {"m": mission(force=force, command="c"), "n": mission(persons={"troops": 0}, command="d")}
    p = by_hand(tmp_path, LINE, factions, parts, feel__start=1, task__relocation=0, task__patrol_km=25,
                task__threat=0, mission__coordination=0.5, prey__wounded=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    m.units.cell[:], m.bands.cell[:] = 2, 1
    m.bands.taking_part[:], m.factions.campaign[:] = True, 5.0
    m.step()
    # fighters are in reach of the places 0, 1 and 2; usual weights 1/4, 1/2, 1, 1/2, 1/4, half of them by threat:
    # it has 1.75 of 2.5 in its reach, so a threatened place gets half + half x 2.5 / 1.75
    more = 0.5 + 0.5 * 2.5 / 1.75
    assert m.task_presence("protect")[0] == near(100 * np.array([0.25 * more, 0.5 * more, more, 0.25, 0.125]))
    m.numbers.task.told, m.missions.technology[0] = 0.5, 0.0  # people who trust say half of where they are
    m.step()
    assert m.task_presence("protect")[0] == near(100 * np.array([0.25 * more, 0.5 * more, more, 0.25, 0.125]))
    m.missions.technology[0] = 0.5
    assert siting.known(m.view) == near([0.5, 0.25])  # the other command is told half of it... and has nobody to send
    m.factions.campaign[:] = 0.0
    assert rules.threat(m.view)[:3] == near(0.1 * 100 * 1_000 / 37_000)  # at rest


def test_what_a_mission_knows_of_bands_comes_of_its_technology_and_of_people_around_its_bases(tmp_path):
    parts = {"m": mission(force={"technology": 0.5, "local_knowledge": 0.5}), "t": mission(persons={"aid": 50})}
    p = by_hand(tmp_path, LINE, missions=parts, task__told=0.4, task__language=0.8, task__threat=0,
                deploy__base_size=50, deploy__base_skew=1)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "observe"))
    m.step()
    large, small, _ = range(m.units.cell.size)  # two bases with twice as many in one, and an aid team
    m.census.trust[m.missions.command[0]] = [1.0, 0.5, 0, 0, 0]
    m.units.cell[large], m.units.cell[small] = 0, 1
    # they get across (1 - 0.8 x 0.5), and are trusted in full or half, so they are told 0.24 and 0.12
    known = {cell: 1 - 0.5 * (1 - 0.4 * 0.6 * trust) for cell, trust in ((0, 1.0), (1, 0.5))}
    assert [siting.informed(m.view, 0, cell, 0.5) for cell in (0, 1)] == near([known[0], known[1]])
    row = np.zeros(len(m.record.columns))
    observe.measure(m.view, m.record.places, row)
    assert row[m.record.at.informed_mission] == near((2 * known[0] + known[1]) / 3)
    assert np.isnan(row[m.record.at.informed_mission + 1])  # an aid team asks nobody where bands are
    m.units.cell[large] = -1  # whoever is not there knows nothing
    observe.measure(m.view, m.record.places, row)
    assert row[m.record.at.informed_mission] == near(known[1])


def crowded(tmp_path, **about):
    """Return a base of 100 with open gates in the middle of a line, 400 of the 1,000 there displaced."""
    factions = {"rebels": Faction(fighters=50, bands=1, community={"b": 1.0})}
    part = mission()
    part.mandate.open_gates = 0.5
    p = by_hand(tmp_path, LINE, factions, {"m": part}, feel__start=1, task__relocation=0, task__patrol_km=25,
                task__threat=0, live__camp_staff=50, live__camp=3, live__countryside=1, civilians=50,
                task__gate_duty=0.5, task__gate_crowd=300, **about)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    m.units.cell[:], m.bands.cell[:] = 2, 2
    m.people.status[20:24] = AWAY
    m.people.home[20:24] = 0
    m.step()  # the census of next Monday sees them
    m.step()
    return m


def test_open_gates_take_in_people_who_flee_and_tie_down_those_who_guard_them(tmp_path):
    m = crowded(tmp_path)
    # 100 x 0.5 are half of a site: 1.5 against the countryside's 1, and there is no town
    assert m.land.site.tolist() == [0, 0, 0.5, 0, 0]
    assert m.census.displaced[2].sum() == 400
    assert m.land.sheltered.sum(axis=1) == near([0, 0, 240, 0, 0])
    # 0.5 x 0.5 x 240 / (240 + 300) of the patrols are tied down
    tied = 0.25 * 240 / 540
    assert m.task_presence("protect")[0] == near(100 * np.array([0.25, 0.5, 1, 0.5, 0.25]) * (1 - tied * np.array(
        [1, 1, 0, 1, 1])))  # fmt: skip


def test_a_guard_saves_most_of_those_attacked_in_a_site_and_they_need_less_work(tmp_path):
    m = crowded(tmp_path, prey__site_target=100, prey__walls=0.8, prey__gate=1, prey__severity=30, prey__band=50,
                prey__largest=31, prey__largest_share=1, prey__stepping_in=100, prey__wounded=0)  # fmt: skip
    m.missions.use_of_force[:] = 0.0  # nobody steps in
    while not m.now.killed_in_sites[0]:  # until somebody is attacked, and in the site, by the luck of the draw
        m.luck.step += 1
        m.now.by_faction[:] = 0
        prey._attack(m.view, 0, 50.0, prey.draw_attacks(m.view), 0)
    # 30 were meant to die; 100 guards against 50 attackers save 0.8 x 100 / 150 of them
    assert m.now.killed_in_sites.tolist() == m.now.by_faction.tolist() == [14]


def test_medicine_prevents_deaths_and_treats_those_near_by(tmp_path):
    m = placed(tmp_path, {"m": mission(force={"medicine": 0.5})}, task__medics=50, ambush__wounded=0.25)
    saved = []
    for medicine in (0, 0.5, 1.0):
        m.missions.medicine[:] = medicine
        saved.append(deaths.die_of_it(m.view, 0))
    assert saved == near([1.25, 1, 0.75])
    assert m.care == near([1 / 2, 1 / 3, 1 / 5, 0, 0])  # 100 x 0.5, half and a quarter of that further away


def test_access_is_lost_to_hostility_fighting_and_remoteness_and_forced_by_escorts():
    p = load().relieve
    p.base, p.hostility, p.fighting, p.remoteness, p.escort, p.escort_half = 2.0, 4.0, 1.0, 1.0, 0.6, 150.0
    fought, hostile, none = np.array([0, 0, 1.0]), np.array([0, 0.5, 0.5]), np.zeros(3)
    open_ = each(relieve.access, p, hostile, fought, none, fought, none)
    assert open_ == near([1 / (1 + np.exp(-2)), 0.5, 1 / (1 + np.exp(2))])
    assert each(relieve.forced, p, np.array([150.0, 0]), np.array([0.5, 1])) == near([0.6 * 0.5 * 0.5, 0])


def test_a_pause_holds_fire_opens_the_way_and_spares_lives_for_months(tmp_path):
    factions = {"rebels": Faction(fighters=100, bands=1, community={"b": 1.0})}
    parts = {"m": mission(persons={"aid": 20}, tasks={"relieve": 1})}
    p = by_hand(tmp_path, TWO, factions, parts, relieve__base=10, relieve__hostility=50, relieve__pause_rate=0,
                relieve__vaccination=52, relieve__vaccinators=20, live__immunity=26, live__spared=0.4,
                live__mortality=0.52, ambush__raid=0, task__team_relocation=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "relieve"))
    m.step()
    m.units.cell[:], m.bands.cell[:], m.factions.hostility[:] = 0, 0, 0.5
    m.step()
    assert not m.units.access.any()  # 10 - 50 x 0.5: nobody gets through
    m.bands.paused[:] = 2
    m.step()
    assert m.units.access.all()  # all arms at rest: nobody keeps them out
    # 20 workers make half of the effort: 1 - exp(-52 / 52 x 0.5) of the people; half as many reach the next place
    assert m.land.vaccinated == near([1 - np.exp(-0.5), 1 - np.exp(-1 / 3)])
    m.step()
    assert m.bands.paused.tolist() == [0]
    twice = m.land.vaccinated.copy()
    m.step()
    assert not m.units.access.any()
    assert m.land.vaccinated == near(twice * 0.5 ** (1 / 26))
    *_, deadly = live.conditions(m.numbers.live, m.years, m.land.felt, m.land.institutions, np.array([0.0, 0.5]))
    assert deadly == near([0.01, 0.008])  # a hundredth a week at full need; 0.4 of it spared by vaccines for all


def test_bands_around_a_team_agree_to_a_pause_as_they_are_not_hostile(tmp_path):
    factions = {n: Faction(fighters=100, bands=1, community={n: 1.0}) for n in ("a", "b")}
    parts = {"m": mission(persons={"aid": 60}, tasks={"relieve": 1, "engage": 1})}
    p = by_hand(tmp_path, LINE, factions, parts, relieve__base=10, relieve__pause_rate=52, relieve__pause_half=0.1,
                relieve__pause_km=25, relieve__pause_weeks=3, feel__start=1, task__team_relocation=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "task", "relieve"))
    m.step()
    m.units.cell[:], m.bands.cell[:], m.factions.hostility[:, 0] = 0, (1, 1), (0.0, 1.0)
    m.bands.paused[:] = 0
    while not m.now.pauses.any():
        m.luck.step += 1
        m.now.pauses[:] = 0
        task.task(m)
        relieve.relieve(m)
    assert m.bands.paused.tolist() == [3, 0]  # one wishes the mission no harm, the other nothing but
    m.bands.cell[:], m.bands.paused[:] = 2, 0  # 50 km away, out of its reach
    for _ in range(30):
        m.luck.step += 1
        task.task(m)
        relieve.relieve(m)
    assert not m.bands.paused.any()


def test_what_is_observed_is_of_whom_its_name_says(tmp_path):
    factions = {"army": Faction(fighters=100, bands=1, host=True, community={"a": 1.0}),
                "rebels": Faction(fighters=200, bands=2, community={"b": 1.0})}  # fmt: skip
    missions = {"m": mission(persons={"troops": 60, "staff": 40}), "n": mission(persons={"police": 30, "aid": 20})}
    m = PeaceModel(only(by_hand(tmp_path, LINE, factions, missions, civilians=5), "deploy", "observe"))
    m.step()
    m.bands.fighters[:], m.bands.held_up[:] = [100, 150, 50], [0, 0.5, 0]
    m.factions.hostility[:] = [[0.1, 0.2], [0.3, 0.4]]
    m.factions.commitment[:] = 0.6, 0.7
    m.land.felt[:], m.census.trust_of_all[:] = [0.2, 0.3, 0.1, 0, 0.9], [0.8, 0.9]
    m.units.cell[:], m.units.freedom[:] = np.arange(m.units.cell.size) % 5, 1.0
    m.units.freedom[m.units.mission == 1] = np.where(m.units.team[m.units.mission == 1], 0.5, 0.25)
    now = m.now
    now.fighters_lost[:], now.lost_to_rivals[:], now.by_faction[:], now.crossfire[:] = [9, 7], [4, 2], [1, 2], [3, 5]
    now.by_mission[:], now.tried[:], now.reached[:], now.cost[:] = [10, 20], [3, 1], [1, 1], [6, 7]
    row = np.zeros(len(m.record.columns))
    observe.measure(m.view, m.record.places, row)
    found = dict(zip(m.record.columns, row.tolist(), strict=True))
    said = {
        "freedom_civilians": 3 / 5, "freedom_army": 1, "freedom_rebels": (75 + 50) / 200,  # half of 150 are held up
        "freedom_m": 1, "freedom_n": (30 * 0.25 + 20 * 0.5) / 50, "commitment_army": 0.6, "commitment_rebels": 0.7,
        "hostility_army_m": 0.1, "hostility_army_n": 0.2, "hostility_rebels_m": 0.3, "hostility_rebels_n": 0.4,
        "consent_gov_m": 0.9, "consent_gov_n": 0.8, "trust_m": 0.8, "trust_n": 0.9, "fighters_rebels": 200,
        "battle_deaths": 6, "battle_deaths_gov": 4, "battle_deaths_reb": 2, "operation_deaths": 16 - 6, "crossfire": 8,
        "brd": 14, "osv_gov": 1, "osv_reb": 2, "osv_all": 3, "civilians_killed": 3 + 8 + 30, "killed_by_m": 10,
        "killed_by_n": 20, "access": 2 / 4, "personnel_m": 100, "personnel_n": 50, "troops": 60, "police": 30,
        "humanitarian_staff": 20, "cost_m": 6, "cost_n": 7,
    }  # fmt: skip
    assert {name: found[name] for name in said} == near(said)
    layers = np.zeros((len(m.record.layers), 5), dtype=np.float32)
    observe.draw_map(m.view, layers)
    of_map = dict(zip(m.record.layers, layers.sum(axis=1).tolist(), strict=True))
    assert of_map["persons"] == 5_000
    assert [n for name, n in of_map.items() if name.endswith(("_m", "_n"))] == near([60, 40, 30, 20])


def test_what_is_observed_in_a_month_is_the_sum_of_its_weeks():
    m = play("mission=parallel", "mission.authorised=0", weeks=60, civilians=300, rows=14)
    weeks, months = weekly(m), monthly(m)
    by_month = weeks.groupby([d.isoformat()[:7] for d in weeks.date])
    assert months.month.tolist() == list(by_month.groups)
    by_day = {}  # a week's dead die on its seven days alike
    for day, dead in zip(weeks.date, weeks.civilians_killed, strict=True):
        for d in range(7):
            month = (day + timedelta(days=d)).isoformat()[:7]
            month = month if month <= months.month.iloc[-1] else months.month.iloc[-1]
            by_day[month] = by_day.get(month, 0) + dead / 7
    assert months.civilians_killed.to_numpy() == near(list(by_day.values()))
    assert months.idps.to_numpy() == near(by_month.idps.last().to_numpy())
    assert months.civilians_killed.sum() == near(sum(e.deaths_civilians for _, e in m.record.events))


GOVERNMENT, MILITIA, REBELS, SPOILERS = range(4)  # of the default country, whose spoilers would never sign


@pytest.mark.parametrize(
    ("battles", "peace", "relapse"),
    [
        ([(100, GOVERNMENT, REBELS, 500)], 1, 0),  # long over when the mission leaves in week 312
        ([(290, GOVERNMENT, REBELS, 25)], 0, np.nan),
        ([(290, GOVERNMENT, REBELS, 24)], 1, 0),
        ([(290, GOVERNMENT, REBELS, 24), (300, REBELS, MILITIA, 24)], 1, 0),  # two dyads, none at war
        ([(290, GOVERNMENT, REBELS, 20), (300, REBELS, GOVERNMENT, 5)], 0, np.nan),  # one dyad, either side first
        ([(290, GOVERNMENT, SPOILERS, 90), (400, SPOILERS, REBELS, 90)], 1, 0),  # bandits want no state
        (
            [(310, GOVERNMENT, REBELS, 20), (313, GOVERNMENT, REBELS, 20)],
            1,
            0,
        ),  # its last week, its first
        ([(400, MILITIA, REBELS, 13), (451, MILITIA, REBELS, 12)], 1, 1),
        ([(400, MILITIA, REBELS, 13), (452, MILITIA, REBELS, 12)], 1, 0),  # 53 weeks apart
        ([(840, GOVERNMENT, REBELS, 99)], 1, 0),  # after ten years
    ],
)
def test_peace_is_counted_by_dyads_of_the_parties(battles, peace, relapse):
    m = PeaceModel(load("mission=un_only", "weeks=900", "civilians=50"))
    m.record.steps = 900
    m.missions.ended[0] = 312
    m.record.events = [(week, Event("battle", a, b, 0, dead // 2, dead - dead // 2)) for week, a, b, dead in battles]
    found = outcomes.test_of_time(m)
    assert found["peace_at_exit"] == peace
    assert found["relapse"] == near(relapse, nan_ok=True)
    if relapse == 1:
        assert found["peace_lasted"] == 451 - 312


@pytest.mark.parametrize(("week", "dead", "peace"), [(847, 99, 1), (848, 25, 0), (899, 25, 0), (848, 24, 1)])
def test_peace_at_the_end_is_of_the_last_year_whenever_missions_left(week, dead, peace):
    m = PeaceModel(load("mission=un_only", "weeks=900", "civilians=50"))
    m.record.steps = 900
    m.record.events = [(week, Event("battle", GOVERNMENT, REBELS, 0, dead, 0))]
    assert outcomes.test_of_time(m)["peace_at_end"] == peace
    m.missions.ended[0] = 880
    assert outcomes.test_of_time(m)["peace_at_end"] == peace
    m.record.steps = 51  # no year yet
    m.record.events = []
    assert np.isnan(outcomes.test_of_time(m)["peace_at_end"])


# ---------------------------------------------------------------------------------- state, income, hired men, seasons


def test_reform_disciplines_a_host_as_far_as_it_is_committed_and_arms_it_as_far_as_it_is_not():
    p, y = load().negotiate, 1 / 52
    p.reform, p.unreformed, p.lapse, p.arming, p.most_armed = 0.52, 0.5, 0.0, 0.52, 2.0
    reformed = uncompiled(negotiate.reformed)
    # half the effort, half committed: a hundredth x 1/4 of the half that can be reformed; and of the doubling of arms
    assert reformed(p, 1.0, 1.0, 1.0, 0.5, 0.5, y) == near((1 - 0.00125, 1.0025))
    assert reformed(p, 1.0, 1.0, 1.0, 1.0, 1.0, y) == near((0.995, 1))  # wholly committed: no arms
    p.lapse = 0.52
    assert reformed(p, 0.8, 1.0, 1.0, 0.0, 1.0, y)[0] == near(0.802)  # a hundredth of the way back


def test_only_the_host_is_reformed_and_what_it_is_armed_to_keep_it_fills(tmp_path):
    factions = {
        "army": Faction(fighters=100, bands=1, host=True, commitment=0),
        "rebels": Faction(fighters=100, bands=1),
    }
    parts = {"m": mission(persons={"staff": 120}, tasks={"reform": 1})}
    p = by_hand(tmp_path, TWO, factions, parts, negotiate__arming=5.2, negotiate__reformers=120,
                negotiate__most_armed=2, recruit__upkeep=5.2, negotiate__fatigue=0)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "recruit", "negotiate"))
    m.step()
    assert m.factions.armed == near([1.05, 1])  # half of a tenth
    assert m.factions.abuse == near(m.factions.nature)
    m.step()
    assert m.bands.fighters[0] > 100 > m.bands.fighters[1]


def test_sanctions_take_income_as_far_as_council_and_neighbours_keep_them(tmp_path):
    factions = {"army": Faction(bands=1, host=True, sponsor=0.4), "rebels": Faction(bands=1, sponsor=0.4)}
    p = by_hand(tmp_path, TWO, factions, mission__sanctions=0.5, mission__council_unity=0.8, mission__authorised=1,
                country__neighbours=0.5, recruit__sanctioned=0.5)  # fmt: skip
    m = PeaceModel(only(p))
    assert rules.spoils(m.view) == near([0.4, 0.4])
    m.step()  # 0.5 x 0.8 x 0.5 x 0.5 of the income of all but the host, from the week they are authorised
    assert rules.spoils(m.view) == near([0.4, 0.36])


def test_a_faction_musters_before_its_war_as_its_people_are_aggrieved(tmp_path):
    factions = {
        "army": Faction(bands=1, host=True),
        "rebels": Faction(fighters=100, bands=1, mustered=0.2, commitment=0.5),
    }
    m = PeaceModel(only(by_hand(tmp_path, TWO, factions, recruit__mobilise=0.52, move__grievance_half=0.02), "recruit"))
    assert m.bands.fighters[1] == near(20)
    m.census.grudge[:] = 0.02
    m.step()  # a hundredth x half (grievance) x half (commitment) of the 0.8 that is missing
    assert m.factions.mobilised == near([1, 0.202])


def test_hired_men_come_as_income_pays_for_them_and_count_for_more(tmp_path):
    hired = Hired(fighters=50, income=0.2, skill=2.5, abuse=2, until="2012-01-15")
    factions = {
        "army": Faction(fighters=100, bands=1, host=True, sponsor=0.1, loot=0, hired=hired),
        "rebels": Faction(bands=1),
    }
    p = by_hand(tmp_path, TWO, factions, recruit__upkeep=0, recruit__desertion=0, recruit__grievance=0, recruit__loot=0)
    m = PeaceModel(only(p, "recruit"))
    m.step()
    assert m.bands.fighters[0] == near(125)  # half of the money, half of the men: a fifth of all
    assert rules.of_hired(m.view, m.factions.hired_skill) == near([1.3, 1])
    assert rules.of_hired(m.view, m.factions.hired_abuse) == near([1.2, 1])
    m.step()
    assert m.bands.fighters[0] == near(125)
    m.step()  # the contract has ended
    assert m.bands.fighters[0] == near(100)
    assert not m.factions.hired.any()


def test_who_has_hired_men_loses_fewer_in_battle(tmp_path):
    def losses(hired=0.0):
        m = PeaceModel(by_hand(tmp_path, TWO, {
            "few": Faction(fighters=100, bands=1, host=True, hired=Hired(fighters=1, skill=3)),
            "many": Faction(fighters=100, bands=1),
        }, fight__severity=12, fight__crossfire=0))  # fmt: skip
        m.bands.cell[:], m.factions.hired[0] = 0, hired
        fight._battle(m.view, 0, 0, 1, 0.0, 0.0)
        return m.now.fighters_lost.tolist()

    assert losses() == [6, 6]
    assert losses(hired=50) == [4, 8]  # half of them count three times: 100 against 200


def test_a_sponsor_comes_and_goes(tmp_path):
    factions = {
        "a": Faction(bands=1, host=True),
        "b": Faction(bands=1, sponsored={"2012-01-01": 0.4, "2012-01-15": 0.0}),
    }
    m = PeaceModel(only(by_hand(tmp_path, TWO, factions), "move"))
    seen = []
    for _ in range(4):
        m.step()
        seen.append(m.factions.sponsor[1])
    assert seen == near([0.4, 0.2, 0, 0])


def test_work_of_donors_who_do_not_talk_is_done_twice():
    two, one = np.array([8.0, 8]), np.array([8.0, 0])
    assert [not_twice(two, 0.5), not_twice(one, 0.5)] == near([0.5, 1])  # two equal donors: half of it; one alone: all
    assert [not_twice(two, 0.0), not_twice(one, 0.0)] == near([1, 1])
    assert not_twice(np.array([16.0]), 0.5) == near(1)


def test_a_third_command_adds_friction_and_a_second_head_office_takes_its_time(tmp_path):
    three = {name: mission(command=name) for name in "xyz"}
    m = placed(tmp_path, three, task__friction=0.5, task__crowding=0.5)
    assert m.task_presence("protect")[:, 0] == near([40] * 3)  # 100 x half / (1 + 0.5 x 0.5 x one more than two)
    two = {"x": mission(approvals=2), "y": mission(command="x")}
    p = by_hand(tmp_path, LINE, {}, two, mission__coordination=0.2, task__joint=0.5)
    assert PeaceModel(p).missions.pace == near([1 / 1.4, 1])


def test_rains_come_once_a_year_and_are_doubled_by_a_flood(tmp_path):
    p = by_hand(tmp_path, TWO, country__rains=0.6, country__rains_week=20, country__start="2012-01-01")
    m = PeaceModel(p)
    for week, wet in ((20, 0.6), (20 + 13.045, 0), (20 + 26, 0), (20 + 365.25 / 7, 0.6), (20 + 365.25 / 7 / 6, 0.3)):
        m.week = week - 1 / 7
        assert seasons.wet(m.view) == pytest.approx(wet, abs=1e-3)
    m.week = 20 - 1 / 7
    m.numbers.country.flood = 1.0
    assert seasons.wet(m.view) == near(1.2)
    assert not seasons.dry(m.view)
    m.numbers.country.drought = 1.0
    assert seasons.dry(m.view)
    assert seasons.hardship(m.view) == near(m.params.live.lean + m.params.live.drought)


def test_communities_that_share_a_place_quarrel_over_land_and_water(tmp_path):
    # 300 of a and 100 of b in a place; the first faction fights for b alone: people of a hold a quarter against it
    m = PeaceModel(by_hand(tmp_path, TWO, {n: Faction(bands=1) for n in ("x", "y")}))
    m.census.of_place[0], m.factions.community = [300.0, 100.0], [[0.0, 1.0], [1.0, 0.5]]
    found = np.zeros((2, 2, 2))
    feel.quarrel(m.view, found, 1.0)
    assert found[0, :, 0] == near([0.25, 0])
    assert found[0, :, 1] == near([0, 0.875 * 0.5])


# ---------------------------------------------------------------------------------- the host and the people

HOST = {"army": Faction(fighters=0, bands=1, host=True), "rebels": Faction(fighters=0, bands=1)}
STILL = {"judge__decay": 0, "judge__persuasion": 0, "judge__rights": 0, "judge__political": 0, "judge__people": 0}


def test_a_host_that_thinks_better_of_it_takes_its_letter_back_and_the_mission_builds_up_again(tmp_path):
    parts = {"guest": mission(force={"build_up": 5})}
    p = by_hand(tmp_path, TWO, HOST, parts, **STILL, judge__expulsion=0.7, judge__patience=1, judge__reconsider=0.5,
                deploy__expulsion=10)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "judge", "observe"))
    m.missions.build_up[:], m.missions.arrive[:] = 5, -20
    m.plan[:] = 1
    m.factions.hostility[0] = 0.8
    for _ in range(4):
        m.step()
    m.factions.hostility[0] = 0.36  # over half of what it writes letters at: this one stands
    m.step()
    # unwelcome for more than a week at the end of week 1: a tenth goes in each of weeks 2, 3 and 4
    assert (m.missions.expelled[0], m.missions.letters[0]) == (1, 1)
    assert column(m, "personnel_guest") == near([100, 100, 90, 80, 70])
    m.factions.hostility[0] = 0.34  # under half of what it writes letters at: taken back at the end of week 5
    m.run()
    # another tenth has gone by then; a fifth comes back in each week
    assert column(m, "personnel_guest") == near([100, 100, 90, 80, 70, 60, 80, 100, 100, 100])
    assert (m.missions.expelled[0], totals(m)["letters_taken_back"]) == (np.inf, 1)


def test_who_has_gone_for_good_is_not_called_back(tmp_path):
    p = by_hand(tmp_path, TWO, HOST, {"guest": mission()}, **STILL, judge__expulsion=0.7, judge__patience=0,
                deploy__expulsion=2)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "judge", "observe"))
    m.factions.hostility[0] = 0.8
    for _ in range(4):
        m.step()
    m.factions.hostility[0] = 0.0
    m.run()
    assert column(m, "personnel_guest") == near([100, 50, *[0] * 8])
    assert m.missions.ended[0] == 2
    assert m.missions.letters[0] == 1


def test_a_host_follows_its_people_and_rebels_do_not(tmp_path):
    # trust of 0.1 where a newcomer has 0.4: three quarters of 0.52 a year; who is not there is not disliked
    parts = {"here": mission(), "later": mission(arrive=5)}
    p = by_hand(tmp_path, TWO, HOST, parts, **STILL | {"judge__people": 0.52}, feel__start=0.4)
    m = PeaceModel(only(p, "judge", "deploy"))
    m.people.trust[:] = 0.1
    m._open_week()
    m.step()
    assert m.factions.hostility.tolist() == [near([0.0075, 0]), [0, 0]]
    m.people.trust[:] = 0.6
    m._open_week()
    m.step()
    assert m.factions.hostility.tolist() == [near([0.0075, 0]), [0, 0]]


def test_people_without_trust_protest_by_how_little_they_have():
    # 4 a year where nobody trusts it, half as many at half of a newcomer's trust, none where there is more
    assert each(task.protests, load().task, np.array([0, 0.2, 0.5]), np.full(3, 0.4)) == near([4, 2, 0])


def test_a_protest_pins_a_unit_down_for_its_weeks_and_is_counted(tmp_path):
    m = placed(tmp_path, {"m": mission()}, task__protest=520, task__protest_weeks=2, task__blockade=0.8, weeks=8)
    assert m.units.freedom[0] == near(1)  # everybody trusts it
    m.people.trust[:] = 0
    m._open_week()
    m.step()
    assert m.now.protests.sum() == 0  # a new page
    assert m.units.pinned[0] == 2
    assert m.units.freedom[0] == near(0.2)
    # nobody tells it anything: half of the effect; where it is as ever, a fifth of what it would be next door
    assert m.task_presence("protect")[0, :2] == near([50, 5])
    m.people.trust[:] = 1
    m._open_week()
    m.step()
    assert (m.units.pinned[0], m.units.freedom[0]) == (1, near(0.2))
    m.step()
    assert (m.units.pinned[0], m.units.freedom[0]) == (0, near(1))


def test_a_mission_works_in_the_area_of_its_mandate(tmp_path):
    p = by_hand(tmp_path, LINE, {}, {"m": mission(area=["town"], area_km=25, beyond=0.4, tasks={"protect": 1})},
                feel__start=1, task__relocation=0)  # fmt: skip
    p.country.places = {"town": Place(row=0, col=0)}
    p.mission.components["m"].personnel.staff = 20.0
    p.mission.components["m"].mandate.tasks.report = 1.0
    m = PeaceModel(only(p, "deploy", "task"))
    m.step()
    assert m.units.cell[0] in (0, 1)
    m.units.cell[:] = 1
    m.step()
    protect, report = m.task_presence("protect")[0], m.task_presence("report")[0]
    assert protect[1] > 0
    assert protect.tolist()[2:] == [0, 0, 0]
    assert report[2] / report[0] == near(0.4)  # its patrols reach both, and it reports less on the one outside


def test_a_host_minds_reports_on_what_is_outside_the_area_of_the_mandate(tmp_path):
    # half of the people live outside: 100 x 0.5 x 0.5 (beyond) x 5 = 125 of 400 + 125, of 0.52 a year
    part = mission(persons={"staff": 100}, tasks={"report": 1}, area=["town"], area_km=0, beyond=0.5)
    p = by_hand(tmp_path, TWO, HOST, {"m": part}, **STILL, judge__overreach=0.52, judge__reporting=5)
    p.country.places = {"town": Place(row=0, col=0)}
    m = PeaceModel(only(p, "deploy", "judge"))
    m.missions.capacity[0, 3] = np.eye(len(TASKS))[TASKS.index("report")]  # a reporter who does nothing else, fully
    m.step()
    assert m.factions.hostility[:, 0] == near([0.01 * 125 / 525, 0])


def test_those_whom_protection_has_left_lose_trust(tmp_path):
    p = by_hand(tmp_path, TWO, {}, {"m": mission()}, feel__left=5.2, feel__left_memory=1, feel__forget=0,
                feel__misinformation=0, feel__protection=0, feel__protection_half=50)  # fmt: skip
    m = PeaceModel(only(p, "feel"))
    m.commands.seen[0] = 100, 0
    m.step()
    # half of 100 is remembered, none is there: 50 / (50 + 50) of a tenth, and 0.05 / 1.05 of the trust of 0.4
    assert m.people.trust[:, 0] == near([0.4 / 1.05, 0.4])


def test_an_escort_that_the_host_lends_opens_the_way_and_makes_enemies(tmp_path):
    factions = {
        "army": Faction(fighters=300, bands=1, host=True, commitment=0, community={"a": 1.0}),
        "rebels": Faction(fighters=600, bands=1, commitment=0.2, community={"b": 1.0}),
    }  # fmt: skip
    team = mission(persons={"aid": 60}, tasks={"relieve": 1})
    p = by_hand(tmp_path, TWO, factions, {"m": team}, relieve__lent=0.5, relieve__escort_half=150,
                relieve__escort_cost=0.52, **STILL)  # fmt: skip
    m = PeaceModel(only(p, "deploy", "relieve", "judge"))
    m.bands.cell[:], m.units.cell[:] = 0, 0
    m.bands.fighters[:] = 300, 600
    m.units.strength[:, 4] = 60
    m.fighters_around()
    assert rules.lent(m.view) == near([150])  # half of the 300 soldiers around it, of a host that consents
    # half of its work is done under the host's flag: so hostile are those who fight the host, at 0.8 of aggression
    assert [rules.under_guard(m.view, f, 150.0) for f in range(2)] == near([0, 0.4])
    m.step()
    assert m.now.lent.sum() == 0  # a new page
    rebels, army = m.factions.hostility[1, 0], m.factions.hostility[0, 0]
    assert rebels - army == near(0.005, rel=0.01)  # half of 0.52 a year; what they earned by force is the same to both


def test_work_under_the_escort_of_another_flag_is_held_against_that_flag(tmp_path):
    factions = {"rebels": Faction(fighters=100, bands=1, community={"b": 1.0})}
    parts = {"team": mission(persons={"aid": 20}, tasks={"relieve": 1}, command="a"), "guard": mission(command="b")}
    m = PeaceModel(only(by_hand(tmp_path, TWO, factions, parts, relieve__escort_half=150), "deploy"))
    m.step()
    team, guard = (m.missions.names.index(name) for name in ("team", "guard"))
    mine, theirs = m.missions.command[team], m.missions.command[guard]
    m.units.cell[:], m.missions.accepts[team], m.missions.accepts[guard] = 0, 1.0, 0.0
    m.presence[guard, task.LOCAL.index("escort"), 0] = 150.0  # half of its work is under it
    m.factions.hostility[0, mine], m.factions.hostility[0, theirs] = 0.1, 0.8
    teams = np.flatnonzero(m.units.team)
    assert relieve.open_roads(m.view, teams, np.zeros(2)) == near([0.4])
    m.missions.accepts[team], m.missions.accepts[guard] = 0.0, 1.0  # who asks for no escort is met as himself
    assert relieve.open_roads(m.view, teams, np.zeros(2)) == near([0.1])


# ---------------------------------------------------------------------------------- exits and hand-overs


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ((52, 25, np.nan, np.nan, np.nan), True),
        ((52, 24, np.nan, np.nan, np.nan), False),
        ((52, np.nan, 101, 0.3, np.nan), True),
        ((52, np.nan, 101, 0.5, np.nan), False),
        ((52, 25, 101, 0.3, 1), False),
    ],
)
def test_a_benchmark_is_met_when_all_that_it_asks_for_holds(asked, holds):
    found = deploy.met(np.array(asked), battle_deaths=24, killed=100, institutions=0.4, agreement=False)
    assert found == holds
    assert not deploy.met(np.array((52, 25, np.nan, np.nan, np.nan)), np.nan, np.nan, 1, True)  # not known yet


def test_a_mission_leaves_when_its_benchmark_is_met_and_who_waits_for_it_follows(tmp_path):
    parts = {
        "un": mission(leave=50, draw_down=4, benchmark=Benchmark(weeks=3, killed=10, earliest=When(week=2))),
        "office": mission(persons={"troops": 7}),
        "old": mission(leave=None),
    }
    parts["office"].arrive, parts["office"].leave = When(after="un.leave", weeks=-2), When(after="un.leave", weeks=5)
    p = by_hand(tmp_path, TWO, {}, parts, weeks=20, mission__authorised=0)
    killed = [9, 9, 5, 3, 2, 1, *[0] * 14]

    def kill(m):
        m.now.by_faction[0] = killed[int(m.week)]

    m = PeaceModel(only(p, "deploy", "observe"), after={"deploy": kill}).run()
    # over the last three weeks: 23 at the beginning of week 3, 17, 10, and 6 at the beginning of week 6
    un = m.missions.names.index("un")
    assert m.missions.decided[un] == 6
    assert m.missions.leave[un] == 10
    assert column(m, "personnel_un") == near([100] * 7 + [75, 50, 25] + [0] * 10)
    assert column(m, "personnel_office") == [0] * 8 + [7] * 7 + [0] * 5
    assert column(m, "personnel_old") == [100] * 20
    assert m.missions.ended.tolist() == [15, np.inf, 10]


@pytest.mark.parametrize(("gap", "kept"), [(-4, True), (0, True), (2, False)])
def test_a_hand_over_on_one_day_keeps_the_bases_and_what_people_know_and_a_gap_loses_both(tmp_path, gap, kept):
    first = mission(leave=5, persons={"troops": 400})
    then = mission(arrive=5 + gap, persons={"troops": 400}, takes_over="first", rehatted=0.5)
    p = by_hand(tmp_path, LINE, HOST, {"first": first, "then": then}, deploy__inherited=0.5, task__relocation=0)
    m = PeaceModel(only(p, "deploy"))
    m.people.trust[:, 0], m.factions.hostility[:, 0] = 0.8, 0.2
    for _ in range(5):
        m.step()
    m.units.cell[m.units.mission == 0] = 4, 3
    m.run()
    at = m.units.cell[m.units.mission == 1].tolist()
    # half of its 400 are the other's: half of a half of what was known goes with them
    assert m.people.trust[:, 1] == near(0.4 + 0.25 * 0.4 if kept else 0.4)
    assert m.factions.hostility[:, 1] == near(0.25 * 0.2 if kept else 0.0)
    if gap == 0:
        assert at == [4, 3]
