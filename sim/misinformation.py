"""Misinformation: what is said of chains of command, who hears it, who believes it. Rules of the world, compiled."""

import numpy as np

from sim.kernel import kernel
from sim.params import TASKS
from sim.rules import at_work

COMMUNICATE = TASKS.index("communicate")


@kernel
def rumours(w):
    """Return the misinformation about every chain of command as each community believes it: (Q, K) 0..1.

    A faction's own people believe its campaigns, others less; whoever communicates talks it down.
    """
    smear, rumour, community = w.factions.smear, w.commands.rumour, w.factions.community
    others, misinformation = w.numbers.feel.others, w.conditions.misinformation[0]
    talked_down = 1.0 + at_work(w, COMMUNICATE) / w.numbers.feel.communicators
    out = np.zeros((rumour.size, community.shape[1]))
    for q in range(rumour.size):
        for k in range(community.shape[1]):
            true = 1.0 - rumour[q]
            for f in range(smear.shape[0]):
                if smear[f, q] > 0.0:
                    true *= 1.0 - misinformation * (others + (1.0 - others) * community[f, k])
            out[q, k] = (1.0 - true) / talked_down
    return out


@kernel
def spill(w, rumours):
    """Return the conflation of missions of separate commands, misinformation (Q, K) counted in: 0..1."""
    p, most = w.numbers.judge, 0.0
    for rumour in rumours.flat:
        most = max(most, rumour)
    return min(1.0, p.conflation * (1.0 + p.rumour * most))


@kernel
def media(w):
    """Return how far misinformation carries in every cell: (C,) 0..1, less where local media sort it out."""
    p, remoteness, institutions = w.numbers.feel, w.land.remoteness, w.land.institutions
    out = np.empty(remoteness.size)
    for c in range(out.size):
        reached = p.remote + (1.0 - p.remote) * (1.0 - remoteness[c])
        out[c] = reached * (1.0 - p.local_media * institutions[c])
    return out
