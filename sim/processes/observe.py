"""Observe: what happened is written down, by the declarations in sim/outcomes.py. It changes nothing.

People are counted once a week, when it begins (`w.census`); all else is as the week has left it (`w.now`, the tables).
"""

from typing import TYPE_CHECKING

import numpy as np

from sim.kernel import kernel
from sim.misinformation import rumours
from sim.params import AID, KINDS, OBSERVERS, POLICE, TROOPS
from sim.rules import hostility_of_host, in_uniform, strength
from sim.siting import informed, known
from sim.state import AMBUSH, ATTACK, BATTLE, SMALL_FACTION

if TYPE_CHECKING:
    from sim.model import Model

LITTLE = 0.25  # violence felt where people count as free of it
LAYERS = ("persons", "idps", "need", "violence", "institutions")  # of a monthly map, before two for each mission


def observe(model: "Model") -> None:
    """Enter the week in the record."""
    model.record.write(model)


@kernel
def measure(w, places, row):
    """Measure what the project's outcomes are this week.

    Parameters
    ----------
    w : the world; places : Places, of the outcomes in the row; row : (columns,) written
    """
    at = places.at
    now, land, census, u, m = w.now, w.land, w.census, w.units, w.missions
    _deaths(w, at, row)
    row[at.excess_deaths] = now.excess[0]
    row[at.unmet_need] = now.unmet[0]
    row[at.idps] = census.idps.sum()
    row[at.refugees] = census.refugees[0]
    row[at.population] = w.people.persons.sum()
    row[at.protests] = now.protests.sum()
    row[at.pauses] = now.pauses.sum()
    row[at.sheltered] = land.sheltered.sum()
    row[at.killed_in_sites] = now.killed_in_sites[0]
    tried = now.tried.sum()
    row[at.access] = now.reached.sum() / tried if tried > 0.0 else np.nan
    intended = now.intended[0]
    row[at.deterred] = now.deterred[0] / intended if intended > 0.0 else np.nan
    row[at.attacks] = now.attacks[0]
    row[at.answered] = now.answered[0] / now.attacks[0] if now.attacks[0] > 0.0 else np.nan
    everybody, vaccinated, calm, persons, immune, felt = 0.0, 0.0, 0.0, census.persons, land.vaccinated, land.felt
    for c in range(persons.size):
        everybody += persons[c]
        vaccinated += immune[c] * persons[c]
        calm += persons[c] if felt[c] < LITTLE else 0.0
    row[at.vaccinated] = vaccinated / everybody if everybody > 0.0 else np.nan
    row[at.freedom_civilians] = calm / everybody if everybody > 0.0 else np.nan
    row[at.violence_felt] = census.felt[0]
    row[at.institutions] = census.institutions[0]
    row[at.agreement] = w.politics.agreement[0]
    row[at.laid_down] = now.laid_down.sum()
    row[at.settled] = now.resettled.sum()
    row[at.rearmed] = now.rearmed.sum()
    row[at.smears] = (w.factions.smear > 0.0).sum()
    pinned = 0.0
    for i in range(u.cell.size):
        pinned += u.strength[i].sum() if u.pinned[i] > 0.0 else 0.0
    row[at.pinned] = pinned * w.step_weeks
    present = np.zeros(len(KINDS))
    row[at.un_troops], row[at.non_un_troops], row[at.un_police], row[at.un_observers] = 0.0, 0.0, 0.0, 0.0
    for i in range(m.command.size):
        present += m.persons[i]
        row[at.un_troops if m.un[i] else at.non_un_troops] += m.persons[i, TROOPS]
        if m.un[i]:
            row[at.un_police] += m.persons[i, POLICE]
            row[at.un_observers] += m.persons[i, OBSERVERS]
    row[at.troops], row[at.police], row[at.observers] = present[TROOPS], present[POLICE], present[OBSERVERS]
    row[at.humanitarian_staff] = present[AID]
    _by_faction(w, at, row)
    _by_mission(w, at, row)


