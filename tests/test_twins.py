"""The compiled rules and the same rules said slowly give the same numbers, bit for bit."""

import json
import math
import os
import subprocess
import sys
from contextlib import nullcontext
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from conftest import CONF, numbers_of, same, scenario
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_mesa import SlowModel, draw

from sim import PeaceModel, accounts, census, draws
from sim.outcomes import totals
from sim.processes import feel, fight, live, move, prey, relieve, task

WAR = (
    "task.relocation=3",
    "live.flight=8",
    "live.homecoming=6",
    "prey.rate=120",
    "enforce.rate=30",
    "enforce.collateral=10",
)


@pytest.mark.parametrize(
    ("mission", "seed", "flow"),
    [
        ("none", 4, {"flee", "return", "abroad", "killed", "starved"}),
        ("sequential", 1, {"flee", "return", "abroad", "killed", "starved", "aided", "harmed by a mission"}),
        ("separated", 2, {"flee", "return", "abroad", "killed", "starved", "aided"}),
        ("parallel", 3, {"flee", "return", "abroad", "killed", "starved", "aided", "harmed by a mission"}),
        ("intervention_brigade", 5, {"flee", "return", "abroad", "killed", "starved", "aided", "harmed by a mission"}),
        ("parallel country.cell_km=20", 3, {"flee", "return", "abroad", "killed", "starved", "aided"}),
        ("none country.cell_km=12.5", 4, {"flee", "return", "abroad", "killed", "starved"}),
    ],
)
def test_people_as_columns_and_people_as_agents_live_the_same_lives(mission, seed, flow):
    p = scenario(*f"mission={mission}".split(), f"seed={seed}", *WAR, weeks=60, civilians=300, rows=14)
    p.mission.authorised = 4
    fast, slow = PeaceModel(p), SlowModel(p)
    seen = set()
    fast.schedule = [_remembering(process, seen) for process in fast.schedule]
    while not fast.finished:
        before = fast.people.status.copy()
        fast.step()
        slow.step()
        assert same(fast, slow) == [], f"they part in week {fast.week:g}"
        now = fast.people.status
        happens(seen, "flee", (before == 0) & (now == 1))
        happens(seen, "abroad", (before != 2) & (now == 2))
        happens(seen, "return", (before != 0) & (now == 0))
        happens(seen, "aided", fast.aided)
    assert np.array_equal(fast.record.weekly, slow.record.weekly, equal_nan=True)
    assert flow <= seen, f"the test is void: {flow - seen} never happened"


def happens(seen, what, where):
    """Note that something happened."""
    if np.any(where):
        seen.add(what)


def _remembering(process, seen):
    """Note what the week has done to people once everything has been done to them."""
    if process.__name__ != "observe":
        return process

    def observe(model):
        happens(seen, "killed", model.now.toll)
        happens(seen, "starved", model.now.excess)
        happens(seen, "harmed by a mission", model.now.by_mission)
        process(model)

    observe.__name__ = "observe"
    return observe


# ---------------------------------------------------------------------------------- luck


@given(
    stream=st.integers(0, 2**64 - 1),
    step=st.integers(0, 10_000),
    who=st.lists(st.integers(0, 2**64 - 2), max_size=30),
)
def test_the_compiled_draw_the_plain_draw_and_the_draw_in_whole_numbers_are_one(stream, step, who):
    who = np.array(who, dtype=np.uint64)
    compiled = draws.compiled_fill(np.uint64(stream), step, who)
    assert compiled.tobytes() == draws.plain_fill(np.uint64(stream), step, who).tobytes()
    start = draws.mix((stream + 0x9E3779B97F4A7C15 + step) % 2**64)
    whole = [(draws.mix((start + (int(w) + 1) * 0x9E3779B97F4A7C15) % 2**64) >> 11) / 2**53 for w in who]
    assert compiled.tolist() == whole


def test_a_run_draws_what_the_slow_agents_draw():
    luck = draws.Draws(7)
    luck.step = 31
    assert luck.uniform("live.die", 50).tolist() == [draw(7, "live.die", 31, i) for i in range(50)]


