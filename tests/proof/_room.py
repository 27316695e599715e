"""A classroom for proofs: the server in a process of its own, what it writes and weighs, and a visitor of it."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 60  # s after which an answer does not come


class Room:
    """A server of the classroom, from entering to leaving.

    Parameters
    ----------
    visitors : int, how many it takes
    """

    def __init__(self, visitors):
        self.visitors, self.log = visitors, Path(tempfile.mkdtemp(prefix="room")) / "log.txt"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        words = ["--host", "0.0.0.0", "--port", str(self.port), "--visitors", str(self.visitors), "--workers", "1"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "experiments.classroom", *words], stdout=log, stderr=log
            )
        while "is open at" not in self.log.read_text(encoding="utf-8") or not _listens(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text(encoding="utf-8"))
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def megabytes(self):
        """Memory of the server: of its own process, without those that make sheets and animations."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    @property
    def tracebacks(self):
        """How many tracebacks are in its log."""
        return self.log.read_text(encoding="utf-8").count("Traceback")


def _listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Page:
    """What a page does on its socket, without the page.

    Parameters
    ----------
    port : int; address : str, of this machine, from which it comes
    """

    def __init__(self, port, address="127.0.0.1"):
        url = f"ws://127.0.0.1:{port}/visit"
        self.held = contextlib.ExitStack()
        self.socket = self.held.enter_context(
            connect(url, max_size=None, open_timeout=PATIENCE, source_address=(address, 0))
        )

    def ask(self, do, **more):
        """Ask the server for something."""
        self.socket.send(json.dumps({"do": do, **more}))

    def hear(self, seconds=PATIENCE):
        """Return the next message; None if there is none in time. Every frame is answered, as a page does it."""
        try:
            said = json.loads(self.socket.recv(timeout=seconds))
        except TimeoutError:
            return None
        if said["is"] == "frame":
            self.ask("drawn")
        return said

    def hear_a(self, kind):
        """Return the next message of a kind."""
        while (said := self.hear()) is not None:
            if said["is"] == kind:
                return said
        raise TimeoutError(f"no {kind} came")

    def close(self):
        """Leave."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self.held.close()
