"""The plans of missions: when each comes and goes, with how many, and on what scale of money or people."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sim.components import persons_of, with_humanitarians
from sim.country import weeks_until
from sim.mandate import discord_of
from sim.params import UNIFORMED, WEEKS_PER_YEAR, Component, Params
from sim.state import Missions
from sim.values import among


def plan(params: Params, leaves: Mapping[str, float] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Resolve each component's arrival and departure into weeks of the run: two (M,) arrays, inf for never.

    Parameters
    ----------
    params : Params; leaves : weeks in which components leave because their benchmark was met, by name

    Raises
    ------
    ValueError
        A moment after one that is unknown, moments that wait for each other, or a component that leaves before it
        arrives.
    """
    leaves = leaves or {}
    model, everybody = params.mission, with_humanitarians(params)
    names = list(everybody)
    known = {"start": 0.0, "authorisation": model.authorised}
    waiting = [(n, which) for n in names for which in ("arrive", "leave")]
    while waiting:
        resolved = [w for w in waiting if _reference(everybody, *w) in (None, *known)]
        if not resolved:
            moments = ", ".join(f"mission.components.{n}.{which}" for n, which in waiting)
            unknown = sorted({_reference(everybody, *w) for w in waiting} - {f"{n}.{w}" for n, w in waiting})
            if unknown:
                options = ["start", "authorisation", *(f"{n}.{w}" for n in names for w in ("arrive", "leave"))]
                raise ValueError(f"{moments} comes after {', '.join(unknown)!r}{among(unknown[0], options)}")
            raise ValueError(f"{moments} wait for each other; give one of them a week, a date or an authorisation")
        for n, which in resolved:
            known[f"{n}.{which}"] = _moment(params, everybody, (n, which), known)
            if which == "leave":
                known[f"{n}.leave"] = min(known[f"{n}.leave"], leaves.get(n, np.inf))
        waiting = [w for w in waiting if w not in resolved]
    arrive = np.array([known[f"{n}.arrive"] for n in names])
    leave = np.array([known[f"{n}.leave"] for n in names])
    for n, a, b in zip(names, arrive, leave, strict=True):
        if b <= a and not leaves:
            raise ValueError(f"mission.components.{n} leaves in week {b:g}, before it arrives in week {a:g}")
    return arrive, leave


