"""5. Prey: bands attack civilians; protection deters; attacks call for reprisals.

    hazard = rate x abuse x aggression x campaign x motive x targets / (targets + half) x (1 - P / (P + phi x))

Targets are the people of other communities in reach: in the place of a band and those around it, which is as far as
it fights. P is the effective presence that protects where the band is: troops and police, as far as their mandate lets
them use force, and against the host's own forces only as far as mandate and consent reach. Motive rises when rivals
are near, after recent losses (Hultman; Wood 2014), and where one's own people were just killed (reprisal). Reporting
restrains a faction that is committed to the process.
"""

import numba
import numpy as np

from sim import draws
from sim.state import Event


@numba.njit(cache=True)
def hazards(faction, cell, fighters, losses, drive, reach, share, around, rival, grief, community, population, guard,
            reports, abuse, commitment, numbers):  # fmt: skip
    """Return the hazard (1/year) that each band attacks civilians: (B,).

    Parameters
    ----------
    faction, cell : (B,) int; fighters, losses : (B,) persons; drive : (B,) aggression with campaigns counted in
    reach : (C, R) int, share : (R,) cells in reach; around : (F, C) fighters there; rival : (F, F) bool
    grief : (C, K) own dead lately; community : (F, K) 0..1; population : (C, K) persons
    guard : (F, C) effective protection; reports : (C,) reporting
    abuse : (F,) ratio; commitment : (F,) 0..1
    numbers : rate, phi, weights of rivals, losses and reprisal in the motive, restraint; halves of targets found, of
        losses and of own dead as a motive, of reporting
    """
    rate, phi, by_rivals, by_losses, by_reprisal, restraint, half, losses_half, reprisal_half, reporters = numbers
    out = np.zeros(faction.size)
    for b in range(faction.size):
        f, c, x = faction[b], cell[b], fighters[b]
        if x < 1.0:
            continue
        foes, own_dead, targets = 0.0, 0.0, 0.0
        for g in range(rival.shape[0]):
            if rival[f, g]:
                foes += around[g, c]
        for r in range(share.size):
            there = reach[c, r]
            if there >= 0:
                for k in range(community.shape[1]):
                    own_dead += grief[there, k] * community[f, k] * share[r]
                    targets += population[there, k] * (1.0 - community[f, k]) * share[r]
        motive = 1.0 + by_rivals * foes / (foes + x) + by_losses * losses[b] / (losses[b] + losses_half * x)
        motive += by_reprisal * own_dead / (own_dead + reprisal_half)
        deterred = guard[f, c] / (guard[f, c] + phi * x)
        restrained = restraint * commitment[f] * reports[c] / (reports[c] + reporters)
        out[b] = (
            rate * abuse[f] * drive[b] * motive * targets / (targets + half) * (1.0 - deterred) * (1.0 - restrained)
        )
    return out


def prey(model):
    """Let bands attack the people where they are."""
    f, bands, land, p = model.factions, model.bands, model.land, model.params.prey
    n = bands.faction.size
    land.grief *= model.fading(p.reprisal_memory)
    bands.losses *= model.fading(p.loss_memory)
    reports = model.task_presence("report").sum(axis=0)
    numbers = (p.rate, p.protection, p.rivals, p.losses, p.reprisal, p.restraint, p.targets, p.losses_half,
               p.reprisal_half, p.reporters)  # fmt: skip
    rates = hazards(
        bands.faction, bands.cell, bands.fighters, bands.losses, model.drive(p.lull), land.reach, land.reach_share,
        model.fighters_around(), f.rival, land.grief, f.community, model.census.population, model.guard, reports,
        f.abuse, f.commitment, numbers,
    )  # fmt: skip
    attacks = draws.counts(model.luck.uniform("prey.attack", n), rates, model.years) * (bands.paused <= 0)
    for nth in range(attacks.max(initial=0)):
        whom, size = (model.luck.uniform(f"prey.{w}{nth}", n) for w in ("whom", "size"))
        for b in np.flatnonzero(attacks > nth):
            _attack(model, b, *_victims(model, b, whom[b]), size[b])


def _victims(model, b, luck):
    """Choose among the people of other communities in a band's reach: cell and community."""
    cells, share = model.reach(model.bands.cell[b])
    targets = model.census.population[cells] * (1 - model.factions.community[model.bands.faction[b]])
    return model.somebody(cells, targets * share[:, None], luck)


def _attack(model, b, cell, whom, size):
    bands, p = model.bands, model.params.prey
    faction = bands.faction[b]
    scale = p.severity * (bands.fighters[b] / p.band) ** p.band_power
    dead = int(draws.heavy_tailed(size, scale, p.tail) + 0.5)
    dead = min(dead, int(p.largest_share * model.census.population[cell, whom]))
    dead = model.kill(cell, dead, size, faction=faction, community=whom)
    witnesses = model.task_presence("protect")[:, cell]
    model.now.stood_by[:, cell] += witnesses / (witnesses + bands.fighters[b])
    if dead:
        model.now.events.append(Event("attack", int(faction), -1, int(cell), deaths_civilians=dead))
