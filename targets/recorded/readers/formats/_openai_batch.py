"""Reads the output of OpenAI's batch API, which vLLM's `run-batch` also writes.

A line has `custom_id`, and `response` with the `body` of a chat completion, of a text
completion or of the responses interface; or `error`. It does not say what was asked.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets.tables import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
)
from .....models import decode_error
from ...._response import ResponseOutcome
from ..base import Reader, ReadOptions, RecordedRow, Row, Sample, as_json, content_text, each_object

_OK = 200


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    return each_object(path, _responses)


def _responses(place: str, item: Object) -> Iterator[RecordedRow]:
    name = identifier(item.get("custom_id"), "the custom_id")
    response = as_object(item.get("response"))
    body = as_object(response.get("body"))
    status = response.get("status_code", _OK)
    if item.get("error") is not None or status != _OK:
        yield _failed(place, name, item, body, status)
        return
    model = as_text(body.get("model"))
    choices = as_list(body.get("choices"))
    if not choices and "output" in body:
        text, reason = _answer(body)
        yield RecordedRow(place, name, text, model=model, finish_reason=reason)
        return
    if not choices:
        raise RowError("its response has no choices")
    for epoch, choice in enumerate(map(as_object, choices)):
        message = as_object(choice.get("message"))
        text = content_text(message.get("content")) if message else as_text(choice.get("text"))
        yield RecordedRow(
            place,
            name,
            text or as_text(message.get("refusal")),
            epoch=epoch,
            model=model,
            finish_reason=as_text(choice.get("finish_reason")),
        )


def _failed(place: str, name: str, item: Object, body: Object, status: object) -> RecordedRow:
    said = body if item.get("error") is None else item["error"]
    complaint = decode_error(as_json(said))
    return RecordedRow(
        place,
        name,
        None,
        outcome=ResponseOutcome.FILTERED if complaint.filtered else ResponseOutcome.ERROR,
        detail=complaint.text if said else f"the batch says status {status}",
    )


def _answer(body: Object) -> tuple[str | None, str | None]:
    """Return the text of a reply of the responses API, and why it is incomplete."""
    said: list[str] = []
    for item in map(as_object, as_list(body.get("output"))):
        if item.get("type") != "message":
            continue
        parts = map(as_object, as_list(item.get("content")))
        texts = (first_text(part.get("text"), part.get("refusal")) for part in parts)
        said += filter(None, texts)
    reason = as_text(as_object(body.get("incomplete_details")).get("reason"))
    return "\n".join(said) or None, reason


def _detects(sample: Sample) -> bool:
    return sample.has("custom_id", "response")


READER = Reader("openai-batch", "OpenAI batch output", _detects, _rows)
