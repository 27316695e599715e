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

import numpy as np

from sim import draws
from sim.state import SMALL_FACTION


def mediation(work, hostility, half):
    """Return the mediation that each faction accepts: (F,) 0..1.

    Parameters
    ----------
    work : (K,) staff on mediation; hostility : (F, K) 0..1; half : staff that give half the effect
    """
    accepted = (work * (1 - hostility)).sum(axis=1)
    return accepted / (accepted + half)


def commitment_change(p, commitment, ceiling, offered, security, pressure, lost, grudge, state, y):
    """Return the week's change of each faction's commitment: (F,).

    Parameters
    ----------
    p : params.Negotiate; commitment, ceiling, offered, grudge : (F,) 0..1; security, state : 0..1
    pressure : (F,) share of fighters hit by missions lately; lost : (F,) share lost to rivals this week
    """
    room = np.maximum(ceiling - commitment, 0)
    rise = (p.fatigue + p.mediation * offered * security) * y + p.coercion * pressure * offered * y
    fall = (p.grievance * grudge + p.weakness * (1 - state)) * y + p.losses * lost
    return rise * room - fall * commitment


def next_institutions(p, institutions, builders, violence, consent, y):
    """Return the institutions of each cell after the week: (C,) 0..1.

    Parameters
    ----------
    institutions, violence : (C,) 0..1; builders : (C,) effective staff; consent : 0..1 of the host
    """
    effort = p.build * consent * builders / (builders + p.builders) + p.own_growth
    grown = (
        institutions + effort * (1 - violence) * (1 - institutions) * y - p.destruction * violence * institutions * y
    )
    return np.clip(grown, 0, 1)


def reformed(p, abuse, nature, armed, effort, commitment, y):
    """Return a host's abuse and what it is armed to keep after the week: two (F,).

    Parameters
    ----------
    p : params.Negotiate; abuse, nature : (F,) ratio, now and before any reform; armed : (F,) 1.. ratio
    effort : (F,) 0..1 reform that reaches each; commitment : (F,) 0..1; y : years
    """
    room = np.maximum(abuse - p.unreformed * nature, 0)
    abuse = abuse - p.reform * effort * commitment * room * y + p.lapse * (nature - abuse) * y
    armed = armed + p.arming * effort * (1 - commitment) * np.maximum(p.most_armed - armed, 0) * y
    return abuse, armed


def not_twice(builders, lost):
    """Return the share of the building in each cell that is not done by others too: (C,) 0..1.

    Parameters
    ----------
    builders : (K, C) effective staff of each command; lost : 0..1 of the work of two equal ones that is done twice
    """
    if lost <= 0 or len(builders) < 2:
        return np.ones(builders.shape[1])
    total = builders.sum(axis=0)
    other = 1 - (builders**2).sum(axis=0) / np.maximum(total**2, 1e-300)  # chance that two are of different commands
    return 1 - lost * np.where(total > 0, np.minimum(2 * other, 1.0), 0.0)


def negotiate(model):
    """Move commitments, sign or break the agreement, build or lose institutions, reform the host."""
    f, p, now, land = model.factions, model.params.negotiate, model.now, model.land
    y = model.years
    state, security = model.census.state, 1 - model.census.felt
    offered = mediation(model.work_on("mediate"), f.hostility, p.mediators)
    size = np.maximum(model.strength(), SMALL_FACTION)
    f.pressure *= model.fading(p.pressure_memory)
    f.pressure += now.hit.sum(axis=1) / size
    change = commitment_change(
        p=p, commitment=f.commitment, ceiling=f.ceiling, offered=offered, security=security, pressure=f.pressure,
        lost=now.lost_to_rivals / size, grudge=model.grudge, state=state, y=y,
    )  # fmt: skip
    f.commitment = np.clip(f.commitment + change, 0, f.ceiling)
    _agreement(model, security)
    builders = model.work_on("build")
    consent = 1 - (model.hostility_of_host() * builders).sum() / max(builders.sum(), 1e-9)
    land.institutions = next_institutions(
        p=p, institutions=land.institutions, violence=land.felt,
        builders=model.task_presence("build").sum(axis=0)
        * not_twice(model.by_command(model.task_presence("build")), p.twice * (1 - model.params.mission.donors)),
        consent=consent, y=y,
    )  # fmt: skip
    _reform(model)
    f.aggression = next_aggression(p, f.commitment, f.ceiling, model.politics.agreement[0])


def next_aggression(p, commitment, ceiling, agreement):
    """Return the aggression of every faction: less where it is committed, and party to an agreement in force: (F,)."""
    aggression = 1 - commitment
    return np.where(agreement & (ceiling > p.willing), aggression * (1 - p.ceasefire), aggression)


def _reform(model):
    """Train and equip the host's army and police, as far as it lets those who do."""
    f, p = model.factions, model.params.negotiate
    work = model.work_on("reform")
    usual = model.usual["abuse"]  # apart from what events make of it
    if not (work.any() or (usual != f.nature).any()):
        return
    accepted = (work * (1 - f.hostility)).sum(axis=1)
    effort = np.where(f.host, accepted / (accepted + p.reformers), 0.0)
    abuse, f.armed = reformed(
        p=p, abuse=usual, nature=f.nature, armed=f.armed, effort=effort, commitment=f.commitment, y=model.years
    )
    model.set_usual("abuse", abuse)


def signing(p, commitment, ceiling, fighters):
    """Return the hazard (1/year) that an agreement is signed.

    Parameters
    ----------
    p : params.Negotiate; commitment, ceiling, fighters : (n,) of the factions in the war
    """
    veto = fighters > p.veto * fighters.sum()
    if veto.sum() < 2 or (ceiling[veto] <= p.willing).any():
        return 0.0
    accepts = commitment[veto] ** 2 / (commitment[veto] ** 2 + p.sign**2)
    return p.signing * accepts.prod()


def _agreement(model, security):
    """Sign when those who can break it accept; collapse as nothing guarantees it and the state is weak."""
    f, p, politics = model.factions, model.params.negotiate, model.politics
    active = (f.enters <= model.week) & (model.week < f.leaves)
    strength = model.strength()
    luck = model.luck.uniform("negotiate.agreement", 1)[0]
    if politics.held[0]:
        return
    if politics.agreement[0]:
        party = active & (f.ceiling > p.willing) & (strength > p.veto * strength[active].sum())
        weakest = f.commitment[party].min(initial=1.0)
        monitors = model.work_on("monitor").sum()
        held = p.guarantee * monitors / (monitors + p.monitors)
        rate = p.collapse * (1 - held) * (1 - model.census.state) * (1 - weakest) * (2 - security)
        if luck < draws.chance(rate * model.years) or weakest < p.walk_out * p.sign:
            politics.agreement[0] = False
            politics.collapsed[0] += 1
    elif luck < draws.chance(signing(p, f.commitment[active], f.ceiling[active], strength[active]) * model.years):
        politics.agreement[0] = True
        politics.signed[0] = min(politics.signed[0], model.week)
