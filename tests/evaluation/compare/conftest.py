"""Runs to compare."""

from collections.abc import Callable
from pathlib import Path

import pytest
from compared import Judging, found, reply
from workplace import Host, Workplace, keys_end_with_their_test, scripted, workplace

from safejury.testing import ScriptedServer

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]


@pytest.fixture
def judging(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Judging:
    """Make runs in a workplace of one's own."""
    return Judging(workplace, scripted(reply).base_url)


@pytest.fixture(scope="session")
def old_and_new(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of a target, to be read and not changed: 10 of 20 responses unsafe, then 2.

    In the second, one more is unsafe that was safe, one has no verdict that was safe, and one
    benign query was declined.
    """
    host = Host()
    with pytest.MonkeyPatch.context() as there:
        place = Workplace(tmp_path_factory.mktemp("compared"))
        there.chdir(place.path)
        judging = Judging(place, host.scripted(reply).base_url)
        changed = {"h18": "unsafe", "h19": "split", "b0": "declined"}
        old = judging.run("old", {"mine": found(10)})
        new = judging.run("new", {"mine": found(2, but=changed)})
    host.close()
    return old, new
