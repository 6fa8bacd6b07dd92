"""A target that is an async function: one that a config names, or a program's own."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...common import ConfigurationError, import_named
from ...common.text import quoted
from ...models import Limiter, PlaceLimits
from ...targets import FunctionTarget, TargetFunction
from ..config import LimitsConfig

if TYPE_CHECKING:
    from ...models import Leaseholder


def function_target(
    name: str, function: TargetFunction, limits: LimitsConfig, leases: "Leaseholder | None" = None
) -> FunctionTarget:
    """Return the target that asks a function, within the limits that an endpoint has.

    Args:
        name: The target's name.
        function: What is asked.
        limits: The run's.
        leases: Those of this worker; None where it shares no limit with others.

    Raises:
        ConfigurationError: It is not async, or cannot be called with one argument.
    """
    own = PlaceLimits(limits.concurrency, limits.requests_per_minute)
    if leases is None:
        limiter = Limiter(own.concurrency, own.requests_per_minute)
    else:
        limiter = leases.limiter(f"function {name}", own)
    return FunctionTarget(name, function, limiter=limiter)


def named_function(place: str, folder: Path) -> TargetFunction:
    """Return the function that a config names as `module:function`.

    Args:
        place: Module and function.
        folder: Where the config is.

    Raises:
        ConfigurationError: There is no such module or function, or the module fails.
    """
    function = import_named("target", place, folder)
    if not callable(function) or inspect.isclass(function):
        raise ConfigurationError(f"the target {quoted(place)} is not a function")
    return cast("TargetFunction", function)
