"""Task: contingents and aid teams move to where violence, people and need draw them.

Bases are few and sticky. Presence of mission m at cell c is the work its units can do there, halving with
every `patrol_km`; effective presence is what is left of it after information, coordination and ability:

    E_m(c) = sum_u work_u x mobility_m x freedom_u(c) x K(c, u)
             x (i0 + (1 - i0) trust_m(c) understood_m) x coord(c) x ability_m

The people tell things to whom they trust, and to whom they can talk: by language and ties, and women to women, men to
men. Armed units of uncoordinated commands are in each other's way, the more the more commands there are. Where several
head offices must approve what a mission does, it moves, operates and delivers more slowly, as far as they are not
coordinated. A mission works only in the area of its mandate; if it reports beyond it, its reports reach as far as its
patrols. People who do not trust a chain of command protest where its units are, and for some weeks pin these down.
A unit whose freedom of movement is gone does not count outside its own cell. It is pinned down by hostile fighters
against the arms that its command has in reach, in however many bases they stand.

A mission with open gates, and aid workers who run camps, take in people who flee. Whoever guards them stays where he
is and patrols less.

People who trust tell where armed bands are: patrols go there. Technology shows it to who has it, and lets him choose
his bases by them and not by past violence.
What one part of a command sees the whole of it knows, and other commands as far as they coordinate.
"""

import numba
import numpy as np

from sim import draws
from sim.params import AID, TASKS, UNIFORMED
from sim.state import MINIMUM_FORCE

LOCAL = ("protect", "separate", "enforce", "police", "build", "engage", "escort", "report")
LOCAL_TASKS = [TASKS.index(t) for t in LOCAL]


@numba.njit(cache=True)
def spread(work, mission, cell, freedom, known, threat, patrol, weight, out):
    """Add each unit's work to the cells in its patrol reach, more of it where it knows of a threat.

    Parameters
    ----------
    work : (U, S) person-equivalents; mission, cell : (U,) int, cell -1 for nowhere; freedom, known : (U,) 0..1
    threat : (C,) armed bands, in any unit
    patrol : (C, R) int; weight : (R,)
    out : (M, S, C), added to
    """
    for u in range(mission.size):
        if cell[u] < 0:
            continue
        usual, seen = 0.0, 0.0
        if known[u] > 0.0:
            for r in range(weight.size):
                c = patrol[cell[u], r]
                if c >= 0:
                    usual += weight[r]
                    seen += weight[r] * threat[c]
        for r in range(weight.size):
            c = patrol[cell[u], r]
            if c >= 0:
                w = weight[r]
                if seen > 0.0:  # as much work as ever, at other places
                    w *= 1.0 - known[u] + known[u] * threat[c] * usual / seen
                w = w if r == 0 else w * freedom[u]
                for s in range(work.shape[1]):
                    out[mission[u], s, c] += work[u, s] * w


