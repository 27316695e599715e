"""2. Task: contingents and aid teams move to where violence, people and information draw them.

Bases are few and sticky. Presence of mission m at cell c is the work its units can do there, halving with
every `patrol_km`; effective presence is what is left of it after information, coordination and discipline:

    E_m(c) = sum_u work_u x mobility_m x freedom_u(c) x K(c, u)  x (i0 + (1 - i0) trust_m(c)) x coord(c) x discipline_m

The people tell things to whom they trust; armed units of uncoordinated commands are in each other's way.
A unit whose freedom of movement is gone does not count outside its own cell.
"""

import numba
import numpy as np

from sim import draws
from sim.params import TASKS, UNIFORMED

LOCAL = ("protect", "separate", "enforce", "police", "build", "engage", "escort", "report")
LOCAL_TASKS = [TASKS.index(t) for t in LOCAL]


@numba.njit(cache=True)
def spread(work, mission, cell, freedom, patrol, weight, out):
    """Add each unit's work to the cells in its patrol reach.

    Parameters
    ----------
    work : (U, S) person-equivalents; mission, cell : (U,) int, cell -1 for nowhere; freedom : (U,) 0..1
    patrol : (C, R) int; weight : (R,)
    out : (M, S, C), added to
    """
    for u in range(mission.size):
        if cell[u] < 0:
            continue
        for r in range(weight.size):
            c = patrol[cell[u], r]
            if c >= 0:
                w = weight[r] if r == 0 else weight[r] * freedom[u]
                for s in range(work.shape[1]):
                    out[mission[u], s, c] += work[u, s] * w


def coordination(armed, command, coordinated, friction):
    """Return what is left of every armed unit's effect where chains of command overlap: (C,) 0..1.

    Parameters
    ----------
    armed : (M, C) armed presence; command : (M,) int
    coordinated, friction : 0..1
    """
    by_command = np.array([armed[command == h].sum(axis=0) for h in np.unique(command)])
    total = by_command.sum(axis=0)
    overlap = 1 - ((by_command / np.maximum(total, 1e-9)) ** 2).sum(axis=0)  # 0 one command, 1/2 two equal ones
    return np.where(total > 0, 1 - friction * (1 - coordinated) * np.minimum(1, 2 * overlap), 1.0)


def freedom(strength, hostile, pinning, host_hostility, grip):
    """Return each unit's freedom of movement: (U,) 0..1.

    Parameters
    ----------
    strength : (U,) uniformed persons at hand; hostile : (U,) fighters around, weighted by hostility
    pinning : hostile fighters that pin down one person; host_hostility : (U,) 0..1; grip : 0..1
    """
    return strength / (strength + pinning * hostile + 1e-9) * (1 - grip * host_hostility)


def attraction(model, m, team):
    """Return the pull of every cell on a unit of mission m: (C,)."""
    land, people, p = model.land, model.census.persons, model.params
    access = 1 - land.remoteness * (1 - model.missions.mobility[m])
    if team:
        return (model.census.need + 1e-6 * people) * access
    crowd = np.sqrt(people / max(people.mean(), 1e-9))
    return crowd * (1 + p.deploy.siting_violence * land.felt) * access


def settle(model, unit):
    """Give a unit the base with the most pull that its mission has not covered yet, by the luck of the draw."""
    u, land = model.units, model.land
    m = u.mission[unit]
    others = np.flatnonzero((u.mission == m) & (u.cell >= 0) & (u.team == u.team[unit]))
    others = others[others != unit]
    cover = np.zeros(land.row.size)
    near = land.patrol[u.cell[others]]
    np.add.at(cover, near.ravel(), (land.patrol_weight * (near >= 0)).ravel())
    pull = (attraction(model, m, u.team[unit]) / (1 + 3 * cover)) ** 3
    chosen = draws.pick(pull[None, :], model.luck.uniform("task.base", u.luck[unit : unit + 1]))[0]
    u.cell[unit] = max(chosen, 0)


def task(model):
    """Move bases and teams, then work out every mission's presence in every cell."""
    u, m, land, p = model.units, model.missions, model.land, model.params
    model.presence[:] = 0
    model.armed[:] = 0
    if not m.names:
        return
    rate = np.where(u.team, p.task.team_relocation, p.task.relocation)
    moves = draws.happens(model.luck.uniform("task.move", u.luck), rate, model.years)
    for i in np.flatnonzero(moves & (u.cell >= 0) & (u.freedom > 0.5)):
        settle(model, i)
    at = np.maximum(u.cell, 0)
    around = model.fighters_around()
    hostile = (model.factions.hostility[:, u.mission] * around[:, at]).sum(axis=0)
    arms = u.strength[:, UNIFORMED].sum(axis=1)
    host = model.hostility_of_host()[u.mission]
    engineers = m.work[:, TASKS.index("engineer")]
    mobility = m.mobility + (1 - m.mobility) * engineers / (engineers + 400.0)
    # An aid team is pinned by guns as a small patrol of thirty would be.
    u.freedom = freedom(np.where(u.team, 30.0, arms), hostile, p.task.threat, host, p.task.host_grip)
    can = np.where(u.suspended, 0.0, 1.0)
    work = (u.strength[:, :, None] * m.capacity[u.mission][:, :, LOCAL_TASKS]).sum(axis=1)
    work *= (can * mobility[u.mission])[:, None]
    work[u.caveated & m.caveat[u.mission, 4], LOCAL.index("enforce")] = 0.0
    spread(work, u.mission, u.cell, u.freedom * can, land.patrol, land.patrol_weight, model.presence)
    spread((arms * can)[:, None], u.mission, u.cell, u.freedom * can, land.patrol, land.patrol_weight,
           model.armed[:, None, :])  # fmt: skip
    coord = coordination(model.armed, m.command, p.mission.coordination, p.task.friction)
    informed = p.task.information + (1 - p.task.information) * model.census.trust
    model.presence *= (informed * coord * m.discipline[:, None])[:, None, :]
