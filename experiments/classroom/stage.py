"""The stage: a scene's models stepped side by side, and what is shown of them."""

import base64
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.classroom import look, words
from experiments.classroom import scene as scenes
from experiments.classroom.controls import controls
from experiments.classroom.layers import LAYERS, known_layer
from experiments.drawing import style
from sim import outcomes
from sim.components import WITH
from sim.model import Model
from sim.params import Params, Shock
from sim.shocks import Scheduled, check
from sim.state import AWAY, HOME

YEAR = 52


@dataclass(frozen=True)
class Headline:
    """A number on the screen: its column in the weekly table, and how the weeks so far make it."""

    name: str
    label: str
    unit: str
    how: str  # sum of the weeks so far, mean of the last year, or the last week
    columns: tuple[str, ...]
    short: str = ""  # where there is little room; of those that have a chart
    charted = property(lambda self: bool(self.short))


HEADLINES = (
    Headline("killed", "Civilians killed", "people so far", "sum", ("civilians_killed",), "Killed"),
    Headline("need", "Deaths from need", "people so far", "sum", ("excess_deaths",), "From need"),
    Headline("displaced", "Displaced", "people now", "last", ("idps", "refugees"), "Displaced"),
    Headline("access", "Aid access", "of attempts, past year", "mean", ("access",), "Aid access"),
    Headline("peacekeepers", "Peacekeepers killed", "people so far", "sum", ("peacekeepers_killed",)),
    Headline("cost", "Spent", "US$ so far", "sum", ("cost",)),
)


class Actor:
    """One model on the stage: its run so far, its log, its columns.

    Parameters
    ----------
    overrides : tuple of str; params : Params
    """

    def __init__(self, overrides: scenes.Model, params: Params) -> None:
        self.overrides, self.params = overrides, params
        self.restart()

    def restart(self) -> None:
        """Go back to the first week."""
        self.model = Model(self.params)
        self.watch, self.log = words.Watch(self.model), []
        self._known, self._spans = None, []
        spent = [f"cost_{name}" for name in words.sent(self.model)]
        self.columns = {
            h.name: [self.model.record.columns.index(c) for c in (spent if h.name == "cost" else h.columns)]
            for h in HEADLINES
        }

    def go_on(self, overrides: scenes.Model, params: Params, events: Mapping[str, Shock]) -> None:
        """Go on as the run of another scene, from which only events that are still to come set it apart."""
        for name, event in events.items():
            self.model.inject(name, event)
        self.overrides, self.params = overrides, params

    def step(self) -> None:
        """Run one week and enter what was notable."""
        self.model.step()
        self.log += self.watch.week()

    def phases(self) -> list[list[words.Span]]:
        """Return the phases of each mission over the whole run, as far as it is known today."""
        known = self.model.missions.expelled.tolist()
        if known != self._known:  # all else stands in the plan
            self._known, self._spans = known, words.spans(self.model)
        return self._spans

    def history(self, headline: Headline) -> NDArray[np.float64]:
        """Return a headline in every week so far: (weeks,)."""
        r = self.model.record
        values = r.weekly[: r.steps][:, self.columns[headline.name]].sum(axis=1)
        if headline.how == "sum":
            return np.nancumsum(values)
        if headline.how == "last":
            return values
        known = np.isfinite(values)
        total, n = (np.r_[np.zeros(YEAR), np.cumsum(x)] for x in (np.where(known, values, 0.0), known))
        with np.errstate(invalid="ignore"):
            return np.where(n[YEAR:] > n[:-YEAR], (total[YEAR:] - total[:-YEAR]) / (n[YEAR:] - n[:-YEAR]), np.nan)

    def numbers(self) -> dict[str, float | None]:
        """Return the headlines as of now: numbers by name, None where there is nothing to measure."""
        if not self.model.record.steps:
            return {h.name: None if h.how == "mean" else 0.0 for h in HEADLINES}
        now = {h.name: float(self.history(h)[-1]) for h in HEADLINES}
        return {name: value if np.isfinite(value) else None for name, value in now.items()}

    def strength(self) -> NDArray[np.float64]:
        """Return those of each mission that is sent in every week so far, as a share of all: (missions, weeks)."""
        r, sent = self.model.record, words.sent(self.model)
        there = r.weekly[: r.steps, [r.columns.index(f"personnel_{n}") for n in sent]]
        return (there / np.maximum(1.0, self.model.missions.personnel[: len(sent)].sum(axis=1))).T


def _to_come(actor, params):
    """Return the events that the run of an actor needs besides its own, all of them still to come, to be another one.

    None, if it cannot be.
    """
    before, now = actor.params.events, params.events
    later = {n: e for n, e in now.items() if n not in before}
    same = all(now.get(n) == e for n, e in before.items())
    if not same or any(e.when.week is None or e.when.week < actor.model.week for e in later.values()):
        return None
    return later


