"""Which column of a foreign table is what: `--map response=output.text`."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import cast

from ...datasets import ConfigurationError
from ...datasets._nearest import did_you_mean, quoted
from .._response import ResponseOutcome
from ._row import RecordedRow, RowError
from ._values import Object, as_intent, as_list, found, identifier, is_object, words

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
}
"""What can be mapped, and the names that columns have where nothing is said."""

_MISSING = object()


class Columns:
    """Reads rows by a mapping of what is needed to where it stands.

    What the mapping does not name is taken from the column of the same name, if any.
    A path is a column's name, or steps with dots between them; a number is a place in a
    list, such as `choices.0.text`.

    Args:
        mapping: Paths by field.

    Raises:
        ConfigurationError: The mapping names an unknown field.
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = {"id" if key == "query_id" else key: path for key, path in mapping.items()}
        for key in self._mapping:
            if key not in _FIELDS:
                raise ConfigurationError(
                    f"--map {quoted(key)}: there is no such field"
                    f"{did_you_mean(key, _FIELDS) or '; known are ' + ', '.join(_FIELDS)}"
                )

    def check(self, known: Iterable[str], where: object) -> None:
        """Refuse a table that lacks a column.

        Args:
            known: The table's columns.
            where: The file.

        Raises:
            ConfigurationError: A mapped column is missing, or there are no responses.
        """
        names = list(known)
        for field, path in self._mapping.items():
            if path not in names and path.split(".")[0].partition("[")[0] not in names:
                raise ConfigurationError(
                    f"{where}: has no column {quoted(path)} for --map {field}=...; its columns "
                    f"are {_listed(names)}"
                )
        if "response" not in self._mapping and "response" not in names:
            raise ConfigurationError(
                f"{where}: has no column 'response'; its columns are {_listed(names)}: say which "
                "holds the responses with --map response=COLUMN"
            )

    def wanted(self, known: Iterable[str]) -> list[str]:
        """Return the top-level columns that are needed, so that others need not be read."""
        names = list(known)
        paths = [path for field in _FIELDS for path in self._paths(field)]
        steps = {path if path in names else _steps(path)[0] for path in paths}
        return [name for name in names if name in steps]

    def row(self, place: str, values: Object) -> RecordedRow:
        """Return one row.

        Raises:
            RowError: Something in it cannot be used.
        """
        response = self._find("response", values)
        if response is _MISSING:
            raise RowError(f"has no 'response'; its keys are {_listed(values)}")
        name = self._find("id", values)
        return RecordedRow(
            place,
            place.replace(" ", "-") if name is _MISSING else identifier(name, "the id"),
            words(response, "the response"),
            text=words(self._get("text", values), "the text"),
            epoch=_epoch(self._get("epoch", values)),
            outcome=_outcome(self._get("outcome", values)),
            model=words(self._get("model", values), "the model"),
            scenario=words(self._get("scenario", values), "the scenario"),
            intent=as_intent(self._get("intent", values) or None, "the intent"),
            images=tuple(_images(self._get("images", values))),
            finish_reason=words(self._get("finish_reason", values), "the finish_reason"),
        )

    def _paths(self, field: str) -> tuple[str, ...]:
        mapped = self._mapping.get(field)
        return _FIELDS[field] if mapped is None else (mapped,)

    def _get(self, field: str, values: Object) -> object:
        value = self._find(field, values)
        return None if value is _MISSING else value

    def _find(self, field: str, values: Object) -> object:
        for path in self._paths(field):
            if (value := _at(values, path)) is not _MISSING:
                return value
        if field in self._mapping:
            path = quoted(self._mapping[field])
            raise RowError(f"has no {path} for the {field}; its keys are {_listed(values)}")
        return _MISSING


def _at(values: Object, path: str) -> object:
    if path in values:
        return values[path]
    place: object = values
    for step in _steps(path):
        if is_object(place):
            place = place.get(step, _MISSING)
        elif isinstance(place, list) and step.lstrip("-").isdecimal():
            items = as_list(cast(object, place))
            place = items[int(step)] if -len(items) <= int(step) < len(items) else _MISSING
        else:
            return _MISSING
    return place


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in path.replace("[", ".").replace("]", "").split(".") if step)


def _epoch(value: object) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value
    raise RowError(f"the epoch must be a whole number from 0, not {found(value)}")


def _outcome(value: object) -> ResponseOutcome | None:
    if value is None or value == "":
        return None
    try:
        return ResponseOutcome(cast(str, value))
    except ValueError:
        known = ", ".join(ResponseOutcome)
        raise RowError(f"the outcome must be one of {known}, not {found(value)}") from None


def _images(value: object) -> Iterable[str]:
    """Yield the places of pictures: one, several, or their bytes as Hugging Face keeps them."""
    for item in as_list(value) or [None if value == [] else value]:
        if is_object(item):  # as Hugging Face keeps pictures
            item = item.get("bytes") or item.get("path")
        if isinstance(item, bytes):
            from base64 import b64encode

            yield f"data:;base64,{b64encode(item).decode()}"
        elif isinstance(item, str):
            if item:
                yield item
        elif item is not None:
            raise RowError(f"a picture must be a path, not {found(item)}")


def _listed(names: Iterable[str]) -> str:
    shown = [quoted(name) for name in names]
    more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""
    return ", ".join(shown[:20]) + more
