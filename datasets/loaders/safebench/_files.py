"""Finds the numbered media files of SafeBench, one for each row of a table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NumberedFiles:
    """Folders `k/` whose files are numbered like the rows of table `k`.

    Attributes:
        folder: Where those folders lie.
        suffix: Of the files, such as `.png`.
        first: The number of the first row's file.
    """

    folder: Path
    suffix: str
    first: int

    @classmethod
    def found(cls, folder: Path, suffix: str, tables: Iterable[int]) -> "NumberedFiles":
        """Detect whether files are numbered from 0; one table decides for all.

        Args:
            folder: Where the folders of the tables lie.
            suffix: Of the files.
            tables: The numbers of the tables.
        """
        from_0 = any((folder / str(table) / f"0{suffix}").exists() for table in tables)
        return cls(folder, suffix, 0 if from_0 else 1)

    def of(self, table: int, row: int) -> Path:
        """Return the file of a row; rows count from 1."""
        return self.folder / str(table) / f"{row - 1 + self.first}{self.suffix}"

    def is_certain(self, rows: Mapping[int, int]) -> bool:
        """Return whether the first number of the files is known.

        It is not where they seem to count from 1 and no folder ends with its last row's
        file: then all may have lost their `0`.

        Args:
            rows: How many rows each table has.
        """
        return self.first == 0 or any(
            max(self._numbers(table), default=None) == count for table, count in rows.items()
        )

    def misfit(self, table: int, rows: int, *, certain: bool) -> str | None:
        """Return why a table's files do not match its rows, None if they do.

        Args:
            table: The table's number.
            rows: How many rows it has.
            certain: Whether it is known from which number the files count.
        """
        last = max(self._numbers(table), default=None)
        wanted = rows - 1 + self.first
        if last is None or last == wanted or (last < wanted and certain):
            return None  # a missing file is reported with its row
        return (
            f"cannot be paired: {self.folder.name}/{table}/ ends with {last}{self.suffix}, but "
            f"the last of {rows:,} rows needs {wanted}{self.suffix}: complete the folder, or fix "
            "the table"
        )

    def _numbers(self, table: int) -> Iterator[int]:
        for file in (self.folder / str(table)).glob(f"*{self.suffix}"):
            if file.stem.isascii() and file.stem.isdecimal():
                yield int(file.stem)
