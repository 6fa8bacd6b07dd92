"""Matches files of recorded responses with a run's queries, and notes what was skipped."""

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from ...assembly.config import SetConfig
from ...common import ConfigurationError, escape_line
from ...common.text import encodable, quoted
from ...targets import JoinBy, RecordedFile, RecordedQuestions, RecordedTarget
from ..trials import SKIPPED_ROWS, kept_rows, write_skipped
from ._datasets import open_dataset
from ._queries import QuerySet

FROM_FILES = "responses"
"""The dataset's name where the questions come from the files of responses."""

_Recorded = Mapping[str, RecordedTarget]


def find_queries(
    said: str | SetConfig | QuerySet,
    folder: Path,
    recorded: _Recorded,
    joins: Mapping[str, JoinBy],
) -> QuerySet:
    """Return a run's queries, and skip responses to any others.

    Args:
        said: The dataset of the config, or an open one.
        folder: Where its relative paths start.
        recorded: The targets that are recorded responses.
        joins: How responses find their queries, for targets that say so.

    Raises:
        ConfigurationError: There are no questions, or none that a file answers.
    """
    if said == FROM_FILES:
        if not recorded:
            raise ConfigurationError(
                "`dataset: responses` takes the questions from recorded responses, but no target "
                "has any: name a file as `responses:` of a target, or a dataset"
            )
        return RecordedQuestions(list(recorded.values()))
    dataset = open_dataset(said, folder) if isinstance(said, str | SetConfig) else said
    for target in recorded.values():
        target.join(dataset, f"the dataset {dataset.name!r}", joins.get(target.name))
    return dataset


def _by_file(recorded: _Recorded) -> Iterator[tuple[RecordedFile, list[RecordedTarget]]]:
    files = {id(target.file): target.file for target in recorded.values()}
    for file in files.values():
        yield file, [target for target in recorded.values() if target.file is file]


def models_note(file: RecordedFile, targets: Sequence[RecordedTarget]) -> str | None:
    """Return a note on the models whose responses are judged, None where it is obvious.

    Args:
        file: A file of responses.
        targets: The targets in it.
    """
    if not file.is_split:
        return None
    shown = ", ".join(quoted(target.name) for target in targets)
    several = f"{file.path.name}: has responses of {len(file.models)} models"
    whole = len(targets) == len(file.models)
    return escape_line(
        f"{several}, judged as {len(targets)} targets: {shown}"
        if whole
        else f"{several}; judged are those of {shown} alone"
    )


def lasting_notes(recorded: _Recorded) -> Iterator[str]:
    """Yield the notes on the files that reports repeat, a line each."""
    for file, targets in _by_file(recorded):
        yield from (escape_line(f"{file.path.name}: {remark}") for remark in file.remarks)
        for target in targets:
            if target.joined is not None:
                whose = f", those of {quoted(target.name)}" if file.is_split else ""
                yield escape_line(f"{file.path.name}{whose}: {target.joined}")


def recorded_notes(recorded: _Recorded, epochs: int) -> Iterator[str]:
    """Yield the notes on the files before they are judged, a line each."""
    for file, targets in _by_file(recorded):
        yield from filter(None, [models_note(file, targets)])
    yield from lasting_notes(recorded)
    for target in recorded.values():
        left_out, file = target.left_out, target.path.name
        if left_out.count:
            shown = "; ".join(map(str, left_out.first))
            more = "; …" if left_out.count > len(left_out.first) else ""
            rows = "1 row is" if left_out.count == 1 else f"{left_out.count} rows are"
            yield escape_line(
                f"{file}: {rows} left out (all are listed in {SKIPPED_ROWS}): {shown}{more}"
            )
        if target.epochs > epochs:
            yield escape_line(
                f"{file}: has responses for {target.epochs} epochs, but run.epochs is {epochs}: "
                "those of later epochs are not judged"
            )


def write_skipped_rows(directory: Path, recorded: _Recorded, left: Container[str] = ()) -> None:
    """Write the list of skipped rows into the run's directory; no file if there are none.

    Args:
        directory: The run's directory.
        recorded: Its targets that are files of responses.
        left: Targets that the run has no more, whose cases and skipped rows stay.

    Raises:
        RecordError: It cannot be written.
    """
    lines = (
        {
            "target": target.name,
            "file": encodable(target.path.name),
            "place": row.place,
            "why": row.why,
            **({"unread": row.unread} if row.unread else {}),
        }
        for target in recorded.values()
        for row in target.all_left_out()
    )
    path = directory / SKIPPED_ROWS
    write_skipped(path, chain(kept_rows(path, left), lines))
