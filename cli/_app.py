"""The command line `safejury`, put together from its commands."""

import gc
import sys
from typing import Annotated, ClassVar

import typer

from .console import (
    EXIT_CODES,
    EXIT_INTERRUPTED,
    CommandGroup,
    CommandPlace,
    escape_unencodable,
    quiet_libraries,
    say,
    say_unexpected,
    spare_requests,
)


class _Commands(CommandGroup):
    """The commands of safejury, in the order of their list."""

    places: ClassVar = {
        "init": CommandPlace("tools", "Write a commented config to start from."),
        "run": CommandPlace("run", "Evaluate targets."),
        "serve": CommandPlace("run", "Start the vLLM servers of a config."),
        "judge": CommandPlace("run", "Judge recorded responses."),
        "deliberate": CommandPlace("run", "Judge one case and watch the jury deliberate."),
        "show": CommandPlace("results", "Replay a stored transcript, or list a run's cases."),
        "cases": CommandPlace("results", "List the cases of a run, or their ballots, one a row."),
        "report": CommandPlace(
            "results", "Report the figures of a run, or of several of one jury."
        ),
        "view": CommandPlace("results", "Look at runs in a browser, also while they are going."),
        "runs": CommandPlace("keeping", "List runs: their state, cases, size and cost."),
        "figures": CommandPlace("results", "Draw the figures of runs of one jury."),
        "compare": CommandPlace(
            "results", "Compare two runs, targets or conditions over shared queries."
        ),
        "gate": CommandPlace("results", "Decide whether a run satisfies a policy."),
        "merge": CommandPlace("results", "Join runs of one jury into one."),
        "export": CommandPlace("results", "Write a run for other tools, or to share its figures."),
        "verify": CommandPlace("results", "Check a run's record and media for changes."),
        "prune": CommandPlace("keeping", "Remove pages, media or all of runs, to free space."),
        "calibrate": CommandPlace("study", "Measure a jury by labels, and write its jury card."),
        "review": CommandPlace(
            "study", "Label cases of a finished run, blind to what its jury said."
        ),
        "replay": CommandPlace(
            "study", "Decide a finished run again by another rule, stop or jury."
        ),
        "recheck": CommandPlace(
            "study", "Hear a jury card's cases again; exit 3 if a juror moved."
        ),
        "generate": CommandPlace("data", "Make a set of queries."),
        "export-batch": CommandPlace("run", "Write the jury's first ballots as batch files."),
        "import-batch": CommandPlace("run", "Add a batch's replies to the record."),
        "demo": CommandPlace("tools", "Watch a jury deliberate, then evaluate a toy model."),
        "doctor": CommandPlace("tools", "Check environment, keys and endpoints."),
        "probe": CommandPlace("tools", "Find out what an endpoint can do."),
        "personas": CommandPlace("tools", "List the bundled personas."),
        "scenarios": CommandPlace("tools", "List the scenarios, or show one in full."),
        "datasets": CommandPlace(
            "data", "List, inspect and convert sets of queries.", "datasets_app"
        ),
    }


app = typer.Typer(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    epilog=EXIT_CODES,
)


_WHILE_IMPORTING = 200_000
"""New objects after which garbage is searched: hardly any is made while modules are imported."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(_WHILE_IMPORTING)
    quiet_libraries()
    spare_requests()
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
