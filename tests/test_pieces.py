"""In how many pieces people come changes nothing: missions under one command, bands, bases, aid teams."""

import numpy as np
import pytest
from conftest import by_hand, each, mission, only

from sim import PeaceModel, deaths, load, rules, siting
from sim.params import Caveats, Contributor, Faction, Humanitarians
from sim.processes import ambush, enforce, fight, prey, relieve, task

CELLS = [
    (0, 0, 60_000, 0.2, 0.1, 0.4, 0.7, 0.3),
    (0, 1, 40_000, 0.5, 0.3, 0.2, 0.4, 0.6),
    (0, 2, 20_000, 0.8, 0, 0.1, 0, 1),
]
PEOPLE = {"troops": 6_000, "police": 900, "observers": 60, "staff": 1_200}
WORK = {"protect": 3, "police": 1, "build": 1, "mediate": 1, "engage": 1, "report": 1, "ddr": 0.5}  # more than five
SIXTHS = {
    "two halves": {"un a": 3, "un b": 3},
    "three": {"un a": 2, "un b": 2, "un c": 2},
    "unequal parts": {"un a": 1, "un b": 5},
    "another order": {"un b": 1, "un a": 5},
    "one and nobody": {"un a": 0, "un b": 6},
}


def war():
    """Return two factions at war, the second in the way of a peace."""
    return {
        "army": Faction(host=True, fighters=2_000, bands=4, community={"a": 1.0}, commitment=0.3, rivals=["rebels"]),
        "rebels": Faction(fighters=1_500, bands=6, community={"b": 1.0}, commitment=0.1, rivals=["army"]),
    }


def part_of_un(sixths, about=None, **more):
    """Return a share of a mission of the United Nations, under its command."""
    share = sixths / 6
    part = mission(**{
        "persons": {k: n * share for k, n in PEOPLE.items()}, "tasks": WORK, "use_of_force": 0.6, "host_reach": 0.5,
        "force": {"headquarters": 60e6 * share, "technology": 0.5, **(about or {})}, "command": "united nations",
        "integrates": {"agencies": share} if share else {}, **more,
    })  # fmt: skip
    part.mandate.open_gates = 0.5
    return part


def world(folder, parts, **more):
    """Make a country at war with a force of its own command, two groups of aid workers, and some parts of the UN."""
    partner = mission(persons={"troops": 2_000}, tasks={"protect": 1, "separate": 1}, command="partner")
    p = by_hand(
        folder, CELLS, war(), {"partner": partner, **parts}, weeks=40, civilians=60, task__relocation=0,
        task__team_relocation=0, country__grievance=0.1, task__told=0.5, task__language=0.5, task__apart=0.5,
        country__displaced_share=0.2, feel__misinformation=1, feel__campaigns=500, **more,
    )  # fmt: skip
    about = {"summary": "Aid workers made by hand.", "engagement": 0.3}
    p.country.humanitarians = {n: Humanitarians(workers=w, **about) for n, w in (("agencies", 600), ("others", 300))}
    return only(p, "deploy", "task", "feel", "judge", "negotiate", "recruit")


def lived_through(p, force=0.0):
    """Run it, all bases and teams in the middle; the UN kills fighters and bystanders, each part by its share."""

    def strike(m):
        un = m.commands.names.index("united nations")
        for i in np.flatnonzero((m.missions.command == un) & ~m.missions.donors):
            share = m.missions.personnel[i, 0] / PEOPLE["troops"]
            deaths.hit(m.view, 1, np.flatnonzero(m.bands.faction == 1), 12 * force * share, i)
            for community in (0, 1):
                m.kill(1, round(6 * force * share), 0.5, mission=i, community=community)
        m.now.stood_by[un, 1] += force

    m = PeaceModel(p, before={"feel": strike} if force else {})
    m.units.cell[:] = 1
    return m.run()


def by_command(m, of_missions):
    """Return the sums over the missions of each chain of command: (Q, ...) of (M, ...)."""
    return np.tensordot(m.commands.member, of_missions, axes=1)


