"""What a run or a sweep has left, in the formats of the field, each with a codebook.

python -m sim.export results/NAME --format ged     events of a run, as UCDP GED 23.1 publishes them
python -m sim.export results/NAME --format hks     conflict-months, in the variables of Hultman, Kathman & Shannon 2013
python -m sim.export results/NAME --format stata   all tables for Stata 14 and later, and for R (haven::read_dta)

Files go beside the tables that they are made of, or into the folder that --to names.
"""

import argparse
import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from sim import outcomes
from sim.results import whole_file
from sim.warm import in_a_sentence

if TYPE_CHECKING:
    import pandas as pd

GED = {  # column of GED 23.1: what it is here; those without a word are empty, for a simulated war has no such thing
    "id": "number of the event in the run",
    "relid": "SIM, year, type of violence, id",
    "year": "year of date_start",
    "active_year": "1: the dyad caused 25 deaths or more in that year",
    "code_status": "Clear",
    "type_of_violence": "1 state-based, 2 non-state, 3 one-sided (raids too: aid workers are civilians)",
    "conflict_dset_id": "the same as conflict_new_id",
    "conflict_new_id": "number of the conflict in this file",
    "conflict_name": "COUNTRY: Government for state-based violence, else the dyad",
    "dyad_dset_id": "the same as dyad_new_id",
    "dyad_new_id": "number of the dyad in this file",
    "dyad_name": "side_a - side_b",
    "side_a_dset_id": "the same as side_a_new_id",
    "side_a_new_id": "number of side_a in this file",
    "side_a": "the government, if it takes part; faction or mission by name",
    "side_b_dset_id": "the same as side_b_new_id",
    "side_b_new_id": "number of side_b in this file",
    "side_b": "faction or mission by name, or Civilians",
    "number_of_sources": "-1: none",
    "source_article": "simulated",
    "source_office": "",
    "source_date": "",
    "source_headline": "",
    "source_original": "",
    "where_prec": "2: within 25 km of the point; 6: no place in this world is known",
    "where_coordinates": "row and column of the cell",
    "where_description": "",
    "adm_1": "first-level administrative unit",
    "adm_2": "",
    "latitude": "degrees north, middle of the cell; empty in a country that is not on the world's map",
    "longitude": "degrees east; likewise",
    "geom_wkt": "the point as text; likewise",
    "priogrid_gid": "cell of PRIO-GRID; likewise",
    "country": "name of the country",
    "country_id": "",
    "region": "",
    "event_clarity": "1: clear",
    "date_prec": "1: the day is known, 2: two to six days, 3: the week, 4: the month, 5: less",
    "date_start": "first day of the step in which it happened",
    "date_end": "last day of it",
    "deaths_a": "fighters or personnel of side_a killed",
    "deaths_b": "fighters or personnel of side_b killed",
    "deaths_civilians": "civilians killed, aid workers in raids on them too",
    "deaths_unknown": "0",
    "best": "all killed, at least 1: GED has no other events",
    "high": "the same",
    "low": "the same",
    "gwnoa": "",
    "gwnob": "",
}
HKS = {  # variable of HKS_AJPS_2013.dta, and what it is made of: (unit, meaning)
    "conflict_id": ("", "number of the run in this file"),
    "location": ("", "country, or arm of a sweep"),
    "year": ("", "calendar year"),
    "month": ("", "month of the year, 1 to 12"),
    "epduration": ("month", "months since the run began, this one included"),
    "PKOdum": ("0/1", "UN troops, police or observers are there"),
    "troop": ("1,000 persons", "UN troops at the end of the month"),
    "police": ("1,000 persons", "UN police at the end of the month"),
    "militaryobservers": ("1,000 persons", "UN observers at the end of the month"),
    "troopLag": (
        "1,000 persons",
        "the same, a month before; missing in the first month of a run, as all that is lagged",
    ),
    "policeLag": ("1,000 persons", "the same, a month before"),
    "militaryobserversLag": ("1,000 persons", "the same, a month before"),
    "osvAll": ("person", "civilians killed in one-sided violence, rounded to persons"),
    "osvgov": ("person", "of these, by the government"),
    "osvreb1": ("person", "of these, by all others"),
    "osvgovLag": ("person", "the same, a month before"),
    "osvreb1Lag": ("person", "the same, a month before"),
    "osvAllLagDum": ("0/1", "anybody was killed in one-sided violence a month before"),
    "osvgovLagDum": ("0/1", "anybody by the government"),
    "osvreb1LagDum": ("0/1", "anybody by all others"),
    "brv_AllLag": ("log", "log(1 + battle-related deaths a month before), crossfire included"),
    "brv_aLag": ("log", "log(1 + fighters of the government killed in battles a month before)"),
    "brv_bLag": ("log", "log(1 + fighters of all others killed in battles a month before)"),
    "incomp": ("1, 2", "incompatibility: 2, government (assumed; the model has none)"),
    "lntpop": ("log", "log of the people alive, in thousands"),
}
VIOLENCE = {1: "state-based", 2: "non-state", 3: "one-sided"}
RESERVED = {  # words that Stata keeps for itself
    "byte", "double", "float", "if", "in", "int", "long", "using", "with", "aggregate", "array", "boolean", "break",
    "case", "class", "const", "continue", "default", "do", "else", "end", "export", "for", "function", "global",
    "import", "local", "namespace", "new", "program", "return", "short", "static", "string", "void", "while",
}  # fmt: skip
LONGEST_NAME, LONGEST_LABEL, LONGEST_TEXT = 32, 80, 2_045  # of Stata
STAMP = datetime(2000, 1, 1)  # the same results make the same file


