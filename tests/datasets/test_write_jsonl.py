from collections.abc import Iterator
from pathlib import Path

import pytest

from safejury.datasets import DatasetError, Intent, Query, load_dataset, read_media, write_jsonl


def query(**changes: object) -> Query:
    fields: dict[str, object] = {
        "id": "one",
        "scenario": "ethics.bioethics",
        "text": "Was heißt „Einwilligung“?\n\u2028\x07",
        "intent": Intent.BENIGN,
    }
    return Query(**(fields | changes))  # pyright: ignore[reportArgumentType]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    queries = [query(), query(id="two", source="us", intent=Intent.HARMFUL)]
    write_jsonl(path, queries)
    assert list(load_dataset(path)) == queries


def test_media_from_elsewhere_are_copied_once(tmp_path: Path, picture: Path) -> None:
    media = read_media(picture, kind="image")
    path = tmp_path / "elsewhere" / "out.jsonl"
    write_jsonl(path, [query(images=(media,)), query(id="two", images=(media,))])
    (copy,) = (path.parent / "media").iterdir()
    assert copy.name == f"{media.sha256}.png"
    assert copy.read_bytes() == picture.read_bytes()
    assert [q.images[0].sha256 for q in load_dataset(path)] == [media.sha256] * 2


def test_media_in_the_folder_stay_where_they_are(picture: Path) -> None:
    path = picture.parent.parent / "out.jsonl"
    write_jsonl(path, [query(images=(read_media(picture, kind="image"),))])
    assert '"image":"images/red.png"' in path.read_text()
    assert not (path.parent / "media").exists()


def test_a_set_may_be_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write_jsonl(path, [query(id=str(i)) for i in range(100)])
    before = load_dataset(path)
    write_jsonl(path, before)
    assert load_dataset(path).sha256 == before.sha256


def test_the_old_file_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[Query]:
        yield query()
        raise ZeroDivisionError

    path = tmp_path / "out.jsonl"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_jsonl(path, failing())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"cannot be written \(.*file.*\)"):
        write_jsonl(tmp_path / "file" / "out.jsonl", [query()])


def test_a_medium_that_is_gone_is_told(tmp_path: Path, picture: Path) -> None:
    media = read_media(picture, kind="image")
    picture.unlink()
    with pytest.raises(DatasetError, match=r"red\.png: No such file"):
        write_jsonl(tmp_path / "elsewhere" / "out.jsonl", [query(images=(media,))])


def test_the_mini_set_keeps_its_hash_when_copied(tmp_path: Path, mini_cache: Path) -> None:
    mini = load_dataset("mini", cache_dir=mini_cache)
    write_jsonl(tmp_path / "copy" / "mini.jsonl", mini)
    assert load_dataset(tmp_path / "copy" / "mini.jsonl").sha256 == mini.sha256
