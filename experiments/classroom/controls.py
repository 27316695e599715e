"""The controls of the page: what can be set, within which range, and as what it is set in each model on the stage."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from experiments.classroom import scene as scenes
from experiments.classroom import words
from experiments.drawing import style
from sim.params import KINDS
from sim.values import value_of

if TYPE_CHECKING:
    from experiments.classroom.stage import Actor


def controls(actors: "Sequence[Actor]") -> list[dict[str, Any]]:
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
               "options": _options(path)}  # fmt: skip
        return
    if path == "mandate":
        for name in _missions(actors):
            key = f"mandate@mission.components.{name}.mandate"
            given = [_mandate(a, name) for a in actors]
            yield {**common, "key": key, "kind": "choice", "unit": "", "doc": "what it may and must do",
                   "mission": style.label(name), "values": given, "options": _options(path)}  # fmt: skip
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


def _options(group):
    """Return what there is to choose from: the name of each file of a group, how it is called, what it is."""
    said = scenes.title_of_country if group == "country" else style.label
    return [[n, said(n), _summary(group, n)] for n in scenes.names_of(group)]


def _summary(group, name):
    return scenes.about(group, name).get("summary", "")
