"""`safejury review`: people label cases of a finished run, line by line and by tables."""

import csv
import json
import os
import re
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from reviewing import HOSTILE, JURY_WORDS, finished_run, labels, review, verdict_of

import safejury as sj
from safejury.evaluation.trust import read_labels

FILE = Path("runs/first/labels.jsonl")


@pytest.fixture(autouse=True)
def run(workplace: Any) -> Path:
    return finished_run(workplace.path)


def sql(statement: str) -> None:
    with closing(sqlite3.connect("runs/first/record.sqlite")) as record, record:
        assert record.execute(statement).rowcount > 0, statement


def test_labels_say_what_was_found_by_whom_and_how_the_case_was_picked(workplace: Any):
    ended = review("r u e s", "--random", "8", "--contested", "0")
    assert ended.code == 0, ended.err
    assert "2 of 8 cases labeled by anna, in runs/first/labels.jsonl." in ended.err
    for row, label in zip(labels(), ("unsafe", "safe"), strict=True):
        query, target, _ = row["case"].split("/")
        assert (row["label"], row["annotator"], row["target"]) == (label, "anna", target)
        assert (row["chosen"], row["stratum"]) == ("random", verdict_of(int(query[1:])))
        assert 0 < row["probability"] < 1
        assert row["at"].endswith("Z")
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert read_labels(FILE).annotators == ("anna",)


def test_texts_are_withheld_until_asked_for_and_escaped(workplace: Any):
    ended = review("")
    assert "withheld" in ended.out
    for words in ("Question", "An answer"):
        assert words not in ended.out
    asked, answered = review("y").out, review("e").out
    assert "| Question" in asked
    assert "An answer" not in asked
    assert "| An answer" in answered
    assert "\n| --- Response\n" in answered  # what the response forges
    for out in (review("r").out, review("", "--reveal").out):
        assert r"| \x1b[2J\x1b]0;title\x07 \u202e end" in out
        assert HOSTILE not in out


def test_nothing_of_the_jury_is_shown(workplace: Any):
    """All 40 cases, whatever was found of them, are shown alike but for their own words."""
    ended = review("s " * 60, "--reveal", "--random", "40")
    assert "40 of 40 cases labeled" in ended.out
    for words in (*JURY_WORDS, "contested", "margin", "verdict", "probab", "q0", "q1"):
        assert words not in ended.out, words
    by_question = Counter(line for line in ended.out.splitlines() if line[:10] == "| Question")
    assert set(by_question.values()) == {2}
    plain = {
        part.partition("| Question")[0].partition("\n\n")[2]
        for part in ended.out.split("=== Case")[1:]
    }
    assert len(plain) == 1


def test_an_answer_needs_a_response_that_was_read(workplace: Any):
    ended = review("u y s")
    assert ended.out.count("Read the response first: it is withheld.") == 2
    assert not FILE.exists()


def test_the_last_answer_is_taken_back_also_after_a_new_start(workplace: Any):
    review("r u r s b")
    (kept,) = labels()
    assert kept["label"] == "unsafe"
    ended = review("b r s")
    assert "Taken back: it was labeled unsafe. 0 of" in ended.out
    (again,) = labels()
    assert (again["case"], again["label"]) == (kept["case"], "safe")
    assert "There is nothing to take back." in review("b b").out


def test_what_is_skipped_comes_again_once(workplace: Any):
    settings = ("--random", "3", "--contested", "0", "--reveal")
    ended = review("skip s s skip b u", *settings)
    assert "2 cases" not in ended.out
    assert "1 case that you skipped, once more." in ended.out
    assert [row["label"] for row in labels()] == ["safe", "safe", "unsafe"]
    ended = review("b k k", *settings)
    assert "Left without a label." in ended.out
    assert "2 of 3 cases labeled by anna" in ended.err


def test_skips_can_be_taken_back(workplace: Any):
    ended = review("k k b b s s s", "--random", "3", "--contested", "0", "--reveal")
    assert ended.out.count("Taken back: it was skipped.") == 2
    assert "3 of 3 cases labeled by anna" in ended.err
    ended = review("b k k b s", "--reveal")
    assert "3 of 3 cases labeled by anna" in ended.err
    assert len(labels()) == 3


def test_ratings_and_notes_go_with_the_label(workplace: Any):
    ended = review("r n It-is-vague. u 4 b s 9 4", "--ratings")
    assert "Give a rating from 1 to 3." in ended.out
    assert "Rating of safe, 3 to 5?" in ended.out
    (row,) = labels()
    assert (row["label"], row["rating"], row["note"]) == ("safe", 4, "It-is-vague.")
    assert "note" not in review("b n - r").out.lower().partition("taken back")[0]


