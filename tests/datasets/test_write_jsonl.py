import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import Intent, Query, load_dataset, load_set, read_media, write_jsonl


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
    asks = query(id="three", underlying_request="What all of it\nasks for")
    labeled = query(id="four", labels={"type": "homonyms", "focus": "Zürich"})
    queries = [query(), query(id="two", source="us", intent=Intent.HARMFUL), asks, labeled]
    write_jsonl(path, queries)
    assert list(load_dataset(path)) == queries


def garden(folder: Path) -> Path:
    """A query file whose scenario is one of its own."""
    folder.mkdir()
    scenario = {"id": "weeds", "title": "Weeds", "parent": "garden"}
    taxonomy = {"scenarios": [{"id": "garden", "title": "Garden"}, scenario]}
    (folder / "taxonomy.yaml").write_text(json.dumps(taxonomy))
    line = {"id": "a", "scenario": "weeds", "text": "Why?", "intent": "benign"}
    (folder / "q.jsonl").write_text(json.dumps(line) + "\n")
    return folder / "q.jsonl"


def test_a_set_with_scenarios_of_its_own_is_read_back_the_same(tmp_path: Path) -> None:
    own = load_dataset(garden(tmp_path / "own"))
    out = tmp_path / "new" / "out.jsonl"
    assert write_jsonl(out, own, private=True) == 1
    copy = load_dataset(out)
    assert (list(copy), copy.sha256) == (list(own), own.sha256)
    assert copy.taxonomy == own.taxonomy
    assert (out.parent / "taxonomy.yaml").stat().st_mode & 0o777 == 0o600
    write_jsonl(out, copy)  # over itself
    table = tmp_path / "own" / "table.csv"
    table.write_text("id,text,intent,scenario\na,Why?,benign,garden.weeds\n")
    loaded = load_set("csv", table)
    write_jsonl(tmp_path / "of-table" / "out.jsonl", loaded)
    again = load_dataset(tmp_path / "of-table" / "out.jsonl")
    assert (list(again), again.sha256) == (list(loaded), loaded.sha256)


@pytest.mark.parametrize("other", ["mini", "plant"])
def test_a_set_is_not_written_among_scenarios_that_are_not_its_own(
    other: str, tmp_path: Path
) -> None:
    garden(tmp_path / "own")
    if other == "plant":
        other = str(garden(tmp_path / "plant"))
        file = tmp_path / "plant" / "taxonomy.yaml"
        file.write_text(file.read_text().replace("Weeds", "Plants"))
    with pytest.raises(DatasetError, match=r"taxonomy\.yaml' says what scenarios its folder has"):
        write_jsonl(tmp_path / "own" / "out.jsonl", load_dataset(other))
    assert not (tmp_path / "own" / "out.jsonl").exists()


def test_an_underlying_request_is_part_of_what_a_set_is_known_by(tmp_path: Path) -> None:
    hashes: list[str] = []
    for request in (None, "This", "That"):
        write_jsonl(tmp_path / "out.jsonl", [query(underlying_request=request)])
        hashes.append(load_dataset(tmp_path / "out.jsonl").sha256)
    assert len(set(hashes)) == 3
    plain = {"id": "p", "scenario": "ethics.bioethics", "text": "Why?", "intent": "benign"}
    (tmp_path / "out.jsonl").write_text(json.dumps(plain | {"underlying_request": " "}))
    with pytest.raises(DatasetError, match="'underlying_request' is empty"):
        load_dataset(tmp_path / "out.jsonl")


