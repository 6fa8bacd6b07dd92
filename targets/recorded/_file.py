"""Reads a file of recorded responses, of one model or several."""

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import lfs_pointer
from ...common.text import did_you_mean, quoted
from ...datasets import Intent, Taxonomy
from ...datasets.loaders.mappings import CategoryMap, category_map_for
from ...datasets.tables import Intents
from ._picture_folders import PictureFolders
from ._spool import NO_MODEL, ModelRows, Spool, is_split
from .readers.base import ReadOptions, Remark, Unreadable

_NAMES_SHOWN = 10
_BLANK = b" \t\r\n\xef\xbb\xbf"


class RecordedFile:
    """A file of responses in any format that `readers` supports.

    It is read once, in the order in which it lies on disk; what is needed of it is kept
    aside, so that memory does not grow with it and a later change of the file changes
    nothing. Rows that cannot be used are left out and listed.

    Args:
        path: The file.
        format: Name of its format, None to tell it from the content.
        mapping: Paths of what is needed within a row, such as
            `{"response": "output.text"}`; for JSONL, CSV and Parquet.
        intent: Of all questions, whatever the file says; None takes what it says.
        intents: What words mean harmful, and benign.
        pictures: The folder in which the pictures lie that it names; None if they lie
            as the file says.
        categories: Which scenarios its categories are: a bundled mapping's name or a file;
            None for what its format has.

    Attributes:
        path: The file.
        said_categories: `categories`, as it was given.
        sha256: Its hash.
        pictures: Finds its pictures.
        remarks: What a user must know of the file as a whole, a sentence each, without the
            file's name and the full stop.
        models: The models that its rows name, in its order; an empty name stands for rows
            that name none.

    Raises:
        ConfigurationError: The file cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        format: str | None = None,
        mapping: Mapping[str, str] | None = None,
        intent: Intent | None = None,
        intents: Intents | None = None,
        pictures: Path | None = None,
        categories: str | Path | None = None,
    ) -> None:
        self.path = path
        self.said_categories = categories
        self._spool = Spool()
        remarks: list[str] = []
        options = ReadOptions(mapping or {}, intents or Intents())
        if intent is not None:
            options = replace(options, intents=Intents(always=intent))
        try:
            self.sha256 = _hash(path)
            from .readers.formats import find_reader  # all formats, each its module

            self._reader = find_reader(path, format, options.mapping)
            self.pictures = PictureFolders(self._folders(), pictures)
            for row in self._reader.rows(path, options):
                if isinstance(row, Remark):
                    remarks.append(row.text)
                elif isinstance(row, Unreadable):
                    self._spool.leave_out(row.place, row.why, row.unread, row.model)
                else:
                    self._spool.add(row if intent is None else replace(row, intent=intent))
            unchanged = self.sha256 == _hash(path)
        except OSError as error:
            raise ConfigurationError(
                f"{path}: cannot be read ({error.strerror}): check the target's `responses:`"
            ) from None
        if not unchanged:
            raise ConfigurationError(f"{path}: changed while it was read: try again")
        self.remarks = tuple(remarks)
        self.models = tuple(self._spool.settle())

    @property
    def read_as(self) -> str:
        """The title of the file's format."""
        return self._reader.title

    def categories(self, taxonomy: Taxonomy) -> CategoryMap:
        """Return the category map for the file.

        Args:
            taxonomy: The scenarios that can be named.

        Raises:
            ConfigurationError: The map that was given cannot be used.
        """
        default = self._reader.categories
        return category_map_for(self.said_categories, default, taxonomy, names=default is not None)

    @property
    def is_mapped(self) -> bool:
        """Whether the format supports a column mapping, such as for labels."""
        return self._reader.maps

    @property
    def uneven(self) -> bool:
        """Whether queries may have different numbers of epochs."""
        return self._reader.uneven

    @property
    def is_split(self) -> bool:
        """Whether it holds responses of several models."""
        return is_split(self.models)

    def rows_of(self, model: str | None) -> ModelRows:
        """Return the rows of a model.

        Args:
            model: Its name, as the file has it; empty for rows without one. None means all
                rows, of a file that is of one model.

        Raises:
            ConfigurationError: The file names no such model, or several and none is asked for.
        """
        if model is None and self.is_split:
            raise ConfigurationError(
                f"{self.path}: has responses of several models: name one of them: {self._listed()}"
            )
        if model is not None and model not in self.models:
            hint = did_you_mean(model, self.models) or ""
            raise ConfigurationError(
                f"{self.path}: has no responses of the model {quoted(model)}{hint}; it has "
                f"{self._listed()}"
            )
        if model is None or not self.is_split:
            return ModelRows(self._spool, NO_MODEL, first=True)
        return ModelRows(self._spool, model, first=model == self.models[0])

    def _folders(self) -> tuple[Path, ...]:
        own = self.path.resolve().parent
        return (own, *islice(own.parents, self._reader.folders_up))

    def _listed(self) -> str:
        named = [quoted(name) for name in self.models if name != NO_MODEL]
        more = f" and {len(named) - _NAMES_SHOWN} more" if len(named) > _NAMES_SHOWN else ""
        return (", ".join(named[:_NAMES_SHOWN]) or "responses that name no model") + more


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        ConfigurationError: It is empty, not the file itself, or can be read only once.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe may block forever
        raise ConfigurationError(f"{path}: cannot be read twice: save it as a file first")
    with path.open("rb") as file:
        head = file.read(4096)
        if not head.strip(_BLANK):
            raise ConfigurationError(f"{path}: has no responses")
        if why := lfs_pointer(head):
            raise ConfigurationError(f"{path}: {why}")
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()
