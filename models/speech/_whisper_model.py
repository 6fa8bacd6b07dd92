"""Finds Whisper models on this machine, in the format of faster-whisper."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from ...common import ConfigurationError, require
from ...common.text import quoted

_BEST_FIRST = ("small", "base", "tiny")
_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A Whisper model that was found but is not loaded.

    Attributes:
        folder: Where its files lie.
        name: What it is called, such as `tiny`; its folder's name where it has no other.
    """

    folder: Path
    name: str

    @property
    def source(self) -> str:
        """The source that its transcripts name."""
        return f"whisper:{self.name}"

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the model in a folder.

        Raises:
            ConfigurationError: faster-whisper is missing, or the folder holds no model.
        """
        _check_installed()
        place = folder.expanduser()
        for file in _FILES:
            if not (place / file).is_file():
                raise ConfigurationError(
                    f"the transcriber's model {quoted(str(folder))} lacks {file}: name a folder "
                    "with a whisper model converted for faster-whisper, or a model such as 'tiny'"
                )
        return cls(place, place.resolve().name)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a model in the Hugging Face cache; nothing is downloaded.

        Args:
            name: Such as `tiny`, or a repository such as `Systran/faster-whisper-tiny`.

        Raises:
            ConfigurationError: faster-whisper is missing, or the model is not there.
        """
        _check_installed()
        folder = _in_cache(name)
        if folder is None:
            raise ConfigurationError(
                f"the transcriber's model {quoted(name)} is not on this machine, and nothing is "
                f"downloaded unasked: run `hf download {_repository(name)}`, or name a model's "
                "folder"
            )
        return cls(folder, name)

    @classmethod
    def best(cls) -> Self | None:
        """Return the best small model in the cache, None without one or without faster-whisper."""
        if find_spec("faster_whisper") is None:
            return None
        found = ((name, _in_cache(name)) for name in _BEST_FIRST)
        return next((cls(folder, name) for name, folder in found if folder is not None), None)


def _check_installed() -> None:
    require("a transcript", "faster_whisper", instead="set jury.transcriber to never")


def _in_cache(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(_repository(name), file) for file in _FILES]
    except HFValidationError:
        return None
    return Path(str(found[0])).parent if all(isinstance(file, str) for file in found) else None


def _repository(name: str) -> str:
    return name if "/" in name else f"Systran/faster-whisper-{name}"
