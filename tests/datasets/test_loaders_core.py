"""Plain tables, and what every loader shares: safe paths, what is left out, streaming."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import (
    Intent,
    LoadedSet,
    crosswalk,
    find_set,
    load_dataset,
    load_set,
    load_taxonomy,
    write_jsonl,
)
from safejury.datasets.tables import RowError, json_objects

QUESTION = "How is a lock picked?"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into the set's folder and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def texts(loaded: LoadedSet) -> list[str]:
    return [query.text for query in loaded]


def left_out(loaded: LoadedSet) -> list[str]:
    return [str(item) for item in loaded.left_out()]


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        ("prompt;cat\n”Schlüssel?”;bias\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("prompt;cat\n”Schlüssel?”;bias\n".encode("utf-8-sig"), {}),
        ("prompt;cat\n”Schlüssel?”;bias\n".encode("utf-16"), {}),
        ("prompt\tcat\n”Schlüssel?”\tbias\n".encode(), {}),
    ],
)
def test_a_csv_in_another_encoding_or_with_a_mark(
    content: bytes, settings: Mapping[str, str], table: Callable[..., Path]
) -> None:
    path = table("own.csv", content)
    loaded = load_set("csv", path, mapping={"category": "cat"}, settings=settings)
    (query,) = loaded
    assert (query.id, query.text) == ("own-1", "”Schlüssel?”")
    assert (query.scenario, query.intent) == ("inappropriate_opinions.bias", Intent.HARMFUL)
    (note,) = loaded.notes
    assert note.startswith("1 query has no intent and is assumed harmful")


def test_cells_with_line_breaks_and_commas_stay_whole(table: Callable[..., Path]) -> None:
    path = table("own.csv", 'id,text\na,"One,\ntwo ""three"""\n\nb,Four?\n')
    assert texts(load_set("csv", path)) == ['One,\ntwo "three"', "Four?"]


def test_a_row_in_the_wrong_encoding_is_left_out_alone(table: Callable[..., Path]) -> None:
    path = table("own.csv", b"text\nfine?\ncaf\xe9?\nalso fine?\n")
    loaded = load_set("csv", path)
    assert texts(loaded) == ["fine?", "also fine?"]
    assert left_out(loaded) == [
        "own.csv, row 2 (line 3): not UTF-8; name its encoding, or save the file as UTF-8"
    ]


def test_an_unknown_encoding(table: Callable[..., Path]) -> None:
    with pytest.raises(DatasetError, match="'klingon' is not known"):
        load_set("csv", table("own.csv", "text\na\n"), settings={"encoding": "klingon"})


@pytest.mark.parametrize(
    ("encoding", "bad"), [("cp1252", b"\x81"), ("gb18030", b"\xff"), ("utf-16-le", b"\0\xd8")]
)
def test_bytes_that_the_encoding_does_not_know_spoil_their_row_alone(
    encoding: str, bad: bytes, table: Callable[..., Path]
) -> None:
    rows = [f"Why {number}?\n".encode(encoding) for number in range(3000)]
    rows[2000] = "Why".encode(encoding) + bad + "\n".encode(encoding)
    path = table("own.csv", "text\n".encode(encoding) + b"".join(rows))
    loaded = load_set("csv", path, settings={"encoding": encoding})
    assert len(loaded) == 2999
    (said,) = left_out(loaded)
    assert said.startswith(f"own.csv, row 2001 (line 2002): has bytes that {encoding} does not")


@pytest.mark.parametrize(
    ("closing", "read"),
    [
        ("", ["Why 0?"]),
        ('Why "500"?', ["Why 0?", *(f"Why {number}?" for number in range(501, 999))]),
    ],
)
def test_lines_that_a_quote_swallows_are_counted(
    closing: str, read: list[str], table: Callable[..., Path]
) -> None:
    rows = [f"{number},Why {number}?" for number in range(999)]
    rows[1] = '1,"Why 1?'
    rows[500] = closing or rows[500]
    loaded = load_set("csv", table("own.csv", "\n".join(["id,text", *rows])))
    assert texts(loaded) == read
    assert loaded.unusable == 999 - len(read)
    said = left_out(loaded)
    assert said[0].startswith("own.csv, row 2 (line 3): not CSV (")
    assert said[0].endswith(f"; lines 3 to {501 + 1 if closing else 1000} are not read")
    assert said[1] == "own.csv, row 3 (line 4): is not read, as it may belong to line 3"


