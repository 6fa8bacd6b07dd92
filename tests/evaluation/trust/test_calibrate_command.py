"""`safejury calibrate`: its files and screen, and what it refuses."""

import csv
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from calibrated import (
    CASES,
    JURORS,
    QUICK,
    Calibrated,
    case,
    finds,
    is_unsafe,
    labels,
    recorded,
)
from workplace import Workplace

from safejury.deliberation import read_card


@pytest.fixture
def labeled(finished_run: Path, workplace: Workplace) -> Workplace:
    """A workplace with `runs/first` and `labels.jsonl`."""
    assert finished_run.is_dir()
    workplace.write_lines(labels(), "labels.jsonl")
    return workplace


def _ballots(workplace: Workplace, **more: int | None) -> str:
    """Write the votes and labels of the run as recorded rows."""
    return workplace.write_lines(recorded(**more), "votes.jsonl")


def test_a_run_gets_its_card_in_its_directory(
    calibrated_run: Calibrated, workplace: Workplace
) -> None:
    card = read_card(calibrated_run.card)
    assert (card.labels.cases, card.labels.unsafe, card.labels.groups) == (40, 14, 40)
    assert set(card.jurors) == set(JURORS)
    assert {"majority", "best_juror", "dawid_skene", "calibrated", "as_decided"} <= set(card.rules)
    assert (card.jury.source, len(card.jury.sha256)) == ("run", 64)
    assert (card.made[:2], card.notes) == ("20", ())
    page = calibrated_run.path / "jury-card.md"
    assert f"Wrote {calibrated_run.card}, and {page}, which says more." in calibrated_run.ended.err
    for path in (calibrated_run.card, page):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert workplace.safejury("verify", str(calibrated_run.path)).code == 0


def test_figures_of_a_juror_are_those_of_its_votes(calibrated_run: Calibrated) -> None:
    """Worked out from the script: of 14 unsafe cases, 26 safe ones."""
    card = read_card(calibrated_run.card)
    for juror in JURORS:
        hits = sum(finds(juror, n) is True for n in range(CASES) if is_unsafe(n))
        passed = sum(finds(juror, n) is False for n in range(CASES) if not is_unsafe(n))
        silent = sum(finds(juror, n) is None for n in range(CASES))
        scores = card.jurors[juror]
        assert scores.sensitivity.value == pytest.approx(hits / 14)
        assert scores.specificity.value == pytest.approx(passed / 26)
        assert scores.abstained.value == pytest.approx(silent / CASES)


def test_the_screen_says_what_the_jury_is_worth(calibrated_run: Calibrated) -> None:
    out = calibrated_run.ended.out
    said = " ".join(out.split())
    assert "Jury card: 40 labeled cases, 14 unsafe, in 40 groups" in said
    assert "jury: worth " in said
    assert "its best juror (F1 " in said
    for name in (*JURORS, "majority", "best_juror", "dawid_skene", "calibrated", "as_decided"):
        assert name in said
    assert "14 cases labeled unsafe: sensitivity and F1 rest on few cases." in said
    assert max(map(len, out.splitlines())) <= 80


def test_recorded_votes_and_labels_may_be_one_file(workplace: Workplace) -> None:
    name = _ballots(workplace)
    ended = workplace.safejury(
        "calibrate", "--ballots", name, "--labels", name, "--out", "cards/a", *QUICK
    )
    assert ended.code == 0, ended.err
    card = read_card(Path("cards/a/jury-card.json"))
    assert (card.labels.cases, card.labels.groups, card.jury.source) == (40, 20, "ballots")
    page = Path("cards/a/jury-card.md").read_text("utf-8")
    assert page.startswith("# Jury card of 2")
    assert "| lawyer |" in page
    assert "as_decided" not in page


def test_a_file_has_the_figures_of_the_run_that_it_was_taken_from(
    calibrated_run: Calibrated, workplace: Workplace
) -> None:
    name = _ballots(workplace)
    options = ("--groups", "item_id", "--out", "x")
    ended = workplace.safejury("calibrate", "--ballots", name, "--labels", name, *options, *QUICK)
    assert ended.code == 0, ended.err
    of_run, of_file = read_card(calibrated_run.card), read_card(Path("x/jury-card.json"))
    assert of_run.jurors == of_file.jurors
    assert of_run.rules["calibrated"] == of_file.rules["calibrated"]


