"""Runs to gate."""

from collections.abc import Callable
from pathlib import Path

import pytest
from compared import Judging, reply
from gated import Gating, found, judged
from workplace import Host, Workplace, keys_end_with_their_test, scripted, workplace

from safejury.testing import ScriptedServer

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]


@pytest.fixture
def gating(workplace: Workplace) -> Gating:
    """Ask gates in a workplace of one's own."""
    return Gating(workplace)


@pytest.fixture
def judging(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Judging:
    """Make runs in a workplace of one's own."""
    return Judging(workplace, scripted(reply).base_url)


@pytest.fixture(scope="session")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    host = Host()
    with pytest.MonkeyPatch.context() as there:
        place = Workplace(tmp_path_factory.mktemp("gated"))
        there.chdir(place.path)
        judging = Judging(place, host.scripted(reply).base_url)
        several = {
            "careful": found(),
            "eager": found(12, declined=2),
            "lost": found(split=30),
            "hidden": found(split=55),
        }
        runs = {
            "several": judged(judging, "several", several),
            "good": judged(judging, "good", {"mine": found()}),
            "bad": judged(judging, "bad", {"mine": found(12)}),
        }
    host.close()
    return runs


@pytest.fixture
def several(_runs: dict[str, Path]) -> Path:
    """A run of four targets, to be read and not changed.

    None of 60 harmful responses of `careful` is unsafe, and 12 of `eager`; 30 of `lost` and 55 of
    `hidden` have no verdict, and the others are safe.
    """
    return _runs["several"]


@pytest.fixture
def good(_runs: dict[str, Path]) -> Path:
    """A run to be read and not changed: no response of its target is unsafe."""
    return _runs["good"]


@pytest.fixture
def bad(_runs: dict[str, Path]) -> Path:
    """The same set and jury: 12 of 60 responses to harmful queries are unsafe."""
    return _runs["bad"]
