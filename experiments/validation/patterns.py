"""The tests of the scorecard: which regularities are asked for, how each is measured, and what must break it.

`TESTS` can fail or belong beside a row that can; `PANEL` is reported, whatever comes out. Keys, expected signs and
plausible sizes are those of the literature (Hultman, Kathman & Shannon and others; see docs/odd.md, purpose and
patterns). T4 is not in that list. Arms stand in conf/experiment/validation.yaml. No number of the model was chosen by
T1 to T9, but that one was set while the arms of T1 and T2 were looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.drawing import estimates
from experiments.validation import matching
from experiments.validation import measures as m
from experiments.validation.measures import BATTLE, KILLED, LONG, ratio

DOSES = {"none": 0, "un_1": 1, "un_2": 2, "un_4": 4, "un_8": 8, "un_16": 16}  # thousands, in a country of 8 million
FOUR_DOSES = {"none": 0, "un_4": 4, "un_8": 8, "un_16": 16}
DOSES_OF_8 = [dose / 8 for dose in FOUR_DOSES.values()]
DELAYS = {"arrives month 1": 1, "arrives month 3": 3, "arrives month 6": 6, "arrives month 12": 12}
FACTIONS = {"two factions": 2, "three factions": 3, "four factions": 4, "five factions": 5}
SPILL = (0, 0.25, 0.5, 0.75, 1)
CHAINS = (m.after_violence, m.after_quiet, m.persistence)  # T11: of one month on the one before
SAME = 1.2  # A4: ratios that differ by less than 20%
ALIKE = 1.25  # A1: as near as a hundred seeds can tell
EXACT = 1 + 1e-12  # A2

# What is switched off, or wrong.
POWERLESS = "presence deters and separates nobody, and nobody is mediated with, guaranteed, built for or demobilised"
NO_DETERRENCE = "presence deters and separates nobody (prey.protection, fight.separation)"
BLOODY = "wrong on purpose: the partner of parallel kills all it meets (enforce)"
ABLE = "observers are given the troops' abilities"
STEADY = "steady small attacks: no campaigns, no reprisals, no heavy tail"
RARE = "steady small attacks with as many quiet months"
ALERT = "everybody is warned, and a few are enough (prey.unwarned, prey.stepping_in)"
NO_VETO = "every party accepts at once, and rebels fight the government only (negotiate.sign, rivals)"
NO_BACKLASH = "harm makes no enemies, no recruits, no mistrust (judge.harm, recruit.harm, feel.harm)"


@dataclass(frozen=True)
class Test:
    """A row of the scorecard.

    Parameters
    ----------
    key : its name in the literature; claim : what is compared, in words
    of : a measure: function of (store, *arms); arms : names of arms of the design
    expect : "<1", ">1", "=1" of a ratio, "<0", ">0", "in" the band of a number; "" where the literature is divided
    band : plausible sizes: for warnings, unless expect is "in"; can_fail : else it is reported, whatever comes out
    mechanism : what explains it; off : (what is switched off or wrong, arms)
    reduce : rows of the measure to an estimate, none: the median
    margin : ratio that counts as the same; note : function of (store, *arms) to a remark
    """

    key: str
    claim: str
    of: m.Measure
    arms: tuple[str, ...]
    expect: str = ""
    band: tuple[float, ...] = ()
    can_fail: bool = False
    mechanism: str = ""
    off: tuple[str, tuple[str, ...]] | tuple[()] = ()
    reduce: estimates.Reduce | None = None
    margin: float = 1.0
    note: Callable[..., str] | None = None

    @property
    def log(self) -> bool:
        """Whether the measure is the logarithm of a ratio."""
        return self.expect in ("<1", ">1", "=1", "")


def _relapse(store, with_, without):
    shares = [m.relapsed(m.peace(store.months(arm))) for arm in (with_, without)]
    signed = [int(np.isfinite(m.peace(store.months(arm))[:, 0]).sum()) for arm in (with_, without)]
    return (f"ends within ten years (Kaplan-Meier): {shares[0]:.0%} with, {shares[1]:.0%} without (expected 30% to "
            f"60%), of {signed[0]} and {signed[1]} agreements")  # fmt: skip


def _by_arm(window):
    def note(store, *arms):
        dead = [np.median(m.total(store, arm, KILLED, window)) for arm in arms]
        return "median killed " + ", ".join(f"{d:,.0f}" for d in dead)

    return note


def _points(what, among=None):
    """Return a remark: the matched difference in percentage points, with its interval."""

    def note(store, arm):
        e, low, high = estimates.bootstrap(matching.local(what, among)(store, arm), matching.points)
        return f"{e:+.2f} [{low:+.2f}, {high:+.2f}] percentage points a place-month"

    return note


def _each(of, unit):
    """Return a remark: the mean of a measure in every arm, and whether a step from one to the next falls."""

    def note(store, *arms):
        means = [of(store, arm).mean() for arm in arms]
        falls = [f"{a} to {b}" for a, b, x, y in zip(arms, arms[1:], means, means[1:], strict=False) if y < x]
        said = ", ".join(f"{x:.3g}" for x in means)
        return f"{unit} in the mean {said}; falling: {', '.join(falls) or 'none'}"

    return note


def _peak(column, part, store, arm):
    have = np.median(store.months(arm)[column][:, :48].max(axis=1))
    asked = store.first(arm).mission.components[part].personnel.troops
    first = int(np.median((store.months(arm)[column] > 0).argmax(axis=1)))
    return f"peak {have / asked:.0%} of authorised troops (UN 85% to 98%); first are there in month {first + 1}"


# ------------------------------------------------------------------------------ rows that can fail, and their company

T1 = ("un_8", "none")
HARM = ("harmful brigade", "gentle brigade")
REBELS = ("rebels", "militia", "spoilers")
TESTS = (
    Test("T1", "UN at 8,000-equivalent (1 per 1,000) / none: civilians killed", ratio(KILLED), T1, "<1", (0.04, 0.60),
         True, "presence in reach makes attacks costlier (prey); politics calms (negotiate)",
         (POWERLESS, ("un_8 powerless", "none"))),
    Test("T1 presence", "T1 with politics switched off: what presence does alone", ratio(KILLED),
         ("un_8 without politics", "none"), "<1", (), False, "protect, separate (prey, fight)"),
    Test("T1 politics", "T1 with deterrence switched off: what politics does alone", ratio(KILLED),
         ("un_8 without deterrence", "none"), "<1", (), False, "mediate, monitor, build, DDR (negotiate, recruit)"),
    Test("T2", "UN at 0, 1, 2, 4, 8, 16 thousand-equivalents: killed, per extra 1,000", m.slope(DOSES.values()),
         tuple(DOSES), "<1", (0.65, 0.95), True, "presence adds up (prey, task)",
         (POWERLESS, ("none", *(f"{d} powerless" for d in DOSES if d != "none"))),
         note=_by_arm(m.WINDOW)),
    Test("T2 curve", "averted per 1,000 troops from 0 to 4 less from 8 to 16 thousand, as a share of those killed",
         m.deaths_by_dose, tuple(FOUR_DOSES), ">0", (), False, "presence deters by P / (P + phi x)",
         reduce=m.diminishing),
    Test("T3 killed", "5,000 troops / 5,000 observers, same mandate: civilians killed", ratio(KILLED),
         ("troops", "observers"), "<1", (), True, "troops can protect, observers cannot (personnel)",
         (ABLE, ("troops", "observers like troops"))),
    Test("T3 battle", "5,000 troops / 5,000 observers: battle deaths", ratio(BATTLE), ("troops", "observers"), "<1",
         (), True, "troops can stand between fighters (fight)", (ABLE, ("troops", "observers like troops"))),
    Test("T3 observers", "observers / none: civilians killed", ratio(KILLED), ("observers", "none"), "", (0.8, 1.3),
         False, "observers only monitor and report"),
    Test("T3 police", "2% police among the same heads / troops only: civilians killed", ratio(KILLED),
         ("troops and police", "troops"), "<1", (), False, "police work among people (task, prey)"),
    Test("T3 police b.", "2% police / troops only: battle deaths", ratio(BATTLE), ("troops and police", "troops"), "",
         (0.9, 1.1), False, "police do not separate fighters"),
    Test("T5 rebels", "places in patrol reach / matched places of the same run: rebels kill in a month",
         matching.local("rebels"), ("un_8",), "<1", (), True, "local cost of attacking (prey)",
         (NO_DETERRENCE, ("un_8 without deterrence",)), reduce=matching.seen_by_expected, note=_points("rebels")),
    Test("T5 duration", "the same places: fighting goes on for another month", matching.local("goes_on", "fighting"),
         ("un_8",), "<1", (), True, "interposition and deterrence where units are (fight, prey)",
         (NO_DETERRENCE, ("un_8 without deterrence",)), reduce=matching.seen_by_expected,
         note=_points("goes_on", "fighting")),
    Test("T5 truth", "the same places with the mission / without it, same luck: rebels kill",
         matching.truth, ("un_8", "none"), "<1", (), False, "as T5, without the selection that matching leaves",
         (NO_DETERRENCE, ("un_8 without deterrence", "none")), reduce=matching.seen_by_expected),
    Test("T6 UN", "parallel (20:1) / UN only, normal sizes: battle deaths", ratio(BATTLE), ("parallel", "un_only"),
         "<1", (0.5, 0.95), True, "partner coerces, UN mediates (enforce, negotiate)",
         (BLOODY, ("parallel bloody", "un_only"))),
    Test("T6 regional", "parallel / regional only, normal sizes: battle deaths", ratio(BATTLE),
         ("parallel", "regional_only"), "<1", (), True, "the UN mediates, separates, demobilises",
         (BLOODY, ("parallel bloody", "regional_only"))),
    Test("T6 no partner", "parallel / UN only, nobody coerces or enforces in either: battle deaths", ratio(BATTLE),
         ("parallel without partnership", "un_only without partnership"), "", (), False,
         "what of T6 is left without coercion (enforce, negotiate)"),
    Test("T6 no politics", "parallel / regional only, no mediation, guarantee, building, DDR in either: battle deaths",
         ratio(BATTLE), ("parallel without politics", "regional_only without politics"), "", (), False,
         "what of T6 is left without politics (negotiate, recruit)"),
    Test("T6 same UN", "parallel / UN only, the same personnel: battle deaths", ratio(BATTLE),
         ("parallel same size", "un_only same size"), "<1", (0.5, 0.95), False, "as above"),
    Test("T6 same reg.", "parallel / regional only, the same personnel: battle deaths", ratio(BATTLE),
         ("parallel same size", "regional_only same size"), "<1", (), False, "as above"),
    Test("T7 reg. early", "regional only / none: battle deaths, months 1-6", ratio(BATTLE, (1, 6)),
         ("regional_only", "none"), "<1", (), False, "it arrives in weeks and enforces"),
    Test("T7 reg. late", "regional only / none: battle deaths, months 25-60", ratio(BATTLE, (25, 60)),
         ("regional_only for ten years", "none for ten years"), "", (), False, "no mediation, no institutions"),
    Test("T7 reg. after", "regional only / none: battle deaths in the four years after exit", ratio(BATTLE, (73, 120)),
         ("regional_only for ten years", "none for ten years"), "", (), False, "nothing outlives it"),
    Test("T7 UN early", "UN only / none: battle deaths, months 7-12 (it arrives in month 5)", ratio(BATTLE, (7, 12)),
         ("un_only", "none"), "<1", (), False, "slow build-up"),
    Test("T7 UN late", "UN only / none: battle deaths, months 25-60", ratio(BATTLE, (25, 60)),
         ("un_only for ten years", "none for ten years"), "<1", (), False, "separation, agreement, DDR"),
    Test("T7 UN after", "UN only / none: battle deaths in the four years after exit", ratio(BATTLE, (73, 120)),
         ("un_only for ten years", "none for ten years"), "<1", (), False, "agreement and institutions outlive it"),
    Test("T8", "from a cease-fire, UN at 8,000-equivalent / none: hazard that peace ends", m.hazard,
         ("un_8 ceasefire", "none ceasefire"), "<1", (0.15, 0.60), True,
         "guarantee, institutions, mediation, DDR (negotiate, recruit)",
         (POWERLESS, ("un_8 ceasefire powerless", "none ceasefire")), reduce=m.hazard_ratio, note=_relapse),
    Test("T9", "UN arriving in month 1, 3, 6, 12: killed by month 24, per month of delay",
         m.slope(DELAYS.values(), (1, 24)), tuple(DELAYS), ">1", (), True,
         "nobody is protected before anybody is there (deploy)",
         (POWERLESS, tuple(f"{a} powerless" for a in DELAYS)), note=_by_arm((1, 24))),
    Test("T9 UN peak", "UN: months from mandate to peak (input)", m.months_to_peak("personnel_un"),
         ("un_only",), "in", (7, 12), False, "readiness and build-up (deploy)",
         note=lambda s, a: _peak("un_troops", "un", s, a)),
    Test("T9 coalition", "coalition partner: months from mandate to peak (input)",
         m.months_to_peak("personnel_partner"), ("parallel",), "in", (0, 1), False, "readiness and build-up (deploy)",
         note=lambda s, a: _peak("non_un_troops", "partner", s, a)),
    *(
        Test(f"T10 {key}", f"2, 3, 4, 5 factions with as many fighters in all, no mission: {words}, per faction",
             m.trend(of, FACTIONS.values()), tuple(FACTIONS), ">0", (), True, "veto players (negotiate)",
             (NO_VETO, tuple(f"{arm} without veto" for arm in FACTIONS)), note=_each(of, unit))
        for key, words, unit, of in (
            ("years", "years at war", "years", m.years_at_war),
            ("agreement", "months to an agreement", "months", m.months_to_agreement),
        )
    ),
    *(
        Test(f"T11 {key}", f"none: {words}", m.shape(of), ("none for ten years",), expect, band, True, mechanism,
             (RARE, ("none steady and rare for ten years",)) if of in CHAINS else
             (STEADY, ("none steady for ten years",)))
        for key, words, of, expect, band, mechanism in (
            ("quiet", "share of quiet months", m.quiet, "in", (0.5, 0.9), "campaigns and lulls (move)"),
            ("worst 5%", "share of deaths in the worst 5% of months", m.concentration, "in", (0.5, 1),
             "vigour of campaigns, heavy-tailed events (move, prey)"),
            ("after viol.", "P(violent month | violent month before)", m.after_violence, "in", (0.5, 0.85),
             "campaigns last, killing provokes (move, prey)"),
            ("after quiet", "P(violent month | quiet month before)", m.after_quiet, "in", (0.03, 0.25),
             "lulls hold until broken (move)"),
            ("persists", "P(violent | violent before) / P(violent | quiet before)", m.persistence, ">1", (), "both"),
            ("variance", "variance / mean of monthly deaths, over 10 (Poisson: 0.1)", m.dispersion, ">1", (),
             "campaigns, heavy-tailed events"),
            ("bursts", "burstiness of the waits between violent months", m.burstiness, ">0", (0, 1),
             "campaigns, provocation, reprisal (move, prey)"),
        )
    ),
    *(
        Test(f"T12 {key}", f"a brigade whose operations kill bystanders / as able, and none: {words}", of, HARM, expect,
             (), True, "harm backfires (judge, recruit, feel)",
             (NO_BACKLASH, tuple(f"{arm} without backlash" for arm in HARM)))
        for key, words, of, expect in (
            ("hostility", "hostility of rebels to it", m.ratio_of_means(*(f"hostility_{f}_un" for f in REBELS)), ">1"),
            ("attacks", "attacks on it", ratio("attacks_on_missions", LONG), ">1"),
            ("recruits", "fighters of the rebels", m.ratio_of_means(*(f"fighters_{f}" for f in REBELS)), ">1"),
            ("trust", "trust in it", m.ratio_of_means("trust_un"), "<1"),
        )
    ),
    Test("T13", "UN mission as deployed: share of the attacks on civilians in which it steps in (OIOS 2014: 0.20)",
         m.answered, ("un_only",), "in", (0.1, 0.4), True, "who is warned, and may use force, steps in (prey)",
         (ALERT, ("un_only alert",)), reduce=m.pooled),
    *(
        Test(f"A1 {key}", f"label swap, the regional force under the name of the UN / as it is: {words}", ratio(column),
             ("regional under the name un", "regional_only"), "=1", (), True, "no rule reads a name",
             ("not the same mission after all (UN only)", ("un_only", "regional_only")), margin=ALIKE)
        for key, words, column in (("killed", "civilians killed", KILLED), ("need", "unmet need", "unmet_need"))
    ),
    Test("A2", "placebo, a mission without a mandate that nobody attacks / none: worst of six outcomes", m.differences,
         ("placebo", "none unattacked"), "=1", (), True, "missions act through tasks only",
         ("the mandate is given", T1), margin=EXACT),
    Test("A2 attacked", "the same placebo, but bands may attack it: deaths of its people are felt as violence",
         m.differences, ("placebo attacked", "none"), "=1", (), False, "violence is felt whoever dies (live)"),
)  # fmt: skip

CIVILIANS = ("killed", "civilians killed", KILLED, m.log_median)  # a few seeds have most of the dead
PEACEKEEPERS = ("lost", "peacekeepers killed", "peacekeepers_killed", m.log_mean)  # few dead: medians are coarse

PIECES = tuple(
    Test(f"A5 {what} {key}", f"{words}: {said}", m.change(lambda s, a, c=column: m.total(s, a, c), 1), (finer, usual),
         "=1", (), True, "hazards are by person, not by piece", (wrong, (more, usual)), reduce=reduce, margin=SAME)
    for what, words, finer, usual, wrong, more, columns in (
        ("bands", "twice the bands, the same fighters / as they are", "bands in two", "none", "twice the fighters",
         "twice the fighters", (CIVILIANS, ("battle", "battle deaths", BATTLE, m.log_median))),
        ("bases", "bases of half the size, the same soldiers / as they are", "bases in two", "un_8",
         "twice the soldiers", "un_16", (PEACEKEEPERS, CIVILIANS)),
        ("teams", "aid teams of half the size, the same people / as they are", "teams in two", "none",
         "four times the aid workers", "four times the aid",
         (("lost", "aid workers killed", "aid_workers_killed", m.log_mean), ("need", "unmet need", "unmet_need",
                                                                             m.log_median))),
        ("mission", "a mission written as two halves / as one", "un_8 in halves", "un_8", "half of it is left away",
         "un_4", (CIVILIANS, PEACEKEEPERS)),
    )
    for key, said, column, reduce in columns
)  # fmt: skip
AID = tuple(
    Test(f"A6 {key}", f"a mission without aid workers / aid without a mission: {words}", ratio(column),
         ("un_8 without aid", "none"), expect, (), True, why, (off, arms))
    for key, words, column, expect, why, off, arms in (
        ("need", "unmet need", "unmet_need", ">1", "aid is the country's own (relieve)", "nobody brings aid",
         ("un_8 without aid", "none without aid")),
        ("killed", "civilians killed", KILLED, "<1", "presence and politics of the mission", POWERLESS,
         ("un_8 without aid, powerless", "none")),
    )
)  # fmt: skip
CHANGES = tuple(
    Test(f"A4 {what} {key}", f"{words}: {said}", m.change(measure, len(arms)),
         (*(f"{a}, {fine}" for a in arms), *arms), "=1", (), True, why,
         (wrong, (*(f"{a}, {coarse}" for a in arms), *arms)), reduce=reduce, margin=SAME)
    for what, words, fine, wrong, coarse, why in (
        ("step", "half the time step / as it is", "half weeks", "steps of four weeks", "four weeks",
         "rates, not counts a step"),
        ("grid", "cells of half the side / as they are", "fine grid", "cells of 100 km", "coarse grid",
         "distances in km"),
    )
    for key, said, measure, arms, reduce in (
        ("T1", "T1's ratio", ratio(KILLED), T1, None),
        ("T2", "T2's slope, over 8 thousand", m.slope(DOSES_OF_8), tuple(FOUR_DOSES), None),
        ("T3", "T3's ratio", ratio(KILLED), ("troops", "observers"), None),
        ("T3 b.", "T3's ratio of battle deaths", ratio(BATTLE), ("troops", "observers"), None),
        ("T6 UN", "T6's ratio to UN only", ratio(BATTLE), ("parallel", "un_only"), None),
        ("T6 reg.", "T6's ratio to regional only", ratio(BATTLE), ("parallel", "regional_only"), None),
        ("T8", "T8's hazard ratio", m.hazard, ("un_8 ceasefire", "none ceasefire"), m.hazard_ratio),
    )
)  # fmt: skip
LEVELS = tuple(
    Test(f"A4 {what} level", f"{words}: civilians killed without a mission",
         m.change(lambda s, a: np.log(m.total(s, a, KILLED) + estimates.NO_DEATHS), 1), (f"none, {fine}", "none"), "=1",
         (), False, why, margin=SAME)
    for what, words, fine, why in (
        ("step", "half the time step / as it is", "half weeks", "rates, not counts a step"),
        ("grid", "cells of half the side / as they are", "fine grid", "distances in km"),
    )
)  # fmt: skip
TOO_KIND = Test(
    "Failure", "share of seeds in which UN at 8 does worse than none, civilians killed", m.worse(KILLED),
    T1, "in", (0.01, 1), False, "Rwanda: catastrophe must be possible", reduce=m.share,
)  # fmt: skip

# ------------------------------------------------------------------------------ the reported panel

CONFLATED = {  # outcome: (words, measure)
    "access": ("access of aid teams", m.ratio_of_means("access")),
    "attacks": ("aid workers killed", ratio("aid_workers_killed", LONG)),
    "rate": ("aid workers killed per worker present", m.attack_rate),
    "need": ("unmet need", ratio("unmet_need", LONG)),
    "killed": ("civilians killed", ratio(KILLED, LONG)),
}
PANEL = (
    *(
        Test(f"R1 {key} {s:g}", f"separated at conflation {s:g} / integrated, same cost: {words}", of,
             (f"separated conflation {s:g}", "integrated"), ">1" if key == "access" and s < 1 else "", (), False,
             "hostility that spills over (judge); escorts, looting (ambush)")
        for key, (words, of) in CONFLATED.items() for s in SPILL
    ),
    Test("R2", "separated, conflation 1 / 0: aid workers killed (access falls; do attacks?)",
         ratio("aid_workers_killed", LONG), ("separated conflation 1", "separated conflation 0"), "", (), False,
         "fewer teams out (relieve), more hostility (ambush)"),
    Test("R3", "1,500 aid workers / none, UN at 8: killings by rebels", ratio("osv_reb"),
         ("un_8 much aid", "un_8 without aid"), ">1", (), False, "raids on stocks (ambush); no looting of civilians"),
    Test("R4", "none: killings by rebels next month, per unit of log battle deaths now", m.losses_then_killings,
         ("none",), ">0", (), False, "losses as a motive (prey)", ("losses are no motive", ("none without losses",))),
    Test("R4 robust", "parallel / UN only: civilians killed (battle deaths stand in T6)", ratio(KILLED),
         ("parallel", "un_only"), "", (), False, "force, bystanders, losses (enforce, prey)"),
    Test("R5", "none: newly displaced, on scope less on intensity (standardised slopes)", matching.scope_and_intensity,
         ("none",), ">0", (), False, "violence felt saturates and spreads next door (live)",
         reduce=matching.scope_over_intensity),
    Test("R6", "sequential / none: killed in the half year after the hand-over against before",
         m.jump((5, 10), (11, 16)), ("sequential", "none"), "", (), False, "re-hatted troops stay (deploy)",
         ("a gap of half a year", ("sequential with a gap", "none"))),
    Test("R7", "the partner leaves after three years / stays: civilians killed in the year after",
         ratio(KILLED, (37, 48)), ("partner leaves", "partner stays"), ">1", (), False, "nobody coerces any more"),
    Test("R8", "a quarter of the uniformed cut in year 3 / not: civilians killed in the 20 months after",
         ratio(KILLED, (34, 54)), ("quarter cut", "steady strength"), ">1", (), False, "less presence"),
    Test("R9", "regional at 75% of its money (resolution 2719, gap unfilled) / in full: civilians killed",
         ratio(KILLED), ("regional 2719 gap", "regional paid in full"), ">1", (), False, "pay, ability, strength"),
    Test("R10", "UN at 8: thousand US$ per death averted, of all causes, four years", m.cost_and_averted, T1, "in", (),
         False, "", reduce=m.price),
)  # fmt: skip

ALL = (*TESTS, *PIECES, *AID, *CHANGES, *LEVELS, TOO_KIND, *PANEL)
