"""Fight: rival bands in reach engage; missions that separate them lower the odds.

    hazard = rate x fighters / band x aggression x campaign x foes / (foes + X) x (1 - S / (S + phi X))

X are the fighters of the faction in reach of a band, foes those of its rivals, S the effective presence that
separates. The dead are heavy-tailed in number, bounded by who is there, and shared by strength: the weaker side loses
more. All that are in reach take part, so that it does not matter in how many bands they come.
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.deaths import kill, lose_fighters, report
from sim.kernel import kernel
from sim.rules import SEPARATE, bands_near, drive, of_all, of_hired, survey, total
from sim.state import BATTLE

MEET = draws.decision("fight.meet")
WHOM, SIZE, CROSSFIRE = (draws.decisions(f"fight.{what}") for what in ("whom", "size", "crossfire"))


@kernel
def hazard(p, fighters, near, drive, foes, separation):
    """Return the hazard (1/year) that a band fights.

    Parameters
    ----------
    p : numbers.fight; fighters : of the band; near : of its faction in reach; drive : aggression, campaigns counted in
    foes : fighters of its rivals in reach; separation : effective presence there, persons
    """
    if fighters <= 0.0 or near < 1.0:
        return 0.0
    kept_apart = separation / (separation + p.separation * near)
    return p.rate * fighters / p.band * drive * foes / (foes + near) * (1.0 - kept_apart)


@kernel
def foes_of(rival, around, f, c):
    """Return the fighters of a faction's rivals in reach of a cell; rival : (F, F) bool, around : (F, C)."""
    out = 0.0
    for g in range(rival.shape[0]):
        if rival[f, g]:
            out += around[g, c]
    return out


@kernel
def rates(w):
    """Return the hazard (1/year) that each band fights: (B,)."""
    bands, around, p = w.bands, w.around, w.numbers.fight
    separation, driven, out = of_all(w, SEPARATE), drive(w, p.lull), np.zeros(bands.faction.size)
    for b in range(out.size):
        f, c = bands.faction[b], bands.cell[b]
        if bands.paused[b] <= 0.0:
            foes = foes_of(w.factions.rival, around, f, c)
            out[b] = hazard(
                p=p, fighters=bands.fighters[b], near=around[f, c], drive=driven[b], foes=foes,
                separation=separation[c],
            )  # fmt: skip
    return out


@rule
def fight(w):
    """Let rival bands meet, and bury the fighters and those caught in the crossfire."""
    survey(w)
    bands, luck, often = w.bands, draws.luck(w.dice, MEET), rates(w)
    battles = np.zeros(often.size, dtype=np.int64)
    for b in range(battles.size):
        battles[b] = draws.count(draws.draw(luck, b), often[b] * w.years)
    for nth in range(draws.most(battles)):
        luck = draws.luck(w.dice, WHOM[nth])
        for b in range(battles.size):
            if battles[b] > nth and bands.fighters[b] > 0.0:
                whose = _meets(w, b, draws.draw(luck, b))
                if whose >= 0:
                    size = draws.draw(draws.luck(w.dice, SIZE[nth]), b)
                    crossfire = draws.draw(draws.luck(w.dice, CROSSFIRE[nth]), b)
                    _battle(
                        w, cell=bands.cell[b], attacker=bands.faction[b], other=whose, size=size,
                        crossfire=crossfire,
                    )  # fmt: skip


@kernel
def _meets(w, b, luck):
    """Choose whom a band meets, by the fighters of its rivals' bands in reach: a faction, or -1."""
    faction, fighters = w.bands.faction, w.bands.fighters
    near = bands_near(w, w.bands.cell[b], -1)
    weight = np.zeros(near.size)
    for i in range(near.size):
        if w.factions.rival[faction[b], faction[near[i]]]:
            weight[i] = fighters[near[i]]
    found = draws.pick(weight, luck)
    return faction[near[found]] if found >= 0 else -1


@kernel
def _battle(w, cell, attacker, other, size, crossfire):
    """Let two factions meet in a cell, with all their bands in reach."""
    p = w.numbers.fight
    ours, theirs = bands_near(w, cell, attacker), bands_near(w, cell, other)
    x, y = total(w.bands.fighters, ours), total(w.bands.fighters, theirs)
    dead = draws.heavy_tailed(size, p.severity, exponent=p.tail, largest=p.largest)
    dead = min(dead, p.largest_share * (x + y))
    skill = of_hired(w, w.factions.hired_skill)
    a, b = x * skill[attacker], y * skill[other]
    # By the other's strength.
    lost_by_us = int(min(dead * b / (a + b) + 0.5, x))
    lost_by_them = int(min(dead * a / (a + b) + 0.5, y))
    lose_fighters(w, attacker, ours, lost_by_us, True)
    lose_fighters(w, other, theirs, lost_by_them, True)
    caught = int(p.crossfire * (lost_by_us + lost_by_them) + crossfire)
    civilians = kill(
        w, cell=cell, community=-1, wanted=caught, luck=crossfire, faction=attacker, mission=-1, crossfire=True,
    )  # fmt: skip
    report(
        w, kind=BATTLE, side_a=attacker, side_b=other, cell=cell, deaths_a=lost_by_us, deaths_b=lost_by_them,
        civilians=civilians,
    )  # fmt: skip
