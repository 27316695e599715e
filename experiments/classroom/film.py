"""Animations of one model or of several side by side: GIF, and MP4 where imageio-ffmpeg is installed.

Frames are painted with Pillow: matplotlib takes ten times as long for a frame.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.classroom import look
from experiments.classroom import scene as scenes
from experiments.classroom.painter import PALE, SIZE, Painter, blend, rgb
from experiments.classroom.stage import Stage
from experiments.drawing import style
from sim.results import whole_file

EVERY = 4  # weeks between two frames
FRAMES_A_SECOND = 10
COLOURS, SHADES = 160, 32  # of a GIF; of them for the shade of the maps


def why_no_mp4() -> str:
    """Return why no MP4 can be made here, or an empty text."""
    if importlib.util.find_spec("imageio_ffmpeg"):
        return ""
    return "MP4 needs the package imageio-ffmpeg: pip install -e '.[classroom]'; GIF works without it"


def check_every(every: int) -> int:
    """Return the weeks between two frames, refused if they are not 1 to 52."""
    if not isinstance(every, int) or not 1 <= every <= 52:
        raise ValueError(f"every is {every!r}; it must be a whole number in [1, 52] weeks")
    return every


def render(
    scene: scenes.Scene, path: str | Path, every: int = EVERY, progress: Callable[[int], object] | None = None
) -> tuple[list[str], list[str]]:
    """Make an animation from the first week to that of the scene, or to the last if that is the first.

    Parameters
    ----------
    scene : Scene; path : Path ending in .gif or .mp4; every : weeks between two frames
    progress : function of the week; none: it is written beside the file, and a file `stop` there ends it

    Returns
    -------
    (list of paths, list of notes)

    Raises
    ------
    ValueError
        A bad setting, another ending, or an MP4 without imageio-ffmpeg.
    """
    path, every = Path(path), check_every(every)
    kind = path.suffix.lower()
    if kind not in (".gif", ".mp4"):
        raise ValueError(f"the file is {path.name!r}; an animation ends in .gif or .mp4")
    if kind == ".mp4" and why_no_mp4():
        raise ValueError(why_no_mp4())
    stage = Stage(scene)
    last = stage.goal or stage.weeks
    progress = progress or (lambda week: _report(path.parent, week, last))
    frames = _frames(stage, last, every, progress)
    whole_file(path, lambda draft: _gif(frames, draft, _meant(stage)) if kind == ".gif" else _mp4(frames, draft))
    return [str(path)], []


def _frames(stage, last, every, progress):
    painter = Painter(stage)
    yield painter.paint()
    while stage.week < last:
        stage.go(min(stage.week + every, last))
        stage.advance(every)
        progress(stage.week)
        yield painter.paint()


def _gif(frames, path, meant):
    def in_few_colours():
        first = next(frames)
        palette = _common_palette(first, meant)
        yield first.quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames:
            yield frame.quantize(palette=palette, dither=Image.Dither.NONE)

    pictures = in_few_colours()
    how = {"duration": 1000 // FRAMES_A_SECOND, "loop": 0, "optimize": False}
    next(pictures).save(path, format="GIF", save_all=True, append_images=pictures, **how)


def _common_palette(first, meant):
    """Return one palette for all frames: colours that mean something, and mixtures of the first frame for edges."""
    mixed = first.quantize(COLOURS - len(meant), method=Image.Quantize.MEDIANCUT).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(v for colour in meant for v in colour), *mixed][: 3 * COLOURS])
    return palette


def _meant(stage):
    """Return the colours that mean something: of helmets, bands, people, models and of the layer, as (r, g, b)."""
    looks = [h for model in look.helmets([a.params for a in stage.actors]) for h in model.values()]
    helmets = list(dict.fromkeys(colour for colour, _ in looks))
    marks = [*helmets, *(c for _, c in (look.HOST, *look.FACTIONS)), look.CIVILIAN, look.DISPLACED,
             *look.MODELS, style.INK, look.GREY]  # fmt: skip
    ramp = [blend(look.RAMPS[stage.layer], k / (SHADES - 1)) for k in range(SHADES)]
    return [(255, 255, 255), *ramp, *map(rgb, marks), *(blend(h, PALE) for h in helmets)]


def _mp4(frames, path):
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(
        str(path), SIZE, fps=FRAMES_A_SECOND, quality=7, output_params=["-f", "mp4", "-movflags", "+faststart"]
    )
    writer.send(None)
    try:
        for frame in frames:
            writer.send(np.asarray(frame).tobytes())
    finally:
        writer.close()


# ---------------------------------------------------------------------------------- progress, between processes


def _report(folder, week, last):
    if (folder / "stop").exists():
        raise ValueError("cancelled")
    draft = folder / "progress.part"
    draft.write_text(f"{week} {last}")
    draft.replace(folder / "progress")


def read_progress(folder: Path) -> tuple[int, int] | None:
    """Return (done, total) of an animation that is being made; None before it has begun."""
    try:
        done, total = (folder / "progress").read_text().split()
    except (OSError, ValueError):
        return None
    return int(done), int(total)


def stop(folder: Path) -> None:
    """Ask an animation that is being made to end."""
    if folder.is_dir():
        (folder / "stop").touch()
