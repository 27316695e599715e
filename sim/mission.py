"""The missions at the start: their plans, their money, their units.

What a mission model is stands in conf/mission/*.yaml. Here a plan's moments become weeks, its mandate becomes
the work of one person on each task, and what is held equal between models scales its strength.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim import draws
from sim.compiled import see
from sim.country import land_of, weeks_until
from sim.params import (
    AID,
    KINDS,
    STAFF,
    TASKS,
    UNIFORMED,
    WEEKS_PER_YEAR,
    Caveats,
    Component,
    Contributor,
    Force,
    Mandate,
    Params,
    Personnel,
    Tasks,
    When,
)
from sim.processes.judge import POLITICAL
from sim.rules import affordable
from sim.state import Commands, Contributors, Land, Missions, Units, zeros
from sim.values import among

if TYPE_CHECKING:
    from sim.model import PeaceModel

PART_OF = {"reintegrate": "ddr"}  # tasks that a headquarters does as one: disarmament with a livelihood
FOCUSED_TASKS = 5  # a mandate of so many tasks carries no overhead: median non-UN mission 4.4 (Reversed Roles 2024)
FOR_GOOD = 5_200  # weeks, more than any run has: a bundle that lasts so long does not end
MOST_UNITS = 60  # bases, and aid teams, of a mission: more places than any mission of the default sizes can fill


def make_missions(params: Params) -> Missions:
    """Build the headquarters of every component, in the order of their names.

    Raises
    ------
    ValueError
        A component that leaves before it arrives, refers to an unknown one, has nobody, or has no budget.
    """
    model, everybody = params.mission, with_humanitarians(params)
    names, parts = tuple(everybody), list(everybody.values())
    donors = np.array([n not in model.components for n in names], dtype=bool)
    aid = [params.country.humanitarians.get(_group(n)) if d else None for n, d in zip(names, donors, strict=True)]
    for name, c in model.components.items():
        if not c.force.summary or not c.mandate.summary:
            raise ValueError(
                f"mission.components.{name} has no {'mandate' if c.force.summary else 'force'}; "
                "choose one from conf/force and one from conf/mandate"
            )
    arrive, leave = plan(params)
    commands = chains_of_command(everybody)
    discord = np.array([_discord(params, c) for c in parts], dtype=float)
    recorded = np.array([bool(c.strength) for c in parts], dtype=bool)
    d = params.deploy
    about = ("ability", "restraint", "mobility", "local_knowledge")
    able = np.array([[getattr(c.force, a) for a in about] for c in parts], float).reshape(-1, 4)
    funding, cuts = _funding(params, everybody)
    price = np.array([_prices(c.force) for c in parts], float).reshape(-1, len(KINDS))
    missions = Missions(
        names=names, luck=np.array([draws.key(_group(n)) for n in names], dtype=np.uint64),
        command=np.array([commands.index(c.command or n) for n, c in zip(names, parts, strict=True)], dtype=int),
        un=np.array([c.force.un for c in parts], dtype=bool), donors=donors,
        accepts=np.array([h.accepts_escort if h else 0.0 for h in aid], dtype=float),
        by_consent=np.array([c.mandate.consent_of_parties for c in parts], dtype=bool),
        personnel=np.array([_persons(c) for c in parts], float).reshape(-1, len(KINDS)),
        arrive=arrive, leave=leave, benchmark=np.array([_benchmark(c) for c in parts]).reshape(-1, 5),
        earliest=_earliest(params, everybody, arrive, leave), decided=np.full(len(names), np.inf),
        build_up=_column(parts, lambda c: c.force.build_up) * d.build_up,
        draw_down=_column(parts, lambda c: c.draw_down), peak=_column(parts, lambda c: c.force.peak),
        strength=[_known_strength(params, n, c) for n, c in zip(names, parts, strict=True)],
        takes_over=np.array(
            [_taken_over(sorted(model.components), n, c) for n, c in zip(names, parts, strict=True)], dtype=int
        ),
        rehatted=_column(parts, lambda c: c.rehatted), price=price,
        headquarters=_column(parts, lambda c: c.force.headquarters + sum(b.cost for b in c.mandate.bundles.values())),
        paid=_column(parts, lambda c: _pledged(c.force) - c.force.assessed * c.force.arrears),
        pledged=_column(parts, lambda c: _pledged(c.force)),
        funding=funding, cuts=cuts, reserve=_column(parts, lambda c: c.force.reserve),
        owes=_column(parts, lambda c: c.force.owes), in_hand=_column(parts, lambda c: c.force.reserve),
        outstanding=zeros(len(names)), kept=np.ones((len(names), len(KINDS))), away=zeros(len(names)),
        late=zeros(len(names)),
        recorded=recorded,
        capacity=capacities(params, everybody, arrive, 0.0),
        able=able, ability=able[:, 0].copy(), restraint=able[:, 1].copy(), mobility=able[:, 2].copy(),
        knowledge=able[:, 3].copy(),
        quality=np.ones((len(names), 4)), medicine=_column(parts, lambda c: c.force.medicine),
        training=_column(parts, lambda c: c.force.training),
        technology=_column(parts, lambda c: c.force.technology), women=_column(parts, lambda c: c.force.women),
        partiality=_column(parts, lambda c: c.force.partiality),
        needs_consent=np.array([c.force.needs_consent for c in parts], dtype=bool),
        council=_column(parts, lambda c: c.force.council),
        contention=_column(parts, lambda c: contention(c.mandate, d.council_narrow)), discord=discord,
        ceiling=np.where(recorded, 1.0, 1 - d.council_ceiling * discord),
        mandate_length=np.full(len(names), model.mandate_length, dtype=float),
        renewal=np.where(
            (_column(parts, lambda c: c.force.council) > 0) & ~recorded,
            arrive + model.mandate_length * np.maximum(1, np.ceil(-arrive / model.mandate_length)), np.inf,
        ),
        renewal_luck=np.array([draws.key(c.command or n) for n, c in zip(names, parts, strict=True)], dtype=np.uint64),
        lapsed=np.full(len(names), np.inf), mandated_force=_column(parts, lambda c: c.mandate.use_of_force),
        use_of_force=_column(parts, lambda c: c.mandate.use_of_force) * (1 - d.council_robustness * discord),
        host_reach=_column(parts, lambda c: c.mandate.host_reach),
        willing=zeros(len(names)), politics=_column(parts, lambda c: political_share(c.mandate)),
        mean_price=np.ones(len(names)), taken=np.ones(len(names)), staying=np.ones((len(names), len(KINDS))),
        gates=_column(parts, lambda c: c.mandate.open_gates),
        persons=zeros(len(names), len(KINDS)), work=zeros(len(names), len(TASKS)), offence=zeros(len(names)),
        expelled=np.full(len(names), np.inf), letters=zeros(len(names), dtype=int), left=np.ones(len(names)),
        ended=np.full(len(names), np.inf), area=np.ones((len(names), 1)), beyond=_column(parts, lambda c: c.beyond),
        spent=zeros(len(names)),
        mandate_weeks=zeros(len(names)),
        pace=1 / (1 + params.task.joint * (1 - model.coordination) * (_column(parts, lambda c: c.approvals) - 1)),
    )  # fmt: skip
    for m, part in enumerate(parts):
        missions.mean_price[m] = _mean_price(part, missions.use_of_force[m])
    missions.price[:, UNIFORMED] *= missions.mean_price[:, None]
    missions.personnel *= np.where(donors, 1.0, fair_scale(params, missions))[:, None]
    missions.kept = affordable(see(missions))  # who knows that he will not be paid for does not come
    return missions


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


def _discord(params, component):
    """Return the discord of the Council over a component when it is authorised: 0..1."""
    contested = contention(component.mandate, params.deploy.council_narrow)
    return (1 - params.mission.council_unity) * component.force.council * contested


def areas(params: Params, land: Land, names: Sequence[str]) -> NDArray[np.float64]:
    """Return where each mission may work: (M, C) 1, or 0 outside the area of its mandate."""
    found = np.ones((len(names), land.row.size))
    for m, name in enumerate(names):
        of = params.mission.components.get(name)
        if of and of.area:
            where = f"mission.components.{name}.area"
            inside = [land_of(land, params.country, place, of.area_km, where) for place in of.area]
            found[m] = np.isin(np.arange(land.row.size), np.concatenate(inside))
            if not found[m].any():
                raise ValueError(
                    f"{where} has no cell; name places, administrative units or communities of the country"
                )
    return found


def with_humanitarians(params: Params) -> dict[str, Component]:
    """Return every mission by name: the components of the mission model, then the humanitarians of the country.

    A share of the humanitarians may join a component: they serve under its command and are known by its flag, but it
    does not pay for them. The others stay apart, each group its own command.
    """
    model = params.mission
    everybody = {n: model.components[n] for n in sorted(model.components)}
    for group in sorted(params.country.humanitarians):
        joined = {n: c.integrates[group] for n, c in model.components.items() if c.integrates.get(group)}
        if not all(0 <= s <= 1 for s in joined.values()) or sum(joined.values()) > 1:
            given = ", ".join(f"mission.components.{n}.integrates.{group} is {s:g}" for n, s in sorted(joined.items()))
            raise ValueError(f"{given}; shares lie in [0, 1] and sum to at most 1")
        for name, share in [(None, 1 - sum(joined.values())), *sorted(joined.items())]:
            if share > 0:
                under = model.components[name].command or name if name else group
                whole = _humanitarian(params, group, share, under)
                whole.approvals = model.components[name].approvals if name else 1
                everybody[f"{group}{WITH}{name}" if name else group] = whole
    return everybody


WITH = " with "  # between the name of a group of humanitarians and that of the mission it joined


def _group(name):
    """Return the name that a mission's luck is made of: the same for humanitarians who join and who do not."""
    return name.split(WITH)[0]


