"""How figures look: one colour and one mark per arm, one label and one unit per outcome.

Question: which line is which, and in what unit?

Things to notice: an arm keeps its colour in all figures, whichever others are drawn with it; the run without a
mission is grey. Colours follow Okabe & Ito, so they can be told apart with any colour vision, and each arm has its
own mark as well, so that the figures can be printed in grey.

Things to try: add an arm of your own: it takes the next free colour, and its label is made from its name
or stands in a file of labels/.
"""

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sim import paths
from sim.outcomes import OUTCOMES, unit_and_meaning

WIDTH = 8  # inches; at 100 dots per inch a figure is shown 800 px wide, and 9 points are 12 px
SIZE = {"title": 11, "panel": 9, "label": 9, "tick": 8, "small": 8}  # points
INK, GREY, PALE = "#222222", "#777777", "#e9e9e6"

PALETTE = (
    "#0072b2", "#009e73", "#d55e00", "#7b4fa3", "#e69f00", "#8c510a", "#56b4e9", "#cc79a7", "#8a8a2a", "#5b0f3d",
)  # fmt: skip
MARKS = ("o", "s", "^", "D", "v", "<", ">", "p", "h", "X")
LINES = ("-", "--", ":")


@dataclass(frozen=True)
class Look:
    """The colour, mark and line of an arm."""

    colour: str
    mark: str
    line: str


