"""Workshops whose models are scripted, on a real server and with a real journal."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from dialogue_script import RecordedProgress, Script

from safejury.generation import (
    CallJournal,
    GenerationSettings,
    NamedModel,
    SetFolder,
    StageContext,
    StageModels,
)
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
def open_context(
    server: ScriptedServer, tmp_path: Path
) -> Callable[..., AbstractAsyncContextManager[StageContext]]:
    """Return what opens a context in a folder, with a journal as the command line has it."""

    @asynccontextmanager
    async def opened(
        settings: GenerationSettings,
        *,
        judges: Sequence[str] = JUDGES,
        name: str = "set",
        concurrency: int = 16,
    ) -> AsyncGenerator[StageContext]:
        folder = SetFolder(tmp_path / name)
        journal = CallJournal(folder.path)
        models = [
            EndpointModel(base_url=server.base_url, model=model) for model in ("generator", *judges)
        ]
        generator, *panel = (
            NamedModel(said, Journaled(model, journal))
            for said, model in zip(("generator", *judges), models, strict=True)
        )
        roles = StageModels(tuple(panel), generator, generator, generator)
        try:
            yield StageContext(folder, settings, roles, RecordedProgress(), concurrency)
        finally:
            for model in models:
                await model.aclose()
            journal.close()

    return opened
