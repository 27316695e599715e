"""The documents are in step with the code, with their references, and with the files they point to."""

import ast
import re
import shutil
from calendar import month_name
from dataclasses import fields, is_dataclass
from math import comb
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import dataclasses_of, loaded, play

from experiments import comparison, history
from experiments.comparison import report
from sim import __version__, describe, outcomes, params, state
from sim.mission import make_missions
from sim.model import SCHEDULE
from sim.outcomes import OUTCOMES

ROOT = Path(__file__).resolve().parent.parent
ODD = (ROOT / "docs" / "odd.md").read_text(encoding="utf-8")
BODY, REFERENCES = ODD.split("\n## References\n")
KEYS = re.findall(r"^- \*\*(.+?)\*\*: ", REFERENCES, re.MULTILINE)
WRITTEN = describe.BLOCK.sub("", BODY)  # what is written by hand
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
GENERATED = [path.read_text(encoding="utf-8") for path in (describe.ODD, describe.COLUMNS)]
PAGES = [*DOCUMENTS, *sorted((ROOT / "docs" / "lessons").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
SOURCES = sorted(path for package in ("sim", "experiments") for path in (ROOT / package).rglob("*.py"))
CITED = re.compile(r"\b([A-ZÖ][\w-]+(?:(?:, [A-ZÖ][\w-]+)* & [A-ZÖ][\w-]+| et al\.)?) ((?:19|20)\d\d)\b")
NOT_AUTHORS = {
    *month_name,
    "Republic",
    "Timor",
    "Leste",
    "Timor-Leste",
    "Darfur",
    "Mali",
}  # words that stand before a year
NUMBERS = {f.name: f.type for f in fields(params.Params) if is_dataclass(f.type) and f.name not in (
    "country", "mission", "processes")}  # fmt: skip


def section(process):
    """Return the section of a submodel."""
    found = re.search(rf"^### 7\.\d+ {process}\n(.*?)(?=^##)", WRITTEN, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    assert found, f"the ODD has no section for {process}"
    return found[1]


# ---------------------------------------------------------------------------------- in step with the code


@pytest.mark.parametrize("text", GENERATED, ids=("odd", "columns"))
def test_the_generated_parts_are_those_of_the_code(text):
    assert describe.brought_up_to_date(text) == text, "run python -m sim.describe"


def test_every_part_that_is_generated_stands_in_the_documents_once():
    found = [name for text in GENERATED for _, name, _ in describe.BLOCK.findall(text)]
    assert sorted(found) == sorted(describe.PARTS)


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


def test_the_command_leaves_a_current_document_as_it_is(capsys, tmp_path, monkeypatch):
    for name in ("ODD", "COLUMNS"):
        copy = shutil.copy(getattr(describe, name), tmp_path)
        monkeypatch.setattr(describe, name, Path(copy))
    describe.main()
    assert [path.read_text(encoding="utf-8") for path in (describe.ODD, describe.COLUMNS)] == GENERATED
    assert f"of {sum(describe.counts().values())} numbers" in capsys.readouterr().out


def test_every_process_state_variable_outcome_and_number_is_in_the_document():
    for process in SCHEDULE:
        assert section(process.__name__)
    for kind in dataclasses_of(state):
        if kind is not state.Numbers:  # which are in the tables of numbers
            assert all(f"| `{f.name}` |" in ODD for f in fields(kind) if not is_dataclass(f.type))
    assert not [o.name for o in OUTCOMES if f"`{o.name}" not in ODD], "run python -m sim.describe"
    assert not [name for name, *_ in params.rows() if f"| `{name}` |" not in ODD], "run python -m sim.describe"


def test_every_state_variable_says_what_it_is():
    assert not re.findall(r"^\| `(\w+)` \|  \|$", describe.states(), re.MULTILINE)


@pytest.mark.parametrize("group", sorted(NUMBERS))
def test_every_number_of_a_submodel_is_used_in_its_section(group):
    said = section(group)
    unnamed = [f.name for f in fields(NUMBERS[group]) if not re.search(rf"\b{f.name}\b", said)]
    assert not unnamed, f"name them in the section {group} of docs/odd.md"


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


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_everything_public_says_what_it_is(path):
    """A module, a class, a function, a method; what is set by assignment is said where it is read."""

    def silent(node, where=""):
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and inner.name[0] != "_":
                of_another = (".setter", "overload")  # which has the docstring
                alone = not any(ast.unparse(d).endswith(of_another) for d in inner.decorator_list)
                if alone and not ast.get_docstring(inner):
                    yield f"{where}{inner.name}"
                if isinstance(inner, ast.ClassDef):
                    yield from silent(inner, f"{where}{inner.name}.")

    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body
    assert list(silent(tree)) == []


# ---------------------------------------------------------------------------------- columns and words

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^- \*\*(.+?)\*\*: (\w)", GLOSSARY, re.MULTILINE)


def test_the_columns_are_those_that_a_run_has():
    """Every column of the tables of a run is on the page, by its name or by the pattern of its names."""
    model = play("mission=separated", weeks=60)
    text = describe.COLUMNS.read_text(encoding="utf-8")
    known = [re.escape(name) for name in re.findall(r"`([a-z]\w*(?:_<\w+>)*)`", text)]
    known = re.compile("|".join(re.sub(r"<(\w+)>", r"[\\w ]+", name) for name in known))
    for tables in (outcomes.weekly, outcomes.monthly, outcomes.totals, outcomes.events, outcomes.cell_month):
        said = [name for name in tables(model) if not known.fullmatch(name)]
        assert [name for name in said if name not in ("week", "date")] == [], tables.__name__


def test_the_glossary_is_in_order_and_says_each_word_once():
    words = [word.lower() for word, _ in WORDS]
    assert len(words) > 60
    assert words == sorted(set(words))


def test_words_of_several_meanings_are_explained():
    plain = {word for word, _ in WORDS}
    table = GLOSSARY.split("## Words that the code uses in more than one sense")[1]
    assert {"place", "reach", "luck", "state", "strength", "access", "expulsion"} <= plain & set(
        re.findall(r"^\| (\w+) \|", table, re.MULTILINE))  # fmt: skip


def test_names_in_the_glossary_are_names_of_the_code():
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for name in re.findall(r"`([\w.]+)(?:\(\))?`", GLOSSARY):
        assert re.search(rf"\b{name.split('.')[-1]}\b", source), name


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


def anchors(path):
    """Return the names of the headings of a document, as links use them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


@each_page
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        found = path.parent / target if target else path
        assert found.exists(), link
        assert not anchor or anchor in anchors(found), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_files_and_tests_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:sim|conf|tests|docs|experiments)/[\w./]*)`", text):
        assert (ROOT / name).exists(), name
    tests = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name


def test_the_readme_leads_to_the_documents():
    """And the index to each of them, in its text and in the table of contents of the site."""
    readme, index = (path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "docs" / "index.md"))
    assert "(docs/index.md)" in readme
    assert "(CONTRIBUTING.md)" in readme
    for path in DOCUMENTS:
        assert path.stem == "index" or re.search(rf"^{path.stem}$", index, re.MULTILINE), path.name
        assert path.stem == "index" or f"]({path.name})" in index, path.name


def test_the_results_in_the_readme_are_those_that_are_kept():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.BLOCK.search(readme)
    assert report.brought_up_to_date(readme) == readme, "run python -m experiments.comparison.report"


def test_the_numbers_in_the_words_of_the_readme_are_those_that_are_kept():
    """What stands below the table: how many pairs, who surely lowers what, how large, what is lost, what passes."""
    said = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = pd.read_csv(report.SUMMARY).set_index(["outcome", "arm"])
    missions = [arm for arm in found.loc["deaths"].index if arm != "none"]
    assert len(missions) == 8
    assert f"nine mission models x {found.n.max()} paired seeds" in said
    assert f"of the {comb(len(missions), 2)} pairs of missions" in said
    killed, deaths = (found.loc[outcome].loc[missions] for outcome in ("civilians_killed", "deaths"))
    assert killed.diff_high.idxmax() == killed["mean"].idxmax() == "regional_only", "saves fewest"
    judged_together = (report.SUMMARY.parent / "report.md").read_text(encoding="utf-8")
    assert "surely lower: civilians killed (7 of 8)" in judged_together, "surely lower killings"
    assert "civilians killed (5 of 36 pairs)" in judged_together, (
        "three of them with no mission: two of 28 pairs of missions"
    )
    assert found["mean"]["missions_expelled"]["regional_only"] > 0.5, "mostly asked to go"
    assert (deaths.difference.drop("regional_only") < deaths.difference["regional_only"]).all(), (
        "saves fewest, in all deaths too"
    )
    pairs = pd.read_csv(ROOT / "results" / "conditions" / "pairs.csv").query("condition == 'as usual' and sure")
    killed, access = (pairs[pairs.outcome == outcome] for outcome in ("civilians_killed", "access"))
    assert len(killed) == 7, "seven do, Regional only from each of the others"
    assert ((killed.arm == "regional_only") | (killed.other == "regional_only")).all()
    led = {*access[access.other == "separated"].arm, *access[access.arm == "separated"].other}
    assert {"un_only", "sequential", "parallel"} <= led, "the first sheet: a hundred seeds show it"
    more = pd.read_csv(ROOT / "results" / "conditions" / "conditions.csv").set_index(["condition", "outcome", "arm"])
    deaths, access = more.loc["as usual"].loc["deaths"], more.loc["as usual"].loc["access"]
    assert deaths.sure["regional_only"], "surely"
    assert deaths.difference["regional_only"] > 0, "it surely raises deaths overall"
    assert not deaths.sure["un_support"], "UN support is not shown to lower them"
    assert (access.sure & (access.difference < 0)).all(), "every mission lowers access"
    assert {*access.difference.nlargest(2).index} == {"separated", "separated_swapped"}, "the two separated ones least"
    access = more.loc["helmets told apart"].loc["access"]
    assert not (access.sure & (access.difference < 0)).any(), "where helmets are told apart, none does"
    strength = [make_missions(loaded("mission=regional_only", f"mission.comparison={how}")).personnel[0].sum()
                for how in ("equal_cost", "as_deployed")]  # fmt: skip
    assert f"is {strength[0] / strength[1]:.1f} times as large as deployed" in said
    scorecard = ROOT / "results" / "validation" / "scorecard.csv"
    assert ("are to be run for these rules" in said) == (not scorecard.exists())
    if scorecard.exists():
        judged = pd.read_csv(scorecard).verdict.value_counts().drop("REPORT")
        assert "FAIL" not in judged
        assert f"of {judged.sum()} rows {judged.PASS} pass, none fails, {judged.INCONCLUSIVE} are open" in said


def test_the_recipe_for_experiments_names_every_figure():
    recipe = (ROOT / "docs" / "new_experiment.md").read_text(encoding="utf-8")
    table = recipe.split("## Figures")[1].split("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall("`([^`]*)`", line.split("|")[1])
    }
    assert named == {*comparison.FIGURES, *(f"history.{name}" for name in history.FIGURES)}


def test_the_fourth_sheet_says_what_the_regression_found():
    sheet = (ROOT / "docs" / "lessons" / "4_selection.md").read_text(encoding="utf-8")
    found = (ROOT / "results" / "regression" / "regression.md").read_text(encoding="utf-8")
    for number in ("0.85 [0.76, 0.96]", "0.92 [0.72, 1.17]"):
        assert number in found
        assert number in sheet
    assert "the truth in the same conflicts is 0.84 [" in found


def test_the_questions_are_those_of_the_experiments():
    text = report.QUESTIONS.read_text(encoding="utf-8")
    made = report.questions()
    assert made.count("python -m experiments ") == 10
    assert report.brought_up_to_date(text, made) == text, "run python -m experiments.comparison.report"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 8_000


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
