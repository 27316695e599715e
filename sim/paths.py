"""Where things are: the project's configuration, and what numba has compiled.

Nobody else works out where the project is. Results go to the folder that a command is started from.
"""

import os
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent  # of the source; of an installed copy, the folder it was installed into
CONF = next(folder for folder in (PACKAGE / "conf", ROOT / "conf") if folder.is_dir())  # a wheel carries it in sim/


def choose_compile_cache() -> None:
    """Have numba keep compiled rules where it can: beside the source; in the user's cache; in a temporary folder.

    It is numba's choice if NUMBA_CACHE_DIR is set. Left alone, numba refuses to import the rules where neither the
    package nor the home can be written.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or _is_writable(PACKAGE / "__pycache__"):
        return
    user = os.getuid() if hasattr(os, "getuid") else 0  # Windows has no such numbers, and says 0 of every file
    home = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "peacekeeping")
    shared = Path(tempfile.gettempdir(), f"peacekeeping-{user}")
    for folder in (home, shared):
        # Numba runs what it finds there, so it must be this user's own.
        if folder.is_absolute() and _is_writable(folder) and folder.stat().st_uid == user:
            break
    else:
        folder = Path(tempfile.mkdtemp(prefix="peacekeeping-"))
    import numba

    os.environ["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR = str(folder)  # for processes to come, and for this one


def _is_writable(folder: Path) -> bool:
    """Say whether a file can be made in a folder, which is made if need be; the mode of a file does not tell root."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
