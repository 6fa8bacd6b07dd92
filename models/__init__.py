"""How we talk to any model: one protocol, several ways, limits around them."""

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
    Role,
    Sampling,
    TextPart,
    Usage,
)

__all__ = [
    "AudioPart",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "FinishReason",
    "ImagePart",
    "JsonSchema",
    "Modality",
    "Part",
    "Role",
    "Sampling",
    "TextPart",
    "Usage",
]
