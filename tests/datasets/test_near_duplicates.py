import json
import random
import tracemalloc
from itertools import combinations
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.datasets import NearDuplicates

PAIRS = [
    json.loads(line)
    for line in Path(__file__)
    .with_name("near_duplicate_pairs.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
"""The threshold and the shingles were chosen on the `fitted` half, by whole topics."""
SYLLABLES = ("ba", "ko", "ri", "mu", "ten", "sol", "gra", "vi", "lo", "pe", "shi", "dar", "fen")


def _is_near(first: str, second: str) -> bool:
    seen = NearDuplicates()
    seen.add("first", first)
    return seen.add("second", second) == "first"


def _quality(part: str) -> tuple[float, float]:
    pairs = [pair for pair in PAIRS if pair["part"] == part]
    found = [pair for pair in pairs if _is_near(pair["a"], pair["b"])]
    right = sum(pair["same"] for pair in found)
    return right / len(found), right / sum(pair["same"] for pair in pairs)


def test_there_are_enough_labeled_pairs_of_all_kinds() -> None:
    assert len(PAIRS) >= 200
    assert {pair["kind"] for pair in PAIRS} == {
        "punctuation", "reworded", "reordered", "added words", "other form", "same topic",
        "other topic",
    }  # fmt: skip
    fitted, unseen = (
        {pair["a"] for pair in PAIRS if pair["part"] == part} for part in ("fitted", "unseen")
    )
    assert not fitted & unseen


def test_pairs_of_topics_that_were_not_looked_at_are_told_apart() -> None:
    precision, recall = _quality("unseen")
    assert precision >= 0.92
    assert recall >= 0.89


def test_pairs_of_topics_that_the_threshold_was_chosen_on_are_told_apart() -> None:
    precision, recall = _quality("fitted")
    assert precision >= 0.92
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("How is a lock picked?", "  how IS a lock   picked!"),
        ("How is a lock picked?", "\uff28\uff4f\uff57 is a \uff4c\uff4f\uff43\uff4b picked"),
        ("What's in John's garden shed?", "Whats in John\u2019s garden shed"),
        ("Don't I, can't I, won't I?", "dont I cant I wont I"),
        ("", " "),
        ("???", "???"),
        ("Wie öffnet man ein Schloss?", "WIE ÖFFNET MAN EIN SCHLOSS"),
        ("How is it?", "how is it"),
        ("7", "7!"),
    ],
)
def test_case_punctuation_white_space_and_typography_make_no_difference(
    first: str, second: str
) -> None:
    assert _is_near(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("", "a lock"), ("???", "!!!"), ("7", "8"), ("Name a fruit.", "Name a metal.")],
)
def test_short_texts_are_told_apart(first: str, second: str) -> None:
    assert not _is_near(first, second)


def _texts(count: int) -> list[str]:
    draw = random.Random(5)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(300)]
    return [" ".join(draw.choices(words, k=12)) for _ in range(count)]


def test_a_near_duplicate_is_found_among_thousands() -> None:
    texts = _texts(3000)
    seen = NearDuplicates()
    assert not [text for place, text in enumerate(texts) if seen.add(str(place), text)]
    draw = random.Random(1)
    for place in draw.sample(range(3000), 300):
        words = texts[place].split()
        draw.shuffle(words)
        assert seen.add("again", " ".join(words[:-1])) == str(place)
    assert len(seen) == 3000


def test_what_is_found_is_what_comparing_all_pairs_finds() -> None:
    draw = random.Random(2)
    texts = [
        " ".join(word for word in base.split() if draw.random() < 0.8)
        for base in _texts(60)
        for _ in range(5)
    ]
    alone = {pair for pair in combinations(range(len(texts)), 2) if _near_of(texts, *pair)}
    seen, missed = NearDuplicates(), 0
    kept: list[int] = []
    for place, text in enumerate(texts):
        found = seen.add(str(place), text)
        near = [other for other in kept if (other, place) in alone]
        assert found is None or int(found) in near
        missed += found is None and bool(near)
        if found is None:
            kept.append(place)
    assert missed <= 0.02 * len(texts)


