"""The stage as a picture: maps with their marks, numbers, phases, and what the marks mean."""

import math
import textwrap
from collections import Counter
from functools import cache, lru_cache

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageChops, ImageDraw, ImageFont

from experiments.classroom import look, words
from experiments.classroom import scene as scenes
from experiments.classroom.layers import LAYERS
from experiments.classroom.stage import HEADLINES, Headline, Stage, authorised
from experiments.drawing import style
from sim.components import WITH
from sim.state import AWAY, HOME

SIZE = (1280, 720)  # divides by 16, as MP4 wants
STEPS = 8  # supersampling of marks
TITLE, BELOW = 64, 84  # pixels above and below the maps
SET_AT = 165  # characters of a line across the picture
PALE = 0.35  # of a colour: what is only planned
NOTE = "A thinking tool, not a forecast."


@cache
def _font(size, bold=False):
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans" + (":bold" if bold else "")), size)


def rgb(colour: str) -> tuple[int, ...]:
    """Return a colour, as #3b8ede, in parts of 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def blend(colour: str, share: float) -> tuple[int, ...]:
    """Return a share of a colour over that of the ground, in parts of 255."""
    return tuple(round(a + (b - a) * share) for a, b in zip(rgb(look.GROUND), rgb(colour)))


CORNERS = {  # of a mark, in units of its radius
    "square": ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)),
    "up": ((0, -1), (0.95, 0.8), (-0.95, 0.8)),
    "down": ((0, 1), (0.95, -0.8), (-0.95, -0.8)),
    "left": ((-1, 0), (0.8, -0.95), (0.8, 0.95)),
    "right": ((1, 0), (-0.8, -0.95), (-0.8, 0.95)),
    "diamond": ((0, -1.1), (1.1, 0), (0, 1.1), (-1.1, 0)),
    "pentagon": tuple((math.sin(2 * math.pi * k / 5), -math.cos(2 * math.pi * k / 5)) for k in range(5)),
    "cross": tuple((x / 3, y / 3) for x, y in (
        (-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1), (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1))),
    # stripes across a helmet
    "bar": ((-1, -0.22), (1, -0.22), (1, 0.22), (-1, 0.22)),
    "post": ((-0.22, -1), (0.22, -1), (0.22, 1), (-0.22, 1)),
    "slash": ((-0.86, 0.55), (0.55, -0.86), (0.86, -0.55), (-0.55, 0.86)),
    "backslash": ((0.86, 0.55), (-0.55, -0.86), (-0.86, -0.55), (0.55, 0.86)),
    "half": ((-1, 0.1), (1, 0.1), (1, 1), (-1, 1)),
    "side": ((-1, -1), (-0.1, -1), (-0.1, 1), (-1, 1)),
    "cap": ((-1, -1), (1, -1), (1, -0.3), (-1, -0.3)),
}  # fmt: skip


@lru_cache(maxsize=512)
def _mark(shape, colour, radius, hollow=False, stripe=""):
    """Return a small picture of a mark with a white rim and the stripe of its mission."""
    half = (radius + 3) * STEPS
    picture = Image.new("RGBA", (2 * half, 2 * half), (255, 255, 255, 0))

    def solid(shape, r):
        mask, r = Image.new("L", picture.size), r * STEPS
        if shape == "circle":
            ImageDraw.Draw(mask).ellipse([half - r, half - r, half + r, half + r], fill=255)
        else:
            ImageDraw.Draw(mask).polygon([(half + x * r, half + y * r) for x, y in CORNERS[shape]], fill=255)
        return mask

    inner = solid(shape, radius)
    picture.paste("white", mask=solid(shape, radius + 1.5))
    picture.paste(colour, mask=inner)
    if stripe:
        ink = style.INK if min(rgb(colour)) > 130 else "white"  # white cannot be seen on a pale helmet
        picture.paste(ink, mask=ImageChops.multiply(inner, solid(stripe, radius)))
    if hollow:
        picture.paste("white", mask=solid(shape, radius * 0.45))
    return picture.resize((2 * (radius + 3),) * 2, Image.Resampling.LANCZOS)


class Painter:
    """Paints a stage as it is.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.layer = stage, stage.layer
        changes, self.common = scenes.changes(stage.models)
        self.helmets = look.helmets([a.params for a in stage.actors])
        n = len(stage.actors)
        land = stage.actors[0].model.land
        self.wide = SIZE[0] // n
        beside = n == 1
        room = (SIZE[1] - TITLE - BELOW - 8, 700) if beside else (SIZE[1] - TITLE - BELOW - 34 - 128, self.wide - 24)
        self.said = [textwrap.wrap("; ".join(c), SET_AT // n)[:3] for c in changes]
        self.lines = max(map(len, self.said))
        room = (room[0] - (0 if beside else 16 * self.lines), room[1])
        self.px = max(2, min(room[0] // land.shape[0], room[1] // land.shape[1]))
        self.beside = beside
        self.looks = look.factions(stage.actors[0].model)
        self.spots = self._spots(land)

    def _spots(self, land, most=700):
        """Return where in its cell each dot goes, in pixels: (C, most, 2), the same in every week."""
        rng = np.random.default_rng(7)  # places of dots: nothing that the model knows
        return rng.integers(0, self.px, (land.row.size, most, 2), dtype=np.int16)

    def paint(self) -> Image.Image:
        """Return the present week as a picture."""
        picture = Image.new("RGB", SIZE, "white")
        draw = ImageDraw.Draw(picture)
        stage, first = self.stage, self.stage.actors[0].model
        draw.text((20, 14), first.params.country.name, font=_font(26, True), fill=style.INK)
        draw.text((20, 46), first.params.country.note, font=_font(13), fill=look.GREY)
        when = f"week {stage.week}  ·  {first.record.day(stage.week):%B %Y}"
        draw.text((SIZE[0] - 20, 14), when, font=_font(26), fill=style.INK, anchor="ra")
        for i, actor in enumerate(stage.actors):
            self._actor(picture, draw, i, actor)
        self._legend(picture, draw)
        self._footer(draw)
        return picture

    def _actor(self, picture, draw, i, actor):
        left, top = i * self.wide, TITLE
        land = actor.model.land
        width = land.shape[1] * self.px
        x = left + (20 if self.beside else (self.wide - width) // 2)
        title_at = (width + 60, top + 4) if self.beside else (x, top)
        draw.rectangle([title_at[0], title_at[1] + 1, title_at[0] + 24, title_at[1] + 25], fill=look.MODELS[i])
        middle = (title_at[0] + 12, title_at[1] + 13)
        draw.text(middle, scenes.LETTERS[i].upper(), font=_font(17, True), fill="white", anchor="mm")
        size = 24 if self.beside else 20
        title = _cut(style.label(scenes.mission_of(actor.overrides)), size, self.wide - 60)
        draw.text((title_at[0] + 33, title_at[1]), title, font=_font(size, True), fill=style.INK)
        map_top = top + (0 if self.beside else 32 + 16 * self.lines)
        for k, line in enumerate(self.said[i]):
            draw.text((title_at[0], title_at[1] + size + 9 + 16 * k), line, font=_font(13), fill=style.INK)
        self._map(picture, draw, actor.model, self.helmets[i], x, map_top)
        bottom = map_top + land.shape[0] * self.px
        self._numbers(draw, actor, left, x, width, bottom)
        if self.beside:
            self._phases(draw, actor, self.helmets[i], x + width + 40, SIZE[0] - 20, SIZE[1] - BELOW - 38)
        else:
            self._phases(draw, actor, self.helmets[i], left + 16, left + self.wide - 16, bottom + 96)

    def _phases(self, draw, actor, helmets, left, right, y, high=26):
        """Draw each mission in the colour of its helmets, pale as planned and full as it was, and where the run is."""
        model = actor.model
        names = words.sent(model)
        draw.rectangle([left, y, right, y + high], fill=look.GROUND)
        for i, (name, share) in enumerate(zip(names, actor.strength(), strict=True)):
            lane = high / len(names)
            low = y + (i + 1) * lane
            plan, there = np.clip(model.plan[:, i], 0, 1), np.clip(share, 0, 1)
            at = left + (np.arange(plan.size) + 0.5) / plan.size * (right - left)
            area = [(left, low), *zip(at.tolist(), (low - plan * (lane - 1)).tolist()), (right, low)]
            helmet = helmets[name][0]
            draw.polygon(area, fill=blend(helmet, PALE))
            if there.size > 1:
                so_far = left + (np.arange(there.size) + 0.5) / plan.size * (right - left)
                line = zip(so_far.tolist(), (low - there * (lane - 1)).tolist())
                draw.polygon([(left, low), *line, (so_far[-1], low)], fill=helmet)
        if not names:
            draw.text(((left + right) / 2, y + high / 2), "no mission", font=_font(13), fill=look.GREY, anchor="mm")
        now = left + (right - left) * model.week / self.stage.weeks
        draw.rectangle([now - 1, y - 2, now + 1, y + high + 2], fill=style.INK)

    def _map(self, picture, draw, model, helmets, x, y):
        land, p, px = model.land, model.people, self.px
        rows, cols = land.shape
        values = LAYERS[self.layer].of(model)
        shade = np.clip(np.nan_to_num(values) / LAYERS[self.layer].top, 0, 1)[:, None]
        ground, dark = np.array(rgb(look.GROUND)), np.array(rgb(look.RAMPS[self.layer]))
        cells = np.full((rows, cols, 3), 255, dtype=np.uint8)
        cells[rows - 1 - land.row, land.col] = (ground + (dark - ground) * shade).astype(np.uint8)
        pixels = np.repeat(np.repeat(cells, px, axis=0), px, axis=1)
        for status, colour in ((HOME, look.CIVILIAN), (AWAY, look.DISPLACED)):
            there = (p.status == status) & (p.persons > 0)
            cell = np.sort(p.cell[there])
            nth = np.arange(cell.size) - np.searchsorted(cell, cell)  # of its cell
            nth = (nth + (0 if status == HOME else 350)) % self.spots.shape[1]
            at_y = (rows - 1 - land.row[cell]) * px + self.spots[cell, nth, 0]
            at_x = land.col[cell] * px + self.spots[cell, nth, 1]
            big = 1 if px < 8 else 2
            for dy in range(big):
                for dx in range(big):
                    pixels[np.minimum(at_y + dy, rows * px - 1), np.minimum(at_x + dx, cols * px - 1)] = rgb(colour)
        picture.paste(Image.fromarray(pixels), (x, y))

        def centre(row, col):
            return x + int((col + 0.5) * px), y + int((rows - 1 - row + 0.5) * px)

        marks = []
        bands = model.bands
        for b in np.flatnonzero(bands.fighters >= 1):
            shape, colour = self.looks[bands.faction[b]]
            marks.append((bands.fighters[b], shape, colour, bands.cell[b], False, ""))
        u = model.units
        size = u.strength.sum(axis=1)
        for i in np.flatnonzero(u.cell >= 0):
            colour, stripe = helmets[model.missions.names[u.mission[i]]]
            stopped = not u.access[i] if u.team[i] else u.suspended[i]
            marks.append((size[i] + 1e6, "cross" if u.team[i] else "circle", colour, u.cell[i], bool(stopped), stripe))
        crowd, placed = Counter(m[3] for m in marks), Counter()
        for weight, shape, colour, cell, hollow, stripe in sorted(marks, key=lambda m: (m[0] >= 1e6, -(m[0] % 1e6))):
            radius = int(np.clip(3 + math.sqrt(weight % 1e6) / 4, 4, 9 if shape != "cross" else 6))
            sprite = _mark(shape, colour, radius, hollow, stripe)
            cx, cy = centre(land.row[cell], land.col[cell])
            if crowd[cell] > 1:  # those in one cell stand in a ring, so that each can be seen
                angle = 2 * math.pi * placed[cell] / crowd[cell]
                ring = min(px * 0.45, 6) + 0.4 * crowd[cell]
                cx, cy = cx + round(ring * math.sin(angle)), cy - round(ring * math.cos(angle))
                placed[cell] += 1
            picture.paste(sprite, (cx - sprite.width // 2, cy - sprite.height // 2), sprite)
        for name, town in model.params.country.places.items():
            if town.capital or (self.beside and town.persons >= 50_000):
                cx, cy = centre(town.row, town.col)
                draw.text((cx, cy + 9), name, font=_font(13, town.capital), fill=style.INK, anchor="ma", stroke_width=2,
                          stroke_fill="white")  # fmt: skip

    def _numbers(self, draw, actor, left, x, width, bottom):
        numbers = actor.numbers()
        signed = "agreement in force" if actor.model.politics.agreement[0] else "no agreement in force"
        if self.beside:
            at = x + width + 40
            for k, h in enumerate(HEADLINES):
                y = TITLE + 40 + 16 * self.lines + 74 * k
                draw.text((at, y), spoken(h, numbers[h.name]), font=_font(34, True), fill=style.INK)
                draw.text((at, y + 41), f"{_label(h, actor)}, {h.unit}", font=_font(15), fill=look.GREY)
            draw.text((at, TITLE + 42 + 16 * self.lines + 74 * len(HEADLINES)), signed, font=_font(17), fill=style.INK)
            return
        for k, h in enumerate(HEADLINES):
            cx = left + 16 + (k % 3) * ((self.wide - 24) // 3)
            y = bottom + 4 + (k // 3) * 44
            draw.text((cx, y), spoken(h, numbers[h.name]), font=_font(20, True), fill=style.INK)
            draw.text((cx, y + 24), _label(h, actor), font=_font(12), fill=look.GREY)

    def _legend(self, picture, draw):
        model = self.stage.actors[0].model
        names = [words.faction_name(n).removeprefix("the ") for n in model.factions.names]
        entries = [(shape, colour, n, "") for n, (shape, colour) in zip(names, self.looks)]
        seen, teams = {}, {}
        for actor, helmets in zip(self.stage.actors, self.helmets, strict=True):
            for n, how in helmets.items():
                if n in words.sent(actor.model):
                    seen.setdefault(how, []).append(style.label(n))
                else:
                    teams.setdefault(how, []).append(style.label(n.partition(WITH)[0]))
        for shape, which in (("circle", seen), ("cross", teams)):
            entries += [(shape, c, ", ".join(dict.fromkeys(names)), stripe) for (c, stripe), names in which.items()]
        if any(h.keys() - set(words.sent(a.model)) for a, h in zip(self.stage.actors, self.helmets, strict=True)):
            entries.append(("cross", style.INK, "aid team", ""))
        y, x = SIZE[1] - BELOW + 12, 20
        for shape, colour, said, stripe in entries:
            if x + 34 + _font(13).getlength(said) > SIZE[0]:
                y, x = y + 22, 20
            sprite = _mark(shape, colour, 7, stripe=stripe)
            picture.paste(sprite, (int(x), y - sprite.height // 2), sprite)
            draw.text((x + 21, y), said, font=_font(13), fill=style.INK, anchor="lm")
            x += 34 + _font(13).getlength(said)
        per = model.people.born.mean()
        for colour, said in ((look.CIVILIAN, f"{per:,.0f} people at home"), (look.DISPLACED, "displaced")):
            if x + 28 + _font(13).getlength(said) > SIZE[0]:
                y, x = y + 22, 20
            draw.rectangle([x + 4, y - 2, x + 8, y + 2], fill=colour)
            draw.text((x + 14, y), said, font=_font(13), fill=style.INK, anchor="lm")
            x += 28 + _font(13).getlength(said)

    def _footer(self, draw):
        stage = self.stage
        y = SIZE[1] - 34
        draw.rectangle([20, y, SIZE[0] - 20, y + 4], fill="#dddddd")
        draw.rectangle([20, y, 20 + (SIZE[0] - 40) * stage.week / stage.weeks, y + 4], fill=style.INK)
        layer = LAYERS[self.layer]
        seed = stage.actors[0].params.seed
        common = f"For all: {', '.join(self.common)}. " if self.common else ""
        draw.text((20, y + 9), f"Shade: {layer.title.lower()} ({layer.unit}). {common}Seed {seed}. {NOTE}",
                  font=_font(13), fill=look.GREY)  # fmt: skip


def _label(headline, actor):
    """Return what a number is called; of the money, how much there was."""
    most = authorised(actor.model)
    return f"{headline.label} of {spoken(headline, most)}" if headline.name == "cost" and most else headline.label


def _cut(text, size, width):
    while _font(size, True).getlength(text) > width and len(text) > 4:
        text = text[:-2].rstrip(" …") + "…"
    return text


def spoken(headline: Headline, value: float | None) -> str:
    """Return a headline's value as it is shown: 12,300, 1.2 m, 63%."""
    if value is None:
        return "–"
    if headline.how == "mean":
        return f"{value:.0%}"
    if headline.name == "cost":
        return f"${value / 1e9:.2f} bn"
    return f"{value / 1e6:.2f} m" if value >= 1e6 else f"{value:,.0f}"
