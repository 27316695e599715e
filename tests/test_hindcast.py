"""The hindcast: scores against closed forms, baselines that see only the past, tables and figures."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from conftest import CONF, loaded

from experiments.history import figures as held
from experiments.history import hindcast

FIRST = "2013-12"
SEEN = {"title": "CAR", "first": FIRST, "before": "car_observed_before.csv",
        "places": "car_observed_places.csv", "division": "prefecture"}  # fmt: skip
MONTHS = [f"{y}-{m:02d}" for y in (2012, 2013, 2014) for m in range(1, 13)]


@pytest.fixture
def seen():
    months = [f"{y}-{m:02d}" for y in range(1989, 2015) for m in range(1, 13)]
    return pd.DataFrame({"month": months, "civilians_killed": 10.0, "battle_deaths": 5.0, "events": 3})


@pytest.fixture
def monthly():
    rng = np.random.default_rng(0)
    return pd.concat([
        pd.DataFrame({"arm": "car_history", "seed": s, "month": MONTHS, "osv_all": rng.poisson(10, len(MONTHS)),
                      "civilians_killed": rng.poisson(11, len(MONTHS)), "brd": rng.poisson(4, len(MONTHS)),
                      "events": rng.poisson(3, len(MONTHS))})
        for s in range(1, 41)
    ], ignore_index=True)  # fmt: skip


# ------------------------------------------------------------------------------ scores


@pytest.mark.parametrize("seen", [0.0, 0.7, -2.5])
def test_crps_of_a_normal_forecast_is_its_closed_form(seen):
    sample = np.random.default_rng(0).normal(size=200_000)
    density, below = math.exp(-seen * seen / 2) / math.sqrt(2 * math.pi), (1 + math.erf(seen / math.sqrt(2))) / 2
    exact = seen * (2 * below - 1) + 2 * density - 1 / math.sqrt(math.pi)  # Gneiting & Raftery 2007
    assert hindcast.crps(sample, seen) == pytest.approx(exact, abs=0.005)


def test_crps_of_one_number_is_the_absolute_error_and_of_two_by_hand():
    assert hindcast.crps([3.0], 7.0) == 4.0
    assert hindcast.crps([0.0, 4.0], 1.0) == pytest.approx((1 + 3) / 2 - 4 / 4)


def test_crps_rewards_the_true_distribution():
    rng = np.random.default_rng(1)
    came = rng.normal(0, 1, 4_000)
    score = {s: np.mean([hindcast.crps(rng.normal(0, s, 200), x) for x in came[:500]]) for s in (0.3, 1.0, 3.0)}
    assert score[1.0] == min(score.values())


def test_bands_cover_what_they_say():
    rng = np.random.default_rng(2)
    covered = [[hindcast.covered(rng.normal(size=200), rng.normal(), s) for s in (0.5, 0.9)] for _ in range(2_000)]
    assert np.mean(covered, axis=0) == pytest.approx([0.5, 0.9], abs=0.03)


# ------------------------------------------------------------------------------ forecasts


def test_origins_are_every_third_month_that_has_a_year_ahead(seen):
    assert hindcast.origins(MONTHS, seen, "2012-12") == ["2012-12", "2013-03", "2013-06", "2013-09", "2013-12"]
    assert hindcast.origins(MONTHS, seen, "2014-01") == ["2014-01"]
    with pytest.raises(ValueError, match="end in 2014-12; forecasts need a year from 2014-02 on"):
        hindcast.origins(MONTHS, seen, "2014-02")


def test_forecasts_know_nothing_of_their_origin_and_later(monthly, seen):
    for changed_from in ("2013-03", "2013-12"):
        later = seen.assign(civilians_killed=seen.civilians_killed.where(seen.month < changed_from, 9_999.0))
        for (origin, month, came, a), (_, _, changed, b) in zip(
            hindcast.forecasts(monthly, seen, "one-sided deaths", "2013-03"),
            hindcast.forecasts(monthly, later, "one-sided deaths", "2013-03"),
        ):
            assert origin <= month
            assert (came, changed) == (10, 10 if month < changed_from else 9_999)
            same = all(a[name].tolist() == b[name].tolist() for name in a)
            assert same == (origin <= changed_from)
    assert set(a) == {hindcast.SIMULATION, hindcast.NEAREST, *hindcast.FORECASTS}
    assert hindcast.last_year(later, FIRST)["all violent deaths"] == 15


def test_each_table_is_what_its_name_says(monthly, seen):
    rising = seen.assign(events=np.arange(len(seen), dtype=float))
    at = dict(zip(rising.month, rising.events))["2013-12"]
    _, _, _, found = next(hindcast.forecasts(monthly, rising, "events", FIRST))
    assert found["last month"].tolist() == [at - 1]
    assert found["last quarter's months"].tolist() == [at - 3, at - 2, at - 1]
    assert found["last year's months"].tolist() == list(np.arange(at - 12, at))
    assert found["last year's mean"].tolist() == [at - 6.5]
    assert found["long run"].tolist() == list(np.arange(at))


def test_the_nearest_runs_are_those_of_the_year_before(monthly, seen):
    like = monthly.assign(events=monthly.seed.astype(float))  # seen: 3 in every month
    _, _, _, found = next(hindcast.forecasts(like, seen, "events", FIRST))
    assert sorted(found[hindcast.NEAREST]) == [1, 2, 3, 4, 5, 6, 7, 8]  # of 40: 4 is nearer than 2, 9 farther than 1
    assert len(found[hindcast.SIMULATION]) == 40


def test_a_perfect_forecast_beats_and_a_wrong_one_loses(monthly, seen):
    rng = np.random.default_rng(3)
    seen = seen.assign(civilians_killed=rng.poisson(200, len(seen)))
    came = seen.set_index("month").civilians_killed
    right = monthly.assign(osv_all=monthly.month.map(came))
    wrong = monthly.assign(osv_all=5_000.0)
    for table, best in ((right, 5), (wrong, 0)):
        found = hindcast.scores(hindcast.origins_table(table, seen, "2012-12"))
        found = found[found.measure == "one-sided deaths"].set_index(["scale", "forecast"])
        assert (found.origins == 5).all()
        for scale in hindcast.SCALES:
            assert found.best[scale, hindcast.SIMULATION] == best
            assert (found["mean"][scale, hindcast.SIMULATION] < 1e-9) == (best > 0)
            assert found.nearer_than_simulation[scale, "last month"] == 5 - best
        tables = found.loc["count"].loc[list(hindcast.FORECASTS)]
        assert tables.best.sum() == 5  # somebody is the best of the tables from every origin


def test_scores_without_a_year_before_are_refused(monthly, seen):
    with pytest.raises(ValueError, match="a year before 2013-12 is needed"):
        hindcast.months_table(monthly, seen[seen.month >= "2013-06"], FIRST)


# ------------------------------------------------------------------------------ what was observed


def test_the_observed_tables_agree_with_each_other():
    car = loaded("country=car").country
    observed = hindcast.Observed.of(SEEN, car)
    months, places = observed.history, observed.by_place
    assert months.month.is_unique
    assert months.month.iloc[0] == "1989-01"
    assert set(places.index) == set(pd.read_csv(CONF / "country" / car.cells).admin1)
    assert places.population.sum() == pytest.approx(4_610_848, rel=0.01)
    after = months[months.month.between("2013-12", "2017-12")]
    # a few events have no prefecture, and long ones are spread over months in one table and not in the other
    assert places.killed_after.sum() == pytest.approx(after.civilians_killed.sum(), rel=0.05)
    assert (places.dead_after >= places.killed_after).all()


def test_where_counts_between_the_maps():
    car = loaded("country=car").country
    cells = pd.read_csv(CONF / "country" / car.cells)[["row", "col", "admin1"]]
    first = cells.assign(arm="a", month="2013-11", killed_so_far=5.0)
    last = cells.assign(arm="a", month="2017-12", killed_so_far=np.where(cells.admin1 == "Bangui", 105.0, 6.0))
    maps = pd.concat([first, last]).drop(columns="admin1")
    table = hindcast.where_table(maps, hindcast.Observed.of(SEEN, car), "a").set_index("admin1")
    assert table.simulated["Bangui"] == 100
    assert table.simulated["Lobaye"] == (cells.admin1 == "Lobaye").sum()
    itself = hindcast.where_scores(
        table.reset_index().assign(simulated=table.killed_after.to_numpy()), hindcast.Observed.of(SEEN, car)
    )
    assert itself.set_index("forecast").rank_correlation["simulation"] == pytest.approx(1)
    drawn(held.where(table.reset_index(), maps, hindcast.Observed.of(SEEN, car), "a", itself))


# ------------------------------------------------------------------------------ what if


@pytest.fixture
def three_arms():
    """Return months of three arms: `half` has half of what `none` has, `same` the same; before, all are alike."""
    rng = np.random.default_rng(6)
    base = pd.DataFrame(
        [(s, m, k) for s in range(1, 21) for m, k in zip(MONTHS, rng.integers(20, 60, len(MONTHS)))],
        columns=["seed", "month", "civilians_killed"],
    )
    base = base.assign(brd=10.0, excess_deaths=4.0, idps=100.0 * base.seed, refugees=0.0)
    counts = ["civilians_killed", "brd", "excess_deaths", "idps"]
    now = base.month >= FIRST
    half = base.assign(**{c: base[c].where(~now, base[c] / 2) for c in counts})
    arms = {"none": base, "same": base, "half": half}
    return pd.concat([t.assign(arm=a) for a, t in arms.items()], ignore_index=True)


def test_counterfactuals_compare_pairs_after_november_2013(three_arms):
    found = hindcast.counterfactuals(three_arms, "none", FIRST).set_index(["measure", "arm"])
    assert found.index.get_level_values("measure").unique().tolist() == list(hindcast.CHANGED)
    killed = found.loc["civilians killed"]
    assert killed.loc["same", ["median", "below", "difference"]].tolist() == [1, 0, 0]
    assert killed.loc["half", "median"] == pytest.approx(0.5, abs=0.01)
    assert killed.loc["half", ["below", "lowest_of_all", "pairs"]].tolist() == [1, 1, 20]
    after = three_arms[(three_arms.arm == "none") & (three_arms.month >= "2013-12")]
    total = after.groupby("seed").civilians_killed.sum().mean()
    assert killed.loc["half", "baseline_mean"] == pytest.approx(total)
    assert killed.loc["half", "difference"] == pytest.approx(-total / 2)
    displaced = found.loc["displaced, mean of months"].loc["half"]
    assert displaced.baseline_mean == pytest.approx(1_050)  # a mean of months, not their sum
    assert displaced.low < displaced.difference < displaced.high < 0


def test_counterfactuals_of_runs_that_end_before_are_refused(three_arms):
    with pytest.raises(ValueError, match="the runs end in 2013-11; counterfactuals compare months from 2013-12 on"):
        hindcast.counterfactuals(three_arms[three_arms.month < "2013-12"], "none", FIRST)


def test_counterfactuals_are_drawn(three_arms):
    figure = drawn(
        held.counterfactuals(
            hindcast.counterfactuals(three_arms, "none", FIRST), "none", observed(), "2014-12", True, True
        )
    )
    assert [ax.get_title(loc="left").lower() for ax in figure.axes] == list(hindcast.CHANGED)


# ------------------------------------------------------------------------------ figures


def observed():
    return hindcast.Observed.of(SEEN, loaded("country=car").country)


def drawn(figure):
    figure.savefig(io.BytesIO(), dpi=40)
    return figure


def origins(runs, seen, calibrated):
    table = hindcast.origins_table(runs, seen, FIRST)
    return held.origins(table, hindcast.scores(table), observed(), calibrated)


def test_months_and_forecasts_are_drawn(monthly, seen):
    table = hindcast.months_table(monthly, seen, "2012-06")
    figure = drawn(held.months(table, hindcast.last_year(seen, FIRST), observed(), True, {"Mission": "2013-12"}))
    assert len(figure.axes) == len(hindcast.MEASURES)
    assert all("50% band holds" in ax.get_title(loc="left") for ax in figure.axes)
    for runs, said in ((monthly, "in no measure"), (monthly.assign(events=3.0), "in no measure")):
        figure = drawn(origins(runs, seen, True))
        assert len(figure.axes) == 2 * len(hindcast.MEASURES)
        assert said in " ".join(figure.get_suptitle().split())
    rough = seen.assign(civilians_killed=np.random.default_rng(4).poisson(200, len(seen)))
    right = monthly.assign(osv_all=monthly.month.map(rough.set_index("month").civilians_killed))
    figure = held.origins(
        table := hindcast.origins_table(right, rough, FIRST), hindcast.scores(table), observed(), False
    )
    assert "in one-sided deaths, and nearer than all at once from 0 to 1 of 1 origins" in (
        " ".join(figure.get_suptitle().split())
    )
