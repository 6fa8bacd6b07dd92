"""The command that evaluates targets: `safejury run`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError
from ..console import (
    AllowSkipped,
    AuditTalk,
    Changes,
    ClusterAddress,
    Engine,
    JurorModels,
    JurorsKey,
    JurorsUrl,
    Limit,
    MinCoverage,
    MinPanel,
    Otel,
    RetryFailed,
    RevealWatched,
    RunName,
    RunsDirectory,
    Watch,
    Workers,
    guarded,
)

if TYPE_CHECKING:
    from ...evaluation import RunPlan
    from ._from_options import JuryOptions, RunOptions

_Target = tuple[str | None, str | None, str | None]
"""A model, its address, and the variable that holds its key."""


@guarded
def run(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG", help="The run's config, a YAML file; or use --target-model."
        ),
    ] = None,
    changes: Changes = None,
    target_model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model under test, without a config: its name at --target-url, or provider/model.",
        ),
    ] = None,
    target_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="OpenAI-compatible address of --target-model."),
    ] = None,
    target_api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="Environment variable that holds the key of --target-model."
        ),
    ] = None,
    jurors: JurorModels = None,
    url: JurorsUrl = None,
    api_key_env: JurorsKey = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="`mini`, a path, or LOADER:PATH; `mini` by default, or the config's.",
        ),
    ] = None,
    limit: Limit = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only queries of this scenario; repeatable."),
    ] = None,
    name: RunName = None,
    directory: RunsDirectory = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
    retry_failed: RetryFailed = False,
    audit_talk: AuditTalk = None,
    otel: Otel = False,
    engine: Engine = None,
    address: ClusterAddress = None,
    workers: Workers = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show calls, cost and servers to expect; run nothing.")
    ] = False,
    watch: Watch = False,
    reveal: RevealWatched = False,
) -> int:
    """Evaluate targets. Repeat the command to resume a run that was stopped."""
    from ...evaluation.metrics import Thresholds
    from ._from_options import JuryOptions, Placing, RunOptions

    run_plan = _planned(
        config,
        changes or (),
        (target_model, target_url, target_api_key_env),
        JuryOptions(tuple(jurors or ()), url, api_key_env),
        RunOptions(
            *(dataset, limit, tuple(scenario or ()), name, directory, audit_talk, otel),
            Placing(engine, address, workers),
        ),
    )
    if plan:
        from ._plan import show_plan

        return show_plan(run_plan)
    from ._evaluate import Watching, run_and_report

    watching = Watching.of(watch=watch, reveal=reveal)
    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    return run_and_report(run_plan, wanted=wanted, retry_failed=retry_failed, watching=watching)


def _planned(
    config: Path | None,
    changes: Sequence[str],
    target: _Target,
    seats: "JuryOptions",
    options: "RunOptions",
) -> "RunPlan":
    """Return the plan of a config, or of what the options say in its place."""
    from ...evaluation import set_up
    from ._from_options import config_of_target, configured

    model, url, _ = target
    if config is not None:
        if given := seats.given + _given(*target):
            raise ConfigurationError(
                f"{config} names the targets and the jury already: leave out {', '.join(given)}"
            )
        return set_up(configured(config, changes, options), config.parent)
    if model is None:
        missing = "--target-url needs" if url else "nothing to run: name a config or"
        raise ConfigurationError(f"{missing} --target-model")
    if changes:
        raise ConfigurationError("--set changes a config: name one")
    return set_up(config_of_target(model, *target[1:], seats, options), Path())


def _given(model: str | None, url: str | None, key: str | None) -> tuple[str, ...]:
    options = {"--target-model": model, "--target-url": url, "--target-api-key-env": key}
    return tuple(option for option, value in options.items() if value is not None)
