"""Relieve: aid teams serve need where they have access.

    P(access) = logistic(base - a hostility of who controls the place - b fighting - c remoteness)

People in a camp or a protection site are served with less work. Engineers open roads: what they do takes some of the
remoteness away.

An armed escort can force access, at the price of more hostility; once adopted, escorts are hard to give up. A team
is escorted by its own command, or asks for that of another, which then is held against it as its own. A mission that
engages can negotiate a pause: bands around hold their fire for some weeks with probability 1 - hostility (the polio
pause in Gaza). While they do, they keep nobody from the people there, and aid workers vaccinate: what that spares
lasts for months.

Commands that do not talk with each other serve some people twice and others not at all: their shares of those in need
overlap as by chance, 1 - (1 - a)(1 - b); those that do divide the work, a + b.
"""

import math

import numba
import numpy as np

from sim import draws
from sim.country import km_from
from sim.params import AID, TASKS


def access(p, hostility, fighting, remoteness, wet=0.0):
    """Return the probability of unforced access of each team: (U,) 0..1.

    Parameters
    ----------
    p : params.Relieve; hostility, fighting, remoteness : (U,) 0..1; wet : 0.. how heavy the rains are
    """
    logit = p.base - p.hostility * hostility - p.fighting * fighting - (p.remoteness + p.rains * wet) * remoteness
    return np.array([1.0 / (1.0 + math.exp(-x)) for x in logit])


def forced(p, escorts, habit):
    """Return the share of denied access that escorts force open: (U,) 0..1."""
    return p.escort * habit * escorts / (escorts + p.escort_half)


def relieve(model):
    """Decide which teams can work, whom they serve, and where fire is held."""
    f, u, m, land, p, now = model.factions, model.units, model.missions, model.land, model.params.relieve, model.now
    hold = model.holding_fire()
    model.bands.paused = np.maximum(model.bands.paused - model.params.step_weeks, 0)
    if land.vaccinated.any():
        land.vaccinated *= model.fading(model.params.live.immunity)
    u.access[:] = False
    teams = np.flatnonzero(u.team & (u.cell >= 0))
    if not teams.size:
        return
    cell, flag = u.cell[teams], m.command[u.mission[teams]]
    own, others = (e[..., teams] for e in model.escorts())
    master = f.hostility[model.controller(cell)]  # (T, K)
    share = others / (others + p.escort_half)  # of its work that is done under another flag
    hostility = master[np.arange(teams.size), flag]
    hostility = np.maximum(hostility, (share * master.T).max(axis=0))
    lent = model.lent()
    if lent.any():  # the host's own fighters open the way, and make an enemy of those who fight it
        guarded = model.under_guard(lent)[model.controller(cell), teams]
        hostility = np.maximum(hostility, guarded)
        by_host = lent[teams] / (lent[teams] + p.escort_half)
        for k in np.unique(flag):
            now.lent[k] = by_host[flag == k].mean()
    kept_out = 1 - hold[cell]  # who holds his fire lets people through
    engineers = model.work_on("engineer").sum()
    remote = land.remoteness[cell] * (1 - p.roads * engineers / (engineers + model.params.task.engineers_half))
    open_ = access(p, hostility * kept_out, land.felt[cell] * kept_out, remote, model.wet())
    asks = model.by_command(m.accepts) > 0
    wants_escort = (model.work_on("escort") > 0) | (asks & (model.work_on("escort").sum() > 0)) | (now.lent > 0)
    habit = model.commands.escorting
    push = forced(p, own + others.sum(axis=0) + lent[teams], habit[flag])
    luck = model.luck.uniform("relieve.access", u.luck)[teams]
    out = ~u.suspended[teams]
    free, pushed = out & (luck < open_), out & (luck >= open_) & (luck < open_ + (1 - open_) * push)
    u.access[teams] = free | pushed
    for k in range(habit.size):
        mine = flag == k
        if mine.any():
            now.tried[k], now.reached[k] = mine.sum(), (free | pushed)[mine].sum()
            now.forced[k] = pushed[mine].mean()
            denied = (~free)[mine].mean()
            habit[k] = max(habit[k] * model.fading(p.lock_in), denied) if wants_escort[k] else 0.0
    _serve(model, teams)
    if hold.any():
        vaccinate(
            p=model.numbers.relieve, y=model.years, workers=u.strength[teams, AID] * u.access[teams], cell=cell,
            patrol=land.patrol, weight=land.patrol_weight, hold=hold, vaccinated=land.vaccinated,
        )  # fmt: skip
    _pause(model, teams, hostility)


