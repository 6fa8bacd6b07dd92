import json
from pathlib import Path

import pytest

from safejury.common import ConfigurationError
from safejury.datasets import Intent, Query
from safejury.targets import OTHER_WORDS_NOTE, RecordedTarget, Response, ResponseOutcome

MIB = 1024 * 1024


def _file(tmp_path: Path, *lines: object, ending: str = "\n", bom: bytes = b"") -> Path:
    path = tmp_path / "responses.jsonl"
    words = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_bytes(bom + "".join(f"{line}{ending}" for line in words).encode())
    return path


async def _ask(target: RecordedTarget, query: str, epoch: int = 0) -> Response:
    asked = Query(query, "consultation.legal_advice", "How?", Intent.HARMFUL)
    return await target.respond(asked, epoch=epoch, call_id=f"{query}/t/{epoch}/target")


async def test_a_recorded_response_is_an_answer_that_costs_nothing(tmp_path: Path) -> None:
    line = {"query_id": "q1", "response": "Thus.\nAnd so.", "model": "gpt-0"}
    target = RecordedTarget("t", _file(tmp_path, {"query_id": "q0", "response": "No."}, line))
    response = await _ask(target, "q1")
    await target.aclose()
    assert target.name == "t"
    assert (response.outcome, response.text) == (ResponseOutcome.ANSWERED, "Thus.\nAnd so.")
    assert (response.provider_model, response.detail) == ("gpt-0", None)
    assert (response.cost_usd, response.calls) == (0.0, 0)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n \n"])
async def test_byte_order_marks_line_ends_and_blank_lines_do_no_harm(
    tmp_path: Path, bom: bytes, ending: str
) -> None:
    lines = [{"query_id": f"q{n}", "response": f"Nº {n} \u2028 漢"} for n in range(3)]
    path = _file(tmp_path, *lines, ending=ending, bom=bom)
    target = RecordedTarget("t", path)
    for number in (2, 0, 1):
        assert (await _ask(target, f"q{number}")).text == f"Nº {number} \u2028 漢"


async def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    path = _file(tmp_path, '{"query_id": "q1", "response": "Thus."}', ending="")
    assert (await _ask(RecordedTarget("t", path), "q1")).text == "Thus."


async def test_each_epoch_has_its_own_response(tmp_path: Path) -> None:
    lines = [{"query_id": "q1", "response": f"Take {n}.", "epoch": n} for n in (1, 0)]
    target = RecordedTarget("t", _file(tmp_path, *lines))
    assert [(await _ask(target, "q1", epoch)).text for epoch in (0, 1)] == ["Take 0.", "Take 1."]
    missing = await _ask(target, "q1", 2)
    assert missing.outcome is ResponseOutcome.ERROR
    assert missing.detail == "responses.jsonl has no response to 'q1' in epoch 2"
    assert (missing.cost_usd, missing.calls) == (0.0, 0)


OUTCOMES = [
    ({"response": "Thus.", "outcome": "filtered"}, ResponseOutcome.FILTERED, "Thus."),
    ({"response": "Thus f", "outcome": "truncated"}, ResponseOutcome.TRUNCATED, "Thus f"),
    ({"response": None, "outcome": "error"}, ResponseOutcome.ERROR, ""),
    ({"response": None}, ResponseOutcome.ERROR, ""),
    ({"response": " "}, ResponseOutcome.ERROR, " "),
    ({"response": "", "outcome": "answered"}, ResponseOutcome.ERROR, ""),
    ({"response": None, "outcome": "filtered"}, ResponseOutcome.FILTERED, ""),
]


@pytest.mark.parametrize(("line", "outcome", "text"), OUTCOMES)
async def test_what_is_no_answer_is_recorded_as_such(
    tmp_path: Path, line: dict[str, object], outcome: ResponseOutcome, text: str
) -> None:
    response = await _ask(RecordedTarget("t", _file(tmp_path, {"query_id": "q1", **line})), "q1")
    assert (response.outcome, response.text) == (outcome, text)
    assert response.detail == f"recorded as {outcome}"


GOOD = '{"query_id": "q1", "response": "Thus."}'
BAD_LINES = [
    ("{", "not JSON"),
    ("[]", "must hold a JSON object, not a list"),
    ('{"response": "x"}', "missing required field `query_id`"),
    ('{"query_id": "q2"}', "missing required field `response`"),
    ('{"query_id": "", "response": "x"}', "query_id"),
    ('{"query_id": " q2", "response": "x"}', "without space around it"),
    ('{"query_id": 2, "response": "x"}', "got `int`"),
    ('{"query_id": "q2", "response": ["x"]}', "got `array`"),
    ('{"query_id": "q2", "response": "x", "epoch": -1}', "epoch"),
    ('{"query_id": "q2", "response": "x", "outcome": "fine"}', "fine"),
    ('{"query_id": "q2", "response": "x", "answer": "y"}', "unknown field `answer`"),
    ('{"query_id": "q2", "response": "\\ud800"}', "surrogate"),
    (f"{GOOD} {GOOD}", "trailing"),
    (GOOD, "a second response to 'q1' in epoch 0"),
]


