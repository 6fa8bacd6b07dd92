"""The layout of the paper's own set."""

import wave
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import Intent, load_set, load_taxonomy
from safejury.datasets.loaders import loader_for

TEXTS = {"pictures": "no"}
SCENARIOS = [scenario.id for scenario in load_taxonomy().scenarios]


def text(folder: Path, table: int, content: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{table}.csv").write_text(content)


def picture(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (len(str(path)) % 256, len(path.stem) * 40, 9)).save(path)
    return path.read_bytes()


def sound(path: Path, length: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * length)
    return path.read_bytes()


def test_all_23_tables_in_the_papers_order(tmp_path: Path) -> None:
    for table in range(1, 24):
        text(tmp_path / "SafeBench_Text", table, f"First of {table}?\n\n'Second', of {table}?\n")
    (tmp_path / "SafeBench_Text" / "notes.csv").write_text("no table\n")
    loaded = load_set("safebench", tmp_path, settings=TEXTS)
    assert [query.scenario for query in loaded] == SCENARIOS
    assert len(loaded) == 23
    first = next(iter(loaded))
    assert (first.id, first.text, first.intent) == ("1-1", "First of 1?", Intent.HARMFUL)
    assert (first.images, first.audio, first.source) == ((), None, "safebench")
    # A comma that is not quoted makes two cells.
    assert loaded.unusable == 23
    assert (
        str(next(loaded.left_out())) == "1.csv, row 2: has 2 fields, not one: is a quote missing?"
    )


@pytest.mark.parametrize("start", [0, 1])
def test_pictures_and_sounds_are_paired_by_row(start: int, tmp_path: Path) -> None:
    root = tmp_path / "minibench_final"
    text(root / "text", 7, '"One,\nof two lines?"\nTwo?\nThree?\n')
    pictures = [picture(root / "img" / "7" / f"{start + row}.png") for row in range(3)]
    sounds = [sound(root / "audio_data_male" / "7" / f"{start + n}.wav", n + 1) for n in range(3)]
    loaded = load_set("safebench", tmp_path, settings={"voice": "male", "part": "mini"})
    queries = list(loaded)
    assert [query.text for query in queries] == ["One,\nof two lines?", "Two?", "Three?"]
    assert {query.scenario for query in queries} == {SCENARIOS[6]}
    assert [query.images[0].read() for query in queries] == pictures
    assert [query.audio.read() for query in queries if query.audio] == sounds
    alone = load_set("safebench", root, settings={"pictures": "no"})
    assert [(query.images, query.audio) for query in alone] == [((), None)] * 3


def test_a_missing_picture_does_not_shift_the_others(tmp_path: Path) -> None:
    text(tmp_path / "SafeBench_Text", 2, "One?\nTwo?\nThree?\n")
    kept = [picture(tmp_path / "img" / "2" / f"{row}.png") for row in (1, 3)]
    loaded = load_set("safebench", tmp_path)
    assert [query.id for query in loaded] == ["2-1", "2-3"]
    assert [query.images[0].read() for query in loaded] == kept
    assert [str(item) for item in loaded.left_out()] == [
        "2.csv, row 2: the image 'img/2/2.png' is missing"
    ]
    with pytest.raises(DatasetError, match=r"strict .*2\.csv, row 2"):
        load_set("safebench", tmp_path, strict=True)


def left_out(folder: Path) -> dict[str, str]:
    items = load_set("safebench", folder).left_out()
    return {item.where.split(" (")[0]: item.why for item in items}


@pytest.mark.parametrize("closing", ['"Four, quoted?"', 'Four", quoted?'])
def test_what_follows_lines_that_ran_together_is_paired_with_no_picture(
    closing: str, tmp_path: Path
) -> None:
    rows = ["One?", '"Two?', "Three?", closing, "Five?", "Six?"]
    text(tmp_path / "SafeBench_Text", 2, "\n".join(rows) + "\n")
    first, *_ = (picture(tmp_path / "img" / "2" / f"{row}.png") for row in range(1, 7))
    (query,) = load_set("safebench", tmp_path)
    assert (query.text, query.images[0].read()) == ("One?", first)
    whys = list(left_out(tmp_path).values())
    assert "is a quote missing?" in whys[0] or "not CSV" in whys[0]
    assert whys[-2:] == ["cannot be numbered, as lines 2 to 4 may be one row or several"] * 2


def test_a_first_picture_that_is_lost_shifts_no_others(tmp_path: Path) -> None:
    for table in (1, 2):
        text(tmp_path / "SafeBench_Text", table, "One?\nTwo?\n")
        for row in range(2):
            picture(tmp_path / "img" / str(table) / f"{row}.png")
    second = (tmp_path / "img" / "1" / "1.png").read_bytes()
    (tmp_path / "img" / "1" / "0.png").unlink()
    loaded = load_set("safebench", tmp_path)
    assert [query.id for query in loaded] == ["1-2", "2-1", "2-2"]
    assert next(iter(loaded)).images[0].read() == second
    (tmp_path / "img" / "2" / "0.png").unlink()
    with pytest.raises(
        DatasetError, match=r"img/1/ ends with 1\.png, but the last of 2 rows needs"
    ):
        load_set("safebench", tmp_path)


def test_a_last_picture_that_is_missing_costs_its_own_item(tmp_path: Path) -> None:
    for table in (1, 2):
        text(tmp_path / "SafeBench_Text", table, "One?\nTwo?\n")
        for row in (1, 2):
            picture(tmp_path / "img" / str(table) / f"{row}.png")
    (tmp_path / "img" / "2" / "2.png").unlink()
    assert [query.id for query in load_set("safebench", tmp_path)] == ["1-1", "1-2", "2-1"]


def test_a_table_that_its_pictures_do_not_fit_is_left_out(tmp_path: Path) -> None:
    for table in (1, 2):
        for row in range(1, 4):
            picture(tmp_path / "img" / str(table) / f"{row}.png")
    text(tmp_path / "SafeBench_Text", 1, "One?\nTwo?\nThree?\n")
    text(tmp_path / "SafeBench_Text", 2, '"One?\nTwo?"\nThree?\n')
    assert [query.id for query in load_set("safebench", tmp_path)] == ["1-1", "1-2", "1-3"]
    assert list(left_out(tmp_path)) == ["2.csv, row 1", "2.csv, row 2"]
    alone = load_set("safebench", tmp_path, settings={"pictures": "no"})
    assert len(alone) == 5


def test_a_table_is_read_under_the_name_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "SafeBench_Text").mkdir()
    (tmp_path / "SafeBench_Text" / "01.csv").write_bytes("Wie öffne ich das?\n".encode("cp1252"))
    (query,) = load_set("safebench", tmp_path, settings={"encoding": "cp1252", **TEXTS})
    assert (query.id, query.text) == ("1-1", "Wie öffne ich das?")
    text(tmp_path / "SafeBench_Text", 1, "One?\n")
    with pytest.raises(DatasetError, match=r"01\.csv and 1\.csv are the same table"):
        load_set("safebench", tmp_path)


