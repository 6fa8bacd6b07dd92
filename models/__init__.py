"""How we talk to any model: one protocol, several ways, limits around them."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy
from ._around import Around
from ._budget import Budget, Reservation
from ._budgeted import (
    BYTES_PER_TOKEN,
    TOKENS_PER_MEDIUM,
    TOKENS_PER_MESSAGE,
    Budgeted,
    credible_usage,
    estimate_prompt_tokens,
)
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
from ._journal import Journal, Journaled
from ._ledger import Ledger
from ._price import Price, Spending
from ._redaction import HIDDEN, RedactingFilter, Redactor, names_a_secret, redactor
from ._spec import ModelSpec
from ._with_options import with_options

if TYPE_CHECKING:
    from ._api_endpoint import ApiEndpoint, Filtered
    from ._autogen import AgentChatClient
    from ._breaker import Breaker, Breaking, ModelBreaker, Outage
    from ._cache import Cached, ResponseCache
    from ._complaint import decode_error
    from ._connection import open_session
    from ._dialect import CAP_NOTE, SCHEMA_NOTE, SYSTEM_NOTE, Dialect
    from ._doubts import Doubts
    from ._embedded import EMBEDDED_WARNING, EmbeddedModel
    from ._endpoint import EndpointModel
    from ._images import ImagesEndpoint
    from ._limits import Limited, Limiter
    from ._litellm import LiteLLMModel, known_price
    from ._place import Place, PlaceLimits, Wait
    from ._probe import probe_endpoint
    from ._probe_result import Capability, CapabilityState, Probe
    from ._retry import FirstContact, Retrying, RetryPolicy
    from ._served_version import vllm_version
    from ._speech_endpoint import SpeechEndpoint
    from ._switchboard import Switchboard, find_price, unset_keys
    from ._transcriber import Transcriber
    from ._whisper_model import WhisperModel
    from ._wire_reply import FILTERED_REPLY, Rejection, read_finish, read_reply
    from ._wire_request import encode_request

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "AgentChatClient": "_autogen",
            "ApiEndpoint": "_api_endpoint",
            "Breaker": "_breaker",
            "Breaking": "_breaker",
            "ModelBreaker": "_breaker",
            "CAP_NOTE": "_dialect",
            "Cached": "_cache",
            "Capability": "_probe_result",
            "CapabilityState": "_probe_result",
            "Dialect": "_dialect",
            "Doubts": "_doubts",
            "EMBEDDED_WARNING": "_embedded",
            "EmbeddedModel": "_embedded",
            "EndpointModel": "_endpoint",
            "FILTERED_REPLY": "_wire_reply",
            "Filtered": "_api_endpoint",
            "FirstContact": "_retry",
            "ImagesEndpoint": "_images",
            "Limited": "_limits",
            "Limiter": "_limits",
            "LiteLLMModel": "_litellm",
            "Outage": "_breaker",
            "Place": "_place",
            "PlaceLimits": "_place",
            "Probe": "_probe_result",
            "Rejection": "_wire_reply",
            "ResponseCache": "_cache",
            "RetryPolicy": "_retry",
            "Retrying": "_retry",
            "SCHEMA_NOTE": "_dialect",
            "SYSTEM_NOTE": "_dialect",
            "SpeechEndpoint": "_speech_endpoint",
            "Switchboard": "_switchboard",
            "Transcriber": "_transcriber",
            "Wait": "_place",
            "WhisperModel": "_whisper_model",
            "decode_error": "_complaint",
            "encode_request": "_wire_request",
            "find_price": "_switchboard",
            "known_price": "_litellm",
            "open_session": "_connection",
            "probe_endpoint": "_probe",
            "read_finish": "_wire_reply",
            "read_reply": "_wire_reply",
            "unset_keys": "_switchboard",
            "vllm_version": "_served_version",
        },
    )

__all__ = [
    "BYTES_PER_TOKEN",
    "CAP_NOTE",
    "EMBEDDED_WARNING",
    "FILTERED_REPLY",
    "HIDDEN",
    "SCHEMA_NOTE",
    "SYSTEM_NOTE",
    "TOKENS_PER_MEDIUM",
    "TOKENS_PER_MESSAGE",
    "AgentChatClient",
    "ApiEndpoint",
    "Around",
    "AudioPart",
    "Breaker",
    "Breaking",
    "Budget",
    "Budgeted",
    "Cached",
    "Capability",
    "CapabilityState",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "Dialect",
    "Doubts",
    "EmbeddedModel",
    "EndpointModel",
    "Filtered",
    "FinishReason",
    "FirstContact",
    "ImagePart",
    "ImagesEndpoint",
    "Journal",
    "Journaled",
    "JsonSchema",
    "Ledger",
    "Limited",
    "Limiter",
    "LiteLLMModel",
    "Modality",
    "ModelBreaker",
    "ModelSpec",
    "Outage",
    "Part",
    "Place",
    "PlaceLimits",
    "Price",
    "Probe",
    "RedactingFilter",
    "Redactor",
    "Rejection",
    "RequestOptions",
    "Reservation",
    "ResponseCache",
    "RetryPolicy",
    "Retrying",
    "Role",
    "Sampling",
    "SentRequest",
    "SpeechEndpoint",
    "Spending",
    "Switchboard",
    "TextPart",
    "Transcriber",
    "Usage",
    "Wait",
    "WhisperModel",
    "credible_usage",
    "decode_error",
    "encode_request",
    "estimate_prompt_tokens",
    "find_price",
    "known_price",
    "names_a_secret",
    "open_session",
    "probe_endpoint",
    "read_finish",
    "read_reply",
    "redactor",
    "unset_keys",
    "vllm_version",
    "with_options",
]
