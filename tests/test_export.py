"""What a run leaves, as the field reads it: places of this world, UCDP GED, Hultman, Kathman & Shannon, Stata and R."""

import csv
import re
import subprocess
import sys
import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import CONF, choices, loaded, mission, play, scenario

from experiments.engine import tables
from experiments.history import targets
from sim import PeaceModel, export, outcomes, results
from sim.country import make_land, priogrid_of
from sim.outcomes import CELL_COLUMNS, EVENT_COLUMNS, MAPS
from sim.params import KINDS

CAR = ("country=car", "mission=car_history", "mission.authorised=20")
REAL = [name for name in choices("country") if loaded(f"country={name}").country.cells]
HKS_COMMANDS = """
nbreg osvAll troopLag policeLag militaryobserversLag brv_AllLag osvAllLagDum incomp epduration lntpop
nbreg osvreb1 troopLag policeLag militaryobserversLag brv_bLag brv_aLag osvreb1LagDum osvgovLag incomp epduration lntpop
nbreg osvgov troopLag policeLag militaryobserversLag brv_bLag brv_aLag osvreb1Lag osvgovLagDum incomp epduration lntpop
nbreg osvAll troopLag policeLag militaryobserversLag brv_AllLag osvAllLagDum incomp epduration lntpop if PKOdum == 1
vce(cluster conflict_id)
"""  # of the authors' replication of their table 1


@pytest.fixture(scope="module")
def car():
    """A year and a half of the Central African Republic, in which there are events of every kind of violence."""
    return play(*CAR, weeks=110, civilians=300)


@pytest.fixture(scope="module")
def run(car, tmp_path_factory):
    return results.write_run(car, tmp_path_factory.mktemp("results") / "one")


# ---------------------------------------------------------------------------------- places


def test_the_gid_is_priogrids():
    known = {  # latitude and longitude -> gid, as UCDP GED 23.1 and PRIO-GRID 2.0 publish them
        (4.366667, 18.583333): 135758, (-9.25, 124.25): 116529, (-90.0, -180.0): 1, (89.9, 179.9): 259_200,
        (90.0, 180.0): 259_200, (-89.75, 0.25): 361, (-89.25, -179.75): 721,
    }  # fmt: skip
    assert priogrid_of(*np.array(list(known)).T).tolist() == list(known.values())


@pytest.mark.parametrize("name", REAL)
def test_a_country_of_this_world_lies_where_it_does(name):
    land = make_land(loaded(f"country={name}").country, 25, 25)
    south, west = land.latitude.min(), land.longitude.min()
    km_north = (land.latitude - south) * 111.2
    km_east = (land.longitude - west) * 111.2 * np.cos(np.radians(land.latitude.mean()))
    assert km_north == pytest.approx((land.row - land.row.min()) * land.cell_km, rel=0.005, abs=0.2)
    assert km_east == pytest.approx((land.col - land.col.min()) * land.cell_km, rel=0.02, abs=0.2)
    of_case = CONF.parent / "docs" / "cases" / f"{name}_land.yaml"
    if of_case.is_file():  # the towns that the table was made of
        said = yaml.safe_load(of_case.read_text(encoding="utf-8"))
        towns = {t: at for d in said["districts"].values() for t, at in d["towns"].items()}
    else:  # GeoNames
        towns = {
            "Bangui": (4.361, 18.555),
            "Birao": (10.285, 22.788),
            "Obo": (5.4, 26.492),
            "Berberati": (4.261, 15.792),
        }
    places = loaded(f"country={name}").country.places
    for town, (latitude, longitude, *_) in towns.items():
        cell = np.flatnonzero((land.row == places[town].row) & (land.col == places[town].col))[0]
        off = np.hypot(
            (land.latitude[cell] - latitude) * 111.2,
            (land.longitude[cell] - longitude) * 111.2 * np.cos(np.radians(latitude)),
        )
        assert off < land.cell_km, town  # towns on the coast or a border lie in the nearest cell


