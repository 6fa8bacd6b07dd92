"""Datasets and recorded responses that cannot be used: refused before the first call."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

GOOD = {"id": "a", "scenario": "ethics.bioethics", "text": "Why?", "intent": "harmful"}


@pytest.fixture
def refused(workplace: Any) -> Callable[..., None]:
    """Check that a query file is refused, and that nothing was begun."""

    def check(*lines: object, said: tuple[str, ...]) -> None:
        workplace.queries(*lines)
        workplace.safejury("run", workplace.config()).refused(*said)
        assert not (workplace.path / "runs").exists()

    return check


def test_bad_json_is_shown_with_its_line(refused: Callable[..., None]):
    refused(GOOD, '{"id": "b"', said=("queries.jsonl:2:", "not JSON"))


def test_two_queries_of_one_id(refused: Callable[..., None]):
    refused(GOOD, {**GOOD, "id": "b"}, GOOD, said=("queries.jsonl:3:", "'a' is taken by line 1"))


def test_an_unknown_scenario_of_a_query(refused: Callable[..., None]):
    refused(
        {**GOOD, "scenario": "ethics.bioethic"}, said=("queries.jsonl:1:", "'ethics.bioethics'")
    )


def test_a_missing_picture(refused: Callable[..., None]):
    refused({**GOOD, "image": "no.png"}, said=("queries.jsonl:1:", "'no.png'", "does not exist"))


def test_a_picture_cut_in_half(workplace: Any, refused: Callable[..., None]):
    picture: Path = workplace.path / "half.png"
    Image.effect_noise((64, 64), 50).save(picture)
    picture.write_bytes(picture.read_bytes()[:1000])
    refused({**GOOD, "image": "half.png"}, said=("queries.jsonl:1:", "'half.png'", "damaged"))


def test_a_picture_that_is_none(workplace: Any, refused: Callable[..., None]):
    (workplace.path / "note.png").write_text("hello")
    refused({**GOOD, "image": "note.png"}, said=("queries.jsonl:1:", "is not a PNG"))


def test_an_empty_file(refused: Callable[..., None]):
    refused("", said=("queries.jsonl", "holds no queries"))


def test_a_missing_file(workplace: Any):
    workplace.safejury("run", workplace.config(dataset="no.jsonl")).refused(
        "no.jsonl", "does not exist"
    )


def test_an_unknown_bundled_set(workplace: Any):
    workplace.safejury("run", workplace.config(dataset="minni")).refused("'minni'", "'mini'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ("responses.jsonl", "has no responses")),
        ("x\n", ("responses.jsonl", "its format is not known")),
        ('{"query_id": "q9", "response": "x"}', ("its ids are 'q9', those of the queries 'q1'",)),
        ('{"query_id": "q1"}\n', ("responses.jsonl:1:", "response")),
        ('{"query_id": "q1", "response": 3}\n', ("responses.jsonl:1:", "response")),
        ('{"query_id": "q1", "response": "x", "outcome": "good"}\n', ("responses.jsonl:1:",)),
    ],
)
def test_recorded_responses_that_cannot_be_read(text: str, said: tuple[str, ...], workplace: Any):
    (workplace.path / "responses.jsonl").write_text(text)
    config = workplace.config(targets=[{"name": "recorded", "responses": "responses.jsonl"}])
    workplace.safejury("run", config).refused(*said)


def test_recorded_responses_that_are_missing(workplace: Any):
    config = workplace.config(targets=[{"name": "recorded", "responses": "no.jsonl"}])
    workplace.safejury("run", config).refused("no.jsonl", "check the target's `responses:`")


def test_paths_are_relative_to_the_config(workplace: Any):
    folder: Path = workplace.path / "deep"
    folder.mkdir()
    (folder / "queries.jsonl").write_text(json.dumps(GOOD))
    name = workplace.config()
    (workplace.path / name).rename(folder / name)
    (workplace.path / "queries.jsonl").unlink()
    workplace.safejury("run", f"deep/{name}").refused("cannot connect")
