"""The command that removes what takes room: `safejury prune`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, SafejuryError
from ...common.text import file_size, quoted
from ..console import EXIT_USAGE, busy, guarded, say, write_line

if TYPE_CHECKING:
    from ...evaluation.keeping import Piece, PieceKind, Prunable

_AGE = re.compile(r"([0-9]{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_OPTIONS = {"leftovers": "--leftovers", "pages": "--pages", "media": "--media", "run": "--delete"}


@guarded
def prune(
    run: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Directories of runs, such as runs/*.")
    ],
    leftovers: Annotated[
        bool, typer.Option("--leftovers", help="Temporary files of processes that were killed.")
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages", help="Pages in a run's directory; report writes them anew.")
    ] = False,
    media: Annotated[
        bool,
        typer.Option(
            "--media", help="Pictures and sounds; cases keep their hashes, and no page shows them."
        ),
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Runs as a whole: record, media, labels and all else.")
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE", help="Only runs not written to for so long, such as 12h, 90d or 8w."
        ),
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="With --media: also of runs that are not finished.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Remove it. Without this, only list what would be removed."),
    ] = False,
) -> int:
    """Remove pages, media or all of runs, to free space. Without --yes nothing is removed."""
    from ...evaluation.keeping import PieceKind, look_at

    given = {
        PieceKind.LEFTOVERS: leftovers,
        PieceKind.PAGES: pages,
        PieceKind.MEDIA: media,
        PieceKind.RUN: delete,
    }
    kinds = [kind for kind, wanted in given.items() if wanted]
    if yes and not kinds:
        raise ConfigurationError(f"say what to remove: {', '.join(_OPTIONS.values())}")
    before = None if older_than is None else datetime.now(UTC) - _age(older_than)
    with busy("Looking at the runs …"):
        found = [look_at(each, unfinished=unfinished, before=before) for each in dict.fromkeys(run)]
    for each in found:
        if each.why_not is not None:
            say(f"{each.directory} is left as it is: {each.why_not}.")
        if media and not delete and each.keeps_media:
            say(f"{each.directory} keeps its media: it is not finished; --unfinished takes them.")
        if media and not (pages or delete):
            for page in each.of([PieceKind.PAGES]):
                say(f"Note: {page.path} holds pictures and sounds as well: add --pages.")
    if not yes:
        return _say_what(found, kinds)
    return _remove(found, kinds)


def _age(said: str) -> timedelta:
    parsed = _AGE.fullmatch(said)
    if parsed is None:
        raise ConfigurationError(
            f"--older-than {quoted(said)}: write hours, days or weeks, as 12h, 90d or 8w"
        )
    return timedelta(hours=int(parsed[1]) * _HOURS[parsed[2]])


def _say_what(found: Sequence["Prunable"], kinds: Sequence["PieceKind"]) -> int:
    """Say what would be removed, or could be where nothing was asked for; remove nothing."""
    total = 0
    for run in found:
        for piece in run.of(kinds) if kinds else run.pieces:
            total += piece.size if kinds else 0
            write_line(f"{_line(piece)}{'' if kinds else f': {_OPTIONS[piece.kind]}'}")
    if kinds:
        write_line(f"{file_size(total)} would be removed. Nothing was: add --yes.")
    elif any(run.pieces for run in found):
        say("Nothing was removed: add one of these options, and --yes.")
    return 0


def _remove(found: Sequence["Prunable"], kinds: Sequence["PieceKind"]) -> int:
    from ...evaluation.keeping import prune

    total, failed = 0, 0
    for run in found:
        try:
            total += prune(run, kinds, lambda piece: write_line(f"removed {_line(piece)}"))
        except SafejuryError as error:
            say(f"{error}")
            failed = max(failed, error.exit_code)
    write_line(f"{file_size(total)} removed.")
    held = any(run.why_not is not None and not run.too_young for run in found)
    return failed or (EXIT_USAGE if held else 0)


def _line(piece: "Piece") -> str:
    note = f" ({piece.note})" if piece.note else ""
    what = "the run" if piece.kind == "run" else str(piece.kind)
    return f"{piece.path}: {what}, {file_size(piece.size)}{note}"