async def test_a_response_to_other_words_than_the_querys_says_so(tmp_path: Path) -> None:
    lines = [
        {"query_id": "q1", "response": "x", "text": " How?\n"},
        {"query_id": "q2", "response": "x", "text": "How, in rhymes?"},
        {"query_id": "q3", "response": "x"},
    ]
    target = RecordedTarget("t", _file(tmp_path, *lines))
    notes = [(await _ask(target, name)).notes for name in ("q1", "q2", "q3")]
    assert notes == [(), (OTHER_WORDS_NOTE,), ()]


def test_a_time_is_no_epoch(tmp_path: Path) -> None:
    lines = [{"id": "q1", "response": "x", "epoch": n} for n in (20240101, 9_999)]
    target = RecordedTarget("t", _file(tmp_path, *lines))
    assert (len(target), target.epochs) == (1, 10_000)
    assert "its epoch 20240101 is not below 10,000" in str(next(target.all_left_out()))


@pytest.mark.parametrize(("line", "told"), BAD_LINES)
async def test_a_bad_line_is_listed_with_its_number_and_the_rest_is_read(
    tmp_path: Path, line: str, told: str
) -> None:
    path = _file(tmp_path, GOOD, "", line, '{"query_id": "q3", "response": "x"}')
    target = RecordedTarget("t", path)
    (left_out,) = target.all_left_out()
    assert left_out.place == "line 3"
    assert told in left_out.why
    assert [(await _ask(target, name)).text for name in ("q1", "q3")] == ["Thus.", "x"]
    assert (len(target), target.left_out.count) == (2, 1)


def test_a_file_of_bad_lines_alone_is_refused_with_the_first_of_them(tmp_path: Path) -> None:
    path = _file(tmp_path, "", '{"query_id": "q2"}', "{")
    with pytest.raises(ConfigurationError) as caught:
        RecordedTarget("t", path)
    assert str(caught.value).startswith(f"{path}:2: not a recorded response")
    told = str(caught.value)
    assert "Of its 2 rows none can be used; the file was read as lines of JSON" in told


def test_only_the_first_bad_lines_are_shown_but_all_are_listed(tmp_path: Path) -> None:
    target = RecordedTarget("t", _file(tmp_path, GOOD, *["{"] * 30))
    assert (target.left_out.count, len(target.left_out.first)) == (30, 5)
    assert [row.place for row in target.all_left_out()] == [f"line {n}" for n in range(2, 32)]


def test_bytes_that_are_not_utf_8_spoil_their_own_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(GOOD.encode() + b'\n{"query_id": "q2", "response": "na\xefve"}\n')
    target = RecordedTarget("t", path)
    assert (len(target), [row.place for row in target.all_left_out()]) == (1, ["line 2"])


async def test_a_long_response_is_kept_and_an_endless_line_is_left_out(tmp_path: Path) -> None:
    long = {"query_id": "q1", "response": "x" * (5 * MIB)}
    path = _file(tmp_path, long, "x" * (64 * MIB + 1), {"query_id": "q2", "response": "Thus."})
    target = RecordedTarget("t", path)
    assert len((await _ask(target, "q1")).text) == 5 * MIB
    assert (await _ask(target, "q2")).text == "Thus."
    assert [str(row) for row in target.all_left_out()] == [
        "line 2: longer than 64 MiB; is this a JSONL file?"
    ]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_responses_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"empty\.jsonl: has no responses"):
        RecordedTarget("t", path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            RecordedTarget("t", path)


async def test_a_file_that_changes_later_changes_nothing(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD)
    target = RecordedTarget("t", path)
    before = target.sha256
    path.write_text(GOOD.replace("Thus", "Other"), encoding="utf-8")
    assert (await _ask(target, "q1")).text == "Thus."
    assert target.sha256 == before != RecordedTarget("t", path).sha256


def test_responses_to_other_queries_are_left_out(tmp_path: Path) -> None:
    lines = [{"query_id": f"q{n}", "response": "x"} for n in range(4)]
    target = RecordedTarget("t", _file(tmp_path, *lines))
    target.join(_queries("q1", "q3", "q9"), "the dataset 'kitchen'")
    assert [row.query_id for row in target.rows()] == ["q1", "q3"]
    assert [str(row) for row in target.all_left_out()] == [
        "line 1: answers no query of the dataset 'kitchen'",
        "line 3: answers no query of the dataset 'kitchen'",
    ]


def test_a_file_that_answers_no_query_is_refused_with_both_sides_ids(tmp_path: Path) -> None:
    lines = [{"query_id": f"q{n}", "response": "x"} for n in range(9)]
    target = RecordedTarget("t", _file(tmp_path, *lines))
    with pytest.raises(ConfigurationError) as caught:
        target.join(_queries(*(f"kitchen-{n + 5}" for n in range(9))), "the dataset 'kitchen'")
    assert "its ids are 'q0', 'q1', 'q2', those of the queries 'kitchen-5'" in str(caught.value)
    assert "'q3'" not in str(caught.value)


def _queries(*ids: str) -> list[Query]:
    return [Query(name, "consultation.legal_advice", f"{name}?", Intent.HARMFUL) for name in ids]
