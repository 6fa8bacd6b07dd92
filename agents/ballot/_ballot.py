"""Ballots: one juror's sealed statement in one round."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from ...models import ToolUse, Usage

_encode = msgspec.json.Encoder().encode


class BallotOutcome(StrEnum):
    """How calling a ballot ended. Only `verdict` is a vote."""

    VERDICT = "verdict"
    """The juror reached a finding."""
    ABSTAIN = "abstain"
    """The juror chose not to decide."""
    REFUSED = "refused"
    """The juror's model declined to judge."""
    FILTERED = "filtered"
    """A provider's filter stopped the juror."""
    UNPARSED = "unparsed"
    """The juror spoke twice and no ballot could be read."""
    TRANSPORT_ERROR = "transport_error"
    """The call failed."""
    BUDGET_STOP = "budget_stop"
    """The run's budget did not cover the call."""

    @property
    def is_lost(self) -> bool:
        """Whether no reply came, so that asking again may bring one."""
        return self in (BallotOutcome.TRANSPORT_ERROR, BallotOutcome.BUDGET_STOP)


class Finding(StrEnum):
    """What a vote says of a response. The polarity lives here and nowhere else."""

    UNSAFE = "unsafe"
    SAFE = "safe"

    def contradicts(self, rating: int) -> bool:
        """Return whether a rating, 1 to 5, says the opposite; 3 goes with either."""
        return rating > 3 if self is Finding.UNSAFE else rating < 3


@dataclass(frozen=True, slots=True)
class Perceived:
    """What a juror really received.

    Attributes:
        text: Whether it received the words.
        images: Hashes of the pictures that were sent, in their order.
        image_bytes: Size of those pictures together, in bytes.
        audio_sha256: Hash of the sound that was sent.
        transcript: Source of the words that it got instead of the sound, None where
            it got none.
        withheld: Media of the case that the juror could not take in.
        more_audio: Hashes of further sounds of a conversation that were sent.
    """

    text: bool = True
    images: tuple[str, ...] = ()
    image_bytes: int = 0
    audio_sha256: str | None = None
    transcript: str | None = None
    withheld: tuple[str, ...] = ()
    more_audio: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardCategory:
    """What a guard says is violated.

    Attributes:
        name: Its category, in the guard's own words.
        ours: Our categories that it is nearest to; empty where there is no counterpart.
    """

    name: str
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    """What a guard's ballot has and a juror's has not.

    Attributes:
        guard: The kind of guard, such as `llama-guard-3`.
        categories: What it says is violated.
        probability: Probability in [0, 1] that the response is unsafe, by the tokens of the
            guard's reply; None where they came without probabilities. It is not calibrated.
    """

    guard: str
    categories: tuple[GuardCategory, ...] = ()
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """One juror's sealed statement in one round.

    Attributes:
        juror: The seat's name.
        round: 0 is independent, 1 and later follow a discussion.
        outcome: Closed set; see `BallotOutcome`.
        finding: None unless the outcome is `verdict`.
        rating: 1 to 5, 5 the safest; None unless the outcome is `verdict`, and for guards,
            which give none.
        criteria: Short names of the criteria met, in the juror's words.
        reason: Why, in the juror's words.
        declined: Whether the response declined to help, as the juror read it;
            None where the juror did not say. Measures over-refusal.
        detail: For outcomes other than `verdict`: what happened.
        perceived: What the juror really received.
        usage: Tokens of all calls for this ballot.
        cost_usd: US dollars of those calls, None where a price is unknown.
        latency_s: Seconds of those calls.
        calls: Model calls made.
        notes: What the model calls did differently from what was asked.
        cost_usd_known: US dollars of the calls whose cost is known; None where that was
            not counted apart.
        guard: What a guard says beside its finding; None for all other jurors.
        tools: The tools that an agent called before it stated this.
        quotes: Words of the case that the juror relies on, as it wrote them: each was found
            there, or is a picture that it was shown.
        misquotes: What it gave for words of the case, and does not stand there.
    """

    juror: str
    round: int
    outcome: BallotOutcome
    finding: Finding | None = None
    rating: int | None = None
    criteria: tuple[str, ...] = ()
    reason: str = ""
    declined: bool | None = None
    detail: str | None = None
    perceived: Perceived = Perceived()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    latency_s: float = 0.0
    calls: int = 0
    notes: tuple[str, ...] = ()
    cost_usd_known: float | None = None
    guard: Classification | None = None
    tools: tuple[ToolUse, ...] = ()
    quotes: tuple[str, ...] = ()
    misquotes: tuple[str, ...] = ()

    def __str__(self) -> str:
        # The bus writes each reply into a log line: without the juror's words.
        rating = "" if self.rating is None else f", rating {self.rating}"
        return f"{self.juror}, round {self.round}: {self.finding or self.outcome}{rating}"

    @property
    def is_vote(self) -> bool:
        """Whether the ballot counts as a vote."""
        return self.outcome is BallotOutcome.VERDICT

    @property
    def probability(self) -> float | None:
        """The probability in [0, 1] that the response is unsafe, where a guard gave one."""
        return self.guard.probability if self.guard else None

    @property
    def contradicts_itself(self) -> bool:
        """Whether the ballot is a vote whose rating says the opposite of its finding."""
        if self.finding is None or self.rating is None:
            return False
        return self.is_vote and self.finding.contradicts(self.rating)

    def seal(self) -> str:
        """Return the SHA-256 hex digest of what the juror stated."""
        stated = (
            self.juror,
            self.round,
            self.outcome,
            self.finding,
            self.rating,
            self.criteria,
            self.reason,
            self.declined,
        )
        if self.guard is not None:  # without one, the seal of earlier versions stays
            stated = (*stated, self.guard)
        if self.quotes or self.misquotes:
            stated = (*stated, self.quotes, self.misquotes)
        return hashlib.sha256(_encode(stated)).hexdigest()
