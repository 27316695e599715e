"""Feel: trust in missions and grievance toward factions.

Per civilian and chain of command, in a year:

    d trust / dt = (protection felt + aid received + engagement) (1 - trust)
                   - (harm + stood by + rumour + protection that has left) trust
                   - forget (trust - start)

Misinformation comes in campaigns. A faction opens one about a command with a hazard that its hostility raises, most of
all after an incident: people killed by the command or attacked before its eyes, or a host that wants it gone. Media
carry it, to towns first, and local media of strong institutions sort it out; the sender's own people believe it,
others less. Whoever communicates talks it down.

What people know of a mission is its flag: what the missions of a chain of command do is added up before any of it
saturates. Harm and attacks that one stood by count where they happened and among whose people; what one command does
falls on another by the conflation of the two. Grievance grows with one's own dead, toward who killed them.
"""

import numpy as np

from sim import draws
from sim.census import around
from sim.compiled import rule
from sim.kernel import kernel
from sim.misinformation import media, rumours, spill
from sim.rules import ENGAGE, PROTECT, fading, hired_share, of_commands, present, reached, strength
from sim.seasons import dry
from sim.state import ABROAD

SENDER, TARGET, LENGTH = (draws.decision(f"feel.{what}") for what in ("sender", "target", "length"))


@kernel
def update(p, y, cell, community, status, persons, need, aided, gain, loss, by_aid, wound, host, trust,
           grievance):  # fmt: skip
    """One week of trust and grievance; one civilian after the other.

    Parameters
    ----------
    p : numbers.feel; y : years in a week
    cell, community, status, persons : (N,) int; need : (N,) 0..1; aided : (N,) bool
    gain : (C, Q) rise of trust in each chain of command this week; by_aid : (C, Q) rise if aided
    loss : (C, K, Q) 0..1 share of trust that each community loses
    wound : (C, K, F) blow to those whose people were killed; empty if nobody's were
    host : int, faction that need is blamed on, -1 for none
    trust : (N, Q), grievance : (N, F), written
    """
    start, forget, forgive, from_need = p.start, p.forget * y, p.forgive * y, p.need * y
    bereaved = wound.size > 0
    for i in range(persons.size):
        if persons[i] == 0:
            continue
        c, k = cell[i], community[i]
        here = status[i] != ABROAD
        for q in range(trust.shape[1]):
            t = trust[i, q]
            if here:
                up = gain[c, q] + (by_aid[c, q] if aided[i] else 0.0)
                t += up * (1.0 - t) - loss[c, k, q] * t
            t += forget * (start - t)
            trust[i, q] = min(max(t, 0.0), 1.0)
        for f in range(grievance.shape[1]):
            g = grievance[i, f]
            if bereaved and here:
                w = wound[c, k, f]
                if w > 0.0:
                    g += w / (1.0 + w) * (1.0 - g)
            if f == host:
                g += from_need * need[i] * (1.0 - g)
            g -= forgive * g
            grievance[i, f] = min(max(g, 0.0), 1.0)


