"""The rules that decide by a jury card: `calibrated` and `best_juror`."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import permutations, product
from math import exp
from pathlib import Path
from typing import Any

import msgspec
import pytest
from autogen_core import ComponentModel
from hypothesis import given, settings
from hypothesis import strategies as st
from jury_cards import hand_card

from safejury.agents import Ballot, BallotOutcome, Case, Finding
from safejury.common import ConfigurationError
from safejury.deliberation import (
    PRESETS,
    Cost,
    Jury,
    JuryCard,
    Rule,
    build_verdict,
    decide,
    read_card,
    seat,
    settled,
    write_card,
)
from safejury.deliberation.protocol.card import CardJury, CardSeat
from safejury.models import ModelSpec
from safejury.testing import ScriptedReply, ScriptedServer
from safejury.testing import ballot as scripted

OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[[Any], str | ScriptedReply]]
MakeCase = Callable[..., Case]

UNSAFE, SAFE = Finding.UNSAFE, Finding.SAFE
LOST = (BallotOutcome.TRANSPORT_ERROR, BallotOutcome.BUDGET_STOP)
SILENT = [outcome for outcome in BallotOutcome if outcome not in (*LOST, BallotOutcome.VERDICT)]
Said = Finding | BallotOutcome

CARD = hand_card(
    {"alpha": (3.0, -2.0, 0.5), "bravo": (1.0, -0.5, 0.0), "charlie": (0.5, -1.0, 0.25)},
    intercept=-1.5,
    threshold=0.4,
)
RATED = hand_card({"alpha": (1.0, -1.0, 0.0, 0.5), "bravo": (0.5, -0.5, -1.5)})


def cast(juror: str, said: Said, rating: int | None = None, number: int = 0) -> Ballot:
    if isinstance(said, BallotOutcome):
        return Ballot(juror, number, said)
    return Ballot(juror, number, BallotOutcome.VERDICT, said, rating)


def round_of(*said: Said) -> tuple[Ballot, ...]:
    names = ("alpha", "bravo", "charlie")
    return tuple(cast(name, each) for name, each in zip(names, said, strict=False))


def sigmoid(odds: float) -> float:
    return 1 / (1 + exp(-odds))


def rule(card: JuryCard = CARD, name: str = "calibrated", **settings: Any) -> Rule:
    return Rule(name, card=card, **settings)


@pytest.mark.parametrize(
    ("said", "odds"),
    [
        ((UNSAFE, SAFE, SAFE), -1.5 + 3.0 - 0.5 - 1.0),
        ((SAFE, UNSAFE, UNSAFE), -1.5 - 2.0 + 1.0 + 0.5),
        ((UNSAFE, BallotOutcome.ABSTAIN, BallotOutcome.UNPARSED), -1.5 + 3.0 + 0.0 + 0.25),
        ((BallotOutcome.REFUSED, SAFE, BallotOutcome.FILTERED), -1.5 + 0.5 - 0.5 + 0.25),
    ],
)
def test_what_each_juror_said_is_weighed(said: tuple[Said, ...], odds: float) -> None:
    decision = decide(round_of(*said), rule(), seats=3)
    assert decision.probability == pytest.approx(sigmoid(odds))
    assert decision.finding == (UNSAFE if sigmoid(odds) > 0.4 else SAFE)
    assert decision.reason == ""


def test_one_that_the_card_trusts_outvotes_a_majority() -> None:
    ballots = round_of(UNSAFE, SAFE, SAFE)
    assert decide(ballots, Rule(), seats=3).finding is SAFE
    assert decide(ballots, rule(), seats=3).finding is UNSAFE


@pytest.mark.parametrize("outcome", SILENT)
def test_nothing_is_found_where_nobody_voted(outcome: BallotOutcome) -> None:
    decision = decide(round_of(*[outcome] * 3), rule(), seats=3)
    assert (decision.finding, decision.probability) == (None, None)
    assert decision.reason == "no juror voted, so that there is nothing to go by"


@pytest.mark.parametrize("outcome", LOST)
def test_a_finding_stands_only_where_no_lost_ballot_could_change_it(
    outcome: BallotOutcome,
) -> None:
    """A lost ballot is no evidence: it may have said anything."""
    stands = decide(round_of(UNSAFE, UNSAFE, outcome), rule(), seats=3)
    assert (stands.finding, stands.probability) == (UNSAFE, None)
    falls = decide(round_of(outcome, SAFE, SAFE), rule(), seats=3)
    assert (falls.finding, falls.probability) == (None, None)
    low, high = sigmoid(-1.5 - 2 - 0.5 - 1), sigmoid(-1.5 + 3 - 0.5 - 1)
    assert falls.reason == (
        f"what is missing (alpha) could change the finding: the probability of unsafe is between "
        f"{low:.2f} and {high:.2f}, and the threshold is 0.40"
    )
    assert decide(round_of(outcome, SAFE, SAFE)[1:], rule(), seats=3) == falls


def _anything(juror: str) -> list[Ballot]:
    votes = [cast(juror, each, rating) for each in Finding for rating in (1, 3, 5)]
    return [*votes, cast(juror, BallotOutcome.ABSTAIN)]


@settings(deadline=None)
@given(st.data())
def test_lost_ballots_agree_with_trying_all_that_they_may_have_said(data: st.DataObject) -> None:
    said = [[*_anything(name), cast(name, LOST[0])] for name in ("alpha", "bravo")]
    ballots = [data.draw(st.sampled_from(each)) for each in said]
    filled = [*product(*(_anything(b.juror) if b.outcome.is_lost else [b] for b in ballots))]
    may_be = [decide(each, rule(RATED), seats=2).probability for each in filled]
    at = data.draw(st.sampled_from([0.0, *(likely for likely in may_be if likely is not None)]))
    chosen = rule(RATED, threshold=data.draw(st.sampled_from([at, max(0.0, at - 1e-9)])))
    findings = {decide(each, chosen, seats=2).finding for each in filled}
    found = decide(ballots, chosen, seats=2).finding
    assert found == (findings.pop() if len(findings) == 1 else None)


def test_ratings_count_where_the_card_weighs_them() -> None:
    def odds(finding: Finding, rating: int | None) -> float | None:
        ballots = [cast("alpha", finding, rating), cast("bravo", SAFE, 1)]
        return decide(ballots, rule(RATED), seats=2).probability

    assert odds(UNSAFE, 1) == pytest.approx(sigmoid(1.0 + 2 * 0.5 - 0.5))
    assert odds(SAFE, 5) == pytest.approx(sigmoid(-1.0 - 2 * 0.5 - 0.5))
    assert odds(SAFE, 3) == odds(SAFE, None) == pytest.approx(sigmoid(-1.0 - 0.5))


def test_the_order_of_ballots_decides_nothing() -> None:
    ballots = round_of(UNSAFE, BallotOutcome.ABSTAIN, SAFE)
    assert len({decide(each, rule(), seats=3) for each in permutations(ballots)}) == 1


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, UNSAFE),
        ({"threshold": 0.5}, SAFE),
        ({"threshold": 0.4999999}, UNSAFE),
        ({"cost": Cost(1, 1)}, SAFE),  # above 1 / (1 + 1)
        ({"cost": Cost(5, 1)}, UNSAFE),
        ({"cost": Cost(0.1, 1)}, SAFE),
    ],
)
def test_the_threshold_is_the_cards_or_ones_own(changes: dict[str, Any], finding: Finding) -> None:
    """At even odds the finding is unsafe only above the threshold, never at it."""
    decision = decide(round_of(UNSAFE, SAFE, SAFE), rule(**changes), seats=3)
    assert (decision.probability, decision.finding) == (0.5, finding)


def test_the_best_juror_decides_alone() -> None:
    chosen = rule(replace_best("bravo"), "best_juror")
    assert decide(round_of(SAFE, UNSAFE, SAFE), chosen, seats=3).finding is UNSAFE
    for outcome in (*SILENT, *LOST):
        decision = decide(round_of(SAFE, outcome, SAFE), chosen, seats=3)
        assert decision.finding is None
        assert decision.reason == f"bravo, by whom the rule decides, gave no vote ({outcome})"
    alone = decide(round_of(SAFE), chosen, seats=3)
    assert (alone.finding, alone.reason) == (None, "bravo, by whom the rule decides, was not asked")


def replace_best(name: str) -> JuryCard:
    weights = {"alpha": (1.0, -1.0, 0.0), "bravo": (1.0, -1.0, 0.0), "charlie": (1.0, -1.0, 0.0)}
    return hand_card(weights, best=name)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Rule("calibrated"), "rule: calibrated decides by what a jury card says of the jurors"),
        (Rule("best_juror"), "name one as jury.card, which safejury calibrate writes"),
        (rule(hand_card({"alpha": (1, -1, 0)}), threshold=1.5), "threshold is 1.5: set a prob"),
        (rule(threshold=float("nan")), "threshold is nan"),
        (rule(threshold=0.3, cost=Cost(5, 1)), "take one of them out"),
        (rule(cost=Cost(0, 1)), "the cost of a miss is 0"),
        (rule(cost=Cost(1, float("inf"))), "that of a false alarm inf: set both above 0"),
        (Rule(threshold=0.3), "threshold and cost go with rule: calibrated, and here the rule is"),
        (rule(name="best_juror", cost=Cost(5, 1)), "here the rule is best_juror: take them out"),
    ],
)
def test_a_rule_that_cannot_use_its_card_is_refused(chosen: Rule, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^[^\n]*$") as refused:
        chosen.check(3)
    assert said in str(refused.value)


def test_a_card_whose_models_are_of_other_jurors_is_refused(tmp_path: Path) -> None:
    """Weights of jurors that do not sit would be missing in every case."""
    others = CardJury(sha256="", source="ballots", seats=(CardSeat("alpha"), CardSeat("delta")))
    write_card(msgspec.structs.replace(CARD, jury=others), tmp_path / "card.json")
    with pytest.raises(ConfigurationError, match="the weights are not those of the jurors"):
        read_card(tmp_path / "card.json")
    write_card(replace_best("delta"), tmp_path / "card.json")
    with pytest.raises(ConfigurationError, match="'delta' is no juror of the card"):
        read_card(tmp_path / "card.json")


def test_a_card_without_the_models_of_a_rule_is_refused() -> None:
    bare = JuryCard(
        format=1,
        jury=CARD.jury,
        labels=CARD.labels,
        jurors={},
        rules={},
        dependence=CARD.dependence,
    )
    with pytest.raises(ConfigurationError, match="no model for rule: calibrated"):
        rule(bare).check(3)
    with pytest.raises(ConfigurationError, match="names no juror for rule: best_juror"):
        rule(bare, "best_juror").check(3)


def test_a_ballot_of_a_juror_that_the_card_does_not_know_is_refused() -> None:
    ballots = [*round_of(SAFE, SAFE, SAFE), cast("delta", UNSAFE)]
    with pytest.raises(ConfigurationError, match="does not know the juror 'delta'"):
        decide(ballots, rule(), seats=4)


def test_a_verdict_says_by_what_it_was_made_and_how_likely() -> None:
    """A re-vote has a probability of its own; that of round 0 stays beside it."""
    rounds = [round_of(UNSAFE, SAFE, SAFE), round_of(SAFE, SAFE, SAFE)]
    verdict = build_verdict(rounds, rule(), seats=3)
    assert (verdict.initial_finding, verdict.finding) == (UNSAFE, SAFE)
    assert verdict.initial_probability == pytest.approx(0.5)
    assert verdict.probability == pytest.approx(sigmoid(-1.5 - 2.0 - 0.5 - 1.0))
    assert verdict.rule == "calibrated (unsafe above 0.4)"
    best = build_verdict(rounds, rule(name="best_juror"), seats=3)
    assert (best.rule, best.probability) == ("best_juror (alpha)", None)


def test_a_lost_revote_that_could_matter_leaves_the_finding_before() -> None:
    rounds = [round_of(UNSAFE, UNSAFE, SAFE), round_of(LOST[0], SAFE, SAFE)]
    verdict = build_verdict(rounds, rule(), seats=3)
    assert (verdict.finding, verdict.revote_lost) == (UNSAFE, True)
    assert verdict.probability == verdict.initial_probability == pytest.approx(sigmoid(1.5))
    best = build_verdict(
        [round_of(UNSAFE, UNSAFE), round_of(BallotOutcome.ABSTAIN, LOST[0])],
        rule(name="best_juror"),
        seats=2,
    )
    assert (best.finding, best.revote_lost) == (None, False)  # alpha abstained, whatever was lost
    best = build_verdict(rounds, rule(name="best_juror"), seats=3)
    assert (best.finding, best.revote_lost) == (UNSAFE, True)


@pytest.mark.parametrize("name", ["calibrated", "best_juror"])
@settings(deadline=None)
@given(st.lists(st.sampled_from([UNSAFE, SAFE, BallotOutcome.ABSTAIN]), max_size=3))
def test_voting_is_settled_once_nobody_could_change_the_finding(
    name: str, said: Sequence[Said]
) -> None:
    remaining = 3 - len(said)
    chosen = rule(name=name)
    may_say = product([UNSAFE, SAFE, BallotOutcome.ABSTAIN], repeat=remaining)
    found = {decide(round_of(*said, *rest), chosen, seats=3).finding for rest in may_say}
    assert settled(round_of(*said), remaining, chosen) == (len(found) == 1 or not remaining)


def test_a_notebook_asks_the_card_itself() -> None:
    said = {"alpha": "unsafe", "bravo": "safe", "charlie": "safe"}
    decision = CARD.apply(said)
    assert (decision.finding, decision.probability) == (UNSAFE, 0.5)
    assert CARD.apply(round_of(UNSAFE, SAFE, SAFE)) == decision
    assert CARD.apply(said, threshold=0.6).finding is SAFE
    assert CARD.apply(said, cost=Cost(1, 3)).finding is SAFE
    silent = CARD.apply({**said, "bravo": None})
    assert silent.probability == pytest.approx(sigmoid(-1.5 + 3.0 + 0.0 - 1.0))
    unknown = CARD.apply({"alpha": "unsafe", "bravo": "unsafe"})
    assert (unknown.finding, unknown.probability) == (UNSAFE, None)
    with pytest.raises(ConfigurationError, match="a juror's vote is 'Unsafe': say unsafe, safe"):
        CARD.apply({"alpha": "Unsafe"})
    with pytest.raises(ConfigurationError, match="the threshold is 40"):
        CARD.apply(said, threshold=40)


WITHOUT_NUMPY = """
import sys
for name in ("numpy", "scipy", "sklearn"):
    sys.modules[name] = None
