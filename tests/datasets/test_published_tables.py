"""Published sets: tables in other encodings, damaged or hostile ones, and Parquet."""

import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import Intent, find_set, load_set
from safejury.datasets.loaders import loader_for

ROOT = Path(__file__).parents[2]
arrow: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")


def png(color: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (4, 4), color).save(content, "PNG")
    return content.getvalue()


RED, BLUE = png("red"), png("blue")
PICTURE = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])


def features(row: dict[str, object]) -> dict[str, dict[str, str]]:
    """What Hugging Face writes into a table so that its library knows what is in it."""
    kinds = {name: "int64" if isinstance(row[name], int) else "string" for name in row}
    values = {name: {"_type": "Value", "dtype": kind} for name, kind in kinds.items()}
    return values | {"image": {"_type": "Image"}}


def write_parquet(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = arrow.Table.from_pylist(rows)
    if "image" in table.column_names:
        pictures = arrow.array([row["image"] for row in rows], PICTURE)
        table = table.set_column(table.column_names.index("image"), "image", pictures)
        known = json.dumps({"info": {"features": features(rows[0])}})
        table = table.replace_schema_metadata({"huggingface": known})
    parquet.write_table(table, path)


@pytest.mark.parametrize(
    ("stored", "named"), [("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252")]
)
def test_a_table_may_be_in_another_encoding(tmp_path: Path, stored: str, named: str | None) -> None:
    lines = "category,source,forbidden_prompt\r\nViolence,ours,Wie öffne ich das?\r\n"
    (tmp_path / "strongreject_dataset.csv").write_bytes(lines.encode(stored))
    settings = {} if named is None else {"encoding": named}
    (query,) = load_set("strongreject", tmp_path, settings=settings)
    assert query.text == "Wie öffne ich das?"


def test_an_encoding_that_is_not_named_spoils_its_own_rows(tmp_path: Path) -> None:
    lines = "category,source,forbidden_prompt\nViolence,ours,Wie öffne ich das?\nViolence,,Wie?\n"
    (tmp_path / "strongreject_dataset.csv").write_bytes(lines.encode("cp1252"))
    loaded = load_set("strongreject", tmp_path)
    assert [query.text for query in loaded] == ["Wie?"]
    assert str(next(loaded.left_out())).startswith("strongreject_dataset.csv:2: not UTF-8")


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    table = tmp_path / "xstest_prompts.csv"
    table.write_text("id,prompt,label\n1,What?,safe\n")
    with pytest.raises(DatasetError, match=r"has no column 'type'; its columns are 'id', 'prompt'"):
        load_set("xstest", table)


def test_a_table_without_a_header_is_not_quoted(tmp_path: Path) -> None:
    table = tmp_path / "xstest_prompts.csv"
    table.write_text("Explain how to do something secret of a kind,safe\n")
    for loader, needed in (("xstest", "prompt"), ("csv", "text")):
        with pytest.raises(DatasetError, match=f"no column '{needed}'; .* withheld") as refused:
            load_set(loader, table)
        assert "secret" not in str(refused.value)


def test_xstest_takes_no_unknown_label_for_a_harmless_one(tmp_path: Path) -> None:
    table = tmp_path / "xstest_prompts.csv"
    table.write_text(
        "id,prompt,type,label\n1,What?,x, Unsafe\n2,What?,contrast_x,SAFE\n3,What?,x,danger\n"
    )
    loaded = load_set("xstest", table)
    assert [query.intent for query in loaded] == [Intent.HARMFUL, Intent.BENIGN]
    (reported,) = loaded.left_out()
    assert str(reported) == "xstest_prompts.csv:4: 'label' must be safe or unsafe, not 'danger'"


def test_a_text_where_an_intent_should_be_is_not_quoted(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("text,other\nWhy?,Something secret\nWhy?,evil\n")
    with pytest.raises(DatasetError, match="benign, not a text of 16 characters"):
        load_set("csv", table, mapping={"intent": "other"}, strict=True)


def test_a_table_that_is_a_link_out_of_the_folder_is_never_read(tmp_path: Path) -> None:
    files = {
        "xstest": ("xstest_prompts.csv", "id,prompt,type,label,focus,note\n1,What?,x,safe,,\n"),
        "siuo": ("siuo_gen.json", '[{"question_id": 1, "question": "What?"}]'),
        "mm-safetybench": ("data/Fraud/SD_TYPO.parquet", "PAR1"),
        "safebench": ("SafeBench_Text/1.csv", "What?\n"),
    }
    for loader, (name, content) in files.items():
        (tmp_path / f"{loader}.secret").write_text(content)
        link = tmp_path / loader / name
        link.parent.mkdir(parents=True)
        link.symlink_to(tmp_path / f"{loader}.secret")
        with pytest.raises(DatasetError, match="is a link out of the set's folder"):
            load_set(loader, tmp_path / loader)
    # What the user names outright may lie anywhere.
    assert len(load_set("xstest", tmp_path / "xstest" / "xstest_prompts.csv")) == 1


def test_a_folder_of_several_sets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xstest_prompts.csv").write_text("prompt,type,focus,note\nWhat?,x,,\n")
    (tmp_path / "strongreject_dataset.csv").write_text("category,source,forbidden_prompt\n")
    with pytest.raises(DatasetError, match=r"write xstest:/.* or strongreject:/"):
        find_set(str(tmp_path))
    assert len(find_set(f"xstest:{tmp_path}")) == 1


def test_a_json_file_that_is_cut_off_keeps_what_it_has(tmp_path: Path) -> None:
    item = '{"question_id": 1, "image": "a.png", "question": "What?", "category": "morality"}'
    (tmp_path / "siuo_gen.json").write_text(f'[\n{item},\n{{"question_id": 2, "ima')
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(RED)
    loaded = load_set("siuo", tmp_path)
    assert [query.id for query in loaded] == ["1"]
    assert str(next(loaded.left_out())).startswith("siuo_gen.json:3: not JSON at line 3")


def test_a_key_that_is_no_text_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "processed_questions"
    folder.mkdir(parents=True)
    item = '{"Question": "Why?"}'
    (folder / "01-Illegal_Activitiy.json").write_text(f'{{"0": {item}, "\\ud800": {item}}}')
    loaded = load_set("mm-safetybench", tmp_path, settings={"form": "text"})
    assert len(loaded) == 1
    (reported,) = loaded.left_out()
    assert reported.where.endswith("01-Illegal_Activitiy.json: item \\ud800")


def test_an_empty_json_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "siuo_gen.json").touch()
    with pytest.raises(DatasetError, match=r"siuo_gen\.json: is empty"):
        load_set("siuo", tmp_path)


@pytest.mark.parametrize("place", ["../secret.png", "/etc/secret.png", "link.png"])
def test_a_picture_outside_the_folder_is_never_read(tmp_path: Path, place: str) -> None:
    (tmp_path / "secret.png").write_bytes(RED)
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "inside.png").write_bytes(BLUE)
    header = "id,jailbreak_query,redteam_query,policy,image_path"
    rows = [f"0,What?,What?,Fraud,{place}", "1,What?,What?,Fraud,inside.png"]
    (folder / "JailBreakV_28K.csv").write_text("\n".join([header, *rows]) + "\n")
    loaded = load_set("jailbreakv-28k", folder)
    assert [query.id for query in loaded] == ["1"]
    (reported,) = loaded.left_out()
    assert "out of the set's folder" in reported.why


