"""A scene: one to three models on the same country with the same luck, a week and a layer. Its link, commands, cards.

A model is a list of ordinary overrides, so whatever is on the screen can be had from `python -m sim` as well. Visitors
send overrides over the network, so only numbers and names of choices are taken: no file, no text, no interpolation.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.drawing import style
from sim import asked, paths
from sim.calibrated import Calibration
from sim.config import Composer
from sim.memory import too_large
from sim.params import Params, out_of_range
from sim.values import among, closest

LETTERS = "abc"
MOST = {"civilians": 20_000, "weeks": 1_560}  # what one visitor may ask of a machine that others use as well
MEMORY = 80e6  # bytes of a model; a visitor may have three
WRITTEN = 3_000  # characters of a model's settings
BANDS = 2_000  # bands and civilians are what a week's frame is made of
SHARED = ("country", "seed", "weeks", "civilians")  # what makes it the same country with the same luck
GROUPS = ("country", "mission")
CALIBRATION = "calibration"
EVENTS = "events"  # the key of a list of files of conf/events
BUNDLE = "+bundle@mission.components.{}.mandate.bundles.{}"  # that of a cluster of tasks of a mission
PACKAGES = (  # keys by which a scene takes other files of conf/ for a mission: their group first
    re.compile(r"(mandate|force)@mission\.components\.\w+\.\1"),
    re.compile(r"\+(bundle)@mission\.components\.\w+\.mandate\.bundles\.(?P<name>\w+)"),
)
WEEK_OF_EVENT = re.compile(r"events\.(\w+)\.when\.week")
Model = tuple[str, ...]  # overrides
_composer = Composer(32)  # visitors may ask for any combination of files


@dataclass(frozen=True)
class Scene:
    """One to three models, each a tuple of overrides; the week that is looked at, and the shade of the maps."""

    models: tuple[Model, ...]
    week: int = 0
    layer: str = "violence"

    def link(self) -> str:
        """Return the query of the page that shows it: `a=mission%3Dnone&b=...&week=52&layer=trust`."""
        pairs = [(LETTERS[i], o) for i, model in enumerate(self.models) for o in model or ("mission=none",)]
        return urlencode([*pairs, ("week", self.week), ("layer", self.layer)])

    def commands(self) -> list[str]:
        """Return the command line that makes each model's run, from the first week to the last."""
        return [shlex.join(["python", "-m", "sim", *model]) for model in self.models]

    def with_setting(self, key: str, value: str | float, which: Collection[int]) -> "Scene":
        """Return the scene with a setting changed in some of its models.

        Parameters
        ----------
        key : str, as in an override; value : str or number; which : numbers of models
        """
        which = range(len(self.models)) if key in SHARED else which
        models = [changed(m, key, value) if i in which else m for i, m in enumerate(self.models)]
        return replace(self, models=tuple(models))

    def with_event(self, name: str, week: int | None, which: Collection[int]) -> "Scene":
        """Return the scene with an event of conf/events that befalls some of its models in a week; None: in none."""
        models = []
        for i, model in enumerate(self.models):
            some = {n: w for n, w in events_of(model).items() if n != name or i not in which}
            if i in which and week is not None:
                some[name] = week
            given = [f"{EVENTS}=[{','.join(some)}]"] if some else []
            given += [f"events.{n}.when.week={w}" for n, w in some.items() if w is not None]
            models.append((*without_events(model), *given))
        return replace(self, models=tuple(models))

    def with_bundle(self, mission: str, name: str, on: bool, which: Collection[int]) -> "Scene":
        """Return the scene in which a mission of some models has a cluster of tasks of conf/bundle, or has it not."""
        key, models = BUNDLE.format(mission, name), []
        for i, model in enumerate(self.models):
            kept = tuple(o for o in model if i not in which or key_of(o) != key)
            models.append((*kept, f"{key}={name}") if i in which and on else kept)
        return replace(self, models=tuple(models))

    def with_bearing(self, key: str) -> "Scene":
        """Return the scene without settings that have no bearing any more; what `key` is set to stays.

        Raises
        ------
        ValueError, HydraException, OmegaConfBaseException
            A model that may not be asked for.
        """
        idle = [asked.idle_in(m, parameters(m)) for m in self.models]
        kept = [tuple(o for o in m if o not in i or key_of(o) == key) for m, i in zip(self.models, idle)]
        return replace(self, models=tuple(kept))


def key_of(override: str) -> str:
    """Return what stands before the first = of an override."""
    return override.split("=", 1)[0]


