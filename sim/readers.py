"""Tables from outside, read and checked: a reader for each kind that people bring.

They are written with spreadsheets and statistics packages, so a byte-order mark, UTF-16, latin-1, semicolons or tabs,
decimal commas, empty rows, and empty columns at the end are read as they are meant. Lines that begin with # are
comments. What cannot be right is refused in one sentence: file, line, column, what stands there, and what may.
"""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sim import params

MISSING = ("", "NA", "N/A", "nan", "NaN", ".")  # as spreadsheets, R, Python and Stata write what is not known
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
TIME = r"(?:[ T]00:00(?::00(?:\.0+)?)?)?"  # midnight, which spreadsheets and UCDP add to dates
YEAR_FIRST = re.compile(rf"(\d{{4}})[-/](\d{{1,2}})(?:[-/](\d{{1,2}}))?{TIME}", re.ASCII)
DAY_FIRST = re.compile(rf"(?:(\d{{1,2}})\.)?(\d{{1,2}})\.(\d{{4}}){TIME}", re.ASCII)
YEARS = (1900, 2100)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx, .ods and .xls begin
MOST = 1e9  # of what is counted
CELLS = ("row", "col", "population", "remoteness", "resources", "institutions")
HIGHEST = {"row": 1e4, "col": 1e4, "population": MOST}  # of the columns that are no shares
RECTANGLE = 4_000_000  # cells of the rectangle around a country, as many as a generated map may have
GEOGRAPHY = {"latitude": 90, "longitude": 180}
OBSERVED = (
    "civilians_killed", "battle_deaths", "events", "idps", "refugees", "aid_worker_incidents", "peacekeepers_killed",
    "uniformed",
)  # fmt: skip
PLACES = ("killed_before", "events_before", "killed_after")  # of which there must be columns
MORE = ("dead_before", "dead_after", "events_after")


@dataclass(frozen=True)
class CheckedTable:
    """A table as it stands in a file: texts by column, and the line of each row.

    Parameters
    ----------
    file : str, what names it, for errors, as "country.cells is 'mali_cells.csv'"
    columns : dict of lists of str; lines : list of int, from 1; comma : whether its decimals have a comma
    """

    file: str
    columns: dict[str, list[str]]
    lines: list[int]
    comma: bool = False

    def refuse(self, row: int, column: str, allowed: str) -> NoReturn:
        """Raise the sentence about a field: `allowed` says what may stand there."""
        given = self.columns[column][row]
        given = given if len(given) <= 40 else f"{given[:40]}..."
        raise ValueError(f"{self.file}, where {column} in line {self.lines[row]} is {given!r}; it must be {allowed}")

    def numbers(
        self, column: str, low: float = -np.inf, high: float = np.inf, whole: bool = False, empty: bool = False
    ) -> NDArray[np.float64]:
        """Return a column of numbers in a closed range: (n,) float, nan where `empty` fields are allowed and there."""
        found = np.full(len(self.lines), np.nan)
        for i, text in enumerate(self.columns[column]):
            if empty and text in MISSING:
                continue
            plain = text.replace(",", ".") if self.comma and "." not in text else text
            mixed = self.comma and "." in text
            value = float(plain) if NUMBER.fullmatch(plain) and not mixed else np.nan
            if not low <= value <= high or (whole and value % 1):
                kind = "a whole number" if whole else "a number"
                span = f" in [{low:g}, {high:g}]" if np.isfinite([low, high]).all() else ""
                how = ", with a decimal comma as elsewhere in the file" if mixed else ""
                self.refuse(i, column, kind + span + how + (", or empty" if empty else ""))
            found[i] = value
        return found

    def texts(self, column: str) -> NDArray[np.str_]:
        """Return a column of names, none of them empty: (n,) str."""
        for i, text in enumerate(self.columns[column]):
            if not text:
                self.refuse(i, column, "a name")
        return np.array(self.columns[column])

    def dates(self, column: str) -> list[date]:
        """Return a column of calendar dates: list of date."""
        found = [_date(text) for text in self.columns[column]]
        if None in found:
            self.refuse(found.index(None), column, f"a date from {YEARS[0]} to {YEARS[1]}, written YYYY-MM-DD")
        return found


