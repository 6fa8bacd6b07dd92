"""Opens the renderers that the settings name."""

from ....common import ConfigurationError
from ...items import PictureSettings
from ...items import Renderer as RendererName
from ...pipeline import Services
from ._renderer import Renderer

_OURS: frozenset[RendererName] = frozenset(("placeholder", "typographic"))
"""Those that draw without a model."""


def open_renderer(
    name: RendererName,
    settings: PictureSettings,
    *,
    concurrency: int,
    services: Services | None = None,
) -> Renderer:
    """Return a renderer; nothing is sent or loaded yet.

    Args:
        name: Which one.
        settings: What it is made for.
        concurrency: Most pictures at a time, where a server draws.
        services: How a server is asked; without bounds unless given.

    Raises:
        ConfigurationError: A setting or a package is missing, or cannot be right.
    """
    match name:
        case "placeholder":
            from ._placeholder import PlaceholderRenderer

            return PlaceholderRenderer(settings.size)
        case "typographic":
            from ._typographic import TypographicRenderer

            return TypographicRenderer(settings.size, settings.font)
        case "endpoint":
            from ._endpoint import EndpointRenderer

            if settings.base_url is None:
                raise ConfigurationError(
                    "the renderer endpoint needs pictures.base_url, the address of an images "
                    "API such as http://127.0.0.1:8000/v1"
                )
            return EndpointRenderer(
                settings.base_url,
                _model(name, settings),
                settings.size,
                settings.api_key,
                concurrency=concurrency,
                price=settings.price,
                services=services,
            )
        case "diffusers":
            from ._diffusers import DiffusersRenderer

            return DiffusersRenderer(_model(name, settings), settings.size)


def our_identities(settings: PictureSettings) -> list[str]:
    """Return the identities of the built-in renderers that the settings use.

    Raises:
        ConfigurationError: A font cannot be read.
    """
    return [
        open_renderer(name, settings, concurrency=1).identity
        for name in (settings.renderer, settings.fallback)
        if name is not None and name in _OURS
    ]


def _model(name: str, settings: PictureSettings) -> str:
    if settings.model is None:
        raise ConfigurationError(f"the renderer {name} needs pictures.model, a model's name")
    return settings.model
