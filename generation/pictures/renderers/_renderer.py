"""The interface of renderers, and what they share."""

import asyncio
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, Protocol

from PIL import Image

from ....common import DatasetError
from ....datasets import Scenario
from ....datasets.media import image_type, quiet
from ...items import OURS

_COLORS = 96
_LEAST_SIDE = 0.25
"""Shorter side of a picture that is of use, as a share of the side wanted."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture is for.

    Attributes:
        id: Of the query or twin.
        text: What is asked.
        scenario: Its scenario.
    """

    id: str
    text: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture.

    Attributes:
        png: The file.
        note: What is not quite as it was asked for, a line; empty if all is.
    """

    png: bytes
    note: str = ""


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """Why there is no picture.

    Attributes:
        outcome: `filtered` by a provider, or `failed`.
        detail: One line.
        passing: Whether the same may go well another time, as when a server is down.
    """

    outcome: Literal["filtered", "failed"]
    detail: str
    passing: bool = False


class Renderer(Protocol):
    """Draws pictures.

    Attributes:
        name: As users write it.
        model: Name of the model that draws, `safejury` where none does.
        identity: All that decides what it draws of a prompt, a scenario and a seed.
    """

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def identity(self) -> str: ...

    def words(self, subject: Subject) -> str | None:
        """Return the prompt for a subject, None if a model must describe a scene."""
        ...

    async def draw(self, prompt: str, subject: Subject, seed: int) -> Drawn | NotDrawn:
        """Draw once.

        Args:
            prompt: What is to be seen: what `words` returned, or a model's description.
            subject: What the picture is for.
            seed: From 0 to 2**31 - 1; the same arguments give the same picture, as far
                as that is in the renderer's power.

        Raises:
            FirstContactError: What draws never answered once and waiting won't help.
            ConfigurationError: What draws is not installed or cannot be loaded.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and threads; may be called twice."""
        ...


class DrawnHere:
    """Base class of renderers that draw in this process, without a model.

    Args:
        name: As users write it.
        size: Width and height in pixels.
    """

    model = OURS
    version = 1
    """Goes up when the same arguments give another picture."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.identity = f"{name} {self.version} {size}"

    async def draw(self, prompt: str, subject: Subject, seed: int) -> Drawn | NotDrawn:
        """See `Renderer.draw`."""
        return await asyncio.to_thread(self.drawn, prompt, subject.scenario, seed)

    def drawn(self, prompt: str, scenario: Scenario, seed: int) -> Drawn | NotDrawn:
        """Draw in the thread at hand."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Release nothing."""


def flat_png(canvas: Image.Image, size: int) -> bytes:
    """Return a drawing of few colors as a small PNG of `size` by `size` pixels."""
    small = canvas.reduce(canvas.width // size) if canvas.width >= 2 * size else canvas
    # Fewer colors halve the file; RGB again, since some decoders mishandle palettes.
    method = Image.Quantize.FASTOCTREE
    flat = small.quantize(_COLORS, method=method, dither=Image.Dither.NONE).convert("RGB")
    file = BytesIO()
    flat.save(file, "PNG")
    return file.getvalue()


def checked(content: bytes, most: int) -> Drawn | NotDrawn:
    """Check a picture from elsewhere and return it as a PNG.

    Args:
        content: Its file.
        most: Longest side in pixels; a larger picture is made smaller, and one whose
            shorter side would be under a quarter of it shows nothing and is refused.
    """
    try:
        kind = image_type(content)
        with quiet(), Image.open(BytesIO(content)) as image:
            fits = max(image.size) <= most
            if min(image.size) < _LEAST_SIDE * max(most, *image.size):
                return NotDrawn("failed", _too_small(image.size, most))
            if kind == "image/png" and fits:
                return Drawn(content)
            plain = image.convert("RGB")
    except DatasetError as error:
        return NotDrawn("failed", f"the picture {error}")
    note = "" if fits else f"made smaller from {plain.width}x{plain.height} pixels"
    plain.thumbnail((most, most), Image.Resampling.LANCZOS)
    file = BytesIO()
    plain.save(file, "PNG")
    return Drawn(file.getvalue(), note)


def _too_small(size: tuple[int, int], most: int) -> str:
    return f"the picture has {size[0]}x{size[1]} pixels instead of {most} a side"
