"""How files of an experiment are written: each whole or not at all, and the same bytes of the same runs."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.results import whole_file

FORMATS: dict[str, dict[str, Any]] = {  # of figures
    "png": {"dpi": 150}, "pdf": {"metadata": {"CreationDate": None}}, "svg": {"metadata": {"Date": None}},
}  # fmt: skip
READABLE = {"svg.fonttype": "none", "svg.hashsalt": "0", "pdf.fonttype": 42}  # text stays text


def write_table(path: Path, table: pd.DataFrame, digits: int | None = None) -> None:
    """Write a table as CSV; with so many digits of its numbers, or with all."""
    form = f"%.{digits}g" if digits else None
    whole_file(path, functools.partial(table.to_csv, index=False, float_format=form))


def write_text(path: Path, text: str) -> None:
    """Write a text."""
    whole_file(path, functools.partial(Path.write_text, data=text, encoding="utf-8"))


def write_figure(folder: Path, name: str, figure: Figure, formats: Iterable[str]) -> None:
    """Write a figure in some of FORMATS."""
    for ending in formats:
        with rc_context(READABLE):
            whole_file(folder / f"{name}.{ending}", functools.partial(figure.savefig, **FORMATS[ending]))
        figure.set_layout_engine("none")  # it is laid out: the same in every format, and soon


def as_yaml(content: Any) -> str:
    """Return YAML, written by the C library where there is one: 10 times faster."""
    return yaml.dump(content, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
