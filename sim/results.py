"""What a run leaves on disk: whole or not at all, with all that is needed to make it again."""

import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from sim import outcomes
from sim.paths import PACKAGE, ROOT, file_of

if TYPE_CHECKING:
    from sim.calibrated import Calibration
    from sim.model import Model
    from sim.params import Params

SCHEMA = 1  # version of the tables; a reader that knows this number can read them
NAME = re.compile(r"\w[\w .,=+@-]{0,99}")  # of results: no folder, nothing hidden
MARK = ".peacekeeping-"  # and a sort: an empty file in every folder of results, which no damage changes
RUN, SWEEP, EXPERIMENT = "run", "sweep", "experiment"  # sorts; of an experiment, with its name
TABLES_OF_A_RUN = ("weekly.csv", "monthly.csv", "monthly.parquet", "events.csv", "cell_month.parquet", "outcomes.json",
                   "columns.csv", "config.yaml", "overrides.txt", "provenance.json")  # fmt: skip
SEAL = 64  # bytes at the end of a sealed file: the digest of those before
PACKAGES = ("mesa", "numpy", "numba", "hydra-core", "pandas", "pyarrow")


def code_version() -> str:
    """Return a hash of the model's source: two runs with the same one follow the same rules."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def provenance() -> dict[str, str | int]:
    """Return what made a result: model version, commit, package versions. Nothing about the machine's owner."""
    return {
        "schema": SCHEMA,
        "code": code_version(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", "sim", "conf", "experiments")),
        "python": platform.python_version(),
        **{name: _installed(name) for name in PACKAGES},
    }


def _git(*words):
    if not (ROOT / ".git").exists():  # an installed copy, perhaps inside another project's repository
        return ""
    try:
        # No lock: a sweep that is killed meanwhile would leave it, and git would refuse to work in the repository.
        call = ["git", "--no-optional-locks", *words]
        done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def fingerprint(params: "Params", with_seed: bool = True, calibration: "Calibration | None" = None) -> str:
    """Return a hash of the resolved configuration, with the tables that it names and the calibrated values."""
    content = asdict(params)
    if calibration:
        content["calibration"] = calibration.made_by
    if not with_seed:
        del content["seed"]
    for table in ("cells", "observed"):
        path = file_of("country", getattr(params.country, table) or "")
        if path.is_file():
            content["country"][table] = [path.name, hashlib.sha256(path.read_bytes()).hexdigest()]  # wherever it lies
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


# ------------------------------------------------------------------------------ whose a place is


def checked_name(name: str | None) -> str:
    """Return the name of some results, or the empty one.

    Raises
    ------
    ValueError
        It is no plain name, and could name a folder elsewhere.
    """
    if name and not NAME.fullmatch(name):
        raise ValueError(f"run.name is {name!r}; it must be a name of at most 100 letters, digits, spaces and _.,=+@- "
                         "that begins with a letter or a digit; where results go is said by run.results")  # fmt: skip
    return name or ""


def refuse_what_is_not_ours(folder: str | Path, sort: str) -> None:
    """Refuse a place for results unless it is free, or a folder that carries the mark of results of the same sort.

    Parameters
    ----------
    folder : Path; sort : RUN, SWEEP, or EXPERIMENT and a name

    Raises
    ------
    ValueError
        Saying what is there.
    """
    folder, way_out = Path(folder), "give another run.name, or move it away"
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or (sort == RUN and folder.is_symlink()):
        raise ValueError(f"{folder} is there already and is no folder; {way_out}")
    there = {path.name for path in folder.iterdir()}
    marks = {name.removeprefix(MARK) for name in there if name.startswith(MARK)}
    if there and marks != {sort}:
        holds = " and ".join(sorted(marks)).replace("-", " ") or "what are no results of ours"
        ours = f"{'an' if sort.startswith(EXPERIMENT) else 'a'} {sort.replace('-', ' ')}"
        raise ValueError(f"{folder} holds {holds}, and {ours} would take its place; {way_out}")
    if sort == RUN and (strange := sorted(there - {MARK + RUN, *TABLES_OF_A_RUN})):
        raise ValueError(f"{folder} holds {strange[0]}, which would be lost if the run were replaced; {way_out}")


def claim(folder: str | Path, sort: str) -> None:
    """Make a folder for results and mark it, unless it is not ours: then refuse it, as above."""
    refuse_what_is_not_ours(folder, sort)
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / (MARK + sort)).touch()


# ------------------------------------------------------------------------------ files that carry their digest


class Damaged(ValueError):  # noqa: N818  says what the file is
    """A file that is not what was written."""


