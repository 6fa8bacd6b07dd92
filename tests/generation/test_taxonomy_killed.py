"""Making a taxonomy, killed in the middle and repeated."""

from pathlib import Path

import pytest
from killed_stage import JOURNAL, HangsAfter, Making, Open, cancelled, check_killed
from taxonomy_script import PanelScript

from safejury.generation import GenerationSettings, TaxonomySettings, TaxonomyStage
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.slow

SETTINGS = GenerationSettings("test", "a test", taxonomy=TaxonomySettings(similarity=0.5))
MAKING = Making(SETTINGS, (TaxonomyStage(),), ("judge_a", "judge_b"))
CALLS = 2 * 2 + 2 + 2 + 1 + 4
"""Two samples of two judges, two clusters, a batch of each judge, a grouping, four guidelines."""


@pytest.fixture
def script() -> HangsAfter:
    return HangsAfter(PanelScript())


@pytest.mark.parametrize("answers", [1, 5, 8, 12])
async def test_a_killed_making_goes_on_and_asks_nothing_twice(
    answers: int, open_context: Open, server: ScriptedServer, script: HangsAfter, tmp_path: Path
) -> None:
    await check_killed(MAKING, answers, open_context, server, script, tmp_path)
    assert len(script.answered) == CALLS


async def test_a_cancelled_making_leaves_nothing_behind_but_its_calls(
    open_context: Open, script: HangsAfter
) -> None:
    assert set(await cancelled(MAKING, 7, open_context, script)) <= JOURNAL
