"""Every number is declared in full, refused when bad, and matters: all three generated from sim/params.py."""

import re
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import zip_longest
from math import inf, isfinite, isnan, nan

import pytest
from conftest import dataclasses_of, fingerprint, loaded, put, scenario
from numpy import ndarray

from sim import Params, PeaceModel, load, params
from sim.memory import memory
from sim.params import Bundle, Caveats, Contributor, Push, Shock, Tasks, When, markdown, out_of_range, rows, walk

ROWS = list(rows())
NAMES = [row[0] for row in ROWS]
GROUPS = dataclasses_of(params)
DECLARED = [(c, f) for c in GROUPS for f in fields(c) if "low" in f.metadata]
each_number = pytest.mark.parametrize(("group", "field"), DECLARED, ids=[f"{c.__name__}.{f.name}" for c, f in DECLARED])

# ---------------------------------------------------------------------------------- what a run weighs


@pytest.mark.parametrize("words", [
    "mission=parallel weeks=208", "mission=hybrid weeks=4 country.rows=150 country.cols=150",
    "mission=none weeks=4 civilians=300000", "country=mali mission=mali_history weeks=52",
    "mission=un_only weeks=4 task.patrol_km=300",
])  # fmt: skip
def test_what_a_run_needs_is_known_before_it_is_built(words):
    p = load(*words.split())
    model = PeaceModel(p).run()
    tables = [vars(t) if is_dataclass(t) else {"": t} for t in vars(model.world).values()]
    arrays = [a for t in tables for a in t.values()] + [a for _, layers in model.record.maps for a in layers.values()]
    weighs = sum(a.nbytes for a in arrays if isinstance(a, ndarray)) + model.record.weekly.nbytes
    assert weighs / 1.5 < sum(memory(p).values()) < 4 * weighs


@pytest.mark.parametrize(("words", "lower"), [
    ("country.rows=2000 country.cols=2000", "lower weeks, or lower country.rows and country.cols"),
    ("country.rows=2000 country.cols=2000 weeks=4 task.patrol_km=100", "lower task.patrol_km and move.place_km, or"),
    ("country=mali country.cell_km=1 task.patrol_km=500", "lower task.patrol_km and move.place_km, or"),
])  # fmt: skip
def test_what_needs_too_much_is_refused_before_it_is_built(words, lower):
    with pytest.raises(ValueError, match=r"this would need about [\d.,]+ GB of memory, .* at most 16.0 GB; ") as error:
        PeaceModel(load(*words.split()))
    assert lower in str(error.value)


# ---------------------------------------------------------------------------------- declared in full


@each_number
def test_a_number_has_unit_range_meaning_source_and_a_default_within_its_range(group, field):
    meta = field.metadata
    assert meta["unit"].strip()
    assert meta["low"] < meta["high"]
    assert isfinite(meta["low"])
    assert isfinite(meta["high"])
    assert meta["low"] <= field.default <= meta["high"]
    assert len(meta["doc"]) >= 10
    assert meta["doc"][0] == meta["doc"][0].lower() or not meta["doc"][1].islower()
    assert meta["source"].strip()
    assert field.type in (int, float)


def test_every_number_of_the_model_is_declared():
    """No group has a bare number: one that is neither a number with a range nor said in words."""
    for group in GROUPS:
        for f in fields(group):
            if f.type in (int, float):
                assert "low" in f.metadata, f"{group.__name__}.{f.name}"


def test_every_declared_number_is_in_the_table():
    in_table = {name.split(".")[-1] for name in NAMES}
    missing = [f"{c.__name__}.{f.name}" for c, f in DECLARED if f.name not in in_table]
    assert missing == []
    assert len(NAMES) == len(set(NAMES))
    table = markdown().splitlines()
    assert len(table) == len(NAMES) + 2
    assert all(line.count(" | ") == 5 for line in table[2:])
    patterns = {_pattern(path) for path, f, _ in walk(_scenarios()[0]) if "low" in f.metadata}
    assert patterns <= set(NAMES), f"not in the table: {sorted(patterns - set(NAMES))}"


