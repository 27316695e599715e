"""The classroom without a browser: scenes, stages, words, what is taken away, and the server by its protocol."""

import base64
import importlib.util
import itertools
import json
import math
import random
import re
import shlex
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from proof import messages
from proof import page as lessons
from proof._room import Page

pytest.importorskip("starlette", reason="the classroom's server is not installed: pip install -e '.[test]'")
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from experiments.classroom import __main__ as command
from experiments.classroom import (
    controls,
    door,
    film,
    layers,
    look,
    painter,
    scene,
    server,
    sheet,
    stage,
    takeaway,
    words,
)
from experiments.drawing import style
from experiments.engine import runs, stored
from sim import PeaceModel, load, outcomes
from sim.asked import explain
from sim.components import WITH
from sim.config import CONF

pytestmark = pytest.mark.xdist_group("classroom")  # they share runs and composed configurations
SMALL = ("civilians=300", "weeks=80")
PAIR = scene.Scene((("mission=none", *SMALL), ("mission=un_only", "mission.authorised=0", *SMALL)), 30)


def at(given, week=None):
    """Return the stage of a scene, in its week."""
    made = stage.Stage(given)
    made.go(given.week if week is None else week)
    while not made.there:
        made.advance(13)
    return made


@pytest.fixture(scope="module")
def pair():
    return at(PAIR)


CARDS = [tuple(tuple(m) for m in c["models"]) for c in scene.cards()]
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda models: "-".join(map(scene.mission_of, models)))


# ---------------------------------------------------------------------------------- scenes


def test_parameters_are_those_that_the_command_line_makes():
    model = ("mission=sequential", "seed=3", "judge.conflation=0.9", "mission.components.un.arrive.weeks=60",
             "mandate@mission.components.un.mandate=observation", "weeks=104", "mission.budget=2.5e9")  # fmt: skip
    assert scene.allowed(model) == load(*model)


@pytest.mark.parametrize(("override", "said"), [
    ("feel.misinformation=1.5", "must lie in [0, 1] share"),
    ("mission.authorised=-4", "must lie in [0, 5200] week"),
    ("country=../secret", "choose among"),
    ("country.cells=/etc/hostname", "cannot be set here"),
    ("country.name=${oc.env:HOME}", "cannot be set here"),
    ("judge.conflation=${oc.env:HOME}", "must be a number"),
    ("run.name=x", "cannot be set here"),
    ("hydra.run.dir=x", "cannot be set here"),
    ("judge.conflation=much", "it must be a number"),
    ("mission.components.nobody.arrive.weeks=3", "is not a setting"),
    ("civilians=1000000", "at most 20000"),
    ("weeks=5000", "at most 1560"),
    ("mission", "name=value"),
])  # fmt: skip
def test_what_is_not_allowed_is_refused_in_a_sentence(override, said):
    with pytest.raises(server.WRONG) as error:
        scene.checked(scene.Scene(((override,),)))
    assert said in explain(error.value)
    assert "\n" not in explain(error.value)


def test_models_side_by_side_share_the_country_and_the_luck():
    with pytest.raises(ValueError, match="seed is 1 and 2; models side by side need the same seed"):
        scene.checked(scene.Scene((("seed=1",), ("seed=2",))))
    with pytest.raises(ValueError, match="4 models"):
        scene.checked(scene.Scene((("mission=none",),) * 4))


