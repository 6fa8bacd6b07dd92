"""Gives AutoGen's agents the pictures of a case, which are decoded only when looked at."""

from io import BytesIO

from autogen_core import Image
from PIL import Image as Pillow

from ...datasets import Media


class EvidenceImage(Image):
    """AutoGen's image of a picture of a case.

    AutoGen's own is decoded when it is made, and encoded anew for each request. This one
    keeps where the picture lies: our client sends its bytes as they are, an agent that takes
    no pictures never reads them, and nothing large is kept.
    """

    def __init__(self, media: Media) -> None:
        self.media = media

    @property
    def image(self) -> Pillow.Image:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The picture's pixels, read anew each time."""
        with Pillow.open(BytesIO(self.media.read())) as picture:
            return picture.convert("RGB")