def test_meanings_are_said_once_within_a_group():
    for group in GROUPS:
        said = [f.metadata["doc"] for f in fields(group) if "low" in f.metadata]
        assert len(said) == len(set(said)), group.__name__


# ---------------------------------------------------------------------------------- refused when bad


def bad_values(meta):
    """Return values just outside a range, far outside it, and those that are no number."""
    step = max(abs(meta["high"]), abs(meta["low"]), 1.0) * 1e-3
    return [meta["low"] - step, meta["high"] + step, -inf, inf, nan]


@each_number
def test_a_bad_value_is_refused_in_one_sentence_that_names_value_range_and_unit(group, field):
    for bad in bad_values(field.metadata):
        node = deepcopy(group())
        setattr(node, field.name, bad)
        said = [s for s in out_of_range(node, "here.") if s.startswith(f"here.{field.name} ")]
        assert len(said) == 1
        low, high, unit = (field.metadata[k] for k in ("low", "high", "unit"))
        assert said[0] == f"here.{field.name} is {bad:g}; it must lie in [{low:g}, {high:g}] {unit}"


@pytest.mark.parametrize("name", [n for n in NAMES if "<name>" not in n and n.split(".")[0] != "country"])
def test_a_bad_value_is_refused_before_the_first_week_wherever_it_stands(name):
    _, _, _, (_, high), _, _ = ROWS[NAMES.index(name)]
    p = put(deepcopy(loaded()), name, high * 2 + 1)
    with pytest.raises(ValueError, match=name.replace(".", r"\.") + " is .*; it must lie in "):
        PeaceModel(p)


def test_bad_values_in_places_factions_and_missions_are_named_by_their_path():
    p = deepcopy(loaded("mission=parallel"))
    p.country.factions["rebels"].commitment = 1.5
    p.mission.components["un"].force.ability = nan
    p.country.deposits["gold_hills"].km = 0
    with pytest.raises(ValueError) as refused:
        PeaceModel(p)
    said = str(refused.value).split("; ")
    assert "country.factions.rebels.commitment is 1.5" in said
    assert "mission.components.un.force.ability is nan" in said
    assert "country.deposits.gold_hills.km is 0" in said


def test_all_bad_values_are_named_at_once():
    p = deepcopy(loaded())
    p.prey.rate, p.live.aid, p.weeks = -1, -1, 0
    assert [s.split(" is ")[0] for s in out_of_range(p)] == ["weeks", "prey.rate", "live.aid"]


def test_a_word_that_is_no_choice_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"mission\.comparison is 'fair'; choose among equal_cost, equal_personnel"):
        PeaceModel(load("mission.comparison=fair"))


@pytest.mark.parametrize(
    "bad",
    [
        "prey.rate=often",
        "civilians=many",
        "civilians=1.5",
        "processes.prey=2.5",
        "country.factions.rebels.host=perhaps",
        "mission=un_only mission.components.un=5",
    ],
)
def test_a_value_of_the_wrong_type_is_refused(bad):
    key = bad.split()[-1].split("=")[0]
    with pytest.raises(ValueError, match=f"^{re.escape(key)} "):
        load(*bad.split())


@pytest.mark.parametrize(
    "bad", ["prey.rates=1", "predation.rate=1", "mission.speed=2", "country.factions.rebels.anger=1"]
)
def test_an_unknown_key_is_refused_by_name(bad):
    with pytest.raises(ValueError, match="is not a setting") as refused:
        load(bad)
    unknown = bad.split("=")[0]
    assert str(refused.value).startswith((unknown, unknown.split(".")[0]))


@pytest.mark.parametrize(
    ("bad", "among"),
    [("mission=sequentail", "sequential"), ("country=wonderland", "veltara"),
     ("mandate@mission.components.un.mandate=peace", "multidimensional")],
)  # fmt: skip
def test_an_unknown_choice_is_refused_with_the_choices_there_are(bad, among):
    with pytest.raises(Exception, match=among):
        load(*(["mission=un_only"] if "@" in bad else []), bad)


