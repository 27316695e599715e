"""The field's own regression, on simulated conflicts.

    python -m experiments regression

Question: had Hultman, Kathman & Shannon (2013) only the panel of this simulation, in which missions go to harder wars,
would they find what they found? And is it what the missions did?

Things to notice: where missions go to harder wars, troops alone are confounded with how hard a war is; and because wars
burn out and missions come late, they are confounded with time, even when missions are dealt at random. The truth is
known here: every conflict is run again, with the same luck, without its mission.

Things to try: change the rule that sends missions in conf/experiment/regression.yaml; leave a control out of `MODELS`.

From a notebook:

    from experiments.regression import conflicts, field

    panel = conflicts.panels()["selected"]  # a row for each conflict and month
    field.fit(panel, ["troops"])       # any specification; rate ratios with clustered intervals

The model is the paper's: negative binomial, months of conflicts, one-sided violence on thousands of UN troops, police
and observers one month before, standard errors clustered on the conflict. Needs the extra `science`.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from experiments.drawing import estimates, style
from experiments.drawing.panels import folded
from experiments.engine.experiment import Experiment
from experiments.regression.conflicts import WHO, panels
from sim.warm import say

CONTROLS = ("log_killed_before", "log_battle_before", "log_months", "log_population", "factions")
DROPPED, CAP = 9 / 3_746, 1_000  # the worst months that row 1.5 drops, as a share; deaths that it caps
PARTS = 10  # of the conflicts, each left out once, to see how much the estimate depends on few of them


def worst_dropped(panel: pd.DataFrame) -> pd.DataFrame:
    """Return a panel without its worst months, as many in proportion as row 1.5 drops."""
    return panel.drop(panel.killed.nlargest(max(1, round(DROPPED * len(panel)))).index)


def capped(panel: pd.DataFrame) -> pd.DataFrame:
    """Return a panel with at most 1,000 killed in a month."""
    return panel.assign(killed=panel.killed.clip(upper=CAP))


def after(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the months after missions are authorised, in which only conflicts are compared, not times."""
    return panel[panel.after]


PAPER = (*WHO, *CONTROLS)
MODELS = {  # name: (how missions were dealt, variables, what is done to the panel, words)
    "troops alone": ("selected", ("troops",), None, "selected: troops alone"),
    "troops, time": ("selected", ("troops", "log_months"), None, "selected: + time"),
    "composition": ("selected", WHO, None, "selected: + police, observers"),
    "paper": ("selected", PAPER, None, "selected: + the paper's controls"),
    "worst dropped": ("selected", PAPER, worst_dropped, "same, worst 0.24% of months dropped"),
    "capped": ("selected", PAPER, capped, "same, deaths capped at 1,000"),
    "after": ("selected", ("troops",), after, "selected, later months: troops alone"),
    "after, severity": ("selected", ("troops", "log_severity"), after, "same, + severity before"),
    "dealt at random": ("random", ("troops",), None, "random: troops alone"),
    "random, time": ("random", ("troops", "log_months"), None, "random: + time"),
    "random, after": ("random", ("troops",), after, "random, later months: troops alone"),
}
WHOLE = "real: the paper's model"


def _of_ratio(model, ratio, low, high):
    return "troops", model, np.log(ratio), (np.log(high) - np.log(low)) / 3.92


# Estimates from the replication data of Hultman, Kathman & Shannon 2013 (in R package evinf; literature rows 1.4 to
# 1.6). One month decides: Rwanda in April 1994, 145,844 killed while 2,184 troops were there.
PUBLISHED = pd.DataFrame(
    [
        _of_ratio("real: troops alone", 1.62, 0.61, 4.33),
        _of_ratio("real: troops alone, April 1994 left out", 1.00, 0.91, 1.11),
        _of_ratio("real: + police, observers, April 1994 left out", 0.67, 0.55, 0.81),
        ("troops", WHOLE, -0.525, 0.079),
        ("police", WHOLE, -9.80, 1.55),
        ("observers", WHOLE, 21.4, 3.9),
        _of_ratio("real: same, April 1994 left out", 0.77, 0.58, 1.02),
        _of_ratio("real: same, 9 worst months dropped", 0.76, 0.70, 0.81),
        _of_ratio("real: same, deaths capped at 1,000 a month", 0.76, 0.66, 0.87),
    ],
    columns=["variable", "model", "b", "se"],
)


# ------------------------------------------------------------------------------ estimates


