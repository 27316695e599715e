"""Shocks in time: each moves what it names, when and for as long as it says, and nothing else."""

import itertools
from dataclasses import asdict

import numpy as np
import pytest
from conftest import by_hand, choices, fingerprint, lived, loaded, mission, only, same, scenario

from sim import PeaceModel, branch, load, rules
from sim.params import Faction, Humanitarians, Place, Push, Shock, When
from sim.shocks import THINGS, happened, moved

LINE = [(0, col, 1_000, 0, 0, 0.5, *((1, 0) if col < 3 else (0, 1))) for col in range(5)]


def shock(week, moves, weeks=None, **when):
    """Return an event of some moves, each a dictionary."""
    return Shock(when=When(week=week, **when), weeks=weeks, moves={n: Push(**push) for n, push in moves.items()})


def quiet(folder, events, weeks=10, step=1.0):
    """Return a model of a country in which nothing changes but by events: an army, rebels, two missions, an NGO."""
    factions = {
        "army": Faction(host=True, fighters=1_000, bands=2, community={"a": 1.0}, commitment=0.4),
        "rebels": Faction(fighters=500, bands=3, community={"b": 1.0}, commitment=0.2, sponsor=0.1, ceiling=0.6),
    }
    both = {"one": mission(persons={"troops": 100, "staff": 10}), "two": mission(persons={"troops": 50})}
    p = by_hand(folder, LINE, factions, both, weeks=weeks, step_weeks=step, civilians=10, feel__misinformation=0.2)
    p.country.places = {"town": Place(row=0, col=0)}
    p.country.humanitarians = {"ngo": Humanitarians(workers=20)}
    p.events = events
    return PeaceModel(only(p, "deploy"))


def walked(model, read):
    """Return what a number is in each week of a run, while it is lived."""
    found = []
    while not model.finished:
        model.step()
        found.append(read(model))
    return found


near = pytest.approx

# ---------------------------------------------------------------------------------- by pencil


def test_a_stock_is_pushed_once_and_kept_by_its_rules(tmp_path):
    events = {"x": shock(3, {"commitment": {"of": ["army"], "by": 0.2}})}
    assert walked(quiet(tmp_path, events), lambda m: m.factions.commitment[0]) == near([0.4] * 3 + [0.6] * 7)


def test_a_stock_is_pushed_bit_by_bit_over_the_weeks_of_an_event(tmp_path):
    events = {"x": shock(3, {"need": {"of": ["a"], "by": 0.4}}, weeks=4)}
    m = quiet(tmp_path, events)
    assert walked(m, lambda m: m.people.need[0]) == near([0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5])
    assert m.people.need == near([0.5] * 6 + [0.1] * 4)  # the people of the other community are in no greater need


def test_a_condition_is_moved_for_its_weeks_and_then_as_it_was(tmp_path):
    events = {"x": shock(2, {"sponsor": {"of": ["rebels"], "to": 0.9}, "misinformation": {"by": 0.3}}, weeks=3)}
    found = walked(quiet(tmp_path, events), lambda m: (m.factions.sponsor[1], m.conditions.misinformation[0]))
    assert [f[0] for f in found] == near([0.1, 0.1, 0.9, 0.9, 0.9, *[0.1] * 5])
    assert [f[1] for f in found] == near([0.2, 0.2, 0.5, 0.5, 0.5, *[0.2] * 5])


def test_a_condition_is_moved_for_good_if_nothing_is_said(tmp_path):
    events = {"x": shock(2, {"keep": {"of": ["others"], "times": 1.5}})}
    assert walked(quiet(tmp_path, events), lambda m: m.factions.keep.tolist())[-1] == [1_000, 750]


def test_contingents_go_home_and_come_back(tmp_path):
    events = {"x": shock(2, {"troops": {"of": ["one"], "times": 0.8}, "aid": {"of": ["ngo"], "times": 0.5}}, weeks=2)}
    found = walked(quiet(tmp_path, events, weeks=6), lambda m: m.missions.persons[:, [0, 3, 4]].tolist())
    usual, less = [[100, 10, 0], [50, 0, 0], [0, 0, 20]], [[80, 10, 0], [50, 0, 0], [0, 0, 10]]
    assert found == [near(np.array(x)) for x in (usual, usual, less, less, usual, usual)]


