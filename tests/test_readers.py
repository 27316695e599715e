"""Tables from outside: what spreadsheets write is read as it is meant; what cannot be right is refused."""

import codecs
import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from conftest import loaded, own_configuration

from experiments import __main__ as command
from experiments.history import hindcast, layout, targets
from sim import load, readers

CELLS = """# Islands, by hand: "assumed, all of it"
row,col,population,remoteness,resources,institutions,share_coast,share_inland,admin1,latitude,longitude
0,0,50000,0.1,0.0,0.5,0.9,0.1,Port Étienne,4.25,18.5
0,1,30000,.5,1e-1,0.2,0.5,0.5,Port Étienne,4.25,18.75
1,1,20000.5,0.9,0.5,0.1,0.1,0.9,"Moor, upper",4.5,18.75
"""
MONTHS = """# made up
month,civilians_killed,battle_deaths,events,refugees
2013-11,3,1.5,2,
2013-12,0,0,0,900
2014-02,5,,1,
"""
PLACES = """admin1,killed_before,events_before,killed_after,dead_after
Port Étienne,29,20,2,2.5
Moor,156,60,,4
"""
DRAWS = """seed,distance,prey.rate,country.factions.rebels.fighters
11,1.25,7.5,3000
12,1.5,8.5,4000
"""
GED = """date_start,date_end,type_of_violence,side_a,side_b,longitude,latitude,where_prec,best,deaths_civilians
2012-03-01,2012-03-04,3,Seleka,Civilians,18.5,4.25,1,12,12
2012-04-01,2012-04-01,1,Government,Seleka,,,6,3,0
"""
KINDS = {  # text, and how it is read
    "cells": (CELLS, lambda path: readers.cells(path, "country.cells")),
    "months": (MONTHS, lambda path: readers.months((path, "country.observed"))),
    "places": (PLACES, lambda path: readers.places(path, "experiment.analysis.places")),
    "draws": (DRAWS, lambda path: readers.calibration(path, "calibration")),
    "events": (GED, lambda path: targets.ged_events(path.parent, {
        "file": path.name, "sides": {"Government": "government", "Seleka": "seleka"}, "state": "government",
        "latitude": 6}, "2012-01-01", "2013-01-01").to_dict("list")),
}  # fmt: skip


def flat(found):
    """Return what was read as text, to compare."""
    parts = {**found, **found.pop("shares")} if "shares" in found else found
    return {name: np.asarray(column).tolist().__repr__() for name, column in parts.items()}


def parted_by(mark, text, comma=False):
    """Return a table as a spreadsheet writes it that parts fields by another mark."""
    frame = pd.read_csv(io.StringIO(text), comment="#", dtype=str, keep_default_na=False)
    if comma:
        decimal = re.compile(r"(\d*)\.(\d+)")
        frame = frame.map(lambda field: decimal.sub(r"\1,\2", field) if decimal.fullmatch(field) else field)
    return frame.to_csv(index=False, sep=mark)


