"""The stage `speech`: each query spoken by voices, levelled and read back."""

from ._stage import SpeechStage, check_speech, check_voices

__all__ = ["SpeechStage", "check_speech", "check_voices"]
