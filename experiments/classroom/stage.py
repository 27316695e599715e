"""The stage: a scene's models stepped side by side, and what is shown of them."""

import base64
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.classroom import look, words
from experiments.classroom import scene as scenes
from experiments.drawing import style
from sim import outcomes
from sim.components import WITH
from sim.model import PeaceModel
from sim.params import AID, KINDS, Params, Shock
from sim.processes import relieve
from sim.rules import controller
from sim.shocks import Scheduled, check
from sim.state import AWAY, HOME
from sim.values import among, value_of

YEAR = 52


def _presence(model):
    return model.task_presence("protect").sum(axis=0)


def _access(model):
    """Return the chance that an aid team of those in the country could work in each cell; nan without any: (C,)."""
    aid = model.missions.persons[:, AID]
    if aid.sum() < 1:
        return np.full(model.land.row.size, np.nan)
    p, land = model.numbers.relieve, model.land
    found = np.zeros(land.row.size)
    for c in range(found.size):
        hostility = model.factions.hostility[controller(model.view, c)]
        for m in np.flatnonzero(aid >= 1):
            angry = hostility[model.missions.command[m]]
            free = relieve.access(
                p, hostility=angry, fighting=land.felt[c], held=0.0, remoteness=land.remoteness[c], wet=0.0
            )
            found[c] += aid[m] * free
    return found / aid[aid >= 1].sum()


def _need(model):
    return model.census.need / np.maximum(model.census.persons, 1)


def _trust(model):
    size = np.where(model.missions.donors, 0.0, model.missions.persons.sum(axis=1))
    if size.sum() < 1:
        return np.full(model.land.row.size, np.nan)
    return (model.census.trust[model.missions.command] * size[:, None]).sum(axis=0) / size.sum()


@dataclass(frozen=True)
class Layer:
    """Something that each cell has: how it is called, its unit, the value of the darkest shade, where it comes from."""

    title: str
    unit: str
    top: float
    of: Callable[[PeaceModel], NDArray[np.float64]]  # model -> (C,); nan where there is nothing to show


LAYERS = {
    "violence": Layer("Violence", "felt there and around", 1.0, lambda m: m.land.felt),
    "presence": Layer("Presence", "that protects, effective persons in reach", 50.0, _presence),
    "access": Layer("Aid access", "chance that an aid team can work", 1.0, _access),
    "institutions": Layer("Institutions", "reach and quality of the state", 0.5, lambda m: m.land.institutions),
    "need": Layer("Unmet need", "of those who live there", 1.0, _need),
    "trust": Layer("Trust", "in the missions that are there", 1.0, _trust),
}


