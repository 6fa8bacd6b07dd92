"""Recorded responses of other tools, as a target."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._file import RecordedFile
    from ._join import JoinBy
    from ._questions import RecordedQuestions
    from ._target import OTHER_WORDS_NOTE, RecordedTarget

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_file": ["RecordedFile"],
            "_join": ["JoinBy"],
            "_questions": ["RecordedQuestions"],
            "_target": ["OTHER_WORDS_NOTE", "RecordedTarget"],
        },
    )

__all__ = [
    "OTHER_WORDS_NOTE",
    "JoinBy",
    "RecordedFile",
    "RecordedQuestions",
    "RecordedTarget",
]
