"""Converts HTTP statuses to exceptions."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from ...common import ModelError, RateLimitError, RequestError, TransportError
from ..chat import redactor
from ._error_reply import ErrorReply

_LONGEST_QUOTE = 200
_NO_MODEL = re.compile(
    r"model\W.{0,100}?(not found|not exist|unknown|not available|invalid|not supported)"
    r"|(unknown|invalid|no such|not a valid|unsupported) model"
    r"|model_not_found|not a valid model",
    re.IGNORECASE | re.DOTALL,
)

_NOT_TLS = re.compile(r"HTTP request (was sent )?to (an )?HTTPS", re.IGNORECASE)


def quoted(text: str) -> str:
    """Quote a server's text: short, on one line, without secrets or control characters."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    # After controls are gone, which could split a secret in two, and before the
    # cut, which could leave half of one behind.
    line = redactor.redact(line)
    if len(line) > _LONGEST_QUOTE:
        line = line[: _LONGEST_QUOTE - 1] + "…"
    return f"{line!r}"


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Parse the seconds that a reply asks to wait, None if it asks for none.

    `Retry-After` may hold seconds or an HTTP date.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After")
    if value is None:
        return None
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None


def status_error(
    name: str,
    status: int,
    complaint: ErrorReply,
    *,
    retry_after: float | None = None,
    keyed: bool = False,
) -> ModelError:
    """Convert a reply other than 200 to an exception.

    Args:
        name: The model's name, for the message.
        status: HTTP status.
        complaint: What the reply says.
        retry_after: Seconds that it asks to wait.
        keyed: Whether a key was sent.
    """
    said = quoted(complaint.text) if complaint.text.strip() else "no text"

    def final(what: str) -> RequestError:
        return RequestError(f"{name}: {what} ({status}: {said})", status=status, permanent=True)

    match status:
        case 401 | 403:
            what = "the key was rejected" if keyed else "a key is needed and none was sent"
            return final(f"{what}; check api_key_env")
        case 404 | 405 | 410:
            return final("wrong path or unknown model; base_url should usually end in /v1")
        case 429:
            what = "too many requests; lower limits.concurrency or limits.requests_per_minute"
            return RateLimitError(
                f"{name}: {what} (429: {said})", status=status, retry_after=retry_after
            )
        case 408 | 409:
            what = "the server asks to try again"
            return TransportError(
                f"{name}: {what} ({status}: {said})", status=status, retry_after=retry_after
            )
        case _ if status >= 500:
            what = "the server failed; look at its log"
            return TransportError(
                f"{name}: {what} ({status}: {said})", status=status, retry_after=retry_after
            )
        case _ if status < 400:
            return final(
                "the server redirects or sends no reply; base_url should be its final address"
            )
        case 400 if _NO_MODEL.search(complaint.text) or _NO_MODEL.search(complaint.code):
            return final("the server does not know the model; check its name in the config")
        case 400 if _NOT_TLS.search(complaint.text):
            return final("the server speaks TLS; base_url should begin with https://")
        case 402:
            return final("the account cannot pay for the call")
        case _:
            return RequestError(
                f"{name}: the request was rejected ({status}: {said})", status=status
            )
