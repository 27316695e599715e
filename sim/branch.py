"""Branching: save a run at a week and go on from there, bit for bit, also under another mission model.

A saved state is a .npz of plain arrays and a few names, without pickled code. Luck has no state of its own (a draw
is a hash of the seed, the decision, the week and who it is about), so the arrays are all there is.
"""

import json
from dataclasses import asdict, fields

import numpy as np

from sim.mission import WITH, replan
from sim.model import PeaceModel
from sim.results import whole_file
from sim.shocks import calm
from sim.state import Event

BY_COMMAND = {
    ("factions", "hostility"),
    ("factions", "smear"),
    ("people", "trust"),
}  # arrays whose second axis is chains of command


def save(model, path):
    """Save the state of a run.

    Parameters
    ----------
    model : PeaceModel, at the start of a week
    path : .npz
    """
    content = {}
    for table, part in model.tables().items():
        for f in fields(part):
            value = getattr(part, f.name)
            if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
                content[f"{table}.{f.name}"] = value
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
        "week": model.week, "step": model.luck.step, "missions": model.missions.names, "commands": model.commands.names,
        "factions": model.factions.names, "columns": r.columns, "params": asdict(model.params),
    }  # fmt: skip
    content["about"] = np.array(json.dumps(about, default=str))
    return whole_file(path, lambda draft: np.savez_compressed(draft, **content))


def resume(params, path, **more):
    """Go on from a saved state, under the same mission model or another.

    Missions of the same name and description keep what they had; others start when their plan says, which must not
    be before the branch. The seed may differ: several futures from one common past.

    Parameters
    ----------
    params : Params, of the future
    path : .npz written by `save`
    **more : what else PeaceModel takes: processes, outcomes

    Raises
    ------
    ValueError
        Another country, other civilians or steps; or a new mission that should have arrived in the past.
    """
    with np.load(path, allow_pickle=False) as saved:
        content = {k: saved[k] for k in saved.files}
    about = json.loads(str(content["about"]))
    model = PeaceModel(params, **more)
    now = asdict(params)
    for name in ("country", "civilians", "step_weeks"):
        if json.dumps(now[name], default=str, sort_keys=True) != json.dumps(about["params"][name], sort_keys=True):
            raise ValueError(f"{name} differs from that of the saved state {path}; a branch needs the same {name}")
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
    calm(model, about["params"], {k.removeprefix("usual."): v for k, v in content.items() if k.startswith("usual.")})
    model.week, model.luck.step = about["week"], about["step"]
    if np.isfinite(model.missions.decided).any():
        replan(model)
    model._open_week()
    return model


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
                for name in kept if f.name != "command" else ():
                    getattr(part, f.name)[new.index(name)] = saved[old.index(name)]
            elif table == "contributors":
                for here, there in groups if f.name in ("lost", "home") else ():
                    getattr(part, f.name)[here] = saved[there]
            elif (table, f.name) == ("politics", "unity") and model.params.mission.council_unity != unity:
                continue  # the Council of that future is another
            elif table == "units":
                if f.name not in ("mission", "share"):
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
    r.former = {-2 - i: name for i, name in enumerate(old)}
    number = {i: new.index(name) if name in new else -2 - i for i, name in enumerate(old)}
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
