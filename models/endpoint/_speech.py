"""Generates speech through an OpenAI-compatible API."""

from ...datasets.media import is_wav
from ._api_endpoint import Filtered
from ._error_reply import decode_error
from ._http_errors import quoted
from ._service_endpoint import ServiceEndpoint, beginning


class SpeechEndpoint(ServiceEndpoint):
    """A text-to-speech model behind `POST <base_url>/audio/speech`."""

    path = "audio/speech"
    accept = "audio/wav"

    async def say(self, text: str, *, voice: str) -> bytes | Filtered:
        """Generate a recording as WAV.

        Args:
            text: What is spoken.
            voice: A voice that the server knows.

        Raises:
            FirstContactError: It never spoke once and waiting won't help.
            BadReplyError: The reply is not a WAV file.
            ModelError: The call failed otherwise.
        """
        fields = {"input": text, "voice": voice, "response_format": "wav"}
        reply = await self._api.post(fields, optional=("response_format",))
        if isinstance(reply, Filtered):
            return reply
        if is_wav(reply.body):
            return self._served(reply.body)
        if reply.body[:1] == b"{" and (complaint := decode_error(reply.body)).filtered:
            return Filtered(quoted(complaint.text))
        what = f"the reply is not a WAV file (it begins {beginning(reply.body)})"
        raise self._bad(what, "check that base_url is a speech API that returns WAV")
