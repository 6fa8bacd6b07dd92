"""Jurors that are models or people, and the foreperson's summary."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._decision import decide_by_reading
    from ._human import Ask, CaseCount, HumanJuror
    from ._human_case import CaseInWords, open_files, openable, viewer
    from ._juror import Juror, juror_of
    from ._summary import Summary, summarize
    from ._terminal import ask_at_terminal

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_decision": ["decide_by_reading"],
            "_human": ["Ask", "CaseCount", "HumanJuror"],
            "_human_case": ["CaseInWords", "open_files", "openable", "viewer"],
            "_juror": ["Juror", "juror_of"],
            "_summary": ["Summary", "summarize"],
            "_terminal": ["ask_at_terminal"],
        },
    )

__all__ = [
    "Ask",
    "CaseCount",
    "CaseInWords",
    "HumanJuror",
    "Juror",
    "Summary",
    "ask_at_terminal",
    "decide_by_reading",
    "juror_of",
    "open_files",
    "openable",
    "summarize",
    "viewer",
]
