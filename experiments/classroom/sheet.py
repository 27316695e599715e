"""The after-action sheet: one page on a scene's models, compared over several seeds, and three things to notice.

What there is to notice is worked out from the runs: each kind of remark is weighed by how much the numbers bear it out,
and the three weightiest are printed. No remark is kept ready for a mission model.
"""

import textwrap
from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.classroom import look
from experiments.classroom import scene as scenes
from experiments.drawing import family, statistics, style
from experiments.engine import runs as store
from experiments.engine import stored
from sim import __version__
from sim.results import code_version, whole_file

SHOWN = (
    "civilians_killed", "excess_deaths", "displaced_person_weeks", "access", "peacekeepers_killed", "cost",
)  # fmt: skip
COMPARED = ("civilians_killed", "excess_deaths", "displaced_person_weeks", "access")
FEWER = {
    "civilians_killed": "civilians killed", "excess_deaths": "deaths from need",
    "displaced_person_weeks": "person-weeks of displacement", "peacekeepers_killed": "peacekeepers killed",
}  # fmt: skip
NOTE = (
    "A thinking tool, not a forecast: most sizes in the model are assumed. Intervals are 95% intervals of a mean "
    "over seeds, those of differences for all of them together; they say how much is luck, not how true the model is."
)
PAGE = (8.27, 11.69)  # A4, inches


def plan(scene: scenes.Scene, seeds: int, folder: str | Path) -> list[store.Job]:
    """Return the runs of a sheet: each model with the seed on the screen and those that follow.

    Parameters
    ----------
    scene : Scene; seeds : int, how many; folder : Path of stored runs

    Raises
    ------
    ValueError
        A bad setting, or fewer than two seeds.
    """
    if not isinstance(seeds, int) or seeds < 2:
        raise ValueError(f"seeds is {seeds!r}; an interval needs at least 2")
    params = scenes.checked(scene)
    first = params[0].seed
    titles = scenes.titles(scene.models)
    drawn = dict(zip(titles, map(scenes.calibration, scene.models)))
    return store.plan(dict(zip(titles, params)), range(first, first + seeds), Path(folder), (), changes=drawn)


def write(scene: scenes.Scene, jobs: Sequence[store.Job], folder: str | Path) -> tuple[list[str], list[str]]:
    """Write the sheet (PDF and PNG) and its numbers (CSV) from finished runs.

    Returns
    -------
    (list of paths, list of the three remarks)
    """
    table = stored.totals(jobs)
    said = notices(table, scenes.checked(scene)[0].seed)
    figure = draw(scene, table, said)
    folder = Path(folder)
    about = {"Title": "After-action sheet", "Creator": f"partnership-peacekeeping {__version__}"}
    files = [folder / f"after_action.{kind}" for kind in ("pdf", "png")]
    whole_file(files[0], lambda f: figure.savefig(f, format="pdf", metadata={**about, "CreationDate": None}))
    whole_file(files[1], lambda f: figure.savefig(f, format="png", dpi=150, metadata={"Software": about["Creator"]}))
    baseline = table.arm.iloc[0]
    summary = statistics.summary(table, baseline)
    files += [folder / "after_action_summary.csv", folder / "after_action_runs.csv"]
    whole_file(files[2], lambda f: summary.to_csv(f, index=False))
    whole_file(files[3], lambda f: table.to_csv(f, index=False))
    return [str(f) for f in files], said


# ---------------------------------------------------------------------------------- what there is to notice


def number(value: float) -> str:
    """Return a number of people, or a share."""
    return style.short_number(value).replace("−", "-") if abs(value) < 1e6 else f"{value / 1e6:.1f} million"


def notices(table: pd.DataFrame, seed: int, most: int = 3) -> list[str]:
    """Return what the runs say that is worth a discussion: at most so many sentences, of different kinds.

    Parameters
    ----------
    table : DataFrame, one row per arm and seed, the outcomes as columns; seed : int, that on the screen
    """
    found = []
    for remark in (_sure, _reached, _unsure, _tradeoff, _screen, _need, _luck, _expelled, _agreement):
        found += [(weight, remark.__name__, text) for weight, text in remark(table, seed)]
    chosen = {}
    for _, kind, text in sorted(found, key=lambda x: -x[0]):
        chosen.setdefault(kind, text)
    return list(chosen.values())[:most]


