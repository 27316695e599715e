"""What may know what: rules know no mission model, luck has one source, imports go one way."""

import ast
import builtins
import graphlib
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import CONF, choices, dataclasses_of

from sim import params
from sim.params import TASKS, rows, walk

ROOT = CONF.parent
SOURCES = sorted((ROOT / "sim").rglob("*.py"))
RULES = sorted((ROOT / "sim" / "processes").glob("*.py"))
PARTS = "rules deaths misinformation seasons siting census accounts contributors"  # of what processes do
SHARED = [ROOT / "sim" / f"{name}.py" for name in PARTS.split()]
COMPILED = [*RULES, *SHARED]
each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
each_rule = pytest.mark.parametrize("path", RULES, ids=lambda p: p.stem)

# Words that are both the name of a file in conf/ and of something else in the code. None of them is compared with the
# name of a choice; each is checked below to be only what is said here.
ALSO_SOMETHING_ELSE = {
    "un": "a flag of a force, for one column of the panel (state, outcomes): no rule reads it",
}


def tree(path):
    """Parse a source file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def docstrings(node):
    """Return the string nodes that are documentation."""
    bodies = [n.body for n in ast.walk(node) if hasattr(n, "body") and isinstance(n.body, list)]
    return {
        id(body[0].value)
        for body in bodies
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    }


def strings(path):
    """Return the strings of a source file that are not documentation."""
    parsed = tree(path)
    prose = docstrings(parsed)
    return [
        n.value
        for n in ast.walk(parsed)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in prose
    ]


def names(path):
    """Return the names and attributes that a source file uses."""
    found = [getattr(n, "id", None) or getattr(n, "attr", None) for n in ast.walk(tree(path))]
    return {n for n in found if n}


def run(parsed):
    """Yield the nodes of a source file but for those that a type checker alone reads: `if TYPE_CHECKING:`."""
    hidden = [n for n in ast.walk(parsed) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    unseen = {id(inner) for n in hidden for statement in n.body for inner in ast.walk(statement)}
    return (n for n in ast.walk(parsed) if id(n) not in unseen)


def imports(path):
    """Return the modules that a source file imports when it runs, wherever it does."""
    found = set()
    for node in run(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found.add(node.module)
    return found


def imported_names(path):
    """Return full names: module.name of each `from module import name`."""
    return {
        f"{node.module}.{alias.name}"
        for node in run(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


# ---------------------------------------------------------------------------------- mission models are data


@each_source
def test_no_code_names_a_mission_model_a_mandate_a_force_or_a_country(path):
    files = {name for group in ("mission", "mandate", "force", "country") for name in choices(group)}
    said = set(strings(path)) & files - set(ALSO_SOMETHING_ELSE)
    if path.name in ("warm.py", "__main__.py"):  # the scenario that is compiled for, the summary on the screen
        said = {s for s in said if s in _compared(path)}
    assert not said, f"{path.name} says {sorted(said)}"


@each_source
def test_no_text_in_the_code_hides_the_choice_of_a_mission_model(path):
    """`mission=parallel` in a string would be a choice made in code; only help, examples and warm-ups have them."""
    if path.name in ("warm.py", "__main__.py"):
        pytest.skip("examples and the warm-up choose a scenario, as a user does")
    found = [s for s in strings(path) for n in choices("mission") if re.search(rf"mission={n}\b", s)]
    assert not found


def _compared(path):
    """Return the strings that a source file compares with something."""
    return {
        c.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        for c in ast.walk(side)
        if isinstance(c, ast.Constant) and isinstance(c.value, str)
    }


@each_source
def test_nothing_is_decided_by_the_name_of_a_component_a_faction_a_place_or_a_community(path):
    """Names that users give are shown, looked up and hashed, but not compared with names in the code."""
    given = {
        "un", "regional", "partner", "political", "orange", "office", "brigade", "misca", "sangaris", "eufor",
        "minusca", "government", "rebels", "militia", "spoilers", "seleka", "anti_balaka", "upc", "three_r", "north",
        "south", "hills", "herders", "Bangui", "Oravel", "unamet", "interfet", "untaet", "unmiset", "amis", "african",
        "serval", "barkhane", "afisma", "minusma", "indonesian_forces", "militias", "falintil", "jem", "azawad", "Dili",
    }  # fmt: skip
    assert not _compared(path) & given


@each_rule
def test_no_rule_reads_a_name_a_helmet_a_summary_or_whether_a_mission_is_un(path):
    read = {n.attr for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute)}
    written = (
        {"un"} if path.stem == "observe" else set()
    )  # which writes down how many are of the UN, and changes nothing
    assert not read & {"helmet", "summary", "note", "cases", "un", "comparison"} - written
    compared = {
        n.attr
        for c in ast.walk(tree(path))
        if isinstance(c, ast.Compare)
        for n in ast.walk(c)
        if isinstance(n, ast.Attribute)
    }
    assert "names" not in compared


EFFECT = r"bonus|malus|effect|factor|boost|gain|advantage|multiplier|penalty|effectiveness|weight|quality|success"


def test_no_setting_is_the_effect_of_a_type_of_mission():
    """Nobody can write `parallel_bonus: 1.2`: what a mission model does comes out of what its people do."""
    kinds = {w for group in ("mission", "mandate", "force") for n in choices(group) for w in n.split("_")} | {
        "parallel", "sequential", "separated", "hybrid", "rehatting", "partnership", "orange", "blue"
    }  # fmt: skip
    kinds -= {"only", "equal", "support", "history", "none", "car", "of", *TASKS}
    keys = {f.name for group in dataclasses_of(params) for f in group.__dataclass_fields__.values()}
    keys |= {word for name, *_ in rows() for word in name.split(".")}
    keys |= {word for path, *_ in walk(params.Params()) for word in path.split(".")}
    about = {k for k in keys if set(k.split("_")) & kinds}
    # `political` is hostility earned by whoever judges an agreement, `un` a flag, `protection` that of people by
    # anybody, of which a mandate has its name; no key joins a type with an effect
    assert about <= {"un", "political", "protection", "protection_half"}
    joined = [k for k in keys if re.search(rf"({'|'.join(kinds)})_?({EFFECT})|({EFFECT})_?({'|'.join(kinds)})", k)]
    assert joined == []


def test_no_rule_reads_a_parameter_of_the_mission_model_but_coordination():
    """Rules see missions as they are (state.Missions); plans, prices and budgets are resolved before week 0."""
    for path in RULES:
        read = re.findall(r"\b(?:p|params)\.mission\.(\w+)", path.read_text(encoding="utf-8"))
        assert set(read) <= {"coordination", "donors"}, path.name


# ---------------------------------------------------------------------------------- imports


@each_rule
def test_a_rule_imports_only_numbers_and_the_model(path):
    allowed = {"numpy", "numba", "math", "statistics", "typing", "sim"}
    assert {module.split(".")[0] for module in imports(path)} <= allowed


@each_source
def test_no_command_imports_mesa(path):
    """With pandas, scipy and networkx it takes longer than a run; `sim/agents.py` is its one home."""
    if path.name == "agents.py":
        return
    assert not any(module.partition(".")[0] == "mesa" for module in imports(path))
    assert path == ROOT / "sim" / "__init__.py" or "sim.agents" not in imports(path) | imported_names(path)


@each_rule
def test_a_rule_does_not_import_what_stands_above_it(path):
    above = {"sim.model", "sim.agents", "sim.outcomes", "sim.config", "sim.results", "sim.branch"}
    assert not (imports(path) | imported_names(path)) & above


@each_rule
def test_a_rule_is_a_module_that_says_what_it_does_and_not_which_number_it_has(path):
    if path.stem == "__init__":
        return
    said = ast.get_docstring(tree(path))
    assert re.match(r"[A-Z][\w ]+[:;,.] \w", said)  # "Live and flee: the dead are counted, ..."
    assert said.lower().startswith(path.stem)
    assert any(isinstance(n, ast.FunctionDef) and n.name == path.stem for n in tree(path).body)


def test_the_numbers_and_the_state_import_nothing_of_the_model():
    for name in ("params", "state", "draws"):
        path = ROOT / "sim" / f"{name}.py"
        known = imports(path) - {"sim.values", "sim.kernel"}  # how names are looked up, and what compiles
        assert not any(module.split(".")[0] == "sim" for module in known), name
    assert not any(module.split(".")[0] == "sim" for module in imports(ROOT / "sim" / "values.py"))


@each_source
def test_the_simulator_does_not_import_its_experiments_or_its_tests(path):
    assert not {m.split(".")[0] for m in imports(path)} & {"experiments", "tests", "conftest", "matplotlib"}


EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.py"))
STUDIES = [path for path in EXPERIMENTS if path.parent.parent.name == "experiments"]


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.relative_to(ROOT / "experiments").as_posix())
def test_experiments_import_one_way_and_no_study_another(path):
    """Drawing stands on the simulator, the engine on drawing, a study on both; the engine finds studies by folder."""
    mine = path.parent.name
    below = {"drawing": set(), "engine": {"drawing"}}.get(mine, {"drawing", "engine"})
    full = {m for m in imports(path) | imported_names(path) if m.startswith("experiments.")}
    assert {m.split(".")[1] for m in full} <= {mine, *below}


def test_no_module_needs_itself_by_way_of_others():
    files = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in [*SOURCES, *EXPERIMENTS]}
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    needs = {name: (imports(path) | imported_names(path)) & set(files) for name, path in files.items()}
    for name, path in files.items():  # `from package import module` needs the module alone
        packages = {n.rpartition(".")[0] for n in imported_names(path) & set(files)}
        needs[name] -= {name, *(p for p in packages if files[p].name == "__init__.py")}
    graphlib.TopologicalSorter(needs).prepare()  # raises CycleError, which names them


@pytest.mark.parametrize("path", [p for p in STUDIES if p.parent.name in ("drawing", "engine")], ids=lambda p: p.stem)
def test_the_generic_parts_of_experiments_name_no_country_no_mission_and_no_date(path):
    assert not [s for s in strings(path) if re.search(r"\bcar\b|seleka|\b(19|20)\d\d-\d\d\b", s)]
    assert not set(strings(path)) & {*choices("mission")} - {"none"}  # which is also a word of other libraries


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: f"{p.parent.stem}/{p.stem}")
def test_the_title_of_a_figure_says_what_was_found(path):
    """A title that is the same whatever comes out answers nothing."""
    calls = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("sheet")]
    drawn = [c for c in calls if len(c.args) > 1]
    assert not [ast.unparse(c.args[1]) for c in drawn if isinstance(c.args[1], ast.Constant)]


# ---------------------------------------------------------------------------------- by name

SAID_IN_ORDER = {"param", "Outcome", "Event", "Thing", "_git"}  # declarations, and rows in the order of columns
MOST = 5  # things that a reader can tell apart by their place


@each_source
def test_a_call_with_many_arguments_names_them(path):
    """Two numbers that stand in each other's place would be swapped unseen."""
    calls = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and len(n.args) > MOST]
    long = {f"{ast.unparse(c.func)} in line {c.lineno}" for c in calls if ast.unparse(c.func) not in SAID_IN_ORDER}
    assert not long


