"""Describes the tools that an agent on the jury called, a line each."""

from collections.abc import Iterator, Sequence

from ...common.text import many, short
from ...models import ToolUse

_TOOLS_SHOWN, _SAID_SHOWN = 5, 100


def tool_lines(tools: Sequence[ToolUse]) -> Iterator[str]:
    """Yield a line for each tool that an agent called, shortened; a few of many."""
    for use in tools[:_TOOLS_SHOWN]:
        arguments = short(use.arguments, _SAID_SHOWN) or "nothing"
        said = "failed with" if use.failed else "returned"
        result = "no result"
        if use.result is not None:
            result = short(use.result, _SAID_SHOWN) or "nothing"
        yield f"called {use.name} with {arguments}, which {said} {result}"
    if (more := len(tools) - _TOOLS_SHOWN) > 0:
        yield f"and {many(more, 'more call', 'more calls')} of tools"
