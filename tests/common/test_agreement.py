import pytest

from safejury.common import Coincidences, krippendorff_alpha

# The example of Krippendorff's paper of 2011: four observers, twelve units, 0 is missing.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)
UNITS = [[rating for rating in unit if rating] for unit in zip(*OBSERVERS, strict=True)]


def test_it_is_what_the_published_example_says() -> None:
    assert krippendorff_alpha(UNITS, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(UNITS, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_near_misses_cost_less_than_far_ones_on_the_ordinal_scale_alone() -> None:
    near = [[1, 2], [5, 5], [9, 9], [1, 1], [2, 2]]
    far = [[1, 9], [5, 5], [9, 9], [1, 1], [2, 2]]
    close, wide = krippendorff_alpha(near, "ordinal"), krippendorff_alpha(far, "ordinal")
    assert close is not None
    assert wide is not None
    assert close > 0.85
    assert wide < 0.5


def test_with_two_ratings_both_scales_are_one() -> None:
    things = [[0, 0, 1], [1, 1], [0, 0], [0, 1]]
    nominal = krippendorff_alpha(things, "nominal")
    assert nominal is not None
    assert krippendorff_alpha(things, "ordinal") == pytest.approx(nominal)


def test_the_order_of_things_and_ratings_is_of_no_account() -> None:
    turned = [list(reversed(unit)) for unit in reversed(UNITS)]
    alpha = krippendorff_alpha(UNITS, "ordinal")
    assert krippendorff_alpha(turned, "ordinal") == pytest.approx(alpha, abs=1e-12)


@pytest.mark.parametrize("things", [[], [[3]], [[4, 4], [4, 4]], [[1], [2], []]])
def test_where_nothing_can_be_told_there_is_no_number(things: list[list[int]]) -> None:
    assert krippendorff_alpha(things, "ordinal") is None


def test_things_rated_alike_may_be_counted_at_once() -> None:
    once, each = Coincidences(), Coincidences()
    once.add({1: 2, 3: 1}, times=3)
    once.add({3: 2, 5: 0})
    for ratings in ([1, 1, 3],) * 3 + ([3, 3],):
        each.add({rating: ratings.count(rating) for rating in ratings})
    assert once.alpha("ordinal") == pytest.approx(each.alpha("ordinal"))
