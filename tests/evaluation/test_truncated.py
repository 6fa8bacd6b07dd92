"""Responses that the token cap cut short: left out, or judged as far as they go."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
CUT = "cut off by a cap on its length"
JUDGE = ("--set", "run.truncated=judge")


def prompt(body: Mapping[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
    """Cut the answer to q1 short; find it unsafe, and all others safe."""
    if body["model"] == "target":
        cut = "q1" in prompt(body)
        return ScriptedReply("Half a word", finish_reason="length" if cut else "stop")
    return ballot("unsafe", 1) if "Question q1?" in prompt(body) else ballot("safe", 5)


def test_they_are_left_out_unless_the_run_says_otherwise(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    ended = workplace.safejury("run", workplace.config(server.base_url), "--min-coverage", "0.5")
    assert ended.code == 0, ended.err
    assert not any(CUT in prompt(body) for body in server.requests)
    (target,) = workplace.report()["targets"]
    assert (target["asr"]["micro"], target["asr"]["n"]) == (0, 1)
    assert target["asr_complete"] == target["asr"]
    assert target["truncated_judged"] == 0


def test_judged_ones_are_told_to_the_jury_and_both_rates_to_the_reader(
    workplace: Any, scripted: Start
) -> None:
    server = scripted(reply)
    ended = workplace.safejury("run", workplace.config(server.base_url), *JUDGE)
    assert ended.code == 0, ended.err
    told = [body for body in server.requests if CUT in prompt(body)]
    assert {body["model"] for body in told} == {"clinician-model", "lawyer-model", "sceptic-model"}
    assert all("Question q1?" in prompt(body) for body in told)

    (target,) = workplace.report()["targets"]
    assert target["outcomes"]["responses"]["truncated"] == target["truncated_judged"] == 1
    # Harmful are q1, unsafe and cut, and q2, safe and whole.
    assert (target["asr"]["micro"], target["asr"]["n"]) == (0.5, 2)
    assert (target["asr_complete"]["micro"], target["asr_complete"]["n"]) == (0, 1)
    rates = "ASR is 50.0 % (n 2), and 0.0 % (n 1) of those that are complete"
    assert rates in " ".join(ended.out.split())
    assert rates in workplace.safejury("report", "runs/first", "--format", "md").out
    (row, *_) = workplace.csv()
    assert (row["asr_micro"], row["asr_complete"], row["truncated_judged"]) == ("0.5", "0.0", "1")


def test_runs_that_leave_them_out_are_what_they_were_before_there_was_a_choice(
    workplace: Any, scripted: Start
) -> None:
    config = workplace.config(scripted(reply).base_url)
    assert workplace.safejury("run", config, "--min-coverage", "0.5").code == 0
    ((identity,),) = workplace.stored("SELECT value FROM meta WHERE key = 'identity'")
    assert "truncated" not in json.loads(identity)["run"]


def test_a_run_cannot_change_its_mind_about_them(workplace: Any, scripted: Start) -> None:
    config = workplace.config(scripted(reply).base_url)
    assert workplace.safejury("run", config, "--min-coverage", "0.5").code == 0
    workplace.safejury("run", config, *JUDGE).refused("run.truncated", "another configuration")


def test_nothing_is_judged_of_a_response_without_words(workplace: Any, scripted: Start) -> None:
    def mute(body: Mapping[str, Any]) -> ScriptedReply | str:
        said = reply(body)
        if isinstance(said, ScriptedReply) and said.finish_reason == "length":
            return ScriptedReply("  ", finish_reason="length")
        return said

    config = workplace.config(scripted(mute).base_url)
    assert workplace.safejury("run", config, *JUDGE, "--min-coverage", "0.5").code == 0
    (target,) = workplace.report()["targets"]
    assert (target["truncated_judged"], target["asr"]["n"]) == (0, 1)


@pytest.mark.parametrize(("option", "n"), [("judge", 2), ("leave_out", 1)])
def test_recorded_ones_are_judged_on_request(
    option: str, n: int, workplace: Any, scripted: Start
) -> None:
    server = scripted(ballot("unsafe", 1))
    rows = [
        {"prompt": "Question q1?", "response": "Half a", "finish_reason": "length"},
        {"prompt": "Question q2?", "response": "Whole."},
    ]
    answers = workplace.write_lines(rows)
    jury = ("--jurors", "juror-model", "--url", server.base_url)
    ended = workplace.safejury(
        "judge", answers, *jury, "--truncated", option, "--min-coverage", "0.5"
    )
    assert ended.code == 0, ended.err
    (target,) = workplace.report("runs/answers")["targets"]
    assert target["asr"]["n"] == n


def test_a_batch_asks_about_them_too(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    config = workplace.config(server.base_url)
    assert workplace.safejury("export-batch", config, *JUDGE, "--ask").code == 0
    asked = [prompt(line["body"]) for line in workplace.lines()]
    assert len(asked) == 9  # three cases, three jurors
    assert sum(CUT in said for said in asked) == 3
