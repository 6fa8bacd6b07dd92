"""One case in full, as `safejury deliberate` shows it."""

from collections.abc import Callable
from dataclasses import replace

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ...deliberation import CaseOpened, SeatInfo
from ...deliberation.transcript import Block, Progress, TranscriptBlocks
from ._cases import WatchedCase
from ._paper import Paper

_LONGEST = 20_000
"""Characters of a question or a response that are shown: more of them would hold up the view."""


class Pane:
    """Shows a case under way; what was laid out once is kept.

    Args:
        case: The case.
        jury: The jury, in seat order.
        protocol: Name of the protocol.
        reveal: Whether the question and the response are shown.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self,
        case: WatchedCase,
        jury: tuple[SeatInfo, ...],
        *,
        protocol: str,
        reveal: bool,
        clock: Callable[[], float],
    ) -> None:
        self.case = case
        blocks = TranscriptBlocks(jury, target=case.target, protocol=protocol, reveal=reveal)
        self._progress = Progress(case.case_id, blocks, opened_at=case.begun_at, clock=clock)
        self._reveal = reveal
        self._taken = 0
        self._blocks: list[Block] = []
        self._paper: Paper | None = None
        self._lines: list[str] = []
        self._laid_out = 0

    def lines(self, paper: Paper) -> list[str]:
        """Return all that was said so far, and what each seat is doing now."""
        for at, event in self.case.events[self._taken :]:
            self._taken += 1
            if self._reveal and isinstance(event, CaseOpened):
                event = _shortened(event)
            block = self._progress.take(event, at)
            self._blocks += [] if block is None else [block]
        if paper is not self._paper:
            self._paper, self._lines, self._laid_out = paper, [], 0
        for block in self._blocks[self._laid_out :]:
            self._lines += paper.lines(block)
        self._laid_out = len(self._blocks)
        return [*self._lines, *paper.lines(self._now(paper))]

    def _now(self, paper: Paper) -> RenderableType:
        if self.case.verdict is not None:
            return ""
        if self.case.ended_at is not None:
            return Padding(Text("Given up: it will be judged anew.", "italic"), (1, 2))
        if not self.case.is_open:
            asked = Text.assemble("Asking ", paper.look.name(self.case.target, "bold"), " …")
            return Padding(asked, (1, 2))
        return Block(self._progress.show)


def _shortened(entry: CaseOpened) -> CaseOpened:
    case = entry.case
    query = replace(case.query, text=_beginning(case.query.text))
    response = replace(case.response, text=_beginning(case.response.text))
    return replace(entry, case=replace(case, query=query, response=response))


def _beginning(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n(and {len(text) - _LONGEST:,} more characters)"
