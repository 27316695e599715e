"""What several processes ask and do: who is near, who rules a place, what is at work. Rules of the world, compiled.

What they share of a subject has its own file: deaths, misinformation, seasons, siting.
`w` is the world (sim/state.py). Sizes: C cells, K communities, F factions, B bands, M missions, Q chains of command,
U units.
"""

import math

import numpy as np

from sim import draws
from sim.kernel import kernel
from sim.params import STAFF

LOCAL = ("protect", "separate", "enforce", "police", "build", "engage", "escort", "report")  # tasks done on the spot
PROTECT, SEPARATE, ENFORCE, POLICE, BUILD, ENGAGE, ESCORT, REPORT = range(len(LOCAL))  # where each stands in presence


@kernel
def fading(w, half_life):
    """Return what one step leaves of a memory with that half-life in weeks."""
    return 0.5 ** (w.step_weeks / half_life)


@kernel
def luck_of(w, decision, who):
    """Return somebody's luck in a decision this week: 0..1; who : identity, a whole number."""
    return draws.draw(draws.luck(w.dice, decision), who)


@kernel
def total(amounts, of):
    """Return the sum of those amounts that are named: a float."""
    out = 0.0
    for i in of:
        out += amounts[i]
    return out


@kernel
def sum_rows(group, amounts, n):
    """Return the sums of amounts by group, of n: (n,)."""
    out = np.zeros(n)
    for i in range(group.size):
        out[group[i]] += amounts[i]
    return out


# ---------------------------------------------------------------------------------- who is near


@kernel
def km_between(row, col, cell_km, a, b):
    """Return the distance of two cells in km; row, col : (C,) int; cell_km : side of a cell."""
    return cell_km * math.sqrt((row[a] - row[b]) ** 2 + (col[a] - col[b]) ** 2)


@kernel
def add_around(amount, cell, reach, share, out):
    """Add an amount that is in a cell to all cells in its reach.

    Parameters
    ----------
    amount : a number; cell : 0..C-1; reach : (C, R) int, -1 outside; share : (R,) of it that counts at each of these
    out : (C,), added to
    """
    for r in range(share.size):
        c = reach[cell, r]
        if c >= 0:
            out[c] += amount * share[r]


@kernel
def survey(w):
    """Count the fighters of every faction in the place of each cell and those around it: w.around, (F, C)."""
    faction, cell, fighters = w.bands.faction, w.bands.cell, w.bands.fighters
    reach, share, out = w.land.reach, w.land.reach_share, w.around
    out[:, :] = 0.0
    for b in range(faction.size):
        add_around(fighters[b], cell[b], reach, share, out[faction[b]])


@kernel
def strength(w):
    """Return the fighters of every faction: (F,)."""
    return sum_rows(w.bands.faction, w.bands.fighters, w.factions.host.size)


@kernel
def near(row, col, a, b, km, place_km):
    """Say whether a cell is in the place of another or in one around it; cells are `km` wide, places `place_km`."""
    away = max(abs(row[a] - row[b]), abs(col[a] - col[b]))
    return (away - 0.5) * km < 1.5 * place_km


@kernel
def bands_near(w, cell, faction):
    """Return the bands of a faction in the place of a cell or one around it: (n,) int; of all for faction -1."""
    row, col, of, at = w.land.row, w.land.col, w.bands.faction, w.bands.cell
    km, place_km = w.land.cell_km, w.numbers.move.place_km
    out, n = np.empty(at.size, dtype=np.int64), 0
    for b in range(at.size):
        if (faction < 0 or of[b] == faction) and near(row=row, col=col, a=at[b], b=cell, km=km, place_km=place_km):
            out[n] = b
            n += 1
    return out[:n]


@kernel
def drive(w, lull):
    """Return each band's aggression, dampened by local institutions, by a campaign's vigour or a lull: (B,)."""
    faction, cell, taking_part = w.bands.faction, w.bands.cell, w.bands.taking_part
    aggression, campaign, vigour = w.factions.aggression, w.factions.campaign, w.factions.vigour
    institutions, damping = w.land.institutions, w.numbers.negotiate.aggression
    out = np.empty(faction.size)
    for b in range(faction.size):
        f = faction[b]
        at_war = taking_part[b] and campaign[f] > 0.0
        out[b] = aggression[f] * (1.0 - damping * institutions[cell[b]]) * (vigour[f] if at_war else lull)
    return out


