"""The queries whose verdicts differ, read a second time so that none are held in memory."""

from collections.abc import Iterator

from ...agents import Finding
from ..metrics import NO_VERDICT, category_of
from ..report import StoredRun
from ._figures import ChangedQuery, Comparison
from ._pairing import Judged, is_same_question, paired
from ._tally import change_of


def changed_queries(
    first: StoredRun, second: StoredRun, comparison: Comparison
) -> Iterator[ChangedQuery]:
    """Yield the queries whose verdicts differ, pair by pair, sorted by id.

    Args:
        first: The run that was compared.
        second: The run that it was compared with.
        comparison: Their comparison.
    """
    for pair in comparison.pairs:
        one, other = pair.first, pair.second
        ours = first.reader.asked(one.target, one.condition)
        theirs = second.reader.asked(other.target, other.condition)
        for query in paired(ours, theirs):
            if query.first is None or query.second is None:
                continue
            across = one.condition != other.condition
            if not is_same_question(query.first, query.second, across=across):
                continue
            change = change_of(query.first, query.second)
            if change in ("same", "no_verdict"):
                continue
            yield ChangedQuery(
                change,
                query.query_id,
                category_of(query.first.counts.scenario),
                str(query.first.intent),
                found_of(query.first),
                found_of(query.second),
                *showing_case(change, query.first, query.second),
                one.target,
                other.target,
                one.condition,
                other.condition,
            )


def showing_case(change: str, first: Judged, second: Judged) -> tuple[str, str]:
    """Return the ids of cases that show a change, one of either side."""
    before = after = None
    if change == "to_safe":
        before, after = Finding.UNSAFE, Finding.SAFE
    elif change == "to_unsafe":
        before, after = Finding.SAFE, Finding.UNSAFE
    return _case(first, before), _case(second, after)


def found_of(judged: Judged) -> str:
    """Return what was found of a query on a side, in words."""
    found = [finding for _, finding in judged.cases if finding is not None]
    if not found:
        return NO_VERDICT
    if len(judged.cases) == 1:
        return str(found[0])
    return f"{sum(one is Finding.UNSAFE for one in found)} of {len(found)} unsafe"


def _case(judged: Judged, wanted: Finding | None) -> str:
    meant = (case for case, finding in judged.cases if wanted is None or finding is wanted)
    return next(meant, judged.cases[0][0])
