"""The census: what is counted every Monday, and what every rule of the week then sees alike."""

from dataclasses import dataclass

import numba
import numpy as np

from sim.state import ABROAD, AWAY


@dataclass
class Census:
    """Counts of the living, in persons, at the start of a week."""

    population: np.ndarray  # (C, K) persons present, by community
    persons: np.ndarray  # (C,) persons present
    idps: np.ndarray  # (C,) of these, displaced
    need: np.ndarray  # (C,) persons x need
    trust: np.ndarray  # (M, C) mean trust of the people there; that of strangers where nobody is
    trust_of_all: np.ndarray  # (M,) mean trust of everybody in the country
    grievance: np.ndarray  # (K, F) mean grievance of each community
    alive: int
    refugees: int


@numba.njit(cache=True)
def _count(cell, community, status, persons, need, trust, grievance, population, idps, needs, trusts, wronged, totals):
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
        for m in range(trust.shape[1]):
            trusts[m, c] += n * trust[i, m]


def take_census(people, n_cells, n_communities, stranger):
    """Count the people.

    Parameters
    ----------
    people : state.Civilians; n_cells, n_communities : int; stranger : trust in a mission where nobody lives
    """
    n_factions, n_missions = people.grievance.shape[1], people.trust.shape[1]
    population, idps, need = np.zeros((n_cells, n_communities)), np.zeros(n_cells), np.zeros(n_cells)
    trust, wronged = np.zeros((n_missions, n_cells)), np.zeros((n_communities, n_factions + 1))
    totals = np.zeros(2, dtype=np.int64)
    _count(
        people.cell, people.community, people.status, people.persons, people.need, people.trust, people.grievance,
        population, idps, need, trust, wronged, totals,
    )  # fmt: skip
    persons = population.sum(axis=1)
    return Census(
        population=population, persons=persons, idps=idps, need=need,
        trust=np.where(persons > 0, trust / np.maximum(persons, 1), stranger),
        trust_of_all=trust.sum(axis=1) / max(persons.sum(), 1),
        grievance=wronged[:, :-1] / np.maximum(wronged[:, -1:], 1),
        alive=int(totals[0]), refugees=int(totals[1]),
    )  # fmt: skip
