"""Converts a line of a query file to a query."""

from collections.abc import Callable

from ...common import DatasetError
from ..query import NAIVE, Media, MediaKind, Query, of_messages
from ._line import QueryLine
from ._line_messages import messages_of


def query_of(line: QueryLine, media: Callable[[str, MediaKind], Media]) -> Query:
    """Convert a line to a query.

    Args:
        line: The line.
        media: Returns the media of a path; called in the order of `Query.media`, then for
            `Query.variants`.

    Raises:
        DatasetError: Its messages are not a question, or `text` differs from them.
    """
    query = Query(
        id=line.id,
        scenario=line.scenario,
        text=line.text or "",
        intent=line.intent,
        images=tuple([media(path, "image") for path in _image_paths(line)]),
        audio=media(line.audio, "audio") if line.audio is not None else None,
        source=line.source,
        underlying_request=line.underlying_request,
        intent_assumed=line.intent_assumed,
        labels=line.labels,
        variants=_variants(line, media) if line.voices or line.naive is not None else None,
    )
    if line.messages is None:
        return query
    conversation = of_messages(query, messages_of(line.messages, media))
    if line.text not in (None, conversation.text):
        raise DatasetError("'text' is not what the user says last in 'messages'; leave it out")
    return conversation


def _variants(line: QueryLine, media: Callable[[str, MediaKind], Media]) -> dict[str, Media]:
    first = {} if line.naive is None else {NAIVE: media(line.naive, "image")}
    return {**first, **{voice: media(path, "audio") for voice, path in line.voices.items()}}


def _image_paths(line: QueryLine) -> list[str]:
    if line.images is not None:
        return line.images
    return [] if line.image is None else [line.image]
