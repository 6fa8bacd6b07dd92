"""Caches completions on disk, so that no call is paid for twice."""

import asyncio
import logging
import sqlite3
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...common import ModelError, RecordError
from ..chat import ChatModel, ChatRequest, Completion, Usage
from ._completion_file import CompletionFile
from ._middleware import Middleware

_log = logging.getLogger(__name__)
_FREE = Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0)


class ResponseCache:
    """A cache of completions on disk, keyed by the hash of the full request.

    A SQLite file in WAL mode; several processes may use it at a time.

    Args:
        path: The file; made, with its folder, where it is missing.

    Raises:
        RecordError: The file cannot be used.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._warned = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = CompletionFile(self._path)
        except (sqlite3.Error, OSError) as error:
            raise RecordError(
                f"cannot use the cache {self._path}: {error}; name another file or delete it"
            ) from error

    def get(self, key: str) -> Completion | None:
        """Return the completion cached for `key`, None if there is none that is readable."""
        try:
            return self._file.get(key)
        except (sqlite3.Error, ValueError) as error:
            self._warn("read", error)
            return None

    def put(self, key: str, completion: Completion) -> None:
        """Store `completion`; if that fails, only the cache is lost."""
        try:
            self._file.put(key, completion)
        except sqlite3.Error as error:
            self._warn("write", error)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def _warn(self, verb: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            message = "cannot %s the cache %s: %s; continuing without it"
            _log.warning(message, verb, self._path, error)


class Cached(Middleware):
    """A chat model with a cache: the same request is made only once.

    What was refused, filtered, cut short, empty or failed is never kept. Equal requests
    under way at the same time share one call. A reused completion has `reused` set,
    and no tokens, cost or attempts.
    """

    def __init__(self, model: ChatModel, store: ResponseCache) -> None:
        super().__init__(model)
        self._store = store
        self._under_way: dict[str, asyncio.Future[Completion]] = {}

    async def complete(self, request: ChatRequest) -> Completion:
        """Return a cached completion or make the call; errors are the model's."""
        key = request.key(self._model.name)
        while (leader := self._under_way.get(key)) is not None:
            # The leading call may be canceled; then a waiting one leads.
            with suppress(_LeaderCanceled):
                return _reused(await asyncio.shield(leader))
        if (found := self._store.get(key)) is not None:
            return _reused(found)
        return await self._lead(key, request)

    async def _lead(self, key: str, request: ChatRequest) -> Completion:
        shared: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._under_way[key] = shared
        outcome: Exception = _LeaderCanceled()
        try:
            completion = await self._model.complete(request)
            if _worth_keeping(completion):
                self._store.put(key, completion)
            shared.set_result(completion)
            return completion
        except ModelError as error:
            outcome = error
            raise
        finally:
            del self._under_way[key]
            if not shared.done():
                shared.set_exception(outcome)
                shared.exception()  # marks it as retrieved: there may be no waiter


class _LeaderCanceled(Exception):
    """The call that others were waiting for was canceled."""


def _worth_keeping(completion: Completion) -> bool:
    ended = completion.finish_reason in ("stop", "other")
    said = bool(completion.text.strip() or completion.tool_calls)
    return ended and completion.refusal is None and said


def _reused(completion: Completion) -> Completion:
    return replace(completion, reused=True, usage=_FREE, cost_usd=0.0, latency_s=0.0, attempts=0)
