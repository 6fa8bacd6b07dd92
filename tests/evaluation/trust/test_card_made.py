"""What a jury card says of votes and labels, through `make_card` and `score_card`."""

import numpy as np

from safejury.deliberation.protocol.card import CardJury, CardSeat, read_card, write_card
from safejury.evaluation.trust import Labels, VoteTable, make_card, score_card


def _table(votes: list[list[int]]) -> VoteTable:
    found = np.array(votes, np.int8)
    n, k = found.shape
    return VoteTable(
        jurors=tuple(f"juror{at}" for at in range(k)),
        cases=tuple(f"case{at}" for at in range(n)),
        groups=tuple(f"query{at // 2}" for at in range(n)),
        votes=found,
        ratings=np.zeros((n, k), np.int8),
        lost=np.zeros((n, k), np.bool_),
    )


def test_a_card_is_scored_on_other_rows_in_the_same_shape(tmp_path: object) -> None:
    votes = _table([[1, 1, 0], [0, 0, 0], [1, 1, 1], [0, -1, 0]] * 20)
    labels = Labels(np.array([1, 0, 1, 0] * 20, np.int8))
    jury = CardJury(
        sha256="0" * 64, source="ballots", seats=tuple(CardSeat(n) for n in votes.jurors)
    )
    card = make_card(votes, labels, jury=jury)
    scored = score_card(card, votes, labels)
    assert set(card.jurors) == set(scored.jurors) == set(votes.jurors)
    assert {"majority", "best_juror", "dawid_skene", "calibrated"} <= set(card.rules)
    assert card.labels.cases == 80
    assert read_card is not None
    assert write_card is not None
