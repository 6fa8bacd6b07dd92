"""Jurors that are models or people, and the foreperson's summary."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._human import Ask, CaseCount, HumanJuror, ask_at_terminal
    from ._juror import Juror, juror_of
    from ._summary import Summary, summarize

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_human": ["Ask", "CaseCount", "HumanJuror", "ask_at_terminal"],
            "_juror": ["Juror", "juror_of"],
            "_summary": ["Summary", "summarize"],
        },
    )

__all__ = [
    "Ask",
    "CaseCount",
    "HumanJuror",
    "Juror",
    "Summary",
    "ask_at_terminal",
    "juror_of",
    "summarize",
]
