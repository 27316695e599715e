"""What the figures show, in a sentence: the titles of figures are made of what is found.

Question: what would somebody say who had looked at the figure for a minute, and would it be true?

Things to notice: "surely" is said of nothing that may be luck, all comparisons of a figure judged together. With too
few seeds to be sure of anything a sentence says so.

Things to try: shuffle arms within seeds; no sentence should be left that is sure.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.drawing import family
from experiments.drawing.family import FEWEST
from experiments.drawing.panels import spoken
from experiments.drawing.statistics import good, level
from experiments.drawing.style import meaning, meant, short_number, unit

MOST_NAMED = 2  # arms in a sentence; more are counted
HALF = 0.5


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list within a sentence."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def capital(said: str) -> str:
    """Return a sentence that begins with a capital letter."""
    return said[:1].upper() + said[1:]


def beside_each_other(
    runs: pd.DataFrame, judged: pd.DataFrame, arms: Sequence[str], outcome: str
) -> tuple[dict[str, NDArray[np.float64]], dict[str, tuple[float, float, float]], dict[str, str]]:
    """Return of each arm the values of its seeds, their mean with its interval, and its letters, a for the best.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it, of all pairs
    """
    values = {arm: runs.loc[runs["arm"] == arm, outcome].dropna().to_numpy(float) for arm in arms}
    found = {arm: level(v, unit(outcome) in ("share", "0/1")) for arm, v in values.items()}
    better = {arm: mean * good(outcome) for arm, (mean, _, _) in found.items()}
    best = sorted(arms, key=better.__getitem__, reverse=True)
    return values, found, family.letters(judged, best, outcome)


def told_apart(judged: pd.DataFrame, arms: Sequence[str], outcomes: Sequence[str]) -> str:
    """Return in a sentence or two which arms can be told apart, and on what.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it, of all pairs
    """
    pairs = len(arms) * (len(arms) - 1) // 2
    sure = {o: int(judged.loc[[k for k in judged.index if k[0] == o], "sure"].sum()) for o in outcomes}
    alike = [meant(o) for o, k in sure.items() if not k]
    differ = [meant(o) + (f" ({k} of {pairs} pairs)" if pairs > 1 else "") for o, k in sure.items() if k]
    said = []
    if alike:
        said.append(f"They cannot be told apart on {listed(alike, 'or')}")
    if differ:
        said.append(f"{'they' if alike else 'They'} differ on {listed(differ)}")
    return "; ".join(said)


def against_baseline(judged: pd.DataFrame, arms: Sequence[str], baseline: str, idle: Collection[str] = ()) -> str:
    """Return in a sentence what is surely lower and higher than in the baseline, and in how many arms.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it, of every arm and the baseline
    idle : outcomes of which the baseline has nothing, as missions cost nothing where there are none: not spoken of
    """
    if judged["n"].max() < FEWEST:
        return f"Compared with {spoken(baseline)}: with fewer than {FEWEST} seeds nothing is sure"
    said = []
    for word, sign in (("lower", -1), ("higher", 1)):
        of: dict[str, list[str]] = {}
        for (outcome, arm, _), d in judged[judged["sure"]].iterrows():
            if np.sign(d["difference"]) == sign and outcome not in idle:
                of.setdefault(outcome, []).append(arm)
        parts = [f"{meant(outcome)} {_which(mine, arms)}" for outcome, mine in of.items()]
        said += [f"surely {word}: {', '.join(parts)}"] if parts else []
    return f"Compared with {spoken(baseline)}, {'; '.join(said) or 'nothing is surely different'}"


def _which(mine, arms):
    if len(mine) == len(arms) > 1:
        return "(all)"
    return f"({listed([spoken(a) for a in mine])})" if len(mine) <= MOST_NAMED else f"({len(mine)} of {len(arms)})"


def when(monthly: pd.DataFrame, arms: Sequence[str], baseline: str, outcome: str) -> str:
    """Return in a sentence by how much an outcome differs from the baseline, and by when half of that has come.

    Not the year of the largest difference: that may be the luck of one seed.

    Parameters
    ----------
    monthly : DataFrame: arm, seed, month, outcome
    """
    by_year = monthly.assign(year=monthly["month"].str[:4])
    sums = by_year.groupby(["arm", "seed", "year"])[outcome].sum().groupby(["arm", "year"]).mean().unstack("year")
    compared = [a for a in arms if a != baseline]
    apart = (sums.loc[compared] - sums.loc[baseline]).mean()
    whole = apart.sum()
    if apart.empty or not np.isfinite(whole) or not whole:
        return "What happens over the years"
    year = apart.index[(apart.cumsum() / whole >= 0.5).argmax()]
    by, of = short_number(abs(whole)), short_number(sums.loc[baseline].sum())
    more = "more" if whole > 0 else "fewer"
    who = f"with {spoken(compared[0])}" if len(compared) == 1 else f"over {len(compared)} arms"
    return f"{meaning(outcome)}: on average {who} {by} {more} than the {of} of {spoken(baseline)}, half of it by {year}"


def where(maps: pd.DataFrame, arms: Sequence[str]) -> str:
    """Return in a sentence how few cells hold half of those killed by the last month, and what of them other arms see.

    Parameters
    ----------
    maps : DataFrame: arm, month, row, col, killed_so_far, as a mean over seeds
    arms : the first is what the others are held against
    """
    last = maps[maps["month"] == maps["month"].max()].pivot(index=["row", "col"], columns="arm", values="killed_so_far")
    killed = last[arms[0]].sort_values(ascending=False, kind="stable")
    if killed.sum() <= 0:
        return "Where civilians died, and who was there"
    worst = killed.index[: np.searchsorted(killed.cumsum(), HALF * killed.sum()) + 1]
    said = f"With {spoken(arms[0])}, half of all who are killed die in {len(worst) / len(killed):.0%} of the country"
    others = sorted(last.loc[worst, arm].sum() / last[arm].sum() for arm in arms[1:] if last[arm].sum() > 0)
    if not others:
        return said
    low, high = (f"{share:.0%}" for share in (others[0], others[-1]))
    who = spoken(arms[1]) if len(arms) == 2 else "the other models" if arms[0] != "none" else "a mission"
    return f"{said}; with {who}, {low if low == high else f'{low} to {high}'} die in the same places"


def in_both(judged: pd.DataFrame, arms: Sequence[str], outcomes: Sequence[str]) -> str:
    """Return in a sentence which arms are surely lower than the baseline in two outcomes, and in each of them.

    Parameters
    ----------
    judged : as experiments.drawing.family.together returns it, of every arm and the baseline
    """
    lower = {o: [a for (what, a, _), d in judged.iterrows() if what == o and d["sure"] and d["difference"] < 0]
             for o in outcomes}  # fmt: skip
    both = [a for a in arms if all(a in of for of in lower.values())]
    names = [meant(o) for o in outcomes]
    if judged["n"].max() < FEWEST:
        return f"{capital(listed(names))}: with fewer than {FEWEST} seeds nothing is sure"
    if both:
        return f"Surely less of both, {listed(names)}: {listed([spoken(a) for a in both])}"
    each = [f"{name} {_which(lower[o], arms)}" for o, name in zip(outcomes, names, strict=True) if lower[o]]
    return f"None surely lowers both {listed(names)}" + (f"; surely lower: {', '.join(each)}" if each else "")
