"""Chooses of which run each case comes, and checks that one query id means one query."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ....common import RecordError
from ....common.files import private_database
from ....common.text import many
from ....datasets import Condition, Intent, Query
from ....datasets.query import content_of_messages
from ...trials import PlannedCases
from ._source import Source

_SCHEMA = """
CREATE TABLE chosen (case_id TEXT PRIMARY KEY, run INTEGER, head TEXT) WITHOUT ROWID;
CREATE TABLE dropped (case_id TEXT, run INTEGER, head TEXT,
    PRIMARY KEY (case_id, run)) WITHOUT ROWID;
CREATE TABLE prints (query_id TEXT, part TEXT, print BLOB, run INTEGER,
    PRIMARY KEY (query_id, part)) WITHOUT ROWID;
CREATE TABLE charged (row TEXT PRIMARY KEY, here INTEGER, most INTEGER) WITHOUT ROWID;
"""
_CASES = """
SELECT cases.case_id, query_id, target, scenario, intent,
       coalesce(json_extract(result, '$.condition'), ''), {head}, body
FROM cases LEFT JOIN entries ON entries.case_id = cases.case_id AND number = 0
ORDER BY cases.case_id
"""
_CHARGES = """
SELECT call_id, case_id, kind, tokens, usd, count(*) FROM charges GROUP BY 1, 2, 3, 4, 5
"""
_FIND = "SELECT run, head FROM chosen WHERE case_id = ?"
_PRINT = "SELECT print, run FROM prints WHERE query_id = ? AND part = ?"
_LEFT_OUT = "left_out"
"""Kind of an estimated charge of a case that another run has: it was spent all the same."""
_TOLD = 1_000
"""Cases after which the progress is told."""
_WORDS = {
    "about": "another scenario or intent",
    "labels": "other labels",
    "text": "another text",
    "request": "another request",
    "sound": "another sound",
    "image": "other pictures",
}
Report = Callable[[str, int], None]
"""Told what is done, and to how many cases."""


class _Case(msgspec.Struct):
    query: Query


class _Opened(msgspec.Struct):
    case: _Case


class Choice:
    """The cases of all runs, outside of memory.

    Args:
        sources: The runs; of a case that several have, that of the first counts.
        prefer_first: Whether a case that two runs have judged otherwise is taken of the first.
        report: Told what is done.

    Raises:
        RecordError: One id means two queries, or two runs have judged a case otherwise.
    """

    def __init__(
        self, sources: list[Source], *, prefer_first: bool, report: Report = lambda what, n: None
    ) -> None:
        self._database = private_database(self, _SCHEMA)
        self._decode = msgspec.json.Decoder(_Opened).decode
        self._sources = sources
        first: tuple[str, int, int] | None = None
        for run, source in enumerate(sources):
            for number, row in enumerate(self._rows(source)):
                if number % _TOLD == 0:
                    report(f"comparing {source.directory.name}", number)
                before = self._take(run, source, row)
                if before is not None and first is None:
                    first = (str(row[0]), before, run)
            report(f"comparing {source.directory.name}", source.cases)
        if first is not None and not prefer_first:
            raise RecordError(self._refusal(*first))

    def is_of(self, case_id: str, run: int) -> bool:
        """Return whether a case is finished, and comes of a run."""
        found = self._database.execute(_FIND, (case_id,)).fetchone()
        return found is not None and found[0] == run

    def is_finished(self, case_id: str) -> bool:
        """Return whether a run has finished a case."""
        return self._database.execute(_FIND, (case_id,)).fetchone() is not None

    def dropped(self, case_id: str, run: int) -> str | None:
        """Return the head of a case of a run that is left out, None where it is not.

        Empty where it is of a copy that went on; see `know_copy`.
        """
        query = "SELECT head FROM dropped WHERE case_id = ? AND run = ?"
        found = self._database.execute(query, (case_id, run)).fetchone()
        return None if found is None else str(found[0])

    def know_copy(self, case_id: str, run: int) -> None:
        """Note that a case that is left out was begun in another run, of which this is a copy."""
        where = "WHERE case_id = ? AND run = ?"
        self._database.execute(f"UPDATE dropped SET head = '' {where}", (case_id, run))

    def charge(self, run: int, *, here: bool) -> None:
        """Count the charges of a run; what two copies of one run have counts once.

        Args:
            run: The run.
            here: Whether it is the run that others are merged into.
        """
        kept = self._sources[run].reader.kept
        for call_id, case_id, kind, tokens, usd, number in (
            kept.rows(_CHARGES) if kept.has("charges") else ()
        ):
            if not here:
                kind = "estimated" if kind == "open" else kind  # its process may be gone
                head = self.dropped(case_id, run) if kind == "estimated" else None
                if head:
                    kind = told_apart(_LEFT_OUT, head)
            self.add_charge((call_id, case_id, kind, tokens, usd), number, here=here)

    def add_charge(self, row: tuple[Any, ...], number: int = 1, *, here: bool = False) -> None:
        """Count a charge: the most of one kind that a run has is how often it was made."""
        self._database.execute(
            "INSERT INTO charged VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "here = max(here, excluded.here), most = max(most, excluded.most)",
            (msgspec.json.encode(row).decode(), number if here else 0, number),
        )

    def charges(self) -> Iterator[tuple[Any, ...]]:
        """Yield the charges that the merged run lacks."""
        for row, number in self._database.execute(
            "SELECT row, most - here FROM charged WHERE most > here ORDER BY row"
        ):
            for _ in range(number):
                yield tuple(msgspec.json.decode(row))

    def _rows(self, source: Source) -> Iterator[tuple[Any, ...]]:
        kept = source.reader.kept
        return kept.rows(_CASES.format(head=kept.head))

    def _take(self, run: int, source: Source, row: tuple[Any, ...]) -> int | None:
        """Take a case, and return the run that has judged it otherwise, if one has."""
        case_id, query_id, target, scenario, intent, condition, head, body = row
        source.cases += 1
        head = head or source.reader.check_case(case_id).head
        found = self._database.execute(_FIND, (case_id,)).fetchone()
        if found is not None and found[1] == head:
            source.same += 1
        elif found is not None:
            source.differing += 1
            self._database.execute("INSERT INTO dropped VALUES (?, ?, ?)", (case_id, run, head))
        if found is not None:
            source.again[PlannedCases(target, condition, scenario, Intent(intent), 1)] += 1
            if found[1] == head:
                return None
        else:
            source.new += 1
            self._database.execute("INSERT INTO chosen VALUES (?, ?, ?)", (case_id, run, head))
        if body is not None:
            self._compare(run, query_id, self._decode(body).case.query, Condition.named(condition))
        return None if found is None else int(found[0])

    def _compare(self, run: int, query_id: str, query: Query, condition: Condition) -> None:
        own = self._sources[run].identity.get("dataset", {}).get("name") == "responses"
        for part, content in _parts(query, condition, own=own):
            printed = hashlib.sha256(msgspec.json.encode(content)).digest()[:16]
            found: tuple[bytes, int] | None = self._database.execute(
                _PRINT, (query_id, part)
            ).fetchone()
            if found is None:
                row = (query_id, part, printed, run)
                self._database.execute("INSERT INTO prints VALUES (?, ?, ?, ?)", row)
            elif found[0] != printed:
                one, two = self._sources[found[1]].directory, self._sources[run].directory
                raise RecordError(
                    f"{two}: {query_id!r} is another query there than in {one}: it has "
                    f"{_WORDS[part.partition(' ')[0]]}. Only runs in which one id means one "
                    "query can be merged."
                )

    def _refusal(self, case_id: str, first: int, second: int) -> str:
        one, two = self._sources[first].directory, self._sources[second].directory
        number = sum(source.differing for source in self._sources)
        others = "" if number == 1 else f", one of {many(number, 'such case')}"
        return (
            f"{case_id!r} was judged in {one} and, otherwise, in {two}{others}: add --prefer first "
            f"to keep what {Path(one).name} found, or merge one of them alone."
        )


def told_apart(kind: str, what: str) -> str:
    """Return the kind of a charge that another of the same amount is not, unless it is a copy.

    Args:
        kind: The kind of charge.
        what: What it was spent on, in whatever words.
    """
    return f"{kind}:{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def _parts(query: Query, condition: Condition, *, own: bool) -> Iterator[tuple[str, object]]:
    """Yield what is the same wherever a query is put in the same way.

    Args:
        query: The query, as it was put.
        condition: How it was put.
        own: Whether a file of responses asks it, whose rows may have words of their own.
    """
    yield "about", [query.scenario, query.intent]
    if own and query.underlying_request is not None:
        yield "request", query.underlying_request
        return
    if not own:
        yield "labels", sorted(query.labels.items())
        yield f"request {condition.image}", query.underlying_request
    if condition.parts != "audio":
        yield "text", query.text
    if condition.parts != "text":
        yield "sound", query.audio and query.audio.sha256
    images = [image.sha256 for image in query.images]
    yield f"image {condition.image}", [images, content_of_messages(query.messages)]
