"""Pictures that are made: pixels to a file, and the file to a store."""

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
    """A picture's file before it is written.

    Attributes:
        content: Its bytes.
        form: `png` or `jpeg`.
    """

    content: bytes
    form: str

    def keep(self, store: MediaStore) -> Media:
        """Write it, unless the store has it.

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
    """Encode pixels without loss, or as a JPEG where that takes more than `LARGEST_PNG`."""
    png = as_png(image)
    return png if len(png.content) <= LARGEST_PNG else as_jpeg(image)


def as_png(image: "Image") -> ImageFile:
    """Return the pixels as a PNG, the same bytes each time."""
    out = BytesIO()
    image.save(out, "PNG")
    return ImageFile(out.getvalue(), "png")


def as_jpeg(image: "Image", quality: int = JPEG_QUALITY) -> ImageFile:
    """Return the pixels as a JPEG, the same bytes each time."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return ImageFile(out.getvalue(), "jpeg")
