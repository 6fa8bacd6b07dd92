"""What targets take of pictures, and what is said of those that are sent otherwise."""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.datasets import (
    ImageFitter,
    ImageLimits,
    Intent,
    Media,
    MediaStore,
    Query,
    read_media,
)
from safejury.models import EndpointModel, Modality, Sampling
from safejury.targets import ModelTarget, Response, ResponseOutcome
from safejury.testing import ScriptedServer


@dataclass(frozen=True, slots=True)
class Asked:
    """A target's response, and the pictures that its server was sent."""

    response: Response
    images: tuple[tuple[str, bytes], ...]


@asynccontextmanager
async def _target(
    server: ScriptedServer, folder: Path, *modalities: Modality, **limits: Any
) -> AsyncGenerator[ModelTarget, None]:
    model = EndpointModel(
        base_url=server.base_url, model="m", modalities=frozenset({"text", *modalities})
    )
    fitting = ImageFitter(ImageLimits(**limits), MediaStore(folder / "media"))
    target = ModelTarget("t", model, max_tokens=7, seed=7, sampling=Sampling(), fitting=fitting)
    try:
        yield target
    finally:
        await target.aclose()


def _images(body: Mapping[str, Any]) -> tuple[tuple[str, bytes], ...]:
    parts: list[dict[str, Any]] = body["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return tuple(
        (head.removeprefix("data:"), base64.b64decode(data))
        for head, _, data in (url.partition(";base64,") for url in urls)
    )


def _query(*images: Media) -> Query:
    return Query("q1", "consultation.legal_advice", "How?", Intent.HARMFUL, images)


async def _asked(folder: Path, *images: Media, **limits: Any) -> Asked:
    async with ScriptedServer("Thus.") as server, _target(server, folder, "image", **limits) as t:
        response = await t.respond(_query(*images), epoch=0, call_id="c")
        return Asked(response, _images(server.requests[0]))


@pytest.fixture
def photo(tmp_path: Path) -> Media:
    image = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)])
    image.resize((120, 80)).save(tmp_path / "photo.jpg", quality=71, comment=b"kept as it is")
    return read_media(tmp_path / "photo.jpg", kind="image")


async def test_a_picture_within_the_limits_is_sent_byte_for_byte(
    photo: Media, tmp_path: Path
) -> None:
    asked = await _asked(
        tmp_path, photo, max_side=120, max_pixels=9600, max_bytes=photo.size, max_images=1
    )
    assert asked.images == (("image/jpeg", photo.read()),)
    assert asked.response.changes == ()


async def test_a_picture_over_a_limit_is_sent_smaller_and_the_response_says_so(
    photo: Media, tmp_path: Path
) -> None:
    asked = await _asked(tmp_path, photo, photo, max_side=60)
    for media_type, content in asked.images:
        with Image.open(BytesIO(content)) as image:
            assert (media_type, image.size) == ("image/jpeg", (60, 40))
    one, two = asked.response.changes
    assert one.startswith("picture 1 was made smaller, from 120x80 to 60x40 pixels")
    assert two == one.replace("picture 1", "picture 2")
    assert asked.response.outcome is ResponseOutcome.ANSWERED
    # The evidence of the request names the pictures that were sent, not those of the set.
    sent = asked.response.sent
    assert sent is not None
    assert [media.read() for media in sent.media] == [content for _, content in asked.images]


async def test_too_many_pictures_are_an_outcome_of_its_own_and_no_call(
    photo: Media, tmp_path: Path
) -> None:
    async with (
        ScriptedServer("Thus.") as server,
        _target(server, tmp_path, "image", max_images=2) as target,
    ):
        response = await target.respond(_query(*[photo] * 3), epoch=0, call_id="c")
        assert server.stats.calls == 0
        assert (response.outcome, response.text) == (ResponseOutcome.NOT_PUT, "")
        assert "the query has 3 pictures and the model takes 2" in (response.detail or "")
        assert (response.calls, response.cost_usd, response.usage.total_tokens) == (0, 0.0, 0)
        fewer = await target.respond(_query(*[photo] * 2), epoch=0, call_id="d")
        assert fewer.outcome is ResponseOutcome.ANSWERED


async def test_limits_say_nothing_of_pictures_that_are_not_sent(
    photo: Media, tmp_path: Path
) -> None:
    limits = {"max_images": 1, "max_side": 16}
    async with ScriptedServer("Thus.") as server, _target(server, tmp_path, **limits) as target:
        response = await target.respond(_query(photo, photo), epoch=0, call_id="c")
    assert response.outcome is ResponseOutcome.ANSWERED
    assert (response.changes, len(response.notes)) == ((), 1)


@pytest.fixture(params=[b"\xff\xd8 cut", None])
def spoilt(photo: Media, request: pytest.FixtureRequest) -> Media:
    """A picture whose file was damaged, or put in another's place, since it was read."""
    if request.param is None:
        Image.new("RGB", (99, 99)).save(photo.path)
    else:
        Path(photo.path).write_bytes(request.param)
    return photo


async def test_a_picture_that_cannot_be_read_is_an_error_and_no_call(
    spoilt: Media, tmp_path: Path
) -> None:
    async with (
        ScriptedServer("Thus.") as server,
        _target(server, tmp_path, "image", max_side=16) as target,
    ):
        response = await target.respond(_query(spoilt), epoch=0, call_id="c")
        assert server.stats.calls == 0
    assert response.outcome is ResponseOutcome.ERROR
    detail = response.detail or ""
    assert "changed since the dataset was read" in detail or "is no picture any more" in detail


async def test_an_animated_picture_is_sent_as_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    asked = await _asked(tmp_path, read_media(tmp_path / "moving.gif", kind="image"))
    ((media_type, content),) = asked.images
    with Image.open(BytesIO(content)) as image:
        assert (media_type, image.size) == ("image/png", (20, 10))
        assert image.convert("RGB").getpixel((3, 3)) == (255, 0, 0)
    assert asked.response.changes[0].startswith("picture 1 was cut to its first frame")
