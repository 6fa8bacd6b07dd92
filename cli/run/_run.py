"""The command that evaluates targets: `safejury run`."""

from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError
from ..console import (
    AllowSkipped,
    Changes,
    JurorModels,
    JurorsKey,
    JurorsUrl,
    Limit,
    MinCoverage,
    MinPanel,
    RetryFailed,
    RunName,
    RunsDirectory,
    guarded,
)


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
    plan: Annotated[
        bool, typer.Option("--plan", help="Show calls, cost and servers to expect; run nothing.")
    ] = False,
) -> int:
    """Evaluate targets. Repeat the command to resume a run that was stopped."""
    from ...evaluation import set_up
    from ...evaluation.metrics import Thresholds
    from ._from_options import JuryOptions, RunOptions, config_of_target, configured

    options = RunOptions(dataset, limit, tuple(scenario or ()), name, directory)
    seats = JuryOptions(tuple(jurors or ()), url, api_key_env)
    if config is not None:
        if given := seats.given + _given(target_model, target_url, target_api_key_env):
            raise ConfigurationError(
                f"{config} names the targets and the jury already: leave out {', '.join(given)}"
            )
        run_plan = set_up(configured(config, changes or (), options), config.parent)
    elif target_model is None:
        missing = "--target-url needs" if target_url else "nothing to run: name a config or"
        raise ConfigurationError(f"{missing} --target-model")
    elif changes:
        raise ConfigurationError("--set changes a config: name one")
    else:
        target = (target_model, target_url, target_api_key_env)
        run_plan = set_up(config_of_target(*target, seats, options), Path())
    if plan:
        from ._plan import show_plan

        return show_plan(run_plan)
    from ._evaluate import run_and_report

    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    return run_and_report(run_plan, wanted=wanted, retry_failed=retry_failed)


def _given(model: str | None, url: str | None, key: str | None) -> tuple[str, ...]:
    options = {"--target-model": model, "--target-url": url, "--target-api-key-env": key}
    return tuple(option for option, value in options.items() if value is not None)
