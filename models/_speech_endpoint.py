"""Speech by a model behind an OpenAI-compatible API."""

from ..datasets import BadReplyError, FirstContactError
from ..datasets._sound_wav import is_wav
from ._api_endpoint import ApiEndpoint, Filtered
from ._complaint import decode_error
from ._http_errors import quoted
from ._retry import RetryPolicy


class SpeechEndpoint:
    """A text-to-speech model behind `POST <base_url>/audio/speech`.

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
            "audio/speech",
            base_url=base_url,
            model=model,
            api_key=api_key,
            concurrency=concurrency,
            policy=policy,
            accept="audio/wav",
            timeout=timeout,
        )
        self._spoke = False

    @property
    def name(self) -> str:
        """Model and address, without user, password or query."""
        return self._api.name

    async def say(self, text: str, *, voice: str) -> bytes | Filtered:
        """Return a recording as a WAV.

        Args:
            text: What is spoken.
            voice: A voice that the server knows.

        Raises:
            FirstContactError: It never spoke once and waiting won't help.
            BadReplyError: The reply is no WAV.
            ModelError: The call failed otherwise.
        """
        fields = {"input": text, "voice": voice, "response_format": "wav"}
        reply = await self._api.post(fields, optional=("response_format",))
        if isinstance(reply, Filtered):
            return reply
        if not is_wav(reply.body):
            return self._explain(reply.body)
        self._spoke = True
        return reply.body

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._api.aclose()

    def _explain(self, body: bytes) -> Filtered:
        """Return that a filter said something instead; anything else is raised."""
        if body[:1] == b"{" and (complaint := decode_error(body)).filtered:
            return Filtered(quoted(complaint.text))
        began = quoted(body[:4096].decode("utf-8", "replace"))
        what = f"{self.name}: what came back is no WAV (it begins {began})"
        if self._spoke:
            raise BadReplyError(what, status=200)
        raise FirstContactError(f"{what}; check that base_url speaks, and speaks WAV")
