"""Deploy: each mission follows its plan, bounded by money, host consent and its contingents' caveats.

    strength = authorised x planned share x what an expulsion leaves x what there is money for - losses not yet replaced

The Council renews a mandate when its time is over. The less united it is and the more political or forceful the
mandate, the likelier is an impasse, which leaves the least that all can accept (a lower ceiling, less force), or the
end.

Money is a thing in time. Of what is due a part comes late, or never. A head office that knows of a lasting shortfall
sends people home; what it does not save in that way it owes its people, and pay that is months late costs ability,
restraint and mobility, and contingents go home.

A mission that the host has asked to leave goes bit by bit, over months; if the host thinks better of it while some are
still there, it builds up again. A mission with a benchmark leaves before its time when the benchmark is met, and those
whose plans wait for it follow.

At a hand-over the successor re-hats a share of the other's troops: they are there at once and where they were, and what
people and factions think of them goes with them. If nobody is there to take over, all that is lost.
Where a party that controls a place withdraws its consent, a mission that serves by consent pulls back from there. A
contingent with caveats is suspended where there is fighting, where host or party does not consent, or where its
mission is seen as partial (the five principles of Japan's PKO law). Those who send contingents come, and stay, on
conditions: a mandate too forceful or too political for them, their own dead, a principle that fails.
"""

from typing import NamedTuple

import numba
import numpy as np

from sim import draws
from sim.mission import affordable, capacities, replan
from sim.params import KINDS, TROOPS, UNIFORMED
from sim.processes import task
from sim.state import CEASEFIRE, CONSENT, IMPARTIALITY, MINIMUM_FORCE, WITHDRAW

AGREED, IMPASSE, ENDED = range(3)  # how the renewal of a mandate goes


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
    lapsed = (week - missions.lapsed) / np.maximum(missions.draw_down, 1e-9)  # minus infinity while the mandate goes on
    left = np.minimum(missions.left, np.clip(1 - lapsed, 0, 1))
    share = np.repeat((planned * left)[:, None], len(KINDS), axis=1)
    for m, other in enumerate(missions.takes_over):
        if other < 0 or not missions.arrive[m] <= week < missions.leave[m]:
            continue
        if missions.strength[m] is not None:
            continue  # re-hatting is a floor under a plan; where the record of strengths is known, the record holds
        handed_over = missions.arrive[m] <= missions.leave[other] <= week  # else they have gone home before
        if handed_over and not (np.isfinite(missions.expelled[other]) or np.isfinite(missions.lapsed[other])):
            theirs = missions.rehatted[m] * missions.peak[other] * missions.personnel[other, TROOPS]
            theirs *= missions.ceiling[other] * missions.kept[other, TROOPS] * (1 - missions.away[other])
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


@numba.njit(cache=True)
def lateness(owed, half):
    """Return how late pay is, as people feel it: 0..1. Weeks are borne, months are not.

    Parameters
    ----------
    owed : weeks of pay owed; half : weeks that are felt half
    """
    return owed * owed / (owed * owed + half * half)


@numba.njit(cache=True)
def next_in_hand(in_hand, income, bill, reserve, weeks):
    """Return the weeks of pay in hand after a step; negative: owed. What comes beyond the reserve is not drawn.

    Parameters
    ----------
    in_hand, reserve : weeks of pay; income, bill : US$ a year; weeks : length of the step
    """
    covered = income / bill if bill > 0.0 else 1.0
    return min(in_hand + weeks * (covered - 1.0), reserve)


