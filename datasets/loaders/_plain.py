"""Plain tables: any JSONL, CSV or Parquet, by a mapping of its columns."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from .._encodable import encodable
from .._errors import DatasetError
from .._nearest import quoted
from .._query import Intent, Message, media_in
from ..tables import (
    MISSING,
    ColumnMap,
    Intents,
    Object,
    RowError,
    as_list,
    first_text,
    found,
    identifier,
    is_object,
    listed,
    read_messages,
    words,
)
from ._files import place_of
from ._loader import LoaderOptions, Row, Unusable

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
"""What can be mapped, and the names that columns usually have."""
_ASKED = ("text", "messages")
_CONTENT = ("bytes", "path")
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "intent": "harmful or benign, where no column says it; assumed harmful unless given",
        "harmful": "words of the intent's column that mean harmful, with commas between",
        "benign": "words of that column that mean benign, such as unharmful,safe,0",
        "category": "a scenario for all rows of a table without such a column",
    }
)


class PlainRows:
    """Makes items of a table's rows.

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
        self._images_mapped = "images" in own
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
                f"has no 'text'; its keys are {listed(values)}: say which holds what is asked "
                "with --map text=KEY"
            )
        intent = self._intents.read(get("intent", values), "the intent") or self._intent
        sounds = list(self._media(get("audio", values)))
        if len(sounds) > 1:
            raise RowError(f"has {len(sounds)} sounds: a query has one")
        images = self._images(values)
        if messages and (images or sounds):
            raise RowError("has pictures or a sound beside its messages: name them within")
        return Row(
            id=f"{encodable(self._path.stem)}-{number}"
            if name is MISSING
            else identifier(name, "the id"),
            text=_text(messages, text),
            category=words(get("category", values), "the category") or self._category,
            intent=intent or Intent.HARMFUL,
            intent_assumed=intent is None,
            images=images,
            audio=next(iter(sounds), None),
            where=where,
            source=first_text(get("source", values)),
            underlying_request=words(get("underlying_request", values), "the underlying_request"),
            labels=self._columns.labels(values),
            messages=() if _is_plain(messages) else messages,
        )

    def _images(self, values: Object) -> tuple[Path | bytes, ...]:
        if self._images_mapped:
            return tuple(self._media(self._columns.get("images", values)))
        named = (tuple(self._media(values.get(name))) for name in FIELDS["images"])
        several = list(dict.fromkeys(filter(None, named)))
        if len(several) > 1:
            raise RowError(
                "has other pictures in 'images' than in 'image': say which are meant with "
                "--map images=KEY"
            )
        return several[0] if several else ()

    def _media(self, value: object) -> Iterator[Path | bytes]:
        """Yield where media are: a path, several, or their bytes as Hugging Face keeps them."""
        for item in as_list(value) or [None if value == [] else value]:
            if is_object(item):
                item = _content(item)
            if isinstance(item, bytes):
                yield item
            elif isinstance(item, str):
                if item:
                    yield self._named(item)
            elif item is not None:
                raise RowError(f"a picture or sound must be a path, not {found(item)}")

    def _named(self, place: str) -> Path | bytes:
        try:
            return place_of(place, self._path.parent)
        except DatasetError as error:
            raise RowError(str(error)) from None


def _is_plain(messages: tuple[Message, ...]) -> bool:
    """Return whether messages are but words of a user, as a short query has them."""
    return len(messages) == 1 and messages[0].role == "user" and not media_in(messages)


def _text(messages: tuple[Message, ...], text: object) -> str:
    """Return what is asked, of a conversation nothing: its turns say it."""
    if messages:
        return messages[0].text if _is_plain(messages) else ""
    return words(text, "the text") or ""


def _content(item: Object) -> object:
    """Return the bytes or the path in an object as Hugging Face writes it, None for neither.

    Raises:
        RowError: It holds a picture or a sound in another way.
    """
    content = item.get("bytes") or item.get("path")
    others = [name for name, value in item.items() if name not in _CONTENT and value is not None]
    if not content and (others or not item.keys() & set(_CONTENT)):
        raise RowError(
            "a picture or sound must be a path or an object of 'bytes' or 'path', not of "
            f"{listed(item)}"
        )
    return content
