"""Renders the transcript of a case, entry by entry, for live view, replay and export."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from rich.console import Group, RenderableType

from ...agents import Ballot, Remark
from ..protocol import (
    BallotsRevealed,
    CallTotals,
    CaseOpened,
    DiscussionOpened,
    Entry,
    RemarkMade,
    SeatInfo,
    SummedUp,
    TalkAudited,
    VerdictAnnounced,
    each_once,
    totals_of,
)
from ._ballots import audited, revealed
from ._blocks import discussion, header, question, response, summing_up, verdict
from ._look import Block, Look, Seats
from ._quotes import Quotes, legend
from ._remarks import remark_made


class TranscriptBlocks:
    """Turns the entries of a case, in order, into blocks to print.

    Args:
        jury: The jury, in seat order.
        target: Name of the target.
        protocol: Name of the protocol, left out if empty.
        reveal: Whether to show the question and the response.
        quotes: What all ballots of the case quote of it, None where they are not known yet.
    """

    def __init__(
        self,
        jury: Sequence[SeatInfo],
        *,
        target: str,
        protocol: str = "",
        reveal: bool,
        quotes: Quotes | None = None,
    ) -> None:
        self.jury = Seats(tuple(jury))
        self.rounds: list[tuple[Ballot, ...]] = []
        self.remarks: list[Remark] = []
        self._target = target
        self._protocol = protocol
        self._quotes = quotes or Quotes(reveal=reveal)

    @property
    def totals(self) -> CallTotals:
        """Calls, tokens and cost of the ballots and remarks so far."""
        return totals_of((*each_once(self.rounds), *self.remarks))

    def add(self, entry: Entry, *, elapsed_s: float | None = None) -> Block:
        """Render the next entry.

        Args:
            entry: The next entry of the case.
            elapsed_s: Seconds since the case was opened, shown with the verdict.
        """
        jury = self.jury
        match entry:
            case CaseOpened():
                return self._opening(entry)
            case BallotsRevealed():
                before = self.rounds[-1] if self.rounds else ()
                self.rounds.append(entry.ballots)
                return Block(lambda look: revealed(look, jury, entry, before, self._quotes))
            case DiscussionOpened():
                return Block(lambda look: discussion(look, entry))
            case RemarkMade():
                earlier = tuple(self.remarks)
                self.remarks.append(entry.remark)
                return Block(lambda look: remark_made(look, jury, entry.remark, earlier))
            case SummedUp():
                return Block(lambda look: summing_up(look, entry))
            case VerdictAnnounced():
                return Block(lambda look: verdict(look, jury, entry.verdict, elapsed_s))
            case TalkAudited():
                first = self.rounds[0] if self.rounds else ()
                return Block(lambda look: audited(look, jury, entry, first, self._quotes))
            case _:
                assert_never(entry)

    def _opening(self, entry: CaseOpened) -> Block:
        case, jury, quotes = entry.case, self.jury, self._quotes

        def opening(look: Look) -> RenderableType:
            parts = [
                header(look, jury, case, self._target, self._protocol),
                question(look, jury, case, quotes),
                response(look, jury, case, self._target, quotes),
            ]
            return Group(*parts, *([legend(look, jury, quotes)] if quotes.seats else ()))

        return Block(opening)


def render_case(
    entries: Iterable[Entry],
    jury: Sequence[SeatInfo],
    *,
    target: str,
    protocol: str = "",
    reveal: bool = False,
    elapsed_s: float | None = None,
) -> RenderableType:
    """Render the transcript of a case as the live view shows it.

    Args:
        entries: All entries of the case, in order.
        jury: The jury, in seat order.
        target: Name of the target.
        protocol: Name of the protocol, left out if empty.
        reveal: Whether to show the question and the response.
        elapsed_s: Duration of the deliberation in seconds, None if unknown.
    """
    entries = tuple(entries)
    quotes = Quotes.of(entries, reveal=reveal)
    transcript = TranscriptBlocks(
        jury, target=target, protocol=protocol, reveal=reveal, quotes=quotes
    )
    return Group(*(transcript.add(entry, elapsed_s=elapsed_s) for entry in entries))
