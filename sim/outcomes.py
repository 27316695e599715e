"""What is measured: one declaration each, with unit and meaning; and the tables a run leaves.

Weekly numbers go into one matrix. From it and the log of events come the tables in the field's formats: a monthly
panel like that of Hultman, Kathman & Shannon, a cell-month panel with PRIO-GRID-like keys, events with UCDP GED's
column names, and one row of outcomes per run.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.compiled import Places, see
from sim.country import a_date, priogrid_of
from sim.params import WEEKS_PER_YEAR, Params
from sim.processes.observe import LAYERS, draw_map, measure
from sim.state import Event, Land

if TYPE_CHECKING:
    import pandas as pd

    from sim.model import Model

EVENT_COLUMNS = {  # of the table of events: (unit, meaning)
    "id": ("", "number of the event in the run"),
    "year": ("", "calendar year of date_start"),
    "type_of_violence": ("1, 2, 3", "1 state-based, 2 non-state, 3 one-sided violence"),
    "dyad_name": ("", "side_a - side_b"),
    "side_a": ("", "faction or mission that attacked"),
    "side_b": ("", "faction or mission that was attacked, or civilians"),
    "cell": ("", "cell of the country, as in the table of cells and months"),
    "row": ("cell", "row of the cell, 0 in the south"),
    "col": ("cell", "column of the cell, 0 in the west"),
    "latitude": ("degree", "middle of the cell, north; empty in a country that is not on the world's map"),
    "longitude": ("degree", "middle of the cell, east; likewise"),
    "priogrid_gid": ("", "cell of PRIO-GRID in which that lies; likewise"),
    "adm_1": ("", "first-level administrative unit, if the country has any"),
    "date_start": ("YYYY-MM-DD", "first day of the step in which it happened"),
    "date_end": ("YYYY-MM-DD", "last day of it"),
    "deaths_a": ("person", "fighters or personnel of side_a killed"),
    "deaths_b": ("person", "fighters, personnel or aid workers of side_b killed"),
    "deaths_civilians": ("person", "civilians killed"),
    "deaths_unknown": ("person", "0: here all are known"),
    "best": ("person", "all killed"),
    "low": ("person", "the same"),
    "high": ("person", "the same"),
    "kind": (
        "",
        "battle, attack (on civilians), operation (by a mission), ambush (of a contingent), raid (on an aid team)",
    ),
    "x_km": ("km", "middle of the cell, from the western edge of the grid"),
    "y_km": ("km", "middle of the cell, from the southern edge of the grid"),
}
CELL_COLUMNS = {  # of the table of cells and months, what a row is of: (unit, meaning)
    "cell": ("", "cell of the country, as in the table of events"),
    **{name: EVENT_COLUMNS[name] for name in ("row", "col", "latitude", "longitude")},
    "gid": EVENT_COLUMNS["priogrid_gid"],
    "month": ("YYYY-MM", "calendar month"),
}
MAPS = {  # and what is known of it
    "persons": ("person", "people there when the last week of the month begins"),
    "idps": ("person", "displaced who are there when that week begins"),
    "need": ("share", "their unmet need when that week begins"),
    "violence": ("share", "violence felt there at the end of the month"),
    "institutions": ("share", "reach and quality of the state there at the end of the month"),
    "peacekeepers_<mission>": ("person", "uniformed personnel there at the end of the month"),
    "staff_<mission>": ("person", "civilian personnel and aid workers there at the end of the month"),
    "osv_gov": ("person", "killed there in attacks of the host government"),
    "osv_reb": ("person", "killed there in attacks of all other factions"),
    "crossfire": ("person", "civilians killed there in battles between factions"),
    "killed_by_missions": ("person", "civilians killed there in operations and ambushes"),
    "brd": ("person", "battle-related deaths between factions there, crossfire included"),
    "killed_so_far": ("person", "civilians killed there by violence since the run began"),
}
TIMES = {  # what tells the rows of the weekly and monthly tables apart: (unit, meaning)
    "week": ("week", "week of the run in which the step begins"),
    "date": ("YYYY-MM-DD", "first day of the step"),
    "month": CELL_COLUMNS["month"],
}
UCDP_DEATHS = 25  # battle deaths in a year that make a conflict active (UCDP)
DECADE = 520


@dataclass(frozen=True)
class Outcome:
    """One weekly measure: a number, or one for each faction or mission, or for each pair.

    Those of the project are measured in sim/processes/observe.py; one's own brings a function of the model.
    """

    name: str
    unit: str
    meaning: str
    month: str  # how weeks make a month: sum, mean, last
    of: "Callable[[Model], ArrayLike] | None" = None  # a number or an array; none: `observe` measures it
    per: str = ""  # "", faction, mission, or faction_mission

    def __post_init__(self) -> None:  # noqa: D105
        for name, known in (("month", ("sum", "mean", "last")), ("per", ("", "faction", "mission", "faction_mission"))):
            if (given := getattr(self, name)) not in known:
                raise ValueError(f"outcome {self.name}: {name} is {given!r}; it must be one of {known}")


OUTCOMES = (
    Outcome("civilians_killed", "person", "civilians killed by violence", "sum"),
    Outcome("osv_all", "person", "civilians killed in attacks by armed factions (one-sided, UCDP type 3)", "sum"),
    Outcome("osv_gov", "person", "of these, by the host government", "sum"),
    Outcome("osv_reb", "person", "of these, by all other factions", "sum"),
    Outcome("killed_by", "person", "civilians killed by each faction", "sum", per="faction"),
    Outcome("killed_by", "person", "civilians killed by each mission", "sum", per="mission"),
    Outcome("excess_deaths", "person", "deaths from unmet need", "sum"),
    Outcome("crossfire", "person", "civilians killed in battles between factions", "sum"),
    Outcome("battle_deaths", "person", "fighters killed in battles between factions", "sum"),
    Outcome("battle_deaths_gov", "person", "of these, fighters of the host government", "sum"),
    Outcome("battle_deaths_reb", "person", "of these, of all other factions", "sum"),
    Outcome("operation_deaths", "person", "fighters killed by missions", "sum"),
    Outcome("brd", "person", "battle-related deaths between factions, crossfire included (UCDP types 1 and 2)", "sum"),
    Outcome("events", "event", "attacks on civilians and battles with at least one dead, as UCDP counts", "sum"),
    Outcome("deterred", "share", "attacks on civilians that presence deters, of those to be expected without it",
            "mean"),
    Outcome("attacks", "event", "attacks on civilians, whether anybody dies or not", "sum"),
    Outcome("answered", "share", "attacks on civilians in which a mission steps in, of all: what is to be expected",
            "mean"),
    Outcome("peacekeepers_killed", "person", "uniformed and civilian personnel killed", "sum"),
    Outcome("aid_workers_killed", "person", "aid workers killed", "sum"),
    Outcome("attacks_on_missions", "event", "ambushes of contingents and raids on aid teams", "sum"),
    Outcome("protests", "event", "places in which people took to the streets against a mission", "sum"),
    Outcome("pinned", "person-week", "personnel pinned down by protests", "sum"),
    Outcome("population", "person", "people alive when the week ends, inside the country and abroad", "last"),
    Outcome("idps", "person", "displaced inside the country when the week begins", "last"),
    Outcome("refugees", "person", "in refuge abroad when the week begins", "last"),
    Outcome("unmet_need", "person-week", "people times their unmet need", "sum"),
    Outcome("access", "share", "aid teams that could work, of those that tried", "mean"),
    Outcome("sheltered", "person", "displaced in camps and protection sites", "last"),
    Outcome("killed_in_sites", "person", "civilians killed by factions in camps and protection sites", "sum"),
    Outcome("pauses", "event", "pauses negotiated by aid teams", "sum"),
    Outcome("vaccinated", "share", "people whom vaccines given in pauses protect", "mean"),
    Outcome("freedom", "share", "freedom of movement of each mission", "mean", per="mission"),
    Outcome("freedom", "share", "freedom of movement of each faction", "mean", per="faction"),
    Outcome("freedom_civilians", "share", "people who live where little violence is felt", "mean"),
    Outcome("violence_felt", "share", "violence felt by the average person when the week begins", "mean"),
    Outcome("smears", "campaign", "campaigns of misinformation under way", "mean"),
    Outcome("rumour", "share", "misinformation about each mission that nobody talks down", "mean", per="mission"),
    Outcome("trust", "share", "mean trust in each mission", "last", per="mission"),
    Outcome("informed", "share", "what each mission's contingents know of where bands are: by technology, from people",
            "mean", per="mission"),
    Outcome("consent_gov", "share", "host government's consent to each mission", "last", per="mission"),
    Outcome("consent_reb", "share", "consent of all other factions to each mission, by their fighters", "last",
            per="mission"),
    Outcome("hostility", "share", "hostility of each faction to each mission", "last", per="faction_mission"),
    Outcome("commitment", "share", "commitment of each faction to the process", "last", per="faction"),
    Outcome("fighters", "person", "fighters of each faction", "last", per="faction"),
    Outcome("laid_down", "person", "fighters who laid down their arms in DDR", "sum"),
    Outcome("settled", "person", "ex-combatants who settled for good", "sum"),
    Outcome("rearmed", "person", "ex-combatants who took up arms again", "sum"),
    Outcome("institutions", "share", "institutions that the average person lives under when the week begins", "last"),
    Outcome("agreement", "0/1", "an agreement is in force", "last"),
    Outcome("troops", "person", "troops present", "last"),
    Outcome("un_troops", "person", "of these, UN", "last"),
    Outcome("non_un_troops", "person", "of these, not UN", "last"),
    Outcome("police", "person", "police present", "last"),
    Outcome("un_police", "person", "of these, UN", "last"),
    Outcome("observers", "person", "observers present", "last"),
    Outcome("un_observers", "person", "of these, UN", "last"),
    Outcome("humanitarian_staff", "person", "aid workers present", "last"),
    Outcome("personnel", "person", "personnel of each mission", "last", per="mission"),
    Outcome("cost", "US$", "spent by each mission", "sum", per="mission"),
    Outcome("missing", "person", "uniformed of each mission in its plan, and not sent, not paid for or called home",
            "mean", per="mission"),
    Outcome("pay_owed", "week", "pay owed to the people of each mission", "last", per="mission"),
)  # fmt: skip


TOTALS = {  # what only a whole run has, beside sums and means of the weekly measures: (unit, meaning)
    "killed_by_missions": ("person", "civilians killed by missions"),
    "deaths": ("person", "civilians dead by violence or unmet need"),
    "displaced_peak": ("person", "displaced at the peak"),
    "displaced_person_weeks": ("person-week", "displacement, inside the country and abroad"),
    "sheltered_person_weeks": ("person-week", "displacement in camps and protection sites"),
    "cost": ("US$", "spent by all missions"),
    "aid_cost": ("US$", "spent by the donors of the country's humanitarians"),
    "consent_pop": ("share", "trust in the missions present, weighted by their personnel"),
    "mandate_weeks": ("week", "longest service of a mission"),
    "war": ("0/1", "a war broke out: 25 battle-related deaths in twelve months"),
    "weeks_to_war": ("week", "week in which it had; the end of the run without"),
    "missions_expelled": ("mission", "missions that left, or are leaving, because the host asked them to"),
    "host_letters": ("event", "times that the host asked a mission to leave"),
    "letters_taken_back": ("event", "of these, taken back before the mission had gone"),
    "exit_week": ("week", "week in which the last mission had gone; none while one stays"),
    "missions_ended": ("mission", "missions whose mandate was not renewed"),
    "contributors_left": ("group", "groups of contingents called home by those who sent them"),
    "missing_person_weeks": ("person-week", "uniformed in the plan, and not sent, not paid for or called home"),
    "pay_owed_peak": ("week", "most pay owed to the people of a mission"),
    "weeks_to_agreement": ("week", "week in which the first agreement was signed"),
    "agreement_collapses": ("event", "agreements that collapsed"),
    "peace_at_exit": (
        "0/1",
        "no two parties caused 25 battle-related deaths in the year before the last mission left; without one, or "
        "while one stays, ten years before the end. Who leaves later is asked later: compare peace_at_end",
    ),
    "peace_at_end": ("0/1", "no two parties caused 25 battle-related deaths in the last year of the run"),
    "peace_lasted": (
        "week",
        "from then to a year in which two did, or to the end of the run or ten years; none without",
    ),
    "relapse": ("0/1", "war came back within these ten years; none without peace at exit, or if the run ends before"),
}


def unit_and_meaning(column: str) -> tuple[str, str]:
    """Return the unit and the meaning of a column of the tables, or two empty texts."""
    if column in TOTALS:
        return TOTALS[column]
    found = _declared(column)
    return (found.unit, found.meaning) if found else ("", "")


def made_by(column: str) -> str:
    """Return how weeks make a month of a column of the monthly table: sum, mean, last, or an empty text."""
    found = _declared(column)
    return {"consent_pop": "last", "cost": "sum"}.get(column) or (found.month if found else "")


def _declared(column):
    longest_first = sorted(OUTCOMES, key=lambda o: -len(o.name))
    return next((o for o in longest_first if column == o.name or (o.per and column.startswith(f"{o.name}_"))), None)


def columns_of(outcome: Outcome, factions: Sequence[str], missions: Sequence[str]) -> list[str]:
    """Return the column names of an outcome."""
    ends = {
        "": [""],
        "faction": [f"_{f}" for f in factions],
        "mission": [f"_{m}" for m in missions],
        "faction_mission": [f"_{f}_{m}" for f in factions for m in missions],
    }[outcome.per]
    return [outcome.name + end for end in ends]


def months_of(params: Params) -> list[str]:
    """Return the calendar months in which a run has weeks, as YYYY-MM."""
    start, steps = a_date(params.country.start, "country.start"), int(np.ceil(params.weeks / params.step_weeks))
    days = [start + timedelta(days=int(7 * k * params.step_weeks)) for k in range(steps)]
    return list(dict.fromkeys(f"{day:%Y-%m}" for day in days))


def refuse_months(where: str, months: Sequence[str], params: Params) -> None:
    """Refuse months that a run does not have, in a sentence."""
    there = months_of(params) if months else []
    if missing := [m for m in months if m not in there]:
        raise ValueError(f"{where} names {', '.join(missing)}; the run has the months {there[0]} to {there[-1]}")


class Record:
    """What a run has left so far: weekly numbers, events, monthly maps.

    Parameters
    ----------
    model : Model, before its first week
    outcomes : sequence of Outcome, what is recorded
    """

    def __init__(self, model: "Model", outcomes: Iterable[Outcome] = OUTCOMES) -> None:
        p = model.params
        self.factions, self.missions = model.factions.names, model.missions.names
        self.step_weeks, self.start = p.step_weeks, date.fromisoformat(p.country.start)
        self.n_steps = model.record_length()
        self.outcomes = tuple(outcomes)
        columns = [columns_of(o, self.factions, self.missions) for o in self.outcomes]
        self.columns = [c for some in columns for c in some]
        own = [c for some in columns[len(OUTCOMES) :] for c in some]
        if taken := [c for c in own if self.columns.count(c) > 1]:
            raise ValueError(f"outcomes names {taken[0]}, which is a column already; give the outcome another name")
        if idle := [o.name for o in self.outcomes[len(OUTCOMES) :] if o.of is None]:
            raise ValueError(f"outcomes names {idle[0]} without `of`; give it a function of the model")
        ends = np.cumsum([len(some) for some in columns])
        places = [(o, slice(a, b)) for o, a, b in zip(self.outcomes, [0, *ends], ends)]
        self.own = [(o.of, place) for o, place in places[len(OUTCOMES) :] if o.of]
        first = [(f"{o.name}_{o.per}" if o.per else o.name, place.start) for o, place in places[: len(OUTCOMES)]]
        self.at = np.rec.array([tuple(at for _, at in first)], dtype=[(name, np.int64) for name, _ in first])[0]
        self.places = see(Places(self.at))  # as rules see it: to know a record's type takes a compiled rule long
        self.weekly = np.full((self.n_steps, len(self.columns)), np.nan)
        self.events: list[tuple[int, Event]] = []  # and the step of each
        self.maps: list[tuple[int, dict[str, NDArray[Any]]]] = []  # step, (C,) by layer, at the end of each month
        self.layers = _layers(self.missions)
        self.former: dict[int, str] = {}  # names of missions of the past that a branch has no more, by negative number
        self.steps = 0
        self.month = np.array([self._month(k) for k in range(self.n_steps + 1)])
        self.in_month = np.array(
            [self._share_in_month(k) for k in range(self.n_steps)]
        )  # of a step, in its first month

    def _month(self, step):
        day = self.day(step)
        return day.year * 12 + day.month - 1

    def _share_in_month(self, step):
        first, end = self.day(step), self.day(step + 1)
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        return min(1.0, (next_month - first).days / max((end - first).days, 1))

    def day(self, step: int) -> date:
        """Return the calendar date on which a step begins."""
        return self.start + timedelta(days=int(7 * step * self.step_weeks + 1e-6))  # sums of tenths fall short

    def mission_name(self, number: int) -> str:
        """Return the name of a mission, of the present or of the past before a branch."""
        return self.former[number] if number < 0 else self.missions[number]

    def write(self, model: "Model") -> None:
        """Enter the week that has just been lived."""
        k = self.steps
        row = self.weekly[k]
        measure(model.view, self.places, row)
        for of, place in self.own:
            row[place] = np.ravel(of(model))
        self.events += [(k, e) for e in model.now.events]
        if self.month[k + 1] != self.month[k] or k + 1 == self.n_steps:
            layers = np.zeros((len(self.layers), model.land.row.size), dtype=np.float32)
            draw_map(model.view, layers)
            self.maps.append((k, dict(zip(self.layers, layers, strict=True))))
        self.steps = k + 1


def dictionary(outcomes: Iterable[Outcome] = OUTCOMES) -> str:
    """Return what every column of the weekly and monthly tables is: CSV of name, unit, month, meaning."""
    lines = ["column,unit,weeks_make_a_month_by,meaning"]
    lines += [f"{name},{unit},,{meaning}" for name, (unit, meaning) in TIMES.items()]
    for o in outcomes:
        name = columns_of(o, ["<faction>"], ["<mission>"])[0]
        lines.append(f'{name},{o.unit},{o.month},"{o.meaning}"')
    lines.append('consent_pop,share,last,"trust in the missions present, weighted by their personnel"')
    lines.append('cost,US$,sum,"spent by all missions"')
    return "\n".join(lines) + "\n"


def _layers(missions):
    """Return the names of the layers of a monthly map."""
    return (*LAYERS, *(f"{who}_{name}" for name in missions for who in ("peacekeepers", "staff")))


# ---------------------------------------------------------------------------------- tables


def weekly(model: "Model") -> "pd.DataFrame":
    """Return one row per week: a data frame."""
    import pandas as pd

    r = model.record
    frame = pd.DataFrame(r.weekly[: r.steps], columns=r.columns)
    frame.insert(0, "week", np.arange(r.steps) * r.step_weeks)
    frame.insert(1, "date", pd.to_datetime([r.day(k) for k in range(r.steps)]))
    return frame


def monthly(model: "Model") -> "pd.DataFrame":
    """Return the monthly panel: one row per calendar month, weeks summed, averaged or the last."""
    import pandas as pd

    months, columns, values = monthly_matrix(model)
    panel = pd.DataFrame(values, columns=columns)
    panel.insert(0, "month", months)
    return panel


def monthly_matrix(model: "Model") -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Return the monthly panel as plain arrays: (months as YYYY-MM, names of columns, (months, columns) numbers).

    A sum and a mean are of the weeks that have a number, the last is the last number of the month. A week that lies in
    two months counts in both by its days; what a run has of a month in which no week begins counts in the one before.
    """
    r = model.record
    month, weeks = r.month[: r.steps], r.weekly[: r.steps]
    first = np.flatnonzero(np.r_[True, month[1:] != month[:-1]]) if r.steps else np.zeros(0, dtype=int)
    how = np.array([o.month for o in r.outcomes for _ in columns_of(o, r.factions, r.missions)])
    known = np.isfinite(weeks)
    share = r.in_month[: r.steps, None].copy()
    share[-1:] = 1.0
    total = _spread(np.where(known, weeks, 0.0), share, first)
    count = _spread(known.astype(float), share, first)
    latest = np.maximum.reduceat(np.where(known, np.arange(r.steps)[:, None], -1), first, axis=0)
    last = np.where(latest >= 0, np.take_along_axis(weeks, np.maximum(latest, 0), axis=0), np.nan)
    mean = np.where(count > 0, total / np.maximum(count, 1e-12), np.nan)
    values = np.where(how == "sum", total, np.where(how == "mean", mean, last))
    panel = dict(zip(r.columns, values.T, strict=True))
    consent = _weighted_trust(panel, r.missions, len(first))
    cost = sum((panel[f"cost_{m}"] for m in r.missions), np.zeros(len(first)))
    names = [f"{k // 12:04d}-{k % 12 + 1:02d}" for k in month[first].tolist()]
    return names, [*r.columns, "consent_pop", "cost"], np.column_stack([values, consent, cost])


