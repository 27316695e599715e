"""Judge: factions' hostility to the chains of command, and the consent of the host.

Impartiality has two meanings (Matsumura 2024): (a) judging compliance with the *political* agreement angers
whoever loses by it, as far as the process is contested; (b) judging compliance with *human rights* angers whoever
abuses, in proportion to the abuse. Force angers whom it hits, harm to bystanders the faction that calls them its own,
and armed escorts whose gates they break. The host's rivals take it the worse from a force that spares the host; and
what hired men do is held against the others who came from abroad. Misinformation incites those whose own people hear it
and do not trust the command.
Factions know flags: what the missions of a chain of command do is added up before it saturates. What one command
earns falls on the others by the conflation. Hostility decays, faster where a command talks with armed actors.

A host follows its people: where they do not trust a mission, it becomes hostile. A host that has had enough asks the
whole command to leave; if one mission alone has offended it, far more by person than the others, that one. It takes
its letter back if its hostility falls far enough while some of them are still there.
"""

import numpy as np

from sim.compiled import rule
from sim.kernel import kernel
from sim.misinformation import media, rumours, spill
from sim.params import TASKS
from sim.rules import against_host, fading, hostility_of_host, present, strength, sum_rows, work_on
from sim.state import SMALL_FACTION

POLITICAL = tuple(TASKS.index(t) for t in ("monitor", "mediate", "build", "police", "ddr", "reform"))
REPORT, PROTECT, ENGAGE = (TASKS.index(t) for t in ("report", "protect", "engage"))


@kernel
def by_judging(p, political, rights, loses, abuse):
    """Return the hostility of a faction that judging earns: 1/year.

    Parameters
    ----------
    p : numbers.judge; political, rights : 0..1 weight of the judging; loses, abuse : 0..1 of the faction
    """
    return p.political * political * loses + p.rights * rights * abuse


@kernel
def by_force(p, hit, harm):
    """Return the hostility of a faction that force earns; hit : share of its fighters; harm : own people killed."""
    return p.force * hit + p.harm * harm / (harm + p.harm_half)


@rule
def judge(w):
    """Update hostility, spill it over, and let a host that has had enough ask missions to leave."""
    f, m, p, now, y = w.factions, w.missions, w.numbers.judge, w.now, w.years
    n_missions, (n_factions, n_commands) = m.command.size, f.hostility.shape
    if n_missions == 0:
        return
    f.abuse_record *= fading(w, p.abuse_memory)
    f.abuse_record += now.by_faction
    politics, rights = np.zeros(n_missions), np.zeros(n_missions)
    for i in range(n_missions):
        for task in POLITICAL:
            politics[i] += m.work[i, task]
        rights[i] = m.work[i, REPORT] * p.reporting + m.work[i, PROTECT] * p.witnessing
    of_all, rights_of_all = sum_rows(m.command, politics, n_commands), sum_rows(m.command, rights, n_commands)
    there, fighters, rumour = present(w) > 0.0, strength(w), rumours(w)
    loses, abuse = p.contestation * (1.0 - f.commitment), f.abuse_record / (f.abuse_record + p.abuse_deaths)
    own = np.zeros((n_factions, n_commands))
    for i in range(n_factions):
        size, against = max(fighters[i], SMALL_FACTION), against_host(w, i)
        for q in range(n_commands):
            harm, hit = now.harm[i, q] + (p.hired * now.by_hired[i] if there[q] else 0.0), 0.0
            for j in range(n_missions):
                if m.command[j] == q:  # blows of who spares one's enemy are taken ill
                    hit += now.hit[i, j] / size * (1.0 + (p.partial * m.partiality[j] if against else 0.0))
            half = p.judging_half
            judging = by_judging(
                p, political=of_all[q] / (of_all[q] + half), rights=rights_of_all[q] / (rights_of_all[q] + half),
                loses=loses[i], abuse=abuse[i],
            )  # fmt: skip
            own[i, q] = judging * y + by_force(p, hit, harm) + w.numbers.relieve.escort_cost * now.forced[q] * y
    rise = _spilt(own, spill(w, rumour))
    _by_the_host(w, rise, there)
    if rumour.max() > 0.0:
        rise += p.incited * y * incited(w, rumour)
    engage = work_on(w, ENGAGE)
    for q in range(n_commands):
        fall = (p.decay + p.persuasion * engage[q] / (engage[q] + p.persuaders)) * y
        for i in range(n_factions):
            now_ = f.hostility[i, q]
            f.hostility[i, q] = min(max(now_ + rise[i, q] * (1.0 - now_) - fall * now_, 0.0), 1.0)
    _offend(
        w, politics=politics, rights=rights, of_all=of_all, rights_of_all=rights_of_all, loses=loses, abuse=abuse,
        fighters=fighters,
    )  # fmt: skip
    _withdraw_consent(w)


@kernel
def _spilt(own, spill):
    """Return what falls on each command of what all have earned: (F, Q), all of its own and `spill` of the others'."""
    out = np.zeros(own.shape)
    for f in range(own.shape[0]):
        for q in range(own.shape[1]):
            for other in range(own.shape[1]):
                out[f, q] += own[f, other] * (1.0 if q == other else spill)
    return out


