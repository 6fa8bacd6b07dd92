"""Imitates how well-known services differ from the OpenAI API."""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, cast, get_args

import msgspec

from ._reply import Body, ScriptedReply, request_text

Quirk = Literal[
    "azure_filter",
    "reasoning_empty",
    "max_completion_tokens",
    "no_seed",
    "no_temperature",
    "no_top_p",
    "no_system",
    "no_n",
    "no_schema",
    "gemini",
    "anthropic",
    "mistral",
]
"""One way in which a server is not quite OpenAI's: see `docs/endpoints.md`."""

QUIRKS: tuple[Quirk, ...] = get_args(Quirk)
FILTERED_WORDS = "trip the filter"
"""The words in a prompt that `azure_filter` and `gemini` filter."""

_Fields = dict[str, object]
_IGNORED_BY_ANTHROPIC = ("seed", "response_format", "logprobs", "metadata")
_AZURE_MESSAGE = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management"
    " policy. Please modify your prompt and retry."
)


def rejection_of(quirks: Collection[Quirk], body: Body) -> ScriptedReply | None:
    """Return the error that a server with `quirks` answers `body` with, if any."""
    for quirk in quirks:
        object_to = _OBJECTIONS.get(quirk)
        reply = object_to(body) if object_to is not None else None
        if reply is not None:
            return reply
    return None


def without_ignored_fields(quirks: Collection[Quirk], body: Body) -> Body:
    """Return `body` without the fields that a server with `quirks` ignores."""
    if "anthropic" not in quirks:
        return body
    return {key: value for key, value in body.items() if key not in _IGNORED_BY_ANTHROPIC}


def apply_reply_quirks(quirks: Collection[Quirk], body: Body, reply: bytes) -> bytes:
    """Return a chat completion in the form of a server with `quirks`."""
    accents = [_ACCENTS[quirk] for quirk in quirks if quirk in _ACCENTS]
    if not accents:
        return reply
    try:
        said = msgspec.json.decode(reply, type=_Fields)
    except ValueError:
        return reply
    for accent in accents:
        accent(body, said)
    return msgspec.json.encode(said)


def _openai(message: str, param: str | None = None, code: str | None = None) -> ScriptedReply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ScriptedReply(status=400, raw_body=msgspec.json.encode({"error": error}))


def _is_filtered(body: Body) -> bool:
    return FILTERED_WORDS in request_text(body).lower()


