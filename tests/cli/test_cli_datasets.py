"""The commands of `safejury datasets`."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.datasets import load_dataset
from safejury.datasets.loaders import LOADERS, loader_named

TABLE = 'prompt,kind,image\n"How is a lock\npicked?",bias,red.png\nWhy?,soup,\nWho?,bias,no.png\n'
NONE = "\N{EN DASH}"
OPTIONS = ("--map", "category=kind")


@pytest.fixture
def set_path(workplace: Any) -> Path:
    """A table with one good row, one of an unknown category, and one without its picture."""
    folder: Path = workplace.path / "theirs"
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "red.png")
    (folder / "own.csv").write_text(TABLE)
    return folder / "own.csv"


def test_list_shows_every_loader_and_its_licence(workplace: Any):
    ended = workplace.safejury("datasets", "list")
    assert ended.code == 0, ended.err
    for name in ("mini", *LOADERS):
        assert name in ended.out
    one = workplace.safejury("datasets", "list", "safebench")
    shown = " ".join(one.out.split())
    loader = loader_named("safebench")
    for said in (loader.title, loader.license, loader.needs, loader.home, "--set voice="):
        assert said in shown
    mapped = " ".join(workplace.safejury("datasets", "list", "harmbench").out.split())
    assert "copyright IP Infringement" in mapped
    assert "harmful Uncategorised what the other six leave" in mapped
    assert "5 rows of it Hardware Security" in mapped
    workplace.safejury("datasets", "list", "safebnch").refused("did you mean 'safebench'")


def test_show_counts_and_names_counterparts(workplace: Any, set_path: Path):
    ended = workplace.safejury("datasets", "show", f"csv:{set_path}", *OPTIONS)
    assert ended.code == 0, ended.err
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["Bias", "1", NONE, "1", NONE, "hte", "S10"] in rows
    assert ["Uncategorised", "1", NONE, NONE, NONE, NONE, NONE] in rows
    assert ["all", "2", NONE, "1", NONE] in rows
    assert "How is a lock" not in ended.out + ended.err
    assert "the set's category is not known: 'soup'" in ended.err
    assert "own.csv, row 3: the image 'no.png' is missing" in ended.err


def test_labels_are_named_with_their_counts_and_shown(workplace: Any, set_path: Path):
    mapped = (f"csv:{set_path}", "--map", "labels.kind=kind", "--map", "labels.who=image")
    shown = workplace.safejury("datasets", "show", *mapped)
    assert shown.code == 0, shown.err
    assert "kind (2), who (1)" in shown.out
    assert "kind: bias; who: red.png" in workplace.safejury("datasets", "sample", *mapped).out
    plain = workplace.safejury("datasets", "show", f"csv:{set_path}", *OPTIONS)
    assert "\nlabels" not in plain.out


def test_show_the_bundled_set(workplace: Any):
    ended = workplace.safejury("datasets", "show", "mini")
    assert ended.code == 0, ended.err
    assert "69" in ended.out
    assert ["Malware", "Generation", "2", "1", "3", NONE, "ncr", "S2"] in [
        line.split() for line in ended.out.splitlines()
    ]


def test_validate_lists_what_is_left_out(workplace: Any, set_path: Path):
    arguments = ("datasets", "validate", str(set_path), *OPTIONS)
    ended = workplace.safejury(*arguments)
    assert (ended.code, ended.out) == (0, "own.csv, row 3: the image 'no.png' is missing\n")
    assert "the set's category is not known: 'soup'" in ended.err
    assert "2 queries can be used; 0 cannot, and 1 lack a picture or a recording." in ended.err
    strict = workplace.safejury(*arguments, "--strict")
    assert (strict.code, strict.out) == (2, ended.out)
    assert workplace.safejury(*arguments, "--strict", "--limit", "2").code == 0


def test_validate_lists_all_lines_of_our_own_format_that_a_run_refuses(workplace: Any):
    row = {"id": "a", "scenario": "bias", "text": "Why?", "intent": "benign"}
    bad = [row, row | {"id": "b", "image": "no.png"}, b"\xff", {"text": "Who?"}, "{"]
    workplace.write_lines([row, *bad, row | {"id": "c"}], "own.jsonl")
    ended = workplace.safejury("datasets", "validate", "own.jsonl")
    assert ended.code == 0, ended.err
    listed = ended.out.splitlines()
    assert [line.split(": ")[0] for line in listed] == [f"own.jsonl:{n}" for n in range(2, 7)]
    reasons = ("taken by line 1", "'no.png' does not exist", "not UTF-8", "is missing", "not JSON")
    for line, reason in zip(listed, reasons, strict=True):
        assert reason in line
    assert "2 queries can be used; 5 cannot." in ended.err
    assert "read whole or not at all" in ended.err
    strict = workplace.safejury("datasets", "validate", "own.jsonl", "--strict")
    assert (strict.code, strict.out) == (2, ended.out)
    short = workplace.safejury("datasets", "validate", "own.jsonl", "--limit", "2")
    assert (short.code, short.out) == (0, f"{listed[0]}\n")
    workplace.safejury("datasets", "show", "own.jsonl").refused("own.jsonl:2: id 'a' is taken")


def test_a_file_of_which_nothing_can_be_used_is_refused_with_its_list(workplace: Any):
    workplace.write_lines([{"prompt": "Why?"}, {"prompt": "Who?"}], "theirs.jsonl")
    ended = workplace.safejury("datasets", "validate", "theirs.jsonl")
    ended.refused("theirs.jsonl:1: ", "is read as jsonl:theirs.jsonl")
    assert len(ended.out.splitlines()) == 2


@pytest.mark.parametrize("name", ["mini", "queries.jsonl", "made"])
def test_a_limit_holds_for_our_own_sets_too(name: str, workplace: Any):
    workplace.queries()
    (workplace.path / "made").mkdir()
    workplace.queries(name="made/set.jsonl")
    ended = workplace.safejury("datasets", "validate", name, "--limit", "2")
    assert ended.err.startswith("2 queries can be used;"), ended.err
    shown = workplace.safejury("datasets", "show", name, "--limit", "2")
    converted = workplace.safejury("datasets", "convert", name, "out/part.jsonl", "--limit", "2")
    assert "Wrote 2 queries" in converted.err
    part = load_dataset(workplace.path / "out" / "part.jsonl")
    assert len(part) == 2
    assert f"sha256   {part.sha256}" in shown.out


def test_convert_writes_our_own_files_for_the_owner_alone(workplace: Any, set_path: Path):
    arguments = ("datasets", "convert", str(set_path), "ours/out.jsonl", *OPTIONS)
    ended = workplace.safejury(*arguments)
    assert ended.code == 0, ended.err
    assert "Wrote 2 queries to ours/out.jsonl" in ended.err
    out: Path = workplace.path / "ours" / "out.jsonl"
    first, second = load_dataset(out)
    assert (first.text, first.scenario) == (
        "How is a lock\npicked?",
        "inappropriate_opinions.bias",
    )
    assert (second.scenario, second.images) == ("uncategorised", ())
    assert first.images[0].read() == set_path.with_name("red.png").read_bytes()
    written = [path for path in out.parent.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    workplace.safejury(*arguments).refused("exists already: add --force")
    assert workplace.safejury(*arguments, "--force", "--limit", "1").code == 0
    assert len(load_dataset(out)) == 1


def test_convert_strictly_writes_nothing(workplace: Any, set_path: Path):
    arguments = ("datasets", "convert", str(set_path), "out.jsonl", *OPTIONS)
    workplace.safejury(*arguments, "--strict").refused("row 3: the image 'no.png' is missing")
    assert not (workplace.path / "out.jsonl").exists()
    workplace.safejury("datasets", "convert", str(set_path), "out.csv").refused(".jsonl")


def test_convert_takes_a_sets_own_scenarios_along(workplace: Any):
    flat = [{"id": "garden", "title": "Garden"}, {"id": "w", "title": "W", "parent": "garden"}]
    (workplace.path / "taxonomy.yaml").write_text(json.dumps({"scenarios": flat}))
    workplace.queries({"id": "a", "scenario": "w", "text": "Why?", "intent": "harmful"})
    ended = workplace.safejury("datasets", "convert", "queries.jsonl", "copy/out.jsonl")
    assert ended.code == 0, ended.err
    (query,) = load_dataset(workplace.path / "copy" / "out.jsonl")
    assert query.scenario == "garden.w"
    again = workplace.safejury("datasets", "convert", "queries.jsonl", "copy/out.jsonl", "--force")
    assert again.code == 0, again.err
    copied = workplace.path / "copy" / "taxonomy.yaml"
    assert copied.stat().st_mode & 0o777 == 0o600
    # Beside other scenarios, those of the set would be read by their meaning.
    workplace.safejury("datasets", "convert", "mini", "copy/mini.jsonl").refused("another folder")


def test_sample_withholds_texts_until_asked(workplace: Any):
    rows = [
        {"id": f"q{n}", "scenario": "bias", "text": f"Text {n}\x1b[31m?", "intent": "benign"}
        for n in range(40)
    ]
    workplace.queries(*rows)
    arguments = ("datasets", "sample", "queries.jsonl", "-n", "3")
    ended = workplace.safejury(*arguments)
    assert ended.code == 0, ended.err
    names = [line.split()[0] for line in ended.out.splitlines() if line.startswith("q")]
    assert len(names) == 3
    assert "Text" not in ended.out
    assert ended.out.count("withheld, ") == 3
    shown = workplace.safejury(*arguments, "--reveal")
    assert [line.split()[0] for line in shown.out.splitlines() if line.startswith("q")] == names
    assert shown.out.count("Text ") == 3
    assert "\x1b" not in shown.out
    other = workplace.safejury(*arguments, "--seed", "8")
    assert other.out != ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "no.jsonl"), "does not exist"),
        (("show", "."), "no loader recognizes this dataset"),
        (("show", "xstest:no"), "there is no such path"),
        (("show", "mini", "--loader", "nothing"), "no loader 'nothing'"),
        (("show", "mini", "--map", "text=x"), "'mini' is a bundled dataset: it takes no mapping"),
        (("show", "x" * 5000), "File name too long"),
        (("show", "csv:theirs/own.csv", "--map", "kind"), "write it as WHAT=COLUMN"),
        (("show", "csv:theirs/own.csv", "--set", "x=1"), "csv has no setting 'x'"),
        (("sample", "queries.jsonl"), "queries.jsonl:1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    arguments: tuple[str, ...], said: str, workplace: Any, set_path: Path
):
    workplace.queries("{")
    workplace.safejury("datasets", *arguments).refused(said)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_that_cannot_hold_a_character_shows_its_escape(
    encoding: str, workplace: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    row = {"id": "\u0416", "scenario": "bias", "text": "\u0416?", "intent": "benign"}
    workplace.queries(row)
    shown = workplace.from_the_beginning("datasets", "show", "queries.jsonl")
    assert shown.code == 0, shown.err
    assert ["Bias", "-", "1", "-", "-", "hte", "S10"] in [
        line.replace("|", " ").split() for line in shown.out.splitlines()
    ]
    sampled = workplace.from_the_beginning("datasets", "sample", "queries.jsonl", "--reveal")
    assert (sampled.code, sampled.out.count("\\u0416")) == (0, 2), sampled.err
    (workplace.path / "\u0416.csv").write_text('text\nWhy?\n""\n')
    listed = workplace.from_the_beginning("datasets", "validate", "\u0416.csv")
    assert (listed.code, listed.out) == (0, "\\u0416.csv, row 2: has no text\n")


def test_a_path_is_shown_as_it_stands(workplace: Any):
    """What stands in square brackets is no style."""
    place = workplace.path / "d[" / "x]"
    place.mkdir(parents=True)
    (place / "a.csv").write_text("text\nWhy?\n")
    for arguments in (("show", "d[/x]/a.csv"), ("convert", "d[/x]/a.csv", "d[/x]/b.jsonl")):
        ended = workplace.safejury("datasets", *arguments)
        assert ended.code == 0, ended.err


@pytest.mark.parametrize("picture", [b"", b"GIF89a\1\0\1\0" + b"x" * 600_000])
def test_a_temporary_folder_that_is_full_is_told(picture: bytes, workplace: Any):
    """The first set is kept in a database alone, a picture of the second as a file."""
    rows = [{"id": f"q{number}", "text": "Why? " * 200} for number in range(8_000)]
    if picture:
        rows = [{"text": "Why?", "image": f"data:image/gif;base64,{b64encode(picture).decode()}"}]
    workplace.write_lines(rows, "own.jsonl")
    ended = workplace.spawn("datasets", "show", "jsonl:own.jsonl", largest_file=500_000)
    ended.refused("the temporary folder", "free some space, or name another folder in TMPDIR")
