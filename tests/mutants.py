"""Try whether the tests notice a wrong line: python -m tests.mutants [--list] [--again] [--folder FOLDER] [NAME ...]

`mutants.toml` has more than a hundred plausible wrong lines, all written before any was tried. Each is put into a copy
of the tree, never into this one, and the tests that are nearest to it run there until one fails: then it is killed.
Tests of rules run uncompiled first, which costs no compilation: the pencil cases that name the process, a run of the
baseline, the other pencil cases. What survives these is compiled: a wrong line in one process compiles that
process alone, for it is given a copy of what was compiled of the source as it is. All that a wrong line is tried with
must pass without it.

What was killed is remembered as long as its file is as it was, so that a command that was stopped goes on; what
survived is tried again. It ends with a table and the names of the survivors, and fails where fewer than 95% are killed.
"""

import argparse
import ast
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
OPTIONS = ("-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider")
LINES = Path(__file__).with_suffix(".toml")
ITSELF = (
    "tests/forked.py",
    "tests/mutants.py",
    "tests/mutants.toml",
    "tests/test_mutants.py",
)  # which would notice every wrong line
ENOUGH = 0.95
SLOW = re.compile(r"\bplay\(|\.run\(|planned_cost\(")  # in a pencil case: runs of years
ROW = "tests/test_baseline.py::test_a_run_gives_what_the_baseline_says"
ROWS = ("veltara-sequential-1", "car-car_history-1")  # of the baseline: all processes, and missions as they were

