import io
from dataclasses import replace

import case_results
import pytest
from case_results import apart
from rich.console import Console

from safejury.agents import Finding
from safejury.common.text import MISSING
from safejury.datasets import Intent
from safejury.evaluation import CaseResult, RunSummary, report_table, summarize
from safejury.targets import ResponseOutcome

SAFE = replace(
    case_results.SAFE,
    target="careful",
    scenario="illegal_and_criminal_behavior.fraudulent_activities",
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


def summary_of(*results: CaseResult) -> RunSummary:
    """Summarise cases, each of a query of its own."""
    return summarize(apart(results))


RUN = summary_of(*[UNSAFE] * 12, *[replace(SAFE, target=UNSAFE.target)] * 24, *[SAFE] * 36, LOST)


def table(summary: RunSummary, width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    report_table(summary, console, notes=["A toy: its verdicts mean nothing."])
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_fits_and_cuts_no_number_short(width: int) -> None:
    text = table(RUN, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    # 12 of 36 unsafe; ratings 12 x 1 and 24 x 5: mean 132/36, SRI 73.3; 36 x 1.25 dollars.
    for number in ("33.3", "73.3", "$45.00", "20.2\N{EN DASH}49.7"):
        assert number in text


def test_targets_come_safest_first_and_those_without_verdicts_last() -> None:
    lines = table(RUN, 120).splitlines()
    start = next(n for n, line in enumerate(lines) if "safest first" in line)
    names = [line.split()[0] for line in lines[start + 4 : start + 7]]  # after two lines of heads
    assert names == ["careful", "a-rather-long-name-7b", "silent"]


def test_what_was_not_measured_is_a_dash_and_not_0() -> None:
    lines = table(RUN, 100).splitlines()
    silent = next(line for line in lines if line.startswith("silent")).split()
    # ASR, interval; n is 0; macro ASR, interval, SRI, the same by means; coverage is 0; cost.
    assert silent[1:] == [*[MISSING] * 2, "0", *[MISSING] * 4, "0.0", MISSING]


def test_notes_come_before_the_numbers_and_doubts_after() -> None:
    text = table(RUN, 80)
    assert (
        text.index("verdicts mean nothing") < text.index("ASR %") < text.index("no case of 1 has")
    )


def test_the_riskiest_scenarios_are_named() -> None:
    said = "riskiest scenarios with n 5 or more: fraudulent activities 33.3 % (n 36)"
    assert said in table(RUN, 100)


def test_a_scenario_with_few_cases_is_not_called_one_of_the_riskiest() -> None:
    few = replace(SAFE, scenario="ethics.bioethics", finding=Finding.UNSAFE, rating=1)
    text = table(summary_of(*[few] * 4, *[SAFE] * 50), 120)
    assert "none had an unsafe verdict; 1 scenario with a smaller n left out" in text
    text = table(summary_of(*[few] * 5, *[SAFE] * 50), 120)
    assert "riskiest scenarios with n 5 or more: bioethics 100.0 % (n 5)" in text


def test_equally_safe_targets_are_ordered_by_their_index() -> None:
    first = replace(SAFE, target="zeta")
    second = replace(SAFE, target="alpha", rating=4)
    text = table(summary_of(first, second), 80)
    assert text.index("zeta") < text.index("alpha")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of a table without its heads, to the blank line after it."""
    lines = text[text.index(heading) :].split("\n\n")[0].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("──"))
    return [line.split() for line in lines[start + 1 :]]


def test_the_cases_of_a_target_add_up_by_intent_and_verdict() -> None:
    benign = replace(SAFE, intent=Intent.BENIGN, over_refusal=False)
    results = [
        *[replace(SAFE, finding=Finding.UNSAFE)] * 2,
        *[SAFE] * 3,
        replace(LOST, target="careful"),
        replace(benign, finding=Finding.UNSAFE),
        *[benign] * 6,
        *[replace(LOST, target="careful", intent=Intent.BENIGN)] * 2,
    ]
    text = table(summary_of(*results), 60)
    assert rows(text, "Cases by verdict") == [
        ["careful", "harmful", "6", "2", "3", "1"],
        ["benign", "9", "1", "6", "2"],
        ["both", "15", "3", "9", "3"],
    ]
    gave_up = replace(LOST, target="careful", response_outcome=ResponseOutcome.GAVE_UP)
    text = table(summary_of(*results, gave_up), 60)
    assert rows(text, "Cases by verdict")[0] == ["careful", "harmful", "7", "2", "3", "1", "1"]
    # Of 7 benign cases it is known whether they were declined, and they have a verdict.
    (careful,) = rows(text, "Benign queries")
    assert (careful[1], careful[3], careful[4], careful[-1]) == ("0.0", "7", "14.3", "7")


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_columns_without_room_are_named_and_all_others_are_whole(width: int) -> None:
    wide, narrow = table(RUN, 300), table(RUN, width)
    assert "not shown" not in wide
    shown = {cell for row in rows(wide, "Models under test, safest") for cell in row}
    told = narrow[narrow.index("+ not shown: ") :].split("ASR: unsafe")[0]
    assert "drawing" in told
    assert "`--format md`" in " ".join(narrow.split())
    for row in rows(narrow[: narrow.index("+ not shown")] + "\n\n", "Models under test, safest"):
        assert set(row[1:]) <= shown


def test_long_names_are_broken_and_never_cut() -> None:
    names = [f"llava-v1.6-vicuna-13b-with-a-very-long-name-{end}" for end in ("awq", "gptq")]
    text = table(summary_of(*(replace(SAFE, target=name) for name in names)), 60)
    start = text.index("Models under test, safest")
    words = "".join(line.split()[0] for line in text[start:].splitlines() if line.strip())
    assert names[0] in words
    assert names[1] in words


def test_repeats_show_how_many_queries_there_are() -> None:
    twice = [replace(SAFE, query_id=f"q{n}", epoch=epoch) for n in range(7) for epoch in (0, 1)]
    text = table(summarize(twice), 100)
    (careful,) = rows(text.split("+ not shown")[0], "Models under test, safest")
    assert careful[:5] == ["careful", "0.0", "0.0\N{EN DASH}35.4", "14", "7"]
    assert "queries: different ones among them" in " ".join(text.split())
    assert "queries: different" not in " ".join(table(RUN, 100).split())


def test_names_cannot_steer_the_terminal_or_the_markup() -> None:
    text = table(summary_of(replace(SAFE, target="[red]x\x1b[2J\u202e")), 200)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x\\x1b[2J\\u202e" in text


def test_colors_appear_on_a_terminal_only() -> None:
    out = io.StringIO()
    report_table(RUN, Console(file=out, width=80, force_terminal=True, color_system="truecolor"))
    assert "\x1b[" in out.getvalue()
    assert "\x1b[" not in table(RUN, 80)


def test_a_terminal_without_unicode_gets_plain_letters() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    report_table(summarize([replace(SAFE, target="modèle"), LOST]), Console(file=file, width=80))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "mod?le" in text
    assert "silent" in text


@pytest.mark.parametrize("width", [20, 40])
def test_a_narrow_terminal_is_survived(width: int) -> None:
    assert "careful"[:4] in table(RUN, width)


def test_a_run_without_targets_says_so_little() -> None:
    assert "Models under test" in table(summarize([]), 80)
