"""Transcribes audio, for jurors that cannot hear."""

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import msgspec

from ...common import ConfigurationError, DatasetError
from ...common.files import atomic_write, private_folder
from ...common.text import quoted, short_reason
from ...datasets import Media, Transcript, sound_length
from ._whisper_model import WhisperModel

_MOST_THREADS = 4
_REMEMBERED = 512
_DETAIL_KEPT = 120


class _Segment(Protocol):
    text: str


class _Whisper(Protocol):
    def transcribe(
        self,
        audio: BinaryIO,
        *,
        temperature: float,
        condition_on_previous_text: bool,
        vad_filter: bool,
    ) -> tuple[Iterable[_Segment], object]: ...


class Transcriber:
    """Transcribes audio on this machine with faster-whisper, one file at a time.

    The same sound gives the same words: nothing is drawn by chance. Silence and tones
    are left out before the model hears them, which would otherwise make up words for
    them. Nothing is downloaded.

    Example:
        >>> transcriber = Transcriber(WhisperModel.named("tiny"), keep=run / "transcripts")
        >>> transcript = await transcriber.transcribe(query.audio)

    Args:
        model: What it hears with; loaded when it first does.
        keep: Folder of transcripts, `<keep>/<sha256>.json`, so that a repeated run
            writes nothing down twice; None keeps them in memory alone.
        longest: Seconds of the longest sound that is written down.
    """

    def __init__(
        self,
        model: WhisperModel,
        *,
        keep: Path | None = None,
        longest: float = 600.0,
    ) -> None:
        self._model = model
        self._keep = keep
        self._longest = longest
        self._whisper: _Whisper | None = None
        self._known = OrderedDict[str, Transcript]()
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1, "transcriber")

    async def transcribe(self, media: Media) -> Transcript:
        """Transcribe an audio file; errors are reported in `failure`.

        Raises:
            ConfigurationError: The model cannot be loaded, or a transcript not kept.
        """
        if (known := self._known.get(media.sha256)) is not None:
            return known
        stop = threading.Event()
        work = partial(self._once, media, stop)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except asyncio.CancelledError:
            stop.set()  # the thread ends with the piece of sound at hand
            raise

    async def aclose(self) -> None:
        """Stop the thread; may be called twice."""
        self._closing.set()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._whisper = None

    def _once(self, media: Media, stop: threading.Event) -> Transcript:
        found = self._known.get(media.sha256) or self._kept(media)
        if found is None:
            found = self._written_down(media, stop)
            if not found.failure:
                self._store(media, found)
        if not (stop.is_set() or self._closing.is_set()):
            self._known[media.sha256] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _written_down(self, media: Media, stop: threading.Event) -> Transcript:
        whisper = self._loaded()
        try:
            content = media.read()
            if why := self._unfit(media, content):
                return self._failed(why)
            segments, _ = whisper.transcribe(
                BytesIO(content),
                temperature=0.0,
                condition_on_previous_text=False,
                vad_filter=True,
            )
            words: list[str] = []
            for segment in segments:
                words.append(segment.text)
                if stop.is_set() or self._closing.is_set():
                    return self._failed("it was stopped")
        except Exception as error:  # noqa: BLE001 - decoders raise errors of many kinds
            return self._failed(f"{type(error).__name__}: {short_reason(error, _DETAIL_KEPT)}")
        return Transcript("".join(words).strip(), self._model.source)

    def _unfit(self, media: Media, content: bytes) -> str | None:
        if not media.matches(content):
            return "the sound changed since the dataset was read"
        try:
            seconds = sound_length(content, media.media_type)
        except DatasetError as error:
            return f"the sound {error}"
        if seconds is None:
            return f"{media.media_type} cannot be transcribed"
        if seconds > self._longest:
            return f"it lasts {seconds:.1f} s, and no more than {self._longest:.1f} s are heard"
        return None

    def _failed(self, why: str) -> Transcript:
        return Transcript("", self._model.source, why)

    def _kept(self, media: Media) -> Transcript | None:
        if self._keep is None:
            return None
        try:
            kept = msgspec.json.decode(self._path(media).read_bytes(), type=Transcript)
        except (OSError, msgspec.MsgspecError):
            return None
        return kept if kept.source == self._model.source else None

    def _store(self, media: Media, transcript: Transcript) -> None:
        if self._keep is None:
            return
        try:
            private_folder(self._keep)
            with atomic_write(self._path(media), private=True) as file:
                file.write(msgspec.json.encode(transcript))
        except OSError as error:
            raise ConfigurationError(
                f"{self._keep}: a transcript cannot be saved ({error.strerror}): free some space "
                "or fix the folder, then repeat the command"
            ) from error

    def _path(self, media: Media) -> Path:
        assert self._keep is not None
        return self._keep / f"{media.sha256}.json"

    def _loaded(self) -> _Whisper:
        if self._whisper is None:
            try:
                made: object = import_module("faster_whisper").WhisperModel(
                    str(self._model.folder),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=min(_MOST_THREADS, os.cpu_count() or 1),
                    local_files_only=True,
                )
            except Exception as error:
                raise ConfigurationError(
                    f"the transcriber's model {quoted(str(self._model.folder))} cannot be loaded "
                    f"({short_reason(error, _DETAIL_KEPT)}): convert or download it again"
                ) from error
            self._whisper = cast(_Whisper, made)
        return self._whisper
