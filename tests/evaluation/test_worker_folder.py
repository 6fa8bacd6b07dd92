"""What a worker writes on its node, and imports from there, is nobody else's."""

import os
import tempfile
from pathlib import Path

import pytest

from safejury.evaluation.engine.cluster import WorkerActor


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def root(temporary: Path) -> Path:
    return temporary / f"safejury-workers-{os.getuid()}"


def test_workers_of_a_run_share_a_folder_of_their_own(temporary: Path) -> None:
    WorkerActor("one")
    WorkerActor("one")
    assert [path.name for path in temporary.iterdir()] == [root(temporary).name]
    assert root(temporary).stat().st_mode & 0o077 == 0


def test_a_folder_that_another_user_has_put_there_is_not_used(temporary: Path) -> None:
    theirs = temporary / "theirs"
    theirs.mkdir()
    root(temporary).symlink_to(theirs)
    WorkerActor("one")
    assert not [*theirs.iterdir()]


def test_a_folder_that_others_can_write_to_is_not_used(temporary: Path) -> None:
    root(temporary).mkdir()
    root(temporary).chmod(0o777)
    WorkerActor("one")
    assert not [*root(temporary).iterdir()]
