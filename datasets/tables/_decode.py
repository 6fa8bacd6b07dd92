"""Decodes JSON as other tools write it."""

import json

import msgspec

_decoder = msgspec.json.Decoder()


def decode(raw: bytes) -> object:
    """Decode JSON; `NaN`, which Python's encoder emits, is accepted.

    Raises:
        ValueError: It is not JSON; the message says where.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError(f"not JSON ({error})") from None
