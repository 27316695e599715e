"""Branching: save a run at a week and go on from there, bit for bit, also under another mission model.

A saved state is a .npz of plain arrays and a few names, without pickled code. Luck has no state of its own (a draw
is a hash of the seed, the decision, the week and who it is about), so the arrays are all there is. What is read is not
trusted: compiled rules would read past the end of an array, or go on with numbers that mean nothing.
"""

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from sim.components import WITH
from sim.mission import replan
from sim.model import Model
from sim.params import Params
from sim.results import Damaged, code_version, packed, unpacked, whole_file
from sim.shocks import begins, calm, ends, is_of_missions
from sim.state import ABROAD, Event

if TYPE_CHECKING:
    from sim.agents import PeaceModel

Kind = TypeVar("Kind", bound=Model)

BY_COMMAND = {
    ("factions", "hostility"),
    ("factions", "smear"),
    ("people", "trust"),
}  # arrays whose second axis is chains of command
LAYERS = ("institutions", "violence", "felt", "grief", "site", "sheltered", "vaccinated")  # of the land; the rest stays
ROWS_OF = {  # integers that are rows of a table, and the lowest: -1 stands for none
    "people.home": ("cell", 0), "people.cell": ("cell", 0), "people.community": ("community", 0),
    "people.status": ("status", 0), "bands.home": ("cell", 0), "bands.cell": ("cell", 0),
    "bands.faction": ("faction", 0), "factions.objective": ("cell", -1), "missions.command": ("command", 0),
    "missions.takes_over": ("mission", -1), "contributors.mission": ("mission", 0), "units.mission": ("mission", 0),
    "units.contributor": ("group of contingents", -1), "units.cell": ("cell", -1),
}  # fmt: skip
COUNTS = (
    "people.born",
    "people.persons",
    "missions.letters",
    "missions.luck",
    "missions.renewal_luck",
    "commands.luck",
    "contributors.luck",
    "contributors.sender",
    "units.luck",
    "politics.collapsed",
)  # other integers
SHARES = (
    "land.institutions",
    "land.felt",
    "land.site",
    "land.vaccinated",
    "people.need",
    "people.grievance",
    "people.trust",
    "factions.commitment",
    "factions.hostility",
    "factions.aggression",
    "commands.escorting",
    "commands.rumour",
    "missions.paid",
    "missions.away",
    "missions.left",
    "missions.ability",
    "missions.restraint",
    "units.freedom",
    "units.stock",
    "units.share",
    "politics.unity",
    "conditions.misinformation",
)  # 0..1
WEEKS = ("enters", "leaves", "hired_since", "hired_until", "arrive", "leave", "earliest", "decided", "renewal",
         "lapsed", "expelled", "ended", "signed", "home", "in_hand")  # before the start, or never  # fmt: skip
ABOUT: dict[str, type | tuple[type, ...]] = {
    "code": str, "week": (int, float), "step": int, "missions": list, "former": list, "commands": list,
    "factions": list, "columns": list, "params": dict,
}  # fmt: skip
LOGGED = ("battle", "attack", "operation", "ambush", "raid")


def save(model: Model, path: str | Path) -> Path:
    """Save the state of a run.

    Parameters
    ----------
    model : Model, at the start of a week
    path : .npz; an earlier state there is replaced

    Raises
    ------
    ValueError
        There is something else.
    """
    if os.path.lexists(path):
        _read(path, "the state would be saved as", "give another run.name, or move it away")
    content = _arrays(model)
    content |= {f"usual.{name}": numbers for name, numbers in model.usual.items()}
    r = model.record
    content["record.weekly"] = r.weekly[: r.steps]
    log = [(k, e.kind, e.side_a, e.side_b, e.cell, e.deaths_a, e.deaths_b, e.deaths_civilians) for k, e in r.events]
    content["record.event_kinds"] = np.array([x[1] for x in log], dtype="U16")
    content["record.events"] = np.array([(x[0], *x[2:]) for x in log], dtype=np.int64).reshape(-1, 7)
    for k, layers in r.maps:
        for name, layer in layers.items():
            content[f"map.{k}.{name}"] = layer
    about = {
        "code": code_version(), "former": [r.former[k] for k in sorted(r.former, reverse=True)],
        "week": model.week, "step": model.luck.step, "missions": model.missions.names, "commands": model.commands.names,
        "factions": model.factions.names, "columns": r.columns, "params": asdict(model.params),
    }  # fmt: skip
    content["about"] = np.array(json.dumps(about, default=str))
    return whole_file(path, lambda draft: draft.write_bytes(packed(content)))


