"""JSON in shapes that are not quite those of a format, and paths that lead nowhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from safejury.datasets import ConfigurationError
from safejury.targets import RecordedTarget

ROWS = [{"id": f"q{n}", "prompt": f"Q{n}?", "response": f"A{n}."} for n in range(2)]


def recorded(path: Path, document: object, **options: Any) -> RecordedTarget:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return RecordedTarget("t", path, **options)


OTHER = [{"uid": row["id"], "out": {"text": row["response"]}} for row in ROWS]


@pytest.mark.parametrize(
    ("document", "options"),
    [
        ({"data": ROWS}, {}),
        ({"meta": {"model": "m"}, "tags": ["a"], "data": ROWS}, {}),
        ({"other": [{"x": 1}], "rows": ROWS}, {}),
        ({"data": OTHER}, {"mapping": {"id": "uid", "response": "out.text"}}),
    ],
)
def test_the_one_list_of_rows_within_an_object_is_read(
    tmp_path: Path, document: object, options: dict[str, Any]
) -> None:
    target = recorded(tmp_path / "a.json", document, **options)
    assert [(row.place, row.query_id, row.response) for row in target.rows()] == [
        ("item 1", "q0", "A0."),
        ("item 2", "q1", "A1."),
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"a": ROWS, "b": ROWS}, "several lists of rows ('a', 'b'): save the one that is meant"),
        ({"a": [{"answer": "So."}]}, "its list 'a' have no 'response'; their keys are 'answer'"),
        ({"models": {"m": ["x"]}}, "without a list of responses; its keys are 'models'"),
        ({"m": {"Baking": {"jailbroken": True}}, "details": {}}, "an evaluation or a submission"),
        ({"id": "a", "response": "So."}, "is one row over several lines"),
        ({"data": [{"generation": "So.", "prompt": "Why?"}]}, "--map response=PATH"),
    ],
)
def test_an_object_that_holds_no_rows_is_named_as_what_it_seems_to_be(
    tmp_path: Path, document: object, told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        recorded(tmp_path / "a.json", document)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"text": "q.t.--1"}, "has no 'q.t.--1' for the text"),
        ({"text": "q.t.٣"}, "has no 'q.t.٣' for the text"),
        ({"id": "."}, "--map id='.': names no column"),
        ({"id": "[]"}, "--map id='[]': names no column"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_in_one_line(
    tmp_path: Path, mapping: dict[str, str], told: str
) -> None:
    row = {"id": "a", "response": "So.", "q": {"t": ["Why?", "How?"]}}
    with pytest.raises(ConfigurationError) as caught:
        recorded(tmp_path / "a.json", [row], mapping=mapping)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_from_the_end_of_a_list_is_a_path(tmp_path: Path) -> None:
    row = {"id": "a", "response": "So.", "q": ["Why?", "How?"]}
    (read,) = recorded(tmp_path / "a.json", [row], mapping={"text": "q.-1"}).rows()
    assert read.text == "How?"


def chat(part: object) -> object:
    raw = json.dumps([{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}])
    result = {"prompt": {"raw": raw}, "response": {"output": "A lock."}, "vars": {"query_id": "a"}}
    return {"evalId": "e", "results": {"results": [result]}}


@pytest.mark.parametrize(
    ("part", "address"),
    [
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "QQ"},
            },
            "data:image/png;base64,QQ",
        ),
        ({"type": "image", "source": {"type": "url", "url": "lock.png"}}, "lock.png"),
        ({"type": "image", "source": "lock.png"}, "lock.png"),
        ({"type": "image_url", "image_url": {"url": "lock.png"}}, "lock.png"),
        ({"type": "input_image", "image_url": "lock.png"}, "lock.png"),
    ],
)
def test_the_picture_of_a_message_is_read_in_whatever_way_it_is_written(
    tmp_path: Path, part: object, address: str
) -> None:
    (row,) = recorded(tmp_path / "a.json", chat(part)).rows()
    assert (row.text, row.images) == ("What?", (address,))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        {"type": "input_image", "file_id": "f1"},
        {"type": "image"},
    ],
)
def test_a_picture_that_is_not_in_the_file_leaves_its_row_out(tmp_path: Path, part: object) -> None:
    with pytest.raises(ConfigurationError, match="has a picture that is not in the file"):
        recorded(tmp_path / "a.json", chat(part))
