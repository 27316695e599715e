"""From choices to parameters: Hydra composes conf/*.yaml and overrides over the defaults of sim/params.py."""

from dataclasses import dataclass, field, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Dict, List, Optional  # noqa: UP035

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from sim.params import Params, part, text

CONF = Path(__file__).resolve().parent.parent / "conf"


@dataclass(kw_only=True)
class Run:
    """How `python -m sim` runs, as apart from what is simulated."""

    name: Optional[str] = text("name of the folder of results; none: made of the choices and the seed", None)
    cells: bool = field(default=True, metadata={"doc": "write the cell-month panel too"})
    save_at: Optional[float] = text("week at which the state is saved, to branch from", None)
    branch_from: Optional[str] = text("a saved state to go on from", None)
    results: str = text("folder of all results", "results")


@dataclass(kw_only=True)
class Experiment:
    """A comparison: arms that differ, seeds that they share, figures that show it."""

    name: Optional[str] = text("name of its results", None)
    question: str = text("what it asks")
    arms: Dict[str, List[str]] = field(default_factory=dict)  # name: overrides
    baseline: Optional[str] = text("arm that the others are compared with", None)
    seeds: int = 30
    first_seed: int = 1
    figures: List[str] = field(default_factory=list)
    map_dates: List[str] = field(default_factory=list)  # months as YYYY-MM; none: four over the run
    same_past: bool = False  # with a calibration: seed s also takes the luck with which draw s was accepted


@dataclass(kw_only=True)
class Config(Params):
    """Everything that can be set on the command line."""

    calibration: Optional[str] = text("calibration to draw parameters from, by seed; none: the defaults", None)
    run: Run = part(Run)
    experiment: Experiment = part(Experiment)


def register():
    """Make the schema known to Hydra."""
    ConfigStore.instance().store(name="params", node=Config)


def composed(overrides=()):
    """Compose a configuration from overrides as on the command line."""
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def to_params(config):
    """Turn a composed configuration into parameters, checked for type by OmegaConf."""
    whole = OmegaConf.to_object(config)
    return Params(**{name: getattr(whole, name) for name in Params.__dataclass_fields__})


def load(*overrides):
    """Return the parameters of a scenario.

    Parameters
    ----------
    *overrides : str, as on the command line: "mission=sequential", "country=car", "seed=3"
    """
    config = composed(overrides)
    return drawn(to_params(config), config.calibration, overrides)


# ---------------------------------------------------------------------------------- calibrated parameters


@cache
def draws_of(calibration):
    """Return the draws of a calibration: a table of seed, distance and parameters by dotted name."""
    import pandas as pd

    path = CONF / "calibrated" / f"{calibration}.csv"
    if not path.is_file():
        there = ", ".join(sorted(f.stem for f in path.parent.glob("*.csv"))) or "none is there"
        raise ValueError(f"calibration is {calibration!r}; choose among {there}")
    return pd.read_csv(path, comment="#")


def drawn(params, calibration, overrides=(), same_past=False):
    """Return parameters with those of a calibration in place: seed s takes draw s, so that arms stay paired.

    Parameters
    ----------
    params : Params, with the seed of the run
    calibration : name of a table in conf/calibrated; none: the parameters as they are
    overrides : settings that were given; what they name is left as it was given
    same_past : take the luck, too, with which the draw was accepted: in the scenario of the calibration the run then
        repeats the history that came near the observed one
    """
    if not calibration:
        return params
    table = draws_of(calibration)
    given = {o.split("=")[0].lstrip("+~") for o in overrides}
    draw = table.iloc[(params.seed - 1) % len(table)]
    params = with_values(params, {n: draw[n] for n in table.columns if "." in n and n not in given})
    return replace(params, seed=int(draw["seed"])) if same_past else params


def with_values(params, values):
    """Return parameters with some of them set: {"prey.rate": 60.0}."""
    groups = {}
    for name, value in values.items():
        group, leaf = name.split(".")
        groups.setdefault(group, {})[leaf] = float(value)
    return replace(params, **{g: replace(getattr(params, g), **v) for g, v in groups.items()})


def explain(error):
    """Return one sentence that says what was given, what is allowed, and where."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    for e in reversed(chain):
        key = getattr(e, "full_key", None)
        if isinstance(e, (ConfigKeyError, ConfigAttributeError)) and key:
            return f"{key} is not a setting; {_siblings(key)}"
        if isinstance(e, OmegaConfBaseException) and key:
            return f"{key}: {str(e).splitlines()[0]}"
    said = str(error).split("Config search path")[0]
    return " ".join(line.strip() for line in said.splitlines() if line.strip())


def _siblings(key):
    """Name the settings beside one that does not exist."""
    *parents, _ = key.split(".")
    node, where = OmegaConf.structured(Config), ""
    for name in parents:
        inner = node._metadata.element_type if OmegaConf.is_dict(node) and name not in node else None
        if name in node:
            node = node[name]
        elif is_dataclass(inner):
            node = OmegaConf.structured(inner)
        else:
            break
        where = f"{where}.{name}" if where else name
    return f"{where or 'the configuration'} has {', '.join(sorted(str(k) for k in node))}"