def looks(arms: Collection[str]) -> dict[str, Look]:
    """Return the look of each arm.

    Parameters
    ----------
    arms : sequence of str, names of arms

    Returns
    -------
    dict, arm -> Look; after ten arms the colours come again with another mark and line
    """
    first, grey = named("colours"), named("grey")
    own = {a: first.index(a) for a in arms if a in first}
    free = (k for k in itertools.count() if k not in own.values())
    number = {a: own[a] if a in own else next(free) for a in dict.fromkeys(arms) if a not in grey}
    n = len(PALETTE)
    found = {a: Look(PALETTE[k % n], MARKS[(k + k // n) % n], LINES[k // n % len(LINES)]) for a, k in number.items()}
    found |= dict.fromkeys(grey, Look(GREY, "o", "-"))
    return {a: found[a] for a in arms}


def named(kind: str) -> list[str]:
    """Return the arms that labels/ gives a look: `colours`, in their order, or `grey`."""
    return list(_labels(tuple(paths.own_folders()))[kind])


def label(name: str) -> str:
    """Return the name of an arm or a mission as people say it: `un_only` is UN only."""
    said = in_words(name)
    return said[:1].upper() + said[1:]


def in_words(name: str) -> str:
    """Return a name in words, as its label says it or in small letters: rebels, Séléka."""
    known = _labels(tuple(paths.own_folders()))
    words = name.replace("_", " ").split()
    said = [f"{int(w):,}" if w.isdecimal() else known["words"].get(w.lower(), w) for w in words]
    return known["names"].get(name, " ".join(said))


@cache
def _labels(_):
    """Return what conf/labels and users' own say: what to call names, and words in names."""
    files = [paths.file_of("labels", f"{name}.yaml") for name in paths.choices("labels")]
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    said = {kind: {k: v for part in found for k, v in part.get(kind, {}).items()} for kind in ("names", "words")}
    return said | {kind: [name for part in found for name in part.get(kind, ())] for kind in ("colours", "grey")}


# ------------------------------------------------------------------------------ outcomes and their units

# Measures that are made from several columns, and those that a study adds: (unit, meaning).
MADE = {
    "violent_deaths": ("person", "violent deaths"),  # of civilians, fighters, peacekeepers and aid workers
    "displaced": ("person", "displaced people"),  # inside the country and abroad
    "peacekeepers": ("person", "peacekeepers present"),  # troops, police and observers
}
# Shorter than the declared meanings: a panel has little room.
SHORT = {
    "excess_deaths": "deaths from unmet need",
    "institutions": "institutions people live under",
    "brd": "battle deaths",
    "peacekeepers_killed": "peacekeepers killed",
    "civilians_killed": "civilians killed",
    "access": "humanitarian access",
    "deterred": "attacks deterred",
    "answered": "attacks answered",
    "deaths": "all deaths of civilians",
    "displaced_peak": "displaced at the peak",
    "displaced_person_weeks": "displacement",
    "cost": "cost of the missions",
    "unmet_need": "unmet need",
    "idps": "displaced inside the country",
    "refugees": "in refuge abroad",
    "protests": "protests against missions",
    "missions_expelled": "missions asked to go",
    "missing_person_weeks": "person-weeks missing",
    "pay_owed_peak": "most pay owed",
    "weeks_to_war": "weeks until war",
    "relapse": "war again",
    "attacks_on_missions": "attacks on missions",
    "killed_in_sites": "civilians killed in camps and sites",
    "osv_gov": "killed by the government",
    "osv_reb": "killed by other factions",
    "rearmed": "ex-combatants who rearmed",
    "pinned": "pinned down by protests",
    "sheltered_person_weeks": "sheltered in sites",
    "agreement_collapses": "agreements that collapsed",
}
OF_A_MISSION = {
    "trust_": "trust in",
    "informed_": "bands known to",
    "consent_gov_": "the government's consent to",
    "consent_reb_": "other factions' consent to",
}
PLURALS = {
    "person": "people", "person-week": "person-weeks", "event": "events", "week": "weeks", "mission": "missions",
    "group": "groups",
}  # fmt: skip
POWERS = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
FLOWS = {o.name for o in OUTCOMES if o.month == "sum"}  # weeks add up to a month


def unit(outcome: str) -> str:
    """Return the unit of an outcome: `person`, `share`, `US$`; empty if it has none."""
    return MADE[outcome][0] if outcome in MADE else unit_and_meaning(outcome)[0]


def meaning(outcome: str) -> str:
    """Return what an outcome is, in words that begin with a capital letter."""
    declared = {o.name: o.meaning for o in reversed(OUTCOMES)} | {name: said for name, (_, said) in MADE.items()}
    said = SHORT.get(outcome) or declared.get(outcome)
    of = next((start for start in OF_A_MISSION if outcome.startswith(start)), None)
    if not said and of:
        said = f"{OF_A_MISSION[of]} {in_words(outcome.removeprefix(of))}"
    said = said or outcome.replace("_", " ")
    return said[:1].upper() + said[1:]


def meant(outcome: str) -> str:
    """Return what an outcome is, as it stands within a sentence: civilians killed, trust in UN."""
    return lowered(meaning(outcome))


def lowered(said: str) -> str:
    """Return words as they stand within a sentence: no mission, UN only."""
    return said if said[:2].isupper() else said[:1].lower() + said[1:]


def scaled_unit(unit: str, largest: float) -> tuple[float, str]:
    """Return by what to divide, and how to say the unit then.

    Parameters
    ----------
    unit : str, person, person-week, US$, share, ...; largest : float, the largest absolute value to be shown

    Returns
    -------
    (float, str), as (1e6, "million person-weeks")
    """
    said = PLURALS.get(unit, unit)
    if unit in ("share", "0/1", ""):
        return 1.0, said
    for power, name in POWERS:
        if np.isfinite(largest) and largest >= 2 * power:
            return power, f"{name} {said}"
    return 1.0, said


def short_number(value: float) -> str:
    """Return a number with two or three meaningful digits: 12,000, 350, 4.1, 0.62; a true minus sign."""
    size = abs(value)
    if size < 0.005:
        return "0"
    said = f"{value:,.0f}" if size >= 10 else f"{value:.1f}" if size >= 1 else f"{value:.2f}"
    return said.replace("-", "−")


# ------------------------------------------------------------------------------ panels


def sheet(
    height: float, title: str, rows: int = 1, cols: int = 1, shown: int | None = None, **subplots: Any
) -> tuple[Figure, NDArray[Any]]:
    """Return an empty figure of the usual width and its axes, always as a (rows, cols) array.

    Parameters
    ----------
    height : float, in inches; title : str, what the figure is about; rows, cols : int, numbers of panels
    shown : int, how many of them are shown; none: all; **subplots : as those of Figure.subplots
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, fontsize=SIZE["title"], x=0.01, ha="left", color=INK)
    axes = figure.subplots(rows, cols, squeeze=False, **subplots)
    for k, ax in enumerate(axes.flat):
        bare(ax)
        ax.set_visible(shown is None or k < shown)
    return figure, axes


def bare(ax: Axes) -> None:
    """Take away what carries no information: the upper and right spines, black ink, long ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(labelsize=SIZE["tick"], colors=INK, length=2.5, color=GREY)
    ax.xaxis.label.set(size=SIZE["label"], color=INK)
    ax.yaxis.label.set(size=SIZE["label"], color=INK)


def noted(figure: Figure, note: str) -> Figure:
    """Return a figure with the note of its country's file under its title: that it is not calibrated."""
    if note:
        said = "\n".join(filter(None, [figure.get_suptitle(), note]))
        figure.suptitle(said, fontsize=SIZE["title"], x=0.01, ha="left", color=INK)
    return figure


def footnote(figure: Figure, text: str) -> None:
    """Say below a figure how it is to be read."""
    figure.supxlabel(text, fontsize=SIZE["small"], color=GREY, x=0.01, ha="left")
