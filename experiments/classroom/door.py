"""The door: who may come in, what a message may be, and how long somebody may keep a place without using it."""

import asyncio
import ipaddress
import json
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
SHARE, FEW = 0.5, 4  # of the places for one address; but as many pages anybody may open
LATE = 15  # s that a request may take to arrive
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
        message = json.loads(text or "", parse_constant=_no_number)
    except (TypeError, ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _no_number(name):
    raise ValueError(name)


def limits(visitors: int) -> dict[str, Any]:
    """Return how uvicorn is to serve so many visitors: what a message may weigh, how many connections, how long."""
    return {"http": Impatient, "ws_max_size": LONGEST, "limit_concurrency": 50 + 8 * visitors}


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
    """HTTP that closes a connection on which no whole request arrives in time: uvicorn itself waits for ever."""

    late: asyncio.TimerHandle | None = None
    upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Give the first request its time."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Give the next request its time, or this one its answer."""
        super().data_received(data)
        if not self.upgraded and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        else:
            self._arrived()

    def handle_websocket_upgrade(self, event: "h11.Request") -> None:
        """Leave the times of a visitor's socket to others."""
        self.upgraded = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        super().connection_lost(exc)

    def _wait(self):
        if self.late is None:
            self.late = asyncio.get_running_loop().call_later(LATE, self.transport.close)

    def _arrived(self):
        if self.late:
            self.late.cancel()
            self.late = None
