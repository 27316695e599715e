"""How good a hindcast is: simulated months against observed ones, and against forecasts that need no model.

Question: would one who had this model have known more of the year ahead than one who had a table?

Things to notice: a forecast is a distribution. The continuous ranked probability score (CRPS) rewards one that is both
sharp and right, in the unit of what is forecast; of a single number it is the absolute error. Deaths are heavy-tailed:
on their own scale a few terrible months decide, so the score is given for log(1 + x) too, where all months count.

One origin is an anecdote: a table that is the best from one month is the worst from another. So forecasts of a year are
made from every third month on, and beside the simulation stand five tables of what was observed until then. They learn
as the years go by; the runs were fitted before the first origin and learn nothing. Which of them were nearest in the
year before an origin is known, though, and those are a forecast, too.
"""

from calendar import month_name
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from experiments.drawing.statistics import interval
from sim import paths, readers
from sim.params import Country

MEASURES = {  # name: (simulated columns, observed columns)
    "one-sided deaths": (["osv_all"], ["civilians_killed"]),
    "all violent deaths": (["civilians_killed", "brd"], ["civilians_killed", "battle_deaths"]),
    "events": (["events"], ["events"]),
}
SIMULATION, NEAREST = "simulation", "its nearest runs"
FORECASTS = {  # name: the months before that a table is made of (0: all that are known), and whether it is their mean
    "last month": (1, False), "last quarter's months": (3, False), "last year's months": (12, False),
    "last year's mean": (12, True), "long run": (0, False),
}  # fmt: skip
CHANGED = {  # counterfactuals: measure: (simulated columns, "sum" over months or "mean" of them)
    "civilians killed": (["civilians_killed"], "sum"),
    "battle deaths": (["brd"], "sum"),
    "deaths from unmet need": (["excess_deaths"], "sum"),
    "displaced, mean of months": (["idps", "refugees"], "mean"),
}
SCALES: dict[str, Callable[[Any], Any]] = {"count": np.asarray, "log": np.log1p}
ENDS = ("low90", "low50", "median", "high50", "high90")
YEAR = 12  # months
EVERY = 3  # months between two origins of forecasts
NEAR = 0.2  # share of the runs, those nearest to the year before an origin


def observed_months(country: Country) -> pd.DataFrame:
    """Return the observed months of a country: a frame with a row a month, nan where nothing is known.

    Parameters
    ----------
    country : sim.params.Country
    """
    if not country.observed:
        raise ValueError(f"country {country.name} has no observed months to draw; drop the figures of them")
    return pd.DataFrame(readers.months(_observed(country)))


def in_the_run(seen: pd.DataFrame, lived: Sequence[str]) -> pd.DataFrame:
    """Return the observed months that a run lives through: a frame, not empty.

    Parameters
    ----------
    seen : DataFrame, of observed_months; lived : list of str, the run's months as YYYY-MM
    """
    found = seen[seen["month"].isin(lived)]
    if found.empty:
        raise ValueError(
            f"what was observed is of {seen['month'].min()} to {seen['month'].max()}, and the run of {lived[0]} to "
            f"{lived[-1]}: there is no month to compare; mend country.start or weeks, or drop the figures of them"
        )
    return found


def _observed(country):
    return paths.file_of("country", country.observed), "country.observed"