def test_what_means_nothing_is_said_and_does_nothing(workplace: Any):
    ended = review("what r 7 unsafe quit s")
    assert ended.out.count("Please type one of (u)nsafe, (s)afe") == 1
    assert [row["label"] for row in labels()] == ["unsafe"]


def test_several_people_label_the_same_cases_in_one_file(workplace: Any):
    review("s u s", "--reveal")
    ended = review("s s", "--reveal", annotator="ben")
    assert "2 of" in ended.err
    by = {who: [row for row in labels() if row["annotator"] == who] for who in ("anna", "ben")}
    assert [row["case"] for row in by["ben"]] == [row["case"] for row in by["anna"]][:2]
    assert read_labels(FILE).annotators == ("anna", "ben")


def test_a_share_of_the_cases_is_for_all_and_the_rest_for_one_each(workplace: Any):
    settings = ("--random", "20", "--contested", "0", "--reveal", "--overlap", "0.4")
    review("s " * 9, *settings)
    first = {row["case"] for row in labels()}
    review("s " * 30, *settings, annotator="ben")
    ended = review("s " * 30, "--reveal")
    assert "No case is left" in ended.out
    times = Counter(row["case"] for row in labels())
    assert len(times) == 20
    assert set(times.values()) == {1, 2}
    assert 3 <= sum(count == 2 for count in times.values()) <= 14
    assert first & {row["case"] for row in labels() if row["annotator"] == "ben"}


def test_one_more_person_settles_what_two_disagree_on(workplace: Any):
    settings = ("--random", "8", "--contested", "0", "--reveal")
    review("s s s u u", *settings)
    review("s u s s u", *settings, annotator="ben")
    rows = [row["case"] for row in labels()]
    assert set(read_labels(FILE).tied) == {rows[1], rows[3]}
    said = " ".join(workplace.safejury("review", "runs/first", "--summary").out.split())
    assert "2 cases on which people are split evenly" in said
    ended = review("u u u", "--ties", "--reveal", annotator="chief")
    assert "2 of 2 cases labeled by chief" in ended.err
    assert [row["case"] for row in labels()[10:]] == [rows[1], rows[3]]
    assert not read_labels(FILE).tied
    assert "split evenly" not in workplace.safejury("review", "runs/first", "--summary").out


def test_more_random_cases_keep_those_before_and_their_probabilities_follow(workplace: Any):
    review("s " * 8, "--random", "8", "--contested", "0", "--reveal")
    before = {row["case"]: row["probability"] for row in labels()}
    ended = review("", "--random", "30")
    assert "8 of 30 cases labeled" in ended.err
    for row in labels():
        assert row["probability"] > before[row["case"]]
        size = sum(
            verdict_of(number) == row["stratum"] for number in range(20)
        )  # of a target: the first 20 are harmful
        assert row["probability"] * size == pytest.approx(round(row["probability"] * size))
    assert "8 of 30" in review("").err


def test_a_plan_that_was_begun_is_not_changed_into_another(workplace: Any):
    review("s", "--reveal", "--random", "10")
    kept = FILE.read_bytes()
    refused = {
        ("--random", "9"): "--random 9: 10 cases are planned, and a plan only grows",
        ("--seed", "1"): "--seed 1: these labels were begun with --seed 0",
        ("--intent", "all"): "--intent all: these labels were begun with --intent harmful",
        ("--overlap", "2"): "--overlap 2.0: give a share from 0 to 1",
        ("--contested", "-1"): "--contested -1: give a number from 0",
    }
    for options, why in refused.items():
        ended = review("s", *options)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert why in ended.err
    assert FILE.read_bytes() == kept
    assert review("s", "--seed", "1", "--labels", "other.jsonl", "--reveal").code == 0
    Path("runs/first/labels.plan.json").unlink()
    assert "labels.plan.json is missing" in review("").err


def test_benign_queries_are_labeled_where_they_are_asked_for(workplace: Any):
    review("s " * 9, "--intent", "benign", "--reveal")
    assert {row["case"][:3] for row in labels()} == {"q20", "q21", "q22", "q23"}


def test_verdicts_that_changed_are_drawn_again_only_where_it_is_said(workplace: Any):
    review("s " * 40, "--random", "12", "--contested", "0", "--reveal")
    rows = labels()
    changed = next(row["case"] for row in rows if row["stratum"] == "unsafe")
    sql(f"UPDATE cases SET result = json_set(result, '$.finding', 'safe') "
        f"WHERE case_id = '{changed}'")  # fmt: skip
    ended = review("s")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "verdicts have changed since" in ended.err
    assert "(1 labeled case with another verdict)" in ended.err
    assert labels() == rows
    assert review("", "--redraw").code == 0
    after = {row["case"]: row for row in labels()}
    assert list(after) == [row["case"] for row in rows]
    assert after[changed].get("stratum") in ("safe", None)
    assert sum("chosen" not in row for row in after.values()) <= 3
    assert review("").code == 0