@kernel
def signals(p, y, protect, engage, talk, felt, aid, stood_by, harmed, population, rumour, media, known, gain, loss,
            by_aid):  # fmt: skip
    """Work out what people see of each chain of command this week.

    Parameters
    ----------
    p : numbers.feel; y : years in a week
    protect, engage : (Q, C) effective presence of each; talk : (Q, C) the latter, by what it knows
    felt : (C,) 0..1; aid : (Q, C) share served
    stood_by : (Q, C) attacks witnessed; harmed : (Q, C, K) killed, empty if nobody was; population : (C, K), of places
    rumour : (Q, K) 0..1 misinformation that nobody talks down; media : (C,) 0..1 how far it carries
    known : (Q, C) protection that people remember
    gain, by_aid : (C, Q), loss : (C, K, Q), written
    """
    by_protection, by_engagement, by_relief = p.protection * y, p.engagement * y, p.aid * y
    by_rumour, by_leaving, by_standing = p.rumour * y, p.left * y, p.stood_by
    protection_half, engagement_half = p.protection_half, p.engagement_half
    whole, up, left, harm = np.zeros(felt.size), np.empty(felt.size), np.empty(felt.size), np.zeros(felt.size)
    anybody_harmed = harmed.size > 0 and harmed.max() > 0.0
    for q in range(aid.shape[0]):
        for c in range(felt.size):
            whole[c] += aid[q, c]
    for q in range(aid.shape[0]):  # short loops over cells, which the compiler does several at a time
        for c in range(felt.size):  # what people know is at least what is there
            seen = protect[q, c] / (protect[q, c] + protection_half)
            left[c] = (known[q, c] - protect[q, c]) / (known[q, c] + protection_half)
            up[c] = by_protection * seen * (1.0 - felt[c])
            up[c] += by_engagement * (talk[q, c] / (engage[q, c] + engagement_half))
        for c in range(felt.size):
            gain[c, q] = up[c]
            by_aid[c, q] = by_relief * aid[q, c] / whole[c] if whole[c] > 0.0 else 0.0
        for k in range(population.shape[1]):
            if anybody_harmed:
                for c in range(felt.size):
                    harm[c] = p.harm * (1_000.0 * harmed[q, c, k] / (population[c, k] + 1_000.0))
            if k == 0 or anybody_harmed or rumour[q, k] != rumour[q, k - 1]:  # else it is as for those before
                for c in range(felt.size):
                    x = harm[c] + by_standing * stood_by[q, c]
                    x += by_rumour * media[c] * rumour[q, k]
                    x += by_leaving * left[c]
                    up[c] = x / (1.0 + x) if x > 0.0 else 0.0
            for c in range(felt.size):
                loss[c, k, q] = up[c]


@kernel
def campaigns(p, hostility, incidents, wants_it_gone):
    """Return the hazard (1/year) that a faction opens a campaign of misinformation about a command.

    Parameters
    ----------
    p : numbers.feel; hostility : 0..1; incidents : of the command, lately; wants_it_gone : bool
    """
    set_off = 1.0 if wants_it_gone else incidents / (incidents + p.incidents)
    return p.campaigns * hostility * (p.unprovoked + (1.0 - p.unprovoked) * set_off)


@kernel
def _campaigns(w):
    """Let campaigns of misinformation end, and factions open new ones."""
    f, c, p = w.factions, w.commands, w.numbers.feel
    n_factions, n_commands = f.smear.shape
    left, there, fighters = fading(w, p.incident_memory), present(w), strength(w)
    believed = w.conditions.misinformation[0] > 0.0
    for q in range(n_commands):
        c.rumour[q] *= left
        c.incidents[q] = c.incidents[q] * left + w.now.stood_by[q].sum()
    for i in range(w.missions.command.size):
        c.incidents[w.missions.command[i]] += w.now.by_mission[i]
    rate = np.zeros(n_commands)
    for g in range(n_factions):
        for q in range(n_commands):
            f.smear[g, q] = max(f.smear[g, q] - w.step_weeks, 0.0)
            able = fighters[g] >= 1.0 and there[q] > 0.0 and f.smear[g, q] <= 0.0 and believed
            gone = f.host[g] and c.unwelcome[q] > 0.0
            rate[q] = campaigns(p, f.hostility[g, q], c.incidents[q], gone) if able else 0.0
        if draws.draw(draws.luck(w.dice, SENDER), g) < draws.chance(rate.sum() * w.years):
            target = draws.pick(rate, draws.draw(draws.luck(w.dice, TARGET), g))
            f.smear[g, target] = p.campaign_weeks * 2.0 * draws.draw(draws.luck(w.dice, LENGTH), g)


@kernel
def blows(w, spill):
    """Work out what this week's dead do to those whose people they were, in the place around each.

    Returns (C, K, F) blows by each faction, and (Q, C, K) killed by each chain of command, or by another, as far as
    people take the one for the other (spill), or by hired men; both empty if there is nothing of that.
    """
    now, p, land, of_place = w.now, w.numbers.feel, w.land, w.census.of_place
    n_cells, n = of_place.shape
    n_factions, n_commands = w.factions.hostility.shape
    drought = dry(w)
    if now.logged[1] == 0 and not drought:
        return np.zeros((0, 0, 0)), np.zeros((0, 0, 0))
    wound, harmed = np.zeros((n_cells, n, n_factions)), np.zeros((n_commands, n_cells, n))
    if now.logged[1] > 0:
        hired, there = hired_share(w), present(w)
        for i in range(now.logged[1]):
            faction, mission, cell, k, dead = now.killing_log[i]
            for r in range(land.place_share.size):
                c = land.place[cell, r]
                if c < 0:
                    continue
                share = land.place_share[r]
                if faction >= 0:
                    wound[c, k, faction] += share * (p.grievance * 1_000.0 * dead / (of_place[c, k] + 1_000.0))
                for q in range(n_commands):
                    if faction < 0:
                        harmed[q, c, k] += share * dead * (1.0 if w.missions.command[mission] == q else spill)
                    elif there[q] > 0.0:
                        harmed[q, c, k] += share * dead * hired[faction] * w.numbers.judge.hired
    if drought:
        quarrel(w, wound, p.quarrel * w.years)
    return wound, harmed