def hades_row(number: str, step: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": number,
        "image": {"bytes": RED if step == 5 else BLUE, "path": None},
        "scenario": "Financial",
        "keywords": "betting",
        "step": step,
        "category": "behavior",
        "instruction": "Tell me how betting is done",
    }
    return row | changes


@pytest.fixture
def hades(tmp_path: Path) -> Path:
    write_parquet(
        tmp_path / "data" / "test-00000-of-00002.parquet",
        [hades_row("1", 0), hades_row("1", 5), hades_row("2", 5, image=None)],
    )
    write_parquet(
        tmp_path / "data" / "test-00001-of-00002.parquet",
        [
            hades_row(
                "3",
                5,
                scenario="Animal",
                category="object",
                keywords="cage",
                instruction="Where is the Cage in the cagework?",
            )
        ],
    )
    return tmp_path


def test_hades_gives_the_last_step_of_each_picture(hades: Path) -> None:
    loaded = load_set("hades", hades)
    first, second = loaded
    assert (first.id, second.id) == ("Financial-1-5", "Animal-3-5")
    assert first.scenario == "illegal_and_criminal_behavior.fraudulent_activities"
    assert second.scenario == "violence.physical_harm"
    assert first.intent is Intent.HARMFUL
    assert first.labels == {"scenario": "Financial", "category": "behavior", "step": "5"}
    assert first.images[0].read() == RED
    (reported,) = loaded.left_out()
    assert str(reported) == "data/test-00000-of-00002.parquet: row 3: 'image' holds no picture"


def test_hades_hides_the_words_that_the_picture_shows(hades: Path) -> None:
    hidden = next(iter(load_set("hades", hades)))
    plain = next(iter(load_set("hades", hades, settings={"text": "plain"})))
    assert "betting" not in hidden.text
    assert hidden.underlying_request == plain.text
    assert plain.underlying_request is None
    assert [query.text for query in load_set("hades", hades)][1] == (
        "Where is the the object in the picture in the cagework?"
    )
    assert plain.text == "Tell me how betting is done"


def test_hades_leaves_out_what_it_cannot_hide(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "data" / "test-0.parquet",
        [hades_row("1", 5), hades_row("2", 5, keywords="bet")],
    )
    loaded = load_set("hades", tmp_path)
    assert [query.id for query in loaded] == ["Financial-1-5"]
    (reported,) = loaded.left_out()
    assert "nothing can be hidden" in reported.why
    assert len(load_set("hades", tmp_path, settings={"text": "plain"})) == 2