@kernel
def threat(w):
    """Return the fighters in reach of every cell, those at rest for less, by the people whom they find: (C,)."""
    faction, cell, taking_part, fighters = w.bands.faction, w.bands.cell, w.bands.taking_part, w.bands.fighters
    campaign, reach, share, people = w.factions.campaign, w.land.reach, w.land.reach_share, w.census.of_place
    at_rest, targets = w.numbers.task.at_rest, w.numbers.prey.targets
    out = np.zeros(people.shape[0])
    for b in range(faction.size):
        x = fighters[b] * (1.0 if taking_part[b] and campaign[faction[b]] > 0.0 else at_rest)
        add_around(x, cell[b], reach, share, out)
    for c in range(out.size):
        found = 0.0
        for k in range(people.shape[1]):
            found += people[c, k]
        out[c] = out[c] * found / (found + targets)
    return out


@kernel
def arms_around(w, persons):
    """Return the persons that each unit's chain of command has in reach of it, of those given for units: (U,)."""
    mission, cell, command = w.units.mission, w.units.cell, w.missions.command
    reach, share = w.land.reach, w.land.reach_share
    there, out = np.zeros((w.commands.unwelcome.size, reach.shape[0])), np.zeros(cell.size)
    for u in range(cell.size):
        if cell[u] >= 0 and persons[u] != 0.0:
            add_around(persons[u], cell[u], reach, share, there[command[mission[u]]])
    for u in range(cell.size):
        if cell[u] >= 0:
            out[u] = there[command[mission[u]], cell[u]]
    return out


@kernel
def controller(w, cell):
    """Return the faction with most fighters around a cell; the host where there is none."""
    around, host = w.around, w.factions.host
    best = 0
    for f in range(1, host.size):
        if around[f, cell] > around[best, cell]:
            best = f
    return best if around[best, cell] > 0.0 else by_default(host)


@kernel
def by_default(host):
    """Return the faction that rules where nobody's fighters are: the host; host : (F,) bool."""
    for f in range(host.size):
        if host[f]:
            return f
    return 0


@kernel
def rulers(around, host):
    """Return what `controller` says of every cell, at once: (C,) int; around : (F, C) fighters, host : (F,) bool."""
    most, nobody = around[0].copy(), by_default(host)
    out = np.zeros(most.size, dtype=np.int64)
    for f in range(1, host.size):
        for c in range(out.size):
            if around[f, c] > most[c]:
                most[c], out[c] = around[f, c], f
    for c in range(out.size):
        if most[c] <= 0.0:
            out[c] = nobody
    return out


@kernel
def holding_fire(w):
    """Return the share of the fighters in reach of every cell who hold their fire in a pause: (C,) 0..1."""
    cell, paused, fighters, around = w.bands.cell, w.bands.paused, w.bands.fighters, w.around
    reach, share = w.land.reach, w.land.reach_share
    out = np.zeros(reach.shape[0])
    anybody = False
    for b in range(cell.size):
        if paused[b] > 0.0:
            anybody = True
            add_around(fighters[b], cell[b], reach, share, out)
    if anybody:
        for c in range(out.size):
            everybody = 0.0
            for f in range(around.shape[0]):
                everybody += around[f, c]
            out[c] = min(out[c] / max(everybody, 1e-9), 1.0)
    return out


