"""What was asked for, word by word: what cannot be read, or has no bearing on what a command does, is refused.

Every command, and `load`, sends its words through `refuse`; what is found out later (a name that there is not, a value
of the wrong kind) is turned into one sentence by `explain`. Nothing that was asked for is left out in silence.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import Container, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    ConfigTypeError,
    ConfigValueError,
    InterpolationResolutionError,
    KeyValidationError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
    ValidationError,
)

from sim import params as declared
from sim import paths
from sim.values import among, closest, no_setting, value_of

if TYPE_CHECKING:
    from sim.params import Params

GROUPS = ("country", "mission", "personnel", "events", "experiment")  # chosen by their own name, once
PARTS = ("force", "mandate", "bundle")  # chosen for a part of a mission
ONE, MANY, EXPERIMENT, ARM = "a single run", "a sweep", "an experiment", "an arm"
SCENARIO, LOADED = "a scenario", "parameters"


# ---------------------------------------------------------------------------------- what has a bearing on what


@dataclass(frozen=True)
class Rule:
    """Settings that have no bearing on some kinds of command, and what to write instead; nothing: they have."""

    of: tuple[str, ...]
    settings: str  # patterns, with spaces between
    instead: str
    beside: str = ""  # only beside one of these settings
    without: str = ""  # only without all of these settings

    def holds(self, key: str, of: str, given: Set[str]) -> bool:
        """Say whether the rule is about a setting among those that are given."""
        return (
            of in self.of
            and any(fnmatchcase(key, pattern) for pattern in self.settings.split())
            and (not self.beside or not given.isdisjoint(self.beside.split()))
            and given.isdisjoint(self.without.split())
        )


OF_A_FOLDER = "run.folders run.branch_from run.save_at"  # with these, each run has a folder of its own
RULES = (  # the first that holds
    Rule((ONE, MANY), "experiment experiment.*", "experiments are run by python -m experiments NAME key=value"),
    Rule((ONE,), "hydra/launcher hydra.launcher.* hydra/sweeper hydra.sweeper.*", "it is of a sweep: add -m"),
    Rule((ONE,), "hydra.sweep.*", "it is of a sweep: add -m"),
    Rule((ONE, MANY, EXPERIMENT), "processes.observe", "a run in which nothing is observed has no results"),
    Rule((ONE,), "run.folders run.objective", "it is of a sweep: add -m"),
    Rule((ONE,), "run.workers run.retry_failed run.months", "it is of several runs: give run.seeds, or add -m",
         without="run.seeds"),
    Rule((ONE,), "run.branch_from run.save_at run.cells", "write -m 'seed=range(1,4)' run.folders=true for seeds that "
         "have folders of their own", beside="run.seeds"),
    Rule((MANY,), "run.seeds run.workers run.months run.objective run.retry_failed", "where each run has a folder of "
         "its own, sweep over seeds, as 'seed=range(1,4)'", beside=OF_A_FOLDER),
    Rule((MANY,), "run.name", "where each run has a folder of its own, leave the name out", beside=OF_A_FOLDER),
    Rule((MANY,), "run.cells", "a sweep keeps cells of the months that run.months names, or of all with "
         "run.folders=true", without=OF_A_FOLDER),
    Rule((EXPERIMENT,), "hydra/launcher hydra.launcher.*", ""),
    Rule((ONE, MANY), "hydra.run.* hydra.job.chdir hydra.sweep.subdir", "run.results and run.name say where results "
         "go"),
    Rule((EXPERIMENT, SCENARIO, ARM), "hydra*", "of Hydra's own settings, an experiment takes hydra/launcher and those "
         "below it"),
    Rule((EXPERIMENT,), "run.seeds", "write experiment.seeds"),
    Rule((EXPERIMENT, ARM), "seed", "write experiment.first_seed"),
    Rule((ARM,), "experiment", "it is not of what is simulated, but of how it is run"),
    Rule((EXPERIMENT,), "run.retry_failed", "write --retry-failed"),
    Rule((EXPERIMENT,), "run.months", "write experiment.map_dates"),
    Rule((EXPERIMENT,), "run.objective", "write experiment.design.objectives"),
    Rule((EXPERIMENT,), "run.branch_from run.save_at run.cells run.folders run.engine", "it is of python -m sim"),
    Rule((EXPERIMENT,), "experiment", "name the experiment by a word of its own, as in python -m experiments NAME"),
    Rule((LOADED,), "hydra*", "what is loaded is a scenario, not how it is run"),
    Rule((LOADED, SCENARIO, ARM), "run.* experiment.*", "it is not of what is simulated, but of how it is run"),
)  # fmt: skip


@dataclass(frozen=True)
class Idle:
    """Settings that have no bearing on a scenario in which another setting has one of some values."""

    settings: str  # patterns, with spaces between
    other: str  # the other setting
    values: tuple[Any, ...]
    but: str = ""  # of the settings, those that have a bearing all the same

    def holds(self, key: str, params: "Params") -> bool:
        """Say whether a setting has no bearing on a scenario."""
        given = (any(fnmatchcase(key, p) for p in some.split()) for some in (self.settings, self.but))
        return tuple(given) == (True, False) and value_of(params, self.other) in self.values


READ_ELSEWHERE = {  # numbers of a process that others read, or that the start of a run is made of
    "deploy": "base_size base_skew build_up council_ceiling council_delay council_narrow council_robustness overhead "
    "siting_violence team_size",
    "task": "apart at_rest base choosiness cover engineers_half joint mixed patrol_km team",
    "move": "elsewhere grievance_half loot loot_base place_km",
    "fight": "",
    "prey": "armless band targets wounded",
    "enforce": "collateral",
    "ambush": "wounded",
    "relieve": "escort_cost escort_half lent",
    "live": "camp camp_staff countryside immunity",
    "feel": "communicators local_media misinformation others remote start",
    "judge": "conflation expulsion hired rumour withdrawal",
    "recruit": "holders sanctioned",
    "negotiate": "aggression ceasefire willing",
}
OF_A_GENERATED_MAP = (
    "country.rows country.cols country.map_seed country.population country.communities* country.deposits*"
)
IDLE = (
    Idle("mission.budget", "mission.comparison", ("equal_personnel", "as_deployed")),
    Idle("mission.person_years", "mission.comparison", ("equal_cost", "as_deployed")),
    *(Idle(f"{process}.*", f"processes.{process}", (False,), " ".join(f"{process}.{name}" for name in but.split()))
      for process, but in READ_ELSEWHERE.items()),
)  # fmt: skip


def refuse_idle(scenarios: Sequence[tuple[Sequence[str], "Params"]], by: Callable[[str], str] | None = None) -> None:
    """Refuse a word that has no bearing on any of the scenarios that it is given for.

    Parameters
    ----------
    scenarios : sequence of (words, Params); by : function of a word, what is refused as one; none: the word itself

    Raises
    ------
    ValueError
        One sentence: the word, and the setting that takes its bearing away.
    """
    idle: dict[str, str] = {}
    live: set[str] = set()
    for words, params in scenarios:
        said = idle_in(words, params)
        for word in words:
            what = by(word) if by else word
            if word in said:
                idle.setdefault(what, said[word])
            else:
                live.add(what)
    if found := [sentence for what, sentence in idle.items() if what not in live]:
        raise ValueError(found[0])


def idle_in(words: Sequence[str], params: "Params") -> dict[str, str]:
    """Return which of the words that make a scenario have no bearing on it, and why: dict of word -> sentence."""
    found = {}
    for word in words:
        o = read(word)
        keys = [] if o.is_hydra_override() else _settings_of(key_of(o), o.value())
        for key in keys:
            why = next((i for i in _idle(params) if i.holds(key, params)), None)
            if why and not any(f"${{{key}}}" in other for other in words):
                value = value_of(params, why.other)
                value = str(value).lower() if isinstance(value, bool) else value
                what = word if keys == [key] else f"{key} in {word}"
                found[word] = f"{what} has no bearing where {why.other} is {value}; leave one of the two out"
    return found


def _idle(params):
    if params.country.cells:
        return (*IDLE, Idle(OF_A_GENERATED_MAP, "country.cells", (params.country.cells,)))
    return IDLE


def _settings_of(key, value):
    """Return the settings that a word sets, those in a table one by one."""
    if not isinstance(value, dict):
        return [key]
    return [inner for name, v in value.items() for inner in _settings_of(f"{key}.{name}", v)]


def refuse(words: Sequence[str], of: str) -> None:
    """Refuse words that cannot be read, that contradict each other, or that have no bearing.

    Parameters
    ----------
    words : sequence of str, overrides as on a command line; of : what they are for, one of ONE, ...

    Raises
    ------
    ValueError
        One sentence: what was given, and what to write instead.
    """
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"{word!r} is not a setting; each is a text of its own: load('seed=3', 'weeks=104')")
    found = [read(word) for word in words]
    given = {key_of(o) for o in found if _says_something(o)}
    for o in found:
        _refuse_choice(o)
        _refuse_nothing(o)
        if of in (SCENARIO, ARM) and (named := re.search(r"\$\{\s*((?:run|experiment)\.|hydra:)", o.input_line)):
            raise ValueError(f"{o.input_line} names {named[1]}..., which is not part of a scenario")
        if o.is_sweep_override():
            _refuse_sweep(o, of)
        if key_of(o) in given or key_of(o) == "run.cells":
            rule = next((r for r in RULES if r.holds(key_of(o), of, given)), None)
            if rule and rule.instead:
                raise ValueError(f"{o.input_line} has no bearing on {of}; {rule.instead}")


@lru_cache(4_096)  # words are read again for every arm and point that has them
def read(word: str) -> Override:
    """Read an override."""
    try:
        found = OverridesParser.create().parse_override(word)
    except HydraException:
        raise ValueError(_unreadable(word)) from None
    if not found.key_or_group:
        raise ValueError(_unreadable(word))
    return found


def values_of(sweep: Override) -> list[str]:
    """Return the values of a sweep as they would be written, each once a job."""
    value = sweep.value()
    if isinstance(value, Glob):
        return value.filter(paths.choices(sweep.key_or_group))
    if isinstance(value, IntervalSweep):
        return [str(value.start), str(value.end)]
    return list(sweep.sweep_string_iterator())


def key_of(override: Override) -> str:
    """Return the setting, or the group and place, that an override is about."""
    return override.get_key_element().lstrip("+~")


def _unreadable(word):
    if "=" not in word and not word.startswith("~"):
        there = {name: f"{group}={name}" for group in GROUPS for name in paths.choices(group)}
        hint = closest(word, there)
        meant = f" (did you mean {there[hint]}?)" if hint else ""
        return f"{word!r} cannot be read{meant}; a setting is written key=value"
    return (
        f"{word!r} cannot be read; a setting is written key=value, a list [a,b], a table {{a:1,b:2}}, and a text with "
        "spaces or signs in two pairs of quotes, as 'key=\"a text\"'"
    )


def _says_something(override):
    return override.is_delete() or override.value() not in (None, False)


def refuse_twice(words: Iterable[str]) -> None:
    """Refuse words of a command line that set the same twice; in lists that are put together, the last one counts."""
    seen = {}
    for o in map(read, words):
        before = seen.setdefault(key_of(o), o)
        if before is not o and before.is_delete() == o.is_delete():
            raise ValueError(f"{key_of(o)} is given twice, as {before.input_line} and {o.input_line}; give it once")


def _refuse_choice(o):
    """Refuse what takes a choice of files away, or makes two of one."""
    group = o.key_or_group
    if group in PARTS and not o.package:
        raise ValueError(f"{o.input_line} is chosen for a part of a mission; write "
                         f"{_place_of(group)}={o.value() or 'NAME'}")  # fmt: skip
    if group not in GROUPS:
        if o.is_delete() and not set(group) & set("./"):
            raise ValueError(_has_to_be(group))
        return
    choose = f"choose among {', '.join(paths.choices(group))}"
    if o.is_delete() and group != "events":
        raise ValueError(f"{o.input_line} takes the choice away, and one is required; {choose}")
    if o.value() is None and not o.is_delete() and group != "experiment":
        raise ValueError(f"{o.input_line} chooses nothing; {choose}")
    if isinstance(o.value(), list) and group != "events":
        raise ValueError(f"{o.input_line} chooses several at once, and there can be one; {choose}")
    if o.is_add() and group not in ("events",) and not isinstance(o.value(), dict):
        raise ValueError(f"{o.input_line} adds a choice that is there already; write it without +")


def _has_to_be(key):
    return f"~{key} takes away a setting that there has to be; give it a value instead: {key}=..."


def _place_of(group):
    inner = "mandate.bundles.NAME" if group == "bundle" else group
    return f"{group}@mission.components.NAME.{inner}"


def _refuse_nothing(o):
    """Refuse an empty table as a value: it is added to what is there, so nothing would change."""
    if not o.is_delete() and _has_empty_table(o.value()):
        raise ValueError(f"{o.input_line} would change nothing, for what stands in braces is added to what is there; "
                         f"to take something away write ~{key_of(o)}.NAME")  # fmt: skip


def _has_empty_table(value):
    return isinstance(value, dict) and (not value or any(map(_has_empty_table, value.values())))


def _refuse_sweep(o, of):
    key = key_of(o)
    if of is EXPERIMENT:
        raise ValueError(f"{o.input_line} gives several values; in an experiment, arms or a design do: "
                         f"'experiment.design.axes={{{key}:[...]}}'")  # fmt: skip
    if of in (SCENARIO, ARM, LOADED):
        raise ValueError(f"{o.input_line} gives several values where there can be one; a list is written [a,b]")
    if of is ONE:
        raise ValueError(f"{o.input_line} gives several values; add -m to run each of them, write [a,b] for a list, or "
                         f"'{key}=\"a,b\"' for a text")  # fmt: skip
    if key.startswith(("run.", "hydra.", "hydra/")):
        raise ValueError(f"{o.input_line} gives several values; a sweep is over what is simulated, so give {key} one")
    if not values_of(o):
        there = f"; choose among {', '.join(paths.choices(key))}" if key in GROUPS else ""
        raise ValueError(f"{o.input_line} gives no value at all{there}")


# ---------------------------------------------------------------------------------- what was found out later


def explain(error: BaseException) -> str:
    """Return one sentence that says what was given, what is allowed, and where."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    for e in reversed(chain):
        if isinstance(e, OverrideParseException):
            return _unreadable(e.override)
        if isinstance(e, MissingConfigException) and e.missing_cfg_file:
            return _no_file(e)
        if isinstance(e, OmegaConfBaseException) and e.full_key:
            return _of_value(e)
    said = str(error)
    if isinstance(error, ConfigCompositionException):
        return _of_composition(said)
    return _line(said)


