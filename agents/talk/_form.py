"""Read a juror's turn from a reply, as strictly as a ballot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...common.text import quoted, storable
from ...models import Completion, JsonSchema
from ..ballot import Unfit, Unread, check_whole, in_one_line, introduces, refusal_of
from ..case import letters, look_at, plain_words, readings
from ..reply import CONTRADICTION, UNCLEAR, Members, read_objects, without_thinking
from ._remark import RemarkOutcome

ALL = "all"
"""The addressee of words that are for all jurors."""
_ASKED_LENGTH = 400
_NO_ONE = {ALL, "", "everyone", "everybody", "nobody", "no one", "none", "null", "the jury", "jury"}
_NO_WORDS = {letters("what you say in your own words"), letters("what you say")}
_TRUTH: Mapping[object, bool] = {"true": True, "false": False}
_MISSING = object()
_PASS = {"pass", "ipass"}
_LEADING = re.compile(
    r"\s{0,9}[*_\"']{0,3}(juror\s{1,3}[a-z]{1,3})[*_]{0,3}\s{0,3}[,:]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class RemarkForm:
    """What a juror says in its turn.

    Attributes:
        text: The words; empty for a pass.
        to: Alias of the juror whom they are for, None for all.
    """

    text: str = ""
    to: str | None = None


class NoRemark(Unread[RemarkOutcome]):
    """Why a reply is not a turn."""

    __slots__ = ()


@lru_cache(maxsize=64)
def remark_schema(aliases: tuple[str, ...]) -> JsonSchema:
    """Return the shape of a turn, as asked of models.

    Args:
        aliases: All names at the table: the schema is the same for all jurors of a case.
    """
    fields = {
        "pass": {"type": "boolean"},
        "to": {"type": "string", "enum": [ALL, *aliases]},
        "text": {"type": "string", "maxLength": _ASKED_LENGTH},
    }
    return JsonSchema(
        "turn",
        {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        },
    )


def parse_remark(
    completion: Completion, *, alias: str, others: tuple[str, ...], evidence: str = ""
) -> RemarkForm | NoRemark:
    """Return the one turn in a reply, or why there is none.

    A turn is one JSON object, complete and outside of thinking, with nothing beside it but a
    few known words of introduction, and with words that the case does not state.

    Args:
        completion: The juror's reply.
        alias: The juror's own name at the table.
        others: The names of the others.
        evidence: What the juror was shown of the case that others wrote.
    """
    if completion.filtered:
        return _filtered()
    reply = read_objects(completion.text)
    beside = reply.before + reply.after
    try:
        check_whole(completion)
        if reply.problem is not None:
            raise Unfit(reply.problem)
        if not reply.objects:
            raise Unfit("it holds no JSON object" if beside.strip() else "it is empty")
        if len(reply.objects) != 1 or reply.drafts:
            raise Unfit("it holds more than one JSON object")
        if not (introduces(reply.before) and introduces(reply.after)):
            raise Unfit("it says more than the object")
        return _read(reply.objects[0], alias, others, evidence)
    except Unfit as unfit:
        return _no_remark(refusal_of(completion, reply.words_alone), unfit)


def parse_words(
    completion: Completion, *, alias: str, others: tuple[str, ...], evidence: str = ""
) -> RemarkForm | NoRemark:
    """Return what an agent says that answers in words: all of its reply.

    The one word PASS passes. Words that begin with another juror's name and a comma or a colon
    are for that juror.

    Args:
        completion: The agent's reply.
        alias: Its name at the table.
        others: The names of the others.
        evidence: What the agent was shown of the case that others wrote.
    """
    if completion.filtered:
        return _filtered()
    said = without_thinking(completion.text)
    try:
        check_whole(completion)
        if said is None:
            raise Unfit(UNCLEAR)
        if "".join(plain_words(said)) in _PASS:
            return RemarkForm()
        if refusal_of(completion, said) is None:
            to, _ = addressed(said, others)
            return RemarkForm(_words(said, evidence), to)
        raise Unfit("it is a refusal")
    except Unfit as unfit:
        return _no_remark(refusal_of(completion, said or ""), unfit)


def addressed(said: str, others: tuple[str, ...]) -> tuple[str | None, str]:
    """Return whom words are for that may begin with a juror's name, and the words without it."""
    named = _LEADING.match(said)
    to = _named(named[1], others) if named else None
    return (to, said[named.end() :].strip()) if named and to else (None, said.strip())


def _filtered() -> NoRemark:
    return NoRemark(RemarkOutcome.FILTERED, "the provider's filter stopped the juror's reply")


def _no_remark(refusal: str | None, unfit: Unfit) -> NoRemark:
    if refusal:
        return NoRemark(RemarkOutcome.REFUSED, "the juror refused to speak", refusal)
    return NoRemark(RemarkOutcome.UNPARSED, unfit.problem, unfit.said)


def _read(members: Members, alias: str, others: tuple[str, ...], evidence: str) -> RemarkForm:
    for key in ("pass", "to", "text"):
        if members.get(key) is CONTRADICTION:
            raise Unfit(f'"{key}" is given twice')
    if _passes(members.get("pass", _MISSING)):
        return RemarkForm()
    to = _addressee(members.get("to"), alias, others)
    text = members.get("text", _MISSING)
    if not isinstance(text, str):
        raise Unfit('"text" is missing')
    return RemarkForm(_words(text, evidence), to)


def _passes(value: object) -> bool:
    if value is _MISSING:
        raise Unfit('"pass" is missing')
    named = _TRUTH.get(value.strip().casefold()) if isinstance(value, str) else value
    if not isinstance(named, bool):
        raise Unfit('"pass" is not true or false', _shown(value))
    return named


def _addressee(value: object, alias: str, others: tuple[str, ...]) -> str | None:
    if value is None or (isinstance(value, str) and " ".join(plain_words(value)) in _NO_ONE):
        return None
    if isinstance(value, str):
        if (named := _named(value, others)) is not None:
            return named
        if _named(value, (alias,)) is not None:
            raise Unfit('"to" names the juror itself')
    raise Unfit('"to" names no juror', _shown(value))


def _named(value: str, aliases: tuple[str, ...]) -> str | None:
    """Return the alias that a name means: `Juror B`, in any case, or `B` alone."""
    said = plain_words(value)
    for alias in aliases:
        words = plain_words(alias)
        if said in (words, words[1:]):
            return alias
    return None


def _words(text: str, evidence: str) -> str:
    """Return words that are a juror's own.

    Raises:
        Unfit: They say nothing, or the case states them.
    """
    stated = {letters(reading) for reading in readings(text)}
    if any(len(words.encode()) < 2 for words in stated) or stated & _NO_WORDS:
        raise Unfit('"text" says nothing')
    if look_at(evidence).states(text):
        raise Unfit('its "text" is quoted from the case')
    return in_one_line(storable(text))


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else f"a {type(value).__name__}"
