"""Deaths: events, the people killed in them, and whose they are. Rules of the world, compiled."""

import numpy as np

from sim import draws
from sim.kernel import kernel
from sim.rules import bands_near, hired_share, in_uniform, total


@kernel
def report(w, kind, side_a, side_b, cell, deaths_a, deaths_b, civilians):
    """Write down an event: a number of EVENTS, who (sim/state.py, Event), where, and the dead."""
    n = w.now.logged[0]
    if n == w.now.event_log.shape[0]:  # compiled rules would write beyond it
        raise IndexError("a week has no room for so many events")
    row = w.now.event_log[n]
    row[0], row[1], row[2], row[3], row[4], row[5], row[6] = kind, side_a, side_b, cell, deaths_a, deaths_b, civilians
    w.now.logged[0] = n + 1


@kernel
def kill(w, cell, community, wanted, luck, faction, mission, crossfire):
    """Enter civilians killed by a faction, or by a mission if the faction is -1, at most those left; return how many.

    They are taken from their households when people live the week (`live`). If the community is -1, anybody in the
    place of the cell may be hit.
    """
    population, toll, own = w.census.population, w.now.toll, w.factions.community
    if community < 0:
        place, share, n = w.land.place, w.land.place_share, population.shape[1]
        weights = np.zeros(share.size * n)
        for r in range(share.size):
            c = place[cell, r]
            if c >= 0:
                for k in range(n):
                    weights[r * n + k] = (population[c, k] - toll[c, k]) * share[r]
        found = draws.pick(weights, luck)
        if found < 0:
            return 0
        cell, community = place[cell, found // n], found % n
    dead = int(min(wanted, population[cell, community] - toll[cell, community]))
    if dead <= 0:
        return 0
    now, f = w.now, w.factions
    if now.logged[1] == now.killing_log.shape[0]:  # compiled rules would write beyond it
        raise IndexError("a week has no room for so many killings; kill more people at a time")
    toll[cell, community] += dead
    if crossfire:
        now.crossfire[faction] += dead
    elif faction >= 0:
        now.by_faction[faction] += dead
    else:
        now.by_mission[mission] += dead
    row = now.killing_log[now.logged[1]]
    row[0], row[1], row[2], row[3], row[4] = faction, mission, cell, community, dead
    now.logged[1] += 1
    hired = hired_share(w)[faction] if faction >= 0 and f.hired[faction] > 0.0 else 0.0
    for g in range(own.shape[0]):
        if g == faction:
            continue
        stung = dead * own[g, community]
        if faction < 0:
            now.harm[g, w.missions.command[mission]] += stung
            f.wronged[g] += stung
        now.by_hired[g] += stung * hired
        f.provocation[g] += stung
    w.land.grief[cell, community] += dead
    return dead


@kernel
def lose_fighters(w, faction, bands, dead, to_rivals):
    """Enter fighters of a faction killed, by rivals or by a mission: of some of its bands, each by its strength.

    Parameters
    ----------
    faction : int; bands : (n,) int, with at least `dead` fighters; dead : persons; to_rivals : bool
    """
    fighters, losses = w.bands.fighters, w.bands.losses
    whole = max(total(fighters, bands), 1e-9)
    for b in bands:
        lost = dead * fighters[b] / whole
        fighters[b] = max(fighters[b] - lost, 0.0)
        losses[b] += lost
    w.now.fighters_lost[faction] += dead
    if to_rivals:
        w.now.lost_to_rivals[faction] += dead
        w.factions.provocation[faction] += dead


@kernel
def hit(w, faction, bands, dead, mission):
    """Enter fighters of a faction killed by a mission: of some of its bands, each by its strength."""
    if dead > 0:
        lose_fighters(w, faction, bands, dead, False)
        w.now.hit[faction, mission] += dead


@kernel
def harm_bystanders(w, cell, killed, mission, luck):
    """Kill those who stand by where a mission kills fighters, as far as it lacks restraint; return how many."""
    collateral = w.numbers.enforce.collateral * (1.0 - w.missions.restraint[mission])
    return kill(
        w, cell=cell, community=-1, wanted=int(collateral * killed + luck), luck=luck, faction=-1, mission=mission,
        crossfire=False,
    )  # fmt: skip


@kernel
def lose_from(w, unit, dead):
    """Enter members of a unit killed, at most those who are there; return how many."""
    u, there = w.units, 0.0
    for kind in range(u.strength.shape[1]):
        there += u.strength[unit, kind]
    dead = int(min(dead, there))
    u.losses[unit] += dead
    if u.team[unit]:
        w.now.aid_workers_killed[u.mission[unit]] += dead
    else:
        w.now.peacekeepers_killed[u.mission[unit]] += dead
        w.contributors.lost[u.contributor[unit]] += dead
    return dead


@kernel
def lose_personnel(w, mission, cell, dead):
    """Enter peacekeepers of a mission killed in an operation near a cell; return how many."""
    u, patrol = w.units, w.land.patrol
    best, most = -1, -1.0
    for i in range(u.cell.size):
        if dead and u.mission[i] == mission and not u.team[i] and u.cell[i] >= 0:
            size = in_uniform(u.strength, i)
            if size > most and in_row(patrol, cell, u.cell[i]):
                best, most = i, size
    return lose_from(w, best, dead) if best >= 0 else 0


@kernel
def in_row(table, row, number):
    """Say whether a row of a table has a number."""
    has = False
    for i in range(table.shape[1]):
        has = has or table[row, i] == number
    return has


@kernel
def die_of_it(w, mission):
    """Return how many die of those who would under half of a full medicine, in a mission with its own: ratio."""
    return 1.0 + w.numbers.ambush.wounded * (1.0 - 2.0 * w.missions.medicine[mission])


@kernel
def repel(w, faction, cell, wanted, mission, luck):
    """Let a mission kill fighters of a faction around a cell, and bystanders with them; return how many of each."""
    own = bands_near(w, cell, faction)
    killed = int(min(wanted, total(w.bands.fighters, own)))
    hit(w, faction, own, killed, mission)
    return killed, harm_bystanders(w, cell, killed, mission, luck)
