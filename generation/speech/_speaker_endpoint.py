"""Speaks with an OpenAI-compatible speech API."""

from collections.abc import Sequence
from functools import partial

from ...common import BadReplyError, BudgetError, ModelError
from ...models import Filtered, SpeechEndpoint
from ..pipeline import Services
from ._speaker import NotSpoken


class EndpointSpeaker:
    """Speaks with `POST <base_url>/audio/speech`.

    Args:
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`.
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token, None for servers without keys.
        concurrency: Most calls at a time.
        price: US dollars a million characters, None where unknown.
        services: How it is asked; without bounds unless given.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        concurrency: int = 8,
        price: float | None = None,
        services: Services | None = None,
    ) -> None:
        self._model = model
        self._price = price
        self._services = services or Services()
        self._endpoint = SpeechEndpoint(
            base_url=base_url,
            model=model,
            api_key=api_key,
            concurrency=concurrency,
            policy=self._services.policy,
        )

    @property
    def name(self) -> str:
        """Model and address, without user, password or query."""
        return self._endpoint.name

    @property
    def at_once(self) -> None:
        """Left to `concurrency`."""

    async def prepare(self, voices: Sequence[str]) -> None:
        """Do nothing: a call may cost money."""

    async def say(self, text: str, voice: str) -> bytes | NotSpoken:
        """Return a recording as a WAV, or why there is none.

        Raises:
            FirstContactError: It never spoke once and waiting won't help.
            BudgetError: The budget does not cover it.
        """
        usd = None if self._price is None else self._price * len(text) / 1e6
        try:
            said = await self._services.paid(
                self._model, usd, partial(self._endpoint.say, text, voice=voice)
            )
        except BudgetError:
            raise
        except ModelError as error:
            # A text for which it sends no sound now has none the next time either.
            passing = error.may_pass and not isinstance(error, BadReplyError)
            return NotSpoken(str(error), passing=passing)
        return NotSpoken(said.detail, "filtered") if isinstance(said, Filtered) else said

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._endpoint.aclose()
