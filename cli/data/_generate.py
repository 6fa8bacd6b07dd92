"""The command that makes a set of queries: `safejury generate`."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import (
    AcceptFailures,
    Authorized,
    Changes,
    EstimateOnly,
    RedoStages,
    UntilStage,
    guarded,
    same_command,
    say,
)


@guarded
def generate(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="The set's config, a YAML file.")
    ],
    changes: Changes = None,
    i_am_authorized: Authorized = False,
    i_am_authorised: Annotated[bool, typer.Option("--i-am-authorised", hidden=True)] = False,
    until: UntilStage = None,
    again: RedoStages = None,
    accept_failures: AcceptFailures = False,
    estimate: EstimateOnly = False,
) -> int:
    """Make a set of queries.

    Stages: taxonomy, queries, twins, pictures, speech, card.
    Repeat the command to resume a set that was stopped.
    """
    try:
        from ._make_set import generate_set

        return generate_set(
            config,
            changes or (),
            authorized=i_am_authorized or i_am_authorised,
            until=until,
            again=again or (),
            accept_failures=accept_failures,
            estimate_only=estimate,
        )
    except KeyboardInterrupt:
        say(f"Resume with: {same_command()}")
        raise
