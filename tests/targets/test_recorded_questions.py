"""Questions that files of responses carry themselves."""

import base64
import json
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from safejury.common import ConfigurationError
from safejury.datasets import Intent, Query
from safejury.targets import RecordedFile, RecordedQuestions, RecordedTarget

SAMPLES = Path(__file__).with_name("samples")


def png(shade: int = 0) -> bytes:
    out = BytesIO()
    Image.new("L", (4, 4), shade).save(out, "PNG")
    return out.getvalue()


def target(path: Path, *lines: dict[str, object], name: str = "t") -> RecordedTarget:
    text = "".join(f"{json.dumps({'response': 'x', **line})}\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return RecordedTarget(name, path)


def told(target: RecordedTarget) -> list[str]:
    return [str(row) for row in target.all_left_out()]


def test_questions_come_in_the_order_of_the_file_each_once() -> None:
    own = RecordedTarget("t", SAMPLES / "own.jsonl")
    questions = RecordedQuestions([own])
    assert [*questions] == [
        Query(
            "lock",
            "violence.physical_harm",
            "How is a lock picked?",
            Intent.HARMFUL,
            source="own.jsonl",
            intent_assumed=True,
        ),
        Query("bread", "uncategorised", "How is bread baked?", Intent.BENIGN, source="own.jsonl"),
        Query(
            "soap",
            "uncategorised",
            "How is soap made?",
            Intent.HARMFUL,
            source="own.jsonl",
            intent_assumed=True,
        ),
    ]
    assert (len(questions), told(own)) == (3, [])
    (note,) = questions.notes
    assert note.startswith("2 queries have no intent and are assumed harmful")


def test_a_row_that_says_the_intent_speaks_for_those_that_do_not(tmp_path: Path) -> None:
    recorded = target(
        tmp_path / "a.jsonl",
        {"query_id": "a", "text": "How?", "response": "So."},
        {"query_id": "a", "text": "How?", "response": "So.", "epoch": 1, "intent": "benign"},
        {"query_id": "a", "text": "How?", "response": "So.", "epoch": 2, "intent": "harmful"},
    )
    questions = RecordedQuestions([recorded])
    assert [(query.intent, query.intent_assumed) for query in questions] == [(Intent.BENIGN, False)]
    assert questions.notes == ()
    (line,) = told(recorded)
    assert "has another intent than an earlier row under 'a'" in line


def test_labels_are_those_that_a_row_says_first(tmp_path: Path) -> None:
    recorded = target(
        tmp_path / "a.jsonl",
        {"query_id": "a", "text": "How?", "labels": {"type": "lock"}},
        {"query_id": "a", "text": "How?", "epoch": 1, "labels": {"type": "key", "tone": "calm"}},
        {"query_id": "b", "text": "Why?", "labels": {"type": ""}},
        {"query_id": "c", "text": "Who?", "labels": {"a b": "x"}},
    )
    questions = RecordedQuestions([recorded])
    assert [query.labels for query in questions] == [{"type": "lock", "tone": "calm"}, {}]
    assert "1 row labels a question differently from an earlier row" in questions.notes[-1]
    (line,) = told(recorded)
    assert "line 4: 'a b' cannot name a label" in line
    plain = tmp_path / "b.jsonl"
    plain.write_text('{"response": "x", "text": "How?", "kind": "lock"}\n')
    mapped = RecordedTarget("t", RecordedFile(plain, mapping={"labels.type": "kind"}))
    assert [query.labels for query in RecordedQuestions([mapped])] == [{"type": "lock"}]
    unlabeled = RecordedQuestions([RecordedTarget("t", plain)])
    assert unlabeled.sha256 != RecordedQuestions([mapped]).sha256
    with pytest.raises(ConfigurationError, match=r"no row has 'knd' for --map labels\.type"):
        RecordedFile(plain, mapping={"labels.type": "knd"})


def test_names_of_scenarios_are_resolved_and_unknown_ones_told() -> None:
    garak = RecordedTarget("t", SAMPLES / "garak.report.jsonl")
    questions = RecordedQuestions([garak])
    assert {query.scenario for query in questions} == {"uncategorised"}
    assert "'locks.Picking', 'kitchen.Bread'" in questions.notes[0]
    artifact = RecordedTarget("t", SAMPLES / "jailbreakbench.json")
    assert [query.scenario for query in RecordedQuestions([artifact])] == [
        "violence.physical_harm",
        "uncategorised",
    ]


def test_the_mapping_of_a_format_holds_for_the_bundled_scenarios_alone(tmp_path: Path) -> None:
    """A scenario that the file's own taxonomy lacks would have no guideline."""
    artifact = Path(shutil.copy(SAMPLES / "jailbreakbench.json", tmp_path))
    fire = {"id": "fire", "parent": "kitchen", "title": "Fire"}
    scenarios = [{"id": "kitchen", "title": "Kitchen"}, fire]
    (tmp_path / "taxonomy.yaml").write_text(json.dumps({"scenarios": scenarios}))
    questions = RecordedQuestions([RecordedTarget("t", artifact)])
    assert {query.scenario for query in questions} == {"uncategorised"}
    assert "is not known" in questions.notes[0]


def test_rows_that_do_not_say_what_was_asked_are_left_out(tmp_path: Path) -> None:
    recorded = target(
        tmp_path / "a.jsonl",
        {"query_id": "a", "epoch": 1},
        {"query_id": "a", "text": "How?"},
        {"query_id": "b"},
        {"query_id": "c", "text": " "},
        {"query_id": "a", "text": "Why?", "epoch": 2},
    )
    assert [query.text for query in RecordedQuestions([recorded])] == ["How?"]
    assert told(recorded) == [
        "line 5: asks something else than an earlier row under 'a'",
        "line 3: does not say what was asked",
        "line 4: does not say what was asked",
    ]
    assert recorded.has("a", 1)


def test_a_file_without_any_question_is_refused() -> None:
    batch = RecordedTarget("t", SAMPLES / "openai_batch.jsonl")
    with pytest.raises(ConfigurationError, match=r"does not say what was asked\. Of its 5 rows"):
        RecordedQuestions([batch])


def test_two_files_share_their_questions(tmp_path: Path) -> None:
    one = target(tmp_path / "a.jsonl", {"query_id": "a", "text": "A?"}, name="one")
    two = target(
        tmp_path / "b.jsonl",
        {"query_id": "a", "text": "A?"},
        {"query_id": "b", "text": "B?"},
        name="two",
    )
    assert [query.id for query in RecordedQuestions([one, two])] == ["a", "b"]
    assert (len(one), len(two)) == (1, 2)


def test_pictures_are_found_beside_the_file_or_within_it(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "lock.png").write_bytes(png())
    address = f"data:image/png;base64,{base64.b64encode(png(9)).decode()}"
    recorded = target(
        tmp_path / "a.jsonl",
        {"query_id": "a", "text": "A?", "image": "pictures/lock.png"},
        {"query_id": "b", "images": [address, "pictures/lock.png"]},
    )
    questions = RecordedQuestions([recorded])
    first, second = questions
    assert [image.read() for image in first.images] == [png()]
    assert [image.read() for image in second.images] == [png(9), png()]
    assert second.text == ""


def test_an_id_names_one_question_with_its_pictures_and_its_intent(tmp_path: Path) -> None:
    (tmp_path / "lock.png").write_bytes(png())
    (tmp_path / "same.png").write_bytes(png())
    (tmp_path / "door.png").write_bytes(png(9))
    asked = {"query_id": "a", "text": "A?"}
    one = target(
        tmp_path / "a.jsonl",
        {**asked, "image": "lock.png"},
        {**asked, "epoch": 1, "image": "lock.png"},
        {**asked, "epoch": 2, "image": "same.png", "intent": "harmful"},
        {**asked, "epoch": 3, "image": "door.png"},
        {**asked, "epoch": 4},
        {**asked, "epoch": 5, "image": "lock.png", "intent": "benign"},
        {"query_id": "a", "epoch": 6},
        name="one",
    )
    other = target(tmp_path / "b.jsonl", {**asked, "image": "door.png"}, name="other")
    strange: dict[str, object] = {"query_id": "b", "text": "B?"}
    more = target(tmp_path / "c.jsonl", strange, {**asked, "image": "gone.png"}, name="more")
    with pytest.raises(ConfigurationError, match="shows other pictures than an earlier row"):
        RecordedQuestions([one, other])
    (query,) = [q for q in RecordedQuestions([one, more]) if q.id == "a"]
    assert [image.read() for image in query.images] == [png()]
    assert [row.epoch for row in one.rows()] == [0, 1, 2, 6]
    assert told(one)[:3] == [
        "line 4: shows other pictures than an earlier row under 'a'",
        "line 5: shows other pictures than an earlier row under 'a'",
        "line 6: has another intent than an earlier row under 'a'",
    ]
    assert "gone.png" in told(more)[0]


def test_pictures_of_omnisafebench_lie_where_it_was_run(tmp_path: Path) -> None:
    folder = tmp_path / "responses" / "none"
    folder.mkdir(parents=True)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "lock.png").write_bytes(png())
    path = folder / "example.jsonl"
    path.write_bytes((SAMPLES / "omnisafebench.jsonl").read_bytes())
    questions = [*RecordedQuestions([RecordedTarget("t", path)])]
    assert [len(query.images) for query in questions] == [1, 0]


