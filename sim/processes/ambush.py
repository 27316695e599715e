"""7. Ambush: hostile bands attack contingents and aid teams.

    hazard = rate x hostility x x / (x + guard x strength)     for every unit
             + raid x stock x x / (x + raiders + guard x escorts)        for an aid team: stocks are worth looting

The denominator rule of Humanitarian Outcomes: counts fall where fewer workers are out, so reports give attacks and
access together.
"""

import numpy as np

from sim import draws
from sim.params import UNIFORMED
from sim.state import Event


def hazard(p, hostile, fighters, guards):
    """Return the hazard (1/year) of an attack on each unit: (U,).

    Parameters
    ----------
    p : params.Ambush; hostile : (U,) fighters around weighted by hostility
    fighters : (U,) fighters around; guards : (U,) uniformed persons at hand
    """
    return p.rate * hostile / np.maximum(fighters + p.guard * guards, 1.0)


def raids(p, stock, looters, guards):
    """Return the hazard (1/year) of a raid on each aid team's stocks: (U,)."""
    return p.raid * stock * looters / np.maximum(looters + p.raiders + p.guard * guards, 1.0)


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
    escorts = model.escorts()
    guards = np.where(u.team, escorts, u.strength[:, UNIFORMED].sum(axis=1))
    hit, raid = (model.luck.uniform(f"ambush.{w}", u.luck) for w in ("hit", "raid"))
    hit = draws.happens(hit, hazard(p, hostile, around.sum(axis=0), guards), model.years)
    raid = draws.happens(raid, raids(p, u.stock, looters, guards), model.years) & u.team & u.access
    u.stock = np.minimum(1.0, u.stock + model.params.step_weeks / p.restock)
    struck = np.flatnonzero((hit | raid) & there)
    if not struck.size:
        return
    size, dead, who = (model.luck.uniform(f"ambush.{w}", u.luck) for w in ("size", "dead", "who"))
    for i in struck:
        lost = int(draws.heavy_tailed(size[i], p.severity, p.tail)) if hit[i] else 0
        if raid[i]:
            u.stock[i] *= 1 - p.looted
            lost += int(dead[i] < p.raid_deaths)
        weights = (hostility[:, i] if hit[i] else f.loot) * around[:, i]
        side = draws.pick(weights, who[i])
        lost = model.lose_from(i, lost)
        kind = "ambush" if hit[i] else "raid"
        model.now.events.append(Event(kind, int(side), int(u.mission[i]), int(u.cell[i]), deaths_b=lost))
