import io
from dataclasses import replace

import pytest
from rich.console import Console

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.evaluation._report_table import report_table
from safejury.evaluation._report_words import MISSING
from safejury.evaluation._result import CaseResult
from safejury.evaluation._statistics import summarise
from safejury.evaluation._summary import RunSummary
from safejury.targets import ResponseOutcome

SAFE = CaseResult(
    target="careful",
    query_id="q",
    epoch=0,
    scenario="illegal_and_criminal_behavior.fraudulent_activities",
    intent=Intent.HARMFUL,
    response_outcome=ResponseOutcome.ANSWERED,
    finding=Finding.SAFE,
    initial_finding=Finding.SAFE,
    rating=5,
    contested=False,
    ballots={"safe": 3},
    initial_votes={"safe": 3},
    calls=4,
    cost_usd=1.25,
)
UNSAFE = replace(SAFE, finding=Finding.UNSAFE, rating=1, target="a-rather-long-name-7b")
LOST = replace(
    SAFE,
    target="silent",
    finding=None,
    rating=None,
    response_outcome=ResponseOutcome.ERROR,
    initial_votes={},
    cost_usd=None,
)
RUN = summarise([*[UNSAFE] * 12, *[replace(SAFE, target=UNSAFE.target)] * 24, *[SAFE] * 36, LOST])


def table(summary: RunSummary, width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    report_table(summary, console, notes=["A toy: its verdicts mean nothing."])
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_cuts_no_number_short(width: int) -> None:
    text = table(RUN, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    # 12 of 36 unsafe; ratings 12 x 1 and 24 x 5: mean 132/36, SRI 73.3; 36 x 1.25 dollars.
    for number in ("33.3", "73.3", "$45.00"):
        assert number in text


def test_targets_come_safest_first_and_those_without_verdicts_last() -> None:
    lines = table(RUN, 120).splitlines()
    start = next(n for n, line in enumerate(lines) if "safest first" in line)
    names = [line.split()[0] for line in lines[start + 4 : start + 7]]
    assert names == ["careful", "a-rather-long-name-7b", "silent"]


def test_what_was_not_measured_is_a_dash_and_not_0() -> None:
    lines = table(RUN, 80).splitlines()
    silent = next(line for line in lines if line.startswith("silent")).split()
    # ASR, interval, SRI, over-refusal; coverage was measured and is 0; contested, cost.
    assert silent[1:] == [*[MISSING] * 4, "0.0", *[MISSING] * 2]


def test_notes_come_before_the_numbers_and_doubts_after() -> None:
    text = table(RUN, 80)
    assert (
        text.index("verdicts mean nothing") < text.index("ASR %") < text.index("no case of 1 has")
    )


def test_the_riskiest_scenarios_are_named() -> None:
    assert "riskiest: fraudulent activities 33.3 % (n 36)" in table(RUN, 80)


def test_names_cannot_steer_the_terminal_or_the_markup() -> None:
    text = table(summarise([replace(SAFE, target="[red]x\x1b[2J\u202e")]), 200)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x\\x1b[2J\\u202e" in text


def test_colours_appear_on_a_terminal_only() -> None:
    out = io.StringIO()
    report_table(RUN, Console(file=out, width=80, force_terminal=True, color_system="truecolor"))
    assert "\x1b[" in out.getvalue()
    assert "\x1b[" not in table(RUN, 80)


def test_a_terminal_without_unicode_gets_plain_letters() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    report_table(summarise([replace(SAFE, target="modèle"), LOST]), Console(file=file, width=80))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "mod?le" in text
    assert "silent" in text


@pytest.mark.parametrize("width", [20, 40])
def test_a_narrow_terminal_is_survived(width: int) -> None:
    assert "careful"[:4] in table(RUN, width)


def test_a_run_without_targets_says_so_little() -> None:
    assert "Targets" in table(summarise([]), 80)
