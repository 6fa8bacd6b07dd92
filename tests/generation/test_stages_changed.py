"""Stages whose files were lost or changed since they were made: they are made again."""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from dialogue_script import RecordedProgress

from safejury.common import DatasetError, ModelError
from safejury.datasets import find_set
from safejury.generation import (
    STAGES,
    Calls,
    GenerationSettings,
    PictureSettings,
    QuerySettings,
    Stage,
    StageContext,
    make_stages,
)
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.slow

Open = Callable[..., AbstractAsyncContextManager[StageContext]]
SETTINGS = GenerationSettings(
    "test",
    "a test",
    scenarios=("ethics.bioethics",),
    queries=QuerySettings(2, over_generate=2),
    pictures=PictureSettings(size=64),
)
WORDS = [stage for stage in STAGES if stage.name in ("queries", "twins", "pictures")]
MADE = [*WORDS, STAGES[-1]]


def content(folder: Path) -> dict[str, bytes]:
    """Return all files but the journal of calls."""
    found = (path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def reword(path: Path) -> None:
    first, *others = path.read_text().splitlines()
    edited = json.dumps({**json.loads(first), "text": "What is the capital of France?"})
    path.write_text("\n".join((edited, *others)))


@pytest.mark.parametrize("change", [cut, Path.unlink, reword])
@pytest.mark.parametrize(
    "name", ["candidates.jsonl", "queries.jsonl", "twins.jsonl", "pictures.jsonl"]
)
async def test_a_file_that_was_changed_is_made_again_without_a_call(
    open_context: Open, server: ScriptedServer, name: str, change: Callable[[Path], None]
) -> None:
    async with open_context(SETTINGS) as context:
        folder = context.folder.path
        await make_stages(WORDS, context)
        whole, calls = content(folder), server.stats.calls
        change(folder / name)
        await make_stages(WORDS, context)
        told = context.progress
    assert isinstance(told, RecordedProgress)
    assert any(f"{name} " in line and "making it again" in line for line in told.messages)
    assert content(folder) == whole
    assert server.stats.calls == calls


async def test_what_describes_the_set_is_as_it_was_made(open_context: Open) -> None:
    async with open_context(SETTINGS) as context:
        folder = context.folder.path
        await make_stages(MADE, context)
        whole = content(folder)
        for name in ("set.jsonl", "card.json", "card.md", "provenance.jsonl", "charts/funnel.svg"):
            (folder / name).write_bytes(b"")
            await make_stages(MADE, context)
            assert content(folder) == whole


@pytest.mark.parametrize(("change", "said"), [(Path.unlink, "missing"), (damage, "damaged")])
async def test_a_picture_that_is_missing_or_damaged_is_drawn_again(
    open_context: Open, change: Callable[[Path], None], said: str
) -> None:
    async with open_context(SETTINGS) as context:
        folder = context.folder.path
        await make_stages(MADE, context)
        whole = content(folder)
        picture = next((folder / "media").iterdir())
        change(picture)
        await make_stages(MADE, context)
        told = context.progress
    assert isinstance(told, RecordedProgress)
    assert f"pictures: media/{picture.name} is {said}; making it again" in told.messages
    assert content(folder) == whole


@pytest.mark.parametrize("stage", WORDS, ids=lambda stage: stage.name)
async def test_a_stage_that_is_made_anew_takes_away_the_set_until_all_are_made(
    open_context: Open, server: ScriptedServer, stage: Stage
) -> None:
    async with open_context(SETTINGS) as context:
        folder = context.folder.path
        await make_stages(MADE, context)
        whole, calls = content(folder), server.stats.calls
        await make_stages([stage], context)  # up to date
        assert content(folder) == whole
        await make_stages([stage], context, again={stage.name})
        gone = whole.keys() - content(folder).keys()
        assert gone == set(STAGES[-1].outputs(context))
        for said in (folder, folder / "set.jsonl"):
            with pytest.raises(DatasetError, match="not whole yet: repeat the `safejury generate"):
                find_set(str(said))
        await make_stages(MADE, context)
    assert content(folder) == whole
    assert server.stats.calls == calls
    assert find_set(str(folder)).sha256


class _CutShort:
    """A stage that ends before it has made anything."""

    name = "queries"

    def outputs(self, context: StageContext) -> Collection[str]:
        return ("queries.jsonl",)

    def inputs(self, context: StageContext) -> object:
        return "others"

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        return ()

    async def make(self, context: StageContext) -> None:
        raise ModelError("the server is down")


class _CutShortOnceMore(_CutShort):
    """The stage `queries` as it was made, which ends before it has made anything."""

    def outputs(self, context: StageContext) -> Collection[str]:
        return WORDS[0].outputs(context)

    def inputs(self, context: StageContext) -> object:
        return WORDS[0].inputs(context)


async def test_a_stage_that_was_to_be_made_once_more_is_not_taken_for_made(
    open_context: Open,
) -> None:
    async with open_context(SETTINGS) as context:
        await make_stages(WORDS, context)
        with pytest.raises(ModelError):
            await make_stages([_CutShortOnceMore()], context, again=["queries"])
        assert isinstance(context.progress, RecordedProgress)
        context.progress.messages.clear()
        await make_stages(WORDS, context)
    assert "queries: up to date" not in context.progress.messages
    assert "twins: up to date" in context.progress.messages


async def test_a_stage_that_is_cut_short_leaves_no_set_that_looks_whole(
    open_context: Open,
) -> None:
    async with open_context(SETTINGS) as context:
        folder = context.folder.path
        await make_stages(MADE, context)
        whole = content(folder)
        with pytest.raises(ModelError):
            await make_stages([_CutShort()], context)
        with pytest.raises(DatasetError, match="not whole yet"):
            find_set(str(folder))
        told = context.progress
        await make_stages(MADE, context)
    assert isinstance(told, RecordedProgress)
    assert "removing set.jsonl and its card until all stages are up to date" in told.messages
    assert content(folder) == whole


async def test_counts_that_are_gone_are_counted_again_and_junk_is_told(
    open_context: Open,
) -> None:
    async with open_context(SETTINGS) as context:
        counts = context.folder.path / "counts.json"
        await make_stages(WORDS, context)
        whole = counts.read_bytes()
        counts.write_bytes(b"{")
        with pytest.raises(DatasetError, match=r"counts\.json: .*; delete it and repeat"):
            await make_stages(WORDS, context)
        counts.unlink()
        await make_stages(WORDS, context)
        assert counts.read_bytes() == whole
