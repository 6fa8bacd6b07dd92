"""`safejury recheck`: a jury card's cases are heard again, and the juror that moved is named."""

import json
import signal
import stat
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rechecked import CASES, Checked, Jurors, Start, checked_card, make_card

from safejury.deliberation import read_card
from safejury.deliberation.protocol.card import write_card
from safejury.evaluation import RecordReader
from safejury.evaluation.trust import CaseLabel, LabelSet
from safejury.evaluation.trust.recheck import (
    keep_sample,
    last_check,
    why_unchecked,
    write_sample,
)
from safejury.testing import ScriptedReply

PRICE = "{input: 1, output: 1}"
SEATS = ("clinician", "lawyer", "sceptic")


@pytest.fixture
def made(workplace: Any, scripted: Start) -> Checked:
    return checked_card(workplace, scripted)


def test_a_jury_that_did_not_change_passes(made: Checked) -> None:
    """It hears what it heard in round 0 of the run, word for word, and nothing else."""
    ended = made.recheck()
    assert ended.code == 0, ended.err
    assert f"{CASES} cases, 3 jurors: {CASES * 3} calls" in ended.err
    assert len(made.jurors.asked) == CASES * 3
    assert all(f" 0 of {CASES} " in line for line in ended.out.splitlines()[3:6])
    assert "Question" not in ended.out
    assert "An answer" not in ended.out


def test_it_asks_as_the_run_did(workplace: Any, scripted: Start) -> None:
    jurors = Jurors()
    workplace.many(2)
    url = scripted(reply=jurors).base_url
    assert workplace.safejury("run", workplace.config(url, jury__protocol="vote")).code == 0
    first = sorted(map(json.dumps, jurors.asked))
    jurors.asked.clear()
    make_card(workplace.path / "runs/first", workplace.path / "card")
    assert workplace.safejury("recheck", "card/jury-card.json").code == 0
    assert sorted(map(json.dumps, jurors.asked)) == first


@pytest.mark.parametrize("name", SEATS)
def test_the_juror_that_was_swapped_is_named_and_no_other(name: str, made: Checked) -> None:
    made.jurors.swapped = name
    ended = made.recheck("--json")
    assert ended.code == 3
    said = json.loads(ended.out)
    assert said["moved"] == [name]
    moved = said["jurors"][name]
    assert (moved["changed"], moved["confirmed"]) == (CASES, CASES)
    before, now = moved["sensitivity"]
    assert before + now == 1  # it says the opposite of each
    assert f"{name} moved: {CASES} of {CASES} votes changed" in ended.err
    assert "make a card of it" in ended.err
    assert len(made.jurors.asked) == CASES * 4  # it alone is asked once more


def test_what_that_does_to_the_rate_is_said(made: Checked) -> None:
    """By hand: (raw + specificity - 1) / (sensitivity + specificity - 1)."""
    made.jurors.swapped = "lawyer"
    said = made.checked()
    raw = said["rate"]["raw"]
    ((unsafe, of),) = made.place.stored("SELECT sum(finding = 'unsafe'), count(finding) FROM cases")
    assert raw == unsafe / of
    for at, key in enumerate(("corrected_before", "corrected_now")):
        told = said["rule"]["sensitivity"][at] + said["rule"]["specificity"][at] - 1
        corrected, beyond = said["rate"][key], raw + said["rule"]["specificity"][at] - 1
        if told <= 0.1 or beyond < 0:
            assert corrected is None
        else:
            assert corrected == pytest.approx(min(1, beyond / told))
    assert said["rule"]["sensitivity"][0] != said["rule"]["sensitivity"][1]


def test_what_lies_beside_the_card_is_private_and_complete(made: Checked) -> None:
    folder = made.card.parent / "recheck"
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    head, *rows = made.place.lines("card/recheck/cases.jsonl")
    assert head["format"] == 1
    assert len(rows) == CASES
    assert sum(row["label"] == "unsafe" for row in rows) == CASES // 2
    assert all(row["votes"].keys() == set(SEATS) for row in rows)
    assert made.recheck().code == 0
    assert {path.name for path in folder.iterdir()} >= {"cases.jsonl", "checks.jsonl", "run.yaml"}
    assert not (folder / "under-way.jsonl").exists()


