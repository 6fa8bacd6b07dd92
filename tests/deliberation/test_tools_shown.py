"""The tools that agents called: in views and exports, shortened, and never as markup."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from safejury.agents import Remark, RemarkOutcome
from safejury.deliberation import (
    BallotsRevealed,
    Entry,
    RemarkMade,
    SeatInfo,
    export_transcript,
)
from safejury.models import ToolUse

USES = (
    ToolUse("look_up", '{"drug": "**bold**"}', "x" * 300),
    ToolUse("look_up", "", "no <b>such</b> drug", failed=True),
    *(ToolUse("ask\x1b[31m", "\n# heading") for _ in range(5)),
)


def _with_tools(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    at = next(n for n, each in enumerate(entries) if isinstance(each, BallotsRevealed))
    revealed = entries[at]
    assert isinstance(revealed, BallotsRevealed)
    first, *others = revealed.ballots
    cast_ = replace(revealed, ballots=(replace(first, tools=USES), *others))
    said = Remark(first.juror, "Juror A", 1, 1, RemarkOutcome.SPOKE, text="Hm.", tools=USES[:1])
    made = RemarkMade(revealed.case_id, 90, said)
    return (*entries[:at], cast_, made, *entries[at + 1 :])


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_tools_are_shown_with_ballots_and_remarks(
    suffix: str, entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...], tmp_path: Path
) -> None:
    path = tmp_path / f"case.{suffix}"
    export_transcript(_with_tools(entries), jury, path, target="t")
    text = path.read_text(encoding="utf-8")
    plain = " ".join(re.sub(r"<[^>]+>|\\", " ", text).split()) if suffix == "html" else text
    plain = plain.replace("\\", "")
    assert "and 2 more calls of tools" in plain
    assert "which failed with no" in plain
    assert "no result" in plain
    assert plain.count("called look") == 2 + 1
    assert "\x1b" not in text
    assert "<b>such" not in text
    assert "\n# heading" not in text
    assert "x" * 101 not in text
    if suffix == "md":
        assert "**bold**" not in text
