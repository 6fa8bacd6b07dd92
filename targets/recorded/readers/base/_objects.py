"""Files that hold one JSON object a line, or a list of objects."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .....datasets.tables import Object, RowError, json_objects
from ._row import Row, unreadable


def each_object(
    path: Path, read: Callable[[str, Object], Iterable[Row]], *, within: str | None = None
) -> Iterator[Row]:
    """Apply `read` to each object of a file with its place, and yield the results.

    An object that is none, or of which `read` says so by a `RowError`, cannot be used.

    Args:
        path: The file.
        read: Takes an object's place and the object.
        within: The key of the list that holds the objects, None if the file is a list
            or lines.
    """
    for place, item in json_objects(path, within):
        try:
            if isinstance(item, RowError):
                raise item
            yield from read(place, item)
        except RowError as error:
            yield unreadable(place, error)