@kernel
def quarrel(w, wound, weight):
    """Add what sharing land and water in a drought does, with those whom a faction fights for: to (C, K, F) blows."""
    of_place, community = w.census.of_place, w.factions.community
    for c in range(of_place.shape[0]):
        people = max(of_place[c].sum(), 1.0)
        for f in range(community.shape[0]):
            others = 0.0
            for k in range(community.shape[1]):
                others += of_place[c, k] * community[f, k] / people
            for k in range(community.shape[1]):
                wound[c, k, f] += others * (1.0 - community[f, k]) * weight


@rule
def feel(w):
    """Update what every civilian thinks of every chain of command and faction."""
    people, p, y, land = w.people, w.numbers.feel, w.years, w.land
    _campaigns(w)
    n_cells, n = w.census.of_place.shape
    n_commands = w.commands.unwelcome.size
    ill = rumours(w)
    mixed = spill(w, ill)
    wound, harmed = blows(w, mixed)
    stood, rumour = _seen_by_all(w, mixed), np.zeros(ill.shape)
    for q in range(n_commands):
        for k in range(n):
            for other in range(n_commands):
                rumour[q, k] += ill[other, k] * (1.0 if other == q else mixed)
            rumour[q, k] = min(rumour[q, k], 1.0)
    heard = media(w) if ill.size and ill.max() > 0.0 else np.zeros(n_cells)
    protect, engage, fades = of_commands(w, PROTECT), of_commands(w, ENGAGE), fading(w, p.left_memory)
    talk, presence, command = np.zeros(engage.shape), w.presence, w.missions.command
    for i in range(command.size):
        by_knowledge = (p.strangers + w.missions.knowledge[i]) * reached(w.numbers.task, w.missions.women[i])
        ours, there = talk[command[i]], presence[i, ENGAGE]
        for c in range(n_cells):
            ours[c] += there[c] * by_knowledge
    seen = w.commands.seen
    for q in range(n_commands):
        for c in range(n_cells):
            seen[q, c] = max(seen[q, c] * fades, protect[q, c])
    gain, by_aid = np.zeros((n_cells, n_commands)), np.zeros((n_cells, n_commands))
    loss = np.zeros((n_cells, n, n_commands))
    signals(
        p=p, y=y, protect=protect, engage=engage, talk=talk, felt=land.felt, aid=w.now.aid, stood_by=stood,
        harmed=harmed, population=w.census.of_place, rumour=rumour, media=heard, known=seen, gain=gain, loss=loss,
        by_aid=by_aid,
    )  # fmt: skip
    host = -1
    for f in range(w.factions.host.size):
        if w.factions.host[f] and host < 0:
            host = f
    update(
        p=p, y=y, cell=people.cell, community=people.community, status=people.status, persons=people.persons,
        need=people.need, aided=w.aided, gain=gain, loss=loss, by_aid=by_aid, wound=wound, host=host,
        trust=people.trust, grievance=people.grievance,
    )  # fmt: skip


@kernel
def _seen_by_all(w, spill):
    """Return the attacks before the eyes of each chain of command, or of one taken for it: (Q, C), of places."""
    witnessed = w.now.stood_by
    out = np.zeros(witnessed.shape)
    if witnessed.size == 0 or witnessed.max() == 0.0:
        return out
    of_cells = np.ascontiguousarray(witnessed.T)
    of_places = np.zeros(of_cells.shape)
    around(w.land.place, w.land.place_share, of_cells, of_places)
    for q in range(out.shape[0]):
        for other in range(out.shape[0]):
            for c in range(out.shape[1]):
                out[q, c] += of_places[c, other] * (1.0 if other == q else spill)
    return out
