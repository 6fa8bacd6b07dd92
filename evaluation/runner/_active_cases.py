"""Tracks the cases in progress, and whether any of them may still make a call."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...models import HeldCalls
from ..trials import case_of


class ActiveCases:
    """Counts tasks that may make a call; at zero, calls held in doubt have failed."""

    def __init__(self) -> None:
        self._held_calls = HeldCalls()
        self._count = 0
        self._cases: dict[str, _Case] = {}
        self._failed = set[str]()

    def watch(self, held_calls: HeldCalls) -> None:
        """Settle the calls in doubt once no task could still resolve them."""
        self._held_calls = held_calls
        held_calls.subscribe(self)

    def start(
        self,
        group: asyncio.TaskGroup,
        slots: "Slots",
        case_id: str,
        work: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Start a case in a slot, which it releases while one of its calls is in doubt."""
        self._cases[case_id] = case = _Case(slots)
        slots.take()
        self.enter()
        group.create_task(self._run(case_id, case, work))

    async def _run(
        self, case_id: str, case: "_Case", work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await work()
        finally:
            del self._cases[case_id]
            if not case.in_doubt:
                case.slots.give_back()
                self.leave()

    def enter(self) -> None:
        """Count a task that may make a call."""
        self._count += 1

    def leave(self) -> None:
        """Stop counting a task."""
        self._count -= 1
        self._look()

    def _look(self) -> None:
        """Settle calls in doubt if no task is active, unless one continues at once."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        if not self._count:
            self._failed |= {name for name, case in self._cases.items() if case.in_doubt}
            self._held_calls.settle()

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Do not count the task within the block, in which it waits for others."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    def is_doubtful(self, case_id: str) -> bool:
        """Return whether a call of a case failed only because no other call resolved it."""
        return case_id in self._failed

    def call_held(self, call_id: str) -> bool:
        """Release the slot of a case whose call is held; see `HeldCallListener`."""
        case = self._cases.get(case_of(call_id))
        if case is None:
            return False
        case.in_doubt += 1
        if case.in_doubt == 1:
            case.slots.give_back()
            self.leave()
        self._look()
        return True

    def call_resumed(self, call_id: str) -> None:
        """Count the case again; see `HeldCallListener`."""
        case = self._cases.get(case_of(call_id))
        if case is None:  # it ended without the call
            return
        case.in_doubt -= 1
        if not case.in_doubt:
            case.slots.take()
            self.enter()


class Slots:
    """Limits the cases of one source in progress, not counting those in doubt.

    Args:
        number: Maximum number, at least 1.
        active: Counts the task that waits for a slot once there is one.
    """

    def __init__(self, number: int, active: ActiveCases) -> None:
        self._free = number
        self._active = active
        self._wanted: asyncio.Future[None] | None = None

    @property
    def left(self) -> int:
        """How many are free; below 0 while cases in doubt go on beside others."""
        return self._free

    async def free(self) -> None:
        """Wait until a slot is free; only one task may wait."""
        while self._free <= 0:
            self._wanted = asyncio.get_running_loop().create_future()
            self._active.leave()
            await self._wanted  # whoever frees one counts us

    def take(self) -> None:
        """Take a slot, even if none is free."""
        self._free -= 1

    def give_back(self) -> None:
        """Free a slot."""
        self._free += 1
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not wanted.done():
            self._active.enter()
            wanted.set_result(None)


@dataclass(slots=True)
class _Case:
    """A case in progress.

    Attributes:
        slots: The slots of its source.
        in_doubt: Number of its held calls.
    """

    slots: Slots
    in_doubt: int = 0
