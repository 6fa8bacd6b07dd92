"""The command line: `safejury`.

Exit codes: 0 done, 2 usage or configuration, 3 infrastructure (coverage under
`--min-coverage`), 130 interrupted.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import ConfigurationError
from ._console import guarded, quiet_libraries, say

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Measure the safety of multimodal models with a jury of models.",
    epilog="Exit codes: 0 done, 2 usage or configuration, 3 infrastructure (coverage too "
    "low), 130 interrupted.",
)


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


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
    float, typer.Option(min=0, max=1, help="Least share of cases that need a verdict.")
]
Export = Annotated[
    Path | None, typer.Option(help="Also write the transcript to a .html, .svg or .md file.")
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show questions and responses.")]


def main() -> None:
    """Run the command line and exit."""
    quiet_libraries()
    app()


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
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Hear cases again that failed calls cost.")
    ] = False,
) -> int:
    """Evaluate targets. Repeat the command to go on with a run that was stopped."""
    from ._commands import run_config

    return run_config(config, changes or [], min_coverage=min_coverage, retry_failed=retry_failed)


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
    config: Annotated[
        Path | None, typer.Option(help="Take the jury from this config; else the embedded one.")
    ] = None,
    protocol: Annotated[Preset | None, typer.Option(help="Instead of the config's.")] = None,
    export: Export = None,
) -> int:
    """Judge one case and watch the jury deliberate."""
    from ._commands import deliberate_once

    return deliberate_once(
        question=question,
        response=response,
        target=target,
        url=url,
        api_key_env=api_key_env,
        image=image,
        scenario=scenario,
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
    from ._commands import show_case

    return show_case(run, case, reveal=reveal, export=export)


@app.command()
@guarded
def report(
    run: RunPath,
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.TABLE,
    min_coverage: MinCoverage = 0.9,
) -> int:
    """Report a run's figures. No model is called."""
    from ._commands import report_run

    return report_run(run, format.value, min_coverage=min_coverage)


@app.command()
@guarded
def personas() -> None:
    """List the bundled personas."""
    from ._commands import list_personas

    list_personas()


@app.command()
@guarded
def scenarios(
    name: Annotated[
        str | None, typer.Argument(help="An id or an alias of the paper, to read it whole.")
    ] = None,
) -> None:
    """List the 23 scenarios, or read one."""
    from ._commands import list_scenarios

    list_scenarios(name)


@app.command()
@guarded
def demo(export: Export = None) -> int:
    """Watch a jury of the embedded toy model, then see a small evaluation."""
    from ._demo import show_demo

    return show_demo(export)


@app.command()
@guarded
def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="Also check this config and call its models once.")
    ] = None,
) -> int:
    """Check the environment, keys and endpoints, and say what to do."""
    from ._commands import examine

    return examine(config)
