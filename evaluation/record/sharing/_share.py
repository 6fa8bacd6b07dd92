"""Writes a shareable copy of a run: its figures, and none of its words and media."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ....common import ConfigurationError, RecordChangedError, RecordError
from ....common.files import atomic_write, make_private, private_folder
from ....deliberation import CaseOpened
from ...trials import SKIPPED_ITEMS, SKIPPED_ROWS, CaseResult
from .._chain import START, blinded, blinding, bound_to, head, link
from .._file import RECORD
from .._pages import ENTRIES
from .._reader import RecordReader
from .._schema import SCHEMA
from ..identity import SHARED, Shared, refuse_shared
from ._entries import Redaction
from ._facts import facts_without_words
from ._places import Places

_CASES = "SELECT * FROM cases ORDER BY case_id"
_ENTRIES = "SELECT number, kind, body FROM entries WHERE case_id = ? ORDER BY number"
_CALLS = """
SELECT call_id, json_extract(completion, '$.usage'), json_extract(completion, '$.cost_usd'),
       json_extract(completion, '$.attempts') FROM calls ORDER BY call_id, key
"""
_AT_ONCE = 500
_PARTS = 10
"""Columns of a case that the head of its chain is over; the head comes after them."""
_UNLISTED = {"target", "unread"}
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A shareable copy of a run.

    Attributes:
        directory: Its directory.
        cases: Its cases.
        sha256: Digest of the run that it was made of.
        labels: Whether the labels of queries were kept.
    """

    directory: Path
    cases: int
    sha256: str
    labels: bool


def share_run(run: Path, into: Path, *, labels: bool = False) -> SharedRun:
    """Write a copy of a run without questions, responses, words of jurors and media.

    What is left gives the same figures. All is written beside its place and put there whole.

    Args:
        run: The run's directory.
        into: The directory of the copy, which must not exist.
        labels: Whether to keep the labels of queries, by which figures can be broken down.

    Raises:
        ConfigurationError: There is something at that place.
        RecordChangedError: A case is not as it was recorded.
        RecordError: The run cannot be read, is such a copy itself, or the copy cannot be written.
    """
    if into.exists() or into.is_symlink():
        raise ConfigurationError(f"{into}: exists already: name a directory that is new")
    with closing(RecordReader(run)) as reader:
        refuse_shared(run, reader.meta.raw, "be shared again")
        checked = reader.check_unchanged(media_may_be_gone=True)
        key = blinding(reader.about(), _heads(reader))
        shared = Shared(
            sha256=checked.digest,
            seal=bound_to(bytes.fromhex(checked.digest), _hidden(reader, key)),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            version=version("safejury"),
            labels=labels,
            unchained=checked.unchained,
            unfinished=checked.unfinished,
        )
        with _beside(into) as place:
            cases = _write(place, into.name, reader, shared, key)
            _write_lists(run, place)
            _put(place, into)
    return SharedRun(into, cases, shared.sha256, labels)


@contextmanager
def _beside(into: Path) -> Generator[Path]:
    try:
        private_folder(into.parent)
        place = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
    except OSError as error:
        raise RecordError(f"{into}: cannot be made ({error.strerror}).") from None
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _write(place: Path, name: str, reader: RecordReader, shared: Shared, key: bytes) -> int:
    """Write the record, and return the number of its cases."""
    path = place / RECORD
    try:
        make_private(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # Nothing that was removed was ever in this file, in its free pages or its log.
            database.executescript(SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            places = Places(_functions(reader.meta.identity))
            copying = _Copying(
                database, reader, Redaction(labels=shared.labels, places=places), key
            )
            facts = facts_without_words(reader.meta, name, shared, places)
            copying.write("INSERT INTO meta VALUES (?, ?)", facts.items())
            copying.cases()
            copying.spent()
            database.execute("COMMIT")
            return int(database.execute("SELECT count(*) FROM cases").fetchone()[0])
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror}).") from None
    except sqlite3.Error as error:
        raise RecordError(
            f"{path}: cannot be written ({error}): free some space, then repeat the command."
        ) from None


