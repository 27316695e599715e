"""Luck: even, without memory, the same for a person whoever else there is."""

import itertools
import math

import numpy as np
import pytest
from conftest import play
from hypothesis import example, given
from hypothesis import strategies as st

from sim import draws

N = 20_000


def table(decision="prey.attack", seed=1, steps=8, who=N):
    """Draw for everybody in a few weeks: (steps, who)."""
    luck = draws.Draws(seed)
    rows = []
    for step in range(steps):
        luck.step = step
        rows.append(luck.uniform(decision, who))
    return np.array(rows)


def chi_square(u, bins=64):
    """Return how far counts are from even, in standard deviations."""
    counts = np.bincount((u.ravel() * bins).astype(int), minlength=bins)
    expected = u.size / bins
    return (((counts - expected) ** 2).sum() / expected - (bins - 1)) / math.sqrt(2 * (bins - 1))


@pytest.mark.parametrize("decision", ["prey.attack", "live.die", "fight.meet", "", "a"])
@pytest.mark.parametrize("seed", [0, 1, 2, 2**53])
def test_luck_is_spread_evenly_between_nought_and_one(decision, seed):
    u = table(decision, seed)
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    assert abs(chi_square(u)) < 5
    one = table(decision, seed, steps=600, who=20)[:, 17]  # of one person over the weeks, too
    assert abs(chi_square(one, 8)) < 5


def test_luck_has_no_second_grain():
    low_bits = (table() * 2**20) % 1
    assert abs(chi_square(low_bits)) < 5


@pytest.mark.parametrize(
    ("what", "a", "b"),
    [
        ("neighbours", table()[:, :-1], table()[:, 1:]),
        ("weeks", table()[:-1], table()[1:]),
        ("decisions", table(), table("prey.whom")),
        ("decisions of similar names", table("move.hop1"), table("move.hop2")),
        ("seeds", table(), table(seed=2)),
        ("a seed and a week", table(seed=1)[1:], table(seed=2)[:-1]),
    ],
)
def test_one_draw_says_nothing_about_another_between(what, a, b):
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / math.sqrt(a.size), what
    # nor in the corners, where a correlation would not see it
    both_low = ((a < 0.1) & (b < 0.1)).mean()
    assert abs(both_low - 0.01) < 5 * math.sqrt(0.01 * 0.99 / a.size), what


@given(st.integers(1, 5_000), st.integers(1, 5_000))
@example(1_024, 1_025)  # the size at which the table of everybody grows
def test_the_luck_of_a_person_does_not_depend_on_how_many_others_there_are(n, m):
    a, b = draws.Draws(3), draws.Draws(3)
    few = min(n, m)
    assert np.array_equal(a.uniform("live.die", n)[:few], b.uniform("live.die", m)[:few])


def test_the_luck_of_a_person_does_not_depend_on_who_else_draws_or_in_which_order():
    luck = draws.Draws(3)
    alone = luck.uniform("live.die", np.array([17], dtype=np.uint64))[0]
    luck.uniform("prey.attack", 100)
    among = luck.uniform("live.die", np.array([900, 17, 2**40], dtype=np.uint64))
    assert among[1] == alone == luck.uniform("live.die", 18)[17]


def test_the_same_people_are_displaced_at_the_start_whatever_the_mission():
    a, b = play("mission=none", weeks=1), play("mission=parallel", weeks=1)
    assert np.array_equal(a.people.home, b.people.home)
    assert np.array_equal(a.people.cell, b.people.cell)
    assert np.array_equal(a.bands.home, b.bands.home)


def test_another_seed_is_another_fate():
    one, two = play("mission=none", "seed=1"), play("mission=none", "seed=2")
    assert not np.array_equal(one.bands.cell, two.bands.cell)


@given(st.floats(0, 15.9))
@example(0.0)
def test_a_hazard_becomes_the_chance_that_an_exponential_waiting_time_gives(h):
    assert draws.chance(h) == pytest.approx(-math.expm1(-h), abs=2e-9)


def test_a_chance_is_a_chance_for_any_hazard_and_grows_with_it():
    hazards = np.concatenate([np.linspace(0, 80, 2_000), [1e3, 1e9, math.inf]])
    chances = [draws.chance(h) for h in hazards]
    assert chances[0] == 0
    assert all(0 <= c <= 1 for c in chances)
    assert all(a <= b for a, b in itertools.pairwise(chances))


