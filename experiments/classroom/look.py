"""Colours and shapes of the classroom's maps, on the page and in animations.

Helmets are round and have the colours of conf/force; bands have corners and dark colours, one shape for each faction;
aid teams are crosses. Layers are shades of one hue, light to dark. So nothing depends on telling colours apart.
"""

from matplotlib.colors import to_hex

from experiments.drawing.style import GREY, INK

HOST = ("square", "#1a1a1a")
FACTIONS = (
    ("up", "#8c1020"), ("diamond", "#6b4400"), ("down", "#b0156e"), ("left", "#00555a"), ("right", "#43439a"),
    ("pentagon", "#3f6212"),
)  # fmt: skip
GROUND, OUTSIDE = "#f4f1ea", "#ffffff"
CIVILIAN, DISPLACED = "#a39c8d", "#5b1a8b"
RAMPS = {  # the darkest shade of each layer
    "violence": "#d6545c", "presence": "#4f8fd0", "access": "#3f9f8a", "institutions": "#8a76bd", "need": "#b8892a",
    "trust": "#5f9e3f",
}  # fmt: skip


def factions(model):
    """Return the shape and the colour of each faction: the host a square, the others in the order of their names."""
    others = iter(range(len(model.factions.names)))
    return [HOST if host else FACTIONS[next(others) % len(FACTIONS)] for host in model.factions.host]


def helmet(colour):
    """Return a helmet's colour as #rrggbb, whatever name it has in conf/force."""
    return to_hex(colour)


def palette():
    """Return what the page needs to draw as animations do."""
    return {"ground": GROUND, "civilian": CIVILIAN, "displaced": DISPLACED, "ramps": RAMPS, "ink": INK, "grey": GREY}
