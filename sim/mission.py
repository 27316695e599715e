"""The missions at the start: their plans, their money, their units.

What a mission model is stands in conf/mission/*.yaml. Here a plan's moments become weeks, its mandate becomes
the work of one person on each task, and what is held equal between models scales its strength.
"""

import numpy as np

from sim import draws
from sim.country import weeks_until
from sim.params import (
    AID,
    KINDS,
    STAFF,
    TASKS,
    UNIFORMED,
    WEEKS_PER_YEAR,
    Component,
    Force,
    Mandate,
    Personnel,
    Tasks,
    When,
)
from sim.state import Commands, Missions, Units, zeros

FOCUSED_TASKS = 5  # a mandate of so many tasks carries no overhead: median non-UN mission 4.4 (Reversed Roles 2024)
MOST_UNITS = 60  # bases, and aid teams, of a mission: more places than any mission of the default sizes can fill


def make_missions(params):
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
    drop = [1.0 - model.council_unity] * np.array([c.force.council for c in parts])
    paid = np.array([_paid(c.force) for c in parts])
    short = 1.0 - paid
    d = params.deploy
    price = np.array([_prices(c.force) for c in parts]).reshape(-1, len(KINDS))
    missions = Missions(
        names=names, luck=np.array([draws.key(_group(n)) for n in names], dtype=np.uint64),
        command=np.array([commands.index(c.command or n) for n, c in zip(names, parts, strict=True)], dtype=int),
        un=np.array([c.force.un for c in parts], dtype=bool), donors=donors,
        accepts=np.array([h.accepts_escort if h else 0.0 for h in aid], dtype=float),
        by_consent=np.array([c.mandate.consent_of_parties for c in parts], dtype=bool),
        personnel=np.array([[getattr(c.personnel, k) for k in KINDS] for c in parts], float).reshape(-1, len(KINDS)),
        arrive=arrive, leave=leave, build_up=_column(parts, lambda c: c.force.build_up) * d.build_up,
        draw_down=_column(parts, lambda c: c.draw_down), peak=_column(parts, lambda c: c.force.peak),
        strength=[_known_strength(params, n, c) for n, c in zip(names, parts, strict=True)],
        takes_over=np.array(
            [_taken_over(sorted(model.components), n, c) for n, c in zip(names, parts, strict=True)], dtype=int
        ),
        rehatted=_column(parts, lambda c: c.rehatted), price=price,
        headquarters=_column(parts, lambda c: c.force.headquarters), paid=paid,
        capacity=np.array([capacity(params, everybody, n) for n in names]).reshape(-1, len(KINDS), len(TASKS)),
        ability=_column(parts, lambda c: c.force.ability) * np.clip(1 - d.short_ability * short, 0, 1),
        restraint=_column(parts, lambda c: c.force.restraint) * np.clip(1 - d.short_restraint * short, 0, 1),
        mobility=_column(parts, lambda c: c.force.mobility) * np.clip(1 - d.short_mobility * short, 0, 1),
        knowledge=_column(parts, lambda c: c.force.local_knowledge),
        medicine=_column(parts, lambda c: c.force.medicine), training=_column(parts, lambda c: c.force.training),
        technology=_column(parts, lambda c: c.force.technology), women=_column(parts, lambda c: c.force.women),
        partiality=_column(parts, lambda c: c.force.partiality),
        needs_consent=np.array([c.force.needs_consent for c in parts], dtype=bool),
        use_of_force=_column(parts, lambda c: c.mandate.use_of_force) * (1 - d.council_robustness * drop),
        host_reach=_column(parts, lambda c: c.mandate.host_reach),
        gates=_column(parts, lambda c: c.mandate.open_gates),
        caveat=np.array([_conditions(c.force.caveats) for c in parts], dtype=bool).reshape(-1, 5),
        persons=zeros(len(names), len(KINDS)), work=zeros(len(names), len(TASKS)), offence=zeros(len(names)),
        expelled=np.full(len(names), np.inf), spent=zeros(len(names)),
        mandate_weeks=zeros(len(names)),
    )  # fmt: skip
    # Money that is missing costs ability, restraint and mobility first (above), then strength.
    over = np.clip(short - d.short_strength, 0, 1) / (1 - d.short_strength if d.short_strength < 1 else 1)
    left = (1 - d.council_ceiling * drop) * (1 - over)
    known = donors | np.array([s is not None for s in missions.strength], dtype=bool)  # the record is the record
    scale = np.where(donors, 1.0, np.where(known, 1.0, left) * fair_scale(params, missions))
    missions.personnel *= scale[:, None]
    return missions