# ---------------------------------------------------------------------------------- compiled loops against plain Python

worlds = st.builds(
    lambda seed, rows, cols, n, b, f, k, m: World(seed, rows, cols, n, b, f, k, m),
    st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.integers(0, 25), st.integers(0, 8),
    st.integers(1, 4), st.integers(1, 3), st.integers(0, 3),
)  # fmt: skip
few = settings(max_examples=40, deadline=None)
LIVE, FEEL = numbers_of("live"), numbers_of("feel")


class World:
    """Arrays of sizes that Hypothesis chose, filled with numbers of plausible size."""

    def __init__(self, seed, rows, cols, n, b, f, k, m):
        self.rng = np.random.default_rng(seed)
        self.row, self.col = (a.ravel() for a in np.mgrid[0:rows, 0:cols])
        index = np.arange(rows * cols).reshape(rows, cols)
        self.c, self.n, self.b, self.f, self.k, self.m = rows * cols, n, b, f, k, m
        padded = np.pad(index, 2, constant_values=-1)
        steps = sorted(((r, c) for r in range(-2, 3) for c in range(-2, 3)), key=lambda s: max(map(abs, s)))
        self.patrol = np.column_stack([padded[self.row + 2 + r, self.col + 2 + c] for r, c in steps])
        self.near = np.ascontiguousarray(self.patrol[:, :9])
        self.part = np.array([1.0] + [0.6] * 8)
        self.weight = np.array([0.5 ** max(abs(r), abs(c)) for r, c in steps])
        self.cell, self.home = self.whole(self.c, n), self.whole(self.c, n)
        self.community, self.status = self.whole(k, n), self.whole(3, n).astype(np.int8)
        self.persons = self.whole(500, n)
        for name in ("cell", "home", "community", "persons"):  # as the model keeps them
            setattr(self, name, getattr(self, name).astype(np.int32))
        self.faction, self.camp = self.whole(f, b), self.whole(self.c, b)
        self.fighters = self.share(b) * 200 * (self.share(b) > 0.2)
        self.rival = ~np.eye(f, dtype=bool) & (self.share(f, f) > 0.3)

    def whole(self, below, *shape):
        return self.rng.integers(0, below, shape)

    def luck(self):
        """Return the luck of a decision."""
        return np.uint64(self.rng.integers(0, 2**63))

    def share(self, *shape):
        return self.rng.random(shape)

    def present(self):
        """Count the persons in the country by cell and community."""
        there = np.zeros((self.c, self.k), dtype=np.int64)
        here = self.status != 2
        np.add.at(there, (self.cell[here], self.community[here]), self.persons[here])
        return there


def both(kernel, *arguments):
    """Call a compiled loop and the Python it was compiled from; return the arguments as each left them."""
    ends = []
    plain = mock.patch.multiple(draws, luck=draws.plain_luck, draw=draws.plain_draw)
    for run, drawing in ((kernel, nullcontext()), (kernel.py_func, plain)):
        own = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        with np.errstate(all="ignore"), drawing:
            out = run(*own)
        ends.append((out, own))
    return ends


def assert_equal(kernel, *arguments):
    """Assert that a compiled loop returns and writes what plain Python does; return that."""
    (out_1, own_1), (out_2, own_2) = both(kernel, *arguments)
    for x, y in zip([*own_1, *_listed(out_1)], [*own_2, *_listed(out_2)], strict=True):
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        else:
            assert x == y
    return out_1, own_1


def _listed(out):
    return [] if out is None else list(out) if isinstance(out, tuple) else [out]


@few
@given(worlds)
def test_as_many_are_buried_as_were_killed_and_no_household_twice(w):
    people = w.present()
    toll = (people * w.share(w.c, w.k) * (w.share(w.c, w.k) > 0.4)).astype(np.int64)
    toll = people.copy() if w.whole(2) else toll  # all of them, now and then
    _, (*_, left) = assert_equal(live.bury, w.luck(), toll, people.copy(), w.cell, w.community, w.status, w.persons)
    assert left.min(initial=0) >= 0
    assert w.persons.sum() - left.sum() == toll.sum()
    assert np.array_equal(w.persons[w.status == 2], left[w.status == 2])


