"""The missions at the start: their headquarters and chains of command.

What a mission model is stands in conf/mission/*.yaml. A plan's moments become weeks (plans), its mandate the work of
one person on each task (mandate), its people bases and teams (units).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim import draws
from sim.compiled import see
from sim.components import chains_of_command, group_of, persons_of, with_humanitarians
from sim.country import land_of
from sim.mandate import capacities, contention, discord_of, phases, political_share
from sim.params import KINDS, TASKS, UNIFORMED, Params
from sim.plans import benchmark_of, earliest, fair_scale, known_strength, plan, planned_share, week_of
from sim.rules import affordable
from sim.state import ABILITY, KNOWLEDGE, MOBILITY, RESTRAINT, Commands, Land, Missions, zeros
from sim.units import mean_price
from sim.values import among

if TYPE_CHECKING:
    from sim.model import Model


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
    aid = [params.country.humanitarians.get(group_of(n)) if d else None for n, d in zip(names, donors, strict=True)]
    for name, c in model.components.items():
        if not c.force.summary or not c.mandate.summary:
            raise ValueError(
                f"mission.components.{name} has no {'mandate' if c.force.summary else 'force'}; "
                "choose one from conf/force and one from conf/mandate"
            )
    arrive, leave = plan(params)
    commands = chains_of_command(everybody)
    discord = np.array([discord_of(params, c) for c in parts], dtype=float)
    recorded = np.array([bool(c.strength) for c in parts], dtype=bool)
    d = params.deploy
    about = ("ability", "restraint", "local_knowledge", "mobility")  # in the order of state.ABILITY and the others
    able = np.array([[getattr(c.force, a) for a in about] for c in parts], float).reshape(-1, 4)
    funding, cuts = _funding(params, everybody)
    price = np.array([_prices(c.force) for c in parts], float).reshape(-1, len(KINDS))
    missions = Missions(
        names=names, luck=np.array([draws.key(group_of(n)) for n in names], dtype=np.uint64),
        command=np.array([commands.index(c.command or n) for n, c in zip(names, parts, strict=True)], dtype=int),
        un=np.array([c.force.un for c in parts], dtype=bool), donors=donors,
        accepts=np.array([h.accepts_escort if h else 0.0 for h in aid], dtype=float),
        by_consent=np.array([c.mandate.consent_of_parties for c in parts], dtype=bool),
        personnel=np.array([persons_of(c) for c in parts], float).reshape(-1, len(KINDS)),
        arrive=arrive, leave=leave, benchmark=np.array([benchmark_of(c) for c in parts]).reshape(-1, 5),
        earliest=earliest(params, everybody, arrive, leave), decided=np.full(len(names), np.inf),
        build_up=_column(parts, lambda c: c.force.build_up) * d.build_up,
        draw_down=_column(parts, lambda c: c.draw_down), peak=_column(parts, lambda c: c.force.peak),
        strength=[known_strength(params, n, c) for n, c in zip(names, parts, strict=True)],
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
        able=able, ability=able[:, ABILITY].copy(), restraint=able[:, RESTRAINT].copy(),
        mobility=able[:, MOBILITY].copy(), knowledge=able[:, KNOWLEDGE].copy(),
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
        missions.mean_price[m] = mean_price(part, missions.use_of_force[m])
    missions.price[:, UNIFORMED] *= missions.mean_price[:, None]
    missions.personnel *= np.where(donors, 1.0, fair_scale(params, missions))[:, None]
    missions.kept = affordable(see(missions))  # who knows that he will not be paid for does not come
    return missions


def areas(params: Params, land: Land, names: Sequence[str]) -> NDArray[np.float64]:
    """Return where each mission may work: (M, C) 1, or 0 outside the area of its mandate.

    Raises
    ------
    ValueError
        An area of no cell, or of a place that the country has not; names : of all missions, in their order.
    """
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


def make_commands(params: Params, missions: Missions, land: Land) -> Commands:
    """Build the chains of command, in the order of their names."""
    names = tuple(chains_of_command(with_humanitarians(params)))
    member = (missions.command[None, :] == np.arange(len(names))[:, None]).astype(float)
    return Commands(
        names=names, luck=np.array([draws.key(n) for n in names], dtype=np.uint64), member=member,
        unwelcome=zeros(len(names)), escorting=zeros(len(names)), seen=zeros(len(names), land.row.size),
        incidents=zeros(len(names)), rumour=zeros(len(names)),
    )  # fmt: skip


def replan(model: "Model") -> None:
    """Work out the plans anew when a benchmark has been met: of the mission that met it, and of those who wait for it.

    What is past stays as it was. Nobody who is to go earlier than he was has less time for it than his draw-down.
    """
    m, week = model.missions, model.week
    met = np.flatnonzero(np.isfinite(m.decided))
    arrive, leave = plan(model.params, {m.names[i]: m.decided[i] + m.draw_down[i] for i in met})
    before = m.arrive
    m.arrive = np.where(m.arrive > week, np.maximum(arrive, np.minimum(m.arrive, week)), m.arrive)
    m.renewal += m.arrive - before
    undecided = ~np.isfinite(m.decided)
    m.earliest[undecided] = earliest(model.params, model.everybody, m.arrive, leave)[undecided]
    model.phases = [w for w in phases(model.everybody, m.arrive) if w > week]
    sooner = np.maximum(leave, week + m.draw_down * (m.arrive <= week))
    m.leave = np.where(m.leave <= week, m.leave, np.where(leave < m.leave, np.minimum(sooner, m.leave), leave))
    model.plan[:] = whole_plan(model)


def whole_plan(model: "Model") -> NDArray[np.float64]:
    """Return the share of its authorised strength that each mission plans to have in each step: (steps, M)."""
    return planned_share(model.missions, np.arange(model.record_length(), dtype=float) * model.params.step_weeks)


def _column(parts, of):
    return np.array([of(c) for c in parts], dtype=float)


def _pledged(force):
    return force.assessed + (1 - force.assessed) * force.raised


def _prices(force):
    price = dict.fromkeys(KINDS[UNIFORMED], force.price) | {"staff": force.price_staff, "aid": force.price_aid}
    return [price[kind] for kind in KINDS]


def _funding(params, everybody):
    """Return the share of the money due that arrives at the start, (M,), and for each mission when that changes."""
    funding, cuts = np.ones(len(everybody)), []
    for m, (name, component) in enumerate(everybody.items()):
        where, at = f"mission.components.{name}.funding", []
        for moment, share in component.funding.items():
            if not 0 <= share <= 1:  # false for nan, too
                raise ValueError(f"{where} is {share:g} from {moment} on; it must lie in [0, 1] share")
            week = float(moment) if moment.replace(".", "", 1).isdigit() else week_of(params, where, moment)
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
