"""10. Feel: trust in missions and grievance toward factions.

Per civilian i and mission m, in a year:

    d trust / dt = (protection felt + aid received + engagement) (1 - trust) - (harm + stood by + rumour) trust
                   - forget (trust - start)

Harm by a mission and attacks it stood by count where they happened and among whose people; what one mission does
falls on another by the conflation of the two. Grievance grows with one's own dead, toward who killed them.
"""

import numba
import numpy as np

from sim.params import TASKS
from sim.state import ABROAD


@numba.njit(cache=True)
def update(cell, community, status, persons, need, aided, gain, loss, by_aid, wound, numbers, host, trust, grievance):
    """One week of trust and grievance; one civilian after the other.

    Parameters
    ----------
    cell, community, status, persons : (N,) int; need : (N,) 0..1; aided : (N,) bool
    gain : (M, C) rise of trust this week; loss : (M, C, K) 0..1 share of trust lost; by_aid : (M, C) rise if aided
    wound : (F, C, K) rise of grievance
    numbers : start of trust, its forgetting per week, forgiving per week, grievance from need per week
    host : int, faction that need is blamed on, -1 for none
    trust : (N, M), grievance : (N, F), written
    """
    start, forget, forgive, from_need = numbers
    for i in range(persons.size):
        if persons[i] == 0:
            continue
        c, k = cell[i], community[i]
        here = status[i] != ABROAD
        for m in range(trust.shape[1]):
            t = trust[i, m]
            if here:
                up = gain[m, c] + (by_aid[m, c] if aided[i] else 0.0)
                t += up * (1.0 - t) - loss[m, c, k] * t
            t += forget * (start - t)
            trust[i, m] = min(max(t, 0.0), 1.0)
        for f in range(grievance.shape[1]):
            g = grievance[i, f]
            if here:
                g += wound[f, c, k] * (1.0 - g)
            if f == host:
                g += from_need * need[i] * (1.0 - g)
            g -= forgive * g
            grievance[i, f] = min(max(g, 0.0), 1.0)


def conflation(command, spill):
    """Return how much of what mission m earns falls on mission n: (M, M), 1 within a chain of command."""
    return np.where(command[:, None] == command[None, :], 1.0, spill)


def felt_loss(p, harmed, people, stood_by, rumour, y):
    """Return the share of trust lost this week: (M, C, K) 0..1.

    Parameters
    ----------
    harmed : (M, C, K) killed by each mission; people : (C, K) persons; stood_by : (M, C) attacks witnessed
    rumour : 0..1 misinformation not countered; y : years in a week
    """
    per_1000 = 1_000.0 * harmed / (people + 1_000.0)
    loss = p.harm * per_1000 + p.stood_by * stood_by[:, :, None] + p.rumour * rumour * y
    return loss / (1 + loss)


def feel(model):
    """Update what every civilian thinks of every mission and faction."""
    people, m, p, now, census = model.people, model.missions, model.params.feel, model.now, model.census
    y = model.years
    protect, engage = model.task_presence("protect"), model.task_presence("engage")
    seen = protect / (protect + 50.0)
    talk = engage / (engage + 10.0) * (0.5 + m.knowledge[:, None])
    gain = (p.protection * seen * (1 - model.land.felt) + p.engagement * talk) * y
    whole = now.aid.sum(axis=0)
    by_aid = p.aid * now.aid / np.maximum(whole, 1e-9) * y * 4.0  # a week's aid is remembered for about a month
    mixed = conflation(m.command, model.spill())
    np.fill_diagonal(mixed, 1.0)
    harmed = np.tensordot(mixed, now.by_mission, axes=(0, 0)) if now.by_mission.any() else now.by_mission
    stood = mixed.T @ now.stood_by if now.stood_by.any() else now.stood_by
    countered = m.work[:, TASKS.index("communicate")].sum()
    rumour = p.misinformation / (1 + countered / 100.0)
    loss = felt_loss(p, harmed, census.population, stood, rumour, y)
    wound = p.grievance * 1_000.0 * now.by_faction / (census.population + 1_000.0)
    host = np.flatnonzero(model.factions.host)
    update(
        people.cell, people.community, people.status, people.persons, people.need, model.aided, gain, loss, by_aid,
        wound / (1 + wound), (p.start, p.forget * y, p.forgive * y, p.need * y), host[0] if host.size else -1,
        people.trust, people.grievance,
    )  # fmt: skip
