"""Opens the speaker that the settings name."""

from ...common import ConfigurationError
from ..items import SpeechSettings
from ..pipeline import Services
from ._speaker import Speaker
from ._speaker_endpoint import EndpointSpeaker
from ._speaker_espeak import EspeakSpeaker
from ._speaker_piper import PiperSpeaker


def open_speaker(
    settings: SpeechSettings, *, concurrency: int, services: Services | None = None
) -> Speaker:
    """Return the speaker that the settings name; nothing is started yet.

    Args:
        settings: Which, and with what.
        concurrency: Most texts that are spoken at a time.
        services: How a server is asked; without bounds unless given.

    Raises:
        ConfigurationError: Its program is missing, or a setting that it needs.
    """
    match settings.speaker:
        case "espeak":
            return EspeakSpeaker(settings.program)
        case "piper":
            if settings.model is None:
                raise ConfigurationError(
                    "speech.speaker piper needs speech.model, the folder of its voices"
                )
            return PiperSpeaker(settings.model, settings.program)
        case "endpoint":
            if settings.base_url is None or settings.model is None:
                raise ConfigurationError(
                    "speech.speaker endpoint needs speech.base_url and speech.model"
                )
            return EndpointSpeaker(
                settings.base_url,
                settings.model,
                settings.api_key,
                concurrency=concurrency,
                price=settings.price,
                services=services,
            )
