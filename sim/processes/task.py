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

People who trust tell where armed bands are, and technology shows it to whoever has it: patrols go there. Bases stand
for a year, longer than bands, so they are chosen by past violence. What one part of a command sees the whole of it
knows, and other commands as far as they coordinate. Whoever is warned steps in more often (prey), and is ambushed less.
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.params import AID, TASKS
from sim.rules import (
    ENFORCE,
    LOCAL,
    POLICE,
    PROTECT,
    REPORT,
    arms_around,
    hits_host,
    hostility_of_host,
    in_uniform,
    survey,
    threat,
    work_on,
)  # fmt: skip
from sim.siting import informed, known, settle, understood
from sim.state import MINIMUM_FORCE

LOCAL_TASKS = np.array([TASKS.index(t) for t in LOCAL])
ENGINEER = TASKS.index("engineer")
MOVE, PROTEST = draws.decision("task.move"), draws.decision("task.protest")


@kernel
def spread(work, mission, cell, freedom, known, threat, patrol, weight, out):
    """Add each unit's work to the cells in its patrol reach, more of it where it knows of a threat.

    Parameters
    ----------
    work : (U, S) person-equivalents; mission, cell : (U,) int, cell -1 for nowhere; freedom, known : (U,) 0..1
    threat : (C,) armed bands, in any unit
    patrol : (C, R) int; weight : (R,)
    out : (M, S, C), added to
    """
    share = np.empty(weight.size)
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
                share[r] = w if r == 0 else w * freedom[u]
        for s in range(work.shape[1]):
            if work[u, s] != 0.0:  # one task after the other: its cells lie side by side
                there, done = out[mission[u], s], work[u, s]
                for r in range(weight.size):
                    c = patrol[cell[u], r]
                    if c >= 0:
                        there[c] += done * share[r]


@kernel
def make_effective(presence, armed, command, at_work, trust, understood, ability, information, lost, crowding):
    """Reduce presence by what people do not tell, by inability, and where chains of command overlap.

    Parameters
    ----------
    presence : (M, S, C), written; armed : (M, C) uniformed persons in reach; command : (M,) int
    at_work : (M,) bool, has anybody anywhere
    trust : (Q, C) 0..1 in each chain of command; understood, ability : (M,) 0..1
    information : effect when told nothing
    lost : effect lost where two commands overlap in equal strength; crowding : added by each further one, of that
    """
    coordinated, everybody = np.ones(armed.shape[1]), np.zeros(armed.shape[1])
    for m in range(command.size):
        for c in range(everybody.size):
            everybody[c] += armed[m, c]
    for c in range(everybody.size):
        total = everybody[c]
        if total <= 0.0:
            continue
        same = 0.0  # probability that two armed persons here obey the same command
        for m in range(command.size):
            if armed[m, c] > 0.0:
                for n in range(command.size):
                    if command[m] == command[n] and armed[n, c] > 0.0:
                        same += armed[m, c] * armed[n, c] / (total * total)
        coordinated[c] = 1.0 - lost * min(1.0, 2.0 * (1.0 - same))
        if same < 0.5:  # as if of more than two equal commands: their number is 1 / same
            coordinated[c] /= 1.0 + crowding * lost * (1.0 / same - 2.0)
    left = np.empty(armed.shape[1])
    for m in range(command.size):
        if not at_work[m]:
            continue
        believed, clear, able = trust[command[m]], understood[m], ability[m]
        for c in range(left.size):
            told = believed[c] * clear
            left[c] = (information + (1.0 - information) * told) * coordinated[c] * able
        for s in range(presence.shape[1]):
            there = presence[m, s]
            for c in range(left.size):
                there[c] *= left[c]


@kernel
def guard_people(protect, police, force, reach, host, out):
    """Add up the effective presence that protects people from each faction.

    Parameters
    ----------
    protect, police : (M, C); force : (M,) 0..1 what the rules of engagement leave of it
    reach : (M,) 0..1 how far it holds against the host's own forces; host : (F,) bool
    out : (F, C), written
    """
    out[:, :] = 0.0
    for m in range(force.size):
        there = protect[m] + police[m]
        if there.max() > 0.0:
            for f in range(host.size):
                holds = force[m] * (reach[m] if host[f] else 1.0)
                for c in range(there.size):
                    out[f, c] += there[c] * holds


@kernel
def freedom(strength, hostile, pinning, host_hostility, grip):
    """Return a unit's freedom of movement: 0..1.

    Parameters
    ----------
    strength : uniformed persons at hand; hostile : fighters around, weighted by hostility
    pinning : hostile fighters that pin down one person; host_hostility : 0..1; grip : 0..1
    """
    return strength / (strength + pinning * hostile + 1e-9) * (1.0 - grip * host_hostility)


