"""What is asked: the taxonomy, queries, and the sets they come from."""

from typing import TYPE_CHECKING

from ._concurrency import first_failure, in_parallel
from ._condition import Condition, Parts
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
from ._lazy import lazy
from ._query import Intent, Media, Query

if TYPE_CHECKING:
    from ._jsonl import Dataset, load_dataset
    from ._media import read_media
    from ._media_store import MediaStore
    from ._taxonomy import Category, Scenario, Taxonomy, load_taxonomy
    from ._write import write_jsonl

__all__ = [
    "BadReplyError",
    "BudgetError",
    "Category",
    "Condition",
    "ConfigurationError",
    "Dataset",
    "DatasetError",
    "FirstContactError",
    "Intent",
    "Media",
    "MediaStore",
    "ModelError",
    "Parts",
    "Query",
    "RateLimitError",
    "RecordError",
    "RequestError",
    "SafejuryError",
    "Scenario",
    "Taxonomy",
    "TransportError",
    "first_failure",
    "in_parallel",
    "load_dataset",
    "load_taxonomy",
    "read_media",
    "write_jsonl",
]

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "Category": "_taxonomy",
            "Dataset": "_jsonl",
            "Scenario": "_taxonomy",
            "Taxonomy": "_taxonomy",
            "load_dataset": "_jsonl",
            "load_taxonomy": "_taxonomy",
            "MediaStore": "_media_store",
            "read_media": "_media",
            "write_jsonl": "_write",
        },
    )
