"""Wrappers around a model: retries, limits, budget, cache, journal, circuit breaker."""

from ._breaker import Breaker, Breaking, ModelBreaker, Outage
from ._budget import Budget, Reservation
from ._budgeted import (
    BYTES_PER_TOKEN,
    TOKENS_PER_MEDIUM,
    TOKENS_PER_MESSAGE,
    Budgeted,
    credible_usage,
    estimate_prompt_tokens,
)
from ._cache import Cached, ResponseCache
from ._completion_file import CompletionFile
from ._held_calls import HeldCalls
from ._journal import Journal, Journaled
from ._ledger import Ledger
from ._limits import MOST_AT_FIRST, Limited, Limiter
from ._middleware import Middleware
from ._place import Place, PlaceLimits, Wait
from ._retry import FirstContact, Retries, Retrying, RetryPolicy, is_hopeless
from ._self_reported import SelfReported
from ._with_options import with_options

__all__ = [
    "BYTES_PER_TOKEN",
    "MOST_AT_FIRST",
    "TOKENS_PER_MEDIUM",
    "TOKENS_PER_MESSAGE",
    "Breaker",
    "Breaking",
    "Budget",
    "Budgeted",
    "Cached",
    "CompletionFile",
    "FirstContact",
    "HeldCalls",
    "Journal",
    "Journaled",
    "Ledger",
    "Limited",
    "Limiter",
    "Middleware",
    "ModelBreaker",
    "Outage",
    "Place",
    "PlaceLimits",
    "Reservation",
    "ResponseCache",
    "Retries",
    "RetryPolicy",
    "Retrying",
    "SelfReported",
    "Wait",
    "credible_usage",
    "estimate_prompt_tokens",
    "is_hopeless",
    "with_options",
]