def _arrays(model):
    """Return the arrays that a run changes, by name of table and of array."""
    return {
        f"{table}.{f.name}": getattr(part, f.name)
        for table, part in model.tables().items()
        for f in fields(part)
        if (table != "land" or f.name in LAYERS)
        and isinstance(getattr(part, f.name), np.ndarray)
        and getattr(part, f.name).dtype.kind in "biuf"
    }


@overload
def resume(params: Params, path: str | Path, **more: Any) -> "PeaceModel": ...
@overload
def resume(params: Params, path: str | Path, kind: type[Kind], **more: Any) -> Kind: ...
def resume(params: Params, path: str | Path, kind: type[Model] | None = None, **more: Any) -> Model:
    """Go on from a saved state, under the same mission model or another.

    Missions of the same name and description keep what they had; others start when their plan says, which must not
    be before the branch. The seed may differ: several futures from one common past. What a setting does only when a
    run begins is as the past left it.

    Parameters
    ----------
    params : Params, of the future
    path : .npz written by `save`
    kind : the class of the model: `Model`, which needs no Mesa; none: `PeaceModel`
    **more : what else it takes: processes, outcomes

    Raises
    ------
    ValueError
        The file is damaged, of another version of the model, or no state at all; another country, other civilians or
        steps; or a new mission that should have arrived, or a new event that should have begun, in the past.
    """
    content, about = _read(path, "the branch is to start from", "save it again with run.save_at")
    _refuse(path, _faults_of_origin(about, params))
    if kind is None:
        from sim import PeaceModel

        kind = PeaceModel
    model = kind(params, **more)
    now = asdict(params)
    for name in ("country", "civilians", "step_weeks"):
        if json.dumps(now[name], default=str, sort_keys=True) != json.dumps(about["params"][name], sort_keys=True):
            raise ValueError(f"{name} differs from that of the saved state {path}; a branch needs the same {name}")
    _refuse(path, _faults(content, about, model))
    if params.weeks <= about["week"]:
        raise ValueError(f"weeks is {params.weeks}; the saved state {path} is at week {about['week']:g} already")
    kept = [n for n in model.missions.names if n in about["missions"] and _same(now, about["params"], n)]
    plan = zip(model.missions.names, model.missions.arrive, model.missions.donors, strict=True)
    for name, arrive, belongs in plan:  # the humanitarians belong to the country; they may change their flag
        if name not in kept and not belongs and arrive < about["week"]:
            raise ValueError(
                f"mission.components.{name} arrives in week {arrive:g}, before the branch at week {about['week']:g}; "
                f"set mission.authorised={about['week']:g} or later"
            )
    _restore(model, content, about, kept)
    usual = {k.removeprefix("usual."): v for k, v in content.items() if k.startswith("usual.")}
    rows = [(model.missions.names.index(name), about["missions"].index(name)) for name in kept]
    calm(model, about["params"], usual, rows)
    model.week, model.luck.step = about["week"], about["step"]
    if np.isfinite(model.missions.decided).any():
        replan(model)
    _refuse_past_events(model, about)
    model._open_week()
    return model


def _refuse_past_events(model, about):
    """Refuse an event that would have begun before the branch, unless the past had it or it is still going on."""
    then = [about["params"]["events"], about["params"]["country"]["events"], about["params"]["mission"]["events"]]
    known = {name: shock for some in then for name, shock in some.items()}
    for event in model.events:
        begin = begins(model, event)
        now = json.loads(json.dumps(asdict(event.shock), default=str))
        goes_on = event.name in known and ends(model, event) > about["week"]
        if begin < about["week"] and now != known.get(event.name) and not goes_on:
            raise ValueError(
                f"{event.where} begins in week {begin:g}, before the branch at week {about['week']:g}; the past of the "
                "saved state had no such event"
            )


def _read(path, purpose, way_out):
    """Return the arrays of a saved state, and what is said about them."""
    try:
        content = unpacked(path)
    except Damaged as error:
        raise ValueError(f"{purpose} {path}, which is no saved state, or a damaged one ({error}); {way_out}") from error
    about = json.loads(str(content["about"])) if "about" in content else {}
    if any(not isinstance(about.get(name), kind) for name, kind in ABOUT.items()):
        raise ValueError(f"{purpose} {path}, which is no saved state; {way_out}")
    return content, about


def _refuse(path, faults):
    """Refuse a saved state for the first of its faults, if there is one."""
    for wrong in faults:
        raise ValueError(f"the saved state {path} is not one that this model can have left: {wrong}; save it again")


