"""Trials, the units of work of a run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...agents import TalkArm
from ...datasets import Condition, Query
from ...datasets.query import NAIVE

_ARMS = tuple([arm.value] for arm in TalkArm)


@dataclass(frozen=True, slots=True)
class Trial:
    """One query, target, epoch and condition, which becomes one case.

    Plain data, so that it can be sent to another process.

    Attributes:
        query: The query as in the set.
        target: The target's name.
        epoch: Repetition, from 0.
        condition: How the query is changed before the target is asked.
    """

    query: Query
    target: str
    epoch: int
    condition: Condition = Condition()

    @property
    def case_id(self) -> str:
        """Id of the case, unique within the run."""
        return case_id_of(self.query.id, self.target, self.epoch, self.condition.name)


def case_id_of(query_id: str, target: str, epoch: int, condition: str) -> str:
    """Build the id of a case; an empty condition is left out."""
    plain = f"{query_id}/{target}/{epoch}"
    return f"{plain}/{condition}" if condition else plain


def reported_name(target: str, condition: str) -> str:
    """Return the name of a target under a condition, as reports have it."""
    return f"{target} [{condition}]" if condition else target


def case_of(call_id: str) -> str:
    """Return the case id in the id of a call to a target, juror or foreperson."""
    case_id, _, last = call_id.rpartition("/")
    return case_id if last == "target" else case_id.rsplit("/", 2)[0]


def is_of_audit(call_id: str) -> bool:
    """Return whether a call is one of a talk audit, which no verdict rests on."""
    return call_id.rsplit("/", 3)[-3:-2] in _ARMS


def applies(condition: Condition, query: Query) -> bool:
    """Return whether a query has the media that a condition changes.

    The audio of a conversation is not its text spoken, so neither can replace the other.
    """
    if condition.image == NAIVE and (NAIVE not in query.others or len(query.images) != 1):
        return False
    if condition.image != "original" and not query.images:
        return False
    if condition.voice:
        return condition.voice in query.others and not query.messages
    return condition.parts == "given" or (query.audio is not None and not query.messages)


def trials(
    queries: Iterable[Query],
    targets: Sequence[str],
    conditions: Sequence[Condition],
    *,
    epochs: int,
) -> Iterator[Trial]:
    """Yield all trials of some targets, always in the same order.

    Args:
        queries: Queries, iterated once an epoch.
        targets: Names of targets.
        conditions: Conditions; those that do not apply to a query are left out.
        epochs: Number of repetitions.
    """
    for epoch in range(epochs):
        for query in queries:
            for condition in conditions:
                if applies(condition, query):
                    for target in targets:
                        yield Trial(query, target, epoch, condition)
