"""Loads a dataset of another project: reads it once, checks it, then streams queries."""

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import msgspec

from ...common import DatasetError
from ...common.files import HEAD_BYTES, not_ready, private_database
from ...common.text import did_you_mean, encodable, quoted
from ..media import temporary_folder
from ..query import (
    NAIVE,
    Media,
    MediaKind,
    Query,
    assumed_note,
    check_messages,
    content_of,
    of_messages,
    read_parts,
    tidy_labels,
)
from ..taxonomy import Taxonomy, load_taxonomy, taxonomy_beside
from ._registry import BY_NAME, loader_named
from .base import (
    Loader,
    LoaderOptions,
    MissingFileError,
    NoRoomError,
    Row,
    SetFiles,
    Unusable,
    naming_file,
    place_of,
    reason,
)
from .mappings import category_map_for

_SCHEMA = """
CREATE TABLE queries (number INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB);
CREATE TABLE left_out (place TEXT, why TEXT, missing INTEGER);
"""
_SHOWN = 5
_SAY_INTENT = (
    "set one for all (--set intent=benign, or `settings:` in a config), or name the column that "
    "says it (--map intent=COLUMN)"
)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Query)


class LoadedSet:
    """The queries of a dataset of another project, in any supported format.

    The set is read once; what is needed of it is kept in a private temporary file, so
    that memory does not grow with it and a later change of its tables changes nothing.
    Items that cannot be used, or whose picture or sound is missing, are left out and
    listed.

    Args:
        loader: The loader that reads it.
        path: The local path of the dataset.
        options: The user's options.
        strict: Raise an error instead of skipping an invalid item.
        limit: Maximum number of items to read, at least 1; None reads all.

    Attributes:
        name: The loader's name.
        path: The path of the dataset.
        loader: The loader that read it.
        sha256: Hash of all queries and the bytes of their media; see `Dataset.sha256`.
        notes: Warnings for the user, one sentence each.
        notes_on_categories: Warnings about categories without a scenario.
        taxonomy: The scenarios that its queries name.

    Raises:
        DatasetError: The path holds no such set, no item of it can be used, or `strict`
            finds something to leave out.
    """

    def __init__(
        self,
        loader: Loader,
        path: Path,
        options: LoaderOptions,
        *,
        strict: bool = False,
        limit: int | None = None,
    ) -> None:
        self.name = loader.name
        self.path = path
        self.loader = loader
        self.taxonomy = _taxonomy_of(loader, path)
        self._database = private_database(self, _SCHEMA)
        kept = temporary_folder(self)
        self._files = SetFiles(_folder_of(loader, path, kept), kept)
        self._categories = category_map_for(options.categories, loader.name, self.taxonomy)
        self._assumed = 0
        self.sha256 = self._take(islice(loader.rows(path, options), limit))
        self.notes_on_categories = tuple(self._categories.notes())
        assumed = assumed_note(self._assumed, _SAY_INTENT)
        self.notes = (*self.notes_on_categories, *self._left_out_notes(), *assumed)
        self._refuse(strict)

    def __len__(self) -> int:
        """Return the number of queries."""
        return self._number("SELECT count(*) FROM queries")

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries in the dataset's order."""
        for (body,) in self._execute("SELECT body FROM queries ORDER BY number"):
            yield _decoder.decode(body)

    def __repr__(self) -> str:
        return f"LoadedSet({self.name!r}, {len(self)} queries)"

    @property
    def unusable(self) -> int:
        """The number of items skipped because they are invalid."""
        return self._number("SELECT count(*) FROM left_out WHERE NOT missing")

    @property
    def missing(self) -> int:
        """The number of items skipped because a picture or an audio file is missing."""
        return self._number("SELECT count(*) FROM left_out WHERE missing")

    def left_out(self, limit: int = -1) -> Iterator[Unusable]:
        """Yield at most `limit` skipped items, in the dataset's order."""
        for place, why in self._execute(
            "SELECT place, why FROM left_out ORDER BY rowid LIMIT ?", (limit,)
        ):
            yield Unusable(place, why)

    def _take(self, rows: Iterable[Row | Unusable]) -> str:
        digest = hashlib.sha256()
        with naming_file(self.path):
            for row in rows:
                if isinstance(row, Unusable):
                    self._leave_out(row.where, row.why)
                    continue
                try:
                    query = self._query(row)
                    self._keep(query)
                except NoRoomError:
                    raise
                except DatasetError as error:
                    self._leave_out(
                        row.where or row.id,
                        str(error),
                        missing=isinstance(error, MissingFileError),
                    )
                    continue
                self._categories.count(row.category)
                self._assumed += query.intent_assumed
                digest.update(_encoder.encode(content_of(query)) + b"\n")
        return digest.hexdigest()

    def _query(self, row: Row) -> Query:
        if not row.id or row.id != row.id.strip() or not row.id.isprintable():
            raise DatasetError(
                f"its id {quoted(row.id)} must be printable text without space around it"
            )
        if not row.text.strip() and not row.messages:
            raise DatasetError("has no text")
        query = Query(
            row.id,
            self._categories.scenario(row.category),
            row.text,
            row.intent,
            images=tuple(self._files.media(image, "image") for image in row.images),
            audio=self._sound(row),
            source=row.source or self._source(),
            underlying_request=_request(row),
            intent_assumed=row.intent_assumed,
            labels=tidy_labels(row.labels.items()),
            variants=self._variants(row),
        )
        if not row.messages:
            return query
        check_messages(row.messages)
        return of_messages(query, read_parts(row.messages, self._within))

    def _within(self, place: str, kind: MediaKind) -> Media:
        return self._files.media(place_of(place, Path(), kind), kind)

    def _source(self) -> str | None:
        """Return the source to record for a query: the dataset's name, or the table's file name."""
        if self.loader.home:
            return self.loader.name
        return encodable(self.path.name) if self.loader.name in BY_NAME else None

    def _sound(self, row: Row) -> Media | None:
        return None if row.audio is None else self._files.media(row.audio, "audio")

    def _variants(self, row: Row) -> dict[str, Media] | None:
        found = {
            name: self._files.media(path, "image" if name == NAIVE else "audio")
            for name, path in row.variants.items()
        }
        return found or None

    def _keep(self, query: Query) -> None:
        try:
            body = _encoder.encode(query)
        except UnicodeEncodeError:
            raise DatasetError("has half of a surrogate pair, which is not valid text") from None
        added = self._execute(
            "INSERT OR IGNORE INTO queries (id, body) VALUES (?, ?)", (query.id, body)
        )
        if not added.rowcount:
            raise DatasetError(f"its id {quoted(query.id)} is taken by an earlier item")

    def _leave_out(self, place: str, why: str, *, missing: bool = False) -> None:
        self._execute(
            "INSERT INTO left_out VALUES (?, ?, ?)", (encodable(place), encodable(why), missing)
        )

    def _left_out_notes(self) -> list[str]:
        count = self.unusable + self.missing
        if not count:
            return []
        shown = "; ".join(map(str, self.left_out(_SHOWN)))
        items = "1 item is" if count == 1 else f"{count:,} items are"
        part = f", {self.missing:,} of them" if self.missing < count else ""
        why = f"{part} for a missing picture or sound" if self.missing else ""
        return [f"{items} left out{why}: {shown}{'; …' if count > _SHOWN else ''}"]

    def _refuse(self, strict: bool) -> None:
        first = next(self.left_out(1), None)
        if strict and first is not None:
            count = self.unusable + self.missing
            more = f", and {count - 1:,} more" if count > 1 else ""
            raise DatasetError(
                f"{self.path}: strict mode skips nothing: {first}{more}: fix the set, "
                "or read it without strict"
            )
        if not len(self):
            why = f": {first}" if first is not None else ""
            needs = f"; {self.name} needs {self.loader.needs}" if self.missing else ""
            what = "nothing that can be used" if first is not None else "no items"
            raise DatasetError(f"{self.path}: holds {what}{why}{needs}")

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise NoRoomError(error) from error

    def _number(self, statement: str) -> int:
        return self._execute(statement).fetchone()[0]


