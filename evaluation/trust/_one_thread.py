"""Keeps linear algebra to one thread."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import cast


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra uses one thread.

    A card is made of thousands of small fits: beside other work, threads that wait for each other
    make them ten times as slow.
    """
    if find_spec("threadpoolctl") is None:  # scikit-learn brings it
        return nullcontext()
    limits = import_module("threadpoolctl").threadpool_limits
    return cast("Callable[[int], AbstractContextManager[object]]", limits)(1)