@pytest.mark.parametrize(
    "content",
    [
        "id,text,,\na,Why?,,\n",
        "sep=;\r\nid;text\r\na;Why?\r\n",
        "sep=|\nid|text\na|Why?\n",
        "\n \nid;text\na;Why?\n",
    ],
)
def test_what_spreadsheets_write_around_a_table(content: str, table: Callable[..., Path]) -> None:
    (query,) = load_set("csv", table("own.csv", content))
    assert (query.id, query.text) == ("a", "Why?")


def test_json_by_dotted_paths(table: Callable[..., Path]) -> None:
    row = {"key": 7, "turns": [{"says": QUESTION}], "about": {"kind": "HS"}, "use": "benign"}
    mapping = {"id": "key", "text": "turns.0.says", "category": "about.kind", "intent": "use"}
    for path in (table("a.jsonl", lines(row)), table("a.json", json.dumps([row]))):
        loaded = load_set("jsonl", path, mapping=mapping)
        (query,) = loaded
        assert (query.id, query.text, query.intent) == ("7", QUESTION, Intent.BENIGN)
        # HS stands for two scenarios.
        assert query.scenario == "uncategorised"
        assert "the set's category is not known: 'HS'" in loaded.notes[0]


@pytest.mark.parametrize("bad", [rb'"\q"', b'"caf\xe9"', b"nul"])
def test_a_bad_item_of_a_json_list_is_left_out_alone(
    bad: bytes, table: Callable[..., Path]
) -> None:
    rows = [b'{"text": "Why %d?", "of": [{}]}' % number for number in range(4)]
    rows[1] = b'{"text": %s}' % bad
    loaded = load_set("jsonl", table("own.json", b"[" + b",\n".join(rows) + b"]\n"))
    assert texts(loaded) == ["Why 0?", "Why 2?", "Why 3?"]
    (said,) = left_out(loaded)
    assert said.startswith("own.json, item 2: not JSON (")


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ('[{"text": "Why?"}]\n[{"text": "How?"}]\n', 2, "more follows the end of its list"),
        ('[{"text": "Why?"},\n{"text": ["How?"}\n, {}]\n', 2, "damaged or cut off"),
        ('[{"text": "Why?"}', 1, "damaged or cut off"),
    ],
)
def test_a_json_list_that_is_not_read_to_the_end_says_so(
    content: str, line: int, why: str, table: Callable[..., Path]
) -> None:
    path = table("own.json", content)
    (said,) = left_out(load_set("jsonl", path))
    assert said.startswith(f"own.json, line {line}: not JSON at line {line}: ")
    assert why in said
    assert said.endswith("; the rest of the file is not read")
    with pytest.raises(DatasetError, match="strict mode skips nothing"):
        load_set("jsonl", path, strict=True)


@pytest.mark.parametrize(("bad", "more"), [(1, ""), (3, ", and 2 more")])
def test_strict_reading_says_what_it_would_leave_out(
    bad: int, more: str, table: Callable[..., Path]
) -> None:
    path = table("own.jsonl", '{"text": "Why?"}\n' + '{"text": 7}\n' * bad)
    with pytest.raises(DatasetError) as caught:
        load_set("jsonl", path, strict=True)
    assert str(caught.value) == (
        f"{path}: strict mode skips nothing: own.jsonl, line 2: the text must be a text "
        f"or null, not a number{more}: fix the set, or read it without strict"
    )


