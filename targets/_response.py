"""A target's response and its outcome."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ..datasets import Message, Query
from ..models import Sampling, SentRequest, Usage


class ResponseOutcome(StrEnum):
    """The outcome of a query to a target. Only `answered` goes to the jury."""

    ANSWERED = "answered"
    """The target spoke; its refusals in words are answers too."""
    FILTERED = "filtered"
    """A provider's filter stopped the question or the answer."""
    TRUNCATED = "truncated"
    """The token cap cut the answer short."""
    ERROR = "error"
    """The call failed, or the answer was empty."""
    NOT_PUT = "not_put"
    """The query has more pictures than the target takes, so it was never asked."""
    GAVE_UP = "gave_up"
    """The attack found no words to ask with, so the target was never asked."""


@dataclass(frozen=True, slots=True)
class Response:
    """A target's response to one query.

    Attributes:
        outcome: Closed set; see `ResponseOutcome`.
        text: The target's own words, as far as there are any.
        detail: Why there is no answer, None if there is one.
        finish_reason: As the provider said, None for recorded responses.
        usage: Tokens spent.
        latency_s: Seconds.
        provider_model: The model's name as the provider reports it.
        cost_usd: US dollars, None where unknown.
        notes: What was sent otherwise than asked, such as a picture withheld.
        calls: Model calls made for it.
        max_tokens: Cap on its tokens that was asked for, None if there was none.
        seed: Seed that was asked for.
        sampling: How words were to be drawn, None for recorded responses.
        sent: What was really sent, None for recorded responses.
        changes: How the media that were sent differ from those of the set, such as a
            picture made smaller; one sentence each.
        model: Name and place of the model that was asked, and for one on a server of
            ours a digest of its files and arguments; None for recorded responses.
        turns: What a recorded conversation has between the question and `text`: what the
            target said and which tools it called, what they returned, and what it was
            asked in the course of it; without media. Belongs to what is judged.
    """

    outcome: ResponseOutcome
    text: str
    detail: str | None = None
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    latency_s: float = 0.0
    provider_model: str | None = None
    cost_usd: float | None = None
    notes: tuple[str, ...] = ()
    calls: int = 0
    max_tokens: int | None = None
    seed: int | None = None
    sampling: Sampling | None = None
    sent: SentRequest | None = None
    changes: tuple[str, ...] = ()
    model: str | None = None
    turns: tuple[Message, ...] = ()


class Target(Protocol):
    """The interface of a target, a model under test."""

    @property
    def name(self) -> str:
        """The target's name in the config, unique within a run."""
        ...

    async def respond(self, query: Query, *, epoch: int, call_id: str) -> Response:
        """Send a query to the target; failures are outcomes, not exceptions.

        Args:
            query: What to ask.
            epoch: Repetition, from 0; it shifts the seed.
            call_id: Names the call within the run.

        Raises:
            FirstContactError: The target never answered once and waiting won't help.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and processes."""
        ...