def read(path: str | Path, setting: str, needed: Sequence[str] = (), known: Sequence[str] = ()) -> CheckedTable:
    """Read a table with a line of names.

    Parameters
    ----------
    path : of the file; setting : that names it, for errors
    needed : columns that must be there; known : those that may be; others may be there too, if they are not nearly one

    Raises
    ------
    ValueError
        One sentence that says what is wrong, and where.
    """
    path = Path(path)
    file = f"{setting} is {path.name!r}"
    if not path.is_file():
        near = path.parent.glob(f"*{path.suffix}") if path.parent.is_dir() else ()
        raise ValueError(f"{file}; no such file in {path.parent.name}/{_meant(path.name, [p.name for p in near])}")
    mark, head, *rows = _rows(path, file)
    names, rows = _names(file, head[1]), [row for row in rows if any(row[1])]
    if not rows:
        raise ValueError(f"{file}, which has a line of names and no rows")
    if lacking := [c for c in needed if c not in names]:
        near = _meant(lacking[0], [c for c in names if c not in needed])
        raise ValueError(f"{file} without the columns {', '.join(lacking)}; it has {', '.join(names)}{near}")
    for name in names:
        near = _meant(name, [c for c in known if c not in names]) if name not in (*needed, *known) else ""
        if near:
            raise ValueError(f"{file}, whose column {name} is not known{near}")
    for line, fields in rows:
        if any(fields[len(names) :]):
            raise ValueError(
                f"{file}, which has {len(fields)} fields in line {line}; its line of names has {len(names)}"
            )
    width = len(names)  # spreadsheets may leave out empty fields at the end of a row
    filled = [(fields + [""] * width)[:width] for _, fields in rows]
    comma = mark != "," and any(DECIMAL_COMMA.fullmatch(field) for fields in filled for field in fields)
    return CheckedTable(file, dict(zip(names, map(list, zip(*filled)))), [line for line, _ in rows], comma)


def _rows(path, file):
    """Return what parts its fields, and its rows from the line of names on: [mark, (line, fields), ...]."""
    text = _text(path, file)
    lines = ["\n" if line.lstrip(' "').startswith("#") else line for line in io.StringIO(text, newline="")]
    head = next((line for line in lines if line.strip(" ,;\t\r\n")), None)
    if head is None:
        raise ValueError(f"{file}, which is empty")
    mark = max(",;\t", key=head.count)
    reader = csv.reader(lines, delimiter=mark, strict=True, skipinitialspace=True)
    try:
        rows = [(reader.line_num, [field.strip() for field in fields]) for fields in reader]
    except csv.Error as error:
        raise ValueError(f"{file}, whose line {reader.line_num} cannot be read: {error}") from None
    return [mark, *rows[next(i for i, (_, fields) in enumerate(rows) if any(fields)) :]]


def _text(path, file):
    raw = path.read_bytes()
    if raw.startswith(WORKBOOKS):
        raise ValueError(f"{file}, which is a workbook; save it as CSV")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError(f"{file}, which is not text; save it as CSV in UTF-8")


def _names(file, fields):
    """Return the names of columns, without empty ones at the end."""
    names = list(fields)
    while not names[-1]:
        names.pop()
    if "" in names:
        raise ValueError(f"{file}, whose column {names.index('') + 1} has no name")
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(
                f"{file}, which has {name} twice, as columns {names.index(name) + 1} and {i + 1}; a name stands once"
            )
    return names


def _meant(name, choices):
    """Return a question after what was meant, or nothing."""
    near = difflib.get_close_matches(name.lower(), [c.lower() for c in choices], 1, 0.8)
    return f"; did you mean {next(c for c in choices if c.lower() == near[0])}?" if near else ""


def _date(text, needs_day=True):
    """Return the date that a text is, as spreadsheets write it, or None; without a day it is the first of its month."""
    if found := YEAR_FIRST.fullmatch(text):
        year, month, day = found.groups()
    elif found := DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
    else:
        return None
    try:
        there = date(int(year), int(month), int(day or 1))
    except ValueError:  # the 31st of a short month, a 13th month
        return None
    return there if YEARS[0] <= there.year <= YEARS[1] and (day or not needs_day) else None


# ---------------------------------------------------------------------------------- the kinds of table


