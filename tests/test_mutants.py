"""The wrong lines of `python -m tests.mutants` are wrong lines of the source as it is."""

from collections import Counter

import mutants
import pytest

from sim.paths import ROOT

EVERY = mutants.mutants()


def code(compiled):
    """Return what a compiled source does, lines and docstrings of the file left out."""
    inner = [code(c) if hasattr(c, "co_code") else (type(c), c) for c in compiled.co_consts]
    return compiled.co_code, compiled.co_names, compiled.co_varnames, inner


def test_every_wrong_line_stands_once_in_the_source_and_does_something_else():
    for mutant in EVERY.values():
        right, wrong = (compile(text, mutant.file, "exec") for text in (mutant.source(), mutant.mutated()))
        assert code(right) != code(wrong), mutant.name


def test_wrong_lines_are_spread_over_the_source():
    number = Counter(mutant.file for mutant in EVERY.values())
    processes = [path.relative_to(ROOT).as_posix() for path in (ROOT / "sim/processes").glob("[!_]*.py")]
    assert not [f for f in (*processes, "sim/rules.py", "sim/census.py") if number[f] < 4], "four wrong lines for each"
    assert min(number[f"sim/{of_missions}.py"] for of_missions in ("mission", "plans", "mandate", "units")) >= 2
    assert sum(n for file, n in number.items() if file.startswith("experiments/")) >= 30
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in EVERY.values()}) == len(EVERY) >= 100
    assert all(list(mutants.stages(mutant)) for mutant in {m.file: m for m in EVERY.values()}.values())


def test_a_wrong_line_is_put_into_a_copy_alone_and_taken_out_again(tmp_path):
    mutant = EVERY["census-own"]
    copy = mutants.Copy(tmp_path)
    there = copy.tree / mutant.file
    before = there.read_bytes(), there.stat().st_mtime
    with copy.having(mutant):
        assert there.read_text(encoding="utf-8") == mutant.mutated() != mutant.source()
    assert (there.read_bytes(), there.stat().st_mtime) == before
    assert not any((copy.tree / name).exists() for name in mutants.ITSELF)


def test_the_table_counts_and_names_survivors():
    a, b = list(EVERY.values())[:2]
    lines = mutants.table([(a, "tests/test_x.py"), (b, None)])
    assert lines[1].split() == [a.file, "2", "1"]
    assert lines[2].split() == ["all", "2", "1"]
    assert [line.split(": ")[1] for line in lines[3:]] == [b.name]


def test_a_text_that_does_not_stand_once_is_refused(tmp_path):
    mutant = mutants.Mutant("x", "x.py", "a", "b", "")
    (tmp_path / "x.py").write_text("a a")
    with pytest.raises(ValueError, match="2 times"):
        mutant.mutated(tmp_path)
