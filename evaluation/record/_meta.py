"""Decodes and checks a record's facts on the run as a whole."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...agents import Rubric
from ...deliberation import JuryCard, SeatInfo
from ..metrics import Limits
from ..trials import Plan, TargetFacts, UsedInput
from ._chain import Row, digest
from .growth import GROWN, Addition
from .identity import PRUNED, SHARED, Pruned, Shared

SEALED = "sealed"
"""Key in `meta`: `yes` where every finished case of the run has the head of its chain, `partly`
where an earlier version began the run."""
_BOUND = "bound"
"""Key in `meta` of the hash of all other rows."""


class _Server(msgspec.Struct):
    model: str


class _Target(msgspec.Struct):
    name: str
    model: str | None = None
    vllm: _Server | None = None


class _Identity(msgspec.Struct):
    """The parts of an identity that reports need."""

    targets: tuple[_Target, ...] = ()
    responses: dict[str, Any] = {}
    dataset: dict[str, Any] = {}
    systems: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Meta:
    """The facts that a record keeps on its run as a whole.

    Attributes:
        raw: All of them, as stored.
        format: Format of the record.
        protocol: Name of the jury's protocol.
        jury: The seats of the jury.
        identity: All settings that determine the results, as plain data.
        plan: The planned cases.
        used: Numbers of rows and items used of the files.
        unbound: Models of unknown price, to which the cost limit did not apply.
        notes: Notes on the files of responses and the jury card, a sentence each.
        limits: The cost limits.
        served: Targets that only one server with an hourly price ran, by server.
        rubric: The jury's custom rubric, None for the bundled one.
        systems: The system prompts of its targets, by target.
        models: Which model a target is, by target, where that is known; empty for the
            responses of a file that name none.
        card: The jury card that its rule decides by, None without one.
        facts: What the config says of the models that targets are, by target.
        grown: When it took more cases, and what.
        unasked: Finished cases that its latest config did not ask any more.
        asked: Hash of the identity of that config, where it is another than `identity`.
        selected: Sizes of earlier selections of queries that this one holds; see `Selection`.
        queries: Queries of its latest config, None where an earlier version did not count them.
        parts_of: Of a merged run: which selections of queries each target was asked, as hashes.
        shared: Of a shareable copy without words: what it says of the run that it was made of.
        pruned: When pictures and sounds were removed on purpose, and which.
    """

    raw: Mapping[str, str]
    format: str
    protocol: str
    jury: tuple[SeatInfo, ...]
    identity: Mapping[str, Any]
    plan: Plan
    used: UsedInput
    unbound: tuple[str, ...]
    notes: tuple[str, ...]
    limits: Limits
    served: Mapping[str, tuple[str, ...]]
    rubric: Rubric | None
    systems: Mapping[str, str]
    models: Mapping[str, str]
    card: JuryCard | None
    facts: Mapping[str, TargetFacts]
    grown: tuple[Addition, ...] = ()
    unasked: int = 0
    asked: str | None = None
    selected: tuple[int, ...] = ()
    queries: int | None = None
    parts_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    shared: Shared | None = None
    pruned: tuple[Pruned, ...] = ()

    @classmethod
    def decode(cls, stored: Mapping[Any, Any]) -> "Meta":
        """Decode the rows of `meta`.

        Raises:
            ValueError: A row is missing or malformed; the error says which.
        """
        raw: dict[str, str] = {}
        for key, value in stored.items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise ValueError(f"{key!r} is not text")  # noqa: TRY004
            raw[key] = value
        if absent := {"format", "protocol", "jury", "identity"} - raw.keys():
            raise ValueError(f"{min(absent)!r} is missing")
        identity = _decoded(raw, "identity", "", dict[str, Any])
        try:
            targets = msgspec.convert(identity, _Identity).targets
        except msgspec.ValidationError as error:
            raise ValueError(f"'identity' cannot be read ({error})") from None
        used = _decoded(raw, "used", "{}", UsedInput)
        try:
            plan = Plan.stored(raw)
        except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"the planned cases cannot be read ({error})") from None
        if (
            min(plan.total, used.items, *(part.cases for part in plan.parts), *used.rows.values())
            < 0
        ):
            raise ValueError("a number of cases is below 0")
        return cls(
            raw,
            raw["format"],
            raw["protocol"],
            _decoded(raw, "jury", "", tuple[SeatInfo, ...]),
            identity,
            plan,
            used,
            _decoded(raw, "unbound", "[]", tuple[str, ...]),
            _decoded(raw, "notes", "[]", tuple[str, ...]),
            _decoded(raw, "limits", "{}", Limits),
            _decoded(raw, "servers", "{}", dict[str, tuple[str, ...]]),
            _decoded(raw, "rubric", "null", Rubric | None),
            _decoded(raw, "systems", "{}", dict[str, str]),
            dict(_models(targets)),
            _decoded(raw, "card", "null", JuryCard | None),
            _decoded(raw, "facts", "{}", dict[str, TargetFacts]),
            _decoded(raw, GROWN, "[]", tuple[Addition, ...]),
            _decoded(raw, "unasked", "0", int),
            _decoded(raw, "asked", "null", str | None),
            _decoded(raw, "selected", "[]", tuple[int, ...]),
            _decoded(raw, "queries", "null", int | None),
            _decoded(raw, "parts_of", "{}", dict[str, tuple[str, ...]]),
            _decoded(raw, SHARED, "null", Shared | None),
            _decoded(raw, PRUNED, "[]", tuple[Pruned, ...]),
        )

    @property
    def protocol_label(self) -> str:
        """The protocol, and the name of a custom rubric."""
        return ", ".join((self.protocol, *(() if self.rubric is None else (self.rubric.label,))))

    @property
    def pruned_media(self) -> frozenset[str]:
        """The hashes of all media that were removed on purpose."""
        return frozenset(medium for note in self.pruned for medium in note.media)

    @property
    def sealed(self) -> bool:
        """Whether every finished case has a chain."""
        return self.raw.get(SEALED) == "yes"

    def problem(self, *, chained: bool) -> str | None:
        """Return how the facts were changed, None where they were not.

        Args:
            chained: Whether the record has a column for chains, as current ones have.
        """
        kept = self.raw.get(_BOUND)
        if kept is None and not chained:
            return None  # earlier versions did not bind it
        if kept != binding(self.raw)[_BOUND] or SEALED not in self.raw:
            return "its facts on the run as a whole were changed"
        return None


def binding(raw: Mapping[str, str]) -> Mapping[str, str]:
    """Return the row with the hash of all other rows of `meta`."""
    others = sorted((key, value) for key, value in raw.items() if key != _BOUND)
    return {_BOUND: digest((part for row in others for part in row), ())}


def bound_anew(raw: Mapping[str, str]) -> dict[str, str]:
    """Return the rows of `meta` with the hash of all others anew, where a version wrote one."""
    return {**raw, **binding(raw)} if _BOUND in raw else dict(raw)


def _models(targets: Iterable[_Target]) -> Iterator[tuple[str, str]]:
    for target in targets:
        model = target.model if target.vllm is None else target.vllm.model
        if model is not None:
            yield target.name, model


def _decoded(raw: Mapping[str, str], key: str, default: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw.get(key, default), type=kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ValueError(f"{key!r} cannot be read ({error})") from None


@dataclass(frozen=True, slots=True)
class RunData:
    """The data of a record outside its cases, as far as figures depend on them.

    Attributes:
        meta: The facts on the run as a whole.
        chained: Whether the record has a column for chains.
        charges: Rows of estimated charges, sorted: call, case, kind, tokens, US dollars.
        servers: Rows of server time, sorted: start, server, GPUs, seconds, US dollars.
        lists: Hashes of the files that list skipped rows and items.
    """

    meta: Meta
    chained: bool
    charges: Iterable[Row]
    servers: Iterable[Row]
    lists: Iterable[str]

    def read(self) -> tuple[list[str], str | None]:
        """Return the parts of the digest, and how the data were changed, if they were."""
        problem = self.meta.problem(chained=self.chained)
        charged = hashlib.sha256()
        for row in self.charges:
            charged.update(f"{row!r}\n".encode())
            if not _is_charge(row):
                problem = problem or f"its charge for the call {row[0]!r} is invalid"
        meta = [part for row in sorted(_as_digested(self.meta.raw).items()) for part in row]
        times = list[str]()  # none in the digests of runs without such servers
        for row in self.servers:
            times.append(repr(row))
            if not _is_uptime(row):
                problem = problem or f"its time of the server {row[1]!r} is invalid"
        return [*meta, charged.hexdigest(), *self.lists, *times], problem


def _as_digested(raw: Mapping[str, str]) -> Mapping[str, str]:
    """Return the facts that the digest binds: as they were before media were removed."""
    if PRUNED not in raw:
        return raw
    return bound_anew({key: value for key, value in raw.items() if key != PRUNED})


def _is_uptime(row: Row) -> bool:
    life, server, gpus, *amounts = row
    return (
        isinstance(life, str)
        and isinstance(server, str)
        and isinstance(gpus, int)
        and gpus >= 0
        and all(isinstance(amount, float) and 0 <= amount < math.inf for amount in amounts)
    )


def _is_charge(row: Row) -> bool:
    *names, tokens, usd = row
    return (
        all(isinstance(name, str) for name in names)
        and isinstance(tokens, int)
        and tokens >= 0
        and (usd is None or (isinstance(usd, float) and 0 <= usd < math.inf))
    )
