"""A target that is any async function of the user's own."""

import asyncio
import inspect
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import cast

import msgspec

from ..common import ConfigurationError, FirstContactError
from ..common.text import quoted, storable
from ..datasets import Query
from ..models import Limiter, Usage, redactor
from ._function_identity import function_identity
from ._response import Response, ResponseOutcome
from ._turns import withheld_of

TargetFunction = (
    Callable[[Query], Awaitable[str | Response]] | Callable[[str], Awaitable[str | Response]]
)
"""A function under test: takes a query, or only its text, and returns what is judged."""


class FunctionTarget:
    """Puts queries to an async function.

    The function is given the whole `Query`: its text, images, audio and messages. If its
    parameter is annotated `str`, it is given the text alone; media are then withheld and
    noted, as for a model that takes none, and a conversation is not put to it.
    It returns text, or a `Response` that says more. What it raises is the outcome `error`.

    Args:
        name: The target's name in the run.
        function: What is under test.
        limiter: Bounds the calls at a time and a minute; None bounds none.

    Attributes:
        identity: By what a run knows the function; see `function_identity`.

    Raises:
        ConfigurationError: It is not async, or cannot be called with one argument.
    """

    def __init__(
        self,
        name: str,
        function: TargetFunction,
        *,
        limiter: Limiter | None = None,
    ) -> None:
        self.identity = function_identity(function)
        self._name = name
        self._function = function
        self._takes_text = takes_text(function)
        self._limiter = limiter
        self._has_answered = False

    @property
    def name(self) -> str:
        """The target's name in the run."""
        return self._name

    @property
    def function(self) -> TargetFunction:
        """What is under test."""
        return self._function

    async def respond(self, query: Query, *, epoch: int, call_id: str) -> Response:
        """Put a query to the function; see `Target.respond`.

        Raises:
            FirstContactError: The first reply is neither text nor a `Response`.
        """
        if self._takes_text and query.messages:
            why = "not put: the function takes text alone, and the query is a conversation"
            return Response(
                ResponseOutcome.NOT_PUT, "", detail=why, usage=Usage(0, 0, 0), cost_usd=0.0
            )
        function = cast("Callable[[object], Awaitable[object]]", self._function)
        begun = time.monotonic()
        async with self._slot():
            try:
                reply = await function(query.text if self._takes_text else query)
            except asyncio.CancelledError as error:
                if _is_canceled():
                    raise
                response = _failed(_words(error))  # of something within it
            except (Exception, SystemExit) as error:  # noqa: BLE001 - anybody may have written it
                response = _failed(_words(error))
            else:
                response = self._response(reply)
        withheld = withheld_of(query, {"text"}) if self._takes_text else ()
        return replace(
            response,
            latency_s=response.latency_s or time.monotonic() - begun,
            model=self.identity["function"],
            notes=(*withheld, *response.notes),
        )

    async def aclose(self) -> None:
        """Do nothing: the function is its owner's."""

    def _slot(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._limiter is None else self._limiter.slot()

    def _response(self, reply: object) -> Response:
        if isinstance(reply, str):
            reply = Response(ResponseOutcome.ANSWERED, reply)
        problem = _problem(reply)
        if not isinstance(reply, Response) or problem is not None:
            why = f"the target {self._name!r} returned {problem}"
            if not self._has_answered:
                raise FirstContactError(f"{why}: return what it answered")
            return _failed(why)
        self._has_answered = True
        if reply.outcome is ResponseOutcome.ANSWERED and not reply.text.strip() and not reply.turns:
            reply = replace(reply, outcome=ResponseOutcome.ERROR, detail="the reply was empty")
        unasked = reply.outcome in (ResponseOutcome.NOT_PUT, ResponseOutcome.GAVE_UP)
        least = int(not unasked or bool(reply.cost_usd))  # what costs was a call
        return replace(reply, text=storable(reply.text), calls=reply.calls or least)


def _problem(reply: object) -> str | None:
    """Return what is wrong with a reply, without its words, which may be harmful."""
    if not isinstance(reply, Response):
        given = "None" if reply is None else f"a value of type {type(reply).__name__}"
        return f"{given}, and not text or a Response"
    outcome, text = cast("tuple[object, object]", (reply.outcome, reply.text))
    if not isinstance(outcome, ResponseOutcome):
        return "a Response whose outcome is no ResponseOutcome"
    if not isinstance(text, str):
        return "a Response whose text is no text"
    try:  # as the record keeps it and reads it again
        msgspec.json.decode(msgspec.json.encode(replace(reply, text="")), type=Response)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        return f"a Response that cannot be kept: {storable(str(error))}"
    tokens = (reply.usage.prompt_tokens, reply.usage.cached_tokens, reply.usage.completion_tokens)
    numbers = (reply.cost_usd, reply.latency_s, reply.calls, *tokens)
    if wrong := [one for one in numbers if one is not None and not 0 <= one < math.inf]:
        return f"a Response that counts what cannot be: {wrong[0]}"
    return None


def _is_canceled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _words(error: BaseException) -> str:
    said = redactor.redact(storable(" ".join(str(error).split())))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _failed(why: str) -> Response:
    return Response(ResponseOutcome.ERROR, "", detail=why, calls=1)


def takes_text(function: TargetFunction) -> bool:
    """Return whether a function is given the text of a query, and not the query.

    Raises:
        ConfigurationError: It is not async, or cannot be called with one argument.
    """
    shown = quoted(getattr(function, "__qualname__", None) or repr(function))
    if not callable(function):
        raise ConfigurationError(f"the target {shown} is not a function: write an async one")
    if not _is_async(function):
        raise ConfigurationError(
            f"the target {shown} is not async: write `async def`, and call what blocks with "
            "`await asyncio.to_thread(...)`"
        )
    try:
        signature = inspect.signature(function)
        signature.bind(None)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the target {shown} must take one argument, the query: {error}"
        ) from None
    first = next(iter(signature.parameters.values()))
    return first.annotation in (str, "str")


def _is_async(function: object) -> bool:
    called = getattr(type(function), "__call__", None)  # noqa: B004 - it may be async
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