def rows_of(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


SPREADSHEETS = {  # how the same table is written by others: bytes
    "byte-order mark": lambda t: codecs.BOM_UTF8 + t.encode(),
    "latin-1": lambda t: t.encode("latin-1"),
    "UTF-16, tabs": lambda t: parted_by("\t", t).encode("utf-16"),
    "semicolons": lambda t: parted_by(";", t).encode(),
    "decimal commas": lambda t: codecs.BOM_UTF8 + parted_by(";", t, comma=True).encode(),
    "tabs, decimal commas, latin-1": lambda t: parted_by("\t", t, comma=True).encode("latin-1"),
    "Windows": lambda t: t.replace("\n", "\r\n").encode(),
    "old Macintosh": lambda t: t.replace("\n", "\r").encode(),
    "no last line end": lambda t: t.rstrip("\n").encode(),
    "empty rows": lambda t: (t.replace("\n", "\n\n") + ",,,\n\n").encode(),
    "empty columns": lambda t: t.replace("\n", ",,\n").encode(),
    "quoted comment": lambda t: ('"# one, two"\n' + t).encode(),
    "blanks": lambda t: parted_by(";", t).replace(";", "; ").encode(),
    "all quoted": lambda t: "\n".join(
        ",".join(f'"{f}"' for f in fields) for fields in csv.reader(rows_of(t))).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_spreadsheets_write_is_read_as_it_is_meant(kind, tmp_path):
    text, read = KINDS[kind]
    path = tmp_path / "given.csv"
    path.write_text(text, encoding="utf-8")
    plain = flat(read(path))
    for how, write in SPREADSHEETS.items():
        path.write_bytes(write(text))
        assert flat(read(path)) == plain, how


def replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new, 1)

    return change


CELL, MONTH, DRAW = "cells", "months", "draws"
FAULTS = [  # kind, change, what is said of it
    (CELL, replaced("\n1,1,", "\n1.5,1,"), "where row in line 5 is '1.5'; it must be a whole number in [0, 10000]"),
    (CELL, replaced("\n1,1,", "\n0,1,"), "with row 0, col 1 twice, in lines 4 and 5; a cell stands once"),
    (CELL, replaced(",0.9,0.5,", ",0.9,,"), "where resources in line 5 is ''; it must be a number in [0, 1]"),
    (CELL, replaced("30000", "30 000"), "where population in line 4 is '30 000'; it must be a number in [0, 1e+09]"),
    (CELL, replaced("30000", "1_000"), "where population in line 4 is '1_000'"),
    (CELL, replaced("30000", "inf"), "where population in line 4 is 'inf'"),
    (CELL, replaced("share_inland", "share_coast"), "has share_coast twice, as columns 7 and 8; a name stands once"),
    (CELL, replaced("admin1,", ""), "which has 11 fields in line 3; its line of names has 10"),
    (CELL, lambda t: t.replace("remoteness", "remotenes"), "without the columns remoteness; it has row, col, "),
    (CELL, lambda t: t.replace("remoteness", "Remoteness"), "; did you mean Remoteness?"),
    (CELL, lambda t: t.replace("latitude", "latitud"), "whose column latitud is not known; did you mean latitude?"),
    (CELL, lambda t: t.replace("admin1", "admin_1"), "whose column admin_1 is not known; did you mean admin1?"),
    (CELL, lambda t: t.replace("longitude", "x"), "with latitude alone; latitude and longitude go together"),
    (CELL, replaced("4.25,18.5", "94.25,18.5"), "where latitude in line 3 is '94.25'; it must be a number in [-90,"),
    (CELL, replaced("18.75\n", "18.75,7\n"), "which has 12 fields in line 4; its line of names has 11"),
    (CELL, replaced('"Moor, upper"', '"Moor, upper'), "cannot be read: unexpected end of data"),
    (CELL, lambda t: rows_of(t)[0], "which has a line of names and no rows"),
    (CELL, lambda t: "\n".join(rows_of(t)[:2]), "with 1 cells; at least 2 are needed"),
    (CELL, lambda t: "# nothing\n\n", "which is empty"),
    (CELL, lambda t: "PK\x03\x04" + t, "which is a workbook; save it as CSV"),
    (CELL, lambda t: t.replace("0.9", "\0"), "which is not text; save it as CSV"),
    (CELL, lambda t: parted_by(";", t, comma=True).replace("0,9", "0.9", 1),
     "is '0.9'; it must be a number in [0, 1e+09], with a decimal comma as elsewhere in the file"),
    (MONTH, replaced("2014-02", "2013-12"), "where month in line 5 is '2013-12'; it must be there once, and stands in "
     "line 4 of given.csv already"),
    (MONTH, replaced("2014-02", "2013-12-15"), "where month in line 5 is '2013-12-15'; it must be there once"),
    (MONTH, replaced("2014-02", "Feb 14"), "where month in line 5 is 'Feb 14'; it must be a month from 1900 to 2100, "
     "written YYYY-MM"),
    (MONTH, replaced("2014-02", "2/1/2014"), "where month in line 5 is '2/1/2014'"),
    (MONTH, replaced("2014-02", "2014-13"), "where month in line 5 is '2014-13'"),
    (MONTH, replaced("2014-02", "0214-02"), "where month in line 5 is '0214-02'"),
    (MONTH, replaced("2014-02", ""), "where month in line 5 is ''"),
    (MONTH, replaced(",0,0,0,", ",five,0,0,"), "where civilians_killed in line 4 is 'five'; it must be a number in "
     "[0, 1e+09], or empty"),
    (MONTH, replaced(",0,0,0,", ",-1,0,0,"), "where civilians_killed in line 4 is '-1'"),
    (MONTH, replaced("1.5,2,", "1.5,2,,4"), "which has 6 fields in line 3; its line of names has 5"),
    (MONTH, replaced("events", "battle_deaths"), "has battle_deaths twice, as columns 3 and 4"),
    (MONTH, replaced("events", "event"), "whose column event is not known; did you mean events?"),
    (MONTH, replaced("month,", "months,"), "without the columns month; it has months, "),
    ("places", replaced("Moor", "Port Étienne"), "where admin1 in line 3 is 'Port Étienne'; it must be there once, and "
     "stands in line 2 already"),
    ("places", replaced("killed_after", "killed"), "without the columns killed_after"),
    (DRAW, replaced("8.5", ""), "where prey.rate in line 3 is ''; it must be a number in [0, 520]"),
    (DRAW, replaced("8.5", "521"), "where prey.rate in line 3 is '521'; it must be a number in [0, 520]"),
    (DRAW, replaced("12,", "1.5,"), "where seed in line 3 is '1.5'; it must be a whole number in "),
    (DRAW, replaced("prey.rate", "prey.rates"), "prey.rates is no number of the model; did you mean prey.rate?"),
    (DRAW, replaced("distance", "prey.rate"), "has prey.rate twice, as columns 2 and 3"),
    (DRAW, replaced("seed", "sead"), "without the columns seed; it has sead, distance"),
    ("events", replaced("2012-03-04", "2012-02-04"), "where date_end in line 2 is '2012-02-04'; it must be 2012-03-01"),
    ("events", replaced("2012-03-01", "March"), "where date_start in line 2 is 'March'; it must be a date from 1900"),
    ("events", replaced(",12,12", ",,12"), "where best in line 2 is ''; it must be a whole number in "),
    ("events", replaced("best", "best_est"), "without the columns best; it has "),
]  # fmt: skip


def test_what_cannot_be_right_is_refused_with_file_line_column_and_what_is_allowed(tmp_path):
    path = tmp_path / "given.csv"
    for kind, change, said in FAULTS:
        text, read = KINDS[kind]
        path.write_text(change(text), encoding="utf-8", newline="")
        with pytest.raises(ValueError) as error:
            read(path)
        found = str(error.value)
        assert said in found, (kind, said, found)
        assert " is 'given.csv'" in found
        assert "\n" not in found
        assert len(found) < 400


def test_a_file_that_is_not_there_is_refused_with_the_nearest_name(tmp_path):
    (tmp_path / "island_cells.csv").write_text(CELLS, encoding="utf-8")
    with pytest.raises(ValueError, match=r"no such file in .*; did you mean island_cells.csv\?"):
        readers.cells(tmp_path / "iland_cells.csv", "country.cells")


def test_a_date_of_a_spreadsheet_is_a_month(tmp_path):
    path = tmp_path / "months.csv"
    for written in (
        "2014-02-01",
        "2014-2",
        "2014/02/01",
        "2014-02-01 00:00:00.000",
        "01.02.2014",
        "1.2.2014",
        "02.2014",
    ):
        path.write_text(MONTHS.replace("2014-02", written), encoding="utf-8")
        assert readers.months((path, "country.observed"))["month"].tolist() == [
            "2013-11",
            "2013-12",
            "2014-01",
            "2014-02",
        ]


# ---------------------------------------------------------------------------------- missing is not nothing


def months_read(tmp_path, text):
    (tmp_path / "months.csv").write_text(text, encoding="utf-8")
    return pd.DataFrame(readers.months((tmp_path / "months.csv", "country.observed")))


def test_a_month_that_is_not_known_is_missing_however_that_is_written(tmp_path):
    for gap in ("2014-01,,,,\n", "2014-01,NA,NA,nan,.\n", "2014-01\n", ""):
        found = months_read(tmp_path, MONTHS.replace("2014-02", f"{gap}2014-02"))
        assert found.civilians_killed.tolist()[:2] == [3, 0]
        assert found.set_index("month").loc["2014-01"].isna().all()
    assert found.uniformed.isna().all()  # no such column
    assert np.isnan(found.battle_deaths.iloc[3])


def every_month(first, n):
    return pd.period_range(first, periods=n, freq="M").astype(str).tolist()


SIMULATED = pd.concat([
    pd.DataFrame({"arm": "a", "seed": s, "month": every_month("2013-01", 24), "osv_all": 5.0 + s,
                  "civilians_killed": 6.0 + s, "brd": 2.0 * s, "events": 1.0 * s})
    for s in range(5)
])  # fmt: skip


def seen(**changed):
    """Return two years of observed months, some of them changed: column -> {month: value}."""
    found = pd.DataFrame({
        "month": every_month("2012-01", 36), "civilians_killed": np.arange(36.0), "battle_deaths": 3.0, "events": 2.0,
    }).set_index("month")  # fmt: skip
    for column, values in changed.items():
        for month, value in values.items():
            found.loc[month, column] = value
    return found.reset_index()


def test_a_missing_month_is_left_out_of_scores_and_of_no_month_else():
    lost = {"2013-03": np.nan, "2013-09": np.nan}
    whole, partly = (hindcast.months_table(SIMULATED, s, "2013-06") for s in (seen(), seen(battle_deaths=lost)))
    months = [c for c in whole if c not in ("measure", "month")]
    for measure in hindcast.MEASURES:
        a, b = (t[t.measure == measure].set_index("month")[months] for t in (whole, partly))
        if measure != "all violent deaths":  # of which battle deaths are a part
            pd.testing.assert_frame_equal(a, b)
            continue
        assert b.loc["2013-09", ["observed", "in50", "in90"]].isna().all()
        pd.testing.assert_frame_equal(a.drop("2013-09"), b.drop("2013-09"))
        assert (b["median"] == a["median"]).all()  # the simulation is drawn in that month, too
    found = hindcast.origins_table(SIMULATED, seen(battle_deaths=lost), "2013-06").set_index(["measure", "origin"])
    assert (found.loc["all violent deaths", "2013-06"].months == 11).all()
    assert (found.loc["all violent deaths", "2013-12"].months == 12).all()
    assert (found.loc["events"].months == 12).all()
    assert found.notna().all().all()


def test_forecasts_of_the_past_are_of_the_months_that_are_known():
    known = {m: float(10 * k) for k, m in enumerate(every_month("2012-06", 12))}
    lost = dict.fromkeys(["2012-07", "2013-02"], np.nan)
    s = seen(events={**known, **lost})
    _, _, _, found = next(hindcast.forecasts(SIMULATED, s, "events", "2013-06"))
    there = [v for m, v in known.items() if m not in lost]
    assert found["last year's months"].tolist() == there  # of the calendar's twelve, not the last twelve that are known
    assert found["last year's mean"].tolist() == [np.mean(there)] == [hindcast.last_year(s, "2013-06")["events"]]
    assert found["long run"].tolist() == [2.0] * 5 + there


def test_a_table_that_knows_nothing_is_not_compared():
    dark = dict.fromkeys(every_month("2012-07", 15), np.nan)  # one month of the year before is known, then a gap
    table = hindcast.origins_table(SIMULATED, seen(events=dark), "2013-06")
    found = table[table.measure == "events"].pivot(index="origin", columns="forecast", values="crps_count")
    assert found["last month"].isna().tolist() == [True, True, False]  # of June, September and December 2013
    assert found["last year's mean"].isna().tolist() == [False, True, False]
    assert found["long run"].notna().all()
    assert (
        hindcast.scores(table).set_index(["measure", "scale", "forecast"]).origins["events", "count", "last month"] == 1
    )


def test_what_was_not_observed_is_not_scored_and_said():
    nothing = seen().assign(civilians_killed=np.nan)
    assert list(hindcast.scored(nothing, "2013-06")) == ["events"]
    assert set(hindcast.months_table(SIMULATED, nothing, "2013-06").measure) == {"events"}
    with pytest.raises(ValueError, match="nothing was observed of one-sided deaths, all violent deaths, events in the"):
        hindcast.scored(nothing.assign(events=np.nan), "2013-06")
    for case in ("mali", "timor_leste"):
        with pytest.raises(ValueError, match="nothing was observed of one-sided deaths"):
            hindcast.scored(hindcast.observed_months(loaded(f"country={case}").country), "2014-01")


def test_months_from_two_files_do_not_overlap_and_what_lies_between_is_missing(tmp_path):
    first, second = tmp_path / "before.csv", tmp_path / "observed.csv"
    first.write_text("month,events\n2012-01,4\n2012-02,5\n", encoding="utf-8")
    second.write_text("month,events\n2012-04,7\n", encoding="utf-8")
    found = readers.months((first, "before"), (second, "country.observed"))
    assert found["month"].tolist() == every_month("2012-01", 4)
    assert found["events"].tolist()[:2] == [4, 5]
    assert np.isnan(found["events"][2])
    second.write_text("month,events\n2012-02,7\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"observed.csv', where month in line 2 is '2012-02'.* line 3 of before.csv"):
        readers.months((first, "before"), (second, "country.observed"))


def test_a_mission_builds_up_by_the_calendar_and_not_by_the_rows(tmp_path):
    months = pd.period_range("2000-01", periods=30, freq="M").to_timestamp(how="end").strftime("%Y-%m-%d")
    other = pd.DataFrame({"mission": "OTHER", "date": months, "total": 10})
    mine = pd.DataFrame({"mission": "MINE", "date": months[2:], "total": np.minimum(200 * np.arange(1, 29), 4_000)})
    for lost in ([], range(5, 9)):
        for gone in (mine.drop(index=lost), mine.assign(total=mine.total.where(~mine.index.isin(lost)))):
            pd.concat([other, gone]).to_csv(tmp_path / "strength.csv", index=False)
            found = layout.lags(tmp_path, "strength.csv", "2013-01-01")
            assert found[["mission", "months_to_peak"]].to_numpy().tolist() == [["MINE", 17]]  # 3,600 of 4,000
    pd.concat([other, other]).to_csv(tmp_path / "strength.csv", index=False)
    with pytest.raises(ValueError, match=r"is 'strength.csv' with OTHER twice in 2000-01; a month stands once"):
        layout.lags(tmp_path, "strength.csv", "2013-01-01")


# ---------------------------------------------------------------------------------- before anything is run


def test_tables_that_cannot_be_right_are_refused_before_anything_is_written(tmp_path, monkeypatch, capsys):
    own = own_configuration(tmp_path / "own")
    monkeypatch.setenv("PEACEKEEPING_CONF", str(own))
    monkeypatch.chdir(tmp_path)
    for name, old, new, said in (
        (
            "country/island_observed.csv",
            "2012-02",
            "2012-01",
            "arm none: country.observed is 'island_observed.csv', where",
        ),
        (
            "country/island_cells.csv",
            "0.9,0.5",
            "0.9,x",
            "arm none: country.cells is 'island_cells.csv', where resources",
        ),
        ("calibrated/moorish.csv", "8.5", "many", "calibration is 'moorish.csv', where prey.rate in line 4 is 'many'"),
        ("experiment/patrolled.yaml", "history.observed", "history.origins", "a year before 2012-02 is needed"),
    ):
        text = (own / name).read_text(encoding="utf-8")
        (own / name).write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(SystemExit):
            command.main(["patrolled", "calibration=moorish", "--workers", "1"])
        assert said in capsys.readouterr().err, name
        assert not (tmp_path / "results").exists()
        (own / name).write_text(text, encoding="utf-8")


def test_a_calibration_in_a_spreadsheets_words_is_drawn_from(tmp_path):
    own = own_configuration(tmp_path)
    plain = load("country=island", "calibration=moorish", "seed=2", config_dir=str(own)).prey.rate
    path = own / "calibrated" / "semicolons.csv"
    path.write_bytes(codecs.BOM_UTF8 + b"seed;distance;prey.rate\r\n11;1,0;7,5\r\n12;1,0;8,5\r\n")
    assert load("country=island", "calibration=semicolons", "seed=2", config_dir=str(own)).prey.rate == plain == 8.5
