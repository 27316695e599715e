"""The state of the world: one table per kind of thing, one array per state variable.

Rows never move: the dead, the disbanded and the departed stay, with nobody in them, so an index is an
identity. Processes write here; nothing else keeps state. Mesa agents (agents.py) are views of these rows.
"""

from dataclasses import dataclass, field

import numpy as np

HOME, AWAY, ABROAD = 0, 1, 2  # where a civilian lives: at home, displaced inside the country, refugee
CEASEFIRE, CONSENT, IMPARTIALITY, WITHDRAW, MINIMUM_FORCE = range(5)  # what contingents' caveats say (params.Caveats)
SMALL_FACTION = 100.0  # shares of a faction smaller than this are taken of this: the last fighters are not a faction


def zeros(*shape, dtype=float):
    """Make an array of zeros."""
    return np.zeros(shape, dtype=dtype)


@dataclass
class Land:
    """The cells of the country: C cells, K communities, N9/N25... neighbours. Fixed but for the layers."""

    row: np.ndarray  # (C,) int, 0 in the south
    col: np.ndarray  # (C,) int, 0 in the west
    shape: tuple  # rows, columns of the enclosing grid
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
    names: tuple = ()  # communities
    admin: np.ndarray | None = None  # (C,) str, first-level administrative unit


@dataclass
class Civilians:
    """N civilian agents, each some persons of one place and one community."""

    home: np.ndarray  # (N,) int, cell
    cell: np.ndarray  # (N,) int, cell; the crossing they went through if abroad
    community: np.ndarray  # (N,) int
    born: np.ndarray  # (N,) int, persons at the start
    persons: np.ndarray  # (N,) int, persons alive
    status: np.ndarray  # (N,) int, HOME, AWAY or ABROAD
    need: np.ndarray  # (N,) 0..1
    grievance: np.ndarray  # (N, F) 0..1 toward each faction
    trust: np.ndarray  # (N, K) 0..1 in each chain of command


@dataclass
class Factions:
    """F armed factions."""

    names: tuple  # (F,) str
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
    hostility: np.ndarray  # (F, K) 0..1 to each chain of command
    smear: np.ndarray  # (F, K) weeks left of its campaign of misinformation about each chain of command
    aggression: np.ndarray  # (F,) 0..1, this week's


@dataclass
class Bands:
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
class Commands:
    """K chains of command: the flags that people and factions know, each with one mission or several."""

    names: tuple  # (K,) str
    member: np.ndarray  # (K, M) 1 where a mission serves under it, else 0
    unwelcome: np.ndarray  # (K,) weeks in which the host wanted it gone
    escorting: np.ndarray  # (K,) 0..1 habit of armed escorts
    incidents: np.ndarray  # (K,) killed by it, or attacked before its eyes, lately, decaying
    rumour: np.ndarray  # (K,) 0..1 strength of a rumour about it that no faction's campaign spreads, decaying


