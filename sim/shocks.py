"""Shocks in time: what befalls a country and its missions from outside, in a week, as data (`events:`).

An event says when it begins, for how many weeks it lasts, and what it moves. What can be moved stands in THINGS below:
state that exists, one line for each. A thing is one of two kinds:

    a stock      a number that rules go on with (trust, need, fighters): `by` and `times` come at once, or are spread
                 over the event's weeks; `to` sets it, and holds it there for these weeks
    a condition  what no rule changes (misinformation, a sponsor, who is sent home): it is moved for these weeks, and
                 then it is as it was; without weeks it is moved for good

In a week a thing is first what the `to` make it (their mean, if there are several), then it is multiplied, then added
to. So an event in two halves is the same event, and neither names nor order matter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Any, List, Optional  # noqa: UP035  as the declarations have them

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.components import WITH
from sim.country import land_of, weeks_until
from sim.params import KINDS, Params, Push, Shock, When
from sim.processes.judge import ask_to_leave, take_back
from sim.processes.negotiate import set_aggression
from sim.state import ABROAD
from sim.values import among, no_setting

if TYPE_CHECKING:
    from sim.model import Model

HOST, OTHERS = "host", "others"  # the host government, and all other factions, where no faction has that name


# ---------------------------------------------------------------------------------- who and where


def _factions(model, push, where):
    f = model.factions
    known = {HOST: np.flatnonzero(f.host), OTHERS: np.flatnonzero(~f.host)}
    return _named(push, where, known | {n: [i] for i, n in enumerate(f.names)}, f.host.size)


def _missions(model, push, where):
    """Find missions: by their own name, that of their chain of command, or that of the country's aid workers."""
    m, known = model.missions, {}
    for i, name in enumerate(m.names):
        for said in {name, name.split(WITH)[0], model.commands.names[m.command[i]]}:
            known.setdefault(said, []).append(i)
    return _named(push, where, known, len(m.names))


def _guests(model, push, where):
    """Find missions that the country can ask to leave: not those who belong to it."""
    guests = np.array([i for i in _missions(model, push, where) if not model.missions.donors[i]], dtype=int)
    if push and not guests.size:
        raise ValueError(f"{where} names {', '.join(push)}; they belong to the country: name missions that came to it")
    return guests


def _commands(model, push, where):
    everybody = _missions(model, push, where)
    return np.unique(model.missions.command[everybody])


def _commands_of_guests(model, push, where):
    return np.unique(model.missions.command[_guests(model, push, where)])


def _cells(model, push, where):
    found = [land_of(model.land, model.params.country, name, push.km, where) for name in push.of]
    return np.unique(np.concatenate(found)) if found else np.arange(model.land.row.size)


def _people(model, push, where):
    """Find those who are of a community, or who are now at a place and in reach of it."""
    people, land = model.people, model.land
    if not push.of:
        return np.arange(people.persons.size)
    chosen = np.zeros(people.persons.size, dtype=bool)
    for name in push.of:
        if name in land.names and name not in model.params.country.places:
            chosen |= people.community == land.names.index(name)
        else:
            at = land_of(model.land, model.params.country, name, push.km, where)
            chosen |= np.isin(people.cell, at) & (people.status != ABROAD)
    return np.flatnonzero(chosen)


def _named(push, where, known, n):
    if not push:
        return np.arange(n)
    for name in push:
        if name not in known:
            raise ValueError(f"{where} names {name!r}{among(name, sorted(known))}")
    return np.unique(np.concatenate([np.asarray(known[n], dtype=int) for n in push]))


# ---------------------------------------------------------------------------------- what can be moved


