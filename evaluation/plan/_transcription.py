"""Transcribes the audio of queries for models that cannot hear."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import is_written_as_path, resolve_path
from ...datasets import Parts, Query, Transcript, transcript_of
from ...models import ModelSpec, Transcriber, WhisperModel
from ...targets import ModelTargetSpec
from ..trials import Trial


class Transcripts:
    """Transcripts of the queries' audio, for models that cannot hear.

    Args:
        transcriber: Transcribes audio for which the set has no text; None for no transcripts.
    """

    def __init__(self, transcriber: Transcriber | None = None) -> None:
        self._transcriber = transcriber

    async def of(self, trial: Trial, query: Query) -> Transcript | None:
        """Return the transcript of a query's audio, None where there is none.

        Args:
            trial: The trial, with the query as in the set.
            query: The query as put to the target.

        Raises:
            ConfigurationError: The transcriber cannot be used.
        """
        if query.audio is None:
            return None
        own = transcript_of(query, trial.query)
        if own is not None or self._transcriber is None:
            return own
        if len(query.sounds) == 1:
            return await self._transcriber.transcribe(query.audio)
        return _joined([await self._transcriber.transcribe(sound) for sound in query.sounds])


def _joined(recordings: Sequence[Transcript]) -> Transcript:
    """Join the transcripts of several recordings of a conversation, numbered."""
    failure = next((each.failure for each in recordings if each.failure is not None), None)
    numbered = (f"Recording {number}: {each.words}" for number, each in enumerate(recordings, 1))
    return Transcript("\n".join(numbered), recordings[0].source, failure)


@asynccontextmanager
async def open_transcripts(
    whisper: WhisperModel | None, directory: Path
) -> AsyncGenerator[Transcripts, None]:
    """Open the transcripts of a run, earlier ones included.

    Args:
        whisper: Transcribes audio for which the set has no text, None for nothing.
        directory: The run's directory.
    """
    if whisper is None:
        yield Transcripts()
        return
    transcriber = Transcriber(whisper, keep=directory / "transcripts")
    try:
        yield Transcripts(transcriber)
    finally:
        await transcriber.aclose()


def choose_whisper(
    wanted: str, folder: Path, *, jurors: Iterable[ModelSpec | None], sound: Iterable[Parts]
) -> WhisperModel | None:
    """Choose the model that transcribes a run's audio; None if none is needed or available.

    Args:
        wanted: `auto`, `never`, a model's name, or its folder relative to the config.
        folder: Where relative paths of the config start.
        jurors: The jury's models, None for a person and for an agent, which take no sound.
        sound: What is sent for queries with audio; empty where there are none.

    Raises:
        ConfigurationError: The named model is not on this machine.
    """
    all_hear = all(spec is not None and "audio" in spec.modalities for spec in jurors)
    # Where sound alone is sent, the query's own words are its transcript.
    unwritten = any(parts in ("given", "audio+text") for parts in sound)
    if wanted == "never" or all_hear or not unwritten:
        return None
    if wanted == "auto":
        return WhisperModel.best()
    place = resolve_path(folder, wanted)
    if place.exists() or is_written_as_path(wanted):
        return WhisperModel.in_folder(place)
    return WhisperModel.named(wanted)


def check_targets_hear(sound: Iterable[Parts], targets: Iterable[ModelTargetSpec]) -> None:
    """Check that targets take audio if a condition sends it.

    Otherwise a response to the text alone would count as one to a recording.

    Args:
        sound: What is sent for queries with audio.
        targets: The targets that are models.

    Raises:
        ConfigurationError: A target takes no audio.
    """
    sent = [parts for parts in sound if parts in ("audio", "audio+text")]
    for target in targets:
        if sent and "audio" not in target.model.modalities:
            raise ConfigurationError(
                f"`sound: [{sent[0]}]` sends a recording, but the target {target.name!r} takes "
                "none: give it `audio: true`, or leave that condition out"
            )
