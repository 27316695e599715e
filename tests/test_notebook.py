"""The notebook of the fourth lesson, from its first cell to its last, in a kernel of its own."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: pip install -e '.[test]'")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install -e '.[test]'")

FILE = Path(__file__).resolve().parent.parent / "docs" / "lessons" / "selection.ipynb"


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
