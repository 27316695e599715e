"""What a mandate makes of the people who serve under it: their time on each task, and how contested it is."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sim.components import WITH
from sim.params import KINDS, TASKS, Component, Mandate, Params
from sim.processes.judge import POLITICAL
from sim.values import among

PART_OF = {"reintegrate": "ddr"}  # tasks that a headquarters does as one: disarmament with a livelihood
FOCUSED_TASKS = 5  # a mandate of so many tasks carries no overhead: median non-UN mission 4.4 (Reversed Roles 2024)
FOR_GOOD = 5_200  # weeks, more than any run has: a bundle that lasts so long does not end


def contention(mandate: Mandate, narrow: float) -> float:
    """Return how contested a mandate is in a divided Council, by what it asks for: 0..1.

    The more of its work is political and the more force it may use, the harder it is to agree on; even bread and
    blankets need some agreement.

    Parameters
    ----------
    mandate : params.Mandate; narrow : 0..1 contention of a mandate without politics and without force
    """
    political = political_share(mandate)
    return narrow + (1 - narrow) * (1 - (1 - political) * (1 - mandate.use_of_force))


def political_share(mandate: Mandate) -> float:
    """Return the share of a mandate's work that is political: it judges or makes the political agreement: 0..1."""
    weight = sum((_of_tasks(b.tasks) for b in mandate.bundles.values()), start=_of_tasks(mandate.tasks))
    return weight[list(POLITICAL)].sum() / max(weight.sum(), 1e-12)


def discord_of(params: Params, component: Component) -> float:
    """Return the discord of the Council over a component when it is authorised: 0..1."""
    contested = contention(component.mandate, params.deploy.council_narrow)
    return (1 - params.mission.council_unity) * component.force.council * contested


def capacities(
    params: Params, everybody: Mapping[str, Component], arrive: NDArray[np.float64], week: float
) -> NDArray[np.float64]:
    """Return the work of one person of each kind on each task in each mission, as its mandate is in a week: (M, 5, T).

    Parameters
    ----------
    everybody : dict of components by name; arrive : (M,) weeks
    """
    since = dict(zip(everybody, np.maximum(week - np.asarray(arrive), 0.0), strict=True))
    found = [capacity(params, everybody, name, since) for name in everybody]
    return np.array(found).reshape(-1, len(KINDS), len(TASKS))


def capacity(
    params: Params, everybody: Mapping[str, Component], name: str, since: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return the work of one person of each kind on each task in a mission, of all by name: (5, T).

    People of a kind divide their time over the tasks they can do by the mandate's weights, those of its bundles of the
    phase included; each task beyond the fifth of its chain of command costs overhead, for it is one headquarters that
    is overstretched. A bundle of work that no task stands for takes time, and counts as one more task.

    Parameters
    ----------
    since : dict of weeks since arrival by name
    """
    weight, elsewhere = _weights(everybody[name], since[name])
    command = everybody[name].command or name
    of_command = [(c, since[n]) for n, c in everybody.items() if (c.command or n) == command and not _is_joined(n)]
    tasks = sum((_weights(c, weeks)[0] for c, weeks in of_command), start=np.zeros(len(TASKS)))
    others = {b for c, weeks in of_command for b, about in _active(c, weeks) if any(about.unmodelled.values())}
    ability = np.array([[getattr(params.personnel[k], t) for t in TASKS] for k in KINDS])
    wanted = weight * ability
    time = wanted / np.maximum(wanted.sum(axis=1) + elsewhere, 1e-12)[:, None]
    twice = sum(tasks[TASKS.index(t)] > 0 and tasks[TASKS.index(whole)] > 0 for t, whole in PART_OF.items())
    beyond = 0 if _is_joined(name) else max(0, (tasks > 0).sum() + len(others) - twice - FOCUSED_TASKS)
    overhead = 1 / (1 + params.deploy.overhead * beyond)
    return time * ability * overhead


def phases(everybody: Mapping[str, Component], arrive: NDArray[np.float64]) -> list[float]:
    """Return the weeks in which a mandate changes, in order: its bundles that begin after its arrival, or that end."""
    found = set()
    for component, week in zip(everybody.values(), arrive, strict=True):
        for bundle in component.mandate.bundles.values():
            found |= {float(week + bundle.begins)} if bundle.begins else set()
            found |= {float(week + bundle.begins + bundle.lasts)} if bundle.lasts < FOR_GOOD else set()
    return sorted(found)


def _is_joined(name):
    """Say whether these are humanitarians under a mission's command: their relief is no task of its headquarters."""
    return WITH in name


def _weights(component, weeks):
    """Return a mandate's weights on the tasks, and on work that no task stands for by kind, so long after arrival."""
    weight, elsewhere = _of_tasks(component.mandate.tasks), np.zeros(len(KINDS))
    for name, bundle in _active(component, weeks):
        weight = weight + _of_tasks(bundle.tasks)
        if unknown := sorted(set(bundle.unmodelled) - set(KINDS)):
            raise ValueError(f"bundle {name}: unmodelled has {unknown[0]!r}{among(unknown[0], KINDS)}")
        elsewhere += [bundle.unmodelled.get(k, 0.0) for k in KINDS]
    return weight, elsewhere


def _of_tasks(tasks):
    return np.array([getattr(tasks, t) for t in TASKS])


def _active(component, weeks):
    """Return the bundles on which a mission works so many weeks after its arrival, by name."""
    return [(n, b) for n, b in component.mandate.bundles.items() if b.begins <= weeks < b.begins + b.lasts]
