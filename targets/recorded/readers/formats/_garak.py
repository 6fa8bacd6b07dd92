"""Reads garak reports: the lines whose `entry_type` is `attempt`.

An attempt is written twice, once answered (`status` 1) and once scored (`status` 2). Its
prompt is a text in older versions, then an object with `text`, then one with `turns`.
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
    is_object,
    optional_text,
)
from ..base import Question, Reader, ReadOptions, RecordedRow, Row, Sample, each_object, labels_of


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    seen: dict[str, set[object]] = {}
    model: str | None = None

    def read(place: str, item: Object) -> Iterator[RecordedRow]:
        nonlocal model
        # Reports that were joined to one file each begin with whom they examined.
        model = first_text(item.get("plugins.target_name"), item.get("plugins.model_name")) or model
        if item.get("entry_type") != "attempt" or item.get("status") == 0:
            return
        # Reports that were put together may have several attempts under one id.
        first = identifier(item.get("uuid"), "the uuid")
        known, which = seen.setdefault(first, set()), (item.get("seq"), item.get("probe_classname"))
        if which not in known:
            known.add(which)
            name = first if len(known) == 1 else f"{first}#{len(known)}"
            yield from _responses(place, name, item, model)

    return each_object(path, read)


def _responses(place: str, name: str, item: Object, model: str | None) -> Iterator[RecordedRow]:
    question = prompt_of(item.get("prompt"))
    outputs = as_list(item.get("outputs"))
    if not outputs:
        raise RowError("has no outputs")
    for epoch, output in enumerate(outputs):
        said = output.get("text") if is_object(output) else output
        yield RecordedRow(
            place,
            name,
            optional_text(said, "an output"),
            text=question.text,
            epoch=epoch,
            model=model,
            scenario=first_text(item.get("intent"), item.get("probe_classname")),
            images=question.images,
            messages=question.messages,
            labels=labels_of(probe=item.get("probe_classname"), goal=item.get("goal")),
        )


def prompt_of(prompt: object) -> Question:
    """Parse a prompt of any version of garak."""
    if isinstance(prompt, str):
        return Question(prompt)
    turns = [as_object(turn) for turn in as_list(as_object(prompt).get("turns"))]
    messages = turns or [{"role": "user", "content": prompt}]
    return Question.of(
        {"role": turn.get("role"), "content": _content(turn.get("content"))} for turn in messages
    )


def _content(content: object) -> list[object]:
    """Return a turn's text and media as parts."""
    about = as_object(content)
    parts: list[object] = [content]
    if path := as_text(about.get("data_path")):
        said = str((as_list(about.get("data_type")) or [None])[0] or "image/")
        kind = said.partition("/")[0]
        parts.append({"type": kind, "path": path})
    return parts


def _detects(sample: Sample) -> bool:
    return sample.has("entry_type")


READER = Reader("garak", "a garak report", _detects, _rows)
