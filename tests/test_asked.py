"""What was asked for is compared with what there is: nothing is ignored, and a refusal is one sentence of our own."""

from dataclasses import fields

import pytest
import yaml
from conftest import same, scenario
from proof import configurations

from experiments.engine.designs import refuse_idle
from experiments.engine.experiment import Experiment
from experiments.engine.refusals import refuse_added
from sim import PeaceModel, asked, load, paths
from sim import __main__ as command
from sim.asked import EXPERIMENT, LOADED, MANY, ONE, READ_ELSEWHERE, RULES, SCENARIO, explain, refuse, refuse_twice
from sim.config import Adaptive, Composer, Design, composed, to_params, try_jobs
from sim.outcomes import months_of
from sim.params import out_of_range
from sim.values import among, no_setting, with_values

COMPOSER = Composer()


def said(do, *given):
    """Return the sentence with which something is refused."""
    with pytest.raises(configurations.REFUSALS) as error:
        do(*given)
    sentence = explain(error.value)
    assert "\n" not in sentence
    assert not [word for word in configurations.THEIRS if word in sentence]
    return sentence


def test_a_part_of_the_proof_holds():
    found, wrong = configurations.tried(every=61)
    assert not wrong
    assert sum(found.values()) > 50


# ---------------------------------------------------------------------------------- no bearing


def test_every_rule_refuses_and_says_what_to_write_instead():
    for rule in RULES:
        for of in rule.of if rule.instead else ():
            for pattern in rule.settings.split():
                setting = pattern.replace("*", "x") if pattern != "hydra*" else "hydra.x"
                beside = [f"{rule.beside.split()[0]}=1"] if rule.beside else []
                sentence = said(refuse, [f"{setting}=1", *beside], of)
                assert sentence.startswith(f"{setting}=1 has no bearing on {of}; "), (rule, sentence)


@pytest.mark.parametrize(
    ("words", "of"),
    [
        ("run.seeds=3 run.workers=2 run.months=[2012-01] run.retry_failed=true", ONE),
        ("run.save_at=2 run.branch_from=x run.cells=false run.name=x", ONE),
        ("run.seeds=3 run.workers=2 run.name=x hydra/launcher=joblib hydra.launcher.n_jobs=2 hydra.sweep.dir=x", MANY),
        ("run.folders=true run.cells=false run.save_at=2 seed=1,2", MANY),
        ("hydra/job_logging=disabled", ONE),
        ("run.results=x run.name=y run.workers=2 hydra/launcher=dask experiment.seeds=3 calibration=car", EXPERIMENT),
        ("weeks=4 weeks=8", SCENARIO),
        ("weeks=4 weeks=8 finer=2 calibration=car", LOADED),
    ],
)
def test_what_has_a_bearing_is_taken(words, of):
    refuse(words.split(), of)


def test_a_setting_is_given_once():
    sentence = said(refuse_twice, ["mission=none", "mission=un_only"])
    assert sentence.startswith("mission is given twice, as mission=none and")
    refuse_twice(["mission=parallel", "~mission.components.un", "++mission.components.un.area_km=3"])


def test_what_stands_in_empty_braces_would_change_nothing():
    for word in ("country.factions={}", "mission={components:{}}", "experiment.design.axes={}"):
        for of in (ONE, MANY, EXPERIMENT, LOADED, SCENARIO):
            assert said(refuse, [word], of)


def test_a_choice_is_neither_taken_away_nor_doubled():
    for word in (
        "~country",
        "mission=null",
        "mission=[none,un_only]",
        "+personnel=default",
        "force=un",
        "+mandate=robust",
    ):
        assert said(refuse, [word], ONE)
    refuse(["events=[cut,drought]", "~events"], ONE)


def test_a_sweep_without_values_is_refused():
    assert "choose among " in said(refuse, ["mission=glob(zz*)"], MANY)
    assert "no value at all" in said(refuse, ["weeks=range(4,4)"], MANY)
    assert "give run.name one" in said(refuse, ["run.name=a,b"], MANY)


def test_what_is_wrong_in_any_job_of_a_sweep_is_said_before_the_first():
    assert said(try_jobs, ["weeks=4,8", "civilians=60,many"]).startswith("weeks=4 civilians=many: civilians is")
    assert said(try_jobs, ["mission=none,un_onli"]).startswith(
        "mission=un_onli: mission is 'un_onli' (did you mean un_only?)"
    )
    assert "run.months names 2099-01; the run has the months 2012-01" in said(
        try_jobs, ["run.months=[2099-01]", "weeks=4,8"]
    )
    try_jobs(
        [
            "mission=glob(un_*)",
            "weeks=4,8",
            "seed=1,2",
            "run.seeds=3",
            "hydra/launcher=joblib",
            "mission.budget=interval(1e9,5e9)",
        ]
    )


