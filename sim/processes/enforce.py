"""Enforce: robust units wear bands down, hurt bystanders, and make enemies.

    hazard = rate x F / (F + phi X) x (1 in a campaign, `idle` at rest)

F is the effective presence that enforces, as far as the rules of engagement allow, X the fighters of the band's
faction in reach; a partial force spares the host. An operation removes a share of a band: a few die, most disperse and
may return (recruit). Harm to bystanders is proportional to the fighters killed and to the restraint that is lacking.
"""

import numpy as np

from sim import draws
from sim.processes.ambush import die_of_it
from sim.state import Event


def reach(force, host, host_reach, partiality, consent):
    """Return how far each mission's force reaches each faction: (F, M) 0..1.

    Parameters
    ----------
    force : (M,) use of force 0..1; host : (F,) bool
    host_reach, partiality, consent : (M,) 0..1
    """
    against_host = host_reach * consent * (1 - partiality)
    return np.where(host[:, None], against_host[None, :], 1.0) * force[None, :]


def hazard(p, force, fighters, active):
    """Return the hazard (1/year) of an operation against each band: (B,).

    Parameters
    ----------
    p : params.Enforce; force : (B,) effective presence, persons; fighters : (B,) of its faction in reach
    active : (B,) bool
    """
    pressed = force / (force + p.weight * np.maximum(fighters, 1.0))
    return p.rate * pressed * np.where(active, 1.0, p.idle)


def enforce(model):
    """Let missions act against the bands in reach."""
    f, bands, m, p = model.factions, model.bands, model.missions, model.params.enforce
    if not m.names:
        return
    n = bands.faction.size
    reached = reach(m.use_of_force, f.host, m.host_reach, m.partiality, 1 - model.hostility_of_host()[m.command])
    on_ground = model.task_presence("enforce")
    if not on_ground.any():
        return
    force = on_ground[:, bands.cell] * reached[bands.faction].T  # (M, B)
    force *= m.pace[:, None]  # the hour for which nobody had the signatures is an operation that nobody led
    active = bands.taking_part & (f.campaign[bands.faction] > 0)
    rates = hazard(p, force.sum(axis=0), model.strength_near(), active)
    rates *= 1 - f.refuge[bands.faction] * model.land.edge[bands.cell]  # nobody follows them over the border
    acts = draws.happens(model.luck.uniform("enforce.act", n), rates, model.years) & (bands.fighters > 0)
    if not acts.any():
        return
    words = ("who", "size", "killed", "own", "harm")
    luck = dict(zip(words, (model.luck.uniform(f"enforce.{w}", n) for w in words), strict=True))
    for b in np.flatnonzero(acts):
        _operation(model, b, draws.pick(force[:, b], luck["who"][b]), {w: luck[w][b] for w in words})


def _operation(model, b, who, luck):
    bands, p, now = model.bands, model.params.enforce, model.now
    removed = bands.fighters[b] * min(p.removed * 2 * luck["size"], 1)
    killed = min(int(removed * p.killed + luck["killed"]), int(bands.fighters[b]))
    faction, cell = bands.faction[b], bands.cell[b]
    model.lose_fighters(faction, np.array([b]), killed, to_rivals=False)
    scattered = min(max(removed - killed, 0.0), bands.fighters[b])
    bands.fighters[b] -= scattered
    bands.losses[b] += scattered
    model.factions.dispersed[faction] += scattered
    now.hit[faction, who] += killed + scattered
    own = int(p.own_losses * die_of_it(model.params.ambush, model.missions.medicine[who]) * killed + luck["own"])
    own = min(own, model.lose_personnel(who, cell, own))
    civilians = model.harm_bystanders(cell, killed, who, luck["harm"])
    now.events.append(Event("operation", int(who), int(faction), int(cell), own, killed, civilians))
