import io
import math
import struct
import wave
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from safejury.common import DatasetError
from safejury.generation.speech import level, measure_loudness, true_peak

RATE = 16_000
TARGET = -23.0


def tone(seconds: float = 1.0, height: float = 0.1, hertz: float = 997.0) -> list[float]:
    turn = 2 * math.pi * hertz / RATE
    return [height * math.sin(turn * i) for i in range(int(seconds * RATE))]


def wav(
    samples: Sequence[float],
    bits: int = 16,
    channels: int = 1,
    *,
    floats: bool = False,
    sizes: int | None = None,
) -> bytes:
    """Write a WAV by hand, all channels alike; `sizes` stands in place of the true length."""
    raw = b"".join(_sample(value, bits, floats=floats) * channels for value in samples)
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 3 if floats else 1, channels, RATE, RATE * frame, frame, bits)
    length = len(raw) if sizes is None else sizes
    return (
        b"RIFF" + struct.pack("<I", min(36 + length, 2**32 - 1)) + b"WAVE"
        b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", length) + raw
    )


def _sample(value: float, bits: int, *, floats: bool) -> bytes:
    if floats:
        return struct.pack("<f" if bits == 32 else "<d", value)
    if bits == 8:
        return bytes([round(value * 127) + 128])
    return round(value * (2 ** (bits - 1) - 1)).to_bytes(bits // 8, "little", signed=True)


def opened(content: bytes) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return channels, bytes a sample, rate and frames, and the samples."""
    with wave.open(io.BytesIO(content)) as file:
        raw = file.readframes(file.getnframes())
        return tuple(file.getparams()[:4]), np.frombuffer(raw, "<i2").astype(np.float64) / 32768


@pytest.mark.parametrize(
    "content",
    [
        wav(tone(), 8),
        wav(tone(), 16),
        wav(tone(), 24),
        wav(tone(), 32),
        wav(tone(), 32, floats=True),
        wav(tone(), 64, floats=True),
        wav(tone(), 16, 2),
        wav(tone(), 24, 6),
        wav(tone(), sizes=0),
        wav(tone(), sizes=0x7FFF_F000),
        wav(tone(), sizes=0xFFFF_FFFF),
    ],
)
def test_any_wav_comes_out_as_one_channel_of_16_bits_at_the_loudness_asked_for(
    content: bytes,
) -> None:
    leveled = level(content, TARGET)
    form, samples = opened(leveled.content)
    assert form == (1, 2, RATE, RATE)
    assert measure_loudness(samples, RATE) == pytest.approx(TARGET, abs=0.1)
    # A full-scale sine of 997 Hz has -3.01 LUFS by definition of the standard.
    assert leveled.loudness == pytest.approx(-3.01 - 20, abs=0.3)
    assert (leveled.seconds, leveled.held_down) == (1.0, False)


@pytest.mark.parametrize("frames", [2, 10, 1000, 6399, 6400, 6401])
def test_recordings_shorter_than_a_block_of_the_standard_are_levelled_too(frames: int) -> None:
    leveled = level(wav(tone()[:frames]), TARGET)
    form, samples = opened(leveled.content)
    assert form == (1, 2, RATE, frames)
    assert measure_loudness(samples, RATE) == pytest.approx(TARGET, abs=0.2)


@pytest.mark.parametrize("target", [-23.0, -3.0])
def test_peaks_are_held_below_the_highest_though_the_rest_stays_quieter(target: float) -> None:
    clicks = tone(1.0, 0.01)
    clicks[8000], clicks[8001] = 0.9, -0.9
    leveled = level(wav(clicks), target)
    _, samples = opened(leveled.content)
    assert true_peak(samples) == pytest.approx(-1.0, abs=0.05)
    loudness = measure_loudness(samples, RATE)
    assert loudness is not None
    assert leveled.held_down
    assert loudness < target - 0.5


def test_a_peak_between_two_samples_counts() -> None:
    """At a quarter of the rate and an eighth of a turn, every sample is 3 dB below the peak."""
    quarter = np.array([math.sin(math.pi * (i / 2 + 1 / 4)) for i in range(4000)])
    assert 20 * math.log10(float(quarter.max())) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(quarter) == pytest.approx(0.0, abs=0.6)


def unread(change: Callable[[bytes], bytes]) -> bytes:
    return change(wav(tone()))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (wav([0.0] * RATE), "is silent"),
        (wav([0.0] * RATE, 8), "is silent"),
        (wav(tone(height=0.0002)), "is silent"),
        (wav([0.5]), "is silent"),
        (wav([float("nan")] * 10, 32, floats=True), "some samples are not numbers"),
        (wav([float("inf")] * 10, 32, floats=True), "some samples are not numbers"),
        (wav(tone())[:1000], "is cut short"),
        (wav(tone())[:44], "is cut short"),
        (wav(tone())[:40], "contains no audio"),
        (b"ID3\x04\x00", "is not a WAV file"),
        (b"", "is not a WAV file"),
        (unread(lambda whole: whole[:20] + b"\x11\x00" + whole[22:]), "is a compressed WAV"),
        (unread(lambda whole: whole[:22] + b"\x00\x00" + whole[24:]), "is damaged"),
    ],
)
def test_what_is_no_sound_is_told(content: bytes, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        level(content, TARGET)


def test_channels_that_differ_become_their_mean() -> None:
    """Of a tone beside silence the mean is half as high: 6.02 dB less."""
    both = [value for sample in tone() for value in (sample, 0.0)]
    stereo = bytearray(wav(both))
    stereo[22:24] = struct.pack("<H", 2)
    stereo[28:34] = struct.pack("<IH", RATE * 4, 4)
    leveled = level(bytes(stereo), TARGET)
    assert leveled.loudness == pytest.approx(-3.01 - 20 - 6.02, abs=0.3)
    assert leveled.seconds == 1.0
