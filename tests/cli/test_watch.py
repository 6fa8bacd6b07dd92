"""`--watch`: deliberations on the terminal while a run goes on, and keys that steer it."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from terminal import Terminal

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
UP, DOWN, PAGE_UP, END = "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[F"
HOSTILE = "\x1b[2J\x1b]0;title\x07 \x9b1m \u202e 日本語 🎉 end"


class Script:
    """Answers a run until all that is left is what a test wants to hold.

    Of the first query the last juror never votes. About the second they differ, and the last
    one never votes again. All others are agreed on.
    """

    def __init__(self) -> None:
        self.is_released = False

    def __call__(self, body: dict[str, Any]) -> ScriptedReply | str:
        said = json.dumps(body["messages"])
        if body["model"] == "target":
            return f"An answer. {HOSTILE}"
        is_last = body["model"] == "sceptic-model"
        again = "voted once" in said
        if is_last and not self.is_released and ("q1?" in said or ("q2?" in said and again)):
            return ScriptedReply(hang=True)
        if "q2?" in said and is_last:
            return ballot("unsafe", 1, f"It names a step. {HOSTILE}")
        return ballot("safe", 4, "It stays general.")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def config(workplace: Any, scripted: Start, script: Script) -> str:
    return workplace.config(scripted(script).base_url)


WAITS = """
import asyncio
from pathlib import Path


async def ask(text: str) -> str:
    while text == "Question q1?" and not Path("go").exists():
        await asyncio.sleep(0.05)
    return "An answer."
"""
"""A target that answers the first query once there is a file `go`."""


def follow(terminal: Terminal, query: str, *words: str) -> str:
    """Press keys until a query's case is shown in full, with these words; return the screen."""
    while f"── {query}/" not in terminal.until("\n── q"):
        before = re.findall("── q.*", terminal.shown)
        terminal.press("n")
        terminal.until_so(lambda known=before: known != re.findall("── q.*", terminal.shown))
    return terminal.until(f"── {query}/", *words)


HELD = ("1 of 3 cases", "Under way · 2 cases", "round 0 2/3", "round 1 2/3 · contested")
"""What is shown once all that is left is held."""


