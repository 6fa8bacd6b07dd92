"""Records texts, once each, and reads them back."""

import asyncio

import msgspec

from ...common import DatasetError
from ..pipeline import MediaCache, finish_once_paid
from ._read_back import Reader
from ._speaker import NotSpoken, Speaker


class Recording(msgspec.Struct, frozen=True):
    """The result of speaking a text in a voice.

    Attributes:
        file: SHA-256 of the recording; None where there is none.
        detail: Why there is none.
        filtered: Whether the provider's filter is why.
        passing: Whether the same may go well another time.
        seconds: Its length.
        loudness: Before it was changed, in LUFS.
        held_down: Whether it is quieter than asked for, as its peaks would clip.
        heard: What was read back; None where nothing read it.
        reader: What read it, or tried to.
        unread: Why it was not read back.
    """

    file: str | None = None
    detail: str = ""
    filtered: bool = False
    passing: bool = False
    seconds: float = 0.0
    loudness: float | None = None
    held_down: bool = False
    heard: str | None = None
    reader: str | None = None
    unread: str = ""


class Recorder:
    """Records texts, and keeps the result of each.

    A recording is known by its speaker, voice, text and loudness. One that is there is
    not spoken again; one that failed is tried again.

    Args:
        cache: Keeps recordings and results.
        speaker: Speaks.
        reader: Reads recordings back; None for nothing.
        loudness: Of all recordings, in LUFS.
    """

    def __init__(
        self, cache: MediaCache, speaker: Speaker, reader: Reader | None, loudness: float
    ) -> None:
        self._cache = cache
        self._speaker = speaker
        self._reader = reader
        self._loudness = loudness

    async def record(self, text: str, voice: str) -> Recording:
        """Return the recording of a text, read back if there is a reader.

        Raises:
            ConfigurationError: The speaker or the reader cannot work at all.
            DatasetError: The folder cannot be written.
        """
        recording = self.find(text, voice)
        if recording is None or not await asyncio.to_thread(self._cache.has, recording.file):
            recording = await finish_once_paid(self._speak(text, voice))
        reader = self._reader
        if reader is not None and recording.file is not None and recording.reader != reader.source:
            heard = await reader.hear(self._cache.media(recording.file))
            recording = msgspec.structs.replace(
                recording,
                heard=heard.text if heard.failure is None else None,
                reader=reader.source,
                unread=heard.failure or "",
            )
            self._cache.keep(recording, *self._request(text, voice))
        return recording

    def find(self, text: str, voice: str) -> Recording | None:
        """Return the cached result for a text in a voice, None if there is none."""
        return self._cache.find(Recording, *self._request(text, voice))

    async def _speak(self, text: str, voice: str) -> Recording:
        said = await self._speaker.say(text, voice)
        if isinstance(said, NotSpoken):
            recording = Recording(
                detail=said.detail, filtered=said.reason == "filtered", passing=said.passing
            )
        else:
            recording = await asyncio.to_thread(self._leveled, said)
        self._cache.keep(recording, *self._request(text, voice))
        return recording

    def _leveled(self, said: bytes) -> Recording:
        from ._levels import level

        try:
            leveled = level(said, self._loudness)
        except DatasetError as error:
            return Recording(detail=f"what came back {error}")
        return Recording(
            self._cache.add(leveled.content),
            seconds=round(leveled.seconds, 3),
            loudness=leveled.loudness,
            held_down=leveled.held_down,
        )

    def _request(self, text: str, voice: str) -> tuple[str, str, str, float]:
        return self._speaker.name, voice, text, self._loudness
