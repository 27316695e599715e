"""11. Judge: factions' hostility to missions, and the consent of the host.

Impartiality has two meanings (Matsumura 2024): (a) judging compliance with the *political* agreement angers
whoever loses by it, as far as the process is contested; (b) judging compliance with *human rights* angers whoever
abuses, in proportion to the abuse. Force angers whom it hits, and armed escorts whose gates they break.
What one mission earns spills over to another: fully within a chain of command, by the conflation between separate
ones. Hostility decays, faster where a mission talks with armed actors.
"""

import numpy as np

from sim.params import TASKS
from sim.processes.feel import conflation
from sim.state import SMALL_FACTION

POLITICAL = [TASKS.index(t) for t in ("monitor", "mediate", "build", "police", "ddr")]
RIGHTS = [TASKS.index(t) for t in ("report", "protect")]


def earned(p, political, rights, loses, abuse, hit, forced, y, escort_cost):
    """Return the hostility that each mission earns itself this week: (F, M).

    Parameters
    ----------
    p : params.Judge; political, rights : (M,) 0..1 weight of its judging
    loses, abuse : (F,) 0..1; hit : (F, M) share of fighters hit; forced : (M,) share of access forced
    """
    by_judging = (p.political * political * loses[:, None] + p.rights * rights * abuse[:, None]) * y
    return by_judging + p.force * hit + escort_cost * forced * y


def judge(model):
    """Update hostility, spill it over, and let a host that has had enough ask missions to leave."""
    f, m, p, now = model.factions, model.missions, model.params.judge, model.now
    if not m.names:
        return
    y, dt = model.years, model.params.step_weeks
    political = m.work[:, POLITICAL].sum(axis=1)
    rights = m.work[:, RIGHTS[0]] * p.reporting + m.work[:, RIGHTS[1]] * p.witnessing
    f.abuse_record *= model.fading(p.abuse_memory)
    f.abuse_record += now.by_faction
    abuse = f.abuse_record / (f.abuse_record + p.abuse_deaths)
    own = earned(
        p=p, political=political / (political + p.judging_half), rights=rights / (rights + p.judging_half),
        loses=p.contestation * (1 - f.commitment), abuse=abuse,
        hit=now.hit / np.maximum(model.strength(), SMALL_FACTION)[:, None], forced=now.forced, y=y,
        escort_cost=model.params.relieve.escort_cost,
    )  # fmt: skip
    rise = own @ conflation(m.command, model.spill())
    engage = m.work[:, TASKS.index("engage")]
    fall = (p.decay + p.persuasion * engage / (engage + p.persuaders)) * y
    f.hostility = np.clip(f.hostility + rise * (1 - f.hostility) - fall * f.hostility, 0, 1)
    wanted_out = model.hostility_of_host() > p.expulsion
    present = m.work.sum(axis=1) > 0
    m.unwelcome = np.where(wanted_out & present & m.needs_consent, m.unwelcome + dt, 0.0)
    asked = (m.unwelcome > p.patience) & ~np.isfinite(m.expelled)
    m.expelled[asked] = model.week
