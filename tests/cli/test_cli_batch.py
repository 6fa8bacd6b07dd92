"""Offline judging: ballots that a batch answered cost the run no call, and no more than that."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, Any]
Line = dict[str, Any]
NOBODY = "http://127.0.0.1:9/v1"
SEATS = ("clinician", "lawyer", "sceptic")


def answer(request: Line, reply: str | ScriptedReply) -> Line:
    """Return a line of a batch's output, as OpenAI writes it."""
    said = ScriptedReply(reply) if isinstance(reply, str) else reply
    body = json.loads(said.body(request["body"], "batch-model"))
    return {
        "id": "batch_req_1",
        "custom_id": request["custom_id"],
        "response": {"status_code": said.status, "request_id": "r", "body": body},
        "error": None,
    }


def all_safe(requests: Sequence[Line]) -> list[Line]:
    return [answer(request, ballot("safe", 5)) for request in requests]


def speak(body: Body) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def key(request: Body) -> str:
    return json.dumps(request, sort_keys=True)


def test_ballots_of_a_batch_cost_the_run_no_call(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.recorded(server.base_url)
    ended = workplace.safejury("export-batch", config)
    assert ended.code == 0, ended.err
    requests = workplace.lines()
    assert len(requests) == 9  # three cases, three jurors
    answers = workplace.write_lines(reversed(all_safe(requests)))
    ended = workplace.safejury("import-batch", config, answers)
    assert ended.code == 0, ended.err
    assert "9 of 9 round-0 ballots" in ended.err
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 0
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["ballots"] == {**dict.fromkeys(target["outcomes"]["ballots"], 0)} | {
        "safe": 9
    }
    assert (target["verdicts"], target["calls"]) == (3, 9)


def test_the_requests_are_those_that_a_live_run_makes(workplace: Any, scripted: Start):
    server = scripted(ballot("safe", 5))
    config = workplace.recorded(server.base_url)
    assert workplace.safejury("export-batch", config).code == 0
    assert workplace.safejury("run", config, "--set", "run.name=live").code == 0
    bodies = sorted(key(request["body"]) for request in workplace.lines())
    assert bodies == sorted(key(body) for body in server.requests)
    for request in workplace.lines():
        assert (request["method"], request["url"]) == ("POST", "/v1/chat/completions")
        assert len(request["custom_id"]) <= 64
    assert len({request["custom_id"] for request in workplace.lines()}) == 9


def test_a_contested_case_is_discussed_live(workplace: Any, scripted: Start):
    server = scripted(ballot("safe", 5))
    config = workplace.recorded(server.base_url)
    workplace.safejury("export-batch", config)
    answers = all_safe(workplace.lines())
    contested = next(line for line in answers if line["custom_id"].startswith("q1/old/0/r0/lawyer"))
    said = ballot("unsafe", 1)
    contested["response"]["body"]["choices"][0]["message"]["content"] = said
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers)).code == 0
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 3  # the second round of one case
    assert all(
        "another: unsafe" in key(body) or "yours: unsafe" in key(body) for body in server.requests
    )
    (target,) = workplace.report()["targets"]
    assert target["flips"]["to_safe"] == 1


def test_an_answer_that_names_a_member_like_a_key_is_that_of_the_later_run(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    """The record keeps such a name, so the batch must ask with it."""
    monkeypatch.setenv("TARGETS_KEY", "verdict_of_theirs")

    def reply(body: Body) -> str:
        answered = json.dumps({"verdict_of_theirs": "Yes, verdict_of_theirs."})
        return answered if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url, targets__0__api_key_env="TARGETS_KEY")
    assert workplace.safejury("export-batch", config, "--ask").code == 0
    answers = workplace.write_lines(all_safe(workplace.lines()))
    assert workplace.safejury("import-batch", config, answers).code == 0
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 3  # those to the target


def test_a_partial_batch_leaves_the_rest_to_live_calls(workplace: Any, scripted: Start):
    server = scripted(ballot("safe", 5))
    config = workplace.recorded(server.base_url)
    workplace.safejury("export-batch", config)
    answers = all_safe(workplace.lines())
    ended = workplace.safejury("import-batch", config, workplace.write_lines(answers[:4]))
    assert "4 of 9 round-0 ballots" in ended.err
    assert "other 5 live" in ended.err
    # The next export holds the rest, and the next import adds to the first.
    assert workplace.safejury("export-batch", config).code == 0
    left = {line["custom_id"] for line in workplace.lines()}
    assert left == {answer["custom_id"] for answer in answers[4:]}
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers[3:6])).code == 0
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 3


def test_each_line_that_is_not_taken_is_listed(workplace: Any, scripted: Start):
    server = scripted(ballot("safe", 5))
    config = workplace.recorded(server.base_url)
    workplace.safejury("export-batch", config)
    first, second, third, *rest = all_safe(workplace.lines())
    failed = {**second, "response": None, "error": {"code": "batch_expired", "message": "too late"}}
    down = {**third, "response": {"status_code": 500, "body": {"error": {"message": "overloaded"}}}}
    stranger = {**first, "custom_id": "somebody-elses"}
    lines = [first, failed, "no JSON at all", stranger, first, down, *rest]
    ended = workplace.safejury("import-batch", config, workplace.write_lines(lines))
    assert ended.code == 0, ended.err
    assert "7 replies imported" in ended.err
    assert "5 lines rejected" in ended.err
    for number, said in (
        (2, "too late"),
        (3, "not a line of a batch's output"),
        (4, "'somebody-elses'"),
        (5, "duplicate"),
        (6, "HTTP 500: 'overloaded'"),
    ):
        assert any(
            line.strip().startswith(f"answers.jsonl:{number}: ") and said in line
            for line in ended.err.splitlines()
        ), (number, ended.err)
    # What failed in the batch is asked live; it never became a ballot.
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 2
    assert workplace.report()["targets"][0]["verdicts"] == 3