@dataclass(frozen=True)
class Thing:
    """Something that an event can move: state that exists."""

    what: str
    unit: str
    low: float
    high: float
    of: Callable[..., NDArray[Any]] | None  # whose: model, push, setting -> rows
    get: Callable[..., NDArray[Any]]  # model -> (rows[, columns]) numbers; of a condition, the array itself
    put: Callable[..., None] | None = None  # model, numbers: writes them; none: into the array that `get` returns
    toward: Callable[..., NDArray[Any]] | None = None  # toward whom: columns
    stock: bool = True
    switch: bool = False  # on or off: `to` alone

    def write(self, model: "Model", numbers: NDArray[Any]) -> None:
        """Write the numbers into the state."""
        if self.put:
            self.put(model, numbers)
        else:
            self.get(model)[...] = numbers


def _put_fighters(model, wanted):
    """Give every faction in the war so many fighters: each band as many more or fewer, by its size."""
    f, bands = model.factions, model.bands
    now, bare = model.strength(), np.bincount(bands.faction, minlength=wanted.size)
    in_war = (f.enters <= model.week) & (model.week < f.leaves)
    wanted = np.where(in_war, wanted, now)
    bands.fighters *= np.where(now > 0, wanted / np.maximum(now, 1e-9), 0.0)[bands.faction]
    anew = np.where(now > 0, 0.0, wanted / np.maximum(bare, 1))
    bands.fighters += anew[bands.faction]


def _put_consent(model, wanted):
    f = model.factions
    f.hostility[f.host] = (1 - wanted) / max(f.host.sum(), 1)


def _put_commitment(model, wanted):
    model.factions.commitment[:] = np.minimum(wanted, model.factions.ceiling)


def _put_agreement(model, wanted):
    """Sign or tear up the agreement: so it is counted as one that the parties signed or broke."""
    politics, on = model.politics, wanted >= 0.5
    politics.signed[:] = np.where(on & ~politics.agreement, np.minimum(politics.signed, model.week), politics.signed)
    politics.collapsed += politics.agreement & ~on
    politics.agreement[:] = on


def _put_letter(model, wanted):
    """Let the host write to missions that it wants gone, or take its letter back."""
    asked, on = np.isfinite(model.missions.expelled), (wanted >= 0.5) & model.missions.needs_consent
    ask_to_leave(model.view, on & ~asked)
    take_back(model.view, asked & ~on)


THINGS = {
    "misinformation": Thing("misinformation and hate speech", "share", 0, 1, None,
                            lambda m: m.conditions.misinformation, stock=False),
    "unity": Thing("unity of the Security Council's permanent members", "share", 0, 1, None, lambda m: m.politics.unity,
                   stock=False),
    "money": Thing("share of the money due to missions that arrives", "share", 0, 1, _guests,
                   lambda m: m.missions.funding, stock=False),
    "mortality": Thing("deaths from need, against ordinary times, at places or of a community's land", "ratio", 0, 100,
                       _cells, lambda m: m.conditions.mortality, stock=False),
    "need": Thing("need of a community, or of those who are at places", "share", 0, 1, _people,
                  lambda m: m.people.need),
    "institutions": Thing("reach and quality of the state at places or on a community's land", "share", 0, 1, _cells,
                          lambda m: m.land.institutions),
    "trust": Thing("trust of a community, or of those who are at places, in missions", "share", 0, 1, _people,
                   lambda m: m.people.trust, toward=_commands),
    "grievance": Thing("grievance of a community, or of those who are at places, toward factions", "share", 0, 1,
                       _people, lambda m: m.people.grievance, toward=_factions),
    "provocation": Thing("own dead lately, which provoke a faction", "person", 0, 1e6, _factions,
                         lambda m: m.factions.provocation),
    "commitment": Thing("commitment of factions to the political process", "share", 0, 1, _factions,
                        lambda m: m.factions.commitment, _put_commitment),
    "agreement": Thing("an agreement is in force", "0/1", 0, 1, None,
                       lambda m: m.politics.agreement.astype(float), _put_agreement, switch=True),
    "fighters": Thing("fighters of factions", "person", 0, 1e6, _factions, lambda m: m.strength(), _put_fighters),
    "keep": Thing("fighters that factions can keep", "person", 0, 1e6, _factions, lambda m: m.factions.keep,
                  stock=False),
    "sponsor": Thing("money and arms from outside, of what the richest deposits give", "share", 0, 1, _factions,
                     lambda m: m.factions.sponsor, stock=False),
    "abuse": Thing("propensity of factions to attack civilians", "ratio", 0, 10, _factions,
                   lambda m: m.factions.abuse, stock=False),
    "hostility": Thing("hostility of factions to missions", "share", 0, 1, _factions,
                       lambda m: m.factions.hostility, toward=_commands),
    "consent": Thing("consent of the host government to missions", "share", 0, 1, _commands_of_guests,
                     lambda m: 1 - m.hostility_of_host(), _put_consent),
    "letter": Thing("the host has asked a mission to leave", "0/1", 0, 1, _guests,
                    lambda m: np.isfinite(m.missions.expelled).astype(float), _put_letter, switch=True),
    **{kind: Thing(f"{kind} of missions, of those that they would have", "ratio", 0, 10, _missions,
                   lambda m, k=k: m.missions.staying[:, k], stock=False) for k, kind in enumerate(KINDS)},
}  # fmt: skip


