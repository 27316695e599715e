"""Limits and symmetries: what must be exactly so, whatever the numbers are."""

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conftest import by_hand, fingerprint, lived, mission, numbers_of, only, play, same, scenario

from sim import PeaceModel, draws, load, rules
from sim.outcomes import totals
from sim.params import KINDS, TASKS, Faction
from sim.processes import prey
from sim.processes import recruit as recruiting
from sim.processes.negotiate import commitment_change, next_institutions

SMALL = {"weeks": 52, "civilians": 300, "rows": 14}
EARLY = ("mission.authorised=0", "mission.council_unity=1")
THE_COUNTRY = ("people.cell", "people.persons", "people.status", "people.need", "bands.cell", "bands.fighters")


def country_of(model):
    """Return what became of the country: its people without their trust, its bands, the numbers of the dead."""
    arrays = {n: a for n, a in lived(model).items() if n in THE_COUNTRY or n.startswith(("land.", "politics."))}
    count = totals(model)
    names = ("civilians_killed", "osv_gov", "osv_reb", "excess_deaths", "brd", "unmet_need", "displaced_person_weeks")
    return {n: a.tobytes() for n, a in arrays.items()} | {n: count[n] for n in names}


def apart(p):
    """Let every mission take nobody under its flag: the humanitarians of the country stay as they are without it."""
    for part in p.mission.components.values():
        part.integrates = {}
    return p


def nobody_of(p):
    """Take everybody out of every mission."""
    apart(p)
    for part in p.mission.components.values():
        for kind in KINDS:
            setattr(part.personnel, kind, 0.0)
        part.strength = {}
    p.mission.comparison = "as_deployed"
    return p


# ---------------------------------------------------------------------------------- nobody, never, nothing


@pytest.mark.parametrize("name", ["un_only", "sequential", "parallel", "separated"])
def test_a_mission_of_nobody_is_no_mission(name):
    nobody = PeaceModel(nobody_of(scenario(f"mission={name}", *EARLY, **SMALL))).run()
    none = play("mission=none", *EARLY, **SMALL)
    assert country_of(nobody) == country_of(none)
    assert totals(none)["civilians_killed"] > 0


@pytest.mark.parametrize("name", ["un_only", "sequential", "parallel", "separated"])
def test_a_mission_that_arrives_after_the_end_is_no_mission(name):
    late = PeaceModel(apart(scenario(f"mission={name}", "mission.authorised=53", **SMALL))).run()
    theirs = late.missions.donors
    assert late.missions.arrive[~theirs].min() > 52
    assert country_of(late) == country_of(play("mission=none", **SMALL))
    assert late.missions.spent[~theirs].sum() == 0
    assert late.missions.spent[theirs].sum() == play("mission=none", **SMALL).missions.spent.sum() > 0


@pytest.mark.parametrize("name", ["un_only", "parallel"])
def test_before_it_arrives_a_mission_changes_nothing(name):
    longer = SMALL | {"weeks": 72}
    a, b = (PeaceModel(apart(scenario(f"mission={n}", **longer))) for n in (name, "none"))
    while a.week < a.missions.arrive[~a.missions.donors].min():
        a.step()
        b.step()
        for part in ("cell", "persons", "status", "need"):
            assert np.array_equal(getattr(a.people, part), getattr(b.people, part)), a.week
    assert a.week > 20
    a.run()
    b.run()
    assert country_of(a) != country_of(b)


def test_where_nobody_bears_arms_nobody_dies_by_violence():
    p = scenario("mission=parallel", *EARLY, **SMALL)
    for faction in p.country.factions.values():
        faction.fighters = 0
    m = PeaceModel(p).run()
    count = totals(m)
    assert count["civilians_killed"] == count["brd"] == count["attacks_on_missions"] == 0
    assert m.record.events == []
    assert not m.land.felt.any()
    assert (m.people.status != 2).all()  # nobody goes abroad
    home = play("mission=none", **SMALL)
    assert totals(home)["excess_deaths"] > count["excess_deaths"]


def test_factions_without_rivals_have_no_battles_but_prey():
    p = scenario("mission=none", **SMALL)
    for faction in p.country.factions.values():
        faction.rivals = []
    m = PeaceModel(p).run()
    kinds = {e.kind for _, e in m.record.events}
    assert "battle" not in kinds
    assert "attack" in kinds


