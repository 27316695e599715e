"""A country with observed months: calibration, hindcast, counterfactuals.

What was observed is data: a file of conf/history says from which month on the simulation is held against which files,
and what to call it; an experiment takes it as `/history@experiment.analysis: NAME`.
"""

from experiments.drawing import style
from experiments.history import figures, hindcast
from experiments.history.hindcast import Observed
from sim import outcomes


def _of_first(x):
    return x.monthly[x.monthly.arm == x.arms[0]]


def _deployments(x):
    """Return the month in which each mission of the first arm comes, by label."""
    model = x.model(x.arms[0])
    record, missions = model.record, model.missions
    return {
        style.label(n): record.day(int(a / record.step_weeks)).isoformat()[:7]
        for n, a in zip(missions.names, missions.arrive, strict=True)
        if a > 0
    }


def _seen(x):
    return Observed.of(x.about.analysis, x.first(x.arms[0]).country)


def _observed(x):
    seen = hindcast.observed_months(x.first(x.arms[0]).country)
    return figures.observed(_of_first(x), seen, _deployments(x))


def _months(x):
    seen = _seen(x)
    table = hindcast.months_table(_of_first(x), seen.history, seen.first)
    shown = hindcast.months_table(_of_first(x), seen.history, seen.shown_from or seen.first)
    past = hindcast.last_year(seen.history, seen.first)
    return figures.months(shown, past, seen, bool(x.calibration), _deployments(x)), table


def _origins(x):
    seen = _seen(x)
    table = hindcast.origins_table(_of_first(x), seen.history, seen.first)
    summed = hindcast.scores(table)
    x.write({"scores": summed}, digits=4)
    return figures.origins(table, summed, seen, bool(x.calibration)), table


def _where(x):
    seen = _seen(x)
    table = hindcast.where_table(x.maps, seen, x.arms[0])
    return figures.where(table, x.maps, seen, x.arms[0], hindcast.where_scores(table, seen)), table


def _counterfactuals(x):
    seen = _seen(x)
    table = hindcast.counterfactuals(x.monthly, x.baseline, seen.first)
    until = x.monthly["month"].max()
    shared = bool(x.calibration) and x.about.same_past
    return figures.counterfactuals(table, x.baseline, seen, until, bool(x.calibration), shared), table


FIGURES = {
    "observed": _observed, "months": _months, "origins": _origins, "where": _where, "counterfactuals": _counterfactuals,
}  # fmt: skip


def _check_months(x):
    seen = _seen(x)
    hindcast.scored(seen.history, seen.first)


def _check_origins(x):
    _check_months(x)
    seen = _seen(x)
    hindcast.origins(outcomes.months_of(x.first(x.arms[0])), seen.history, seen.first)


def _check_observed(x):
    params = x.first(x.arms[0])
    hindcast.in_the_run(hindcast.observed_months(params.country), outcomes.months_of(params))


CHECKS = {
    "observed": _check_observed, "months": _check_months, "origins": _check_origins,
    "where": lambda x: _seen(x).by_place,
}  # fmt: skip
