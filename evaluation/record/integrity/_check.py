"""Checks all cases of a record, with a few at a time in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._chain import Row, digest
from ._batch import Case, Terms
from ._spread import checked

if TYPE_CHECKING:
    from .._meta import RunData  # not for who helps


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case that was changed after it was recorded."""

    case_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Integrity:
    """The result of checking a record.

    Attributes:
        cases: Finished cases.
        unchained: Cases that an earlier version recorded without a chain: their ballots'
            seals are checked, and the result is compared with the transcript.
        uncompared: Unchained cases without a verdict to compare the result with.
        unsealable: Ballots of unchained cases that quote a hidden key, so that their seals
            cannot be checked.
        unfinished: Cases without a result, of a run that is in progress or was stopped.
        changed: Number of changed cases.
        digest: SHA-256 over all data that figures come from, in hexadecimal.
        about: How data outside the cases were changed, None where they were not.
    """

    cases: int
    unchained: int
    uncompared: int
    unsealable: int
    unfinished: int
    changed: int
    digest: str
    about: str | None = None

    @property
    def is_changed(self) -> bool:
        """Whether anything was changed."""
        return self.changed > 0 or self.about is not None


def check_record(
    cases: Iterable[Row],
    entries: Iterable[Row],
    about: "RunData",
    terms: Terms,
    report: Callable[[ChangedCase], None],
    *,
    helpers: int = 0,
) -> Integrity:
    """Check all cases of a record.

    Args:
        cases: Rows of finished cases by id: id, target, query, epoch, scenario, intent,
            outcome of the response, finding, rating, result and head.
        entries: Rows of transcripts by case and number: case, number, kind and body.
        about: The record's data outside the cases.
        terms: How its cases are checked.
        report: Called with each changed case, in their order.
        helpers: Processes that check cases beside this one.
    """
    unchained = uncompared = unsealable = unfinished = changed = finished = 0
    run_data, problem = about.read()

    def heads() -> Iterator[tuple[str, str]]:
        nonlocal unchained, uncompared, unsealable, unfinished, changed, finished
        for case_id, is_finished, found, why, is_unchained, is_uncompared, seals in every:
            if why is not None:
                changed += 1
                report(ChangedCase(case_id, why))
            unsealable += seals
            if not is_finished:
                unfinished += 1
                continue
            finished += 1
            unchained += is_unchained
            uncompared += is_uncompared
            yield case_id, found

    with checked(grouped(cases, entries), terms, helpers) as every:
        whole = digest(run_data, heads())
    return Integrity(
        finished, unchained, uncompared, unsealable, unfinished, changed, whole, problem
    )


def grouped(cases: Iterable[Row], entries: Iterable[Row]) -> Iterator[Case]:
    """Merge two lists ordered by case, and yield each case with its row and entries."""
    left, right = iter(cases), iter(entries)
    case, entry = next(left, None), next(right, None)
    while case is not None or entry is not None:
        case_id = min([str(row[0]) for row in (case, entry) if row is not None])
        row, transcript = None, list[Row]()
        if case is not None and str(case[0]) == case_id:
            row, case = case, next(left, None)
        while entry is not None and str(entry[0]) == case_id:
            transcript.append(entry)
            entry = next(right, None)
        yield case_id, row, transcript
