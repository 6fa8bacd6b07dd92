"""Reading MP3: its frames one by one, so that any bit rate gives the right length."""

from dataclasses import dataclass

from ._errors import DatasetError

_KBITS = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {0b11: (44100, 48000, 32000), 0b10: (22050, 24000, 16000), 0b00: (11025, 12000, 8000)}
_SEARCHED = 64 * 1024
"""How far the first frame, or the next after damage, is looked for in bytes."""
_TOLERATED = 2
"""Frames by which an encoder's own count may be off."""


@dataclass(frozen=True, slots=True)
class _Frame:
    size: int
    samples: int
    rate: int
    side: int

    def fits(self, other: "_Frame") -> bool:
        """Return whether both can belong to one sound."""
        return (self.samples, self.rate) == (other.samples, other.rate)


def after_id3(content: bytes) -> int:
    """Return where the ID3 tags at the front end, 0 where there are none."""
    at = 0
    while content[at : at + 3] == b"ID3" and len(content) >= at + 10:
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        footer = 10 if content[at + 5] & 0x10 else 0
        at += 10 + size + footer
    return min(at, len(content))


def is_mp3(content: bytes) -> bool:
    """Tell an MP3 by a tag, or by a frame that another one or the end follows."""
    if content[:3] == b"ID3":
        return True
    start = len(content) - len(content.lstrip(b"\0"))
    return _is_start(content, start)


def mp3_seconds(content: bytes) -> float:
    """Return how long an MP3 sounds.

    Raises:
        DatasetError: It holds tags alone, or is cut short.
    """
    at = _next_start(content, after_id3(content))
    if at is None or (first := _frame(content, at)) is None:
        raise DatasetError("holds tags but no sound; put the real file in its place")
    promised, frames = _promised(content, at, first), 0
    if promised is not None:
        at += first.size  # the frame of the encoder's notes is silent
    while at is not None:
        frame = _frame(content, at)
        if frame is None or not frame.fits(first):
            at = _next_start(content, at + 1)
        elif at + frame.size > len(content):
            break
        else:
            frames += 1
            at += frame.size
    if frames == 0:
        raise DatasetError("holds no sound; put the real file in its place")
    if promised and frames + _TOLERATED < promised:
        raise DatasetError(
            f"is cut short (its header promises {promised} frames, {frames} are there); replace it"
        )
    return frames * first.samples / first.rate


def _frame(content: bytes, at: int) -> _Frame | None:
    """Return the frame whose header lies at `at`, None where there is none of layer III."""
    if len(content) < at + 4 or content[at] != 0xFF or content[at + 1] & 0xE6 != 0xE2:
        return None
    version = content[at + 1] >> 3 & 3
    kbits, rate = content[at + 2] >> 4, content[at + 2] >> 2 & 3
    if version == 0b01 or kbits in (0, 15) or rate == 3:
        return None
    first = version == 0b11
    hertz = _RATES[version][rate]
    bits = _KBITS[1 if first else 2][kbits - 1] * 1000
    size = (144 if first else 72) * bits // hertz + (content[at + 2] >> 1 & 1)
    mono = content[at + 3] >> 6 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return _Frame(size, 1152 if first else 576, hertz, side)


def _is_start(content: bytes, at: int) -> bool:
    """Return whether a frame lies at `at` that another, a tag or the end follows."""
    frame = _frame(content, at)
    if frame is None:
        return False
    end = at + frame.size
    following = _frame(content, end)
    if following is not None:
        return frame.fits(following)
    return (
        end == len(content)
        or content[end : end + 3] == b"TAG"
        or (content[end : end + 8] == b"APETAGEX")
    )


def _next_start(content: bytes, at: int) -> int | None:
    end = at + _SEARCHED
    while (at := content.find(0xFF, at, end)) >= 0:
        if _is_start(content, at):
            return at
        at += 1
    return None


def _promised(content: bytes, at: int, first: _Frame) -> int | None:
    """Return the number of frames that an encoder noted in the first one.

    None means that it is an ordinary frame, 0 that the number was left out.
    """
    notes = at + 4 + first.side
    if content[notes : notes + 4] in (b"Xing", b"Info"):
        has_count = content[notes + 7 : notes + 8] > b"\0" and content[notes + 7] & 1
        return int.from_bytes(content[notes + 8 : notes + 12], "big") if has_count else 0
    if content[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(content[at + 50 : at + 54], "big")
    return None