@kernel
def incited(w, rumours):
    """Return how much of each faction's own people hears and believes ill of each chain of command: (F, Q) 0..1.

    Parameters
    ----------
    rumours : (Q, communities) 0..1
    """
    population, trust, community = w.census.population, w.census.trust, w.factions.community
    n_commands, n = rumours.shape
    hear, heard = np.zeros((n_commands, n)), media(w)
    for c in range(population.shape[0]):
        for q in range(n_commands):
            for k in range(n):
                hear[q, k] += rumours[q, k] * (1.0 - trust[q, c]) * heard[c] * population[c, k]
    out = np.zeros((community.shape[0], n_commands))
    for f in range(community.shape[0]):
        own = 0.0
        for k in range(n):
            own += community[f, k] * w.census.of_community[k]
        for q in range(n_commands):
            for k in range(n):
                out[f, q] += community[f, k] * hear[q, k] / max(own, 1.0)
    return out


@kernel
def _offend(w, politics, rights, of_all, rights_of_all, loses, abuse, fighters):
    """Count what each mission earned of the host's hostility: of judging as it shares in the work, its own force."""
    f, m, p, now = w.factions, w.missions, w.numbers.judge, w.now
    left, by_command = fading(w, p.offence_memory), sum_rows(m.command, now.by_mission, f.hostility.shape[1])
    for i in range(m.command.size):
        q, earned = m.command[i], 0.0
        for g in range(f.host.size):
            if f.host[g]:
                judging = by_judging(
                    p, political=politics[i] / (of_all[q] + p.judging_half),
                    rights=rights[i] / (rights_of_all[q] + p.judging_half), loses=loses[g], abuse=abuse[g],
                )  # fmt: skip
                harm = now.harm[g, q] / (now.harm[g, q] + p.harm_half) * now.by_mission[i] / max(by_command[q], 1.0)
                hit = now.hit[g, i] / max(fighters[g], SMALL_FACTION)
                earned += judging * w.years + by_force(p, hit, 0.0) + p.harm * harm
        m.offence[i] = m.offence[i] * left + earned


@kernel
def _by_the_host(w, rise, there):
    """Add what only a host is moved by: its people's distrust of those who are there, and reports beyond their area."""
    f, m, p, now, y = w.factions, w.missions, w.numbers.judge, w.now, w.years
    n_commands, people = rise.shape[1], w.census.persons
    outside, everybody = np.zeros(n_commands), 0.0
    for c in range(people.size):
        everybody += people[c]
    for i in range(m.command.size):
        if m.beyond[i] > 0.0:
            inside = 0.0
            for c in range(people.size):
                inside += m.area[i, c] * people[c]
            elsewhere = 1.0 - inside / max(everybody, 1.0)
            outside[m.command[i]] += elsewhere * m.beyond[i] * m.work[i, REPORT] * p.reporting
    for q in range(n_commands):
        distrust = max(0.0, 1.0 - w.census.trust_of_all[q] / max(w.numbers.feel.start, 1e-9)) if there[q] else 0.0
        moved = p.people * distrust * y + p.overreach * outside[q] / (outside[q] + p.judging_half) * y
        for g in range(f.host.size):
            if f.host[g]:
                rise[g, q] += moved
            if now.lent[q] > 0.0 and against_host(w, g):  # who goes about under its guard is its friend to its enemies
                rise[g, q] += w.numbers.relieve.escort_cost * now.lent[q] * y


@kernel
def ask_to_leave(w, who):
    """Let the host write to some missions, (M,) bool, that it wants them gone."""
    m = w.missions
    for i in range(who.size):
        if who[i]:
            m.expelled[i] = w.week[0]
            m.letters[i] += 1


@kernel
def take_back(w, who):
    """Let the host take its letters to some missions, (M,) bool, back, if there is anybody left to stay."""
    m = w.missions
    for i in range(who.size):
        if who[i] and m.left[i] > 0.0:
            m.expelled[i] = np.inf
            w.commands.unwelcome[m.command[i]] = 0.0


@kernel
def alone(offence, persons, command, ratio):
    """Say which missions offend alone: more than half of their command's offence, far more by person than the rest.

    Parameters
    ----------
    offence : (M,) hostility earned; persons : (M,) present; command : (M,) int; ratio : how many times the others'
    """
    out = np.zeros(command.size, dtype=np.bool_)
    for i in range(command.size):
        of_all, everybody = 0.0, 0.0
        for j in range(command.size):
            if command[j] == command[i]:
                of_all += offence[j]
                everybody += persons[j]
        rest, others = of_all - offence[i], everybody - persons[i]
        harsher = offence[i] * others > ratio * rest * max(persons[i], 1e-9)
        out[i] = others > 0.0 and persons[i] > 0.0 and offence[i] > 0.5 * of_all and harsher
    return out


@kernel
def _withdraw_consent(w):
    """Let a host that has borne enough write its letters, or take them back."""
    m, c, p = w.missions, w.commands, w.numbers.judge
    n, guests = m.command.size, np.zeros(m.command.size)
    for i in range(n):
        guests[i] = m.persons[i].sum() if m.needs_consent[i] else 0.0
    hostility, of_command = hostility_of_host(w), sum_rows(m.command, guests, c.unwelcome.size)
    for q in range(c.unwelcome.size):
        unwanted = hostility[q] > p.expulsion and of_command[q] > 0.0
        c.unwelcome[q] = c.unwelcome[q] + w.step_weeks if unwanted else 0.0
        if c.unwelcome[q] > p.patience:
            offends = alone(m.offence * m.needs_consent, guests, m.command, p.alone)
            mine = (m.command == q) & m.needs_consent & ~np.isfinite(m.expelled)
            guilty = mine & offends
            if guilty.any():
                c.unwelcome[q] = 0.0  # the others are given another chance
                ask_to_leave(w, guilty)
            else:
                ask_to_leave(w, mine)
    asked = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        asked[i] = np.isfinite(m.expelled[i]) and hostility[m.command[i]] < p.reconsider * p.expulsion
    take_back(w, asked)
