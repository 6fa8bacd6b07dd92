"""The process that helps to check a record: it answers batches until its input ends."""

import sys
from typing import IO

import msgspec

from ._batch import Case, Checked, Checker, Terms

HELLO = __file__.encode(errors="surrogateescape")
"""What it says first: whose code it is."""
encode = msgspec.msgpack.Encoder().encode
"""Turns cases, or what was found of them, into a message."""
decode_cases = msgspec.msgpack.Decoder(list[Case]).decode
decode_found = msgspec.msgpack.Decoder(list[Checked]).decode
_SIZE = 8
"""Bytes before each message that say how long it is."""


def send(message: bytes, stream: IO[bytes]) -> None:
    """Write a message to the other end.

    Raises:
        OSError: It is gone.
    """
    stream.write(len(message).to_bytes(_SIZE, "little"))
    stream.write(message)
    stream.flush()


def received(stream: IO[bytes]) -> bytes:
    """Return the message that the other end wrote.

    Raises:
        EOFError: It is gone.
    """
    return _read(stream, int.from_bytes(_read(stream, _SIZE), "little"))


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def help_checking() -> None:
    """Check batches of cases until the other end has no more, or is gone."""
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        answers.write(HELLO)
        answers.flush()
        checker = Checker(msgspec.msgpack.decode(received(asked), type=Terms))
        while True:
            send(encode(checker.check(decode_cases(received(asked)))), answers)
    except (EOFError, OSError):
        return
