"""A turn at the roundtable: the call for it, and what came of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from ...models import ToolUse, Usage
from ..ballot import Conversation, Perceived, Spoken
from ..case import Case
from ..prompts import Rubric


class RemarkOutcome(StrEnum):
    """How a juror's turn ended. Only `spoke` has words."""

    SPOKE = "spoke"
    """The juror said something."""
    PASSED = "passed"
    """The juror had nothing to say."""
    REFUSED = "refused"
    """The juror's model declined to speak."""
    FILTERED = "filtered"
    """A provider's filter stopped the juror."""
    UNPARSED = "unparsed"
    """The juror answered twice and no turn could be read."""
    TRANSPORT_ERROR = "transport_error"
    """The call failed."""
    BUDGET_STOP = "budget_stop"
    """The run's budget did not cover the call."""

    @property
    def is_lost(self) -> bool:
        """Whether no reply came, so that asking again may bring one."""
        return self in (RemarkOutcome.TRANSPORT_ERROR, RemarkOutcome.BUDGET_STOP)


@dataclass(frozen=True, slots=True, repr=False)
class RemarkCall:
    """A call for one turn at the roundtable.

    Attributes:
        case: What is judged.
        round: The round of the vote that follows, 1 or later.
        turn: Which turn of this talk it is, from 1.
        conversation: What the juror heard up to now.
        rubric: What is judged by instead of the bundled rubric, None for that one.
        quotes: Whether jurors are asked for the words that they rely on when they vote.
    """

    case: Case
    round: int
    turn: int
    conversation: Conversation
    rubric: Rubric | None = None
    quotes: bool = True

    def __repr__(self) -> str:
        # The bus writes each message into a log line, read or not.
        return f"<RemarkCall of {self.case.id!r}, round {self.round}, turn {self.turn}>"


@dataclass(frozen=True, slots=True)
class Remark:
    """What came of one juror's turn at the roundtable.

    Attributes:
        juror: The seat's name.
        alias: The name by which the others know it in this case: `Juror A`.
        round: The round of the vote that follows, 1 or later.
        turn: Which turn of this talk it is, from 1.
        outcome: Closed set; see `RemarkOutcome`.
        to: Alias of the juror whom it was said to, None for all.
        text: The words; empty unless the outcome is `spoke`.
        to_juror: The seat behind `to`, None for all.
        detail: For outcomes other than `spoke` and `passed`: what happened.
        perceived: What the juror really received of the case.
        usage: Tokens of all calls for this turn.
        cost_usd: US dollars of those calls, None where a price is unknown.
        latency_s: Seconds of those calls.
        calls: Model calls made.
        notes: What the model calls did differently from what was asked.
        cost_usd_known: US dollars of the calls whose cost is known; None where that was
            not counted apart.
        tools: The tools that an agent called before it said this.
    """

    juror: str
    alias: str
    round: int
    turn: int
    outcome: RemarkOutcome
    to: str | None = None
    text: str = ""
    to_juror: str | None = None
    detail: str | None = None
    perceived: Perceived = Perceived()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    latency_s: float = 0.0
    calls: int = 0
    notes: tuple[str, ...] = ()
    cost_usd_known: float | None = None
    tools: tuple[ToolUse, ...] = ()

    def __str__(self) -> str:
        # The bus writes each reply into a log line: without the juror's words.
        return f"{self.juror}, round {self.round}, turn {self.turn}: {self.outcome}"

    @property
    def spoken(self) -> Spoken | None:
        """What the others hear of it, None where nothing was said."""
        if self.outcome is not RemarkOutcome.SPOKE:
            return None
        return Spoken(self.alias, self.to, self.text)
