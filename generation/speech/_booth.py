"""Where texts become recordings: each spoken once, however often the command is repeated."""

import asyncio
import hashlib

import msgspec

from ...common import DatasetError
from ...datasets import Media
from ..pipeline import MEDIA, SetFolder, keeping
from ._read_back import Reader
from ._speaker import NotSpoken, Speaker

_TAKES = "takes"


class Take(msgspec.Struct, frozen=True):
    """What became of a text in a voice.

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


class Booth:
    """Records texts, and keeps in the set's folder what became of each.

    A recording is known by its speaker, voice, text and loudness. One that is there is
    not spoken again; one that failed is tried again.

    Args:
        folder: The set's folder.
        speaker: Who speaks.
        reader: What reads recordings back; None for nothing.
        loudness: Of all recordings, in LUFS.
    """

    def __init__(
        self, folder: SetFolder, speaker: Speaker, reader: Reader | None, loudness: float
    ) -> None:
        self._folder = folder
        self._speaker = speaker
        self._reader = reader
        self._loudness = loudness

    @property
    def speaker(self) -> str:
        """The speaker's name."""
        return self._speaker.name

    async def record(self, text: str, voice: str) -> Take:
        """Return the recording of a text, read back where something reads.

        Raises:
            ConfigurationError: The speaker or the reader cannot work at all.
            DatasetError: The folder cannot be written.
        """
        take = self.kept(text, voice)
        if take is None or not await asyncio.to_thread(self._has, take):
            take = await keeping(self._spoken_and_kept(text, voice))
        reader = self._reader
        if reader is not None and take.file is not None and take.reader != reader.source:
            take = await self._read_back(take, take.file, reader)
            self._keep(text, voice, take)
        return take

    def kept(self, text: str, voice: str) -> Take | None:
        """Return what became of a text in a voice, None where it was not tried."""
        try:
            content = (self._folder.path / self._place(text, voice)).read_bytes()
            return msgspec.json.decode(content, type=Take)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _has(self, take: Take) -> bool:
        return take.file is not None and self._folder.holds(recording_name(take.file), take.file)

    async def _spoken_and_kept(self, text: str, voice: str) -> Take:
        take = await self._spoken(text, voice)
        self._keep(text, voice, take)
        return take

    async def _spoken(self, text: str, voice: str) -> Take:
        said = await self._speaker.say(text, voice)
        if isinstance(said, NotSpoken):
            filtered = said.reason == "filtered"
            return Take(detail=said.detail, filtered=filtered, passing=said.passing)
        return await asyncio.to_thread(self._levelled, said)

    def _levelled(self, said: bytes) -> Take:
        from ._levels import level

        try:
            recording = level(said, self._loudness)
        except DatasetError as error:
            return Take(detail=f"what came back {error}")
        digest = hashlib.sha256(recording.content).hexdigest()
        self._folder.write_bytes(recording_name(digest), recording.content)
        return Take(
            digest,
            seconds=round(recording.seconds, 3),
            loudness=recording.loudness,
            held_down=recording.held_down,
        )

    async def _read_back(self, take: Take, digest: str, reader: Reader) -> Take:
        path = self._folder.path / recording_name(digest)
        heard = await reader.hear(Media(digest, "audio/wav", path.stat().st_size, str(path)))
        return msgspec.structs.replace(
            take,
            heard=heard.text if heard.failure is None else None,
            reader=reader.source,
            unread=heard.failure or "",
        )

    def _keep(self, text: str, voice: str, take: Take) -> None:
        self._folder.write_bytes(self._place(text, voice), msgspec.json.encode(take))

    def _place(self, text: str, voice: str) -> str:
        key = msgspec.json.encode([self._speaker.name, voice, text, self._loudness])
        return f"{_TAKES}/{hashlib.sha256(key).hexdigest()}.json"


def recording_name(digest: str) -> str:
    """Return where a recording lies within the set's folder."""
    return f"{MEDIA}/{digest}.wav"
