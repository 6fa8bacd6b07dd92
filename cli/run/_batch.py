"""The commands that let a batch judge a run: `safejury export-batch` and `import-batch`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, escape_line
from ...common.text import count, dollars, many
from ..console import (
    Changes,
    ConfigPath,
    UnsupportedParameter,
    arguments_of,
    busy,
    guarded,
    run_async,
    say,
)

if TYPE_CHECKING:
    from ...evaluation import RunPlan
    from ...evaluation.batch import Exported, Imported, Place

_FOLDER = "batch"
"""Folder of the files within a run's directory, unless another place is named."""


@guarded
def export_batch(
    config: ConfigPath,
    changes: Changes = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="NAME.jsonl or a folder; by default, `batch` in the run's directory.",
        ),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask live targets for responses not recorded yet.")
    ] = False,
    without: Annotated[
        list[UnsupportedParameter] | None,
        typer.Option(help="Parameter that the jurors' models do not accept; repeatable."),
    ] = None,
    max_requests: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum requests per file.")
    ] = 50_000,
    max_megabytes: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, metavar="MB", help="Maximum file size.")
    ] = 200.0,
) -> int:
    """Write the jury's first ballots as batch files. OpenAI's format, answered offline."""
    from ...assembly import load_config
    from ...evaluation import batch as batches
    from ...evaluation import set_up

    plan = set_up(load_config(config, changes or ()), config.parent)
    place = batches.Place.of(out or plan.directory / _FOLDER)
    with busy("Writing requests …") as status:

        def report(done: "Exported") -> None:
            status.update(f"{done.cases} of {plan.total} cases, {done.requests} requests …")

        done = run_async(
            batches.export_batch(
                plan,
                place,
                ask=ask,
                unsupported=frozenset(name.value for name in without or ()),
                limits=batches.Limits(max_requests, int(max_megabytes * 1_000_000)),
                report=report,
            )
        )
    if not done.requests and not done.answered:
        raise ConfigurationError(f"there is nothing to write: {_why_nothing(done, ask=ask)}")
    for file in done.files:
        sys.stdout.write(f"{escape_line(str(file.path))}\n")
    for line in _export_lines(plan, done, arguments_of(config, changes or ()), place, ask=ask):
        say(line)
    return 0


@guarded
def import_batch(
    config: ConfigPath,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Output and error files of the batch.")
    ],
    changes: Changes = None,
    price_factor: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="FRACTION",
            help="Price of a batch as a fraction of the live price.",
        ),
    ] = 0.5,
) -> int:
    """Add a batch's replies to the record. `run` finds them there."""
    from ...assembly import load_config
    from ...evaluation import batch as batches
    from ...evaluation import set_up

    plan = set_up(load_config(config, changes or ()), config.parent)
    with busy("Reading replies …"):
        done = run_async(batches.import_batch(plan, files, price_factor=price_factor))
    for line in _import_lines(done, arguments_of(config, changes or ())):
        say(line)
    return 0


def _why_nothing(done: "Exported", *, ask: bool) -> str:
    if done.missing:
        return f"the record has no response yet for {_by_target(done)}: {_how_to_ask(ask)}"
    if done.problems:
        return f"no file can hold the requests; the first is {done.problems[0]}"
    if done.cases:
        return f"no target answered in {count(done.cases)} cases, so there is nothing to judge"
    return "all cases are finished"


def _how_to_ask(asked: bool) -> str:
    return "a run alone starts their servers" if asked else "--ask asks the targets for them"


def _by_target(done: "Exported") -> str:
    return ", ".join(f"{count(cases)} cases of {name}" for name, cases in done.missing.items())


def _export_lines(
    plan: "RunPlan", done: "Exported", arguments: str, place: "Place", *, ask: bool
) -> Iterator[str]:
    from ...evaluation.batch import asked_live

    for file in done.files:
        most = "" if not file.usd else f", at most {dollars(file.usd)} if asked live"
        yield (
            f"{escape_line(file.path.name)}: {many(file.requests, 'request')} to "
            f"{escape_line(file.model)}, {count(file.size)} bytes{most}"
        )
    if done.answered:
        yield f"{count(done.answered)} more already have a reply in the record."
    if done.missing:
        yield (
            f"Left out, because the record has no response yet: {escape_line(_by_target(done))}; "
            f"{_how_to_ask(ask)}."
        )
    if done.unjudged:
        kinds = ", ".join(f"{count(cases)} {kind}" for kind, cases in done.unjudged.items())
        yield f"Not judged, because the target did not answer: {kinds}."
    if done.unwritable:
        yield f"{many(done.unwritable, 'request')} could not be written; the first:"
        yield from (f"  {escape_line(line)}" for line in done.problems)
    if live := asked_live(plan):
        seats = ", ".join(f"{seat} ({escape_line(model)})" for seat, model in live)
        yield f"Asked live by the run, because their models have no batch API: {seats}."
    if done.files:
        yield f"Send the files, then: safejury import-batch {arguments} REPLIES.jsonl"
    else:
        yield f"Nothing left to write; resume with: safejury run {arguments}"
    yield f"The manifest is {escape_line(str(place.manifest))}."


def _import_lines(done: "Imported", arguments: str) -> Iterator[str]:
    yield (
        f"{many(done.lines['imported'], 'reply', 'replies')} imported, "
        f"{count(done.lines['known'])} already in the record; "
        f"{count(done.answered)} of {count(done.expected)} round-0 ballots have one."
    )
    if done.rejected:
        yield f"{many(done.rejected, 'line')} rejected: {done.reasons()}."
        yield from (f"  {escape_line(line)}" for line in done.problems)
        if done.rejected > len(done.problems):
            yield f"  and {count(done.rejected - len(done.problems))} more"
    left = done.expected - done.answered
    rest = f"The run asks for the other {count(left)} live. " if left else ""
    yield f"{rest}Resume with: safejury run {arguments}"
