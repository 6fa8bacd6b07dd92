"""The JSON objects in a model's reply, and the words beside them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ._thinking import MARK, MARK_END, TOKENS, UNCLEAR, thought_at

Members = dict[str, object]
"""The members of an object; keys are lower case."""

_SCANNED, _TRIES = 65_536, 256
_MOST_OBJECTS = 64
_BLANK = " \t\r\n\f\v\u00a0\u200b\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says once its thinking is taken out.

    Attributes:
        objects: Its outermost JSON objects.
        drafts: Those in thinking that only a mark at its end tells from an answer.
        before: All that stands before the last object, code fences and tokens of chat
            templates left out.
        after: What stands after it.
        problem: Why its JSON cannot be trusted, None where it can.
    """

    objects: tuple[Members, ...] = ()
    drafts: tuple[Members, ...] = ()
    before: str = ""
    after: str = ""
    problem: str | None = None

    @property
    def words_alone(self) -> str:
        """Its words where it holds no JSON; empty where it holds some, or may hold some."""
        return "" if self.objects or self.problem is not None else self.before + self.after


def read_objects(text: str) -> Reply:
    """Return the outermost objects of a reply, outside of its thinking.

    Nothing is read from a reply that opens an object and does not complete it, for what
    stands behind the brace may be a quotation within that object. Nor is anything read
    where a mark of thinking stands and does not delimit any, or stands behind an object.
    """
    text = text.strip(_BLANK)
    whole = _decode(text, 0, _LENIENT)
    if whole is not None and whole[1] == len(text):
        return Reply((whole[0],))
    try:
        return _Reader(text).read()
    except _UnreadableError as error:
        return Reply(problem=str(error))


class _UnreadableError(ValueError):
    """It is unclear which part of a reply is its own; the message says why."""


class _Reader:
    """Reads one reply from its start to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._objects: list[Members] = []
        self._drafts: list[Members] = []
        self._before: list[str] = []
        self._after: list[str] = []
        self._thought_until: int | None = None

    def read(self) -> Reply:
        at = 0
        while (found := _NEXT.search(self._text, at)) is not None:
            self._say(at, found.start())
            at = self._brace(found.start()) if found[0] == "{" else self._mark(found)
        self._say(at, len(self._text))
        before, after = (
            TOKENS.sub(" ", _FENCE.sub(" ", "".join(said))) for said in (self._before, self._after)
        )
        return Reply(tuple(self._objects), tuple(self._drafts), before, after)

    def _say(self, start: int, end: int) -> None:
        words = self._text[start:end]
        if "}" in words:
            raise _UnreadableError(_BROKEN)
        self._after.append(words)

    def _brace(self, at: int) -> int:
        """Return where what opens with a brace ends."""
        if (braced := _NO_OBJECT.match(self._text, at)) is not None:
            self._after.append(braced[0])
            return braced.end()
        if (found := _decode(self._text, at, _LENIENT)) is not None:
            value, end = found
            self._objects.append(value)
            if len(self._objects) > _MOST_OBJECTS:
                raise _UnreadableError(_BROKEN)
            self._before += self._after
            self._after = []
            return end
        # In thinking braces need not close.
        ends = None if self._objects else MARK_END.search(self._text, at)
        mark = MARK.match(self._text, ends.start()) if ends is not None else None
        if mark is None or _BEGINS_WITH_OBJECT.match(self._text):
            raise _UnreadableError(_BROKEN)
        return self._mark(mark)

    def _mark(self, mark: re.Match[str]) -> int:
        """Return where the thinking ends that a mark delimits."""
        thought = thought_at(self._text, mark, self._thought_until)
        if thought is None or (thought.begun and self._objects):
            raise _UnreadableError(UNCLEAR)
        if not thought.begun:
            self._drafts, self._objects, self._before, self._after = self._objects, [], [], []
        self._thought_until = thought.end
        return thought.end


_BROKEN = "it holds JSON that cannot be read whole"
_NEXT = re.compile(rf"\{{|{MARK.pattern}", re.IGNORECASE)
_BEGINS_WITH_OBJECT = re.compile(r"(?:`{3,}\w{0,20}\s{0,20})?\{")
# A set, a template's field, LaTeX: without a quotation mark or a colon nothing is stated.
_NO_OBJECT = re.compile("\\{([^{}\"':`\u2018-\u201f\u00ab\u00bb\uff1a]*)\\}")
_FENCE = re.compile(
    r"(?:`{3,}|~{3,})(?:(?:json\w{0,9}|text|plaintext|markdown|md|python|javascript|js)\b)?"
    r"|</?(?:answer|ballot|json|output)>",
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
        if folded in members and not _same(members[folded], value):
            value = CONTRADICTION
        members[folded] = value
    return members


def _same(one: object, other: object) -> bool:
    # True and 1 are equal to Python alone.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


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