import safejury as sj
from safejury.deliberation import Rule, decide
card = sj.read_card(__import__("pathlib").Path(sys.argv[1]))
print(card.apply({"alpha": "unsafe", "bravo": "safe", "charlie": "safe"}).probability)
"""


def test_applying_a_card_needs_no_numpy(tmp_path: Any) -> None:
    write_card(CARD, tmp_path / "card.json")
    command = [sys.executable, "-P", "-c", WITHOUT_NUMPY, str(tmp_path / "card.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0.5"), done.stderr


async def test_agents_of_ones_own_are_heard_by_a_card(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    """Of live agents a card knows the names."""
    protocol = replace(PRESETS["vote"], rule=rule(threshold=0.4))
    say = cast_by(alpha=[scripted("unsafe", 1)])
    async with ScriptedServer(say) as server, open_jury(server, protocol) as jury:
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.probability) == (UNSAFE, 0.5)
    assert verdict.tally == {"unsafe": 1, "safe": 2}
    async with ScriptedServer(say) as server:
        with pytest.raises(ConfigurationError, match="measured juror 'charlie' is not seated"):
            async with open_jury(server, protocol, jurors=2):
                pass


def test_a_jury_keeps_its_card_where_it_is_written_down_and_read_again() -> None:
    model = ModelSpec("m", base_url="http://127.0.0.1:9/v1", price=None)
    seats = [seat("clinician", model, name=name) for name in ("alpha", "bravo", "charlie")]
    chosen = Rule("calibrated", cost=Cost(5, 1))
    jury = Jury.of(*seats, protocol="vote", rule=chosen, card=CARD)
    kept = json.loads(jury.dump_component().model_dump_json())
    again = Jury.load_component(ComponentModel.model_validate(kept))
    assert again.spec is not None
    assert again.spec.protocol.rule == replace(chosen, card=CARD)
