"""Writes query files that `load_dataset` reads back."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ...common import DatasetError
from ...common.files import atomic_write, private_folder
from ...common.text import MAX_LINE_BYTES, quoted
from ..media import SUFFIXES, is_temporary
from ..query import NAIVE, Media, MediaKind, Query
from ..taxonomy import TAXONOMY_NAME, Taxonomy
from ._line_messages import written
from ._relative import check_relative

_encoder = msgspec.json.Encoder()


def write_jsonl(path: str | Path, queries: Iterable[Query], *, private: bool = False) -> int:
    """Write queries to a file, with their media and taxonomy beside it.

    Media inside the file's folder stay where they are; others, and those that a set of
    another format holds within its tables, are copied into `media/` there, once each. The
    file appears when it is complete, so it may be the one that the queries are being read
    from.

    Args:
        path: The file; its folder is made if it is missing.
        queries: Read once, one at a time. A `Dataset` or a `LoadedSet` brings its taxonomy
            along: a `taxonomy.yaml` of its own is copied. Scenarios of queries from elsewhere
            are those of the folder, or the bundled ones.
        private: Whether only the owner may read what is written: files of mode 600,
            new folders of mode 700.

    Returns:
        The number of queries written.

    Raises:
        DatasetError: The file or a medium cannot be read or written, a medium changed since it
            was checked, a query is too long to be read back, or the folder has scenarios of
            its own that are not those of the set.
    """
    path, count = Path(path), 0
    try:
        folder = path.parent.resolve()
        own = _own_taxonomy(getattr(queries, "taxonomy", None), folder / TAXONOMY_NAME, path)
        _make_folder(folder, private)
        with atomic_write(path, private=private) as file:
            copies = _Copies(folder, private)
            for query in queries:
                file.write(_line(query, copies))
                count += 1
            if own is not None:
                with atomic_write(folder / TAXONOMY_NAME, private=private) as beside:
                    beside.write(own)
    except OSError as error:
        where = error.filename or path
        raise DatasetError(f"{path}: cannot be written ({where}: {error.strerror})") from error
    return count


def _own_taxonomy(taxonomy: object, beside: Path, path: Path) -> bytes | None:
    """Return the custom taxonomy to write beside a dataset, unless it is already there."""
    if not isinstance(taxonomy, Taxonomy):
        return None
    own = None if taxonomy.path is None else taxonomy.path.read_bytes()
    if not beside.exists():
        return own
    if own != beside.read_bytes():
        # By these the set's scenarios would mean something else, or nothing.
        raise DatasetError(
            f"{path}: {quoted(str(beside))} says what scenarios its folder has: name another folder"
        )
    return None


def _line(query: Query, copies: "_Copies") -> bytes:
    request = query.underlying_request
    line = _encoder.encode(
        {
            "id": query.id,
            "scenario": query.scenario,
            **_asked(query, copies),
            "source": query.source,
            **({} if request is None else {"underlying_request": request}),
            **({"intent_assumed": True} if query.intent_assumed else {}),
            **({"labels": query.labels} if query.labels else {}),
        }
    )
    if len(line) >= MAX_LINE_BYTES:
        limit = MAX_LINE_BYTES // (1024 * 1024)
        raise DatasetError(
            f"the query {quoted(query.id)} would be a line of more than {limit} MiB, which is "
            "not read back: leave it out of the set"
        )
    return line + b"\n"


def _asked(query: Query, copies: "_Copies") -> dict[str, object]:
    intent = {"intent": query.intent.value}
    if query.messages:
        return {**intent, "messages": written(query.messages, copies.place)}
    images = [copies.place(image, "image") for image in query.images]
    pictures: dict[str, object] = (
        {"images": images} if len(images) > 1 else {"image": images[0] if images else None}
    )
    audio = None if query.audio is None else copies.place(query.audio, "audio")
    voices = {
        name: copies.place(spoken, "audio")
        for name, spoken in query.others.items()
        if name != NAIVE
    }
    first = query.others.get(NAIVE)
    return {
        "text": query.text,
        **intent,
        **pictures,
        "audio": audio,
        **({"voices": voices} if voices else {}),
        **({} if first is None else {"naive": copies.place(first, "image")}),
    }


class _Copies:
    """Copies media into a folder if needed, and returns their relative paths."""

    def __init__(self, folder: Path, private: bool) -> None:
        self._folder = folder
        self._private = private
        self._copied: set[str] = set()

    def place(self, media: Media, kind: MediaKind) -> str:
        """Return the relative path of a media file, copied into the folder if needed.

        Raises:
            DatasetError: The file changed since it was checked.
            OSError: It cannot be read or written.
        """
        path = Path(media.path).resolve()
        if path.is_relative_to(self._folder) and not is_temporary(path):
            relative = path.relative_to(self._folder).as_posix()
            if _may_stand(relative, kind):
                return relative
        name = f"media/{media.sha256}{SUFFIXES.get(media.media_type, '')}"
        if name not in self._copied:
            self._copy(media, self._folder / name)
            self._copied.add(name)
        return name

    def _copy(self, media: Media, path: Path) -> None:
        content = media.read()
        if not media.matches(content):
            raise DatasetError(f"{media.path}: changed since it was checked; load the set again")
        if path.exists() and media.matches(path.read_bytes()):
            return
        _make_folder(path.parent, self._private)
        with atomic_write(path, private=self._private) as file:
            file.write(content)


def _may_stand(relative: str, kind: MediaKind) -> bool:
    try:
        check_relative(relative, kind)
    except DatasetError:
        return False
    return True


def _make_folder(path: Path, private: bool) -> None:
    if private:
        private_folder(path)
    else:
        path.mkdir(parents=True, exist_ok=True)