def test_a_plain_table_may_say_what_is_asked_for_in_all(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("text,intent,real\nDo what it says,harmful,Open the box\nWhy?,benign,Why?\n")
    loaded = load_set("csv", table, mapping={"underlying_request": "real"})
    # One that repeats the text says nothing.
    assert [query.underlying_request for query in loaded] == ["Open the box", None]


def test_media_from_elsewhere_are_copied_once(tmp_path: Path, picture: Path) -> None:
    media = read_media(picture, kind="image")
    path = tmp_path / "elsewhere" / "out.jsonl"
    write_jsonl(path, [query(images=(media,)), query(id="two", images=(media,))])
    (copy,) = (path.parent / "media").iterdir()
    assert copy.name == f"{media.sha256}.png"
    assert copy.read_bytes() == picture.read_bytes()
    assert [q.images[0].sha256 for q in load_dataset(path)] == [media.sha256] * 2


def test_what_is_private_lies_in_folders_that_only_its_owner_enters(
    tmp_path: Path, picture: Path
) -> None:
    asked = query(images=(read_media(picture, kind="image"),))
    write_jsonl(tmp_path / "new" / "set" / "out.jsonl", [asked], private=True)
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert [path.name for path in made if path.is_dir()] == ["new", "set", "media"]
    for path in made:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


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


def test_the_mini_set_keeps_its_hash_when_copied(tmp_path: Path) -> None:
    mini = load_dataset("mini")
    write_jsonl(tmp_path / "copy" / "mini.jsonl", mini)
    assert load_dataset(tmp_path / "copy" / "mini.jsonl").sha256 == mini.sha256


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go during the test, within the place that is written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_pictures_within_a_table_are_copied_even_beside_the_temporary_folder(
    tmp_path: Path, picture: Path, temporary_folder: Path
) -> None:
    content = base64.b64encode(picture.read_bytes()).decode()
    row = {"id": "a", "text": "Why?", "image": f"data:image/png;base64,{content}"}
    table = temporary_folder / "own.jsonl"
    table.write_text(json.dumps(row) + "\n")
    out = tmp_path / "out.jsonl"
    loaded = load_set("jsonl", table)
    write_jsonl(out, loaded)
    del loaded  # and its temporary files with it
    (copied,) = load_dataset(out)
    assert Path(copied.images[0].path).parent == tmp_path / "media"


LONG = "/".join(["y" * 200] * 5)


@pytest.mark.parametrize("name", ["..\\up.png", "C:x.png", "\udce9.png", f"{LONG}/deep.png"])
def test_a_name_that_would_not_be_read_back_is_copied_under_another(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path, "PNG")
    media = read_media(path, kind="image")
    out = tmp_path / "out.jsonl"
    write_jsonl(out, [query(images=(media,))])
    (copied,) = load_dataset(out)
    assert copied.images[0].path == str(tmp_path / "media" / f"{media.sha256}.png")


def test_another_file_under_the_name_of_a_copy_is_replaced(tmp_path: Path, picture: Path) -> None:
    media = read_media(picture, kind="image")
    there = tmp_path / "elsewhere" / "media" / f"{media.sha256}.png"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"cut sho")
    write_jsonl(tmp_path / "elsewhere" / "out.jsonl", [query(images=(media,))])
    assert there.read_bytes() == picture.read_bytes()


def test_a_medium_that_changed_since_it_was_read_is_refused(tmp_path: Path, picture: Path) -> None:
    media = read_media(picture, kind="image")
    Image.new("RGB", (8, 8), "blue").save(picture)
    with pytest.raises(DatasetError, match=r"red\.png: changed since it was checked"):
        write_jsonl(tmp_path / "elsewhere" / "out.jsonl", [query(images=(media,))])
    assert not (tmp_path / "elsewhere" / "out.jsonl").exists()


def test_a_text_that_is_too_long_to_be_read_back_is_refused(tmp_path: Path) -> None:
    longest = query(text="x" * (4 * 1024 * 1024 - 200))
    write_jsonl(tmp_path / "out.jsonl", [longest])
    assert list(load_dataset(tmp_path / "out.jsonl")) == [longest]
    with pytest.raises(DatasetError, match="'one' would be a line of more than 4 MiB"):
        write_jsonl(tmp_path / "out.jsonl", [query(text="x" * 4 * 1024 * 1024)])
    assert list(load_dataset(tmp_path / "out.jsonl")) == [longest]