@pytest.mark.parametrize("path", COMPILED, ids=lambda p: p.stem)
def test_compiled_rules_hand_on_numbers_by_name_and_no_tuple(path):
    """Two parameters side by side, or two of anything in a tuple, could stand in each other's place."""
    for rule in tree(path).body:
        if isinstance(rule, ast.FunctionDef):
            named = _names_of(rule)
            records = {"p"} | {name for name, value in named if ast.unparse(value).startswith("w.numbers")}
            tuples = {name for name, value in named if isinstance(value, ast.Tuple)}
            for call in filter(_calls_a_rule, ast.walk(rule)):
                where = f"{path.name} line {call.lineno}: {ast.unparse(call)}"
                given = [*call.args, *(k.value for k in call.keywords)]
                assert not any(isinstance(g, ast.Tuple) or ast.unparse(g) in tuples for g in given), where
                read = [_reads_a_number(argument, records) for argument in call.args]
                assert not any(map(all, pairwise(read))), where


def _names_of(function):
    """Return the names that a function gives to something, each with what it is."""
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            to, value = node.targets[0], node.value
            both = isinstance(to, ast.Tuple) and isinstance(value, ast.Tuple)
            found += zip(to.elts, value.elts, strict=True) if both else [(to, value)]
    return [(ast.unparse(to), value) for to, value in found]


