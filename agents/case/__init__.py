"""What the jury sees: a query and a response, fenced as evidence."""

from ._case import Case
from ._fence import fenced, neutralize
from ._folding import letters, plain, plain_words, readings
from ._from_turns import NOT_GIVEN, case_of_turns
from ._quoted import Quotation, QuotedText
from ._shown import Shown, look_at

__all__ = [
    "NOT_GIVEN",
    "Case",
    "Quotation",
    "QuotedText",
    "Shown",
    "case_of_turns",
    "fenced",
    "letters",
    "look_at",
    "neutralize",
    "plain",
    "plain_words",
    "readings",
]
