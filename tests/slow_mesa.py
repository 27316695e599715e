"""The civilians' rules said person by person, in ordinary Mesa: the specification of processes 9 and 10.

`sim/processes/live.py` and `feel.py` run over columns in compiled loops. Here the same rules are methods of an agent
with plain Python attributes, and luck is a hash of plain Python integers. Everything else (missions, bands, politics)
is the model's own code. A run of `SlowModel` and a run of `PeaceModel` give exactly the same people, week after week:
tests/test_twins.py. Where the two differ, one of them is wrong.

Floating-point sums are written in the order in which the model does them, for the results are compared bit for bit.
"""

from time import perf_counter

import mesa
import numpy as np

from sim import PeaceModel, load
from sim.draws import key, mix
from sim.misinformation import rumours, spill
from sim.params import TASKS
from sim.processes.feel import _campaigns
from sim.rules import hired_share
from sim.seasons import dry, hardship

HOME, AWAY, ABROAD = 0, 1, 2
GOLDEN, BITS = 0x9E3779B97F4A7C15, 2**64


def draw(seed, decision, step, identity):
    """Return a number in [0, 1): a hash of what is decided, when, and about whom."""
    week = mix((key(seed, decision) + GOLDEN + step) % BITS)
    return (mix((week + (identity + 1) * GOLDEN) % BITS) >> 11) / 2**53


def probability(hazard):
    """Return 1 - exp(-hazard), with exp(-x) = ((120 + 12 xx - x (60 + xx)) / (120 + 12 xx + x (60 + xx)))^16."""
    x = min(hazard, 64.0) / 16.0
    even, odd = 120.0 + 12.0 * x * x, x * (60.0 + x * x)
    left = (even - odd) / (even + odd)
    for _ in range(4):
        left *= left
    return 1.0 - left


def between_0_and_1(x):
    """Cut a number off at 0 and 1."""
    return min(max(x, 0.0), 1.0)


class SlowCivilian(mesa.Agent):
    """Some persons of one place and one community."""

    def __init__(self, model, identity):
        super().__init__(model)
        people = model.people
        self.identity = identity
        self.home, self.cell = int(people.home[identity]), int(people.cell[identity])
        self.community = int(people.community[identity])
        self.persons, self.status = int(people.persons[identity]), int(people.status[identity])
        self.need = float(people.need[identity])
        self.grievance, self.trust = people.grievance[identity].tolist(), people.trust[identity].tolist()
        self.aided = False

    def draw(self, decision):
        """Draw this person's luck of the week in one decision."""
        return draw(self.model.params.seed, decision, self.model.luck.step, self.identity)

    # ---------------------------------------------------------------------------- 9. live and flee

    def bury(self):
        """Bear one's share of those killed here of one's community, by the number of one's persons."""
        place = self.cell, self.community
        toll = self.model.toll.get(place, 0)
        if self.status == ABROAD or toll == 0:
            return
        there = self.model.mourners[place]
        others = there - self.persons
        dead = int(toll * self.persons / there + self.draw("live.bury"))
        dead = max(dead, toll - others)  # the others can bear no more than they are
        dead = min(dead, self.persons, toll)
        self.model.mourners[place] = others
        self.model.toll[place] = toll - dead
        self.persons -= dead

    def subsist(self):
        """Hunger and recover; die of need.

        d need / dt = (displaced + violence v + poverty) (1 - need) - (livelihood (1 - v) + aid if served) need
        """
        p, y, here = self.model.params.live, self.model.years, self.model.places[self.cell]
        x = self.need
        if self.status == ABROAD:
            x -= p.abroad * y * x
        else:
            self.aided = self.draw("live.aid") < here.served
            worse = (p.violence_need * here.felt + p.poverty * (1.0 - here.institutions)) * y
            better = p.livelihood * (1.0 - here.felt) * y
            if self.status == AWAY:
                worse += p.displaced_need * y
                better *= p.coping
            worse += hardship(self.model.view) * y
            if self.aided:
                better += p.aid * y
            x += worse * (1.0 - x) - better * x
            x = between_0_and_1(x)
        self.need = x
        deadly = p.mortality * y * (1.0 if self.status == ABROAD else 1.0 - p.spared * here.vaccinated)
        dead = min(int(self.persons * deadly * x * x + self.draw("live.die")), self.persons)
        self.persons -= dead
        self.model.died_of_need += dead
        self.model.person_weeks_in_need += self.persons * x

    def move(self):
        """Go home where it has been quiet; else flee from violence."""
        p, y = self.model.params.live, self.model.years
        luck = self.draw("live.move")
        at_home = self.model.places[self.home].felt
        if self.status != HOME and luck < probability(p.homecoming * p.quiet / (p.quiet + at_home) * y):
            self.cell, self.status = self.home, HOME
        elif self.status != ABROAD:
            here = self.model.places[self.cell].felt
            if luck >= 1.0 - probability(p.flight * here * y):
                self.flee()

    def flee(self):
        """Choose a refuge among all other places by gravity, or go abroad."""
        p, here = self.model.params.live, self.model.places[self.cell]
        reach = p.flight_km / self.model.land.cell_km
        total, sums = 0.0, []
        for place in self.model.places:
            if place is not here:
                squared = (place.row - here.row) ** 2 + (place.col - here.col) ** 2
                near = 1.0 + squared / (reach * reach)
                total += place.pull / (near * near)
            sums.append(total)
        luck = self.draw("live.refuge") * (total * (1.0 + here.crossing))
        for cell, up_to_here in enumerate(sums):
            if luck < up_to_here:
                self.cell, self.status = cell, HOME if cell == self.home else AWAY
                return
        self.status = ABROAD

    # ---------------------------------------------------------------------------- 10. feel

    def feel(self):
        """Gain and lose trust in each chain of command; bear grudges, and forgive.

        d trust / dt = (protection felt + aid received + engagement) (1 - trust) - (harm + stood by + rumour) trust
                       - forget (trust - start)
        """
        p, y = self.model.params.feel, self.model.years
        if self.persons == 0:
            return
        here = self.model.places[self.cell] if self.status != ABROAD else None
        for m, t in enumerate(self.trust):
            if here:
                up = here.gain[m] + (here.gain_if_aided[m] if self.aided else 0.0)
                t += up * (1.0 - t) - here.loss(m, self.community) * t
            t += p.forget * y * (p.start - t)
            self.trust[m] = between_0_and_1(t)
        for f, g in enumerate(self.grievance):
            if here:
                blow = here.wound[f][self.community]
                g += blow / (1.0 + blow) * (1.0 - g)
            if f == self.model.host:
                g += p.need * y * self.need * (1.0 - g)
            g -= p.forgive * y * g
            self.grievance[f] = between_0_and_1(g)