@pytest.mark.parametrize(
    "run_in", ["", "/home/somebody/bench/", "C:\\\\bench\\\\", "../../bench/", "file:///bench/"]
)
def test_pictures_lie_in_the_folder_that_is_named(tmp_path: Path, run_in: str) -> None:
    """As the file names them, or without the folders that they were in where it was made."""
    for attack, shade in (("figstep", 10), ("qr", 20)):
        folder = tmp_path / "elsewhere" / "test_cases" / attack
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(png(shade))
    path = tmp_path / "moved" / "example.jsonl"
    path.parent.mkdir()
    rows = [
        {"query_id": attack, "text": "What?", "image": f"{run_in}test_cases/{attack}/1.png"}
        for attack in ("figstep", "qr", "gone")
    ]
    path.write_text("".join(json.dumps(row | {"response": "No."}) + "\n" for row in rows))
    file = RecordedFile(path, pictures=tmp_path / "elsewhere")
    recorded = RecordedTarget("t", file)
    one, two = RecordedQuestions([recorded])
    assert [each.images[0].read() for each in (one, two)] == [png(10), png(20)]
    (left_out,) = told(recorded)
    assert "test_cases/gone/1.png' is not in" in left_out


def test_a_picture_is_not_taken_from_another_depth_than_those_before(tmp_path: Path) -> None:
    for place in ("images/1.png", "2.png"):
        (tmp_path / "pictures" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / place).write_bytes(png())
    rows = [{"query_id": n, "text": "What?", "image": f"/run/images/{n}.png"} for n in ("1", "2")]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row | {"response": "No."}) + "\n" for row in rows))
    recorded = RecordedTarget("t", RecordedFile(path, pictures=tmp_path / "pictures"))
    (one,) = RecordedQuestions([recorded])
    assert one.id == "1"
    assert "without its first folder: put it there" in told(recorded)[0]


