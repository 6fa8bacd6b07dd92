"""Converts LiteLLM's exceptions to ours."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from ...common import ModelError, RequestError, TransportError
from ..endpoint import ErrorReply, decode_error, parse_retry_after, quoted, status_error

_KEY_ENDINGS = ("_KEY", "_KEY_ID", "_TOKEN", "_SECRET")


def error_reply_of(error: Exception) -> ErrorReply:
    """Return the content of a provider's rejection."""
    said = str(error).removeprefix("litellm.")
    body, code = getattr(error, "body", None), getattr(error, "code", None)
    param = getattr(error, "param", None)
    stated: dict[str, object] = {
        "message": _unpacked(said),
        "code": code if isinstance(code, str) else None,
        "param": param if isinstance(param, str) else None,
    }
    if isinstance(body, Mapping):
        inner = cast("Mapping[str, object]", body).get("innererror")
        stated["innererror"] = inner if isinstance(inner, Mapping) else None
    complaint = decode_error(msgspec.json.encode({"error": stated}))
    filtered = complaint.filtered or _is(error, "ContentPolicyViolationError")
    return replace(complaint, filtered=filtered)


def _unpacked(said: str) -> str:
    """Return the provider's JSON if LiteLLM only prefixed it with its name."""
    body = said[said.find("{") :].strip() if "Exception - " in said else ""
    try:
        return body if isinstance(msgspec.json.decode(body), dict) else said
    except ValueError:
        return said


def model_error(
    name: str, error: Exception, complaint: ErrorReply, *, keyed: bool, missing: Sequence[str]
) -> ModelError:
    """Convert an exception of LiteLLM to ours.

    Args:
        name: The model's name, for the message.
        error: What `acompletion` raised.
        complaint: What the provider said.
        keyed: Whether a key was given by the caller.
        missing: Environment variables that the provider's credentials usually come
            from and that are not set.
    """
    status = status_of(error)
    unset = unset_key(missing)
    if unset and not keyed and (status in (401, 403) or _wants_key(complaint.text)):
        return RequestError(
            f"{name}: no key was found; set the environment variable {unset}",
            status=status,
            permanent=True,
        )
    if _is(error, "Timeout"):
        return TransportError(f"{name}: no reply in time; raise the timeout or ask less at once")
    if any(_is(cause, "ConnectError") for cause in _causes(error)):
        said = quoted(complaint.text)
        what = "cannot connect; is the server up, and is its address right?"
        return TransportError(f"{name}: {what} ({said})", permanent=True, unsent=True)
    if "LLM Provider NOT provided" in complaint.text:
        return RequestError(
            f"{name}: LiteLLM knows no such provider; write the model as provider/model,"
            " such as anthropic/claude-sonnet-4-5, or give a base_url",
            permanent=True,
        )
    if status is None:
        kind = type(error).__name__
        return RequestError(f"{name}: LiteLLM failed with {kind} ({quoted(str(error))})")
    keyed = keyed or not unset
    wait = parse_retry_after(_headers(error))
    return status_error(name, status, complaint, retry_after=wait, keyed=keyed)


def unset_key(missing: Sequence[str]) -> str:
    """Join the key variables in `missing` by `or` or `and`."""
    unset = [variable for variable in missing if variable.endswith(_KEY_ENDINGS)]
    return " or ".join(unset) if _any_will_do(unset) else " and ".join(unset)


def status_of(error: Exception) -> int | None:
    """Return the HTTP status that LiteLLM reports, None if there is none."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status
    return 500 if _is(error, "APIConnectionError") or _is(error, "APIError") else None


def credentials_in_environment() -> Iterator[str]:
    """Yield values of environment variables that LiteLLM may use as a key."""
    for variable, value in os.environ.items():
        if variable.endswith(_KEY_ENDINGS):
            yield value


def _is(error: BaseException, name: str) -> bool:
    """Check an exception's class by name: importing LiteLLM's classes takes seconds."""
    return any(kind.__name__ == name for kind in type(error).__mro__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _headers(error: Exception) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    headers = headers or getattr(error, "litellm_response_headers", None)
    return cast("Mapping[str, str]", headers) if isinstance(headers, Mapping) else {}


def _wants_key(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in ("credential", "api key", "api_key"))


def _any_will_do(variables: Sequence[str]) -> bool:
    return all(variable.endswith("API_KEY") for variable in variables)
