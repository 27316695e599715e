"""A run that is saved and continued is the same run; several futures share one past."""

import json
from copy import deepcopy

import numpy as np
import pytest
from conftest import fingerprint, scenario

from sim import PeaceModel, branch, outcomes
from sim.model import Model
from sim.params import When
from sim.results import packed, seal, unpacked


def _steps(model, n):
    for _ in range(n):
        model.step()
    return model


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """A run of the sequential model, saved in its 45th week: after the hand-over has begun."""
    params = scenario("mission=sequential", weeks=90, civilians=600)
    params.mission.authorised = 4
    model = _steps(PeaceModel(params), 45)
    return params, branch.save(model, tmp_path_factory.mktemp("branch") / "past.npz")


def test_a_continued_run_equals_an_undisturbed_one_bit_for_bit(past):
    params, path = past
    whole, continued = PeaceModel(params).run(), branch.resume(params, path).run()
    assert fingerprint(whole) == fingerprint(continued)
    assert outcomes.monthly(whole).equals(outcomes.monthly(continued))
    assert outcomes.events(whole).equals(outcomes.events(continued))
    assert outcomes.cell_month(whole).equals(outcomes.cell_month(continued))
    assert outcomes.totals(whole)["civilians_killed"] > 0


def test_a_mission_that_leaves_by_its_benchmark_goes_on_leaving(tmp_path):
    params = scenario("mission=un_benchmarks", weeks=70, civilians=300)
    params.mission.authorised = 0
    un = params.mission.components["un"]
    un.benchmark.battle_deaths = un.benchmark.killed = 1e6
    un.benchmark.weeks, un.benchmark.earliest.weeks, un.draw_down = 10, 12, 20
    whole = _steps(PeaceModel(params), 40)
    path = branch.save(whole, tmp_path / "past.npz")
    assert np.isfinite(whole.missions.decided).sum() == 1
    continued = branch.resume(params, path)
    assert np.array_equal(continued.plan[40:], whole.plan[40:])
    assert fingerprint(continued.run()) == fingerprint(whole.run())
    assert whole.missions.persons.sum(axis=1)[whole.missions.names.index("office")] > 0


def test_two_futures_share_their_past_and_differ_after_it(past):
    params, path = past
    other = scenario("mission=separated", weeks=90, civilians=600)
    other.mission.authorised = 45
    same, changed = branch.resume(params, path).run(), branch.resume(other, path).run()
    a, b = outcomes.weekly(same), outcomes.weekly(changed)
    common = ["civilians_killed", "idps", "brd", "institutions"]
    assert a[common][:45].equals(b[common][:45])
    assert not a[common][46:].equals(b[common][46:])
    names = set(outcomes.events(changed).side_a) | set(outcomes.events(changed).side_b)
    assert not {n for n in names if n.startswith("-")}
    assert outcomes.totals(changed)["cost"] > 0


def test_aid_workers_who_change_their_flag_stay_where_they_are(past):
    params, path = past
    other = scenario("mission=separated", weeks=90, civilians=600)
    other.mission.authorised = 45
    at = []
    for model in (branch.resume(params, path), branch.resume(other, path)):
        teams = model.missions.donors[model.units.mission]
        at.append(dict(zip(model.units.luck[teams].tolist(), model.units.cell[teams].tolist(), strict=True)))
    common = at[0].keys() & at[1].keys()  # shares are rounded up to whole teams
    assert len(common) >= len(at[0]) - 1
    assert {at[0][who] for who in common} != {-1}
    assert {who: at[0][who] for who in common} == {who: at[1][who] for who in common}


