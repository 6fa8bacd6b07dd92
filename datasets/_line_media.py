"""From a line of a query file to the query, with whatever finds its media."""

from collections.abc import Callable
from typing import Literal

from ._line import QueryLine
from ._query import Media, Query

Kind = Literal["image", "audio"]


def query_of(line: QueryLine, media: Callable[[str, Kind], Media]) -> Query:
    """Return what a line asks.

    Args:
        line: The line.
        media: Returns the picture or sound of a path; pictures are asked for first.
    """
    return Query(
        id=line.id,
        scenario=line.scenario,
        text=line.text,
        intent=line.intent,
        images=tuple(media(path, "image") for path in _image_paths(line)),
        audio=media(line.audio, "audio") if line.audio is not None else None,
        source=line.source,
        underlying_request=line.underlying_request,
        intent_assumed=line.intent_assumed,
        labels=line.labels,
    )


def _image_paths(line: QueryLine) -> list[str]:
    if line.images is not None:
        return line.images
    return [] if line.image is None else [line.image]
