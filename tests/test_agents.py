"""Mesa's face of the model: everybody is an agent, and an agent is a row of the state."""

from collections import Counter

import mesa
import numpy as np
import pytest
from conftest import fingerprint, play, same, scenario

from sim import PeaceModel, agents, branch
from sim.agents import AidTeam, ArmedBand, ArmedFaction, Civilian, Contingent, Mission
from sim.model import Model

SMALL = {"weeks": 30, "civilians": 120, "rows": 12}
SCENE = ("mission=separated", "mission.authorised=0", "mission.council_unity=1")
PLACED = (Civilian, ArmedBand, Contingent, AidTeam)


def world(weeks=0, *overrides):
    """Return a small world some weeks old, one's own to change."""
    m = PeaceModel(scenario(*SCENE, *overrides, **SMALL))
    for _ in range(weeks):
        m.step()
    return m


def of(model, kind):
    """Return the agents of a class in the order of their rows."""
    return sorted(model.agents.select(agent_type=kind), key=lambda a: a.row)


def test_everybody_is_an_agent_of_one_of_six_classes():
    m = world()
    rows = {
        Civilian: m.people.persons.size, ArmedFaction: m.factions.host.size, ArmedBand: m.bands.faction.size,
        Mission: len(m.missions.names), Contingent: (~m.units.team).sum(), AidTeam: m.units.team.sum(),
    }  # fmt: skip
    assert Counter(type(a) for a in m.agents) == rows
    assert min(rows.values()) > 0
    assert len(m.agents) == sum(rows.values())
    assert set(m.agents_by_type) == set(rows)
    assert all(isinstance(a, mesa.Agent) for a in m.agents)
    ids = [a.unique_id for a in m.agents]
    assert len(set(ids)) == len(ids)
    tables = Counter((a.kind, a.row) for a in m.agents)
    assert max(tables.values()) == 1


def test_the_classes_of_the_model_are_no_more_and_no_fewer():
    made = {c for c in vars(agents).values() if isinstance(c, type) and issubclass(c, mesa.Agent)}
    public = {c for c in made if c.__module__ == "sim.agents" and not c.__name__.startswith("_")}
    assert public - {agents.Placed} == {Civilian, ArmedFaction, ArmedBand, Mission, Contingent, AidTeam}


@pytest.mark.parametrize("kind", [Civilian, ArmedFaction, ArmedBand, Mission, Contingent, AidTeam])
def test_an_agent_reads_and_writes_its_row(kind):
    m = world(20)
    agent = of(m, kind)[-1]
    columns = [
        n for c in kind.__mro__ for n, v in vars(c).items() if isinstance(v, property) and v.fset and n != "cell"
    ]
    assert len(columns) >= 4
    for name in columns:
        array = getattr(getattr(m, kind.kind), name)
        assert np.array_equal(getattr(agent, name), array[agent.row]), name
        others = np.delete(array, agent.row, axis=0).copy()
        value = np.ones_like(array[agent.row])
        setattr(agent, name, value)
        assert np.array_equal(array[agent.row], value), name
        assert np.array_equal(getattr(agent, name), value), name
        assert np.array_equal(np.delete(array, agent.row, axis=0), others), f"{name} of another changed"


def test_what_is_written_through_an_agent_is_lived():
    m = world(1)
    victim = of(m, Civilian)[5]
    victim.persons = 0
    m.step()
    assert m.census.alive[0] == m.people.persons.sum()
    assert m.people.persons[5] == 0
    rebels = next(f for f in of(m, ArmedFaction) if f.name == "rebels")
    before = rebels.fighters
    for band in of(m, ArmedBand):
        if band.faction == rebels.row:
            band.fighters = 0.0
    assert before > 0
    assert rebels.fighters == 0


def test_names_and_helmets_are_those_of_the_mission_model():
    m = world()
    helmets = {n: c.force.helmet for n, c in m.params.mission.components.items()}
    of_aid = {n: group.helmet for n, group in m.params.country.humanitarians.items()}
    helmets |= {n: of_aid[n.split(" with ")[0]] for n, d in zip(m.missions.names, m.missions.donors, strict=True) if d}
    assert {a.name: a.helmet for a in of(m, Mission)} == helmets
    assert {a.name for a in of(m, ArmedFaction)} == set(m.params.country.factions)


@pytest.mark.parametrize("weeks", [0, 1, 25])
def test_everybody_on_the_map_is_in_the_cell_that_the_state_says(weeks):
    m = world(weeks)
    grid = m.grid
    assert len(grid.all_cells) == m.land.shape[0] * m.land.shape[1]
    seen = 0
    for kind in PLACED:
        for a in of(m, kind):
            at = getattr(m, kind.kind).cell[a.row]
            if at < 0:
                assert a.cell is None
                continue
            assert a.cell.coordinate == (m.land.row[at], m.land.col[at])
            assert a in a.cell.agents
            seen += 1
    assert sum(len(cell.agents) for cell in grid.all_cells) == seen  # and nowhere else
    if weeks == 25:
        assert any(a.cell for a in of(m, Contingent))


