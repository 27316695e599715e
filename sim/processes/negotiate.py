"""Negotiate and build: commitment to an agreement, its signing and collapse, institutions, reform of the host.

    d C / dt = (fatigue + mediation (security + coercion)) (ceiling - C)
               - (losses to rivals + grievance + weak institutions) C

An agreement needs everybody who can break it, its veto players (Cunningham 2006): parties with more than a `veto` share
of all fighters. Each accepts as its commitment goes; the hazard of signing is the product:

    signing x prod C^2 / (C^2 + sign^2) over the veto players

One that would never sign (a spoiler) and is too strong to be left out lets nobody sign. The agreement ends by the
weakest commitment among those who signed.

Coercion helps only where there is a table to come to: force raises a faction's commitment in proportion to the
mediation on offer and to its trust in the mediator. This, not a bonus for being parallel, is what can make two
missions complementary (Schumann & Bara 2023).

Whoever trains and equips the host's army and police gives it discipline as far as it is committed to the process, and
arms as far as it is not: reform lowers the abuse of the one state and strengthens the other, which abuses.
"""

from typing import TYPE_CHECKING

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.kernel import kernel
from sim.params import TASKS
from sim.rules import BUILD, at_work, fading, hostility_of_host, of_all, of_commands, strength, work_on
from sim.state import SMALL_FACTION

if TYPE_CHECKING:
    from sim.model import Model

MEDIATE, MONITOR, BUILDING, REFORM = (TASKS.index(t) for t in ("mediate", "monitor", "build", "reform"))
AGREEMENT = draws.decision("negotiate.agreement")


@kernel
def accepted(work, hostility):
    """Return the work of staff, (Q,) by chain of command, that a faction of that hostility, (Q,), accepts."""
    out = 0.0
    for q in range(work.size):
        out += work[q] * (1.0 - hostility[q])
    return out


@kernel
def commitment_change(p, commitment, ceiling, offered, security, pressure, lost, grudge, state, y):
    """Return the week's change of a faction's commitment.

    Parameters
    ----------
    p : numbers.negotiate; commitment, ceiling, offered, grudge : 0..1 of the faction; security, state : 0..1
    pressure : share of fighters hit by missions lately; lost : share lost to rivals this week; y : years
    """
    room = max(ceiling - commitment, 0.0)
    rise = (p.fatigue + p.mediation * offered * security) * y + p.coercion * pressure * offered * y
    fall = (p.grievance * grudge + p.weakness * (1.0 - state)) * y + p.losses * lost
    return rise * room - fall * commitment


@kernel
def next_institutions(p, institutions, builders, violence, consent, y):
    """Return the institutions of a cell after the week: 0..1.

    Parameters
    ----------
    p : numbers.negotiate; institutions, violence : 0..1; builders : effective staff; consent : 0..1 of the host
    y : years
    """
    effort = p.build * consent * builders / (builders + p.builders) + p.own_growth
    grown = (
        institutions
        + effort * (1.0 - violence) * (1.0 - institutions) * y
        - p.destruction * violence * institutions * y
    )
    return min(max(grown, 0.0), 1.0)


@kernel
def reformed(p, abuse, nature, armed, effort, commitment, y):
    """Return a host's abuse and what it is armed to keep after the week: two numbers.

    Parameters
    ----------
    p : numbers.negotiate; abuse, nature : ratio, now and before any reform; armed : 1.. ratio
    effort : 0..1 reform that reaches it; commitment : 0..1; y : years
    """
    room = max(abuse - p.unreformed * nature, 0.0)
    learnt, lapsed = min(p.reform * effort * commitment * y, 1.0) * room, min(p.lapse * y, 1.0) * (nature - abuse)
    abuse = abuse - learnt + lapsed
    armed = armed + min(p.arming * effort * (1.0 - commitment) * y, 1.0) * max(p.most_armed - armed, 0.0)
    return abuse, armed


@kernel
def not_twice(builders, lost):
    """Return the share of the building in a cell that is not done by others too: 0..1.

    Parameters
    ----------
    builders : (Q,) effective staff of each command; lost : 0..1 of the work of two equal ones that is done twice
    """
    total, squares = 0.0, 0.0
    for x in builders:
        total += x
        squares += x * x
    if total <= 0.0:
        return 1.0
    other = 1.0 - squares / max(total * total, 1e-300)  # chance that two are of different commands
    return 1.0 - lost * min(2.0 * other, 1.0)


@kernel
def set_aggression(w):
    """Set the aggression of every faction: less where it is committed, and party to an agreement in force."""
    f, p, agreement = w.factions, w.numbers.negotiate, w.politics.agreement[0]
    for i in range(f.host.size):
        bound = agreement and f.ceiling[i] > p.willing
        f.aggression[i] = (1.0 - f.commitment[i]) * (1.0 - p.ceasefire if bound else 1.0)


