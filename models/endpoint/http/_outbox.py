"""Sends requests together that were made in one turn of the event loop."""

import asyncio
from typing import Protocol

_TOGETHER = 8
"""Requests that are sent at once: in a long turn the first ones must not wait for the last."""


class Sender(Protocol):
    """What has something to send."""

    def send_off(self) -> None:
        """Send it."""
        ...


class Outbox:
    """Sends the first request of a turn of the event loop at once, and the others a few together.

    A server on this machine that sleeps is woken up by whoever sends to it, which takes longer
    than the sending: by several requests in a row it is woken up once. Where there is time
    between requests, none waits for others.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._senders: list[Sender] = []
        self._in_turn = False

    def put(self, sender: Sender) -> None:
        """Let something be sent, at the end of this turn at the latest."""
        if not self._in_turn:
            self._in_turn = True
            self._loop.call_soon(self._end_turn)
            sender.send_off()
            return
        self._senders.append(sender)
        if len(self._senders) >= _TOGETHER:
            self._send()

    def _end_turn(self) -> None:
        self._in_turn = False
        self._send()

    def _send(self) -> None:
        senders, self._senders = self._senders, []
        for sender in senders:
            sender.send_off()
