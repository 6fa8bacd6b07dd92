"""The command line: `safejury`.

Exit codes: 0 done, 2 usage or configuration, 3 infrastructure (too few verdicts or
ballots, see `--min-coverage` and `--min-panel`), 130 interrupted, 143 or 129 terminated (SIGTERM,
SIGHUP) before a run began.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..common import ConfigurationError
from .console import (
    EXIT_INTERRUPTED,
    AcceptFailures,
    AgainStages,
    AllowSkipped,
    Authorised,
    Categories,
    Changes,
    ConfigPath,
    DatasetMap,
    DatasetSettings,
    Export,
    Format,
    HowJoined,
    IntentWords,
    JurorModels,
    MinCoverage,
    MinPanel,
    OfAllQuestions,
    OnlyEstimate,
    OnlyModels,
    PicturesFolder,
    Preset,
    QuestionsFrom,
    ResponseFormat,
    ResponseMap,
    RetryFailed,
    Reveal,
    RubricFile,
    RunName,
    RunPath,
    TaxonomyPlace,
    UntilStage,
    WhatIsTruncated,
    escape_what_does_not_fit,
    guarded,
    quiet_libraries,
    say,
)
from .data import datasets_app
from .run import export_batch, import_batch
from .study import verify

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Measure the safety of multimodal models with a jury of models.",
    epilog="Exit codes: 0 done, 2 usage or configuration, 3 infrastructure (too few "
    "verdicts or ballots), 130 interrupted, 143 terminated before a run began.",
)
app.add_typer(datasets_app, name="datasets")


def main() -> None:
    """Run the command line and exit."""
    quiet_libraries()
    escape_what_does_not_fit()
    try:
        app()
    except KeyboardInterrupt:  # before the command itself has begun, which sees to it
        say("Interrupted.")
        sys.exit(EXIT_INTERRUPTED)


@app.command()
@guarded
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("safejury.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented config to start from."""
    template = Path(__file__).with_name("config_template.yaml").read_text(encoding="utf-8")
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(template)
    except FileExistsError:
        raise ConfigurationError(f"{path}: exists already: add --force to replace it") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror})") from None
    say(f"Wrote {path}. Next: safejury run {path}")


@app.command()
@guarded
def run(
    config: ConfigPath,
    changes: Changes = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
    retry_failed: RetryFailed = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be done, and on which GPUs.")
    ] = False,
) -> int:
    """Evaluate targets. Repeat the command to go on with a run that was stopped."""
    if plan:
        from .run import show_plan

        return show_plan(config, changes or [])
    from ..evaluation.metrics import Thresholds
    from .run import run_config

    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    return run_config(config, changes or [], wanted=wanted, retry_failed=retry_failed)


@app.command()
@guarded
def serve(config: ConfigPath, changes: Changes = None) -> int:
    """Start the vLLM servers of a config. They stay up until Ctrl-C."""
    from .run import serve_config

    return serve_config(config, changes or [])


@app.command()
@guarded
def judge(
    file: Annotated[Path, typer.Argument(help="A file of responses, from any tool.")],
    config: Annotated[
        Path | None, typer.Option(help="Take the jury, its limits and `run:` from this config.")
    ] = None,
    jurors: JurorModels = None,
    url: Annotated[str | None, typer.Option(help="OpenAI-compatible address of --jurors.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key of --jurors.")
    ] = None,
    format: ResponseFormat = None,
    map: ResponseMap = None,
    model: OnlyModels = None,
    intent: OfAllQuestions = None,
    intent_word: IntentWords = None,
    dataset: QuestionsFrom = None,
    dataset_map: DatasetMap = None,
    dataset_settings: DatasetSettings = None,
    categories: Categories = None,
    join: HowJoined = None,
    pictures: PicturesFolder = None,
    name: RunName = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Judge only so many queries, spread evenly.")
    ] = None,
    truncated: WhatIsTruncated = None,
    rubric: RubricFile = None,
    changes: Changes = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
    retry_failed: RetryFailed = False,
) -> int:
    """Judge recorded responses. Repeat the command to go on with one that was stopped."""
    from ..evaluation.metrics import Thresholds
    from .run import Judging, judge_file

    judging = Judging(
        file=file,
        config=config,
        jurors=tuple(jurors or ()),
        url=url,
        api_key_env=api_key_env,
        format=format,
        mapping=tuple(map or ()),
        models=tuple(model or ()),
        intent=intent,
        intent_words=tuple(intent_word or ()),
        dataset=dataset,
        dataset_mapping=tuple(dataset_map or ()),
        dataset_settings=tuple(dataset_settings or ()),
        categories=categories,
        join=None if join is None else ("id" if join == "id" else "text"),
        pictures=pictures,
        name=name,
        limit=limit,
        truncated=truncated,
        changes=tuple(changes or ()),
        rubric=rubric,
    )
    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    return judge_file(judging, wanted=wanted, retry_failed=retry_failed)


