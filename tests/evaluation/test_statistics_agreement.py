import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.evaluation.metrics import Agreement, Split, agreement

splits = st.dictionaries(
    st.builds(Split, st.integers(0, 7), st.integers(0, 7)), st.integers(1, 50), max_size=6
)


def test_agreement_is_what_a_hand_calculation_gives() -> None:
    # Three jurors, four cases: 3-0, 0-3, 1-2, 1-2 (unsafe-safe).
    # Pairs: 3 each, 12 in all; 2 apart in each split case: 1 - 4/12.
    # U = 5, S = 7, n = 12: D_o = 2 * (2*1*2/2) / 12 = 4/12, D_e = 2*5*7 / (12*11) = 70/132;
    # alpha = 1 - (4/12) / (70/132) = 1 - 44/70 = 0.371429.
    found = agreement({Split(3, 0): 1, Split(0, 3): 1, Split(1, 2): 2})
    assert found.pairwise == pytest.approx(2 / 3)
    assert found.alpha == pytest.approx(26 / 70)
    assert found.cases == 4


def test_a_case_with_one_vote_says_nothing_of_agreement() -> None:
    assert agreement({Split(1, 0): 9, Split(0, 0): 3}) == Agreement(None, None, 0)


def test_votes_that_all_say_the_same_leave_alpha_undefined() -> None:
    assert agreement({Split(0, 3): 10}) == Agreement(1.0, None, 10)


def test_juries_of_unequal_size_count_each_as_krippendorff_does() -> None:
    # 2-0 and 1-2: U = 3, S = 2, n = 5; D_o = 2*1*2/2 / 5 = 2/5, D_e = 12/20; alpha = 1 - 2/3.
    found = agreement({Split(2, 0): 1, Split(1, 2): 1})
    assert found.alpha == pytest.approx(1 / 3)


@given(splits)
def test_agreement_stays_in_its_range(counts: dict[Split, int]) -> None:
    found = agreement(counts)
    assert found.pairwise is None or 0 <= found.pairwise <= 1
    assert found.alpha is None or found.alpha <= 1


@given(splits)
def test_agreement_does_not_care_which_finding_is_called_unsafe(counts: dict[Split, int]) -> None:
    swapped = {Split(split.safe, split.unsafe): times for split, times in counts.items()}
    found, mirrored = agreement(counts), agreement(swapped)
    assert mirrored.pairwise == found.pairwise
    assert mirrored.alpha == pytest.approx(found.alpha)
