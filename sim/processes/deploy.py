"""1. Deploy: each mission follows its plan, bounded by money, host consent and its contingents' caveats.

    strength = authorised x planned share x what an expulsion leaves - losses not yet replaced

A mission that the host has asked to leave goes bit by bit, over months; if the host thinks better of it while some are
still there, it builds up again.

A mission with a benchmark leaves before its time when the benchmark is met, and those whose plans wait for it follow.
At a hand-over the successor re-hats a share of the other's troops: they are there at once and where they were,
and what people and factions think of them goes with them. If nobody is there to take over, all that is lost.
Where a party that controls a place withdraws its consent, a mission that serves by consent pulls back from there. A
contingent with caveats is suspended where there is fighting, where the host does not consent, or where its
mission is seen as partial (the five principles of Japan's PKO law).
"""

from typing import NamedTuple

import numpy as np

from sim.mission import replan
from sim.params import KINDS, TROOPS
from sim.processes import task
from sim.state import CEASEFIRE, CONSENT, IMPARTIALITY, WITHDRAW


class Limits(NamedTuple):
    """Where the conditions of contingents with caveats fail."""

    fighting: float  # 0..1 violence felt above which there is no cease-fire
    consent: float  # 0..1 of the host, below which there is none
    gap: float  # 0..1 between the most and the least hostile faction, above which a mission is seen as partial


def left_of(missions, week, dt, expulsion):
    """Return what the host's wish leaves of each mission's strength: (M,) 0..1.

    Parameters
    ----------
    week, dt : float; expulsion : weeks in which an unwanted mission goes
    """
    goes = missions.left - dt / max(expulsion, 1e-9)
    comes_back = missions.left + dt / np.maximum(missions.build_up, dt)
    left = np.where(np.isfinite(missions.expelled), np.where(missions.expelled < week, goes, missions.left), comes_back)
    return np.where(missions.left <= 0, 0.0, np.clip(np.where(left < 1e-9, 0.0, left), 0, 1))


def share_present(missions, planned, week):
    """Return the share of its authorised strength that each mission has, by kind: (M, 5).

    Parameters
    ----------
    planned : (M,) 0..1 by its plan alone; week : float
    """
    left = missions.left
    share = np.repeat((planned * left)[:, None], len(KINDS), axis=1)
    for m, other in enumerate(missions.takes_over):
        if other < 0 or not missions.arrive[m] <= week < missions.leave[m]:
            continue
        handed_over = missions.arrive[m] <= missions.leave[other] <= week  # else they have gone home before
        if handed_over and not np.isfinite(missions.expelled[other]):
            theirs = missions.rehatted[m] * missions.peak[other] * missions.personnel[other, TROOPS]
            floor = min(1.0, theirs / max(missions.personnel[m, TROOPS], 1e-9)) * left[m]
            out = np.clip((missions.leave[m] - week) / max(missions.draw_down[m], 1e-9), 0, 1)
            share[m, TROOPS] = max(share[m, TROOPS], min(floor, out))
    return share


def suspended(caveat, caveated, felt, consent, gap, limits):
    """Say which units a caveat holds back.

    Parameters
    ----------
    caveat : (U, 5) bool, conditions their mission's caveats carry
    caveated : (U,) bool
    felt : (U,) 0..1 violence felt where they are
    consent : (U,) 0..1 of the host
    gap : (U,) 0..1 between the most and the least hostile faction
    limits : Limits, at which a condition fails
    """
    fails = caveat[:, CEASEFIRE] & (felt > limits.fighting)
    fails |= caveat[:, CONSENT] & (consent < limits.consent)
    fails |= caveat[:, IMPARTIALITY] & (gap > limits.gap)
    return caveated & fails


