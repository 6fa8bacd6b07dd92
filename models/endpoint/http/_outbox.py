"""Sends requests together that were made in one turn of the event loop."""

import asyncio
from typing import Protocol


class Sender(Protocol):
    """What has something to send."""

    def send_off(self) -> None:
        """Send it."""
        ...


class Outbox:
    """Lets what was put into it in one turn of the event loop be sent at the turn's end.

    A server on this machine that sleeps is woken up by whoever sends to it, which takes longer
    than the sending: by several requests in a row it is woken up once.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._senders: list[Sender] = []

    def put(self, sender: Sender) -> None:
        """Let something be sent at the end of this turn."""
        if not self._senders:
            self._loop.call_soon(self._send)
        self._senders.append(sender)

    def _send(self) -> None:
        senders, self._senders = self._senders, []
        for sender in senders:
            sender.send_off()
