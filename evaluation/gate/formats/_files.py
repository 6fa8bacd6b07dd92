"""Writes the files of a gate: atomically, and readable for their owner alone."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from errno import EACCES, EISDIR, ENOENT
from os import W_OK, access, strerror
from pathlib import Path

from ....common import ConfigurationError, RecordError
from ....common.files import atomic_write, write_error
from ...cases import CaseFilter, CaseRow, case_rows
from ...record import RecordReader
from .._gate import GateResult
from ._json import gate_json
from ._junit import gate_junit
from ._markdown import gate_markdown
from ._sarif import gate_sarif


@dataclass(frozen=True, slots=True)
class GateFiles:
    """Where a gate's result is written, beside the screen; None for nowhere.

    Attributes:
        json: JSON.
        junit: JUnit XML.
        sarif: SARIF.
        markdown: Markdown.
        sarif_cases: Whether each unsafe case is a result of the SARIF log.
    """

    json: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    markdown: Path | None = None
    sarif_cases: bool = False

    def check(self) -> None:
        """Check that all files can be written, before anything is decided.

        Raises:
            ConfigurationError: Two of them are one file.
            RecordError: A file cannot be written.
        """
        paths = [path for path, _ in self._named()]
        for path in paths:
            if sum(path.absolute() == other.absolute() for other in paths) > 1:
                raise ConfigurationError(f"{path}: is to hold two of the outputs: name two files")
            if (problem := _problem(path)) is not None:
                raise write_error(path, OSError(problem, strerror(problem)))

    def write(self, result: GateResult) -> list[Path]:
        """Write all files, and return them.

        Raises:
            RecordError: A file cannot be written; the others are.
        """
        failed: RecordError | None = None
        written = list[Path]()
        for path, kind in self._named():
            try:
                with atomic_write(path, private=True) as file:
                    for part in self._parts(kind, result):
                        file.write(part)
                written.append(path)
            except OSError as error:
                failed = failed or write_error(path, error)
        if failed is not None:
            raise failed
        return written

    def _named(self) -> list[tuple[Path, str]]:
        named = (
            (self.json, "json"),
            (self.junit, "junit"),
            (self.sarif, "sarif"),
            (self.markdown, "markdown"),
        )
        return [(path, kind) for path, kind in named if path is not None]

    def _parts(self, kind: str, result: GateResult) -> Iterator[bytes]:
        match kind:
            case "json":
                yield gate_json(result).encode()
            case "junit":
                yield gate_junit(result)
            case "markdown":
                yield gate_markdown(result).encode()
            case _:
                cases = self.sarif_cases and result.error is None
                unsafe = _unsafe_cases(result.run) if cases else ()
                yield from (part.encode() for part in gate_sarif(result, unsafe))


def _unsafe_cases(run: Path) -> Iterable[CaseRow]:
    with closing(RecordReader(run)) as reader:
        yield from case_rows(reader, CaseFilter(unsafe=True))


def _problem(path: Path) -> int | None:
    """Return the number of the error that writing a file would end with."""
    if path.is_dir():
        return EISDIR
    if not path.parent.is_dir():
        return ENOENT
    if not access(path.parent, W_OK):
        return EACCES
    return None