def _line(text):
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def _no_file(error):
    group, _, name = error.missing_cfg_file.rpartition("/")
    return f"{group or 'the configuration'} is {name!r}{among(name, error.options or paths.choices(group))}"


def _of_value(error):
    """Say what is wrong with a setting in the words of who set it, not of the library that found it out."""
    key, parent, value = error.full_key, error.parent_node, error.value
    if isinstance(error, UnsupportedInterpolationType | InterpolationResolutionError):
        return f"{key} cannot be worked out: {_line(str(error).splitlines()[0])}; ${{...}} names another setting"
    if isinstance(error, ConfigKeyError | ConfigAttributeError):
        return no_setting(key, _names(parent), everywhere(parent))
    if isinstance(error, MissingMandatoryValue):
        return f"{key} is ???, which is not a value; give one"
    if parent is None and "subclass" in str(error):
        return f"{key} is not there, and a word adds no part with settings of its own; write it in a file of your own"
    if "deletion" in str(error):
        return _has_to_be(key)
    if isinstance(error, KeyValidationError):
        return f"{key} is not a name; names of this table are texts: write it in quotes, as {{'0':...}}"
    if "Cannot merge" in str(error):
        return f"{key} is a list; it must be a table, as {{name: ...}}"
    if isinstance(error, ValidationError | ConfigTypeError | ConfigValueError):
        allowed = _kind_of(parent, str(error.key), key)
        return f"{key} is {'null' if value is None else repr(value)}; it must be {allowed}"
    return f"{key}: {_line(str(error).splitlines()[0])}"


