"""The recipes of the documents work as they are written: their files are written, their commands and programs run."""

import os
import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest
from conftest import CONF

from sim import params

ROOT = CONF.parent
RECIPES = ("new_mission", "new_country", "new_process", "new_experiment", "columns")
LEFT = {  # what a page says that is there afterwards
    "new_experiment": {"regional_dose": {"summary.csv", "runs.parquet", "series.png", "differences.png"}}
}
BLOCK = re.compile(r"(?:`([\w/]+\.(?:yaml|csv|py))`:\n\n)?^```(\w+)( fails)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(words, folder):
    """Run Python with words as arguments in a folder; return whether it went well, and what it said."""
    found = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PEACEKEEPING_CONF": ""},
    )  # fmt: skip
    return found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("page", RECIPES)
def test_a_recipe_works(page, tmp_path):
    """A block after `file`: is that file; sh is run line by line; text is what the command before says."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("\n```") / 2
    done, output = [], ""
    for file, language, fails, body in blocks:
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(body, encoding="utf-8")
        elif language == "sh":
            for line in body.splitlines():
                program, *words = shlex.split(line, comments=True)
                assert program == "python"
                well, output = run(words, tmp_path)
                assert well == (not fails), f"{line}\n{output}"
        elif language == "python":
            well, output = run(["-c", body], tmp_path)
            assert well, output
        else:
            assert language == "text", f"a block of {language} without a file: nothing tries it"
            assert " ".join(body.split()) in " ".join(output.split())
        done.append(language)
    assert {"sh", "python"} & set(done)
    for folder, files in LEFT.get(page, {}).items():
        assert all(f"`{name}`" in text or name.endswith(".png") for name in files)
        assert files <= {path.name for path in (tmp_path / "results" / folder).iterdir()}


def test_what_the_guide_for_contributors_says_is_so():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for module in re.findall(r"python -m (\w+\.\w+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    for file in re.findall(r"`((?:sim|tests|conf|docs|\.ci)/[\w./]*)`", text):
        assert (ROOT / file).exists(), file
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f"\n{name} = [" in extras for name in re.findall(r"'\.\[(\w+)\]'", text))
    line, outcome, figure, named = re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)
    declared, measured = re.search(r"Outcome\(.*?\)", outcome)[0], re.search(r"row\[.*", outcome)[0].split("  #")[0]
    assert declared in (ROOT / "sim" / "outcomes.py").read_text(encoding="utf-8")
    assert measured in (ROOT / "sim" / "processes" / "observe.py").read_text(encoding="utf-8")
    said = {}
    exec(figure, said)  # the recipe for a figure
    runs = pd.DataFrame({"arm": ["none", "none", "un_only", "un_only"], "civilians_killed": [9, 7, 5, 3]})
    drawn = said["every_seed"](runs)
    assert drawn.get_suptitle() == "Half of the runs with UN only have at most 4 civilians killed"
    assert [t.get_text() for t in drawn.axes[0].get_yticklabels()] == ["No mission", "UN only"]
    assert "every_seed" in named
    assert line in (ROOT / "sim" / "params.py").read_text(encoding="utf-8")
    assert params.Enforce().rate == 3.0
