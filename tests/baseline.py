"""The baseline of results: what every mission model did on both countries, so that no result changes unseen.

python -m tests.baseline            run again, print old, new and ratio of what differs, and take it as the new baseline
python -m tests.baseline --check    print alone

Every default is nudged by a few per cent of its own, so that no two numbers are equal: a swap of two of them shows.
`test_baseline.py` runs all of it. What the command prints belongs in CHANGELOG.md.
"""

import csv
import sys
import zlib
from copy import deepcopy
from pathlib import Path

import numpy as np

from sim import PeaceModel, load
from sim.outcomes import totals
from sim.params import walk

TABLE = Path(__file__).with_name("baseline.csv")
MISSIONS = {
    "veltara": sorted(p.stem for p in (Path(__file__).parent.parent / "conf" / "mission").glob("*.yaml")
                      if "history" not in p.stem),
    "car": ["none", "un_only", "separated", "sequential", "car_history"],
}  # fmt: skip
SEEDS = (1, 2)
SETTING = ("mission.authorised=4", "weeks=78", "civilians=500")  # short runs in which missions serve early
STIRRED = (
    *("ambush.rate=20", "ambush.raid=10", "enforce.rate=12", "relieve.pause_rate=10"),
    *("judge.political=4", "judge.expulsion=0.3", "judge.patience=4"),
    *("judge.reconsider=1", "deploy.expulsion=60", "deploy.council_end=0.9", "mission.mandate_length=26"),
    *("country.humanitarians.ngos.camps=0.4", "country.rains=0.5", "country.drought=0.4", "mission.sanctions=0.3"),
    *("negotiate.fatigue=0.6", "negotiate.sign=0.25", "negotiate.signing=6", "negotiate.collapse=9"),
)  # so that all of it happens
AS_GIVEN = {"seed", "weeks", "step_weeks", "civilians"}  # what says how long and how fine, and where things lie
PLACES = {"row", "col", "rows", "cols", "map_seed"}
SAME = 1e-9  # relative: the last digits of a power differ between machines


def nudge(params):
    """Move every number of a scenario by up to 8% of its own, in place, each by another share; return the scenario."""
    for path, field, value in walk(params):
        if "low" not in field.metadata or path in AS_GIVEN or field.name in PLACES:
            continue
        share = 0.02 + 0.06 * (zlib.crc32(path.encode()) % 997) / 997
        moved = value * (1 + share if zlib.crc32(path.encode()) % 2 else 1 - share)
        moved = min(max(moved, field.metadata["low"]), field.metadata["high"])
        *parents, leaf = path.split(".")
        node = params
        for name in parents:
            node = node[name] if isinstance(node, dict) else getattr(node, name)
        setattr(node, leaf, round(moved) if field.type is int else moved)
    return params


def scenario(country, mission):
    """Return the parameters of a row but for its seed."""
    early = [s for s in SETTING if mission != "car_history" or not s.startswith("mission.")]
    p = nudge(load(f"country={country}", f"mission={mission}", *early, *STIRRED))
    if mission == "car_history":
        p.country.start = "2014-06-01"  # with the missions at their posts
    return p


def measure(country, mission, seed):
    """Return the row of a run: totals, and means over factions, missions and people of what totals leave out."""
    p = deepcopy(scenario(country, mission))
    p.seed = seed
    model = PeaceModel(p).run()
    of_run = {
        k: v for k, v in totals(model).items()
        if not k.startswith(("freedom_", "trust_", "informed_", "consent_", "commitment_"))
    }  # fmt: skip
    people, f, m, u = model.people, model.factions, model.missions, model.units
    mean = {
        "need": people.need, "grievance": people.grievance, "trust": people.trust, "commitment": f.commitment,
        "hostility": f.hostility, "fighters": model.bands.fighters, "dispersed": f.dispersed,
        "demobilised": f.demobilised, "settled": f.settled, "persons": m.persons, "work": m.work,
        "freedom": u.freedom, "stock": u.stock, "felt": model.land.felt, "suspended": u.suspended,
        "escorting": model.commands.escorting,
    }  # fmt: skip
    of_run |= {f"mean_{k}": float(np.mean(v)) if np.size(v) else float("nan") for k, v in mean.items()}
    return {"country": country, "mission": mission, "seed": seed, **of_run}


def rows():
    """Yield (country, mission, seed) of the baseline."""
    for country, missions in MISSIONS.items():
        for mission in missions:
            for seed in SEEDS:
                yield country, mission, seed


def stored():
    """Return the baseline: {(country, mission, seed): {outcome: number}}."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {
            (r.pop("country"), r.pop("mission"), int(r.pop("seed"))): {k: float(v) for k, v in r.items()}
            for r in csv.DictReader(file)
        }


def differences(old, new):
    """List (outcome, old, new) of what differs between two rows."""
    return [(k, old.get(k, np.nan), new.get(k, np.nan)) for k in dict.fromkeys([*old, *new])
            if not np.isclose(old.get(k, np.nan), new.get(k, np.nan), rtol=SAME, atol=0, equal_nan=True)]  # fmt: skip


def numbers(row):
    """Return what is measured of a row."""
    return {k: float(v) for k, v in row.items() if k not in ("country", "mission", "seed")}


def main(words):
    """Print what differs, by outcome over all rows; write the new baseline unless told otherwise."""
    old = stored() if TABLE.exists() else {}
    new = [measure(*row) for row in rows()]
    changed = {}
    for row in new:
        key = (row["country"], row["mission"], row["seed"])
        if key not in old:
            print(f"{' '.join(map(str, key))}: a new row")
            continue
        for outcome, was, now in differences(old[key], numbers(row)):
            changed.setdefault(outcome, []).append((was, now))
    for outcome, pairs in changed.items():
        was, now = (np.nansum(x) / len(pairs) for x in zip(*pairs, strict=True))
        ratio = f"{now / was:8.3f}" if was else "       -"
        print(f"{outcome:<24}{len(pairs):>4} rows   old {was:14.5g}   new {now:14.5g}   ratio {ratio}")
    print(f"{len(changed)} outcomes differ" if changed else "nothing differs")
    if "--check" not in words:
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            columns = list(dict.fromkeys(k for row in new for k in row))
            writer = csv.DictWriter(file, columns, "nan", lineterminator="\n")
            writer.writeheader()
            writer.writerows(new)


if __name__ == "__main__":
    main(sys.argv[1:])
