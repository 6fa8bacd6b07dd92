"""The OpenAI-compatible wire: a request to bytes, and bytes to a completion."""

from ._complaint import FILTER_NOTE, Complaint, decode_error
from ._dialect import DROPPABLE, SCHEMA_NOTE, Dialect
from ._wire_reply import REASONING_NOTE, InlineError, decode_reply
from ._wire_request import encode_request, sent_request

__all__ = [
    "DROPPABLE",
    "FILTER_NOTE",
    "REASONING_NOTE",
    "SCHEMA_NOTE",
    "Complaint",
    "Dialect",
    "InlineError",
    "decode_error",
    "decode_reply",
    "encode_request",
    "sent_request",
]
