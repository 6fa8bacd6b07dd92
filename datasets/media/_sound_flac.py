"""Reads FLAC: decodes every frame to check and measure the file."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from ...common import DatasetError, require

if TYPE_CHECKING:
    from av import AudioStream, Packet

_STREAMINFO = b"fLaC\x00\x00\x00\x22"
"""The first bytes of a FLAC, without the bit for further metadata blocks."""
_FIRST_FRAME = 42
_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
"""Has the decoder refuse what it would otherwise conceal."""


def is_flac(content: bytes, start: int = 0) -> bool:
    """Return whether the first bytes are of a FLAC file.

    Args:
        content: The file's bytes.
        start: Where tags before it end.
    """
    return content[start : start + 4] == b"fLaC"


def flac_seconds(content: bytes, start: int = 0) -> float:
    """Return the length of a FLAC file in seconds; its header may not say it.

    Args:
        content: The file's bytes.
        start: Where tags before it end.

    Raises:
        ConfigurationError: The package that decodes it is not installed.
        DatasetError: It is damaged, cut short, or contains no audio.
    """
    require("a FLAC sound", "av", instead="convert it to WAV")
    import av
    from av.error import FFmpegError

    end = len(content) - 128 if content[-128:-125] == b"TAG" else len(content)
    at = _first_frame(content, start)
    # Without its tags, which may be of any encoding and size.
    sound = _STREAMINFO[:4] + b"\x80" + content[start + 5 : start + _FIRST_FRAME] + content[at:end]
    try:
        with av.open(BytesIO(sound), "r", "flac") as file:
            stream = file.streams.audio[0]
            stream.codec_context.options = _STRICT
            promised, rate = stream.duration or 0, stream.rate
            samples = _samples(file.demux(stream), promised, len(sound), at - _FIRST_FRAME)
    except (FFmpegError, IndexError):
        raise DatasetError("contains no audio; put the real file in its place") from None
    if promised and samples != promised:
        what = "cut short" if samples < promised else "damaged"
        raise DatasetError(
            f"is {what} (its header promises {promised} samples, {samples} are there); replace it"
        )
    return samples / rate


def _first_frame(content: bytes, start: int) -> int:
    """Return the offset of the first frame."""
    at, last = start + 4, 0
    while not last:
        if len(content) < at + 4:
            raise DatasetError("contains no audio; put the real file in its place")
        last = content[at] & 0x80
        at += 4 + int.from_bytes(content[at + 1 : at + 4])
    if at > len(content):
        raise DatasetError("is cut short (its header is not whole); replace it")
    if content[start + 4] & 0x7F or content[start + 5 : start + 8] != _STREAMINFO[5:]:
        raise DatasetError("is damaged (it does not begin with STREAMINFO); replace it")
    return at


def _samples(packets: "Iterable[Packet[AudioStream]]", promised: int, end: int, cut: int) -> int:
    """Decode all frames and return the number of samples.

    Args:
        packets: One for each frame.
        promised: The number of samples that the header gives, 0 if it gives none.
        end: Where the last frame has to end.
        cut: Bytes of the file that were left out before the frames.
    """
    from av.error import FFmpegError

    samples, first, at = 0, 0, _FIRST_FRAME
    for packet in packets:
        if not packet.size:  # the end
            continue
        first = first if samples else packet.pts or 0
        # Where the header gives the number of samples, that number reveals lost ones.
        lost = not promised and packet.pts not in (None, first + samples)
        if packet.pos != at or lost:
            raise DatasetError(f"is damaged (a frame is missing at byte {at + cut}); replace it")
        at += packet.size
        try:
            samples += sum(frame.samples for frame in packet.decode())
        except FFmpegError:
            what = f"damaged (its frame that ends at byte {at + cut} cannot be decoded)"
            if at == end:
                what = "cut short (its last frame is not whole)"
            raise DatasetError(f"is {what}; replace it") from None
    if not samples:
        raise DatasetError("contains no audio; put the real file in its place")
    return samples