@dataclass(frozen=True)
class Observed:
    """What was observed of a country: a file of conf/history.

    Parameters
    ----------
    country : sim.params.Country; title : str, what to call it in figures
    first : str, the first month that is held against the simulation, as YYYY-MM; shown_from : str, drawn from then on
    before, places : str, files beside the country's: months before those of country.observed; a table by admin1
    division : str, what admin1 is called; source : str, of what was observed
    """

    country: Country
    title: str
    first: str
    shown_from: str = ""
    before: str = ""
    places: str = ""
    division: str = "district"
    source: str = ""

    @classmethod
    def of(cls, about: Mapping[str, Any], country: Country) -> Self:
        """Take what an experiment says."""
        known = [f.name for f in fields(cls)[1:]]
        wrong = {*about}.symmetric_difference(known) - {*known[2:]}
        if wrong:
            needed, more = [n for n in known[:2] if n not in about], sorted(set(about) - {*known})
            said = f"lacks {', '.join(needed)}" if needed else f"has {', '.join(more)}"
            raise ValueError(
                f"experiment.analysis {said}; of a country with observed months it says {', '.join(known)}: take a "
                "file of conf/history, or one of your own in history/, by /history@experiment.analysis"
            )
        observed_months(country)
        return cls(country, **about)

    @cached_property
    def months(self) -> pd.DataFrame:
        """The observed months of the runs: a frame with a row a month."""
        return observed_months(self.country)

    @cached_property
    def history(self) -> pd.DataFrame:
        """The observed months from as early as they are known: a frame with a row a month, nan where nothing is."""
        before = [(paths.file_of("country", self.before), "experiment.analysis.before")] if self.before else []
        return pd.DataFrame(readers.months(*before, _observed(self.country)))

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells of the country and their admin1."""
        if not (self.country.cells and self.places):
            raise ValueError(f"nothing is known of where in {self.title}; drop the figure of it")
        found = readers.cells(paths.file_of("country", self.country.cells), "country.cells")
        if "admin1" not in found:
            raise ValueError(
                f"country.cells is {self.country.cells!r} without the column admin1; drop the figure of it"
            )
        return pd.DataFrame({name: found[name] for name in ("row", "col", "admin1", "population")})

    @cached_property
    def by_place(self) -> pd.DataFrame:
        """What was observed by admin1, and who lived there: a frame indexed by it."""
        people = self.cells.groupby("admin1").population.sum()
        seen = readers.places(paths.file_of("country", self.places), "experiment.analysis.places")
        if strange := sorted({*seen["admin1"]} - {*people.index}):
            where = f"experiment.analysis.places is {self.places!r}, where admin1"
            raise ValueError(f"{where} is {strange[0]!r}; choose among {', '.join(sorted(people.index))}")
        return pd.DataFrame(seen).set_index("admin1").join(people)

    @property
    def begins(self) -> str:
        """The first month in words, as December 2013."""
        return in_words(self.first)

    @property
    def known_until(self) -> str:
        """The month before it in words, as November 2013."""
        year, month = map(int, self.first.split("-"))
        return in_words(f"{year - (month == 1)}-{(month - 2) % 12 + 1:02d}")


def in_words(month: str) -> str:
    """Return a month, as 2013-12, in words: December 2013."""
    return f"{month_name[int(month[5:7])]} {month[:4]}"


def crps(sample: ArrayLike, seen: float) -> float:
    """Return the continuous ranked probability score of a forecast given as a sample.

    Parameters
    ----------
    sample : (n,) values; seen : float, what came

    Returns
    -------
    float: mean |x - seen| - mean |x - x'| / 2 (Gneiting & Raftery 2007, eq. 21)

    """
    x = np.sort(np.asarray(sample, dtype=float))
    n = x.size
    spread = 2 * (x * (2 * np.arange(1, n + 1) - n - 1)).sum() / n**2  # mean |x - x'|, over all pairs
    return float(np.abs(x - seen).mean() - spread / 2)


def covered(sample: NDArray[np.float64], seen: float, share: float) -> float:
    """Say whether what came lies in the central band that holds a share of the sample: 1 or 0, nan if it is nan."""
    low, high = np.quantile(sample, [(1 - share) / 2, (1 + share) / 2])
    return float(low <= seen <= high) if seen == seen else np.nan


def known_months(seen: pd.DataFrame, measure: str, first: str) -> pd.Series | None:
    """Return what was observed of a measure, nan where one of its columns is; None if it cannot be scored.

    It can be if something is known of the year before the first month, and of a month from then on.

    Parameters
    ----------
    seen : DataFrame: month, every one from long before `first`, and observed columns
    measure : a name in MEASURES; first : month as YYYY-MM

    Returns
    -------
    Series by month, or None
    """
    known = seen.set_index("month")[MEASURES[measure][1]].sum(axis=1, skipna=False)
    past = known[known.index < first]
    if len(past) < YEAR:
        raise ValueError(f"the observed months begin in {known.index.min()}; a year before {first} is needed")
    return known if past[-YEAR:].notna().any() and known[known.index >= first].notna().any() else None


def origins(months: Iterable[str], seen: pd.DataFrame, first: str) -> list[str]:
    """Return the months from which forecasts are made: every third from the first on that has a whole year ahead.

    Parameters
    ----------
    months : of the runs, as YYYY-MM; seen : DataFrame of observed months; first : month as YYYY-MM
    """
    both = sorted(set(months) & set(seen["month"]))
    ahead = [month for month in both if month >= first]
    if len(ahead) < YEAR:
        raise ValueError(
            f"the runs and what was observed end in {both[-1] if both else 'no month of both'}; forecasts need a year "
            f"from {first} on: raise weeks, or drop the figure of them"
        )
    return ahead[: len(ahead) - YEAR + 1 : EVERY]


def forecasts(
    monthly: pd.DataFrame, seen: pd.DataFrame, measure: str, first: str
) -> Iterator[tuple[str, str, float, dict[str, NDArray[np.float64]]]]:
    """Yield (origin, month, observed, {forecast: sample}) for the year from each origin on; nan where nothing was seen.

    Of the simulation there are all runs, which know nothing of the months since the first origin, and the runs that
    were nearest to what was observed in the year before the origin: by the mean distance of log(1 + x) of a month.
    Each table knows what was observed until the origin, and nothing later.

    Parameters
    ----------
    monthly : DataFrame of one arm: seed, month, simulated columns
    seen, measure, first : as of known_months, which can score it
    """
    made = monthly.assign(x=monthly[MEASURES[measure][0]].sum(axis=1)).pivot(index="month", columns="seed", values="x")
    known = known_months(seen, measure, first)
    if known is None:
        return
    for origin in origins(made.index, seen, first):
        past = known[known.index < origin]
        lately = past[-YEAR:].dropna()
        off = (np.log1p(made.reindex(lately.index)).sub(np.log1p(lately), axis=0)).abs().mean()
        near = off.nsmallest(max(2, round(NEAR * off.size))).index
        tables = {}
        for name, (back, averaged) in FORECASTS.items():
            sample = past[-back:].dropna().to_numpy(float)
            tables[name] = sample[:0] if not sample.size else np.array([sample.mean()]) if averaged else sample
        for month in known.index[(known.index >= origin)][:YEAR]:
            runs = {SIMULATION: made.loc[month].to_numpy(float), NEAREST: made.loc[month, near].to_numpy(float)}
            yield origin, month, known[month], runs | tables


def scored(seen: pd.DataFrame, first: str) -> dict[str, pd.Series]:
    """Return the measures that can be scored, at least one, with what known_months says of each."""
    all_of = {measure: known_months(seen, measure, first) for measure in MEASURES}
    found = {measure: known for measure, known in all_of.items() if known is not None}
    if not found:
        raise ValueError(
            f"nothing was observed of {', '.join(MEASURES)} in the year before {first}, or nothing from then on; drop "
            "the figures that score them"
        )
    return found


def last_year(seen: pd.DataFrame, first: str) -> dict[str, float]:
    """Return the mean of the known of the twelve months before the hindcast: a dictionary by measure."""
    past = seen[seen["month"] < first][-YEAR:]
    return {m: float(past[observed].sum(axis=1, skipna=False).mean()) for m, (_, observed) in MEASURES.items()}


def months_table(monthly: pd.DataFrame, seen: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return a row per measure and month: what came (nan where nothing was observed), and what was simulated.

    A measure that cannot be scored is left out.
    """
    rows = []
    for measure, known in scored(seen, first).items():
        made = monthly.assign(x=monthly[MEASURES[measure][0]].sum(axis=1))
        for month, x in made[made["month"] >= first].groupby("month")["x"]:
            if month not in known.index:
                continue
            bands = dict(zip(ENDS, x.quantile([0.05, 0.25, 0.5, 0.75, 0.95])))
            row = {"measure": measure, "month": month, "observed": known[month], **bands, "mean": x.mean()}
            rows.append(row | {f"in{p}": covered(x, known[month], p / 100) for p in (50, 90)})
    return pd.DataFrame(rows)


