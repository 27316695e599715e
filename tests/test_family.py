"""What may be said of many comparisons at once: where nothing is true, next to nothing is said."""

import numpy as np
import pandas as pd
import pytest

from experiments.classroom import sheet
from experiments.drawing import family, statistics

ARMS = ["none", "un", "regional", "both"]
OUTCOMES = ["civilians_killed", "excess_deaths", "displaced_person_weeks", "peacekeepers_killed", "access"]


def worlds(seeds, luck, better=()):
    """Return runs as unlike each other as real ones: heavy tails, bad worlds that are bad for all arms, rare zeros."""
    rows = []
    for seed in range(seeds):
        bad = luck.lognormal(7, 1)
        for arm in ARMS:
            killed = bad * luck.lognormal(0, 0.7) * (0.3 if arm in better else 1)
            rows.append({
                "arm": arm, "seed": seed, "civilians_killed": np.round(killed), "excess_deaths": 4 * killed**0.8,
                "displaced_person_weeks": 1e4 * killed, "peacekeepers_killed": float(luck.poisson(0.5)), "cost": 1.0,
                "access": 1 / (1 + killed / 20_000), "missions_expelled": 0, "weeks_to_agreement": np.nan,
                "agreement_collapses": 0,
            })  # fmt: skip
    return pd.DataFrame(rows)


def shuffled(runs, luck):
    """Return the runs with the arms dealt anew within each seed: no arm is better than another."""
    dealt = runs.groupby("seed")["arm"].transform(lambda arms: luck.permutation(arms.to_numpy()))
    return runs.assign(arm=dealt).sort_values(["arm", "seed"], ignore_index=True)


def test_what_is_true_is_said():
    runs = worlds(30, np.random.default_rng(1), better=("un", "both"))
    judged = family.together(family.differences(runs, OUTCOMES, baseline="none"))
    assert judged.sure[[("civilians_killed", "un", "none"), ("civilians_killed", "both", "none")]].all()
    assert not judged.sure[("civilians_killed", "regional", "none")]
    single = statistics.paired_differences(runs, "civilians_killed", "none").loc["un"]
    row = judged.loc[("civilians_killed", "un", "none")]
    assert row.difference == pytest.approx(single.difference)
    assert row.low < single.low < single.high < row.high  # the family's is wider


def test_a_family_of_one_is_student():
    table = pd.DataFrame({("x", "a", "b"): np.random.default_rng(0).normal(0.3, 1, 40)})
    low, high = statistics.interval(table.iloc[:, 0])[1:]
    row = family.together(table).iloc[0]
    assert (row.low, row.high) == pytest.approx((low, high), rel=0.15)
    assert row.low <= low + 1e-12


def test_the_order_of_arms_seeds_and_outcomes_changes_nothing():
    runs = worlds(12, np.random.default_rng(2))
    a = family.together(family.differences(runs, OUTCOMES[:2], baseline="none"))
    turned = runs.iloc[::-1].reset_index(drop=True)
    b = family.together(family.differences(turned, OUTCOMES[1::-1], baseline="none")).loc[a.index]
    pd.testing.assert_frame_equal(a, b)


def test_missing_numbers_are_left_out_and_few_seeds_say_nothing():
    values = np.full(9, 1.0) + np.arange(9) / 10
    table = pd.DataFrame({"known": values, "mostly": [*values[:5], *[np.nan] * 4], "never": np.nan})
    found = family.together(table)
    assert found.n.tolist() == [9, 5, 0]
    assert found.sure.tolist() == [True, False, False]
    assert np.isnan(found.low["never"])


def test_quantiles_of_many_comparisons_are_students():
    exact = pytest.importorskip("scipy.stats").t.ppf
    for comparisons in (1, 9, 144):
        freedom = np.array([5, 12, 1_000])
        found, true = family._student(freedom, comparisons), exact(1 - 0.025 / comparisons, freedom)
        assert found[0] == pytest.approx(true[0], rel=0.05)
        assert found[1] == pytest.approx(true[1], rel=0.01)
        assert found[2] == pytest.approx(true[2], abs=5e-10)  # next to the normal, every coefficient shows
    assert np.isnan(family._student(np.array([0]), 1)).all()


def test_comparisons_that_go_together_cost_nothing_and_others_at_most_what_bonferroni_asks():
    luck = np.random.default_rng(7)
    one = luck.normal(0.3, 1, 30)
    alike = family.together(pd.DataFrame(dict.fromkeys("abcdefgh", one)))
    low, high = statistics.interval(one)[1:]
    assert (alike.high - alike.low).to_numpy() == pytest.approx(high - low, rel=0.05)
    # six seeds of which each says nearly the same: a flip of all signs, one in 32, makes t as large as it is
    steady = (1 + 0.01 * luck.normal(size=(6, 5))) * luck.choice([-1, 1], (6, 5))
    steady[:, 0] = np.abs(steady[:, 0])
    judged = family.together(pd.DataFrame(steady, columns=list("abcde")))
    widest = family._student(np.array(5), 5) * steady.std(axis=0, ddof=1) / np.sqrt(6)
    assert ((judged.high - judged.low) / 2).to_numpy() == pytest.approx(widest)


