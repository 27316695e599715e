"""Live and flee: the dead are counted, need rises and falls, high need kills, people flee and return.

Per civilian and year, with v the violence felt where he is (0..1):

    d need / dt = (displaced + violence v + poverty (1 - state)) (1 - need) - (livelihood (1 - v) + aid if served) need
    excess deaths = persons x mortality x need^2 x (1 - spared x vaccinated)
    flight hazard = flight x v ;  return hazard = homecoming x quiet / (quiet + v at home)

A refuge is chosen by calm, nearness, towns, camps and protection; near a border it may lie abroad. Violence felt
spreads to neighbouring places and saturates, so that its scope moves more people than its intensity (Melander et al.
2007).
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.rules import PROTECT, fading, of_all
from sim.seasons import hardship
from sim.state import ABROAD, AWAY, HOME

BURY, DIE, AID, MOVE, REFUGE = (draws.decision(f"live.{what}") for what in ("bury", "die", "aid", "move", "refuge"))


@kernel
def feel_violence(p, deaths, people, near, fading, violence, felt):
    """Update the memory of violence per 1,000 people of a place, and what is felt of it there and around.

    Parameters
    ----------
    p : numbers.live
    deaths : (C,) persons this week, people : (C,) persons, in the place of each cell; near : (C, 9) int, places
    fading : 0..1 what a week leaves
    violence, felt : (C,) written
    """
    for c in range(people.size):
        violence[c] = violence[c] * fading + 1_000.0 * deaths[c] / (people[c] + 1_000.0)
    for c in range(people.size):
        around = violence[c]
        for r in range(1, near.shape[1]):
            if near[c, r] >= 0:
                around += p.neighbours * violence[near[c, r]]
        felt[c] = around / (around + p.half_violence)


@kernel
def conditions(p, y, felt, institutions, vaccinated):
    """Return what a week does to people by place: five arrays.

    Parameters
    ----------
    p : numbers.live; y : years in a week; felt, institutions, vaccinated : (C,) 0..1
    Returns rise and fall of need at home and displaced (C, 2); probabilities to flee and to return (C,); deaths a week
    at full need (C,) share of persons.
    """
    rise, fall = np.empty((felt.size, 2)), np.empty((felt.size, 2))  # at HOME and AWAY
    leaves, returns, deadly = np.empty(felt.size), np.empty(felt.size), np.empty(felt.size)
    in_calm = draws.chance(p.homecoming * y)
    for c in range(felt.size):
        v = felt[c]
        rise[c, HOME] = (p.violence_need * v + p.poverty * (1.0 - institutions[c])) * y
        rise[c, AWAY] = rise[c, HOME] + p.displaced_need * y
        fall[c, HOME] = p.livelihood * (1.0 - v) * y
        fall[c, AWAY] = p.coping * fall[c, HOME]
        leaves[c] = draws.chance(p.flight * v * y) if v > 0.0 else 0.0
        returns[c] = draws.chance(p.homecoming * p.quiet / (p.quiet + v) * y) if v > 0.0 else in_calm
        deadly[c] = p.mortality * y * (1.0 - p.spared * vaccinated[c])
    return rise, fall, leaves, returns, deadly


@kernel
def bury(luck, toll, people, cell, community, status, persons):
    """Take the week's dead from the civilians of each cell and community, exactly as many as the toll.

    Parameters
    ----------
    luck : of the decision, for draws.draw
    toll : (C, K) int, used up; people : (C, K) int, persons there in the morning, used up
    cell, community, status : (N,) int; persons : (N,) int, written
    """
    for i in range(persons.size):
        c, k = cell[i], community[i]
        if status[i] == ABROAD or toll[c, k] == 0:
            continue
        others = people[c, k] - persons[i]
        dead = int(toll[c, k] * persons[i] / people[c, k] + draws.draw(luck, i))
        dead = min(max(dead, toll[c, k] - others), persons[i], toll[c, k])
        people[c, k] = others
        toll[c, k] -= dead
        persons[i] -= dead


@kernel
def subsist(p, y, dying, aid, moving, cell, home, status, rise, fall, served, leaves, returns, deadly, persons, need,
            aided, moves):  # fmt: skip
    """One week of need, deaths from it, and who sets out; one civilian after the other.

    Parameters
    ----------
    p : numbers.live; y : years in a week
    dying, aid, moving : luck of the decisions on death, aid and moves, for draws.draw
    cell, home, status : (N,) int
    rise, fall : (C, 2) growth and decay of need in a week at home and displaced
    served : (C,) share of those in need who are aided; leaves, returns : (C,) probabilities of a week
    deadly : (C,) share of persons who die in a week at full need
    persons, need, aided, moves : (N,) written; moves is -1 return, 0 stay, 1 flee
    Returns (deaths from need, person-weeks of unmet need).
    """
    by_aid, by_refuge, mortality = p.aid * y, p.abroad * y, p.mortality * y
    died, unmet = 0, 0.0
    for i in range(persons.size):
        moves[i] = 0
        aided[i] = False
        if persons[i] == 0:
            continue
        c = cell[i]
        x = need[i]
        if status[i] == ABROAD:
            x -= min(by_refuge, 1.0) * x
            dies = mortality
        else:
            dies = deadly[c]
            where = status[i]
            aided[i] = served[c] > 0.0 and draws.draw(aid, i) < served[c]
            x += rise[c, where] * (1.0 - x) - (fall[c, where] + (by_aid if aided[i] else 0.0)) * x
            x = min(max(x, 0.0), 1.0)
        need[i] = x
        dead = min(int(persons[i] * dies * x * x + draws.draw(dying, i)), persons[i])
        persons[i] -= dead
        died += dead
        unmet += persons[i] * x
        if status[i] != HOME or leaves[c] > 0.0:
            chance = draws.draw(moving, i)
            if status[i] != HOME and chance < returns[home[i]]:
                moves[i] = -1
            elif status[i] != ABROAD and chance >= 1.0 - leaves[c]:
                moves[i] = 1
    return died, unmet


@kernel
def by_origin(who, cell, cells):
    """Return those of `who` in the order of the cells where they are: (n,) int; cell : (N,) int; cells : how many."""
    first = np.zeros(cells + 1, dtype=np.int64)
    for i in who:
        first[cell[i] + 1] += 1
    for c in range(cells):
        first[c + 1] += first[c]
    out = np.empty(who.size, dtype=np.int64)
    for i in who:
        out[first[cell[i]]] = i
        first[cell[i]] += 1
    return out


@kernel
def find_refuge(luck, who, cell, home, status, row, col, pull, crossing, reach):
    """Give each of those who flee a refuge: by gravity among all cells, or the way abroad.

    Parameters
    ----------
    luck : of the decision, for draws.draw; who : (n,) int, who flees; cell, home, status : (N,) int, written
    row, col : (C,) int; pull : (C,) of each cell; crossing : (C,) pull of the border near each, against all cells
    reach : cells at which a refuge has lost most of its pull
    """
    cumulative, weight = np.zeros(row.size + 1), np.empty(row.size)
    origin = -1
    for i in by_origin(who, cell, row.size):
        if cell[i] != origin:  # the same for all who leave one place
            origin = cell[i]
            total, y, x = 0.0, row[origin], col[origin]
            for c in range(row.size):
                d2 = (row[c] - y) ** 2 + (col[c] - x) ** 2
                weight[c] = pull[c] / (1.0 + d2 / (reach * reach)) ** 2
            weight[origin] = 0.0
            for c in range(row.size):
                total += weight[c]
                cumulative[c] = total
            cumulative[row.size] = total * (1.0 + crossing[origin])
        chosen = np.searchsorted(cumulative, draws.draw(luck, i) * cumulative[row.size], side="right")
        if chosen >= row.size:
            status[i] = ABROAD
        else:
            cell[i] = chosen
            status[i] = HOME if chosen == home[i] else AWAY


@kernel
def dead_of_places(w):
    """Return this week's violent deaths in the place of each cell, of civilians and of those who bear arms: (C,)."""
    now, place, share = w.now, w.land.place, w.land.place_share
    dead, out = np.zeros(place.shape[0]), np.zeros(place.shape[0])
    for i in range(now.logged[1]):
        _, _, cell, _, civilians = now.killing_log[i]
        dead[cell] += civilians
    for i in range(now.logged[0]):
        _, _, _, cell, deaths_a, deaths_b, _ = now.event_log[i]
        dead[cell] += deaths_a + deaths_b
    for c in range(out.size):
        for r in range(share.size):
            if place[c, r] >= 0:
                out[c] += share[r] * dead[place[c, r]]
    return out


