"""Mandates put together of clusters of tasks: the same written in another way is the same, and what is added costs."""

from copy import deepcopy

import numpy as np
import pytest
import yaml
from conftest import CONF

from sim import PeaceModel, load
from sim.mandate import capacities
from sim.params import AID, STAFF, TASKS, TROOPS, Bundle, Tasks, walk

NAMES = sorted(f.stem for f in (CONF / "bundle").glob("*.yaml"))
UN = "mission.components.un.mandate"


def params(mandate="shield", *more):
    return load("mission=un_only", "mission.comparison=as_deployed", f"mandate@{UN}={mandate}", "civilians=100",
                "weeks=60", "mission.authorised=0", *more)  # fmt: skip


def with_bundles(**bundles):
    """Return parameters in which the mandate of the one mission is made of these bundles alone."""
    p = params()
    p.mission.components["un"].mandate.bundles = bundles
    return p


def capacity(p, week=1e3):
    model = PeaceModel(p)
    un = model.missions.names.index("un")
    return capacities(p, model.everybody, model.missions.arrive, model.missions.arrive[un] + week)[un]


def weights(**tasks):
    return Tasks(**tasks)


def test_the_catalogue_has_the_thirty_models_each_once():
    heads = [(CONF / "bundle" / f"{n}.yaml").read_text(encoding="utf-8").split("\n")[0] for n in NAMES]
    assert sorted(int(h.split()[2]) for h in heads) == list(range(1, 31))
    for name in NAMES:
        about = yaml.safe_load((CONF / "bundle" / f"{name}.yaml").read_text(encoding="utf-8"))
        assert about["summary"], name
        assert about["modelled"], name
        assert ("tasks" in about) != about["modelled"].startswith("Nothing"), name  # who models nothing says so
        assert "tasks" in about or about["unmodelled"], name  # and takes time


@pytest.mark.parametrize("name", NAMES)
def test_any_of_them_can_be_hung_on_a_mandate_from_the_command_line(name):
    plain, hung = params(), params("shield", f"+bundle@{UN}.bundles.more={name}")
    assert set(hung.mission.components["un"].mandate.bundles) == {"protection_of_civilians", "more"}
    before, after = capacity(plain), capacity(hung)
    protect = TASKS.index("protect")
    if "protect" in yaml.safe_load((CONF / "bundle" / f"{name}.yaml").read_text(encoding="utf-8")).get("tasks", {}):
        return
    assert after[TROOPS, protect] <= before[TROOPS, protect]  # what is added takes time, or an overhead, or nothing
    bundle = hung.mission.components["un"].mandate.bundles["more"]
    costs = bundle.cost > 0 or any(v for _, _, v in walk(bundle.personnel))
    plain, hung = (PeaceModel(p).missions for p in (plain, hung))
    wages = [(m.personnel * m.price * ~m.donors[:, None]).sum() + m.headquarters.sum() for m in (plain, hung)]
    assert (wages[1] > wages[0]) == costs


def test_a_bundle_is_the_sum_of_its_tasks():
    whole = Bundle(summary="a", tasks=weights(protect=3, monitor=1, mediate=2))
    p = with_bundles()
    p.mission.components["un"].mandate.tasks = weights(protect=3, monitor=1, mediate=2)
    assert np.array_equal(capacity(with_bundles(one=whole)), capacity(p))
    parts = {"b": Bundle(summary="a", tasks=weights(protect=3, monitor=0.25)),
             "a": Bundle(summary="a", tasks=weights(monitor=0.75, mediate=2))}  # fmt: skip
    assert capacity(with_bundles(**parts)) == pytest.approx(capacity(p), rel=1e-12)
    turned = dict(reversed(parts.items()))
    assert capacity(with_bundles(**turned)) == pytest.approx(capacity(p), rel=1e-12)


