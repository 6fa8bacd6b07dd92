"""JSON files of items in other shapes than lines or one list."""

import json
from pathlib import Path

import pytest

from safejury.common import DatasetError
from safejury.datasets import find_set


def test_items_in_a_list_within_an_object_are_read(tmp_path: Path) -> None:
    items: list[dict[str, object]] = [{"prompt": f"How is knot {n} tied?"} for n in range(3)]
    document = {"version": 1, "licenses": [{"name": "MIT"}], "data": items}
    for name, indent in (("flat.json", None), ("pretty.json", 2)):
        (tmp_path / name).write_text(json.dumps(document, indent=indent))
        loaded = find_set(str(tmp_path / name))
        assert [query.text for query in loaded] == [item["prompt"] for item in items]
    mapped = [{"q": {"words": "Why?"}}]
    (tmp_path / "mapped.json").write_text(json.dumps({"data": mapped}))
    (query,) = find_set(str(tmp_path / "mapped.json"), mapping={"text": "q.words"})
    assert query.text == "Why?"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"data": [{"ask": "Why?"}]},
            "the items of its list 'data' have no 'text'; their",
        ),
        ({"0": {"text": "Why?"}}, "is one JSON object, not a line or an entry of a list"),
        ({"a": [{"text": "Why?"}], "b": [{"text": "How?"}]}, "several lists of rows ('a', 'b')"),
        ({"text": "Why?", "category": "bias"}, "is one row over several lines"),
    ],
)
def test_json_of_another_shape_is_named(
    document: dict[str, object], said: str, tmp_path: Path
) -> None:
    (tmp_path / "set.json").write_text(json.dumps(document, indent=1))
    with pytest.raises(DatasetError) as error:
        find_set(str(tmp_path / "set.json"))
    assert str(error.value).startswith(f"{tmp_path / 'set.json'}: ")
    assert said in str(error.value)
    assert "How is" not in str(error.value)


@pytest.mark.parametrize(
    "content", ['[\n {"text": "Why?"}\n]', '[{"text": "Why?"}]', '{\n "data": []}']
)
def test_a_document_where_lines_of_ours_are_expected_names_the_loader(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r":1: .* another shape is read as jsonl:"):
        find_set(str(path))
    for broken in ('{"id": "a",\n', "[1\n"):
        path.write_text(broken)
        with pytest.raises(DatasetError) as error:
            find_set(str(path))
        assert "another shape" not in str(error.value)
