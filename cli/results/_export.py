"""The command that writes a run for other tools: `safejury export`."""

from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError, escape_line
from ..console import Reveal, RunPath, checking_record, guarded, say


@guarded
def export(
    run: RunPath,
    inspect: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.eval",
            help="Write a log for Inspect's viewer and tools; one for each target and condition.",
        ),
    ] = None,
    shareable: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a copy of the run that has its figures, and no words, media or addresses.",
        ),
    ] = None,
    keep_labels: Annotated[
        bool,
        typer.Option("--keep-labels", help="Keep the labels of queries in a shareable copy."),
    ] = False,
    reveal: Reveal = False,
) -> int:
    """Write a run for other tools, or to share its figures. No model is called."""
    if (inspect is None) == (shareable is None):
        raise ConfigurationError(
            f"say what to write, one at a time: safejury export {run} --inspect FILE.eval for "
            "Inspect, or --shareable DIR to share its figures without its words"
        )
    if shareable is not None:
        if reveal:
            raise ConfigurationError("--reveal and --shareable: a shareable copy has no words")
        return _share(run, shareable, keep_labels=keep_labels)
    if keep_labels:
        raise ConfigurationError("--keep-labels goes with --shareable")
    assert inspect is not None
    return _write_logs(run, inspect, reveal=reveal)


def _share(run: Path, into: Path, *, keep_labels: bool) -> int:
    from ...common.text import many
    from ...evaluation.record import share_run

    with checking_record():
        found = share_run(run, into, labels=keep_labels)
    kept = " Labels of queries are in it: see that none says too much." if found.labels else ""
    say(
        f"Wrote {escape_line(str(into))}: {many(found.cases, 'case')}, without questions, "
        f"responses, the jurors' words and media.{kept}"
    )
    say("Names of targets, jurors and queries, categories and numbers stay: docs/sharing.md.")
    say(f"It says that it was made of the run with SHA-256 {found.sha256}.")
    return 0


def _write_logs(run: Path, path: Path, *, reveal: bool) -> int:
    from ...common import require
    from ...common.text import many

    require("writing a log of Inspect", "inspect_ai")
    from ...evaluation.interop.inspect_log import export_inspect

    with checking_record():
        logs = export_inspect(run, path, reveal=reveal)
    for log in logs:
        left = (log.planned or 0) - log.samples
        unfinished = f"; {many(left, 'case')} not finished" if left > 0 else ""
        target = escape_line(log.target)
        say(f"Wrote {log.path}: {target}, {many(log.samples, 'sample')}{unfinished}.")
    if reveal:
        say("Inspect's viewer shows questions, responses and media as they are, harmful ones too.")
    else:
        say("Questions, responses, quotes and media are withheld: add --reveal to write them.")
    return 0
