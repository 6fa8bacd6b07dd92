"""Clients of OpenAI-compatible servers: chat, images and speech."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._api_endpoint import ApiEndpoint, Filtered
    from ._dialect import CAP_NOTE, DROPPABLE, SCHEMA_NOTE, SYSTEM_NOTE, Dialect
    from ._endpoint import EndpointModel
    from ._error_reply import ErrorReply, decode_error
    from ._http_errors import parse_retry_after, quoted, status_error
    from ._images import ImagesEndpoint
    from ._moderation import ModerationModel
    from ._speech import SpeechEndpoint
    from ._transport import address_of, endpoint_headers, parse_base, proxy_for, tls_context
    from ._wire_reply import (
        FILTERED_REPLY,
        InlineError,
        Rejection,
        decode_reply,
        read_finish,
        read_reply,
    )
    from ._wire_request import encode_request, load_media, sent_request
    from .http import Connection, ConnectionOptions

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_api_endpoint": ["ApiEndpoint", "Filtered"],
            "_error_reply": ["ErrorReply", "decode_error"],
            "_dialect": ["CAP_NOTE", "DROPPABLE", "SCHEMA_NOTE", "SYSTEM_NOTE", "Dialect"],
            "_endpoint": ["EndpointModel"],
            "_http_errors": ["parse_retry_after", "quoted", "status_error"],
            "_images": ["ImagesEndpoint"],
            "_moderation": ["ModerationModel"],
            "_speech": ["SpeechEndpoint"],
            "_transport": [
                "address_of",
                "endpoint_headers",
                "parse_base",
                "proxy_for",
                "tls_context",
            ],
            "_wire_reply": [
                "FILTERED_REPLY",
                "InlineError",
                "Rejection",
                "decode_reply",
                "read_finish",
                "read_reply",
            ],
            "_wire_request": ["encode_request", "load_media", "sent_request"],
            "http": ["Connection", "ConnectionOptions"],
        },
    )

__all__ = [
    "CAP_NOTE",
    "DROPPABLE",
    "FILTERED_REPLY",
    "SCHEMA_NOTE",
    "SYSTEM_NOTE",
    "ApiEndpoint",
    "Connection",
    "ConnectionOptions",
    "Dialect",
    "EndpointModel",
    "ErrorReply",
    "Filtered",
    "ImagesEndpoint",
    "InlineError",
    "ModerationModel",
    "Rejection",
    "SpeechEndpoint",
    "address_of",
    "decode_error",
    "decode_reply",
    "encode_request",
    "endpoint_headers",
    "load_media",
    "parse_base",
    "parse_retry_after",
    "proxy_for",
    "quoted",
    "read_finish",
    "read_reply",
    "sent_request",
    "status_error",
    "tls_context",
]
