"""Values of files of responses that are not quite what they should be: none is made up."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from safejury.common import ConfigurationError
from safejury.datasets import Intent
from safejury.targets import RecordedFile, RecordedQuestions, RecordedTarget

SAMPLES = Path(__file__).with_name("samples")
LOCK = "How is a lock picked?"


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("said", "epoch"),
    [("1", 1), ("", 0), (None, 0), (3, 3), (2.0, 2), ("2.0", 2), ("0001", 1)],
)
def test_an_epoch_is_a_whole_number_however_it_is_written(
    said: object, epoch: int, tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.jsonl", {"id": "q", "response": "x", "epoch": said})
    (row,) = RecordedTarget("t", path).rows()
    assert row.epoch == epoch


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("two", "'two'"),
        ("-1", "'-1'"),
        (-1, "-1"),
        (1.5, "1.5"),
        ("1.5", "'1.5'"),
        ("٣", "'٣'"),
        (True, "true or false"),
        ([1], "a list"),
        (10**9, "1000000000"),
    ],
)
def test_an_epoch_that_is_no_number_leaves_its_row_out(
    said: object, found: str, tmp_path: Path
) -> None:
    """It is not taken for the first one."""
    good = {"id": "q", "response": "x"}
    target = RecordedTarget("t", lines(tmp_path / "a.jsonl", good, good | {"epoch": said}))
    assert [row.place for row in target.rows()] == ["line 1"]
    (left_out,) = target.all_left_out()
    assert left_out.place == "line 2"
    assert left_out.why == f"the epoch must be a whole number from 0, not {found}"


@pytest.mark.parametrize("said", ["answered", "filtered", "truncated", "error", "not_put"])
def test_an_outcome_of_a_table_is_one_of_ours(said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,response,outcome\nq,x,{said}\nr,x,\ns,x,fine\n")
    target = RecordedTarget("t", path)
    assert [str(row.settled()) for row in target.rows()] == [said, "answered"]
    (left_out,) = target.all_left_out()
    assert left_out.why == (
        "the outcome must be one of answered, filtered, truncated, error, not_put, gave_up, "
        "not 'fine'"
    )


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({"images": 7}, "a picture or sound must be a path, not a number"),
        (
            {"images": {"url": "a.png"}},
            "a picture or sound must be a path or an object of 'bytes' or 'path', not of 'url'",
        ),
        (
            {"image": "a.png", "images": ["b.png"]},
            "has other pictures in 'images' than in 'image': say which are meant with "
            + "--map images=KEY",
        ),
    ],
)
def test_a_picture_that_would_be_dropped_leaves_its_row_out(
    shown: dict[str, object], why: str, tmp_path: Path
) -> None:
    good = {"id": "q", "response": "x", "image": "a.png", "images": ["a.png"]}
    path = lines(tmp_path / "a.jsonl", good, {"id": "r", "response": "x", **shown})
    target = RecordedTarget("t", path)
    assert [row.images for row in target.rows()] == [("a.png",)]
    (left_out,) = target.all_left_out()
    assert left_out.why == why


def test_every_other_field_that_is_no_text_leaves_its_row_out(tmp_path: Path) -> None:
    fields = ("response", "text", "scenario", "model", "finish_reason", "underlying_request")
    rows = [{"id": "q", "response": "x"} | {field: {"a": 1}} for field in fields]
    target = RecordedTarget("t", lines(tmp_path / "a.jsonl", {"id": "p", "response": "x"}, *rows))
    assert len(target) == 1
    assert [row.why for row in target.all_left_out()] == [
        f"the {field} must be a text or null, not an object" for field in fields
    ]


def test_a_file_of_nothing_but_epochs_in_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,response,epoch\nq,x,two\n")
    with pytest.raises(ConfigurationError, match=r"a\.csv: row 1.*whole number from 0, not 'two'"):
        RecordedTarget("t", path)


def told(path: Path) -> tuple[list[tuple[str, int, str | None]], list[str]]:
    """Return the responses of a file, and why rows of it are left out."""
    target = RecordedTarget("t", path)
    said = [(row.query_id, row.epoch, row.response) for row in target.rows()]
    return said, [row.why for row in target.all_left_out()]


def test_responses_of_lmms_eval_keep_their_places(tmp_path: Path) -> None:
    """One that failed is one of the repetitions, and `True` may be an answer."""
    rows: list[dict[str, object]] = [
        {"doc_id": 0, "resps": [["a", None, "b"]]},
        {"doc_id": 1, "resps": [["Yes", "True"]]},
        {"doc_id": 2, "resps": [[-0.5, True]]},
        {"doc_id": 3, "resps": [[7]]},
        {"doc_id": 4, "resps": [[]]},
        {"doc_id": 5, "resps": None, "filtered_resps": [None]},
        {"doc_id": 6, "resps": [["a"]], "input_media": [{"url": "a.png"}]},
    ]
    said, why = told(lines(tmp_path / "a.jsonl", *rows))
    assert said == [
        ("0", 0, "a"),
        ("0", 1, None),
        ("0", 2, "b"),
        ("1", 0, "Yes"),
        ("1", 1, "True"),
        ("5", 0, None),
    ]
    assert why == [
        "holds log-likelihoods of given answers, no response of the model",
        "a response must be a text or null, not a number",
        "has no responses",
        "a picture or sound must be a path or an object of 'bytes' or 'path', not of 'url'",
    ]


def test_outputs_of_a_hitlog_of_garak_are_told_apart(tmp_path: Path) -> None:
    hit = {
        "attempt_id": "u",
        "probe": "locks.Picking",
        "detector": "locks.Picks",
        "prompt": LOCK,
        "output": "a",
        "generator": "example-1",
    }
    rows = [
        hit,
        {**hit, "detector": "locks.Words"},
        {**hit, "output": "b"},
        {**hit, "output": "c", "attempt_idx": "1"},
        {**hit, "output": "d", "attempt_idx": "two"},
    ]
    path = lines(tmp_path / "a.hitlog.jsonl", *rows)
    said, why = told(path)
    assert said == [("u", 0, "a"), ("u", 1, "c")]
    assert len(why) == 2
    assert why[0].startswith("a second response to 'u' in epoch 0")
    assert why[1] == "the epoch must be a whole number from 0, not 'two'"
    assert RecordedFile(path).models == ("example-1",)


def promptfoo(path: Path, *items: dict[str, Any]) -> Path:
    results = [{"id": f"r{n}", "prompt": {"raw": LOCK}, **item} for n, item in enumerate(items)]
    path.write_text(json.dumps({"results": {"results": results}}))
    return path


@pytest.mark.parametrize(
    ("item", "outcome", "detail"),
    [
        ({"error": "No room", "failureReason": 2}, "error", "No room"),
        ({"response": {"error": "No room"}, "failureReason": 2}, "error", "No room"),
        ({"response": {"output": "So."}, "failureReason": 2, "error": "Cut"}, "error", "Cut"),
        ({"response": {"output": "So."}, "failureReason": 1, "error": "Wrong"}, "answered", None),
        ({"response": {"output": None, "finishReason": "content_filter"}}, "filtered", None),
        ({"response": {"output": None, "finishReason": "stop"}}, "error", None),
        ({"response": {"output": "So", "finishReason": "length"}}, "truncated", None),
        ({"response": {"output": {"a": 1}}}, "answered", None),
    ],
)
def test_how_a_call_of_promptfoo_ended(
    item: dict[str, Any], outcome: str, detail: str | None, tmp_path: Path
) -> None:
    (row,) = RecordedTarget("t", promptfoo(tmp_path / "a.json", item)).rows()
    assert (str(row.settled()), row.detail) == (outcome, detail)
    assert (row.response is None) == (outcome in ("error", "filtered"))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai:m", "openai:m"),
        ({"id": "openai:m"}, "openai:m"),
        ({"id": "openai:m", "label": "big"}, "big"),
        ({"id": "openai:m", "label": ""}, "openai:m"),
    ],
)
def test_providers_of_promptfoo_are_named_as_people_name_them(
    provider: object, model: str, tmp_path: Path
) -> None:
    item = {"provider": provider, "response": {"output": "So."}}
    assert RecordedFile(promptfoo(tmp_path / "a.json", item)).models == (model,)


def test_what_omnisafebench_leaves_empty_beside_its_metadata_is_found_in_it(
    tmp_path: Path,
) -> None:
    metadata = {"original_prompt": "Pick a lock", "jailbreak_prompt": LOCK, "image_path": "a.png"}
    item = {"test_case_id": "1", "model_response": "So.", "metadata": metadata}
    path = lines(tmp_path / "a.jsonl", item | {"jailbreak_prompt": None, "image_path": None})
    (row,) = RecordedTarget("t", path).rows()
    assert (row.text, row.images, row.underlying_request) == (LOCK, ("a.png",), "Pick a lock")
    defended = {"defended_prompt": f"Kindly: {LOCK}", "defended_image_path": "b.png"}
    (row,) = RecordedTarget("t", lines(path, item | defended)).rows()
    assert (row.text, row.images) == (f"Kindly: {LOCK}", ("b.png",))


def test_an_intent_that_the_user_says_holds_for_formats_that_have_their_own(
    tmp_path: Path,
) -> None:
    item = {"test_case_id": "1", "model_response": "So.", "metadata": {"original_prompt": LOCK}}
    path = lines(tmp_path / "a.jsonl", item)
    target = RecordedTarget("t", path, intent=Intent.BENIGN)
    (query,) = RecordedQuestions([target])
    assert (query.intent, query.intent_assumed) == (Intent.BENIGN, False)


def test_a_model_that_a_file_does_not_name_is_told_with_those_that_it_does(
    tmp_path: Path,
) -> None:
    path = lines(tmp_path / "a.jsonl", {"id": "q", "response": "x"})
    with pytest.raises(ConfigurationError, match="it has responses that name no model"):
        RecordedTarget("t", path, model="m")
    rows = [{"id": "q", "response": "x", "model": f"m{n:02}"} for n in range(12)]
    with pytest.raises(ConfigurationError, match=r"'m00', .*'m09' and 2 more$"):
        RecordedTarget("t", lines(path, *rows), model="other")


def test_a_log_of_inspect_that_was_still_written_is_read_by_its_journal(tmp_path: Path) -> None:
    """Neither its header nor its summaries are there yet."""
    from inspect_ai.log import read_eval_log, write_eval_log

    whole, journal = tmp_path / "whole.eval", tmp_path / "journal"
    write_eval_log(read_eval_log(SAMPLES / "inspect.json"), whole)
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(journal, "w") as written:
        for name in read.namelist():
            if name not in ("header.json", "summaries.json"):
                written.writestr(name, read.read(name))
    target = RecordedTarget("t", journal)
    assert target.file.models == ("example/one",)
    assert [row.query_id for row in target.rows()] == ["bread", "lock", "soap", "lock"]
    (remark,) = target.file.remarks
    assert remark == "4 of 6 samples: the log says started"
    assert [row.place for row in target.all_left_out()] == [
        "sample 'bread', epoch 2",
        "sample 'soap', epoch 2",
    ]


def test_completions_of_harmbench_that_are_none_are_told_with_their_place(tmp_path: Path) -> None:
    why = "the test_case must be a text or [picture, text], not a number"
    good = {"test_case": LOCK, "generation": "With picks."}
    items = [good, {"test_case": LOCK}, {"test_case": 7, "generation": "So."}, {**good}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"lock": items, "key": "none"}))
    target = RecordedTarget("t", path)
    assert [(row.place, row.epoch) for row in target.rows()] == [
        ("behavior 'lock', completion 1", 0),
        ("behavior 'lock', completion 4", 1),
    ]
    assert [str(row) for row in target.all_left_out()] == [
        "behavior 'lock', completion 2: has no 'generation'",
        f"behavior 'lock', completion 3: {why}",
        "behavior 'key': must hold a list of completions",
    ]


def test_attempts_of_garak_that_nobody_answered_are_no_responses(tmp_path: Path) -> None:
    attempt = {"entry_type": "attempt", "uuid": "u", "prompt": LOCK, "outputs": ["So."]}
    path = lines(tmp_path / "a.jsonl", {**attempt, "status": 0}, {**attempt, "status": 1})
    (row,) = RecordedTarget("t", path).rows()
    assert row.place == "line 2"


@pytest.mark.parametrize("shown", [{"image": "a.png"}, {"images": ["a.png"]}], ids=str)
@pytest.mark.parametrize("named", ["query_id", "id"])
def test_pictures_beside_messages_leave_the_row_out(
    shown: dict[str, object], named: str, tmp_path: Path
) -> None:
    """Nobody knows which turn shows them."""
    good = {named: "q", "response": "x", "text": LOCK}
    talk = [{"role": "user", "content": LOCK}, {"role": "assistant", "content": "So."}]
    bad = {named: "r", "messages": [*talk, talk[0]], "response": "x"} | shown
    said, why = told(lines(tmp_path / "a.jsonl", good, bad))
    assert said == [("q", 0, "x")]
    assert len(why) == 1
    assert why[0].startswith("has pictures beside its ")
