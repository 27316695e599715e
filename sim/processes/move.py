"""Move: factions plan campaigns and lulls; bands march.

Violence feeds on itself and then spends itself, but what it did is remembered. A rested faction opens a campaign
with a hazard that its aggression raises, and

    1 + provocation by its dead of these weeks + grievance of its people, over years + weakness of the state where it
      lives + spoils of its deposits and money from outside,

and that shrinks with its stamina (the fighters it has, of those it can keep) and with a presence that holds its
heartland. So a war begins, goes on and comes back by the same rule, and prevention can prevent. A campaign has an
objective, a heavy-tailed length and a lognormal vigour; it ends when it is spent, and a rest follows. An objective
taken is followed by the next.
Bands in a campaign march on the objective; the others drift among their own people, near home and near what
can be looted. All avoid cells held by a presence stronger than they are.
"""

import math
from statistics import NormalDist

import numba
import numpy as np

from sim import draws
from sim.country import km_from


def onset(p, aggression, rest, provocation, grudge, state, spoils, stamina, held):
    """Return the hazard (1/year) that each faction opens a campaign: (F,).

    Parameters
    ----------
    p : params.Move; aggression : (F,) 0..1; rest : (F,) weeks until ready; provocation : (F,) own dead lately
    grudge : (F,) 0..1 grievance of its people toward its worst rival; state : (F,) 0..1 institutions where it lives
    spoils : (F,) 0..1 of its deposits and from outside; stamina : (F,) fighters, of those it can keep
    held : (F,) 0..1 presence in its heartland
    """
    stung = provocation**2 / (provocation**2 + p.provoking_deaths**2)  # a few dead are borne, many are not
    motive = 1 + p.provocation * stung + p.grievance * grudge / (grudge + p.grievance_half)
    motive += p.weakness * (1 - state) + p.spoils * spoils
    able = (rest <= 0) * np.minimum(stamina, 1.0) * (1 - p.deterrence * held)
    return p.campaign_rate * aggression * motive * able


@numba.njit(cache=True)
def march(p, who, hops, luck, goal, roams, guard, comfort, fighters, faction, row, col, near, stride,
          cell, held_up):  # fmt: skip
    """Move bands place by place: those in a campaign toward its objective, the others about their home.

    A cell's pull is steep in the progress it makes; for those who roam it also grows with comfort there. A
    presence that guards people pushes back, the more the fewer fighters of its faction are in reach of the band.

    Parameters
    ----------
    p : numbers.move
    who : (n,) int; hops : (B,) int, places a band can go; luck : (H, B) 0..1, one draw a hop
    goal : (B,) int, cell; roams : (B,) bool; guard, comfort : (F, C); fighters : (B,) of its faction in reach
    faction : (B,) int
    row, col : (C,) int; near : (C, 9) int, one place on; stride : int, cells from one place to the next
    cell, held_up : (B,) written
    """
    free = np.zeros(near.shape[1])
    for b in who:
        g = goal[b]
        for hop in range(hops[b]):
            here = cell[b]
            now = math.sqrt((row[here] - row[g]) ** 2 + (col[here] - col[g]) ** 2) / stride
            wanted = 0.0
            allowed = 0.0
            for r in range(near.shape[1]):
                c = near[here, r]
                if c >= 0:
                    progress = now - math.sqrt((row[c] - row[g]) ** 2 + (col[c] - col[g]) ** 2) / stride
                    gain = max(p.detour + progress, 0.02)
                    pull = gain * gain * gain
                    if roams[b]:
                        pull = (p.roaming + pull) * comfort[faction[b], c]
                    held = guard[faction[b], c]
                    wanted += pull
                    allowed += pull / (1.0 + p.wariness * held / (held + fighters[b]))
                free[r] = allowed
            held_up[b] = 1.0 - allowed / max(wanted, 1e-12)
            for r in range(near.shape[1]):
                if luck[hop, b] * allowed < free[r]:
                    cell[b] = near[here, r]
                    break


def vigour(luck, spread):
    """Return a lognormal intensity of mean 1."""
    return math.exp(spread * NormalDist().inv_cdf(min(max(luck, 1e-9), 1 - 1e-9)) - spread * spread / 2)


def move(model):
    """Let factions begin and end campaigns, then let bands march."""
    _come_and_go(model)
    _plan(model)
    _march(model)


