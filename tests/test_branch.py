"""A run that is saved and continued is the same run; several futures share one past."""

import numpy as np
import pytest
from conftest import fingerprint, scenario

from sim import PeaceModel, branch, outcomes


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
