"""Recruit and demobilise: fighters join, desert, come back, lay down arms and take them up again.

Bands grow from aggrieved communities, most of all where missions killed their people, and from lootable resources,
toward what a faction can keep, less so as it is committed; dispersed fighters return unless something holds their
heartland; committed factions demobilise as fast as DDR can take them; ex-combatants settle where institutions are
strong, or out of a programme that gives them a livelihood, and re-arm where they have neither. Who settles for good is
missed in the ranks: what a faction can keep shrinks by those whom nobody replaces. Factions with an income hire men:
private military companies, mercenaries.
"""

import numpy as np

from sim.compiled import rule
from sim.kernel import kernel
from sim.params import TASKS
from sim.rules import at_work, fading, held, spoils, strength

RECRUITED, DESERTED, REGROUPED, LAID_DOWN, REARMED, SETTLED = range(6)  # what `flows` returns of each faction
DDR, REINTEGRATE = TASKS.index("ddr"), TASKS.index("reintegrate")


@kernel
def flows(p, fighters, keep, grudge, wronged, loot, commitment, dispersed, demobilised, held, ddr, reintegrators, state,
          y):  # fmt: skip
    """Return the persons of each faction who do each of the six things this week, from RECRUITED to SETTLED: (6, F).

    Parameters
    ----------
    p : numbers.recruit; fighters, keep, dispersed, demobilised : (F,) persons
    wronged : (F,) own people killed by missions lately
    grudge, loot, commitment, held : (F,) 0..1; ddr : officers
    reintegrators : persons who help ex-combatants to a livelihood; state : 0..1 institutions; y : years
    """
    out = np.empty((6, fighters.size))
    wanted, waiting = 0.0, 0.0
    for f in range(fighters.size):
        wanted += p.ddr * commitment[f] * fighters[f]
        waiting += demobilised[f]
    capacity, looked_after = ddr * p.ddr_fighters, reintegrators * p.caseload
    cared_for = looked_after / max(looked_after + waiting, 1e-9)
    for f in range(fighters.size):
        filled = fighters[f] / max(keep[f], 1.0)
        growth = p.grievance * grudge[f] * (1.0 - commitment[f]) + p.harm * wronged[f] / (wronged[f] + p.harm_half)
        growth += p.loot * loot[f] + p.upkeep * (1.0 - p.pledge * commitment[f]) * (1.0 - filled)
        out[RECRUITED, f] = max(growth, 0.0) * fighters[f] * min(max(2.0 - filled, 0.0), 1.0) * y
        out[DESERTED, f] = p.desertion * commitment[f] * fighters[f] * y
        out[REGROUPED, f] = min(p.regroup * (1.0 - p.holding * held[f]) * y, 1.0) * dispersed[f]
        out[LAID_DOWN, f] = p.ddr * commitment[f] * fighters[f] * capacity / max(capacity + wanted, 1e-9) * y
        keeps_faith = (1.0 - p.loyalty * commitment[f]) * (1.0 - cared_for)
        out[REARMED, f] = p.rearm * (1.0 - state) * keeps_faith * demobilised[f] * y
        out[SETTLED, f] = (p.reintegrate * state + p.livelihood * cared_for) * demobilised[f] * y
        # However high the rates and long the step, no more go than there are.
        for a, b, there in ((DESERTED, LAID_DOWN, fighters[f]), (REARMED, SETTLED, demobilised[f])):
            if out[a, f] + out[b, f] > there:
                share = there / (out[a, f] + out[b, f])
                out[a, f] *= share
                out[b, f] *= share
    return out


@rule
def recruit(w):
    """Change every faction's numbers, and share the change over its bands."""
    f, bands, p, now = w.factions, w.bands, w.numbers.recruit, w.now
    n, week = f.host.size, w.week[0]
    income = spoils(w)
    _hire(w, income)
    fighters, f.wronged[:] = strength(w), f.wronged * fading(w, p.harm_memory)
    keep, faction = np.empty(n), bands.faction
    for i in range(n):
        f.mobilised[i] += mobilising(w, i) * (1.0 - f.mobilised[i])
        keep[i] = max(f.keep[i] * f.mobilised[i] * f.armed[i] - p.gone * f.settled[i], 0.0) + f.hired[i]
    change = flows(
        p=p, fighters=fighters, keep=keep, grudge=w.census.grudge, wronged=f.wronged, loot=spoils(w),
        commitment=f.commitment, dispersed=f.dispersed, demobilised=f.demobilised, held=held(w), ddr=at_work(w, DDR),
        reintegrators=at_work(w, REINTEGRATE), state=w.census.institutions[0], y=w.years,
    )  # fmt: skip
    joins, stays = np.zeros(n), np.ones(n)
    for i in range(n):
        if not f.enters[i] <= week < f.leaves[i]:
            change[RECRUITED, i], change[REGROUPED, i], change[REARMED, i] = 0.0, 0.0, 0.0
        laid_down, rearmed, settled = change[LAID_DOWN, i], change[REARMED, i], change[SETTLED, i]
        joins[i] = change[RECRUITED, i] + change[REGROUPED, i] + rearmed
        stays[i] = 1.0 - min(change[DESERTED, i] + laid_down, fighters[i]) / max(fighters[i], 1e-9)
        f.dispersed[i] -= change[REGROUPED, i]
        f.demobilised[i] += laid_down - rearmed - settled
        f.settled[i] += settled
        now.laid_down[i], now.resettled[i], now.rearmed[i] = laid_down, settled, rearmed
    # Those who join go to the smaller bands, those who leave go from all alike.
    room = np.zeros(n)
    for b in range(faction.size):
        room[faction[b]] += 1.0 / (bands.fighters[b] + p.smallest)
    for b in range(faction.size):
        share = 1.0 / (bands.fighters[b] + p.smallest) / room[faction[b]]
        bands.fighters[b] = bands.fighters[b] * stays[faction[b]] + joins[faction[b]] * share


@kernel
def mobilising(w, i):
    """Return how much of what it lacks to its strength in war a faction musters this week: 0..1."""
    grudge = w.census.grudge[i]
    anger = grudge / (grudge + w.numbers.move.grievance_half)
    return min(w.numbers.recruit.mobilise * anger * (1.0 - w.factions.commitment[i]) * w.years, 1.0)


@kernel
def _hire(w, income):
    """Let factions hire men as far as their income, (F,), pays for them, and send them away."""
    f, bands, fighters = w.factions, w.bands, strength(w)
    more = np.ones(f.host.size)
    for i in range(more.size):
        if f.hired_men[i] > 0.0 or f.hired[i] > 0.0:
            left = min(fighters[i], f.hired[i])  # they die, too
            serves = f.hired_since[i] <= w.week[0] < f.hired_until[i] and fighters[i] >= 1.0
            f.hired[i] = f.hired_men[i] * min(income[i] / f.hired_income[i], 1.0) if serves else 0.0
            more[i] = 1.0 + (f.hired[i] - left) / max(fighters[i], 1.0)
    for b in range(bands.faction.size):
        bands.fighters[b] *= more[bands.faction[b]]