def _calls_a_rule(node):
    """Say whether a node calls a function of the project."""
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    return called.startswith("draws.") or ("." not in called and not hasattr(builtins, called))


def _reads_a_number(node, records):
    """Say whether an expression reads a parameter, as p.rate or w.numbers.prey.rate does; records : such as p."""
    of = [ast.unparse(n.value) for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    return any(x in records or x.startswith("w.numbers.") for x in of)


# ---------------------------------------------------------------------------------- luck and time


@each_source
def test_luck_has_one_source(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"np\.random|numpy\.random|default_rng|RandomState|\.shuffle\(", text)
    assert not imports(path) & {"random", "secrets", "uuid"}
    if path.parent.name == "processes":
        assert not re.search(r"model\.(random|rng)\b", text)


@each_rule
def test_no_rule_knows_the_time_of_day_or_the_machine(path):
    assert not imports(path) & {"time", "datetime", "os", "sys", "pathlib", "platform"}


def test_every_decision_has_a_word_of_its_own():
    """Two decisions on one word would share their luck: who is attacked would also be who starves."""
    numbers = []
    for path in COMPILED:
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for value in vars(module).values():
            if getattr(value, "dtype", None) == np.uint64:
                numbers += np.atleast_1d(value).tolist()
    assert len(numbers) > 300
    assert len(set(numbers)) == len(numbers)


def test_decisions_of_a_rule_carry_its_name():
    for path in RULES:
        words = re.findall(r"decisions?\(f?\"(\w+)\.", path.read_text(encoding="utf-8"))
        assert set(words) <= {path.stem}, path.name


# ---------------------------------------------------------------------------------- what happened


@each_rule
def test_no_rule_mentions_what_was_observed(path):
    assert not {n for n in names(path) if "observed" in n}
    assert "observed" not in " ".join(strings(path))


def test_tests_and_sources_name_no_path_of_a_machine():
    for path in [*SOURCES, *sorted(Path(__file__).parent.glob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"['\"](/" + r"home|/" + r"work|/" + r"Users|/" + r"tmp|[A-Z]:\\\\)", text), path.name


def test_one_module_works_out_where_the_project_is():
    for path in [*SOURCES, *sorted((ROOT / "experiments").rglob("*.py"))]:
        if path.name != "paths.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"__file__.*parent\.parent|__file__.*parents\[", text), path.name
