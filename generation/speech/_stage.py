"""The stage `speech`: recordings of queries and twins in several voices."""

import asyncio
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ...common import ConfigurationError, first_failure, require
from ..calls import without_secrets
from ..items import Origin, Speech, SpeechSettings
from ..pipeline import (
    CHARACTERS_PER_TOKEN,
    QUERIES,
    SPEECH,
    TWINS,
    Calls,
    MediaCache,
    StageContext,
    StageCounts,
    items_planned,
    set_texts,
)
from ._read_back import Reader, choose_reader, word_error_rate
from ._recorder import Recorder, Recording
from ._speaker import Speaker
from ._speakers import open_speaker

SPEECH_MEMBER = "speech"
"""What an estimate calls the model of a speech API."""
_EXTRA = ("jiwer", "numpy", "pyloudnorm", "scipy")
_QUERY_TOKENS = 35
"""Of a query, a guess."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A text and the voice that speaks it."""

    id: str
    text: str
    voice: str


def check_speech(settings: SpeechSettings) -> None:
    """Check what can be checked without speaking.

    Raises:
        ConfigurationError: A package, the program, the whisper model or a setting is missing.
    """
    if len(set(settings.voices)) < 2:
        raise ConfigurationError("speech.voices needs at least two different voices")
    require("speech", *_EXTRA)
    open_speaker(settings, concurrency=1)
    choose_reader(settings.whisper)


async def check_voices(settings: SpeechSettings) -> None:
    """Check that every voice of a program can say a few words; those of an API would cost.

    Raises:
        ConfigurationError: The program is not there, or has no such voice.
    """
    speaker = open_speaker(settings, concurrency=1)
    try:
        await speaker.prepare(settings.voices)
    finally:
        await speaker.aclose()


class SpeechStage:
    """Records queries and twins, normalizes their loudness, and reads them back.

    A recording that fails is listed with its reason and counted; the stage continues.
    """

    name = "speech"

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the file that lists all recordings."""
        return () if context.settings.speech is None else (SPEECH,)

    def inputs(self, context: StageContext) -> object:
        """Return all that decides the result, without secrets.

        Raises:
            ConfigurationError: The whisper model that is named is not on this machine.
        """
        settings = context.settings.speech
        if settings is None:
            return None
        reader = choose_reader(settings.whisper)
        return {
            "speaker": settings.speaker,
            "voices": settings.voices,
            "loudness": settings.loudness,
            "model": settings.model,
            "program": settings.program,
            "base_url": without_secrets(settings.base_url),
            "reader": None if reader is None else reader.source,
            "queries": context.folder.hash_of(QUERIES),
            "twins": context.folder.hash_of(TWINS),
        }

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        """Return the estimated calls of a speech API; programs cost nothing."""
        settings = context.settings.speech
        if settings is None or settings.speaker != "endpoint":
            return ()
        calls = items_planned(context) * len(settings.voices)
        words = calls * _QUERY_TOKENS
        characters = words * CHARACTERS_PER_TOKEN
        usd = None if settings.price is None else settings.price * characters / 1e6
        return (Calls(SPEECH_MEMBER, calls, words, 0, usd),)

    async def make(self, context: StageContext) -> None:
        """Make it.

        Raises:
            ConfigurationError: The speaker, its voices, whisper or a package is missing.
            ModelError: See `StageCounts.settle`; what there is is written.
        """
        settings = context.settings.speech
        if settings is None:
            return
        check_speech(settings)
        async with AsyncExitStack() as stack:
            speaker = open_speaker(
                settings, concurrency=context.concurrency, services=context.services
            )
            stack.push_async_callback(speaker.aclose)
            reader = _reader(settings, context)
            if reader is not None:
                stack.push_async_callback(reader.aclose)
            await speaker.prepare(settings.voices)
            cache = MediaCache(context.folder, "takes", "audio/wav")
            recorder = Recorder(cache, speaker, reader, settings.loudness)
            await _record(recorder, context, settings, speaker)
            counts = StageCounts()

            def written() -> Iterator[Speech]:
                for line in _lines(context, settings):
                    recording = recorder.find(line.text, line.voice)
                    assert recording is not None
                    _count(counts, recording)
                    file = None if recording.file is None else cache.file_of(recording.file)
                    yield _speech(line, recording, file, speaker.name)

            await asyncio.to_thread(context.folder.write, SPEECH, written())
        _report(counts, context)


async def _record(
    recorder: Recorder, context: StageContext, settings: SpeechSettings, speaker: Speaker
) -> None:
    """Record all lines, several at a time."""
    lines = _lines(context, settings)
    context.progress.stage(SpeechStage.name, sum(1 for _ in lines))
    lines = _lines(context, settings)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for line in lines:
            recording = await recorder.record(line.text, line.voice)
            failed += recording.file is None
            context.progress.step(1, f"{failed} failed" if failed else "")

    async with first_failure(), asyncio.TaskGroup() as group:
        for _ in range(min(context.concurrency, speaker.at_once or context.concurrency)):
            group.create_task(work())


def _lines(context: StageContext, settings: SpeechSettings) -> Iterator[_Line]:
    """Yield all lines, queries first."""
    for one in set_texts(context):
        for voice in settings.voices:
            yield _Line(one.id, one.text, voice)


def _speech(line: _Line, recording: Recording, file: str | None, speaker: str) -> Speech:
    digest = hashlib.sha256(line.text.encode("utf-8", "surrogatepass")).hexdigest()
    origin = Origin(speaker, digest, 0, f"speech/{line.id}/{line.voice}", (line.id,))
    if file is None:
        return Speech(line.id, line.voice, None, detail=recording.detail, origin=origin)
    heard = recording.heard
    return Speech(
        line.id,
        line.voice,
        file,
        recording.seconds,
        recording.loudness,
        heard,
        None if heard is None else word_error_rate(line.text, heard),
        origin=origin,
    )


def _count(counts: StageCounts, recording: Recording) -> None:
    is_there = recording.file is not None
    counts.add("lines")
    for name, applies in (
        ("spoken", is_there),
        ("failed", not is_there and not recording.filtered),
        ("filtered", recording.filtered),
        ("failed_calls", recording.passing),
        ("held_down", recording.held_down),
        ("read_back", recording.heard is not None),
        ("unread", recording.unread != ""),
    ):
        counts.counts[name] += applies
    if recording.passing:
        counts.add_failure(recording.detail)


def _report(stage: StageCounts, context: StageContext) -> None:
    """Report what is missing, and fail if repeating the command may fix it."""
    counts = stage.counts
    context.folder.count(SpeechStage.name, dict(counts))
    lost = counts["failed"] + counts["filtered"]
    if lost:
        context.progress.notify(
            f"speech: {lost} of {counts['lines']} recordings are missing "
            f"({counts['filtered']} filtered); see {SPEECH}"
        )
    if counts["unread"]:
        context.progress.notify(f"speech: {counts['unread']} recordings could not be transcribed")
    if stage.passing:
        stage.settle(
            context,
            SpeechStage.name,
            f"calls failed for {stage.passing} of {counts['lines']} recordings; last error",
            may_pass=True,
            empty=not counts["spoken"],
        )


def _reader(settings: SpeechSettings, context: StageContext) -> Reader | None:
    model = choose_reader(settings.whisper)
    if model is not None:
        return Reader(model)
    if settings.whisper is None:
        context.progress.notify(
            "speech: recordings are not read back: no whisper model is installed"
        )
    return None