@numba.njit(cache=True)
def serve(capacity, command, cell, freedom, patrol, weight, need, donors, aid):
    """Spread each team's capacity over the need in its reach; at most all need is met.

    Parameters
    ----------
    capacity : (T,) persons it can serve; command, cell : (T,) int; freedom : (T,) 0..1
    patrol : (C, R) int; weight : (R,); need : (C,) persons x need; donors : 0..1 coordination between commands
    aid : (K, C) share of those in need whom each chain of command serves, written
    """
    for t in range(command.size):
        total = 0.0
        for r in range(weight.size):
            c = patrol[cell[t], r]
            if c >= 0:
                total += need[c] * weight[r] * (1.0 if r == 0 else freedom[t])
        for r in range(weight.size):
            c = patrol[cell[t], r]
            if c >= 0 and total > 0:
                aid[command[t], c] += capacity[t] * weight[r] * (1.0 if r == 0 else freedom[t]) / total
    for c in range(need.size):
        served, missed = 0.0, 1.0
        for k in range(aid.shape[0]):
            served += aid[k, c]
            missed *= 1.0 - min(aid[k, c], 1.0)
        if served > 0.0:  # who do not talk with each other serve some people twice, and miss others
            reached = donors * min(served, 1.0) + (1.0 - donors) * (1.0 - missed)
            if reached < served:
                for k in range(aid.shape[0]):
                    aid[k, c] = aid[k, c] * reached / served


@numba.njit(cache=True)
def vaccinate(p, y, workers, cell, patrol, weight, hold, vaccinated):
    """Let aid workers vaccinate where fire is held.

    Parameters
    ----------
    p : numbers.relieve; y : years in a week; workers : (T,) persons who may work; cell : (T,) int
    patrol : (C, R) int; weight : (R,); hold : (C,) 0..1 fighters there who hold their fire
    vaccinated : (C,) 0..1, written
    """
    there = np.zeros(hold.size)
    for t in range(cell.size):
        for r in range(weight.size):
            c = patrol[cell[t], r]
            if c >= 0:
                there[c] += workers[t] * weight[r]
    for c in range(hold.size):
        effort = hold[c] * there[c] / (there[c] + p.vaccinators)
        vaccinated[c] += draws.chance(p.vaccination * y * effort) * (1.0 - vaccinated[c])


def _serve(model, teams):
    """Let every team with access and stocks serve the need around it."""
    u, m, land, p = model.units, model.missions, model.land, model.params.relieve
    task = TASKS.index("relieve")
    work = m.capacity[u.mission[teams], AID, task] * u.strength[teams, AID]
    capacity = work * p.served * u.stock[teams] * u.access[teams] * m.pace[u.mission[teams]]
    need = model.census.need
    if land.site.any():
        need = need * (1 - p.cheaper * land.sheltered.sum(axis=1) / np.maximum(model.census.persons, 1.0))
    serve(
        capacity=capacity, command=m.command[u.mission[teams]], cell=u.cell[teams], freedom=u.freedom[teams],
        patrol=land.patrol, weight=land.patrol_weight, need=need, donors=model.params.mission.donors,
        aid=model.now.aid,
    )  # fmt: skip


def _pause(model, teams, hostility):
    """Let teams that engage negotiate a pause with the bands around them."""
    u, bands, p = model.units, model.bands, model.params.relieve
    flag = model.missions.command[u.mission[teams]]
    engage = model.by_command(model.task_presence("engage"))[flag, u.cell[teams]]
    size = u.strength[teams, AID] / p.pause_team
    rate = p.pause_rate * size * engage / (engage + p.pause_half) * (1 - hostility)
    luck = model.luck.uniform("relieve.pause", u.luck)[teams]
    heeds = model.luck.uniform("relieve.heed", bands.faction.size)
    for i in np.flatnonzero(draws.happens(luck, rate, model.years)):
        near = km_from(model.land, u.cell[teams[i]])[bands.cell] <= p.pause_km
        agrees = near & (heeds < 1 - model.factions.hostility[bands.faction, flag[i]])
        bands.paused[agrees] = p.pause_weeks
        model.now.pauses[flag[i]] += (bands.fighters[agrees] > 0).any()
