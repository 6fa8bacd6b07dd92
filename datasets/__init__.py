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
    from ._fit import Fitted, ImageFitting, ImageLimits
    from ._jsonl import Dataset, load_dataset
    from ._media import read_media
    from ._media_store import MediaStore
    from ._sound import NEUTRAL_TEXT, Transcript, put_parts, transcript_of
    from ._sound_file import sound_length
    from ._taxonomy import Category, Scenario, Taxonomy, load_taxonomy
    from ._variants import IMAGE_VARIANTS, ImageVariant, image_variant
    from ._variants_pool import PicturePool
    from ._write import write_jsonl

__all__ = [
    "IMAGE_VARIANTS",
    "NEUTRAL_TEXT",
    "BadReplyError",
    "BudgetError",
    "Category",
    "Condition",
    "ConfigurationError",
    "Dataset",
    "DatasetError",
    "FirstContactError",
    "Fitted",
    "ImageFitting",
    "ImageLimits",
    "ImageVariant",
    "Intent",
    "Media",
    "MediaStore",
    "ModelError",
    "Parts",
    "PicturePool",
    "Query",
    "RateLimitError",
    "RecordError",
    "RequestError",
    "SafejuryError",
    "Scenario",
    "Taxonomy",
    "Transcript",
    "TransportError",
    "first_failure",
    "image_variant",
    "in_parallel",
    "load_dataset",
    "load_taxonomy",
    "put_parts",
    "read_media",
    "sound_length",
    "transcript_of",
    "write_jsonl",
]

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "Category": "_taxonomy",
            "Dataset": "_jsonl",
            "Fitted": "_fit",
            "IMAGE_VARIANTS": "_variants",
            "ImageFitting": "_fit",
            "ImageLimits": "_fit",
            "ImageVariant": "_variants",
            "PicturePool": "_variants_pool",
            "image_variant": "_variants",
            "Scenario": "_taxonomy",
            "Taxonomy": "_taxonomy",
            "load_dataset": "_jsonl",
            "load_taxonomy": "_taxonomy",
            "MediaStore": "_media_store",
            "NEUTRAL_TEXT": "_sound",
            "Transcript": "_sound",
            "put_parts": "_sound",
            "sound_length": "_sound_file",
            "transcript_of": "_sound",
            "read_media": "_media",
            "write_jsonl": "_write",
        },
    )
