"""Compares two runs, or two parts of one, over the queries that they share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...common import ConfigurationError
from ...common.text import many, quoted
from ..report import StoredRun
from ..trials import reported_name
from ._checks import of_juries, on_runs
from ._figures import Comparison, PairedTargets, Side
from ._pairing import is_same_question, paired
from ._sides import Chosen, Parts, listed, sides_of
from ._tally import Tally

_NAMED = 3


def compare(
    first: StoredRun,
    second: StoredRun,
    chosen: Chosen | None = None,
    *,
    force: bool = False,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two runs, or two targets or conditions of one, over the queries that they share.

    A query is shared where both have finished cases of it, under the same condition, and asked the
    same: the same words, pictures and sounds, by their hashes; under different conditions the same
    words. Differences are the second's value
    less the first's. No verdict is never counted as safe or unsafe.

    Args:
        first: A run.
        second: Another, or the same one.
        chosen: What is compared with what; by default targets of the same name, and the only
            targets of both runs whatever their names, under each condition that both have.
        force: Whether to compare in spite of another jury or other questions; queries that ask
            something else are left out then.
        level: Confidence level of intervals, in (0, 1).
        seed: Of tests that draw at random.

    Raises:
        ConfigurationError: They cannot be compared: another jury, other questions for the same
            ids, no shared queries, a target or condition that is not there, nothing but itself.
        RecordChangedError: A case was changed after it was recorded.
    """
    if not 0 < level < 1:
        raise ConfigurationError(f"a confidence level is between 0 and 1, such as 0.95: {level}")
    parts = Parts.of(first), Parts.of(second)
    sides = sides_of(*parts, chosen or Chosen())
    forced = [*of_juries(first, second, force=force)]
    _refuse_copy(first, second, sides)
    strange = list[str]()
    found = [
        _pair((first, one), (second, other), strange, level=level, seed=seed)
        for one, other in sides
    ]
    if strange:
        forced.append(_of_queries(sum(pair.different for pair in found), strange, force=force))
    pairs = [pair for pair in found if pair.shared]
    if not pairs:
        raise ConfigurationError(
            f"{first.directory} and {second.directory} share no query that both have finished: "
            "compare runs of the same set, or finish them"
        )
    notes = [*on_runs(first, second), *_on_pairs(pairs)]
    if chosen is None or chosen == Chosen():
        notes += _on_targets(*parts, sides)
    return Comparison(tuple(pairs), tuple(forced), tuple(notes), level, seed)


def _pair(
    first: tuple[StoredRun, Side],
    second: tuple[StoredRun, Side],
    strange: list[str],
    *,
    level: float,
    seed: int,
) -> PairedTargets:
    """Compare two sides; ids of queries that ask something else go into `strange`, a few."""
    tally, different = Tally(), 0
    only_first = only_second = 0
    (run, one), (like, other) = first, second
    asked = (of.reader.asked(side.target, side.condition) for of, side in (first, second))
    across = one.condition != other.condition
    for pair in paired(*asked):
        if pair.first is None or pair.second is None:
            only_first += pair.second is None
            only_second += pair.first is None
        elif is_same_question(pair.first, pair.second, across=across):
            tally.add(pair.first, pair.second)
        else:
            different += 1
            if len(strange) < _NAMED:
                strange.append(pair.query_id)
    digests = (of.integrity.digest for of in (run, like))
    one, other = (
        replace(side, record=sha) for side, sha in zip((one, other), digests, strict=True)
    )
    return PairedTargets(
        one,
        other,
        tally.shared,
        only_first,
        only_second,
        tally.rates(level=level, seed=seed),
        tally.categories(level=level, seed=seed),
        tally.changes(),
        different,
        tally.repeats,
    )


def _of_queries(number: int, some: Sequence[str], *, force: bool) -> str:
    """Return how many queries of the same id ask something else, if that is forced.

    Raises:
        ConfigurationError: It is not.
    """
    named = ", ".join(map(quoted, some))
    more = ", …" if number > len(some) else ""
    what = (
        f"{many(number, 'query', 'queries')} of the same id ask something else in the two "
        f"runs, by words, media, scenario or intent ({named}{more})"
    )
    if not force:
        raise ConfigurationError(
            f"{what}: compare runs of the same set, plain and attacked ones with --resilience, or "
            "add --force to leave these queries out"
        )
    return f"{what}: they are left out."


def _refuse_copy(first: StoredRun, second: StoredRun, sides: Sequence[tuple[Side, Side]]) -> None:
    """Refuse a run and its copy, whose differences would all be 0.

    Raises:
        ConfigurationError: The records are the same.
    """
    if first.directory == second.directory or any(
        (one.target, one.condition) != (other.target, other.condition) for one, other in sides
    ):
        return
    if first.integrity.digest == second.integrity.digest:
        raise ConfigurationError(
            f"{first.directory} and {second.directory} have the same record: one is a copy of the "
            "other, and nothing differs"
        )


def _on_targets(first: Parts, second: Parts, sides: Sequence[tuple[Side, Side]]) -> Iterator[str]:
    """Yield what one run alone has, and is in no figure."""
    if first.run == second.run:
        return
    for parts, place in ((first, 0), (second, 1)):
        compared = {(pair[place].target, pair[place].condition) for pair in sides}
        left = [reported_name(*key) for key in sorted({*parts.finished, *parts.planned} - compared)]
        if left:
            yield f"Not compared, of {parts.run}: {listed(left)}."


def _on_pairs(pairs: Sequence[PairedTargets]) -> Iterator[str]:
    if len(pairs) > 1:
        yield (
            f"{len(pairs):,} targets or conditions are compared, and p is of each alone: where "
            "nothing differs, 1 in 20 has a p below 0.05."
        )
