"""Keeps with a case what was made of it, so that it is made once for all jurors."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_Made = TypeVar("_Made")
_MOST_KEPT = 100_000
"""Characters of a case up to which anything is kept with it."""


class Keeping:
    """Base of a frozen class that keeps what is made of it, as long as it lives.

    That is no part of its value: it is not compared, written down or copied.
    """

    __slots__ = ("_made",)
    _made: dict[Hashable, Any] | None

    def _size(self) -> int:
        """Return how many characters it has."""
        raise NotImplementedError

    def kept(self, what: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what was made of it before, or make it; of a long one nothing is kept.

        Args:
            what: Tells it from all else that is made of it.
            make: Makes it; not None.
        """
        try:
            made = self._made
        except AttributeError:
            made = dict[Hashable, Any]() if self._size() <= _MOST_KEPT else None
            object.__setattr__(self, "_made", made)
        if made is None:
            return make()
        found = made.get(what)
        if found is None:
            found = made[what] = make()
        return found

    def drop(self) -> None:
        """Keep nothing of what was made of it."""
        if getattr(self, "_made", None):
            object.__setattr__(self, "_made", {})
