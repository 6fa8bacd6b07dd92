"""The stage `speech`: recordings of every query and every twin."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._levels import level, measure_loudness, true_peak
    from ._program import Failed, run_program
    from ._read_back import word_error_rate
    from ._speaker_espeak import EspeakSpeaker
    from ._stage import SpeechStage, check_speech, check_voices

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_levels": ["level", "measure_loudness", "true_peak"],
            "_program": ["Failed", "run_program"],
            "_read_back": ["word_error_rate"],
            "_speaker_espeak": ["EspeakSpeaker"],
            "_stage": ["SpeechStage", "check_speech", "check_voices"],
        },
    )

__all__ = [
    "EspeakSpeaker",
    "Failed",
    "SpeechStage",
    "check_speech",
    "check_voices",
    "level",
    "measure_loudness",
    "run_program",
    "true_peak",
    "word_error_rate",
]