@rule
def _negotiate(w):
    """Move commitments, sign or break the agreement, build or lose institutions, reform the host."""
    f, p, y, now = w.factions, w.numbers.negotiate, w.years, w.now
    state, security = w.census.institutions[0], 1.0 - w.census.felt[0]
    mediators, fighters, left = work_on(w, MEDIATE), strength(w), fading(w, p.pressure_memory)
    for i in range(f.host.size):
        size, offered = max(fighters[i], SMALL_FACTION), accepted(mediators, f.hostility[i])
        f.pressure[i] = f.pressure[i] * left + now.hit[i].sum() / size
        change = commitment_change(
            p=p, commitment=f.commitment[i], ceiling=f.ceiling[i], offered=offered / (offered + p.mediators),
            security=security, pressure=f.pressure[i], lost=now.lost_to_rivals[i] / size, grudge=w.census.grudge[i],
            state=state, y=y,
        )  # fmt: skip
        f.commitment[i] = min(max(f.commitment[i] + change, 0.0), f.ceiling[i])
    _agree(w, fighters, security)
    _build(w)
    reformers = work_on(w, REFORM)
    for i in range(f.host.size):
        does = accepted(reformers, f.hostility[i]) if f.host[i] else 0.0
        effort = does / (does + p.reformers)
        f.own_abuse[i], f.armed[i] = reformed(
            p=p, abuse=f.own_abuse[i], nature=f.nature[i], armed=f.armed[i], effort=effort,
            commitment=f.commitment[i], y=y,
        )  # fmt: skip
        f.abuse[i] = f.own_abuse[i]
    set_aggression(w)


def negotiate(model: "Model") -> None:
    """Move commitments, sign or break the agreement, build or lose institutions, reform the host."""
    _negotiate(model)
    if "abuse" in model.pushes:  # an event moves it, too
        model.set_usual("abuse", model.factions.own_abuse)


@kernel
def _build(w):
    """Build institutions where there are staff and consent, and lose them to violence."""
    land, p, lost = w.land, w.numbers.negotiate, w.numbers.negotiate.twice * (1.0 - w.numbers.mission.donors)
    builders, hostility, unwanted, everybody = work_on(w, BUILDING), hostility_of_host(w), 0.0, 0.0
    for q in range(builders.size):
        unwanted += hostility[q] * builders[q]
        everybody += builders[q]
    consent = 1.0 - unwanted / max(everybody, 1e-9)
    there, of_command = of_all(w, BUILD), of_commands(w, BUILD)
    for c in range(there.size):
        once = not_twice(of_command[:, c], lost) if there[c] > 0.0 else 1.0
        land.institutions[c] = next_institutions(
            p=p, institutions=land.institutions[c], builders=there[c] * once, violence=land.felt[c], consent=consent,
            y=w.years,
        )  # fmt: skip


@kernel
def signing(p, commitment, ceiling, fighters):
    """Return the hazard (1/year) that an agreement is signed.

    Parameters
    ----------
    p : numbers.negotiate; commitment, ceiling, fighters : (n,) of the factions in the war
    """
    everybody, veto, accepts = fighters.sum(), 0, 1.0
    for i in range(fighters.size):
        if fighters[i] > p.veto * everybody:
            if ceiling[i] <= p.willing:
                return 0.0
            veto += 1
            accepts *= commitment[i] ** 2 / (commitment[i] ** 2 + p.sign**2)
    return p.signing * accepts if veto >= 2 else 0.0


@kernel
def _agree(w, fighters, security):
    """Sign when those who can break it accept; collapse as nothing guarantees it and the state is weak."""
    f, p, politics, week = w.factions, w.numbers.negotiate, w.politics, w.week[0]
    if politics.held[0]:
        return
    luck = draws.draw(draws.luck(w.dice, AGREEMENT), 0)
    active = np.flatnonzero((f.enters <= week) & (week < f.leaves))
    if politics.agreement[0]:
        everybody, weakest = fighters[active].sum(), 1.0
        for i in active:
            if f.ceiling[i] > p.willing and fighters[i] > p.veto * everybody:
                weakest = min(weakest, f.commitment[i])
        monitors = at_work(w, MONITOR)
        held = p.guarantee * monitors / (monitors + p.monitors)
        rate = p.collapse * (1.0 - held) * (1.0 - w.census.institutions[0]) * (1.0 - weakest) * (2.0 - security)
        if luck < draws.chance(rate * w.years) or weakest < p.walk_out * p.sign:
            politics.agreement[0] = False
            politics.collapsed[0] += 1
    elif luck < draws.chance(signing(p, f.commitment[active], f.ceiling[active], fighters[active]) * w.years):
        politics.agreement[0] = True
        politics.signed[0] = min(politics.signed[0], week)
