"""The verification: its estimates in made-up data with known answers, and a small one from end to end."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments.engine.experiment import Experiment
from experiments.validation import verification


def made_up(**arms):
    """Return a store of made-up monthly panels."""
    return SimpleNamespace(months=lambda arm: arms[arm])


def test_what_pairing_saves_by_hand():
    luck = np.random.default_rng(1)
    shared, a, b = luck.normal(0, 3, 4_000), luck.normal(0, 1, 4_000), luck.normal(0, 1, 4_000)
    assert verification.gain(shared + a, shared + b) == pytest.approx(10, rel=0.1)
    assert verification.gain(a, b) == pytest.approx(1, rel=0.1)
    assert verification.gain(a, -a) == pytest.approx(0.5)
    assert np.isnan(verification.gain(a, a + 1))


@pytest.mark.parametrize(("sd", "half", "low", "high"), [(1, 0.2, 97, 102), (1, 1, 6, 7), (0, 1, 2, 2)])
def test_the_seeds_that_an_interval_needs(sd, half, low, high):
    assert low <= verification._seeds(sd, half) <= high


def test_a_permutation_test_sees_a_difference_and_not_noise():
    luck = np.random.default_rng(2)
    a, b = luck.lognormal(5, 0.5, 30), luck.lognormal(5, 0.5, 30)
    assert verification._permuted(a, 3 * b, 500) < 0.01
    chances = [verification._permuted(*luck.lognormal(5, 0.5, (2, 12)), 200) for _ in range(200)]
    assert 0.01 <= np.mean(np.array(chances) < 0.05) <= 0.1


def test_a_drift_is_the_change_of_the_logarithm_a_year():
    years = 1_000 * np.exp(-0.1 * np.arange(10)) * np.ones((20, 1))
    assert verification.drift(years, 2, 8) == pytest.approx((-0.1, -0.1, -0.1), abs=1e-3)
    killed = np.repeat(years / 12, 12, axis=1)
    table, found = verification.stationarity(made_up(long={"civilians_killed": np.c_[killed, killed[:, :5]]}))
    assert found == pytest.approx(years)
    assert table.year.tolist() == list(range(1, 11))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A verification of short runs and three seeds, and its folder."""
    few = [
        "experiment.seeds=3",
        "experiment.common=['mission.authorised=0','weeks=53','civilians=100']",
        "experiment.arms.long=['mission=none','weeks=262']",
        *(
            f"experiment.arms={{{arm} step {n}:['{how}','step_weeks={n}','weeks={weeks}']}}"
            for arm, how in (("none", "mission=none"), ("un", "as un"))
            for n, weeks in ((2, 54), (4, 56))
        ),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("verification"))
        x = Experiment("verification", few)
        x.run(1)
        yield x, x.folder.resolve()


def test_arms_say_what_they_change(small):
    x = small[0]
    arms = [a.split() for a in x.arms if len(a.split()) == 3]
    assert {what for _, what, _ in arms} == set(verification.REFERENCE)
    for base, what, level in (("none", "step", "0.5"), ("un", "cells", "2"), ("none", "civilians", "500")):
        assert [base, what, level] in arms
        p, q = x.first(f"{base} {what} {level}"), x.first(base)
        found = {"step": p.step_weeks / q.step_weeks, "cells": p.country.rows / q.country.rows}
        assert found.get(what, p.civilians) == float(level), (base, what, level)
    assert set(verification.MODELS) <= set(x.arms)


def test_a_small_verification_has_its_rows_and_files(small):
    folder = small[1]
    table = pd.read_csv(folder / "convergence.csv")
    assert set(table.what) == {"step", "cells", "civilians"}
    default = table[(table.what == "step") & (table.level == 1)]
    assert (default.ratio == 1).all()
    other = table[(table.what == "step") & (table.level == 2) & (table.outcome == "unmet_need")].iloc[0]
    assert 0.5 < other.ratio_low <= other.ratio <= other.ratio_high < 2
    pairs = pd.read_csv(folder / "pairing.csv")
    n = len(verification.MODELS)
    assert len(pairs) == n * (n - 1) / 2
    assert {"variance_ratio_civilians_killed", "variance_ratio_to_year_1", "seeds_for_10%"} <= set(pairs)
    text = (folder / "verification.md").read_text(encoding="utf-8")
    for said in ("Time step", "Cells per side", "Civilian agents", "a year in years 1 to", "Pairing", "It wears off",
                 "independent runs of each"):  # fmt: skip
        assert said in text
    assert len(pd.read_csv(folder / "stationarity.csv")) == 5
    assert (folder / "verification.png").stat().st_size > 5_000


def test_a_trend_is_the_change_with_every_doubling():
    arms = {"none civilians 500": 0.5, "none civilians 20000": 20}
    noise = np.random.default_rng(3).lognormal(0, 0.01, (30, 1))
    panels = {arm: {"civilians_killed": 1e6 * noise * k**0.5} for arm, k in arms.items()}
    flat = {name: np.full((30, 2), 1e6) for name in ("brd", "idps", "refugees", "unmet_need")}
    for panel in (panels := panels | {"none": {"civilians_killed": 1e6 * noise * 2**0.5}}).values():
        panel |= flat
    store = SimpleNamespace(arms=arms, months=lambda arm: panels.get(arm, panels["none"]))
    found = verification.trends(store).set_index(["what", "scenario", "outcome"])
    killed, battle = (found.loc[("civilians", "none", o)] for o in ("civilians_killed", "brd"))
    assert killed.ratio == pytest.approx(2**0.5, abs=0.01)
    assert killed.low > 1.4
    assert (battle.ratio, battle.runs) == (pytest.approx(1), 90)
