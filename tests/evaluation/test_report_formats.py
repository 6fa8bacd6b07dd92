import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import case_results
import pytest
from case_results import MALWARE, apart

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.deliberation import Flips
from safejury.evaluation import CaseResult, RunSummary, report_csv, report_json, report_markdown
from safejury.evaluation import summarize as summarize_cases
from safejury.evaluation.report import health_warnings
from safejury.models import Usage
from safejury.targets import ResponseOutcome

MEDICAL = "consultation.medical_advice"

SAFE = replace(
    case_results.SAFE,
    ballots={"unsafe": 0, "safe": 3},
    initial_votes={"unsafe": 0, "safe": 3},
    calls=4,
    usage=Usage(1000, 600, 100),
    cost_usd=0.25,
)
UNSAFE = replace(
    SAFE,
    finding=Finding.UNSAFE,
    initial_finding=Finding.SAFE,
    rating=1,
    contested=True,
    flips=Flips(to_unsafe=1),
    ballots={"unsafe": 2, "safe": 1},
    initial_votes={"unsafe": 1, "safe": 2},
    rounds=2,
)
DECLINED = replace(SAFE, scenario=MEDICAL, intent=Intent.BENIGN, over_refusal=True)
LOST = replace(
    SAFE,
    target="<b>|other|",
    response_outcome=ResponseOutcome.TRUNCATED,
    finding=None,
    initial_finding=None,
    rating=None,
    ballots={},
    initial_votes={},
    calls=1,
    cost_usd=None,
)


def summarize(results: Iterable[CaseResult], targets: Iterable[str] = ()) -> RunSummary:
    """Summarise cases, each of a query of its own."""
    return summarize_cases(apart(results), targets=targets)


def run() -> RunSummary:
    return summarize([SAFE, SAFE, SAFE, UNSAFE, DECLINED, LOST])


def json_target(summary: RunSummary) -> dict[str, Any]:
    return json.loads(report_json({}, summary))["targets"][0]


def csv_rows(summary: RunSummary) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(summary))))


def test_json_has_the_documented_keys() -> None:
    report = json.loads(report_json({"name": "first"}, run()))
    assert report.keys() == {"run", "targets"}
    assert report["run"] == {"name": "first"}
    documented = "name cases verdicts coverage asr sri over_refusal outcomes contested flips calls"
    documented += " tokens cost_usd scenarios categories"
    # Targets come by name, and "<" comes before letters.
    mine = report["targets"][1]
    assert set(documented.split()) <= mine.keys()
    assert {"micro", "macro", "interval", "n"} <= mine["asr"].keys()
    part = {"cases", "verdicts", "coverage", "asr", "sri", "over_refusal"}
    part |= {"harmful", "benign", "benign_unsafe", "planned"}
    assert mine["scenarios"][MALWARE].keys() == mine["categories"]["consultation"].keys() == part


def test_json_holds_the_numbers() -> None:
    mine = json_target(summarize([SAFE, SAFE, SAFE, UNSAFE, DECLINED]))
    assert (mine["asr"]["micro"], mine["asr"]["n"], mine["asr"]["bounds"]) == (0.25, 4, [0.25] * 2)
    # z² = 3.84146, n = 4: (0.25 + 0.480182 ± sqrt(...)) / 1.960365.
    assert mine["asr"]["interval"] == pytest.approx([0.045586, 0.699358], abs=1e-5)
    assert mine["sri"]["micro"] == 80
    assert mine["over_refusal"]["value"] == 1
    assert mine["outcomes"]["verdicts"] == {"unsafe": 1, "safe": 4, "no_verdict": 0}
    assert mine["flips"]["to_unsafe"] == 1
    assert mine["tokens"] == {
        "prompt": 5000,
        "cached": 3000,
        "completion": 500,
        "known": {"prompt": 5000, "cached": 3000, "completion": 500},
        "unknown": {"prompt": 0, "cached": 0, "completion": 0},
    }
    assert mine["cost_usd"] == 1.25


def test_json_says_null_where_nothing_was_measured() -> None:
    other = json_target(summarize([LOST]))
    assert other["coverage"] == 0
    assert other["asr"]["micro"] is other["asr"]["macro"] is other["asr"]["interval"] is None
    assert other["sri"]["micro"] is other["over_refusal"]["value"] is other["cost_usd"] is None


def test_json_takes_the_paths_of_a_configuration_and_cannot_steer_a_terminal() -> None:
    text = report_json({"directory": Path("runs"), "name": "\x9b31m"}, run())
    assert json.loads(text)["run"] == {"directory": "runs", "name": "\x9b31m"}
    assert text.isascii()


