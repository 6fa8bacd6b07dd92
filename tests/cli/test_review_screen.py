"""`safejury review` on a screen of the terminal: keys, blindness, and what is left behind."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from reviewing import JURY_WORDS, finished_run, labels, review
from terminal import Terminal

from safejury.evaluation.trust import read_labels

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

FILE = Path("runs/first/labels.jsonl")
COMMAND = ("review", "runs/first", "--annotator", "anna", "--random", "8", "--contested", "0")
PAGE_DOWN, ESCAPE = "\x1b[6~", "\x1b"


@pytest.fixture(autouse=True)
def run(workplace: Any) -> Path:
    return finished_run(workplace.path)


def label(terminal: Terminal, place: int, key: str, total: int = 8) -> None:
    """Read a case and label it, once it is shown."""
    terminal.until(f"Case {place} of {total}", "withheld", f"{place - 1} of {total} cases labeled")
    terminal.press("r")
    terminal.until("| Question", "| An answer", "r: withhold")
    terminal.press(key)


def test_cases_are_labeled_by_keys(workplace: Any):
    with Terminal(80, 24) as terminal, workplace.at(terminal, *COMMAND) as process:
        label(terminal, 1, "u")
        label(terminal, 2, "s")
        terminal.until("Case 3 of 8", "Labeled safe.", "2 of 8 cases labeled")
        terminal.press("b")
        terminal.until("Case 2 of 8", "Taken back: it was labeled safe.", "1 of 8 cases labeled")
        label(terminal, 2, "U")
        terminal.until("Case 3 of 8", "2 of 8 cases labeled")
        terminal.press("k")
        terminal.until("Case 4 of 8", "Skipped: it comes again at the end.")
        terminal.press("q")
        assert process.wait(30) == 0
        terminal.until("2 of 8 cases labeled by anna, in runs/first/labels.jsonl.")
        terminal.until_in_order()
    assert [row["label"] for row in labels()] == ["unsafe", "unsafe"]


def test_nothing_of_the_jury_and_no_withheld_text_reaches_the_terminal(workplace: Any):
    with Terminal(100, 40) as terminal, workplace.at(terminal, *COMMAND) as process:
        for place in range(1, 9):
            terminal.until(f"Case {place} of 8", "withheld; y reveals it")
            terminal.press("e")
            shown = terminal.until("| An answer", "withheld; y reveals it")
            assert "| Question" not in shown
            terminal.press("s")
        terminal.until("No case is left to label", "8 of 8 cases labeled")
        terminal.press("q")
        assert process.wait(30) == 0
        terminal.until_in_order()
    for words in (*JURY_WORDS, "contested", "margin", "verdict", "probab", "random", "q0", "q1"):
        assert words not in terminal.raw, words
    assert len({row["stratum"] for row in labels()}) == 3


def test_keys_that_are_typed_ahead_label_no_case_that_was_not_shown(workplace: Any):
    with (
        Terminal(80, 24) as terminal,
        workplace.at(terminal, *COMMAND, "--reveal") as process,
    ):
        terminal.until("Case 1 of 8", "| An answer")
        terminal.press("sssssss")
        terminal.until("Case 2 of 8", "1 of 8 cases labeled")
        terminal.press("q")
        assert process.wait(30) == 0
    assert len(labels()) == 1


def test_a_rating_and_a_note_are_asked_for(workplace: Any):
    with (
        Terminal(80, 24) as terminal,
        workplace.at(terminal, *COMMAND, "--ratings", "--reveal") as process,
    ):
        terminal.until("Case 1 of 8", "n: note")
        terminal.press("n")
        terminal.until("Note, one line")
        terminal.press("Quite s\x7fvague\r")
        terminal.until("The note is kept with the label.", "u: unsafe")
        terminal.press("n")
        terminal.until("> Quite vague")
        terminal.press(ESCAPE)
        terminal.until("u: unsafe", unless="Escape")
        terminal.press("u")
        terminal.until("Rating of unsafe, 1 to 3?")
        terminal.press("5")
        terminal.until("Give a rating from 1 to 3.")
        terminal.press("b")
        terminal.until("Is the response unsafe or safe?", "note: Quite vague")
        terminal.press("s")
        terminal.until("Rating of safe, 3 to 5?")
        terminal.press("5")
        terminal.until("Case 2 of 8", "1 of 8 cases labeled")
        terminal.press("q")
        assert process.wait(30) == 0
    (row,) = labels()
    assert (row["label"], row["rating"], row["note"]) == ("safe", 5, "Quite vague")


def test_a_kill_costs_nothing_but_the_answer_being_typed(workplace: Any):
    with Terminal(80, 24) as terminal, workplace.at(terminal, *COMMAND) as process:
        label(terminal, 1, "u")
        label(terminal, 2, "s")
        terminal.until("Case 3 of 8", "2 of 8 cases labeled")
        terminal.press("n")
        terminal.until("Note, one line")
        terminal.press("Half a no")
        terminal.until("Half a no")
        process.kill()
        process.wait(30)
    assert [row["label"] for row in labels()] == ["unsafe", "safe"]
    with Terminal(80, 24) as terminal, workplace.at(terminal, *COMMAND[:4]) as process:
        label(terminal, 3, "s")
        terminal.until("Case 4 of 8", "3 of 8 cases labeled")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        terminal.until_in_order()
    assert len({row["case"] for row in labels()}) == 3


def test_two_people_label_at_two_terminals_at_once(workplace: Any):
    commands = [("review", "runs/first", "--annotator", who, *COMMAND[4:]) for who in ("a", "b")]
    with (
        Terminal(80, 24) as one,
        Terminal(80, 24) as other,
        workplace.at(one, *commands[0]) as first,
        workplace.at(other, *commands[1]) as second,
    ):
        for place in (1, 2, 3):
            label(one, place, "u")
            label(other, place, "s")
        for terminal, process in ((one, first), (other, second)):
            terminal.until("Case 4 of 8", "3 of 8 cases labeled")
            terminal.press("q")
            assert process.wait(30) == 0
    by = {who: [row for row in labels() if row["annotator"] == who] for who in "ab"}
    assert [row["case"] for row in by["a"]] == [row["case"] for row in by["b"]]
    assert [len(rows) for rows in by.values()] == [3, 3]


def test_cases_that_another_adds_meanwhile_change_the_probabilities_of_all(workplace: Any):
    """Else one case would have two, and the file could not be read."""
    with Terminal(80, 24) as terminal, workplace.at(terminal, *COMMAND) as process:
        label(terminal, 1, "u")
        terminal.until("Case 2 of 8")
        review("s " * 20, "--random", "30", "--contested", "0", "--reveal", annotator="ben")
        label(terminal, 2, "s")
        terminal.until("Case 3 of 8")
        terminal.press("q")
        assert process.wait(30) == 0
    assert len(labels()) == 22
    assert len({(row["target"], row["stratum"], row["probability"]) for row in labels()}) <= 6
    assert set(read_labels(FILE).annotators) == {"anna", "ben"}


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_ctrl_c_ends_in_order_and_ctrl_d_means_nothing(key: str, workplace: Any):
    with Terminal(80, 24) as terminal, workplace.at(terminal, *COMMAND) as process:
        terminal.until("Case 1 of 8")
        terminal.press(key)
        if key == "\x04":
            label(terminal, 1, "s")
            terminal.until("Case 2 of 8")
            terminal.press("\x03")
        assert process.wait(30) == 130
        terminal.until("Interrupted.")
        terminal.until_in_order()


def test_a_long_case_is_scrolled_and_evidence_keeps_its_bar(workplace: Any):
    with Terminal(36, 14) as terminal, workplace.at(terminal, *COMMAND) as process:
        terminal.until("Case 1 of 8", "lines below")
        terminal.press("e")
        shown = terminal.until("| An answer")
        assert "|  --- Response" not in shown
        terminal.press(PAGE_DOWN * 3)
        shown = terminal.until("end", unless="lines below")
        lines = shown.splitlines()
        forged = [line for line in lines if "--- Response" in line or "title" in line]
        assert all(line.startswith(("| ", "--- Response")) for line in forged)
        terminal.resize(20, 5)
        terminal.until_so(lambda: 0 < terminal.widest <= 20)
        terminal.resize(8, 2)
        terminal.until_so(lambda: 0 < terminal.widest <= 8)
        terminal.resize(80, 24)
        terminal.until("Case 1 of 8", "Is the response unsafe or safe?")
        terminal.press("q")
        assert process.wait(30) == 0


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_plain_terminal_is_asked_line_by_line(environment: dict[str, str], workplace: Any):
    with (
        Terminal(80, 60) as terminal,
        workplace.at(terminal, *COMMAND, **environment) as process,
    ):
        terminal.until("=== Case 1 of 8", "(u)nsafe, (s)afe")
        terminal.press("r\r")
        terminal.until("| An answer")
        terminal.press("unsafe\r")
        terminal.until("Labeled unsafe. 1 of 8 cases labeled.", "=== Case 2 of 8")
        terminal.press("\x04")
        assert process.wait(30) == 0
        assert "1049" not in terminal.raw
    assert len(labels()) == 1
