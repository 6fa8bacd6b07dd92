"""Files of responses of several models."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.targets import RecordedFile, RecordedTarget

Row = dict[str, object]


def _file(tmp_path: Path, rows: Sequence[Row | str], name: str = "a.jsonl") -> RecordedFile:
    path = tmp_path / name
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return RecordedFile(path)


def _said(file: RecordedFile) -> dict[str, dict[str, str | None]]:
    """Return the responses by model and query."""
    return {
        model: {row.query_id: row.response for row in RecordedTarget("t", file, model=model).rows()}
        for model in file.models
    }


def test_each_model_answers_the_same_query_itself(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": name, "text": f"{name}?", "response": f"{model} on {name}", "model": model}
        for name in ("q1", "q2")
        for model in ("big", "small")
    ]
    file = _file(tmp_path, rows)
    assert file.models == ("big", "small")
    assert _said(file) == {
        "big": {"q1": "big on q1", "q2": "big on q2"},
        "small": {"q1": "small on q1", "q2": "small on q2"},
    }


def test_rows_without_ids_are_matched_by_what_they_ask(tmp_path: Path) -> None:
    asked = [("a", "Why?"), ("a", "How?"), ("a", "Why?"), ("b", "How?"), ("b", "Why?")]
    rows: list[Row] = [
        {"text": text, "response": f"{model}{number}", "model": model}
        for number, (model, text) in enumerate(asked, 1)
    ]
    # What is asked twice of one model is asked under two ids, each like the other model's.
    assert _said(_file(tmp_path, rows)) == {
        "a": {"line-1": "a1", "line-2": "a2", "line-3": "a3"},
        "b": {"line-2": "b4", "line-1": "b5"},
    }


def test_a_file_of_one_model_is_read_as_ever(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"text": "Why?", "response": "1", "model": "a"},
        {"text": "Why?", "response": "2", "model": "a"},
        {"text": "Why?", "response": None, "outcome": "error"},
    ]
    file = _file(tmp_path, rows)
    assert (file.models, file.is_split) == (("a", ""), False)
    # A call that failed names no model: it is a failure of the only one.
    ids = ["line-1", "line-2", "line-3"]
    assert [row.query_id for row in RecordedTarget("t", file).rows()] == ids
    assert [row.query_id for row in RecordedTarget("t", file, model="a").rows()] == ids


def test_rows_of_no_model_stand_apart_where_there_are_several(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": "q", "response": f"by {model}", **({"model": model} if model else {})}
        for model in ("a", "", "b")
    ]
    assert _said(_file(tmp_path, rows)) == {
        "a": {"q": "by a"},
        "": {"q": "by "},
        "b": {"q": "by b"},
    }


def test_whose_responses_are_meant_must_be_said(tmp_path: Path) -> None:
    rows: list[Row] = [{"id": "q", "response": "x", "model": name} for name in ("gpt-1", "llama")]
    file = _file(tmp_path, rows)
    with pytest.raises(ConfigurationError, match=r"of several models.*'gpt-1', 'llama'"):
        RecordedTarget("t", file)
    with pytest.raises(ConfigurationError, match=r"no responses of the model 'lama'.*'llama'"):
        RecordedTarget("t", file, model="lama")
    with pytest.raises(ConfigurationError, match="the model 'x'; it has 'gpt-1', 'llama'"):
        RecordedTarget("t", file, model="x")


def test_a_row_that_is_left_out_is_told_of_with_its_model(tmp_path: Path) -> None:
    good: list[Row] = [{"id": "q", "response": "x", "model": name} for name in ("a", "b")]
    bad: list[Row | str] = [
        {"id": "p", "response": "x", "model": "b", "intent": "neutral"},
        {"id": "q", "response": "again", "model": "b"},
        {"id": "p"},
    ]
    file = _file(tmp_path, [*good, *bad, '{"id": "cut'])
    places = {
        model: [row.place for row in RecordedTarget("t", file, model=model).all_left_out()]
        for model in file.models
    }
    # A row of which nobody knows whose it is counts once.
    assert places == {"a": ["line 5", "line 6"], "b": ["line 3", "line 4"]}


def test_what_was_not_read_may_be_anybodys(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,model,response\nq,a,x\nq,b,y\nr,b,"never closed\ns,a,z\nt,b,z\n')
    file = RecordedFile(path)
    lines = [RecordedTarget("t", file, model=model).left_out.lines for model in file.models]
    assert lines == [3, 3]


def _promptfoo(test: int, number: int, named: Row) -> Row:
    provider = "one" if number < 2 else "two"
    return {
        "testIdx": test,
        "promptIdx": number,
        "prompt": {"raw": f"Question {test}?"},
        "provider": {"id": provider},
        "response": {"output": f"{provider} {test}"},
        "failureReason": 0,
        **named,
    }


@pytest.mark.parametrize("by_id", [True, False])
def test_providers_of_promptfoo_are_asked_the_same(tmp_path: Path, by_id: bool) -> None:
    def named(number: int) -> Row:
        name = f"prompt {number % 2}"
        return {"promptId": name} if by_id else {"prompt": {"raw": "?", "label": name}}

    # A prompt's number counts the providers too: 2 and 3 are prompts 0 and 1 once more.
    results = [_promptfoo(test, number, named(number)) for test in (0, 1) for number in range(4)]
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"evalId": "e", "results": {"results": results}, "config": {}}))
    said = _said(RecordedFile(path))
    assert list(said) == ["one", "two"]
    assert list(said["one"]) == list(said["two"]) == ["0.0", "0.1", "1.0", "1.1"]


def test_garak_reports_that_were_joined_are_of_several_models(tmp_path: Path) -> None:
    def report(model: str) -> list[Row]:
        attempt: Row = {"entry_type": "attempt", "status": 1, "prompt": "Why?", "outputs": [model]}
        start: Row = {"entry_type": "start_run setup", "plugins.target_name": model}
        return [start, {**attempt, "uuid": f"of {model}"}]

    file = _file(tmp_path, [*report("one"), *report("two")])
    assert _said(file) == {"one": {"of one": "one"}, "two": {"of two": "two"}}