def test_two_halves_of_a_week_are_a_week():
    whole, half = draws.chance(0.7), draws.chance(0.35)
    assert 1 - (1 - half) ** 2 == pytest.approx(whole, rel=1e-7)


def test_events_come_as_often_as_their_hazard_says():
    happened = draws.happens(table().ravel(), np.full(8 * N, 5.2), 1 / 52)
    expected = 1 - math.exp(-0.1)
    assert happened.mean() == pytest.approx(expected, abs=4 * math.sqrt(expected / happened.size))


def test_as_many_events_come_as_a_poisson_law_says():
    for hazard in (0.02, 0.7, 3.0):
        n = draws.counts(table().ravel(), np.full(8 * N, hazard * 52), 1 / 52)
        error = math.sqrt(hazard / n.size)
        assert n.mean() == pytest.approx(hazard, abs=4 * error)
        assert n.var() == pytest.approx(hazard, abs=4 * error * (1 + math.sqrt(2 * hazard)))
        assert (n == 0).mean() == pytest.approx(math.exp(-hazard), abs=4 * error)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 3), st.floats(0, 3))
def test_a_higher_hazard_never_brings_fewer_events_to_the_same_luck(luck, low, more):
    one = draws.counts(np.array([luck] * 2), np.array([low, low + more]), 1.0)
    assert one[0] <= one[1] <= 20
    assert (one[0] >= 1) == (luck >= 1 - draws.chance(low))


def test_a_pick_is_in_proportion_to_its_weight():
    weights = np.array([0.0, 1.0, 0.0, 2.0, 5.0, 0.0])
    u = table(steps=3).ravel()
    chosen = np.bincount([draws.pick(weights, x) for x in u], minlength=6) / u.size
    assert chosen == pytest.approx(weights / 8, abs=0.01)
    assert chosen[[0, 2, 5]].sum() == 0  # exactly


@given(st.lists(st.floats(0, 1e6), max_size=8), st.floats(0, 1, exclude_max=True))
@example([0.0, 0.0], 0.5)
@example([], 0.5)
@example([1e-300, 1e6, 0.0], 1 - 2**-53)
def test_nothing_without_weight_is_ever_picked_and_nobody_among_nobody(weights, luck):
    got = draws.pick(np.array(weights), luck)
    assert (got == -1) if sum(weights) == 0 else weights[got] > 0


def test_the_unlucky_come_first_and_the_lucky_last():
    weights = np.array([0.0, 3.0, 1.0, 0.0])
    assert [draws.pick(weights, u) for u in (0.0, 0.7499, 0.7501, 1 - 2**-53)] == [1, 1, 2, 2]


@pytest.mark.parametrize("exponent", [2.2, 2.5, 3.5])
def test_heavy_tailed_sizes_have_the_exponent_and_the_smallest_size_that_are_given(exponent):
    sizes = np.array([draws.heavy_tailed(u, 4.0, exponent) for u in table(steps=2).ravel()])
    assert sizes.min() >= 4.0
    estimate = 1 + sizes.size / np.log(sizes / 4.0).sum()  # Hill's, of a Pareto law
    assert estimate == pytest.approx(exponent, rel=4 / math.sqrt(sizes.size))
    assert np.median(sizes) == pytest.approx(4.0 * 2 ** (1 / (exponent - 1)), rel=0.02)


def test_heavy_tailed_sizes_have_the_mean_of_their_law():
    sizes = np.array([draws.heavy_tailed(u, 2.0, 4.5) for u in table(steps=2).ravel()])
    assert sizes.mean() == pytest.approx(2.0 * 3.5 / 2.5, rel=0.02)
    assert draws.heavy_tailed(0.0, 2.0, 2.5) == 2.0


def test_the_key_of_a_decision_depends_on_its_seed_its_word_and_their_order():
    keys = {draws.key(*parts) for parts in [(1, "a"), ("a", 1), (2, "a"), (1, "b"), (1,), ("a",), (1, "a", 0)]}
    assert len(keys) == 7
    assert all(0 <= k < 2**64 for k in keys)
