"""The stage `pictures`, cut short and made again: nothing is drawn or paid for twice."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import picture_stage
import pytest
from dialogue_script import RecordedProgress
from killed_stage import kill_once
from picture_stage import (
    KEY,
    Easel,
    Talk,
    context,
    drawn_by,
    fill,
    make,
    pictures,
    settings,
    texts,
)

from safejury.common import FirstContactError
from safejury.generation import GenerationSettings, PicturesStage, SetFolder, make_stages
from safejury.testing import ScriptedServer

NOBODY = "http://127.0.0.1:9/v1"


def asked(server: ScriptedServer) -> Counter[str]:
    """Return what was asked how often, pictures and words."""
    return Counter(
        json.dumps(body, sort_keys=True) for body in (*server.picture_requests, *server.requests)
    )


@pytest.mark.slow
async def test_a_killed_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    easel = Easel(many=40 + 12)
    async with ScriptedServer(Talk(fits=(3, 9)), pictures=easel, latency=0.005) as server:
        wanted = drawn_by(server.base_url)
        async with context(tmp_path / "whole", wanted, server.base_url) as shop:
            fill(shop.folder, texts(10))
            await make(shop)
            whole = (shop.folder.path / "pictures.jsonl").read_bytes()
        once = asked(server)
        assert len(server.picture_requests) == 40
        assert set(once.values()) == {1}
        fill(SetFolder(tmp_path / "killed"), texts(10))
        arguments = (str(tmp_path / "killed"), server.base_url)
        await kill_once(easel.busy, picture_stage.__file__, *arguments)
        async with context(tmp_path / "killed", wanted, server.base_url) as shop:
            await make(shop)
            again = (shop.folder.path / "pictures.jsonl").read_bytes()
        twice = asked(server)
    assert again == whole
    assert twice.keys() == once.keys()
    # The process had two items under way, whose calls were lost with it.
    lost = sum(count - 2 for count in twice.values())
    assert 0 <= lost <= 2
    assert not list((tmp_path / "killed").rglob("unfinished"))


async def test_a_stage_that_is_made_again_asks_for_nothing(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Talk(fits=(3, 9)), picture_quirks=["filter"]) as server,
        context(tmp_path / "set", drawn_by(server.base_url), server.base_url) as shop,
    ):
        fill(shop.folder, [*texts(3), "Trip the filter."])
        first, counts = await make(shop)
        before = asked(server)
        assert await make(shop) == (first, counts)
        assert asked(server) == before


async def test_a_picture_that_is_gone_or_damaged_is_drawn_again(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Talk()) as server,
        context(tmp_path / "set", drawn_by(server.base_url), server.base_url) as shop,
    ):
        fill(shop.folder, texts(3), twins=False)
        first, _ = await make(shop)
        (tmp_path / "set" / str(first[0].file)).unlink()
        (tmp_path / "set" / str(first[1].file)).write_bytes(b"damaged")
        asked_before = server.stats.pictures
        assert (await make(shop))[0] == first
        assert server.stats.pictures == asked_before + 2
        assert all((tmp_path / "set" / str(one.file)).stat().st_size > 100 for one in first)


async def test_a_cancelled_stage_leaves_nothing_half_done(tmp_path: Path) -> None:
    easel = Easel(many=5)
    async with (
        ScriptedServer(Talk(), pictures=easel, latency=0.01) as server,
        context(tmp_path / "set", drawn_by(server.base_url), server.base_url) as shop,
    ):
        fill(shop.folder, texts(20), twins=False)
        making = asyncio.create_task(make(shop))
        await easel.busy.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        left = {path.name for path in (tmp_path / "set").iterdir()}
        assert left - {"calls.sqlite-wal", "calls.sqlite-shm"} == {
            "calls.sqlite",
            "drawings",
            "media",
            "queries.jsonl",
        }
        assert (await make(shop))[1]["missing"] == 0


@pytest.mark.parametrize(
    ("first", "second", "is_made_again"),
    [
        (settings(), settings(), False),
        (settings(), settings(size=96), True),
        (settings(), settings(renderer="typographic"), True),
        (settings(), settings(near_duplicate=2), True),
        (drawn_by(NOBODY, api_key="one"), drawn_by(NOBODY, api_key="other"), False),
        (drawn_by(NOBODY), drawn_by("http://me:secret@127.0.0.1:9/v1?key=1"), False),
        (drawn_by(NOBODY), drawn_by(NOBODY, rounds=2), True),
    ],
)
async def test_a_stage_is_made_again_when_what_decides_it_changes(
    tmp_path: Path, first: GenerationSettings, second: GenerationSettings, is_made_again: bool
) -> None:
    inputs: list[object] = []
    for wanted in (first, second):
        async with context(tmp_path / "set", wanted, NOBODY) as shop:
            fill(shop.folder, texts(1))
            inputs.append(PicturesStage().inputs(shop))
    assert (inputs[0] != inputs[1]) == is_made_again
    assert "secret" not in str(inputs)


async def test_a_stage_that_was_made_is_not_made_again(tmp_path: Path) -> None:
    async with context(tmp_path / "set", settings(), NOBODY) as shop:
        fill(shop.folder, texts(2))
        for _ in range(2):
            await make_stages([PicturesStage()], shop)
        assert isinstance(shop.progress, RecordedProgress)
        assert shop.progress.messages == ["pictures: up to date"]
        fill(shop.folder, texts(3))
        await make_stages([PicturesStage()], shop)
        assert len(pictures(shop)) == 6


async def test_a_wrong_key_ends_the_stage_and_lies_in_no_file(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Talk()) as server,
        ScriptedServer(api_key="another-secret-key") as painter,
        context(tmp_path / "set", drawn_by(painter.base_url, api_key=KEY), server.base_url) as shop,
    ):
        fill(shop.folder, texts(3))
        with pytest.raises(FirstContactError, match="the key was rejected") as raised:
            await make_stages([PicturesStage()], shop)
    assert KEY not in str(raised.value) + repr(shop.settings)
    for path in (tmp_path / "set").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        (lambda: settings(), []),
        (lambda: settings(renderer="typographic", fallback=None), []),
        (
            lambda: drawn_by(NOBODY, rounds=3),
            [("describer", 4600), ("viewer", 13800), ("images", 13800)],
        ),
        (
            lambda: settings(renderer="diffusers", model="m", rounds=2),
            [("describer", 4600), ("viewer", 9200)],
        ),
    ],
)
async def test_the_dearest_course_is_estimated(
    tmp_path: Path, wanted: Callable[[], GenerationSettings], calls: Sequence[tuple[str, int]]
) -> None:
    async with context(tmp_path / "set", wanted(), NOBODY) as shop:
        estimate = PicturesStage().estimate(shop)
    assert [(one.member, one.calls) for one in estimate] == list(calls)
    assert all(one.prompt_tokens > 50 * one.calls for one in estimate)
