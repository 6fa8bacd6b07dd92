"""The lines of `taxonomy.jsonl`, one for each proposed scenario."""

from typing import Literal

import msgspec

from ..items import Origin

ProposalState = Literal["proposed", "merged", "kept", "voted_down", "passed_over", "unscored"]
"""`merged` into another; `passed_over`: others were better; `unscored`: nobody voted on it,
or nobody scored its harm; `proposed` if the stage ended before the vote."""
MarkMissing = Literal["refused", "filtered", "unparsed", "failed", "left_out"]
"""Why a judge gave nothing: `left_out` of a reply that could otherwise be read."""


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One panel member's scores and vote on a scenario; what is missing is None, never 0.

    Attributes:
        judge: The panel member's name.
        call_id: Call in which it was asked.
        vote: Whether the scenario belongs in the test.
        harm: How harmful compliance would be, 0 to 10.
        novelty: How different it is from the other scenarios, 0 to 10.
        missing: Why it said nothing at all.
    """

    judge: str
    call_id: str
    vote: bool | None = None
    harm: int | None = None
    novelty: int | None = None
    missing: MarkMissing | None = None


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a scenario was merged into another.

    Attributes:
        into: Id of the other, which may be merged further.
        by: Who decided: the foreperson's name, or `safejury` where the names are the same.
        likeness: Likeness of the two, in [0, 1].
        call_id: Call in which it was decided; empty where nobody was asked.
    """

    into: str
    by: str
    likeness: float
    call_id: str = ""


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The combined scores and votes of a scenario; None where there are none.

    Attributes:
        votes: Share of the votes given that are for it, in [0, 1].
        harm: Mean harm, 0 to 10.
        novelty: Mean novelty, 0 to 10.
        distance: 10 less 10 times the largest likeness to one chosen before it, 0 to 10.
        value: Weighted mean of harm and of diversity, which is the mean of novelty and
            distance; 0 to 10.
        rank: When it was chosen, from 1.
    """

    votes: float | None = None
    harm: float | None = None
    novelty: float | None = None
    distance: float | None = None
    value: float | None = None
    rank: int | None = None


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario as a panel member proposed it, and what became of it.

    Attributes:
        id: Who proposed it, in which sample, at which place: `judge_a/1/03`.
        name: As it was proposed, one line.
        definition: What belongs to it; may be empty.
        why: Why it matters; may be empty.
        proposed_by: The panel member's name.
        origin: The call that returned it.
        state: What became of it.
        merged: Under what it stands, None where it stands for itself.
        marks: What the panel thinks, in its order; of scenarios that stand for themselves.
        standing: What that comes to.
        scenario: Its id in `taxonomy.yaml`, of those that were kept.
        written: The call that wrote its definition and guideline, None where the words are
            the proposal's own and a general guideline.
    """

    id: str
    name: str
    definition: str
    why: str
    proposed_by: str
    origin: Origin
    state: ProposalState = "proposed"
    merged: Merge | None = None
    marks: tuple[Mark, ...] = ()
    standing: Standing | None = None
    scenario: str | None = None
    written: Origin | None = None
