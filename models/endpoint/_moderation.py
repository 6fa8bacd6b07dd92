"""Calls a moderations API as if it were a chat model: a text in, its result as JSON out."""

import hashlib

import msgspec

from ...common import BadReplyError
from ..chat import ChatRequest, Completion, SentRequest, TextPart, without_keys
from ._dialect import Dialect
from ._endpoint import EndpointModel
from ._error_reply import decode_error
from ._wire_reply import CallFacts, Rejection, usage_of
from ._wire_request import RequestBody
from .http import HttpReply

_NULL = msgspec.Raw(b"null")


class _Reply(msgspec.Struct):
    results: list[msgspec.Raw] | None = None
    model: str | None = None
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class ModerationModel(EndpointModel):
    """A moderation model behind `POST <base_url>/moderations`, with the interface of a chat model.

    The words of a request are its input, and the completion's text is the JSON of the first
    result: `flagged` and `categories`. Of sampling, caps and schemas nothing is sent. See
    `EndpointModel`.
    """

    path = ("moderations",)
    takes_tools = False

    def _encoded(self, request: ChatRequest, dialect: Dialect) -> bytes:
        parts = (part for message in request.messages for part in message.parts)
        words = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
        body: dict[str, object] = {"model": self._model, "input": words}
        if request.options is not None:
            body = {**request.options.in_body(), **body}
        return msgspec.json.encode(body)

    def _evidence(self, request: ChatRequest, dialect: Dialect, body: RequestBody) -> SentRequest:
        assert isinstance(body, bytes)  # as `_encoded` made it
        return SentRequest(hashlib.sha256(body).hexdigest(), body.decode())

    def _decoded(self, reply: HttpReply, call: CallFacts, *, tools: bool) -> Completion | Rejection:
        if reply.status != 200:
            return Rejection(reply.status, decode_error(reply.body))
        try:
            said = msgspec.json.decode(reply.body, type=_Reply)
        except (ValueError, RecursionError) as error:
            broken = not isinstance(error, msgspec.ValidationError)
            raise BadReplyError(
                f"the reply is not one of a moderations API: {error}", permanent=broken
            ) from error
        if not said.results:
            if said.error != _NULL:
                return Rejection(502, decode_error(reply.body))
            raise BadReplyError("the reply is not one of a moderations API: it has no results")
        text = bytes(said.results[0]).decode()
        usage, _ = usage_of(said.usage)
        completion = Completion(
            text, "stop", usage=usage, provider_model=said.model, **call._asdict()
        )
        return without_keys(completion)
