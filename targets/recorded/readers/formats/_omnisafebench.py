"""Reads OmniSafeBench-MM: lines (or a list) with `test_case_id` and `model_response`.

The questions stand in `metadata`; in files of its evaluation step, beside the response.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets import Intent
from .....datasets.tables import (
    Object,
    RowError,
    as_object,
    as_text,
    first_text,
    identifier,
    optional_text,
)
from ..base import Reader, ReadOptions, RecordedRow, Row, Sample, each_object, labels_of

_FOLDERS_UP = 4
"""Its picture paths start where it was run: above `responses/<defense>/`."""


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    return each_object(path, _responses)


def _responses(place: str, item: Object) -> Iterator[RecordedRow]:
    if "model_response" not in item:
        raise RowError("has no 'model_response'")
    said = {**as_object(item.get("metadata")), **{k: v for k, v in item.items() if v is not None}}
    # What a defense made of the question is what the model saw.
    text = first_text(*(said.get(key) for key in ("defended_prompt", "jailbreak_prompt", "prompt")))
    image = first_text(
        *(said.get(key) for key in ("defended_image_path", "jailbreak_image_path", "image_path"))
    )
    yield RecordedRow(
        place,
        identifier(item.get("test_case_id"), "the test_case_id"),
        optional_text(item["model_response"], "the model_response"),
        text=text or first_text(said.get("original_prompt")),
        model=as_text(item.get("model_name")),
        scenario=first_text(*(said.get(key) for key in ("scenario", "subcategory", "category"))),
        intent=Intent.HARMFUL,  # all of its test cases are attacks
        images=(image,) if image else (),
        underlying_request=as_text(said.get("original_prompt")),
        labels=labels_of(
            category=said.get("category"),
            subcategory=said.get("subcategory"),
            attack=said.get("attack_method"),
        ),
    )


def _detects(sample: Sample) -> bool:
    return sample.has("test_case_id", "model_response")


READER = Reader(
    "omnisafebench", "OmniSafeBench-MM responses", _detects, _rows, folders_up=_FOLDERS_UP
)
