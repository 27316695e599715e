"""A study: what is made of an experiment's runs. It is found by the name of its folder in experiments/.

A study is a folder, or a module in one (`experiment.study: validation.verification`), with the functions

    plan(experiment)      names the runs that are known beforehand; without it: all arms, at all points of the design
    analyse(experiment)   makes tables, words and figures of them, and may ask for more runs on the way

    NAMED                 tables of `analysis`, by dotted name, whose entries users name; elsewhere nothing may be added

and, in the folder,

    FIGURES               name -> function of the experiment that returns a figure, or a figure and the table it draws
    CHECKS                name of a figure -> function of the experiment that refuses, beforehand, what it cannot draw

A figure of another study is asked for as STUDY.NAME.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

import experiments
from sim.values import among

if TYPE_CHECKING:
    from experiments.engine.experiment import Experiment

NONE = ("drawing", "engine", "classroom")  # folders that are no studies
EXTRA = "python -m pip install -c constraints.txt -e '.[science]'"


def known() -> list[str]:
    """Return the names of the folders of studies."""
    return sorted(m.name for m in iter_modules(experiments.__path__) if m.ispkg and m.name not in NONE)


def find(name: str) -> ModuleType:
    """Return the module of a study."""
    if name.split(".")[0] not in known():
        raise ValueError(f"experiment.study is {name!r}{among(name, known())}")
    try:
        return import_module(f"experiments.{name}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.startswith("experiments."):
            raise ValueError(f"experiment.study is {name!r}; there is no {missing.replace('.', '/')}") from None
        raise ValueError(f"{name} needs {missing}: {EXTRA}") from None


def figures(name: str) -> "dict[str, Callable[[Experiment], Any]]":
    """Return the figures of a study by name: those of its folder."""
    return getattr(find(name.split(".")[0]), "FIGURES", {})


def check(experiment: "Experiment") -> None:
    """Refuse, before any run, what the figures that an experiment names could not draw."""
    for name in experiment.about.figures:
        where, _, what = name.rpartition(".")
        checks = getattr(find((where or experiment.about.study).split(".")[0]), "CHECKS", {})
        if what in checks:
            checks[what](experiment)


def figure(study: str, name: str) -> "Callable[[Experiment], Any]":
    """Return the function that draws a figure of a study, or of another one as STUDY.NAME."""
    where, _, what = name.rpartition(".")
    there = figures(where or study) if not where or where in known() else {}
    if what not in there:
        others = [f"{s}.{n}" for s in known() if s != study.split(".")[0] for n in figures(s)]
        raise ValueError(f"experiment.figures names {name}{among(name, [*figures(study), *others])}")
    return there[what]
