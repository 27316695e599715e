"""What every mission model, mandate and force in conf/ owes its reader and the people of the country."""

import numpy as np
import pytest
from conftest import CONF, choices, fingerprint, loaded, play, same, scenario

from sim import PeaceModel
from sim.params import KINDS, TASKS, out_of_range
from sim.state import ABROAD, AWAY, HOME

MISSIONS = choices("mission")
every_mission = pytest.mark.parametrize("name", MISSIONS)


def finished(name):
    """Run a mission model on the default country for 60 weeks."""
    return play(f"mission={name}", "mission.authorised=4", weeks=60, civilians=300)


def test_the_mission_models_asked_for_are_there():
    assert {"none", "un_only", "regional_only", "sequential", "parallel", "separated"} <= set(MISSIONS)


@every_mission
def test_a_mission_model_says_in_a_sentence_what_it_is(name):
    summary = loaded(f"mission={name}").mission.summary
    assert 20 <= len(summary) <= 120
    assert summary[0].isupper()
    assert summary.endswith(".")


def test_no_two_mission_models_say_the_same_of_themselves():
    said = [loaded(f"mission={name}").mission.summary for name in MISSIONS]
    assert len(set(said)) == len(said)


@every_mission
def test_a_mission_model_names_its_cases(name):
    cases = loaded(f"mission={name}").mission.cases
    assert cases
    assert not [c for c in cases if len(c) <= 8], "cases are real operations with their years, not 'invented'"


