"""Which column of a foreign table is what: `--map response=output.text`."""

from base64 import b64encode
from collections.abc import Collection, Iterable
from typing import cast

from .....datasets.tables import (
    MISSING,
    ColumnMap,
    Object,
    RowError,
    found,
    identifier,
    listed,
    pictures,
    words,
)
from ...._response import ResponseOutcome
from ._messages import Talk
from ._reader import ReadOptions
from ._row import RecordedRow, Row, epoch_of, unreadable

_FIELDS = {
    "id": ("query_id", "id"),
    "response": ("response",),
    "text": ("text", "prompt", "question"),
    "scenario": ("scenario", "category"),
    "intent": ("intent",),
    "images": ("images", "image"),
    "epoch": ("epoch",),
    "outcome": ("outcome",),
    "model": ("model",),
    "finish_reason": ("finish_reason",),
    "underlying_request": ("underlying_request",),
    "messages": ("messages",),
}
"""What can be mapped, and the names that columns have where nothing is said."""


class Columns:
    """Reads rows by a mapping of what is needed to where it stands.

    What the mapping does not name is taken from the column of the same name, if any.
    A path is a column's name, or steps with dots between them; a number is a place in a
    list, such as `choices.0.text`.

    Args:
        options: The mapping, and what words mean which intent.

    Raises:
        ConfigurationError: The mapping names an unknown field.
    """

    def __init__(self, options: ReadOptions) -> None:
        own = {"id" if key == "query_id" else key: path for key, path in options.mapping.items()}
        self._map = ColumnMap(_FIELDS, own)
        self._intents = options.intents

    def check(self, known: Iterable[str], where: object) -> None:
        """Refuse a table that lacks a column.

        Args:
            known: The table's columns.
            where: The file.

        Raises:
            ConfigurationError: A mapped column is missing, or there are no responses.
        """
        self._map.check(known, where, ("response", "messages"), "the responses")

    def may_hold(self, known: Collection[str]) -> bool:
        """Return whether an object with these keys may be a row, of ours too."""
        fields = ("response", "messages")
        return any(self._map.may_hold(field, known) for field in fields) or "query_id" in known

    def wanted(self, known: Iterable[str]) -> list[str]:
        """Return the top-level columns that are needed, so that others need not be read."""
        return self._map.wanted(known)

    def check_labels(self, where: object) -> None:
        """Refuse a file in which no row had what a label is mapped to; see `ColumnMap`."""
        self._map.check_labels(where)

    def read(self, place: str, values: Object) -> Row:
        """Return one row, or why it cannot be used."""
        model = None
        try:
            model = words(self._map.get("model", values), "the model")
            return self._row(place, values, model)
        except RowError as error:
            return unreadable(place, error, model)

    def _row(self, place: str, values: Object, model: str | None) -> RecordedRow:
        get = self._map.get
        response = self._map.find("response", values)
        messages = self._map.messages(values)
        if response is MISSING and not messages:
            raise RowError(f"has no 'response'; its keys are {listed(values)}")
        apart = response is not MISSING
        talk = Talk.of(messages, words(response, "the response") if apart else None, apart=apart)
        images = tuple(map(_address, pictures(self._map, values)))
        if messages and images:
            raise RowError("has pictures beside its messages: name them within")
        name = self._map.find("id", values)
        return RecordedRow(
            place,
            place.replace(" ", "-") if name is MISSING else identifier(name, "the id"),
            talk.response,
            text=words(get("text", values), "the text") or talk.asked.text,
            epoch=epoch_of(get("epoch", values)),
            outcome=_outcome(get("outcome", values)),
            model=model,
            scenario=words(get("scenario", values), "the scenario"),
            intent=self._intents.read(get("intent", values), "the intent"),
            images=talk.asked.images or images,
            finish_reason=words(get("finish_reason", values), "the finish_reason"),
            underlying_request=words(get("underlying_request", values), "the underlying_request"),
            numbered=name is MISSING,
            labels=self._map.labels(values),
            messages=talk.asked.messages,
            turns=talk.turns,
        )


def _outcome(value: object) -> ResponseOutcome | None:
    if value is None or value == "":
        return None
    try:
        return ResponseOutcome(cast(str, value))
    except ValueError:
        known = ", ".join(ResponseOutcome)
        raise RowError(f"the outcome must be one of {known}, not {found(value)}") from None


def _address(picture: str | bytes) -> str:
    if isinstance(picture, str):
        return picture
    return f"data:;base64,{b64encode(picture).decode()}"
