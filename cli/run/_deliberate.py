"""The command that judges one case, live: `safejury deliberate`."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Export, Preset, TaxonomyPath, guarded


@guarded
def deliberate(
    question: Annotated[
        str, typer.Option(metavar="TEXT", help="The question that is asked, or was asked.")
    ],
    response: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Response to judge; `-` reads standard input."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model to ask instead: provider/model, a name at --url, a target of --config.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="OpenAI-compatible address of --target.")
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="Environment variable that holds the key of --target."
        ),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture that goes with the question.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Scenario whose guideline the jury is given."),
    ] = None,
    taxonomy: TaxonomyPath = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the jury from this config; else the embedded one."),
    ] = None,
    protocol: Annotated[
        Preset | None, typer.Option(help="Protocol, instead of the config's.")
    ] = None,
    export: Export = None,
) -> int:
    """Judge one case and watch the jury deliberate."""
    from ._one_case import deliberate_once

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