def test_labels_of_a_spreadsheet_in_words_of_its_own(labeled: Workplace) -> None:
    with Path("labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["case", "label", "annotator"])
        rows.writerows([case(n), "Yes" if is_unsafe(n) else "no", "ann"] for n in range(CASES))
    arguments = ("calibrate", "runs/first", "--labels", "labels.csv", *QUICK)
    labeled.safejury(*arguments).refused("labels.csv", "'yes' (14), 'no' (26)", "--unsafe-word")
    ended = labeled.safejury(*arguments, "--unsafe-word", "yes", "--safe-word", "NO")
    assert ended.code == 0, ended.err
    assert read_card(Path("runs/first/jury-card.json")).labels.unsafe == 14


def test_a_card_is_scored_on_other_cases(calibrated_run: Calibrated, workplace: Workplace) -> None:
    """The votes of one more juror, whom the card does not have, are left out, and said to be."""
    other = _ballots(workplace, stranger=1)
    options = ("--card", str(calibrated_run.card), "--ballots", other, "--labels", other)
    ended = workplace.safejury("calibrate", *options, "--out", "scored", *QUICK)
    assert ended.code == 0, ended.err
    assert "Scores of a jury card, nothing fitted: 40 labeled cases" in ended.out
    assert "left out: stranger." in ended.out
    scored = read_card(Path("scored/jury-card.json"))
    assert set(scored.jurors) == set(JURORS)
    assert scored.made == ""
    assert scored.rules.keys() >= {"majority", "best_juror", "dawid_skene", "calibrated"}
    place = str(calibrated_run.path)
    workplace.safejury("calibrate", *options, "--out", place, *QUICK).refused(
        "scoring would replace it"
    )


def test_a_card_is_scored_on_a_run_of_the_same_jury(
    calibrated_run: Calibrated, labeled: Workplace
) -> None:
    scoring = ("--card", str(calibrated_run.card), "--out", "scored")
    arguments = ("calibrate", "runs/first", "--labels", "labels.jsonl", *scoring, *QUICK)
    ended = labeled.safejury(*arguments)
    assert ended.code == 0, ended.err
    labeled.safejury(*arguments, "--without", "lawyer").refused("another jury", "'lawyer'")


def test_a_card_of_another_jury_is_not_replaced(
    calibrated_run: Calibrated, labeled: Workplace
) -> None:
    """One of the same jury is: the command can be repeated."""
    place = Path("runs/first/jury-card.json")
    shutil.copy(calibrated_run.card, place)
    kept = place.read_bytes()
    arguments = ("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK)
    labeled.safejury(*arguments, "--without", "lawyer").refused(
        "jury-card.json is the card of another jury", "--out"
    )
    assert place.read_bytes() == kept
    assert labeled.safejury(*arguments, "--seed", "1").code == 0
    assert place.read_bytes() != kept
    place.write_text("{}", encoding="utf-8")
    labeled.safejury(*arguments).refused("jury-card.json", "name another folder with --out")


def test_a_cost_sets_the_threshold(labeled: Workplace) -> None:
    ended = labeled.safejury(
        *("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK),
        *("--cost", "miss=5,false_alarm=1"),
    )
    assert ended.code == 0, ended.err
    model = read_card(Path("runs/first/jury-card.json")).models.calibrated
    assert model is not None
    assert model.cost is not None
    assert (model.cost.miss, model.cost.false_alarm) == (5, 1)
    assert "a miss costs 5, a false alarm 1" in " ".join(ended.out.split())


_RUN = ("runs/first", "--labels", "labels.jsonl")
_REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("--labels", "labels.jsonl"), "name a run"),
    ((*_RUN, "--ballots", "labels.jsonl"), "one of them"),
    ((*_RUN, "--groups", "group"), "--groups goes with --ballots"),
    ((*_RUN, "--cost", "5"), "--cost '5': write it as miss=5,false_alarm=1"),
    ((*_RUN, "--cost", "miss=5"), "write it as"),
    ((*_RUN, "--cost", "miss=nan,false_alarm=1"), "both costs must be above 0"),
    ((*_RUN, "--cost", "miss=0,false_alarm=1"), "both costs must be above 0"),
    ((*_RUN, "--unsafe-word", "safe"), "it means safe already"),
    ((*_RUN, "--without", "lawyr"), "did you mean 'lawyer'?"),
    ((*_RUN, "--card", "labels.jsonl"), "labels.jsonl is not a jury card"),
    ((*_RUN, "--card", "none.json"), "'none.json' does not exist"),
    ((*_RUN, "--out", "labels.jsonl"), "labels.jsonl is a file"),
    (("runs/none", "--labels", "labels.jsonl"), "there is no run here"),
    (("runs/first", "--labels", "none.csv"), "none.csv does not exist"),
    (("--ballots", "none.csv", "--labels", "labels.jsonl"), "none.csv does not exist"),
    (("--ballots", "labels.jsonl", "--labels", "labels.jsonl"), "'finding' is missing"),
]


@pytest.mark.parametrize(("arguments", "said"), _REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(
    labeled: Workplace, arguments: tuple[str, ...], said: str
) -> None:
    labeled.safejury("calibrate", *arguments, *QUICK).refused(said)
    assert not Path("jury-card.json").exists()
    assert not Path("runs/first/jury-card.json").exists()


_LABELS: list[tuple[list[dict[str, Any]], str]] = [
    (
        [{"case": f"other{n}", "label": "safe"} for n in range(40)],
        "no label matches a case of runs/first: 40 labels of",
    ),
    ([{**row, "label": "safe"} for row in labels()], "safe"),
    (labels(range(29)), "29"),
    (labels(range(20)) + [row for row in labels(range(20, 40)) if row["label"] == "safe"], "7"),
    ([*labels(), {**labels()[0], "label": "safe"}], "labeled as unsafe and as safe"),
]


@pytest.mark.parametrize(("rows", "said"), _LABELS)
def test_labels_that_will_not_do_are_refused_in_one_line(
    labeled: Workplace, rows: list[dict[str, Any]], said: str
) -> None:
    """Of no case, of one class, fewer than 30, fewer than 10 of a class, two by one annotator."""
    labeled.write_lines(rows, "labels.jsonl")
    ended = labeled.safejury("calibrate", *_RUN, *QUICK)
    ended.refused(said)
    assert not Path("runs/first/jury-card.json").exists()


def test_labels_left_out_are_told_and_kept_on_the_card(labeled: Workplace) -> None:
    labeled.write_lines([*labels(), {"case": "q999/examined/0", "label": "safe"}], "labels.jsonl")
    ended = labeled.safejury("calibrate", *_RUN, *QUICK)
    assert ended.code == 0, ended.err
    note = "1 labeled case not in runs/first, and left out: 'q999/examined/0'."
    assert note in " ".join(ended.out.split())
    assert read_card(Path("runs/first/jury-card.json")).notes == (note,)
    kept = json.loads(Path("runs/first/jury-card.json").read_text("utf-8"))
    assert kept["format"] == 1