def _paired(table, outcome):
    """Yield each pair of arms: a, b, mean of b - a, low, high, share of seeds with b lower, seeds, level, sure.

    All pairs and all outcomes that remarks speak of are one family: what is sure in it is surely not luck, although the
    sheet looks for the most striking.
    """
    values = table.pivot(index="seed", columns="arm", values=outcome)
    for (what, a, b), row in _family(table).iterrows():
        if what == outcome and row.n >= 2:
            d = (values[b] - values[a]).dropna()
            level = float(values[[a, b]].mean().mean())
            yield a, b, -row.difference, -row.high, -row.low, float((d < 0).mean()), len(d), level, bool(row.sure)


def _family(table):
    return family.together(family.differences(table, [*FEWER, "access"]))


def _sure(table, _):
    """Remark on a difference between models that is surely not luck."""
    for outcome, noun in FEWER.items():
        for a, b, mean, low, high, lower, n, level, sure in _paired(table, outcome):
            if not sure or level <= 0 or abs(mean) < 0.5:
                continue
            if outcome == "peacekeepers_killed" and not _sent(table, a) * _sent(table, b):
                continue  # where there are none, none are killed
            better, worse, seeds = (b, a, lower) if mean < 0 else (a, b, 1 - lower)
            low, high = sorted((abs(low), abs(high)))
            yield (
                3 + min(1.0, abs(mean) / level) + 0.2 * (outcome == "civilians_killed"),
                f"{better} has {number(abs(mean))} fewer {noun} than {worse} on average (95% interval {number(low)} to "
                f"{number(high)}), and fewer in {round(seeds * n)} of {n} seeds.",
            )


def _sent(table, arm):
    """Say whether an arm has a mission in any seed."""
    return bool(table.loc[table.arm == arm, "cost"].sum() > 0)


def _reached(table, _):
    """Remark on aid teams that can work more often with one model."""
    for a, b, mean, low, high, lower, n, _level, sure in _paired(table, "access"):
        if not sure or abs(mean) < 0.01:
            continue
        better, worse, seeds = (b, a, 1 - lower) if mean > 0 else (a, b, lower)
        low, high = sorted((abs(low), abs(high)))
        yield (
            3 + min(1.0, 5 * abs(mean)),
            f"Aid teams can work more often with {better} than with {worse}: by {abs(mean):.0%} of attempts "
            f"(95% interval {low:.0%} to {high:.0%}), and more often in {round(seeds * n)} of {n} seeds.",
        )


def _unsure(table, _):
    """Remark on what looks like a difference and may be luck."""
    for a, b, mean, low, high, lower, n, level, _sure in _paired(table, "civilians_killed"):
        if level <= 0 or not low <= 0 <= high or abs(mean) < 1:
            continue
        better, worse, seeds = (b, a, lower) if mean < 0 else (a, b, 1 - lower)
        yield (
            2.6 + min(0.6, abs(mean) / level),
            f"{better} has {number(abs(mean))} fewer civilians killed than {worse} on average, but the 95% interval "
            f"reaches from {number(-low if mean < 0 else high)} fewer to {number(high if mean < 0 else -low)} more, "
            + (
                f"and in {n - round(seeds * n)} of {n} seeds it is not so: "
                if round(seeds * n) < n
                else f"although it is so in all {n} seeds: "
            )
            + f"{n} seeds cannot tell the two apart.",
        )


def _tradeoff(table, _):
    """Remark on models that are each best in something."""
    means = table.groupby("arm", sort=False)[list(COMPARED)].mean().dropna()
    if len(means) < 2:
        return
    for one, other in permutations(COMPARED, 2):
        best = {o: (means[o].idxmax() if o == "access" else means[o].idxmin()) for o in (one, other)}
        if best[one] == best[other] or other != "access":
            continue
        gap = means[one].max() / max(means[one].min(), 1e-9) - 1 + means.access.max() - means.access.min()
        yield (
            2.4 + min(0.8, gap),
            f"No model is best in everything: {best[one]} has the fewest {FEWER[one]} ({number(means[one].min())}), "
            f"but {best['access']} gets aid to people more often ({means.access.max():.0%} of attempts against "
            f"{means.access[best[one]]:.0%}).",
        )


