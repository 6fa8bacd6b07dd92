"""Reading WAV: the chunks of a file, and how long it sounds."""

import struct
from dataclasses import dataclass

from ._errors import DatasetError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_UNKNOWN = 0x7FFF_0000
"""Lengths from here on stand for "to the end of the file": no file we take is that long."""


@dataclass(frozen=True, slots=True)
class _Format:
    rate: int
    frame: int


def is_wav(content: bytes) -> bool:
    """Tell a WAV by its first bytes."""
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def wav_seconds(content: bytes) -> float:
    """Return how long a WAV sounds.

    Raises:
        DatasetError: It is damaged, holds no sound, or none that everybody reads.
    """
    form: _Format | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            form = _format(content[at : at + size])
        elif name == b"data":
            if form is None:
                raise DatasetError("is damaged (its sound comes before its format); replace it")
            return _length(size, len(content) - at, form.frame) / form.rate
        at += size + size % 2
    raise DatasetError("holds no sound; put the real file in its place")


def _format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise DatasetError("is damaged (its format is cut short); replace it")
    kind, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    if kind not in _WIDTHS:
        raise DatasetError(f"is a compressed WAV (format {kind:#06x}); convert it to PCM")
    whole = channels > 0 and rate > 0 and bits in _WIDTHS[kind]
    if not whole or frame != channels * bits // 8:
        raise DatasetError(
            f"is damaged (its header says {channels} channels of {bits} bits in {frame} bytes, "
            f"{rate} Hz); replace it"
        )
    return _Format(rate, frame)


def _length(promised: int, there: int, frame: int) -> int:
    """Return the number of frames, from what the header promises and what is there."""
    if promised == 0 and there >= frame:
        raise DatasetError(f"says that it holds no sound, but {there} bytes follow; save it again")
    if promised >= _UNKNOWN:
        promised = there
    if promised > there:
        raise DatasetError(
            f"is cut short (its header promises {promised} bytes of sound, {there} are there); "
            "replace it"
        )
    if promised < frame:
        raise DatasetError("holds no sound; put the real file in its place")
    return promised // frame