@few
@given(worlds)
def test_violence_felt_is_the_same_compiled_and_grows_with_the_dead(w):
    people, deaths = w.whole(50_000, w.c).astype(float), w.whole(60, w.c).astype(float)
    _, own = assert_equal(live.feel_violence, LIVE, deaths, people, w.near, 0.9, w.share(w.c), np.zeros(w.c))
    _, more = assert_equal(live.feel_violence, LIVE, deaths + 5, people, w.near, 0.9, own[5] * 0, np.zeros(w.c))
    _, less = assert_equal(live.feel_violence, LIVE, deaths, people, w.near, 0.9, own[5] * 0, np.zeros(w.c))
    assert (own[6] >= 0).all()
    assert (own[6] < 1).all()
    assert (more[6] > less[6]).all()


@few
@given(worlds)
def test_a_week_of_need_is_the_same_compiled(w):
    felt, state = w.share(w.c), w.share(w.c)
    (rise, fall, leaves, returns, deadly), _ = assert_equal(live.conditions, LIVE, 1 / 52, felt, state, w.share(w.c))
    (died, unmet), own = assert_equal(
        live.subsist, LIVE, 1 / 52, w.luck(), w.luck(), w.luck(),
        w.cell, w.home, w.status, rise, fall, w.share(w.c),
        leaves, returns, deadly, w.persons, w.share(w.n), np.zeros(w.n, dtype=bool),
        np.zeros(w.n, dtype=np.int8),
    )  # fmt: skip
    persons, need, aided, moves = own[-4:]
    assert w.persons.sum() - persons.sum() == died
    assert (need >= 0).all()
    assert (need <= 1).all()
    assert not aided[(w.status == 2) | (w.persons == 0)].any()
    assert not (moves[w.status == 0] == -1).any()
    assert not (moves[w.status == 2] == 1).any()
    assert unmet <= persons.sum()


@few
@given(worlds)
def test_whoever_flees_finds_the_same_refuge_compiled_and_leaves_where_he_was(w):
    who = np.flatnonzero(w.share(w.n) < 0.5)
    who = who[w.status[who] != 2]
    pull, crossing = w.share(w.c) + 0.01, w.share(w.c) + 0.01
    _, own = assert_equal(live.find_refuge, w.luck(), who, w.cell, w.home, w.status, w.row, w.col, pull, crossing, 4.0)
    cell, status = own[2], own[4]
    left = np.setdiff1d(np.arange(w.n), who)
    assert np.array_equal(cell[left], w.cell[left])
    inside = who[status[who] != 2]
    assert (cell[inside] != w.cell[inside]).all()
    assert ((status[inside] == 0) == (cell[inside] == w.home[inside])).all()


@few
@given(worlds)
def test_trust_and_grievance_are_the_same_compiled_and_stay_shares(w):
    population, m, f = w.present().astype(float), w.m, w.f
    engage = w.share(m, w.c) * 10
    _, own = assert_equal(
        feel.signals, FEEL, 1 / 52, w.share(m, w.c) * 100, engage, engage * w.share(m, 1), w.share(w.c),
        w.share(m, w.c) * (w.share(m, w.c) > 0.5), w.share(m, w.c) * 2, w.share(m, w.c, w.k) * 30, population,
        w.share(m, w.k), w.share(w.c), w.share(m, w.c) * 90, np.zeros((w.c, m)), np.zeros((w.c, w.k, m)),
        np.zeros((w.c, m)),
    )  # fmt: skip
    gain, loss, by_aid = own[-3:]
    host = int(w.whole(f + 1)) - 1
    _, own = assert_equal(
        feel.update, FEEL, 1 / 52,
        w.cell, w.community, w.status, w.persons, w.share(w.n), w.share(w.n) < 0.5, gain, loss, by_aid,
        w.share(w.c, w.k, f) * 3 * (w.share(w.c, w.k, f) > 0.5), host, w.share(w.n, m),
        w.share(w.n, f),
    )  # fmt: skip
    for felt in own[-2:]:
        assert (felt >= 0).all()
        assert (felt <= 1).all()