class Stage:
    """One to three models in step.

    Parameters
    ----------
    scene : scene.Scene; before : Stage of the scene before, of which models that did not change are kept

    Raises
    ------
    ValueError
        One sentence on what was given, what is allowed and where.
    """

    def __init__(self, scene: scenes.Scene, before: "Stage | None" = None) -> None:
        params = [scenes.drawn(m, p) for m, p in zip(scene.models, scenes.checked(scene), strict=True)]
        old: dict[scenes.Model, Actor] = {a.overrides: a for a in before.actors} if before else {}
        kept = [old.pop(m, None) for m in scene.models]
        for i, (m, p) in enumerate(zip(scene.models, params, strict=True)):
            alike = (a for a in old.values() if scenes.without_events(a.overrides) == scenes.without_events(m))
            if kept[i] is None and (going_on := next((a for a in alike if _to_come(a, p) is not None), None)):
                kept[i] = old.pop(going_on.overrides)
        made = [a or Actor(m, p) for a, m, p in zip(kept, scene.models, params, strict=True)]
        events = [_to_come(a, p) or {} for a, p in zip(made, params)]
        for a, later in zip(made, events):  # all that can go wrong is tried before anybody's run is changed
            for name, event in later.items():
                check(a.model, Scheduled(name, f"events.{name}", event))
        for a, m, p, later in zip(made, scene.models, params, events):
            a.go_on(m, p, later)
        self.actors: list[Actor] = made
        self.models = scene.models
        self.weeks = params[0].weeks
        self.goal = min(scene.week, self.weeks)
        self.layer = known_layer(scene.layer)

    @property
    def week(self) -> int:
        """The week that is shown: the last that all models have reached."""
        return int(min(a.model.week for a in self.actors))

    @property
    def finished(self) -> bool:
        """Whether the last week is over."""
        return self.week >= self.weeks

    @property
    def there(self) -> bool:
        """Whether all models are in the week that was asked for."""
        return all(a.model.week == self.goal for a in self.actors)

    def scene(self) -> scenes.Scene:
        """Return what is on the screen, or on its way there, as a scene."""
        return scenes.Scene(self.models, self.goal, self.layer)

    def go(self, week: int) -> None:
        """Ask for a week: those that are beyond it start again."""
        self.goal = max(0, min(int(week), self.weeks))
        for a in self.actors:
            if a.model.week > self.goal:
                a.restart()

    def advance(self, weeks: int = 1, seconds: float = float("inf")) -> None:
        """Step the models that are behind the goal, each at most so many weeks, until so much time has passed."""
        end = time.monotonic() + seconds
        for _ in range(weeks):
            for a in self.actors:
                if a.model.week < self.goal and time.monotonic() < end:
                    a.step()

    # ------------------------------------------------------------------------------ what is shown

    def about(self) -> dict[str, Any]:
        """Return all that stays while a scene runs: the land, the factions, the missions, their plans."""
        model = self.actors[0].model
        land = model.land
        titles = scenes.titles(self.models)
        changes, common = scenes.changes(self.models)
        helmets = look.helmets([a.params for a in self.actors])
        return {
            "models": [list(m) for m in self.models], "common": common, "layer": self.layer,
            "link": self.scene().link(), "commands": self.scene().commands(),
            "weeks": self.weeks, "start": str(model.params.country.start),
            "country": {"name": model.params.country.name, "summary": model.params.country.summary,
                        "note": model.params.country.note,
                         "key": scenes.choice_of(self.models[0], "country")},
            "land": {
                "rows": int(land.shape[0]), "cols": int(land.shape[1]), "km": land.cell_km,
                "row": land.row.tolist(), "col": land.col.tolist(),
                "towns": [{"name": n, "row": t.row, "col": t.col, "capital": t.capital}
                          for n, t in model.params.country.places.items() if t.persons >= 50_000 or t.capital],
            },
            "persons_per_dot": float(model.people.born.mean()),
            "factions": [
                {"name": words.faction_name(n).removeprefix("the "), "shape": shape, "colour": colour,
                 "summary": model.params.country.factions[n].summary}
                for n, (shape, colour) in zip(model.factions.names, look.factions(model))
            ],
            "actors": [_about(*each) for each in zip(self.actors, titles, changes, helmets, look.MODELS)],
            "controls": controls(self.actors),
        }  # fmt: skip

    def history(self) -> dict[str, Any]:
        """Return the charted headlines of every week so far, the strength of each mission, and the log."""
        said = []
        for a in self.actors:
            r = a.model.record
            said.append({
                "series": {h.name: _rounded(a.history(h)) for h in HEADLINES if h.charted},
                "strength": [_rounded(share) for share in a.strength()],
                "agreement": r.weekly[: r.steps, r.columns.index("agreement")].astype(int).tolist(),
                "phases": a.phases(), "log": a.log,
            })  # fmt: skip
        return {"week": self.week, "actors": said}

    def frame(self, layer: str | None = None, logged: Iterable[int] = ()) -> dict[str, Any]:
        """Return the present week.

        Parameters
        ----------
        layer : str, one of LAYERS, else that of the stage; logged : how many entries of each log are on the screen
        """
        layer = known_layer(layer or self.layer)
        logged = [*logged, 0, 0, 0]
        day = self.actors[0].model.record.day(self.week)
        return {"week": self.week, "date": day.isoformat(), "finished": self.finished, "layer": layer,
                "actors": [_frame(a, layer, logged[i]) for i, a in enumerate(self.actors)]}  # fmt: skip

    def describe(self, actor: int, kind: str, index: int) -> dict[str, Any]:
        """Return the state of somebody or some place in words."""
        if not 0 <= actor < len(self.actors):
            raise ValueError(f"there is no model {actor}; they are numbered from 0 to {len(self.actors) - 1}")
        a = self.actors[actor]
        return words.describe(a.model, a.watch.where, kind, index)

    def somebody(self, actor: int, cell: int, status: int, nth: int) -> int:
        """Return the number of the nth civilian of a status in a cell; -1 if there is none."""
        p = self.actors[actor].model.people
        here = np.flatnonzero((p.cell == cell) & (p.status == status) & (p.persons > 0))
        return int(here[nth]) if 0 <= nth < here.size else -1

    def tables(self) -> dict[str, str]:
        """Return the weekly numbers and the violent events of all models so far: CSV texts by name."""
        import pandas as pd

        titles, found = scenes.titles(self.models), {}
        for name, of in (("weekly", outcomes.weekly), ("events", outcomes.events)):
            tables = {title: of(a.model) for title, a in zip(titles, self.actors, strict=True)}
            found[name] = pd.concat(tables, names=["model"]).droplevel(1).to_csv()
        return found


