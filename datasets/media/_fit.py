"""Fits pictures to a model's limits; sends the original bytes where they fit."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

from ...common import ConfigurationError
from ..query import Media
from ._image_file import facts_known, image_facts
from ._image_made import JPEG_QUALITY, ImageFile, as_jpeg, image_file
from ._image_plain import plain_image
from ._media_store import MediaStore
from ._once_cache import OnceCache

if TYPE_CHECKING:
    from PIL.Image import Image

    Size = tuple[int, int]

LEAST_BYTES = 1024
"""Least limit on a picture's bytes: any picture can be made to fit it."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The limits of a model on pictures; None means no limit.

    Attributes:
        max_side: Most pixels of the longer side.
        max_pixels: Most pixels, width times height.
        max_bytes: Longest file, at least 1024; in a request it is a third longer.
        max_images: Most pictures of one query.
        formats: What it reads, such as `png`, `jpeg` and `webp`; the first two must be there.
    """

    max_side: int | None = None
    max_pixels: int | None = None
    max_bytes: int | None = None
    max_images: int | None = None
    formats: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ConfigurationError: No picture could fit them.
        """
        least = {"max_side": 1, "max_pixels": 1, "max_bytes": LEAST_BYTES, "max_images": 1}
        for name, bound in least.items():
            value: int | None = getattr(self, name)
            if value is not None and value < bound:
                raise ConfigurationError(f"{name} {value} is too small: give at least {bound}")
        if self.formats is not None and not {"png", "jpeg"} <= set(self.formats):
            raise ConfigurationError("formats must hold png and jpeg: others are made into them")

    def takes(self, media_type: str) -> bool:
        """Return whether the model accepts pictures of a MIME type."""
        return self.formats is None or media_type.removeprefix("image/") in self.formats


@dataclass(frozen=True, slots=True)
class Fitted:
    """Pictures ready to be sent, and notes about changes.

    Attributes:
        images: The given ones, or those made from them, in the same order.
        changes: What was done to them, one plain sentence each.
    """

    images: tuple[Media, ...]
    changes: tuple[str, ...] = ()


class ImageFitter:
    """Fits pictures to a model's limits, once for each distinct picture.

    The bytes that are given are the bytes that are sent, but for three cases: a picture
    over a limit is made smaller, an animated one is cut to its first frame, and one of a
    format that the model does not read is made a PNG. Each is re-encoded, upright and opaque.

    Args:
        limits: What the model takes.
        store: Stores the variants.
    """

    def __init__(self, limits: ImageLimits, store: MediaStore) -> None:
        self._limits = limits
        self._store = store

    def excess(self, images: Sequence[Media]) -> str | None:
        """Return why there are too many pictures for one request, None if there are not."""
        most = self._limits.max_images
        if most is None or len(images) <= most:
            return None
        return (
            f"the query has {len(images)} pictures and the model takes {most} at most, "
            "by its `max_images`"
        )

    async def fitted(self, images: Sequence[Media]) -> Fitted:
        """Fit pictures; see `fit`. In a thread, unless they are known to fit as they are."""
        if all(facts_known(image) and self._is_fit(image) for image in images):
            return Fitted(tuple(images))
        return await asyncio.to_thread(self.fit, images)

    def fit(self, images: Sequence[Media]) -> Fitted:
        """Fit pictures to the limits; large ones take seconds.

        Raises:
            DatasetError: A file is gone, damaged, or no longer the one that was read.
        """
        made = [self._fit(image) for image in images]
        changes = (
            f"picture {number} {change}"
            for number, (_, changes) in enumerate(made, 1)
            for change in changes
        )
        return Fitted(tuple(image for image, _ in made), tuple(changes))

    def _fit(self, media: Media) -> tuple[Media, tuple[str, ...]]:
        if self._is_fit(media):
            return media, ()
        key = media.sha256, self._limits
        return _made.get(self._store, key, lambda: self._make(media))

    def _is_fit(self, media: Media) -> bool:
        facts, limits = image_facts(media), self._limits
        size = facts.width, facts.height
        short = limits.max_bytes is None or media.size <= limits.max_bytes
        as_given = short and not facts.animated and limits.takes(media.media_type)
        return as_given and _fitting(size, limits) == size

    def _make(self, media: Media) -> tuple[Media, tuple[str, ...]]:
        plain = plain_image(media)
        made = _encoded(plain.image, self._limits, lossy=media.media_type == "image/jpeg")
        change = _describe_change(media, plain.image.size, made, self._limits)
        return made.file.keep(self._store), (*plain.changes, change)