def _faults_of_origin(about, params):
    """Yield why a saved state can be of no use to the model, whatever its arrays are."""
    if about["code"] != code_version():
        yield f"it is of version {about['code']} of the model, this is version {code_version()}"
    names = [about[of] for of in ("missions", "former", "commands", "factions", "columns")]
    if any(not isinstance(n, str) for some in names for n in some) or any(len(set(some)) < len(some) for some in names):
        yield "its names are not names, or not different"
    now = asdict(params)
    if now.keys() != about["params"].keys() or now["mission"].keys() != about["params"]["mission"].keys():
        yield "its parameters are others"
    step, week = about["step"], about["week"]
    if step < 0 or abs(week - step * about["params"]["step_weeks"]) > 1e-6:
        yield f"it is at week {week:g} after {step} steps"


def _faults(content, about, model):
    """Yield what is wrong with a saved state for a model of the same country, civilians and steps."""
    step = about["step"]
    units, groups = (len(content.get(f"{table}.luck", ())) for table in ("units", "contributors"))
    rows = {"cell": model.land.row.size, "community": len(model.land.names), "status": ABROAD + 1,
            "faction": len(about["factions"]), "command": len(about["commands"]), "mission": len(about["missions"]),
            "group of contingents": groups}  # fmt: skip
    first = {"commands": rows["command"], "missions": rows["mission"], "contributors": groups, "units": units}
    for name, mine in _arrays(model).items():
        saved, (table, array) = content.get(name), name.split(".")
        shape = (first.get(table, mine.shape[0]), *mine.shape[1:])
        if (table, array) in BY_COMMAND or name == "commands.member":
            shape = (shape[0], rows["mission" if name == "commands.member" else "command"])
        if saved is None or saved.dtype != mine.dtype or saved.shape != shape:
            has = "is missing" if saved is None else f"is {saved.dtype} {saved.shape}"
            yield f"{name} {has}; it must be {mine.dtype} {shape}"
        elif saved.dtype.kind in "iu":
            of, lowest = ROWS_OF.get(name, (None, 0))
            yield from _outside(name, saved, lowest, rows[of] - 1 if of else np.inf)
        elif saved.dtype.kind == "f":
            known = saved[~np.isnan(saved)] if name == "missions.benchmark" else saved  # there, nan: not asked for
            most = np.inf if array in WEEKS else 1 if name in SHARES else np.finfo(float).max
            yield from _outside(name, known, -np.inf if array in WEEKS else 0, most)
    yield from _faults_of_record(content, about, rows["cell"], step)
    for name, mine in model.usual.items():
        saved = content.get(f"usual.{name}")
        shape = (rows["mission"] if is_of_missions(name) else mine.shape[0], *mine.shape[1:])
        if saved is None or saved.dtype != mine.dtype or saved.shape != shape or np.isnan(saved).any():
            yield f"usual.{name} is missing, or not {mine.dtype} {shape}"


def _faults_of_record(content, about, cells, step):
    """Yield what is wrong with the numbers, the events and the maps that a saved state brings along."""
    weekly, kinds, log = (content.get(f"record.{name}") for name in ("weekly", "event_kinds", "events"))
    if weekly is None or weekly.dtype != float or weekly.shape != (step, len(about["columns"])):
        yield f"record.weekly must be {step} steps of {len(about['columns'])} numbers"
    if kinds is None or log is None or log.dtype != np.int64 or log.shape != (kinds.size, 7):
        yield "record.events must be seven integers for each of record.event_kinds"
        return
    if set(kinds.tolist()) - set(LOGGED):
        yield f"record.event_kinds must be among {', '.join(LOGGED)}"
    yield from _outside("record.events, the step,", log[:, 0], 0, step - 1)
    yield from _outside("record.events, the cell,", log[:, 3], 0, cells - 1)
    yield from _outside("record.events, the deaths,", log[:, 4:], 0, np.inf)
    factions, missions = len(about["factions"]), len(about["missions"])
    faction, mission = (-1, factions - 1), (-1 - len(about["former"]), missions - 1)
    sides = {"operation": (mission, faction), "ambush": (faction, mission), "raid": (faction, mission)}
    for kind in set(kinds.tolist()):
        for side, (low, high) in enumerate(sides.get(kind, (faction, faction)), start=1):
            yield from _outside(f"record.events, the sides of {kind},", log[kinds == kind, side], low, high)
    for name, layer in content.items():
        if name.startswith("map.") and (
            name.count(".") < 2 or not name.split(".")[1].isdecimal() or layer.shape != (cells,)
        ):
            yield f"{name} must have a number for each of {cells} cells"


def _outside(name, values, low, high):
    """Yield what lies outside a range, or is no number."""
    wrong = values[~((values >= low) & (values <= high))]
    if wrong.size:
        yield f"{name} has {wrong.flat[0]}; it must lie in [{low:g}, {high:g}]"