def test_fighters_come_over_the_border_each_band_by_its_size(tmp_path):
    m = quiet(tmp_path, {"x": shock(0, {"fighters": {"of": ["rebels"], "by": 250}})}, weeks=1)
    before = m.bands.fighters.copy()
    m.step()
    assert m.bands.fighters == near(before * np.array([1, 1, 1.5, 1.5, 1.5]))


def test_an_agreement_is_held_and_a_ceasefire_is_kept(tmp_path):
    m = quiet(tmp_path, {"x": shock(2, {"agreement": {"to": 1}}, weeks=3)}, weeks=6)
    found = walked(m, lambda m: (bool(m.politics.held[0]), bool(m.politics.agreement[0]), m.factions.aggression[0]))
    # 15% of 1 - 0.4 is left while an agreement is in force; nobody breaks it when it is no longer held, but rules may
    assert found == [(False, False, 0.6)] * 2 + [(True, True, near(0.09))] * 3 + [(False, True, near(0.09))]
    assert m.politics.signed[0] == 2


def test_a_coup_tears_the_agreement_up_and_is_counted(tmp_path):
    events = {"x": shock(1, {"agreement": {"to": 1}}), "y": shock(3, {"agreement": {"to": 0}})}
    m = quiet(tmp_path, events, weeks=5).run()
    assert (bool(m.politics.agreement[0]), m.politics.collapsed[0], m.politics.signed[0]) == (False, 1, 1)


def test_the_host_writes_a_letter_to_one_mission_and_its_consent_falls(tmp_path):
    m = quiet(tmp_path, {"x": shock(4, {"letter": {"of": ["two"], "to": 1}, "consent": {"of": ["two"], "by": -0.4}})})
    m.run()
    assert m.missions.expelled.tolist() == [np.inf, 4, np.inf]
    assert m.factions.hostility.tolist() == [near([0, 0, 0.4]), [0, 0, 0]]


def test_trust_and_grievance_have_two_sides_and_a_place_has_a_reach(tmp_path):
    m = quiet(tmp_path, {"x": shock(0, {
        "trust": {"of": ["town"], "toward": ["one"], "by": -0.3, "km": 25},
        "grievance": {"of": ["b"], "toward": ["army"], "to": 0.5},
    })}, weeks=1).run()  # fmt: skip
    assert m.people.trust[:, 1] == near([0.1] * 4 + [0.4] * 6)  # two agents to a cell; 25 km are one cell on
    assert m.people.trust[:, [0, 2]] == near(0.4)
    assert m.people.grievance.tolist() == [[0, 0]] * 6 + [[0.5, 0]] * 4


def test_what_is_set_is_then_multiplied_and_then_added_to():
    start, all_ = np.array([0.5]), np.arange(1)
    pushes = [(all_, Push(by=0.1), 1.0), (all_, Push(times=0.5), 1.0), (all_, Push(to=0.8), 1.0)]
    for order in itertools.permutations(pushes):
        assert moved(start, order) == near(0.5)
    assert moved(start, [(all_, Push(to=0.2), 1.0), (all_, Push(to=0.6), 1.0)]) == near(0.4)


# ---------------------------------------------------------------------------------- the same, written otherwise

BUNDLE = {
    "misinformation": {"by": 0.4}, "need": {"of": ["Tesmar"], "by": 0.3}, "sponsor": {"of": ["rebels"], "by": 0.4},
    "mortality": {"times": 4.0}, "commitment": {"times": 0.25}, "hostility": {"by": 0.1, "toward": ["un"]},
    "troops": {"times": 0.81}, "fighters": {"of": ["militia"], "times": 1.44},
    "institutions": {"of": ["south"], "by": -0.1},
}  # fmt: skip
HALF = {
    n: {k: v / 2 if k == "by" else v**0.5 if k == "times" else v for k, v in push.items()} for n, push in BUNDLE.items()
}


