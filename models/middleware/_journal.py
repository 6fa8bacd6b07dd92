"""Journals the calls of a run, so that a repeated command pays for none twice."""

from dataclasses import replace
from typing import Protocol

from ..chat import ChatModel, ChatRequest, Completion
from ._middleware import Middleware


class Journal(Protocol):
    """Stores the calls of a run; both methods return quickly and never block."""

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return the stored completion of a call, None unless both id and key match."""
        ...

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Store the completion of a call."""
        ...


class Journaled(Middleware):
    """A chat model whose completions are written to a journal and replayed from it.

    Refused and filtered completions are kept as well, failures are not. A replayed
    completion has `reused` set and keeps its usage and cost: this run paid them.
    Requests without a `call_id` pass through.
    """

    def __init__(self, model: ChatModel, journal: Journal) -> None:
        super().__init__(model)
        self._journal = journal

    async def complete(self, request: ChatRequest) -> Completion:
        """Replay the call from the journal or make it; errors are the model's."""
        if not request.call_id:
            return await self._model.complete(request)
        key = request.key(self._model.name)
        if (found := self._journal.find(request.call_id, key)) is not None:
            return replace(found, reused=True)
        completion = await self._model.complete(request)
        self._journal.write(request.call_id, key, completion)
        return completion
