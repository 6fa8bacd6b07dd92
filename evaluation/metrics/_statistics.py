"""Computes the figures of a report from finished cases, in one pass.

Memory holds counts for each target and scenario, never cases: results that come
ordered by query need no more than the counts of one query at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType

from ..trials import CaseResult, Plan
from ._cost_summary import Estimated, RunCost
from ._costs import groups_of
from ._counts import harmful_categories
from ._grouping import Grouping
from ._summary import RunSummary
from ._tally import TargetTally


def summarize(
    results: Iterable[CaseResult],
    *,
    targets: Iterable[str] = (),
    categories: Iterable[str] = (),
    estimated: Mapping[tuple[str, str], Estimated] = MappingProxyType({}),
    plan: Plan | None = None,
    spent: RunCost | None = None,
    by: str | None = None,
) -> RunSummary:
    """Compute the figures of a run.

    Args:
        results: Finished cases, in any order; an iterator is read once, as it comes,
            and must have them in order of `query_id`.
        targets: Names to list even without a finished case, in this order;
            others follow by name.
        categories: Categories in which the dataset asks harmful queries; those
            seen in the results, or planned, need not be named.
        estimated: What was charged by estimate, by target and condition.
        plan: The planned cases; None where the results are all of them.
        spent: The total cost of the run, None where that is not known.
        by: What to break the targets down by in addition: `scenario`, `category` or
            `labels.NAME`.

    Raises:
        ConfigurationError: `by` is none of these, or no case has the label.
        ValueError: An iterator's results are not in order.
    """
    grouping = None if by is None else Grouping(by)
    tallies = defaultdict[tuple[str, str], TargetTally](lambda: TargetTally(grouping))
    for result in _by_query(results):
        tallies[result.target, result.condition].add(result)
    if grouping is not None:
        grouping.check()
    for tally in tallies.values():
        tally.close()
    _plan(tallies, plan)
    harmful = harmful_categories(tally.categories for tally in tallies.values())
    harmful.update(categories)
    names = {name for name, _ in tallies}
    elsewhere = (
        set[tuple[str, str]]() if spent is None else groups_of(spent.unfinished_cases, names)
    )
    order = {name: place for place, name in enumerate(targets)}
    seen = {name for name, _ in tallies}
    groups = {*tallies, *((name, "") for name in order if name not in seen)}
    listed = sorted(groups, key=lambda group: (order.get(group[0], len(order)), *group))
    return RunSummary(
        tuple(
            tallies[group].summary(
                *group,
                harmful=sorted(harmful),
                estimated=estimated.get(group, Estimated()),
                has_unfinished_calls=group in elsewhere,
            )
            for group in listed
        ),
        planned=0 if plan is None else plan.total,
        spent=spent,
        by=by,
    )


def _plan(tallies: defaultdict[tuple[str, str], TargetTally], plan: Plan | None) -> None:
    """Add the planned cases to the tallies, also for groups without a finished case."""
    if plan is None:
        return
    for part in plan.parts:
        tallies[part.target, part.condition].plan(part)
    if not plan.parts and sum(tally.total.cases for tally in tallies.values()) < plan.total:
        for tally in tallies.values():
            tally.plan_unknown()


def _by_query(results: Iterable[CaseResult]) -> Iterator[CaseResult]:
    """Yield results sorted by query; an iterator must be sorted already.

    Raises:
        ValueError: An iterator is not sorted, so the cases of a query may be apart.
    """
    if not isinstance(results, Iterator):
        yield from sorted(results, key=attrgetter("query_id"))
        return
    latest = ""
    for result in results:
        if result.query_id < latest:
            raise ValueError(
                f"the query {result.query_id!r} came after {latest!r}: sort the results by "
                "query_id, or repeats would be taken for queries of their own"
            )
        latest = result.query_id
        yield result
