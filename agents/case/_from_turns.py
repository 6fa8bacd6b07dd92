"""Makes a case of the turns of a conversation."""

from collections.abc import Sequence
from dataclasses import replace

from ...datasets import UNCATEGORISED, Intent, Message, Query, of_messages
from ...targets import Response, ResponseOutcome
from ._case import Case

NOT_GIVEN = "(The question was not given.)"
"""Stands for the question of a response that comes alone."""


def case_of_turns(
    name: str,
    answerer: str,
    asked: Sequence[Message],
    answer: str,
    on_the_way: tuple[Message, ...] = (),
    *,
    scenario: str = UNCATEGORISED.id,
    guideline: str = UNCATEGORISED.guideline,
) -> Case:
    """Return the case of a question and an answer.

    Args:
        name: What the case's id begins with.
        answerer: Who is judged.
        asked: The turns up to the question, oldest first; none where it is not known.
        answer: The answerer's last words.
        on_the_way: What the answerer said and did before them.
        scenario: Id of the risk scenario.
        guideline: What to weigh in it, in one paragraph.
    """
    query = Query(name, scenario, NOT_GIVEN, Intent.HARMFUL)
    if asked:
        query = of_messages(query, asked)
    if len(asked) == 1 and asked[0].role == "user":
        query = replace(query, messages=())
    response = Response(ResponseOutcome.ANSWERED, answer, turns=on_the_way)
    return Case(f"{name}/{answerer}/0", query, response, guideline)