def test_work_that_no_task_stands_for_takes_time_and_counts_as_a_task():
    six = dict.fromkeys(["protect", "monitor", "mediate", "build", "police", "report"], 1.0)
    focused = dict(list(six.items())[:5])
    p = with_bundles(a=Bundle(summary="a", tasks=weights(**focused)))
    idle = with_bundles(
        a=Bundle(summary="a", tasks=weights(**focused)), b=Bundle(summary="b", unmodelled={"troops": 1.4})
    )
    overhead = 1 / (1 + p.deploy.overhead)
    wanted = 1.0 + 0.2 + 0.2  # of a soldier: protection 1, monitoring 0.2, police 0.2
    protect = TASKS.index("protect")
    assert capacity(p)[TROOPS, protect] == pytest.approx(1 / wanted)
    assert capacity(idle)[TROOPS, protect] == pytest.approx(overhead / (wanted + 1.4))
    assert capacity(idle)[STAFF] == pytest.approx(overhead * capacity(p)[STAFF])  # nobody else is bound
    wrong = with_bundles(b=Bundle(summary="b", unmodelled={"sailors": 1}))
    with pytest.raises(ValueError, match="bundle b: unmodelled has 'sailors'; choose among troops, police"):
        PeaceModel(wrong)


def test_specialists_and_equipment_are_added_and_paid():
    plain = PeaceModel(with_bundles(a=Bundle(summary="a", tasks=weights(relieve=1)))).missions
    more = Bundle(summary="a", tasks=weights(relieve=1), cost=5e6)
    more.personnel.aid = 40
    added = PeaceModel(with_bundles(a=more)).missions
    un = plain.names.index("un")
    assert (added.personnel - plain.personnel)[un].tolist() == [0, 0, 0, 0, pytest.approx(40 * _scale(plain, un))]
    assert (added.personnel - plain.personnel)[un, AID] > 0
    assert added.headquarters[un] - plain.headquarters[un] == 5e6


def _scale(missions, m):
    return missions.personnel[m, TROOPS] / 9_000


@pytest.mark.parametrize("step", [0.5, 1])
def test_phases_change_the_work_when_they_begin_and_end(step):
    p = params("phased", "weeks=400", f"step_weeks={step}")
    p.mission.components["un"].leave.week = None
    model = PeaceModel(p)
    un = model.missions.names.index("un")
    arrive, seen = model.missions.arrive[un], {}
    while not model.finished:
        model.step()
        seen[model.week - step - arrive] = model.missions.capacity[un, STAFF].copy()
    ddr, relieve = TASKS.index("ddr"), TASKS.index("relieve")
    for since, work in seen.items():
        assert (work[relieve] > 0) == (since < 104), since
        assert work[ddr] > 0
    early = next(w for s, w in seen.items() if 10 < s < 90)
    late = next(w for s, w in seen.items() if s > 110)
    assert late[ddr] > 1.5 * early[ddr]


def test_what_never_changes_has_no_phases():
    assert PeaceModel(params("minusca_2014")).phases == []
    assert PeaceModel(load("mission=parallel", "civilians=20")).phases == []


def test_minuscas_seven_tasks_can_be_divided_as_matsumura_divides_them():
    seven = params("minusca_2014").mission.components["un"].mandate.bundles
    assert len(seven) == 7
    orange, both = ("protection_of_civilians", "delivery_of_aid"), ("protection_of_the_mission", "human_rights")
    blue = set(seven) - {*orange, *both}
    assert blue == {"transition", "justice", "ddr"}
    p = load("mission=separated", "mission.comparison=as_deployed", "civilians=100", "weeks=60")
    for name, mine in (("orange", {*orange, *both}), ("political", {*blue, *both})):
        mandate = p.mission.components[name].mandate
        mandate.tasks, mandate.bundles = Tasks(), {b: deepcopy(seven[b]) for b in mine}
    model = PeaceModel(p)
    work = dict(zip(model.missions.names, model.missions.capacity, strict=True))
    whole = capacity(params("minusca_2014"))
    protect, mediate = TASKS.index("protect"), TASKS.index("mediate")
    assert work["orange"][TROOPS, protect] > whole[TROOPS, protect] > work["political"][TROOPS, protect]
    assert work["political"][STAFF, mediate] > whole[STAFF, mediate] > work["orange"][STAFF, mediate] == 0