def known_layer(layer: str) -> str:
    """Return a layer's name, refused if there is none of that name."""
    if layer not in LAYERS:
        raise ValueError(f"layer is {layer!r}{among(layer, LAYERS)}")
    return layer


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
        self.model = PeaceModel(self.params)
        self.watch, self.log = words.Watch(self.model), []
        self._known, self._spans = None, []
        spent = [f"cost_{name}" for name in words.sent(self.model)]
        self.columns = {
            h.name: [self.model.record.columns.index(c) for c in (spent if h.name == "cost" else h.columns)]
            for h in HEADLINES
        }

    def could(self, events: Mapping[str, Shock]) -> None:
        """Refuse events that cannot befall the run; it stays as it is."""
        for name, event in events.items():
            check(self.model, Scheduled(name, f"events.{name}", event))

    def go_on(self, overrides: scenes.Model, params: Params) -> None:
        """Go on as the run of another scene, from which only events that are still to come set it apart."""
        for name, event in (_to_come(self, params) or {}).items():
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
        r, found = self.model.record, {}
        for h in HEADLINES:
            past = slice(max(0, r.steps - (YEAR if h.how == "mean" else 1)) if h.how != "sum" else 0, r.steps)
            values = r.weekly[past][:, self.columns[h.name]].sum(axis=1)
            if h.how == "mean":
                values = values[np.isfinite(values)]
                found[h.name] = float(values.mean()) if values.size else None
            else:
                found[h.name] = float(np.nansum(values))
        return found


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
        for a, p in zip(made, params):  # all that can go wrong has been tried before anybody's run is changed
            a.could(_to_come(a, p) or {})
        for a, m, p in zip(made, scene.models, params):
            a.go_on(m, p)
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
            size = [r.columns.index(f"personnel_{n}") for n in words.sent(a.model)]
            said.append({
                "series": {h.name: _rounded(a.history(h)) for h in HEADLINES if h.charted},
                "strength": [_rounded(r.weekly[: r.steps, j] / max(1.0, a.model.missions.personnel[i].sum()))
                             for i, j in enumerate(size)],
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

        titles = scenes.titles(self.models)
        found = {}
        for name, of in (("weekly", outcomes.weekly), ("events", outcomes.events)):
            frames = []
            for a, title in zip(self.actors, titles):
                table = of(a.model)
                table.insert(0, "model", title)
                frames.append(table)
            found[name] = pd.concat(frames, ignore_index=True).to_csv(index=False)
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


def authorised(model: PeaceModel) -> float:
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


# ---------------------------------------------------------------------------------- the controls


def controls(actors: Sequence[Actor]) -> list[dict[str, Any]]:
    """Return the controls of the page with their unit, range and meaning as declared, and their values in each model.

    A control of every mission (a star in its path) comes once for each mission of any model.
    """
    declared = scenes.declarations()
    groups = []
    for group in scenes.control_groups():
        found = [c for control in group["controls"] for c in _expanded(control, declared, actors)]
        groups.append({"title": group["title"], "controls": found})
    return groups


def _expanded(control, declared, actors):
    path = control["path"]
    common = {k: control.get(k) for k in ("label", "asks", "says", "low", "high", "step")}
    common["all"] = control.get("all", False)
    if path in scenes.GROUPS:
        given = [scenes.choice_of(a.overrides, path) for a in actors]
        about = {"country": "where it happens", "mission": "which missions there are, and how they share the work"}
        yield {**common, "key": path, "kind": "choice", "unit": "", "doc": about[path], "values": given,
               "options": [[n, _said(path, n), _summary(path, n)] for n in scenes.names_of(path)]}  # fmt: skip
        return
    if path == "mandate":
        options = [[n, _said("mandate", n), _summary("mandate", n)] for n in scenes.names_of("mandate")]
        for name in _missions(actors):
            key = f"mandate@mission.components.{name}.mandate"
            given = [_mandate(a, name) for a in actors]
            yield {**common, "key": key, "kind": "choice", "unit": "", "doc": "what it may and must do",
                   "mission": style.label(name), "values": given, "options": options}  # fmt: skip
        return
    if path == "events":
        ready = scenes.events_that_are_ready()
        options = [[n, n.replace("_", " "), scenes.about("events", n)[n].get("summary", "")] for n in ready]
        chosen = [{n: a.params.events[n].when.week for n in scenes.events_of(a.overrides)} for a in actors]
        yield {**common, "key": path, "kind": "events", "options": options, "values": chosen}
        return
    if path == "bundles":
        options = [[n, n.replace("_", " "), _summary("bundle", n)] for n in scenes.names_of("bundle")]
        for name in _missions(actors):
            there = [a if name in a.params.mission.components else None for a in actors]
            yield {**common, "key": f"bundles.{name}", "kind": "bundles", "name": name, "mission": style.label(name),
                   "options": options, "values": [a and _bundles(a, name) for a in there],
                   "own": [a and scenes.bundles_of(a.overrides, name) for a in there],
                   "costs": [a and _cost_of_bundles(a, name) for a in there]}  # fmt: skip
        return
    f = declared[path]
    star = ".*." in path
    for name in _missions(actors) if star else [""]:
        key = path.replace("*", name) if star else path
        given = [_value(a.params, key) for a in actors]
        if star and path.endswith((".arrive.weeks", ".leave.weeks")):
            moment = path.split(".")[-2]
            given = [v if v is None or _after(a.params, name, moment) else None for a, v in zip(actors, given)]
        if all(v is None for v in given):
            continue
        more = {"mission": style.label(name)} if star else {}
        meta = f.metadata
        if "options" in meta:
            yield {**common, **more, "key": key, "kind": "choice", "unit": "", "doc": meta["doc"], "values": given,
                   "options": [[o, o.replace("_", " "), ""] for o in meta["options"]]}  # fmt: skip
            continue
        wanted = control.get("when", {})
        off = [any(_value(a.params, k) != v for k, v in wanted.items()) for a in actors]
        yield {**common, **more, "key": key, "kind": "number", "unit": meta["unit"], "units": _plural(meta["unit"]),
               "doc": meta["doc"], "allowed": [meta["low"], meta["high"]], "values": given, "off": off,
               "low": max(control["low"], meta["low"]), "high": min(control["high"], meta["high"])}  # fmt: skip


def _bundles(actor, name):
    """Return the clusters of tasks in a mission's mandate, those of its file included, as conf/bundle calls them."""
    said = {b.summary for b in actor.params.mission.components[name].mandate.bundles.values()}
    return [n for n in scenes.names_of("bundle") if _summary("bundle", n) in said]


def _cost_of_bundles(actor, name):
    """Say what all clusters of tasks of a mission's mandate cost it."""
    bundles = actor.params.mission.components[name].mandate.bundles.values()
    if not bundles:
        return ""
    people = sum(getattr(b.personnel, kind) for b in bundles for kind in KINDS)
    idle = sum(not any(vars(b.tasks).values()) for b in bundles)
    cost = sum(b.cost for b in bundles)
    said = [f"{words.count(people, 'specialist')} more" if people else "",
            f"US${cost / 1e6:,.0f} million a year more" if cost else "",
            f"{idle} without a modelled effect" if idle else ""]  # fmt: skip
    said = [s for s in said if s] or ["it takes time from the rest" if len(bundles) == 1 else "they share the time"]
    return "; ".join([words.count(len(bundles), "cluster"), *said])


def _plural(unit):
    """Return a unit as one says it of many: weeks, people."""
    return style.PLURALS.get(unit, f"{unit}s" if unit.endswith(("week", "year")) else unit)


def _missions(actors):
    return list(dict.fromkeys(n for a in actors for n in words.sent(a.model)))


def _after(params, name, moment):
    """Say whether a mission comes or goes so many weeks after another moment."""
    return getattr(params.mission.components[name], moment).after is not None


def _mandate(actor, name):
    """Return the mandate of a mission of a model, as overridden or as its file says; None without that mission."""
    if name not in actor.params.mission.components:
        return None
    given = scenes.choice_of(actor.overrides, f"mandate@mission.components.{name}.mandate")
    said = actor.params.mission.components[name].mandate.summary
    return given or next((n for n in scenes.names_of("mandate") if _summary("mandate", n) == said), "")


def _value(params, key):
    """Return a parameter by its dotted path; None if the model has no such mission."""
    with suppress(ValueError):
        return value_of(params, key)


def _said(group, name):
    return scenes.title_of_country(name) if group == "country" else style.label(name)


def _summary(group, name):
    return scenes.about(group, name).get("summary", "")