def _spread(of_weeks, share, first):
    """Return sums by month of what weeks have, each in the month it begins in by a share, the rest in the next."""
    out = np.add.reduceat(of_weeks * share, first, axis=0) if first.size else of_weeks[:0]
    late = of_weeks * (1.0 - share)
    if first.size > 1:
        out[1:] += np.add.reduceat(late, first, axis=0)[:-1]
    return out


def _weighted_trust(panel, missions, months):
    """Consent of the people: trust in the missions present, weighted by their personnel."""
    size, trust = (
        np.nan_to_num([panel[f"{name}_{m}"] for m in missions]).reshape(-1, months) for name in ("personnel", "trust")
    )  # a branch has no past of a new mission
    total = size.sum(axis=0)
    return np.where(total > 0, (size * trust).sum(axis=0) / np.maximum(total, 1e-9), np.nan)


def cell_month(model: "Model", months: Collection[str] | None = None) -> "pd.DataFrame":
    """Return the cell-month panel: deaths by actor, people, peacekeepers, in every cell and month.

    Parameters
    ----------
    model : Model, at any week
    months : months as YYYY-MM to keep; none: all
    """
    import pandas as pd

    r, land = model.record, model.land
    deaths = _deaths_by_month(model)
    killed = ("osv_gov", "osv_reb", "crossfire", "killed_by_missions")
    so_far = sum(deaths[name] for name in killed).cumsum(axis=0)
    names = [f"{r.month[k] // 12:04d}-{r.month[k] % 12 + 1:02d}" for k, _ in r.maps]
    kept = [i for i, name in enumerate(names) if months is None or name in months]
    n = land.row.size
    layers = list(dict.fromkeys(layer for i in kept for layer in r.maps[i][1]))  # a branch may add missions
    columns = {name: np.tile(column, len(kept)) for name, column in where(land).items()}
    columns["month"] = np.repeat(np.array([names[i] for i in kept], dtype=object), n)
    nobody = np.zeros(n, dtype=np.float32)
    for layer in layers:
        columns[layer] = np.concatenate([r.maps[i][1].get(layer, nobody) for i in kept])
    for name, dead in {**deaths, "killed_so_far": so_far}.items():
        columns[name] = dead[kept].ravel()
    return pd.DataFrame(columns)


