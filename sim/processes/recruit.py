"""Recruit and demobilise: fighters join, desert, come back, lay down arms and take them up again.

Bands grow from aggrieved communities, most of all where missions killed their people, and from lootable resources,
toward what a faction can keep, less so as it is committed; dispersed fighters return unless something holds their
heartland; committed factions demobilise as fast as DDR can take them; ex-combatants settle where institutions are
strong, or out of a programme that gives them a livelihood, and re-arm where they have neither. Who settles for good is
missed in the ranks: what a faction can keep shrinks by those whom nobody replaces. Factions with an income hire men:
private military companies, mercenaries.
"""

import numpy as np


def flows(p, fighters, keep, grudge, wronged, loot, commitment, dispersed, demobilised, held, ddr, state, y,
          reintegrators=0.0):  # fmt: skip
    """Return the week's (recruits, deserters, regrouped, demobilised, rearmed, settled) of each faction: six (F,).

    Parameters
    ----------
    p : params.Recruit; fighters, keep, dispersed, demobilised : (F,) persons
    wronged : (F,) own people killed by missions lately
    grudge, loot, commitment, held : (F,) 0..1; ddr : officers; state : 0..1 institutions; y : years
    reintegrators : persons who help ex-combatants to a livelihood
    """
    growth = p.grievance * grudge * (1 - commitment) + p.harm * wronged / (wronged + p.harm_half) + p.loot * loot
    growth = growth + p.upkeep * (1 - p.pledge * commitment) * (1 - fighters / np.maximum(keep, 1.0))
    recruits = np.maximum(growth, 0) * fighters * np.clip(2 - fighters / np.maximum(keep, 1.0), 0, 1) * y
    deserters = p.desertion * commitment * fighters * y
    regrouped = p.regroup * (1 - p.holding * held) * dispersed * y
    wanted = p.ddr * commitment * fighters
    capacity = ddr * p.ddr_fighters
    laid_down = wanted * capacity / np.maximum(capacity + wanted.sum(), 1e-9) * y
    looked_after = reintegrators * p.caseload
    cared_for = looked_after / np.maximum(looked_after + demobilised.sum(), 1e-9)
    rearmed = p.rearm * (1 - state) * (1 - p.loyalty * commitment) * (1 - cared_for) * demobilised * y
    settled = (p.reintegrate * state + p.livelihood * cared_for) * demobilised * y
    return recruits, deserters, regrouped, laid_down, rearmed, settled


def recruit(model):
    """Change every faction's numbers, and share the change over its bands."""
    f, bands, p = model.factions, model.bands, model.params.recruit
    n = f.host.size
    strength = model.strength()
    active = (f.enters <= model.week) & (model.week < f.leaves)
    strength = _hire(model, strength)
    f.mobilised += mobilising(model, p, f) * (1 - f.mobilised)
    keep = np.maximum(f.keep * f.mobilised * f.armed - p.gone * f.settled, 0.0) + f.hired
    f.wronged *= model.fading(p.harm_memory)
    recruits, deserters, regrouped, laid_down, rearmed, settled = flows(
        p=p, fighters=strength, keep=keep, grudge=model.grudge, wronged=f.wronged, loot=model.spoils(),
        commitment=f.commitment, dispersed=f.dispersed, demobilised=f.demobilised, held=model.held(),
        ddr=model.work_on("ddr").sum(), state=model.census.state, y=model.years,
        reintegrators=model.work_on("reintegrate").sum(),
    )  # fmt: skip
    joins = np.where(active, recruits + regrouped + rearmed, 0.0)
    goes = np.minimum(deserters + laid_down, strength)
    f.dispersed -= np.where(active, regrouped, 0.0)
    f.demobilised += laid_down - np.where(active, rearmed, 0.0) - settled
    f.settled += settled
    now = model.now
    now.laid_down[:], now.resettled[:], now.rearmed[:] = laid_down, settled, np.where(active, rearmed, 0.0)
    # Those who join go to the smaller bands, those who leave go from all alike.
    room = 1 / (bands.fighters + p.smallest)
    room /= np.bincount(bands.faction, room, n)[bands.faction]
    bands.fighters *= (1 - goes / np.maximum(strength, 1e-9))[bands.faction]
    bands.fighters += joins[bands.faction] * room


def mobilising(model, p, f):
    """Return how much of what it lacks to its strength in war each faction musters this week: (F,) 0..1."""
    anger = model.grudge / (model.grudge + model.params.move.grievance_half)
    return p.mobilise * anger * (1 - f.commitment) * model.years


def _hire(model, strength):
    """Let factions hire men as far as their income pays for them, and send them away; return their fighters: (F,)."""
    f, bands = model.factions, model.bands
    if not any(f.contract):
        return strength
    about = [model.params.country.factions[n].hired for n in f.names]
    serves = np.array([c is not None and c[0] <= model.week < c[1] for c in f.contract])
    wanted = serves * np.array([h.fighters for h in about])
    paid = np.minimum(model.spoils() / np.array([h.income for h in about]), 1.0)
    left = f.hired * np.where(f.hired > 0, np.minimum(strength / np.maximum(f.hired, 1e-9), 1.0), 0.0)  # they die, too
    hired = wanted * paid * (strength >= 1)
    bands.fighters *= (1 + (hired - left) / np.maximum(strength, 1.0))[bands.faction]
    f.hired = hired
    return model.strength()
