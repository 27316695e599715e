"""Live and flee: the dead are counted, need rises and falls, high need kills, people flee and return.

Per civilian and year, with v the violence felt where he is (0..1):

    d need / dt = (displaced + violence v + poverty (1 - state)) (1 - need) - (livelihood (1 - v) + aid if served) need
    excess deaths = persons x mortality x need^2 x (1 - spared x vaccinated)
    flight hazard = flight x v ;  return hazard = homecoming x quiet / (quiet + v at home)

A refuge is chosen by calm, nearness, towns, camps and protection; near a border it may lie abroad. Violence felt
spreads to neighbouring places and saturates, so that its scope moves more people than its intensity (Melander et al.
2007).
"""

import numba
import numpy as np

from sim import draws
from sim.country import in_place
from sim.state import ABROAD, AWAY, HOME


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def conditions(p, y, felt, institutions, vaccinated):
    """Return what a week does to people by place: five arrays.

    Parameters
    ----------
    p : numbers.live; y : years in a week; felt, institutions, vaccinated : (C,) 0..1
    Returns rise and fall of need at home and displaced (C, 2); probabilities to flee and to return (C,); deaths a week
    at full need (C,) share of persons.
    """
    rise, fall = np.empty((felt.size, 2)), np.empty((felt.size, 2))
    leaves, returns, deadly = np.empty(felt.size), np.empty(felt.size), np.empty(felt.size)
    for c in range(felt.size):
        v = felt[c]
        rise[c, 0] = (p.violence_need * v + p.poverty * (1.0 - institutions[c])) * y
        rise[c, 1] = rise[c, 0] + p.displaced_need * y
        fall[c, 0] = p.livelihood * (1.0 - v) * y
        fall[c, 1] = p.coping * fall[c, 0]
        leaves[c] = draws.chance(p.flight * v * y)
        returns[c] = draws.chance(p.homecoming * p.quiet / (p.quiet + v) * y)
        deadly[c] = p.mortality * y * (1.0 - p.spared * vaccinated[c])
    return rise, fall, leaves, returns, deadly


@numba.njit(cache=True)
def bury(toll, cell, community, status, luck, people, persons):
    """Take the week's dead from the civilians of each cell and community, exactly as many as the toll.

    Parameters
    ----------
    toll : (C, K) int, used up; people : (C, K) int, persons there in the morning, used up
    cell, community, status : (N,) int; luck : (N,) 0..1; persons : (N,) int, written
    """
    for i in range(persons.size):
        c, k = cell[i], community[i]
        if status[i] == ABROAD or toll[c, k] == 0:
            continue
        others = people[c, k] - persons[i]
        dead = int(toll[c, k] * persons[i] / people[c, k] + luck[i])
        dead = min(max(dead, toll[c, k] - others), persons[i], toll[c, k])
        people[c, k] = others
        toll[c, k] -= dead
        persons[i] -= dead