def _screen(table, seed):
    """Remark on the run on the screen: it is one of many."""
    values = table.pivot(index="seed", columns="arm", values="civilians_killed")
    if seed not in values.index:
        return
    n = len(values)
    for a, b in combinations(values.columns, 2):
        here, mean = values.loc[seed, b] - values.loc[seed, a], (values[b] - values[a]).mean()
        if here * mean < 0 and min(abs(here), abs(mean)) > 0.02 * values.to_numpy().mean():
            fewer, more = (b, a) if here < 0 else (a, b)
            yield (
                3.6,
                f"The run on the screen (seed {seed}) misleads: there {fewer} has {number(abs(here))} fewer civilians "
                f"killed than {more}, but over {n} seeds {fewer} has {number(abs(mean))} more on average.",
            )
    for arm in values:
        rank = int((values[arm] < values.loc[seed, arm]).sum())
        extreme = max(rank, n - 1 - rank) / max(n - 1, 1)
        if extreme >= 0.8:
            how = "fewer" if rank < n / 2 else "more"
            others = n - 1 - rank if how == "fewer" else rank
            yield (
                1.6 + extreme,
                f"The run on the screen (seed {seed}) is not typical of {arm}: {number(values.loc[seed, arm])} "
                f"civilians killed, {how} than in {others} of the other {n - 1} seeds "
                f"(mean {number(values[arm].mean())}).",
            )


def _need(table, _):
    """Remark on what people die of: need or violence."""
    means = table.groupby("arm", sort=False)[["civilians_killed", "excess_deaths"]].mean()
    share = (means.excess_deaths / means.sum(axis=1).clip(lower=1e-9)).round(3)
    if means.to_numpy().sum() < 1:
        return
    low, high = share.min(), share.max()
    text = f"{high:.0%}" if high - low < 0.02 else f"{low:.0%} ({share.idxmin()}) to {high:.0%} ({share.idxmax()})"
    if low > 0.5:
        yield 1.5 + low, f"Most of the dead were not killed: {text} of all deaths of civilians are from unmet need."
    elif high < 0.5:
        yield 2.5 - high, f"Most of the dead were killed: only {text} of all deaths of civilians are from unmet need."
    else:
        yield 2.6, f"What people die of depends on the model: {text} of all deaths of civilians are from unmet need."


def _luck(table, _):
    """Remark on how far luck alone reaches."""
    for arm, values in table.groupby("arm", sort=False)["civilians_killed"]:
        low, high = values.min(), values.max()
        if low > 0 and high > low:
            yield (
                1.4 + min(1.4, np.log2(high / low) / 3),
                f"With {arm} and nothing changed but luck, between {number(low)} and {number(high)} civilians are "
                f"killed: {high / low:.1f} times as many in the worst of {len(values)} seeds as in the best.",
            )


def _expelled(table, _):
    """Remark on consent withdrawn."""
    for arm, values in table.groupby("arm", sort=False)["missions_expelled"]:
        share = (values > 0).mean()
        if share > 0:
            yield (
                2 + 1.5 * share,
                f"Consent is not for ever: with {arm} the government asks a mission to leave in "
                f"{round(share * len(values))} of {len(values)} seeds.",
            )


def _agreement(table, _):
    """Remark on who gets an agreement, and whether it holds."""
    groups = table.groupby("arm", sort=False)
    signed = groups["weeks_to_agreement"].apply(lambda v: v.notna().sum())
    broken = groups["agreement_collapses"].apply(lambda v: (v > 0).sum())
    n = int(groups.size().max())
    if signed.max() - signed.min() >= max(2, n / 5):
        yield (
            2 + (signed.max() - signed.min()) / n,
            f"An agreement is signed in {signed.max()} of {n} seeds with {signed.idxmax()}, in {signed.min()} with "
            f"{signed.idxmin()}.",
        )
    elif signed.max():
        arm = broken.idxmax()
        yield (
            1.3 + broken.max() / n,
            f"With {arm} an agreement is signed in {signed[arm]} of {n} seeds, and collapses at least once in "
            f"{broken[arm]} of them.",
        )


