"""The schema of the rows: what is said of a case, and of a ballot."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A finished case. What is not known is None.

    Attributes:
        case_id: Its id, unique within the run.
        target: The target's name.
        query_id: The query's id.
        epoch: Repetition, from 0.
        condition: Name of its condition, empty for none.
        category: The category of its scenario.
        scenario: Canonical scenario id.
        intent: `harmful` or `benign`.
        response: How asking the target ended: `answered`, `filtered`, `truncated`, and so on.
        verdict: `unsafe`, `safe` or `no_verdict`, which is never one of the other two.
        rating: Median rating of the votes, 1 to 5, 5 the safest; None without a verdict.
        probability: Probability in [0, 1] that the response is unsafe, by the rule `calibrated`
            of the run; None by other rules.
        initial_verdict: The same as `verdict`, by the ballots of round 0.
        contested: Whether round 0 called for a discussion.
        rounds: Rounds held, 1 without a discussion.
        unsafe_votes: Votes for unsafe in the last round.
        safe_votes: Votes for safe in the last round.
        no_vote: Seats of the last round without a vote, for whatever reason.
        over_refusal: For benign queries: whether the target declined; None for harmful ones, and
            where it is not known.
        calls: Model calls, the target's included.
        prompt_tokens: Tokens of their prompts.
        completion_tokens: Tokens of their replies.
        cost_usd: US dollars of them; None where a price is unknown.
        changed: Whether the verdicts of round 0 and of the end are both there, and differ.
        flips: Jurors who changed their finding between round 0 and the last round.
        flips_to_unsafe: Those of them who changed it to unsafe.
        not_asked: Those of `no_vote` that were never asked, since the outcome was fixed.
        mean_rating: Mean of the same ratings as `rating`.
        probability_corrected: The probability by the ballots of round 0 and a jury card; None
            without a card, and where ballots that it needs are missing.
        cached_tokens: Those of `prompt_tokens` that a server had in its cache.
        cost_usd_known: US dollars of the calls whose price is known.
        intent_assumed: Whether `harmful` is a guess, because the set does not say the intent.
        revote_lost: Whether the verdict is that of an earlier round, because the re-vote was lost.
        lost_ballots: Ballots of all rounds that were lost to failed calls or the budget.
        misquoting: Ballots of all rounds with a quote that does not stand in the case.
        labels: What the set says of the query, by name.
        question: What was asked; None unless texts are revealed.
        answer: The response; None unless texts are revealed.
    """

    case_id: str
    target: str
    query_id: str
    epoch: int
    condition: str
    category: str
    scenario: str
    intent: str
    response: str
    verdict: str
    rating: float | None
    probability: float | None
    initial_verdict: str
    contested: bool
    rounds: int
    unsafe_votes: int
    safe_votes: int
    no_vote: int
    over_refusal: bool | None
    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    changed: bool
    flips: int
    flips_to_unsafe: int
    not_asked: int
    mean_rating: float | None
    probability_corrected: float | None
    cached_tokens: int | None
    cost_usd_known: float | None
    intent_assumed: bool
    revote_lost: bool
    lost_ballots: int
    misquoting: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    question: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class BallotRow:
    """One juror's ballot of one round. What is not known is None.

    A guard's ballot of round 0, which stands in later rounds, is one row.

    Attributes:
        case_id: The case's id.
        target: The target's name.
        query_id: The query's id.
        epoch: Repetition, from 0.
        condition: Name of the case's condition, empty for none.
        scenario: Canonical scenario id.
        intent: `harmful` or `benign`.
        verdict: What the jury found in the end: `unsafe`, `safe` or `no_verdict`.
        round: 0 is independent, 1 and later follow a discussion.
        juror: The juror's seat.
        persona: Its persona, or the name of the agent.
        model: The model behind it.
        guard: The kind of guard that sits there; empty for all other jurors.
        outcome: `verdict`, which alone is a vote, or why there is none: `abstain`, `refused`,
            `filtered`, `unparsed`, `transport_error`, `budget_stop`; or `not_asked`, where the
            outcome was fixed without it.
        finding: `unsafe` or `safe`; None without a vote.
        rating: 1 to 5, 5 the safest; None without a vote, and for guards.
        criteria: Short names of the criteria met, in the juror's words.
        declined: Whether the juror read the response as declining to help.
        changed: Whether its finding differs from its finding of the round before; None in round
            0, and where one of the two is no vote.
        quotes: Number of quotes that stand in the case.
        misquotes: Number of quotes that do not.
        guard_probability: Probability in [0, 1] of unsafe that a guard's reply gave; not
            calibrated.
        guard_categories: What the guard says is violated, in its own words.
        calls: Model calls for it.
        prompt_tokens: Tokens of their prompts.
        completion_tokens: Tokens of their replies.
        cost_usd: US dollars of them; None where a price is unknown.
        latency_s: Seconds of them.
        seal: SHA-256 of what was stated, as it was recorded before anyone read it; empty where
            the seat was not asked.
        reason: Why, in the juror's words; None unless texts are revealed.
        detail: Why there is no vote, where more is known; None unless texts are revealed.
    """

    case_id: str
    target: str
    query_id: str
    epoch: int
    condition: str
    scenario: str
    intent: str
    verdict: str
    round: int
    juror: str
    persona: str
    model: str
    guard: str
    outcome: str
    finding: str | None = None
    rating: int | None = None
    criteria: tuple[str, ...] = ()
    declined: bool | None = None
    changed: bool | None = None
    quotes: int = 0
    misquotes: int = 0
    guard_probability: float | None = None
    guard_categories: tuple[str, ...] = ()
    calls: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    latency_s: float = 0.0
    seal: str = ""
    reason: str | None = None
    detail: str | None = None
