"""Redacts secrets from all text that leaves the process."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

HIDDEN = "[redacted]"
_SHORTEST = 8
_PATTERNS = re.compile(
    r"\bsk-[A-Za-z0-9_\-]{8,}|\bhf_[A-Za-z0-9]{20,}"
    r"|(?<=bearer )[^\s\"'\\,;]{6,}"
    r"|(?<=basic )[A-Za-z0-9+/=]{8,}"
    r"|(?<=://)[^/\s@\"':]*+:[^/\s@\"']++(?=@)"
    r"|(?:(?<=api_key)|(?<=api-key)|(?<=apikey))[\"']?\s*+[=:]\s*+[\"']?[^\s\"'\\,;&]{6,}",
    re.IGNORECASE,
)
_IDS = frozenset({"case_id", "id", "juror", "query_id", "scenario", "sha256", "target"})
"""Fields that hold what a thing is called, by which it is found again."""
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"(?P<named>\s*+:)?+', re.DOTALL)
"""A text within JSON; `named` where it is a member's name."""
_OWN_NAME = re.compile(r'"[A-Za-z_]+"')
"""Pattern of JSON member names, to tell them from keys, which have other characters too."""
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)


def is_secret_name(variable: str) -> bool:
    """Return whether a variable's name suggests that it holds a secret."""
    return _SECRET_NAMES.search(variable) is not None


class Redactor:
    """Replaces known secrets, and texts that look like one, by `[redacted]`.

    Example:
        >>> redactor = Redactor()
        >>> redactor.register("correct-horse-battery")
        >>> redactor.redact("rejected key correct-horse-battery")
        'rejected key [redacted]'
    """

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self._forms: tuple[str, ...] = ()
        self._telling: tuple[str, ...] = ()

    def register(self, secret: str | None) -> None:
        """Redact `secret` from now on.

        Values shorter than 8 characters, such as the placeholder `EMPTY` that
        local servers take as a key, are words rather than secrets: hiding them
        would tear holes into ordinary text.
        """
        if not secret or len(secret) < _SHORTEST or secret in self._secrets or secret in HIDDEN:
            return
        self._secrets.add(secret)
        forms = {form for known in self._secrets for form in _forms(known)}
        self._forms = tuple(sorted(forms, key=len, reverse=True))
        # What contains another form, as a header contains its key, need not be looked for.
        held = (sum(other in form for other in forms) for form in self._forms)
        self._telling = tuple(form for form, few in zip(self._forms, held, strict=True) if few == 1)
        self._known = re.compile("|".join(map(re.escape, self._forms)))

    def knows(self, text: str) -> bool:
        """Return whether `text` contains a known secret, JSON-escaped or not.

        It is asked of every reply and every row of a record, so it is no regular expression.
        """
        for form in self._telling:  # noqa: SIM110 - a generator takes three times as long
            if form in text:
                return True
        return False

    def redact(self, text: str, *, patterns: bool = True) -> str:
        """Return `text` without secrets.

        Args:
            text: Any text.
            patterns: Whether to hide what merely looks like a secret; False for
                text that is evidence and must stay exact.
        """
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _PATTERNS.sub(HIDDEN, text) if patterns else text

    def redact_so_far(self, text: str) -> str:
        """Return the beginning of a text that goes on, without known secrets.

        What may be the beginning of one is left out until more has come.
        """
        found = () if self._known is None else self._known.finditer(text)
        within = {at for each in found for at in range(each.start() + 1, each.end())}
        longest = min(len(text), max(map(len, self._forms), default=1) - 1)
        for end in range(len(text) - longest, len(text)):
            if end in within:  # or a secret that ends as one begins would be cut, and not be known
                continue
            rest = text[end:]
            if any(form.startswith(rest) for form in self._forms if len(form) > len(rest)):
                return self.redact(text[:end], patterns=False)
        return self.redact(text, patterns=False)

    def redact_fields(self, data: T) -> T:
        """Return dataclasses, or containers of them, with known secrets redacted.

        What things are called stays: names of fields and keys, members of enumerations,
        and ids. So a secret that is a common word takes no structure apart.
        """
        return cast(T, self._redacted(data))

    def _redacted(self, data: object) -> object:
        if type(data) is str:
            return self._redacted_text(data)
        if is_dataclass(data) and not isinstance(data, type):
            names = _texts_of(type(data))
            return replace(data, **{name: self._redacted(getattr(data, name)) for name in names})
        if isinstance(data, tuple | list):
            items = [self._redacted(item) for item in cast("list[object]", data)]
            return tuple(items) if isinstance(data, tuple) else items
        if isinstance(data, Mapping):
            mapping = cast("Mapping[object, object]", data)
            return {key: self._redacted(value) for key, value in mapping.items()}
        return data

    def _redacted_text(self, text: str) -> str:
        if not self.knows(text):
            return text
        if text.lstrip()[:1] in ("{", "["):
            try:
                json.loads(text)
            except (ValueError, RecursionError):
                return self.redact(text, patterns=False)
            return _JSON_TEXT.sub(self._redacted_value, text)
        return self.redact(text, patterns=False)

    def _redacted_value(self, found: re.Match[str]) -> str:
        ours = found["named"] is not None and _OWN_NAME.match(found[0])
        return found[0] if ours else self.redact(found[0], patterns=False)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret verbatim, in JSON, and in JSON nested in JSON."""
    yield secret
    for ascii_only in (False, True):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]


@cache
def _texts_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a dataclass that may hold text."""
    hints = get_type_hints(kind)
    return tuple(
        field.name
        for field in fields(kind)
        if field.init
        and not (field.name in _IDS and field.metadata.get("ours", True))
        and not _is_closed(hints[field.name])
    )


def _is_closed(hint: object) -> bool:
    """Return whether a type allows only fixed values (an enum or a literal)."""
    if get_origin(hint) in (Union, UnionType):
        return all(part is NoneType or _is_closed(part) for part in get_args(hint))
    return get_origin(hint) is Literal


class RedactingFilter(logging.Filter):
    """Redacts log records; add it to handlers, so that it covers every logger."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact `record` in place and let it through."""
        record.msg = self._redactor.redact(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redactor.redact(record.exc_text)
        return True


redactor = Redactor()
"""The process's redactor: model clients register the keys that they are given."""
