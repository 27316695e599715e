"""4. Fight: rival bands in reach engage; missions that separate them lower the odds.

    hazard = rate x aggression x campaign x foes / (foes + x) x (1 - S / (S + phi x))

x are a band's fighters, foes its rivals' within one cell, S the effective presence that separates. The dead are
heavy-tailed in number, bounded by who is there, and shared by strength: the weaker side loses more.
"""

import numba
import numpy as np

from sim import draws
from sim.state import Event


@numba.njit(cache=True)
def hazards(p, faction, cell, fighters, drive, around, rival, separation):
    """Return the hazard (1/year) that each band fights, and its rivals in reach: two (B,).

    Parameters
    ----------
    p : numbers.fight
    faction, cell : (B,) int; fighters : (B,) persons; drive : (B,) aggression with campaigns counted in
    around : (F, C) fighters in reach; rival : (F, F) bool; separation : (C,) effective presence, persons
    """
    out, foes = np.zeros(faction.size), np.zeros(faction.size)
    for b in range(faction.size):
        f, c, x = faction[b], cell[b], fighters[b]
        for g in range(rival.shape[0]):
            if rival[f, g]:
                foes[b] += around[g, c]
        if x >= 1.0:
            kept_apart = separation[c] / (separation[c] + p.separation * x)
            out[b] = p.rate * drive[b] * foes[b] / (foes[b] + x) * (1.0 - kept_apart)
    return out, foes


def fight(model):
    """Let rival bands meet, and bury the fighters and those caught in the crossfire."""
    f, bands, p = model.factions, model.bands, model.params.fight
    n = bands.faction.size
    separation = model.task_presence("separate").sum(axis=0)
    rates, _ = hazards(
        p=model.numbers.fight, faction=bands.faction, cell=bands.cell, fighters=bands.fighters,
        drive=model.drive(p.lull), around=model.fighters_around(), rival=f.rival, separation=separation,
    )  # fmt: skip
    battles = draws.counts(model.luck.uniform("fight.meet", n), rates, model.years) * (bands.paused <= 0)
    for nth in range(battles.max(initial=0)):
        whom, size, crossfire = (model.luck.uniform(f"fight.{w}{nth}", n) for w in ("whom", "size", "crossfire"))
        for b in np.flatnonzero((battles > nth) & (bands.fighters >= 1)):
            near = model.bands_near(bands.cell[b]) & f.rival[bands.faction[b], bands.faction]
            others = np.flatnonzero(near & (bands.fighters >= 1))
            if others.size:
                other = others[draws.pick(bands.fighters[others], whom[b])]
                _battle(model, b, other, size[b], crossfire[b])


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
