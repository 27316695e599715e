"""Deploy: each mission follows its plan, bounded by money, host consent and its contingents' caveats.

    strength = authorised x planned share x what an expulsion leaves x what there is money for - losses not yet replaced

The Council renews a mandate when its time is over. The less united it is and the more political or forceful the
mandate, the likelier is an impasse, which leaves the least that all can accept (a lower ceiling, less force), or the
end.

A mission that the host has asked to leave goes bit by bit, over months; if the host thinks better of it while some are
still there, it builds up again. A mission with a benchmark leaves before its time when the benchmark is met, and those
whose plans wait for it follow.

At a hand-over the successor re-hats a share of the other's troops: they are there at once and where they were, and what
people and factions think of them goes with them. If nobody is there to take over, all that is lost.
Money is in `sim/accounts.py`, those who send contingents, and their caveats, in `sim/contributors.py`.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim import draws
from sim.accounts import change_funding, pay
from sim.compiled import rule
from sim.contributors import be_what_they_are, hold_back, who_stays
from sim.kernel import kernel
from sim.mandate import capacities
from sim.mission import replan
from sim.params import STAFF, TROOPS
from sim.rules import fading, survey
from sim.siting import settle

if TYPE_CHECKING:
    from sim.model import Model

AGREED, IMPASSE, ENDED = range(3)  # how the renewal of a mandate goes
RENEWAL = draws.decision("deploy.renewal")


@kernel
def left_of(left, asked, build_up, dt, expulsion):
    """Return what the host's wish leaves of a mission's strength after a step: 0..1.

    Parameters
    ----------
    left : 0..1 so far, 0 for good; asked : has the host asked it to leave, before this week or not
    build_up, dt : weeks; expulsion : weeks in which an unwanted mission goes
    """
    if left <= 0.0:
        return 0.0
    left += -dt / max(expulsion, 1e-9) if asked else dt / max(build_up, dt)
    return min(left, 1.0) if left >= 1e-9 else 0.0


@kernel
def rehatted_share(w, m, left):
    """Return the least share of its troops that a mission has for those whom it re-hats; left : of it, both 0..1."""
    missions, week = w.missions, w.week[0]
    other = missions.takes_over[m]
    if other < 0 or missions.recorded[m] or not missions.arrive[m] <= week < missions.leave[m]:
        return 0.0  # re-hatting is a floor under a plan; where the record of strengths is known, the record holds
    if not handed_over(missions, m, week):
        return 0.0
    theirs = missions.rehatted[m] * missions.peak[other] * missions.personnel[other, TROOPS]
    theirs *= missions.ceiling[other] * missions.kept[other, TROOPS] * (1.0 - missions.away[other])
    floor = min(1.0, theirs / max(missions.personnel[m, TROOPS], 1e-9)) * left
    return min(floor, min(max((missions.leave[m] - week) / max(missions.draw_down[m], 1e-9), 0.0), 1.0))


@kernel
def handed_over(missions, m, week):
    """Say whether those whom a mission re-hats were there to be handed over when they left, and have left."""
    other = missions.takes_over[m]
    gone = np.isfinite(missions.expelled[other]) or np.isfinite(missions.lapsed[other])  # they have gone home before
    return missions.arrive[m] <= missions.leave[other] <= week and not gone


@kernel
def renewal(luck, discord, impasse, end):
    """Say how the renewal of a mandate goes: AGREED, IMPASSE or ENDED.

    Parameters
    ----------
    luck, discord : 0..1; impasse, end : shares of renewals at full discord
    """
    if luck < end * discord:
        return ENDED
    return IMPASSE if luck < (end + impasse) * discord else AGREED


def deploy(model: "Model") -> None:
    """Bring every unit to the strength it has this week, and pay for it."""
    m = model.missions
    if model.phases and model.phases[0] <= model.week:
        model.phases = [w for w in model.phases if w > model.week]
        m.capacity = capacities(model.params, model.everybody, m.arrive, model.week)
    if any(cut is not None for cut in m.cuts):
        change_funding(model, m)
    if (m.earliest <= model.week).any():
        _leave_by_benchmark(model)
    _deploy(model)


@rule
def _deploy(w):
    """Bring every unit to the strength it has this week, and pay for it."""
    m, u, p, week = w.missions, w.units, w.numbers.deploy, w.week[0]
    n, n_kinds = m.command.size, m.personnel.shape[1]
    _renew(w)
    share, served, anybody = np.zeros((n, n_kinds)), np.zeros(n, dtype=np.bool_), (u.cell >= 0).any()
    asked = np.isfinite(m.expelled) & (m.expelled < week)
    for i in range(n):
        if not np.isfinite(m.expelled[i]) or asked[i]:
            m.left[i] = left_of(m.left[i], asked[i], m.build_up[i], w.step_weeks, p.expulsion)
    for i in range(n):
        lapsed = (week - m.lapsed[i]) / max(m.draw_down[i], 1e-9)  # minus infinity while the mandate goes on
        left = min(m.left[i], min(max(1.0 - lapsed, 0.0), 1.0))
        share[i] = w.plan[w.dice[1], i] * left
        share[i, TROOPS] = max(share[i, TROOPS], rehatted_share(w, i, left))
        served[i] = m.arrive[i] <= week < m.leave[i] and m.left[i] > 0.0 and week < m.lapsed[i] + m.draw_down[i]
        if m.mandate_weeks[i] > 0.0 and not served[i]:
            m.ended[i] = min(m.ended[i], week)
        anybody = anybody or served[i] or share[i].max() > 0.0
    if not anybody:
        return  # before the first has come, after the last has gone
    survey(w)
    for i in range(n):
        share[i] *= m.ceiling[i]
    _man(w, share)
    hold_back(w)
    before = u.cell.copy()
    for i in range(u.cell.size):
        if u.strength[i].sum() <= 0.0:
            u.cell[i] = -1
    for i in range(u.cell.size):
        if u.cell[i] < 0 and u.strength[i].sum() > 0.0:
            _open_base(w, i, before)
    m.persons[:, :] = 0.0
    for i in range(u.cell.size):
        m.persons[u.mission[i]] += u.strength[i]
    _pass_on(w)
    be_what_they_are(w)
    pay(w, share, served)
    for i in range(n):
        m.mandate_weeks[i] += served[i] * w.step_weeks
        for task in range(m.work.shape[1]):
            m.work[i, task] = 0.0
            for kind in range(n_kinds):
                m.work[i, task] += m.capacity[i, kind, task] * m.persons[i, kind]


@kernel
def _renew(w):
    """Let the Council renew the mandates whose time is over, each as it can agree on it."""
    m, d, week = w.missions, w.numbers.deploy, w.week[0]
    luck, some_due = draws.luck(w.dice, RENEWAL), False
    for i in range(m.command.size):
        if m.renewal[i] <= week:
            some_due = True
            m.renewal[i] += m.mandate_length[i]
            if week < min(m.leave[i], m.expelled[i], m.lapsed[i]):
                contested = m.council[i] * m.contention[i]
                discord = (1.0 - w.politics.unity[0]) * contested
                chance = draws.draw(luck, m.renewal_luck[i])
                result = renewal(chance, discord, impasse=d.council_impasse, end=d.council_end)
                m.discord[i] = discord if result == AGREED else contested
                if result == ENDED:
                    m.lapsed[i] = week
    down, up = 1.0 - fading(w, d.repatriation), 1.0 - fading(w, d.replacement)
    for i in range(m.command.size):
        if some_due:
            m.use_of_force[i] = m.mandated_force[i] * (1.0 - d.council_robustness * m.discord[i])
        lets = 1.0 if m.recorded[i] else 1.0 - d.council_ceiling * m.discord[i]
        m.ceiling[i] += (lets - m.ceiling[i]) * (down if lets < m.ceiling[i] else up)


@kernel
def _man(w, share):
    """Give every unit the people whom plan, money, Council and contributors let it have; share : (M, 5) of the plan."""
    m, u = w.missions, w.units
    stay, replaced = who_stays(w), fading(w, w.numbers.deploy.replacement)
    for i in range(u.cell.size):
        j, full = u.mission[i], 0.0
        for kind in range(share.shape[1]):
            persons = u.share[i, kind] * m.personnel[j, kind] * share[j, kind] * m.kept[j, kind] * m.staying[j, kind]
            if kind < STAFF:
                persons *= (1.0 - m.away[j]) * (stay[u.contributor[i]] if u.contributor[i] >= 0 else 1.0)
            u.strength[i, kind] = persons
            full += persons
        u.losses[i] *= replaced
        u.strength[i] *= 1.0 - min(u.losses[i] / max(full, 1e-9), 1.0)


def met(
    benchmark: NDArray[np.float64], battle_deaths: float, killed: float, institutions: float, agreement: bool | np.bool_
) -> bool:
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
        back, *_ = m.benchmark[i]
        if met(m.benchmark[i], battle_deaths=model.counted("brd", back), killed=model.counted("civilians_killed", back),
               institutions=model.census.institutions[0], agreement=model.politics.agreement[0]):  # fmt: skip
            m.decided[i] = week
    if (m.decided == week).any():
        replan(model)


@kernel
def _pass_on(w):
    """Let what people and factions think of troops go with them to the command that re-hats them on this day."""
    m, week, n = w.missions, w.week[0], w.commands.unwelcome.size
    handed, today = np.zeros((n, n)), False  # troops, to the first command from the second
    for i in range(m.command.size):
        other = m.takes_over[i]
        if other >= 0 and m.rehatted[i] > 0.0 and m.command[i] != m.command[other]:
            on_this_day = week - w.step_weeks < m.leave[other] and m.mandate_weeks[other] > 0.0
            theirs = m.rehatted[i] * m.peak[other] * m.personnel[other, TROOPS]
            if on_this_day and handed_over(m, i, week):
                handed[m.command[i], m.command[other]] += theirs
                today = True
    if not today or w.numbers.deploy.inherited == 0.0:
        return
    size = np.zeros(n)
    for i in range(m.command.size):
        size[m.command[i]] += 0.0 if m.donors[i] else m.persons[i].sum()
    for q in range(n):
        whole = max(size[q], handed[q].sum(), 1e-9)
        for other in range(n):
            handed[q, other] *= w.numbers.deploy.inherited / whole
    _inherit(w.people.trust, handed)
    _inherit(w.factions.hostility, handed)


@kernel
def _inherit(known, share):
    """Mix what is thought of each command, (n, Q), with what is thought of those whose troops it has, (Q, Q) shares."""
    for i in range(known.shape[0]):
        before = known[i].copy()
        for q in range(before.size):
            known[i, q] = before[q] * (1.0 - share[q].sum())
            for other in range(before.size):
                known[i, q] += before[other] * share[q, other]


@kernel
def _open_base(w, unit, before):
    """Give a cell to a unit that arrives; a re-hatted contingent stays where others were until today: before, (U,)."""
    u, mission = w.units, w.units.mission[unit]
    other = w.missions.takes_over[mission]
    if other >= 0 and not u.team[unit]:
        for i in range(u.cell.size):
            if u.mission[i] == other and not u.team[i] and before[i] >= 0:
                free = True
                for j in range(u.cell.size):
                    free = free and (u.mission[j] != mission or u.team[j] or u.cell[j] != before[i])
                if free:
                    u.cell[unit] = before[i]
                    return
    settle(w, unit)
