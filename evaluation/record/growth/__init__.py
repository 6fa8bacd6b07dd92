"""What a record keeps of a run that took more cases later."""

from ._by_query import CasesByQuery, KeptCase, KeptCases
from ._grown import Grown
from ._history import GROWN, Addition, describe_growth, with_addition

__all__ = [
    "GROWN",
    "Addition",
    "CasesByQuery",
    "Grown",
    "KeptCase",
    "KeptCases",
    "describe_growth",
    "with_addition",
]
