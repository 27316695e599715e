"""Hostile visitors of the page: python -m tests.proof messages [HOW MANY]

So many messages and requests: valid ones with something changed, wrong types, nan, infinity, numbers of a thousand
digits, deep, large and torn ones, bytes that are no text, visits from elsewhere, paths that lead out, requests that are
none. Meanwhile some sockets ask for nothing or stop half-way, and a visitor from another address goes on: the server
has to answer that one within a second, all along, write no traceback, and weigh no more than it may.
"""

import contextlib
import json
import random
import socket
import sys
import threading
import time
from collections import Counter

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from experiments.classroom import scene, server

from ._room import Page, Room

STRANGER, SITTER = ("127.0.0.2", "127.0.0.3") if sys.platform == "linux" else ("127.0.0.1",) * 2  # all this machine's
AT_ONCE, IDLE = 6, 300  # pages of the stranger, and connections on which nothing comes
SLOWEST = 1.0  # s until an answer to somebody else
GROWTH = 600  # MB: six pages of three models, and what the server remembers of other people's choices
VERBS = tuple(name.removeprefix("_do_") for name in dir(server.Visitor) if name.startswith("_do_"))
SMALL = ("civilians=200", "weeks=60")
LARGE = ("mission=parallel", "country.rows=120", "country.cols=120", "civilians=20000", "weeks=60")  # as may just be
VALID = (
    {"do": "scene", "models": [["mission=none", *SMALL]], "week": 3, "layer": "trust", "speed": 25},
    {"do": "scene", "link": scene.Scene((("mission=none", *SMALL), ("mission=un_only", *SMALL)), 5).link()},
    {"do": "set", "key": "judge.conflation", "value": "0.9", "models": [0, 1]}, {"do": "set", "key": "mission",
     "value": "parallel", "models": [0]}, {"do": "add"}, {"do": "remove", "model": 0},
    {"do": "event", "event": "coup", "week": 30, "models": [0, 1]}, {"do": "event", "event": "coup", "week": None,
     "models": [0]}, {"do": "bundle", "mission": "un", "bundle": "ddr", "on": True, "models": [0]},
    {"do": "play"}, {"do": "pause"},
    {"do": "speed", "speed": 10}, {"do": "go", "week": 40}, {"do": "layer", "layer": "need"}, {"do": "drawn"},
    {"do": "describe", "model": 0, "kind": "somebody", "index": 340, "status": 0, "nth": 0},
    {"do": "describe", "model": 0, "kind": "band", "index": 3}, {"do": "tables"}, {"do": "cancel"},
    {"do": "take", "what": "gif", "every": 52}, {"do": "take", "what": "sheet", "seeds": 5},
    {"do": "scene", "models": [LARGE] * 3, "week": 60},
)  # fmt: skip
ODD = (
    None, True, False, -1, 0, 1, 2, 10**18, 10**400, 0.5, 1e308, -1e308, "", "x", "x" * 4_000, "\ud800", "\x00",
    "é" * 99, [], [[]], [0, 1], ["a", 5], [None], {}, {"a": {"b": 1}}, [[["mission=none"]]], "mission", "cell", "need",
    "nan", "weeks=5200", "country.rows=2000", "country.cell_km=1", "${oc.env:HOME}", "../../etc/passwd",
    "country.cells=/etc/passwd", "civilians=20000000", "mission=none", "mission={a:1}", "a=1,2",
    "?a=mission%3Dnone&week=999999", "?a=%ff&week=1",
)  # fmt: skip
RAW = (
    '{"do": "set", "key": 1e999, "value": 1, "models": [0]}',
    '{"do": "set", "key": "seed", "value": NaN, "models": []}',
    '{"do": "go", "week": Infinity}', '{"do": "remove", "model": 1e999}', '{"do": "go", "week": -1e999}',
    '{"do": "speed", "speed": 1' + "0" * 5_000 + "}", "[" * 8_000, '{"do":' * 1_300, '{"do": "set", "key": '
    + "[" * 900 + "]" * 900 + ', "value": 1, "models": [0]}', "null", "", "[]", '"do"', "{", "\x00", "\ufeff{}",
    "x" * 60_000, '{"do": "go", "week": "' + "9" * 8_000 + '"}',
)  # fmt: skip
PATHS = (
    "/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2f..%2f..%2fetc/passwd", "/static//etc/passwd",
    "/static/%00", "/static/" + "a" * 5_000, "/take/x/../../etc/passwd", "/take/..%2f../etc/passwd", "/take/x/y",
    "//etc/passwd", "/%ff%fe", "/static/\\..\\server.py", "/visit", "/nothing",
)  # fmt: skip
REQUESTS = (
    b"\x00" * 300, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 200_000,
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000,
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\nx",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    b"GET /visit HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET /visit HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n",
    b"GET /visit HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1.elsewhere.example\r\n\r\n",
)  # fmt: skip
VISIT = ("GET /visit HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")  # fmt: skip
FROM_ELSEWHERE = (
    ("elsewhere.example", "http://elsewhere.example"), ("127.0.0.1:{port}", "http://elsewhere.example"),
    ("127.0.0.1:{port}", "null"), ("127.0.0.1:{port}", "http://127.0.0.1"), ("", "http://127.0.0.1:{port}"),
)  # fmt: skip