def _about(actor, title, changes, helmets, colour):
    model = actor.model
    return {
        "title": title, "changes": changes, "colour": colour, "mission": scenes.mission_of(actor.overrides),
        "summary": model.params.mission.summary, "authorised": authorised(model),
        "missions": [
            {"name": style.label(n), "helmet": helmets[n][0], "stripe": helmets[n][1],
             "plan": _rounded(model.plan[:, i]), "arrive": float(model.missions.arrive[i]),
             "authorised": float(model.missions.personnel[i].sum())}
            for i, n in enumerate(words.sent(model))
        ],
        "humanitarians": [  # the missions after those that are sent
            {"name": style.label(n.partition(WITH)[0]), "helmet": helmets[n][0], "stripe": helmets[n][1]}
            for n in model.missions.names[len(words.sent(model)) :]
        ],
    }  # fmt: skip


def authorised(model: Model) -> float:
    """Return what all missions may cost, in US$: their budget, or without one their plan, from first week to last."""
    m, years = model.missions, model.params.step_weeks / YEAR
    ours = ~m.donors
    if ours.any() and model.params.mission.comparison == "equal_cost":
        return float(model.params.mission.budget)
    wages = (model.plan * (m.personnel * m.price).sum(axis=1))[:, ours].sum()
    return float((wages + ((model.plan > 0) * m.headquarters)[:, ours].sum()) * years)


def _frame(actor, layer, logged):
    model = actor.model
    p, b, u = model.people, model.bands, model.units
    cells = model.land.row.size
    alive = p.persons > 0
    values = LAYERS[layer].of(model)
    shown = np.isfinite(values).all()
    there = np.flatnonzero(b.fighters >= 1)
    units = np.flatnonzero(u.cell >= 0)
    size = u.strength.sum(axis=1)
    flag = model.missions.command
    host, trust = model.hostility_of_host()[flag], model.census.trust_of_all[flag]
    # of an aid team: refused; of a contingent: held back by a caveat
    stopped = np.where(u.team, ~u.access, u.suspended)
    return {
        "home": _packed(np.bincount(p.cell[alive & (p.status == HOME)], minlength=cells)),
        "away": _packed(np.bincount(p.cell[alive & (p.status == AWAY)], minlength=cells)),
        "layer": base64.b64encode(
            np.clip(np.nan_to_num(values) / LAYERS[layer].top * 255, 0, 255).astype(np.uint8).tobytes()
        ).decode() if shown else None,
        "bands": np.column_stack([
            there, b.cell[there], b.faction[there], b.fighters[there].round(),
            b.taking_part[there] & (model.factions.campaign[b.faction[there]] > 0), b.paused[there] > 0,
        ]).astype(int).tolist(),
        "units": np.column_stack([
            units, u.cell[units], u.mission[units], size[units].round(), u.team[units], stopped[units],
        ]).astype(int).tolist(),
        "numbers": actor.numbers(), "agreement": bool(model.politics.agreement[0]),
        "missions": [
            {"phase": phase, "persons": round(float(model.missions.persons[i].sum())),
             "consent": round(float(1 - host[i]), 3), "trust": round(float(trust[i]), 3)}
            for i, (_, phase) in enumerate(words.phases(model))
        ],
        "phases": actor.phases(), "log": actor.log[logged:],
    }  # fmt: skip


def _packed(counts):
    return base64.b64encode(counts.astype("<u2").tobytes()).decode()


def _rounded(values):
    return [None if v != v else round(v, 3) for v in np.asarray(values, dtype=float).tolist()]
