"""What missions are paid with: what comes in, whom it is enough for, and what follows where it is not.

Money is a thing in time. Of what is due a part comes late, or never. A head office that knows of a lasting shortfall
sends people home; what it does not save in that way it owes its people, and pay that is months late costs ability,
restraint and mobility, and contingents go home.
"""

from typing import TYPE_CHECKING

import numpy as np

from sim.kernel import kernel
from sim.params import STAFF
from sim.rules import affordable, fading
from sim.state import ABILITY, KNOWLEDGE, MOBILITY, PRICE, RESTRAINT

if TYPE_CHECKING:
    from sim.model import Model
    from sim.state import Missions


@kernel
def lateness(owed, half):
    """Return how late pay is, as people feel it: 0..1. Weeks are borne, months are not.

    Parameters
    ----------
    owed : weeks of pay owed; half : weeks that are felt half
    """
    return owed * owed / (owed * owed + half * half)


@kernel
def next_in_hand(in_hand, income, bill, reserve, weeks):
    """Return the weeks of pay in hand after a step; negative: owed. What comes beyond the reserve is not drawn.

    Parameters
    ----------
    in_hand, reserve : weeks of pay; income, bill : US$ a year; weeks : length of the step
    """
    covered = income / bill if bill > 0.0 else 1.0
    return min(in_hand + weeks * (covered - 1.0), reserve)


@kernel
def settle_accounts(
    p, y, weeks, comes_in, back, due, bill, funding, paid, pledged, reserve, recorded, in_hand, outstanding, away, late,
    cost,
):  # fmt: skip
    """Take in what arrives for each mission, and pay whom it is enough for.

    Parameters
    ----------
    p : numbers.deploy; y : years in a step; weeks : in a step
    comes_in : share of what is outstanding that comes in; back : share of the absent who return where pay is in time
    due, bill : (M,) US$ a year by the plan, and for those who are there
    funding, paid, pledged : (M,) 0..1; reserve : (M,) weeks; recorded : (M,) bool
    in_hand : (M,) weeks; outstanding : (M,) US$; away : (M,) 0..1, changed
    late : (M,) 0..1; cost : (M,) US$, written
    """
    for m in range(due.size):
        of_old = outstanding[m] * comes_in
        income = funding[m] * paid[m] * due[m] + of_old / y
        outstanding[m] += funding[m] * (pledged[m] - paid[m]) * due[m] * y - of_old
        owed = max(-in_hand[m], 0.0)
        in_hand[m] = next_in_hand(in_hand[m], income, bill[m], reserve[m], weeks)
        now_owed = max(-in_hand[m], 0.0)
        cost[m] = bill[m] * y * (1.0 + (owed - now_owed) / weeks)
        late[m] = lateness(now_owed, p.late_half)
        change = p.unpaid_leave * late[m] * (1.0 - away[m]) * y - back * (1.0 - late[m]) * away[m]
        away[m] = 0.0 if recorded[m] else min(max(away[m] + change, 0.0), 1.0)


def change_funding(model: "Model", m: "Missions") -> None:
    """Let the share of the money that arrives change on its day."""
    dated = model.usual["money"].copy()
    for i, cut in enumerate(m.cuts):
        if cut is not None:
            now = (cut[0] >= model.week) & (cut[0] < model.week + model.params.step_weeks)
            if now.any():
                dated[i] = cut[1][now][-1]
    if (dated != model.usual["money"]).any():
        model.set_usual("money", dated)


@kernel
def pay(w, share, served):
    """Take in what arrives, pay whom it is enough for, and see what follows where it is not.

    Parameters
    ----------
    share : (M, 5) of its personnel that the plan has there; served : (M,) bool, its head office is there
    """
    m, d, now = w.missions, w.numbers.deploy, w.now
    n, back, home = m.command.size, 1.0 - fading(w, d.replacement), 1.0 - fading(w, d.repatriation)
    bill, of_plan = np.zeros(n), np.zeros(n)
    for j in range(n):
        bill[j] = of_plan[j] = m.headquarters[j] if served[j] else 0.0
        missing = 0.0
        for kind in range(share.shape[1]):
            persons, planned = m.persons[j, kind], m.personnel[j, kind] * share[j, kind]
            dearer = m.quality[j, PRICE] / m.mean_price[j] if kind < STAFF else 1.0
            bill[j] += persons * m.price[j, kind] * dearer
            of_plan[j] += planned * m.price[j, kind]
            missing += planned - persons if kind < STAFF else 0.0
        now.missing[j] = max(missing, 0.0)
    settle_accounts(
        p=d, y=w.years, weeks=w.step_weeks, comes_in=1.0 - fading(w, d.arrears_half), back=back, due=of_plan,
        bill=bill, funding=m.funding, paid=m.paid, pledged=m.pledged, reserve=m.reserve, recorded=m.recorded,
        in_hand=m.in_hand, outstanding=m.outstanding, away=m.away, late=m.late, cost=now.cost,
    )  # fmt: skip
    m.spent += now.cost
    wanted = affordable(m)
    for j in range(n):
        late, able, quality = m.late[j], m.able[j], m.quality[j]
        m.ability[j] = min(able[ABILITY] * quality[ABILITY], 1.0) * (1.0 - d.short_ability * late)
        m.restraint[j] = min(able[RESTRAINT] * quality[RESTRAINT], 1.0) * (1.0 - d.short_restraint * late)
        m.knowledge[j] = min(able[KNOWLEDGE] * quality[KNOWLEDGE], 1.0)
        m.mobility[j] = able[MOBILITY] * (1.0 - d.short_mobility * late)
        for kind in range(share.shape[1]):
            change = wanted[j, kind] - m.kept[j, kind]
            m.kept[j, kind] += change * (home if change < 0.0 else back)
