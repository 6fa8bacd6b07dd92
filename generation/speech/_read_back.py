"""Transcribes recordings and computes word error rates."""

import unicodedata
from pathlib import Path

from ...common import require
from ...common.text import normal_form
from ...datasets import Media, Transcript
from ...models import Transcriber, WhisperModel


class Reader:
    """Transcribes recordings with whisper, one at a time.

    Args:
        model: What it hears with; loaded when it first does.
    """

    def __init__(self, model: WhisperModel) -> None:
        self.source = model.source
        """What names it in the set's records."""
        self._transcriber = Transcriber(model)

    async def hear(self, recording: Media) -> Transcript:
        """Return the transcript of a recording; `failure` says what went wrong.

        Raises:
            ConfigurationError: The model cannot be loaded.
        """
        return await self._transcriber.transcribe(recording)

    async def aclose(self) -> None:
        """End its thread; may be called twice."""
        await self._transcriber.aclose()


def choose_reader(wanted: str | None) -> WhisperModel | None:
    """Return the whisper model that reads recordings back, None for none.

    Args:
        wanted: `never`, a model's name, or its folder; None takes the best one that is
            on this machine, if there is one.

    Raises:
        ConfigurationError: The model that is named is not on this machine.
    """
    if wanted == "never":
        return None
    if wanted is None:
        return WhisperModel.best()
    require("speech.whisper", "faster_whisper", instead="set speech.whisper to never")
    place = Path(wanted).expanduser()
    if place.exists() or wanted.startswith((".", "/", "~")):
        return WhisperModel.in_folder(place)
    return WhisperModel.named(wanted)


def word_error_rate(spoken: str, heard: str) -> float | None:
    """Return the share of words that are missing, wrong or made up, at least 0.

    That is (substitutions + deletions + insertions) / words spoken: 0 is a perfect
    recording, and more than 1 is possible. None where nothing that is spoken is a word.

    Args:
        spoken: The text.
        heard: What was read back.
    """
    from jiwer import wer

    reference = words_alone(spoken)
    if not reference:
        return None
    return round(float(wer(reference, words_alone(heard))), 4)


def words_alone(text: str) -> str:
    """Return the words of a text without case and punctuation.

    Apostrophes join (`don't` is `dont`), all else that is no letter and no digit parts.
    Numbers stay as they are written: `20` and `twenty` differ.
    """
    joined = normal_form(text).replace("'", "").replace("\u2019", "")
    return " ".join("".join(c if _is_of_a_word(c) else " " for c in joined).split())


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
