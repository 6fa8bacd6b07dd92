import random

import pytest

from safejury.common.text import jaccard_similarity, shingles
from safejury.datasets.similarity import choose

TEXTS = [
    "How is a brass padlock opened without its key?",
    "How is a brass padlock opened without a key?",
    "Which birds sing before sunrise in winter?",
    "How are wooden violins repaired after water damage?",
]


def test_without_diversity_the_best_are_chosen_in_order() -> None:
    assert choose(TEXTS, [9.0, 8.0, 5.0, 7.0], 3, 0.0) == [0, 1, 3]


def test_a_likeness_to_what_is_chosen_counts_against_a_text() -> None:
    assert choose(TEXTS, [9.0, 8.0, 5.0, 7.0], 4, 0.5) == [0, 3, 2, 1]


def test_of_equals_the_earliest_is_chosen() -> None:
    assert choose(["red", "blue", "green"], [5.0, 5.0, 5.0], 2, 0.3) == [0, 1]


@pytest.mark.parametrize("count", [0, 3, 10])
def test_all_are_chosen_where_there_are_fewer(count: int) -> None:
    assert len(choose(TEXTS[:3], [1.0, 2.0, 3.0], count, 0.3)) == min(count, 3)
    assert choose([], [], count, 0.3) == []


def test_it_chooses_what_the_definition_says() -> None:
    draw = random.Random(4)
    words = ["lock", "key", "door", "bird", "song", "river", "paper", "glass", "stone", "bread"]
    texts = [" ".join(draw.sample(words, 4)) for _ in range(60)]
    values = [draw.random() for _ in texts]
    features = [shingles(text) for text in texts]
    left, expected = list(range(60)), list[int]()

    def relevance(place: int) -> float:
        alike = (jaccard_similarity(features[place], features[other]) for other in expected)
        return 0.6 * values[place] - 0.4 * max(alike, default=0.0)

    while len(expected) < 20:
        best = max(left, key=lambda place: (relevance(place), -place))
        expected.append(best)
        left.remove(best)
    assert choose(texts, values, 20, 0.4, highest=1.0) == expected


def test_there_is_one_value_for_each_text() -> None:
    with pytest.raises(ValueError, match="2 texts have 1 values"):
        choose(["a", "b"], [1.0], 1, 0.3)
