"""Creates the small pictures and audio files that a probe sends."""

import io
import math
import random
import struct
import wave
from typing import Literal

ImageFormat = Literal["PNG", "JPEG", "WEBP", "GIF"]
_RATE = 16_000


def red_square(format: ImageFormat) -> bytes:
    """Create a red picture of 128 by 128 pixels."""
    from PIL import Image

    return _saved(Image.new("RGB", (128, 128), (220, 20, 20)), format)


def noise(side: int) -> bytes:
    """Create a JPEG of gray noise, which compresses badly: 4,096 pixels a side take 5 MB."""
    from PIL import Image

    pixels = random.Random(side).randbytes(side * side)
    gray = Image.frombytes("L", (side, side), pixels)
    return _saved(gray.convert("RGB"), "JPEG", quality=25)


def _saved(image: object, format: ImageFormat, **options: int) -> bytes:
    from PIL import Image

    assert isinstance(image, Image.Image)
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def wav(seconds: float = 1.0) -> bytes:
    """Create a tone as 16-bit mono WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        samples = _tone(seconds)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def flac() -> bytes:
    """Create half a second of silence as FLAC: 8,000 samples, all 0, in one frame."""
    return bytes.fromhex(
        "664c6143 80000022 1f401f40 000000000000 03e800f0 00001f40"
        + 16 * "00"  # no checksum of all samples
        + "fff87000 001f3f83 0000006c41"
    )


def mp3(frames: int = 24) -> bytes:
    """Create silence as MP3: empty frames of 128 kbit/s, 44.1 kHz, mono."""
    return (b"\xff\xfb\x90\xc4" + bytes(413)) * frames


def _tone(seconds: float) -> list[int]:
    step = 2 * math.pi * 440 / _RATE
    return [round(8000 * math.sin(step * at)) for at in range(round(seconds * _RATE))]
