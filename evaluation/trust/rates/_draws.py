"""Draws from posteriors, the same ones each time: midpoints of equal shares of probability."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import atan, cos, exp, log, pi, sin, sqrt
from statistics import NormalDist
from typing import TypeVar

_T = TypeVar("_T")

DRAWS = 4096
"""How many draws stand for a posterior."""
_STEPS = 512
_REACH = 10.0
"""Standard deviations beyond which a density is not followed."""
_LEAST = 1e-13
"""Share of its peak below which a probability is left out."""
_TAIL = 0.025
_ROOTS = (2, 13, 19)


def beta_quantiles(a: float, b: float, draws: int = DRAWS) -> list[float]:
    """Return the quantiles of a Beta distribution at (i + 1/2) / `draws`, in order.

    Its density is summed over the angle whose squared sine is the value: there it is smooth, and
    flat where both parameters are 1/2.

    Args:
        a: At least 1/2.
        b: At least 1/2.
        draws: How many.
    """
    up, down = 2 * a - 1, 2 * b - 1
    peak = atan(sqrt(up / down)) if down > 0 else (pi / 2 if up > 0 else pi / 4)
    reach = _REACH / sqrt(2 * (up + down) + 1)
    low, high = max(0.0, peak - reach), min(pi / 2, peak + reach)
    width = (high - low) / _STEPS
    # A density at the middle of each step, so that no end is ever at 0 or a right angle.
    logs = [
        up * log(sin(angle)) + down * log(cos(angle))
        for angle in (low + (step + 0.5) * width for step in range(_STEPS))
    ]
    highest = max(logs)
    sums = list(accumulate((exp(one - highest) for one in logs), initial=0.0))
    values, step = list[float](), 0
    for draw in range(draws):
        wanted = (draw + 0.5) / draws * sums[-1]
        while sums[step + 1] < wanted:
            step += 1
        part = (wanted - sums[step]) / (sums[step + 1] - sums[step])
        values.append(sin(low + (step + part) * width) ** 2)
    return values


def beta_binomial_quantiles(n: int, a: float, b: float, draws: int = DRAWS) -> list[int]:
    """Return the quantiles of a beta-binomial distribution at (i + 1/2) / `draws`, in order.

    They are whole: how many of `n` cases are unsafe, where the chance of each is the same draw
    of Beta(a, b).
    """
    middle = min(n, int(n * a / (a + b)))
    chances = {middle: 1.0}
    for step in (1, -1):
        at, chance = middle, 1.0
        while 0 <= at + step <= n and chance > _LEAST:
            below = min(at, at + step)
            ratio = (n - below) * (a + below) / ((below + 1) * (n - below - 1 + b))
            chance *= ratio if step > 0 else 1 / ratio
            at += step
            chances[at] = chance
    numbers = sorted(chances)
    sums = list(accumulate(chances[number] for number in numbers))
    values, place = list[int](), 0
    for draw in range(draws):
        wanted = (draw + 0.5) / draws * sums[-1]
        while sums[place] < wanted:
            place += 1
        values.append(numbers[place])
    return values


@lru_cache
def normal_quantiles(draws: int = DRAWS) -> tuple[float, ...]:
    """Return the quantiles of the standard normal distribution at (i + 1/2) / `draws`."""
    normal = NormalDist()
    return tuple(normal.inv_cdf((draw + 0.5) / draws) for draw in range(draws))


@lru_cache
def shuffle(role: int, draws: int = DRAWS) -> tuple[int, ...]:
    """Return a fixed order of the draws, another one for each of four roles.

    Quantiles of independent distributions, each in the order of its role, are joint draws. They
    fill the space more evenly than draws by chance: each order is that of the fractions of the
    multiples of a square root (a Kronecker sequence). Of many roots, these leave the draws of two
    roles with the least correlation, below 0.01.

    Args:
        role: From 0 to 3.
        draws: How many.
    """
    if not role:
        return tuple(range(draws))
    step = sqrt(_ROOTS[role - 1])
    order = sorted(range(draws), key=lambda draw: draw * step % 1)
    ranks = [0] * draws
    for rank, draw in enumerate(order):
        ranks[draw] = rank
    return tuple(ranks)


def shuffled(quantiles: Sequence[_T], role: int) -> list[_T]:
    """Return quantiles in the order of a role."""
    return [quantiles[place] for place in shuffle(role, len(quantiles))]


def middle_95(draws: Sequence[float]) -> tuple[float, float]:
    """Return the ends between which 95 % of draws lie, with equally many beyond each."""
    ordered = sorted(draws)
    beyond = int(_TAIL * len(ordered))
    return ordered[beyond], ordered[-1 - beyond]
