"""A lesson: python -m tests.proof page [MINUTES] [VISITORS]

So many visitors do for so long what people do with the page: cards, links, settings, weeks, play, layers, speeds, a
model more or less, who is this, tables, animations and sheets. None may lose his page, wait for long, or get another
week than the one his link says; and the server, when all have left, may weigh at the end what it weighed half-way.
"""

import json
import random
import threading
import time
import urllib.request
from collections import Counter

from ._room import Page, Room

FLAT = 1.1  # memory at the end, of that in the middle
PAUSES = (0.2, 3.0)  # s from one thing that a person does to the next
RARELY = 1 / 40  # of what is done, what takes minutes of a processor: animations and sheets


class Person:
    """Somebody who plays; counts what he saw.

    Parameters
    ----------
    port : int; seed : int, of what he does; pauses : s, shortest and longest, between two things that he does
    """

    def __init__(self, port, seed, pauses=PAUSES):
        self.port, self.luck, self.pauses = port, random.Random(seed), pauses
        self.count, self.wrong = Counter(), []
        self.about, self.making, self.week = None, False, 0

    def play(self, seconds, things=float("inf")):
        """Play for so long, or until so many things are done, then leave."""
        end = time.monotonic() + seconds
        doing = "enter"
        try:
            self.enter()
            while time.monotonic() < end and self.count["things done"] < things:
                doing = self.does()
                getattr(self, doing)()
                self.count["things done"] += 1
                self.listen(self.luck.uniform(*self.pauses))
            self.page.close()
        except Exception as error:  # whoever falls over plays no more, and that is to be seen
            self.wrong.append(f"{doing}: {type(error).__name__}: {error}")

    def does(self):
        """Choose what to do next."""
        if self.luck.random() < RARELY and not self.making:
            return "take"
        often = ("setting", "setting", "setting", "go", "go", "play_or_pause", "play_or_pause", "layer", "describe")
        return self.luck.choice((*often, "card", "reload", "speed", "add", "remove", "tables"))

    # ------------------------------------------------------------------------------ hearing

    def notice(self, said):
        """Take in what the server said."""
        kind = said["is"]
        if kind == "scene":
            self.about = said
        elif kind == "frame":
            self.week = said["week"]
            self.count["frames"] += 1
        elif kind == "wrong":
            self.count["refusals"] += 1
            if not 10 < len(said["text"]) < 1_000 or "\n" in said["text"] or "not complete" in said["text"]:
                self.wrong.append(f"was told {said['text']!r}")
        elif kind == "made":
            self.making = False
            self.fetch(said)
        elif kind == "full":
            self.wrong.append(said["text"])

    def listen(self, seconds):
        """Hear whatever comes for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if said := self.page.hear(left):
                self.notice(said)

    def hear_a(self, *kinds):
        """Hear until something of a kind comes; return it."""
        while (said := self.page.hear()) is not None:
            self.notice(said)
            if said["is"] in kinds:
                return said
        raise TimeoutError(f"no {' or '.join(kinds)} came")

    # ------------------------------------------------------------------------------ doing

    def enter(self, **scene):
        """Open the page; without a scene, with a card."""
        self.page = Page(self.port)
        self.welcome = self.hear_a("welcome")
        if scene:
            self.page.ask("scene", **scene)
            self.hear_a("scene", "wrong")
        else:
            self.card()

    def card(self):
        """Choose a card."""
        self.page.ask("scene", models=self.luck.choice(self.welcome["cards"])["models"])
        assert self.hear_a("scene", "wrong")["is"] == "scene", "a card was refused"

    def reload(self):
        """Load the page again, by the link in its address bar; the same week must be there."""
        self.page.ask("pause")
        self.go()
        link = self.about["link"].rpartition("&week=")[0] + f"&week={self.week}"
        self.page.close()
        self.making = False
        week = self.week
        self.enter(link=link)
        self.hear_a("frame")
        assert self.week == week, f"{link} shows week {self.week}"

    def setting(self):
        """Set one of the controls, in all models that have it or in one: a value, an event, a cluster of tasks."""
        every = [c for group in self.about["controls"] for c in group["controls"] if not all(c.get("off", [False]))]
        c = self.luck.choice(every)
        several = [i for i, value in enumerate(c["values"]) if value is not None]
        about = {"key": c["key"], "models": several if self.luck.random() < 0.5 else [self.luck.choice(several)]}
        some = self.luck.choice(c["options"])[0] if "options" in c else None
        if c["kind"] == "events":
            week = self.luck.choice((None, min(self.week, self.about["weeks"] - 1)))  # takes it back, or lets it befall
            self.page.ask("event", event=some, week=week, **about)
        elif c["kind"] == "bundles":
            self.page.ask("bundle", mission=c["name"], bundle=some, on=self.luck.random() < 0.5, **about)
        else:
            self.page.ask("set", value=some or self.number(c), **about)
        self.count[c["kind"]] += 1
        self.hear_a("scene", "wrong")

    def number(self, control):
        """Return a number that a control can be moved to."""
        low, high, step = control["low"], control["high"], control["step"] or (control["high"] - control["low"]) / 100
        return f"{low + step * self.luck.randrange(int((high - low) / step) + 1):.6g}"

    def go(self):
        """Look at another week."""
        self.page.ask("go", week=self.luck.randrange(min(self.about["weeks"], 300) + 1))
        self.hear_a("history", "wrong")
        self.hear_a("frame")

    def play_or_pause(self):
        """Start or stop."""
        self.page.ask(self.luck.choice(("play", "play", "pause")))

    def layer(self):
        """Shade the map by something else."""
        self.page.ask("layer", layer=self.luck.choice(self.welcome["layers"])["key"])

    def speed(self):
        """Play faster or slower."""
        self.page.ask("speed", speed=self.luck.choice(self.welcome["speeds"]))

    def add(self):
        """Put a model beside the others."""
        if len(self.about["models"]) < 3:
            self.page.ask("add")
            self.hear_a("scene", "wrong")

    def remove(self):
        """Take a model away."""
        if len(self.about["models"]) > 1:
            self.page.ask("remove", model=self.luck.randrange(len(self.about["models"])))
            self.hear_a("scene", "wrong")

    def describe(self):
        """Ask who somebody is."""
        model, kind = self.luck.randrange(len(self.about["models"])), self.luck.choice(("band", "cell", "civilian"))
        self.page.ask("describe", model=model, kind=kind, index=self.luck.randrange(12))
        self.hear_a("described", "wrong")

    def tables(self):
        """Take the numbers away."""
        self.page.ask("tables")
        assert self.hear_a("tables")["files"]["weekly"].startswith("model,")

    def take(self):
        """Have a sheet or an animation made."""
        what = self.luck.choice(("sheet", "gif"))
        self.page.ask("take", what=what, seeds=5, every=52)
        self.making = True

    def fetch(self, made):
        """Take away what was made."""
        if made.get("error") and made["error"] != "cancelled":
            self.wrong.append(f"{made['what']}: {made['error']}")
        for file in made["files"]:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{file['href']}", timeout=60) as got:
                assert len(got.read()) > 100, file
            self.count["files taken away"] += 1


def lesson(port, seconds, visitors, seed=1, pauses=PAUSES, things=float("inf")):
    """Have some people play at once, for so long or until so many things are done; return counts and what was wrong."""
    people = [Person(port, seed * 1_000 + n, pauses) for n in range(visitors)]
    threads = [threading.Thread(target=p.play, args=(seconds, things)) for p in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((p.count for p in people), Counter()), [w for p in people for w in p.wrong]


def main(words):
    """Play in two halves; print counts, and what the server weighs before, between and after."""
    minutes, visitors = (float(words[0]) if words else 30), (int(words[1]) if len(words) > 1 else 10)
    with Room(2 * visitors) as room:  # of an address, half of the places
        weighs, count, wrong = [room.megabytes], Counter(), []
        for half in (1, 2):
            seen, errors = lesson(room.port, minutes * 30, visitors, seed=half)
            count, wrong = count + seen, wrong + errors
            while json.loads(urllib.request.urlopen(f"http://127.0.0.1:{room.port}/health").read())["visitors"]:
                time.sleep(0.1)
            weighs.append(room.megabytes)
        tracebacks = room.tracebacks
    print(
        f"  {minutes:g} minutes, {visitors} visitors: {', '.join(f'{n:,} {what}' for what, n in count.most_common())}"
    )
    print(f"  {len(wrong)} errors; {tracebacks} tracebacks in the log {room.log}")
    print(f"  memory before, half-way and at the end, when all have left: {', '.join(f'{m:.0f}' for m in weighs)} MB")
    print("\n".join(f"  {sentence}" for sentence in wrong[:20]))
    return not wrong and not tracebacks and weighs[2] < FLAT * weighs[1]
