"""The command with which people label cases of a run: `safejury review`."""

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError
from ..console import Reveal, RunPath, guarded, logs_to_screen, say

if TYPE_CHECKING:
    from ...evaluation.trust.review import Review


class Intents(StrEnum):
    """Intent of the queries whose cases are labeled."""

    HARMFUL = "harmful"
    BENIGN = "benign"
    ALL = "all"


@guarded
def review(
    run: RunPath,
    annotator: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who labels; by default, the system's user."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The labels; by default labels.jsonl in the run."),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Cases drawn at random, by verdict; by default 120, or 60 a target if more. "
            "More than before adds cases.",
        ),
    ] = None,
    contested: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Contested and close cases besides; by default a quarter of that."
        ),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Share of the cases that every annotator is shown; 1 by default."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the draw, fixed at the start; 0 by default.")
    ] = None,
    intent: Annotated[
        Intents | None,
        typer.Option(help="Intent of the queries, fixed at the start; harmful by default."),
    ] = None,
    ratings: Annotated[
        bool, typer.Option("--ratings", help="Ask for a rating, 1 to 5, as well.")
    ] = False,
    reveal: Reveal = False,
    ties: Annotated[
        bool,
        typer.Option("--ties", help="Only cases on which the others are split evenly."),
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Show how far the labels are; ask for none.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write what is left to label as a table to fill in."),
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", metavar="FILE", help="Take over the labels of a filled-in table."),
    ] = None,
    redraw: Annotated[
        bool,
        typer.Option("--redraw", help="Draw again where verdicts have changed since."),
    ] = False,
) -> None:
    """Label cases of a finished run, blind to what its jury said."""
    from ...evaluation.trust.review import ReviewOptions, checked_name, open_review

    if sum((summary, export is not None, import_ is not None)) > 1:
        raise ConfigurationError("--summary, --export and --import: give one of them")
    if summary:
        from ._review_summary import show_summary

        show_summary(run, labels)
        return
    who = checked_name(annotator if annotator is not None else _user())
    chosen = None if intent is None else intent.value
    options = ReviewOptions(random, contested, overlap, seed, chosen, redraw)
    with open_review(run, labels, options) as opened:
        if export is not None or import_ is not None:
            _through_a_table(opened, who, export, import_, reveal=reveal)
            return
        _ask(opened, who, reveal=reveal, ratings=ratings, ties=ties)


def _ask(review: "Review", annotator: str, *, reveal: bool, ratings: bool, ties: bool) -> None:
    from ..review import Session, labeled_in_words, review_in_lines, show_review

    with Session(review, annotator, reveal=reveal, ratings=ratings, ties=ties) as session:
        if _has_screen():
            show_review(session, review.directory.resolve().name)
        else:
            review_in_lines(session)
        said = labeled_in_words(session)
    say(f"{said} by {annotator}, in {review.file.path}.")


def _through_a_table(
    review: "Review", annotator: str, export: Path | None, import_: Path | None, *, reveal: bool
) -> None:
    from ...common.text import many
    from ...evaluation.trust.review import export_cases, import_labels

    if export is not None:
        count = export_cases(review, annotator, export, reveal=reveal)
        say(f"Wrote {many(count, 'case')} to {export}: fill in the column label (unsafe or safe).")
        say(f"Then: safejury review {review.directory} --import {export}")
    elif import_ is not None:
        count = import_labels(review, annotator, import_)
        say(f"Took over {many(count, 'label')} from {import_} into {review.file.path}.")


def _has_screen() -> bool:
    if sys.platform == "win32" or logs_to_screen():
        return False
    from ..watch import why_no_screen

    return why_no_screen() is None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise ConfigurationError(
            "the system has no name for you: add --annotator NAME, which is kept with each label"
        ) from None
