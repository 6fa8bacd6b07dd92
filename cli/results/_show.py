"""The command that replays a case of a run: `safejury show`."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, escape_line
from ..console import EXIT_INFRASTRUCTURE, Export, Reveal, RunPath, guarded, say

if TYPE_CHECKING:
    from ...evaluation.record import CheckedCase


@guarded
def show(
    run: RunPath,
    case: Annotated[
        str | None,
        typer.Argument(metavar="CASE", help="A case id or a query id; without it, list all cases."),
    ] = None,
    reveal: Reveal = False,
    export: Export = None,
) -> int:
    """Replay a stored transcript, or list a run's cases."""
    from rich.console import Console

    from ...common.files import make_private
    from ...deliberation import check_export_path, export_transcript, render_case
    from ...evaluation.report import StoredRun
    from ...models import EMBEDDED_WARNING

    if export is not None:
        check_export_path(export)
        if case is None:
            raise ConfigurationError(
                f"--export writes the transcript of one case: name it, as in safejury show "
                f"{run} CASE --export {export}; without --export the cases are listed"
            )
    if case is None:
        from ._case_list import CaseList, list_on_screen

        list_on_screen(run, CaseList(reveal=reveal))
        return 0
    with closing(StoredRun(run)) as stored:
        found, embedded = stored.case(case), stored.uses_embedded
        shared = stored.shared
        checked = stored.check_case(found.case_id)
    if checked.why is not None:
        say(escape_line(f"Warning: {_record_line(checked)}"))
    replayed = render_case(
        found.entries, found.jury, target=found.target, protocol=found.protocol, reveal=reveal
    )
    Console().print(replayed)
    if shared is not None:
        say(shared)
    elif not reveal:
        say("The question and the response are withheld: add --reveal to read them.")
    if embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    if export is not None:
        export_transcript(
            found.entries,
            found.jury,
            export,
            target=found.target,
            protocol=found.protocol,
            reveal=reveal,
            record=_record_line(checked),
        )
        if run.resolve() in export.resolve().parents:
            make_private(export)  # as all that is kept in a run's directory
        say(f"Wrote {export}.")
    return 0 if checked.why is None else EXIT_INFRASTRUCTURE


def _record_line(checked: "CheckedCase") -> str:
    """Return whether a case is as it was recorded, in words."""
    if checked.why is not None:
        return f"this case was changed after it was recorded: {checked.why}"
    unchained = " (recorded by a version that kept no chain)" if checked.unchained else ""
    return f"SHA-256 of the record {checked.head}{unchained}"