def cells(path: str | Path, setting: str) -> dict[str, Any]:
    """Read the cells of a country: a dictionary.

    Returns
    -------
    dict: row, col (C,) int; population (C,) persons; remoteness, resources, institutions (C,) 0..1; shares, community
    -> (C,) relative; and where the table has them admin1 (C,) str, latitude and longitude (C,) degrees
    """
    table = read(path, setting, CELLS, ("admin1", "border", *GEOGRAPHY))
    shares = [c for c in table.columns if c.startswith("share_")]
    if not shares:
        raise ValueError(f"{table.file} without the columns share_<community>; it has {', '.join(table.columns)}")
    if len(table.lines) < 2:
        raise ValueError(f"{table.file} with {len(table.lines)} cells; at least 2 are needed")
    found: dict[str, Any] = {c: table.numbers(c, 0, HIGHEST.get(c, 1), whole=c in ("row", "col")) for c in CELLS}
    found |= {c: found[c].astype(int) for c in ("row", "col")}
    rows, cols = (int(found[c].max()) + 1 for c in ("row", "col"))
    if rows * cols > RECTANGLE:
        raise ValueError(f"{table.file}, whose cells lie in a rectangle of {rows:,} rows and {cols:,} columns; it may "
                         f"have at most {RECTANGLE:,} cells: number rows and columns from 0")  # fmt: skip
    found["shares"] = {c.removeprefix("share_"): table.numbers(c, 0, MOST) for c in shares}
    if nobody := np.flatnonzero(sum(found["shares"].values()) <= 0).tolist():
        raise ValueError(
            f"{table.file}, where the shares in line {table.lines[nobody[0]]} sum to 0; they must sum to 1"
        )
    first = {}
    for line, cell in zip(table.lines, zip(found["row"].tolist(), found["col"].tolist())):
        if cell in first:
            raise ValueError(
                f"{table.file} with row {cell[0]}, col {cell[1]} twice, in lines {first[cell]} and {line}; "
                "a cell stands once"
            )
        first[cell] = line
    if found["population"].sum() < 1:
        raise ValueError(f"{table.file} with nobody in it; population must be positive")
    if "admin1" in table.columns:
        found["admin1"] = table.texts("admin1")
    there = [c for c in GEOGRAPHY if c in table.columns]
    if len(there) == 1:
        raise ValueError(f"{table.file} with {there[0]} alone; latitude and longitude go together")
    return found | {c: table.numbers(c, -GEOGRAPHY[c], GEOGRAPHY[c]) for c in there}


def months(*files: tuple[str | Path, str]) -> dict[str, NDArray[Any]]:
    """Read observed months, from one file or from several that follow each other.

    A month without a row between the first and the last, an empty field and a column that is not there are nan: not
    known, which is not 0.

    Parameters
    ----------
    *files : (path, setting) of each

    Returns
    -------
    dict: month, (n,) str as YYYY-MM, every one from the first to the last; and OBSERVED, each (n,) float
    """
    known = {}  # month -> (name of file, line, numbers)
    for path, setting in files:
        table = read(path, setting, ["month"], OBSERVED)
        days = [_date(text, needs_day=False) for text in table.columns["month"]]
        if None in days:
            table.refuse(days.index(None), "month", f"a month from {YEARS[0]} to {YEARS[1]}, written YYYY-MM")
        nothing = np.full(len(days), np.nan)
        values = [table.numbers(c, 0, MOST, empty=True) if c in table.columns else nothing for c in OBSERVED]
        for i, (day, numbers) in enumerate(zip(days, np.column_stack(values))):
            month = day.year * 12 + day.month - 1
            if month in known:
                name, line, _ = known[month]
                table.refuse(i, "month", f"there once, and stands in line {line} of {name} already")
            known[month] = (Path(path).name, table.lines[i], numbers)
    every = range(min(known), max(known) + 1)
    unknown = np.full(len(OBSERVED), np.nan)
    numbers = np.array([known[m][2] if m in known else unknown for m in every])
    return {"month": np.array([f"{m // 12:04d}-{m % 12 + 1:02d}" for m in every]), **dict(zip(OBSERVED, numbers.T))}


def places(path: str | Path, setting: str) -> dict[str, NDArray[Any]]:
    """Read what was observed by first-level unit.

    Returns
    -------
    dict: admin1, (n,) str; PLACES, and those of MORE that are there, each (n,) float, nan where nothing is known
    """
    table = read(path, setting, ["admin1", *PLACES], MORE)
    names = table.texts("admin1")
    for i, name in enumerate(names):
        if name in names[:i]:
            line = table.lines[names.tolist().index(name)]
            table.refuse(i, "admin1", f"there once, and stands in line {line} already")
    return {
        "admin1": names,
        **{c: table.numbers(c, 0, MOST, empty=True) for c in (*PLACES, *MORE) if c in table.columns},
    }


def calibration(path: str | Path, setting: str) -> dict[str, NDArray[Any]]:
    """Read the draws of a calibration: a dictionary of columns.

    Returns
    -------
    dict: seed (n,) int; distance (n,) float; and each parameter by its dotted name, (n,) float in its range
    """
    table = read(path, setting, ["seed", "distance"])
    low, high = _range("seed")
    found: dict[str, NDArray[Any]] = {"seed": table.numbers("seed", low, high, whole=True).astype(np.int64)}
    found["distance"] = table.numbers("distance", 0, np.inf)
    for name in [c for c in table.columns if c not in found]:
        if _range(name) is None or "." not in name:
            near = _meant(name, ["seed", "distance", *(path for path, *_ in params.rows())])
            raise ValueError(f"{table.file}, whose column {name} is no number of the model{near}")
        found[name] = table.numbers(name, *_range(name))
    return found


@cache
def _range(name):
    """Return the range of a number of the model by its dotted name, or None."""
    found = (span for path, _, _, span, *_ in params.rows() if _pattern(path).fullmatch(name))
    return next(found, None)


@cache
def _pattern(path):
    return re.compile(re.escape(path).replace("<name>", "[^.]+"))
