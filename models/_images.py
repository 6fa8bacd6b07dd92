"""Pictures drawn by a model behind an OpenAI-compatible images API."""

import base64
import binascii

import msgspec

from ..datasets import BadReplyError, FirstContactError
from ._api_endpoint import ApiEndpoint, Filtered
from ._http_errors import quoted
from ._retry import RetryPolicy

_OPTIONAL = ("n", "size", "response_format", "seed")


class _Item(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Reply(msgspec.Struct):
    data: list[_Item] | None = None


class ImagesEndpoint:
    """A text-to-image model behind `POST <base_url>/images/generations`.

    Pictures come within the reply, as base64; none is fetched from another address.

    Args:
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`.
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token, None for servers without keys.
        concurrency: Most calls at a time.
        policy: How often failed calls are tried again.
        timeout: Seconds for a whole call.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        concurrency: int = 8,
        policy: RetryPolicy | None = None,
        timeout: float = 300.0,
    ) -> None:
        self._api = ApiEndpoint(
            "images/generations",
            base_url=base_url,
            model=model,
            api_key=api_key,
            concurrency=concurrency,
            policy=policy,
            timeout=timeout,
        )
        self._has_drawn = False

    @property
    def name(self) -> str:
        """Model and address, without user, password or query."""
        return self._api.name

    async def draw(self, prompt: str, *, size: int, seed: int) -> bytes | Filtered:
        """Return a picture's file, of a type that the server chooses.

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

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._api.aclose()

    def _read(self, body: bytes) -> bytes | Filtered:
        try:
            items = msgspec.json.decode(body, type=_Reply).data or []
        except (ValueError, RecursionError):
            began = quoted(body[:4096].decode("utf-8", "replace"))
            raise self._bad(f"what came back is no list of pictures (it begins {began})") from None
        item = items[0] if items else _Item()
        if item.b64_json:
            try:
                drawn = base64.b64decode(
                    "".join(item.b64_json.rpartition(",")[2].split()), validate=True
                )
            except (binascii.Error, ValueError):
                raise self._bad("what came back is not base64") from None
            self._has_drawn = True
            return drawn
        if item.url:
            raise self._bad("the server sends addresses of pictures; set it to send b64_json")
        return Filtered("the server drew nothing and gave no reason, as filters do")

    def _bad(self, what: str) -> BadReplyError | FirstContactError:
        # Each reply is paid for, so a server that cannot be read is given up at once.
        text = f"{self.name}: {what}"
        return BadReplyError(text, status=200) if self._has_drawn else FirstContactError(text)
