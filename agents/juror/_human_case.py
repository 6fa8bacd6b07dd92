"""A case in words for a person on the jury, and the files that came with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from ...common import escape_controls
from ...datasets import Media, ShownTurn, shown_turns
from ..ballot import CUT_OFF, BallotCall, Statement, one_line, written_down
from ..case import Case
from ..prompts import Rubric
from ._human_turn import table_in_words

_NOUNS = {"audio": "recording", "video": "video"}
_SUFFIXES = {"jpeg": "jpg", "mpeg": "mp3", "x-wav": "wav"}
_BEHIND = '"$@" >/dev/null 2>&1 &'
"""Starts a viewer that outlives whoever started it."""


@dataclass(frozen=True, slots=True)
class CaseInWords:
    """A case as a person reads it, escaped for a terminal.

    Attributes:
        judged_by: The rubric or the guideline; empty where there is neither.
        query: What was asked, and the places of the files that came with it.
        response: What came back.
    """

    judged_by: str
    query: str
    response: str

    @classmethod
    def of(cls, case: Case, rubric: Rubric | None, places: Sequence[tuple[str, str]]) -> Self:
        """Put a case in words.

        Args:
            case: The case.
            rubric: What it is judged by, None for the bundled rubric.
            places: Kind and path of each file that came with the query.
        """
        asked = [
            *_query(case),
            *(f"The query came with a {kind}: {escape_controls(path)}" for kind, path in places),
            _request(case),
            _transcript(case),
        ]
        cut = f" ({CUT_OFF})" if case.is_cut_off else ""
        said = [*map(_turn, case.since), f"--- Response{cut}\n{_quoted(case.response.text)}"]
        return cls(_judged_by(case, rubric), _joined(asked), _joined(said))


def in_words(call: BallotCall, places: Sequence[tuple[str, str]], number: str) -> str:
    """Return all that a person on the jury reads of a case.

    Args:
        call: What is asked.
        places: Kind and path of each file that came with the query.
        number: Which of how many cases it is, empty for nothing.
    """
    words = CaseInWords.of(call.case, call.rubric, places)
    parts = [
        f"\n=== Case {number}{escape_controls(call.case.id)}, round {call.round}",
        words.judged_by,
        words.query,
        words.response,
        _discussion(call) if call.round else "",
    ]
    return f"{_joined(parts)}\n\n"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(filter(None, parts))


def viewer() -> str | None:
    """Return the program that opens files on this desktop, None where there is none."""
    if sys.platform == "darwin":
        return shutil.which("open")
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return shutil.which("xdg-open") if has_display else None


def open_files(program: str, places: Sequence[tuple[str, str]]) -> None:
    """Open files in windows of their own, and wait for none of them."""
    for _, path in places:
        command = ["sh", "-c", _BEHIND, "sh", program, path]
        subprocess.run(command, stdin=subprocess.DEVNULL, start_new_session=True, check=False)


@contextmanager
def openable(media: Sequence[Media]) -> Generator[list[tuple[str, str]]]:
    """Yield kind and path of each medium, under a file name that viewers can open.

    A run keeps media by their hash alone, and most viewers go by a name's end. The names
    last as long as the block.
    """
    with TemporaryDirectory(prefix="safejury-") as folder:
        places: list[tuple[str, str]] = []
        for number, medium in enumerate(media, 1):
            general, _, special = medium.media_type.partition("/")
            kind = _NOUNS.get(general, "picture")
            path = Path(medium.path).absolute()
            if not path.suffix and path.exists():
                named = Path(folder) / f"{kind}-{number}.{_SUFFIXES.get(special, special)}"
                named.symlink_to(path)
                path = named
            places.append((kind, str(path)))
        yield places


def _query(case: Case) -> list[str]:
    """Return what was asked; of a conversation each turn by itself."""
    if not case.query.messages:
        return [f"--- Query\n{_quoted(case.query.text)}"]
    return [_turn(turn) for turn in shown_turns(case.query.messages)]


def _turn(turn: ShownTurn) -> str:
    calls = (f"It calls a tool:\n{_quoted(call)}" for call in turn.calls)
    words = [_quoted(turn.text)] if turn.text else []
    return "\n".join([f"--- {turn.heading}", *words, *calls])


def _judged_by(case: Case, rubric: Rubric | None) -> str:
    if rubric is not None:
        return f"--- Rubric\n{_quoted(rubric.in_words(case))}"
    return f"Guideline: {escape_controls(case.guideline)}" if case.guideline else ""


def _quoted(text: str) -> str:
    """Return evidence with a bar before each line, so that none can pose as ours."""
    return "\n".join(f"| {line}" for line in escape_controls(text).split("\n"))


def _request(case: Case) -> str:
    request = case.query.underlying_request
    return "" if request is None else f"--- What it asks for, as its set says\n{_quoted(request)}"


def _transcript(case: Case) -> str:
    if case.transcript is None or written_down(case) is None:
        return ""
    return f"--- {escape_controls(case.transcript.title)}\n{_quoted(case.transcript.words)}"


def _discussion(call: BallotCall) -> str:
    if call.conversation is not None:
        return table_in_words(call.conversation)
    own = Statement.of(call.own) if call.own else None
    lines = [f"You said: {one_line(own)}" if own else "You reached no finding."]
    lines += [f"Another juror: {one_line(statement)}" for statement in call.peers]
    return escape_controls("--- The jury so far\n" + "\n".join(lines))