def test_a_large_json_list_is_read_as_a_whole_would_be(table: Callable[..., Path]) -> None:
    """Wherever the pieces of the file end in which it is read, and whatever a row holds."""
    rows: list[object] = [
        {"text": "é" * size, "more": [[{"a": '"}]\\'}]] * (size % 7), "n": [1e300 * 1e10, 2**70]}
        for size in (*range(0, 40_000, 1_777), 150_000, 270_000, 3)
    ]
    written = [json.dumps(row, ensure_ascii=False) for row in rows]
    written.insert(9, '{"text": [{"n": 01}]}')
    read = [value for _, value in json_objects(table("own.json", f"[{', '.join(written)}]\n"))]
    assert isinstance(read.pop(9), RowError)
    assert read == rows


def test_a_json_list_that_gets_shorter_while_it_is_read(table: Callable[..., Path]) -> None:
    path = table("own.json", json.dumps([{"text": "Why? " * 1000} for _ in range(1000)]))
    items = json_objects(path)
    assert next(items)[0] == "item 1"
    path.write_text("")
    *_, (_, last) = items
    assert isinstance(last, RowError)
    assert "damaged or cut off" in str(last)


def test_what_a_table_lacks_can_be_said_for_all_rows(table: Callable[..., Path]) -> None:
    settings = {"intent": "benign", "category": "malware_generation"}
    (query,) = load_set("csv", table("own.csv", "text\nWhy?\n"), settings=settings)
    assert query.intent is Intent.BENIGN
    assert query.scenario == "cybersecurity.malware_generation"


def test_labels_are_columns_that_are_named(table: Callable[..., Path]) -> None:
    rows = lines(
        {"prompt": "A?", "kind": " homo\nnyms ", "n": 3, "more": {"ok": True, "tags": ["x", "y"]}},
        {"prompt": "B?", "kind": None, "more": {}},
        {"prompt": "C?", "kind": {"a": 1}},
        {"prompt": "D?", "kind": "x" * 201},
    )
    mapping = {"labels.type": "kind", "labels.n": "n", "labels.ok": "more.ok"}
    loaded = load_set(
        "jsonl", table("own.jsonl", rows), mapping=mapping | {"labels.tags": "more.tags"}
    )
    assert [query.labels for query in loaded] == [
        {"n": "3", "ok": "true", "tags": "x, y", "type": "homo nyms"},
        {},
    ]
    assert [why.partition(": ")[2][:50] for why in left_out(loaded)] == [
        "the label 'type' must be a name, a number or a lis",
        "the label 'type' has 201 characters, more than 200",
    ]
    loaded = load_set("csv", table("own.csv", "prompt,kind\nA?,b\n"), mapping={"labels.k": "kind"})
    assert [query.labels for query in loaded] == [{"k": "b"}]


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"labels.k": "knd"}, "no row has 'knd' for --map labels.k=..."),
        ({"labels.": "kind"}, "--map 'labels.': '' cannot name a label"),
        ({"labels.a b": "kind"}, "--map 'labels.a b': 'a b' cannot name a label"),
        ({"labels": "kind"}, "--map 'labels': there is no such field (did you mean 'labels.NAME'"),
    ],
)
def test_labels_that_cannot_be_mapped(
    mapping: dict[str, str], why: str, table: Callable[..., Path]
) -> None:
    path = table("own.jsonl", lines({"prompt": "A?", "kind": "b"}, {"prompt": "B?"}))
    with pytest.raises(DatasetError) as error:
        load_set("jsonl", path, mapping=mapping)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("mapping", "settings", "said"),
    [
        ({"texts": "a"}, {}, "no such field .did you mean 'text'"),
        ({"text": "b"}, {}, "has no column 'b' for --map text"),
        ({}, {}, "has no column 'text'; its columns are 'a': say which holds what is asked"),
        ({"text": "a"}, {"intents": "x"}, "no setting 'intents' .did you mean 'intent'"),
        ({"text": "a"}, {"intent": "evil"}, "must be harmful or benign, not 'evil'"),
    ],
)
def test_options_that_cannot_be(
    mapping: Mapping[str, str],
    settings: Mapping[str, str],
    said: str,
    table: Callable[..., Path],
) -> None:
    with pytest.raises(DatasetError, match=said):
        load_set("csv", table("own.csv", "a\nWhy?\n"), mapping=mapping, settings=settings)


