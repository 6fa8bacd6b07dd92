"""Writes a log of Inspect as a stream: a zip with a member for each sample."""

import tempfile
import zipfile
from contextlib import suppress
from typing import IO, BinaryIO

from inspect_ai.log import EvalLog, EvalSample
from pydantic import BaseModel

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""So that equal runs make equal files."""
_COPIED = 1 << 20


class LogFile:
    """A log that is being written.

    Samples leave memory as they are added. What grows with their number is the zip's directory,
    which stands at its end: less than a kilobyte for each.

    Args:
        file: Where to write; it stays open.
        header: The log without its samples and results.
    """

    def __init__(self, file: BinaryIO, header: EvalLog) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._summaries: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish`
        self._lead = b"["
        start = header.model_dump_json(include={"version", "eval", "plan"})
        self._write("_journal/start.json", start.encode())

    def add(self, sample: EvalSample) -> None:
        """Write a sample."""
        self._write(f"samples/{sample.id}_epoch_{sample.epoch}.json", _json(sample))
        self._summaries.write(self._lead + _json(sample.summary()))
        self._lead = b","

    def finish(self, header: EvalLog) -> None:
        """Write the summaries of all samples, and the header with the results."""
        self._summaries.write(self._lead + b"]" if self._lead == b"[" else b"]")
        self._summaries.seek(0)
        with self._zip.open(_member("summaries.json"), "w", force_zip64=True) as file:
            while block := self._summaries.read(_COPIED):
                file.write(block)
        self._summaries.close()
        self._write("header.json", _json(header))
        self._zip.close()

    def abandon(self) -> None:
        """Release what an unfinished log holds, before its file is closed."""
        self._summaries.close()
        with suppress(OSError, ValueError):  # such as a full disk, which was told of
            self._zip.close()

    def _write(self, name: str, content: bytes) -> None:
        self._zip.writestr(_member(name), content)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _json(value: BaseModel) -> bytes:
    # As Inspect writes its own; half of a surrogate pair is no UTF-8.
    return value.model_dump_json(exclude_none=True).encode("utf-8", "replace")
