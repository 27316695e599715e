"""Command line: a configuration in, results out.

python -m sim country=car mission=sequential seed=3 mission.budget=5e9   one run, a folder of tables
python -m sim -m mission=none,parallel judge.conflation=0,0.5,1 run.seeds=20   a sweep, one table
"""

import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from sim import asked, branch, outcomes, paths, results
from sim.calibrated import Calibration
from sim.config import Config, Multirun, engine, register, to_params, try_jobs
from sim.model import Model
from sim.warm import WRONG, between_steps, in_a_sentence, progress, warm_up


def simulate(config: DictConfig) -> Path | float | tuple[float, ...] | None:
    """Run one scenario and write its results; return the folder, or what a sweep is to optimise."""
    params, run = to_params(config), config.run
    multirun = HydraConfig.get().mode == RunMode.MULTIRUN
    alone = not multirun and run.seeds is None
    if not multirun:
        asked.refuse_idle([(HydraConfig.get().overrides.task, params)])
    if not (alone or run.folders or run.branch_from or run.save_at is not None):
        Multirun.folder, Multirun.engine = Path(HydraConfig.get().sweep.dir), engine(config)
        return Multirun.engine.scenario_job(config)
    choices, given = HydraConfig.get().runtime.choices, HydraConfig.get().overrides.task
    if calibration := Calibration.asked_for(config.calibration, given):
        params = calibration.of(params)
    made_of = f"{choices.country}_{choices.mission}_seed{params.seed}_{results.fingerprint(params)}".replace("/", "_")
    given_name = results.checked_name(run.name)
    name = "_".join(filter(None, [given_name, made_of if multirun or not given_name else ""]))
    folder = Path(run.results) / name
    results.refuse_what_is_not_ours(folder, results.RUN)
    if run.branch_from and not Path(run.branch_from).is_file():
        raise ValueError(f"run.branch_from is {run.branch_from!r}; there is no such file")
    if run.save_at is not None and not 0 < run.save_at < params.weeks:
        raise ValueError(f"run.save_at is {run.save_at:g}; it must lie between 0 and weeks ({params.weeks})")
    model = branch.resume(params, run.branch_from, Model) if run.branch_from else Model(params)
    warm_up()
    saved = None
    with (
        progress(f"{params.country.name}, {choices.mission}", params.weeks, model.week) as advance,
        between_steps() as ok,
    ):
        while not model.finished:
            if run.save_at is not None and saved is None and model.week >= run.save_at:
                saved = branch.save(model, folder.with_name(f"{name}_week{model.week:g}.npz"))
            model.step()
            advance(model.week)
            ok()
    try:
        results.write_run(model, folder, given, run.cells)
    except OSError as error:
        raise OSError(f"{folder} could not be written, and nothing of it was: {error.strerror or error}") from error
    print(summary(model, choices.mission))
    print(f"results: {folder}" + (f"\nstate:   {saved}" if saved else ""))
    return folder


def summary(model: Model, mission: str) -> str:
    """Return what a reader wants to know first."""
    t = outcomes.totals(model)
    p = model.params

    def share(x):
        return "-" if x != x else f"{x:.0%}"

    rows = [
        ("civilians killed", f"{t['civilians_killed']:,.0f}",
         f"by the government {t['osv_gov']:,.0f}, by other factions {t['osv_reb']:,.0f}, "
         f"by missions {t['killed_by_missions']:,.0f}"),
        ("deaths from need", f"{t['excess_deaths']:,.0f}", "hunger and disease above the ordinary"),
        ("battle deaths", f"{t['brd']:,.0f}", "fighters"),
        ("displaced, at most", f"{t['displaced_peak']:,.0f}", "inside the country and abroad"),
        ("unmet need", f"{t['unmet_need'] / 1e6:,.0f} million", "person-weeks"),
        ("humanitarian access", share(t["access"]), "of attempts by aid teams"),
        ("peacekeepers killed", f"{t['peacekeepers_killed']:,.0f}", f"aid workers {t['aid_workers_killed']:,.0f}"),
        ("first agreement", "none" if t["weeks_to_agreement"] != t["weeks_to_agreement"]
         else f"week {t['weeks_to_agreement']:.0f}", f"collapses {t['agreement_collapses']}"),
        ("missions asked to go", f"{t['missions_expelled']}", f"served {t['mandate_weeks']:.0f} weeks"),
        ("cost", f"US$ {t['cost'] / 1e6:,.0f} million", "over the run"),
    ]  # fmt: skip
    head = f"{p.country.name}, {model.week:g} weeks, mission model {mission}, seed {p.seed}"
    return "\n".join([head, *(f"  {a:<21}{b:>18}  {c}" for a, b, c in rows)])


@hydra.main(version_base="1.3", config_path=str(paths.CONF), config_name="config")
def _hydra(config: Config) -> Any:
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return simulate(config)
    try:
        return simulate(config)
    except WRONG as error:  # said in `main`: out of here, Hydra would put a line of its own before it
        Multirun.refused = error
        return None


def _checked(words):
    """Return the words of the command line in the order that Hydra reads them in, those of a run or a sweep checked."""
    given = asked.options(get_args_parser(), words)
    flags = [word for word in words if word not in given.overrides]
    if given.cfg or given.info or given.help or given.hydra_help or given.shell_completion:
        return [*given.overrides, *flags]  # a question
    sweep = given.multirun or "hydra.mode=MULTIRUN" in given.overrides
    asked.refuse_twice(given.overrides)
    asked.refuse(given.overrides, asked.MANY if sweep else asked.ONE)
    if sweep:
        try_jobs(given.overrides)
    return [*given.overrides, *flags]


def main() -> None:
    """Run, and say what is wrong in one sentence."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here, not as a stack of frames
    GlobalHydra.instance().clear()
    register()
    Multirun.folder, Multirun.refused = None, None
    with in_a_sentence(lambda: "finished runs are kept" if Multirun.folder else "nothing was written", _finish):
        sys.argv[1:] = _checked(paths.take_folders(sys.argv[1:]))
        _hydra()
        if Multirun.refused:
            raise Multirun.refused
    if code := _finish(0):
        sys.exit(code)


def _finish(code):
    """Write the tables of a sweep, if it is one; return the exit code."""
    if Multirun.folder is None or not (Multirun.folder / "plan").is_dir():
        return code
    return max(code, 0 if Multirun.engine.finish(Multirun.folder) else 1)


if __name__ == "__main__":
    main()