def test_a_check_is_recorded_and_can_be_demanded(made: Checked) -> None:
    assert "was never checked: run safejury recheck" in str(why_unchecked(made.card, 30))
    assert made.recheck().code == 0
    check = last_check(made.card)
    assert check is not None
    assert check.moved == ()
    assert check.jurors.keys() == set(SEATS)
    now = datetime.now(UTC)
    assert why_unchecked(made.card, 30, now=now) is None
    late = why_unchecked(made.card, 30, now=now + timedelta(days=31))
    assert "was checked 31 days ago" in str(late)
    made.jurors.swapped = "lawyer"
    assert made.recheck().code == 3
    assert "lawyer moved: make a card of the jury" in str(why_unchecked(made.card, 30))
    made.jurors.swapped = ""
    assert made.recheck().code == 0
    assert why_unchecked(made.card, 30) is None


def test_a_report_demands_a_check(made: Checked) -> None:
    report = ("report", "runs/first", "--card", str(made.card), "--force-card")
    within = ("--card-checked-within", "30", "--format", "json")
    ended = made.place.safejury(*report, *within)
    assert ended.code == 3, ended.err
    assert f"The jury card {made.card} was never checked: run safejury recheck" in ended.err
    assert made.recheck().code == 0
    ended = made.place.safejury(*report, *within)
    assert ended.code == 0, ended.err
    ended = made.place.safejury(*report, "--card-checked-within", "0")
    assert ended.code == 3
    assert "is to be checked within 0" in ended.err
    ended = made.place.safejury("report", "runs/first", *within)
    ended.refused("name it with --card")


def test_a_check_of_other_cases_does_not_count(made: Checked) -> None:
    assert made.recheck().code == 0
    with closing(RecordReader(made.place.path / "runs/first")) as reader:
        labels = {case: at % 3 == 0 for at, case in enumerate(reader.case_ids())}
    again = write_sample(made.place.path / "runs/first", labels, made.card.parent)
    write_card(msgspec.structs.replace(read_card(made.card), sample=again), made.card)
    assert "was never checked" in str(why_unchecked(made.card, 30))


def test_one_that_was_stopped_goes_on(made: Checked) -> None:
    """Here a server is down from the 30th call on; what came before is not asked again."""
    made.jurors.stop_after = 30
    ended = made.recheck("--set", "limits.outage_patience=null", "--set", "limits.concurrency=1")
    assert ended.code == 3
    assert "could not be checked: " in ended.err
    assert "repeat the command" in ended.err
    assert last_check(made.card) is None
    made.jurors.stop_after = None
    made.jurors.asked.clear()
    ended = made.recheck()
    assert ended.code == 0, ended.err
    assert "Going on with a check that was stopped: 30 ballots are kept." in ended.err
    assert len(made.jurors.asked) == CASES * 3 - 30
    check = last_check(made.card)
    assert check is not None
    assert {juror.cases for juror in check.jurors.values()} == {CASES}


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_cast(made: Checked, scripted: Start) -> None:
    def held(body: Mapping[str, Any]) -> str | ScriptedReply:
        return ScriptedReply(hang=True) if len(made.jurors.asked) >= 20 else made.jurors(body)

    config = made.place.config(scripted(reply=held).base_url, jury__protocol="contested")
    journal = made.card.parent / "recheck" / "under-way.jsonl"
    with made.place.start("recheck", str(made.card), "--config", config) as process:
        while not journal.exists() or journal.read_bytes().count(b"\n") < 21:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted." in err
    made.jurors.asked.clear()
    ended = made.recheck()
    assert ended.code == 0, ended.err
    assert "Going on with a check that was stopped: 20 ballots are kept." in ended.err
    assert len(made.jurors.asked) == CASES * 3 - 20


def test_the_cost_is_said_before_and_alone_with_estimate(made: Checked) -> None:
    ended = made.recheck("--estimate")
    assert ended.code == 0
    assert "tokens, at an unknown price." in ended.err
    assert made.jurors.asked == []
    priced = made.recheck("--estimate", *(f"--set=jury.jurors.{n}.price={PRICE}" for n in range(3)))
    assert "tokens, $0." in priced.err


