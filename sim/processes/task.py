"""Task: contingents and aid teams move to where violence, people and need draw them.

Bases are few and sticky. Presence of mission m at cell c is the work its units can do there, halving with
every `patrol_km`; effective presence is what is left of it after information, coordination and ability:

    E_m(c) = sum_u work_u x mobility_m x freedom_u(c) x K(c, u)
             x (i0 + (1 - i0) trust_m(c)) x coord(c) x ability_m

The people tell things to whom they trust; armed units of uncoordinated commands are in each other's way, the more the
more commands there are. Where several head offices must approve what a mission does, it moves, operates and delivers
more slowly, as far as they are not coordinated.
A mission works only in the area of its mandate; if it reports beyond it, its reports reach as far as its patrols.
People who do not trust a chain of command protest where its units are, and for some weeks pin these down.
A unit whose freedom of movement is gone does not count outside its own cell. It is pinned down by hostile fighters
against the arms that its command has in reach, in however many bases they stand.
"""

import numba
import numpy as np

from sim import draws
from sim.params import AID, TASKS, UNIFORMED
from sim.state import MINIMUM_FORCE

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


@numba.njit(cache=True)
def make_effective(presence, armed, command, trust, ability, information, lost, crowding):
    """Reduce presence by what people do not tell, by inability, and where chains of command overlap.

    Parameters
    ----------
    presence : (M, S, C), written; armed : (M, C) uniformed persons in reach; command : (M,) int
    trust : (K, C) 0..1 in each chain of command; ability : (M,) 0..1; information : effect when told nothing
    lost : effect lost where two commands overlap in equal strength; crowding : added by each further one, of that
    """
    for c in range(armed.shape[1]):
        total = 0.0
        for m in range(command.size):
            total += armed[m, c]
        same = 0.0  # probability that two armed persons here obey the same command
        if total > 0:
            for m in range(command.size):
                for n in range(command.size):
                    if command[m] == command[n]:
                        same += armed[m, c] * armed[n, c] / (total * total)
        coordinated = 1.0 - lost * min(1.0, 2.0 * (1.0 - same)) if total > 0 else 1.0
        if total > 0 and same < 0.5:  # as if of more than two equal commands: their number is 1 / same
            coordinated /= 1.0 + crowding * lost * (1.0 / same - 2.0)
        for m in range(command.size):
            left = (information + (1.0 - information) * trust[command[m], c]) * coordinated * ability[m]
            for s in range(presence.shape[1]):
                presence[m, s, c] *= left


@numba.njit(cache=True)
def guard_people(protect, police, force, reach, host, out):
    """Add up the effective presence that protects people from each faction.

    Parameters
    ----------
    protect, police : (M, C); force : (M,) 0..1 what the rules of engagement leave of it
    reach : (M,) 0..1 how far it holds against the host's own forces; host : (F,) bool
    out : (F, C), written
    """
    for f in range(host.size):
        for c in range(protect.shape[1]):
            out[f, c] = 0.0
            for m in range(force.size):
                out[f, c] += (protect[m, c] + police[m, c]) * force[m] * (reach[m] if host[f] else 1.0)


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
    land, people, p = model.land, model.census.of_place.sum(axis=1), model.params
    access = (1 - land.remoteness * (1 - model.missions.mobility[m])) * model.missions.area[m]
    if team:
        return (model.census.need + 1e-6 * model.census.persons) * access
    crowd = np.sqrt(people / max(people.mean(), 1e-9))
    return crowd * (1 + p.deploy.siting_violence * land.felt) * access


def protests(p, trust, start):
    """Return the hazard (1/year) of a protest where a chain of command has a base: (U,).

    Parameters
    ----------
    p : params.Task; trust : (U,) 0..1 of the people there; start : 0..1 that a newcomer has
    """
    return p.protest * np.maximum(0, 1 - trust / max(start, 1e-9))


def _protest(model):
    """Let people who trust a command less than a newcomer protest where it has contingents, in however many bases."""
    u, c, p, now = model.units, model.commands, model.params.task, model.now
    u.pinned = np.maximum(u.pinned - model.params.step_weeks, 0.0)
    there = ~u.team & (u.cell >= 0)
    if not p.protest or not there.any():
        return
    flag, at = model.missions.command[u.mission], np.maximum(u.cell, 0)
    rate = protests(p, model.census.trust[flag, at], model.params.feel.start) * there
    luck = model.luck.uniform("task.protest", c.luck[flag] + at.astype(np.uint64))  # one crowd to a place and a flag
    met = draws.happens(luck, rate, model.years)
    u.pinned[met] = p.protest_weeks
    for k in np.unique(flag[met]):
        now.protests[k] = np.unique(at[met & (flag == k)]).size


