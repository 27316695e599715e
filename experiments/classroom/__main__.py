"""The classroom: a page in the browser, animations and after-action sheets.

python -m experiments.classroom                                          serve the page, on this machine alone
python -m experiments.classroom --host 0.0.0.0                           for everybody in the room's network
python -m experiments.classroom --host 0.0.0.0 --name lab.example        ... who open it by a name
python -m experiments.classroom animate film.gif mission=none,un_only    an animation; a comma puts models side by side
python -m experiments.classroom animate film.mp4 '<link of the page>'    what a link or the page's file shows
python -m experiments.classroom sheet mission=sequential,separated       an after-action sheet, its numbers as CSV
"""

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.classroom import film, sheet
from experiments.classroom import scene as scenes
from experiments.engine import runs, workers
from sim import asked, paths
from sim.values import among
from sim.warm import between_steps, in_a_sentence, progress, say, warm_up


def serve(given: Namespace) -> None:
    """Serve the page until Ctrl-C."""
    try:
        import uvicorn

        from experiments.classroom import door, server
    except ImportError as error:
        raise ValueError(
            f"the page needs the package {error.name}: python -m pip install -c constraints.txt -e '.[classroom]'"
        ) from error
    if given.visitors < 1:
        raise ValueError(f"--visitors is {given.visitors}; it must be at least 1")
    warm_up()
    room = server.Classroom(given.visitors, max(1, given.workers), given.name)
    room.jobs.warm_up()
    here = [f"http://{a}:{given.port}" for a in (*door.addresses(given.host), *given.name)]
    say(f"The classroom is open at {' and '.join(here)} (Ctrl-C closes it)")
    if given.host not in ("127.0.0.1", "localhost", "::1"):
        say(f"Everybody who can reach this machine can open port {given.port}; there is no password.")
    uvicorn.run(server.application(room), host=given.host, port=given.port, log_level="warning",
                **door.limits(given.visitors))  # fmt: skip


def animate(given: Namespace) -> None:
    """Make a GIF or an MP4, with a progress bar."""
    scene = scenes.from_words(given.words)
    scene = replace(scene, layer=given.layer or scene.layer)
    path = Path(given.file)
    last = scene.week or scenes.checked(scene)[0].weeks
    warm_up()
    with progress(path.name, last) as advance, between_steps() as let_through:

        def shown(week):
            advance(week)
            let_through()

        files, _ = film.render(scene, path, given.every, shown)
    say(f"animation: {files[0]}")


def make_sheet(given: Namespace) -> None:
    """Make an after-action sheet, with a progress bar."""
    scene = scenes.from_words(given.words)
    folder = Path(given.out)
    jobs = sheet.plan(scene, given.seeds, folder / "runs")
    warm_up()
    runs.run(jobs, given.workers, "after-action sheet")
    files, said = sheet.write(scene, jobs, folder)
    for text in said:
        print(f"- {text}")
    say("\n".join(f"wrote {f}" for f in files))


SCENE = "overrides, or a link of the page in quotes, or the file that it saves"


def _arguments(words):
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m experiments.classroom", description=__doc__, formatter_class=shape)
    parser.set_defaults(do=serve)
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default: this machine alone)")
    parser.add_argument("--config-dir", help="a folder of your own countries, missions, ...")
    parser.add_argument("--port", type=int, default=8711)
    parser.add_argument("--name", action="append", default=[], metavar="NAME",
                        help="a name that the room opens it by, beside its addresses (may be given again)")  # fmt: skip
    parser.add_argument("--visitors", type=int, default=40, help="most visitors at a time")
    parser.add_argument("--workers", type=int, default=max(1, workers.available_cores() - 1),
                        help="processes that make sheets and animations")  # fmt: skip
    one = argparse.ArgumentParser(prog=f"{parser.prog} animate", description=film.__doc__, formatter_class=shape)
    one.set_defaults(do=animate)
    one.add_argument("file", help="ends in .gif or .mp4")
    one.add_argument("words", nargs="+", metavar="key=value", help=SCENE)
    one.add_argument("--every", type=int, default=film.EVERY, help="weeks between two frames")
    one.add_argument("--layer", help="shade of the maps (default: that of the link, else violence)")
    two = argparse.ArgumentParser(prog=f"{parser.prog} sheet", description=sheet.__doc__, formatter_class=shape)
    two.set_defaults(do=make_sheet)
    two.add_argument("words", nargs="+", metavar="key=value", help=SCENE)
    two.add_argument("--seeds", type=int, default=10)
    two.add_argument("--out", default="results/classroom", help="folder of the sheet")
    two.add_argument("--workers", type=int, default=workers.available_cores(), help="runs at a time")
    made, (first, *rest) = {"animate": one, "sheet": two}, words or [""]
    if first and not first.startswith("-") and first not in made:
        raise ValueError(f"{first!r} is not a command of the classroom{among(first, made)}")
    return asked.options(made[first], rest) if first in made else asked.options(parser, words)


def main(words: Sequence[str] | None = None) -> None:
    """Do what the command line asks."""
    with in_a_sentence(lambda: "nothing half-made was left"):
        given = _arguments(paths.take_folders(sys.argv[1:] if words is None else words))
        given.do(given)


if __name__ == "__main__":
    main()
