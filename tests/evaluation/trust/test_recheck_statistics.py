"""The test of a recheck: how often it names a juror, moved or not, on seeded jurors."""

import random
from collections.abc import Callable

import pytest

from safejury.agents import BallotOutcome, Finding
from safejury.evaluation.trust.recheck import Rates, Said, compare

CASES = 100
JURORS = ("steady", "noisy", "noisier", "guessing", "absent")
FLIPS = {"steady": 0.0, "noisy": 0.05, "noisier": 0.2, "guessing": 0.5, "absent": 0.1}
"""How often a juror states the other finding than it mostly does, or, absent, gives no vote."""
Draw = Callable[[str, int], Said]


def vote(unsafe: bool) -> Said:
    return Said(BallotOutcome.VERDICT, Finding.UNSAFE if unsafe else Finding.SAFE, 1)


def drawn(seed: int, flips: dict[str, float] = FLIPS) -> Draw:
    """Return a way to ask the jurors, who answer anew each time."""
    draw = random.Random(seed)

    def said(juror: str, case: int) -> Said:
        odd = draw.random() < flips[juror]
        if juror == "absent" and odd:
            return Said(BallotOutcome.REFUSED)
        return (
            vote((case * 7 + len(juror)) % 2 == 0)
            if not odd
            else vote((case * 7 + len(juror)) % 2 == 1)
        )

    return said


def moved(then: Draw, now: Draw, alpha: float = 0.05, jurors: tuple[str, ...] = JURORS) -> set[str]:
    """Check the jurors on 100 cases, and return those that are named."""
    labels = {str(n): Finding.UNSAFE if n % 2 else Finding.SAFE for n in range(CASES)}
    keys = [(str(n), juror) for n in range(CASES) for juror in jurors]
    old = {key: then(key[1], int(key[0])) for key in keys}
    new = {key: now(key[1], int(key[0])) for key in keys}
    again = {key: now(key[1], int(key[0])) for key in keys if old[key].finding != new[key].finding}
    found = compare(jurors, labels, old, new, again, alpha=alpha)
    return {one.juror for one in found if one.moved}


def test_noise_alone_names_a_juror_no_more_often_than_is_declared() -> None:
    """400 checks of five noisy jurors at 5 %: 20 are expected at most, and 32 allow for chance."""
    false = sum(bool(moved(drawn(2 * n), drawn(2 * n + 1))) for n in range(400))
    assert false <= 32


@pytest.mark.parametrize("juror", ["steady", "noisy"])
def test_a_juror_that_judges_otherwise_is_named_alone(juror: str) -> None:
    """It now says the opposite of a fifth of the cases, always the same ones."""

    def swapped(seed: int) -> Draw:
        same = drawn(seed)

        def said(name: str, case: int) -> Said:
            one = same(name, case)
            if name != juror or case % 5 or one.finding is None:
                return one
            return vote(one.finding is Finding.SAFE)

        return said

    named = [moved(drawn(2 * n), swapped(2 * n + 1)) for n in range(50)]
    assert sum(each == {juror} for each in named) >= 35
    assert sum(bool(each - {juror}) for each in named) <= 6  # 2.5 expected at most


def test_a_juror_that_became_noisy_is_named_too() -> None:
    """Less often: its changes go back and forth, and only so many of them are more than chance."""
    now = {**FLIPS, "steady": 0.3}
    named = [moved(drawn(2 * n), drawn(2 * n + 1, now)) for n in range(50)]
    assert sum("steady" in each for each in named) >= 12


def test_lost_ballots_move_nobody() -> None:
    def lost(name: str, case: int) -> Said:
        return Said(BallotOutcome.TRANSPORT_ERROR)

    assert moved(drawn(0), lost) == set()


def test_a_juror_that_refuses_now_is_named() -> None:
    def refuses(name: str, case: int) -> Said:
        return Said(BallotOutcome.REFUSED) if name == "steady" else drawn(3)(name, case)

    assert moved(drawn(0), refuses, jurors=("steady",)) == {"steady"}


def test_a_rate_is_corrected_by_hand() -> None:
    """(0.06 + 0.95 - 1) / (0.8 + 0.95 - 1) = 0.0133; nothing where votes tell nothing."""
    rates = Rates((8, 10), (95, 100))
    assert rates.corrected(0.06) == pytest.approx(0.01 / 0.75)
    assert rates.corrected(0.9) == 1
    assert rates.corrected(0.01) is None  # below the 5 % of false alarms
    assert Rates((1, 10), (9, 10)).corrected(0.5) is None
    assert Rates((2, 10), (9, 10)).corrected(0.5) is None
    assert Rates().corrected(0.5) is None
