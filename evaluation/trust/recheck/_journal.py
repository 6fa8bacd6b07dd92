"""Keeps the ballots of a check under way, so that one that was stopped goes on."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from filelock import FileLock, Timeout

from ....common import RecordError
from ....common.files import atomic_write, open_regular, write_error
from ._sample import Said

T = TypeVar("T")
JOURNAL = "under-way.jsonl"
_LOCK = "check.lock"


class _About(msgspec.Struct, frozen=True):
    """The first line: what the ballots are of."""

    sample: str
    jury: str


class _Line(msgspec.Struct, frozen=True):
    case: str
    juror: str
    hearing: int
    said: Said


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Keep a second check of the same card from starting: both would pay for the same ballots.

    Raises:
        RecordError: One is under way.
        ConfigurationError: Nothing can be written there.
    """
    lock = FileLock(folder / _LOCK, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise RecordError(
            f"{folder}: another check of this card is under way: wait for it to end"
        ) from None
    except OSError as error:
        raise write_error(folder / _LOCK, error) from None
    try:
        yield
    finally:
        lock.release()


class BallotJournal:
    """The ballots of one check; those of another jury or sample are dropped.

    A line that was cut off by a crash is left out, and its ballot is asked for again.

    Args:
        folder: The sample's.
        sample: Hash of the sample.
        jury: Hash of the jury.

    Attributes:
        kept: Ballots by hearing (0 and 1), then by case and juror.
    """

    def __init__(self, folder: Path, sample: str, jury: str) -> None:
        self._path = folder / JOURNAL
        about = _About(sample, jury)
        self.kept: tuple[dict[tuple[str, str], Said], ...] = ({}, {})
        lines = [*_lines(self._path)]
        if lines and _decoded(lines[0], _About) == about:
            for line in lines[1:]:
                one = _decoded(line, _Line)
                if one is not None and not one.said.is_lost and one.hearing in (0, 1):
                    self.kept[one.hearing][one.case, one.juror] = one.said
        try:
            data = [msgspec.json.encode(about), *map(msgspec.json.encode, self._all())]
            with atomic_write(self._path, private=True) as file:  # else a full disk empties it
                file.write(b"".join(line + b"\n" for line in data))
        except OSError as error:
            raise write_error(self._path, error) from None

    def _all(self) -> Iterator[_Line]:
        for hearing, ballots in enumerate(self.kept):
            for (case, juror), said in ballots.items():
                yield _Line(case, juror, hearing, said)

    def keep(self, hearing: int, case: str, juror: str, said: Said) -> None:
        """Keep a ballot.

        Raises:
            ConfigurationError: It cannot be written.
        """
        self.kept[hearing][case, juror] = said
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(_Line(case, juror, hearing, said)) + b"\n")
        except OSError as error:
            raise write_error(self._path, error) from None

    def count(self) -> int:
        """Count the ballots that are kept."""
        return sum(map(len, self.kept))

    def end(self) -> None:
        """Remove the file: the check is recorded."""
        self._path.unlink(missing_ok=True)


def _lines(path: Path) -> list[bytes]:
    try:
        with open_regular(path) as file:
            return file.read().splitlines()
    except OSError:
        return []


def _decoded(line: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, ValueError):
        return None