def events_of(model: Model) -> dict[str, int | None]:
    """Return the events of conf/events that a model's overrides choose, and the week in which each begins, if given."""
    listed = [n for o in model if key_of(o) == EVENTS for n in o.split("=", 1)[1].strip("[]").split(",") if n]
    weeks = {m[1]: int(o.split("=", 1)[1]) for o in model if (m := WEEK_OF_EVENT.fullmatch(key_of(o)))}
    return {n: weeks.get(n) for n in listed}


def without_events(model: Model) -> Model:
    """Return the overrides of a model but for those that choose events and their weeks."""
    return tuple(o for o in model if key_of(o) != EVENTS and not WEEK_OF_EVENT.fullmatch(key_of(o)))


def bundles_of(model: Model, mission: str) -> list[str]:
    """Return the clusters of tasks that a model's overrides add to the mandate of a mission."""
    stem = BUNDLE.format(mission, "")
    return [key_of(o).removeprefix(stem) for o in model if o.startswith(stem)]


def changed(model: Model, key: str, value: str | float) -> Model:
    """Return the overrides of a model with one of them set, and those dropped that belonged to what it replaces."""
    kept = [o for o in model if key_of(o) != key]
    if key == "mission":
        kept = [o for o in kept if "mission.components." not in o]
    if key == "country":
        kept = [o for o in kept if not o.startswith("country.")]
    if key.startswith("mandate@"):  # clusters of tasks are added to a mandate
        stem = BUNDLE.format(key.split(".")[2], "")
        kept = [o for o in kept if not o.startswith(stem)]
    return (*kept, f"{key}={value}")


def from_link(text: str) -> Scene:
    """Read the scene of a link, of its query, or of the file that the page saves.

    Raises
    ------
    ValueError
        There is no model in it, or too many, or its week is no number.
    """
    first = text.split()[0] if text.split() else ""
    query = urlsplit(first).query or first.lstrip("?")
    pairs = parse_qsl(query)
    models = [tuple(v for k, v in pairs if k == letter) for letter in LETTERS]
    week, layer = dict(pairs).get("week", "0"), dict(pairs).get("layer", Scene.layer)
    if not re.fullmatch("[0-9]{1,6}", week):
        raise ValueError(f"week is {week!r} in the link; it must be a whole number of weeks")
    models = tuple(m for m in models if m)
    if not models:
        raise ValueError("the link names no model; a link looks like ?a=mission%3Dsequential&a=seed%3D3&week=52")
    return Scene(models, int(week), layer)


def from_words(words: Sequence[str]) -> Scene:
    """Read the scene of a command line, on which a comma makes models: mission=sequential,separated seed=3.

    A link of the page in quotes, or the file that the page saves, stands for its scene.

    Raises
    ------
    ValueError
        No override, more than one with commas, or more than three models.
    """
    if len(words) == 1 and ("?" in words[0] or "=mission%3D" in words[0]):
        return from_link(words[0])
    if len(words) == 1 and words[0].endswith(".txt"):  # what the page saves
        return from_link(Path(words[0]).read_text(encoding="utf-8"))
    models = [()]
    for override in OverridesParser.create().parse_overrides(list(words)):
        key = override.get_key_element()
        values = list(override.sweep_string_iterator()) if override.is_sweep_override() else None
        given = [f"{key}={v}" for v in values] if values else [override.input_line]
        models = [(*m, o) for m in models for o in given]
    if len(models) > len(LETTERS):
        raise ValueError(f"that makes {len(models)} models; at most {len(LETTERS)} stand side by side")
    return Scene(tuple(models))


# ---------------------------------------------------------------------------------- what may be asked


@lru_cache(maxsize=1)
def declarations() -> dict[str, Field[Any] | None]:
    """Return the declared numbers and choices by dotted path, with * for the name of a mission."""
    found: dict[str, Field[Any] | None] = {}

    def walk(kind, path):
        for f in fields(kind):
            inner = get_args(f.type)[-1] if get_args(f.type) else f.type
            here = f"{path}{f.name}"
            if "low" in f.metadata or "options" in f.metadata or inner is bool:
                found[here] = f
            elif is_dataclass(inner):
                walk(inner, f"{here}.*." if get_args(f.type) else f"{here}.")

    walk(Params, "")
    for key in ("week", "weeks"):  # moments are free numbers, checked where the plan is made
        for moment in ("arrive", "leave"):
            found.setdefault(f"mission.components.*.{moment}.{key}", None)
    found["events.*.when.week"] = None
    return found


def names_of(group: str) -> list[str]:
    """Return the names of the choices of a group of conf/."""
    return paths.choices(group)