# ---------------------------------------------------------------------------------- from settings to events


@dataclass(frozen=True)
class Scheduled:
    """A shock of the scenario, checked: where it stands in the settings, and what it is."""

    name: str
    where: str
    shock: Shock


def shocks_of(params: Params) -> list[Scheduled]:
    """Return the events of the country, the mission model and the run, in the order of their names.

    Raises
    ------
    ValueError
        One sentence: two events of one name.
    """
    found = {}
    for where, some in (("country.events", params.country.events), ("mission.events", params.mission.events),
                        ("events", params.events)):  # fmt: skip
        for name, shock in some.items():
            if name in found:
                raise ValueError(f"{where}.{name} is in {found[name].where} already; give it another name")
            found[name] = Scheduled(name, f"{where}.{name}", shock)
    return [found[name] for name in sorted(found)]


def check(model: "Model", event: Scheduled) -> None:
    """Refuse an event that cannot happen, in a sentence that says what is allowed."""
    shock, where = event.shock, event.where
    if not shock.moves:
        raise ValueError(f"{where} moves nothing; choose among {', '.join(sorted(THINGS))}")
    if shock.weeks is not None and not 0 < shock.weeks <= 52_000:  # false for nan, too
        raise ValueError(f"{where}.weeks is {shock.weeks:g}; it must lie in (0, 52000] week")
    begin = begins(model, event)
    if begin < 0 or begin < model.week:
        raise ValueError(f"{where} begins in week {begin:g}; the run is in week {model.week:g} already")
    for name, push in shock.moves.items():
        here = f"{where}.moves.{name}"
        if name not in THINGS:
            raise ValueError(f"{here}: nothing of that name can be moved{among(name, sorted(THINGS))}")
        _check_push(model, THINGS[name], push, here)


def _check_push(model, thing, push, here):
    given = [w for w in ("to", "by", "times") if getattr(push, w) is not None]
    allowed = ("to",) if thing.switch else ("to", "by", "times")
    if len(given) != 1 or given[0] not in allowed:
        raise ValueError(f"{here} gives {' and '.join(given) or 'nothing'}; give one of {', '.join(allowed)}")
    low, high = {"to": (thing.low, thing.high), "by": (thing.low - thing.high, thing.high), "times": (0, 100)}[given[0]]
    amount = getattr(push, given[0])
    if not low <= amount <= high:  # false for nan, too
        raise ValueError(f"{here}.{given[0]} is {amount:g}; it must lie in [{low:g}, {high:g}] {thing.unit}")
    if push.of and not thing.of:
        raise ValueError(f"{here}.of names {', '.join(push.of)}; it is the same for all: leave it out")
    if push.toward and not thing.toward:
        raise ValueError(f"{here}.toward names {', '.join(push.toward)}; it is toward nobody: leave it out")
    _rows(model, thing, push, here)


