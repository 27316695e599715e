"""The tables of a sweep: written once from its runs, read with any tool that knows Parquet.

    from experiments.engine import tables

    found = tables.load("conflation")  # a folder, or the name of one under results/
    found.runs                           # one row a run: arm, settings, seed, outcomes, what made it
    found.monthly(arm="separated")       # one row a run and month
    found.summary("deaths")              # by scenario: mean, 95% interval, n
    found.differences("deaths", "none")  # from another arm, in pairs of the same seed; or {"mission": "none"}

`runs.parquet` is one file; `monthly/` a few files of 500 runs each. Columns carry their unit and meaning as metadata,
and `columns.csv` says the same of both tables.
The same runs give the same files to the last byte, in whatever order and however often interrupted they were made.
"""

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from experiments.drawing import statistics
from experiments.engine import claims, runs, stored
from sim.outcomes import made_by, unit_and_meaning
from sim.params import rows as numbers
from sim.results import discard, whole_file, whole_folder
from sim.values import closest

SCHEMA = 2  # of these tables. 1: no units, no provenance in rows, monthly in one file
KEYS = {  # what the columns are that are neither settings nor outcomes
    "arm": "scenario: an arm of an experiment, or the settings of a job", "seed": "luck of the run",
    "month": "calendar month", "scenario": "hash of the resolved configuration",
    "calibrated_by": "table of calibrated parameters and its hash; empty without", "code": "hash of the model's source",
    "commit": "of the project's repository", "uncommitted_changes": "the source differed from that commit",
}  # fmt: skip
PART = 500  # runs in a file of monthly/, and in memory at a time
ROWS = 5_000  # of runs.parquet in a group
MADE_BY = ("scenario", "calibrated_by", "code", "commit", "uncommitted_changes", "python")  # and versions of packages
DRAFT = re.compile(r"\.\d+\.(runs\.parquet|columns\.csv|failures\.csv)|\.monthly\.\d+\.(draft|old)")


# ------------------------------------------------------------------------------ writing


