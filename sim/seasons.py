"""Seasons: rains, floods and droughts, the same under every mission. Rules of the world, compiled."""

import math

from sim import draws
from sim.kernel import kernel

YEAR_OF_SEASONS = 365.25 / 7  # weeks from one rainy season to the next
FLOOD, DROUGHT = draws.decision("season.flood"), draws.decision("season.drought")


@kernel
def luck_of_year(w, decision):
    """Return the luck of a year of the calendar, 0..1: the same in every week of it and under every mission."""
    year = int((w.week[0] + w.first_week) / YEAR_OF_SEASONS)
    return draws.of_three(w.dice[0], decision, year)


@kernel
def wet(w):
    """Return how heavy the rains are this week: 0, dry, to 1, or 2 in a year of floods."""
    c = w.numbers.country
    if c.rains == 0.0:
        return 0.0
    weeks = (w.week[0] + w.first_week - c.rains_week) / YEAR_OF_SEASONS
    height = max(0.0, math.cos(2.0 * math.pi * weeks))
    return c.rains * height * (2.0 if c.flood > 0.0 and luck_of_year(w, FLOOD) < c.flood else 1.0)


@kernel
def dry(w):
    """Say whether this year is one of drought."""
    return w.numbers.country.drought > 0.0 and luck_of_year(w, DROUGHT) < w.numbers.country.drought


@kernel
def hardship(w):
    """Return the rise of need by season and drought: 1/year."""
    p = w.numbers.live
    return p.lean * min(wet(w), 1.0) + (p.drought if dry(w) else 0.0)
