"""Ballots: how they are asked for, parsed and cast."""

from ._ballot import Ballot, BallotOutcome, Classification, Finding, GuardCategory, Perceived
from ._call import BallotCall, Statement, statements_for
from ._call_meter import CallMeter
from ._casting import cast, cast_failure, correction
from ._evidence import (
    CUT_OFF,
    TEXT_ONLY,
    evidence,
    heard,
    in_words,
    juror_messages,
    one_line,
    perceive,
    shown,
    task,
    written_down,
)
from ._fitting import fit_pictures, unshown
from ._grounding import is_picture, quoted_spans
from ._parsing import ATTEMPTS, NoBallot, parse_ballot
from ._schema import BALLOT_SCHEMA, QUOTING_BALLOT_SCHEMA, REASON_ASKED_FOR, BallotForm
from ._stated import StatedBallot

__all__ = [
    "ATTEMPTS",
    "BALLOT_SCHEMA",
    "CUT_OFF",
    "QUOTING_BALLOT_SCHEMA",
    "REASON_ASKED_FOR",
    "TEXT_ONLY",
    "Ballot",
    "BallotCall",
    "BallotForm",
    "BallotOutcome",
    "CallMeter",
    "Classification",
    "Finding",
    "GuardCategory",
    "NoBallot",
    "Perceived",
    "StatedBallot",
    "Statement",
    "cast",
    "cast_failure",
    "correction",
    "evidence",
    "fit_pictures",
    "heard",
    "in_words",
    "is_picture",
    "juror_messages",
    "one_line",
    "parse_ballot",
    "perceive",
    "quoted_spans",
    "shown",
    "statements_for",
    "task",
    "unshown",
    "written_down",
]
