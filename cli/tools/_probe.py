"""The command that finds out what an endpoint can do: `safejury probe`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common.text import plain_name
from ..console import EXIT_USAGE, busy, guarded, run_async

if TYPE_CHECKING:
    from ...models import Probe


@guarded
def probe(
    place: Annotated[
        str, typer.Argument(metavar="URL|TARGET", help="An address, or a target of the config.")
    ],
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Model to ask; by default, the only one listed."),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="VARIABLE", help="Environment variable that holds the key."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Config that has TARGET; safejury.yaml by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, not a table.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=86_400,
            metavar="SECONDS",
            help="Time limit of a request; 60 by default, or the target's own.",
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PEM file of trusted certificates."),
    ] = None,
) -> int:
    """Find out what an endpoint can do. Sends 15 to 30 short requests."""
    from ...models import probe_endpoint
    from ._probe_place import find_place
    from ._probe_table import show_probe

    found = find_place(place, config, api_key_env)
    spec = found.spec
    assert spec.base_url is not None
    with busy("Asking …") as status:
        done = run_async(
            probe_endpoint(
                spec.base_url,
                model=model or spec.model,
                api_key=spec.api_key,
                timeout=timeout or spec.timeout,
                connect_timeout=spec.connect_timeout,
                ca_file=spec.ca_file if ca_file is None else str(ca_file),
                verify_tls=spec.verify_tls,
                proxy=spec.proxy,
                on_step=lambda step: status.update(f"Trying {step} …"),
            )
        )
    target = _target(done, found.name, found.api_key_env)
    if as_json:
        shown = {**asdict(done), "works": done.works, "config": target}
        sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    else:
        show_probe(done, target)
    return 0 if done.works else EXIT_USAGE


def _target(probe: "Probe", name: str, api_key_env: str | None) -> dict[str, object]:
    """Return a config's entry for what was probed."""
    plain = plain_name(probe.model.rpartition("/")[2])
    entry: dict[str, object] = {"name": name or plain or "target"}
    for key, value in probe.config().items():
        entry[key] = value
        if key == "model" and api_key_env is not None:
            entry["api_key_env"] = api_key_env
    return entry