class SlowPlace:
    """A cell as its people know it this week."""

    def __init__(self, model, cell):
        self.model, self.cell = model, cell
        land = model.land
        self.row, self.col, self.town = int(land.row[cell]), int(land.col[cell]), float(land.town[cell])
        self.neighbours = [int(c) for c in land.near[cell, 1:] if c >= 0]
        self.parts = [(int(c), float(s)) for c, s in zip(land.place[cell], land.place_share) if c >= 0]
        self.violence, self.felt = float(land.violence[cell]), float(land.felt[cell])

    def in_place(self, amounts):
        """Return how much of what cells have lies in the place around this one."""
        total = 0.0
        for cell, share in self.parts:
            total += share * float(amounts[cell])
        return total

    def remember(self, deaths, people):
        """Keep what is left of the violence remembered here, and add this week's dead per 1,000 people."""
        faded = 0.5 ** (self.model.params.step_weeks / self.model.params.live.memory)
        self.violence = self.violence * faded + 1_000.0 * deaths / (people + 1_000.0)

    def look_around(self):
        """Feel the violence here and, less, that of the cells around; see how far this place draws those who flee."""
        p, land, near = self.model.params.live, self.model.land, self.violence
        for c in self.neighbours:
            near += p.neighbours * self.model.places[c].violence
        self.felt = near / (near + p.half_violence)
        self.institutions = float(land.institutions[self.cell])
        self.vaccinated = float(land.vaccinated[self.cell])
        self.served = float(self.model.now.aid[:, self.cell].sum())
        shelter = float(self.model.task_presence("protect")[:, self.cell].sum())
        calm = (1.0 - self.felt) * (1.0 - self.felt) * p.calm + p.unrest
        sheltered = 1 + p.shelter * shelter / (shelter + p.shelter_half)
        places = p.countryside * land.place_area + self.town + p.camp * float(land.site[self.cell])
        self.pull = calm * places * sheltered
        to_border = float(land.border[self.cell]) / p.border_km
        self.crossing = p.border / (1 + to_border * to_border)

    def of_command(self, command, of_missions):
        """Return the sum of what the missions of a chain of command have here, of what each has in every cell."""
        total = 0.0
        for mission, whose in enumerate(self.model.missions.command):
            if whose == command:
                total += float(of_missions[mission, self.cell])
        return total

    def judge(self, stood_by, harmed, wound, rumour):
        """See what each chain of command does here, and who killed whom."""
        p, y, commands = self.model.params.feel, self.model.years, len(self.model.commands.names)
        protect, engage = self.model.task_presence("protect"), self.model.task_presence("engage")
        missions = self.model.missions
        by_knowledge = engage * ((p.strangers + missions.knowledge) * self.model.reached_by(missions.women))[:, None]
        c = self.cell
        aid, whole = [float(a) for a in self.model.now.aid[:, c]], 0.0
        for served in aid:
            whole += served
        self.gain, self.gain_if_aided, self.left = [], [], []
        for k in range(commands):
            here = self.of_command(k, protect)
            known = max(
                float(self.model.commands.seen[k, c]) * 0.5 ** (self.model.params.step_weeks / p.left_memory), here
            )
            self.left.append(max(known - here, 0.0) / (known + p.protection_half))
            self.model.commands.seen[k, c] = known
            seen = here / (here + p.protection_half)
            talk = self.of_command(k, by_knowledge) / (self.of_command(k, engage) + p.engagement_half)
            self.gain.append(p.protection * y * seen * (1.0 - self.felt) + p.engagement * y * talk)
            # a week's aid is credited by share
            self.gain_if_aided.append(p.aid * y * aid[k] / whole if whole > 0 else 0.0)
        self.stood_by = stood_by[:, c]
        self.harmed, self.wound, self.rumour = harmed[:, c], wound[:, c].tolist(), rumour
        radio = p.remote + (1 - p.remote) * (1 - self.model.land.remoteness[c])
        self.media = radio * (1 - p.local_media * self.model.land.institutions[c])

    def loss(self, command, community):
        """Return the share of trust in a chain of command that the people of a community lose here this week."""
        p = self.model.params.feel
        people = self.in_place(self.model.census.population[:, community])
        per_1000 = 1_000.0 * self.harmed[command, community] / (people + 1_000.0)
        heard = p.rumour * self.model.years * self.media * self.rumour[command, community]
        x = float(p.harm * per_1000 + p.stood_by * self.stood_by[command] + heard)
        x += p.left * self.model.years * self.left[command]
        return x / (1.0 + x)


