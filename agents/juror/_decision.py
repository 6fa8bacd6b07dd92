"""The foreperson's decision, where the protocol's rule leaves it to its model."""

from collections.abc import Sequence

from ...common import ModelError
from ...models import ChatMessage, ChatModel, ChatRequest, Sampling
from ..ballot import (
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
from ..case import Case, fenced
from ..prompts import render
from ._asking import ask

_NAME = "foreperson"


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
    request = ChatRequest(
        (ChatMessage.of("user", prompt.rstrip("\n")),),
        DECISION_SCHEMA,
        sampling or Sampling(),
        seed,
        max_tokens,
        f"{case.id}/decision/{_NAME}/a0",
    )
    meter, perceived = CallMeter(), Perceived(text=False)
    evidence, reasons = shown(call, perceived), heard(call)
    try:
        read = await ask(
            model,
            request,
            meter,
            lambda reply: parse_ballot(reply, evidence=evidence, peers=reasons),
            _correction,
        )
    except ModelError as error:
        return cast_failure(_NAME, call, error, perceived=perceived, meter=meter)
    return cast(_NAME, call, read, perceived=perceived, meter=meter)


def _correction(read: BallotForm | NoBallot) -> str:
    if not (isinstance(read, NoBallot) and read.may_retry):
        return ""
    return render("foreperson_retry", problem=read.problem).rstrip("\n")
