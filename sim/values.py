"""A value of the parameter tree by its dotted path, as `country.factions.rebels.fighters`: read it, or set some."""

from dataclasses import fields, is_dataclass, replace


def value_of(params, path):
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


def with_values(params, values):
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
        has = ", ".join(sorted(there)) or "no parts"
        raise ValueError(f"{path} is not a setting; {where or 'the configuration'} has {has}")
    return node[name] if isinstance(node, dict) else getattr(node, name)
