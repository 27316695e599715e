"""Siting: what missions know of the country, and where their bases and teams go. Rules of the world, compiled."""

import math

import numpy as np

from sim import draws
from sim.kernel import kernel
from sim.rules import add_around, reached

BASE = draws.decision("task.base")


@kernel
def understood(p, knowledge, women):
    """Return how much of what people would tell a mission gets through to it: 0..1.

    Parameters
    ----------
    p : numbers.task; knowledge, women : 0..1
    """
    return (1.0 - p.language * (1.0 - knowledge)) * reached(p, women)


@kernel
def known(w):
    """Return how much each mission knows of where bands are: (M,) 0..1.

    What a part of a command sees is known to all of it; what another command knows, as far as they coordinate.
    """
    m = w.missions
    out, of_command, best = np.zeros(m.command.size), np.zeros(w.commands.unwelcome.size), 0.0
    for i in range(out.size):
        if m.technology[i] > 0.0 and m.persons[i].sum() > 0.0:
            of_command[m.command[i]] = max(of_command[m.command[i]], m.technology[i])
            best = max(best, m.technology[i])
    for i in range(out.size):
        out[i] = max(of_command[m.command[i]], w.numbers.mission.coordination * best)
    return out


@kernel
def informed(w, mission, cell, seen):
    """Return how much a mission knows of where bands are around a cell, from technology and from its people: 0..1.

    Parameters
    ----------
    mission : 0..M-1; cell : 0..C-1; seen : 0..1, what the mission knows by technology (`known`)
    """
    m, p = w.missions, w.numbers.task
    told = p.told * w.census.trust[m.command[mission], cell] * understood(p, m.knowledge[mission], m.women[mission])
    return 1.0 - (1.0 - seen) * (1.0 - told)


@kernel
def attraction(w, m, team):
    """Return the pull of every cell on a unit of mission m, an aid team or not: (C,)."""
    land, census, of_place, p = w.land, w.census, w.census.of_place, w.numbers
    out, people = np.empty(land.felt.size), np.zeros(land.felt.size)
    for c in range(out.size):
        for k in range(of_place.shape[1]):
            people[c] += of_place[c, k]
    mean = max(people.mean(), 1e-9)
    for c in range(out.size):
        out[c] = (1.0 - land.remoteness[c] * (1.0 - w.missions.mobility[m])) * w.missions.area[m, c]
        if team:
            out[c] *= census.need[c] + 1e-6 * census.persons[c]
        else:
            out[c] *= math.sqrt(people[c] / mean) * (1.0 + p.deploy.siting_violence * land.felt[c])
    return out


@kernel
def covered(w, unit):
    """Return how far the command of a unit covers every place with its other bases, or teams, by their people: (C,)."""
    u, land, p, flag = w.units, w.land, w.numbers.task, w.missions.command
    whole, out = p.team if u.team[unit] else p.base, np.zeros(land.felt.size)
    for i in range(u.cell.size):
        own = flag[u.mission[i]] == flag[u.mission[unit]]
        if i != unit and u.cell[i] >= 0 and u.team[i] == u.team[unit] and own:
            add_around(u.strength[i].sum() / whole, u.cell[i], land.patrol, land.patrol_weight, out)
    return out


@kernel
def settle(w, unit):
    """Give a unit the base with the most pull that its command has not covered yet, by the luck of the draw."""
    u, p, cover = w.units, w.numbers.task, covered(w, unit)
    pull = attraction(w, u.mission[unit], u.team[unit])
    for c in range(pull.size):
        pull[c] = (pull[c] / (1.0 + p.cover * cover[c])) ** p.choosiness
    u.cell[unit] = max(draws.pick(pull, draws.draw(draws.luck(w.dice, BASE), u.luck[unit])), 0)
