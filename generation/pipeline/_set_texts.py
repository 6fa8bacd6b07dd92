"""Iterates over the texts of a set: queries, then twins."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...common import DatasetError
from ...common.text import quoted
from ...datasets import Intent
from ..items import Candidate, Origin, Score, Twin
from ._context import StageContext
from ._folder import QUERIES, TWINS


@dataclass(frozen=True, slots=True)
class SetText:
    """The text of a query or a twin.

    Attributes:
        id: Its id.
        scenario: Id of its scenario; a twin has that of its query.
        text: What is asked.
        intent: Harmful, or a benign twin.
        origin: Where the text comes from.
        scores: What the judges think of it.
    """

    id: str
    scenario: str
    text: str
    intent: Intent
    origin: Origin
    scores: tuple[Score, ...]


def set_texts(context: StageContext) -> Iterator[SetText]:
    """Yield the texts of a set: the queries, then the twins in the same order.

    Raises:
        DatasetError: A twin is of no query, or not in its place.
    """
    folder = context.folder
    for one in folder.read(QUERIES, Candidate):
        yield SetText(one.id, one.scenario, one.text, Intent.HARMFUL, one.origin, one.scores)
    if context.settings.twins is None:
        return
    queries = folder.read(QUERIES, Candidate)
    for twin in folder.read(TWINS, Twin):
        query = next((one for one in queries if one.id == twin.of), None)
        if query is None:
            raise DatasetError(
                f"{folder.path / TWINS}: {quoted(twin.id)} is the twin of no query of the set, or "
                "out of order: make the stage twins again with `--again twins`"
            )
        yield SetText(twin.id, query.scenario, twin.text, Intent.BENIGN, twin.origin, twin.scores)
