"""The foreperson's summing-up of agreement and dissent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...common import ModelError
from ...common.text import short, storable
from ...models import ChatMessage, ChatModel, ChatRequest, Completion, Sampling
from ..ballot import Ballot, Finding, Statement, one_line
from ..case import Case, fenced, neutralize
from ..prompts import render
from ..reply import UNCLEAR, without_thinking

_KEPT = 4000


@dataclass(frozen=True, slots=True)
class Summary:
    """The foreperson's words.

    Attributes:
        text: The summing-up; empty where the model failed.
        completion: What the model returned, None where the call failed.
        detail: What went wrong, None if nothing did.
        dropped: Whether it was left out because it misstates the votes or the verdict.
    """

    text: str
    completion: Completion | None = None
    detail: str | None = None
    dropped: bool = False


async def summarize(
    case: Case,
    ballots: Sequence[Ballot],
    verdict_line: str,
    model: ChatModel,
    *,
    finding: Finding | None = None,
    seats: int = 0,
    sampling: Sampling | None = None,
    seed: int | None = None,
    max_tokens: int = 256,
) -> Summary:
    """Return the foreperson's words on the ballots; it has no vote and adds none.

    Args:
        case: What was judged. Its words are not repeated: the ballots are summed up.
        ballots: Those of the last round.
        verdict_line: The verdict in one line, as the protocol reached it.
        model: What the foreperson speaks with.
        finding: The verdict's, None for no verdict.
        seats: Number of seats on the jury, where not all were asked.
        sampling: How words are drawn.
        seed: Seed for models that take one.
        max_tokens: Cap on the tokens of the reply, at least 1.

    Raises:
        FirstContactError: The model never answered once and waiting won't help.
    """
    lines = "\n".join(_line(ballot) for ballot in ballots)
    prompt = render(
        "foreperson_summary",
        verdict=neutralize(verdict_line),
        ballots=fenced("BALLOTS", lines, case.fence),
    )
    request = ChatRequest(
        (ChatMessage.of("user", prompt.rstrip("\n")),),
        None,
        sampling or Sampling(),
        seed,
        max_tokens,
        f"{case.id}/summary/foreperson/a0",
    )
    try:
        completion = await model.complete(request)
    except ModelError as error:
        return Summary("", None, short(str(error)))
    if completion.filtered:
        return Summary("", completion, "the provider's filter stopped the summing-up")
    if completion.refusal:
        refusal = short(storable(completion.refusal))
        return Summary("", completion, f"the foreperson's model refused: {refusal}")
    said = without_thinking(completion.text)
    if said is None:
        return Summary("", completion, f"the summing-up is left out: {UNCLEAR}")
    from ._summary_claims import misstated  # compiles many patterns

    # Small models repeat the marker; it means nothing to a reader.
    said = re.sub(rf"(?<!<)<*+(?:BALLOTS )?{case.fence}\W{{0,4}}", "", said)
    text = storable(said.strip())[:_KEPT]
    if (wrong := misstated(text, ballots, finding, seats=seats)) is not None:
        return Summary("", completion, f"the summary is left out: it says {wrong}", dropped=True)
    return Summary(text, completion, None if text else "the foreperson's model said nothing")


def _line(ballot: Ballot) -> str:
    statement = Statement.of(ballot)
    return f"{ballot.juror}: {one_line(statement) if statement else ballot.outcome.value}"
