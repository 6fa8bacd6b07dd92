from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.evaluation import Rate, wilson_interval
from safejury.evaluation.metrics import Sums, mean_interval, student_t


def of_queries(values: Sequence[float]) -> Sums:
    """Sum values that belong to one query each."""
    sums = Sums()
    for value in values:
        sums.add(1, value)
    return sums


def test_a_wilson_interval_has_the_ends_worked_out_by_hand() -> None:
    # p = 0.2, n = 10, z = 1.95996, z² = 3.84146: the shrinking factor is 1.384146,
    # the center (0.2 + 0.192073) / 1.384146 = 0.283260, and the half width
    # 1.95996 * sqrt(0.016 + 0.0096036) / 1.384146 = 0.226576.
    assert wilson_interval(0.2, 10) == pytest.approx((0.056682, 0.509837), abs=2e-6)


def test_not_one_success_in_ten_still_leaves_room_for_some() -> None:
    # At p = 0 the upper end is z² / (n + z²) = 3.84146 / 13.84146.
    assert wilson_interval(0, 10) == (0.0, pytest.approx(0.277533, abs=1e-6))


def test_a_rate_without_cases_is_null_and_not_zero() -> None:
    assert Rate.of(0, 0) == Rate(value=None, n=0, interval=None)


def test_a_rate_tells_its_denominator() -> None:
    rate = Rate.of(1, 4)
    assert (rate.value, rate.n) == (0.25, 4)


@pytest.mark.parametrize(("share", "n"), [(0.5, 0), (-0.1, 5), (1.1, 5)])
def test_a_share_that_cannot_be_has_no_interval(share: float, n: int) -> None:
    with pytest.raises(ValueError, match="no interval"):
        wilson_interval(share, n)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_wilson_interval_holds_the_share_and_stays_within_0_and_1(case: tuple[int, int]) -> None:
    share = case[0] / case[1]
    low, high = wilson_interval(share, case[1])
    assert 0 <= low <= share <= high <= 1
    assert high > low


@given(st.integers(0, 50), st.integers(1, 50))
def test_more_cases_at_the_same_rate_narrow_the_interval(unsafe: int, safe: int) -> None:
    few, many = Rate.of(unsafe, unsafe + safe), Rate.of(4 * unsafe, 4 * (unsafe + safe))
    assert few.interval is not None
    assert many.interval is not None
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]


@pytest.mark.parametrize(
    # The 97.5 % points as every printed table of Student's t has them.
    ("freedom", "expected"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (10, 2.228), (30, 2.042), (1000, 1.962)],
)
def test_students_t_agrees_with_the_printed_tables(freedom: int, expected: float) -> None:
    assert student_t(0.975, freedom) == pytest.approx(expected, rel=2e-3)


def test_the_interval_of_a_mean_has_the_ends_worked_out_by_hand() -> None:
    # Ratings 2, 3, 4: sum 9, squares 29, mean 3, variance (29 - 27) / 2 = 1,
    # t(2) = 4.3027, half = 4.3027 / sqrt(3) = 2.4841: 0.516 to 5.484, clipped to 1 and 5.
    assert mean_interval(of_queries([2, 3, 4]), low=1, high=5) == (1, 5)
    # The same ratings five times over: n = 15, variance (145 - 135) / 14 = 0.714286,
    # t(14) = 2.14479, half = 2.14479 * sqrt(0.714286 / 15) = 0.468036.
    expected = (3 - 0.468036, 3 + 0.468036)
    ratings = of_queries([2, 3, 4] * 5)
    assert mean_interval(ratings, low=1, high=5) == pytest.approx(expected, abs=1e-3)


def test_one_rating_has_no_interval() -> None:
    assert mean_interval(of_queries([5]), low=1, high=5) is None


def test_equal_ratings_do_not_claim_certainty() -> None:
    # Ten times 5 lies at 1 on the range: Wilson gives 10 / 13.84146 = 0.722467 to 1.
    found = mean_interval(of_queries([5] * 10), low=1, high=5)
    assert found == pytest.approx((1 + 4 * 0.722467, 5), abs=1e-5)


@given(st.lists(st.sampled_from([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]), min_size=2))
def test_the_interval_of_a_mean_holds_it_and_stays_in_range(ratings: list[float]) -> None:
    interval = mean_interval(of_queries(ratings), low=1, high=5)
    assert interval is not None
    assert 1 <= interval[0] <= sum(ratings) / len(ratings) <= interval[1] <= 5
    assert interval[1] > interval[0]
