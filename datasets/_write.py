"""Writing query files that `load_dataset` reads back."""

from collections.abc import Iterable
from pathlib import Path

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


def write_jsonl(path: str | Path, queries: Iterable[Query]) -> None:
    """Write queries to a file, and their media beside it.

    Media inside the file's folder stay where they are; others are copied into
    `media/` there, once each. The file appears when it is complete, so it may
    be the one that the queries are being read from.

    Raises:
        DatasetError: The file or a medium cannot be read or written.
    """
    path = Path(path)
    encoder = msgspec.json.Encoder()
    try:
        folder = path.parent.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            for query in queries:
                file.write(encoder.encode(_line(query, folder)) + b"\n")
    except OSError as error:
        where = error.filename or path
        raise DatasetError(f"{path}: cannot be written ({where}: {error.strerror})") from error


def _line(query: Query, folder: Path) -> dict[str, str | list[str] | None]:
    images = [_place(image, folder) for image in query.images]
    pictures: dict[str, str | list[str] | None] = (
        {"images": images} if len(images) > 1 else {"image": images[0] if images else None}
    )
    return {
        "id": query.id,
        "scenario": query.scenario,
        "text": query.text,
        "intent": query.intent.value,
        **pictures,
        "audio": None if query.audio is None else _place(query.audio, folder),
        "source": query.source,
    }


def _place(media: Media, folder: Path) -> str:
    """Return a medium's path relative to the folder, after copying it there if need be."""
    path = Path(media.path).resolve()
    if not path.is_relative_to(folder):
        content = media.read()
        path = folder / "media" / f"{media.sha256}{_SUFFIXES.get(media.media_type, '')}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as file:
                file.write(content)
    return path.relative_to(folder).as_posix()
