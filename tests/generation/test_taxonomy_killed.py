"""Making a taxonomy, killed in the middle and repeated."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest
from taxonomy_script import Body, PanelScript, Reply

from safejury.datasets.generation import (
    GenerationSettings,
    TaxonomySettings,
    TaxonomyStage,
    Workshop,
    make_stages,
)
from safejury.models.scripted import ScriptedReply, ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[Workshop]]
SETTINGS = GenerationSettings("test", "a test", taxonomy=TaxonomySettings(similarity=0.5))
FILES = ("taxonomy.yaml", "taxonomy.jsonl", "counts.json", "stages.json")
CALLS = 2 * 2 + 2 + 2 + 1 + 4
"""Two samples of two judges, two clusters, a batch of each judge, a grouping, four guidelines."""
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
    generator, *panel = (
        Member(name, Journaled(EndpointModel(base_url=url, model=name), journal))
        for name in ("generator", "judge_a", "judge_b")
    )
    settings = GenerationSettings("test", "a test", taxonomy=TaxonomySettings(similarity=0.5))
    cast = Cast(tuple(panel), generator, generator, generator)
    workshop = Workshop(folder, settings, cast, Silent(), concurrency=1)
    await make_stages([TaxonomyStage()], workshop)

asyncio.run(main(*sys.argv[1:]))
"""


class _HangsAt(PanelScript):
    """Answers so many calls, and leaves the next one waiting for ever."""

    def __init__(self) -> None:
        super().__init__()
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
def script() -> _HangsAt:
    return _HangsAt()


async def _make(workshop: Workshop) -> dict[str, bytes]:
    await make_stages([TaxonomyStage()], workshop)
    return {name: (workshop.folder.path / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("answers", [1, 5, 8, 12])
async def test_a_killed_making_goes_on_and_asks_nothing_twice(
    answers: int, open_workshop: Open, server: ScriptedServer, script: _HangsAt, tmp_path: Path
) -> None:
    async with open_workshop(SETTINGS, name="undisturbed") as workshop:
        expected = await _make(workshop)
    everything = sorted(script.answered)
    assert len(everything) == CALLS
    script.answered.clear()

    script.answers = answers
    arguments = (sys.executable, "-P", "-c", MAKE, server.base_url, str(tmp_path / "killed"))
    child = await asyncio.create_subprocess_exec(*arguments)
    await script.hanging.wait()
    child.kill()
    await child.wait()

    script.answers = None
    async with open_workshop(SETTINGS, name="killed") as workshop:
        assert not workshop.folder.exists("taxonomy.yaml")
        made = await _make(workshop)
    assert made == expected
    assert sorted(script.answered) == everything


async def test_a_cancelled_making_leaves_nothing_behind_but_its_calls(
    open_workshop: Open, script: _HangsAt
) -> None:
    script.answers = 7
    async with open_workshop(SETTINGS) as workshop:
        making = asyncio.ensure_future(_make(workshop))
        await script.hanging.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        left = {path.name for path in workshop.folder.path.iterdir()}
    assert left <= {"calls.sqlite", "calls.sqlite-wal", "calls.sqlite-shm"}
