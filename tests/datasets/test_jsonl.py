import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import Dataset, Intent, load_dataset

QueryFile = Callable[..., Path]


def line(**changes: object) -> dict[str, object]:
    good: dict[str, object] = {
        "id": "one",
        "scenario": "ethics.bioethics",
        "text": "What is informed consent?",
        "intent": "benign",
    }
    return good | changes


def error_of(path: Path | str) -> str:
    with pytest.raises(DatasetError) as error:
        load_dataset(path)
    message = str(error.value)
    assert message.isprintable()
    return message


def test_a_line_becomes_a_query(query_file: QueryFile, picture: Path) -> None:
    path = query_file(line(image="images/red.png", audio=None, source="us", intent="harmful"))
    dataset = load_dataset(path)
    (query,) = dataset
    assert (query.id, query.text, query.source) == ("one", "What is informed consent?", "us")
    assert query.intent is Intent.HARMFUL
    assert query.images[0].read() == picture.read_bytes()
    assert query.audio is None
    assert (dataset.name, len(dataset)) == ("queries", 1)


def test_optional_keys_may_be_left_out(query_file: QueryFile) -> None:
    (query,) = load_dataset(query_file(line()))
    assert (query.images, query.audio, query.source) == ((), None, None)


def test_labels_are_kept_and_are_part_of_what_a_set_is_known_by(query_file: QueryFile) -> None:
    one, two = {"type": "homonyms", "focus": "Zürich"}, {"type": "real_group"}
    labeled = load_dataset(query_file(line(labels=one), line(id="two")))
    assert [query.labels for query in labeled] == [one, {}]
    assert len({query for query in labeled}) == 2  # queries can be members of a set
    hashes = {labeled.sha256}
    turned = dict(reversed(one.items()))
    for labels in (turned, two, None):
        plain = line() if labels is None else line(labels=labels)
        hashes.add(load_dataset(query_file(plain, line(id="two"))).sha256)
    assert len(hashes) == 3  # the order of the names is no part of it
    assert load_dataset(query_file(line(labels={}))).sha256 == (
        load_dataset(query_file(line())).sha256
    )


def test_any_name_of_a_scenario_becomes_its_id(query_file: QueryFile) -> None:
    (query,) = load_dataset(query_file(line(scenario="CS.HS")))
    assert query.scenario == "cybersecurity.hardware_security"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", "not JSON (EOF while parsing an object at column 1); write one JSON object a line"),
        ("[]", "a line must hold a JSON object, not a list"),
        ("null", "a line must hold a JSON object, not null"),
        ({"id": "x"}, "key 'scenario' is missing; a line needs 'id', 'scenario', 'text' and"),
        (line(txt="x"), "unknown key 'txt' (did you mean 'text'?)"),
        ({"id": "x", "txt": "x"}, "unknown key 'txt' (did you mean 'text'?)"),
        (line(zzzzzz=1), "unknown key 'zzzzzz'; the keys are id, scenario, text, intent, image"),
        (line(text=7), "'text' must be a string, not a number"),
        (line(id=None), "'id' must be a string, not null"),
        (line(image=["a"]), "'image' must be a string, not a list"),
        (line(source={}), "'source' must be a string, not an object"),
        (line(labels=["a"]), "'labels' must be an object of names and values, not a list"),
        (line(labels={"type": 7}), "'labels.type' must be a string, not a number"),
        (line(labels={"type": " a"}), "the label 'type' must be printable text without space"),
        (line(labels={"type": "a\x1b[2J"}), r"must be printable text without space around it, not"),
        (line(labels={"type": "a" * 201}), "the label 'type' has 201 characters, more than 200"),
        (line(labels={"a b": "c"}), "'a b' cannot name a label: write letters, digits"),
        (line(labels={"": "c"}), "'' cannot name a label"),
        (line(text=" \n"), "'text' is empty; write what is asked"),
        (line(id=""), "id '' must be printable text"),
        (line(id="a\x1b[2J"), r"id 'a\x1b[2J' must be printable text"),
        (line(id=" a"), "id ' a' must be printable text without space around it"),
        (line(intent="evil"), "'intent' must be 'harmful' or 'benign', not 'evil'"),
        (line(intent=1), "'intent' must be 'harmful' or 'benign', not a number"),
        (line(scenario="bioetics"), "unknown scenario 'bioetics' (did you mean 'ethics.bioethics'"),
        (line(scenario="HS"), "scenario 'HS' is ambiguous"),
        (line(id="first"), "id 'first' is taken by line 1; give each query its own"),
        (line(image="no.png"), "image 'no.png' does not exist; check the path"),
        (line(audio="no.wav"), "audio 'no.wav' does not exist; check the path"),
        (line(image=""), "image path is empty; write null where there is none"),
        (line(image="bad.png"), "image 'bad.png' is not a PNG, JPEG, WebP, GIF or BMP picture"),
        (line(image="nul\x00.png"), r"image 'nul\x00.png' is not a valid path"),
        (line(image="a" * 300), "cannot be read: File name too long"),
        (line(image="a/" * 2500), "a/' is longer than 1000 characters"),
        (line(source="x", id="a" * 5000 + "\n"), "must be printable text"),
        (b'{"id": "\xff"}', "not UTF-8 (byte 9 of the line); save the file as UTF-8"),
        ('{"id": "\\ud800"}', "not JSON ("),
        ('{"text": "' + "x" * 5_000_000 + '"}', "longer than 4 MiB; is this a JSONL file?"),
        ("[" * 100_000, "not JSON ("),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_error_names_its_line(bad: object, message: str, query_file: QueryFile) -> None:
    path = query_file(line(id="first"), "", bad)
    (path.parent / "bad.png").write_text("words")
    found = error_of(path)
    assert found.startswith(f"{path}:3: ")
    assert message in found
    assert len(found) < 400 + len(str(path))


