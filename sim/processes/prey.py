"""Prey: bands attack civilians; protection deters; attacks call for reprisals.

    hazard = rate x fighters / band x abuse x aggression x campaign x motive x targets / (targets + half)
             x (1 - P / (P + phi X))

X are the fighters of the faction in reach, so that it does not matter in how many bands they come. Targets are the
people of other communities in reach: in the place of a band and those around it, which is as far as it fights. P is
the effective presence that protects where the band is: troops and police, as far as their mandate lets them use
force, and against the host's own forces only as far as mandate and consent reach. Motive rises when rivals are near,
after recent losses (Hultman; Wood 2014), and where one's own people were just killed (reprisal). Reporting restrains
whoever answers for it: a government, and other factions as far as they are committed to the process.

A mission that is there when it happens steps in, with a probability that grows with its presence, with the force that
it may use and with what it knows (task); it saves victims, kills attackers, harms bystanders, and makes enemies. Else
it stood by, and people hold that against its flag. Those who care for the wounded near by save some of the victims.
People in a camp or a protection site draw attacks; who guards it stands behind walls and saves most of them.
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.deaths import kill, repel, report
from sim.kernel import kernel
from sim.rules import (
    PROTECT,
    REPORT,
    drive,
    fading,
    hits_host,
    hostility_of_host,
    luck_of,
    of_all,
    of_hired,
    pick_somebody,
    survey,
)
from sim.siting import informed, known
from sim.state import ATTACK, OPERATION

COMES = draws.decision("prey.attack")
WHOM, SIZE, HELP, WHO, KILLED, HARM, WOUNDS, GATE = (
    draws.decisions(f"prey.{what}") for what in ("whom", "size", "help", "who", "killed", "harm", "wounds", "gate")
)


@kernel
def deterred(p, guard, near):
    """Return the share of its attacks that a band is deterred from: 0..1, below 1; arguments as of `hazard`."""
    return guard / (guard + p.protection * near)


@kernel
def hazard(p, fighters, near, losses, drive, foes, own_dead, targets, guard, reports, abuse, answers):
    """Return the hazard (1/year) that a band attacks civilians.

    Parameters
    ----------
    p : numbers.prey; fighters, losses : persons, of the band; near : fighters of its faction in reach
    drive : aggression, campaigns counted in; foes : fighters of its rivals in reach; own_dead : lately, in reach
    targets : persons of other communities in reach; guard : effective protection; reports : reporting
    abuse : ratio, of its faction; answers : 0..1 how far it answers for what is reported
    """
    if fighters <= 0.0 or near < 1.0:
        return 0.0
    motive = 1.0 + p.rivals * foes / (foes + near) + p.losses * losses / (losses + p.losses_half * fighters)
    motive += p.reprisal * own_dead / (own_dead + p.reprisal_half)
    held_back = deterred(p, guard, near)
    restrained = p.restraint * answers * reports / (reports + p.reporters)
    found = targets / (targets + p.targets)
    return p.rate * fighters / p.band * abuse * drive * motive * found * (1.0 - held_back) * (1.0 - restrained)


@kernel
def in_reach(w, f, c, targets):
    """Return what a faction finds in reach of a cell: fighters of its rivals, its own dead lately, people of others.

    Parameters
    ----------
    targets : (C, K) how the people of every cell and community draw attacks, persons
    """
    reach, share, own, grief, rival = (
        w.land.reach,
        w.land.reach_share,
        w.factions.community,
        w.land.grief,
        w.factions.rival,
    )
    foes, own_dead, people = 0.0, 0.0, 0.0
    for g in range(rival.shape[0]):
        if rival[f, g]:
            foes += w.around[g, c]
    for r in range(share.size):
        there = reach[c, r]
        if there >= 0:
            for k in range(own.shape[1]):
                own_dead += grief[there, k] * own[f, k] * share[r]
                people += targets[there, k] * (1.0 - own[f, k]) * share[r]
    return foes, own_dead, people


@kernel
def rates(w, targets):
    """Return the hazard (1/year) that each band attacks civilians: (B,); targets : (C, K) as people draw attacks."""
    bands, f, p = w.bands, w.factions, w.numbers.prey
    abuse, reports, driven = f.abuse * of_hired(w, f.hired_abuse), of_all(w, REPORT), drive(w, p.lull)
    out = np.zeros(bands.faction.size)
    for b in range(out.size):
        i, c = bands.faction[b], bands.cell[b]
        if bands.paused[b] <= 0.0:
            foes, own_dead, people = in_reach(w, i, c, targets)
            out[b] = hazard(
                p=p, fighters=bands.fighters[b], near=w.around[i, c], losses=bands.losses[b], drive=driven[b],
                foes=foes, own_dead=own_dead, targets=people, guard=w.guard[i, c], reports=reports[c],
                abuse=abuse[i], answers=1.0 if f.host[i] else f.commitment[i],
            )  # fmt: skip
    return out


@kernel
def count_deterred(w, often):
    """Count the attacks of this week that presence deters, and all to be expected without it; often : (B,) 1/year."""
    bands, now, years = w.bands, w.now, w.years
    for b in range(often.size):
        if often[b] > 0.0:
            i, c = bands.faction[b], bands.cell[b]
            held_back = deterred(w.numbers.prey, w.guard[i, c], w.around[i, c])
            intended = often[b] / (1.0 - held_back) * years
            now.intended[0] += intended
            now.deterred[0] += intended * held_back


@rule
def prey(w):
    """Let bands attack the people where they are."""
    bands, p = w.bands, w.numbers.prey
    survey(w)
    w.land.grief *= fading(w, p.reprisal_memory)
    bands.losses *= fading(w, p.loss_memory)
    targets, luck = draw_attacks(w), draws.luck(w.dice, COMES)
    often, near = rates(w, targets), np.empty(bands.faction.size)
    count_deterred(w, often)
    attacks = np.zeros(often.size, dtype=np.int64)
    for b in range(often.size):
        near[b] = w.around[bands.faction[b], bands.cell[b]]
        attacks[b] = draws.count(draws.draw(luck, b), often[b] * w.years)
    for nth in range(draws.most(attacks)):
        for b in range(often.size):
            if attacks[b] > nth:
                _attack(w, b, near[b], targets, nth)


@kernel
def draw_attacks(w):
    """Return how the people of every cell and community draw attacks: persons, more in camps and sites: (C, K)."""
    return w.census.population + (w.numbers.prey.site_target - 1.0) * w.land.sheltered


@kernel
def _attack(w, b, near, targets, nth):
    """Let a band, with those of its faction in reach, attack somebody of another community; some step in."""
    bands, now, p = w.bands, w.now, w.numbers.prey
    faction, size = bands.faction[b], luck_of(w, SIZE[nth], b)
    cell, whom = pick_somebody(w, bands.cell[b], faction, targets, luck_of(w, WHOM[nth], b))
    if whom < 0:
        return
    scale = p.severity * (near / p.band) ** p.band_power
    meant = int(draws.heavy_tailed(size, scale, exponent=p.tail, largest=p.largest) + 0.5)
    meant = min(meant, int(p.largest_share * w.census.population[cell, whom]))
    inside = w.land.sheltered[cell, whom]
    at_site = inside > 0.0 and luck_of(w, GATE[nth], b) * targets[cell, whom] < p.site_target * inside
    if at_site:
        guard = w.guard[faction, cell]
        meant = min(meant, int(p.largest_share * inside))
        meant -= int(p.walls * guard / (guard + p.gate * near) * meant)
    ready = ready_to_help(w, faction, cell)
    likely = ready.sum() / (ready.sum() + p.stepping_in * near)
    now.attacks[0] += 1.0
    now.answered[0] += likely
    helps = luck_of(w, HELP[nth], b) < likely
    who = draws.pick(ready, luck_of(w, WHO[nth], b)) if helps else -1
    saved = int(p.stopped * meant) if helps else 0
    care = w.care[cell]
    treated = int(p.wounded * care * (meant - saved) + luck_of(w, WOUNDS[nth], b)) if care > 0.0 else 0
    dead = kill(
        w, cell=cell, community=whom, wanted=meant - saved - treated, luck=size, faction=faction, mission=-1,
        crossfire=False,
    )  # fmt: skip
    if at_site:
        now.killed_in_sites[0] += dead
    if helps:
        wanted = p.repelled * saved + luck_of(w, KILLED[nth], b)
        killed, hurt = repel(w, faction=faction, cell=cell, wanted=wanted, mission=who, luck=luck_of(w, HARM[nth], b))
        if killed or hurt:
            report(
                w, kind=OPERATION, side_a=who, side_b=faction, cell=cell, deaths_a=0, deaths_b=killed, civilians=hurt
            )
    command, helper = w.missions.command, w.missions.command[who] if helps else -1
    for q in range(now.stood_by.shape[0]):
        witnesses = 0.0
        for m in range(command.size):
            if command[m] == q:
                witnesses += w.presence[m, PROTECT, cell]
        if q != helper:
            now.stood_by[q, cell] += witnesses / (witnesses + near)
    if dead:
        report(w, kind=ATTACK, side_a=faction, side_b=-1, cell=cell, deaths_a=0, deaths_b=0, civilians=dead)


@kernel
def ready_to_help(w, faction, cell):
    """Return the presence of every mission in a cell that is warned, and would use force against a faction: (M,)."""
    willing, seen, unwarned = w.missions.willing, known(w), w.numbers.prey.unwarned
    out, consent = np.empty(willing.size), 1.0 - hostility_of_host(w)
    for m in range(willing.size):
        warned = unwarned + (1.0 - unwarned) * informed(w, m, cell, seen[m])
        out[m] = w.presence[m, PROTECT, cell] * willing[m] * warned
        if w.factions.host[faction]:
            out[m] *= hits_host(w, m, consent)
    return out
