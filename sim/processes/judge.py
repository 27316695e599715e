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

from sim.params import TASKS
from sim.processes.feel import conflation
from sim.state import SMALL_FACTION

POLITICAL = [TASKS.index(t) for t in ("monitor", "mediate", "build", "police", "ddr", "reform")]


def earned(p, political, rights, loses, abuse, hit, harm, forced, y, escort_cost):
    """Return the hostility that each chain of command earns itself this week: (F, K).

    Parameters
    ----------
    p : params.Judge; political, rights : (K,) 0..1 weight of its judging
    loses, abuse : (F,) 0..1; hit : (F, K) share of fighters hit; harm : (F, K) own people killed
    forced : (K,) share of access forced
    """
    by_judging = (p.political * political * loses[:, None] + p.rights * rights * abuse[:, None]) * y
    return by_judging + p.force * hit + p.harm * harm / (harm + p.harm_half) + escort_cost * forced * y


def incited(rumours, media, trust, population, community):
    """Return how much of each faction's own people hears and believes ill of each chain of command: (F, K) 0..1.

    Parameters
    ----------
    rumours : (K, communities) 0..1; media : (C,) 0..1; trust : (K, C) 0..1; population : (C, communities) persons
    community : (F, communities) 0..1
    """
    hear = rumours * ((1 - trust) * media @ population)
    return community @ hear.T / np.maximum(community @ population.sum(axis=0), 1.0)[:, None]


def judge(model):
    """Update hostility, spill it over, and let a host that has had enough ask missions to leave."""
    f, m, p, now = model.factions, model.missions, model.params.judge, model.now
    if not m.names:
        return
    y = model.years
    f.abuse_record *= model.fading(p.abuse_memory)
    f.abuse_record += now.by_faction
    politics = m.work[:, POLITICAL].sum(axis=1)
    rights = m.work[:, TASKS.index("report")] * p.reporting + m.work[:, TASKS.index("protect")] * p.witnessing
    of_all, rights_of_all = model.by_command(politics), model.by_command(rights)
    share = now.hit / np.maximum(model.strength(), SMALL_FACTION)[:, None]
    against = f.rival[:, f.host].any(axis=1)
    taken_ill = 1 + p.partial * against[:, None] * m.partiality  # blows of who spares one's enemy
    about = {
        "p": p, "loses": p.contestation * (1 - f.commitment), "y": y, "escort_cost": model.params.relieve.escort_cost,
        "abuse": f.abuse_record / (f.abuse_record + p.abuse_deaths),
    }  # fmt: skip
    own = earned(
        **about, political=of_all / (of_all + p.judging_half), rights=rights_of_all / (rights_of_all + p.judging_half),
        hit=(share * taken_ill) @ model.commands.member.T, forced=now.forced,
        harm=now.harm + p.hired * now.by_hired[:, None] * (model.by_command(m.persons.sum(axis=1)) > 0),
    )  # fmt: skip
    rise = own @ conflation(len(model.commands.names), model.spill())
    _by_the_host(model, rise)
    rumours = model.rumours()
    if rumours.any():
        rise = rise + p.incited * y * incited(
            rumours=rumours, media=model.media(), trust=model.census.trust, population=model.census.population,
            community=f.community,
        )  # fmt: skip
    engage = model.work_on("engage")
    fall = (p.decay + p.persuasion * engage / (engage + p.persuaders)) * y
    f.hostility = np.clip(f.hostility + rise * (1 - f.hostility) - fall * f.hostility, 0, 1)
    if f.host.any():  # what each mission earned of it: of the judging as it shares in the work, of force its own
        of_command = model.by_command(now.by_mission)[m.command]
        harm = (now.harm / (now.harm + p.harm_half))[:, m.command] * now.by_mission / np.maximum(of_command, 1.0)
        by_mission = earned(
            **about, political=politics / (of_all[m.command] + p.judging_half),
            rights=rights / (rights_of_all[m.command] + p.judging_half), hit=share,
            harm=np.zeros(share.shape), forced=np.zeros(len(m.names)),
        ) + p.harm * harm  # fmt: skip
        m.offence = m.offence * model.fading(p.offence_memory) + by_mission[f.host].sum(axis=0)
    _withdraw_consent(model)


def _by_the_host(model, rise):
    """Add what only a host is moved by: its people's distrust of those who are there, and reports beyond their area."""
    f, m, p, now = model.factions, model.missions, model.params.judge, model.now
    present = model.by_command(m.persons).sum(axis=1) > 0
    distrust = np.maximum(0, 1 - model.census.trust_of_all / max(model.params.feel.start, 1e-9)) * present
    rise[f.host] += p.people * distrust * model.years
    if m.beyond.any():
        people = model.census.persons
        elsewhere = 1 - m.area @ people / max(people.sum(), 1)
        outside = elsewhere * m.beyond * m.work[:, TASKS.index("report")] * p.reporting
        of_all = model.by_command(outside)
        rise[f.host] += p.overreach * of_all / (of_all + p.judging_half) * model.years
    if now.lent.any():  # who goes about under the host's guard is its friend to those who fight it
        enemies = f.rival[:, f.host].any(axis=1)
        rise[enemies] += model.params.relieve.escort_cost * now.lent * model.years


def ask_to_leave(model, who):
    """Let the host write to some missions, (M,) bool, that it wants them gone."""
    m = model.missions
    m.expelled[who] = model.week
    m.letters[who] += 1


def take_back(model, who):
    """Let the host take its letters to some missions, (M,) bool, back, if there is anybody left to stay."""
    m = model.missions
    who = who & (m.left > 0)
    m.expelled[who] = np.inf
    model.commands.unwelcome[m.command[who]] = 0.0


def alone(offence, persons, command, ratio):
    """Say which missions offend alone: more than half of their command's offence, far more by person than the rest.

    Parameters
    ----------
    offence : (M,) hostility earned; persons : (M,) present; command : (M,) int; ratio : how many times the others'
    """
    same = command[:, None] == command[None, :]
    of_all, all_ = same @ offence, same @ persons
    rest, others = of_all - offence, all_ - persons
    harsher = offence * others > ratio * rest * np.maximum(persons, 1e-9)
    return (others > 0) & (persons > 0) & (offence > 0.5 * of_all) & harsher


def _withdraw_consent(model):
    m, c, p = model.missions, model.commands, model.params.judge
    persons = m.persons.sum(axis=1)
    wanted_out = (model.hostility_of_host() > p.expulsion) & (c.member @ (persons * m.needs_consent) > 0)
    c.unwelcome = np.where(wanted_out, c.unwelcome + model.params.step_weeks, 0.0)
    for k in np.flatnonzero(c.unwelcome > p.patience):
        mine = (m.command == k) & m.needs_consent & ~np.isfinite(m.expelled)
        guilty = mine & alone(m.offence * m.needs_consent, persons * m.needs_consent, m.command, p.alone)
        if guilty.any():
            c.unwelcome[k] = 0.0  # the others are given another chance
        ask_to_leave(model, guilty if guilty.any() else mine)
    better = model.hostility_of_host() < p.reconsider * p.expulsion
    take_back(model, np.isfinite(m.expelled) & better[m.command])
