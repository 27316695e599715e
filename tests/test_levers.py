"""The table of levers: every row can be run, and verdicts follow from the numbers."""

import numpy as np
import pandas as pd
import pytest
from conftest import CONF

from experiments import levers
from experiments.engine.experiment import Experiment
from experiments.levers import Lever, figures, judged, told
from sim import PeaceModel, load, paths
from sim.outcomes import totals

ROWS = levers.levers()
SETTINGS = {label: overrides for row in ROWS for label, overrides in row.arms().items()}


def test_no_question_is_asked_twice_and_each_says_who_asked_it():
    assert len({r.question for r in ROWS}) == len(ROWS)
    for r in ROWS:
        assert r.question.endswith("?"), r.name
        assert r.low != r.high, r.name
        assert r.asked_by, r.name


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_every_setting_of_every_row_makes_another_scenario(row):
    made = [repr(load(*overrides, "weeks=4", "civilians=20")) for overrides in row.arms().values()]
    assert len(set(made)) == len(made)


def test_every_outcome_is_one_that_runs_have():
    model = PeaceModel(load("mission=un_only", "weeks=60", "civilians=50")).run()
    assert {r.outcome for r in ROWS} <= set(totals(model))


def lever(name, expected="rise", outcome="civilians_killed", off=("x=0",)):
    return Lever(name=name, subject="made_up", question="?", asked_by="nobody", low=["x=1"], high=["x=2"],
                 outcome=outcome, expected=expected, without=list(off))  # fmt: skip


def made_up(rows, effect, off, seeds=30):
    """Return runs in which high settings multiply an outcome (of shares: add to it), with the mechanism and without."""
    luck, out = np.random.default_rng(0), []
    for row, by, without in zip(rows, effect, off, strict=True):
        for seed in range(seeds):
            world, noise = luck.lognormal(5, 1), luck.lognormal(0, 0.1, 4)
            if row.outcome == "access":
                world, by_, without_ = 0.5, 1 + by / 0.5, 1 + without / 0.5
            else:
                by_, without_ = by, without
            for arm, factor, n in zip(row.arms(), (1, by_, 1, without_), noise, strict=False):
                out.append({"arm": arm, "seed": seed, row.outcome: world * factor * (1 + (n - 1) / 10)})
    return pd.DataFrame(out)


def test_verdicts_follow_from_the_numbers():
    rows = [lever("up"), lever("down"), lever("flat"), lever("left"), lever("blank", off=()),
            lever("open", "open"), lever("idle", "open"), lever("shares", "fall", "access")]  # fmt: skip
    effect = [1.5, 0.7, 1.0, 1.5, 1.5, 0.6, 1.0, -0.1]
    table = judged(rows, made_up(rows, effect, [1, 1, 1, 1.4, 1, 1, 1, 0])).set_index("row")
    assert table.verdict.to_dict() == {
        "up": "as expected", "down": "reversed", "flat": "not shown", "left": "as expected", "blank": "as expected",
        "open": "moves", "idle": "not told apart from nothing", "shares": "as expected",
    }  # fmt: skip
    assert table.off_verdict.to_dict() == {
        "up": "gone", "down": "gone", "flat": "gone", "left": "still there", "blank": "", "open": "gone",
        "idle": "gone", "shares": "gone",
    }  # fmt: skip
    assert table.effect["up"] == pytest.approx(1.5, rel=0.02)
    assert table.effect["shares"] == pytest.approx(-0.1, abs=0.01)
    assert (table.effect_low < table.effect).all()
    text = told(table.reset_index())
    assert "x1.5" in text
    assert "points" in text


def test_swapped_settings_swap_the_verdict():
    rows = [lever("up")]
    runs = made_up(rows, [1.5], [1])
    turned = runs.replace({"arm": {"up: low": "up: high", "up: high": "up: low"}})
    assert judged(rows, turned).verdict[0] == "reversed"


@pytest.mark.parametrize(("row", "said"), [
    ({"question": "?"}, "lacks asked_by, low, high, outcome, expected"),
    ({"lo": []}, "bad.lo is not a setting .did you mean"),
    ([1], "a row has question"),
    ({"question": "?", "asked_by": "a", "low": [], "high": [], "outcome": "deaths", "expected": "rise",
      "withdrawn": "fall"}, "withdrawn is 'fall'; it is rise or fall, of a row whose expected is open"),
])  # fmt: skip
def test_a_bad_row_is_refused(row, said, tmp_path, monkeypatch):
    (tmp_path / "levers").mkdir()
    (tmp_path / "levers" / "mine.yaml").write_text(f"bad: {row}", encoding="utf-8")
    with paths.also(tmp_path), pytest.raises(ValueError, match=said):
        levers.levers()


def test_rows_of_ones_own_join(tmp_path):
    (tmp_path / "levers").mkdir()
    text = (CONF / "levers" / "presence.yaml").read_text(encoding="utf-8").replace("troops:\n", "mine:\n", 1)
    text = text[: text.index("delay:")].replace("Do more troops", "Do many more troops")
    (tmp_path / "levers" / "mine.yaml").write_text(text, encoding="utf-8")
    with paths.also(tmp_path):
        assert [r.name for r in levers.levers(["mine"])] == ["mine"]


def test_a_small_table_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = Experiment("levers", ["experiment.analysis.rows=[troops,escorts]", "experiment.seeds=2",
                              "experiment.analysis.more_seeds=3",
                              "experiment.common=['weeks=60','civilians=100']"])  # fmt: skip
    x.run(1)
    table = pd.read_csv(x.folder / "levers.csv")
    assert table.row.tolist() == ["troops", "escorts"]
    shown = ~table.verdict.isin([levers.UNSEEN, levers.STILL])
    assert ((table.seeds == 3) | (shown & (table.seeds == 2))).all()
    assert {"levers.md", "levers.png", "provenance.yaml", "runs.parquet"} <= {f.name for f in x.folder.iterdir()}
    with pytest.raises(ValueError, match="No row 'tropps'"):
        Experiment("levers", ["experiment.analysis.rows=[tropps]"])


def test_the_figure_shows_every_row():
    rows = [lever(f"row {k}") for k in range(4)]
    table = judged(rows, made_up(rows, [1.5, 0.7, 1, 9], [1] * 4))
    table["question"] = [f"Does lever {k} move anything?" for k in range(4)]
    figure = figures.table(table)
    shown = " ".join(t.get_text() for ax in figure.axes for t in ax.texts).replace("\n", " ")
    for question in table.question:
        assert question in shown


def test_the_overview_names_every_row_and_marks_what_is_sure():
    rows = [lever(f"row_{k}") for k in range(40)]
    table = judged(rows, made_up(rows, [1.5] * 20 + [1.0] * 20, [1.0] * 40))
    drawn = list(levers._drawn(table))
    assert [part for part, _ in drawn] == ["", "made_up"]
    axes = drawn[0][1].axes
    said = [t.get_text() for ax in axes for t in ax.texts]
    assert all(f"row {k}" in said for k in range(40))
    hollow = [line.get_markerfacecolor() == "white" for ax in axes for line in ax.lines]
    assert hollow == [v == levers.UNSEEN for v in table.verdict]