@numba.njit(cache=True)
def settle_accounts(
    p, y, weeks, comes_in, back, due, bill, funding, paid, pledged, reserve, recorded, in_hand, outstanding, away, late,
    cost,
):  # fmt: skip
    """Take in what arrives for each mission, and pay whom it is enough for.

    Parameters
    ----------
    p : numbers.deploy; y : years in a step; weeks : in a step
    comes_in : share of what is outstanding that comes in; back : share of the absent who return where pay is in time
    due, bill : (M,) US$ a year by the plan, and for those who are there
    funding, paid, pledged : (M,) 0..1; reserve : (M,) weeks; recorded : (M,) bool
    in_hand : (M,) weeks; outstanding : (M,) US$; away : (M,) 0..1, changed
    late : (M,) 0..1; cost : (M,) US$, written
    """
    for m in range(due.size):
        of_old = outstanding[m] * comes_in
        income = funding[m] * paid[m] * due[m] + of_old / y
        outstanding[m] += funding[m] * (pledged[m] - paid[m]) * due[m] * y - of_old
        owed = max(-in_hand[m], 0.0)
        in_hand[m] = next_in_hand(in_hand[m], income, bill[m], reserve[m], weeks)
        now_owed = max(-in_hand[m], 0.0)
        cost[m] = bill[m] * y * (1.0 + (owed - now_owed) / weeks)
        late[m] = lateness(now_owed, p.late_half)
        change = p.unpaid_leave * late[m] * (1.0 - away[m]) * y - back * (1.0 - late[m]) * away[m]
        away[m] = 0.0 if recorded[m] else min(max(away[m] + change, 0.0), 1.0)


def renewal(luck, discord, impasse, end):
    """Say how the renewal of each mandate goes: (M,) int, AGREED, IMPASSE or ENDED.

    Parameters
    ----------
    luck, discord : (M,) 0..1; impasse, end : shares of renewals at full discord
    """
    return np.where(luck < end * discord, ENDED, np.where(luck < (end + impasse) * discord, IMPASSE, AGREED))


def deploy(model):
    """Bring every unit to the strength it has this week, and pay for it."""
    m, u, g, p = model.missions, model.units, model.contributors, model.params
    if model.phases and model.phases[0] <= model.week:
        model.phases = [w for w in model.phases if w > model.week]
        m.capacity = capacities(p, model.everybody, m.arrive, model.week)
    _change_funding(model, m)
    _renew(model, m)
    _leave_by_benchmark(model)
    m.left = left_of(m, model.week, p.step_weeks, p.deploy.expulsion)
    share = share_present(m, model.plan[model.luck.step], model.week)
    served = (m.arrive <= model.week) & (model.week < m.leave) & (m.left > 0) & (model.week < m.lapsed + m.draw_down)
    m.ended = np.where((m.mandate_weeks > 0) & ~served, np.minimum(m.ended, model.week), m.ended)
    if not (share.any() or served.any() or (u.cell >= 0).any()):
        return  # before the first has come, after the last has gone
    u.losses *= model.fading(p.deploy.replacement)
    share *= m.ceiling[:, None]
    paid_for = share * m.kept * m.staying
    paid_for[:, UNIFORMED] *= (1 - m.away)[:, None]
    full = u.share * (m.personnel * paid_for)[u.mission]
    stay = _stay(model, m, g)
    if (stay != 1).any():
        full[:, UNIFORMED] *= np.append(stay, 1.0)[u.contributor][:, None]
    lost = np.minimum(u.losses / np.maximum(full.sum(axis=1), 1e-9), 1.0)
    u.strength = full * (1 - lost)[:, None]
    hostility, d, flag = model.factions.hostility, p.deploy, m.command[u.mission]
    gap = (hostility.max(axis=0) - hostility.min(axis=0))[flag]
    at = np.maximum(u.cell, 0)
    master = hostility[model.controller(at), flag] if u.cell.size else np.zeros(0)
    refused = (u.cell >= 0) & (master > p.judge.withdrawal)
    consent = np.where(refused, 0.0, 1 - model.hostility_of_host()[flag])  # of the host and of the parties
    felt = np.where(u.cell >= 0, model.land.felt[u.cell], 0.0)
    carried = np.vstack([g.caveat, np.zeros(g.caveat.shape[1], dtype=bool)])[u.contributor]
    limits = Limits(fighting=d.caveat_fighting, consent=1 - p.judge.expulsion, gap=d.caveat_gap)
    u.suspended = suspended(carried, u.caveated, felt=felt, consent=consent, gap=gap, limits=limits)
    _call_home(model, m, u, g)
    goes_home = u.suspended & carried[:, WITHDRAW] & (carried[:, IMPARTIALITY] & (gap > d.caveat_gap))
    u.suspended |= m.by_consent[u.mission] & refused
    u.strength[goes_home] = 0.0  # partiality is not cured by waiting in a base; fighting may be
    _open_bases(model, u, m)
    m.persons = np.array([np.bincount(u.mission, kind, len(m.names)) for kind in u.strength.T]).T
    _pass_on(model)
    quality = _mean_quality(m, u, g)
    _pay(model, m, due=m.personnel * share, served=served, quality=quality)
    m.mandate_weeks += served * p.step_weeks
    m.work = (m.capacity * m.persons[:, :, None]).sum(axis=1)


