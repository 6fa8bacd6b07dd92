"""Sets that cannot be read, or hold nothing, or not where the user says: one line, no traceback."""

import contextlib
import csv
import ctypes
import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safejury.common import DatasetError
from safejury.datasets import find_set, load_dataset, load_set, write_jsonl
from safejury.datasets.loaders import BY_NAME, LOADERS

HERE = sorted(LOADERS.keys() - BY_NAME)
PLAIN = ("jsonl", "csv", "parquet")
ROW: dict[str, Any] = {"id": "a", "text": "Why?", "more": {"of": ["it", "Here?"]}, "n": 3}


@contextmanager
def as_anybody() -> Generator[None]:
    """Let this thread be stopped by a file's mode, even where it is root's."""
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("root is stopped by no file's mode here")
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0


@pytest.fixture
def locked(tmp_path: Path) -> Generator[Path]:
    """A folder that nobody may look into, with a file that would be a set."""
    folder = tmp_path / "locked"
    folder.mkdir()
    write("jsonl", [ROW], folder)
    folder.chmod(0)
    try:
        with as_anybody():
            yield folder
    finally:
        folder.chmod(0o700)


def write(form: str, rows: list[dict[str, Any]], folder: Path) -> Path:
    path = folder / f"own.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, ["id", "text", "more", "n"])
            table.writeheader()
            table.writerows(rows)
    else:
        arrow = pytest.importorskip("pyarrow")
        more = arrow.struct([("of", arrow.list_(arrow.string()))])
        kinds = {"id": arrow.string(), "text": arrow.string(), "more": more, "n": arrow.int64()}
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(rows, arrow.schema(kinds)), path)
    return path


@contextmanager
def refused(pattern: str) -> Generator[None]:
    """Check that a set is refused in one line of this pattern."""
    with pytest.raises(DatasetError, match=pattern) as told:
        yield
    assert str(told.value).isprintable()


@pytest.mark.parametrize("loader", HERE)
def test_a_folder_that_may_not_be_read_is_told(loader: str, locked: Path) -> None:
    for place in (locked, locked / "own.jsonl"):
        with refused(r"locked.*cannot be read: Permission denied"):
            load_set(loader, place)


def test_a_folder_that_may_not_be_read_is_told_when_its_format_is_looked_for(locked: Path) -> None:
    for place in (str(locked), str(locked / "own.jsonl"), f"csv:{locked / 'own.csv'}"):
        with refused("cannot be read: Permission denied"):
            find_set(place)


def test_a_folder_that_may_not_be_written_to_is_told(locked: Path) -> None:
    with refused(r"out\.jsonl: cannot be written \(.*Permission denied"):
        write_jsonl(locked / "out.jsonl", load_dataset("mini"))


@pytest.mark.parametrize("form", PLAIN)
def test_a_table_without_rows_is_told(form: str, tmp_path: Path) -> None:
    with refused(rf"own\.{form}: holds no items"):
        load_set(form, write(form, [], tmp_path))


STEP = st.sampled_from(
    ["id", "text", "of", "0", "1", "-1", "--1", "-", "+1", "²", "9" * 30, "", "."]
)
PLACE = st.builds(str.__add__, st.sampled_from(["", "more.", "more.of.", "more.of[", "n."]), STEP)
PATH = PLACE | st.text(max_size=8)
FIELD = st.sampled_from(["id", "text", "category", "intent", "images", "audio", "labels.x"])


@pytest.mark.parametrize("form", PLAIN)
def test_any_mapping_reads_a_table_or_is_refused(
    form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = write(form, [ROW], tmp_path_factory.mktemp("table"))

    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(FIELD, PATH, max_size=3))
    @example({"text": "more.of.--1"})
    @example({"text": "more.of.²"})
    @example({"id": "."})
    def check(mapping: dict[str, str]) -> None:
        with contextlib.suppress(DatasetError):  # and nothing else
            assert len(load_set(form, table, mapping=mapping)) == 1

    check()
