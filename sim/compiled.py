"""Compiled rules and what they see: the tables of state under their own names, as one argument.

A rule is a function of the world, `fight(w)`, that reads like plain Python: `w.bands.fighters[b]`. Compiled, it is
given a view of the same arrays; without a compiler it is given the tables themselves. Both do the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba.core import types
from numba.experimental import structref

from sim.kernel import in_threads
from sim.state import Table, World

if TYPE_CHECKING:
    from sim.model import Model

PLAIN = bool(numba.config.DISABLE_JIT)


@dataclass
class Places(Table):
    """Where outcomes stand in the record."""

    at: np.record  # first column of each outcome by name, `name_per` if there are several of it


def rule(process: Callable[[World], None]) -> "Callable[[Model], None]":
    """Make a compiled rule of the world a process of the week, a function of the model."""
    compiled = in_threads(process)

    @wraps(process)
    def on(model):
        compiled(model.view)

    return on


def see(table: Table) -> Any:
    """Return the view that compiled rules have of a table of state, and of those in it: the same arrays."""
    if PLAIN:
        return table
    columns = COLUMNS[type(table).__name__]
    return MAKERS[type(table).__name__](*(_seen(getattr(table, name), kind) for name, kind in columns.items()))


def _seen(value, kind):
    """Return what rules see of a column. A whole number for a float would be another world, compiled for minutes."""
    return see(value) if kind.__name__ in COLUMNS else kind(value) if kind in (float, int) else value


def _tables(kind):
    """Yield the classes of tables in a class of table, the innermost first, itself last."""
    for f in fields(kind):
        if hasattr(f.type, "__dataclass_fields__"):
            yield from _tables(f.type)
    yield kind


def _columns(kind):
    """Return what rules see of a table, by name, and its type: arrays, numbers and tables; not its lists and names."""
    seen = (np.ndarray, np.record, float, int)
    return {f.name: f.type for f in fields(kind) if f.type in seen or hasattr(f.type, "__dataclass_fields__")}


def _declare(name, names):
    """Declare a type of views of a table, and return what makes them, which the compiler's cache on disk keeps."""

    def short(self, columns):
        types.StructRef.__init__(self, columns)
        # The name is part of that of every rule. The cache on disk knows types by it: it says what the columns are.
        self.name = f"{name}_{blake2b(repr(columns).encode(), digest_size=8).hexdigest()}"

    def unliteral(self, columns):
        return tuple((column, types.unliteral(kind)) for column, kind in columns)

    here = {"__module__": __name__, "__init__": short, "preprocess_fields": unliteral}
    kind = structref.register(type(f"{name}Type", (types.StructRef,), here))
    view = type(f"{name}View", (structref.StructRefProxy,), {"__module__": __name__})
    globals().update({kind.__name__: kind, view.__name__: view})
    structref.define_boxing(kind, view)
    structref.define_constructor(view, kind, list(names))
    made = f"def make_{name}({', '.join(names)}):\n    return {name}View({', '.join(names)})\n"
    scope = {"__name__": __name__, view.__name__: view}
    exec(compile(made, __file__, "exec"), scope)
    return numba.njit(cache=True)(scope[f"make_{name}"])


COLUMNS = {kind.__name__: _columns(kind) for kind in (*_tables(World), Places)}
MAKERS = {} if PLAIN else {name: _declare(name, tuple(columns)) for name, columns in COLUMNS.items()}
