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
from typing import TYPE_CHECKING

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.rules import fading, held, km_between, luck_of, mean_at_home, spoils, strength, survey
from sim.seasons import wet

if TYPE_CHECKING:
    from sim.model import Model

ENTER, ONSET, REST, LENGTH, VIGOUR, GOAL, JOIN, HOPS, DRIFT = (
    draws.decision(f"move.{what}")
    for what in ("enter", "onset", "rest", "length", "vigour", "goal", "join", "hops", "drift")
)
HOP = draws.decisions("move.hop", 1_000)


@kernel
def onset(p, aggression, rest, provocation, grudge, state, spoils, stamina, held):
    """Return the hazard (1/year) that a faction opens a campaign.

    Parameters
    ----------
    p : numbers.move; aggression : 0..1; rest : weeks until ready; provocation : own dead lately
    grudge : 0..1 grievance of its people toward its worst rival; state : 0..1 institutions where it lives
    spoils : 0..1 of its deposits and from outside; stamina : fighters, of those it can keep
    held : 0..1 presence in its heartland
    """
    if rest > 0.0:
        return 0.0
    stung = provocation**2 / (provocation**2 + p.provoking_deaths**2)  # a few dead are borne, many are not
    motive = 1.0 + p.provocation * stung + p.grievance * grudge / (grudge + p.grievance_half)
    motive += p.weakness * (1.0 - state) + p.spoils * spoils
    return p.campaign_rate * aggression * motive * min(stamina, 1.0) * (1.0 - p.deterrence * held)


@kernel
def onsets(w):
    """Return the hazard (1/year) that each faction opens a campaign, as things stand: (F,)."""
    f, fighters, income, kept_down = w.factions, strength(w), spoils(w), held(w)
    state = mean_at_home(w, w.land.institutions[w.bands.home])
    out = np.empty(f.host.size)
    for i in range(out.size):
        out[i] = onset(
            p=w.numbers.move, aggression=f.aggression[i], rest=f.rest[i], provocation=f.provocation[i],
            grudge=w.census.grudge[i], state=state[i], spoils=income[i], stamina=fighters[i] / max(f.keep[i], 1.0),
            held=kept_down[i],
        )  # fmt: skip
    return out


@kernel
def march(p, dice, hops, goal, roams, guard, comfort, fighters, faction, row, col, near, stride, cell,
          held_up):  # fmt: skip
    """Move bands place by place: those in a campaign toward its objective, the others about their home.

    A cell's pull is steep in the progress it makes; for those who roam it also grows with comfort there. A
    presence that guards people pushes back, the more the fewer fighters of its faction are in reach of the band.

    Parameters
    ----------
    p : numbers.move
    dice : (2,) uint64; hops : (B,) int, places a band can go
    goal : (B,) int, cell; roams : (B,) bool; guard, comfort : (F, C); fighters : (B,) of its faction in reach
    faction : (B,) int
    row, col : (C,) int; near : (C, 9) int, one place on; stride : int, cells from one place to the next
    cell, held_up : (B,) written
    """
    free = np.zeros(near.shape[1])
    for b in range(hops.size):
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
                    gain = max(p.detour + progress, p.backward)
                    pull = gain * gain * gain
                    if roams[b]:
                        pull = (p.roaming + pull) * comfort[faction[b], c]
                    held = guard[faction[b], c]
                    wanted += pull
                    allowed += pull / (1.0 + p.wariness * held / (held + fighters[b]))
                free[r] = allowed
            held_up[b] = 1.0 - allowed / max(wanted, 1e-12)
            luck = draws.draw(draws.luck(dice, HOP[hop]), b) * allowed
            for r in range(near.shape[1]):
                if luck < free[r]:
                    cell[b] = near[here, r]
                    break


@kernel
def vigour(luck, spread):
    """Return a lognormal intensity of mean 1."""
    return math.exp(spread * draws.normal(min(max(luck, 1e-9), 1.0 - 1e-9)) - spread * spread / 2.0)


@rule
def _move(w):
    """Let factions begin and end campaigns, then let bands march."""
    _come_and_go(w)
    survey(w)
    _plan(w)
    _march(w)


def move(model: "Model") -> None:
    """Let factions begin and end campaigns, then let bands march."""
    f = model.factions
    if any(known is not None for known in f.sponsored):
        dated = [now if known is None else np.interp(model.week, *known)
                 for known, now in zip(f.sponsored, model.usual["sponsor"], strict=True)]  # fmt: skip
        model.set_usual("sponsor", dated)
    _move(model)


@kernel
def _come_and_go(w):
    """Let factions enter the war on their day, and leave it."""
    f, bands, week = w.factions, w.bands, w.week[0]
    for i in range(f.host.size):
        if 0.0 < f.enters[i] <= week < f.enters[i] + w.step_weeks:
            whole = 0.0
            for b in range(bands.faction.size):
                whole += 0.5 + luck_of(w, ENTER, b) if bands.faction[b] == i else 0.0
            for b in range(bands.faction.size):
                if bands.faction[b] == i:
                    bands.fighters[b] = f.keep[i] * f.musters[i] * (0.5 + luck_of(w, ENTER, b)) / whole
            f.provocation[i] = f.outbreak[i]
        if f.leaves[i] <= week:
            for b in range(bands.faction.size):
                if bands.faction[b] == i:
                    f.demobilised[i] += bands.fighters[b]
                    bands.fighters[b] = 0.0
            f.demobilised[i] += f.dispersed[i]
            f.dispersed[i], f.campaign[i] = 0.0, 0.0


