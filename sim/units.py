"""The units of missions: who sends contingents, on which conditions, and in how many bases and aid teams they serve."""

from collections.abc import Iterator

import numpy as np

from sim import draws
from sim.components import group_of
from sim.mandate import political_share
from sim.params import AID, KINDS, STAFF, UNIFORMED, Caveats, Component, Contributor, Params
from sim.state import Contributors, Missions, Units, zeros

MOST_UNITS = 60  # bases, and aid teams, of a mission: more places than any mission of the default sizes can fill


def groups_of(component: Component) -> Iterator[tuple[str, float, Contributor, bool]]:
    """Yield (name, share, contributor, bound) of each group of contingents that are offered for a component.

    Of each contributor some carry its conditions and the others none; a force without contributors is one itself.
    """
    offers = component.force.contributors
    everybody = sorted(offers.items()) or [("", Contributor(share=1.0, caveats=component.force.caveats))]
    for name, c in everybody:
        for bound, part in ((False, 1 - c.caveats.share), (True, c.caveats.share)):
            if part > 0:
                yield name, c.share * part, c, bound


def serves(caveats: Caveats, bound: bool, use_of_force: float, politics: float) -> bool:
    """Say whether a group serves under a mandate: by the force that it may use, and the politics in it."""
    return not bound or bool(use_of_force <= caveats.force and politics <= caveats.politics)


def mean_price(component: Component, use_of_force: float) -> float:
    """Return the mean cost of a person among those who are willing to come, of the force's price."""
    politics = political_share(component.mandate)
    come = [(n, c.price) for _, n, c, bound in groups_of(component) if serves(c.caveats, bound, use_of_force, politics)]
    total = sum(n for n, _ in come)
    return sum(n * price for n, price in come) / total if total > 0 else 1.0


def _conditions(caveats):
    return [caveats.ceasefire, caveats.consent, caveats.impartiality, caveats.withdraw, caveats.minimum_force]


def make_contributors(params: Params, missions: Missions) -> Contributors:
    """Build the groups of contingents of every mission; who is not willing to serve under its mandate stays away."""
    rows = []
    for m, name in enumerate(missions.names):
        of = params.mission.components.get(name)
        if of is None:
            continue
        uniformed = missions.personnel[m, UNIFORMED].sum()
        for sender, share, c, bound in groups_of(of):
            comes = serves(c.caveats, bound, missions.use_of_force[m], missions.politics[m])
            rows.append({
                "mission": m, "luck": draws.key(of.command or name, sender, "bound" if bound else "free"),
                "offered": share, "sent": share * uniformed, "bound": bound, "caveat": _conditions(c.caveats),
                "force": c.caveats.force, "politics": c.caveats.politics, "losses": c.caveats.losses,
                "quality": (c.ability, c.restraint, c.local_knowledge, c.price), "home": np.inf if comes else -np.inf,
            })  # fmt: skip
    kinds = {"mission": int, "luck": np.uint64, "bound": bool, "caveat": bool}
    shape = {"caveat": (-1, 5), "quality": (-1, 4)}
    names = [f for f in Contributors.__dataclass_fields__ if f not in ("lost", "sender")]
    found = {f: np.array([r[f] for r in rows], dtype=kinds.get(f, float)).reshape(shape.get(f, -1)) for f in names}
    made = Contributors(**found, sender=np.unique(found["luck"], return_inverse=True)[1], lost=zeros(len(rows)))
    willing = np.bincount(made.mission, made.offered * (made.home > 0), len(missions.names))
    missions.taken[:] = 1 / np.maximum(willing, 1)
    return made


def _bases(component, uniformed, staff, d):
    """Return the bases of a mission: share of the uniformed and of the staff, name of who sends them, bound or not."""
    offers = list(component.force.contributors.items()) if component else []
    whole = sum(c.share for _, c in offers)
    every = []
    for name, c in sorted(offers) or [("", None)]:
        of_all = c.share if c else 1.0
        most = MOST_UNITS if c is None else max(1, round(MOST_UNITS * of_all / max(whole, 1e-9)))
        n = int(np.clip(np.ceil(of_all * uniformed / d.base_size), 1 if uniformed + staff > 0 else 0, most))
        size = (1.0 + np.arange(n)) ** -d.base_skew
        size /= max(size.sum(), 1e-12)
        carries = c.caveats.share if c else component.force.caveats.share if component else 0.0
        smallest_first = size[::-1].cumsum() - 0.5 * size[::-1]
        bound = (smallest_first <= carries)[::-1]
        every += [
            (of_all * s, of_all * s / whole if c and whole > 0 else s, name, bool(b))
            for s, b in zip(size, bound, strict=True)
        ]
    return every


def make_units(params: Params, missions: Missions, contributors: Contributors) -> Units:
    """Divide each mission into contingents (few large bases, many small) and aid teams."""
    d = params.deploy
    mission, ordinal, team, share, group, before = [], [], [], [], [], {}
    rows = {}  # of each group of contingents: mission, who sends it, bound or not
    for m, name in enumerate(missions.names):
        of = params.mission.components.get(name)
        for sender, _, _, bound in groups_of(of) if of else ():
            rows[m, sender, bound] = len(rows)
    for m, name in enumerate(missions.names):
        uniformed, staff, aid = (missions.personnel[m, s].sum() for s in (UNIFORMED, STAFF, AID))
        based = _bases(params.mission.components.get(name), uniformed, staff, d)
        bases = len(based)
        teams = int(np.clip(np.ceil(aid / d.team_size), 1 if aid > 0 else 0, MOST_UNITS))
        parts = np.zeros((bases + teams, len(KINDS)))
        for i, (of_uniformed, of_staff, sender, bound) in enumerate(based):
            parts[i, UNIFORMED], parts[i, STAFF] = of_uniformed, of_staff
            group.append(rows[m, sender, bound] if (m, sender, bound) in rows else rows[m, sender, not bound])
        parts[bases:, AID] = 1 / max(teams, 1)
        mission += [m] * (bases + teams)
        first = before.get(group_of(name), 0)  # humanitarians who join go on where those who stay apart end
        before[group_of(name)] = first + bases + teams
        ordinal += range(first, first + bases + teams)
        team += [False] * bases + [True] * teams
        share.append(parts)
        group += [-1] * teams
    group = np.array(group, dtype=int)
    mission, nth = np.array(mission, dtype=int), np.array(ordinal, dtype=np.uint64)
    n = mission.size
    return Units(
        mission=mission,
        luck=missions.luck[mission] + nth if n else zeros(0, dtype=np.uint64),
        team=np.array(team, dtype=bool), share=np.concatenate(share) if n else zeros(0, len(KINDS)),
        contributor=group, caveated=np.append(contributors.bound, False)[group],
        cell=np.full(n, -1), strength=zeros(n, len(KINDS)),
        losses=zeros(n), freedom=np.ones(n), suspended=zeros(n, dtype=bool), pinned=zeros(n), stock=np.ones(n),
        access=zeros(n, dtype=bool),
    )  # fmt: skip