def _rows(model, thing, push, here):
    """Return the rows, or rows and columns, that a push moves."""
    rows = np.arange(1) if thing.of is None else _whom(model, thing.of, push, here)
    if thing.toward is None:
        return rows
    return np.ix_(rows, thing.toward(model, push.toward, f"{here}.toward"))


def _whom(model, domain, push, here):
    of_land = domain in (_cells, _people)  # they also need to know how far around a place
    return domain(model, push if of_land else push.of, f"{here}.of")


def made_of(where: str, settings: object) -> Shock:
    """Make a shock of plain settings, as a file, the command line or a page has them.

    Raises
    ------
    ValueError
        One sentence: a setting that is none, or a value of the wrong kind.
    """
    if isinstance(settings, Shock):
        return settings
    found = _filled(Shock, settings, where)
    found.when = _filled(When, found.when, f"{where}.when")
    moves = _dictionary(found.moves, f"{where}.moves")
    found.moves = {name: _filled(Push, given, f"{where}.moves.{name}") for name, given in moves.items()}
    return found


def _filled(kind, settings, where):
    if isinstance(settings, kind):
        return settings
    known = {f.name: f.type for f in fields(kind)}
    for name, value in _dictionary(settings, where).items():
        if name not in known:
            raise ValueError(no_setting(f"{where}.{name}", known))
        here, number = f"{where}.{name}", isinstance(value, (int, float)) and not isinstance(value, bool)
        if known[name] in (float, Optional[float]) and not (number or (value is None and known[name] is not float)):
            raise ValueError(f"{here} is {value!r}; it must be a number")
        if known[name] in (str, Optional[str]) and not isinstance(value, str | None):
            raise ValueError(f"{here} is {value!r}; it must be a text")
        if known[name] == List[str] and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise ValueError(f"{here} is {value!r}; it must be a list of names")
    return kind(**settings)


def _dictionary(given, where):
    if not isinstance(given, dict):
        raise ValueError(f"{where} is {given!r}; it must be a table of settings")
    return given


# ---------------------------------------------------------------------------------- when


def begins(model: "Model", event: Scheduled) -> float:
    """Return the week in which an event begins; infinite as long as it is not known."""
    when, where, m = event.shock.when, f"{event.where}.when", model.missions
    given = [w for w in ("week", "date", "after") if getattr(when, w) is not None]
    if len(given) != 1:
        raise ValueError(f"{where} gives {' and '.join(given) or 'nothing'}; give one of week, date, after")
    if when.week is not None:
        if not isfinite(when.week):
            raise ValueError(f"{where}.week is {when.week:g}; it must be a week of the run")
        return when.week + when.weeks
    if when.date is not None:
        return weeks_until(model.params.country.start, when.date, where) + when.weeks
    dt = model.params.step_weeks
    known = {"start": 0.0, "authorisation": model.params.mission.authorised, "agreement": model.politics.signed[0] + dt}
    known |= {f"{n}.arrive": m.arrive[i] for i, n in enumerate(m.names)}
    known |= {f"{n}.leave": m.leave[i] for i, n in enumerate(m.names)}
    if when.after not in known:
        raise ValueError(f"{where}.after is {when.after!r}{among(when.after, sorted(known))}")
    return known[when.after] + when.weeks


def ends(model: "Model", event: Scheduled) -> float:
    """Return the week in which an event ends: that in which it begins, if it moves things once and for all."""
    once = all(THINGS[name].stock for name in event.shock.moves)
    return begins(model, event) + (event.shock.weeks or (0.0 if once else np.inf))


def is_of_missions(name: str) -> bool:
    """Say whether a thing that events can move is one of each mission."""
    return THINGS[name].of in (_guests, _missions)


def happened(model: "Model") -> list[tuple[float, str, str]]:
    """Return the events that have begun so far: (week, name, summary), the oldest first."""
    begun = [(begins(model, e), e.name, e.shock.summary) for e in model.events]
    return sorted(b for b in begun if b[0] < model.week)


# ---------------------------------------------------------------------------------- a week


