"""The command line `safejury`, put together from its commands."""

import sys
from typing import Annotated

import typer

from .console import (
    EXIT_CODES,
    EXIT_INTERRUPTED,
    CommandGroup,
    escape_unencodable,
    quiet_libraries,
    say,
    say_unexpected,
)
from .data import datasets_app, generate
from .results import cases, compare, export, figures, gate, merge, report, show, verify, view
from .run import deliberate, export_batch, import_batch, judge, run, serve
from .study import calibrate, recheck, replay, review
from .tools import demo, doctor, init, personas, probe, scenarios

app = typer.Typer(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    epilog=EXIT_CODES,
)


def main() -> None:
    """Run the command line and exit."""
    quiet_libraries()
    escape_unencodable()
    try:
        app()
    except KeyboardInterrupt:  # before the command itself has begun, which sees to it
        say("Interrupted.")
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001
        sys.exit(say_unexpected(error))


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        sys.stdout.write(f"safejury {__version__}\n")
        raise typer.Exit


@app.callback()
def safejury(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Measure the safety of multimodal models with a jury of models."""


for command in (init, run, serve, judge, deliberate, show, cases, report, view):
    app.command()(command)
for command in (figures, compare, gate, merge, export, verify):
    app.command()(command)
for command in (calibrate, review, replay, recheck):
    app.command()(command)
for command in (generate, export_batch, import_batch, demo, doctor, probe, personas, scenarios):
    app.command()(command)
app.add_typer(datasets_app, name="datasets")
