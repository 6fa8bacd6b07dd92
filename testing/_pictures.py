"""Generates a scripted server's pictures, which depend only on the prompt and the seed."""

import base64
import hashlib
import io
from collections.abc import Callable, Collection
from typing import Literal, get_args

import msgspec

from ._quirks import FILTERED_WORDS
from ._reply import Body, ScriptedReply

PictureQuirk = Literal["filter", "gpt_image"]
"""`filter` rejects prompts that say `trip the filter`; `gpt_image` rejects the fields that
OpenAI's newer models don't know, and sizes other than their own."""

PICTURE_QUIRKS: tuple[PictureQuirk, ...] = get_args(PictureQuirk)
PictureScript = Callable[[Body], bytes | ScriptedReply]
"""A picture's file, or another reply, for each request."""

_SIDE = 128
_BLOCKS = 8
_NEWER = ("1024x1024", "1536x1024", "1024x1536", "auto")


def default_picture(body: Body) -> bytes:
    """Create a PNG of colored blocks from a hash of the prompt and the seed."""
    from PIL import Image

    said = f"{body.get('prompt')}\0{body.get('seed')}".encode("utf-8", "replace")
    drawn = hashlib.shake_256(said).digest(_BLOCKS * _BLOCKS * 3)
    blocks = Image.frombytes("RGB", (_BLOCKS, _BLOCKS), drawn)
    file = io.BytesIO()
    blocks.resize((_SIDE, _SIDE), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def picture_reply(
    script: PictureScript | None, quirks: Collection[PictureQuirk], body: Body
) -> ScriptedReply:
    """Return the reply to an image request."""
    for quirk in quirks:
        rejection = _filter(body) if quirk == "filter" else _gpt_image(body)
        if rejection is not None:
            return rejection
    drawn = (script or default_picture)(body)
    if isinstance(drawn, ScriptedReply):
        return drawn
    item = {"b64_json": base64.b64encode(drawn).decode()}
    return ScriptedReply(raw_body=msgspec.json.encode({"created": 0, "data": [item]}))


def _filter(body: Body) -> ScriptedReply | None:
    if FILTERED_WORDS not in str(body.get("prompt")).lower():
        return None
    return _rejected("Your request was rejected by the safety system.", "moderation_blocked", None)


def _gpt_image(body: Body) -> ScriptedReply | None:
    for name in ("response_format", "seed"):
        if name in body:
            return _rejected(f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    if (size := body.get("size", "auto")) not in _NEWER:
        known = ", ".join(f"'{name}'" for name in _NEWER)
        message = f"Invalid value: '{size}'. Supported values are: {known}."
        return _rejected(message, "invalid_value", "size")
    return None


def _rejected(message: str, code: str, param: str | None) -> ScriptedReply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ScriptedReply(status=400, raw_body=msgspec.json.encode({"error": error}))