_made: OnceCache[tuple[Media, tuple[str, ...]]] = OnceCache()


def _fitting(size: "Size", limits: ImageLimits) -> "Size":
    """Return the largest size of the same aspect ratio within the pixel limits."""
    longest = max(size)
    if limits.max_side is not None:
        longest = min(longest, limits.max_side)
    if (most := limits.max_pixels) is not None:
        longest = min(longest, isqrt(most * max(size) // min(size)), most)
        while longest * _short(size, longest) > most:
            longest -= 1
    return _of_length(size, max(1, longest))


def _short(size: "Size", longest: int) -> int:
    return max(1, (2 * min(size) * longest + max(size)) // (2 * max(size)))


def _of_length(size: "Size", longest: int) -> "Size":
    """Return a size of the same aspect ratio with the given longer side, to the nearest pixel."""
    short = _short(size, longest)
    return (longest, short) if size[0] >= size[1] else (short, longest)


@dataclass(frozen=True, slots=True)
class _Made:
    """An encoded picture file with its width and height."""

    file: ImageFile
    size: "Size"


def _encoded(image: "Image", limits: ImageLimits, *, lossy: bool) -> _Made:
    """Encode a picture within the limits; a JPEG that is too large is scaled down."""
    pixels = _resized(image, _fitting(image.size, limits))
    file = as_jpeg(pixels) if lossy else image_file(pixels)
    if (most := limits.max_bytes) is None:
        return _Made(file, pixels.size)
    if len(file.content) > most and file.form == "png":
        file = as_jpeg(pixels)
    while len(file.content) > most:
        # Bytes go about with the pixels; the headers do not, hence a little less each time.
        share = min(0.9, 0.95 * (most / len(file.content)) ** 0.5)
        longest = max(1, int(max(pixels.size) * share))
        pixels = _resized(image, _of_length(image.size, longest))
        file = as_jpeg(pixels)
    return _Made(file, pixels.size)


def _resized(image: "Image", size: "Size") -> "Image":
    from PIL.Image import Resampling

    return image if size == image.size else image.resize(size, Resampling.LANCZOS)


def _describe_change(media: Media, full: "Size", made: _Made, limits: ImageLimits) -> str:
    """Describe what was done to a picture, and for which limits."""
    before, after = f"{full[0]}x{full[1]}", f"{made.size[0]}x{made.size[1]}"
    smaller = f"made smaller, from {before} to {after} pixels, and "
    form = "a PNG" if made.file.form == "png" else f"a JPEG of quality {JPEG_QUALITY}"
    lengths = f"from {media.size} to {len(made.file.content)} bytes"
    names = " and ".join(_reached(media, full, limits))
    return (
        f"was {smaller if made.size != full else ''}re-encoded as {form}, {lengths}"
        f"{f': the limit of the model is {names}' if names else ''}"
    )


def _reached(media: Media, full: "Size", limits: ImageLimits) -> Iterator[str]:
    """Yield the limits that a picture exceeds."""
    if limits.max_side is not None and max(full) > limits.max_side:
        yield f"max_image_side {limits.max_side}"
    if limits.max_pixels is not None and full[0] * full[1] > limits.max_pixels:
        yield f"max_image_pixels {limits.max_pixels}"
    if limits.max_bytes is not None and media.size > limits.max_bytes:
        yield f"max_image_bytes {limits.max_bytes}"
    if limits.formats is not None and not limits.takes(media.media_type):
        yield f"image_formats {', '.join(limits.formats)}"
