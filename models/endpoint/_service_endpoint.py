"""Shared by the endpoints for images and speech."""

from ...common import BadReplyError, FirstContactError
from ..middleware import RetryPolicy
from ._api_endpoint import ApiEndpoint
from ._http_errors import quoted

_SHOWN_BYTES = 4096


class ServiceEndpoint:
    """Base class of models behind one OpenAI-compatible API call.

    Args:
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`.
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token, None for servers without keys.
        concurrency: Most calls at a time.
        policy: How often failed calls are tried again.
        timeout: Seconds for a whole call.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address, or a key cannot be sent.
    """

    path = ""
    """Of the call below the API's address."""
    accept = "application/json"
    """MIME type that replies should have."""

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
            self.path,
            base_url=base_url,
            model=model,
            api_key=api_key,
            concurrency=concurrency,
            policy=policy,
            accept=self.accept,
            timeout=timeout,
        )
        self._has_served = False

    @property
    def name(self) -> str:
        """Model and address, without user, password or query."""
        return self._api.name

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._api.aclose()

    def _served(self, file: bytes) -> bytes:
        """Post the fields and return the reply; a filtered or failed call raises."""
        self._has_served = True
        return file

    def _bad(self, what: str, advice: str = "") -> BadReplyError | FirstContactError:
        """Return the error for an unusable reply.

        Each reply is paid for, so a server that cannot be read is given up at once.
        """
        text = f"{self.name}: {what}"
        if self._has_served:
            return BadReplyError(text, status=200)
        return FirstContactError(f"{text}; {advice}" if advice else text)


def beginning(body: bytes) -> str:
    """Return the beginning of a reply, for an error message."""
    return quoted(body[:_SHOWN_BYTES].decode("utf-8", "replace"))
