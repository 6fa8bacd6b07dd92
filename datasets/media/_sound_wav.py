"""Reads WAV: the chunks of a file and its length."""

import struct
from dataclasses import dataclass

from ...common import DatasetError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_UNKNOWN = 0x7FFF_0000
"""Lengths from here on stand for "to the end of the file": no file we take is that long."""


@dataclass(frozen=True, slots=True)
class WavFormat:
    """The sample format of a WAV file.

    Attributes:
        rate: Samples a second.
        channels: 1 for mono.
        bits: Of one sample: 8, 16, 24 or 32; 32 or 64 of floats.
        is_float: Whether they are floats in [-1, 1], not whole numbers.
    """

    rate: int
    channels: int
    bits: int
    is_float: bool

    @property
    def frame(self) -> int:
        """Bytes of one frame: a sample of every channel."""
        return self.channels * self.bits // 8


@dataclass(frozen=True, slots=True)
class WavSound:
    """The position of the samples in a WAV file.

    Attributes:
        form: How they are written.
        start: Where they begin, in bytes.
        frames: Samples a channel, at least 1.
    """

    form: WavFormat
    start: int
    frames: int


def is_wav(content: bytes) -> bool:
    """Return whether the first bytes are of a WAV file."""
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def wav_seconds(content: bytes) -> float:
    """Return the length of a WAV file in seconds.

    Raises:
        DatasetError: It is damaged, contains no audio, or none that everybody reads.
    """
    sound = find_wav_sound(content)
    return sound.frames / sound.form.rate


def find_wav_sound(content: bytes, *, streamed: bool = False) -> WavSound:
    """Find the samples in a WAV file.

    Args:
        content: The file's bytes.
        streamed: Whether a length of 0 means that it was not known at the start.

    Raises:
        DatasetError: It is damaged, contains no audio, or none that everybody reads.
    """
    form: WavFormat | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            form = _format(content[at : at + size])
        elif name == b"data":
            if form is None:
                raise DatasetError("is damaged (its data comes before its format); replace it")
            promised = _UNKNOWN if streamed and size == 0 else size
            return WavSound(form, at, _frames(promised, len(content) - at, form.frame))
        at += size + size % 2
    raise DatasetError("contains no audio; put the real file in its place")


def _format(chunk: bytes) -> WavFormat:
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
    return WavFormat(rate, channels, bits, kind == _FLOAT)


def _frames(promised: int, there: int, frame: int) -> int:
    """Return the number of frames: as the header says, at most what the file has."""
    if promised == 0 and there >= frame:
        raise DatasetError(f"has an audio length of 0, but {there} bytes follow; save it again")
    if promised >= _UNKNOWN:
        promised = there
    if promised > there:
        raise DatasetError(
            f"is cut short (its header promises {promised} bytes of audio, {there} are there); "
            "replace it"
        )
    if promised < frame:
        raise DatasetError("contains no audio; put the real file in its place")
    return promised // frame
