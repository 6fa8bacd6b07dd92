"""Reads a case from the task of a team, and remembers the conversation's last question."""

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, MultiModalMessage

from ...agents import NOT_GIVEN, Case, case_of
from ...common import ConfigurationError
from ...datasets import MediaStore, Query
from ._entry_messages import TeamMessage

Task = str | BaseChatMessage | Sequence[BaseChatMessage]


class TaskReader:
    """Reads cases from tasks, and remembers the last question of a team's conversation.

    Args:
        name: The jury's, whose own messages are no part of a case.

    Attributes:
        question: The last question; None where none is remembered.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.question: Query | None = None
        self._pictures: MediaStore | None = None
        self._remove: weakref.finalize[Any, Any] | None = None

    async def case_of(self, task: Task, *, within: bool) -> Case:
        """Return the case that a task puts.

        Args:
            task: See `JuryTeam.run_stream`.
            within: Whether a team around the jury gives it what is new in a conversation, so
                that the question may have come before.

        Raises:
            ConfigurationError: The task holds nothing to judge.
        """
        if isinstance(task, str):
            return case_of(task)
        messages = _messages(task)
        if any(isinstance(message, MultiModalMessage) for message in messages):
            media = self._media()
            case = await asyncio.to_thread(
                lambda: case_of(messages, media=media, without={self._name})
            )
        else:
            case = case_of(messages, without={self._name})
        if not within:
            return case
        if case.query.text != NOT_GIVEN:
            self.question = case.query
        elif self.question is not None:
            case = replace(case, query=self.question)
        return case

    def drop_pictures(self) -> None:
        """Remove the pictures of conversations, where no question is remembered."""
        if self._remove is not None and self.question is None:
            self._remove()
            self._pictures = self._remove = None

    def _media(self) -> MediaStore:
        """Return where pictures are kept: as long as they may be asked about again."""
        if self._pictures is None:
            folder = tempfile.mkdtemp(prefix="safejury-")
            self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._pictures = MediaStore(Path(folder))
        return self._pictures


def _messages(task: object) -> Sequence[TeamMessage]:
    """Return the messages of a task.

    Raises:
        ConfigurationError: It is something else.
    """
    given = cast("Sequence[object]", task if isinstance(task, Sequence) else [task])
    for message in given:
        if not isinstance(message, BaseChatMessage | BaseAgentEvent):
            raise ConfigurationError(
                f"a {type(message).__name__} is no task for a jury: give a CaseMessage, the text "
                "of a response, or messages with a question and its answer"
            )
    return cast("Sequence[TeamMessage]", given)
