"""One question and one response, put to a jury."""

from collections.abc import Sequence
from pathlib import Path

from ...agents import Case
from ...common import ConfigurationError
from ...common.text import quoted
from ...datasets import UNCATEGORISED, Intent, Query, load_taxonomy, read_media
from ...deliberation import Judgment, Jury
from ...targets import Response, ResponseOutcome


async def judge(
    question: str | Query,
    response: str | Response,
    *,
    jury: Jury,
    scenario: str | None = None,
    images: Sequence[str | Path] = (),
    audio: str | Path | None = None,
) -> Judgment:
    """Let a jury judge one response to one question.

    A jury that is open (`async with jury:`) is used as it is, which saves opening its models
    for each of many; any other is opened and closed again.

    Args:
        question: What was asked: its text, or a `Query`.
        response: What the target said, or a `Response` with an outcome of its own; what was
            filtered or failed gets no verdict.
        jury: Who judges.
        scenario: Any name of the risk scenario, for jurors to weigh; none unless given.
        images: Files of pictures that went with the question's text.
        audio: The file of a sound that went with it.

    Returns:
        The verdict with its ballots; its `finding` is None where there is none.

    Raises:
        ConfigurationError: Something given cannot be used, or a juror's model never answered.
        DatasetError: A picture or the sound cannot be read.
    """
    case = _case(_query(question, scenario, images, audio), response)
    if jury.is_open:
        return await jury.judge(case)
    if jury.spec is None:
        raise ConfigurationError("judge: open a jury that is made of agents: `async with jury:`")
    async with Jury(jury.spec) as opened:
        return await opened.judge(case)


def _query(
    question: str | Query,
    scenario: str | None,
    images: Sequence[str | Path],
    audio: str | Path | None,
) -> Query:
    if isinstance(question, Query):
        if scenario is not None or images or audio is not None:
            raise ConfigurationError(
                "judge: a Query has its own scenario, images and audio: give them with it"
            )
        return question
    _check_text("question", question)
    return Query(
        "question",
        (UNCATEGORISED if scenario is None else load_taxonomy().resolve(scenario)).id,
        question,
        Intent.HARMFUL,
        images=tuple(read_media(Path(each), kind="image") for each in images),
        audio=None if audio is None else read_media(Path(audio), kind="audio"),
    )


def _case(query: Query, response: str | Response) -> Case:
    if not isinstance(response, Response):
        _check_text("response", response)
        response = Response(ResponseOutcome.ANSWERED, response)
    guideline = load_taxonomy().resolve(query.scenario).guideline
    return Case(f"{query.id}/response/0", query, response, guideline)


def _check_text(what: str, given: object) -> None:
    if not isinstance(given, str) or not given.strip():
        raise ConfigurationError(f"judge: the {what} must be text, and not {quoted(repr(given))}")
