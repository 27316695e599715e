"""Where things are: the project's configuration, users' own, and what numba has compiled.

Nobody else works out where the project is. Results go to the folder that a command is started from.
"""

import argparse
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent  # of the source; of an installed copy, the folder it was installed into
CONF = next(folder for folder in (PACKAGE / "conf", ROOT / "conf") if folder.is_dir())  # a wheel carries it in sim/
VARIABLE = "PEACEKEEPING_CONF"  # of the environment: folders of users' own configuration, as PATH is written
STATES_KEPT = 4  # of the source, whose compiled rules are kept beside those of the present one


def own_folders() -> list[Path]:
    """Return the folders of users' own configuration, each laid out like conf/."""
    folders = [Path(name).absolute() for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder} was given as a folder of configuration; there is no such folder")
    return folders


@contextmanager
def also(*folders: str | Path) -> Iterator[None]:
    """Look for configuration in more folders, before those that are known."""
    before = os.environ.get(VARIABLE, "")
    try:
        look_in(*folders)
        yield
    finally:
        os.environ[VARIABLE] = before


def look_in(*folders: str | Path) -> None:
    """Look for configuration in more folders from now on, in this process and those that it starts."""
    known = [str(Path(folder).absolute()) for folder in folders]
    os.environ[VARIABLE] = os.pathsep.join([*known, *filter(None, [os.environ.get(VARIABLE)])])
    own_folders()  # refuses what is no folder


def take_folders(words: Sequence[str]) -> list[str]:
    """Look in the folders that a command line names by --config-dir or hydra.searchpath; return its other words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", action="append", default=[])
    given, rest = parser.parse_known_args(["--config-dir" if word == "-cd" else word for word in words])
    searched = [word for word in rest if word.startswith("hydra.searchpath=") and "pkg://" not in word]
    names = [name for word in searched for name in word.partition("=")[2].strip("[]").split(",")]
    look_in(*given.config_dir, *(name.strip(" '\"").removeprefix("file://") for name in names if name))
    return [word for word in rest if word not in searched]


def file_of(group: str, name: str) -> Path:
    """Return a file of a group of conf/: the project's, or else a user's own, which never has the name of one of these.

    It is the project's if there is none.
    """
    places = [folder / group / name for folder in (CONF, *own_folders())]
    return next((path for path in places if path.is_file()), places[0])


def choices(group: str, ending: str = "yaml") -> list[str]:
    """Return the names of the files in a group of conf/, the project's and users' own."""
    found = {path.stem for folder in (CONF, *own_folders()) for path in (folder / group).glob(f"*.{ending}")}
    return sorted(found)


def refuse_namesakes(folder: Path) -> None:
    """Refuse a user's file that has the name of one of the project's, which would be read in its place.

    Raises
    ------
    ValueError
        Naming the file.
    """
    for path in () if folder.samefile(CONF) else sorted(CONF.rglob("*.*")):
        name = path.relative_to(CONF)
        if (folder / name).is_file():
            raise ValueError(f"{name.as_posix()} in {folder} has the name of a file of the project; give it another")


def choose_compile_cache() -> None:
    """Have numba keep compiled rules where it can: beside the source; in the user's cache; in a temporary folder.

    It is in the folder that NUMBA_CACHE_DIR names if that is set. Left alone, numba refuses to import the rules where
    neither the package nor the home can be written; and it takes a rule for unchanged as long as its own file is,
    though the rules that it calls stand in others. So each state of the shared files has a folder of its own.
    """
    import numba

    name = f"rules-{state_of_rules()}"
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given and Path(given).name == name:  # by the process that started this one
        return
    folder = _place_for_rules(given) / name
    _let_go_of_old_rules(folder)
    os.environ["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR = str(folder)  # for processes to come, and for this one


def state_of_rules() -> str:
    """Return a digest of the files that rules share: of what is compiled, and of what it takes for constants."""
    shared = hashlib.blake2b(digest_size=8)
    for path in sorted(PACKAGE.glob("*.py")):  # of sim/processes, no file calls another
        source = path.read_bytes()
        if b"numba" in source or b"sim.kernel" in source or path.name == "state.py":
            shared.update(source)
    return shared.hexdigest()


def _let_go_of_old_rules(folder: Path) -> None:
    """Keep the compiled rules of the last few states of the source that were used: each takes some 30 MB."""
    if folder.is_dir():
        with suppress(OSError):
            os.utime(folder)
        return
    found = [path for path in folder.parent.glob("rules-*") if re.fullmatch("rules-[0-9a-f]{16}", path.name)]
    for old in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[STATES_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _place_for_rules(given: str | None) -> Path:
    if given:
        folder = Path(given)
        return folder.parent if folder.name.startswith("rules-") else folder
    if _is_writable(PACKAGE / "__pycache__"):
        return PACKAGE / "__pycache__"
    user = os.getuid() if hasattr(os, "getuid") else 0  # Windows has no such numbers, and says 0 of every file
    home = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "peacekeeping")
    shared = Path(tempfile.gettempdir(), f"peacekeeping-{user}")
    for folder in (home, shared):
        # Numba runs what it finds there, so it must be this user's own.
        if folder.is_absolute() and _is_writable(folder) and folder.stat().st_uid == user:
            return folder
    return Path(tempfile.mkdtemp(prefix="peacekeeping-"))


def _is_writable(folder: Path) -> bool:
    """Say whether a file can be made in a folder, which is made if need be; the mode of a file does not tell root."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