def test_a_faction_that_has_left_fights_no_more():
    p = scenario("mission=none", **SMALL)
    for faction in p.country.factions.values():
        faction.leaves = "2012-05-06"  # week 18
    m = PeaceModel(p).run()
    assert max(k for k, _ in m.record.events) < 18
    assert m.strength().sum() == 0
    assert m.factions.demobilised.sum() + m.factions.settled.sum() > 0


def test_a_country_without_a_government_can_have_missions():
    p = scenario("mission=sequential", *EARLY, **SMALL)
    for faction in p.country.factions.values():
        faction.host = False
    m = PeaceModel(p).run()
    assert m.missions.persons.sum() > 0
    assert not np.isfinite(m.missions.expelled).any()  # nobody is there to ask it to leave
    assert totals(m)["osv_gov"] == 0


def test_a_mission_made_in_python_of_whole_numbers_is_as_good_as_one_of_decimals():
    runs = []
    for kind in (int, float):
        p = scenario("mission=regional_only", *EARLY, weeks=10, civilians=100, rows=10)
        for k in KINDS:
            setattr(p.mission.components["regional"].personnel, k, kind(500))
        runs.append(PeaceModel(p).run())
    assert same(*runs) == []


def test_peacekeepers_who_never_die_have_never_been_ambushed():
    m = play("mission=separated", *EARLY, "ambush.rate=0", "ambush.raid=0", "enforce.own_losses=0", **SMALL)
    assert totals(m)["attacks_on_missions"] == totals(m)["aid_workers_killed"] == 0
    assert not m.units.losses.any()


# ---------------------------------------------------------------------------------- names


def test_two_mission_models_with_the_same_components_are_the_same_under_any_name():
    p = scenario("mission=parallel", *EARLY, **SMALL)
    p.mission.summary, p.mission.cases = "Something else altogether, with the same people in it.", ["Utopia 1516"]
    assert same(PeaceModel(p).run(), play("mission=parallel", *EARLY, **SMALL)) == []


def test_the_colour_of_a_helmet_and_whose_it_is_change_nothing_that_happens():
    plain = play("mission=separated", *EARLY, **SMALL)
    p = scenario("mission=separated", *EARLY, **SMALL)
    for part in p.mission.components.values():
        part.force = replace(part.force, un=not part.force.un, helmet="tab:pink", summary="Said in other words here.")
        part.mandate = replace(part.mandate, summary="The same tasks, said in other words.")
    other = PeaceModel(p).run()
    assert same(plain, other) == []
    assert plain.record.columns == other.record.columns
    differs = [c for c, x, y in zip(plain.record.columns, plain.record.weekly.T, other.record.weekly.T, strict=True)
               if not np.array_equal(x, y, equal_nan=True)]  # fmt: skip
    assert differs == ["un_troops", "non_un_troops", "un_police", "un_observers"]


def test_the_names_of_places_and_of_the_country_change_nothing():
    p = scenario("mission=none", **SMALL)
    old = p.country.places
    p.country.places = {f"{name} renamed": place for name, place in old.items()}
    p.country.name = "Elsewhere"
    for faction in p.country.factions.values():
        faction.start = [f"{name} renamed" for name in faction.start]
    assert same(PeaceModel(p).run(), play("mission=none", **SMALL)) == []


def two_alike(seed, swapped):
    """Run a sequence of two identical forces under two names, in one order or the other."""
    p = apart(scenario("mission=sequential", f"seed={seed}", *EARLY, **SMALL))
    un, regional = p.mission.components["un"], p.mission.components["regional"]
    un.force, un.mandate, un.personnel = (deepcopy(getattr(regional, n)) for n in ("force", "mandate", "personnel"))
    un.personnel.aid, un.personnel.staff = 600.0, 300.0
    regional.personnel = deepcopy(un.personnel)
    un.arrive.weeks = 20
    if swapped:
        components = {"un": regional, "regional": un}
        components["un"].leave.after = "regional.arrive"
        components["regional"].arrive.after = "un.arrive"
        components["regional"].takes_over = "un"
        p.mission.components = components
    return PeaceModel(p).run()


