"""Tests whether an endpoint accepts pictures and audio."""

import base64
import re
from dataclasses import dataclass
from typing import Literal

from ._http import Answer, Fields, ProbeClient
from ._media import flac, mp3, noise, red_square, wav
from ._result import Capability
from ._text import QUESTION, failed, seen

_COUNTS = (2, 4, 8)
_SIDES = (1024, 2048, 4096)
_FORMATS: tuple[Literal["JPEG", "WEBP", "GIF"], ...] = ("JPEG", "WEBP", "GIF")


@dataclass(frozen=True, slots=True)
class Senses:
    """The modalities that an endpoint accepts besides text.

    Attributes:
        capabilities: As in `Probe`.
        most: Most pictures of one request.
        largest: Longest side in pixels.
        formats: Formats that were taken, in the order they were tried.
    """

    capabilities: tuple[Capability, ...]
    most: int = 0
    largest: int = 0
    formats: tuple[str, ...] = ()


async def find_images(caller: ProbeClient, baseline: Answer) -> Senses:
    """Test whether pictures are accepted, how many, how large and in which formats."""
    square = red_square("PNG")
    one = await _look(caller, square)
    if one.completion is None:
        return Senses((failed("images", one),))
    if re.search(r"\bred\b", one.completion.text, re.IGNORECASE):
        images = Capability("images", "yes", "a picture is seen, its color named")
    else:
        images = seen("images", one, baseline, "a picture is accepted")
    most, refusal = 1, None
    for count in _COUNTS:
        answer = await _look(caller, square, count=count)
        if answer.completion is None:
            refusal = answer
            break
        most = count
    images = _with_limit(images, most, refusal)
    size, largest = await _sizes(caller)
    kinds, formats = await _formats(caller)
    return Senses((images, size, kinds), most, largest, formats)


def _with_limit(images: Capability, most: int, refusal: Answer | None) -> Capability:
    if refusal is None:
        return _saying(images, f"{images.detail}; {most} in one request, more were not tested")
    tried = next(count for count in _COUNTS if count > most)
    said = f"{images.detail}; {most} in one request, {tried} are refused"
    return Capability("images", images.state, said, refusal.request, refusal.problem)


def _saying(capability: Capability, detail: str) -> Capability:
    return Capability(
        capability.name, capability.state, detail, capability.request, capability.answer
    )


async def _sizes(caller: ProbeClient) -> tuple[Capability, int]:
    largest, taken = 0, ""
    for side in _SIDES:
        picture = noise(side)
        answer = await _look(caller, picture, kind="jpeg")
        size = f"{side} x {side} px ({len(picture) / 1e6:.1f} MB)"
        if answer.completion is None:
            if not largest:
                return failed("image_size", answer, f"{size}: {answer.problem}"), 0
            said = f"{taken}; {size} is refused" if answer.refused else f"{taken}; {size} failed"
            return Capability("image_size", "partly", said, answer.request, answer.problem), largest
        largest, taken = side, f"up to {size}"
    return Capability("image_size", "yes", f"{taken}, larger ones were not tested"), largest


async def _formats(caller: ProbeClient) -> tuple[Capability, tuple[str, ...]]:
    taken: list[str] = ["PNG"]
    refused: list[tuple[str, Answer]] = []
    for format in _FORMATS:
        answer = await _look(caller, red_square(format), kind=format.lower())
        if answer.completion is None:
            refused.append((format, answer))
        else:
            taken.append(format)
    return _kinds("image_formats", taken, refused), tuple(taken)


async def _look(caller: ProbeClient, data: bytes, *, kind: str = "png", count: int = 1) -> Answer:
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    picture: Fields = {"type": "image_url", "image_url": {"url": url}}
    return await _perceive(caller, [picture] * count)


async def find_audio(caller: ProbeClient, baseline: Answer) -> Senses:
    """Test whether audio is accepted, and in which formats."""
    taken: list[str] = []
    refused: list[tuple[str, Answer]] = []
    audio: Capability | None = None
    for kind, data in (("wav", wav()), ("mp3", mp3()), ("flac", flac())):
        sound = {"data": base64.b64encode(data).decode(), "format": kind}
        answer = await _perceive(caller, [{"type": "input_audio", "input_audio": sound}])
        if answer.completion is None and audio is None:
            return Senses((failed("audio", answer),))
        if audio is None:
            audio = seen("audio", answer, baseline, "a sound is accepted")
        if answer.completion is None:
            refused.append((kind, answer))
        else:
            taken.append(kind)
    assert audio is not None
    return Senses((audio, _kinds("audio_formats", taken, refused)), formats=tuple(taken))


async def _perceive(caller: ProbeClient, parts: list[Fields]) -> Answer:
    # Media before words, as the jury's prompts have them.
    content: list[Fields] = [*parts, {"type": "text", "text": QUESTION}]
    return await caller.ask([{"role": "user", "content": content}])


def _kinds(name: str, taken: list[str], refused: list[tuple[str, Answer]]) -> Capability:
    if not refused:
        return Capability(name, "yes", ", ".join(taken))
    first = refused[0][1]
    said = f"{', '.join(taken)}; refused: {', '.join(kind for kind, _ in refused)}"
    return Capability(name, "partly", said, first.request, first.problem)
