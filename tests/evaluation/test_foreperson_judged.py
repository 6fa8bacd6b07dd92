"""Runs in which the foreperson decides, or misstates what the jury found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

DECIDED = '{"reason": "I weighed it.", "finding": "unsafe", "rating": 2}'


def served(reply: Callable[[dict[str, Any]], str | ScriptedReply]) -> Callable[..., Any]:
    def say(body: dict[str, Any]) -> str | ScriptedReply:
        if body["model"] == "target":
            return "Like this."
        if body["model"] == "presides":
            return reply(body)
        return ballot("safe", 5, "It names no step.")

    return say


def config(workplace: Any, url: str, **protocol: object) -> str:
    return workplace.config(
        url,
        jury__protocol={"preset": "vote", **protocol},
        jury__foreperson={"base_url": url, "model": "presides"},
    )


def test_a_run_says_how_often_the_foreperson_decides_unlike_the_majority(
    workplace: Any, scripted: Start
):
    asked: list[Any] = []

    def reply(body: dict[str, Any]) -> str:
        asked.append(body)
        return (
            DECIDED if len(asked) > 1 else DECIDED.replace('"unsafe"', '"safe"').replace("2", "5")
        )

    server = scripted(served(reply))
    ended = workplace.safejury("run", config(workplace, server.base_url, rule="foreperson"))
    assert ended.code == 0, ended.err
    assert "The foreperson's decisions (rule: foreperson)" in ended.out
    [target] = workplace.report()["targets"]
    said = {name: target["foreperson"][name] for name in ("decided", "differing", "undecided")}
    assert said == {"decided": 3, "differing": 2, "undecided": 0}
    assert target["outcomes"]["verdicts"]["unsafe"] == 2
    assert target["flips"]["verdicts_changed"] == 0
    assert target["calls"] == 3 * (1 + 3 + 1)
    words = workplace.safejury("report", "runs/first", "--format", "md").out
    assert "Decided by the foreperson: 3 cases, 2 (66.7 %) unlike the majority" in words
    rows = workplace.safejury("report", "runs/first", "--format", "csv").out.splitlines()
    column = rows[0].split(",").index("foreperson_unlike_majority")
    assert rows[1].split(",")[column] == "2"
    listed = workplace.safejury("cases", "runs/first", "--unsafe", "--format", "jsonl").out
    case = json.loads(listed.splitlines()[0])["case_id"]
    for suffix in ("md", "html", "svg"):
        shown = workplace.safejury("show", "runs/first", case, "--export", f"case.{suffix}")
        assert shown.code == 0
    assert "I weighed it." in workplace.safejury("show", "runs/first", case).out
    written = Path("case.md").read_text(encoding="utf-8")
    assert "- Rating: 2 of 5, the foreperson's\n" in written
    assert "- Round 0: majority safe\n" in written
    assert workplace.safejury("verify", "runs/first").code == 0

    # Each call is in the journal: with its cases gone, the run is finished without another.
    before = len(asked)
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect("runs/first/record.sqlite")) as record, record:
        record.execute("DELETE FROM cases WHERE case_id = 'q1/examined/0'")
        record.execute("DELETE FROM entries WHERE case_id = 'q1/examined/0'")
    again = workplace.safejury("run", "safejury.yaml")
    assert again.code == 0, again.err
    assert len(asked) == before


def test_a_lost_decision_is_no_verdict_and_is_asked_for_again(workplace: Any, scripted: Start):
    up = [False]
    server = scripted(served(lambda _: DECIDED if up[0] else ScriptedReply("no", status=500)))
    path = config(workplace, server.base_url, rule="foreperson")
    ended = workplace.safejury("run", path)
    assert ended.code == 3, ended.err
    [target] = workplace.report()["targets"]
    assert (target["verdicts"], target["foreperson"]["undecided"]) == (0, 3)
    assert "because the foreperson gave no decision" in " ".join(ended.out.split())
    up[0] = True
    ended = workplace.safejury("run", path, "--retry-failed")
    assert ended.code == 0, ended.err
    [target] = workplace.report()["targets"]
    assert (target["verdicts"], target["foreperson"]["decided"]) == (3, 3)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"rule": "foreperson", "stop": "curtailed"}, "stop: curtailed cannot go with"),
        ({"rule": "foreperson"}, "name a model as jury.foreperson"),
    ],
)
def test_a_protocol_that_does_not_fit_is_refused_at_once(
    protocol: dict[str, str], said: str, workplace: Any
):
    path = workplace.config(jury__protocol={"preset": "vote", **protocol})
    if "stop" in protocol:
        path = config(workplace, "http://127.0.0.1:9/v1", **protocol)
    workplace.safejury("run", path).refused(said)


def test_only_a_run_whose_foreperson_decides_is_known_by_those_prompts(
    workplace: Any, scripted: Start
):
    server = scripted(served(lambda _: DECIDED))
    config(workplace, server.base_url)
    assert workplace.safejury("run", "safejury.yaml").code == 0
    assert "foreperson_decision" not in workplace.report()["run"]["config"]["prompts"]
    path = config(workplace, server.base_url, rule="foreperson")
    workplace.safejury("run", path).refused("was started with another configuration")


def test_summaries_that_misstate_the_votes_are_counted(workplace: Any, scripted: Start):
    server = scripted(served(lambda _: "Two of three jurors found it unsafe."))
    path = config(workplace, server.base_url, summary="always")
    ended = workplace.safejury("run", path)
    assert ended.code == 0, ended.err
    told = "3 summaries of the foreperson were left out: they misstated the votes or the verdict"
    assert told in " ".join(ended.out.split())
    [target] = workplace.report()["targets"]
    assert target["foreperson"]["summaries_dropped"] == 3
    assert told in workplace.safejury("report", "runs/first", "--format", "md").out
    shown = " ".join(workplace.safejury("show", "runs/first", "q1").out.split())
    assert "the summary is left out: it says that 2 found it unsafe, and 0 of 3 did" in shown
    assert "Two of three jurors" not in shown
    # What the model said was paid for, and is counted.
    assert target["calls"] == 3 * (1 + 3 + 1)
    assert json.dumps(server.requests).count('"presides"') == 3
