"""The census: what is counted every Monday, and what every rule of the week then sees alike."""

import numpy as np

from sim.kernel import kernel
from sim.state import ABROAD, AWAY


@kernel
def count(cell, community, status, persons, need, trust, grievance, population, idps, displaced, needs, trusts, wronged,
          totals):  # fmt: skip
    """Add up the people by where they are and who they are; one civilian after the other.

    Parameters
    ----------
    cell, community, status, persons : (N,) int; need : (N,) 0..1; trust : (N, Q), grievance : (N, F) 0..1
    population, displaced : (C, K), idps, needs : (C,), trusts : (Q, C), wronged : (K, F + 1), the last of persons;
    totals : (2,) int, alive and abroad; all written
    """
    for i in range(persons.size):
        n = persons[i]
        if n == 0:
            continue
        k = community[i]
        totals[0] += n
        for f in range(grievance.shape[1]):
            wronged[k, f] += n * grievance[i, f]
        wronged[k, grievance.shape[1]] += n
        if status[i] == ABROAD:
            totals[1] += n
            continue
        c = cell[i]
        population[c, k] += n
        needs[c] += n * need[i]
        if status[i] == AWAY:
            idps[c] += n
            displaced[c, k] += n
        for q in range(trust.shape[1]):
            trusts[q, c] += n * trust[i, q]


@kernel
def take_census(w):
    """Count the people of the world: w.census."""
    people, land, census = w.people, w.land, w.census
    population, of_place, persons, trust = census.population, census.of_place, census.persons, census.trust
    n_communities, n_factions = population.shape[1], census.grievance.shape[1]
    wronged, totals = np.zeros((n_communities, n_factions + 1)), np.zeros(2, dtype=np.int64)
    population[:, :], census.displaced[:, :], trust[:, :] = 0.0, 0.0, 0.0
    census.idps[:], census.need[:], census.of_community[:], census.trust_of_all[:] = 0.0, 0.0, 0.0, 0.0
    count(
        cell=people.cell, community=people.community, status=people.status, persons=people.persons, need=people.need,
        trust=people.trust, grievance=people.grievance, population=population, idps=census.idps,
        displaced=census.displaced, needs=census.need, trusts=trust, wronged=wronged, totals=totals,
    )  # fmt: skip
    everybody, state, felt, strangers = 0.0, 0.0, 0.0, w.numbers.feel.start
    of_community, trust_of_all = census.of_community, census.trust_of_all
    institutions, violence = land.institutions, land.felt
    for c in range(persons.size):
        there = 0.0
        for k in range(n_communities):
            there += population[c, k]
            of_community[k] += population[c, k]
        for q in range(trust.shape[0]):
            trust_of_all[q] += trust[q, c]
            trust[q, c] = trust[q, c] / there if there > 0.0 else strangers
        persons[c] = there
        everybody += there
        state += institutions[c] * there
        felt += violence[c] * there
    everybody = max(everybody, 1.0)
    trust_of_all /= everybody
    census.alive[0], census.refugees[0] = totals
    census.institutions[0], census.felt[0] = state / everybody, felt / everybody
    for k in range(n_communities):
        for f in range(n_factions):
            census.grievance[k, f] = wronged[k, f] / max(wronged[k, n_factions], 1.0)
    around(land.place, land.place_share, population, of_place)
    bear_grudges(w)


@kernel
def around(place, share, amount, out):
    """Add up the amounts in the place around each cell, of those in the cells: (C, K), written to `out`."""
    if share.size == 1:  # a cell is a place
        out[:, :] = share[0] * amount
        return
    for c in range(amount.shape[0]):
        for k in range(amount.shape[1]):
            out[c, k] = 0.0
        for p in range(share.size):
            there = place[c, p]
            if there >= 0:
                for k in range(amount.shape[1]):
                    out[c, k] += share[p] * amount[there, k]


@kernel
def bear_grudges(w):
    """Work out the grievance of each faction's own people toward its worst rival: w.census.grudge."""
    census, rival, community = w.census, w.factions.rival, w.factions.community
    for f in range(rival.shape[0]):
        total, people = 0.0, 0.0
        for k in range(community.shape[1]):
            worst = 0.0
            for g in range(rival.shape[0]):
                if rival[f, g]:
                    worst = max(worst, census.grievance[k, g])
            own = community[f, k] * census.of_community[k]
            total += own * worst
            people += own
        census.grudge[f] = total / max(people, 1.0)