def _humanitarian(params, group, share, command):
    """Return a group of humanitarians, or the share of it that serves under a command, as a mission of its own kind."""
    about = params.country.humanitarians[group]
    asked = {g for c in params.mission.components.values() for g in c.integrates}
    unknown = sorted(asked - set(params.country.humanitarians))
    if unknown:
        raise ValueError(
            f"a component integrates {', '.join(unknown)}; country.humanitarians has "
            f"{', '.join(sorted(params.country.humanitarians))}"
        )
    week = (
        weeks_until(params.country.start, about.since, f"country.humanitarians.{group}.since") if about.since else 0.0
    )
    force = Force(
        summary=about.summary, helmet=about.helmet, price_aid=about.price, headquarters=0, readiness=0, build_up=0,
        peak=1, council=0, assessed=0, raised=1, owes=0, local_knowledge=about.local_knowledge, needs_consent=False,
        women=about.women,
    )  # fmt: skip
    return Component(
        force=force,
        mandate=Mandate(summary=about.summary, tasks=Tasks(relieve=1, engage=about.engagement), use_of_force=0,
                        open_gates=about.camps),
        personnel=Personnel(aid=about.workers * share), arrive=When(week=week), command=command,
    )  # fmt: skip


def chains_of_command(everybody: Mapping[str, Component]) -> list[str]:
    """Return the names of the chains of command of some missions by name, in order."""
    return sorted({c.command or n for n, c in everybody.items()})


