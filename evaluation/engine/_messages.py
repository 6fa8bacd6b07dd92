"""What a driver and its workers send each other, as bytes."""

from typing import Any

import msgspec

from ...datasets import Query
from ...models import LeaseGrant, LeaseReport, Wait
from ...targets import ServerAddress
from ..record import StoredCall, StoredEntry
from ..trials import Trial


class CallRow(msgspec.Struct, frozen=True, array_like=True, tag="call"):
    """A call, as it is stored."""

    call: StoredCall


class EntryRow(msgspec.Struct, frozen=True, array_like=True, tag="entry"):
    """An entry of a transcript, as it is stored."""

    entry: StoredEntry


class HoldRow(msgspec.Struct, frozen=True, array_like=True, tag="hold"):
    """What a call under way holds of the budget; see `Ledger.hold`."""

    number: int
    call_id: str
    tokens: int
    usd: float | None
    share: float


class LetGoRow(msgspec.Struct, frozen=True, array_like=True, tag="let go"):
    """A call that held something has ended."""

    number: int


class ChargeRow(msgspec.Struct, frozen=True, array_like=True, tag="charge"):
    """A charge by estimate."""

    call_id: str
    tokens: int
    usd: float | None


class ResponseRow(msgspec.Struct, frozen=True, array_like=True, tag="response"):
    """A response that is kept until it is judged, as JSON of an `Exchange`."""

    case_id: str
    exchange: str


class MediumRow(msgspec.Struct, frozen=True, array_like=True, tag="medium"):
    """A picture or sound that the worker made, such as one that fits the target."""

    media_type: str
    content: bytes


class ResultRow(msgspec.Struct, frozen=True, array_like=True, tag="result"):
    """A case is finished.

    Attributes:
        case_id: The case's id.
        result: Its `CaseResult` as JSON.
        doubtful: Whether it counts only if no endpoint turns out to be down; see
            `ActiveCases.is_doubtful`.
    """

    case_id: str
    result: str
    doubtful: bool


class PlacedRow(msgspec.Struct, frozen=True, array_like=True, tag="placed"):
    """The media of a case are on the worker's node: nothing waits for them any more."""

    case_id: str


class LeftRow(msgspec.Struct, frozen=True, array_like=True, tag="left"):
    """A case is left as if it had not been started.

    Attributes:
        case_id: The case's id.
        why: Why.
        outage: Whether an endpoint is down; else the budget did not cover it.
        asked: Whether its target had answered.
    """

    case_id: str
    why: str
    outage: bool
    asked: bool


Row = (CallRow | EntryRow | HoldRow | LetGoRow | ChargeRow | ResponseRow | MediumRow) | (
    ResultRow | PlacedRow | LeftRow
)


class Setup(msgspec.Struct, frozen=True):
    """What a worker is made from; it holds no secret.

    Attributes:
        jury: The jury, from `jury_as_data`.
        targets: The targets that are models.
        functions: Where the functions under test are, by the target's name.
        known: Hashes of functions of the user's own, by where each is.
        sources: Modules of the user's own that the functions are in, by name.
        folders: Where these are on the driver's machine, with what they import there.
        lanes: Names of targets that are examined together.
        limits: What all workers together may take, from `RunLimitsConfig`.
        answered: Models that have answered before.
        judges_truncated: See `Examiner`.
        taxonomy: The file of the set's own scenarios, None for the bundled ones.
        pace: Seconds between two reports where there is no hurry.
        worker: Name of the worker in the book of leases.
        cases: How many cases of a lane it may have under way.
        servers: Where the managed servers are.
    """

    jury: dict[str, Any]
    targets: list[dict[str, Any]]
    functions: dict[str, str]
    known: dict[str, str]
    sources: dict[str, str]
    lanes: list[list[str]]
    limits: dict[str, Any]
    answered: list[dict[str, Any]]
    judges_truncated: bool
    taxonomy: str | None
    pace: float
    worker: str
    cases: int
    servers: list[ServerAddress] = []
    folders: list[str] = []


class Given(msgspec.Struct, frozen=True, array_like=True):
    """A trial that a worker is to examine.

    Attributes:
        trial: The trial; paths of its media mean nothing.
        put: The query as it is put to the target, None where that is the trial's.
        calls: The calls that the record keeps of it.
        exchange: The response as JSON of an `Exchange`, None where the target is to be asked.
        kept: Whether the record keeps the response until it is judged.
        tokens: About the most tokens that it takes.
        usd: About the most US dollars that it takes.
    """

    trial: Trial
    put: Query | None
    calls: list[StoredCall]
    exchange: str | None
    kept: bool
    tokens: int
    usd: float | None

    @property
    def query(self) -> Query:
        """The query as it is put to the target."""
        return self.put or self.trial.query


class Work(msgspec.Struct, frozen=True):
    """What a driver tells a worker.

    Attributes:
        given: Further trials, by lane.
        dry: The lanes in which there is no trial now.
        closed: Whether no trial will follow.
        canceled: Whether the worker is to end at once.
        grant: What it may take of limits and budget; None as before.
    """

    given: dict[int, list[Given]]
    dry: list[int]
    closed: bool = False
    canceled: bool = False
    grant: LeaseGrant | None = None


class Spent(msgspec.Struct, frozen=True, array_like=True):
    """What a worker's calls have cost until now.

    Attributes:
        tokens: Tokens.
        usd: US dollars of calls whose price is known.
        unknown: Calls whose price is unknown.
    """

    tokens: int = 0
    usd: float = 0.0
    unknown: int = 0


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """How a worker ended.

    Attributes:
        error: Name of the class of the error that ended it, None without one.
        why: The error.
    """

    error: str | None = None
    why: str = ""


class Report(msgspec.Struct, frozen=True):
    """What a worker tells the driver.

    Attributes:
        rows: Rows of the record, in order.
        takes: How many trials it has room for, by lane, those that it was given included.
        spent: What its calls have cost.
        cases: Cases under way.
        waits: What its calls wait for.
        ready: Whether it has been set up.
        ended: How it ended, None before.
        lease: What it holds and needs of limits and budget; None while it waits for a grant.
    """

    rows: list[Row]
    takes: list[int]
    spent: Spent
    cases: int
    waits: list[Wait]
    ready: bool
    ended: Ended | None
    lease: LeaseReport | None