def _request(row: Row) -> str | None:
    """Return an item's request, None if its text already says it."""
    said = (row.underlying_request or "").strip()
    return said if said and said != row.text.strip() else None


def load_set(
    loader: str | Loader,
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    categories: str | Path | None = None,
    strict: bool = False,
    limit: int | None = None,
) -> LoadedSet:
    """Load a dataset of another project from a local path.

    Args:
        loader: Its format, or that format's name, such as `mm-safetybench`.
        path: Where it is; see `Loader.needs`.
        mapping: The columns of a plain table by field, such as `{"text": "prompt"}`.
        settings: The loader's own settings, such as `{"split": "test"}`.
        categories: The map from the dataset's categories to scenarios: a YAML or CSV file, or the
            name of a loader whose map to use; see `docs/datasets.md`.
        strict: Raise an error instead of skipping an invalid item.
        limit: Maximum number of items to read, at least 1.

    Raises:
        DatasetError: The loader, setting or dataset does not exist, or no item is valid.
    """
    reader = loader_named(loader) if isinstance(loader, str) else loader
    options = LoaderOptions(dict(mapping or {}), dict(settings or {}), categories)
    _check(reader, options)
    with naming_file(path):
        return LoadedSet(reader, _place(reader, path), options, strict=strict, limit=limit)


def _place(loader: Loader, path: str | Path) -> Path:
    if loader.name in BY_NAME:
        return Path(path)
    try:
        place = Path(path).expanduser().absolute()
        mode = place.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(place).close()  # a search for files in one takes no for an answer
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: there is no such path; {loader.name} needs {loader.needs}"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{quoted(str(path))}: cannot be read: {reason(error)}") from error
    if why := _no_table(place, mode) if loader.maps else None:
        raise DatasetError(f"{path}: {why}")
    return place


def _no_table(path: Path, mode: int) -> str | None:
    """Return why a path is not a plain table, None if it may be one."""
    if stat.S_ISDIR(mode):
        return "is a folder: name the file in it"
    if not stat.S_ISREG(mode):  # opening a pipe may block, or never end
        return "cannot be read twice: save it as a file first"
    with path.open("rb") as file:
        return not_ready(file.read(HEAD_BYTES))


def _check(loader: Loader, options: LoaderOptions) -> None:
    for name in options.settings:
        if name not in loader.settings:
            known = ", ".join(loader.settings)
            hint = did_you_mean(name, loader.settings) or (
                f"; known are {known}" if known else "; it takes none"
            )
            raise DatasetError(f"{loader.name} has no setting {quoted(name)}{hint}")
    if options.mapping and not loader.maps:
        raise DatasetError(
            f"{loader.name} has fixed columns: leave the column mapping out, or "
            "read the file as jsonl, csv or parquet"
        )


def _folder_of(loader: Loader, path: Path, kept: Path) -> Path:
    """Return the folder of the dataset's media."""
    if loader.name in BY_NAME:
        return kept
    return path if path.is_dir() else path.parent


def _taxonomy_of(loader: Loader, path: Path) -> Taxonomy:
    return taxonomy_beside(path) if loader.maps and path.is_file() else load_taxonomy()