@kernel
def _bury(w):
    """Take the week's dead by violence from their households."""
    people = w.people
    if w.now.logged[1] > 0:
        bury(
            luck=draws.luck(w.dice, BURY), toll=w.now.toll.copy(), people=w.census.population.astype(np.int64),
            cell=people.cell, community=people.community, status=people.status, persons=people.persons,
        )  # fmt: skip


@rule
def bury_the_dead(w):
    """Take the week's dead by violence from their households, where people do not live the week otherwise."""
    _bury(w)


@rule
def live(w):
    """Bury the dead, feed and starve the living, send people away and home."""
    people, land, p, now, y = w.people, w.land, w.numbers.live, w.now, w.years
    n_cells, n = land.births.shape
    inhabitants, served, of_place, aid = np.zeros(n_cells), np.zeros(n_cells), w.census.of_place, now.aid
    for c in range(n_cells):
        for k in range(n):
            inhabitants[c] += of_place[c, k]
        for q in range(aid.shape[0]):
            served[c] += aid[q, c]
    feel_violence(
        p=p, deaths=dead_of_places(w), people=inhabitants, near=land.near, fading=fading(w, p.memory),
        violence=land.violence, felt=land.felt,
    )  # fmt: skip
    _bury(w)
    rise, fall, leaves, returns, deadly = conditions(
        p, y, felt=land.felt, institutions=land.institutions, vaccinated=land.vaccinated
    )
    deadly *= w.conditions.mortality
    rise += hardship(w) * y
    moves = np.zeros(people.persons.size, dtype=np.int8)
    died, unmet = subsist(
        p=p, y=y, dying=draws.luck(w.dice, DIE), aid=draws.luck(w.dice, AID), moving=draws.luck(w.dice, MOVE),
        cell=people.cell, home=people.home, status=people.status, rise=rise, fall=fall, served=served, leaves=leaves,
        returns=returns, deadly=deadly, persons=people.persons, need=people.need, aided=w.aided, moves=moves,
    )  # fmt: skip
    now.excess[0], now.unmet[0] = died, unmet * w.step_weeks
    cell, home, status = people.cell, people.home, people.status
    for i in range(moves.size):
        if moves[i] == -1:
            cell[i], status[i] = home[i], HOME
    _flee(w, np.flatnonzero(moves == 1))


@kernel
def _flee(w, who):
    """Give each of those who flee a refuge, by gravity, calm and protection, with his own luck."""
    if who.size == 0:
        return
    people, land, p = w.people, w.land, w.numbers.live
    shelter, pull, crossing = of_all(w, PROTECT), np.empty(land.felt.size), np.empty(land.felt.size)
    felt, town, site, border, area = land.felt, land.town, land.site, land.border, land.place_area
    for c in range(pull.size):
        calm = (1.0 - felt[c]) ** 2 * p.calm + p.unrest
        places = p.countryside * area + town[c] + p.camp * site[c]
        pull[c] = calm * places * (1.0 + p.shelter * shelter[c] / (shelter[c] + p.shelter_half))
        crossing[c] = p.border / (1.0 + (border[c] / p.border_km) ** 2)
    find_refuge(
        luck=draws.luck(w.dice, REFUGE), who=who, cell=people.cell, home=people.home, status=people.status,
        row=land.row, col=land.col, pull=pull, crossing=crossing, reach=p.flight_km / land.cell_km,
    )  # fmt: skip
