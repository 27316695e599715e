"""The census: what is counted every Monday, and what every rule of the week then sees alike."""

from dataclasses import dataclass

import numba
import numpy as np

from sim.country import in_place
from sim.state import ABROAD, AWAY


@dataclass
class Census:
    """Counts of the living, in persons, at the start of a week."""

    population: np.ndarray  # (C, K) persons present, by community
    of_place: np.ndarray  # (C, K) persons in the place around each cell, by community
    persons: np.ndarray  # (C,) persons present
    idps: np.ndarray  # (C,) of these, displaced
    displaced: np.ndarray  # (C, K) of these, by community
    need: np.ndarray  # (C,) persons x need
    trust: np.ndarray  # (K, C) mean trust in each chain of command there; that of strangers where nobody is
    trust_of_all: np.ndarray  # (K,) mean trust of everybody in the country
    grievance: np.ndarray  # (K, F) mean grievance of each community
    of_community: np.ndarray  # (K,) persons present
    alive: int
    refugees: int
    state: float  # 0..1 institutions that the average person lives under
    felt: float  # 0..1 violence felt by the average person


@numba.njit(cache=True)
def _count(cell, community, status, persons, need, trust, grievance, stranger, population, idps, displaced, needs,
           trusts, wronged, totals, persons_there, of_community, everybody):  # fmt: skip
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
        for m in range(trust.shape[1]):
            trusts[m, c] += n * trust[i, m]
    for c in range(idps.size):
        for k in range(population.shape[1]):
            persons_there[c] += population[c, k]
            of_community[k] += population[c, k]
        for m in range(trust.shape[1]):
            everybody[m] += trusts[m, c]
            trusts[m, c] = trusts[m, c] / persons_there[c] if persons_there[c] > 0 else stranger


def take_census(people, land, stranger):
    """Count the people.

    Parameters
    ----------
    people : state.Civilians; land : state.Land; stranger : trust in a mission where nobody lives
    """
    n_cells, n_communities = land.births.shape
    n_factions, n_commands = people.grievance.shape[1], people.trust.shape[1]
    population, idps, need = np.zeros((n_cells, n_communities)), np.zeros(n_cells), np.zeros(n_cells)
    displaced = np.zeros((n_cells, n_communities))
    trust, wronged = np.zeros((n_commands, n_cells)), np.zeros((n_communities, n_factions + 1))
    totals = np.zeros(2, dtype=np.int64)
    persons, of_community, everybody = np.zeros(n_cells), np.zeros(n_communities), np.zeros(n_commands)
    _count(
        cell=people.cell, community=people.community, status=people.status, persons=people.persons, need=people.need,
        trust=people.trust, grievance=people.grievance, stranger=stranger, population=population, idps=idps,
        displaced=displaced, needs=need, trusts=trust, wronged=wronged, totals=totals, persons_there=persons,
        of_community=of_community, everybody=everybody,
    )  # fmt: skip
    present = max(of_community.sum(), 1)
    return Census(
        population=population, of_place=in_place(land, population), persons=persons, idps=idps, displaced=displaced,
        need=need, trust=trust, trust_of_all=everybody / present,
        grievance=wronged[:, :-1] / np.maximum(wronged[:, -1:], 1),
        of_community=of_community, alive=int(totals[0]), refugees=int(totals[1]),
        state=float((land.institutions * persons).sum() / present), felt=float((land.felt * persons).sum() / present),
    )  # fmt: skip