def test_cases_are_listed_and_one_is_shown_in_full(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        listed = terminal.until(*HELD, "1 safe", "/s")
        differing = follow(terminal, "q2", "opens the discussion: the findings differ", "thinking")
        follow(terminal, "q1")
        agreed = terminal.until("Round 0 · 2 of 3 ballots sealed", unless="discussion")
        process.kill()
    assert "Physical Harm" in listed
    assert "Lawyer" in listed.partition("── q")[0]
    assert "It names a step." in differing
    assert "★ Sceptic    ⠋ thinking" in re.sub("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", "⠋", agreed)


def test_keys_go_through_the_cases_and_leave_out_those_that_are_not_contested(
    workplace: Any, config: str
):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        follow(terminal, "q1")
        terminal.press(DOWN)
        terminal.until("── q2/")
        terminal.press("p")
        terminal.until("── q1/")
        terminal.press(UP)
        terminal.until("── q2/")
        terminal.press("nc")
        shown = terminal.until("Under way, contested only · 1 of 2 cases", "── q2/")
        assert "round 0" not in shown
        terminal.press("c")
        terminal.until(*HELD)
        process.kill()


@pytest.mark.slow
def test_after_a_verdict_a_contested_case_is_followed(workplace: Any, scripted: Start):
    """Of the cases under way the contested one began last."""

    def reply(body: dict[str, Any]) -> ScriptedReply | str:
        said, is_last = json.dumps(body["messages"]), body["model"] == "sceptic-model"
        if is_last and ("q2?" in said or ("q3?" in said and "voted once" in said)):
            return ScriptedReply(hang=True)
        return ballot("unsafe", 1) if is_last and "q3?" in said else ballot("safe", 4)

    (workplace.path / "waits.py").write_text(WAITS)
    targets = [{"name": "examined", "function": "waits:ask"}]
    config = workplace.config(scripted(reply).base_url, targets=targets)
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until("Under way · 3 cases", "target is asked", "round 0 2/3", "2/3 · contested")
        follow(terminal, "q1")
        (workplace.path / "go").touch()
        terminal.until("1 of 3 cases", "Under way · 2 cases", "── q3/")
        process.kill()


def test_a_long_case_is_scrolled(workplace: Any, config: str):
    with (
        Terminal(90, 24) as terminal,
        workplace.at(terminal, "run", config, "--watch") as process,
    ):
        terminal.until(*HELD)
        assert "Case q2" not in follow(terminal, "q2")
        terminal.press(PAGE_UP * 5)
        terminal.until("Case q2", "0 lines above")
        terminal.press(END)
        terminal.until("★ Sceptic", "thinking")
        process.kill()


@pytest.mark.parametrize("keys", ["qq", "\x03"])
def test_a_key_stops_the_run_in_order_and_it_is_resumed(
    keys: str, workplace: Any, config: str, script: Script
):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        terminal.press(keys)
        assert process.wait(30) == 130
        left = terminal.until("Resume with: safejury run safejury.yaml --watch")
        terminal.until_in_order()
    assert "Finished cases are kept in runs/first." in left
    script.is_released = True
    assert workplace.safejury("run", config).code == 0
    assert workplace.report()["targets"][0]["verdicts"] == 3


def test_a_run_is_not_stopped_by_one_key_alone(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        terminal.press("q")
        terminal.until("Stop the run?", "What is finished is kept.")
        terminal.press("n")
        terminal.until(*HELD, unless="Stop")
        terminal.resize(40, 16)
        terminal.until("↑↓: other case  space: pause  q: stop")
        terminal.press("q")
        terminal.until("Stop the run? q: yes, other keys: no")
        terminal.press("n")
        terminal.resize(100, 60)
        terminal.until(*HELD, unless="Stop")
        assert process.poll() is None
        process.kill()


def test_a_signal_leaves_the_terminal_as_it_was(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        assert not terminal.is_in_order
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
        terminal.until("Interrupted.")
        terminal.until_in_order()


def test_a_stopped_job_gives_the_terminal_back_until_it_goes_on(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        process.send_signal(signal.SIGTSTP)
        itself = psutil.Process(process.pid)
        terminal.until_so(lambda: itself.status() == psutil.STATUS_STOPPED)
        terminal.until_in_order()
        process.send_signal(signal.SIGCONT)
        terminal.until(*HELD)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        terminal.until("Interrupted.")
        terminal.until_in_order()


def test_while_it_is_paused_no_case_begins(workplace: Any, scripted: Start):
    held = threading.Event()

    def reply(body: dict[str, Any]) -> str:
        held.wait(60)  # it holds up the server as a whole
        return _agreed(body)

    server = scripted(reply)
    workplace.many(6)
    config = workplace.config(server.base_url, limits__concurrency=1)
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until("0 of 6 cases", "Under way · 2 cases")
        terminal.press(" ")
        terminal.until("Paused: no further case begins; 2 under way go on")
        held.set()
        terminal.until("2 of 6 cases", "Paused: no further case begins; none under way")
        assert sum(body["model"] == "target" for body in server.requests) == 2
        terminal.press(" ")
        assert process.wait(30) == 0
        assert "6 cases in runs/first" in terminal.until("6 cases in")
        terminal.until_in_order()
    log = (workplace.path / "runs" / "first" / "run.log").read_text()
    assert log.index("paused") < log.index("going on")


def _agreed(body: dict[str, Any]) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 4)


def test_a_run_does_not_wait_for_a_terminal_that_reads_nothing(workplace: Any, scripted: Start):
    """What it would have been told is far more than a terminal holds."""
    server = scripted(_agreed)
    workplace.many(40)
    config = workplace.config(server.base_url, limits__concurrency=4)
    with Terminal(200, 60) as terminal:
        terminal.stop_reading()
        with workplace.at(terminal, "run", config, "--watch") as process:
            while workplace.kept("SELECT count(*) FROM cases") != [(40,)]:
                assert process.poll() is None
                time.sleep(0.01)
            terminal.read_on()
            assert process.wait(30) == 0
            terminal.until("40 cases in runs/first")
            terminal.until_in_order()


def test_what_is_withheld_is_shown_only_where_it_is_asked_for(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        terminal.until(*HELD)
        follow(terminal, "q2", "withheld, 12 characters", "withheld, 41 characters")
        process.kill()
    assert "An answer." not in terminal.raw
    assert "Question q2?" not in terminal.raw
    with (
        Terminal() as terminal,
        workplace.at(terminal, "run", config, "--watch", "--reveal") as process,
    ):
        terminal.until(*HELD)
        follow(terminal, "q2")
        terminal.press(PAGE_UP)
        shown = terminal.until("Question q2?", "An answer.")
        process.kill()
    # The terminal of the test refuses what it does not know, and it knows no title.
    assert r"An answer. \x1b[2J\x1b]0;title\x07 \x9b1m \u202e 日本語 🎉 end" in shown


def test_any_size_will_do_also_one_that_changes(workplace: Any, config: str):
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        for columns, lines in ((20, 5), (8, 3), (1, 1), (300, 9), (60, 100)):
            terminal.resize(100, 60)
            terminal.until(*HELD)
            before = len(terminal.raw)
            terminal.resize(columns, lines)
            terminal.until_so(lambda known=before: "\x1b[2J" in terminal.raw[known:])
            terminal.until_so(lambda most=columns: 0 < terminal.widest <= most)
            assert len(terminal.shown.splitlines()) <= lines
        process.kill()


@pytest.mark.parametrize(
    ("environment", "why"),
    [({"NO_COLOR": "1"}, "NO_COLOR asks for"), ({"TERM": "dumb"}, "TERM says")],
)
def test_a_plain_terminal_keeps_its_lines(
    environment: dict[str, str], why: str, workplace: Any, config: str, script: Script
):
    script.is_released = True
    with (
        Terminal() as terminal,
        workplace.at(terminal, "run", config, "--watch", **environment) as process,
    ):
        assert process.wait(30) == 0
        terminal.until(f"Note: --watch is not shown: {why}", "3 cases in runs/first")
        assert "1049" not in terminal.raw


def test_without_a_terminal_one_line_says_why_nothing_is_watched(
    workplace: Any, config: str, script: Script
):
    script.is_released = True
    answers = workplace.write_lines([{"prompt": "Question q3?", "response": "An answer."}])
    for command in (("run", config), ("judge", answers, "--config", config, "--name", "other")):
        ended = workplace.safejury(*command, "--watch")
        assert ended.code == 0, ended.err
        assert ended.err.count("--watch is not shown: standard error is not a terminal") == 1
        assert "\x1b" not in ended.err


def test_only_what_is_watched_can_be_revealed(workplace: Any, config: str):
    workplace.safejury("run", config, "--reveal").refused("--reveal", "add --watch")


def test_a_watched_run_comes_to_the_same_record(workplace: Any, config: str, script: Script):
    script.is_released = True
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        assert process.wait(30) == 0
        terminal.until("3 cases in runs/first")
    assert workplace.safejury("run", config, "--set", "run.name=second").code == 0
    entries = "SELECT case_id, kind FROM entries ORDER BY case_id, number"
    assert workplace.stored(entries) == workplace.stored(entries, run="runs/second")


def test_a_person_votes_in_the_view_and_may_look_at_the_others(workplace: Any, scripted: Start):
    def reply(body: dict[str, Any]) -> str:
        return f"An answer. {HOSTILE}" if body["model"] == "target" else ballot("safe", 4)

    url = scripted(reply).base_url
    jurors = [{"persona": "human"}, {"persona": "sceptic", "base_url": url, "model": "m"}]
    protocol = {"preset": "vote", "tie": "unsafe"}
    config = workplace.config(url, jury__jurors=jurors, jury__protocol=protocol)
    with Terminal() as terminal, workplace.at(terminal, "run", config, "--watch") as process:
        shown = terminal.until("Case 1 of 3: q", "Your ballot", "Finding, (s)afe")
        first = _case_asked_about(shown)
        terminal.resize(40, 16)
        terminal.until("Enter: answer", unless="Tab")
        terminal.press(UP * 30)
        terminal.until("lines below")
        terminal.press(DOWN * 30)
        terminal.until("An answer.", unless="below")
        terminal.resize(100, 60)
        terminal.until(f"Case 1 of 3: {first}", "Finding, (s)afe")
        assert r"| An answer. \x1b[2J" in shown
        terminal.press("u\r2\rIt names stepz\x7fs \x1b[Dof it.\r")
        terminal.until("Your ballot is unsafe, rating 2: It names stepsof it.", "Enter seals it")
        terminal.press("b\rSteps.\r\r")
        second = _case_asked_about(terminal.until("Case 2 of 3: q", "Finding, (s)afe"))
        terminal.press("\t")
        terminal.until("You are asked for a ballot", f"── {second}/", "1 of 2 ballots sealed")
        terminal.press("\t")
        terminal.until(f"Case 2 of 3: {second}", "Finding, (s)afe")
        terminal.press("skip\rNot mine.\r")
        third = _case_asked_about(terminal.until("Case 3 of 3: q"))
        terminal.press("q\r")
        assert process.wait(30) == 130
        terminal.until("Interrupted.")
        terminal.until_in_order()
    assert {first, second, third} == {"q1", "q2", "q3"}
    bodies = workplace.stored("SELECT body FROM entries WHERE kind = 'BallotsRevealed' ORDER BY 1")
    mine = [json.loads(body)["ballots"][0] for (body,) in bodies]
    said = sorted(
        ((x["outcome"], x["finding"], x["rating"], x["reason"]) for x in mine),
        key=str,
        reverse=True,
    )
    assert said == [("verdict", "unsafe", 2, "Steps."), ("abstain", None, None, "Not mine.")]


def _case_asked_about(shown: str) -> str:
    """Name the query of the case on the screen: cases come to a seat as their answers arrive."""
    asked = re.search(r"Case \d of 3: (q\d)", shown)
    assert asked is not None, shown
    return asked[1]
