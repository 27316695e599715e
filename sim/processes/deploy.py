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

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.mandate import capacities
from sim.mission import replan
from sim.params import STAFF, TROOPS
from sim.rules import affordable, controller, fading, hostility_of_host, in_uniform, survey
from sim.siting import settle
from sim.state import (
    ABILITY,
    CEASEFIRE,
    CONSENT,
    IMPARTIALITY,
    KNOWLEDGE,
    MINIMUM_FORCE,
    MOBILITY,
    PRICE,
    RESTRAINT,
    WITHDRAW,
)  # fmt: skip

if TYPE_CHECKING:
    from sim.model import PeaceModel

AGREED, IMPASSE, ENDED = range(3)  # how the renewal of a mandate goes
RENEWAL, WITHDRAWAL = draws.decision("deploy.renewal"), draws.decision("deploy.withdraw")


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
def fails(caveat, felt, consent, gap, fighting, least_consent, widest_gap):
    """Say whether a condition of a contingent's caveats fails.

    Parameters
    ----------
    caveat : (5,) bool, the conditions it carries; felt : 0..1 violence felt where it is; consent : 0..1 of the host
    gap : 0..1 between the most and the least hostile faction
    fighting, least_consent, widest_gap : 0..1 at which there is no cease-fire, no consent, no impartiality
    """
    return (
        (caveat[CEASEFIRE] and felt > fighting)
        or (caveat[CONSENT] and consent < least_consent)
        or (caveat[IMPARTIALITY] and gap > widest_gap)
    )


@kernel
def lateness(owed, half):
    """Return how late pay is, as people feel it: 0..1. Weeks are borne, months are not.

    Parameters
    ----------
    owed : weeks of pay owed; half : weeks that are felt half
    """
    return owed * owed / (owed * owed + half * half)


@kernel
def next_in_hand(in_hand, income, bill, reserve, weeks):
    """Return the weeks of pay in hand after a step; negative: owed. What comes beyond the reserve is not drawn.

    Parameters
    ----------
    in_hand, reserve : weeks of pay; income, bill : US$ a year; weeks : length of the step
    """
    covered = income / bill if bill > 0.0 else 1.0
    return min(in_hand + weeks * (covered - 1.0), reserve)


@kernel
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


def deploy(model: "PeaceModel") -> None:
    """Bring every unit to the strength it has this week, and pay for it."""
    m = model.missions
    if model.phases and model.phases[0] <= model.week:
        model.phases = [w for w in model.phases if w > model.week]
        m.capacity = capacities(model.params, model.everybody, m.arrive, model.week)
    if any(cut is not None for cut in m.cuts):
        _change_funding(model, m)
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
    _hold_back(w)
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
    _be_what_they_are(w)
    _pay(w, share, served)
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


@kernel
def _stay(w):
    """Return the share of what each group of contingents offers that is there: (G,) 0..1.

    Of those who are willing a mission takes what it needs; where some go, others who offered more take their place.
    """
    m, g, d = w.missions, w.contributors, w.numbers.deploy
    willing, more, there = np.zeros(m.command.size), 1.0 - fading(w, d.replacement), np.zeros(g.home.size)
    for i in range(g.home.size):
        willing[g.mission[i]] += g.offered[i] if g.home[i] == np.inf else 0.0
    for i in range(willing.size):
        needed = 1.0 / max(willing[i], 1.0)
        m.taken[i] += (needed - m.taken[i]) * (more if needed > m.taken[i] else 1.0)
    for i in range(there.size):
        gone = (w.week[0] - g.home[i]) / d.called_home
        there[i] = min(max(1.0 - gone, 0.0), 1.0) * m.taken[g.mission[i]]
    return there


@kernel
def _man(w, share):
    """Give every unit the people whom plan, money, Council and contributors let it have; share : (M, 5) of the plan."""
    m, u = w.missions, w.units
    stay, replaced = _stay(w), fading(w, w.numbers.deploy.replacement)
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


@kernel
def _hold_back(w):
    """Suspend the contingents whose caveats say so, and let those who sent them call them home."""
    m, u, g, d, hostility = w.missions, w.units, w.contributors, w.numbers.deploy, w.factions.hostility
    n, host, judge = u.cell.size, hostility_of_host(w), w.numbers.judge
    refused, partial = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for i in range(n):
        q, at = m.command[u.mission[i]], u.cell[i]
        gap = hostility[:, q].max() - hostility[:, q].min()
        refused[i] = at >= 0 and hostility[controller(w, at), q] > judge.withdrawal
        u.suspended[i] = False
        if u.contributor[i] >= 0:
            caveat, felt = g.caveat[u.contributor[i]], w.land.felt[at] if at >= 0 else 0.0
            consent = 0.0 if refused[i] else 1.0 - host[q]  # of the host and of the parties
            u.suspended[i] = u.caveated[i] and fails(
                caveat=caveat, felt=felt, consent=consent, gap=gap, fighting=d.caveat_fighting,
                least_consent=1.0 - judge.expulsion, widest_gap=d.caveat_gap,
            )  # fmt: skip
            partial[i] = u.suspended[i] and caveat[WITHDRAW] and caveat[IMPARTIALITY] and gap > d.caveat_gap
    _call_home(w)
    for i in range(n):
        u.suspended[i] = u.suspended[i] or (m.by_consent[u.mission[i]] and refused[i])
        if partial[i]:
            u.strength[i] = 0.0  # partiality is not cured by waiting in a base; fighting may be


