"""Small worlds, and runs of them, that tests share: `from conftest import play, scenario, ...`."""

import hashlib
import textwrap
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import settings

from sim import PeaceModel, load
from sim.params import (
    KINDS,
    Caveats,
    Component,
    Country,
    Faction,
    Force,
    Mandate,
    Params,
    Personnel,
    Tasks,
    When,
    numbers,
)  # fmt: skip
from sim.warm import warm_up

settings.register_profile("untimed", deadline=None)  # a rule may have to be compiled first; a test never times
settings.load_profile("untimed")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes long; runs only with -m slow")
    if getattr(config.option, "numprocesses", None) and not (numba.config.DISABLE_JIT or config.option.collectonly):
        warm_up()  # or each of the workers would compile all rules for itself


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out unless they are asked for."""
    if "slow" not in (config.option.markexpr or ""):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: run it with -m slow"))


CONF = Path(__file__).resolve().parent.parent / "conf"


def choices(group):
    """Return the names of the files in a folder of conf/."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


loaded = cache(load)  # to look at, not to change


def scenario(*overrides, weeks=52, civilians=400, rows=None):
    """Return parameters of a small run, one's own to change; `rows` shrinks the generated country to a few cells."""
    p = deepcopy(loaded(*overrides))
    p.weeks, p.civilians = weeks, civilians
    if rows:
        shrink = rows / p.country.rows
        for spot in (*p.country.places.values(), *p.country.communities.values(), *p.country.deposits.values()):
            spot.row, spot.col = int(spot.row * shrink), int(spot.col * shrink)
            if hasattr(spot, "km"):
                spot.km *= shrink
        p.country.rows = p.country.cols = rows
    return p


@cache
def play(*overrides, weeks=52, civilians=400, rows=None):
    """Run a small world to its end, once a session. Look at it, do not change it."""
    return PeaceModel(scenario(*overrides, weeks=weeks, civilians=civilians, rows=rows)).run()


def put(params, path, value):
    """Set one leaf of a parameter tree by its dotted path; return the tree."""
    *parents, leaf = path.split(".")
    node = params
    for name in parents:
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    setattr(node, leaf, value)
    return params


def numbers_of(process, **changed):
    """Return the numbers of a process as compiled rules read them, some of them changed."""
    p = Params()
    for name, value in changed.items():
        put(p, f"{process}.{name}", value)
    return getattr(numbers(p), process)


def uncompiled(rule):
    """Return the function that a rule was compiled from, which it is itself where nothing is compiled."""
    return getattr(rule, "py_func", rule)


def each(rule, *arguments):
    """Call a rule, uncompiled, with its numbers and then each of the entries of some arrays in turn: an array."""
    numbers, *columns = arguments
    return np.array(
        [uncompiled(rule)(numbers, *entries) for entries in zip(*np.broadcast_arrays(*columns), strict=True)]
    )


def state(model):
    """Return a copy of every array of state, by name of table and of array."""
    return {
        f"{name}.{f.name}": getattr(table, f.name).copy()
        for name, table in model.tables().items()
        for f in fields(table)
        if isinstance(getattr(table, f.name), np.ndarray)
    }


LIVED = {  # what a run does, apart from what it is given
    "land": "institutions violence felt grief site sheltered vaccinated",
    "people": "home cell community persons status need grievance trust",
    "factions": "commitment campaign vigour objective rest provocation abuse_record pressure wronged dispersed "
    "demobilised settled hostility aggression abuse armed hired sponsor mobilised smear",
    "bands": "cell fighters losses taking_part paused held_up",
    "commands": "unwelcome escorting seen incidents rumour",
    "missions": "persons work staying offence expelled letters left lapsed ended arrive leave decided spent "
    "mandate_weeks away taken",
    "contributors": "lost home",
    "units": "cell strength losses freedom suspended pinned stock access",
    "politics": "agreement held signed collapsed",
    "conditions": "misinformation mortality",
}


def lived(model, but=()):
    """Return what happened in a run: arrays by name, what is only copied from the parameters left out."""
    return {
        f"{table}.{name}": getattr(getattr(model, table), name)
        for table, names in LIVED.items()
        for name in names.split()
        if table not in but
    }