@numba.njit(cache=True)
def subsist(p, y, cell, home, status, luck_die, luck_aid, luck_move, rise, fall, served, leaves, returns,
            deadly, persons, need, aided, moves):  # fmt: skip
    """One week of need, deaths from it, and who sets out; one civilian after the other.

    Parameters
    ----------
    p : numbers.live; y : years in a week
    cell, home, status : (N,) int; luck_* : (N,) 0..1
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
            x -= by_refuge * x
            dies = mortality
        else:
            dies = deadly[c]
            away = 1 if status[i] == AWAY else 0
            aided[i] = luck_aid[i] < served[c]
            x += rise[c, away] * (1.0 - x) - (fall[c, away] + (by_aid if aided[i] else 0.0)) * x
            x = min(max(x, 0.0), 1.0)
        need[i] = x
        dead = min(int(persons[i] * dies * x * x + luck_die[i]), persons[i])
        persons[i] -= dead
        died += dead
        unmet += persons[i] * x
        if status[i] != HOME and luck_move[i] < returns[home[i]]:
            moves[i] = -1
        elif status[i] != ABROAD and luck_move[i] >= 1.0 - leaves[c]:
            moves[i] = 1
    return died, unmet


@numba.njit(cache=True)
def find_refuge(who, luck, cell, home, status, row, col, pull, crossing, reach):
    """Give each of those who flee a refuge: by gravity among all cells, or the way abroad.

    Parameters
    ----------
    who : (n,) int, who flees; luck : (n,) 0..1; cell, home, status : (N,) int, written
    row, col : (C,) int; pull : (C,) of each cell; crossing : (C,) pull of the border near each, against all cells
    reach : cells at which a refuge has lost most of its pull
    """
    cumulative = np.zeros(row.size + 1)
    origin = -1
    for j in np.argsort(cell[who], kind="mergesort"):
        i = who[j]
        if cell[i] != origin:  # the same for all who leave one place
            origin = cell[i]
            total = 0.0
            for c in range(row.size):
                d2 = (row[c] - row[origin]) ** 2 + (col[c] - col[origin]) ** 2
                if c != origin:
                    total += pull[c] / (1.0 + d2 / (reach * reach)) ** 2
                cumulative[c] = total
            cumulative[row.size] = total * (1.0 + crossing[origin])
        chosen = np.searchsorted(cumulative, luck[j] * cumulative[row.size], side="right")
        if chosen >= row.size:
            status[i] = ABROAD
        else:
            cell[i] = chosen
            status[i] = HOME if chosen == home[i] else AWAY


def live(model):
    """Bury the dead, feed and starve the living, send people away and home."""
    people, land, p, now, census = model.people, model.land, model.params.live, model.now, model.census
    y = model.years
    n = people.persons.size
    deaths = in_place(land, model.deaths_by_cell())
    feel_violence(
        p=model.numbers.live, deaths=deaths, people=census.of_place.sum(axis=1), near=land.near,
        fading=model.fading(p.memory), violence=land.violence, felt=land.felt,
    )  # fmt: skip
    if now.killings:
        bury(
            toll=now.toll.copy(), cell=people.cell, community=people.community, status=people.status,
            luck=model.luck.uniform("live.bury", n), people=census.population.astype(np.int64), persons=people.persons,
        )  # fmt: skip
    rise, fall, leaves, returns, deadly = conditions(
        p=model.numbers.live, y=y, felt=land.felt, institutions=land.institutions, vaccinated=land.vaccinated
    )
    deadly *= model.conditions.mortality
    hardship = model.hardship()
    if hardship:
        rise += hardship * y
    moves = np.zeros(n, dtype=np.int8)
    died, unmet = subsist(
        p=model.numbers.live, y=y, cell=people.cell, home=people.home, status=people.status,
        luck_die=model.luck.uniform("live.die", n), luck_aid=model.luck.uniform("live.aid", n),
        luck_move=model.luck.uniform("live.move", n), rise=rise, fall=fall, served=now.aid.sum(axis=0), leaves=leaves,
        returns=returns, deadly=deadly, persons=people.persons, need=people.need, aided=model.aided, moves=moves,
    )  # fmt: skip
    now.excess[0], now.unmet[0] = died, unmet * model.params.step_weeks
    _go_home(people, moves)
    _flee(model, np.flatnonzero(moves == 1))


def _go_home(people, moves):
    back = moves == -1
    if back.any():
        people.cell[back] = people.home[back]
        people.status[back] = HOME


def _flee(model, who):
    """Give each of those who flee a refuge, by gravity, calm and protection, with his own luck."""
    if not who.size:
        return
    people, land, p = model.people, model.land, model.params.live
    shelter = model.task_presence("protect").sum(axis=0)
    calm = (1 - land.felt) ** 2 * p.calm + p.unrest
    places = p.countryside * land.place_area + land.town + p.camp * land.site
    pull = calm * places * (1 + p.shelter * shelter / (shelter + p.shelter_half))
    crossing = p.border / (1 + (land.border / p.border_km) ** 2)
    luck = model.luck.uniform("live.refuge", who.astype(np.uint64))
    find_refuge(
        who=who, luck=luck, cell=people.cell, home=people.home, status=people.status, row=land.row, col=land.col,
        pull=pull, crossing=crossing, reach=p.flight_km / land.cell_km,
    )  # fmt: skip
