"""Batch files: JSON lines in parts that a provider takes, which appear whole or not at all."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from ...common import ConfigurationError, RecordError
from ...common.files import make_private, private_folder
from ...common.text import free_name, plain_name
from ...models import ModelSpec
from ..record import host_of
from ._batch import batch_model
from ._manifest import BatchFile, listed_files


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes in one file.

    Attributes:
        requests: Most lines, at least 1.
        size: Most bytes, at least 1.
    """

    requests: int = 50_000
    size: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes.

    Attributes:
        folder: The files' folder; made if it is not there.
        prefix: What their names begin with, empty for the models' names alone.
    """

    folder: Path
    prefix: str = ""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the place that a path names: `NAME.jsonl`, or a folder."""
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
    """The files of one export, one or more for each model.

    Use it as a context manager: leaving it by an error leaves no part behind, and
    files of an earlier export stay as they were.

    Args:
        place: Where they go.
        specs: The models that are asked.
        limits: What one file may hold.

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
        """Return whether a file may hold so long a line."""
        return len(line) <= self._limits.size

    def add(self, spec: ModelSpec, line: bytes, usd: float | None) -> None:
        """Write one line, in a new part where the last one is full.

        Args:
            spec: The model that it asks.
            line: The request, with its line end.
            usd: US dollars that a live call would cost at most.

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
        """Put the parts in their places and remove those of an earlier export.

        Args:
            announce: Is told which files there will be, just before they appear.

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
                f"{path}: is there already, and no export wrote it: name another place with --out"
            )


def unwritable(folder: Path, error: OSError) -> RecordError:
    """Return the error of a folder that cannot be written."""
    return RecordError(
        f"{folder}: cannot be written ({error.strerror}): free some space, or name another "
        "place with --out."
    )


def _key(spec: ModelSpec) -> tuple[str, str]:
    return spec.place, batch_model(spec) or spec.model


def _stems(prefix: str, specs: Iterable[ModelSpec]) -> dict[tuple[str, str], str]:
    """Return what file names begin with, by a model's place and name."""
    by_key = {_key(spec): spec for spec in specs}
    if prefix and len(by_key) == 1:
        return dict.fromkeys(by_key, prefix)
    found: dict[tuple[str, str], str] = {}
    for key, spec in by_key.items():
        words = (prefix, where(spec), key[1])
        found[key] = free_name(plain_name("-".join(filter(None, words))), found.values())
    return found


def where(spec: ModelSpec) -> str:
    """Return where a model is, without secrets: host and port, server or provider."""
    return spec.place if spec.base_url is None else host_of(spec.base_url)