@kernel
def protests(p, trust, start):
    """Return the hazard (1/year) of a protest where a chain of command has a base.

    Parameters
    ----------
    p : numbers.task; trust : 0..1 of the people there; start : 0..1 that a newcomer has
    """
    return p.protest * max(0.0, 1.0 - trust / max(start, 1e-9))


@kernel
def _protest(w):
    """Let people who trust a command less than a newcomer protest where it has contingents, in however many bases."""
    u, p, now, luck = w.units, w.numbers.task, w.now, draws.luck(w.dice, PROTEST)
    for i in range(u.cell.size):
        u.pinned[i] = max(u.pinned[i] - w.step_weeks, 0.0)
    for i in range(u.cell.size):
        if u.team[i] or u.cell[i] < 0:
            continue
        q, at = w.missions.command[u.mission[i]], u.cell[i]
        rate = protests(p, w.census.trust[q, at], w.numbers.feel.start)
        crowd = w.commands.luck[q] + np.uint64(at)  # one to a place and a flag
        if draws.draw(luck, crowd) < draws.chance(rate * w.years):
            u.pinned[i] = p.protest_weeks
            alone = True
            for j in range(i):
                alone = alone and (u.cell[j] != at or u.team[j] or w.missions.command[u.mission[j]] != q)
            now.protests[q] += alone


@kernel
def _keep_to_area(w):
    """Take away the presence of every mission outside its area, but for its reports, as far as it makes them there."""
    area, beyond, presence, armed = w.missions.area, w.missions.beyond, w.presence, w.armed
    for i in range(beyond.size):
        if area[i].min() == 1.0:
            continue
        for c in range(armed.shape[1]):
            inside = area[i, c]
            if inside < 1.0:
                reports = presence[i, REPORT, c] * max(inside, beyond[i])
                for s in range(presence.shape[1]):
                    presence[i, s, c] *= inside
                presence[i, REPORT, c] = reports
                armed[i, c] *= inside


@kernel
def _open_sites(w):
    """See where camps and protection sites are open, and who is in them."""
    land, u, p, gates = w.land, w.units, w.numbers.live, w.missions.gates
    land.site[:], land.sheltered[:, :] = 0.0, 0.0
    for i in range(u.cell.size):
        if u.cell[i] >= 0 and gates[u.mission[i]] > 0.0:
            land.site[u.cell[i]] += gates[u.mission[i]] * u.strength[i].sum()
    site = land.site
    for c in range(site.size):
        if site[c] > 0.0:
            site[c] = site[c] / (site[c] + p.camp_staff)
            drawn = p.camp * site[c]
            inside = drawn / max(drawn + p.countryside * land.place_area + land.town[c], 1e-12)
            for k in range(land.sheltered.shape[1]):
                land.sheltered[c, k] = w.census.displaced[c, k] * inside


@kernel
def _move_bases(w):
    """Let units look for another place, if they are free to."""
    u, m, p, luck = w.units, w.missions, w.numbers.task, draws.luck(w.dice, MOVE)
    moves = np.zeros(u.cell.size, dtype=np.bool_)
    for i in range(u.cell.size):
        rate = (p.team_relocation if u.team[i] else p.relocation) * m.pace[u.mission[i]]
        goes = draws.draw(luck, u.luck[i]) < draws.chance(rate * w.years)
        guards = not u.team[i] and m.gates[u.mission[i]] > 0.0 and w.land.sheltered[u.cell[i]].sum() >= 1.0
        unwanted = u.suspended[i] and m.by_consent[u.mission[i]]  # who is not wanted there looks for another place
        moves[i] = ((goes and not guards) or unwanted) and u.cell[i] >= 0 and u.freedom[i] > p.free_enough
    for i in range(u.cell.size):
        if moves[i]:
            settle(w, i)


@kernel
def _move_freely(w):
    """Work out how free every unit is to move; return the uniformed of each: (U,) persons."""
    u, m, p, hostility = w.units, w.missions, w.numbers.task, w.factions.hostility
    n, host = u.cell.size, hostility_of_host(w)
    arms, guards = np.zeros(n), np.zeros(n)
    for i in range(n):
        arms[i] = in_uniform(u.strength, i)
        guards[i] = p.worker_guard * u.strength[i, AID] if u.team[i] else 0.0
    at_hand, of_teams = arms_around(w, arms), arms_around(w, guards)
    _protest(w)
    for i in range(n):
        q, hostile = m.command[u.mission[i]], 0.0
        for f in range(hostility.shape[0]):
            hostile += hostility[f, q] * w.around[f, max(u.cell[i], 0)]
        u.freedom[i] = freedom(of_teams[i] if u.team[i] else at_hand[i], hostile, p.threat, host[q], p.host_grip)
        if u.pinned[i] > 0.0:
            u.freedom[i] *= 1.0 - p.blockade
    return arms


