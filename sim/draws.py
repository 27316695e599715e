"""Luck: every draw is a hash of (seed, what it decides, step, who it is about).

A counter-based generator (SplitMix64's finaliser, Steele, Lea & Flood 2014, twice over the key) has no
state, so a draw does not depend on who else draws, on order, on threads, or on the mission model: the same
person has the same luck with and without peacekeepers, and runs can be compared in pairs.
"""

import math
from zlib import crc32

import numba
import numpy as np
from numpy.typing import NDArray

from sim.kernel import kernel

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF
MOST_EVENTS = 20  # of one kind that one band begins in a week


def mix(z: int) -> int:
    """Scramble a 64-bit integer (SplitMix64's finaliser)."""
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


def key(*parts: int | str) -> int:
    """Return the 64-bit key of a sequence of whole numbers and words."""
    z = 0
    for part in parts:
        number = crc32(part.encode()) if isinstance(part, str) else int(part) & _MASK
        z = mix((z + _GOLDEN + number) & _MASK)
    return z


def plain_fill(stream: int | np.uint64, step: int, who: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Draw a number in [0, 1) for each of `who`: the plain twin of the compiled `fill`."""
    with np.errstate(over="ignore"):
        z = np.uint64(mix((int(stream) + _GOLDEN + step) & _MASK)) + (who + np.uint64(1)) * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        z ^= z >> np.uint64(31)
    return np.asarray((z >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


@kernel
def _scramble(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    return z ^ (z >> np.uint64(31))


@kernel
def compiled_fill(stream, step, who):
    """Draw a number in [0, 1) for each of `who`: a hash of the stream, the step and the identity."""
    start = _scramble(stream + np.uint64(_GOLDEN) + np.uint64(step))
    out = np.empty(who.size)
    for i in range(who.size):
        z = _scramble(start + (who[i] + np.uint64(1)) * np.uint64(_GOLDEN))
        out[i] = (z >> np.uint64(11)) * 2.0**-53
    return out


# Without a compiler the plain twin serves: the same numbers, slower.
fill = plain_fill if numba.config.DISABLE_JIT else compiled_fill


def decision(name: str) -> np.uint64:
    """Return the number of what is decided ("prey.attack"), as `luck` and `luck_of_year` want it."""
    return np.uint64(crc32(name.encode()))


def decisions(name: str, times: int = MOST_EVENTS) -> NDArray[np.uint64]:
    """Return the numbers of a decision that may come several times in a week, each with its number: name0, name1."""
    return np.array([decision(f"{name}{nth}") for nth in range(times)])


def plain_luck(dice: NDArray[np.uint64], decision: int | np.uint64) -> int:
    """Return the luck of a decision this week, for `draw`: the plain twin of the compiled `luck`."""
    seed, step = (int(x) for x in dice)
    stream = mix((mix((_GOLDEN + seed) & _MASK) + _GOLDEN + int(decision)) & _MASK)
    return mix((stream + _GOLDEN + step) & _MASK)


def plain_draw(luck: int | np.uint64, who: int | np.integer) -> float:
    """Draw somebody's number in [0, 1): the plain twin of the compiled `draw`."""
    return (mix((int(luck) + (int(who) + 1) * _GOLDEN) & _MASK) >> 11) * 2.0**-53


@kernel
def compiled_luck(dice, decision):
    """Return the luck of a decision this week, for `draw`.

    Parameters
    ----------
    dice : (2,) uint64, seed and step; decision : uint64, of `decision(name)`
    """
    stream = _scramble(_scramble(np.uint64(_GOLDEN) + dice[0]) + np.uint64(_GOLDEN) + decision)
    return _scramble(stream + np.uint64(_GOLDEN) + dice[1])


@kernel
def compiled_draw(luck, who):
    """Draw somebody's number in [0, 1), by the luck of a decision and his identity, a whole number."""
    z = _scramble(np.uint64(luck) + (np.uint64(who) + np.uint64(1)) * np.uint64(_GOLDEN))
    return (z >> np.uint64(11)) * 2.0**-53


luck, draw = (plain_luck, plain_draw) if numba.config.DISABLE_JIT else (compiled_luck, compiled_draw)


class Draws:
    """The luck of one run.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = np.array([seed, 0], dtype=np.uint64)  # what compiled rules draw from
        self._everybody = np.arange(1_024, dtype=np.uint64)
        self._of_decision = {}

    @property
    def step(self) -> int:
        """The step of the run: everybody's luck is another in each."""
        return int(self.dice[1])

    @step.setter
    def step(self, step: int) -> None:
        self.dice[1] = step

    def uniform(self, decision: str, who: int | NDArray[np.uint64]) -> NDArray[np.float64]:
        """Draw a number in [0, 1) for each agent.

        Parameters
        ----------
        decision : str, what is decided ("prey.attack")
        who : int, the first so many agents; or (n,) uint64, their identities
        """
        if not isinstance(who, np.ndarray):
            if who > self._everybody.size:
                self._everybody = np.arange(who, dtype=np.uint64)
            who = self._everybody[:who]
        if decision not in self._of_decision:
            self._of_decision[decision] = np.uint64(key(self.seed, decision))
        return fill(self._of_decision[decision], self.step, who)


@kernel
def decay(h):
    """Return exp(-h) for a number 0 <= h <= 64, by exactly rounded operations: the same on every machine.

    exp(-h) = exp(-h/16)**16 and exp(-x) by its (3, 3) Pade form: relative error under 1e-6 for h < 16.
    """
    x = min(h, 64.0) / 16.0
    even = 120.0 + 12.0 * x * x
    odd = x * (60.0 + x * x)
    e = (even - odd) / (even + odd)
    e = e * e
    e = e * e
    e = e * e
    return e * e


@kernel
def chance(h):
    """Return 1 - exp(-h), the probability that an event of that cumulative hazard comes."""
    return 1.0 - decay(h)


@kernel
def count(luck, h):
    """Say how many events come, of that cumulative hazard: int, Poisson, at most 20; luck in 0..1."""
    n = 0
    term = decay(h)
    total = term
    while luck >= total and n < MOST_EVENTS:
        n += 1
        term *= h / n
        total += term
    return n


@kernel
def counts(luck, rate, years):
    """Say how many events of that hazard (1/year) come within `years`: (n,) int, Poisson, at most 20.

    Parameters
    ----------
    luck : (n,) 0..1; rate : (n,) 1/year; years : float
    """
    out = np.zeros(luck.size, dtype=np.int64)
    for i in range(luck.size):
        out[i] = count(luck[i], rate[i] * years)
    return out


@kernel
def most(counts):
    """Return the largest of some counts; 0 if there are none."""
    out = 0
    for n in counts:
        out = max(out, n)
    return out


@kernel
def happens(luck, rate, years):
    """Say for whom an event of that hazard (1/year) comes within `years`: (n,) bool.

    Parameters
    ----------
    luck : (n,) 0..1; rate : (n,) 1/year; years : float
    """
    out = np.zeros(luck.size, dtype=np.bool_)
    for i in range(luck.size):
        out[i] = luck[i] < chance(rate[i] * years)
    return out


@kernel
def pick(weights, luck):
    """Choose an index with probability in proportion to its weight; -1 if all are zero.

    Parameters
    ----------
    weights : (k,) float >= 0; luck : 0..1
    """
    total = 0.0
    for w in weights:
        total += w
    if total <= 0.0:
        return -1
    target, so_far, last = luck * total, 0.0, -1
    for i in range(weights.size):
        so_far += weights[i]
        if weights[i] > 0.0:
            last = i
            if so_far > target:
                return i
    return last


@kernel
def heavy_tailed(luck, smallest, exponent, largest=math.inf):
    """Return one power-law size with that density exponent between two bounds, from one draw.

    Source: inverse transform of a Pareto law, truncated at `largest`; Bohorquez et al. 2009 for its use.
    """
    if smallest >= largest:
        return largest
    power = exponent - 1.0
    beyond = math.pow(smallest / largest, power)  # what an unbounded law has above the bound
    return smallest * math.pow(1.0 - luck * (1.0 - beyond), -1.0 / power)


@kernel
def normal(luck):
    """Return the standard normal deviate of that luck, 0 < luck < 1: Wichura (1988), algorithm AS 241."""
    q = luck - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(0.180625 - q * q, *_CENTRE)
    r = math.sqrt(-math.log(min(luck, 1.0 - luck)))
    x = _ratio(r - 1.6, *_FLANK) if r <= 5.0 else _ratio(r - 5.0, *_TAIL)
    return x if q > 0.0 else -x


@kernel
def _ratio(r, above, below):
    over, under = 0.0, 0.0
    for i in range(len(above)):
        over = over * r + above[i]
        under = under * r + below[i]
    return over / under


# Coefficients of the two polynomials, highest power first.
_CENTRE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_FLANK = (
    (7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip


@kernel
def compiled_of_three(seed, decision, number):
    """Return a number in [0, 1) made of the seed, what it decides, and a whole number such as a year."""
    z = _scramble(_scramble(np.uint64(_GOLDEN) + seed) + np.uint64(_GOLDEN) + decision)
    return (_scramble(z + np.uint64(_GOLDEN) + np.uint64(number)) >> np.uint64(11)) * 2.0**-53


def plain_of_three(seed: int | np.uint64, decision: int | np.uint64, number: int | np.integer) -> float:
    """Return a number in [0, 1) made of three: the plain twin of the compiled `of_three`."""
    z = mix((mix((_GOLDEN + int(seed)) & _MASK) + _GOLDEN + int(decision)) & _MASK)
    return (mix((z + _GOLDEN + int(number)) & _MASK) >> 11) * 2.0**-53


of_three = plain_of_three if numba.config.DISABLE_JIT else compiled_of_three
