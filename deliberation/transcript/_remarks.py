"""Renders what jurors say to each other, with who answers whom."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ...agents import Remark, RemarkOutcome
from ._look import AMBER, GRAY, Look, Seats, seat_color
from ._tools import tool_lines

_DEEPEST = 3
_INDENT = 4


def depth(earlier: Sequence[Remark], remark: Remark) -> int:
    """Return how far a remark stands to the right: an answer stands under what it answers.

    Args:
        earlier: What was said before it in the same talk.
        remark: The remark.
    """
    if remark.to is None or not remark.text:
        return 0
    for at in reversed(range(len(earlier))):
        other = earlier[at]
        asked = (other.round, other.juror, other.to)
        if asked == (remark.round, remark.to_juror, remark.alias):
            return min(depth(earlier[:at], other) + 1, _DEEPEST)
    return 0


def remark_made(
    look: Look, jury: Seats, remark: Remark, earlier: Sequence[Remark]
) -> RenderableType:
    """Render one turn at the roundtable.

    Args:
        look: Style of the console.
        jury: The seats.
        remark: What came of it.
        earlier: What came of the turns before.
    """
    left = 2 + _INDENT * depth(earlier, remark)
    head = _speaker(look, jury, remark.juror, remark.alias)
    if remark.outcome is RemarkOutcome.PASSED:
        above = int(not earlier or earlier[-1].outcome is not RemarkOutcome.PASSED)
        return Padding(head.append(" passes", f"italic {GRAY}"), (above, 2, 0, left))
    if remark.to is not None:
        head.append(f" {look.glyphs.arrow} ", GRAY)
        head.append_text(_speaker(look, jury, remark.to_juror or "", remark.to))
    if remark.outcome is RemarkOutcome.SPOKE:
        words = look.words(remark.text.strip())
    else:
        failed = remark.outcome.replace("_", " ")
        head.append(f"   {look.glyphs.none} {failed}", f"italic {AMBER}")
        words = look.words(remark.detail or "nothing was said", f"italic {GRAY}")
    parts = [Padding(head, (1, 2, 0, left)), Padding(words, (0, 2, 0, left + 2))]
    if withheld := remark.perceived.withheld:
        aside = look.name("did not receive: " + ", ".join(withheld), GRAY)
        parts.append(Padding(aside, (0, 2, 0, left + 2)))
    called = (look.name(line, GRAY) for line in tool_lines(remark.tools))
    parts += (Padding(line, (0, 2, 0, left + 2)) for line in called)
    return Group(*parts)


def _speaker(look: Look, jury: Seats, seat: str, alias: str) -> Text:
    """Return a juror's name at the table, and who it is for a reader."""
    index = jury.index(seat)
    name = look.name(alias, f"bold {seat_color(index)}")
    title = look.name(jury.title(seat), GRAY)
    return Text.assemble(look.mark(index), " ", name, (", ", GRAY), title)
