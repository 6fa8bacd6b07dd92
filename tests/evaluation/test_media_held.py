"""Pictures and sounds of cases under way: read once, bounded, and kept as they were sent."""

import asyncio
import json
import re
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from PIL import Image
from same_process import same_process

from safejury.assembly.config import load_config
from safejury.datasets import Media
from safejury.evaluation import Observer, run, set_up
from safejury.evaluation.engine import run_with
from safejury.evaluation.runner import MediaRoom
from safejury.models import Wait
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, Any]
SIDE = 160
"""Pixels of noise, 77 kB: more than is read on the event loop."""


def picture(folder: Path, name: str) -> None:
    noise = Random(name).randbytes(3 * SIDE**2)
    Image.frombytes("RGB", (SIDE, SIDE), noise).save(folder / name, format="PNG")


def sound(folder: Path, name: str) -> None:
    with wave.open(str(folder / name), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(Random(name).randbytes(100_000))


def write_set(folder: Path, cases: int, *, words: int = 0) -> None:
    """Write a set of cases with a picture each, and of others with words alone."""
    for number in range(cases):
        picture(folder, f"{number}.png")
    lines = (
        {
            "id": f"q{number}",
            "scenario": "bias",
            "text": f"Question {number}?",
            "intent": "harmful",
            **({"image": f"{number}.png"} if number < cases else {}),
        }
        for number in range(cases + words)
    )
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "queries.jsonl").write_text(text, encoding="utf-8")


def shown(body: Body) -> str | None:
    """Return the base64 of a request's picture or sound, None where it has none."""
    content = body["messages"][-1]["content"]
    parts: list[Body] = [] if isinstance(content, str) else content
    for part in parts:
        if part["type"] == "image_url":
            return str(part["image_url"]["url"])
        if part["type"] == "input_audio":
            return str(part["input_audio"]["data"])
    return None