def spilt(of_commands, falls_on):
    """Return what falls on each command of what all have, one after the other: (Q, ...)."""
    out = np.zeros(of_commands.shape)
    for q in range(len(out)):
        for other, amounts in enumerate(of_commands):
            out[q] = out[q] + amounts * falls_on[other, q]
    return out


class SlowModel(PeaceModel):
    """The model with its civilians as ordinary agents: the same results, slowly."""

    def __init__(self, params):
        super().__init__(params)
        self.places = [SlowPlace(self, c) for c in range(self.land.row.size)]
        self.civilians = [SlowCivilian(self, i) for i in range(self.people.persons.size)]
        hosts = np.flatnonzero(self.factions.host)
        self.host = int(hosts[0]) if hosts.size else -1
        mine = {"live": SlowModel.live, "feel": SlowModel.feel}
        self.schedule = [mine.get(process.__name__, process) for process in self.schedule]

    def live(self):
        """9. Live and flee."""
        deaths = [0.0] * len(self.places)
        for _, _, cell, _, civilians in self.now.killings:
            deaths[cell] += civilians
        for event in self.now.events:
            deaths[event.cell] += event.deaths_a + event.deaths_b
        for place in self.places:
            people = sum(place.in_place(of_community) for of_community in self.census.population.T)
            place.remember(place.in_place(deaths), people)
        for place in self.places:
            place.look_around()
        self.toll = {(c, k): int(self.now.toll[c, k]) for c, k in np.argwhere(self.now.toll).tolist()}
        self.mourners = {place: int(self.census.population[place]) for place in self.toll}
        self.died_of_need, self.person_weeks_in_need = 0, 0.0
        self.live_everybody()
        self.now.excess[0] = self.died_of_need
        self.now.unmet[0] = self.person_weeks_in_need * self.params.step_weeks
        self.tell()

    def live_everybody(self):
        """Bury, feed and move one person after the other."""
        for person in self.civilians:
            person.bury()
        for person in self.civilians:
            person.aided = False
            if person.persons > 0:
                person.subsist()
                person.move()

    def feel_everybody(self):
        """Ask one person after the other what he thinks."""
        for person in self.civilians:
            person.feel()

    def reached_by(self, women):
        """Return what women and men tell each mission together, by the women it has."""
        p, found = self.params.task, []
        for w in women:
            shares = [1 - p.apart * (1 - x * (1 + p.mixed) / (x + p.mixed)) for x in (w, 1 - w)]
            found.append((shares[0] + shares[1]) / 2)
        return np.array(found)

    def feel(self):
        """10. Feel."""
        p, now, missions = self.params.feel, self.now, self.missions
        _campaigns(self.view)
        (n_cells, n_communities), n_commands = self.census.population.shape, len(self.commands.names)
        mixed = spill(self.view, rumours(self.view))
        # of what the command of the row does, on that of the column
        falls_on = np.array([[1.0 if a == b else mixed for b in range(n_commands)] for a in range(n_commands)])
        falls_on = falls_on.reshape(n_commands, n_commands)
        harmed = np.zeros((n_commands, n_cells, n_communities))
        wound = np.zeros((self.factions.host.size, n_cells, n_communities))
        hired = hired_share(self.view)
        present = [sum(missions.persons[missions.command == k].sum(axis=1)) for k in range(n_commands)]
        for faction, mission, cell, community, dead in now.killings:
            for c, share in self.places[cell].parts:  # a square around one holds another as that one's holds it
                if faction >= 0:
                    people = self.places[c].in_place(self.census.population[:, community])
                    wound[faction, c, community] += share * (p.grievance * 1_000.0 * dead / (people + 1_000.0))
                    if hired[faction]:
                        held = share * dead * hired[faction] * self.params.judge.hired
                        harmed[:, c, community] += [held if there > 0 else 0.0 for there in present]
                else:
                    harmed[:, c, community] += share * dead * falls_on[missions.command[mission]]
        if dry(self.view):
            self.quarrel(wound)
        stood_by = np.array([[place.in_place(by) for place in self.places] for by in now.stood_by])
        stood_by = spilt(stood_by, falls_on) if len(stood_by) else now.stood_by
        communicators = missions.work[:, TASKS.index("communicate")].sum()
        believed = np.zeros((n_commands, n_communities))
        strength = float(self.conditions.misinformation[0])
        for k, community in np.ndindex(n_commands, n_communities):
            true = 1.0 - self.commands.rumour[k]
            for f, weeks in enumerate(self.factions.smear[:, k]):
                belief = p.others + (1 - p.others) * self.factions.community[f, community]
                true *= 1 - strength * (weeks > 0) * belief
            believed[k, community] = (1 - true) / (1 + communicators / p.communicators)
        rumour = np.minimum(spilt(believed, falls_on), 1.0)  # a rumour about one is a rumour about those taken for it
        for place in self.places:
            place.judge(stood_by, harmed, wound, rumour)
        self.feel_everybody()
        self.tell()

    def quarrel(self, wound):
        """Let communities that share a place hold it against each other's armed men in a drought."""
        calls_own = self.factions.community
        for place in self.places:
            of_place = [place.in_place(there) for there in self.census.population.T]
            everybody = max(sum(of_place), 1.0)
            for f in range(wound.shape[0]):
                theirs = sum(n * own for n, own in zip(of_place, calls_own[f])) / everybody
                for k in range(wound.shape[2]):
                    wound[f, place.cell, k] += theirs * (1 - calls_own[f, k]) * (self.params.feel.quarrel * self.years)

    def tell(self):
        """Write down what everybody's life is like, for the rules that read it in columns."""
        for name in ("cell", "persons", "status", "need", "grievance", "trust"):
            column = getattr(self.people, name)
            for person in self.civilians:
                column[person.identity] = getattr(person, name)
        for person in self.civilians:
            self.aided[person.identity] = person.aided
        for place in self.places:
            self.land.violence[place.cell], self.land.felt[place.cell] = place.violence, place.felt


def time_per_civilian_week(n, weeks):
    """Return the seconds that a civilian agent takes for processes 9 and 10 in one week, places not counted.

    Parameters
    ----------
    n : int, civilians; weeks : int
    """
    world = SlowModel(load("mission=sequential", f"civilians={n}", f"weeks={weeks}"))
    spent = 0.0

    def timed(rule):
        def run():
            nonlocal spent
            begin = perf_counter()
            rule()
            spent += perf_counter() - begin

        return run

    world.live_everybody, world.feel_everybody = timed(world.live_everybody), timed(world.feel_everybody)
    world.run()
    return spent / (n * weeks)
