"""The sensitivity analysis on a page: what its tables say, in Markdown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.drawing.estimates import markdown
from experiments.drawing.style import label, lowered, meaning, meant
from experiments.sensitivity.indices import LEVEL, OFFSET, against, is_dummy

LITTLE = np.log2(1.1)  # doublings: a count that changes by less than a tenth


def percent(share: float) -> str:
    """Return a share as people write it: 42%."""
    return f"{100 * share:.0f}%"


def ratio(doublings: float, outcome: str) -> str:
    """Return a change as a ratio of counts, or in points of a share."""
    return f"{100 * doublings:+.0f} points" if OFFSET[outcome] is None else f"×{2.0**doublings:.2g}"


def where_first(first: pd.DataFrame) -> pd.DataFrame:
    """Return the table of shares: a row a model, a column an outcome, each first (surely to perhaps)."""
    shares = zip(first["first"], first.surely, first.perhaps)
    said = first.assign(outcome=first.outcome.map(meaning), arm=first.arm.map(label),
                        said=[f"{percent(a)} ({percent(b)} to {percent(c)})" for a, b, c in shares])  # fmt: skip
    wide = said.pivot(index="arm", columns="outcome", values="said")
    wide = wide.loc[said.arm.unique(), said.outcome.unique()]
    return wide.rename_axis(None, axis=1).rename_axis("model").reset_index()


def what_matters(score: pd.DataFrame, swings: pd.DataFrame, studied: str) -> pd.DataFrame:
    """Return the table of those that matter: what they explain, and what their ends do against the defaults."""
    rows = []
    for row in score[score.matters].itertuples():
        cells = {"parameter": f"`{row.parameter}`", "explains, level": percent(row.level),
                 "explains, ranking": percent(row.ranking), "sure": "yes" if row.sure else ""}  # fmt: skip
        for target, said in ((LEVEL, "all models"), (against(studied), f"{lowered(label(studied))} / others")):
            of = swings[(swings.parameter == row.parameter) & (swings.target == target)]
            of = of[of.outcome == "civilians_killed"].set_index("end")
            ends = []
            for end in ("low", "high"):
                change, half = of.loc[end, ["change", "half"]]
                mark = "*" if abs(change) > half else ""
                ends.append(ratio(change, "civilians_killed") + mark)
            cells[f"killed, {said}: low, high end"] = ", ".join(ends)
        rows.append(cells)
    return pd.DataFrame(rows)


def ranks_on_the_plane(stood: pd.DataFrame, plane: Sequence[str], studied: str) -> pd.DataFrame:
    """Return where the studied model ranks at the four corners of the plane: rank (best to worst by luck)."""
    own = stood[(stood.arm == studied)]
    rows = []
    for outcome, of in own.groupby("outcome", sort=False):
        cells: dict[str, str | int] = {"outcome": meaning(outcome)}
        x, y = plane
        for at_x in (0.0, 1.0):
            for at_y in (0.0, 1.0):
                row = of[(of[x] == at_x) & (of[y] == at_y)].iloc[0]
                name = f"conflation {at_x:g}, contestation {at_y:g}"
                cells[name] = f"{row['rank']} ({row.best_rank} to {row.worst_rank})"
        cells["cells where it is first"] = f"{(of['rank'] == 1).sum()} of {len(of)}"
        cells["surely"] = int((of.worst_rank == 1).sum())
        rows.append(cells)
    return pd.DataFrame(rows)


def flips(stood: pd.DataFrame) -> pd.DataFrame:
    """Return who is first at the ends of the parameters, where it is not who is first at the defaults.

    Parameters
    ----------
    stood : standings at the corners of the tornado, with columns parameter and end ("": all at their defaults)
    """
    rows = []
    for outcome, of in stood.groupby("outcome", sort=False):
        default = of[(of.end == "") & (of["rank"] == 1)].arm.iloc[0]
        for (parameter, end), there in of[of.end != ""].groupby(["parameter", "end"], sort=False):
            was = there[there.arm == default].iloc[0]
            if was["rank"] > 1:
                now = there[there["rank"] == 1].arm.iloc[0]
                rows.append({"outcome": meaning(outcome), "first at the defaults": label(default),
                             "at": f"{end} end of `{parameter}`", "first there": label(now),
                             "beyond luck": bool(was.best_rank > 1)})  # fmt: skip
    return pd.DataFrame(rows, columns=["outcome", "first at the defaults", "at", "first there", "beyond luck"])


def page(
    about: str,
    score: pd.DataFrame,
    swings: pd.DataFrame,
    corners: pd.DataFrame,
    sobol: pd.DataFrame,
    first: pd.DataFrame,
    stood: pd.DataFrame,
    screened: pd.DataFrame,
    plane: Sequence[str],
    studied: str,
) -> str:
    """Return the page.

    Parameters
    ----------
    about : str, how much was done; score, swings, corners, sobol, first, stood, screened : the tables of the analysis
    plane : names of its two parameters; studied : the model that is held against the others
    """
    luck = sobol[(sobol.parameter == "luck") & (sobol.target == LEVEL)].set_index("outcome") if len(sobol) else sobol
    said = [f"{meant(o)} {r.total:.2f} ± {r.total_half:.2f}" for o, r in luck.iterrows()]
    level = screened[(screened.target == LEVEL) & ~is_dummy(screened.parameter) & (screened.outcome != "access")]
    little = (level.mu_star < LITTLE).groupby(level.outcome, sort=False).sum()
    beyond = level.groupby("outcome", sort=False).beyond_luck.sum()
    flipped = flips(corners)
    sure = flipped[flipped["beyond luck"]]
    parts = [
        "# What the results depend on",
        about,
        "## In which share of the parameter space is each model first?",
        "Best mean of the seeds at a place; in brackets from surely (better than every other beyond luck) to perhaps "
        "(no other is better beyond luck).",
        markdown(where_first(first)),
        "## The numbers that matter",
        f"{score.sure.sum()} explain more than the luckiest without effect would in 19 of 20 cases. Explains: share of "
        "the variance in a line, mean over outcomes. *: the 95% interval excludes no change.",
        markdown(what_matters(score, swings, studied)),
        "Share of the variance of single runs that depends on luck, alone or with parameters (Sobol', total): "
        + "; ".join(said) + ".",
        f"Morris screening of {len(score)} parameters, mean of all models: so many move a count by less than a tenth "
        "over their whole range (in brackets: so many move it more than the 99% bound of re-drawn luck, where one in a "
        "hundred is expected): "
        + "; ".join(f"{meant(o)} {n} ({beyond[o]})" for o, n in little.items()) + ".",
        "## Who is first at the ends of the numbers that matter, if it is not who is first at the defaults",
        markdown(sure.drop(columns="beyond luck")) if len(sure) else "Nobody else, beyond luck.",
        f"Within luck, another is first in {len(flipped) - len(sure)} of {corners.place.max() * len(OFFSET)} cases.",
        f"## The {lowered(label(studied))} model over conflation and contestation: rank (by luck)",
        markdown(ranks_on_the_plane(stood, plane, studied)),
    ]  # fmt: skip
    return "\n\n".join(p.rstrip("\n") for p in parts) + "\n"
