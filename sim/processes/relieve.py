"""Relieve: aid teams serve need where they have access.

    P(access) = logistic(base - a hostility of who controls the place - b fighting - c remoteness)

People in a camp or a protection site are served with less work. Engineers open roads: what they do takes some of the
remoteness away.

An armed escort can force access, at the price of more hostility; once adopted, escorts are hard to give up. A team
is escorted by its own command, or asks for that of another, which then is held against it as its own. A mission that
engages can negotiate a pause: bands around hold their fire for some weeks with probability 1 - hostility (the polio
pause in Gaza). While they do, they keep nobody from the people there, and aid workers vaccinate: what that spares
lasts for months.

A team serves the need in its reach. What it could do beyond that goes farther, by convoys and mobile clinics, as far as
they are let in there, and less of it arrives. So it matters how many aid workers there are, and little in how many
teams they serve.

Commands that do not talk with each other serve some people twice and others not at all: their shares of those in need
overlap as by chance, 1 - (1 - a)(1 - b), and none knows that its work is done twice; those that do divide it, a + b.
"""

import math

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.params import AID, TASKS
from sim.rules import (
    ENGAGE,
    add_around,
    at_work,
    controller,
    escorts,
    fading,
    holding_fire,
    km_between,
    lent,
    of_commands,
    rulers,
    sum_rows,
    survey,
    under_guard,
    work_on,
)
from sim.seasons import wet

RELIEVE, ESCORT, ENGINEER = (TASKS.index(t) for t in ("relieve", "escort", "engineer"))
ROUNDS = 2  # in which aid workers look for need in their reach that nobody serves yet
ACCESS, PAUSE, HEED = (draws.decision(f"relieve.{what}") for what in ("access", "pause", "heed"))


@kernel
def access(p, hostility, fighting, held, remoteness, wet):
    """Return the probability of unforced access to a place this week: 0..1; who holds his fire keeps nobody out.

    Parameters
    ----------
    p : numbers.relieve; hostility : 0..1 of who rules it; fighting : 0..1 violence felt there
    held : 0..1 fighters there who hold their fire; remoteness : 0..1 that engineers leave
    wet : 0.. how heavy the rains are
    """
    kept_out = 1.0 - held
    logit = p.base - p.hostility * (hostility * kept_out) - p.fighting * (fighting * kept_out)
    logit -= (p.remoteness + p.rains * wet) * remoteness
    return 1.0 / (1.0 + math.exp(-logit))


@kernel
def unopened(w):
    """Return the share of remoteness that engineers leave, who open roads: 0..1."""
    engineers = at_work(w, ENGINEER)
    return 1.0 - w.numbers.relieve.roads * engineers / (engineers + w.numbers.task.engineers_half)


@kernel
def forced(p, escorts, habit):
    """Return the share of denied access that escorts force open: 0..1."""
    return p.escort * habit * escorts / (escorts + p.escort_half)


@rule
def relieve(w):
    """Decide which teams can work, whom they serve, and where fire is held."""
    u, bands, land, p = w.units, w.bands, w.land, w.numbers.relieve
    survey(w)
    hold = holding_fire(w)
    for b in range(bands.paused.size):
        bands.paused[b] = max(bands.paused[b] - w.step_weeks, 0.0)
    land.vaccinated *= fading(w, w.numbers.live.immunity)
    u.access[:] = False
    teams = np.flatnonzero(u.team & (u.cell >= 0))
    if teams.size == 0:
        return
    hostility = open_roads(w, teams, hold)
    _serve(w, teams, hold)
    if hold.max() > 0.0:
        workers = np.empty(teams.size)
        for t in range(teams.size):
            workers[t] = u.strength[teams[t], AID] * u.access[teams[t]]
        vaccinate(
            p=p, y=w.years, workers=workers, cell=u.cell[teams], patrol=land.patrol, weight=land.patrol_weight,
            hold=hold, vaccinated=land.vaccinated,
        )  # fmt: skip
    _pause(w, teams, hostility)