@kernel
def _deaths(w, at, row):
    """Measure who was killed, and how often."""
    now, by_hosts, by_others, of_hosts, of_others = w.now, 0.0, 0.0, 0.0, 0.0
    for f in range(now.by_faction.size):
        row[at.killed_by_faction + f] = now.by_faction[f]
        if w.factions.host[f]:
            by_hosts += now.by_faction[f]
            of_hosts += now.lost_to_rivals[f]
        else:
            by_others += now.by_faction[f]
            of_others += now.lost_to_rivals[f]
    row[at.battle_deaths_gov], row[at.battle_deaths_reb] = of_hosts, of_others
    row[at.osv_gov], row[at.osv_reb], row[at.osv_all] = by_hosts, by_others, by_hosts + by_others
    crossfire, in_battle = now.crossfire.sum(), now.lost_to_rivals.sum()
    row[at.civilians_killed] = by_hosts + by_others + crossfire + now.by_mission.sum()
    row[at.crossfire], row[at.battle_deaths], row[at.brd] = crossfire, in_battle, in_battle + crossfire
    row[at.operation_deaths] = now.fighters_lost.sum() - in_battle
    row[at.peacekeepers_killed] = now.peacekeepers_killed.sum()
    row[at.aid_workers_killed] = now.aid_workers_killed.sum()
    deadly, on_missions = 0, 0
    for i in range(now.logged[0]):
        kind, _, _, _, deaths_a, deaths_b, civilians = now.event_log[i]
        deadly += kind in (BATTLE, ATTACK) and deaths_a + deaths_b + civilians >= 1
        on_missions += kind >= AMBUSH
    row[at.events], row[at.attacks_on_missions] = deadly, on_missions


@kernel
def _by_faction(w, at, row):
    """Measure what there is of each faction."""
    f, bands, fighters = w.factions, w.bands, strength(w)
    free, command = np.zeros(fighters.size), w.missions.command
    for b in range(bands.faction.size):
        free[bands.faction[b]] += bands.fighters[b] * (1.0 - bands.held_up[b])
    for i in range(fighters.size):
        row[at.freedom_faction + i] = free[i] / fighters[i] if fighters[i] > 0.0 else np.nan
        row[at.commitment_faction + i] = f.commitment[i]
        row[at.fighters_faction + i] = fighters[i]
        for j in range(command.size):
            row[at.hostility_faction_mission + i * command.size + j] = f.hostility[i, command[j]]


@kernel
def hostility_of_others(w):
    """Return the mean hostility of all factions but the host to each chain of command, by their fighters: (Q,) 0..1."""
    f, fighters = w.factions, strength(w)
    out, everybody = np.zeros(f.hostility.shape[1]), 0.0
    for i in range(fighters.size):
        if not f.host[i]:
            everybody += fighters[i]
            out += fighters[i] * f.hostility[i]
    return out / max(everybody, SMALL_FACTION)


@kernel
def _by_mission(w, at, row):
    """Measure what there is of each mission."""
    now, m, u, ill, hostility = w.now, w.missions, w.units, rumours(w), hostility_of_host(w)
    others = hostility_of_others(w)
    free, have = np.zeros(m.command.size), np.zeros(m.command.size)
    aware, at_bases, seen = np.zeros(m.command.size), np.zeros(m.command.size), known(w)
    for i in range(u.cell.size):
        persons, j = u.strength[i].sum(), u.mission[i]
        have[j] += persons
        free[j] += persons * u.freedom[i]
        if u.cell[i] >= 0 and not u.team[i]:
            at_bases[j] += persons
            aware[j] += persons * informed(w, j, w.units.cell[i], seen[j])
    for j in range(m.command.size):
        q = m.command[j]
        row[at.killed_by_mission + j] = now.by_mission[j]
        row[at.freedom_mission + j] = free[j] / have[j] if have[j] > 0.0 else np.nan
        row[at.rumour_mission + j] = ill[q].mean()
        row[at.trust_mission + j] = w.census.trust_of_all[q]
        row[at.informed_mission + j] = aware[j] / at_bases[j] if at_bases[j] > 0.0 else np.nan
        row[at.consent_gov_mission + j] = 1.0 - hostility[q]
        row[at.consent_reb_mission + j] = 1.0 - others[q]
        row[at.personnel_mission + j] = m.persons[j].sum()
        row[at.cost_mission + j] = now.cost[j]
        row[at.missing_mission + j] = now.missing[j]
        row[at.pay_owed_mission + j] = max(-m.in_hand[j], 0.0)


@kernel
def draw_map(w, layers):
    """Draw the map of the month: LAYERS, then the uniformed and the others of each mission: (layers, C), written."""
    u = w.units
    layers[0], layers[1], layers[2] = w.census.persons, w.census.idps, w.census.need
    layers[3], layers[4] = w.land.felt, w.land.institutions
    for i in range(u.cell.size):
        if u.cell[i] >= 0:
            uniformed = in_uniform(u.strength, i)
            layers[len(LAYERS) + 2 * u.mission[i], u.cell[i]] += uniformed
            layers[len(LAYERS) + 2 * u.mission[i] + 1, u.cell[i]] += u.strength[i].sum() - uniformed
