"""Reads Inspect logs, `.eval` and `.json`, one sample at a time, with `inspect_ai`.

A log's epochs count from 1, ours from 0.
"""

import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from .....common import ConfigurationError, import_extra
from .....common.text import short_reason
from .....datasets import Message
from .....datasets.tables import (
    BrokenJson,
    Intents,
    JsonFile,
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
    split_asked,
)
from ...._response import ResponseOutcome
from ..base import (
    Question,
    Reader,
    ReadOptions,
    RecordedRow,
    Row,
    Sample,
    Unread,
    Unreadable,
    before_last,
    labels_of,
    unreadable,
)
from ._inspect_status import Progress

_UNUSED = ("events", "events_data", "store", "timelines")
"""Parts of a sample that are large and say nothing of the response."""

_ZIP = b"PK\x03\x04"
_MAX_PART = 256 * 1024 * 1024
"""Most bytes that a part of a log may unpack to: Inspect holds a part in memory as a whole."""
_WHOLE = ("header.json", "summaries.json", "_journal/")
"""Parts that are read before the first sample."""
_HEADERS = ("header.json", "_journal/start.json")
_NO_HEADER = (
    "has no header, as a whole log of Inspect has, so that it does not say which model answered: "
    "give the log as Inspect wrote it, or its samples as lines of JSON, with --format jsonl"
)


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    log = import_extra(f"{path}: reading a log of Inspect", "inspect_ai.log")
    with path.open("rb") as file:
        zipped = file.read(len(_ZIP)) == _ZIP
    rows = _zipped if zipped else _plain
    yield from rows(path, log, options.intents)


def _zipped(path: Path, log: Any, intents: Intents) -> Iterator[Row]:
    sizes = _unpacked(path)
    for name, size in sizes.items():
        if name.startswith(_WHOLE) and size > _MAX_PART:
            raise ConfigurationError(f"{path}: {name!r} {_too_large(size)}: is the log damaged?")
    if sizes and not any(name in sizes for name in _HEADERS):
        raise ConfigurationError(f"{path}: {_NO_HEADER}")
    # Its functions run an event loop, which the thread of another one must not.
    with ThreadPoolExecutor(1) as reading:

        def read(function: Callable[..., Any], *arguments: object, **options: object) -> Any:
            task = partial(function, str(path), *arguments, format="eval", **options)
            return reading.submit(task).result()

        try:
            with _as_row_error():
                header = read(log.read_eval_log, header_only=True)
                summaries = read(log.read_eval_log_sample_summaries)
        except RowError as error:
            raise ConfigurationError(f"{path}: {error}: is the log damaged or cut off?") from None
        about = as_object(header.eval.model_dump())
        progress, ours = Progress(header.status, about), _is_ours(path, about)
        for summary in summaries:
            place = f"sample {summary.id!r}, epoch {summary.epoch}"
            progress.add(summary.id, summary.epoch)
            size = sizes.get(f"samples/{summary.id}_epoch_{summary.epoch}.json", 0)
            if size > _MAX_PART:
                yield Unreadable(place, _too_large(size))
                continue
            try:
                with _as_row_error():
                    sample = read(
                        log.read_eval_log_sample,
                        summary.id,
                        summary.epoch,
                        resolve_attachments="core",
                        exclude_fields=set(_UNUSED),
                    )
                yield _row(place, sample, header.eval.model, intents, ours=ours)
            except RowError as error:
                yield Unreadable(place, str(error))
        yield from progress.rows()