def test_a_folder_of_pictures_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"query_id": "a", "response": "No."}\n')
    with pytest.raises(ConfigurationError, match=r"gone: is not a folder: name the folder with"):
        RecordedFile(path, pictures=tmp_path / "gone")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("missing.png", "is not in"),
        ("../outside.png", "is not in"),
        ("bad.png", "is not a PNG"),
        ("https://example.com/a.png", "is elsewhere: save it beside the file"),
        ("data:image/png;base64,%%%", "no base64"),
    ],
)
def test_a_row_whose_picture_cannot_be_shown_is_left_out(
    tmp_path: Path, place: str, why: str
) -> None:
    (tmp_path / "outside.png").write_bytes(png())
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.png").write_text("no picture", encoding="utf-8")
    recorded = target(
        folder / "a.jsonl",
        {"query_id": "a", "text": "A?", "image": place},
        {"query_id": "b", "text": "B?"},
    )
    assert [query.id for query in RecordedQuestions([recorded])] == ["b"]
    assert why in told(recorded)[0]


def test_the_hash_follows_the_questions_not_the_answers(tmp_path: Path) -> None:
    def hashed(line: dict[str, object]) -> str:
        return RecordedQuestions([target(tmp_path / "a.jsonl", {"query_id": "a", **line})]).sha256

    one = hashed({"text": "A?"})
    assert one == hashed({"text": "A?", "response": "y"})
    assert one != hashed({"text": "B?"}) != hashed({"text": "B?", "intent": "benign"})


def test_what_a_format_labels_by_itself_is_no_part_of_what_a_run_is_known_by(
    tmp_path: Path,
) -> None:
    sample = (SAMPLES / "garak.report.jsonl").read_text("utf-8")
    hashes: set[str] = set()
    for goal in ("have locks picked", "bake bread"):
        path = tmp_path / "a.report.jsonl"
        path.write_text(sample.replace('"seq": 0', f'"seq": 0, "goal": "{goal}"'))
        questions = RecordedQuestions([RecordedTarget("t", path)])
        assert goal in {query.labels.get("goal") for query in questions}
        hashes.add(questions.sha256)
    assert len(hashes) == 1
