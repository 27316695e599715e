"""Damaged files: python -m tests.proof damage [FILES] [SEED]

A sweep with maps and a run that fails, and an experiment. Time and again, some of their files are damaged at random
(bits flipped; blocks of zeros, of noise, of another file; cut, emptied, taken away, a folder in its place), each is
started again, once, and the tables must be what they were, to the last byte.
"""

import contextlib
import io
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np

from experiments import __main__ as experiments
from experiments.engine import claims
from sim import __main__ as sim
from sim.results import MARK

FOLDER = object()
AT_ONCE = 10  # files that are damaged between two starts
TINY = ["weeks=12", "civilians=60", "run.workers=1"]
SWEEP = ["-m", *TINY, "mission=none,un_only", "judge.conflation=0.5,3", "run.seeds=3", "run.months=[2012-02]",
         "run.name=swept"]  # fmt: skip
EXPERIMENT = ["dose", *TINY, "experiment.seeds=2", "experiment.figures=[]"]


def flipped(content, luck, _):
    """Some bits are others."""
    content = bytearray(content)
    for at in luck.integers(len(content), size=luck.integers(1, 9)):
        content[at] ^= 1 << int(luck.integers(8))
    return bytes(content)


def _block(content, luck, block):
    at = int(luck.integers(len(content)))
    return content[:at] + block[: len(content) - at] + content[at + len(block) :]


def zeroed(content, luck, _):
    """A block is zeros."""
    return _block(content, luck, bytes(int(luck.integers(1, 4097))))


def noisy(content, luck, _):
    """A block is noise."""
    return _block(content, luck, luck.bytes(int(luck.integers(1, 4097))))


def cut(content, luck, _):
    """It ends early."""
    return content[: int(luck.integers(len(content)))]


def crossed(content, luck, another):
    """It is another file, or begins as one."""
    return another if luck.random() < 0.5 else another[: len(content) // 2] + content[len(content) // 2 :]


def emptied(*_):
    """Nothing is in it."""
    return b""


def gone(*_):
    """It is not there: returns nothing."""


def replaced(*_):
    """A folder has its name."""
    return FOLDER


DAMAGES = (flipped, zeroed, noisy, cut, crossed, emptied, gone, replaced)


def sort_of(path):
    """Return what a file is, in a word."""
    whole = {"run.npz": "run", "maps.parquet": "maps", "asked.json": "plan", "multirun.yaml": "plan"}
    if path.name.endswith(".failed.json"):
        return "failure note"
    return whole.get(path.name, "plan" if path.parent.name == "plan" else "table")


def damage(folder, luck):
    """Damage some files of a folder; yield (what it is, how)."""
    files = [f for f in sorted(folder.rglob("*")) if f.is_file() and not f.name.startswith((MARK, claims.LOCKS))]
    contents = {file: file.read_bytes() for file in files}
    for k in luck.choice(len(files), min(AT_ONCE, len(files)), replace=False):
        file, how = files[k], DAMAGES[luck.integers(len(DAMAGES))]
        of_sort = [f for f in files if sort_of(f) == sort_of(file) and contents[f] != contents[file]]
        if not contents[file] or (how is crossed and not of_sort) or (how is replaced and file.name == "multirun.yaml"):
            how = gone
        spoilt = how(contents[file], luck, how is crossed and contents[of_sort[luck.integers(len(of_sort))]])
        if spoilt == contents[file]:
            spoilt = spoilt[:-1]
        file.unlink()
        if spoilt is FOLDER:
            file.mkdir()
        elif spoilt is not None:
            file.write_bytes(spoilt)
        yield sort_of(file), how.__name__


def start(which):
    """Start the sweep or the experiment in this process; return what it said and its code, or a traceback."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), mock.patch.object(sys, "argv", ["python -m sim", *SWEEP]):
        try:
            sim.main() if which == "swept" else experiments.main(EXPERIMENT)
        except SystemExit as left:
            return said.getvalue(), left.code
        except Exception:
            return said.getvalue(), traceback.format_exc()
    return said.getvalue(), 0


def tables(folder):
    """Return the tables of a sweep as bytes."""
    files = [folder / "runs.parquet", folder / "failures.csv", *sorted((folder / "monthly").iterdir())]
    return [file.read_bytes() for file in files if file.is_file()]


def main(words):
    """Damage so many files; print what was done again."""
    numbers = [int(word) for word in words]
    wanted, luck = (numbers or [1_000])[0], np.random.default_rng(numbers[1] if len(numbers) > 1 else 1)
    home, before, tried, bad, starts = tempfile.mkdtemp(prefix="damage"), os.getcwd(), Counter(), [], 0
    os.chdir(home)
    try:
        first = {which: (start(which)[1], tables(Path("results", which))) for which in ("swept", "dose")}
        while tried.total() < wanted:
            which = ("swept", "dose")[starts % 2]
            done = list(damage(Path("results", which), luck))
            said, code = start(which)
            starts += 1
            tried.update(done)
            if (code, tables(Path("results", which))) != first[which]:
                bad.append((which, done, said, code))
                shutil.rmtree(Path("results", which))
                start(which)
    finally:
        os.chdir(before)
        shutil.rmtree(home)
    for by in (0, 1):
        print("  " + ", ".join(f"{n} {what}" for what, n in _sums(tried, by).most_common()))
    print(f"{tried.total()} files damaged, {starts} starts; after {len(bad)} other tables, another code or a traceback")
    for which, done, said, code in bad[:5]:
        print(f"{which}: {done}\n{said}\n{code}")
    return not bad


def _sums(tried, by):
    found = Counter()
    for names, n in tried.items():
        found[names[by]] += n
    return found
