"""The documents are in step with the code, with their references, and with the files they point to."""

import re
from calendar import month_name
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml
from conftest import dataclasses_of

from experiments import report
from sim import __version__, describe, params, state
from sim.model import SCHEDULE
from sim.outcomes import OUTCOMES

ROOT = Path(__file__).resolve().parent.parent
ODD = (ROOT / "docs" / "odd.md").read_text(encoding="utf-8")
BODY, REFERENCES = ODD.split("\n## References\n")
KEYS = re.findall(r"^- \*\*(.+?)\*\*: ", REFERENCES, re.MULTILINE)
WRITTEN = describe.BLOCK.sub("", BODY)  # what is written by hand
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
CITED = re.compile(r"\b([A-ZÖ][\w-]+(?:(?:, [A-ZÖ][\w-]+)* & [A-ZÖ][\w-]+| et al\.)?) ((?:19|20)\d\d)\b")
NOT_AUTHORS = {*month_name, "Republic", "Timor"}  # words that stand before a year
NUMBERS = {f.name: f.type for f in fields(params.Params) if is_dataclass(f.type) and f.name not in (
    "country", "mission", "processes")}  # fmt: skip


def section(process):
    """Return the section of a submodel."""
    found = re.search(rf"^### 7\.\d+ {process}\n(.*?)(?=^##)", WRITTEN, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    assert found, f"the ODD has no section for {process}"
    return found[1]


# ---------------------------------------------------------------------------------- in step with the code


def test_the_generated_parts_are_those_of_the_code():
    assert describe.brought_up_to_date(ODD) == ODD, "run python -m sim.describe"


def test_every_part_that_is_generated_stands_in_the_document_once():
    assert sorted(name for _, name, _ in describe.BLOCK.findall(ODD)) == sorted(describe.PARTS)


def test_no_process_is_numbered_by_hand(monkeypatch):
    """A process that comes first moves all sections by one; nothing else in the document names them by number."""
    titles = re.findall(r"^### (7\.\d+) (\w+)$", ODD, re.MULTILINE)
    assert titles == [(f"7.{n}", name) for n, name in enumerate(
        [*(process.__name__.capitalize() for process in SCHEDULE), "Parameters"], start=1)]  # fmt: skip
    assert re.findall(r"(?<!### )\b7\.\d+\b(?! bn)", WRITTEN) == []
    monkeypatch.setattr(describe, "SCHEDULE", (lambda model: None, *SCHEDULE))
    monkeypatch.setattr(describe, "BLOCK", re.compile("x^"))
    moved = re.findall(r"^### (7\.\d+) ", describe.brought_up_to_date(ODD), re.MULTILINE)
    assert moved == [f"7.{n}" for n in range(2, len(SCHEDULE) + 3)]


def test_a_changed_number_is_noticed(monkeypatch):
    monkeypatch.setattr(params, "rows", lambda: [("prey.rate", 51, "1/year", (0, 520), "attacks", "assumed")])
    assert describe.brought_up_to_date(ODD) != ODD


def test_the_command_leaves_a_current_document_as_it_is(capsys):
    describe.main()
    assert describe.ODD.read_text(encoding="utf-8") == ODD
    assert f"of {sum(describe.counts().values())} numbers" in capsys.readouterr().out


def test_every_process_state_variable_outcome_and_number_is_in_the_document():
    for process in SCHEDULE:
        assert section(process.__name__)
    for kind in dataclasses_of(state):
        assert all(f"| `{f.name}` |" in ODD for f in fields(kind))
    assert all(f"`{o.name}" in ODD for o in OUTCOMES)
    assert all(f"| `{name}` |" in ODD for name, *_ in params.rows())


def test_every_state_variable_says_what_it_is():
    assert not re.findall(r"^\| `(\w+)` \|  \|$", describe.states(), re.MULTILINE)


@pytest.mark.parametrize("group", sorted(NUMBERS))
def test_every_number_of_a_submodel_is_used_in_its_section(group):
    said = section(group)
    assert [f.name for f in fields(NUMBERS[group]) if not re.search(rf"\b{f.name}\b", said)] == []


def test_all_eleven_design_concepts_and_seven_elements_are_there():
    concepts = WRITTEN.split("## 4. Design concepts")[1].split("## 5.")[0]
    assert re.findall(r"^\*\*([\w ]+)\.\*\*", concepts, re.MULTILINE) == [
        "Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction", "Sensing",
        "Interaction", "Stochasticity", "Collectives", "Observation",
    ]  # fmt: skip
    assert re.findall(r"^## \d\. ([\w ,]+)$", WRITTEN, re.MULTILINE) == [
        "Purpose and patterns", "Entities, state variables, scales", "Process overview and scheduling",
        "Design concepts", "Initialization", "Input data", "Submodels",
    ]  # fmt: skip


# ---------------------------------------------------------------------------------- sources


def test_every_source_that_is_not_assumed_names_a_reference():
    for name, *_, source in params.rows():
        if describe.standing(source) not in ("assumed", "scenario"):
            assert any(k.lower() in source.lower() for k in KEYS), f"{name}: {source}"


def test_standings_add_up():
    assert sum(describe.counts().values()) == len(list(params.rows()))
    assert describe.standing("sign: Wood 2014") == "sign"
    assert describe.standing("median 185 (Geo-PKO 2.3)") == "number"


def test_every_reference_is_cited_and_stands_once():
    everything = BODY + "".join(p.read_text(encoding="utf-8") for p in DOCUMENTS if p.name != "odd.md")
    assert len(KEYS) == len(set(KEYS)) > 40
    assert [k for k in KEYS if k.lower() not in (everything + REFERENCES.replace(f"**{k}**", "")).lower()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_citation_stands_among_the_references(path):
    text = path.read_text(encoding="utf-8").split("\n## References\n")[0]
    text = re.sub(r"<!-- generated: choices -->.*?<!-- end -->", "", text, flags=re.DOTALL)  # years of cases
    known = " ".join(KEYS).lower()
    cited = {" ".join(found) for found in CITED.findall(text) if found[0] not in NOT_AUTHORS}
    assert [c for c in sorted(cited) if c.lower() not in known] == []


# ---------------------------------------------------------------------------------- links and citation


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "README.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_files_and_tests_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:sim|conf|tests|docs|experiments)/[\w./]*)`", text):
        assert (ROOT / name).exists(), name
    tests = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name


def test_the_readme_leads_to_the_documents():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(docs/{p.name})" in readme for p in DOCUMENTS)


def test_the_results_in_the_readme_are_those_that_are_kept():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.BLOCK.search(readme)
    assert report.brought_up_to_date(readme) == readme, "run python -m experiments.report"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 8_192


def test_the_citation_is_complete():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "abstract", "type", "version", "date-released", "authors", "license",
            "keywords", "references"} <= set(cff)  # fmt: skip
    assert cff["version"] == __version__
    assert all({"type", "title", "authors", "year"} <= set(r) for r in cff["references"])


def test_the_model_card_is_a_page_and_names_the_version():
    card = (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8")
    assert __version__ in card
    assert len(card.split()) < 900
