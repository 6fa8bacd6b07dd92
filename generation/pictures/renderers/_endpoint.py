"""Renders pictures with an OpenAI-compatible images API."""

import asyncio
from functools import partial

from ....common import BadReplyError, BudgetError, FirstContactError, ModelError
from ....models import Filtered, ImagesEndpoint
from ...pipeline import Services
from ._renderer import Drawn, NotDrawn, Subject, checked


class EndpointRenderer:
    """Draws what a model describes with `POST <base_url>/images/generations`.

    Args:
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`.
        model: The model's name as the server knows it.
        size: Width and height in pixels.
        api_key: Sent as a bearer token, None for servers without keys.
        concurrency: Most calls at a time.
        price: US dollars a picture, None where unknown.
        services: How it is asked; without bounds unless given.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address.
    """

    name = "endpoint"

    def __init__(
        self,
        base_url: str,
        model: str,
        size: int,
        api_key: str | None = None,
        *,
        concurrency: int = 8,
        price: float | None = None,
        services: Services | None = None,
    ) -> None:
        self._size = size
        self._member = model
        self._price = price
        self._services = services or Services()
        self._images = ImagesEndpoint(
            base_url=base_url,
            model=model,
            api_key=api_key,
            concurrency=concurrency,
            policy=self._services.policy,
        )
        self.model = self._images.name
        self.identity = f"endpoint {self.model} {size}"

    def words(self, subject: Subject) -> None:
        """Return None: a model must describe a scene."""

    async def draw(self, prompt: str, subject: Subject, seed: int) -> Drawn | NotDrawn:
        """See `Renderer.draw`; failed calls were tried again already."""
        call = partial(self._images.draw, prompt, size=self._size, seed=seed)
        try:
            drawn = await self._services.paid(self._member, self._price, call)
        except (FirstContactError, BudgetError):
            raise
        except ModelError as error:
            # A prompt for which it sends no picture now has none the next time either.
            passing = error.may_pass and not isinstance(error, BadReplyError)
            return NotDrawn("failed", str(error), passing)
        if isinstance(drawn, Filtered):
            return NotDrawn("filtered", drawn.detail)
        return await asyncio.to_thread(checked, drawn, self._size)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._images.aclose()
