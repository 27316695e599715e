"""Ambush: hostile bands attack contingents and aid teams.

    hazard = rate x persons / unit x hostile / (fighters + guard x arms)               for every unit
             x (1 + protest) where people pin it down
             + raid x workers / team x stock x looters / (looters + raiders + guard x escorts)    for an aid team:
                                                                                     stocks are worth looting

A unit in uniform answers: always as far as its mandate lets it use force, else in self-defence. Fighters die, and
bystanders as far as restraint is lacking. Arms are those of the same command in reach: it does not matter in how many
bases and teams people serve. Training against ambush and mines lowers the hazards; medicine saves some of those who are
hit.

The denominator rule of Humanitarian Outcomes: counts fall where fewer workers are out, so reports give attacks and
access together.
"""

import numpy as np

from sim import draws
from sim.params import UNIFORMED
from sim.state import Event


def hazard(p, size, hostile, fighters, guards):
    """Return the hazard (1/year) of an attack on each unit: (U,).

    Parameters
    ----------
    p : params.Ambush; size : (U,) of a whole unit; hostile : (U,) fighters around weighted by hostility
    fighters : (U,) fighters around; guards : (U,) uniformed persons in reach
    """
    return p.rate * size * hostile / np.maximum(fighters + p.guard * guards, 1.0)


def raids(p, size, stock, looters, guards):
    """Return the hazard (1/year) of a raid on each aid team's stocks: (U,)."""
    return p.raid * size * stock * looters / np.maximum(looters + p.raiders + p.guard * guards, 1.0)


def die_of_it(p, medicine):
    """Return how many die of those who would under half of a full medicine: ratio."""
    return 1 + p.wounded * (1 - 2 * medicine)


def ambush(model):
    """Let hostile bands and looters attack the units in their reach."""
    f, u, p = model.factions, model.units, model.params.ambush
    there = u.cell >= 0
    if not there.any():
        return
    at = np.maximum(u.cell, 0)
    around = model.fighters_around()[:, at] * there
    hostility = f.hostility[:, model.missions.command[u.mission]]
    hostile = (hostility * around).sum(axis=0)
    looters = (f.loot[:, None] * around).sum(axis=0)
    own, others = model.escorts()
    escorts = own + others.sum(axis=0)
    guards = np.where(u.team, escorts, model.arms_around(u.strength[:, UNIFORMED].sum(axis=1)))
    if (lent := model.lent()).any():  # the host's guard keeps looters off, and draws those who fight the host
        escorts += lent
        guards = np.where(u.team, guards + lent, guards)
        hostility = np.maximum(hostility, model.under_guard(lent))
        hostile = (hostility * around).sum(axis=0)
    size = u.strength.sum(axis=1) / np.where(u.team, p.team, p.unit)
    in_protest = np.where(u.pinned > 0, 1 + p.protest, 1.0)
    hit, raid = (model.luck.uniform(f"ambush.{w}", u.luck) for w in ("hit", "raid"))
    fire = 1 - model.holding_fire()[at]
    fire *= (1 + p.trained * (1 - 2 * model.missions.training))[u.mission]
    hit = draws.happens(hit, in_protest * fire * hazard(p, size, hostile, around.sum(axis=0), guards), model.years)
    raid = draws.happens(raid, fire * raids(p, size, u.stock, looters, guards), model.years) & u.team & u.access
    u.stock = np.minimum(1.0, u.stock + model.params.step_weeks / p.restock)
    struck = np.flatnonzero((hit | raid) & there)
    if not struck.size:
        return
    toll, dead, who, care = (model.luck.uniform(f"ambush.{w}", u.luck) for w in ("size", "dead", "who", "care"))
    fire = {w: model.luck.uniform(f"ambush.{w}", u.luck) for w in ("fire", "answer", "harm")}
    for i in struck:
        lost = int(draws.heavy_tailed(toll[i], p.severity, p.tail, p.largest)) if hit[i] else 0
        if raid[i]:
            u.stock[i] = max(0.0, u.stock[i] - p.looted / max(size[i], 1e-9))
            lost += int(dead[i] < p.raid_deaths)
        weights = (hostility[:, i] if hit[i] else f.loot) * around[:, i]
        side = draws.pick(weights, who[i])
        lost = model.lose_from(
            i, int(lost * die_of_it(p, model.missions.medicine[u.mission[i]]) + care[i]) if lost else 0
        )
        killed, hurt = 0, 0
        if hit[i] and not u.team[i]:
            killed, hurt = _answer(model, i, side, {w: fire[w][i] for w in fire})
        kind = "ambush" if hit[i] else "raid"
        model.now.events.append(Event(kind, int(side), int(u.mission[i]), int(u.cell[i]), killed, lost, hurt))


def _answer(model, unit, side, luck):
    """Let a unit that was attacked return fire at a faction's bands around it: fighters and bystanders killed."""
    u, m, p, bands = model.units, model.missions, model.params.ambush, model.bands
    who, cell = u.mission[unit], u.cell[unit]
    if luck["fire"] >= p.self_defence + (1 - p.self_defence) * m.willing[who]:
        return 0, 0
    near = np.flatnonzero(model.bands_near(cell) & (bands.faction == side))
    killed = int(min(p.answer * m.ability[who] + luck["answer"], bands.fighters[near].sum()))
    model.hit(side, near, killed, who)
    return killed, model.harm_bystanders(cell, killed, who, luck["harm"])
