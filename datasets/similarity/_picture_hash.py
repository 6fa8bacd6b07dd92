"""Computes perceptual hashes of pictures and detects near-duplicates."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import imagehash
import numpy as np
from PIL import Image, UnidentifiedImageError

from ...common import ConfigurationError, DatasetError
from ...common.text import short_reason
from ..media import BROKEN, FORMATS, MAX_PIXELS, TOO_MANY_PIXELS, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

NEAR_PICTURE = 4
"""Bits of 64 up to which two pictures are taken for the same."""

_BITS = 64
_SIDE = 128
"""Pixels of the shorter side, or more, from which a hash is taken: four times what it uses."""


def picture_hash(path: Path) -> int:
    """Return the perceptual hash of a picture, in [0, 2^64).

    It is `imagehash.phash`, taken from a picture that is made small while it is decoded, which
    keeps a picture of any size as fast as its decoder. Of an animation it is the first frame.

    Raises:
        DatasetError: The file cannot be read or is no picture.
    """
    try:
        with quiet(), Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            hashed = imagehash.phash(_small(image))
    except Image.DecompressionBombError:
        raise DatasetError(f"{path}: {TOO_MANY_PIXELS}") from None
    except UnidentifiedImageError:
        raise DatasetError(f"{path}: is not a PNG, JPEG, WebP, GIF or BMP picture") from None
    except BROKEN as error:
        reason = getattr(error, "strerror", None) or short_reason(error)
        raise DatasetError(f"{path}: cannot be read ({reason}); replace it") from error
    bits = cast("NDArray[np.bool_]", hashed.hash)  # pyright: ignore[reportUnknownMemberType]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _small(image: "Picture") -> "Picture":
    """Return a grayscale picture scaled to a shorter side of 128 to 255 pixels, or less."""
    image.draft("L", (_SIDE, _SIDE))  # JPEG alone is decoded small
    gray = image.convert("L")
    factor = min(gray.size) // _SIDE
    return gray.reduce(factor) if factor > 1 else gray


class NearPictures:
    """Detects whether a picture's hash is close to an earlier one.

    It looks at all of them each time: a tenth of a millisecond for 100,000, at 8 bytes each.

    Args:
        distance: Most bits, 0 to 32, in which hashes of near-duplicates differ.

    Raises:
        ConfigurationError: The distance is out of range.
    """

    def __init__(self, distance: int = NEAR_PICTURE) -> None:
        if not 0 <= distance <= _BITS // 2:
            raise ConfigurationError(
                f"near_duplicate {distance} is out of range: give 0 to {_BITS // 2} bits"
            )
        self._distance = distance
        self._ids: list[str] = []
        self._hashes = np.zeros(256, np.uint64)

    def __len__(self) -> int:
        """Return the number of pictures added."""
        return len(self._ids)

    def add(self, item_id: str, value: int) -> str | None:
        """Add a picture's hash, unless it is close to an earlier one.

        Returns:
            The id of the nearest picture before it (the earliest of several), None if there
            is none within the distance and it is remembered.
        """
        count = len(self._ids)
        if count:
            apart = np.bitwise_count(self._hashes[:count] ^ np.uint64(value))
            nearest = int(apart.argmin())
            if apart[nearest] <= self._distance:
                return self._ids[nearest]
        if count == len(self._hashes):
            self._hashes = np.concatenate((self._hashes, np.zeros(count, np.uint64)))
        self._hashes[count] = value
        self._ids.append(item_id)
        return None
