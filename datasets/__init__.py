"""What is asked: the taxonomy, queries, and the sets they come from."""

from ._errors import (
    BadReplyError,
    BudgetError,
    ConfigurationError,
    DatasetError,
    FirstContactError,
    ModelError,
    RateLimitError,
    RecordError,
    RequestError,
    SafejuryError,
    TransportError,
)
from ._query import Intent, Media, Query

__all__ = [
    "BadReplyError",
    "BudgetError",
    "ConfigurationError",
    "DatasetError",
    "FirstContactError",
    "Intent",
    "Media",
    "ModelError",
    "Query",
    "RateLimitError",
    "RecordError",
    "RequestError",
    "SafejuryError",
    "TransportError",
]