def test_two_forces_that_are_alike_can_change_places():
    """Luck is keyed by a component's name, so runs differ; what is planned does not, nor what happens on average."""
    log_ratio = []
    for seed in range(1, 17):
        a, b = two_alike(seed, swapped=False), two_alike(seed, swapped=True)
        assert a.missions.names == b.missions.names == ("regional", "un", "ngos", "un_agencies")
        other = [1, 0, 2, 3]
        assert np.array_equal(a.plan, b.plan[:, other])
        assert a.missions.personnel == pytest.approx(b.missions.personnel[other], rel=1e-12)
        x, y = totals(a), totals(b)
        log_ratio.append(np.log((x["deaths"] + 1) / (y["deaths"] + 1)))
    mean, error = np.mean(log_ratio), np.std(log_ratio, ddof=1) / np.sqrt(len(log_ratio))
    assert 0 < error < 0.25  # else the next line could not fail
    assert abs(mean) < 3.5 * error  # false alarm in about 1 of 200 changes of the model


# ---------------------------------------------------------------------------------- people


@pytest.mark.parametrize("n", [1, 100, 1_000, 4_999])
def test_the_people_of_the_country_are_as_many_however_many_agents_they_are(n):
    m = PeaceModel(scenario("mission=none", civilians=n, weeks=1))
    assert m.people.persons.sum() == 5_000_000
    assert m.people.born.min() >= 5_000_000 // n
    assert m.people.born.max() <= 5_000_000 // n + 1
    assert m.census.persons.sum() == 5_000_000


def test_where_people_live_does_not_depend_on_how_many_agents_they_are():
    few, many = (PeaceModel(scenario("mission=none", civilians=n, weeks=1)) for n in (2_000, 40_000))
    where = [np.bincount(m.people.home, m.people.persons, m.land.row.size) for m in (few, many)]
    assert np.abs(np.cumsum(where[0]) - np.cumsum(where[1])).max() <= 5_000_000 / 2_000
    for m, w in zip((few, many), where, strict=True):
        assert np.abs(np.cumsum(w) - np.cumsum(m.land.births.sum(axis=1))).max() <= 5_000_000 / m.people.born.size + 1


# ---------------------------------------------------------------------------------- each process can be left out


def without(process, *overrides, **size):
    """Run the parallel mission model without one process."""
    return play("mission=parallel", *EARLY, f"processes.{process}=false", *overrides, **(size or SMALL))


def whole():
    """Run it with all of them."""
    return play("mission=parallel", *EARLY, **SMALL)


def kinds(model):
    """Return the kinds of violent events of a run."""
    return {e.kind for _, e in model.record.events}


def test_with_every_process_everything_happens():
    assert kinds(whole()) == {"battle", "attack", "operation", "ambush", "raid"}


def test_without_deploy_nobody_comes():
    m = without("deploy")
    assert m.missions.persons.sum() == m.missions.spent.sum() == 0
    assert country_of(m) == country_of(play("mission=none", *EARLY, "processes.deploy=false", **SMALL))


def test_without_task_those_who_come_protect_nobody():
    m = without("task")
    assert m.missions.persons.sum() > 0
    assert m.presence.sum() == m.guard.sum() == 0
    assert "operation" not in kinds(m)
    assert whole().guard.sum() > 0


def test_without_move_bands_stay_where_they_started():
    m = without("move")
    assert np.array_equal(m.bands.cell, m.bands.home)
    assert not m.factions.campaign.any()
    assert not np.array_equal(whole().bands.cell, whole().bands.home)


def test_without_fight_there_are_no_battles():
    assert "battle" not in kinds(without("fight"))
    assert without("fight").record.events


def test_without_prey_no_civilian_is_attacked():
    m = without("prey")
    assert "attack" not in kinds(m)
    assert totals(m)["civilians_killed"] < totals(whole())["civilians_killed"]


def test_without_enforce_there_are_no_operations():
    m = without("enforce")
    assert not m.factions.dispersed.any()
    assert whole().factions.dispersed.any()
    quiet = without("enforce", "prey.stopped=0")
    assert "operation" not in kinds(quiet)  # but for those who step in where civilians are attacked


def test_without_ambush_no_mission_is_attacked():
    m = without("ambush")
    assert totals(m)["attacks_on_missions"] == totals(m)["aid_workers_killed"] == 0


def test_without_relieve_nobody_is_aided():
    m = without("relieve")
    assert not m.aided.any()
    assert np.isnan(totals(m)["access"])
    assert whole().aided.any()


