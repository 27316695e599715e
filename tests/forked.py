"""Run pytest many times in forks of one process that has imported the tests, for `tests.mutants`.

A line of standard input asks, in JSON: words for pytest, the file whose functions are to be as it is now (or none), and
after how many seconds to give up (or none). A line of standard output answers: the exit code of pytest, none if it was
given up, and what it printed.
"""

import contextlib
import gc
import json
import os
import signal
import sys
import tempfile
import time
import types

import pytest

OPTIONS = ("-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider")


def as_written(path):
    """Have every function that was imported from a file do what the file says now, wherever it was handed to."""

    def inner(code):
        for const in code.co_consts:
            if isinstance(const, types.CodeType):
                yield (const.co_qualname, const.co_firstlineno), const
                yield from inner(const)

    with open(path, encoding="utf-8") as file:
        now = dict(inner(compile(file.read(), path, "exec")))
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__code__.co_filename == path:
            thing.__code__ = now.get((thing.__code__.co_qualname, thing.__code__.co_firstlineno), thing.__code__)


def run(words, path, out):
    """Run pytest in this process, with what it prints in an open file; does not return."""
    os.setsid()
    os.dup2(out.fileno(), 1)
    os.dup2(out.fileno(), 2)
    if path:
        as_written(path)
    code = pytest.main([*OPTIONS, *words])
    sys.stdout.flush()
    os._exit(code)


def ask(words, path, seconds):
    """Run pytest in a fork: return its exit code, none if it does not end in time, and what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        child, start = os.fork(), time.monotonic()
        if not child:
            run(words, path, out)
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            late = seconds and time.monotonic() - start > seconds
            if ended or late:
                break
            time.sleep(0.02)
        if not ended:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        out.seek(0)
        return os.waitstatus_to_exitcode(status) if ended else None, out.read()


def main():
    """Answer until nobody asks."""
    sys.path[:] = [place for place in sys.path if place != os.path.dirname(os.path.abspath(__file__))]
    imported = set()
    for line in sys.stdin:
        words, path, seconds = json.loads(line)
        files = {word.partition("::")[0] for word in words} - imported
        if files:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                pytest.main(["--collect-only", *OPTIONS, *sorted(files)])
            imported |= files
        print(json.dumps(ask(words, path, seconds)), flush=True)


if __name__ == "__main__":
    main()
