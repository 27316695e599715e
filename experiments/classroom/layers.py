"""The layers of the map: what can be shown of each cell as a shade."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model import Model
from sim.params import AID
from sim.processes import relieve
from sim.rules import controller
from sim.values import among


def _presence(model):
    return model.task_presence("protect").sum(axis=0)


def _access(model):
    """Return the chance that an aid team of those in the country could work in each cell; nan without any: (C,)."""
    aid = model.missions.persons[:, AID]
    if aid.sum() < 1:
        return np.full(model.land.row.size, np.nan)
    p, land = model.numbers.relieve, model.land
    found = np.zeros(land.row.size)
    for c in range(found.size):
        hostility = model.factions.hostility[controller(model.view, c)]
        for m in np.flatnonzero(aid >= 1):
            angry = hostility[model.missions.command[m]]
            free = relieve.access(
                p, hostility=angry, fighting=land.felt[c], held=0.0, remoteness=land.remoteness[c], wet=0.0
            )
            found[c] += aid[m] * free
    return found / aid[aid >= 1].sum()


def _need(model):
    return model.census.need / np.maximum(model.census.persons, 1)


def _trust(model):
    size = np.where(model.missions.donors, 0.0, model.missions.persons.sum(axis=1))
    if size.sum() < 1:
        return np.full(model.land.row.size, np.nan)
    return (model.census.trust[model.missions.command] * size[:, None]).sum(axis=0) / size.sum()


@dataclass(frozen=True)
class Layer:
    """Something that each cell has: how it is called, its unit, the value of the darkest shade, where it comes from."""

    title: str
    unit: str
    top: float
    of: Callable[[Model], NDArray[np.float64]]  # model -> (C,); nan where there is nothing to show


LAYERS = {
    "violence": Layer("Violence", "felt there and around", 1.0, lambda m: m.land.felt),
    "presence": Layer("Presence", "that protects, effective persons in reach", 50.0, _presence),
    "access": Layer("Aid access", "chance that an aid team can work", 1.0, _access),
    "institutions": Layer("Institutions", "reach and quality of the state", 0.5, lambda m: m.land.institutions),
    "need": Layer("Unmet need", "of those who live there", 1.0, _need),
    "trust": Layer("Trust", "in the missions that are there", 1.0, _trust),
}


def known_layer(layer: str) -> str:
    """Return a layer's name, refused if there is none of that name."""
    if layer not in LAYERS:
        raise ValueError(f"layer is {layer!r}{among(layer, LAYERS)}")
    return layer
