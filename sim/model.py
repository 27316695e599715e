"""The model: its parts, and step(), the schedule of a week."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import deaths, draws, rules
from sim.census import take_census
from sim.compiled import see
from sim.components import with_humanitarians
from sim.country import a_date, make_bands, make_civilians, make_factions, make_land
from sim.mandate import phases
from sim.memory import too_large
from sim.mission import areas, make_commands, make_missions, whole_plan
from sim.outcomes import OUTCOMES, Outcome, Record
from sim.params import WEEKS_PER_YEAR, Params, Shock, When, numbers, out_of_range
from sim.processes.ambush import ambush
from sim.processes.deploy import deploy
from sim.processes.enforce import enforce
from sim.processes.feel import feel
from sim.processes.fight import fight
from sim.processes.judge import judge
from sim.processes.live import bury_the_dead, live
from sim.processes.move import move
from sim.processes.negotiate import negotiate
from sim.processes.observe import observe
from sim.processes.prey import prey
from sim.processes.recruit import recruit
from sim.processes.relieve import relieve
from sim.processes.task import task
from sim.rules import LOCAL
from sim.shocks import THINGS, Scheduled, check, made_of, set_usual, shocks_of, strike
from sim.state import (
    Bands,
    Census,
    Civilians,
    Commands,
    Conditions,
    Contributors,
    Factions,
    Land,
    Missions,
    Numbers,
    Politics,
    Table,
    Units,
    Week,
    World,
    begun,
    zeros,
)
from sim.units import make_contributors, make_units
from sim.values import among

SCHEDULE = (
    deploy,  # missions arrive, build up, hand over, leave
    task,  # contingents and aid teams go where they are drawn
    move,  # factions plan, bands march
    fight,  # rival bands meet
    prey,  # bands attack civilians
    enforce,  # robust units attack bands
    ambush,  # bands attack units
    relieve,  # aid reaches those it can
    live,  # people die, hunger, flee, return
    feel,  # trust and grievance
    judge,  # factions and the host judge the missions
    recruit,  # fighters come and go
    negotiate,  # commitment, agreement, institutions
    observe,  # what happened is written down
)
ARRAYS = {f.name for f in fields(World) if f.type is np.ndarray} - {"week", "dice"}
TABLES = tuple(f.name for f in fields(World) if is_dataclass(f.type) and f.type not in (Numbers, Census, Week))

Process = Callable[["Model"], None]
Processes = Mapping[str, Process | Sequence[Process]]  # by the name of the process that they come before or after


def steps_of(params: Params) -> int:
    """Return the number of steps of a run."""
    return round(params.weeks / params.step_weeks)


def make_world(params: Params, luck: draws.Draws) -> World:
    """Build the world on the morning of the first day: state.World.

    Parameters
    ----------
    params : Params; luck : draws.Draws, the run's
    """
    land = make_land(params.country, params.task.patrol_km, params.move.place_km)
    missions = make_missions(params)
    missions.enlarge("area", areas(params, land, missions.names))
    commands = make_commands(params, missions, land)
    n_missions, n_commands, n_cells = len(missions.names), len(commands.names), land.row.size
    factions = make_factions(params.country, land, n_commands, params.move)
    factions.aggression = 1 - factions.commitment
    bands = make_bands(params.country, land, factions, luck, params.move.loot_base)
    contributors = make_contributors(params, missions)
    units = make_units(params, missions, contributors)
    n_factions, n_communities = factions.community.shape
    sizes = {  # of the letters by which state.py gives the shapes of arrays; E: events for which a week has room
        "C": n_cells, "K": n_communities, "F": n_factions, "Q": n_commands, "M": n_missions, "N": params.civilians,
        "L": len(LOCAL), "steps": steps_of(params), "E": 200 * bands.faction.size + units.cell.size + 1_000,
    }  # fmt: skip
    return World(
        numbers=Numbers(**vars(numbers(params))), dice=luck.dice, week=zeros(1), step_weeks=float(params.step_weeks),
        years=params.step_weeks / WEEKS_PER_YEAR,
        first_week=a_date(params.country.start, "country.start").timetuple().tm_yday / 7,
        land=land, people=make_civilians(params, land, n_factions, n_commands, luck), factions=factions, bands=bands,
        commands=commands, missions=missions, contributors=contributors, units=units,
        politics=Politics(
            agreement=zeros(1, dtype=bool), held=zeros(1, dtype=bool), signed=np.full(1, np.inf),
            collapsed=zeros(1, dtype=int), unity=np.full(1, params.mission.council_unity),
        ),
        conditions=Conditions(np.full(1, float(params.feel.misinformation)), np.ones(n_cells)),
        census=Census(**begun(Census, **sizes)), now=Week(**begun(Week, **sizes)), **begun(World, **sizes),
    )  # fmt: skip


def _schedule(params, before, after):
    """Return the processes of a week in order: those that are switched on, and those added before or after one."""
    names = [process.__name__ for process in SCHEDULE]
    if unknown := [name for name in (*before, *after) if name not in names]:
        raise ValueError(f"there is no process {unknown[0]!r} to add one to{among(unknown[0], names)}")

    def added(where, name):
        found = where.get(name, ())
        return [found] if callable(found) else list(found)

    found = []
    for process, name in zip(SCHEDULE, names):
        own = [process] if getattr(params.processes, name) else [bury_the_dead] if process is live else []
        found += [*added(before, name), *own, *added(after, name)]
    return found


class Model:
    """A country at war and the missions sent to protect its people; `agents.PeaceModel` is the same as a Mesa model.

    Parameters
    ----------
    params : Params
    before, after : dict of processes to add, by the name of the process of the week that each comes before or after:
        {"live": flood} or {"live": [flood, drought]}; a process is a function of the model that changes its state
    outcomes : sequence of sim.outcomes.Outcome to record every week, beside those of the project

    Raises
    ------
    ValueError
        One sentence that says what was given, what is allowed and where; before the first week.
    """

    # What is in the world (state.World, which says what each is) is here under the same name.
    numbers: Numbers
    step_weeks: float
    years: float
    first_week: float
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
    plan: np.ndarray
    around: np.ndarray
    presence: np.ndarray
    armed: np.ndarray
    care: np.ndarray
    guard: np.ndarray
    aided: np.ndarray

    def __init__(
        self,
        params: Params,
        *,
        before: Processes | None = None,
        after: Processes | None = None,
        outcomes: Sequence[Outcome] = (),
    ) -> None:
        if wrong := out_of_range(params) or too_large(params):
            raise ValueError("; ".join(wrong))
        self.params = params
        self.luck = draws.Draws(params.seed)
        self.everybody = with_humanitarians(params)  # every mission by name, as declared
        self.world = make_world(params, self.luck)
        self.view = see(self.world)  # the same, for compiled rules
        for part in fields(World):
            if part.name not in ("week", "dice"):
                self.__dict__[part.name] = getattr(self.world, part.name)
        self.phases = phases(self.everybody, self.missions.arrive)  # weeks in which a mandate changes, to come
        self.plan[:] = whole_plan(self)
        self.schedule = _schedule(params, before or {}, after or {})
        self.events = shocks_of(params)
        self.usual = {name: thing.get(self).copy() for name, thing in THINGS.items() if not thing.stock}
        self.usual["abuse"] = self.factions.own_abuse  # a rule moves it, too
        self.pushes = {}  # what events make of these conditions this week
        for event in self.events:
            check(self, event)
        self.record = Record(self, (*OUTCOMES, *outcomes))
        self._open_week()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set what is in an array of the world, which stays where it is: one's own process may say model.care = x."""
        if name in ARRAYS and "world" in vars(self):
            setattr(self.world, name, value)
        else:
            super().__setattr__(name, value)

    # ------------------------------------------------------------------------------ the schedule

    def step(self) -> None:
        """Run one week: everything that happens, in the order in which it happens. After the last, nothing does."""
        if self.finished:
            return
        strike(self)  # what befalls the country this week
        for process in self.schedule:
            process(self)
        self._act()
        self.luck.step += 1
        self.week = self.luck.step * self.params.step_weeks
        self._open_week()

    def _act(self):
        """Let agents of one's own live their week, at its end; here there are none, `agents.PeaceModel` has them."""

    def set_usual(self, name: str, numbers: ArrayLike) -> None:
        """Set what a condition of sim/shocks.py is apart from events: what rules or dates have made of it."""
        set_usual(self, name, numbers)

    def inject(self, name: str, shock: Shock | dict[str, Any]) -> None:
        """Let an event befall a run that is under way: the run is as if it had always stood in its settings.

        Parameters
        ----------
        name : str, a name that no event has yet
        shock : Shock, or a dictionary of its settings; without a moment it begins now

        Raises
        ------
        ValueError
            One sentence that says what was given and what is allowed; the run is then as it was.
        """
        if name in self.params.events:
            raise ValueError(f"events.{name} is there already; give it another name")
        shock = made_of(f"events.{name}", shock)
        if shock.when == When():
            shock = replace(shock, when=When(week=self.week))
        params = replace(self.params, events={**self.params.events, name: shock})
        events = shocks_of(params)
        if wrong := out_of_range(params):
            raise ValueError("; ".join(wrong))
        check(self, Scheduled(name, f"events.{name}", shock))
        self.params, self.events = params, events

    def run(self, progress: Callable[[float], object] | None = None) -> Self:
        """Run to the end; `progress` is called with the week after every step."""
        while not self.finished:
            self.step()
            if progress:
                progress(self.week)
        return self

    def record_length(self) -> int:
        """Return the number of steps of the run."""
        return steps_of(self.params)

    @property
    def finished(self) -> bool:
        """Whether the run has reached its last week."""
        return self.luck.step >= self.record_length()

    def _open_week(self):
        """Count the people, so that every rule of the week sees the same Monday, and open a new page."""
        self.now.turn()
        take_census(self.view)

    @property
    def week(self) -> float:
        """Weeks since the start of the run."""
        return float(self.world.week[0])

    @week.setter
    def week(self, week: float) -> None:
        self.world.week[0] = week

    # ------------------------------------------------------------------------------ what one may ask

    def strength(self) -> NDArray[np.float64]:
        """Return the fighters of every faction: (F,)."""
        return rules.strength(self.view)

    def fighters_around(self) -> NDArray[np.float64]:
        """Return the fighters of every faction in the place of each cell and those around it: (F, C)."""
        rules.survey(self.view)
        return self.world.around

    def task_presence(self, name: str) -> NDArray[np.float64]:
        """Return the effective presence of every mission for a local task: (M, C) person-equivalents."""
        return self.presence[:, rules.LOCAL.index(name)]

    def hostility_of_host(self) -> NDArray[np.float64]:
        """Return the host government's hostility to every chain of command: (Q,); none once it has left for good."""
        return rules.hostility_of_host(self.view)

    def counted(self, column: str, weeks: float) -> float:
        """Return the sum of a column of the weekly table over the last weeks; nan if there are not so many yet.

        Raises
        ------
        ValueError
            The table has no such column.
        """
        r, steps = self.record, round(weeks / self.params.step_weeks)
        if r.steps < steps:
            return np.nan
        return r.weekly[r.steps - steps : r.steps, r.columns.index(column)].sum()

    def kill(
        self,
        cell: int,
        wanted: float,
        luck: float,
        faction: int = -1,
        mission: int = -1,
        community: int = -1,
        crossfire: bool = False,
    ) -> int:
        """Enter civilians killed by a faction or a mission, at most those who are left; return how many.

        They are taken from their households when people live the week (`live`). If no community is named, anybody
        in the place of the cell may be hit.

        Parameters
        ----------
        cell : 0..C-1; wanted : persons, 0 or more; luck : 0..1, which picks whom it hits
        faction, mission, community : numbers, -1 for none; crossfire : whether they were bystanders of a battle

        Raises
        ------
        ValueError
            Nobody, or both, a faction and a mission, are said to have killed them.
        """
        if (faction >= 0) == (mission >= 0):
            raise ValueError(
                f"kill: faction is {faction}, mission {mission}; name the one that killed, the other is -1"
            )
        return deaths.kill(
            self.view, cell=cell, community=community, wanted=wanted, luck=luck, faction=faction, mission=mission,
            crossfire=crossfire,
        )  # fmt: skip

    def tables(self) -> dict[str, Table]:
        """Return the tables of state by name."""
        return {n: getattr(self, n) for n in TABLES}