def _near_of(texts: list[str], first: int, second: int) -> bool:
    """Compare the sets of four-character pieces themselves, without hashing any."""
    ours, theirs = (
        {
            f" {word} "[at : at + 4]
            for word in texts[place].split()
            for at in range(len(word) - 1)
        }
        for place in (first, second)
    )  # fmt: skip
    return bool(ours | theirs) and len(ours & theirs) / len(ours | theirs) >= 0.6


def test_the_most_similar_is_named_and_of_equals_the_earliest() -> None:
    seen = NearDuplicates(0.5)
    seen.add("far", "red green blue yellow purple orange")
    seen.add("near", "red green blue silver golden brown")
    assert seen.add("new", "red green blue silver golden purple") == "near"
    seen = NearDuplicates(0.5)
    assert seen.add("one", "alpha bravo charlie") is None
    assert seen.add("two", "alpha bravo foxtrot") is None
    assert seen.add("three", "alpha bravo") == "one"


def test_a_near_duplicate_is_not_remembered() -> None:
    seen = NearDuplicates()
    seen.add("a", "How is a brass lock picked at night?")
    assert seen.add("b", "How is a brass lock picked at night, quickly?") == "a"
    assert len(seen) == 1


def test_long_texts_are_compared_by_a_sample_of_them() -> None:
    first = " ".join(_texts(800))
    draw = random.Random(3)
    words = first.split()
    second = " ".join(word for word in words if draw.random() < 0.95)
    assert _is_near(first, second)
    assert not _is_near(first, first[::-1])


def test_the_same_texts_give_the_same_answers() -> None:
    texts = _texts(200) + [text[:-4] for text in _texts(200)]
    runs = [
        [seen.add(str(place), text) for place, text in enumerate(texts)]
        for seen in (NearDuplicates(), NearDuplicates())
    ]
    assert runs[0] == runs[1]
    assert any(runs[0])


@pytest.mark.slow
def test_a_remembered_text_takes_less_than_two_kilobytes() -> None:
    texts, seen = _texts(4000), NearDuplicates()
    seen.add("first", "warms up what is made once")
    tracemalloc.start()
    try:
        for place, text in enumerate(texts):
            seen.add(str(place), text)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(seen) < 2000


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_an_error(threshold: float) -> None:
    with pytest.raises(ConfigurationError, match="near_duplicate"):
        NearDuplicates(threshold)


def test_at_threshold_one_only_the_same_words_are_near() -> None:
    seen = NearDuplicates(1.0)
    seen.add("a", "How is a brass lock picked?")
    assert seen.add("b", "How is a brass lock picked, then?") is None
    assert seen.add("c", "how a brass lock is PICKED") == "a"


def test_what_is_looked_for_is_not_remembered() -> None:
    seen = NearDuplicates()
    assert seen.find("How is a lock picked?") is None
    assert seen.add("a", "How is a lock picked?") is None
    assert seen.find("Explain how a lock is picked.") == "a"
    assert len(seen) == 1


@pytest.mark.parametrize("order", [("far", "near"), ("near", "far")])
def test_of_several_that_are_near_the_nearest_is_named(order: tuple[str, str]) -> None:
    draw = random.Random(12)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(26)]
    # Each word has shingles of its own: 16 of 25 words are shared with `far`, 19 of 21 with `near`.
    texts = {"far": " ".join(words[4:25]), "near": " ".join([*words[:19], words[25]])}
    seen = NearDuplicates(0.6)
    assert [seen.add(name, texts[name]) for name in order] == [None, None]
    assert seen.add("new", " ".join(words[:20])) == "near"


@pytest.mark.parametrize(("share", "is_near"), [(0.68, True), (0.52, False)])
def test_a_long_text_is_as_like_a_part_of_it_as_all_shingles_say(
    share: float, is_near: bool
) -> None:
    """Each word has shingles of its own, so a share of the words is the Jaccard similarity."""
    draw = random.Random(11)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(200)]
    part = words[: round(share * len(words))]
    for first, second in ((words, part), (part, words)):
        assert _is_near(" ".join(first), " ".join(second)) == is_near
