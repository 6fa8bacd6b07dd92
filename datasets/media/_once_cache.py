"""Caches media derived from other media, for each store."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ._media_store import MediaStore

T = TypeVar("T")

_ENTRIES = 4096
_AT_ONCE = 2
"""Most pictures in the making at a time: the largest take some hundred MiB each."""


class OnceCache(Generic[T]):
    """A thread-safe cache that creates a value once for each store and key."""

    def __init__(self) -> None:
        self._stores: WeakKeyDictionary[MediaStore, OrderedDict[Hashable, T]] = WeakKeyDictionary()
        self._guard = threading.Lock()

    def get(self, store: MediaStore, key: Hashable, make: Callable[[], T]) -> T:
        """Return the cached value of a key, or create it; errors are not cached.

        Args:
            store: Where what is made lies.
            key: All that it depends on.
            make: Makes it; called by one thread at a time for each key.
        """
        with _turns[hash(key) % _AT_ONCE]:
            with self._guard:
                held = self._stores.setdefault(store, OrderedDict())
                if key in held:
                    held.move_to_end(key)
                    return held[key]
            made = make()
            with self._guard:
                held[key] = made
                if len(held) > _ENTRIES:
                    held.popitem(last=False)
            return made


_turns = tuple(threading.Lock() for _ in range(_AT_ONCE))
"""Shared by all that is made, so that memory is bounded for the whole process."""