def what_they_know(m):
    """Return what people, factions and the country are after a run, of each chain of command as a whole."""
    assert m.commands.names == ("others", "partner", "united nations")
    return {
        "trust": m.people.trust, "grievance": m.people.grievance, "hostility": m.factions.hostility, "guard": m.guard,
        "commitment": m.factions.commitment, "institutions": m.land.institutions, "fighters": m.bands.fighters,
        "presence": by_command(m, m.presence), "work": by_command(m, m.missions.work),
        "persons": by_command(m, m.missions.persons), "cost": by_command(m, m.missions.spent),
        "smear": m.factions.smear, "incidents": m.commands.incidents, "sheltered": m.land.sheltered, "care": m.care,
        "offence": by_command(m, m.missions.offence), "unwelcome": m.commands.unwelcome,
    }  # fmt: skip


@pytest.fixture(scope="module")
def in_one(tmp_path_factory):
    """A mission in one piece: run in peace with everybody, and run with force."""
    folder = tmp_path_factory.mktemp("one")
    return {f: what_they_know(lived_through(world(folder, {"un": part_of_un(6)}), f)) for f in (0.0, 1.0)}


@pytest.mark.parametrize("force", [0.0, 1.0])
@pytest.mark.parametrize("pieces", SIXTHS)
def test_a_mission_in_pieces_under_one_command_is_the_same_mission(tmp_path, in_one, pieces, force):
    parts = {name: part_of_un(n) for name, n in SIXTHS[pieces].items()}
    found = what_they_know(lived_through(world(tmp_path, parts), force))
    for name, whole in in_one[force].items():
        assert found[name] == pytest.approx(whole, rel=1e-9, abs=1e-15), name
    assert found["guard"].max() > 50
    assert found["smear" if force else "sheltered"].any()  # who uses so much force has been asked to go
    assert found["hostility"].max() > 0.01
    assert not np.allclose(found["trust"], found["trust"][0, 0])


@pytest.mark.parametrize("pieces", ["three", "unequal parts", "one and nobody"])
def test_money_the_council_and_contributors_know_no_pieces(tmp_path, pieces):
    """Half a mission is owed as many weeks of pay, is renewed by the same vote and keeps or loses the same states."""
    offers = {
        "many": Contributor(share=0.7),
        "few": Contributor(share=0.5, ability=1.2, price=1.5, caveats=Caveats(share=1, losses=0.01, withdraw=False)),
    }
    about = {
        "assessed": 0.5, "raised": 0.4, "arrears": 0.5, "owes": 0.5, "reserve": 1, "council": 1, "contributors": offers,
    }  # fmt: skip
    more = {"deploy__late_half": 4, "deploy__council_end": 0, "deploy__council_impasse": 0.9, "deploy__unpaid_leave": 2,
            "mission__council_unity": 0.2, "mission__mandate_length": 8, "deploy__base_size": 1e4}  # fmt: skip

    def seen(sixths):
        p = world(tmp_path, {n: part_of_un(s, about) for n, s in sixths.items()}, **more)
        m = PeaceModel(p, before={"feel": lose_some})
        m.units.cell[:] = 1
        m.run()
        un = m.missions.command == m.commands.names.index("united nations")
        mine = np.flatnonzero(un & ~m.missions.donors & (m.missions.personnel[:, 0] > 0))
        of_each = {n: getattr(m.missions, n)[mine] for n in ("in_hand", "away", "discord", "ability", "taken")}
        gone = m.contributors.home[np.isin(m.contributors.mission, mine)].reshape(mine.size, -1)
        return of_each | {"home": gone, "kept": m.missions.kept[mine]}, what_they_know(m)

    (whole, known), (parts, again) = seen({"un": 6}), seen(SIXTHS[pieces])
    assert whole["in_hand"][0] < -3
    assert whole["discord"][0] > 0.5
    assert np.isfinite(whole["home"]).any()
    assert not np.isfinite(whole["home"]).all()
    for name, values in parts.items():
        assert np.allclose(values, whole[name][:1], rtol=1e-9), name
    for name in ("persons", "cost", "guard", "hostility"):
        assert again[name] == pytest.approx(known[name], rel=1e-9, abs=1e-12), name


