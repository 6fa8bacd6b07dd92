"""The command that judges responses of another tool: `safejury judge`."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...common import ConfigurationError, SafejuryError
from ...common.text import encodable, plain_name, quoted
from ...datasets import Intent
from ..console import (
    AllowSkipped,
    AuditTalk,
    Categories,
    Changes,
    DatasetMap,
    DatasetOption,
    DatasetSettings,
    IntentOption,
    IntentWords,
    JoinOption,
    JurorModels,
    JurorsKey,
    JurorsUrl,
    Limit,
    MinCoverage,
    MinPanel,
    ModelFilter,
    Otel,
    PicturesFolder,
    ResponseFormat,
    ResponseMap,
    RetryFailed,
    RevealWatched,
    RubricFile,
    RunName,
    RunsDirectory,
    TruncatedOption,
    Watch,
    guarded,
    named_values,
)

if TYPE_CHECKING:
    from ...assembly.config import (
        JuryConfig,
        RunConfig,
        RunLimitsConfig,
        SetConfig,
        TargetConfig,
        TelemetryConfig,
    )
    from ...evaluation.metrics import Thresholds
    from ._evaluate import Watching
    from ._from_options import JuryOptions

IntentName = Literal["harmful", "benign"]
_NAMES: dict[Intent, IntentName] = {Intent.HARMFUL: "harmful", Intent.BENIGN: "benign"}
_OPTIONS = {
    "another run.name": "another --name",
    "another run.directory": "another --directory",
    "check the target's `responses:`": "check its path and permissions",
    "take the questions from the file with `dataset: responses`": "leave --dataset out",
    "--format or `format:`": "--format",
    "(map model=COLUMN)": "(--map model=COLUMN)",
    " (`intent_words:` in a config)": "",
    "(--model, `model:`)": "(--model)",
    " (`join:` of a target)": "",
}
"""Keys in messages, and the options that stand for them."""


@guarded
def judge(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file of responses, from any tool.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the jury, its limits and `run:` from this config."),
    ] = None,
    jurors: JurorModels = None,
    url: JurorsUrl = None,
    api_key_env: JurorsKey = None,
    format: ResponseFormat = None,
    map: ResponseMap = None,
    model: ModelFilter = None,
    intent: IntentOption = None,
    intent_word: IntentWords = None,
    dataset: DatasetOption = None,
    dataset_map: DatasetMap = None,
    dataset_settings: DatasetSettings = None,
    categories: Categories = None,
    join: JoinOption = None,
    pictures: PicturesFolder = None,
    name: RunName = None,
    directory: RunsDirectory = None,
    limit: Limit = None,
    truncated: TruncatedOption = None,
    rubric: RubricFile = None,
    changes: Changes = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
    retry_failed: RetryFailed = False,
    audit_talk: AuditTalk = None,
    otel: Otel = False,
    watch: Watch = False,
    reveal: RevealWatched = False,
) -> int:
    """Judge recorded responses. Repeat the command to resume one that was stopped."""
    from ...evaluation.metrics import Thresholds
    from ._evaluate import Watching
    from ._from_options import JuryOptions

    judging = Judging(
        file=file,
        jury=JuryOptions(tuple(jurors or ()), url, api_key_env),
        config=config,
        format=format,
        mapping=tuple(map or ()),
        models=tuple(model or ()),
        intent=intent,
        intent_words=tuple(intent_word or ()),
        dataset=dataset,
        dataset_mapping=tuple(dataset_map or ()),
        dataset_settings=tuple(dataset_settings or ()),
        categories=categories,
        join=None if join is None else join.value,
        pictures=pictures,
        name=name,
        directory=directory,
        limit=limit,
        truncated=truncated,
        changes=tuple(changes or ()),
        rubric=rubric,
        audit_talk=audit_talk,
        otel=otel,
    )
    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    watching = Watching.of(watch=watch, reveal=reveal)
    return judge_file(judging, wanted=wanted, retry_failed=retry_failed, watching=watching)


@dataclass(frozen=True, slots=True)
class Judging:
    """What was asked for on the command line.

    Attributes:
        file: The responses.
        jury: The jury that options describe.
        config: Where the jury comes from instead, None for `jury`.
        format: Name of the file's format, None to tell it from the content.
        mapping: Settings such as `response=output.text`.
        models: The models of the file whose responses are meant; none means all.
        intent: Of all questions, `harmful` or `benign`; None for what the file says.
        intent_words: Settings such as `benign=unharmful,safe`.
        join: What says which query of the dataset a response answers, `id` or `text`; None
            for what matches all.
        dataset: Where the questions come from, None for the file.
        pictures: The folder in which the pictures lie that the file names, None for its own.
        dataset_mapping: Columns of that set, such as `text=prompt`.
        dataset_settings: Settings of that set, such as `split=test`.
        categories: Which scenarios the questions' own categories are: a file or a loader's
            name; None for what the set or the file's format has.
        name: Name of the run and the target, None for the file's.
        directory: Folder that holds the runs, None for what the config says.
        limit: Most queries to judge.
        truncated: `judge` or `leave_out` for responses that a cap cut short; None for
            what the config says, else to leave them out.
        changes: Settings of the config.
        rubric: A Markdown file that the jury judges by, None for what the config says.
        audit_talk: On how many discussed cases the jurors vote again without the talk, None for
            what the config says.
        otel: Whether the run is recorded by OpenTelemetry, whatever the config says.
    """

    file: Path
    jury: "JuryOptions"
    config: Path | None = None
    format: str | None = None
    mapping: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    intent: Intent | None = None
    intent_words: tuple[str, ...] = ()
    dataset: str | None = None
    dataset_mapping: tuple[str, ...] = ()
    dataset_settings: tuple[str, ...] = ()
    categories: str | None = None
    join: Literal["id", "text"] | None = None
    pictures: Path | None = None
    name: str | None = None
    directory: str | None = None
    limit: int | None = None
    truncated: str | None = None
    changes: tuple[str, ...] = ()
    rubric: Path | None = None
    audit_talk: int | None = None
    otel: bool = False


def judge_file(
    judging: Judging,
    *,
    wanted: "Thresholds",
    retry_failed: bool,
    watching: "Watching | None" = None,
) -> int:
    """Judge a file of responses, show the report, and return the exit code.

    Raises:
        ConfigurationError: The file, the jury or an option cannot be used.
    """
    from ...assembly import Config
    from ...evaluation import Provided, set_up
    from ...evaluation.plan import open_recorded
    from ._evaluate import run_and_report
    from ._from_options import checked_name

    if not judging.file.exists():
        raise ConfigurationError(f"{judging.file}: does not exist: name a file of responses")
    with _in_options():
        jury, limits, run, telemetry = _jury(judging)
        if judging.otel:
            telemetry = telemetry.model_copy(update={"otel": True})
        if judging.rubric is not None:
            jury = jury.model_copy(update={"rubric": str(judging.rubric.resolve())})
        name = judging.name and checked_name(judging.name)
        name = name or plain_name(judging.file.stem) or "judged"
        config = Config(
            dataset=_dataset(judging),
            limit=judging.limit,
            targets=[_target(judging, name)],
            jury=jury,
            limits=limits,
            run=run.model_copy(
                update={
                    "name": name,
                    "directory": judging.directory or run.directory,
                    "truncated": judging.truncated or run.truncated,
                    "audit_talk": judging.audit_talk or run.audit_talk,
                }
            ),
            telemetry=telemetry,
        )
        folder = Path() if judging.config is None else judging.config.parent
        config, recorded = open_recorded(
            config, folder, models=judging.models, place=judging.file.resolve()
        )
        epochs = max(target.epochs for target in recorded.values())
        run = config.run.model_copy(update={"epochs": epochs})
        return run_and_report(
            set_up(config.model_copy(update={"run": run}), folder, Provided(recorded)),
            wanted=wanted,
            retry_failed=retry_failed,
            watching=watching,
        )


@contextmanager
def _in_options() -> Generator[None]:
    """Name options in errors, where they name keys of a config that nobody wrote."""
    try:
        yield
    except SafejuryError as error:
        said = str(error)
        for key, option in _OPTIONS.items():
            said = said.replace(key, option)
        error.args = (said,)
        raise


def _target(judging: Judging, name: str) -> "TargetConfig":
    from ...assembly.config import TargetConfig
    from ...evaluation.plan import categories_with_absolute_path

    mapping = named_values("--map", judging.mapping, "WHAT=PATH, such as response=output.text")
    if judging.dataset is not None and (judging.intent or judging.intent_words):
        option = "--intent" if judging.intent else "--intent-word"
        raise ConfigurationError(
            f"{option}: the --dataset says what its queries are meant for: leave one of them out"
        )
    if judging.intent and judging.intent_words:
        raise ConfigurationError("--intent is that of all questions: leave --intent-word out")
    if judging.join is not None and judging.dataset is None:
        raise ConfigurationError(
            "--join says how responses find their queries in a --dataset: name one, or leave it out"
        )
    return TargetConfig(
        name=name,
        responses=encodable(str(judging.file.resolve())),
        format=judging.format,
        map=mapping,
        categories=None
        if judging.dataset is not None
        else categories_with_absolute_path(judging.categories),
        intent=None if judging.intent is None else _NAMES[judging.intent],
        intent_words=_words(judging.intent_words),
        join=judging.join,
        pictures=judging.pictures and encodable(str(judging.pictures.resolve())),
    )


def _words(given: tuple[str, ...]) -> dict[IntentName, list[str | bool | int | float]] | None:
    """Return the words of an intent; the option may be repeated."""
    words: dict[IntentName, list[str | bool | int | float]] = {}
    for each in given:
        intent, equals, said = each.partition("=")
        if intent not in ("harmful", "benign") or not equals or not said:
            raise ConfigurationError(
                f"--intent-word {quoted(each)}: write it as benign=unharmful,safe,0 or harmful=WORD"
            )
        words.setdefault(intent, []).extend(said.split(","))
    return words or None


def _jury(
    judging: Judging,
) -> "tuple[JuryConfig, RunLimitsConfig, RunConfig, TelemetryConfig]":
    """Return who judges, what a run may take, and what is sent of it."""
    from ...assembly import load_config
    from ...assembly.config import TelemetryConfig

    if judging.config is None:
        if judging.changes:
            raise ConfigurationError("--set changes a config: name it with --config")
        return *judging.jury.jury(), TelemetryConfig()
    if judging.jury.given:
        raise ConfigurationError(
            "--config names the jury already: leave out --jurors, --url and --api-key-env"
        )
    # The config's own targets are not asked.
    instead = "targets=[{name: judged, responses: judged}]"
    read = load_config(judging.config, [*judging.changes, instead])
    return read.jury, read.limits, read.run, read.telemetry


def _dataset(judging: Judging) -> "str | SetConfig":
    """Return what the config says of it; paths are given as seen from here."""
    from ...assembly.config import SetConfig
    from ...evaluation.plan import FROM_FILES, set_with_absolute_paths, with_absolute_path

    mapping = named_values(
        "--dataset-map", judging.dataset_mapping, "WHAT=COLUMN, such as text=prompt"
    )
    settings = named_values(
        "--dataset-set", judging.dataset_settings, "NAME=VALUE, such as split=test"
    )
    if judging.dataset is None:
        if mapping or settings:
            option = "--dataset-map" if mapping else "--dataset-set"
            raise ConfigurationError(f"{option} says how a set is read: name it with --dataset")
        return FROM_FILES
    if not mapping and not settings and judging.categories is None:
        return with_absolute_path(judging.dataset)
    said = SetConfig(
        path=judging.dataset, map=mapping, settings=settings, categories=judging.categories
    )
    return set_with_absolute_paths(said)