@kernel
def _plan(w):
    """Let campaigns end, begin, and go on to the next objective."""
    f, bands, p = w.factions, w.bands, w.numbers.move
    n, fighters = f.host.size, strength(w)
    running = f.campaign > 0.0
    for i in range(n):
        f.rest[i], f.campaign[i] = max(f.rest[i] - w.step_weeks, 0.0), max(f.campaign[i] - w.step_weeks, 0.0)
        f.provocation[i] *= fading(w, p.provocation_memory)
    rates = onsets(w)
    for i in range(n):
        if running[i]:
            if f.campaign[i] == 0.0 or fighters[i] < 1.0:
                f.campaign[i] = 0.0
                f.rest[i] = p.rest_weeks * 2.0 * luck_of(w, REST, i)
                for b in range(bands.faction.size):
                    bands.taking_part[b] = bands.taking_part[b] and bands.faction[b] != i
        elif fighters[i] > 0.0 and luck_of(w, ONSET, i) < draws.chance(rates[i] * w.years):
            shortest = p.campaign_weeks * (p.campaign_tail - 2.0) / (p.campaign_tail - 1.0)  # gives them that mean
            f.campaign[i] = draws.heavy_tailed(luck_of(w, LENGTH, i), shortest, exponent=p.campaign_tail)
            f.vigour[i] = min(vigour(luck_of(w, VIGOUR, i), p.vigour), p.most_vigour)
            for b in range(bands.faction.size):
                if bands.faction[b] == i and luck_of(w, JOIN, b) < p.taking_part:
                    bands.taking_part[b] = True
            f.objective[i] = _objective(w, i, luck_of(w, GOAL, i))
    for i in range(n):
        if running[i] and f.campaign[i] > 0.0 and f.objective[i] >= 0:
            rivals, goal = 0.0, f.objective[i]
            for g in range(n):
                rivals += w.around[g, goal] if f.rival[i, g] else 0.0
            if w.around[i, goal] > 0.0 and rivals == 0.0:  # won: on to the next
                f.objective[i] = _objective(w, i, luck_of(w, GOAL, i))


@kernel
def _objective(w, i, luck):
    """Choose what a campaign is for: rivals, hostile people, loot; near, and not too well protected."""
    f, bands, land, p, of_place = w.factions, w.bands, w.land, w.numbers.move, w.census.of_place
    centre, largest, near, mine = -1, 0.0, 0.0, 0
    for b in range(bands.faction.size):
        if bands.faction[b] == i and bands.fighters[b] > 0.0:
            near += w.around[i, bands.cell[b]]
            mine += 1
            if bands.fighters[b] > largest:
                centre, largest = bands.cell[b], bands.fighters[b]
    pull = np.empty(of_place.shape[0])
    for c in range(pull.size):
        rivals, foreign, guard = 0.0, 0.0, w.guard[i, c]
        for g in range(f.host.size):
            rivals += w.around[g, c] if f.rival[i, g] else 0.0
        for k in range(of_place.shape[1]):
            foreign += of_place[c, k] * (1.0 - f.community[i, k])
        stakes = rivals / (rivals + p.objective_rivals) + foreign / (foreign + p.objective_people)
        stakes += p.objective_loot * f.loot[i] * land.resources[c]
        far = (km_between(land.row, land.col, land.cell_km, c, centre) / p.reach_km) ** 2
        pull[c] = stakes / (1.0 + far) / (1.0 + p.wariness * guard / (guard + near / mine))
    return draws.pick(pull, luck)


@kernel
def _march(w):
    """Let bands go as far as roads and rains let them."""
    f, bands, land, p = w.factions, w.bands, w.land, w.numbers.move
    n, mud = bands.faction.size, max(0.0, 1.0 - p.mud * wet(w))
    hops, goal, near = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n)
    for b in range(n):
        km = p.speed * w.step_weeks * (1.0 - p.slowdown * land.remoteness[bands.cell[b]]) * mud
        hops[b] = min(int(km / (land.stride * land.cell_km) + luck_of(w, HOPS, b)), HOP.size)
        idle = not bands.taking_part[b] and luck_of(w, DRIFT, b) > p.drift
        if bands.fighters[b] <= 0.0 or idle:
            hops[b] = 0
        aim = f.objective[bands.faction[b]] if bands.taking_part[b] else -1
        goal[b] = aim if aim >= 0 else bands.home[b]  # who has nothing to win stays about home
        near[b] = w.around[bands.faction[b], bands.cell[b]]
        bands.held_up[b] = 0.0
    march(
        p=p, dice=w.dice, hops=hops, goal=goal, roams=~bands.taking_part, guard=w.guard, comfort=f.comfort,
        fighters=near, faction=bands.faction, row=land.row, col=land.col, near=land.near, stride=land.stride,
        cell=bands.cell, held_up=bands.held_up,
    )  # fmt: skip
