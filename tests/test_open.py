"""Users' own processes, outcomes and agents join the week, and Mesa's own tools work, without editing the project."""

import io
import runpy

import mesa
import numpy as np
import pytest
from conftest import CONF, fingerprint, same, scenario
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from mesa.discrete_space import CellAgent

from sim import PeaceModel, branch, outcomes, results
from sim.agents import ArmedFaction, Civilian
from sim.model import SCHEDULE
from sim.outcomes import Outcome
from sim.state import HOME

SMALL = {"weeks": 30, "civilians": 200, "rows": 8}
FLOODED = np.arange(8)  # the cells of the lowest row


def flood(model):
    """Every tenth week the river takes the stores of those who live beside it."""
    if model.week % 10 == 0:
        people = model.people
        hit = np.isin(people.cell, FLOODED) & (people.status == HOME)
        people.need[hit] = np.maximum(people.need[hit], 0.9)


def small(*overrides):
    return scenario("mission=parallel", "mission.authorised=0", *overrides, **SMALL)


@pytest.fixture(scope="module")
def plain():
    return PeaceModel(small()).run()


# ------------------------------------------------------------------------------ processes


def test_an_added_process_acts_every_week_and_changes_what_follows(plain):
    flooded = PeaceModel(small(), before={"live": flood}).run()
    assert "people.need" in same(plain, flooded)
    assert flooded.record.weekly[:, flooded.record.columns.index("unmet_need")].sum() > (
        plain.record.weekly[:, plain.record.columns.index("unmet_need")].sum()
    )


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("process", [p.__name__ for p in SCHEDULE])
def test_a_process_may_be_added_anywhere(where, process):
    def mine(model):
        model.seen = True

    names = [p.__name__ for p in PeaceModel(small(), **{where: {process: mine}}).schedule]
    assert names.index("mine") - names.index(process) == (-1 if where == "before" else 1)
    assert [n for n in names if n != "mine"] == [p.__name__ for p in SCHEDULE]


def test_several_processes_come_in_the_order_given_also_where_the_named_one_is_switched_off():
    def one(_):
        pass

    def two(_):
        pass

    p = small("processes.fight=false")
    names = [x.__name__ for x in PeaceModel(p, before={"fight": [one, two]}, after={"fight": flood}).schedule]
    assert names[names.index("move") + 1 : names.index("prey")] == ["one", "two", "flood"]


def test_a_place_that_is_not_in_the_week_is_refused():
    with pytest.raises(ValueError, match=r"no process 'flight' to add one to \(did you mean fight\?\); choose"):
        PeaceModel(small(), after={"flight": flood})


def test_luck_of_ones_own_leaves_the_luck_of_others_alone(plain):
    drawn = []
    lots = PeaceModel(small(), before={"deploy": lambda m: drawn.append(m.luck.uniform("flood.where", 3)[0])}).run()
    assert same(plain, lots) == []
    assert len(set(drawn)) == SMALL["weeks"]


def test_who_adds_nothing_has_what_was(plain):
    assert fingerprint(plain) == fingerprint(PeaceModel(small(), before={}, after={}, outcomes=(), rng=None).run())
    assert plain.schedule == list(SCHEDULE)


# ------------------------------------------------------------------------------ outcomes


OWN = (
    Outcome("flooded", "person-week", "persons in need beside the river", "sum",
            lambda m: (m.people.persons * m.people.need)[np.isin(m.people.cell, FLOODED)].sum()),
    Outcome("bands", "band", "bands of each faction with fighters", "last",
            lambda m: np.bincount(m.bands.faction, m.bands.fighters > 0, m.factions.host.size), "faction"),
)  # fmt: skip


def test_an_added_outcome_is_a_column_of_every_table_and_a_total(plain, tmp_path):
    model = PeaceModel(small(), outcomes=OWN).run()
    assert same(plain, model) == []
    weekly, monthly, totals = outcomes.weekly(model), outcomes.monthly(model), outcomes.totals(model)
    assert (weekly.flooded > 0).all()
    assert monthly.flooded.sum() == pytest.approx(weekly.flooded.sum()) == totals["flooded"]
    assert weekly.bands_rebels.iloc[-1] == totals["bands_rebels"] == (
        model.bands.fighters[model.bands.faction == model.factions.names.index("rebels")] > 0).sum()  # fmt: skip
    results.write_run(model, tmp_path / "run")
    said = (tmp_path / "run" / "columns.csv").read_text()
    assert 'flooded,person-week,sum,"persons in need beside the river"' in said
    before = outcomes.totals(plain)
    assert {k: v for k, v in totals.items() if k in before and v == v} == {k: v for k, v in before.items() if v == v}


