"""Finds the media in a table's values."""

from collections.abc import Iterator

from ._column_map import ColumnMap, list_names
from ._values import Object, RowError, as_list, describe, is_object

_CONTENT = ("bytes", "path")


def media_values(value: object) -> Iterator[str | bytes]:
    """Yield paths of media or their bytes: one, several, or as Hugging Face stores them.

    Raises:
        RowError: It holds a picture or a sound in another way.
    """
    for item in as_list(value) or [None if value == [] else value]:
        if is_object(item):
            item = _content(item)
        if isinstance(item, bytes) or (isinstance(item, str) and item):
            yield item
        elif item is not None and item != "":
            raise RowError(f"a picture or sound must be a path, not {describe(item)}")


def pictures(columns: ColumnMap, values: Object) -> tuple[str | bytes, ...]:
    """Return the paths or bytes of a row's pictures; see `media_values`.

    Raises:
        RowError: They are held in another way, the mapped place is not there, or two columns
            of usual names hold different ones.
    """
    several = [tuple(media_values(value)) for value in columns.each("images", values)]
    shown = list(dict.fromkeys(filter(None, several)))
    if len(shown) > 1:
        raise RowError(
            "has other pictures in 'images' than in 'image': say which are meant with "
            "--map images=KEY"
        )
    return shown[0] if shown else ()


def _content(item: Object) -> object:
    """Return the bytes or path in a Hugging Face media object, None if it has neither."""
    content = item.get("bytes") or item.get("path")
    others = [name for name, value in item.items() if name not in _CONTENT and value is not None]
    if not content and (others or not item.keys() & set(_CONTENT)):
        raise RowError(
            "a picture or sound must be a path or an object of 'bytes' or 'path', not of "
            f"{list_names(item)}"
        )
    return content