# ---------------------------------------------------------------------------------- the formats


def ged(events: "pd.DataFrame", country: str, hosts: Iterable[str]) -> "pd.DataFrame":
    """Return the deadly events of a run in the columns of UCDP GED.

    Parameters
    ----------
    events : DataFrame of sim.outcomes.events; country : str, its name; hosts : names of its governments among factions

    Returns
    -------
    DataFrame: the columns of GED, a row for each event with at least one dead
    """
    import pandas as pd

    e = events[events.best >= 1].reset_index(drop=True)
    names = dict.fromkeys(hosts, f"Government of {country}")
    one_sided = e.kind.isin(["attack", "raid"])
    swap = e.side_b.isin(names) & ~e.side_a.isin(names) & ~one_sided
    a, b = e.side_a.mask(swap, e.side_b).replace(names), e.side_b.mask(swap, e.side_a).replace(names)
    b = b.mask(one_sided, "Civilians")
    kind = e.type_of_violence.mask(one_sided, 3).astype(int)
    raid = e.kind == "raid"
    dead_a, dead_b = e.deaths_a.mask(swap, e.deaths_b), e.deaths_b.mask(swap, e.deaths_a)
    dyad = a + " - " + b
    conflict = dyad.mask(kind == 1, f"{country}: Government")
    a_year = e.best.groupby([dyad, e.year]).transform("sum")
    days = (pd.to_datetime(e.date_end) - pd.to_datetime(e.date_start)).dt.days + 1
    placed = e.latitude.notna()
    sides = {name: number for number, name in enumerate(sorted({*a, *b}), start=1)}
    of = {
        "id": e.id, "relid": [f"SIM-{y}-{k}-{i}" for y, k, i in zip(e.year, kind, e.id)], "year": e.year,
        "active_year": (a_year >= outcomes.UCDP_DEATHS).astype(int), "code_status": "Clear", "type_of_violence": kind,
        "conflict_new_id": pd.factorize(conflict, sort=True)[0] + 1, "conflict_name": conflict,
        "dyad_new_id": pd.factorize(dyad, sort=True)[0] + 1, "dyad_name": dyad,
        "side_a_new_id": a.map(sides), "side_a": a, "side_b_new_id": b.map(sides), "side_b": b,
        "number_of_sources": -1, "source_article": "simulated", "where_prec": np.where(placed, 2, 6),
        "where_coordinates": [f"row {r}, column {c}" for r, c in zip(e.row, e.col)], "adm_1": e.adm_1,
        "latitude": e.latitude, "longitude": e.longitude,
        "geom_wkt": [f"POINT ({x:g} {y:g})" if y == y else "" for x, y in zip(e.longitude, e.latitude)],
        "priogrid_gid": e.priogrid_gid, "country": country, "event_clarity": 1,
        "date_prec": np.select([days == 1, days < 7, days == 7, days <= 31], [1, 2, 3, 4], 5),
        "date_start": e.date_start, "date_end": e.date_end, "deaths_a": dead_a, "deaths_b": dead_b.mask(raid, 0),
        "deaths_civilians": e.deaths_civilians + e.deaths_b.where(raid, 0), "deaths_unknown": e.deaths_unknown,
        "best": e.best, "high": e.high, "low": e.low,
    }  # fmt: skip
    of |= {name: of[name.replace("dset", "new")] for name in GED if name.endswith("_dset_id")}
    return pd.DataFrame({name: of.get(name, "") for name in GED}, index=e.index)