def _unpacked(path: Path) -> dict[str, int]:
    """Return the unpacked size of a log's parts in bytes; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {part.filename: part.file_size for part in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return {}


def _too_large(size: int) -> str:
    return f"unpacks to {size / 1024**2:,.0f} MiB, more than the {_MAX_PART // 1024**2} that fit"


def _plain(path: Path, log: Any, intents: Intents) -> Iterator[Row]:
    number = 0
    with JsonFile(path) as document:
        try:
            header = document.member(document.root, "eval")
            about = {} if header is None else as_object(document.value(header))
            if not about:
                raise ConfigurationError(f"{path}: {_NO_HEADER}")
            status = document.member(document.root, "status")
            said = None if status is None else as_text(document.value(status))
            progress, ours = Progress(said, about), _is_ours(path, about)
            listed = document.member(document.root, "samples")
            for at in document.elements(listed) if listed and document.opens(listed) == "[" else ():
                number += 1
                place = f"sample {number}"
                value = document.value(at)
                fields = as_object(value)
                progress.add(fields.get("id"), fields.get("epoch"))
                if isinstance(value, RowError):
                    yield unreadable(place, value)
                    continue
                try:
                    with _as_row_error():
                        sample = log.EvalSample.model_validate(
                            {key: value for key, value in fields.items() if key not in _UNUSED}
                        )
                        sample = log.resolve_sample_attachments(sample, "core")
                    model = as_text(about.get("model"))
                    yield _row(place, sample, model, intents, ours=ours)
                except RowError as error:
                    yield Unreadable(place, str(error))
            document.finish()
            yield from progress.rows()
        except BrokenJson as error:
            yield Unreadable(f"after sample {number}", str(error), Unread.REST)


def _is_ours(path: Path, header: Object) -> bool:
    """Return whether safejury wrote a log.

    Raises:
        ConfigurationError: It did, and withheld what was asked and answered.
    """
    ours = "safejury" in as_list(header.get("tags"))
    if ours and as_object(header.get("metadata")).get("texts") == "withheld":
        raise ConfigurationError(
            f"{path}: the questions and responses of this log are withheld: write it with safejury "
            "export RUN --inspect FILE --reveal"
        )
    return ours


def _row(
    place: str, sample: Any, model: str | None, intents: Intents, *, ours: bool
) -> RecordedRow:
    put = sample.input
    question, turns = _conversation(
        [{"role": "user", "content": put}]
        if isinstance(put, str)
        else [message.model_dump() for message in put],
        [message.model_dump() for message in sample.messages],
    )
    about = as_object(sample.metadata)
    failed = sample.error is not None or not sample.output.choices
    row = RecordedRow(
        place,
        identifier(sample.id, "the id"),
        None if failed else sample.output.completion,
        text=question.text,
        epoch=max(0, sample.epoch - 1),
        outcome=ResponseOutcome.ERROR if failed else None,
        model=first_text(model, sample.output.model),
        scenario=first_text(about.get("scenario"), about.get("category")),
        intent=intents.read(about.get("intent"), "the intent"),
        images=question.images,
        messages=question.messages,
        turns=turns,
        finish_reason=None if failed else sample.output.stop_reason,
        detail=None if sample.error is None else as_text(sample.error.message),
        provider_model=first_text(sample.output.model),
        labels=labels_of(category=about.get("category")),
    )
    return _as_exported(row, about) if ours else row


def _as_exported(row: RecordedRow, about: Object) -> RecordedRow:
    """Return a row of a log of ours with what Inspect has no place for."""
    said = as_text(about.get("response")) or ""
    labels = {name: str(value) for name, value in as_object(about.get("labels")).items()}
    return replace(
        row,
        model=row.model and row.model.removeprefix("safejury/"),
        outcome=ResponseOutcome(said) if said in set(ResponseOutcome) else row.outcome,
        labels={**row.labels, **labels},
        underlying_request=as_text(about.get("underlying_request")),
    )


def _conversation(
    put: Sequence[object], messages: Sequence[object]
) -> tuple[Question, tuple[Message, ...]]:
    """Return a sample's question, and an agent's turns before its last message."""
    asked, since = split_asked(put, messages)
    turns, _ = before_last(since)
    return Question.of_turns(asked), turns


@contextmanager
def _as_row_error() -> Generator[None]:
    """Convert the library's errors in one sample to a row error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - damage shows as errors of many kinds
        raise RowError(f"Inspect cannot read it ({short_reason(error, 200)})") from None


def _detects(sample: Sample) -> bool:
    if not sample.head.startswith(_ZIP):
        whole = sample.has("version", "eval")
        return whole or (sample.has("samples") and (sample.has("plan") or sample.has("stats")))
    try:
        with zipfile.ZipFile(sample.path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return sample.path.suffix.lower() == ".eval"
    return any(name in _HEADERS or name.startswith(("_journal/", "samples/")) for name in names)


READER = Reader("inspect", "a log of Inspect", _detects, _rows)
