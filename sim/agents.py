"""Mesa's face of the model: everybody is an agent, with a cell, who reads and writes his row of the state.

The rules work on whole arrays (state.py) and no step loops over agents. The agents are views, made when somebody
asks for `model.agents` or `model.grid`: to look at a person in class, to draw a map, to write a rule of one's own.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mesa
from mesa.agent import AgentSet
from mesa.discrete_space import Cell, CellAgent, OrthogonalMooreGrid

from sim.model import Model, Processes
from sim.outcomes import Outcome
from sim.params import Params


def column(name: str, doc: str) -> property:
    """Make an attribute that is one entry of the agent's table, for reading and for writing."""

    def read(self):
        return getattr(self.table, name)[self.row]

    def write(self, value):
        getattr(self.table, name)[self.row] = value

    return property(read, write, doc=doc)


class Row:
    """Somebody whose state is row number `row` of a table of the model."""

    kind = ""  # name of the table
    model: "PeaceModel"
    row: int

    @property
    def table(self) -> Any:
        """The table of state that this agent is a row of."""
        return getattr(self.model, self.kind)


class Placed(Row, CellAgent):
    """Somebody on the map."""

    _mesa_cell: Cell | None

    @property
    def cell(self) -> Cell | None:
        """The Mesa cell where it is; None if it is nowhere. Writing moves it, here and in the state.

        None, which Mesa's `remove` writes, takes it off the grid alone.
        """
        self.model.grid  # makes the grid  # noqa: B018
        here = self.table.cell[self.row]
        return self.model._cells[here] if here >= 0 else None

    @cell.setter
    def cell(self, cell: Cell | None) -> None:
        if cell is not None:
            self.table.cell[self.row] = self.model._index_of[cell.coordinate]
        self.show(cell)

    def show(self, cell: Cell | None) -> None:
        """Enter it in a Mesa cell's list of agents, and only there."""
        before = self._mesa_cell
        if before is cell:
            return
        if before is not None:
            before.remove_agent(self)
        self._mesa_cell = cell
        if cell is not None:
            cell.add_agent(self)


class Civilian(Placed):
    """Some persons of one place and one community."""

    kind = "people"
    home = column("home", "cell where they are at home, as an index")
    community = column("community", "their community, as an index of land.names")
    persons = column("persons", "persons alive")
    status = column("status", "0 at home, 1 displaced in the country, 2 abroad")
    need = column("need", "unmet need, 0..1")
    grievance = column("grievance", "toward each faction, 0..1")
    trust = column("trust", "in each chain of command, 0..1")


class ArmedFaction(Row, mesa.Agent):
    """The government, a rebel movement, a militia, or spoilers."""

    kind = "factions"
    commitment = column("commitment", "to the political process, 0..1")
    ceiling = column("ceiling", "highest commitment, 0..1")
    hostility = column("hostility", "to each chain of command, 0..1")
    campaign = column("campaign", "weeks left of its campaign")
    provocation = column("provocation", "own dead lately")

    @property
    def name(self) -> str:
        """Its name."""
        return self.table.names[self.row]

    @property
    def fighters(self) -> float:
        """Fighters of all its bands."""
        return self.model.strength()[self.row]


class ArmedBand(Placed):
    """Fighters of a faction who move together."""

    kind = "bands"
    faction = column("faction", "its faction, as an index")
    fighters = column("fighters", "fighters")
    taking_part = column("taking_part", "in its faction's campaign")
    paused = column("paused", "weeks for which it holds its fire")


class Mission(Row, mesa.Agent):
    """Headquarters of a UN mission, a regional force, or a humanitarian mission."""

    kind = "missions"
    use_of_force = column("use_of_force", "0 self-defence only .. 1 all necessary means")
    ability = column("ability", "0..1, as paid")
    restraint = column("restraint", "0..1, as paid")
    spent = column("spent", "US$ so far")
    expelled = column("expelled", "week in which the host asked it to leave")
    work = column("work", "person-equivalents at work on each task")

    @property
    def name(self) -> str:
        """Its name."""
        return self.table.names[self.row]

    @property
    def helmet(self) -> str:
        """Colour of its helmets."""
        return self.model.everybody[self.name].force.helmet


class _Unit(Placed):
    kind = "units"
    mission = column("mission", "its mission, as an index")
    strength = column("strength", "persons by kind: troops, police, observers, staff, aid")
    freedom = column("freedom", "of movement, 0..1")
    suspended = column("suspended", "held back by a caveat")


