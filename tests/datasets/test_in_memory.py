"""Sets that a program has in memory: checked and known as those in files are."""

import json
from pathlib import Path
from typing import Any

import pytest

from safejury.common import DatasetError
from safejury.datasets import Intent, Query, QueryList, load_dataset, load_rows

LINES: list[dict[str, Any]] = [
    {"id": "q1", "scenario": "legal_advice", "text": "What is a will?", "intent": "benign"},
    {"id": "q2", "scenario": "bias", "text": "Who is better?", "intent": "harmful"},
]


def test_a_list_is_known_by_what_a_file_with_it_is_known_by(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    read = load_dataset(file)
    listed = QueryList(LINES, name="list")
    assert list(listed) == list(read)
    assert listed.sha256 == read.sha256
    assert QueryList(read, name="list").sha256 == read.sha256


def test_queries_keep_their_media_and_get_canonical_scenarios() -> None:
    pictured = list(load_dataset("mini"))
    assert list(QueryList(pictured, name="list")) == pictured
    (named,) = QueryList([Query("q", "legal advice", "Why?", Intent.BENIGN)], name="list")
    assert named.scenario == "consultation.legal_advice"


def test_media_of_mappings_lie_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = next(query for query in load_dataset("mini") if query.images).images[0]
    (tmp_path / "one.png").write_bytes(picture.read())
    monkeypatch.chdir(tmp_path)
    (query,) = QueryList([{**LINES[0], "image": "one.png"}], name="list")
    assert query.images[0].sha256 == picture.sha256


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "list: holds no queries"),
        ([LINES[0], LINES[0]], "list:2: id 'q1' is taken by line 1"),
        ([{"id": "q"}], "list:1: key 'scenario' is missing"),
        ([{**LINES[0], "prompt": "x"}], "list:1: unknown key 'prompt'"),
        (["What?"], "list:1: \"'What.'\" is neither a Query nor a mapping"),
        ([{**LINES[0], "labels": {"x": object()}}], "list:1: cannot be written as JSON"),
        ([Query("q", "nonsense", "Why?", Intent.BENIGN)], "list:1: unknown scenario 'nonsense'"),
        ([Query("q", "bias", " ", Intent.BENIGN)], "list:1: 'text' is empty"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_place(items: list[Any], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        QueryList(items, name="list")


def test_a_table_is_read_by_a_mapping_of_its_columns() -> None:
    rows: list[Any] = [
        {"prompt_text": "Why?", "kind": "benign", "n": 3},
        {"prompt_text": "How?", "kind": "harmful", "n": 4},
        {"prompt_text": None, "kind": "benign"},
        "text",
    ]
    mapping = {"text": "prompt_text", "intent": "kind", "labels.n": "n"}
    table = load_rows(rows, mapping=mapping, settings={"category": "bias"})
    assert [(query.text, str(query.intent)) for query in table] == [
        ("Why?", "benign"),
        ("How?", "harmful"),
    ]
    assert [dict(query.labels) for query in table] == [{"n": "3"}, {"n": "4"}]
    assert [str(each) for each in table.left_out()] == [
        "table, row 3: has no text",
        "table, row 4: is \"'text'\", and not a mapping of columns to values",
    ]


def test_a_setting_that_a_table_does_not_have_is_refused() -> None:
    with pytest.raises(DatasetError, match="table has no setting 'split'"):
        load_rows([{"text": "Why?"}], settings={"split": "test"})
