"""Mission models beside each other, and over the points of a design."""

import itertools
from dataclasses import asdict

import pandas as pd

from experiments.comparison import figures, page, places, surfaces, sweeps
from experiments.drawing import family, statistics
from experiments.engine.experiment import Experiment
from experiments.engine.writing import as_yaml
from sim import results

SHOWN = ("sequential", "parallel", "separated")  # on maps, beside the first arm and the baseline
MOST_MAPS = 4
TYPICAL = ("civilians_killed", "excess_deaths", "brd", "displaced_person_weeks", "access")  # of a seed like most others
GAINED = ("civilians_killed", "deaths", "unmet_need")  # outcomes of which it is said what pairing saves


def _maps(x):
    arms = [a for a in dict.fromkeys([x.arms[0], x.baseline, *SHOWN]) if a in x.arms][:MOST_MAPS]
    country = x.first(x.baseline).country
    capital = {n: (p.row, p.col) for n, p in country.places.items() if p.capital}
    helmets = {n: c.force.helmet for a in arms for n, c in x.first(a).mission.components.items()}
    return places.maps(x.maps, arms, x.dates, helmets, capital, country.cell_km)


def _front(x):
    return surfaces.front(x.tables, x.about.design), surfaces.tried(x.tables, x.about.design)


def _over(x):
    return sweeps.over(x.tables, x.baseline, **page.asked(x), question=x.about.question)


FIGURES = {
    "series": lambda x: figures.series(x.monthly, x.arms, x.baseline),
    "against": lambda x: figures.against(x.runs, x.arms),
    "differences": lambda x: figures.differences(x.runs, x.baseline),
    "maps": _maps,
    "tradeoff": lambda x: figures.tradeoff(x.runs, x.baseline),
    "phases": lambda x: surfaces.phases(x.tables, x.baseline, question=x.about.question),
    "price": lambda x: surfaces.price(x.tables, x.baseline),
    "funding": lambda x: surfaces.funding(x.tables, x.baseline),
    "front": _front,
    "over": _over,
    "worth": lambda x: sweeps.worth(x.tables, x.baseline, question=x.about.question),
}
CHECKS = {"over": sweeps.check, "worth": sweeps.check}


def analyse(x: Experiment) -> None:
    """Write summaries, the configuration of every arm, provenance and figures, of the runs that are there."""
    x.write({"runs": x.runs})
    x.write_provenance()
    if x.about.design.axes:
        x.write({"summary": x.tables.summary()})
    else:
        _compare(x)
    x.draw()
    x.write(texts={"report.md": page.page(x)})


def _compare(x):
    """Write the tables that compare arms in pairs, the maps, and what each arm is."""
    x.write(texts={"arms.yaml": as_yaml({arm: asdict(p) for arm, p in x.params.items()})})
    if len(x.maps):
        results.whole_file(x.folder / "maps.parquet", lambda f: x.maps.to_parquet(f, index=False))
    if x.baseline not in set(x.runs["arm"]):
        return
    gains = [
        {"outcome": o, "a": a, "b": b, "variance_ratio": statistics.pairing_gain(x.runs, o, a, b)}
        for o in GAINED
        for a, b in itertools.combinations(dict.fromkeys(x.runs["arm"]), 2)
    ]
    x.write({"summary": statistics.summary(x.runs, x.baseline), "pairing": pd.DataFrame(gains)})
    x.write({"seeds": family.unlike(x.runs, TYPICAL).reset_index()}, digits=4)
