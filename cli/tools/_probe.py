"""What `safejury probe` does: find the address, ask, and show what was found."""

import json
import math
import re
import sys
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from rich.box import SIMPLE
from rich.cells import chop_cells
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...assembly import load_config
from ...assembly.config import TargetConfig, key_from_environment
from ...assembly.models import model_spec
from ...assembly.servers import ServerBook
from ...common import ConfigurationError, escape_line
from ...common.text import did_you_mean, plain_name, quoted
from ...models import Capability, CapabilityState, ModelSpec, Probe, probe_endpoint
from ..console import EXIT_USAGE, run_async, say

_DEFAULT_CONFIG = Path("safejury.yaml")
_STYLES: dict[CapabilityState, str] = {
    "yes": "green",
    "no": "red",
    "partly": "yellow",
    "unknown": "dim",
}
_SECONDS = 60.0
_NAMED_PORT = re.compile(r"[\w.-]+:\d+(/.*)?")


@dataclass(frozen=True, slots=True)
class _Place:
    """What to ask, and what a config says of it beforehand."""

    spec: ModelSpec
    api_key_env: str | None = None
    name: str = ""


def show_probe(
    place: str,
    *,
    model: str | None,
    api_key_env: str | None,
    config: Path | None,
    ca_file: Path | None,
    as_json: bool,
    timeout: float | None,
) -> int:
    """Probe an address or a target, show what was found, and return the exit code.

    It is 0 where a chat completion came back, and 2 where none did.
    """
    found = _find(place, config, api_key_env)
    spec = found.spec
    assert spec.base_url is not None
    with Console(stderr=True).status("Asking …") as status:
        probe = run_async(
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
    target = _target(probe, found.name, found.api_key_env)
    if as_json:
        shown = {**asdict(probe), "works": probe.works, "config": target}
        sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    else:
        _show(probe, target)
    return 0 if probe.works else EXIT_USAGE


def _find(place: str, config: Path | None, api_key_env: str | None) -> _Place:
    if "://" in place:
        return _at(place, api_key_env)
    if _NAMED_PORT.fullmatch(place):
        return _at(f"http://{place}", api_key_env)
    path = config or _DEFAULT_CONFIG
    if config is None and not path.exists():
        raise ConfigurationError(
            f"{quoted(place)} is no address, and there is no {path} that could name it as a"
            " target: write an address with http:// or https://, or give --config"
        )
    targets = {target.name: target for target in load_config(path).targets}
    target = targets.get(place)
    if target is None:
        near = did_you_mean(place, targets)
        raise ConfigurationError(
            f"{path}: no target is named {quoted(place)}{near}; known are {', '.join(targets)}"
        )
    if target.base_url is None:
        raise ConfigurationError(f"{path}: the target {place!r} {_unreachable(target, path)}")
    variable = api_key_env or target.api_key_env
    reached = target.as_model().model_copy(update={"api_key_env": variable})
    return _Place(model_spec(reached, ServerBook(path.parent)), variable, target.name)


def _at(url: str, api_key_env: str | None) -> _Place:
    key = key_from_environment(api_key_env)
    return _Place(ModelSpec("", url, key, _SECONDS), api_key_env)


def _unreachable(target: TargetConfig, path: Path) -> str:
    """Say why a target without an address cannot be probed, and what to do."""
    if target.responses is not None:
        return "is a file of responses: there is nothing to probe"
    if target.vllm is not None:
        return (
            f"is a server that safejury starts: run `safejury serve {path}` first,"
            " then probe the address that it prints"
        )
    if ModelSpec(target.model or "").is_embedded:
        return "is the embedded model, which takes text alone"
    return (
        "is reached through LiteLLM and has no base_url: a probe needs an OpenAI-compatible"
        f" address; `safejury doctor {path}` sends it one call"
    )


def _target(probe: Probe, name: str, api_key_env: str | None) -> dict[str, object]:
    """Return a config's entry for what was probed."""
    plain = plain_name(probe.model.rpartition("/")[2])
    entry: dict[str, object] = {"name": name or plain or "target"}
    for key, value in probe.config().items():
        entry[key] = value
        if key == "model" and api_key_env is not None:
            entry["api_key_env"] = api_key_env
    return entry


def _show(probe: Probe, target: dict[str, object]) -> None:
    console = Console()
    head = Text.assemble((escape_line(probe.model), "bold"), f" at {escape_line(probe.base_url)}")
    console.print(head)
    if probe.base_url != probe.given_url:
        console.print(Text(f"{probe.given_url} does not answer; with /v1 it does.", "yellow"))
    table = Table("capability", "can", "detail", box=SIMPLE, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for found in probe.capabilities:
        state = Text(found.state, _STYLES[found.state])
        detail = Text(escape_line(found.detail), overflow="fold")
        table.add_row(Text(found.name), state, detail)
    console.print(table)
    _show_failures(console, [found for found in probe.capabilities if found.request])
    if probe.works:
        console.print(Text("For a config:", "bold"))
        written = yaml.safe_dump(
            {"targets": [target]}, sort_keys=False, allow_unicode=True, width=math.inf
        )
        # To be copied: no line may be cut or broken.
        console.print(Text(textwrap.indent(written, "  ")), soft_wrap=True)
    say(
        f"{probe.calls} requests, {probe.prompt_tokens:,} prompt and"
        f" {probe.completion_tokens:,} completion tokens, {probe.seconds:.1f} s."
    )
    if not probe.works:
        say("No chat completion came back, so nothing else was tried.")


def _show_failures(console: Console, failures: list[Capability]) -> None:
    if not failures:
        return
    console.print(Text("The requests behind what is not a plain yes:", "bold"))
    for found in failures:
        address, _, body = escape_line(found.request).partition(" {")
        # JSON has few places to break at: a block is easier to read.
        block = "\n".join(chop_cells(f"{{{body}", max(console.width - 4, 8))) if body else ""
        lines = [Text(line, "dim", overflow="fold") for line in (address, block) if line]
        if found.answer and found.answer not in found.detail:
            lines.append(Text(escape_line(found.answer)))
        console.print(Text(f"  {found.name}", _STYLES[found.state]))
        for line in lines:
            console.print(Padding(line, (0, 0, 0, 4)))
    console.print()
