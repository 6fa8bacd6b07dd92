"""Encodes pixels to picture files and writes them to a store."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from ...common import DatasetError
from ..query import Media
from ._media_store import MediaStore

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_PNG = 8 * 1024 * 1024
"""Longest PNG that is made, in bytes; a picture that needs more becomes a JPEG."""

JPEG_QUALITY = 95
"""Quality of the JPEGs that are made: a higher one costs bytes and shows no more."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An encoded picture that is not written yet.

    Attributes:
        content: Its bytes.
        form: `png` or `jpeg`.
    """

    content: bytes
    form: str

    def keep(self, store: MediaStore) -> Media:
        """Write the file, unless the store already has it.

        Raises:
            DatasetError: The store cannot be written.
        """
        try:
            return store.keep(self.content, f"image/{self.form}")
        except OSError as error:
            raise DatasetError(
                f"a changed picture cannot be written ({error.strerror}); make room or rights"
            ) from error


def image_file(image: "Image") -> ImageFile:
    """Encode pixels as PNG, or as JPEG if the PNG is larger than `LARGEST_PNG`."""
    png = as_png(image)
    return png if len(png.content) <= LARGEST_PNG else as_jpeg(image)


def as_png(image: "Image") -> ImageFile:
    """Encode pixels as PNG, always to the same bytes."""
    out = BytesIO()
    image.save(out, "PNG")
    return ImageFile(out.getvalue(), "png")


def as_jpeg(image: "Image", quality: int = JPEG_QUALITY) -> ImageFile:
    """Encode pixels as JPEG, always to the same bytes."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return ImageFile(out.getvalue(), "jpeg")
