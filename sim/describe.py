"""The parts of the documents that follow from the code: `python -m sim.describe` brings them up to date.

Each part stands between `<!-- generated: name -->` and `<!-- end -->`; the numbers of the sections on processes follow
the schedule. A test fails when one is out of step.
"""

import csv
import inspect
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import yaml

from sim import outcomes, params, state
from sim.model import SCHEDULE
from sim.paths import CONF, ROOT
from sim.results import whole_file
from sim.shocks import THINGS

ODD, COLUMNS = (ROOT / "docs" / name for name in ("odd.md", "columns.md"))
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
HEADING = re.compile(r"^### 7\.\d+ (\w+)$", re.MULTILINE)  # of the section on a process
STANDING = {  # what a source says of its number, by its first word
    "number": "the source gives the number or its range",
    "order": "the source gives the order of magnitude",
    "sign": "the source gives the direction of the effect; its size is assumed",
    "mechanism": "the source argues for the mechanism; the size is assumed",
    "assumed": "no estimate was found",
    "scenario": "set by a country, mission or run; not a claim about the world",
}


def standing(source: str) -> str:
    """Return how well a number is known, from the first word of its source."""
    word = re.split(r"\W", source, maxsplit=1)[0]
    return word if word in STANDING else "number"


def counts() -> dict[str, int]:
    """Count the numbers of the model by how well they are known."""
    found = Counter(standing(source) for *_, source in params.rows())
    return {word: found[word] for word in STANDING}


def table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)


def sources() -> str:
    """Say how many numbers have a source of which kind."""
    n = counts()
    total = table(["standing", "numbers", "meaning"], [(w, n[w], STANDING[w]) for w in STANDING])
    return f"{sum(n.values())} numbers are declared; {n['assumed']} of them are assumed.\n\n{total}"


def schedule() -> str:
    """List the processes of a week, in order, by the first sentence of their modules."""
    lines = []
    for number, process in enumerate(SCHEDULE, start=1):
        said = (inspect.getmodule(process).__doc__ or "").split("\n\n")[0].replace("\n", " ")
        rest = re.split("[:;,.] ", said, maxsplit=1)[1]
        lines.append((number, f"`{process.__name__}`", rest[0].upper() + rest[1:]))
    return table(["order", "process", "what happens"], lines)


def states() -> str:
    """List every state variable with shape, unit or range, as the declarations say."""
    parts = []
    kinds = (k for k in vars(state).values() if isinstance(k, type) and is_dataclass(k) and k is not state.Numbers)
    for kind in kinds:
        comments = dict(re.findall(r"^ {4}(\w+):[^#\n]*#\s*(.*)$", inspect.getsource(kind), re.MULTILINE))
        own = [f for f in fields(kind) if not is_dataclass(f.type)]  # World has tables, too
        lines = [(f"`{f.name}`", f.metadata.get("doc") or comments.get(f.name, "")) for f in own]
        said = " ".join((kind.__doc__ or "").split())
        parts.append(f"**{kind.__name__}.** {said}\n\n{table(['variable', 'shape, unit or range, meaning'], lines)}")
    return "\n\n".join(parts)


def measures() -> str:
    """List what is observed every week."""
    lines = []
    for o in outcomes.OUTCOMES:
        column = outcomes.columns_of(o, ["<faction>"], ["<mission>"])[0]
        lines.append((f"`{column}`", o.unit, o.month, o.meaning))
    return table(["column", "unit", "weeks make a month by", "meaning"], lines)


def columns() -> str:
    """List every column of the weekly and the monthly tables, as a run's columns.csv does."""
    _, *lines = csv.reader(outcomes.dictionary().splitlines())
    return table(
        ["column", "unit", "weeks make a month by", "meaning"], [(f"`{name}`", *rest) for name, *rest in lines]
    )


def totals() -> str:
    """List what only a whole run has."""
    lines = [(f"`{name}`", unit, meaning) for name, (unit, meaning) in outcomes.TOTALS.items()]
    return table(["column", "unit", "meaning"], lines)


def events() -> str:
    """List the columns of the table of events, in their order."""
    return table(["column", "unit", "meaning"], [(f"`{c}`", *said) for c, said in outcomes.EVENT_COLUMNS.items()])


