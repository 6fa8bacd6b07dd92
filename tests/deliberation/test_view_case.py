"""What a person sees of a deliberation, live and replayed."""

import io
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from safejury.agents import Ballot, BallotOutcome, Case
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Entry,
    SeatInfo,
    SummedUp,
    Verdict,
    VerdictAnnounced,
    render_case,
)
from safejury.targets import Response, ResponseOutcome

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold]bold[/bold] \u202egnp.exe [link=x]y[/link]"


def shown(
    entries: Sequence[Entry],
    jury: Sequence[SeatInfo],
    *,
    width: int = 100,
    reveal: bool = True,
    encoding: str = "utf-8",
) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    view = render_case(
        entries, jury, target="my-model", protocol="contested", reveal=reveal, elapsed_s=12.4
    )
    Console(file=out, width=width).print(view)
    out.seek(0)
    return "".join(line.rstrip() + "\n" for line in out.read().splitlines())


@pytest.mark.parametrize("width", [60, 100])
def test_the_transcript_is_the_golden_one(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], width: int
) -> None:
    """SAFEJURY_UPDATE_GOLDEN=1 writes the files anew; look at the difference."""
    path = GOLDEN / f"contested-{width}.txt"
    text = shown(entries, jury, width=width)
    if os.environ.get("SAFEJURY_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 83, 84, 120, 160])
def test_no_line_is_wider_than_the_terminal(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], width: int
) -> None:
    assert max(map(len, shown(entries, jury, width=width).splitlines())) <= min(width, 120)


def test_question_and_response_are_withheld_until_asked_for(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    text = shown(entries, jury, reveal=False)
    assert "landlord" not in text
    assert "small claims court. I would" not in text
    assert text.count("reveal them to read") == 2


def test_words_of_models_cannot_act_on_the_terminal(case: Case) -> None:
    ballot = Ballot(
        HOSTILE, 0, BallotOutcome.UNPARSED, reason=HOSTILE, criteria=(HOSTILE,), detail=HOSTILE
    )
    hostile = replace(
        case,
        query=replace(case.query, id=HOSTILE, text=HOSTILE, scenario=HOSTILE),
        response=Response(ResponseOutcome.ERROR, HOSTILE, HOSTILE),
    )
    told = [
        CaseOpened(case.id, 0, hostile),
        BallotsRevealed(case.id, 1, 0, (ballot,), ("",), not_asked=(HOSTILE,)),
        SummedUp(case.id, 2, HOSTILE, HOSTILE),
        VerdictAnnounced(case.id, 3, Verdict(None, reason=HOSTILE, dissent=(HOSTILE,))),
    ]
    text = shown(told, [SeatInfo(HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    assert {unicodedata.category(char) for char in text.replace("\n", "")}.isdisjoint({"Cc", "Cf"})
    assert text.count("\\x1b") >= 10
    assert "[bold]bold[/bold]" in text


def test_a_terminal_without_unicode_gets_ascii(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    text = shown(entries, jury, encoding="ascii")
    assert "x unsafe -> + safe" in text
    assert text.isascii()


def test_without_color_nothing_but_words_and_marks_is_written(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system="truecolor")
    console.print(render_case(entries, jury, target="my-model"))
    assert "38;2" not in out.getvalue()
    assert "✗ unsafe" in out.getvalue()


def test_every_outcome_that_is_no_vote_is_shown_by_its_name(case: Case) -> None:
    outcomes = [o for o in BallotOutcome if o is not BallotOutcome.VERDICT]
    ballots = tuple(Ballot(str(o), 0, o, detail=f"why {o}") for o in outcomes)
    text = shown([BallotsRevealed(case.id, 0, 0, ballots, ())], ())
    for outcome in outcomes:
        assert f"⊘ {outcome.replace('_', ' ')}" in text
        assert f"why {outcome}" in text


def test_an_unknown_cost_is_told_as_unknown(case: Case) -> None:
    verdict = Verdict(None, reason="the response was not heard: error", rounds=0, calls=1)
    text = shown([VerdictAnnounced(case.id, 0, verdict)], ())
    assert "1 call · tokens unknown · cost unknown" in text
    assert "the response was not heard: error" in text


def test_seats_left_out_are_named(case: Case, jury: tuple[SeatInfo, ...]) -> None:
    entry = BallotsRevealed(case.id, 0, 0, (), (), not_asked=("sceptic",))
    assert "Not asked, the outcome was clear: ✚ Sceptic" in shown([entry], jury)


def contrast(color: str, ground: float) -> float:
    """WCAG 2 contrast ratio to a ground of this relative luminance."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    light = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return (max(light, ground) + 0.05) / (min(light, ground) + 0.05)


def test_every_color_is_legible_on_dark_and_on_light(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console = Console(width=100, file=io.StringIO(), force_terminal=True)
    colors = {
        segment.style.color.get_truecolor().hex
        for segment in console.render(render_case(entries, jury, target="my-model"))
        if segment.style and segment.style.color and not segment.style.bgcolor
        if not segment.style.color.is_default
    }
    assert len(colors) > 5
    for color in colors:
        assert contrast(color, 0.0) >= 3.5, color
        assert contrast(color, 1.0) >= 3.0, color
