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

import numba
import numpy as np

from sim import draws
from sim.country import in_place
from sim.processes.task import reached
from sim.state import ABROAD, zeros


@numba.njit(cache=True)
def update(p, y, cell, community, status, persons, need, aided, gain, loss, by_aid, wound, host, trust,
           grievance):  # fmt: skip
    """One week of trust and grievance; one civilian after the other.

    Parameters
    ----------
    p : numbers.feel; y : years in a week
    cell, community, status, persons : (N,) int; need : (N,) 0..1; aided : (N,) bool
    gain : (C, M) rise of trust in each of M commands this week; by_aid : (C, M) rise if aided
    loss : (C, K, M) 0..1 share of trust that each community loses
    wound : (C, K, F) blow to those whose people were killed
    host : int, faction that need is blamed on, -1 for none
    trust : (N, M), grievance : (N, F), written
    """
    start, forget, forgive, from_need = p.start, p.forget * y, p.forgive * y, p.need * y
    for i in range(persons.size):
        if persons[i] == 0:
            continue
        c, k = cell[i], community[i]
        here = status[i] != ABROAD
        for m in range(trust.shape[1]):
            t = trust[i, m]
            if here:
                up = gain[c, m] + (by_aid[c, m] if aided[i] else 0.0)
                t += up * (1.0 - t) - loss[c, k, m] * t
            t += forget * (start - t)
            trust[i, m] = min(max(t, 0.0), 1.0)
        for f in range(grievance.shape[1]):
            g = grievance[i, f]
            if here:
                w = wound[c, k, f]
                if w > 0.0:
                    g += w / (1.0 + w) * (1.0 - g)
            if f == host:
                g += from_need * need[i] * (1.0 - g)
            g -= forgive * g
            grievance[i, f] = min(max(g, 0.0), 1.0)


def conflation(commands, spill):
    """Return how much of what one of so many commands earns falls on each: (K, K), 1 on itself."""
    return np.where(np.eye(commands, dtype=bool), 1.0, spill)


def quarrels(of_place, community):
    """Return how far each community in a place shares land and water with those whom a faction fights for: (C, K, F).

    Parameters
    ----------
    of_place : (C, K) persons; community : (F, K) share of each that a faction calls its own
    """
    others = of_place @ community.T / np.maximum(of_place.sum(axis=1, keepdims=True), 1.0)  # (C, F)
    return others[:, None, :] * (1 - community.T)[None]


@numba.njit(cache=True)
def signals(p, y, protect, engage, talk, felt, aid, stood_by, harmed, population, rumour, media, known, gain, loss,
            by_aid):  # fmt: skip
    """Work out what people see of each chain of command this week.

    Parameters
    ----------
    p : numbers.feel; y : years in a week
    protect, engage : (M, C) effective presence of each of M commands; talk : (M, C) the latter, by what it knows
    felt : (C,) 0..1; aid : (M, C) share served
    stood_by : (M, C) attacks witnessed; harmed : (M, C, K) killed; population : (C, K), of places
    rumour : (M, K) 0..1 misinformation that nobody talks down; media : (C,) 0..1 how far it carries
    known : (M, C) protection that people remember
    gain, by_aid : (C, M), loss : (C, K, M), written
    """
    by_protection, by_engagement, by_relief = p.protection * y, p.engagement * y, p.aid * y
    by_rumour, by_leaving = p.rumour * y, p.left * y
    for c in range(felt.size):
        whole = 0.0
        for m in range(aid.shape[0]):
            whole += aid[m, c]
        for m in range(aid.shape[0]):
            seen = protect[m, c] / (protect[m, c] + p.protection_half)
            heard = talk[m, c] / (engage[m, c] + p.engagement_half)
            gain[c, m] = by_protection * seen * (1.0 - felt[c]) + by_engagement * heard
            by_aid[c, m] = by_relief * aid[m, c] / whole if whole > 0 else 0.0
            left = max(known[m, c] - protect[m, c], 0.0) / (known[m, c] + p.protection_half)
            for k in range(population.shape[1]):
                per_1000 = 1_000.0 * harmed[m, c, k] / (population[c, k] + 1_000.0)
                x = p.harm * per_1000 + p.stood_by * stood_by[m, c] + by_rumour * media[c] * rumour[m, k]
                x += by_leaving * left
                loss[c, k, m] = x / (1.0 + x)