def test_overrides_reach_their_parameter_and_nothing_else():
    changed = {path: v for path, _, v in walk(load("prey.rate=7.5", "seed=9", "country.factions.rebels.loot=0.9"))}
    plain = {path: v for path, _, v in walk(loaded())}
    assert {k: v for k, v in changed.items() if plain[k] != v} == {
        "prey.rate": 7.5, "seed": 9, "country.factions.rebels.loot": 0.9,
    }  # fmt: skip


def test_two_loads_share_nothing():
    a, b = load("mission=parallel"), load("mission=parallel")
    a.mission.components["un"].force.price = 1.0
    a.country.factions["rebels"].community["north"] = 0.0
    assert b.mission.components["un"].force.price > 1
    assert b.country.factions["rebels"].community["north"] > 0
    assert Params().mission is not Params().mission


# ---------------------------------------------------------------------------------- matters

COMMON = ("mission.authorised=2", "prey.rate=30", "fight.rate=40", "move.campaign_rate=4", "live.mortality=0.3",
          "live.flight=9", "live.homecoming=9", "ambush.rate=40", "ambush.raid=30", "ambush.severity=4",
          "enforce.rate=30", "enforce.idle=0.6", "enforce.own_losses=0.6", "enforce.collateral=6",
          "deploy.caveat_gap=0.1", "task.relocation=6", "relieve.pause_rate=40", "judge.political=12",
          "negotiate.signing=52", "recruit.holders=5", "mission.council_unity=0.5", "mission.coordination=0.3",
          "country.displaced_share=0.1", "mission.mandate_length=8", "deploy.late_half=6", "deploy.unpaid_leave=3",
          "deploy.council_impasse=0.8", "deploy.council_end=0.1", "deploy.caveat_withdrawal=4",
          "task.team_relocation=20")  # fmt: skip
SIZE = {"weeks": 40, "civilians": 200, "rows": 10}


