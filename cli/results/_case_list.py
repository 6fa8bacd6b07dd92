"""Lists the cases of a run, or their ballots: on the screen or in a file."""

import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from ...common import ConfigurationError, RecordError, escape_line, require
from ...common.files import atomic_write
from ...common.text import many
from ...deliberation import JuryCard, read_card
from ...evaluation import RecordReader
from ...evaluation.cases import (
    BallotRow,
    CaseFilter,
    CaseOrder,
    CaseRow,
    ballot_columns,
    ballot_rows,
    case_columns,
    case_rows,
    check_card,
    check_filter,
    plain_ballot,
    plain_case,
    write_csv,
    write_jsonl,
    write_parquet,
)
from ...models import EMBEDDED_WARNING
from ..console import checking_record, paged, say
from ._cases_table import write_ballots, write_cases

_OURS = ("cases", "ballots")
"""How files in a run's own folder begin that a list may replace."""


class FileFormat(StrEnum):
    """Format of a list of cases in a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class CaseList:
    """Which rows are listed.

    Attributes:
        filter: Of which cases.
        ballots: Whether a row is a ballot.
        reveal: Whether texts are shown.
        card: File of a jury card, for corrected probabilities.
        force_card: Whether it may be of another jury of the same names.
        limit: Most rows, None for all.
        offset: Rows passed over.
        order: Of the cases.
        jurors: Seats whose ballots are listed; all unless given.
    """

    filter: CaseFilter = CaseFilter()
    ballots: bool = False
    reveal: bool = False
    card: Path | None = None
    force_card: bool = False
    limit: int | None = None
    offset: int = 0
    order: CaseOrder = "query"
    jurors: tuple[str, ...] = ()


class _Rows:
    """The rows of a list, counted as they are read."""

    def __init__(self, reader: RecordReader, wanted: CaseList) -> None:
        self.reader, self.wanted = reader, wanted
        self.shown = 0
        self._card = None if wanted.card is None else _card(reader, wanted.card, wanted)
        self._all = self._read()
        self.passed = sum(1 for _ in islice(self._all, wanted.offset))

    def __iter__(self) -> Iterator[Any]:
        for row in islice(self._all, self.wanted.limit):
            self.shown += 1
            yield row

    def _read(self) -> Iterator[CaseRow | BallotRow]:
        wanted, reveal, order = self.wanted, self.wanted.reveal, self.wanted.order
        if not wanted.ballots:
            return case_rows(
                self.reader, wanted.filter, reveal=reveal, card=self._card, order=order
            )
        rows = ballot_rows(self.reader, wanted.filter, reveal=reveal, order=order)
        return (row for row in rows if not wanted.jurors or row.juror in wanted.jurors)

    def summary(self) -> str:
        """Return how many there are, after they were read, and how to see the others."""
        what = "ballot" if self.wanted.ballots else "case"
        finished = self.reader.counts()[0]
        if not finished:
            return "No case is finished yet."
        more = sum(1 for _ in self._all)
        found = self.passed + self.shown + more
        if not found:
            return f"No {what} matches, of {many(finished, 'finished case')}."
        said = many(found, what)
        if not self.wanted.ballots:
            all_of = many(finished, "finished case")
            said = all_of if found == finished else f"{found:,} of {all_of}"
        if self.shown < found:
            last = self.passed + self.shown
            said = f"{said}, {self.shown:,} shown"
            if more:
                said += f"; the next ones: --offset {last}"
        return f"{said}."


def list_on_screen(run: Path, wanted: CaseList) -> None:
    """Print a list as a table.

    Raises:
        SafejuryError: The run cannot be read or was changed, or the list cannot be made of it.
    """
    with _opened(run, wanted) as rows:
        write = write_ballots if wanted.ballots else write_cases
        with paged() as console:
            write(console, rows, reveal=wanted.reveal)
        say(rows.summary())
        if rows.shown and not wanted.reveal:
            say("Questions, responses and reasons are withheld: add --reveal to read them.")


def list_in_file(run: Path, wanted: CaseList, form: FileFormat, out: Path | None) -> None:
    """Write a list to a file, whole or not at all, or to standard output.

    Args:
        run: The run's directory.
        wanted: The list.
        form: The format.
        out: The file; None for standard output.

    Raises:
        SafejuryError: See `list_on_screen`; or the file cannot be written.
    """
    if form is FileFormat.PARQUET:
        require("writing Parquet", "pyarrow")
        if out is None and sys.stdout.isatty():
            raise ConfigurationError("Parquet is no text for a terminal: add --out FILE")
    if out is None:
        with _opened(run, wanted) as rows:
            _write_to_stdout(rows, form)
            say(rows.summary())
        return
    _refuse_record(run, out)
    try:
        with atomic_write(out, private=True) as file, _opened(run, wanted) as rows:
            _write_to(file, rows, form)
            summary = rows.summary()
    except OSError as error:
        raise ConfigurationError(
            f"--out {out}: it cannot be written ({error.strerror or error}): name a file in a "
            "folder that is there and that you may write to"
        ) from None
    say(f"Wrote {out}: {summary[0].lower()}{summary[1:]}")


def _refuse_record(run: Path, out: Path) -> None:
    """Refuse to replace what a run consists of.

    Raises:
        ConfigurationError: The file is part of the run.
    """
    inside = run.resolve() in out.resolve().parents
    if inside and out.exists() and not out.name.startswith(_OURS):
        raise ConfigurationError(f"--out {out}: the run has this file already: choose another name")


@contextmanager
def _opened(run: Path, wanted: CaseList) -> Generator[_Rows]:
    with closing(RecordReader(run)) as reader:
        try:
            check_filter(
                wanted.filter, reader, wanted.jurors
            )  # first: to check the record may take a minute
        except RecordError:
            reader.check_unchanged()
            raise
        with checking_record():
            reader.check_unchanged()
        done, planned = reader.counts()[0], reader.meta.plan.total
        if done < planned:
            say(f"Note: {done:,} of {many(planned, 'planned case')} are finished so far.")
        if reader.meta.raw.get("embedded") == "yes":
            say(f"Note: {EMBEDDED_WARNING}")
        yield _Rows(reader, wanted)


def _card(reader: RecordReader, file: Path, wanted: CaseList) -> JuryCard:
    card = read_card(file)
    note = check_card(card, reader.meta, str(file), force=wanted.force_card)
    if note is not None:
        say(f"Note: {escape_line(note)}")
    return card


def _write_to_stdout(rows: _Rows, form: FileFormat) -> None:
    if form is FileFormat.PARQUET:
        sys.stdout.flush()
        _write_to(sys.stdout.buffer, rows, form)
    else:
        _write_text(sys.stdout, rows, form)


def _write_to(file: BinaryIO, rows: _Rows, form: FileFormat) -> None:
    if form is FileFormat.PARQUET:
        write_parquet(*_plain(rows), file)
        return
    text = TextIOWrapper(file, "utf-8", newline="")
    _write_text(text, rows, form)
    text.flush()
    text.detach()


def _write_text(out: TextIO, rows: _Rows, form: FileFormat) -> None:
    write = write_csv if form is FileFormat.CSV else write_jsonl
    write(*_plain(rows), out)


def _plain(rows: _Rows) -> tuple[Iterator[dict[str, Any]], Any]:
    reveal = rows.wanted.reveal
    if rows.wanted.ballots:
        ballots = (plain_ballot(cast("BallotRow", row), reveal=reveal) for row in rows)
        return ballots, ballot_columns(reveal=reveal)
    columns = case_columns(rows.reader.values("label"), reveal=reveal)
    return (plain_case(cast("CaseRow", row), reveal=reveal) for row in rows), columns
