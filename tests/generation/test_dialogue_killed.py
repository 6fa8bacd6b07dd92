"""Making queries and twins, killed in the middle and repeated."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest
from dialogue_script import Body, Reply, Script

from safejury.datasets.generation import (
    GenerationSettings,
    QueriesStage,
    QuerySettings,
    TwinsStage,
    Workshop,
    make_stages,
)
from safejury.models.scripted import ScriptedReply, ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[Workshop]]
SETTINGS = GenerationSettings(
    "test",
    "a test",
    scenarios=("cybersecurity.hardware_security", "cybersecurity.malware_generation"),
    queries=QuerySettings(4, over_generate=2, batch=4, revisions=1),
)
FILES = ("candidates.jsonl", "queries.jsonl", "twins.jsonl", "counts.json", "stages.json")
MAKE = """
import asyncio, sys
from pathlib import Path
from safejury.datasets.generation import *
from safejury.models import EndpointModel, Journaled

class Silent:
    def stage(self, name, total): pass
    def step(self, done=1, note=""): pass
    def told(self, message): pass

async def main(url, path):
    folder = SetFolder(Path(path))
    journal = CallJournal(folder.path)
    generator, judge = (
        Member(name, Journaled(EndpointModel(base_url=url, model=name), journal))
        for name in ("generator", "judge_a")
    )
    settings = GenerationSettings(
        "test",
        "a test",
        scenarios=("cybersecurity.hardware_security", "cybersecurity.malware_generation"),
        queries=QuerySettings(4, over_generate=2, batch=4, revisions=1),
    )
    cast = Cast((judge,), generator, generator, generator)
    workshop = Workshop(folder, settings, cast, Silent(), concurrency=1)
    await make_stages([QueriesStage(), TwinsStage()], workshop)

asyncio.run(main(*sys.argv[1:]))
"""


class _HangsAt(Script):
    """Answers so many calls, and leaves the next one waiting for ever."""

    def __init__(self) -> None:
        super().__init__(criticism="say it plainly")
        self.answers: int | None = None
        self.hanging = asyncio.Event()
        self.answered: list[bytes] = []

    def __call__(self, body: Body) -> Reply:
        if self.answers is not None and len(self.answered) >= self.answers:
            self.hanging.set()
            return ScriptedReply(hang=True)
        self.answered.append(msgspec.json.encode(body))
        return super().__call__(body)


@pytest.fixture
def script() -> Script:
    return _HangsAt()


async def _make(workshop: Workshop) -> None:
    await make_stages([QueriesStage(), TwinsStage()], workshop)


@pytest.mark.parametrize("answers", [1, 6, 13, 18])
async def test_a_killed_making_goes_on_and_asks_nothing_twice(
    answers: int, open_workshop: Open, server: ScriptedServer, script: _HangsAt, tmp_path: Path
) -> None:
    judges = ("judge_a",)
    async with open_workshop(SETTINGS, judges=judges, name="undisturbed") as workshop:
        await _make(workshop)
        expected = {name: (workshop.folder.path / name).read_bytes() for name in FILES}
    everything = sorted(script.answered)
    script.answered.clear()

    script.answers = answers
    arguments = (sys.executable, "-P", "-c", MAKE, server.base_url, str(tmp_path / "killed"))
    child = await asyncio.create_subprocess_exec(*arguments)
    await script.hanging.wait()
    child.kill()
    await child.wait()

    script.answers = None
    async with open_workshop(SETTINGS, judges=judges, name="killed") as workshop:
        assert not workshop.folder.exists("twins.jsonl")
        await _make(workshop)
        made = {name: (workshop.folder.path / name).read_bytes() for name in FILES}
        left = {path.name for path in workshop.folder.path.iterdir()}
    assert made == expected
    assert sorted(script.answered) == everything
    assert not {"unfinished"} & left


async def test_a_cancelled_making_leaves_nothing_behind_but_its_calls(
    open_workshop: Open, script: _HangsAt
) -> None:
    script.answers = 5
    async with open_workshop(SETTINGS, judges=("judge_a",)) as workshop:
        making = asyncio.ensure_future(_make(workshop))
        await script.hanging.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert {path.name for path in workshop.folder.path.iterdir()} <= {
            "calls.sqlite",
            "calls.sqlite-wal",
            "calls.sqlite-shm",
        }
