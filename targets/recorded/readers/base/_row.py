"""The results of a reader: recorded responses, and rows that cannot be used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from .....datasets import Intent, Message
from .....datasets.tables import RowError, UnreadError, describe
from .....models import read_finish
from ...._response import ResponseOutcome

_WHOLE = re.compile(r"[0-9]{1,9}(\.0)?")


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """One recorded response of any file format.

    Attributes:
        place: Where it stands in the file, such as `line 12`.
        query_id: The query that it answers.
        response: The target's words, None if there are none.
        text: What was asked, None if the file does not say.
        epoch: Repetition, from 0.
        outcome: How asking ended, None if the file does not say.
        model: The model that answered, None if the file does not say.
        scenario: What the file calls the kind of risk.
        intent: Harmful or benign, None if the file does not say.
        images: Pictures that went with the question: paths relative to the file, or
            `data:` addresses.
        finish_reason: As the provider said.
        detail: Why there is no response, as the file says it.
        underlying_request: What an attack's words ask for, as the file says it.
        provider_model: The model's name as its provider reported it, where that is another.
        numbered: Whether `query_id` is but the row's place, since the file names no id.
        labels: What the file says of the question beside that, by name.
        reworded: Whether an epoch may ask in other words than another, with other pictures
            or labels, and is the same question nevertheless: a test case of one behavior.
        messages: The turns of what was asked where it is a conversation, their media unread:
            paths relative to the file, or `data:` addresses.
        turns: What was said after the question and before the response, without media: by the
            target, its tools, and whoever went on asking.
    """

    place: str
    query_id: str
    response: str | None
    text: str | None = None
    epoch: int = 0
    outcome: ResponseOutcome | None = None
    model: str | None = None
    scenario: str | None = None
    intent: Intent | None = None
    images: tuple[str, ...] = ()
    finish_reason: str | None = None
    detail: str | None = None
    underlying_request: str | None = None
    provider_model: str | None = None
    numbered: bool = False
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    reworded: bool = False
    messages: tuple[Message, ...] = ()
    turns: tuple[Message, ...] = ()

    def settled(self) -> ResponseOutcome:
        """Return the outcome: as recorded, else by finish reason and text.

        An empty answer is an `error`, as it is for a target that is a model.
        """
        outcome = self.outcome or outcome_by_reason(self.finish_reason)
        blank = not (self.response or "").strip()
        return ResponseOutcome.ERROR if outcome is ResponseOutcome.ANSWERED and blank else outcome


class Unread(StrEnum):
    """How much of a file is lost with an unreadable row."""

    NOTHING = ""
    """The row was read, but it cannot be used."""
    LINE = "line"
    """A line that may hold a row was not read."""
    REST = "rest"
    """Nothing after it was read; the number of lost rows is unknown."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be used, and why.

    Attributes:
        place: Its place in the file.
        why: Why it cannot be used.
        unread: How much of the file is lost with it.
        model: The model that answered, None if unknown.
    """

    place: str
    why: str
    unread: Unread = Unread.NOTHING
    model: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning about a file as a whole, for the screen and every report.

    Attributes:
        text: A sentence without the file's name and the full stop.
    """

    text: str


Row = RecordedRow | Unreadable | Remark


def unreadable(place: str, error: RowError, model: str | None = None) -> Unreadable:
    """Create the entry for an unreadable row."""
    if not isinstance(error, UnreadError):
        return Unreadable(place, str(error), model=model)
    return Unreadable(place, str(error), Unread.REST if error.rest else Unread.LINE)


def outcome_by_reason(reason: str | None) -> ResponseOutcome:
    """Return the outcome by the provider's finish reason, as for a live reply."""
    finish, _ = read_finish(reason)
    if finish == "length":
        return ResponseOutcome.TRUNCATED
    return ResponseOutcome.FILTERED if finish == "content_filter" else ResponseOutcome.ANSWERED


def epoch_of(value: object) -> int:
    """Parse the epoch of a row; 0 if it has none.

    Raises:
        RowError: It is no whole number from 0.
    """
    if value is None or value == "":
        return 0
    number = value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value.partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        number = int(value)  # a column with gaps, as pandas writes it
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9:
        return number
    said = value if type(value) in (int, float) else describe(value)
    raise RowError(f"the epoch must be a whole number from 0, not {said}")


def as_json(value: object) -> bytes:
    """Return a value of a row as JSON.

    Raises:
        RowError: It holds half of a surrogate pair.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise RowError("has half of a surrogate pair, which is not valid text") from None
