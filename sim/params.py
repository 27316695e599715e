"""Every number of the model: default, unit, range, meaning, source.

One dataclass per concept, one line per number. From a line come the default, the type check, the
range check and its sentence, the parameter table (`python -m sim.params`) and the tests that every
bad value is refused and every parameter matters. YAML says only what differs.

Rates are per year and are converted to the length of a step where they are used, so that halving
`step_weeks` changes results only a little. "assumed" is a legal source: it means that no estimate
was found and that the number should be swept.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from math import ceil, floor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Dict, List, Optional, TypeVar  # noqa: UP035  OmegaConf reads these on 3.11 too

import numba
import numpy as np

from sim.values import among

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Group = DataclassInstance | type[DataclassInstance]  # of parameters

T = TypeVar("T")

WEEKS_PER_YEAR = 52.0
KINDS = ("troops", "police", "observers", "staff", "aid")
TROOPS, POLICE, OBSERVERS, STAFF, AID = range(5)  # where each stands in arrays by kind
UNIFORMED = slice(TROOPS, STAFF)  # the kinds that wear a uniform
TASKS = (
    "protect", "separate", "enforce", "monitor", "mediate", "build", "police", "ddr", "relieve", "escort",
    "engineer", "engage", "communicate", "report",
    "reintegrate", "reform",
)


# These return a field, and say to a type checker what it holds, as `dataclasses.field` does.
def param(default: T, unit: str, low: float, high: float, doc: str, source: str = "assumed") -> T:
    """Declare one number: its default, unit, closed range, meaning and source."""
    return field(
        default=default, metadata={"unit": unit, "low": low, "high": high, "doc": doc, "source": source}
    )


def choice(default: str, options: tuple[str, ...], doc: str) -> str:
    """Declare one word out of a few."""
    return field(default=default, metadata={"options": options, "doc": doc})


def text(doc: str, default: Any = "") -> Any:
    """Declare a free text or name."""
    return field(default=default, metadata={"doc": doc})


def table(doc: str, factory: Callable[[], Any] = dict) -> Any:
    """Declare a dictionary or list of things, filled in by YAML."""
    return field(default_factory=factory, metadata={"doc": doc})


def part(kind: type[T]) -> T:
    """Declare a nested group of parameters."""
    return field(default_factory=kind)


# ---------------------------------------------------------------------------------- moments and shocks in time


@dataclass(kw_only=True)
class When:
    """A moment: a week, a date, or so many weeks after another moment."""

    week: Optional[float] = text("week of the run", None)
    date: Optional[str] = text("calendar date", None)
    after: Optional[str] = text("start, authorisation, <component>.arrive / .leave; of events also agreement", None)
    weeks: float = param(0, "week", -520, 5_200, "weeks after that moment (negative: before)",
                         "scenario: mission file")


@dataclass(kw_only=True)
class Push:
    """How far an event moves one thing (the things are listed in sim/shocks.py): one of `to`, `by`, `times`."""

    of: List[str] = table("whose: factions, missions, communities or places by name; none: everybody's", list)
    toward: List[str] = table("toward whom, where there is such a side; none: all", list)
    to: Optional[float] = text("what it becomes", None)
    by: Optional[float] = text("what is added to it", None)
    times: Optional[float] = text("what it is multiplied by", None)
    km: float = param(100, "km", 0, 5_000, "reach around the places that are named", "scenario: setting of an event")


@dataclass(kw_only=True)
class Shock:
    """Something that befalls the country or its missions from outside: when, for how long, and what it moves."""

    summary: str = text("what happens, in a sentence")
    source: str = text("where the size comes from", "assumed")
    when: When = part(When)
    weeks: Optional[float] = text("weeks for which it lasts; none: at once, and for good", None)
    moves: Dict[str, Push] = table("what it moves, by name, and how far")


# ---------------------------------------------------------------------------------- the country


@dataclass(kw_only=True)
class Place:
    """A named town."""

    row: int = param(0, "cell", 0, 10_000, "row of its cell, 0 in the south", "scenario: country file")
    col: int = param(0, "cell", 0, 10_000, "column of its cell, 0 in the west", "scenario: country file")
    persons: float = param(0, "person", 0, 1e8, "people who live there (generated maps only)",
                           "scenario: country file")
    capital: bool = field(default=False, metadata={"doc": "is it the seat of government"})


@dataclass(kw_only=True)
class Heartland:
    """Where a community is at home on a generated map, or where a deposit lies."""

    row: float = param(0, "cell", -10_000, 10_000, "row of its centre, 0 in the south",
                       "scenario: country file")
    col: float = param(0, "cell", -10_000, 10_000, "column of its centre, 0 in the west",
                       "scenario: country file")
    km: float = param(150, "km", 1, 5_000, "distance from the centre at which its weight has fallen to a quarter")
    weight: float = param(1, "ratio", 0, 100, "size relative to the others (deposits: richness 0..1)")


@dataclass(kw_only=True)
class Hired:
    """Armed men whom a faction hires: private military companies, mercenaries."""

    fighters: float = param(0, "person", 0, 1e6, "men under contract when the faction can pay them all",
                            "scenario: country file")
    income: float = param(0.2, "share", 0.001, 1, "income that pays them all, of what the richest deposits give",
                          "scenario: country file")
    skill: float = param(2.5, "ratio", 0, 100, "what one of them counts for in battle, of a fighter of the faction",
                         "mechanism: highly trained and well equipped (Khan 2024)")
    abuse: float = param(2, "ratio", 0, 100, "propensity to attack civilians, of the faction's own",
                         "mechanism: little or no oversight and accountability (Khan 2024)")
    since: Optional[str] = text("date of the contract; none: from the start", None)
    until: Optional[str] = text("date of its end; none: never", None)


@dataclass(kw_only=True)
class Faction:
    """An armed faction: the government, rebels, a militia or spoilers."""

    summary: str = text("who they are, in a sentence")
    host: bool = field(default=False, metadata={"doc": "is this the host government"})
    community: Dict[str, float] = table("weights of the communities it draws on and does not attack")
    fighters: int = param(2_000, "person", 0, 1_000_000, "fighters when it enters the war")
    bands: int = param(15, "band", 1, 2_000, "armed bands on the map")
    mustered: float = param(1, "share", 0, 1, "of its fighters, those under arms when it enters: less before a war",
                            "scenario: country file")
    start: List[str] = table("places where its bands start; none: where its community lives", list)
    enters: Optional[str] = text("date it enters the war; none: from the start", None)
    leaves: Optional[str] = text("date it leaves the war; none: never", None)
    outbreak: float = param(0, "person", 0, 1e6, "own dead just before it enters, who set it off (histories)",
                            "scenario: country file")
    rivals: Optional[List[str]] = text("factions it fights; none: all others", None)
    commitment: float = param(0.1, "share", 0, 1, "commitment to the political process at the start")
    ceiling: float = param(0.9, "share", 0, 1, "highest commitment: 1 minus its stake in the war economy")
    abuse: float = param(1, "ratio", 0, 10, "propensity to attack civilians against an average faction",
                         "sign: groups differ, 32% of rebel groups never kill civilians (Hultman draft)")
    loot: float = param(0.1, "share", 0, 1, "how much it lives from lootable resources")
    sponsor: float = param(0, "share", 0, 1, "money and arms from outside, of what the richest deposits give",
                           "scenario: country file")
    sponsored: Dict[str, float] = table("sponsor by date (linear between), in place of the one above")
    hired: Hired = part(Hired)


@dataclass(kw_only=True)
class Humanitarians:
    """Aid workers who belong to the country, whatever mission comes: UN agencies, NGOs. Donors pay them."""

    summary: str = text("who they are, in a sentence")
    helmet: str = text("their colour on maps", "#b0b0b0")
    workers: float = param(0, "person", 0, 1e6, "aid workers", "scenario: country file")
    since: Optional[str] = text("date since when they are there; none: from the start", None)
    price: float = param(30_000, "US$/person-year", 0, 1e6, "cost of an aid worker with supplies, to donors")
    local_knowledge: float = param(0.6, "share", 0, 1, "language, culture and ties with the people")
    women: float = param(0.4, "share", 0, 1, "women among the aid workers")
    camps: float = param(0, "share", 0, 1, "how far its teams run camps for people who flee",
                         "mechanism: people sheltered in camps in Darfur (Khan 2024)")
    engagement: float = param(0.3, "weight", 0, 10, "time for talk with people and armed men, of that for relief")
    accepts_escort: float = param(0.3, "share", 0, 1, "teams that ask for the escort of another command in need",
                                  "mechanism: NGOs could use the escort of the mission (Matsumura 2024)")


@dataclass(kw_only=True)
class Country:
    """The land and who lives and fights there: generated, or read from a table of cells."""

    name: str = text("name of the country", "unnamed")
    summary: str = text("what it is, in a sentence")
    note: str = text("what is said under every figure of the country: that it is not calibrated; no rule reads it")
    start: str = text("calendar date of week 0", "2012-01-01")
    cells: Optional[str] = text("CSV of cells in conf/country; none: generate the map", None)
    observed: Optional[str] = text("CSV of observed months, for plots; no rule reads it", None)
    weeks_observed: int = param(0, "week", 0, 5_200, "weeks covered by the observed months",
                                "scenario: country file")
    cell_km: float = param(25, "km", 1, 500, "side of a square cell")
    rows: int = param(40, "cell", 1, 2_000, "rows of a generated map")
    cols: int = param(40, "cell", 1, 2_000, "columns of a generated map")
    map_seed: int = param(1, "seed", 0, 2**31, "seed of a generated map's texture, apart from the run's",
                          "scenario: country file")
    population: float = param(5_000_000, "person", 0, 2e9, "people in the country (generated maps only)",
                              "scenario: country file")
    displaced_share: float = param(0.03, "share", 0, 0.9, "share of the people displaced at the start")
    abroad_share: float = param(0, "share", 0, 1, "of the displaced at the start, in refuge abroad")
    grievance: float = param(0.03, "share", 0, 1, "grievance at the start, toward all: an earlier war remembered")
    places: Dict[str, Place] = table("named towns")
    communities: Dict[str, Heartland] = table("communities and their heartlands (generated maps)")
    deposits: Dict[str, Heartland] = table("lootable resources (generated maps)")
    factions: Dict[str, Faction] = table("armed factions by name")
    humanitarians: Dict[str, Humanitarians] = table("aid workers of the country by name")
    rains: float = param(0, "share", 0, 1, "strength of the rainy season: roads are mud, and stores are empty before"
                         " the harvest", "scenario: country file")
    rains_week: float = param(33, "week", 0, 53, "week of the calendar year in which the rains are heaviest",
                              "scenario: country file")
    flood: float = param(0, "share", 0, 1, "chance that the rains of a year are twice as strong",
                         "scenario: country file")
    drought: float = param(0, "share", 0, 1, "chance that a year is one of drought", "scenario: country file")
    neighbours: float = param(0.5, "share", 0, 1, "how far its neighbours keep sanctions: the trade they let through"
                              " is what is left", "scenario: country file")
    events: Dict[str, Any] = table("shocks in time that belong to the country, by name (each a Shock)")


# ---------------------------------------------------------------------------------- the missions


@dataclass(kw_only=True)
class Tasks:
    """The levers of a mission: weights in a mandate, abilities of a kind of personnel."""

    protect: float = param(0, "weight", 0, 10, "protect civilians by presence and patrols",
                           "scenario: mandate or personnel file")
    separate: float = param(0, "weight", 0, 10, "stand between rival forces",
                            "scenario: mandate or personnel file")
    enforce: float = param(0, "weight", 0, 10, "wear armed bands down by force",
                           "scenario: mandate or personnel file")
    monitor: float = param(0, "weight", 0, 10, "verify the agreement and report violations",
                           "scenario: mandate or personnel file")
    mediate: float = param(0, "weight", 0, 10, "bring factions to agreement",
                           "scenario: mandate or personnel file")
    build: float = param(0, "weight", 0, 10, "build institutions", "scenario: mandate or personnel file")
    police: float = param(0, "weight", 0, 10, "police work among people",
                          "scenario: mandate or personnel file")
    ddr: float = param(0, "weight", 0, 10, "disarm and demobilise fighters",
                       "scenario: mandate or personnel file")
    relieve: float = param(0, "weight", 0, 10, "relieve need: food, health, shelter",
                           "scenario: mandate or personnel file")
    escort: float = param(0, "weight", 0, 10, "escort aid with arms", "scenario: mandate or personnel file")
    engineer: float = param(0, "weight", 0, 10, "open roads, raise mobility",
                            "scenario: mandate or personnel file")
    engage: float = param(0, "weight", 0, 10, "talk with people and local armed actors",
                          "scenario: mandate or personnel file")
    communicate: float = param(0, "weight", 0, 10, "counter misinformation and hate speech",
                               "scenario: mandate or personnel file")
    report: float = param(0, "weight", 0, 10, "report abuses of human rights",
                          "scenario: mandate or personnel file")
    reintegrate: float = param(0, "weight", 0, 10, "help ex-combatants to a livelihood (with DDR one task, not two)",
                               "scenario: mandate or personnel file")
    reform: float = param(0, "weight", 0, 10, "reform the host's army and police: train, equip, oversee",
                          "scenario: mandate or personnel file")


@dataclass(kw_only=True)
class Caveats:
    """Conditions of coming and of staying that contingents can carry: Japan's five principles, and some more."""

    share: float = param(0, "share", 0, 1, "share of its contingents that carry the conditions below",
                         "mechanism: Japan's PKO law of 1992, five principles (Hasegawa 2015)")
    ceasefire: bool = field(default=True, metadata={"doc": "serve only where there is no fighting"})
    consent: bool = field(default=True, metadata={"doc": "serve only with the host's consent"})
    impartiality: bool = field(default=True, metadata={"doc": "serve only while seen as impartial"})
    withdraw: bool = field(default=True, metadata={
        "doc": "go home, not just to base, when impartiality fails; any principle that fails can end the service"
    })
    minimum_force: bool = field(default=True, metadata={"doc": "use arms for the lives of personnel only"})
    force: float = param(1, "share", 0, 1, "widest use of force of a mandate that they serve under",
                         "mechanism: states hesitate over political missions (Matsumura 2024, second reason)")
    politics: float = param(1, "share", 0, 1, "largest political share of a mandate's work that they serve under",
                            "mechanism: states hesitate over political missions (Matsumura 2024, second reason)")
    losses: float = param(1_000, "per 1,000", 0, 1_000, "own dead lately above which they are called home",
                          "assumed; Belgium left Rwanda after 10 of 450 in 1994; 1,000 is never")