@few
@given(worlds)
def test_presence_spreads_the_same_compiled_and_a_unit_nowhere_adds_nothing(w):
    units, tasks = w.b, 3
    mission, cell = w.whole(max(w.m, 1), units), w.camp - (w.share(units) < 0.3) * 10_000
    cell = np.maximum(cell, -1)
    work = w.share(units, tasks) * 100
    out = np.zeros((max(w.m, 1), tasks, w.c))
    threat = w.share(w.c) * 100 * (w.share(w.c) > 0.3)
    free, usual = np.ones(units), np.zeros_like(out)
    blind = np.zeros(units)
    _, own = assert_equal(task.spread, work, mission, cell, free, w.share(units), threat, w.patrol, w.weight, usual)
    _, as_ever = assert_equal(task.spread, work, mission, cell, free, blind, threat, w.patrol, w.weight, usual)
    assert own[-1].sum() == pytest.approx(as_ever[-1].sum())  # who sees works elsewhere, not more
    _, own = assert_equal(task.spread, work, mission, cell, w.share(units), blind, threat, w.patrol, w.weight, out)
    assert own[-1].sum() >= work[cell >= 0].sum() * (1 - 1e-12)  # each counts at least in full where it is
    assert own[-1].sum() <= work[cell >= 0].sum() * w.weight.sum() + 1e-9
    _, none = assert_equal(
        task.spread, work, mission, np.full(units, -1), w.share(units), blind, threat, w.patrol, w.weight, out.copy()
    )
    assert none[-1].sum() == 0


@few
@given(worlds)
def test_effective_presence_and_guard_are_the_same_compiled_and_never_more_than_presence(w):
    m = w.m
    presence, armed = w.share(m, 2, w.c) * 50, w.share(m, w.c) * 300 * (w.share(m, w.c) > 0.3)
    _, own = assert_equal(
        task.make_effective, presence, armed, w.whole(4, m), w.share(m) < 0.8, w.share(4, w.c), w.share(m), w.share(m),
        0.5, 0.25, 0.4,
    )  # fmt: skip
    assert (own[0] <= presence).all()
    _, own = assert_equal(
        task.guard_people, presence[:, 0], presence[:, 1], w.share(m), w.share(m), w.share(w.f) < 0.5,
        np.full((w.f, w.c), 7.0),
    )  # fmt: skip
    assert (own[-1] <= presence.sum(axis=(0, 1)) + 1e-9).all()


@few
@given(worlds)
def test_pay_is_the_same_compiled_and_nobody_is_paid_more_than_comes_in_and_was_in_hand(w):
    m = w.m
    due, funding, pledged = w.share(m) * 1e8, w.share(m), 1 - 0.5 * w.share(m)
    bill, in_hand, outstanding = due * w.share(m) * (w.share(m) > 0.2), w.share(m) * 40 - 30, w.share(m) * 1e7
    reserve = np.maximum(in_hand, 0) + w.share(m)
    recorded = w.share(m) < 0.2
    _, own = assert_equal(
        accounts.settle_accounts, numbers_of("deploy"), 1 / 52, 1.0, 0.01, 0.03, due, bill, funding,
        pledged * w.share(m), pledged, reserve, recorded, in_hand, outstanding, w.share(m), w.share(m), np.full(m, 7.0),
    )  # fmt: skip
    funding, paid, now, away, late, cost = own[7], own[8], own[12], own[14], own[15], own[16]
    assert (now <= reserve).all()
    assert ((away >= 0) & (away <= 1) & (late >= 0) & (late < 1)).all()
    assert not away[recorded].any()
    income = funding * paid * due + outstanding * 0.01 * 52
    assert (cost <= (income + bill * np.maximum(in_hand, 0)) / 52 * (1 + 1e-9) + 1e-6).all()