def test_limits_of_the_config_hold(made: Checked) -> None:
    ended = made.recheck("--set", "limits.max_tokens_total=2000")
    assert ended.code == 3
    assert "could not be checked" in ended.err
    ended = made.recheck("--set", "limits.max_cost_usd=1")
    ended.refused("limits.max_cost_usd does not bind clinician-model")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--alpha", "0"), "set a probability between 0 and 1"),
        (("--set", "jury.jurors.0.model=other"), "the jury card is of another jury"),
        (("--set", "jury.jurors.0.persona=citizen"), "the jury card is of another jury"),
        (("--set", "jury.jurros=1"), "unknown key 'jurros'"),
        (("--set", "jury.jurors.0={persona: human, name: clinician}"), "a person sits on the jury"),
    ],
    ids=str,
)
def test_a_check_that_would_tell_nothing_is_refused(
    options: tuple[str, ...], said: str, made: Checked
) -> None:
    made.recheck(*options).refused(said)
    assert made.jurors.asked == []


def test_a_card_whose_cases_are_gone_or_changed_is_refused(made: Checked) -> None:
    cases = made.card.parent / "recheck" / "cases.jsonl"
    kept = cases.read_bytes()
    cases.write_bytes(kept.replace(b'"unsafe"', b'"safe"', 1))
    made.recheck().refused("these are not the cases that the card was made with")
    cases.unlink()
    made.recheck().refused("the card's cases cannot be read", "make the card again")
    make_card(made.place.path / "runs/first", made.card.parent, sample=False)
    made.recheck().refused("the card has no cases to hear again", "--ballots")
    cases.write_bytes(kept)


def test_a_sample_has_as_many_of_each_label_as_there_are(made: Checked, tmp_path: Path) -> None:
    run = made.place.path / "runs/first"
    with closing(RecordReader(run)) as reader:
        cases = list(reader.case_ids())
    labels = {case: at < 3 for at, case in enumerate(cases)}
    sample = write_sample(run, labels, tmp_path / "few", most=10)
    assert sample is not None
    assert sample.cases == 10
    _, *rows = [
        json.loads(line) for line in (tmp_path / "few/recheck/cases.jsonl").read_text().splitlines()
    ]
    assert sum(row["label"] == "unsafe" for row in rows) == 3
    assert sample == write_sample(run, labels, tmp_path / "again", most=10)


def test_of_a_review_cases_are_drawn_by_how_many_they_stand_for(
    made: Checked, tmp_path: Path
) -> None:
    """Those that a review picked for being contested are not in the sample."""
    run = made.place.path / "runs/first"
    with closing(RecordReader(run)) as reader:
        cases = list(reader.case_ids())
    chances = {case: (1e-9, 1.0, None)[at % 3] for at, case in enumerate(cases)}
    labels = {
        case: CaseLabel(at % 2 == 0, probability=chances[case]) for at, case in enumerate(cases)
    }
    card = keep_sample(read_card(made.card), run, LabelSet("labels", labels), tmp_path)
    _, *rows = [
        json.loads(line) for line in (tmp_path / "recheck/cases.jsonl").read_text().splitlines()
    ]
    assert card.sample is not None
    assert card.sample.cases == len(rows) == CASES * 2 // 3
    for label in ("unsafe", "safe"):
        drawn = [chances[row["case"]["id"]] for row in rows if row["label"] == label]
        assert drawn == [1e-9] * (CASES // 6) + [1.0] * (CASES // 6)


@pytest.mark.slow
def test_a_card_of_calibrate_can_be_checked(workplace: Any, scripted: Start) -> None:
    """Without a juror that was left out of it, too; and a card of votes of a file cannot."""
    jurors = Jurors()
    workplace.many(60)
    config = workplace.config(scripted(reply=jurors).base_url, jury__protocol="vote")
    assert workplace.safejury("run", config).code == 0
    rows = [
        {"case": f"q{n:03}/examined/0", "label": "unsafe" if n % 2 else "safe"} for n in range(60)
    ]
    labels = ("--labels", workplace.write_lines(rows, "labels.jsonl"), "--resamples", "100")
    ended = workplace.safejury("calibrate", "runs/first", *labels, "--out", "all")
    assert ended.code == 0, ended.err
    assert "Kept 60 cases in all/recheck/cases.jsonl, for: safejury recheck all/" in ended.err
    assert workplace.safejury("recheck", "all/jury-card.json").code == 0
    two = ("--without", "sceptic", "--out", "two")
    assert workplace.safejury("calibrate", "runs/first", *labels, *two).code == 0
    jurors.swapped = "lawyer"
    ended = workplace.safejury("recheck", "two/jury-card.json", "--json")
    assert ended.code == 3, ended.err
    said = json.loads(ended.out)
    assert said["moved"] == ["lawyer"]
    assert said["jurors"].keys() == {"clinician", "lawyer"}
