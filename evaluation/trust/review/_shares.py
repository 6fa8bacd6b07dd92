"""Shares out cases to be drawn among the verdicts of each target."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from ...metrics import NO_VERDICT

K = TypeVar("K", bound=tuple[str, ...])

_LEAST = 5
"""Cases drawn of each verdict, as far as there are as many: fewer would correct no rate."""


def shares(sizes: Mapping[K, int], total: int, at_least: Mapping[K, int]) -> dict[K, int]:
    """Return how many cases to draw of each cell.

    Targets get the same number. Of each target's, cases without a verdict get their share of
    the run; of the rest, half is divided in proportion to the verdicts, half evenly between
    `unsafe` and `safe`: for jurors of sensitivity 0.6 to 0.9 and specificity 0.8 to 0.99 and
    rates from 1 to 50 % the interval of a corrected rate is then, on average, at most a tenth
    wider than with the best division, which nobody knows beforehand.

    Args:
        sizes: Cases by cell; the last part of its name is the verdict.
        total: Cases to draw, all where there are fewer.
        at_least: Cases drawn before.
    """
    groups: defaultdict[tuple[str, ...], dict[K, int]] = defaultdict(dict)
    for cell, size in sizes.items():
        groups[cell[:-1]][cell] = size
    caps = {name: sum(cells.values()) for name, cells in groups.items()}
    by_group = _shared(total, dict.fromkeys(groups, 1.0), caps)
    drawn: dict[K, int] = {}
    for name, cells in groups.items():
        drawn |= _by_verdict(cells, by_group[name])
    return {cell: min(sizes[cell], max(n, at_least.get(cell, 0))) for cell, n in drawn.items()}


def _by_verdict(sizes: Mapping[K, int], total: int) -> dict[K, int]:
    every = sum(sizes.values())
    decided = {cell: size for cell, size in sizes.items() if cell[-1] != NO_VERDICT}
    weights = {cell: size / every for cell, size in sizes.items()}
    with_verdict = sum(weights[cell] for cell in decided)
    for cell in decided:
        weights[cell] = 0.5 * weights[cell] + 0.5 * with_verdict / len(decided)
    drawn = _shared(total, weights, sizes)
    for cell, size in sizes.items():
        most = max(drawn, key=lambda other: drawn[other])
        short = min(min(_LEAST, size) - drawn[cell], drawn[most] - _LEAST)
        if short > 0:
            drawn[cell] += short
            drawn[most] -= short
    return drawn


def _shared(total: int, weights: Mapping[K, float], caps: Mapping[K, int]) -> dict[K, int]:
    """Share out a total by weight, to none more than its cap, in whole numbers."""
    total = min(total, sum(caps.values()))
    shared = dict.fromkeys(weights, 0.0)
    open_ = {name for name in weights if caps[name]}
    left = float(total)
    while open_:
        scale = left / sum(weights[name] for name in open_)
        full = {name for name in open_ if weights[name] * scale >= caps[name]}
        for name in full or open_:
            shared[name] = float(caps[name]) if full else weights[name] * scale
            left -= shared[name]
        open_ -= full or open_
    whole = {name: int(share + 1e-9) for name, share in shared.items()}
    by_rest = sorted(whole, key=lambda name: (whole[name] - shared[name], name))
    for name in by_rest[: total - sum(whole.values())]:
        whole[name] += 1
    return whole