@cache
def _scenarios():
    """Make three small worlds in which, between them, everything happens that can happen."""
    handover = scenario("mission=sequential", *COMMON, "judge.expulsion=0.4", "judge.patience=3",
                        "deploy.expulsion=6", "mission.budget=8e8", **SIZE)  # fmt: skip
    apart = scenario("mission=separated", *COMMON, "judge.contestation=0.9", "judge.patience=200",
                     "negotiate.sign=0.2", "negotiate.weakness=2", "negotiate.collapse=20", **SIZE)  # fmt: skip
    peace = scenario("mission=parallel", "seed=11", *COMMON, "negotiate.sign=0.3", "negotiate.collapse=20",
                     "mission.comparison=equal_personnel", "mission.person_years=20000",
                     "judge.expulsion=0.05", "judge.patience=12", "judge.alone=10", "judge.political=3",
                     "judge.force=6", "negotiate.aggression=0.9", **SIZE)  # fmt: skip
    regional, un = (handover.mission.components[n] for n in ("regional", "un"))
    regional.leave.after, regional.leave.weeks, un.arrive.weeks = "un.arrive", 2.0, 8.0
    regional.force.build_up, un.force.build_up, un.force.readiness = 4.0, 30.0, 3.0
    un.personnel.police = 2_000.0
    un.takes_over, un.rehatted, un.leave.week, un.draw_down = "regional", 0.5, 36.0, 8.0
    regional.force.assessed = un.force.assessed = 0.4
    un.force.raised = regional.force.raised = 0.6
    for part in (un, regional, *apart.mission.components.values(), *peace.mission.components.values()):
        part.force.caveats.share, part.force.reserve, part.force.owes = 0.5, 0.5, 0.8
        part.force.council, part.force.assessed, part.leave.week = 0.8, 0.5, part.leave.week and 36.0
        part.force.readiness, part.force.build_up = min(part.force.readiness, 4.0), min(part.force.build_up, 20.0)
        part.mandate.host_reach = 0.6
        part.mandate.tasks.escort, part.mandate.tasks.report = 0.5, 3.0
    careful = {"share": 0.7, "withdraw": False, "losses": 15, "force": 0.7, "politics": 0.6}
    peace.mission.components["un"].force.contributors = {
        "many": Contributor(share=0.7, price=0.9, ability=0.9, restraint=0.9, local_knowledge=1.2),
        "careful": Contributor(share=0.6, caveats=Caveats(**careful)),
    }
    apart.mission.components["orange"].mandate.tasks.ddr = 0.5
    apart.mission.components["orange"].personnel.police = 300.0
    apart.mission.components["orange"].personnel.aid = 200.0
    apart.mission.components["orange"].personnel.observers = 100.0
    apart.mission.components["third"] = third = deepcopy(apart.mission.components["orange"])
    third.integrates, third.personnel.aid = {}, 0.0
    third.force.partiality = 0.5
    third.mandate.tasks.enforce, third.mandate.use_of_force = 2.0, 0.8
    for part in apart.mission.components.values():
        part.approvals, part.mandate.tasks.build = 2, 1.0
        part.mandate.tasks.reform, part.mandate.tasks.reintegrate = 1.0, 1.0
    apart.mission.sanctions = 0.5
    for p in (handover, apart, peace):
        p.country.rains, p.country.flood, p.country.drought, p.country.rains_week = 0.9, 0.5, 0.5, 20.0
        p.relieve.rains, p.task.choosiness = 10.0, 1.5  # aid teams in remote places, too
    rebels = apart.country.factions["rebels"]
    rebels.hired.fighters, rebels.mustered = 800.0, 0.6
    rebels.hired.income = 0.9
    apart.mission.components["orange"].mandate.open_gates = 0.5
    apart.country.humanitarians["ngos"].camps = 0.5
    apart.mission.components["political"].force.technology = 0.5
    peace.mission.components["partner"].force.technology = 0.8
    for part in (*apart.mission.components.values(), *peace.mission.components.values()):
        part.force.training, part.force.medicine = 0.2, 0.1
    for faction in (*peace.country.factions.values(), *apart.country.factions.values()):
        faction.commitment, faction.sponsor = 0.35, 0.8
    un.mandate.bundles["later"] = Bundle(summary="a phase", tasks=Tasks(protect=1, mediate=1), begins=4.0, lasts=20.0)
    everybody = (handover, apart, peace)
    regional.force.needs_consent = False  # it is there to be taken over
    for part in peace.mission.components.values():  # one headquarters: one of the two may offend alone
        part.command = "joint"
        part.force.caveats.impartiality = part.force.caveats.consent = False  # fighting alone holds contingents back
    peace.country.factions["rebels"].commitment = 0.11  # hardly willing to stay
    political, orange = (apart.mission.components[n] for n in ("political", "orange"))
    political.area, political.area_km, political.beyond = ["Tesmar", "Oravel"], 60.0, 0.5
    apart.relieve.lent, handover.judge.reconsider = 0.2, 0.97
    peace.relieve.served = 10_000.0  # more than is needed around the teams: some is left for farther places
    handover.events = {  # the host has asked the mission to go, and is talked round
        "talks": Shock(when=When(week=23), moves={"consent": Push(of=["un"], to=0.9)})
    }
    orange.benchmark.battle_deaths = 1e9
    orange.benchmark.weeks, orange.benchmark.earliest = 12.0, When(after="start", weeks=14)
    for group in (apart, apart.country, apart.mission):
        group.events = {f"{type(group).__name__} {place}": Shock(
            when=When(after="start", weeks=week), moves={"need": Push(of=[place], by=0.1, km=60)},
        ) for place, week in (("Tesmar", 5), ("Oravel", 9))}  # fmt: skip
    for p in everybody:
        p.country.factions["militia"].enters = "2012-02-12"
        assert out_of_range(p) == []
    return everybody


