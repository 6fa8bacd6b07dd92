"""The file that reviewers write: several at once, a full disk, and nothing lost."""

import resource
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safejury import ConfigurationError
from safejury.evaluation.trust.review import LabelFile


def _row(case: int, label: str = "safe", who: str = "anna") -> dict[str, object]:
    return {"case": f"q{case}/t/0", "label": label, "annotator": who}


def test_people_who_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"

    def work(who: str) -> None:
        for number in range(20):
            file = LabelFile(path)
            file.put(_row(number, "unsafe", who))
            file.put(_row(number, "safe", who))
            if number % 2:
                file.take_back(f"q{number}/t/0", who)

    threads = [threading.Thread(target=work, args=(who,)) for who in ("anna", "ben", "cy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = LabelFile(path).rows()
    expected = {(f"q{n}/t/0", who) for n in range(0, 20, 2) for who in ("anna", "ben", "cy")}
    assert {(row["case"], row["annotator"]) for row in rows} == expected
    assert len(rows) == 30
    assert {row["label"] for row in rows} == {"safe"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@contextmanager
def _full_at(size: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_takes_nothing_away(tmp_path: Path) -> None:
    """The next line would fit by half, and the whole file would not fit a second time."""
    file = LabelFile(tmp_path / "labels.jsonl")
    for number in range(3):
        file.put(_row(number))
    whole = file.path.read_bytes()
    with _full_at(len(whole) + 20), pytest.raises(ConfigurationError, match="cannot be written"):
        file.put(_row(3))
    assert file.path.read_bytes() == whole
    with _full_at(len(whole) - 70), pytest.raises(ConfigurationError, match="cannot be written"):
        file.take_back("q0/t/0", "anna")
    assert file.path.read_bytes() == whole
    file.put(_row(3))
    assert len(file.rows()) == 4
