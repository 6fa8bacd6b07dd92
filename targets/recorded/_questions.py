"""Builds queries from the questions in files of recorded responses."""

import hashlib
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from ...common import DatasetError
from ...common.files import private_database
from ...common.text import encodable, quoted
from ...datasets import (
    UNCATEGORISED,
    Intent,
    Media,
    MediaKind,
    Query,
    media_in,
    of_messages,
    read_media,
    words_of,
)
from ...datasets.media import data_in
from ...datasets.query import added_content, assumed_note, content_of_messages, read_parts
from ...datasets.taxonomy import taxonomy_beside
from ._target import RecordedTarget
from .readers.base import RecordedRow

_SCHEMA = """
CREATE TABLE queries (number INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB, named BLOB);
CREATE TABLE wordings (target TEXT, id TEXT, epoch INTEGER, body BLOB,
    PRIMARY KEY (target, id, epoch)) WITHOUT ROWID;
"""
_SAY_INTENT = (
    "say which they are (--intent benign, or `intent:` of the target), or which column says it "
    "(--map intent=COLUMN, `map:`)"
)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Query)


class RecordedQuestions:
    """The queries of recorded targets, taken from their own files.

    A question needs an id and words or a picture. Its scenario is the file's where the
    taxonomy knows that name, else `uncategorised`; its intent is assumed to be harmful
    where no row of it says one. Responses whose question cannot be used are left out by their
    target. What is held in memory does not grow with the files.

    Args:
        targets: The targets; one id means one question in all of them.

    Attributes:
        name: `responses`.
        sha256: Hash of all queries and the bytes of their pictures.
        taxonomy: The scenarios that they name: `taxonomy.yaml` beside the first file, else
            the bundled ones.

    Raises:
        ConfigurationError: A target's file says of no response what was asked.
    """

    name = "responses"

    def __init__(self, targets: Sequence[RecordedTarget]) -> None:
        self.taxonomy = taxonomy_beside(targets[0].path)
        files = {id(target.file): target.file for target in targets}
        self._categories = {key: file.categories(self.taxonomy) for key, file in files.items()}
        self._assumed = 0
        self._relabeled = 0
        self._folder = TemporaryDirectory(prefix="safejury-")
        weakref.finalize(self, self._folder.cleanup)
        self._database = private_database(self, _SCHEMA)
        for target in targets:
            for row in target.rows():
                self._take(target, row)
        for target in targets:
            target.keep_asked(name for (name,) in self._database.execute("SELECT id FROM queries"))
        mapped = any(target.file.is_mapped for target in targets)
        digest = hashlib.sha256()
        for query in self:
            images = [image.sha256 for image in query.images]
            content = [query.id, query.scenario, query.text, query.intent, images]
            # What a format says by itself, earlier runs of the same file did not ask for.
            known = query if mapped else replace(query, labels={})
            digest.update(_encoder.encode(content + added_content(known)))
        self.sha256 = digest.hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about unknown categories, missing intents and changed labels."""
        return (
            *(note for each in self._categories.values() for note in each.notes("question")),
            *assumed_note(self._assumed, _SAY_INTENT),
            *_relabeled_note(self._relabeled),
        )

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries in the order of the files."""
        for (body,) in self._database.execute("SELECT body FROM queries ORDER BY number"):
            yield _decoder.decode(body)

    def __len__(self) -> int:
        """Return the number of queries."""
        return self._database.execute("SELECT count(*) FROM queries").fetchone()[0]

    def as_put(self, target: str, query: Query, epoch: int) -> Query:
        """Return a query as one target's epoch was asked: its text, pictures and labels."""
        found = self._database.execute(
            "SELECT body FROM wordings WHERE target = ? AND id = ? AND epoch = ?",
            (target, query.id, epoch),
        ).fetchone()
        return query if found is None else _decoder.decode(found[0])

    def _take(self, target: RecordedTarget, row: RecordedRow) -> None:
        if not (row.text or "").strip() and not row.images and not row.messages:
            return  # another row may say it
        known = self._database.execute(
            "SELECT body, named FROM queries WHERE id = ?", (row.query_id,)
        ).fetchone()
        named = _named(target, row)
        earlier = None if known is None else _decoder.decode(known[0])
        try:
            # Media that are named alike are not read again.
            again = known is not None and known[1] == named
            asked = self._asked(target, row, earlier if again else None)
        except DatasetError as error:
            target.drop(row, str(error))
            return
        if earlier is not None:
            if row.reworded:
                self._reword(target, row, earlier, asked)
                return
            if why := _differs(earlier, asked, row):
                target.drop(row, f"{why} than an earlier row under {quoted(row.query_id)}")
            else:
                self._learn(earlier, row)
            return
        scenario = self._categories[id(target.file)].scenario(row.scenario or "")
        query = replace(asked, scenario=scenario)
        self._assumed += query.intent_assumed
        self._categories[id(target.file)].count(row.scenario or "")
        self._database.execute(
            "INSERT INTO queries (id, body, named) VALUES (?, ?, ?)",
            (query.id, _encoder.encode(query), named),
        )

    def _asked(self, target: RecordedTarget, row: RecordedRow, known: Query | None) -> Query:
        """Return the query of a row, without its scenario.

        Args:
            target: Whose row it is.
            row: The row.
            known: A query whose media are the row's, None to read them.

        Raises:
            DatasetError: A medium is not there, or not what it should be.
        """
        media = iter(() if known is None else known.media)

        def read(place: str, kind: MediaKind) -> Media:
            return self._medium(target, place, kind) if known is None else next(media)

        query = Query(
            row.query_id,
            UNCATEGORISED.id,
            row.text or "",
            row.intent or Intent.HARMFUL,
            images=tuple(read(place, "image") for place in row.images),
            source=encodable(target.path.name),
            underlying_request=_request(row),
            intent_assumed=row.intent is None,
            labels=row.labels,
        )
        return of_messages(query, read_parts(row.messages, read)) if row.messages else query

    def _learn(self, query: Query, row: RecordedRow) -> None:
        """Fill in facts about a question that earlier rows lack."""
        known = replace(query, labels={**row.labels, **query.labels})
        if query.intent_assumed and row.intent is not None:
            known = replace(known, intent=row.intent, intent_assumed=False)
            self._assumed -= 1
        self._relabeled += any(known.labels[name] != row.labels[name] for name in row.labels)
        if known != query:
            self._database.execute(
                "UPDATE queries SET body = ? WHERE id = ?", (_encoder.encode(known), query.id)
            )

    def _reword(self, target: RecordedTarget, row: RecordedRow, query: Query, asked: Query) -> None:
        """Store an epoch's wording of a question if it differs from the first row's."""
        put = replace(
            asked,
            scenario=query.scenario,
            intent=query.intent,
            source=query.source,
            underlying_request=query.underlying_request,
            intent_assumed=query.intent_assumed,
        )
        if put != query:
            self._database.execute(
                "INSERT INTO wordings VALUES (?, ?, ?, ?)",
                (target.name, query.id, row.epoch, _encoder.encode(put)),
            )

    def _medium(self, target: RecordedTarget, place: str, kind: MediaKind) -> Media:
        place = place.removeprefix("file://")
        content = data_in(place, kind)
        path = target.pictures.find(place) if content is None else self._kept(content)
        return read_media(path, kind=kind)

    def _kept(self, content: bytes) -> Path:
        path = Path(self._folder.name) / hashlib.sha256(content).hexdigest()
        if not path.exists():
            path.write_bytes(content)
        return path