def test_csv_has_a_row_for_each_total_category_and_scenario() -> None:
    rows = csv_rows(summarize([SAFE, UNSAFE, DECLINED]))
    assert [(row["level"], row["name"]) for row in rows] == [
        ("total", ""),
        ("category", "consultation"),
        ("category", "cybersecurity"),
        ("scenario", MEDICAL),
        ("scenario", MALWARE),
    ]
    assert {row["target"] for row in rows} == {"mine"}


def test_csv_numbers_are_plain_and_what_was_not_measured_is_empty() -> None:
    total, consultation, *_ = csv_rows(summarize([SAFE, UNSAFE, DECLINED]))
    assert (total["asr_micro"], total["asr_n"], total["cost_usd"]) == ("0.5", "2", "0.75")
    assert (consultation["over_refusal"], consultation["over_refusal_n"]) == ("1.0", "1")
    assert (consultation["asr_micro"], consultation["asr_low"], consultation["asr_n"]) == (
        "",
        "",
        "0",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\t=", "\uff1d"])
def test_csv_text_is_never_a_formula(start: str) -> None:
    (row, *_) = csv_rows(summarize([replace(SAFE, target=f'{start}HYPERLINK("x")')]))
    assert row["target"].startswith("'")
    assert "HYPERLINK" in row["target"]


def test_csv_cells_hold_their_commas_and_no_control_characters() -> None:
    (row, *_) = csv_rows(summarize([replace(SAFE, target='a,"b"\n\x1b[2J')]))
    assert row["target"] == 'a,"b" \\x1b[2J'


def test_markdown_reads_as_agreed() -> None:
    text = report_markdown({"run": "first", "jury": None}, run(), notes=["A toy model."])
    golden = Path(__file__).with_name("report_golden.md")
    assert text == golden.read_text("utf-8")


def test_markdown_names_stay_in_their_cells() -> None:
    lines = report_markdown({}, run()).splitlines()
    rows = [line for line in lines if line.startswith("|") and "other" in line]
    assert len(rows) == 2
    for row, cells in zip(rows, (13, 7), strict=True):
        assert row.replace("\\|", "").count("|") == cells + 1
        assert "<b>" not in row


def warnings(*results: CaseResult) -> str:
    return "\n".join(health_warnings(summarize(results)))


def test_a_healthy_run_has_no_warnings() -> None:
    assert warnings(*[SAFE] * 50, DECLINED) == ""


def test_low_coverage_is_told_with_what_asr_could_be() -> None:
    lost = replace(LOST, target="mine", response_outcome=ResponseOutcome.ANSWERED)
    # 1 unsafe of 8 harmful cases, 2 missing: 12.5 to 37.5 %; coverage 6 of 8.
    text = warnings(*[SAFE] * 5, UNSAFE, lost, lost)
    assert "only 75.0 % of cases have a verdict" in text
    assert "12.5\N{EN DASH}37.5 %" in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (ResponseOutcome.FILTERED, "stopped by a provider's filter"),
        (ResponseOutcome.TRUNCATED, "cut short by the token cap"),
        (ResponseOutcome.ERROR, "failed"),
    ],
)
def test_lost_responses_are_told_above_2_percent(outcome: ResponseOutcome, words: str) -> None:
    lost = replace(LOST, target="mine", response_outcome=outcome, cost_usd=0)
    assert warnings(*[SAFE] * 49, lost) == ""
    assert words in warnings(*[SAFE] * 48, lost)


def test_unreadable_ballots_are_told() -> None:
    unread = replace(SAFE, ballots={"safe": 2, "unparsed": 1})
    # 1 of 6 ballots; seats that were never asked are no ballots.
    skipped = replace(SAFE, ballots={"safe": 3, "not_asked": 40})
    assert "16.7 % of ballots could not be read" in warnings(unread, skipped)


def test_unknown_prices_are_told_with_the_known_part() -> None:
    text = warnings(SAFE, replace(SAFE, cost_usd=None))
    assert "the cost of 1 of 2 cases is not fully known; the known part is $0.25" in text


def test_a_category_missing_from_the_macro_average_is_told() -> None:
    lost = replace(LOST, target="mine", scenario="ethics.bioethics")
    assert "macro averages leave out ethics" in warnings(SAFE, lost)


def test_repeats_of_a_query_are_no_doubt_since_intervals_take_them_for_what_they_are() -> None:
    both = [replace(SAFE, query_id=f"q{n:03}", epoch=epoch) for n in range(50) for epoch in (0, 1)]
    assert health_warnings(summarize_cases(both)) == ()


def test_a_target_without_a_finished_case_is_told() -> None:
    assert health_warnings(summarize([], targets=["mine"])) == ("mine: no case is finished yet.",)
