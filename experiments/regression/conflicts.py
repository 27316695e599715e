"""Many simulated conflicts, with missions sent to the harder wars, as a panel of the field: a row a conflict and month.

Where missions go is a rule of this experiment (conf/evaluation/regression.yaml), not of the model. Each conflict is run
three times with the same luck: without a mission, with the mission that the rule sends, and with one of these missions
dealt at random. The first is the truth that no field study can see.
"""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.engine import runs
from experiments.validation import checks
from sim.config import load
from sim.warm import say, warm_up

FOLDER = Path("results/regression")
WHO = ("troops", "police", "observers")


def _between(luck, spec):
    low, high = spec["from"], spec["to"]
    return float(np.exp(luck.uniform(np.log(low), np.log(high))) if spec.get("log") else luck.uniform(low, high))


def conflicts(about, n=None, overrides=()):
    """Return the countries of the design: a list of Params, each with a mission of nobody yet."""
    base = load(*about["common"], f"weeks={about['weeks']}", f"civilians={about['civilians']}", *overrides)
    base.mission.authorised = float(about["missions"]["authorised"])
    base.mission.components["un"].leave.week = None
    out = []
    for k in range(n or about["conflicts"]):
        luck, spec, p = np.random.default_rng([2013, k]), about["country"], deepcopy(base)
        c = p.country
        c.map_seed, p.seed = k + 1, k + 1
        c.population = _between(luck, spec["population"])
        for name in list(c.factions)[spec["fewest_factions"] :]:
            if luck.random() < 0.4:
                del c.factions[name]
        for faction in c.factions.values():
            faction.fighters = round(faction.fighters * _between(luck, spec["fighters"]))
            faction.abuse *= _between(luck, spec["abuse"])
            faction.rivals = [r for r in faction.rivals if r in c.factions] if faction.rivals else faction.rivals
        for town in c.places.values():
            town.persons *= c.population / base.country.population * luck.uniform(spec["towns"], 1 / spec["towns"])
        for home in c.communities.values():
            home.row, home.col = (float(np.clip(x + luck.normal(0, 4), 3, 36)) for x in (home.row, home.col))
        out.append(_sent(p, (0, 0, 0, 0)))
    return out


def _sent(params, persons):
    """Return parameters with a mission of so many troops, police, observers and staff."""
    p = deepcopy(params)
    who = p.mission.components["un"].personnel
    who.troops, who.police, who.observers, who.staff = map(float, persons)
    who.aid = 0.0
    return p


def missions(about, severity):
    """Return whom the rule of the design sends to each conflict: (n, 4) troops, police, observers, staff.

    Parameters
    ----------
    severity : (n,) civilians killed before missions are authorised
    """
    m, luck = about["missions"], np.random.default_rng(1325)
    rank = np.argsort(np.argsort(severity)) / max(len(severity) - 1, 1)
    rows = []
    for hard in rank:
        goes = luck.random() < (m["sent_to_hard"] if hard >= 0.5 else m["sent_to_easy"])
        size = np.exp(luck.normal(0, 0.4))
        troops = size * (m["troops"]["easy"] + hard * (m["troops"]["hard"] - m["troops"]["easy"]))
        observers = size * (m["observers"]["easy"] + hard * (m["observers"]["hard"] - m["observers"]["easy"]))
        police = troops * luck.uniform(m["police_per_troop"]["from"], m["police_per_troop"]["to"])
        if luck.random() < m["observers_only"]:
            troops = police = 0.0
        rows.append((troops, police, observers, m["staff_per_troop"] * troops) if goes else (0.0,) * 4)
    return np.array(rows)


def _months(params, folder, workers, what, retry_failed):
    """Run conflicts and return their months: a list of data frames."""
    jobs = [runs.plan({f"conflict {k}": p}, [p.seed], folder / "runs", ())[0] for k, p in enumerate(params)]
    if retry_failed:
        for job in jobs:
            job.failure.unlink(missing_ok=True)
    missing = sum(not job.done for job in jobs)
    say(f"{what}: {len(jobs)} conflicts, {missing} to do, {workers} at a time")
    if missing:
        warm_up()
        runs.run(jobs, workers, what)
    found = [runs.read(job) for job in jobs]
    return [pd.DataFrame(f["monthly"], columns=f["columns"]) for f in found]


def _rows(tables, params, severity, sent, first):
    """Return the panel in the field's variables: one row for each conflict and month but the first.

    Parameters
    ----------
    first : month in which missions are authorised
    """
    out = []
    for k, (table, p) in enumerate(zip(tables, params, strict=True)):
        before = table.shift(1)
        killed = table.osv_gov + table.osv_reb
        panel = pd.DataFrame({
            "conflict": k, "month": np.arange(len(table)), "killed": killed.round(),
            **{who: before[who] / 1_000 for who in WHO},
            "log_killed_before": np.log1p(killed.shift(1)), "log_battle_before": np.log1p(before.brd),
            "log_months": np.log1p(np.arange(len(table))), "log_population": np.log(p.country.population / 1e6),
            "factions": len(p.country.factions), "log_severity": np.log1p(severity[k]),
            "sent": sent[k][:3].sum() / 1_000, "after": np.arange(len(table)) > first,
        })  # fmt: skip
        out.append(panel.iloc[1:])
    return pd.concat(out, ignore_index=True)


def panels(about=None, folder=FOLDER, workers=1, n=None, overrides=(), retry_failed=False):
    """Return the panels by how missions were dealt: none, selected, random; runs are done if they are not there.

    Parameters
    ----------
    about : the design; folder : of results; workers : runs at a time; n : conflicts, none: those of the design
    overrides : of every run

    Returns
    -------
    dict of data frames: conflict, month, killed (persons by armed factions), troops, police, observers (thousands, one
    month before), controls, log_severity (killed before missions are authorised), sent (thousands),
    after (whether missions are authorised)
    """
    about, folder = about or checks.design("regression"), Path(folder)
    bare = conflicts(about, n, overrides)
    without = _months(bare, folder, workers, "conflicts without missions", retry_failed)
    first = round(about["missions"]["authorised"] / 52 * 12)
    severity = np.array([t.civilians_killed.to_numpy()[:first].sum() for t in without])
    sent = missions(about, severity)
    dealt = sent[np.random.default_rng(2719).permutation(len(sent))]
    out = {"none": _rows(without, bare, severity, sent, first)}
    for name, who in (("selected", sent), ("random", dealt)):
        there = [_sent(p, w) for p, w in zip(bare, who, strict=True)]
        months = _months(there, folder, workers, f"missions {name}", retry_failed)
        out[name] = _rows(months, bare, severity, who, first)
    return out
