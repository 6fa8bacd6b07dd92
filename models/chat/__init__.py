"""The chat interface that every model shares: requests, completions, prices."""

from ._chat import (
    AudioPart,
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    FinishReason,
    ImagePart,
    JsonSchema,
    Modality,
    Part,
    RequestOptions,
    Role,
    Sampling,
    SentRequest,
    TextPart,
    Usage,
)
from ._price import Charge, Price
from ._redaction import HIDDEN, RedactingFilter, Redactor, names_a_secret, redactor
from ._regions import REGION_PARAMETERS, region_parameter

__all__ = [
    "HIDDEN",
    "REGION_PARAMETERS",
    "AudioPart",
    "Charge",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "FinishReason",
    "ImagePart",
    "JsonSchema",
    "Modality",
    "Part",
    "Price",
    "RedactingFilter",
    "Redactor",
    "RequestOptions",
    "Role",
    "Sampling",
    "SentRequest",
    "TextPart",
    "Usage",
    "names_a_secret",
    "redactor",
    "region_parameter",
]
