"""The table of levers: what each setting that people argue about does to what they look at.

    python -m experiments levers

Question: which levers move anything, which way, and is it by the mechanism that is named?

Things to notice: a row has a sign that its authors expected before they looked, or none ("open"). Beside each estimate
stands the same lever with its mechanism switched off: what is left then is not by that mechanism. A row that comes out
the other way than expected is reported as reversed; nothing is tuned.

Things to try: rows of your own in a file of conf/levers (of a configuration folder of your own, too); a few rows alone,
with few seeds: `experiment.analysis.rows=[misinformation] experiment.seeds=8`.

A row compares two settings, seed by seed, in the same worlds with the same luck. What counts is estimated as a ratio:
the mean of the paired log ratio, so that one world that explodes does not speak for all; shares as a difference. Every
interval is a 95% interval of its row alone; open rows are judged all together, for nobody said beforehand which way.
Rows that show nothing are given more seeds (`more_seeds`) before they are reported, and where they then show something,
so are they without the mechanism; a second look adds a little to the one row in forty that shows something by luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd
import yaml

from experiments.drawing import estimates, family, style
from experiments.drawing.estimates import markdown, number
from experiments.drawing.statistics import interval, require
from experiments.engine.experiment import Experiment
from experiments.levers import figures
from sim import paths
from sim.outcomes import unit_and_meaning
from sim.values import among, no_setting

EXPECTED = ("rise", "fall", "open")
SHOWN, REVERSED, UNSEEN, MOVES, STILL = "as expected", "reversed", "not shown", "moves", "not told apart from nothing"
LEFT, GONE, NONE = "still there", "gone", ""
SETTINGS = ("base", "low", "high", "without")
READING = """\
Low and high are means over seeds. The effect is the mean of the paired ratio of each seed, on a log scale, so that one
world that explodes does not speak for all: it may lie on the other side of one than the ratio of the two means. Of
shares it is the mean difference. Every interval is a 95% interval of its row alone. What the settings are stands in
`levers.csv`, and in `conf/levers` under the name of the row."""


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A row: a question, two settings, an outcome, and what switches the mechanism off."""

    name: str
    subject: str  # the file that it stands in
    question: str
    asked_by: str
    low: list[str]
    high: list[str]
    outcome: str
    expected: str
    withdrawn: str = ""  # a sign that was expected, and is not shown with all seeds: asked openly now
    base: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)  # what takes the mechanism away; none: `low` is without it

    def arms(self) -> dict[str, list[str]]:
        """Return the overrides of each setting by label."""
        found = {"low": [*self.base, *self.low], "high": [*self.base, *self.high]}
        if self.without:
            found |= {f"{how}, off": [*overrides, *self.without] for how, overrides in found.items()}
        return {f"{self.name}: {how}": overrides for how, overrides in found.items()}


def levers(names: Sequence[str] | None = None) -> list[Lever]:
    """Read the rows of conf/levers, the project's and users' own, in the order of files and rows.

    Raises
    ------
    ValueError
        A row that lacks something or has too much, in one sentence.
    """
    found = {}
    for subject in paths.choices("levers"):
        files = [folder / "levers" / f"{subject}.yaml" for folder in (paths.CONF, *paths.own_folders())]
        rows = yaml.safe_load(next(f for f in files if f.is_file()).read_text(encoding="utf-8")) or {}
        for name, row in rows.items():
            where = f"conf/levers/{subject}.yaml: {name}"
            _refuse(where, name, row, found)
            found[name] = Lever(name=name, subject=subject, **row)
    if names:
        require(names, found, "row")
    return [found[n] for n in names or found]


def _refuse(where, name, row, found):
    known = [f.name for f in fields(Lever) if f.name not in ("name", "subject")]
    needed = [n for n in known if n not in ("base", "without", "withdrawn")]
    if not isinstance(row, dict):
        raise ValueError(f"{where} is {row!r}; a row has {', '.join(known)}")
    if unknown := sorted(set(row) - set(known)):
        raise ValueError(no_setting(f"{where}.{unknown[0]}", known))
    if missing := [n for n in needed if n not in row]:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    if row["expected"] not in EXPECTED:
        raise ValueError(f"{where}: expected is {row['expected']!r}{among(row['expected'], EXPECTED)}")
    if row.get("withdrawn") and (row["expected"] != "open" or row["withdrawn"] not in EXPECTED[:2]):
        raise ValueError(
            f"{where}: withdrawn is {row['withdrawn']!r}; it is rise or fall, of a row whose expected is open"
        )
    if name in found:
        raise ValueError(f"{where} is in conf/levers/{found[name].subject}.yaml, too")


def plan(x: Experiment) -> dict[str, int]:
    """Name the settings of every row; a setting that two rows share is run once."""
    wanted = {}
    for lever in levers(x.about.analysis.get("rows")):
        for label, overrides in lever.arms().items():
            x.name_scenario(label, [*x.about.common, *overrides], {"arm": label})
            wanted[label] = x.about.seeds
    return wanted


def analyse(x: Experiment) -> None:
    """Write the table and draw it."""
    rows, more = levers(x.about.analysis.get("rows")), x.about.analysis["more_seeds"] or 0
    table = judged(rows, x.runs)
    again = _having(rows, table, (UNSEEN, STILL, REVERSED))
    if again and more > x.about.seeds:
        settings = {label: more for row in again for label in replace(row, without=[]).arms()}
        x.do(settings, f"{len(again)} rows not shown, {more} seeds")
        seen = _having(again, judged(rows, x.runs), (SHOWN, MOVES, REVERSED))
        if seen:
            x.do({label: more for row in seen for label in row.arms()}, f"{len(seen)} of them, without the mechanism")
        table = judged(rows, x.runs)
    x.write({"levers": table}, {"levers.md": told(table)}, digits=4)
    x.write_provenance()
    x.write(figures={f"levers_{part}" if part else "levers": figure for part, figure in _drawn(table)})


