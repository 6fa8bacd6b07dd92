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
    takes_tools,
)
from ._price import Charge, Price
from ._redaction import HIDDEN, RedactingFilter, Redactor, is_secret_name, redactor
from ._regions import REGION_PARAMETERS, region_parameter
from ._tools import OneTool, ToolChoice, ToolSpec
from ._usage import Usage
from ._without_keys import without_keys
from ._work import AgentError, AgentWork, ToolUse

__all__ = [
    "HIDDEN",
    "REGION_PARAMETERS",
    "AgentError",
    "AgentWork",
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
    "OneTool",
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
    "ToolChoice",
    "ToolSpec",
    "ToolUse",
    "Usage",
    "is_secret_name",
    "redactor",
    "region_parameter",
    "takes_tools",
    "without_keys",
]
