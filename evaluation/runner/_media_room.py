"""Bounds the memory that the pictures and sounds of cases under way take."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from ...common.text import file_size
from ...datasets import Media
from ...datasets.media import MediaBytes, encoded_size
from ...models import Wait

_PLACE = "limits.media_bytes"
Waiting = Callable[[], AbstractContextManager[None]]


class MediaRoom:
    """Room for the media of cases under way, which each medium takes once for all of them.

    Cases are served in the order they came. One whose media alone take more than there is goes
    when no other holds any, so that each has its turn.

    Args:
        most_bytes: Most bytes of media, in base64 as they are sent.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._taken = 0
        self._shared: dict[str, _Shared] = {}
        self._queue: deque[_Turn] = deque()

    @contextmanager
    def hold(self, waiting: Waiting = nullcontext) -> Generator["MediaHold"]:
        """Hold what a case takes of the room within the block.

        Args:
            waiting: Entered while the case waits for others.
        """
        hold = MediaHold(self, waiting)
        try:
            yield hold
        finally:
            self._give_back(hold)

    @property
    def wait(self) -> Wait | None:
        """Why cases wait for room, None if none does."""
        if not self._queue:
            return None
        why = f"media take {file_size(self._taken)} of {file_size(self._most)}"
        return Wait(_PLACE, why, len(self._queue), of="case")

    async def enter(self, hold: "MediaHold", media: dict[str, Media]) -> None:
        """Take room for media that a case does not hold yet; see `MediaHold.take`."""
        if hold.media or (not self._queue and self._fits(media)):
            # What is under way goes on: if it waited for others, they might wait for it.
            self._take(hold, media)
            return
        turn = _Turn(hold, media, asyncio.get_running_loop().create_future())
        self._queue.append(turn)
        try:
            with hold.waiting():
                await turn.come
        finally:
            if turn in self._queue:  # canceled
                self._queue.remove(turn)
                self._next()

    def _fits(self, media: dict[str, Media]) -> bool:
        more = sum(encoded_size(one) for sha, one in media.items() if sha not in self._shared)
        return not self._taken or self._taken + more <= self._most

    def _take(self, hold: "MediaHold", media: dict[str, Media]) -> None:
        for sha256, one in media.items():
            shared = self._shared.get(sha256)
            if shared is None:
                shared = self._shared[sha256] = _Shared(MediaBytes.of(one), encoded_size(one))
                self._taken += shared.size
            shared.cases += 1
        hold.media |= media

    def _give_back(self, hold: "MediaHold") -> None:
        for sha256 in hold.media:
            shared = self._shared[sha256]
            shared.cases -= 1
            if not shared.cases:
                del self._shared[sha256]
                self._taken -= shared.size
        hold.media.clear()
        self._next()

    def _next(self) -> None:
        while self._queue and self._fits(self._queue[0].media):
            turn = self._queue.popleft()
            if not turn.come.done():
                self._take(turn.hold, turn.media)
                turn.come.set_result(None)


class MediaHold:
    """What one case holds of the room; see `MediaRoom.hold`."""

    def __init__(self, room: MediaRoom, waiting: Waiting) -> None:
        self.waiting = waiting
        self.media: dict[str, Media] = {}
        self._room = room

    async def take(self, media: Iterable[Media]) -> None:
        """Wait until there is room for media, and hold them until the case ends."""
        wanted = {one.sha256: one for one in media if one.sha256 not in self.media}
        if wanted:
            await self._room.enter(self, wanted)


@dataclass(slots=True)
class _Shared:
    """A medium that cases hold.

    Attributes:
        content: Its bytes, once they are read.
        size: What it takes of the room.
        cases: How many hold it.
    """

    content: MediaBytes
    size: int
    cases: int = 0


@dataclass(eq=False, slots=True)
class _Turn:
    """A case that waits for room."""

    hold: MediaHold
    media: dict[str, Media]
    come: asyncio.Future[None]