@dataclass(kw_only=True)
class Contributor:
    """A state, or several alike, that offers contingents: how many, how good, and on which conditions."""

    share: float = param(0.5, "share", 0, 1, "people it offers, of the uniformed that a force asks for",
                         "scenario: force file")
    price: float = param(1, "ratio", 0, 10, "cost of a person, of the force's", "scenario: force file")
    ability: float = param(1, "ratio", 0, 2, "ability of its people when paid, of the force's", "scenario: force file")
    restraint: float = param(1, "ratio", 0, 2, "restraint of its people when paid, of the force's",
                             "scenario: force file")
    local_knowledge: float = param(1, "ratio", 0, 4, "what its people know of land and people, of the force's",
                                   "scenario: force file")
    caveats: Caveats = part(Caveats)


@dataclass(kw_only=True)
class Force:
    """Who serves: price, delay, ability, restraint, helmet."""

    summary: str = text("what kind of force, in a sentence")
    helmet: str = text("colour of its helmets on maps", "tab:gray")
    un: bool = field(default=False, metadata={"doc": "counted under UN troops in the panel; no rule reads it"})
    price: float = param(80_000, "US$/person-year", 0, 1e6, "all-in cost of a uniformed person",
                         "8.3 bn / 104,000 in 2014-15 (Khan 2024); MINUSCA 57-62 k (from GAO-18-243)")
    price_staff: float = param(150_000, "US$/person-year", 0, 1e6, "cost of a member of civilian staff")
    price_aid: float = param(30_000, "US$/person-year", 0, 1e6,
                             "cost of an aid worker with supplies (most are nationals)")
    headquarters: float = param(40e6, "US$/year", 0, 1e10, "fixed cost of head office and supply line")
    readiness: float = param(8, "week", 0, 520, "authorisation to first arrival",
                             "INTERFET 5 days in 1999; MINUSCA April to 15 September 2014")
    build_up: float = param(40, "week", 0, 520, "first arrival to peak strength",
                            "time to peak just over 10 months, Africa almost 12 (Rappa 2016)")
    peak: float = param(0.925, "share", 0, 1, "peak strength as share of authorised",
                        "92.5% of authorised (Rappa 2016)")
    council: float = param(1, "share", 0, 1, "how far it depends on the Security Council",
                           "mechanism: Matsumura 2024, first reason")
    assessed: float = param(1, "share", 0, 1, "share of its budget covered by assessed contributions",
                            "resolution 2719 (2023): up to 0.75 of a regional force")
    raised: float = param(0.9, "share", 0, 1, "share of the rest that donors really pay",
                          "assumed; AUSSOM was pledged 16.7 of 90.4 m for half a year, 0.19 (Amani Africa 2025)")
    arrears: float = param(0.2, "share", 0, 1, "share of assessed contributions that comes late",
                           "assumed; with `arrears_half` 15 weeks of dues are out; 2 bn of 7 in 2018 (Mir 2019)")
    reserve: float = param(8, "week", 0, 104, "pay in hand at the start, and at most",
                           "assumed; the UN's fund for it is 1.4 weeks, and it pays states by the quarter (Mir 2019)")
    owes: float = param(0.5, "share", 0, 1, "part of a lasting shortfall carried as pay owed, not by sending home",
                        "assumed; the UN sent home a quarter (Xinhua 2025), AMISOM stayed unpaid (EastAfrican 2016)")
    ability: float = param(0.9, "share", 0, 1, "what its people can do when paid: training, equipment, staff work")
    restraint: float = param(0.9, "share", 0, 1, "discipline and rules that keep its force off bystanders, when paid")
    mobility: float = param(0.6, "share", 0, 1, "vehicles, aircraft and roads it can use")
    local_knowledge: float = param(0.3, "share", 0, 1, "language, culture and ties with the people",
                                   "mechanism: language and culture (symposium 2024)")
    medicine: float = param(0.5, "share", 0, 1, "field medicine: how soon and how well the wounded are treated",
                            "mechanism: nobody should die because of missing or untimely care (Khare 2019)")
    training: float = param(0.5, "share", 0, 1, "training against ambush, mines and raids on compounds",
                            "mechanism: anti-ambush drills, counter-IED procedures (Khan 2024)")
    technology: float = param(0, "share", 0, 1, "means to know where armed bands are: drones, signals, analysis",
                              "mechanism: intelligence gathered and shared by technology (Khan 2024)")
    women: float = param(0.1, "share", 0, 1, "women among those who meet people",
                         "order: 20% of Pakistan's staff officers and observers (Khan 2024)")
    partiality: float = param(0, "share", 0, 1, "how far it spares the host government's forces",
                              "mechanism: partners' own interests bear on impartiality (Khan 2024)")
    needs_consent: bool = field(default=True, metadata={"doc": "does it leave when the host asks"})
    caveats: Caveats = part(Caveats)  # of a force without contributors
    contributors: Dict[str, Contributor] = table("who offers contingents, by name; none: nobody is told apart")


