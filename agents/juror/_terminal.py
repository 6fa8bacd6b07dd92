"""Asks for a line at the terminal."""

import asyncio
import os
import sys


async def ask_at_terminal(question: str) -> str:
    """Return a line typed at the terminal, without holding up the event loop.

    Raises:
        EOFError: Standard input is closed or is not a terminal.
    """
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        raise EOFError
    if sys.platform == "win32":
        return await asyncio.to_thread(input, question)
    sys.stdout.write(question)
    sys.stdout.flush()
    return await _line_from(sys.stdin.fileno())


async def _line_from(descriptor: int) -> str:
    # A thread in `input` would swallow the next line after a canceled question,
    # and hold a lock that the interpreter needs to end.
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(descriptor, lambda: readable.done() or readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
    line = os.read(descriptor, 65_536)
    if not line:
        raise EOFError
    return line.decode("utf-8", "replace")
