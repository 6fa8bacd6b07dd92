"""The numbered files of the paper's own set: one for each row of a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NumberedFiles:
    """Folders `k/` of files that are numbered as the rows of table `k` are.

    Attributes:
        folder: Where those folders lie.
        suffix: Of the files, such as `.png`.
        first: The number of the first row's file.
        is_certain: Whether more than one folder tells from which number they count.
    """

    folder: Path
    suffix: str
    first: int
    is_certain: bool

    @classmethod
    def found(cls, folder: Path, suffix: str, tables: Iterable[int]) -> "NumberedFiles":
        """Look whether the files count from 0, which one table tells for all.

        Args:
            folder: Where the folders of the tables lie.
            suffix: Of the files.
            tables: The numbers of the tables.
        """
        held = [folder / str(table) for table in tables if (folder / str(table)).is_dir()]
        from_0 = any((place / f"0{suffix}").exists() for place in held)
        return cls(folder, suffix, 0 if from_0 else 1, from_0 or len(held) > 1)

    def of(self, table: int, row: int) -> Path:
        """Return the file of a row, which counts from 1."""
        return self.folder / str(table) / f"{row - 1 + self.first}{self.suffix}"

    def misfit(self, table: int, rows: int) -> str | None:
        """Return why a table's files are not those of its rows, None if they are.

        Args:
            table: The table's number.
            rows: How many rows it has.
        """
        last = max(self._numbers(table), default=None)
        wanted = rows - 1 + self.first
        if last is None or last == wanted or (last < wanted and self.is_certain):
            return None  # a file that is missing is told with its row
        return (
            f"cannot be paired: {self.folder.name}/{table}/ ends with {last}{self.suffix}, but "
            f"the last of {rows:,} rows needs {wanted}{self.suffix}: complete the folder, or mend "
            "the table"
        )

    def _numbers(self, table: int) -> Iterator[int]:
        for file in (self.folder / str(table)).glob(f"*{self.suffix}"):
            if file.stem.isascii() and file.stem.isdecimal():
                yield int(file.stem)
