"""The lessons say what the model shows: the notebook is run from first to last, and numbers are counted again."""

import re
from pathlib import Path

import pytest

from experiments.classroom.scene import from_link
from experiments.classroom.stage import Stage
from sim import PeaceModel, load, outcomes

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: pip install -e '.[test]'")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install -e '.[test]'")

LESSONS = Path(__file__).resolve().parent.parent / "docs" / "lessons"
FILE = LESSONS / "selection.ipynb"


@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries
def test_the_notebook_runs_and_shows_what_the_lesson_says():
    notebook = nbformat.read(FILE, as_version=4)
    assert not any(c.get("outputs") for c in notebook.cells)  # it is stored without results
    done = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    said = "".join(o.get("text", "") for c in done.cells for o in c.get("outputs", []))
    assert "against the twin" in said
    assert said.count("per 100 peacekeepers") == 3
    coefficient = float(said.split("controlling for nothing")[1].split()[0])
    assert coefficient > 0  # bases stand where it is violent: the naive comparison has the wrong sign
    assert sum("image/png" in o.get("data", {}) for c in done.cells for o in c.get("outputs", [])) == 1


def _years(mission, seed):
    """Return how many civilians are killed in the years before and after week 52."""
    model = PeaceModel(load(f"mission={mission}", f"seed={seed}"))
    while model.week < 104:
        model.step()
    killed = outcomes.weekly(model).civilians_killed
    return f"{killed[:52].sum():,.0f}", f"{killed[52:].sum():,.0f}"


def test_the_fourth_lesson_counts_right():
    text = (LESSONS / "4_selection.md").read_text(encoding="utf-8").replace("\n", " ")
    before, after = _years("un_only", 8)
    assert f"{before} killings ended" in text
    assert after == "0"
    assert f"hides that {_years('none', 8)[1]} would have come" in text
    before, after = _years("un_only", 10)
    assert f"a fall from {before} to {after} that came without it as well" in text
    assert (before, after) == _years("none", 10)


def test_the_second_lesson_quotes_the_log():
    text = (LESSONS / "2_force_trust_access.md").read_text(encoding="utf-8").replace("\n", " ")
    made = Stage(from_link("?a=mission%3Dintervention_brigade&week=110"))
    while not made.there:
        made.advance(13)
    told = [(e["kind"], e["week"]) for e in made.actors[0].log if e["kind"] in ("operation", "consent")]
    assert [kind for kind, _ in told] == ["operation"] * 3 + ["consent"] * 2
    assert f"from week {told[0][1]} on" in text
    assert f'no longer wants the brigade mission" (week {told[3][1]})' in text
    assert f'leave" (week {told[4][1]})' in text


def test_the_regression_of_the_fourth_lesson_is_called_by_its_names():
    from experiments.evaluation import conflicts, regression

    text = (LESSONS / "4_selection.md").read_text(encoding="utf-8")
    code = text.split("```py")[1].split("```")[0]
    compile(code, "lesson", "exec")
    for module in (regression, conflicts):
        for name in re.findall(rf"{module.__name__.split('.')[-1]}\.(\w+)", code):
            assert hasattr(module, name), name
    assert "panels" in code