def test_events_and_cells_carry_places_if_the_country_has_them_and_say_that_they_do_not(car):
    for model, real in ((car, True), (play("mission=un_only", weeks=30, civilians=300), False)):
        land, events, cells = model.land, outcomes.events(model), outcomes.cell_month(model)
        assert list(events) == list(EVENT_COLUMNS)
        assert len(events) > 20
        assert list(cells)[: len(CELL_COLUMNS)] == list(CELL_COLUMNS)
        if not real:
            assert events[["latitude", "longitude", "priogrid_gid"]].isna().all(axis=None)
            assert cells[["latitude", "longitude", "gid"]].isna().all(axis=None)
        else:
            assert (events.latitude == land.latitude[events.cell]).all()
            assert (events.priogrid_gid == priogrid_of(events.latitude, events.longitude)).all()
            assert events.priogrid_gid.dtype.kind == "i"
            assert (cells.gid == priogrid_of(cells.latitude, cells.longitude)).all()
        killed = cells.merge(events.assign(month=events.date_start.str[:7]), on=["cell", "month"])  # one key in both
        assert (killed.row_x == killed.row_y).all()
        assert len(killed) == (events.date_start.str[:7].isin(cells.month)).sum()


def test_every_column_is_explained(car):
    missions, factions = "|".join(map(re.escape, car.record.missions)), "|".join(car.record.factions)
    ways = [name.replace("<mission>", f"({missions})").replace("<faction>", f"({factions})") for name in MAPS]
    for column in outcomes.cell_month(car):
        assert column in CELL_COLUMNS or any(re.fullmatch(way, column) for way in ways), column
    said = [line.split(",")[0] for line in outcomes.dictionary().splitlines()[1:]]
    ways = [name.replace("<mission>", f"({missions})").replace("<faction>", f"({factions})") for name in said]
    for column in (*outcomes.weekly(car), *outcomes.monthly(car)):
        assert any(re.fullmatch(way, column) for way in ways), column


def test_an_event_ends_on_the_last_day_of_its_step():
    for step in (1.0, 0.5, 0.25, 4.0):
        p = scenario("mission=none", weeks=24, civilians=200, rows=8)
        p.step_weeks = step
        model = PeaceModel(p).run()
        events = outcomes.events(model)
        assert len(events) > 5, step
        first, last = (pd.to_datetime(events[c]) for c in ("date_start", "date_end"))
        days = (last - first).dt.days + 1
        assert days.between(max(1, np.floor(7 * step)), max(1, np.ceil(7 * step))).all()
        steps = sorted({model.record.day(k) for k in range(model.record.steps + 1)})
        for begins, ends in zip(first.dt.date, last.dt.date):
            assert steps[steps.index(begins) + 1] == ends + timedelta(days=1)  # the next step begins the day after
        assert (events.year == first.dt.year).all()


def test_un_personnel_are_told_apart_kind_by_kind():
    p = scenario("mission=none", weeks=4, civilians=100, rows=8)
    p.mission.comparison = "as_deployed"
    sent = {KINDS[0]: 1_000.0, KINDS[1]: 200.0, KINDS[2]: 30.0}
    p.mission.components = {
        "blue": mission(persons=sent),
        "green": mission(persons={k: 3 * n for k, n in sent.items()}),
    }
    p.mission.components["blue"].force.un, p.mission.components["green"].force.un = True, False
    weeks = outcomes.weekly(PeaceModel(p).run()).iloc[-1]
    for name, n in (("troops", 1_000), ("police", 200), ("observers", 30)):
        assert weeks[f"un_{name}"] == pytest.approx(n, rel=0.01)
        assert weeks[name] == pytest.approx(4 * n, rel=0.01)


def test_fighters_killed_in_battles_are_the_governments_or_others(car):
    weeks = outcomes.weekly(car)
    assert weeks.battle_deaths_gov.sum() > 0 < weeks.battle_deaths_reb.sum()
    assert (weeks.battle_deaths_gov + weeks.battle_deaths_reb).to_numpy() == pytest.approx(
        weeks.battle_deaths.to_numpy()
    )


# ---------------------------------------------------------------------------------- UCDP GED


