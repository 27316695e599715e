"""The field's own regression, on simulated conflicts.

    python -m experiments regression

Question: had Hultman, Kathman & Shannon (2013) only the panel of this simulation, in which missions go to harder wars,
would they find what they found? And is it what the missions did?

Things to notice: troops alone in the model look harmful, because they go where people die. With police, observers and
the controls of the paper the estimate moves toward the truth, which is known here: every conflict is run again, with
the same luck, without its mission. When missions are dealt at random, no controls are needed.

Things to try: change the rule that sends missions in conf/evaluation/regression.yaml; leave a control out of `MODELS`.

From a notebook:

    from experiments.evaluation import regression
    panel = regression.panel()              # selected missions; a row for each conflict and month
    regression.fit(panel, ["troops"])       # any specification; rate ratios with clustered intervals

The model is the paper's: negative binomial, months of conflicts, one-sided violence on thousands of UN troops, police
and observers one month before, standard errors clustered on the conflict. Needs the extra `science`.
"""

import time
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from experiments import runs, style
from experiments.evaluation import checks
from sim import results
from sim.config import load
from sim.warm import say, warm_up

FOLDER = Path("results/regression")
WHO = ["troops", "police", "observers"]
CONTROLS = ["log_killed_before", "log_battle_before", "log_months", "log_population", "factions"]
MODELS = {  # name: (assignment, variables, words)
    "troops alone": ("selected", ["troops"], "troops only, no controls"),
    "composition": ("selected", WHO, "troops, police, observers"),
    "paper": ("selected", [*WHO, *CONTROLS], "the paper's: composition and controls"),
    "known severity": ("selected", [*WHO, *CONTROLS, "log_severity"], "and how hard the war was before"),
    "dealt at random": ("random", ["troops"], "troops only, missions dealt at random"),
    "random, composition": ("random", WHO, "composition, missions dealt at random"),
}
# Rate ratios per 1,000: literature rows 1.4 to 1.6 (replication data of HKS 2013 in R package evinf).
PUBLISHED = pd.DataFrame(
    [
        ("troops", "published (row 1.4)", -0.525, 0.079),
        ("police", "published (row 1.4)", -9.80, 1.55),
        ("observers", "published (row 1.4)", 21.4, 3.9),
        ("troops", "9 worst months dropped (row 1.5)", np.log(0.76), (np.log(0.81) - np.log(0.70)) / 3.92),
        ("troops", "deaths capped at 1,000 (row 1.5)", np.log(0.76), (np.log(0.87) - np.log(0.66)) / 3.92),
        ("troops", "troops alone in the model (row 1.6)", np.log(6.4), (np.log(33) - np.log(1.2)) / 3.92),
    ],
    columns=["variable", "model", "b", "se"],
)


# ------------------------------------------------------------------------------ the conflicts


def _between(luck, spec):
    low, high = spec["from"], spec["to"]
    return float(np.exp(luck.uniform(np.log(low), np.log(high))) if spec.get("log") else luck.uniform(low, high))


def conflicts(about, n=None, overrides=()):
    """Return the countries of the design: a list of Params, each with a mission of nobody yet."""
    base = load(*about["common"], f"weeks={about['weeks']}", f"civilians={about['civilians']}", *overrides)
    base.mission.authorised = float(about["missions"]["authorised"])
    base.mission.components["un"].leave.week = None
    out = []
    for k in range(n or about["conflicts"]):
        luck, spec, p = np.random.default_rng([2013, k]), about["country"], deepcopy(base)
        c = p.country
        c.map_seed, p.seed = k + 1, k + 1
        c.population = _between(luck, spec["population"])
        for name in list(c.factions)[spec["fewest_factions"] :]:
            if luck.random() < 0.4:
                del c.factions[name]
        for faction in c.factions.values():
            faction.fighters = round(faction.fighters * _between(luck, spec["fighters"]))
            faction.abuse *= _between(luck, spec["abuse"])
            faction.rivals = [r for r in faction.rivals if r in c.factions] if faction.rivals else faction.rivals
        for town in c.places.values():
            town.persons *= c.population / base.country.population * luck.uniform(spec["towns"], 1 / spec["towns"])
        for home in c.communities.values():
            home.row, home.col = (float(np.clip(x + luck.normal(0, 4), 3, 36)) for x in (home.row, home.col))
        out.append(_sent(p, (0, 0, 0, 0)))
    return out


def _sent(params, persons):
    """Return parameters with a mission of so many troops, police, observers and staff."""
    p = deepcopy(params)
    who = p.mission.components["un"].personnel
    who.troops, who.police, who.observers, who.staff = map(float, persons)
    who.aid = 0.0
    return p


