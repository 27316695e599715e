"""Prey: bands attack civilians; protection deters; attacks call for reprisals.

    hazard = rate x fighters / band x abuse x aggression x campaign x motive x targets / (targets + half)
             x (1 - P / (P + phi X))

X are the fighters of the faction in reach, so that it does not matter in how many bands they come. Targets are the
people of other communities in reach: in the place of a band and those around it, which is as far as it fights. P is
the effective presence that protects where the band is: troops and police, as far as their mandate lets them use
force, and against the host's own forces only as far as mandate and consent reach. Motive rises when rivals are near,
after recent losses (Hultman; Wood 2014), and where one's own people were just killed (reprisal). Reporting restrains a
faction that is committed to the process.

A mission that is there when it happens steps in, with a probability that grows with its presence and with the force
that it may use; it saves victims, kills attackers, harms bystanders, and makes enemies. Else it stood by, and people
hold that against its flag. Those who care for the wounded near by save some of the victims.
People in a camp or a protection site draw attacks; who guards it stands behind walls and saves most of them.
"""

import numba
import numpy as np

from sim import draws
from sim.state import Event


@numba.njit(cache=True)
def hazards(p, faction, cell, fighters, near, losses, drive, reach, share, around, rival, grief, community, population,
            guard, reports, abuse, commitment):  # fmt: skip
    """Return the hazard (1/year) that each band attacks civilians: (B,).

    Parameters
    ----------
    p : numbers.prey
    faction, cell : (B,) int; fighters, losses : (B,) persons; near : (B,) fighters of its faction in reach
    drive : (B,) aggression with campaigns counted in
    reach : (C, R) int, share : (R,) cells in reach; around : (F, C) fighters there; rival : (F, F) bool
    grief : (C, K) own dead lately; community : (F, K) 0..1; population : (C, K) persons
    guard : (F, C) effective protection; reports : (C,) reporting
    abuse : (F,) ratio; commitment : (F,) 0..1
    """
    out = np.zeros(faction.size)
    for b in range(faction.size):
        f, c, x = faction[b], cell[b], near[b]
        if fighters[b] <= 0.0 or x < 1.0:
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
        motive = 1.0 + p.rivals * foes / (foes + x) + p.losses * losses[b] / (losses[b] + p.losses_half * fighters[b])
        motive += p.reprisal * own_dead / (own_dead + p.reprisal_half)
        deterred = guard[f, c] / (guard[f, c] + p.protection * x)
        restrained = p.restraint * commitment[f] * reports[c] / (reports[c] + p.reporters)
        found = targets / (targets + p.targets)
        fights = p.rate * fighters[b] / p.band * abuse[f] * drive[b]
        out[b] = fights * motive * found * (1.0 - deterred) * (1.0 - restrained)
    return out


def prey(model):
    """Let bands attack the people where they are."""
    f, bands, land, p = model.factions, model.bands, model.land, model.params.prey
    n = bands.faction.size
    targets = _targets(model)
    land.grief *= model.fading(p.reprisal_memory)
    bands.losses *= model.fading(p.loss_memory)
    reports, near = model.task_presence("report").sum(axis=0), model.strength_near()
    rates = hazards(
        p=model.numbers.prey, faction=bands.faction, cell=bands.cell, fighters=bands.fighters,
        near=near, losses=bands.losses, drive=model.drive(p.lull), reach=land.reach, share=land.reach_share,
        around=model.fighters_around(), rival=f.rival, grief=land.grief, community=f.community,
        population=targets, guard=model.guard, reports=reports, commitment=f.commitment,
        abuse=f.abuse * model.of_hired("abuse") if f.hired.any() else f.abuse,
    )  # fmt: skip
    attacks = draws.counts(model.luck.uniform("prey.attack", n), rates, model.years) * (bands.paused <= 0)
    words = ("whom", "size", "help", "who", "killed", "harm", "wounds", "gate")
    for nth in range(attacks.max(initial=0)):
        luck = {w: model.luck.uniform(f"prey.{w}{nth}", n) for w in words}
        for b in np.flatnonzero(attacks > nth):
            _attack(model, b, near[b], targets, {w: luck[w][b] for w in words})


def _targets(model):
    """Return how the people of every cell and community draw attacks: persons, more in camps and sites: (C, K)."""
    people, sheltered = model.census.population, model.land.sheltered
    return people + (model.params.prey.site_target - 1) * sheltered if model.land.site.any() else people


def _victims(model, b, targets, luck):
    """Choose among the people of other communities in a band's reach: cell and community."""
    cells, share = model.reach(model.bands.cell[b])
    targets = targets[cells] * (1 - model.factions.community[model.bands.faction[b]])
    return model.somebody(cells, targets * share[:, None], luck)


def _attack(model, b, near, targets, luck):
    bands, p = model.bands, model.params.prey
    faction, (cell, whom) = bands.faction[b], _victims(model, b, targets, luck["whom"])
    scale = p.severity * (near / p.band) ** p.band_power
    meant = int(draws.heavy_tailed(luck["size"], scale, p.tail, p.largest) + 0.5)
    meant = min(meant, int(p.largest_share * model.census.population[cell, whom]))
    inside = model.land.sheltered[cell, whom] if whom >= 0 else 0.0
    at_site = inside > 0 and luck["gate"] * targets[cell, whom] < p.site_target * inside
    if at_site:
        guard = model.guard[faction, cell]
        meant = min(meant, int(p.largest_share * inside))
        meant -= int(p.walls * guard / (guard + p.gate * near) * meant)
    witnesses = model.by_command(model.task_presence("protect")[:, cell])
    stood_by = witnesses / (witnesses + near)
    ready = ready_to_help(model, faction, cell)
    helps = luck["help"] < ready.sum() / (ready.sum() + p.stepping_in * near)
    who = draws.pick(ready, luck["who"]) if helps else -1
    saved = int(p.stopped * meant) if helps else 0
    treated = int(p.wounded * model.care[cell] * (meant - saved) + luck["wounds"]) if model.care[cell] > 0 else 0
    dead = model.kill(cell, meant - saved - treated, luck["size"], faction=faction, community=whom)
    model.now.killed_in_sites[0] += dead if at_site else 0
    if helps:
        stood_by[model.missions.command[who]] = 0.0
        own = np.flatnonzero(model.bands_near(cell) & (bands.faction == faction))
        killed = int(min(p.repelled * saved + luck["killed"], bands.fighters[own].sum()))
        model.hit(faction, own, killed, who)
        hurt = model.harm_bystanders(cell, killed, who, luck["harm"])
        if killed or hurt:
            event = Event("operation", int(who), int(faction), int(cell), 0, killed, hurt)
            model.now.events.append(event)
    model.now.stood_by[:, cell] += stood_by
    if dead:
        model.now.events.append(Event("attack", int(faction), -1, int(cell), deaths_civilians=dead))


def ready_to_help(model, faction, cell):
    """Return the presence of every mission in a cell that would use force against a faction there: (M,)."""
    m = model.missions
    force = m.willing.copy()
    if model.factions.host[faction]:
        force *= m.host_reach * (1 - m.partiality) * (1 - model.hostility_of_host())[m.command]
    return model.task_presence("protect")[:, cell] * force
