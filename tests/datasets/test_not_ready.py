"""Files that are not there yet: Git LFS leaves a pointer until it is asked for the content."""

from pathlib import Path
from shutil import copytree

import pytest

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import find_set, load_set
from safejury.targets import RecordedTarget

SAMPLES = Path(__file__).with_name("loader_samples")
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 12345\n"
)
SAID = "is a Git LFS pointer, not the file: run `git lfs pull` where it was cloned"


@pytest.mark.parametrize(
    ("loader", "place"),
    [
        ("figstep", "data/question/safebench.csv"),
        ("siuo", "siuo_gen.json"),
        ("mossbench", "data/images_information/information.json"),
        ("vlguard", "test.json"),
        ("mm-safetybench", "data/processed_questions/01-Illegal_Activitiy.json"),
        ("hades", "data/test-00000-of-00001.parquet"),
        ("safebench", "SafeBench_Text/1.csv"),
    ],
)
def test_a_published_set_whose_file_is_a_pointer(loader: str, place: str, tmp_path: Path) -> None:
    sample = SAMPLES / loader.replace("-", "_")
    if sample.is_dir():
        copytree(sample, tmp_path, dirs_exist_ok=True)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_bytes(POINTER)
    for said in (str(tmp_path), f"{loader}:{tmp_path}"):
        with pytest.raises(DatasetError) as error:
            find_set(said)
        assert str(error.value) == f"{tmp_path / place}: {SAID}"


def test_a_clone_without_its_large_files_is_named_as_such() -> None:
    folder = SAMPLES / "jailbreakv_lfs"
    with pytest.raises(DatasetError) as error:
        find_set(str(folder))
    assert str(error.value) == f"{folder / 'JailBreakV_28K.csv'}: {SAID}"


@pytest.mark.parametrize(
    ("loader", "name"),
    [("csv", "own.csv"), ("jsonl", "own.jsonl"), ("jsonl", "own.json"), ("parquet", "a.parquet")],
)
def test_a_table_or_a_query_file_that_is_a_pointer(loader: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(POINTER)
    for said in (tmp_path / name, f"{loader}:{tmp_path / name}"):
        with pytest.raises(DatasetError, match=r"is a Git LFS pointer, not the file"):
            find_set(str(said))


def test_a_picture_that_is_a_pointer(tmp_path: Path) -> None:
    copytree(SAMPLES / "figstep", tmp_path, dirs_exist_ok=True)
    picture = "data/images/SafeBench/query_ForbidQI_1_1_6.png"
    (tmp_path / picture).write_bytes(POINTER)
    loaded = load_set("figstep", tmp_path)
    assert [query.id for query in loaded] == ["ForbidQI_9_1"]
    first = next(loaded.left_out())
    assert str(first) == f"data/question/safebench.csv:2: image '{picture}' {SAID}"


@pytest.mark.parametrize("format", [None, "csv", "jsonl", "inspect", "parquet"])
def test_a_file_of_responses_that_is_a_pointer(format: str | None, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_bytes(POINTER)
    with pytest.raises(ConfigurationError, match=r"out\.json: is a Git LFS pointer"):
        RecordedTarget("file", tmp_path / "out.json", format=format)
