"""Recruit and demobilise: fighters join, desert, come back, lay down arms and take them up again.

Bands grow from aggrieved communities, most of all where missions killed their people, and from lootable resources,
toward what a faction can keep; dispersed fighters return unless something holds their heartland; committed factions
demobilise as fast as DDR can take them; ex-combatants settle where institutions are strong and re-arm where they are
weak.
"""

import numpy as np


def flows(p, fighters, keep, grudge, wronged, loot, commitment, dispersed, demobilised, held, ddr, state, y):
    """Return the week's (recruits, deserters, regrouped, demobilised, rearmed, settled) of each faction: six (F,).

    Parameters
    ----------
    p : params.Recruit; fighters, keep, dispersed, demobilised : (F,) persons
    wronged : (F,) own people killed by missions lately
    grudge, loot, commitment, held : (F,) 0..1; ddr : officers; state : 0..1 institutions; y : years
    """
    growth = p.grievance * grudge * (1 - commitment) + p.harm * wronged / (wronged + p.harm_half) + p.loot * loot
    growth = growth + p.upkeep * (1 - fighters / np.maximum(keep, 1.0))
    recruits = np.maximum(growth, 0) * fighters * np.clip(2 - fighters / np.maximum(keep, 1.0), 0, 1) * y
    deserters = p.desertion * commitment * fighters * y
    regrouped = p.regroup * (1 - p.holding * held) * dispersed * y
    wanted = p.ddr * commitment * fighters
    capacity = ddr * p.ddr_fighters
    laid_down = wanted * capacity / np.maximum(capacity + wanted.sum(), 1e-9) * y
    rearmed = p.rearm * (1 - state) * (1 - commitment) * demobilised * y
    settled = p.reintegrate * state * demobilised * y
    return recruits, deserters, regrouped, laid_down, rearmed, settled


def recruit(model):
    """Change every faction's numbers, and share the change over its bands."""
    f, bands, p = model.factions, model.bands, model.params.recruit
    n = f.host.size
    strength = model.strength()
    active = (f.enters <= model.week) & (model.week < f.leaves)
    f.wronged *= model.fading(p.harm_memory)
    recruits, deserters, regrouped, laid_down, rearmed, settled = flows(
        p=p, fighters=strength, keep=f.keep, grudge=model.grudge, wronged=f.wronged, loot=model.spoils(),
        commitment=f.commitment, dispersed=f.dispersed, demobilised=f.demobilised, held=model.held(),
        ddr=model.work_on("ddr").sum(), state=model.census.state, y=model.years,
    )  # fmt: skip
    joins = np.where(active, recruits + regrouped + rearmed, 0.0)
    goes = np.minimum(deserters + laid_down, strength)
    f.dispersed -= np.where(active, regrouped, 0.0)
    f.demobilised += laid_down - np.where(active, rearmed, 0.0) - settled
    f.settled += settled
    # Those who join go to the smaller bands, those who leave go from all alike.
    room = 1 / (bands.fighters + p.smallest)
    room /= np.bincount(bands.faction, room, n)[bands.faction]
    bands.fighters *= (1 - goes / np.maximum(strength, 1e-9))[bands.faction]
    bands.fighters += joins[bands.faction] * room
