"""Opens the renderers and the classifier that pictures are made with."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from ..items import PictureSettings
from ..pipeline import Services
from ._nsfw import NsfwClassifier
from .renderers import Renderer, open_renderer


@dataclass(frozen=True, slots=True)
class Tools:
    """Renderers and classifier.

    Attributes:
        renderer: What draws.
        fallback: What draws what the renderer does not; None leaves it out.
        classifier: Scores pictures; None where nothing does.
    """

    renderer: Renderer
    fallback: Renderer | None
    classifier: NsfwClassifier | None


def open_tools(
    settings: PictureSettings,
    stack: AsyncExitStack,
    *,
    concurrency: int = 1,
    services: Services | None = None,
) -> Tools:
    """Return the renderers and classifier of the settings; nothing is sent or loaded yet.

    Args:
        settings: What is wanted.
        stack: Closes it.
        concurrency: Most pictures at a time, where a server draws.
        services: How a server is asked; without bounds unless given.

    Raises:
        ConfigurationError: A setting or a package is missing, or cannot be right.
    """
    renderer = open_renderer(
        settings.renderer, settings, concurrency=concurrency, services=services
    )
    stack.push_async_callback(renderer.aclose)
    fallback = None
    if settings.fallback not in (None, settings.renderer):
        fallback = open_renderer(
            settings.fallback, settings, concurrency=concurrency, services=services
        )
        stack.push_async_callback(fallback.aclose)
    classifier = None
    if settings.nsfw_model is not None:
        classifier = NsfwClassifier(settings.nsfw_model)
        stack.push_async_callback(classifier.aclose)
    return Tools(renderer, fallback, classifier)


async def check_pictures(settings: PictureSettings) -> None:
    """Check what can be checked without drawing a picture.

    Raises:
        ConfigurationError: A package, a font or a setting is missing, or cannot be right.
    """
    async with AsyncExitStack() as stack:
        open_tools(settings, stack)
