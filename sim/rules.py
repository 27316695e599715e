"""What several processes ask and do: who is near, who rules a place, who dies. Rules of the world, compiled.

`w` is the world (sim/state.py). Sizes: C cells, K communities, F factions, B bands, M missions, Q chains of command,
U units.
"""

import math

import numpy as np

from sim import draws
from sim.kernel import kernel
from sim.params import STAFF, TASKS

LOCAL = ("protect", "separate", "enforce", "police", "build", "engage", "escort", "report")  # tasks done on the spot
PROTECT, SEPARATE, ENFORCE, POLICE, BUILD, ENGAGE, ESCORT, REPORT = range(len(LOCAL))  # where each stands in presence
YEAR_OF_SEASONS = 365.25 / 7  # weeks from one rainy season to the next
FLOOD, DROUGHT = draws.decision("season.flood"), draws.decision("season.drought")
COMMUNICATE = TASKS.index("communicate")


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
    return ruler(w.around, w.factions.host, cell)


@kernel
def ruler(around, host, cell):
    """Return what `controller` does, of arrays that are at hand; around : (F, C) fighters, host : (F,) bool."""
    best = 0
    for f in range(1, host.size):
        if around[f, cell] > around[best, cell]:
            best = f
    if around[best, cell] > 0.0:
        return best
    for f in range(host.size):
        if host[f]:
            return f
    return 0


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
        for c in range(out.shape[1]):
            out[command[m], c] += presence[m, task, c]
    return out


@kernel
def hostility_of_host(w):
    """Return the host government's hostility to every chain of command, nought once it has left for good: (Q,)."""
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

    Returns (U,) and (Q, U) person-equivalents; of the latter, its own command's row is nought.
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


# ---------------------------------------------------------------------------------- seasons


@kernel
def luck_of_year(w, decision):
    """Return the luck of a year of the calendar, 0..1: the same in every week of it and under every mission."""
    year = int((w.week[0] + w.first_week) / YEAR_OF_SEASONS)
    return draws.of_three(w.dice[0], decision, year)


@kernel
def wet(w):
    """Return how heavy the rains are this week: 0, dry, to 1, or 2 in a year of floods."""
    c = w.numbers.country
    if c.rains == 0.0:
        return 0.0
    weeks = (w.week[0] + w.first_week - c.rains_week) / YEAR_OF_SEASONS
    height = max(0.0, math.cos(2.0 * math.pi * weeks))
    return c.rains * height * (2.0 if c.flood > 0.0 and luck_of_year(w, FLOOD) < c.flood else 1.0)


@kernel
def dry(w):
    """Say whether this year is one of drought."""
    return w.numbers.country.drought > 0.0 and luck_of_year(w, DROUGHT) < w.numbers.country.drought


@kernel
def hardship(w):
    """Return the rise of need by season and drought: 1/year."""
    p = w.numbers.live
    return p.lean * min(wet(w), 1.0) + (p.drought if dry(w) else 0.0)


# ---------------------------------------------------------------------------------- misinformation


@kernel
def rumours(w):
    """Return the misinformation about every chain of command as each community believes it: (Q, K) 0..1.

    A faction's own people believe its campaigns, others less; whoever communicates talks it down.
    """
    smear, rumour, community = w.factions.smear, w.commands.rumour, w.factions.community
    others, misinformation = w.numbers.feel.others, w.conditions.misinformation[0]
    talked_down = 1.0 + at_work(w, COMMUNICATE) / w.numbers.feel.communicators
    out = np.zeros((rumour.size, community.shape[1]))
    for q in range(rumour.size):
        for k in range(community.shape[1]):
            true = 1.0 - rumour[q]
            for f in range(smear.shape[0]):
                if smear[f, q] > 0.0:
                    true *= 1.0 - misinformation * (others + (1.0 - others) * community[f, k])
            out[q, k] = (1.0 - true) / talked_down
    return out


@kernel
def spill(w, rumours):
    """Return the conflation of missions of separate commands, misinformation (Q, K) counted in: 0..1."""
    p, most = w.numbers.judge, 0.0
    for rumour in rumours.flat:
        most = max(most, rumour)
    return min(1.0, p.conflation * (1.0 + p.rumour * most))


@kernel
def media(w):
    """Return how far misinformation carries in every cell: (C,) 0..1, less where local media sort it out."""
    p, remoteness, institutions = w.numbers.feel, w.land.remoteness, w.land.institutions
    out = np.empty(remoteness.size)
    for c in range(out.size):
        reached = p.remote + (1.0 - p.remote) * (1.0 - remoteness[c])
        out[c] = reached * (1.0 - p.local_media * institutions[c])
    return out


# ---------------------------------------------------------------------------------- who dies


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
def in_uniform(strength, unit):
    """Return the uniformed persons of a unit; strength : (U, 5) persons by kind."""
    out = 0.0
    for kind in range(STAFF):
        out += strength[unit, kind]
    return out


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
