"""The stage `speech`: each query spoken by voices, levelled and read back."""

from ._stage import SpeechStage, check_speech

__all__ = ["SpeechStage", "check_speech"]