def seal(content: bytes, of: str = "") -> bytes:
    """Return bytes with their digest after them, and that of a name: no other file can take the place of this one."""
    return content + hashlib.sha256(of.encode() + content).hexdigest().encode()


def unsealed(path: str | Path, of: str = "") -> bytes:
    """Return the bytes of a sealed file, with the seal, once it is sure that they are those that were written.

    Raises
    ------
    Damaged
        Saying what is wrong with it; FileNotFoundError if there is none.
    """
    try:
        found = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {error.strerror}") from error
    if len(found) < SEAL or seal(found[:-SEAL], of) != found:
        raise Damaged(f"{path} is not what was written")
    return found


def packed(arrays: Mapping[str, NDArray[Any]], of: str = "") -> bytes:
    """Return arrays by name as the bytes of an .npz, which is sealed: its digest is the comment of the archive."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = bytes(SEAL)
    return seal(file.getvalue()[:-SEAL], of)


def unpacked(path: str | Path, of: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays of a sealed .npz by name, read into memory; raises as `unsealed`."""
    content = io.BytesIO(unsealed(path, of))
    try:
        with np.load(content, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except ValueError as error:
        raise Damaged(f"{path} holds something else than plain arrays") from error


def write_note(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a dictionary as JSON, whole or not at all, and sealed: the last line is its digest."""
    text = json.dumps(content, indent=1) + "\n"
    whole_file(path, lambda draft: draft.write_bytes(seal(text.encode(), Path(path).name)))


def read_note(path: str | Path) -> dict[str, Any]:
    """Return what `write_note` wrote; raises as `unsealed`."""
    return json.loads(unsealed(path, Path(path).name)[:-SEAL])


# ------------------------------------------------------------------------------ whole or not at all


def whole_folder(path: str | Path, fill: Callable[[Path], object], sync: bool = True) -> Path:
    """Make a folder appear whole or not at all.

    Parameters
    ----------
    path : Path; what has that name is replaced, so it must be ours
    fill : function of a folder to write into; if it raises, nothing is left
    sync : wait for the disk, so that this holds after a power cut too; without, readers must check what they read
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    discard(draft)
    draft.mkdir()
    try:
        fill(draft)
        for file in draft.iterdir() if sync else ():
            to_disk(file)
        if os.path.lexists(path):
            old = path.with_name(f".{path.name}.{os.getpid()}.old")
            discard(old)
            path.rename(old)
            draft.rename(path)
            discard(old)
        else:
            draft.rename(path)
    finally:
        discard(draft)
    return path


def discard(path: Path) -> None:
    """Take away a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def whole_file(path: str | Path, fill: Callable[[Path], object]) -> Path:
    """Make a file appear whole or not at all; `fill` writes to the path it is given."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")  # keeps the ending: writers look at it
    try:
        fill(draft)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # an empty folder, which some damage left there; one that holds something stays, and is said
        to_disk(draft)  # before the name: after a power cut the name must not stand for half a file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def to_disk(path: Path) -> None:
    """Wait until a file is on the disk, not only on its way there."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def write_run(model: "Model", folder: str | Path, overrides: Iterable[str] = (), cells: bool = True) -> Path:
    """Write the tables of a finished run, its configuration and its provenance into a folder of its own.

    An earlier run there is replaced; anything else is refused, as in `refuse_what_is_not_ours`.
    """
    refuse_what_is_not_ours(folder, RUN)

    def fill(draft):
        (draft / (MARK + RUN)).touch()
        outcomes.weekly(model).to_csv(draft / "weekly.csv", index=False)
        panel = outcomes.monthly(model)
        panel.to_csv(draft / "monthly.csv", index=False)
        panel.to_parquet(draft / "monthly.parquet", index=False)
        outcomes.events(model).to_csv(draft / "events.csv", index=False)
        if cells:
            outcomes.cell_month(model).to_parquet(draft / "cell_month.parquet", index=False)
        _json(draft / "outcomes.json", outcomes.totals(model))
        (draft / "columns.csv").write_text(outcomes.dictionary(model.record.outcomes), encoding="utf-8")
        (draft / "config.yaml").write_text(yaml.safe_dump(asdict(model.params), sort_keys=False), encoding="utf-8")
        (draft / "overrides.txt").write_text("".join(f"{o}\n" for o in overrides), encoding="utf-8")
        _json(draft / "provenance.json", {"seed": model.params.seed, **provenance()})

    return whole_folder(folder, fill)


def _json(path, content):
    plain = {k: (None if v != v else v) for k, v in content.items()}  # nan is not JSON
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