def _names(node):
    return [str(name) for name in node] if node is not None and OmegaConf.is_dict(node) else []


def _kind_of(parent, name, key):
    """Say in words what may be given to a setting, from its declaration."""
    kind = OmegaConf.get_type(parent) if parent is not None else None
    if is_dataclass(kind) and name in kind.__dataclass_fields__:
        f = kind.__dataclass_fields__[name]
        said = _in_words(f.type, key)
        if "options" in f.metadata:
            return f"one of {', '.join(f.metadata['options'])}"
        return f"{said} in [{f.metadata['low']:g}, {f.metadata['high']:g}]" if "low" in f.metadata else said
    return _in_words(parent._metadata.element_type if parent is not None else None, key)


def _in_words(kind, key):
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Union:
        return f"{_in_words(inner[0], key)} or null"
    if origin is list:
        return f"a list, as [{'2013-01,2013-02' if key.endswith('months') else 'a,b'}]"
    if origin is dict:
        return "a table, as {name: ...}"
    if is_dataclass(kind):
        return f"a group of settings: give them one by one, as {key}.{next(iter(kind.__dataclass_fields__))}=..."
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(kind, "another value")


def everywhere(node: Container | None) -> list[str]:
    """Return the dotted names of all settings that are there, to find one that was looked for in a wrong place."""
    return _paths(node._get_root()) if node is not None else []