def where(land: Land) -> dict[str, NDArray[Any]]:
    """Return the keys of the cells: dict of cell, row, col, and latitude, longitude and gid of PRIO-GRID, each (C,).

    The last three are nan in a country that is not on the world's map. Several cells may lie in one of PRIO-GRID.
    """
    keys = {"cell": np.arange(land.row.size), "row": land.row, "col": land.col}
    if land.latitude is None or land.longitude is None:
        return keys | dict.fromkeys(("latitude", "longitude", "gid"), np.full(land.row.size, np.nan))
    gid = priogrid_of(land.latitude, land.longitude)
    return keys | {"latitude": land.latitude, "longitude": land.longitude, "gid": gid}


def _deaths_by_month(model):
    """Return who was killed where in each month that has a map: arrays of (months, C) by column."""
    r = model.record
    deaths = {
        n: np.zeros((len(r.maps), model.land.row.size))
        for n in ("osv_gov", "osv_reb", "crossfire", "killed_by_missions", "brd")
    }
    of_month = {r.month[k]: i for i, (k, _) in enumerate(r.maps)}
    for k, e in r.events:
        i = of_month.get(r.month[k])
        if i is None:
            continue  # the present month, not at its end yet
        by = {"operation": "killed_by_missions", "ambush": "killed_by_missions", "battle": "crossfire"}.get(e.kind)
        by = by or ("osv_gov" if model.factions.host[e.side_a] else "osv_reb")
        deaths[by][i, e.cell] += e.deaths_civilians
        deaths["brd"][i, e.cell] += e.deaths_a + e.deaths_b + e.deaths_civilians if e.kind == "battle" else 0
    return deaths