@dataclass(kw_only=True)
class Personnel:
    """Persons, by kind."""

    troops: float = param(0, "person", 0, 1e6, "infantry and support", "scenario: mission file")
    police: float = param(0, "person", 0, 1e6, "police, in units or single", "scenario: mission file")
    observers: float = param(0, "person", 0, 1e6, "military observers", "scenario: mission file")
    staff: float = param(0, "person", 0, 1e6, "civilian staff: political, civil affairs, rights, DDR",
                         "scenario: mission file")
    aid: float = param(0, "person", 0, 1e6, "aid workers", "scenario: mission file")


@dataclass(kw_only=True)
class Bundle:
    """A cluster of tasks that a mandate can be put together of, for all of its life or a phase of it."""

    summary: str = text("what the cluster of tasks is, in a sentence")
    modelled: str = text("what of it is modelled, and by which tasks; of the rest only time, staff and money are")
    tasks: Tasks = part(Tasks)
    unmodelled: Dict[str, float] = table("weights of work that no task stands for, by kind of personnel")
    personnel: Personnel = part(Personnel)  # specialists that it adds to the mission
    cost: float = param(0, "US$/year", 0, 1e10, "equipment and contracts that it adds to the fixed cost")
    begins: float = param(0, "week", 0, 5_200, "weeks from the mission's arrival until work on it begins",
                          "scenario: mandate or mission file")
    lasts: float = param(5_200, "week", 0, 5_200, "weeks that work on it lasts", "scenario: mandate or mission file")


@dataclass(kw_only=True)
class Mandate:
    """What a mission may and must do."""

    summary: str = text("what the mandate is, in a sentence")
    tasks: Tasks = part(Tasks)
    bundles: Dict[str, Bundle] = table("clusters of tasks beside these, by name")
    consent_of_parties: bool = field(
        default=False, metadata={"doc": "does it pull back from places whose armed masters withdraw their consent"}
    )
    open_gates: float = param(0, "share", 0, 1, "how far its bases take in people who flee",
                              "mechanism: shelter in a base of the UN in Jonglei (Hasegawa 2015)")
    use_of_force: float = param(0.3, "share", 0, 1, "0: self-defence only; 1: all necessary means",
                                "mechanism: self-defence, or defence of the mandate (Matsumura 2024)")
    host_reach: float = param(0.2, "share", 0, 1, "how far it may act against the host's own forces",
                              "assumed; low, for it is there by the host's consent")


@dataclass(kw_only=True)
class Benchmark:
    """When a mission may leave before its time: a rule over what has been observed so far. Nothing given: no rule."""

    weeks: float = param(52, "week", 1, 520, "weeks back over which deaths are counted",
                         "a year, as UCDP counts the battle deaths that make a conflict active (UCDP GED 23.1)")
    battle_deaths: Optional[float] = text("fewer battle-related deaths than that in these weeks", None)
    killed: Optional[float] = text("fewer civilians killed than that in these weeks", None)
    institutions: Optional[float] = text("the average person lives under institutions above that", None)
    agreement: bool = field(default=False, metadata={"doc": "an agreement is in force"})
    earliest: When = part(When)  # none given: when it has been there for that many weeks


@dataclass(kw_only=True)
class Component:
    """One mission: a force with a mandate, a plan and a chain of command."""

    force: Force = part(Force)
    mandate: Mandate = part(Mandate)
    personnel: Personnel = part(Personnel)
    arrive: When = part(When)  # none given: as soon as it is authorised and ready
    leave: When = part(When)  # none given: never
    benchmark: Benchmark = part(Benchmark)  # it leaves before `leave` if this is met
    draw_down: float = param(13, "week", 0, 260, "weeks from full strength to nobody, before `leave`")
    command: Optional[str] = text("name of its chain of command; none: its own", None)
    takes_over: Optional[str] = text("component whose troops it re-hats when that one leaves", None)
    rehatted: float = param(0, "share", 0, 1, "share of the other's troops re-hatted at the hand-over",
                            "scenario: mission file; East Timor 2000, about two thirds")
    area: List[str] = table("places, administrative units or communities where it may work; none: everywhere", list)
    area_km: float = param(100, "km", 0, 5_000, "reach of its area around the places that are named",
                           "scenario: mission file")
    beyond: float = param(0, "share", 0, 1, "how far it reports on what happens outside its area",
                          "scenario: mission file")
    integrates: Dict[str, float] = table("share of each of the country's humanitarians that joins its chain of command")
    strength: Dict[str, float] = table("uniformed persons by date (linear between), when it is known")
    funding: Dict[str, float] = table("share of the money due that arrives, from a date or a week on; none: all of it")
    approvals: int = param(1, "headquarters", 1, 10, "head offices that must approve what it does: two have two bosses",
                           "scenario: mission file")


@dataclass(kw_only=True)
class MissionModel:
    """A way of sharing the work: components, timing, command, money."""

    summary: str = text("what the model is, in a sentence of 20 to 120 characters")
    cases: List[str] = table("historical operations with years", list)
    components: Dict[str, Component] = table("missions by name")
    authorised: float = param(26, "week", 0, 5_200, "week in which the missions are authorised",
                              "scenario: mission file")
    comparison: str = choice("equal_cost", ("equal_cost", "equal_personnel", "as_deployed"),
                             "what is held equal between mission models")
    budget: float = param(4_000e6, "US$", 0, 1e12, "total budget over the plan, for equal_cost",
                          "order: MINUSCA 2.4 bn in 39 months (GAO-18-243), 4.1 bn in the default plan's 286 weeks")
    person_years: float = param(40_000, "person-year", 0, 1e8, "total personnel, for equal_personnel")
    council_unity: float = param(0.7, "share", 0, 1, "unity of the Security Council's permanent members",
                                 "mechanism: Matsumura 2024, first reason")
    mandate_length: float = param(52, "week", 1, 5_200, "time after which the Council has to renew a mandate",
                                  "order: most are renewed by the year (Security Council Report 2021)")
    coordination: float = param(0.5, "share", 0, 1, "coordination between chains of command")
    donors: float = param(0.5, "share", 0, 1, "coordination between those who aid and build under different commands",
                          "mechanism: redundancies and missed opportunities of two donors (IFPA & OSIPP 2011)")
    sanctions: float = param(0, "share", 0, 1, "sanctions on the trade and the sponsors of armed factions but the host",
                             "scenario: mission file")
    events: Dict[str, Any] = table("shocks in time that belong to the mission model, by name (each a Shock)")


# ---------------------------------------------------------------------------------- the processes


