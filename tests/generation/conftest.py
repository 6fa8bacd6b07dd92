"""Workshops whose models are scripted, on a real server and with a real journal."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from dialogue_script import Script, Told

from safejury.generation import CallJournal, Cast, GenerationSettings, Member, SetFolder, Workshop
from safejury.models import EndpointModel, Journaled
from safejury.testing import ScriptedServer

JUDGES = ("judge_a", "judge_b")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def server(script: Script) -> AsyncGenerator[ScriptedServer]:
    async with ScriptedServer(script) as running:
        yield running


@pytest.fixture
def open_workshop(
    server: ScriptedServer, tmp_path: Path
) -> Callable[..., AbstractAsyncContextManager[Workshop]]:
    """Return what opens a workshop in a folder, with a journal as the command line has it."""

    @asynccontextmanager
    async def opened(
        settings: GenerationSettings,
        *,
        judges: Sequence[str] = JUDGES,
        name: str = "set",
        concurrency: int = 16,
    ) -> AsyncGenerator[Workshop]:
        folder = SetFolder(tmp_path / name)
        journal = CallJournal(folder.path)
        models = [
            EndpointModel(base_url=server.base_url, model=model) for model in ("generator", *judges)
        ]
        generator, *panel = (
            Member(said, Journaled(model, journal))
            for said, model in zip(("generator", *judges), models, strict=True)
        )
        cast = Cast(tuple(panel), generator, generator, generator)
        try:
            yield Workshop(folder, settings, cast, Told(), concurrency)
        finally:
            for model in models:
                await model.aclose()
            journal.close()

    return opened
