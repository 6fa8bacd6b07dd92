"""Options that several commands share, and the words that they take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...datasets import Intent


class Format(StrEnum):
    """Format of figures."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class ReportFormat(StrEnum):
    """Format of the report of runs."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    LATEX = "latex"


class Beside(StrEnum):
    """Published figures that a report can set beside its own."""

    PAPER = "paper"


class UnsupportedParameter(StrEnum):
    """Request parameters that a model may not accept."""

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    SEED = "seed"
    MAX_TOKENS = "max_tokens"
    SYSTEM = "system"


class JoinedBy(StrEnum):
    """How recorded responses are matched to queries."""

    ID = "id"
    TEXT = "text"


class Truncated(StrEnum):
    """What to do with responses that were cut short."""

    JUDGE = "judge"
    LEAVE_OUT = "leave_out"


class Preset(StrEnum):
    """The named protocols."""

    VOTE = "vote"
    CONTESTED = "contested"
    ROUNDTABLE = "roundtable"
    SAFEBENCH = "safebench"


Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Log to standard error, with tracebacks.")
]
ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="Config of the run, a YAML file.")
]
RunPath = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run's directory, such as runs/first.")
]
RunPaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN", help="A run's directory, such as runs/first; several of one jury."
    ),
]
PageFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Write a page instead: a folder that opens from disk, with figures and all cases.",
    ),
]
WithoutTexts = Annotated[
    bool,
    typer.Option(
        "--without-texts",
        help="Leave questions, responses, the jurors' words and media out of the page.",
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set any key of the config; repeatable."),
]
MinCoverage = Annotated[
    float,
    typer.Option(
        min=0, max=1, metavar="FRACTION", help="Minimum fraction of planned cases with a verdict."
    ),
]
MinPanel = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="FRACTION",
        help="Minimum fraction of a juror's ballots not lost to failed calls.",
    ),
]
AllowSkipped = Annotated[
    bool,
    typer.Option("--allow-skipped", help="Do not count skipped rows and items against coverage."),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Retry failed cases: those that lost a response or a ballot to failed calls or the "
        "budget.",
    ),
]
AuditTalk = Annotated[
    int | None,
    typer.Option(
        "--audit-talk",
        min=1,
        metavar="N",
        help="Measure what talk does: on N of the discussed cases, jurors vote twice more without "
        "it.",
    ),
]
Otel = Annotated[
    bool,
    typer.Option(
        "--otel",
        help="Send spans, events and metrics by OpenTelemetry, to where OTEL_* variables say.",
    ),
]
Engine = Annotated[
    Literal["local", "ray"] | None,
    typer.Option(
        "--engine",
        help="What examines the cases: this process (local), or workers on a Ray cluster (ray); "
        "the config's, or local, by default.",
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="Where the Ray cluster is; by default RAY_ADDRESS, or the cluster of this machine, "
        "which is started if need be.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="Workers on the Ray cluster; one for each of its CPUs by default.",
    ),
]
Export = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also write the transcript to a .html, .svg or .md file."),
]
TaxonomyPath = Annotated[
    Path | None,
    typer.Option(
        "--taxonomy",
        metavar="PATH",
        help="Scenarios of a custom set: a taxonomy file or the set's folder.",
    ),
]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show the texts that are withheld by default.")
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Watch the jury live in a terminal while the run goes on: up/down follows another "
        "case, c contested ones only, space pauses, q stops.",
    ),
]
RevealWatched = Annotated[
    bool, typer.Option("--reveal", help="With --watch: show questions and responses.")
]
JurorModels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL",
        help="Model of a juror; repeatable. A single one fills three seats.",
    ),
]
JurorsUrl = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="OpenAI-compatible address of --jurors."),
]
JurorsKey = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        metavar="VARIABLE",
        help="Environment variable that holds the key of --jurors.",
    ),
]
RunName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the run.")]
RunsDirectory = Annotated[
    str | None,
    typer.Option(
        "--directory", metavar="FOLDER", help="Folder that holds the runs; `runs` by default."
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="At most N queries, spread evenly over the set."),
]
ResponseFormat = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help="The file's format; detected from its content by default."),
]
ResponseMap = Annotated[
    list[str] | None,
    typer.Option(metavar="WHAT=PATH", help="Such as response=output.text; repeatable."),
]
ModelFilter = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Judge only this model of a file of several; repeatable."),
]
IntentOption = Annotated[
    Intent | None,
    typer.Option(help="Intent of all questions; by default, what the file says."),
]
IntentWords = Annotated[
    list[str] | None,
    typer.Option(metavar="INTENT=WORDS", help="Such as benign=unharmful,safe,0; repeatable."),
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", metavar="SET", help="Take the questions from this set, not from the file."
    ),
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
        help="Map the set's categories to scenarios: YAML, CSV, or a loader with a mapping.",
    ),
]
JoinOption = Annotated[
    JoinedBy | None,
    typer.Option(
        "--join",
        help="Match responses to queries of --dataset by this; by default, by what matches all.",
    ),
]
TruncatedOption = Annotated[
    Truncated | None,
    typer.Option(help="What to do with responses cut short by a token cap."),
]
PicturesFolder = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder of the pictures that the file names."),
]
RubricFile = Annotated[
    Path | None,
    typer.Option(
        "--rubric",
        metavar="FILE",
        help="Judge by this Markdown file instead of the bundled rubric.",
    ),
]
Authorized = Annotated[
    bool,
    typer.Option("--i-am-authorized", help="Instead of `purpose:` in the config."),
]
UntilStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after this stage.")]
RedoStages = Annotated[
    list[str] | None,
    typer.Option("--again", metavar="STAGE", help="Redo a stage, or `all`; repeatable."),
]
AcceptFailures = Annotated[
    bool,
    typer.Option(
        "--accept-failures",
        help="Continue despite failed calls; the card counts what is missing.",
    ),
]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Only show expected calls and their cost.")
]
UnsafeWords = Annotated[
    list[str] | None,
    typer.Option("--unsafe-word", metavar="WORD", help="A word for unsafe; repeatable."),
]
SafeWords = Annotated[
    list[str] | None,
    typer.Option("--safe-word", metavar="WORD", help="A word for safe; repeatable."),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="FILE", help="Correct rates by people's labels of cases of this run."
    ),
]
CardFile = Annotated[
    Path | None,
    typer.Option(
        "--card", metavar="CARD", help="Correct rates by a jury card from elsewhere instead."
    ),
]
ForceCard = Annotated[
    bool,
    typer.Option("--force-card", help="Use a card of another jury or protocol all the same."),
]
TableColumns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="LIST",
        help="Write the leaderboard alone, with these columns, such as asr,sri,over_refusal.",
    ),
]
BesideOption = Annotated[
    Beside | None,
    typer.Option("--beside", help="Set the leaderboard beside figures that were published."),
]
