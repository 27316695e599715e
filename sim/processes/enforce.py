"""Enforce: robust units wear bands down, hurt bystanders, and make enemies.

    hazard = rate x F / (F + phi X) x (1 in a campaign, `idle` at rest)

F is the effective presence that enforces, as far as the rules of engagement allow, X the fighters of the band's
faction in reach; a partial force spares the host. An operation removes a share of a band: a few die, most disperse and
may return (recruit). Harm to bystanders is proportional to the fighters killed and to the restraint that is lacking.
"""

import numpy as np

from sim import draws
from sim.compiled import rule
from sim.deaths import die_of_it, harm_bystanders, lose_fighters, lose_personnel, report
from sim.kernel import kernel
from sim.rules import ENFORCE, hits_host, hostility_of_host, luck_of, survey
from sim.state import OPERATION

ACT, WHO, SIZE, KILLED, OWN, HARM = (
    draws.decision(f"enforce.{what}") for what in ("act", "who", "size", "killed", "own", "harm")
)


@kernel
def hazard(p, force, fighters, active):
    """Return the hazard (1/year) of an operation against a band.

    Parameters
    ----------
    p : numbers.enforce; force : effective presence, persons; fighters : of its faction in reach; active : bool
    """
    pressed = force / (force + p.weight * max(fighters, 1.0))
    return p.rate * pressed * (1.0 if active else p.idle)


@kernel
def force_against(w, b, consent):
    """Return the effective presence of each mission that acts against a band: (M,); consent of the host : (Q,)."""
    faction, cell, m = w.bands.faction[b], w.bands.cell[b], w.missions
    out = np.empty(m.pace.size)
    for i in range(out.size):  # the hour for which nobody had the signatures is an operation that nobody led
        out[i] = w.presence[i, ENFORCE, cell] * m.use_of_force[i] * m.pace[i]
        if w.factions.host[faction]:
            out[i] *= hits_host(w, i, consent)
    return out


@kernel
def rates(w):
    """Return the hazard (1/year) of an operation against each band, (B,), and who would act: (B, M) presence."""
    f, bands, consent = w.factions, w.bands, 1.0 - hostility_of_host(w)
    out, forces = np.zeros(bands.faction.size), np.zeros((bands.faction.size, w.missions.pace.size))
    for b in range(out.size):
        i, c = bands.faction[b], bands.cell[b]
        forces[b] = force_against(w, b, consent)
        force, active = forces[b].sum(), bands.taking_part[b] and f.campaign[i] > 0.0
        if force > 0.0 and bands.fighters[b] > 0.0:
            out[b] = hazard(w.numbers.enforce, force, w.around[i, c], active)
    return out, forces


@rule
def enforce(w):
    """Let missions act against the bands in reach."""
    survey(w)
    luck, who = draws.luck(w.dice, ACT), draws.luck(w.dice, WHO)
    often, forces = rates(w)
    acts = np.zeros(often.size, dtype=np.bool_)
    for b in range(often.size):
        acts[b] = draws.draw(luck, b) < draws.chance(often[b] * w.years)
    for b in range(often.size):
        if acts[b]:
            _operation(w, b, draws.pick(forces[b], draws.draw(who, b)))


@kernel
def _operation(w, b, who):
    """Let a mission act against a band: some fighters die, others scatter; so may its own, and those who stand by."""
    bands, p, now = w.bands, w.numbers.enforce, w.now
    faction, cell, fighters = bands.faction[b], bands.cell[b], bands.fighters
    removed = fighters[b] * min(p.removed * 2.0 * luck_of(w, SIZE, b), 1.0)
    killed = min(int(removed * p.killed + luck_of(w, KILLED, b)), int(fighters[b]))
    lose_fighters(w, faction, np.array([b]), killed, False)
    scattered = min(max(removed - killed, 0.0), fighters[b])
    fighters[b] -= scattered
    bands.losses[b] += scattered
    w.factions.dispersed[faction] += scattered
    now.hit[faction, who] += killed + scattered
    own = int(p.own_losses * die_of_it(w, who) * killed + luck_of(w, OWN, b))
    own = min(own, lose_personnel(w, who, cell, own))
    civilians = harm_bystanders(w, cell, killed, who, luck_of(w, HARM, b))
    report(w, kind=OPERATION, side_a=who, side_b=faction, cell=cell, deaths_a=own, deaths_b=killed, civilians=civilians)