def test_ged_is_read_by_a_reader_of_ged_and_says_what_happened(car, run):
    assert [p.name for p in export.export(run, "ged")] == ["ged.csv", "ged_codebook.csv"]
    found = pd.read_csv(run / "ged.csv", parse_dates=["date_start", "date_end"])
    assert len(found.columns) == 49
    assert found.date_start.dtype.kind == found.date_end.dtype.kind == "M"
    whole = (
        "id year type_of_violence where_prec priogrid_gid date_prec event_clarity deaths_a deaths_b deaths_civilians "
    )
    whole += "deaths_unknown best high low conflict_new_id dyad_new_id side_a_new_id side_b_new_id"
    assert all(found[c].dtype.kind == "i" for c in whole.split())
    assert set(found.type_of_violence) == {1, 2, 3}
    assert (found.best >= 1).all()
    assert (found.best == found[["deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown"]].sum(axis=1)).all()
    assert (found.priogrid_gid == priogrid_of(found.latitude, found.longitude)).all()
    assert ((found.date_end - found.date_start).dt.days == 6).all()
    assert set(found.date_prec) == {3}  # the week is known
    one_sided = found[found.type_of_violence == 3]
    assert set(one_sided.side_b) == {"Civilians"}
    assert (one_sided.deaths_b == 0).all()
    government = f"Government of {car.params.country.name}"
    assert government not in set(found.side_b)  # it is always side_a
    named = found.groupby(["dyad_new_id", "dyad_name"]).size()
    assert len(named) == found.dyad_new_id.nunique() == found.dyad_name.nunique()
    code = dict(csv.reader((run / "ged_codebook.csv").read_text(encoding="utf-8").splitlines()))
    assert list(code) == ["variable", *found.columns]
    for column in found:
        assert (code[column] == "") == found[column].isna().all(), column

    # The project's own reader of GED, with which it calibrates, finds the history that was simulated.
    names = {name: name for name in car.record.factions if name != "government"} | {government: "government"}
    about = {"file": "ged.csv", "sides": names, "state": "government", "latitude": 6.5}
    read = targets.ged_events(run, about, car.params.country.start, "2030-01-01")
    attacks_on_aid = outcomes.events(car).query("kind == 'raid' and best >= 1")
    seen = targets.model_events(car)
    for column in ("week", "battle", "state", "dead"):
        more = {"week": (pd.to_datetime(attacks_on_aid.date_start) - pd.Timestamp("2012-01-01")).dt.days // 7,
                "battle": 0, "state": 0, "dead": attacks_on_aid.best}[column]  # fmt: skip
        assert read[column].sum() == seen[column].sum() + np.sum(more), column


def test_a_run_without_events_or_places_is_exported_too(tmp_path):
    p = scenario("mission=none", weeks=3, civilians=100, rows=8)
    for faction in p.country.factions.values():
        faction.fighters = 0
    quiet = results.write_run(PeaceModel(p).run(), tmp_path / "quiet")
    other = results.write_run(play("mission=un_only", weeks=30, civilians=300), tmp_path / "other")
    for folder, events in ((quiet, False), (other, True)):
        for form in export.FORMATS:
            assert all(path.is_file() for path in export.export(folder, form, folder / "out"))
        found = pd.read_csv(folder / "out" / "ged.csv")
        assert (len(found) > 0) == events
        assert found[["latitude", "priogrid_gid", "geom_wkt"]].isna().all(axis=None)
        assert set(found.where_prec) <= {6}
        assert len(pd.read_stata(folder / "out" / "events.dta")) == len(pd.read_csv(folder / "events.csv"))


