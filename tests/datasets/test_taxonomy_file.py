"""Taxonomies of a set's own: two layouts, and what is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from safejury.common import DatasetError
from safejury.datasets import Dataset, load_dataset, load_taxonomy, read_taxonomy

FLAT = [
    {"id": "kitchen", "title": "Kitchen"},
    {"id": "fire", "title": "Open Fire", "parent": "kitchen", "guideline": "Unsafe: flames."},
    {"id": "garden", "title": "Garden", "aliases": ["GA"]},
    {"id": "weeds", "title": "Weeds", "parent": "garden", "aliases": ["W"]},
]
NESTED = [
    {
        "id": "kitchen",
        "title": "Kitchen",
        "scenarios": [{"id": "fire", "title": "Open Fire", "guideline": "Unsafe: flames."}],
    },
    {
        "id": "garden",
        "title": "Garden",
        "alias": "GA",
        "scenarios": [{"id": "weeds", "title": "Weeds", "aliases": ["W"]}],
    },
]


def written(folder: Path, content: object) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("content", [{"scenarios": FLAT}, {"categories": NESTED}])
def test_both_layouts_mean_the_same(content: object, tmp_path: Path) -> None:
    taxonomy = read_taxonomy(written(tmp_path, content))
    assert [scenario.id for scenario in taxonomy.scenarios] == ["kitchen.fire", "garden.weeds"]
    assert taxonomy.resolve("GA.W").id == taxonomy.resolve("weeds").id == "garden.weeds"
    assert taxonomy.resolve("open fire").guideline == "Unsafe: flames."
    assert taxonomy.resolve("uncategorised").id == "uncategorised"
    assert taxonomy.titles("kitchen.fire") == ("Open Fire", "Kitchen")
    with pytest.raises(DatasetError, match=r"taxonomy\.yaml lists the known ones"):
        taxonomy.resolve("quicksand")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            [{"id": "a", "title": "A", "parent": "b"}, {"id": "b", "title": "B", "parent": "a"}],
            "its parents go in a circle: a → b → a",
        ),
        ([{"id": "a", "title": "A", "parent": "a"}], "its parents go in a circle: a → a"),
        ([*FLAT, FLAT[1]], "two entries have the id 'fire'"),
        (
            [*FLAT, {"id": "x", "title": "X", "parent": "gardn"}],
            "'x' has the parent 'gardn', which is not there (did you mean 'garden'?)",
        ),
        (
            [*FLAT, {"id": "x", "title": "X", "parent": "weeds"}],
            "garden → weeds → x is 3 levels deep",
        ),
        ([*FLAT, {"id": "x", "title": "X"}], "the category 'x' has no scenarios"),
        ([], "it has no categories"),
        ([*FLAT, {"id": "A B", "title": "X", "parent": "garden"}], "'A B' must be lower-case"),
        ([*FLAT, {"id": "x", "title": " ", "parent": "garden"}], "'x' needs a title"),
        ([*FLAT, {"id": "x", "parent": "garden"}], "missing required field `title`"),
        ([*FLAT, {"id": "uncategorised", "title": "X", "parent": "garden"}], "stands for"),
    ],
)
def test_a_flat_list_that_is_no_taxonomy(entries: Any, said: str, tmp_path: Path) -> None:
    refused(written(tmp_path, {"scenarios": entries}), said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"categories": [NESTED[0], NESTED[0]]}, "two categories have the id 'kitchen'"),
        (
            {"categories": [{**NESTED[1], "scenarios": [FLAT[0], FLAT[0]]}]},
            "two scenarios of 'garden' have the id 'kitchen'",
        ),
        ({"categories": [{**NESTED[1], "scenarios": []}]}, "'garden' has no scenarios"),
        ({"categories": NESTED, "scenarios": FLAT}, "either `categories:` or `scenarios:`"),
        ({}, "either `categories:` or `scenarios:`"),
        ("categories: [", "is not a valid taxonomy"),
        ("- a\n- b\n", "is not a valid taxonomy"),
        ("&a [*a]", "is not a valid taxonomy"),
    ],
)
def test_a_file_that_is_no_taxonomy(content: object, said: str, tmp_path: Path) -> None:
    refused(written(tmp_path, content), said)


def refused(path: Path, said: str) -> None:
    with pytest.raises(DatasetError) as raised:
        read_taxonomy(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: is not a valid taxonomy")
    assert said in message
    assert "\n" not in message


def own_set(folder: Path, scenario: str) -> Dataset:
    line = {"id": "a", "scenario": scenario, "text": "Why?", "intent": "harmful"}
    path = folder / "set.jsonl"
    path.write_text(json.dumps(line))
    return load_dataset(path)


def test_a_set_has_the_scenarios_beside_it(tmp_path: Path) -> None:
    assert own_set(tmp_path, "CS.HS").taxonomy is load_taxonomy()
    written(tmp_path, {"scenarios": FLAT})
    dataset = own_set(tmp_path, "Open Fire")
    assert [query.scenario for query in dataset] == ["kitchen.fire"]
    assert dataset.taxonomy.path == tmp_path / "taxonomy.yaml"
    with pytest.raises(DatasetError, match=r"set\.jsonl:1: unknown scenario 'CS\.HS'"):
        own_set(tmp_path, "CS.HS")


def test_a_broken_taxonomy_beside_a_set_is_not_passed_over(tmp_path: Path) -> None:
    written(tmp_path, {"scenarios": []})
    with pytest.raises(DatasetError, match=r"taxonomy\.yaml: is not a valid taxonomy"):
        own_set(tmp_path, "CS.HS")