def events_that_are_ready() -> list[str]:
    """Return the events of conf/events that have a file of their own name and begin in a week, which may be another."""
    found = {name: about("events", name) for name in names_of("events") if name.isidentifier()}
    return [n for n, of in found.items() if list(of) == [n] and list(of[n].get("when", {})) == ["week"]]


def refused(override: str) -> str | None:
    """Return why an override may not come over the network, or None."""
    key, sign, value = override.partition("=")
    if not sign:
        return f"{override!r} is not a setting; a setting is written name=value"
    package = next((m for pattern in PACKAGES if (m := pattern.fullmatch(key))), None)
    if key == EVENTS:
        names = value.strip("[]").split(",")
        known = events_that_are_ready()
        wrong = next((n for n in names if n not in known), None)
        if wrong is not None:
            return f"{key} is {wrong!r}{among(wrong, known)}"
        well = value == names[0] or (value == f"[{','.join(names)}]" and len(set(names)) == len(names))
        return None if well else f"{key} is {value!r}; it must be a list of different events, like [{names[0]}]"
    if package or key in GROUPS:
        group = package[1] if package else key
        known = names_of(group)
        if value not in known:
            return f"{key} is {value!r}{among(value, known)}"
        named = package.groupdict().get("name") if package else None
        return f"{key} is {value!r}; here it has the name of its file" if named not in (None, value) else None
    if key == CALIBRATION:
        known = paths.choices("calibrated", "csv")
        return None if value in known else f"{key} is {value!r}{among(value, known)}"
    if WEEK_OF_EVENT.fullmatch(key) and not re.fullmatch("[0-9]{1,5}", value):
        return f"{key} is {value!r}; here it must be a whole number of weeks"
    pattern = re.sub(r"\.(components|factions|places|communities|deposits|personnel)\.\w+\.", r".\1.*.", key)
    pattern = re.sub(r"^(personnel|events)\.\w+\.", r"\1.*.", pattern)
    if pattern not in declarations() or key == "step_weeks":
        hint = closest(pattern, declarations())
        meant = f" (did you mean {hint}?)" if hint and key != "step_weeks" else ""
        return f"{key} cannot be set here{meant}; the classroom takes the model's declared numbers and choices"
    if not re.fullmatch(r"[-+\w.]+", value):
        return f"{key} is {value!r}; it must be a number or one of the declared words"
    return None


def calibration(model: Model) -> Calibration | None:
    """Return what a model's runs draw parameters from, if it names something; what is set otherwise stays."""
    named = next((word.partition("=")[2] for word in model if word.startswith(f"{CALIBRATION}=")), None)
    return Calibration.asked_for(named, model)


def drawn(model: Model, params: Params) -> Params:
    """Return the parameters of a model's run, those that are calibrated drawn by its seed."""
    found = calibration(model)
    return found.of(params) if found else params


def allowed(model: Model) -> Params:
    """Return the parameters of a model, if one visitor may ask for it, and each of its settings has a bearing on it.

    Raises
    ------
    ValueError, HydraException, OmegaConfBaseException
        One sentence that says what was given, what is allowed and where.
    """
    params = parameters(model)
    asked.refuse_idle([(model, params)])
    return params


def parameters(model: Model) -> Params:
    """Return the parameters of a model, if one visitor may ask for it; raises what `allowed` does."""
    length = sum(map(len, model))
    if length > WRITTEN:
        raise ValueError(f"a model's settings have {length} characters; there may be at most {WRITTEN}")
    for override in model:
        if why := refused(override):
            raise ValueError(why)
    params = _composer.params(model)
    if wrong := out_of_range(params):
        raise ValueError("; ".join(wrong))
    for name, most in MOST.items():
        if getattr(params, name) > most:
            raise ValueError(f"{name} is {getattr(params, name)}; it must be at most {most} in the classroom")
    if wrong := too_large(params, MEMORY):
        raise ValueError(wrong[0])
    bands = sum(f.bands for f in params.country.factions.values())
    if bands > BANDS:
        raise ValueError(f"that makes {bands} armed bands; there may be at most {BANDS} in the classroom")
    return params


def checked(scene: Scene) -> list[Params]:
    """Return the parameters of a scene's models, as they are asked for: what is calibrated is drawn for each run.

    Raises
    ------
    ValueError
        A bad setting, too many models, or models that do not share the country and the luck.
    """
    if not 1 <= len(scene.models) <= len(LETTERS):
        raise ValueError(f"{len(scene.models)} models were asked for; one to {len(LETTERS)} stand side by side")
    params = [allowed(model) for model in scene.models]
    for name in SHARED:
        values = [getattr(p, name) for p in params]
        if any(v != values[0] for v in values):
            said = " and ".join(str(getattr(v, "name", v)) for v in values)
            raise ValueError(f"{name} is {said}; models side by side need the same {name}")
    return params