def test_without_live_nobody_hungers_or_flees_and_the_killed_are_buried():
    m = without("live")
    start = PeaceModel(m.params).people
    assert start.persons.sum() - m.people.persons.sum() == totals(m)["civilians_killed"] > 0
    assert totals(m)["excess_deaths"] == 0
    for name in ("need", "cell", "status"):
        assert np.array_equal(getattr(m.people, name), getattr(start, name)), name


def test_without_feel_everybody_thinks_what_he_thought():
    m = without("feel")
    assert (m.people.trust == m.params.feel.start).all()
    assert (m.people.grievance == m.params.country.grievance).all()
    assert (whole().people.grievance != m.params.country.grievance).any()


def test_without_judge_nobody_is_hostile_to_a_mission():
    m = without("judge")
    assert not m.factions.hostility.any()
    assert "ambush" not in kinds(m)


def test_without_recruit_no_fighter_joins_or_leaves():
    m = without("recruit")
    start = PeaceModel(m.params).bands.fighters.sum()
    gone = start - m.bands.fighters.sum() - m.factions.dispersed.sum()
    lost = totals(m)["battle_deaths"] + totals(m)["operation_deaths"]
    assert lost > 0
    assert gone == pytest.approx(lost)
    assert not m.factions.demobilised.any()


def test_without_negotiate_commitments_and_institutions_stay():
    m = without("negotiate")
    start = PeaceModel(m.params)
    assert np.array_equal(m.factions.commitment, start.factions.commitment)
    assert np.array_equal(m.land.institutions, start.land.institutions)


def test_without_observe_the_same_things_happen_and_nothing_is_written():
    m = without("observe")
    assert same(m, whole()) == []
    assert m.record.steps == 0
    assert np.isnan(m.record.weekly).all()


def test_observing_changes_nothing():
    m = PeaceModel(scenario("mission=parallel", *EARLY, **SMALL))
    for _ in range(12):
        m.step()
    before = fingerprint(m)
    totals(m)
    m.record.write(m)
    assert fingerprint(m) == before


# ---------------------------------------------------------------------------------- half a week


def test_the_chance_of_a_year_is_made_of_its_steps():
    rate = 0.8
    for step_weeks in (0.5, 1.0, 2.0):
        steps = 52 / step_weeks
        assert (1 - draws.chance(rate * step_weeks / 52)) ** steps == pytest.approx(np.exp(-rate), rel=1e-5)


def test_half_lives_are_kept_when_the_step_is_halved():
    for step in (0.25, 0.5, 1.0, 2.0):
        m = PeaceModel(scenario("mission=none", f"step_weeks={step}", weeks=4, civilians=100, rows=8))
        assert rules.fading(m.view, 13.0) ** (13.0 / step) == pytest.approx(0.5)
        assert m.years * 52 / step == pytest.approx(1)
        assert m.record_length() == 4 / step


def calm_country(tmp_path, step_weeks):
    """Make a country of need and institutions without violence, at a length of step."""
    cells = [(0, 0, 4_000, 0.2, 0, 0.3, 1, 0), (0, 1, 2_000, 0.6, 0, 0.1, 1, 0)]
    p = by_hand(
        tmp_path, cells, weeks=52, step_weeks=step_weeks, civilians=6, country__displaced_share=0.5, live__homecoming=0
    )
    return PeaceModel(p)


def test_need_and_institutions_after_a_year_hardly_depend_on_the_step(tmp_path):
    ends = [calm_country(tmp_path, step).run() for step in (0.25, 0.5, 1.0)]
    for a, b in pairwise(ends):
        assert a.people.need == pytest.approx(b.people.need, rel=0.02)
        assert a.land.institutions == pytest.approx(b.land.institutions, rel=0.01)
    assert ends[0].land.institutions[1] != 0.1


