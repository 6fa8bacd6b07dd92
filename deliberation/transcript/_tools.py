"""Says which tools an agent on the jury called, in lines."""

from collections.abc import Iterator

from ...agents import Ballot
from ...common.text import many

_TOOLS_SHOWN, _SAID_SHOWN = 5, 100


def tool_lines(ballot: Ballot) -> Iterator[str]:
    """Yield a line for each tool that an agent called, shortened; a few of many."""
    for use in ballot.tools[:_TOOLS_SHOWN]:
        result = "no result" if use.result is None else _short(use.result) or "nothing"
        said = "failed with" if use.failed else "returned"
        yield f"called {use.name} with {_short(use.arguments) or 'nothing'}, which {said} {result}"
    if (more := len(ballot.tools) - _TOOLS_SHOWN) > 0:
        yield f"and {many(more, 'more call', 'more calls')} of tools"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SAID_SHOWN else f"{line[:_SAID_SHOWN]}..."