def test_another_seed_gives_another_future_of_the_same_past(past):
    params, path = past
    futures = []
    for seed in (1, 2):
        params.seed = seed
        futures.append(outcomes.weekly(branch.resume(params, path).run()).brd.to_numpy())
    params.seed = 1
    assert np.array_equal(futures[0][:45], futures[1][:45])
    assert not np.array_equal(futures[0][45:], futures[1][45:])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"civilians": 601}, "a branch needs the same civilians"),
        ({"weeks": 40}, "at week 45 already"),
        ({"mission": None}, "arrives in week .*, before the branch at week 45; set mission.authorised=45"),
    ],
)
def test_a_branch_that_cannot_be_is_refused_in_one_sentence(past, change, said):
    _, path = past
    params = scenario("mission=un_only" if "mission" in change else "mission=sequential", weeks=90, civilians=600)
    params.mission.authorised = 4
    for name, value in change.items():
        if value is not None:
            setattr(params, name, value)
    with pytest.raises(ValueError, match=said):
        branch.resume(params, path)


def test_a_branch_of_a_branch_keeps_the_names_of_all_who_were_there(tmp_path, past):
    _, path = past
    other = scenario("mission=separated", weeks=90, civilians=600)
    other.mission.authorised = 45
    second = _steps(branch.resume(other, path), 15)
    third = scenario("mission=un_only", weeks=90, civilians=600)
    third.mission.authorised = 60
    last = branch.resume(third, branch.save(second, tmp_path / "second.npz"))
    a, b = outcomes.events(second), outcomes.events(last)
    assert a.equals(b[: len(a)])
    of_first = set(PeaceModel(past[0]).missions.names) - set(last.missions.names)
    assert of_first & ({*b.side_a} | {*b.side_b})  # who is in neither of the later plans


def saved(params, weeks, folder):
    """Return the state of a run after some weeks."""
    return branch.save(_steps(Model(params), weeks), folder / "past.npz")


def of_their_missions(model):
    """Say whether every unit belongs to a group of contingents of its own mission."""
    u = model.units
    grouped = u.contributor >= 0
    return bool((model.contributors.mission[u.contributor[grouped]] == u.mission[grouped]).all())


def test_a_future_with_fewer_missions_has_no_rows_of_those_that_are_gone(tmp_path):
    params = scenario("mission=parallel", "mission.authorised=0", "mission.comparison=as_deployed", weeks=40)
    path = saved(params, 25, tmp_path)
    del params.mission.components["partner"]
    model = branch.resume(params, path)
    assert of_their_missions(model)
    assert (model.missions.quality[model.missions.names.index("un")] == 1.0).all()
    assert (model.run().missions.quality[model.missions.names.index("un")] == 1.0).all()


def test_a_mission_that_is_to_come_changes_nothing_for_those_that_go_on(tmp_path):
    """Though it comes first in the order of names, and so moves everybody's row."""
    params = scenario("mission=sequential", "mission.authorised=0", "mission.comparison=as_deployed", weeks=40)
    for component in params.mission.components.values():
        component.force.readiness = 0.0
    params.mission.components["un"].arrive.weeks = 12
    path = saved(params, 10, tmp_path)
    other = deepcopy(params)
    other.mission.components["aaa"] = deepcopy(params.mission.components["regional"])
    other.mission.components["aaa"].arrive = When(week=60)
    other.mission.components["aaa"].leave = When(week=90)
    a, b = branch.resume(params, path, Model), branch.resume(other, path, Model)
    assert of_their_missions(b)
    for model in (a, b):
        un = model.missions.names.index("un")
        assert model.missions.names[model.missions.takes_over[un]] == "regional"
    a.run()
    b.run()
    troops = [outcomes.weekly(m)["personnel_un"].to_numpy() for m in (a, b)]
    assert np.array_equal(*troops)
    assert troops[0].max() > 1_000
    assert outcomes.weekly(a)["civilians_killed"].equals(outcomes.weekly(b)["civilians_killed"])


def test_an_agreement_is_held_no_longer_than_its_event(tmp_path):
    words = ("mission=none", "negotiate.collapse=52", "negotiate.guarantee=0")
    event = "+events.x={when:{week:5},weeks:10,moves:{agreement:{to:1}}}"
    path = saved(scenario(*words, event), 10, tmp_path)
    free = branch.resume(scenario(*words), path, Model).run()
    assert not free.politics.held[0]
    assert free.politics.collapsed[0] == 1


