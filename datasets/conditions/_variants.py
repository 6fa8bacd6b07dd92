"""Makes variants of a query's pictures, to measure their effect on a target."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ...common import ConfigurationError, DatasetError
from ...common.text import did_you_mean, quoted
from ..media import LARGEST_PNG, MediaStore, OnceCache, as_jpeg, as_png, image_file, plain_image
from ..query import NAIVE, Media, Query, with_images
from ._variants_pool import PicturePool

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..media import ImageFile


@dataclass(frozen=True, slots=True)
class _Amount:
    """The range and default of the number in a variant's name.

    Attributes:
        word: Its placeholder in the list of variants.
        least: The minimum.
        most: The maximum.
        usual: The default, None if the number is required.
        whole: Whether it must be an integer.
    """

    word: str
    least: float
    most: float
    usual: float | None = None
    whole: bool = False

    def read(self, name: str, text: str | None) -> float:
        """Parse the number.

        Raises:
            ConfigurationError: It is missing, not a number or out of range.
        """
        if text is None and self.usual is not None:
            return self.usual
        try:
            value = float(text or "")
        except ValueError:
            value = float("nan")
        if not self.least <= value <= self.most or (self.whole and value != int(value)):
            kind = "a whole number" if self.whole else "a number"
            raise ConfigurationError(
                f"the image variant {quoted(name if text is None else f'{name}:{text}')} needs "
                f"{kind} from {self.least:g} to {self.most:g}: write {name}:{self.word}"
            )
        return value


_AMOUNTS: Mapping[str, _Amount | None] = {
    "original": None,
    "none": None,
    "black": None,
    "white": None,
    "noise": None,
    "random": None,
    NAIVE: None,
    "blur": _Amount("PIXELS", 0.1, 1000, usual=8),
    "jpeg": _Amount("QUALITY", 1, 100, whole=True),
    "downscale": _Amount("FACTOR", 1, 64),
    "rotate": _Amount("DEGREES", -360, 360),
}

IMAGE_VARIANTS = tuple(
    kind
    if amount is None
    else f"{kind}[:{amount.word}]"
    if amount.usual is not None
    else f"{kind}:{amount.word}"
    for kind, amount in _AMOUNTS.items()
)
"""All variants, as written in a config."""


_SAYS_NOTHING = frozenset({"none", "random", "black", "white", "noise"})
"""Variants under which nothing is left of what a picture says."""


@dataclass(frozen=True, slots=True)
class ImageVariant:
    """One way to change all pictures of a query; `image_variant` creates it.

    Attributes:
        kind: Such as `jpeg`.
        amount: Such as 20.0; 0.0 if the kind has none.
    """

    kind: str
    amount: float = 0.0

    @property
    def name(self) -> str:
        """The canonical name, such as `jpeg:20`."""
        return self.kind if _AMOUNTS[self.kind] is None else f"{self.kind}:{self.amount:g}"

    def apply(self, query: Query, *, seed: int, store: MediaStore, others: PicturePool) -> Query:
        """Return the query with its pictures changed.

        The same picture, seed and variant always give the same bytes; they are made
        once for each store. Changed pictures show the first frame, upright, on white.

        Args:
            query: The query as in the dataset.
            seed: The seed for noise and random pictures.
            store: Stores the variants.
            others: The pictures that `random` chooses from.

        Raises:
            DatasetError: A picture cannot be read, or there is no other picture.
        """
        if self.kind in _SAYS_NOTHING:  # so what text and pictures ask together is not asked
            query = replace(query, underlying_request=None)
        match self.kind:
            case "original":
                return query
            case "naive":
                return with_images(query, (_first_drawing(query),))
            case "none":
                return with_images(query, ())
            case "random":
                return with_images(query, _others(query, seed, others))
            case _:
                made = (self._made(media, seed, store) for media in query.images)
                return with_images(query, tuple(made))

    def _made(self, media: Media, seed: int, store: MediaStore) -> Media:
        return _made.get(
            store,
            (media.sha256, seed, self),
            lambda: _drawn(self, media, seed).keep(store),
        )


_made: OnceCache[Media] = OnceCache()


@lru_cache(maxsize=256)
def image_variant(name: str) -> ImageVariant:
    """Parse a variant's name, such as `black`, `blur`, `jpeg:20` or `rotate:90`.

    Raises:
        ConfigurationError: There is no such variant; the message lists all.
    """
    kind, colon, text = name.strip().partition(":")
    if kind not in _AMOUNTS:
        hint = did_you_mean(kind, _AMOUNTS)
        raise ConfigurationError(
            f"no image variant is called {quoted(name)}{hint}; there are "
            f"{', '.join(IMAGE_VARIANTS)}"
        )
    amount = _AMOUNTS[kind]
    if amount is not None:
        return ImageVariant(kind, amount.read(kind, text if colon else None))
    if colon:
        raise ConfigurationError(f"the image variant {kind!r} takes no number: write {kind}")
    return ImageVariant(kind)


def _first_drawing(query: Query) -> Media:
    first = query.others.get(NAIVE)
    if first is None or len(query.images) != 1:
        raise DatasetError(
            f"query {quoted(query.id)} has no first drawing of its picture in the set; take "
            "`naive` out of `images:`"
        )
    return first


def _others(query: Query, seed: int, pool: PicturePool) -> tuple[Media, ...]:
    drawn: dict[str, Media] = {}
    images: list[Media] = []
    for media in query.images:
        other = pool.other(query, _chance(seed, "random", media), taken=drawn.keys())
        drawn[other.sha256] = other
        images.append(other)
    return tuple(images)


def _chance(seed: int, kind: str, media: Media) -> random.Random:
    return random.Random(f"{seed}/{kind}/{media.sha256}")


def _drawn(variant: ImageVariant, media: Media, seed: int) -> "ImageFile":
    """Decode a picture, change it and return the new file."""
    image = plain_image(media).image
    if variant.kind == "jpeg":
        return as_jpeg(image, int(variant.amount))
    if variant.kind == "noise":
        noise = _noise(image, _chance(seed, "noise", media))
        # Its PNG is as long as its pixels: one that is too long need not be made.
        return as_png(noise) if 3 * noise.width * noise.height <= LARGEST_PNG else as_jpeg(noise)
    if variant.kind in {"black", "white"}:
        return as_png(_filled(image, variant.kind))
    return image_file(_CHANGES[variant.kind](image, variant.amount))


def _filled(image: "Image", color: str) -> "Image":
    from PIL import Image

    return Image.new("RGB", image.size, color)


def _noise(image: "Image", chance: random.Random) -> "Image":
    from PIL import Image

    return Image.frombytes("RGB", image.size, chance.randbytes(3 * image.width * image.height))


def _blurred(image: "Image", radius: float) -> "Image":
    from PIL.ImageFilter import GaussianBlur

    return image.filter(GaussianBlur(radius))


def _smaller(image: "Image", factor: float) -> "Image":
    from PIL.Image import Resampling

    size = max(1, round(image.width / factor)), max(1, round(image.height / factor))
    return image.resize(size, Resampling.LANCZOS)


def _rotated(image: "Image", degrees: float) -> "Image":
    from PIL.Image import Resampling

    # Pillow turns to the left.
    return image.rotate(-degrees, Resampling.BICUBIC, expand=True, fillcolor="white")


_CHANGES: Mapping[str, Callable[["Image", float], "Image"]] = {
    "blur": _blurred,
    "downscale": _smaller,
    "rotate": _rotated,
}