@numba.njit(cache=True)
def make_effective(presence, armed, command, trust, understood, ability, information, lost, crowding):
    """Reduce presence by what people do not tell, by inability, and where chains of command overlap.

    Parameters
    ----------
    presence : (M, S, C), written; armed : (M, C) uniformed persons in reach; command : (M,) int
    trust : (K, C) 0..1 in each chain of command; understood, ability : (M,) 0..1
    information : effect when told nothing
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
            told = trust[command[m], c] * understood[m]
            left = (information + (1.0 - information) * told) * coordinated * ability[m]
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


def reached(p, women):
    """Return how much of what women and men say each mission is told, by the women it has: (M,) 0..1."""
    both = np.array([women, 1 - women])
    return (1 - p.apart * (1 - both * (1 + p.mixed) / (both + p.mixed))).mean(axis=0)


def understood(p, knowledge, women):
    """Return how much of what people would tell each mission gets through to it: (M,) 0..1.

    Parameters
    ----------
    p : params.Task; knowledge, women : (M,) 0..1
    """
    return (1 - p.language * (1 - knowledge)) * reached(p, women)


def known(model):
    """Return how much each mission knows of where bands are: (M,) 0..1.

    What a part of a command sees is known to all of it; what another command knows, as far as they coordinate.
    """
    m = model.missions
    if not m.technology.any():
        return m.technology
    sees = m.technology * (m.persons.sum(axis=1) > 0)
    of_command = (model.commands.member * sees).max(axis=1)
    return np.maximum(of_command, model.params.mission.coordination * of_command.max())[m.command]


def attraction(model, m, team):
    """Return the pull of every cell on a unit of mission m: (C,)."""
    land, people, p = model.land, model.census.of_place.sum(axis=1), model.params
    access = (1 - land.remoteness * (1 - model.missions.mobility[m])) * model.missions.area[m]
    if team:
        return (model.census.need + 1e-6 * model.census.persons) * access
    crowd, violence, seen = np.sqrt(people / max(people.mean(), 1e-9)), land.felt, known(model)[m]
    if seen > 0:
        threat = model.threat()
        violence = (1 - seen) * violence + seen * threat / (threat + p.prey.band)
    return crowd * (1 + p.deploy.siting_violence * violence) * access


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


def _open_sites(model):
    """See where camps and protection sites are open, and who is in them."""
    land, u, p = model.land, model.units, model.params.live
    if not model.missions.gates.any() and not land.site.any():
        return
    land.site[:], land.sheltered[:] = 0.0, 0.0
    opens = model.missions.gates[u.mission] * u.strength.sum(axis=1) * (u.cell >= 0)
    if opens.any():
        staff = np.bincount(np.maximum(u.cell, 0), opens, land.row.size)
        land.site[:] = staff / (staff + p.camp_staff)
        drawn = p.camp * land.site
        inside = drawn / np.maximum(drawn + p.countryside * land.place_area + land.town, 1e-12)
        land.sheltered[:] = model.census.displaced * inside[:, None]


def task(model):
    """Move bases and teams, then work out every mission's presence in every cell."""
    u, m, land, p = model.units, model.missions, model.land, model.params
    model.presence[:] = 0
    model.armed[:] = 0
    model.guard[:] = 0
    model.care[:] = 0
    _open_sites(model)
    if not (u.cell >= 0).any():
        return
    rate = np.where(u.team, p.task.team_relocation, p.task.relocation) * m.pace[u.mission]
    moves = draws.happens(model.luck.uniform("task.move", u.luck), rate, model.years)
    if m.gates.any():  # a guard stays
        moves &= u.team | (m.gates[u.mission] == 0) | (model.land.sheltered[u.cell].sum(axis=1) < 1)
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
    roams = u.freedom * can
    if m.gates.any():
        crowd = land.sheltered[at].sum(axis=1)
        roams *= 1 - p.task.gate_duty * (m.gates[u.mission] * ~u.team) * crowd / (crowd + p.task.gate_crowd)
    work = (u.strength[:, :, None] * m.capacity[u.mission][:, :, LOCAL_TASKS]).sum(axis=1)
    work *= (can * mobility[u.mission])[:, None]
    bound = np.append(model.contributors.caveat[:, MINIMUM_FORCE], False)[u.contributor]
    work[u.caveated & bound, LOCAL.index("enforce")] = 0.0
    clear = understood(p.task, m.knowledge, m.women)
    told = p.task.told * model.census.trust[flag, at] * clear[u.mission]
    seen = (1 - (1 - known(model)[u.mission]) * (1 - told)) * ~u.team  # aid workers do not go where the bands are
    threat = model.threat() if seen.any() else np.zeros(land.row.size)
    medics = u.strength.sum(axis=1) * m.medicine[u.mission] * np.where(u.team, u.access, can)
    care, nobody = np.zeros((1, 1, land.row.size)), np.zeros_like(u.mission)
    amounts = [(work, u.mission, model.presence), ((arms * can)[:, None], u.mission, model.armed[:, None, :])]
    if p.prey.wounded > 0:
        amounts.append((medics[:, None], nobody, care))  # whoever treats the wounded does, whosever he is
    for amount, of, out in amounts:
        spread(
            work=amount, mission=of, cell=u.cell, freedom=roams, known=seen, threat=threat, patrol=land.patrol,
            weight=land.patrol_weight, out=out,
        )  # fmt: skip
    _keep_to_area(model)
    model.care[:] = care[0, 0] / (care[0, 0] + p.task.medics)
    make_effective(
        presence=model.presence, armed=model.armed, command=m.command, trust=model.census.trust,
        understood=clear, ability=m.ability, information=p.task.information,
        lost=p.task.friction * (1 - p.mission.coordination), crowding=p.task.crowding,
    )  # fmt: skip
    force = p.prey.armless + (1 - p.prey.armless) * m.willing
    guard_people(
        protect=model.task_presence("protect"), police=model.task_presence("police"), force=force,
        reach=m.host_reach * (1 - m.partiality) * (1 - model.hostility_of_host()[m.command]), host=model.factions.host,
        out=model.guard,
    )  # fmt: skip
