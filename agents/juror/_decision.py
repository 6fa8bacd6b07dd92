"""The foreperson's decision, where the protocol's rule leaves it to its model."""

from collections.abc import Sequence

from ...common import ModelError
from ...models import ChatMessage, ChatModel, ChatRequest, Completion, Sampling
from ..ballot import (
    ATTEMPTS,
    DECISION_SCHEMA,
    Ballot,
    BallotCall,
    BallotForm,
    CallMeter,
    NoBallot,
    Perceived,
    cast,
    cast_failure,
    heard,
    one_line,
    parse_ballot,
    shown,
    statements_for,
    without_braces,
)
from ..case import Case, fenced, neutralize
from ..prompts import render

_NAME = "foreperson"
_REPLY_SHOWN_AGAIN = 1000


async def decide_by_reading(
    case: Case,
    ballots: Sequence[Ballot],
    model: ChatModel,
    *,
    sampling: Sampling | None = None,
    seed: int = 0,
    max_tokens: int = 512,
) -> Ballot:
    """Return what the foreperson decides, read as strictly as a ballot; failures are outcomes.

    Args:
        case: What was judged. It is not shown: the ballots are weighed.
        ballots: Those of one round.
        model: What the foreperson thinks with.
        sampling: How words are drawn.
        seed: The run's: decides the order of the ballots, and goes to models that take one.
        max_tokens: Cap on the tokens of the reply, at least 1.

    Raises:
        FirstContactError: The model never answered once and waiting won't help.
    """
    # A seat may be called like the foreperson, and is read nevertheless.
    peers = statements_for("", ballots, case=case, seed=seed)
    number = max((ballot.round for ballot in ballots), default=0)
    call = BallotCall(case, number, None, peers, quotes=False)
    lines = [without_braces(one_line(statement)) for statement in peers]
    lines += (f"no vote: {ballot.outcome.value}" for ballot in ballots if not ballot.is_vote)
    prompt = render("foreperson_decision", ballots=fenced("BALLOTS", "\n".join(lines), case.fence))
    messages = (ChatMessage.of("user", prompt.rstrip("\n")),)
    meter, perceived = CallMeter(), Perceived(text=False)
    evidence = shown(call, perceived)
    read: BallotForm | NoBallot | None = None
    for attempt in range(ATTEMPTS):
        call_id = f"{case.id}/decision/{_NAME}/a{attempt}"
        request = ChatRequest(
            messages, DECISION_SCHEMA, sampling or Sampling(), seed, max_tokens, call_id
        )
        try:
            completion = await model.complete(request)
        except ModelError as error:
            return cast_failure(_NAME, call, error, perceived=perceived, meter=meter)
        meter.add(completion)
        read = parse_ballot(completion, evidence=evidence, peers=heard(call))
        if not (isinstance(read, NoBallot) and read.may_retry):
            break
        messages = (*messages, *_correction(completion, read))
    assert read is not None
    return cast(_NAME, call, read, perceived=perceived, meter=meter)


def _correction(completion: Completion, problem: NoBallot) -> tuple[ChatMessage, ChatMessage]:
    # Chat templates and servers reject turns that are empty.
    said = neutralize(completion.text[:_REPLY_SHOWN_AGAIN]).strip() or "(nothing)"
    asked = render("foreperson_retry", problem=problem.problem).rstrip("\n")
    return ChatMessage.of("assistant", said), ChatMessage.of("user", asked)