def hks(months: "pd.DataFrame", location: str | None) -> "pd.DataFrame":
    """Return the months of runs in the variables of Hultman, Kathman & Shannon 2013, who count UN personnel alone.

    Parameters
    ----------
    months : DataFrame of sim.outcomes.monthly; of a sweep, with what tells its runs apart before the column `month`
    location : str, name of the country; none: the arm

    Returns
    -------
    DataFrame: HKS, and then what tells the runs of a sweep apart; runs one after another
    """
    import pandas as pd

    keys = list(months.columns[: months.columns.get_loc("month")])
    run = months.groupby(keys, sort=False, dropna=False).ngroup() if keys else pd.Series(0, index=months.index)
    made = pd.DataFrame({
        "conflict_id": run + 1, "location": location or months["arm"], "year": months.month.str[:4].astype(int),
        "month": months.month.str[5:].astype(int), "epduration": months.groupby(run).cumcount() + 1,
        "troop": months.un_troops / 1_000, "police": months.un_police / 1_000,
        "militaryobservers": months.un_observers / 1_000,
        "osvgov": months.osv_gov.round(), "osvreb1": months.osv_reb.round(), "osvAll": months.osv_all.round(),
        "incomp": 2, "lntpop": np.log(months.population / 1_000),
    })  # fmt: skip
    made["PKOdum"] = (made[["troop", "police", "militaryobservers"]].sum(axis=1) > 0).astype(int)
    brv = {"brv_All": months.brd, "brv_a": months.battle_deaths_gov, "brv_b": months.battle_deaths_reb}
    lagged = pd.concat([
        made[["troop", "police", "militaryobservers", "osvgov", "osvreb1", "osvAll"]],
        pd.DataFrame({name: np.log1p(dead) for name, dead in brv.items()}),
    ], axis=1).groupby(run).shift(1).add_suffix("Lag")  # fmt: skip
    dummies = {f"{c}Dum": (lagged[c] > 0).where(lagged[c].notna()).astype(float) for c in lagged if c.startswith("osv")}
    made = pd.concat([made, lagged, pd.DataFrame(dummies)], axis=1)
    return pd.concat([made[list(HKS)], months[keys]], axis=1).loc[run.sort_values(kind="stable").index]


def write_stata(
    frame: "pd.DataFrame", path: Path, said: Mapping[str, tuple[str, str]], title: str
) -> list[tuple[str, str, str, str, str]]:
    """Write a table for Stata and R, with a label for each variable; return its codebook: a list of rows.

    Parameters
    ----------
    frame : DataFrame; path : of the .dta; said : dict, column -> (unit, meaning); title : str, what a row is

    Returns
    -------
    list of (file, variable, column, unit, meaning)
    """
    import pandas as pd

    names = stata_names(frame.columns)
    columns, dates, labels, codebook = {}, {}, {}, []
    for name, column in zip(names, frame):
        values = frame[column]
        if column == "month" and values.map(lambda v: isinstance(v, str)).all():
            values, dates[name] = pd.to_datetime(values), "tm"
        elif column in ("date", "date_start", "date_end"):
            values, dates[name] = pd.to_datetime(values), "td"
        elif values.map(lambda v: isinstance(v, str)).any() or (values.dtype == object and values.isna().all()):
            values = values.fillna("").astype(str).astype(object)
        else:
            values = values.astype(float) if values.dtype == object or values.isna().any() else values
        unit, meaning = said.get(column, ("", ""))
        label = f"{meaning} [{unit}]" if unit else meaning
        columns[name] = values
        labels[name] = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 3]}..."
        codebook.append((path.name, name, column, unit, meaning))
    table = pd.DataFrame(columns)
    long = [n for n in table if table[n].dtype == object and table[n].str.len().max() > LONGEST_TEXT]
    coded = {"type_of_violence": VIOLENCE} if "type_of_violence" in table.select_dtypes("number") else None
    whole_file(path, lambda draft: table.to_stata(
        draft, write_index=False, version=118, convert_dates=dates, variable_labels=labels, value_labels=coded,
        convert_strl=long, data_label=title[:LONGEST_LABEL], time_stamp=STAMP,
    ))  # fmt: skip
    return codebook


def stata_names(columns: Iterable[str]) -> list[str]:
    """Return names that Stata takes, each once: letters, digits and _, at most 32, no word of its own."""
    made = []
    for column in columns:
        name = re.sub(r"\W", "_", str(column), flags=re.ASCII)
        name = (f"_{name}" if name[0].isdigit() or name in RESERVED else name)[:LONGEST_NAME]
        number = 2
        while name in made:
            name, number = f"{name[: LONGEST_NAME - 3]}_{number}", number + 1
        made.append(name)
    return made


# ---------------------------------------------------------------------------------- the command