def test_letters_are_shared_by_those_who_cannot_be_told_apart():
    def judged(*differ):
        pairs = [("x", a, b) for i, a in enumerate("pqrs") for b in "pqrs"[i + 1 :]]
        return pd.DataFrame({"sure": [p[1:] in differ for p in pairs]}, index=pd.MultiIndex.from_tuples(pairs))

    assert family.letters(judged(), "pqrs", "x") == dict.fromkeys("pqrs", "a")
    apart = family.letters(judged(("p", "s")), "pqrs", "x")
    assert apart == {"p": "a", "q": "ab", "r": "ab", "s": "b"}
    for differ in [(("p", "q"), ("q", "r"), ("r", "s")), (("p", "r"), ("p", "s"), ("q", "s"))]:
        said = family.letters(judged(*differ), "pqrs", "x")
        for _, a, b in judged().index:
            assert bool(set(said[a]) & set(said[b])) == ((a, b) not in differ)
        groups = [{arm for arm in "pqrs" if letter in said[arm]} for letter in sorted({*"".join(said.values())})]
        assert not [(a, b) for a in groups for b in groups if a < b], "a letter that says nothing"
    # who is not surely different from whom: p and r, p and s, q and s
    chain = family.letters(judged(("p", "q"), ("q", "r"), ("r", "s")), "pqrs", "x")
    assert chain == {"p": "ab", "q": "c", "r": "a", "s": "bc"}


def test_bounds_on_the_share_of_worse_worlds():
    low, free, high = statistics.worse_bounds([1, 2, 3, 4], [1, 2, 3, 4])
    assert (low, free, high) == (0, 6 / 16, 0.75)  # shifted by one, three of four are worse
    assert statistics.worse_bounds([5, 6], [1, 2]) == (1, 1, 1)
    assert statistics.worse_bounds([1, 2], [5, 6]) == (0, 0, 0)
    assert statistics.worse_bounds([1, 2], [5, 6], less_is_better=False) == (1, 1, 1)
    luck = np.random.default_rng(0)
    a, b = luck.lognormal(0, 1, 50), luck.lognormal(0.3, 1, 50)
    low, free, high = statistics.worse_bounds(a, b)
    for _ in range(200):
        assert low - 1e-12 <= (a > luck.permutation(b)).mean() <= high + 1e-12
    assert low < free < high


def test_the_typical_seed_is_in_the_middle_of_all():
    runs = pd.DataFrame([
        {"arm": a, "seed": s, "x": s + 0.1 * (a == "un"), "y": -s} for s in range(9) for a in ("none", "un")
    ])  # fmt: skip
    assert family.unlike(runs, ["x", "y"]).idxmin() == 4


def test_no_interval_of_a_level_reaches_where_nothing_can_be():
    for values in ([0, 0, 0, 90], [1e-9, 5], luck_values := np.random.default_rng(0).lognormal(0, 2, 12)):
        mean, low, high = statistics.level(values)
        assert 0 <= low < mean < high
    ratio = statistics.ratio(luck_values, 2 * luck_values)
    assert ratio == pytest.approx((0.5, 0.5, 0.5))
    assert statistics.level([0, 0, 0]) == (0, 0, 0)
    assert statistics.level([0, 0, 0, 1, 1.0], share=True)[1:] == pytest.approx((0.0437, 0.9071), abs=0.03)
    # Wilson's interval of none of 30, and of all: t^2 / n = 2.045^2 / 30 = 0.1394, and 0.1394 / 1.1394
    assert statistics.level(np.zeros(30), share=True) == pytest.approx((0, 0, 0.12235), abs=1e-5)
    assert statistics.level(np.ones(30), share=True) == pytest.approx((1, 0.87765, 1), abs=1e-5)
    with pytest.raises(ValueError, match="below zero"):
        statistics.level([-1.0, 2.0])


def test_the_interval_of_a_level_covers_as_it_says():
    luck = np.random.default_rng(3)
    samples = luck.gamma(2.0, 1.0, (2_000, 15))
    covered = np.mean([low <= 2 <= high for _, low, high in map(statistics.level, samples)])
    assert 0.92 < covered < 0.97


@pytest.mark.parametrize("seeds", [6, 10, 30])
def test_of_shuffled_arms_nothing_sure_is_said_in_19_of_20_cases(seeds):
    luck = np.random.default_rng(seeds)
    runs = worlds(seeds, luck, better=("un", "both"))
    tried = 240
    false = sum(
        family.together(family.differences(shuffled(runs, luck), OUTCOMES), flips=600).sure.any() for _ in range(tried)
    )
    assert false <= 0.05 * tried + 2.6 * np.sqrt(0.05 * 0.95 * tried)  # one in 200 by luck alone


def test_the_sheet_says_nothing_sure_of_shuffled_arms_in_19_of_20_cases():
    luck = np.random.default_rng(5)
    runs = worlds(10, luck, better=("un",))
    tried = 60
    false = sum(
        any(list(remark(shuffled(runs, luck), 0)) for remark in (sheet._sure, sheet._reached)) for _ in range(tried)
    )
    assert false <= 0.05 * tried + 2.6 * np.sqrt(0.05 * 0.95 * tried)
