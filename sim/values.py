"""A value of the parameter tree by its dotted path, as `country.factions.rebels.fighters`: read it, or set some.

And what is said of a name that there is not: which one may have been meant, and which there are.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.params import Params


def value_of(params: "Params", path: str) -> Any:
    """Return the value at a dotted path.

    Raises
    ------
    ValueError
        There is none: it says what is there instead.
    """
    node, where = params, ""
    for name in path.split("."):
        node, where = _inner(node, name, where, path), f"{where}.{name}" if where else name
    return node


def with_values(params: "Params", values: Mapping[str, Any]) -> "Params":
    """Return parameters with some values set by dotted path; what is not set is shared with the old ones, not copied.

    Parameters
    ----------
    params : Params; values : dict of path -> value, as {"prey.rate": 60.0}
    """
    return _set(params, [(path.split("."), value, path) for path, value in values.items()], "")


def _set(node, given, where):
    groups = {}
    for (name, *rest), value, path in given:
        groups.setdefault(name, []).append((rest, value, path))
    new = {}
    for name, inner in groups.items():
        old, here = _inner(node, name, where, inner[0][2]), f"{where}.{name}" if where else name
        leaves = [value for rest, value, _ in inner if not rest]
        new[name] = leaves[-1] if leaves else _set(old, inner, here)
    return {**node, **new} if isinstance(node, dict) else replace(node, **new)


def _inner(node, name, where, path):
    there = list(node) if isinstance(node, dict) else [f.name for f in fields(node)] if is_dataclass(node) else []
    if name not in there:
        if not there:
            raise ValueError(f"{path} is not a setting; {where} has no parts")
        raise ValueError(no_setting(f"{where}.{name}" if where else name, there))
    return node[name] if isinstance(node, dict) else getattr(node, name)


# ---------------------------------------------------------------------------------- names that there are not


def closest(name: object, known: Iterable[object]) -> str | None:
    """Return the known name that a mistyped one is nearest to; none if all are far."""
    by_small = {str(k).lower(): str(k) for k in known}
    near = get_close_matches(str(name).lower(), by_small, 1)
    return by_small[near[0]] if near else None


def among(name: object, known: Iterable[object]) -> str:
    """Return the end of a refusal of a name: which one may have been meant, and which there are.

    Parameters
    ----------
    name : str, as it was given; known : names that there are, in the order in which they are told
    """
    names = [str(k) for k in known]
    if not names:
        return "; there is none to choose"
    hint = closest(name, names)
    return f"{f' (did you mean {hint}?)' if hint else ''}; choose among {', '.join(names)}"


def no_setting(path: str, there: Collection[str], everywhere: Iterable[str] = ()) -> str:
    """Return what is said of a setting that there is not.

    Parameters
    ----------
    path : str, dotted; there : names beside it; everywhere : paths of other settings, of which one may have been meant
    """
    where, _, name = path.rpartition(".")
    meant = [p for p in everywhere if p != path and p.rpartition(".")[2] == name][:2]
    if not meant and (hint := closest(name, there)):
        meant = [f"{where}.{hint}" if where else hint]
    said = f" (did you mean {' or '.join(meant)}?)" if meant else ""
    has = f"has {', '.join(sorted(there))}" if there else "is empty: what is in it comes with a choice of files"
    return f"{path} is not a setting{said}; {where or 'the configuration'} {has}"