def cells() -> str:
    """List the columns of the table of cells and months."""
    known = {**outcomes.CELL_COLUMNS, **outcomes.MAPS}
    return table(["column", "unit", "meaning"], [(f"`{c}`", *said) for c, said in known.items()])


def numbers() -> str:
    """List every declared number, in a table for each group."""
    groups = {}
    for name, default, unit, (low, high), doc, source in params.rows():
        group = next((g for g in GROUPS if name.startswith(g)), "")
        line = (f"`{name}`", f"{default:g}", unit, f"{low:g} to {high:g}", doc, source)
        groups.setdefault(group, []).append(line)
    head = ["parameter", "default", "unit", "range", "meaning", "source"]
    return "\n\n".join(f"#### {GROUPS.get(g, 'The run')}\n\n{table(head, lines)}" for g, lines in groups.items())


GROUPS = {"country.": "`country`: the land, its people, its factions", "mission.": "`mission`: the missions",
          "events.": "`events`: shocks in time",
          "personnel.": "`personnel`: what each kind of personnel can do"}  # fmt: skip
GROUPS |= {
    f"{f.name}.": f"`{f.name}`: {(f.type.__doc__ or '').splitlines()[0].rstrip('.')}"
    for f in fields(params.Params)
    if is_dataclass(f.type) and f"{f.name}." not in GROUPS and f.name != "processes"
}


def choices() -> str:
    """List the missions, mandates and forces that are data, each with what it sets."""
    parts = []
    for folder in ("mission", "force", "mandate"):
        lines = []
        for path in sorted((CONF / folder).glob("*.yaml")):
            said = yaml.safe_load(path.read_text(encoding="utf-8"))
            more = "; ".join(said["cases"]) if "cases" in said else _in_words(said)
            lines.append((f"`{path.stem}`", said["summary"], more))
        head = [folder, "what it is", "cases" if "cases" in said else "settings"]
        parts.append(f"**conf/{folder}/**\n\n{table(head, lines)}")
    return "\n\n".join(parts)


def shocks() -> str:
    """List what an event can move, and the ready-made events."""
    lines = [
        (f"`{n}`", f"{t.low:g} to {t.high:g} {t.unit}", "stock" if t.stock else "condition", t.what)
        for n, t in THINGS.items()
    ]
    ready = []
    for path in sorted((CONF / "events").glob("*.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))[path.stem]
        ready.append((f"`{path.stem}`", said["summary"], ", ".join(f"`{m}`" for m in said["moves"]), said["source"]))
    can = table(["moves", "range", "kind", "what it is"], lines)
    return f"{can}\n\n**conf/events/**\n\n{table(['event', 'what happens', 'moves', 'source'], ready)}"


def _in_words(given):
    groups = [f"{k} ({_in_words(v)})" for k, v in given.items() if isinstance(v, dict)]
    return ", ".join(groups + [f"{k} {v:,}" for k, v in given.items() if type(v) in (int, float)])


PARTS = {"sources": sources, "schedule": schedule, "states": states, "measures": measures, "numbers": numbers,
         "choices": choices, "columns": columns, "totals": totals, "events": events,
         "cells": cells, "shocks": shocks}  # fmt: skip


def _numbered(found):
    """Return the heading of the section on a process with its number in the week; the parameters come last."""
    names = [process.__name__ for process in SCHEDULE]
    name = found[1].lower()
    return f"### 7.{names.index(name) + 1 if name in names else len(names) + 1} {found[1]}"


def brought_up_to_date(text: str) -> str:
    """Return a document with every generated part and every number of a process made anew."""
    text = HEADING.sub(_numbered, text)
    return BLOCK.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", text)


def main() -> None:
    """Write the documents, and say how many numbers have which kind of source."""
    for path in (ODD, COLUMNS):
        text = brought_up_to_date(path.read_text(encoding="utf-8"))
        whole_file(path, partial(Path.write_text, data=text, encoding="utf-8"))
    print(", ".join(f"{word} {n}" for word, n in counts().items()) + f"; of {sum(counts().values())} numbers")


if __name__ == "__main__":
    main()