@kernel
def open_roads(w, teams, hold):
    """Decide which teams can work, freely or by force; return the hostility of who controls their place: (T,)."""
    f, u, m, land, p, now = w.factions, w.units, w.missions, w.land, w.numbers.relieve, w.now
    n, n_commands, habit = teams.size, w.commands.escorting.size, w.commands.escorting
    own, others = escorts(w)
    by_host, remaining, rains, luck = lent(w), unopened(w), wet(w), draws.luck(w.dice, ACCESS)
    hostility, pushed, denied, guarded = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(n):
        i = teams[t]
        cell, q = u.cell[i], m.command[u.mission[i]]
        master, with_others = controller(w, cell), 0.0
        hostility[t] = f.hostility[master, q]
        for k in range(n_commands):  # what is done under another flag is held against that
            with_others += others[k, i]
            share = others[k, i] / (others[k, i] + p.escort_half)
            hostility[t] = max(hostility[t], share * f.hostility[master, k])
        if by_host[i] > 0.0:  # the host's own fighters open the way, and make an enemy of those who fight it
            hostility[t] = max(hostility[t], under_guard(w, master, by_host[i]))
            guarded[t] = by_host[i] / (by_host[i] + p.escort_half)
        free = access(
            p, hostility=hostility[t], fighting=land.felt[cell], held=hold[cell],
            remoteness=land.remoteness[cell] * remaining, wet=rains,
        )  # fmt: skip
        push = forced(p, own[i] + with_others + by_host[i], habit[q])
        chance, out = draws.draw(luck, u.luck[i]), not u.suspended[i]
        pushed[t] = out and free <= chance < free + (1.0 - free) * push
        denied[t] = not (out and chance < free)
        u.access[i] = (out and chance < free) or pushed[t] > 0.0
    flag = m.command[u.mission[teams]]
    tried, reached = sum_rows(flag, np.ones(n), n_commands), sum_rows(flag, u.access[teams], n_commands)
    by_force, kept_out = sum_rows(flag, pushed, n_commands), sum_rows(flag, denied, n_commands)
    led, asks = sum_rows(flag, guarded, n_commands), sum_rows(m.command, m.accepts, n_commands)
    escorting = work_on(w, ESCORT)
    for k in range(n_commands):
        if tried[k] > 0.0:
            now.lent[k] = led[k] / tried[k]
            now.tried[k], now.reached[k], now.forced[k] = tried[k], reached[k], by_force[k] / tried[k]
            wanted = escorting[k] > 0.0 or (asks[k] > 0.0 and escorting.sum() > 0.0) or now.lent[k] > 0.0
            habit[k] = max(habit[k] * fading(w, p.lock_in), kept_out[k] / tried[k]) if wanted else 0.0
    return hostility


@kernel
def serve(left, command, places, pull, need, donors, aid):
    """Let aid workers serve what need nobody serves yet in the places they reach; what they find none for is left.

    Parameters
    ----------
    left : (N,) persons that each group of them can still serve, changed; command : (N,) int
    places : (N, R) int cells in reach, -1 for none; pull : (N, R) 0.. how much a person in need there draws them
    need : (C,) persons x need; donors : 0..1 coordination between commands
    aid : (Q, C) share of those in need whom each chain of command serves, changed
    """
    more, total, unmet = np.zeros(aid.shape), np.zeros(left.size), unserved(aid)
    for n in range(left.size):
        if left[n] <= 0.0:
            continue
        for r in range(places.shape[1]):
            if places[n, r] >= 0:
                total[n] += need[places[n, r]] * unmet[places[n, r]] * pull[n, r]
        for r in range(places.shape[1]):
            if places[n, r] >= 0 and total[n] > 0.0:
                more[command[n], places[n, r]] += left[n] * pull[n, r] / total[n]
    idle = share_out(more, unmet, donors, aid)
    for n in range(left.size):
        if total[n] > 0.0:
            back = 0.0
            for r in range(places.shape[1]):
                c = places[n, r]
                if c >= 0:
                    back += need[c] * unmet[c] * pull[n, r] / total[n] * idle[command[n], c]
            left[n] *= back


