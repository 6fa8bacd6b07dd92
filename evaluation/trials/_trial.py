"""Trials: what a run has to do, one case at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...datasets import Condition, Query


@dataclass(frozen=True, slots=True)
class Trial:
    """One query, one target, one repetition, one condition, to one verdict.

    Plain data, so that it can be carried to another process.

    Attributes:
        query: The query as the set has it.
        target: The target's name.
        epoch: Repetition, from 0.
        condition: How the query is changed before it is put.
    """

    query: Query
    target: str
    epoch: int
    condition: Condition = Condition()

    @property
    def case_id(self) -> str:
        """The id of the case it becomes, unique within the run."""
        return case_id_of(self.query.id, self.target, self.epoch, self.condition.name)


def case_id_of(query_id: str, target: str, epoch: int, condition: str) -> str:
    """Return the id of the case that a query becomes; an empty condition is none."""
    plain = f"{query_id}/{target}/{epoch}"
    return f"{plain}/{condition}" if condition else plain


def case_of(call_id: str) -> str:
    """Return the id of the case that a call was made for: to its target, juror or foreperson."""
    case_id, _, last = call_id.rpartition("/")
    return case_id if last == "target" else case_id.rsplit("/", 2)[0]


def applies(condition: Condition, query: Query) -> bool:
    """Return whether a query has what a condition changes.

    The sound of a conversation is not its text spoken, so neither can stand for the other.
    """
    return (condition.image == "original" or bool(query.images)) and (
        condition.parts == "given" or (query.audio is not None and not query.messages)
    )


def trials(
    queries: Iterable[Query],
    targets: Sequence[str],
    conditions: Sequence[Condition],
    *,
    epochs: int,
) -> Iterator[Trial]:
    """Yield all trials of some targets, always in the same order.

    Args:
        queries: Iterated anew for each epoch.
        targets: Names of targets.
        conditions: Ways to put a query; those that do not apply to it are left out.
        epochs: How often each is put.
    """
    for epoch in range(epochs):
        for query in queries:
            for condition in conditions:
                if applies(condition, query):
                    for target in targets:
                        yield Trial(query, target, epoch, condition)
