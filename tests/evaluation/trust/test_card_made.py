"""What a jury card says of votes and labels, through `make_card` and `score_card`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jury_votes import card_of, labels_of, planted, vote_table

from safejury.deliberation.protocol.card import (
    Cost,
    DecidedBy,
    Figure,
    JuryCard,
    RuleScores,
    Scores,
    read_card,
    write_card,
)
from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, Decided, score_card

JURORS = [(0.9, 0.9), (0.7, 0.95), (0.8, 0.7)]


def _figures(card: JuryCard) -> dict[str, Figure]:
    """Return all figures of a card by what they are of."""
    found: dict[str, Figure] = {}
    for kind, scores in (("juror", card.jurors), ("rule", card.rules)):
        for name, of in scores.items():
            for field in ("sensitivity", "specificity", "f1", "kappa", "abstained"):
                found[f"{kind} {name} {field}"] = getattr(of, field)
            for other in ("minus_best_juror", "minus_majority"):
                for field, figure in getattr(of, other, {}).items():
                    found[f"{kind} {name} {other} {field}"] = figure
    dependence, sequential = card.dependence, card.sequential
    assert dependence.error_correlation
    assert dependence.ac1
    assert sequential
    assert card.reliability
    found["effective jurors"], found["alpha"] = dependence.effective_jurors, dependence.alpha
    found["rho"], found["ac1"] = dependence.error_correlation, dependence.ac1
    found["calls"], found["changed"] = sequential.calls, sequential.changed
    found["sequential f1"], found["brier"] = sequential.f1, card.reliability.brier
    found |= {f"less {name}": figure for name, figure in sequential.minus_all.items()}
    found |= {f"bin {each.low}": each.unsafe for each in card.reliability.bins}
    found |= {f"without {name}": figure for name, figure in card.without.items()}
    found |= {f"labels {point.labels}": point.f1 for point in card.learning_curve}
    found |= {f"people {name}": figure for name, figure in card.labels.agreement.items()}
    return found


def _same(one: JuryCard, two: JuryCard, *, but: tuple[str, ...] = ()) -> None:
    first, second = _figures(one), _figures(two)
    assert first.keys() == second.keys()
    for name, figure in first.items():
        if not name.startswith(but):
            assert figure.value == pytest.approx(second[name].value, abs=1e-6), name
            assert figure.interval == pytest.approx(second[name].interval, abs=1e-6), name


def test_a_card_is_kept_and_scored_on_other_rows_in_the_same_shape(tmp_path: Path) -> None:
    """Nothing is fitted to the other rows: the models are those of the card."""
    random = np.random.default_rng(1)
    votes, truth = planted(random, 300, JURORS, none=0.05)
    others, other_truth = planted(random, 200, JURORS, rate=0.5, none=0.05)
    card = card_of(vote_table(votes), labels_of(truth), repeats=2)
    low, high = card.rules["calibrated"].f1.range or (1, 0)
    assert low <= (card.rules["calibrated"].f1.value or 0) <= high
    assert card.jurors["juror 0"].f1.range is None
    write_card(card, tmp_path / "jury-card.json")
    assert read_card(tmp_path / "jury-card.json") == card
    scored = score_card(card, vote_table(others), labels_of(other_truth), resamples=200)
    assert scored.models == card.models
    assert scored.jury == card.jury
    assert (scored.jurors.keys(), scored.rules.keys()) == (card.jurors.keys(), card.rules.keys())
    assert not any(rule.cross_validated for rule in scored.rules.values())
    assert card.models.best_juror is not None
    assert scored.rules["best_juror"].f1 == scored.jurors[card.models.best_juror].f1
    assert scored.labels.cases == 200


def test_a_card_is_scored_by_the_names_of_jurors_whatever_their_order() -> None:
    """Votes of one that the card does not know make no difference."""
    random = np.random.default_rng(12)
    votes, truth = planted(random, 200, [*JURORS, (0.6, 0.6)])
    table, labels = vote_table(votes[:, :3]), labels_of(truth)
    turned = vote_table(votes[:, ::-1], jurors=("a stranger", *reversed(table.jurors)))
    card = card_of(table, labels)
    scored, again = (score_card(card, each, labels, resamples=50) for each in (table, turned))
    assert list(again.jurors) == list(scored.jurors)
    _same(scored, again)


def test_every_figure_has_an_interval_that_holds_it() -> None:
    """None has no width but that of a rule less itself, even where a juror makes no error."""
    random = np.random.default_rng(2)
    votes, truth = planted(random, 80, [(1, 1), (0.9, 0.9), (0.8, 0.8)], rate=0.4)
    given = np.stack([truth, truth], axis=1)
    labels = labels_of(truth, annotators=("a", "b"), given=given)
    for name, figure in _figures(card_of(vote_table(votes), labels)).items():
        assert figure.value is not None, name
        assert figure.interval is not None, name
        low, high = figure.interval
        assert low <= figure.value <= high, name
        itself = name.startswith(("rule majority minus_maj", "rule best_juror minus_best"))
        assert (low, high) == (0, 0) if itself else low < high, name


def test_the_scores_of_a_juror_are_those_of_its_counts() -> None:
    """By hand: of 20 unsafe cases it finds 12, misses 4, is silent on 4; of 40 safe 32, 6, 2."""
    found = [1] * 12 + [0] * 4 + [-1] * 4 + [0] * 32 + [1] * 6 + [-1] * 2
    labels = labels_of([1] * 20 + [0] * 40)
    card = card_of(vote_table([[vote, vote, 0] for vote in found]), labels)
    scores = card.jurors["juror 0"]
    assert scores.sensitivity.value == pytest.approx(12 / 20)
    assert scores.specificity.value == pytest.approx(32 / 40)
    assert scores.f1.value == pytest.approx(2 * 12 / (2 * 12 + 6 + 8))
    assert scores.abstained.value == pytest.approx(6 / 60)
    by_chance = (16 * 18 + 38 * 36) / 54**2  # of the 54 cases with a vote
    assert scores.kappa.value == pytest.approx((44 / 54 - by_chance) / (1 - by_chance))
    assert scores.confusion is not None
    assert (scores.confusion.unsafe.none, scores.confusion.safe.unsafe) == (4, 6)
    assert scores.design_effect == pytest.approx((1, 1))


def test_the_majority_is_one_of_all_seats() -> None:
    """A seat that does not vote is in the denominator; a tie is no finding unless it is told."""
    rows = [[1, 1, 0, 0]] * 20 + [[1, 1, 0, -1]] * 20 + [[1, 1, 1, -1]] * 20 + [[0, 0, 0, 0]] * 20
    votes, labels = vote_table(rows), labels_of([1] * 60 + [0] * 20)
    plain = card_of(votes, labels).rules["majority"]
    assert plain.abstained.value == 0.5
    assert plain.sensitivity.value == pytest.approx(20 / 60)
    told = card_of(votes, labels, tie="unsafe").rules["majority"]
    assert told.sensitivity.value == pytest.approx(40 / 60)


def test_a_case_without_a_vote_is_never_right() -> None:
    """Neither for a juror nor for any rule."""
    votes, truth = planted(np.random.default_rng(3), 120, JURORS)
    silent = np.concatenate([votes, np.full((30, 3), NO_VOTE, np.int8)])
    label = np.concatenate([truth, np.array([UNSAFE, SAFE] * 15, np.int8)])
    card = card_of(vote_table(silent), labels_of(label))
    scores: list[Scores | RuleScores] = [*card.jurors.values(), *card.rules.values()]
    for of in scores:
        assert of.confusion is not None
        assert of.confusion.unsafe.none == pytest.approx(15)
        assert of.confusion.safe.none == pytest.approx(15)


def test_what_the_run_decided_is_scored_beside() -> None:
    """As the findings of its own protocol."""
    votes, truth = planted(np.random.default_rng(4), 100, JURORS)
    by = DecidedBy("k_of_n", talk="contested")
    card = card_of(vote_table(votes), labels_of(truth), decided=Decided(votes[:, 1], by))
    assert card.rules["as_decided"].protocol == by
    assert card.rules["as_decided"].f1 == card.jurors["juror 1"].f1


def test_the_order_of_cases_and_jurors_and_their_names_decide_nothing() -> None:
    """The figures are the same, whatever comes first and however jurors are called."""
    random = np.random.default_rng(5)
    votes, truth = planted(random, 160, JURORS, none=0.03)
    groups = [at // 2 for at in range(160)]
    names = ("ann", "bob", "cleo")
    card = card_of(vote_table(votes, jurors=names, groups=groups), labels_of(truth))
    order = random.permutation(160)
    shuffled = vote_table(votes[order], jurors=names, groups=[groups[int(at)] for at in order])
    _same(card, card_of(shuffled, labels_of(truth[order])))
    turned = vote_table(votes[:, ::-1], jurors=names[::-1], groups=groups)
    random_starts = ("calls", "changed", "sequential", "less")
    _same(card, card_of(turned, labels_of(truth)), but=random_starts)
    called = vote_table(votes, jurors=("zoe", "yan", "xi"), groups=groups)
    other = card_of(called, labels_of(truth))
    for one, two in (("ann", "zoe"), ("bob", "yan"), ("cleo", "xi")):
        assert other.jurors[two] == card.jurors[one]
    assert other.rules == card.rules


def test_a_cost_sets_the_threshold() -> None:
    """A miss that costs five times as much is worth more false alarms."""
    votes, truth = planted(np.random.default_rng(6), 300, JURORS)
    card = card_of(vote_table(votes), labels_of(truth), cost=Cost(miss=5, false_alarm=1))
    even = card_of(vote_table(votes), labels_of(truth), cost=Cost(miss=1, false_alarm=1))
    assert card.models.calibrated
    assert card.models.calibrated.threshold == pytest.approx(1 / 6)
    assert card.models.calibrated.cost == Cost(5, 1)
    dear, cheap = card.rules["calibrated"].sensitivity, even.rules["calibrated"].sensitivity
    assert dear.value is not None
    assert cheap.value is not None
    assert dear.value > cheap.value


def test_labels_drawn_by_verdict_count_for_those_not_drawn() -> None:
    """Of the flagged cases all were labeled, of the others a fifth: a label stands for five."""
    votes, truth = planted(np.random.default_rng(7), 4000, JURORS, rate=0.2)
    flagged = votes[:, 0] == UNSAFE
    drawn = flagged | (np.random.default_rng(8).random(4000) < 0.2)
    weights = np.where(flagged, 1.0, 5.0)
    label = np.where(drawn, truth, -1)
    weighed = card_of(vote_table(votes), labels_of(label, weights=weights))
    plain = card_of(vote_table(votes), labels_of(label))
    sensitivity, naive = (card.jurors["juror 0"].sensitivity for card in (weighed, plain))
    assert sensitivity.value == pytest.approx(0.9, abs=0.03)
    assert naive.value is not None
    assert naive.value > 0.96
    confusion = weighed.jurors["juror 0"].confusion
    assert confusion is not None
    labeled = int(((truth == UNSAFE) & drawn).sum())
    assert sum((confusion.unsafe.unsafe, confusion.unsafe.safe)) == pytest.approx(labeled)


def test_a_card_finds_what_it_would_find_as_a_rule() -> None:
    """Of lost ballots too: what they could change is no finding."""
    random = np.random.default_rng(9)
    votes, truth = planted(random, 200, JURORS, none=0.15)
    lost = (votes == NO_VOTE) & (random.random(votes.shape) < 0.5)
    table = vote_table(votes, lost=lost)
    card = card_of(table, labels_of(truth))
    scored = score_card(card, table, labels_of(truth), resamples=50)
    found = {"unsafe": 0, "safe": 0, "none": 0}
    for row, gone, label in zip(votes.tolist(), lost.tolist(), truth.tolist(), strict=True):
        said = {
            name: {UNSAFE: "unsafe", SAFE: "safe", NO_VOTE: None}[vote]
            for name, vote, away in zip(table.jurors, row, gone, strict=True)
            if not away
        }
        if label == UNSAFE:
            finding = card.apply(said).finding
            found["none" if finding is None else str(finding)] += 1
    confusion = scored.rules["calibrated"].confusion
    assert confusion is not None
    counted = confusion.unsafe
    assert found == {"unsafe": counted.unsafe, "safe": counted.safe, "none": counted.none}
    assert counted.none > 0


def test_targets_and_scenarios_of_the_labels_are_counted() -> None:
    """Of labeled cases alone."""
    votes, truth = planted(np.random.default_rng(10), 60, JURORS, rate=0.5)
    label = truth.copy()
    label[:4] = -1
    table = replace(
        vote_table(votes), targets=("one", "two") * 30, scenarios=("",) * 30 + ("fraud",) * 30
    )
    used = card_of(table, labels_of(label)).labels
    assert (used.cases, used.targets) == (56, {"one": 28, "two": 28})
    assert (used.scenarios, used.annotators) == ({"fraud": 30}, 0)
