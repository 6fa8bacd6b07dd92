"""Maps the columns of a table to the fields of a response: `--map response=output.text`."""

from base64 import b64encode
from collections.abc import Collection, Iterable
from typing import cast

from .....datasets.tables import (
    MISSING,
    ColumnMap,
    Object,
    RowError,
    describe,
    identifier,
    list_names,
    optional_text,
    pictures,
)
from ...._response import ResponseOutcome
from ._messages import Dialogue
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
"""The fields that can be mapped, and their default column names."""


class Columns:
    """Reads rows with a column mapping.

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
        """Return whether an object with these keys may be a row, mapped or in our format."""
        fields = ("response", "messages")
        return any(self._map.may_hold(field, known) for field in fields) or "query_id" in known

    def wanted(self, known: Iterable[str]) -> list[str]:
        """Return the top-level columns that are needed, so that others need not be read."""
        return self._map.wanted(known)

    def check_labels(self, where: object) -> None:
        """Raise an error if no row had a column that a label is mapped to; see `ColumnMap`."""
        self._map.check_labels(where)

    def read(self, place: str, values: Object) -> Row:
        """Read one row, or return why it cannot be used."""
        model = None
        try:
            model = optional_text(self._map.get("model", values), "the model")
            return self._row(place, values, model)
        except RowError as error:
            return unreadable(place, error, model)

    def _row(self, place: str, values: Object, model: str | None) -> RecordedRow:
        get = self._map.get
        response = self._map.find("response", values)
        messages = self._map.messages(values)
        if response is MISSING and not messages:
            raise RowError(f"has no 'response'; its keys are {list_names(values)}")
        apart = response is not MISSING
        talk = Dialogue.of(
            messages, optional_text(response, "the response") if apart else None, apart=apart
        )
        images = tuple(map(_address, pictures(self._map, values)))
        if messages and images:
            raise RowError("has pictures beside its messages: name them within")
        name = self._map.find("id", values)
        return RecordedRow(
            place,
            place.replace(" ", "-") if name is MISSING else identifier(name, "the id"),
            talk.response,
            text=optional_text(get("text", values), "the text") or talk.asked.text,
            epoch=epoch_of(get("epoch", values)),
            outcome=_outcome(get("outcome", values)),
            model=model,
            scenario=optional_text(get("scenario", values), "the scenario"),
            intent=self._intents.read(get("intent", values), "the intent"),
            images=talk.asked.images or images,
            finish_reason=optional_text(get("finish_reason", values), "the finish_reason"),
            underlying_request=optional_text(
                get("underlying_request", values), "the underlying_request"
            ),
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
        raise RowError(f"the outcome must be one of {known}, not {describe(value)}") from None


def _address(picture: str | bytes) -> str:
    if isinstance(picture, str):
        return picture
    return f"data:;base64,{b64encode(picture).decode()}"