# ---------------------------------------------------------------------------------- on a socket


def changed(luck):
    """Return a message that a page could send, with something in it changed."""
    message = dict(luck.choice(VALID))
    for _ in range(luck.choice((0, 1, 1, 2))):
        key = luck.choice([*message, "models", "week", "index"])
        if luck.random() < 0.2:
            message.pop(key, None)
        elif isinstance(message.get(key), list) and message[key] and luck.random() < 0.5:
            message[key] = [*message[key], luck.choice(ODD)]
        else:
            message[key] = luck.choice(ODD)
    return json.dumps(message)


def torn(luck):
    """Return a message with a piece of it lost, doubled, or turned into noise."""
    text = changed(luck)
    a, b = sorted(luck.randrange(len(text) + 1) for _ in range(2))
    return text[:a] + luck.choice(("", text[a:b] * 2, "\x00\ud7ff\n", "[" * 500)) + text[b:]


def bare(luck):
    """Return a message of any verb with anything in it."""
    keys = (
        "week",
        "models",
        "model",
        "key",
        "value",
        "layer",
        "speed",
        "kind",
        "index",
        "status",
        "nth",
        "link",
        "what",
    )
    some = {key: luck.choice(ODD) for key in luck.sample(keys, luck.randrange(len(keys)))}
    return json.dumps({**some, "do": luck.choice((*VERBS, *ODD))})


def _bytes(luck):
    return luck.randbytes(luck.randrange(2_000))


ON_A_SOCKET = (changed, changed, changed, torn, bare, lambda luck: luck.choice(RAW), _bytes)


class Stranger:
    """A page that sends what no page sends, and comes back when it is shown the door."""

    def __init__(self, port, address=STRANGER):
        self.port, self.address, self.page, self.count = port, address, None, Counter()

    def send(self, luck):
        """Send one message, and hear what there is to hear."""
        try:
            if self.page is None:
                self.page = Page(self.port, self.address)
            what = luck.choice(ON_A_SOCKET)(luck)
            if isinstance(what, bytes) and luck.random() < 0.3:  # a text that is none
                self.page.socket.send(b"\xff\xfe" + what, text=True)
            else:
                self.page.socket.send(what)
            self.count["sent"] += 1
            while said := self.page.hear(0.001):
                self.count[said["is"] if said["is"] in ("wrong", "frame") else "other answers"] += 1
        except (ConnectionClosed, InvalidHandshake, OSError):
            self.count["shown the door"] += 1
            self.leave()

    def leave(self):
        """Close the socket."""
        if self.page:
            self.page.close()
        self.page = None


# ---------------------------------------------------------------------------------- with requests


def request(port, sent, address=STRANGER):
    """Send bytes; return what comes back within a second, or until the server hangs up."""
    got = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10, (address, 0)) as one:
        one.settimeout(1)
        one.sendall(sent)
        while len(got) < 1e6 and (more := one.recv(65_536)):
            got += more
    return got


