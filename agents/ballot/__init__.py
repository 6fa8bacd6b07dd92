"""Ballots: how they are asked for, parsed and cast."""

from ._ballot import Ballot, BallotOutcome, Classification, Finding, GuardCategory, Perceived
from ._call import BallotCall, shuffled_for, statements_for
from ._call_meter import CallMeter
from ._casting import cast, cast_failure, correction, lost_by
from ._conversation import (
    Conversation,
    Spoken,
    Statement,
    in_one_line,
    one_line,
    without_braces,
)
from ._evidence import (
    CUT_OFF,
    TEXT_ONLY,
    case_messages,
    case_words,
    evidence,
    heard,
    in_words,
    juror_messages,
    part_of,
    perceive,
    shown,
    talk,
    task,
    written_down,
)
from ._fitting import fit_case, fit_pictures
from ._grounding import is_picture, quoted_spans, with_checked_quotes
from ._parsing import ATTEMPTS, NoBallot, introduces, parse_ballot
from ._schema import (
    BALLOT_SCHEMA,
    DECISION_SCHEMA,
    QUOTING_BALLOT_SCHEMA,
    REASON_ASKED_FOR,
    BallotForm,
)
from ._stated import StatedBallot

__all__ = [
    "ATTEMPTS",
    "BALLOT_SCHEMA",
    "CUT_OFF",
    "DECISION_SCHEMA",
    "QUOTING_BALLOT_SCHEMA",
    "REASON_ASKED_FOR",
    "TEXT_ONLY",
    "Ballot",
    "BallotCall",
    "BallotForm",
    "BallotOutcome",
    "CallMeter",
    "Classification",
    "Conversation",
    "Finding",
    "GuardCategory",
    "NoBallot",
    "Perceived",
    "Spoken",
    "StatedBallot",
    "Statement",
    "case_messages",
    "case_words",
    "cast",
    "cast_failure",
    "correction",
    "evidence",
    "fit_case",
    "fit_pictures",
    "heard",
    "in_one_line",
    "in_words",
    "introduces",
    "is_picture",
    "juror_messages",
    "lost_by",
    "one_line",
    "parse_ballot",
    "part_of",
    "perceive",
    "quoted_spans",
    "shown",
    "shuffled_for",
    "statements_for",
    "talk",
    "task",
    "with_checked_quotes",
    "without_braces",
    "written_down",
]
