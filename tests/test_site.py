"""The documents make a site without a warning, and it can be read without the internet."""

import re
import shutil
import subprocess
import sys

import pytest
from conftest import CONF

for _needed in ("sphinx", "myst_parser", "furo"):
    pytest.importorskip(_needed, reason="pip install -e '.[docs]' makes the site")

ROOT = CONF.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site of a copy of docs/, so that nothing is written beside the source."""
    copy, built = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    texts = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE")
    for name in ("sim", "experiments", "conf", *texts):
        (copy / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", copy / "docs", ignore=shutil.ignore_patterns("reference"))
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(built)]
    found = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=900)
    assert found.returncode == 0, found.stderr[-4000:]
    return built


pytestmark = pytest.mark.xdist_group("site")


def test_every_page_is_there(site):
    for path in (ROOT / "docs").rglob("*.md"):
        if "reference" not in path.parts:
            assert (site / path.relative_to(ROOT / "docs").with_suffix(".html")).is_file()
    assert "What every change needs" in (site / "reference" / "contributing.html").read_text(encoding="utf-8")


def test_nothing_is_fetched_from_elsewhere(site):
    """Links may lead out; scripts, styles, fonts and pictures may not."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""\bsrc=["']?(?:https?:)?//""", text), path.name
        assert not re.search(r"""<link\b[^>]*\bhref=["']?(?:https?:)?//""", text), path.name
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""", text), path.name


def test_the_reference_has_rules_with_their_equations_and_parameters(site):
    prey = (site / "reference" / "sim" / "sim.processes.prey.html").read_text(encoding="utf-8")
    assert re.search(r"<pre>.*hazard = rate x fighters / band x abuse", prey, re.DOTALL)
    draws = (site / "reference" / "sim" / "sim.draws.html").read_text(encoding="utf-8")
    assert 'id="sim.draws.chance"' in draws  # a compiled rule
    model = (site / "reference" / "sim" / "sim.model.html").read_text(encoding="utf-8")
    assert "processes to add, by the name" in model
    assert "<strong>years</strong>" in draws  # though it shares a line with another parameter