# ---------------------------------------------------------------------------------- the page


def draw(scene: scenes.Scene, table: pd.DataFrame, said: Sequence[str]) -> Figure:
    """Return the sheet as a matplotlib figure of one A4 page; its type is smaller where there is much to say."""
    for scale in (1.16, 1.08, 1.0, 0.93, 0.86, 0.8):
        figure, end = _page(scene, table, said, scale)
        if end > 0.045:
            return figure
    raise ValueError("the sheet has more text than a page holds; take fewer settings")


def _page(scene, table, said, scale):
    params = scenes.checked(scene)
    p, titles, colours = params[0], scenes.titles(scene.models), look.MODELS
    n = table.seed.nunique()
    figure = Figure(figsize=PAGE)
    write_at = _Writer(figure, scale)
    write_at.line("After-action sheet", 17, bold=True)
    write_at.line(f"{p.country.name}: {p.country.summary}", 9.5)
    last = f"{p.seed} to {p.seed + n - 1}"
    write_at.line(f"{p.weeks} weeks, seeds {last} (the seed on the screen is {p.seed}). {NOTE}", 7.5, look.GREY)
    if p.country.note:
        write_at.line(p.country.note, 7.5, look.GREY)
    write_at.gap(0.008)
    write_at.line("The choices", 11.5, bold=True)
    for model, title, colour, one, command in zip(scene.models, titles, colours, params, scene.commands()):
        write_at.swatch(colour)
        write_at.line(title, 9.5, bold=True, indent=0.022)
        write_at.line(f"{one.mission.summary} {_settings(model)}", 8, indent=0.022)
        write_at.line(command, 6.5, look.GREY, indent=0.022, mono=True)
    write_at.gap(0.008)
    write_at.line("What came of them", 11.5, bold=True)
    write_at.line(f"Means of {n} seeds and their 95% intervals; hollow: the run on the screen.", 7.5, look.GREY)
    top = write_at.y - 0.026
    height = (0.028 + 0.021 * len(titles)) * scale
    for k, outcome in enumerate(SHOWN):
        left, low = 0.20 + (k % 3) * 0.265, top - height - (k // 3) * (height + 0.072)
        ax = figure.add_axes((left, low, 0.225, height))
        _panel(ax, table, outcome, titles, colours, p.seed, first=k % 3 == 0)
    write_at.y = top - 2 * height - 0.072 - 0.045
    if len(titles) > 1:
        write_at.line(f"Differences from {titles[0]}, seed by seed", 11.5, bold=True)
        _differences(write_at, table, titles)
        write_at.gap(0.008)
    write_at.line("Three things to notice", 11.5, bold=True)
    for i, text in enumerate(said, start=1):
        write_at.line(f"{i}.  {text}", 9, indent=0.0, hang=4)
        write_at.gap(0.003)
    link = textwrap.wrap(f"Page: ?{scene.link()}", 160)  # whole, so that it can be typed in again
    made_by = f"partnership-peacekeeping {__version__}, model {code_version()}"
    figure.text(0.06, 0.022, made_by, size=6.5, color=look.GREY)
    figure.text(0.06, 0.032, "\n".join(link), size=5.5, color=look.GREY, family="monospace", parse_math=False,
                va="bottom")  # fmt: skip
    return figure, write_at.y - 0.008 * (len(link) - 1)


def _settings(model):
    """Return the settings of a model that are not those of its files."""
    own = [o.split("=", 1) for o in model if o.split("=", 1)[0] not in (*scenes.GROUPS, "seed", "weeks")]
    return "" if not own else "Set: " + ", ".join(scenes.control_words(k, v) for k, v in own) + "."


class _Writer:
    """Writes lines down a page."""

    def __init__(self, figure, scale):
        self.figure, self.scale, self.y = figure, scale, 0.965

    def line(self, text, size, colour=style.INK, bold=False, indent=0.0, mono=False, hang=0):
        size *= self.scale
        letter = size * (0.60 if mono else 0.56 if bold else 0.505) / 72 / PAGE[0]
        width = max(20, int((0.88 - indent) / letter))
        for part in textwrap.wrap(text, width, subsequent_indent=" " * hang):
            self.figure.text(0.06 + indent, self.y, part, size=size, color=colour, va="top",
                             weight="bold" if bold else "normal", family="monospace" if mono else "DejaVu Sans",
                             parse_math=False)  # fmt: skip
            self.y -= size * 1.36 / 72 / PAGE[1]
        self.y -= 0.0015

    def swatch(self, colour):
        at = {"color": colour, "transform": self.figure.transFigure}
        self.figure.add_artist(Rectangle((0.06, self.y - 0.0115), 0.013, 0.010, **at))

    def gap(self, share):
        self.y -= share


def _panel(ax, table, outcome, titles, colours, seed, first):
    style.bare(ax)
    groups = dict(list(table.groupby("arm", sort=False)))
    means = [statistics.level(groups[t][outcome], outcome == "access") for t in titles]
    largest = np.nanmax(np.abs([m for m in np.ravel(means) if np.isfinite(m)] or [0.0]))
    by, said = style.scaled_unit(style.unit(outcome), largest)
    for y, (title, colour, (mean, low, high)) in enumerate(zip(titles, colours, means)):
        mine = groups[title]
        here = mine.loc[mine.seed == seed, outcome]
        if not np.isfinite(mean):
            ax.text(0.02, y, "no aid team", transform=ax.get_yaxis_transform(), size=6.5, color=look.GREY, va="center")
            continue
        ax.plot([low / by, high / by], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
        ax.plot(mean / by, y, "o", color=colour, ms=5.5, mec="white", mew=0.6)
        if len(here) and np.isfinite(here.iloc[0]):
            ax.plot(here.iloc[0] / by, y, "o", mfc="none", mec=colour, ms=5.5, mew=1.1)
        shown = f"{mean:.0%}" if said == "share" else style.short_number(mean / by)
        ax.annotate(shown, (mean / by, y), (0, 4), textcoords="offset points", ha="center", va="bottom", size=6.5,
                    color=style.INK)  # fmt: skip
    ax.set_ylim(len(titles) - 0.5, -0.75)
    ax.set_yticks(range(len(titles)), [textwrap.fill(t, 23) for t in titles] if first else [])
    ax.tick_params(labelsize=6.5)
    ax.set_title(f"{style.meaning(outcome)}\n({said})", fontsize=8, loc="left")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,g}".replace("-", "−")))
    ax.margins(x=0.12)


def _differences(write_at, table, titles):
    units = {"access": "points of a hundred", "displaced_person_weeks": "million person-weeks"}
    columns = ["", *(f"{style.meaning(o)},\n{units.get(o, 'people')}" for o in COMPARED)]
    rows = [columns]
    judged = family.together(family.differences(table, COMPARED, baseline=titles[0]))
    for title in titles[1:]:
        cells = [textwrap.fill(title, 27)]
        for outcome in COMPARED:
            d = judged.loc[(outcome, title, titles[0])]
            if not np.isfinite(d.difference):
                cells.append("nothing to compare")
                continue
            by = {"access": 0.01, "displaced_person_weeks": 1e6}.get(outcome, 1.0)
            cells.append(f"{_signed(d.difference / by)} [{_signed(d.low / by)}, {_signed(d.high / by)}]")
            worse = statistics.paired_differences(table, outcome, titles[0]).loc[title, "worse_share"]
            cells[-1] += f"\nworse in {worse:.0%} of seeds"
        rows.append(cells)
    for r, row in enumerate(rows):
        for k, cell in enumerate(row):
            x, how = (0.06 if k == 0 else 0.26 + 0.172 * (k - 1)), {"size": 6.8, "va": "top"}
            how |= {"color": look.GREY if r == 0 else style.INK, "weight": "bold" if k == 0 else "normal"}
            write_at.figure.text(x, write_at.y, cell, **how)
        write_at.y -= 0.026 + 0.009 * max(0, row[0].count("\n") - 1)


def _signed(value):
    size = f"{abs(value):,.0f}"
    return size if size == "0" else f"{'−' if value < 0 else '+'}{size}"
