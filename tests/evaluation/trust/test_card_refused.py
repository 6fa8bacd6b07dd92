"""Votes and labels of which no card is made: one line, and what to do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jury_votes import card_of, labels_of, planted, vote_table

from safejury import ConfigurationError
from safejury.deliberation.protocol.card import Cost
from safejury.evaluation.trust import NO_VOTE, score_card

VOTES, TRUTH = planted(np.random.default_rng(1), 60, [(0.9, 0.9), (0.7, 0.8)], rate=0.5)


def _silent() -> Any:
    votes = VOTES.copy()
    votes[:, 1] = NO_VOTE
    return vote_table(votes, jurors=("ann", "bob"))


@pytest.mark.parametrize(
    ("votes", "labels", "settings", "said"),
    [
        (VOTES, [0] * 60, {}, "all 60 labeled cases are safe, and a jury card needs both: label"),
        (VOTES, [1] * 60, {}, "all 60 labeled cases are unsafe"),
        (
            VOTES,
            [1, 0] * 14 + [-1] * 32,
            {},
            "28 labeled cases, 14 unsafe and 14 safe, are too few",
        ),
        (
            VOTES,
            [1] * 9 + [0] * 51,
            {},
            "9 unsafe and 51 safe, are too few for a jury card: label at",
        ),
        (VOTES, [-1] * 60, {}, "0 labeled cases"),
        (VOTES, [2, *TRUTH[1:]], {}, "the labels hold 2, and should be 1, 0, -1"),
        (np.where(VOTES == 1, 3, VOTES), TRUTH, {}, "the votes hold 3"),
        (VOTES, TRUTH[:50], {}, "the labels have the shape"),
        (VOTES[:, :0], TRUTH, {}, "no juror has votes"),
        (VOTES, TRUTH, {"repeats": 0}, "no cross-validation: use 10 repeats of 5"),
        (VOTES, TRUTH, {"resamples": 0}, "0 resamples make no interval"),
        (VOTES, TRUTH, {"cost": Cost(0, 1)}, "set both above 0"),
    ],
)
def test_what_makes_no_card_is_refused(
    votes: Any, labels: Any, settings: dict[str, Any], said: str
) -> None:
    """In one line."""
    with pytest.raises(ConfigurationError, match=said) as refused:
        card_of(vote_table(votes), labels_of(labels), **settings)
    assert "\n" not in str(refused.value)


def test_a_juror_that_never_votes_is_refused() -> None:
    """By its name."""
    with pytest.raises(ConfigurationError, match="the juror 'bob' votes in none of the 60 labeled"):
        card_of(_silent(), labels_of(TRUTH))


def test_values_that_are_no_number_are_refused() -> None:
    """Among votes and among weights."""
    table = replace(vote_table(VOTES), votes=np.where(VOTES == 1, np.nan, VOTES))
    with pytest.raises(ConfigurationError, match="the votes hold nan"):
        card_of(table, labels_of(TRUTH))
    weights = np.ones(60)
    weights[3] = np.nan
    with pytest.raises(ConfigurationError, match="no number of 0 or more"):
        card_of(vote_table(VOTES), labels_of(TRUTH, weights=weights))


def test_labels_of_a_few_queries_are_refused() -> None:
    """However many cases they have."""
    groups = [at % 4 for at in range(60)]
    with pytest.raises(ConfigurationError, match="of 4 different queries"):
        card_of(vote_table(VOTES, groups=groups), labels_of(TRUTH))


def test_a_card_is_not_scored_on_votes_of_another_jury() -> None:
    """A juror that it knows has no votes; one that it does not know is left out."""
    card = card_of(vote_table(VOTES, jurors=("ann", "bob")), labels_of(TRUTH))
    with pytest.raises(ConfigurationError, match="the card's juror 'bob' has no votes here"):
        score_card(card, vote_table(VOTES, jurors=("ann", "cleo")), labels_of(TRUTH))
    more = vote_table(np.hstack([VOTES, VOTES[:, :1]]), jurors=("ann", "bob", "cleo"))
    assert {*score_card(card, more, labels_of(TRUTH), resamples=50).jurors} == {"ann", "bob"}
