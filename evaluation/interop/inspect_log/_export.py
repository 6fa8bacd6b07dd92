"""Writes a run as logs of Inspect, a case at a time."""

import re
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ....common import ConfigurationError
from ....common.files import atomic_write
from ....common.text import unique_name
from ...metrics import TargetSummary
from ...record import RecordReader, last_written
from ...report import StoredRun
from ...trials import reported_name
from ._file import LogFile
from ._header import About, Totals, finished
from ._sample import Samples
from ._scores import scorer_names
from ._words import Words

SUFFIX = ".eval"
_PLAIN = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class WrittenLog:
    """A log that was written.

    Attributes:
        path: The file.
        target: The target, with its condition in brackets.
        samples: How many samples it has.
        planned: How many it would have if the run were finished; None where that is not known.
    """

    path: Path
    target: str
    samples: int
    planned: int | None


@dataclass(slots=True)
class _Open:
    """A log that is being written, and what is summed over its samples."""

    target: TargetSummary
    path: Path
    file: LogFile
    totals: Totals


def export_inspect(run: Path, path: Path, *, reveal: bool = False) -> list[WrittenLog]:
    """Write a run as logs of Inspect, one for each target and condition.

    An Inspect log is of one model and one task, and its samples are told apart by id and epoch:
    so targets, and the conditions under which a query was put, do not fit into one.

    Args:
        run: The run's directory.
        path: The file of the log, which ends in `.eval`; where there are several, the names of
            the targets are put before the suffix. Existing files are replaced. Only their owner
            can read them.
        reveal: Whether questions, responses, quotes of them and media are written; else it says
            in their place that they are withheld.

    Raises:
        ConfigurationError: The suffix is another, a file cannot be written, or no case is
            finished.
        RecordChangedError: The record was changed, or a medium is gone.
    """
    check_log_path(path)
    with closing(StoredRun(run)) as stored:
        # One view of the record: samples are of the cases that were checked and summed up.
        reader = stored.reader
        summary = stored.summary()
        targets = [target for target in summary.targets if target.cases]
        if not targets:
            raise ConfigurationError(f"{run}: no case is finished, so there is nothing to export")
        about = _about(stored, reader, reveal=reveal)
        words = Words(run, reveal)
        samples = Samples(words, about.jury, about.names, about.at)
        paths = log_paths(path, [target.name for target in targets])
        try:
            return _write(reader, about, samples, dict(zip(paths, targets, strict=True)))
        except OSError as error:
            raise ConfigurationError(
                f"--inspect {path}: cannot be written ({error.strerror}): name a folder that is "
                "there and can be written"
            ) from None


def check_log_path(path: Path) -> None:
    """Check that a path can be that of a log.

    Raises:
        ConfigurationError: It does not end in `.eval`.
    """
    if path.suffix != SUFFIX or path.is_dir():
        raise ConfigurationError(f"--inspect {path}: name a file that ends in {SUFFIX}")


def log_paths(path: Path, targets: list[str]) -> list[Path]:
    """Return the file of each target's log."""
    if len(targets) == 1:
        return [path]
    taken: list[str] = []
    for target in targets:
        plain = _PLAIN.sub("_", target).strip("_.") or "target"
        taken.append(unique_name(plain, taken))
    return [path.with_name(f"{path.stem}-{name}{SUFFIX}") for name in taken]


def _about(stored: StoredRun, reader: RecordReader, *, reveal: bool) -> About:
    meta = reader.meta
    names = scorer_names(info.seat for info in meta.jury)
    info = cast("dict[str, Any]", stored.info)
    return About(info, meta.jury, meta.models, names, last_written(reader.directory), reveal)


def _write(
    reader: RecordReader, about: About, samples: Samples, targets: dict[Path, TargetSummary]
) -> list[WrittenLog]:
    with ExitStack() as stack:
        logs: dict[str, _Open] = {}
        for path, target in targets.items():
            file = LogFile(
                stack.enter_context(atomic_write(path, private=True)), about.header(target)
            )
            stack.callback(file.abandon)
            logs[target.name] = _Open(target, path, file, Totals())
        for result in reader.results():
            log = logs[reported_name(result.target, result.condition)]
            sample = samples.sample(
                result, reader.entries(result.case_id), about.model(result.target)
            )
            log.file.add(sample)
            log.totals.add(sample)
        for log in logs.values():
            header = about.header(log.target)
            log.file.finish(finished(header, log.target, log.totals, about.at))
    return [
        WrittenLog(log.path, log.target.name, log.totals.samples, log.target.planned)
        for log in logs.values()
    ]
