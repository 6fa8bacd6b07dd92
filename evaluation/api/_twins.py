"""The same functions for scripts that have no event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ...common import ConfigurationError
from ._evaluate import evaluate
from ._judge import judge

P = ParamSpec("P")
T = TypeVar("T")


def _without_loop(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Return a function that runs an async one to its end, in a loop of its own."""
    name = function.__name__

    @wraps(function)
    def twin(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(function(*arguments, **options))
        raise ConfigurationError(
            f"{name}_sync is for scripts without an event loop, and one runs here, as in a "
            f"notebook: write `await {name}(...)`"
        )

    twin.__name__ = twin.__qualname__ = f"{name}_sync"
    return twin


evaluate_sync = _without_loop(evaluate)
judge_sync = _without_loop(judge)
