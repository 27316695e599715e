"""Valid configurations, whatever they are: python -m tests.proof valid [HOW MANY]

Every declared number is drawn from its whole range, its ends among them, the switches and the length of a step too; and
each number at each end of its range, at the longest step. A run of each must end, with people and fighters conserved,
nothing below nothing, every share a share, and no number that is none.
"""

from collections import Counter
from dataclasses import fields

import numpy as np

from sim import PeaceModel, load
from sim.outcomes import totals
from sim.params import Processes, out_of_range, walk
from sim.values import with_values

MISSIONS = ("none", "parallel", "sequential", "separated", "hybrid", "un_support", "police_led", "un_benchmarks")
OF_PROCESSES = tuple(Processes.__dataclass_fields__)
SMALL = ("civilians=60", "mission.authorised=2")
SHARES = {
    "people": ("need", "grievance", "trust"), "units": ("freedom", "stock"), "land": ("institutions", "felt", "site"),
    "factions": ("commitment", "hostility", "aggression", "mobilised"), "bands": ("held_up",),
    "missions": ("ability", "restraint", "mobility", "knowledge", "kept", "away", "late", "left", "ceiling"),
}  # fmt: skip
AMOUNTS = {
    "people": ("persons",), "bands": ("fighters", "losses", "paused"), "units": ("strength", "losses", "pinned"),
    "factions": ("dispersed", "demobilised", "settled", "abuse", "hired", "campaign", "rest", "provocation"),
    "missions": ("persons", "work", "spent", "outstanding"), "land": ("violence", "grief", "sheltered"),
    "contributors": ("lost",), "commands": ("seen", "incidents", "rumour", "unwelcome"),
}  # fmt: skip
NONE = {("missions", "benchmark")}  # where nan means that nothing is asked for


def impossible(model):
    """Return what cannot be in a state: sentences."""
    found = [
        f"{t}.{n} is no share" for t, names in SHARES.items() for n in names if not _between(model, t, n, 1 + 1e-9)
    ]
    found += [f"{t}.{n} is below 0" for t, names in AMOUNTS.items() for n in names if not _between(model, t, n, np.inf)]
    for table, part in model.tables().items():
        for f in fields(part):
            column = getattr(part, f.name)
            numbers = isinstance(column, np.ndarray) and column.dtype.kind == "f"
            if numbers and (table, f.name) not in NONE and np.isnan(column).any():
                found.append(f"{table}.{f.name} has nan")
    dead = model.people.born.sum() - model.people.persons.sum()
    record = dict(zip(model.record.columns, model.record.weekly[: model.record.steps].T, strict=True))
    counted = record["civilians_killed"].sum() + record["excess_deaths"].sum()
    if model.params.processes.observe and dead != counted:
        found.append(f"{dead} are gone and {counted:g} were counted dead")
    return found


def _between(model, table, name, most):
    column = getattr(getattr(model, table), name)
    return column.size == 0 or (np.nanmin(column) >= -1e-9 and np.nanmax(column) <= most)


def tried(params):
    """Run a configuration to its end: return what was impossible in a week of it, or an error, in a sentence; or ''."""
    try:
        model = PeaceModel(params)
    except ValueError as error:
        return f"refused: {error}"
    try:
        while not model.finished:
            model.step()
            if wrong := impossible(model):
                return f"week {model.week:g}: {'; '.join(wrong)}"
        if params.processes.observe:
            totals(model)
    except Exception as error:  # the proof counts them
        return f"{type(error).__name__}: {error}"
    return ""


def drawn(rng):
    """Draw a configuration: parameters, of a small country and a short run."""
    mission = MISSIONS[rng.integers(len(MISSIONS))]
    step = float(rng.choice([0.125, 0.25, 0.5, 1, 1, 1, 2, 4]))
    params = load(f"mission={mission}", f"step_weeks={step}", f"weeks={8 * max(int(step), 1)}", *SMALL)
    values = {}
    for path, field, value in walk(params):
        group, _, name = path.partition(".")
        if group in OF_PROCESSES and "low" in field.metadata and rng.random() < 0.3:
            low, high = field.metadata["low"], field.metadata["high"]
            at = rng.choice([low, high, low + (high - low) * rng.random() ** 3])
            values[path] = int(at) if isinstance(value, int) else float(at)
        elif group == "processes" and name != "observe" and rng.random() < 0.05:
            values[path] = False
    return with_values(params, values)


def corners():
    """Yield (path, parameters) with each number of a process at each end of its range, and weeks of four in a step."""
    base = load("mission=parallel", "step_weeks=4", "weeks=32", *SMALL)
    for path, field, value in walk(base):
        if path.partition(".")[0] in OF_PROCESSES and "low" in field.metadata:
            for end in ("low", "high"):
                yield path, with_values(base, {path: type(value)(field.metadata[end])})
    for name in OF_PROCESSES:
        for mission in MISSIONS:
            yield (
                f"{mission} without {name}",
                with_values(load(f"mission={mission}", "weeks=12", *SMALL), {f"processes.{name}": False}),
            )


def main(words):
    """Try so many, print what did not hold, and say whether all did."""
    many, rng, count = int(words[0]) if words else 500, np.random.default_rng(1), Counter()
    cases = [(f"drawn {n}", drawn(rng)) for n in range(many)]
    cases += list(corners()) if many >= 500 else []
    for label, params in cases:
        wrong = "out of range" if out_of_range(params) else tried(params)
        kind = "held" if not wrong else "refused" if wrong.startswith("refused") else "did not hold"
        count[kind] += 1
        if kind == "did not hold":
            print(f"{label}: {wrong}", flush=True)
    print(", ".join(f"{n} {what}" for what, n in sorted(count.items())))
    return not count["did not hold"]
