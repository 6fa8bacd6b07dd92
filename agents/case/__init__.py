"""What the jury sees: a query and a response, fenced as evidence."""

from ._case import Case
from ._fence import fenced, neutralize
from ._folding import letters, plain, plain_words, readings
from ._quoted import Quotation, QuotedText
from ._shown import Shown, look_at

__all__ = [
    "Case",
    "Quotation",
    "QuotedText",
    "Shown",
    "fenced",
    "letters",
    "look_at",
    "neutralize",
    "plain",
    "plain_words",
    "readings",
]
