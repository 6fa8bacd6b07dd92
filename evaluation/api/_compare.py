"""Compares runs, targets and conditions from Python."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from os import PathLike
from pathlib import Path

from ..compare import Attacks, Chosen, Comparison, broken_queries, changed_queries, resilience
from ..compare import compare as compare_runs
from ..report import StoredRun
from ._result import Result

Run = Result | str | PathLike[str]


def compare(
    first: Run,
    second: Run | None = None,
    *,
    target: str | Sequence[str] = (),
    condition: str | Sequence[str] = (),
    target_first: str | None = None,
    target_second: str | None = None,
    condition_first: str | None = None,
    condition_second: str | None = None,
    attacked: bool = False,
    attack_label: str = "attack",
    base_label: str | None = None,
    cases: bool = False,
    force: bool = False,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two runs, or two targets or conditions of one, over the queries that they share.

    No model is called. Differences are the second side's value less the first's, with an interval
    and an exact test; no verdict is never counted as safe or unsafe.

    Example:
        >>> found = sj.compare("runs/old", "runs/new")
        >>> found.pairs[0].rates["asr"].safer
        'second'

    Args:
        first: A run, or its directory.
        second: Another; without it, two targets or conditions of the first.
        target: Compare only these targets of both; all that both have unless named.
        condition: Compare only these conditions of both; `plain` is none.
        target_first: Target on the first side, for targets of different names.
        target_second: Target on the second side.
        condition_first: Condition on the first side, for different conditions.
        condition_second: Condition on the second side.
        attacked: Whether to compare the same queries plain and attacked: a target's other
            conditions with the plain one, labeled queries with those that they attack, or the
            second run's queries with the first's. The difference in attack success is the
            resilience gap.
        attack_label: The label that names a query's attack.
        base_label: The label that holds the id of the query that is attacked.
        cases: Whether to list the queries whose verdicts differ, in `cases`.
        force: Whether to compare in spite of different juries or questions.
        level: Confidence level of the intervals, in (0, 1).
        seed: Of tests that draw at random.

    Raises:
        ConfigurationError: They cannot be compared; the message says why, and what to do.
        RecordChangedError: A case is not as it was recorded.
        RecordError: There is no run that can be read.
    """
    chosen = Chosen(
        *(_several(target), _several(condition)),
        *(target_first, target_second, condition_first, condition_second),
    )
    attacks = Attacks(attack_label, base_label)
    with ExitStack() as stack:
        one = other = stack.enter_context(closing(StoredRun(_place(first))))
        if second is not None and _place(second).resolve() != one.directory.resolve():
            other = stack.enter_context(closing(StoredRun(_place(second))))
        if attacked:
            found = resilience(one, other, chosen, attacks, force=force, level=level, seed=seed)
            changed = broken_queries(one, other, chosen, attacks)
        else:
            found = compare_runs(one, other, chosen, force=force, level=level, seed=seed)
            changed = changed_queries(one, other, found)
        return replace(found, cases=tuple(changed)) if cases else found


def _place(run: Run) -> Path:
    return run.directory if isinstance(run, Result) else Path(run)


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