def lose_some(m):
    """Let a hundredth of the contingents of a mission be killed in its fifth week."""
    if m.week == 4:
        for i in np.flatnonzero(~m.units.team & (m.units.cell >= 0)):
            lost = 0.01 * m.units.strength[i].sum()
            m.contributors.lost[m.units.contributor[i]] += lost


def test_force_is_not_free(in_one):
    assert (in_one[1.0]["hostility"][:, 2] > in_one[0.0]["hostility"][:, 2]).all()
    assert (in_one[1.0]["trust"][:, 2] <= in_one[0.0]["trust"][:, 2]).all()


@pytest.mark.parametrize("workers", [600, 9_000])
def test_a_command_that_has_to_go_goes_whole_in_however_many_pieces(tmp_path, workers):
    """Aid workers who serve under it are not asked to go, and are no measure of how much a part of it offends."""
    for pieces in ({"un": 6}, *SIXTHS.values()):
        p = world(tmp_path, {n: part_of_un(s) for n, s in pieces.items()}, judge__expulsion=0.02, judge__patience=3)
        p.country.humanitarians["agencies"].workers = workers
        m = lived_through(p, force=2.0)
        gone = {n: m.missions.expelled[m.missions.names.index(n)] for n, s in pieces.items() if s}
        assert set(gone.values()) == {3.0}, gone
        assert not np.isfinite(m.missions.expelled[m.missions.donors]).any()


def test_a_brigade_that_never_uses_force_costs_no_more_consent_than_the_same_people_without_it(tmp_path):
    plain = {"un": part_of_un(5), "un brigade": part_of_un(1)}
    robust = {**WORK, "enforce": 2}
    strong = {"un": part_of_un(5), "un brigade": part_of_un(1, tasks=robust, about={"partiality": 0.5})}
    without, with_it = (lived_through(world(tmp_path, parts)) for parts in (plain, strong))
    assert with_it.task_presence("enforce").sum() > 0
    host = with_it.factions.host
    assert (with_it.factions.hostility <= without.factions.hostility + 1e-12).all()
    assert (with_it.factions.hostility[host, 2] > 0).all()
    assert not np.isfinite(with_it.missions.expelled).any()
    assert not np.isfinite(without.missions.expelled).any()


# ---------------------------------------------------------------------------------- bands, bases, teams

STRENGTH = {0: (700.0, 500.0, 800.0), 1: (400.0, 900.0, 200.0)}  # fighters of each faction in each cell


def armed(folder, bands=1, size=1.0):
    """Make the same fighters in so many bands a cell, and the same people in bases and teams of so many times the size.

    Returns the model, ready for the processes of violence.
    """
    p = world(folder, {"un": part_of_un(6, tasks={**WORK, "enforce": 1, "escort": 1, "separate": 1})})
    p.deploy.base_size, p.deploy.team_size = p.deploy.base_size * size, p.deploy.team_size * size
    for faction in p.country.factions.values():
        faction.bands, faction.loot = 3 * bands, 0.4
    p.country.humanitarians["others"].accepts_escort = 0.5
    only(p, "deploy", "task")
    m = PeaceModel(p)
    m.factions.hostility[:] = np.array([[0.1, 0.2, 0.3], [0.3, 0.4, 0.5]])
    m.factions.campaign[:], m.factions.vigour[:] = [0, 5], [1, 1.3]
    m.land.grief[:] = [[3, 1], [0, 9], [2, 2]]
    b = m.bands
    part = np.arange(1, bands + 1) / np.arange(1, bands + 1).sum()  # unequal ones
    for f, strength in STRENGTH.items():
        mine = np.flatnonzero(b.faction == f)
        b.cell[mine] = np.repeat([0, 1, 2], bands)
        b.fighters[mine] = np.repeat(strength, bands) * np.tile(part, 3)
        b.taking_part[mine] = True
    b.losses[:] = 0.05 * b.fighters
    m.units.cell[:] = 1
    m.units.stock[:] = 0.8
    m.step()
    return m


