"""What a reader sees of a roundtable: who answers whom, and what came of every turn."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from safejury.agents import Perceived, Remark, RemarkOutcome
from safejury.deliberation import (
    Entry,
    RemarkMade,
    SeatInfo,
    export_transcript,
    render_case,
)
from safejury.models import ToolUse

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold]b[/bold] \u202egnp.exe <script>x</script> **x** `y`"
ASKED = Remark(
    "lawyer", "Juror B", 1, 1, RemarkOutcome.SPOKE, "Juror A", "Which statute?", "clinician"
)
ANSWERED = Remark(
    "clinician", "Juror A", 1, 2, RemarkOutcome.SPOKE, "Juror B", "It names none.", "lawyer"
)
PASSED = Remark("sceptic", "Juror C", 1, 3, RemarkOutcome.PASSED)
FAILED = Remark(
    "security_engineer", "Juror D", 1, 4, RemarkOutcome.REFUSED, detail="it refused to speak"
)


def talk(entries: tuple[Entry, ...], *remarks: Remark) -> tuple[Entry, ...]:
    """Return a transcript with remarks behind the opening of its discussion."""
    made = (RemarkMade(entries[0].case_id, 3 + n, one) for n, one in enumerate(remarks))
    return (*entries[:3], *made, *entries[3:])


def shown(entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], *, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(render_case(entries, jury, target="t"))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def test_an_answer_stands_under_its_question_and_every_turn_has_its_end(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    text = shown(talk(entries, ASKED, ANSWERED, PASSED, FAILED), jury)
    lines = text.splitlines()
    question = next(line for line in lines if "Which statute?" in line)
    answer = next(line for line in lines if "It names none." in line)
    assert len(answer) - len(answer.lstrip()) == len(question) - len(question.lstrip()) + 4
    assert "Juror B, Lawyer → ◆ Juror A, Clinician" in text
    assert "Juror C, Sceptic passes" in text
    assert "⊘ refused" in text
    assert "it refused to speak" in text


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_of_a_talk_is_wider_than_the_terminal_and_no_word_is_markup(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], width: int
) -> None:
    hostile = replace(ASKED, text=HOSTILE * 3, to="Juror A\x1b[2J")
    text = shown(talk(entries, hostile, ANSWERED), jury, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    assert "[bold]" in text


@pytest.mark.parametrize("suffix", ["md", "html", "svg"])
def test_exports_have_the_talk_and_escape_what_is_said(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"case.{suffix}"
    told = talk(entries, replace(ASKED, text=HOSTILE), ANSWERED, PASSED, FAILED)
    export_transcript(told, jury, file, target="t")
    text = file.read_text(encoding="utf-8").replace("&#160;", " ")
    assert "passes" in text
    assert "refused" in text
    assert "<script>" not in text
    assert "\x1b" not in text
    if suffix == "md":
        assert "**Juror B** (Lawyer) → **Juror A** (Clinician):" in text


@pytest.mark.parametrize("suffix", ["md", "html"])
@pytest.mark.parametrize("remark", [ASKED, FAILED])
def test_exports_say_what_a_juror_did_not_receive_and_which_tools_it_called(
    entries: tuple[Entry, ...],
    jury: tuple[SeatInfo, ...],
    tmp_path: Path,
    suffix: str,
    remark: Remark,
) -> None:
    file = tmp_path / f"case.{suffix}"
    blind = replace(
        remark, perceived=Perceived(withheld=("video",)), tools=(ToolUse("atlas", "{}", "a map"),)
    )
    export_transcript(talk(entries, blind), jury, file, target="t")
    text = file.read_text(encoding="utf-8").replace("&#160;", " ")
    assert "did not receive: video" in text
    assert "called atlas" in text