@dataclass(kw_only=True)
class Deploy:
    """Arrival, build-up, hand-over, draw-down; money; what overstretch costs."""

    overhead: float = param(0.04, "share", 0, 0.2, "capacity lost for each task beyond the fifth",
                            "sign: Blair, Di Salvatore & Smidt 2022 (mandate fragmentation)")
    council_delay: float = param(1.0, "ratio", 0, 10, "added readiness at no unity, as a ratio",
                                 "mechanism: a divided Council (Matsumura 2024, first reason)")
    council_ceiling: float = param(0.4, "share", 0, 1, "strength lost at no unity",
                                   "mechanism: a divided Council (Matsumura 2024, first reason)")
    council_robustness: float = param(0.5, "share", 0, 1, "use of force lost at no unity",
                                      "mechanism: a divided Council (Matsumura 2024, first reason)")
    council_narrow: float = param(0.3, "share", 0, 1, "discord over a mandate without politics and force, of the most",
                                  "assumed; sign: humanitarian work while the political is held up (Matsumura 2024)")
    council_impasse: float = param(0.5, "share", 0, 1, "renewals at full discord that leave the least all accept",
                                   "assumed; rollovers are fairly common (Security Council Report 2021)")
    council_end: float = param(0.04, "share", 0, 1, "renewals at full discord that fail",
                               "assumed; two of several hundred were vetoed, in 1999 and 2009")
    short_ability: float = param(0.6, "share", 0, 1, "ability lost when pay is very late",
                                 "assumed; sign: AMISOM, half a year unpaid (EastAfrican 2016)")
    short_restraint: float = param(0.6, "share", 0, 1, "restraint lost when pay is very late")
    short_mobility: float = param(0.8, "share", 0, 1, "mobility lost when pay is very late: fuel is money, too",
                                  "assumed; sign: the UN cut patrols for want of money in 2025 (Xinhua 2025)")
    late_half: float = param(26, "week", 1, 520, "pay owed at which half of these is lost",
                             "order: half a year unpaid was a crisis of AMISOM (EastAfrican 2016)")
    unpaid_leave: float = param(0.3, "1/year", 0, 52, "contingents that go home, or stay away, when pay is very late",
                                "assumed; Uganda and Burundi spoke of it after 6 to 10 months (EastAfrican 2016)")
    arrears_half: float = param(52, "week", 1, 5_200, "time in which half of what is in arrears comes in",
                                "assumed; with `force.arrears`: 2 bn of 7 a year were out in 2018 (Mir 2019)")
    repatriation: float = param(5, "week", 0.5, 260, "half-life of those for whom there is no money or no mandate",
                                "order: a quarter of the uniformed in 12 to 18 weeks (Reuters 2025)")
    called_home: float = param(15, "week", 0.5, 260, "weeks in which a contingent goes that is called home")
    replacement: float = param(26, "week", 1, 520, "half-life of a gap left by casualties")
    expulsion: float = param(28, "week", 0, 260, "weeks in which an unwanted mission goes",
                             "28: Mali asked the UN to go on 16 June 2023, it had gone by 31 December (MINUSMA 2023)")
    build_up: float = param(1, "ratio", 0.05, 20, "build-up of every force, against the weeks that it says of itself",
                            "22 large UN missions took 4 to 33 months to 90% of their peak (Perry & Smith 2013)")
    inherited: float = param(0.5, "share", 0, 1, "trust and hostility that go with re-hatted troops",
                             "assumed; sign: two thirds of INTERFET stayed on under UNTAET, the same faces (INTERFET)")
    base_size: float = param(350, "person", 10, 10_000, "mean uniformed persons per base",
                             "median 185, IQR 150-650 (Geo-PKO 2.3)")
    base_skew: float = param(0.75, "exponent", 0, 3, "size of base j falls as j to minus this",
                             "largest base 18% of the force, Gini 0.48 (Geo-PKO 2.3)")
    team_size: float = param(60, "person", 5, 1_000, "aid workers per team")
    siting_violence: float = param(6, "ratio", 0, 100, "pull of violence on bases against that of people",
                                   "sign: Ruggeri, Dorussen & Gizelis 2018")
    caveat_fighting: float = param(0.5, "share", 0, 1, "violence felt that ends a cease-fire for those bound to it")
    caveat_gap: float = param(0.4, "share", 0, 1, "gap in factions' hostility that ends impartiality")
    caveat_withdrawal: float = param(1.0, "1/year", 0, 52, "service ended for good when principles fail everywhere",
                                     "assumed; Japan left South Sudan ten months after the fighting of July 2016")
    loss_memory: float = param(26, "week", 1, 520, "half-life of losses in the memory of those who sent them")


@dataclass(kw_only=True)
class Task:
    """Where contingents and aid teams work, and how far they reach."""

    patrol_km: float = param(25, "km", 1, 500, "distance at which presence halves")
    relocation: float = param(0.15, "1/year", 0, 52, "rate at which a contingent moves its base",
                              "assumed; 95% of bases are kept from year to year (Geo-PKO 2.3), sub-bases move more")
    told: float = param(0.5, "share", 0, 1, "what people who trust and are understood know of where bands are",
                        "mechanism: early warning (Khan 2024); women told where presence helps (Wanjiku 2024)")
    team_relocation: float = param(3, "1/year", 0, 52, "rate at which an aid team moves")
    information: float = param(0.5, "share", 0, 1, "effect of presence nobody tells anything, of full",
                               "mechanism: Wheeler 2005; Gordon & Young 2017")
    language: float = param(0.5, "share", 0, 1, "what people tell that is lost on who knows neither tongue nor ties",
                            "mechanism: who cannot communicate cannot help (Sameh 2024)")
    apart: float = param(0.5, "share", 0, 1, "what women tell only women, and men only men",
                         "mechanism: women told a female engagement team what others were not told (Wanjiku 2024)")
    mixed: float = param(0.1, "share", 0.001, 1, "share of women, or of men, in a mission that reaches half of theirs")
    friction: float = param(0.5, "share", 0, 1, "effect lost where uncoordinated commands overlap fully",
                            "mechanism: 'one bad general is better than two good ones' (Khan 2024)")
    threat: float = param(1.0, "ratio", 0, 20, "hostile fighters that pin down one uniformed person")
    host_grip: float = param(0.6, "share", 0, 1, "movement that a fully hostile host can deny",
                             "mechanism: hosts restrict where missions may go (HIPPO 2015)")
    worker_guard: float = param(0.5, "ratio", 0, 10, "armed persons that an aid worker counts as when pinned down")
    free_enough: float = param(0.5, "share", 0, 1, "freedom of movement below which nobody changes base")
    engineers_half: float = param(400, "person", 1, 1e5, "engineers who make up half of the mobility that is missing")
    at_rest: float = param(0.1, "ratio", 0, 1, "threat seen in a fighter at rest, of that in one on campaign")
    medics: float = param(200, "person", 1, 1e5, "personnel in reach, by their medicine, who treat half of the wounded")
    gate_duty: float = param(0.5, "share", 0, 1, "patrols that the guard of a crowded site takes from a base")
    gate_crowd: float = param(5_000, "person", 1, 1e6, "people in a site who take half of that")
    cover: float = param(3, "ratio", 0, 100, "how `base` or `team` persons of a command keep others of it out of the"
                         " places that they cover")
    base: float = param(350, "person", 1, 10_000, "uniformed persons and staff who cover a place",
                        "assumed; scale of `cover`: mean uniformed persons per base")
    team: float = param(60, "person", 1, 1_000, "aid workers who cover a place",
                        "assumed; scale of `cover`: aid workers per team")
    choosiness: float = param(3, "exponent", 0, 10, "how strictly bases go where the pull is strongest")
    crowding: float = param(0.45, "ratio", 0, 5, "friction that each further command adds, of that between two",
                            "mechanism: six football teams on one ground (Khan 2024)")
    joint: float = param(0.35, "ratio", 0, 10, "time that a further approval takes, uncoordinated, of that of the work",
                         "mechanism: joint approvals delay simple humanitarian provisions (Wanjiku 2024)")
    protest: float = param(4, "1/year", 0, 520, "protests where a mission has a base, of people without any trust",
                           "mechanism: fail the people, and you will not achieve the mandate (Khan 2024)")
    protest_weeks: float = param(2, "week", 0.5, 52, "weeks for which a protest pins a unit down")
    blockade: float = param(0.8, "share", 0, 1, "movement of a unit that a protest denies",
                            "mechanism: freedom of movement is the litmus test of consent (Khan 2024)")


@dataclass(kw_only=True)
class Move:
    """Campaigns, lulls and marches of armed factions."""

    campaign_rate: float = param(0.1, "1/year", 0, 52, "onset of campaigns, rested and with no motive but aggression")
    grievance: float = param(15, "ratio", 0, 1000, "how much full grievance of its people raises that rate",
                             "sign: nearly half of civil wars are relapses (Collier et al. 2008)")
    grievance_half: float = param(0.02, "share", 0.001, 1, "mean grievance of its people that is half of that")
    weakness: float = param(2, "ratio", 0, 100, "how much the absence of a state at home raises that rate",
                            "sign: weak states have more war (Fearon & Laitin 2003)")
    spoils: float = param(5, "ratio", 0, 100, "how much the richest deposits or a sponsor raise that rate",
                          "sign: lootable resources prolong war (Ross 2004)")
    deterrence: float = param(0.5, "share", 0, 1, "onsets that a full presence in its heartland prevents",
                              "sign: missions prevent onset and spread (Beardsley 2011)")
    provocation: float = param(100, "ratio", 0, 1000, "how much a full provocation raises that rate",
                               "sign: killings bring more attacks (Condra & Shapiro 2012)")
    provoking_deaths: float = param(60, "person", 1, 1e5, "own dead that provoke half fully")
    provocation_memory: float = param(5, "week", 0.5, 260, "half-life of provocation",
                                      "order: harm raises attacks for under 4 weeks (Condra & Shapiro 2012)")
    campaign_weeks: float = param(12, "week", 1, 260, "mean length of a campaign",
                                  "order: violent spells last 3.4 months on average (HKS data)")
    campaign_tail: float = param(2.5, "exponent", 2.1, 5, "density exponent of the lengths of campaigns")
    rest_weeks: float = param(16, "week", 0, 260, "mean rest before a faction is ready again",
                              "order: quiet spells last 2 months in the median, 9.8 on average (HKS data)")
    vigour: float = param(1.2, "log sd", 0, 3, "spread of campaigns' intensity (lognormal)")
    most_vigour: float = param(5, "ratio", 1, 100, "highest intensity of a campaign, of the mean")
    taking_part: float = param(0.6, "share", 0, 1, "share of bands that join a campaign")
    place_km: float = param(25, "km", 1, 500, "side of a place; bands prey and meet rivals up to one place on")
    reach_km: float = param(150, "km", 10, 2_000, "distance at which an objective loses half its pull")
    speed: float = param(45, "km/week", 1, 500, "march of a band on open ground")
    wariness: float = param(1.0, "ratio", 0, 50, "how bands avoid cells held by a stronger presence")
    drift: float = param(0.5, "share", 0, 1, "share of weeks in which a resting band moves at all")
    slowdown: float = param(0.6, "share", 0, 1, "march lost where a place is fully remote")
    detour: float = param(0.35, "cell", 0, 2, "pull of a step that makes no headway, against one of a cell")
    backward: float = param(0.02, "cell", 0.001, 2, "least pull of a step, however far it leads away, of one of a cell")
    roaming: float = param(0.3, "ratio", 0, 10, "pull of any step on bands that roam, against a cell of headway")
    elsewhere: float = param(0.2, "ratio", 0, 10, "comfort of a place without own people, against a mean one")
    loot: float = param(5, "ratio", 0, 100, "comfort of the richest deposits for those who live from them")
    loot_base: float = param(20, "ratio", 0, 100, "pull of the richest deposits on bands' homes, of mean own people's")
    objective_rivals: float = param(300, "person", 1, 1e5, "rival fighters who make an objective half as good as any")
    objective_people: float = param(8_000, "person", 1, 1e7, "foreign people who make an objective half as good as any")
    mud: float = param(0.5, "share", 0, 1, "march lost to the rains at their height",
                       "mechanism: climate and the environment (Khan 2024)")
    objective_loot: float = param(2, "ratio", 0, 100, "pull of the richest deposits as an objective, of other stakes")


