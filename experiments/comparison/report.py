"""What documents say of experiments: the README's table of results, the page of questions, the tables of lessons.

`python -m experiments.comparison.report` brings the documents up to date.
"""

import re
from functools import partial
from pathlib import Path
from textwrap import fill

import pandas as pd
import yaml

from experiments.comparison import lessons
from experiments.drawing import style
from experiments.engine.experiment import names
from sim import paths
from sim.paths import ROOT
from sim.results import whole_file

README = ROOT / "README.md"
QUESTIONS = ROOT / "docs" / "questions.md"
LESSONS = ROOT / "docs" / "lessons"
COUNTED = ROOT / "results" / "lessons" / "lessons.csv"
A_LINE = 145  # letters, of prose
SUMMARY = ROOT / "results" / "mission_models" / "summary.csv"
BLOCK = re.compile(r"(<!-- generated: (?:results|questions|lesson) -->\n).*?(<!-- end -->)", re.DOTALL)
FIGURE = re.compile(r"^!\[(.+?)\]\(\w+\.png\)$", re.MULTILINE)
BOUNDS = re.compile(r"^Differences not ruled out.*$", re.MULTILINE)
SEEDS = re.compile(r"95% intervals, (\d+ seeds)\.")
HEAD = (
    "mission model", "civilians killed", "difference from none", "all civilian deaths, difference", "aid teams' access",
    "missions asked to go", "peace at exit", "of these, war again in ten years", "spent, bn US$",
)  # fmt: skip


def rounded(x: float) -> str:
    """Return a number with two significant digits and commas."""
    if x != x:
        return ""
    digits = max(len(str(int(abs(x)))) - 2, 0)
    return f"{round(x, -digits) + 0.0:,.0f}"


def table(summary: pd.DataFrame) -> str:
    """Return the table in Markdown.

    Parameters
    ----------
    summary : data frame as in summary.csv: arm, outcome, mean, difference and the bounds of its 95% interval
    """
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for arm in dict.fromkeys(summary.arm):
        of = summary[summary.arm == arm].set_index("outcome")

        def change(outcome, of=of):
            d = of.loc[outcome]
            known = d.difference == d.difference
            return f"{rounded(d.difference)} [{rounded(d.diff_low)}, {rounded(d.diff_high)}]" if known else ""

        def share(outcome, of=of):
            x = of["mean"].get(outcome, float("nan"))
            return f"{x:.0%}" if x == x else ""

        spent = of.loc["cost", "mean"] / 1e9
        lines.append("| " + " | ".join([
            style.label(arm), rounded(of.loc["civilians_killed", "mean"]), change("civilians_killed"), change("deaths"),
            share("access"), f"{of.loc['missions_expelled', 'mean']:.2f}" if spent else "", share("peace_at_exit"),
            share("relapse"), f"{spent:.1f}" if spent else "",
        ]) + " |")  # fmt: skip
    return "\n".join(lines)


def questions() -> str:
    """Return, in Markdown, the experiments that say what to notice: the question, the command, what to notice."""
    parts = []
    for name in names():
        about = yaml.safe_load(paths.file_of("experiment", f"{name}.yaml").read_text(encoding="utf-8"))["experiment"]
        if "notice" in about:
            command = f"```sh\npython -m experiments {name}\n```"
            parts += [f"## {about['question']}\n\n{command}\n", f"{fill(about['notice'], A_LINE)}\n"]
            parts += _found(name, about)
    return "\n".join(parts)


def _found(name, about):
    """Yield what was found when an experiment was last run, if its report is kept: titles, and what may still be."""
    kept = ROOT / "results" / name / "report.md"
    text = kept.read_text(encoding="utf-8") if kept.is_file() else ""
    titles = [t.removeprefix(about["question"]).strip() for t in FIGURE.findall(text)]
    if titles:
        said = f"*Found* with {SEEDS.findall(text)[0]}: {' '.join(dict.fromkeys([*titles, *BOUNDS.findall(text)]))}"
        yield f"{fill(said, A_LINE)}\n"


def brought_up_to_date(text: str, made: str | None = None) -> str:
    """Return a document with what is generated in it made anew; if it is not said what: the table of results."""
    made = table(pd.read_csv(SUMMARY)) if made is None else made
    return BLOCK.sub(lambda found: f"{found[1]}{made}\n{found[2]}", text)


if __name__ == "__main__":
    counted = pd.read_csv(COUNTED) if COUNTED.is_file() else None
    sheets = [] if counted is None else [(LESSONS / f"{n}.md", lessons.shown(counted, n)) for n in set(counted.lesson)]
    for path, made in ((README, None), (QUESTIONS, questions()), *sheets):
        now = brought_up_to_date(path.read_text(encoding="utf-8"), made)
        whole_file(path, partial(Path.write_text, data=now, encoding="utf-8"))
