"""The checksums of FLAC and MP3 frames."""

import sys
from array import array
from functools import cache


def crc8(data: bytes) -> int:
    """Return the checksum of a FLAC frame's header."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def crc16(data: bytes, crc: int = 0) -> int:
    """Return the checksum of a frame, 0 for a FLAC frame that ends in its own.

    Args:
        data: What it is of, or its next piece.
        crc: The checksum of what comes before.
    """
    table = _table16()
    words = array("H", data[: len(data) & ~1])
    if sys.byteorder == "little":
        words.byteswap()
    for word in words:  # two bytes at a time: files of many megabytes are checked
        crc = table[crc ^ word]
    return crc << 8 & 0xFFFF ^ table[crc >> 8 ^ data[-1]] if len(data) % 2 else crc


@cache
def _table16() -> "array[int]":
    """Return the checksums of all pairs of bytes; the first 256 are those of one byte."""
    one: list[int] = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        one.append(crc)
    return array(
        "H", (crc << 8 & 0xFFFF ^ one[crc >> 8 ^ byte] for crc in one for byte in range(256))
    )