def make_commands(params: Params, missions: Missions, land: Land) -> Commands:
    """Build the chains of command, in the order of their names."""
    names = tuple(chains_of_command(with_humanitarians(params)))
    member = (missions.command[None, :] == np.arange(len(names))[:, None]).astype(float)
    return Commands(
        names=names, luck=np.array([draws.key(n) for n in names], dtype=np.uint64), member=member,
        unwelcome=zeros(len(names)), escorting=zeros(len(names)), seen=zeros(len(names), land.row.size),
        incidents=zeros(len(names)), rumour=zeros(len(names)),
    )  # fmt: skip


def plan(params: Params, leaves: Mapping[str, float] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Resolve each component's arrival and departure into weeks of the run: two (M,) arrays.

    Parameters
    ----------
    params : Params; leaves : weeks in which components leave because their benchmark was met, by name
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


def replan(model: "PeaceModel") -> None:
    """Work out the plans anew when a benchmark has been met: of the mission that met it, and of those who wait for it.

    What is past stays as it was. Nobody who is to go earlier than he was has less time for it than his draw-down.
    """
    m, week = model.missions, model.week
    met = np.flatnonzero(np.isfinite(m.decided))
    arrive, leave = plan(model.params, {m.names[i]: m.decided[i] + m.draw_down[i] for i in met})
    before = m.arrive
    m.arrive = np.where(m.arrive > week, np.maximum(arrive, np.minimum(m.arrive, week)), m.arrive)
    m.renewal += m.arrive - before
    model.phases = [w for w in phases(model.everybody, m.arrive) if w > week]
    sooner = np.maximum(leave, week + m.draw_down * (m.arrive <= week))
    m.leave = np.where(m.leave <= week, m.leave, np.where(leave < m.leave, np.minimum(sooner, m.leave), leave))
    model.plan[:] = whole_plan(model)


def whole_plan(model: "PeaceModel") -> NDArray[np.float64]:
    """Return the share of its authorised strength that each mission plans to have in each step: (steps, M)."""
    weeks = np.arange(model.record_length()) * model.params.step_weeks
    return np.array([planned_share(model.missions, w) for w in weeks])


def _benchmark(component):
    b = component.benchmark
    asked = [np.nan if x is None else x for x in (b.battle_deaths, b.killed, b.institutions)]
    return [b.weeks, *asked, 1.0 if b.agreement else np.nan]


def _earliest(params, everybody, arrive, leave):
    """Return the week before which each mission does not leave by its benchmark; inf for those without one: (M,)."""
    known = {"start": 0.0, "authorisation": params.mission.authorised}
    for name, a, b in zip(everybody, arrive, leave, strict=True):
        known |= {f"{name}.arrive": a, f"{name}.leave": b}
    found = np.full(len(everybody), np.inf)
    for i, (name, c) in enumerate(everybody.items()):
        where, when = f"mission.components.{name}.benchmark", c.benchmark.earliest
        given = [w for w in ("week", "date", "after") if getattr(when, w) is not None]
        asked = np.array(_benchmark(c)[1:])
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
        if given == ["date"]:
            found[i] = _week_of(params, f"{where}.earliest", when.date) + when.weeks
        elif given == ["after"] and when.after not in known:
            raise ValueError(f"{where}.earliest comes after {when.after!r}{among(when.after, sorted(known))}")
        else:
            start = (
                arrive[i] + c.benchmark.weeks if not given else when.week if given == ["week"] else known[when.after]
            )
            found[i] = start + when.weeks
    return found


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
    week = np.arange(0, _horizon(params, missions).max(initial=1.0), 1.0)
    share = np.array([planned_share(missions, w) for w in week]).reshape(-1, len(missions.names))
    return np.maximum(share.sum(axis=0) / WEEKS_PER_YEAR, 1e-9)


def _horizon(params, missions):
    """Return the week in which each plan ends: its own last week, or the run's if it has none: (M,)."""
    return np.where(np.isfinite(missions.leave), missions.leave, np.maximum(params.weeks, missions.arrive + 1))


def _served_years(params, missions):
    return (_horizon(params, missions) - np.maximum(missions.arrive, 0)) / WEEKS_PER_YEAR


def planned_share(missions: Missions, week: float) -> NDArray[np.float64]:
    """Return the share of its authorised strength that each mission plans to have in a week: (M,)."""
    ramp = np.minimum(1.0, (week - missions.arrive + 1) / np.maximum(missions.build_up, 1)) * missions.peak
    out = np.clip((missions.leave - week) / np.maximum(missions.draw_down, 1e-9), 0, 1)
    share = np.where(week < missions.arrive, 0.0, np.minimum(ramp, out))
    for m, known in enumerate(missions.strength):
        if known is not None:
            share[m] = np.interp(week, *known) if missions.arrive[m] <= week < missions.leave[m] else 0.0
    return share


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


def _persons(component):
    """Return the persons of each kind that are authorised, the specialists of its bundles included: (5,)."""
    everybody = (component.personnel, *(b.personnel for b in component.mandate.bundles.values()))
    return [sum(getattr(p, k) for p in everybody) for k in KINDS]


def groups_of(component: Component) -> Iterator[tuple[str, float, Contributor, bool]]:
    """Yield (name, share, contributor, bound) of each group of contingents that are offered for a component.

    Of each contributor some carry its conditions and the others none; a force without contributors is one itself.
    """
    offers = component.force.contributors
    everybody = sorted(offers.items()) or [("", Contributor(share=1.0, caveats=component.force.caveats))]
    for name, c in everybody:
        for bound, part in ((False, 1 - c.caveats.share), (True, c.caveats.share)):
            if part > 0:
                yield name, c.share * part, c, bound


def serves(caveats: Caveats, bound: bool, use_of_force: float, politics: float) -> bool:
    """Say whether a group serves under a mandate: by the force that it may use, and the politics in it."""
    return not bound or bool(use_of_force <= caveats.force and politics <= caveats.politics)


def _mean_price(component, use_of_force):
    """Return the mean cost of a person among those who are willing to come, of the force's price."""
    politics = political_share(component.mandate)
    come = [(n, c.price) for _, n, c, bound in groups_of(component) if serves(c.caveats, bound, use_of_force, politics)]
    total = sum(n for n, _ in come)
    return sum(n * price for n, price in come) / total if total > 0 else 1.0


def make_contributors(params: Params, missions: Missions) -> Contributors:
    """Build the groups of contingents of every mission; who is not willing to serve under its mandate stays away."""
    rows = []
    for m, name in enumerate(missions.names):
        of = params.mission.components.get(name)
        if of is None:
            continue
        uniformed = missions.personnel[m, UNIFORMED].sum()
        for sender, share, c, bound in groups_of(of):
            comes = serves(c.caveats, bound, missions.use_of_force[m], missions.politics[m])
            rows.append({
                "mission": m, "luck": draws.key(of.command or name, sender, "bound" if bound else "free"),
                "offered": share, "sent": share * uniformed, "bound": bound, "caveat": _conditions(c.caveats),
                "force": c.caveats.force, "politics": c.caveats.politics, "losses": c.caveats.losses,
                "quality": (c.ability, c.restraint, c.local_knowledge, c.price), "home": np.inf if comes else -np.inf,
            })  # fmt: skip
    kinds = {"mission": int, "luck": np.uint64, "bound": bool, "caveat": bool}
    shape = {"caveat": (-1, 5), "quality": (-1, 4)}
    names = [f for f in Contributors.__dataclass_fields__ if f not in ("lost", "sender")]
    found = {f: np.array([r[f] for r in rows], dtype=kinds.get(f, float)).reshape(shape.get(f, -1)) for f in names}
    made = Contributors(**found, sender=np.unique(found["luck"], return_inverse=True)[1], lost=zeros(len(rows)))
    willing = np.bincount(made.mission, made.offered * (made.home > 0), len(missions.names))
    missions.taken[:] = 1 / np.maximum(willing, 1)
    return made


def _bases(component, uniformed, staff, d):
    """Return the bases of a mission: share of the uniformed and of the staff, name of who sends them, bound or not."""
    offers = list(component.force.contributors.items()) if component else []
    whole = sum(c.share for _, c in offers)
    every = []
    for name, c in sorted(offers) or [("", None)]:
        of_all = c.share if c else 1.0
        most = MOST_UNITS if c is None else max(1, round(MOST_UNITS * of_all / max(whole, 1e-9)))
        n = int(np.clip(np.ceil(of_all * uniformed / d.base_size), 1 if uniformed + staff > 0 else 0, most))
        size = (1.0 + np.arange(n)) ** -d.base_skew
        size /= max(size.sum(), 1e-12)
        carries = c.caveats.share if c else component.force.caveats.share if component else 0.0
        smallest_first = size[::-1].cumsum() - 0.5 * size[::-1]
        bound = (smallest_first <= carries)[::-1]
        every += [
            (of_all * s, of_all * s / whole if c and whole > 0 else s, name, bool(b))
            for s, b in zip(size, bound, strict=True)
        ]
    return every


def make_units(params: Params, missions: Missions, contributors: Contributors) -> Units:
    """Divide each mission into contingents (few large bases, many small) and aid teams."""
    d = params.deploy
    mission, ordinal, team, share, group, before = [], [], [], [], [], {}
    rows = {}  # of each group of contingents: mission, who sends it, bound or not
    for m, name in enumerate(missions.names):
        of = params.mission.components.get(name)
        for sender, _, _, bound in groups_of(of) if of else ():
            rows[m, sender, bound] = len(rows)
    for m, name in enumerate(missions.names):
        uniformed, staff, aid = (missions.personnel[m, s].sum() for s in (UNIFORMED, STAFF, AID))
        based = _bases(params.mission.components.get(name), uniformed, staff, d)
        bases = len(based)
        teams = int(np.clip(np.ceil(aid / d.team_size), 1 if aid > 0 else 0, MOST_UNITS))
        parts = np.zeros((bases + teams, len(KINDS)))
        for i, (of_uniformed, of_staff, sender, bound) in enumerate(based):
            parts[i, UNIFORMED], parts[i, STAFF] = of_uniformed, of_staff
            group.append(rows[m, sender, bound] if (m, sender, bound) in rows else rows[m, sender, not bound])
        parts[bases:, AID] = 1 / max(teams, 1)
        mission += [m] * (bases + teams)
        first = before.get(_group(name), 0)  # humanitarians who join go on where those who stay apart end
        before[_group(name)] = first + bases + teams
        ordinal += range(first, first + bases + teams)
        team += [False] * bases + [True] * teams
        share.append(parts)
        group += [-1] * teams
    group = np.array(group, dtype=int)
    mission, nth = np.array(mission, dtype=int), np.array(ordinal, dtype=np.uint64)
    n = mission.size
    return Units(
        mission=mission,
        luck=missions.luck[mission] + nth if n else zeros(0, dtype=np.uint64),
        team=np.array(team, dtype=bool), share=np.concatenate(share) if n else zeros(0, len(KINDS)),
        contributor=group, caveated=np.append(contributors.bound, False)[group],
        cell=np.full(n, -1), strength=zeros(n, len(KINDS)),
        losses=zeros(n), freedom=np.ones(n), suspended=zeros(n, dtype=bool), pinned=zeros(n), stock=np.ones(n),
        access=zeros(n, dtype=bool),
    )  # fmt: skip


def _column(parts, of):
    return np.array([of(c) for c in parts], dtype=float)


def _pledged(force):
    return force.assessed + (1 - force.assessed) * force.raised


def _prices(force):
    price = dict.fromkeys(KINDS[UNIFORMED], force.price) | {"staff": force.price_staff, "aid": force.price_aid}
    return [price[kind] for kind in KINDS]


def _conditions(caveats):
    return [caveats.ceasefire, caveats.consent, caveats.impartiality, caveats.withdraw, caveats.minimum_force]


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
        return _week_of(params, where, when.date) + when.weeks
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
    return component.force.readiness * (1 + params.deploy.council_delay * _discord(params, component))


def _week_of(params, where, day):
    return weeks_until(params.country.start, day, where)


def _known_strength(params, name, component):
    """Return weeks and shares of the uniformed strength, where a component's history is known."""
    if not component.strength:
        return None
    where = f"mission.components.{name}.strength"
    total = sum(_persons(component)[UNIFORMED])
    for day, n in component.strength.items():
        if not 0 <= n <= 1e6:  # false for nan, too
            raise ValueError(f"{where} is {n:g} on {day}; it must lie in [0, 1e+06] person")
    if total <= 0:
        raise ValueError(f"{where} is given; mission.components.{name}.personnel has nobody in uniform")
    at = sorted((_week_of(params, where, day), n / total) for day, n in component.strength.items())
    return np.array([w for w, _ in at]), np.array([s for _, s in at])


def _funding(params, everybody):
    """Return the share of the money due that arrives at the start, (M,), and for each mission when that changes."""
    funding, cuts = np.ones(len(everybody)), []
    for m, (name, component) in enumerate(everybody.items()):
        where, at = f"mission.components.{name}.funding", []
        for moment, share in component.funding.items():
            if not 0 <= share <= 1:  # false for nan, too
                raise ValueError(f"{where} is {share:g} from {moment} on; it must lie in [0, 1] share")
            week = float(moment) if moment.replace(".", "", 1).isdigit() else _week_of(params, where, moment)
            at.append((week, share))
        past = [share for week, share in sorted(at) if week < 0]
        funding[m] = past[-1] if past else 1.0
        to_come = sorted((week, share) for week, share in at if week >= 0)
        cuts.append(tuple(np.array(x) for x in zip(*to_come, strict=True)) if to_come else None)
    return funding, cuts


def _taken_over(names, name, component):
    if component.takes_over is None:
        return -1
    if component.takes_over not in names or component.takes_over == name:
        others = [n for n in names if n != name] or ["nobody: it is the only component"]
        said = among(component.takes_over, others)
        raise ValueError(f"mission.components.{name}.takes_over is {component.takes_over!r}{said}")
    return names.index(component.takes_over)
