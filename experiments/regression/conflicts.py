"""Many simulated conflicts, with missions sent to the harder wars, as a panel of the field: a row a conflict and month.

Where missions go is a rule of this experiment (conf/experiment/regression.yaml), not of the model. Each conflict is run
three times with the same luck: without a mission, with the mission that the rule sends, and with one of these missions
dealt at random. The first is the truth that no field study can see.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.engine.experiment import Experiment
from sim.params import Params

WHO = ("troops", "police", "observers")
SENT = (*WHO, "staff")


def _between(luck, spec):
    low, high = spec["from"], spec["to"]
    return float(np.exp(luck.uniform(np.log(low), np.log(high))) if spec.get("log") else luck.uniform(low, high))


def conflicts(about: Mapping[str, Any], base: Params) -> list[list[str]]:
    """Return what makes each conflict: a list of lists of overrides.

    Parameters
    ----------
    about : dict, the experiment's `analysis`; base : Params, the country that all are made of
    """
    return [_conflict(about["country"], base.country, k) for k in range(about["conflicts"])]


def _conflict(spec, country, k):
    luck, said = np.random.default_rng([2013, k]), {"country.map_seed": k + 1}
    population = said["country.population"] = _between(luck, spec["population"])
    gone = [name for name in list(country.factions)[spec["fewest_factions"] :] if luck.random() < 0.4]
    for name in (n for n in country.factions if n not in gone):
        faction, where = country.factions[name], f"country.factions.{name}"
        said[f"{where}.fighters"] = round(faction.fighters * _between(luck, spec["fighters"]))
        said[f"{where}.abuse"] = faction.abuse * _between(luck, spec["abuse"])
        if faction.rivals:
            said[f"{where}.rivals"] = f"[{','.join(r for r in faction.rivals if r not in gone)}]"
    towns = []
    for name, town in country.places.items():
        times = population / country.population * luck.uniform(spec["towns"], 1 / spec["towns"])
        towns.append(f"{name}:{{persons:{town.persons * times}}}")
    said["country.places"] = f"{{{','.join(towns)}}}"
    for name, home in country.communities.items():
        for axis, x in (("row", home.row), ("col", home.col)):
            said[f"country.communities.{name}.{axis}"] = float(np.clip(x + luck.normal(0, 4), 3, 36))
    return [*(f"~country.factions.{name}" for name in gone), *(f"{path}={value}" for path, value in said.items())]


def _sent(about, persons):
    """Return the overrides that send so many troops, police, observers and staff."""
    where = f"mission.components.{about['missions']['component']}.personnel"
    return [f"{where}.{who}={float(n)}" for who, n in zip(SENT, persons, strict=True)]


def missions(about: Mapping[str, Any], severity: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _name(x, kind, sent):
    """Name the conflicts as scenarios, with a mission each; return their labels."""
    about, made = x.about.analysis, conflicts(x.about.analysis, x.first("conflict"))
    base, labels = x.scenarios["conflict"].asked[: len(x.about.arms["conflict"])], []
    for k, (how, persons) in enumerate(zip(made, sent, strict=True)):
        labels.append(f"conflict {k + 1} {kind}")
        x.name_scenario(labels[-1], [*base, *how, *_sent(about, persons)], {"arm": kind, "conflict": k + 1})
    return labels


def _do(x, labels, what):
    """Run conflicts, each with luck of its own, and return their months: a list of data frames."""
    x.do({label: [k + 1] for k, label in enumerate(labels)}, what)
    return [pd.DataFrame({name: values[0] for name, values in x.months(label).items()}) for label in labels]


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


def plan(x: Experiment) -> dict[str, list[int]]:
    """Return the runs that are known beforehand: each conflict, without a mission."""
    x.scenario("conflict")
    labels = _name(x, "none", np.zeros((x.about.analysis["conflicts"], len(SENT))))
    return {label: [k + 1] for k, label in enumerate(labels)}


def panels(x: Experiment | None = None, n: int | None = None) -> dict[str, pd.DataFrame]:
    """Return the panels by how missions were dealt: none, selected, random; runs are done if they are not there.

    Parameters
    ----------
    x : Experiment, none: that of conf/experiment/regression.yaml; n : conflicts of that, none: as it says

    Returns
    -------
    dict of data frames: conflict, month, killed (persons by armed factions), troops, police, observers (thousands, one
    month before), controls, log_severity (killed before missions are authorised), sent (thousands),
    after (whether missions are authorised)
    """
    x = x or Experiment("regression", [] if n is None else [f"experiment.analysis.conflicts={n}"])
    about, base = x.about.analysis, x.first("conflict")
    bare = [label for label in x.scenarios if label.endswith(" none")]
    without = _do(x, bare, "conflicts without missions")
    first = round(base.mission.authorised / 52 * 12)
    severity = np.array([t.civilians_killed.to_numpy()[:first].sum() for t in without])
    sent = missions(about, severity)
    dealt = sent[np.random.default_rng(2719).permutation(len(sent))]
    params = [x.scenarios[label].params for label in bare]
    out = {"none": _rows(without, params, severity, sent, first)}
    for name, who in (("selected", sent), ("random", dealt)):
        months = _do(x, _name(x, name, who), f"missions {name}")
        out[name] = _rows(months, params, severity, who, first)
    return out