def _having(rows, table, verdicts):
    """Return the rows whose verdict is one of some."""
    found = table.set_index("row").verdict
    return [row for row in rows if found[row.name] in verdicts]


def _drawn(table):
    """Yield the table as one figure, or as an overview and parts that fit a page each."""
    if len(table) > figures.MOST_ROWS:
        yield "", figures.overview(table)
        yield from ((subject, figures.table(some)) for subject, some in table.groupby("subject", sort=False))
    else:
        yield "", figures.table(table)


# ---------------------------------------------------------------------------------- judging


def judged(rows: Sequence[Lever], runs: pd.DataFrame) -> pd.DataFrame:
    """Return the table of levers.

    Parameters
    ----------
    rows : list of Lever; runs : DataFrame, arm (labels of settings), seed, outcomes

    Returns
    -------
    DataFrame, a row a lever: what it asks, its settings, means of both, their difference, effect (a ratio; of shares a
    difference) with its 95% interval, the same with the mechanism off, verdict, off_verdict
    """
    out, opened = [], {}
    for lever in rows:
        require([lever.outcome], runs.columns, "outcome")
        values = {how: _of(runs, f"{lever.name}: {how}", lever.outcome) for how in ("low", "high")}
        share = unit_and_meaning(lever.outcome)[0] in ("share", "0/1")
        effect = _effect(values["low"], values["high"], share)
        off = {how: _of(runs, f"{lever.name}: {how}, off", lever.outcome) for how in ("low", "high")}
        without = _effect(off["low"], off["high"], share) if lever.without else pd.Series(dtype=float)
        if lever.expected == "open":
            opened[lever.name] = effect
        out.append({
            "subject": lever.subject, "row": lever.name, "question": lever.question, "asked_by": lever.asked_by,
            "outcome": lever.outcome, "unit": "difference" if share else "ratio", "expected": lever.expected,
            "withdrawn": lever.withdrawn, **{s: " ".join(getattr(lever, s)) for s in SETTINGS},
            "seeds": int(effect.notna().sum()), "low_mean": values["low"].mean(), "high_mean": values["high"].mean(),
            "difference": (values["high"] - values["low"]).mean(), **_three("effect", effect, share),
            **_three("off", without, share),
        })  # fmt: skip
    table = pd.DataFrame(out)
    sure = family.together(pd.DataFrame(opened)).sure if opened else {}
    table["verdict"] = [_verdict(r, sure.get(r.row)) for r in table.itertuples()]
    table["off_verdict"] = [_without(r) for r in table.itertuples()]
    return table


def _of(runs, label, outcome):
    return runs[runs["arm"] == label].set_index("seed")[outcome].astype(float)


def _effect(low, high, share):
    """Return the effect of each seed: a difference of shares, or the logarithm of a ratio."""
    if share:
        return high - low
    return np.log((high + estimates.NO_DEATHS) / (low + estimates.NO_DEATHS))


def _three(name, effect, share):
    found = interval(effect)
    return dict(zip((name, f"{name}_low", f"{name}_high"), found if share else np.exp(found), strict=True))


def _nothing(row):
    return 0.0 if row.unit == "difference" else 1.0


def _verdict(row, sure):
    nothing = _nothing(row)
    if row.expected == "open":
        return MOVES if sure else STILL
    rises, falls = row.effect_low > nothing, row.effect_high < nothing
    if not (rises or falls):
        return UNSEEN
    return SHOWN if rises == (row.expected == "rise") else REVERSED


def _without(row):
    """Say whether anything is left of a lever when its mechanism is off."""
    if not np.isfinite(row.off):
        return NONE
    nothing = _nothing(row)
    left = row.off_low > nothing or row.off_high < nothing
    return LEFT if left else GONE


# ---------------------------------------------------------------------------------- telling


def told(table: pd.DataFrame) -> str:
    """Return the table in Markdown, subject by subject."""
    count = table.verdict.value_counts()
    lines = [
        "# Levers",
        "",
        ", ".join(f"{n} {verdict}" for verdict, n in count.items()) + f", of {len(table)} rows.",
        "",
        f"{READING} Of {(table.without == '').sum()} rows the low setting itself is without the mechanism.",
        "",
    ]
    for subject, some in table.groupby("subject", sort=False):
        shown = pd.DataFrame({
            "row": some.row, "question": some.question, "asked by": some.asked_by,
            "outcome": [style.meant(o) for o in some.outcome],
            "expected": [f"{r.withdrawn} (withdrawn)" if r.withdrawn else r.expected for r in some.itertuples()],
            "seeds": some.seeds, "low": some.low_mean.map(number), "high": some.high_mean.map(number),
            "effect": [_said(r, "effect") for r in some.itertuples()],
            "mechanism off": [_said(r, "off") if r.without else "as low" for r in some.itertuples()],
            "verdict": some.verdict,
        })  # fmt: skip
        lines += [f"## {subject.replace('_', ' ').capitalize()}", "", markdown(shown)]
    return "\n".join(lines)


def _said(row, name):
    mean, low, high = (getattr(row, n) for n in (name, f"{name}_low", f"{name}_high"))
    if not np.isfinite(mean):
        return ""
    if row.unit == "ratio":
        return f"x{mean:.3g} [{low:.3g}, {high:.3g}]"
    return f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] points"