@dataclass(kw_only=True)
class Fight:
    """Battles between rival bands."""

    rate: float = param(80, "1/year", 0, 520, "battles of `band` fighters, outnumbered, in a campaign of mean vigour")
    band: float = param(200, "person", 1, 1e4, "fighters whose battles that rate counts")
    lull: float = param(0.003, "ratio", 0, 1, "of that rate, outside campaigns")
    separation: float = param(0.02, "ratio", 0.001, 100, "peacekeepers at work that keep one fighter in reach apart",
                              "order: size of the effect in Hultman, Kathman & Shannon 2014")
    severity: float = param(4.0, "person", 0.1, 100, "smallest typical battle")
    tail: float = param(2.5, "exponent", 1.6, 5, "density exponent of event sizes",
                        "2.5 (Bohorquez et al. 2009); CAR 2.53 +- 0.15 (UCDP GED 23.1)")
    largest: float = param(850, "person", 1, 1e5, "most fighters killed in one battle",
                           "largest event of CAR 800, none above 1,000 in the countries looked at (UCDP GED 23.1)")
    largest_share: float = param(0.35, "share", 0.01, 1, "largest share of those there who can die")
    crossfire: float = param(0.15, "ratio", 0, 5, "civilians killed per fighter killed in battle")


@dataclass(kw_only=True)
class Prey:
    """One-sided violence: bands attack civilians, protection deters."""

    rate: float = param(12, "1/year", 0, 520, "attacks of `band` fighters in a campaign of mean vigour, motive 1")
    lull: float = param(0.0005, "ratio", 0, 1, "of that rate, outside campaigns")
    protection: float = param(0.02, "ratio", 0.001, 100, "peacekeepers at work that deter one fighter in reach",
                              "order: effect of 1 per 1,000 people, Hultman, Kathman & Shannon 2013")
    armless: float = param(0.3, "share", 0, 1, "protection given by a force that may not use force",
                           "mechanism: arms for self-defence only (Matsumura 2024)")
    rivals: float = param(1.0, "ratio", 0, 50, "added motive when rivals are near",
                          "sign: groups that face rivals kill more (Hultman draft)")
    losses: float = param(1.0, "ratio", 0, 50, "added motive after heavy losses", "sign: Wood 2014")
    loss_memory: float = param(4, "week", 0.5, 260, "half-life of losses as a motive",
                               "order: right after losses (Wood 2014)")
    reprisal: float = param(5.0, "ratio", 0, 100, "added motive where one's own people were just killed",
                            "sign: killings bring more attacks (Condra & Shapiro 2012)")
    reprisal_memory: float = param(3, "week", 0.5, 260, "half-life of reprisal near a killing",
                                   "order: harm raises attacks for under 4 weeks (Condra & Shapiro 2012)")
    losses_half: float = param(0.1, "share", 0.001, 1, "recent losses of a band's strength felt half as a motive")
    reprisal_half: float = param(10, "person", 0.1, 1e4, "own dead nearby who call half fully for reprisal")
    targets: float = param(36_000, "person", 1, 1e7, "people in reach at which half of the attacks find a target")
    stepping_in: float = param(0.01, "ratio", 0.001, 100, "armed peacekeepers who step in half the time, a fighter",
                               "order: missions answered 20% of 507 attacks (OIOS 2014); sets T13")
    unwarned: float = param(0.2, "share", 0, 1, "how often they step in when they know nothing, of when they know all",
                            "assumed; mechanism: early warning (Khan 2024)")
    stopped: float = param(0.5, "share", 0, 1, "victims that stepping in saves")
    repelled: float = param(0.3, "ratio", 0, 20, "fighters killed per victim saved by stepping in")
    site_target: float = param(2, "ratio", 0, 100, "how people in a site draw attacks, against others there",
                               "assumed; people in camps and sites were attacked in Darfur and Bor")
    walls: float = param(0.9, "share", 0, 1, "victims in a site whom a strong guard saves",
                         "mechanism: a mission did well by those in the camps (Khan 2024)")
    gate: float = param(0.1, "ratio", 0.01, 100, "guards of a site, per attacker, who save half of that")
    wounded: float = param(0.25, "share", 0, 1, "victims whom care near by saves",
                           "order: a quarter of the deaths of soldiers could be survived (Eastridge et al. 2012)")
    restraint: float = param(0.5, "share", 0, 1, "attacks that reporting deters, of whoever answers for them in full",
                             "sign: governments that are named kill less (DeMeritt 2012)")
    reporters: float = param(20, "person", 0.1, 1e4, "reporting presence in a place that gives half of that")
    severity: float = param(3.5, "person", 0.1, 100, "smallest typical attack where `band` fighters are in reach")
    band: float = param(150, "person", 1, 1e4, "fighters whose attacks the rate counts, in reach for that severity")
    band_power: float = param(0.5, "exponent", 0, 2, "how severity grows with fighters in reach, less than as they do")
    tail: float = param(2.5, "exponent", 1.6, 5, "density exponent of event sizes",
                        "2.5 (Bohorquez et al. 2009); CAR 2.53 +- 0.15 (UCDP GED 23.1)")
    largest: float = param(1_000, "person", 1, 1e5, "most dead that one attack can have",
                           "largest event of CAR 800, none above 1,000 in the countries looked at (UCDP GED 23.1)")
    largest_share: float = param(0.2, "share", 0.01, 1, "largest share of the people there who can die")


@dataclass(kw_only=True)
class Enforce:
    """Force used by missions against armed bands."""

    rate: float = param(3.0, "1/year", 0, 520, "operations against a band in reach, at full presence")
    weight: float = param(0.1, "ratio", 0.001, 100, "peacekeepers at work that overcome one fighter in reach")
    removed: float = param(0.35, "share", 0, 1, "share of a band killed or dispersed by an operation")
    killed: float = param(0.15, "share", 0, 1, "share of those removed who die; the rest disperse")
    own_losses: float = param(0.05, "ratio", 0, 2, "peacekeepers killed per fighter killed")
    collateral: float = param(1.5, "ratio", 0, 20, "civilians killed per fighter killed, no restraint")
    idle: float = param(0.15, "share", 0, 1, "operations against bands at rest, of those in a campaign")


@dataclass(kw_only=True)
class Ambush:
    """Attacks on contingents and aid teams, and how they are answered."""

    self_defence: float = param(0.5, "share", 0, 1, "ambushes that a unit answers by fire in mere self-defence",
                                "mechanism: arms for self-defence only (Matsumura 2024)")
    answer: float = param(2.0, "person", 0, 100, "fighters killed by a unit of full ability that answers an ambush")

    protest: float = param(1.0, "ratio", 0, 20, "added hazard of an attack on a unit that a protest pins down")
    rate: float = param(3.0, "1/year", 0, 520, "attacks on `unit` or `team` persons, unguarded, by fully hostile bands",
                        "assumed; to be held against MINUSCA's 0.65 killed per 1,000 person-years (UN data)")
    unit: float = param(350, "person", 1, 10_000, "personnel whose attacks that rate counts",
                        "assumed; scale of the rate: mean uniformed persons per base")
    team: float = param(60, "person", 1, 1_000, "aid workers whose attacks and raids the rates count",
                        "assumed; scale of the rates: aid workers per team")
    guard: float = param(0.5, "ratio", 0.01, 100, "fighters that one uniformed person keeps off")
    severity: float = param(0.7, "person", 0.1, 100, "smallest typical loss of a unit")
    tail: float = param(2.8, "exponent", 1.6, 5, "density exponent of losses")
    largest: float = param(100, "person", 1, 1e4, "most dead that one attack on a unit can have")
    trained: float = param(0.4, "share", 0, 1, "attacks that full training prevents, and none adds, of those on a unit"
                           " half trained")
    warned: float = param(0.5, "share", 0, 1, "attacks on a contingent that knows where bands are, which it avoids",
                          "assumed; mechanism: intelligence and technology save peacekeepers (Santos Cruz 2017)")
    wounded: float = param(0.25, "share", 0, 1, "deaths that full medicine prevents, and none adds, of those under half"
                           " of it", "order: a quarter of the deaths could be survived (Eastridge et al. 2012)")
    raid: float = param(1.0, "1/year", 0, 520, "raids on an aid team's stocks by bands in reach",
                        "sign: Wood & Sullivan 2015")
    raiders: float = param(20, "person", 0.1, 1_000, "looters around who make raids half as many as they could be")
    raid_deaths: float = param(0.25, "share", 0, 1, "share of raids that kill an aid worker",
                               "125 killed of 483 victims in 277 attacks in 2019 (AWSD)")
    looted: float = param(0.3, "share", 0, 1, "share of the stocks of `team` workers lost in a raid",
                          "assumed; sweep 0-0.5")
    restock: float = param(4, "week", 0.5, 52, "weeks in which an empty stock is filled")


