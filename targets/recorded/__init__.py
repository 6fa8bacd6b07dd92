"""Recorded responses of other tools, as a target."""

from ._file import RecordedFile
from ._join import JoinBy
from ._questions import RecordedQuestions
from ._target import OTHER_WORDS_NOTE, RecordedTarget

__all__ = [
    "OTHER_WORDS_NOTE",
    "JoinBy",
    "RecordedFile",
    "RecordedQuestions",
    "RecordedTarget",
]
