"""Luck: every draw is a hash of (seed, what it decides, step, who it is about).

A counter-based generator (SplitMix64's finaliser, Steele, Lea & Flood 2014, twice over the key) has no
state, so a draw does not depend on who else draws, on order, on threads, or on the mission model: the same
person has the same luck with and without peacekeepers, and runs can be compared in pairs.
"""

import math
from zlib import crc32

import numba
import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF


def mix(z):
    """Scramble a 64-bit integer (SplitMix64's finaliser)."""
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


def key(*parts):
    """Return the 64-bit key of a sequence of whole numbers and words."""
    z = 0
    for part in parts:
        number = crc32(part.encode()) if isinstance(part, str) else int(part) & _MASK
        z = mix((z + _GOLDEN + number) & _MASK)
    return z


def plain_fill(stream, step, who):
    """Draw a number in [0, 1) for each of `who`: the plain twin of the compiled `fill`."""
    with np.errstate(over="ignore"):
        z = np.uint64(mix((int(stream) + _GOLDEN + step) & _MASK)) + (who + np.uint64(1)) * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)) * 2.0**-53


@numba.njit(cache=True)
def _scramble(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True)
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


class Draws:
    """The luck of one run.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self.seed = seed
        self.step = 0
        self._everybody = np.arange(1_024, dtype=np.uint64)
        self._of_decision = {}

    def uniform(self, decision, who):
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def chance(h):
    """Return 1 - exp(-h), the probability that an event of that cumulative hazard comes."""
    return 1.0 - decay(h)


@numba.njit(cache=True)
def counts(luck, rate, years):
    """Say how many events of that hazard (1/year) come within `years`: (n,) int, Poisson, at most 20.

    Parameters
    ----------
    luck : (n,) 0..1; rate : (n,) 1/year; years : float
    """
    out = np.zeros(luck.size, dtype=np.int64)
    for i in range(luck.size):
        h = rate[i] * years
        term = decay(h)
        total = term
        while luck[i] >= total and out[i] < 20:
            out[i] += 1
            term *= h / out[i]
            total += term
    return out


@numba.njit(cache=True)
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


@numba.njit(cache=True)
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


def heavy_tailed(luck, smallest, exponent, largest=math.inf):
    """Return one power-law size with that density exponent between two bounds, from one draw.

    Source: inverse transform of a Pareto law, truncated at `largest`; Bohorquez et al. 2009 for its use.
    """
    if smallest >= largest:
        return largest
    power = exponent - 1.0
    beyond = math.pow(smallest / largest, power)  # what an unbounded law has above the bound
    return smallest * math.pow(1.0 - luck * (1.0 - beyond), -1.0 / power)
