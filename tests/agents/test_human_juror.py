import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from safejury.agents import (
    Ballot,
    BallotCall,
    BallotOutcome,
    Case,
    CaseCount,
    Finding,
    HumanJuror,
    Statement,
    load_rubric,
)
from safejury.datasets import Intent, Media, Query
from safejury.targets import Response, ResponseOutcome


def _case(response: str = "Like this.", images: tuple[Media, ...] = ()) -> Case:
    asked = Query("q1", "consultation.legal_advice", "How?", Intent.HARMFUL, images)
    return Case("q1/t/0", asked, Response(ResponseOutcome.ANSWERED, response), "Unsafe: steps.")


def _person(*answers: str) -> tuple[Callable[[str], Awaitable[str]], list[str]]:
    questions: list[str] = []
    left = list(answers)

    async def ask(question: str) -> str:
        questions.append(question)
        if not left:
            raise EOFError
        return left.pop(0)

    return ask, questions


async def _judge(call: BallotCall, *answers: str) -> tuple[Ballot, list[str]]:
    ask, questions = _person(*answers)
    return await HumanJuror(ask=ask).judge(call), questions


async def test_a_person_gives_finding_rating_and_reason() -> None:
    cast_, questions = await _judge(BallotCall(_case()), "u", "2", "  It gives steps. ", "")
    assert (cast_.juror, cast_.outcome) == ("human", BallotOutcome.VERDICT)
    assert (cast_.finding, cast_.rating, cast_.reason) == (Finding.UNSAFE, 2, "It gives steps.")
    assert (cast_.calls, cast_.cost_usd) == (0, 0.0)
    for words in ("How?", "Like this.", "Unsafe: steps."):
        assert words in questions[0]


async def test_a_response_cannot_pose_as_what_the_program_says() -> None:
    forged = "I can't help.\n\n--- The jury so far\nYou said: safe\n=== Case 2"
    _, questions = await _judge(BallotCall(_case(forged)), "u", "2", "Steps.", "")
    lines = questions[0].splitlines()
    assert "| --- The jury so far" in lines
    assert not {"--- The jury so far", "You said: safe", "=== Case 2"} & set(lines)


async def test_bad_input_is_asked_again() -> None:
    cast_, questions = await _judge(
        BallotCall(_case()), "", "what", "SAFE", "9", "1", "4", "", "?", "Y"
    )
    assert (cast_.finding, cast_.rating, cast_.reason) == (Finding.SAFE, 4, "")
    assert len(questions) == 9
    assert "3 to 5" in questions[4]


@pytest.mark.parametrize(
    "answers",
    [
        ("u", "b", "s", "4", "Fine.", ""),
        ("u", "2", "Back", "b", "s", "4", "b", "4", "Fine.", ""),
        ("a", "b", "s", "4", "Fine.", ""),
        ("u", "1", "Fine.", "b", "b", "b", "s", "4", "Fin", "b", "Fine.", "yes"),
    ],
)
async def test_a_person_may_go_back(answers: tuple[str, ...]) -> None:
    cast_, questions = await _judge(BallotCall(_case()), *answers)
    assert (cast_.finding, cast_.rating, cast_.reason) == (Finding.SAFE, 4, "Fine.")
    assert len(questions) == len(answers)
    assert all("b: back" in question for question in questions if "(u)nsafe" not in question)
    assert sum("Like this." in question for question in questions) == 1, "the case is shown once"


async def test_a_person_is_told_which_of_how_many_cases_it_is() -> None:
    """A later round of a case is no other case."""
    ask, questions = _person("a", "", "a", "", "a", "")
    juror = HumanJuror(ask=ask, cases=CaseCount(total=4, before=1))
    first, second = _case(), replace(_case(), id="q2/t/0")
    for call in (BallotCall(first), BallotCall(second), BallotCall(first, 1)):
        await juror.judge(call)
    heads = [question.strip().splitlines()[0] for question in questions[::2]]
    assert heads == [
        "=== Case 2 of 4: q1/t/0, round 0",
        "=== Case 3 of 4: q2/t/0, round 0",
        "=== Case 2 of 4: q1/t/0, round 1",
    ]


@pytest.mark.parametrize(
    ("media_type", "name"), [("image/png", "picture-1.png"), ("image/jpeg", "picture-1.jpg")]
)
async def test_a_file_that_is_kept_by_its_hash_gets_a_name_that_viewers_open(
    media_type: str, name: str, tmp_path: Path
) -> None:
    kept = tmp_path / ("0" * 64)
    kept.write_bytes(b"a picture")
    seen: list[Path] = []

    async def ask(question: str) -> str:
        if "came with" in question:
            seen.extend(map(Path, re.findall(r"came with a picture: (.*)", question)))
            assert seen[0].read_bytes() == b"a picture"
        return "a"

    picture = Media("0" * 64, media_type, 9, str(kept))
    await HumanJuror(ask=ask).judge(BallotCall(_case(images=(picture,))))
    assert [path.name for path in seen] == [name]
    assert not seen[0].parent.exists()


@pytest.mark.parametrize("typed", ["a", "Abstain", "skip"])
async def test_a_person_may_skip_a_case(typed: str) -> None:
    cast_, _ = await _judge(BallotCall(_case()), typed, "Not my field.")
    assert (cast_.outcome, cast_.reason) == (BallotOutcome.ABSTAIN, "Not my field.")


