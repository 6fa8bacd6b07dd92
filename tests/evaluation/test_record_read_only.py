"""Reading a run on read-only media, where SQLite cannot make its files."""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from workplace import Workplace

from safejury.common import RecordError
from safejury.evaluation.record import RecordReader
from safejury.testing import ScriptedServer

_NOBODY = 65_534

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such permissions")


@contextmanager
def _read_only(folder: Path) -> Generator[None]:
    """Let nothing in a folder be changed, by root neither."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)


@pytest.fixture
def run(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Iterator[Path]:
    """A finished run where everybody may look."""
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        copied = Path(shutil.copytree("runs/first", Path(name) / "first"))
        for left in copied.glob("record.sqlite-*"):
            left.unlink()
        yield copied


def test_a_finished_run_is_read_where_nothing_can_be_written(run: Path) -> None:
    with _read_only(run):
        before = sorted(run.iterdir())
        with closing(RecordReader(run)) as reader:
            assert reader.counts() == (3, 3)
            assert not reader.check_unchanged().is_changed
        assert sorted(run.iterdir()) == before


def test_a_killed_run_says_what_to_do_where_nothing_can_be_written(run: Path) -> None:
    """Without its log, figures would leave out what was judged last."""
    run.joinpath("record.sqlite-wal").write_bytes(b"what was committed last")
    words = "record.sqlite-wal.*copy the directory"
    with _read_only(run), pytest.raises(RecordError, match=words):
        RecordReader(run)
