"""What a record stores as JSON: nothing that it need not, and all that was said."""

import msgspec
import pytest

from safejury.agents import (
    Ballot,
    BallotOutcome,
    Case,
    Finding,
    Perceived,
    TalkArm,
)
from safejury.datasets import Intent, Media, Query
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Flips,
    TalkAudited,
    Verdict,
    VerdictAnnounced,
)
from safejury.evaluation.record import as_stored
from safejury.evaluation.record.integrity import mirrored
from safejury.evaluation.trials import CaseResult, Exchange
from safejury.models import AgentWork, Completion, SentRequest, Usage
from safejury.targets import Response, ResponseOutcome

LIKE_JSON = 'said ,"notes":[],"cost_usd":null,"media":{} and ,"sent":null}'
PICTURE = Media("0" * 64, "image/png", 3, "")
QUERY = Query("q", "bias", LIKE_JSON, Intent.HARMFUL)
FULL_QUERY = Query(
    *("q", "bias", LIKE_JSON, Intent.BENIGN, (PICTURE,), PICTURE, "a book", "to help", True),
    labels={"notes": "[]", "media": "{}"},
)
ANSWER = Response(ResponseOutcome.ANSWERED, LIKE_JSON, sent=SentRequest("0" * 64, LIKE_JSON))
FULL_ANSWER = Response(
    *(ResponseOutcome.ERROR, "", "it failed", "stop", Usage(1, 0, 2), 0.5, "m", 0.25, ("a",), 10),
    sent=SentRequest("0" * 64, LIKE_JSON, (PICTURE,), ("seed",)),
    changes=("made smaller",),
)
BALLOT = Ballot("a", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason=LIKE_JSON)
FULL_BALLOT = Ballot(
    *("b", 1, BallotOutcome.UNPARSED, None, None, (LIKE_JSON,), "", False, "nothing to read"),
    perceived=Perceived(False, ("0" * 64,), 3, withheld=("audio",)),
    cost_usd=0.5,
    notes=("in words",),
    quotes=(LIKE_JSON,),
)
BALLOTS = (BALLOT, FULL_BALLOT)
SEALS = tuple(ballot.seal() for ballot in BALLOTS)
FULL_VERDICT = Verdict(
    Finding.UNSAFE,
    LIKE_JSON,
    flips=Flips(1, 0),
    cost_usd=0.5,
    revote_lost=True,
    media={"image": {"given": 2}},
    quotes={"media": {"quoting": 1}},
    talk={"spoke": 1},
    summary_dropped=True,
    decision=BALLOT,
    majority=Finding.SAFE,
    probability=0.5,
    initial_probability=0.25,
)
RESULT = CaseResult(
    *("t", "q", 0, "bias", Intent.HARMFUL, ResponseOutcome.ANSWERED),
    *(Finding.SAFE, Finding.SAFE, 5.0, False),
)
FULL_RESULT = CaseResult(
    *("t", "q", 1, "bias", Intent.BENIGN, ResponseOutcome.ANSWERED, None, None, None, True, True),
    flips=Flips(0, 1),
    cost_usd=0.5,
    condition="spoken",
    revote_lost=True,
    intent_assumed=True,
    labels={"media": LIKE_JSON},
    decision="refused",
    probability=0.5,
)
WORK = AgentWork(cost_usd=None, calls=2)


@pytest.mark.parametrize(
    "data",
    [
        Completion(LIKE_JSON, "stop"),
        Completion(
            *(LIKE_JSON, "stop", LIKE_JSON, Usage(1, 2, 3), 0.5, "m", 0.25, ("a",), True, 12),
            sent=SentRequest("0" * 64, LIKE_JSON),
        ),
        Completion(LIKE_JSON, "stop", work=WORK),
        CaseOpened("c", 0, Case("c", QUERY, ANSWER)),
        CaseOpened("c", 0, Case("c", FULL_QUERY, FULL_ANSWER, "g", None, ("A", "B"), True)),
        Exchange(QUERY, ANSWER),
        Exchange(FULL_QUERY, FULL_ANSWER),
        BallotsRevealed("c", 1, 0, BALLOTS, SEALS),
        BallotsRevealed("c", 1, 0, BALLOTS, SEALS, ("third",)),
        TalkAudited("c", 3, next(iter(TalkArm)), BALLOTS, SEALS),
        VerdictAnnounced("c", 2, Verdict(None)),
        VerdictAnnounced("c", 2, FULL_VERDICT),
        RESULT,
        FULL_RESULT,
    ],
    ids=lambda data: str(type(data).__name__),
)
def test_what_is_read_is_what_was_written(data: object):
    stored = as_stored(data)
    assert msgspec.json.decode(stored, type=type(data)) == data
    assert len(stored) <= len(msgspec.json.encode(data).decode())


def test_what_is_as_it_is_by_default_is_left_out():
    call = as_stored(Completion("words", "stop", provider_model="m"))
    assert call == (
        '{"text":"words","finish_reason":"stop","usage":{"prompt_tokens":null,"cached_tokens":null,'
        '"completion_tokens":null},"latency_s":0.0,"provider_model":"m"}'
    )
    for data, left_out in (
        (CaseOpened("c", 0, Case("c", QUERY, ANSWER)), ("images", "labels", "turns", "titles")),
        (BallotsRevealed("c", 1, 0, (BALLOT,), ("0",)), ("perceived", "detail", "guard")),
        (VerdictAnnounced("c", 2, Verdict(None)), ("flips", "talk", "decision")),
        (RESULT, ("flips", "labels", "over_refusal")),
    ):
        for member in left_out:
            assert f'"{member}":' not in as_stored(data), member


def test_an_unknown_cost_of_an_agents_work_stays_unknown():
    """What is missing there would be known to be nothing."""
    stored = as_stored(Completion("words", "stop", work=WORK))
    assert '"cost_usd":null' in stored.partition('"work"')[2]


@pytest.mark.parametrize("data", [BALLOT, FULL_BALLOT, RESULT, FULL_RESULT], ids=str)
def test_what_a_check_reads_quickly_is_what_it_would_read(data: Ballot | CaseResult):
    kind = type(data)
    for stored in (as_stored(data), msgspec.json.encode(data).decode()):
        read = msgspec.json.decode(stored, type=mirrored(kind))
        assert msgspec.json.encode(read) == msgspec.json.encode(data)
        if isinstance(data, Ballot):
            assert Ballot.seal(read) == data.seal()


@pytest.mark.parametrize(
    ("data", "written", "damaged"),
    [
        (BALLOT, '"rating":5', '"rating":"5"'),
        (BALLOT, '"outcome":"verdict"', '"outcome":"sure"'),
        (FULL_BALLOT, '"image_bytes":3', '"image_bytes":null'),
        (RESULT, '"rating":5.0', '"rating":9'),
        (RESULT, '"epoch":0', '"epoch":-1'),
        (FULL_RESULT, '"to_safe":1', '"to_safe":"one"'),
    ],
)
def test_what_is_damaged_is_refused_as_it_would_be(
    data: Ballot | CaseResult, written: str, damaged: str
):
    stored = as_stored(data)
    assert written in stored
    for kind in (type(data), mirrored(type(data))):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(stored.replace(written, damaged), type=kind)