def events(model: "Model") -> "pd.DataFrame":
    """Return the log of violent events with UCDP GED's column names; the dates are the first and the last day."""
    import pandas as pd

    r, land = model.record, model.land
    rows = []
    for i, (k, e) in enumerate(r.events, start=1):
        a = r.mission_name(e.side_a) if e.kind == "operation" else r.factions[e.side_a]
        b = {"attack": "civilians", "ambush": "mission", "raid": "mission"}.get(e.kind) or r.factions[e.side_b]
        if b == "mission":
            b = r.mission_name(e.side_b)
        host = (
            e.kind == "operation"
            or model.factions.host[e.side_a]
            or (e.kind == "battle" and model.factions.host[e.side_b])
        )
        kind = 3 if e.kind == "attack" else 1 if host or e.kind in ("ambush", "raid") else 2
        first = r.day(k)
        last = max(first, r.day(k + 1) - timedelta(days=1))
        best = e.deaths_a + e.deaths_b + e.deaths_civilians
        rows.append((
            i, first.year, kind, f"{a} - {b}", a, b, e.cell, first.isoformat(), last.isoformat(),
            e.deaths_a, e.deaths_b, e.deaths_civilians, 0, best, best, best, e.kind,
        ))  # fmt: skip
    keys = where(land)
    of_cell = {
        "row": land.row, "col": land.col, "latitude": keys["latitude"], "longitude": keys["longitude"],
        "priogrid_gid": keys["gid"], "adm_1": np.full(land.row.size, "") if land.admin is None else land.admin,
        "x_km": (land.col + 0.5) * land.cell_km, "y_km": (land.row + 0.5) * land.cell_km,
    }  # fmt: skip
    frame = pd.DataFrame(rows, columns=[c for c in EVENT_COLUMNS if c not in of_cell])
    at = frame["cell"].to_numpy(dtype=int)
    return frame.assign(**{c: column[at] for c, column in of_cell.items()})[list(EVENT_COLUMNS)]


