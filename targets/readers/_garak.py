"""Report of garak: the lines whose `entry_type` is `attempt`.

An attempt is written twice, once answered (`status` 1) and once scored (`status` 2). Its
prompt is a text in older versions, then an object with `text`, then one with `turns`.
"""

from collections.abc import Iterator
from pathlib import Path

from ...datasets.tables._values import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
    is_object,
    words,
)
from ._labels import labels_of
from ._messages import asked
from ._objects import each_object
from ._reader import Reader, ReadOptions, Sample
from ._row import RecordedRow, Row


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
    text, pictures = prompt_of(item.get("prompt"))
    outputs = as_list(item.get("outputs"))
    if not outputs:
        raise RowError("has no outputs")
    for epoch, output in enumerate(outputs):
        said = output.get("text") if is_object(output) else output
        yield RecordedRow(
            place,
            name,
            words(said, "an output"),
            text=text,
            epoch=epoch,
            model=model,
            scenario=first_text(item.get("intent"), item.get("probe_classname")),
            images=pictures,
            labels=labels_of(probe=item.get("probe_classname"), goal=item.get("goal")),
        )


def prompt_of(prompt: object) -> tuple[str | None, tuple[str, ...]]:
    """Return the words and the pictures of a prompt, however old its garak is."""
    if isinstance(prompt, str):
        return prompt, ()
    turns = as_list(as_object(prompt).get("turns"))
    messages = [as_object(as_object(turn).get("content")) for turn in turns] or [as_object(prompt)]
    text = asked(turns).text if turns else as_text(as_object(prompt).get("text"))
    pictures = [m.get("data_path") for m in messages if _is_picture(m)]
    return text, tuple(str(picture) for picture in pictures)


def _is_picture(message: Object) -> bool:
    kind = (as_list(message.get("data_type")) or [None])[0]
    path = as_text(message.get("data_path"))
    return bool(path) and (kind is None or str(kind).startswith("image/"))


def _detects(sample: Sample) -> bool:
    return sample.has("entry_type")


READER = Reader("garak", "a garak report", _detects, _rows)
