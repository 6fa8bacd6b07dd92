"""The file of labels that reviewers write, one line a label, several of them at once."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from ....agents import Finding
from ....common import ConfigurationError, RecordError
from ....common.files import append_line, atomic_write, write_error
from ....common.text import quoted

Row = dict[str, Any]
_PATIENCE_S = 30.0
_FINDINGS = frozenset(map(str, Finding))


class LabelFile:
    """Labels as JSONL, readable by their owner only.

    A label is on the disk when `put` returns. Each change is made under a lock, so that several
    people can label at once; what is there is never cut or half replaced.

    Args:
        path: The file; it is made with the first label.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        beside = path.with_name(f".{path.name}.lock")
        self._lock = FileLock(beside, timeout=_PATIENCE_S, mode=0o600)

    def rows(self) -> list[Row]:
        """Return all labels, in the order in which they were given.

        Raises:
            ConfigurationError: The file cannot be read, or a line of it is no label.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be read ({error.strerror})") from None
        return [self._row(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def put(self, row: Row) -> None:
        """Add a label; one that the same person gave the same case before is replaced.

        Raises:
            ConfigurationError: The file cannot be read or written; it is as it was.
        """
        with self.locked():
            rows = self.rows()
            others = [other for other in rows if not _is_same(other, row)]
            if len(others) < len(rows):
                self._replace([*others, row])
            else:
                self._append(row)

    def add(self, new: Sequence[Row]) -> None:
        """Add labels, all or none of them.

        Raises:
            ConfigurationError: One of them differs from what the same person said of the case
                before, or the file cannot be read or written; it is as it was.
        """
        with self.locked():
            rows = self.rows()
            known = {(row["case"], row.get("annotator", "")): row["label"] for row in rows}
            added = list[Row]()
            for row in new:
                before = known.setdefault(key := (row["case"], row["annotator"]), row["label"])
                if before != row["label"]:
                    raise ConfigurationError(
                        f"{quoted(key[1])} labels {quoted(key[0])} as {row['label']}, and as "
                        f"{before} before (in {self.path}): keep one of the two"
                    )
                added += [] if any(_is_same(row, old) for old in rows) else [row]
            if added:
                self._replace([*rows, *added])

    def take_back(self, case: str, annotator: str) -> Row | None:
        """Remove the label that a person gave a case, and return its row; None if there is none.

        Raises:
            ConfigurationError: The file cannot be read or written; it is as it was.
        """
        given = {"case": case, "annotator": annotator}
        with self.locked():
            rows = self.rows()
            removed = [row for row in rows if _is_same(row, given)]
            if not removed:
                return None
            self._replace([row for row in rows if not _is_same(row, given)])
        return removed[-1]

    def change(self, changed: Callable[[Row], Row]) -> None:
        """Change rows, those of all people; the file is left alone if they stay the same.

        The caller holds the lock.
        """
        rows = self.rows()
        new = [changed(row) for row in rows]
        if new != rows:
            self._replace(new)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep others from writing; it may be taken again within itself.

        Raises:
            RecordError: It cannot be locked.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise RecordError(
                f"{self.path}: another process has been writing to it for {_PATIENCE_S:.0f} s: "
                "wait for it to end"
            ) from None
        except OSError as error:
            raise write_error(self.path, error) from None
        try:
            yield
        finally:
            self._lock.release()

    def _row(self, number: int, line: bytes) -> Row:
        where = f"{self.path}, line {number}"
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise ConfigurationError(
                f"{where}: not a label in JSON: mend or remove this line, or name another file "
                "with --labels"
            ) from None
        if not isinstance(row.get("case"), str) or row.get("label") not in _FINDINGS:
            raise ConfigurationError(
                f"{where}: not a row of a review (a case, and a label that is unsafe or safe): "
                "mend or remove this line, or name another file with --labels"
            )
        if not isinstance(row.get("annotator", ""), str):
            raise ConfigurationError(f"{where}: the annotator must be text")
        return row

    def _append(self, row: Row) -> None:
        try:
            append_line(self.path, msgspec.json.encode(row))
        except OSError as error:
            raise write_error(self.path, error) from None

    def _replace(self, rows: Sequence[Row]) -> None:
        try:
            with atomic_write(self.path, private=True) as file:
                file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise write_error(self.path, error) from None


def checked_name(name: str) -> str:
    """Return the name of an annotator, without space around it.

    Raises:
        ConfigurationError: It is empty, too long, or has characters that cannot be shown.
    """
    plain = name.strip()
    if not plain or len(plain) > 64 or not plain.isprintable():
        raise ConfigurationError(
            f"--annotator {quoted(name)}: give a name of 1 to 64 characters, such as anna"
        )
    return plain


def _is_same(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return row["case"] == other["case"] and row.get("annotator", "") == other["annotator"]
