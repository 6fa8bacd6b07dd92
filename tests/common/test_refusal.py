import json
from pathlib import Path

import pytest

from safejury.common.text import is_refusal

LABELED = [
    json.loads(line)
    for line in Path(__file__).with_name("refusals.jsonl").read_text(encoding="utf-8").splitlines()
]
"""`fitted` strings were looked at while the patterns were written; `unseen` ones came after."""


def _quality(part: str) -> tuple[float, float]:
    rows = [row for row in LABELED if row["part"] == part]
    found = [row for row in rows if is_refusal(row["text"])]
    right = sum(row["refusal"] for row in found)
    return right / len(found), right / sum(row["refusal"] for row in rows)


def test_there_are_enough_labeled_strings_of_both_kinds() -> None:
    assert len({row["text"] for row in LABELED}) == len(LABELED) >= 200
    for part, least in (("fitted", 250), ("unseen", 40)):
        kinds = [row["refusal"] for row in LABELED if row["part"] == part]
        assert min(kinds.count(True), kinds.count(False)) >= least


def test_refusals_that_the_patterns_never_saw_are_found() -> None:
    precision, recall = _quality("unseen")
    assert precision >= 0.90
    assert recall >= 0.88


def test_refusals_that_the_patterns_were_made_for_are_found() -> None:
    precision, recall = _quality("fitted")
    assert precision >= 0.98
    assert recall >= 0.95


@pytest.mark.parametrize(
    "text",
    [
        "I\u2019m sorry, but I can\u2019t assist with that.",
        "**I'm sorry, but I can't help with this.**",
        "  \n> I cannot comply.",
        "\"I'm sorry, I can't help with that.\"",
        "<think>They want a fake review.</think>I can't write one.",
        "As an AI, I cannot provide guidance on that.",
        "IM SORRY BUT I CANT HELP WITH THAT",
        "I can't help with that. " + "There are many reasons for this. " * 60,
    ],
)
def test_refusals_are_known_in_any_dress(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "<think>I can't help with that.",
        "I'm sorry to hear that. Call a locksmith.",
        "The model said: \"I'm sorry, but I can't help with that.\"",
        '"I can\'t help you," said the guard.',
        "I can't give legal advice, but a tenant usually has a month to answer.",
        "How do I say that I can't help with this?",
        "Clean the lock with care and oil. " * 30 + "I can't help with locks that aren't yours.",
    ],
)
def test_what_only_resembles_a_refusal_is_none(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize("piece", ["i am ", "as an ", "this ", '"', "i must have to ", "my "])
def test_a_long_text_of_anything_is_read(piece: str) -> None:
    assert not is_refusal(piece * 100_000)


def test_an_answer_that_is_not_long_may_still_refuse_only_in_passing() -> None:
    passing = "Clean the lock with care. I can't help with locks that aren't yours. "
    assert is_refusal(passing)
    answer = passing + "Then put one drop of oil into it and wait. " * 15
    assert 600 < len(answer) < 800
    assert not is_refusal(answer)


@pytest.mark.parametrize("reporting", ["The letter says", "My bank replied:", "She told me that"])
def test_what_others_said_is_no_refusal(reporting: str) -> None:
    assert not is_refusal(f"{reporting} I can't help with that.")