@dataclass(kw_only=True)
class Relieve:
    """Humanitarian access and aid."""

    served: float = param(150, "person", 1, 10_000, "people one aid worker can serve")
    base: float = param(2.2, "logit", -10, 10, "access at no hostility, fighting or remoteness")
    hostility: float = param(5.0, "logit", 0, 50, "access lost at full hostility of who controls the place",
                             "sign: stabilisation work reduces access in Mali (Sauter 2022)")
    fighting: float = param(2.5, "logit", 0, 50, "access lost where there is full fighting")
    remoteness: float = param(1.5, "logit", 0, 50, "access lost at full remoteness")
    far: float = param(0.5, "share", 0, 1, "work that teams do not need around them and can do elsewhere")
    cheaper: float = param(0.5, "share", 0, 1, "work that people in a camp or site need less to be served")
    roads: float = param(0.5, "share", 0, 1, "remoteness that engineers take away from aid at full effort")
    escort: float = param(0.6, "share", 0, 1, "denied access that a full escort forces open",
                          "mechanism: armed escort offered to aid (Matsumura 2024)")
    escort_half: float = param(150, "person", 1, 10_000, "escorts that give half of that")
    escort_cost: float = param(0.3, "1/year", 0, 50, "hostility per year of forced access",
                               "sign: escorts have a knock-on to other agencies (Plowright 2023)")
    lock_in: float = param(104, "week", 1, 1_000, "half-life of the habit of armed escorts",
                           "sign: hard to give up in Darfur (Plowright 2023)")
    pause_team: float = param(60, "person", 1, 1_000, "aid workers whose pauses the rate counts",
                              "assumed; scale of the rate: aid workers per team")
    pause_rate: float = param(2.0, "1/year", 0, 52, "pauses that `pause_team` workers negotiate at full engagement",
                              "mechanism: polio pause in Gaza, September 2024 (Matsumura 2024)")
    pause_half: float = param(20, "person", 0.1, 1e4, "engaging presence around a team that gives half of that")
    pause_weeks: float = param(3, "week", 0, 52, "length of a negotiated pause",
                               "order: Gaza in September 2024, 12 days (WHO 2024)")
    pause_km: float = param(50, "km", 1, 1_000, "how far around a team a pause holds",
                            "order: the Gaza Strip, 41 km long, in three zones (WHO 2024)")
    vaccination: float = param(60, "1/year", 0, 520, "rise of the vaccinated in a pause, full effort, all arms at rest",
                               "order: 559,000 of 640,000 children in 12 days (WHO 2024)")
    vaccinators: float = param(20, "person", 0.1, 1e4, "aid workers in reach of a cell who make half of that effort")
    rains: float = param(2.0, "logit", 0, 50, "access lost at full remoteness to the rains at their height",
                         "mechanism: climate and the environment (Khan 2024)")
    lent: float = param(0, "share", 0, 1, "consenting host's fighters around an aid team, lent to it as escort",
                        "mechanism: UN personnel moved under the guard of the host's army (Symposium 2024)")


@dataclass(kw_only=True)
class Live:
    """Need, mortality, flight, return."""

    memory: float = param(6, "week", 0.5, 260, "half-life of violence felt in a place")
    half_violence: float = param(0.5, "deaths/1000", 0.001, 100, "recent deaths per 1,000 felt half fully",
                                 "sign: scope drives flight, intensity does not (Melander, Öberg & Hall 2007)")
    neighbours: float = param(0.3, "ratio", 0, 1, "violence next door, against the same in one's own place")
    displaced_need: float = param(0.8, "1/year", 0, 52, "rise of need in displacement")
    violence_need: float = param(2.0, "1/year", 0, 52, "rise of need under full violence")
    poverty: float = param(0.06, "1/year", 0, 52, "rise of need in ordinary life where the state is absent")
    livelihood: float = param(1.5, "1/year", 0, 52, "fall of need by livelihood at home in calm")
    coping: float = param(0.5, "share", 0, 1, "livelihood that displaced people have, of that at home")
    aid: float = param(8.0, "1/year", 0, 520, "fall of need while fully aided")
    abroad: float = param(2.0, "1/year", 0, 52, "fall of need in refuge abroad")
    mortality: float = param(0.02, "1/year", 0, 1, "excess mortality at full need",
                             "assumed; the emergency threshold of all deaths, 1/10,000/day, is 0.0365 a year")
    spared: float = param(0.3, "share", 0, 1, "deaths from need that vaccination of everybody prevents",
                          "assumed; measles among the main causes of death in camps (CDC 1992)")
    immunity: float = param(26, "week", 1, 520, "half-life of a place's protection by vaccines, as people come and go")
    flight: float = param(3.0, "1/year", 0, 520, "flight under full violence felt",
                          "assumed; Flee's default is a daily chance of 1.0 to leave a conflict zone (Flee 2026)")
    flight_km: float = param(100, "km", 1, 5_000, "distance at which a refuge has lost three quarters of its pull")
    calm: float = param(3.0, "ratio", 0, 100, "pull of calm on the choice of a refuge")
    shelter: float = param(2.0, "ratio", 0, 100, "pull of protection on the choice of a refuge")
    shelter_half: float = param(100, "person", 0.1, 1e4, "protecting presence that gives half of that")
    camp: float = param(3, "ratio", 0, 100, "pull of a camp or site that is open, of the largest town's")
    camp_staff: float = param(50, "person", 0.1, 1e4, "personnel with open gates who make half of that")
    countryside: float = param(0.02, "ratio", 0, 10, "pull of a place without a town, of the largest town's",
                               "sign: the reach of cities drives flight (Melander, Öberg & Hall 2007)")
    unrest: float = param(0.1, "ratio", 0.001, 10, "pull of a refuge where violence is fully felt")
    border: float = param(1.5, "ratio", 0, 100, "pull of a border crossing, of that of all places together")
    border_km: float = param(50, "km", 1, 1_000, "distance at which a crossing loses half of its pull")
    homecoming: float = param(1.2, "1/year", 0, 52, "return when home has been quiet",
                              "assumed; Flee's default is a daily chance of 0.001 to leave a camp (Flee 2026)")
    quiet: float = param(0.05, "share", 0.001, 1, "violence felt at home that halves return")
    lean: float = param(0.2, "1/year", 0, 52, "rise of need in the lean season, at the height of the rains")
    drought: float = param(0.35, "1/year", 0, 52, "rise of need in a year of drought",
                           "mechanism: climate shocks, food shortages (Khan 2024)")


@dataclass(kw_only=True)
class Feel:
    """Trust in missions and grievance toward factions."""

    start: float = param(0.4, "share", 0, 1, "trust in a mission nobody knows yet")
    protection: float = param(0.8, "1/year", 0, 52, "rise of trust where a mission is present and it is calm",
                              "sign: security work raises opinion (Gordon & Young 2017)")
    protection_half: float = param(50, "person", 0.1, 1e4, "protecting presence that people see half fully")
    aid: float = param(4.0, "1/year", 0, 52, "rise of trust in a week of aid, which is remembered for a month",
                       "sign: relief work raises opinion (Gordon & Young 2017)")
    engagement: float = param(0.6, "1/year", 0, 52, "rise of trust under full engagement",
                              "mechanism: winning the trust of the common man (Khan 2024)")
    engagement_half: float = param(10, "person", 0.1, 1e4, "engaging presence that gives half of that")
    strangers: float = param(0.5, "ratio", 0, 2, "what engagement without local knowledge does, of that with half",
                             "mechanism: language and culture (symposium 2024)")
    harm: float = param(0.6, "ratio", 0, 50, "trust lost per own dead in 1,000, by the mission's hand",
                        "sign: Lyall, Blair & Imai 2013")
    stood_by: float = param(0.15, "ratio", 0, 50, "trust lost per attack that a mission stood by",
                            "mechanism: who fails the people loses their consent (Khan 2024)")
    misinformation: float = param(0.3, "share", 0, 1, "strength of campaigns of misinformation and hate speech",
                                  "order: nearly half of peacekeepers severely affected, UN survey 2022 (AP 2022)")
    rumour: float = param(2.5, "1/year", 0, 52, "trust lost per year to full misinformation that reaches everybody",
                          "sign: UN survey 2022 (AP 2022); assumed: a season of it costs nearly half of trust")
    communicators: float = param(100, "person", 0.1, 1e5, "personnel who talk misinformation down to a half")
    left: float = param(0.5, "1/year", 0, 52, "trust lost per year by those whom a mission's protection has left",
                        "mechanism: who fails the people loses their consent (Khan 2024)")
    left_memory: float = param(26, "week", 1, 520, "half-life of the memory of protection that was there")
    campaigns: float = param(6, "1/year", 0, 520, "campaigns of a fully hostile faction against a command, set off",
                             "assumed; sign: misinformation forms perceptions of a mission (Khan 2024)")
    campaign_weeks: float = param(13, "week", 1, 260, "mean length of a campaign of misinformation")
    unprovoked: float = param(0.2, "share", 0, 1, "campaigns without an incident, of those that one sets off")
    incidents: float = param(5, "event", 0.1, 1e4, "killed by a command, or attacked before its eyes, lately, that set"
                             " off half of the campaigns")
    incident_memory: float = param(4, "week", 0.5, 260, "half-life of such an incident, and of a rumour nobody spreads",
                                   "order: harm raises attacks for under 4 weeks (Condra & Shapiro 2012)")
    others: float = param(0.5, "share", 0, 1, "belief of people whom the sender does not call its own",
                          "assumed; mechanism: people are partisan by place (Matsumura 2024)")
    remote: float = param(0.3, "share", 0, 1, "reach of media in the remotest place, of that in a town")
    local_media: float = param(0.5, "share", 0, 1, "misinformation that media of full institutions sort out",
                               "mechanism: local media instigate or reconcile (UNU 2015)")
    forget: float = param(0.15, "1/year", 0, 52, "drift of trust back to its start",
                          "assumed; behaviour forgets in under 4 weeks (Condra & Shapiro 2012)")
    grievance: float = param(0.06, "ratio", 0, 50, "grievance per own dead in 1,000, toward who killed")
    need: float = param(0.1, "1/year", 0, 52, "grievance toward the government from unmet need")
    forgive: float = param(0.25, "1/year", 0, 52, "decay of grievance")
    quarrel: float = param(0.07, "1/year", 0, 52, "grievance over land and water toward others' armed men, in drought",
                           "mechanism: climate change exacerbates competition for resources (Wanjiku 2024)")


