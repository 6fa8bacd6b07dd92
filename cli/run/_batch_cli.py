"""The commands that have a batch judge a run: `safejury export-batch` and `import-batch`."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Changes, ConfigPath, Untaken, guarded


@guarded
def export_batch(
    config: ConfigPath,
    changes: Changes = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="NAME.jsonl or a folder; in the run's unless given."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask live targets for responses not recorded yet.")
    ] = False,
    without: Annotated[
        list[Untaken] | None,
        typer.Option(help="What the jurors' models do not take; repeatable."),
    ] = None,
    max_requests: Annotated[int, typer.Option(min=1, help="Most requests in a file.")] = 50_000,
    max_megabytes: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, help="Largest file.")
    ] = 200.0,
) -> int:
    """Write the jury's first ballots as batch files. OpenAI's format, answered offline."""
    from ...evaluation.batch import Limits
    from ._batch_command import export_config

    return export_config(
        config,
        changes or (),
        out=out,
        ask=ask,
        untaken=[name.value for name in without or ()],
        limits=Limits(max_requests, int(max_megabytes * 1_000_000)),
    )


@guarded
def import_batch(
    config: ConfigPath,
    files: Annotated[list[Path], typer.Argument(help="Output and error files of the batch.")],
    changes: Changes = None,
    price_factor: Annotated[
        float, typer.Option(min=0, max=1, help="A batch's price as a share of the live one.")
    ] = 0.5,
) -> int:
    """Take a batch's answers into the record. `run` finds them there."""
    from ._batch_command import import_files

    return import_files(config, files, changes or (), price_factor=price_factor)
