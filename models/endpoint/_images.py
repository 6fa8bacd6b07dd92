"""Generates pictures through an OpenAI-compatible images API."""

import base64
import binascii

import msgspec

from ._api_endpoint import Filtered
from ._service_endpoint import ServiceEndpoint, beginning

_OPTIONAL = ("n", "size", "response_format", "seed")


class _Item(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Reply(msgspec.Struct):
    data: list[_Item] | None = None


class ImagesEndpoint(ServiceEndpoint):
    """A text-to-image model behind `POST <base_url>/images/generations`.

    Pictures come within the reply, as base64; none is fetched from another address.
    """

    path = "images/generations"

    async def draw(self, prompt: str, *, size: int, seed: int) -> bytes | Filtered:
        """Generate a picture; the server chooses the file type.

        Args:
            prompt: What is to be seen.
            size: Width and height in pixels, where the server leaves the choice.
            seed: Sent to servers that take one.

        Raises:
            FirstContactError: It never drew once and waiting won't help.
            BadReplyError: The reply holds no picture.
            ModelError: The call failed otherwise.
        """
        fields = {
            "prompt": prompt,
            "n": 1,
            "size": f"{size}x{size}",
            "response_format": "b64_json",
            "seed": seed,
        }
        reply = await self._api.post(fields, optional=_OPTIONAL)
        return reply if isinstance(reply, Filtered) else self._read(reply.body)

    def _read(self, body: bytes) -> bytes | Filtered:
        try:
            items = msgspec.json.decode(body, type=_Reply).data or []
        except (ValueError, RecursionError):
            what = f"the reply is not a list of pictures (it begins {beginning(body)})"
            raise self._bad(what) from None
        item = items[0] if items else _Item()
        if item.b64_json:
            return self._served(self._decoded(item.b64_json))
        if item.url:
            raise self._bad("the server sends URLs of pictures; configure it to send b64_json")
        return Filtered("the server sent no picture and no reason; a filter may have stopped it")

    def _decoded(self, text: str) -> bytes:
        try:
            return base64.b64decode("".join(text.rpartition(",")[2].split()), validate=True)
        except (binascii.Error, ValueError):
            raise self._bad("the picture is not valid base64") from None