def missions(about, severity):
    """Return whom the rule of the design sends to each conflict: (n, 4) troops, police, observers, staff.

    Parameters
    ----------
    severity : (n,) civilians killed before missions are authorised
    """
    m, luck = about["missions"], np.random.default_rng(1325)
    rank = np.argsort(np.argsort(severity)) / max(len(severity) - 1, 1)
    rows = []
    for hard in rank:
        goes = luck.random() < (m["sent_to_hard"] if hard >= 0.5 else m["sent_to_easy"])
        size = np.exp(luck.normal(0, 0.4))
        troops = size * (m["troops"]["easy"] + hard * (m["troops"]["hard"] - m["troops"]["easy"]))
        observers = size * (m["observers"]["easy"] + hard * (m["observers"]["hard"] - m["observers"]["easy"]))
        police = troops * luck.uniform(m["police_per_troop"]["from"], m["police_per_troop"]["to"])
        if luck.random() < m["observers_only"]:
            troops = police = 0.0
        rows.append((troops, police, observers, m["staff_per_troop"] * troops) if goes else (0.0,) * 4)
    return np.array(rows)


def _months(params, folder, workers, what):
    """Run conflicts and return their months: a list of data frames."""
    jobs = [runs.plan({f"conflict {k}": p}, [p.seed], folder / "runs", ())[0] for k, p in enumerate(params)]
    missing = sum(not job.done for job in jobs)
    say(f"{what}: {len(jobs)} conflicts, {missing} to do, {workers} at a time")
    if missing:
        warm_up()
        runs.run(jobs, workers, what)
    return [table for _, table in runs.gather(jobs)[1].groupby("arm", sort=False)]


def _rows(tables, params, severity, sent):
    """Return the panel in the paper's variables: one row for each conflict and month."""
    out = []
    for k, (table, p) in enumerate(zip(tables, params, strict=True)):
        killed = (table.osv_gov + table.osv_reb).to_numpy()
        panel = pd.DataFrame({
            "conflict": k, "month": np.arange(len(table)), "killed": killed.round(),
            **{who: table[who].shift(1).to_numpy() / 1_000 for who in WHO},
            "log_killed_before": np.log1p(np.r_[np.nan, killed[:-1]]), "log_battle_before": np.log1p(table.brd.shift(1).to_numpy()),
            "log_months": np.log1p(np.arange(len(table))), "log_population": np.log(p.country.population / 1e6),
            "factions": len(p.country.factions), "log_severity": np.log1p(severity[k]), "sent": sent[k][:3].sum() / 1_000,
        })  # fmt: skip
        out.append(panel.iloc[1:])
    return pd.concat(out, ignore_index=True)


def panels(about=None, folder=FOLDER, workers=1, n=None, overrides=()):
    """Return the panels by how missions were dealt: none, selected, random; runs are done if they are not there."""
    about = about or checks.design("regression")
    bare = conflicts(about, n, overrides)
    without = _months(bare, folder, workers, "conflicts without missions")
    first = round(about["missions"]["authorised"] / 52 * 12)
    severity = np.array([t.civilians_killed.to_numpy()[:first].sum() for t in without])
    sent = missions(about, severity)
    dealt = sent[np.random.default_rng(2719).permutation(len(sent))]
    out = {"none": _rows(without, bare, severity, sent)}
    for name, who in (("selected", sent), ("random", dealt)):
        there = [_sent(p, w) for p, w in zip(bare, who, strict=True)]
        out[name] = _rows(_months(there, folder, workers, f"missions {name}"), bare, severity, who)
    return out


def panel(kind="selected", **more):
    """Return one of the panels: `selected`, `random` or `none`."""
    return panels(**more)[kind]


# ------------------------------------------------------------------------------ estimates