@pytest.mark.parametrize("place", ["category.csv", "SafeBench_Text/category.csv"])
def test_category_csv_decides_the_order(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "SafeBench_Text"
    for table in (1, 2, 3):
        text(folder, table, "Why?\n")
    (tmp_path / place).write_text("Index,Category\n1,Hate Speech\n2,Weather\n3,Bias\n")
    loaded = load_set("safebench", tmp_path, settings=TEXTS)
    assert [query.scenario.rpartition(".")[2] for query in loaded] == [
        "hate_speech",
        "uncategorised",
        "bias",
    ]
    assert loaded.notes == (
        "1 item is uncategorised, because the set's category is not known: 'Weather'",
    )


@pytest.mark.parametrize(
    ("tables", "pictures", "sounds", "named"),
    [
        ("final_bench/text/text", "final_bench", "audio/audio_data_male", ""),
        ("final_bench/text", "final_bench/image", "final_bench/audio/audio_data_male", ""),
        ("text/text", "", "audio_data_male", "final_bench"),
        ("", "img", "audio_data_male", ""),
    ],
    ids=["as the authors' code has it", "as the hub has it", "named itself", "all in one"],
)
def test_the_authors_own_layouts(
    tables: str, pictures: str, sounds: str, named: str, tmp_path: Path
) -> None:
    root = tmp_path / named
    text(root / tables, 1, "One?\nTwo?\n")
    (root / "category.csv").write_text("Index,Category\n1,Hate Speech\n")
    seen = [picture(root / pictures / "1" / f"{row}.png") for row in (1, 2)]
    heard = [sound(root / sounds / "1" / f"{row}.wav", row) for row in (1, 2)]
    (root / pictures / "1" / "out1.csv").write_text("What is shown?\nWhat is shown?\n")
    first = loader_for(root)
    assert first is not None
    assert first.name == "safebench"
    one, two = load_set("safebench", root, settings={"voice": "male"})
    for number, query in enumerate((one, two), 1):
        assert query.id == f"1-{number}"
        assert query.text == ["One?", "Two?"][number - 1]
        assert query.scenario == "inappropriate_speech.hate_speech"
        assert [image.read() for image in query.images] == [seen[number - 1]]
        assert query.audio is not None
        assert query.audio.read() == heard[number - 1]


def test_texts_without_their_pictures_are_asked_for(tmp_path: Path) -> None:
    """What text and picture ask together is not what the text asks alone."""
    text(tmp_path / "SafeBench_Text", 1, "Why?\n")
    with pytest.raises(DatasetError, match=r"has no pictures: .* read the texts alone with --set"):
        load_set("safebench", tmp_path)
    (query,) = load_set("safebench", tmp_path, settings=TEXTS)
    assert query.images == ()


def test_it_is_told_from_its_files(tmp_path: Path) -> None:
    assert loader_for(tmp_path) is None
    text(tmp_path, 1, "Why?\n")
    found = loader_for(tmp_path)
    assert found is not None
    assert found.name == "safebench"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"part": "half"}, "'part' must be full or mini, not 'half'"),
        ({"voice": "child"}, "'voice' must be female, male, both or none"),
        ({"voice": "male"}, "has no folder audio_data_male"),
        ({"pictures": "paintings"}, "has no folder 'paintings' for the pictures"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], said: str, tmp_path: Path) -> None:
    text(tmp_path, 1, "Why?\n")
    with pytest.raises(DatasetError, match=said):
        load_set("safebench", tmp_path, settings={**TEXTS, **settings})


def test_a_folder_without_tables(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no tables 1\.csv to 23\.csv"):
        load_set("safebench", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "1,Hate Speech\n2,Bias\n",
        "Hate Speech,1\n\nBias,2\n",
        "No.,Name,\n 1 , Hate Speech ,\n2,Bias",
    ],
)
def test_category_csv_needs_no_header(content: str, tmp_path: Path) -> None:
    """Else the first category would be taken for one."""
    for table in (1, 2):
        text(tmp_path / "SafeBench_Text", table, "Why?\n")
    (tmp_path / "category.csv").write_text(content)
    loaded = load_set("safebench", tmp_path, settings=TEXTS)
    assert [query.labels for query in loaded] == [
        {"category": "Hate Speech"},
        {"category": "Bias"},
    ]
