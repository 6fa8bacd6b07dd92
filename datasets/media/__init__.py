"""Reads and checks images and audio, fits them to a model's limits, stores them by hash."""

from ._fit import Fitted, ImageFitter, ImageLimits
from ._image_file import (
    BROKEN,
    FORMATS,
    MAX_PIXELS,
    TOO_MANY_PIXELS,
    image_facts,
    image_type,
    quiet,
)
from ._image_made import LARGEST_PNG, ImageFile, as_jpeg, as_png, image_file
from ._image_plain import plain_image
from ._media import MAX_MEDIA_BYTES, SUFFIXES, data_in, read_media
from ._media_bytes import MediaBytes, encoded_size, hold_media, is_copied
from ._media_store import MediaStore
from ._once_cache import OnceCache
from ._sound_file import sound_length
from ._sound_wav import WavFormat, find_wav_sound, is_wav
from ._temporary_folder import is_temporary, temporary_folder

__all__ = [
    "BROKEN",
    "FORMATS",
    "LARGEST_PNG",
    "MAX_MEDIA_BYTES",
    "MAX_PIXELS",
    "SUFFIXES",
    "TOO_MANY_PIXELS",
    "Fitted",
    "ImageFile",
    "ImageFitter",
    "ImageLimits",
    "MediaBytes",
    "MediaStore",
    "OnceCache",
    "WavFormat",
    "as_jpeg",
    "as_png",
    "data_in",
    "encoded_size",
    "find_wav_sound",
    "hold_media",
    "image_facts",
    "image_file",
    "image_type",
    "is_copied",
    "is_temporary",
    "is_wav",
    "plain_image",
    "quiet",
    "read_media",
    "sound_length",
    "temporary_folder",
]
