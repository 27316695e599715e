"""The model: its parts, and step(), the schedule of a week."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import mesa
import numba
import numpy as np

from sim import agents, draws
from sim.census import take_census
from sim.country import a_date, make_bands, make_civilians, make_factions, make_land
from sim.mission import (
    areas,
    make_commands,
    make_contributors,
    make_missions,
    make_units,
    phases,
    whole_plan,
    with_humanitarians,
)
from sim.outcomes import OUTCOMES, Outcome, Record
from sim.params import TASKS, UNIFORMED, WEEKS_PER_YEAR, Params, When, numbers, out_of_range
from sim.processes.ambush import ambush
from sim.processes.deploy import deploy
from sim.processes.enforce import enforce
from sim.processes.feel import feel
from sim.processes.fight import fight
from sim.processes.judge import judge
from sim.processes.live import live
from sim.processes.move import move
from sim.processes.negotiate import negotiate
from sim.processes.observe import observe
from sim.processes.prey import prey
from sim.processes.recruit import recruit
from sim.processes.relieve import relieve
from sim.processes.task import LOCAL, task
from sim.shocks import THINGS, Event, check, made_of, set_usual, shocks_of, strike
from sim.state import Conditions, Politics, Week, zeros
from sim.values import among

SCHEDULE = (
    deploy,  # missions arrive, build up, hand over, leave
    task,  # contingents and aid teams go where they are drawn
    move,  # factions plan, bands march
    fight,  # rival bands meet
    prey,  # bands attack civilians
    enforce,  # robust units attack bands
    ambush,  # bands attack units
    relieve,  # aid reaches those it can
    live,  # people die, hunger, flee, return
    feel,  # trust and grievance
    judge,  # factions and the host judge the missions
    recruit,  # fighters come and go
    negotiate,  # commitment, agreement, institutions
    observe,  # what happened is written down
)
YEAR_OF_SEASONS = 365.25 / 7  # weeks from one rainy season to the next
TABLES = (
    "land", "people", "factions", "bands", "commands", "missions", "contributors", "units", "politics", "conditions",
)  # fmt: skip

Process = Callable[["PeaceModel"], None]


def _schedule(params, before, after):
    """Return the processes of a week in order: those that are switched on, and those added before or after one."""
    names = [process.__name__ for process in SCHEDULE]
    if unknown := [name for name in (*before, *after) if name not in names]:
        raise ValueError(f"there is no process {unknown[0]!r} to add one to{among(unknown[0], names)}")

    def added(where, name):
        found = where.get(name, ())
        return [found] if callable(found) else list(found)

    found = []
    for process, name in zip(SCHEDULE, names):
        own = [process] if getattr(params.processes, name) else []
        found += [*added(before, name), *own, *added(after, name)]
    return found


class PeaceModel(mesa.Model):
    """A country at war and the missions sent to protect its people.

    Parameters
    ----------
    params : Params
    before, after : dict of processes to add, by the name of the process of the week that each comes before or after:
        {"live": flood} or {"live": [flood, drought]}; a process is a function of the model that changes its state
    outcomes : sequence of sim.outcomes.Outcome to record every week, beside those of the project
    rng : int, a seed in place of that of `params`, as Mesa's tools give one

    An agent of one's own, a mesa.Agent whose class has a `step`, acts at the end of every week: it sees what happened
    in it, and what it changes is there when the next one begins.

    Raises
    ------
    ValueError
        One sentence that says what was given, what is allowed and where; before the first week.
    """

    def __init__(
        self,
        params: Params,
        *,
        before: Mapping[str, Process | Sequence[Process]] | None = None,
        after: Mapping[str, Process | Sequence[Process]] | None = None,
        outcomes: Sequence[Outcome] = (),
        rng: int | None = None,
    ):
        params = params if rng is None else replace(params, seed=rng)
        wrong = out_of_range(params)
        if wrong:
            raise ValueError("; ".join(wrong))
        super().__init__(rng=params.seed)  # Mesa's own generators: no rule draws from them
        self.params = params
        self.numbers = numbers(params)
        self.luck = draws.Draws(params.seed)
        self.week = 0.0
        self.first_week = a_date(params.country.start, "country.start").timetuple().tm_yday / 7  # of the calendar year
        self.land = make_land(params.country, params.task.patrol_km, params.move.place_km, params.move.refuge_km)
        self.everybody = with_humanitarians(params)  # every mission by name, as declared
        self.missions = make_missions(params)
        self.phases = phases(self.everybody, self.missions.arrive)  # weeks in which a mandate changes, to come
        self.missions.area = areas(params, self.land, self.missions.names)
        self.commands = make_commands(params, self.missions)
        self.commands.seen = zeros(len(self.commands.names), self.land.row.size)
        n_missions, n_commands = len(self.missions.names), len(self.commands.names)
        self.factions = make_factions(params.country, self.land, n_commands, params.move)
        self.bands = make_bands(params.country, self.land, self.factions, self.luck, params.move.loot_base)
        self.contributors = make_contributors(params, self.missions)
        self.units = make_units(params, self.missions, self.contributors)
        self.people = make_civilians(params, self.land, len(self.factions.names), n_commands, self.luck)
        self.politics = Politics(
            agreement=zeros(1, dtype=bool), held=zeros(1, dtype=bool), signed=np.full(1, np.inf),
            collapsed=zeros(1, dtype=int), unity=np.full(1, params.mission.council_unity),
        )  # fmt: skip
        self.conditions = Conditions(np.full(1, params.feel.misinformation), np.ones(self.land.row.size))
        self.aided = zeros(params.civilians, dtype=bool)
        self.presence = zeros(n_missions, len(LOCAL), self.land.row.size)  # effective, by local task
        self.armed = zeros(n_missions, self.land.row.size)
        self.care = zeros(self.land.row.size)  # share of the wounded whom somebody treats
        self.guard = zeros(len(self.factions.names), self.land.row.size)  # effective protection against each faction
        self.factions.aggression[:] = 1 - self.factions.commitment
        self.plan = whole_plan(self)  # (steps, M)
        self.schedule = _schedule(params, before or {}, after or {})
        self.events = shocks_of(params)
        self.usual = {name: thing.get(self).copy() for name, thing in THINGS.items() if not thing.stock}
        self.pushes = {}  # what events make of these conditions this week
        for event in self.events:
            check(self, event)
        self._datacollector = None
        self.record = Record(self, (*OUTCOMES, *outcomes))
        self._open_week()

    # ------------------------------------------------------------------------------ the schedule

    def step(self):
        """Run one week: everything that happens, in the order in which it happens. After the last, nothing does."""
        if self.finished:  # Mesa's page steps several times before it looks at `running`
            return
        strike(self)  # what befalls the country this week
        for process in self.schedule:
            self._around = None  # bands may have moved
            process(self)
        agents.act(super().agents_by_type)
        self.week += self.params.step_weeks
        self.luck.step += 1
        self.running = not self.finished
        self._open_week()

    def set_usual(self, name, numbers):
        """Set what a condition of sim/shocks.py is apart from events: what rules or dates have made of it."""
        set_usual(self, name, numbers)

    def inject(self, name, shock):
        """Let an event befall a run that is under way: the run is as if it had always stood in its settings.

        Parameters
        ----------
        name : str, a name that no event has yet
        shock : Shock, or a dictionary of its settings; without a moment it begins now

        Raises
        ------
        ValueError
            One sentence that says what was given and what is allowed; the run is then as it was.
        """
        if name in self.params.events:
            raise ValueError(f"events.{name} is there already; give it another name")
        shock = made_of(f"events.{name}", shock)
        if shock.when == When():
            shock = replace(shock, when=When(week=self.week))
        params = replace(self.params, events={**self.params.events, name: shock})
        events = shocks_of(params)
        if wrong := out_of_range(params):
            raise ValueError("; ".join(wrong))
        check(self, Event(name, f"events.{name}", shock))
        self.params, self.events = params, events

    def run(self, progress=None):
        """Run to the end; `progress` is called with the week after every step."""
        while not self.finished:
            self.step()
            if progress:
                progress(self.week)
        return self

    def record_length(self):
        """Return the number of steps of the run."""
        return int(np.ceil(self.params.weeks / self.params.step_weeks))

    @property
    def finished(self):
        """Whether the run has reached its last week."""
        return self.week >= self.params.weeks

    def _open_week(self):
        """Count the people, so that every rule of the week sees the same Monday, and open a new page."""
        c, k = self.land.births.shape
        f, n = self.factions.hostility.shape
        m = len(self.missions.names)
        self.census = take_census(self.people, self.land, self.params.feel.start)
        self.grudge = self._grudge()
        self.now = Week(
            toll=zeros(c, k, dtype=np.int64), by_faction=zeros(f), by_mission=zeros(m),
            crossfire=zeros(f), killed_in_sites=zeros(1, dtype=np.int64), harm=zeros(f, n),
            fighters_lost=zeros(f), lost_to_rivals=zeros(f), hit=zeros(f, m), peacekeepers_killed=zeros(m),
            protests=zeros(n), lent=zeros(n),
            aid_workers_killed=zeros(m), stood_by=zeros(n, c), aid=zeros(n, c), tried=zeros(n), reached=zeros(n),
            forced=zeros(n), pauses=zeros(n), excess=zeros(1, dtype=np.int64), unmet=zeros(1), cost=zeros(m),
            missing=zeros(m),
            laid_down=zeros(f), resettled=zeros(f), rearmed=zeros(f), by_hired=zeros(f),
        )  # fmt: skip
        self._around = None

    # ------------------------------------------------------------------------------ what rules ask

    @property
    def years(self):
        """Length of a step in years."""
        return self.params.step_weeks / WEEKS_PER_YEAR

    def fading(self, half_life):
        """Return what one step leaves of a memory with that half-life in weeks."""
        return 0.5 ** (self.params.step_weeks / half_life)

    def strength(self):
        """Return the fighters of every faction: (F,)."""
        return np.bincount(self.bands.faction, self.bands.fighters, self.factions.host.size)

    def fighters_around(self):
        """Return the fighters of every faction in the place of each cell and those around it: (F, C)."""
        if self._around is None:
            self._around = zeros(self.factions.host.size, self.land.row.size)
            _around(
                faction=self.bands.faction, cell=self.bands.cell, fighters=self.bands.fighters,
                reach=self.land.reach, share=self.land.reach_share, out=self._around,
            )  # fmt: skip
        return self._around

    def strength_near(self):
        """Return the fighters of its faction in reach of every band, itself included: (B,)."""
        return self.fighters_around()[self.bands.faction, self.bands.cell]

    def threat(self):
        """Return the fighters in reach of every cell, those at rest for less, by the people whom they find: (C,)."""
        b, p = self.bands, self.params
        on_campaign = b.taking_part & (self.factions.campaign[b.faction] > 0)
        out = zeros(1, self.land.row.size)
        _around(
            faction=np.zeros(b.faction.size, dtype=b.faction.dtype), cell=b.cell,
            fighters=b.fighters * np.where(on_campaign, 1.0, p.task.at_rest), reach=self.land.reach,
            share=self.land.reach_share, out=out,
        )  # fmt: skip
        people = self.census.of_place.sum(axis=1)
        return out[0] * people / (people + p.prey.targets)

    def arms_around(self, persons):
        """Return the persons that each chain of command has in reach of every unit, of those given for units: (U,)."""
        u, flag = self.units, self.missions.command[self.units.mission]
        there, out = u.cell >= 0, zeros(len(self.commands.names), self.land.row.size)
        _around(
            faction=flag[there], cell=u.cell[there], fighters=persons[there],
            reach=self.land.reach, share=self.land.reach_share, out=out,
        )  # fmt: skip
        return np.where(there, out[flag, np.maximum(u.cell, 0)], 0.0)

    def controller(self, cells):
        """Return the faction with most fighters around each of some cells; the host where there is none."""
        around = self.fighters_around()[:, cells]
        host = np.flatnonzero(self.factions.host)
        return np.where(around.max(axis=0) > 0, around.argmax(axis=0), host[0] if host.size else 0)

    def task_presence(self, name):
        """Return the effective presence of every mission for a local task: (M, C) person-equivalents."""
        return self.presence[:, LOCAL.index(name)]

    def by_command(self, of_missions):
        """Return the sums over the missions of each chain of command: (K, ...) of (M, ...)."""
        return np.tensordot(self.commands.member, of_missions, axes=1)

    def work_on(self, name):
        """Return the person-equivalents that each chain of command has at work on a task: (K,)."""
        return self.commands.member @ self.missions.work[:, TASKS.index(name)]

    def holding_fire(self):
        """Return the share of the fighters in reach of every cell who hold their fire in a pause: (C,) 0..1."""
        b, hold = self.bands, zeros(1, self.land.row.size)
        paused = b.paused > 0
        if paused.any():
            nobody = np.zeros(b.faction.size, dtype=b.faction.dtype)
            _around(
                faction=nobody, cell=b.cell, fighters=b.fighters * paused, reach=self.land.reach,
                share=self.land.reach_share, out=hold,
            )  # fmt: skip
            hold /= np.maximum(self.fighters_around().sum(axis=0), 1e-9)
        return np.minimum(hold[0], 1.0)

    def escorts(self):
        """Return the escorts around each unit: of its own command, and of each other as far as it asks for them.

        Returns (U,) and (K, U) person-equivalents; of the latter, its own command's row is nought.
        """
        u, m = self.units, self.missions
        at = self.by_command(self.task_presence("escort")[:, np.maximum(u.cell, 0)])
        own = m.command[u.mission] == np.arange(len(self.commands.names))[:, None]
        return (at * own).sum(axis=0), at * ~own * m.accepts[u.mission]

    def lent(self):
        """Return the host's fighters around each unit that it lends as an escort, as far as it consents: (U,)."""
        u, host, share = self.units, self.factions.host, self.params.relieve.lent
        if not share or not host.any():
            return zeros(u.cell.size)
        at, consent = np.maximum(u.cell, 0), 1 - self.hostility_of_host()
        around = self.fighters_around()[host][:, at].sum(axis=0) * u.team * (u.cell >= 0)
        return share * around * consent[self.missions.command[u.mission]]

    def under_guard(self, lent):
        """Return the hostility of each faction to each unit for the escort that the host lends it: (F, U) 0..1."""
        f = self.factions
        share = lent / (lent + self.params.relieve.escort_half)
        return (f.aggression * f.rival[:, f.host].any(axis=1))[:, None] * share

    def drive(self, lull):
        """Return each band's aggression, dampened by local institutions, by a campaign's vigour or a lull: (B,)."""
        f, b = self.factions, self.bands
        return _drive(
            faction=b.faction, cell=b.cell, taking_part=b.taking_part, aggression=f.aggression, campaign=f.campaign,
            vigour=f.vigour, institutions=self.land.institutions, damping=self.params.negotiate.aggression, lull=lull,
        )  # fmt: skip

    def mean_at_home(self, of_bands):
        """Return the mean over each faction's bands of what is given for each, as at their homes: (F,)."""
        n = self.factions.host.size
        return np.bincount(self.bands.faction, of_bands, n) / np.maximum(
            np.bincount(self.bands.faction, minlength=n), 1
        )

    def held(self):
        """Return how far missions hold each faction's heartland: (F,) 0..1."""
        guard = self.mean_at_home(self.guard[self.bands.faction, self.bands.home])
        return guard / (guard + self.params.recruit.holders)

    def spoils(self):
        """Return what each faction lives from beside its people: deposits where its fighters are, sponsors: (F,)."""
        f, b = self.factions, self.bands
        share = b.fighters / np.maximum(self.strength(), 1e-9)[b.faction]
        income = f.loot * np.bincount(b.faction, share * self.land.resources[b.cell], f.host.size) + f.sponsor
        return income * np.where(f.host, 1.0, 1.0 - self.sanctions()) if self.params.mission.sanctions else income

    def sanctions(self):
        """Return the share of their income that sanctions take from armed factions, as far as all keep them: 0..1."""
        mission, country = self.params.mission, self.params.country
        in_force = self.week >= mission.authorised
        return (
            in_force * mission.sanctions * self.politics.unity[0] * country.neighbours * self.params.recruit.sanctioned
        )

    def hired_share(self):
        """Return the share of each faction's fighters who are hired men: (F,) 0..1."""
        return np.minimum(self.factions.hired / np.maximum(self.strength(), 1.0), 1.0)

    def of_hired(self, trait):
        """Return what hired men make of a trait of each faction, ratio 1 without them: (F,)."""
        about = [self.params.country.factions[n].hired for n in self.factions.names]
        return 1 + self.hired_share() * (np.array([getattr(h, trait) for h in about]) - 1)

    def wet(self):
        """Return how heavy the rains are this week: 0, dry, to 1, or 2 in a year of floods."""
        c = self.params.country
        if not c.rains:
            return 0.0
        weeks = (self.week + self.first_week - c.rains_week) / YEAR_OF_SEASONS
        height = max(0.0, math.cos(2 * math.pi * weeks))
        return c.rains * height * (2.0 if c.flood and self._luck_of_year("flood") < c.flood else 1.0)

    def dry(self):
        """Say whether this year is one of drought."""
        return bool(self.params.country.drought) and self._luck_of_year("drought") < self.params.country.drought

    def _luck_of_year(self, what):
        """Return the luck of a year of the calendar, 0..1: the same in every week of it and under every mission."""
        year = int((self.week + self.first_week) / YEAR_OF_SEASONS)
        return (draws.key(self.luck.seed, f"season.{what}", year) >> 11) * 2.0**-53

    def hardship(self):
        """Return the rise of need by season and drought: 1/year."""
        p = self.params.live
        return p.lean * min(self.wet(), 1.0) + p.drought * self.dry()

    def counted(self, column, weeks):
        """Return the sum of a column of the weekly table over the last weeks; nan if there are not so many yet."""
        r, steps = self.record, round(weeks / self.params.step_weeks)
        if r.steps < steps:
            return np.nan
        return r.weekly[r.steps - steps : r.steps, r.columns.index(column)].sum()

    def hostility_of_host(self):
        """Return the host government's hostility to every chain of command: (K,); none once it has left for good."""
        f = self.factions
        return f.hostility[f.host & (self.week < f.leaves)].sum(axis=0)

    def spill(self):
        """Return the conflation of missions of separate commands, misinformation counted in: 0..1."""
        judge, rumours = self.params.judge, self.rumours()
        return min(1.0, judge.conflation * (1 + judge.rumour * rumours.max(initial=0.0)))

    def rumours(self):
        """Return the misinformation about every chain of command as each community believes it: (K, communities) 0..1.

        A faction's own people believe its campaigns, others less; whoever communicates talks it down.
        """
        f, p = self.factions, self.params.feel
        if not (f.smear.any() or self.commands.rumour.any()):
            return zeros(len(self.commands.names), f.community.shape[1])
        true = np.repeat(1 - self.commands.rumour[:, None], f.community.shape[1], axis=1)
        belief = p.others + (1 - p.others) * f.community
        for i in np.flatnonzero((f.smear > 0).any(axis=1)):
            true *= 1 - self.conditions.misinformation[0] * (f.smear[i] > 0)[:, None] * belief[i]
        return (1 - true) / (1 + self.work_on("communicate").sum() / p.communicators)

    def media(self):
        """Return how far misinformation carries in every cell: (C,) 0..1, less where local media sort it out."""
        p, land = self.params.feel, self.land
        return (p.remote + (1 - p.remote) * (1 - land.remoteness)) * (1 - p.local_media * land.institutions)

    def _grudge(self):
        """Return the grievance of each faction's own people toward its worst rival: (F,) 0..1."""
        worst = np.max(self.census.grievance[:, None, :] * self.factions.rival[None], axis=2)  # (K, F)
        own = self.factions.community * self.census.of_community
        return (own * worst.T).sum(axis=1) / np.maximum(own.sum(axis=1), 1)

    def place(self, cell):
        """Return the cells of the place around a cell, and the share of each that lies in it: two (P,)."""
        inside = self.land.place[cell] >= 0
        return self.land.place[cell][inside], self.land.place_share[inside]

    def reach(self, cell):
        """Return the cells of the place around a cell and of those around it, and the share of each: two (R,)."""
        inside = self.land.reach[cell] >= 0
        return self.land.reach[cell][inside], self.land.reach_share[inside]

    def somebody(self, cells, weights, luck):
        """Choose somebody: his cell and community, or -1 for both if there is nobody.

        Parameters
        ----------
        cells : (P,) int; weights : (P, K) how much the people there of each community count; luck : 0..1
        """
        found = draws.pick(weights.ravel(), luck)
        return (int(cells[found // weights.shape[1]]), found % weights.shape[1]) if found >= 0 else (-1, -1)

    def deaths_by_cell(self):
        """Return this week's violent deaths, of civilians and of those who bear arms: (C,)."""
        dead = zeros(self.land.row.size)
        for _, _, cell, _, civilians in self.now.killings:
            dead[cell] += civilians
        for e in self.now.events:
            dead[e.cell] += e.deaths_a + e.deaths_b
        return dead

    def bands_near(self, cell):
        """Say which bands are in the place of a cell or one around it: (B,) bool."""
        land, at = self.land, self.bands.cell
        away = np.maximum(np.abs(land.row[at] - land.row[cell]), np.abs(land.col[at] - land.col[cell]))
        return (away - 0.5) * land.cell_km < 1.5 * self.params.move.place_km

    # ------------------------------------------------------------------------------ what rules do

    def kill(self, cell, wanted, luck, faction=None, mission=None, community=None, crossfire=False):
        """Enter civilians killed, at most those who are left; return how many.

        They are taken from their households when people live the week (`live`). If no community is named, anybody
        in the place of the cell may be hit.
        """
        if community is None:
            cells, share = self.place(cell)
            left = self.census.population[cells] - self.now.toll[cells]
            cell, community = self.somebody(cells, left * share[:, None], luck)
        left = self.census.population[cell, community] - self.now.toll[cell, community]
        dead = int(min(wanted, left)) if community >= 0 else 0
        if dead <= 0:
            return 0
        self.now.toll[cell, community] += dead
        by, who = (self.now.by_faction, faction) if mission is None else (self.now.by_mission, mission)
        (self.now.crossfire if crossfire else by)[who] += dead
        who = (faction, -1) if mission is None else (-1, mission)
        self.now.killings.append((*who, cell, community, dead))
        stung = dead * self.factions.community[:, community]
        if faction is not None:
            stung[faction] = 0.0
        else:
            self.now.harm[:, self.missions.command[mission]] += stung
            self.factions.wronged += stung
        if faction is not None and self.factions.hired[faction] > 0:
            self.now.by_hired += stung * self.hired_share()[faction]
        self.factions.provocation += stung
        self.land.grief[cell, community] += dead
        return dead

    def lose_fighters(self, faction, bands, dead, to_rivals):
        """Enter fighters of a faction killed, by rivals or by a mission: of some of its bands, each by its strength.

        Parameters
        ----------
        faction : int; bands : (n,) int, with at least `dead` fighters; dead : persons; to_rivals : bool
        """
        fighters = self.bands.fighters
        lost = dead * fighters[bands] / max(fighters[bands].sum(), 1e-9)
        fighters[bands] = np.maximum(fighters[bands] - lost, 0.0)
        self.bands.losses[bands] += lost
        self.now.fighters_lost[faction] += dead
        if to_rivals:
            self.now.lost_to_rivals[faction] += dead
            self.factions.provocation[faction] += dead

    def hit(self, faction, bands, dead, mission):
        """Enter fighters of a faction killed by a mission: of some of its bands, each by its strength."""
        if dead > 0:
            self.lose_fighters(faction, bands, dead, to_rivals=False)
            self.now.hit[faction, mission] += dead

    def harm_bystanders(self, cell, killed, mission, luck):
        """Kill those who stand by where a mission kills fighters, as far as it lacks restraint; return how many."""
        collateral = self.params.enforce.collateral * (1 - self.missions.restraint[mission])
        return self.kill(cell, int(collateral * killed + luck), luck, mission=mission)

    def lose_from(self, unit, dead):
        """Enter members of a unit killed, at most those who are there; return how many."""
        u, now = self.units, self.now
        dead = int(min(dead, u.strength[unit].sum()))
        u.losses[unit] += dead
        lost = now.aid_workers_killed if u.team[unit] else now.peacekeepers_killed
        lost[u.mission[unit]] += dead
        if not u.team[unit]:
            self.contributors.lost[u.contributor[unit]] += dead
        return dead

    def lose_personnel(self, mission, cell, dead):
        """Enter peacekeepers of a mission killed in an operation near a cell; return how many."""
        u = self.units
        near = np.isin(u.cell, self.land.patrol[cell][self.land.patrol[cell] >= 0])
        able = np.flatnonzero(near & (u.mission == mission) & ~u.team)
        if not dead or not able.size:
            return 0
        return self.lose_from(able[u.strength[able, UNIFORMED].sum(axis=1).argmax()], dead)

    # ------------------------------------------------------------------------------ Mesa's face

    @property
    def agents(self):
        """Everybody as Mesa agents, made the first time somebody asks."""
        agents.meet(self)
        return super().agents

    @property
    def agents_by_type(self):
        """Everybody as Mesa agents by class, made the first time somebody asks."""
        agents.meet(self)
        return super().agents_by_type

    @property
    def datacollector(self):
        """What Mesa's tools read of the weeks so far: the columns of the weekly table; or a collector of one's own."""
        return self._datacollector or agents.collect(self.record)

    @datacollector.setter
    def datacollector(self, own):
        self._datacollector = own

    @property
    def grid(self):
        """The country as a Mesa grid, with everybody in his cell as of this week."""
        return agents.show_on_grid(self)

    def tables(self):
        """Return the tables of state by name."""
        return {n: getattr(self, n) for n in TABLES}


@numba.njit(cache=True)
def _around(faction, cell, fighters, reach, share, out):
    for b in range(faction.size):
        for r in range(share.size):
            c = reach[cell[b], r]
            if c >= 0:
                out[faction[b], c] += fighters[b] * share[r]


@numba.njit(cache=True)
def _drive(faction, cell, taking_part, aggression, campaign, vigour, institutions, damping, lull):
    out = np.empty(faction.size)
    for b in range(faction.size):
        f = faction[b]
        at_war = taking_part[b] and campaign[f] > 0
        out[b] = aggression[f] * (1.0 - damping * institutions[cell[b]]) * (vigour[f] if at_war else lull)
    return out
