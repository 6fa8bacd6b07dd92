"""The command that draws the figures of runs: `safejury figures`."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, escape_line
from ..console import (
    CardFile,
    ForceCard,
    LabelsFile,
    RunPaths,
    SafeWords,
    UnsafeWords,
    checking_record,
    guarded,
    say,
    write_line,
)

if TYPE_CHECKING:
    from ...evaluation.figures import Figure


@guarded
def figures(
    run: RunPaths,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the files, with an index.")
    ],
    format: Annotated[
        str, typer.Option(metavar="LIST", help="Files of each figure: svg, png, csv, pdf.")
    ] = "svg,png,csv",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Draw only this figure, such as radar; repeatable."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Draw only this target; repeatable."),
    ] = None,
    labels: LabelsFile = None,
    unsafe_word: UnsafeWords = None,
    safe_word: SafeWords = None,
    card: CardFile = None,
    force_card: ForceCard = False,
) -> int:
    """Draw the figures of runs of one jury. No model is called."""
    from ...evaluation.figures import figures_of, read_formats, write_figures
    from ...evaluation.leaderboard import Leaderboard
    from ...evaluation.report import Correction, StoredRun

    formats, wanted = read_formats(format), only or ()
    correction = Correction.read(
        labels,
        card,
        unsafe_words=unsafe_word or (),
        safe_words=safe_word or (),
        force=force_card,
    )
    with ExitStack() as stack:
        runs = [stack.enter_context(closing(StoredRun(each))) for each in run]
        with checking_record():
            board = Leaderboard.of(runs, correction)
    board = board.only(target) if target else board
    drawn = figures_of(board, wanted)
    lacking = [f"{name}: {why}" for name, why in drawn.left_out.items()]
    if not drawn or (wanted and lacking):
        raise ConfigurationError(f"there is nothing to draw for {'; '.join(lacking)}")
    for note in board.notes:
        say(f"Note: {escape_line(note)}")
    index = write_figures(
        drawn,
        out,
        formats,
        title=f"Figures of {', '.join(each.name for each in board.runs)}",
        notes=board.notes,
        told=_tell,
    )
    for each in lacking:
        write_line(f"left out {each}")
    say(f"Wrote {index}.")
    return 0


def _tell(figure: "Figure") -> None:
    write_line(f"{figure.name}: {figure.title}")
