"""Reading FLAC: what its header promises, and whether its last frame is whole."""

from dataclasses import dataclass

from ._crc import crc8, crc16
from ._errors import DatasetError

_LARGEST_FRAME = 1024 * 1024
"""How far from the end the last frame is looked for in bytes."""
_TRIES = 8
"""Headers tried for it: chance makes one in ten megabytes, a cut leaves older ones."""
_BLOCKS = {
    1: 192,
    **{n: 576 << n - 2 for n in range(2, 6)},
    **{n: 256 << n - 8 for n in range(8, 16)},
}


@dataclass(frozen=True, slots=True)
class _Info:
    block: int
    rate: int
    samples: int


def is_flac(content: bytes, start: int = 0) -> bool:
    """Tell a FLAC by its first bytes.

    Args:
        content: The file's bytes.
        start: Where tags before it end.
    """
    return content[start : start + 4] == b"fLaC"


def flac_seconds(content: bytes, start: int = 0) -> float:
    """Return how long a FLAC sounds; its header may leave that open.

    Args:
        content: The file's bytes.
        start: Where tags before it end.

    Raises:
        DatasetError: It is damaged, cut short, or holds no sound.
    """
    info, at = _metadata(content, start + 4)
    if content[at : at + 2] not in (b"\xff\xf8", b"\xff\xf9"):
        raise DatasetError("holds no sound; put the real file in its place")
    samples = _samples(content, at, info.block)
    if samples is None:
        raise DatasetError("is cut short (its last frame is not whole); replace it")
    if samples < info.samples:
        raise DatasetError(
            f"is cut short (its header promises {info.samples} samples, {samples} are there); "
            "replace it"
        )
    return samples / info.rate


def _metadata(content: bytes, at: int) -> tuple[_Info, int]:
    """Return what the first block says, and where the frames begin."""
    info: _Info | None = None
    last = False
    while not last:
        head = content[at : at + 4]
        if len(head) < 4:
            raise DatasetError("holds no sound; put the real file in its place")
        last, size = bool(head[0] & 0x80), int.from_bytes(head[1:], "big")
        if info is None:
            info = _info(head[0] & 0x7F, content[at + 4 : at + 4 + size])
        at += 4 + size
        if at > len(content):
            raise DatasetError("is cut short (its header is not whole); replace it")
    assert info is not None
    return info, at


def _info(kind: int, block: bytes) -> _Info:
    if kind != 0 or len(block) != 34:
        raise DatasetError("is damaged (it does not begin with STREAMINFO); replace it")
    packed = int.from_bytes(block[10:18], "big")
    rate = packed >> 44
    if rate == 0:
        raise DatasetError("is damaged (its sample rate is 0); replace it")
    return _Info(int.from_bytes(block[:2], "big"), rate, packed & (1 << 36) - 1)


def _samples(content: bytes, first: int, block: int) -> int | None:
    """Return the number of samples up to the end of the last frame, None if it is cut."""
    end = len(content)
    if content[-128:-125] == b"TAG":
        end -= 128
    at, lowest, tries = end, max(first, end - _LARGEST_FRAME), 0
    while tries < _TRIES and (at := content.rfind(0xFF, lowest, at)) >= 0:
        samples = _end_of_frame(content, at, block)
        if samples is None:
            continue
        if crc16(content[at:end]) == 0:
            return samples
        tries += 1
    return None


def _end_of_frame(content: bytes, at: int, block: int) -> int | None:
    """Return the number of samples up to the end of the frame at `at`, None if none is there."""
    head = content[at : at + 16]
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size, rate = head[2] >> 4, head[2] & 15
    length = _coded_length(head[4])
    if size == 0 or rate == 15 or length is None:
        return None
    number = _coded(head[4 : 4 + length])
    at = 4 + length
    extra = {6: 1, 7: 2}.get(size, 0)
    samples = int.from_bytes(head[at : at + extra], "big") + 1 if extra else _BLOCKS[size]
    at += extra + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if len(head) <= at or crc8(head[:at]) != head[at]:
        return None
    return (number if head[1] & 1 else number * block) + samples


def _coded_length(byte: int) -> int | None:
    """Return the bytes of a number whose first byte is given; they look like UTF-8."""
    ones = 8 - (byte ^ 0xFF).bit_length()
    return 1 if ones == 0 else None if ones in (1, 8) else ones


def _coded(number: bytes) -> int:
    if len(number) == 1:
        return number[0]
    value = number[0] & (1 << 7 - len(number)) - 1
    for byte in number[1:]:
        value = value << 6 | byte & 0x3F
    return value