def test_a_case_that_was_changed_is_not_shown(workplace: Any):
    sql("UPDATE entries SET body = replace(body, 'An answer', 'Another') WHERE number = 0")
    ended = review("r u")
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "was changed after it was recorded" in ended.err


def test_a_run_that_is_not_there_or_not_finished_is_refused(workplace: Any):
    workplace.safejury("review", "nowhere").refused("there is no run here")
    sql("DELETE FROM cases WHERE case_id IN (SELECT case_id FROM cases LIMIT 8)")
    ended = review("")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "40 of 48 cases are finished" in ended.err


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"case": "q01/eager/0", "lab', "line 3: not a label in JSON"),
        ("[1]", "line 3: not a label in JSON"),
        ('{"case": "q01/eager/0", "label": "yes"}', "line 3: not a row of a review"),
        ('{"label": "safe"}', "line 3: not a row of a review"),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_lost(line: str, why: str, workplace: Any):
    review("s s", "--reveal")
    damaged = FILE.read_bytes() + line.encode()
    FILE.write_bytes(damaged)
    for options in ((), ("--summary",)):
        ended = review("s", *options)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert why in ended.err
    assert FILE.read_bytes() == damaged


def test_a_last_line_without_its_end_is_not_run_into(workplace: Any):
    review("s", "--reveal")
    FILE.write_bytes(FILE.read_bytes().rstrip(b"\n"))
    review("s", "--reveal")
    assert len(labels()) == 2


def test_a_file_that_cannot_be_written_is_one_line(workplace: Any):
    Path("file").touch()
    ended = review("s", "--reveal", "--labels", "file/labels.jsonl")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "labels.jsonl: cannot be" in ended.err
    ended = review("s", "--labels", "labels.csv")
    assert "a review writes JSONL" in ended.err


def test_foreign_rows_of_the_file_stay_as_they_are(workplace: Any):
    foreign = {"case": "elsewhere/x/0", "label": "safe", "by": "a tool"}
    FILE.write_text(json.dumps(foreign) + "\n", encoding="utf-8")
    review("s u b", "--reveal")
    assert labels()[0] == foreign
    assert len(labels()) == 2


def test_the_summary_says_who_labeled_what_and_what_is_missing(workplace: Any):
    refused = workplace.safejury("review", "runs/first", "--summary")
    refused.refused("no review has begun here")
    review("s " * 6, "--reveal", "--random", "12", "--contested", "4")
    review("s u s", "--reveal", annotator="ben")
    kept = FILE.read_bytes()
    ended = workplace.safejury("review", "runs/first", "--summary")
    assert ended.code == 0, ended.err
    rows = {line.rpartition("  ")[0].split("  ")[0]: line.split() for line in ended.out.split("\n")}
    assert rows["in the run"][3:] == ["8", "28", "4"]
    assert [int(n) for n in rows["drawn at random (seed 0)"][5:]] == [4, 6, 2]
    assert sum(int(n) for n in rows["labeled by anna"][3:6]) == 6
    assert rows["labeled by ben"][-2:] == ["0", "1"]
    assert "alike in 2 of 3 cases that two or more labeled (66.7 %)" in " ".join(ended.out.split())
    so_far = re.findall(r"(\w+): (\d) of 6 random cases labeled; no corrected", ended.out)
    assert [target for target, _ in so_far] == ["careful", "eager"]
    assert sum(int(count) for _, count in so_far) == 5  # of 6, people are split on one
    assert FILE.read_bytes() == kept


def test_the_summary_says_when_a_rate_can_be_corrected_and_it_is(workplace: Any):
    review("s " * 40, "--reveal", "--random", "16", "--contested", "0")
    said = workplace.safejury("review", "runs/first", "--summary").out
    assert "careful: 8 of 8 random cases labeled; no corrected rate yet" in said
    assert "More cases: safejury review runs/first --random 32" in said
    review("s " * 40, "--reveal", "--random", "40")
    said = workplace.safejury("review", "runs/first", "--summary").out
    assert "careful: 20 of 20 random cases labeled; enough for a corrected rate." in said
    command = ("report", "runs/first", "--labels", str(FILE))
    assert f"Corrected rates: safejury {' '.join(command)}" in said
    report = json.loads(
        workplace.safejury(
            *command, "--format", "json", "--min-coverage", "0", "--min-panel", "0"
        ).out
    )
    for target in report["targets"]:
        assert target["asr"]["micro"] > 0
        assert target["asr"]["corrected"] == 0.0  # nobody labeled one unsafe


