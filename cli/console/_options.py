"""Options that several commands share, and the words that they take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...datasets import Intent


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class Untaken(StrEnum):
    """What a model may not take."""

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    SEED = "seed"
    MAX_TOKENS = "max_tokens"
    SYSTEM = "system"


class JoinedBy(StrEnum):
    """What says which query of a set a recorded response answers."""

    ID = "id"
    TEXT = "text"


class Truncated(StrEnum):
    """What becomes of responses that a cap on their tokens cut short."""

    JUDGE = "judge"
    LEAVE_OUT = "leave_out"


class Preset(StrEnum):
    """The named protocols."""

    VOTE = "vote"
    CONTESTED = "contested"
    SAFEBENCH = "safebench"


ConfigPath = Annotated[Path, typer.Argument(help="The run's config, a YAML file.")]
RunPath = Annotated[Path, typer.Argument(help="A run's directory, such as runs/first.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set any key of the config; repeatable."),
]
MinCoverage = Annotated[
    float,
    typer.Option(min=0, max=1, help="Least share of the planned cases that need a verdict."),
]
MinPanel = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Least share of a juror's ballots that no failed call may have cost."
    ),
]
AllowSkipped = Annotated[
    bool,
    typer.Option(
        "--allow-skipped", help="Count no rows or items that were left out as missing verdicts."
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Hear cases again that lost a response or a ballot to failed calls or the budget.",
    ),
]
Export = Annotated[
    Path | None, typer.Option(help="Also write the transcript to a .html, .svg or .md file.")
]
TaxonomyPlace = Annotated[
    Path | None,
    typer.Option(
        "--taxonomy", help="Scenarios of a set's own: a taxonomy file or the set's folder."
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show questions and responses.")]
JurorModels = Annotated[
    list[str] | None,
    typer.Option(metavar="MODEL", help="Jurors' models instead; one seats three personas."),
]
RunName = Annotated[
    str | None,
    typer.Option(help="Name of the run, and of its only target; the file's unless given."),
]
ResponseFormat = Annotated[
    str | None, typer.Option(help="The file's format; told from its content unless given.")
]
ResponseMap = Annotated[
    list[str] | None,
    typer.Option(metavar="WHAT=PATH", help="Such as response=output.text; repeatable."),
]
OnlyModels = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Judge only this model of a file of several; repeatable."),
]
OfAllQuestions = Annotated[
    Intent | None,
    typer.Option(help="What all questions are meant for; as the file says unless given."),
]
IntentWords = Annotated[
    list[str] | None,
    typer.Option(metavar="INTENT=WORDS", help="Such as benign=unharmful,safe,0; repeatable."),
]
QuestionsFrom = Annotated[
    str | None,
    typer.Option("--dataset", help="Take the questions from this set, not from the file."),
]
DatasetMap = Annotated[
    list[str] | None,
    typer.Option(metavar="WHAT=COLUMN", help="Columns of a --dataset that is a plain table."),
]
DatasetSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset-set", metavar="NAME=VALUE", help="The --dataset's own settings; repeatable."
    ),
]
Categories = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|LOADER",
        help="Which scenarios the set's categories are: YAML, CSV, or a loader with a mapping.",
    ),
]
HowJoined = Annotated[
    JoinedBy | None,
    typer.Option(
        "--join", help="Find the query of a --dataset by this; by what matches all unless given."
    ),
]
WhatIsTruncated = Annotated[
    Truncated | None,
    typer.Option(help="What becomes of responses that a cap cut short: as `run.truncated`."),
]
PicturesFolder = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the pictures lie that the file names."),
]
RubricFile = Annotated[
    Path | None,
    typer.Option(
        "--rubric", metavar="FILE", help="Judge by this Markdown file, not by the bundled rubric."
    ),
]
Authorised = Annotated[
    bool, typer.Option("--i-am-authorised", help="Instead of `purpose:` in the config.")
]
UntilStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after this stage.")]
AgainStages = Annotated[
    list[str] | None,
    typer.Option("--again", metavar="STAGE", help="Make a stage once more; or `all`."),
]
AcceptFailures = Annotated[
    bool,
    typer.Option(
        "--accept-failures",
        help="Go on although calls failed: what is missing stays missing, and is counted "
        "on the card.",
    ),
]
OnlyEstimate = Annotated[
    bool, typer.Option("--estimate", help="Only show the calls to expect, and their cost.")
]