def _paths(node, where=""):
    found = []
    for name in node if OmegaConf.is_dict(node) and not OmegaConf.is_missing(node, "") else ():
        here, inner = f"{where}{name}", node._get_node(name)
        found.append(here)
        if OmegaConf.is_dict(inner) and name != "hydra":
            found += _paths(inner, f"{here}.")
    return found


def _of_composition(said):
    """Say in a sentence what Hydra found wrong with a choice of files."""
    if place := re.search(r"Could not override '(.+?)'", said):
        key, (group, _, where) = place[1], place[1].partition("@")
        if meant := re.search(r"Did you mean to override (\S+?)\?", said):
            return f"{key} chooses nothing that is there (did you mean {meant[1]}?)"
        if where:
            return (
                f"{key} chooses nothing that is there: this mission model has no such place; choose it for one that it "
                f"has, as {_place_of(group)}=..."
            )
        hint = closest(group, GROUPS)
        return f"{key} is not a choice{f' (did you mean {hint}?)' if hint else ''}; choices are {', '.join(GROUPS)}"
    if there := re.search(r"item is already at '(.+?)'", said):
        return f"+{there[1]} adds a setting that is there already; write it without +"
    if stray := re.search(r"In '(.+?)': .*Key '.+?' not in '(\w+)'\s+full_key: (\S+)", said, re.DOTALL):
        kind = getattr(declared, stray[2], None)
        beside = [f.name for f in fields(kind)] if is_dataclass(kind) else GROUPS
        return f"in the file {stray[1]}.yaml, {no_setting(stray[3], beside)}"
    if gone := re.search(r"Could not delete from config. '(.+?)' does not exist", said):
        return f"~{gone[1]} takes away what is not there"
    return _line(said.split("Config search path")[0])


# ---------------------------------------------------------------------------------- options


def options(parser: ArgumentParser, words: Sequence[str]) -> Namespace:
    """Return what a parser of argparse makes of some words, in whatever order they stand.

    Raises
    ------
    ValueError
        One sentence, with the option that may have been meant.
    """
    parser.allow_abbrev = False

    def wrong(said):
        if stray := re.search(r"unrecognized arguments: (\S+)", said):
            if stray[1].startswith("-"):
                raise ValueError(f"{stray[1]} is not an option{among(stray[1], parser._option_string_actions)}")
            raise ValueError(
                f"{stray[1]!r} has no bearing here; options are {', '.join(parser._option_string_actions)}"
            )
        raise ValueError(said)

    parser.error = wrong  # type: ignore[method-assign]  # argparse asks for a class of its own for that
    return parser.parse_intermixed_args(list(words))
