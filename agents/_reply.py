"""The JSON objects in a model's reply, and the words beside them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

Members = dict[str, object]
"""The members of an object; keys are lower case."""

_SCANNED, _TRIES = 65_536, 256
_MOST_OBJECTS = 64
_FAILURES = 32
"""Each failure of the decoder counts the lines before it."""
_BLANK = " \t\r\n\f\v\u00a0\u200b\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says once its thinking is taken out.

    Attributes:
        objects: Its outermost JSON objects.
        words: All that stands beside them, code fences and end tokens left out.
        problem: Why its JSON cannot be trusted, None where it can.
    """

    objects: tuple[Members, ...] = ()
    words: str = ""
    problem: str | None = None


def read_objects(text: str) -> Reply:
    """Return the outermost objects of a reply, outside of its thinking.

    Nothing is read from a reply that opens an object and does not complete it: what
    stands behind the brace may be a quotation within that object.

    What stands before the end of a thought is thinking, for some models begin it without
    a mark. One whose reply begins with an object does not: there it is a quotation.
    """
    text = text.strip(_BLANK)
    whole = _decode(text, 0, _LENIENT)
    if whole is not None and whole[1] == len(text):
        return Reply((whole[0],))
    objects: list[Members] = []
    beside: list[str] = []
    thinks = _BEGINS_WITH_OBJECT.match(text) is None
    broken, failures, at = False, 0, 0
    while (mark := (_THOUGHT_ENDS if broken else _MARK).search(text, at)) is not None:
        beside.append(text[at : mark.start()])
        at = mark.end()
        if mark[0] != "{" and thinks:
            objects, beside, broken = [], [], False
        elif mark[0] != "{":
            beside.append(mark[0])
        elif (braced := _NO_OBJECT.match(text, mark.start())) is not None:
            beside.append(braced[1])
            at = braced.end()
        elif failures < _FAILURES and (found := _decode(text, mark.start(), _LENIENT)) is not None:
            value, at = found
            objects.append(value)
        else:
            broken, failures = True, failures + 1
    return _reply(objects, " ".join((*beside, text[at:])), broken)


def _reply(objects: list[Members], words: str, broken: bool) -> Reply:
    if broken or "}" in words or len(objects) > _MOST_OBJECTS:
        return Reply(problem="it holds JSON that cannot be read whole")
    if _THOUGHT_BEGINS.search(words) or _THOUGHT_ENDS.search(words):
        return Reply(problem="where its thinking ends cannot be told")
    return Reply(tuple(objects), _ASIDE.sub(" ", words))


_THINKING = (
    r"(?:[a-z]{1,20}:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis"
    r"|(?:inner_|internal_)?monologue)"
)
_THOUGHT_BEGINS = re.compile(
    rf"<{_THINKING}(?:\s[^<>]{{0,80}})?>|\[THINK\]|\u25c1think\u25b7|<\|begin_of_thought\|>"
    r"|<\|START_THINKING\|>|<unused94>|<\|channel\|>(?:analysis|commentary)",
    re.IGNORECASE,
)
_THOUGHT_ENDS = re.compile(
    rf"</{_THINKING}\s?>|\[/THINK\]|\u25c1/think\u25b7|<\|end_of_thought\|>"
    r"|<\|END_THINKING\|>|<unused95>|<\|channel\|>final<\|message\|>",
    re.IGNORECASE,
)
_MARK = re.compile(rf"\{{|{_THOUGHT_ENDS.pattern}", re.IGNORECASE)
_BEGINS_WITH_OBJECT = re.compile(r"(?:`{3,}\w{0,20}\s{0,20})?\{")
# A set, a template's field, LaTeX: without a quotation mark or a colon nothing is stated.
_NO_OBJECT = re.compile("\\{([^{}\"':`\u2018-\u201f\u00ab\u00bb\uff1a]*)\\}")
_ASIDE = re.compile(
    r"(?:`{3,}|~{3,})(?:json\w{0,9}|text|plaintext|markdown)?\b|`{3,}|~{3,}|<\|\w{1,40}\|>|</?s>",
    re.IGNORECASE,
)


def json_objects(text: str) -> Iterator[tuple[str, Members]]:
    """Yield the JSON objects in a text, each with the words it was read from.

    Keys are lower case. An object within another that cannot be read stands for itself,
    so that of a list which was cut short the first items are found. Ballots are not
    read like this: see `read_objects`.
    """
    stripped = text.strip(_BLANK)
    if len(stripped) <= _SCANNED and (whole := _decode(stripped, 0, _STRICT)) is not None:
        value, end = whole
        if end == len(stripped):
            yield stripped, value
            return
    # A reasoning model's drafts are not its answer.
    text = stripped.rpartition("</think>")[2][-_SCANNED:]
    start, tries = text.find("{"), 0
    while start >= 0 and tries < _TRIES:
        tries += 1
        found = _decode(text, start, _STRICT)
        end = start + 1
        if found is not None:
            value, end = found
            yield text[start:end], value
        start = text.find("{", end)


CONTRADICTION = object()
"""The value of a key that is given twice with two values."""


def _unique(pairs: list[tuple[str, object]]) -> Members:
    members: Members = {}
    for key, value in pairs:
        folded = key.strip().casefold()
        if folded in members and members[folded] != value:
            value = CONTRADICTION
        members[folded] = value
    return members


_STRICT = json.JSONDecoder(object_pairs_hook=_unique)
# Small models write line breaks into their reasons as they are.
_LENIENT = json.JSONDecoder(object_pairs_hook=_unique, strict=False)


def _decode(text: str, start: int, decoder: json.JSONDecoder) -> tuple[Members, int] | None:
    if text[start : start + 1] != "{":
        return None
    try:
        value, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value, end
