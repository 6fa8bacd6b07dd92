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
    OutageError,
    OutOfBudgetError,
    PanelRefusedError,
    RateLimitError,
    RecordChangedError,
    RecordError,
    RequestError,
    SafejuryError,
    TransportError,
)
from ._lazy import lazy
from ._query import (
    Intent,
    Media,
    MediaKind,
    Message,
    MessagePart,
    Query,
    Role,
    ToolCall,
    media_in,
)

if TYPE_CHECKING:
    from ._agreement import Coincidences, krippendorff_alpha
    from ._conversation import of_messages, with_images, with_media
    from ._crosswalk import Counterparts, Crosswalk, crosswalk
    from ._fit import Fitted, ImageFitting, ImageLimits
    from ._jsonl import Dataset, load_dataset
    from ._media import read_media
    from ._media_store import MediaStore
    from ._near_duplicates import NearDuplicates
    from ._picture_hash import HashedPicture, NearPictures, hash_pictures, picture_hash
    from ._refusal import is_refusal
    from ._sound import NEUTRAL_TEXT, Transcript, put_parts, transcript_of
    from ._sound_file import sound_length
    from ._spoken import SpokenTurn, spoken_turns, words_in, words_of
    from ._taxonomy import (
        TAXONOMY_NAME,
        UNCATEGORISED,
        Category,
        Scenario,
        Taxonomy,
        load_taxonomy,
        read_taxonomy,
        taxonomy_of,
    )
    from ._variants import IMAGE_VARIANTS, ImageVariant, image_variant
    from ._variants_pool import PicturePool
    from ._write import write_jsonl
    from .loaders._find import find_set
    from .loaders._read import LoadedSet, load_set

__all__ = [
    "IMAGE_VARIANTS",
    "NEUTRAL_TEXT",
    "TAXONOMY_NAME",
    "UNCATEGORISED",
    "BadReplyError",
    "BudgetError",
    "Category",
    "Coincidences",
    "Condition",
    "ConfigurationError",
    "Counterparts",
    "Crosswalk",
    "Dataset",
    "DatasetError",
    "FirstContactError",
    "Fitted",
    "HashedPicture",
    "ImageFitting",
    "ImageLimits",
    "ImageVariant",
    "Intent",
    "LoadedSet",
    "Media",
    "MediaKind",
    "MediaStore",
    "Message",
    "MessagePart",
    "ModelError",
    "NearDuplicates",
    "NearPictures",
    "OutOfBudgetError",
    "OutageError",
    "PanelRefusedError",
    "Parts",
    "PicturePool",
    "Query",
    "RateLimitError",
    "RecordChangedError",
    "RecordError",
    "RequestError",
    "Role",
    "SafejuryError",
    "Scenario",
    "SpokenTurn",
    "Taxonomy",
    "ToolCall",
    "Transcript",
    "TransportError",
    "crosswalk",
    "find_set",
    "first_failure",
    "hash_pictures",
    "image_variant",
    "in_parallel",
    "is_refusal",
    "krippendorff_alpha",
    "load_dataset",
    "load_set",
    "load_taxonomy",
    "media_in",
    "of_messages",
    "picture_hash",
    "put_parts",
    "read_media",
    "read_taxonomy",
    "sound_length",
    "spoken_turns",
    "taxonomy_of",
    "transcript_of",
    "with_images",
    "with_media",
    "words_in",
    "words_of",
    "write_jsonl",
]

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "Category": "_taxonomy",
            "Coincidences": "_agreement",
            "krippendorff_alpha": "_agreement",
            "Counterparts": "_crosswalk",
            "Crosswalk": "_crosswalk",
            "crosswalk": "_crosswalk",
            "of_messages": "_conversation",
            "with_images": "_conversation",
            "with_media": "_conversation",
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
            "LoadedSet": "loaders._read",
            "find_set": "loaders._find",
            "load_dataset": "_jsonl",
            "load_set": "loaders._read",
            "load_taxonomy": "_taxonomy",
            "MediaStore": "_media_store",
            "SpokenTurn": "_spoken",
            "spoken_turns": "_spoken",
            "words_in": "_spoken",
            "words_of": "_spoken",
            "NEUTRAL_TEXT": "_sound",
            "Transcript": "_sound",
            "put_parts": "_sound",
            "sound_length": "_sound_file",
            "transcript_of": "_sound",
            "TAXONOMY_NAME": "_taxonomy",
            "UNCATEGORISED": "_taxonomy",
            "is_refusal": "_refusal",
            "NearDuplicates": "_near_duplicates",
            "HashedPicture": "_picture_hash",
            "NearPictures": "_picture_hash",
            "hash_pictures": "_picture_hash",
            "picture_hash": "_picture_hash",
            "read_media": "_media",
            "read_taxonomy": "_taxonomy",
            "taxonomy_of": "_taxonomy",
            "write_jsonl": "_write",
        },
    )
