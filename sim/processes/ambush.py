"""Ambush: hostile bands attack contingents and aid teams.

    hazard = rate x persons / unit x hostile / (fighters + guard x arms)               for every unit
             x (1 + protest) where people pin it down x (1 - warned informed) for a contingent
             + raid x workers / team x stock x looters / (looters + raiders + guard x escorts)    for an aid team:
                                                                                     stocks are worth looting

A unit in uniform answers: always as far as its mandate lets it use force, else in self-defence. Fighters die, and
bystanders as far as restraint is lacking. Arms are those of the same command in reach: it does not matter in how many
bases and teams people serve. Training against ambush and mines lowers the hazards, and contingents that know where
bands are (task) keep out of their way; medicine saves some of those who are hit.

The denominator rule of Humanitarian Outcomes: counts fall where fewer workers are out, so reports give attacks and
access together.
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.deaths import die_of_it, lose_from, repel, report
from sim.kernel import kernel
from sim.rules import arms_around, escorts, holding_fire, in_uniform, lent, luck_of, survey, under_guard
from sim.siting import informed, known
from sim.state import AMBUSH, RAID

HIT, LOOT, SIZE, DEAD, WHO, CARE, FIRE, ANSWER, HARM = (
    draws.decision(f"ambush.{what}")
    for what in ("hit", "raid", "size", "dead", "who", "care", "fire", "answer", "harm")
)


@kernel
def hazard(p, size, hostile, fighters, guards):
    """Return the hazard (1/year) of an attack on a unit.

    Parameters
    ----------
    p : numbers.ambush; size : of a whole unit; hostile : fighters around weighted by hostility
    fighters : fighters around; guards : uniformed persons in reach
    """
    return p.rate * size * hostile / max(fighters + p.guard * guards, 1.0)


@kernel
def raids(p, size, stock, looters, guards):
    """Return the hazard (1/year) of a raid on an aid team's stocks; looters : fighters around, by their greed."""
    return p.raid * size * stock * looters / max(looters + p.raiders + p.guard * guards, 1.0)


@kernel
def rates(w, by_host):
    """Return the hazards (1/year) that each unit is attacked, and that each team is raided: two (U,).

    Parameters
    ----------
    by_host : (U,) fighters whom the host lends each as an escort
    """
    f, u, p, m, n = w.factions, w.units, w.numbers.ambush, w.missions, w.units.cell.size
    hit, raid, uniformed, escorted = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    hold, (own, others), seen = holding_fire(w), escorts(w), known(w)
    for i in range(n):
        uniformed[i] = in_uniform(u.strength, i)
        escorted[i] = own[i] + others[:, i].sum() + by_host[i]  # the host's guard keeps looters off
    arms = arms_around(w, uniformed)
    for i in range(n):
        if u.cell[i] >= 0:
            hostile, looters, fighters = 0.0, 0.0, 0.0
            for g in range(f.host.size):
                there = w.around[g, u.cell[i]]
                hostile += _hostility(w, g, i, by_host[i]) * there
                looters += f.loot[g] * there
                fighters += there
            size, guards = size_of(w, i), escorted[i] if u.team[i] else arms[i]
            fire = (1.0 - hold[u.cell[i]]) * (1.0 + p.trained * (1.0 - 2.0 * m.training[u.mission[i]]))
            if not u.team[i]:
                fire *= 1.0 - p.warned * informed(w, u.mission[i], u.cell[i], seen[u.mission[i]])
            hit[i] = fire * hazard(p, size, hostile, fighters, guards) * (1.0 + p.protest if u.pinned[i] > 0.0 else 1.0)
            if u.team[i] and u.access[i]:
                raid[i] = fire * raids(p, size, u.stock[i], looters, escorted[i])
    return hit, raid


@kernel
def size_of(w, unit):
    """Return the size of a unit, of a whole one of its kind."""
    p = w.numbers.ambush
    return w.units.strength[unit].sum() / (p.team if w.units.team[unit] else p.unit)


@rule
def ambush(w):
    """Let hostile bands and looters attack the units in their reach."""
    u, p, n = w.units, w.numbers.ambush, w.units.cell.size
    if not (u.cell >= 0).any():
        return
    survey(w)
    by_host, luck_hit, luck_raid = lent(w), draws.luck(w.dice, HIT), draws.luck(w.dice, LOOT)
    often_hit, often_raid = rates(w, by_host)
    hit, raid = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for i in range(n):
        hit[i] = draws.draw(luck_hit, u.luck[i]) < draws.chance(often_hit[i] * w.years)
        raid[i] = draws.draw(luck_raid, u.luck[i]) < draws.chance(often_raid[i] * w.years)
        u.stock[i] = min(1.0, u.stock[i] + w.step_weeks / p.restock)
    for i in range(n):
        if hit[i] or raid[i]:
            _struck(w, i=i, hit=hit[i], raid=raid[i], size=size_of(w, i), lent=by_host[i])


@kernel
def _hostility(w, faction, unit, lent):
    """Return a faction's hostility to a unit, the escort counted in that the host lends it, in fighters: 0..1."""
    usual = w.factions.hostility[faction, w.missions.command[w.units.mission[unit]]]
    return max(usual, under_guard(w, faction, lent)) if lent > 0.0 else usual


@kernel
def _struck(w, i, hit, raid, size, lent):
    """Let a unit be attacked, or a team be raided, by one of the factions around it."""
    f, u, p = w.factions, w.units, w.numbers.ambush
    cell, mission = u.cell[i], u.mission[i]
    size_of_blow = draws.heavy_tailed(luck_of(w, SIZE, u.luck[i]), p.severity, exponent=p.tail, largest=p.largest)
    lost = int(size_of_blow) if hit else 0
    if raid:
        u.stock[i] = max(0.0, u.stock[i] - p.looted / max(size, 1e-9))
        lost += int(luck_of(w, DEAD, u.luck[i]) < p.raid_deaths)
    weights = np.empty(f.host.size)
    for g in range(weights.size):
        weights[g] = (_hostility(w, g, i, lent) if hit else f.loot[g]) * w.around[g, cell]
    side = draws.pick(weights, luck_of(w, WHO, u.luck[i]))
    lost = lose_from(w, i, int(lost * die_of_it(w, mission) + luck_of(w, CARE, u.luck[i])) if lost else 0)
    killed, hurt = 0, 0
    if (
        hit
        and not u.team[i]
        and luck_of(w, FIRE, u.luck[i]) < p.self_defence + (1.0 - p.self_defence) * w.missions.willing[mission]
    ):
        wanted = p.answer * w.missions.ability[mission] + luck_of(w, ANSWER, u.luck[i])
        harm = luck_of(w, HARM, u.luck[i])
        killed, hurt = repel(w, faction=side, cell=cell, wanted=wanted, mission=mission, luck=harm)
    report(
        w, kind=RAID if u.team[i] else AMBUSH, side_a=side, side_b=mission, cell=cell, deaths_a=killed, deaths_b=lost,
        civilians=hurt,
    )  # fmt: skip