def test_rows_that_cannot_be_used_are_listed_with_their_places(table: Callable[..., Path]) -> None:
    content = lines(
        {"id": "a", "text": "Why?"},
        {"id": "a", "text": "Again?"},
        {"id": "b", "text": "  "},
        {"id": "c", "text": 3},
        {"id": "d"},
        {"id": " e", "text": "Why?"},
        {"id": "f", "text": "Why?", "intent": "neutral"},
        {"id": "g", "text": "\ud800"},
        {"id": "h", "text": "Last?"},
    )
    loaded = load_set("jsonl", table("own.jsonl", content + "[]\nnot json\n"))
    assert [query.id for query in loaded] == ["a", "h"]
    said = left_out(loaded)
    places = [int(line.removeprefix("own.jsonl, line ").partition(":")[0]) for line in said]
    assert places == [2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert "'a' is taken by an earlier item" in said[0]
    assert "has no text" in said[1]
    assert (loaded.unusable, loaded.missing) == (9, 0)
    assert loaded.notes[0].startswith("9 items are left out: own.jsonl, line 2: ")


def test_nothing_that_can_be_used(table: Callable[..., Path]) -> None:
    with pytest.raises(DatasetError, match=r"holds nothing that can be used: own\.csv, row 1"):
        load_set("csv", table("own.csv", 'id,text\n1,""\n'))


@pytest.fixture
def pictured(table: Callable[..., Path]) -> Path:
    """A table of good pictures and others."""
    path = table("own.jsonl", "")
    folder = path.parent
    Image.new("RGB", (8, 8), "red").save(folder / "red.png")
    Image.new("RGB", (8, 8), "blue").save(folder.parent / "outside.png")
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    places = {
        "good": "red.png",
        "up": "../outside.png",
        "hidden": "deep/../../outside.png",
        "absolute": str(folder.parent / "outside.png"),
        "link": "link.png",
        "missing": "images/no.png",
        "damaged": "bad.png",
        "elsewhere": "https://example.org/a.png",
        "nul": "a\0b.png",
    }
    path.write_text(
        lines(*({"id": key, "text": "Why?", "image": at} for key, at in places.items()))
    )
    return path


def test_only_pictures_within_the_folder_are_read(pictured: Path) -> None:
    loaded = load_set("jsonl", pictured)
    (query,) = loaded
    assert query.id == "good"
    assert query.images[0].media_type == "image/png"
    said = [line.partition(": ")[2] for line in left_out(loaded)]
    assert said[0] == "the image '../outside.png' leads out of the set's folder"
    assert said[1] == "the image 'deep/../../outside.png' leads out of the set's folder"
    assert "leads out of the set's folder" in said[2]
    assert said[3] == "the image 'link.png' is a link out of the set's folder"
    assert said[4] == "the image 'images/no.png' is missing"
    assert said[5].startswith("image 'bad.png' is not a PNG")
    assert "its picture 'https://example.org/a.png' is elsewhere" in said[6]
    assert len(said) == 8
    assert (loaded.missing, loaded.unusable) == (1, 7)


def test_one_column_of_ids_does_not_stand_in_for_another(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(lines({"text": "A?", "id": "", "query_id": "b"}, {"text": "B?", "id": "b"}))
    loaded = load_set("jsonl", path)
    assert [(query.id, query.text) for query in loaded] == [("b", "B?")]
    assert left_out(loaded) == [
        "own.jsonl, line 1: the id '' must be printable text without space around it"
    ]


def test_a_sound_that_is_elsewhere_is_called_a_sound(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    places = ("https://example.org/a.wav", "data:audio/wav;base64,%%%")
    path.write_text(lines(*({"text": "Why?", "audio": at} for at in places), {"text": "Why?"}))
    elsewhere, unreadable = left_out(load_set("jsonl", path))
    assert "its sound 'https://example.org/a.wav' is elsewhere: save it" in elsewhere
    assert "its sound is no base64" in unreadable


def test_a_medium_that_would_be_dropped_spoils_its_row(pictured: Path) -> None:
    none = {"bytes": None, "path": None}
    rows: list[dict[str, object]] = [
        {"id": "none", "image": none, "audio": None},
        {"id": "same", "image": "red.png", "images": ["red.png"]},
        {"id": "one", "image": "red.png", "images": [none]},
        {"id": "sounds", "audio": ["a.wav", "b.wav"]},
        {"id": "samples", "audio": {"path": None, "array": [0.5], "sampling_rate": 16_000}},
        {"id": "address", "images": [{"url": "http://127.0.0.1/a.png"}]},
        {"id": "empty", "image": {}},
        {"id": "both", "image": "link.png", "images": ["red.png"]},
    ]
    pictured.write_text(lines(*({"text": "Why?"} | row for row in rows)))
    loaded = load_set("jsonl", pictured)
    assert [(query.id, len(query.images)) for query in loaded] == [
        ("none", 0),
        ("same", 1),
        ("one", 1),
    ]
    said = [line.partition(": ")[2] for line in left_out(loaded)]
    assert said[0] == "has 2 sounds: a query has one"
    assert "not of 'path', 'array', 'sampling_rate'" in said[1]
    assert "not of 'url'" in said[2]
    assert "not of none" in said[3]
    assert said[4].startswith("has other pictures in 'images' than in 'image'")
    assert len(load_set("jsonl", pictured, mapping={"images": "images"}, limit=9)) >= 3


def test_an_absolute_path_within_the_folder_is_taken_however_the_set_is_named(
    table: Callable[..., Path], tmp_path: Path
) -> None:
    path = table("own.jsonl", "")
    Image.new("RGB", (8, 8), "red").save(path.with_name("red.png"))
    path.write_text(lines({"text": "Why?", "image": str(path.with_name("red.png"))}))
    (tmp_path / "link").symlink_to(path.parent)
    for named in (path, tmp_path / "link" / path.name, path.parent / ".." / "set" / path.name):
        (query,) = load_set("jsonl", named)
        assert query.images[0].media_type == "image/png"


def test_a_damaged_picture_within_a_table_is_named_by_its_place(table: Callable[..., Path]) -> None:
    row = {"text": "Why?", "image": "data:image/png;base64,AAAA"}
    with pytest.raises(DatasetError, match=r"line 1: the image within the table is not an? "):
        load_set("jsonl", table("own.jsonl", lines(row)))


def test_a_path_that_is_too_long_is_shortened(table: Callable[..., Path]) -> None:
    row = {"text": "Why?", "image": "x" * 5000}
    for path in (table("own.jsonl", lines(row)), Path("y" * 5000)):
        with pytest.raises(DatasetError, match="File name too long") as refused:
            load_set("jsonl", path)
        assert len(str(refused.value)) < 400


def test_strict_leaves_nothing_out(pictured: Path) -> None:
    with pytest.raises(DatasetError, match=r"strict .*own\.jsonl, line 2: .*, and 7 more"):
        load_set("jsonl", pictured, strict=True)
    assert len(load_set("jsonl", pictured, strict=True, limit=1)) == 1


def test_a_copy_as_our_own_jsonl_is_the_same_set(pictured: Path, tmp_path: Path) -> None:
    loaded = load_set("jsonl", pictured)
    out = tmp_path / "copy" / "out.jsonl"
    write_jsonl(out, loaded, private=True)
    copy = load_dataset(out)
    assert copy.sha256 == loaded.sha256
    assert [query.id for query in copy] == ["good"]
    files = [path for path in out.parent.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert out.parent.stat().st_mode & 0o777 == 0o700


def test_a_later_change_of_the_table_changes_nothing(table: Callable[..., Path]) -> None:
    path = table("own.csv", "text\nWhy?\n")
    loaded = load_set("csv", path)
    path.write_text("text\nOther?\n")
    assert texts(loaded) == ["Why?"]
    assert texts(loaded) == ["Why?"]


def test_parquet_with_pictures_in_it(table: Callable[..., Path], tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    picture = tmp_path / "red.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    path = table("own.parquet", "")
    shown = {"bytes": picture.read_bytes(), "path": "red.png"}
    rows = {"ask": ["Why?", None], "image": [shown, None], "other": [1, 2]}
    parquet.write_table(arrow.table(rows), path)
    loaded = load_set("parquet", path, mapping={"text": "ask"})
    (query,) = loaded
    assert (query.id, query.images[0].read()) == ("own-1", picture.read_bytes())
    assert left_out(loaded) == ["own.parquet, row 2: has no text"]
    table("own.parquet", b"PAR1 and no more")
    with pytest.raises(DatasetError, match="not a Parquet file that can be read"):
        load_set("parquet", path)


def test_a_parquet_value_that_cannot_be_read_costs_its_row_alone(
    table: Callable[..., Path],
) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = table("own.parquet", "")
    bad = arrow.array([b"Why?", b"caf\xe9?", b"How?"]).view(arrow.string())
    parquet.write_table(arrow.table({"text": bad, "category": ["bias"] * 3}), path)
    loaded = load_set("parquet", path)
    assert texts(loaded) == ["Why?", "How?"]
    (said,) = left_out(loaded)
    assert said.startswith("own.parquet, row 2: its 'text' cannot be read ('utf-8' codec can")
    times = arrow.array([None, 2**40], arrow.timestamp("s"))
    parquet.write_table(arrow.table({"text": ["Why?", "How?"], "category": times}), path)
    loaded = load_set("parquet", path)
    assert texts(loaded) == ["Why?"]
    assert left_out(loaded)[0].startswith("own.parquet, row 2: its 'category' cannot be read (")


def test_parquet_columns_of_the_same_name_are_refused(table: Callable[..., Path]) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = table("own.parquet", "")
    columns = [arrow.array(["Why?"]), arrow.array(["How?"]), arrow.array([1])]
    parquet.write_table(arrow.Table.from_arrays(columns, ["text", "text", "n"]), path)
    with pytest.raises(DatasetError, match="two columns are called 'text': rename one of them"):
        load_set("parquet", path)
    parquet.write_table(arrow.Table.from_arrays(columns, ["n", "text", "n"]), path)
    assert texts(load_set("parquet", path)) == ["How?"]


def test_an_empty_parquet_file(table: Callable[..., Path]) -> None:
    with pytest.raises(DatasetError, match="not a Parquet file that can be read"):
        find_set(str(table("own.parquet", "")))


STREAMED = """
import sys, pyarrow
from safejury.datasets import load_set
loaded = load_set("parquet", sys.argv[1])
assert len(loaded) == 4000 and sum(1 for _ in loaded) == 4000
print(pyarrow.default_memory_pool().max_memory())
"""


def test_a_parquet_file_of_one_large_group_is_streamed(table: Callable[..., Path]) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = table("own.parquet", "")
    words = [f"Why {number}? " + "x" * 10_000 for number in range(4000)]
    # One group of 40 MB in small pages: reading it whole would show.
    plain = {"compression": "none", "use_dictionary": False, "write_batch_size": 50}
    parquet.write_table(arrow.table({"text": words}), path, **plain)
    arguments = [sys.executable, "-P", "-c", STREAMED, str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16_000_000


def test_our_own_lines_keep_their_source_and_their_hash_as_a_plain_table(
    table: Callable[..., Path],
) -> None:
    rows = [
        {"id": "a", "scenario": "bias", "text": "Why?", "intent": "benign", "source": "theirs"},
        {"id": "b", "scenario": "bias", "text": "Who?", "intent": "benign"},
        {"id": "c", "scenario": "bias", "text": "Who?", "intent": "benign", "labels": {"a": "b"}},
    ]
    path = table("own.jsonl", lines(*rows))
    loaded = load_set("jsonl", path)
    assert [query.source for query in loaded] == ["theirs", None, None]
    assert load_dataset(path).sha256 == loaded.sha256
    renamed = path.rename(path.with_name("renamed.jsonl"))
    assert load_set("jsonl", renamed).sha256 == loaded.sha256


def test_names_of_sets(table: Callable[..., Path], tmp_path: Path) -> None:
    table("own.csv", "text\nWhy?\n")
    assert find_set("mini").name == "mini"
    for said in ("csv:set/own.csv", "set/own.csv"):
        found = find_set(said, tmp_path)
        assert isinstance(found, LoadedSet)
        assert texts(found) == ["Why?"]
    made = {"id": "a", "scenario": "bias", "text": "Made?", "intent": "benign"}
    table("set.jsonl", lines(made))
    assert [query.text for query in find_set("set", tmp_path)] == ["Made?"]
    assert len(find_set("set/set.jsonl", tmp_path, mapping={"category": "scenario"})) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("csv:no.csv", "there is no such path; csv needs a .csv or .tsv file"),
        ("empty", "no loader recognizes this dataset"),
        ("no.csv", "does not exist"),
        ("minni", "does not exist; name a JSONL file, or 'mini'"),
        ("foreign.jsonl", "unknown key 'prompt'.* is read as jsonl:/.*/foreign.jsonl, by a map"),
    ],
)
def test_sets_that_are_not_there(said: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign.jsonl").write_text('{"prompt": "Why?"}\n')
    with pytest.raises(DatasetError, match=why):
        find_set(said, tmp_path)


@pytest.mark.parametrize("loader", ["csv", "jsonl", "parquet"])
def test_only_files_are_plain_tables(loader: str, table: Callable[..., Path]) -> None:
    path = table("packed.csv", gzip.compress(b"text\nWhy?\n"))
    with pytest.raises(DatasetError, match=r"packed\.csv: is compressed \(gzip\): unpack it"):
        load_set(loader, path)
    with pytest.raises(DatasetError, match="is a folder: name the file in it"):
        load_set(loader, path.parent)
    os.mkfifo(path.parent / "pipe.csv")
    for endless in (path.parent / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(DatasetError, match="cannot be read twice: save it as a file first"):
            load_set(loader, endless)


def test_a_compressed_query_file(table: Callable[..., Path]) -> None:
    path = table("own.jsonl.gz", gzip.compress(b"{}\n"))
    with pytest.raises(DatasetError, match=r"is compressed \(gzip\): unpack it first"):
        find_set(str(path))


def test_a_table_whose_name_is_no_text(table: Callable[..., Path]) -> None:
    content = lines({"id": "a", "text": "Why?"}, {"id": "a", "text": "How?"})
    loaded = load_set("jsonl", table(os.fsdecode(b"caf\xe9.jsonl"), content))
    assert [query.id for query in loaded] == ["a"]
    assert left_out(loaded)[0].startswith("caf\\xe9.jsonl, line 2: its id 'a' is taken")
    unnamed = load_set("jsonl", table(os.fsdecode(b"caf\xe9.jsonl"), lines({"text": "Why?"})))
    assert [query.id for query in unnamed] == ["caf\\xe9-1"]


def test_an_unknown_loader(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no loader 'xstets' .did you mean 'xstest'"):
        load_set("xstets", tmp_path)


def test_the_crosswalk_has_every_scenario_and_known_codes() -> None:
    table = crosswalk()
    assert list(table.scenarios) == [scenario.id for scenario in load_taxonomy().scenarios]
    for counterparts in table.scenarios.values():
        assert set(counterparts.mlcommons) <= set(table.hazards)
        assert set(counterparts.llama_guard) <= set(table.llama_guard)
    assert list(table.llama_guard) == [f"S{number}" for number in range(1, 14)]
    used = {code for each in table.scenarios.values() for code in each.llama_guard}
    assert used == set(table.llama_guard)