def test_settings_that_no_declaration_has_are_refused_wherever_they_come_from():
    for do in (load, lambda *words: COMPOSER.params(words)):
        assert said(do, "+judge.conflaton=0.9").startswith(
            "judge.conflaton is not a setting (did you mean judge.conflation?)"
        )
        assert said(do, "+foo=1").startswith("foo is not a setting; the configuration has ")
        assert said(do, "+mission.components.x.foo=1").startswith("x is not there, and a word adds no part")
        assert said(do, "mission=un_only", "+mission.components.un.foo=1").startswith(
            "mission.components.un.foo is not"
        )


def test_kinds_of_personnel_that_no_rule_knows_are_refused(tmp_path):
    (tmp_path / "personnel").mkdir()
    (tmp_path / "personnel" / "space.yaml").write_text("astronauts: {protect: 1}", encoding="utf-8")
    sentence = said(lambda: load("personnel=space", config_dir=tmp_path))
    assert sentence.startswith(
        "personnel.astronauts is not a setting; personnel has aid, observers, police, staff, troops"
    )


def test_weeks_are_whole_steps():
    assert out_of_range(load("weeks=13", "step_weeks=2")) == [
        "weeks is 13, which is no whole number of steps of step_weeks=2; give 12 or 14"
    ]
    for weeks, step in ((6, 0.3), (13, 0.125), (12, 4), (1, 0.2)):
        assert not out_of_range(load(f"weeks={weeks}", f"step_weeks={step}"))


def test_months_are_those_of_the_run():
    assert months_of(load("weeks=9"))[-1] == "2012-02"


# ---------------------------------------------------------------------------------- no bearing on this scenario

IDLE_WORDS = [
    ("mission=un_only mission.comparison=as_deployed mission.budget=1e9", "mission.budget=1e9"),
    ("mission=un_only mission.person_years=1e4", "mission.person_years=1e4"),
    ("mission={comparison:as_deployed,budget:1e9}", "mission.budget in mission={comparison:as_deployed,budget:1e9}"),
    ("country=car country.rows=20", "country.rows=20"),
    ("processes.live=false live.mortality=0.1", "live.mortality=0.1"),
    ("processes.judge=false judge={decay:1,conflation:0.3}", "judge.decay in judge={decay:1,conflation:0.3}"),
]


@pytest.mark.parametrize(("words", "word"), IDLE_WORDS)
def test_what_has_no_bearing_on_a_scenario_is_refused(words, word, monkeypatch, capsys):
    words = words.split()
    for do in (lambda: load(*words), lambda: try_jobs(words), lambda: try_jobs([*words, "weeks=4,8"])):
        assert said(do).startswith(f"{word} has no bearing where ")
    monkeypatch.setattr("sys.argv", ["sim", *words])
    with pytest.raises(SystemExit):
        command.main()
    assert f"error: {word} has no bearing where " in capsys.readouterr().err


def test_what_has_a_bearing_on_some_scenario_is_taken():
    try_jobs(["mission=un_only", "mission.comparison=as_deployed,equal_cost", "mission.budget=1e9,2e9"])
    try_jobs(["processes.live=true,false", "live.mortality=0.1,0.2"])
    for words in (
        ["processes.live=false", "live.camp=2"],  # who opens camps reads it
        ["processes.judge=false", "judge={conflation:0.3}"],
        ["mission.budget=${mission.person_years}", "mission.person_years=1e9"],
    ):
        load(*words)


def test_arms_may_share_what_bears_on_one_of_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    some = ["experiment.map_arms=[]", "weeks=12", "civilians=60"]
    alike = [f"~experiment.arms.{arm}" for arm in ("troops_2000", "troops_4000", "troops_8000", "troops_16000")]
    both = "+experiment.arms.x=['mission=un_only']"
    assert "mission.budget=1e9 has no bearing where mission.comparison is as_deployed" in said(
        Experiment,
        "dose",
        [*some, *alike, "~experiment.arms.none", "experiment.baseline=troops_1000", "mission.budget=1e9"],
    )
    Experiment("dose", [*some, *alike, both, "mission.budget=1e9"])


def test_numbers_of_a_process_that_is_off_change_nothing_if_they_are_refused():
    """All of a process at once, at the end of their range that is further off: the run is the same, bit for bit."""
    for process, but in READ_ELSEWHERE.items():
        base = scenario("mission=parallel", "mission.authorised=0", weeks=26, civilians=60)
        setattr(base.processes, process, False)
        group = getattr(base, process)
        known = {f.name: f for f in fields(group) if "low" in f.metadata}
        assert set(but.split()) <= set(known)
        far = {}
        for name, f in known.items():
            if name not in but.split():
                low, high, now = f.metadata["low"], f.metadata["high"], getattr(group, name)
                far[f"{process}.{name}"] = type(now)(high if abs(high - now) > abs(now - low) else low)
        assert not same(PeaceModel(with_values(base, far)).run(), PeaceModel(base).run()), process


# ---------------------------------------------------------------------------------- experiments


