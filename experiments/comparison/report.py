"""The report of an experiment, and what documents say of experiments: the README's table, the page of questions.

`python -m experiments.comparison.report` brings the documents up to date.
"""

import re

import pandas as pd

from experiments.drawing import estimates, statistics, style
from experiments.engine.experiment import names
from sim.config import composed
from sim.paths import ROOT
from sim.results import whole_file

README = ROOT / "README.md"
QUESTIONS = ROOT / "docs" / "questions.md"
SUMMARY = ROOT / "results" / "mission_models" / "summary.csv"
BLOCK = re.compile(r"(<!-- generated: (?:results|questions) -->\n).*?(<!-- end -->)", re.DOTALL)
REPORTED = ("civilians_killed", "deaths", "access", "cost")  # if the experiment does not say which outcomes
HEAD = (
    "mission model", "civilians killed", "difference from none", "all civilian deaths, difference", "aid teams' access",
    "missions asked to go", "peace at exit", "of these, war again in ten years", "spent, bn US$",
)  # fmt: skip


def rounded(x):
    """Return a number with two significant digits and commas."""
    if x != x:
        return ""
    digits = max(len(str(int(abs(x)))) - 2, 0)
    return f"{round(x, -digits) + 0.0:,.0f}"


def table(summary):
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


def page(x):
    """Return the report of an experiment in Markdown: its question, figures, means, and what to notice.

    Parameters
    ----------
    x : experiments.engine.experiment.Experiment whose runs are done
    """
    outcomes, scenario = x.about.analysis.get("outcomes", REPORTED), ["arm", *x.tables.settings]
    rows = []
    for key, mine in x.runs.groupby(scenario, sort=False, dropna=False):
        said = [_shown(mine[o].dropna().to_numpy(float), style.unit(o)) for o in outcomes]
        rows.append([*("" if v != v else v for v in key), *said])
    rows = pd.DataFrame(rows, columns=[*scenario, *map(style.meaning, outcomes)])
    seeds = f"Means and their 95% intervals, {x.runs['seed'].nunique()} seeds."
    figures = [f"![{name}]({name}.png)" for name in x.figures]
    parts = [f"# {style.label(x.name)}", x.about.question, *figures, seeds, estimates.markdown(rows).strip()]
    if x.about.notice:
        parts += ["## What to notice", x.about.notice.strip()]
    return "\n\n".join(parts) + "\n"


def _shown(values, unit):
    """Return a mean with its interval, as short as can be."""
    if not values.size:
        return "nothing to measure"
    share = unit in ("share", "0/1")
    mean, low, high = statistics.level(values, share)
    by, said = style.scaled_unit(unit, abs(mean))
    ends = f" [{style.short_number(low / by)}, {style.short_number(high / by)}]" if low == low else ""
    return f"{style.short_number(mean / by)}{ends}{'' if share else f' {said}'}"


def questions():
    """Return, in Markdown, the experiments that say what to notice: the question, the command, what to notice."""
    parts = []
    for name in names():
        about = composed([f"experiment={name}"]).experiment
        if about.notice:
            command = f"```sh\npython -m experiments {name}\n```"
            parts.append(f"## {about.question}\n\n{command}\n\n{about.notice.strip()}\n")
    return "\n".join(parts)


def brought_up_to_date(text, made=None):
    """Return a document with what is generated in it made anew; if it is not said what: the table of results."""
    made = table(pd.read_csv(SUMMARY)) if made is None else made
    return BLOCK.sub(lambda found: f"{found[1]}{made}\n{found[2]}", text)


if __name__ == "__main__":
    for path, made in ((README, None), (QUESTIONS, questions())):
        now = brought_up_to_date(path.read_text(encoding="utf-8"), made)
        whole_file(path, lambda draft, now=now: draft.write_text(now, encoding="utf-8"))
