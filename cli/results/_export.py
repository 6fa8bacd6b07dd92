"""The command that writes a run for other tools: `safejury export`."""

from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError, escape_line
from ..console import Reveal, RunPath, guarded, say


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
    reveal: Reveal = False,
) -> int:
    """Write a run for other tools. No model is called."""
    if inspect is None:
        raise ConfigurationError(
            f"say what to write: safejury export {run} --inspect FILE.eval for Inspect"
        )
    return _write_logs(run, inspect, reveal=reveal)


def _write_logs(run: Path, path: Path, *, reveal: bool) -> int:
    from ...common import require
    from ...common.text import many

    require("writing a log of Inspect", "inspect_ai")
    from ...evaluation.interop.inspect_log import export_inspect

    for log in export_inspect(run, path, reveal=reveal):
        left = (log.planned or 0) - log.samples
        unfinished = f"; {many(left, 'case')} not finished" if left > 0 else ""
        target = escape_line(log.target)
        say(f"Wrote {log.path}: {target}, {many(log.samples, 'sample')}{unfinished}.")
    if reveal:
        say("Inspect's viewer shows questions, responses and media as they are, harmful ones too.")
    else:
        say("Questions, responses, quotes and media are withheld: add --reveal to write them.")
    return 0
