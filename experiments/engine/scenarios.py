"""What an experiment runs: its arms, at the points of its design, and what a study makes besides."""

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.engine.designs import Point
from experiments.engine.runs import Changes
from sim import asked
from sim.asked import explain
from sim.calibrated import Calibration
from sim.config import Composer
from sim.config import Experiment as About
from sim.model import Model
from sim.outcomes import months_of, refuse_months
from sim.params import Params
from sim.values import among

PRESET = "as "  # a word of an arm that stands for the overrides of a preset
EVERY = ".*."  # in the overrides of a design: every component of the arm
QUARTERS = (0.08, 0.25, 0.6, 1.0)  # of the run: when maps are kept if nothing else is said


@dataclass(frozen=True)
class Scenario:
    """What is run under a label."""

    params: Params
    asked: list[str]  # the overrides that make it
    settings: Mapping[str, Any]  # its columns in the tables
    dates: tuple[str, ...] = ()  # months of which maps are kept
    changes: Changes | None = None  # what makes a run's parameters of these: a calibration, a point


class Scenarios:
    """The scenarios of an experiment, by label.

    Parameters
    ----------
    name : str, of the experiment; about : what its file says
    overrides : list of str, of every scenario; calibration : str, to draw parameters from
    """

    def __init__(self, name: str, about: About, overrides: Sequence[str], calibration: str | None) -> None:
        self.name, self.about, self.of_runs, self.calibration = name, about, overrides, calibration
        self.arms = list(about.arms)
        self.baseline = about.baseline or self.arms[0]
        if self.baseline not in self.arms:
            raise ValueError(f"experiment.baseline is {self.baseline!r}{among(self.baseline, self.arms)}")
        self.composer = Composer()
        self.scenarios: dict[str, Scenario] = {}
        self._composed, self._tried, self._own = {}, set(), {}

    def _fixed(self, arm):
        return not self.about.design.axes or arm in self.about.design.fixed

    def arm_of(self, arm: str) -> list[str]:
        """Return the overrides of an arm, or of "ARM, VARIANT", presets spelled out."""
        about, (name, _, variant) = self.about, arm.partition(", ")
        if arm in about.arms:
            name, variant = arm, ""
        if name not in about.arms or (variant and variant not in about.variants):
            known = [*about.arms, *(f"{name}, {v}" for v in about.variants if name in about.arms)]
            raise ValueError(f"there is no arm {arm!r} in the design{among(arm, known)}")
        how = [*about.arms[name], *(about.variants[variant] if variant else ())]
        return [*about.common, *spelled_out(how, about.presets)]

    def _params_of(self, arm):
        """Return the parameters of an arm, at no point of the design."""
        return self._compose([*self.arm_of(arm), *self.of_runs], arm)

    def _compose(self, words, arm):
        """Return the parameters that overrides make, composed once."""
        if tuple(words) not in self._composed:
            try:
                asked.refuse(words, asked.ARM)
                params = self.composer.params([f"experiment={self.name}", *words])
                if arm not in self._tried:
                    Model(params)  # refuses what cannot be run
            except (ValueError, HydraException, OmegaConfBaseException) as error:
                raise ValueError(f"arm {arm}: {explain(error)}") from None
            self._composed[tuple(words)] = params
            self._tried.add(arm)
        return self._composed[tuple(words)]

    def choices(self, arm: str) -> dict[str, str | None]:
        """Return which file of each group of conf/ an arm is made of, as Hydra names them."""
        return self.composer.choices([f"experiment={self.name}", *self.scenario(arm).asked])

    @functools.cached_property
    def dates(self) -> tuple[str, ...]:
        """The months of which maps are kept: those asked for, the first ones, or four over the run."""
        about = self.about
        if about.design.axes or about.map_arms == []:
            return ()
        params = self._params_of(self.baseline)
        refuse_months("experiment.map_dates", about.map_dates, params)
        lived = months_of(params)
        if about.map_months and about.map_months > len(lived):
            raise ValueError(f"experiment.map_months is {about.map_months}; the run has {len(lived)} months")
        if about.map_months:
            return tuple(lived[: about.map_months])
        return tuple(about.map_dates or [lived[round(q * (len(lived) - 1))] for q in QUARTERS])

    def _dates_of(self, arm):
        return self.dates if self.about.map_arms is None or arm in self.about.map_arms else ()

    def scenario(self, arm: str) -> Scenario:
        """Return the scenario of an arm, or of "ARM, VARIANT", as it stands in the YAML."""
        if arm not in self.scenarios:
            self.name_scenario(arm, self.arm_of(arm), {"arm": arm}, self._dates_of(arm))
        return self.scenarios[arm]

    def name_scenario(
        self,
        label: str,
        overrides: Sequence[str],
        settings: Mapping[str, Any] | None = None,
        dates: Iterable[str] = (),
        changes: Changes | None = None,
    ) -> None:
        """Add a scenario that a study makes.

        Parameters
        ----------
        label : str; overrides : list of str; settings : dict, its columns in the tables
        changes : what makes a run's parameters of the scenario's: an object with `of(params)`
        """
        words = [*overrides, *self.of_runs]
        params = self._compose(words, (settings or {}).get("arm", label))
        self._refuse_made_alike(label, overrides, changes)
        drawn = Calibration.asked_for(self.calibration, words, self.about.same_past)
        self.scenarios[label] = Scenario(params, words, settings or {"arm": label}, tuple(dates), changes or drawn)

    def _refuse_made_alike(self, label, overrides, changes):
        """Refuse a setting of the command line that would take away what tells two scenarios apart."""
        replaced = {asked.key_of(asked.read(o)) for o in self.of_runs}
        clash = [o for o in overrides if asked.key_of(asked.read(o)) in replaced]
        left = (*(o for o in overrides if o not in clash), id(changes) if changes else None)
        other, before = self._own.setdefault(left, (label, clash))
        if before != clash:
            keys = ", ".join(sorted({asked.key_of(asked.read(o)) for o in [*before, *clash]}))
            raise ValueError(
                f"{keys} tells {other!r} and {label!r} apart, and would be the same in both; leave it out, or change "
                "experiment.arms or experiment.design"
            )

    def at(self, points: Collection[Point], arms: Iterable[str]) -> list[str]:
        """Return the labels of arms at points, those on which the axes have no bearing at none, and add what is new."""
        axes, found = dict.fromkeys(self.about.design.axes), []
        for arm, point in itertools.product(arms, points):
            if self._fixed(arm):
                label, point = arm, Point()
            else:
                label = " ".join([arm, *(f"{k}={v}" for k, v in point.settings.items())])
            if label not in self.scenarios:
                overrides = [*self.arm_of(arm), *self._every(arm, point.overrides)]
                self.name_scenario(label, overrides, {"arm": arm, **axes, **point.settings}, self._dates_of(arm))
            found.append(label)
        return found

    def _every(self, arm, overrides):
        """Return overrides of which those with `*` among components are said for each that the arm has."""
        if not any(EVERY in o for o in overrides):
            return overrides
        components = self._params_of(arm).mission.components
        return [o.replace(EVERY, f".{c}.") for o in overrides for c in (components if EVERY in o else [""])]

    @property
    def params(self) -> dict[str, Params]:
        """The parameters of each scenario by label."""
        return {label: s.params for label, s in self.scenarios.items()}

    def first(self, arm: str) -> Params:
        """Return the parameters of an arm at its first point."""
        return next(s.params for s in self.scenarios.values() if s.settings["arm"] == arm)

    def model(self, arm: str) -> Model:
        """Return the model of an arm at its first point, at its beginning."""
        return Model(self.first(arm))


def as_written(config: DictConfig) -> About:
    """Return an experiment; what stands in its arms and design is left as it is written, to mean it in each of them.

    So `weeks=${civilians}` in an arm is worked out in that arm, not in the scenario that the arms change.
    """
    about, plain = OmegaConf.to_object(config), OmegaConf.to_container(config, resolve=False)
    for where, written, names in ((about, plain, ("arms", "common", "presets", "variants")),
                                  (about.design, plain["design"], ("axes",))):  # fmt: skip
        for name in names:
            if isinstance(written[name], type(getattr(where, name))):  # else it stands for another setting as a whole
                setattr(where, name, written[name])
    return about


def spelled_out(how: Iterable[str], presets: Mapping[str, Sequence[str]]) -> list[str]:
    """Replace the presets among some overrides by what they stand for."""
    out = []
    for word in how:
        if not word.startswith(PRESET):
            out.append(word)
            continue
        name = word.removeprefix(PRESET)
        if name not in presets:
            raise ValueError(f"there is no preset {name!r} in the design{among(name, presets)}")
        out += spelled_out(presets[name], presets)
    return out