# ---------------------------------------------------------------------------------- names and cards


@lru_cache(maxsize=1)
def defaults() -> dict[str, str]:
    """Return what conf/config.yaml chooses by itself: dict by group."""
    listed = yaml.safe_load((paths.CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    return {group: name for choice in listed if isinstance(choice, dict) for group, name in choice.items()}


def choice_of(model: Model, key: str) -> str | None:
    """Return the last value that a model's overrides give to a key; the default choice if they give none."""
    given = [o.split("=", 1)[1] for o in model if key_of(o) == key]
    return given[-1] if given else defaults().get(key)


def mission_of(model: Model) -> str:
    """Return the name of the mission model."""
    return choice_of(model, "mission") or ""


def titles(models: Sequence[Model]) -> list[str]:
    """Return what to call each model: its mission, and where that stands twice the settings in which it differs."""
    several = len({mission_of(m) for m in models}) < len(models)
    said = [", ".join([style.label(mission_of(m)), *(own[:2] if several else [])])
            for m, own in zip(models, changes(models)[0])]  # fmt: skip
    return [f"{s} ({LETTERS[i].upper()})" if said.count(s) > 1 else s for i, s in enumerate(said)]


def changes(models: Sequence[Model]) -> tuple[list[list[str]], list[str]]:
    """Return in words what is set: for each model what not all of them have, and what they share.

    One model alone shares nothing with another: all that is set stands with it.
    """
    common = [o for o in models[0] if all(o in m for m in models)] if len(models) > 1 else []

    plain = (*GROUPS, "weeks", "civilians")  # which the screen shows anyway

    def said(overrides):
        some = dict.fromkeys(overrides)
        return [control_words(*o.split("=", 1)) for o in some if key_of(o) not in (*plain, EVENTS)]

    def happens(model):  # in the week of its file
        return [f"event: {n.replace('_', ' ')}" for n, week in events_of(model).items() if week is None]

    return [said(o for o in m if o not in common) + happens(m) for m in models], said(common)


@lru_cache
def about(group: str, name: str) -> Any:
    """Return a file of conf/ as it is written."""
    return yaml.safe_load(paths.file_of(group, f"{name}.yaml").read_text(encoding="utf-8"))


def title_of_country(name: str) -> str:
    """Return a country's name as people say it."""
    return about("country", name).get("name", name)


def control_groups() -> list[dict[str, Any]]:
    """Return the groups of controls as conf/classroom/controls.yaml has them."""
    return about("classroom", "controls")


@lru_cache(maxsize=1)
def _labels():
    return {c["path"]: c["label"] for g in control_groups() for c in g["controls"]}


def control_words(key: str, value: str) -> str:
    """Return a setting in words: `UN comes later by 104 weeks`."""
    if event := WEEK_OF_EVENT.fullmatch(key):
        return f"{event[1].replace('_', ' ')} in week {value}"
    star = re.sub(r"\.components\.\w+\.", ".components.*.", key)
    mission = re.search(r"\.components\.(\w+)\.", key)
    plain = "Mandate" if key.startswith("mandate@") else key.rsplit(".", 1)[-1].replace("_", " ")
    if key.startswith("+bundle@") and mission:
        return f"{style.label(mission[1])} also {value.replace('_', ' ')}"
    text = _labels().get(star, plain)
    if star.endswith((".arrive.week", ".leave.week")):
        text = "arrives in week" if ".arrive." in star else "leaves in week"
    said = {"true": "yes", "false": "no"}.get(value, value.replace("_", " "))
    if "later" in text and value.startswith("-"):
        text, said = text.replace("later", "earlier"), said.removeprefix("-")
    text = f"{text.lower()} {said}" + (" weeks" if key.endswith(("weeks", ".readiness")) else "")
    return f"{style.label(mission.group(1))} {text}" if mission else text


def cards() -> list[dict[str, Any]]:
    """Return the scenario cards: those of conf/classroom/cards.yaml, and one for each country that has none."""
    written = list(about("classroom", "cards"))
    used = {choice_of(m, "country") for c in written for m in c["models"]}
    for country in names_of("country"):
        if country in used:
            continue
        history = f"{country}_history"
        sent = [[f"country={country}", f"mission={history}"]] if history in names_of("mission") else []
        written.append({
            "title": title_of_country(country), "text": about("country", country).get("summary", ""),
            "look_for": "What the model gets wrong about a country that you know.",
            "models": [*sent, [f"country={country}", "mission=none"]],
        })  # fmt: skip
    return written
