"""`sj.calibrate`: what the command does, from Python."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from calibrated import CASES, JURORS, Calibrated, case, is_unsafe, write_votes_and_labels
from workplace import Workplace

import safejury as sj
from safejury.deliberation import read_card

QUICK = 100
"""Resamples."""


def test_a_run_is_measured_by_labels_by_case(
    finished_run: Path, calibrated_run: Calibrated
) -> None:
    by_case = {case(number): is_unsafe(number) for number in range(CASES)}
    card = sj.calibrate(
        sj.load(finished_run),
        by_case,
        unsafe_words=["true"],
        safe_words=["false"],
        resamples=QUICK,
    )
    # Only what is written keeps cases for a later check.
    assert card == msgspec.structs.replace(sj.read_card(calibrated_run.card), sample=None)
    assert repr(card) == "<JuryCard: 3 jurors, 40 labeled cases, 14 unsafe>"
    assert "as_decided" in card.rules
    assert not (finished_run / "jury-card.json").exists()
    said = card.apply(dict.fromkeys(JURORS, "unsafe"))
    assert said.probability is not None
    with pytest.raises(sj.ConfigurationError, match=r"'true' \(14\), 'false' \(26\)"):
        sj.calibrate(finished_run, by_case)


def test_recorded_votes_are_measured_and_the_card_is_kept(workplace: Workplace) -> None:
    write_votes_and_labels(workplace.path)
    card = sj.calibrate(
        "votes.jsonl",
        "labels.csv",
        without=["lawyer"],
        groups="item_id",
        cost=sj.Cost(miss=5, false_alarm=1),
        out="cards",
        resamples=QUICK,
    )
    assert read_card(Path("cards/jury-card.json")) == card
    assert Path("cards/jury-card.md").read_text("utf-8").startswith("# Jury card of 2")
    assert (set(card.jurors), card.labels.groups) == ({"clinician", "sceptic"}, CASES)
    scored = sj.calibrate("other.jsonl", "labels.csv", card=card, resamples=QUICK)
    assert set(scored.jurors) == {"clinician", "sceptic"}
    assert "left out: lawyer." in scored.notes[0]
    with pytest.raises(sj.ConfigurationError, match="scoring would replace it"):
        sj.calibrate("other.jsonl", "labels.csv", card=card, out="cards", resamples=QUICK)


def test_a_place_without_votes_is_told(workplace: Workplace) -> None:
    with pytest.raises(sj.RecordError, match="there is no run here"):
        sj.calibrate(workplace.path / "none", {"a": "safe"})


WITHOUT_TRUST = """
import sys
for name in ("numpy", "scipy", "sklearn"):
    sys.modules[name] = None
import safejury as sj
try:
    sj.calibrate("runs/first", "labels.csv")
except sj.ConfigurationError as error:
    print(error)
"""


def test_without_the_extra_it_says_how_to_install_it() -> None:
    command = [sys.executable, "-P", "-c", WITHOUT_TRUST]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("sj.calibrate needs the package sklearn"), done.stderr
    assert "[trust]" in done.stdout
