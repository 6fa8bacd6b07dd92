"""A case in words for a person on the jury, and the files that came with it."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ...common import escape_controls
from ...datasets import Media, ShownTurn, shown_turns
from ..ballot import CUT_OFF, BallotCall, Statement, one_line, written_down
from ..case import Case
from ._human_turn import table_in_words

_NOUNS = {"audio": "recording", "video": "video"}
_SUFFIXES = {"jpeg": "jpg", "mpeg": "mp3", "x-wav": "wav"}
_BEHIND = '"$@" >/dev/null 2>&1 &'
"""Starts a viewer that outlives whoever started it."""


def in_words(call: BallotCall, places: Sequence[tuple[str, str]], number: str) -> str:
    """Return a case as a person reads it.

    Args:
        call: What is asked.
        places: Kind and path of each file that came with the query.
        number: Which of how many cases it is, empty for nothing.
    """
    case = call.case
    cut = f" ({CUT_OFF})" if case.is_cut_off else ""
    parts = [
        f"\n=== Case {number}{escape_controls(case.id)}, round {call.round}",
        _judged_by(call),
        *_query(case),
        *(f"The query came with a {kind}: {escape_controls(path)}" for kind, path in places),
        _request(case),
        _transcript(case),
        *map(_turn, case.since),
        f"--- Response{cut}\n{_quoted(case.response.text)}",
        _discussion(call) if call.round else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n\n"


def viewer() -> str | None:
    """Return the program that opens files on this desktop, None where there is none."""
    if sys.platform == "darwin":
        return shutil.which("open")
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return shutil.which("xdg-open") if has_display else None


async def open_files(program: str, places: Sequence[tuple[str, str]]) -> None:
    """Open files in a window of their own."""
    for _, path in places:
        command = ["sh", "-c", _BEHIND, "sh", program, path]
        await asyncio.to_thread(
            subprocess.run, command, stdin=subprocess.DEVNULL, start_new_session=True, check=False
        )


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


def _judged_by(call: BallotCall) -> str:
    if call.rubric is not None:
        return f"--- Rubric\n{_quoted(call.rubric.in_words(call.case))}"
    return f"Guideline: {escape_controls(call.case.guideline)}" if call.case.guideline else ""


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