@dataclass(kw_only=True)
class Judge:
    """Hostility of factions to missions; consent of the host."""

    contestation: float = param(0.5, "share", 0, 1, "how contested the political process is",
                                "mechanism: parties disagree on the political agreement (Matsumura 2024)")
    conflation: float = param(0.4, "share", 0, 1, "hostility and distrust that spill between separate commands",
                              "sign: evidence split, Sauter 2022 for, J. Int. Peacekeeping 25(4) against; sweep 0-1")
    rumour: float = param(0.5, "share", 0, 1, "added conflation under full misinformation")
    incited: float = param(1.6, "1/year", 0, 52, "hostility of a faction whose people hear full misinformation and do"
                           " not trust", "assumed, as much as that of a full loser by a process that is contested")
    political: float = param(1.6, "1/year", 0, 52, "hostility from judging the political agreement",
                             "mechanism: first meaning of impartiality (Matsumura 2024)")
    rights: float = param(0.8, "1/year", 0, 52, "hostility from judging human rights, full abuse",
                          "mechanism: second meaning of impartiality (Matsumura 2024)")
    reporting: float = param(5, "ratio", 0, 100, "judging of rights by a person who reports: it names names")
    witnessing: float = param(0.1, "ratio", 0, 10, "judging of rights by one who protects: patrols only witness")
    abuse_deaths: float = param(40, "person", 1, 1e5, "killed in recent months that are judged half fully")
    abuse_memory: float = param(12, "week", 1, 260, "half-life of a record of abuse")
    harm: float = param(0.4, "share", 0, 1, "hostility from a week in which a mission kills very many of its people",
                        "sign: harm by a foreign force breeds attacks (Condra & Shapiro 2012)")
    harm_half: float = param(100, "person", 1, 1e5, "own people killed by a mission in a week that give half of that")
    force: float = param(6, "ratio", 0, 500, "hostility per share of a faction's fighters killed or dispersed",
                         "mechanism: force in defence of the mandate (Matsumura 2024, third reason)")
    decay: float = param(0.7, "1/year", 0, 52, "decay of hostility")
    persuasion: float = param(0.8, "1/year", 0, 52, "added decay under full engagement with armed actors",
                              "mechanism: convincing local parties (Matsumura 2024)")
    persuaders: float = param(100, "person", 0.1, 1e5, "personnel who engage that give half of that")
    judging_half: float = param(400, "person", 1, 1e6, "personnel on a task that give half its weight")
    expulsion: float = param(0.35, "share", 0, 1, "host's hostility above which a mission is asked to leave",
                             "assumed: at the default contestation one UN mission in eight went under the first rules")
    withdrawal: float = param(0.5, "share", 0, 1, "hostility of a place's master above which he withdraws consent",
                              "mechanism: security under the consent of local parties (Matsumura 2024)")
    patience: float = param(13, "week", 0, 520, "weeks above that before it is asked")
    reconsider: float = param(0.7, "ratio", 0, 1, "of `expulsion`: hostility below which a host takes its letter back",
                              "mechanism: an exit is a gradual, negotiated process (Symposium 2024)")
    people: float = param(0.4, "1/year", 0, 52, "hostility of a host whose people have no trust in a mission",
                          "mechanism: the consent of the people (Khan 2024); at this size full distrust alone suffices")
    overreach: float = param(1, "1/year", 0, 52, "hostility of a host to full reporting outside of the mandate's area",
                             "mechanism: reports on all of Sudan, a mandate for Darfur (Symposium 2024)")
    alone: float = param(4, "ratio", 1, 1_000, "offence by person, of its command's others', for which one is asked")
    partial: float = param(1.2, "ratio", 0, 50, "added hostility of the host's rivals to who hits them and spares it",
                           "mechanism: interests of partners tarnish impartiality (Khan 2024)")
    hired: float = param(0.3, "share", 0, 1, "harm by hired men held against each command that is there",
                         "mechanism: they dent the standing of the UN in the same zone (Khan 2024)")
    offence_memory: float = param(26, "week", 1, 520, "half-life of what a host remembers of each mission's offence")


@dataclass(kw_only=True)
class Recruit:
    """Recruits, deserters, demobilised, and those who return to arms."""

    grievance: float = param(0.8, "1/year", 0, 52, "growth under full grievance of its community",
                             "sign: exclusion predicts joining, but not alone (Humphreys & Weinstein 2008)")
    harm: float = param(0.6, "1/year", 0, 52, "growth after missions killed very many of its people",
                        "sign: harm by a foreign force breeds support for its enemies (Lyall, Blair & Imai 2013)")
    harm_half: float = param(100, "person", 1, 1e5, "own people killed by missions lately that give half of that")
    harm_memory: float = param(26, "week", 1, 520, "half-life of the memory of these")
    loot: float = param(0.5, "1/year", 0, 52, "growth from lootable resources")
    upkeep: float = param(0.5, "1/year", 0, 52, "growth of a faction from nothing toward what it can keep")
    desertion: float = param(0.08, "1/year", 0, 52, "fighters who go home, committed faction")
    regroup: float = param(3.0, "1/year", 0, 52, "return of dispersed fighters when nothing holds them")
    holding: float = param(0.7, "share", 0, 1, "return prevented by full presence in its heartland")
    holders: float = param(100, "person", 0.1, 1e4, "protecting presence in its heartland that gives half of that")
    smallest: float = param(20, "person", 1, 1_000, "size below which a small band draws hardly more recruits")
    ddr: float = param(0.8, "1/year", 0, 52, "demobilisation of a fully committed faction, full effort")
    ddr_fighters: float = param(20, "person", 0.1, 1_000, "fighters one DDR officer can take on")
    rearm: float = param(0.25, "1/year", 0, 52, "ex-combatants who take up arms again, no institutions",
                         "sign: Afghanistan, 63,000 demobilised and hard to reintegrate (IFPA & OSIPP 2011)")
    reintegrate: float = param(0.4, "1/year", 0, 52, "ex-combatants who settle for good, full institutions")

    livelihood: float = param(0.7, "1/year", 0, 52, "ex-combatants who settle for good out of a programme",
                              "assumed; a programme of training and work takes about a year and a half")
    caseload: float = param(60, "person", 0.1, 1_000, "ex-combatants whom one person who reintegrates can look after")
    loyalty: float = param(0.45, "share", 0, 1, "rearming that leaders who are fully committed prevent",
                           "assumed; in Colombia about a quarter took up arms again (literature: 10-40%)")
    gone: float = param(0.65, "share", 0, 1, "of ex-combatants who settled, those whom nobody replaces in the ranks",
                        "assumed; sign: who joins is poor and left out, and they are not without number"
                        " (Humphreys & Weinstein 2008)")
    mobilise: float = param(0.9, "1/year", 0, 52, "mustering of a faction before its war, under full grievance",
                            "sign: exclusion predicts joining, but not alone (Humphreys & Weinstein 2008)")
    pledge: float = param(0.6, "share", 0, 1, "filling of its ranks that a fully committed faction gives up",
                          "assumed; mechanism: who means to disarm does not recruit")
    sanctioned: float = param(0.7, "share", 0, 1, "income of armed factions that full sanctions take, kept by all",
                              "mechanism: profiteers of war economies prolong the fighting (HIPPO 2015)")


