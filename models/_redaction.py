"""Keeps secrets out of every text that leaves the process."""

import logging
import re

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
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)


def names_a_secret(variable: str) -> bool:
    """Return whether a variable of that name is likely to hold a secret."""
    return _SECRET_NAMES.search(variable) is not None


class Redactor:
    """Replaces known secrets, and what looks like one, by `[redacted]`.

    Example:
        >>> redactor = Redactor()
        >>> redactor.register("correct-horse-battery")
        >>> redactor.redact("rejected key correct-horse-battery")
        'rejected key [redacted]'
    """

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def register(self, secret: str | None) -> None:
        """Hide `secret` from now on.

        Values shorter than 8 characters, such as the placeholder `EMPTY` that
        local servers take as a key, are words rather than secrets: hiding them
        would tear holes into ordinary text.
        """
        if not secret or len(secret) < _SHORTEST or secret in self._secrets:
            return
        self._secrets.add(secret)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

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


class RedactingFilter(logging.Filter):
    """Redacts log records; put it on handlers, so that every logger passes it."""

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
