"""What `safejury probe` shows of what it found."""

import math
import textwrap

import yaml
from rich.box import SIMPLE
from rich.cells import chop_cells
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...common import escape_line
from ...models import Capability, CapabilityState, Probe
from ..console import say

_STYLES: dict[CapabilityState, str] = {
    "yes": "green",
    "no": "red",
    "partly": "yellow",
    "unknown": "dim",
}


def show_probe(probe: Probe, target: dict[str, object]) -> None:
    """Show capabilities, the requests behind failures, and an entry for a config."""
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
    console.print(Text("Requests behind every result other than yes:", "bold"))
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