def asked(port, luck, address=STRANGER):
    """Make a request; return what was wrong with its answer, or nothing."""
    kind = luck.randrange(3)
    if kind == 0:
        path = luck.choice(PATHS)
        got = request(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode(), address)
        fine = not got or got.split(b" ", 2)[1] in (b"404", b"400", b"405", b"403")
    elif kind == 1:
        path = luck.choice(REQUESTS)
        got = request(port, path, address)
        fine = not got or got.split(b" ", 2)[1] in (b"400", b"405", b"421", b"426", b"404")
        if b"h2c" in path:  # is answered as if it had not asked for another protocol
            fine = b" 404 " in got[:20]
    else:
        host, origin = (text.format(port=port) for text in luck.choice(FROM_ELSEWHERE))
        path, got = f"{host!r} from {origin!r}", request(port, VISIT.format(host=host, origin=origin).encode(), address)
        fine = b" 403 " in got[:20] or b" 400 " in got[:20]
    if not fine or b"root:" in got or b"import " in got:
        return f"{path[:80]!r} was answered {got[:200]!r}"
    return ""


@contextlib.contextmanager
def sitting(port, many, address=SITTER):
    """Hold connections on which nothing comes, or half a request: some of them are closed by the server."""
    with contextlib.ExitStack() as held:
        for k in range(many):
            with contextlib.suppress(OSError):
                one = held.enter_context(socket.create_connection(("127.0.0.1", port), 5, (address, 0)))
                one.sendall(
                    (b"", b"GET / HTTP/1.1\r\nHost: 127", VISIT.format(host="127.0.0.1", origin="x").encode()[:-2])[
                        k % 3
                    ]
                )
        yield


# ---------------------------------------------------------------------------------- and somebody else


class Other:
    """A visitor from another address: how long the server takes to answer, time and again, until it is told to end."""

    def __init__(self, port):
        self.port, self.ended, self.took, self.wrong = port, threading.Event(), [], []

    def __enter__(self):
        page = Page(self.port)
        page.ask("scene", models=[["mission=un_only", *SMALL]], week=5)
        page.hear_a("frame")
        self.thread = threading.Thread(target=self._visit, args=(page,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(60)

    def _visit(self, page):
        while not self.ended.wait(0.3):
            try:
                for layer in ("need", "trust"):
                    begun = time.monotonic()
                    page.ask("layer", layer=layer)
                    page.hear_a("frame")
                    self.took.append(time.monotonic() - begun)
                begun = time.monotonic()
                got = request(
                    self.port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "127.0.0.1"
                )
                self.took.append(time.monotonic() - begun)
                if b'"visitors"' not in got:
                    self.wrong.append(f"health was answered {got[:80]!r}")
            except (ConnectionClosed, OSError) as error:
                self.wrong.append(f"somebody else lost his page: {type(error).__name__}: {error}")
                return
        page.close()


def attack(port, many, idle=IDLE, at_once=AT_ONCE, seed=1):
    """Send so many messages and requests; return counts, what was wrong, and how long somebody else's answers took."""
    luck, wrong, count = random.Random(seed), [], Counter()
    strangers = [Stranger(port) for _ in range(at_once)]
    with Other(port) as other, sitting(port, idle):
        for _ in range(many):
            if luck.random() < 0.1:
                wrong += filter(None, [asked(port, luck)])
                count["requests"] += 1
            else:
                luck.choice(strangers).send(luck)
    for stranger in strangers:
        stranger.leave()
        count += stranger.count
    return count, wrong + other.wrong, other.took


def main(words):
    """Attack; print counts."""
    many = int(words[0]) if words else 5_000
    with Room(40) as room:
        before, begun = room.megabytes, time.monotonic()
        count, wrong, took = attack(room.port, many)
        seconds = time.monotonic() - begun
        took.sort()
        after, tracebacks = room.megabytes, room.tracebacks
        print(f"  {', '.join(f'{n:,} {what}' for what, n in count.most_common())}, in {seconds:.0f} s")
        print(
            f"  {len(took):,} answers to somebody else: median {took[len(took) // 2]:.3f} s, slowest {took[-1]:.3f} s"
        )
        print(f"  memory {before:.0f} MB before, {after:.0f} MB after; {tracebacks} tracebacks in the log {room.log}")
        print("\n".join(f"  {sentence}" for sentence in wrong[:20]))
    return not wrong and not tracebacks and took[-1] < SLOWEST and after - before < GROWTH