def with_humanitarians(params):
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
                everybody[f"{group}{WITH}{name}" if name else group] = _humanitarian(params, group, share, under)
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
        peak=1, council=0, assessed=0, raised=1, local_knowledge=about.local_knowledge, needs_consent=False,
        women=about.women,
    )  # fmt: skip
    return Component(
        force=force,
        mandate=Mandate(summary=about.summary, tasks=Tasks(relieve=1, engage=about.engagement), use_of_force=0,
                        open_gates=about.camps),
        personnel=Personnel(aid=about.workers * share), arrive=When(week=week), command=command,
    )  # fmt: skip


def chains_of_command(everybody):
    """Return the names of the chains of command of some missions by name, in order."""
    return sorted({c.command or n for n, c in everybody.items()})


def make_commands(params, missions):
    """Build the chains of command, in the order of their names."""
    names = tuple(chains_of_command(with_humanitarians(params)))
    member = (missions.command[None, :] == np.arange(len(names))[:, None]).astype(float)
    return Commands(
        names=names, member=member, unwelcome=zeros(len(names)), escorting=zeros(len(names)),
        incidents=zeros(len(names)), rumour=zeros(len(names)),
    )  # fmt: skip


def plan(params):
    """Resolve each component's arrival and departure into weeks of the run: two (M,) arrays."""
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
                options = ", ".join(["start", "authorisation", *(f"{n}.arrive, {n}.leave" for n in names)])
                raise ValueError(f"{moments} comes after {', '.join(unknown)!r}; choose among {options}")
            raise ValueError(f"{moments} wait for each other; give one of them a week, a date or an authorisation")
        for n, which in resolved:
            known[f"{n}.{which}"] = _moment(params, everybody, (n, which), known)
        waiting = [w for w in waiting if w not in resolved]
    arrive = np.array([known[f"{n}.arrive"] for n in names])
    leave = np.array([known[f"{n}.leave"] for n in names])
    for n, a, b in zip(names, arrive, leave, strict=True):
        if b <= a:
            raise ValueError(f"mission.components.{n} leaves in week {b:g}, before it arrives in week {a:g}")
    return arrive, leave


def fair_scale(params, missions):
    """Return the factor on all strengths that holds cost or personnel equal between mission models.

    Source: `model.md` section 7: more troops help whatever the model, so the total is held equal.
    """
    model = params.mission
    if model.comparison == "as_deployed" or not missions.personnel[~missions.donors].any():
        return 1.0
    years = np.where(missions.donors, 0.0, _planned_years(params, missions))
    persons = (missions.personnel * years[:, None]).sum()
    if model.comparison == "equal_personnel":
        return model.person_years / persons
    wages = (missions.personnel * missions.price * years[:, None]).sum()
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


def planned_share(missions, week):
    """Return the share of its authorised strength that each mission plans to have in a week: (M,)."""
    ramp = np.minimum(1.0, (week - missions.arrive + 1) / np.maximum(missions.build_up, 1)) * missions.peak
    out = np.clip((missions.leave - week) / np.maximum(missions.draw_down, 1e-9), 0, 1)
    share = np.where(week < missions.arrive, 0.0, np.minimum(ramp, out))
    for m, known in enumerate(missions.strength):
        if known is not None:
            share[m] = np.interp(week, *known) if missions.arrive[m] <= week < missions.leave[m] else 0.0
    return share


def capacity(params, everybody, name):
    """Return the work of one person of each kind on each task in a mission, of all by name: (5, 14).

    People of a kind divide their time over the tasks they can do by the mandate's weights; each task beyond the fifth
    of its chain of command costs overhead, for it is one headquarters that is overstretched.
    """
    weight = _weights(everybody[name])
    command = everybody[name].command or name
    of_command = [c for n, c in everybody.items() if (c.command or n) == command and not _is_joined(n)]
    tasks = sum((_weights(c) for c in of_command), start=np.zeros(len(TASKS)))
    ability = np.array([[getattr(params.personnel[k], t) for t in TASKS] for k in KINDS])
    wanted = weight * ability
    time = wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-12)
    beyond = 0 if _is_joined(name) else max(0, (tasks > 0).sum() - FOCUSED_TASKS)
    overhead = 1 / (1 + params.deploy.overhead * beyond)
    return time * ability * overhead