def test_conditions_are_those_of_the_mission_and_the_council_of_the_future(tmp_path):
    words = ("mission=un_only", "mission.authorised=0", "+mission.components.un.funding.3=0.4")
    event = "+events.x={when:{week:4},weeks:2,moves:{money:{times:0.5},unity:{by:0}}}"
    params = scenario(*words, event)
    path = saved(params, 8, tmp_path)
    other = deepcopy(params)
    other.events = {}
    other.mission.components["aaa"] = deepcopy(params.mission.components["un"])
    other.mission.components["aaa"].funding = other.mission.components["aaa"].integrates = {}
    other.mission.components["aaa"].arrive = When(week=20)
    model = branch.resume(other, path, Model)
    money = dict(zip(model.missions.names, model.missions.funding.tolist(), strict=True))
    assert (money["un"], money["aaa"]) == (0.4, 1.0)
    assert model.politics.unity[0] == params.mission.council_unity
    other = deepcopy(params)
    other.mission.council_unity = 0.2
    assert branch.resume(other, path, Model).politics.unity[0] == 0.2


def test_an_event_of_a_past_that_did_not_have_it_is_refused(tmp_path):
    params = scenario("mission=none", "+events.x={when:{week:2},weeks:3,moves:{need:{by:0.1}}}")
    path = saved(params, 10, tmp_path)
    branch.resume(params, path, Model)
    other = scenario("mission=none", "+events.y={when:{week:5},moves:{need:{to:1}}}")
    with pytest.raises(ValueError, match=r"events\.y begins in week 5, before the branch at week 10"):
        branch.resume(other, path, Model)
    other = scenario("mission=none", "+events.x={when:{week:2},weeks:4,moves:{need:{by:0.1}}}")
    with pytest.raises(ValueError, match=r"events\.x begins in week 2"):
        branch.resume(other, path, Model)


def test_an_event_that_goes_on_may_last_longer_and_one_after_what_has_happened_is_refused(tmp_path):
    words = ("mission=none", "negotiate.collapse=0")
    event = "+events.x={when:{week:5},weeks:10,moves:{agreement:{to:1}}}"
    path = saved(scenario(*words, event), 10, tmp_path)
    longer = branch.resume(scenario(*words, event.replace("weeks:10", "weeks:30")), path, Model)
    _steps(longer, 20)
    assert longer.politics.held[0]
    other = scenario(*words, event, "+events.y={when:{after:agreement},moves:{need:{to:1}}}")
    with pytest.raises(ValueError, match=r"events\.y begins in week \d+, before the branch at week 10"):
        branch.resume(other, path, Model)


def test_totals_of_a_branch_with_a_new_mission_are_numbers(tmp_path):
    path = saved(scenario("mission=none"), 20, tmp_path)
    model = branch.resume(scenario("mission=un_only", "mission.authorised=20"), path, Model).run()
    assert np.isfinite(outcomes.totals(model)["pay_owed_peak"])
    assert outcomes.monthly(model)["consent_pop"].notna().all()


def test_a_branch_is_a_mesa_model_unless_another_is_asked_for(past):
    params, path = past
    model = branch.resume(params, path)
    assert type(model) is PeaceModel
    assert model.steps == 45
    assert len(model.agents) > 0
    assert type(branch.resume(params, path, Model)) is Model


# ------------------------------------------------------------------------------ a state is not trusted