def test_a_link_holds_the_whole_scene():
    with_need = replace(PAIR, layer="need")
    assert scene.from_link(f"http://127.0.0.1:8711/?{with_need.link()}") == with_need
    for bad, said in (("?week=3", "names no model"), ("?a=mission%3Dnone&week=-3", "must be a whole number"),
                      ("?a=mission%3Dnone&week=%C2%B2", "must be a whole number")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            scene.from_link(bad)


def test_a_comma_on_the_command_line_makes_models():
    made = scene.from_words(["mission=none,un_only", "seed=3"])
    assert made.models == (("mission=none", "seed=3"), ("mission=un_only", "seed=3"))
    with pytest.raises(ValueError, match="4 models; at most 3"):
        scene.from_words(["seed=1,2,3,4"])


def test_another_mission_drops_the_settings_of_the_missions_it_replaces():
    before = ("mission=sequential", "mission.components.un.arrive.weeks=60", "seed=2")
    assert scene.changed(before, "mission", "parallel") == ("seed=2", "mission=parallel")
    both = scene.Scene((("seed=1",), ("seed=1", "mission=un_only")))
    assert both.with_setting("seed", 5, [0]).models == (("seed=5",), ("mission=un_only", "seed=5"))


def test_what_has_no_bearing_any_more_is_dropped_and_what_never_had_is_refused():
    dear = scene.Scene((("mission=un_only", "mission.budget=2e9"),))
    changed = dear.with_setting("mission.comparison", "as_deployed", [0]).with_bearing("mission.comparison")
    assert changed.models == (("mission=un_only", "mission.comparison=as_deployed"),)
    history = dear.with_setting("mission", "car_history", [0]).with_setting("country", "car", [0])
    assert history.with_bearing("country").models == (("mission=car_history", "country=car"),)
    idle = changed.with_setting("mission.budget", "3e9", [0]).with_bearing("mission.budget")
    with pytest.raises(ValueError, match="budget=3e9 has no bearing where"):
        scene.checked(idle)


def test_an_event_is_two_settings_and_its_link_and_commands_have_them():
    both = PAIR.with_event("coup", 30, [0, 1]).with_event("drought", 40, [1])
    assert both.models[0] == ("mission=none", *SMALL, "events=[coup]", "events.coup.when.week=30")
    assert scene.events_of(both.models[1]) == {"coup": 30, "drought": 40}
    assert scene.from_link(both.link()) == both
    assert [p.events["coup"].when.week for p in scene.checked(both)] == [30, 30]
    assert scene.changes(both.models) == ([[], ["authorised in week 0", "drought in week 40"]], ["coup in week 30"])
    later = both.with_event("coup", 50, [0])
    assert [scene.events_of(m)["coup"] for m in later.models] == [50, 30]
    assert both.with_event("coup", None, [0, 1]).with_event("drought", None, [1]).models == PAIR.models
    assert load(*shlex.split(both.commands()[1])[3:]) == scene.checked(both)[1]


def test_a_mandate_takes_clusters_of_tasks_and_gives_them_back():
    tree = PAIR.with_bundle("un", "ddr", True, [1]).with_bundle("un", "cyber_security", True, [1])
    assert scene.bundles_of(tree.models[1], "un") == ["ddr", "cyber_security"]
    assert set(scene.checked(tree)[1].mission.components["un"].mandate.bundles) == {"ddr", "cyber_security"}
    assert scene.changes(tree.models)[0][1][-2:] == ["UN also ddr", "UN also cyber security"]
    assert scene.from_link(tree.link()) == tree
    assert tree.with_bundle("un", "ddr", False, [1]).with_bundle("un", "cyber_security", False, [0, 1]) == PAIR
    assert tree.with_setting("mission", "none", [1]).models[1] == (*PAIR.models[1][1:], "mission=none")
    costs = {c["key"]: c for g in controls.controls(stage.Stage(tree).actors) for c in g["controls"]}["bundles.un"]
    assert costs["values"] == [None, ["cyber_security", "ddr"]]
    assert costs["costs"] == [None, "2 clusters; 40 specialists more; US$10 million a year more; "
                                    "1 without a modelled effect"]  # fmt: skip


@pytest.mark.parametrize(
    "override", ["events=[coup,mine]", "events=../x", "events=[${oc.env:HOME}]", "events=[[coup]]",
                 "events=[coup,coup]", "events=", "events=[]", "events.coup.when.week=30.5",
                 "events.coup.when.week=1e2", "events", "seed",
                 "events.coup.moves.money.to=0", "+bundle@mission.components.un.mandate.bundles.ddr=[ddr,ddr]",
                 "+bundle@mission.components.un.mandate.bundles.foo=ddr", "+bundle@country.bundles.ddr=ddr",
                 "+bundle@mission_components.un.mandate.bundles.ddr=ddr",
                 "+bundle@mission.components.un.mandate.bundles.x/y=ddr"]
)  # fmt: skip
def test_no_other_files_come_in_by_events_and_bundles(override):
    assert scene.refused(override)


@pytest.mark.parametrize("event", ["coup", "cut", "rumour", "border_opened", "ceasefire"])
@pytest.mark.parametrize("week", [30, 33])
def test_an_event_to_come_goes_on_with_the_run_and_makes_the_same_history(event, week):
    now = at(PAIR)
    asked_for = PAIR.with_event(event, week, [1])
    injected, again = stage.Stage(replace(asked_for, week=30), now), stage.Stage(asked_for)
    assert [a is b for a, b in zip(injected.actors, now.actors, strict=True)] == [True, True]
    for s in (injected, again):
        s.go(60)
        s.advance(60)
    assert injected.history() == again.history()
    said = [e for e in injected.actors[1].log if e["kind"] == "event"]
    assert [(e["week"], e["text"].split(":")[0].lower().replace(" ", "_")) for e in said] == [(week, event)]


def test_an_event_of_the_past_or_at_another_time_begins_the_run_again():
    then = at(PAIR.with_event("coup", 30, [0, 1]), 40)
    for week in (20, 50, None):
        assert not set(stage.Stage(PAIR.with_event("coup", week, [0, 1]), then).actors) & set(then.actors)


def test_a_scene_that_cannot_be_leaves_the_runs_of_the_old_one_as_they_were():
    now = at(PAIR)
    ghost = (*PAIR.models[0], "+bundle@mission.components.ghost.mandate.bundles.ddr=ddr")
    wrong = scene.Scene((PAIR.with_event("coup", 35, [1]).models[1], ghost), 30)
    with pytest.raises(ValueError, match="ghost has no force"):
        stage.Stage(wrong, now)
    assert now.actors[1].overrides == PAIR.models[1]
    assert now.actors[1].model.params.events == {}


def test_clusters_of_the_mandate_itself_are_shown_and_those_added_go_with_it():
    tree = PAIR.with_setting("mandate@mission.components.un.mandate", "christmas_tree", [1])
    shown = {c["key"]: c for g in controls.controls(stage.Stage(tree).actors) for c in g["controls"]}["bundles.un"]
    assert (len(shown["values"][1]), shown["own"][1]) == (20, [])
    added = PAIR.with_bundle("un", "ddr", True, [1])
    assert added.with_setting("mandate@mission.components.un.mandate", "christmas_tree", [1]).models == tree.models


def test_every_card_can_be_played_and_every_country_has_one():
    cards = scene.cards()
    for card in cards:
        assert {"title", "text", "look_for", "models"} <= set(card)
        models = tuple(tuple(m) for m in card["models"])
        scene.checked(scene.Scene(models))
        assert len(set(scene.titles(models))) == len(models)
    used = {scene.choice_of(m, "country") for c in cards for m in c["models"]}
    assert used == set(scene.names_of("country"))


def test_every_control_is_a_declared_setting_within_its_range():
    declared = scene.declarations()
    paths = [c["path"] for g in scene.control_groups() for c in g["controls"]]
    assert len(set(paths)) == len(paths)
    wanted = "mission mandate mission.authorised mission.coordination judge.conflation feel.misinformation"
    assert set(wanted.split()) | {"judge.contestation", "mission.budget"} <= set(paths)
    for control in (c for g in scene.control_groups() for c in g["controls"]):
        if control["path"] in (*scene.GROUPS, "mandate", "bundles", "events"):
            continue
        meta = declared[control["path"]].metadata
        assert control["asks"].endswith((".", "?", ".)")), control["path"]
        if "low" in meta:
            assert meta["low"] <= control["low"] < control["high"] <= meta["high"], control["path"]


def test_controls_show_units_meanings_and_the_values_of_each_model(pair):
    found = {c["key"]: c for g in controls.controls(pair.actors) for c in g["controls"]}
    delay = found["mission.authorised"]
    assert delay["values"] == [26, 0]
    assert (delay["unit"], delay["allowed"]) == ("week", [0, 5200])
    assert delay["doc"] == "week in which the missions are authorised"
    assert found["mission.components.un.mandate.use_of_force"]["values"] == [None, 0.4]
    assert found["mandate@mission.components.un.mandate"]["values"] == [None, "multidimensional"]
    assert found["mission.person_years"]["off"] == [True, True]  # costs are held equal, not persons


# ---------------------------------------------------------------------------------- the stage


def test_the_screen_shows_the_numbers_of_the_same_run_from_python(pair):
    actor = pair.actors[1]
    model = PeaceModel(load(*PAIR.models[1]))
    while model.week < 30:
        model.step()
    table = outcomes.weekly(model)
    shown = actor.numbers()
    assert shown["killed"] == table.civilians_killed.sum() > 0
    assert shown["displaced"] == table.idps.iloc[-1] + table.refugees.iloc[-1] > 0
    assert shown["cost"] == pytest.approx(table.cost_un.sum())
    assert shown["cost"] > 0
    assert shown["access"] == pytest.approx(np.nanmean(table.access))
    assert outcomes.weekly(actor.model).equals(table)


def test_before_anybody_comes_the_models_are_one_and_the_same():
    early = at(scene.Scene((("mission=none", *SMALL), ("mission=un_only", *SMALL)), 20))
    a, b = early.frame()["actors"]
    assert a["home"] == b["home"]
    assert a["bands"] == b["bands"]
    assert a["numbers"] == b["numbers"]


def test_going_back_and_forth_shows_the_same_week_again(pair):
    again = at(PAIR, 50)
    again.go(30)
    assert again.week == 0
    again.advance(99)
    assert again.frame("need") == pair.frame("need")
    assert again.history() == pair.history()


def test_models_that_do_not_change_are_kept(pair):
    other = stage.Stage(pair.scene().with_setting("mission.authorised", 10, [1]), pair)
    assert other.actors[0] is pair.actors[0]
    assert other.actors[1] is not pair.actors[1]


def test_a_frame_holds_everybody(pair):
    for key, layer in layers.LAYERS.items():
        a = pair.frame(key)["actors"][1]
        shade = np.frombuffer(base64.b64decode(a["layer"]), dtype=np.uint8)
        model = pair.actors[1].model
        assert shade.size == model.land.row.size, layer.title
        assert 0 <= layer.of(model).min() <= layer.of(model).max(), layer.title
    home, away = (np.frombuffer(base64.b64decode(a[k]), dtype="<u2") for k in ("home", "away"))
    inside = (model.people.persons > 0) & (model.people.status < 2)
    assert home.sum() + away.sum() == inside.sum()
    assert len(a["bands"]) == (model.bands.fighters >= 1).sum() > 0
    assert len(a["units"]) == (model.units.cell >= 0).sum() > 0
    assert pair.frame("trust")["actors"][0]["layer"] is None  # no mission is there
    json.dumps(pair.frame(), allow_nan=False)
    with pytest.raises(ValueError, match="choose among violence"):
        pair.frame("colour")


def test_everything_that_stays_can_be_sent(pair):
    about = json.loads(json.dumps(pair.about(), allow_nan=False))
    assert about["commands"][1].startswith("python -m sim mission=un_only mission.authorised=0")
    assert [a["title"] for a in about["actors"]] == ["No mission", "UN only"]
    assert about["actors"][1]["missions"][0]["helmet"] == "#3b8ede"
    assert about["factions"][0]["shape"] == "square"  # the government
    assert len({f["shape"] for f in about["factions"]}) == len(about["factions"])


def test_the_car_with_its_six_factions_and_four_missions_is_shown():
    car = at(scene.Scene((("country=car", "mission=car_history", "weeks=120", "civilians=300"),), 110))
    about = car.about()
    assert len({(f["shape"], f["colour"]) for f in about["factions"]}) == 6
    assert len(about["actors"][0]["missions"]) == 4
    assert about["actors"][0]["humanitarians"]
    assert any(e["kind"] == "campaign" for e in car.actors[0].log)


# ---------------------------------------------------------------------------------- words


def test_everybody_and_every_place_can_be_described(pair):
    model = pair.actors[1].model
    for kind, n in (("civilian", model.people.persons.size), ("band", model.bands.cell.size),
                    ("unit", model.units.cell.size), ("cell", model.land.row.size)):  # fmt: skip
        for index in range(0, n, max(1, n // 40)):
            said = pair.describe(1, kind, index)
            assert said["title"]
            assert said["sentences"], (kind, index)
            assert all(s[0] == s[0].upper() and s.endswith(".") for s in said["sentences"]), said
            assert "nan" not in " ".join(said["sentences"])
        with pytest.raises(ValueError, match="numbered from 0"):
            pair.describe(1, kind, n)
    with pytest.raises(ValueError, match="choose among"):
        pair.describe(0, "king", 0)


def test_words_follow_the_state(pair):
    actor = at(PAIR).actors[1]  # one's own, to be changed
    model, where = actor.model, actor.watch.where
    model.people.status[5], model.people.need[5] = 1, 0.62
    assert "displaced from" in (said := " ".join(words.describe(model, where, "civilian", 5)["sentences"]))
    assert "need 62%" in said
    unit = int(np.flatnonzero((model.units.cell >= 0) & ~model.units.team)[0])
    assert "soldier" in words.describe(model, where, "unit", unit)["sentences"][0]
    model.units.suspended[unit] = True
    assert "caveats" in " ".join(words.describe(model, where, "unit", unit)["sentences"])
    capital = next(p for p in model.params.country.places.values() if p.capital)
    cell = int(np.flatnonzero((model.land.row == capital.row) & (model.land.col == capital.col))[0])
    assert words.describe(model, where, "cell", cell)["title"] == "In Oravel"
    assert where(cell + 3) == "80 km east of Oravel"


def test_the_log_says_what_happened_and_when():
    model = PeaceModel(load("mission=un_only", *SMALL))
    watch = words.Watch(model)
    model.step()
    watch.week()
    model.politics.agreement[0] = True
    assert [e["text"] for e in watch.week() if e["kind"] == "agreement"] == ["An agreement is signed."]
    model.politics.agreement[0], model.politics.collapsed[0] = False, 1
    assert "collapse" in [e["kind"] for e in watch.week()]
    model.commands.unwelcome[model.missions.command[0]] = 1
    assert "no longer wants the UN mission" in next(e["text"] for e in watch.week() if e["kind"] == "consent")
    model.missions.expelled[0] = model.week
    assert "consent withdrawn" in next(e["text"].lower() for e in watch.week() if e["kind"] == "consent")
    assert all(e["kind"] not in ("agreement", "consent") for e in watch.week())


def test_the_log_is_told_by_the_record_of_events(pair):
    killed = [e for e in pair.actors[0].log if e["kind"] == "massacre"]
    assert killed
    model = pair.actors[0].model
    table = outcomes.events(model)
    for e in killed[:5]:
        mine = table[(table.kind == "attack") & (table.date_start == str(model.record.day(e["week"])))]
        assert int(e["text"].split()[0].replace(",", "")) in mine.groupby("side_a").deaths_civilians.sum().tolist()


def test_missions_come_and_go_in_the_log():
    made = at(scene.Scene((("mission=sequential", "civilians=300", "weeks=200"),), 110))
    said = " ".join(e["text"] for e in made.actors[0].log if e["kind"] == "mission")
    assert "The regional mission arrives" in said
    assert "The regional mission has left and hands over to the UN mission." in said
    phases = {week: dict(words.phases(at(made.scene(), week).actors[0].model)) for week in (10, 31, 100)}
    assert phases[10]["un"].startswith("arrives in week")
    assert phases[31]["regional"] == "building up"
    assert phases[100] == {"regional": "gone", "un": "at strength"}


def test_the_phases_of_the_whole_run_are_those_of_each_week_also_when_consent_is_withdrawn():
    model = (
        at(scene.Scene((("mission=sequential", "civilians=300", "weeks=120", "deploy.expulsion=8"),), 90))
        .actors[0]
        .model
    )

    def spelled_out(i):
        found = [p for first, after, p in words.spans(model)[i] for _ in range(first, after)]
        assert len(found) == model.params.weeks
        return found

    for i in range(2):
        every, arrives = spelled_out(i), math.ceil(model.missions.arrive[i])
        assert set(every[:arrives]) == {""}
        assert every[arrives:] == [words.phase(model, i, week) for week in range(arrives, model.params.weeks)]
    model.missions.expelled[1] = 100
    assert spelled_out(1)[99:101] == ["at strength", "asked to leave"]
    assert spelled_out(1)[-1] == "gone"


def test_every_operation_is_in_the_log():
    one = at(scene.Scene((("mission=intervention_brigade", "seed=3", "civilians=1000", "weeks=110"),), 110)).actors[0]
    said = [e for e in one.log if e["kind"] == "operation"]
    kept = [e for _, e in one.model.record.events if e.kind == "operation"]
    assert len(said) == len(kept) > 0
    assert all(f"{e.deaths_b} fighter" in s["text"] for s, e in zip(said, kept) if e.deaths_b)


# ---------------------------------------------------------------------------------- looks


DEFICIENT = {  # severe; Machado, Oliveira & Fernandes 2009, on linear RGB
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def _lab(colour, seen):
    """Return a colour as somebody sees it, in CIE L*a*b*: a difference of 2 is just noticed, one of 10 at a glance."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(seen) @ linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


SEEN = np.eye(3)  # by most people


def apart(a, b, seen=SEEN):
    """Return how different two colours look."""
    return np.linalg.norm(_lab(a, seen) - _lab(b, seen))


@pytest.mark.parametrize("kind", DEFICIENT)
def test_helmets_models_and_people_can_be_told_apart_with_any_colour_vision(kind):
    forces = {scene.about("force", name)["helmet"] for name in scene.names_of("force")}
    assert len(forces) >= 4
    for some in (forces, look.MODELS, [look.CIVILIAN, look.DISPLACED]):
        for a, b in itertools.combinations(some, 2):
            assert apart(a, b, DEFICIENT[kind]) > 12, (a, b)
    shapes = [look.HOST[0], *(s for s, _ in look.FACTIONS)]
    assert len(set(shapes)) == len(shapes)  # bands are told apart by shape alone


@each_card
def test_no_two_things_on_a_screen_share_a_colour_and_no_two_helmets_on_a_map_a_stripe(card):
    params = scene.checked(scene.Scene(card))
    helmets = look.helmets(params)
    for here in helmets:
        looks = {name.partition(WITH)[0]: stripe for name, (_, stripe) in here.items()}
        stripes = list(looks.values())
        assert len(set(stripes)) == len(stripes)  # they are told apart without colour
    factions = [c for _, c in (look.HOST, *look.FACTIONS[: len(params[0].country.factions)])]
    things = [*{c for here in helmets for c, _ in here.values()}, *factions, look.CIVILIAN, look.DISPLACED,
              *look.MODELS[: len(card)]]  # fmt: skip
    for a, b in itertools.combinations(things, 2):
        assert apart(a, b) > 14, (a, b)
    for ramp, thing in itertools.product(look.RAMPS.values(), things):
        assert apart(ramp, thing) > 14, (ramp, thing)


def test_what_is_written_on_a_colour_can_be_read():
    def light(colour):
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    assert all(1.05 / light(c) >= 4.5 for c in look.MODELS)  # letters are white
    assert light(look.GROUND) / light(look.GREY) >= 4.5


def test_what_was_set_for_one_model_stands_in_the_film_and_on_the_sheet():
    given = replace(PAIR, models=tuple((*m, f"judge.conflation=0.{i}", "seed=3") for i, m in enumerate(PAIR.models, 1)))
    assert scene.changes(given.models) == (
        [["conflation 0.1"], ["authorised in week 0", "conflation 0.2"]], ["luck (seed) 3"]
    )  # fmt: skip
    one, said = painter.Painter(at(given, 2)), []
    write = painter.ImageDraw.ImageDraw.text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            painter.ImageDraw.ImageDraw, "text", lambda d, xy, text, **k: (said.append(text), write(d, xy, text, **k))
        )
        one.paint()
    assert {"conflation 0.1", "authorised in week 0; conflation 0.2"} <= set(said)
    assert any("For all: luck (seed) 3" in s for s in said)
    assert "Spent of $4.00 bn" in said
    assert "conflation 0.2" in sheet._settings(given.models[1])


def test_shades_have_room_for_what_the_model_makes():
    model = at(scene.Scene((("mission=un_only", "mission.authorised=0", "weeks=104"),), 80)).actors[0].model
    for name in ("presence", "institutions", "need", "trust"):
        layer = layers.LAYERS[name]
        dark = np.nanpercentile(layer.of(model), 98) / layer.top
        assert 0.3 < dark < 2, (name, dark)  # neither a pale map nor a dark one


def test_factions_are_called_by_their_names():
    assert words.faction_name("lords_resistance_army") == "the Lord's Resistance Army"
    assert words.faction_name("rebels") == "the rebels"
    for country in scene.names_of("country"):
        for name in scene.about("country", country)["factions"]:
            assert style.in_words(name) != name.replace("_", " ") or "_" not in name, name


# ---------------------------------------------------------------------------------- to take away


@pytest.fixture(scope="module")
def made_sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    jobs = sheet.plan(PAIR, 3, folder / "runs")
    runs.run(jobs, 1, "test")
    files, said = sheet.write(PAIR, jobs, folder)
    return [Path(f) for f in files], said, stored.totals(jobs)


def test_the_sheet_is_one_page_with_its_numbers_beside_it(made_sheet):
    files, said, table = made_sheet
    pdf, png, summary, every = files
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) == 1
    with Image.open(png) as picture:
        assert picture.size == (1240, 1753)
    assert set(pd.read_csv(every).seed) == {1, 2, 3}
    assert {"arm", "outcome", "mean", "low", "high", "difference"} <= set(pd.read_csv(summary).columns)
    assert len(said) == 3
    figure = sheet.draw(PAIR, table, said)
    text = " ".join(t.get_text() for t in figure.texts)
    assert "not a forecast" in text
    assert PAIR.commands()[1] in text
    assert all(" ".join(t.split()[:4]) in text for t in said)


def test_the_sheet_holds_three_models_with_long_settings(made_sheet):
    _, said, table = made_sheet
    models = tuple(
        ("mission=un_only", "mission.comparison=as_deployed", f"mission.authorised={week}",
         "mission.components.un.leave.week=416", "judge.conflation=0.9", "feel.misinformation=0.8", *SMALL)
        for week in (0, 26, 52)
    )  # fmt: skip
    long = scene.Scene(models, 30)
    arms = scene.titles(models)
    rows = table[table.arm == "UN only"]
    three = pd.concat([rows.assign(arm=a) for a in arms], ignore_index=True)
    assert len(sheet.draw(long, three, [s + " " + s for s in said]).axes) == 6


def test_models_are_told_apart_on_the_sheet(made_sheet):
    """With settings that differ at the end of a long title, on the axes and in the table of differences, too."""
    _, said, table = made_sheet
    models = tuple(("mission=un_only", f"mission.authorised={week}", *SMALL) for week in (0, 26, 52))
    arms = scene.titles(models)
    rows = table[table.arm == "UN only"]
    figure = sheet.draw(scene.Scene(models, 30), pd.concat([rows.assign(arm=a) for a in arms]), said)
    ticks = [t.get_text().replace("\n", " ") for t in figure.axes[0].get_yticklabels()]
    assert ticks == arms
    cells = [t.get_text().replace("\n", " ") for t in figure.texts]
    assert set(arms[1:]) <= set(cells[cells.index("Three things to notice") - 20 :])
    assert scene.Scene(models, 30).link() in "".join(cells).replace(" ", "")


def test_nobody_is_praised_for_peacekeepers_that_were_not_sent():
    table = _table(civilians_killed={"A": [5.0] * 6, "B": [5.0] * 6})
    table["peacekeepers_killed"] = [0, 0, 0, 0, 0, 0, 30, 31, 32, 33, 34, 35]
    table["cost"] = np.where(table.arm == "A", 0.0, 1e9)
    assert not any("peacekeepers killed" in s for s in sheet.notices(table, 1))
    table["cost"] = 1e9
    assert any("peacekeepers killed" in s for s in sheet.notices(table, 1))


def _table(**columns):
    base = {"excess_deaths": 10.0, "displaced_person_weeks": 5e6, "access": 0.6, "peacekeepers_killed": 0.0,
            "missions_expelled": 0, "weeks_to_agreement": np.nan, "agreement_collapses": 0}  # fmt: skip
    n = len(next(iter(columns.values()))["A"])
    return pd.DataFrame([
        {"arm": arm, "seed": k + 1, **base, **{c: v[arm][k] for c, v in columns.items()}}
        for arm in ("A", "B")
        for k in range(n)
    ])  # fmt: skip


def test_what_there_is_to_notice_follows_from_the_numbers():
    level = [1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0]
    less = {"A": level, "B": [v - 500 - k for k, v in enumerate(level)]}
    said = sheet.notices(_table(civilians_killed=less), 1)
    assert said[0].startswith("B has 502 fewer civilians killed than A on average")
    swapped = sheet.notices(_table(civilians_killed={"A": less["B"], "B": less["A"]}), 1)
    assert swapped[0].startswith("A has 502 fewer civilians killed than B on average")
    few = _table(civilians_killed={arm: values[:5] for arm, values in less.items()})  # too few to be sure of anything
    assert not any("fewer civilians killed than" in s for s in sheet.notices(few, 1, most=9))
    level = level[:4]
    luck = {"A": level, "B": [1200.0, 1700.0, 3300.0, 3700.0]}
    said = " ".join(sheet.notices(_table(civilians_killed=luck), 2))
    assert "4 seeds cannot tell the two apart" in said
    gone = _table(civilians_killed={"A": level, "B": level}).assign(missions_expelled=[0] * 4 + [1] * 4)
    assert any("asks a mission to leave in 4 of 4 seeds" in s for s in sheet.notices(gone, 1))
    misled = {"A": level, "B": [v + d for v, d in zip(level, (-400, 900, 900, 900))]}
    assert sheet.notices(_table(civilians_killed=misled), 1)[0].startswith("The run on the screen (seed 1) misleads")


def test_one_model_has_three_things_to_notice_too(made_sheet):
    _, _, table = made_sheet
    assert len(sheet.notices(table[table.arm == "UN only"], 1)) >= 2


def test_an_animation_shows_the_weeks_to_that_of_the_scene(tmp_path):
    weeks = []
    files, _ = film.render(replace(PAIR, layer="presence"), tmp_path / "one.gif", 10, weeks.append)
    helmet = painter.rgb("#3b8ede")
    with Image.open(files[0]) as picture:
        assert (picture.n_frames, picture.size) == (4, painter.SIZE)
        first = np.asarray(picture.convert("RGB")).astype(int)
        picture.seek(3)
        last = np.asarray(picture.convert("RGB")).astype(int)
    assert (last == helmet).all(axis=2).sum() > 300  # few colours, but those that mean something are kept
    assert (np.abs(last - first).sum(axis=2) > 60).sum() > 500
    assert weeks == [10, 20, 30]
    assert {f.name for f in tmp_path.iterdir()} == {"one.gif"}


@pytest.mark.parametrize(("name", "every", "said"), [
    ("film.avi", 4, "ends in .gif or .mp4"), ("film.gif", 0, r"whole number in \[1, 52\]"),
])  # fmt: skip
def test_a_bad_animation_is_refused_before_work_starts(tmp_path, name, every, said):
    with pytest.raises(ValueError, match=said):
        film.render(PAIR, tmp_path / name, every)
    assert not list(tmp_path.iterdir())


def test_an_mp4_is_made_or_its_absence_explained(tmp_path, monkeypatch):
    if importlib.util.find_spec("imageio_ffmpeg"):
        files, _ = film.render(PAIR, tmp_path / "one.mp4", 15, progress=lambda _: None)
        assert Path(files[0]).read_bytes()[4:8] == b"ftyp"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "imageio-ffmpeg" in film.why_no_mp4()
    with pytest.raises(ValueError, match="imageio-ffmpeg"):
        film.render(PAIR, tmp_path / "two.mp4")


def test_the_page_and_the_animation_draw_the_same_marks():
    script = (server.STATIC / "map.js").read_text(encoding="utf-8")
    shapes = set(re.findall(r"^  (\w+): \[", script, re.MULTILINE))
    assert shapes == set(painter.CORNERS)
    assert {look.HOST[0], *(s for s, _ in look.FACTIONS)} < shapes


def test_the_command_line_makes_what_the_page_makes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = f"http://127.0.0.1:8711/?{PAIR.link()}&layer=trust\n\n" + "\n".join(PAIR.commands()) + "\n"
    Path("classroom_scene.txt").write_text(saved, encoding="utf-8")
    for given in (f"?{PAIR.link()}", "classroom_scene.txt"):
        command.main(["animate", "film.gif", given, "--every", "30"])
        with Image.open("film.gif") as picture:
            assert picture.n_frames == 2
    command.main(["sheet", "mission=none,un_only", *SMALL, "--seeds", "2", "--workers", "1", "--out", "here"])
    assert Path("here/after_action.pdf").is_file()
    assert capsys.readouterr().out.count("\n- ") == 2
    with pytest.raises(SystemExit):
        command.main(["animate", "film.gif", "feel.misinformation=3"])
    assert "must lie in [0, 1] share" in capsys.readouterr().err


# ---------------------------------------------------------------------------------- the server


@pytest.fixture
def room():
    return server.Classroom(2, names=["testserver"])


@pytest.fixture
def client(room):
    with TestClient(server.application(room)) as found:
        yield found


def hear(socket, what):
    """Return the next message of a kind."""
    for _ in range(400):
        message = socket.receive_json()
        if message["is"] == "frame":
            socket.send_json({"do": "drawn"})
        if message["is"] == what:
            return message
    raise AssertionError(f"no {what}")


def begin(socket, given=PAIR):
    hear(socket, "welcome")
    socket.send_json({"do": "scene", "link": given.link()})
    return hear(socket, "scene"), hear(socket, "history"), hear(socket, "frame")


def test_the_page_may_fetch_from_this_server_alone(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in sorted(server.STATIC.iterdir()):
        assert client.get(f"/static/{path.name}").status_code == 200
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z0-9]+\.", text.replace("// ", "")), path.name
    assert client.get("/static/../server.py").status_code == 404


def test_what_the_page_says_of_itself(client):
    with client.websocket_connect("/visit") as socket:
        welcome = hear(socket, "welcome")
    assert "not a forecast" in welcome["about"]
    assert welcome["about"].count(". ") == 0  # one sentence
    assert welcome["cards"][0]["title"]


def test_a_visitor_plays_pauses_jumps_and_looks(client):
    with client.websocket_connect("/visit") as socket:
        about, history, frame = begin(socket)
        assert (about["week"], history["week"], frame["week"]) == (30, 30, 30)
        assert len(history["actors"][0]["series"]["killed"]) == 30
        socket.send_json({"do": "speed", "speed": 25})
        socket.send_json({"do": "play"})
        assert [hear(socket, "frame")["week"] for _ in range(3)] == [31, 32, 33]
        socket.send_json({"do": "pause"})
        socket.send_json({"do": "go", "week": 5})
        assert hear(socket, "history")["week"] == 5
        assert hear(socket, "frame")["date"] == "2012-02-05"
        socket.send_json({"do": "layer", "layer": "trust"})
        assert hear(socket, "frame")["layer"] == "trust"
        socket.send_json({"do": "describe", "model": 1, "kind": "somebody", "index": 340, "status": 0, "nth": 0})
        assert hear(socket, "described")["title"] == "Civilians"
        socket.send_json({"do": "tables"})
        table = hear(socket, "tables")["files"]["weekly"]
        assert table.count("\n") == 11  # a heading and five weeks of two models


def test_the_last_week_ends_the_play(client):
    with client.websocket_connect("/visit") as socket:
        begin(socket, scene.Scene((("mission=none", "civilians=50", "weeks=54"),), 52))
        socket.send_json({"do": "speed", "speed": 25})
        socket.send_json({"do": "play"})
        weeks = [hear(socket, "frame")["week"] for _ in range(2)]
        assert weeks == [53, 54]
        assert hear(socket, "state")["playing"] is False


def test_a_setting_changes_the_scene_and_a_bad_one_does_not(client):
    with client.websocket_connect("/visit") as socket:
        begin(socket)
        socket.send_json({"do": "set", "key": "feel.misinformation", "value": "1.5", "models": [0, 1]})
        wrong = hear(socket, "wrong")
        assert wrong["key"] == "feel.misinformation"
        assert wrong["text"] == "feel.misinformation is 1.5; it must lie in [0, 1] share"
        socket.send_json({"do": "set", "key": "mission.authorised", "value": "20", "models": [1]})
        about = hear(socket, "scene")
        assert "mission.authorised=20" in about["models"][1]
        assert "mission.authorised=20" not in about["models"][0]
        assert hear(socket, "frame")["week"] == 30
        socket.send_json({"do": "add"})
        assert len(hear(socket, "scene")["models"]) == 3
        socket.send_json({"do": "remove", "model": 0})
        assert len(hear(socket, "scene")["models"]) == 2


def test_a_setting_on_the_way_to_a_week_does_not_lose_the_week(client):
    with client.websocket_connect("/visit") as socket:
        begin(socket)
        socket.send_json({"do": "set", "key": "seed", "value": "7", "models": [0, 1]})
        socket.send_json({"do": "set", "key": "judge.conflation", "value": "0.9", "models": [0, 1]})
        for _ in range(2):
            hear(socket, "scene")
        assert hear(socket, "frame")["week"] == 30


def test_what_the_server_does_not_understand_does_not_break_it(client):
    with client.websocket_connect("/visit") as socket:
        hear(socket, "welcome")
        for bad in ({"do": "play"}, {"do": "fly"}, [1], {"do": 3}, {}):
            socket.send_json(bad)
            assert hear(socket, "wrong")["text"]
        socket.send_json({"do": "scene", "link": PAIR.link()})
        hear(socket, "frame")
        for bad in ({"do": "go", "week": "x"}, {"do": "go", "week": 999}, {"do": "describe"}, {"do": "set", "key": "x"},
                    {"do": "speed", "speed": 9}, {"do": "layer", "layer": "x"}, {"do": "take", "what": "x"},
                    {"do": "take", "what": "sheet", "seeds": 10_000}, {"do": "_set"},
                    {"do": "remove", "model": 9}):  # fmt: skip
            socket.send_json(bad)
            if bad.get("do") != "remove":
                assert hear(socket, "wrong")["text"], bad
        socket.send_json({"do": "layer", "layer": "need"})
        assert hear(socket, "frame")["layer"] == "need"


def test_two_visitors_do_not_disturb_each_other(client):
    with client.websocket_connect("/visit") as one, client.websocket_connect("/visit") as two:
        begin(one)
        begin(two, scene.Scene((("mission=parallel", *SMALL),), 10))
        one.send_json({"do": "go", "week": 3})
        assert hear(one, "frame")["week"] == 3
        two.send_json({"do": "layer", "layer": "need"})
        assert hear(two, "frame")["week"] == 10
        assert client.get("/health").json() == {"visitors": 2, "most": 2}


def test_a_full_classroom_says_so(client):
    with client.websocket_connect("/visit") as one, client.websocket_connect("/visit") as two:
        hear(one, "welcome")
        hear(two, "welcome")
        with client.websocket_connect("/visit") as three:
            assert "full: 2 visitors" in three.receive_json()["text"]
            with pytest.raises(WebSocketDisconnect):
                three.receive_json()


@each_card
def test_a_link_shows_the_same_frame_in_every_layer(card):
    small = tuple((*(o for o in m if not o.startswith("weeks=")), "civilians=200", "weeks=60") for m in card)
    shown = at(scene.Scene(small, 6))
    for layer in layers.LAYERS:
        shown.layer = layer
        again = at(scene.from_link(shown.about()["link"]))
        assert again.frame() == shown.frame()
        assert again.frame()["layer"] == layer
        assert again.about() == shown.about()


def test_a_page_sends_its_whole_state_in_one_message(client):
    """The page waits for the welcome, then asks once: layer, week and speed come with the scene, not before it."""
    with client.websocket_connect("/visit") as page:
        hear(page, "welcome")
        page.send_json({"do": "scene", "link": replace(PAIR, layer="trust").link(), "speed": 10})
        assert hear(page, "scene")["layer"] == "trust"
        assert hear(page, "state")["speed"] == 10
        frame = hear(page, "frame")
        assert (frame["layer"], frame["week"]) == ("trust", 30)
        page.send_json({"do": "scene", "link": replace(PAIR, layer="x").link()})
        assert "layer is 'x'; choose among" in hear(page, "wrong")["text"]


# ---------------------------------------------------------------------------------- who may come in, and what it costs


@pytest.mark.parametrize(("host", "known"), [
    ("127.0.0.1:8711", True), ("192.168.1.20:8711", True), ("[::1]:8711", True), ("[fe80::1]", True),
    ("localhost", True), (socket.gethostname(), True), ("LAB.example.:80", True), ("elsewhere.example:8711", False),
    ("", False),
    ("127.0.0.1.elsewhere.example", False), ("localhost.elsewhere.example:8711", False), ("a:b:c", False),
])  # fmt: skip
def test_only_names_of_this_machine_are_answered(host, known):
    assert door.known_host(host, ["lab.example"]) is known


def test_a_page_from_elsewhere_is_not_let_in(client):
    for headers in (
        {"origin": "http://elsewhere"},
        {"host": "elsewhere.example", "origin": "http://elsewhere.example"},
    ):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/visit", headers=headers):
            pass
    got = client.get("/", headers={"host": "elsewhere.example"})
    assert got.status_code == 421
    assert "--name elsewhere.example" in got.text


def test_what_is_served_to_a_room_is_printed_as_the_room_can_type_it():
    assert door.addresses("127.0.0.1") == ["127.0.0.1"]
    assert door.addresses("::1") == ["[::1]"]
    for host in door.ANY:
        assert not set(door.addresses(host)) & {"0.0.0.0", "[::]"}
        assert all(door.known_host(a) for a in door.addresses(host))


@pytest.mark.parametrize(("settings", "said"), [
    (["country.cell_km=1"], "lower task.patrol_km and move.place_km, or raise country.cell_km"),
    (["country.cell_km=2", "country.rows=100", "country.cols=100", "weeks=52"], "lower task.patrol_km"),
    (["task.patrol_km=500", "country.cell_km=5"], "GB of it for lists of near cells, and may need at most 80 MB"),
    (["move.place_km=500", "country.cell_km=5"], "lower task.patrol_km and move.place_km"),
    (["country.rows=2000", "country.cols=2000"], "GB of memory"),
    (["country.rows=100", "country.cols=100", "weeks=1560"], "for monthly maps"),
    (["country.rows=1", "country.cols=2", "country.cell_km=1", "task.patrol_km=350"], "lists of near cells"),
    (["country.factions.rebels.bands=2000", "country.factions.militia.bands=2000"], "armed bands; there may"),
    (["civilians=20001"], "at most 20000"), (["weeks=1561"], "at most 1560"),
    (["judge.conflation=nan"], "must lie in"), (["judge.conflation=inf"], "must lie in"),
    (["mission.budget=1e999"], "must lie in"), (["judge.conflation=" + "9" * 5000], "characters"),
])  # fmt: skip
def test_what_would_cost_too_much_is_refused_before_it_is_built(settings, said):
    begin_at = time.monotonic()
    with pytest.raises(server.WRONG) as error:
        scene.checked(scene.Scene((("mission=un_only", *settings),)))
    assert said in explain(error.value)
    assert time.monotonic() - begin_at < 5


NASTY = [
    "",
    "[" * 8_000,
    "null",
    "NaN",
    "1e999",
    '"gone"',
    "{",
    '{"do": NaN}',
    '{"do": "go", "week": Infinity}',
    '{"do": "set", "key": 1e999, "value": 1, "models": [0]}',
    '{"do": "set", "key": "seed", "value": 1, "models": ' + "[" * 900 + "]" * 900 + "}",
    '{"do": "set", "key": {"a": 1}, "value": 1, "models": [0]}',
    "\x00",
    "\ud800".encode(errors="replace").decode(),
]


def test_nothing_that_a_page_can_send_breaks_its_socket(client):
    """Each of 600 messages is answered in a sentence or done; after them the page still plays."""
    luck = random.Random(3)
    verbs = [n.removeprefix("_do_") for n in dir(server.Visitor) if n.startswith("_do_") and n not in ("_do_take",)]
    odd = [
        None,
        True,
        -1,
        0,
        2,
        10**400,
        1e308,
        "x" * 300,
        "",
        [],
        [[]],
        {},
        {"a": 1},
        "mission",
        [0, 1],
        ["a", 5],
        "cell",
        "need",
        25,
    ]
    keys = ["week", "models", "model", "key", "value", "layer", "speed", "kind", "index", "status", "nth", "link"]
    with client.websocket_connect("/visit") as page:
        begin(page)
        for text in NASTY:
            page.send_text(text)
            assert hear(page, "wrong")["text"], text
        page.send_bytes(b"\xff\x00")
        assert hear(page, "wrong")["text"]
        for _ in range(600):
            message = {k: luck.choice(odd) for k in luck.sample(keys, luck.randrange(len(keys)))}
            page.send_json({**message, "do": luck.choice(verbs)})
        page.send_json({"do": "scene", "link": PAIR.link()})
        page.send_json({"do": "pause"})
        for _ in range(4_000):
            said = page.receive_json()
            assert said["is"] != "wrong" or 0 < len(said["text"]) < 1_000
            if said["is"] == "frame":
                page.send_json({"do": "drawn"})
            if said["is"] == "history" and said["week"] == 30:
                break
        page.send_json({"do": "go", "week": 31})
        assert hear(page, "frame")["week"] in (30, 31)


def test_who_asks_for_no_scene_is_let_go_and_who_is_idle_makes_room(client, room, monkeypatch):
    monkeypatch.setattr(door, "SILENT", 0.2)
    with client.websocket_connect("/visit") as silent:
        hear(silent, "welcome")
        assert "no scene" in hear(silent, "full")["text"]
    with client.websocket_connect("/visit") as strange:
        strange.send_json({"do": "scene", "link": "a=seed%3D1&b=seed%3D5"})
        assert "side by side need the same seed" in hear(strange, "wrong")["text"]
        assert "cannot be shown: seed is 1 and 5;" in hear(strange, "full")["text"]
    monkeypatch.undo()
    with client.websocket_connect("/visit") as one, client.websocket_connect("/visit") as two:
        begin(one)
        begin(two)
        for visitor in room.here:
            visitor.heard -= door.IDLE + 1
        with client.websocket_connect("/visit") as three:
            begin(three)
            assert len(room.here) == 2


def test_memory_of_scenes_that_are_gone_is_given_back_now_and_then(client, room, monkeypatch):
    given = []
    monkeypatch.setattr(server, "give_back", lambda: given.append(1))
    with client.websocket_connect("/visit") as page:
        begin(page)
        for so_far in (1, 2):
            for _ in range(2):
                page.send_json({"do": "scene", "link": PAIR.link()})
                hear(page, "frame")
            assert len(given) == so_far
            room.given_back -= server.NOW_AND_THEN + 1


def test_one_address_cannot_take_all_places():
    room = server.Classroom(20, names=["testserver"])
    with TestClient(server.application(room)) as found, ExitStack() as pages:
        for _ in range(10):
            pages.enter_context(found.websocket_connect("/visit"))
        with found.websocket_connect("/visit") as more:
            assert "10 pages of the classroom are open at testclient already" in more.receive_json()["text"]


@contextmanager
def served(room, visitors=20):
    """Serve a room as the command does; yields the server."""
    import uvicorn

    serving = uvicorn.Server(
        uvicorn.Config(server.application(room), port=0, log_level="warning", **door.limits(visitors))
    )
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    while not serving.started:
        time.sleep(0.02)
    try:
        yield serving
    finally:
        serving.should_exit = True
        thread.join(20)


def port_of(serving):
    return serving.servers[0].sockets[0].getsockname()[1]


def test_a_request_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(door, "LATE", 0.5)
    with served(server.Classroom()) as serving:
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /he",
                     b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999\r\n\r\nx"):  # fmt: skip
            with (
                socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10) as half,
                suppress(ConnectionError),
            ):
                half.sendall(sent)
                while half.recv(4096):  # until the server hangs up
                    pass


def test_an_answer_that_nobody_takes_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(door, "SLOW", 0.5)
    room, large = server.Classroom(), tmp_path / "large.bin"
    large.write_bytes(bytes(50_000_000))  # more than lies on the way
    with served(room) as serving, socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10) as one:
        made = room.jobs.all["k"] = takeaway.Making("k", "gif", tmp_path)
        made.files, made.over = [large], True
        one.sendall(b"GET /take/k/large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert one.recv(15) == b"HTTP/1.1 200 OK"
        for _ in range(500):
            if not serving.server_state.connections:
                break
            time.sleep(0.02)
        assert not serving.server_state.connections


def test_one_address_cannot_take_all_connections():
    most = int(door.SHARE * door.limits(4)["limit_concurrency"])
    with served(server.Classroom(), 4) as serving, ExitStack() as held:

        def reaches():
            one = held.enter_context(socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10))
            with suppress(ConnectionError):
                one.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                return one.recv(15) == b"HTTP/1.1 200 OK"
            return False

        for _ in range(most - 1):
            held.enter_context(socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10))
        assert reaches()
        assert not reaches()


def slow_to_build(monkeypatch):
    """Have scenes with seed=99 wait to be built until an event is set; return it."""
    let, of = threading.Event(), server.Stage

    def built(scene, before):
        if "seed=99" in scene.models[0]:
            let.wait(60)
        return of(scene, before)

    monkeypatch.setattr(server, "Stage", built)
    return let


def test_nobody_waits_for_the_scenes_of_others(monkeypatch):
    let = slow_to_build(monkeypatch)
    with TestClient(server.application(server.Classroom(20, names=["testserver"]))) as found, ExitStack() as pages:
        mine = pages.enter_context(found.websocket_connect("/visit"))
        begin(mine)
        for _ in range(4):
            page = pages.enter_context(found.websocket_connect("/visit"))
            hear(page, "welcome")
            page.send_json({"do": "scene", "models": [["seed=99", *SMALL]]})
        mine.send_json({"do": "layer", "layer": "need"})
        assert hear(mine, "frame")["layer"] == "need"
        assert not let.is_set()
        let.set()


def test_who_closes_his_page_leaves_his_place_at_once(monkeypatch):
    let, room = slow_to_build(monkeypatch), server.Classroom()
    with served(room) as serving:
        page = Page(port_of(serving))
        page.hear_a("welcome")
        page.ask("scene", models=[["seed=99", *SMALL]])
        page.close()
        for _ in range(500):
            if not room.here:
                break
            time.sleep(0.02)
        assert not room.here
        assert not let.is_set()
        let.set()


def test_hostile_visitors_disturb_nobody(caplog):
    """A small part of `python -m tests.proof messages`."""
    with served(server.Classroom(20)) as serving:
        count, wrong, _ = messages.attack(port_of(serving), 150, idle=9, at_once=2)
    assert not wrong
    assert count["sent"] > 50 < count["wrong"]
    # The visitors' own library is in this process too, and stumbles over a line that it cut itself.
    assert not [record for record in caplog.records if record.exc_info and record.name != "websockets.client"]


def test_people_can_play():
    """A small part of `python -m tests.proof page`."""
    with served(server.Classroom(20)) as serving:
        count, wrong = lessons.lesson(port_of(serving), 300, 2, pauses=(0, 0.1), things=6)
    assert not wrong
    assert count["things done"] == 12
    assert count["frames"] > 1


def test_a_visitor_takes_an_animation_and_a_sheet_away(client):
    with client.websocket_connect("/visit") as socket:
        begin(socket)
        socket.send_json({"do": "take", "what": "gif", "every": 10})
        made = hear(socket, "made")
        got = client.get("/" + made["files"][0]["href"])
        assert got.content[:6] == b"GIF89a"
        socket.send_json({"do": "take", "what": "sheet", "seeds": 5})
        socket.send_json({"do": "take", "what": "sheet", "seeds": 5})
        assert "already" in hear(socket, "wrong")["text"]
        socket.send_json({"do": "cancel"})
        assert hear(socket, "made")["error"] == "cancelled"
    assert client.get("/take/guess/after_action.pdf").status_code == 404
    assert client.get(f"/take/{made['files'][0]['href'].split('/')[1]}/progress").status_code == 404


def test_a_job_that_fails_tells_why(tmp_path, monkeypatch):
    jobs = takeaway.Jobs()
    jobs.open(tmp_path)
    monkeypatch.setattr(takeaway.sheet, "plan", lambda *_: 1 / 0)
    job = jobs.start("sheet", PAIR, seeds=5)
    for _ in range(100):
        if job.over:
            break
        time.sleep(0.02)
    assert "division" in job.error
    jobs.close()


# ---------------------------------------------------------------------------------- lessons

DOCS = CONF.parent / "docs" / "lessons"


def test_there_are_four_lessons_and_what_they_set_can_be_set():
    sheets = sorted(DOCS.glob("[1-4]_*.md"))
    assert len(sheets) == 4
    for path in sheets:
        text = path.read_text(encoding="utf-8")
        headings = ("Objective", "45 minutes", "What to set", "What to look for", "Questions", "What the simulation")
        for heading in headings:
            assert f"## {heading}" in text, (path.name, heading)
        assert len(text.split()) < 1300, path.name  # two pages
        links = re.findall(r"`(\?[abc]=\S+)`", text)
        assert links, path.name
        for link in links:
            scene.checked(scene.from_link(link))
        for card in re.findall(r"[Cc]ard \*\*(.+?)\*\*", text):
            assert card in {c["title"] for c in scene.cards()}, card


def test_the_files_of_the_classroom_are_data_that_can_be_read():
    for path in (CONF / "classroom").glob("*.yaml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_cards_of_the_usual_country_open_on_a_seed_that_is_like_most_others():
    """The medoid of the main job's seeds, the same on every card."""
    seeds = pd.read_csv(CONF.parent / "results" / "mission_models" / "seeds.csv").set_index("seed").unlike
    usual = [m for card in scene.cards() for m in card["models"] if not any(o.startswith("country=") for o in m)]
    assert len(usual) > 10
    assert {o for m in usual for o in m if o.startswith("seed=")} == {f"seed={seeds.idxmin()}"}
    assert all(any(o.startswith("seed=") for o in m) for m in usual)


# ------------------------------------------------------------------------------ calibrated countries


def test_a_calibrated_country_runs_as_its_own_command_says(tmp_path):
    model = ("country=car", "calibration=car", "mission=none", "seed=7", "civilians=300", "weeks=30", "prey.tail=2.5")
    (one,) = stage.Stage(scene.Scene((model,), 30)).actors
    assert one.params == load(*model)  # as `python -m sim` draws it: row 7, but what is set stays
    assert one.params.prey.tail == 2.5
    assert one.params.prey.rate != load(*(o for o in model if "calibration" not in o)).prey.rate
    jobs = sheet.plan(scene.Scene((model, (*model[:2], "mission=un_only", *model[3:]))), 3, tmp_path)
    rates = [job.resolved().prey.rate for job in jobs]
    assert rates[:3] == rates[3:]  # arms stay paired
    assert len(set(rates)) == 3  # a row for each seed
    assert one.params.prey.rate == rates[0]
    with pytest.raises(ValueError, match=r"calibration is 'cra'.*did you mean car"):
        scene.allowed((*model[:1], "calibration=cra"))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("mission.components.un.arrive.weeks", "104", "UN comes later by 104 weeks"),
        ("mission.components.regional.leave.weeks", "-26", "Regional leaves earlier by 26 weeks"),
        ("mission.components.minusma.force.needs_consent", "true", "MINUSMA needs consent yes"),
    ],
)
def test_settings_in_words(key, value, said):
    assert scene.control_words(key, value) == said