def _azure_filter(body: Body) -> ScriptedReply | None:
    if not _is_filtered(body):
        return None
    result: _Fields = {**_azure_grades(), "violence": {"filtered": True, "severity": "medium"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result}
    error = {
        "message": _AZURE_MESSAGE,
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": inner,
    }
    return ScriptedReply(status=400, raw_body=msgspec.json.encode({"error": error}))


def _azure_grades() -> _Fields:
    kinds = ("hate", "self_harm", "sexual", "violence")
    return {kind: {"filtered": False, "severity": "safe"} for kind in kinds}


def _max_completion_tokens(body: Body) -> ScriptedReply | None:
    if "max_tokens" not in body:
        return None
    return _openai(
        "Unsupported parameter: 'max_tokens' is not supported with this model."
        " Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    )


def _no_seed(body: Body) -> ScriptedReply | None:
    return _openai("Unrecognized request argument supplied: seed") if "seed" in body else None


def _no_temperature(body: Body) -> ScriptedReply | None:
    if body.get("temperature", 1) == 1:
        return None
    return _openai(
        f"Unsupported value: 'temperature' does not support {body['temperature']} with this model."
        " Only the default (1) value is supported.",
        "temperature",
        "unsupported_value",
    )


def _no_top_p(body: Body) -> ScriptedReply | None:
    if "top_p" not in body:
        return None
    return _openai(
        "Unsupported parameter: 'top_p' is not supported with this model.",
        "top_p",
        "unsupported_parameter",
    )


def _no_system(body: Body) -> ScriptedReply | None:
    messages = cast("list[Mapping[str, object]]", body.get("messages") or [])
    for at, message in enumerate(messages):
        if message.get("role") == "system":
            place = f"messages[{at}].role"
            return _openai(
                f"Unsupported value: '{place}' does not support 'system' with this model.",
                place,
                "unsupported_value",
            )
    return None


def _no_n(body: Body) -> ScriptedReply | None:
    return _openai("Only one completion choice is allowed") if body.get("n", 1) != 1 else None


def _no_schema(body: Body) -> ScriptedReply | None:
    wanted = body.get("response_format")
    if not isinstance(wanted, Mapping) or cast("_Fields", wanted).get("type") != "json_schema":
        return None
    return _openai("This response_format type is unavailable now", None, "invalid_request_error")


def _gemini(body: Body) -> ScriptedReply | None:
    unknown = [name for name in ("seed", "frequency_penalty", "logit_bias") if name in body]
    if not unknown:
        return None
    texts = [
        f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
        for name in unknown
    ]
    violations = [{"description": text} for text in texts]
    kind = "type.googleapis.com/google.rpc.BadRequest"
    error = {
        "code": 400,
        "message": "\n".join(texts),
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": kind, "fieldViolations": violations}],
    }
    return ScriptedReply(status=400, raw_body=msgspec.json.encode([{"error": error}]))


def _anthropic(body: Body) -> ScriptedReply | None:
    if "temperature" not in body or "top_p" not in body:
        return None
    message = (
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    )
    return _openai(message, None, "invalid_request_error")


def _mistral(body: Body) -> ScriptedReply | None:
    forbidden = [name for name in ("seed", "max_completion_tokens") if name in body]
    if forbidden:
        detail = [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": body[name],
            }
            for name in forbidden
        ]
        return _mistral_error({"detail": detail}, 422)
    if body.get("temperature") == 0 and body.get("top_p", 1) != 1:
        return _mistral_error("top_p must be 1 when using greedy sampling.", 400)
    return None


def _mistral_error(message: object, status: int) -> ScriptedReply:
    error = {
        "object": "error",
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    return ScriptedReply(status=status, raw_body=msgspec.json.encode(error))


def _choices(said: _Fields) -> list[_Fields]:
    return cast("list[_Fields]", said.get("choices") or [])


def _annotate(_: Body, said: _Fields) -> None:
    """Add the grades of Azure's content filter to what it lets through."""
    said["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": _azure_grades()}]
    for choice in _choices(said):
        choice["content_filter_results"] = _azure_grades()


def _only_reason(_: Body, said: _Fields) -> None:
    """Use up the token limit for reasoning, so that the answer is empty."""
    for choice in _choices(said):
        message = cast("_Fields", choice["message"])
        message["reasoning_content"] = message.get("content") or "Thinking."
        message["content"] = None
        choice["finish_reason"] = "length"
    usage = cast("_Fields", said.get("usage") or {})
    if usage:
        spent = {"reasoning_tokens": usage.get("completion_tokens")}
        usage["completion_tokens_details"] = spent


def _refuse_bare(body: Body, said: _Fields) -> None:
    """Remove the message from a filtered choice, and the details from the usage."""
    if _is_filtered(body):
        reason = "content_filter: PROHIBITED_CONTENT"
        said["choices"] = [{"index": 0, "finish_reason": reason}]
    _leave_details_out(body, said)


def _leave_details_out(_: Body, said: _Fields) -> None:
    cast("_Fields", said.get("usage") or {}).pop("prompt_tokens_details", None)


_OBJECTIONS: dict[Quirk, Callable[[Body], ScriptedReply | None]] = {
    "azure_filter": _azure_filter,
    "max_completion_tokens": _max_completion_tokens,
    "no_seed": _no_seed,
    "no_temperature": _no_temperature,
    "no_top_p": _no_top_p,
    "no_system": _no_system,
    "no_n": _no_n,
    "no_schema": _no_schema,
    "gemini": _gemini,
    "anthropic": _anthropic,
    "mistral": _mistral,
}
_ACCENTS: dict[Quirk, Callable[[Body, _Fields], None]] = {
    "azure_filter": _annotate,
    "reasoning_empty": _only_reason,
    "gemini": _refuse_bare,
    "anthropic": _leave_details_out,
    "mistral": _leave_details_out,
}