class Contingent(_Unit):
    """Troops, police, observers and civilian staff of a mission at one base."""


class AidTeam(_Unit):
    """Aid workers of a mission."""

    stock = column("stock", "supplies, 0..1")
    access = column("access", "could it work this week")


class PeaceModel(Model, mesa.Model):
    """The model as a Mesa model: everybody is an agent, and Mesa's tools can run it, watch it and draw it.

    Parameters
    ----------
    params : Params
    before, after, outcomes : processes and outcomes of one's own, as `Model` takes them
    rng : int, a seed in place of that of `params`, as Mesa's tools give one

    An agent of one's own, a mesa.Agent whose class has a `step`, acts at the end of every week: it sees what happened
    in it, and what it changes is there when the next one begins.

    Raises
    ------
    ValueError
        One sentence that says what was given, what is allowed and where; before the first week.
    """

    def __init__(
        self,
        params: Params,
        *,
        before: Processes | None = None,
        after: Processes | None = None,
        outcomes: Sequence[Outcome] = (),
        rng: int | None = None,
    ) -> None:
        params = params if rng is None else replace(params, seed=int(rng))
        Model.__init__(self, params, before=before, after=after, outcomes=outcomes)
        mesa.Model.__init__(self, rng=params.seed)  # Mesa's own generators: no rule draws from them
        self._own_collector: mesa.DataCollector | None = None
        self._shown_at: float | None = None  # week in which everybody was last entered on the grid

    def step(self) -> None:
        """Run one week; after the last, nothing: Mesa's page steps several times before it looks at `running`."""
        super().step()
        self.running = not self.finished

    def _open_week(self):
        super()._open_week()
        self.steps = self.luck.step  # Mesa's count, of a branch as well

    def _act(self):
        """Let agents of one's own live their week, those whose class has a `step`: class by class as they were made."""
        self._shown_at = None  # who looks at the grid in it sees where everybody is by now
        for kind, some in list(super().agents_by_type.items()):  # those of the project are not made for it
            if kind.step is not mesa.Agent.step:
                some.do("step")

    @property
    def agents(self) -> AgentSet:
        """Everybody as Mesa agents, made the first time somebody asks."""
        self._meet()
        return super().agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], AgentSet]:
        """Everybody as Mesa agents by class, made the first time somebody asks."""
        self._meet()
        return super().agents_by_type

    @property
    def agent_types(self) -> list[type[mesa.Agent]]:
        """The classes of agents."""
        return list(self.agents_by_type)

    @property
    def datacollector(self) -> mesa.DataCollector:
        """What Mesa's tools read of the weeks so far: the columns of the weekly table; or a collector of one's own."""
        if self._own_collector:
            return self._own_collector
        r, found = self.record, mesa.DataCollector(model_reporters=dict.fromkeys(self.record.columns))
        found.model_vars = dict(zip(r.columns, r.weekly[: r.steps].T.tolist(), strict=True))
        found._collection_steps = list(range(1, r.steps + 1))  # Mesa 3.5 finds weeks by it, 3.3 does not know it
        return found

    @datacollector.setter
    def datacollector(self, own: mesa.DataCollector | None) -> None:
        self._own_collector = own

    @property
    def grid(self) -> OrthogonalMooreGrid:
        """The country as a Mesa grid, with everybody in his cell as of this week."""
        if not hasattr(self, "_grid"):
            land = self.land
            self._grid = OrthogonalMooreGrid(land.shape, torus=False, random=self.random)
            self._cells = [self._grid[r, c] for r, c in zip(land.row.tolist(), land.col.tolist(), strict=True)]
            self._index_of = {cell.coordinate: i for i, cell in enumerate(self._cells)}
        if self._shown_at != self.week:
            self._shown_at = self.week
            for cls in (Civilian, ArmedBand, Contingent, AidTeam):
                for agent in self.agents.select(agent_type=cls):
                    here = agent.table.cell[agent.row]
                    agent.show(self._cells[here] if here >= 0 else None)
        return self._grid

    def _meet(self):
        """Make the agents, once."""
        if hasattr(self, "_met"):
            return
        self._met = True
        for cls, n in (
            (Civilian, self.people.persons.size),
            (ArmedFaction, self.factions.host.size),
            (ArmedBand, self.bands.faction.size),
            (Mission, len(self.missions.names)),
        ):
            for row in range(n):
                cls(self).row = row
        for row, team in enumerate(self.units.team):
            (AidTeam if team else Contingent)(self).row = row
