"""From finished cases to the numbers of a report, in one pass.

Memory holds counts for each target and scenario, never cases.
"""

from collections import defaultdict
from collections.abc import Iterable

from ._counts import harmful_categories
from ._result import CaseResult
from ._summary import RunSummary
from ._tally import TargetTally

_Group = tuple[str, str]
"""A target's name, and the condition under which it was asked."""


class RunTally:
    """Counts of a run as it goes; may be asked for a summary at any time."""

    def __init__(self) -> None:
        self._targets: defaultdict[_Group, TargetTally] = defaultdict(TargetTally)

    def add(self, result: CaseResult) -> None:
        """Count one finished case."""
        self._targets[result.target, result.condition].add(result)

    def summary(self, *, targets: Iterable[str] = (), categories: Iterable[str] = ()) -> RunSummary:
        """Return what the cases counted so far add up to; see `summarise`."""
        order = {name: place for place, name in enumerate(targets)}
        seen = {name for name, _ in self._targets}
        groups = {*self._targets, *((name, "") for name in order if name not in seen)}
        listed = sorted(groups, key=lambda group: (order.get(group[0], len(order)), *group))
        tallies = {group: self._targets.get(group, TargetTally()) for group in listed}
        harmful = harmful_categories(tally.categories for tally in tallies.values())
        harmful.update(categories)
        return RunSummary(
            tuple(
                tally.summary(*group, harmful=sorted(harmful)) for group, tally in tallies.items()
            )
        )


def summarise(
    results: Iterable[CaseResult],
    *,
    targets: Iterable[str] = (),
    categories: Iterable[str] = (),
) -> RunSummary:
    """Return what a run found; the order of the results does not matter.

    Args:
        results: Finished cases, read once.
        targets: Names to list even without a finished case, in the order wanted;
            others follow in order of name.
        categories: Categories in which the dataset asks harmful queries; those
            seen in the results need not be named.
    """
    tally = RunTally()
    for result in results:
        tally.add(result)
    return tally.summary(targets=targets, categories=categories)
