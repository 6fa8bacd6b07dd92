"""A run that is merged into another, or that others are merged into."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ....common import RecordError
from ...trials import PlannedCases
from .._reader import RecordReader
from ..identity import SELECTS, joined, lasting_changes, selects_others, without_places

_MOST_SHOWN = 3


@dataclass(slots=True)
class Source:
    """A run that is merged.

    Attributes:
        directory: Its directory.
        reader: Its record.
        cases: Its finished cases.
        new: Those of them that the merged run takes.
        same: Those that a run before it has as well.
        differing: Those that a run before it has otherwise.
        again: The kinds of the cases that a run before it has, whatever it says of them.
        elsewhere: Whether its models are reached at other addresses than those of the first.
    """

    directory: Path
    reader: RecordReader
    cases: int = 0
    new: int = 0
    same: int = 0
    differing: int = 0
    again: Counter[PlannedCases] = field(default_factory=Counter[PlannedCases])
    elsewhere: bool = False

    @property
    def identity(self) -> Mapping[str, Any]:
        """Its identity."""
        return self.reader.meta.identity

    @property
    def targets(self) -> list[str]:
        """The names of its targets."""
        return [str(said.get("name")) for said in self.identity.get("targets", ())]

    def parts_of(self) -> dict[str, tuple[str, ...]]:
        """Return which selections of queries each of its targets was asked, as hashes."""
        known = self.reader.meta.parts_of
        return {name: known.get(name) or (self._selection(name),) for name in self.targets}

    def _selection(self, target: str) -> str:
        said = self.identity
        response = said.get("responses", {}).get(target)
        own = said.get("dataset", {}).get("name") == "responses" and response is not None
        of = [response] if own else [said.get(key) for key in SELECTS]
        whole = [*of, response, [] if own else list(self.reader.meta.selected)]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def check_alike(first: Source, other: Source) -> None:
    """Check that two runs have one jury, protocol, caps and seeds.

    Where models are reached may differ: that is another machine.

    Raises:
        RecordError: They differ; the error says in what.
    """
    one, two = without_places(first.identity), without_places(other.identity)
    if changes := lasting_changes(one, two):
        more = f"; and {len(changes) - _MOST_SHOWN} more" if changes[_MOST_SHOWN:] else ""
        raise RecordError(
            f"{other.directory} is no run of the jury and protocol of {first.directory}: "
            f"{'; '.join(changes[:_MOST_SHOWN])}{more}. Only runs that are alike in all but "
            "targets, queries, epochs and conditions can be merged."
        )
    other.elsewhere = lasting_changes(first.identity, other.identity) != []
    known = one.get("transcriber"), two.get("transcriber")
    if known[0] != known[1] and first.reader.kept.has_sound() and other.reader.kept.has_sound():
        raise RecordError(
            f"{other.directory}: sounds were written down by {known[1]}, and in "
            f"{first.directory} by {known[0]}: they cannot be merged."
        )
    random = "random" in {*one.get("images", ()), *two.get("images", ())}
    if random and selects_others(one, two):
        raise RecordError(
            f"{other.directory}: `images: random` shows pictures of other queries, and it has not "
            f"those of {first.directory}: they cannot be merged."
        )


def merged_identity(sources: list[Source]) -> dict[str, Any]:
    """Return the identity of all runs together; those that add no case say nothing of it."""
    first, *others = sources
    whole = dict(first.identity)
    for other in others:
        if not other.new and set(other.targets) <= {it["name"] for it in whole["targets"]}:
            continue
        one, two = whole, dict(other.identity)
        known = {str(it["name"]): it for it in one.get("targets", ())}
        # Of what both have, that of the first: another machine has other addresses.
        two["targets"] = [known.get(str(it["name"]), it) for it in two.get("targets", ())]
        both = joined(one, two).identity
        both["targets"] = [*known.values(), *(t for t in two["targets"] if t["name"] not in known)]
        both |= _selects(one, two)
        both["responses"] = dict(_responses(one, two))
        whole = both
    return whole


def _selects(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    sets: list[dict[str, Any]] = [one.get("dataset", {}), two.get("dataset", {})]
    if sets[0].get("sha256") != sets[1].get("sha256"):
        names = dict.fromkeys(name for each in sets for name in str(each.get("name")).split(" + "))
        dataset = {"name": " + ".join(names), "sha256": _together(*(it["sha256"] for it in sets))}
        return {"dataset": dataset, "scenarios": None, "limit": None}
    scenarios: list[list[str] | None] = [one.get("scenarios"), two.get("scenarios")]
    limits: list[int | None] = [one.get("limit"), two.get("limit")]
    named, most = [it for it in scenarios if it], [it for it in limits if it]
    return {
        "dataset": sets[0],
        "scenarios": list(dict.fromkeys(chain(*named))) if len(named) == 2 else None,
        "limit": max(most) if len(most) == 2 else None,
    }


def _responses(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first, second = one.get("responses", {}), two.get("responses", {})
    for name in dict.fromkeys([*first, *second]):
        hashes = dict.fromkeys(each[name] for each in (first, second) if name in each)
        yield name, _together(*hashes)


def _together(*hashes: str) -> str:
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("+".join(sorted(hashes)).encode()).hexdigest()
