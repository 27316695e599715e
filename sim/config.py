"""From choices to parameters: Hydra composes conf/*.yaml and overrides over the defaults of sim/params.py."""

import hashlib
import sys
import threading
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Dict, List, Optional  # noqa: UP035

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from sim import asked, paths
from sim.calibrated import Calibration
from sim.country import finer
from sim.outcomes import refuse_months
from sim.params import KINDS, Params, part, table, text, walk
from sim.paths import CONF
from sim.results import checked_name
from sim.shocks import made_of
from sim.values import no_setting


@dataclass(kw_only=True)
class Run:
    """How `python -m sim` runs, as apart from what is simulated."""

    name: Optional[str] = text("name of the folder of results; none: made of the choices and the seed", None)
    cells: bool = field(default=True, metadata={"doc": "write the cell-month panel too"})
    save_at: Optional[float] = text("week at which the state is saved, to branch from", None)
    branch_from: Optional[str] = text("a saved state to go on from", None)
    results: str = text("folder of all results", "results")
    seeds: Optional[int] = text("seeds of a scenario, from `seed` on, run across the cores; none: one run", None)
    workers: Optional[int] = text("runs at a time within a job; none: the cores that the job has", None)
    retry_failed: bool = field(default=False, metadata={"doc": "run again those that failed, and only those"})
    folders: bool = field(
        default=False, metadata={"doc": "in a multirun: all tables of each run in a folder of its own"}
    )
    months: List[str] = table("months, as YYYY-MM, of which a sweep keeps maps", list)
    objective: List[str] = table("outcomes whose means over the seeds an optimising sweeper is given", list)
    engine: Optional[str] = text("module that does the jobs of a multirun and ends it", None)


@dataclass(kw_only=True)
class Design:
    """Points at which every arm is run: each axis is a setting, its values, or its lowest and highest."""

    kind: str = "grid"  # all combinations; lhs, sobol, morris: samples; optuna: optimisation (engine/designs.py)
    axes: Dict[str, Any] = field(default_factory=dict)  # setting: values; or a name: {level: overrides}
    points: int = 16  # of lhs and sobol; trajectories of morris; trials of optuna
    seed: int = 1  # of the design itself
    levels: int = 4  # of morris
    fixed: List[str] = field(default_factory=list)  # arms on which the axes have no bearing: run once
    batch: int = 4  # trials of optuna between two looks at the results
    objectives: Dict[str, str] = field(default_factory=dict)  # outcome: minimize or maximize
    bounds: Dict[str, float] = field(default_factory=dict)  # outcome: the highest mean that is allowed


@dataclass(kw_only=True)
class Adaptive:
    """When a scenario has seeds enough: when the 95% interval of the mean of an outcome is narrow."""

    outcome: Optional[str] = None
    half_width: Optional[float] = None  # in the unit of the outcome
    relative: Optional[float] = None  # as a share of the mean
    difference: bool = False  # of the paired difference from the baseline, not of the mean
    batch: int = 10  # seeds added at a time
    most: int = 200  # seeds of a scenario


@dataclass(kw_only=True)
class Experiment:
    """What is run, what is kept of a run, and the study that makes something of it."""

    name: Optional[str] = text("name of its results", None)
    question: str = text("what it asks")
    notice: str = text("what to look at in the results and what would be an answer; printed with them")
    study: str = "comparison"  # a folder of experiments/, or a module in one
    analysis: Dict[str, Any] = field(default_factory=dict)  # what the study wants to know besides
    arms: Dict[str, List[str]] = field(default_factory=dict)  # name: overrides; "as NAME" stands for a preset
    common: List[str] = field(default_factory=list)  # overrides of every arm, before its own
    presets: Dict[str, List[str]] = field(default_factory=dict)  # name: overrides that several arms share
    variants: Dict[str, List[str]] = field(default_factory=dict)  # "ARM, NAME" is an arm with these overrides as well
    baseline: Optional[str] = text("arm that the others are compared with", None)
    seeds: int = 30
    first_seed: int = 1
    figures: List[str] = field(default_factory=list)  # of the study, or STUDY.NAME of another one
    formats: List[str] = field(default_factory=lambda: ["png", "pdf", "svg"])  # of figures
    monthly: bool = True  # keep the monthly panel of each run; without, its outcomes alone
    map_dates: List[str] = field(default_factory=list)  # months, as YYYY-MM, of which maps are kept; none: four
    map_months: Optional[int] = None  # keep maps of the first so many months instead
    map_arms: Optional[List[str]] = None  # arms of which maps are kept; none: all, without a design
    same_past: bool = False  # with a calibration: seed s also takes the luck with which draw s was accepted
    design: Design = part(Design)
    adaptive: Adaptive = part(Adaptive)