def strike(model: "Model") -> None:
    """Let every event of the week do what it does; what has ended ends."""
    model.pushes, model.politics.held[0] = {}, False
    if not model.events:
        return
    dt, week, at_work, touched = model.params.step_weeks, model.week, {}, set()
    for event in model.events:
        begin, weeks = begins(model, event), event.shock.weeks
        touched |= set(event.shock.moves)
        for name, push in event.shock.moves.items():
            thing = THINGS[name]
            if thing.stock and weeks is None:
                share = float(week <= begin < week + dt)
            else:
                lasts = np.inf if weeks is None else weeks
                inside = min(week + dt, begin + lasts) - max(week, begin)
                share = max(inside, 0.0) / (lasts if thing.stock and push.to is None else dt)
                share = float(share > 0) if thing.stock and push.to is not None else share
            if share > 0:
                rows = _rows(model, thing, push, f"{event.where}.moves.{name}")
                at_work.setdefault(name, []).append((rows, push, share, thing.stock and weeks is not None))
    model.politics.held[0] = any(held for *_, held in at_work.get("agreement", ()))
    for name, thing in THINGS.items():
        if thing.stock and name in at_work:
            thing.write(model, np.clip(moved(thing.get(model).copy(), at_work[name]), thing.low, thing.high))
        elif not thing.stock and name in touched:
            model.pushes[name] = at_work.get(name, [])
            set_usual(model, name, model.usual[name])
    if "agreement" in at_work or "commitment" in at_work:
        set_aggression(model.view)


def set_usual(model: "Model", name: str, numbers: ArrayLike) -> None:
    """Set what a condition is without events, as a rule or a date has it; what events make of it this week follows."""
    thing, usual = THINGS[name], model.usual[name]
    usual[...] = numbers
    thing.write(model, np.clip(moved(usual.copy(), model.pushes[name]), thing.low, thing.high)
                if name in model.pushes else usual)  # fmt: skip


def calm(
    model: "Model", past: Mapping[str, Any], usual: Mapping[str, NDArray[Any]], missions: Sequence[tuple[int, int]]
) -> None:
    """Bring the conditions that a past moved back to what they were, before the events of the future move them.

    Parameters
    ----------
    model : Model, restored; past : the parameters of that past, as plain dictionaries
    usual : conditions of that past without its events, by name
    missions : rows, of the future and of the past, of the missions that go on; others are as they begin
    """
    events = [past["events"], past["country"]["events"], past["mission"]["events"]]
    touched = {name for some in events for shock in some.values() for name in shock["moves"]}
    model.pushes = {}
    for name, now in model.usual.items():
        thing = THINGS[name]
        if name not in touched:
            before = thing.get(model)
        elif is_of_missions(name):
            before = now.copy()
            for here, there in missions:
                before[here] = usual[name][there]
        elif name == "unity" and past["mission"]["council_unity"] != model.params.mission.council_unity:
            before = now  # the Council of that future is another
        else:
            before = usual[name]
        set_usual(model, name, before)


def moved(start: NDArray[np.float64], pushes: Iterable[tuple[Any, ...]]) -> NDArray[np.float64]:
    """Return what a week's pushes make of some numbers.

    Parameters
    ----------
    start : (n,) or (n, m) numbers; pushes : of (rows, Push, share of it that comes now, ...)
    """
    weight, total, factor, added = (
        np.zeros(start.shape),
        np.zeros(start.shape),
        np.ones(start.shape),
        np.zeros(start.shape),
    )
    in_order = sorted(pushes, key=lambda p: repr((p[1].to, p[1].times, p[1].by, p[1].of, p[1].toward, p[2])))
    for rows, push, share, *_ in in_order:  # by what they are: sums do not depend on names
        if push.to is not None:
            weight[rows] += share
            total[rows] += share * push.to
        elif push.times is not None:
            factor[rows] *= push.times**share
        else:
            added[rows] += push.by * share
    set_to = np.minimum(weight, 1.0)
    new = np.where(weight > 0, (1 - set_to) * start + set_to * total / np.maximum(weight, 1e-12), start)
    return new * factor + added