def totals(model: "Model") -> dict[str, float]:
    """Return the outcomes of a run: a dictionary of numbers by name, nan where there was nothing to measure.

    Names, units and meanings are those of OUTCOMES and TOTALS; docs/columns.md lists them.
    """
    r = model.record
    table = dict(zip(r.columns, r.weekly[: r.steps].T, strict=True))
    out = {o: float(np.nansum(table[o])) for o in (
        "civilians_killed", "osv_gov", "osv_reb", "crossfire", "excess_deaths", "brd", "battle_deaths",
        "operation_deaths", "attacks",
        "peacekeepers_killed", "aid_workers_killed",
        "attacks_on_missions", "unmet_need", "laid_down", "settled", "rearmed", "protests", "pinned", "pauses",
        "killed_in_sites",
    )}  # fmt: skip
    out["killed_by_missions"] = out["civilians_killed"] - out["osv_gov"] - out["osv_reb"] - out["crossfire"]
    out["deaths"] = out["civilians_killed"] + out["excess_deaths"]
    displaced = table["idps"] + table["refugees"]
    out["displaced_peak"] = float(displaced.max(initial=0))
    out["displaced_person_weeks"] = float(displaced.sum() * r.step_weeks)
    out["access"] = _nanmean(table["access"])
    out["deterred"] = _nanmean(table["deterred"])
    answered = float(np.nansum(table["answered"] * table["attacks"]))
    out["answered"] = answered / out["attacks"] if out["attacks"] > 0.0 else np.nan
    out["vaccinated"] = _nanmean(table["vaccinated"])
    out["sheltered_person_weeks"] = float(table["sheltered"].sum() * r.step_weeks)
    out["smears"] = _nanmean(table["smears"])
    for name in ("freedom", "trust", "informed", "consent_gov", "consent_reb"):
        out |= {f"{name}_{m}": _nanmean(table[f"{name}_{m}"]) for m in r.missions}
    out |= {f"commitment_{f}": float(table[f"commitment_{f}"][-1]) for f in r.factions}
    out["institutions"] = float(table["institutions"][-1])
    ours = ~model.missions.donors
    out["cost"] = float(model.missions.spent[ours].sum())
    out["aid_cost"] = float(model.missions.spent[~ours].sum())
    out["mandate_weeks"] = float(model.missions.mandate_weeks[ours].max(initial=0))
    out["missions_expelled"] = int(np.isfinite(model.missions.expelled[ours]).sum())
    m = model.missions
    out["missions_ended"] = int(np.isfinite(m.lapsed[ours]).sum())
    out["contributors_left"] = int(np.isfinite(model.contributors.home).sum())
    missing, owed = (np.array([table[f"{n}_{m}"] for m in r.missions]) for n in ("missing", "pay_owed"))
    out["missing_person_weeks"] = float(np.nansum(missing) * r.step_weeks)
    out["pay_owed_peak"] = float(np.nan_to_num(owed).max(initial=0))  # a branch has no past of a new mission
    out["host_letters"] = int(m.letters.sum())
    out["letters_taken_back"] = out["host_letters"] - int(np.isfinite(m.expelled).sum())
    out["exit_week"] = exit_week(model)
    out["weeks_to_agreement"] = float(model.politics.signed[0]) if np.isfinite(model.politics.signed[0]) else np.nan
    out["agreement_collapses"] = int(model.politics.collapsed[0])
    out |= test_of_time(model)
    out |= outbreak(table["brd"], r.step_weeks)
    ways: dict[str, Callable[[NDArray[np.float64]], float]] = {
        "sum": np.nansum, "mean": _nanmean, "last": lambda weeks: weeks[-1]
    }  # fmt: skip
    for o in r.outcomes[len(OUTCOMES) :]:  # of a run with more outcomes than the project's
        over_time = ways[o.month]
        out |= {c: float(over_time(table[c])) for c in columns_of(o, r.factions, r.missions)}
    return out


