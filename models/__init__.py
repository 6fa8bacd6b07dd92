"""How we talk to any model: one protocol, several ways, limits around them."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy
from ._budget import Budget, Budgeted, Price
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
    SentRequest,
    TextPart,
    Usage,
)
from ._journal import Journal, Journaled
from ._redaction import HIDDEN, RedactingFilter, Redactor, names_a_secret, redactor
from ._sampled import Sampled
from ._spec import ModelSpec

if TYPE_CHECKING:
    from ._autogen import AgentChatClient
    from ._cache import Cached, ResponseCache
    from ._embedded import EMBEDDED_WARNING, EmbeddedModel
    from ._endpoint import EndpointModel
    from ._limits import Limited, Limiter
    from ._litellm import LiteLLMModel, known_price
    from ._probe import probe_endpoint
    from ._probe_result import Capability, CapabilityState, Probe
    from ._retry import FirstContact, Retrying, RetryPolicy
    from ._switchboard import Switchboard
    from ._transcriber import Transcriber
    from ._whisper_model import WhisperModel

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "AgentChatClient": "_autogen",
            "Cached": "_cache",
            "Capability": "_probe_result",
            "CapabilityState": "_probe_result",
            "EMBEDDED_WARNING": "_embedded",
            "EmbeddedModel": "_embedded",
            "EndpointModel": "_endpoint",
            "FirstContact": "_retry",
            "Limited": "_limits",
            "Limiter": "_limits",
            "LiteLLMModel": "_litellm",
            "Probe": "_probe_result",
            "ResponseCache": "_cache",
            "RetryPolicy": "_retry",
            "Retrying": "_retry",
            "known_price": "_litellm",
            "probe_endpoint": "_probe",
            "Switchboard": "_switchboard",
            "Transcriber": "_transcriber",
            "WhisperModel": "_whisper_model",
        },
    )

__all__ = [
    "EMBEDDED_WARNING",
    "HIDDEN",
    "AgentChatClient",
    "AudioPart",
    "Budget",
    "Budgeted",
    "Cached",
    "Capability",
    "CapabilityState",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "EmbeddedModel",
    "EndpointModel",
    "FinishReason",
    "FirstContact",
    "ImagePart",
    "Journal",
    "Journaled",
    "JsonSchema",
    "Limited",
    "Limiter",
    "LiteLLMModel",
    "Modality",
    "ModelSpec",
    "Part",
    "Price",
    "Probe",
    "RedactingFilter",
    "Redactor",
    "ResponseCache",
    "RetryPolicy",
    "Retrying",
    "Role",
    "Sampled",
    "Sampling",
    "SentRequest",
    "Switchboard",
    "TextPart",
    "Transcriber",
    "Usage",
    "WhisperModel",
    "known_price",
    "names_a_secret",
    "probe_endpoint",
    "redactor",
]
