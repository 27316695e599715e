"""The report of an experiment, in Markdown: its question, its figures, means, and what to notice."""

from typing import Any

import pandas as pd

from experiments.comparison import sweeps
from experiments.drawing import estimates, statistics, style
from experiments.engine.experiment import Experiment

REPORTED = ("civilians_killed", "deaths", "access", "cost")  # if the experiment does not say which outcomes


def asked(x: Experiment) -> dict[str, Any]:
    """Return what an experiment says of its figure over one setting: outcomes and reference, if it says so."""
    return {k: x.about.analysis[k] for k in ("outcomes", "reference") if k in x.about.analysis}


def page(x: Experiment) -> str:
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
    figures = [f"![{x.found.get(name, name)}]({name}.png)" for name in x.figures]
    bounds = sweeps.not_ruled_out(sweeps.judged(x.tables, x.baseline, **asked(x))) if "over" in x.figures else ""
    figures += [bounds] if bounds else []
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
