"""Reading FLAC: what its header promises, and whether every frame is as it was written."""

from dataclasses import dataclass

from ._crc import crc8, crc16
from ._errors import DatasetError

_BLOCKS = {
    1: 192,
    **{n: 576 << n - 2 for n in range(2, 6)},
    **{n: 256 << n - 8 for n in range(8, 16)},
}


@dataclass(frozen=True, slots=True)
class _Info:
    rate: int
    samples: int


@dataclass(frozen=True, slots=True)
class _Frame:
    number: int
    samples: int

    def follows(self, before: "_Frame") -> bool:
        """Return whether it comes next: frames are counted, or the samples before each are."""
        return self.number in (before.number + 1, before.number + before.samples)


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
    samples = _samples(content, at)
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
    return _Info(rate, packed & (1 << 36) - 1)


def _samples(content: bytes, at: int) -> int:
    """Return the number of samples in all frames, each of them checked."""
    end = len(content)
    if content[-128:-125] == b"TAG":
        end -= 128
    samples, before = 0, None
    while at < end:
        frame = _frame(content, at)
        if frame is None or (before is not None and not frame.follows(before)):
            raise DatasetError(f"is damaged (a frame is missing at byte {at}); replace it")
        at, before = _end_of_frame(content, at, end), frame
        samples += frame.samples
    return samples


def _end_of_frame(content: bytes, at: int, end: int) -> int:
    """Return where the frame at `at` ends: where its checksum is right and another begins."""
    sync = content[at : at + 2]
    crc, checked, following = 0, at, at + 1
    while (following := content.find(sync, following, end)) >= 0:
        if _frame(content, following) is not None:
            crc, checked = crc16(content[checked:following], crc), following
            if crc == 0:
                return following
        following += 1
    if crc16(content[checked:end], crc) == 0:
        return end
    if checked == at:
        raise DatasetError("is cut short (its last frame is not whole); replace it")
    raise DatasetError(f"is damaged (the checksum of its frame at byte {at} is wrong); replace it")


def _frame(content: bytes, at: int) -> _Frame | None:
    """Return the frame whose header lies at `at`, None where there is none."""
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
    return _Frame(number, samples) if len(head) > at and crc8(head[:at]) == head[at] else None


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