@kernel
def serve_afield(left, command, pull, need, donors, aid):
    """Do what `serve` does where every place is in reach, for groups that can serve anybody in the country.

    Parameters
    ----------
    pull : (N, C); the others as of `serve`
    """
    more, total, unmet = np.zeros(aid.shape), np.zeros(left.size), unserved(aid)
    for n in range(left.size):
        if left[n] > 0.0:
            drawn, drawn_to = 0.0, pull[n]
            for c in range(need.size):
                drawn += need[c] * unmet[c] * drawn_to[c]
            total[n] = drawn
            if drawn > 0.0:
                there, able = more[command[n]], left[n]
                for c in range(need.size):
                    there[c] += able * drawn_to[c] / drawn
    idle = share_out(more, unmet, donors, aid)
    for n in range(left.size):
        if total[n] > 0.0:
            back, drawn, drawn_to, in_vain = 0.0, total[n], pull[n], idle[command[n]]
            for c in range(need.size):
                back += need[c] * unmet[c] * drawn_to[c] / drawn * in_vain[c]
            left[n] *= back


@kernel
def unserved(aid):
    """Return the share of those in need whom nobody serves yet: (C,) 0..1; aid : (Q, C)."""
    out = np.empty(aid.shape[1])
    for c in range(out.size):
        served = 0.0
        for k in range(aid.shape[0]):
            served += aid[k, c]
        out[c] = max(1.0 - served, 0.0)
    return out


@kernel
def share_out(more, unmet, donors, aid):
    """Bring what commands would do in each place down to what is to be done; return what of it finds nobody: (Q, C).

    Parameters
    ----------
    more : (Q, C) share of the unmet need that each could serve; unmet : (C,) 0..1; donors : 0..1
    aid : (Q, C) share of those in need whom each serves, changed
    """
    idle, shares = np.zeros(aid.shape), np.empty(aid.shape[0])
    for c in range(unmet.size):
        together = 0.0
        for k in range(shares.size):
            shares[k] = more[k, c]
            together += shares[k]
        if together == 0.0:
            continue
        if together > 1.0:
            beyond = 1.0 - 1.0 / together
            for k in range(shares.size):  # of double work nobody knows that it is
                idle[k, c] = donors * beyond + (1.0 - donors) * (1.0 - 1.0 / max(shares[k], 1.0))
        divide(donors, shares)
        for k in range(shares.size):
            aid[k, c] += unmet[c] * shares[k]
    return idle


@kernel
def divide(donors, shares):
    """Bring shares of those in need down to what commands serve together.

    Parameters
    ----------
    donors : 0..1 coordination between commands; shares : (Q,) 0.. of each command, changed
    """
    together, missed = 0.0, 1.0
    for k in range(shares.size):
        together += shares[k]
        missed *= 1.0 - min(shares[k], 1.0)
    # who do not talk with each other serve some people twice, and miss others
    reached = donors * min(together, 1.0) + (1.0 - donors) * (1.0 - missed)
    if reached < together:
        for k in range(shares.size):
            shares[k] *= reached / together


@kernel
def vaccinate(p, y, workers, cell, patrol, weight, hold, vaccinated):
    """Let aid workers vaccinate where fire is held.

    Parameters
    ----------
    p : numbers.relieve; y : years in a week; workers : (T,) persons who may work; cell : (T,) int
    patrol : (C, R) int; weight : (R,); hold : (C,) 0..1 fighters there who hold their fire
    vaccinated : (C,) 0..1, written
    """
    there = np.zeros(hold.size)
    for t in range(cell.size):
        add_around(workers[t], cell[t], patrol, weight, there)
    for c in range(hold.size):
        effort = hold[c] * there[c] / (there[c] + p.vaccinators)
        vaccinated[c] += draws.chance(p.vaccination * y * effort) * (1.0 - vaccinated[c])


