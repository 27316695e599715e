"""What a run leaves on disk: whole or not at all, with all that is needed to make it again."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from sim import outcomes
from sim.paths import PACKAGE, ROOT, file_of

SCHEMA = 1  # version of the tables; a reader that knows this number can read them
PACKAGES = ("mesa", "numpy", "numba", "hydra-core", "pandas", "pyarrow")


def code_version():
    """Return a hash of the model's source: two runs with the same one follow the same rules."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def provenance():
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
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def fingerprint(params, with_seed=True, calibration=None):
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


def whole_folder(path, fill, sync=True):
    """Make a folder appear whole or not at all.

    Parameters
    ----------
    path : Path; an old folder of that name is replaced
    fill : function of a folder to write into; if it raises, nothing is left
    sync : wait for the disk, so that this holds after a power cut too; without, readers must check what they read
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        fill(draft)
        for file in draft.iterdir() if sync else ():
            to_disk(file)
        if path.exists():
            old = path.with_name(f".{path.name}.{os.getpid()}.old")
            path.rename(old)
            draft.rename(path)
            shutil.rmtree(old)
        else:
            draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return path


def whole_file(path, fill):
    """Make a file appear whole or not at all; `fill` writes to the path it is given."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")  # keeps the ending: writers look at it
    try:
        fill(draft)
        to_disk(draft)  # before the name: after a power cut the name must not stand for half a file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def to_disk(path):
    """Wait until a file is on the disk, not only on its way there."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def write_run(model, folder, overrides=(), cells=True):
    """Write the tables of a finished run, its configuration and its provenance into a folder of its own."""

    def fill(draft):
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