def _functions(identity: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of functions that are targets: a module may be called after a product."""
    for known in identity.get("functions", {}).values():
        yield str(known.get("function"))


def _heads(reader: RecordReader) -> Iterator[tuple[str, str]]:
    """Yield the cases of the run in order, each with the head of its chain."""
    for row in reader.kept.rows(_CASES):
        if len(row) > _PARTS and row[_PARTS] is not None:  # compared with the case before
            yield row[0], row[_PARTS]
        else:  # of an early version
            yield row[0], _transcript(reader, row[0], row[:_PARTS])[0]


def _hidden(reader: RecordReader, key: bytes) -> Iterator[tuple[str, str]]:
    return ((case_id, blinded(key, case_id, found)) for case_id, found in _heads(reader))


def _transcript(reader: RecordReader, case_id: str, row: Row) -> tuple[str, list[Row]]:
    """Return the head that a case has in the run, and its entries."""
    last, entries = START, list[Row]()
    for number, kind, body in reader.kept.rows(_ENTRIES, case_id):
        last = link(last, case_id, number, kind, body)
        entries.append((number, kind, body))
    return head(last, row), entries


class _Copying:
    """Copies the rows of a record without their words, within one transaction of the caller."""

    def __init__(
        self, database: sqlite3.Connection, reader: RecordReader, redaction: Redaction, key: bytes
    ) -> None:
        self._database = database
        self._key = key
        self._reader = reader
        self._redaction = redaction
        self._result = msgspec.json.Decoder(CaseResult).decode
        self._entries = {name: msgspec.json.Decoder(kind) for name, kind in ENTRIES.items()}

    def cases(self) -> None:
        """Copy the finished cases with their transcripts; each has a chain of its own anew."""
        kept = self._reader.kept

        def rows() -> Iterator[Row]:
            for row in kept.rows(_CASES):
                case_id, columns, stored = row[0], row[1:9], row[9]
                try:
                    head_of_case, entries = _transcript(self._reader, case_id, row[:_PARTS])
                    was = blinded(self._key, case_id, head_of_case)
                    result = _text(self._redaction.result(self._result(stored)))
                except (msgspec.MsgspecError, RecursionError, ValueError) as error:
                    raise RecordChangedError(
                        f"{self._reader.directory}: the case {case_id!r} cannot be read ({error})"
                    ) from None
                last = START
                for number, kind, body in self._without_words(case_id, entries, was):
                    last = link(last, case_id, number, kind, body)
                    self._database.execute(
                        "INSERT INTO entries VALUES (?, ?, ?, ?)", (case_id, number, kind, body)
                    )
                bare = (case_id, *columns, result)
                yield (*bare, head(last, bare))

        self.write(f"INSERT INTO cases VALUES ({', '.join('?' * 11)})", rows())

    def spent(self) -> None:
        """Copy what calls cost, without what was asked and answered."""
        kept = self._reader.kept

        def calls() -> Iterator[Row]:
            for number, (call_id, usage, usd, attempts) in enumerate(kept.rows(_CALLS)):
                said = {"usage": msgspec.json.decode(usage or "{}"), "cost_usd": usd}
                said |= {} if attempts is None else {"attempts": attempts}
                yield call_id, str(number), _text(said)

        self.write("INSERT INTO calls VALUES (?, ?, ?)", calls())
        if kept.has("charges"):
            rows = kept.rows("SELECT call_id, case_id, kind, tokens, usd FROM charges")
            self.write("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", rows)
        if kept.has("servers"):
            lives = kept.rows("SELECT life, server, gpus, seconds, usd FROM servers ORDER BY life")
            uptimes = (
                (f"life-{number}", self._redaction.places.apart(server), *rest)
                for number, (_, server, *rest) in enumerate(lives)
            )
            self.write("INSERT INTO servers VALUES (?, ?, ?, ?, ?)", uptimes)

    def write(self, statement: str, rows: Iterable[Row]) -> None:
        """Insert rows, some at once."""
        left = iter(rows)
        while group := list(islice(left, _AT_ONCE)):
            self._database.executemany(statement, group)

    def _without_words(
        self, case_id: str, entries: Iterable[Row], was: str
    ) -> Iterator[tuple[int, str, str]]:
        for number, kind, body in entries:
            entry = self._redaction.entry(self._entries[kind].decode(body))
            if isinstance(entry, CaseOpened):
                yield number, kind, _text({**msgspec.to_builtins(entry), SHARED: was})
            else:
                yield number, kind, _text(entry)


def _write_lists(run: Path, place: Path) -> None:
    """Write the lists of skipped rows and items with what they are counted by, a line for each."""
    for name in (SKIPPED_ROWS, SKIPPED_ITEMS):
        source = run / name
        if not source.is_file():
            continue
        try:
            with source.open("rb") as lines, atomic_write(place / name, private=True) as file:
                for line in lines:
                    file.write(_counted(line) + b"\n")
        except OSError as error:
            raise RecordError(f"{source}: cannot be read ({error.strerror}).") from None


def _counted(line: bytes) -> bytes:
    try:
        row = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return b"{}"
    return msgspec.json.encode({key: row[key] for key in sorted(_UNLISTED & row.keys())})


def _put(place: Path, into: Path) -> None:
    try:
        with (place / RECORD).open("rb") as file:
            os.fsync(file.fileno())
        if into.exists():  # since it was looked for
            raise ConfigurationError(f"{into}: exists already: name a directory that is new")
        place.rename(into)
    except OSError as error:
        raise RecordError(f"{into}: cannot be made ({error.strerror}).") from None


def _text(data: object) -> str:
    return msgspec.json.encode(data).decode()
