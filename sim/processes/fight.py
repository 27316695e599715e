"""4. Fight: rival bands in reach engage; missions that separate them lower the odds.

    hazard = rate x aggression x campaign x foes / (foes + x) x (1 - S / (S + phi x))

x are a band's fighters, foes its rivals' within one cell, S the effective presence that separates. The dead are
heavy-tailed in number, bounded by who is there, and shared by strength: the weaker side loses more.
"""

import numpy as np

from sim import draws
from sim.state import Event


def hazard(p, aggression, fighters, foes, separation):
    """Return the hazard (1/year) that each band fights: (B,).

    Parameters
    ----------
    p : params.Fight; aggression : (B,) with campaigns counted in
    fighters, foes : (B,) persons; separation : (B,) effective presence, persons
    """
    kept_apart = separation / (separation + p.separation * np.maximum(fighters, 1e-9))
    return p.rate * aggression * foes / np.maximum(foes + fighters, 1e-9) * (1 - kept_apart)


def fight(model):
    """Let rival bands meet, and bury the fighters and those caught in the crossfire."""
    f, bands, p = model.factions, model.bands, model.params.fight
    n = bands.faction.size
    around = model.fighters_around()
    foes = (f.rival[bands.faction] * around[:, bands.cell].T).sum(axis=1)
    separation = model.task_presence("separate").sum(axis=0)[bands.cell]
    rates = hazard(p, model.drive(p.lull), bands.fighters, foes, separation) * (bands.paused <= 0)
    lucky = {w: model.luck.uniform(f"fight.{w}", n) for w in ("meet", "whom", "size", "crossfire")}
    for b in np.flatnonzero(draws.happens(lucky["meet"], rates, model.years) & (bands.fighters > 0)):
        near = np.isin(bands.cell, model.land.near[bands.cell[b]])
        others = np.flatnonzero(near & f.rival[bands.faction[b], bands.faction] & (bands.fighters >= 1))
        if others.size:
            other = others[draws.pick(bands.fighters[others][None, :], lucky["whom"][b : b + 1])[0]]
            _battle(model, b, other, lucky["size"][b], lucky["crossfire"][b])


def _battle(model, b, other, size, crossfire):
    bands, p = model.bands, model.params.fight
    x, y = bands.fighters[b], bands.fighters[other]
    dead = min(draws.heavy_tailed(size, p.severity, p.tail), p.largest_share * (x + y))
    dead_b = int(min(dead * y / (x + y) + 0.5, x))  # each side's dead in proportion to the other's strength
    dead_other = int(min(dead * x / (x + y) + 0.5, y))
    for band, lost in ((b, dead_b), (other, dead_other)):
        model.lose_fighters(band, lost, to_rivals=True)
    cell = bands.cell[b]
    guilty = bands.faction[b]
    civilians = model.kill(cell, int(p.crossfire * (dead_b + dead_other) + crossfire), crossfire, faction=guilty)
    model.now.events.append(
        Event("battle", int(guilty), int(bands.faction[other]), int(cell), dead_b, dead_other, civilians)
    )