@pytest.mark.parametrize(
    "relative",
    ["../out.png", "images/../../out.png", "/etc/hostname", "C:\\out.png", "..\\out.png", "\\x"],
)
def test_media_outside_the_folder_are_refused(
    relative: str, query_file: QueryFile, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "out.png")
    path = query_file(line(image=relative))
    assert "leads out of the file's folder" in error_of(path)


def test_a_link_out_of_the_folder_is_refused(query_file: QueryFile, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "out.png")
    path = query_file(line(image="link.png"), line(id="two", image="folder/out.png"))
    (path.parent / "link.png").symlink_to(tmp_path / "out.png")
    assert f"{path}:1: image 'link.png' is a link out of" in error_of(path)
    (path.parent / "link.png").unlink()
    Image.new("RGB", (8, 8)).save(path.parent / "link.png")
    (path.parent / "folder").symlink_to(tmp_path)
    assert f"{path}:2: image 'folder/out.png' is a link out of" in error_of(path)


def test_a_link_that_leads_to_itself_is_refused(query_file: QueryFile) -> None:
    path = query_file(line(image="loop.png"))
    (path.parent / "loop.png").symlink_to("loop.png")
    assert f"{path}:1: image 'loop.png'" in error_of(path)


def test_a_link_within_the_folder_is_followed(query_file: QueryFile, picture: Path) -> None:
    path = query_file(line(image="link.png"))
    (path.parent / "link.png").symlink_to(picture)
    (query,) = load_dataset(path)
    assert query.images[0].read() == picture.read_bytes()


def test_the_first_error_is_told_even_after_thousands_of_lines(query_file: QueryFile) -> None:
    lines = [line(id=str(i)) for i in range(3000)]
    path = query_file(*lines, line(id="1234"))
    assert f"{path}:3001: id '1234' is taken by line 1235" in error_of(path)


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_a_file_without_queries_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text(content)
    assert error_of(path) == f"{path}: holds no queries; write one JSON object a line"


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    lines = [json.dumps(line(id=name)) for name in "ab"]
    path.write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    assert [query.id for query in load_dataset(path)] == ["a", "b"]


def test_utf_16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.jsonl"
    path.write_text(json.dumps(line()), encoding="utf-16")
    assert f"{path}:1: not UTF-8" in error_of(path)


def test_a_dataset_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "does not exist; name a JSONL file, or 'mini'" in error_of(str(tmp_path / "no.jsonl"))
    assert "is a folder; name the JSONL file in it" in error_of(tmp_path)
    assert "cannot be read twice; save it as a file first" in error_of("/dev/null")
    assert "cannot be read: " in error_of("nul\0")
    assert "cannot be read: " in error_of("~nobody9/x")


def test_a_set_streams_the_same_twice_and_side_by_side(
    query_file: QueryFile, picture: Path
) -> None:
    del picture
    path = query_file(*(line(id=str(i), image="images/red.png") for i in range(50)))
    dataset = load_dataset(path)
    first = list(dataset)
    assert first == list(dataset)
    assert all(a == b for a, b in zip(dataset, dataset, strict=True))
    assert len(first) == len(dataset) == 50


def test_a_limit_reads_the_first_queries_and_nothing_beyond(query_file: QueryFile) -> None:
    path = query_file("", line(), line(id="two"), "{")
    dataset = load_dataset(path, limit=2)
    assert ([query.id for query in dataset], len(dataset)) == (["one", "two"], 2)
    assert dataset.sha256 != load_dataset(path, limit=1).sha256
    assert f"{path}:4: not JSON" in error_of(path)


def test_a_set_that_changed_since_it_was_checked_is_not_used(query_file: QueryFile) -> None:
    dataset = load_dataset(query_file(line()))
    query_file(line(), line(id="two"))
    with pytest.raises(DatasetError, match="changed since it was checked; load the dataset again"):
        list(dataset)


def test_the_hash_follows_words_and_pictures_but_not_layout(
    query_file: QueryFile, picture: Path
) -> None:
    def digest(**changes: object) -> str:
        return load_dataset(query_file(line(**changes))).sha256

    base = digest(image="images/red.png")
    assert (
        base == load_dataset(query_file(f"\n {json.dumps(line(image='./images/red.png'))}")).sha256
    )
    picture.rename(picture.with_name("moved.png"))
    assert base == digest(image="images/moved.png")
    assert base != digest(image="images/moved.png", text="Another?")
    assert base != digest(image="images/moved.png", intent="harmful")
    assert base != digest()
    Image.new("RGB", (8, 8), "blue").save(picture)
    assert base != digest(image="images/red.png")


def test_memory_does_not_grow_with_the_pictures_and_words(
    query_file: QueryFile, picture: Path
) -> None:
    del picture
    words = "word " * 2000  # 10 kB a query, 20 MB in all
    path = query_file(
        *(line(id=str(i), text=f"{i} {words}", image="images/red.png") for i in range(2000))
    )
    load_dataset(path)  # what is imported or cached once is not counted
    tracemalloc.start()
    try:
        assert sum(1 for _ in load_dataset(path)) == 2000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_a_set_says_what_it_is(query_file: QueryFile) -> None:
    dataset = load_dataset(query_file(line()))
    assert isinstance(dataset, Dataset)
    assert repr(dataset) == "Dataset('queries', 1 queries)"