@kernel
def pick_somebody(w, cell, faction, targets, luck):
    """Choose somebody in the reach of a cell whom a faction does not call its own: his cell and community, or -1, -1.

    Parameters
    ----------
    targets : (C, K) how much the people there of each community count; luck : 0..1
    """
    reach, share, own = w.land.reach, w.land.reach_share, w.factions.community
    weights = np.zeros(share.size * targets.shape[1])
    for r in range(share.size):
        c = reach[cell, r]
        if c >= 0:
            for k in range(targets.shape[1]):
                weights[r * targets.shape[1] + k] = targets[c, k] * (1.0 - own[faction, k]) * share[r]
    found = draws.pick(weights, luck)
    return (reach[cell, found // targets.shape[1]], found % targets.shape[1]) if found >= 0 else (-1, -1)


# ---------------------------------------------------------------------------------- missions


@kernel
def work_on(w, task):
    """Return the person-equivalents that each chain of command has at work on a task, a number of TASKS: (Q,)."""
    return sum_rows(w.missions.command, w.missions.work[:, task], w.commands.unwelcome.size)


@kernel
def at_work(w, task):
    """Return the person-equivalents at work on a task, a number of TASKS, of all missions."""
    return w.missions.work[:, task].sum()


@kernel
def present(w):
    """Return the persons of each chain of command in the country: (Q,)."""
    command, persons = w.missions.command, w.missions.persons
    out = np.zeros(w.commands.unwelcome.size)
    for m in range(command.size):
        for kind in range(persons.shape[1]):
            out[command[m]] += persons[m, kind]
    return out


@kernel
def of_all(w, task):
    """Return the presence of all missions together for a local task: (C,) person-equivalents."""
    out = np.zeros(w.presence.shape[2])
    for m in range(w.presence.shape[0]):
        out += w.presence[m, task]
    return out


@kernel
def of_commands(w, task):
    """Return the presence of each chain of command for a local task: (Q, C) person-equivalents."""
    presence, command = w.presence, w.missions.command
    out = np.zeros((w.commands.unwelcome.size, presence.shape[2]))
    for m in range(command.size):
        ours, there = out[command[m]], presence[m, task]
        for c in range(there.size):
            ours[c] += there[c]
    return out


@kernel
def in_uniform(strength, unit):
    """Return the uniformed persons of a unit; strength : (U, 5) persons by kind."""
    out = 0.0
    for kind in range(STAFF):
        out += strength[unit, kind]
    return out


@kernel
def hostility_of_host(w):
    """Return the host government's hostility to every chain of command, zero once it has left for good: (Q,)."""
    host, leaves, hostility, week = w.factions.host, w.factions.leaves, w.factions.hostility, w.week[0]
    out = np.zeros(hostility.shape[1])
    for f in range(host.size):
        if host[f] and week < leaves[f]:
            for q in range(out.size):
                out[q] += hostility[f, q]
    return out


@kernel
def hits_host(w, mission, consent):
    """Return how far a mission's force holds against the host's own forces: 0..1; consent of the host : (Q,)."""
    m = w.missions
    return m.host_reach[mission] * (1.0 - m.partiality[mission]) * consent[m.command[mission]]


@kernel
def escorts(w):
    """Return the escorts around each unit: of its own command, and of each other as far as it asks for them.

    Returns (U,) and (Q, U) person-equivalents; of the latter, its own command's row is zero.
    """
    mission, cell, command, accepts = w.units.mission, w.units.cell, w.missions.command, w.missions.accepts
    presence = w.presence
    own, others = np.zeros(cell.size), np.zeros((w.commands.unwelcome.size, cell.size))
    for u in range(cell.size):
        mine, at = command[mission[u]], max(cell[u], 0)
        for m in range(command.size):
            there = presence[m, ESCORT, at]
            if command[m] == mine:
                own[u] += there
            else:
                others[command[m], u] += there * accepts[mission[u]]
    return own, others


@kernel
def lent(w):
    """Return the host's fighters around each unit that it lends as an escort, as far as it consents: (U,)."""
    mission, cell, team, command = w.units.mission, w.units.cell, w.units.team, w.missions.command
    host, around, share = w.factions.host, w.around, w.numbers.relieve.lent
    out = np.zeros(cell.size)
    if share > 0.0:
        hostility = hostility_of_host(w)
        for u in range(cell.size):
            if team[u] and cell[u] >= 0:
                for f in range(host.size):
                    if host[f]:
                        out[u] += share * around[f, cell[u]] * (1.0 - hostility[command[mission[u]]])
    return out


@kernel
def against_host(w, f):
    """Say whether a faction is a rival of the host."""
    host, rival, against = w.factions.host, w.factions.rival, False
    for g in range(host.size):
        against = against or (host[g] and rival[f, g])
    return against


@kernel
def under_guard(w, f, lent):
    """Return the hostility of a faction to a unit for the escort, in fighters, that the host lends it: 0..1."""
    share = lent / (lent + w.numbers.relieve.escort_half)
    return w.factions.aggression[f] * share if against_host(w, f) else 0.0


@kernel
def affordable(missions):
    """Return the share of its strength that each mission's head office plans for, by kind: (M, 5) 0..1.

    Of a lasting shortfall it carries a part as pay owed; for the rest people go home, those in uniform first.
    A head office and a supply line cost what they cost, so that less money means fewer people than in proportion.
    """
    personnel, price = missions.personnel, missions.price
    kept = np.ones(personnel.shape)
    for m in range(personnel.shape[0]):
        uniformed, others = 0.0, 0.0
        for kind in range(personnel.shape[1]):
            if kind < STAFF:
                uniformed += personnel[m, kind] * price[m, kind]
            else:
                others += personnel[m, kind] * price[m, kind]
        if not missions.recorded[m]:
            lasting = missions.funding[m] * missions.pledged[m]
            missing = (1.0 - missions.owes[m]) * (1.0 - lasting) * (uniformed + others + missions.headquarters[m])
            of_uniformed = min(missing, uniformed)
            of_others = min(missing - of_uniformed, others)
            for kind in range(personnel.shape[1]):
                if kind < STAFF:
                    kept[m, kind] = 1.0 - of_uniformed / max(uniformed, 1e-9)
                else:
                    kept[m, kind] = 1.0 - of_others / max(others, 1e-9)
    return kept


@kernel
def reached(p, women):
    """Return how much of what women and men say a mission is told, by the women it has: 0..1; p : numbers.task."""
    out = 0.0
    for share in (women, 1.0 - women):
        out += 0.5 * (1.0 - p.apart * (1.0 - share * (1.0 + p.mixed) / (share + p.mixed)))
    return out


# ---------------------------------------------------------------------------------- factions


@kernel
def mean_at_home(w, of_bands):
    """Return the mean over each faction's bands of what is given for each, as at their homes: (F,)."""
    faction, n = w.bands.faction, w.factions.host.size
    return sum_rows(faction, of_bands, n) / np.maximum(sum_rows(faction, np.ones(faction.size), n), 1.0)


@kernel
def held(w):
    """Return how far missions hold each faction's heartland: (F,) 0..1."""
    faction, home, guard = w.bands.faction, w.bands.home, w.guard
    at_home = np.empty(faction.size)
    for b in range(faction.size):
        at_home[b] = guard[faction[b], home[b]]
    mean = mean_at_home(w, at_home)
    return mean / (mean + w.numbers.recruit.holders)


@kernel
def sanctions(w):
    """Return the share of their income that sanctions take from armed factions, as far as all keep them: 0..1."""
    mission = w.numbers.mission
    if w.week[0] < mission.authorised:
        return 0.0
    return mission.sanctions * w.politics.unity[0] * w.numbers.country.neighbours * w.numbers.recruit.sanctioned


@kernel
def spoils(w):
    """Return what each faction lives from beside its people: deposits where its fighters are, sponsors: (F,)."""
    faction, cell, fighters, resources = w.bands.faction, w.bands.cell, w.bands.fighters, w.land.resources
    loot, sponsor, host = w.factions.loot, w.factions.sponsor, w.factions.host
    of_faction, taken = strength(w), sanctions(w)
    out = np.zeros(host.size)
    for b in range(faction.size):
        out[faction[b]] += fighters[b] / max(of_faction[faction[b]], 1e-9) * resources[cell[b]]
    for f in range(host.size):
        out[f] = (loot[f] * out[f] + sponsor[f]) * (1.0 if host[f] else 1.0 - taken)
    return out


@kernel
def hired_share(w):
    """Return the share of each faction's fighters who are hired men: (F,) 0..1."""
    return np.minimum(w.factions.hired / np.maximum(strength(w), 1.0), 1.0)


@kernel
def of_hired(w, trait):
    """Return what hired men make of a trait of each faction, given for themselves (F,): ratio, 1 without them."""
    return 1.0 + hired_share(w) * (trait - 1.0)