def origins_table(monthly: pd.DataFrame, seen: pd.DataFrame, first: str) -> pd.DataFrame:
    """Score forecasts of a year from every third month on.

    Returns
    -------
    DataFrame, a row per measure, origin and forecast: the months that are known, the mean CRPS of them on both scales
    (nan if the forecast knew nothing or nothing is known)
    """
    rows = []
    for measure in scored(seen, first):
        for origin, _, came, samples in forecasts(monthly, seen, measure, first):
            for name, sample in samples.items():
                row = {"measure": measure, "origin": origin, "forecast": name, "months": float(came == came)}
                rows.append(row | {
                    f"crps_{scale}": crps(to(sample), float(to(came))) if sample.size else np.nan
                    for scale, to in SCALES.items()
                })  # fmt: skip
    by = pd.DataFrame(rows).groupby(["measure", "origin", "forecast"], sort=False)
    return by.agg({"months": "sum"} | {f"crps_{scale}": "mean" for scale in SCALES}).reset_index()


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Sum forecasts up over their origins.

    Parameters
    ----------
    table : DataFrame of origins_table

    Returns
    -------
    DataFrame, a row per measure, scale and forecast: origins, mean CRPS, its lowest and highest; origins at which it is
    the best of all tables (of a simulation: nearer than every table), and nearer than the whole simulation
    """
    rows = []
    for (measure, scale), of_all in _by_scale(table):
        tables = of_all[list(FORECASTS)]
        for name, values in of_all.items():
            rivals = tables.drop(columns=name, errors="ignore").min(axis=1)
            rows.append({
                "measure": measure, "scale": scale, "forecast": name, "origins": int(values.notna().sum()),
                "mean": values.mean(), "lowest": values.min(), "highest": values.max(),
                "best": int((values < rivals).sum()),
                "nearer_than_simulation": int((values < of_all[SIMULATION]).sum()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _by_scale(table):
    for measure, some in table.groupby("measure", sort=False):
        for scale in SCALES:
            wide = some.pivot(index="origin", columns="forecast", values=f"crps_{scale}")
            yield (measure, scale), wide[list(dict.fromkeys(some["forecast"]))]


# ---------------------------------------------------------------------------------- where


def where_table(maps: pd.DataFrame, seen: Observed, arm: str) -> pd.DataFrame:
    """Return civilians killed by admin1 between the first and the last map: a row for each.

    Parameters
    ----------
    maps : DataFrame: arm, month, row, col, killed_so_far (means over seeds); seen : Observed
    """
    mine, cells = maps[maps["arm"] == arm], seen.cells[["row", "col", "admin1"]]
    first, last = mine["month"].min(), mine["month"].max()
    ends = [mine[mine["month"] == m].set_index(["row", "col"])["killed_so_far"] for m in (first, last)]
    killed = (ends[1] - ends[0]).rename("simulated").reset_index().merge(cells, on=["row", "col"])
    return seen.by_place.join(killed.groupby("admin1")["simulated"].sum()).reset_index()


def where_scores(table: pd.DataFrame, seen: Observed) -> pd.DataFrame:
    """Return rank correlations with where civilians were killed: of the simulation, of the past, of who lives where."""
    ways = {
        "simulation": "simulated", f"one-sided deaths before {seen.begins}": "killed_before",
        f"events before {seen.begins}": "events_before", "people": "population",
    }  # fmt: skip
    ranks = table[["killed_after", *ways.values()]].dropna().rank()
    return pd.DataFrame(
        {"forecast": name, "rank_correlation": ranks["killed_after"].corr(ranks[column]), "places": len(ranks)}
        for name, column in ways.items()
    )


# ---------------------------------------------------------------------------------- what if


def counterfactuals(monthly: pd.DataFrame, baseline: str, first: str) -> pd.DataFrame:
    """Compare arms with the baseline from a month on, each pair with parameters and luck of its own.

    Parameters
    ----------
    monthly : DataFrame: arm, seed, month, simulated columns; baseline : an arm; first : month as YYYY-MM

    Returns
    -------
    DataFrame, a row per measure and arm: ratio to the baseline over pairs (median, ends of the middle 50% and 90%: how
    far parameters and luck leave it open), share of pairs in which it is below the baseline, share in which it is the
    lowest of all arms, mean difference with its 95% interval (how well the mean over calibrated parameters is known)

    """
    after = monthly[monthly["month"] >= first]
    if after.empty:
        raise ValueError(
            f"the runs end in {monthly['month'].max()}; counterfactuals compare months from {first} on: raise "
            "weeks, or drop the figure"
        )
    rows = []
    for measure, (columns, how) in CHANGED.items():
        values = after.assign(x=after[columns].sum(axis=1)).groupby(["seed", "arm"], sort=False)["x"].agg(how).unstack()
        values = values[list(dict.fromkeys(monthly["arm"]))].dropna()
        lowest = values.idxmin(axis=1)
        for arm in values.drop(columns=baseline):
            ratio = (values[arm] + 1) / (values[baseline] + 1)  # 1 person more in both: some histories have none
            bands = dict(zip(ENDS, ratio.quantile([0.05, 0.25, 0.5, 0.75, 0.95])))
            mean, low, high = interval(values[arm] - values[baseline])
            rows.append({
                "measure": measure, "arm": arm, "pairs": len(values), **bands,
                "below": (values[arm] < values[baseline]).mean(), "lowest_of_all": (lowest == arm).mean(),
                "baseline_mean": values[baseline].mean(), "difference": mean, "low": low, "high": high,
            })  # fmt: skip
    return pd.DataFrame(rows)
