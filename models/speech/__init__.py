"""Transcription of audio."""

from ._transcriber import Transcriber
from ._whisper_model import WhisperModel

__all__ = [
    "Transcriber",
    "WhisperModel",
]