@dataclass(kw_only=True)
class Config(Params):
    """Everything that can be set on the command line."""

    calibration: Optional[str] = text("calibration to draw parameters from, by seed; none: the defaults", None)
    finer: float = field(
        default=1.0, metadata={"doc": "cells a side, as a multiple of the map's own; of generated maps"}
    )
    run: Run = part(Run)
    experiment: Experiment = part(Experiment)


class OwnConfiguration(SearchPathPlugin):
    """Has Hydra look into users' own folders, too, after the project's."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the folders."""
        for folder in paths.own_folders():
            paths.refuse_namesakes(folder)
            search_path.append("own configuration", f"file://{folder}")


def register() -> None:
    """Make the schema, the names of sweeps and users' own configuration known to Hydra."""
    Plugins.instance().register(OwnConfiguration)
    store = ConfigStore.instance()
    known = store.repo.get("params.yaml")
    if known is None or OmegaConf.get_type(known.node) is not Config:  # it takes a fifth of the time of composing
        store.store(name="params", node=Config)
    OmegaConf.register_new_resolver("sweep_name", _sweep_name, replace=True, use_cache=True)


def _sweep_name(name):
    """Return the name of a sweep: the one given, or one made of the command: the same command goes on with it."""
    said = sorted(word for word in sys.argv[1:] if "=" in word and not word.startswith(("run.retry_failed", "hydra")))
    return checked_name(name) or f"sweep_{hashlib.sha256(' '.join(said).encode()).hexdigest()[:8]}"


class Multirun(Callback):
    """A callback of Hydra: takes down where a multirun puts its results, and loads the engine that does its jobs."""

    folder: ClassVar[Path | None] = None
    engine: ClassVar[Any] = None  # a module
    refused: ClassVar[BaseException | None] = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Take down the folder and the engine, which makes ready for the jobs."""
        try:
            checked_name(config.run.name)
            Multirun.engine = engine(config)
            Multirun.engine.begin(config.hydra)
        except (ValueError, OSError) as error:  # Hydra would make a warning of it and go on
            print(f"error: {asked.explain(error)}", file=sys.stderr)
            raise SystemExit(2) from None
        Multirun.folder = Path(config.hydra.sweep.dir)


def engine(config: DictConfig) -> ModuleType:
    """Return the module that the configuration names to do the jobs of a multirun; its launchers are known then."""
    return import_module(config.run.engine)


_composing = threading.Lock()  # Hydra's state is global
MOST_BASES = 256  # combinations of files that a composer remembers, 1 MB each


def composed(overrides: Iterable[str] = (), hydra: bool = False) -> DictConfig:
    """Compose a configuration from overrides as on the command line, with Hydra's own part if asked for."""
    with _composing:
        register()
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", overrides=list(overrides), return_hydra_config=hydra)


class Composer:
    """Composes many configurations that differ in few values, 10 times as fast as one by one.

    Choices of files are composed by Hydra, each combination once. Values are then set in a copy, by the same
    function and in the same order as Hydra would: it sets values after all files are merged.

    Parameters
    ----------
    bases : int, combinations that it remembers
    """

    def __init__(self, bases: int = MOST_BASES) -> None:
        self._base = lru_cache(bases)(_of_files)
        self._shared: Params | None = None

    def params(self, overrides: Sequence[str]) -> Params:
        """Return the parameters of a scenario; what is equal in two scenarios is one object, not a copy.

        An override `experiment=NAME` stands for what all scenarios of an experiment share.

        Raises
        ------
        ValueError, hydra.errors.HydraException, omegaconf.errors.OmegaConfBaseException
            What was asked for is not there, has no bearing on a scenario, or depends on the seed.
        """
        asked.refuse(overrides, asked.SCENARIO)
        files, values = _parted(overrides)
        config = deepcopy(self._base(files)[0])
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        found = to_params(config)
        if self._base(files)[2] or any("${" in o for o in overrides):
            refuse_by_seed(config, found)
        self._shared = self._shared or found
        return _share(found, self._shared)

    def choices(self, overrides: Sequence[str]) -> dict[str, str | None]:
        """Return which file of each group of conf/ a scenario is made of, as Hydra names them; None: of none."""
        return self._base(_parted(overrides)[0])[1]


def _parted(overrides):
    """Return the overrides that choose files, as they are written, and those that set values."""
    parsed = [asked.read(word) for word in overrides]
    files = tuple(o.input_line for o in parsed if o.package or o.key_or_group == "hydra.searchpath" or _is_choice(o))
    return files, [o for o in parsed if o.input_line not in files and not o.is_hydra_override()]


def _of_files(files):
    base = composed(files, hydra=True)
    choices = dict(base.hydra.runtime.choices)
    base.experiment = Experiment()  # of no bearing on a scenario, and long
    with open_dict(base):
        del base["hydra"]
    return base, choices, "${" in OmegaConf.to_yaml(base)