def country(events, weeks=40, **more):
    p = scenario("mission=un_only", "mission.authorised=0", weeks=weeks, civilians=300, rows=12)
    p.events = events
    for name, value in more.items():
        setattr(p, name, value)
    return p


@pytest.mark.parametrize("weeks", [None, 9])
def test_an_event_in_two_halves_is_one_event(weeks):
    one = PeaceModel(country({"x": shock(12, BUNDLE, weeks)})).run()
    two = PeaceModel(country({"x": shock(12, HALF, weeks), "y": shock(12, HALF, weeks)})).run()
    other = PeaceModel(country({})).run()
    for name, array in lived(one).items():
        assert lived(two)[name] == near(array, rel=1e-6, abs=1e-9), name
    assert same(one, other)


def test_neither_the_names_of_events_nor_their_order_matter():
    a, b = shock(12, BUNDLE, 9), shock(15, {"troops": {"times": 0.5}, "need": {"by": 0.2}, "commitment": {"by": 0.1}})
    first = fingerprint(PeaceModel(country({"a": a, "b": b})).run())
    assert fingerprint(PeaceModel(country({"b": b, "a": a})).run()) == first
    assert fingerprint(PeaceModel(country({"z": a, "b": b})).run()) == first


def test_it_does_not_matter_whether_an_event_belongs_to_the_country_the_mission_or_the_run():
    found = []
    for group in ("country", "mission", None):
        p = country({})
        (getattr(p, group) if group else p).events = {"x": shock(12, BUNDLE, 9)}
        found.append(fingerprint(PeaceModel(p).run()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("weeks", [None, 3])
def test_half_steps_do_as_much_as_whole_ones(tmp_path, weeks):
    moves = {"need": {"by": 0.4}, "troops": {"times": 0.5}, "commitment": {"of": ["rebels"], "times": 0.5}}
    found = []
    for step in (1.0, 0.5):
        m = quiet(tmp_path, {"x": shock(4, moves, weeks)}, step=step)
        people = sum(walked(m, lambda m: m.missions.persons.sum())) * step
        found.append((m.people.need.tolist(), m.factions.commitment.tolist(), people))
    assert found[1] == (near(found[0][0]), near(found[0][1]), near(found[0][2]))


def test_no_event_is_no_event():
    before = fingerprint(PeaceModel(country({}, weeks=20)).run())
    late = {"x": shock(20, BUNDLE), "y": Shock(when=When(after="agreement"), moves={"need": Push(by=0.0)})}
    assert fingerprint(PeaceModel(country(late, weeks=20)).run()) == before
    assert fingerprint(PeaceModel(country({"x": shock(3, {"need": {"by": 0.0}})}, weeks=20)).run()) == before


# ---------------------------------------------------------------------------------- a running scenario


def test_an_event_that_is_injected_is_as_if_it_had_always_been_there():
    whole = PeaceModel(country({"x": shock(15, BUNDLE, 9)})).run()
    m = PeaceModel(country({}))
    for _ in range(15):
        m.step()
    m.inject("x", {"weeks": 9, "moves": BUNDLE})
    assert m.params.events["x"] == shock(15, BUNDLE, 9)
    m.run()
    assert same(m, whole) == []
    assert fingerprint(PeaceModel(m.params).run()) == fingerprint(whole)  # its settings tell the whole story
    assert [(w, n) for w, n, _ in happened(m)] == [(15, "x")]


def test_an_event_brings_misinformation_to_a_country_that_had_none():
    p = scenario("mission=un_only", "mission.authorised=0", weeks=40)
    p.feel.misinformation, p.feel.campaigns, p.feel.unprovoked = 0.0, 500.0, 1.0
    m = PeaceModel(p).run()
    assert m.factions.smear.max() == 0.0
    p.events = {"x": shock(10, {"misinformation": {"to": 1.0}})}
    m = PeaceModel(p).run()
    assert m.factions.smear.max() > 0.0


@pytest.mark.parametrize("thing", ["money", "letter"])
def test_what_befalls_missions_that_came_cannot_be_said_of_the_countrys_own(thing):
    p = scenario("mission=un_only", weeks=20)
    p.events = {"x": shock(5, {thing: {"of": ["ngos"], "to": 0.0}})}
    with pytest.raises(ValueError, match="they belong to the country"):
        PeaceModel(p)


def test_a_branch_goes_on_with_its_events_and_a_future_without_them_is_as_usual(tmp_path):
    p = country({"x": shock(8, BUNDLE, 20)})
    m = PeaceModel(p)
    for _ in range(14):
        m.step()
    path = branch.save(m, tmp_path / "past.npz")
    assert fingerprint(branch.resume(p, path).run()) == fingerprint(m.run())
    calm = branch.resume(country({}), path)
    calm.step()
    assert (calm.missions.staying == 1).all()
    assert calm.factions.sponsor[calm.factions.names.index("rebels")] == 0


def dated_and_reformed(events, weeks=40):
    """Return parameters of a country whose host is reformed, where a sponsor comes and money is cut on their days."""
    words = ("mission.authorised=0", "mission.council_unity=1", "civilians=100", "negotiate.reform=20",
             "mission.components.un.mandate.tasks.reform=9", "+mission.components.un.funding.10=0.8")  # fmt: skip
    p = load("mission=un_only", f"weeks={weeks}", *words)
    p.country.factions["rebels"].sponsored = {"2012-01-01": 0.0, "2012-02-01": 0.4}
    p.events = events
    return p


MOVED = {"sponsor": {"times": 2.0}, "abuse": {"times": 3.0}, "money": {"times": 0.5}, "unity": {"by": -0.5}}


def conditions(model):
    f, un = model.factions, model.missions.names.index("un")
    return np.array([f.sponsor[f.names.index("rebels")], f.abuse[f.host][0], model.missions.funding[un],
                     model.politics.unity[0]])  # fmt: skip


def test_an_event_of_no_size_changes_nothing_of_what_rules_and_dates_move():
    plain = PeaceModel(dated_and_reformed({})).run()
    assert conditions(plain)[0] == near(0.4)
    assert conditions(plain)[1] < plain.factions.nature[plain.factions.host][0]  # reformed
    assert conditions(plain)[2] == 0.8
    nothing = {name: {"times": 1.0} for name in MOVED}
    for when, weeks in ((0, None), (30, 5), (39, None)):
        assert same(PeaceModel(dated_and_reformed({"x": shock(when, nothing, weeks)})).run(), plain) == []


def test_an_event_comes_on_top_of_what_rules_and_dates_move_and_leaves_them_when_it_ends():
    m, plain = PeaceModel(dated_and_reformed({"x": shock(4, MOVED, 10)})), PeaceModel(dated_and_reformed({}))
    assert m.factions.abuse is not plain.factions.abuse
    for week in range(20):
        m.step()
        plain.step()
        if week < 4:
            assert conditions(m) == near(conditions(plain))
        elif week < 14:
            assert conditions(m)[[0, 2, 3]] == near(conditions(plain)[[0, 2, 3]] * (2, 0.5, 0.5))
            assert conditions(m)[1] == near(3 * m.usual["abuse"][m.factions.host][0])
    assert conditions(m)[[0, 2, 3]] == near(conditions(plain)[[0, 2, 3]])
    assert conditions(m)[1] == near(m.usual["abuse"][m.factions.host][0])
    assert conditions(m)[1] < m.factions.nature[m.factions.host][0]


def test_a_branch_keeps_what_rules_and_dates_had_moved(tmp_path):
    for events in ({}, {"x": shock(4, MOVED, 30)}):
        m = PeaceModel(dated_and_reformed(events))
        for _ in range(20):
            m.step()
        path = branch.save(m, tmp_path / "past.npz")
        usual = {name: numbers.copy() for name, numbers in m.usual.items()}
        assert fingerprint(branch.resume(dated_and_reformed(events), path).run()) == fingerprint(m.run())
        without = branch.resume(dated_and_reformed({}), path)
        assert without.factions.sponsor == near(usual["sponsor"])
        assert without.factions.abuse == near(usual["abuse"])
        assert without.missions.funding == near(usual["money"])


def test_sanctions_follow_the_council_of_the_day(tmp_path):
    m = quiet(tmp_path, {"x": shock(3, {"unity": {"to": 0.0}}, 2)}, weeks=7)
    m.numbers.mission.sanctions, m.numbers.mission.authorised = 0.5, 0.0
    m.politics.unity[:] = m.usual["unity"][:] = 1.0
    assert [s > 0 for s in walked(m, lambda m: rules.sanctions(m.view))] == [True, True, True, False, False, True, True]


def test_a_moment_is_a_week_a_date_or_after_another(tmp_path):
    p = country({
        "a": Shock(when=When(date="2012-02-12"), moves={"provocation": Push(by=1.0)}),
        "b": Shock(when=When(after="un.arrive", weeks=3), moves={"provocation": Push(by=1.0)}),
        "c": Shock(when=When(after="agreement", weeks=2), moves={"provocation": Push(by=1.0)}),
        "d": shock(5, {"agreement": {"to": 1}}),
    })  # fmt: skip
    m = PeaceModel(p)
    un = m.missions.names.index("un")
    assert {n: w for w, n, _ in happened(m.run())} == {"a": 6, "b": m.missions.arrive[un] + 3, "c": 8, "d": 5}


# ---------------------------------------------------------------------------------- what is refused

WRONG = {
    "moves nothing": (shock(3, {}), "events.x moves nothing; choose among abuse, "),
    "unknown thing": (shock(3, {"peace": {"to": 1}}), "events.x.moves.peace: nothing of that name can be moved;"),
    "unknown faction": (shock(3, {"commitment": {"of": ["sith"], "to": 1}}), "names 'sith'; choose among government, "),
    "unknown mission": (shock(3, {"trust": {"toward": ["jedi"], "to": 1}}), "moves.trust.toward names 'jedi'; choose"),
    "unknown place": (shock(3, {"need": {"of": ["Atlantis"], "to": 1}}), "need.of names 'Atlantis'; choose among"),
    "two amounts": (shock(3, {"need": {"to": 1, "by": 1}}), "moves.need gives to and by; give one of to, by, times"),
    "no amount": (shock(3, {"need": {}}), "events.x.moves.need gives nothing; give one of to, by, times"),
    "half a letter": (shock(3, {"letter": {"by": 1}}), "events.x.moves.letter gives by; give one of to"),
    "too much": (shock(3, {"need": {"to": 2}}), "events.x.moves.need.to is 2; it must lie in [0, 1] share"),
    "nan": (shock(3, {"need": {"by": float("nan")}}), "events.x.moves.need.by is nan; it must lie in [-1, 1] share"),
    "no side": (shock(3, {"need": {"toward": ["un"], "to": 1}}), "it is toward nobody: leave it out"),
    "for all": (shock(3, {"agreement": {"of": ["un"], "to": 1}}), "it is the same for all: leave it out"),
    "no time": (shock(3, {"need": {"to": 1}}, weeks=0), "events.x.weeks is 0; it must lie in (0, 52000] week"),
    "no moment": (shock(None, {"need": {"to": 1}}), "events.x.when gives nothing; give one of week, date, after"),
    "two moments": (shock(3, {"need": {"to": 1}}, after="start"), "events.x.when gives week and after; give one of"),
    "past": (shock(-3, {"need": {"to": 1}}), "events.x begins in week -3; the run is in week 0 already"),
    "no date": (shock(None, {"need": {"to": 1}}, date="May"), "events.x.when is 'May'; a date is written YYYY-MM-DD"),
    "after nothing": (shock(None, {"need": {"to": 1}}, after="un"), "x.when.after is 'un'; choose among agreement,"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_an_event_that_cannot_be_is_refused_in_a_sentence(wrong):
    event, said = WRONG[wrong]
    with pytest.raises(ValueError) as refused:
        PeaceModel(country({"x": event}))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    m = PeaceModel(country({}))
    if event.when != When():
        with pytest.raises(ValueError) as again:
            m.inject("x", event)
        assert str(again.value) == str(refused.value)
    assert m.params.events == {}


def test_a_name_is_given_once_and_the_past_is_past():
    p = country({"x": shock(3, {"need": {"by": 0.1}})})
    p.mission.events = {"x": shock(4, {"need": {"by": 0.1}})}
    with pytest.raises(ValueError, match=r"^events\.x is in mission\.events\.x already; give it another name$"):
        PeaceModel(p)
    m = PeaceModel(country({}))
    m.step()
    with pytest.raises(ValueError, match="begins in week 0; the run is in week 1 already"):
        m.inject("x", shock(0, {"need": {"by": 0.1}}))
    m.inject("x", {"moves": {"need": {"by": 0.1}}})
    with pytest.raises(ValueError, match=r"events\.x is there already; give it another name"):
        m.inject("x", {"moves": {"need": {"by": 0.1}}})


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "+events.x.wen.week=3",
            "events.x.wen is not a setting (did you mean events.x.when?); "
            "events.x has moves, source, summary, weeks, when",
        ),
        ("+events.x.when.week=soon", "events.x.when.week is 'soon'; it must be a number"),
        ("+events.x.moves.need=2", "events.x.moves.need is 2; it must be a table of settings"),
        ("+events.x.moves.need.of=north", "events.x.moves.need.of is 'north'; it must be a list of names"),
        ("+country.events.x.summary=[1]", "country.events.x.summary is [1]; it must be a text"),
        ("+mission.events.x=3", "mission.events.x is 3; it must be a table of settings"),
    ],
)
def test_a_setting_of_an_event_that_is_none_is_refused_in_a_sentence(setting, said):
    with pytest.raises(ValueError) as refused:
        load(setting)
    assert str(refused.value) == said


# ---------------------------------------------------------------------------------- ready-made


def test_events_are_chosen_changed_and_added_on_the_command_line():
    p = load("events=[cut,drought]", "events.cut.when.week=20", "+events.x.when.week=9", "+events.x.moves.need.by=0.1")
    assert sorted(p.events) == ["cut", "drought", "x"]
    assert p.events["cut"].when.week == 20
    assert p.events["x"] == shock(9, {"need": {"by": 0.1}})
    assert sorted(load("+events@mission.events=cut").mission.events) == ["cut"]
    assert loaded().events == {}


@pytest.mark.parametrize("name", choices("events"))
def test_a_ready_shock_says_what_it_is_and_moves_every_country(name):
    p = load(f"events={name}", "mission=un_only", "mission.authorised=0", "weeks=30", "civilians=300")
    (event,) = p.events.values()
    assert list(p.events) == [name]
    assert 20 <= len(event.summary) <= 120
    assert event.summary.endswith(".")
    assert len(event.source) > 7
    event.when.week = 25
    usual = load("mission=un_only", "mission.authorised=0", "weeks=30", "civilians=300")
    m = PeaceModel(p)
    then = PeaceModel(usual)
    for _ in range(26):
        m.step()
        then.step()
    changed = set(same(m, then)) | {n for n in ("mortality", "misinformation", "money", "unity") if n in event.moves}
    assert changed
    PeaceModel(load(f"events={name}", "country=car", "weeks=160", "civilians=200")).run()


def test_everything_that_can_be_moved_is_named_and_has_a_range():
    for name, thing in THINGS.items():
        assert thing.what[0].islower(), name
        assert thing.low < thing.high, name
        assert thing.unit, name


def test_a_run_leaves_its_settings_as_they_were():
    p = country({"x": shock(12, BUNDLE, 9)})
    before = asdict(p)
    m = PeaceModel(p)
    m.step()
    m.inject("y", {"moves": {"need": {"by": 0.1}}})
    m.run()
    assert asdict(p) == before
