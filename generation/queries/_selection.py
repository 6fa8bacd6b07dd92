"""Selects which proposed queries are kept."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from ...datasets import NearDuplicates
from ...datasets.jsonl import MINI
from ...datasets.similarity import choose
from ..items import Candidate, QuerySettings


class _MiniLine(msgspec.Struct, frozen=True):
    id: str
    text: str


def known_texts(threshold: float) -> NearDuplicates:
    """Return a near-duplicate index that holds the bundled mini set."""
    known = NearDuplicates(threshold)
    decoder = msgspec.json.Decoder(_MiniLine)
    for entry in decoder.decode_lines(MINI.read_bytes()):
        known.add(entry.id, entry.text)
    return known


def decide(
    candidates: Sequence[Candidate], known: NearDuplicates, settings: QuerySettings
) -> list[Candidate]:
    """Return the candidates of one scenario, in the same order, with their final state.

    Of those that are `proposed`, one without a score is `unscored`; what nearly repeats a
    text of the set is dropped, and so is all but the best of the scenario's own
    near-duplicates; of the rest as many as are wanted are chosen by value and by difference
    from each other.

    Args:
        candidates: All of the scenario.
        known: What is in the set already; those that are kept are added, and no others: a
            query gives way only to one that is in the set.
        settings: How many are wanted, and how they are chosen.
    """
    decided = {one.id: one for one in candidates}
    left: list[Candidate] = []
    ours = NearDuplicates(settings.near_duplicate)
    for one in sorted(candidates, key=_rank):
        if one.state != "proposed":
            continue
        if one.value is None:
            decided[one.id] = structs.replace(one, state="unscored")
        elif (original := known.find(one.text) or ours.add(one.id, one.text)) is not None:
            decided[one.id] = structs.replace(one, state="duplicate", duplicate_of=original)
        else:
            left.append(one)
            decided[one.id] = structs.replace(one, state="passed_over")
    for place in choose(
        [one.text for one in left],
        [one.value or 0.0 for one in left],
        settings.per_scenario,
        settings.diversity,
    ):
        one = left[place]
        decided[one.id] = structs.replace(one, state="kept")
        known.add(one.id, one.text)
    return list(decided.values())


def _rank(one: Candidate) -> tuple[float, str]:
    return (0.0 if one.value is None else -one.value, one.id)