@few
@given(worlds)
def test_hazards_of_battle_are_the_same_compiled_and_nobody_fights_nobody(w):
    around = w.share(w.f, w.c) * 300 * (w.share(w.f, w.c) > 0.3)
    for b in range(w.b):
        f, c = int(w.faction[b]), int(w.camp[b])
        foes, _ = assert_equal(fight.foes_of, w.rival, around, f, c)
        rate, _ = assert_equal(
            fight.hazard,
            numbers_of("fight"),
            w.fighters[b],
            around[f, c],
            float(w.share()),
            foes,
            float(w.share()) * 100,
        )
        assert rate >= 0
        assert rate > 0 or not (foes > 0 and w.fighters[b] > 0 and around[f, c] >= 1)
        assert rate == 0 or (foes > 0 and w.fighters[b] > 0)


@few
@given(worlds)
def test_hazards_of_attacks_are_the_same_compiled_and_spare_empty_places(w):
    targets = 3_000 * w.share(w.b) * (w.share(w.b) > 0.3)
    for b in range(w.b):
        more = (float(x) for x in w.share(7) * (20, 1, 300, 10, 200, 30, 2))
        losses, drive, foes, own_dead, guard, reports, abuse = more
        rate, _ = assert_equal(
            prey.hazard, numbers_of("prey"), w.fighters[b], w.fighters[b] * 1.5, losses, drive, foes, own_dead,
            targets[b], guard, reports, abuse, float(w.share()),
        )  # fmt: skip
        assert rate >= 0
        assert targets[b] > 0 or rate == 0


@few
@given(worlds)
def test_bands_march_the_same_compiled_one_cell_a_hop(w):
    hops = w.whole(4, w.b)
    _, own = assert_equal(
        move.march, numbers_of("move"), np.array([w.whole(99), 3], dtype=np.uint64), hops, w.whole(w.c, w.b),
        w.share(w.b) < 0.5, w.share(w.f, w.c) * 100,
        w.share(w.f, w.c) + 0.2, w.fighters + 1, w.faction, w.row, w.col, w.near, 1, w.camp,
        np.zeros(w.b),
    )  # fmt: skip
    cell, held_up = own[-2:]
    far = np.maximum(abs(w.row[cell] - w.row[w.camp]), abs(w.col[cell] - w.col[w.camp]))
    assert (far <= hops).all()
    assert (held_up >= -1e-12).all()
    assert (held_up < 1).all()


@few
@given(worlds)
def test_aid_is_served_the_same_compiled_and_never_twice(w):
    groups, commands, reach = w.b, max(w.m, 1), w.weight.size
    need = w.share(w.c) * 5_000 * (w.share(w.c) > 0.3)
    left = w.share(groups) * 4_000
    _, own = assert_equal(
        relieve.serve, left, w.whole(commands, groups), w.patrol[w.camp], w.share(groups, reach), need,
        float(w.share()), np.zeros((commands, w.c)),
    )  # fmt: skip
    aid = own[-1]
    assert (aid.sum(axis=0) <= 1 + 1e-12).all()
    assert (aid >= 0).all()
    assert (own[0] <= left).all()
    assert own[0].sum() + (aid * need).sum() <= left.sum() * (1 + 1e-12)


@few
@given(worlds)
def test_aid_sent_everywhere_is_aid_with_every_place_in_reach(w):
    groups, commands = w.b, max(w.m, 1)
    need = w.share(w.c) * 5_000 * (w.share(w.c) > 0.3)
    left, command, pull = (
        w.share(groups) * (w.share(groups) > 0.3) * 4_000,
        w.whole(commands, groups),
        w.share(groups, w.c),
    )
    donors, served = float(w.share()), w.share(commands, w.c) / (2 * commands)
    _, own = assert_equal(relieve.serve_afield, left, command, pull, need, donors, served)
    everywhere, aid = np.tile(np.arange(w.c), (groups, 1)), served.copy()
    relieve.serve(left, command, everywhere, pull, need, donors, aid)
    assert np.array_equal(own[0], left)
    assert np.array_equal(own[-1], aid)


