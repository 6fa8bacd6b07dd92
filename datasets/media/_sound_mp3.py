"""Reads MP3 frame by frame, so that the length is right at any bit rate.

An MP3 has hardly a checksum, so damage shows where it reaches what has a form: the header of
each frame, which must lie where the frame before ends, and what it says of its own sound.
"""

from dataclasses import dataclass

from ...common import DatasetError

_KBITS = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {0b11: (44100, 48000, 32000), 0b10: (22050, 24000, 16000), 0b00: (11025, 12000, 8000)}
_SEARCHED = 64 * 1024
"""Bytes to search for the first frame."""
_TOLERATED = 2
"""Frames by which an encoder's own count may be off."""
_PADDING = 4096
"""Most zeros behind the sound: some programs fill their last block with them."""


@dataclass(frozen=True, slots=True)
class _Frame:
    size: int
    samples: int
    rate: int
    channels: int
    checked: bool

    @property
    def side(self) -> int:
        """Length of the frame's side information in bytes."""
        if self.samples == 1152:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17

    @property
    def head(self) -> int:
        """Length of the header in bytes, with the checksum if there is one."""
        return 6 if self.checked else 4

    def fits(self, other: "_Frame") -> bool:
        """Return whether two frames can belong to the same stream."""
        return (self.samples, self.rate) == (other.samples, other.rate)


def after_id3(content: bytes, at: int = 0) -> int:
    """Return the offset after the ID3 tags at `at`; `at` itself if there are none."""
    while content[at : at + 3] == b"ID3" and len(content) >= at + 10:
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        footer = 10 if content[at + 5] & 0x10 else 0
        at += 10 + size + footer
    return min(at, len(content))


def is_mp3(content: bytes) -> bool:
    """Return whether data is MP3: a tag, or a frame followed by another or the end."""
    if content[:3] == b"ID3":
        return True
    start = len(content) - len(content.lstrip(b"\0"))
    return _is_start(content, start)


def mp3_seconds(content: bytes) -> float:
    """Return the length of an MP3 file in seconds.

    Raises:
        DatasetError: It holds tags alone, is damaged, or is cut short.
    """
    at = _next_start(content, after_id3(content))
    if at is None or (first := _frame(content, at)) is None:
        raise DatasetError("contains tags but no audio; put the real file in its place")
    promised = _promised(content, at, first)
    if promised is not None:
        at += first.size  # the frame of the encoder's notes is silent
    frames = _frames(content, at, first, promised)
    if frames == 0:
        raise DatasetError("contains no audio; put the real file in its place")
    if promised and frames + _TOLERATED < promised:
        raise DatasetError(
            f"is cut short (its header promises {promised} frames, {frames} are there); replace it"
        )
    return frames * first.samples / first.rate


def _frames(content: bytes, at: int, first: _Frame, promised: int | None) -> int:
    """Check all frames from `at` to the end of the audio and return their number."""
    frames, end = 0, _end_of_sound(content)
    while at < end:
        frame = _frame(content, at)
        if frame is None:
            if promised and frames >= promised:
                break  # all sound is there: what follows is some program's own
            at = _after_tag(content, at, end)
            continue
        if not frame.fits(first):
            raise DatasetError(f"is damaged (another stream begins at byte {at}); replace it")
        if at + frame.size > end:
            raise DatasetError("is cut short (its last frame is not whole); replace it")
        if not _is_whole(content, at, frame):
            raise DatasetError(f"is damaged (its frame at byte {at} is not whole); replace it")
        frames += 1
        at += frame.size
    return frames


def _end_of_sound(content: bytes) -> int:
    """Return the offset of the trailing tags, whose length stands at their end."""
    end, before = len(content), -1
    while end != before:
        before = end
        if content.startswith(b"TAG", max(0, end - 128)):
            end -= 128
        if content.startswith(b"APETAGEX", max(0, end - 32)):
            header = 32 if content[end - 9] & 0x80 else 0
            end -= int.from_bytes(content[end - 20 : end - 16], "little") + header
        digits = content[max(0, end - 15) : max(0, end - 9)]
        if content.startswith(b"LYRICS200", max(0, end - 9)) and digits.isdigit():
            end -= 15 + int(digits)
        if end < 0:
            return before
    return end


def _after_tag(content: bytes, at: int, end: int) -> int:
    """Return the offset after a tag between frames, or after the final padding."""
    if content.startswith(b"TAG", at):
        return at + 128
    if (after := after_id3(content, at)) > at:
        return after
    rest = content[at:end]
    if len(rest) >= 4 and (len(rest) > _PADDING or rest.strip(b"\0")):
        raise DatasetError(f"is damaged (no frame begins at byte {at}); replace it")
    return end


def _is_whole(content: bytes, at: int, frame: _Frame) -> bool:
    """Return whether a frame's side information is consistent."""
    start = at + frame.head
    side = content[start : start + frame.side]
    if frame.checked:
        expected = int.from_bytes(content[at + 4 : at + 6], "big")
        if _crc16(content[at + 2 : at + 4] + side) != expected:
            return False
    # ISO 11172-3 and 13818-3, 2.4.1.7: how far back the sound begins, then its parts, each
    # with its length in bits and its number of pairs first.
    of_version_1 = frame.samples == 1152
    width, count = (59, 2 * frame.channels) if of_version_1 else (63, frame.channels)
    said, bits = int.from_bytes(side, "big"), 0
    for number in range(count):
        part = said >> number * width
        bits += part >> width - 12 & 0xFFF
        if part >> width - 21 & 0x1FF > 288:
            return False
        if part >> width - (36 if of_version_1 else 41) & 0b111 == 0b100:
            return False  # a window that differs, of the kind that does not
    earlier = said >> 8 * frame.side - (9 if of_version_1 else 8)
    return bits <= 8 * (earlier + frame.size - frame.head - frame.side)


def _crc16(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _frame(content: bytes, at: int) -> _Frame | None:
    """Return the layer III frame at `at`, None if there is none."""
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
    channels = 1 if content[at + 3] >> 6 == 3 else 2
    checked = content[at + 1] & 1 == 0
    return _Frame(size, 1152 if first else 576, hertz, channels, checked)


def _is_start(content: bytes, at: int) -> bool:
    """Return whether a frame at `at` is followed by another, a tag or the end."""
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
    """Return the number of frames that the encoder wrote in the first one.

    None means that it is an ordinary frame, 0 that the number was left out.
    """
    notes = at + first.head + first.side
    if content[notes : notes + 4] in (b"Xing", b"Info"):
        has_count = content[notes + 7 : notes + 8] > b"\0" and content[notes + 7] & 1
        return int.from_bytes(content[notes + 8 : notes + 12], "big") if has_count else 0
    if content[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(content[at + 50 : at + 54], "big")
    return None