def test_nothing_is_added_to_what_a_study_wants_to_know(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for word, meant in (
        ("+experiment.analysis.contry.towns=1", "experiment.analysis.contry is not a setting (did you mean"),
        ("+experiment.analysis.country.twons=1", "experiment.analysis.country.twons is not a setting (did you mean"),
        ("experiment.analysis.country={twons:1}", "experiment.analysis.country.twons is not a setting (did you mean"),
        ("+experiment.analysis.missions.troops.hgih=3", "experiment.analysis.missions.troops.hgih is not a setting"),
    ):
        assert said(Experiment, "regression", [word]).startswith(meant)


def test_users_name_what_is_theirs_to_name():
    priors = {"prey.rate": {"low": 5, "high": 500, "log": True}}
    more = {"priors": {**priors, "prey.tail": {"low": 2, "high": 3, "log": False}}}
    refuse_added(more, {"priors": priors}, ["priors"])
    assert said(refuse_added, more, {"priors": priors}, []).startswith("experiment.analysis.priors.prey.tail is not")
    more["priors"]["prey.tail"]["hgih"] = 3
    assert "prey.tail.hgih is not a setting (did you mean" in said(refuse_added, more, {"priors": priors}, ["priors"])


def test_idle_settings_of_a_design_are_refused():
    assert "experiment.design.points is 3; it has no bearing" in said(refuse_idle, Design(points=3), Adaptive())
    assert "levels is 6" in said(refuse_idle, Design(kind="lhs", axes={"weeks": [4, 8]}, levels=6), Adaptive())
    assert "adaptive.batch is 3" in said(refuse_idle, Design(), Adaptive(batch=3))
    assert said(refuse_idle, Design(kind="gird"), Adaptive()).startswith(
        "experiment.design.kind is 'gird' (did you mean grid?)"
    )
    refuse_idle(Design(kind="morris", axes={"weeks": [4, 8]}, levels=6, points=3), Adaptive(outcome="deaths", batch=3))


def test_the_command_line_does_not_take_away_what_arms_differ_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sentence = said(Experiment, "mission_models", ["mission=un_only"])
    assert sentence.startswith("mission tells 'none' and 'un_only' apart, and would be the same in both; leave it out")


def test_an_interpolation_in_an_arm_is_worked_out_in_that_arm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gone = [f"~experiment.arms.{arm}" for arm in yaml.safe_load((paths.CONF / "experiment" / "dose.yaml").read_text())
            ["experiment"]["arms"] if arm != "none"]  # fmt: skip
    x = Experiment(
        "dose", ["+experiment.arms.x=['civilians=60','weeks=${civilians}']", *gone, "experiment.map_arms=[]"]
    )
    assert x.scenarios["x"].params.weeks == load("civilians=60", "weeks=${civilians}").weeks == 60


def test_a_scenario_does_not_hang_on_its_seed():
    assert said(COMPOSER.params, ["weeks=${seed}"]).startswith("weeks would depend on the seed by ${seed}")
    assert said(COMPOSER.params, ["mission.budget=${civilians}", "civilians=${seed}"]).startswith(
        "civilians, mission.budget"
    )
    assert COMPOSER.params(["weeks=${civilians}", "civilians=60"]).weeks == 60


# ---------------------------------------------------------------------------------- sentences


def test_the_nearest_name_is_told():
    assert among("seperated", ["none", "separated"]) == " (did you mean separated?); choose among none, separated"
    assert among("CAR", ["car", "mali"]).startswith(" (did you mean car?)")
    assert among("x", []) == "; there is none to choose"
    assert no_setting("a.b", []).endswith("a is empty: what is in it comes with a choice of files")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("weeks=many", "weeks is 'many'; it must be a whole number in [1, 5200]"),
        ("run.cells=maybe", "run.cells is 'maybe'; it must be true or false"),
        ("country.factions=3", "country.factions is 3; it must be a table, as {name: ...}"),
        ("conflation=0.3", "conflation is not a setting (did you mean judge.conflation?); the configuration has "),
        ("mission.components.un.area_km=3", "mission.components.un is not a setting; mission.components is empty: "),
        ("seperated", "'seperated' cannot be read (did you mean mission=separated?); a setting is written key=value"),
        ("weeks=${nothing}", "weeks cannot be worked out: Interpolation key 'nothing' not found"),
        ("+weeks=3", "+weeks adds a setting that is there already; write it without +"),
        ("~judge.decay", "~judge.decay takes away a setting that there has to be; give it a value instead"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_our_own(words, sentence):
    assert said(lambda: asked.refuse([words], ONE) or to_params(composed([words]))).startswith(sentence)


def test_options_may_stand_anywhere_and_have_a_nearest_name():
    from experiments.__main__ import _arguments

    for order in (
        ["dose", "--workers", "1", "weeks=4"],
        ["weeks=4", "--workers", "1", "dose"],
        ["--workers", "1", "dose", "weeks=4"],
    ):
        given = _arguments(order)
        assert (given.name, given.workers, sorted(given.words)) == ("dose", 1, ["dose", "weeks=4"])
    assert said(_arguments, ["--retry-faled"]).startswith(
        "--retry-faled is not an option (did you mean --retry-failed?)"
    )
