"""`stop: sequential`: whom it asks, when it stops, and what it finds then."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jury_cards import hand_card

from safejury.agents import Ballot, BallotOutcome, Finding
from safejury.common import ConfigurationError
from safejury.deliberation import Rule, decide
from safejury.deliberation.protocol.asking import AskBySequence
from safejury.deliberation.protocol.card import JuryCard, VoteModel

SEATS = ("alpha", "bravo", "charlie", "delta")
SAID = ("unsafe", "safe", "abstain", "lost")
CLASSES = (0.8, 0.2)
# Two kinds of cases, nearly always safe and mostly unsafe; delta errs most.
VOTES = {
    "alpha": ((0.02, 0.95, 0.03), (0.9, 0.08, 0.02)),
    "bravo": ((0.05, 0.93, 0.02), (0.8, 0.18, 0.02)),
    "charlie": ((0.1, 0.88, 0.02), (0.7, 0.25, 0.05)),
    "delta": ((0.3, 0.65, 0.05), (0.6, 0.35, 0.05)),
}
WEIGHTS = {
    "alpha": (1.6, -1.2, 0.2),
    "bravo": (1.1, -1.0, 0.1),
    "charlie": (0.7, -0.6, 0.3),
    "delta": (0.2, -0.1, 0.0),
}


def card(joint: VoteModel, weights: Mapping[str, Sequence[float]] = WEIGHTS) -> JuryCard:
    made = hand_card({name: tuple(each) for name, each in weights.items()}, threshold=0.6)  # type: ignore[misc]
    models = msgspec.structs.replace(made.models, joint=joint)
    return msgspec.structs.replace(made, models=models)


CARD = card(VoteModel(classes=CLASSES, votes=VOTES))
RULES = (
    Rule("majority", tie="no_verdict", card=CARD),
    Rule("majority", tie="unsafe", card=CARD),
    Rule("any", card=CARD),
    Rule("k_of_n", k=2, card=CARD),
    Rule("k_of_n", k=3, card=CARD),
    Rule("calibrated", card=CARD),
    Rule("calibrated", card=CARD, threshold=0.3),
    Rule("best_juror", card=CARD),
)


def cast(juror: str, said: str, rating: int | None = None) -> Ballot:
    if said in ("unsafe", "safe"):
        return Ballot(juror, 0, BallotOutcome.VERDICT, Finding(said), rating)
    outcome = BallotOutcome.ABSTAIN if said == "abstain" else BallotOutcome.TRANSPORT_ERROR
    return Ballot(juror, 0, outcome)


def heard(asking: AskBySequence, said: Mapping[str, str], *, singly: bool = False) -> list[Ballot]:
    """Ask as the foreperson does; singly asks the first of each wave alone."""
    ballots = list[Ballot]()
    while wave := asking.next("case", ballots):
        ballots += [cast(seat, said[seat]) for seat in (wave[:1] if singly else wave)]
    return ballots


def every_pattern(said: Sequence[str] = SAID) -> Iterator[dict[str, str]]:
    return (dict(zip(SEATS, each, strict=True)) for each in product(said, repeat=len(SEATS)))


def chances(ballots: Sequence[Ballot], rule: Rule, model: VoteModel) -> dict[Finding | None, float]:
    """Return the chance of each outcome once all are asked, by trying all that they may say."""
    asked = {ballot.juror: ballot for ballot in ballots}
    rest = [seat for seat in model.votes if seat not in asked]
    found: dict[Finding | None, float] = {Finding.UNSAFE: 0.0, Finding.SAFE: 0.0, None: 0.0}
    for number, share in enumerate(model.classes):
        known = share
        for seat, ballot in asked.items():
            if ballot.outcome.is_lost:
                continue
            which = (0 if ballot.finding is Finding.UNSAFE else 1) if ballot.is_vote else 2
            known *= model.votes[seat][number][which]
        for votes in product(range(3), repeat=len(rest)):
            chance, all_of_them = known, list(ballots)
            for seat, vote in zip(rest, votes, strict=True):
                chance *= model.votes[seat][number][vote]
                all_of_them.append(cast(seat, SAID[vote]))
            found[decide(all_of_them, rule, seats=len(model.votes)).finding] += chance
    total = sum(found.values())
    return {finding: chance / total for finding, chance in found.items()}


SHARES = st.floats(0.02, 1.0)


@st.composite
def models(draw: st.DrawFn) -> VoteModel:
    def shares(count: int) -> tuple[float, ...]:
        drawn = draw(st.tuples(*[SHARES] * count))
        return tuple(each / sum(drawn) for each in drawn)

    classes = shares(draw(st.integers(1, 3)))
    votes = {seat: tuple(shares(3) for _ in classes) for seat in SEATS}
    return VoteModel(classes=classes, votes=votes)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    model=models(),
    rule=st.sampled_from(RULES),
    said=st.tuples(*[st.sampled_from(SAID)] * len(SEATS)),
    order=st.permutations(SEATS),
    count=st.integers(1, 3),
    bound=st.sampled_from((0.01, 0.05, 0.1)),
)
def test_the_chance_that_the_rest_changes_the_finding_is_exact(
    model: VoteModel,
    rule: Rule,
    said: Sequence[str],
    order: Sequence[str],
    count: int,
    bound: float,
) -> None:
    """It is what trying all ballots of the rest gives, and decides when to stop."""
    ruled = Rule(rule.name, rule.k, rule.tie, card(model), rule.threshold)
    ballots = [cast(seat, words) for seat, words in list(zip(order, said, strict=True))[:count]]
    asking = AskBySequence(SEATS, ruled, bound)
    by_trying = chances(ballots, ruled, model)
    likeliest = max(by_trying, key=by_trying.__getitem__)
    change = 1 - by_trying[likeliest]
    voted = any(ballot.is_vote for ballot in ballots)
    if abs(change - bound) > 1e-9 and voted:
        assert (asking.next("case", ballots) == ()) == (change <= bound)
    decided = asking.decide(ballots)
    if not voted:
        assert decided.finding is None
        return
    if sorted(by_trying.values())[-2] < by_trying[likeliest] - 1e-9:
        assert decided.finding == likeliest
    if change > 0.0002:
        assert f"{change:.4f}" in decided.reason or f"{change + 1e-9:.4f}" in decided.reason


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_bound_of_0_loses_nothing(rule: Rule) -> None:
    """Whatever all four say, stopping early finds what asking all finds."""
    asking = AskBySequence(SEATS, rule, 0.0)
    saved = 0
    for said in every_pattern():
        ballots = heard(asking, said)
        every = [cast(seat, words) for seat, words in said.items()]
        assert asking.decide(ballots).finding == decide(every, rule, seats=4).finding, said
        saved += 4 - len(ballots)
    assert saved > 0


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("bound", [0.0, 0.02, 0.1])
def test_a_wave_costs_no_call_that_asking_one_by_one_saves(rule: Rule, bound: float) -> None:
    asking = AskBySequence(SEATS, rule, bound)
    for said in every_pattern():
        at_once = {ballot.juror for ballot in heard(asking, said)}
        assert at_once == {ballot.juror for ballot in heard(asking, said, singly=True)}, said


def test_jurors_who_are_asked_anyway_are_asked_at_once() -> None:
    """No two of five settle a majority, and like jurors are asked in one order."""
    five = (*SEATS, "echo")
    alike = VoteModel(classes=CLASSES, votes=dict.fromkeys(five, VOTES["bravo"]))
    asking = AskBySequence(five, Rule("majority", card=card(alike)), 0.0)
    assert asking.next("case", []) == five[:3]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_few_findings_change_where_the_model_is_true(rule: Rule) -> None:
    """Of cases drawn from the model no more change than the bound says."""
    drawn, bound = random.Random(7), 0.02
    asking = AskBySequence(SEATS, rule, bound)
    changed = calls = 0
    for _ in range(1000):
        number = drawn.choices(range(len(CLASSES)), CLASSES)[0]
        said = {seat: drawn.choices(SAID[:3], VOTES[seat][number])[0] for seat in SEATS}
        ballots = heard(asking, said)
        every = [cast(seat, words) for seat, words in said.items()]
        changed += asking.decide(ballots).finding != decide(every, rule, seats=4).finding
        calls += len(ballots)
    assert changed / 1000 <= bound
    assert calls < 1000 * 3


def test_whom_it_asks_costs_hardly_more_than_the_best_order_can() -> None:
    """The best plan is found by trying all; a juror of twice the price is asked less."""
    model = VoteModel(
        classes=CLASSES,
        votes={
            seat: tuple((u / (u + s), s / (u + s), 0.0) for u, s, _ in rows)
            for seat, rows in VOTES.items()
        },
    )
    rule = Rule("majority", tie="unsafe", card=card(model))
    for costs in (None, dict.fromkeys(SEATS, 1.0) | {"alpha": 2.0}):
        asking = AskBySequence(SEATS, rule, 0.01, costs)
        planned = best = 0.0
        best = least_cost([], rule, model, costs or {})
        for said in every_pattern(SAID[:2]):
            chance = sum(
                share * _product(model.votes[seat][at][SAID.index(said[seat])] for seat in SEATS)
                for at, share in enumerate(model.classes)
            )
            asked = [ballot.juror for ballot in heard(asking, said)]
            planned += chance * sum((costs or {}).get(seat, 1.0) for seat in asked)
        assert best - 1e-9 <= planned <= 1.03 * best


def _product(chances: Iterator[float]) -> float:
    result = 1.0
    for chance in chances:
        result *= chance
    return result


def least_cost(
    ballots: list[Ballot], rule: Rule, model: VoteModel, costs: Mapping[str, float]
) -> float:
    found = chances(ballots, rule, model)
    rest = [seat for seat in SEATS if seat not in {ballot.juror for ballot in ballots}]
    if not rest or (ballots and 1 - max(found.values()) <= 0.01):
        return 0.0
    ways = list[float]()
    for seat in rest:
        weights = [
            sum(
                share
                * _product(
                    model.votes[ballot.juror][at][SAID.index(str(ballot.finding))]
                    for ballot in [*ballots, cast(seat, words)]
                )
                for at, share in enumerate(model.classes)
            )
            for words in SAID[:2]
        ]
        later = [
            least_cost([*ballots, cast(seat, words)], rule, model, costs) for words in SAID[:2]
        ]
        mean = sum(w * cost for w, cost in zip(weights, later, strict=True)) / sum(weights)
        ways.append(costs.get(seat, 1.0) + mean)
    return min(ways)


def test_nothing_is_found_where_nobody_voted() -> None:
    """However sure the model is beforehand, the seats are asked until one votes."""
    sure = VoteModel(classes=(1.0,), votes=dict.fromkeys(SEATS, ((0.0, 1.0, 0.0),)))
    asking = AskBySequence(SEATS, Rule("majority", tie="safe", card=card(sure)), 0.1)
    ballots = heard(asking, dict.fromkeys(SEATS, "lost"))
    assert len(ballots) >= 2  # then no majority can come together
    assert asking.decide(ballots).finding is None
    two = heard(asking, {**dict.fromkeys(SEATS, "safe"), ballots[0].juror: "lost"})
    assert asking.decide(two).finding is Finding.SAFE


def test_the_probability_is_the_mean_of_what_the_rest_would_make_it() -> None:
    rule = Rule("calibrated", card=CARD)
    ballots = [cast("alpha", "safe"), cast("bravo", "safe")]
    decided = AskBySequence(SEATS, rule, 0.1).decide(ballots)
    mean = total = 0.0
    for at, share in enumerate(CLASSES):
        known = share * VOTES["alpha"][at][1] * VOTES["bravo"][at][1]
        for c, d in product(range(3), repeat=2):
            chance = known * VOTES["charlie"][at][c] * VOTES["delta"][at][d]
            every = [*ballots, cast("charlie", SAID[c]), cast("delta", SAID[d])]
            mean += chance * (decide(every, rule, seats=4).probability or 0.0)
            total += chance
    assert decided.probability == pytest.approx(mean / total)
    lost = [cast("alpha", "safe"), cast("bravo", "lost")]
    assert AskBySequence(SEATS, rule, 0.1).decide(lost).probability is None


def test_ratings_that_are_not_known_yet_keep_it_from_stopping() -> None:
    """Where ratings count, a juror that was not asked may give any."""
    weights = {seat: (0.6, -0.6, 0.0, 0.4) for seat in SEATS}
    joint = VoteModel(classes=(1.0,), votes=dict.fromkeys(SEATS, ((0.01, 0.99, 0.0),)))
    rule = Rule("calibrated", card=card(joint, weights), threshold=0.5)
    asking = AskBySequence(SEATS, rule, 0.0)
    said = {"alpha": 5, "bravo": 4, "charlie": 5, "delta": 1}
    ballots = list[Ballot]()
    while wave := asking.next("case", ballots):
        ballots += [cast(seat, "safe", said[seat]) for seat in wave]
        every = [*ballots]
    every = [cast(seat, "safe", rating) for seat, rating in said.items()]
    assert asking.decide(ballots).finding == decide(every, rule, seats=4).finding


def test_a_large_jury_is_planned_in_parts() -> None:
    """Sixteen jurors: the chance is bounded from above, and few are asked."""
    seats = tuple(f"juror_{number:02}" for number in range(16))
    drawn = random.Random(3)
    joint = VoteModel(
        classes=(0.9, 0.1),
        votes={
            seat: ((low, 0.98 - low, 0.02), (high, 0.98 - high, 0.02))
            for seat in seats
            for low, high in [(drawn.uniform(0.01, 0.1), drawn.uniform(0.6, 0.9))]
        },
    )
    weights = {seat: (drawn.uniform(0.2, 1.0), -drawn.uniform(0.2, 1.0), 0.05) for seat in seats}
    for name in ("calibrated", "k_of_n"):
        rule = Rule(name, card=card(joint, weights), k=8 if name == "k_of_n" else None)
        asking = AskBySequence(seats, rule, 0.005)
        changed = calls = 0
        for _ in range(100):
            at = drawn.choices(range(2), joint.classes)[0]
            said = {seat: drawn.choices(SAID[:3], joint.votes[seat][at])[0] for seat in seats}
            ballots = heard(asking, said)
            every = [cast(seat, words) for seat, words in said.items()]
            changed += asking.decide(ballots).finding != decide(every, rule, seats=16).finding
            calls += len(ballots)
        assert changed <= 2
        assert calls < 100 * 6


@pytest.mark.parametrize(
    ("rule", "seats", "problem"),
    [
        (Rule("majority", tie="safe"), SEATS, "name one as jury.card"),
        (Rule("majority", card=hand_card(WEIGHTS)), SEATS, "no model of the jurors' joint votes"),  # type: ignore[arg-type]
        (Rule("majority", card=CARD), (*SEATS, "echo"), "no votes of 'echo'"),
        (Rule("foreperson", card=CARD), SEATS, "cannot go with rule: foreperson"),
    ],
)
def test_what_it_cannot_plan_for_is_refused(rule: Rule, seats: Sequence[str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        AskBySequence(seats, rule, 0.002)


def test_the_example_of_the_docs_is_true() -> None:
    """Two classes, 90 and 10 % of the cases; after one safe vote the chance is 0.017."""
    seats = SEATS[:3]
    votes = ((0.05, 0.95, 0.0), (0.8, 0.2, 0.0))
    joint = VoteModel(classes=(0.9, 0.1), votes=dict.fromkeys(seats, votes))
    rule = Rule("majority", card=card(joint))
    one = [cast("alpha", "safe")]
    assert AskBySequence(seats, rule, 0.02).next("case", one) == ()
    assert AskBySequence(seats, rule, 0.002).next("case", one) != ()
    reason = AskBySequence(seats, rule, 0.02).decide(one).reason
    assert reason == "stopped after 1 of 3: the chance that the rest would change it is 0.0171"
    two = [*one, cast("bravo", "safe")]
    assert AskBySequence(seats, rule, 0.0).next("case", two) == ()
    assert AskBySequence(seats, rule, 0.0).decide(two).reason.endswith("the rest cannot change it")


def test_a_probability_is_at_most_1_where_all_are_certain() -> None:
    """The chances of the three votes sum to a little more than 1, as floating point adds them."""
    votes = ((0.7, 0.2, 0.1), (0.1, 0.6, 0.3))
    for first, second in product((0.9, 0.7, 0.35, 0.15), repeat=2):
        joint = VoteModel(
            classes=(first, 1 - first),
            votes=dict.fromkeys(SEATS, (votes[0], (second, 0, 1 - second))),
        )
        certain = {seat: (60.0, 60.0, 60.0) for seat in SEATS}
        asking = AskBySequence(SEATS, Rule("calibrated", card=card(joint, certain)), 0.002)
        probability = asking.decide([cast("alpha", "unsafe")]).probability
        assert probability is not None
        assert 0.999999 < probability <= 1


@pytest.mark.parametrize("bound", [0.0, 0.05])
def test_a_juror_that_was_left_out_of_the_jury_is_missing(bound: float) -> None:
    """Alpha weighs most: what it would have said is not known, whoever stops early."""
    seats, rule = SEATS[1:], Rule("calibrated", card=CARD, threshold=0.3)
    asking = AskBySequence(seats, rule, bound)
    found = set[Finding | None]()
    for words in product(SAID, repeat=3):
        said: dict[str, str] = dict(zip(seats, words, strict=True))
        decision = asking.decide(heard(asking, said))
        whole = decide([cast(seat, it) for seat, it in said.items()], rule, seats=3)
        assert decision.probability is None
        if not bound:
            assert decision.finding == whole.finding
        elif whole.finding is None:
            found.add(decision.finding)
    assert bound == 0 or None in found