def fit(panel: pd.DataFrame, variables: Sequence[str], outcome: str = "killed") -> pd.DataFrame:
    """Fit the negative-binomial model with standard errors clustered on the conflict.

    Parameters
    ----------
    panel : of conflicts.panels; variables : names of columns; outcome : str, a count

    Returns
    -------
    DataFrame indexed by variable: b, se, rate_ratio, low, high (95%); attrs alpha (dispersion), n, converged
    """
    from statsmodels.discrete.discrete_model import NegativeBinomial, Poisson

    used = panel.dropna(subset=[outcome, *variables])
    x = used[list(variables)].to_numpy(float)
    spread = x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(x)), x / scale])  # of the same size: the search for the maximum is easier
    y = used[outcome].to_numpy(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what `converged` says
        start = Poisson(y, design).fit(disp=0, method="bfgs", maxiter=500).params
        guesses = np.r_[start, 5.0], np.r_[np.log(y.mean() + 1e-9), np.zeros(x.shape[1]), 10.0]
        groups = {"groups": used.conflict.to_numpy()}
        how = {"disp": 0, "method": "bfgs", "maxiter": 2_000, "cov_type": "cluster", "cov_kwds": groups}
        tried = [NegativeBinomial(y, design).fit(guess, **how) for guess in guesses]
        best = max(tried, key=lambda found: found.llf if np.isfinite(found.llf) else -np.inf)
        at = np.r_[best.params[:-1], np.log(best.params[-1])]  # the search is over the logarithm of alpha
        gradient = np.abs(NegativeBinomial(y, design).score(at)).max() / len(y)
    b, se = best.params[1:-1] / scale, best.bse[1:-1] / scale
    out = pd.DataFrame({"b": b, "se": se, **ratio(b, b - 1.96 * se, b + 1.96 * se)},
                       index=pd.Index(list(variables), name="variable"))  # fmt: skip
    converged = bool(gradient < 1e-3 and np.isfinite(se).all())
    out.attrs = {"alpha": float(best.params[-1]), "n": len(used), "converged": converged}
    return out


def ratio(b: ArrayLike, low: ArrayLike, high: ArrayLike) -> dict[str, Any]:
    """Return a log rate ratio and its interval as ratios."""
    return {k: np.exp(np.clip(x, -50, 50)) for k, x in (("rate_ratio", b), ("low", low), ("high", high))}


def jackknife(panel: pd.DataFrame, variables: Sequence[str]) -> tuple[float, float, float]:
    """Return the standard error of the effect of troops from leaving out a tenth of the conflicts at a time, its range.

    A clustered standard error far from this one rests on too few conflicts.

    Returns
    -------
    (se, lowest estimate, highest estimate)
    """
    group = panel.conflict % PARTS
    b = np.array([fit(panel[group != k], variables).b["troops"] for k in range(PARTS)])
    return float(np.sqrt((PARTS - 1) / PARTS * ((b - b.mean()) ** 2).sum())), float(b.min()), float(b.max())


def truth(with_: pd.DataFrame, without: pd.DataFrame) -> tuple[float, float, float]:
    """Return the log rate ratio per 1,000 troops that missions made: the same conflicts with and without, same luck.

    Of months in which troops were there: the logarithm of the ratio of the sums of deaths of each conflict, on mean
    troops, by least squares through zero.

    Returns
    -------
    (b, low, high), a 95% bootstrap interval over conflicts
    """
    there = (with_.troops > 0.05).to_numpy()
    a = with_[there].groupby("conflict").agg(killed=("killed", "sum"), troops=("troops", "mean"))
    b = without[there].groupby("conflict").killed.sum().reindex(a.index)
    y = np.log((a.killed + estimates.NO_DEATHS) / (b + estimates.NO_DEATHS)).to_numpy()
    both = np.column_stack([a.troops, y])
    return estimates.bootstrap(both, lambda v: (v[:, 0] * v[:, 1]).sum() / (v[:, 0] ** 2).sum())


def table(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return all models beside the truth and the published estimates: one row for each model and variable.

    Parameters
    ----------
    found : of conflicts.panels
    """
    rows = []
    for name, (kind, variables, of, words) in MODELS.items():
        fitted = fit(of(found[kind]) if of else found[kind], variables)
        rows += [{"source": "simulated", "model": name, "what": words, "variable": v, **r, **fitted.attrs}
                 for v, r in fitted.iterrows()]  # fmt: skip
    for kind in ("selected", "random"):
        b = truth(found[kind], found["none"])
        rows.append({"source": "truth", "model": f"truth, {kind}", "what": "the same conflicts without the mission",
                     "variable": "troops", "b": b[0], **ratio(*b)})  # fmt: skip
    for r in PUBLISHED.itertuples():
        rows.append({"source": "published", "model": r.model, "variable": r.variable, "b": r.b, "se": r.se,
                     **ratio(r.b, r.b - 1.96 * r.se, r.b + 1.96 * r.se)})  # fmt: skip
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------ words and figure


def lessons(rows: pd.DataFrame, found: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return what came out, in sentences made from the numbers."""
    troops = rows[rows.variable == "troops"].set_index("model")
    real = troops.loc["truth, selected"]
    said = [
        f"Troops alone, no controls: rate ratio {_interval(troops, 'troops alone')} per 1,000 (replicated 1.62 [0.61, "
        f"4.33]; 1.00 [0.91, 1.11] without the one month that decides, Rwanda in April 1994); the truth in the same "
        f"conflicts is {_interval(troops, 'truth, selected')}.",
        selection(troops.loc["troops alone"], real),
        f"With police and observers: {_interval(troops, 'composition')} (replicated 0.67 [0.55, 0.81] without that "
        "month).",
        f"With the paper's controls, too: {_interval(troops, 'paper')} (published 0.59 [0.51, 0.69], 0.77 [0.58, 1.02] "
        f"without that month); worst months dropped {_interval(troops, 'worst dropped')}, capped "
        f"{_interval(troops, 'capped')} (replicated 0.76 both). {_reaches(troops.loc['paper'], real)}",
        f"Time: wars burn out, and missions come late, so troops take credit for it. With time in the model: "
        f"{_interval(troops, 'troops, time')}; missions dealt at random {_interval(troops, 'dealt at random')} without "
        f"and {_interval(troops, 'random, time')} with time, where the truth is {_interval(troops, 'truth, random')}.",
        f"Selection between conflicts, in the months after missions are authorised: troops alone "
        f"{_interval(troops, 'after')}, with severity before {_interval(troops, 'after, severity')}; missions dealt at "
        f"random {_interval(troops, 'random, after')}. {_hidden(troops)}",
    ]
    for who in ("police", "observers"):
        r = rows[(rows.variable == who) & (rows.model == "paper")].iloc[0]
        p = PUBLISHED[PUBLISHED.variable == who].iloc[0]
        said.append(f"{who.capitalize()} per 1,000: b {r.b:+.2f} (SE {r.se:.2f}); published {p.b:+.1f} ({p.se:.1f}).")
    panel = found["selected"]
    top = np.sort(panel.killed)[::-1]
    said.append(
        f"Panel: {panel.conflict.nunique()} conflicts, {(panel.groupby('conflict').sent.max() > 0).sum()} with a "
        f"mission, {len(panel):,} conflict-months, {(panel.killed == 0).mean():.1%} of them quiet (published 76.5%), "
        f"the top 5% hold {top[: len(top) // 20].sum() / max(top.sum(), 1):.0%} of deaths (95%), dispersion alpha "
        f"{rows[rows.model == 'paper'].alpha.iloc[0]:.1f} (15 to 17)."
    )
    se, low, high = jackknife(panel, MODELS["paper"][1])
    said.append(
        f"Are there enough conflicts? The paper's model without a tenth of them at a time: b(troops) {low:+.3f} to "
        f"{high:+.3f}, standard error by jackknife {se:.3f}, clustered {troops.loc['paper'].se:.3f}."
    )
    lost = rows[rows.converged.eq(False)].model.unique()
    lost = ", ".join(lost)
    said.append(f"Fits that did not converge, not to be read: {lost}." if lost else "All fits converged.")
    return said


def _interval(rows, model):
    r = rows.loc[model]
    return f"{r.rate_ratio:.2f} [{r.low:.2f}, {r.high:.2f}]"


def selection(alone: pd.Series, real: pd.Series) -> str:
    """Say what leaving out the controls does to the sign.

    Parameters
    ----------
    alone, real : rows with b, low, high (ratios): what is seen without controls, and the truth
    """
    if real.high >= 1:
        return "Whether missions save lives at all is not sure here, so nothing can be said of a flipped sign."
    if alone.low > 1:
        return "Selection flips the sign: missions that save lives look as if they cost them."
    if alone.high < 1:
        much = alone.b / real.b
        seen = (
            f"hides {1 - much:.0%} of the effect" if much < 1 else f"shows {much:.1f} times the effect (in logarithms)"
        )
        return f"Leaving out the controls does not flip the sign: it {seen}."
    where = "above" if alone.b > 0 else "below"
    return f"Selection hides the effect: the estimate lies {where} 1, and its interval holds 1."


def _hidden(troops):
    """Say whether leaving out severity hides what missions do, when conflicts are compared."""
    alone, known = troops.loc["after"], troops.loc["after, severity"]
    if known.b < alone.b:
        return f"Leaving severity out hides {1 - alone.b / known.b:.0%} of what is seen with it: selection, no flip."
    return "Leaving severity out hides nothing."


def _reaches(seen, real):
    if seen.low <= real.rate_ratio <= seen.high:
        return "The interval holds the truth."
    return f"The interval does not hold the truth: it shows {'too little' if seen.b > real.b else 'too much'}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the rate ratio per 1,000 troops of every model beside the published ones and the truth."""
    r = pd.concat([rows[(rows.variable == "troops") & (rows.source == s)] for s in ("published", "simulated", "truth")])
    troops = rows[rows.variable == "troops"].set_index("model")
    title = f"Civilians killed, per 1,000 more UN troops: the paper's regression finds {_interval(troops, 'paper')}, "
    title += f"the truth is {_interval(troops, 'truth, selected')}"
    fig, axes = style.sheet(6.6, folded(title, 86))
    ax = axes[0, 0]
    group = r.source.map({"published": 0, "simulated": 1, "truth": 2}).to_numpy()
    y = np.arange(len(r)) + 0.9 * group
    low, high = 0.3, 5
    looks = {"published": (style.GREY, "o"), "simulated": (style.PALETTE[0], "s"), "truth": (style.PALETTE[1], "D")}
    for at, x in zip(y, r.itertuples(), strict=True):
        colour, mark = looks[x.source]
        ax.plot(np.clip([x.low, x.high], low, high), [at, at], color=colour, lw=1.8)
        lost = x.converged is False
        ax.plot(np.clip(x.rate_ratio, low, high), at, mark, ms=5, color=colour, mfc="white" if lost else colour)
        said = f"{x.rate_ratio:.2f}" + (" (not converged)" if lost else "")
        ax.text(1.01, at, said, transform=ax.get_yaxis_transform(), va="center", size=style.SIZE["small"], color=colour)
    ax.axvline(1, color=style.GREY, lw=0.8)
    ax.set(xscale="log", xlim=(low, high), ylim=(y.max() + 0.7, -1.6), xlabel="rate ratio per 1,000 troops (log scale)")
    ax.xaxis.set_major_locator(FixedLocator([0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(y, [MODELS[m][3] if m in MODELS else m for m in r.model])
    for k, words in enumerate(("real wars, Africa 1991-2008", "simulated", "truth (same luck, no mission)")):
        ax.text(high, y[group == k].min() - 0.75, words, size=style.SIZE["small"], color=list(looks.values())[k][0],
                weight="bold", ha="right", va="center")  # fmt: skip
    ax.text(1.06, -1.2, "looks harmful →", size=style.SIZE["small"], color=style.GREY, va="center")
    ax.text(0.94, -1.2, "← looks protective", size=style.SIZE["small"], color=style.GREY, ha="right", va="center")
    style.footnote(
        fig,
        folded(
            "Negative binomial; 95% intervals clustered on the conflict; of the truth by bootstrap. Real: from the "
            "replication data of Hultman, Kathman & Shannon (2013); in April 1994, in Rwanda, 145,844 were killed.",
            120,
        ),
    )
    return fig


def analyse(x: Experiment) -> None:
    """Fit the models and write table, words and figure."""
    found = panels(x)
    rows = table(found)
    shown = rows[rows.variable.isin(WHO)].drop(columns=["alpha", "n"])
    for c in shown.select_dtypes(float):
        shown[c] = shown[c].map(lambda v: f"{v:.3g}" if np.isfinite(v) else "")
    text = f"# The field's regression on simulated conflicts\n\n{x.about.question}\n\n"
    text += "".join(f"- {s}\n" for s in lessons(rows, found))
    tables = {"coefficients": rows, **{f"panel_{kind}": each for kind, each in found.items()}}
    words = {"regression.md": text + "\n" + estimates.markdown(shown.fillna(""))}
    x.write(tables, words, {"regression": figure(rows)}, digits=6)
    x.write_provenance()
    say(text.strip())