@kernel
def _serve(w, teams, hold):
    """Let every team with access and stocks serve the need around it, and farther away what it is let in to."""
    u, m, land, p, census = w.units, w.missions, w.land, w.numbers.relieve, w.census
    donors, n_reach = w.numbers.mission.donors, land.patrol_weight.size
    left, need = np.zeros(teams.size), np.empty(census.need.size)
    places, pull = np.empty((teams.size, n_reach), dtype=np.int64), np.empty((teams.size, n_reach))
    for t in range(teams.size):
        i = teams[t]
        if u.access[i]:
            work = m.capacity[u.mission[i], AID, RELIEVE] * u.strength[i, AID]
            left[t] = work * p.served * u.stock[i] * m.pace[u.mission[i]]
        for r in range(n_reach):
            places[t, r] = land.patrol[u.cell[i], r]
            pull[t, r] = land.patrol_weight[r] * (1.0 if r == 0 else u.freedom[i])
    site, sheltered, needs, persons = land.site, land.sheltered, census.need, census.persons
    for c in range(need.size):
        need[c] = needs[c]
        if site[c] > 0.0:  # people in camps are served with less work
            need[c] *= 1.0 - p.cheaper * sheltered[c].sum() / max(persons[c], 1.0)
    for _ in range(ROUNDS):
        if left.max() > 0.0:
            serve(
                left=left, command=m.command[u.mission[teams]], places=places, pull=pull, need=need, donors=donors,
                aid=w.now.aid,
            )  # fmt: skip
    afield = np.zeros(m.command.size)  # what each mission can send farther away
    for t in range(teams.size):
        afield[u.mission[teams[t]]] += p.far * u.freedom[teams[t]] * left[t]
    if afield.max() > 0.0:
        welcome = let_in(w, afield, hold)
        for _ in range(ROUNDS):
            if afield.max() > 0.0:
                serve_afield(left=afield, command=m.command, pull=welcome, need=need, donors=donors, aid=w.now.aid)


@kernel
def let_in(w, afield, hold):
    """Return the chance that people of each mission who send aid are let in without force, in its area: (M, C) 0..1.

    Parameters
    ----------
    afield : (M,) persons whom they could serve there; hold : (C,) 0..1 fighters there who hold their fire
    """
    p, remaining, rains, around, host = w.numbers.relieve, unopened(w), wet(w), w.around, w.factions.host
    command, area, hostility = w.missions.command, w.missions.area, w.factions.hostility
    felt, remoteness, out = w.land.felt, w.land.remoteness, np.zeros((command.size, hold.size))
    master, free = rulers(around, host), np.empty(hold.size)
    sends = sum_rows(command, afield, hostility.shape[1])
    for q in range(sends.size):
        if sends[q] > 0.0:
            to_us = hostility[:, q].copy()
            for c in range(hold.size):
                free[c] = access(
                    p, hostility=to_us[master[c]], fighting=felt[c], held=hold[c],
                    remoteness=remoteness[c] * remaining, wet=rains,
                )  # fmt: skip
            for i in range(command.size):
                if command[i] == q and afield[i] > 0.0:
                    for c in range(hold.size):
                        out[i, c] = area[i, c] * free[c]
    return out


@kernel
def pauses(w, teams, hostility):
    """Return the hazard (1/year) that each team negotiates a pause: (T,); hostility : (T,) of who rules its place."""
    u, p, engages, out = w.units, w.numbers.relieve, of_commands(w, ENGAGE), np.empty(teams.size)
    for t in range(teams.size):
        i = teams[t]
        engage, size = engages[w.missions.command[u.mission[i]], u.cell[i]], u.strength[i, AID] / p.pause_team
        out[t] = p.pause_rate * size * engage / (engage + p.pause_half) * (1.0 - hostility[t])
    return out


@kernel
def _pause(w, teams, hostility):
    """Let teams that engage negotiate a pause with the bands around them; hostility : (T,) of who rules the place."""
    u, bands, land, p = w.units, w.bands, w.land, w.numbers.relieve
    often, luck, heed = pauses(w, teams, hostility), draws.luck(w.dice, PAUSE), draws.luck(w.dice, HEED)
    for t in range(teams.size):
        i = teams[t]
        if draws.draw(luck, u.luck[i]) < draws.chance(often[t] * w.years):
            q, agreed = w.missions.command[u.mission[i]], False
            for b in range(bands.faction.size):
                near = km_between(land.row, land.col, land.cell_km, bands.cell[b], u.cell[i]) <= p.pause_km
                if near and draws.draw(heed, b) < 1.0 - w.factions.hostility[bands.faction[b], q]:
                    bands.paused[b] = p.pause_weeks
                    agreed = agreed or bands.fighters[b] > 0.0
            w.now.pauses[q] += agreed