def fit(table, variables, outcome="killed"):
    """Fit the negative-binomial model with standard errors clustered on the conflict.

    Parameters
    ----------
    table : a panel; variables : list of str; outcome : str, a count

    Returns
    -------
    DataFrame indexed by variable: b, se, rate_ratio, low, high (95%); attrs alpha (dispersion), n, converged

    """
    from statsmodels.discrete.discrete_model import NegativeBinomial, Poisson

    used = table.dropna(subset=[outcome, *variables])
    x = used[variables].to_numpy(float)
    spread = x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(x)), x / scale])  # of the same size: the search for the maximum is easier
    y = used[outcome].to_numpy(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what `converged` says
        start = Poisson(y, design).fit(disp=0, method="bfgs", maxiter=500).params
        best = None
        for guess in (np.r_[start, 5.0], np.r_[np.log(y.mean() + 1e-9), np.zeros(x.shape[1]), 10.0]):
            found = NegativeBinomial(y, design).fit(guess, disp=0, method="bfgs", maxiter=2_000, cov_type="cluster",
                                                    cov_kwds={"groups": used.conflict.to_numpy()})  # fmt: skip
            if np.isfinite(found.llf) and (best is None or found.llf > best.llf):
                best = found
    b, se = best.params[1:-1] / scale, best.bse[1:-1] / scale
    out = pd.DataFrame({"b": b, "se": se, "rate_ratio": np.exp(np.clip(b, -50, 50)),
                        "low": np.exp(np.clip(b - 1.96 * se, -50, 50)), "high": np.exp(np.clip(b + 1.96 * se, -50, 50))},
                       index=pd.Index(variables, name="variable"))  # fmt: skip
    gradient = np.abs(NegativeBinomial(y, design).score(best.params)).max() / len(y)
    out.attrs = {"alpha": float(best.params[-1]), "n": len(used), "converged": bool(gradient < 1e-3)}
    return out


def truth(with_, without):
    """Return the log rate ratio per 1,000 troops that missions made: the same conflicts with and without, same luck.

    Months in which uniformed personnel were there; a rate per 1,000 troops fitted to the sums of deaths of each
    conflict by least squares through nought, with a bootstrap over conflicts: (b, low, high).
    """
    there = with_.troops > 0.05
    a = with_[there].groupby("conflict").agg(killed=("killed", "sum"), troops=("troops", "mean"))
    b = without[there.to_numpy()].groupby("conflict").killed.sum()
    y = np.log((a.killed + 0.5) / (b.reindex(a.index) + 0.5)).to_numpy()
    x = a.troops.to_numpy()
    return checks.bootstrap(np.column_stack([x, y]), lambda v: float((v[:, 0] * v[:, 1]).sum() / (v[:, 0] ** 2).sum()))


def table(found):
    """Return all models beside the published estimates: a data frame, one row for each model and variable.

    Parameters
    ----------
    found : panels
    """
    rows = []
    for name, (kind, variables, words) in MODELS.items():
        fitted = fit(found[kind], variables)
        rows += [{"source": "simulated", "model": name, "what": words, "variable": v, "b": r.b, "se": r.se,
                  "rate_ratio": r.rate_ratio, "low": r.low, "high": r.high, **fitted.attrs}
                 for v, r in fitted.iterrows()]  # fmt: skip
    for kind in ("selected", "random"):
        b, low, high = truth(found[kind], found["none"])
        rows.append({"source": "simulated", "model": f"truth, {kind}", "what": "the same conflicts without the mission",
                     "variable": "troops", "b": b, "se": np.nan, "rate_ratio": np.exp(b), "low": np.exp(low),
                     "high": np.exp(high)})  # fmt: skip
    for r in PUBLISHED.itertuples():
        rows.append({"source": "published", "model": r.model, "what": "", "variable": r.variable, "b": r.b, "se": r.se,
                     "rate_ratio": np.exp(r.b), "low": np.exp(r.b - 1.96 * r.se), "high": np.exp(r.b + 1.96 * r.se)})  # fmt: skip
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------ words and figure


def lessons(rows, found):
    """Return what came out, in sentences made from the numbers."""
    troops = rows[(rows.variable == "troops") & (rows.source == "simulated")].set_index("model")
    alone, paper, random = (troops.loc[m] for m in ("troops alone", "paper", "dealt at random"))
    real = troops.loc["truth, selected"]
    said = [
        f"Troops alone, no controls: rate ratio {alone.rate_ratio:.2f} [{alone.low:.2f}, {alone.high:.2f}] per 1,000; "
        f"the truth in the same conflicts is {real.rate_ratio:.2f} [{real.low:.2f}, {real.high:.2f}].",
        ("Selection flips the sign: missions that save lives look as if they cost them."
         if alone.rate_ratio > 1 > real.rate_ratio else
         "Selection does not flip the sign here; it hides " + _part_hidden(alone.b, real.b) + " of the effect."),
        f"With composition and the paper's controls: {paper.rate_ratio:.2f} [{paper.low:.2f}, {paper.high:.2f}] "
        "(published 0.59; robust 0.76).",
        f"Missions dealt at random, no controls: {random.rate_ratio:.2f} [{random.low:.2f}, {random.high:.2f}].",
    ]  # fmt: skip
    for who in ("police", "observers"):
        r = rows[(rows.variable == who) & (rows.model == "paper")].iloc[0]
        p = PUBLISHED[PUBLISHED.variable == who].iloc[0]
        said.append(f"{who.capitalize()} per 1,000: b {r.b:+.1f} (SE {r.se:.1f}); published {p.b:+.1f} ({p.se:.1f}).")
    y = found["selected"].killed
    top = np.sort(y)[::-1]
    said.append(
        f"Panel: {len(y):,} conflict-months, {(y == 0).mean():.1%} of them quiet (published 76.5%), the top 5% hold "
        f"{top[: len(top) // 20].sum() / max(top.sum(), 1):.0%} of deaths (95%), dispersion alpha "
        f"{rows[rows.model == 'paper'].alpha.iloc[0]:.1f} (15 to 17)."
    )
    return said


def _part_hidden(seen, real):
    return f"{1 - seen / real:.0%}" if real < 0 and seen < 0 else "none"


def figure(rows):
    """Draw the rate ratio per 1,000 troops of every model beside the published ones."""
    r = rows[rows.variable == "troops"]
    r = pd.concat([r[r.source == "published"], r[r.source == "simulated"]])
    fig, axes = style.sheet(
        4.6, "One-sided violence per 1,000 more UN troops: what a regression sees, and what is true"
    )
    ax = axes[0, 0]
    colours = {"published": style.GREY, "simulated": style.PALETTE[0]}
    names = {"troops alone": "selected: troops alone", "composition": "selected: + police, observers",
             "paper": "selected: + the paper's controls", "known severity": "selected: + severity before",
             "dealt at random": "random: troops alone", "random, composition": "random: + police, observers",
             "truth, selected": "truth, selected missions", "truth, random": "truth, random missions"}  # fmt: skip
    y = (
        np.arange(len(r))
        + (r.source == "simulated").to_numpy() * 0.7
        + r.model.str.startswith("truth").to_numpy() * 0.7
    )
    low, high = 0.3, 40
    for at, x in zip(y, r.itertuples(), strict=True):
        colour = style.PALETTE[1] if x.model.startswith("truth") else colours[x.source]
        ax.plot(np.clip([x.low, x.high], low, high), [at, at], color=colour, lw=1.8)
        ax.plot(np.clip(x.rate_ratio, low, high), at, "D" if x.model.startswith("truth") else "o", ms=5, color=colour)
        ax.text(1.01, at, f"{x.rate_ratio:.2f}", transform=ax.get_yaxis_transform(), va="center",
                size=style.SIZE["small"], color=colour)  # fmt: skip
    ax.axvline(1, color=style.GREY, lw=0.8)
    ax.set(xscale="log", xlim=(low, high), ylim=(y.max() + 0.7, -0.7), xlabel="rate ratio per 1,000 troops (log scale)")
    ax.xaxis.set_major_locator(FixedLocator([0.3, 0.5, 0.75, 1, 2, 5, 10, 30]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(y, [names.get(m, m) for m in r.model])
    ax.text(1.06, -0.55, "looks harmful →", size=style.SIZE["small"], color=style.GREY)
    ax.text(0.94, -0.55, "← looks protective", size=style.SIZE["small"], color=style.GREY, ha="right")
    style.footnote(fig, "Negative binomial, 95% intervals clustered on the conflict. Truth: the same conflicts, same "
                   "luck, without the mission.")  # fmt: skip
    return fig


def evaluate(overrides=(), workers=1, folder=FOLDER, n=None):
    """Run the conflicts, fit the models and write table, words and figure."""
    about, start, folder = checks.design("regression"), time.perf_counter(), Path(folder)
    found = panels(about, folder, workers, n, overrides)
    rows = table(found)
    said = lessons(rows, found)
    results.whole_file(folder / "coefficients.csv", lambda f: rows.to_csv(f, index=False, float_format="%.5g"))
    for kind, each in found.items():
        results.whole_file(folder / f"panel_{kind}.parquet", lambda f, each=each: each.to_parquet(f, index=False))
    shown = rows[rows.variable.isin(WHO)].copy()
    for c in ("b", "se", "rate_ratio", "low", "high"):
        shown[c] = [f"{v:.3g}" if np.isfinite(v) else "" for v in shown[c]]
    text = f"# The field's regression on simulated conflicts\n\n{about['question']}\n\n" + "".join(
        f"- {s}\n" for s in said
    )
    text += "\n" + checks.markdown(
        shown[["source", "model", "what", "variable", "b", "se", "rate_ratio", "low", "high"]]
    )
    results.whole_file(folder / "regression.md", lambda f: f.write_text(text, encoding="utf-8"))
    drawn = figure(rows)
    results.whole_file(folder / "regression.png", lambda f: drawn.savefig(f, dpi=150))
    made = {"overrides": list(overrides), "seconds_of_this_session": round(time.perf_counter() - start, 1),
            "design": about, **results.provenance()}  # fmt: skip
    results.whole_file(folder / "provenance.yaml", lambda f: f.write_text(yaml.safe_dump(made, sort_keys=False)))
    say(text + f"\nresults: {folder}")
    return rows


def main(words=None):
    """Do what the command line says."""
    evaluate(*checks.arguments("regression", words, __doc__))