def _nanmean(values):
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def outbreak(deaths: NDArray[np.float64], step_weeks: float) -> dict[str, float]:
    """Say whether, and when, a war broke out in a country, by the threshold of UCDP.

    Parameters
    ----------
    deaths : (steps,) battle-related deaths; step_weeks : float
    """
    year = round(WEEKS_PER_YEAR / step_weeks)
    at_war = np.flatnonzero(np.convolve(deaths, np.ones(year))[: deaths.size] >= UCDP_DEATHS)
    first = (at_war[0] + 1 if at_war.size else deaths.size) * step_weeks
    return {"war": float(at_war.size > 0), "weeks_to_war": float(first)}


def exit_week(model: "Model") -> float:
    """Return the week in which the last mission had gone, nan if none had; a mission of nobody is none."""
    m = model.missions
    gone = np.where(m.leave <= m.arrive, m.leave, m.ended)[~m.donors & (m.personnel.sum(axis=1) > 0)]
    return float(gone.max()) if gone.size and np.isfinite(gone).all() else np.nan


def test_of_time(model: "Model") -> dict[str, float]:
    """Say whether there was peace when the last mission left, and how long it lasted, by the threshold of UCDP.

    Peace is a year in which no two parties to the conflict caused 25 battle-related deaths between them: UCDP counts
    dyad by dyad, and studies of relapse ask whether those fight again who fought for the state. Armed men with no wish
    for an agreement (spoilers, bandits) may be violent in peace; `brd` and `civilians_killed` count what they do.
    Without a mission, or while one stays, the day of exit is ten years before the end of the run, so that all are held
    against the same clock. Who leaves later is asked later: `peace_at_end` asks all on the same day.
    """
    step_weeks, left = model.record.step_weeks, exit_week(model)
    left = model.params.weeks - DECADE if np.isnan(left) else left
    deaths = _deaths_of_dyads(model)
    exit_step, year = int(left / step_weeks), round(WEEKS_PER_YEAR / step_weeks)

    def peace_in_the_year_to(step):
        return float((deaths[step - year : step].sum(axis=0) < UCDP_DEATHS).all()) if step >= year else np.nan

    found = {
        "peace_at_exit": np.nan, "peace_at_end": peace_in_the_year_to(len(deaths)),
        "peace_lasted": np.nan, "relapse": np.nan,
    }  # fmt: skip
    if not year <= exit_step <= len(deaths) - year:
        return found
    found["peace_at_exit"] = peace_in_the_year_to(exit_step)
    if not found["peace_at_exit"]:
        return found
    after = deaths[exit_step : exit_step + int(DECADE / step_weeks)]
    so_far = after.cumsum(axis=0)
    in_a_year = so_far - np.concatenate([np.zeros_like(so_far[:year]), so_far[:-year]])
    back = np.flatnonzero((in_a_year >= UCDP_DEATHS).any(axis=1))
    whole = len(after) >= int(DECADE / step_weeks)
    return found | {
        "peace_lasted": float((back[0] if back.size else len(after)) * step_weeks),
        "relapse": float(back.size > 0) if back.size or whole else np.nan,
    }  # fmt: skip


def _deaths_of_dyads(model):
    """Return the battle-related deaths of each week between every two parties to the conflict: (steps, F * F)."""
    r, f = model.record, model.factions
    party, n = f.ceiling > model.params.negotiate.willing, f.host.size
    deaths = np.zeros((r.steps, n * n))
    for k, e in r.events:
        if e.kind == "battle" and party[e.side_a] and party[e.side_b]:
            dyad = min(e.side_a, e.side_b) * n + max(e.side_a, e.side_b)
            deaths[k, dyad] += e.deaths_a + e.deaths_b + e.deaths_civilians
    return deaths