@rule
def task(w):
    """Move bases and teams, then work out every mission's presence in every cell."""
    w.presence[:, :, :], w.armed[:, :], w.guard[:, :], w.care[:] = 0.0, 0.0, 0.0, 0.0
    _open_sites(w)
    if (w.units.cell >= 0).any():
        survey(w)
        _move_bases(w)
        _spread_out(w, _move_freely(w))
        _keep_to_area(w)
        _take_effect(w)


@kernel
def _spread_out(w, arms):
    """Send every unit's people to the places that it reaches; arms : (U,) uniformed of each."""
    u, m, land, p, g = w.units, w.missions, w.land, w.numbers.task, w.contributors
    n, n_kinds = u.cell.size, u.strength.shape[1]
    engineers, sees, weight = work_on(w, ENGINEER), known(w), land.patrol_weight
    work, roams, seen = np.zeros((n, len(LOCAL_TASKS))), np.zeros(n), np.zeros(n)
    armed, medics = np.zeros((n, 1)), np.zeros((n, 1))
    aware = False
    for i in range(n):
        if u.cell[i] < 0:
            continue
        j, at, can = u.mission[i], u.cell[i], 0.0 if u.suspended[i] else 1.0
        q = m.command[j]
        mobility = m.mobility[j] + (1.0 - m.mobility[j]) * engineers[q] / (engineers[q] + p.engineers_half)
        for s in range(len(LOCAL_TASKS)):
            for kind in range(n_kinds):
                work[i, s] += u.strength[i, kind] * m.capacity[j, kind, LOCAL_TASKS[s]]
            work[i, s] *= can * mobility
        if u.caveated[i] and g.caveat[u.contributor[i], MINIMUM_FORCE]:
            work[i, ENFORCE] = 0.0
        armed[i, 0] = arms[i] * can
        at_hand = (1.0 if u.access[i] else 0.0) if u.team[i] else can
        medics[i, 0] = u.strength[i].sum() * m.medicine[j] * at_hand
        roams[i] = u.freedom[i] * can
        if m.gates[j] > 0.0 and not u.team[i]:
            crowd = land.sheltered[at].sum()
            roams[i] *= 1.0 - p.gate_duty * m.gates[j] * crowd / (crowd + p.gate_crowd)
        if not u.team[i]:  # aid workers do not go where the bands are
            seen[i] = informed(w, j, at, sees[j])
            aware = aware or seen[i] > 0.0
    menace = threat(w) if aware else np.zeros(land.felt.size)
    spread(
        work=work, mission=u.mission, cell=u.cell, freedom=roams, known=seen, threat=menace, patrol=land.patrol,
        weight=weight, out=w.presence,
    )  # fmt: skip
    in_reach = np.zeros((m.command.size, 1, land.felt.size))
    spread(
        work=armed, mission=u.mission, cell=u.cell, freedom=roams, known=seen, threat=menace, patrol=land.patrol,
        weight=weight, out=in_reach,
    )  # fmt: skip
    w.armed[:, :] = in_reach[:, 0]
    if w.numbers.prey.wounded > 0.0:  # whoever treats the wounded does, whosever he is
        care = np.zeros((1, 1, land.felt.size))
        spread(
            work=medics, mission=np.zeros(n, dtype=np.int64), cell=u.cell, freedom=roams, known=seen, threat=menace,
            patrol=land.patrol, weight=weight, out=care,
        )  # fmt: skip
        treated = w.care
        for c in range(treated.size):
            treated[c] = care[0, 0, c] / (care[0, 0, c] + p.medics)


@kernel
def _take_effect(w):
    """Work out what presence amounts to, and whom it protects from whom."""
    m, p, n = w.missions, w.numbers.task, w.missions.command.size
    clear, force, reach, consent = np.empty(n), np.empty(n), np.empty(n), 1.0 - hostility_of_host(w)
    for j in range(n):
        clear[j] = understood(p, m.knowledge[j], m.women[j])
        force[j] = w.numbers.prey.armless + (1.0 - w.numbers.prey.armless) * m.willing[j]
        reach[j] = hits_host(w, j, consent)
    at_work = np.zeros(n, dtype=np.bool_)
    for i in range(w.units.cell.size):
        at_work[w.units.mission[i]] |= w.units.cell[i] >= 0
    make_effective(
        presence=w.presence, armed=w.armed, command=m.command, at_work=at_work, trust=w.census.trust, understood=clear,
        ability=m.ability, information=p.information, lost=p.friction * (1.0 - w.numbers.mission.coordination),
        crowding=p.crowding,
    )  # fmt: skip
    guard_people(
        protect=w.presence[:, PROTECT], police=w.presence[:, POLICE], force=force, reach=reach, host=w.factions.host,
        out=w.guard,
    )  # fmt: skip