def deploy(model):
    """Bring every unit to the strength it has this week, and pay for it."""
    m, u, p, now = model.missions, model.units, model.params, model.now
    _leave_by_benchmark(model)
    m.left = left_of(m, model.week, p.step_weeks, p.deploy.expulsion)
    share = share_present(m, model.plan[model.luck.step], model.week)
    served = (m.arrive <= model.week) & (model.week < m.leave) & (m.left > 0)
    m.ended = np.where((m.mandate_weeks > 0) & ~served, np.minimum(m.ended, model.week), m.ended)
    if not (share.any() or served.any() or (u.cell >= 0).any()):
        return  # before the first has come, after the last has gone
    u.losses *= model.fading(p.deploy.replacement)
    full = u.share * (m.personnel * share * m.staying)[u.mission]
    lost = np.minimum(u.losses / np.maximum(full.sum(axis=1), 1e-9), 1.0)
    u.strength = full * (1 - lost)[:, None]
    hostility, d, flag = model.factions.hostility, p.deploy, m.command[u.mission]
    gap = (hostility.max(axis=0) - hostility.min(axis=0))[flag]
    consent = 1 - model.hostility_of_host()[flag]
    felt = np.where(u.cell >= 0, model.land.felt[u.cell], 0.0)
    carried = m.caveat[u.mission]
    limits = Limits(fighting=d.caveat_fighting, consent=1 - p.judge.expulsion, gap=d.caveat_gap)
    u.suspended = suspended(carried, u.caveated, felt=felt, consent=consent, gap=gap, limits=limits)
    at = np.maximum(u.cell, 0)
    master = hostility[model.controller(at), flag] if u.cell.size else np.zeros(0)
    goes_home = u.suspended & carried[:, WITHDRAW] & (carried[:, IMPARTIALITY] & (gap > d.caveat_gap))
    u.suspended |= m.by_consent[u.mission] & (u.cell >= 0) & (master > p.judge.withdrawal)
    u.strength[goes_home] = 0.0  # partiality is not cured by waiting in a base; fighting may be
    _open_bases(model, u, m)
    m.persons = np.array([np.bincount(u.mission, kind, len(m.names)) for kind in u.strength.T]).T
    _pass_on(model)
    now.cost[:] = m.paid * ((m.persons * m.price).sum(axis=1) + served * m.headquarters) * model.years
    m.spent += now.cost
    m.mandate_weeks += served * p.step_weeks
    m.work = (m.capacity * m.persons[:, :, None]).sum(axis=1)


def met(benchmark, battle_deaths, killed, institutions, agreement):
    """Say whether a benchmark is met: all that it asks for. What has not been observed for long enough is not met.

    Parameters
    ----------
    benchmark : (5,) weeks back, most battle deaths, most killed, least institutions, agreement; nan: not asked for
    """
    _, most_battle_deaths, most_killed, least, asked = benchmark
    holds = [np.isnan(most_battle_deaths) or battle_deaths < most_battle_deaths]
    holds += [np.isnan(most_killed) or killed < most_killed]
    holds += [np.isnan(least) or institutions > least, np.isnan(asked) or bool(agreement)]
    return all(holds)


def _leave_by_benchmark(model):
    m, week = model.missions, model.week
    waiting = (m.earliest <= week) & (m.arrive <= week) & ~np.isfinite(m.decided) & (week + m.draw_down < m.leave)
    if not waiting.any():
        return
    for i in np.flatnonzero(waiting):
        back = m.benchmark[i, 0]
        if met(m.benchmark[i], battle_deaths=model.counted("brd", back), killed=model.counted("civilians_killed", back),
               institutions=model.census.state, agreement=model.politics.agreement[0]):  # fmt: skip
            m.decided[i] = week
    if (m.decided == week).any():
        replan(model)


def _pass_on(model):
    """Let what people and factions think of troops go with them to the command that re-hats them on this day."""
    m, week, inherited = model.missions, model.week, model.params.deploy.inherited
    handed = np.zeros((len(model.commands.names),) * 2)  # troops, from the second command to the first
    for i in np.flatnonzero((m.takes_over >= 0) & (m.rehatted > 0)):
        other = m.takes_over[i]
        today = week - model.params.step_weeks < m.leave[other] <= week and m.mandate_weeks[other] > 0
        if today and m.arrive[i] <= m.leave[other] and not np.isfinite(m.expelled[other]):
            theirs = m.rehatted[i] * m.peak[other] * m.personnel[other, TROOPS]
            handed[m.command[i], m.command[other]] += theirs
    np.fill_diagonal(handed, 0.0)
    if not inherited or not handed.any():
        return
    size = model.by_command(m.persons * ~m.donors[:, None]).sum(axis=1)
    share = inherited * handed / np.maximum(size, np.maximum(handed.sum(axis=1), 1e-9))[:, None]
    for known in (model.people.trust, model.factions.hostility):
        known[...] = known * (1 - share.sum(axis=1)) + known @ share.T


def _open_bases(model, u, m):
    """Give a cell to every unit that arrives; re-hatted contingents stay where the others were, until today."""
    there, before = u.strength.sum(axis=1) > 0, u.cell.copy()
    u.cell[~there] = -1
    for i in np.flatnonzero(there & (u.cell < 0)):
        other = m.takes_over[u.mission[i]]
        if other >= 0 and not u.team[i]:
            theirs = np.flatnonzero((u.mission == other) & ~u.team & (before >= 0))
            taken = u.cell[(u.mission == u.mission[i]) & ~u.team]
            free = theirs[~np.isin(before[theirs], taken)]
            if free.size:
                u.cell[i] = before[free[0]]
                continue
        task.settle(model, i)
