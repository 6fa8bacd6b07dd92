"""The live part of the live view: what each seat is doing now."""

from collections.abc import Callable
from typing import assert_never

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..protocol import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CallTotals,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Notice,
    RemarkCalled,
    RemarkMade,
    SummedUp,
    TalkAudited,
    VerdictAnnounced,
)
from ._blocks import footer
from ._case import TranscriptBlocks
from ._look import BLUE, GREEN, Block, Look

SPINS_PER_S = 8


class Progress:
    """Tracks the progress of one open case.

    Attributes:
        case_id: The case's id.
    """

    def __init__(
        self,
        case_id: str,
        transcript: TranscriptBlocks,
        *,
        opened_at: float,
        clock: Callable[[], float],
    ) -> None:
        self.case_id = case_id
        self._transcript = transcript
        self._opened_at = opened_at
        self._clock = clock
        self._round = 0
        self._sealed: dict[str, bool] = {}
        self._under_seal = CallTotals()
        self._doing = "The foreperson calls the jury"

    def take(self, event: Entry | Notice, at: float) -> Block | None:
        """Process an event and return the block to print for it, None for notices."""
        match event:
            case BallotCalled() | BallotSealed():
                self._round = event.round
                self._sealed[event.seat] = isinstance(event, BallotSealed)
                if isinstance(event, BallotSealed):
                    self._under_seal += CallTotals(event.usage, event.cost_usd, event.calls)
                return None
            case RemarkCalled():
                speaker = self._transcript.jury.title(event.seat)
                self._sealed, self._doing = {}, f"{speaker} thinks about what to say"
                return None
            case CaseOpened() | DiscussionOpened():
                self._sealed = {}
            case RemarkMade():
                self._doing = "The jurors talk"
            case BallotsRevealed():
                self._sealed = {}
                self._under_seal = CallTotals()
                self._doing = "The foreperson weighs the ballots"
            case SummedUp() | VerdictAnnounced() | TalkAudited():
                self._doing = "The foreperson announces the verdict"
            case _:
                assert_never(event)
        return self._transcript.add(event, elapsed_s=at - self._opened_at)

    def show(self, look: Look) -> RenderableType:
        """Render what each seat is doing, and calls, tokens, cost and time so far."""
        elapsed = self._clock() - self._opened_at
        spinner = look.glyphs.spinner[int(elapsed * SPINS_PER_S) % len(look.glyphs.spinner)]
        parts: list[RenderableType] = []
        if self._sealed:
            sealed = f"{sum(self._sealed.values())} of {len(self._sealed)} ballots sealed"
            parts.append(look.heading(f"Round {self._round}", sealed))
            parts.append(self._seats(look, spinner))
        else:
            parts.append(Padding(look.name(f"{spinner} {self._doing}", BLUE), (1, 2, 0, 2)))
        used = self._transcript.totals + self._under_seal
        return Group(*parts, footer(look, used, elapsed))

    def _seats(self, look: Look, spinner: str) -> RenderableType:
        jury = self._transcript.jury
        table = Table.grid(padding=(0, 2, 0, 0))
        for seat in sorted(self._sealed, key=lambda s: (jury.index(s), s)):
            state = Text(f"{spinner} thinking", BLUE)
            if self._sealed[seat]:
                state = Text(f"{look.glyphs.vote} sealed", GREEN)
            table.add_row(jury.label(look, seat), state)
        return Padding(table, (1, 2, 1, 2))