def planned_share(missions: Missions, weeks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of its authorised strength that each mission plans to have in each of some weeks: (weeks, M)."""
    at = weeks[:, None]
    ramp = np.minimum(1.0, (at - missions.arrive + 1) / np.maximum(missions.build_up, 1)) * missions.peak
    out = np.clip((missions.leave - at) / np.maximum(missions.draw_down, 1e-9), 0, 1)
    share = np.where(at < missions.arrive, 0.0, np.minimum(ramp, out))
    for m, known in enumerate(missions.strength):
        if known is not None:
            there = (missions.arrive[m] <= weeks) & (weeks < missions.leave[m])
            share[:, m] = np.where(there, np.interp(weeks, *known), 0.0)
    return share


def _given(everybody, name, which):
    when = getattr(everybody[name], which)
    return when, [k for k in ("week", "date", "after") if getattr(when, k) is not None]


def _reference(everybody, name, which):
    when, given = _given(everybody, name, which)
    return "authorisation" if which == "arrive" and not given else when.after


def _moment(params, everybody, moment, known):
    name, which = moment
    when, given = _given(everybody, name, which)
    where = f"mission.components.{name}.{which}"
    if len(given) > 1:
        raise ValueError(f"{where} gives {' and '.join(given)}; give one of week, date, after")
    if not given and which == "leave":
        return np.inf
    if given == ["date"]:
        return week_of(params, where, when.date) + when.weeks
    if given == ["week"]:
        if not -5_200 <= when.week <= 52_000:  # false for nan, too
            raise ValueError(f"{where}.week is {when.week:g}; it must lie in [-5200, 52000] week")
        return float(when.week) + when.weeks
    week = known[_reference(everybody, name, which)] + when.weeks
    if which == "arrive":  # nobody comes before he is authorised and ready
        week = max(week, known["authorisation"] + _readiness(params, name))
    return week


def _readiness(params, name):
    component = params.mission.components[name]
    return component.force.readiness * (1 + params.deploy.council_delay * discord_of(params, component))


def week_of(params: Params, where: str, day: str) -> float:
    """Return the week of the run in which a calendar date lies; where : the setting that gives it."""
    return weeks_until(params.country.start, day, where)


def benchmark_of(component: Component) -> list[float]:
    """Return a benchmark in numbers: weeks, battle deaths, killed, institutions, agreement; nan: not asked for."""
    b = component.benchmark
    asked = [np.nan if x is None else x for x in (b.battle_deaths, b.killed, b.institutions)]
    return [b.weeks, *asked, 1.0 if b.agreement else np.nan]


def earliest(
    params: Params, everybody: Mapping[str, Component], arrive: NDArray[np.float64], leave: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the week before which each mission does not leave by its benchmark; inf for those without one: (M,)."""
    known = {"start": 0.0, "authorisation": params.mission.authorised}
    for name, a, b in zip(everybody, arrive, leave, strict=True):
        known |= {f"{name}.arrive": a, f"{name}.leave": b}
    found = np.full(len(everybody), np.inf)
    for i, (name, c) in enumerate(everybody.items()):
        where, when = f"mission.components.{name}.benchmark", c.benchmark.earliest
        given = [w for w in ("week", "date", "after") if getattr(when, w) is not None]
        asked = np.array(benchmark_of(c)[1:])
        for what, x, high in zip(("battle_deaths", "killed", "institutions"), asked, (1e9, 1e9, 1), strict=False):
            if not (np.isnan(x) or 0 <= x <= high):
                raise ValueError(f"{where}.{what} is {x:g}; it must lie in [0, {high:g}]")
        if not np.isfinite(asked).any():
            if given:
                raise ValueError(f"{where} has an earliest week and no rule; give battle_deaths, killed, "
                                 "institutions or agreement")  # fmt: skip
            continue
        if len(given) > 1:
            raise ValueError(f"{where}.earliest gives {' and '.join(given)}; give one of week, date, after")
        start = arrive[i] + c.benchmark.weeks
        if when.date is not None:
            start = week_of(params, f"{where}.earliest", when.date)
        elif when.week is not None:
            start = when.week
        elif when.after is not None:
            if when.after not in known:
                raise ValueError(f"{where}.earliest comes after {when.after!r}{among(when.after, sorted(known))}")
            start = known[when.after]
        found[i] = start + when.weeks
    return found


def known_strength(
    params: Params, name: str, component: Component
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return weeks and shares of the uniformed strength, where a component's history is known."""
    if not component.strength:
        return None
    where = f"mission.components.{name}.strength"
    total = sum(persons_of(component)[UNIFORMED])
    for day, n in component.strength.items():
        if not 0 <= n <= 1e6:  # false for nan, too
            raise ValueError(f"{where} is {n:g} on {day}; it must lie in [0, 1e+06] person")
    if total <= 0:
        raise ValueError(f"{where} is given; mission.components.{name}.personnel has nobody in uniform")
    at = sorted((week_of(params, where, day), n / total) for day, n in component.strength.items())
    return np.array([w for w, _ in at]), np.array([s for _, s in at])


def fair_scale(params: Params, missions: Missions) -> float:
    """Return the factor on all strengths that holds cost or personnel equal between mission models.

    More troops help whatever the model is, so the total is held equal.
    """
    model = params.mission
    if model.comparison == "as_deployed" or not missions.personnel[~missions.donors].any():
        return 1.0
    years = np.where(missions.donors, 0.0, _planned_years(params, missions))
    persons = (missions.personnel * years[:, None]).sum()
    if model.comparison == "equal_personnel":
        return model.person_years / persons
    wages = (missions.personnel * missions.price * years[:, None]).sum()
    if wages <= 0:
        raise ValueError("mission.comparison is equal_cost, and nobody costs anything; give prices above 0 US$")
    fixed = (missions.headquarters * _served_years(params, missions)).sum()
    if model.budget <= fixed:
        raise ValueError(
            f"mission.budget is {model.budget:g} US$; the headquarters alone cost {fixed:g} US$ over the plan"
        )
    return (model.budget - fixed) / wages


def _planned_years(params, missions):
    """Return full-strength years of each mission's plan, its ramps counted by their areas: (M,)."""
    weeks = np.arange(0, _horizon(params, missions).max(initial=1.0), 1.0)
    return np.maximum(planned_share(missions, weeks).sum(axis=0) / WEEKS_PER_YEAR, 1e-9)


def _horizon(params, missions):
    """Return the week in which each plan ends: its own last week, or the run's if it has none: (M,)."""
    return np.where(np.isfinite(missions.leave), missions.leave, np.maximum(params.weeks, missions.arrive + 1))


def _served_years(params, missions):
    return (_horizon(params, missions) - np.maximum(missions.arrive, 0)) / WEEKS_PER_YEAR
