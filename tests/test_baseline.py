"""Results are those of the baseline; `python -m tests.baseline` takes new ones on purpose."""

from copy import deepcopy
from dataclasses import fields

import numpy as np
import pytest
from baseline import differences, measure, numbers, rows, scenario, stored

from sim import PeaceModel
from sim.outcomes import OUTCOMES
from sim.params import Processes, walk

ROWS = list(rows())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row)))
def test_a_run_gives_what_the_baseline_says(row):
    assert row in stored(), "no such row yet: python -m tests.baseline"
    old, new = stored()[row], numbers(measure(*row))
    told = [f"{k}: old {was:.6g}, new {now:.6g}, ratio {now / was if was else float('nan'):.3f}"
            for k, was, now in differences(old, new)]  # fmt: skip
    assert not told, "results changed; if on purpose: python -m tests.baseline\n" + "\n".join(told)


def test_the_baseline_has_every_row_and_no_other():
    assert list(stored()) == ROWS


def test_every_column_of_the_week_is_filled():
    """An outcome that nobody writes would be a column of nothing."""
    assert not [o.name for o in OUTCOMES if o.of], (
        "`of` is for outcomes of one's own; measure() writes those of the project"
    )
    params = deepcopy(scenario("veltara", "parallel"))
    model = PeaceModel(params).run()
    record = model.record
    filled = np.isfinite(record.weekly).any(axis=0)
    no_bases = {f"informed_{name}" for name, aid in zip(record.missions, model.missions.donors, strict=True) if aid}
    empty = {c for c, full in zip(record.columns, filled, strict=True) if not full}
    assert empty == no_bases, "write them in measure()"


def test_no_two_numbers_of_a_group_are_equal_in_the_baseline():
    """Equal numbers would hide that one was taken for the other."""
    for country, mission in dict.fromkeys(row[:2] for row in ROWS):
        groups = {}
        for path, field, value in walk(scenario(country, mission)):
            if "low" in field.metadata and value not in (0, 1):
                groups.setdefault(path.rpartition(".")[0], []).append(value)
        for group in set(groups) & {f.name for f in fields(Processes)}:
            assert len(groups[group]) == len(set(groups[group])), group


def test_everything_happens_in_the_baseline():
    """A number that is nowhere but zero says nothing."""
    table = list(stored().values())
    for outcome in set(table[0]) - {"peace_at_exit", "peace_lasted", "relapse"}:  # of runs of many years
        assert any(row[outcome] not in (0.0,) and row[outcome] == row[outcome] for row in table), outcome
