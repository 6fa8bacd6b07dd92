"""Who hears the sound of a query, and what those read who do not."""

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
    """The words of the queries' sounds, for those who cannot hear them.

    Args:
        transcriber: Writes down what the set does not say, None leaves that out.
    """

    def __init__(self, transcriber: Transcriber | None = None) -> None:
        self._transcriber = transcriber

    async def of(self, trial: Trial, query: Query) -> Transcript | None:
        """Return the words of a query's sound, None where nobody wrote them down.

        Args:
            trial: The query as the set has it.
            query: The query as it was put.

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
        return _together([await self._transcriber.transcribe(sound) for sound in query.sounds])


def _together(heard: Sequence[Transcript]) -> Transcript:
    """Return the words of several sounds of a conversation as one transcript, numbered."""
    failure = next((each.failure for each in heard if each.failure is not None), None)
    numbered = (f"Recording {number}: {each.words}" for number, each in enumerate(heard, 1))
    return Transcript("\n".join(numbered), heard[0].source, failure)


@asynccontextmanager
async def open_transcripts(
    whisper: WhisperModel | None, directory: Path
) -> AsyncGenerator[Transcripts, None]:
    """Open the transcripts of a run; what was written down before is found again.

    Args:
        whisper: What writes down those that the set does not have, None for nothing.
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
    """Return what writes down the sounds of a run; None where nothing can or has to.

    Args:
        wanted: `auto`, `never`, a model's name, or its folder relative to the config.
        folder: Where relative paths of the config start.
        jurors: The jury's models, None for a person.
        sound: What is sent of queries with sound; empty where there are none.

    Raises:
        ConfigurationError: The model that is named is not on this machine.
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
    """Check that a target gets the sound of every condition that sends one.

    Otherwise its answer to words alone would be counted as one to a recording.

    Args:
        sound: What is sent of queries with sound.
        targets: Those that are models.

    Raises:
        ConfigurationError: A target takes no sound.
    """
    sent = [parts for parts in sound if parts in ("audio", "audio+text")]
    for target in targets:
        if sent and "audio" not in target.model.modalities:
            raise ConfigurationError(
                f"`sound: [{sent[0]}]` sends a recording, but the target {target.name!r} takes "
                "none: give it `audio: true`, or leave that condition out"
            )