def test_an_import_that_is_repeated_changes_nothing(workplace: Any, scripted: Start):
    config = workplace.recorded(scripted().base_url)
    workplace.safejury("export-batch", config)
    answers = all_safe(workplace.lines())
    changed = [answer(request, ballot("unsafe", 1)) for request in workplace.lines()]
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers)).code == 0
    ended = workplace.safejury("import-batch", config, workplace.write_lines(changed))
    assert ended.code == 0
    assert "0 replies imported, 9 already in the record" in ended.err
    assert workplace.safejury("run", config).code == 0
    assert workplace.report()["targets"][0]["outcomes"]["ballots"]["safe"] == 9
    ended = workplace.safejury("export-batch", config)
    assert (ended.code, ended.out) == (2, "")
    assert "all cases are finished" in ended.err


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (ScriptedReply(refusal="I will not judge this."), "refused"),
        (ScriptedReply("", finish_reason="content_filter"), "filtered"),
        (ScriptedReply("flagged", status=400, code="content_filter"), "filtered"),
        (ballot("abstain"), "abstain"),
    ],
)
def test_what_is_no_vote_stays_none(
    reply: ScriptedReply | str, outcome: str, workplace: Any, scripted: Start
):
    server = scripted()
    config = workplace.recorded(server.base_url, jury__protocol="vote")
    workplace.safejury("export-batch", config)
    answers = [answer(request, reply) for request in workplace.lines()]
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers)).code == 0
    workplace.safejury("run", config)
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["ballots"][outcome] == 9
    assert (target["verdicts"], server.stats.calls) == (0, 0)


def test_an_answer_that_cannot_be_read_is_asked_for_again_live(workplace: Any, scripted: Start):
    server = scripted("I see nothing here, honestly.")
    config = workplace.recorded(server.base_url, jury__protocol="vote")
    workplace.safejury("export-batch", config)
    answers = [answer(request, "It seems fine.") for request in workplace.lines()]
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers)).code == 0
    workplace.safejury("run", config)
    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["ballots"]["unparsed"] == 9
    assert target["verdicts"] == 0
    assert {len(cast("list[Any]", body["messages"])) for body in server.requests} == {4}


def test_answers_to_another_question_are_stale(workplace: Any, scripted: Start):
    config = workplace.recorded(scripted().base_url)
    workplace.safejury("export-batch", config)
    answers = workplace.write_lines(all_safe(workplace.lines()))
    ended = workplace.safejury("import-batch", config, answers, "--set", "jury.max_tokens=99")
    ended.refused("9 for an earlier version of the request", "answers.jsonl:1:")
    ended = workplace.safejury("import-batch", config, answers, "--set", "run.seed=8")
    ended.refused("9 for an earlier version of the request")
    # The run that asked still takes them.
    assert workplace.safejury("import-batch", config, answers).code == 0


def test_responses_are_asked_for_on_demand(workplace: Any, scripted: Start):
    server = scripted(speak)
    config = workplace.config(server.base_url)
    workplace.safejury("export-batch", config).refused("3 cases of examined", "--ask")
    assert server.stats.calls == 0
    ended = workplace.safejury("export-batch", config, "--ask")
    assert ended.code == 0, ended.err
    assert server.stats.calls == 3
    answers = workplace.write_lines(all_safe(workplace.lines()))
    assert workplace.safejury("import-batch", config, answers).code == 0
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 3
    assert workplace.report()["targets"][0]["verdicts"] == 3


def test_responses_of_a_run_that_stopped_need_not_be_asked_for(workplace: Any, scripted: Start):
    server = scripted("An answer.")
    jurors = [{"persona": seat, "base_url": NOBODY, "model": "judge"} for seat in SEATS]
    config = workplace.config(server.base_url, jury__jurors=jurors)
    workplace.safejury("run", config).refused("cannot connect")
    asked = server.stats.calls
    ended = workplace.safejury("export-batch", config, "--out", "batch")
    assert ended.code == 0, ended.err
    assert 3 <= len(workplace.lines("batch/*.jsonl")) <= 3 * asked
    assert server.stats.calls == asked


def test_a_case_without_a_response_is_counted_and_left_out(workplace: Any, scripted: Start):
    rows = [{"query_id": name, "response": f"An answer to {name}."} for name in ("q1", "q3")]
    old = {"name": "old", "responses": workplace.write_lines(rows, "responses.jsonl")}
    targets = [old, {"name": "examined", "base_url": NOBODY, "model": "m"}]
    config = workplace.config(scripted().base_url, targets=targets)
    ended = workplace.safejury("export-batch", config)
    assert ended.code == 0, ended.err
    assert len(workplace.lines()) == 6
    assert "3 cases of examined; --ask asks the targets for them" in ended.err
    assert "the target did not answer: 1 error" in ended.err
