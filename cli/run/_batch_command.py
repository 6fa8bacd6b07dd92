"""What `safejury export-batch` and `safejury import-batch` do, and what they say."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from ...assembly import load_config
from ...common import ConfigurationError, escape_line
from ...common.text import count, dollars, many
from ...evaluation import Setup, set_up
from ...evaluation.batch import (
    Exported,
    Imported,
    Limits,
    Place,
    Untaken,
    asked_live,
    export_batch,
    import_batch,
)
from ..console import arguments_of, run_async, say

_FOLDER = "batch"
"""Folder of the files within a run's directory, unless another place is named."""


def export_config(
    path: Path,
    changes: Sequence[str],
    *,
    out: Path | None,
    ask: bool,
    untaken: Sequence[Untaken],
    limits: Limits,
) -> int:
    """Write a config's batch files and say what they hold."""
    setup = set_up(load_config(path, changes), path.parent)
    place = Place.of(out or setup.directory / _FOLDER)
    with Console(stderr=True).status("Writing requests …") as status:

        def report(done: Exported) -> None:
            status.update(f"{done.cases} of {setup.total} cases, {done.requests} requests …")

        done = run_async(
            export_batch(
                setup, place, ask=ask, untaken=frozenset(untaken), limits=limits, report=report
            )
        )
    if not done.requests and not done.answered:
        raise ConfigurationError(f"there is nothing to write: {_why_nothing(done, ask=ask)}")
    for file in done.files:
        sys.stdout.write(f"{escape_line(str(file.path))}\n")
    for line in _told(setup, done, arguments_of(path, changes), place, ask=ask):
        say(line)
    return 0


def import_files(
    path: Path, files: Sequence[Path], changes: Sequence[str], *, price_factor: float
) -> int:
    """Take a batch's answers into a config's record and say what became of them."""
    setup = set_up(load_config(path, changes), path.parent)
    with Console(stderr=True).status("Reading answers …"):
        done = run_async(import_batch(setup, files, price_factor=price_factor))
    for line in _read(done, arguments_of(path, changes)):
        say(line)
    return 0


def _why_nothing(done: Exported, *, ask: bool) -> str:
    if done.missing:
        return f"the record has no response yet for {_by_target(done)}: {_how_to_ask(ask)}"
    if done.problems:
        return f"no file can hold the requests; the first is {done.problems[0]}"
    if done.cases:
        return f"no target answered in {count(done.cases)} cases, so no juror hears them"
    return "all cases are finished"


def _how_to_ask(asked: bool) -> str:
    return "a run alone starts their servers" if asked else "--ask asks the targets for them"


def _by_target(done: Exported) -> str:
    return ", ".join(f"{count(cases)} cases of {name}" for name, cases in done.missing.items())


def _told(
    setup: Setup, done: Exported, arguments: str, place: Place, *, ask: bool
) -> Iterator[str]:
    for file in done.files:
        most = "" if not file.usd else f", at most {dollars(file.usd)} if asked live"
        yield (
            f"{escape_line(file.path.name)}: {many(file.requests, 'request')} to "
            f"{escape_line(file.model)}, {count(file.size)} bytes{most}"
        )
    if done.answered:
        yield f"{count(done.answered)} more are answered in the record already."
    if done.missing:
        yield (
            f"Left out, because the record has no response yet: {escape_line(_by_target(done))}; "
            f"{_how_to_ask(ask)}."
        )
    if done.unheard:
        kinds = ", ".join(f"{count(cases)} {kind}" for kind, cases in done.unheard.items())
        yield f"No juror hears the cases without an answer: {kinds}."
    if done.unwritable:
        yield f"{many(done.unwritable, 'request')} could not be written; the first:"
        yield from (f"  {escape_line(line)}" for line in done.problems)
    if live := asked_live(setup):
        seats = ", ".join(f"{seat} ({escape_line(model)})" for seat, model in live)
        yield f"Asked live by the run, because no batch reaches them: {seats}."
    if done.files:
        yield f"Send the files, then: safejury import-batch {arguments} ANSWERS.jsonl"
    else:
        yield f"Nothing was left to write; go on with: safejury run {arguments}"
    yield f"The manifest is {escape_line(str(place.manifest))}."


def _read(done: Imported, arguments: str) -> Iterator[str]:
    yield (
        f"{many(done.lines['taken'], 'answer')} taken, {count(done.lines['known'])} already in the "
        f"record; {count(done.answered)} of {count(done.expected)} round-0 ballots have one."
    )
    if done.not_taken:
        yield f"{many(done.not_taken, 'line')} not taken: {done.in_words()}."
        yield from (f"  {escape_line(line)}" for line in done.problems)
        if done.not_taken > len(done.problems):
            yield f"  and {count(done.not_taken - len(done.problems))} more"
    left = done.expected - done.answered
    rest = f"The run asks for the other {count(left)} live. " if left else ""
    yield f"{rest}Go on with: safejury run {arguments}"