@app.command()
@guarded
def deliberate(
    question: Annotated[str, typer.Option(help="What was, or is to be, asked.")],
    response: Annotated[
        str | None, typer.Option(help="The response to judge; `-` reads standard input.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Ask this model instead: provider/model, or a name at --url.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible address of the target.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the target's key.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture that goes with it.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario id; its guideline is given to the jury.")
    ] = None,
    taxonomy: TaxonomyPlace = None,
    config: Annotated[
        Path | None, typer.Option(help="Take the jury from this config; else the embedded one.")
    ] = None,
    protocol: Annotated[Preset | None, typer.Option(help="Instead of the config's.")] = None,
    export: Export = None,
) -> int:
    """Judge one case and watch the jury deliberate."""
    from .run import deliberate_once

    return deliberate_once(
        question=question,
        response=response,
        target=target,
        url=url,
        api_key_env=api_key_env,
        image=image,
        scenario=scenario,
        taxonomy=taxonomy,
        config=config,
        protocol=None if protocol is None else protocol.value,
        export=export,
    )


@app.command()
@guarded
def show(
    run: RunPath,
    case: Annotated[
        str | None, typer.Argument(help="A case id, or a query id; all are listed without.")
    ] = None,
    reveal: Reveal = False,
    export: Export = None,
) -> int:
    """Replay a stored transcript, or list a run's cases."""
    from .run import show_case

    return show_case(run, case, reveal=reveal, export=export)


@app.command()
@guarded
def report(
    run: RunPath,
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.TABLE,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="Break it down by scenario, category or a label: labels.NAME."
        ),
    ] = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
) -> int:
    """Report a run's figures. No model is called."""
    from ..evaluation.metrics import Thresholds
    from .run import report_run

    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    return report_run(run, format.value, wanted=wanted, by=by)


@app.command()
@guarded
def generate(
    config: Annotated[Path, typer.Argument(help="What set to make, a YAML file.")],
    changes: Changes = None,
    i_am_authorised: Authorised = False,
    until: UntilStage = None,
    again: AgainStages = None,
    accept_failures: AcceptFailures = False,
    estimate: OnlyEstimate = False,
) -> int:
    """Make a set of queries.

    Its stages: taxonomy, queries, twins, pictures, speech, card.
    Repeat the command to go on with a set that was stopped.
    """
    from .data import start_generating

    return start_generating(
        config,
        changes or [],
        authorised=i_am_authorised,
        until=until,
        again=again or [],
        accept_failures=accept_failures,
        estimate_only=estimate,
    )


@app.command()
@guarded
def personas() -> None:
    """List the bundled personas."""
    from .tools import list_personas

    list_personas()


@app.command()
@guarded
def scenarios(
    name: Annotated[
        str | None, typer.Argument(help="An id or an alias of the paper, to read it whole.")
    ] = None,
    taxonomy: TaxonomyPlace = None,
) -> None:
    """List the 23 scenarios, or a set's own, or read one."""
    from .tools import list_scenarios

    list_scenarios(name, taxonomy)


@app.command()
@guarded
def demo(export: Export = None) -> int:
    """Watch a jury of a toy model, then a small evaluation."""
    from .tools import show_demo

    return show_demo(export)


@app.command()
@guarded
def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="Also check this config and call its models once.")
    ] = None,
) -> int:
    """Check environment, keys and endpoints. Say what to do."""
    from .tools import examine

    return examine(config)


@app.command()
@guarded
def probe(
    place: Annotated[
        str, typer.Argument(metavar="URL|TARGET", help="An address, or a target of the config.")
    ],
    model: Annotated[
        str | None, typer.Option(help="Which model to ask; the only one that is listed if not.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Where TARGET is; safejury.yaml unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, not a table.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(min=1, max=86_400, help="Seconds for one request; 60, or the target's own."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="PEM file of certificates that it may have.")
    ] = None,
) -> int:
    """Find out what an endpoint can do. It takes 15 to 30 short requests."""
    from .tools import show_probe

    return show_probe(
        place,
        model=model,
        api_key_env=api_key_env,
        config=config,
        ca_file=ca_file,
        as_json=as_json,
        timeout=timeout,
    )


app.command()(export_batch)
app.command()(import_batch)
app.command()(verify)