# ---------------------------------------------------------------------------------- Hultman, Kathman & Shannon


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep of two arms and two seeds, from the command line."""
    folder = tmp_path_factory.mktemp("sweep")
    words = ["-m", "mission=none,un_only", "mission.authorised=0", "weeks=60", "civilians=100", "run.seeds=2"]
    subprocess.run([sys.executable, "-m", "sim", *words, "run.workers=1", "run.name=mine", "run.results=."], cwd=folder,
                   check=True, capture_output=True, env=None)  # fmt: skip
    return folder / "mine"


def test_the_authors_commands_find_their_variables(run, sweep):
    wanted = set(re.findall(r"\b[A-Za-z_]\w+\b", HKS_COMMANDS)) - {"nbreg", "vce", "cluster", "if"}
    for folder in (run, sweep):
        assert [p.name for p in export.export(folder, "hks")] == ["hks.csv", "hks.dta", "hks_codebook.csv"]
        for found in (pd.read_csv(folder / "hks.csv"), pd.read_stata(folder / "hks.dta")):
            assert wanted <= set(found)
            estimated = found[found.epduration > 1]
            assert estimated[sorted(wanted)].notna().all(axis=None)
            assert found[found.epduration == 1].troopLag.isna().all()
        code = pd.read_csv(folder / "hks_codebook.csv")
        assert code.variable.tolist() == list(pd.read_stata(folder / "hks.dta"))
        assert code[code.variable.isin(export.HKS)].meaning.notna().all()


def test_hks_variables_are_the_months_in_thousands_lagged_run_by_run(sweep):
    export.export(sweep, "hks")
    found, months = pd.read_csv(sweep / "hks.csv"), tables.load(sweep).monthly()
    assert found.conflict_id.nunique() == 4
    for number, mine in found.groupby("conflict_id"):
        arm, seed = mine.arm.iloc[0], mine.seed.iloc[0]
        of = months[(months.arm == arm) & (months.seed == seed)].reset_index(drop=True)
        assert len(of) == len(mine), number
        assert mine.year.tolist() == of.month.str[:4].astype(int).tolist()
        assert mine.epduration.tolist() == list(range(1, len(of) + 1))
        for variable, column in (
            ("troop", "un_troops"),
            ("police", "un_police"),
            ("militaryobservers", "un_observers"),
        ):
            assert mine[variable].to_numpy() == pytest.approx(of[column].to_numpy() / 1_000)
            assert mine[f"{variable}Lag"].to_numpy()[1:] == pytest.approx(of[column].to_numpy()[:-1] / 1_000)
        assert mine.osvAll.tolist() == of.osv_all.round().tolist()
        assert mine.osvAllLagDum.tolist()[1:] == (of.osv_all.round()[:-1] > 0).astype(float).tolist()
        assert mine.brv_AllLag.to_numpy()[1:] == pytest.approx(np.log1p(of.brd.to_numpy()[:-1]))
        assert np.exp(mine.lntpop.iloc[0]) == pytest.approx(5_000, rel=0.01)  # thousands, as the authors have it
        assert (mine.PKOdum > 0).any() == ("un_only" in arm)


def test_the_fields_model_can_be_estimated_on_it(run):
    smf = pytest.importorskip("statsmodels.formula.api")
    family = pytest.importorskip("statsmodels.api").families.NegativeBinomial(alpha=1.0)
    export.export(run, "hks")
    months = pd.read_stata(run / "hks.dta")
    said = smf.glm("osvAll ~ brv_AllLag + osvAllLagDum + epduration", months, family=family, missing="drop").fit()
    assert said.nobs == len(months) - 1
    assert np.isfinite(said.params).all()


# ---------------------------------------------------------------------------------- Stata and R


def read_by_readstat(path):
    """Read with the library that R's haven is made of, if it is here."""
    pyreadstat = pytest.importorskip("pyreadstat")
    return pyreadstat.read_dta(str(path))


