"""The state of anybody and any place in words, and the notable events of a week that a facilitator can talk about."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from experiments.drawing import style
from experiments.drawing.panels import spoken
from sim.components import WITH
from sim.model import Model
from sim.params import KINDS
from sim.processes.move import onsets
from sim.shocks import happened
from sim.state import ABROAD, AWAY
from sim.values import among

COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
# From which size on an event is worth a word; what is smaller is in the table of events.
MASSACRE, BATTLE, AMBUSH = 50, 60, 2  # persons killed; of massacres, by a faction in a week
DISPLACED_STEPS = (100_000, 250_000, 500_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000)
Span = list[Any]  # first week, week after, phase
ALMOST_ALL = 0.95  # of the planned peak


def percent(x: float) -> str:
    """Return a share in words."""
    return f"{x:.0%}"


def count(n: float, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 person, 2,300 people."""
    n = round(n)
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(parts: Iterable[str]) -> str:
    """Join words to a list: a, b and c."""
    parts = list(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def faction_name(name: str) -> str:
    """Return an armed faction as people say it: the rebels."""
    return f"the {style.in_words(name)}"


def mission_name(name: str) -> str:
    """Return a mission as people say it: the UN mission."""
    return f"the {spoken(name)} mission"


def mission_said(model: Model, name: str) -> str:
    """Return a mission or a group of the country's humanitarians as people say it: the UN agencies."""
    group, _, joined = name.partition(WITH)
    if name in model.params.mission.components or group not in model.params.country.humanitarians:
        return mission_name(name)
    said = f"the {spoken(group)}"
    return f"{said} under {mission_name(joined)}" if joined else said


def command_said(model: Model, k: int) -> str:
    """Return a chain of command as people say it: its mission, or the humanitarians who are their own."""
    m = model.missions
    here = [n for n, command in zip(m.names, m.command) if command == k]
    missions = [n for n in here if n in model.params.mission.components]
    if len(missions) > 1:
        return f"the {model.commands.names[k].replace('_', ' ')} command"
    return mission_said(model, (missions or here)[0])


def sent(model: Model) -> tuple[str, ...]:
    """Return the names of the missions that are sent; the country's own humanitarians come after them."""
    return model.missions.names[: int((~model.missions.donors).sum())]


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


class Gazetteer:
    """Names for cells: in, near, or so far from the nearest town."""

    def __init__(self, model: Model) -> None:
        self.land = model.land
        self.towns = list(model.params.country.places.items())

    def __call__(self, cell: int) -> str:
        """Say where a cell is."""
        row, col = self.land.row[cell], self.land.col[cell]
        if not self.towns:
            return f"at row {row}, column {col}"
        away = [(math.hypot(row - t.row, col - t.col), name, t) for name, t in self.towns]
        cells, name, town = min(away, key=lambda x: x[0])
        if cells < 0.5:
            return f"in {name}"
        if cells < 1.5:
            return f"near {name}"
        angle = math.degrees(math.atan2(col - town.col, row - town.row)) % 360
        return f"{round(cells * self.land.cell_km, -1):.0f} km {COMPASS[round(angle / 45) % 8]} of {name}"


# ---------------------------------------------------------------------------------- somebody's state


def describe(model: Model, where: Gazetteer, kind: str, index: int) -> dict[str, Any]:
    """Return a title and sentences on a civilian, a band, a unit (contingent or aid team) or a cell.

    Parameters
    ----------
    model : Model; where : Gazetteer
    kind : civilian, band, unit or cell; index : row of its table

    Raises
    ------
    ValueError
        There is nobody of that number.
    """
    how = {"civilian": _civilian, "band": _band, "unit": _unit, "cell": _cell}
    sizes = {"civilian": model.people.persons, "band": model.bands.cell, "unit": model.units.cell,
             "cell": model.land.row}  # fmt: skip
    if kind not in how:
        raise ValueError(f"{kind!r} cannot be described{among(kind, how)}")
    if not 0 <= index < sizes[kind].size:
        raise ValueError(f"there is no {kind} {index}; they are numbered from 0 to {sizes[kind].size - 1}")
    title, sentences = how[kind](model, where, index)
    return {"title": title, "sentences": [capital(s) for s in sentences]}


def _civilian(model, where, i):
    p, names = model.people, model.factions.names
    home, here = where(p.home[i]), where(p.cell[i])
    if not p.persons[i]:
        return "Nobody is left", [f"all {p.born[i]:,} people of this group, at home {home}, have died."]
    status = {AWAY: f"displaced from {_place(home)}, living {here}", ABROAD: "in refuge abroad"}
    said = [
        f"{count(p.persons[i], 'person', 'people')} of the {model.land.names[p.community[i]].replace('_', ' ')} "
        f"community, {status.get(p.status[i], f'at home {home}')}.",
    ]
    if p.persons[i] < p.born[i]:
        said.append(f"{count(p.born[i] - p.persons[i], 'of them has', 'of them have')} died since the beginning.")
    said.append(f"unmet need {percent(p.need[i])}" + (", aid reached them this week." if model.aided[i] else "."))
    worst = int(p.grievance[i].argmax())
    anger = p.grievance[i, worst]
    said.append(f"most bitter toward {faction_name(names[worst])}: grievance {percent(anger)}." if anger > 0.01
                else "no grievance toward anybody worth speaking of.")  # fmt: skip
    if model.missions.names and p.status[i] != ABROAD:
        trust = [f"{percent(t)} in {command_said(model, k)}" for k, t in enumerate(p.trust[i])]
        said.append(f"trust {joined(trust)} (strangers get {percent(model.params.feel.start)}).")
        felt = model.land.felt[p.cell[i]]
        said.append(f"violence felt {here}: {percent(felt)}.")
    return "Civilians", said


def _place(said):
    """Turn where something is into a place that one goes to or comes from."""
    if said.startswith("in "):
        return said.removeprefix("in ")
    return said.replace("near ", "the land around ", 1) if said.startswith("near ") else f"a place {said}"


def _band(model, where, b):
    bands, f = model.bands, model.factions
    i = bands.faction[b]
    about = model.params.country.factions[f.names[i]].summary
    title = f"A band of {faction_name(f.names[i])}"
    if bands.fighters[b] < 1:
        return title, ["nobody is left in it."]
    said = [f"{count(bands.fighters[b], 'fighter')} {where(bands.cell[b])}.", about or "armed men."]
    if bands.taking_part[b] and f.campaign[i] > 0:
        left = count(f.campaign[i], "week")
        said.append(f"in a campaign toward {_place(where(f.objective[i]))}, about {left} to go.")
    elif f.campaign[i] > 0:
        said.append("its faction is in a campaign, but this band takes no part.")
    else:
        rate = onsets(model.view)[i]
        said.append(
            f"at rest, not ready for {count(f.rest[i], 'week')} yet." if f.rest[i] > 0
            else f"at rest; a campaign in the next three months: {percent(1 - math.exp(-rate / 4))}."
        )  # fmt: skip
    if bands.paused[b] > 0:
        said.append(f"holds its fire for {count(bands.paused[b], 'week')} more: a pause was negotiated.")
    if bands.losses[b] >= 1:
        said.append(f"lost about {count(bands.losses[b], 'fighter')} lately.")
    if bands.held_up[b] > 0.05:
        said.append(f"patrols denied {percent(bands.held_up[b])} of its moves this week.")
    said.append(f"its faction's commitment to the political process: {percent(f.commitment[i])}, "
                f"at most {percent(f.ceiling[i])}.")  # fmt: skip
    if model.missions.names:
        angry = [f"{percent(h)} to {command_said(model, k)}" for k, h in enumerate(f.hostility[i])]
        said.append(f"hostility {joined(angry)}.")
    return title, said


def _unit(model, where, u):
    units, missions = model.units, model.missions
    m = units.mission[u]
    k = missions.command[m]
    team = bool(units.team[u])
    title = f"{'An aid team' if team else 'A contingent'} of {mission_said(model, missions.names[m])}"
    if units.cell[u] < 0:
        return title, ["not in the country this week."]
    kinds = {"troops": ("soldier", None), "police": ("police officer", None), "observers": ("observer", None),
             "staff": ("civilian officer", None), "aid": ("aid worker", None)}  # fmt: skip
    who = [count(n, *kinds[kind]) for kind, n in zip(KINDS, units.strength[u]) if n >= 0.5]
    said = [f"{joined(who) or 'nobody fit'} {where(units.cell[u])}."]
    component = model.everybody[missions.names[m]]
    said.append(component.force.summary)
    if team:
        said.append(f"stocks {percent(units.stock[u])} full; " + ("it could work this week." if units.access[u]
                    else "it was refused access this week."))  # fmt: skip
    else:
        said.append(f"mandate: {component.mandate.summary[:1].lower()}{component.mandate.summary[1:]}")
        said.append(f"use of force {percent(missions.use_of_force[m])} of all necessary means, ability "
                    f"{percent(missions.ability[m])}, restraint {percent(missions.restraint[m])}.")  # fmt: skip
    said.append(f"freedom of movement {percent(units.freedom[u])}.")
    if units.suspended[u]:
        said.append("held back by its country's caveats.")
    if units.losses[u] >= 1:
        said.append(f"{count(units.losses[u], 'member')} lost and not replaced yet.")
    host = 1 - model.hostility_of_host()[k]
    said.append(f"the people around trust it {percent(model.census.trust[k, units.cell[u]])}, "
                f"the government's consent {percent(host)}.")  # fmt: skip
    return title, said


def _cell(model, where, c):
    land, census, f = model.land, model.census, model.factions
    n = census.persons[c]
    said = [f"{count(n, 'person', 'people')}, {census.idps[c]:,.0f} of them displaced." if n else "nobody lives here."]
    if n:
        said.append(f"unmet need {percent(census.need[c] / n)}.")
    said.append(f"violence felt {percent(land.felt[c])}; institutions {percent(land.institutions[c])}; "
                f"remoteness {percent(land.remoteness[c])}.")  # fmt: skip
    around = model.fighters_around()[:, c]
    armed = [f"{faction_name(f.names[i])} ({around[i]:,.0f})" for i in np.argsort(-around) if around[i] >= 1]
    said.append(f"fighters in and around: {joined(armed)}." if armed else "no armed band in or around.")
    guards = []
    for m, name in enumerate(model.missions.names):
        at_work = model.task_presence("protect")[m, c]
        if at_work >= 0.5:
            guards.append(f"{mission_said(model, name)} ({at_work:,.0f})")
    if model.missions.names:
        said.append(f"presence that protects, in effective persons: {joined(guards)}." if guards
                    else "no presence that protects reaches here.")  # fmt: skip
        if n:
            trust = [f"{percent(t)} in {command_said(model, k)}" for k, t in enumerate(census.trust[:, c])]
            said.append(f"trust {joined(trust)}.")
    if land.resources[c] > 0.2:
        said.append(f"there are things to loot: {percent(land.resources[c])}.")
    return capital(where(c)), said


# ---------------------------------------------------------------------------------- phases and what happened


def phase(model: Model, i: int, week: float) -> str:
    """Return what mission i is doing in a week by its plan and by consent as far as it is known today."""
    m = model.missions
    share = model.plan[min(int(week / model.params.step_weeks), len(model.plan) - 1), i]
    if week >= min(m.leave[i], m.ended[i], m.expelled[i] + model.params.deploy.expulsion):
        return "gone"
    if week >= m.expelled[i]:
        return "asked to leave"
    if week < m.arrive[i]:
        return f"arrives in week {m.arrive[i]:.0f}" if m.arrive[i] < model.params.weeks else "does not come"
    if week >= m.leave[i] - m.draw_down[i]:
        return "leaving"
    if share < ALMOST_ALL * model.plan[:, i].max(initial=0) and not m.strength[i]:
        return "building up"
    return "at strength"


def phases(model: Model) -> list[tuple[str, str]]:
    """Return what each mission is doing this week: a list of (mission, phase)."""
    return [(name, phase(model, i, model.week)) for i, name in enumerate(sent(model))]


def spans(model: Model) -> list[list[Span]]:
    """Return the phases of each mission over the whole run: for each a list of [first week, week after, phase]."""
    found = []
    for i in range(len(sent(model))):
        mine = []
        for week in range(model.params.weeks):
            now = phase(model, i, week)
            now = "" if week < model.missions.arrive[i] else now  # not there yet
            if mine and mine[-1][2] == now:
                mine[-1][1] = week + 1
            else:
                mine.append([week, week + 1, now])
        found.append(mine)
    return found


class Watch:
    """Compares each week with the one before and says what was notable.

    Parameters
    ----------
    model : Model, before its first week
    """

    def __init__(self, model: Model) -> None:
        self.model, self.where = model, Gazetteer(model)
        self.seen = len(model.record.events)
        self.displaced, self.befallen = 0, set()
        self.before = self._look()

    def _look(self):
        m = self.model
        return {
            "agreement": bool(m.politics.agreement[0]), "phase": dict(phases(m)),
            "expelled": np.isfinite(m.missions.expelled).copy(), "suspended": int(m.units.suspended.sum()),
            "unwelcome": (m.commands.unwelcome > 0).copy(), "campaign": (m.factions.campaign > 0).copy(),
            "paused": (m.bands.paused > 0).copy(), "present": m.missions.persons.sum(axis=1) >= 1,
        }  # fmt: skip

    def week(self) -> list[dict[str, Any]]:
        """Return the notable events of the week just stepped: dictionaries of week, kind, text and cell or None."""
        m, now = self.model, self._look()
        said = [*self._events(), *self._politics(now), *self._missions(now), *self._factions(now), *self._violence(),
                *self._people()]  # fmt: skip
        self.before = now
        return [{"week": round(m.week - m.params.step_weeks), "kind": k, "text": capital(t), "cell": c}
                for k, t, c in said]  # fmt: skip

    def _events(self):
        for _, name, summary in happened(self.model):
            if name in self.befallen:
                continue
            self.befallen.add(name)
            yield "event", f"{name.replace('_', ' ')}: {summary[:1].lower()}{summary[1:]}", None

    def _politics(self, now):
        if now["agreement"] and not self.before["agreement"]:
            first = self.model.politics.collapsed[0] == 0
            yield "agreement", f"{'an' if first else 'another'} agreement is signed.", None
        if self.before["agreement"] and not now["agreement"]:
            yield "collapse", "the agreement collapses.", None

    def _missions(self, now):
        m = self.model
        yield from self._consent(now)
        for i, name in enumerate(sent(m)):
            who = mission_name(name)
            if now["expelled"][i] and not self.before["expelled"][i]:
                yield "consent", f"consent withdrawn: the government asks {who} to leave.", None
            if now["present"][i] and not self.before["present"][i]:
                yield "mission", f"{who} arrives: {self._first(i)}.", None
            if self.before["present"][i] and not now["present"][i]:
                other = [m.missions.names[j] for j in np.flatnonzero(m.missions.takes_over == i)]
                over = f" and hands over to {mission_name(other[0])}" if other else ""
                yield "mission", f"{who} has left{over}.", None
            old, new = self.before["phase"][name], now["phase"][name]
            if (old, new) == ("building up", "at strength"):
                yield "mission", f"{who} reaches its strength: {count(self._size(i), 'person', 'people')}.", None
            if new == "leaving" and old != "leaving" and now["present"][i]:
                yield "mission", f"{who} begins to draw down.", None
        more = now["suspended"] - self.before["suspended"]
        if more >= 1 and self.before["suspended"] == 0:
            yield "caveat", f"{count(now['suspended'], 'contingent is', 'contingents are')} held back by caveats.", None

    def _consent(self, now):
        m = self.model
        for k, hostility in enumerate(m.hostility_of_host()):
            if (now["expelled"] | m.missions.donors)[m.missions.command == k].all():
                continue  # all who would go have been asked to
            was, is_ = self.before["unwelcome"][k], now["unwelcome"][k]
            who, consent = command_said(m, k), percent(1 - hostility)
            if is_ and not was:
                yield "consent", f"the government no longer wants {who}: consent {consent}.", None
            if was and not is_:
                yield "mission", f"the government bears with {who} again: consent {consent}.", None

    def _size(self, i):
        return self.model.missions.persons[i].sum()

    def _first(self, i):
        of = self.model.missions.takes_over[i]
        rehatted = of >= 0 and self.model.missions.rehatted[i] > 0 and self.before["present"][of]
        more = ", some of them re-hatted on the spot" if rehatted and self._size(i) > 500 else ""
        return count(self._size(i), "person", "people") + more

    def _factions(self, now):
        f = self.model.factions
        for i in np.flatnonzero(now["campaign"] & ~self.before["campaign"]):
            goal = f", toward {_place(self.where(f.objective[i]))}" if f.objective[i] >= 0 else ""
            cell = int(f.objective[i]) if f.objective[i] >= 0 else None
            yield "campaign", f"{faction_name(f.names[i])} open a campaign{goal}.".replace(
                "the government open", "the government opens"), cell  # fmt: skip
        for i in np.flatnonzero((f.enters > 0) & (f.enters <= self.model.week - self.model.params.step_weeks)
                                & (f.enters > self.model.week - 2 * self.model.params.step_weeks)):  # fmt: skip
            yield "campaign", f"{faction_name(f.names[i])} enter the war.", None
        paused = np.flatnonzero(now["paused"] & ~self.before["paused"])
        if paused.size >= 3:
            cell = int(self.model.bands.cell[paused[0]])
            yield "aid", f"a pause is negotiated {self.where(cell)}: {paused.size} bands hold their fire.", cell

    def _violence(self):
        r = self.model.record
        new, self.seen = r.events[self.seen :], len(r.events)
        yield from self._massacres([e for _, e in new if e.kind == "attack"])
        for _, e in new:
            where = self.where(e.cell)
            faction = faction_name(r.factions[e.side_a]) if e.kind != "operation" else None
            if e.kind == "battle" and e.deaths_a + e.deaths_b >= BATTLE:
                rival = faction_name(r.factions[e.side_b])
                yield "battle", f"{faction} and {rival} fight {where}: {e.deaths_a + e.deaths_b} dead.", e.cell
            elif e.kind == "ambush" and e.deaths_b >= AMBUSH:
                who = mission_said(self.model, r.mission_name(e.side_b))
                yield "ambush", f"a patrol of {who} is ambushed {where} by {faction}: {e.deaths_b} killed.", e.cell
            elif e.kind == "raid" and e.deaths_b >= 1:
                who = mission_said(self.model, r.mission_name(e.side_b))
                killed = count(e.deaths_b, "aid worker")
                yield "ambush", f"a convoy of {who} is ambushed {where} by {faction}: {killed} killed.", e.cell
            elif e.kind == "raid":
                who = mission_said(self.model, r.mission_name(e.side_b))
                yield "aid", f"{faction} loot a convoy of {who} {where}.".replace("ment loot", "ment loots"), e.cell
            elif e.kind == "operation":  # few, and what lesson 2 is about
                who = mission_said(self.model, r.mission_name(e.side_a))
                rival = faction_name(r.factions[e.side_b])
                sides = ((e.deaths_b, "fighter"), (e.deaths_civilians, "civilian"), (e.deaths_a, "peacekeeper"))
                dead = joined(count(n, noun) for n, noun in sides if n) or "nobody"
                yield "operation", f"an operation of {who} against {rival} {where} kills {dead}.", e.cell

    def _massacres(self, attacks):
        for f, name in enumerate(self.model.factions.names):
            mine = [e for e in attacks if e.side_a == f and e.deaths_civilians]
            dead = sum(e.deaths_civilians for e in mine)
            if dead < MASSACRE:
                continue
            worst = max(mine, key=lambda e: e.deaths_civilians)
            where = self.where(worst.cell)
            where = where if len(mine) == 1 else f"in {len(mine)} attacks, the worst {where} ({worst.deaths_civilians})"
            yield "massacre", f"{count(dead, 'civilian')} killed by {faction_name(name)} {where}.", worst.cell

    def _people(self):
        now = self.model.census.idps.sum() + self.model.census.refugees[0]
        passed = [s for s in DISPLACED_STEPS if s <= now]
        top = passed[-1] if passed else 0
        if top > self.displaced and self.model.week > 1:
            yield "displaced", f"more than {top:,} people are displaced or in refuge.", None
        self.displaced = max(self.displaced, top)
