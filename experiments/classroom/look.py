"""Colours and shapes of the classroom's maps, on the page and in animations.

Helmets are round and have the colours of conf/force, each mission with a stripe of its own; bands have corners and dark
colours, one shape for each faction; aid teams are crosses. Models have a letter and a dash. Layers are shades of one
hue, light to dark. So nothing depends on telling colours apart, and no two things on one screen share a colour.
"""

from collections.abc import Sequence

from matplotlib.colors import to_hex, to_rgb

from experiments.drawing.style import INK
from sim.components import WITH, with_humanitarians
from sim.model import Model
from sim.params import Params

HOST = ("square", "#1a1a1a")
FACTIONS = (
    ("up", "#8c1020"), ("diamond", "#6b4400"), ("down", "#b0156e"), ("left", "#00555a"), ("right", "#2c2c86"),
    ("pentagon", "#3f6212"),
)  # fmt: skip
GROUND, GREY = "#f4f1ea", "#5f5f5f"  # a grey that can be read on it
CIVILIAN, DISPLACED = "#a39c8d", "#5b1a8b"
MODELS = ("#2e46e6", "#cc1b00", "#660f42")  # A, B, C: white letters can be read on them
STRIPES = ("", "bar", "slash", "post", "backslash", "half", "side", "cap")  # across a helmet, white
DARKER, LIGHTER = 0.33, 0.5  # the same helmets a second and a third time: how far to black, to white
RAMPS = {  # the darkest shade of each layer
    "violence": "#d95764", "presence": "#3094bf", "access": "#29a68d", "institutions": "#8686bf", "need": "#bf9430",
    "trust": "#74a642",
}  # fmt: skip


def factions(model: Model) -> list[tuple[str, str]]:
    """Return the shape and the colour of each faction: the host a square, the others in the order of their names."""
    others = iter(range(len(model.factions.names)))
    return [HOST if host else FACTIONS[next(others) % len(FACTIONS)] for host in model.factions.host]


def helmets(models: Sequence[Params]) -> list[dict[str, tuple[str, str]]]:
    """Return how the helmets of each mission look, so that no two missions on one screen look alike.

    Parameters
    ----------
    models : sequence of params.Params

    Returns
    -------
    for each model, name of mission -> (colour as #rrggbb, stripe): a mission of the same name and force looks the same
    in all models; another of that force is darker, a third one lighter; on one map each has a stripe of its own.
    A group of humanitarians keeps its look, whether it joined a mission or not
    """
    everybody = [with_humanitarians(p) for p in models]
    maps = [{n: (n.partition(WITH)[0], part.force.helmet) for n, part in here.items()} for here in everybody]
    sent = {(n, f) for p, here in zip(models, maps, strict=True) for n, f in here.values() if n in p.mission.components}
    found = {}
    for name, force in sorted((h for here in maps for h in here.values()), key=lambda h: h in sent):
        if (name, force) in found:
            continue
        stripes = STRIPES if (name, force) in sent else STRIPES[::-1]  # missions begin with the plain helmet
        shade = sum(f == force for _, f in found) % 3
        colour = [to_rgb(force), _mixed(force, 0, DARKER), _mixed(force, 1, LIGHTER)][shade]
        there = [set(m.values()) for m in maps if (name, force) in m.values()]
        taken = [found[h][1] for seen in there for h in seen if h in found]
        free = [s for s in stripes if s not in taken] or stripes
        unused = [s for s in free if s not in {s for _, s in found.values()}]
        found[name, force] = (to_hex(colour), (unused or free)[0])
    return [{n: found[h] for n, h in here.items()} for here in maps]


def _mixed(colour, end, share):
    return [v + (end - v) * share for v in to_rgb(colour)]


def palette() -> dict[str, str | dict[str, str]]:
    """Return what the page needs to draw as animations do."""
    return {"ground": GROUND, "civilian": CIVILIAN, "displaced": DISPLACED, "ramps": RAMPS, "ink": INK, "grey": GREY}