@kernel
def _call_home(w):
    """Let those who sent contingents call them home: for the mandate, for their dead, for a principle that failed."""
    m, u, g, d = w.missions, w.units, w.contributors, w.numbers.deploy
    n, luck, left = g.home.size, draws.luck(w.dice, WITHDRAWAL), fading(w, d.loss_memory)
    there, failing, dead, sent = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)  # by who sends them, of all groups
    for i in range(n):
        g.lost[i] *= left
        dead[g.sender[i]] += g.lost[i]
        sent[g.sender[i]] += g.sent[i]
    for i in range(u.cell.size):
        if not u.team[i]:
            sender, persons = g.sender[u.contributor[i]], in_uniform(u.strength, i)
            there[sender] += persons
            failing[sender] += persons if u.suspended[i] else 0.0
    for i in range(n):
        if g.bound[i] and g.home[i] == np.inf:
            j, sender = g.mission[i], g.sender[i]
            goes = m.use_of_force[j] > g.force[i] or m.politics[j] > g.politics[i]
            goes = goes or 1_000.0 * dead[sender] > g.losses[i] * max(sent[sender], 1e-9)
            rate = d.caveat_withdrawal * failing[sender] / max(there[sender], 1e-9)
            fed_up = draws.draw(luck, g.luck[i]) < draws.chance(rate * w.years) and g.caveat[i, WITHDRAW]
            if goes or fed_up:
                g.home[i] = w.week[0]


@kernel
def _be_what_they_are(w):
    """Take note of what those who are there are like: how ready to use force, how able, how dear.

    Of ability, restraint and local knowledge people have what their force has, by who sent them, and less when pay is
    late.
    """
    m, u, g = w.missions, w.units, w.contributors
    n = m.command.size
    active, bound, total, quality = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, 4))
    for i in range(u.cell.size):
        if not u.team[i]:
            j, group, persons = u.mission[i], u.contributor[i], in_uniform(u.strength, i)
            total[j] += persons
            quality[j] += persons * g.quality[group]
            if not u.suspended[i]:
                active[j] += persons
                bound[j] += persons if u.caveated[i] and g.caveat[group, MINIMUM_FORCE] else 0.0
    for j in range(n):
        m.willing[j] = m.use_of_force[j] * (1.0 - bound[j] / max(active[j], 1e-9))
        for trait in range(quality.shape[1]):
            m.quality[j, trait] = quality[j, trait] / total[j] if total[j] > 0.0 else 1.0


@kernel
def _pay(w, share, served):
    """Take in what arrives, pay whom it is enough for, and see what follows where it is not.

    Parameters
    ----------
    share : (M, 5) of its personnel that the plan has there; served : (M,) bool, its head office is there
    """
    m, d, now = w.missions, w.numbers.deploy, w.now
    n, back, home = m.command.size, 1.0 - fading(w, d.replacement), 1.0 - fading(w, d.repatriation)
    bill, of_plan = np.zeros(n), np.zeros(n)
    for j in range(n):
        bill[j] = of_plan[j] = m.headquarters[j] if served[j] else 0.0
        missing = 0.0
        for kind in range(share.shape[1]):
            persons, planned = m.persons[j, kind], m.personnel[j, kind] * share[j, kind]
            dearer = m.quality[j, PRICE] / m.mean_price[j] if kind < STAFF else 1.0
            bill[j] += persons * m.price[j, kind] * dearer
            of_plan[j] += planned * m.price[j, kind]
            missing += planned - persons if kind < STAFF else 0.0
        now.missing[j] = max(missing, 0.0)
    settle_accounts(
        p=d, y=w.years, weeks=w.step_weeks, comes_in=1.0 - fading(w, d.arrears_half), back=back, due=of_plan,
        bill=bill, funding=m.funding, paid=m.paid, pledged=m.pledged, reserve=m.reserve, recorded=m.recorded,
        in_hand=m.in_hand, outstanding=m.outstanding, away=m.away, late=m.late, cost=now.cost,
    )  # fmt: skip
    m.spent += now.cost
    wanted = affordable(m)
    for j in range(n):
        late, able, quality = m.late[j], m.able[j], m.quality[j]
        m.ability[j] = min(able[ABILITY] * quality[ABILITY], 1.0) * (1.0 - d.short_ability * late)
        m.restraint[j] = min(able[RESTRAINT] * quality[RESTRAINT], 1.0) * (1.0 - d.short_restraint * late)
        m.knowledge[j] = min(able[KNOWLEDGE] * quality[KNOWLEDGE], 1.0)
        m.mobility[j] = able[MOBILITY] * (1.0 - d.short_mobility * late)
        for kind in range(share.shape[1]):
            change = wanted[j, kind] - m.kept[j, kind]
            m.kept[j, kind] += change * (home if change < 0.0 else back)


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
