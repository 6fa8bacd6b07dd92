"""Builds what a guard's model is sent: no words of a case can pass for parts of its prompt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from string import Template

from ...datasets import Query, ShownTurn, shown_turns
from ...models import ChatMessage, ImagePart, Part, RequestOptions, Role, TextPart
from ..ballot import BallotCall, Perceived, evidence
from ..case import Case, neutralize
from ._dialect import GuardDialect

_NOTHING = "(no words)"
_LINE_ENDS = "\r\u0085\u2028\u2029"
_UNSEEN = f"(?:[^\\S\\n{_LINE_ENDS}]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff])"
"""Stands where a line begins that looks as if it began with what follows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of a guard's model.

    Attributes:
        messages: What it is sent.
        options: Arguments of the chat template, None for none.
        principle: The category that it asks about, None for all.
    """

    messages: tuple[ChatMessage, ...]
    options: RequestOptions | None = None
    principle: str | None = None


def ask(dialect: GuardDialect, call: BallotCall, perceived: Perceived) -> tuple[Asked, ...]:
    """Return the calls for one ballot.

    Args:
        dialect: How the guard is asked.
        call: What it is asked.
        perceived: What of the case it gets.
    """
    messages = _messages(dialect, call, perceived)
    if not dialect.principles:
        return (Asked(messages, _template(dialect.template)),)
    return tuple(
        Asked(messages, _template({**dialect.template, **principle.template}), name)
        for name, principle in dialect.principles.items()
    )


def _template(arguments: object) -> RequestOptions | None:
    return RequestOptions.of({}, {"chat_template_kwargs": arguments}) if arguments else None


def _messages(
    dialect: GuardDialect, call: BallotCall, perceived: Perceived
) -> tuple[ChatMessage, ...]:
    case, broken = call.case, _Breaker(dialect)
    match dialect.sends:
        case "response":
            return (ChatMessage.of("user", broken(_response(case))),)
        case "prompt":
            query = "\n\n".join(words for _, words in _turns(case, perceived))
            fields = {"query": broken(query), "response": broken(_response(case))}
            filled = Template(dialect.prompt).substitute(fields)
            return (ChatMessage.of("user", filled.removesuffix("\n")),)
        case "policy":
            system = Template(dialect.policy).substitute(policy=_policy(dialect, call))
            shown = evidence(case, perceived, call.rubric)
            return ChatMessage.of("system", system.rstrip("\n")), ChatMessage.of("user", shown)
        case "turns":
            answer: tuple[Role, str] = "assistant", _response(case)
            turns = [*_turns(case, perceived), answer]
            closing = (ChatMessage.of("user", dialect.closing),) if dialect.closing else ()
            return (*_alternating(turns, broken, _pictures(case, perceived)), *closing)


def _policy(dialect: GuardDialect, call: BallotCall) -> str:
    if call.rubric is not None:
        return call.rubric.in_words(call.case)
    guideline = call.case.guideline or "Take harm in its ordinary sense."
    return Template(dialect.rule).substitute(guideline=guideline)


def _pictures(case: Case, perceived: Perceived) -> tuple[Part, ...]:
    return tuple(map(ImagePart, case.query.images)) if perceived.images else ()


def _turns(case: Case, perceived: Perceived) -> Iterator[tuple[Role, str]]:
    """Yield what was asked, as turns of the user and the model; others speak as the user."""
    query = case.query
    if not query.messages:
        yield "user", query.text
    for turn, shown in zip(query.messages, shown_turns(query.messages), strict=True):
        said = "\n".join(filter(None, (shown.text, *shown.calls)))
        if turn.role in ("user", "assistant"):
            yield turn.role, said
        else:
            yield "user", f"{shown.heading}:\n{said}"
    for words in _beside(query, case, perceived):
        yield "user", words


def _beside(query: Query, case: Case, perceived: Perceived) -> Iterator[str]:
    """Yield what stands for media that the guard does not get."""
    if query.underlying_request is not None:
        yield f"(What text and media ask together: {query.underlying_request})"
    if perceived.transcript is not None and case.transcript is not None:
        yield f"({case.transcript.title}: {case.transcript.words})"


def _response(case: Case) -> str:
    """Return what is judged: the model's last words, and what it did on its way there."""
    if not case.response.turns:
        return case.response.text
    turns = [f"{turn.heading}:\n{_words(turn)}" for turn in case.since]
    return "\n\n".join([*turns, case.response.text])


def _words(turn: ShownTurn) -> str:
    return "\n".join(filter(None, (turn.text, *turn.calls)))


def _alternating(
    turns: list[tuple[Role, str]], broken: "_Breaker", pictures: tuple[Part, ...]
) -> Iterator[ChatMessage]:
    """Yield turns as chat templates want them: the user first, then in turn, none of them empty."""
    merged = list[tuple[Role, list[str]]]()
    if turns[0][0] != "user":
        turns = [("user", _NOTHING), *turns]
    for role, words in turns:
        if not merged or merged[-1][0] != role:
            merged.append((role, []))
        merged[-1][1].append(words)
    for number, (role, words) in enumerate(merged):
        said = broken("\n\n".join(words)).strip() or _NOTHING
        yield ChatMessage(role, (*(pictures if number == 0 else ()), TextPart(said)))


class _Breaker:
    """Breaks up what in a case could pass for a part of the guard's prompt.

    Control tokens are broken by a space, as for all jurors; so are the marks that its template
    puts around the exchange. A line that begins with one of its labels becomes a quotation.
    """

    def __init__(self, dialect: GuardDialect) -> None:
        self._marks = _any_of(dialect.marks)
        self._labels = _at_line_start(dialect.labels)

    def __call__(self, text: str) -> str:
        text = neutralize(text)
        if self._marks is not None:
            text = self._marks.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)
        return text if self._labels is None else self._labels.sub(r"\1> \2", text)


@cache
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    if not phrases:
        return None
    return re.compile("|".join(map(_spaced, phrases)), re.IGNORECASE)


@cache
def _at_line_start(labels: tuple[str, ...]) -> re.Pattern[str] | None:
    if not labels:
        return None
    named = "|".join(map(_spaced, labels))
    return re.compile(
        rf"(^|[{_LINE_ENDS}])({_UNSEEN}*(?:{named}){_UNSEEN}*[:\uff1a])",
        re.IGNORECASE | re.MULTILINE,
    )


def _spaced(phrase: str) -> str:
    """Return a pattern for a phrase, whatever spaces stand between its words."""
    return r"\s+".join(map(re.escape, phrase.split()))
