"""5. Prey: bands attack civilians; protection deters; attacks call for reprisals.

    hazard = rate x abuse x aggression x campaign x motive x min(1, targets) x (1 - P / (P + phi x))

P is the effective presence that protects: troops and police, as far as their mandate lets them use force, and
against the host's own forces only as far as mandate and consent reach. Motive rises when rivals are near, after
recent losses (Hultman; Wood 2014), and where one's own people were just killed (reprisal). Reporting restrains a
faction that is committed to the process.
"""

import numpy as np

from sim import draws
from sim.state import Event


def motive(p, foes, fighters, losses, grief):
    """Return the motive of each band, 1 at rest: (B,).

    Parameters
    ----------
    p : params.Prey; foes, fighters : (B,) persons; losses : (B,) persons lately
    grief : (B,) own people killed around, lately
    """
    x = np.maximum(fighters, 1.0)
    return (
        1
        + p.rivals * foes / (foes + x)
        + p.losses * losses / (losses + 0.1 * x)
        + p.reprisal * grief / (grief + 10.0)
    )


def hazard(p, drive, motives, targets, fighters, protection, restraint):
    """Return the hazard (1/year) that each band attacks civilians: (B,).

    Parameters
    ----------
    p : params.Prey; drive : (B,) abuse x aggression x campaign; motives : (B,); targets : (B,) persons there
    fighters : (B,); protection : (B,) effective presence, persons; restraint : (B,) 0..1
    """
    deterred = protection / (protection + p.protection * np.maximum(fighters, 1e-9))
    return p.rate * drive * motives * np.minimum(1, targets / 1_000.0) * (1 - deterred) * (1 - restraint)


def prey(model):
    """Let bands attack the people where they are."""
    f, bands, land, p = model.factions, model.bands, model.land, model.params.prey
    n = bands.faction.size
    land.grief *= model.fading(p.reprisal_memory)
    bands.losses *= model.fading(p.loss_memory)
    around = model.fighters_around()
    foes = (f.rival[bands.faction] * around[:, bands.cell].T).sum(axis=1)
    near = land.near[bands.cell]
    grief = (land.grief[near] * (near >= 0)[:, :, None]).sum(axis=1)
    grief = (grief * f.community[bands.faction]).sum(axis=1)
    prey_on = model.census.population[bands.cell] * (1 - f.community[bands.faction])
    protection = np.array([model.guard(i) for i in range(f.host.size)])
    reports = model.task_presence("report").sum(axis=0)[bands.cell]
    restraint = p.restraint * f.commitment[bands.faction] * reports / (reports + 20.0)
    rates = hazard(
        p, f.abuse[bands.faction] * model.drive(p.lull),
        motive(p, foes, bands.fighters, bands.losses, grief), prey_on.sum(axis=1),
        bands.fighters, protection[bands.faction, bands.cell], restraint,
    ) * (bands.paused <= 0)  # fmt: skip
    lucky = {w: model.luck.uniform(f"prey.{w}", n) for w in ("attack", "whom", "size")}
    attacks = draws.happens(lucky["attack"], rates, model.years) & (bands.fighters >= 1)
    for b in np.flatnonzero(attacks):
        whom = draws.pick(prey_on[b : b + 1], lucky["whom"][b : b + 1])[0]
        _attack(model, b, whom, lucky["size"][b])


def _attack(model, b, whom, size):
    bands, p = model.bands, model.params.prey
    cell, faction = bands.cell[b], bands.faction[b]
    scale = p.severity * (bands.fighters[b] / 150.0) ** 0.5  # larger bands do more harm, less than in proportion
    dead = int(draws.heavy_tailed(size, scale, p.tail) + 0.5)
    dead = min(dead, int(p.largest_share * model.census.population[cell, whom]))
    dead = model.kill(cell, dead, size, faction=faction, community=whom)
    witnesses = model.task_presence("protect")[:, cell]
    model.now.stood_by[:, cell] += witnesses / (witnesses + bands.fighters[b])
    if dead:
        model.now.events.append(Event("attack", int(faction), -1, int(cell), deaths_civilians=dead))