def _same(now, then, name):
    """Say whether a mission is the same in both configurations, its money and timing included."""
    a, b = now["mission"], then["mission"]
    if name not in a["components"] and name not in b["components"]:
        return _share(a, name) == _share(b, name)
    if name not in a["components"] or name not in b["components"]:
        return False
    common = {k for k in a if k not in ("components", "summary", "cases", "events")}
    alike = json.dumps(a["components"][name], default=str) == json.dumps(b["components"][name])
    return alike and all(a[k] == b[k] for k in common)


def _share(mission, name):
    """Return the share of a group of humanitarians that serves apart, or under the component that a name ends with."""
    group, _, under = name.partition(WITH)
    joined = {n: c["integrates"].get(group, 0.0) for n, c in mission["components"].items()}
    return joined.get(under, 0.0) if under else 1 - sum(joined.values())


def _restore(model, content, about, kept):
    old, new = list(about["missions"]), list(model.missions.names)
    flags = [(k, about["commands"].index(c)) for k, c in enumerate(model.commands.names) if c in about["commands"]]
    # Humanitarians stay where they are, whatever their flag.
    of_kept = np.array([n in kept for n in new], dtype=bool) | model.missions.donors
    _, units, there_before = np.intersect1d(
        np.where(of_kept[model.units.mission], model.units.luck, 0), content["units.luck"], return_indices=True
    )
    unity, groups = about["params"]["mission"]["council_unity"], _same_groups(model, content, old, kept)
    for table, part in model.tables().items():
        for f in fields(part):
            saved = content.get(f"{table}.{f.name}")
            if saved is None:
                continue
            if (table, f.name) in BY_COMMAND:
                for here, there in flags:
                    getattr(part, f.name)[:, here] = saved[:, there]
            elif table == "commands":
                for here, there in flags if f.name != "member" else ():
                    getattr(part, f.name)[here] = saved[there]
            elif table == "missions":
                for name in kept if f.name not in ("command", "takes_over") else ():  # rows, of the future
                    getattr(part, f.name)[new.index(name)] = saved[old.index(name)]
            elif table == "contributors":
                for here, there in groups if f.name in ("lost", "home") else ():
                    getattr(part, f.name)[here] = saved[there]
            elif (table, f.name) == ("politics", "unity") and model.params.mission.council_unity != unity:
                continue  # the Council of that future is another
            elif table == "units":
                if f.name == "contributor":
                    here = {there: here for here, there in groups}
                    own = part.contributor[units]
                    part.contributor[units] = [here.get(k, o) for k, o in zip(saved[there_before], own, strict=True)]
                elif f.name not in ("mission", "share"):
                    getattr(part, f.name)[units] = saved[there_before]
            else:
                setattr(part, f.name, saved.copy())
    r = model.record
    r.steps = int(about["step"])
    r.weekly[: r.steps] = np.nan
    for j, column in enumerate(r.columns):
        if column in about["columns"]:
            r.weekly[: r.steps, j] = content["record.weekly"][:, about["columns"].index(column)]
    _restore_log(model, content, about, old, new)


def _same_groups(model, content, old, kept):
    """Return pairs of rows, of the future and of the past, of the groups of contingents of missions that go on."""
    if "contributors.mission" not in content:
        return []
    then = zip(content["contributors.mission"], content["contributors.luck"], strict=True)
    rows = {(old[m], luck): row for row, (m, luck) in enumerate(then)}
    now = [(model.missions.names[m], luck) for m, luck in zip(model.contributors.mission, model.contributors.luck)]
    return [(row, rows[who]) for row, who in enumerate(now) if who[0] in kept and who in rows]


def _restore_log(model, content, about, old, new):
    """Bring back events and maps. Events with a mission that the future does not have keep no name for it."""
    r = model.record
    names = [*old, *about["former"]]
    r.former = {-2 - i: name for i, name in enumerate(names)}
    rows = [*range(len(old)), *(-2 - i for i in range(len(about["former"])))]  # of the past, which may be a branch too
    number = {row: new.index(n) if n in new else -2 - i for i, (row, n) in enumerate(zip(rows, names, strict=True))}
    for kind, row in zip(content["record.event_kinds"].tolist(), content["record.events"].tolist(), strict=True):
        step, a, b, *rest = row
        if kind == "operation":
            a = number[a]
        elif kind in ("ambush", "raid"):
            b = number[b]
        r.events.append((step, Event(kind, a, b, *rest)))
    maps = {}
    for name, layer in content.items():
        if name.startswith("map."):
            _, step, what = name.split(".", 2)
            maps.setdefault(int(step), {})[what] = layer
    r.maps = sorted(maps.items())
