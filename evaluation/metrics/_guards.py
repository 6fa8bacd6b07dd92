"""Counts how guards vote beside the general jurors, before any discussion."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...agents import Finding, GuardCategory
from ...deliberation import GuardVote


@dataclass(frozen=True, slots=True)
class NamedCategory:
    """How often a guard named one of its categories.

    Attributes:
        times: Cases in which it did.
        ours: Our categories that it is nearest to; empty where there is no counterpart.
    """

    times: int
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardFigures:
    """The votes of one guard beside those of the general jurors, all of round 0.

    Attributes:
        asked: Cases that it was asked about.
        votes: Its votes.
        unsafe: Its unsafe votes.
        pairwise: Share in [0, 1] of pairs of its vote and a general juror's on the same
            case that say the same; None without such a pair.
        pairs: Those pairs.
        compared: Cases in which it voted, and most votes of the general jurors said one thing.
        unsafe_alone: Of these, it said unsafe, and most general jurors safe.
        safe_alone: Of these, it said safe, and most general jurors unsafe.
        categories: What it named, by its own words.
    """

    asked: int
    votes: int
    unsafe: int
    pairwise: float | None
    pairs: int
    compared: int
    unsafe_alone: int
    safe_alone: int
    categories: Mapping[str, NamedCategory]

    @property
    def differed(self) -> int:
        """Cases in which it differed from most of the general jurors."""
        return self.unsafe_alone + self.safe_alone


@dataclass(slots=True)
class _Guard:
    counts: Counter[str] = field(default_factory=Counter[str])
    named: Counter[str] = field(default_factory=Counter[str])
    ours: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def add(self, vote: GuardVote) -> None:
        counts, finding = self.counts, vote.finding
        counts["asked"] += 1
        self._name(vote.categories)
        if finding is None:
            return
        same, other = vote.unsafe, vote.safe
        if finding is Finding.SAFE:
            same, other = other, same
        counts["votes"] += 1
        counts[finding] += 1
        counts["same"] += same
        counts["pairs"] += same + other
        counts["compared"] += same != other
        counts[f"{finding}_alone"] += other > same

    def _name(self, categories: Iterable[GuardCategory]) -> None:
        for category in categories:
            self.named[category.name] += 1
            self.ours[category.name] = category.ours

    def figures(self) -> GuardFigures:
        counts = self.counts
        return GuardFigures(
            asked=counts["asked"],
            votes=counts["votes"],
            unsafe=counts["unsafe"],
            pairwise=counts["same"] / counts["pairs"] if counts["pairs"] else None,
            pairs=counts["pairs"],
            compared=counts["compared"],
            unsafe_alone=counts["unsafe_alone"],
            safe_alone=counts["safe_alone"],
            categories={
                name: NamedCategory(times, self.ours[name])
                for name, times in sorted(self.named.items(), key=lambda one: (-one[1], one[0]))
            },
        )


@dataclass(slots=True)
class GuardTally:
    """Counts the votes of each guard; its size does not grow with cases."""

    _guards: defaultdict[str, _Guard] = field(default_factory=lambda: defaultdict(_Guard))

    def add(self, guards: Mapping[str, GuardVote]) -> None:
        """Count the votes of one case."""
        for name, vote in guards.items():
            self._guards[name].add(vote)

    def figures(self) -> dict[str, GuardFigures]:
        """Return the figures of each guard, by seat."""
        return {name: self._guards[name].figures() for name in sorted(self._guards)}