def _is_choice(override):
    """Say whether an override chooses a file, as mission=parallel does."""
    return any((folder / override.key_or_group).is_dir() for folder in (CONF, *paths.own_folders()))


def _share(new, known):
    """Replace the parts of a parameter tree that are equal to known ones by these."""
    for f in fields(new):
        mine, old = getattr(new, f.name), getattr(known, f.name)
        if mine == old:
            setattr(new, f.name, old)
    return new


def to_params(config: DictConfig) -> Params:
    """Turn a composed configuration into parameters, checked for type by OmegaConf.

    A table of a user's own is named by its whole path from then on, wherever the run is done.
    """
    whole = OmegaConf.to_object(config)
    _refuse_added(whole, config)
    for name in ("cells", "observed"):
        path = paths.file_of("country", getattr(whole.country, name) or "")
        if path.is_file() and not path.is_relative_to(CONF):
            setattr(whole.country, name, str(path))
    for where, group in (("country.", whole.country), ("mission.", whole.mission), ("", whole)):
        group.events = {name: made_of(f"{where}events.{name}", given) for name, given in group.events.items()}
    params = Params(**{name: getattr(whole, name) for name in Params.__dataclass_fields__})
    return params if whole.finer == 1 else replace(params, country=finer(params.country, whole.finer))


def _refuse_added(node, config, where=""):
    """Refuse settings that no declaration has: what Hydra's + adds to a group is read by nobody."""
    if is_dataclass(node):
        known = [f.name for f in fields(node)]
        for name in vars(node):
            if name not in known:
                raise ValueError(no_setting(f"{where}{name}", known, asked.everywhere(config)))
            _refuse_added(getattr(node, name), config, f"{where}{name}.")
        for kind in node.personnel if isinstance(node, Config) else ():
            if kind not in KINDS:
                raise ValueError(no_setting(f"personnel.{kind}", KINDS))
    elif isinstance(node, dict):
        for name, inner in node.items():
            _refuse_added(inner, config, f"{where}{name}.")


def refuse_by_seed(config: DictConfig, params: Params) -> None:
    """Refuse a scenario of which more than the luck depends on the seed: it is made once, and run with many seeds."""
    other = deepcopy(config)
    other.seed += 1
    if by_seed := [path for (path, _, a), (_, _, b) in zip(walk(params), walk(to_params(other))) if a != b][1:]:
        raise ValueError(f"{', '.join(by_seed)} would depend on the seed by ${{seed}}, and a scenario is the same for "
                         "all of its seeds; write -m 'seed=range(1,4)' to make one of each seed")  # fmt: skip


def try_jobs(words: Sequence[str]) -> None:
    """Compose the scenarios of a sweep beforehand, each value once, so that what is wrong is said before the first run.

    Raises
    ------
    ValueError
        One sentence, with the words of the job.
    """
    read, composer = [asked.read(word) for word in words], Composer()
    values = [
        [f"{o.get_key_element()}={v}" for v in asked.values_of(o)] if o.is_sweep_override() else [o.input_line]
        for o in read if not asked.key_of(o).startswith(("run.", "hydra.", "hydra/")) and asked.key_of(o) != "seed"
    ]  # fmt: skip
    tried = []
    first, months = [some[0] for some in values], next((o.value() for o in read if asked.key_of(o) == "run.months"), [])
    for job in [first, *([*first[:k], v, *first[k + 1 :]] for k, some in enumerate(values) for v in some[1:])]:
        try:
            params = composer.params(job)  # ranges are the model's to check: a run that cannot be does not stop others
            refuse_months("run.months", months, params)
            tried.append((job, params))
        except (ValueError, HydraException, OmegaConfBaseException) as error:
            raise ValueError(f"{' '.join(job)}: {asked.explain(error)}") from None
    asked.refuse_idle(tried, by=lambda word: asked.key_of(asked.read(word)))


def load(*overrides: str, config_dir: str | Path | None = None) -> Params:
    """Return the parameters of a scenario.

    Parameters
    ----------
    *overrides : str, as on the command line: "mission=sequential", "country=car", "seed=3"
    config_dir : folder of one's own countries, missions, mandates, ..., laid out like conf/; those that the variable
        PEACEKEEPING_CONF of the environment names are known anyway

    Raises
    ------
    ValueError
        In one sentence: what was asked for is not there, or has no bearing on parameters.
    """
    with paths.also(*([config_dir] if config_dir else [])):
        asked.refuse(overrides, asked.LOADED)
        try:
            config = composed(overrides)
            params = to_params(config)
        except (HydraException, OmegaConfBaseException) as error:
            raise ValueError(asked.explain(error)) from None
        calibration = Calibration.asked_for(config.calibration, overrides)
        asked.refuse_idle([(overrides, params)])
        return calibration.of(params) if calibration else params
