"""The scorecard: how it is judged, what its measures find in made-up data, and a small one from end to end."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments import __main__ as command
from experiments.drawing import estimates
from experiments.drawing.estimates import FAIL, OPEN, PASS, REPORT
from experiments.engine import runs
from experiments.engine.experiment import Experiment
from experiments.engine.scenarios import spelled_out
from experiments.validation import matching, measures, patterns
from experiments.validation import scorecard as validation
from sim import PeaceModel
from sim.country import finer
from sim.outcomes import totals
from sim.values import with_values

DESIGN = Experiment("validation", ["experiment.analysis.rows=[T11 quiet]", "civilians=100"])
PRESETS = DESIGN.about.presets
ROWS = {t.key: t for t in patterns.ALL}


def made_up(**arms):
    """Return a store of made-up monthly panels: arm=dict of column -> (seeds, months)."""
    return SimpleNamespace(months=lambda arm: {k: np.asarray(v, float) for k, v in arms[arm].items()})


# ---------------------------------------------------------------------------------- verdicts and intervals


@pytest.mark.parametrize(
    ("low", "high", "expect", "said"),
    [
        (-0.5, -0.1, "<1", PASS), (-0.5, 0.1, "<1", OPEN), (0.1, 0.5, "<1", FAIL), (0, 0, "<1", OPEN),
        (0.1, 0.5, ">1", PASS), (-0.5, -0.1, ">1", FAIL), (-0.1, 0.5, ">1", OPEN),
        (0.1, 0.5, ">0", PASS), (-0.5, -0.1, "<0", PASS), (-0.5, -0.1, ">0", FAIL),
        (-0.1, 0.1, "=1", PASS), (0.1, 0.5, "=1", OPEN), (0.3, 0.5, "=1", FAIL), (-9, -0.3, "=1", FAIL),
        (0.55, 0.8, "in", PASS), (0.45, 0.8, "in", OPEN), (0.95, 1, "in", FAIL), (0.1, 0.4, "in", FAIL),
        (np.nan, 1, "<1", OPEN),
    ],
)  # fmt: skip
def test_an_interval_is_judged_by_the_common_protocol(low, high, expect, said):
    assert estimates.verdict(low, high, expect, margin=1.2, band=(0.5, 0.9)) == said


def test_an_unknown_expectation_is_refused():
    with pytest.raises(ValueError, match="expected is '<2'"):
        estimates.verdict(0, 1, "<2")


def test_a_bootstrap_interval_holds_the_median_95_times_in_100():
    luck = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        _, low, high = estimates.bootstrap(luck.exponential(size=40), resamples=400)
        inside += low <= np.log(2) <= high
    assert 180 <= inside <= 199


def test_two_samples_with_other_luck_are_resampled_apart():
    luck = np.random.default_rng(4)
    a, b = luck.normal(1, 1, 100), luck.normal(0, 1, 80)
    e, low, high = estimates.bootstrap((a, b), np.mean)
    assert e == pytest.approx(a.mean() - b.mean())
    error = np.sqrt(a.var(ddof=1) / 100 + b.var(ddof=1) / 80)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_what_a_mechanism_does_is_judged_in_pairs():
    noise = np.random.default_rng(5).normal(0, 3, 60)
    e, low, high = estimates.lost(noise - 0.5, noise)
    assert (e, low, high) == pytest.approx((-0.5, -0.5, -0.5))


def test_what_a_mechanism_does_to_samples_with_other_luck_is_as_unsure_as_all_four_together():
    luck = np.random.default_rng(6)
    on, off = [tuple(luck.normal(x, 1, 100) for x in means) for means in ((1.5, 0), (0.5, 0))]
    e, low, high = estimates.lost(on, off, np.mean)
    assert e == pytest.approx(on[0].mean() - on[1].mean() - off[0].mean() + off[1].mean())
    error = np.sqrt(sum(x.var(ddof=1) / 100 for x in (*on, *off)))
    assert (high - e, e - low) == pytest.approx((1.96 * error, 1.96 * error), rel=0.1)


def test_an_estimate_without_numbers_has_no_interval():
    assert np.isnan(estimates.bootstrap(np.full(10, np.nan))).all()
    some = np.r_[np.zeros(5), np.full(10, np.nan)]
    assert estimates.bootstrap(some, resamples=500)[0] == 0


def test_a_ratio_of_counts_is_paired_and_bears_nought():
    assert estimates.log_ratio(np.array([0, 9.5, 7]), np.array([0, 4.5])) == pytest.approx([0, np.log(2)])


# ---------------------------------------------------------------------------------- measures


def test_a_ratio_counts_months_13_to_48():
    twice = np.zeros((2, 60))
    twice[:, 12:48] = 2
    twice[:, 48:] = 1_000
    store = made_up(a={"civilians_killed": twice}, b={"civilians_killed": np.minimum(twice, 1)})
    assert measures.ratio("civilians_killed")(store, "a", "b") == pytest.approx(np.log(72.5 / 36.5))


def test_a_slope_finds_the_rate_by_which_deaths_fall():
    dead = {f"d{d}": {"civilians_killed": np.full((3, 48), 1e6 * np.exp(-0.25 * d))} for d in (0, 1, 4)}
    doses = {"d0": 0, "d1": 1, "d4": 4}
    assert measures.slope(doses.values())(made_up(**dead), *doses) == pytest.approx(-0.25, abs=1e-4)


def test_diminishing_returns_by_hand():
    assert measures.diminishing(np.array([[100, 60, 50, 42]])) == pytest.approx((40 / 4 - 8 / 8) / 100)


def peace_of(agreement, dead=0):
    return measures.peace({"agreement": np.array([agreement]), "brd": np.zeros((1, len(agreement))) + dead})[0]


def test_a_peace_begins_with_the_agreement_and_ends_when_it_is_left_or_with_1000_dead_in_a_year():
    assert np.isnan(peace_of([0, 0, 0])[0])
    assert peace_of([0, 1, 1, 1]).tolist() == [0, 2]
    assert peace_of([0, 1, 1, 0, 1]).tolist() == [1, 2]
    assert peace_of([1] * 13, 100).tolist() == [1, 10]  # the dead of the month of signing do not count
    assert peace_of([1] * 30, 80).tolist() == [0, 29]  # 960 in any twelve months


def test_a_hazard_ratio_by_hand():
    rows = np.array([[1, 10, 1, 5], [0, 40, 1, 5], [np.nan, 0, 1, 15]])
    assert measures.hazard_ratio(rows) == pytest.approx(np.log((1.5 / 51) / (3.5 / 26)))


def test_relapse_counts_the_censored_as_kaplan_and_meier_do():
    rows = np.array([[1, 10], [0, 20], [1, 30], [0, 40], [np.nan, 0]])
    assert measures.relapsed(rows) == pytest.approx(1 - 3 / 4 * 1 / 2)
    assert measures.relapsed(rows, years=2) == pytest.approx(1 / 4)


def test_shapes_of_known_series():
    steady, luck = np.full(100, 5.0), np.random.default_rng(6)
    assert measures.quiet(steady) == 0
    assert measures.concentration(steady) == pytest.approx(0.05)
    assert measures.persistence(steady) == 0
    assert measures.burstiness(steady) == pytest.approx(-1)
    poisson = luck.poisson(3, 20_000)
    assert measures.dispersion(poisson) == pytest.approx(np.log(0.1), abs=0.05)
    random = (luck.random(50_000) < 0.1).astype(float)
    assert measures.after_violence(random) == pytest.approx(0.1, abs=0.02)
    assert measures.burstiness(random) == pytest.approx((np.sqrt(0.9) - 1) / (np.sqrt(0.9) + 1), abs=0.02)
    sticky = np.repeat(random[:5_000], 4)
    assert measures.after_violence(sticky) > 0.7 > 0.3 > measures.after_quiet(sticky)
    assert measures.persistence(sticky) > 1
    assert measures.burstiness(sticky) > 0


def test_measures_of_two_arms_by_hand():
    """In months 1 to 60: what is measured is 3 before month 13 and 7 after 48, where that is not to count."""

    def panel(**columns):
        return {name: np.r_[np.full(12, 3.0), np.resize(x, 36), np.full(12, 7.0)][None] for name, x in columns.items()}

    store = made_up(
        a=panel(access=[0.2, 0.4], humanitarian_staff=10, aid_workers_killed=1, civilians_killed=[2, 4], brd=5,
                excess_deaths=1, idps=1, refugees=1, unmet_need=9, cost=2e3, un_troops=[10, 100]),
        b=panel(access=[0.6, np.nan], humanitarian_staff=30, aid_workers_killed=2, civilians_killed=6, brd=5,
                excess_deaths=2, idps=1, refugees=1, unmet_need=9, cost=1e3, un_troops=[96, 97]),
    )  # fmt: skip
    # of 36 months and twelve of 7: (36 x 0.3 + 84) / 48; and 18 that are known, and twelve
    of_a, of_b = (36 * 0.3 + 84) / 48, (18 * 0.6 + 84) / 30
    assert measures.ratio_of_means("access")(store, "a", "b") == pytest.approx([np.log(of_a / of_b)])
    assert measures.mean(store, "b", "access") == pytest.approx([0.6])
    assert np.isnan(measures.mean(store, "b", "access", (14, 14)))
    killed, there = np.log((36 + 84 + 0.5) / (72 + 84 + 0.5)), np.log((360 + 84) / (1080 + 84))
    assert measures.attack_rate(store, "a", "b") == pytest.approx([killed - there])
    # 108 killed against 216, 36 excess deaths against 72, the same of the rest: of the first, half a death is less
    assert measures.differences(store, "a", "b") == pytest.approx([np.log(108.5 / 216.5)])
    assert measures.worse("brd")(store, "a", "b") == measures.worse("civilians_killed")(store, "a", "b") == [0]
    assert measures.worse("civilians_killed")(store, "b", "a") == [1]
    # months 13 and 14 against 1 and 2: 6 against 6, and 12 against 6
    assert measures.jump((1, 2), (13, 14))(store, "a", "b") == pytest.approx([-np.log(12.5 / 6.5)])
    # thousand US$ of months 1 to 48; (216 + 108 + 12 x 6) averted of b's, and of a's own (108 + 36 + 12 x 6)
    assert measures.cost_and_averted(store, "a", "b") == pytest.approx(np.array([[72.036, 288 - 144]]))
    assert measures.months_to_peak("un_troops")(store, "a") == [14]
    assert measures.months_to_peak("un_troops")(store, "b") == [13]


def test_the_worst_months_are_the_last_of_those_in_order():
    assert measures.concentration(np.r_[np.zeros(30), 1, 5, 2, np.zeros(7)]) == 7 / 8  # two of 40
    assert measures.concentration(np.r_[9, np.zeros(19)]) == 1
    assert np.isnan(measures.concentration(np.zeros(20)))


def test_losses_now_move_killings_next_month_as_they_were_made_to():
    luck = np.random.default_rng(8)
    brd, osv = np.zeros((1, 48)) + luck.poisson(20, 48), np.zeros((1, 48))
    for month in range(1, 48):
        osv[0, month] = np.expm1(0.3 * np.log1p(brd[0, month - 1]) + 0.2 * np.log1p(osv[0, month - 1]))
    assert measures.losses_then_killings(made_up(a={"brd": brd, "osv_reb": osv}), "a") == pytest.approx([0.3])


def test_a_price_is_mean_cost_over_mean_deaths_averted():
    assert measures.price(np.array([[10.0, 4], [30, 1]])) == pytest.approx(8)
    assert np.isnan(measures.price(np.array([[10.0, -4]])))


# ---------------------------------------------------------------------------------- matching


def places(effect, seed=0, months=60):
    """Return made-up maps in which peacekeepers stand where violence was, and take away a share of it."""
    luck = np.random.default_rng(seed)
    shape = (months, 40, 40)
    maps = {name: np.zeros(shape) for name in ("persons", "violence", "osv_reb", "osv_gov", "brd", "peacekeepers_un")}
    danger = np.kron(luck.random((5, 5)) < 0.4, np.ones((4, 4))) > 0  # districts of four by four places
    maps["persons"] += 100.0
    maps["violence"] += np.kron(danger, np.full((2, 2), 0.5))
    sent = np.zeros((20, 20), bool)
    sent[1::4, 1::4] = luck.random((5, 5)) < np.where(danger[1::4, 1::4], 0.6, 0.1)
    maps["peacekeepers_un"][:, ::2, ::2] = 100.0 * sent
    reach = matching.cases(maps, 25)["reach"].reshape(-1, 20, 20)[0]
    chance = np.where(danger, 0.2, 0.01) * np.where(reach, effect, 1)
    maps["osv_reb"][:, ::2, ::2] = luck.random((months, 20, 20)) < chance
    return maps


def test_matching_recovers_a_known_effect_where_a_plain_comparison_does_not():
    values, plain = [], []
    for seed in range(8):
        found = matching.cases(places(0.5, seed), 25)
        values.append(matching.matched(found, "rebels"))
        plain.append([found["rebels"][found["reach"] == r].mean() for r in (True, False)])
    estimate = np.exp(matching.seen_by_expected(np.array(values)))
    assert estimate == pytest.approx(0.5, rel=0.15)
    assert np.divide(*np.mean(plain, axis=0)) > estimate + 0.1
    assert matching.points(np.array(values)) < 0


def test_matching_finds_nothing_where_peacekeepers_do_nothing():
    values = np.array([matching.matched(matching.cases(places(1.0, seed), 25), "rebels") for seed in range(8)])
    assert np.exp(matching.seen_by_expected(values)) == pytest.approx(1, abs=0.12)


def test_matches_by_hand():
    found = {"reach": np.array([1, 1, 0, 0, 0, 1], bool), "stratum": np.array([1, 1, 1, 1, 2, 3]),
             "rebels": np.array([1, 0, 1, 1, 1, 1], bool), "fighting": np.array([1, 0, 1, 1, 1, 1], bool)}  # fmt: skip
    assert matching.matched(found, "rebels") == (1.0, 2.0, 2.0)  # strata 2 and 3 have no matches
    assert matching.matched(found, "rebels", "fighting") == (1.0, 1.0, 1.0)


def test_nobody_in_reach_has_no_matches():
    maps = places(1.0) | {"peacekeepers_un": np.zeros((60, 40, 40))}
    assert matching.matched(matching.cases(maps, 25), "rebels") == (0, 0, 0)


def test_a_place_is_50_km_whatever_the_side_of_a_cell():
    fine = {name: np.kron(layer, np.full((2, 2), 0.25)) for name, layer in places(0.5, months=20).items()}
    fine["violence"] *= 4
    coarse = matching.cases(places(0.5, months=20), 25)
    for name, values in matching.cases(fine, 12.5).items():
        if name != "reach":  # the edge of a unit's cell is elsewhere
            assert np.array_equal(values, coarse[name]), name


def test_a_trend_is_the_slope_over_numbers_seed_by_seed():
    store = made_up(two={"x": [[1.0], [5.0]]}, three={"x": [[3.0], [5.0]]}, five={"x": [[7.0], [2.0]]})
    found = measures.trend(lambda s, arm: s.months(arm)["x"][:, 0], (2, 3, 5))(store, "two", "three", "five")
    assert found == pytest.approx([2, -15 / 14])


def test_years_at_war_and_months_to_an_agreement_are_counted():
    brd = np.zeros((2, 26))
    brd[0, [0, 11, 12]] = 12.5, 12.5, 24  # 25 in the first year, 24 in the second; the last two months are no year
    brd[1, 24:] = 1000
    agreement = np.zeros((2, 26))
    agreement[1, 7] = 1
    store = made_up(arm={"brd": brd, "agreement": agreement})
    assert measures.years_at_war(store, "arm").tolist() == [1, 0]
    assert measures.months_to_agreement(store, "arm").tolist() == [26, 7]


def test_a_ratio_of_means_is_of_columns_together():
    a, b = {"x": [[2.0] * 60], "y": [[4.0] * 60]}, {"x": [[1.0] * 60], "y": [[1.0] * 60]}
    store = made_up(a=a, b=b)
    assert measures.ratio_of_means("x", "y")(store, "a", "b") == pytest.approx(np.log(3))
    assert measures.ratio_of_means("x")(store, "a", "b") == pytest.approx(np.log(2))


# ---------------------------------------------------------------------------------- the table of tests


def test_every_row_of_the_literature_is_there():
    have = {t.key.split()[0] for t in patterns.ALL} | {"A3"}
    asked = {f"T{k}" for k in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)} | {f"A{k}" for k in range(1, 7)}
    assert have == asked | {f"R{k}" for k in range(1, 11)} | {"Failure"}
    assert len(ROWS) == len(patterns.ALL)


def test_every_row_that_can_fail_has_something_that_should_break_it_and_an_expectation():
    for t in patterns.ALL:
        if t.can_fail:
            assert t.off, t.key
            assert t.expect, t.key
            assert t.mechanism, t.key
    assert not [t.key for t in (*patterns.PANEL, patterns.TOO_KIND) if t.can_fail]


def test_every_arm_of_every_row_is_in_the_design_and_every_arm_of_the_design_in_a_row():
    arms = validation.wanted(patterns.ALL, 1)
    asked = {(arm,) if arm in DESIGN.arms else tuple(arm.split(", ")) for arm in arms}
    assert {a[0] for a in asked} == set(DESIGN.arms)
    assert {a[1] for a in asked if len(a) > 1} == set(DESIGN.about.variants)
    for how in DESIGN.about.arms.values():
        spelled_out(how, PRESETS)  # refuses a preset that is not there


@pytest.mark.parametrize("arm", ["un_8 ceasefire powerless", "regional under the name un", "quarter cut",
                                 "observers like troops", "regional 2719 gap", "none steady for ten years",
                                 "arrives month 1 powerless", "parallel bloody, coarse grid"])  # fmt: skip
def test_arms_can_be_made(arm):
    assert DESIGN.scenario(arm).params.weeks >= 105


def test_an_unknown_arm_or_preset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no arm 'nome'.*none"):
        DESIGN.scenario("nome")
    with pytest.raises(ValueError, match=r"no arm 'none, slow'.*half weeks"):
        DESIGN.scenario("none, slow")
    with pytest.raises(ValueError, match=r"no preset 'un_9'.*un_8"):
        spelled_out(["as un_9"], PRESETS)


@pytest.mark.parametrize("times", [0.5, 1.5, 2, 3])
def test_a_finer_grid_is_the_same_country(times):
    plain = DESIGN.scenario("none").params.country
    fine = finer(plain, times)
    assert (fine.rows, fine.cols, fine.cell_km) == (times * plain.rows, times * plain.cols, plain.cell_km / times)

    def km(country, spot):
        return np.array([spot.row + 0.5, spot.col + 0.5]) * country.cell_km

    for name, town in plain.places.items():  # a town is in the cell where it was, if not in its middle
        assert np.abs(km(fine, fine.places[name]) - km(plain, town)).max() <= fine.cell_km / 2
    for kind in ("communities", "deposits"):
        for name, spot in getattr(plain, kind).items():
            assert km(fine, getattr(fine, kind)[name]) == pytest.approx(km(plain, spot))


def test_ablations_change_nothing_without_a_mission():
    few, small = ["experiment.analysis.rows=[T11 quiet]", "civilians=150"], {"weeks": 60}
    presets = ("no_deterrence", "no_politics", "no_partnership")
    added = [f"+experiment.arms.{p}=['mission=none','as {p}']" for p in presets]
    x = Experiment("validation", [*few, *added])
    short = (with_values(x.scenario(arm).params, small) for arm in ("none", *presets))
    plain, *others = (totals(PeaceModel(params).run()) for params in short)
    assert others == [plain] * 3


def test_no_setting_stores_an_answer_and_a_planted_one_is_found():
    row = validation.no_stored_answers()
    assert (row["verdict"], row["off_verdict"], row["estimate"], row["off_estimate"]) == (PASS, FAIL, 0, 1)
    assert validation.forbidden(["judge.conflation", "parallel.success", "force.un_effect"]) == [
        "force.un_effect", "parallel.success",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("un", "regional", "joint"),
    [(FAIL, FAIL, FAIL), (PASS, PASS, PASS), (FAIL, PASS, OPEN), (FAIL, OPEN, OPEN), (OPEN, OPEN, OPEN)],
)
def test_parallel_fails_only_if_it_is_worse_than_both(un, regional, joint):
    rows = {k: validation.row(k, "", verdict=v, off_verdict=v) for k, v in (("T6 UN", un), ("T6 regional", regional))}
    validation.jointly(rows)
    assert {r["verdict"] for r in rows.values()} == {r["off_verdict"] for r in rows.values()} == {joint}
    assert rows["T6 UN"]["remark"] == f"alone: {un}; T6 is judged jointly"


def test_the_conflation_at_which_separation_stops_paying_is_said():
    rows = {f"R1 {key} {s:g}": validation.row("", "", (np.exp(0.6 - s), np.exp(0.4 - s), np.exp(0.8 - s)))
            for key in patterns.CONFLATED for s in patterns.SPILL}  # fmt: skip
    validation.flips(rows)
    assert rows["R1 access 0"]["remark"].startswith("estimates change sides at conflation 0.60; surely different at 0,")


# ---------------------------------------------------------------------------------- from end to end

FEW = ["T1", "T3 killed", "A2", "T11 quiet"]


def scorecard(*more, rows=FEW, seeds=2, most=3, retry_failed=False):
    """Run a small scorecard in the present folder; return its table."""
    few = [f"experiment.analysis.rows=[{','.join(rows)}]", f"experiment.seeds={seeds}", "civilians=100",
           f"experiment.analysis.more_seeds={most}", "experiment.analysis.most_seeds=null", *more]  # fmt: skip
    x = Experiment("validation", few)
    x.run(1, retry_failed)
    return validation.judge(x, validation.chosen(x), seeds, most)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A scorecard of few rows with few seeds, and its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("scorecard"))
        yield scorecard(), Path("results/validation").resolve()


def test_a_small_scorecard_has_its_rows_and_files(small):
    table, folder = small
    assert table.test.tolist() == ["T1", "T3 killed", "T11 quiet", "A2", "A3"]
    assert set(table.verdict) <= {PASS, FAIL, OPEN}
    assert {"seeds", "estimate", "estimate_low", "estimate_high", "expected", "mechanism", "off", "off_verdict",
            "lost", "shows"} <= set(table)  # fmt: skip
    assert table.set_index("test").seeds[["T1", "A2"]].tolist()[1] == 2
    stored = pd.read_csv(folder / "scorecard.csv")
    assert stored.test.tolist() == table.test.tolist()
    text = (folder / "scorecard.md").read_text(encoding="utf-8")
    for said in ("5 rows can fail", "| **PASS** |", "held out", "with it off, or wrong"):
        assert said in text
    for name in ("scorecard.png", "panel.png", "provenance.yaml"):
        assert (folder / name).stat().st_size > 200


def test_a_placebo_is_no_mission_and_a_mandate_is(small):
    row = small[0].set_index("test").loc["A2"]
    assert (row.verdict, row.estimate, row.estimate_low, row.estimate_high) == (PASS, 1, 1, 1)
    assert row.shows != "STILL PASSES"
    assert abs(np.log(row.off_estimate)) > 0.01


def test_observers_with_the_abilities_of_troops_are_troops(small):
    row = small[0].set_index("test").loc["T3 killed"]
    assert (row.off_estimate, row.off_verdict) == (1, OPEN)


def test_a_row_may_have_a_number_of_seeds_of_its_own(small):
    about = DESIGN.about.analysis
    row = small[0].set_index("test").loc["T11 quiet"]
    half = (row.estimate_low + row.estimate_high) / 2  # a band that begins here leaves the row open
    still_open = [replace(ROWS["T11 quiet"], band=(half, 1))]
    for most, seeds in (({}, 2), ({"T11 quiet": 3}, 3), ({"T1": 3}, 2)):
        x = Experiment("validation", ["experiment.analysis.rows=[T11 quiet]", "experiment.seeds=2", "civilians=100"])
        assert validation.judge(x, still_open, 2, 2, most).set_index("test").seeds["T11 quiet"] == seeds
    assert set(about["most_seeds"]) <= set(ROWS)


def test_without_campaigns_no_month_is_quiet(small):
    row = small[0].set_index("test").loc["T11 quiet"]
    assert row.off_estimate < row.estimate - 0.2
    assert row.shows == "fails"


def test_finished_runs_are_kept_when_it_is_interrupted(small, monkeypatch):
    """Nothing is done again; a run that was lost is done alone."""
    folder = small[1]
    done = sorted(p.name for p in (folder / "runs").iterdir() if p.is_dir())
    lost = folder / "runs" / done[3]
    for file in lost.iterdir():
        file.unlink()
    lost.rmdir()
    simulated, real = [], runs.simulate

    def interrupted(job):
        simulated.append(job.key)
        if len(simulated) == 1:
            raise KeyboardInterrupt
        real(job)

    monkeypatch.setattr(runs, "simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scorecard()
    again = scorecard()
    assert simulated == [lost.name, lost.name]
    assert sorted(p.name for p in (folder / "runs").iterdir() if p.is_dir()) == done
    pd.testing.assert_frame_equal(again, small[0])


def test_a_failed_run_is_named_and_can_be_tried_again(small, monkeypatch):
    real = runs.simulate

    def fails(job):
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(runs, "simulate", fails)
    with pytest.raises(runs.Failures, match="no such luck"):
        scorecard("weeks=210", rows=["A2"], seeds=1, most=1)
    monkeypatch.setattr(runs, "simulate", real)
    with pytest.raises(runs.Failures):
        scorecard("weeks=210", rows=["A2"], seeds=1, most=1)
    table = scorecard("weeks=210", rows=["A2"], seeds=1, most=1, retry_failed=True)
    assert table.verdict.tolist() == [PASS, PASS]


def test_bad_words_are_refused_before_the_first_run(capsys):
    for words, said in ((["judge.conflatio=1"], "conflatio"), (["--workers", "0"], "at least 1")):
        with pytest.raises(SystemExit) as stop:
            command.main(["validation", *words])
        assert stop.value.code == 2
        assert said in capsys.readouterr().err


def test_reported_rows_are_never_a_gate():
    for t in patterns.PANEL:
        assert not t.can_fail
    row = validation.row("R1", "")
    assert (row["verdict"], row["off_verdict"]) == (REPORT, "")


@pytest.mark.parametrize(
    ("verdict", "off", "said"),
    [(PASS, FAIL, "fails"), (PASS, OPEN, "no longer passes"), (PASS, PASS, "STILL PASSES"), (OPEN, OPEN, "open too"),
     (OPEN, PASS, "STILL PASSES"), (FAIL, FAIL, "fails"), (REPORT, FAIL, ""), (PASS, "", "")],
)  # fmt: skip
def test_what_becomes_of_a_row_without_its_mechanism(verdict, off, said):
    assert validation.shows({"verdict": verdict, "off_verdict": off, "expected": "=1"}) == said


@pytest.mark.parametrize(
    ("expected", "unit", "effect", "lost", "said"),
    [(">0", "", 2, (1.5, 1, 2), "weaker by 75%"), (">0", "", 2, (1.5, -0.1, 2), ""),
     (">1", "ratio", 4, (0.5, 0.4, 1), ""),
     ("<1", "ratio", 0.25, (0.5, 0.4, 0.7), "weaker by 50%"), ("=1", "ratio", 1.1, (2, 1, 3), ""),
     (">1", "ratio", 1.5, (1.45, 1.3, 1.6), "weaker by 92%")],
)  # fmt: skip
def test_a_row_that_passes_without_its_mechanism_may_pass_by_less(expected, unit, effect, lost, said):
    row = {"verdict": PASS, "off_verdict": PASS, "expected": expected, "unit": unit, "estimate": effect}
    row |= dict(zip(("lost", "lost_low", "lost_high"), lost, strict=True))
    assert validation.shows(row) == (f"passes, {said}" if said else "STILL PASSES")
    assert validation.shows(row | {"verdict": OPEN}) == "STILL PASSES"  # of what it does not show it makes no part


def test_an_interval_shrinks_with_the_root_of_the_seeds():
    assert validation.enough(-np.log(1.2), np.log(1.2), 1.2, 100) == pytest.approx(400)


def test_more_seeds_are_spent_only_where_they_can_decide():
    wide, narrow = ({"estimate_low": 1 / x, "estimate_high": x, "seeds": 30} for x in (3, 1.4))
    assert not validation.decidable(ROWS["A4 step T8"], wide, 100)
    assert validation.decidable(ROWS["A4 step T8"], narrow, 110)
    assert validation.decidable(ROWS["T1"], wide, 100)