def test_an_outcome_goes_on_after_a_branch(tmp_path):
    model = PeaceModel(small(), before={"live": flood}, outcomes=OWN)
    while model.week < 15:
        model.step()
    path = branch.save(model, tmp_path / "half.npz")
    again = branch.resume(small(), path, before={"live": flood}, outcomes=OWN).run()
    assert same(again, model.run()) == []
    assert np.array_equal(again.record.weekly, model.record.weekly, equal_nan=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "deaths_of_goats", "month": "median"}, "outcome deaths_of_goats: month is 'median'; it must be one"),
        ({"name": "deaths_of_goats", "per": "goat"}, "outcome deaths_of_goats: per is 'goat'; it must be one of"),
        ({"name": "brd"}, "outcomes names brd, which is a column already"),
        ({"name": "goats", "of": None}, "outcomes names goats without `of`; give it a function of the model"),
        ({"name": "trust_un"}, "outcomes names trust_un, which is a column already"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        PeaceModel(small(), outcomes=[Outcome(**{"unit": "", "meaning": "", "month": "sum", "of": len, **given})])


# ------------------------------------------------------------------------------ agents


class Journalist(CellAgent):
    """Goes where people were killed, and tells: those around him learn who did it."""

    def __init__(self, model, at):
        super().__init__(model)
        self.cell, self.told, self.weeks = model.grid[at], 0, []

    def step(self):
        """Go to the worst place of the week, and tell what happened there."""
        model = self.model
        self.weeks.append(model.week)
        killings = [e for e in model.now.events if e.kind == "attack"]
        if not killings:
            return
        worst = max(killings, key=lambda e: (e.deaths_civilians, -e.cell))
        self.cell = model.grid[int(model.land.row[worst.cell]), int(model.land.col[worst.cell])]
        for other in self.cell.agents:
            if isinstance(other, Civilian):
                other.grievance[worst.side_a] = 1.0
                self.told += 1


def test_an_agent_of_ones_own_sees_the_week_and_changes_the_next(plain):
    model = PeaceModel(small())
    journalist = Journalist(model, (3, 3))
    model.run()
    assert journalist.weeks == list(range(SMALL["weeks"]))
    assert journalist.told > 0
    assert journalist in journalist.cell.agents
    assert {"people.grievance"} <= set(same(plain, model))
    assert journalist in model.agents


def test_an_agent_that_only_looks_changes_nothing(plain):
    class Clerk(mesa.Agent):
        def step(self):
            self.model.noted = getattr(self.model, "noted", 0) + len(self.model.now.events)

    model = PeaceModel(small())
    clerk = Clerk(model)
    for _ in range(10):
        model.step()
    clerk.remove()
    before = model.noted
    assert before == len(model.record.events) > 0
    assert same(plain, model.run()) == []
    assert model.noted == before  # one that left does nothing


# ------------------------------------------------------------------------------ Mesa's tools


def test_a_run_that_is_over_stands_still(plain):
    model = PeaceModel(small())
    assert model.running
    model.run_model()  # Mesa's own: while running
    assert not model.running
    assert same(plain, model) == []
    weekly = model.record.weekly.copy()
    model.step()
    assert (model.week, model.record.steps) == (SMALL["weeks"], SMALL["weeks"])
    assert same(plain, model) == []
    assert np.array_equal(weekly, model.record.weekly, equal_nan=True)


def test_a_seed_as_mesa_gives_it():
    params = small()
    assert same(PeaceModel(params, rng=7).run(), PeaceModel(small("seed=7")).run()) == []
    assert params.seed == 1


def test_the_batch_runner_runs_it(plain):
    params = {"params": [small(), small("mission=none")]}
    rows = mesa.batch_run(PeaceModel, params, display_progress=False, data_collection_period=1)
    assert len(rows) == 2 * SMALL["weeks"]
    of_first = [row["osv_all"] for row in rows if row["RunId"] == 0]
    assert of_first == plain.record.weekly[:, plain.record.columns.index("osv_all")].tolist()
    (last,) = mesa.batch_run(PeaceModel, {"params": [small()]}, number_processes=2, display_progress=False)
    assert last["idps"] == rows[SMALL["weeks"] - 1]["idps"]


class Watched(PeaceModel):
    """A model with a collector of its own, made from words, as Mesa's tools like it."""

    def __init__(self, mission="none", rng=None):
        super().__init__(small(f"mission={mission}"), rng=rng)
        self.datacollector = mesa.DataCollector(
            {"killed": lambda m: int(m.now.by_faction.sum())},
            agenttype_reporters={ArmedFaction: {"fighters": "fighters", "name": lambda a: a.name}},
        )

    def step(self):
        """Live a week, and collect at its end what it left."""
        super().step()
        self.datacollector.collect(self)


def test_a_collector_of_ones_own_collects():
    model = Watched("parallel").run()
    table = model.datacollector.get_agenttype_vars_dataframe(ArmedFaction)
    assert len(table) == SMALL["weeks"] * len(model.factions.names)
    last = table.reset_index().groupby("name").fighters.last()
    assert last.to_dict() == pytest.approx(dict(zip(model.factions.names, model.strength(), strict=True)))
    rows = mesa.batch_run(Watched, {"mission": ["none", "parallel"]}, display_progress=False)
    assert {row["mission"] for row in rows} == {"none", "parallel"}


def test_the_collector_of_the_model_has_the_weekly_table(plain):
    frame = plain.datacollector.get_model_vars_dataframe()
    weekly = outcomes.weekly(plain)
    assert list(frame) == [c for c in weekly if c not in ("week", "date")]
    assert np.array_equal(frame.to_numpy(), weekly[list(frame)].to_numpy(float), equal_nan=True)


@pytest.mark.filterwarnings("ignore")  # of Mesa's and Solara's own
def test_mesas_page_takes_the_model_as_it_is():
    pytest.importorskip("solara", reason="Solara is not installed: pip install -e '.[viz]'")
    from mesa.visualization import solara_viz

    solara_viz._check_model_params(PeaceModel.__init__, {"params": small()})


@pytest.mark.filterwarnings("ignore")  # of Mesa's and Solara's own
def test_mesas_page_shows_shows_the_grid_and_steps():
    solara = pytest.importorskip("solara", reason="Solara is not installed: pip install -e '.[viz]'")
    import ipyvuetify
    import ipywidgets

    page = runpy.run_path(str(CONF.parent / "docs" / "mesa_page.py"))["page"]
    _, shown = solara.render(solara.AppLayout(children=[page]), handle_error=False)

    def pictures():
        return [bytes(widget.value) for widget in shown.find(ipywidgets.Image).widgets]

    country, *charts = pictures()
    drawn = (255 * imread(io.BytesIO(country))[..., :3]).round().astype(int)
    for colour in ("firebrick", "lightgrey"):  # bands and civilians
        assert (drawn == np.multiply(255, to_rgb(colour)).round()).all(axis=2).sum() > 500
    assert len(charts) == 2
    for _ in range(3):
        shown.find(ipyvuetify.Btn, children=["Step"]).widget.click()
    assert not {country, *charts} & set(pictures())
    shown.close()


def test_an_array_that_a_process_sets_is_the_one_that_rules_see():
    m = PeaceModel(small())
    there = m.world.care
    m.care = np.full(there.size, 0.25)
    assert m.care is there is m.world.care
    assert (m.world.care == 0.25).all()
    before = m.factions.commitment
    m.factions.commitment = 0.1
    assert m.factions.commitment is before
    assert (before == 0.1).all()


def test_no_day_is_lost_where_steps_are_parts_of_weeks():
    params = small()
    params.step_weeks, params.weeks = 0.7, 140
    record = PeaceModel(params).record
    assert [(record.day(step) - record.day(0)).days for step in (50, 100, 190)] == [245, 490, 931]


@pytest.mark.parametrize("who", [{}, {"faction": 0, "mission": 0}])
def test_who_kills_is_said_when_civilians_are_killed(who):
    m = PeaceModel(small())
    before = m.now.by_mission.copy()
    with pytest.raises(ValueError, match="name the one that killed"):
        m.kill(int(m.census.persons.argmax()), 10, 0.5, **who)
    assert np.array_equal(m.now.by_mission, before)


def test_more_killings_than_a_week_has_room_for_are_refused():
    m = PeaceModel(small())
    m.now.logged[1] = len(m.now.killing_log)
    with pytest.raises(IndexError, match="no room for so many killings"):
        m.kill(int(m.census.persons.argmax()), 1, 0.5, faction=0)
