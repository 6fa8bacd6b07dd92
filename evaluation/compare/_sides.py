"""Finds what is compared with what: targets and conditions of one run or two."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...common import ConfigurationError
from ...common.text import did_you_mean, natural_order, quoted
from ..report import StoredRun
from ._figures import Side

PLAIN = "plain"
"""The word for no condition."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is compared with what.

    Attributes:
        targets: Targets to compare with their like; all unless named.
        conditions: Conditions to compare with their like, `plain` for none; all unless named.
        target_first: Target on the first side, for targets of different names.
        target_second: Target on the second side.
        condition_first: Condition on the first side, `plain` for none, for different conditions.
        condition_second: Condition on the second side.
    """

    targets: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    target_first: str | None = None
    target_second: str | None = None
    condition_first: str | None = None
    condition_second: str | None = None

    @property
    def is_across(self) -> bool:
        """Whether one condition is compared with another, so that other things are asked."""
        return self.condition_first is not None or self.condition_second is not None


@dataclass(frozen=True, slots=True)
class Parts:
    """The targets and conditions of a run.

    Attributes:
        run: The run's directory, as it was named.
        finished: Finished cases by target and condition.
        planned: Planned cases likewise; empty where that is not known.
    """

    run: str
    finished: dict[tuple[str, str], int]
    planned: dict[tuple[str, str], int]

    @classmethod
    def of(cls, run: StoredRun) -> "Parts":
        """Return those of a run."""
        planned = dict[tuple[str, str], int]()
        for part in run.plan.parts:
            key = part.target, part.condition
            planned[key] = planned.get(key, 0) + part.cases
        return cls(str(run.directory), run.reader.groups(), planned)

    @property
    def targets(self) -> list[str]:
        """Names of its targets, in natural order."""
        names = {target for target, _ in (*self.finished, *self.planned)}
        return sorted(names, key=natural_order)

    def conditions(self, target: str) -> list[str]:
        """Return the conditions of a target, in natural order; none is the empty one."""
        names = {name for of, name in (*self.finished, *self.planned) if of == target}
        return sorted(names, key=natural_order)

    def side(self, target: str, condition: str) -> Side:
        """Return a target under a condition."""
        key = target, condition
        return Side(self.run, *key, self.finished.get(key, 0), self.planned.get(key))

    def target(self, name: str) -> str:
        """Return the name of a target that is there.

        Raises:
            ConfigurationError: It is not there; the error names those that are.
        """
        if name not in self.targets:
            raise ConfigurationError(
                f"{self.run} has no target {quoted(name)}{did_you_mean(name, self.targets)}: "
                f"its targets are {listed(self.targets)}"
            )
        return name

    def condition(self, target: str, name: str) -> str:
        """Return a condition that a target has, by its name or the word `plain`.

        Raises:
            ConfigurationError: It does not; the error names those that it has.
        """
        known = self.conditions(target)
        meant = "" if name == PLAIN else name
        if meant not in known:
            words = [one or PLAIN for one in known]
            raise ConfigurationError(
                f"{self.run}: the target {quoted(target)} has no condition {quoted(name)}"
                f"{did_you_mean(name, words)}: it has {listed(words)}"
            )
        return meant


def sides_of(first: Parts, second: Parts, chosen: Chosen) -> list[tuple[Side, Side]]:
    """Return the pairs of targets, under the same condition unless others are chosen.

    Raises:
        ConfigurationError: A target or condition is not there, the runs have no target in common,
            or a target would be compared with itself.
    """
    targets = list(targets_of(first, second, chosen))
    found = [
        (first.side(one, before), second.side(other, after))
        for one, other in targets
        for before, after in _conditions((first, one), (second, other), chosen)
    ]
    if not found:
        one, other = targets[0]
        said = [
            listed(name or PLAIN for name in parts.conditions(target))
            for parts, target in ((first, one), (second, other))
        ]
        raise ConfigurationError(
            f"{quoted(one)} of {first.run} and {quoted(other)} of {second.run} were asked under no "
            f"condition alike: choose with --condition-a, one of {said[0]}, and --condition-b, one "
            f"of {said[1]}"
        )
    for one, other in found:
        if (one.run, one.target, one.condition) == (other.run, other.target, other.condition):
            raise ConfigurationError(
                f"{one.run} would be compared with itself: name another run, two of its targets "
                "with --target-a and --target-b, or two conditions with --condition-a and "
                f"--condition-b (its targets are {listed(first.targets)})"
            )
    return found


def targets_of(first: Parts, second: Parts, chosen: Chosen) -> Iterator[tuple[str, str]]:
    """Yield the pairs of targets that are compared.

    Raises:
        ConfigurationError: A target is not there, or the runs have none in common.
    """
    one, other = chosen.target_first, chosen.target_second
    if one is not None or other is not None:
        if chosen.targets:
            raise ConfigurationError(
                "--target names a target of both sides, and --target-a and --target-b one of each: "
                "use either"
            )
        yield first.target(one or other or ""), second.target(other or one or "")
        return
    for name in dict.fromkeys(chosen.targets):
        yield first.target(name), second.target(name)
    if chosen.targets:
        return
    both = [name for name in first.targets if name in second.targets]
    if not both and len(first.targets) == len(second.targets) == 1:
        both = [first.targets[0]]
        yield first.targets[0], second.targets[0]
        return
    if not both:
        raise ConfigurationError(
            f"{first.run} and {second.run} have no target of the same name: say which to compare "
            f"with --target-a, one of {listed(first.targets)}, and --target-b, one of "
            f"{listed(second.targets)}"
        )
    yield from ((name, name) for name in both)


def _conditions(
    one: tuple[Parts, str], other: tuple[Parts, str], chosen: Chosen
) -> Iterator[tuple[str, str]]:
    (first, target), (second, like) = one, other
    if chosen.is_across:
        if chosen.conditions:
            raise ConfigurationError(
                "--condition names a condition of both sides, and --condition-a and --condition-b "
                "one of each: use either"
            )
        before, after = chosen.condition_first or PLAIN, chosen.condition_second or PLAIN
        yield first.condition(target, before), second.condition(like, after)
        return
    for name in dict.fromkeys(chosen.conditions):
        yield first.condition(target, name), second.condition(like, name)
    if chosen.conditions:
        return
    theirs = second.conditions(like)
    yield from ((name, name) for name in first.conditions(target) if name in theirs)


def condition_or_plain(parts: Parts, target: str, name: str | None) -> str:
    """Return a condition that a target has: none at all unless one is named.

    Raises:
        ConfigurationError: It does not have it.
    """
    known = parts.conditions(target)
    if name is None and "" not in known:
        raise ConfigurationError(
            f"{parts.run}: the target {quoted(target)} was not asked without a condition: name the "
            f"one that the others are compared with by --condition-a: {listed(known)}"
        )
    return parts.condition(target, name or PLAIN)


def listed(names: Iterable[str]) -> str:
    """Return names for an error: the first of many."""
    known = list(names)
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return (", ".join(map(quoted, known[:_SHOWN])) or "none") + more
