"""The lessons say what the model shows: the notebook is run from first to last, and numbers are counted again."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.classroom.scene import cards, from_link
from experiments.comparison import lessons, report
from experiments.engine.experiment import Experiment
from sim import PeaceModel, load

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: pip install -e '.[test]'")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install -e '.[test]'")

LESSONS = Path(__file__).resolve().parent.parent / "docs" / "lessons"
FILE = LESSONS / "selection.ipynb"


@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries
def test_the_notebook_runs_and_shows_what_the_lesson_says():
    notebook = nbformat.read(FILE, as_version=4)
    assert not any(c.get("outputs") for c in notebook.cells)  # it is stored without results
    done = nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    said = "".join(o.get("text", "") for c in done.cells for o in c.get("outputs", []))
    assert "against the twin" in said
    assert said.count("per 100 peacekeepers") == 3
    coefficient = float(said.split("controlling for nothing")[1].split()[0])
    assert coefficient > 0  # bases stand where it is violent: the naive comparison has the wrong sign
    assert sum("image/png" in o.get("data", {}) for c in done.cells for o in c.get("outputs", [])) == 1


def _text(name):
    return (LESSONS / name).read_text(encoding="utf-8").replace("\n", " ").replace("  ", " ")


def test_the_first_lesson_says_when_the_un_comes():
    alone = PeaceModel(load("mission=un_only"))
    comes = alone.missions.arrive[0] - alone.params.mission.authorised
    force = alone.params.mission.components["un"].force
    said = f"takes {comes:.0f} weeks to arrive and {force.build_up:.0f} more"
    assert said in _text("1_partnership_models.md")
    assert comes + force.build_up == pytest.approx(52, abs=2.5)  # about a year in all


def made_up(arms, seeds=10):
    """Return runs in which each arm has a hundred more killed than the one before it, and the same access."""
    luck = np.random.default_rng(1).normal(0, 10, seeds)
    return pd.DataFrame([
        {"arm": arm, "seed": seed, "civilians_killed": 1000 + 100 * k + luck[seed] + k * luck[seed - 1] / 10,
         "access": 0.8} for k, arm in enumerate(arms) for seed in range(seeds)
    ])  # fmt: skip


def test_the_table_of_a_lesson_says_which_models_surely_differ():
    of = {"one": [["A", "B"], ["C", "A"]], "other": [["B", "C"]]}
    found = lessons.table(made_up(["A", "B", "C"]), of, ["civilians_killed", "access"])
    assert len(found) == 2 * (2 + 2 + 2)
    letters = found[(found.lesson == "one") & (found.scene == 1)].set_index(["outcome", "arm"]).letters
    assert letters["civilians_killed", "A"] != letters["civilians_killed", "B"]
    assert letters["access", "A"] == letters["access", "B"]
    text = lessons.shown(found, "one")
    assert text.count("| model |") == 2
    assert "They cannot be told apart on humanitarian access" in text
    assert "80% [80%, 80%] a" in text
    assert "C" not in lessons.shown(found[found.scene == 1], "one").split("|")


def test_what_lessons_show_is_what_their_cards_set():
    """Of the luck of the cards; the experiment has other seeds, too."""
    asked = Experiment("lessons")
    on_cards = [{frozenset(m) for m in card["models"]} for card in cards()]
    links = {sheet: re.findall(r"`(\?a=[^`]*)`", (LESSONS / f"{sheet}.md").read_text(encoding="utf-8"))
             for sheet in lessons.scenes(asked)}  # fmt: skip
    for sheet, scenes in lessons.scenes(asked).items():
        shown_there = [from_link(link).models for link in links[sheet]]
        assert any({frozenset(m) for m in models} in on_cards for models in shown_there), sheet
        luck = [{o for o in model if o.startswith("seed=")} for models in shown_there for model in models]
        assert all(found == luck[0] != set() for found in luck), sheet
        set_there = [[sorted(o for o in m if not o.startswith("seed=")) for m in models] for models in shown_there]
        for arms in scenes:
            assert [sorted(asked.about.arms[arm]) for arm in arms] in set_there, (sheet, arms)


def test_the_tables_of_the_lessons_are_those_that_were_counted():
    if not report.COUNTED.is_file():
        pytest.skip("lessons have not been counted: python -m experiments lessons")
    counted = pd.read_csv(report.COUNTED)
    for sheet in counted.lesson.unique():
        text = (LESSONS / f"{sheet}.md").read_text(encoding="utf-8")
        made = lessons.shown(counted, sheet)
        assert report.brought_up_to_date(text, made) == text, "run python -m experiments.comparison.report"


def test_the_regression_of_the_fourth_lesson_is_called_by_its_names():
    from experiments.regression import conflicts, field

    text = (LESSONS / "4_selection.md").read_text(encoding="utf-8")
    code = text.split("```py")[1].split("```")[0]
    compile(code, "lesson", "exec")
    for module in (field, conflicts):
        for name in re.findall(rf"{module.__name__.split('.')[-1]}\.(\w+)", code):
            assert hasattr(module, name), name
    assert "panels" in code
