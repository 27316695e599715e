"""Fight: rival bands in reach engage; missions that separate them lower the odds.

    hazard = rate x fighters / band x aggression x campaign x foes / (foes + X) x (1 - S / (S + phi X))

X are the fighters of the faction in reach of a band, foes those of its rivals, S the effective presence that
separates. The dead are heavy-tailed in number, bounded by who is there, and shared by strength: the weaker side loses
more. All that are in reach take part, so that it does not matter in how many bands they come.
"""

import numba
import numpy as np

from sim import draws
from sim.state import Event


@numba.njit(cache=True)
def hazards(p, faction, cell, fighters, near, drive, around, rival, separation):
    """Return the hazard (1/year) that each band fights, and its rivals in reach: two (B,).

    Parameters
    ----------
    p : numbers.fight
    faction, cell : (B,) int; fighters : (B,) persons; near : (B,) of its faction in reach
    drive : (B,) aggression with campaigns counted in
    around : (F, C) fighters in reach; rival : (F, F) bool; separation : (C,) effective presence, persons
    """
    out, foes = np.zeros(faction.size), np.zeros(faction.size)
    for b in range(faction.size):
        f, c, x = faction[b], cell[b], near[b]
        for g in range(rival.shape[0]):
            if rival[f, g]:
                foes[b] += around[g, c]
        if fighters[b] > 0.0 and x >= 1.0:
            kept_apart = separation[c] / (separation[c] + p.separation * x)
            out[b] = p.rate * fighters[b] / p.band * drive[b] * foes[b] / (foes[b] + x) * (1.0 - kept_apart)
    return out, foes


def fight(model):
    """Let rival bands meet, and bury the fighters and those caught in the crossfire."""
    f, bands, p = model.factions, model.bands, model.params.fight
    n = bands.faction.size
    separation = model.task_presence("separate").sum(axis=0)
    rates, _ = hazards(
        p=model.numbers.fight, faction=bands.faction, cell=bands.cell, fighters=bands.fighters,
        near=model.strength_near(), drive=model.drive(p.lull), around=model.fighters_around(), rival=f.rival,
        separation=separation,
    )  # fmt: skip
    battles = draws.counts(model.luck.uniform("fight.meet", n), rates, model.years) * (bands.paused <= 0)
    for nth in range(battles.max(initial=0)):
        whom, size, crossfire = (model.luck.uniform(f"fight.{w}{nth}", n) for w in ("whom", "size", "crossfire"))
        for b in np.flatnonzero((battles > nth) & (bands.fighters > 0)):
            there = model.bands_near(bands.cell[b]) & (bands.fighters > 0)
            others = np.flatnonzero(there & f.rival[bands.faction[b], bands.faction])
            if others.size:
                whose = bands.faction[others[draws.pick(bands.fighters[others], whom[b])]]
                sides = [(i, np.flatnonzero(there & (bands.faction == i))) for i in (bands.faction[b], whose)]
                _battle(model, bands.cell[b], sides, size[b], crossfire[b])


def _battle(model, cell, sides, size, crossfire):
    """Let two factions meet in a cell, who attacks first; sides are (faction, its bands in reach)."""
    bands, p = model.bands, model.params.fight
    (attacker, _), (other, _) = sides
    x, y = (bands.fighters[mine].sum() for _, mine in sides)
    dead = min(draws.heavy_tailed(size, p.severity, p.tail, p.largest), p.largest_share * (x + y))
    ours, theirs = x, y
    if model.factions.hired.any():
        skill = model.of_hired("skill")
        ours, theirs = x * skill[attacker], y * skill[other]
    escape = 1 - model.factions.refuge[[attacker, other]] * model.land.edge[cell]  # over the border
    losses = (
        int(min(dead * theirs / (ours + theirs) * escape[0] + 0.5, x)),  # by the other's strength
        int(min(dead * ours / (ours + theirs) * escape[1] + 0.5, y)),
    )
    for (faction, mine), lost in zip(sides, losses, strict=True):
        model.lose_fighters(faction, mine, lost, to_rivals=True)
    civilians = model.kill(
        cell, int(p.crossfire * sum(losses) + crossfire), crossfire, faction=attacker, crossfire=True
    )
    model.now.events.append(Event("battle", int(attacker), int(other), int(cell), *losses, civilians))
