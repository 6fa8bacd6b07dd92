"""The chat interface of every model: requests, completions, prices."""

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
    TokenLogprobs,
    Usage,
)
from ._price import Charge, Price
from ._redaction import HIDDEN, RedactingFilter, Redactor, is_secret_name, redactor
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
    "TokenLogprobs",
    "Usage",
    "is_secret_name",
    "redactor",
    "region_parameter",
]