def campaigns(p, hostility, incidents, wants_it_gone):
    """Return the hazard (1/year) that each faction opens a campaign of misinformation about each command: (F, K).

    Parameters
    ----------
    p : params.Feel; hostility : (F, K) 0..1; incidents : (K,) lately; wants_it_gone : (F, K) bool
    """
    set_off = np.where(wants_it_gone, 1.0, incidents / (incidents + p.incidents))
    return p.campaigns * hostility * (p.unprovoked + (1 - p.unprovoked) * set_off)


def _campaigns(model):
    """Let campaigns of misinformation end, and factions open new ones."""
    f, c, p = model.factions, model.commands, model.params.feel
    left = model.fading(p.incident_memory)
    c.rumour *= left
    c.incidents = c.incidents * left + model.now.stood_by.sum(axis=1) + c.member @ model.now.by_mission
    f.smear = np.maximum(f.smear - model.params.step_weeks, 0.0)
    if p.misinformation == 0 or not c.names:
        return
    there = c.member @ model.missions.persons.sum(axis=1) > 0
    able = (model.strength() >= 1)[:, None] & there & (f.smear <= 0)
    rates = able * campaigns(p, f.hostility, c.incidents, f.host[:, None] & (c.unwelcome > 0))
    opens = draws.happens(model.luck.uniform("feel.sender", f.host.size), rates.sum(axis=1), model.years)
    if opens.any():
        target, length = (model.luck.uniform(f"feel.{w}", f.host.size) for w in ("target", "length"))
        for i in np.flatnonzero(opens):
            f.smear[i, draws.pick(rates[i], target[i])] = p.campaign_weeks * 2 * length[i]


def feel(model):
    """Update what every civilian thinks of every chain of command and faction."""
    people, m, p, now, census = model.people, model.missions, model.params.feel, model.now, model.census
    y = model.years
    _campaigns(model)
    n_m, (n_c, n_k), n_f = len(model.commands.names), census.population.shape, model.factions.host.size
    mixed = conflation(n_m, model.spill())
    wound, harmed = zeros(n_c, n_k, n_f), zeros(n_m, n_c, n_k)
    hired, present = model.hired_share(), (model.by_command(m.persons.sum(axis=1)) > 0).astype(float)
    for faction, mission, cell, community, dead in now.killings:
        cells, share = model.place(cell)
        if faction >= 0:
            there = census.of_place[cells, community]
            wound[cells, community, faction] += share * (p.grievance * 1_000.0 * dead / (there + 1_000.0))
            if hired[faction]:
                harmed[:, cells, community] += (
                    share * dead * hired[faction] * model.params.judge.hired * present[:, None]
                )
        else:
            harmed[:, cells, community] += share * dead * mixed[m.command[mission]][:, None]
    if model.dry():
        wound += quarrels(census.of_place, model.factions.community) * (p.quarrel * y)
    stood = mixed.T @ in_place(model.land, now.stood_by.T).T if now.stood_by.any() else now.stood_by
    rumour = np.minimum(mixed.T @ model.rumours(), 1.0)
    media = model.media() if rumour.any() else np.zeros(n_c)
    engage = model.task_presence("engage")
    by_knowledge = (p.strangers + m.knowledge) * reached(model.params.task, m.women)
    protect, fading = model.by_command(model.task_presence("protect")), model.fading(p.left_memory)
    seen = model.commands.seen = np.maximum(model.commands.seen * fading, protect)
    gain, by_aid, loss = zeros(n_c, n_m), zeros(n_c, n_m), zeros(n_c, n_k, n_m)
    signals(
        p=model.numbers.feel, y=y, protect=protect,
        engage=model.by_command(engage), talk=model.by_command(engage * by_knowledge[:, None]),
        felt=model.land.felt, aid=now.aid, stood_by=stood, harmed=harmed, population=census.of_place,
        rumour=rumour, media=media, known=seen, gain=gain, loss=loss, by_aid=by_aid,
    )  # fmt: skip
    host = np.flatnonzero(model.factions.host)
    update(
        p=model.numbers.feel, y=y, cell=people.cell, community=people.community, status=people.status,
        persons=people.persons, need=people.need, aided=model.aided, gain=gain, loss=loss, by_aid=by_aid, wound=wound,
        host=host[0] if host.size else -1, trust=people.trust, grievance=people.grievance,
    )  # fmt: skip
