"""Parses error replies of any provider."""

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from typing import cast

import msgspec

FILTER_NOTE = "the provider's filter rejected the request"

_LONGEST_ERROR = 64 * 1024
_DEEPEST = 6
_WIDEST = 20
_FILTER_CODES = {
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "datainspectionfailed",
    "sensitive_words_detected",
    "moderation_blocked",
    "contentfilter",
}
_FILTERED = re.compile(
    r"(prompt|input|request|content|output)s? (was|were|is|has been) flagged"
    r"|flagged as potentially violating"
    r"|content exists risk"
    r"|data may contain inappropriate content|DataInspectionFailed"
    r"|content (management|filtering) policy"
    r"|(?<!\w)violat\w++ (our|the) (usage|content) polic"
    r"|(result of|rejected by) (our|the) safety system"
    r"|不安全或敏感内容",
    re.IGNORECASE,
)
# Pydantic's errors as Python writes them: without the input, which may be the whole request.
_REPR = re.compile(r"'loc': \(([^()]*+)\), 'msg': (['\"])(.{0,2000}?)\2")


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The content of an error reply.

    Attributes:
        text: Its messages, or the whole reply where there are none.
        code: The provider's code, empty if there is none.
        filtered: Whether a content filter rejected the request.
        param: The parameter that it points at, empty if it names none.
    """

    text: str
    code: str = ""
    filtered: bool = False
    param: str = ""


@dataclass(slots=True)
class _Found:
    texts: list[str] = field(default_factory=list[str])
    codes: list[str] = field(default_factory=list[str])
    param: str = ""


def decode_error(body: bytes) -> ErrorReply:
    """Parse an error reply; any bytes are accepted.

    Messages that are JSON once more, lists of errors, and the `detail` of a validation
    are taken apart; what they quote of the request is left out.
    """
    whole = body[:_LONGEST_ERROR].decode("utf-8", "replace")
    try:
        said = msgspec.json.decode(body.removeprefix(BOM_UTF8))
    except (ValueError, RecursionError):
        return ErrorReply(whole)
    found = _Found()
    _gather(said, found, 0)
    text = "; ".join(dict.fromkeys(found.texts))[:_LONGEST_ERROR]
    filtered = bool({code.lower() for code in found.codes} & _FILTER_CODES)
    return ErrorReply(
        text or whole,
        found.codes[0] if found.codes else "",
        filtered or _FILTERED.search(text) is not None,
        found.param,
    )


def _gather(said: object, found: _Found, depth: int) -> None:
    if depth > _DEEPEST:
        return
    match said:
        case str():
            _gather_text(said, found, depth)
        case list():
            for item in cast("list[object]", said)[:_WIDEST]:
                _gather(item, found, depth + 1)
        case dict():
            _gather_fields(cast("dict[str, object]", said), found, depth)
        case _:
            pass


def _gather_fields(said: dict[str, object], found: _Found, depth: int) -> None:
    place, message = said.get("loc"), said.get("msg")
    if isinstance(place, list) and isinstance(message, str):  # of a validation
        where = ".".join(map(str, cast("list[object]", place)))
        found.texts.append(f"{where}: {message}")
    for key in ("code", "type"):
        value = said.get(key)
        if isinstance(value, str | int) and (key == "code" or str(value).lower() in _FILTER_CODES):
            found.codes.append(str(value))
    if isinstance(param := said.get("param"), str):
        found.param = found.param or param
    for key in ("error", "innererror", "message", "detail", "metadata", "raw"):
        if said.get(key) is not None:
            _gather(said[key], found, depth + 1)


def _gather_text(said: str, found: _Found, depth: int) -> None:
    if said.lstrip()[:1] in ("{", "["):
        try:
            inner = msgspec.json.decode(said.encode())
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict | list):
            _gather(cast("object", inner), found, depth + 1)
            return
    if errors := _REPR.findall(said):
        for place, _, message in errors[:_WIDEST]:
            where = ".".join(re.findall(r"[\w.-]+", place))
            found.texts.append(f"{where}: {message}")
    elif said.strip():
        found.texts.append(said)