@dataclass
class Missions:
    """M missions: headquarters with a mandate, a plan, money."""

    names: tuple  # (M,) str
    luck: np.ndarray  # (M,) uint64, identity for draws: made of the name
    command: np.ndarray  # (M,) int, its chain of command
    un: np.ndarray  # (M,) bool, for the panel
    donors: np.ndarray  # (M,) bool, humanitarians of the country whom donors pay
    accepts: np.ndarray  # (M,) 0..1 teams that ask for the escort of another command
    by_consent: np.ndarray  # (M,) bool, pulls back from places whose masters withdraw their consent
    personnel: np.ndarray  # (M, 5) persons authorised, by kind
    arrive: np.ndarray  # (M,) week
    leave: np.ndarray  # (M,) week
    build_up: np.ndarray  # (M,) weeks
    draw_down: np.ndarray  # (M,) weeks
    peak: np.ndarray  # (M,) share
    strength: list  # of None or ((n,) weeks, (n,) share of the uniformed)
    takes_over: np.ndarray  # (M,) int, mission whose troops it re-hats; -1: none
    rehatted: np.ndarray  # (M,) share
    price: np.ndarray  # (M, 5) US$ per person-year, by kind
    headquarters: np.ndarray  # (M,) US$ per year
    paid: np.ndarray  # (M,) 0..1 share of its budget that is really paid
    capacity: np.ndarray  # (M, 5, 14) work of one person of a kind on each task
    ability: np.ndarray  # (M,) 0..1, as paid
    restraint: np.ndarray  # (M,) 0..1, as paid
    mobility: np.ndarray  # (M,) 0..1, as paid
    knowledge: np.ndarray  # (M,) 0..1 local knowledge
    medicine: np.ndarray  # (M,) 0..1
    training: np.ndarray  # (M,) 0..1
    technology: np.ndarray  # (M,) 0..1
    women: np.ndarray  # (M,) 0..1 of those who meet people
    partiality: np.ndarray  # (M,) 0..1
    needs_consent: np.ndarray  # (M,) bool
    gates: np.ndarray  # (M,) 0..1 how far its bases and teams take in people who flee
    use_of_force: np.ndarray  # (M,) 0..1
    host_reach: np.ndarray  # (M,) 0..1
    caveat: np.ndarray  # (M, 5) bool, conditions its caveated contingents carry
    persons: np.ndarray  # (M, 5) persons present, by kind
    work: np.ndarray  # (M, 14) person-equivalents at work on each task
    offence: np.ndarray  # (M,) 0..1 hostility of the host that it earned lately, decaying
    expelled: np.ndarray  # (M,) week it was asked to leave; inf: not
    spent: np.ndarray  # (M,) US$
    mandate_weeks: np.ndarray  # (M,) weeks served


@dataclass
class Units:
    """U contingents and aid teams."""

    mission: np.ndarray  # (U,) int
    luck: np.ndarray  # (U,) uint64, identity for draws: mission and ordinal
    team: np.ndarray  # (U,) bool, an aid team
    share: np.ndarray  # (U, 5) share of the mission's personnel of each kind
    caveated: np.ndarray  # (U,) bool, carries the mission's caveats
    cell: np.ndarray  # (U,) int; -1: not deployed
    strength: np.ndarray  # (U, 5) persons by kind
    losses: np.ndarray  # (U,) persons not yet replaced
    freedom: np.ndarray  # (U,) 0..1 of movement
    suspended: np.ndarray  # (U,) bool, a caveat holds it back
    stock: np.ndarray  # (U,) 0..1 of an aid team's supplies
    access: np.ndarray  # (U,) bool, may it work this week


@dataclass
class Politics:
    """The agreement. One row."""

    agreement: np.ndarray  # (1,) bool, in force
    signed: np.ndarray  # (1,) week of the first; inf: none
    collapsed: np.ndarray  # (1,) number of collapses


@dataclass
class Week:
    """What happened in the week that is being stepped: made anew each week, filled in by processes."""

    toll: np.ndarray  # (C, K) int, civilians killed by violence
    by_faction: np.ndarray  # (F,) of these, in attacks by each faction
    by_mission: np.ndarray  # (M,) of these, by mission
    crossfire: np.ndarray  # (F,) of these, in battles that a faction began; not in by_faction
    killed_in_sites: np.ndarray  # (1,) int, of those killed by factions, in camps and protection sites
    harm: np.ndarray  # (F, K) own people killed by each chain of command
    fighters_lost: np.ndarray  # (F,) in battle with rivals and with missions
    lost_to_rivals: np.ndarray  # (F,) of these, to rivals
    hit: np.ndarray  # (F, M) fighters killed or dispersed by each mission
    peacekeepers_killed: np.ndarray  # (M,) persons of contingents
    aid_workers_killed: np.ndarray  # (M,) persons of aid teams
    stood_by: np.ndarray  # (K, C) attacks in the presence of a chain of command
    aid: np.ndarray  # (K, C) 0..1 share of the people in need whom it serves
    tried: np.ndarray  # (K,) aid teams that wanted to work
    reached: np.ndarray  # (K,) aid teams that could
    forced: np.ndarray  # (K,) share of teams that went in by force
    pauses: np.ndarray  # (K,) pauses agreed
    excess: np.ndarray  # (1,) int, deaths from need
    unmet: np.ndarray  # (1,) person-weeks of need
    cost: np.ndarray  # (M,) US$
    killings: list = field(default_factory=list)  # of (faction or -1, mission or -1, cell, community, dead)
    events: list = field(default_factory=list)  # of Event


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