def _renew(model, m):
    """Let the Council renew the mandates whose time is over, each as it can agree on it."""
    d, week = model.params.deploy, model.week
    due = m.renewal <= week
    if due.any():
        m.renewal[due] += m.mandate_length[due]
        due &= week < np.minimum(np.minimum(m.leave, m.expelled), m.lapsed)
        contested = m.council * m.contention
        discord = (1 - model.politics.unity[0]) * contested
        result = renewal(
            model.luck.uniform("deploy.renewal", m.renewal_luck), discord, d.council_impasse, d.council_end
        )
        m.discord = np.where(due, np.where(result == AGREED, discord, contested), m.discord)
        m.lapsed[due & (result == ENDED)] = week
        m.use_of_force = m.mandated_force * (1 - d.council_robustness * m.discord)
    lets = np.where(m.recorded, 1.0, 1 - d.council_ceiling * m.discord)
    if (lets != m.ceiling).any():
        pace = np.where(lets < m.ceiling, 1 - model.fading(d.repatriation), 1 - model.fading(d.replacement))
        m.ceiling += (lets - m.ceiling) * pace


def _change_funding(model, m):
    """Let the share of the money that arrives change on its day."""
    dated = model.usual["money"].copy()
    for i, cut in enumerate(m.cuts):
        if cut is not None:
            now = (cut[0] >= model.week) & (cut[0] < model.week + model.params.step_weeks)
            if now.any():
                dated[i] = cut[1][now][-1]
    if (dated != model.usual["money"]).any():
        model.set_usual("money", dated)


def _stay(model, m, g):
    """Return the share of what each group of contingents offers that is there: (G,) 0..1.

    Of those who are willing a mission takes what it needs; where some go, others who offered more take their place.
    """
    if (g.home == np.inf).all() and (m.taken == 1).all():
        return np.ones(g.home.size)
    gone = (model.week - g.home) / max(3 * model.params.deploy.repatriation, 1e-9)
    there = np.clip(1 - gone, 0, 1)
    willing = np.bincount(g.mission, g.offered * (g.home == np.inf), len(m.names))
    needed = 1 / np.maximum(willing, 1)
    m.taken += (needed - m.taken) * np.where(needed > m.taken, 1 - model.fading(model.params.deploy.replacement), 1.0)
    return there * m.taken[g.mission]


