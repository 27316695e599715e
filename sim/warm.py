"""What a user sees of a command: a progress bar where there is a terminal, the one-time compilation, how it ends."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sim.asked import explain

WRONG = (ValueError, OSError, HydraException, OmegaConfBaseException, RuntimeError, ImportError, YAMLError)


def say(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def in_a_sentence(there: Callable[[], str], finish: Callable[[int], int] = lambda code: code) -> Iterator[None]:
    """Have a command say in one sentence what is wrong, and end with code 2, or that it was interrupted, with 130.

    Parameters
    ----------
    there : what is said of an interruption; finish : what is still to do after an error: takes and returns the code
    """
    try:
        yield
    except WRONG as error:
        say(f"error: {explain(error)}")
        sys.exit(finish(2))
    except KeyboardInterrupt:
        say(f"interrupted: {there()}")
        sys.exit(130)


def warm_up() -> None:
    """Compile the rules if no run on this machine has done it yet, and say so: it takes a minute or two, once."""
    from sim.processes import feel  # one of the last rules that a week needs

    kept_in = {rule.stats.cache_path for rule in vars(feel).values() if hasattr(rule, "stats")}
    if any(any(Path(folder).glob("feel*.nbi")) for folder in kept_in):
        return
    from sim.config import load
    from sim.model import Model

    say("compiling the rules (a minute or two, once on a machine) ...")
    model = Model(load("mission=parallel", "civilians=50", "weeks=40"))
    model.run()


@contextmanager
def progress(what: str, total: float, done: float = 0.0, unit: str = "week") -> Iterator[Callable[[float], object]]:
    """Show a progress bar on standard error if it is a terminal; yield a function that moves it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit + "s"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(what, total=int(total), completed=int(done))
        yield lambda now: bar.update(task, completed=int(now))


@contextmanager
def between_steps() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back while compiled rules run, which it would break; yield a function that lets it through."""
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))

    def let_through():
        if pressed:
            raise KeyboardInterrupt

    try:
        yield let_through
        let_through()
    finally:
        signal.signal(signal.SIGINT, before)