@every_mission
def test_a_mission_model_is_a_short_file(name):
    lines = (CONF / "mission" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    if loaded(f"mission={name}").mission.comparison == "as_deployed":
        lines = [x for x in lines if not x.strip().startswith(('"', "#"))]  # history is as long as it was
        assert len(lines) <= 60
    else:
        assert len(lines) <= 30


@every_mission
def test_whoever_is_sent_is_somebody_with_something_to_do(name):
    params = loaded(f"mission={name}")
    for who, part in params.mission.components.items():
        sent = [kind for kind in KINDS if getattr(part.personnel, kind) > 0]
        tasks = [part.mandate.tasks, *(bundle.tasks for bundle in part.mandate.bundles.values())]
        asked = [task for task in TASKS if any(getattr(of, task) > 0 for of in tasks)]
        assert sent, who
        assert any(getattr(params.personnel[kind], task) > 0 for kind in sent for task in asked), who


@every_mission
def test_the_same_seed_is_the_same_run(name):
    again = PeaceModel(scenario(f"mission={name}", "mission.authorised=4", weeks=60, civilians=300)).run()
    assert same(finished(name), again) == []
    assert np.array_equal(finished(name).record.weekly, again.record.weekly, equal_nan=True)


@every_mission
def test_nobody_is_lost(name):
    m = finished(name)
    people, week = m.people, m.record
    dead = sum(week.weekly[:, week.columns.index(c)].sum() for c in ("civilians_killed", "excess_deaths"))
    assert people.born.sum() == people.persons.sum() + dead
    assert (people.persons <= people.born).all()
    assert people.born.sum() == round(m.params.country.population)


@every_mission
def test_everybody_is_somewhere(name):
    m = finished(name)
    people, cells = m.people, m.land.row.size
    for where in (people.home, people.cell, m.bands.cell, m.bands.home):
        assert ((where >= 0) & (where < cells)).all()
    assert ((m.units.cell >= -1) & (m.units.cell < cells)).all()
    assert ((m.units.cell == -1) == (m.units.strength.sum(axis=1) == 0)).all()
    assert np.isin(people.status, (HOME, AWAY, ABROAD)).all()
    assert np.array_equal(people.cell[people.status == HOME], people.home[people.status == HOME])
    counted = m.census.population.sum() + people.persons[people.status == ABROAD].sum()
    assert counted == people.persons.sum()


SHARES = {
    "land": "remoteness resources town institutions felt",
    "people": "need grievance trust",
    "factions": "commitment ceiling hostility aggression loot community",
    "bands": "held_up",
    "missions": "peak rehatted paid pledged funding owes kept away able ability restraint mobility knowledge "
    "partiality use_of_force host_reach accepts council contention discord ceiling mandated_force willing politics "
    "taken",
    "contributors": "force politics",
    "commands": "escorting",
    "units": "share freedom stock",
}
NOT_NEGATIVE = {
    "land": "births violence grief border",
    "people": "persons",
    "factions": "campaign vigour rest provocation abuse_record pressure dispersed demobilised settled",
    "bands": "fighters losses paused",
    "commands": "unwelcome",
    "missions": "personnel persons work spent mandate_weeks price offence reserve outstanding mean_price",
    "contributors": "offered sent losses quality lost",
    "units": "strength losses",
}


@every_mission
def test_every_state_variable_is_within_its_range(name):
    m = finished(name)
    for table, names in SHARES.items():
        for n in names.split():
            x = getattr(getattr(m, table), n)
            assert ((x >= -1e-12) & (x <= 1 + 1e-12)).all(), f"{table}.{n}"
    for table, names in NOT_NEGATIVE.items():
        for n in names.split():
            x = getattr(getattr(m, table), n)
            assert (x >= -1e-9).all(), f"{table}.{n} has {x.min()}"
            assert np.isfinite(x).all(), f"{table}.{n}"
    assert (m.factions.commitment <= m.factions.ceiling + 1e-12).all()
    assert (m.missions.persons <= m.missions.personnel * (1 + 1e-9)).all()


def test_who_comes_sooner_because_another_left_may_leave_sooner_by_its_benchmark():
    params = scenario("mission=un_benchmarks", "mission.authorised=0", weeks=60)
    un, office = params.mission.components["un"], params.mission.components["office"]
    un.benchmark.battle_deaths = un.benchmark.killed = office.benchmark.killed = 1e9
    un.benchmark.weeks, un.benchmark.earliest.weeks, office.benchmark.weeks = 4, 4, 4
    model = PeaceModel(params)
    row = model.missions.names.index("office")
    at_first = model.missions.earliest[row] - model.missions.arrive[row]
    planned = model.missions.arrive[row]
    model.run()
    assert model.missions.arrive[row] < planned
    assert model.missions.earliest[row] - model.missions.arrive[row] == at_first == 4


def test_no_component_is_named_like_those_who_join_one():
    params = scenario("mission=un_only")
    params.mission.components["un with friends"] = params.mission.components.pop("un")
    with pytest.raises(ValueError, match="must not contain ' with '"):
        PeaceModel(params)


@every_mission
def test_the_order_of_components_does_not_matter(name):
    p = scenario(f"mission={name}", "mission.authorised=4", weeks=60, civilians=300)
    p.mission.components = dict(reversed(p.mission.components.items()))
    p.country.factions = dict(reversed(p.country.factions.items()))
    assert fingerprint(PeaceModel(p).run()) == fingerprint(finished(name))


@every_mission
def test_a_mission_that_is_sent_is_there(name):
    m = finished(name)
    arrived = (m.missions.arrive < 58) & (m.missions.leave > 60)
    assert (m.missions.persons[arrived].sum(axis=1) > 0).all()
    assert (m.missions.spent[arrived] > 0).all()


@pytest.mark.parametrize("group", ["mandate", "force"])
def test_every_mandate_and_force_says_in_a_sentence_what_it_is(group):
    for name in choices(group):
        part = _part(group, name)
        assert 20 <= len(part.summary) <= 120, name
        assert part.summary.endswith("."), name
        assert not out_of_range(part), name


@pytest.mark.parametrize("force", choices("force"))
@pytest.mark.parametrize("mandate", choices("mandate"))
def test_any_force_can_be_given_any_mandate(force, mandate):
    p = scenario("mission=un_only", "mission.authorised=0", weeks=30, civilians=100, rows=10)
    p.mission.components["un"].force = _part("force", force)
    p.mission.components["un"].mandate = _part("mandate", mandate)
    m = PeaceModel(p).run()
    assert m.missions.persons.sum() > 0
    assert m.missions.work.sum() > 0


def _part(group, name):
    choice = f"{group}@mission.components.un.{group}={name}"
    return getattr(scenario("mission=un_only", choice).mission.components["un"], group)


def test_every_task_is_in_some_mandate_and_somebody_can_do_it():
    mandates = [_part("mandate", name) for name in choices("mandate")]
    wanted = {t for t in TASKS if any(getattr(m.tasks, t) > 0 for m in mandates)}
    able = {t for t in TASKS if any(getattr(kind, t) > 0 for kind in loaded().personnel.values())}
    assert wanted == able == set(TASKS)
