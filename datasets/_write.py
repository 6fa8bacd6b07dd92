"""Writing query files that `load_dataset` reads back."""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from ._atomic import replacing
from ._errors import DatasetError
from ._query import Media, Query

_SUFFIXES = {
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
}


def write_jsonl(path: str | Path, queries: Iterable[Query], *, private: bool = False) -> None:
    """Write queries to a file, and their media beside it.

    Media inside the file's folder stay where they are; others are copied into
    `media/` there, once each. The file appears when it is complete, so it may
    be the one that the queries are being read from.

    Args:
        path: The file; its folder is made if it is missing.
        queries: Read once, one at a time.
        private: Whether what is written is for its owner alone: files of mode 600,
            new folders of mode 700.

    Raises:
        DatasetError: The file or a medium cannot be read or written.
    """
    path = Path(path)
    encoder = msgspec.json.Encoder()
    try:
        folder = path.parent.resolve()
        _make_folder(folder, private)
        with _replacing(path, private) as file:
            for query in queries:
                file.write(encoder.encode(_line(query, folder, private)) + b"\n")
    except OSError as error:
        where = error.filename or path
        raise DatasetError(f"{path}: cannot be written ({where}: {error.strerror})") from error


def _line(query: Query, folder: Path, private: bool) -> dict[str, str | list[str] | None]:
    images = [_place(image, folder, private) for image in query.images]
    pictures: dict[str, str | list[str] | None] = (
        {"images": images} if len(images) > 1 else {"image": images[0] if images else None}
    )
    return {
        "id": query.id,
        "scenario": query.scenario,
        "text": query.text,
        "intent": query.intent.value,
        **pictures,
        "audio": None if query.audio is None else _place(query.audio, folder, private),
        "source": query.source,
    }


def _place(media: Media, folder: Path, private: bool) -> str:
    """Return a medium's path relative to the folder, after copying it there if need be."""
    path = Path(media.path).resolve()
    if not path.is_relative_to(folder):
        content = media.read()
        path = folder / "media" / f"{media.sha256}{_SUFFIXES.get(media.media_type, '')}"
        if not path.exists():
            _make_folder(path.parent, private)
            with _replacing(path, private) as file:
                file.write(content)
    return path.relative_to(folder).as_posix()


def _make_folder(path: Path, private: bool) -> None:
    if not path.exists():
        path.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)


@contextmanager
def _replacing(path: Path, private: bool) -> Generator[BinaryIO]:
    with replacing(path) as file:
        if private:
            os.chmod(file.name, 0o600)
        yield file