def expected(m):
    """Return what all together may expect in a year: hazard times the size of what happens, summed over who does it."""
    of, p, fighters, own = m.bands.faction, m.params, m.bands.fighters, m.missions.command[m.units.mission]
    near = m.fighters_around()[of, m.bands.cell]
    pressed, _ = enforce.rates(m.view)
    battles = fight.rates(m.view)
    attacks = prey.rates(m.view, prey.draw_attacks(m.view))
    m.numbers.relieve.base = 100.0  # every team may work
    teams = np.flatnonzero(m.units.team & (m.units.cell >= 0))
    hold = np.zeros(m.land.row.size)
    pauses = relieve.pauses(m.view, teams, relieve.open_roads(m.view, teams, hold))
    relieve._serve(m.view, teams, hold)
    hit, raid = ambush.rates(m.view, np.zeros(m.units.cell.size))
    size = {
        "attacks": attacks * (near / p.prey.band) ** p.prey.band_power,
        "battles": battles,
        "removed": pressed * fighters,
    }
    trust = m.census.trust[own, np.maximum(m.units.cell, 0)] / 3  # less than in a newcomer
    pinned = (
        each(task.protests, p.task, trust, np.full(trust.size, p.feel.start))
        * m.units.strength.sum(axis=1)
        * ~m.units.team
    )
    return {
        **{what: np.bincount(of, found) for what, found in size.items()}, "pinned down": np.bincount(own, pinned),
        "ambushes": np.bincount(own, hit * ~m.units.team), "ambushes of teams": np.bincount(own, hit * m.units.team),
        "raids": np.bincount(own, raid * m.units.team), "pauses": pauses.sum(), "aid": m.now.aid.sum(axis=1),
        "forced": m.now.forced, "protected": m.guard.sum(axis=1),
        "freedom": m.units.freedom @ m.units.strength.sum(axis=1),
    }  # fmt: skip


@pytest.mark.parametrize("team", [False, True])
@pytest.mark.parametrize("size", [0.25, 0.5, 2])
def test_the_same_people_cover_as_much_for_who_comes_next(tmp_path, size, team):
    def seen_by_next(m):
        everybody = m.missions.command[m.units.mission]
        mine = np.flatnonzero((everybody == everybody[m.units.team == team][0]) & (m.units.team == team))
        last, at = mine[-1], m.units.cell[mine[-1]]
        whole = m.params.task.team if team else m.params.task.base
        return siting.covered(m.view, last)[at] + m.units.strength[last].sum() / whole

    usual, other = armed(tmp_path), armed(tmp_path, size=size)
    assert usual.units.team.size != other.units.team.size
    assert seen_by_next(usual) > 0
    assert seen_by_next(usual) == pytest.approx(seen_by_next(other), rel=1e-9)


@pytest.mark.parametrize(("bands", "size"), [(1, 1), (4, 1), (2, 0.5), (2, 2), (3, 0.25)])
def test_as_much_happens_in_however_many_bands_bases_and_teams(tmp_path, bands, size):
    usual, other = armed(tmp_path, bands=2), armed(tmp_path, bands=bands, size=size)
    assert (usual.bands.fighters.size, usual.units.team.size) != (other.bands.fighters.size, other.units.team.size)
    assert usual.fighters_around() == pytest.approx(other.fighters_around(), rel=1e-12)
    found, again = expected(usual), expected(other)
    for what, amount in found.items():
        assert np.all(np.sum(amount) > (0 if what != "forced" else -1)), what
        assert again[what] == pytest.approx(amount, rel=1e-9), what


def test_who_rules_a_cell_is_the_same_asked_of_one_or_of_all():
    model = PeaceModel(load("weeks=4", "civilians=50"))
    strength = np.random.default_rng(0).integers(0, 3, model.around.shape).astype(float)  # ties, and nobody at all
    for number, host in enumerate(np.eye(len(strength), dtype=bool)):
        model.around, model.factions.host[:] = np.roll(strength, number, axis=1), host
        one_by_one = [rules.controller(model.view, cell) for cell in range(strength.shape[1])]
        assert rules.rulers(model.around, model.factions.host).tolist() == one_by_one