def _call_home(model, m, u, g):
    """Let those who sent contingents call them home: for the mandate, for their dead, for a principle that failed."""
    d = model.params.deploy
    g.lost *= model.fading(d.loss_memory)
    bound = g.bound & (g.home == np.inf)
    if not bound.any():
        return

    def of_all(of_groups):  # one contributor under one command, in however many missions
        return np.bincount(g.sender, of_groups)[g.sender]

    leaves = (m.use_of_force[g.mission] > g.force) | (m.politics[g.mission] > g.politics)
    leaves |= 1_000 * of_all(g.lost) > g.losses * np.maximum(of_all(g.sent), 1e-9)
    if u.suspended.any():
        persons = u.strength[:, UNIFORMED].sum(axis=1) * ~u.team
        group, n = np.maximum(u.contributor, 0), g.mission.size
        there = of_all(np.bincount(group, persons, n))
        failing = of_all(np.bincount(group, persons * u.suspended, n)) / np.maximum(there, 1e-9)
        luck = model.luck.uniform("deploy.withdraw", g.luck)
        leaves |= draws.happens(luck, d.caveat_withdrawal * failing, model.years) & g.caveat[:, WITHDRAW]
    g.home[bound & leaves] = model.week


def _mean_quality(m, u, g):
    """Return what those who are there are like: (M, 4) ability, restraint, knowledge, price to their force's, or none.

    Take note, too, of how ready those who are there and not held back are to use force.
    """
    persons, group, n = u.strength[:, UNIFORMED].sum(axis=1) * ~u.team, np.maximum(u.contributor, 0), len(m.names)
    m.willing = m.use_of_force.copy()
    if (g.bound & g.caveat[:, MINIMUM_FORCE]).any():
        active = persons * ~u.suspended
        bound = np.bincount(u.mission, active * (u.caveated & g.caveat[group, MINIMUM_FORCE]), n)
        m.willing = m.use_of_force * (1 - bound / np.maximum(np.bincount(u.mission, active, n), 1e-9))
    if (g.quality == 1).all():
        return None
    total = np.bincount(u.mission, persons, n)
    mean = [np.bincount(u.mission, persons * q, n) for q in g.quality[group].T]
    return np.where(total > 0, np.array(mean) / np.maximum(total, 1e-9), 1.0).T


def _pay(model, m, due, served, quality):
    """Take in what arrives, pay whom it is enough for, and see what follows where it is not.

    Parameters
    ----------
    due : (M, 5) persons that the plan has there; served : (M,) bool, its head office is there
    quality : (M, 4) of those who are there, against their force: ability, restraint, local knowledge, price; or none
    """
    d = model.params.deploy
    fixed = served * m.headquarters
    bill, of_plan = ((persons * m.price).sum(axis=1) + fixed for persons in (m.persons, due))
    if quality is not None:
        bill += (m.persons * m.price)[:, UNIFORMED].sum(axis=1) * (quality[:, 3] / m.mean_price - 1)
    model.now.missing[:] = np.maximum((due - m.persons)[:, UNIFORMED].sum(axis=1), 0)
    back = 1 - model.fading(d.replacement)
    settle_accounts(
        p=model.numbers.deploy, y=model.years, weeks=model.params.step_weeks, comes_in=1 - model.fading(d.arrears_half),
        back=back, due=of_plan, bill=bill, funding=m.funding, paid=m.paid, pledged=m.pledged, reserve=m.reserve,
        recorded=m.recorded, in_hand=m.in_hand, outstanding=m.outstanding, away=m.away, late=m.late,
        cost=model.now.cost,
    )  # fmt: skip
    m.spent += model.now.cost
    ability, restraint, mobility, knowledge = m.able.T
    if quality is not None:
        ability, restraint, knowledge = np.minimum((ability, restraint, knowledge) * quality[:, :3].T, 1)
        m.knowledge = knowledge
    m.ability = ability * (1 - d.short_ability * m.late)
    m.restraint = restraint * (1 - d.short_restraint * m.late)
    m.mobility = mobility * (1 - d.short_mobility * m.late)
    if (m.kept != 1).any() or (m.funding * m.pledged < 1).any():
        wanted = affordable(m)
        m.kept += (wanted - m.kept) * np.where(wanted < m.kept, 1 - model.fading(d.repatriation), back)


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
        gone = np.isfinite(m.expelled[other]) or np.isfinite(m.lapsed[other])
        if today and m.arrive[i] <= m.leave[other] and not gone:
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