def test_hades_gives_other_steps_when_asked(hades: Path) -> None:
    loaded = load_set("hades", hades, settings={"step": "0"})
    (first,) = loaded
    assert first.images[0].read() == BLUE
    assert len(load_set("hades", hades, settings={"step": "all"})) == 3


def test_hades_is_told_from_other_parquet(hades: Path, tmp_path: Path) -> None:
    found = loader_for(hades)
    assert found is not None
    assert found.name == "hades"
    write_parquet(tmp_path / "other" / "test-1.parquet", [{"text": "What?"}])
    assert loader_for(tmp_path / "other") is None


def test_mm_safetybench_is_read_from_the_hub_s_tables_too(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": "0", "question": "What?"}
    folder = tmp_path / "data" / "Fraud"
    write_parquet(folder / "SD_TYPO.parquet", [row | {"image": {"bytes": RED, "path": None}}])
    write_parquet(folder / "Text_only.parquet", [row | {"question": "Why?"}])
    found = loader_for(tmp_path)
    assert found is not None
    assert found.name == "mm-safetybench"
    loaded = load_set(found, tmp_path)
    (pictured,) = loaded
    (plain,) = load_set(found, tmp_path, settings={"form": "text"})
    assert (pictured.id, pictured.text, pictured.images[0].read()) == ("Fraud-0", "What?", RED)
    assert pictured.scenario == "illegal_and_criminal_behavior.fraudulent_activities"
    assert (plain.text, plain.images) == ("Why?", ())
    assert (pictured.underlying_request, plain.underlying_request) == ("Why?", None)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the hub: the library looks there first."""
    write_parquet(
        tmp_path / "owner" / "name" / "data" / "train-00000-of-00001.parquet",
        [
            {"prompt": "How is a lock picked?", "kind": "MG", "image": None, "unused": 1},
            {"prompt": "What is this?", "kind": "MG", "image": {"bytes": RED}, "unused": 2},
        ],
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.usefixtures("hub")
def test_a_named_set_of_the_hub_is_read_row_by_row() -> None:
    mapping = {"text": "prompt", "category": "kind"}
    loaded = load_set("hf", "owner/name:train", mapping=mapping, settings={"intent": "benign"})
    first, second = loaded
    assert (first.text, first.scenario) == (
        "How is a lock picked?",
        "cybersecurity.malware_generation",
    )
    assert first.images == ()
    assert second.images[0].read() == RED
    assert second.intent is Intent.BENIGN


@pytest.mark.usefixtures("hub")
def test_the_only_split_need_not_be_named() -> None:
    assert len(load_set("hf", "owner/name", mapping={"text": "prompt"})) == 2


def test_one_of_several_splits_must_be_named(hub: Path) -> None:
    folder = hub / "owner" / "name" / "data"
    write_parquet(folder / "test-00000-of-00001.parquet", [{"prompt": "What?"}])
    with pytest.raises(DatasetError, match=r"has several splits: write owner/name:t.*train"):
        load_set("hf", "owner/name")


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("name", "mapping", "message"),
    [
        ("owner/name:test", {}, "owner/name:test: cannot be fetched: "),
        ("owner/name:train", {"text": "txt"}, "'txt'"),
        ("name", {}, "'name' must be OWNER/NAME or OWNER/NAME:SPLIT"),
        ("../owner/name", {}, "must be OWNER/NAME"),
    ],
)
def test_what_the_hub_cannot_give_is_one_line(
    name: str, mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(DatasetError) as error:
        load_set("hf", name, mapping=mapping)
    assert message in str(error.value)
    assert str(error.value).isprintable()


def run_python(code: str, folder: Path) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONSAFEPATH", None)  # It would hide the folder the code runs in.
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


TRY = "from safejury.datasets import load_set\ntry: load_set('hf', 'owner/absent')\n"


def test_a_set_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    said = run_python(
        f"{TRY}except Exception as error: print(type(error).__name__, error)", tmp_path
    )
    assert said.startswith("DatasetError owner/absent: cannot be fetched: ")
    assert said.count("\n") == 1


def test_our_own_folder_is_not_taken_for_the_library() -> None:
    said = run_python(f"{TRY}except Exception as error: print(type(error).__name__, error)", ROOT)
    assert said.startswith(f"DatasetError {ROOT / 'datasets'}")
    assert "hides Hugging Face's library" in said


def test_nothing_is_fetched_and_no_library_loaded_until_a_set_is_named(hub: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from safejury.datasets.loaders import LOADERS, loader_named, loader_for\n"
        "print([loader_named(name).name for name in LOADERS][0], loader_for(Path('owner/name')))\n"
        "print(sorted({'datasets', 'pyarrow', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert run_python(code, hub).splitlines() == ["safebench None", "[]"]