def _keep_to_area(model):
    """Take away the presence of every mission outside its area, but for its reports, as far as it makes them there."""
    m = model.missions
    for i in np.flatnonzero(m.area.min(axis=1) < 1):
        reports = model.presence[i, LOCAL.index("report")] * np.maximum(m.area[i], m.beyond[i])
        model.presence[i] *= m.area[i]
        model.presence[i, LOCAL.index("report")] = reports
        model.armed[i] *= m.area[i]


def settle(model, unit):
    """Give a unit the base with the most pull that its command has not covered yet, by the luck of the draw."""
    u, land = model.units, model.land
    m = u.mission[unit]
    flag = model.missions.command
    others = np.flatnonzero((flag[u.mission] == flag[m]) & (u.cell >= 0) & (u.team == u.team[unit]))
    others = others[others != unit]
    cover = np.zeros(land.row.size)
    near, p, d = land.patrol[u.cell[others]], model.params.task, model.params.deploy
    size = u.strength[others].sum(axis=1) / (d.team_size if u.team[unit] else d.base_size)
    np.add.at(cover, near.ravel(), (size[:, None] * land.patrol_weight * (near >= 0)).ravel())
    pull = (attraction(model, m, u.team[unit]) / (1 + p.cover * cover)) ** p.choosiness
    chosen = draws.pick(pull, model.luck.uniform("task.base", u.luck[unit : unit + 1])[0])
    u.cell[unit] = max(chosen, 0)


def task(model):
    """Move bases and teams, then work out every mission's presence in every cell."""
    u, m, land, p = model.units, model.missions, model.land, model.params
    model.presence[:] = 0
    model.armed[:] = 0
    model.guard[:] = 0
    if not (u.cell >= 0).any():
        return
    rate = np.where(u.team, p.task.team_relocation, p.task.relocation) * m.pace[u.mission]
    moves = draws.happens(model.luck.uniform("task.move", u.luck), rate, model.years)
    moves |= u.suspended & m.by_consent[u.mission]  # who is not wanted there looks for another place
    for i in np.flatnonzero(moves & (u.cell >= 0) & (u.freedom > p.task.free_enough)):
        settle(model, i)
    at = np.maximum(u.cell, 0)
    around = model.fighters_around()
    flag = m.command[u.mission]
    hostile = (model.factions.hostility[:, flag] * around[:, at]).sum(axis=0)
    arms = u.strength[:, UNIFORMED].sum(axis=1)
    host = model.hostility_of_host()[flag]
    engineers = model.work_on("engineer")[m.command]
    mobility = m.mobility + (1 - m.mobility) * engineers / (engineers + p.task.engineers_half)
    workers = u.strength[:, AID] * u.team
    guards = model.arms_around(np.where(u.team, p.task.worker_guard * workers, 0.0))
    guards = np.where(u.team, guards, model.arms_around(arms))
    u.freedom = freedom(guards, hostile, p.task.threat, host, p.task.host_grip)
    _protest(model)
    u.freedom *= np.where(u.pinned > 0, 1 - p.task.blockade, 1.0)
    can = np.where(u.suspended, 0.0, 1.0)
    work = (u.strength[:, :, None] * m.capacity[u.mission][:, :, LOCAL_TASKS]).sum(axis=1)
    work *= (can * mobility[u.mission])[:, None]
    bound = np.append(model.contributors.caveat[:, MINIMUM_FORCE], False)[u.contributor]
    work[u.caveated & bound, LOCAL.index("enforce")] = 0.0
    for amount, out in ((work, model.presence), ((arms * can)[:, None], model.armed[:, None, :])):
        spread(
            work=amount, mission=u.mission, cell=u.cell, freedom=u.freedom * can, patrol=land.patrol,
            weight=land.patrol_weight, out=out,
        )  # fmt: skip
    _keep_to_area(model)
    make_effective(
        presence=model.presence, armed=model.armed, command=m.command, trust=model.census.trust,
        ability=m.ability, information=p.task.information,
        lost=p.task.friction * (1 - p.mission.coordination), crowding=p.task.crowding,
    )  # fmt: skip
    force = p.prey.armless + (1 - p.prey.armless) * m.willing
    guard_people(
        protect=model.task_presence("protect"), police=model.task_presence("police"), force=force,
        reach=m.host_reach * (1 - m.partiality) * (1 - model.hostility_of_host()[m.command]), host=model.factions.host,
        out=model.guard,
    )  # fmt: skip
