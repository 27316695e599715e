"""The classroom in a real browser: headless Chromium, driven by Playwright, and nothing leaves the machine."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from conftest import CONF

pytest.importorskip("starlette", reason="the classroom's server is not installed: pip install -e '.[test]'")
pytest.importorskip("playwright", reason="Playwright is not installed: pip install -e '.[test]'")
import uvicorn
from playwright.sync_api import expect, sync_playwright

from experiments.classroom import server
from sim import PeaceModel, load, outcomes
from sim.warm import warm_up

pytestmark = [
    pytest.mark.xdist_group("browser"),  # one browser and one server for all
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the libraries that serve and drive
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SMALL = ["civilians=400", "weeks=104"]
SIZES = [(1920, 1080), (1366, 768), (1280, 720), (1024, 768), (768, 1024), (390, 844)]
CARDS = server.scenes.cards()
each_card = pytest.mark.parametrize("card", range(len(CARDS)), ids=lambda k: CARDS[k]["title"].replace(" ", "_"))
WAIT = 30_000  # ms: a busy machine is slow, and whatever the server answers may wait for a run
expect.set_options(timeout=WAIT)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
called = []  # addresses that this process connected to


def _note(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        called.append(arguments[1][0])


sys.addaudithook(_note)


def query(*models, week=0):
    """Return the query of a scene of small models."""
    return "?" + server.scenes.Scene(tuple((*m.split(), *SMALL) for m in models), week).link()


def of_card(card, week=0, small=(), layer="violence"):
    """Return the query of a card."""
    models = tuple(
        (*(str(o) for o in m if not (small and o.startswith("weeks="))), *small) for m in CARDS[card]["models"]
    )
    return "?" + server.scenes.Scene(models, week, layer).link()


@pytest.fixture(scope="module")
def site():
    warm_up()  # or the first visitor waits until all rules are compiled
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # the browser keeps its sockets open; a second is enough for them
    config = uvicorn.Config(server.application(), port=port, log_level="error", timeout_graceful_shutdown=1)
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    for _ in range(400):
        if serving.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/"
    serving.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser():
    path = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    with sync_playwright() as p:
        if path is None and not os.path.exists(p.chromium.executable_path):
            pytest.skip("no Chromium here: apt-get install chromium, or python -m playwright install chromium")
        found = p.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(browser, site):
    """Return a function that opens the page as a visitor of his own.

    Afterwards nothing may have gone wrong or out, and no error may have been shown that the test has not `expected`.
    """
    asked, wrong, shown, contexts = [], [], [], []

    def opened(query="", size=(1280, 720)):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.expose_function("errorShown", lambda text: shown.append(text))
        page.add_init_script(path=Path(__file__).parent / "page_probe.js")
        page.on("request", lambda r: asked.append(r.url))
        page.on("websocket", lambda w: asked.append(w.url))
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(site + query)
        expect(page.locator("#when")).to_contain_text("Week")
        return page

    opened.asked, opened.wrong, opened.shown, opened.expected = asked, wrong, shown, ()
    yield opened
    for context in contexts:
        context.close()
    assert not wrong
    assert [text for text in shown if not any(e in text for e in opened.expected)] == []
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("blob:", "data:"))}
    assert hosts <= {"127.0.0.1"}


def week(page):
    """Return the week on the screen."""
    return int(re.search(r"Week (\d+)", page.inner_text("#when")).group(1))


def number(page, letter, name):
    """Return a headline number of a model."""
    return page.inner_text(f"[data-model={letter}] [data-number={name}]")


def picture(page, letter="A"):
    return page.locator(f"[data-model={letter}] .map canvas").screenshot()


def test_it_starts_with_a_fictional_country_and_says_what_it_is(visit):
    page = visit()
    expect(page).to_have_title(re.compile("Veltara"))
    expect(page.locator("#about")).to_contain_text("not a forecast")
    expect(page.locator(".card")).to_have_count(len(server.scenes.cards()))
    assert page.locator(".model").count() == 2


def test_it_plays_pauses_steps_and_the_map_and_the_numbers_change(visit):
    page = visit(query("mission=none"))
    before = picture(page)
    assert number(page, "A", "killed") == "0"
    page.click("#faster")
    page.click("#play")
    expect(page.locator("[data-number=killed]")).not_to_have_text("0")
    page.keyboard.press("Space")  # the button has the focus: a space presses it
    expect(page.locator("#play")).to_contain_text("Play")
    page.wait_for_timeout(300)
    now = week(page)
    assert now > 1
    assert picture(page) != before
    page.click("#step")
    expect(page.locator("#when")).to_contain_text(f"Week {now + 1}")
    page.click("#first")
    expect(page.locator("#when")).to_contain_text("Week 0")
    assert number(page, "A", "killed") == "0"
    page.fill("#week", "60")
    page.press("#week", "Enter")
    expect(page.locator("#when")).to_contain_text("Week 60")


def test_the_numbers_are_those_of_the_same_run_elsewhere(visit):
    page = visit(query("mission=un_only mission.authorised=0 seed=4", week=40))
    model = PeaceModel(load("mission=un_only", "mission.authorised=0", "seed=4", *SMALL))
    while model.week < 40:
        model.step()
    table = outcomes.weekly(model)
    assert number(page, "A", "killed") == f"{table.civilians_killed.sum():,.0f}"
    assert number(page, "A", "displaced") == f"{table.idps.iloc[-1] + table.refugees.iloc[-1]:,.0f}"
    page.click("#tab-take")
    expect(page.locator("#commands")).to_have_value(
        "python -m sim mission=un_only mission.authorised=0 seed=4 civilians=400 weeks=104"
    )


def test_a_slider_changes_the_run_and_a_bad_number_says_so(visit):
    page = visit(query("mission=un_only mission.authorised=0", week=52))
    before = number(page, "A", "killed")
    page.click("#tab-settings")
    page.locator("summary", has_text="Delay and hand-over").click()
    control = page.locator('.control[data-key="mission.authorised"]')
    expect(control).to_contain_text("week in which the missions are authorised", ignore_case=True)
    slider = control.locator("input[type=range]")
    slider.focus()
    slider.press("End")  # authorised in week 260: nobody comes
    expect(page.locator("[data-number=cost]")).to_have_text("$0.00 bn")
    assert week(page) == 52
    assert number(page, "A", "killed") != before
    visit.expected = ["it must lie in"]
    control.locator("input[type=number]").fill("-4")
    control.locator("input[type=number]").press("Enter")
    expect(control.locator("[role=alert]")).to_contain_text("it must lie in [0, 5200] week")
    expect(control.locator("input[type=number]")).to_have_value("260")


def test_an_event_befalls_a_run_under_way_and_a_mandate_grows(visit):
    page = visit(query("mission=un_only mission.authorised=0", "mission=none", week=40))
    page.click("#tab-settings")
    page.locator("summary", has_text="What happens").click()
    events = page.locator('.control[data-key="events"]')
    events.get_by_label("coup", exact=True).check()
    expect(events.get_by_label("Week of coup")).to_have_value("40")
    expect(page.locator(".common")).to_contain_text("coup in week 40")
    page.click("#step")
    expect(page.locator("#when")).to_contain_text("Week 41")
    page.click("#tab-log")
    expect(page.locator("#entries")).to_contain_text("Coup: officers seize power")
    page.click("#tab-settings")
    tree = page.locator('.control[data-key="bundles.un"]')
    tree.get_by_label("ddr", exact=True).check()
    expect(page.locator("[data-model=A] .set")).to_contain_text("UN also ddr")
    expect(tree.locator(".now")).to_contain_text("1 cluster; it takes time from the rest")
    link = page.url
    page.reload()
    expect(page.locator("[data-model=A] .set")).to_contain_text("UN also ddr")
    assert page.url == link
    page.click("#tab-settings")
    page.locator("summary", has_text="What happens").click()
    visit.expected = ["must be a whole number"]
    week = page.get_by_label("Week of coup")
    week.fill("5000")
    week.press("Enter")
    expect(events.locator("[role=alert]")).to_contain_text("in [0, 103]")
    events.get_by_label("coup", exact=True).uncheck()
    expect(page.locator(".common")).to_have_count(0)


def test_two_models_are_compared_with_the_same_luck(visit):
    page = visit(query("mission=none", "mission=parallel", week=20))
    assert number(page, "A", "killed") == number(page, "B", "killed")
    assert picture(page, "A") == picture(page, "B")
    page.fill("#week", "90")
    page.press("#week", "Enter")
    expect(page.locator("#when")).to_contain_text("Week 90")
    assert number(page, "A", "killed") != number(page, "B", "killed")
    page.click("#add")
    expect(page.locator(".model")).to_have_count(3)
    expect(page.locator("#when")).to_contain_text("Week 90")
    page.locator("[data-model=C] select").select_option("separated")
    expect(page.locator("[data-model=C] .about")).to_contain_text("Orange")
    page.click("#tab-log")
    expect(page.locator("#entries")).to_contain_text("The UN mission arrives")
    page.locator("[data-model=A] .remove").click()
    expect(page.locator(".model")).to_have_count(2)


def test_a_click_tells_who_is_there(visit):
    page = visit("?" + server.scenes.Scene((("mission=un_only", "mission.authorised=0", "weeks=104"),), 60).link())
    canvas = page.locator("[data-model=A] .map canvas")
    canvas.focus()
    seen = set()
    for _ in range(6):  # by the keyboard: the cell, then everybody in it
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".said li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".said")).to_have_count(0)
    box = canvas.bounding_box()
    for row in range(4, 37, 4):  # by the mouse, across the country
        for x in (0.35, 0.42, 0.5, 0.58, 0.65):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + box["height"] * row / 40)
            expect(page.locator(".said h3")).to_be_visible()
            seen.add(page.inner_text(".said h3").split(" of ")[0])
            page.keyboard.press("Escape")
        if {"A band", "A contingent", "Civilians"} <= seen and len(seen) > 4:
            break
    assert {"A band", "A contingent", "Civilians"} <= seen
    assert any(s.startswith(("Near", "In")) or " km " in s for s in seen)  # a place


def test_it_survives_a_reload(visit):
    page = visit(query("mission=none", "mission=un_only", week=33))
    page.keyboard.press("2")
    expect(page.locator("#layer")).to_have_value("presence")
    page.click("#step")
    expect(page.locator("#when")).to_contain_text("Week 34")
    before = number(page, "B", "displaced")
    page.reload()
    expect(page.locator("#when")).to_contain_text("Week 34")
    assert number(page, "B", "displaced") == before
    assert page.locator("[data-model=B] select").input_value() == "un_only"
    expect(page.locator("#layer")).to_have_value("presence")


def test_two_visitors_do_not_disturb_each_other(visit):
    one, two = visit(query("mission=none", week=10)), visit(query("mission=parallel", week=30))
    one.click("#play")
    expect(one.locator("#when")).to_contain_text("Week 12")
    one.click("#play")
    assert week(two) == 30
    two.locator("[data-model=A] select").select_option("separated")
    expect(two.locator("[data-model=A] .about")).to_contain_text("Political")
    assert one.locator("[data-model=A] select").input_value() == "none"


def test_it_exports_the_numbers_and_an_animation(visit, tmp_path):
    page = visit(query("mission=none", "mission=un_only", week=12))
    page.click("#tab-take")
    with page.expect_download() as waiting:
        page.click("#csv-weekly")
    waiting.value.save_as(tmp_path / "weekly.csv")
    table = pd.read_csv(tmp_path / "weekly.csv")
    assert table.groupby("model").size().to_dict() == {"No mission": 12, "UN only": 12}
    page.click("#make-gif")
    with page.expect_download() as waiting:
        page.locator("#made a").click()
    waiting.value.save_as(tmp_path / "film.gif")
    assert (tmp_path / "film.gif").read_bytes()[:6] == b"GIF89a"
    assert page.input_value("#link") == page.url


def test_it_is_played_by_the_keyboard_alone(visit):
    page = visit(query("mission=none"))
    page.keyboard.press("Space")
    expect(page.locator("#when")).not_to_contain_text("Week 0 ")
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_contain_text("Play")
    page.keyboard.press("Home")
    expect(page.locator("#when")).to_contain_text("Week 0 ")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#when")).to_contain_text("Week 1 ")
    expect(page.locator("#side")).to_be_hidden()  # Play turns the projector mode on
    page.keyboard.press("f")
    expect(page.locator("#side")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def overlaps(texts):
    """Return the pairs of texts that lie over one another by more than two pixels."""
    return [
        (a["text"], b["text"])
        for i, a in enumerate(texts)
        for b in texts[i + 1 :]
        if a["owner"] != b["owner"] and a["layer"] == b["layer"]
        and min(a["right"], b["right"]) - max(a["left"], b["left"]) > 2
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 2
    ]  # fmt: skip


@each_card
def test_every_card_can_be_read_in_every_window(visit, card):
    readable(visit(of_card(card, week=150), SIZES[0]))


@pytest.mark.parametrize(
    "models",
    [
        ("mission=un_only events=[coup,cut,drought,epidemic,rumour]",),
        ("mission=none", "mission=parallel events=[atrocity,host_letter] judge.conflation=0.9 feel.misinformation=0.4"),
        ("mission=none events=border_opened", "mission=hybrid events=contingent_goes_home",
         "mission=separated_swapped events=[ceasefire] mission.council_unity=0.2 judge.contestation=0.9"),
    ],
    ids=lambda models: f"{len(models)}_models",
)  # fmt: skip
def test_what_befalls_a_run_and_what_was_set_can_be_read_in_every_window(visit, models):
    readable(visit(query(*models, week=100), SIZES[0]))


def readable(page):
    """No text over text, no map too small, no scrolling sideways: in all sizes, with the panel, without, projected."""
    faults = []
    for size in SIZES:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for mode in ("", "wide") if size[0] <= 900 else ("", "wide", "projector"):
            page.evaluate("mode => document.body.className = mode", mode)
            page.evaluate("probe.drawn()")
            texts = page.evaluate("probe.texts()")
            assert len(texts) > 40
            faults += [(size, mode, "over", *pair) for pair in overlaps(texts)]
            faults += [(size, mode, "map", round(px)) for px in page.evaluate("probe.maps()") if px < 190]
            faults += [(size, mode, "sideways", px) for px in [page.evaluate("probe.sideways()")] if px > 0]
            if mode == "projector":
                faults += [(size, mode, "small", t["text"], t["size"]) for t in texts if t["size"] < 18]
    assert not faults, "\n".join(map(str, faults))


@each_card
def test_every_link_opens_the_same_picture(visit, card):
    """Each card with one of the layers; test_classroom.py has all cards with all layers, without a browser."""
    page = visit(of_card(card, week=7, small=("civilians=300", "weeks=60")))
    layer = list(server.LAYERS)[card % len(server.LAYERS)]
    page.keyboard.press(str(card % len(server.LAYERS) + 1))
    expect(page.locator("#maps")).to_have_attribute("data-shows", f"{layer} 7")
    page.evaluate("probe.drawn()")
    page.click("#tab-take")
    again = visit("?" + urlsplit(page.input_value("#link")).query)
    assert again.get_attribute("#maps", "data-shows") == f"{layer} 7"
    assert again.input_value("#layer") == layer
    again.evaluate("probe.drawn()")
    assert again.evaluate("probe.pictures()") == page.evaluate("probe.pictures()")


def test_the_projector_shows_differences_and_the_towns(visit):
    page = visit(query("mission=none", "mission=un_only mission.authorised=0", week=90))
    plain = {x: int(number(page, x, "killed").replace(",", "")) for x in "AB"}
    before = page.evaluate("probe.maps()")
    page.click("#play")
    expect(page.locator("#side")).to_be_hidden()
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_contain_text("Play")
    page.evaluate("week => { jump.value = week; jump.dispatchEvent(new Event('change')) }", 90)
    expect(page.locator("#when")).to_contain_text("Week 90 ")
    page.evaluate("probe.drawn()")
    said = number(page, "B", "killed").replace("−", "-").replace(",", "")
    assert int(number(page, "A", "killed").replace(",", "")) == plain["A"]
    assert int(said.replace("±", "")) == plain["B"] - plain["A"]
    assert all(b > a for a, b in zip(before, page.evaluate("probe.maps()")))
    written = page.evaluate("probe.written('.map canvas')")
    towns = server.scenes.about("country", "veltara")["places"]
    capital = next(n for n, t in towns.items() if t.get("capital"))
    assert all(capital in w and len(w) >= 4 for w in written)
    assert all("week 90" in w for w in page.evaluate("probe.written('#charts canvas')"))  # the axes end now
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_visible()
    assert int(number(page, "B", "killed").replace(",", "")) == plain["B"]
    page.keyboard.press("Space")  # who has put it away is not given it again
    page.keyboard.press("Space")
    expect(page.locator("#side")).to_be_visible()


def test_what_was_set_stands_on_the_panel_and_what_it_may_cost_beside_what_it_did(visit):
    page = visit(query("mission=un_only judge.conflation=0.9", "mission=un_only feel.misinformation=0.2", week=60))
    expect(page.locator("[data-model=A] .set")).to_have_text("conflation 0.9")
    expect(page.locator("[data-model=B] .set")).to_have_text("misinformation 0.2")
    expect(page.locator("[data-model=B]")).to_have_attribute("aria-label", "Model B: UN only, misinformation 0.2")
    expect(page.locator("[data-model=A] .numbers")).to_contain_text("of $4.00 bn authorised")
    expect(page.locator("[data-model=A] .numbers")).to_contain_text("Spent")


def test_the_keys_work_after_a_week_is_typed(visit):
    page = visit(query("mission=none", week=3))
    page.fill("#week", "20")
    page.press("#week", "Enter")
    expect(page.locator("#when")).to_contain_text("Week 20 ")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#when")).to_contain_text("Week 21 ")
    page.keyboard.press("3")
    expect(page.locator("#layer")).to_have_value("access")


def test_charts_have_values_and_news_are_announced_for_those_who_hear_the_page(visit):
    page = visit(query("mission=none", "mission=un_only mission.authorised=0", week=60))
    said = page.get_attribute("[data-chart=killed]", "aria-label")
    assert said.startswith("Civilians killed (people so far). A, No mission: week 52 ")
    assert f"now {number(page, 'B', 'killed')}." in said
    page.fill("#week", "0")
    page.press("#week", "Enter")
    expect(page.locator("#when")).to_contain_text("Week 0 ")
    assert page.get_attribute("#status", "role") == "status"
    page.keyboard.press("Space")
    expect(page.locator("#status")).to_contain_text(re.compile(r"Week \d+, B: The UN mission (arrives|reaches)"))
    page.keyboard.press("Space")


def test_play_at_the_last_week_starts_again_and_says_so(visit):
    page = visit(query("mission=none", week=104))
    expect(page.locator("#status")).to_contain_text("last week")
    expect(page.locator("#play")).to_contain_text("Again")
    page.keyboard.press("Space")
    expect(page.locator("#when")).to_contain_text(re.compile(r"Week [1-9] "))
    page.keyboard.press("Space")


def luminance(colour):
    """Return the relative luminance of rgb(r, g, b)."""
    rgb = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_contrast(visit):
    page = visit(query("mission=sequential", "mission=parallel judge.conflation=1", "mission=separated", week=60))
    for tab in ("start", "settings", "log", "take"):
        page.click(f"#tab-{tab}")
        for text, ink, ground in page.evaluate("probe.inks()"):
            light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ink, ground)


def test_a_page_can_be_printed(visit):
    page = visit(query("mission=none", "mission=un_only", week=30))
    page.emulate_media(media="print")
    for what in ("#side", "#play", ".buttons", ".remove"):
        expect(page.locator(what).first).to_be_hidden()
    for what in ("[data-model=B] .map canvas", "#charts", "#timeline", "#when", "#legend"):
        expect(page.locator(what).first).to_be_visible()


def test_type_is_larger_on_a_larger_projector(visit):
    size = {}
    for wide in ((1280, 720), (1920, 1080)):
        page = visit(query("mission=none"), wide)
        size[wide] = page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('[data-number=killed]')).fontSize)"
        )
    assert size[1280, 720] >= 19
    assert size[1920, 1080] > 1.25 * size[1280, 720]


def test_the_timeline_tells_the_phases(visit):
    page = visit(query("mission=none", "mission=un_only mission.authorised=0", week=5))
    box = page.locator("#jump").bounding_box()
    said = set()
    for share in (0.1, 0.4, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 3)
        page.wait_for_timeout(60)
        said.add(re.sub(r"Week \d+\. ", "", page.get_attribute("#jump", "title")))
    assert "A: no mission. B: UN not there yet." in said
    assert any("building up" in s or "at strength" in s for s in said)
    assert "Week 5." in page.get_attribute("#jump", "aria-valuetext")


def test_what_is_clicked_stays_in_sight(visit):
    page = visit(query("mission=none", "mission=un_only", week=20))
    box = page.locator("[data-model=A] .map canvas").bounding_box()
    side = min(box["width"], box["height"])
    for share in (0.1, 0.9):
        y = box["y"] + share * side
        page.mouse.click(box["x"] + box["width"] / 2, y)
        said = page.locator(".said")
        expect(said).to_be_visible()
        over = said.bounding_box()
        assert not over["y"] <= y <= over["y"] + over["height"]
        page.keyboard.press("Escape")


def test_a_week_out_of_range_says_so_and_is_taken_back(visit):
    page = visit(query("mission=none", week=7))
    visit.expected = ["it must be a whole number"]
    page.fill("#week", "9999")
    page.press("#week", "Enter")
    expect(page.locator("#wrong")).to_contain_text("it must be a whole number in [0, 104]")
    expect(page.locator("#week")).to_have_value("7")


def test_the_commands_of_the_page_make_the_numbers_of_the_page(visit, tmp_path):
    page = visit(query("mission=sequential seed=3", "mission=un_only mission.authorised=0 seed=3", week=40))
    page.click("#tab-take")
    with page.expect_download() as waiting:
        page.click("#csv-weekly")
    waiting.value.save_as(tmp_path / "page.csv")
    shown = [
        table.drop(columns="model") for _, table in pd.read_csv(tmp_path / "page.csv").groupby("model", sort=False)
    ]
    assert "line 40 of each weekly.csv" in page.inner_text("#take")
    environment = {**os.environ, "PYTHONPATH": str(CONF.parent)}
    for mine, said in zip(shown, page.input_value("#commands").splitlines(), strict=True):
        words = shlex.split(said)
        assert words[:3] == ["python", "-m", "sim"]
        subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, env=environment, check=True, capture_output=True)
        (made,) = (tmp_path / "results").glob("*/weekly.csv")
        table = pd.read_csv(made)
        assert len(table) == 104
        pd.testing.assert_frame_equal(
            mine[table.columns].reset_index(drop=True), table.iloc[:40], check_dtype=False, rtol=0, atol=0
        )
        shutil.rmtree(tmp_path / "results")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1024, 768), (820, 1180)])
def test_nothing_is_cut_off_on_a_projector_or_a_tablet(visit, size):
    page = visit(query("mission=sequential", "mission=parallel", "mission=separated", week=5), size)
    for letter in "ABC":
        box = page.locator(f"[data-model={letter}] .map canvas").bounding_box()
        assert min(box["width"], box["height"]) >= 220, letter
        numbers = page.locator(f"[data-model={letter}] .numbers").bounding_box()
        assert numbers["x"] + numbers["width"] <= size[0] + 1
    for what in ("#play", "#timeline", "#when", "#charts", "#week"):
        box = page.locator(what).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0] + 1, what
        assert size[0] < 900 or box["y"] + box["height"] <= size[1] + 1, what


def test_no_request_leaves_the_machine(visit):
    """The page's requests are looked at in every test; here all of it is used, and the server's own calls are, too."""
    del called[:]
    page = visit(query("mission=none", "mission=un_only", week=8))
    for tab in ("settings", "log", "take", "start"):
        page.click(f"#tab-{tab}")
    page.click("#help")
    page.keyboard.press("Escape")
    page.locator(".card").nth(1).click()
    expect(page.locator("#when")).to_contain_text("Week 0")
    assert len(visit.asked) >= 6  # page, style, three scripts, socket
    assert {urlsplit(u).hostname for u in visit.asked} == {"127.0.0.1"}
    assert set(called) <= set(LOOPBACK)
    for address in ("http://192.0.2.1/x.js", "https://example.org/x.css"):  # whatever would be written into it
        blocked = page.evaluate("""url => new Promise(done => {
            document.addEventListener("securitypolicyviolation", e => done(e.blockedURI), {once: true});
            const tag = document.createElement(url.endsWith("js") ? "script" : "link");
            if (tag.tagName === "LINK") tag.rel = "stylesheet";
            tag[tag.tagName === "LINK" ? "href" : "src"] = url;
            document.head.append(tag);
        })""", address)  # fmt: skip
        assert blocked == address
    assert len(visit.wrong) == 2  # the browser says so, too
    visit.wrong.clear()
    del visit.asked[-2:]  # asked for by this test, and blocked before they went out
