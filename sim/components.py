"""The components of a mission model, and the country's humanitarians as components beside them."""

from collections.abc import Mapping

from sim.country import weeks_until
from sim.params import KINDS, Component, Force, Mandate, Params, Personnel, Tasks, When

WITH = " with "  # between the name of a group of humanitarians and that of the mission it joined


def with_humanitarians(params: Params) -> dict[str, Component]:
    """Return every mission by name: the components of the mission model, then the humanitarians of the country.

    A share of the humanitarians may join a component: they serve under its command and are known by its flag, but it
    does not pay for them. The others stay apart, each group its own command.

    Returns
    -------
    dict of Component by name: components in the order of their names, then "ngos", "ngos with un", ... by group

    Raises
    ------
    ValueError
        Shares that join outside [0, 1], or more than 1 of a group; a component named as those who join one are.
    """
    model = params.mission
    for name in model.components:
        if WITH in name:
            raise ValueError(f"mission.components has {name!r}; a name must not contain {WITH!r}")
    everybody = {n: model.components[n] for n in sorted(model.components)}
    for group in sorted(params.country.humanitarians):
        joined = {n: c.integrates[group] for n, c in model.components.items() if c.integrates.get(group)}
        if not all(0 <= s <= 1 for s in joined.values()) or sum(joined.values()) > 1:
            given = ", ".join(f"mission.components.{n}.integrates.{group} is {s:g}" for n, s in sorted(joined.items()))
            raise ValueError(f"{given}; shares lie in [0, 1] and sum to at most 1")
        for name, share in [(None, 1 - sum(joined.values())), *sorted(joined.items())]:
            if share > 0:
                under = model.components[name].command or name if name else group
                whole = _humanitarian(params, group, share, under)
                whole.approvals = model.components[name].approvals if name else 1
                everybody[f"{group}{WITH}{name}" if name else group] = whole
    return everybody


def group_of(name: str) -> str:
    """Return the name that a mission's luck is made of: the same for humanitarians who join and who do not."""
    return name.split(WITH)[0]


def _humanitarian(params, group, share, command):
    """Return a group of humanitarians, or the share of it that serves under a command, as a mission of its own kind."""
    about = params.country.humanitarians[group]
    asked = {g for c in params.mission.components.values() for g in c.integrates}
    unknown = sorted(asked - set(params.country.humanitarians))
    if unknown:
        raise ValueError(
            f"a component integrates {', '.join(unknown)}; country.humanitarians has "
            f"{', '.join(sorted(params.country.humanitarians))}"
        )
    week = (
        weeks_until(params.country.start, about.since, f"country.humanitarians.{group}.since") if about.since else 0.0
    )
    force = Force(
        summary=about.summary, helmet=about.helmet, price_aid=about.price, headquarters=0, readiness=0, build_up=0,
        peak=1, council=0, assessed=0, raised=1, owes=0, local_knowledge=about.local_knowledge, needs_consent=False,
        women=about.women,
    )  # fmt: skip
    return Component(
        force=force,
        mandate=Mandate(summary=about.summary, tasks=Tasks(relieve=1, engage=about.engagement), use_of_force=0,
                        open_gates=about.camps),
        personnel=Personnel(aid=about.workers * share), arrive=When(week=week), command=command,
    )  # fmt: skip


def chains_of_command(everybody: Mapping[str, Component]) -> list[str]:
    """Return the names of the chains of command of some missions by name, in order."""
    return sorted({c.command or n for n, c in everybody.items()})


def persons_of(component: Component) -> list[float]:
    """Return the persons of each kind that are authorised, the specialists of its bundles included: (5,)."""
    everybody = (component.personnel, *(b.personnel for b in component.mandate.bundles.values()))
    return [sum(getattr(p, k) for p in everybody) for k in KINDS]
