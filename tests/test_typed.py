"""Public signatures have type hints, compiled rules have none, and a type checker finds the same wherever it runs.

That the hints fit each other is what `python -m mypy` says, which the continuous integration runs with the linter.
"""

import ast
import sys
import tomllib
from dataclasses import fields

import pytest
from conftest import CONF

from sim.model import Model
from sim.state import World

ROOT = CONF.parent
SOURCES = sorted(path for package in ("sim", "experiments") for path in (ROOT / package).rglob("*.py"))
COMPILED = ("kernel", "rule")  # decorators of what is compiled, whose arguments are views that have no class
each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())


def functions(nodes, where=""):
    """Yield (dotted name, function) of a module and of its classes; what has a leading underscore is left out."""
    for node in nodes:
        private = getattr(node, "name", "").startswith("_") and not getattr(node, "name", "").endswith("__")
        if isinstance(node, ast.ClassDef) and not private:
            yield from functions(node.body, f"{where}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not private:
            yield f"{where}{node.name}", node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from functions([*node.body, *getattr(node, "orelse", [])], where)


def is_compiled(function):
    """Say whether numba compiles a function."""
    return any(ast.unparse(d).partition("(")[0] in COMPILED for d in function.decorator_list)


def arguments(function, of_class):
    """Return the arguments of a function, without the first one of a method."""
    a = function.args
    found = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, [a.vararg, a.kwarg])]
    static = any(ast.unparse(d) == "staticmethod" for d in function.decorator_list)
    return found[1:] if of_class and not static else found


def lacking(source):
    """Return what lacks a hint in a source text: dotted name and argument, or `return`."""
    return [
        f"{name}: {what}"
        for name, function in functions(ast.parse(source).body)
        if not is_compiled(function)
        for what, hint in (
            *((a.arg, a.annotation) for a in arguments(function, "." in name)), ("return", function.returns)
        )
        if hint is None
    ]  # fmt: skip


@each_source
def test_every_public_function_has_a_type_for_each_argument_and_for_what_it_returns(path):
    assert lacking(path.read_text(encoding="utf-8")) == []


def test_what_lacks_a_hint_is_found_and_what_is_compiled_or_private_is_left_alone():
    source = """
def f(a, b: int = 1, *rest, c, **more) -> None: ...
async def g(a: int): ...
def _private(a): ...
@kernel
def compiled(w): ...
@rule
def process(w): ...
class A:
    def __init__(self, a) -> None: ...
    @property
    def b(self): ...
    @staticmethod
    def c(a) -> None: ...
class _Private:
    def f(self, a): ...
if True:
    def h(a: int): ...
"""
    assert lacking(source) == [
        "f: a", "f: c", "f: rest", "f: more", "g: return", "A.__init__: a", "A.b: return", "A.c: a", "h: return",
    ]  # fmt: skip


@each_source
def test_compiled_rules_have_no_hints(path):
    """What numba gives them are views, records and scalars: a class of Python would be false."""
    for name, function in functions(ast.parse(path.read_text(encoding="utf-8")).body):
        if is_compiled(function):
            hints = [function.returns, *(a.annotation for a in arguments(function, of_class=False))]
            assert not any(hints), name


def test_the_model_has_the_hints_of_its_world():
    """Its tables are set by name, which no type checker sees."""
    of_world = {f.name: f.type for f in fields(World) if f.name not in ("week", "dice")}
    assert Model.__annotations__ == of_world


def test_the_type_checker_looks_at_no_package_that_may_be_missing():
    """Its result would depend on what is installed; the linter of the continuous integration has NumPy alone."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    left_out = {name.removesuffix(".*") for group in settings["overrides"] for name in group["module"]}
    used = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                used.add(node.module.partition(".")[0])
    ours = {"sim", "experiments", "numpy", "_typeshed"}
    assert left_out == used - ours - set(sys.stdlib_module_names)
