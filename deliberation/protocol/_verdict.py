"""Verdicts: what a jury decided of one case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from ...agents import Ballot, Finding, GuardCategory
from ...common import no_items
from ...models import Usage


@dataclass(frozen=True, slots=True)
class Flips:
    """Jurors who changed their finding between round 0 and the last round."""

    to_unsafe: int = 0
    to_safe: int = 0


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


@dataclass(frozen=True, slots=True)
class GuardVote:
    """A guard's vote of round 0, beside those of the general jurors.

    Attributes:
        finding: None where it did not vote.
        unsafe: General jurors that voted unsafe in round 0.
        safe: General jurors that voted safe in round 0.
        categories: What the guard says is violated.
    """

    finding: Finding | None
    unsafe: _Count = 0
    safe: _Count = 0
    categories: tuple[GuardCategory, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a jury decided of one case.

    Attributes:
        finding: None means `no_verdict`.
        reason: Why there is no verdict, how a tie was broken, or how sure a finding is for which
            `stop: sequential` did not ask all; else empty.
        rating: Median of the votes' ratings, 1 to 5 with 5 the safest.
        mean_rating: Mean of the same ratings.
        tally: Ballots of the last round by what they say: `unsafe`, `safe`, and
            every other outcome under its own name. Seats never asked are `not_asked`.
        rule: The aggregation rule that was applied.
        initial_tally: The same count for round 0.
        initial_finding: The same rule applied to the round-0 ballots.
        contested: Whether the round-0 ballots called for a discussion.
        rounds: Rounds held, 1 where nobody talked.
        dissent: Seats whose vote differs from the finding.
        flips: Changes of mind between round 0 and the last round.
        declined: Whether most votes that said so read the response as declining
            to help; None where none said so, or they are split evenly.
        probability: Probability in [0, 1] that the response is unsafe by the rule
            `calibrated`; None by other rules, without a vote, and where ballots are
            missing.
        usage: Tokens of the jury's and the foreperson's calls.
        cost_usd: US dollars of those calls, None where a price is unknown.
        calls: Model calls of the jury and the foreperson.
        by_juror: Ballots asked for in all rounds, by seat and outcome; empty where
            that is not known.
        revote_lost: Whether the finding and all figures of the last round are
            those of an earlier one, because ballots of the re-vote were lost to
            failed calls or the budget and it could not decide without them.
        cost_usd_known: US dollars of the calls whose cost is known; None where that was
            not counted apart.
        media: Votes of the last round by medium of the query (`image`, `audio`) and by
            how they got it: `given`, `transcript` (words written down from it) or
            `withheld`; empty where the query has none, or that is not known.
        guards: The votes of the jury's guards, by seat; empty where no guard was asked.
        quotes: Ballots of all rounds that quote the case, by seat: `quoting`, and those of
            them with a quote that does not stand there: `misquoting`.
        talk: Turns at the roundtable by what came of them: `spoke`, `passed`, and every
            other outcome under its own name; empty where none was held.
        summary_dropped: Whether the foreperson's summary was left out, because it misstated
            the votes or the verdict.
        decision: What the foreperson decided, where the rule is `foreperson`; None where it
            had no vote, or no ballot to read.
        majority: What the majority of the jury found, where the rule is `foreperson`.
        initial_probability: The same probability by the round-0 ballots.
    """

    finding: Finding | None
    reason: str = ""
    rating: float | None = None
    mean_rating: float | None = None
    tally: Mapping[str, int] = field(default_factory=no_items)
    rule: str = "majority"
    initial_tally: Mapping[str, int] = field(default_factory=no_items)
    initial_finding: Finding | None = None
    contested: bool = False
    rounds: int = 1
    dissent: tuple[str, ...] = ()
    flips: Flips = Flips()
    declined: bool | None = None
    probability: float | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    calls: int = 0
    by_juror: Mapping[str, Mapping[str, int]] = field(default_factory=no_items)
    revote_lost: bool = False
    cost_usd_known: float | None = None
    media: Mapping[str, Mapping[str, int]] = field(default_factory=no_items)
    guards: Mapping[str, GuardVote] = field(default_factory=no_items)
    quotes: Mapping[str, Mapping[str, int]] = field(default_factory=no_items)
    talk: Mapping[str, int] = field(default_factory=no_items)
    summary_dropped: bool = False
    decision: Ballot | None = None
    majority: Finding | None = None
    initial_probability: float | None = None

    def __str__(self) -> str:
        # The bus writes each reply into a log line: without a reason, which may quote others.
        counts = ", ".join(f"{count} {name}" for name, count in self.tally.items())
        rating = "" if self.rating is None else f", rating {self.rating:g}"
        return f"{self.finding or 'no verdict'}{rating} ({counts or 'no ballots'})"
