"""A taxonomy that its user edited: nothing overwrites it but `--again taxonomy`."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from dialogue_script import RecordedProgress
from taxonomy_script import PanelScript

from safejury.common import DatasetError, ModelError
from safejury.generation import (
    GenerationSettings,
    StageContext,
    TaxonomySettings,
    TaxonomyStage,
    make_stages,
)
from safejury.testing import ScriptedReply

Open = Callable[..., AbstractAsyncContextManager[StageContext]]
SETTINGS = GenerationSettings("test", "a test", taxonomy=TaxonomySettings(similarity=0.5))
STAGES = [TaxonomyStage()]


@pytest.fixture
def script() -> PanelScript:
    return PanelScript()


def edit(context: StageContext) -> bytes:
    """Add a remark to the taxonomy, and return what it is then."""
    own = context.folder.path / "taxonomy.yaml"
    own.write_bytes(own.read_bytes() + b"# as I see it\n")
    return own.read_bytes()


def taxonomy(context: StageContext) -> bytes:
    return (context.folder.path / "taxonomy.yaml").read_bytes()


def touch(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"?\n")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("taxonomy.jsonl", Path.unlink, "edited by hand"),
        ("taxonomy.jsonl", touch, "edited by hand"),
        ("stages.json", Path.unlink, "of unknown origin"),
        ("stages.json", touch, "of unknown origin"),
    ],
)
async def test_other_files_that_are_lost_cost_no_edit(
    open_context: Open, name: str, change: Callable[[Path], None], said: str
) -> None:
    async with open_context(SETTINGS) as context:
        await make_stages(STAGES, context)
        made, edited = taxonomy(context), edit(context)
        change(context.folder.path / name)
        for _ in range(2):
            with pytest.raises(DatasetError, match=rf"{said}.*`--again taxonomy`") as raised:
                await make_stages(STAGES, context)
            assert raised.value.exit_code == 2
            assert taxonomy(context) == edited
        await make_stages(STAGES, context, again={"taxonomy"})
        assert taxonomy(context) == made


async def test_other_settings_cost_no_edit(open_context: Open) -> None:
    async with open_context(SETTINGS) as context:
        await make_stages(STAGES, context)
        other = replace(context, settings=replace(SETTINGS, seed=11))
        edited = edit(context)
        with pytest.raises(DatasetError, match="edited by hand"):
            await make_stages(STAGES, other)
        assert taxonomy(context) == edited
        (context.folder.path / "taxonomy.yaml").rename(context.folder.path / "mine.yaml")
        await make_stages(STAGES, other)
        assert taxonomy(context) != edited


async def test_counts_that_are_gone_make_no_edited_taxonomy_again(open_context: Open) -> None:
    async with open_context(SETTINGS) as context:
        await make_stages(STAGES, context)
        edited = edit(context)
        (context.folder.path / "counts.json").unlink()
        await make_stages(STAGES, context)
        told = context.progress
        assert taxonomy(context) == edited
    assert isinstance(told, RecordedProgress)
    assert told.messages[-1] == (
        "taxonomy: up to date; taxonomy.yaml was edited by hand, and counts.json lacks its counts"
    )


async def test_an_edit_while_the_stage_is_made_is_kept(
    open_context: Open, script: PanelScript
) -> None:
    async with open_context(SETTINGS) as context:
        await make_stages(STAGES, context)
        edits: list[bytes] = []
        script.twists["write"] = lambda _: edits.append(edit(context))
        with pytest.raises(DatasetError, match="edited by hand"):
            await make_stages(STAGES, replace(context, settings=replace(SETTINGS, seed=11)))
        assert taxonomy(context) == edits[-1]


async def test_a_taxonomy_with_calls_missing_is_completed_unless_it_was_edited(
    open_context: Open, script: PanelScript
) -> None:
    down = ScriptedReply("the disk is on fire", status=503)
    script.twists["write"] = lambda one: down if one.title == "Tax Evasion" else None
    async with open_context(SETTINGS) as context:
        with pytest.raises(ModelError):
            await make_stages(STAGES, context)
        poor = taxonomy(context)
        script.twists.clear()
        edited = edit(context)
        with pytest.raises(DatasetError, match="edited by hand"):
            await make_stages(STAGES, context)
        assert taxonomy(context) == edited
        (context.folder.path / "taxonomy.yaml").write_bytes(poor)
        await make_stages(STAGES, context)
        assert taxonomy(context) != poor
        kept = json.loads((context.folder.path / "stages.json").read_bytes())
    assert kept["taxonomy"]["inputs"]
