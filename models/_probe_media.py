"""Small pictures and sounds that a probe sends, made on the spot."""

import io
import math
import random
import struct
import wave
from typing import Literal

from ..datasets._crc import crc8, crc16

ImageFormat = Literal["PNG", "JPEG", "WEBP", "GIF"]
_RATE = 16_000


def red_square(format: ImageFormat) -> bytes:
    """Return a red picture of 128 by 128 pixels."""
    from PIL import Image

    return _saved(Image.new("RGB", (128, 128), (220, 20, 20)), format)


def noise(side: int) -> bytes:
    """Return a JPEG of grey noise, which compresses badly: 4,096 pixels take 5 MB."""
    from PIL import Image

    pixels = random.Random(side).randbytes(side * side)
    grey = Image.frombytes("L", (side, side), pixels)
    return _saved(grey.convert("RGB"), "JPEG", quality=25)


def _saved(image: object, format: ImageFormat, **options: int) -> bytes:
    from PIL import Image

    assert isinstance(image, Image.Image)
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def wav(seconds: float = 1.0) -> bytes:
    """Return a tone as 16-bit mono WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        samples = _tone(seconds)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def flac(seconds: float = 0.5) -> bytes:
    """Return a tone as FLAC: its samples as they are, in frames of 4,096."""
    samples = _tone(seconds)
    block = 4096
    # STREAMINFO: block sizes, unknown frame sizes, rate, 1 channel, 16 bits, length, no MD5.
    packed = _RATE << 44 | 0 << 41 | 15 << 36 | len(samples)
    info = struct.pack(">HH6x", block, block) + packed.to_bytes(8) + bytes(16)
    head = b"fLaC" + b"\x80" + len(info).to_bytes(3) + info
    frames = (
        _flac_frame(number, samples[at : at + block])
        for number, at in enumerate(range(0, len(samples), block))
    )
    return head + b"".join(frames)


def _flac_frame(number: int, samples: list[int]) -> bytes:
    # Fixed block size, 16-bit length at the end of the header, rate and width as in
    # STREAMINFO, mono; the frame's number takes one byte below 128.
    head = b"\xff\xf8\x70\x00" + bytes([number]) + struct.pack(">H", len(samples) - 1)
    head += bytes([crc8(head)])
    frame = head + b"\x02" + struct.pack(f">{len(samples)}h", *samples)  # verbatim subframe
    return frame + crc16(frame).to_bytes(2)


def mp3(frames: int = 24) -> bytes:
    """Return silence as MP3: frames of 128 kbit/s, 44.1 kHz, mono, whose content is empty."""
    return (b"\xff\xfb\x90\xc4" + bytes(413)) * frames


def _tone(seconds: float) -> list[int]:
    step = 2 * math.pi * 440 / _RATE
    return [round(8000 * math.sin(step * at)) for at in range(round(seconds * _RATE))]
