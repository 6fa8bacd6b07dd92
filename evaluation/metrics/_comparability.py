"""Checks whether targets were asked alike, so that their figures can be compared.

Memory holds counts for each target, never responses.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from ...common.text import count, percent
from ...models import SYSTEM_NOTE, Sampling
from ...targets import OTHER_WORDS_NOTE, WITHHELD_NOTES, Response, ResponseOutcome
from ._comparability_words import (
    describe_caps,
    describe_dropped,
    describe_lost,
    describe_models,
    describe_part,
    describe_sampling,
)
from ._counts import MOST_KINDS

TOLERATED = 0.02
"""Largest share of a target's responses that may be cut short or lost without a flag."""
_encode = msgspec.msgpack.Encoder().encode
_MOST_NAMES = 20
"""Maximum number of names counted; a provider may make up one for each response."""
_OTHERS = "(others)"
_LOST = (ResponseOutcome.TRUNCATED, ResponseOutcome.FILTERED, ResponseOutcome.NOT_PUT)
_PUT = (ResponseOutcome.ANSWERED, ResponseOutcome.FILTERED, ResponseOutcome.TRUNCATED)


class ComparabilityKind(StrEnum):
    """The kinds of difference between targets."""

    CASES = "cases"
    """Not all targets have the same cases."""
    CAP = "cap"
    """The cap on the tokens of a response differs."""
    SAMPLING = "sampling"
    """Temperature, top_p or seed differ."""
    DROPPED = "dropped"
    """A server does not take a parameter, so it was left out."""
    SYSTEM = "system"
    """A server takes no system messages, so they were put elsewhere."""
    WITHHELD = "withheld"
    """A model takes no pictures or no sound, so they were not sent."""
    CHANGED = "changed"
    """Media were changed before they were sent, for example made smaller."""
    LOST = "lost"
    """More than 2 % of a target's responses were truncated or filtered, or it was not asked."""
    WORDS = "words"
    """A file of responses says that other words were asked than the set has."""
    MODEL = "model"
    """A provider gave one target more than one model name, or the model asked changed."""
    UNKNOWN = "unknown"
    """How the responses were asked for is not known: they were recorded, or a function asked."""


_KINDS = {
    SYSTEM_NOTE: ComparabilityKind.SYSTEM,
    OTHER_WORDS_NOTE: ComparabilityKind.WORDS,
    **dict.fromkeys(WITHHELD_NOTES, ComparabilityKind.WITHHELD),
}
"""The kind of difference for each note of a response."""


@dataclass(frozen=True, slots=True)
class ComparabilityFlag:
    """One difference that makes targets hard to compare.

    Attributes:
        kind: What was done differently.
        targets: The targets concerned, in order of name.
        text: The same in one sentence, with counts.
    """

    kind: ComparabilityKind
    targets: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class TargetResponse:
    """One response and where it belongs.

    Attributes:
        target: The target's name.
        epoch: Repetition, from 0.
        response: What the target returned.
    """

    target: str
    epoch: int
    response: Response


def comparability_flags(
    asked: Iterable[TargetResponse], *, distinct: int
) -> tuple[ComparabilityFlag, ...]:
    """Find what makes the targets of a run hard to compare; empty where all were asked alike.

    Args:
        asked: All finished cases, read once, in any order.
        distinct: Number of different questions among them: the same query in the same
            epoch under the same condition is one, whichever target it was put to.
    """
    tallies: dict[str, _Tally] = {}
    for case in asked:
        tally = tallies.get(case.target)
        if tally is None:
            tally = tallies[case.target] = _Tally()
        tally.add(case)
    for tally in tallies.values():
        tally.close()
    tallies = {name: tallies[name] for name in sorted(tallies)}
    return (*_between(tallies, distinct), *_within(tallies))


