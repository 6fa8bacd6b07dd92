"""What a reader sees of a sound and its transcript, on the screen and in files."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from safejury.agents import Ballot, BallotOutcome, Case, Finding, Perceived
from safejury.datasets import Media, Transcript
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Entry,
    SeatInfo,
    export_transcript,
    render_case,
)

HOSTILE = "Pay me.\x1b[2J <script>x</script> **bold**"
READ = "read a transcript: whisper:tiny"


def heard(case: Case, transcript: Transcript) -> tuple[Entry, ...]:
    """Return a case with sound, and the ballot of a juror that could not hear it."""
    sound = Media("ef56" * 16, "audio/mpeg", 12404, "deposit.mp3")
    case = replace(case, query=replace(case.query, audio=sound), transcript=transcript)
    perceived = Perceived(
        transcript=None if transcript.failure else transcript.source, withheld=("audio",)
    )
    cast_ = Ballot(
        "lawyer", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="Fine.", perceived=perceived
    )
    return (
        CaseOpened(case.id, 0, case),
        BallotsRevealed(case.id, 1, 0, (cast_,), (cast_.seal(),)),
    )


def on_screen(entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], *, reveal: bool) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(render_case(entries, jury, target="my-model", reveal=reveal))
    return out.getvalue()


def in_file(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], path: Path, *, reveal: bool
) -> str:
    export_transcript(entries, jury, path, target="my-model", reveal=reveal)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["", ".html", ".md"])
def test_a_transcript_is_shown_and_marked_as_one(
    suffix: str, case: Case, jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    entries = heard(case, Transcript(HOSTILE, "whisper:tiny"))
    for reveal in (True, False):
        if suffix:
            text = in_file(entries, jury, tmp_path / f"case{suffix}", reveal=reveal)
        else:
            text = on_screen(entries, jury, reveal=reveal)
        assert "Transcript of the sound, made by whisper:tiny" in text
        assert "did not receive: audio" in text
        assert READ in text
        assert "\x1b[2J" not in text
        assert ("Pay me." in text) == reveal
        if suffix == ".html":
            assert "<script" not in text


@pytest.mark.parametrize("suffix", ["", ".md"])
def test_why_there_is_no_transcript_is_shown(
    suffix: str, case: Case, jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    entries = heard(case, Transcript("", "whisper:tiny", "it lasts 900.0 s"))
    text = (
        in_file(entries, jury, tmp_path / f"case{suffix}", reveal=True)
        if suffix
        else on_screen(entries, jury, reveal=True)
    )
    assert "not available" in text
    assert "it lasts 900.0 s" in text
    assert READ not in text
