"""Statistics on constructed tables, and figures through their artists: no pixel is compared."""

import io

import numpy as np
import pandas as pd
import pytest

from experiments.comparison import figures, findings, places
from experiments.drawing import statistics, style
from experiments.history import figures as history

ARMS = ["none", "parallel", "separated"]
MONTHS = [f"{2012 + k // 12}-{k % 12 + 1:02d}" for k in range(24)]
SHIFT = {"none": 0.0, "parallel": -100.0, "separated": -250.0}
JITTER = {"none": [0, 0, 0, 0], "parallel": [-30, -10, 10, 30], "separated": [5, -5, 20, -20]}


@pytest.fixture
def runs():
    rows = []
    for arm in ARMS:
        for k, seed in enumerate([1, 2, 3, 4]):
            level = 1000 * (k + 1) + SHIFT[arm] + JITTER[arm][k]
            rows.append({
                "arm": arm, "seed": seed, "civilians_killed": level, "excess_deaths": 3 * level, "deaths": 4 * level,
                "brd": level / 10, "displaced_person_weeks": 1e5 * level, "unmet_need": 2e5 * level,
                "peacekeepers_killed": 0.0 if arm == "none" else 10.0 + k, "aid_workers_killed": 0.0,
                "cost": 0.0 if arm == "none" else 3e9, "access": np.nan if arm == "none" else 0.6 + 0.01 * k,
            })  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def monthly():
    rng = np.random.default_rng(0)
    frames = []
    for arm in ARMS:
        for seed in (1, 2, 3, 4):
            n = len(MONTHS)
            staff = np.zeros(n) if arm == "none" else np.r_[np.zeros(6), np.full(n - 6, 5000.0)]
            frames.append(pd.DataFrame({
                "arm": arm, "seed": seed, "month": MONTHS, "civilians_killed": rng.pareto(1.2, n).round(),
                "brd": rng.pareto(1.5, n).round(), "idps": rng.uniform(1e5, 2e5, n), "refugees": rng.uniform(0, 1e4, n),
                "unmet_need": rng.uniform(1e6, 3e6, n), "access": np.where(staff > 0, rng.uniform(0.5, 0.9, n), np.nan),
                "troops": staff, "police": staff / 10, "observers": staff / 50,
            }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def cells():
    """Return maps of a country of 4 x 5 cells without its north-eastern corner."""
    row, col = (a.ravel() for a in np.mgrid[:4, :5])
    inside = ~((row == 3) & (col == 4))
    land = pd.DataFrame({"row": row[inside], "col": col[inside]})
    frames = [
        land.assign(
            arm=arm,
            month=month,
            killed_so_far=np.where(land.row == 1, 40.0 * (k + 1), 0.0),
            peacekeepers_un=np.where((land.row == 0) & (land.col == 2) & (arm != "none"), 300.0, 0.0),
            peacekeepers_orange=np.where(land.row == 2, 100.0, 0.0) if arm == "separated" else np.nan,
        )
        for arm in ARMS
        for k, month in enumerate(["2012-06", "2013-12"])
    ]
    return pd.concat(frames, ignore_index=True)


def drawn(figure):
    """Draw a figure, so that whatever fails only then fails here."""
    figure.savefig(io.BytesIO(), dpi=40)
    return figure


def visible(figure):
    return [ax for ax in figure.axes if ax.get_visible() and ax.axison]


def marks(ax, arms=("parallel", "separated")):
    return [line for line in ax.lines if line.get_gid() in arms]


# ------------------------------------------------------------------------------ statistics


def test_paired_difference_by_hand(runs):
    found = statistics.paired_differences(runs, "civilians_killed", "none").loc["parallel"]
    half = 3.182 * np.std([-130, -110, -90, -70], ddof=1) / 2  # t of 3 degrees of freedom, root of 4 pairs
    assert found.difference == pytest.approx(-100)
    assert (found.low, found.high) == pytest.approx((-100 - half, -100 + half))
    assert (found.n, found.worse_share) == (4, 0)


def test_pairs_are_seeds_not_rows(runs):
    shuffled = runs.sample(frac=1, random_state=0)
    here, there = (statistics.paired_differences(t, "deaths", "none") for t in (runs, shuffled))
    pd.testing.assert_frame_equal(here, there.loc[here.index])


def test_what_is_worse_depends_on_the_outcome(runs):
    more = statistics.paired_differences(runs, "access", "parallel").loc["separated"]
    assert more.worse_share == 0  # equal is not worse
    runs.loc[(runs.arm == "separated") & (runs.seed == 1), "access"] = 0.1
    less = statistics.paired_differences(runs, "access", "parallel").loc["separated"]
    assert less.worse_share == 0.25


def test_an_outcome_the_baseline_never_has_is_nan(runs):
    found = statistics.paired_differences(runs, "access", "none")
    assert found.n.eq(0).all()
    assert found[["difference", "low", "high", "worse_share"]].isna().all(axis=None)


@pytest.mark.parametrize("call", [
    lambda r: statistics.paired_differences(r, "deaths", "nobody"),
    lambda r: statistics.summary(r, "nobody"),
    lambda r: statistics.pairing_gain(r, "deaths", "none", "nobody"),
    lambda r: figures.differences(r, "nobody"),
    lambda r: figures.tradeoff(r, "nobody"),
])  # fmt: skip
def test_a_missing_arm_is_named_with_those_that_exist(runs, call):
    with pytest.raises(ValueError, match=r"'nobody'.*none, parallel, separated"):
        call(runs)


def test_a_missing_month_or_outcome_is_named(runs, cells):
    with pytest.raises(ValueError, match=r"month '2019-01'.*2012-06, 2013-12"):
        places.maps(cells, ARMS, dates=["2019-01"])
    with pytest.raises(ValueError, match="outcome 'happiness'"):
        statistics.paired_differences(runs, "happiness", "none")


def test_pairing_gain_of_known_variances():
    world, luck = np.array([3.0, -3.0, 3.0, -3.0]), np.array([1.0, 1.0, -1.0, -1.0])  # not correlated
    a, b = world, world + luck
    table = pd.DataFrame({"arm": ["a"] * 4 + ["b"] * 4, "seed": [*range(4)] * 2, "x": [*a, *b]})
    # variances: 12 of the world, 4/3 of luck; unpaired 12 + 12 + 4/3, paired 4/3
    assert statistics.pairing_gain(table, "x", "a", "b") == pytest.approx((24 + 4 / 3) / (4 / 3))


def test_pairing_gain_at_its_ends():
    table = pd.DataFrame({"arm": ["a", "a", "b", "b"], "seed": [1, 2, 1, 2], "x": [1.0, 5.0, 2.0, 6.0]})
    assert statistics.pairing_gain(table, "x", "a", "b") == np.inf
    assert np.isnan(statistics.pairing_gain(table[table.seed == 1], "x", "a", "b"))


def test_t_quantile_is_the_table_and_falls():
    assert statistics.t_quantile([1, 30, 10**9]) == pytest.approx([12.706, 2.042, 1.96])
    assert statistics.t_quantile(50) == pytest.approx(2.009, abs=0.001)
    assert statistics.t_quantile(199) == pytest.approx(1.972, abs=0.001)
    assert np.isnan(statistics.t_quantile(0))
    assert (np.diff(statistics.t_quantile(np.arange(1, 300))) < 0).all()


def test_an_interval_covers_the_mean_as_often_as_it_says():
    samples = np.random.default_rng(1).normal(7, 2, (2000, 6))
    covered = np.mean([low <= 7 <= high for _, low, high in map(statistics.interval, samples)])
    assert 0.93 < covered < 0.97


def test_intervals_of_nothing_and_of_one():
    assert np.isnan(statistics.interval([np.nan])).all()
    mean, low, high = statistics.interval([4.0, np.nan])
    assert mean == 4
    assert np.isnan([low, high]).all()


def test_summary_is_tidy_and_its_intervals_contain_their_means(runs):
    table = statistics.summary(runs, "none")
    assert not table.duplicated(["arm", "outcome"]).any()
    assert set(table.arm) == set(ARMS)
    assert "seed" not in set(table.outcome)
    known = table.dropna(subset=["low"])
    assert ((known.low <= known["mean"]) & (known["mean"] <= known.high)).all()
    known = table.dropna(subset=["diff_low"])
    assert ((known.diff_low <= known.difference) & (known.difference <= known.diff_high)).all()
    assert table[table.arm == "none"].difference.isna().all()


def test_cost_per_death_averted(runs):
    price = statistics.cost_per_death_averted(runs, "none")
    assert price["mean"].to_dict() == pytest.approx({"parallel": 3e9 / 400, "separated": 3e9 / 1000})
    assert (price.low < price["mean"]).all()
    assert (price["mean"] < price.high).all()
    # With a cost that is the same in all pairs, Fieller's interval is that of the deaths, turned over.
    averted = statistics.paired_differences(runs, "deaths", "none").loc["parallel"]
    assert price.loc["parallel", ["low", "high"]].tolist() == pytest.approx([3e9 / -averted.low, 3e9 / -averted.high])


def test_cost_per_death_averted_where_it_is_not_sure_that_any_was(runs):
    of = runs.arm == "parallel"
    runs.loc[of, "deaths"] = runs.loc[runs.arm == "none", "deaths"].to_numpy() - [900, -500, 10, -30]
    runs.loc[runs.arm == "separated", "deaths"] += 1e5
    price = statistics.cost_per_death_averted(runs, "none")
    assert price.loc["parallel", "high"] == np.inf
    assert 0 < price.loc["parallel", "low"] < price.loc["parallel", "mean"]
    assert price.loc["separated"].isna().all()


# ------------------------------------------------------------------------------ style


def test_an_arm_keeps_its_look_whichever_others_are_drawn():
    assert style.looks(["none", "separated"])["separated"] == style.looks(["hybrid", "separated"])["separated"]


@pytest.mark.parametrize(
    "arms",
    [
        [*style.named("colours"), "car_history"], [f"troops_{n}" for n in range(10)],
        ["none", "mali_history", "un_only", "host", "separated", *"abcdef"],
    ],
)  # fmt: skip
def test_no_two_arms_have_one_colour(arms):
    found = style.looks(arms)
    assert len({look.colour for look in found.values()}) == len(arms)
    assert len({look.mark for a, look in found.items() if a != "none"}) == len([a for a in arms if a != "none"])
    assert all(look.line == "-" for look in found.values())


def test_many_arms_have_different_looks():
    many = [*style.named("colours"), *(f"gap_of_{k}_weeks" for k in range(6))]
    assert len(set(style.looks(many).values())) == len(many)


def test_labels_and_units():
    assert style.label("separated_swapped") == "Separated, roles swapped"
    assert style.label("un_only") == "UN only"
    assert style.label("gap_of_26_weeks") == "Gap of 26 weeks"
    assert style.scaled_unit("person-week", 3e8) == (1e6, "million person-weeks")
    assert style.scaled_unit("share", 0.8) == (1, "share")
    assert [style.short_number(v) for v in (12000, -3.14, 0.62, -0.001)] == ["12,000", "−3.1", "0.62", "0"]


# ------------------------------------------------------------------------------ figures


def test_series_has_a_row_per_arm_and_units(monthly):
    figure = drawn(figures.series(monthly))
    axes = np.array(figure.axes).reshape(2, len(figures.SERIES))
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["Parallel", "Separated"]
    assert all(ax.get_xlabel() == "year" for ax in axes[-1])
    assert all("(" in ax.get_title() for ax in axes[0])
    for ax in axes.flat:
        assert len(ax.lines) == 2  # the baseline and the arm


def test_the_baseline_is_not_compared_with_itself(runs, monthly):
    assert len(drawn(figures.series(monthly, ARMS)).axes) == 2 * len(figures.SERIES)
    assert len(marks(drawn(figures.differences(runs, "none", ARMS)).axes[0], ARMS)) == 2
    assert len(drawn(figures.series(monthly, ["none"])).axes) == len(figures.SERIES)
    with pytest.raises(ValueError, match="no arm to compare with 'none'"):
        figures.tradeoff(runs, "none", ["none"])


def test_series_ribbons_contain_their_lines(monthly):
    found = figures._mean_month(monthly, "parallel", "displaced")
    by_hand = monthly[monthly.arm == "parallel"].assign(x=lambda d: d.idps + d.refugees).groupby("month").x.mean()
    assert found["mean"].to_numpy() == pytest.approx(by_hand.to_numpy())
    assert ((found.low < found["mean"]) & (found["mean"] < found.high)).all()


def test_series_leaves_a_gap_where_nobody_tried(monthly):
    found = figures._mean_month(monthly, "parallel", "access")
    assert found["mean"].isna().any()
    assert found["mean"].notna().any()
    assert figures._mean_month(monthly, "none", "access")["mean"].isna().all()


def test_differences_have_one_mark_per_arm_within_its_interval(runs):
    figure = drawn(figures.differences(runs))
    axes = visible(figure)
    assert len(axes) == len(figures.DIFFERENCES)
    for ax in axes:
        assert ax.get_xlabel().startswith("difference\n(")
        assert len(marks(ax)) == 2
        bars = [line for line in ax.lines if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1]
        for mark, bar in zip(marks(ax), bars):
            assert bar.get_xdata()[0] <= mark.get_xdata()[0] <= bar.get_xdata()[1]
    killed = {line.get_gid(): line.get_xdata()[0] for line in marks(axes[0])}
    assert killed == pytest.approx({"parallel": -100, "separated": -250})


def test_differences_follow_the_given_order_and_say_what_cannot_be_compared(runs):
    figure = drawn(figures.differences(runs, arms=["separated", "parallel"], outcomes=("deaths", "access")))
    first, access = figure.axes
    assert [t.get_text() for t in first.get_yticklabels()] == ["Separated", "Parallel"]
    assert any(t.get_text() == "nothing to compare" for t in access.texts)


def test_tradeoff_has_one_labelled_mark_per_arm(runs):
    figure = drawn(figures.tradeoff(runs))
    ax, margin = figure.axes
    assert "million person-weeks" in ax.get_xlabel()
    assert "people" in ax.get_ylabel()
    assert {line.get_gid() for line in marks(ax)} == {"parallel", "separated"}
    assert {t.get_text() for t in margin.texts} == {"Parallel", "Separated"}
    x, y = marks(ax)[0].get_xydata()[0]
    assert x == pytest.approx(-20)  # million person-weeks
    assert y == pytest.approx(-100 - 10 + 11.5)  # civilians, fighters and peacekeepers, in people


def test_names_are_moved_apart_but_stay_in_order():
    at = figures.apart(np.array([0.0, 0.01, 0.02, 5.0, 9.99]), 1.0, 0.0, 10.0)
    assert (np.diff(at) > 0.95).all()
    assert at[0] >= 0
    assert at[-1] <= 10


def test_maps_draw_only_cells_that_exist(cells):
    figure = drawn(places.maps(cells, ARMS, helmets={"un": "#0000ff"}, places={"Town": (0, 2)}, cell_km=25))
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == len(ARMS) * 2
    for ax in panels:
        shown = ax.images[0].get_array()
        assert shown.shape == (4, 5)
        assert shown.mask.sum() == 1
        assert shown.mask[3, 4]
    assert [ax.get_title() for ax in panels[:2]] == ["June 2012", "December 2013"]
    assert "civilians killed" in figure.axes[-1].get_ylabel()


def test_maps_draw_bases_in_the_colours_of_their_helmets(cells):
    figure = drawn(places.maps(cells, ARMS, helmets={"un": "#0000ff", "orange": "#ff8800"}))
    panels = [ax for ax in figure.axes if ax.images]
    bases = [sum(len(c.get_offsets()) for c in ax.collections) for ax in panels]
    assert bases == [0, 0, 1, 1, 1 + 5, 1 + 5]
    assert panels[2].collections[0].get_facecolor()[0].tolist() == [0, 0, 1, 1]


def test_maps_of_an_arm_without_peacekeepers(cells):
    drawn(places.maps(cells, ["none"]))


def test_observed_stands_beside_the_simulated(monthly):
    seen = pd.DataFrame({"month": MONTHS, "civilians_killed": 700.0, "battle_deaths": 30.0})
    seen["idps"] = np.where(seen.month.str.endswith("-12"), 5e5, np.nan)
    seen["refugees"] = seen.idps / 2
    figure = drawn(
        history.observed(monthly, seen, {"First": "2012-06", "Second": "2012-07", "Later": "2031-01"}, arm="parallel")
    )
    assert len(figure.axes) == 4
    assert all(ax.get_ylabel() for ax in figure.axes)
    assert figure.axes[-1].get_xlabel() == "year"
    assert {t.get_text() for t in figure.axes[0].texts} == {"First", "Second"}
    points = figure.axes[2].lines[1]
    assert len(points.get_xdata()) == 2  # two ends of year
    with pytest.raises(ValueError, match="none, parallel, separated"):
        history.observed(monthly, seen)


def test_one_seed_has_no_interval_and_does_not_fail(runs, monthly):
    runs, monthly = runs[runs.seed == 1], monthly[monthly.seed == 1]
    drawn(figures.differences(runs))
    drawn(figures.tradeoff(runs))
    drawn(figures.series(monthly))
    seen = pd.DataFrame({"month": MONTHS, "civilians_killed": 1.0, "battle_deaths": 1.0, "idps": 9.0, "refugees": 9.0})
    drawn(history.observed(monthly, seen, arm="none"))
    found = statistics.summary(runs, "none")
    assert found[["low", "high", "diff_low", "diff_high"]].isna().all(axis=None)
    assert found.difference.notna().any()


# ------------------------------------------------------------------------------ findings


def sure_of(*rows):
    """Return comparisons judged by hand: (outcome, arm, difference, sure)."""
    index = pd.MultiIndex.from_tuples([(outcome, arm, "none") for outcome, arm, _, _ in rows])
    return pd.DataFrame({"difference": [r[2] for r in rows], "sure": [r[3] for r in rows], "n": 30}, index=index)


def test_a_title_says_what_surely_differs_from_the_baseline_and_nothing_else():
    judged = sure_of(
        ("deaths", "parallel", -5, True), ("deaths", "separated", -4, True), ("access", "parallel", 0.1, True),
        ("access", "separated", -0.2, False), ("cost", "parallel", 9, True), ("cost", "separated", 9, True),
    )  # fmt: skip
    said = findings.against_baseline(judged, ["parallel", "separated"], "none", idle=["cost"])
    assert said == ("Compared with no mission, surely lower: all deaths of civilians (all); "
                    "surely higher: humanitarian access (parallel)")  # fmt: skip
    nothing = judged.assign(sure=False)
    assert findings.against_baseline(nothing, ["parallel"], "none").endswith("nothing is surely different")
    assert "nothing is sure" in findings.against_baseline(judged.assign(n=5), ["parallel"], "none")


def test_a_title_says_who_surely_lowers_both():
    judged = sure_of(("deaths", "a", -5, True), ("deaths", "b", -4, True), ("cost", "a", -1, False),
                     ("cost", "b", -3, True))  # fmt: skip
    assert findings.in_both(judged, ["a", "b"], ("deaths", "cost")).endswith("cost of the missions: B")
    neither = judged.assign(sure=[True, True, False, False])
    assert findings.in_both(neither, ["a", "b"], ("deaths", "cost")).startswith("None surely lowers both")


def test_a_title_says_when_and_where():
    rows = [{"arm": arm, "seed": seed, "month": f"20{year}-06", "civilians_killed": killed}
            for arm, deaths in (("none", (10, 90, 90)), ("un", (10, 40, 50))) for seed in (1, 2)
            for year, killed in zip((12, 13, 14), deaths, strict=True)]  # fmt: skip
    said = findings.when(pd.DataFrame(rows), ["un"], "none", "civilians_killed")
    assert said == "Civilians killed: on average with UN 90 fewer than the 190 of no mission, half of it by 2013"
    cells = pd.DataFrame({"row": range(40), "col": 0, "killed_so_far": [60, *([1.0] * 39)]})
    cells = cells.assign(arm="none", month="2013-06")
    half = "With no mission, half of all who are killed die in 2% of the country"
    assert findings.where(cells, ["none"]) == half
    fewer = [cells.assign(arm=arm, killed_so_far=[most, *([1.0] * 39)]) for arm, most in (("un", 21), ("orange", 1))]
    seen = findings.where(pd.concat([cells, fewer[0]]), ["none", "un"])
    assert seen == f"{half}; with UN, 35% die in the same places"
    seen = findings.where(pd.concat([cells, *fewer]), ["none", "un", "orange"])
    assert seen == f"{half}; with a mission, 2% to 35% die in the same places"