def write(
    folder: str | Path,
    jobs: Sequence[runs.Job],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    about: Mapping[str, Any] | None = None,
    said: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Write the tables of the runs that are done.

    Parameters
    ----------
    folder : Path; jobs : list of experiments.engine.runs.Job, in the order of the rows
    settings : dict, arm of the job -> {column: value}, what the scenarios differ in
    about : dict, kept in the metadata
    said : dict, column -> (unit, meaning), of settings that are no parameters

    Raises
    ------
    experiments.engine.stored.Torn
        A stored run was damaged, and is now missing.
    """
    folder, done = Path(folder), [job for job in jobs if job.done]
    with claims.alone(folder / "runs") as sure:
        runs.clean(folder / "runs")
        left = [f for f in folder.iterdir() if DRAFT.fullmatch(f.name)] if sure else []
        for draft in left:  # of a process that was killed here
            discard(draft)
        _write_failures(folder, jobs)
        table = _Tables(done, settings or {}, about or {}, said or {})
        whole_folder(folder / "monthly", table.write_monthly)
        whole_file(folder / "runs.parquet", table.write_runs)
        whole_file(folder / "columns.csv", table.write_columns)
        (folder / "monthly.parquet").unlink(missing_ok=True)  # of schema 1


def _write_failures(folder, jobs):
    failed = [why for job in jobs if (why := job.failed)]
    if not failed:
        (folder / "failures.csv").unlink(missing_ok=True)
        return
    table = pd.DataFrame(failed).assign(overrides=[" ".join(f["overrides"]) for f in failed])
    whole_file(folder / "failures.csv", lambda f: table.drop(columns="traceback").to_csv(f, index=False))


class _Tables:
    """The two tables, made part by part; what is kept in memory does not grow with the number of runs."""

    def __init__(self, jobs, settings, about, said):
        self.jobs, self.settings = jobs, settings
        firsts = {job.scenario: job for job in reversed(jobs)}  # every run of a scenario has the same columns
        outcomes, panel = {}, {}
        for job in reversed(firsts.values()):
            found = stored.read(job)
            outcomes |= dict.fromkeys(found["outcomes"])
            panel |= dict.fromkeys(found["columns"])
            made = found["provenance"]
        made = made if jobs else {}
        names = dict.fromkeys(c for s in self.settings.values() for c in s if c != "arm")
        kinds = {c: _kind([s.get(c) for s in self.settings.values()]) for c in names}
        keys = [
            pa.field("arm", pa.string()),
            *(_field(c, kinds[c], said.get(c)) for c in kinds),
            _field("seed", pa.int64()),
        ]
        packages = [name for name in made if name not in (*MADE_BY, "schema")]
        made_by = [
            pa.field(c, pa.bool_() if c == "uncommitted_changes" else pa.string()) for c in (*MADE_BY, *packages)
        ]
        about = {"schema": str(SCHEMA), "settings": json.dumps(list(kinds)), **{k: str(v) for k, v in about.items()}}
        self.of_runs = pa.schema([*keys, *(_field(c, pa.float64()) for c in outcomes), *made_by], about)
        month = pa.field("month", pa.string(), metadata={"unit": "YYYY-MM"})
        self.of_months = pa.schema([*keys, month, *(_field(c, pa.float64()) for c in panel)], about)
        self.place = {c: k for k, c in enumerate(panel)}
        self.rows = []  # of the other table, part by part

    def write_monthly(self, folder):
        """Write the monthly table, and keep the rows of the other one, which is small."""
        for number, start in enumerate(range(0, max(len(self.jobs), 1), PART)):
            part = self.jobs[start : start + PART]
            found = [stored.read(job) for job in part]
            lengths = [len(f["months"]) for f in found]
            values = np.full((sum(lengths), len(self.place)), np.nan)
            end = 0
            for f, n in zip(found, lengths):
                end += n
                values[end - n : end, [self.place[c] for c in f["columns"]]] = f["monthly"]
                del f["monthly"]
            rows = [self._row(job, f) for job, f in zip(part, found)]
            self.rows.append(pa.Table.from_pylist(rows, self.of_runs))
            again = np.repeat(np.arange(len(part)), lengths)
            head = pa.Table.from_pylist(
                [self._keys(job) for job in part], pa.schema(list(self.of_months)[: self.n_keys])
            )
            months = pa.array([m for f in found for m in f["months"]], pa.string())
            columns = [*head.take(pa.array(again)).columns, months, *(pa.array(v, from_pandas=True) for v in values.T)]
            table = pa.Table.from_arrays(columns, schema=self.of_months)
            pq.write_table(table, folder / f"part-{number:04d}.parquet", compression="zstd")

    @property
    def n_keys(self):
        return self.of_months.names.index("month")

    def _keys(self, job):
        return {"arm": job.arm, **self.settings.get(job.arm, {}), "seed": job.seed}  # settings may name the arm shortly

    def _row(self, job, found):
        made = {k: "" if v is None else v for k, v in found["provenance"].items() if k != "schema"}  # Stata: no nulls
        numbers = {k: None if v != v else float(v) for k, v in found["outcomes"].items()}
        return {**self._keys(job), **numbers, "scenario": job.scenario, **made}

    def write_runs(self, path):
        """Write the table of runs."""
        with pq.ParquetWriter(path, self.of_runs, compression="zstd") as file:
            file.write_table(pa.concat_tables(self.rows), ROWS)

    def write_columns(self, path):
        """Write what the columns of both tables are."""
        lines, settings = [], json.loads(self.of_runs.metadata[b"settings"])
        for table, schema in (("runs", self.of_runs), ("monthly", self.of_months)):
            for f in schema:
                said = {k.decode(): v.decode() for k, v in (f.metadata or {}).items()}
                other = (
                    "setting of the scenario" if f.name in settings else "version" if pa.types.is_string(f.type) else ""
                )
                meaning = said.get("meaning") or KEYS.get(f.name, other)
                how = made_by(f.name) if table == "monthly" else ""
                lines.append((table, f.name, said.get("unit", ""), how, meaning))
        head = ["table", "column", "unit", "weeks_make_a_month_by", "meaning"]
        pd.DataFrame(lines, columns=head).to_csv(path, index=False, lineterminator="\n")


def _kind(values):
    """Return the type of a column of settings."""
    values = [v for v in values if v is not None]
    if values and all(isinstance(v, bool) for v in values):
        return pa.bool_()
    if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return pa.int64()
    if values and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return pa.float64()
    return pa.string()


def _field(name, kind, said=None):
    unit, meaning = said or unit_and_meaning(name)
    if not meaning:
        unit, meaning = _setting(name)
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning} if meaning else None)


@functools.cache
def _setting(name):
    """Return the unit and the meaning of a setting, as judge.conflation."""
    for path, _, unit, _, meaning, _ in numbers():
        if re.fullmatch(re.escape(path).replace("<name>", r"[\w*]+"), name):
            return unit, meaning
    if moment := re.fullmatch(r"mission\.components\.(\w+)\.(arrive|leave)\.week", name):
        return "week", f"week of the run in which {moment[1]} is to {moment[2]}"
    return "", ""


# ------------------------------------------------------------------------------ reading


def load(sweep: str | Path, root: str | Path = "results") -> "Results":
    """Open the tables of a sweep.

    Parameters
    ----------
    sweep : str or Path, a folder, or the name of one under `root`

    Returns
    -------
    Results
    """
    folder = next((f for f in (Path(sweep), Path(root) / sweep) if (f / "runs.parquet").is_file()), None)
    if folder is None:
        there = sorted(f.parent.name for f in Path(root).glob("*/runs.parquet"))
        meant = f" (did you mean {hint}?)" if (hint := closest(sweep, there)) else ""
        raise ValueError(f"there is no sweep {str(sweep)!r} with a runs.parquet{meant}; under {root}/ there are: "
                         f"{', '.join(there) or 'none'}")  # fmt: skip
    return Results(folder)


class Results:
    """The tables of a sweep.

    Attributes
    ----------
    runs : DataFrame, one row a run
    settings : list of columns that scenarios differ in
    units, meanings : dict by column
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        schema = pq.read_schema(self.folder / "runs.parquet")
        about = {k.decode(): v.decode() for k, v in (schema.metadata or {}).items()}
        self.schema = int(about.get("schema", 1))
        if self.schema > SCHEMA:
            raise ValueError(
                f"{self.folder} has tables of schema {self.schema}; this version reads up to {SCHEMA}: update it"
            )
        self.settings = json.loads(about.get("settings", "[]"))
        self.about = about
        said = {f.name: {k.decode(): v.decode() for k, v in (f.metadata or {}).items()} for f in schema}
        old = {f.name: dict(zip(("unit", "meaning"), unit_and_meaning(f.name))) for f in schema}
        said = said if self.schema > 1 else old
        self.units = {c: m["unit"] for c, m in said.items() if m.get("unit")}
        self.meanings = {c: m["meaning"] for c, m in said.items() if m.get("meaning")}

    @functools.cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run."""
        return pq.read_table(self.folder / "runs.parquet").to_pandas(ignore_metadata=True)

    @property
    def months(self) -> pyarrow.dataset.Dataset:
        """The monthly table as a pyarrow dataset, for queries that should not read all of it."""
        parts = self.folder / ("monthly" if (self.folder / "monthly").is_dir() else "monthly.parquet")
        return pyarrow.dataset.dataset(parts, format="parquet")

    def monthly(self, columns: Sequence[str] | None = None, **equal: Any) -> pd.DataFrame:
        """Return the monthly table.

        Parameters
        ----------
        columns : list of str beside arm, settings, seed and month; none: all
        **equal : column=value or column=[values], what to keep
        """
        wanted = None
        for column, value in equal.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            mask = pyarrow.dataset.field(column).isin(values)
            wanted = mask if wanted is None else wanted & mask
        keys = ["arm", *self.settings, "seed", "month"]
        kept = None if columns is None else [*keys, *columns]
        return self.months.to_table(columns=kept, filter=wanted).to_pandas(ignore_metadata=True)

    @property
    def failures(self) -> pd.DataFrame:
        """One row a run that failed: arm, seed, overrides, kind, error; empty if none did."""
        path = self.folder / "failures.csv"
        return (
            pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["arm", "seed", "overrides", "kind", "error"])
        )

    @property
    def outcomes(self) -> list[str]:
        """Names of the columns that are outcomes."""
        kinds = self.runs.dtypes
        return [c for c in self.runs if c not in ("arm", "seed", *self.settings) and kinds[c].kind == "f"]

    def summary(self, outcomes: str | Sequence[str] | None = None, by: Iterable[str] | None = None) -> pd.DataFrame:
        """Return means over seeds with 95% intervals by Student's t.

        Parameters
        ----------
        outcomes : str or list of str; none: all
        by : list of columns that make a scenario; none: arm and all settings

        Returns
        -------
        DataFrame: outcome, mean, low, high, unit, n, and the columns of `by`
        """
        outcomes = [outcomes] if isinstance(outcomes, str) else outcomes or self.outcomes
        by = ["arm", *self.settings] if by is None else list(by)
        statistics.require(outcomes, self.runs.columns, "outcome")
        statistics.require(by, self.runs.columns, "column")
        groups = self.runs.groupby(by, sort=False, dropna=False)[outcomes]
        n, mean = groups.count(), groups.mean()
        half = statistics.half_width(groups.std(), n)
        parts = {"n": n, "mean": mean, "low": mean - half, "high": mean + half}
        tidy = [part.melt(var_name="outcome", value_name=name, ignore_index=False) for name, part in parts.items()]
        table = tidy[0].reset_index().assign(**{p.columns[1]: p[p.columns[1]].to_numpy() for p in tidy[1:]})
        table["unit"] = table["outcome"].map(lambda o: self.units.get(o, ""))
        return table[["outcome", "mean", "low", "high", "unit", "n", *by]]

    def differences(self, outcome: str, baseline: str | dict[str, Any]) -> pd.DataFrame:
        """Return mean differences from a baseline, in pairs of the same seed and the same settings.

        Parameters
        ----------
        outcome : str
        baseline : str, an arm; or dict, settings that make the baseline, as {"mission": "none"}: then pairs share arm
            and all other settings. One on which a setting has no bearing is compared with all its values.

        Returns
        -------
        DataFrame: arm, settings, n (pairs), difference, low, high, worse_share, by scenario
        """
        chosen = baseline if isinstance(baseline, dict) else {"arm": baseline}
        statistics.require([outcome], self.runs.columns, "outcome")
        statistics.require(chosen, ["arm", *self.settings], "setting")
        for name, value in chosen.items():
            statistics.require([value], self.runs[name], name)
        mine = np.logical_and.reduce([self.runs[name] == value for name, value in chosen.items()])
        theirs = self.runs[mine]
        arm = ["arm"] if "experiment" in self.about else []  # in a multirun it only repeats the settings
        on = ["seed", *(c for c in (*arm, *self.settings) if c not in chosen and theirs[c].notna().any())]
        theirs = theirs[[*on, outcome]].drop_duplicates(on)
        both = self.runs[~mine].merge(theirs, on=on, suffixes=("", "_of_baseline"))
        both["difference"] = both[outcome] - both[f"{outcome}_of_baseline"]
        by = both.groupby(["arm", *self.settings], sort=False, dropna=False)["difference"]
        rows = [[*key, *statistics.paired(found, outcome)] for key, found in by]
        return pd.DataFrame(rows, columns=["arm", *self.settings, *statistics.PAIRED])
