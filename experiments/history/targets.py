"""What a country at war looks like in a few numbers: the same ones from observed events and from simulated ones.

Both become one table of events, a row each: week, faction, battle (or attack on civilians), state (is the government
in it), x and y (km), dead, civilians. UCDP GED counts an event from one death: so does this.

GED books what the Seleka did while it held Bangui (from 24 March 2013) under the government; in the model it is the
Seleka's, and so it is here. Left out, because the model has them not: the Ugandan army's war with the LRA, and the FPR.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

GED = "car_ged_events_1991_2022.csv"
FACTIONS = {  # names in GED: names in the model
    "Government of Central African Republic": "government", "Seleka": "seleka", "FPRC": "seleka",
    "anti-Balaka": "anti_balaka", "LRA": "lords_resistance_army",
}  # fmt: skip
SELEKA_RULES = "2013-03-24"
ONE_SIDED = 3
PLACE_KM = 50  # half a degree
NEAR_KM, NEAR_WEEKS = 30, 2  # Knox
MANY = 500  # events
TAIL_FROM = 10  # deaths
WEEKS_A_MONTH = 4
MARCH, AUTUMN = 49, 88  # weeks: the Seleka marches (10 December 2012), the anti-balaka appear (6 September 2013)
UNKNOWN_PLACE = 5  # where_prec from which an event's coordinates say no more than the province


def ged_events(folder, start, until):
    """Read the observed events that lie wholly between two dates.

    Parameters
    ----------
    folder : str or Path, with UCDP GED's events of the country in car_ged_events_1991_2022.csv
    start, until : calendar dates, YYYY-MM-DD; an event that ends later is left out

    Returns
    -------
    DataFrame: week, faction, battle, state, x, y, dead, civilians
    """
    path = Path(folder) / GED
    if not path.is_file():
        raise ValueError(f"there is no {GED} in {folder}; name the folder that holds UCDP GED's events of the country")
    e = pd.read_csv(path)
    e = e[(e.date_start >= start) & (e.date_end <= until) & (e.best >= 1)]
    ruling = (e.side_a == "Government of Central African Republic") & (e.date_start >= SELEKA_RULES)
    a = e.side_a.map(FACTIONS).mask(ruling, "seleka")
    battle = e.type_of_violence != ONE_SIDED
    e, a, battle = e[a.notna()], a[a.notna()], battle[a.notna()]
    first = date.fromisoformat(start)
    place = e.where_prec < UNKNOWN_PLACE
    return pd.DataFrame({
        "week": [(date.fromisoformat(d) - first).days // 7 for d in e.date_start], "faction": a,
        "battle": battle, "state": battle & ((a == "government") | (e.side_b.map(FACTIONS) == "government")),
        "x": (e.longitude * 111.3 * np.cos(np.radians(6.5))).where(place), "y": (e.latitude * 110.6).where(place),
        "dead": e.best, "civilians": e.best.where(~battle, e.deaths_civilians),
    }).reset_index(drop=True)  # fmt: skip


def model_events(model):
    """Return the events of a run between armed factions or of them against civilians, as ged_events does."""
    names, host, land = model.record.factions, model.factions.host, model.land
    rows = [
        (k * model.params.step_weeks, names[e.side_a], e.kind == "battle",
         e.kind == "battle" and bool(host[e.side_a] or host[e.side_b]),
         (land.col[e.cell] + 0.5) * land.cell_km, (land.row[e.cell] + 0.5) * land.cell_km,
         e.deaths_a + e.deaths_b + e.deaths_civilians, e.deaths_civilians)
        for k, e in model.record.events
        if e.kind in ("battle", "attack") and e.deaths_a + e.deaths_b + e.deaths_civilians >= 1
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["week", "faction", "battle", "state", "x", "y", "dead", "civilians"])


def summary(events, weeks, displaced):
    """Return the numbers of a history of `weeks` weeks: a dictionary.

    Parameters
    ----------
    events : DataFrame of ged_events or model_events
    weeks : int
    displaced : dict, share of the people displaced in named weeks; handed through
    """
    week = events.week.to_numpy().astype(int)
    battle, dead = events.battle.to_numpy(bool), events.dead.to_numpy(float)
    count = np.bincount(week, minlength=weeks)[:weeks]
    attacks = events.faction.to_numpy()[~battle]
    n = max(len(events), 1)
    return {
        "events_before": np.log1p(count[:MARCH].sum()),  # events, by phase of the war
        "events_march": np.log1p(count[MARCH:AUTUMN].sum()),
        "events_autumn": np.log1p(count[AUTUMN:].sum()),
        "killed": np.log1p(dead[~battle].sum()),  # in attacks on civilians
        "battle_dead": np.log1p(dead[battle].sum()),
        "attack_size": _log_median(dead[~battle]),  # of the dead of an event
        "battle_size": _log_median(dead[battle]),
        "tail": tail_exponent(dead, TAIL_FROM),
        "burstiness": burstiness(week),  # of intervals between events
        "fano": np.log(max(count.var() / max(count.mean(), 1e-9), 0.1)),  # variance over mean of weekly events
        "persistence": autocorrelation(count[: weeks // WEEKS_A_MONTH * WEEKS_A_MONTH]),
        "quiet_weeks": (count == 0).mean(),
        "active_places": np.log1p(_places(events)),  # squares of 50 km with any event
        "knox": np.log(knox(events)),  # near pairs of events, of those expected if place and time had no tie
        "one_sided": (~battle).sum() / n,  # shares of events
        "state_based": events.state.sum() / n,
        "by_government": (attacks == "government").sum() / max(attacks.size, 1),  # shares of attacks on civilians
        "by_seleka": (attacks == "seleka").sum() / max(attacks.size, 1),
        "by_anti_balaka": (attacks == "anti_balaka").sum() / max(attacks.size, 1),
        **displaced,
    }


def of_model(model, displaced_weeks):
    """Return the summary of a finished run; `displaced_weeks` names the weeks of the displaced shares."""
    r = model.record
    away = r.weekly[:, r.columns.index("idps")] + r.weekly[:, r.columns.index("refugees")]
    people = model.land.births.sum()
    displaced = {name: away[week] / people for name, week in displaced_weeks.items()}
    return summary(model_events(model), int(model.params.weeks), displaced)


def _log_median(dead):
    return np.log(np.median(dead)) if dead.size else 0.0


def tail_exponent(sizes, smallest):
    """Return the exponent of a power law's density above a size, by maximum likelihood; 5 where there is no tail.

    The continuous approximation for whole numbers of Clauset, Shalizi & Newman 2009, eq. 3.7.
    """
    large = sizes[sizes >= smallest]
    return min(1 + large.size / np.log(large / (smallest - 0.5)).sum(), 5.0) if large.size > 2 else 5.0


def burstiness(times):
    """Return (s - m) / (s + m) of the intervals between events: 0 Poisson, 1 all at once (Goh & Barabasi 2008)."""
    gaps = np.diff(np.sort(times))
    mean, spread = (gaps.mean(), gaps.std()) if gaps.size > 1 else (1.0, 0.0)
    return (spread - mean) / (spread + mean) if spread + mean > 0 else 0.0


def autocorrelation(count):
    """Return the correlation of the events of four weeks with those of the next four."""
    months = np.log1p(count.reshape(-1, WEEKS_A_MONTH).sum(axis=1))
    here, there = months[:-1], months[1:]
    return float(np.corrcoef(here, there)[0, 1]) if here.std() > 0 and there.std() > 0 else 0.0


def _places(events):
    known = events.dropna(subset=["x", "y"])
    return len(set(zip(known.x // PLACE_KM, known.y // PLACE_KM)))


def knox(events):
    """Return pairs of events near in place and time, of those expected from pairs near in either; 0.1 at least."""
    known = events.dropna(subset=["x", "y"])
    known = known.iloc[:: len(known) // MANY + 1]  # every second, third, ... of very many: the ratio stays
    x, y, week = known.x.to_numpy(), known.y.to_numpy(), known.week.to_numpy()
    i, j = np.triu_indices(len(known), 1)
    if not i.size:
        return 1.0
    close = np.hypot(x[i] - x[j], y[i] - y[j]) <= NEAR_KM
    soon = np.abs(week[i] - week[j]) <= NEAR_WEEKS
    return (
        max((close & soon).mean() / max(close.mean() * soon.mean(), 1e-9), 0.1) if close.any() and soon.any() else 1.0
    )


def spoken(name, value):
    """Return a target's value as people say it: logarithms undone."""
    if name.startswith("events_") or name in ("killed", "battle_dead", "active_places"):
        return float(np.expm1(value))
    return float(np.exp(value)) if name in ("attack_size", "battle_size", "fano", "knox") else float(value)


MEANINGS = {
    "events_before": "events, January to 8 December 2012",
    "events_march": "events, 9 December 2012 to 6 September 2013",
    "events_autumn": "events, 7 September to 30 November 2013",
    "killed": "killed in attacks on civilians",
    "battle_dead": "killed in battles",
    "attack_size": "dead of the median attack",
    "battle_size": "dead of the median battle",
    "tail": "exponent of sizes from 10 dead",
    "burstiness": "burstiness of intervals",
    "fano": "variance over mean, weekly events",
    "persistence": "autocorrelation, four-week events",
    "quiet_weeks": "share of weeks without an event",
    "active_places": "squares of 50 km with an event",
    "knox": "near pairs in space and time, over expected",
    "one_sided": "events that are attacks on civilians",
    "state_based": "events that are battles of the state",
    "by_government": "attacks by the government",
    "by_seleka": "attacks by the Seleka",
    "by_anti_balaka": "attacks by the anti-balaka",
    "displaced_2012": "displaced, end of 2012",
    "displaced_2013": "displaced, autumn of 2013",
}
