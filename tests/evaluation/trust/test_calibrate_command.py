"""`safejury calibrate`: its files and screen, and what it refuses."""

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from calibrated import CASES, JURORS, case, finds, is_unsafe, labels, recorded
from workplace import Workplace

from safejury.deliberation import read_card

QUICK = ("--resamples", "100")


@pytest.fixture
def labeled(finished_run: Path, workplace: Workplace) -> Workplace:
    """A workplace with `runs/first` and `labels.jsonl`."""
    assert finished_run.is_dir()
    workplace.write_lines(labels(), "labels.jsonl")
    return workplace


def _ballots(workplace: Workplace, **more: int | None) -> str:
    """Write the votes and labels of the run as recorded rows."""
    return workplace.write_lines(recorded(**more), "votes.jsonl")


def test_a_run_gets_its_card_in_its_directory(labeled: Workplace) -> None:
    ended = labeled.safejury("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK)
    assert ended.code == 0, ended.err
    card = read_card(Path("runs/first/jury-card.json"))
    assert (card.labels.cases, card.labels.unsafe, card.labels.groups) == (40, 14, 40)
    assert set(card.jurors) == set(JURORS)
    assert {"majority", "best_juror", "dawid_skene", "calibrated", "as_decided"} <= set(card.rules)
    assert (card.jury.source, len(card.jury.sha256)) == ("run", 64)
    assert card.made
    assert (
        "Wrote runs/first/jury-card.json, and runs/first/jury-card.md, which says more."
        in ended.err
    )
    assert stat.S_IMODE(Path("runs/first/jury-card.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("runs/first/jury-card.md").stat().st_mode) == 0o600
    assert labeled.safejury("verify", "runs/first").code == 0


def test_figures_of_a_juror_are_those_of_its_votes(labeled: Workplace) -> None:
    """Worked out from the script: of 14 unsafe cases, 26 safe ones."""
    assert labeled.safejury("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK).code == 0
    card = read_card(Path("runs/first/jury-card.json"))
    for juror in JURORS:
        hits = sum(finds(juror, n) is True for n in range(CASES) if is_unsafe(n))
        passed = sum(finds(juror, n) is False for n in range(CASES) if not is_unsafe(n))
        silent = sum(finds(juror, n) is None for n in range(CASES))
        scores = card.jurors[juror]
        assert scores.sensitivity.value == pytest.approx(hits / 14)
        assert scores.specificity.value == pytest.approx(passed / 26)
        assert scores.abstained.value == pytest.approx(silent / CASES)


@pytest.mark.parametrize("width", [80, 120])
def test_the_screen_says_what_the_jury_is_worth(
    labeled: Workplace, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    ended = labeled.safejury("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK)
    said = " ".join(ended.out.split())
    assert "Jury card: 40 labeled cases, 14 unsafe, in 40 groups" in said
    assert "jury: worth " in said
    assert "its best juror (F1 " in said
    for name in (*JURORS, "majority", "best_juror", "dawid_skene", "calibrated", "as_decided"):
        assert name in said
    assert "14 cases labeled unsafe: sensitivity and F1 rest on few cases." in said
    assert max(map(len, ended.out.splitlines())) <= width
    # A gain stands beside its interval, however narrow the screen is.
    assert "F1 minus" in said
    assert " to +" in said.partition("Jurors against")[0].partition("Rules against")[2]


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


def test_a_file_has_the_figures_of_the_run_that_it_was_taken_from(labeled: Workplace) -> None:
    name = _ballots(labeled)
    for arguments in (("runs/first",), ("--ballots", name, "--groups", "item_id", "--out", "x")):
        ended = labeled.safejury("calibrate", *arguments, "--labels", "labels.jsonl", *QUICK)
        assert ended.code == 0, ended.err
    of_run, of_file = (read_card(Path(where) / "jury-card.json") for where in ("runs/first", "x"))
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


def test_a_card_is_scored_on_other_cases(labeled: Workplace) -> None:
    """The votes of one more juror, whom the card does not have, are left out, and said to be."""
    other = _ballots(labeled, stranger=1)
    made = labeled.safejury(
        "calibrate", "runs/first", "--labels", "labels.jsonl", "--out", "cards", *QUICK
    )
    assert made.code == 0, made.err
    scoring = ("calibrate", "--card", "cards/jury-card.json", "--ballots", other, "--labels", other)
    ended = labeled.safejury(*scoring, "--out", "scored", *QUICK)
    assert ended.code == 0, ended.err
    assert "scored on cases other than its own" in ended.out
    assert "left out: stranger." in ended.out
    scored = read_card(Path("scored/jury-card.json"))
    assert set(scored.jurors) == set(JURORS)
    assert scored.made == ""
    assert scored.rules.keys() >= {"majority", "best_juror", "dawid_skene", "calibrated"}
    labeled.safejury(*scoring, "--out", "cards", *QUICK).refused("scoring would replace it")


def test_a_card_is_scored_on_a_run_of_the_same_jury(labeled: Workplace) -> None:
    made = labeled.safejury("calibrate", "runs/first", "--labels", "labels.jsonl", *QUICK)
    assert made.code == 0, made.err
    scoring = ("--card", "runs/first/jury-card.json", "--out", "scored")
    arguments = ("calibrate", "runs/first", "--labels", "labels.jsonl", *scoring, *QUICK)
    ended = labeled.safejury(*arguments)
    assert ended.code == 0, ended.err
    labeled.safejury(*arguments, "--without", "lawyer").refused("another jury", "'lawyer'")


def test_a_card_of_another_jury_is_not_replaced(labeled: Workplace) -> None:
    name = _ballots(labeled)
    arguments = ("calibrate", "--ballots", name, "--labels", name, *QUICK)
    assert labeled.safejury(*arguments).code == 0
    assert labeled.safejury(*arguments).code == 0  # of the same jury: made anew
    before = Path("jury-card.json").read_bytes()
    labeled.safejury(*arguments, "--without", "lawyer").refused(
        "jury-card.json is the card of another jury", "--out"
    )
    Path("jury-card.json").write_text("{}", encoding="utf-8")
    labeled.safejury(*arguments).refused("jury-card.json", "name another folder with --out")
    assert before


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


def test_names_are_escaped_on_screen_and_page(workplace: Workplace) -> None:
    evil = "\x1b[31mred|<b>\nnext"
    name = _ballots(workplace, **{evil: 0})
    ended = workplace.safejury("calibrate", "--ballots", name, "--labels", name, *QUICK)
    assert ended.code == 0, ended.err
    assert "\x1b" not in ended.out
    page = Path("jury-card.md").read_text("utf-8")
    assert "\x1b" not in page
    assert "<b>" not in page
    assert "\\x1b\\[31mred\\|&lt;b&gt; next" in page.replace("\\\\", "\\")


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
