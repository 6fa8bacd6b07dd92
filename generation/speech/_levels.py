"""Normalizes the loudness of recordings.

Loudness and true peak are those of ITU-R BS.1770.
"""

import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ...common import DatasetError
from ...datasets.media import WavFormat, find_wav_sound, is_wav

HIGHEST_PEAK = -1.0
"""True peak that no recording goes above, in dBTP: players and encoders overshoot a little."""
_BLOCK_S = 0.4
_TOLERANCE = 0.5
_SILENCE = -70.0
"""Loudness in LUFS below which the standard takes nothing into account."""
_OVERSAMPLING = 4
_INTEGERS = {8: "u1", 16: "<i2", 32: "<i4"}

Samples = NDArray[np.float64]
"""One channel, each sample in [-1, 1] unless it is clipped, of the shape (frames,)."""


class _Meter(Protocol):
    def integrated_loudness(self, data: Samples) -> float: ...


@dataclass(frozen=True, slots=True)
class Leveled:
    """A recording after normalization.

    Attributes:
        content: A WAV of one channel, 16 bits, at the recording's own rate.
        seconds: Its length.
        loudness: Before, in LUFS.
        held_down: Whether it is quieter than asked for by more than 0.5 LU, as its peaks
            would clip.
    """

    content: bytes
    seconds: float
    loudness: float
    held_down: bool


def level(content: bytes, target: float) -> Leveled:
    """Return a recording, normalized to a loudness.

    Args:
        content: A WAV of whole numbers or floats, of any rate and number of channels.
        target: The loudness in LUFS, below 0.

    Raises:
        DatasetError: What is wrong with it, to be put after "what came back".
    """
    rate, samples = _read(content)
    loudness = measure_loudness(samples, rate)
    if loudness is None:
        raise DatasetError("is silent")
    wanted = target - loudness
    room = HIGHEST_PEAK - true_peak(samples)
    louder = 10 ** (min(wanted, room) / 20)
    return Leveled(
        _written(samples * louder, rate),
        len(samples) / rate,
        round(loudness, 2),
        wanted - room > _TOLERANCE,
    )


def measure_loudness(samples: Samples, rate: int) -> float | None:
    """Return the integrated loudness in LUFS, None of silence.

    A recording shorter than the standard's block of 0.4 s is measured as one block.

    Args:
        samples: One channel.
        rate: Samples a second.
    """
    if not samples.any():
        return None
    block = min(_BLOCK_S, (len(samples) - 1) / rate)
    if block <= 0:
        return None
    made = cast(Callable[..., _Meter], import_module("pyloudnorm").Meter)
    # The meter silences warnings for the whole process while it measures.
    with _one_at_a_time, np.errstate(all="ignore"):
        loudness = float(made(rate, block_size=block).integrated_loudness(samples))
    return loudness if loudness >= _SILENCE else None


def true_peak(samples: Samples) -> float:
    """Return the highest peak, also between samples, in dBTP; -inf of silence."""
    resample = cast(Callable[..., Samples], import_module("scipy.signal").resample_poly)
    finer = resample(samples, _OVERSAMPLING, 1)
    highest = max(float(np.abs(samples).max()), float(np.abs(finer).max()))
    return float(20 * np.log10(highest)) if highest > 0 else -np.inf


def _read(content: bytes) -> tuple[int, Samples]:
    """Return the rate and the mean of all channels."""
    if not is_wav(content):
        raise DatasetError("is not a WAV file")
    sound = find_wav_sound(content, streamed=True)
    size = sound.frames * sound.form.frame
    values = _values(content[sound.start : sound.start + size], sound.form)
    samples = values.reshape(sound.frames, sound.form.channels).mean(axis=1)
    if not np.isfinite(samples).all():
        raise DatasetError("is damaged (some samples are not numbers)")
    return sound.form.rate, samples


def _values(raw: bytes, form: WavFormat) -> Samples:
    """Return the samples of all channels in turn, each in [-1, 1]."""
    if form.is_float:
        return np.frombuffer(raw, f"<f{form.bits // 8}").astype(np.float64)
    if form.bits == 24:
        # As the upper three bytes of four, so that the sign is where it belongs.
        wide = np.zeros((len(raw) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(raw, "u1").reshape(-1, 3)
        return wide.view("<i4").ravel() / 2.0**31
    whole = np.frombuffer(raw, _INTEGERS[form.bits]).astype(np.float64)
    if form.bits == 8:
        return (whole - 128) / 128
    return whole / 2.0 ** (form.bits - 1)


def _written(samples: Samples, rate: int) -> bytes:
    whole = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2")
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.tobytes())
    return buffer.getvalue()


_one_at_a_time = threading.Lock()