def test_stata_reads_every_table_with_its_labels(run, sweep):
    for folder in (run, sweep):
        made = export.export(folder, "stata")
        code = pd.read_csv(made[-1])
        assert code.meaning.notna().all()
        for path in made[:-1]:
            with pd.io.stata.StataReader(path) as reader:
                table, labels = reader.read(), reader.variable_labels()
            mine = code[code.file == path.name]
            assert mine.variable.tolist() == list(table)
            assert all(re.fullmatch(r"[A-Za-z_]\w{0,31}", name) for name in table)
            assert all(labels[name] for name in table), path
            plain = path.with_suffix(".csv")
            if not plain.is_file():
                parquet = folder / ("monthly" if path.stem == "monthly" else f"{path.stem}.parquet")
                plain = pd.read_parquet(parquet)
            else:
                plain = pd.read_csv(plain)
            assert mine.column.tolist() == list(plain)
            for name, column in zip(table, plain):
                if plain[column].dtype.kind in "if":
                    kind = (
                        table[name].map({v: k for k, v in export.VIOLENCE.items()})
                        if column == "type_of_violence"
                        else 0
                    )
                    values = kind.astype(float) if column == "type_of_violence" else table[name].astype(float)
                    assert values.to_numpy() == pytest.approx(plain[column].to_numpy(float), nan_ok=True), column
            if "month" in plain:
                assert table.month.dt.strftime("%Y-%m").tolist() == plain.month.tolist()
            if "date_end" in plain:
                assert table.date_end.dt.strftime("%Y-%m-%d").tolist() == plain.date_end.tolist()


def test_r_reads_every_table_with_its_labels(run):
    for path in export.export(run, "stata")[:-1]:
        table, about = read_by_readstat(path)
        assert list(table) == pd.read_csv(run / "stata_codebook.csv").query(f"file == '{path.name}'").variable.tolist()
        assert all(about.column_names_to_labels.values())


def test_names_that_stata_takes():
    columns = ["judge.conflation", "judge conflation", "in", "1st", "é", "x" * 40, "x" * 41, "killed_by_un with ngos"]
    names = export.stata_names(columns)
    assert names[:4] == ["judge_conflation", "judge_conflation_2", "_in", "_1st"]
    assert len({*names}) == len(columns)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", name) and name not in export.RESERVED for name in names)


def test_the_same_results_make_the_same_files(run, tmp_path):
    for form in export.FORMATS:
        for path in export.export(run, form, tmp_path / "a"):
            again = tmp_path / "b" / path.name
            if not again.is_file():
                export.export(run, form, tmp_path / "b")
            assert path.read_bytes() == again.read_bytes(), path.name


def test_pandas_writes_every_frame_for_stata(car, sweep, tmp_path):
    found = tables.load(sweep)
    for frame in (
        outcomes.weekly(car), outcomes.monthly(car), outcomes.events(car), outcomes.cell_month(car), found.runs,
        found.monthly(), found.summary(),
    ):  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", pd.errors.InvalidColumnName if hasattr(pd.errors, "InvalidColumnName") else Warning
            )
            frame.to_stata(tmp_path / "frame.dta", write_index=False)
        assert len(pd.read_stata(tmp_path / "frame.dta")) == len(frame)


# ---------------------------------------------------------------------------------- a sweep, and the command


def test_a_sweep_has_a_codebook_beside_it_and_its_summary_says_outcomes_first(sweep):
    said = pd.read_csv(sweep / "columns.csv")
    found = tables.load(sweep)
    assert said[said.table == "runs"].column.tolist() == list(found.runs)
    assert said[said.table == "monthly"].column.tolist() == list(found.monthly())
    assert said.meaning.notna().all()
    how = said[said.table == "monthly"].set_index("column").weeks_make_a_month_by
    assert how[["osv_all", "trust_un", "access", "cost"]].tolist() == ["sum", "last", "mean", "sum"]
    summary = found.summary()
    assert list(summary)[:4] == ["outcome", "mean", "low", "high"]
    with pd.option_context("display.width", 80, "display.max_columns", 0):
        assert re.match(r"\s+outcome\s+mean", str(summary))


def test_what_cannot_be_exported_is_refused_in_a_sentence(run, sweep, tmp_path, capsys):
    for folder, form, said in (
        (sweep, "ged", "mine is a sweep, which keeps no events; name the folder of a single run"),
        (tmp_path, "hks", "is neither a run nor a sweep; name a folder with events.csv or runs.parquet"),
        (tmp_path / "nothing", "stata", "is neither a run nor a sweep"),
    ):
        with pytest.raises(SystemExit) as ended:
            export.main([str(folder), "--format", form])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
    export.main([str(run), "--format", "ged", "--to", str(tmp_path / "out")])
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / n) for n in ("ged.csv", "ged_codebook.csv")]
