"""Making queries and twins, killed in the middle and repeated."""

from pathlib import Path

import pytest
from dialogue_script import Script
from killed_stage import JOURNAL, HangsAfter, Making, Open, cancelled, check_killed

from safejury.generation import GenerationSettings, QueriesStage, QuerySettings, TwinsStage
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.slow

SETTINGS = GenerationSettings(
    "test",
    "a test",
    scenarios=("cybersecurity.hardware_security", "cybersecurity.malware_generation"),
    queries=QuerySettings(4, over_generate=2, batch=4, revisions=1),
)
MAKING = Making(SETTINGS, (QueriesStage(), TwinsStage()), ("judge_a",))


@pytest.fixture
def script() -> HangsAfter:
    return HangsAfter(Script(criticism="say it plainly"))


@pytest.mark.parametrize("answers", [1, 6, 13, 18])
async def test_a_killed_making_goes_on_and_asks_nothing_twice(
    answers: int, open_context: Open, server: ScriptedServer, script: HangsAfter, tmp_path: Path
) -> None:
    await check_killed(MAKING, answers, open_context, server, script, tmp_path)


async def test_a_cancelled_making_leaves_nothing_behind_but_its_calls(
    open_context: Open, script: HangsAfter
) -> None:
    assert set(await cancelled(MAKING, 5, open_context, script)) <= JOURNAL


async def test_what_is_needed_for_a_while_is_for_its_owners_eyes_alone(
    open_context: Open, script: HangsAfter
) -> None:
    modes = dict[str, int]()

    def look(folder: Path) -> None:
        modes.update({path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")})

    left = await cancelled(MAKING, 17, open_context, script, look)
    assert (modes["unfinished"], modes["missing.0"]) == (0o700, 0o600)
    assert not any(mode & 0o077 for mode in modes.values())
    assert "unfinished" not in left