def refused(params, path, said):
    """Resume must refuse a file in one sentence that names it."""
    with pytest.raises(ValueError, match=said) as error:
        branch.resume(params, path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert "pickle" not in str(error.value)


def test_a_damaged_state_is_refused(past, tmp_path):
    params, path = past
    whole, noise, bad = path.read_bytes(), np.random.default_rng(1), tmp_path / "bad.npz"
    for at in range(0, len(whole), len(whole) // 100):
        for content in (
            whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
            whole[:at] + bytes(500) + whole[at + 500 :], whole[:at] + noise.bytes(500) + whole[at + 500 :],
        ):  # fmt: skip
            if content != whole:
                bad.write_bytes(content)
                refused(params, bad, "is no saved state, or a damaged one")
    for content in (b"", b"a text", packed({"monthly": np.zeros(3)}), packed({"about": np.array("{}")})):
        bad.write_bytes(content)
        refused(params, bad, "is no saved state")
    np.savez(bad, about=np.array([{}], dtype=object))
    refused(params, bad, "is no saved state")
    for content in (bad.read_bytes(), b"a text"):
        bad.write_bytes(seal(content))
        refused(params, bad, "something else than plain arrays")


def other(content, name, value):
    """Return a state with another array, or one thing about it changed."""
    if name.startswith("about."):
        about = json.loads(str(content["about"])) | {name.removeprefix("about."): value}
        return content | {"about": np.array(json.dumps(about))}
    return content | {name: value} if value is not None else {k: v for k, v in content.items() if k != name}


def test_a_state_that_no_model_can_have_left_is_refused(past, tmp_path):
    """Also where the digest is right: compiled rules do not look where they read."""
    params, path = past
    content, bad = unpacked(path), tmp_path / "bad.npz"
    model, cells = PeaceModel(params), int(content["people.cell"].max()) * 1000

    def put(name, value, at=0):
        array = content[name].copy()
        array.flat[at] = value
        return array

    tries = {name: put(name, value) for name, value in {
        "people.cell": cells, "bands.cell": cells, "units.cell": -2, "people.community": -1, "bands.faction": 99,
        "missions.command": 99, "units.mission": 99, "factions.objective": cells, "people.persons": -1,
        "people.need": np.nan, "people.trust": 1.5, "bands.fighters": -3, "bands.losses": np.inf,
        "land.institutions": 2, "record.events": 10**6, "record.event_kinds": "party", "politics.signed": np.nan,
    }.items()}  # fmt: skip
    tries["record.weekly"] = content["record.weekly"][:, 1:]
    tries["record.events"] = put("record.events", cells, at=3)
    told = {"about.code": "0123456789ab", "about.step": 44, "about.week": -1, "about.missions": ["un", "un"],
            "about.factions": [1, 2], "about.params": {}}  # fmt: skip
    of_file = {name: tries[name] for name in ("people.cell", "people.need", "record.events")} | told
    for name, value in of_file.items():
        bad.write_bytes(packed(other(content, name, value)))
        refused(params, bad, f"{name.split('.')[0]}\\.|of version 0|at week|its names|its parameters")
    about = json.loads(str(content["about"]))
    for name, value in tries.items():
        assert name in next(branch._faults(other(content, name, value), about, model))
    for name in branch._arrays(model):
        array = content[name]
        for value in (None, array[:-1], array.astype("f4"), array[..., None]):
            assert next(branch._faults(other(content, name, value), about, model), "").count("it must be")
    for name in (f"usual.{thing}" for thing in model.usual):
        for value in (None, content[name][:-1], content[name].astype("f4"), content[name] + np.nan):
            assert name in next(branch._faults(other(content, name, value), about, model), "")
    bad.write_bytes(packed(content))
    assert fingerprint(branch.resume(params, bad).run()) == fingerprint(PeaceModel(params).run())


def test_every_whole_number_of_the_state_has_a_range(past):
    """One who adds an array says in sim/branch.py what its numbers may be."""
    arrays = branch._arrays(PeaceModel(past[0]))
    whole = {name for name, array in arrays.items() if array.dtype.kind in "iu"}
    assert whole == {*branch.ROWS_OF, *branch.COUNTS}
    assert {*branch.SHARES} <= {*arrays}
    assert {name.split(".")[1] for name in arrays} >= {*branch.WEEKS}
