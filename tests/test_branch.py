"""A run that is saved and continued is the same run; several futures share one past."""

import json

import numpy as np
import pytest
from conftest import fingerprint, scenario

from sim import PeaceModel, branch, outcomes
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
    bad.write_bytes(packed(content))
    assert fingerprint(branch.resume(params, bad).run()) == fingerprint(PeaceModel(params).run())


def test_every_whole_number_of_the_state_has_a_range(past):
    """One who adds an array says in sim/branch.py what its numbers may be."""
    arrays = branch._arrays(PeaceModel(past[0]))
    whole = {name for name, array in arrays.items() if array.dtype.kind in "iu"}
    assert whole == {*branch.ROWS_OF, *branch.COUNTS}
    assert {*branch.SHARES} <= {*arrays}
    assert {name.split(".")[1] for name in arrays} >= {*branch.WEEKS}
