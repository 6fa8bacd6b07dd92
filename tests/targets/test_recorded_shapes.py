"""JSON in shapes that are not quite those of a format, and paths that lead nowhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from safejury.common import ConfigurationError
from safejury.datasets import Message, ToolCall
from safejury.targets import RecordedTarget
from safejury.targets.recorded.readers.formats import find_reader

SAMPLES = Path(__file__).with_name("samples")
ROWS = [{"id": f"q{n}", "prompt": f"Q{n}?", "response": f"A{n}."} for n in range(2)]


def recorded(path: Path, document: object, **options: Any) -> RecordedTarget:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return RecordedTarget("t", path, **options)


OTHER = [{"uid": row["id"], "out": {"text": row["response"]}} for row in ROWS]


@pytest.mark.parametrize(
    ("document", "options"),
    [
        ({"data": ROWS}, {}),
        ({"meta": {"model": "m"}, "tags": ["a"], "data": ROWS}, {}),
        ({"other": [{"x": 1}], "rows": ROWS}, {}),
        ({"data": OTHER}, {"mapping": {"id": "uid", "response": "out.text"}}),
    ],
)
def test_the_one_list_of_rows_within_an_object_is_read(
    tmp_path: Path, document: object, options: dict[str, Any]
) -> None:
    target = recorded(tmp_path / "a.json", document, **options)
    assert [(row.place, row.query_id, row.response) for row in target.rows()] == [
        ("item 1", "q0", "A0."),
        ("item 2", "q1", "A1."),
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"a": ROWS, "b": ROWS}, "several lists of rows ('a', 'b'): save the one that is meant"),
        ({"a": [{"answer": "So."}]}, "its list 'a' have no 'response'; their keys are 'answer'"),
        ({"models": {"m": ["x"]}}, "without a list of responses; its keys are 'models'"),
        ({"m": {"Baking": {"jailbroken": True}}, "details": {}}, "an evaluation or a submission"),
        ({"id": "a", "response": "So."}, "is one row over several lines"),
        ({"data": [{"generation": "So.", "prompt": "Why?"}]}, "--map response=PATH"),
    ],
)
def test_an_object_that_holds_no_rows_is_named_as_what_it_seems_to_be(
    tmp_path: Path, document: object, told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        recorded(tmp_path / "a.json", document)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"text": "q.t.--1"}, "has no 'q.t.--1' for the text"),
        ({"text": "q.t.٣"}, "has no 'q.t.٣' for the text"),
        ({"id": "."}, "--map id='.': names no column"),
        ({"id": "[]"}, "--map id='[]': names no column"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_in_one_line(
    tmp_path: Path, mapping: dict[str, str], told: str
) -> None:
    row = {"id": "a", "response": "So.", "q": {"t": ["Why?", "How?"]}}
    with pytest.raises(ConfigurationError) as caught:
        recorded(tmp_path / "a.json", [row], mapping=mapping)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_from_the_end_of_a_list_is_a_path(tmp_path: Path) -> None:
    row = {"id": "a", "response": "So.", "q": ["Why?", "How?"]}
    (read,) = recorded(tmp_path / "a.json", [row], mapping={"text": "q.-1"}).rows()
    assert read.text == "How?"


def chat(part: object) -> object:
    raw = json.dumps([{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}])
    result = {"prompt": {"raw": raw}, "response": {"output": "A lock."}, "vars": {"query_id": "a"}}
    return {"evalId": "e", "results": {"results": [result]}}


@pytest.mark.parametrize(
    ("part", "address"),
    [
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "QQ"},
            },
            "data:image/png;base64,QQ",
        ),
        ({"type": "image", "source": {"type": "url", "url": "lock.png"}}, "lock.png"),
        ({"type": "image", "source": "lock.png"}, "lock.png"),
        ({"type": "image_url", "image_url": {"url": "lock.png"}}, "lock.png"),
        ({"type": "input_image", "image_url": "lock.png"}, "lock.png"),
    ],
)
def test_the_picture_of_a_message_is_read_in_whatever_way_it_is_written(
    tmp_path: Path, part: object, address: str
) -> None:
    (row,) = recorded(tmp_path / "a.json", chat(part)).rows()
    assert (row.text, row.images) == ("What?", (address,))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        {"type": "input_image", "file_id": "f1"},
        {"type": "image"},
    ],
)
def test_a_picture_that_is_not_in_the_file_leaves_its_row_out(tmp_path: Path, part: object) -> None:
    with pytest.raises(ConfigurationError, match="has a picture that is not in the file"):
        recorded(tmp_path / "a.json", chat(part))


@pytest.mark.parametrize(
    ("prompt", "text", "images"),
    [
        ("What?", "What?", ()),
        ({"text": "What?", "lang": "en"}, "What?", ()),
        ({"text": "What?", "data_path": "a.png", "data_type": None}, "What?", ("a.png",)),
        ({"text": "What?", "data_path": "a.png", "data_type": ["image/png"]}, "What?", ("a.png",)),
        ({"turns": [{"role": "user", "content": {"text": "What?"}}]}, "What?", ()),
        ({"turns": [{"role": "user", "content": "What?"}]}, "What?", ()),
    ],
)
def test_the_prompt_of_garak_is_read_as_each_version_writes_it(
    tmp_path: Path, prompt: object, text: str, images: tuple[str, ...]
) -> None:
    attempt = {"entry_type": "attempt", "uuid": "u", "status": 1, "outputs": ["So."]}
    (row,) = recorded(tmp_path / "a.jsonl", [{**attempt, "prompt": prompt}]).rows()
    assert (row.text, row.images, row.messages) == (text, images, ())


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ({"testIdx": 3, "promptIdx": 5}, "3.0"),
        ({"testIdx": 3}, "r"),
        ({"promptIdx": 5}, "r"),
        ({"testIdx": 3, "promptIdx": 5, "vars": {"query_id": "q"}}, "q"),
        ({"testCase": {"vars": {"query_id": "q"}}}, "q"),
        ({"vars": {"query_id": 7}}, "7"),
    ],
)
def test_a_result_of_promptfoo_is_called_as_well_as_it_can_be(
    tmp_path: Path, numbers: dict[str, object], name: str
) -> None:
    result = {"id": "r", "prompt": {"raw": "Why?"}, "response": {"output": "So."}, **numbers}
    (row,) = recorded(tmp_path / "a.json", {"results": {"results": [result]}}).rows()
    assert row.query_id == name


@pytest.mark.parametrize(
    ("variables", "metadata", "said"),
    [
        ({"scenario": "A", "intent": "benign"}, {"scenario": "B", "intent": "harmful"}, ("A", "b")),
        ({}, {"scenario": "B", "category": "C", "intent": "benign"}, ("B", "b")),
        ({}, {"category": "C"}, ("C", None)),
    ],
)
def test_what_a_test_of_promptfoo_says_of_its_question(
    tmp_path: Path,
    variables: dict[str, str],
    metadata: dict[str, str],
    said: tuple[str, str | None],
) -> None:
    """By its variables first, and wherever the metadata stand."""
    for about in ({"metadata": metadata}, {"testCase": {"metadata": metadata}}):
        result: dict[str, object] = {
            "id": "r",
            "prompt": {"raw": "Why?"},
            "vars": variables,
            "response": {"output": "So."},
            **about,
        }
        (row,) = recorded(tmp_path / "a.json", {"results": {"results": [result]}}).rows()
        assert (row.scenario, row.intent and row.intent[0]) == said


LARGE = "x" * 100_000


@pytest.mark.parametrize(
    ("document", "format"),
    [
        ([{"doc_id": 0, "input": LARGE, "resps": [["So."]]}] * 2, "lmms-eval"),
        ({"note": LARGE, "parameters": {}, "jailbreaks": []}, "jailbreakbench"),
        ({"config": {"note": LARGE}, "results": {"results": []}}, "promptfoo"),
        ({"evalId": "e", "note": LARGE, "results": {"results": []}}, "promptfoo"),
        ({"version": 2, "note": LARGE, "eval": {"model": "m"}, "samples": []}, "inspect"),
        ({"lock": [{"test_case": LARGE, "generation": "So."}]}, "harmbench"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_large_document_is_known_by_its_keys(
    tmp_path: Path, document: object, format: str, indent: int | None
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    assert find_reader(path, None, {}).name == format


@pytest.mark.parametrize("zipped", [False, True])
def test_what_a_log_of_inspect_keeps_apart_is_put_back(tmp_path: Path, zipped: bool) -> None:
    """Pictures and long texts stand once in a log, and elsewhere by their hash."""
    from inspect_ai.log import read_eval_log, write_eval_log

    log = json.loads((SAMPLES / "inspect.json").read_text("utf-8"))
    parts = [
        {"type": "text", "text": "attachment://a"},
        {"type": "image", "image": "attachment://b"},
    ]
    sample = log["samples"][0] | {
        "input": [{"role": "user", "content": parts}],
        "attachments": {"a": "What?", "b": "data:image/png;base64,QQ=="},
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(log | {"samples": [sample]}), encoding="utf-8")
    if zipped:
        write_eval_log(read_eval_log(path), tmp_path / "a.eval")
        path = tmp_path / "a.eval"
    (row,) = RecordedTarget("t", path).rows()
    assert (row.text, row.images) == ("What?", ("data:image/png;base64,QQ==",))


def test_words_beside_a_last_call_of_a_tool_are_the_response(tmp_path: Path) -> None:
    """The call itself is a turn before it."""
    function = {"name": "look_up", "arguments": "{}"}
    calls = [{"id": "c", "type": "function", "function": function}]
    talk = [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": "I look.", "tool_calls": calls},
    ]
    (row,) = recorded(tmp_path / "a.json", [{"id": "q", "messages": talk}]).rows()
    assert (row.text, row.response) == ("What?", "I look.")
    assert row.turns == (Message("assistant", (), (ToolCall("look_up", "{}", "c"),)),)


def test_a_sound_of_garak_is_no_picture(tmp_path: Path) -> None:
    said = {"text": "What?", "data_path": "a.wav", "data_type": ["audio/x-wav", None]}
    attempt = {"entry_type": "attempt", "uuid": "u", "status": 1, "outputs": ["So."]}
    prompt = {"turns": [{"role": "user", "content": said}]}
    (row,) = recorded(tmp_path / "a.jsonl", [{**attempt, "prompt": prompt}]).rows()
    assert row.images == ()
    (turn,) = row.messages
    assert [part.kind for part in turn.parts] == ["text", "audio"]
