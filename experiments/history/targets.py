"""What a country at war looks like in a few numbers: the same ones from observed events and from simulated ones.

Both become one table of events, a row each: week, faction, battle (or attack on civilians), state (is the government
in it), x and y (km), dead, civilians. UCDP GED counts an event from one death: so does this.

Which side of the observed events is which faction, and what is held against what, is data: conf/calibrated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import readers
from sim.model import Model

GED = (
    "date_start", "date_end", "type_of_violence", "side_a", "side_b", "longitude", "latitude", "where_prec", "best",
    "deaths_civilians",
)  # fmt: skip
ONE_SIDED = 3
PLACE_KM = 50  # half a degree
NEAR_KM, NEAR_WEEKS = 30, 2  # Knox
MANY = 500  # events
TAIL_FROM = 10  # deaths
WEEKS_A_MONTH = 4
UNKNOWN_PLACE = 5  # where_prec from which an event's coordinates say no more than the province


def ged_events(folder: str | Path, about: Mapping[str, Any], start: str, until: str) -> pd.DataFrame:
    """Read the observed events that lie wholly between two dates.

    Parameters
    ----------
    folder : str or Path, with UCDP GED's events of the country
    about : dict: file; sides, name in GED -> faction; state, the faction that is the government; latitude; and rules,
        as {side, from, is}: what a side does from a date on is another faction's
    start, until : calendar dates, YYYY-MM-DD; an event that ends later is left out

    Returns
    -------
    DataFrame: week, faction, battle, state, x, y, dead, civilians
    """
    path = Path(folder) / about["file"]
    if not path.is_file():
        raise ValueError(
            f"there is no {about['file']} in {folder}; name the folder that holds UCDP GED's events of the country"
        )
    table, sides, rules = readers.read(path, "experiment.analysis.events.file", GED), about["sides"], about.get("rules")
    days = {c: [day.isoformat() for day in table.dates(c)] for c in ("date_start", "date_end")}
    for i, (begins, ends) in enumerate(zip(*days.values())):
        if ends < begins:
            table.refuse(i, "date_end", f"{begins}, its date_start, or later")
    ranges = {"type_of_violence": (1, 3), "best": (0, readers.MOST), "deaths_civilians": (0, readers.MOST)}
    unsure = {"longitude": (-180, 180), "latitude": (-90, 90), "where_prec": (1, 7)}
    e = pd.DataFrame({
        **days, **{c: table.columns[c] for c in ("side_a", "side_b")},
        **{c: table.numbers(c, *span, whole=True) for c, span in ranges.items()},
        **{c: table.numbers(c, *span, empty=True) for c, span in unsure.items()},
    })  # fmt: skip
    e = e[(e.date_start >= start) & (e.date_end <= until) & (e.best >= 1)]
    a = e.side_a.map(sides)
    if rules:
        a = a.mask((e.side_a == rules["side"]) & (e.date_start >= rules["from"]), rules["is"])
    battle = e.type_of_violence != ONE_SIDED
    e, a, battle = e[a.notna()], a[a.notna()], battle[a.notna()]
    first, state = date.fromisoformat(start), about["state"]
    place = e.where_prec < UNKNOWN_PLACE
    return pd.DataFrame({
        "week": [(date.fromisoformat(d) - first).days // 7 for d in e.date_start], "faction": a,
        "battle": battle, "state": battle & ((a == state) | (e.side_b.map(sides) == state)),
        "x": (e.longitude * 111.3 * np.cos(np.radians(about["latitude"]))).where(place),
        "y": (e.latitude * 110.6).where(place),
        "dead": e.best, "civilians": e.best.where(~battle, e.deaths_civilians),
    }).reset_index(drop=True)  # fmt: skip


def model_events(model: Model) -> pd.DataFrame:
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


def summary(
    events: pd.DataFrame, weeks: int, wanted: Mapping[str, Mapping[str, Any]], displaced: Mapping[str, float]
) -> dict[str, float]:
    """Return the numbers of a history of `weeks` weeks: a dictionary.

    Parameters
    ----------
    events : DataFrame of ged_events or model_events
    weeks : int
    wanted : dict of dict by name, what is asked for; displaced : dict, shares of the people displaced, by name
    """
    week = events.week.to_numpy().astype(int)
    battle, dead = events.battle.to_numpy(bool), events.dead.to_numpy(float)
    count = np.bincount(week, minlength=weeks)[:weeks]
    attacks = events.faction.to_numpy()[~battle]
    n = max(len(events), 1)
    of = {
        "killed": lambda: np.log1p(dead[~battle].sum()),
        "battle_dead": lambda: np.log1p(dead[battle].sum()),
        "attack_size": lambda: _log_median(dead[~battle]),
        "battle_size": lambda: _log_median(dead[battle]),
        "tail": lambda: tail_exponent(dead, TAIL_FROM),
        "burstiness": lambda: burstiness(week),
        "fano": lambda: np.log(max(count.var() / max(count.mean(), 1e-9), 0.1)),
        "persistence": lambda: autocorrelation(count[: weeks // WEEKS_A_MONTH * WEEKS_A_MONTH]),
        "quiet_weeks": lambda: (count == 0).mean(),
        "active_places": lambda: np.log1p(_places(events)),
        "knox": lambda: np.log(knox(events)),
        "one_sided": lambda: (~battle).sum() / n,
        "state_based": lambda: events.state.sum() / n,
    }

    def value(name, about):
        if "events" in about:
            first, end = about["events"]
            return np.log1p(count[first:end].sum())
        if "attacks_by" in about:
            return (attacks == about["attacks_by"]).sum() / max(attacks.size, 1)
        return displaced[name] if "displaced" in about else of[name]()

    return {name: value(name, about) for name, about in wanted.items()}


@dataclass(frozen=True)
class OfModel:
    """Makes the summary of a finished run.

    Parameters
    ----------
    wanted : dict of dict by name, what is asked for
    """

    wanted: dict[str, dict[str, Any]]

    def __call__(self, model: Model) -> dict[str, float]:
        """Return the numbers: a dictionary."""
        r = model.record
        away = r.weekly[:, r.columns.index("idps")] + r.weekly[:, r.columns.index("refugees")]
        people = model.land.births.sum()
        weeks = {name: about["displaced"]["week"] for name, about in self.wanted.items() if "displaced" in about}
        displaced = {name: away[week] / people for name, week in weeks.items()}
        found = summary(model_events(model), int(model.params.weeks), self.wanted, displaced)
        return {name: float(x) for name, x in found.items()}


def check(wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse targets that are none, in a sentence."""
    kinds = ("events", "attacks_by", "displaced")
    for name, about in wanted.items():
        if name not in MEANINGS and not any(kind in about for kind in kinds):
            raise ValueError(f"experiment.analysis.targets.{name} is none; give it one of {', '.join(kinds)}, "
                             f"or choose among {', '.join(MEANINGS)}")  # fmt: skip