def _relabeled_note(rows: int) -> tuple[str, ...]:
    if not rows:
        return ()
    label = "1 row labels" if rows == 1 else f"{rows:,} rows label"
    return (f"{label} a question differently from an earlier row: the first row counts",)


def _named(target: RecordedTarget, row: RecordedRow) -> bytes:
    """Return a hash of the media paths in a row."""
    places = [medium.path for medium in media_in(row.messages)]
    named = [str(target.path.parent), row.images, places]
    return hashlib.sha256(_encoder.encode(named)).digest()


def _differs(earlier: Query, asked: Query, row: RecordedRow) -> str | None:
    """Return what differs between a row and an earlier one, None if nothing does."""
    if words_of(earlier) != words_of(asked):
        return "asks something else"
    if [medium.sha256 for medium in earlier.media] != [medium.sha256 for medium in asked.media]:
        return "shows other pictures"
    if content_of_messages(earlier.messages) != content_of_messages(asked.messages):
        return "asks it in another conversation"
    if row.intent not in (None, earlier.intent) and not earlier.intent_assumed:
        return "has another intent"
    return None


def _request(row: RecordedRow) -> str | None:
    """Return the underlying request, None if the question's text is the same."""
    said = (row.underlying_request or "").strip()
    return said if said and said != (row.text or "").strip() else None