def _weeks(p):
    """Yield what has happened, as a hash, after each week of a run."""
    model = PeaceModel(p)
    while not model.finished:
        model.step()
        yield fingerprint(model)


@cache
def _baseline(i):
    return list(_weeks(deepcopy(_scenarios()[i])))


def parts_from_baseline(i, path, value):
    """Say whether one number at another value changes the run of a scenario, in any week."""
    p = put(deepcopy(_scenarios()[i]), path, value)
    return any(now != then for now, then in zip_longest(_weeks(p), _baseline(i)))


def test_the_small_worlds_are_rich():
    """Void otherwise: a parameter cannot matter where what it is about never happens."""
    runs = [PeaceModel(deepcopy(p)).run() for p in _scenarios()]
    kinds = {e.kind for m in runs for _, e in m.record.events}
    assert kinds == {"battle", "attack", "operation", "ambush", "raid"}
    assert any(isfinite(x) for m in runs for x in m.missions.expelled)
    assert any(m.politics.collapsed[0] for m in runs)
    assert any(m.units.suspended.any() for m in runs)
    while_there = PeaceModel(deepcopy(_scenarios()[1]))
    for _ in range(30):
        while_there.step()
    assert while_there.commands.escorting.any()
    assert any(m.units.losses.any() for m in runs)
    assert any((m.people.status == s).any() for m in runs for s in (1, 2))
    assert any(m.factions.dispersed.any() for m in runs)
    assert any(m.factions.demobilised.any() for m in runs)


# Read by plots only, and said so in their meaning: no rule may read what happened in a country.
NOT_OF_THE_MODEL = {"country.weeks_observed"}


TABLES = (
    "factions", "components", "places", "communities", "deposits", "humanitarians", "events", "moves", "bundles",
    "contributors",
)  # fmt: skip


def _pattern(path):
    """Turn country.factions.rebels.loot into country.factions.<name>.loot."""
    words = path.split(".")
    for i, word in enumerate(words[:-1]):
        if word in TABLES or (word == "personnel" and i == 0):
            words[i + 1] = "<name>"
    return ".".join(words)


@cache
def _leaves(i):
    """Return where each number of the table stands in a scenario: {pattern: [(path, field, value)]}."""
    found = {}
    for path, f, value in walk(_scenarios()[i]):
        if "low" in f.metadata:
            found.setdefault(_pattern(path), []).append((path, f, value))
    return found


def other_values(field, value):
    """Return values to move a number to: up and down within its range, near first."""
    low, high, whole = field.metadata["low"], field.metadata["high"], field.type is int
    wanted = [value * 1.6 + (value == 0) * 0.4, value * 0.4, low + (high - low) * 0.1, low, min(high, 3 * value + 3)]
    if whole:
        wanted = [value + 1, value * 2, value - 1, low]
    inside = [round(w) if whole else float(w) for w in wanted if low <= w <= high]
    return list(dict.fromkeys(w for w in inside if w != value and not isnan(w)))


def _moves(pattern):
    """Yield (scenario, path, value) to try, the likeliest first: every scenario once before any value twice."""
    for attempt in range(4):
        for i in range(len(_scenarios())):
            for path, f, value in _leaves(i).get(pattern, ()):
                values = other_values(f, value)
                if attempt < len(values):
                    yield i, path, values[attempt]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NOT_OF_THE_MODEL])
def test_every_parameter_matters(name):
    tried = []
    for i, path, value in _moves(name):
        try:
            if parts_from_baseline(i, path, value):
                return
            tried.append(f"{path}={value}")
        except ValueError as refused:  # a place outside the country, a budget too small: try another
            tried.append(str(refused))
    pytest.fail(f"{name} changes nothing; tried {tried}")


def test_what_no_rule_reads_changes_nothing():
    for path in NOT_OF_THE_MODEL:
        assert not parts_from_baseline(0, path, 40)
