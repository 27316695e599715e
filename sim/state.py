"""The state of the world: one table per kind of thing, one array per state variable.

Rows never move: the dead, the disbanded and the departed stay, with nobody in them, so an index is an
identity. Processes write here; nothing else keeps state. Mesa agents (agents.py) are views of these rows.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T")

HOME, AWAY, ABROAD = 0, 1, 2  # where a civilian lives: at home, displaced inside the country, refugee
CEASEFIRE, CONSENT, IMPARTIALITY, WITHDRAW, MINIMUM_FORCE = range(5)  # what contingents' caveats say (params.Caveats)
ABILITY, RESTRAINT, KNOWLEDGE = range(3)  # where each stands in what a force is able to do and in its people's quality
MOBILITY, PRICE = 3, 3  # the last of what it is able to do, and the last of their quality
SMALL_FACTION = 100.0  # shares of a faction smaller than this are taken of this: the last fighters are not a faction


def zeros(*shape: SupportsIndex, dtype: DTypeLike = float) -> NDArray[Any]:
    """Make an array of zeros."""
    return np.zeros(shape, dtype=dtype)


def zeroed(said: str) -> Any:
    """Declare an array that begins at zero: its shape in letters, `int` or `bool` if it is that, and its meaning."""
    return field(metadata={"doc": said})


def begun(kind: type["Table"], **sizes: int) -> dict[str, NDArray[Any]]:
    """Make the arrays of a class of table that begin at zero, by name; sizes : of each letter of their shapes."""
    made = {}
    for f in fields(kind):  # type: ignore[arg-type]  # all classes of tables are dataclasses
        if said := re.match(r"\((.*?)\)(?: (int|bool)\b)?", f.metadata.get("doc", "")):
            shape = (int(n) if n.isdigit() else sizes[n] for n in re.findall(r"\w+", said[1]))
            made[f.name] = zeros(*shape, dtype={"int": np.int64, "bool": bool}.get(said[2], float))
    return made


class Table:
    """A table of state. Its arrays stay where they are, for compiled rules hold on to them: a value is copied in."""

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: D105
        there = self.__dict__.get(name)
        if isinstance(there, np.ndarray):
            there[...] = value
        else:
            object.__setattr__(self, name, np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value)

    def enlarge(self, name: str, array: NDArray[Any]) -> None:
        """Put another array in the place of one, before the first rule has seen it."""
        object.__setattr__(self, name, np.ascontiguousarray(array))


@dataclass
class Land(Table):
    """The cells of the country: C cells, K communities, N9/N25... neighbours. Fixed but for the layers."""

    row: np.ndarray  # (C,) int, 0 in the south
    col: np.ndarray  # (C,) int, 0 in the west
    shape: tuple[int, int]  # rows, columns of the enclosing grid
    cell_km: float  # km, side of a cell
    births: np.ndarray  # (C, K) persons at the start
    remoteness: np.ndarray  # (C,) 0 town .. 1 days from one
    resources: np.ndarray  # (C,) 0..1 lootable resources
    border: np.ndarray  # (C,) km to the country's edge
    town: np.ndarray  # (C,) 0..1 size of the town in the cell against the capital
    institutions: np.ndarray  # (C,) 0..1 reach and quality of the state, a layer
    violence: np.ndarray  # (C,) recent deaths per 1,000 there, decaying, a layer
    felt: np.ndarray  # (C,) 0..1 violence felt there and around, a layer
    grief: np.ndarray  # (C, K) own dead lately by community, decaying fast, a layer
    site: np.ndarray  # (C,) 0..1 how far a camp or protection site is open there
    sheltered: np.ndarray  # (C, K) persons of each community in it
    vaccinated: np.ndarray  # (C,) 0..1 of the people there whom vaccines protect, decaying, a layer
    near: np.ndarray  # (C, 9) int, cells one place on, itself first; -1 outside
    place: np.ndarray  # (C, P) int, cells in the place around each, itself first; -1 outside
    place_share: np.ndarray  # (P,) 0..1 part of each that lies in it
    reach: np.ndarray  # (C, R) int, cells in the place and the eight around it, itself first; -1 outside
    reach_share: np.ndarray  # (R,) 0..1 part of each that lies there
    stride: int  # cells from one place to the next
    place_area: float  # places in a cell
    patrol: np.ndarray  # (C, R) int, cells in patrol reach, itself first; -1 outside
    patrol_weight: np.ndarray  # (R,) presence of a unit at each of these, 1 at its own
    names: tuple[str, ...] = ()  # communities
    admin: np.ndarray | None = None  # (C,) str, first-level administrative unit
    latitude: np.ndarray | None = None  # (C,) degrees north, middle of the cell; none: not on the world's map
    longitude: np.ndarray | None = None  # (C,) degrees east


@dataclass
class Civilians(Table):
    """N civilian agents, each some persons of one place and one community."""

    home: np.ndarray  # (N,) int, cell
    cell: np.ndarray  # (N,) int, cell; the crossing they went through if abroad
    community: np.ndarray  # (N,) int
    born: np.ndarray  # (N,) int, persons at the start
    persons: np.ndarray  # (N,) int, persons alive
    status: np.ndarray  # (N,) int, HOME, AWAY or ABROAD
    need: np.ndarray  # (N,) 0..1
    grievance: np.ndarray  # (N, F) 0..1 toward each faction
    trust: np.ndarray  # (N, Q) 0..1 in each chain of command


@dataclass
class Factions(Table):
    """F armed factions."""

    names: tuple[str, ...]  # (F,) str
    host: np.ndarray  # (F,) bool
    community: np.ndarray  # (F, K) share of each community it calls its own, 0..1
    rival: np.ndarray  # (F, F) bool
    comfort: np.ndarray  # (F, C) how a resting band likes each cell: its own people, and loot
    enters: np.ndarray  # (F,) week
    leaves: np.ndarray  # (F,) week
    keep: np.ndarray  # (F,) persons, fighters it can keep
    ceiling: np.ndarray  # (F,) 0..1
    abuse: np.ndarray  # (F,) ratio
    loot: np.ndarray  # (F,) 0..1
    sponsor: np.ndarray  # (F,) money and arms from outside, of what the richest deposits give
    commitment: np.ndarray  # (F,) 0..1 to the political process
    campaign: np.ndarray  # (F,) weeks left of the campaign; 0: at rest
    vigour: np.ndarray  # (F,) intensity of the campaign, ratio
    objective: np.ndarray  # (F,) int, cell
    rest: np.ndarray  # (F,) weeks until it is ready again
    provocation: np.ndarray  # (F,) own dead lately, decaying
    abuse_record: np.ndarray  # (F,) civilians killed lately, decaying
    pressure: np.ndarray  # (F,) share of fighters hit by missions lately, decaying
    wronged: np.ndarray  # (F,) own people killed by missions lately, decaying
    dispersed: np.ndarray  # (F,) persons, fighters who scattered and may return
    demobilised: np.ndarray  # (F,) persons, ex-combatants not yet settled
    settled: np.ndarray  # (F,) persons, ex-combatants who settled for good
    hostility: np.ndarray  # (F, Q) 0..1 to each chain of command
    smear: np.ndarray  # (F, Q) weeks left of its campaign of misinformation about each chain of command
    aggression: np.ndarray  # (F,) 0..1, this week's
    nature: np.ndarray  # (F,) ratio, the abuse that it began with, before any reform
    own_abuse: np.ndarray  # (F,) ratio, its abuse apart from what events make of it
    hired: np.ndarray  # (F,) persons under contract now, who fight in its bands
    sponsored: list[tuple[np.ndarray, np.ndarray] | None]  # of None or ((n,) weeks, (n,) sponsor)
    musters: np.ndarray  # (F,) 0..1 of what it can keep, when it enters
    outbreak: np.ndarray  # (F,) own dead lately, when it enters
    hired_men: np.ndarray  # (F,) persons under contract when it can pay them all
    hired_since: np.ndarray  # (F,) week
    hired_until: np.ndarray  # (F,) week
    hired_income: np.ndarray  # (F,) income that pays them all
    hired_skill: np.ndarray  # (F,) ratio, what one of them counts for in battle
    hired_abuse: np.ndarray  # (F,) ratio, their propensity to attack civilians, of the faction's own
    mobilised: np.ndarray  # (F,) 0..1 of what it can keep in a war, what it has grown to
    armed: np.ndarray  # (F,) 1.. what it can keep, of what it could before reform armed it


@dataclass
class Bands(Table):
    """B armed bands."""

    faction: np.ndarray  # (B,) int
    home: np.ndarray  # (B,) int, cell where it started
    cell: np.ndarray  # (B,) int
    fighters: np.ndarray  # (B,) persons
    losses: np.ndarray  # (B,) persons lost lately, decaying
    taking_part: np.ndarray  # (B,) bool, in the present campaign
    paused: np.ndarray  # (B,) weeks for which it holds its fire
    held_up: np.ndarray  # (B,) 0..1 share of its movement denied this week


@dataclass
class Commands(Table):
    """Q chains of command: the flags that people and factions know, each with one mission or several."""

    names: tuple[str, ...]  # (Q,) str
    luck: np.ndarray  # (Q,) uint64, identity for draws: made of the name
    member: np.ndarray  # (Q, M) 1 where a mission serves under it, else 0
    unwelcome: np.ndarray  # (Q,) weeks in which the host wanted it gone
    escorting: np.ndarray  # (Q,) 0..1 habit of armed escorts
    seen: np.ndarray  # (Q, C) person-equivalents, protection that people remember, fading
    incidents: np.ndarray  # (Q,) killed by it, or attacked before its eyes, lately, decaying
    rumour: np.ndarray  # (Q,) 0..1 strength of a rumour about it that no faction's campaign spreads, decaying


@dataclass
class Missions(Table):
    """M missions: headquarters with a mandate, a plan, money."""

    names: tuple[str, ...]  # (M,) str
    luck: np.ndarray  # (M,) uint64, identity for draws: made of the name
    command: np.ndarray  # (M,) int, its chain of command
    un: np.ndarray  # (M,) bool, for the panel
    donors: np.ndarray  # (M,) bool, humanitarians of the country whom donors pay
    accepts: np.ndarray  # (M,) 0..1 teams that ask for the escort of another command
    by_consent: np.ndarray  # (M,) bool, pulls back from places whose masters withdraw their consent
    personnel: np.ndarray  # (M, 5) persons authorised, by kind
    arrive: np.ndarray  # (M,) week
    leave: np.ndarray  # (M,) week; the latest, until its benchmark is met
    benchmark: np.ndarray  # (M, 5) weeks back, battle deaths, killed, institutions, agreement; nan: not asked for
    earliest: np.ndarray  # (M,) week before which it does not leave by its benchmark; inf: it has none
    decided: np.ndarray  # (M,) week in which its benchmark was met; inf: not yet
    build_up: np.ndarray  # (M,) weeks
    draw_down: np.ndarray  # (M,) weeks
    peak: np.ndarray  # (M,) share
    strength: list[tuple[np.ndarray, np.ndarray] | None]  # of None or ((n,) weeks, (n,) share of the uniformed)
    takes_over: np.ndarray  # (M,) int, mission whose troops it re-hats; -1: none
    rehatted: np.ndarray  # (M,) share
    price: np.ndarray  # (M, 5) US$ per person-year, by kind
    headquarters: np.ndarray  # (M,) US$ per year
    paid: np.ndarray  # (M,) 0..1 share of what is due that is paid in time
    pledged: np.ndarray  # (M,) 0..1 share of what is due that is paid, in time or late
    funding: np.ndarray  # (M,) 0..1 share of that which arrives: less after a cut
    cuts: list[tuple[np.ndarray, np.ndarray] | None]  # of None or ((n,) weeks, (n,) share that arrives from then on)
    reserve: np.ndarray  # (M,) weeks of pay in hand, at most
    owes: np.ndarray  # (M,) 0..1 part of a lasting shortfall carried as pay owed
    in_hand: np.ndarray  # (M,) weeks of pay in hand; negative: pay owed
    outstanding: np.ndarray  # (M,) US$ assessed and not paid in time
    kept: np.ndarray  # (M, 5) 0..1 of its strength for which its head office plans, by kind
    late: np.ndarray  # (M,) 0..1 how late pay is, as its people feel it
    away: np.ndarray  # (M,) 0..1 of its contingents, gone home or not come for want of pay
    recorded: np.ndarray  # (M,) bool, its strength is that of a record
    capacity: np.ndarray  # (M, 5, T) work of one person of a kind on each task
    able: np.ndarray  # (M, 4) 0..1 ability, restraint, local knowledge, mobility of its force when paid in time
    ability: np.ndarray  # (M,) 0..1, as paid
    restraint: np.ndarray  # (M,) 0..1, as paid
    mobility: np.ndarray  # (M,) 0..1, as paid
    knowledge: np.ndarray  # (M,) 0..1 local knowledge
    quality: np.ndarray  # (M, 4) ratio, of those who are there to their force's ability, restraint, knowledge, price
    medicine: np.ndarray  # (M,) 0..1
    training: np.ndarray  # (M,) 0..1
    technology: np.ndarray  # (M,) 0..1
    women: np.ndarray  # (M,) 0..1 of those who meet people
    partiality: np.ndarray  # (M,) 0..1
    needs_consent: np.ndarray  # (M,) bool
    council: np.ndarray  # (M,) 0..1 how far it depends on the Security Council
    contention: np.ndarray  # (M,) 0..1 how contested its mandate is in a divided Council
    discord: np.ndarray  # (M,) 0..1 of the Council over the mandate in force
    ceiling: np.ndarray  # (M,) 0..1 of its strength that the Council lets it have
    mandate_length: np.ndarray  # (M,) weeks
    renewal: np.ndarray  # (M,) week in which its mandate is to be renewed; inf: never
    renewal_luck: np.ndarray  # (M,) uint64, identity for draws about its mandate: made of its command's name
    lapsed: np.ndarray  # (M,) week in which its mandate was not renewed; inf: never
    mandated_force: np.ndarray  # (M,) 0..1 use of force that its mandate asks for
    gates: np.ndarray  # (M,) 0..1 how far its bases and teams take in people who flee
    use_of_force: np.ndarray  # (M,) 0..1 that the Council lets it use
    host_reach: np.ndarray  # (M,) 0..1
    willing: np.ndarray  # (M,) 0..1 use of force of those who are there: some are bound to use the least
    politics: np.ndarray  # (M,) 0..1 political share of its mandate's work
    mean_price: np.ndarray  # (M,) ratio, of those willing to come at the start, to its force's price
    taken: np.ndarray  # (M,) 0..1 of what its contributors offer that it takes: no more than it needs
    area: np.ndarray  # (M, C) 0 or 1, where it may work
    beyond: np.ndarray  # (M,) 0..1 how far it reports on what happens elsewhere
    persons: np.ndarray  # (M, 5) persons present, by kind
    work: np.ndarray  # (M, T) person-equivalents at work on each task
    staying: np.ndarray  # (M, 5) ratio, personnel that events leave it, of those that it would have; by kind
    offence: np.ndarray  # (M,) 0..1 hostility of the host that it earned lately, decaying
    expelled: np.ndarray  # (M,) week it was asked to leave; inf: not, or no longer
    letters: np.ndarray  # (M,) int, how often it was asked to leave
    left: np.ndarray  # (M,) 0..1 of its strength, after the weeks since it was asked; 0: it has gone for good
    ended: np.ndarray  # (M,) week in which it had gone, by its plan or the host's wish; inf: not yet
    spent: np.ndarray  # (M,) US$
    mandate_weeks: np.ndarray  # (M,) weeks served
    pace: np.ndarray  # (M,) 0..1 of its operations, moves and deliveries, as approvals leave it


@dataclass
class Contributors(Table):
    """G groups of contingents of one origin and on the same conditions in one mission; most have one or two."""

    mission: np.ndarray  # (G,) int
    luck: np.ndarray  # (G,) uint64, identity for draws: made of the names of its command and of who sends it
    sender: np.ndarray  # (G,) int, the same for a contributor's groups in all missions of a command
    offered: np.ndarray  # (G,) share of the uniformed of its mission
    sent: np.ndarray  # (G,) persons it would send of all authorised
    bound: np.ndarray  # (G,) bool, carries conditions
    caveat: np.ndarray  # (G, 5) bool, which principles it carries
    force: np.ndarray  # (G,) 0..1 widest use of force it serves under
    politics: np.ndarray  # (G,) 0..1 largest political share of a mandate it serves under
    losses: np.ndarray  # (G,) own dead lately, per 1,000, that it bears
    quality: np.ndarray  # (G, 4) ratio to the force's ability, restraint, local knowledge, price
    lost: np.ndarray  # (G,) persons killed lately, decaying
    home: np.ndarray  # (G,) week it was called home; minus infinity: never came; inf: stays


@dataclass
class Units(Table):
    """U contingents and aid teams."""

    mission: np.ndarray  # (U,) int
    luck: np.ndarray  # (U,) uint64, identity for draws: mission and ordinal
    team: np.ndarray  # (U,) bool, an aid team
    share: np.ndarray  # (U, 5) share of the mission's personnel of each kind
    contributor: np.ndarray  # (U,) int, its group of contingents; -1: an aid team
    caveated: np.ndarray  # (U,) bool, carries that group's conditions
    cell: np.ndarray  # (U,) int; -1: not deployed
    strength: np.ndarray  # (U, 5) persons by kind
    losses: np.ndarray  # (U,) persons not yet replaced
    freedom: np.ndarray  # (U,) 0..1 of movement
    suspended: np.ndarray  # (U,) bool, a caveat holds it back
    pinned: np.ndarray  # (U,) weeks for which a protest pins it down
    stock: np.ndarray  # (U,) 0..1 of an aid team's supplies
    access: np.ndarray  # (U,) bool, may it work this week


@dataclass
class Politics(Table):
    """The agreement, and the Security Council. One row."""

    agreement: np.ndarray  # (1,) bool, in force
    held: np.ndarray  # (1,) bool, an event holds it in force or off: the parties neither sign nor break it
    signed: np.ndarray  # (1,) week of the first; inf: none
    collapsed: np.ndarray  # (1,) number of collapses
    unity: np.ndarray  # (1,) 0..1 of the Security Council's permanent members


@dataclass
class Conditions(Table):
    """What bears on the country and is moved by events alone."""

    misinformation: np.ndarray  # (1,) 0..1
    mortality: np.ndarray  # (C,) ratio, of deaths from need against ordinary times


@dataclass
class Week(Table):
    """What happened in the week that is being stepped: a new page each week, filled in by processes."""

    toll: np.ndarray = zeroed("(C, K) int, civilians killed by violence")
    by_faction: np.ndarray = zeroed("(F,) of these, in attacks by each faction")
    by_mission: np.ndarray = zeroed("(M,) of these, by mission")
    crossfire: np.ndarray = zeroed("(F,) of these, in battles that a faction began; not in by_faction")
    killed_in_sites: np.ndarray = zeroed("(1,) int, of those killed by factions, in camps and protection sites")
    harm: np.ndarray = zeroed("(F, Q) own people killed by each chain of command")
    fighters_lost: np.ndarray = zeroed("(F,) in battle with rivals and with missions")
    lost_to_rivals: np.ndarray = zeroed("(F,) of these, to rivals")
    hit: np.ndarray = zeroed("(F, M) fighters killed or dispersed by each mission")
    peacekeepers_killed: np.ndarray = zeroed("(M,) persons of contingents")
    aid_workers_killed: np.ndarray = zeroed("(M,) persons of aid teams")
    protests: np.ndarray = zeroed("(Q,) places in which people took to the streets against each chain of command")
    intended: np.ndarray = zeroed("(1,) attacks on civilians to be expected if nobody's presence deterred any")
    deterred: np.ndarray = zeroed("(1,) of these, those that presence deters")
    attacks: np.ndarray = zeroed("(1,) attacks on civilians")
    answered: np.ndarray = zeroed("(1,) of these, those in which missions are to be expected to step in")
    stood_by: np.ndarray = zeroed("(Q, C) attacks in the presence of a chain of command")
    aid: np.ndarray = zeroed("(Q, C) 0..1 share of the people in need whom it serves")
    tried: np.ndarray = zeroed("(Q,) aid teams that wanted to work")
    reached: np.ndarray = zeroed("(Q,) aid teams that could")
    forced: np.ndarray = zeroed("(Q,) share of teams that went in by force")
    lent: np.ndarray = zeroed("(Q,) 0..1 share of its work that teams do under the host's escort")
    pauses: np.ndarray = zeroed("(Q,) pauses agreed")
    excess: np.ndarray = zeroed("(1,) int, deaths from need")
    unmet: np.ndarray = zeroed("(1,) person-weeks of need")
    cost: np.ndarray = zeroed("(M,) US$")
    missing: np.ndarray = zeroed(
        "(M,) uniformed whom plan and Council would have, not sent, not paid for or called home"
    )
    laid_down: np.ndarray = zeroed("(F,) fighters who laid down their arms in DDR")
    resettled: np.ndarray = zeroed("(F,) ex-combatants who settled for good")
    by_hired: np.ndarray = zeroed("(F,) own people killed by men whom others hired")
    rearmed: np.ndarray = zeroed("(F,) ex-combatants who took up arms again")
    logged: np.ndarray = zeroed("(2,) int, events and killings so far")
    event_log: np.ndarray = zeroed("(E, 7) int: kind, as a number of EVENTS, and what an Event has")
    killing_log: np.ndarray = zeroed("(E, 5) int: faction or -1, mission or -1, cell, community, dead")

    def turn(self) -> None:
        """Turn to a new page. In the logs nobody reads beyond what is logged."""
        for name, array in vars(self).items():
            if name not in ("event_log", "killing_log"):
                array.fill(0)

    @property
    def events(self) -> "Log[Event]":
        """What happened so far this week: like a list of Event."""
        return Log(self.event_log, self.logged[:1], lambda r: Event(EVENTS[r[0]], *r[1:]), _numbers)

    @property
    def killings(self) -> "Log[tuple[int, ...]]":
        """Who was killed so far this week: like a list of (faction or -1, mission or -1, cell, community, dead)."""
        return Log(self.killing_log, self.logged[1:], tuple, lambda row: row)


class Log(Generic[T]):
    """Rows of an array that is filled from above, as a list of things.

    Parameters
    ----------
    rows : (E, n) int; count : (1,) int, how many are in use
    read, write : functions from a list of whole numbers to a thing, and back
    """

    def __init__(
        self,
        rows: NDArray[np.int64],
        count: NDArray[np.int64],
        read: Callable[[list[int]], T],
        write: Callable[[T], Sequence[int]],
    ) -> None:
        self._rows, self._count, self._read, self._write = rows, count, read, write

    def __len__(self) -> int:  # noqa: D105
        return int(self._count[0])

    def __iter__(self) -> Iterator[T]:  # noqa: D105
        return map(self._read, self._rows[: len(self)].tolist())

    def __getitem__(self, number: int) -> T:  # noqa: D105
        return list(self)[number]

    def append(self, thing: T) -> None:
        """Add a thing. A week has room for far more than its rules can do."""
        self._rows[self._count[0]] = self._write(thing)
        self._count[0] += 1


EVENTS = ("battle", "attack", "operation", "ambush", "raid")
BATTLE, ATTACK, OPERATION, AMBUSH, RAID = range(5)


def _numbers(event):
    kind, *rest = vars(event).values()
    return (EVENTS.index(kind), *rest)


@dataclass(frozen=True)
class Event:
    """One violent event. Sides are faction or mission numbers, by kind."""

    kind: str  # battle, attack, operation, ambush, raid
    side_a: int  # faction; mission for an operation
    side_b: int  # faction; -1: civilians; mission for an ambush or raid
    cell: int  # where
    deaths_a: int = 0  # of side a
    deaths_b: int = 0  # of side b
    deaths_civilians: int = 0  # bystanders or victims


@dataclass
class Census(Table):
    """Counts of the living, in persons, at the start of a week."""

    population: np.ndarray = zeroed("(C, K) persons present, by community")
    of_place: np.ndarray = zeroed("(C, K) persons in the place around each cell, by community")
    persons: np.ndarray = zeroed("(C,) persons present")
    idps: np.ndarray = zeroed("(C,) of these, displaced")
    displaced: np.ndarray = zeroed("(C, K) of these, by community")
    need: np.ndarray = zeroed("(C,) persons x need")
    trust: np.ndarray = zeroed("(Q, C) mean trust in each chain of command there; that of strangers where nobody is")
    trust_of_all: np.ndarray = zeroed("(Q,) mean trust of everybody in the country")
    grievance: np.ndarray = zeroed("(K, F) mean grievance of each community")
    of_community: np.ndarray = zeroed("(K,) persons present")
    grudge: np.ndarray = zeroed("(F,) 0..1 grievance of each faction's own people toward its worst rival")
    alive: np.ndarray = zeroed("(1,) int, persons, those abroad included")
    refugees: np.ndarray = zeroed("(1,) int, persons abroad")
    institutions: np.ndarray = zeroed("(1,) 0..1 that the average person lives under")
    felt: np.ndarray = zeroed("(1,) 0..1 violence that the average person feels")


@dataclass
class Numbers(Table):
    """The numbers of the country, of the mission model and of every process (sim/params.py): a record each."""

    country: np.record
    mission: np.record
    deploy: np.record
    task: np.record
    move: np.record
    fight: np.record
    prey: np.record
    enforce: np.record
    ambush: np.record
    relieve: np.record
    live: np.record
    feel: np.record
    judge: np.record
    recruit: np.record
    negotiate: np.record


@dataclass
class World(Table):
    """All that rules read and change."""

    numbers: Numbers
    dice: np.ndarray  # (2,) uint64, seed and step: what luck is drawn from
    week: np.ndarray  # (1,) weeks since the start
    step_weeks: float  # weeks, length of a step
    years: float  # years, the same
    first_week: float  # week of the calendar year in which the run begins
    land: Land
    people: Civilians
    factions: Factions
    bands: Bands
    commands: Commands
    missions: Missions
    contributors: Contributors
    units: Units
    politics: Politics
    conditions: Conditions
    census: Census
    now: Week
    plan: np.ndarray = zeroed("(steps, M) 0..1 share of its authorised strength that each mission plans to have")
    around: np.ndarray = zeroed("(F, C) fighters in the place of each cell and those around it, as last surveyed")
    presence: np.ndarray = zeroed("(M, L, C) person-equivalents, effective presence for each local task")
    armed: np.ndarray = zeroed("(M, C) uniformed persons in reach")
    care: np.ndarray = zeroed("(C,) 0..1 of the wounded whom somebody treats")
    guard: np.ndarray = zeroed("(F, C) effective protection of people against each faction")
    aided: np.ndarray = zeroed("(N,) bool, served by aid workers this week")
