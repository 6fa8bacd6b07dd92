"""Makings that are killed in a process of their own, in the middle, and go on.

Run it to make something in such a process:

    python killed_stage.py MAKING BASE_URL FOLDER
"""

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dialogue_script import RecordedProgress

from safejury.generation import (
    CallJournal,
    GenerationSettings,
    NamedModel,
    SetFolder,
    Stage,
    StageContext,
    StageModels,
    make_stages,
)
from safejury.models import EndpointModel, Journaled
from safejury.testing import ScriptedReply, ScriptedServer

Body = Mapping[str, object]
Reply = str | ScriptedReply
Open = Callable[..., AbstractAsyncContextManager[StageContext]]
JOURNAL = {"calls.sqlite", "calls.sqlite-wal", "calls.sqlite-shm"}


class HangsAfter:
    """Answers as a script does, so many times, and leaves the next call waiting for ever.

    Args:
        script: What answers.
    """

    def __init__(self, script: Callable[[Body], Reply]) -> None:
        self._script = script
        self.answers: int | None = None
        self.hanging = asyncio.Event()
        self.answered: list[bytes] = []

    def __call__(self, body: Body) -> Reply:
        if self.answers is not None and len(self.answered) >= self.answers:
            self.hanging.set()
            return ScriptedReply(hang=True)
        self.answered.append(msgspec.json.encode(body))
        return self._script(body)


@dataclass(frozen=True)
class Making:
    """Stages, and all that decides what comes of them.

    Attributes:
        settings: What is wanted.
        stages: In order.
        judges: The panel's names.
    """

    settings: GenerationSettings
    stages: tuple[Stage, ...]
    judges: tuple[str, ...]

    async def make(self, context: StageContext) -> dict[str, bytes]:
        """Make all; return every file that the stages leave."""
        await make_stages(self.stages, context)
        names = ["counts.json", "stages.json"]
        names += [name for stage in self.stages for name in stage.outputs(context)]
        return {name: (context.folder.path / name).read_bytes() for name in names}


async def kill_once(busy: asyncio.Event, script: str, *arguments: str) -> None:
    """Run a script in a process of its own, and kill it as soon as it is busy enough.

    Args:
        busy: Is set then.
        script: The file.
        arguments: Its arguments.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        script,
        *arguments,
        env=os.environ | {"PYTHONPATH": str(Path(script).parent)},
    )
    ended = asyncio.create_task(child.wait())
    working = asyncio.create_task(busy.wait())
    await asyncio.wait([ended, working], return_when=asyncio.FIRST_COMPLETED)
    working.cancel()
    assert not ended.done(), "the process ended before it was busy enough"
    child.send_signal(signal.SIGKILL)
    assert await ended == -signal.SIGKILL


async def check_killed(
    making: Making,
    answers: int,
    open_context: Open,
    server: ScriptedServer,
    script: HangsAfter,
    tmp_path: Path,
) -> None:
    """Check that a making that is killed goes on, gives the same, and asks nothing twice."""
    async with open_context(making.settings, judges=making.judges, name="whole") as context:
        expected = await making.make(context)
    everything = sorted(script.answered)
    script.answered.clear()
    script.answers = answers
    arguments = (pickle.dumps(making).hex(), server.base_url, str(tmp_path / "killed"))
    await kill_once(script.hanging, __file__, *arguments)
    script.answers = None
    async with open_context(making.settings, judges=making.judges, name="killed") as context:
        assert not any(map(context.folder.exists, making.stages[-1].outputs(context)))
        made = await making.make(context)
        left = {path.name for path in context.folder.path.iterdir()}
    assert made == expected
    assert sorted(script.answered) == everything
    assert "unfinished" not in left


async def cancelled(
    making: Making,
    answers: int,
    open_context: Open,
    script: HangsAfter,
    while_at_work: Callable[[Path], None] = lambda folder: None,
) -> Collection[str]:
    """Cancel a making in the middle; return the names of what it leaves in its folder."""
    script.answers = answers
    async with open_context(making.settings, judges=making.judges) as context:
        working = asyncio.ensure_future(making.make(context))
        await script.hanging.wait()
        while_at_work(context.folder.path)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        return {path.name for path in context.folder.path.iterdir()}


async def _make(making: Making, url: str, folder: SetFolder) -> None:
    """Make it one call at a time, with members as the workshops of the tests have them."""
    journal = CallJournal(folder.path)
    generator, *panel = (
        NamedModel(name, Journaled(EndpointModel(base_url=url, model=name), journal))
        for name in ("generator", *making.judges)
    )
    roles = StageModels(tuple(panel), generator, generator, generator)
    await making.make(
        StageContext(folder, making.settings, roles, RecordedProgress(), concurrency=1)
    )


def _main(arguments: Sequence[str]) -> None:
    packed, url, path = arguments
    making: Making = pickle.loads(bytes.fromhex(packed))
    asyncio.run(_make(making, url, SetFolder(Path(path))))


if __name__ == "__main__":
    _main(sys.argv[1:])
