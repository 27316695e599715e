"""What checks of the model share: a design in conf/evaluation, its arms, and their stored runs.

How estimates are made of the runs and judged stands in estimates.py.
"""

import argparse
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import yaml

from experiments.engine import runs
from sim import results
from sim.config import CONF, load
from sim.warm import say, warm_up

PRESET = "as "  # an override that stands for those of a preset of the design
FINER = "cells_per_side*"  # more and smaller cells, everything where it was


def arguments(name, words, doc):
    """Return what a command line of `python -m experiments NAME` gives: keywords of `evaluate`."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments {name}", description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="of every run")
    parser.add_argument("--workers", type=int, default=runs.available_cores(), help="runs at a time")
    parser.add_argument("--retry-failed", action="store_true", help="do those runs again that failed before")
    given = parser.parse_args(words)
    if given.workers < 1:
        raise ValueError(f"--workers {given.workers}: at least 1 run at a time")
    return {"overrides": tuple(given.overrides), "workers": given.workers, "retry_failed": given.retry_failed}


def design(name):
    """Read a design of conf/evaluation."""
    return yaml.safe_load((CONF / "evaluation" / f"{name}.yaml").read_text(encoding="utf-8"))


def overrides_of(how, presets):
    """Replace the presets among some overrides by what they stand for."""
    out = []
    for word in how:
        if word.startswith(PRESET):
            name = word.removeprefix(PRESET)
            if name not in presets:
                raise ValueError(f"there is no preset {name!r} in the design; choose among {', '.join(presets)}")
            out += overrides_of(presets[name], presets)
        else:
            out.append(word)
    return out


def finer(params, times):
    """Return parameters of the same country on a grid of so many times as many cells a side."""
    p = deepcopy(params)
    c = p.country
    if c.cells:
        raise ValueError(f"country.cells is {c.cells!r}; only a generated map can be drawn with other cells")
    c.rows, c.cols, c.cell_km = round(c.rows * times), round(c.cols * times), c.cell_km / times
    for spot in (*c.places.values(), *c.communities.values(), *c.deposits.values()):
        spot.row, spot.col = type(spot.row)(spot.row * times), type(spot.col)(spot.col * times)
    return p


def params_of(about, arm, overrides=()):
    """Return the parameters of an arm of a design; "NAME, VARIANT" is the arm NAME with a variant of the design."""
    name, _, variant = arm.partition(", ")
    known = {**about["arms"], **{f"{name}, {v}": () for v in about.get("variants", ())}}
    if name not in about["arms"] or arm not in known:
        raise ValueError(f"there is no arm {arm!r} in the design; choose among {', '.join(known)}")
    how = [*about["arms"][name], *(about["variants"][variant] if variant else ())]
    words = [*about.get("common", ()), *overrides_of(how, about.get("presets", {})), *overrides]
    times = [float(w.removeprefix(FINER)) for w in words if w.startswith(FINER)]
    p = load(*(w for w in words if not w.startswith(FINER)))
    return finer(p, times[-1]) if times else p


# ------------------------------------------------------------------------------ runs


@dataclass
class Store:
    """The runs of a check: done when they are asked for, kept, and read into arrays.

    Parameters
    ----------
    about : the design; folder : where its results go; overrides : of every arm; workers : runs at a time
    retry_failed : do those again that failed before
    """

    about: dict
    folder: Path
    overrides: tuple = ()
    workers: int = 1
    retry_failed: bool = False
    params: dict = field(default_factory=dict)  # by arm
    jobs: dict = field(default_factory=dict)  # by arm, seeds 1, 2, ...
    panels: dict = field(default_factory=dict)  # by arm: number of runs, and what `months` made of them
    done: int = 0  # runs of this session

    def dates(self, arm):
        """Return the months of which maps of an arm are kept, as YYYY-MM: none, or the first of the run."""
        maps = self.about.get("maps", {})
        if arm not in maps.get("arms", ()):
            return ()
        start = date.fromisoformat(self.params[arm].country.start)
        count = [start.year * 12 + start.month - 1 + k for k in range(maps["months"])]
        return tuple(f"{m // 12}-{m % 12 + 1:02d}" for m in count)

    def plan(self, arm, seeds):
        """Return the jobs of an arm."""
        if arm not in self.params:
            self.params[arm] = params_of(self.about, arm, self.overrides)
        return runs.plan({arm: self.params[arm]}, range(1, seeds + 1), self.folder / "runs", self.dates(arm))

    def run(self, wanted, what):
        """Do what is missing.

        Parameters
        ----------
        wanted : dict of arm -> seeds; what : str, for the progress bar
        """
        asked = {arm: self.plan(arm, seeds) for arm, seeds in wanted.items()}
        jobs = [job for of_arm in asked.values() for job in of_arm]
        if self.retry_failed:
            for job in jobs:
                job.failure.unlink(missing_ok=True)
        missing = sum(not job.done for job in jobs)
        say(f"{what}: {len(jobs)} runs, {missing} to do, {self.workers} at a time")
        if missing:
            warm_up()
            runs.run(jobs, self.workers, what)
        self.done += missing
        for arm, of_arm in asked.items():
            if len(of_arm) > len(self.jobs.get(arm, ())):
                self.jobs[arm] = of_arm

    def months(self, arm):
        """Return the monthly panel of every run of an arm: dict of column -> (seeds, months)."""
        jobs = self.jobs[arm]
        if self.panels.get(arm, (0,))[0] != len(jobs):
            found = [runs.read(job) for job in jobs]
            panel = np.array([f["monthly"] for f in found], float)  # (seeds, months, columns)
            self.panels[arm] = len(jobs), dict(zip(found[0]["columns"], np.moveaxis(panel, 2, 0), strict=True))
        return self.panels[arm][1]

    def maps(self, arm):
        """Yield the maps of every run of an arm: dict of layer -> (months, rows, cols)."""
        for job in self.jobs[arm]:
            table = pq.ParquetFile(job.folder / "maps.parquet").read().to_pandas()
            table = table.sort_values(["month", "row", "col"], kind="stable")
            shape = (table.month.nunique(), table.row.max() + 1, table.col.max() + 1)
            layers = table.columns.difference(["month", "gid", "row", "col"])
            yield {layer: table[layer].to_numpy(float).reshape(shape) for layer in layers}


def write(folder, tables, texts, figures, made):
    """Write the results of a check, each file whole or not at all.

    Parameters
    ----------
    folder : Path; tables : dict of data frames, to be <name>.csv; texts : dict of str by file name
    figures : dict of figures, to be <name>.png; made : dict, what made them
    """
    for name, table in tables.items():
        results.whole_file(
            folder / f"{name}.csv", lambda f, table=table: table.to_csv(f, index=False, float_format="%.6g")
        )
    for name, text in texts.items():
        results.whole_file(folder / name, lambda f, text=text: f.write_text(text, encoding="utf-8"))
    for name, figure in figures.items():
        results.whole_file(folder / f"{name}.png", lambda f, figure=figure: figure.savefig(f, dpi=150))
    made = yaml.safe_dump({**made, **results.provenance()}, sort_keys=False)
    results.whole_file(folder / "provenance.yaml", lambda f: f.write_text(made, encoding="utf-8"))
