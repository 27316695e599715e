"""The server: a page, and for each visitor a stage of his own behind a web socket.

Mesa's own SolaraViz was tried first: with components of one's own it showed 19 to 24 weeks a second where a plain page
over Starlette showed 38, with 8 packages instead of 70, and it is blank offline unless four packages are held back.

A visitor's state is the link in his address bar: after a reload, or when the network was away, the page asks for the
scene and the week of that link, and gets the same screen, since a run follows from its overrides alone. Weeks are
stepped in a few threads that all visitors share, a few weeks at a time, so that nobody waits for another's run.
"""

import asyncio
import gc
import json
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from experiments.classroom import door, look, takeaway
from experiments.classroom import scene as scenes
from experiments.classroom.layers import LAYERS, known_layer
from experiments.classroom.stage import HEADLINES, Stage
from experiments.engine.workers import give_back
from sim.asked import explain

STATIC = Path(__file__).parent / "static"
VISITORS = 40  # at a time; three models each are about 12 MB
SPEEDS = (1, 2, 4, 10, 25)  # weeks a second
CHUNK, TURN = 4, 0.1  # weeks, and about seconds, that a stage catches up before another has its turn
AHEAD = 2  # frames that may be on their way to a page
WAITING = 64  # messages of a visitor that may wait for an answer; then no more are read
PAUSE = 1 / 200  # s between two messages of a visitor that are read
NOW_AND_THEN = 5.0  # s at least between two times that memory is given back
CLOSED_FULL = 4001
GONE = object()  # what is heard last of a page
WRONG = (ValueError, HydraException, OmegaConfBaseException)
INCOMPLETE = (KeyError, TypeError, IndexError, AttributeError, OverflowError)
HEADERS = {
    # Nothing may be fetched from anywhere else, whatever gets into the page.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
ABOUT = (
    "A thinking tool, not a forecast: it works out what follows from stated mechanisms whose size is mostly assumed, "
    "and says nothing about what will happen in any country."
)


class Classroom:
    """All visitors of one server.

    Parameters
    ----------
    visitors : int, how many there may be at a time
    workers : int, processes that make sheets and animations
    names : names that this machine is called by, beside its addresses and its own name
    """

    def __init__(self, visitors: int = VISITORS, workers: int = 1, names: Iterable[str] = ()) -> None:
        self.most, self.here, self.names = visitors, set(), tuple(names)
        self.threads = self.builders = None  # made in the running loop: nobody's frame waits for another's new scene
        self.jobs = takeaway.Jobs(workers)
        self.given_back = 0.0

    async def give_back(self) -> None:
        """Give the memory of scenes that are gone back to the system, now and then."""
        if time.monotonic() - self.given_back > NOW_AND_THEN:
            self.given_back = time.monotonic()
            await to_thread.run_sync(give_back, limiter=self.builders)

    def welcome(self) -> dict[str, Any]:
        """Return what the page needs once: cards, layers, headlines, speeds."""
        return {
            "about": ABOUT, "look": look.palette(), "cards": scenes.cards(),
            "speeds": list(SPEEDS), "seeds": list(takeaway.SEEDS),
            "layers": [{"key": k, "title": v.title, "unit": v.unit, "top": v.top, "share": v.top <= 1}
                       for k, v in LAYERS.items()],
            "headlines": [
                {"name": h.name, "label": h.label, "unit": h.unit, "how": h.how, "short": h.short, "charted": h.charted}
                for h in HEADLINES
            ],
            "mp4": takeaway.why_no_mp4(),
        }  # fmt: skip

    async def seat(self, visitor: "Visitor") -> str | None:
        """Give a visitor a place; return why there is none, or None."""
        mine = sum(v.address == visitor.address for v in self.here)
        if mine >= max(door.FEW, door.SHARE * self.most):
            return f"{mine} pages of the classroom are open at {visitor.address} already; close one of them first"
        if len(self.here) >= self.most:
            idle = [v for v in self.here if v.idle > door.IDLE]
            if not idle:
                return f"the classroom is full: {self.most} visitors are here; try again when somebody has left"
            await max(idle, key=lambda v: v.idle).leave("somebody else needed your place; reload the page to come back")
        self.here.add(visitor)
        return None


class Visitor:
    """One browser: its stage, whether it plays and how fast, what it makes to take away."""

    def __init__(self, classroom: Classroom, socket: WebSocket) -> None:
        self.room, self.socket = classroom, socket
        self.address = socket.client.host if socket.client else ""
        self.heard = time.monotonic()
        self.inbox = asyncio.Queue(WAITING)
        self.stage: Stage = None  # type: ignore[assignment]  # until a scene is asked for: `_do` refuses all else before
        self.speed = SPEEDS[2]
        self.playing = self.announce = False
        self.on_the_way, self.logged = 0, []
        self.next_at = 0.0
        self.refused = ""  # what was wrong with the scene that the page came for
        self.job: takeaway.Making | None = None

    @property
    def idle(self) -> float:
        """Seconds since the page asked for anything; none while it plays."""
        return 0.0 if self.playing else time.monotonic() - self.heard

    async def leave(self, why: str) -> None:
        """Close the page's socket, and say why."""
        self.room.here.discard(self)
        with suppress(WebSocketDisconnect, RuntimeError):
            await self.tell("full", text=why)
            await self.socket.close(CLOSED_FULL)

    async def stay(self) -> None:
        """Serve until the page is closed."""
        reading = asyncio.create_task(self._read())
        try:
            await self.tell("welcome", **self.room.welcome())
            while True:
                message = await self._next()
                if message is None and self.stage is None:
                    await self.leave(self.refused or "the page asked for no scene; reload it")
                    return
                if message is None:
                    await self._go_on()
                elif message is GONE:
                    return
                else:
                    await self._do(message)
        finally:
            reading.cancel()
            if self.job:
                self.job.cancel()

    async def _read(self):
        with suppress(WebSocketDisconnect, RuntimeError):
            while (got := await self.socket.receive())["type"] != "websocket.disconnect":
                message = door.read(got.get("text"))
                if message != {"do": "drawn"}:
                    self.heard = time.monotonic()
                await self.inbox.put(message)
                await asyncio.sleep(PAUSE)
        self.room.here.discard(self)  # at once, for who loads his page again must not find his own place taken
        await self.inbox.put(GONE)

    async def tell(self, kind: str, /, **content: Any) -> None:
        """Send a message to the page."""
        await self.socket.send_text(json.dumps({"is": kind, **content}, allow_nan=False))

    # ------------------------------------------------------------------------------ time

    async def _next(self):
        """Return the next message; None when it is time for the next week."""
        if self.announce:
            return self._waiting()
        if self.stage is None:
            with suppress(asyncio.TimeoutError):
                return await asyncio.wait_for(self.inbox.get(), door.SILENT)
            return None
        if self.playing:
            pause = self.next_at - time.monotonic()
            if self.on_the_way < AHEAD:
                if pause <= 0:
                    return self._waiting()
                with suppress(asyncio.TimeoutError):
                    return await asyncio.wait_for(self.inbox.get(), pause)
                return None
        return await self.inbox.get()

    def _waiting(self):
        with suppress(asyncio.QueueEmpty):
            return self.inbox.get_nowait()
        return None

    async def _go_on(self):
        """Catch up with the week that was asked for, or play the next one."""
        stage = self.stage
        if self.announce:  # on the way to a week: only arrival is shown
            await self._in_thread(stage.advance, CHUNK, TURN)
            if stage.there:
                self.announce = False
                await self._all()
            elif time.monotonic() > self.next_at:
                self.next_at = time.monotonic() + 0.2
                await self.tell("busy", week=stage.week, goal=stage.goal)
            return
        if stage.finished:
            self.playing = False
            await self.tell("state", playing=False, speed=self.speed)
            return
        now = time.monotonic()
        self.next_at = max(self.next_at + 1 / self.speed, now - 1 / self.speed)
        stage.goal = stage.week + 1
        await self._in_thread(stage.advance, 1)
        await self._frame()

    async def _in_thread(self, do, *what):
        return await to_thread.run_sync(do, *what, limiter=self.room.threads)

    async def _build(self, do, *what):
        return await to_thread.run_sync(do, *what, limiter=self.room.builders)

    async def _frame(self):
        frame = await self._in_thread(self.stage.frame, None, self.logged)
        self.logged = [len(a.log) for a in self.stage.actors]
        self.on_the_way += 1
        await self.tell("frame", **frame)

    async def _all(self):
        """Send all there is to draw: after another scene, or a jump."""
        self.logged = [len(a.log) for a in self.stage.actors]
        await self.tell("history", **await self._in_thread(self.stage.history))
        await self._frame()

    # ------------------------------------------------------------------------------ what a page can ask

    async def _do(self, message):
        what = message.get("do") if isinstance(message, dict) else None
        how = getattr(self, f"_do_{what}", None) if isinstance(what, str) else None
        if how is None:
            asked = f"asked for {what[:40]!r}" if isinstance(what, str) else "sent a message"
            await self.tell("wrong", text=f"the page {asked}, which this server does not know")
            return
        if self.stage is None and what not in ("scene", "drawn"):
            await self.tell("wrong", text="there is no scene yet")
            return
        try:
            await how(message)
        except WRONG as error:
            if self.stage is None:
                self.refused = f"this scene cannot be shown: {explain(error)}. Mend the link, and load it again"
            await self.tell("wrong", text=explain(error), key=message.get("key"), models=message.get("models"))
        except INCOMPLETE as error:
            await self.tell("wrong", text=f"the request {what!r} is not complete: {type(error).__name__}")

    async def _do_drawn(self, _):
        self.on_the_way = max(0, self.on_the_way - 1)

    async def _do_scene(self, message):
        """Show a scene: the whole state of a page in one message, so that none of it can come too early."""
        scene = scenes.from_link(message["link"]) if "link" in message else scenes.Scene(
            tuple(tuple(str(o) for o in m) for m in message["models"]), int(message.get("week", 0)),
            message.get("layer", scenes.Scene.layer))  # fmt: skip
        self.speed = known_speed(message.get("speed", self.speed))
        await self._set(scene)

    async def _do_set(self, message):
        key = str(message["key"])
        scene = self.stage.scene().with_setting(key, str(message["value"]), list(message["models"]))
        await self._set(await self._build(scene.with_bearing, key))

    async def _do_event(self, message):
        """Let an event befall some models, in a week; without a week, none of them."""
        week = message["week"]
        if week is not None and not (isinstance(week, int) and 0 <= week < self.stage.weeks):
            raise ValueError(f"week is {week!r}; it must be a whole number in [0, {self.stage.weeks - 1}]")
        await self._set(self.stage.scene().with_event(str(message["event"]), week, list(message["models"])))

    async def _do_bundle(self, message):
        """Give the mandate of a mission a cluster of tasks, or take it away."""
        mission, name, on = str(message["mission"]), str(message["bundle"]), message["on"] is True
        await self._set(self.stage.scene().with_bundle(mission, name, on, list(message["models"])))

    async def _do_add(self, _):
        """Put a copy of the last model beside the others, to be changed."""
        scene = self.stage.scene()
        await self._set(replace(scene, models=(*scene.models, scene.models[-1])))

    async def _do_remove(self, message):
        scene = self.stage.scene()
        models = [m for i, m in enumerate(scene.models) if i != int(message["model"])]
        await self._set(replace(scene, models=tuple(models)))

    async def _set(self, scene):
        """Change the scene, and go to its week; the old one stays if anything is wrong with the new one."""
        stage = await self._build(Stage, scene, self.stage)
        await self._build(stage.go, scene.week)
        self.stage, self.announce, self.on_the_way, self.next_at = stage, True, 0, 0.0
        await self.tell("scene", **await self._in_thread(stage.about), week=scene.week)
        await self.tell("state", playing=self.playing, speed=self.speed)
        await self.room.give_back()

    async def _do_play(self, _):
        """Play from here; from the last week on, from the beginning."""
        if self.stage.finished:
            await self._do_go({"week": 0})
        self.playing, self.next_at = True, time.monotonic()
        await self.tell("state", playing=self.playing, speed=self.speed)

    async def _do_pause(self, _):
        self.playing = False
        await self.tell("state", playing=False, speed=self.speed)

    async def _do_speed(self, message):
        self.speed = known_speed(message["speed"])
        await self.tell("state", playing=self.playing, speed=self.speed)

    async def _do_go(self, message):
        week = message["week"]
        if not isinstance(week, int) or not 0 <= week <= self.stage.weeks:
            raise ValueError(f"week is {week!r}; it must be a whole number in [0, {self.stage.weeks}]")
        await self._build(self.stage.go, week)
        self.announce, self.on_the_way, self.next_at = True, 0, 0.0

    async def _do_layer(self, message):
        self.stage.layer = known_layer(message["layer"])
        if not self.announce:
            await self._frame()

    async def _do_describe(self, message):
        actor, kind, index = int(message["model"]), message["kind"], int(message["index"])
        if kind == "somebody":
            index = self.stage.somebody(actor, index, int(message["status"]), int(message["nth"]))
            kind = "civilian"
        said = await self._in_thread(self.stage.describe, actor, kind, index)
        await self.tell("described", **said, model=actor, kind=kind, week=self.stage.week)

    async def _do_tables(self, _):
        await self.tell("tables", week=self.stage.week, files=await self._in_thread(self.stage.tables))

    async def _do_take(self, message):
        """Make a sheet or an animation in another process."""
        if self.job and not self.job.over:
            raise ValueError("something is being made already; wait for it or cancel it")
        scene = self.stage.scene()
        self.job = self.room.jobs.start(message["what"], scene, message.get("seeds"), message.get("every"))
        asyncio.create_task(self._follow(self.job))  # noqa: RUF006  it ends with the job, and the job with the visitor

    async def _do_cancel(self, _):
        if self.job:
            self.job.cancel()

    async def _follow(self, job):
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                done, total, waiting = job.progress()
                if job.over:
                    break
                await self.tell("making", what=job.what, done=done, total=total, waiting=waiting)
                await asyncio.sleep(0.3)
            if job.error:
                await self.tell("made", what=job.what, files=[], error=job.error)
            else:
                files = [{"name": f.name, "href": f"take/{job.key}/{f.name}"} for f in job.files]
                await self.tell("made", what=job.what, files=files, notes=job.notes)


def application(classroom: Classroom | None = None) -> Starlette:
    """Return the web application."""
    room = classroom or Classroom()

    @asynccontextmanager
    async def lifespan(_):
        room.threads, room.builders = CapacityLimiter(max(2, takeaway.cores())), CapacityLimiter(1)
        gc.freeze()  # what was imported stays for ever: not to look through it makes giving memory back fast
        room.jobs.open(Path(tempfile.mkdtemp(prefix="classroom-")))
        try:
            yield
        finally:
            room.jobs.close()
            shutil.rmtree(room.jobs.folder, ignore_errors=True)

    async def page(_):
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    async def health(_):
        return JSONResponse({"visitors": len(room.here), "most": room.most})

    async def take(request):
        path = room.jobs.file(request.path_params["key"], request.path_params["name"])
        if path is None:
            return PlainTextResponse("this file is not here any more; make it again on the page", 404)
        return FileResponse(path, headers=HEADERS, filename=path.name)

    async def visit(socket):
        host, origin = socket.headers.get("host", ""), socket.headers.get("origin")
        if origin is not None and origin.split("://", 1)[-1] != host:  # a page from elsewhere, in the visitor's browser
            await socket.close(1008)
            return
        await socket.accept()
        visitor = Visitor(room, socket)
        full, until = await room.seat(visitor), time.monotonic() + door.PATIENCE
        while full and time.monotonic() < until:
            await asyncio.sleep(0.1)
            full = await room.seat(visitor)
        if full:
            await visitor.leave(full)
            return
        try:
            await visitor.stay()
        except (WebSocketDisconnect, RuntimeError):  # closed while something was being sent
            pass
        finally:
            room.here.discard(visitor)

    class Static(StaticFiles):
        async def get_response(self, path, scope):
            response = await super().get_response(path, scope)
            response.headers.update(HEADERS)
            return response

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", page), Route("/health", health), Route("/take/{key}/{name}", take),
            WebSocketRoute("/visit", visit), Mount("/static", Static(directory=STATIC)),
        ],
        middleware=[Middleware(door.Door, names=room.names)],
    )  # fmt: skip


def known_speed(speed: int) -> int:
    """Return a speed, refused if it is none of SPEEDS."""
    if speed not in SPEEDS:
        raise ValueError(f"speed is {speed!r}; choose one of {', '.join(map(str, SPEEDS))} weeks a second")
    return speed
