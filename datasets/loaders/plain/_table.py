"""Shared by loaders of plain tables: converts rows with a column mapping."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from ....common import DatasetError
from ....common.text import encodable, quoted
from ...query import Intent, MediaKind, Message, media_in
from ...tables import (
    MISSING,
    ColumnMap,
    Intents,
    Object,
    RowError,
    first_text,
    identifier,
    list_names,
    media_values,
    optional_text,
    pictures,
    read_messages,
)
from ..base import LoaderOptions, Row, Unusable, place_of

FIELDS = {
    "id": ("id", "query_id"),
    "text": ("text", "prompt", "question", "query"),
    "category": ("category", "scenario"),
    "intent": ("intent",),
    "images": ("images", "image"),
    "audio": ("audio",),
    "source": ("source",),
    "underlying_request": ("underlying_request",),
    "messages": ("messages",),
}
"""The fields that can be mapped, and their usual column names."""
_ASKED = ("text", "messages")
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "intent": "harmful or benign, where no column says it; assumed harmful unless given",
        "harmful": "words of the intent's column that mean harmful, with commas between",
        "benign": "words of that column that mean benign, such as unharmful,safe,0",
        "category": "a scenario for all rows of a table without such a column",
    }
)


class PlainRows:
    """Converts the rows of a table to items.

    Args:
        path: The table; media lie in its folder.
        options: The mapping, and what stands in for columns that are not there.

    Raises:
        DatasetError: An option cannot be used.
    """

    def __init__(self, path: Path, options: LoaderOptions) -> None:
        own = {"images" if key == "image" else key: to for key, to in options.mapping.items()}
        self._path = path
        self._columns = ColumnMap(FIELDS, own)
        self._category = options.settings.get("category", "")
        said = options.settings.get("intent")
        if said not in (None, *Intent):
            raise DatasetError(
                f"the setting 'intent' must be harmful or benign, not {quoted(said)}"
            )
        self._intent = None if said is None else Intent(said)
        declared = {
            str(intent): options.settings[intent].split(",")
            for intent in Intent
            if intent in options.settings
        }
        self._intents = Intents(declared, option="--set", key="settings")

    def may_hold(self, names: Collection[str]) -> bool:
        """Return whether an object with these keys may be an item."""
        return any(self._columns.may_hold(field, names) for field in _ASKED)

    def wanted(self, names: list[str]) -> list[str]:
        """Return the columns that are needed.

        Raises:
            DatasetError: One of them is not there.
        """
        self._columns.check(names, self._path, _ASKED, "what is asked")
        return self._columns.wanted(names)

    def items(self, rows: Iterable[tuple[str, Object | RowError]]) -> Iterator[Row | Unusable]:
        """Yield an item for each row and its place.

        Raises:
            DatasetError: No row has what a label is mapped to.
        """
        for number, (place, values) in enumerate(rows, 1):
            where = f"{self._path.name}, {place}"
            try:
                if isinstance(values, RowError):
                    raise values
                yield self._row(number, where, values)
            except RowError as error:
                yield Unusable(where, str(error))
        self._columns.check_labels(self._path)

    def _row(self, number: int, where: str, values: Object) -> Row:
        get = self._columns.get
        name = self._columns.find("id", values)
        text = self._columns.find("text", values)
        messages = read_messages(self._columns.messages(values))
        if text is MISSING and not messages:
            raise RowError(
                f"has no 'text'; its keys are {list_names(values)}: say which holds what is asked "
                "with --map text=KEY"
            )
        intent = self._intents.read(get("intent", values), "the intent") or self._intent
        sounds = [self._medium(sound, "audio") for sound in media_values(get("audio", values))]
        if len(sounds) > 1:
            raise RowError(f"has {len(sounds)} sounds: a query has one")
        images = tuple(self._medium(each, "image") for each in pictures(self._columns, values))
        if messages and (images or sounds):
            raise RowError("has pictures or a sound beside its messages: name them within")
        return Row(
            id=f"{encodable(self._path.stem)}-{number}"
            if name is MISSING
            else identifier(name, "the id"),
            text=_text(messages, text),
            category=optional_text(get("category", values), "the category") or self._category,
            intent=intent or Intent.HARMFUL,
            intent_assumed=intent is None,
            images=images,
            audio=next(iter(sounds), None),
            where=where,
            source=first_text(get("source", values)),
            underlying_request=optional_text(
                get("underlying_request", values), "the underlying_request"
            ),
            labels=self._columns.labels(values),
            messages=() if _is_plain(messages) else messages,
        )

    def _medium(self, place: str | bytes, kind: MediaKind) -> Path | bytes:
        if isinstance(place, bytes):
            return place
        try:
            return place_of(place, self._path.parent, kind)
        except DatasetError as error:
            raise RowError(str(error)) from None


def _is_plain(messages: tuple[Message, ...]) -> bool:
    """Return whether messages are a single user turn of text, as in a plain query."""
    return len(messages) == 1 and messages[0].role == "user" and not media_in(messages)


def _text(messages: tuple[Message, ...], text: object) -> str:
    """Return the text of a query; empty for a conversation, whose turns have it."""
    if messages:
        return messages[0].text if _is_plain(messages) else ""
    return optional_text(text, "the text") or ""
