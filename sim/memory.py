"""What memory a run needs, estimated from its parameters before it is built."""

from sim import paths
from sim.params import Params

MEMORY = 16e9  # bytes that a run may need
_FEWER = "lower country.rows and country.cols"
_LOWER = {  # what needs memory: what to change when it is too much
    "lists of near cells": "lower task.patrol_km and move.place_km, or raise country.cell_km",
    "monthly maps": f"lower weeks, or {_FEWER}",
    "cells": _FEWER,
    "civilians": "lower civilians",
    "weekly numbers": "lower weeks, or raise step_weeks",
}


def too_large(params: Params, most: float = MEMORY) -> list[str]:
    """Return one sentence if a run would need more memory than that: so many bytes, asked before it is built."""
    needs = memory(params)
    if sum(needs.values()) <= most:
        return []
    first = max(needs, key=needs.__getitem__)
    return [
        f"this would need about {_bytes(sum(needs.values()))} of memory, {_bytes(needs[first])} of it for {first}, and "
        f"may need at most {_bytes(most)}; {_LOWER[first]}"
    ]


def memory(params: Params) -> dict[str, float]:
    """Estimate what a run needs, from parameters in their ranges: dict of what for -> bytes."""
    country, km = params.country, params.country.cell_km
    cells, factions, sent = _n_cells(country), len(country.factions), params.mission.components.values()
    missions = len(sent) + len(country.humanitarians) + sum(len(c.integrates) for c in sent)
    patrol = max(1, 2 * params.task.patrol_km // km)
    place = params.move.place_km / km
    near = sum((2 * reach + 1) ** 2 for reach in (1, patrol, place, 1.5 * place))
    steps = params.weeks / params.step_weeks
    return {
        "lists of near cells": near * (16 * cells + 500),  # a list is made from copies of itself, column by column
        "monthly maps": cells * (params.weeks / 4.3 + 1) * 4 * (10 + 2 * missions),
        "cells": cells * 8 * (40 + 20 * missions + 10 * factions + 10 * len(country.communities)),
        "civilians": params.civilians * 8 * (10 + factions + missions),
        "weekly numbers": steps * 8 * (50 + 20 * missions + 10 * factions),
    }


def _n_cells(country):
    """Return how many cells a country has; of a table of cells, how many lines."""
    if not country.cells:
        return country.rows * country.cols
    path = paths.file_of("country", country.cells)
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def _bytes(n):
    return f"{n / 1e9:,.1f} GB" if n >= 1e9 else f"{n / 1e6:,.0f} MB"