def _is_joined(name):
    """Say whether these are humanitarians under a mission's command: their relief is no task of its headquarters."""
    return WITH in name


def _weights(component):
    return np.array([getattr(component.mandate.tasks, t) for t in TASKS])


def make_units(params, missions, luck):
    """Divide each mission into contingents (few large bases, many small) and aid teams."""
    d = params.deploy
    mission, ordinal, team, share, caveated, before = [], [], [], [], [], {}
    for m, name in enumerate(missions.names):
        uniformed, staff, aid = (missions.personnel[m, s].sum() for s in (UNIFORMED, STAFF, AID))
        bases = int(np.clip(np.ceil(uniformed / d.base_size), 1 if uniformed + staff > 0 else 0, MOST_UNITS))
        teams = int(np.clip(np.ceil(aid / d.team_size), 1 if aid > 0 else 0, MOST_UNITS))
        size = (1.0 + np.arange(bases)) ** -d.base_skew
        parts = np.zeros((bases + teams, len(KINDS)))
        parts[:bases, :AID] = (size / max(size.sum(), 1e-12))[:, None]
        parts[bases:, AID] = 1 / max(teams, 1)
        mission += [m] * (bases + teams)
        first = before.get(_group(name), 0)  # humanitarians who join go on where those who stay apart end
        before[_group(name)] = first + bases + teams
        ordinal += range(first, first + bases + teams)
        team += [False] * bases + [True] * teams
        share.append(parts)
        of = params.mission.components.get(name)
        carries = of.force.caveats.share if of else 0.0
        smallest_first = (size[::-1].cumsum() - 0.5 * size[::-1]) / max(size.sum(), 1e-12)
        caveated += [*(smallest_first <= carries)[::-1].tolist(), *([False] * teams)]
    mission, ordinal = np.array(mission, dtype=int), np.array(ordinal, dtype=np.uint64)
    n = mission.size
    return Units(
        mission=mission,
        luck=missions.luck[mission] + ordinal if n else zeros(0, dtype=np.uint64),
        team=np.array(team, dtype=bool), share=np.concatenate(share) if n else zeros(0, len(KINDS)),
        caveated=np.array(caveated, dtype=bool), cell=np.full(n, -1), strength=zeros(n, len(KINDS)),
        losses=zeros(n), freedom=np.ones(n), suspended=zeros(n, dtype=bool), stock=np.ones(n),
        access=zeros(n, dtype=bool),
    )  # fmt: skip


def _column(parts, of):
    return np.array([of(c) for c in parts], dtype=float)


def _paid(force):
    return force.assessed * (1 - force.arrears) + (1 - force.assessed) * force.raised


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
    force = params.mission.components[name].force
    discord = (1 - params.mission.council_unity) * force.council
    return force.readiness * (1 + params.deploy.council_delay * discord)


def _week_of(params, where, day):
    return weeks_until(params.country.start, day, where)


def _known_strength(params, name, component):
    """Return weeks and shares of the uniformed strength, where a component's history is known."""
    if not component.strength:
        return None
    where = f"mission.components.{name}.strength"
    total = sum(getattr(component.personnel, k) for k in KINDS[UNIFORMED])
    for day, n in component.strength.items():
        if not 0 <= n <= 1e6:  # false for nan, too
            raise ValueError(f"{where} is {n:g} on {day}; it must lie in [0, 1e+06] person")
    if total <= 0:
        raise ValueError(f"{where} is given; mission.components.{name}.personnel has nobody in uniform")
    at = sorted((_week_of(params, where, day), n / total) for day, n in component.strength.items())
    return np.array([w for w, _ in at]), np.array([s for _, s in at])


def _taken_over(names, name, component):
    if component.takes_over is None:
        return -1
    if component.takes_over not in names or component.takes_over == name:
        others = ", ".join(n for n in names if n != name) or "nobody: it is the only component"
        raise ValueError(f"mission.components.{name}.takes_over is {component.takes_over!r}; choose among {others}")
    return names.index(component.takes_over)
