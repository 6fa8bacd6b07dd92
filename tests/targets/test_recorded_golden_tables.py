"""One row of our own lines, of each table and of a batch, with all that it can carry."""

import base64
import csv
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from safejury.datasets import Intent, Query, read_media
from safejury.datasets.tables import Intents
from safejury.targets import (
    RecordedFile,
    RecordedQuestions,
    RecordedTarget,
    Response,
    ResponseOutcome,
)
from safejury.targets.recorded.readers.base import RecordedRow

arrow = import_module("pyarrow")
parquet = import_module("pyarrow.parquet")

LOCK = "How is a lock picked?"
CONTENT = b"\x89PNG and so on"
BASE64 = base64.b64encode(CONTENT).decode()
ADDRESS = f"data:image/png;base64,{BASE64}"
BARE = f"data:;base64,{BASE64}"

Table = Callable[[Path, dict[str, object]], None]


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def written_jsonl(path: Path, row: dict[str, object]) -> None:
    lines(path, row)


def written_csv(path: Path, row: dict[str, object]) -> None:
    flat = {key: value for key, value in row.items() if key != "out"} | {"out.words": "With pi"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*flat])
        writer.writeheader()
        writer.writerow(flat)


def written_parquet(path: Path, row: dict[str, object]) -> None:
    parquet.write_table(arrow.Table.from_pylist([row]), path)


WRITERS: dict[str, Table] = {
    "csv": written_csv,
    "jsonl": written_jsonl,
    "parquet": written_parquet,
}
MAPPING = {
    "id": "number",
    "response": "out.words",
    "text": "ask",
    "scenario": "topic",
    "intent": "meant",
    "images": "seen",
    "epoch": "try",
    "outcome": "ended",
    "model": "who",
    "finish_reason": "why",
    "underlying_request": "in all",
    "labels.kind": "kind",
}
OTHERS: dict[str, object] = {
    "number": 7,
    "out": {"words": "With pi"},
    "ask": LOCK,
    "topic": "Bias",
    "meant": "safe",
    "try": 2,
    "ended": "filtered",
    "who": "example-1",
    "why": "length",
    "in all": "Pick a lock",
    "kind": "riddle",
    # Those of another format say nothing here.
    "images": "other.png",
    "epoch": 5,
    "scenario": "Other",
}
ROW = RecordedRow(
    "row 1",
    "7",
    "With pi",
    text=LOCK,
    epoch=2,
    outcome=ResponseOutcome.FILTERED,
    model="example-1",
    scenario="Bias",
    intent=Intent.BENIGN,
    images=("a.png",),
    finish_reason="length",
    underlying_request="Pick a lock",
    labels={"kind": "riddle"},
)


