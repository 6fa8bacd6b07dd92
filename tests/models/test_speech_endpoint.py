"""Speech over an OpenAI-compatible API; the stage `speech` tests the rest of it."""

import json
from collections.abc import Mapping

import pytest

from safejury.common import BadReplyError, RequestError
from safejury.models import Filtered, SpeechEndpoint
from safejury.testing import ScriptedReply, ScriptedServer, default_speech

pytestmark = pytest.mark.usefixtures("transport")

Asked = Mapping[str, object]


async def test_a_server_that_knows_no_formats_is_asked_without_one() -> None:
    def only_wav(asked: Asked) -> bytes | ScriptedReply:
        if "response_format" in asked:
            return ScriptedReply("unknown field: response_format", status=400)
        return default_speech(asked)

    async with ScriptedServer(speech=only_wav, base_path="/api/v2") as server:
        speech = SpeechEndpoint(base_url=server.base_url, model="tones")
        said = [await speech.say("Hello there.", voice="alba") for _ in range(2)]
        await speech.aclose()
    assert said == [default_speech({"input": "Hello there.", "voice": "alba"})] * 2
    assert ["response_format" in asked for asked in server.speech_requests] == [True, False, False]
    assert server.speech_requests[1] == {"model": "tones", "input": "Hello there.", "voice": "alba"}


async def test_a_filter_is_told_from_failure_and_from_nonsense() -> None:
    replies: dict[str, bytes | ScriptedReply] = {
        "flagged": ScriptedReply("not that", status=400, code="content_policy_violation"),
        "flagged in 200": json.dumps({"error": {"code": "content_filter"}}).encode(),
        "broken": ScriptedReply("no such voice", status=400),
        "nonsense": b"OggS",
    }
    async with ScriptedServer(
        speech=lambda asked: replies.get(str(asked["input"])) or default_speech(asked)
    ) as server:
        speech = SpeechEndpoint(base_url=server.base_url, model="tones")
        assert isinstance(await speech.say("Hello.", voice="alba"), bytes)
        for text in ("flagged", "flagged in 200"):
            assert isinstance(await speech.say(text, voice="alba"), Filtered)
        with pytest.raises(RequestError, match="no such voice"):
            await speech.say("broken", voice="alba")
        with pytest.raises(BadReplyError, match=r"is not a WAV file \(it begins 'OggS'\)"):
            await speech.say("nonsense", voice="alba")
        await speech.aclose()


def test_scripted_speech_differs_with_words_and_voice_alone() -> None:
    asked = [{"input": text, "voice": voice} for text in ("one", "two") for voice in "ab"]
    assert len({default_speech(one) for one in asked}) == 4
    assert default_speech(asked[0]) == default_speech({**asked[0], "model": "another"})