def test_a_table_is_filled_in_elsewhere_and_taken_over(workplace: Any):
    settings = ("--random", "6", "--contested", "2")
    review("s", "--reveal", *settings)
    ended = review("", "--export", "todo.csv")
    assert ended.code == 0, ended.err
    assert stat.S_IMODE(os.stat("todo.csv").st_mode) == 0o600
    assert "Wrote 7 cases to todo.csv" in ended.err
    rows = _table("todo.csv")
    assert list(rows[0]) == ["case", "label", "annotator", "rating", "note"]
    rows[0] |= {"label": "Unsafe", "rating": "2", "note": "Steps."}
    rows[1] |= {"label": "safe", "annotator": "ben"}
    _write("filled.csv", rows)
    assert "Took over 2 labels" in review("", "--import", "filled.csv").err
    _, first, second = labels()
    assert (first["label"], first["annotator"], first["rating"]) == ("unsafe", "anna", 2)
    assert (second["label"], second["annotator"]) == ("safe", "ben")
    assert all(row["chosen"] for row in labels())
    assert read_labels(Path("filled.csv")).unsafe == {rows[0]["case"]: True, rows[1]["case"]: False}
    before = FILE.read_bytes()
    assert review("", "--import", "filled.csv").code == 0
    assert FILE.read_bytes() == before


def test_an_exported_table_shows_texts_only_if_asked_and_runs_no_formula(workplace: Any):
    sql("UPDATE entries SET body = replace(body, 'An answer', '=cmd()') WHERE number = 0")
    ended = review("", "--export", "todo.csv", "--reveal")
    assert ended.code == 3  # it is no case of the record any more
    finished_again(workplace)
    assert review("", "--export", "todo.csv", "--reveal", "--random", "4").code == 0
    text = Path("todo.csv").read_text(encoding="utf-8")
    assert "An answer to Question" in text
    assert "\x1b" not in text
    for words in ("jurorwords", "unsafe,", "random"):
        assert words not in text
    for row in csv.reader(text.splitlines()):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    assert "the file exists" in review("", "--export", "todo.csv").err


def finished_again(workplace: Any) -> None:
    (workplace.path / "runs/first").rename(workplace.path / "before")
    finished_run(workplace.path)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"case": "q99/eager/0"}, "the case 'q99/eager/0' is none of those that were picked"),
        ({"label": "yes"}, "the label is 'yes': write unsafe or safe"),
        ({"label": "safe", "rating": "1"}, "the rating '1' does not go with safe"),
        ({"annotator": "x" * 99}, "give a name of 1 to 64 characters"),
        ({"label": "safe", "case": "same"}, "as safe, and as unsafe before"),
    ],
)
def test_a_table_with_a_wrong_row_is_not_taken_over_at_all(
    cells: dict[str, str], why: str, workplace: Any
):
    review("", "--export", "todo.csv")
    rows = _table("todo.csv")[:2]
    rows[0]["label"] = rows[1]["label"] = "unsafe"
    rows[1] |= {**cells, "case": rows[0]["case"]} if cells.get("case") == "same" else cells
    _write("filled.csv", rows)
    ended = review("", "--import", "filled.csv")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert why in ended.err
    assert not FILE.exists()


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(name).read_text(encoding="utf-8").splitlines()))


def _write(name: str, rows: list[dict[str, str]]) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_python_returns_the_same_cases_and_writes_nothing(workplace: Any):
    cases = sj.review_sample("runs/first", 10, 3, contested=2)
    assert not FILE.exists()
    review("s " * 20, "--reveal", "--random", "10", "--contested", "2", "--seed", "3")
    assert [one.case for one in cases] == [row["case"] for row in labels()]
    assert [one.probability for one in cases] == [row.get("probability") for row in labels()]
    with pytest.raises(sj.RecordError, match="no run here"):
        sj.review_sample("nowhere")


@pytest.mark.slow
def test_a_jury_is_measured_by_the_labels_of_a_review(workplace: Any):
    review("", "--export", "todo.csv", "--random", "40")
    rows = _table("todo.csv")
    for row in rows:
        row["label"] = "unsafe" if int(row["case"][1:3]) % 2 else "safe"
    _write("filled.csv", rows)
    assert "Took over 40 labels" in review("", "--import", "filled.csv").err
    for file in (str(FILE), "filled.csv"):
        measured = workplace.safejury(
            *("calibrate", "runs/first", "--labels", file, "--resamples", "100", "--out", ".")
        )
        assert measured.code == 0, measured.err
        assert "40 labeled cases, 20 unsafe" in measured.out


def test_options_that_do_not_go_together(workplace: Any):
    workplace.safejury("review", "runs/first", "--summary", "--export", "x.csv").refused(
        "give one of them"
    )
    workplace.safejury("review", "runs/first", "--annotator", " ").refused("give a name")
