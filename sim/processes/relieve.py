"""8. Relieve: aid teams serve need where they have access.

    P(access) = logistic(base - a hostility of who controls the place - b fighting - c remoteness)

An armed escort of the same command can force access, at the price of more hostility; once adopted, escorts are
hard to give up. A mission that engages can negotiate a pause: bands around hold their fire for some weeks with
probability 1 - hostility (the polio pause in Gaza).
"""

import math

import numpy as np

from sim import draws
from sim.params import TASKS


def access(p, hostility, fighting, remoteness):
    """Return the probability of unforced access of each team: (U,) 0..1.

    Parameters
    ----------
    p : params.Relieve; hostility, fighting, remoteness : (U,) 0..1
    """
    logit = p.base - p.hostility * hostility - p.fighting * fighting - p.remoteness * remoteness
    return np.array([1.0 / (1.0 + math.exp(-x)) for x in logit])


def forced(p, escorts, habit):
    """Return the share of denied access that escorts force open: (U,) 0..1."""
    return p.escort * habit * escorts / (escorts + p.escort_half)


def relieve(model):
    """Decide which teams can work, whom they serve, and where fire is held."""
    f, u, m, land, p, now = model.factions, model.units, model.missions, model.land, model.params.relieve, model.now
    model.bands.paused = np.maximum(model.bands.paused - model.params.step_weeks, 0)
    u.access[:] = False
    teams = np.flatnonzero(u.team & (u.cell >= 0))
    if not teams.size:
        return
    cell, mission = u.cell[teams], u.mission[teams]
    hostility = f.hostility[model.controller()[cell], mission]
    open_ = access(p, hostility, land.felt[cell], land.remoteness[cell])
    wants_escort = m.work[:, TASKS.index("escort")] > 0
    escorts = model.escorts()[teams]
    push = forced(p, escorts, m.escorting[mission])
    luck = model.luck.uniform("relieve.access", u.luck)[teams]
    free, pushed = luck < open_, (luck >= open_) & (luck < open_ + (1 - open_) * push)
    u.access[teams] = free | pushed
    for i in range(len(m.names)):
        mine = mission == i
        if mine.any():
            now.tried[i], now.reached[i] = mine.sum(), (free | pushed)[mine].sum()
            now.forced[i] = pushed[mine].mean()
            denied = (~free)[mine].mean()
            habit = m.escorting[i] * model.fading(p.lock_in)
            m.escorting[i] = max(habit, denied) if wants_escort[i] else 0.0
    _serve(model, teams)
    _pause(model, teams, hostility)


def _serve(model, teams):
    """Spread each team's capacity over the need around it: share of the people in need served, by mission."""
    u, m, land, p, now = model.units, model.missions, model.land, model.params.relieve, model.now
    work = m.capacity[u.mission[teams], 4, TASKS.index("relieve")] * u.strength[teams, 4]
    work += m.capacity[u.mission[teams], 3, TASKS.index("relieve")] * u.strength[teams, 3]
    capacity = work * p.served * u.stock[teams] * u.access[teams]
    around = land.patrol[u.cell[teams]]
    weight = land.patrol_weight * (around >= 0) * (u.freedom[teams][:, None] ** (np.arange(around.shape[1]) > 0))
    need = model.census.need[np.maximum(around, 0)] * weight
    given = capacity[:, None] * need / np.maximum(need.sum(axis=1, keepdims=True), 1e-9)
    served = np.zeros((len(m.names), land.row.size))
    np.add.at(served, (np.repeat(u.mission[teams], around.shape[1]), np.maximum(around, 0).ravel()), given.ravel())
    wanted = np.maximum(model.census.need, 1e-9)
    total = served.sum(axis=0)
    now.aid[:] = served / np.maximum(total, 1e-9) * np.minimum(1, total / wanted)


def _pause(model, teams, hostility):
    """Let teams that engage negotiate a pause with the bands around them."""
    u, m, bands, land, p = model.units, model.missions, model.bands, model.land, model.params.relieve
    engage = model.task_presence("engage")[u.mission[teams], u.cell[teams]]
    rate = p.pause_rate * engage / (engage + 20.0) * (1 - hostility)
    luck = model.luck.uniform("relieve.pause", u.luck)[teams]
    heeds = model.luck.uniform("relieve.heed", bands.faction.size)
    for i in np.flatnonzero(draws.happens(luck, rate, model.years)):
        near = np.isin(bands.cell, land.near[u.cell[teams[i]]])
        agrees = heeds < 1 - model.factions.hostility[bands.faction, u.mission[teams[i]]]
        bands.paused[near & agrees] = p.pause_weeks
