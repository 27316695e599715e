"""The door: who may come in, what a message may be, and how long somebody may keep a place without using it."""

import asyncio
import ipaddress
import json
import logging
import math
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import h11

LONGEST = 8_192  # bytes of a message: a scene of three models with a hundred settings
SILENT = 20  # s that a visitor may be here without a scene
IDLE = 600  # s without a word after which a place may be given to somebody else
PATIENCE = 3  # s for which a page that finds no place waits: somebody may just be leaving, he himself before a reload
SHARE, FEW = 0.5, 4  # of the places for one address; but as many pages anybody may open
LATE, SLOW = 15, 600  # s that a request may take to arrive, and its answer to be taken
LAST = 5  # s that what is under way has when the room is closed: nobody can keep it open
DEEP = 3  # lists in lists that a message may have: models, each of overrides
ANY = ("0.0.0.0", "::")  # what to serve on, to be reached from everywhere


def known_host(host: str, names: Iterable[str] = ()) -> bool:
    """Say whether a Host header names this machine: by an address, or by a name that is its own.

    A page elsewhere whose name is pointed at this machine (DNS rebinding) has a name, never an address.
    """
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 or "]:" in host else host
    name = name.strip("[]").rstrip(".").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        here = socket.gethostname().lower()
        return name in ("localhost", here, f"{here.split('.')[0]}.local", *(n.lower() for n in names))
    return True


def addresses(host: str) -> list[str]:
    """Return the addresses that a room can type in for what is served on a host.

    The address that the machine has in its network is asked of the routing table: nothing is sent.
    """
    if host not in ANY:
        return [f"[{host}]" if ":" in host else host]
    found = []
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        if family is socket.AF_INET6 and host != "::":
            continue
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                mine = probe.getsockname()[0]
        except OSError:  # no network of that kind
            continue
        found.append(f"[{mine}]" if ":" in mine else mine)
    return found or ["127.0.0.1"]


def read(text: str | None) -> dict[str, Any]:
    """Return a message of a page; an empty one, which is answered as not understood, if it cannot be read."""
    try:
        message = json.loads(text or "", parse_constant=_number, parse_float=_number)
    except (ValueError, RecursionError):
        return {}
    plain = isinstance(message, dict) and all(_is_plain(value, DEEP) for value in message.values())
    return message if plain else {}


def _number(text):
    """Read a number; refuse nan and infinity, and what is too large to be told from it."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _is_plain(value, deep):
    """Say whether something is a text, a number, true, false or nothing, or lists of these, one in another so often."""
    if isinstance(value, list):
        return deep > 0 and all(_is_plain(inner, deep - 1) for inner in value)
    return not isinstance(value, dict)


def limits(visitors: int) -> dict[str, Any]:
    """Return how uvicorn is to serve so many visitors: what a message may weigh, how many connections, how long."""
    logging.getLogger("uvicorn.error").addFilter(_not_of_a_strangers_text)
    return {"http": Impatient, "ws_max_size": LONGEST, "limit_concurrency": 50 + 8 * visitors,
            "timeout_graceful_shutdown": LAST}  # fmt: skip


def _not_of_a_strangers_text(record):
    """Keep out of the log the traceback with which uvicorn takes down that somebody sent a text that is none."""
    return "Invalid UTF-8" not in str(record.msg)


class Door:
    """Lets in whoever calls this machine by a name that it has."""

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a stranger oneself, and hand everybody else on."""
        host = Headers(scope=scope).get("host", "") if scope["type"] in ("http", "websocket") else None
        if host is None or known_host(host, self.names):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            said = f"this is not {host[:80]!r}; open the classroom by its address, or start it with --name {host[:80]}"
            await PlainTextResponse(said, 421)(scope, receive, send)


class Impatient(H11Protocol):
    """HTTP that closes a connection on which no whole request arrives in time, or whose answer nobody takes.

    Uvicorn itself waits for ever. And it counts requests, not connections: those of one address that are more than a
    share of all are closed at once.
    """

    late: asyncio.TimerHandle | None = None
    upgraded, answering = False, False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Give the first request its time."""
        super().connection_made(transport)
        mine = sum(c.client and self.client and c.client[0] == self.client[0] for c in self.connections)
        if mine > SHARE * self.limit_concurrency:
            transport.abort()
        else:
            self._give(LATE)

    def data_received(self, data: bytes) -> None:
        """Give this request its answer; one that is still on its way has no more time for it."""
        super().data_received(data)
        if self._is_answering != self.answering and not self.upgraded:
            self._give_anew()

    def on_response_complete(self) -> None:
        """Give the next request its time."""
        super().on_response_complete()
        self._give_anew()

    def handle_websocket_upgrade(self, event: "h11.Request") -> None:
        """Leave the times of a visitor's socket to others."""
        self.upgraded = True
        self._give(None)
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._give(None)
        super().connection_lost(exc)

    @property
    def _is_answering(self):
        return bool(self.cycle and not self.cycle.response_complete)

    def _give_anew(self):
        self.answering = self._is_answering
        self._give(SLOW if self.answering else LATE)

    def _give(self, seconds):
        if self.late:
            self.late.cancel()
        self.late = seconds and asyncio.get_running_loop().call_later(seconds, self.transport.abort)