def _log_median(dead):
    return np.log(np.median(dead)) if dead.size else 0.0


def tail_exponent(sizes: NDArray[np.float64], smallest: float) -> float:
    """Return the exponent of a power law's density above a size, by maximum likelihood; 5 where there is no tail.

    The continuous approximation for whole numbers of Clauset, Shalizi & Newman 2009, eq. 3.7.
    """
    large = sizes[sizes >= smallest]
    return min(1 + large.size / np.log(large / (smallest - 0.5)).sum(), 5.0) if large.size > 2 else 5.0


def burstiness(times: NDArray[Any]) -> float:
    """Return (s - m) / (s + m) of the intervals between events: 0 Poisson, 1 all at once (Goh & Barabasi 2008)."""
    gaps = np.diff(np.sort(times))
    mean, spread = (gaps.mean(), gaps.std()) if gaps.size > 1 else (1.0, 0.0)
    return (spread - mean) / (spread + mean) if spread + mean > 0 else 0.0


def autocorrelation(count: NDArray[np.int64]) -> float:
    """Return the correlation of the events of four weeks with those of the next four."""
    months = np.log1p(count.reshape(-1, WEEKS_A_MONTH).sum(axis=1))
    here, there = months[:-1], months[1:]
    return float(np.corrcoef(here, there)[0, 1]) if here.std() > 0 and there.std() > 0 else 0.0


def _places(events):
    known = events.dropna(subset=["x", "y"])
    return len(set(zip(known.x // PLACE_KM, known.y // PLACE_KM)))


def knox(events: pd.DataFrame) -> float:
    """Return pairs of events near in place and time, of those expected from pairs near in either; 0.1 at least."""
    known = events.dropna(subset=["x", "y"])
    known = known.iloc[:: len(known) // MANY + 1]  # every second, third, ... of very many: the ratio stays
    x, y, week = known.x.to_numpy(), known.y.to_numpy(), known.week.to_numpy()
    i, j = np.triu_indices(len(known), 1)
    if not i.size:
        return 1.0
    close = np.hypot(x[i] - x[j], y[i] - y[j]) <= NEAR_KM
    soon = np.abs(week[i] - week[j]) <= NEAR_WEEKS
    if not (close.any() and soon.any()):
        return 1.0
    return max((close & soon).mean() / max(close.mean() * soon.mean(), 1e-9), 0.1)


def meaning(name: str, about: Mapping[str, Any]) -> str:
    """Return what a target is, in words."""
    return about.get("meaning") or MEANINGS.get(name, name.replace("_", " "))


def spoken(name: str, about: Mapping[str, Any], value: float) -> float:
    """Return a target's value as people say it: logarithms undone."""
    if "events" in about or name in ("killed", "battle_dead", "active_places"):
        return float(np.expm1(value))
    return float(np.exp(value)) if name in ("attack_size", "battle_size", "fano", "knox") else float(value)


MEANINGS = {  # of the targets that are the same for every country
    "killed": "killed in attacks on civilians",
    "battle_dead": "killed in battles",
    "attack_size": "dead of the median attack",
    "battle_size": "dead of the median battle",
    "tail": f"exponent of sizes from {TAIL_FROM} dead",
    "burstiness": "burstiness of intervals",
    "fano": "variance over mean, weekly events",
    "persistence": "autocorrelation, four-week events",
    "quiet_weeks": "share of weeks without an event",
    "active_places": f"squares of {PLACE_KM} km with an event",
    "knox": "near pairs in space and time, over expected",
    "one_sided": "events that are attacks on civilians",
    "state_based": "events that are battles of the state",
}
