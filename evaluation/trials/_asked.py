"""What a query asks, part by part: by this two records know whether one id means one query."""

from collections.abc import Mapping

from ...datasets import Query
from ...datasets.query import content_of_messages


def asked_of(query: Query) -> Mapping[str, object]:
    """Return what a query asks, by the names of its parts; media by their hashes."""
    return {
        "text": query.text,
        "sound": query.audio and query.audio.sha256,
        "scenario": query.scenario,
        "intent": query.intent,
        "underlying request": query.underlying_request,
        "labels": dict(query.labels),
        "pictures": [image.sha256 for image in query.images],
        "conversation": content_of_messages(query.messages),
    }