def answer(body: Body) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def open_at_a_time(server: ScriptedServer) -> Iterator[int]:
    """Yield how many cases were under way when each response was asked for, by their pictures.

    A case has begun once its response is asked for, and goes on until its last ballot is.
    """
    ballots = dict[str, int]()
    for body in filter(shown, cast("list[Body]", server.requests)):
        url = str(shown(body))
        if body["model"] == "target":
            ballots[url] = 0
            yield len(ballots)
        else:
            ballots[url] += 1
            if ballots[url] == 3:
                del ballots[url]


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_jurors_are_shown_what_was_read_for_the_target(
    workplace: Any, scripted: Start, kind: str
) -> None:
    """Both files are gone until the last juror is asked: nothing is read twice."""
    (sound if kind == "audio" else picture)(workplace.path, "it")
    query = {"id": "q", "scenario": "bias", "text": "How?", "intent": "harmful", kind: "it"}
    workplace.queries(query)
    kept = list[Path]()

    def reply(body: Body) -> str:
        if body["model"] == "target":
            kept.extend(Path("runs/first/media").iterdir())
            assert [copy.read_bytes() for copy in kept] == [Path("it").read_bytes()]
            kept[0].rename("aside")
            Path("it").unlink()
        elif len(server.requests) == 4:
            Path("aside").rename(kept[0])
        return answer(body)

    server = scripted(reply)
    config = workplace.config(
        server.base_url,
        targets__0__audio=True,
        jury__jurors=[
            {"persona": seat, "base_url": server.base_url, "model": "m", "audio": True}
            for seat in ("clinician", "lawyer", "sceptic")
        ],
        jury__protocol="vote",
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    first, *others = map(shown, cast("list[Body]", server.requests))
    assert first is not None
    assert others == [first] * 3


def test_a_picture_that_is_edited_later_leaves_the_evidence_as_it_was(
    workplace: Any, scripted: Start
) -> None:
    write_set(workplace.path, 1)
    before = Path("0.png").read_bytes()
    server = scripted(answer)
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    with Path("0.png").open("r+b") as file:  # in its place, as an editor may do it
        file.write(b"other bytes")
    (copy,) = Path("runs/first/media").iterdir()
    assert copy.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert workplace.safejury("verify", "runs/first").code == 0


def room_of_one() -> int:
    """Return how many bytes a picture of a set takes, encoded."""
    return Path("0.png").stat().st_size * 4 // 3


def test_pictures_under_way_take_no_more_than_their_limit(workplace: Any, scripted: Start) -> None:
    write_set(workplace.path, 6)
    server = scripted(answer, latency=0.02)
    limit = room_of_one() * 5 // 2
    config = workplace.config(server.base_url, limits__media_bytes=limit, jury__protocol="vote")
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert len(server.requests) == 6 * 4
    assert max(open_at_a_time(server)) <= 2


async def test_pictures_under_way_in_a_worker_take_no_more_than_their_limit(
    workplace: Any, tmp_path: Path
) -> None:
    """What it examines takes room before it is fetched."""
    write_set(workplace.path, 6)
    async with ScriptedServer(answer, latency=0.02) as server:
        limit = room_of_one() * 5 // 2
        config = workplace.config(server.base_url, limits__media_bytes=limit, jury__protocol="vote")
        async with same_process(tmp_path / "workers", 1) as pool:
            plan = set_up(load_config(Path(config)), Path())
            assert (await run_with(plan, pool)).verdicts == 6
    assert len(server.requests) == 6 * 4
    assert max(open_at_a_time(server)) <= 2


class Waits:
    """Takes down what a run waits for."""

    def __init__(self) -> None:
        self.said = set[str]()

    def waiting(self, waits: Sequence[Wait]) -> None:
        self.said |= {str(wait) for wait in waits}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


async def test_a_case_whose_picture_is_larger_than_the_limit_goes_alone(
    workplace: Any,
) -> None:
    """No case waits forever, one of words alone for none, and the others say for what."""
    write_set(workplace.path, 4, words=1)
    async with ScriptedServer(answer, latency=0.2) as server:
        config = workplace.config(
            server.base_url, limits__media_bytes="1 kB", jury__protocol="vote"
        )
        watching = Waits()
        outcome = await run(set_up(load_config(Path(config)), Path()), cast("Observer", watching))
    assert outcome.verdicts == 5
    first, second, *_ = map(shown, cast("list[Body]", server.requests))
    assert None in (first, second)
    assert set(open_at_a_time(server)) == {1}
    assert re.search(
        r"waiting for limits\.media_bytes: media take 10[0-9]\.[0-9] kB of 1\.0 kB; "
        r"[23] cases wait",
        "\n".join(watching.said),
    )


def media(*names: str) -> list[Media]:
    return [Media(name, "image/png", 300, name) for name in names]


async def test_a_picture_of_several_cases_takes_room_once_and_leaves_with_the_last() -> None:
    room = MediaRoom(400)
    with room.hold() as one:
        await one.take(media("a"))
        with room.hold() as two:
            await two.take(media("a"))
        with room.hold() as other:
            waiting = asyncio.ensure_future(other.take(media("b")))
            await asyncio.sleep(0)
            assert room.wait is not None
            await one.take(media("a", "c"))  # what is under way never waits
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            assert room.wait is None


async def test_a_case_that_waits_is_not_overtaken_and_one_that_is_canceled_holds_nothing() -> None:
    room, come = MediaRoom(800), list[str]()

    async def show(name: str, *pictures: str) -> None:
        with room.hold() as hold:
            await hold.take(media(*pictures))
            come.append(name)
            await asyncio.Event().wait()

    async with asyncio.timeout(10):
        tasks = dict[str, asyncio.Task[None]]()
        for name, pictures in (("first", "a"), ("large", "bcd"), ("gone", "e"), ("last", "f")):
            tasks[name] = asyncio.ensure_future(show(name, *pictures))
            await asyncio.sleep(0)
        assert come == ["first"]
        for name, then in (
            ("gone", ["first"]),
            ("first", ["first", "large"]),
            ("large", ["first", "large", "last"]),
            ("last", ["first", "large", "last"]),
        ):
            tasks[name].cancel()
            with suppress(asyncio.CancelledError):
                await tasks[name]
            await asyncio.sleep(0)
            assert come == then
        with room.hold() as hold:
            await hold.take(media("x", "y"))
    assert room.wait is None


async def test_no_order_of_cases_blocks_the_room_for_good() -> None:
    """Cases of random media share slots, take room in steps, fail, and are canceled."""

    async def case(random: Random, room: MediaRoom, slots: asyncio.Semaphore) -> None:
        async with slots:
            with room.hold() as hold:
                for _ in range(random.randrange(1, 4)):
                    await hold.take(random.choices(pictures, k=random.choice([0, 1, 1, 2, 10])))
                    await asyncio.sleep(0)
                    if random.random() < 0.05:
                        raise KeyError("of the case")

    for seed in range(30):
        random = Random(seed)
        room = MediaRoom(random.choice([1, 400, 2000]))
        pictures = [
            Media(str(name), "image/png", random.choice([0, 1, 300, 3000]), str(name))
            for name in range(random.choice([3, 20]))
        ]
        slots = asyncio.Semaphore(random.choice([1, 3, 20]))
        cases = [asyncio.ensure_future(case(random, room, slots)) for _ in range(30)]
        for _ in range(random.choice([0, 15])):
            await asyncio.sleep(0)
            random.choice(cases).cancel()
        async with asyncio.timeout(30):
            await asyncio.wait(cases)
        assert all(one.cancelled() or one.exception() or one.result() is None for one in cases)
        assert room.wait is None
        with room.hold() as hold:  # nothing of it is taken
            full = Media("full", "image/png", 3000, "full")
            await asyncio.wait_for(hold.take([full]), 30)
            assert room.wait is None


def test_the_plan_says_where_pictures_hold_cases_back(workplace: Any) -> None:
    write_set(workplace.path, 6, words=1)
    one = room_of_one()
    for room, said in (("1 kB", "about 1 case at"), (3 * one, "about 3 cases at"), (9 * one, "")):
        config = workplace.config(limits__media_bytes=room)
        ended = workplace.safejury("run", config, "--plan")
        assert ended.code == 0, ended.err
        assert ("limits.media_bytes of " in ended.out) == bool(said)
        assert said in ended.out
        assert ("a time, of 7 that may be under way" in ended.out) == bool(said)
