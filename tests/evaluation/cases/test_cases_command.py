"""`safejury cases`: the table, the files, the filters, and what is refused."""

import asyncio
import csv
import json
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import case_run
import pytest
from rich.cells import cell_len
from terminal import Terminal

from safejury.deliberation import BallotsRevealed, read_card
from safejury.evaluation import RecordReader, open_record

RUN, DASH = "runs/first", "\N{EN DASH}"


@pytest.fixture
def place(run_of_cases: Path, workplace: Any) -> Any:
    """The workplace with the run of `case_run`."""
    assert run_of_cases.is_dir()
    return workplace


def rows(place: Any, *options: str) -> list[dict[str, Any]]:
    ended = place.safejury("cases", RUN, "--format", "jsonl", *options)
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def listed(place: Any, *options: str) -> list[str]:
    return [row["case_id"] for row in rows(place, *options)]


@pytest.mark.parametrize("command", ["cases", "show"])
def test_the_table_has_a_row_a_case(
    command: str, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ended = place.safejury(command, RUN)
    assert ended.code == 0, ended.err
    lines = [" ".join(line.split()) for line in ended.out.splitlines()[2:8]]
    assert [line.split()[0] for line in lines] == case_run.CASES
    assert lines[2].startswith(f"q2/alpha/0 unsafe 1 3{DASH}0 was safe answered")
    assert lines[5].startswith(f"q10/beta/0 no verdict {DASH} {DASH} filtered")
    assert max(map(cell_len, ended.out.splitlines())) <= 80
    assert "6 finished cases." in ended.err
    assert "Question" not in ended.out + ended.err.replace("Questions", "")


def test_a_wide_screen_shows_more(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    wide = place.safejury("cases", RUN).out
    assert "cybersecurity.malware_generation  harmful" in wide
    assert "not shown" not in wide
    assert max(map(cell_len, wide.splitlines())) <= 120


def test_a_name_stays_in_one_piece(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column less is no loss; a name cut in two cannot be copied."""
    monkeypatch.setenv("COLUMNS", "46")
    assert "q10/alpha/0" in place.safejury("cases", RUN).out


def test_revealed_texts_stand_below_each_case(place: Any) -> None:
    shown = place.safejury("cases", RUN, "--query", "q2", "--reveal").out
    assert f"q2/alpha/0  unsafe  rating 1  votes 3{DASH}0  was safe" in shown
    assert "\n  question: Question q2?\n  answer: =HYPERLINK(1) An answer to q2.\n" in shown
    shown = place.safejury("cases", RUN, "--query", "q2", "--ballots", "--reveal").out
    assert "round 1  lawyer  unsafe  rating 1  changed: yes" in shown
    assert "\n  reason: =HYPERLINK(1) It helps.\n" in shown


def test_what_a_text_says_to_a_terminal_is_shown_not_done(place: Any) -> None:
    change("UPDATE entries SET body = replace(body, 'An answer', 'An \\u001b[31m answer')")
    drop_chains()
    shown = place.safejury("cases", RUN, "--reveal", "--query", "q1").out
    assert "\\x1b[31m" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--unsafe", "--target", "alpha"), ["q2/alpha/0"]),
        (("--contested", "--changed", "--target", "beta"), ["q2/beta/0"]),
        (
            ("--outcome", "filtered", "--outcome", "unsafe", "--target", "beta"),
            ["q2/beta/0", "q10/beta/0"],
        ),
        (("--scenario", "malware", "--intent", "harmful", "--target", "alpha"), ["q2/alpha/0"]),
        (("--scenario", "violence", "--label", "age=old", "--target", "alpha"), ["q10/alpha/0"]),
        (("--text", "An answer", "--query", "q1"), ["q1/alpha/0"]),
        (("--limit", "2", "--offset", "3"), case_run.CASES[3:5]),
        (("--intent", "benign", "--unsafe"), []),
    ],
)
def test_filters_choose(place: Any, options: tuple[str, ...], found: list[str]) -> None:
    assert listed(place, *options) == found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "alpa"), "no target 'alpa': did you mean 'alpha'?"),
        (("--target", "x"), "no target 'x': the run has 'alpha', 'beta'"),
        (("--scenario", "cybersecurty"), "did you mean 'cybersecurity'"),
        (("--outcome", "unsave"), "no outcome 'unsave': did you mean 'unsafe'"),
        (("--condition", "typed"), "no condition 'typed'"),
        (("--query", "q3"), "no query 'q3'"),
        (("--label", "ag=old"), "no label 'ag': did you mean 'age'"),
        (("--label", "age=odd"), "no value of the label age 'odd': did you mean 'old'"),
        (("--label", "age"), "write it as type=contrast"),
    ],
)
def test_a_name_that_the_run_does_not_have_is_refused(
    place: Any, options: tuple[str, ...], said: str
) -> None:
    place.safejury("cases", RUN, *options).refused(said)


def test_the_least_safe_come_first_and_those_without_a_rating_last(place: Any) -> None:
    assert listed(place, "--sort", "rating") == [
        *("q2/alpha/0", "q2/beta/0", "q1/alpha/0", "q1/beta/0", "q10/alpha/0", "q10/beta/0")
    ]
    assert listed(place, "--sort", "cost") == case_run.CASES


def test_ballots_of_one_juror(place: Any) -> None:
    found = rows(place, "--ballots", "--juror", "lawyer", "--target", "alpha", "--changed")
    assert [(row["juror"], row["round"]) for row in found] == [("lawyer", 0), ("lawyer", 1)]
    place.safejury("cases", RUN, "--juror", "lawyer").refused("add --ballots")
    place.safejury("cases", RUN, "--ballots", "--juror", "loyer").refused("did you mean 'lawyer'?")


def test_nothing_that_matches_is_said(place: Any) -> None:
    ended = place.safejury("cases", RUN, "--intent", "benign", "--unsafe")
    assert (ended.code, ended.out, ended.err) == (
        *(0, ""),
        "No case matches, of 6 finished cases.\n",
    )


def test_a_part_says_how_to_get_the_rest(place: Any) -> None:
    said = place.safejury("cases", RUN, "--limit", "2").err
    assert said.startswith("6 finished cases, 2 shown; the next ones: --offset 2.\n")
    said = place.safejury("cases", RUN, "--offset", "9").err
    assert said == "6 finished cases, 0 shown.\n"


def test_a_csv_runs_no_formula(place: Any) -> None:
    ended = place.safejury("cases", RUN, "--format", "csv", "--reveal")
    first, second, *_ = csv.DictReader(ended.out.splitlines())
    assert first["answer"] == "'=HYPERLINK(1) An answer to q1."
    assert (first["over_refusal"], second["probability"]) == ("true", "")
    assert first["labels.age"] == "new"
    ended = place.safejury("cases", RUN, "--format", "csv", "--ballots", "--reveal", "--unsafe")
    ballot = next(csv.DictReader(ended.out.splitlines()))
    assert ballot["reason"] == "'=HYPERLINK(1) It helps."
    assert json.loads(ballot["criteria"]) == ["complies"]


def test_jsonl_is_typed(place: Any) -> None:
    row = rows(place, "--query", "q1")[0]
    assert (row["rating"], row["contested"], row["probability"]) == (5.0, False, None)
    assert "question" not in row
    assert rows(place, "--reveal")[0]["question"] == "Question q1?"


def test_parquet_has_the_same_rows(place: Any) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for options in ((), ("--ballots",), ("--reveal",)):
        assert place.safejury("cases", RUN, *options, "--out", "c.parquet").code == 0
        table = parquet.read_table("c.parquet")
        assert table.to_pylist() == rows(place, *options)
    assert (
        place.safejury("cases", RUN, "--intent", "benign", "--unsafe", "--out", "c.parquet").code
        == 0
    )
    kinds = {field.name: str(field.type) for field in parquet.read_schema("c.parquet")}
    assert (kinds["rating"], kinds["epoch"], kinds["changed"]) == ("double", "int64", "bool")


def test_a_file_is_the_owners_alone_and_named_by_its_format(place: Any) -> None:
    ended = place.safejury("cases", RUN, "--out", "cases.csv")
    assert ended.err == "Wrote cases.csv: 6 finished cases.\n"
    assert stat.S_IMODE(Path("cases.csv").stat().st_mode) == 0o600
    assert (
        place.safejury("cases", RUN, "--format", "csv", "--out", "-").out
        == Path("cases.csv").read_text()
    )
    place.safejury("cases", RUN, "--out", "cases.txt").refused("--format csv, jsonl or parquet")
    place.safejury("cases", RUN, "--out", "c.csv", "--format", "table").refused("for the screen")


def test_a_folder_that_cannot_be_written_to(place: Any) -> None:
    Path("file").touch()
    place.safejury("cases", RUN, "--out", "file/cases.csv").refused("--out file/cases.csv")
    place.safejury("cases", RUN, "--out", "nowhere/cases.csv").refused("No such file")


def test_what_the_run_consists_of_is_not_replaced(place: Any) -> None:
    before = Path(RUN, "record.sqlite").read_bytes()
    place.safejury("cases", RUN, "--format", "csv", "--out", f"{RUN}/record.sqlite").refused(
        "choose another name"
    )
    assert Path(RUN, "record.sqlite").read_bytes() == before
    for _ in range(2):
        assert place.safejury("cases", RUN, "--out", f"{RUN}/cases.csv").code == 0


def change(sql: str) -> None:
    with closing(sqlite3.connect(f"{RUN}/record.sqlite")) as database, database:
        assert database.execute(sql).rowcount > 0, sql


def drop_chains() -> None:
    """Make it a record of before there were chains."""
    with closing(sqlite3.connect(f"{RUN}/record.sqlite")) as database, database:
        database.execute("DELETE FROM meta WHERE key IN ('bound', 'sealed')")
        database.execute("ALTER TABLE cases DROP COLUMN head")


@pytest.mark.parametrize(
    "options", [(), ("--format", "jsonl"), ("--out", "cases.csv"), ("--label", "age=old")]
)
def test_a_record_that_was_changed_is_not_listed(place: Any, options: tuple[str, ...]) -> None:
    """Not even in part; and a file that was there stays."""
    Path("cases.csv").write_text("mine")
    change("UPDATE cases SET finding = 'safe' WHERE case_id = 'q2/alpha/0'")
    ended = place.safejury("cases", RUN, *options)
    ended.refused("1 case was changed", "q2/alpha/0", "safejury verify", code=3)
    assert ended.out == ""
    assert Path("cases.csv").read_text() == "mine"


def test_a_result_that_is_no_json_is_a_change(place: Any) -> None:
    """Also where a filter has to read it before."""
    change("UPDATE cases SET result = 'nothing' WHERE case_id = 'q2/alpha/0'")
    place.safejury("cases", RUN, "--label", "age=old").refused("1 case was changed", code=3)


async def begun() -> None:
    meta = {"version": "1", "name": "first", "protocol": "vote", "total": "7", "jury": "[]"}
    async with open_record(Path(RUN), {"targets": [{"name": "later"}]}, meta):
        pass


def test_an_unfinished_run_is_listed_and_says_so(workplace: Any) -> None:
    asyncio.run(begun())
    for command in (("cases", RUN), ("show", RUN), ("cases", RUN, "--out", "cases.csv")):
        ended = workplace.safejury(*command)
        assert ended.code == 0, ended.err
        assert "Note: 0 of 7 planned cases are finished so far.\n" in ended.err
        assert "o case is finished yet." in ended.err
    assert Path("cases.csv").read_text().startswith("case_id,")
    assert workplace.safejury("cases", RUN, "--target", "later").code == 0


def test_no_run_is_no_traceback(workplace: Any) -> None:
    workplace.safejury("cases", "runs/none").refused("there is no run here")


def test_a_jury_card_gives_each_case_a_probability(calibrated_run: Any, workplace: Any) -> None:
    card = read_card(calibrated_run.card)
    with closing(RecordReader(calibrated_run.path)) as reader:
        wanted = {
            id: card.apply(reader.entries_of(id, BallotsRevealed)[0].ballots).probability
            for id in reader.case_ids()
        }
    options = ("--format", "jsonl", "--card", str(calibrated_run.card))
    ended = workplace.safejury("cases", str(calibrated_run.path), *options)
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert {row["case_id"]: row["probability_corrected"] for row in found} == wanted
    assert len({*wanted.values()}) > 2
    shown = workplace.safejury(
        "cases", str(calibrated_run.path), "--card", str(calibrated_run.card)
    )
    assert "P by card" in shown.out


def test_a_card_of_another_jury_is_refused(calibrated_run: Any, place: Any) -> None:
    card = str(calibrated_run.card)
    place.safejury("cases", RUN, "--card", card, "--ballots").refused("leave out --ballots")
    other = json.loads(calibrated_run.card.read_text())
    other["jury"] |= {"sha256": "other"}
    other["jury"]["seats"][0]["parts"]["persona"] = "other"
    Path("card.json").write_text(json.dumps(other))
    place.safejury("cases", RUN, "--card", "card.json").refused("card.json: ", "--force-card")
    forced = place.safejury("cases", RUN, "--card", "card.json", "--force-card")
    assert forced.code == 0, forced.err
    assert "--force-card uses it all the same." in forced.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_pager(place: Any) -> None:
    pager = place.path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > '{place.path}/paged'\necho left the pager\n")
    pager.chmod(0o755)
    with (
        Terminal(80, 24) as terminal,
        place.at(terminal, "cases", RUN, PAGER=str(pager)) as process,
    ):
        assert process.wait(30) == 0
        terminal.until("left the pager", "6 finished cases.")
    assert "q10/alpha/0" in Path("paged").read_text()
    assert "q10/alpha/0" not in terminal.raw


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager", "true"])
def test_a_pager_that_is_none_or_ends_early(place: Any, pager: str) -> None:
    with Terminal(80, 24) as terminal, place.at(terminal, "cases", RUN, PAGER=pager) as process:
        assert process.wait(30) == 0
        if pager != "true":
            terminal.until("q10/alpha/0", "6 finished cases.")


def test_who_reads_only_the_beginning_is_no_error(place: Any) -> None:
    with place.start("cases", RUN, "--format", "jsonl", "--ballots") as process:
        process.stdout.close()
        assert process.wait(30) == 0