def test_cells_follow_the_people_from_week_to_week():
    m = world(2)
    before = {a.row: a.cell.coordinate for a in of(m, Civilian)}
    for _ in range(25):
        m.step()
    after = {a.row: a.cell.coordinate for a in of(m, Civilian)}
    moved = [row for row in before if before[row] != after[row]]
    assert moved
    for row in moved:
        old, new = (next(c for c in m.grid.all_cells if c.coordinate == at[row]) for at in (before, after))
        agent = of(m, Civilian)[row]
        assert agent in new.agents
        assert agent not in old.agents


def test_an_agent_that_is_moved_has_moved_in_the_state():
    m = world(1)
    m.grid  # noqa: B018
    person = of(m, Civilian)[0]
    old = person.cell
    new = next(c for c in m.grid.all_cells if c is not old)
    person.cell = new
    at = m.people.cell[person.row]
    assert (m.land.row[at], m.land.col[at]) == new.coordinate
    assert person in new.agents
    assert person not in old.agents
    m.step()
    assert person.cell.coordinate == (m.land.row[m.people.cell[0]], m.land.col[m.people.cell[0]])


def test_two_models_share_no_state():
    a, b = world(5), world(5)
    assert same(a, b) == []
    before = fingerprint(b)
    for agent in of(a, Civilian):
        agent.need, agent.persons = 0.9, 1
    a.land.institutions[:] = 1.0
    a.step()
    assert fingerprint(b) == before
    assert not set(a.agents) & set(b.agents)
    assert a.params is not b.params


def test_two_models_of_the_same_parameters_share_no_state():
    p = scenario(*SCENE, **SMALL)
    a, b = PeaceModel(p), PeaceModel(p)
    a.run()
    b.run()
    assert same(a, b) == []
    assert same(a, PeaceModel(p).run()) == []  # a run leaves its parameters as they were


def test_a_mesa_model_and_one_without_mesa_have_the_same_history(tmp_path):
    p = scenario(*SCENE, **SMALL)
    plain = Model(p)
    assert not isinstance(plain, mesa.Model)
    assert same(plain.run(), PeaceModel(p).run()) == []
    half = Model(p)
    while half.week < 20:
        half.step()
    again = branch.resume(p, branch.save(half, tmp_path / "half.npz"), PeaceModel)
    assert len(again.agents) > 0
    assert same(again.run(), plain) == []
    assert not again.running
    seeded = PeaceModel(p, rng=np.int64(7)).params.seed
    assert (seeded, type(seeded)) == (7, int)


def test_an_agent_of_ones_own_sees_where_everybody_is_by_now():
    m = world()
    m.grid  # noqa: B018
    astray = []

    class Watcher(mesa.Agent):
        def step(self):
            grid = self.model.grid
            people = self.model.agents.select(agent_type=ArmedBand)
            astray.append(sum(a not in a.cell.agents for a in people if a.cell is not None) if grid else None)

    Watcher(m)
    assert Watcher in m.agent_types
    assert Civilian in m.agent_types
    m.run()
    assert len(astray) == m.record.steps
    assert not any(astray)


def test_looking_at_the_agents_changes_nothing_that_happens():
    watched = world()
    while not watched.finished:
        watched.step()
        assert len(watched.agents) > 0
        assert watched.grid is not None
        assert sum(a.persons for a in watched.agents.select(agent_type=Civilian)) == watched.census.alive[0]
    assert same(watched, play(*SCENE, **SMALL)) == []


def test_no_agent_is_made_unless_somebody_asks():
    m = world(3)
    assert "_met" not in vars(m)
    assert len(m.agents) > 0
    assert vars(m)["_met"]


def test_agents_can_be_selected_and_counted_in_the_way_of_mesa():
    m = world(20)
    hungry = m.agents.select(lambda a: isinstance(a, Civilian) and a.need > 0.2)
    assert len(hungry) == (m.people.need > 0.2).sum() > 0
    assert m.agents.select(agent_type=ArmedBand).agg("fighters", sum) == pytest.approx(m.strength().sum())


def test_a_country_without_missions_has_agents_too():
    p = scenario("mission=none", **SMALL)
    m = PeaceModel(p)
    assert {type(a) for a in m.agents} == {Civilian, ArmedFaction, ArmedBand, Mission, AidTeam}
    assert {a.name for a in of(m, Mission)} == set(p.country.humanitarians)
    p.country.humanitarians = {}
    m = PeaceModel(p)
    assert {type(a) for a in m.agents} == {Civilian, ArmedFaction, ArmedBand}
    assert len(m.agents.select(agent_type=Contingent)) == 0