@dataclass(slots=True)
class _Tally:
    """Counts how one target was asked."""

    cases: int = 0
    put: int = 0
    known: int = 0
    outcomes: Counter[ResponseOutcome] = field(default_factory=Counter[ResponseOutcome])
    caps: Counter[int | None] = field(default_factory=Counter[int | None])
    sampling: Counter[tuple[Sampling, int | None]] = field(
        default_factory=Counter[tuple[Sampling, int | None]]
    )
    dropped: Counter[str] = field(default_factory=Counter[str])
    notes: Counter[str] = field(default_factory=Counter[str])
    models: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])
    changed: int = 0
    first_change: str = ""
    alike: dict[bytes, tuple[Response, int | None, list[int]]] = field(
        default_factory=dict[bytes, tuple[Response, int | None, list[int]]]
    )

    def add(self, case: TargetResponse) -> None:
        """Count a response: most are like many others, so each such kind is looked at once."""
        response, seed = case.response, case.response.seed
        if seed is not None and response.sampling is not None:
            seed -= case.epoch
        kind = _encode(
            (
                *(response.outcome, response.sampling, response.max_tokens, seed),
                *(response.sent and response.sent.dropped, response.notes, response.model),
                *(response.provider_model, response.changes),
            )
        )
        alike = self.alike.get(kind)
        if alike is None:
            if len(self.alike) >= MOST_KINDS:
                self.close()
            alike = self.alike[kind] = (response, seed, [0])
        alike[2][0] += 1

    def close(self) -> None:
        """Count the responses of each kind that came so far."""
        for response, seed, (cases,) in self.alike.values():
            self._count(response, seed, cases)
        self.alike.clear()

    def _count(self, response: Response, seed: int | None, cases: int) -> None:
        self.cases += cases
        self.outcomes[response.outcome] += cases
        if response.sampling is not None:
            self.known += cases
            self.caps[response.max_tokens] += cases
            self.sampling[response.sampling, seed] += cases
        if response.outcome not in _PUT:
            return
        self.put += cases
        for dropped in () if response.sent is None else response.sent.dropped:
            self.dropped[dropped] += cases
        for note in {note for note in response.notes if note in _KINDS}:
            self.notes[note] += cases
        if response.provider_model:
            _count_name(self.models, response.provider_model, cases)
        if response.model:
            _count_name(self.asked, response.model, cases)
        if response.changes:
            self.changed += cases
            self.first_change = self.first_change or response.changes[0]

    @property
    def lost(self) -> dict[ResponseOutcome, int]:
        return {kind: self.outcomes[kind] for kind in _LOST if self.outcomes[kind]}

    @property
    def is_unknown(self) -> bool:
        return self.put > 0 and self.known == 0


def _count_name(names: Counter[str], name: str, cases: int) -> None:
    names[name if name in names or len(names) < _MOST_NAMES else _OTHERS] += cases


def _between(tallies: Mapping[str, _Tally], distinct: int) -> Iterator[ComparabilityFlag]:
    """Yield the differences between targets."""
    if len(tallies) < 2:
        return
    short = tuple(name for name, tally in tallies.items() if tally.cases < distinct)
    if short:
        has = ", ".join(f"{name} has {count(tally.cases)}" for name, tally in tallies.items())
        yield ComparabilityFlag(
            ComparabilityKind.CASES,
            short,
            f"the cases are not the same: of {count(distinct)} in all, {has}.",
        )
    known = {name: tally for name, tally in tallies.items() if tally.known}
    caps = {name: describe_caps(tally.caps) for name, tally in known.items()}
    if len({*caps.values()}) > 1:
        yield ComparabilityFlag(
            ComparabilityKind.CAP, tuple(caps), f"the token cap differs: {_each(caps)}."
        )
    drawn = {name: describe_sampling(tally.sampling) for name, tally in known.items()}
    if len({*drawn.values()}) > 1:
        yield ComparabilityFlag(
            ComparabilityKind.SAMPLING, tuple(drawn), f"sampling differs: {_each(drawn)}."
        )
    if lossy := tuple(name for name, tally in tallies.items() if _is_lossy(tally)):
        lost = {name: describe_lost(tally.lost, tally.cases) for name, tally in tallies.items()}
        yield ComparabilityFlag(
            ComparabilityKind.LOST,
            lossy,
            f"more than {percent(TOLERATED)} of responses are cut short or lost: {_each(lost)}.",
        )
    if unknown := [name for name, tally in tallies.items() if tally.is_unknown]:
        functions = [name for name in unknown if tallies[name].asked]
        why = {
            "recorded elsewhere": [name for name in unknown if name not in functions],
            "asked of a Python function": functions,
        }
        how = "; ".join(f"{', '.join(names)}: {words}" for words, names in why.items() if names)
        yield ComparabilityFlag(
            ComparabilityKind.UNKNOWN,
            tuple(unknown),
            f"{how}, so the token cap, the sampling and the requests are unknown.",
        )


def _within(tallies: Mapping[str, _Tally]) -> Iterator[ComparabilityFlag]:
    """Yield what was changed in the requests of each target, and what its provider changed."""
    for name, tally in tallies.items():
        if tally.dropped:
            yield _flag(ComparabilityKind.DROPPED, name, describe_dropped(tally.dropped, tally.put))
        for note in sorted(tally.notes):
            yield _flag(
                _KINDS[note], name, f"{note} ({describe_part(tally.notes[note], tally.put)})"
            )
        if tally.changed:
            how = describe_part(tally.changed, tally.put)
            what = f"what was sent is not what the set has ({how}); the first: {tally.first_change}"
            yield _flag(ComparabilityKind.CHANGED, name, what)
        if len(tally.models) > 1:
            yield _flag(
                ComparabilityKind.MODEL, name, f"its provider names {describe_models(tally.models)}"
            )
        if len(tally.asked) > 1:
            what = "in the course of the run it was asked as"
            yield _flag(ComparabilityKind.MODEL, name, f"{what} {describe_models(tally.asked)}")


def _flag(kind: ComparabilityKind, target: str, said: str) -> ComparabilityFlag:
    return ComparabilityFlag(kind, (target,), f"{target}: {said.rstrip('.')}.")


def _is_lossy(tally: _Tally) -> bool:
    return sum(tally.lost.values()) > TOLERATED * tally.cases


def _each(words: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {said}" for name, said in words.items())