@pytest.mark.parametrize(
    ("format", "seen", "images"),
    [
        *((format, "a.png", ("a.png",)) for format in WRITERS),
        *((format, ADDRESS, (ADDRESS,)) for format in WRITERS),
        ("jsonl", ["a.png", "b.png"], ("a.png", "b.png")),
        ("jsonl", {"bytes": None, "path": "a.png"}, ("a.png",)),
        ("jsonl", [{"path": "a.png"}, "b.png"], ("a.png", "b.png")),
        ("parquet", ["a.png", "b.png"], ("a.png", "b.png")),
        ("parquet", CONTENT, (BARE,)),
        ("parquet", {"bytes": CONTENT, "path": "elsewhere.png"}, (BARE,)),
        ("parquet", {"bytes": None, "path": "a.png"}, ("a.png",)),
        ("parquet", [{"bytes": CONTENT, "path": None}] * 2, (BARE, BARE)),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_table_by_a_mapping(
    format: str, seen: object, images: tuple[str, ...], tmp_path: Path
) -> None:
    """Every field by its column, with pictures in each way in which tables hold them."""
    path = tmp_path / "table"
    WRITERS[format](path, OTHERS | {"seen": seen})
    words = {"benign": ["safe"]}
    file = RecordedFile(path, mapping=MAPPING, intents=Intents(words))
    (row,) = RecordedTarget("t", file).rows()
    place = "line 1" if format == "jsonl" else "row 1"
    assert row == replace(ROW, place=place, images=images)


DEFAULT_THRESHOLDS: dict[str, object] = {
    "response": "With pi",
    "intent": "Benign",
    "epoch": "2",
    "outcome": "filtered",
    "model": "example-1",
    "finish_reason": "length",
    "underlying_request": "Pick a lock",
}
NAMES = [
    {"query_id": "7", "text": LOCK, "scenario": "Bias", "images": "a.png"},
    {"id": "7", "prompt": LOCK, "category": "Bias", "image": "a.png"},
    {"id": "7", "question": LOCK, "category": "Bias", "image": "a.png"},
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: ",".join(names))
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_table_by_the_names_that_columns_usually_have(
    format: str, names: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "table"
    written_parquet(path, DEFAULT_THRESHOLDS | names)
    if format == "csv":
        cells = DEFAULT_THRESHOLDS | names
        path.write_text(f"{','.join(cells)}\n{','.join(map(str, cells.values()))}\n")
    (row,) = RecordedTarget("t", path).rows()
    assert row == replace(ROW, labels={})


OWN: dict[str, object] = {
    "query_id": "7",
    "response": "With pi",
    "epoch": 2,
    "outcome": "filtered",
    "model": "example-1",
    "scenario": "Bias",
    "intent": "benign",
    "finish_reason": "length",
    "underlying_request": "Pick a lock",
    "labels": {"kind": "riddle"},
}


@pytest.mark.parametrize("text", ["text", "prompt"])
@pytest.mark.parametrize(
    ("shown", "images"),
    [
        ({"image": "a.png"}, ("a.png",)),
        ({"image": ADDRESS}, (ADDRESS,)),
        ({"images": ["a.png", "b.png"]}, ("a.png", "b.png")),
        ({}, ()),
    ],
    ids=str,
)
def test_our_own_lines(
    text: str, shown: dict[str, object], images: tuple[str, ...], tmp_path: Path
) -> None:
    path = lines(tmp_path / "own", OWN | {text: LOCK} | shown)
    (row,) = RecordedTarget("t", path).rows()
    assert row == replace(ROW, place="line 1", images=images)


def batch(body: dict[str, object]) -> dict[str, object]:
    response = {"status_code": 200, "body": {"model": "example-1", **body}}
    return {"custom_id": "lock", "response": response, "error": None}


CHOICES = [
    {"message": {"content": "With picks."}, "finish_reason": "stop"},
    {"message": {"content": "With pi"}, "finish_reason": "length"},
]
ANSWERED = RecordedRow("line 1", "lock", "With picks.", model="example-1", finish_reason="stop")
CUT = RecordedRow("line 1", "lock", "With pi", model="example-1", finish_reason="length")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (batch({"choices": CHOICES}), [ANSWERED, replace(CUT, epoch=1)]),
        (
            batch({"choices": [{"text": "With pi", "finish_reason": "length"}]}),
            [CUT],
        ),
        (
            batch({"choices": [{"message": {"content": None, "refusal": "No."}}]}),
            [RecordedRow("line 1", "lock", "No.", model="example-1")],
        ),
        (
            batch(
                {
                    "output": [
                        {"type": "reasoning", "content": [{"text": "Hm."}]},
                        {"type": "message", "content": [{"text": "With"}, {"refusal": "pi"}]},
                    ],
                    "incomplete_details": {"reason": "max_output_tokens"},
                }
            ),
            [replace(CUT, response="With\npi", finish_reason="max_output_tokens")],
        ),
        (
            {"custom_id": "lock", "response": None, "error": {"message": "It expired."}},
            [
                RecordedRow(
                    "line 1", "lock", None, outcome=ResponseOutcome.ERROR, detail="It expired."
                )
            ],
        ),
    ],
    ids=["chat", "completion", "refusal", "responses", "error"],
)
def test_a_batch_of_openai(
    item: dict[str, object], expected: list[RecordedRow], tmp_path: Path
) -> None:
    target = RecordedTarget("t", lines(tmp_path / "batch", item))
    assert [*target.rows()] == expected


async def test_all_of_a_row_reaches_the_jury(tmp_path: Path) -> None:
    """The question with its picture, and the response with how asking ended."""
    picture = tmp_path / "a.png"
    Image.new("RGB", (9, 5), "red").save(picture)
    path = lines(tmp_path / "own", OWN | {"text": LOCK, "image": "a.png"})
    target = RecordedTarget("t", path)
    (query,) = RecordedQuestions([target])
    assert query == Query(
        "7",
        "inappropriate_opinions.bias",
        LOCK,
        Intent.BENIGN,
        images=(read_media(picture, kind="image"),),
        source="own",
        underlying_request="Pick a lock",
        labels={"kind": "riddle"},
    )
    asked = await target.respond(query, epoch=2, call_id="c")
    assert asked == Response(
        ResponseOutcome.FILTERED,
        "With pi",
        detail="recorded as filtered",
        finish_reason="length",
        provider_model="example-1",
        cost_usd=0.0,
    )


async def test_what_a_batch_says_of_a_failure_reaches_the_jury(tmp_path: Path) -> None:
    item = {"custom_id": "q", "response": None, "error": {"message": "It expired."}}
    target = RecordedTarget("t", lines(tmp_path / "batch", item))
    query = Query("q", "inappropriate_opinions.bias", LOCK, Intent.BENIGN)
    asked = await target.respond(query, epoch=0, call_id="c")
    assert asked == Response(ResponseOutcome.ERROR, "", detail="It expired.", cost_usd=0.0)