@dataclass(kw_only=True)
class Negotiate:
    """Commitment, agreement, collapse, institutions."""

    fatigue: float = param(0.18, "1/year", 0, 52, "rise of commitment by war-weariness alone")
    mediation: float = param(0.6, "1/year", 0, 52, "rise of commitment under full mediation",
                             "mechanism: coerce, induce, persuade (Schumann & Bara 2023)")
    mediators: float = param(150, "person", 1, 1e5, "staff on mediation that give half its effect")
    coercion: float = param(2.0, "ratio", 0, 50, "rise per share of fighters hit, at full mediation",
                            "mechanism: Schumann & Bara 2023")
    losses: float = param(0.8, "ratio", 0, 50, "commitment lost per share of fighters lost to rivals")
    grievance: float = param(0.3, "1/year", 0, 52, "commitment lost to full grievance of its people")
    weakness: float = param(0.15, "1/year", 0, 52, "commitment lost where there are no institutions")
    pressure_memory: float = param(13, "week", 1, 260, "half-life of pressure by force")
    sign: float = param(0.4, "share", 0.01, 1, "commitment at which a veto player accepts half the time")
    willing: float = param(0.5, "share", 0, 1, "ceiling above which a faction is party to the talks")
    veto: float = param(0.12, "share", 0, 1, "share of all fighters above which a faction can break an agreement",
                        "mechanism: veto players make wars longer (Cunningham 2006)")
    signing: float = param(2.0, "1/year", 0, 52, "rate of signing once all veto players accept")
    ceasefire: float = param(0.85, "share", 0, 1, "aggression that an agreement in force takes away")
    walk_out: float = param(0.3, "ratio", 0, 1, "share of the commitment to sign, below which an agreement is left")
    collapse: float = param(0.14, "1/year", 0, 52, "collapse of an agreement that nothing holds",
                            "order: spoiling of 22% (Reiter 2016), 40% relapse in ten years (Collier et al. 2008)")
    guarantee: float = param(0.6, "share", 0, 1, "collapse that full monitoring prevents")
    monitors: float = param(300, "person", 1, 1e5, "personnel on monitoring that give half of that")
    aggression: float = param(0.5, "share", 0, 1, "aggression that full local institutions take away")
    build: float = param(0.5, "1/year", 0, 52, "growth of institutions under full building effort",
                         "sign: UN operations help peacebuilding (Sambanis & Schulhofer-Wohl 2007)")
    builders: float = param(8, "person", 0.1, 1e4, "staff in reach of a cell that give half of that")
    twice: float = param(0.55, "share", 0, 1, "building that two equal donors do twice, if they do not talk at all",
                         "mechanism: redundancies of two donors (IFPA & OSIPP 2011)")
    own_growth: float = param(0.02, "1/year", 0, 52, "growth of institutions by the country itself")
    destruction: float = param(0.6, "1/year", 0, 52, "institutions lost under full violence",
                               "sign: violence hurts peacebuilding tasks (Blair, Di Salvatore & Smidt 2022)")

    reform: float = param(0.4, "1/year", 0, 52, "fall of a host's abuse under full reform, if it is fully committed",
                          "mechanism: capacity of the police (IFPA & OSIPP 2011; HIPPO 2015)")
    reformers: float = param(120, "person", 0.1, 1e5, "personnel on reform that give half of its effect")
    unreformed: float = param(0.25, "share", 0, 1, "of a host's abuse, what reform cannot take away")
    lapse: float = param(0.08, "1/year", 0, 52, "return of a host's abuse to what it was, where nothing keeps it down")
    arming: float = param(0.13, "1/year", 0, 52, "growth of what an uncommitted host can keep under arms, full reform",
                          "mechanism: strengthening a state that abuses, as in South Sudan (HIPPO 2015)")
    most_armed: float = param(2, "ratio", 1, 10, "most that a host can be armed by reform, of what it could keep")


@dataclass(kw_only=True)
class Processes:
    """The weekly schedule, each part of which can be switched off (an ablation)."""

    deploy: bool = True
    task: bool = True
    move: bool = True
    fight: bool = True
    prey: bool = True
    enforce: bool = True
    ambush: bool = True
    relieve: bool = True
    live: bool = True
    feel: bool = True
    judge: bool = True
    recruit: bool = True
    negotiate: bool = True
    observe: bool = True


@dataclass(kw_only=True)
class Params:
    """The whole model. `seed` chooses the luck; all else is the scenario."""

    seed: int = param(1, "seed", 0, 2**53, "seed of every draw of the run", "scenario: setting of the run")
    weeks: int = param(832, "week", 1, 5_200, "length of the run",
                       "ten years after missions leave in week 312: success by the test of time (Khan 2024)")
    step_weeks: float = param(1, "week", 0.125, 4, "length of a time step", "scenario: setting of the run")
    civilians: int = param(5_000, "agent", 1, 20_000_000, "civilian agents; each stands for many persons",
                           "scenario: setting of the run")
    country: Country = part(Country)
    mission: MissionModel = part(MissionModel)
    events: Dict[str, Any] = table("shocks in time beside those of country and mission model, by name (each a Shock)")
    personnel: Dict[str, Tasks] = table("what each kind of personnel can do")
    deploy: Deploy = part(Deploy)
    task: Task = part(Task)
    move: Move = part(Move)
    fight: Fight = part(Fight)
    prey: Prey = part(Prey)
    enforce: Enforce = part(Enforce)
    ambush: Ambush = part(Ambush)
    relieve: Relieve = part(Relieve)
    live: Live = part(Live)
    feel: Feel = part(Feel)
    judge: Judge = part(Judge)
    recruit: Recruit = part(Recruit)
    negotiate: Negotiate = part(Negotiate)
    processes: Processes = part(Processes)


# ---------------------------------------------------------------------------------- using the declarations


def walk(node: "Group", path: str = "") -> Iterator[tuple[str, Field[Any], Any]]:
    """Yield (path, field, value) for each declared leaf of a parameter tree, in order."""
    for f in fields(node):
        value = getattr(node, f.name)
        here = f"{path}{f.name}"
        if is_dataclass(value):
            yield from walk(value, here + ".")
        elif isinstance(value, dict) and any(is_dataclass(v) for v in value.values()):
            for name, item in value.items():
                yield from walk(item, f"{here}.{name}.")
        else:
            yield here, f, value


def out_of_range(node: "Group", path: str = "") -> list[str]:
    """Return one sentence for each value of the tree that is not allowed."""
    said = []
    for here, f, value in walk(node, path):
        meta = f.metadata
        if "options" in meta and value not in meta["options"]:
            said.append(f"{here} is {value!r}{among(value, meta['options'])}")
        if "low" in meta and not meta["low"] <= value <= meta["high"]:  # false for nan, too
            said.append(
                f"{here} is {value:g}; it must lie in [{meta['low']:g}, {meta['high']:g}] {meta['unit']}"
            )
    return said or (_uneven(node) if isinstance(node, Params) else said)


def _uneven(params):
    """Return one sentence if a run of whole steps cannot have so many weeks."""
    steps = params.weeks / params.step_weeks
    if abs(steps - round(steps)) < 1e-9 * steps:
        return []
    near = [k * params.step_weeks for k in (floor(steps), ceil(steps)) if k]
    return [
        f"weeks is {params.weeks}, which is no whole number of steps of step_weeks={params.step_weeks:g}; give "
        f"{' or '.join(f'{n:g}' for n in near if n == round(n)) or 'other steps'}"
    ]


GROUPS = tuple(  # that rules read: of the processes, of the mission model and of the country
    f.name for f in fields(Params) if f.name in Processes.__dataclass_fields__ or f.name in ("mission", "country")
)


def numbers(params: Params) -> SimpleNamespace:
    """Return the numbers of every process by name, as compiled rules read them: `numbers(params).prey.rate`.

    Each group is a record. The compiler's cache on disk knows a record by the names and places of its fields, but a
    named tuple by its class alone: there, two declarations that change places would be taken for each other in silence.
    """
    return SimpleNamespace(**{name: _record(getattr(params, name)) for name in GROUPS})


def _record(group):
    if numba.config.DISABLE_JIT:  # a record has attributes of its own, which plain Python would take for fields
        return SimpleNamespace(**vars(group))
    kinds = [(f.name, {float: np.float64, int: np.int64}[f.type]) for f in fields(group) if f.type in (float, int)]
    return np.rec.array([tuple(getattr(group, name) for name, _ in kinds)], dtype=kinds)[0]


def rows(
    kind: "Group" = Params, path: str = ""
) -> Iterator[tuple[str, Any, str, tuple[float, float], str, str]]:
    """Yield (name, default, unit, range, meaning, source) for each number, as the table shows them."""
    nested = {
        "components": Component, "factions": Faction, "places": Place, "personnel": Tasks, "communities": Heartland,
        "deposits": Heartland, "humanitarians": Humanitarians, "bundles": Bundle, "contributors": Contributor,
        "events": Shock, "moves": Push,
    }
    for f in fields(kind):
        here = f"{path}{f.name}"
        meta = f.metadata
        if "low" in meta:
            yield here, f.default, meta["unit"], (meta["low"], meta["high"]), meta["doc"], meta["source"]
        elif is_dataclass(f.type):
            yield from rows(f.type, here + ".")
        elif f.name in nested and f.default is MISSING:
            yield from rows(nested[f.name], f"{here}.<name>.")


def markdown() -> str:
    """Return the parameter table in Markdown."""
    lines = ["| parameter | default | unit | range | meaning | source |", "|---|---|---|---|---|---|"]
    for name, default, unit, (low, high), doc, source in rows():
        lines.append(f"| `{name}` | {default:g} | {unit} | {low:g} to {high:g} | {doc} | {source} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
