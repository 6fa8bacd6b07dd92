"""Generates a scripted server's speech: tones that depend only on the text and the voice."""

import hashlib
import io
import math
import struct
import wave
from collections.abc import Callable

from ._quirks import FILTERED_WORDS
from ._reply import Body, ScriptedReply

SpeechScript = Callable[[Body], bytes | ScriptedReply]
"""A recording's file, or another reply, for each request."""

_RATE = 8000
_LOUDEST = 12_000
_TONE_S = 0.1
_MOST_TONES = 20


def default_speech(body: Body) -> bytes:
    """Create a WAV with a tone for each word, its pitch derived from the word and the voice."""
    voice, words = str(body.get("voice")), str(body.get("input")).split()
    samples: list[int] = []
    for word in words[:_MOST_TONES] or ["-"]:
        drawn = hashlib.blake2b(f"{voice}\0{word}".encode("utf-8", "replace"), digest_size=1)
        turn = 2 * math.pi * (200 + 5 * drawn.digest()[0]) / _RATE
        samples += [round(_LOUDEST * math.sin(turn * i)) for i in range(int(_RATE * _TONE_S))]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, _RATE, 0, "NONE", "NONE"))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def speech_reply(script: SpeechScript | None, body: Body) -> ScriptedReply:
    """Return the reply to a speech request; texts with `trip the filter` are rejected."""
    if FILTERED_WORDS in str(body.get("input")).lower():
        message = "Your request was rejected by the safety system."
        return ScriptedReply(message, status=400, code="content_policy_violation")
    said = (script or default_speech)(body)
    if isinstance(said, ScriptedReply):
        return said
    return ScriptedReply(raw_body=said, headers={"Content-Type": "audio/wav"})