@few
@given(worlds)
def test_the_census_counts_the_same_compiled_and_counts_everybody_once(w):
    n, m, f = w.n, w.m, w.f
    counts = [np.zeros(s) for s in ((w.c, w.k), (w.c,), (w.c, w.k), (w.c,), (m, w.c), (w.k, f + 1))]
    _, own = assert_equal(
        census.count, w.cell, w.community, w.status, w.persons, w.share(n), w.share(n, m), w.share(n, f), *counts,
        np.zeros(2, dtype=np.int64),
    )  # fmt: skip
    population, idps, displaced = own[7], own[8], own[9]
    assert np.array_equal(displaced.sum(axis=1), idps)
    assert np.array_equal(population, w.present())
    assert idps.sum() == w.persons[w.status == 1].sum()


@few
@given(worlds)
def test_vaccines_are_given_the_same_compiled_and_only_where_fire_is_held(w):
    hold = w.share(w.c) * (w.share(w.c) > 0.5)
    before = w.share(w.c)
    _, own = assert_equal(
        relieve.vaccinate,
        numbers_of("relieve"),
        1 / 52,
        w.share(w.b) * 60,
        w.camp,
        w.patrol,
        w.weight,
        hold,
        before,
    )
    after = own[-1]
    assert (after >= before).all()
    assert (after <= 1).all()
    assert np.array_equal(after[hold == 0], before[hold == 0])


@given(st.lists(st.floats(0, 1e6), max_size=10), st.floats(0, 1, exclude_max=True))
def test_a_choice_is_the_same_compiled(weights, luck):
    assert_equal(draws.pick, np.array(weights), luck)


@given(st.lists(st.floats(0, 200), max_size=20), st.integers(0, 2**32 - 1))
def test_hazards_become_chances_the_same_compiled(rates, seed):
    luck = np.random.default_rng(seed).random(len(rates))
    out, _ = assert_equal(draws.happens, luck, np.array(rates), 1 / 52)
    assert out.tolist() == [bool(u < draws.chance.py_func(r * (1 / 52))) for u, r in zip(luck, rates, strict=True)]
    assert_equal(draws.counts, luck, np.array(rates), 1 / 52)
    for low, high in pairwise(sorted(rates)):
        assert draws.chance(low) <= draws.chance(high)


# ---------------------------------------------------------------------------------- without a compiler

TINY = ("mission=sequential", "seed=5", "mission.authorised=2", "prey.rate=200", "live.flight=9")
PLAIN = f"""
import sys, json
sys.path.insert(0, {str(CONF.parent / "tests")!r})
from conftest import scenario
from sim import PeaceModel
from sim.outcomes import totals
m = PeaceModel(scenario(*{TINY!r}, weeks=24, civilians=150, rows=10)).run()
print(json.dumps([totals(m), m.people.cell.tolist(), m.people.persons.tolist(), m.people.trust.tolist()]))
"""


def test_a_run_without_the_compiler_is_the_same_run():
    slow = subprocess.run(
        [sys.executable, "-c", PLAIN], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True,
        check=False, cwd=CONF.parent,
    )  # fmt: skip
    assert slow.returncode == 0, slow.stderr
    plain, cell, persons, trust = json.loads(slow.stdout.splitlines()[-1])
    m = PeaceModel(scenario(*TINY, weeks=24, civilians=150, rows=10)).run()
    compiled = totals(m)
    assert compiled["civilians_killed"] > 0
    assert compiled["excess_deaths"] > 0
    assert m.people.cell.tolist() == cell
    assert m.people.persons.tolist() == persons
    assert m.people.trust.tolist() == trust
    for name, value in compiled.items():
        assert plain[name] == value or (math.isnan(plain[name]) and math.isnan(value)), name