def fingerprint(model, but=()):
    """Return a hash of what happened in a run."""
    digest = hashlib.sha256()
    for name, array in lived(model, but).items():
        digest.update(f"{name}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def same(a, b):
    """Name the arrays in which two runs differ, bit for bit; an empty list says that they are the same."""
    a, b = lived(a), lived(b)
    return [n for n in a if a[n].shape != b[n].shape or a[n].tobytes() != b[n].tobytes()]


# ---------------------------------------------------------------------------------- worlds made by hand


def by_hand(folder, cells, factions=None, missions=None, **more):
    """Return parameters of a country written down cell by cell.

    Parameters
    ----------
    folder : where the table of cells goes
    cells : list of (row, col, population, remoteness, resources, institutions, share of a, share of b)
    factions, missions : dictionaries of Faction and Component; more : dotted paths with __ for dots
    """
    path = Path(folder) / "cells.csv"
    lines = ["row,col,population,remoteness,resources,institutions,share_a,share_b"]
    path.write_text("\n".join(lines + [",".join(map(str, c)) for c in cells]) + "\n", encoding="utf-8")
    p = scenario("mission=none", weeks=10, civilians=len(cells))
    factions = factions or {"nobody": Faction(fighters=0, bands=1, community={"a": 1.0, "b": 1.0}, host=True)}
    p.country = Country(cells=str(path), cell_km=25, displaced_share=0, grievance=0, factions=factions)
    p.mission.components = missions or {}
    p.mission.comparison = "as_deployed"
    p.task.language = p.task.apart = p.task.told = 0.0  # everybody understands everybody, and knows nothing
    for name, value in more.items():
        put(p, name.replace("__", "."), value)
    return p


def mission(arrive=0, leave=None, persons=None, tasks=None, force=None, use_of_force=1.0, host_reach=1.0, **more):
    """Return a component that is there in full from the week it arrives, paid in full, unless said otherwise."""
    force = {
        "readiness": 0, "build_up": 0, "peak": 1, "council": 0, "assessed": 1, "arrears": 0,
        "ability": 1, "restraint": 1,
        "mobility": 1, "local_knowledge": 0.5, "caveats": Caveats(), **(force or {}),
    }  # fmt: skip
    return Component(
        force=Force(summary="a force made by hand", **force),
        mandate=Mandate(
            summary="a mandate made by hand", tasks=Tasks(**(tasks or {"protect": 1})),
            use_of_force=use_of_force, host_reach=host_reach,
        ),
        personnel=Personnel(**{kind: float(n) for kind, n in (persons or {KINDS[0]: 100}).items()}),
        arrive=When(week=arrive), leave=When(week=leave), **{"draw_down": 0, **more},
    )  # fmt: skip


def only(params, *processes):
    """Switch off every process but these."""
    for f in fields(params.processes):
        setattr(params.processes, f.name, f.name in processes)
    return params


def dataclasses_of(module):
    """Return the parameter groups declared in a module."""
    return [c for c in vars(module).values() if isinstance(c, type) and is_dataclass(c)]


def own_configuration(folder):
    """Write a user's own configuration: an island with tables of its own, a mission, a mandate, an experiment."""
    files = {
        "country/island.yaml": """
            name: Island
            summary: A country of three cells that somebody wrote down.
            cells: island_cells.csv
            observed: island_observed.csv
            displaced_share: 0.0
            factions:
              crown: {host: true, community: {coast: 1.0}, fighters: 300, bands: 2, commitment: 0.2}
              moors: {community: {inland: 1.0}, fighters: 300, bands: 2, commitment: 0.1}
            """,
        "country/island_cells.csv": """
            row,col,population,remoteness,resources,institutions,share_coast,share_inland,admin1
            0,0,50000,0.1,0.0,0.5,0.9,0.1,Port
            0,1,30000,0.5,0.1,0.2,0.5,0.5,Port
            1,1,20000,0.9,0.5,0.1,0.1,0.9,Moor
            """,
        "country/island_observed.csv": """
            month,civilians_killed,battle_deaths,events,idps,refugees,aid_worker_incidents
            2012-01,3,1,2,,,0
            2012-02,5,0,1,,,0
            """,
        "history/island.yaml": """
            title: the island
            first: "2012-02"
            """,
        "mission/patrols.yaml": """
            summary: A small patrol mission under a mandate of one's own.
            cases: [invented]
            defaults: [{/force@components.patrol.force: un}, {/mandate@components.patrol.mandate: look}, _self_]
            components: {patrol: {personnel: {troops: 100}, leave: {week: 100}}}
            """,
        "mandate/look.yaml": """
            summary: To look and to tell.
            tasks: {monitor: 1, report: 1}
            use_of_force: 0
            """,
        "experiment/patrolled.yaml": """
            # @package _global_
            defaults: [{/history@experiment.analysis: island}, {override /country: island}]
            weeks: 9
            civilians: 50
            experiment:
              name: patrolled
              question: Do patrols do anything on the island?
              seeds: 2
              arms: {none: [mission=none], patrols: [mission=patrols]}
              figures: [history.observed, history.counterfactuals]
            """,
        "calibrated/moorish.csv": """
            # made up
            seed,distance,prey.rate
            11,1.0,7.5
            12,1.0,8.5
            """,
    }
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return Path(folder)
