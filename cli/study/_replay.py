"""The command that decides a finished run again: `safejury replay`."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError
from ..console import RunPath, guarded, say

if TYPE_CHECKING:
    from ...evaluation.trust.replay import ReplayForm


class ListFormat(StrEnum):
    """Format of a list of cases."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    JSONL = "jsonl"


@guarded
def replay(
    run: RunPath,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Set a key of jury.protocol, or jury.card; repeatable.",
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(metavar="CARD", help="Jury card for rules that use one: jury.card."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="JUROR", help="Leave a juror's ballots out; repeatable."),
    ] = None,
    round: Annotated[
        int | None,
        typer.Option(min=0, max=0, metavar="0", help="Count only the ballots before any talk."),
    ] = None,
    format: Annotated[
        ListFormat, typer.Option(help="Format on the screen; csv and jsonl list changed cases.")
    ] = ListFormat.TEXT,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the list to a .json, .jsonl or .csv file."),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Show all changed cases.")] = False,
) -> int:
    """Decide a finished run again by another rule, stop or jury. No model is called."""
    from ...common.files import atomic_write, write_error
    from ...evaluation.trust import replay as replays

    form: ReplayForm | None = None
    if out is not None:
        form = _form_of(out)
    settings = [
        *(changes or ()),
        *(() if card is None else (f"jury.card={json.dumps(str(card))}",)),
    ]
    wanted = replays.Changes(tuple(settings), tuple(without or ()), round is not None)
    found = replays.replay_run(run, wanted)
    shown = None if all else replays.SHOWN
    sys.stdout.write(replays.written_replay(found, format.value, shown=shown))
    if out is not None and form is not None:
        text = replays.written_replay(found, form)
        try:
            with atomic_write(out, private=run.resolve() in out.resolve().parents) as file:
                file.write(text.encode())
        except OSError as error:
            raise write_error(out, error) from None
        say(f"Wrote {out}.")
    return 0


def _form_of(out: Path) -> "ReplayForm":
    """Return the form that the name of a file asks for.

    Raises:
        ConfigurationError: It asks for none.
    """
    match out.suffix.lower():
        case ".json":
            return "json"
        case ".jsonl":
            return "jsonl"
        case ".csv":
            return "csv"
        case _:
            raise ConfigurationError(f"--out {out}: name a .json, .jsonl or .csv file")
