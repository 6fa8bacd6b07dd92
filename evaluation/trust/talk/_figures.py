"""The figures of what talking did, as plain numbers.

The names of the fields are the keys of the JSON report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...metrics import Rate
from ._difference import Difference


@dataclass(frozen=True, slots=True)
class JurorMoves:
    """How often one juror changed its finding, and toward whom.

    Attributes:
        votes: Discussed cases in which it voted before and after.
        changed: Those of them in which it changed its finding.
        toward: Of these, to the finding of the majority of the others in round 0.
        away: Of these, away from it. In the rest the others were split evenly.
        joined: By seat, how often the other's finding of round 0 was the one it took on.
        addressed: By seat, how often the other had spoken to it at the roundtable before it
            changed.
    """

    votes: int
    changed: int
    toward: int
    away: int
    joined: Mapping[str, int]
    addressed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LabeledTalk:
    """What talking did to votes and verdicts whose case is labeled.

    Attributes:
        cases: Labeled cases that were discussed.
        right_to_wrong: Votes that were right before the talk and wrong after it.
        wrong_to_right: Votes that were wrong before it and right after it.
        votes: Votes before and after, of the same jurors.
        votes_right: Share of right votes after the talk less that before it; None without one.
        verdicts_right_to_wrong: Verdicts likewise: by the ballots of round 0, and by the last.
        verdicts_wrong_to_right: See above.
        verdicts_right: As `votes_right`, of verdicts; no verdict is not right.
    """

    cases: int
    right_to_wrong: int
    wrong_to_right: int
    votes: int
    votes_right: Difference | None
    verdicts_right_to_wrong: int
    verdicts_wrong_to_right: int
    verdicts_right: Difference | None


@dataclass(frozen=True, slots=True)
class TargetTalk:
    """What talking did in the cases of one target.

    Attributes:
        cases: Cases that were discussed.
        changed: Share of votes that changed between round 0 and the last.
        went_over: Of the votes against the majority of the others in round 0, the share that went
            over to it.
        left: Of the votes with that majority, the share that left it.
        split: Votes that changed where the others were split evenly.
        misstated: Of the foreperson's summaries of these cases, the share that was left out
            because it misstated the votes or the verdict.
        jurors: By seat; guards hear nobody, and are not among them.
        labeled: None where no discussed case is labeled.
    """

    cases: int
    changed: Rate
    went_over: Rate
    left: Rate
    split: int
    misstated: Rate
    jurors: Mapping[str, JurorMoves]
    labeled: LabeledTalk | None = None


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """A vote without the talk beside that after it, over the votes that were given in both.

    Attributes:
        cases: Cases in which it was held.
        changed: Share of votes that differ from those of round 0.
        talk_changed: The same after the talk.
        difference: `talk_changed` less `changed`; None without such a vote.
        no_vote: Ballots that are no vote, in no other figure here.
        right: Over labeled cases, the share of right votes after the talk less that of this vote;
            None where nothing is labeled.
    """

    cases: int
    changed: Rate
    talk_changed: Rate
    difference: Difference | None
    no_vote: int = 0
    right: Difference | None = None


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """What jurors did without the talk, on cases of all targets.

    Attributes:
        cases: Cases in which a vote without the talk was held.
        arms: By `reflection` and `placebo`; an arm that was never held is not there.
        right: Over the labeled ones of these cases, the share of right votes after the talk less
            that before it; None where nothing is labeled.
    """

    cases: int
    arms: Mapping[str, ArmFigures]
    right: Difference | None = None


@dataclass(frozen=True, slots=True)
class TalkFigures:
    """What talking did in a run; without a discussed case there is nothing in it.

    Attributes:
        targets: By the target's name in reports.
        audit: None where no vote was held without the talk.
    """

    targets: Mapping[str, TargetTalk] = field(default_factory=dict[str, TargetTalk])
    audit: AuditFigures | None = None
