"""Changes what is sent: image variants, audio, or a transcript of it."""

from ._sound import NEUTRAL_TEXT, Transcript, select_parts, transcript_of
from ._variants import IMAGE_VARIANTS, ImageVariant, image_variant
from ._variants_pool import PicturePool

__all__ = [
    "IMAGE_VARIANTS",
    "NEUTRAL_TEXT",
    "ImageVariant",
    "PicturePool",
    "Transcript",
    "image_variant",
    "select_parts",
    "transcript_of",
]
