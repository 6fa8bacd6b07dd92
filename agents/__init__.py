"""Who speaks: jurors, the foreperson, their personas and prompts."""

from ._ballot import Ballot, BallotOutcome, Finding, Perceived
from ._case import Case

__all__ = ["Ballot", "BallotOutcome", "Case", "Finding", "Perceived"]