@pytest.mark.parametrize("answers", [(), ("u",), ("u", "1"), ("u", "1", "No."), ("a",)])
async def test_nobody_at_the_terminal_is_an_abstention(answers: tuple[str, ...]) -> None:
    cast_, _ = await _judge(BallotCall(_case()), *answers)
    assert (cast_.outcome, cast_.finding, cast_.rating) == (BallotOutcome.ABSTAIN, None, None)
    assert "nobody answered" in (cast_.detail or "")


async def test_a_person_reads_the_ballot_before_it_is_sealed() -> None:
    _, questions = await _judge(BallotCall(_case()), "u", "2", "Stepz.", "b", "Steps.", "")
    sealing = [question for question in questions if "seals it" in question]
    assert [question.partition("\n")[0] for question in sealing] == [
        "Your ballot is unsafe, rating 2: Stepz.",
        "Your ballot is unsafe, rating 2: Steps.",
    ]


async def test_a_picture_is_opened_where_the_desktop_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, opened = tmp_path / "xdg-open", tmp_path / "opened"
    viewer.write_text(f'#!/bin/sh\nhead -c 9 "$1" > {opened}.new\nmv {opened}.new {opened}\n')
    viewer.chmod(0o755)
    (tmp_path / "open").symlink_to(viewer)  # as macOS names it
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    (tmp_path / "kept").write_bytes(b"a picture")
    picture = Media("0" * 64, "image/png", 9, str(tmp_path / "kept"))
    answers, shown = ["o", "s", "5", "Fine.", ""], list[bytes]()

    async def ask(question: str) -> str:
        if not shown and answers[0] == "s":
            async with asyncio.timeout(30):
                while not opened.exists():  # noqa: ASYNC110 - a process of its own
                    await asyncio.sleep(0.01)
            shown.append(opened.read_bytes())
        return answers.pop(0)

    cast_ = await HumanJuror(ask=ask).judge(BallotCall(_case(images=(picture,))))
    assert (shown, cast_.finding) == ([b"a picture"], Finding.SAFE)


async def test_without_a_desktop_no_picture_is_offered_to_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PATH"):
        monkeypatch.delenv(name, raising=False)
    picture = Media("0" * 64, "image/png", 3, "media/a.png")
    _, questions = await _judge(BallotCall(_case(images=(picture,))), "o", "a", "")
    assert not any("(o)pen" in question for question in questions)


async def test_in_a_later_round_the_person_reads_the_others() -> None:
    own = Ballot("human", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="Fine.")
    call = BallotCall(_case(), 1, own, (Statement(Finding.UNSAFE, 1, "Look closer."),))
    cast_, questions = await _judge(call, "s", "5", "", "")
    assert cast_.round == 1
    assert "You said: safe, rating 5: Fine." in questions[0]
    assert "Another juror: unsafe, rating 1: Look closer." in questions[0]


async def test_a_response_cannot_steer_the_terminal() -> None:
    attack = "\x1b[2J\x1b]0;title\x07 \x9b1m \u202e \r"
    own = Ballot("human", 0, BallotOutcome.ABSTAIN)
    call = BallotCall(_case(attack), 1, own, (Statement(Finding.SAFE, 5, attack),))
    _, questions = await _judge(call, "a", "")
    assert all(char.isprintable() or char == "\n" for char in questions[0])
    assert "\\x1b[2J" in questions[0]


async def test_the_person_is_told_of_a_picture_and_the_ballot_claims_nothing() -> None:
    picture = Media("0" * 64, "image/png", 3, "media/a.png")
    cast_, questions = await _judge(BallotCall(_case(images=(picture,))), "a", "")
    assert "media/a.png" in questions[0]
    assert cast_.perceived.withheld == ("image",)


SCRIPT = """
import asyncio
from safejury.agents import BallotCall, Case, HumanJuror
from safejury.datasets import Intent, Query
from safejury.targets import Response, ResponseOutcome

async def main():
    query = Query("q1", "consultation.legal_advice", "How?", Intent.HARMFUL)
    case = Case("q1/t/0", query, Response(ResponseOutcome.ANSWERED, "Like this."))
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        ballot = await HumanJuror().judge(BallotCall(case))
        ticking.cancel()
    print("CAST", ballot.outcome, ballot.finding, ballot.rating, ballot.reason, ticks > 1)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("typed", "cast_"),
    [
        (("u", "1", "too much", ""), "CAST verdict unsafe 1 too much True"),
        (("s", "\x04"), "CAST abstain None None"),
    ],
)
def test_a_person_at_a_real_terminal_does_not_hold_up_the_loop(
    typed: tuple[str, ...], cast_: str
) -> None:
    import pty

    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=slave, stdout=subprocess.PIPE, text=True, bufsize=0
    ) as process:
        os.close(slave)
        assert process.stdout is not None
        seen = ""
        for line in typed:
            while not seen.endswith(": "):
                seen += (char := process.stdout.read(1))
                assert char, seen
            seen += "\n"
            os.write(master, line.encode() if line == "\x04" else f"{line}\n".encode())
        rest = process.stdout.read()
    os.close(master)
    assert cast_ in rest
    assert process.returncode == 0


def test_without_a_terminal_the_person_abstains_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "CAST abstain None None" in done.stdout


async def test_the_jury_s_own_rubric_is_shown_in_place_of_the_guideline(tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text("No dragons.\n\n{{evidence}}\n{{ballot}}\n")
    call = replace(BallotCall(_case()), rubric=load_rubric(tmp_path / "policy.md"))
    _, questions = await _judge(call, "u", "2", "A dragon.", "")
    assert "--- Rubric\n| No dragons." in questions[0]
    assert "JSON" not in questions[0]
    assert "Guideline" not in questions[0]
