"""Writes batch files: JSON Lines, split by a provider's limits and put in place atomically."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from ...common import ConfigurationError, RecordError
from ...common.files import make_private, private_folder
from ...common.text import plain_name, unique_name
from ...models import ModelSpec
from ..record import host_of
from ._batch import batch_model
from ._manifest import BatchFile, listed_files


@dataclass(frozen=True, slots=True)
class Limits:
    """A provider's limits for one file.

    Attributes:
        requests: Maximum number of lines, at least 1.
        size: Maximum number of bytes, at least 1.
    """

    requests: int = 50_000
    size: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """The destination of an export.

    Attributes:
        folder: The files' folder; created if missing.
        prefix: Prefix of file names, empty for the models' names alone.
    """

    folder: Path
    prefix: str = ""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Parse a path: `NAME.jsonl`, or a folder."""
        if path.suffix == ".jsonl":
            return cls(path.parent, path.stem)
        return cls(path)

    @property
    def manifest(self) -> Path:
        """The file that lists the others."""
        return self.folder / f"{self.prefix or 'batch'}.manifest.json"


@dataclass(slots=True)
class _Part:
    path: Path
    file: BinaryIO
    requests: int = 0
    size: int = 0
    usd: float | None = 0.0


class BatchFiles:
    """Writes the files of one export, one or more for each model.

    Use it as a context manager: after an error no part is left behind, and the files of
    an earlier export stay as they were.

    Args:
        place: The destination.
        specs: The models that are asked.
        limits: Size limits of a file.

    Raises:
        ConfigurationError: A file of another kind is in the way.
    """

    def __init__(self, place: Place, specs: Iterable[ModelSpec], limits: Limits) -> None:
        self._place = place
        self._limits = limits
        self._stems = _stems(place.prefix, specs)
        self._parts: dict[str, list[_Part]] = {stem: [] for stem in self._stems.values()}
        self._models = {stem: model for (_, model), stem in self._stems.items()}
        self._earlier = listed_files(place.manifest)
        for stem in self._parts:
            self._check(place.folder / f"{stem}.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for parts in self._parts.values():
            for part in parts:
                with suppress(OSError):  # a full disk takes what is left of it neither
                    part.file.close()
                part.path.unlink(missing_ok=True)

    def fits(self, line: bytes) -> bool:
        """Return whether a line is short enough for a file."""
        return len(line) <= self._limits.size

    def add(self, spec: ModelSpec, line: bytes, usd: float | None) -> None:
        """Write one line, into a new part if the last one is full.

        Args:
            spec: The model that it asks.
            line: The request, with its line end.
            usd: Maximum cost of the live call in US dollars, None if unknown.

        Raises:
            RecordError: The folder cannot be written.
        """
        try:
            part = self._part_for(self._stems[_key(spec)], len(line))
            part.file.write(line)
        except OSError as error:
            raise unwritable(self._place.folder, error) from error
        part.requests += 1
        part.size += len(line)
        part.usd = None if part.usd is None or usd is None else part.usd + usd

    def finish(self, announce: Callable[[list[BatchFile]], None]) -> None:
        """Move the parts into place and remove the files of an earlier export.

        Args:
            announce: Called with the final files just before they appear.

        Raises:
            ConfigurationError: A file of another kind is in the way.
            RecordError: The folder cannot be written.
        """
        planned = [
            (part, BatchFile(path, self._models[stem], part.requests, part.size, part.usd))
            for stem, parts in self._parts.items()
            for part, path in zip(parts, self._paths(stem), strict=True)
        ]
        for _, file in planned:
            self._check(file.path)
        try:
            announce([file for _, file in planned])
            for part, file in planned:
                part.file.close()
                part.path.replace(file.path)
            for name in self._earlier - {file.path.name for _, file in planned}:
                (self._place.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._place.folder, error) from error
        self._parts = {}

    def _part_for(self, stem: str, size: int) -> _Part:
        parts = self._parts[stem]
        if parts:
            last = parts[-1]
            if last.requests < self._limits.requests and last.size + size <= self._limits.size:
                return last
            last.file.close()
        private_folder(self._place.folder)
        # The same name each time, so that a killed export leaves nothing for good.
        path = self._place.folder / f".{stem}.{len(parts) + 1}.part"
        path.unlink(missing_ok=True)
        make_private(path)
        parts.append(_Part(path, path.open("wb")))
        return parts[-1]

    def _paths(self, stem: str) -> list[Path]:
        count = len(self._parts[stem])
        if count == 1:
            return [self._place.folder / f"{stem}.jsonl"]
        names = (f"{stem}.{number}-of-{count}.jsonl" for number in range(1, count + 1))
        return [self._place.folder / name for name in names]

    def _check(self, path: Path) -> None:
        if path.exists() and path.name not in self._earlier:
            raise ConfigurationError(
                f"{path}: exists already, and no export wrote it: choose another place with --out"
            )


def unwritable(folder: Path, error: OSError) -> RecordError:
    """Return the error for a folder that cannot be written."""
    return RecordError(
        f"{folder}: cannot be written ({error.strerror}): free some space, or choose another "
        "place with --out."
    )


def _key(spec: ModelSpec) -> tuple[str, str]:
    return spec.place, batch_model(spec) or spec.model


def _stems(prefix: str, specs: Iterable[ModelSpec]) -> dict[tuple[str, str], str]:
    """Return the stems of file names, by the model's place and name."""
    by_key = {_key(spec): spec for spec in specs}
    if prefix and len(by_key) == 1:
        return dict.fromkeys(by_key, prefix)
    found: dict[tuple[str, str], str] = {}
    for key, spec in by_key.items():
        words = (prefix, where(spec), key[1])
        found[key] = unique_name(plain_name("-".join(filter(None, words))), found.values())
    return found


def where(spec: ModelSpec) -> str:
    """Return the location of a model without secrets: host and port, server or provider."""
    return spec.place if spec.base_url is None else host_of(spec.base_url)
