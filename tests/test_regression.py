"""The field's regression: estimates of made-up panels with known answers, the conflicts, and a small one to the end."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("statsmodels")

from experiments.engine.experiment import Experiment
from experiments.regression import conflicts
from experiments.regression import field as regression
from sim.config import composed

FEW = ["civilians=100", "weeks=180", "experiment.analysis.conflicts=8"]
DESIGN = composed(["experiment=regression"]).experiment.analysis


def made_up(b, selection=0.0, conflicts=60, months=40, alpha=1.0, seed=1):
    """Return a panel of negative-binomial deaths in which troops (thousands) go to severe conflicts and do b."""
    luck = np.random.default_rng(seed)
    severity = luck.normal(0, 1, conflicts)
    troops = np.maximum(2 + selection * severity + luck.normal(0, 1, conflicts), 0)
    k = np.repeat(np.arange(conflicts), months)
    there = np.tile(np.arange(months) >= months // 2, conflicts)
    panel = pd.DataFrame({"conflict": k, "troops": troops[k] * there, "log_severity": severity[k]})
    rate = np.exp(2 + severity[k] + b * panel.troops)
    return panel.assign(killed=luck.poisson(rate * luck.gamma(1 / alpha, alpha, len(rate))))


def test_the_fit_recovers_coefficients_and_dispersion():
    found = regression.fit(made_up(-0.5, conflicts=200, seed=2), ["troops", "log_severity"])
    assert found.b.troops == pytest.approx(-0.5, abs=3 * found.se.troops)
    assert found.b.log_severity == pytest.approx(1, abs=0.1)
    assert found.attrs["alpha"] == pytest.approx(1, abs=0.1)
    assert found.attrs["converged"]
    assert found.rate_ratio.troops == pytest.approx(np.exp(found.b.troops))
    assert found.low.troops < np.exp(-0.5) < found.high.troops


def test_the_unit_of_a_variable_changes_its_coefficient_and_nothing_else():
    panel = made_up(-0.5)
    a = regression.fit(panel, ["troops"])
    b = regression.fit(panel.assign(troops=panel.troops * 1_000), ["troops"])
    assert b.b.troops * 1_000 == pytest.approx(a.b.troops, rel=1e-3)
    assert b.se.troops * 1_000 == pytest.approx(a.se.troops, rel=1e-2)


def test_standard_errors_are_clustered_on_the_conflict():
    """Rows that are copies of each other say nothing new."""
    panel = made_up(-0.5, conflicts=40, months=10)
    twice = pd.concat([panel, panel])
    a, b = (regression.fit(p, ["troops", "log_severity"]).se.troops for p in (panel, twice))
    assert b == pytest.approx(a, rel=0.05)


def test_selection_flips_the_sign_when_severity_is_left_out():
    panel = made_up(-0.1, selection=1.5, conflicts=150)
    alone = regression.fit(panel, ["troops"])
    known = regression.fit(panel, ["troops", "log_severity"])
    assert alone.b.troops > 0 > known.b.troops
    assert known.b.troops == pytest.approx(-0.1, abs=0.07)


def test_the_truth_is_the_ratio_to_the_same_conflicts_without():
    without = made_up(0.0).assign(killed=1_000)
    with_ = without.assign(killed=(1_000 * np.exp(-0.2 * without.troops)))
    assert regression.truth(with_, without) == pytest.approx((-0.2, -0.2, -0.2), abs=0.001)


def test_a_jackknife_agrees_with_clusters_where_there_are_many():
    panel = made_up(-0.4, conflicts=120, months=12)
    se, low, high = regression.jackknife(panel, ["troops", "log_severity"])
    fitted = regression.fit(panel, ["troops", "log_severity"])
    assert se == pytest.approx(fitted.se.troops, rel=0.8)
    assert low < fitted.b.troops < high


def test_worst_months_are_dropped_and_capped_as_in_the_literature():
    panel = pd.DataFrame({"killed": np.arange(3_746)})
    assert len(regression.worst_dropped(panel)) == 3_746 - 9
    assert regression.worst_dropped(panel).killed.max() == 3_746 - 10
    assert regression.capped(panel).killed.max() == 1_000


@pytest.mark.parametrize(
    ("alone", "real", "said"),
    [
        ((0.5, 1.1, 2.0), (-0.3, 0.6, 0.9), "Selection flips the sign"),
        ((-0.1, 0.8, 0.95), (-0.4, 0.6, 0.9), "it hides 75% of the effect"),
        ((-0.5, 0.5, 0.8), (-0.4, 0.6, 0.9), "it shows 1.2 times the effect"),
        ((0.1, 0.8, 1.4), (-0.4, 0.6, 0.9), "the estimate lies above 1, and its interval holds 1"),
        ((0.5, 1.1, 2.0), (-0.1, 0.7, 1.2), "Whether missions save lives at all is not sure"),
    ],
)
def test_what_is_said_of_selection_follows_the_numbers(alone, real, said):
    alone, real = (pd.Series(dict(zip(("b", "low", "high"), x, strict=True))) for x in (alone, real))
    assert said in regression.selection(alone, real)


# ---------------------------------------------------------------------------------- the conflicts


def test_conflicts_differ_and_are_the_same_again(small):
    made = [small[0].scenarios[f"conflict {k} none"].params for k in range(1, 9)]
    again = conflicts.conflicts({**DESIGN, "conflicts": 4}, small[0].first("conflict"))
    assert again == conflicts.conflicts({**DESIGN, "conflicts": 6}, small[0].first("conflict"))[:4]
    assert len({p.country.population for p in made}) == 8
    spec = DESIGN["country"]["population"]
    assert all(spec["from"] <= p.country.population <= spec["to"] for p in made)
    assert all(len(p.country.factions) >= DESIGN["country"]["fewest_factions"] for p in made)
    assert all(p.mission.components["un"].personnel.troops == 0 for p in made)


def test_missions_go_to_harder_wars_with_more():
    severity = np.arange(400.0)
    sent = conflicts.missions(DESIGN, severity)
    easy, hard = sent[:200], sent[200:]
    assert (hard.sum(axis=1) > 0).mean() == pytest.approx(DESIGN["missions"]["sent_to_hard"], abs=0.1)
    assert (easy.sum(axis=1) > 0).mean() == pytest.approx(DESIGN["missions"]["sent_to_easy"], abs=0.1)
    assert hard[hard[:, 0] > 0, 0].mean() > 1.5 * easy[easy[:, 0] > 0, 0].mean()
    only = (sent[:, 0] == 0) & (sent[:, 2] > 0)
    assert only.sum() / (sent.sum(axis=1) > 0).sum() == pytest.approx(DESIGN["missions"]["observers_only"], abs=0.08)
    assert (sent[only][:, [1, 3]] == 0).all()


# ---------------------------------------------------------------------------------- from end to end


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("regression"))
        x = Experiment("regression", FEW)
        x.run(1)
        yield x, x.folder.resolve()


def test_a_small_regression_has_its_rows_and_files(small):
    folder = small[1]
    rows = pd.read_csv(folder / "coefficients.csv")
    named = {*regression.MODELS, *regression.PUBLISHED.model, "truth, selected", "truth, random"}
    assert set(rows.model) == named
    assert rows.groupby("model").variable.apply(set)["paper"] == {*conflicts.WHO, *regression.CONTROLS}
    assert set(pd.read_csv(folder / "coefficients.csv").columns) >= {"model", "variable", "b", "se", "converged"}
    text = (folder / "regression.md").read_text(encoding="utf-8")
    for said in ("Troops alone", "Panel: 8 conflicts", "Are there enough conflicts?", "real: the paper's model"):
        assert said in text
    assert (folder / "regression.png").stat().st_size > 5_000


def test_until_missions_come_conflicts_are_the_same_however_they_are_dealt(small):
    found = {k: pd.read_csv(small[1] / f"panel_{k}.csv") for k in ("none", "selected", "random")}
    before = found["none"].month < 24
    for kind in ("selected", "random"):
        assert (found[kind].killed[before] == found["none"].killed[before]).all()
        assert (found[kind].troops[before] == 0).all()
        assert found[kind].troops.max() > 0.5
    assert not (found["selected"].killed == found["none"].killed).all()
    assert set(found["selected"].groupby("conflict").sent.max()) == set(found["random"].groupby("conflict").sent.max())


def test_personnel_is_of_the_month_before(small):
    panel = pd.read_csv(small[1] / "panel_selected.csv")
    first = panel[panel.troops > 0].groupby("conflict").month.min()
    assert first.min() > 24
