"""Describes the tools that an agent on the jury called, a line each."""

from collections.abc import Iterator, Sequence

from ...common.text import many
from ...models import ToolUse

_TOOLS_SHOWN, _SAID_SHOWN = 5, 100


def tool_lines(tools: Sequence[ToolUse]) -> Iterator[str]:
    """Yield a line for each tool that an agent called, shortened; a few of many."""
    for use in tools[:_TOOLS_SHOWN]:
        result = "no result" if use.result is None else _short(use.result) or "nothing"
        said = "failed with" if use.failed else "returned"
        yield f"called {use.name} with {_short(use.arguments) or 'nothing'}, which {said} {result}"
    if (more := len(tools) - _TOOLS_SHOWN) > 0:
        yield f"and {many(more, 'more call', 'more calls')} of tools"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SAID_SHOWN else f"{line[:_SAID_SHOWN]}..."