def test_the_flows_of_fighters_and_of_commitment_are_in_proportion_to_the_step():
    p, q, one = numbers_of("recruit"), numbers_of("negotiate"), np.ones(2)
    flows = [
        recruiting.flows(p, 800 * one, 1_000 * one, 0.3 * one, 20 * one, 0.1 * one, 0.4 * one, 50 * one, 60 * one,
                         0.2 * one, 5.0, 0.0, 0.3, y)
        for y in (1 / 52, 1 / 104)
    ]  # fmt: skip
    assert flows[0] == pytest.approx(2 * flows[1])
    changes = [commitment_change(q, 0.4, 0.9, 0.5, 0.8, 0.1, 0.0, 0.2, 0.3, y) for y in (1 / 52, 1 / 104)]
    assert changes[0] == pytest.approx(2 * changes[1])
    grown = [next_institutions(q, 0.3, 5.0, 0.1, 0.9, y) - 0.3 for y in (1 / 52, 1 / 104)]
    assert grown[0] == pytest.approx(2 * grown[1])


def test_half_steps_bring_as_many_troops_and_cost_as_much():
    whole_weeks, halves = (
        play("mission=sequential", *EARLY, f"step_weeks={s}", "processes.judge=false", "processes.ambush=false",
             "processes.enforce=false", **SMALL)
        for s in (1, 0.5)
    )  # fmt: skip
    a, b = totals(whole_weeks), totals(halves)
    assert a["mandate_weeks"] == pytest.approx(b["mandate_weeks"], abs=1)
    assert a["cost"] == pytest.approx(b["cost"], rel=0.03)
    assert whole_weeks.missions.persons == pytest.approx(halves.missions.persons, rel=0.05)


def ratio_of_deaths(step_weeks, seeds, **size):
    """Return civilians killed with a UN mission over those without, summed over paired seeds."""
    killed = {}
    for name in ("un_only", "none"):
        runs = (PeaceModel(scenario(f"mission={name}", f"seed={s}", f"step_weeks={step_weeks}", **size)).run()
                for s in seeds)  # fmt: skip
        killed[name] = sum(totals(m)["civilians_killed"] for m in runs)
    return killed["un_only"] / killed["none"]


@pytest.mark.slow
def test_halving_the_step_moves_the_headline_ratio_by_less_than_a_fifth():
    size = {"weeks": 260, "civilians": 1_000}
    one, half = (ratio_of_deaths(step, range(1, 41), **size) for step in (1, 0.5))
    assert half == pytest.approx(one, rel=0.2)


def test_how_many_civilian_agents_there_are_does_not_change_the_hazard_of_attacks():
    seen = []
    for civilians in (1_500, 5_000, 200_000):
        m = PeaceModel(load("mission=none", f"civilians={civilians}"))
        m.fighters_around()
        seen.append(prey.rates(m.view, prey.draw_attacks(m.view)))
    assert [h.sum() / seen[-1].sum() for h in seen] == pytest.approx(
        [1, 1, 1], abs=0.05
    )  # few and large ones stand in lumps


# ---------------------------------------------------------------------------------- levers in the limit


def two_towns(tmp_path, **component):
    """Make two neighbouring places with a band in each, and a mission or none."""
    cells = [(0, 0, 50_000, 0, 0, 0.5, 1, 0), (0, 1, 50_000, 0, 0, 0.5, 0, 1)]
    factions = {
        "east": Faction(host=True, fighters=300, bands=3, community={"b": 1.0}, ceiling=0.0, commitment=0.0, loot=0),
        "west": Faction(fighters=300, bands=3, community={"a": 1.0}, ceiling=0.0, commitment=0.0, loot=0),
    }
    missions = {"blue": mission(**component)} if component else {}
    p = by_hand(tmp_path, cells, factions, missions, weeks=52, civilians=50, move__campaign_rate=52.0, prey__rate=50.0)
    return PeaceModel(only(p, "deploy", "task", "move", "fight", "prey", "enforce", "live", "observe")).run()


@pytest.mark.parametrize(("task", "kind"), [("protect", "attack"), ("separate", "battle")])
def test_a_huge_presence_that_may_use_force_stops_what_its_task_is_to_stop(tmp_path, task, kind):
    without_it = two_towns(tmp_path)
    with_it = two_towns(tmp_path, persons={"troops": 1e6}, tasks={task: 1})
    count = [sum(e.kind == kind for _, e in m.record.events) for m in (without_it, with_it)]
    assert count[0] >= 20
    assert count[1] <= count[0] / 20


def test_only_a_mandate_to_enforce_brings_operations(tmp_path):
    for task in TASKS:
        m = two_towns(tmp_path, persons=dict.fromkeys(KINDS, 3_000), tasks={task: 1})
        assert any(e.kind == "operation" for _, e in m.record.events) == (task == "enforce"), task