RULES = ("baseline", "pencil", "twins", "limits", "missions", "agents", "shocks")
NEAR = {  # by file or folder: the tests that are compiled, or need no compilation, the nearest first
    "sim/siting.py": ("pieces", *RULES),
    **dict.fromkeys(("sim/processes", *(f"sim/{name}.py" for name in ("rules", "deaths", "misinformation", "seasons",
                                                                      "census", "accounts", "contributors"))), RULES),
    **dict.fromkeys(("sim/mission.py", "sim/plans.py", "sim/mandate.py", "sim/units.py"),
                    ("missions", "pencil", "baseline", "bundles", "bad_input", "limits")),
    **dict.fromkeys(("experiments/engine/runs.py", "experiments/engine/stored.py"),
                    ("sweeps", "experiments", "hydra", "launchers", "designs")),
    "experiments/engine/sweep.py": ("hydra", "sweeps", "launchers", "designs"),
    "experiments/engine/tables.py": ("sweeps", "hydra", "export", "own_configuration"),
    "experiments/drawing": ("family", "figures", "validation", "questions", "levers", "verification"),
    "experiments/validation": ("validation", "verification", "figures"),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A wrong line: the text `old`, which stands once in a file, written as `new`, and why somebody might."""

    name: str
    file: str
    old: str
    new: str
    why: str

    def source(self, root=HERE):
        """Return the file as it is in a tree."""
        return (Path(root) / self.file).read_text(encoding="utf-8")

    def mutated(self, root=HERE):
        """Return the file with the wrong line in it."""
        source = self.source(root)
        if source.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {self.old!r} stands {source.count(self.old)} times in {self.file}, not once"
            )
        return source.replace(self.old, self.new)

    @property
    def key(self):
        """What a verdict holds for."""
        return hashlib.blake2b((self.mutated() + self.source()).encode(), digest_size=8).hexdigest()


def mutants():
    """Return all wrong lines: {name: Mutant}."""
    with LINES.open("rb") as file:
        return {name: Mutant(name, **about) for name, about in tomllib.load(file).items()}


# ------------------------------------------------------------------------------ what it is tried with


def stages(mutant, root=HERE):
    """Yield (words for pytest, how) of what a mutant is tried with in a tree, the nearest and cheapest first.

    How: uncompiled, imported (rules are compiled, and none has a wrong line) or compiled.
    """
    path = Path(mutant.file)
    near = next(NEAR[place] for place in (mutant.file, path.parent.as_posix()) if place in NEAR)
    if near is RULES:
        near_by, others = cases(root / "tests/test_pencil.py", path.stem)
        for words in (near_by, [f"{ROW}[{ROWS[0]}]"], [*others, f"{ROW}[{ROWS[1]}]"]):
            yield words, "uncompiled"
    for name in near:
        yield [f"tests/test_{name}.py"], "compiled" if near is RULES else "imported"


def cases(path, word):
    """Return the tests of a file that have a word in them, and the others; no whole runs, which are slow uncompiled."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [n for n in ast.parse("\n".join(lines)).body if isinstance(n, ast.FunctionDef) and n.name[:5] == "test_"]
    said = {f"tests/{path.name}::{n.name}": "\n".join(lines[n.lineno - 1 : n.end_lineno]) for n in found}
    quick = {name: word in text for name, text in said.items() if not SLOW.search(text)}
    return [name for name in quick if quick[name]], [name for name in quick if not quick[name]]


class Copy:
    """A copy of the tree to try wrong lines in, with compiled rules of its own."""

    def __init__(self, folder):
        self.tree, self.compiled, self.verdicts = folder / "tree", folder / "compiled", folder / "verdicts.jsonl"
        self.forks = {}
        known = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(known, cwd=HERE, capture_output=True, text=True, check=True).stdout.split("\0")
        files = {name for name in files if name and (HERE / name).is_file()} - {*ITSELF}
        for old in [path for path in self.tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts]:
            if old.relative_to(self.tree).as_posix() not in files:
                old.unlink()
        for name in files:
            self._same(name)

    def _same(self, name):
        """Have a file as it is here, to its time: what is compiled of a file is stale when that differs."""
        here, there = HERE / name, self.tree / name
        there.parent.mkdir(parents=True, exist_ok=True)
        then = there.stat().st_mtime if there.exists() else None
        if then != here.stat().st_mtime or there.read_bytes() != here.read_bytes():
            shutil.copy2(here, there)

    @contextlib.contextmanager
    def having(self, mutant):
        """Put a wrong line into the copy for a while."""
        try:
            (self.tree / mutant.file).write_text(mutant.mutated(), encoding="utf-8")
            yield
        finally:
            self._same(mutant.file)

    def test(self, words, how, mutant=None, most=None):
        """Run tests, with a wrong line or without, until one fails: return which, none if all passed, and seconds."""
        start = time.monotonic()
        with self.having(mutant) if mutant else contextlib.nullcontext():
            code, printed = (self._afresh if how == "compiled" else self._forked)(words, how, mutant, most)
        took = time.monotonic() - start
        if code is None:
            return f"no end: {words[0]}", took
        if code not in (0, 1, 2) and code > 0:  # of pytest: passed, failed, not to be read; below nought it crashed
            raise RuntimeError(f"pytest {' '.join(words)}: {printed}")
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", printed, re.MULTILINE)
        return (failed[1] if failed else words[0]) if code else None, took

    def _forked(self, words, how, mutant, most):
        """Run tests in a fork of a process that has imported what is not compiled."""
        if how not in self.forks:
            self.forks[how] = subprocess.Popen(
                [sys.executable, str(HERE / "tests/forked.py")], cwd=self.tree, env=self._env(how, self.compiled),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        fork = self.forks[how]
        fork.stdin.write(json.dumps([words, str(self.tree / mutant.file) if mutant else None, most]) + "\n")
        fork.stdin.flush()
        return json.loads(fork.stdout.readline())

    def _afresh(self, words, how, mutant, most):
        """Run tests in a process of their own, in which a wrong line has compiled rules of its own."""
        with tempfile.TemporaryDirectory(dir=self.tree.parent) as spare:
            compiled = self.compiled
            if mutant and self.compiled.is_dir():
                compiled = shutil.copytree(self.compiled, Path(spare) / "compiled")
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", *OPTIONS, *words], cwd=self.tree, env=self._env(how, compiled),
                    capture_output=True, text=True, timeout=most,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return None, ""
        return done.returncode, done.stdout + done.stderr

    def _env(self, how, compiled):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PEACEKEEPING_"))}
        env |= {"PYTHONPATH": str(self.tree), "NUMBA_CACHE_DIR": str(compiled)}
        return env | ({"NUMBA_DISABLE_JIT": "1"} if how == "uncompiled" else {})


# ------------------------------------------------------------------------------ trying


def trial(copy, mutant, usual):
    """Try one mutant; return who killed it, none if it survived, and the seconds that it took."""
    whole = 0.0
    for words, how in stages(mutant, copy.tree):
        key = (*words, how)
        if key not in usual:
            failed, usual[key] = copy.test(words, how)
            if failed:
                raise SystemExit(f"{failed} fails without any wrong line; mend it first")
        killed_by, took = copy.test(words, how, mutant, most=120 + 5 * usual[key])
        whole += took
        if killed_by:
            return killed_by, whole
    return None, whole


def remembered(path):
    """Return the verdicts of earlier commands: {key: verdict}."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {verdict["key"]: verdict for verdict in map(json.loads, lines)}


def table(tried):
    """Return what became of the mutants, (mutant, who killed it) each, as lines: by file, then the survivors."""
    rows = {}
    for mutant, killed_by in tried:
        rows.setdefault(mutant.file, []).append(bool(killed_by))
    lines = [f"{'file':<40}{'wrong lines':>12}{'killed':>8}"]
    lines += [f"{file:<40}{len(killed):>12}{sum(killed):>8}" for file, killed in rows.items()]
    lines += [f"{'all':<40}{len(tried):>12}{sum(bool(by) for _, by in tried):>8}"]
    return lines + [f"survived: {m.name}: {m.why}: {m.new!r} for {m.old!r}" for m, killed_by in tried if not killed_by]


def main(words):
    """Try the mutants that are named, or all; return whether enough were killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="wrong lines, or how their names begin; none: all")
    parser.add_argument("--list", action="store_true", help="print them and end")
    parser.add_argument("--again", action="store_true", help="forget what was killed before")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "peacekeeping-mutants",
                        help="where the copy of the tree lies, and what was found out")  # fmt: skip
    asked = parser.parse_args(words)
    every = mutants()
    if unknown := [name for name in asked.names if not any(m.startswith(name) for m in every)]:
        parser.error(f"there is no wrong line {', '.join(unknown)}; --list prints them")
    chosen = [m for m in every.values() if not asked.names or m.name.startswith(tuple(asked.names))]
    if asked.list:
        for m in chosen:
            print(f"{m.name:<28}{m.file:<40}{m.why}")
        return True
    copy, usual, tried = Copy(asked.folder), {}, []
    if asked.again:
        copy.verdicts.unlink(missing_ok=True)
    before = remembered(copy.verdicts)
    for m in chosen:
        verdict = before.get(m.key)
        if not (verdict and verdict["killed_by"]):
            killed_by, took = trial(copy, m, usual)
            verdict = {"name": m.name, "key": m.key, "killed_by": killed_by, "seconds": round(took)}
            with copy.verdicts.open("a", encoding="utf-8") as file:
                file.write(json.dumps(verdict) + "\n")
        by = verdict["killed_by"]
        print(f"{'killed' if by else 'SURVIVED':<10}{m.name:<28}{verdict['seconds']:>5} s  {by or ''}", flush=True)
        tried.append((m, by))
    print("\n".join(table(tried)))
    return sum(bool(by) for _, by in tried) >= ENOUGH * len(tried)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
