"""Those who send contingents: who comes and stays, who is held back, who is called home, and what those are like.

A contingent with caveats is suspended where there is fighting, where host or party does not consent, or where its
mission is seen as partial (the five principles of Japan's PKO law). Those who send contingents come, and stay, on
conditions: a mandate too forceful or too political for them, their own dead, a principle that fails. Where a party that
controls a place withdraws its consent, a mission that serves by consent pulls back from there.
"""

import numpy as np

from sim import draws
from sim.kernel import kernel
from sim.rules import controller, fading, hostility_of_host, in_uniform
from sim.state import CEASEFIRE, CONSENT, IMPARTIALITY, MINIMUM_FORCE, WITHDRAW

WITHDRAWAL = draws.decision("deploy.withdraw")


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
def who_stays(w):
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
def hold_back(w):
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
def be_what_they_are(w):
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
