"""`safejury compare`: what a reader sees, and what programs read."""

import csv
import io
import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from compared import Judging, found
from workplace import Workplace

Runs = tuple[Path, Path]
PAGE = Path(__file__).parents[3] / "docs" / "compare.md"
SHOWN = re.compile(r"(?<=<!-- compare -->\n```text\n).*?(?=```\n)", re.DOTALL)


def test_a_reader_is_told_which_is_safer_and_by_how_much(
    old_and_new: Runs, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ended = workplace.safejury("compare", *map(str, old_and_new))
    assert ended.code == 0, ended.err
    said = (
        "B is safer: attack success is lower by 36.8 points (5.9 to 60.8), n 19 shared queries, "
        "p 0.039."
    )
    assert said in ended.out
    assert "1 shared query lacks a verdict and is no finding" in ended.out
    assert "From A to B 8 became safe, 1 became unsafe, 1 with a verdict on one side" in ended.out


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(
    old_and_new: Runs, workplace: Workplace, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ended = workplace.safejury("compare", *map(str, old_and_new))
    table = [line for line in ended.out.splitlines() if "runs/" not in line]
    assert max(map(len, table)) <= columns
    assert "B \N{MINUS SIGN} A" in ended.out


def test_the_docs_show_what_is_printed(
    old_and_new: Runs, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Write it anew with SAFEJURY_UPDATE_GOLDEN=1 where this fails, and read the difference."""
    monkeypatch.chdir(old_and_new[0].parents[1])
    monkeypatch.setenv("COLUMNS", "100")
    printed = workplace.safejury("compare", "runs/old", "runs/new").out
    shown = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("SAFEJURY_UPDATE_GOLDEN"):
        PAGE.write_text(SHOWN.sub(lambda _: shown, text, count=1), encoding="utf-8")
        return
    assert SHOWN.findall(text) == [shown]


def test_where_nothing_is_seen_the_reader_is_told_what_would_be(judging: Judging) -> None:
    first, second = judging.run("a", {"mine": found(4)}), judging.run("b", {"mine": found(5)})
    ended = judging.place.safejury("compare", str(first), str(second), "--format", "md")
    assert (
        "**No difference in attack success is seen: +5.0 points (\N{MINUS SIGN}10.8 to +19.9), "
        "n 20 shared queries, p 1.00; this n would see one of 39.2 points.**"
    ) in ended.out


def test_the_queries_that_changed_are_listed_with_a_way_to_read_one(
    old_and_new: Runs, workplace: Workplace
) -> None:
    old, new = map(str, old_and_new)
    ended = workplace.safejury("compare", old, new, "--cases")
    assert "became unsafe: h18 (safe -> unsafe)\n" in ended.out
    assert "verdict lost: h19 (safe -> no verdict)\n" in ended.out
    assert f"Read one: safejury show {old} h19/mine/0\n" in ended.out
    rows = workplace.safejury("compare", old, new, "--cases", "--format", "csv").out
    listed = list(csv.DictReader(io.StringIO(rows)))
    assert len(listed) == 10
    assert {row["change"] for row in listed} == {"to_safe", "to_unsafe", "verdict_lost"}


def test_programs_read_the_same_figures_as_json_and_csv(
    old_and_new: Runs, workplace: Workplace
) -> None:
    runs = [*map(str, old_and_new)]
    data = json.loads(workplace.safejury("compare", *runs, "--format", "json", "--cases").out)
    text = workplace.safejury("compare", *runs, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    (pair,) = data["pairs"]
    assert pair["rates"]["asr"]["safer"] == "second"
    assert len(data["cases"]) == 10
    whole = {row["metric"]: row for row in rows if not row["category"]}
    assert whole.keys() == pair["rates"].keys()
    for metric, row in whole.items():
        assert float(row["difference"]) == pair["rates"][metric]["difference"]
    assert {row["category"] for row in rows} == {"", "cybersecurity", "violence", "ethics"}
    assert pair["categories"]["violence"]["asr"]["adjusted_p"] == pytest.approx(0.25)


def test_forced_differences_stand_on_top_of_every_output(
    judging: Judging, old_and_new: Runs
) -> None:
    other = judging.run("other", {"mine": found(2)}, jury__protocol="contested")
    runs = [str(old_and_new[0]), str(other)]
    judging.place.safejury("compare", *runs).refused("different juries", "--force")
    for form in ("table", "md", "json", "csv"):
        ended = judging.place.safejury("compare", *runs, "--force", "--format", form)
        assert ended.code == 0
        top = " ".join(ended.out[:1500].split())
        assert "talk is never and contested" in top.replace("! ", "")


def test_a_record_that_was_changed_is_not_compared(judging: Judging, old_and_new: Runs) -> None:
    changed = judging.run("changed", {"mine": found(2)})
    with closing(sqlite3.connect(changed / "record.sqlite")) as database, database:
        database.execute("UPDATE cases SET finding = 'safe' WHERE query_id = 'h00'")
    ended = judging.place.safejury("compare", str(old_and_new[0]), str(changed))
    ended.refused("1 case was changed after it was recorded", code=3)


def test_an_unfinished_run_is_compared_as_far_as_it_is(judging: Judging, old_and_new: Runs) -> None:
    whole = judging.run("part", {"mine": found(2)})
    with closing(sqlite3.connect(whole / "record.sqlite")) as database, database:
        database.execute("DELETE FROM entries WHERE case_id > 'h15'")
        database.execute("DELETE FROM cases WHERE case_id > 'h15'")
    ended = judging.place.safejury("compare", str(old_and_new[0]), str(whole), "--format", "md")
    assert ended.code == 0, ended.err
    assert "is unfinished: 19 of 24 cases" in ended.out
    assert "- 19 shared queries; in no figure: 5 of A alone." in ended.out


def test_a_run_alone_is_told_what_can_be_compared(old_and_new: Runs, workplace: Workplace) -> None:
    run = str(old_and_new[0])
    workplace.safejury("compare", run).refused("--target-a and --target-b", "'mine'")
    refused = workplace.safejury("compare", run, "--condition-a", "plain", "--condition-b", "jpg")
    refused.refused("no condition 'jpg'", "it has 'plain'")


def test_runs_without_verdicts_have_nothing_to_compare(judging: Judging) -> None:
    lost = dict.fromkeys(found(0), "split")
    first, second = (judging.run(name, {"mine": found(0, but=lost)}) for name in "ab")
    ended = judging.place.safejury("compare", str(first), str(second), "--format", "md")
    assert ended.code == 0, ended.err
    assert "Nothing to compare of attack success: no shared query has a value" in ended.out
    assert (
        "\N{MINUS SIGN}100.0 to +100.0 points if they had come out either way, so that" in ended.out
    )