def _come_and_go(model):
    f, bands, week = model.factions, model.bands, model.week
    if any(known is not None for known in f.sponsored):
        dated = [now if known is None else np.interp(week, *known)
                 for known, now in zip(f.sponsored, model.usual["sponsor"], strict=True)]  # fmt: skip
        model.set_usual("sponsor", dated)
    first = (f.enters > 0) & (f.enters <= week) & (week < f.enters + model.params.step_weeks)
    for i in np.flatnonzero(first):
        size = 0.5 + model.luck.uniform("move.enter", bands.faction.size)
        mine = bands.faction == i
        about = model.params.country.factions[f.names[i]]
        bands.fighters[mine] = f.keep[i] * about.mustered * size[mine] / size[mine].sum()
        f.provocation[i] = about.outbreak
    for i in np.flatnonzero(f.leaves <= week):
        mine = bands.faction == i
        f.demobilised[i] += bands.fighters[mine].sum() + f.dispersed[i]
        bands.fighters[mine], f.dispersed[i], f.campaign[i] = 0.0, 0.0, 0.0


def _plan(model):
    f, bands, p = model.factions, model.bands, model.params.move
    dt = model.params.step_weeks
    f.provocation *= model.fading(p.provocation_memory)
    f.rest = np.maximum(f.rest - dt, 0)
    running = f.campaign > 0
    f.campaign = np.maximum(f.campaign - dt, 0)
    n = f.host.size
    strength = np.bincount(bands.faction, bands.fighters, n)
    rates = onset(
        p=p, aggression=f.aggression, rest=f.rest, provocation=f.provocation, grudge=model.grudge,
        state=model.mean_at_home(model.land.institutions[bands.home]), spoils=model.spoils(),
        stamina=strength / np.maximum(f.keep, 1.0), held=model.held(),
    )  # fmt: skip
    opens = draws.happens(model.luck.uniform("move.onset", n), rates, model.years)
    for i in np.flatnonzero(running & ((f.campaign == 0) | (strength < 1))):
        f.campaign[i] = 0.0
        f.rest[i] = p.rest_weeks * 2 * model.luck.uniform("move.rest", n)[i]
        bands.taking_part[bands.faction == i] = False
    for i in np.flatnonzero(opens & ~running & (strength > 0)):
        length, spirit, goal = (model.luck.uniform(f"move.{w}", n)[i] for w in ("length", "vigour", "goal"))
        f.campaign[i] = draws.heavy_tailed(length, p.campaign_weeks / 3, 2.5)  # mean campaign_weeks
        f.vigour[i] = min(vigour(spirit, p.vigour), p.most_vigour)
        joins = model.luck.uniform("move.join", bands.faction.size) < p.taking_part
        bands.taking_part[(bands.faction == i) & joins] = True
        f.objective[i] = _objective(model, i, goal)
    if (f.campaign > 0).any():
        around = model.fighters_around()
        for i in np.flatnonzero(running & (f.campaign > 0)):
            goal = f.objective[i]
            if around[i, goal] > 0 and around[f.rival[i], goal].sum() == 0:  # won: on to the next
                f.objective[i] = _objective(model, i, model.luck.uniform("move.goal", n)[i])


def _objective(model, i, luck):
    """Choose what a campaign is for: rivals, hostile people, loot; near, and not too well protected."""
    f, bands, land, p = model.factions, model.bands, model.land, model.params.move
    mine = (bands.faction == i) & (bands.fighters > 0)
    centre = bands.cell[mine][bands.fighters[mine].argmax()]
    rivals = model.fighters_around()[f.rival[i]].sum(axis=0)
    foreign = model.census.of_place @ (1 - f.community[i])
    stakes = rivals / (rivals + p.objective_rivals) + foreign / (foreign + p.objective_people)
    stakes += p.objective_loot * f.loot[i] * land.resources
    guard = model.guard[i]
    near = 1 / (1 + (km_from(land, centre) / p.reach_km) ** 2)
    wary = 1 + p.wariness * guard / (guard + model.strength_near()[mine].mean())
    return draws.pick(stakes * near / wary, luck)


def _march(model):
    f, bands, land, p = model.factions, model.bands, model.land, model.params.move
    n = bands.faction.size
    km = p.speed * model.params.step_weeks * (1 - p.slowdown * land.remoteness[bands.cell])
    km *= max(0.0, 1 - p.mud * model.wet())
    hops = km / (land.stride * land.cell_km)
    hops = np.floor(hops + model.luck.uniform("move.hops", n)).astype(int)
    idle = model.luck.uniform("move.drift", n) > p.drift
    hops[(bands.fighters <= 0) | (idle & ~bands.taking_part)] = 0
    goal = np.where(bands.taking_part, f.objective[bands.faction], bands.home)
    bands.held_up[:] = 0
    luck = np.array([model.luck.uniform(f"move.hop{hop}", n) for hop in range(hops.max(initial=1))])
    march(
        p=model.numbers.move, who=np.flatnonzero(hops), hops=hops, luck=luck, goal=goal, roams=~bands.taking_part,
        guard=model.guard, comfort=f.comfort, fighters=model.strength_near(), faction=bands.faction, row=land.row,
        col=land.col, near=land.near, stride=land.stride, cell=bands.cell, held_up=bands.held_up,
    )  # fmt: skip