def said_of(folder: Path) -> Callable[[str], tuple[str, str]]:
    """Return a function that says what a column of the tables of a folder is: column -> (unit, meaning)."""
    with (folder / "columns.csv").open(newline="", encoding="utf-8") as file:
        rows = [(r["column"], r["unit"], r["meaning"]) for r in csv.DictReader(file)]
    exact = {name: (unit, meaning) for name, unit, meaning in rows}
    known = {**outcomes.MAPS, **outcomes.CELL_COLUMNS, **outcomes.EVENT_COLUMNS, **exact}
    ways = [(re.compile(re.sub(r"<\w+>", ".+", re.escape(name))), said) for name, said in known.items() if "<" in name]

    def said(column):
        return known.get(column) or next((s for way, s in ways if way.fullmatch(column)), ("", ""))

    return said


def _tables(folder):
    """Return the tables of a folder: dict of name -> (what a row is, function that reads it)."""
    import pandas as pd

    if (folder / "runs.parquet").is_file() and (folder / "columns.csv").is_file():
        return {
            "runs": ("a run", lambda: pd.read_parquet(folder / "runs.parquet")),
            "monthly": ("a run and month", lambda: pd.read_parquet(folder / "monthly")),
        }
    if (folder / "events.csv").is_file() and (folder / "columns.csv").is_file():
        cells = {"cell_month": ("a cell and month", lambda: pd.read_parquet(folder / "cell_month.parquet"))}
        return {
            "weekly": ("a week", lambda: pd.read_csv(folder / "weekly.csv")),
            "monthly": ("a month", lambda: pd.read_csv(folder / "monthly.csv")),
            "events": ("an event", lambda: pd.read_csv(folder / "events.csv", keep_default_na=False, na_values=[""])),
            **(cells if (folder / "cell_month.parquet").is_file() else {}),
        }
    raise ValueError(
        f"{folder} is neither a run nor a sweep; name a folder with events.csv or runs.parquet, and columns.csv"
    )


def _as_ged(folder, to, tables):
    if "events" not in tables:
        raise ValueError(f"{folder} is a sweep, which keeps no events; name the folder of a single run")
    country, hosts = _country(folder)
    made = ged(tables["events"][1](), country, hosts)
    whole_file(to / "ged.csv", lambda f: made.to_csv(f, index=False))
    _codebook(to / "ged_codebook.csv", ("variable", "meaning"), GED.items())
    return ["ged.csv", "ged_codebook.csv"]


def _as_hks(folder, to, tables):
    made = hks(tables["monthly"][1](), _country(folder)[0] if "events" in tables else None)
    whole_file(to / "hks.csv", lambda f: made.to_csv(f, index=False))
    said = said_of(folder)
    said = {c: HKS.get(c) or said(c) for c in made}
    _codebook(to / "hks_codebook.csv", STATA_HEAD, write_stata(made, to / "hks.dta", said, "a conflict and month"))
    return ["hks.csv", "hks.dta", "hks_codebook.csv"]


def _as_stata(folder, to, tables):
    said, codebook = said_of(folder), []
    for name, (row, read) in tables.items():
        table = read()
        codebook += write_stata(table, to / f"{name}.dta", {c: said(c) for c in table}, f"{name}: a row is {row}")
    _codebook(to / "stata_codebook.csv", STATA_HEAD, codebook)
    return [*(f"{name}.dta" for name in tables), "stata_codebook.csv"]


FORMATS = {"ged": _as_ged, "hks": _as_hks, "stata": _as_stata}
STATA_HEAD = ("file", "variable", "column", "unit", "meaning")


def _country(folder):
    """Return the name of the country of a run, and the factions that are its government."""
    country = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))["country"]
    return country["name"], [name for name, faction in country["factions"].items() if faction["host"]]


def _codebook(path, head, rows):
    def write(draft):
        with draft.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])

    whole_file(path, write)


def export(folder: str | Path, form: str, to: str | Path | None = None) -> list[Path]:
    """Write what a folder of results has in a format of the field; return the paths of the files.

    Parameters
    ----------
    folder : str or Path, of a run or a sweep; form : ged, hks or stata; to : str or Path, none: the same folder

    Raises
    ------
    ValueError
        The folder has not what the format needs.
    """
    folder = Path(folder)
    to = Path(to or folder)
    return [to / name for name in FORMATS[form](folder, to, _tables(folder))]


def main(words: Sequence[str] | None = None) -> None:
    """Export what the command line names."""
    ask = argparse.ArgumentParser(prog="python -m sim.export", description=__doc__.splitlines()[0])
    ask.add_argument("folder", help="of a run or of a sweep")
    ask.add_argument("--format", required=True, choices=list(FORMATS))
    ask.add_argument("--to", help="folder for the files; without, the same one")
    given = ask.parse_args(words)
    with in_a_sentence(lambda: "nothing half-made was left"):
        for path in export(given.folder, given.format, given.to):
            print(path)


if __name__ == "__main__":
    main()
